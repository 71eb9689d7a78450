// tests/abuse/identity.test.mjs - cases 66 to 74: calls that are signed, well and badly (RFC 8224 §6.2).
// limit: 420 s
//
//   gamma.test   tls: proved by its certificate, a signature is looked at            ─┐ 198.18.0.61: SIP over TLS, and
//   delta.test   require = both                                                       ├ HTTPS with the certificates that
//   epsilon.test require = identity, over connections without a certificate           │ they sign with
//   zeta.test    require = either                                                    ─┘
//                     ══ TLS ══► slussd beta.test (.20) ◄── WSS ── bob
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { Authority } from '../lib/ca.mjs';
import { capture } from '../lib/capture.mjs';
import { cases, date, now, sign } from '../lib/passport.mjs';
import * as sdp from '../lib/sdp.mjs';
import { SipSite } from '../lib/sip.mjs';
import { twoSites } from '../lib/site.mjs';
import { SLOW } from '../lib/world.mjs';

const DOMAINS = ['gamma.test', 'delta.test', 'epsilon.test', 'zeta.test'];
let world, ca, dns, beta, bob, web;
const files = new Map(); // path -> text, or a function of the response
const asked = []; // paths that were asked for
const pairs = {};
const links = {};

/** Shows a certificate file; gives its address. */
function show(domain, path, content) {
	files.set(path, content);
	return `https://${domain}${path}`;
}

before(async () => {
	({ world, ca, dns, beta } = await twoSites({
		users: { alpha: [], beta: ['bob'] },
		tune: (options) => {
			options.lines = ['peer "delta.test" { require = both }', 'peer "epsilon.test" { require = identity }', 'peer "zeta.test" { require = either }'];
			options.limits = { 'identity-fetches': 16, 'sip-unproved-rate': 1000 };
		},
	}));
	const address = await world.address(61);
	for (const domain of DOMAINS)
		dns.site(domain, address);
	dns.zone('delta.test', [`@ A ${address}`, `more A ${address}`, 'inside A 10.0.0.1', 'loop A 127.0.0.1', 'mapped AAAA ::ffff:127.0.0.1']);
	await dns.serve();
	const serving = ca.leaf('web', { cn: 'gamma.test', san: [...DOMAINS, 'more.delta.test', 'loop.delta.test'].map((d) => `DNS:${d}`) });
	web = createServer({ cert: readFileSync(serving.cert), key: readFileSync(serving.key) }, (request, response) => {
		asked.push(request.url);
		const file = files.get(request.url);
		if (typeof file === 'function')
			file(response);
		else
			response.writeHead(file ? 200 : 404).end(file);
	});
	await new Promise((resolve) => web.listen(443, address, resolve));
	for (const domain of DOMAINS) {
		pairs[domain] = ca.valid(domain);
		show(domain, `/${domain}.pem`, readFileSync(pairs[domain].cert, 'utf8'));
		const site = new SipSite({ domain, pair: domain === 'epsilon.test' ? undefined : pairs[domain], ca: ca.root, address, port: 5061 });
		links[domain] = await site.dial('198.18.0.20', 'beta.test');
	}
	bob = await beta.client('bob');
	answering();
});
after(async () => {
	over = true;
	web?.closeAllConnections();
	web?.close();
	for (const link of Object.values(links))
		await link.site.close();
	await world?.close();
});
afterEach(async () => {
	bob.check();
	await beta.idle();
});

/* bob answers every call that rings, by `take`: the one loop that waits for them. */
let take = refuseBusy;
let over = false;
async function refuseBusy(incoming) {
	await bob.request('reject', { call: incoming.call, reason: 'busy' });
}
async function answering() {
	while (!over) {
		const incoming = await bob.event('incoming', {}, 3_600_000).catch(() => undefined);
		if (incoming === undefined)
			return;
		await take(incoming);
	}
}
/** The next call that rings is the test's own. */
function mine() {
	return new Promise((resolve) => {
		take = async (incoming) => {
			take = refuseBusy;
			resolve(incoming);
		};
	});
}

const url = (domain) => `https://${domain}/${domain}.pem`;

