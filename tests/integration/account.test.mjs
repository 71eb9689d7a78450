// limit: 180 s
// A person's account: where one is signed in, ending sign-ins, deleting all of it; and sign-ins for pages of other
// origins, which are good for calls, from those pages, and for nothing else.
//
//   programs (.1) ──https, wss──► alpha.test (.10)
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import Ajv2020 from 'ajv/dist/2020.js';
import { Client, http, signIn } from '../lib/client.mjs';
import * as sdp from '../lib/sdp.mjs';
import { PASSWORD, twoSites } from '../lib/site.mjs';
import { TOP } from '../lib/world.mjs';

const OWN = 'https://alpha.test', SHOP = 'https://shop.test:8443', EVIL = 'https://evil.test';
let world, alpha, beta;

before(async () => {
	({ world, alpha, beta } = await twoSites({ users: { alpha: ['alice', 'anna', 'zaphod', 'carol'], beta: ['bob'] } }));
});
after(() => world?.close());

const schemas = JSON.parse(readFileSync(join(TOP, 'webrtc/openapi.json'), 'utf8')).components.schemas;
const check = (name, json) => {
	const ajv = new Ajv2020.default({ strict: false });
	const fits = ajv.compile(schemas[name]);
	assert.ok(fits(json), `${name}: ${ajv.errorsText(fits.errors)}: ${JSON.stringify(json)}`);
	return json;
};
const login = (user, device, agent) => http(alpha, 'POST', '/api/v1/session',
	{ body: { user, password: PASSWORD, bearer: true, ...(device ? { device } : {}) }, headers: agent ? { 'User-Agent': agent } : {} })
	.then(({ json }) => json.token);
const devices = async (token) => check('Devices', (await http(alpha, 'GET', '/api/v1/account/devices', { token })).json).devices;
/** As a browser does: the cookie of a sign-in. */
async function cookieOf(user) {
	const answer = await http(alpha, 'POST', '/api/v1/session', { body: { user, password: PASSWORD }, origin: OWN });
	return answer.headers['set-cookie'][0].split(';')[0];
}
const connect = (cookie, origin, from = OWN) => http(alpha, 'POST', '/api/v1/connect', { body: { origin }, headers: { Cookie: cookie }, origin: from });
async function given(user, origin = SHOP) {
	const answer = await connect(await cookieOf(user), origin);
	assert.equal(answer.status, 201, answer.text);
	return check('SignedIn', answer.json);
}
async function socket(origin, token, protocols = ['sluss.v1', 'sluss.token']) {
	const client = new Client(alpha);
	await client.connect({ origin, protocols });
	client.hello = await client.request('hello', { version: 1, ...(token ? { token } : {}) });
	return client;
}
const refusedWith = (status) => (e) => e.status === status || assert.fail(`${e.message}, not ${status}`);

