// tests/abuse/wss.test.mjs - cases 37 to 40: what reaches the HTTPS and WebSocket listener before anybody has
// signed in.  limit below: the slow clients of case 40 wait for the stated 10, 10 and 30 seconds.
// limit: 300 s
//
//   attacker 198.18.0.77 ── TLS ──► slussd 198.18.0.10:443 (alpha.test)
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SLOW } from '../lib/world.mjs';
import { Raw, upgrade } from './lib/raw_http.mjs';
import { Stand } from './lib/stand.mjs';

let stand;
before(async () => {
	stand = await Stand.start({ tune: (options) => {
		options.sites[0].lines = ['origins = {"https://app.good.example"}'];
	} });
});
after(() => stand?.close());

const open = (options) => Raw.tls(stand.slussd, { localAddress: stand.attacker, ...options });

/** Sends text on a connection of its own; gives the first response. */
async function ask(text, ms) {
	const raw = await open();
	const answer = await raw.write(text).response(ms);
	raw.close();
	return answer;
}

function abuse(name, run) {
	test(name, async () => {
		await run();
		await stand.healthy();
	});
}

abuse('abuse_037_origin', async () => {
	assert.equal((await ask(upgrade('alpha.test'))).status, 101, 'the site itself');
	assert.equal((await ask(upgrade('alpha.test', { Origin: 'https://app.good.example' }))).status, 101, 'a listed origin');
	for (const origin of [null, '', 'null', 'https://evil.example', 'https://alpha.test.evil.example', 'https://evilalpha.test',
		'https://alpha.test@evil.example', 'https://alpha.test:444', 'https://alpha.test:443.evil.example', 'http://alpha.test',
		'HTTPS://ALPHA.TEST', 'https://ALPHA.TEST', 'https://alpha.test/', 'https://alpha.test.', ' https://alpha.test evil', 'alpha.test', '*',
		'https://app.good.example.evil.example', 'https://app.good.example:8443', 'https://good.example', 'file://', 'chrome-extension://alpha.test']) {
		const answer = await ask(upgrade('alpha.test', { Origin: origin }));
		assert.equal(answer?.status, 403, `Origin: ${origin}`);
	}
	const twice = await ask(upgrade('alpha.test', {}, { extra: 'Origin: https://evil.example\r\n' }));
	assert.ok(twice === undefined || twice.status >= 400, `two Origins: ${twice?.status}`);
	// a cookie does not help a foreign page
	const cookie = await ask(upgrade('alpha.test', { Origin: 'https://evil.example', Cookie: '__Host-sluss=00' }));
	assert.equal(cookie.status, 403);
});

abuse('abuse_038_handshake', async () => {
	for (const [what, change] of [
		['no subprotocol', { 'Sec-WebSocket-Protocol': null }], ['unknown subprotocol', { 'Sec-WebSocket-Protocol': 'chat' }],
		['sip', { 'Sec-WebSocket-Protocol': 'sip' }], ['sluss.v2', { 'Sec-WebSocket-Protocol': 'sluss.v2' }],
		['Sluss.V1', { 'Sec-WebSocket-Protocol': 'Sluss.V1' }], ['empty', { 'Sec-WebSocket-Protocol': '' }], ['a list of none of ours', { 'Sec-WebSocket-Protocol': ', , ,' }],
		['version 7', { 'Sec-WebSocket-Version': '7' }], ['version 14', { 'Sec-WebSocket-Version': '14' }], ['no version', { 'Sec-WebSocket-Version': null }],
		['no key', { 'Sec-WebSocket-Key': null }], ['empty key', { 'Sec-WebSocket-Key': '' }],
	]) {
		const raw = await open();
		const answer = await raw.write(upgrade('alpha.test', change)).response();
		assert.ok(answer === undefined ? raw.down : answer.status >= 400 && answer.status < 500, `${what}: ${answer?.status}`);
		raw.close();
	}
	for (const [what, options] of [['another path', { path: '/' }], ['an API path', { path: '/api/v1/session' }], ['a file', { path: '/sdk/sluss.js' }],
		['POST', { method: 'POST' }], ['a longer path', { path: '/ws/x' }], ['another case', { path: '/WS' }]]) {
		const answer = await ask(upgrade('alpha.test', {}, options));
		assert.notEqual(answer?.status, 101, what);
	}
	// 100 headers of 8 KiB, one header of 1 MiB, 10,000 headers
	for (const [what, extra] of [['100 × 8 KiB', Array.from({ length: 100 }, (_, i) => `X-${i}: ${'x'.repeat(8192)}\r\n`)],
		['1 MiB', [`X-Long: ${'x'.repeat(1 << 20)}\r\n`]], ['10,000 headers', Array.from({ length: 10_000 }, (_, i) => `X-${i}: 1\r\n`)],
		['a 1 MiB path', []]]) {
		const raw = await open();
		raw.write(upgrade('alpha.test', {}, { extra: extra.join(''), path: what === 'a 1 MiB path' ? `/${'p'.repeat(1 << 20)}` : '/ws' }));
		const answer = await raw.response(12_000);
		assert.ok(answer === undefined ? raw.down : answer.status >= 400, `${what}: ${answer?.status}`);
		await raw.until(() => undefined, 12_000);
		assert.ok(raw.down, `${what}: the connection is closed`);
	}
});

