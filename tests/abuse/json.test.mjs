// tests/abuse/json.test.mjs - cases 45 to 48: what a signed-in client may say, and a hostile one does.
// limit: 120 s
//
//   mallory, alice ── WSS ──► slussd (alpha.test) ══ TLS ══► peer.test (a scripted SIP site)
//   bob ◄── WSS ──────────────┘
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkMessage, signIn } from '../lib/client.mjs';
import { answer, offer } from '../lib/sdp.mjs';
import { SipSite } from '../lib/sip.mjs';
import { PASSWORD } from '../lib/site.mjs';
import { SLOW, TOP, until } from '../lib/world.mjs';
import { Stand } from './lib/stand.mjs';
import { Talker } from './lib/talker.mjs';

let stand, tokens;

before(async () => {
	stand = await Stand.start({
		users: ['bob@alpha.test'],
		tune: (options, s) => {
			options.lines = [`peer "peer.test" { address = "tls:${s.attacker}:5061" }`];
		},
	});
	tokens = {};
	for (const user of ['mallory', 'alice', 'carol']) {
		await stand.slussd.addUser(user);
		tokens[user] = (await signIn(stand.slussd, user, PASSWORD)).token;
	}
});
after(() => stand?.close());

const talk = (user = 'mallory') => Talker.open(stand.slussd, user && tokens[user]);

function abuse(name, run, options) {
	test(name, async () => {
		await run();
		await until(8000, async () => (await stand.slussd.calls()).length === 0, 'no call is left');
		await stand.healthy(options);
	});
}

abuse('abuse_045_json', async () => {
	const deep = (n, open, close) => open.repeat(n) + close.repeat(n);
	const ping = (more) => `{"type":"ping","id":1000${more}}`;
	const cases = [
		['nested 60,000 deep', deep(60_000, '[', ']')], ['nested objects', `${'{"a":'.repeat(15_000)}1${'}'.repeat(15_000)}`],
		['nested in a field', ping(`,"x":${deep(20_000, '[', ']')}`)], ['cut nesting', '['.repeat(100_000)],
		['10,000 keys', ping(Array.from({ length: 10_000 }, (_, i) => `,"k${i}":1`).join(''))],
		['1e999', '{"type":"ping","id":1e999}'], ['2^63', '{"type":"ping","id":9223372036854775808}'], ['2^63-1', '{"type":"ping","id":9223372036854775807}'],
		['2^31', '{"type":"ping","id":2147483648}'], ['-0', '{"type":"ping","id":-0}'], ['0', '{"type":"ping","id":0}'], ['-1', '{"type":"ping","id":-1}'],
		['1.0', '{"type":"ping","id":1000.0}'], ['1e3', '{"type":"ping","id":1e3}'], ['NaN', '{"type":"ping","id":NaN}'], ['a string id', '{"type":"ping","id":"1000"}'],
		['duplicate keys', '{"type":"ping","type":"hangup","id":1000}'], ['duplicate ids', '{"type":"ping","id":1000,"id":1001}'],
		['trailing garbage', ping('') + 'x'], ['two objects', ping('') + ping('')], ['a trailing brace', ping('') + '}'], ['a NUL behind', ping('') + '\0'],
		['an array', `[${ping('')}]`], ['a string', '"ping"'], ['a number', '1'], ['null', 'null'], ['true', 'true'], ['nothing', ''], ['a space', ' '],
		['unknown type', '{"type":"transfer","id":1000}'], ['no type', '{"id":1000}'], ['no id', '{"type":"ping"}'], ['a server type', '{"type":"ok","id":1000}'],
		['type of another case', '{"type":"PING","id":1000}'], ['unknown key', ping(',"admin":true')], ['__proto__', ping(',"__proto__":{"x":1}')],
		['comments', '/* */{"type":"ping","id":1000}'], ['single quotes', "{'type':'ping','id':1000}"], ['a BOM', '\ufeff{"type":"ping","id":1000}'],
		['half a surrogate', '{"type":"ping","id":1000,"x":"\\ud800"}'], ['\\u0000 in a key', '{"ty\\u0000pe":"ping","id":1000}'], ['\\u0000 in the type', '{"type":"ping\\u0000","id":1000}'],
	];
	let t = await talk();
	let errors = 0;
	for (const [what, text] of cases) {
		if (++errors > 15) { // 20 errors a minute close a connection: not what is asked here
			t.close();
			t = await talk();
			errors = 1;
		}
		const said = await t.say(text);
		assert.equal(said?.type, 'error', `${what}: ${JSON.stringify(said) ?? `closed ${t.code}`}`);
		const next = await t.ask({ type: 'ping', id: 2000 + (t.id += 10) });
		assert.equal(next?.type, 'ok', `${what}: one error, and the connection is kept`);
		assert.equal(t.got.filter((m) => m.type === 'error').length, errors, `${what}: exactly one error`);
	}
	t.close();
	// what is larger than the stated limit of a message ends the connection with 1009
	for (const text of [`{"type":"ping","id":5,"x":"${'y'.repeat(1 << 20)}"}`, ping(Array.from({ length: 100_000 }, (_, i) => `,"k${i}":1`).join('')), '['.repeat(200_000)]) {
		const big = await talk();
		big.send(text);
		assert.equal(await big.closed, 1009);
	}
	// no partial effect: a call with something behind it is no call
	const partial = await talk();
	const call = JSON.stringify({ type: 'call', id: 50, call: 'c', to: 'bob@alpha.test', sdp: offer('partial') });
	for (const text of [`${call}x`, `${call}${call}`, `[${call}]`, call.replace(/}$/, ',"x":1}'), call.replace(/}$/, ',"to":"bob@alpha.test"}'), call.slice(0, -1)])
		assert.equal((await partial.say(text))?.type, 'error');
	assert.deepEqual(await stand.slussd.calls(), []);
	// after 20 errors within a minute the connection is closed with 1008
	for (let i = 0; i < 25; i++)
		partial.send('{');
	assert.equal(await partial.closed, 1008);
});

