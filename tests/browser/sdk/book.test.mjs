// history and contacts in a Storage: what is kept, what is not believed, what is gone when asked
import { beforeEach, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { Book, forgetAccount, HISTORY_MAX } from '../../../webrtc/phone/book.js';
import { Contacts, CONTACTS_MAX } from '../../../webrtc/sdk/contacts.js';
import { loudness } from '../../../webrtc/phone/meter.js';

/** A Storage with room for so many characters. */
function storage(room = Infinity) {
	const map = new Map();

	return {
		map,
		getItem: (key) => map.get(key) ?? null,
		setItem(key, value) {
			if (value.length > room)
				throw new DOMException('full', 'QuotaExceededError');
			map.set(key, value);
		},
		removeItem: (key) => map.delete(key),
		key: (i) => [...map.keys()][i] ?? null,
		get length() { return map.size; },
	};
}
const ALICE = 'alice@alpha.test';
const entry = (n, more) => ({ address: `u${n}@beta.test`, name: '', kind: 'out', at: n, reason: 'hangup', seconds: 3, ...more });

describe('book', () => {
	let disk, book;

	beforeEach(() => {
		disk = storage();
		book = new Book(ALICE, disk);
	});

	test('history: what two tabs tell of one call stands there once; two calls stand there twice', () => {
		const missed = { kind: 'missed', reason: 'cancelled', seconds: null };

		book.remember(entry(1, { ...missed, at: 10_000 }));
		new Book(ALICE, disk).remember(entry(1, { ...missed, at: 10_400 }));
		assert.equal(book.history.length, 1);
		book.remember(entry(1, { ...missed, at: 12_000 }));
		book.remember(entry(2, { ...missed, at: 12_100 }));
		book.remember(entry(2, { kind: 'in', at: 12_200, seconds: 0 }));
		book.remember(entry(2, { kind: 'in', at: 12_300, seconds: 0 }));
		assert.equal(book.history.length, 5);
	});
	test('contacts: who vouches for them is kept once, through another name, and anew only when asked to', () => {
		book.know('per@beta.test', { idp: 'beta.test', idName: 'per@beta.test', site: 'beta.test' });
		assert.equal(book.contact('per@beta.test'), null, 'nobody becomes a contact by calling');
		book.put({ address: 'per@beta.test', name: 'Per' });
		book.know('per@beta.test', { site: 'beta.test' });
		book.know('per@beta.test', { idp: 'beta.test', idName: 'per@beta.test', site: 'other.test' });
		book.put({ address: 'per@beta.test', name: 'Pelle' });
		assert.deepEqual(book.contact('per@beta.test'), { address: 'per@beta.test', name: 'Pelle', idp: 'beta.test', idName: 'per@beta.test', site: 'beta.test' });
		book.know('per@beta.test', { idp: 'new.test', idName: 'per@new.test', site: 'other.test' }, true);
		assert.deepEqual([book.contact('per@beta.test').idp, book.contact('per@beta.test').site], ['new.test', 'other.test']);
	});
	test('history: newest first, kept for the next page, no longer than it may be', () => {
		for (let n = 0; n < HISTORY_MAX + 5; n++)
			book.remember(entry(n));
		const again = new Book(ALICE, disk);
		assert.equal(again.history.length, HISTORY_MAX);
		assert.equal(again.history[0].address, `u${HISTORY_MAX + 4}@beta.test`);
		again.clearHistory();
		assert.deepEqual(book.history, []);
	});
	test('history: missed calls are counted until they have been seen', () => {
		let told = 0;
		book.addEventListener('change', () => told++);
		book.remember(entry(1, { kind: 'missed', seconds: null }));
		book.remember(entry(2));
		assert.equal(book.unseen, 1);
		book.seen();
		book.seen();
		assert.deepEqual([book.unseen, told], [0, 3]);
	});
	test('one user’s lists are not another’s', () => {
		book.remember(entry(1));
		book.put({ address: 'bob@beta.test', name: 'Bob' });
		const other = new Book('anna@alpha.test', disk);
		assert.deepEqual([other.history, other.contacts], [[], []]);
		other.put({ address: 'bob@beta.test', name: 'Robert' });
		book.forget();
		assert.deepEqual([book.history, book.contacts], [[], []]);
		assert.equal(other.nameOf({ address: 'bob@beta.test' }), 'Robert');
		assert.deepEqual([...disk.map.keys()], ['sluss.contacts.anna@alpha.test']);
	});
	test('contacts: put, renamed, moved to another address, removed; by name', () => {
		book.put({ address: 'z@beta.test', name: '  Åsa ' });
		book.put({ address: 'b@beta.test', name: '' });
		book.put({ address: 'z@beta.test', name: 'Åsa Z' });
		assert.deepEqual(book.contacts.map((c) => c.name || c.address), ['Åsa Z', 'b@beta.test']);
		book.put({ address: 'new@beta.test', name: 'Åsa Z' }, 'z@beta.test');
		assert.equal(book.contact('z@beta.test'), null);
		assert.equal(book.nameOf({ address: 'new@beta.test', name: 'what she says' }), 'Åsa Z');
		assert.equal(book.nameOf({ address: 'b@beta.test', name: 'what he says' }), 'what he says');
		book.remove('new@beta.test');
		assert.equal(book.contacts.length, 1);
	});
	test('contacts: every word is looked for, without accents and case', () => {
		book.put({ address: 'asa@beta.test', name: 'Åsa Öberg' });
		book.put({ address: 'bob@gamma.test', name: 'Bob' });
		const found = (text) => book.search(text).map((c) => c.address);
		assert.deepEqual([found('oberg asa'), found('GAMMA'), found('bob beta'), found(' ').length],
			[['asa@beta.test'], ['bob@gamma.test'], [], 2]);
	});
	test('contacts: there is an end to them', () => {
		disk.setItem(`sluss.contacts.${ALICE}`, JSON.stringify(Array.from({ length: CONTACTS_MAX },
			(_, n) => ({ address: `u${n}@beta.test`, name: '' }))));
		assert.equal(book.put({ address: 'one@more.test', name: '' }), false);
		assert.equal(book.put({ address: 'u1@beta.test', name: 'changed' }), true);
	});
	test('contacts: what the SDK’s users put there is what the page shows; an address is read as a person types it', () => {
		const contacts = new Contacts(ALICE, disk);
		let told = 0;

		book = new Book(ALICE, disk, contacts);
		book.addEventListener('change', () => told++);
		assert.equal(contacts.put({ address: 'sip:Bob@Beta.Test', name: 'Bob' }), true);
		contacts.put({ address: 'anna' });
		assert.throws(() => contacts.put({ address: 'a@b@c', name: '' }), { code: 'bad-address' });
		assert.deepEqual(book.contacts, [{ address: 'anna@alpha.test', name: '' }, { address: 'bob@beta.test', name: 'Bob' }]);
		assert.equal(told, 2);
		contacts.remove('anna@alpha.test');
		assert.deepEqual([contacts.get('anna@alpha.test'), contacts.search('bob').length], [null, 1]);
	});
	test('contacts: a full storage costs the history, not the people', () => {
		disk = storage(3000);
		book = new Book(ALICE, disk);
		book.remember(entry(1));
		for (let n = 0; n < 40; n++)
			book.put({ address: `u${n}@beta.test`, name: '' });
		const kept = book.contacts.length;
		book.put({ address: 'one@more.test', name: 'x'.repeat(100) });
		assert.ok(book.contacts.length >= kept, 'none is lost');
		for (const text of ['', '{', '7', '[null,{},{"address":"x"}]']) {
			disk.setItem(`sluss.contacts.${ALICE}`, text);
			assert.deepEqual(book.contacts, [], text);
		}
	});
	test('what lies there is read with care', () => {
		for (const text of ['', '{', 'null', '7', '{"a":1}', '[null,7,{},{"address":"x"},{"address":"a@b","kind":"odd","at":1}]']) {
			disk.setItem(`sluss.history.${ALICE}`, text);
			assert.deepEqual(book.history, [], text);
		}
		disk.setItem(`sluss.history.${ALICE}`, JSON.stringify([{ address: 'a@b.test', kind: 'in', at: 5, name: 7, seconds: -1, seen: 'x', more: 1 }]));
		assert.deepEqual(book.history, [{ address: 'a@b.test', kind: 'in', at: 5, name: '', reason: '', seconds: null, seen: false }]);
	});
	test('a full storage costs the older history, not the newest call', () => {
		disk = storage(12000);
		book = new Book(ALICE, disk);
		for (let n = 0; n < 150; n++)
			book.remember(entry(n));
		assert.equal(book.history[0].at, 149);
		assert.ok(book.history.length >= 50);
	});
	test('a forbidden storage: all lasts as long as the page', () => {
		book = new Book(ALICE, null);
		book.remember(entry(1));
		assert.equal(book.history.length, 1);
	});
	test('the account is gone: what is kept of it is, too, and nothing of others', () => {
		const tab = storage();
		const other = new Book('anna@alpha.test', disk);

		for (const one of [book, other]) {
			one.remember(entry(1));
			one.put({ address: 'u1@beta.test', name: 'One' });
		}
		disk.setItem('sluss.idp', 'idp.test');
		disk.setItem('sluss.devices', '{}');
		tab.setItem('sluss.calls', '{}');
		forgetAccount(ALICE, disk, tab);
		assert.deepEqual([...disk.map.keys()].sort(), ['sluss.contacts.anna@alpha.test', 'sluss.devices', 'sluss.history.anna@alpha.test', 'sluss.idp']);
		assert.equal(tab.map.size, 0);
		assert.equal(other.contacts.length, 1);
		forgetAccount('anna@alpha.test', disk, tab);
		assert.deepEqual([...disk.map.keys()], ['sluss.devices'], 'whose the provider was is clear now');
		forgetAccount(ALICE, null, null);
	});
	test('another tab has changed it', () => {
		let told = 0;
		book.addEventListener('change', () => told++);
		book.changedElsewhere('something.else');
		book.changedElsewhere(`sluss.history.${ALICE}`);
		book.changedElsewhere(null);
		assert.equal(told, 2);
	});
});

test('meter: silence is nothing, full is full, between by decibels', () => {
	assert.equal(loudness(new Float32Array(64)), 0);
	assert.equal(loudness(new Float32Array(0)), 0);
	assert.equal(loudness(new Float32Array(64).fill(1)), 1);
	assert.ok(Math.abs(loudness(new Float32Array(64).fill(0.0316)) - 0.5) < 0.01, '-30 dB is half');
	assert.equal(loudness(new Float32Array(64).fill(0.0001)), 0);
});
