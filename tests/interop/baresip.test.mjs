// limit: 240 s
// baresip as the far site: SIP over TLS by libre, ICE without trickle, no BUNDLE, DTLS-SRTP.
//
//   alice (Chromium .101, Firefox .102) ──wss──► alpha.test (.10) ══TLS══ gamma.test: baresip (.61), user gunda
//        └────────────────────────────── sound: 440 Hz there, 700 Hz here ─────────────────────┘
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Baresip, BARESIP_TONE } from '../lib/baresip.mjs';
import { phone, sitesWithBrowsers } from '../lib/phones.mjs';
import { hum, HUM_HZ } from '../lib/silence.mjs';
import { hears, near } from '../lib/tone.mjs';

const KINDS = ['chromium', 'firefox'];
let set, gunda;

before(async () => {
	set = await sitesWithBrowsers(KINDS.map((kind) => ['alpha', kind]));
	const host = await set.world.host('gamma', 61);
	set.dns.site('gamma.test', host.address);
	await set.dns.serve();
	// It shows one certificate, as a server and as a client.
	const pair = set.ca.leaf('gamma.test', { usage: 'serverAuth,clientAuth' });
	gunda = await Baresip.start(set.world, host, { user: 'gunda', domain: 'gamma.test', pair, ca: set.ca.root });
});
after(() => set?.world.close());
afterEach(() => set.alpha.idle());

/** Both hear the other's tone; then `end` ends the call. */
async function sound(alice, end) {
	await alice.state('connected', 20_000);
	await hum(alice);
	const hz = await hears(alice, BARESIP_TONE);
	assert.ok(near(hz, BARESIP_TONE), `alice hears ${hz} Hz`);
	const { packets, energy } = await alice.hear();
	assert.ok(packets > 50 && energy > 0, `${packets} packets, energy ${energy}`);
	const call = await alice.call();
	assert.deepEqual([call.media, call.remote.address, call.remote.site.verified], ['direct', 'gunda@gamma.test', true]);
	assert.equal((await alice.path()).remote.address, gunda.host.address, 'from the browser to baresip, and back');
	await end();
	await gunda.event('CALL_CLOSED');
	await alice.ended(/call ended/i);
	const heard = gunda.pitch(HUM_HZ);
	assert.ok(heard.part > 0.5 && heard.rms > 0.01, `gunda hears the tone: ${JSON.stringify(heard)}`);
}

const candidates = (sdp) => [...sdp.matchAll(/^a=(candidate:\S+ 1 udp \S+ \S+ \d+)/gim)].map(([, line]) => line);

for (const kind of KINDS) {
	test(`from ${kind} to baresip: the INVITE has every candidate, and each hears the other`, async () => {
		const alice = await phone(set.browsers.alpha[kind], set.alpha, 'alice');
		const from = gunda.proc.lines.length;
		await alice.dial('gunda@gamma.test');
		await gunda.event('CALL_INCOMING');
		await alice.says('call-state', /ringing/i);
		await gunda.run('accept');
		await gunda.event('CALL_ESTABLISHED');
		await sound(alice, () => alice.push('hangup'));

		const messages = gunda.messages(from);
		const [invite, ...more] = messages.filter((m) => m.method === 'INVITE');
		assert.equal(more.length, 0);
		const sent = await alice.sent();
		assert.equal(sent.find((m) => m.type === 'call').trickle, true, 'the browser did not wait');
		const found = sent.filter((m) => m.type === 'candidates').flatMap((m) => m.candidates.map((c) => c.candidate));
		const wanted = candidates(found.map((c) => `a=${c}\r\n`).join(''));
		assert.ok(wanted.length > 0 && found.some((c) => c.includes(alice.browser.host.address)), found.join('\n'));
		assert.deepEqual(candidates(invite.text).sort(), wanted.sort());
		assert.match(invite.text, /^a=end-of-candidates\r$/m);
		assert.match(invite.text, new RegExp(`^m=audio (?!9 )[1-9]\\d* .*\r\nc=IN IP4 ${alice.browser.host.address}\r$`, 'm'));
		assert.equal(invite.get('Require'), undefined);
		assert.equal(messages.filter((m) => m.method === 'INFO').length, 0);
		const answer = messages.find((m) => m.status === 200 && m.cseq.method === 'INVITE').text;
		assert.doesNotMatch(answer, /a=group:BUNDLE|ice-options:trickle/, 'it knows neither');
		await alice.close();
	});

	test(`from baresip to ${kind}: it rings, is taken, and each hears the other`, async () => {
		const alice = await phone(set.browsers.alpha[kind], set.alpha, 'alice');
		await gunda.run('dial', 'sip:alice@alpha.test;transport=tls');
		await alice.accept();
		await gunda.event('CALL_ESTABLISHED');
		await sound(alice, () => gunda.run('hangup'));
		await alice.close();
	});
}
