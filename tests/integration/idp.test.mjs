// limit: 180 s
// The identity provider of a site: its own host, what lies there, and its API.
//
//   programs (.1) ──https──► alpha.test, idp.alpha.test (.10); beta.test (.20) without a provider's certificate
import assert from 'node:assert/strict';
import { request } from 'node:https';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto';
import { Client, http } from '../lib/client.mjs';
import { PASSWORD, twoSites } from '../lib/site.mjs';
import { until } from '../lib/world.mjs';

const PROXY = '/.well-known/idp-proxy/sluss';
const IDP = 'https://idp.alpha.test';
let world, alpha, beta, ca;

before(async () => {
	({ world, alpha, beta, ca } = await twoSites({
		start: false, idp: true,
		tune: (options, name, authority) => {
			if (name === 'beta')
				options.sites[0].pair = authority.leaf('beta-alone', { cn: 'beta.test' });
		},
	}));
	alpha.limits['idp-queue'] = 8;
	alpha.limits['idp-rate'] = 150; // one of the tests asks 257 times in a row
	alpha.idpRoot = join(world.dir, 'pages');
	mkdirSync(join(alpha.idpRoot, 'sub'), { recursive: true });
	for (const [name, text] of [['proxy.js', '/* script */'], ['shim.html', '<!doctype html>shim'], ['signin.html', 'sign in'],
		['sub/x.css', 'p{}'], ['.hidden.js', 'hidden']])
		writeFileSync(join(alpha.idpRoot, name), text);
	await alpha.write().start();
	await beta.start();
	for (const user of ['alice', 'anna', 'carol', 'dora', 'emil', 'emma'])
		await alpha.addUser(user);
});
after(() => world?.close());

/** With one name in the TLS handshake and another in the Host; of a body only its length goes out. */
const statusOf = (servername, host, path, more = {}) => new Promise((resolve, reject) => {
	const asked = request({ host: alpha.host.address, servername, path, ca: alpha.ca, agent: false, headers: { Host: host }, ...more }, (answer) => {
		answer.resume();
		resolve(answer.statusCode);
		asked.destroy();
	}).on('error', reject);
	if (more.method)
		asked.flushHeaders();
	else
		asked.end();
});
const SHOP = 'https://shop.test:8443', EVIL = 'https://evil.test', OWN = 'https://alpha.test';
const KEY = { algorithm: 'sha-256', digest: Array.from({ length: 32 }, (_, i) => i.toString(16).padStart(2, '0').toUpperCase()).join(':') };
const CONTENTS = JSON.stringify({ fingerprint: [KEY] });
/** What a page of the provider sends along. */
const PAGE = { 'X-Sluss-IdP': '1', 'Sec-Fetch-Site': 'same-origin', Origin: IDP };
const verifier = () => randomBytes(32).toString('base64url');
const challenge = (v) => createHash('sha256').update(v).digest('base64url');
const ask = (method, path, { body, cookie, grant, headers = {} } = {}) => idp(method, `/idp/v1/${path}`,
	{ body, token: grant, headers: { ...(method === 'GET' ? {} : PAGE), ...(cookie ? { Cookie: cookie } : {}), ...headers } });
/** Signs in at the provider: the cookie. */
async function signIn(user, password = PASSWORD) {
	const answer = await ask('POST', 'session', { body: { user, password } });
	assert.equal(answer.status, 200, answer.text);
	return answer.headers['set-cookie'][0].split(';')[0];
}
const consent = async (cookie, origin, more = {}) => {
	const answer = await ask('POST', 'consents', { cookie, body: { origin, frames: true, ...more } });
	assert.deepEqual([answer.status, answer.json], [200, {}], answer.text);
};
/** A frame on `origin` gets its grant. */
async function granted(cookie, origin) {
	const v = verifier();
	const code = await ask('POST', 'codes', { cookie, body: { origin, challenge: challenge(v) } });
	assert.equal(code.status, 200, code.text);
	const answer = await ask('POST', 'redeem', { body: { code: code.json.code, verifier: v, origin } });
	assert.equal(answer.status, 200, answer.text);
	return answer.json.grant;
}
const assertion = (more, who) => ask('POST', 'assert', { ...who, body: { contents: CONTENTS, origin: SHOP, ctx: 'native', ...more } });
const refused = (answer, status, error) => {
	assert.deepEqual([answer.status, answer.json?.error], [status, error], answer.text);
	assert.ok(answer.json.text.length > 5, answer.text);
	return answer;
};
const headOf = (answer) => JSON.parse(Buffer.from(answer.json.assertion.split('.')[0], 'base64url').toString());
/** What it says, after an independent check of the signature. */
async function opened(answer) {
	assert.equal(answer.status, 200, answer.text);
	const [head, payload, signature] = answer.json.assertion.split('.');
	const { keys } = (await http(alpha, 'GET', '/.well-known/sluss/jwks.json')).json;
	const jwk = keys.find((k) => k.kid === headOf(answer).kid);
	const key = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' };
	assert.ok(verify('sha256', Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, 'base64url')), 'the signature is not good');
	return JSON.parse(Buffer.from(payload, 'base64url').toString());
}

const idp = (method, path, options) => http(alpha.idp(), method, path, options);