const FOREIGN = ['h2c', 'h2', 'TLS/1.0', 'IRC/6.9', 'websocket2', 'xwebsocket', 'websocket, h2c', 'h2c, websocket', '', ' ', 'WEBSOCKET\t', 'sip', 'http/1.0'];

abuse('abuse_039_other_upgrades', async () => {
	const good = `GET /healthz HTTP/1.1\r\nHost: alpha.test\r\n\r\n`;
	for (const token of FOREIGN) {
		const other = upgrade('alpha.test', { Upgrade: token, 'HTTP2-Settings': 'AAMAAABkAARAAAAAAAIAAAAA' });
		for (const [how, text] of [['first', other], ['second on keep-alive', null], ['pipelined', good + other], ['twice', other + other]]) {
			const raw = await open();
			if (text === null) {
				const first = await raw.write(good).response();
				assert.equal(first?.status, 200, 'the first request of a keep-alive connection');
				raw.write(other);
			} else {
				raw.write(text);
			}
			for (;;) {
				const answer = await raw.response(1500);
				if (answer === undefined)
					break;
				assert.notEqual(answer.status, 101, `Upgrade: ${JSON.stringify(token)}, ${how}`);
			}
			raw.close();
		}
	}
	// a WebSocket after an ordinary request on the same connection is refused or served, and bytes before the
	// upgrade's answer harm nobody
	for (const text of [good + good + good, good.repeat(200), `${upgrade('alpha.test')}\x81\x80\0\0\0\0`, 'GET /healthz HTTP/0.9\r\n\r\n', '\r\n\r\n\r\n', '\0\0\0\0', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
		'GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n',
		'POST /api/v1/session HTTP/1.1\r\nHost: alpha.test\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: alpha.test\r\n\r\n',
		'POST /api/v1/session HTTP/1.1\r\nHost: alpha.test\r\nContent-Length: -1\r\n\r\n', 'POST /api/v1/session HTTP/1.1\r\nHost: alpha.test\r\nContent-Length: 99999999999999999999\r\n\r\n{}']) {
		const raw = await open();
		raw.write(text);
		await raw.response(1500);
		raw.close();
		assert.equal((await ask(good))?.status, 200, `serves on after ${JSON.stringify(text.slice(0, 60))}`);
	}
});

abuse('abuse_040_slow_clients', async () => {
	const late = [];
	const closes = async (what, raw, limit_ms) => {
		const ms = await Promise.race([raw.ended, new Promise((resolve) => setTimeout(() => resolve(Infinity), (limit_ms + 3000) * SLOW).unref())]);
		if (ms > (limit_ms + 1500) * SLOW)
			late.push(`${what}: closed after ${ms} ms, limit ${limit_ms}`);
		raw.close();
	};
	const drip = (raw, text) => {
		let at = 0;
		const timer = setInterval(() => (raw.down ? clearInterval(timer) : raw.write(text[at++ % text.length])), 1000);
		raw.ended.then(() => clearInterval(timer));
		return raw;
	};
	const hello = await open();
	const token = (await hello.write(upgrade('alpha.test')).response())?.status;
	assert.equal(token, 101);
	await Promise.all([
		closes('TCP and nothing more', await Raw.tcp(stand.host.address, { localAddress: stand.attacker }), 10_000),
		closes('half a ClientHello', (await Raw.tcp(stand.host.address, { localAddress: stand.attacker })).write(Buffer.from('160301020001', 'hex')), 10_000),
		closes('a ClientHello byte by byte', drip(await Raw.tcp(stand.host.address, { localAddress: stand.attacker }), Buffer.from('16030100f4010000f00303', 'hex').toString('latin1')), 10_000),
		closes('TLS and no request', await open(), 10_000),
		closes('request headers byte by byte', drip(await open(), upgrade('alpha.test')), 10_000),
		closes('a body byte by byte', drip((await open()).write('POST /api/v1/session HTTP/1.1\r\nHost: alpha.test\r\nContent-Type: application/json\r\nContent-Length: 200\r\n\r\n'), '{"user":"alice"'), 30_000),
		(async () => { // a close frame first, then TCP's end for a client that does not answer it
			let farewell = await hello.frame(32_000);
			while (farewell?.opcode === 9) // a ping
				farewell = await hello.frame(32_000);
			const ms = performance.now() - hello.opened;
			if (farewell?.code !== 1008 || ms > 31_500 * SLOW)
				late.push(`upgraded and no hello: ${JSON.stringify(farewell)} after ${ms} ms`);
			await closes('upgraded and no hello', hello, 36_000);
		})(),
	]);
	assert.deepEqual(late, []);
});

abuse('abuse_040_cap_per_address', async () => {
	const raws = [];
	let refused = 0;
	for (let i = 0; i < 300; i++) {
		try {
			const raw = await open();
			raws.push(raw);
			const answer = await raw.write('GET /healthz HTTP/1.1\r\nHost: alpha.test\r\n\r\n').response(2000);
			if (answer?.status !== 200)
				refused++;
		} catch {
			refused++;
		}
	}
	assert.ok(refused >= 300 - 256 - 4 && refused <= 300 - 200, `${refused} of 300 refused; the cap is 256`);
	// others are served meanwhile, and the same address again once it has let go
	const other = await Raw.tls(stand.slussd);
	assert.equal((await other.write('GET /healthz HTTP/1.1\r\nHost: alpha.test\r\n\r\n').response())?.status, 200, 'another address is served');
	other.close();
	for (const raw of raws)
		raw.close();
	await Promise.all(raws.map((r) => r.ended));
});
