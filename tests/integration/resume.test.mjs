// limit: 400 s
// A client loses its WebSocket and comes back: nothing lost, nothing twice, calls untouched.
//
//   alice ── Cutter ──► alpha.test (.10) ══ SIP ══ beta.test (.20) ◄── Cutter ── bob
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, http, signIn } from '../lib/client.mjs';
import { Cutter } from '../lib/cutter.mjs';
import { Resuming } from '../lib/resuming.mjs';
import { PASSWORD, twoSites } from '../lib/site.mjs';
import * as sdp from '../lib/sdp.mjs';
import { until } from '../lib/world.mjs';

let world, alpha, beta;
const LINGER_S = 3;
const SESSION_QUEUE = 1_048_576; // the default of session-queue-size

before(async () => {
	({ world, alpha, beta } = await twoSites({
		users: { alpha: ['alice', 'anna', 'pass'], beta: ['bob', 'berta'] },
		tune: (options, name) => {
			options.limits = name === 'beta' ? { 'session-linger': LINGER_S * Number(process.env.SLUSS_SLOW ?? 1), 'session-queue-size': 65536 } : {};
		},
	}));
});
after(() => world?.close());

const state = async (site, user) => (await site.ctl('devices')).json.filter((d) => d.user === user).map((d) => d.state);

const tokens = {};
/** Made once: each has a version of its own, and the runs are compared byte for byte. */
const said = {
	offers: ['first', 'second', 'third'].map((n) => sdp.offer(`${n} offer`)),
	answers: ['first', 'second'].map((n) => sdp.answer(`${n} answer`)),
};

/** What differs from call to call: the site's name of it, and the signature with its time. */
const comparable = (e) => ({ ...e, ...(e.rejoin && { rejoin: 'a name' }), ...(e.identity && { identity: e.identity.length }) });

/** The whole story of a call; gives what each of the two was told. */
async function story(cut) {
	const wires = { alice: await Cutter.open(alpha), bob: await Cutter.open(beta) };
	if (cut)
		wires[cut.who].cut = cut;
	tokens.alice ??= (await signIn(alpha, 'alice', PASSWORD)).token;
	tokens.bob ??= (await signIn(beta, 'bob', PASSWORD)).token;
	const alice = await Resuming.open(alpha, tokens.alice, wires.alice);
	const bob = await Resuming.open(beta, tokens.bob, wires.bob);

	const calling = alice.request('call', { call: 'a', to: 'bob@beta.test', sdp: said.offers[0] });
	const { call } = await bob.event('incoming');
	await calling;
	await bob.request('ringing', { call });
	await alice.event('progress', { state: 'ringing' });
	await bob.request('accept', { call });
	await bob.request('answer', { call, sdp: said.answers[0] });
	await bob.event('established');
	await alice.event('answered');

	await alice.request('offer', { call: 'a', sdp: said.offers[1] });
	await bob.event('offer');
	await bob.request('answer', { call, sdp: said.answers[1] });
	await alice.event('answer');

	await bob.request('offer', { call, sdp: said.offers[2] });
	await alice.event('offer');
	await alice.request('refuse', { call: 'a', reason: 'media' });
	await bob.event('refused');

	await assert.rejects(alice.request('accept', { call: 'a' }), { code: 'bad-state' });
	await bob.request('hangup', { call });
	await bob.event('ended');
	await alice.event('ended');
	await Promise.all([alice.request('ping'), bob.request('ping')]);

	for (const client of [alice, bob])
		client.check();
	const told = {
		alice: alice.events.map(comparable), bob: bob.events.map(comparable).map((e) => ({ ...e, call: e.call === call ? 'in' : e.call })),
		answers: [alice.answers, bob.answers].map((list) => list.filter((a) => a.to !== 'ping')),
	};
	const hellos = alice.hellos.length + bob.hellos.length - 2;
	const resumed = [alice, bob].flatMap((c) => c.hellos.slice(1)).every((h) => h.resumed === true);
	const counts = Object.fromEntries(Object.entries(wires).map(([who, w]) => [who, { ...w.count }]));
	const cuts = wires.alice.cuts + wires.bob.cuts;
	await Promise.all([alice.close(), bob.close()]);
	await Promise.all([wires.alice.close(), wires.bob.close()]);
	return { told: JSON.parse(JSON.stringify(told)), hellos, resumed, counts, cuts };
}