test('the proxy is found by the site: script and page are told apart by what they are asked for', async () => {
	const way = await http(alpha, 'GET', PROXY);
	assert.deepEqual([way.status, way.headers.location], [302, `${IDP}${PROXY}`]);
	assert.equal(way.headers['cache-control'], 'max-age=300');
	assert.equal((await http(alpha, 'POST', PROXY, { body: {} })).status, 405);
	const people = await http(alpha, 'GET', '/identity');
	assert.deepEqual([people.status, people.headers.location], [302, `${IDP}/idp/identity.html`]);
	assert.equal((await http(beta, 'GET', '/identity')).status, 404, 'it has no provider');
	for (const [site, has] of [[alpha, true], [beta, false]])
		assert.equal((await http(site, 'GET', '/api/v1/site')).json.identity, has);
	const script = await idp('GET', PROXY, { headers: { 'Sec-Fetch-Dest': 'script' } });
	assert.deepEqual([script.status, script.text], [200, '/* script */']);
	assert.match(script.headers['content-type'], /^text\/javascript/);
	assert.equal(script.headers.connection, 'close');
	assert.equal(script.headers.vary, 'Sec-Fetch-Dest, Accept');
	assert.equal(script.headers['cache-control'], 'max-age=300');
	assert.equal((await idp('GET', PROXY)).text, '/* script */', 'whoever does not say what for');
	for (const dest of ['iframe', 'frame', 'document']) {
		const page = await idp('GET', PROXY, { headers: { 'Sec-Fetch-Dest': dest } });
		assert.equal(page.text, '<!doctype html>shim', dest);
		assert.equal(page.headers.vary, 'Sec-Fetch-Dest, Accept');
		assert.doesNotMatch(page.headers['content-security-policy'], /frame-ancestors/);
	}
	// browsers that do not say what for
	assert.equal((await idp('GET', PROXY, { headers: { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } })).text, '<!doctype html>shim');
	assert.equal((await idp('GET', PROXY, { headers: { Accept: '*/*' } })).text, '/* script */');
	assert.equal((await idp('GET', PROXY, { headers: { Accept: 'text/html', 'Sec-Fetch-Dest': 'script' } })).text, '/* script */');
	const again = await idp('GET', PROXY, { headers: { 'If-None-Match': script.headers.etag } });
	assert.equal(again.status, 304);
	assert.equal((await idp('POST', PROXY, { body: {} })).status, 405);
});

test('each host has its own things, and nothing of the other', async () => {
	const signin = await idp('GET', '/idp/signin.html');
	assert.deepEqual([signin.status, signin.text], [200, 'sign in']);
	assert.match(signin.headers['content-security-policy'], /frame-ancestors 'none'/);
	assert.doesNotMatch(signin.headers['content-security-policy'], /unsafe/);
	assert.equal(signin.headers['cross-origin-opener-policy'], 'unsafe-none');
	assert.doesNotMatch((await idp('GET', '/idp/shim.html')).headers['content-security-policy'], /frame-ancestors/);
	assert.match((await idp('GET', '/idp/badge.html')).headers['content-security-policy'], /frame-ancestors 'none'/, 'no other page');
	assert.equal((await idp('GET', '/idp/sub/x.css')).status, 200);
	for (const path of ['/', '/index.html', '/sdk/sluss.js', '/phone/index.html', '/api/v1/site', '/api/v1/session', '/ws', '/call/bob', '/idp/',
		'/idp/.hidden.js', '/idp/../alpha/sluss.conf', '/idp/%2e%2e/x', '/idp/missing.html', '/.well-known/sluss/sip/x.pem'])
		assert.equal((await idp('GET', path)).status, 404, path);
	for (const path of ['/idp/signin.html', '/idp/v1/session'])
		assert.equal((await http(alpha, 'GET', path)).status, 404, path);
	assert.equal((await idp('GET', '/healthz')).status, 200);
	/* the name of the TLS handshake and the Host must agree */
	assert.equal(await statusOf('alpha.test', 'idp.alpha.test', PROXY), 421);
	assert.equal(await statusOf('idp.alpha.test', 'alpha.test', '/'), 421);
});

test('a site whose certificate does not cover the host has no provider, says so once, and is fine', async () => {
	assert.equal((await http(beta, 'GET', '/api/v1/site')).status, 200);
	assert.equal((await http(beta, 'GET', PROXY)).status, 404);
	await assert.rejects(http(beta.idp(), 'GET', PROXY), /alert|unrecognized/i);
	const said = beta.proc.text.match(/the identity provider of beta.test is off[^\n]*/g);
	assert.equal(said?.length, 1);
	assert.match(said[0], /does not cover idp.beta.test/);
	assert.doesNotMatch(alpha.proc.text, /identity provider/);
	/* a pair of its own does */
	await beta.stop();
	const pair = ca.leaf('idp.beta.test');
	beta.sites[0].lines = [`idp-certificate = "${pair.cert}"`, `idp-key = "${pair.key}"`];
	await beta.write().start();
	assert.equal((await http(beta, 'GET', PROXY)).status, 302);
	assert.doesNotMatch(beta.proc.text, /identity provider of beta.test is off/);
	await beta.stop();
	beta.sites[0].lines = ['identity-provider = false'];
	await beta.write().start();
	assert.equal((await http(beta, 'GET', PROXY)).status, 404);
	assert.doesNotMatch(beta.proc.text, /identity provider/);
});

