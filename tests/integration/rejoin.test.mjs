// limit: 240 s
// A site is killed in mid-call and comes back: its devices join the call again, by a new call that takes over the
// old one's place (decision 17). Raw clients: what the browsers do with their sound is in tests/browser.
//
//   alice ──┐
//           ├─wss──► alpha.test ══SIP══► beta.test ──wss──► bob
//   anna ───┘        (kill -9)           (kill -9)
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { comeBack, crash, rejoin, takeBack } from '../lib/rejoin.mjs';
import * as sdp from '../lib/sdp.mjs';
import { twoSites } from '../lib/site.mjs';
import { dial, establish, hangUp, settled } from '../lib/talk.mjs';
import { until } from '../lib/world.mjs';

let world, alpha, beta, alice, anna, bob;

before(async () => {
	({ world, alpha, beta } = await twoSites({ tune: (o) => (o.limits = { 'sip-idle-time': 10 }) }));
	await clients();
});
after(() => world?.close());
afterEach(async () => {
	for (const c of [alice, anna, bob])
		c?.check();
	await alpha.idle();
	await beta.idle();
	for (const c of [alice, anna, bob])
		await c.close();
	await clients();
});

async function clients() {
	alice = await alpha.client('alice', 'alices');
	anna = await alpha.client('anna', 'annas');
	bob = await beta.client('bob', 'bobs');
}

/** What the store of a site holds of calls. */
async function rows(site) {
	const { stdout, stderr } = await world.here.exec(['sqlite3', '-json', site.store, 'SELECT id, a, b, dialog FROM call']);
	assert.equal(stderr, '');
	return JSON.parse(stdout || '[]');
}

const has = async (site, id) => (await rows(site)).some((r) => r.id === id);
const kept = (site, id) => until(5000, () => has(site, id), `${site.domain} has written ${id} down`);
const gone = (site, id) => until(5000, async () => !await has(site, id), `${site.domain} has forgotten ${id}`);

test('an established call is written down, one that is over is not', async () => {
	const call = await establish(alice, bob, 'bob@beta.test');
	const { rejoin: here } = call.answered, { rejoin: there } = call.established;

	await kept(alpha, here);
	await kept(beta, there);
	const row = (await rows(alpha)).find((r) => r.id === here);
	assert.deepEqual([row.a, row.b], ['alice@alpha.test', 'bob@beta.test']);
	assert.match(row.dialog, /^[^;]+;to-tag=[^;]+;from-tag=[^;]+$/);
	await hangUp(bob, call.b, alice, call.a);
	await gone(alpha, here);
	await gone(beta, there);
});

for (const [which, name, peer] of [["the caller's site", 'alpha', 'bob'], ["the callee's site", 'beta', 'alice']]) {
	test(`${which} is killed: its device joins the call again`, async () => {
		const call = await establish(alice, bob, 'bob@beta.test');
		const site = name === 'alpha' ? alpha : beta;
		const [mine, far] = name === 'alpha' ? [alice, bob] : [bob, alice];
		const [mineCall, farCall] = name === 'alpha' ? [call.a, call.b] : [call.b, call.a];
		const id = name === 'alpha' ? call.answered.rejoin : call.established.rejoin;
		const to = name === 'alpha' ? 'bob@beta.test' : 'alice@alpha.test';

		await kept(site, id);
		await settled(mine, mineCall, far, farCall);
		await site.stop('SIGKILL');
		assert.equal((await far.event('away', { call: farCall })).away, true);
		// nothing can be asked of the other side meanwhile, and the call does not end by it
		await far.request('offer', { call: farCall, sdp: sdp.offer('nobody there') });
		assert.equal((await far.event('refused', { call: farCall })).cause.reason, 'lost');
		const from = performance.now();
		await site.start();
		assert.ok(performance.now() - from < 5000 * Number(process.env.SLUSS_SLOW ?? 1), 'up within 5 s');
		const other = name === 'alpha' ? beta : alpha;
		await until(10_000, () => other.proc.lines.some((l) => l.includes('sip.peer.back')), 'the other site notices its return');
		const back = await comeBack(mine, [{ call: mineCall, rejoin: id }]);
		const offer = await rejoin(back, mineCall, to, id);
		const fresh = await takeBack(far, farCall, back, mineCall, offer);

		await far.request('hangup', { call: farCall, reason: 'moved' });
		assert.equal((await far.event('ended', { call: farCall })).cause.reason, 'elsewhere');
		await gone(site, id);
		await kept(site, fresh.answered.rejoin);
		// the call is whole again: offers both ways, and its end
		await far.request('offer', { call: fresh.b, sdp: sdp.offer('held') });
		await back.event('offer', { call: mineCall });
		await back.request('answer', { call: mineCall, sdp: sdp.answer('held') });
		await far.event('answer', { call: fresh.b });
		assert.equal(peer, name === 'alpha' ? 'bob' : 'alice');
		await hangUp(far, fresh.b, back, mineCall);
		await back.close();
	});
}

