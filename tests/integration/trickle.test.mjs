// limit: 240 s
// Candidates one by one (RFC 8838, 8840): from program to site to site to program, and with sites that are scripted.
//
//   alice, anna ──wss──► alpha.test (.10) ══TLS══► beta.test (.20) ──wss──► bob
//                                         ══TLS══► gamma.test (.61, this test: knows trickle ICE), delta.test (.62: does not)
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import * as sdp from '../lib/sdp.mjs';
import { SipSite } from '../lib/sip.mjs';
import { twoSites } from '../lib/site.mjs';

let world, ca, dns, alpha, beta, gamma, delta, alice, anna, bob;
let n = 0;

before(async () => {
	({ world, ca, dns, alpha, beta } = await twoSites({ tune: (options) => { options.lines = ['log { level = debug }']; } }));
	const addresses = [await world.address(61), await world.address(62)];
	dns.site('gamma.test', addresses[0]);
	dns.site('delta.test', addresses[1]);
	await dns.serve();
	gamma = await SipSite.listen({ domain: 'gamma.test', pair: ca.valid('gamma.test'), ca: ca.root, address: addresses[0] });
	delta = await SipSite.listen({ domain: 'delta.test', pair: ca.valid('delta.test'), ca: ca.root, address: addresses[1] });
	alice = await alpha.client('alice');
	anna = await alpha.client('anna');
	bob = await beta.client('bob');
});
after(async () => {
	await gamma?.close();
	await delta?.close();
	await world?.close();
});
afterEach(async () => {
	for (const c of [alice, anna, bob])
		c?.check();
	await alpha.idle();
	await beta.idle();
});

async function dial(client, to) {
	const call = `t${++n}`;
	const offer = sdp.offer(`offer ${n}`, { trickle: true });

	await client.request('call', { call, to, sdp: offer, trickle: true });
	return { call, offer };
}

const lines = (event) => event.candidates.map((c) => c.candidate);
const line = (...ns) => ns.map((k) => sdp.candidate(k));
const knows = ['Supported', 'timer, 100rel, trickle-ice'];
const packet = { headers: [['Info-Package', 'trickle-ice'], ['Content-Disposition', 'Info-Package']], type: 'application/trickle-ice-sdpfrag' };

/** Both ways, with `from` calling `to`; every message in its turn. */
async function talk(from, to, address) {
	const { call, offer } = await dial(from, address);
	const incoming = await to.event('incoming'); /* nothing has been found yet */
	assert.equal(incoming.sdp, offer, 'byte for byte');
	assert.equal(incoming.trickle, true);
	await to.request('ringing', { call: incoming.call });
	await from.event('progress', { call, state: 'ringing' });
	await from.request('candidates', { call, ...sdp.candidates(offer, 1, 2) });
	const first = await to.event('candidates', { call: incoming.call });
	assert.deepEqual(lines(first), line(1, 2), 'while it rings');
	assert.equal(first.ufrag, sdp.ufrag(offer));
	await assert.rejects(to.request('candidates', { call: incoming.call, ...sdp.candidates(offer, 9) }), { code: 'bad-state' });
	await to.request('accept', { call: incoming.call });
	const answer = sdp.answer('answer', { trickle: true });
	await to.request('answer', { call: incoming.call, sdp: answer, trickle: true });
	await to.request('candidates', { call: incoming.call, ...sdp.candidates(answer, 3), end: true });
	const answered = await from.event('answered', { call });
	assert.equal(answered.sdp, answer);
	assert.equal(answered.trickle, true);
	const theirs = await from.event('candidates', { call });
	assert.deepEqual(lines(theirs), line(3));
	assert.equal(theirs.end, true);
	assert.equal(from.count('candidates', { call }), 1, 'once each');
	await from.request('candidates', { call, ...sdp.candidates(offer, 4), end: true });
	const last = await to.event('candidates', { call: incoming.call });
	assert.deepEqual(lines(last), line(4), 'what was told before is not told again');
	assert.equal(last.end, true);
	return { call, there: incoming.call };
}

async function hangUp(from, call, to, there) {
	await from.request('hangup', { call });
	await from.event('ended', { call });
	await to.event('ended', { call: there });
}

