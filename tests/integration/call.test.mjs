// limit: 240 s
// Calls between programs that speak sluss.v1, across two sites and inside one.
//
//   alice, anna ──wss──► alpha.test (.10) ══SIP over mutual TLS, found by SRV══► beta.test (.20) ──wss──► bob, berta
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { capture } from '../lib/capture.mjs';
import * as sdp from '../lib/sdp.mjs';
import { twoSites } from '../lib/site.mjs';
import { dial, establish, hangUp } from '../lib/talk.mjs';

let world, alpha, beta, alice, anna, bob;
const open = [];

async function client(site, user, device) {
	const made = await site.client(user, device);
	open.push(made);
	return made;
}

before(async () => {
	({ world, alpha, beta } = await twoSites());
	alice = await client(alpha, 'alice');
	anna = await client(alpha, 'anna');
	bob = await client(beta, 'bob');
});
after(() => world?.close());
afterEach(async () => {
	for (const c of [alice, anna, bob])
		c?.check();
	await alpha.idle();
	await beta.idle();
});

test('a call across two sites', async () => {
	const call = await establish(alice, bob, 'bob@beta.test', { name: 'Alice A.' });
	assert.equal(call.incoming.from.address, 'alice@alpha.test');
	assert.deepEqual(call.incoming.from.site, { domain: 'alpha.test', verified: true, tls: true, identity: 'verified' });
	assert.equal(call.incoming.to, 'bob@beta.test');
	assert.equal(call.answered.remote.address, 'bob@beta.test');
	assert.deepEqual(call.answered.remote.site, { domain: 'beta.test', verified: true, tls: true, identity: 'none' });
	for (const event of [call.answered, call.established]) {
		assert.equal(event.media, 'direct');
		assert.equal(event.encryption, 'claimed');
	}
	const [here] = await alpha.calls();
	const [there] = await beta.calls();
	assert.ok(here && there, 'slussctl calls shows it at both sites');
	await hangUp(alice, call.a, bob, call.b);
});

test('one call id joins both legs in the log of a site', async () => {
	const from = alpha.proc.lines.length;
	const call = await establish(alice, bob, 'bob@beta.test');
	const [{ id }] = await alpha.calls();
	await hangUp(alice, call.a, bob, call.b);
	await alpha.idle();
	const lines = alpha.proc.lines.slice(from).filter((l) => / (info|warn|err) /.test(l) && l.includes(`call=${id}`));
	assert.ok(lines.some((l) => /alice@|alpha\.test/.test(l)) && lines.some((l) => /beta\.test/.test(l)), lines.join('\n'));
	assert.ok(lines.length <= 6, `six lines at most for a healthy call:\n${lines.join('\n')}`);
});

test('the other way, and the callee hangs up', async () => {
	const call = await establish(bob, alice, 'alice@alpha.test');
	assert.equal(call.incoming.from.address, 'bob@beta.test');
	await hangUp(alice, call.b, bob, call.a);
});

test('sip: URIs and upper case reach the same user', async () => {
	for (const to of ['sip:bob@beta.test', 'Bob@BETA.test']) {
		const call = await establish(alice, bob, to);
		assert.equal(call.incoming.to, 'bob@beta.test');
		await hangUp(alice, call.a, bob, call.b);
	}
});

test('inside one site no SIP packet passes', async () => {
	const tap = await capture(alpha.host, 'port 5060 or port 5061');
	const call = await establish(alice, anna, 'anna@alpha.test');
	assert.deepEqual(call.incoming.from.site, { domain: 'alpha.test', verified: true, tls: false, identity: 'none' });
	await hangUp(anna, call.b, alice, call.a);
	assert.deepEqual((await tap.stop()).filter((p) => p.data.length > 0 || p.flags & 2), []);
});

test('all devices ring, the first to accept has it, the others are told', async () => {
	const second = await client(beta, 'bob', 'second');
	const { id } = await dial(alice, 'bob@beta.test');
	const [one, two] = [await bob.event('incoming'), await second.event('incoming')];
	await bob.request('ringing', { call: one.call });
	await second.request('ringing', { call: two.call });
	await second.request('accept', { call: two.call });
	assert.equal((await bob.event('ended', { call: one.call })).cause.reason, 'elsewhere');
	await assert.rejects(bob.request('accept', { call: one.call }), (e) => ['elsewhere', 'gone', 'no-call'].includes(e.code));
	const answer = sdp.answer('second');
	await second.request('answer', { call: two.call, sdp: answer });
	assert.equal((await alice.event('answered', { call: id })).sdp, answer);
	assert.equal(alice.count('answered', { call: id }), 1);
	await hangUp(alice, id, second, two.call);
	await second.close();
});

