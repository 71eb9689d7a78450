// Phone with several calls ◄──► FakeSocket (the site), FakePeer (the browser): in one of them there is talk
import { afterEach, beforeEach, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { Phone } from '../../../webrtc/sdk/sluss.js';
import { FakePeer, incoming, install, online, settle } from './fake.mjs';

describe('switch', () => {
	let mic, phone, socket, calls;

	beforeEach(async () => {
		({ mic } = install());
		({ phone, socket } = await online(Phone));
		calls = [];
		phone.addEventListener('incoming', ({ call }) => calls.push(call));
	});
	afterEach(() => phone.close());

	async function ring(id) {
		socket.event('incoming', incoming(id));
		await settle();
		return calls.at(-1);
	}

	/** The site and the browser say yes to a call that is being taken. */
	async function goesOn(id, taking) {
		await settle();
		socket.ok(socket.got('accept'));
		await settle();
		socket.ok(socket.got('answer'));
		await taking;
		socket.event('established', { call: id, media: 'direct', encryption: 'claimed' });
		FakePeer.last.connection('connected');
		await settle();
	}

	async function talk(id) {
		const call = await ring(id);

		await goesOn(id, call.accept());
		return call;
	}

	const heard = (call) => call.streams.local.getTracks().some((t) => t.enabled);

	/** The offer of this call that has no answer yet is taken by the other side. */
	async function agreed(call) {
		const offer = socket.sent.findLast((m) => m.type === 'offer' && m.call === call.id);

		socket.ok(offer);
		socket.event('answer', { call: call.id, sdp: 'their answer' });
		await settle();
	}

	test('one that rings is taken, and the other is silent from that moment on', async () => {
		const one = await talk('i1'), two = await ring('i2');
		const taking = phone.switchTo(two);

		await settle();
		assert.equal(heard(one), false, 'before the site has answered anything');
		assert.equal(one.held.local, true);
		await agreed(one);
		await goesOn('i2', taking);
		assert.deepEqual([one.state, two.state], ['held', 'connected']);
		assert.deepEqual([heard(one), heard(two)], [false, true]);

		const back = phone.switchTo(one);
		await settle();
		assert.deepEqual([heard(one), heard(two)], [true, false]);
		await agreed(one);
		await agreed(two);
		await back;
		assert.deepEqual([one.state, two.state], ['connected', 'held']);
		assert.equal(calls.length, 2);
	});
	test('without a microphone for the second the first goes on', async () => {
		const one = await talk('i1'), two = await ring('i2');

		mic.fail = 'NotAllowedError';
		const refused = assert.rejects(phone.switchTo(two), { code: 'mic-denied' });
		await settle();
		await agreed(one);
		await agreed(one);
		await refused;
		assert.deepEqual([one.state, one.held.local, two.state], ['connected', false, 'ringing']);
		assert.equal(heard(one), true);
	});
	test('one that cannot be held is muted', async () => {
		const one = await talk('i1'), two = await ring('i2');
		const taking = phone.switchTo(two);

		await settle();
		socket.refuse(socket.sent.findLast((m) => m.type === 'offer' && m.call === 'i1'), 'bad-state');
		await goesOn('i2', taking);
		assert.deepEqual([one.held.local, one.muted.audio, heard(one)], [false, true, false]);
		assert.equal(two.state, 'connected');
	});
	test('while a call is only being made there is nothing to hold', async () => {
		const coming = phone.call('per@beta.test');
		await settle();
		socket.ok(socket.got('call'));
		const made = await coming, two = await ring('i2');

		await assert.rejects(phone.switchTo(two), { code: 'bad-state' });
		assert.deepEqual([made.state, two.state], ['calling', 'ringing']);
	});
});
