// Socket and Phone ◄──► FakeSocket: the connection is lost and comes back, with a clock that the test turns
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import assert from 'node:assert/strict';
import { ACK_EVENTS, Socket } from '../../../webrtc/sdk/socket.js';
import { PATIENCE_MS, Phone } from '../../../webrtc/sdk/phone.js';
import { FakePeer, FakeSocket, incoming, install, KEEPS, online, SDP, settle } from './fake.mjs';

const resumed = { ...KEEPS, resumed: true };
const forgotten = (why) => ({ ...KEEPS, session: 'ffffffffffffffffffffffffffffffff', resumed: false, forgotten: why });

/** The socket comes back and the site says this to its hello. */
async function back(welcome = resumed) {
	mock.timers.tick(500);
	FakeSocket.last.open();
	FakeSocket.last.ok(FakeSocket.last.got('hello'), welcome);
	await settle();
	return FakeSocket.last;
}

describe('a session', () => {
	let log, socket;

	beforeEach(async () => {
		install();
		log = [];
		mock.timers.enable({ apis: ['setTimeout'] });
		socket = new Socket('wss://alpha.test/ws', {}, {
			up: (ok) => log.push(ok.resumed ? 'resumed' : ok.forgotten ?? 'up'),
			lost: (why, kept) => log.push(`lost ${why.code} ${kept ? 'kept' : 'over'}`),
			overdue: () => log.push('overdue'),
			shut: (why) => log.push(`shut ${why.code}`),
			event: (msg) => log.push(`${msg.type} ${msg.seq}`),
		});
		const opening = socket.open();

		FakeSocket.last.open();
		FakeSocket.last.ok(FakeSocket.last.got('hello'), KEEPS);
		await opening;
		log = [];
	});
	afterEach(() => mock.timers.reset());

	test('session: what waits for its answer goes out again with its id, and nothing twice', async () => {
		const first = FakeSocket.last;
		const done = socket.request('call', { call: 'a' });
		const open = socket.request('hangup', { call: 'b' });

		first.event('progress', {});
		first.ok(first.sent[1]);
		await done;
		first.drop();
		const later = socket.request('reject', { call: 'c' });
		const second = await back();
		assert.deepEqual(second.got('hello').resume, { session: KEEPS.session, seq: 1 });
		assert.deepEqual(second.sent.map((m) => [m.type, m.id]), [['hello', 1], ['hangup', 3], ['reject', 4]]);
		second.say({ type: 'progress', seq: 1 });
		second.say({ type: 'ended', seq: 2 });
		second.ok(second.sent[1]);
		second.refuse(second.sent[2], 'gone');
		await open;
		await assert.rejects(later, { code: 'gone' });
		assert.deepEqual(log, ['progress 1', 'lost lost kept', 'resumed', 'ended 2']);
		socket.request('call', { call: 'd' }).catch(() => {});
		assert.deepEqual([second.sent.at(-1).id, second.sent.at(-1).ack], [5, 2]);
	});
	test('session: requests acknowledge what was seen; many events by themselves', async () => {
		const ws = FakeSocket.last;

		ws.event('progress', {});
		socket.request('hangup').catch(() => {});
		socket.request('hangup').catch(() => {});
		assert.deepEqual(ws.sent.slice(1).map((m) => m.ack), [1, undefined]);
		for (let i = 0; i < ACK_EVENTS; i++)
			ws.event('progress', {});
		assert.equal(ws.got('ping').ack, ACK_EVENTS + 1);
		ws.event('offer', { sdp: 'v'.repeat(70000) });
		assert.equal(ws.sent.at(-1).ack, ACK_EVENTS + 2);
	});
	test('session: a ping is not sent again', async () => {
		mock.timers.tick(25000);
		assert.equal(FakeSocket.last.got('ping').id, 2);
		FakeSocket.last.drop();
		const ws = await back();
		assert.equal(ws.got('ping'), undefined);
	});
	test('session: no answer in time: another connection, the same request; then it is given up', async () => {
		const asked = socket.request('call');

		mock.timers.tick(20000);
		assert.equal(socket.state, 'waiting');
		const ws = await back();
		assert.equal(ws.got('call').id, 2);
		mock.timers.tick(20000);
		await assert.rejects(asked, { code: 'timeout' });
	});
	test('session: forgotten by the site: what waits is told, and numbers begin anew', async () => {
		FakeSocket.last.event('progress', {});
		const told = assert.rejects(socket.request('call'), { code: 'lost' });

		FakeSocket.last.drop();
		const ws = await back(forgotten('unknown'));
		await told;
		ws.event('incoming', {});
		assert.deepEqual(log, ['progress 1', 'lost lost kept', 'unknown', 'incoming 1']);
		socket.request('call').catch(() => {});
		assert.equal(ws.got('call').id, 2);
		ws.drop();
		assert.equal((await back()).got('hello').resume.session, forgotten('').session);
	});
	test('session: long away: said once, tried on, and resumed all the same if the site still has it', async () => {
		FakeSocket.last.drop();
		mock.timers.tick(500);
		FakeSocket.last.drop();
		mock.timers.tick(39600);
		assert.deepEqual(log, ['lost lost kept', 'overdue']);
		FakeSocket.last.open();
		FakeSocket.last.ok(FakeSocket.last.got('hello'), resumed);
		await settle();
		assert.equal(log.at(-1), 'resumed');
		mock.timers.tick(60000);
		assert.equal(log.filter((l) => l === 'overdue').length, 1);
	});
	test('session: the site stops: it is over', async () => {
		const asked = socket.request('call');

		FakeSocket.last.event('bye', { reason: 'shutdown', text: 'words' });
		FakeSocket.last.drop(1001);
		await assert.rejects(asked, { code: 'lost' });
		assert.deepEqual(log, ['lost shutdown over']);
		mock.timers.tick(500);
		FakeSocket.last.open();
		assert.deepEqual(FakeSocket.last.got('hello').resume, {});
	});
	test('session: taken over by another connection: not fought for', () => {
		FakeSocket.last.drop(4001);
		assert.deepEqual(log, ['shut taken-over']);
	});
	test('session: another network: a new connection at once, which takes over', async () => {
		const first = FakeSocket.last;
		const asked = socket.request('call');

		socket.move();
		assert.equal(first.closedWith, 'nothing');
		mock.timers.tick(0);
		assert.notEqual(FakeSocket.last, first);
		FakeSocket.last.open();
		FakeSocket.last.ok(FakeSocket.last.got('hello'), resumed);
		await settle();
		FakeSocket.last.ok(FakeSocket.last.got('call'));
		await asked;
	});
	test('session: switched off, or the page goes: a goodbye', async () => {
		const first = FakeSocket.last;

		socket.leave();
		assert.equal(first.closedWith, 1000);
		mock.timers.tick(60000);
		assert.equal(FakeSocket.last, first);
		socket.hurry();
		const second = FakeSocket.last;
		second.open();
		assert.deepEqual(second.got('hello').resume, {});
		second.ok(second.got('hello'), KEEPS);
		await settle();
		socket.close();
		assert.equal(second.closedWith, 1000);
	});
	test('session: refused with retry_s: not before that', async () => {
		FakeSocket.last.drop();
		mock.timers.tick(500);
		const second = FakeSocket.last;
		second.open();
		second.say({ type: 'error', id: 1, error: 'too-soon', text: 'busy', retry_s: 4 });
		await settle();
		mock.timers.tick(3999);
		assert.equal(FakeSocket.last, second);
		mock.timers.tick(2001);
		assert.notEqual(FakeSocket.last, second);
	});
});