test('the keys: P-256 with their public half alone, named by their thumbprint, at both hosts, for everybody', async () => {
	const at = await http(alpha, 'GET', '/.well-known/sluss/jwks.json');
	assert.equal(at.status, 200, at.text);
	assert.equal(at.headers['cache-control'], 'max-age=300');
	assert.equal(at.headers['access-control-allow-origin'], '*');
	assert.equal(at.json.keys.length, 1);
	const [key] = at.json.keys;
	assert.deepEqual(Object.keys(key).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
	assert.deepEqual([key.kty, key.crv, key.use, key.alg], ['EC', 'P-256', 'sig', 'ES256']);
	assert.equal(key.kid, challenge(JSON.stringify({ crv: key.crv, kty: key.kty, x: key.x, y: key.y })), 'RFC 7638');
	assert.deepEqual((await idp('GET', '/.well-known/sluss/jwks.json')).json, at.json);
	assert.equal((await http(beta, 'GET', '/.well-known/sluss/jwks.json')).status, 404, 'it has no provider');
	assert.equal((await http(alpha, 'POST', '/.well-known/sluss/jwks.json', { body: {} })).status, 405);
});

test('a session: a cookie that scripts do not see, who it is, and out again', async () => {
	const answer = await ask('POST', 'session', { body: { user: 'alice@alpha.test', password: PASSWORD } });
	assert.deepEqual([answer.status, answer.json], [200, { user: 'alice@alpha.test' }]);
	assert.match(answer.headers['set-cookie'][0], /^__Host-sluss-idp=[0-9a-f]{64}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure$/);
	const cookie = answer.headers['set-cookie'][0].split(';')[0];
	assert.deepEqual((await ask('GET', 'session', { cookie })).json, { user: 'alice@alpha.test', name: 'alice' });
	assert.equal((await ask('PUT', 'profile', { cookie, body: { name: 'Alice \u202eLiddell' } })).status, 200);
	assert.equal((await ask('GET', 'session', { cookie })).json.name, 'Alice Liddell', 'no marks of direction');
	refused(await ask('PUT', 'profile', { body: { name: 'x' } }), 401, 'sign-in');
	const out = await ask('DELETE', 'session', { cookie });
	assert.equal(out.status, 200);
	assert.match(out.headers['set-cookie'][0], /^__Host-sluss-idp=; Path=\/; Max-Age=0/);
	const gone = refused(await ask('GET', 'session', { cookie }), 401, 'sign-in');
	assert.equal(gone.json.loginUrl, `${IDP}/idp/signin.html`);
	/* a sign-in of the site is none here, and the other way round */
	const token = (await http(alpha, 'POST', '/api/v1/session', { body: { user: 'alice', password: PASSWORD, bearer: true } })).json.token;
	refused(await ask('GET', 'session', { cookie: `__Host-sluss-idp=${token}` }), 401, 'sign-in');
	refused(await ask('GET', 'session', { grant: token }), 401, 'sign-in');
	const mine = (await signIn('alice')).split('=')[1];
	assert.equal((await http(alpha, 'GET', '/api/v1/session', { token: mine })).status, 401);
});

test('guessing passwords is slowed as at the site, by the same count', async () => {
	for (let i = 0; i < 10; i++)
		refused(await ask('POST', 'session', { body: { user: 'emil', password: `wrong ${i}` } }), 401, 'bad-login');
	const slow = refused(await ask('POST', 'session', { body: { user: 'emil', password: PASSWORD } }), 429, 'too-soon');
	assert.ok(Number(slow.headers['retry-after']) >= 1);
	assert.equal((await http(alpha, 'POST', '/api/v1/session', { body: { user: 'emil', password: PASSWORD, bearer: true } })).status, 429);
	refused(await ask('POST', 'session', { body: { user: 'nobody-here', password: 'wrong wrong' } }), 401, 'bad-login');
	assert.equal((await ask('POST', 'session', { body: { user: 'anna', password: PASSWORD } })).status, 200);
});

test('what changes something is asked by pages of the provider alone', async () => {
	const cookie = await signIn('anna');
	const body = { origin: SHOP, frames: true };
	for (const headers of [{ 'X-Sluss-IdP': '' }, { 'X-Sluss-IdP': '2' }, { 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'same-site' }, { 'Sec-Fetch-Site': 'none' },
		{ Origin: OWN }, { Origin: SHOP }, { Origin: 'null' }])
		refused(await ask('POST', 'consents', { cookie, body, headers }), 403, 'origin');
	for (const [method, path] of [['PUT', 'rules'], ['DELETE', 'consents'], ['DELETE', 'session'], ['POST', 'assert'], ['POST', 'redeem']])
		refused(await idp(method, `/idp/v1/${path}`, { body: path === 'rules' ? [] : body, headers: { Cookie: cookie } }), 403, 'origin');
	const bare = await idp('POST', '/idp/v1/consents', { body, headers: { Cookie: cookie, 'X-Sluss-IdP': '1' } });
	assert.equal(bare.status, 200, 'a browser without Fetch Metadata');
	for (const answer of [bare, await ask('GET', 'session', { cookie, headers: { Origin: SHOP } }),
		await idp('OPTIONS', '/idp/v1/consents', { headers: { Origin: SHOP, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'x-sluss-idp' } })])
		assert.equal(answer.headers['access-control-allow-origin'], undefined, 'no page elsewhere reads it');
});

test('methods, paths and bodies that are not taken', async () => {
	const cookie = await signIn('anna');
	for (const [method, path, allow] of [['GET', 'assert', 'POST'], ['PUT', 'session', 'GET, HEAD, POST, DELETE'], ['POST', 'rules', 'GET, HEAD, PUT'], ['DELETE', 'codes', 'POST']]) {
		const answer = refused(await ask(method, path, { cookie }), 405, 'method');
		assert.equal(answer.headers.allow, allow);
	}
	refused(await ask('GET', 'nothing', { cookie }), 404, 'not-found');
	refused(await ask('GET', 'oidc/unknown/start?to=/idp/identity.html', { cookie }), 404, 'not-found');
	refused(await ask('GET', 'oidc/unknown/callback?code=x&state=y', { cookie }), 404, 'not-found');
	assert.deepEqual((await ask('GET', 'providers')).json, []);
	refused(await ask('POST', 'assert', { cookie, body: '{"contents":' }), 400, 'bad-json');
	refused(await ask('POST', 'assert', { cookie, body: '['.repeat(40) + ']'.repeat(40) }), 400, 'too-deep');
	assert.equal(await statusOf('idp.alpha.test', 'idp.alpha.test', '/idp/v1/assert',
		{ method: 'POST', headers: { Host: 'idp.alpha.test', ...PAGE, Cookie: cookie, 'Content-Length': 16385 } }), 413);
	for (const [path, body] of [['assert', []], ['assert', { contents: CONTENTS, origin: SHOP }], ['assert', { contents: CONTENTS, origin: SHOP, ctx: 'other' }],
		['assert', { contents: CONTENTS, origin: SHOP, ctx: 'native', peer: 5 }], ['assert', { contents: CONTENTS, origin: SHOP, ctx: 'native', more: 1 }],
		['consents', { origin: SHOP }], ['consents', { origin: SHOP, frames: 'yes' }], ['consents', { origin: SHOP, frames: true, claims: ['phone'] }],
		['consents', { origin: 'shop.test', frames: true }], ['consents', { origin: 'https://shop.test/', frames: true }], ['consents', { origin: 'https://SHOP.test', frames: true }],
		['codes', { origin: SHOP, challenge: 'short' }], ['session', { user: 'x' }], ['check', {}], ['redeem', { code: 'x' }]])
		refused(await ask('POST', path, { cookie, body }), 400, 'bad-message');
});

test('an assertion: signed, about these keys, for this page, said by this person', async () => {
	const cookie = await signIn('carol');
	const no = refused(await assertion({}, {}), 401, 'sign-in');
	assert.equal(no.json.loginUrl, `${IDP}/idp/signin.html?origin=https%3A%2F%2Fshop.test%3A8443`);
	const odd0 = refused(await ask('POST', 'consents', { body: { origin: 'https://x.test"&a=#', frames: true } }), 401, 'sign-in');
	assert.equal(odd0.json.loginUrl, `${IDP}/idp/signin.html`, 'what is no origin does not come back');
	const asked = refused(await assertion({}, { cookie }), 403, 'consent');
	assert.equal(asked.json.loginUrl, no.json.loginUrl);
	await consent(cookie, SHOP);
	const answer = await assertion({ usernameHint: '', peer: '' }, { cookie });
	assert.deepEqual(answer.json.idp, { domain: 'alpha.test', protocol: 'sluss' });
	const claims = await opened(answer);
	const now = Date.now() / 1000;
	const { jti, iat, ...rest } = claims;
	assert.deepEqual(rest, { iss: OWN, sub: 'carol@alpha.test', nbf: iat, exp: iat + 300, contents: CONTENTS, origin: SHOP, ctx: 'native', profile: { name: 'carol' } });
	assert.ok(Math.abs(iat - now) < 10);
	assert.match(jti, /^[A-Za-z0-9_-]{22}$/);
	assert.notEqual((await opened(await assertion({}, { cookie }))).jti, jti);
	const { kid, ...head } = headOf(answer);
	assert.deepEqual(head, { alg: 'ES256', typ: 'webrtc-id+jwt' });
	assert.match(kid, /^[A-Za-z0-9_-]{43}$/);
	assert.ok(answer.json.assertion.length <= 4096);
	/* contents come back byte for byte, whatever else stands in them */
	const odd = `{ "fingerprint": [ ${JSON.stringify(KEY)} ], "later":"\u00e4\\n" }`;
	assert.equal((await opened(await assertion({ contents: odd }, { cookie }))).contents, odd);
	const peer = await opened(await assertion({ peer: 'Bob@Beta.Test' }, { cookie }));
	assert.equal(peer.peer, 'bob@beta.test');
});

test('contents that are not about good keys are not signed', async () => {
	const cookie = await signIn('carol');
	await consent(cookie, SHOP);
	const bad = [['not JSON', 'x'], ['no list', '{}'], ['an empty list', '{"fingerprint":[]}'], ['no object', '{"fingerprint":"x"}'], ['a member twice', '{"fingerprint":[],"fingerprint":[{}]}'],
		['sha-1', JSON.stringify({ fingerprint: [{ algorithm: 'sha-1', digest: Array(20).fill('AB').join(':') }] })],
		['one good, one weak', JSON.stringify({ fingerprint: [KEY, { algorithm: 'md5', digest: Array(16).fill('AB').join(':') }] })],
		['lower case', JSON.stringify({ fingerprint: [{ ...KEY, digest: KEY.digest.toLowerCase() }] })],
		['too short', JSON.stringify({ fingerprint: [{ ...KEY, digest: 'AB:CD' }] })], ['no colons', JSON.stringify({ fingerprint: [{ ...KEY, digest: KEY.digest.replaceAll(':', '') }] })],
		['upper-case algorithm', JSON.stringify({ fingerprint: [{ ...KEY, algorithm: 'SHA-256' }] })],
		['too many', JSON.stringify({ fingerprint: Array.from({ length: 9 }, (_, i) => ({ ...KEY, digest: KEY.digest.replace(/^../, `A${i}`) })) })],
		['too long', `${CONTENTS.slice(0, -1)},"pad":"${'x'.repeat(2000)}"}`]];
	for (const [what, contents] of bad)
		assert.deepEqual([what, refused(await assertion({ contents }, { cookie }), 400, 'invalid').status], [what, 400]);
	for (const origin of ['shop.test', 'http://shop.test', 'https://shop.test/', 'null', `https://${'a'.repeat(100)}`])
		refused(await assertion({ origin }, { cookie }), 400, 'invalid');
	refused(await assertion({ peer: 'not an address' }, { cookie }), 400, 'invalid');
});

test('check: ours is good, and gives back what was signed; anything else is not', async () => {
	const cookie = await signIn('carol');
	await consent(cookie, SHOP);
	const good = (await assertion({ peer: 'bob@beta.test' }, { cookie })).json.assertion;
	const check = (token, more = {}) => ask('POST', 'check', { body: { assertion: token, ...more } });
	assert.deepEqual((await check(good)).json, { identity: 'carol@alpha.test', contents: CONTENTS, profile: { name: 'carol' }, ctx: 'native', origin: SHOP });
	assert.equal((await check(good, { peer: 'bob@beta.test' })).status, 200);
	refused(await check(good, { peer: 'eve@beta.test' }), 400, 'invalid');
	const [h, p, s] = good.split('.');
	const flip = (text, i) => text.slice(0, i) + (text[i] === 'A' ? 'B' : 'A') + text.slice(i + 1);
	const none = Buffer.from('{"alg":"none","typ":"webrtc-id+jwt"}').toString('base64url');
	const jwt = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(h, 'base64url')), typ: 'JWT' })).toString('base64url');
	for (const token of ['x', 'a.b', 'a.b.c', `${h}.${p}`, `${h}.${p}.${s}.x`, `${h}.${p}.`, `${h}.${flip(p, 10)}.${s}`, `${h}.${p}.${flip(s, 10)}`, `${none}.${p}.`, `${jwt}.${p}.${s}`, `${good}=`])
		refused(await check(token), 400, 'invalid');
});