test('cut at every message in turn, either way, before, within and after it: the same is told as without', async () => {
	const uncut = await story();
	assert.equal(uncut.hellos, 0);
	assert.ok(uncut.counts.alice.up >= 6 && uncut.counts.bob.down >= 9, JSON.stringify(uncut.counts));
	let n = 0;
	for (const who of ['alice', 'bob'])
		for (const dir of ['up', 'down'])
			for (let k = 2; k <= uncut.counts[who][dir]; k++) // 1 is hello and its ok: a session is not there yet
				for (const where of ['before', 'middle', 'after']) {
					const cut = { who, dir, n: k, where };
					const got = await story({ ...cut }).catch((error) => assert.fail(`${JSON.stringify(cut)}: ${error.stack}`));
					assert.equal(got.cuts, 1, JSON.stringify(cut));
					assert.ok(got.hellos <= 1 && got.resumed, `${JSON.stringify(cut)}: resumed once`);
					assert.deepEqual(got.told, uncut.told, JSON.stringify(cut));
					n += got.hellos;
				}
	assert.ok(n > 60, `${n} resumptions`);
	await alpha.idle();
	await beta.idle();
});

/** A client of an earlier test whose goodbye was cut off waits out its time. */
const nobodyLingers = (site, user) => until(45_000, async () => (await state(site, user)).length === 0, `${user} is gone`);

test('another user, or nobody, cannot have a session whose name they know', async () => {
	await nobodyLingers(alpha, 'alice@alpha.test');
	const alice = await Resuming.signIn(alpha, 'alice', PASSWORD);
	const { session } = alice;
	alice.vanish();
	await until(5000, async () => (await state(alpha, 'alice@alpha.test')).includes('away'), 'away');
	const anna = new Resuming(alpha, (await signIn(alpha, 'anna', PASSWORD)).token);
	anna.session = session;
	anna.connect();
	await anna.online();
	assert.equal(anna.hellos[0].user, 'anna@alpha.test');
	assert.deepEqual([anna.hellos[0].resumed, anna.hellos[0].forgotten], [false, 'unknown']);
	const thief = new Client(alpha);
	await thief.connect();
	for (const token of [undefined, '0'.repeat(64)])
		await assert.rejects(thief.request('hello', { version: 1, ...(token ? { token } : {}), resume: { session, seq: 0 } }),
			{ code: token ? 'bad-login' : 'not-signed-in' });
	assert.deepEqual(await state(alpha, 'alice@alpha.test'), ['away'], 'it still waits for its own user');
	alice.connect();
	await alice.online();
	assert.equal(alice.hellos.at(-1).resumed, true);
	for (const client of [alice, anna, thief])
		await client.close();
});

test('a second socket takes over; the first is closed with 4001, and what it still says has no effect', async () => {
	await nobodyLingers(alpha, 'alice@alpha.test');
	const first = await Resuming.signIn(alpha, 'alice', PASSWORD);
	const second = new Resuming(alpha, first.token);
	Object.assign(second, { session: first.session, ids: first.ids });
	second.connect();
	await second.online();
	assert.equal(second.hellos[0].resumed, true);
	await first.when(() => first.over, 'the first is closed');
	assert.equal(first.over.code, 4001);
	assert.deepEqual(await state(alpha, 'alice@alpha.test'), ['online']);
	await second.request('ping');
	await second.close();
});

test('a call that comes while away rings on return; linger over: calls end as lost, the session is gone', async () => {
	const alice = await alpha.client('alice');
	const wire = await Cutter.open(beta);
	const bob = await Resuming.signIn(beta, 'bob', PASSWORD, wire);
	bob.vanish();
	await until(5000, async () => (await state(beta, 'bob@beta.test'))[0] === 'away', 'away');
	await alice.request('call', { call: 'c', to: 'bob@beta.test', sdp: sdp.offer('while away') });
	await until(5000, async () => (await beta.calls()).length === 1, 'the call has come');
	assert.equal(bob.events.length, 0);
	bob.comesBack = true;
	bob.connect();
	const { call } = await bob.event('incoming');
	await bob.request('ringing', { call });
	await alice.event('progress', { call: 'c', state: 'ringing' });
	await bob.request('accept', { call });
	await bob.request('answer', { call, sdp: sdp.answer('back again') });
	await alice.event('answered', { call: 'c' });
	bob.vanish();
	const ended = await alice.event('ended', { call: 'c' }, 30_000);
	assert.equal(ended.cause.reason, 'lost');
	assert.deepEqual(await state(beta, 'bob@beta.test'), []);
	bob.connect();
	await bob.online();
	assert.deepEqual([bob.hellos.at(-1).resumed, bob.hellos.at(-1).forgotten], [false, 'expired']);
	await bob.close();
	await alice.close();
	await wire.close();
});