/** What a well signed call of gunda's carries; fields of sign() may be changed. */
function signed(domain, body, changes = {}) {
	return sign({ key: pairs[domain].key, x5u: url(domain), from: `gunda@${domain}`, to: 'bob@beta.test', sdp: body, ...changes });
}

/** Calls bob. Gives {status, why, site}: 486 when it rang, and bob was busy. */
async function call(domain, { body = sdp.offer('signed'), identity = signed(domain, body), when = date(), from = `gunda@${domain}`, to = 'bob@beta.test', ring = () => {}, link = links[domain] } = {}) {
	const headers = [...(when ? [['Date', when]] : []), ...[identity].flat().map((v) => ['Identity', v])];
	const out = link.call({ from, to, uri: 'sip:bob@beta.test', body, headers });
	let rung;
	take = async (incoming) => {
		rung = incoming;
		await ring(incoming);
		await refuseBusy(incoming);
	};
	const final = await out.response(undefined, { ms: 30_000 });
	out.ack(final);
	if (rung)
		await bob.event('ended', { call: rung.call });
	take = refuseBusy;
	return { status: final.status, why: `${final.phrase} ${final.get('Reason')}`, site: rung?.from.site, final, out };
}

async function expect(status, domain, options, what = '') {
	const got = await call(domain, options);
	assert.equal(got.status, status, `${what}: ${got.why}`);
	return got;
}

test('abuse_066_verified_and_missing', async () => {
	for (const [domain, tls] of [['gamma.test', true], ['delta.test', true], ['epsilon.test', false], ['zeta.test', true]]) {
		const { site } = await expect(486, domain, {}, domain);
		assert.deepEqual(site, { domain, verified: true, tls, identity: 'verified' });
	}
	assert.deepEqual((await expect(486, 'gamma.test', { identity: [] })).site, { domain: 'gamma.test', verified: true, tls: true, identity: 'none' });
	assert.deepEqual((await expect(486, 'zeta.test', { identity: [] })).site, { domain: 'zeta.test', verified: true, tls: true, identity: 'none' });
	for (const domain of ['delta.test', 'epsilon.test']) {
		const { final } = await expect(428, domain, { identity: [] }, domain);
		assert.equal(final.phrase, 'Use Identity Header');
	}
	// slussctl says it, too
	await expect(486, 'gamma.test', { ring: async () => {
		const [{ id }] = await beta.calls();
		const { json } = await beta.ctl('call', id);
		assert.equal(json.identity, 'verified');
		assert.equal(json.site_tls, true);
	} });
});

test('abuse_066_each_policy_without_a_client_certificate', async () => {
	for (const [domain, unsigned, well] of [['gamma.test', 403, 403], ['delta.test', 403, 403], ['epsilon.test', 428, 486], ['zeta.test', 428, 486]]) {
		const bare = new SipSite({ domain, ca: ca.root, address: links[domain].site.address, port: 5061 });
		const link = await bare.dial('198.18.0.20', 'beta.test');
		await expect(unsigned, domain, { link, identity: [] }, `${domain}, unsigned`);
		const { site } = await expect(well, domain, { link }, `${domain}, signed`);
		if (well === 486)
			assert.deepEqual(site, { domain, verified: true, tls: false, identity: 'verified' });
		await bare.close();
	}
});

test('abuse_066_a_whole_call_without_a_client_certificate', async () => {
	const body = sdp.offer('epsilon');
	const rings = mine();
	const out = links['epsilon.test'].call({ from: 'gunda@epsilon.test', to: 'bob@beta.test', body, headers: [['Date', date()], ['Identity', signed('epsilon.test', body)]] });
	const { call: id } = await rings;
	await bob.request('accept', { call: id });
	await bob.request('answer', { call: id, sdp: sdp.answer('bob') });
	out.ack(await out.response(200));
	await bob.event('established', { call: id });
	const video = sdp.offer('epsilon, video', { video: true });
	const unsigned = out.send('INVITE', { body: video });
	const refused = await out.response(428, { to: unsigned });
	out.request('ACK', { cseq: unsigned.cseq.n, branch: unsigned.branch(), toHeader: refused.get('To') });
	const again = out.send('INVITE', { body: video, headers: [['Date', date()], ['Identity', signed('epsilon.test', video)]] });
	await bob.event('offer', { call: id });
	await bob.request('answer', { call: id, sdp: sdp.answer('bob', { video: true }) });
	out.ack(await out.response(200, { to: again }));
	const update = sdp.offer('epsilon, by UPDATE', { video: true });
	const good = out.send('UPDATE', { body: update, headers: [['Date', date()], ['Identity', signed('epsilon.test', update)]] });
	await bob.event('offer', { call: id });
	await bob.request('answer', { call: id, sdp: sdp.answer('bob', { video: true }) });
	await out.response(200, { to: good });
	const pasted = out.send('UPDATE', { body: sdp.offer('another key'), headers: [['Date', date()], ['Identity', signed('epsilon.test', video)]] });
	await out.response(438, { to: pasted });
	await out.bye();
	await bob.event('ended', { call: id });
});

