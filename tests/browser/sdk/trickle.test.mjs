// Call ◄──► FakeSocket (the site), FakePeer (the browser): candidates one by one, both ways
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import assert from 'node:assert/strict';
import { Phone } from '../../../webrtc/sdk/sluss.js';
import { BATCH_MS, EARLY_MAX, FIRST_MS, ufrags } from '../../../webrtc/sdk/trickle.js';
import { FakePeer, incoming, install, online, settle } from './fake.mjs';

const sdp = (ufrag) => `v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:${ufrag}\r\na=mid:0\r\n`;
const line = (n) => `candidate:${n} 1 udp 1 192.0.2.1 ${n} typ host`;
const answer = { sdp: sdp('them'), trickle: true, media: 'direct', encryption: 'claimed',
	remote: { address: 'per@beta.test', name: 'Per', site: { domain: 'beta.test', verified: true, tls: true, identity: 'verified' } } };

describe('trickle', () => {
	const { createOffer, createAnswer } = FakePeer.prototype;
	let phone, socket, n;

	beforeEach(async () => {
		install();
		({ phone, socket } = await online(Phone));
		FakePeer.autoGather = false;
		n = 0;
		FakePeer.prototype.createOffer = async () => ({ type: 'offer', sdp: sdp(['aaaa', 'bbbb', 'cccc'][n++]) });
		FakePeer.prototype.createAnswer = async () => ({ type: 'answer', sdp: sdp('aaaa') });
		mock.timers.enable({ apis: ['setTimeout'] });
	});
	afterEach(() => {
		Object.assign(FakePeer.prototype, { createOffer, createAnswer });
		mock.timers.reset(); /* first: what the phone started before is a real timer */
		phone.close();
	});

	const find = (number, ufrag = 'aaaa') => FakePeer.last.found({ candidate: line(number), sdpMid: '0',
		sdpMLineIndex: 0, usernameFragment: ufrag });
	const sent = () => socket.sent.filter((m) => m.type === 'candidates');
	const added = () => FakePeer.last.did.filter(([what]) => what === 'candidate').map(([, c]) => c);

	async function wait() {
		mock.timers.tick(BATCH_MS);
		await settle();
	}

	async function dial() {
		const coming = phone.call('per@beta.test');
		await settle();
		socket.ok(socket.got('call'));
		return coming;
	}

	test('ours follow the call, gathered for a moment', async () => {
		const call = await dial();

		find(1);
		find(2);
		assert.deepEqual(sent(), []);
		await wait();
		assert.deepEqual(sent().map(({ id, ...m }) => m), [{ type: 'candidates', call: call.id, ufrag: 'aaaa', candidates: [
			{ mid: '0', mline: 0, candidate: line(1) }, { mid: '0', mline: 0, candidate: line(2) }] }]);
		find(3);
		FakePeer.last.found({ candidate: '', sdpMid: '0', sdpMLineIndex: 0, usernameFragment: 'aaaa' });
		FakePeer.last.gathered();
		await wait();
		const { candidates, end } = sent()[1];
		assert.equal(candidates.length, 1);
		assert.equal(end, true);
	});
	test('none goes out before its description', async () => {
		const create = FakePeer.prototype.setLocalDescription;
		FakePeer.prototype.setLocalDescription = async function (description) {
			await create.call(this, description);
			this.found({ candidate: line(1), sdpMid: '0', sdpMLineIndex: 0, usernameFragment: 'aaaa' });
			mock.timers.tick(10 * BATCH_MS);
		};
		try {
			await dial();
			assert.deepEqual(socket.sent.map((m) => m.type).filter((t) => t !== 'hello'), ['call', 'candidates']);
		} finally {
			FakePeer.prototype.setLocalDescription = create;
		}
	});
	test('where each message counts the description waits for the first of them, and not for ever', async () => {
		const call = await dial();

		socket.event('answered', { call: call.id, ...answer });
		await settle();
		FakePeer.last.connection('connected');
		for (const [name, found] of [['one', true], ['two', false]]) {
			socket.event('incoming', incoming(name, { replaces: call.id, sdp: sdp('them') }));
			await settle();
			const answered = () => socket.sent.find((m) => m.type === 'answer' && m.call === name);

			assert.ok(socket.sent.find((m) => m.type === 'accept' && m.call === name));
			assert.equal(answered(), undefined);
			if (found)
				find(1);
			await wait();
			assert.equal(Boolean(answered()), found);
			mock.timers.tick(FIRST_MS);
			await settle();
			assert.ok(answered());
			socket.event('ended', { call: name, cause: { code: 487, reason: 'cancelled', text: '' } });
			await settle();
		}
	});
	test('a callee’s follow her answer; the caller’s wait for her peer connection', async () => {
		let call;
		phone.addEventListener('incoming', (ev) => { call = ev.call; }, { once: true });
		socket.event('incoming', incoming('i1', { sdp: sdp('them'), trickle: true }));
		socket.event('candidates', { call: 'i1', ufrag: 'them', candidates: [{ mid: '0', mline: 0, candidate: line(7) }] });
		await settle();
		assert.equal(FakePeer.all.length, 0, 'nothing of hers exists');
		call.accept().catch(() => {});
		await settle();
		socket.event('candidates', { call: 'i1', ufrag: 'them', candidates: [{ mid: '0', candidate: line(8) }], end: true });
		socket.ok(socket.got('accept'));
		await settle();
		assert.deepEqual(added(), [
			{ candidate: line(7), sdpMid: '0', sdpMLineIndex: 0, usernameFragment: 'them' },
			{ candidate: line(8), sdpMid: '0', sdpMLineIndex: null, usernameFragment: 'them' }, undefined]);
		assert.deepEqual(FakePeer.last.did.map(([what]) => what).slice(0, 2), ['remote offer', 'candidate']);
		assert.equal(socket.got('answer').trickle, true);
		find(1);
		await wait();
		assert.equal(sent()[0].call, 'i1');
	});
	test('theirs before their description wait for it; those of another generation are not used', async () => {
		const call = await dial();

		socket.event('candidates', { call: call.id, ufrag: 'them', candidates: [{ mid: '0', candidate: line(1) }] });
		socket.event('candidates', { call: call.id, ufrag: 'else', candidates: [{ mid: '0', candidate: line(2) }] });
		await settle();
		assert.deepEqual(added(), []);
		socket.event('answered', { call: call.id, ...answer });
		await settle();
		assert.deepEqual(added().map((c) => c.candidate), [line(1)]);
		socket.event('candidates', { call: call.id, ufrag: 'them', candidates: [
			{ mid: '0', candidate: 'unusable' }, { mid: '0', candidate: line(3) }] });
		await settle();
		assert.deepEqual(added().map((c) => c.candidate), [line(1), line(3)], 'one that is of no use is no harm');
		assert.equal(call.cause, null);
	});
	test('a restart is a generation of its own, and old ones end with it', async () => {
		const call = await dial();

		find(1);
		FakePeer.last.gathered();
		await wait();
		socket.event('answered', { call: call.id, ...answer });
		await settle();
		const holding = call.hold();
		await settle();
		assert.equal(socket.got('offer').trickle, true, 'new credentials: not gathered yet');
		find(2, 'bbbb');
		find(3, 'aaaa');
		await wait();
		assert.deepEqual(sent().at(-1).candidates.map((c) => c.candidate), [line(2)]);
		assert.equal(sent().at(-1).ufrag, 'bbbb');
		socket.event('answer', { call: call.id, sdp: sdp('new0') });
		await settle();
		socket.event('candidates', { call: call.id, ufrag: 'them', candidates: [{ mid: '0', candidate: line(4) }] });
		socket.event('candidates', { call: call.id, ufrag: 'new0', candidates: [{ mid: '0', candidate: line(5) }] });
		await settle();
		assert.deepEqual(added().map((c) => c.candidate), [line(5)]);
		await holding;
	});
	test('what waits is bounded', async () => {
		const call = await dial();

		for (let i = 0; i < EARLY_MAX + 5; i++)
			socket.event('candidates', { call: call.id, ufrag: 'them', candidates: [{ mid: '0', candidate: line(i) }] });
		socket.event('answered', { call: call.id, ...answer });
		await settle();
		assert.equal(added().length, EARLY_MAX);
		assert.equal(added().at(-1).candidate, line(EARLY_MAX + 4));
	});
	test('nothing is sent when the call is over', async () => {
		const call = await dial();

		find(1);
		call.hangup();
		await wait();
		assert.deepEqual(sent(), []);
	});
	test('user fragments', () => {
		assert.deepEqual(ufrags('a=ice-ufrag:ab+/\r\nm=\r\na=ice-ufrag:cdef\r\n'), ['ab+/', 'cdef']);
		assert.deepEqual(ufrags(null), []);
	});
});