describe('calls', () => {
	let phone, call, socket;

	beforeEach(async () => {
		install();
		mock.timers.enable({ apis: ['setTimeout'] });
		({ phone, socket } = await online(Phone, { welcome: KEEPS }));
		const coming = phone.call('per@beta.test');

		await settle();
		socket.ok(socket.got('call'));
		call = await coming;
		socket.event('answered', { call: call.id, sdp: SDP, media: 'direct', encryption: 'claimed' });
		await settle();
		FakePeer.last.connection('connected');
		assert.equal(call.state, 'connected');
	});
	afterEach(() => mock.timers.reset());

	test('calls: untouched by a loss; hanging up meanwhile is said on return', async () => {
		socket.drop();
		assert.deepEqual([phone.state, call.state, call.signalling], ['reconnecting', 'connected', 'ok']);
		call.hangup();
		assert.equal(call.state, 'ended');
		const ws = await back();
		assert.equal(phone.state, 'online');
		assert.equal(ws.got('hangup').call, call.id);
	});
	test('calls: the site was restarted: talking goes on, marked; hanging up works', async () => {
		const states = [];

		call.addEventListener('state', () => states.push([call.state, call.signalling]));
		socket.drop();
		await back(forgotten('unknown'));
		assert.deepEqual(states, [['connected', 'lost']]);
		FakePeer.last.connection('disconnected');
		assert.equal(call.interrupted, true);
		mock.timers.tick(10000);
		assert.ok(!FakePeer.last.did.some(([what]) => what === 'restart'), 'nobody would carry the offer');
		call.hangup();
		assert.equal(call.cause.reason, 'hangup');
	});
	test('calls: the site has ended them: so are they here', async () => {
		socket.drop();
		await back(forgotten('expired'));
		assert.equal(call.cause.reason, 'lost');
	});
	test('calls: away for too long: marked, and well again when the site had it all the same', async () => {
		socket.drop();
		mock.timers.tick(40000);
		assert.deepEqual([call.state, call.signalling], ['connected', 'lost']);
		FakeSocket.last.open();
		FakeSocket.last.ok(FakeSocket.last.got('hello'), resumed);
		await settle();
		assert.deepEqual([call.state, call.signalling], ['connected', 'ok']);
	});
	test('calls: one that only rings ends when the phone is away for too long', async () => {
		socket.event('incoming', incoming('in-1'));
		const ringing = phone.calls.find((c) => c.id === 'in-1');

		socket.drop();
		mock.timers.tick(40000);
		assert.equal(ringing.cause.reason, 'lost');
	});
	test('calls: ended while its accept was under way: no peer connection is made', async () => {
		socket.event('incoming', incoming('in-1'));
		const ringing = phone.calls.find((c) => c.id === 'in-1');
		const n = FakePeer.all.length;
		const accepting = ringing.accept();

		await settle();
		socket.drop();
		const ws = await back();
		ws.say({ type: 'ended', seq: 3, call: 'in-1', cause: { code: 487, reason: 'cancelled', text: 'gave up' } });
		ws.ok(ws.got('accept'));
		await assert.rejects(accepting, { code: 'ended' });
		assert.equal(FakePeer.all.length, n);
	});
	for (const [first, ms] of [['disconnected', 1000], ['failed', 0]]) {
		test(`calls: a path that is ${first} is mended by an ICE restart`, async () => {
			FakePeer.last.connection(first);
			assert.equal(call.interrupted, true);
			if (ms)
				mock.timers.tick(ms - 1);
			assert.ok(!FakePeer.last.did.some(([what]) => what === 'restart'));
			mock.timers.tick(1);
			await settle();
			assert.equal(FakePeer.last.did.filter(([what]) => what === 'restart').length, 1);
			assert.equal(socket.got('offer').call, call.id);
			FakePeer.last.connection('connected');
			assert.equal(call.interrupted, false);
			mock.timers.tick(60000);
			assert.equal(call.state, 'connected');
		});
	}
	test('calls: no path for 40 s is the end', async () => {
		FakePeer.last.connection('failed');
		mock.timers.tick(39000);
		assert.equal(call.cause, null);
		mock.timers.tick(1000);
		assert.equal(call.cause.reason, 'media');
	});
	test('calls: another network: ICE restarts at once, and the offer goes over the new connection', async () => {
		phone.networkChanged();
		mock.timers.tick(0);
		await settle();
		assert.ok(FakePeer.last.did.some(([what]) => what === 'restart'));
		FakeSocket.last.open();
		FakeSocket.last.ok(FakeSocket.last.got('hello'), resumed);
		await settle();
		assert.equal(FakeSocket.last.got('offer').call, call.id);
	});
	let clock = 0;

	beforeEach(() => mock.method(performance, 'now', () => clock));
	afterEach(() => mock.restoreAll());

	/** So long sound comes in, or none. */
	async function sound(ms, per) {
		for (let at = 0; at < ms; at += 100) {
			FakePeer.last.packets += per;
			clock += 100;
			mock.timers.tick(100);
			await settle(4);
		}
	}
	const restarts = (peer) => peer.did.filter(([what]) => what === 'restart').length;

	/** The other side is a phone like this one: it says something of itself. */
	function saysState() {
		const side = FakePeer.last.channels.find(({ label }) => label === 'sluss');

		side.opened();
		side.dispatchEvent(Object.assign(new Event('message'), { data: '{"type":"state","muted":{}}' }));
	}

	/** Nothing is heard, nor does the site answer: the phone finds another network, and the site there. */
	async function anotherNetwork() {
		const peer = FakePeer.last, before = FakeSocket.all.length;

		await sound(1000, 5);
		assert.equal(socket.got('ping'), undefined);
		await sound(300, 0);
		assert.ok(socket.got('ping'));
		assert.deepEqual([restarts(peer), FakeSocket.all.length], [0, before + 1], 'one is made ahead, and says nothing');
		assert.deepEqual(FakeSocket.last.sent, []);
		await sound(400, 0);
		assert.deepEqual([restarts(peer), FakeSocket.all.length], [1, before + 2]);
		FakeSocket.last.open();
		FakeSocket.last.ok(FakeSocket.last.got('hello'), resumed);
		await settle();
		assert.equal(FakeSocket.last.got('offer').call, call.id);
		FakeSocket.last.seq = socket.seq;
		return peer;
	}

	test('calls: sound stops and the site does not answer: another network, a new connection beside the old', async () => {
		saysState();
		const old = await anotherNetwork(), site = FakeSocket.last, name = call.id;
		const asked = site.got('call'), peer = FakePeer.last;

		assert.notEqual(peer, old);
		assert.deepEqual([asked.to, asked.replaces], [call.remote.address, name]);
		site.ok(asked);
		site.event('answered', { call: asked.call, sdp: 'their answer', media: 'direct', encryption: 'claimed', remote: call.remote });
		await settle();
		assert.equal(call.id, name, 'the old one counts until the new one works');
		peer.connection('connected');
		assert.equal(call.id, asked.call);
		assert.equal(old.connectionState, 'closed');
		assert.equal(site.got('hangup'), undefined, 'the other side ends the old one');
		site.event('ended', { call: name, cause: { code: 200, reason: 'elsewhere', text: '' } });
		assert.deepEqual([call.cause, call.state, phone.calls], [null, 'connected', [call]]);
		await sound(1000, 5);
		assert.equal(FakePeer.last, peer, 'once');
	});
	test('calls: another network, and the other side is some other phone, which might ring: the ICE restart alone', async () => {
		const old = await anotherNetwork();

		assert.equal(FakePeer.last, old);
		assert.equal(FakeSocket.last.got('call'), undefined);
	});
	test('calls: a new connection that is not to be had leaves the old one its ICE restart', async () => {
		saysState();
		const old = await anotherNetwork(), site = FakeSocket.last, name = call.id;

		site.refuse(site.got('call'), 'no-call', 'there is no such call');
		await settle();
		assert.equal(FakePeer.last.connectionState, 'closed');
		assert.notEqual(old.connectionState, 'closed');
		assert.deepEqual([call.id, call.cause], [name, null]);
	});
	/** The connection that was made ahead is closed, and the one in use goes on. */
	function unneeded() {
		FakeSocket.last.open();
		assert.deepEqual([FakeSocket.last.closedWith, FakeSocket.last.sent, socket.readyState], [1000, [], 1]);
	}

	test('calls: another connection that is there before the site answers on the old one is taken at once', async () => {
		saysState();
		await sound(1000, 5);
		await sound(200, 0);
		const ahead = FakeSocket.last, name = call.id;

		assert.notEqual(ahead, socket);
		ahead.open();
		await settle();
		clock += 60;
		mock.timers.tick(60);
		await settle();
		mock.timers.tick(0);
		await settle();
		assert.equal(FakeSocket.last, ahead, 'no third one');
		ahead.ok(ahead.got('hello'), resumed);
		await settle();
		assert.equal(ahead.got('call').replaces, name);
	});
	test('calls: where the browser itself finds the path broken, the site is asked at once', async () => {
		await sound(1000, 5);
		FakePeer.last.packets += 3; // had come before
		FakePeer.last.connection('disconnected');
		await settle();
		assert.ok(socket.got('ping'));
		await sound(400, 0);
		assert.equal(restarts(FakePeer.last), 1);
	});
	test('calls: the one that was made ahead may be the sooner of two', async () => {
		await sound(1000, 5);
		await sound(300, 0);
		const ahead = FakeSocket.last;

		await sound(400, 0);
		const late = FakeSocket.last;

		assert.notEqual(late, ahead);
		ahead.open();
		late.open();
		assert.deepEqual([late.readyState, late.sent], [3, []]);
		ahead.ok(ahead.got('hello'), resumed);
		await settle();
		assert.equal(phone.state, 'online');
	});
	test('calls: sound stops and the site answers: the other side sees to it', async () => {
		await sound(1000, 5);
		await sound(200, 0);
		socket.ok(socket.got('ping'));
		await sound(2000, 0);
		assert.equal(restarts(FakePeer.last), 0);
		unneeded();
	});
	test('calls: sound stops, both sites answer, and nobody mends it: then a new connection, unless it is on hold', async () => {
		const peer = FakePeer.last;

		saysState();
		await sound(1000, 5);
		await sound(200, 0);
		socket.ok(socket.got('ping'));
		await sound(PATIENCE_MS.out - 400, 0);
		await sound(1000, 5); // that was a hitch
		await sound(200, 0);
		socket.ok(socket.got('ping'));
		await sound(PATIENCE_MS.out - 200, 0);
		assert.equal(FakePeer.last, peer);
		await sound(400, 0);
		assert.notEqual(FakePeer.last, peer);
		assert.equal(socket.got('call').replaces, call.id);
		unneeded(); // the site is there
	});
	test('calls: who is asked and hears sound again before the answer leaves all as it is', async () => {
		await sound(1000, 5);
		await sound(200, 0);
		assert.ok(socket.got('ping'));
		await sound(600, 5);
		assert.equal(restarts(FakePeer.last), 0);
	});
	test('calls: a count that begins anew, as Firefox’s does after an offer, is sound', async () => {
		await sound(2000, 5);
		FakePeer.last.packets = 0;
		await sound(1000, 5);
		assert.equal(socket.got('ping'), undefined);
	});
	test('calls: a site that is far away is given the time that it takes', async () => {
		const slow = async (ms) => {
			phone.networkChanged();
			socket = FakeSocket.last;
			mock.timers.tick(0);
			socket = FakeSocket.last;
			socket.open();
			clock += ms;
			socket.ok(socket.got('hello'), resumed);
			await settle();
		};

		await slow(250);
		await sound(6000, 5); // long after that network came
		const { length } = FakeSocket.all;

		await sound(700, 0);
		assert.equal(FakeSocket.all.length, length + 1, 'three times its round trip is not over');
		await sound(400, 0);
		assert.equal(FakeSocket.all.length, length + 2);
	});
	test('calls: a page that was held up does not take its own delay for the site’s', async () => {
		await sound(1000, 5);
		await sound(200, 0);
		const ping = socket.got('ping'), { length } = FakeSocket.all;

		clock += 5000; // the page stood still; the answer lies there, behind the timer
		mock.timers.tick(150);
		socket.ok(ping);
		await settle();
		mock.timers.tick(50);
		await settle();
		assert.equal(FakeSocket.all.length, length);
		assert.equal(restarts(FakePeer.last), 0);
	});
	test('calls: one that sends only now and then is asked for by nobody', async () => {
		for (let i = 0; i < 5; i++) {
			await sound(300, 1);
			await sound(400, 0);
		}
		assert.equal(socket.got('ping'), undefined);
	});
	test('network: a connection that is being made over the old one is left', async () => {
		socket.drop();
		mock.timers.tick(1000);
		const hangs = FakeSocket.last;

		assert.notEqual(hangs, socket);
		phone.networkChanged();
		mock.timers.tick(0);
		assert.equal(hangs.readyState, 3);
		assert.notEqual(FakeSocket.last, hangs);
	});
});