test('abuse_067_each_row_and_each_pair_of_rows', async () => {
	const other = ca.leaf('other', { cn: 'other.test' });
	const body = sdp.offer('table');
	const all = cases({
		key: pairs['delta.test'].key, x5u: url('delta.test'), from: 'gunda@delta.test', to: 'bob@beta.test', sdp: body,
		absent: 'https://delta.test/absent.pem', wrong: { key: other.key, x5u: show('delta.test', '/other.pem', readFileSync(other.cert)) },
	});
	assert.ok(all.length >= 31, `${all.length} cases`);
	for (const { name, identity, date: when, status } of all) {
		const { final } = await expect(status, 'delta.test', { body, identity: identity ?? [], when }, name);
		assert.equal(final.phrase, { 428: 'Use Identity Header', 403: 'Stale Date', 436: 'Bad Identity Info', 437: 'Unsupported Credential', 438: 'Invalid Identity Header' }[status]);
	}
	// where a signature is not required, only a forged one stops the call
	const unasked = cases({
		key: pairs['gamma.test'].key, x5u: url('gamma.test'), from: 'gunda@gamma.test', to: 'bob@beta.test', sdp: body,
		absent: 'https://gamma.test/absent.pem', wrong: { key: other.key, x5u: 'https://gamma.test/other.pem' },
	});
	for (const { name, identity, date: when, status } of unasked.filter((c) => !c.name.includes(' and '))) {
		const { site } = await expect(status === 438 ? 438 : 486, 'gamma.test', { body, identity: identity ?? [], when }, name);
		if (status !== 438)
			assert.deepEqual(site, { domain: 'gamma.test', verified: true, tls: true, identity: status === 428 ? 'none' : 'failed' }, name);
	}
});

test('abuse_067_tokens_that_are_none', async () => {
	const body = sdp.offer('tokens');
	const good = signed('delta.test', body);
	const [token, params] = [good.slice(0, good.indexOf(';')), good.slice(good.indexOf(';'))];
	const [header, payload] = token.split('.');
	const b64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
	const publicKey = execFileSync('openssl', ['x509', '-in', pairs['delta.test'].cert, '-noout', '-pubkey']);
	const hs = `${b64({ alg: 'HS256', typ: 'passport', x5u: url('delta.test') })}.${payload}`;
	const info = `;info=<${url('delta.test')}>`;
	const rows = [
		['cut', 438, token.slice(0, -7) + params],
		['cut in the middle', 438, `${header}.${payload.slice(0, 20)}${params}`],
		['no ;', 438, token + params.replace(';', ' ')],
		['no info', 438, `${token};alg=ES256`],
		['alg none', 437, `${b64({ alg: 'none', typ: 'passport', x5u: url('delta.test') })}.${payload}.AAAA${info};alg=none`],
		['alg none in the token only', 438, `${b64({ alg: 'none', typ: 'passport', x5u: url('delta.test') })}.${payload}.AAAA${info}`],
		['HS256 by the public key', 437, `${hs}.${createHmac('sha256', publicKey).update(hs).digest('base64url')}${info};alg=HS256`],
		['HS256 in the token only', 438, `${hs}.${createHmac('sha256', publicKey).update(hs).digest('base64url')}${info}`],
		['ppt in the token only', 438, signed('delta.test', body, { header: { ppt: 'shaken' } }).replace(/;ppt=\w+/, '')],
		['ppt in the parameters only', 438, `${good};ppt=shaken`],
		['unknown ppt', 428, signed('delta.test', body, { header: { ppt: 'msec' } })],
		['60 KiB', 438, 'a'.repeat(60_000) + token + params],
		['time as text', 438, signed('delta.test', body, { claims: { iat: String(now()) } })],
	];
	for (const [what, status, identity] of rows)
		await expect(status, 'delta.test', { body, identity }, what);
	await expect(486, 'delta.test', { body, identity: [...Array(7).fill(rows[0][2]), good] }, 'one of eight is good');
	await expect(438, 'delta.test', { body, identity: Array(20).fill(rows[0][2]) }, 'twenty bad ones');
	await expect(486, 'delta.test', { body, identity: signed('delta.test', body).replace('alg=ES256', 'alg="ES256"') }, 'quoted');
	await expect(486, 'delta.test', { body, identity: signed('delta.test', body).replace(';info', '\r\n\t;info').replace(';alg', ' ;\r\n alg') }, 'folded');
});

