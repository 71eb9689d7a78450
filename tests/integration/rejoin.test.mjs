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
import { establish, hangUp } from '../lib/talk.mjs';
import { until } from '../lib/world.mjs';

let world, alpha, beta, alice, anna, bob;

before(async () => {
	({ world, alpha, beta } = await twoSites());
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
		assert.ok(await crash(site) < 5000, 'up within 5 s');
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
	await Promise.all([alpha, beta].map(crash));
	const b = await comeBack(bob, [{ call: call.b, rejoin: there }]);
	const a = await comeBack(alice, [{ call: call.a, rejoin: here }]);
	const offer = await rejoin(a, call.a, 'bob@beta.test', here);
	const fresh = await takeBack(b, call.b, a, call.a, offer);

	await hangUp(a, call.a, b, fresh.b);
	await a.close();
	await b.close();
});

test('nobody else can join it, and one that is over at the other end says so', async () => {
	const call = await establish(alice, bob, 'bob@beta.test');
	const id = call.answered.rejoin;

	await kept(alpha, id);
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