const EXAMPLES = {
	hello: { version: 1, device: 'x', token: '0'.repeat(64) },
	call: { call: 'x1', to: 'bob@alpha.test', sdp: offer('types'), name: 'Mallory' },
	ringing: { call: 'x1' }, accept: { call: 'x1' }, reject: { call: 'x1', reason: 'busy' }, answer: { call: 'x1', sdp: offer('types') },
	offer: { call: 'x1', sdp: offer('types') }, refuse: { call: 'x1', reason: 'media' }, hangup: { call: 'x1', reason: 'hangup' }, ping: {},
	keys: { call: 'x1', keys: '12*#' },
	candidates: { call: 'x1', ufrag: 'abcd', candidates: [{ mid: '0', mline: 0, candidate: 'candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host' }], end: true },
};
const WRONG = ['null', 'true', 'false', '0', '-1', '1.5', '1e300', '9223372036854775807', '""', '"\\u0000"', '"x\\u0000y"', '"\\n"', `"${'x'.repeat(70_000)}"`,
	'[]', '[1]', '["x"]', '{}', '{"a":1}', '[[[[]]]]', '"ðŸ’£"', '" "', '"../../etc"', '"%s%n"'];

abuse('abuse_046_types', async () => {
	const schema = JSON.parse(readFileSync(join(TOP, 'webrtc/session/sluss.v1.schema.json'), 'utf8')).$defs;
	const types = schema.client.oneOf.map((r) => r.$ref.replace('#/$defs/client-', ''));
	assert.deepEqual(types.toSorted(), Object.keys(EXAMPLES).toSorted(), 'an example for every message there is');
	let t = await talk();
	let n = 0;
	let tried = 0;
	for (const type of types) {
		const fields = Object.keys(schema[`client-${type}`].properties);
		assert.doesNotThrow(() => checkMessage('client', { type, id: 1, ...EXAMPLES[type] }));
		for (const field of fields) {
			for (const value of [...WRONG, undefined]) {
				if (++n % 15 === 0) {
					t.close();
					t = await talk();
				}
				const id = (t.id += 2);
				const whole = { type, id, ...EXAMPLES[type] };
				delete whole[field];
				const rest = Object.entries(whole).map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`);
				const text = `{${[...rest, ...(value === undefined ? [] : [`${JSON.stringify(field)}:${value}`])].join(',')}}`;
				let valid = true;
				try {
					checkMessage('client', JSON.parse(text));
				} catch {
					valid = false;
				}
				const said = await t.say(text);
				tried++;
				assert.ok(said !== undefined, `${type}.${field} = ${value?.slice(0, 40)}: no answer (closed ${t.code})`);
				if (!valid)
					assert.equal(said.type, 'error', `${type}.${field} = ${value?.slice(0, 40)}: ${JSON.stringify(said)}`);
				if (said.type === 'ok' && type === 'call')
					await t.ask({ type: 'hangup', call: JSON.parse(text).call });
			}
		}
	}
	t.close();
	assert.ok(tried > 400, `${tried} messages tried`);
	await stand.rung(); // calls that the schema allows (an odd name, say) may have rung
});

const EVIL = ['Al"ice', 'a\\', '"', '\\"', '<sip:evil@evil.test>', 'x" <sip:bob@alpha.test>;tag=1, "y', 'a\r\nX-Evil: 1', 'a\rb', 'a\nb', 'a\0b', 'a\tb', 'a\x7fb',
	'\u202eecila', '\u2066x\u2069', 'a\u200eb', '\ufeffx', '\ufffe', '%0d%0aX-Evil: 1', '=?utf-8?q?x?=', 'Zoë 漢字 💣', ' ', ',;=', `${'é'.repeat(50)}`, '{"a":1}', '</script><script>alert(1)</script>'];

abuse('abuse_047_text', async () => {
	const site = await SipSite.listen({ domain: 'peer.test', pair: stand.peerPair, ca: stand.ca.root, address: stand.attacker });
	try {
		const headerNames = (m) => [...new Set(m.headers.map(([n]) => n.toLowerCase()))].toSorted();
		let usual;
		for (const name of ['Alice', ...EVIL]) {
			const t = await talk('alice');
			const said = await t.ask({ type: 'call', call: 'c', to: 'x@peer.test', sdp: offer('text'), name });
			if (said?.type === 'error') {
				assert.ok(['bad-message', 'bad-json'].includes(said.error), `${JSON.stringify(name)}: ${said.error}`);
				t.close();
				continue;
			}
			assert.equal(said?.type, 'ok', `${JSON.stringify(name)}: ${JSON.stringify(said)} ${t.code}`);
			const invite = await site.request('INVITE');
			const { message } = invite;
			usual ??= headerNames(message);
			assert.deepEqual(headerNames(message), usual, `${JSON.stringify(name)}: the headers there always are`);
			assert.equal(message.all('From').length, 1);
			const from = /^(?:"((?:[^"\\\x00-\x1f\x7f]|\\[^\r\n])*)"|([A-Za-z0-9\-.!%*_+`'~ ]*))\s*<sip:([^<>"]+)>;tag=[\w.!%*+`'~-]+$/.exec(message.get('From'));
			assert.ok(from, `${JSON.stringify(name)}: From: ${message.get('From')}`);
			assert.equal(from[3], 'alice@alpha.test');
			assert.equal(message.get('X-Evil'), undefined);
			assert.ok(!/[\u202a-\u202e\u2066-\u2069\u200e\u200f]/.test(message.get('From')), 'no mark that turns the reading direction');
			invite.reply(486);
			await t.find((m) => m.type === 'ended');
			t.close();
		}
		// the same names reach a browser as text without control characters
		for (const name of EVIL) {
			const t = await talk('alice');
			if ((await t.ask({ type: 'call', call: 'c', to: 'bob@alpha.test', sdp: offer('text'), name }))?.type === 'ok')
				await t.find((m) => m.type === 'ended');
			t.close();
		}
		const { 'bob@alpha.test': rung } = await stand.rung();
		assert.ok(rung.length > 5);
		for (const { from } of rung) {
			assert.equal(from.address, 'alice@alpha.test');
			assert.ok(!/[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069\u200e\u200f]/.test(from.name), `name: ${JSON.stringify(from.name)}`);
		}
		// and nothing of the kind passes as an address
		for (const to of ['bob@alpha.test\r\nX-Evil: 1', 'bob@alpha.test ', '<sip:bob@alpha.test>', 'bob@alpha.test;x=y', 'bob@alpha.test?X=1', 'bob"@alpha.test', 'bob@alpha.test\u202e',
			'bob@alpha.test@evil.test', 'bob', '@alpha.test', 'bob@', 'bob@127.0.0.1', 'bob@[::1]', 'bob@alpha.test:5060', 'tel:+4612345', 'b\u0000ob@alpha.test', 'bob%00@alpha.test', 'böb@alpha.test']) {
			const t = await talk('alice');
			const said = await t.ask({ type: 'call', call: 'c', to, sdp: offer('text') });
			assert.equal(said?.type, 'error', `to ${JSON.stringify(to)}: ${JSON.stringify(said)}`);
			t.close();
		}
	} finally {
		await site.close();
	}
});

