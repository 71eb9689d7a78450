// two calls that are each other's far end by their side channels: passing a call on
//
//   anna's Phone ◄─ FakeSocket ─► the test        its side channel ◄── the test ──► asks, and is told
import { afterEach, beforeEach, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { Phone } from '../../../webrtc/sdk/sluss.js';
import { FakePeer, install, online, settle } from './fake.mjs';

describe('refer', () => {
	let phone, socket, call, channel;

	beforeEach(async () => {
		install();
		({ phone, socket } = await online(Phone));
		[call, channel] = await talk('per@beta.test');
		channel.opened();
	});
	afterEach(() => phone.close());

	async function answered(one) {
		socket.event('answered', { call: one.id, sdp: 'their answer', media: 'direct', encryption: 'claimed', remote: one.remote });
		await settle();
		FakePeer.last.connection('connected');
		return FakePeer.last.channels[0];
	}

	async function talk(to) {
		const coming = phone.call(to);
		await settle();
		socket.ok(socket.got('call'));
		const one = await coming;

		return [one, await answered(one)];
	}

	const said = () => channel.sent.filter(({ type }) => /^refer/.test(type));
	const theirs = (message) => channel.say(JSON.stringify(message));
	const able = () => theirs({ type: 'state', refer: true });

	test('who does not say that they can be asked is not asked', async () => {
		assert.equal(call.canTransfer, false);
		await assert.rejects(call.transfer('carol@alpha.test'), { code: 'no-transfer' });
		able();
		assert.equal(call.canTransfer, true);
		await assert.rejects(call.transfer('a@b@c'), { code: 'bad-address' });
		assert.deepEqual(said(), []);
	});
	test('asked, it rings, they talk: this call is over, and it is known why', async () => {
		able();
		const done = call.transfer('Carol');
		await settle();
		assert.deepEqual(said(), [{ type: 'refer', id: 'r1', to: 'carol@alpha.test' }]);
		await assert.rejects(call.transfer('dora'), { code: 'bad-state' });
		theirs({ type: 'referred', id: 'r9', state: 'connected' });
		theirs({ type: 'referred', id: 'r1', state: 'trying' });
		theirs({ type: 'referred', id: 'r1', state: 'ringing' });
		assert.equal(call.state, 'connected');
		theirs({ type: 'referred', id: 'r1', state: 'connected' });
		await done;
		assert.equal(call.cause.reason, 'hangup');
		assert.equal(socket.got('hangup').call, call.id);
	});
	test('refused, or in vain: this call goes on, and another can be asked for; over: it says so', async () => {
		able();
		for (const [n, state, code] of [[1, 'refused', 'refused-transfer'], [2, 'failed', 'failed-transfer']]) {
			const asked = assert.rejects(call.transfer('carol'), { code });

			await settle();
			theirs({ type: 'referred', id: `r${n}`, state, reason: 'busy' });
			await asked;
			assert.equal(call.state, 'connected');
		}
		const asked = assert.rejects(call.transfer('carol'), { code: 'ended' });
		await settle();
		call.hangup();
		await asked;
	});
	test('being asked: only where somebody listens, one at a time, and for addresses', async () => {
		theirs({ type: 'refer', id: 'x1', to: 'carol@alpha.test' });
		assert.deepEqual(said(), [{ type: 'referred', id: 'x1', state: 'refused' }]);
		let what = null;
		call.addEventListener('transfer', (ev) => { what = ev; });
		assert.equal(channel.sent.at(-1).refer, true, 'it is told that it may ask');
		theirs({ type: 'refer', id: 'x2', to: 'javascript:alert(1)' });
		assert.deepEqual(said().at(-1), { type: 'referred', id: 'x2', state: 'failed', reason: 'bad-address' });
		assert.equal(what, null);
		theirs({ type: 'refer', id: 'x3', to: 'carol@alpha.test' });
		theirs({ type: 'refer', id: 'x4', to: 'dora@alpha.test' });
		assert.equal(what.to, 'carol@alpha.test');
		assert.deepEqual(said().at(-1), { type: 'referred', id: 'x4', state: 'refused' });
		what.refuse();
		assert.deepEqual(said().at(-1), { type: 'referred', id: 'x3', state: 'refused' });
		assert.throws(() => what.refuse(), { code: 'bad-state' });
		await settle();
		assert.equal(phone.calls.length, 1, 'nobody was called');
	});
	test('being asked, and willing: this call is held, the other made; they are told how it goes', async () => {
		let what;
		call.addEventListener('transfer', (ev) => { what = ev; });
		theirs({ type: 'refer', id: 'x1', to: 'carol@alpha.test' });
		const coming = what.accept();
		await settle();
		assert.equal(call.held.local, true);
		assert.equal(socket.got('call').to, 'carol@alpha.test');
		socket.ok(socket.got('offer'));
		socket.event('answer', { call: call.id, sdp: 'their answer' });
		socket.ok(socket.got('call'));
		const next = await coming;
		socket.event('progress', { call: next.id, state: 'ringing' });
		await answered(next);
		assert.deepEqual(said().map(({ state }) => state), ['trying', 'ringing', 'connected']);
		socket.event('ended', { call: call.id, cause: { code: 200, reason: 'hangup', text: 'x' } });
		assert.deepEqual([call.state, next.state], ['ended', 'connected']);
	});
	test('being asked, and in vain: this call stays on hold, and they are told why', async () => {
		let what;
		call.addEventListener('transfer', (ev) => { what = ev; });
		theirs({ type: 'refer', id: 'x1', to: 'carol@alpha.test' });
		const coming = what.accept();
		await settle();
		socket.refuse(socket.got('offer'), 'bad-state'); // it cannot be held: so it is muted
		socket.ok(socket.got('call'));
		const next = await coming;
		socket.event('ended', { call: next.id, cause: { code: 486, reason: 'busy', text: 'x' } });
		assert.deepEqual(said().at(-1), { type: 'referred', id: 'x1', state: 'failed', reason: 'busy' });
		assert.deepEqual([call.state, call.muted.audio], ['connected', true]);
		call.hangup();
		theirs({ type: 'refer', id: 'x2', to: 'carol@alpha.test' });
		await assert.rejects(what.accept(), { code: 'ended' });
	});
});