test('more events than are kept, and no acknowledgement: the session ends and says why', async () => {
	const alice = await alpha.client('alice');
	const berta = await Resuming.signIn(beta, 'berta', PASSWORD);
	berta.ack = false;
	for (let i = 0; i < 60 && !berta.over; i++) {
		const call = `q${i}`;
		await alice.request('call', { call, to: 'berta@beta.test', sdp: sdp.offer(`offer ${i}`) });
		await berta.when(() => berta.over || berta.events.filter((e) => e.type === 'incoming').length > i, 'incoming');
		await alice.request('hangup', { call }).catch((e) => assert.equal(e.code, 'gone')); // with the session
		await alice.event('ended', { call });
	}
	assert.equal((await berta.event('bye')).reason, 'behind');
	await berta.when(() => berta.over, 'closed');
	assert.equal(berta.over.code, 1008);
	berta.connect();
	await berta.online();
	assert.equal(berta.hellos.at(-1).forgotten, 'behind');
	await berta.close();
	await alice.close();
});

test('as much as a session may keep comes at once on return, however it is written', async () => {
	await nobodyLingers(alpha, 'alice@alpha.test');
	const anna = await alpha.client('anna');
	const alice = await Resuming.signIn(alpha, 'alice', PASSWORD);
	alice.vanish();
	await until(5000, async () => (await state(alpha, 'alice@alpha.test'))[0] === 'away', 'away');
	// quotation marks take two bytes each in JSON
	const bare = sdp.offer('much');
	const big = `${bare}a=x-fill:${'"'.repeat(65_000 - bare.length)}\r\n`;
	const kept = Math.floor(SESSION_QUEUE / 70_000);
	for (let i = 0; i < kept; i++) {
		await anna.request('call', { call: `b${i}`, to: 'alice@alpha.test', sdp: big });
		await anna.request('hangup', { call: `b${i}` });
		await anna.event('ended', { call: `b${i}` });
	}
	alice.connect();
	await alice.online();
	assert.equal(alice.hellos.at(-1).resumed, true);
	await alice.when(() => alice.over || alice.seq === 2 * kept, 'all of it');
	assert.deepEqual([alice.over, alice.seq], [undefined, 2 * kept]);
	assert.equal(alice.events[0].sdp, big);
	alice.check();
	await alice.close();
	await anna.close();
});

test('a password changed, and a sign-out, while away: the session ends with it', async () => {
	const mine = (await signIn(alpha, 'pass', PASSWORD)).token;
	const away = await Resuming.signIn(alpha, 'pass', PASSWORD);
	away.vanish();
	await until(5000, async () => (await state(alpha, 'pass@alpha.test'))[0] === 'away', 'away');
	const changed = await http(alpha, 'POST', '/api/v1/account/password', { body: { old: PASSWORD, new: 'another good one' }, token: mine });
	assert.equal(changed.status, 204, changed.text);
	await until(5000, async () => (await state(alpha, 'pass@alpha.test')).length === 0, 'the device is gone');
	away.connect();
	await away.when(() => away.hellos.length === 2, 'refused');
	assert.equal(away.hellos[1].error, 'bad-login');

	const other = await Resuming.signIn(alpha, 'pass', 'another good one');
	other.vanish();
	await until(5000, async () => (await state(alpha, 'pass@alpha.test'))[0] === 'away', 'away');
	assert.equal((await http(alpha, 'DELETE', '/api/v1/session', { token: other.token })).status, 204);
	await until(5000, async () => (await state(alpha, 'pass@alpha.test')).length === 0, 'the device is gone');
});

test('a site that was restarted knows no session, and says so', async () => {
	const anna = await Resuming.signIn(alpha, 'anna', PASSWORD);
	anna.comesBack = false;
	await alpha.stop();
	assert.equal((await anna.event('bye')).reason, 'shutdown');
	await alpha.start();
	anna.connect();
	await anna.online();
	assert.deepEqual([anna.hellos.at(-1).resumed, anna.hellos.at(-1).forgotten], [false, 'unknown']);
	await anna.close();
});