test('busy is this device only; busy everywhere is busy', async () => {
	const second = await client(beta, 'bob', 'second');
	const { id } = await dial(alice, 'bob@beta.test');
	const [one, two] = [await bob.event('incoming'), await second.event('incoming')];
	await bob.request('reject', { call: one.call, reason: 'busy' });
	await second.settled();
	assert.equal(second.count('ended', { call: two.call }), 0, 'the second device still rings');
	await second.request('reject', { call: two.call, reason: 'busy' });
	const { cause } = await alice.event('ended', { call: id });
	assert.deepEqual([cause.reason, cause.code], ['busy', 486]);
	await second.close();
});

test('decline is for all devices', async () => {
	const second = await client(beta, 'bob', 'second');
	const { id } = await dial(alice, 'bob@beta.test');
	const [one, two] = [await bob.event('incoming'), await second.event('incoming')];
	await bob.request('reject', { call: one.call, reason: 'decline' });
	assert.deepEqual((await second.event('ended', { call: two.call })).cause, { code: 603, reason: 'declined',
		text: 'The call was declined on another device.' });
	const { cause } = await alice.event('ended', { call: id });
	assert.deepEqual([cause.reason, cause.code], ['declined', 603]);
	await second.close();
});

test('the caller gives up while it rings', async () => {
	const { id } = await dial(alice, 'bob@beta.test');
	const incoming = await bob.event('incoming');
	await bob.request('ringing', { call: incoming.call });
	await alice.event('progress', { call: id, state: 'ringing' });
	await alice.request('hangup', { call: id });
	assert.equal((await bob.event('ended', { call: incoming.call })).cause.reason, 'cancelled');
	assert.equal((await alice.event('ended', { call: id })).cause.reason, 'cancelled');
});

test('the caller gives up at once', async () => {
	for (let i = 0; i < 5; i++) {
		const { id } = await dial(alice, 'bob@beta.test');
		await alice.request('hangup', { call: id });
		await alice.event('ended', { call: id });
	}
	await alpha.idle();
	await beta.idle();
	await bob.settled();
	for (const incoming of bob.events.filter((e) => e.type === 'incoming' && !e.taken)) {
		Object.defineProperty(incoming, 'taken', { value: true });
		assert.equal((await bob.event('ended', { call: incoming.call })).cause.reason, 'cancelled');
	}
});

test('unknown user, unknown user here, offline user, unknown domain, own domain misspelt', async () => {
	const expect = async (to, reasons, words) => {
		const { id } = await dial(alice, to);
		const { cause } = await alice.event('ended', { call: id }, 20_000);
		assert.ok(reasons.includes(cause.reason), `${to}: ${JSON.stringify(cause)}`);
		assert.match(cause.text, words);
	};
	await expect('nobody@beta.test', ['not-found'], /./);
	await expect('nobody@alpha.test', ['not-found'], /./);
	await expect('berta@beta.test', ['offline'], /./);
	await expect('bob@no-such-site.test', ['unreachable', 'no-route'], /no-such-site\.test/);
	await expect('bob@beta.tset', ['unreachable', 'no-route'], /beta\.tset/);
});

test('a new offer of the caller, and one of the callee', async () => {
	const call = await establish(alice, bob, 'bob@beta.test');
	for (const [from, fromCall, to, toCall, marker] of [[alice, call.a, bob, call.b, 'video of alice'], [bob, call.b, alice, call.a, 'video of bob']]) {
		const offer = sdp.offer(marker, { video: true });
		await from.request('offer', { call: fromCall, sdp: offer });
		assert.equal((await to.event('offer', { call: toCall })).sdp, offer);
		const answer = sdp.answer(`${marker} answered`, { video: true });
		await to.request('answer', { call: toCall, sdp: answer });
		assert.equal((await from.event('answer', { call: fromCall })).sdp, answer);
	}
	await hangUp(bob, call.b, alice, call.a);
});

test('a refused offer leaves the call as it was', async () => {
	const call = await establish(alice, bob, 'bob@beta.test');
	await alice.request('offer', { call: call.a, sdp: sdp.offer('unwelcome', { video: true }) });
	await bob.event('offer', { call: call.b });
	await bob.request('refuse', { call: call.b, reason: 'media' });
	assert.equal((await alice.event('refused', { call: call.a })).cause.reason, 'media');
	const offer = sdp.offer('second try');
	await alice.request('offer', { call: call.a, sdp: offer });
	assert.equal((await bob.event('offer', { call: call.b })).sdp, offer);
	await bob.request('answer', { call: call.b, sdp: sdp.answer('welcome') });
	await alice.event('answer', { call: call.a });
	await hangUp(alice, call.a, bob, call.b);
});

