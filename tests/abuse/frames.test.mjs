// tests/abuse/frames.test.mjs - cases 41 to 44, 49 and 50: WebSocket frames against RFC 6455, too much of
// everything, and a client that takes nothing.
// limit: 240 s
//
//   mallory, raw ── WSS ──► slussd (alpha.test) ◄── WSS ── carol, who must not notice
//   bob ◄── WSS ───────────────┘
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { signIn } from '../lib/client.mjs';
import { offer } from '../lib/sdp.mjs';
import { PASSWORD } from '../lib/site.mjs';
import { SLOW, until } from '../lib/world.mjs';
import { frame, Raw, upgrade } from './lib/raw_http.mjs';
import { p95, pinged } from './lib/pinger.mjs';
import { Stand } from './lib/stand.mjs';
import { Talker } from './lib/talker.mjs';

const TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10, CONTINUATION = 0;
/** limits { ws-message-size }: the largest message. */
const MESSAGE_MAX = 131072;
/** limits { ws-queue-size }, as small as it may be. */
const QUEUE = 262144;

let stand, tokens;

before(async () => {
	stand = await Stand.start({ users: ['bob@alpha.test'], limits: { 'devices-per-user': 64, 'session-queue-size': 65536, 'ws-queue-size': QUEUE } });
	tokens = {};
	for (const user of ['mallory', 'carol']) {
		await stand.slussd.addUser(user);
		tokens[user] = (await signIn(stand.slussd, user, PASSWORD)).token;
	}
});
after(() => stand?.close());

function abuse(name, run, options) {
	test(name, async () => {
		await run();
		await stand.healthy(options);
	});
}

/** A WebSocket as bytes, signed in. */
async function signedIn(user = 'mallory') {
	const raw = await Raw.tls(stand.slussd, { localAddress: stand.attacker });

	assert.equal((await raw.write(upgrade('alpha.test')).response()).status, 101);
	raw.write(frame(TEXT, JSON.stringify({ type: 'hello', id: 1, version: 1, token: tokens[user] })));
	const { type } = JSON.parse((await raw.frame()).payload);
	assert.equal(type, 'ok');
	return raw;
}

/** The close code that comes back for these bytes; 'none': the connection is cut without a word. */
async function closedWith(...bytes) {
	const raw = await signedIn();

	for (const b of bytes)
		raw.write(b);
	let one;
	do
		one = await raw.frame();
	while (one && one.opcode !== CLOSE);
	if (one)
		raw.write(frame(CLOSE, one.payload));
	await raw.until(() => undefined, 15_000);
	assert.ok(raw.down, 'the connection is closed');
	raw.close();
	return one?.code ?? 'none';
}

/** A frame whose first byte, and whose length, are what they are given as. */
function odd(first, payload, { length, mask = true } = {}) {
	const f = frame(TEXT, payload);

	f[0] = first;
	if (length !== undefined)
		f[1] = (mask ? 0x80 : 0) | length;
	return f;
}

const closeFrame = (code, text = '') => frame(CLOSE, Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(text)]));
const ping = (id) => frame(TEXT, JSON.stringify({ type: 'ping', id }));

abuse('abuse_041_frames', async () => {
	for (const [what, ...bytes] of [
		['RSV1', odd(0xc1, '{}')], ['RSV2', odd(0xa1, '{}')], ['RSV3', odd(0x91, '{}')],
		...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => [`opcode ${opcode}`, odd(0x80 | opcode, '{}')]),
		['a ping in fragments', frame(PING, 'x', { fin: false })],
		['a continuation of nothing', frame(CONTINUATION, '{}')],
		['a text in the middle of a text', frame(TEXT, '{"type"', { fin: false }), frame(TEXT, '{}')],
		...[0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65535].map((code) => [`close with ${code}`, closeFrame(code)]),
		['a close of one byte', frame(CLOSE, 'x')],
	])
		assert.equal(await closedWith(...bytes), 1002, what);
	// lws cuts these off without a word (docs/limits.md)
	for (const [what, bytes] of [['a ping of 126 bytes', frame(PING, 'x'.repeat(126))], ['a close of 200 bytes', closeFrame(1000, 'x'.repeat(198))]])
		assert.equal(await closedWith(bytes), 'none', what);

	// what is allowed: an empty close, its own codes, pings and pongs within a message
	const raw = await signedIn();
	raw.write(frame(TEXT, '{"type":"ping",', { fin: false })).write(frame(PING, 'there?')).write(frame(PONG, '')).write(frame(CONTINUATION, '"id":7}'));
	const answers = [await raw.frame(), await raw.frame()].map(({ opcode, payload }) => `${opcode} ${payload}`);
	assert.deepEqual(answers.sort(), [`${TEXT} {"type":"ok","id":7}`, `${PONG} there?`]);
	raw.write(frame(CLOSE, ''));
	assert.equal((await raw.frame()).opcode, CLOSE);
	raw.close();
	for (const code of [1000, 1001, 3000, 4000, 4999]) {
		const one = await closedWith(closeFrame(code));
		assert.equal(one, code, 'echoed (RFC 6455 §5.5.1)');
	}
});