test('a frame: a code that only it can redeem, once, and a grant for one page', async () => {
	const cookie = await signIn('dora');
	await consent(cookie, SHOP);
	const v = verifier();
	const make = async () => (await ask('POST', 'codes', { cookie, body: { origin: SHOP, challenge: challenge(v) } })).json.code;
	const redeem = (body) => ask('POST', 'redeem', { body });
	const code = await make();
	assert.match(code, /^[0-9a-f]{64}$/);
	const answer = await redeem({ code, verifier: v, origin: SHOP });
	assert.deepEqual([answer.status, answer.json.user, answer.headers['set-cookie']], [200, 'dora@alpha.test', undefined]);
	refused(await redeem({ code, verifier: v, origin: SHOP }), 403, 'code');
	/* who steals it has nothing, and it is spent */
	const stolen = await make();
	refused(await redeem({ code: stolen, verifier: verifier(), origin: SHOP }), 403, 'code');
	refused(await redeem({ code: stolen, verifier: v, origin: SHOP }), 403, 'code');
	refused(await redeem({ code: await make(), verifier: v, origin: EVIL }), 403, 'code');
	refused(await redeem({ code: '0'.repeat(64), verifier: v, origin: SHOP }), 403, 'code');
	refused(await ask('POST', 'codes', { body: { origin: SHOP, challenge: challenge(v) } }), 401, 'sign-in');
	refused(await ask('POST', 'codes', { cookie, body: { origin: EVIL, challenge: challenge(v) } }), 403, 'consent');

	const { grant } = answer.json;
	assert.equal((await opened(await assertion({ ctx: 'frame' }, { grant }))).ctx, 'frame');
	assert.equal((await ask('GET', 'session', { grant })).json.origin, SHOP);
	refused(await assertion({ ctx: 'native' }, { grant }), 403, 'origin');
	refused(await assertion({ ctx: 'frame', origin: EVIL }, { grant }), 403, 'origin');
	refused(await assertion({ ctx: 'frame' }, { grant: 'f'.repeat(64) }), 401, 'sign-in');
	/* a grant is for assertions and nothing else */
	for (const [method, path, body] of [['GET', 'consents'], ['GET', 'rules'], ['PUT', 'rules', []], ['POST', 'consents', { origin: EVIL, frames: true }], ['POST', 'codes', { origin: SHOP, challenge: challenge(v) }]])
		refused(await ask(method, path, { grant, body }), 401, 'sign-in');
});

