// tests/abuse/media.test.mjs - the media port under fire: cases 52, 53, 54, 60 of the abuse cases against a running
// slussd, and what a relay lets through. (55, 56, 58, 59, 61, 62: tests/unit/webrtc/test_media_*.c, named by number.)
// limit: 90 s
//
//   alice 198.18.0.81 ── UDP ──► slussd alpha.test, relay = "always" ◄── UDP ── bob 198.18.0.82
//   stranger 198.18.0.77 ── floods ──► its media port
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { after, before, test } from 'node:test';
import { SLOW, until } from '../lib/world.mjs';
import { attribute, binding, MediaPeer } from './lib/media_peer.mjs';
import { Stand } from './lib/stand.mjs';

const PORT = 3479, STUN_RATE = 50;
let stand, alice, bob, addresses, n_calls = 0;

before(async () => {
	stand = await Stand.start({
		users: ['alice@alpha.test', 'bob@alpha.test'], limits: { 'stun-rate': STUN_RATE },
		tune: (options) => {
			options.sites[0].lines = ['relay = "always"'];
			options.mediaPort = PORT;
		},
	});
	addresses = { alice: await stand.world.address(81), bob: await stand.world.address(82) };
	alice = stand.device('alice@alpha.test');
	bob = stand.device('bob@alpha.test');
	bob.mode = 'by hand';
});
after(async () => {
	await stand?.close();
});

/** A relayed call up to its answer: {a, b} are the parties' media, {ids} the call's names. */
async function relayed() {
	const a = await MediaPeer.open(addresses.alice), b = await MediaPeer.open(addresses.bob);
	const id = `m${++n_calls}`;
	await alice.request('call', { call: id, to: 'bob@alpha.test', sdp: a.describe('offer') });
	const incoming = await bob.event('incoming');
	await bob.request('accept', { call: incoming.call });
	b.meet(incoming.sdp);
	await bob.request('answer', { call: incoming.call, sdp: b.describe('answer') });
	a.meet((await alice.event('answered', { call: id })).sdp);
	await bob.event('established', { call: incoming.call });
	return {
		a, b,
		join: async () => assert.deepEqual(await Promise.all([a.check(), b.check()]), [0x101, 0x101]),
		end: async () => {
			await alice.request('hangup', { call: id });
			await Promise.all([alice.event('ended', { call: id }), bob.event('ended', { call: incoming.call })]);
			a.close();
			b.close();
		},
	};
}

/** Does what `from` says arrive at `to`? */
async function arrives(from, to, n) {
	from.rtp(n);
	await until(2000 * SLOW, () => to.got.some((p) => p.readUInt32BE(4) === n), `packet ${n} arrives`);
}

/** A stranger's socket: {send, n_bytes, close}. */
async function stranger() {
	const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
	await new Promise((resolve) => socket.bind(0, stand.attacker, resolve));
	const out = { n: 0, n_bytes: 0, longest: 0, send: (bytes) => socket.send(bytes, PORT, stand.host.address), close: () => socket.close() };
	socket.on('message', (bytes) => {
		out.n++;
		out.n_bytes += bytes.length;
		out.longest = Math.max(out.longest, bytes.length);
	});
	return out;
}

/** What was sent before has been read: a plain request behind it is answered. */
async function read(from) {
	const was = from.n;
	await until(5000 * SLOW, () => {
		from.send(binding());
		return from.n > was;
	}, 'the port answers a plain request');
}

test('case 52: malformed STUN is dropped, well formed STUN is answered', async () => {
	const one = await stranger();
	const good = binding({ attributes: [attribute(6, Buffer.from('nobody:here'))], pwd: 'x' });
	const bad = [good.subarray(0, 19), good.subarray(0, good.length - 1), Buffer.concat([good, Buffer.alloc(1)])];
	for (const [at, value] of [[2, 0xffff], [2, 1], [4, 0], [22, 0xffff], [22, 0xfffe]]) {
		const copy = Buffer.from(good);
		copy.writeUInt16BE(value, at);
		bad.push(copy);
	}
	bad.push(binding({ attributes: [attribute(6, Buffer.from('a:b')), attribute(6, Buffer.from('a:b'))] }));
	bad.push(binding({ attributes: [attribute(8, Buffer.alloc(20)), attribute(6, Buffer.from('a:b'))] }));
	bad.push(binding({ attributes: [attribute(0x8028, Buffer.alloc(4))], fingerprint: false }));
	bad.push(binding({ attributes: [attribute(0x7001, Buffer.alloc(4))] })); // must be understood, and its sender proves nothing
	for (const bytes of bad)
		one.send(bytes);
	one.send(binding());
	await until(5000 * SLOW, () => one.n > 0, 'the good one is answered');
	assert.equal(one.n, 1);
	one.close();
	await stand.healthy();
});