test('abuse_068_time', async () => {
	const body = sdp.offer('time');
	for (const [off, status] of [[-50, 486], [50, 486], [-70, 403], [70, 403], [-600, 403], [86_400, 403]]) {
		for (const compact of [false, true]) {
			const iat = now() + off;
			await expect(status, 'delta.test', { body, identity: signed('delta.test', body, { iat, compact }), when: date(iat) }, `${off} s, compact: ${compact}`);
		}
	}
	await expect(486, 'delta.test', { body, when: null }, 'no Date: the token has its own time');
	await expect(486, 'delta.test', { body, when: date(now() - 600) }, 'a stale Date, a fresh token');
	await expect(403, 'delta.test', { body, identity: signed('delta.test', body, { iat: now() - 600 }) }, 'a fresh Date, a stale token');
	await expect(403, 'delta.test', { body, identity: signed('delta.test', body, { compact: true }), when: null }, 'compact without Date');
	await expect(438, 'delta.test', { body, identity: signed('delta.test', body, { compact: true }), when: date(now() - 20) }, 'compact with another Date');
});

test('abuse_069_replay', async () => {
	const body = sdp.offer('once');
	const identity = signed('delta.test', body), when = date();
	const { out } = await expect(486, 'delta.test', { body, identity, when });
	const again = await expect(438, 'delta.test', { body, identity, when });
	assert.match(again.why, /another call/);
	// the same call once more, after a refusal
	const retry = out.send('INVITE', { body, headers: [['Date', when], ['Identity', identity]] });
	const final = await out.response(486, { to: retry });
	out.request('ACK', { cseq: retry.cseq.n, branch: retry.branch(), toHeader: final.get('To') });
});

test('abuse_070_pasted_and_reordered', async () => {
	const two = (a, b) => sdp.offer('two').replace(/a=fingerprint:.*\r\n/, `a=fingerprint:sha-256 ${a}\r\na=fingerprint:sha-256 ${b}\r\n`);
	const [a, b] = [1, 2].map((n) => Array.from({ length: 32 }, (_, i) => ((i * 7 + n * 31) % 256).toString(16).padStart(2, '0').toUpperCase()).join(':'));
	await expect(438, 'delta.test', { body: sdp.offer('mine'), identity: signed('delta.test', sdp.offer('theirs')) }, 'pasted');
	await expect(438, 'delta.test', { body: two(a, b), identity: signed('delta.test', two(a, a)) }, 'one key more');
	await expect(486, 'delta.test', { body: two(a, b), identity: signed('delta.test', two(b, a)) }, 'another order');
	const iat = now();
	await expect(486, 'delta.test', { body: two(a, b), identity: signed('delta.test', two(b, a), { iat, compact: true }), when: date(iat) }, 'another order, compact');
	await expect(486, 'delta.test', { body: two(a.toLowerCase(), b), identity: signed('delta.test', two(b, a)) }, 'another case');
});