test('a call inside the killed site: both come back, in any order, and a second try is told so', async () => {
	const call = await establish(alice, anna, 'anna@alpha.test');
	const id = call.answered.rejoin;

	assert.equal(call.established.rejoin, id, 'one site, one name');
	await kept(alpha, id);
	await crash(alpha);
	const a = await comeBack(alice, [{ call: call.a, rejoin: id }]);
	const offer = await rejoin(a, call.a, 'anna@alpha.test', id);
	// she is not back yet: it waits
	const b = await comeBack(anna, [{ call: call.b, rejoin: id }]);
	await assert.rejects(rejoin(b, call.b, 'alice@alpha.test', id), { code: 'elsewhere' });
	const fresh = await takeBack(b, call.b, a, call.a, offer);
	await gone(alpha, id);
	await hangUp(b, fresh.b, a, call.a);
	await a.close();
	await b.close();
});

test('both sites are killed: one of them joins the call again', async () => {
	const call = await establish(alice, bob, 'bob@beta.test');
	const here = call.answered.rejoin, there = call.established.rejoin;

	await kept(alpha, here);
	await kept(beta, there);
	await settled(alice, call.a, bob, call.b);
	await Promise.all([alpha, beta].map(crash));
	const b = await comeBack(bob, [{ call: call.b, rejoin: there }]);
	const a = await comeBack(alice, [{ call: call.a, rejoin: here }]);
	const offer = await rejoin(a, call.a, 'bob@beta.test', here);
	const fresh = await takeBack(b, call.b, a, call.a, offer);

	await hangUp(a, call.a, b, fresh.b);
	await a.close();
	await b.close();
});

test('a site that was only out of reach is there again, and the call with it', async () => {
	const call = await establish(alice, bob, 'bob@beta.test');

	await settled(alice, call.a, bob, call.b);
	alpha.proc.child.kill('SIGSTOP'); // the connection is closed for its silence, and another one cannot be made
	try {
		assert.equal((await bob.event('away', { call: call.b }, 60_000)).away, true);
	} finally {
		alpha.proc.child.kill('SIGCONT');
	}
	assert.equal((await bob.event('away', { call: call.b }, 60_000)).away, false);
	await bob.request('offer', { call: call.b, sdp: sdp.offer('back') });
	await alice.event('offer', { call: call.a });
	await alice.request('answer', { call: call.a, sdp: sdp.answer('back') });
	await bob.event('answer', { call: call.b });
	await hangUp(bob, call.b, alice, call.a);
});

for (const [which, name] of [["the caller's", 'alpha'], ["the callee's", 'beta']]) {
	test(`it rings, and ${which} site is killed: the other side is told at once`, async () => {
		const { id } = await dial(alice, 'bob@beta.test');
		const { call } = await bob.event('incoming');
		await bob.request('ringing', { call });
		await alice.event('progress', { call: id, state: 'ringing' });
		const site = name === 'alpha' ? alpha : beta;
		await site.stop('SIGKILL');
		const [who, what] = name === 'alpha' ? [bob, call] : [alice, id];
		const { cause } = await who.event('ended', { call: what }, 10_000);
		assert.equal(cause.reason, 'unreachable', cause.text);
		assert.match(cause.text, new RegExp(`${name}\\.test`));
		await site.start();
	});
}

test('nobody else can join it, and one that is over at the other end says so', async () => {
	const call = await establish(alice, bob, 'bob@beta.test');
	const id = call.answered.rejoin;

	await kept(alpha, id);
	await settled(alice, call.a, bob, call.b);
	await crash(alpha);
	const other = await comeBack(anna);
	const back = await comeBack(alice, [{ call: call.a, rejoin: id }]);
	await assert.rejects(rejoin(other, 'x', 'bob@beta.test', id), { code: 'no-call' });
	await assert.rejects(rejoin(back, 'x', 'berta@beta.test', id), { code: 'no-call' });
	await assert.rejects(rejoin(back, 'x', 'bob@beta.test', '0123456789abcdef'), { code: 'no-call' });
	await bob.request('hangup', { call: call.b });
	await bob.event('ended', { call: call.b });
	await rejoin(back, call.a, 'bob@beta.test', id);
	const { cause } = await back.event('ended', { call: call.a });
	assert.equal(cause.reason, 'gone', cause.text);
	assert.match(cause.text, /beta\.test/);
	// nothing is left of it
	await assert.rejects(rejoin(back, 'again', 'bob@beta.test', id), { code: 'no-call' });
	await gone(alpha, id);
	await other.close();
	await back.close();
});