abuse('abuse_048_foreign_calls', async () => {
	const bob = stand.device('bob@alpha.test');
	bob.mode = 'answer';
	const [alice, mallory] = [await talk('alice'), await talk('mallory')];
	assert.equal((await alice.ask({ type: 'call', call: 'mine', to: 'bob@alpha.test', sdp: offer('mine') })).type, 'ok');
	assert.ok(await alice.find((m) => m.type === 'answered'));
	const [incoming] = (await stand.rung())['bob@alpha.test'];
	const { json } = await stand.slussd.ctl('calls');
	const inner = json[0]?.id ?? 'x'; // the operator's name for it is no name for a browser either
	for (const call of ['mine', incoming.call, inner]) {
		for (const [type, more] of [['ringing'], ['accept'], ['reject', { reason: 'decline' }], ['answer', { sdp: offer('x') }], ['offer', { sdp: offer('x') }],
			['refuse', { reason: 'media' }], ['hangup']]) {
			const said = await mallory.ask({ type, call, ...more });
			if (said === undefined)
				break; // too many errors: closed
			assert.ok(said.type === 'error' && ['no-call', 'gone', 'bad-state'].includes(said.error), `${type} ${call}: ${JSON.stringify(said)}`);
		}
		mallory.close();
		Object.assign(mallory, await talk('mallory'));
	}
	assert.equal((await alice.ask({ type: 'ping' })).type, 'ok');
	assert.equal(alice.got.filter((m) => m.type === 'ended').length, 0, 'the call goes on');
	assert.equal((await alice.ask({ type: 'hangup', call: 'mine' })).type, 'ok');
	assert.ok(await alice.find((m) => m.type === 'ended'));
	bob.mode = 'busy';
	alice.close();
	mallory.close();
}, { rung: true });