abuse('abuse_042_utf8', async () => {
	for (const [what, bytes] of [
		['a lone continuation byte', [0x80]], ['an overlong slash', [0xc0, 0xaf]], ['a surrogate', [0xed, 0xa0, 0x80]],
		['above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]], ['cut off', [0xe2, 0x82]], ['0xff', [0xff]],
	]) {
		const text = Buffer.concat([Buffer.from('{"type":"ping","id":5,"x":"'), Buffer.from(bytes), Buffer.from('"}')]);

		assert.equal(await closedWith(frame(TEXT, text)), 1007, what);
		assert.equal(await closedWith(frame(TEXT, text.subarray(0, 28), { fin: false }), frame(CONTINUATION, text.subarray(28))), 1007, `${what}, in two fragments`);
	}
	assert.equal(await closedWith(closeFrame(1000, Buffer.from([0xff]))), 1007, 'in the reason of a close');
	assert.equal(await closedWith(frame(BINARY, '{"type":"ping","id":5}')), 1003, 'binary');

	// a code point that is split over two fragments is none the worse for it
	const raw = await signedIn();
	const good = Buffer.from('{"type":"call","id":5,"call":"é","to":"nobody@alpha.test","sdp":"é"}');
	const at = good.indexOf(0xc3) + 1;
	raw.write(frame(TEXT, good.subarray(0, at), { fin: false })).write(frame(CONTINUATION, good.subarray(at)));
	assert.equal(JSON.parse((await raw.frame()).payload).type, 'error', 'judged as a message');
	raw.write(ping(6));
	assert.equal(JSON.parse((await raw.frame()).payload).type, 'ok', 'and the connection is kept');
	raw.close();
});

abuse('abuse_043_too_large', async () => {
	const level = stand.slussd.rssKib();
	const head = (length) => {
		const b = Buffer.alloc(14);

		b[0] = 0x81;
		b[1] = 0xff;
		b.writeBigUInt64BE(BigInt(length), 2);
		return b;
	};

	assert.equal(await closedWith(frame(TEXT, `{"type":"ping","id":5,"x":"${'x'.repeat(MESSAGE_MAX)}"}`)), 1009, 'one frame');
	const part = 'x'.repeat(MESSAGE_MAX / 4);
	assert.equal(await closedWith(frame(TEXT, part, { fin: false }), ...Array(5).fill(frame(CONTINUATION, part, { fin: false }))), 1009, 'fragments that are too much together');
	for (const length of [2 ** 31 - 1, 2 ** 32, 2 ** 40, 2 ** 53])
		assert.equal(await closedWith(head(length), Buffer.alloc(1000, 0x41)), 1009, `a frame that says it has ${length} bytes`);
	const sign = head(0);
	sign.writeBigUInt64BE(2n ** 63n, 2);
	assert.equal(await closedWith(sign, Buffer.alloc(100)), 'none', 'the highest bit of the length (RFC 6455 §5.2): cut off');
	// thousands of fragments with nothing in them
	const flood = await closedWith(frame(TEXT, '{', { fin: false }), ...Array(20000).fill(frame(CONTINUATION, '', { fin: false })));
	assert.ok([1008, 1009].includes(flood), `a flood of empty fragments: ${flood}`);

	// a hundred that each hold back a message of just under the limit: no more than the limit for each
	const held = await Promise.all(Array.from({ length: 20 }, () => signedIn()));
	for (const raw of held)
		raw.write(frame(TEXT, `"${'x'.repeat(MESSAGE_MAX - 100)}`, { fin: false }));
	await held[0].write(frame(PING, '')).frame();
	if (SLOW === 1)
		assert.ok(stand.slussd.rssKib() - level < 20 * 2 * MESSAGE_MAX / 1024 + 8192, `${stand.slussd.rssKib() - level} KiB for 20 messages that wait`);
	held.forEach((raw) => raw.close());
});

abuse('abuse_044_deflate', async () => {
	for (const offered of ['permessage-deflate', 'permessage-deflate; client_max_window_bits', 'x-webkit-deflate-frame, permessage-deflate; server_no_context_takeover']) {
		const raw = await Raw.tls(stand.slussd, { localAddress: stand.attacker });
		const answer = await raw.write(upgrade('alpha.test', { 'Sec-WebSocket-Extensions': offered })).response();

		assert.equal(answer.status, 101);
		assert.equal(answer.headers['sec-websocket-extensions'], undefined, offered);
		raw.close();
	}
	// and what says that it is compressed is not unpacked, but refused: RSV1, case 41
	assert.equal(await closedWith(odd(0xc1, Buffer.from('aa56aa52ca4b2c2e512ae1020000', 'hex'))), 1002);
});

const online = async (user) => (await stand.slussd.ctl('devices')).json.some((d) => d.user === `${user}@alpha.test`);

/** How long nineteen of twenty pings of somebody quiet take while `busy` runs, in ms. */
const others = async (busy) => p95(await pinged(stand.slussd, tokens.carol, busy));

abuse('abuse_049_reads_nothing', async () => {
	const alone = await others(() => new Promise((resolve) => setTimeout(resolve, 1500)));
	const codes = [];

	const beside = await others(async () => {
		// mallory's two phones ring again and again with an offer of 32 KiB, and their sockets are not read: one for
		// good, the other until the site has had enough
		const deaf = [await Talker.open(stand.slussd, tokens.mallory), await Talker.open(stand.slussd, tokens.mallory)];
		const caller = await Talker.open(stand.slussd, tokens.carol);
		const sdp = offer('large', { extra: Array.from({ length: 300 }, (_, i) => `a=x-${i}:${'x'.repeat(100)}`) });
		const slow = () => stand.slussd.proc.text.match(/web\.slow/g)?.length ?? 0;
		const before = slow();

		for (const { ws } of deaf)
			ws._socket.pause();
		for (let i = 0; i < 400 && await online('mallory'); i++) {
			const asked = await caller.ask({ type: 'call', call: `n${i}`, to: 'mallory@alpha.test', sdp });

			if (asked?.error === 'rate' || asked?.error === 'limit')
				break;
			await caller.ask({ type: 'hangup', call: `n${i}` });
			if (slow() === before + 2 && deaf[0].ws._socket.isPaused())
				deaf[0].ws._socket.resume();
		}
		codes.push(await deaf[0].closed);
		await until(20_000, async () => !(await online('mallory')), 'the devices are given up');
		deaf[1].ws._socket.resume();
		codes.push(await deaf[1].closed);
		caller.close();
	});
	// who never reads cannot be told: the connection is cut
	assert.deepEqual(codes, [1013, 1006]);
	assert.ok(beside < alone + 50 * SLOW, `others wait ${beside.toFixed()} ms instead of ${alone.toFixed()} ms`);
}, { rung: true });

abuse('abuse_050_floods', async () => {
	let answer;

	const slowest = await others(async () => {
		const raw = await signedIn();
		const before = stand.slussd.rssKib();
		let pongs = 0;

		// pings of the protocol below: answered, or cut: they are not counted (docs/limits.md), and cost others nothing
		for (let i = 0; i < 5000; i++)
			raw.write(frame(PING, 'x'));
		raw.write(ping(9));
		for (let one; (one = await raw.frame(3000));) {
			pongs += one.opcode === PONG;
			if (one.opcode === TEXT || one.opcode === CLOSE) {
				answer = one.opcode === TEXT ? JSON.parse(one.payload).type : one.code;
				break;
			}
		}
		if (SLOW === 1)
			assert.ok(stand.slussd.rssKib() - before < 4096, `${stand.slussd.rssKib() - before} KiB more after 5000 pings`);
		assert.ok(pongs >= 1, 'the newest ping is answered (RFC 6455 §5.5.3)');
		raw.close();
	});
	assert.equal(answer, 'ok', 'what is said behind the pings is answered');
	assert.ok(slowest < 100 * SLOW, `others wait ${slowest.toFixed()} ms during the pings (${answer})`);

	let code, said;
	const during = await others(async () => {
		const flood = await Talker.open(stand.slussd, tokens.mallory);

		for (let second = 0; second < 3 && flood.code === undefined; second++) {
			for (let i = 0; i < 1000; i++)
				flood.send(`{"type":"ping","id":${second * 1000 + i + 10}}`);
			await new Promise((resolve) => setTimeout(resolve, 1000));
		}
		code = await flood.closed;
		said = flood.got.some((m) => m.error === 'rate');
	});
	assert.equal(code, 1008);
	assert.ok(said, 'told before it is closed');
	assert.ok(during < 100 * SLOW, `others wait ${during.toFixed()} ms during 1,000 messages a second`);
});
