// limit: 180 s
// What reaches another site of a user whose address is hidden: every message of a call is read there, and none holds an
// address of hers, from the ring to the end; and what she is told holds none of the caller's.
//
//   gunda@gamma.test (.61, this test: reads every SIP message) ══TLS══► beta.test (.20, relay = strangers) ──wss──► bob, berta
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import * as sdp from '../lib/sdp.mjs';
import { SipSite } from '../lib/sip.mjs';
import { twoSites } from '../lib/site.mjs';

const HERS = '198.18.0.200', THEIRS = '198.18.0.61', SITE = '198.18.0.20';
let set, world, beta, gamma, link, bob;

before(async () => {
	set = await twoSites({ tune: (options, name) => { if (name === 'beta') options.sites[0].lines = ['relay = strangers']; options.limits = { 'relay-calls': 1 }; } });
	({ world, beta } = set);
	const address = await world.address(61);
	set.dns.site('gamma.test', address);
	await set.dns.serve();
	gamma = await SipSite.listen({ domain: 'gamma.test', pair: set.ca.valid('gamma.test'), ca: set.ca.root, address });
	link = await gamma.dial(SITE, 'beta.test');
	bob = await beta.client('bob');
});
after(async () => {
	await gamma?.close();
	await world?.close();
});
afterEach(async () => {
	bob.check();
	await beta.idle();
});

/** All that gamma has got in this call. */
const messages = (call) => gamma.log.filter((g) => g.message.get('Call-ID') === call.callId).map((g) => g.message.toString());
const addresses = (text) => [...text.matchAll(/^(?:a=candidate:\S+ 1 udp \d+|c=IN IP4|a=rtcp:\d+ IN IP4) (\S+)/gmi)].map(([, a]) => a);

test('a stranger calls: no message to her site holds an address of the callee, nor the other way round', async () => {
	const offer = sdp.offer('from a stranger', { address: THEIRS });
	const call = link.call({ from: 'gunda@gamma.test', to: 'bob@beta.test', body: offer });
	const incoming = await bob.event('incoming');

	assert.equal(incoming.media, 'relay');
	assert.ok(!incoming.sdp.includes(THEIRS), 'bob is not told where gunda is');
	assert.match(incoming.sdp, /^a=ice-lite\r$/m);
	assert.deepEqual([...new Set(addresses(incoming.sdp))], [SITE]);
	assert.equal(/^a=fingerprint:(.*)$/m.exec(incoming.sdp)[1], /^a=fingerprint:(.*)$/m.exec(offer)[1], 'the key stays gunda\'s');
	await bob.request('ringing', { call: incoming.call });
	await call.response(180);
	for (const text of messages(call))
		assert.ok(!text.includes(SITE + ' ') && !/^v=0/m.test(text), `no description before the answer: ${text}`);
	await bob.request('accept', { call: incoming.call });
	const answer = sdp.answer('hers', { address: HERS });
	await bob.request('answer', { call: incoming.call, sdp: answer });
	const ok = await call.response(200);
	call.ack(ok);
	assert.deepEqual([...new Set(addresses(ok.text))], [SITE]);
	assert.doesNotMatch(ok.text, /^a=ice-lite\r$/m);
	assert.equal(/^a=fingerprint:(.*)$/m.exec(ok.text)[1], /^a=fingerprint:(.*)$/m.exec(answer)[1]);
	const established = await bob.event('established', { call: incoming.call });
	assert.equal(established.media, 'relay');
	assert.equal(established.encryption, 'claimed');
	const [row] = await beta.calls();
	assert.equal(row.media, 'relay', 'slussctl calls says it');

	/* what she finds later ends at her site */
	await bob.request('candidates', { call: incoming.call, ufrag: sdp.ufrag(answer), candidates: [{ mid: '0', mline: 0, candidate: sdp.candidate(7, HERS) }] });
	/* and in a change of hers there is none either */
	await bob.request('offer', { call: incoming.call, sdp: sdp.offer('a change', { address: HERS }).replace(/^a=fingerprint:.*$/m, `a=fingerprint:${/^a=fingerprint:(.*)$/m.exec(answer)[1]}`) });
	const change = await gamma.request('INVITE');
	assert.deepEqual([...new Set(addresses(change.message.body.toString()))], [SITE]);
	change.reply(488);
	await bob.event('refused', { call: incoming.call });
	await bob.request('hangup', { call: incoming.call });
	(await gamma.request('BYE')).reply(200);
	const all = messages(call);
	assert.ok(all.length >= 4, 'the messages were read');
	for (const text of all)
		assert.ok(!text.includes(HERS), text);
});

test('one more than relay-calls is refused in words, and whom she has answered is no stranger', async () => {
	const berta = await beta.client('berta');
	const first = link.call({ from: 'gunda@gamma.test', to: 'berta@beta.test', body: sdp.offer('one', { address: THEIRS }) });
	const ringing = await berta.event('incoming');
	assert.equal(ringing.media, 'relay');
	const second = link.call({ from: 'greta@gamma.test', to: 'berta@beta.test', body: sdp.offer('two', { address: THEIRS }) });
	const refused = await second.response(503);
	assert.match(refused.get('Warning') ?? refused.toString(), /hidden/);
	second.ack?.(refused);
	await berta.request('reject', { call: ringing.call, reason: 'busy' });
	await first.response(486);

	/* bob has answered gunda */
	const again = link.call({ from: 'gunda@gamma.test', to: 'bob@beta.test', body: sdp.offer('known', { address: THEIRS }) });
	const known = await bob.event('incoming');
	assert.equal(known.media, 'direct');
	assert.ok(known.sdp.includes(THEIRS));
	await bob.request('reject', { call: known.call, reason: 'busy' });
	await again.response(486);
});