test('abuse_071_names', async () => {
	const body = sdp.offer('names');
	for (const from of ['Gunda@DELTA.test', 'g%75nda@delta.test:5061', 'gunda@delta.test.', 'gunda@delta.test;transport=tls', 'gunda:secret@delta.test'])
		await expect(486, 'delta.test', { body, from }, from);
	await expect(486, 'delta.test', { body, to: 'BOB@beta.test:5061;user=ip' }, 'To');
	await expect(438, 'delta.test', { body, identity: signed('delta.test', body, { orig: { uri: 'sips:gunda@delta.test' } }) }, 'sips is another scheme');
	await expect(438, 'delta.test', { body, identity: signed('delta.test', body, { orig: { uri: 'sip:Gunda@delta.test' } }) }, 'not canonical');
	// a number, which no domain vouches for
	for (const from of ['+4930123456@delta.test', '+49-30-123456@DELTA.test', '4930123456@delta.test;user=phone'])
		await expect(437, 'delta.test', { body, from, identity: signed('delta.test', body, { orig: { tn: '4930123456' } }) }, from);
	await expect(438, 'delta.test', { body, from: '+4930123456@delta.test', identity: signed('delta.test', body, { orig: { uri: 'sip:+4930123456@delta.test' } }) }, 'a number as a name');
});

test('abuse_072_credentials', async () => {
	const body = sdp.offer('credentials');
	const foreign = new Authority(join(world.dir, 'other-ca'), 'Somebody').valid('delta.test');
	const chain = readFileSync(pairs['delta.test'].cert, 'utf8');
	const self = { key: join(world.dir, 'self.key'), cert: join(world.dir, 'self.pem') };
	execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', self.key, '-out', self.cert, '-days', '10',
		'-subj', '/CN=delta.test', '-addext', 'subjectAltName=DNS:delta.test', '-addext', 'basicConstraints=critical,CA:FALSE'], { stdio: 'pipe' });
	const rows = {
		'self-signed': self, expired: ca.expired('delta.test'), 'not yet': ca.notYet('delta.test'), 'another domain': ca.wrongName('delta.test'), wildcard: ca.wildcard('delta.test'),
		'common name': ca.cnOnly('delta.test'), 'another authority': foreign, 'P-384': ca.leaf('p384', { cn: 'delta.test', kind: 'P-384' }),
		RSA: ca.rsa('delta.test'), 'for clients': ca.leaf('client', { cn: 'delta.test', usage: 'clientAuth' }),
		'limited claims': ca.leaf('limited', { cn: 'delta.test', extra: ['1.3.6.1.5.5.7.1.27=DER:3000'] }),
		'chain of 10': { key: pairs['delta.test'].key, text: chain + chain + chain + chain + chain },
		'with its key': { key: pairs['delta.test'].key, text: chain + readFileSync(pairs['delta.test'].key, 'utf8') },
		nothing: { key: pairs['delta.test'].key, text: 'no certificate' },
	};
	for (const [what, pair] of Object.entries(rows)) {
		const name = what.replaceAll(' ', '-');
		const x5u = show('delta.test', `/c/${name}.pem`, pair.text ?? readFileSync(pair.cert, 'utf8'));
		// a key that cannot sign ES256 leaves a signature of another: it is the certificate that is judged
		const key = ['P-384', 'RSA'].includes(what) ? pairs['delta.test'].key : pair.key;
		await expect(437, 'delta.test', { body, identity: signed('delta.test', body, { key, x5u }) }, what);
	}
	const uri = ca.uriSan('delta.test');
	await expect(486, 'delta.test', { body, identity: signed('delta.test', body, { key: uri.key, x5u: show('delta.test', '/c/uri.pem', readFileSync(uri.cert)) }) }, 'a sip: URI');
	const der = execFileSync('openssl', ['x509', '-in', ca.leaf('der', { cn: 'delta.test' }).cert, '-outform', 'der']);
	files.set('/c/alone.cer', der);
	await expect(437, 'delta.test', { body, identity: signed('delta.test', body, { key: join(ca.dir, 'der.key'), x5u: 'https://delta.test/c/alone.cer' }) }, 'DER, but nobody knows its issuer');
});

