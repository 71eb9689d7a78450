// limit: 180 s
// Signing in, out, passwords, the WebSocket's door: HTTP and sluss.v1 as docs/protocol.md says.
//
//   programs (.1) ──https, wss──► alpha.test (.10)
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Client, http, signIn } from '../lib/client.mjs';
import { Resuming } from '../lib/resuming.mjs';
import { PASSWORD, twoSites } from '../lib/site.mjs';
import { TOP, until } from '../lib/world.mjs';

let world, alpha;

before(async () => {
	({ world, alpha } = await twoSites({
		users: { alpha: ['alice', 'anna', 'json', 'slow', 'gone', 'pass'] },
		tune: (options, name) => {
			if (name === 'alpha')
				options.sites[0].lines = ['origins = {"https://friend.test"}'];
			options.limits = { 'login-tries-account': 3, 'ws-auth-time': 2, 'devices-per-user': 4 };
		},
	}));
});
after(() => world?.close());

const origin = 'https://alpha.test';
const login = (user, password, more = {}) => http(alpha, 'POST', '/api/v1/session', { body: { user, password, ...more }, origin });

test('the cookie: HttpOnly, SameSite, Secure; the session it gives; sign-out ends it', async () => {
	const answer = await login('alice', PASSWORD);
	assert.equal(answer.status, 200, answer.text);
	assert.equal(answer.json.user, 'alice@alpha.test');
	assert.ok(answer.json.expires > Date.now() / 1000);
	assert.equal(answer.json.token, undefined, 'no token where a script could read it');
	const [set] = answer.headers['set-cookie'];
	assert.match(set, /^__Host-sluss=[^;]+;/);
	for (const attribute of [/;\s*HttpOnly/i, /;\s*Secure/i, /;\s*SameSite=Strict/i, /;\s*Path=\//i])
		assert.match(set, attribute);
	const cookie = set.split(';')[0];
	const who = await http(alpha, 'GET', '/api/v1/session', { headers: { Cookie: cookie }, origin });
	assert.equal(who.json.user, 'alice@alpha.test');
	const foreign = await http(alpha, 'DELETE', '/api/v1/session', { headers: { Cookie: cookie }, origin: 'https://evil.test' });
	assert.equal(foreign.status, 403);
	const client = new Client(alpha);
	await client.connect({ headers: { Cookie: cookie } });
	const hello = await client.request('hello', { version: 1 });
	assert.equal(hello.user, 'alice@alpha.test');
	const out = await http(alpha, 'DELETE', '/api/v1/session', { headers: { Cookie: cookie }, origin });
	assert.ok([200, 204].includes(out.status), String(out.status));
	assert.equal((await client.event('bye')).reason, 'signed-out');
	await client.closed;
	assert.equal((await http(alpha, 'GET', '/api/v1/session', { headers: { Cookie: cookie }, origin })).status, 401);
});

test('wrong password and unknown user are told alike', async () => {
	const wrong = await login('anna', 'not her password');
	const unknown = await login('nobody', 'not her password');
	assert.equal(wrong.status, 401);
	assert.deepEqual(wrong.json, unknown.json);
});

test('brute force is slowed: 429 with Retry-After, and the right password has to wait as well', async () => {
	let answer;
	for (let i = 0; i < 4; i++)
		answer = await login('slow', `guess ${i}`);
	answer = answer.status === 429 ? answer : await login('slow', 'guess again');
	assert.equal(answer.status, 429, answer.text);
	assert.ok(Number(answer.headers['retry-after']) >= 1);
	assert.equal((await login('slow', PASSWORD)).status, 429);
	assert.equal((await login('alice', PASSWORD)).status, 200, 'other accounts are not hurt');
});

test('a changed password ends all other sign-ins', async () => {
	const mine = await Client.signIn(alpha, 'pass', PASSWORD, 'mine');
	const other = await Client.signIn(alpha, 'pass', PASSWORD, 'other');
	const change = (old, fresh) => http(alpha, 'POST', '/api/v1/account/password', { body: { old, new: fresh }, token: mine.token });
	assert.ok([401, 403].includes((await change('wrong', 'another password')).status));
	assert.equal((await change(PASSWORD, 'short')).status, 400);
	const changed = await change(PASSWORD, 'a completely new one');
	assert.ok([200, 204].includes(changed.status), changed.text);
	assert.equal((await other.event('bye')).reason, 'password');
	await other.closed;
	await mine.settled();
	await assert.rejects(signIn(alpha, 'pass', PASSWORD));
	await signIn(alpha, 'pass', 'a completely new one');
	await mine.close();
});

test('a removed user is gone at once', async () => {
	const client = await alpha.client('gone');
	assert.equal((await alpha.ctl('user', 'remove', 'gone@alpha.test')).code, 0);
	assert.equal((await client.event('bye')).reason, 'removed');
	await client.closed;
	await assert.rejects(signIn(alpha, 'gone', PASSWORD));
});

test('registration is closed unless the site opens it', async () => {
	assert.deepEqual((await http(alpha, 'GET', '/api/v1/site')).json, { site: 'alpha.test', registration: false, identity: false });
	const answer = await http(alpha, 'POST', '/api/v1/account', { body: { user: 'mallory', password: 'long enough 1' }, origin });
	assert.equal(answer.status, 403);
});

test('the WebSocket\'s origin and subprotocol', async () => {
	const tries = [
		[{ origin: 'https://evil.test' }, 403], [{ origin: 'https://alpha.test.evil.test' }, 403], [{ origin: 'http://alpha.test' }, 403],
		[{ origin: 'https://alpha.test:8443' }, 403], [{ origin: 'null' }, 403], [{ protocols: [] }, 400], [{ protocols: ['sip'] }, 400],
	];
	for (const [options, status] of tries) {
		await assert.rejects(new Client(alpha).connect(options), (e) => e.status === status ||
			assert.fail(`${JSON.stringify(options)}: ${e.message}, not ${status}`));
	}
	const friend = new Client(alpha);
	await friend.connect({ origin: 'https://friend.test' });
	await friend.close();
});

test('no hello: closed with 1008; a bad token: not-signed-in; hello twice: bad-state', async () => {
	const silent = new Client(alpha);
	await silent.connect();
	assert.equal((await silent.closed).code, 1008);
	const wrong = new Client(alpha);
	await wrong.connect();
	await assert.rejects(wrong.request('hello', { version: 1, token: '0'.repeat(64) }), { code: 'bad-login' });
	await assert.rejects(wrong.request('ping'), { code: 'not-signed-in' });
	await wrong.close();
	const twice = await alpha.client('alice');
	await assert.rejects(twice.request('hello', { version: 1 }), { code: 'bad-state' });
	await twice.close();
});

test('message ids rise; keys are known; JSON is JSON: errors by name, connection kept', async () => {
	const client = await alpha.client('json');
	const answer = (text) => {
		client.expectErrors = [];
		client.raw(text);
		return client.settled().then(() => client.expectErrors.map((e) => `${e.id} ${e.error}`));
	};
	client.ids = 100;
	assert.deepEqual(await answer('{"type":"ping","id":1}'), ['1 replayed']);
	client.ids = 200;
	assert.deepEqual(await answer('{"type":"ping","id":160,"extra":1}'), ['160 bad-message']);
	client.ids = 300;
	assert.deepEqual(await answer('{"type":"nonsense","id":260}'), ['260 unknown-type']);
	assert.deepEqual(await answer('{"type":"ping","id":'), ['0 bad-json']);
	assert.deepEqual(await answer('{"type":"ping","id":400,"id":401}'), ['0 bad-json']);
	assert.deepEqual(await answer('[]'), ['0 bad-message']);
	assert.deepEqual(await answer(`${'['.repeat(100)}${']'.repeat(100)}`), ['0 too-deep']);
	client.check();
	await client.close();
});

test('more devices than allowed: one that has lost its connection makes place; where there is none the next one is told', async () => {
	const { token } = await signIn(alpha, 'anna', PASSWORD);
	const devices = [];
	for (let i = 0; i < 3; i++)
		devices.push(await Client.open(alpha, token, `d${i}`));
	const left = await Resuming.open(alpha, token);
	left.comesBack = false;
	left.ws.terminate();
	await until(5000, async () => (await alpha.ctl('devices')).json.some((d) => d.name === 'resuming' && d.state === 'away'), 'it lingers');
	devices.push(await Client.open(alpha, token, 'in its place'));
	await assert.rejects(Client.open(alpha, token, 'one too many'), (e) => ['limit', 'not-signed-in'].includes(e.code) || /too-many|closed/.test(e.message));
	for (const device of devices) {
		await device.settled();
		await device.close();
	}
	await until(5000, async () => (await alpha.ctl('devices')).json.every((d) => d.user !== 'anna@alpha.test'), 'they are gone');
	left.connect();
	await left.online();
	assert.deepEqual([left.hellos.at(-1).resumed, left.hellos.at(-1).forgotten], [false, 'too-many']);
	left.ws.close(1000);
	await left.when(() => left.over, 'it closes');
});

test('devices come and go in slussctl', async () => {
	const client = await alpha.client('anna', 'desk');
	const seen = JSON.stringify((await alpha.ctl('devices')).json);
	assert.ok(seen.includes('anna@alpha.test') && seen.includes('desk'), seen);
	await client.close();
	await until(5000, async () => !JSON.stringify((await alpha.ctl('devices')).json).includes('desk'), 'the device goes');
});

test('the phone, the SDK and the API description are served with the headers that a browser needs', async () => {
	const page = await http(alpha, 'GET', '/');
	assert.equal(page.status, 200);
	assert.match(page.headers['content-type'], /text\/html/);
	const csp = page.headers['content-security-policy'];
	assert.match(csp, /default-src/);
	assert.doesNotMatch(csp, /unsafe-inline|unsafe-eval/);
	assert.equal(page.headers['x-content-type-options'], 'nosniff');
	const sdk = await http(alpha, 'GET', '/sdk/sluss.js');
	assert.equal(sdk.status, 200);
	assert.match(sdk.headers['content-type'], /javascript/);
	assert.equal((await http(alpha, 'GET', '/sdk/sluss.d.ts')).status, 200);
	const api = await http(alpha, 'GET', '/api/v1/openapi.json');
	assert.equal(api.status, 200);
	for (const path of ['/api/v1/session', '/api/v1/account', '/api/v1/account/password', '/api/v1/site'])
		assert.ok(JSON.stringify(api.json.paths).includes(path), `${path} is described`);
	for (const path of ['/../slussd', '/sdk/../../configure.ac', '/sdk/%2e%2e/%2e%2e/configure.ac', '/nothing', '/api/v1/nothing', '/metrics'])
		assert.equal((await http(alpha, 'GET', path)).status, 404, path);
	assert.equal((await http(alpha, 'GET', '/healthz')).status, 200);
});

test('the schema in the tree is the one docs/protocol.md names, and knows both sides', () => {
	const schema = JSON.parse(readFileSync(join(TOP, 'webrtc/session/sluss.v1.schema.json'), 'utf8'));
	assert.match(schema.$schema, /2020-12/);
	assert.ok(schema.$defs.client && schema.$defs.server);
});
