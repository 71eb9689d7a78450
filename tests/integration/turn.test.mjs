// limit: 120 s
// STUN and TURN servers: told to people who are signed in, with credentials that a real TURN server takes, that
// end by themselves and that say nothing of whom they are for.
//
//   programs (.1) ──https──► alpha.test, other.test (.10)        programs ──TURN──► coturn (.70)
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import Ajv2020 from 'ajv/dist/2020.js';
import { Coturn } from '../lib/coturn.mjs';
import { http, signIn } from '../lib/client.mjs';
import { PASSWORD, twoSites } from '../lib/site.mjs';
import { TOP, until } from '../lib/world.mjs';

const SECRET = 'north by northwest';
let set, alpha, turn;

before(async () => {
	set = await twoSites({
		start: false,
		tune: (options, name, ca) => {
			if (name === 'alpha') {
				options.sites.push({ domain: 'other.test', pair: ca.valid('other.test') });
				options.lines = ['turn {', '\turis = {"turn:198.18.0.70:3478?transport=udp"}', '\tstun = {"stun:198.18.0.70:3478"}', `\tsecret = "${SECRET}"`,
					'\tlifetime = 10', '}'];
			}
		},
	});
	set.dns.site('other.test', set.alpha.host.address);
	await set.dns.serve();
	({ alpha } = set);
	turn = await Coturn.start(set.world, await set.world.host('turn', 70), { secret: SECRET });
	for (const [site, users] of [[alpha, ['alice', 'anna']], [set.beta, ['bob']]]) {
		await site.start();
		for (const user of users)
			await site.addUser(user);
	}
	await alpha.addUser('alice', { domain: 'other.test' });
});
after(() => set?.world.close());

const ice = async (site, user) => {
	const { token } = await signIn(site, user, PASSWORD);
	const answer = await http(site, 'GET', '/api/v1/ice', { token });
	assert.equal(answer.status, 200, answer.text);
	return { token, ...answer.json, relay: answer.json.iceServers.find((s) => s.username), headers: answer.headers };
};

test('nobody who is not signed in is told', async () => {
	assert.equal((await http(alpha, 'GET', '/api/v1/ice')).status, 401);
	const wrong = await http(alpha, 'GET', '/api/v1/ice', { token: '0'.repeat(64) });
	assert.equal(wrong.status, 401);
	assert.equal(wrong.json.error, 'not-signed-in');
	assert.ok(!wrong.text.includes('turn:'));
	assert.equal((await http(alpha, 'POST', '/api/v1/ice', { body: {}, origin: 'https://alpha.test' })).status, 405);
	const { token } = await ice(alpha, 'anna');
	assert.equal((await http(alpha.at('other.test'), 'GET', '/api/v1/ice', { token })).status, 401, 'a sign-in counts at its own site only');
	await http(alpha, 'DELETE', '/api/v1/session', { token });
	assert.equal((await http(alpha, 'GET', '/api/v1/ice', { token })).status, 401, 'signed out');
});

test('the credential is coturn\'s convention, as the OpenAPI file has it, and may not be kept by caches', async () => {
	const { iceServers, ttl_s: ttl, relay, headers } = await ice(alpha, 'alice');
	const api = JSON.parse(readFileSync(join(TOP, 'webrtc/openapi.json'), 'utf8'));
	assert.ok(new Ajv2020.default({ strict: false }).compile(api.components.schemas.Ice)({ iceServers, ttl_s: ttl }));
	assert.equal(ttl, 10);
	assert.deepEqual(iceServers[0], { urls: ['stun:198.18.0.70:3478'] });
	assert.deepEqual(relay.urls, ['turn:198.18.0.70:3478?transport=udp']);
	assert.equal(relay.credential, createHmac('sha1', SECRET).update(relay.username).digest('base64'));
	const [, end, who] = /^(\d+):([0-9a-f]{32})$/.exec(relay.username);
	assert.ok(Math.abs(Number(end) - Date.now() / 1000 - 10) < 5, relay.username);
	assert.ok(who);
	assert.equal(headers['cache-control'], 'no-store');
});

test('one person is the same to the TURN server, people and sites are told apart, and none has a name', async () => {
	const who = async (site, user) => (await ice(site, user)).relay.username.split(':')[1];
	const alice = await who(alpha, 'alice');
	assert.equal(await who(alpha, 'alice'), alice);
	assert.notEqual(await who(alpha, 'anna'), alice);
	assert.notEqual(await who(alpha.at('other.test'), 'alice'), alice);
});

test('a real TURN server takes it, and not when it has ended or was changed', async () => {
	const { relay } = await ice(alpha, 'alice');
	const taken = await turn.allocate(relay, set.world.here);
	assert.ok(taken.ok, taken.text);
	const later = relay.username.replace(/^\d+/, (n) => String(Number(n) + 3600));
	assert.ok(!(await turn.allocate({ ...relay, username: later }, set.world.here)).ok, 'nobody makes it hold longer');
	await until(20_000, () => Date.now() / 1000 > Number(relay.username.split(':')[0]) + 1, 'its time is over');
	const over = await turn.allocate(relay, set.world.here);
	assert.ok(!over.ok, over.text);
	assert.ok((await turn.allocate((await ice(alpha, 'alice')).relay, set.world.here)).ok);
});

test('a site without servers says so', async () => {
	const { iceServers } = await ice(set.beta, 'bob');
	assert.deepEqual(iceServers, []);
});

test('the secret is in no log, and in no answer of slussctl', async () => {
	assert.ok(!alpha.proc.text.includes(SECRET));
	assert.ok(!(await alpha.ctl('status')).stdout.includes(SECRET));
});
