// limit: 120 s
// A call goes on from another device of the same user: across two sites (INVITE with Replaces), inside one, and
// what does not move.
//
//   alice's desk ──┐
//                  ├─wss──► alpha.test ══SIP══► beta.test ──wss──► bob
//   alice's phone ─┘           └─wss──► anna
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Client, signIn } from '../lib/client.mjs';
import * as sdp from '../lib/sdp.mjs';
import { PASSWORD, twoSites } from '../lib/site.mjs';
import { establish, hangUp } from '../lib/talk.mjs';

let world, alpha, beta, desk, hand, anna, bob;

/** A client that is told of its user's calls on other devices. */
async function watching(site, user, device) {
	const client = new Client(site.at(site.domain));
	const { token } = await signIn(client.site, user, PASSWORD);

	await client.connect();
	client.hello = await client.request('hello', { version: 1, device, token, elsewhere: true });
	return client;
}

before(async () => {
	({ world, alpha, beta } = await twoSites());
	desk = await alpha.client('alice', 'desk');
	hand = await watching(alpha, 'alice', 'phone');
	anna = await alpha.client('anna', 'annas');
	bob = await beta.client('bob', 'bobs');
});
after(() => world?.close());
afterEach(async () => {
	for (const c of [desk, hand, anna, bob])
		c?.check();
	await alpha.idle();
	await beta.idle();
});

/** alice's phone takes the call `there`; `to` answers as its SDK would. Gives the call's new names. */
async function take(there, to, old, name) {
	const offer = sdp.offer(name);

	await hand.request('call', { call: name, to: there.remote.address, sdp: offer, replaces: there.id });
	const incoming = await to.event('incoming');
	assert.equal(incoming.sdp, offer);
	assert.equal(incoming.replaces, old.b, 'it names the call whose place it takes');
	assert.equal(incoming.from.address, 'alice@alpha.test');
	await to.request('accept', { call: incoming.call });
	await to.request('answer', { call: incoming.call, sdp: sdp.answer(name) });
	await hand.event('answered', { call: name });
	await to.event('established', { call: incoming.call });
	return { a: name, b: incoming.call };
}

for (const [what, who, address] of [['across two sites', () => bob, 'bob@beta.test'], ['inside one site', () => anna, 'anna@alpha.test']]) {
	test(`the caller moves, ${what}`, async () => {
		const far = who();
		const old = await establish(desk, far, address);
		const { calls: [there] } = await hand.event('elsewhere');

		assert.equal(there.remote.address, address);
		assert.equal(there.device.name, 'desk');
		const fresh = await take(there, far, old, `take-${far === bob ? 1 : 2}`);

		await far.request('hangup', { call: old.b, reason: 'moved' });
		assert.equal((await far.event('ended', { call: old.b })).cause.reason, 'elsewhere');
		const left = await desk.event('ended', { call: old.a });
		assert.equal(left.cause.reason, 'elsewhere');
		assert.deepEqual((await hand.event('elsewhere')).calls, []);
		await hangUp(hand, fresh.a, far, fresh.b);
	});
}

test('the callee moves, and the old call ends although nobody says so', async () => {
	const old = await establish(bob, desk, 'alice@alpha.test').catch((e) => e);
	assert.ok(old.a, String(old));
	await hand.event('incoming');
	await hand.event('ended');
	const { calls: [there] } = await hand.event('elsewhere');

	const fresh = await take(there, bob, { b: old.a }, 'take-3');
	assert.equal((await desk.event('ended', { call: old.b }, 15_000)).cause.reason, 'elsewhere');
	assert.equal((await bob.event('ended', { call: old.a }, 15_000)).cause.reason, 'elsewhere');
	assert.deepEqual((await hand.event('elsewhere')).calls, []);
	await hangUp(hand, fresh.a, bob, fresh.b);
});

test('refused by the far end, or asked for by somebody else: the call goes on', async () => {
	const old = await establish(desk, bob, 'bob@beta.test');
	const { calls: [there] } = await hand.event('elsewhere');

	await assert.rejects(anna.request('call', { call: 'no', to: 'bob@beta.test', sdp: sdp.offer('no'), replaces: there.id }), { code: 'no-call' });
	await hand.request('call', { call: 'take-4', to: 'bob@beta.test', sdp: sdp.offer('4'), replaces: there.id });
	const incoming = await bob.event('incoming');
	await assert.rejects(hand.request('call', { call: 'take-5', to: 'bob@beta.test', sdp: sdp.offer('5'), replaces: there.id }), { code: 'elsewhere' });
	await bob.request('reject', { call: incoming.call, reason: 'busy' });
	await bob.event('ended', { call: incoming.call });
	assert.equal((await hand.event('ended', { call: 'take-4' })).cause.reason, 'busy');
	assert.equal((await alpha.calls()).length, 1);
	await hangUp(desk, old.a, bob, old.b);
	assert.deepEqual((await hand.event('elsewhere')).calls, []);
});