test('abuse_073_hostile_addresses', async () => {
	const body = sdp.offer('addresses');
	const tap = await capture(beta.host);
	const n = asked.length;
	for (const x5u of ['http://delta.test/delta.test.pem', 'file:///etc/passwd', 'https://127.0.0.1/x', 'https://[::1]/x', 'https://2130706433/x', 'https://0x7f.1/x', 'https://localhost/x',
		'https://gamma.test/gamma.test.pem', 'https://evildelta.test/x', 'https://delta.test.evil.test/x', 'https://delta.test@gamma.test/x', 'https://gamma.test#delta.test', 'https://gamma.test?.delta.test',
		'https://delta.test:0/x', 'https://delta.test:99999/x', 'https://inside.delta.test/x', 'https://loop.delta.test/x', 'https://mapped.delta.test/x', 'https://10.0.0.1.delta.test/x', 'cid:certificate', 'ldap://delta.test/x'])
		await expect(436, 'delta.test', { body, identity: signed('delta.test', body, { x5u }) }, x5u);
	assert.equal(asked.length, n, 'nothing was asked for');
	const packets = (await tap.stop()).filter((p) => p.src === '198.18.0.20' && (p.dst.startsWith('127.') || p.dst.startsWith('10.')));
	assert.deepEqual(packets, []);
	const secret = show('delta.test', '/after', readFileSync(pairs['delta.test'].cert));
	files.set('/redirect', (response) => response.writeHead(302, { Location: secret }).end());
	files.set('/huge', (response) => {
		response.writeHead(200);
		response.end(Buffer.alloc(200_000, 'x'));
	});
	files.set('/declared', (response) => response.writeHead(200, { 'Content-Length': 10_000_000 }).write('x'));
	files.set('/slow', (response) => response.writeHead(200).write('-----BEGIN '));
	for (const path of ['/redirect', '/huge', '/declared', '/slow']) {
		const begun = performance.now();
		await expect(436, 'delta.test', { body, identity: signed('delta.test', body, { x5u: `https://delta.test${path}` }) }, path);
		assert.ok(performance.now() - begun < 3600 * SLOW, `${path}: ${performance.now() - begun} ms`);
	}
	assert.ok(!asked.includes('/after'), 'no redirect is followed');
	await expect(486, 'delta.test', { body, identity: signed('delta.test', body, { x5u: `https://more.delta.test/delta.test.pem` }) }, 'below the domain');
});

test('abuse_074_a_thousand_addresses', async () => {
	const body = sdp.offer('flood');
	const open = [];
	const slow = (response) => open.push(response);
	const n_before = asked.length;
	const model = signed('delta.test', body);
	const statuses = new Map();
	let sent = 0, slowest = 0;
	/* one of 25 connections: its next INVITE when the last one is answered */
	const pour = async () => {
		const link = await links['delta.test'].site.dial('198.18.0.20', 'beta.test');
		while (sent < 1000) {
			const path = `/slow/${sent++}`;
			files.set(path, slow);
			const at = performance.now();
			const one = link.call({ from: 'gunda@delta.test', to: 'bob@beta.test', body, headers: [['Date', date()], ['Identity', model.replace(/info=<[^>]*>/, `info=<https://delta.test${path}>`)]] });
			const final = await one.response(undefined, { ms: 30_000 });
			one.ack(final);
			slowest = Math.max(slowest, performance.now() - at);
			statuses.set(final.status, (statuses.get(final.status) ?? 0) + 1);
		}
	};
	const floods = Array.from({ length: 25 }, pour);
	// another domain's call in the middle of it, its certificate not yet known
	const fresh = show('gamma.test', '/fresh.pem', readFileSync(pairs['gamma.test'].cert));
	const gamma = sdp.offer('others');
	const begun = performance.now();
	await expect(486, 'gamma.test', { body: gamma, identity: signed('gamma.test', gamma, { x5u: fresh }) }, 'others are not held up');
	assert.ok(performance.now() - begun < 3600, `${performance.now() - begun} ms`);
	await Promise.all(floods);
	assert.ok(slowest < 3600, `no call waits for longer than 3 s, whatever it waits for: ${slowest} ms`);
	assert.deepEqual([...statuses], [[436, 1000]]);
	assert.ok(asked.length - n_before < 40, `${asked.length - n_before} fetches for 1000 INVITEs`);
	for (const response of open)
		response.destroy();
	// what failed is not asked for again soon
	const count = asked.filter((p) => p === '/absent-again').length;
	for (let i = 0; i < 3; i++)
		await expect(436, 'delta.test', { body, identity: signed('delta.test', body, { x5u: 'https://delta.test/absent-again' }) });
	assert.equal(asked.filter((p) => p === '/absent-again').length, count + 1);
});
