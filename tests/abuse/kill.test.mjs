// limit: 300 s
// A site is killed in ringing, in talk and while a call moves (case 92), and starts again.
//
//   alice desk ──┐
//   alice hand ──┴─wss──► alpha.test ══SIP══► beta.test ──wss──► bob
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Client, signIn } from '../lib/client.mjs';
import { comeBack, rejoin, takeBack } from '../lib/rejoin.mjs';
import * as sdp from '../lib/sdp.mjs';
import { PASSWORD, twoSites } from '../lib/site.mjs';
import { dial, establish, hangUp, settled } from '../lib/talk.mjs';
import { until } from '../lib/world.mjs';

const SLOW = Number(process.env.SLUSS_SLOW ?? 1);
let world, alpha, beta, desk, hand, bob;

/** A client that is told of its user's calls on other devices. */
async function watching(site, user, device) {
	const client = new Client(site.at(site.domain));
	client.token = (await signIn(client.site, user, PASSWORD)).token;
	await client.connect();
	client.hello = await client.request('hello', { version: 1, device, token: client.token, elsewhere: true });
	return client;
}

async function clients() {
	desk = await alpha.client('alice', 'desk');
	hand = await watching(alpha, 'alice', 'hand');
	bob = await beta.client('bob', 'bobs');
}

before(async () => {
	({ world, alpha, beta } = await twoSites({ users: { alpha: ['alice'], beta: ['bob'] }, tune: (o) => (o.limits = { 'session-expires': 90 }) }));
	await clients();
});
after(() => world?.close());
afterEach(async () => {
	for (const c of [desk, hand, bob])
		await c.close();
	await alpha.idle();
	await beta.idle();
	await clients();
});

/** Up within 5 s, its database whole, and nobody is registered who is not there. */
async function again(site) {
	const from = performance.now();
	await site.start();
	// The one that was killed has left its socket: that it is there says nothing.
	await until(5000, async () => (await site.ctl('status')).code === 0, 'it answers');
	assert.ok(performance.now() - from < 5000 * SLOW, 'up within 5 s');
	const { stdout } = await world.here.exec(['sqlite3', site.store, 'PRAGMA integrity_check']);
	assert.equal(stdout.trim(), 'ok');
	assert.deepEqual((await site.ctl('devices')).json, [], 'no ghost registration');
	assert.deepEqual(await site.calls(), []);
}

const written = (site, id) => until(5000, async () =>
	(await world.here.exec(['sqlite3', site.store, `SELECT count(*) FROM call WHERE id = '${id}'`])).stdout.trim() === '1', `${id} is written down`);

for (const name of ['alpha', 'beta']) {
	const site = () => (name === 'alpha' ? alpha : beta);
	const named = new RegExp(`${name}\\.test`);

	test(`abuse_092_kill_ringing: ${name} dies, the other side is told the cause within 10 s`, async () => {
		const { id } = await dial(desk, 'bob@beta.test');
		const { call } = await bob.event('incoming');
		await bob.request('ringing', { call });
		await desk.event('progress', { call: id, state: 'ringing' });
		await site().stop('SIGKILL');
		const { cause } = name === 'alpha' ? await bob.event('ended', { call }, 10_000) : await desk.event('ended', { call: id }, 10_000);
		assert.equal(cause.reason, 'unreachable');
		assert.match(cause.text, named);
		await again(site());
	});

	test(`abuse_092_kill_talk: ${name} dies and nobody joins the call again: it ends with the session timer, and with that cause`, async () => {
		const call = await establish(desk, bob, 'bob@beta.test');
		const [far, farCall, ours] = name === 'alpha' ? [bob, call.b, desk] : [desk, call.a, bob];
		await settled(ours, name === 'alpha' ? call.a : call.b, far, farCall);
		await site().stop('SIGKILL');
		assert.equal((await far.event('away', { call: farCall }, 10_000)).away, true);
		await again(site());
		const back = await comeBack(ours);
		assert.notEqual(back.hello.resumed, true);
		await back.close();
		assert.equal(far.count('ended'), 0, 'the call goes on until then');
		const { cause } = await far.event('ended', { call: farCall }, 95_000);
		assert.equal(cause.reason, 'lost');
		assert.match(cause.text, named);
	});

	test(`abuse_092_kill_move: ${name} dies while a call moves: the move is over, the call itself is joined again`, async () => {
		const call = await establish(desk, bob, 'bob@beta.test');
		const { calls: [there] } = await hand.event('elsewhere');
		const [id, far, farCall, ours, oursCall, to] = name === 'alpha' ? [call.answered.rejoin, bob, call.b, desk, call.a, 'bob@beta.test']
			: [call.established.rejoin, desk, call.a, bob, call.b, 'alice@alpha.test'];
		await written(site(), id);
		await settled(...(name === 'alpha' ? [desk, call.a, bob, call.b] : [bob, call.b, desk, call.a]));
		await hand.request('call', { call: 'move', to: 'bob@beta.test', sdp: sdp.offer('move'), replaces: there.id });
		const incoming = await bob.event('incoming', { replaces: call.b });
		await bob.request('ringing', { call: incoming.call });
		await hand.event('progress', { call: 'move', state: 'ringing' });
		await site().stop('SIGKILL');
		const { cause } = name === 'alpha' ? await bob.event('ended', { call: incoming.call }, 10_000) : await hand.event('ended', { call: 'move' }, 10_000);
		assert.equal(cause.reason, 'unreachable');
		assert.equal((await far.event('away', { call: farCall }, 10_000)).away, true);
		await again(site());
		const back = await comeBack(ours, [{ call: oursCall, rejoin: id }]);
		const offer = await rejoin(back, oursCall, to, id);
		const fresh = await takeBack(far, farCall, back, oursCall, offer);
		await far.request('hangup', { call: farCall, reason: 'moved' });
		await far.event('ended', { call: farCall });
		await hangUp(back, oursCall, far, fresh.b);
		await back.close();
	});
}