test('consents: seen, changed, ended; frames can be switched off', async () => {
	const cookie = await signIn('dora');
	await consent(cookie, SHOP, { claims: ['name'] });
	const grant = await granted(cookie, SHOP);
	assert.equal((await assertion({ ctx: 'frame' }, { grant })).status, 200);
	const list = (await ask('GET', 'consents', { cookie })).json;
	const [mine] = list.filter((c) => c.origin === SHOP);
	assert.deepEqual([mine.frames, mine.claims, mine.own], [true, ['name'], false]);
	assert.ok(Math.abs(mine.since - Date.now() / 1000) < 60 && mine.used >= mine.since);
	await consent(cookie, SHOP, { frames: false });
	refused(await assertion({ ctx: 'frame' }, { grant }), 401, 'sign-in');
	refused(await assertion({ ctx: 'frame' }, { cookie }), 403, 'consent');
	refused(await ask('POST', 'codes', { cookie, body: { origin: SHOP, challenge: challenge(verifier()) } }), 403, 'consent');
	assert.equal((await assertion({}, { cookie })).status, 200, 'the browser itself still may');
	await consent(cookie, SHOP);
	const again = await granted(cookie, SHOP);
	assert.equal((await ask('DELETE', 'consents', { cookie, body: { origin: SHOP } })).status, 200);
	refused(await assertion({ ctx: 'frame' }, { grant: again }), 401, 'sign-in');
	refused(await assertion({}, { cookie }), 403, 'consent');
	refused(await ask('DELETE', 'consents', { cookie, body: { origin: SHOP } }), 404, 'not-found');
	assert.deepEqual((await ask('GET', 'consents', { cookie })).json.filter((c) => c.origin === SHOP), []);
	refused(await ask('GET', 'consents'), 401, 'sign-in');
});