test('two offers at once: glare, and the call goes on', async () => {
	const call = await establish(alice, bob, 'bob@beta.test');
	/* Who hears of the other's offer while its own is under way refuses it, as the SDK does. */
	const refusing = async (client, id) => {
		const seen = await client.event('offer', { call: id }, 2000).catch(() => null);
		if (seen)
			await client.request('refuse', { call: id, reason: 'glare' });
	};
	const both = [refusing(alice, call.a), refusing(bob, call.b)];
	await Promise.all([
		alice.request('offer', { call: call.a, sdp: sdp.offer('glare a') }),
		bob.request('offer', { call: call.b, sdp: sdp.offer('glare b') }),
	]);
	const refused = await Promise.all([alice.event('refused', { call: call.a }), bob.event('refused', { call: call.b })]);
	for (const { cause } of refused)
		assert.deepEqual([cause.reason, cause.code], ['glare', 491]);
	await Promise.all(both);
	const offer = sdp.offer('after the glare');
	await bob.request('offer', { call: call.b, sdp: offer });
	assert.equal((await alice.event('offer', { call: call.a })).sdp, offer);
	await alice.request('answer', { call: call.a, sdp: sdp.answer('at last') });
	await bob.event('answer', { call: call.b });
	await hangUp(alice, call.a, bob, call.b);
});

test('what passes by itself is refused by name: states, descriptions, calls', async () => {
	const code = (wanted) => (e) => e.code === wanted || assert.fail(`${e.code} instead of ${wanted}: ${e.message}`);
	await assert.rejects(alice.request('hangup', { call: 'none' }), code('no-call'));
	await assert.rejects(alice.request('call', { call: 'x1', to: 'bob@beta.test', sdp: 'hello' }), code('bad-sdp'));
	await assert.rejects(alice.request('call', { call: 'x2', to: 'not an address', sdp: sdp.offer('x') }), code('bad-address'));
	const call = await establish(alice, bob, 'bob@beta.test');
	await assert.rejects(alice.request('call', { call: call.a, to: 'bob@beta.test', sdp: sdp.offer('x') }), code('call-exists'));
	await assert.rejects(alice.request('answer', { call: call.a, sdp: sdp.answer('nobody asked') }), code('bad-state'));
	await assert.rejects(bob.request('accept', { call: call.b }), code('bad-state'));
	await hangUp(alice, call.a, bob, call.b);
});

test('a browser that vanishes ends its calls', async () => {
	const second = await client(beta, 'berta', 'vanishing');
	const call = await establish(alice, second, 'berta@beta.test');
	second.ws.terminate();
	const { cause } = await alice.event('ended', { call: call.a });
	assert.equal(cause.reason, 'lost');
});

test('slussctl hangup ends a call on both sides', async () => {
	const call = await establish(alice, bob, 'bob@beta.test');
	const [{ id }] = await beta.calls();
	assert.equal((await beta.ctl('hangup', id)).code, 0);
	await alice.event('ended', { call: call.a });
	await bob.event('ended', { call: call.b });
});

test('eight calls at once between two sites', async () => {
	const callers = await Promise.all(['d1', 'd2', 'd3', 'd4'].map((d) => client(alpha, 'anna', d)));
	const callees = await Promise.all(['d1', 'd2', 'd3', 'd4'].map((d, i) => client(beta, i % 2 ? 'bob' : 'berta', d)));
	await bob.settled();
	const before = bob.events.length;
	const dialled = [];
	for (let i = 0; i < 8; i++)
		dialled.push({ from: callers[i % 4], ...(await dial(callers[i % 4], 'berta@beta.test')) });
	for (const { from, id } of dialled) {
		const incoming = await callees[0].event('incoming');
		await callees[0].request('accept', { call: incoming.call });
		await callees[0].request('answer', { call: incoming.call, sdp: sdp.answer('many') });
		await callees[0].event('established', { call: incoming.call });
		void from;
		void id;
	}
	for (const { from, id } of dialled) {
		await from.event('answered', { call: id });
		await from.request('hangup', { call: id });
		await from.event('ended', { call: id });
	}
	await bob.settled();
	assert.equal(bob.events.length, before, 'nobody else hears of it');
	await Promise.all([...callers, ...callees].map((c) => c.close()));
});