test('across two sites: the INVITE is there before the first candidate, INFOs go both ways', async () => {
	const marks = [alpha, beta].map((site) => site.proc.lines.length);
	const { call, there } = await talk(alice, bob, 'bob@beta.test');
	await hangUp(alice, call, bob, there);
	const [a, b] = [alpha, beta].map((site, i) => site.proc.lines.slice(marks[i]));
	const at = (log, what) => log.findIndex((l) => what.test(l));
	assert.ok(at(a, /sip\.invite .*dir=out/) >= 0 && at(a, /sip\.invite .*dir=out/) < at(a, /sip\.trickle\.out/), a.join('\n'));
	assert.ok(at(b, /sip\.trickle\.in/) > at(b, /sip\.invite .*dir=in/) && at(b, /sip\.trickle\.out/) > 0 && at(a, /sip\.trickle\.in/) > 0, b.join('\n'));
	assert.equal(at(a, /sip\.trickle\.half/), at(a, /sip\.trickle\.half .*full=1/), 'no call between the two waits for its candidates');
});

test('no candidate is in any log', () => {
	for (const site of [alpha, beta])
		assert.deepEqual(site.proc.lines.filter((l) => /192\.0\.2\.77|candidate:|typ host/.test(l)), []);
});

test('the second call asks nobody', async () => {
	const from = alpha.proc.lines.length;
	const { call, there } = await talk(alice, bob, 'bob@beta.test');
	await hangUp(alice, call, bob, there);
	assert.ok(!alpha.proc.lines.slice(from).some((l) => /sip\.trickle\.(learnt|half)/.test(l)));
	const back = await talk(bob, alice, 'alice@alpha.test');
	await hangUp(bob, back.call, alice, back.there);
});

test('inside one site', async () => {
	const { call, there } = await talk(alice, anna, 'anna@alpha.test');
	await hangUp(alice, call, anna, there);
});

test('every device that rings gets the same, also one that comes late', async () => {
	const second = await beta.client('bob', 'second');
	const { call, offer } = await dial(alice, 'bob@beta.test');
	const here = await bob.event('incoming');
	const there = await second.event('incoming');
	await bob.request('ringing', { call: here.call });
	await alice.event('progress', { call });
	await alice.request('candidates', { call, ...sdp.candidates(offer, 1, 2) });
	for (const [client, incoming] of [[bob, here], [second, there]])
		assert.deepEqual(lines(await client.event('candidates', { call: incoming.call })), line(1, 2));
	const third = await beta.client('bob', 'third');
	const late = await third.event('incoming');
	assert.deepEqual(lines(await third.event('candidates', { call: late.call })), line(1, 2));
	await alice.request('candidates', { call, ...sdp.candidates(offer, 3), end: true });
	for (const [client, incoming] of [[bob, here], [second, there], [third, late]])
		assert.deepEqual(lines(await client.event('candidates', { call: incoming.call })), line(3));
	await alice.request('hangup', { call });
	for (const [client, name] of [[alice, call], [bob, here.call], [second, there.call], [third, late.call]])
		await client.event('ended', { call: name });
	await second.close();
	await third.close();
});

test('ICE is restarted in the call', async () => {
	const { call, there } = await talk(alice, bob, 'bob@beta.test');
	const offer = sdp.offer('restart', { trickle: true });
	await alice.request('offer', { call, sdp: offer, trickle: true });
	await alice.request('candidates', { call, ...sdp.candidates(offer, 11) });
	assert.equal((await bob.event('offer', { call: there })).sdp, offer);
	const fresh = await bob.event('candidates', { call: there });
	assert.equal(fresh.ufrag, sdp.ufrag(offer));
	assert.deepEqual(lines(fresh), line(11));
	const answer = sdp.answer('restarted', { trickle: true });
	await bob.request('answer', { call: there, sdp: answer, trickle: true });
	await bob.request('candidates', { call: there, ...sdp.candidates(answer, 12), end: true });
	assert.equal((await alice.event('answer', { call })).sdp, answer);
	assert.deepEqual(lines(await alice.event('candidates', { call })), line(12));
	await hangUp(alice, call, bob, there);
});