test('rules: what is said to whom; pseudonyms that differ by page', async () => {
	const cookie = await signIn('carol');
	await consent(cookie, SHOP);
	await consent(cookie, EVIL);
	await ask('PUT', 'profile', { cookie, body: { name: 'Carol' } });
	const set = (rules) => ask('PUT', 'rules', { cookie, body: rules });
	const said = async (more = {}) => {
		const { sub, profile } = await opened(await assertion(more, { cookie }));
		return [sub, profile];
	};
	assert.deepEqual((await ask('GET', 'rules', { cookie })).json, []);
	assert.deepEqual(await said(), ['carol@alpha.test', { name: 'Carol' }]);
	assert.equal((await set([{ for: 'anyone', reveal: 'pseudonym', claims: [] }, { for: SHOP, reveal: 'full', claims: [] }, { for: 'Bob@Beta.test', reveal: 'full', claims: ['name', 'email'] },
		{ for: 'eve@beta.test', reveal: 'none' }])).status, 200);
	assert.deepEqual((await ask('GET', 'rules', { cookie })).json.map((r) => [r.for, r.reveal, r.claims]),
		[['anyone', 'pseudonym', []], [SHOP, 'full', []], ['bob@beta.test', 'full', ['name', 'email']], ['eve@beta.test', 'none', []]]);
	/* with rules for single persons it has to be known who gets it: else one of them would get what anyone does */
	const ann = 'ann@beta.test';
	for (const more of [{}, { peer: '' }, { origin: EVIL }])
		refused(await assertion(more, { cookie }), 403, 'peer');
	refused(await assertion({ ctx: 'frame' }, { grant: await granted(cookie, SHOP) }), 403, 'peer');
	assert.deepEqual(await said({ peer: ann }), ['carol@alpha.test', undefined]);
	assert.deepEqual(await said({ peer: 'bob@beta.test', origin: EVIL }), ['carol@alpha.test', { name: 'Carol' }]);
	refused(await assertion({ peer: 'eve@beta.test' }, { cookie }), 403, 'refused');
	const [evil, nothing] = await said({ origin: EVIL, peer: ann });
	assert.match(evil, /^[a-z2-7]{26}@alpha\.test$/);
	assert.equal(nothing, undefined);
	assert.deepEqual(await said({ origin: EVIL, peer: ann }), [evil, undefined], 'the same there, always');
	await set([{ for: 'anyone', reveal: 'pseudonym', claims: ['name'] }, { for: 'bob@beta.test', reveal: 'pseudonym' }]);
	const [shop, profile] = await said({ peer: ann });
	assert.notEqual(shop, evil);
	assert.deepEqual(profile, { name: 'Carol' });
	const [bobs] = await said({ peer: 'bob@beta.test' });
	assert.deepEqual((await said({ peer: 'bob@beta.test', origin: EVIL }))[0], bobs, 'by the peer where the rule is the peer\'s');
	assert.equal(new Set([shop, evil, bobs]).size, 3);
	/* what a page was not given by consent, no rule gives */
	await consent(cookie, SHOP, { claims: [] });
	assert.deepEqual(await said({ peer: ann }), [shop, undefined]);
	await set([{ for: 'anyone', reveal: 'pseudonym', claims: ['name'] }]);
	assert.deepEqual(await said(), [shop, undefined], 'no rule for a person: nobody asks who it is');
	for (const body of [{}, [{}], [{ for: 'anyone' }], [{ for: 'anyone', reveal: 'all' }], [{ for: 'someone', reveal: 'full' }], [{ for: 'anyone', reveal: 'full', claims: ['x'] }],
		[{ for: 'anyone', reveal: 'full', more: 1 }], [{ for: SHOP, reveal: 'full' }, { for: SHOP, reveal: 'none' }], Array.from({ length: 65 }, (_, i) => ({ for: `https://s${i}.test`, reveal: 'full' }))])
		refused(await set(body), 400, 'bad-message');
	refused(await ask('PUT', 'rules', { body: [] }), 401, 'sign-in');
	assert.equal((await set([])).status, 200);
	/* nobody can take a pseudonym for his name */
	const taken = await alpha.ctl('user', 'add', evil, { input: `${PASSWORD}\n` });
	assert.notEqual(taken.code, 0);
});

