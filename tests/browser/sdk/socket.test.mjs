// Socket ◄──► FakeSocket, with a clock that the test turns
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import assert from 'node:assert/strict';
import { backOffMs, retryMs, Socket } from '../../../webrtc/sdk/socket.js';
import { FakeSocket, install, settle, WELCOME } from './fake.mjs';

describe('Socket', () => {
	let log;

	beforeEach(() => {
		install();
		log = [];
		mock.timers.enable({ apis: ['setTimeout'] });
	});
	afterEach(() => mock.timers.reset());

	function make() {
		return new Socket('wss://alpha.test/ws', { device: 'test' }, {
			up: (ok) => log.push(`up ${ok.user}`),
			lost: (why) => log.push(`lost ${why.code}`),
			shut: (why) => log.push(`shut ${why.code}`),
			event: (msg) => log.push(msg.type),
		});
	}

	async function up() {
		const socket = make();
		const opening = socket.open();

		FakeSocket.last.open();
		FakeSocket.last.ok(FakeSocket.last.got('hello'), WELCOME);
		await opening;
		return socket;
	}

	test('socket: hello first, with the subprotocol; then it is up', async () => {
		const socket = await up();

		assert.equal(FakeSocket.last.protocol, 'sluss.v1');
		assert.deepEqual(FakeSocket.last.sent, [{ type: 'hello', id: 1, version: 1, device: 'test', resume: {} }]);
		assert.equal(socket.state, 'up');
		assert.deepEqual(log, ['up alice@alpha.test']);
	});
	test('socket: ids rise, each request gets its own answer', async () => {
		const socket = await up();
		const ws = FakeSocket.last;
		const one = socket.request('call', { call: 'a' });
		const two = socket.request('hangup', { call: 'b' });

		assert.deepEqual(ws.sent.map((m) => m.id), [1, 2, 3]);
		ws.refuse(ws.sent[2], 'no-call', 'there is no such call');
		ws.ok(ws.sent[1], { extra: 1 });
		assert.equal((await one).extra, 1);
		await assert.rejects(two, { code: 'no-call', message: 'there is no such call' });
	});
	test('socket: retry_s becomes retryS', async () => {
		const socket = await up();
		const asked = socket.request('call');

		FakeSocket.last.say({ type: 'error', id: 2, error: 'too-soon', text: 'wait', retry_s: 7 });
		await assert.rejects(asked, { code: 'too-soon', retryS: 7 });
	});
	test('socket: an event that comes again counts once', async () => {
		await up();
		FakeSocket.last.say({ type: 'progress', seq: 1 });
		FakeSocket.last.say({ type: 'progress', seq: 1 });
		FakeSocket.last.say({ type: 'ended', seq: 2 });
		assert.deepEqual(log.slice(1), ['progress', 'ended']);
	});
	test('socket: a first connection that fails is said, not tried for ever', async () => {
		const opening = make().open();

		FakeSocket.last.drop();
		await assert.rejects(opening, { code: 'unreachable' });
		mock.timers.tick(60000);
		assert.equal(FakeSocket.all.length, 1);
	});
	test('socket: a first connection that hangs is given up', async () => {
		const opening = make().open();

		mock.timers.tick(15000);
		await assert.rejects(opening, { code: 'unreachable' });
	});
	test('socket: refused at hello: the site’s own words', async () => {
		const opening = make().open();

		FakeSocket.last.open();
		FakeSocket.last.refuse(FakeSocket.last.got('hello'), 'not-signed-in', 'sign in first');
		await assert.rejects(opening, { code: 'not-signed-in', message: 'sign in first' });
	});
	test('socket: lost: what waits is told, and it comes back by itself', async () => {
		const socket = await up();
		const asked = socket.request('call');

		FakeSocket.last.drop();
		await assert.rejects(asked, { code: 'lost' });
		await assert.rejects(socket.request('call'), { code: 'offline' });
		mock.timers.tick(500);
		assert.equal(FakeSocket.all.length, 2);
		FakeSocket.last.open();
		assert.equal(FakeSocket.last.got('hello').id, 1);
		FakeSocket.last.ok(FakeSocket.last.got('hello'), WELCOME);
		await settle();
		FakeSocket.last.say({ type: 'incoming', seq: 1 });
		assert.deepEqual(log, ['up alice@alpha.test', 'lost lost', 'up alice@alpha.test', 'incoming']);
	});
	test('socket: what an old socket still says is not heard', async () => {
		await up();
		const old = FakeSocket.last;

		old.drop();
		mock.timers.tick(500);
		old.say({ type: 'progress', seq: 1 });
		assert.deepEqual(log.slice(1), ['lost lost']);
	});
	test('socket: tries come slower and slower', async () => {
		await up();
		FakeSocket.last.drop();
		const at = [];
		for (let ms = 0; ms < 120000; ms += 50) {
			mock.timers.tick(50);
			if (FakeSocket.last.readyState === 0) {
				at.push(ms);
				FakeSocket.last.drop();
			}
		}
		assert.ok(at.length >= 18 && at.length <= 34, String(at));
		assert.ok(at.at(-1) - at.at(-2) >= 4000, String(at));
		assert.equal(log.filter((l) => l.startsWith('lost')).length, 1);
	});
	test('socket: hurry() does not wait for the back-off', async () => {
		const socket = await up();

		FakeSocket.last.drop();
		socket.hurry();
		assert.equal(FakeSocket.all.length, 2);
	});
	test('socket: silence is asked about; no answer is a loss', async () => {
		await up();
		const ws = FakeSocket.last;

		mock.timers.tick(25000);
		assert.equal(ws.got('ping').id, 2);
		ws.ok(ws.got('ping'));
		mock.timers.tick(25000);
		assert.equal(ws.got('ping').id, 3);
		mock.timers.tick(10000);
		assert.equal(ws.readyState, 3);
		assert.deepEqual(log.slice(1), ['lost lost']);
	});
	test('socket: a request without an answer is a loss', async () => {
		const socket = await up();
		const asked = socket.request('call');

		mock.timers.tick(20000);
		await assert.rejects(asked, { code: 'timeout' });
		assert.equal(socket.state, 'waiting');
	});
	for (const [reason, end] of [['signed-out', 'shut'], ['removed', 'shut'], ['password', 'shut'],
		['too-many', 'shut'], ['shutdown', 'lost']]) {
		test(`socket: bye, ${reason}: ${end}`, async () => {
			await up();
			FakeSocket.last.event('bye', { reason, text: 'words' });
			FakeSocket.last.drop(1000);
			assert.deepEqual(log.slice(1), [`${end} ${reason}`]);
			mock.timers.tick(60000);
			assert.equal(FakeSocket.all.length, end === 'shut' ? 1 : 2);
		});
	}
	test('socket: signed out while it was away', async () => {
		const socket = await up();

		FakeSocket.last.drop();
		mock.timers.tick(500);
		FakeSocket.last.open();
		FakeSocket.last.refuse(FakeSocket.last.got('hello'), 'not-signed-in');
		await settle();
		assert.equal(socket.state, 'shut');
		assert.deepEqual(log.slice(1), ['lost lost', 'shut not-signed-in']);
	});
	test('socket: no room at hello when it comes back: tried again', async () => {
		const socket = await up();

		FakeSocket.last.drop();
		mock.timers.tick(500);
		FakeSocket.last.open();
		FakeSocket.last.refuse(FakeSocket.last.got('hello'), 'limit');
		await settle();
		assert.equal(socket.state, 'waiting');
	});
	test('socket: what is no JSON ends it', async () => {
		const socket = await up();

		FakeSocket.last.onmessage({ data: '{' });
		assert.equal(socket.state, 'waiting');
	});
	test('socket: back-off is half to all of a doubling, eight seconds at most', () => {
		assert.deepEqual([0, 1, 2, 3, 4, 5, 100].map((n) => backOffMs(n, () => 1)),
			[500, 1000, 2000, 4000, 8000, 8000, 8000]);
		assert.deepEqual([retryMs(2, () => 0), retryMs(2, () => 1), retryMs(8, () => 1)], [2000, 3000, 12000]);
		assert.equal(backOffMs(0, () => 0), 250);
	});
});