test('on the wire, to a site that knows it', async () => {
	const { call, offer } = await dial(alice, 'gunda@gamma.test');
	const options = await gamma.request('OPTIONS');
	options.reply(200, { headers: [knows] });
	const invite = await gamma.request('INVITE');
	assert.equal(invite.message.text, offer, 'before anything was found');
	assert.equal(invite.message.get('Require'), 'trickle-ice');
	assert.match(invite.message.get('Supported'), /trickle-ice/);
	assert.equal(invite.message.get('Recv-Info'), 'trickle-ice');
	await alice.request('candidates', { call, ...sdp.candidates(offer, 1) });
	invite.reply(180, { headers: [knows, ['Require', '100rel'], ['RSeq', '1']] });
	(await gamma.request('PRACK')).reply(200);
	const info = await gamma.request('INFO');
	assert.equal(info.message.get('Info-Package'), 'trickle-ice');
	assert.equal(info.message.get('Content-Type'), 'application/trickle-ice-sdpfrag');
	assert.equal(info.message.text, sdp.fragment(offer, [1]));
	await alice.request('candidates', { call, ...sdp.candidates(offer, 2), end: true });
	info.reply(200);
	const second = await gamma.request('INFO');
	assert.equal(second.message.text, sdp.fragment(offer, [1, 2], { end: true }), 'each with all before it');
	second.reply(200);
	const answer = sdp.answer('gunda', { trickle: true });
	const early = invite.request('INFO', { ...packet, body: sdp.fragment(answer, [5]) });
	assert.equal((await invite.response(early)).status, 200);
	invite.reply(200, { headers: [knows], body: answer });
	await gamma.request('ACK');
	assert.equal((await alice.event('answered', { call })).trickle, true);
	assert.deepEqual(lines(await alice.event('candidates', { call })), line(5), 'it had overtaken the answer');
	const stale = invite.request('INFO', { ...packet, body: sdp.fragment(offer, [6]) });
	assert.equal((await invite.response(stale)).status, 200);
	const other = invite.request('INFO', { headers: [['Info-Package', 'dtmf']], body: 'x', type: 'text/plain' });
	const refused = await invite.response(other);
	assert.equal(refused.status, 469);
	assert.equal(refused.get('Recv-Info'), 'trickle-ice');
	await alice.settled();
	assert.equal(alice.count('candidates', { call }), 1);
	await alice.request('hangup', { call });
	(await gamma.request('BYE')).reply(200);
	await alice.event('ended', { call });
});

test('to a site that does not know it: the INVITE waits, and has all of them', async () => {
	const { call, offer } = await dial(alice, 'dora@delta.test');
	(await delta.request('OPTIONS')).reply(200, { headers: [['Supported', 'timer']] });
	await alice.request('candidates', { call, ...sdp.candidates(offer, 1) });
	await alice.settled();
	assert.equal(delta.received('INVITE').length, 0);
	await alice.request('candidates', { call, ...sdp.candidates(offer, 2), end: true });
	const invite = await delta.request('INVITE');
	const want = offer.replace('m=audio 9 ', 'm=audio 50001 ').replace('c=IN IP4 0.0.0.0', 'c=IN IP4 192.0.2.77') +
		`a=${sdp.candidate(1)}\r\na=${sdp.candidate(2)}\r\na=end-of-candidates\r\n`;
	assert.equal(invite.message.text, want);
	assert.equal(invite.message.get('Require'), undefined);
	invite.reply(200, { body: sdp.answer('dora') });
	await delta.request('ACK');
	assert.equal((await alice.event('answered', { call })).trickle, undefined);
	await alice.settled();
	assert.equal(delta.received('INFO').length, 0);
	await alice.request('hangup', { call });
	(await delta.request('BYE')).reply(200);
	await alice.event('ended', { call });
});

test('a site that did know it and does not any more: 420, then all of them', async () => {
	const { call, offer } = await dial(alice, 'gunda@gamma.test');
	const invite = await gamma.request('INVITE');
	assert.equal(invite.message.get('Require'), 'trickle-ice');
	invite.reply(420, { headers: [['Unsupported', 'trickle-ice']] });
	await gamma.request('ACK');
	await alice.request('candidates', { call, ...sdp.candidates(offer, 1), end: true });
	const again = await gamma.request('INVITE');
	assert.ok(again.message.text.includes(`a=${sdp.candidate(1)}\r\na=end-of-candidates`));
	assert.equal(again.message.get('Require'), undefined);
	again.reply(486);
	await gamma.request('ACK');
	assert.equal((await alice.event('ended', { call })).cause.reason, 'busy');
});