test('whom the page means: nobody is vouched for as the person before', async () => {
	const cookie = await signIn('dora');
	await consent(cookie, SHOP);
	refused(await assertion({ usernameHint: 'emil@alpha.test' }, { cookie }), 401, 'sign-in');
	refused(await assertion({ usernameHint: 'emil@alpha.test', ctx: 'frame' }, { grant: await granted(cookie, SHOP) }), 401, 'sign-in');
	for (const usernameHint of ['dora@alpha.test', 'DORA@alpha.test', 'emil@beta.test', 'emil', ''])
		assert.equal((await assertion({ usernameHint }, { cookie })).status, 200, usernameHint);
});

test('the site\'s own page gets a code without a question, and a session with it', async () => {
	const signedIn = await http(alpha, 'POST', '/api/v1/session', { body: { user: 'anna', password: PASSWORD }, origin: OWN });
	const cookie = signedIn.headers['set-cookie'][0].split(';')[0];
	const v = verifier();
	const code = (options) => http(alpha, 'POST', '/api/v1/idp-code', { body: { challenge: challenge(v) }, headers: { Cookie: cookie }, origin: OWN, ...options });
	const answer = await code();
	assert.equal(answer.status, 200, answer.text);
	assert.deepEqual(answer.json.idp, { domain: 'alpha.test', protocol: 'sluss' });
	const redeemed = await ask('POST', 'redeem', { body: { code: answer.json.code, verifier: v, origin: OWN } });
	assert.equal(redeemed.json.user, 'anna@alpha.test');
	const mine = redeemed.headers['set-cookie'][0].split(';')[0];
	assert.equal((await ask('GET', 'session', { cookie: mine })).json.user, 'anna@alpha.test');
	const own = (await ask('GET', 'consents', { cookie: mine })).json.find((c) => c.origin === OWN);
	assert.deepEqual([own.own, own.frames, own.claims], [true, true, ['name', 'picture', 'email']]);
	assert.equal((await opened(await assertion({ ctx: 'frame', origin: OWN }, { grant: redeemed.json.grant }))).sub, 'anna@alpha.test');
	assert.equal((await assertion({ origin: OWN }, { cookie: mine })).status, 200);
	assert.equal((await code({ origin: SHOP })).status, 403);
	assert.equal((await code({ origin: undefined })).status, 403, 'pages, not programs');
	assert.equal((await code({ headers: {} })).status, 401);
	refused(await code({ body: { challenge: 'short' } }), 400, 'bad-message');
	refused(await code({ body: {} }), 400, 'bad-message');
	assert.equal((await http(beta, 'POST', '/api/v1/idp-code', { body: { challenge: challenge(v) }, origin: 'https://beta.test', headers: { Cookie: '__Host-sluss=' + '0'.repeat(64) } })).status, 401);
	await beta.addUser('bea');
	const there = await http(beta, 'POST', '/api/v1/session', { body: { user: 'bea', password: PASSWORD }, origin: 'https://beta.test' });
	refused(await http(beta, 'POST', '/api/v1/idp-code', { body: { challenge: challenge(v) }, origin: 'https://beta.test', headers: { Cookie: there.headers['set-cookie'][0].split(';')[0] } }), 404, 'not-found');
});

test('more than it can take is refused in time, and what it has taken it does', async () => {
	const cookie = await signIn('anna');
	await consent(cookie, SHOP);
	/* somebody else holds the store, so that the first one waits and the others behind it */
	const holder = world.here.spawn(['sqlite3', alpha.store], { name: 'sqlite3-holder', stdio: ['pipe', 'pipe', 'pipe'] });
	holder.child.stdin.write("BEGIN IMMEDIATE;\nSELECT 'it is locked';\n");
	await holder.line(/it is locked/);
	const ends = [];
	const all = Array.from({ length: 24 }, () => ask('POST', 'codes', { cookie, body: { origin: SHOP, challenge: challenge(verifier()) } })
		.then((answer) => ends.push(answer.status) && answer));
	await until(4000, () => ends.length >= 12, 'those that find no room are refused while the others wait');
	assert.deepEqual([...new Set(ends)], [503]);
	holder.child.stdin.end('ROLLBACK;\n');
	await holder.exited;
	const answers = await Promise.all(all);
	for (const answer of answers.filter((a) => a.status !== 200)) {
		refused(answer, 503, 'busy');
		assert.ok(Number(answer.headers['retry-after']) >= 1);
	}
	const good = answers.filter((a) => a.status === 200);
	assert.ok(good.length >= 8 && new Set(good.map((a) => a.json.code)).size === good.length, `${good.length} codes`);
	assert.equal((await assertion({}, { cookie })).status, 200, 'and it goes on');
});