test('the list of sign-ins: what each calls itself, its program, since when, which is this one, which is online', async () => {
	const one = await login('alice', 'kitchen', 'Testzilla/5.0 (X11; \u00e4)');
	const two = await login('alice');
	const now = Date.now() / 1000;
	let list = await devices(two);
	assert.equal(list.length, 2);
	assert.deepEqual(list.map((d) => [d.name, d.current, d.online, d.scope]), [['kitchen', false, 0, 'account'], ['', true, 0, 'account']]);
	assert.match(list[0].agent, /^Testzilla\/5\.0 \(X11/);
	for (const d of list) {
		assert.ok(Math.abs(d.since - now) < 60 && d.seen >= d.since && d.expires > now + 29 * 86400, JSON.stringify(d));
		assert.equal(d.origin, undefined);
	}
	const client = await Client.open(alpha, one, 'hall');
	list = await devices(two);
	assert.deepEqual([list[0].name, list[0].online], ['hall', 1]);
	await client.close();
	assert.equal((await http(alpha, 'GET', '/api/v1/account/devices')).status, 401);
	await http(alpha, 'DELETE', '/api/v1/account/devices', { token: two });
	await http(alpha, 'DELETE', '/api/v1/session', { token: two });
});

test('one sign-in is ended: its device is told and its token is nothing; others go on', async () => {
	const [mine, other] = [await login('anna', 'mine'), await login('anna', 'other')];
	const [here, there] = [await Client.open(alpha, mine), await Client.open(alpha, other)];
	const { id } = (await devices(mine)).find((d) => !d.current);
	const end = (token, what = id) => http(alpha, 'DELETE', `/api/v1/account/devices/${what}`, { token });
	assert.equal((await end(await login('carol'))).status, 404, 'nobody ends a sign-in of somebody else');
	assert.equal((await http(alpha, 'DELETE', `/api/v1/account/devices/${id}`, { headers: { Cookie: await cookieOf('anna') }, origin: EVIL })).status, 403);
	assert.equal((await end(mine)).status, 204);
	assert.equal((await there.event('bye')).reason, 'signed-out');
	await there.closed;
	await here.settled();
	assert.equal((await http(alpha, 'GET', '/api/v1/session', { token: other })).status, 401);
	assert.equal((await end(mine)).status, 404, 'it has ended already');
	assert.equal((await end(mine, 'not-an-id')).status, 404);
	await here.close();
});

test('all others are ended with one request', async () => {
	const [mine, other] = [await login('anna'), await login('anna')];
	const [here, there] = [await Client.open(alpha, mine), await Client.open(alpha, other)];
	assert.equal((await http(alpha, 'DELETE', '/api/v1/account/devices', { token: mine })).status, 204);
	assert.equal((await there.event('bye')).reason, 'signed-out');
	await here.settled();
	assert.deepEqual((await devices(mine)).map((d) => d.current), [true]);
	await here.close();
});

test('an account is deleted with its password: sign-ins end, calls end, and nothing of the name is left in the store', async () => {
	const token = await login('zaphod', 'zaphods heart of gold', 'Zaphodzilla');
	const client = await Client.open(alpha, token);
	const bob = await beta.client('bob');
	await client.request('call', { call: 'c1', to: 'bob@beta.test', sdp: sdp.offer('delete') });
	await bob.event('incoming');
	const remove = (password) => http(alpha, 'POST', '/api/v1/account/delete', { body: { password }, token });
	assert.equal((await remove('not it')).status, 403);
	assert.equal((await http(alpha, 'POST', '/api/v1/account/delete', { body: { password: PASSWORD } })).status, 403, 'nobody else can ask');
	const kept = () => ['', '-wal'].map((end) => readFileSync(alpha.store + end).toString('latin1')).join('').match(/zaphod/gi);
	assert.ok(kept(), 'the name was there');
	assert.equal((await remove(PASSWORD)).status, 204);
	assert.equal((await client.event('bye')).reason, 'removed');
	await client.closed;
	await bob.event('ended');
	await assert.rejects(signIn(alpha, 'zaphod', PASSWORD));
	assert.equal((await http(alpha, 'GET', '/api/v1/session', { token })).status, 401);
	assert.equal(kept(), null);
	await bob.close();
});

test('a page elsewhere is given a token by the site\'s own page only, for a real origin', async () => {
	const cookie = await cookieOf('alice');
	assert.equal((await connect(cookie, SHOP, SHOP)).status, 403, 'the page itself cannot take one');
	assert.equal((await connect(cookie, SHOP, EVIL)).status, 403);
	assert.equal((await http(alpha, 'POST', '/api/v1/connect', { body: { origin: SHOP }, token: await login('alice') })).status, 403, 'nor can a program');
	for (const origin of ['null', 'none', 'http://shop.test', 'https://shop.test/', 'https://shop.test:443', 'https://SHOP.test', 'shop.test', 'https://a\u0000b'])
		assert.equal((await connect(cookie, origin)).status, 400, origin);
	const answer = await connect(cookie, SHOP);
	assert.equal(answer.status, 201, answer.text);
	assert.equal(answer.json.user, 'alice@alpha.test');
	assert.ok(Math.abs(answer.json.expires - Date.now() / 1000 - 7 * 86400) < 60, 'it has an end');
	assert.equal(answer.headers['set-cookie'], undefined);
});

test('with it one calls, from that origin', async () => {
	const { token } = await given('carol');
	const carol = await socket(SHOP, token);
	assert.equal(carol.hello.user, 'carol@alpha.test');
	const bob = await beta.client('bob');
	await carol.request('call', { call: 'c1', to: 'bob@beta.test', sdp: sdp.offer('shop') });
	assert.equal((await bob.event('incoming')).from.address, 'carol@alpha.test');
	await carol.request('hangup', { call: 'c1' });
	await bob.event('ended');
	for (const path of ['/api/v1/session', '/api/v1/ice']) {
		const answer = await http(alpha, 'GET', path, { token, origin: SHOP });
		assert.equal(answer.status, 200, answer.text);
		assert.equal(answer.headers['access-control-allow-origin'], '*');
	}
	await bob.close();
	await carol.close();
});

test('from any other origin it is nothing, over HTTP and WebSocket; nor does a cookie count there', async () => {
	const { token } = await given('carol');
	const full = await login('carol');
	await assert.rejects(socket(EVIL, token), { code: 'bad-login' });
	await assert.rejects(socket(SHOP, full), { code: 'bad-login' }, 'a whole sign-in is not for pages elsewhere');
	await assert.rejects(socket(OWN, token), { code: 'bad-login' });
	await assert.rejects(socket(SHOP, token, ['sluss.v1']), refusedWith(403));
	for (const origin of ['http://shop.test', 'null', 'https://shop.test:443'])
		await assert.rejects(socket(origin, token), refusedWith(403), origin);
	const client = new Client(alpha);
	await client.connect({ origin: SHOP, protocols: ['sluss.v1', 'sluss.token'], headers: { Cookie: await cookieOf('carol') } });
	await assert.rejects(client.request('hello', { version: 1 }), { code: 'not-signed-in' });
	await client.close();
	for (const origin of [EVIL, OWN, undefined]) {
		for (const [method, path] of [['GET', '/api/v1/session'], ['GET', '/api/v1/ice'], ['DELETE', '/api/v1/session']]) {
			const answer = await http(alpha, method, path, { token, origin });
			assert.equal(answer.status, 403, `${method} ${path} ${origin}`);
		}
	}
	assert.equal((await http(alpha, 'GET', '/api/v1/session', { token, origin: SHOP })).status, 200, 'it is still good at home');
});

test('it opens nothing of the account', async () => {
	const { token } = await given('carol');
	const tries = [['GET', '/api/v1/account/devices'], ['DELETE', '/api/v1/account/devices'], ['DELETE', '/api/v1/account/devices/0123456789abcdef'],
		['POST', '/api/v1/account/password', { old: PASSWORD, new: 'a completely new one' }], ['POST', '/api/v1/account/delete', { password: PASSWORD }],
		['POST', '/api/v1/connect', { origin: SHOP }]];
	for (const [method, path, body] of tries) {
		for (const origin of [SHOP, OWN, undefined]) {
			const answer = await http(alpha, method, path, { token, origin, body });
			assert.equal(answer.status, 403, `${method} ${path} from ${origin}: ${answer.text}`);
			assert.equal(answer.headers['access-control-allow-origin'], undefined, 'and no page elsewhere reads the answer');
		}
	}
	await signIn(alpha, 'carol', PASSWORD);
});

test('it is in the list, and is taken back there: its page is cut off at once', async () => {
	const { token } = await given('carol');
	const mine = await login('carol');
	const page = await socket(SHOP, token);
	const one = (await devices(mine)).findLast((d) => d.scope === 'calls');
	assert.deepEqual([one.origin, one.online], [SHOP, 1]);
	assert.equal((await http(alpha, 'DELETE', `/api/v1/account/devices/${one.id}`, { token: mine })).status, 204);
	assert.equal((await page.event('bye')).reason, 'signed-out');
	await page.closed;
	await assert.rejects(socket(SHOP, token), { code: 'bad-login' });
	assert.equal((await http(alpha, 'GET', '/api/v1/ice', { token, origin: SHOP })).status, 401);
});

test('a browser may ask for a page elsewhere what a token opens, and nothing with a cookie', async () => {
	const ask = (path) => http(alpha, 'OPTIONS', path, { origin: SHOP, headers: { 'Access-Control-Request-Method': 'DELETE', 'Access-Control-Request-Headers': 'authorization' } });
	for (const path of ['/api/v1/session', '/api/v1/ice']) {
		const answer = await ask(path);
		assert.equal(answer.status, 204, path);
		assert.match(answer.headers['access-control-allow-headers'], /authorization/i);
		assert.equal(answer.headers['access-control-allow-credentials'], undefined);
	}
	for (const path of ['/api/v1/account/devices', '/api/v1/account/password', '/api/v1/connect'])
		assert.equal((await ask(path)).headers['access-control-allow-origin'], undefined, path);
	assert.equal((await http(alpha, 'GET', '/sdk/sluss.js', { origin: SHOP })).headers['access-control-allow-origin'], '*');
	assert.equal((await http(alpha, 'GET', '/phone/phone.js', { origin: SHOP })).headers['access-control-allow-origin'], undefined);
});

test('the pop-up knows who has opened it, and no page can frame it', async () => {
	const page = await http(alpha, 'GET', '/connect');
	assert.equal(page.status, 200);
	assert.equal(page.headers['cross-origin-opener-policy'], 'unsafe-none');
	assert.match(page.headers['content-security-policy'], /frame-ancestors 'none'/);
	assert.equal((await http(alpha, 'GET', '/account')).headers['cross-origin-opener-policy'], 'same-origin-allow-popups',
		'windows of identity providers know who has opened them');
});
