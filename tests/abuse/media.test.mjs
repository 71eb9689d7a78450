// tests/abuse/media.test.mjs - the media port under fire: cases 52, 53, 54, 60 of the abuse cases against a running
// slussd, and what a relay lets through; 61 to 65 at an anchored call. (55, 56, 58, 59: tests/unit/webrtc/test_media_*.c.)
// limit: 90 s
//
//   alice 198.18.0.81 ── UDP ──► slussd alpha.test, relay = "always" ◄── UDP ── bob 198.18.0.82
//   stranger 198.18.0.77 ── floods ──► its media port, the ports of a trunk's call ◄── RTP, SDES ── trunks .61, .62
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { after, before, test } from 'node:test';
import { SipSite } from '../lib/sip.mjs';
import { SLOW, until } from '../lib/world.mjs';
import { attribute, binding, MediaPeer } from './lib/media_peer.mjs';
import { PlainParty, rtp, SrtpParty } from './lib/srtp_party.mjs';
import { Stand } from './lib/stand.mjs';

const PORT = 3479, STUN_RATE = 50;
let stand, alice, bob, addresses, trunks, n_calls = 0;

before(async () => {
	stand = await Stand.start({
		users: ['alice@alpha.test', 'bob@alpha.test'], limits: { 'stun-rate': STUN_RATE },
		tune: (options) => {
			options.sites[0].lines = ['relay = "always"', 'numbers = {"+49301=alice"}'];
			options.mediaPort = PORT;
			options.lines = ['rtp', 'sdes'].flatMap((media, i) => [`trunk "${media}" {`, `\taddress = "udp:198.18.0.${61 + i}:5060"`,
				'\tnumbers = {"+"}', `\tmedia = ${media}`, '\tkeep-alive = 0', '}']);
		},
	});
	addresses = { alice: await stand.world.address(81), bob: await stand.world.address(82), rtp: await stand.world.address(61), sdes: await stand.world.address(62) };
	trunks = {};
	for (const media of ['rtp', 'sdes'])
		trunks[media] = await SipSite.listenUdp({ domain: `${media}.test`, address: addresses[media] });
	alice = stand.device('alice@alpha.test');
	bob = stand.device('bob@alpha.test');
	alice.mode = bob.mode = 'by hand';
});
after(async () => {
	for (const trunk of Object.values(trunks ?? {}))
		await trunk.close();
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
	const out = { socket, n: 0, n_bytes: 0, longest: 0, send: (bytes) => socket.send(bytes, PORT, stand.host.address), close: () => socket.close() };
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

/** A call of the trunk's that alice has taken: {phone, browser} are the parties' media. */
async function anchored(media, { video = false } = {}) {
	const phone = await PlainParty.open(addresses[media]);
	const call = trunks[media].toUdp(stand.host.address).call({ from: `200@${media}.test`, to: '+49301@alpha.test', body: phone.describe({ sdes: media === 'sdes', video }) });
	const incoming = await alice.event('incoming');
	const browser = await SrtpParty.open(addresses.alice, stand.world, stand.ca.valid('browser.test'));
	browser.meet(incoming.sdp);
	await alice.request('accept', { call: incoming.call });
	await alice.request('answer', { call: incoming.call, sdp: browser.describe('answer', { video }) });
	const ok = await call.response(200);
	call.ack(ok);
	phone.meet(ok.text);
	await alice.event('established', { call: incoming.call });
	await browser.join();
	return {
		phone, browser,
		/** Both hear each other, and have heard nothing else: `n` is the number of the packet of each. */
		well: async (n) => {
			phone.rtp(n);
			browser.send(browser.out.seal(rtp(n)));
			await until(5000 * SLOW, () => browser.heard.length && phone.heard.length, `both have heard packet ${n}`);
			assert.deepEqual([browser.heard, phone.heard].map((list) => list.splice(0).map((p) => p?.readUInt8(12))), [[n & 255], [n & 255]]);
		},
		end: async () => {
			const bye = call.bye();
			await alice.event('ended', { call: incoming.call });
			await bye;
			phone.close();
			await browser.close();
		},
	};
}

/** A socket of a stranger's that sends to where `phone` sends. */
async function intruder(phone) {
	const one = await stranger();
	return Object.assign(one, { send: (bytes) => phone.sendFrom(one.socket, bytes) });
}

test('case 61: whoever sends RTP to a telephone call from elsewhere is not heard, and hears nothing', async () => {
	const clear = await anchored('rtp');
	const evil = await intruder(clear.phone);
	for (let i = 0; i < 4; i++) /* before anybody has the latch */
		await evil.send(rtp(i, { fill: 0xee }));
	await clear.well(1);
	for (let i = 0; i < 200; i++)
		await evil.send(rtp(i, { fill: 0xee }));
	for (let i = 0; i < 200; i++) /* in the stream's own name */
		await evil.send(rtp(2 + i, { fill: 0xee, ssrc: clear.phone.ssrc }));
	await clear.well(2);
	await clear.well(3);
	assert.equal(evil.n, 0, 'nothing has come to the stranger');
	await clear.end();

	const sealed = await anchored('sdes');
	const other = await intruder(sealed.phone);
	for (let i = 0; i < 50; i++)
		await other.send(rtp(i, { fill: 0xee }));
	for (let i = 0; i < 50; i++)
		await other.send(rtp(i, { fill: 0xee, bytes: 182, ssrc: sealed.phone.ssrc }));
	await sealed.well(1);
	assert.equal(other.n, 0);
	await sealed.end();
	evil.close();
	other.close();
	await stand.healthy({ rung: true });
});

test('case 62: floods of SRTP with bad tags, replayed, jumping: dropped, and the call goes on', async () => {
	const call = await anchored('sdes'), { phone, browser } = call;
	await call.well(1);
	for (const party of [phone, browser]) {
		const again = party.out.seal(rtp(1, { ssrc: party.ssrc })), report = party.out.sealRtcp(Buffer.from('80c9000100000007', 'hex'));
		for (let i = 0; i < 1500; i++) {
			const bad = party.out.seal(rtp(2 + i * 977, { ssrc: party.ssrc }), i % 2);
			bad[20 + i % 100] ^= 1 << i % 8;
			const cut = Buffer.from(report);
			cut[i % cut.length] ^= 0x10;
			await party.sent(i % 3 ? bad : again);
			if (i % 10 === 0)
				await party.sent(cut);
		}
		for (const [n, roc] of [[40_000, 0], [7, 3], [60_000, 9]]) // its own, from another time
			await party.sent(party.out.seal(rtp(n, { ssrc: party.ssrc }), roc));
		party.heard.length = 0;
	}
	phone.heard.length = browser.heard.length = 0;
	await call.well(2);
	await call.well(3);
	await call.end();
	await stand.healthy({ rung: true });
});

/** RTP that is none, each with the number `n`. */
function malformed(n, ssrc) {
	const good = rtp(n, { ssrc, fill: 0xee }), out = [good.subarray(0, 11), Buffer.alloc(0)];
	const changed = (bytes, change) => {
		const p = Buffer.from(good.subarray(0, bytes));
		change(p);
		out.push(p);
	};
	changed(16, (p) => p.writeUInt8(0x8f, 0)); // 15 CSRCs
	changed(172, (p) => p.writeUInt8(0x90, 0) + p.writeUInt16BE(0xffff, 14)); // an extension past the end
	changed(14, (p) => p.writeUInt8(0x90, 0));
	changed(172, (p) => p.writeUInt8(0xa0, 0) + p.writeUInt8(255, 171)); // padding
	changed(172, (p) => p.writeUInt8(0xa0, 0) + p.writeUInt8(0, 171));
	changed(12, (p) => p.writeUInt8(0xa0, 0));
	for (const version of [0, 1, 3])
		changed(172, (p) => p.writeUInt8(version << 6, 0));
	changed(172, (p) => p.writeUInt8(77, 1)); // a payload type that nobody has agreed on
	return out;
}

/** RTCP that is none, or of others. */
function nonsense(ssrc) {
	const hex = (text) => Buffer.from(text.replaceAll(' ', ''), 'hex');
	const many = Buffer.alloc(1472);
	many.writeUInt16BE(0x9fc9, 0);
	many.writeUInt16BE(many.length / 4 - 1, 2);
	return [hex('80c90000'), hex('80c9ffff 00000007'), hex('80c80006 00000007 00'), hex('81cb0001 00000099'), hex('9fcb0001 00000099'), many,
		hex('8fcd0003 00000007 00000000 ffffffff'), hex('8fce0004 00000007 00000000 52454d42 ff000000'), hex('81cd0003 00000007 00000001 ffffffff'),
		hex('84ce0002 00000007 00000001'), hex('80cc0001 00000007'), hex('c0c90001 00000007'), hex('00c90001 00000007'),
		hex('80c90001 00000007 81cb00ff 00000099'), Buffer.concat([hex('80c8ffff'), Buffer.alloc(1400, 0xff)]),
		Buffer.concat([hex('9fca0005'), Buffer.alloc(20, 0xff)]), hex(`81c90007 00000007 ${ssrc.toString(16).padStart(8, '0')} ffffffff ffffffff ffffffff ffffffff ffffffff`)];
}

test('case 63: malformed RTP and RTCP of the parties themselves goes nowhere', async () => {
	for (const media of ['rtp', 'sdes']) {
		const call = await anchored(media), { phone, browser } = call;
		await call.well(1);
		for (const party of [phone, browser]) {
			for (const bytes of malformed(2, party.ssrc)) {
				await party.sent(bytes);
				if (party.out && bytes.length >= 12)
					await party.sent(party.out.seal(bytes));
			}
			for (const bytes of nonsense(party.ssrc)) {
				await party.sent(bytes, { rtcp: true });
				if (party.out && bytes.length >= 8)
					await party.sent(party.out.sealRtcp(bytes), { rtcp: true });
			}
		}
		await call.well(3);
		await call.well(4);
		await call.end();
	}
	await stand.healthy({ rung: true });
});

test('case 64: sources without end, clocks that leap, keys that are none: the listener has one stream', async () => {
	const call = await anchored('rtp'), { phone, browser } = call;
	await call.well(1);
	for (let i = 0; i < 1000; i++)
		await phone.sent(rtp(i * 4111, { ssrc: 1000 + i, fill: 0xee }));
	for (let i = 0; i < 300; i++) // the same source, forwards and back
		await phone.sent(rtp(i % 2 ? 30_000 + 7 * i : 9 * i, { ssrc: phone.ssrc, fill: 0xee }));
	for (const payload of ['', 'ff', '0b0a', 'ffff0000', '0b0affff0b0affff', 'ee'.repeat(200)])
		await phone.sent(Buffer.concat([rtp(5000, { pt: 101, ssrc: phone.ssrc, bytes: 12 }), Buffer.from(payload, 'hex')]));
	phone.rtp(2);
	await until(5000 * SLOW, () => {
		phone.rtp(++phone.last);
		return browser.heard.some((p) => p.readUInt8(12) !== 0xee);
	}, 'the telephone is heard again');
	const heard = browser.heard.splice(0);
	assert.deepEqual([...new Set(heard.map((p) => p.readUInt32BE(8)))].length, 1, 'one source');
	heard.slice(1).forEach((p, i) => assert.ok((p.readUInt16BE(2) - heard[i].readUInt16BE(2) & 0xffff) < 3000, 'and its numbers go on'));
	await call.end();
	await stand.healthy({ rung: true });
});

test('case 65: a flood of requests for key frames: two a second go on', async () => {
	const call = await anchored('rtp', { video: true }), { phone, browser } = call;
	await until(5000 * SLOW, () => {
		phone.video();
		return browser.heard.length > 0;
	}, 'a frame has come');
	const ours = browser.heard[0].readUInt32BE(8), pli = Buffer.alloc(12), start = performance.now();
	pli.writeUInt32BE(0x81ce0002, 0);
	pli.writeUInt32BE(7, 4);
	pli.writeUInt32BE(ours, 8);
	let n = 0;
	const took_s = () => (performance.now() - start) / 1000;
	for (; took_s() < 1.2; n += 10) {
		for (let i = 0; i < 10; i++)
			await browser.sent(browser.out.sealRtcp(pli));
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
	await until(5000 * SLOW, () => phone.requests() > 0, 'a request has gone on');
	assert.ok(n > 300, `${n} were sent`);
	assert.ok(phone.requests() <= 1 + 2 * took_s(), `${phone.requests()} requests in ${took_s()} s`);
	await call.end();
	await stand.healthy({ rung: true });
});