test('one address can ask so often; others are not held up, and the keys are for everybody', async () => {
	const address = '198.18.0.66';
	await world.address(66);
	const pair = ca.leaf('idp.beta.test');
	beta.sites[0].lines = [`idp-certificate = "${pair.cert}"`, `idp-key = "${pair.key}"`];
	beta.limits['idp-rate'] = 2; // each request is a handshake: a busy machine does not do many in a second
	if (!beta.proc.over)
		await beta.stop();
	await beta.write().start();
	const session = (localAddress) => new Promise((resolve, reject) => {
		request({ host: beta.host.address, servername: 'idp.beta.test', path: '/idp/v1/session', ca: beta.ca, localAddress, agent: false, headers: { Host: 'idp.beta.test' } }, (answer) => {
			answer.resume();
			resolve([answer.statusCode, answer.headers['retry-after']]);
		}).on('error', reject).end();
	});
	const answers = await Promise.all(Array.from({ length: 100 }, () => session(address)));
	const soon = answers.filter(([status]) => status === 429);
	assert.ok(soon.length > 20, `${soon.length} of 100 were too soon`);
	assert.ok(soon.every(([, retry]) => retry === '1'));
	assert.ok(answers.filter(([status]) => status === 401).length >= 4, 'as many as may were answered');
	assert.deepEqual(await session('198.18.0.1'), [401, undefined], 'somebody else');
	assert.equal(await statusOf('idp.beta.test', 'idp.beta.test', '/.well-known/sluss/jwks.json', { host: beta.host.address, localAddress: address }), 200);
	await until(5000, async () => (await session(address))[0] === 401, 'and then it may again');
	await beta.stop();
	beta.sites[0].lines = [];
	await beta.write().start();
});

test('nobody can allow pages without end', async () => {
	const cookie = await signIn('emma');
	for (let i = 0; i < 256; i += 8)
		await Promise.all(Array.from({ length: 8 }, (_, k) => consent(cookie, `https://s${i + k}.test`)));
	refused(await ask('POST', 'consents', { cookie, body: { origin: 'https://more.test', frames: true } }), 409, 'limit');
	await consent(cookie, 'https://s7.test', { frames: false });
	await ask('DELETE', 'consents', { cookie, body: { origin: 'https://s7.test' } });
	await consent(cookie, 'https://more.test');
});

test('hello says where the identity provider is, and says nothing where there is none', async () => {
	const at = async (site, user) => {
		const client = await Client.signIn(site, user, PASSWORD, 'test');
		const { idp: has } = client.hello;
		await client.close();
		return has;
	};
	assert.deepEqual(await at(alpha, 'anna'), { domain: 'alpha.test', protocol: 'sluss' });
	assert.equal(await at(beta, 'bea'), undefined);
});

test('rotation: a new key signs, the one before is still published and good, across a restart', async () => {
	const cookie = await signIn('carol');
	await consent(cookie, SHOP);
	const before = await assertion({}, { cookie });
	const { kid: old } = headOf(before);
	const done = await alpha.ctl('idp', 'rotate');
	assert.equal(done.code, 0, done.stderr);
	assert.equal(done.json.site, 'alpha.test');
	const { kid } = headOf(await assertion({}, { cookie }));
	assert.deepEqual([kid, kid === old], [done.json.kid, false]);
	await opened(before);
	assert.equal((await ask('POST', 'check', { body: { assertion: before.json.assertion } })).status, 200);
	const kids = (await http(alpha, 'GET', '/.well-known/sluss/jwks.json')).json.keys.map((k) => k.kid);
	assert.deepEqual(kids.slice(0, 2), [kid, old]);
	assert.equal((await alpha.ctl('idp', 'rotate', 'nowhere.test')).code, 1);
	const none = await beta.ctl('idp', 'rotate');
	assert.equal(none.code, 1);
	assert.match(none.stderr, /no identity provider/);
	await alpha.stop();
	await alpha.start();
	assert.deepEqual((await http(alpha, 'GET', '/.well-known/sluss/jwks.json')).json.keys.map((k) => k.kid), kids);
	assert.equal((await ask('POST', 'check', { body: { assertion: before.json.assertion } })).status, 200);
	assert.equal((await ask('GET', 'session', { cookie })).status, 200, 'sessions outlive it, too');
});

test('a new password ends sessions and grants; with the account goes all of it', async () => {
	const cookie = await signIn('dora');
	await consent(cookie, SHOP);
	const grant = await granted(cookie, SHOP);
	assert.equal((await alpha.ctl('user', 'passwd', 'dora@alpha.test', { input: 'another password\n' })).code, 0);
	refused(await ask('GET', 'session', { cookie }), 401, 'sign-in');
	refused(await assertion({ ctx: 'frame' }, { grant }), 401, 'sign-in');
	const again = await signIn('dora', 'another password');
	assert.equal((await ask('GET', 'consents', { cookie: again })).json.length, 1, 'what was allowed stays');
	const second = await granted(again, SHOP);
	assert.equal((await alpha.ctl('user', 'remove', 'dora@alpha.test')).code, 0);
	refused(await ask('GET', 'session', { cookie: again }), 401, 'sign-in');
	refused(await assertion({ ctx: 'frame' }, { grant: second }), 401, 'sign-in');
	await alpha.addUser('dora');
	assert.deepEqual((await ask('GET', 'consents', { cookie: await signIn('dora') })).json, [], 'another person of that name begins anew');
});