abuse('abuse_048_replay_and_order', async () => {
	const t = await talk('alice');
	assert.equal((await t.ask({ type: 'ping', id: 100 })).type, 'ok');
	for (const id of [100, 99, 1]) {
		assert.equal((await t.ask({ type: 'call', id, call: 'r', to: 'bob@alpha.test', sdp: offer('replay') })).error, 'replayed');
	}
	assert.deepEqual(await stand.slussd.calls(), []);
	t.id = 200;
	for (const type of ['ringing', 'accept', 'hangup'])
		assert.equal((await t.ask({ type, call: 'never' })).error, 'no-call');
	assert.equal((await t.ask({ type: 'hello', version: 1, token: tokens.alice })).type, 'error', 'hello twice');
	const bob = stand.device('bob@alpha.test');
	bob.mode = 'wait';
	const sdp = offer('order');
	assert.equal((await t.ask({ type: 'call', call: 'o', to: 'bob@alpha.test', sdp })).type, 'ok');
	const incoming = await bob.event('incoming', { sdp });
	for (const [type, more] of [['accept'], ['ringing'], ['answer', { sdp: offer('x') }], ['offer', { sdp: offer('x') }], ['refuse', { reason: 'media' }], ['reject', { reason: 'busy' }]])
		assert.equal((await t.ask({ type, call: 'o', ...more })).error, 'bad-state', `${type} of a call that one made and that rings`);
	assert.equal((await t.ask({ type: 'call', call: 'o', to: 'bob@alpha.test', sdp: offer('again') })).error, 'call-exists');
	await assert.rejects(bob.request('answer', { call: incoming.call, sdp: answer('early') }), /bad-state/, 'an answer before accepting');
	await assert.rejects(bob.request('offer', { call: incoming.call, sdp: offer('early') }), /bad-state/);
	await bob.request('accept', { call: incoming.call });
	await assert.rejects(bob.request('accept', { call: incoming.call }), /bad-state/, 'accepting twice');
	assert.equal((await t.ask({ type: 'hangup', call: 'o' })).type, 'ok');
	assert.ok(['no-call', 'gone', 'bad-state'].includes((await t.ask({ type: 'hangup', call: 'o' })).error), 'hanging up twice');
	await bob.event('ended', { call: incoming.call });
	bob.mode = 'busy';
	t.close();
	// before hello nothing is heard
	const anonymous = await Talker.open(stand.slussd, null);
	for (const type of ['ping', 'call', 'hangup'])
		assert.equal((await anonymous.ask({ type, ...EXAMPLES[type] }))?.error, 'not-signed-in');
	assert.equal((await anonymous.ask({ type: 'hello', version: 1, token: 'f'.repeat(64) }))?.type, 'error');
	anonymous.close();
}, { rung: true });