test('case 53: who knows no password gets no answer, nor does a finished call', async () => {
	const call = await relayed();
	assert.equal(await call.a.check({ pwd: 'a'.repeat(24), ms: 500 }), 0);
	assert.equal(await call.a.check({ username: `abcdefgh:${call.a.ufrag}`, ms: 300 }), 0);
	assert.equal(await call.a.check({ username: `${call.a.theirs.ufrag}:other`, ms: 300 }), 0);
	assert.equal(await call.a.check({ extra: [attribute(0x7001, Buffer.alloc(4))] }), 0x111, '420: it proved itself');
	await call.join();
	await alice.settled();
	const { theirs, ufrag } = call.a;
	await call.end();
	const late = Object.assign(await MediaPeer.open(addresses.alice), { theirs, ufrag, host: stand.host.address, port: PORT });
	assert.equal(await late.check({ ms: 500 }), 0);
	late.close();
	await stand.healthy({ rung: true });
});

test('case 60: nothing is learned from data, and a relay is no tunnel', async () => {
	const call = await relayed();
	const { a, b } = call;
	const hello = Buffer.concat([Buffer.from('16fefd0000000000000000', 'hex'), Buffer.from([0, 20]), Buffer.alloc(20, 1)]);
	a.rtp(1); // neither has proved anything
	a.send(hello);
	assert.deepEqual(await Promise.all([a.check()]), [0x101]);
	a.send(hello); // it waits for bob's pair
	assert.equal(await b.check(), 0x101);
	await until(2000 * SLOW, () => b.got.length > 0, 'the flight that was held');
	assert.deepEqual(b.got.map((p) => p[0]), [0x16]);
	await arrives(a, b, 2);
	await arrives(b, a, 3);
	const other = await stranger();
	for (let i = 0; i < 50; i++)
		other.send(Buffer.concat([Buffer.from('806f0001000000630000000755', 'hex'), Buffer.alloc(60)]));
	for (const bytes of ['GET / HTTP/1.1\r\n\r\n'.padEnd(40), '\x40\x00 channel data      ', '\x80\xc8\xff\xff and a length that lies'])
		a.send(Buffer.from(bytes, 'latin1'));
	await read(other);
	await arrives(a, b, 4);
	assert.deepEqual(b.got.slice(1).map((p) => p.readUInt32BE(4)), [2, 4], 'and nothing else');
	assert.equal(a.got.length, 1);
	other.close();
	await call.end();
	await stand.healthy({ rung: true });
});

test('case 54: a flood of STUN: running calls lose under 1 %, answers are few and small', async () => {
	const call = await relayed();
	await call.join();
	const flood = await stranger();
	const plain = binding(), named = binding({ attributes: [attribute(6, Buffer.from('abcdefgh:evil'))], pwd: 'guess' });
	const start = performance.now();
	let n = 0, n_flood = 0;
	call.a.got.length = call.b.got.length = 0;
	while (performance.now() - start < 5000) {
		for (; n < (performance.now() - start) / 20; n++) { // 50 a second, both ways
			call.a.rtp(1000 + n);
			call.b.rtp(1000 + n);
		}
		for (let i = 0; i < 100; i++, n_flood += 2) {
			flood.send(plain);
			flood.send(named);
		}
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
	const took_s = (performance.now() - start) / 1000;
	await read(flood);
	await arrives(call.a, call.b, 9_000_001);
	await arrives(call.b, call.a, 9_000_001);
	assert.ok(n_flood > 5000, `${n_flood} were sent`);
	for (const got of [call.a.got, call.b.got])
		assert.ok(got.length - 1 >= 0.99 * n, `${got.length - 1} of ${n} have arrived, beside ${n_flood}`);
	assert.ok(flood.longest <= 2.5 * plain.length, `an answer has ${flood.longest} bytes, a request ${plain.length}`);
	assert.ok(flood.n <= STUN_RATE * (took_s + 12 * SLOW), `${flood.n} answers in ${took_s} s`);
	flood.close();
	await call.end();
	await stand.healthy({ rung: true });
});