abuse('abuse_048_floods', async () => {
	const bob = stand.device('bob@alpha.test');
	bob.mode = 'wait';
	const quiet = await talk('carol');
	const flood = await talk('mallory');
	const answers = [];
	for (let i = 0; i < 190; i++) // within the burst that the rate allows
		answers.push(flood.ask({ type: 'call', call: `f${i}`, to: 'bob@alpha.test', sdp: offer('flood') }, 10_000));
	const slowest = { ms: 0 };
	const watching = (async () => {
		while (!slowest.stop) {
			const start = performance.now();
			const said = await quiet.ask({ type: 'ping' });
			assert.equal(said?.type, 'ok');
			slowest.ms = Math.max(slowest.ms, performance.now() - start);
			await new Promise((resolve) => setTimeout(resolve, 100));
		}
	})();
	const codes = {};
	for (const a of await Promise.all(answers)) {
		const code = a?.error ?? a?.type ?? 'closed';
		codes[code] = (codes[code] ?? 0) + 1;
	}
	slowest.stop = true;
	await watching;
	assert.ok((codes.ok ?? 0) <= 8, `at most calls-per-user at once: ${JSON.stringify(codes)}`);
	assert.ok((codes.limit ?? 0) > 0, `the limit is named: ${JSON.stringify(codes)}`);
	assert.ok((await stand.slussd.calls()).length <= 8);
	assert.ok(slowest.ms < 250 * SLOW, `others were delayed by ${slowest.ms} ms`);
	flood.close();
	await until(8000, async () => (await stand.slussd.calls()).length === 0, 'a connection that is gone leaves no call')
		.catch(async (e) => assert.fail(`${e.message}: ${JSON.stringify(await stand.slussd.calls())}`));
	// far over the rate: refused by name, and closed with 1008
	const rate = await talk('mallory');
	for (let i = 0; i < 5000; i++)
		rate.send(`{"type":"ping","id":${i + 10}}`);
	assert.equal(await rate.closed, 1008);
	assert.ok(rate.got.some((m) => m.error === 'rate') || rate.got.length < 400, 'said so before');
	bob.mode = 'busy';
	quiet.close();
}, { rung: true });
