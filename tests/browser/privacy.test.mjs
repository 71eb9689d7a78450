// limit: 240 s
// Nothing of the callee leaves before she accepts: no description, no candidate, no address, no STUN check, no
// microphone. Seen in captures at her site and at her browser, in what her page did, and by the calling site,
// which reads all that beta sends.
//
//   gunda@gamma.test (.61, this test: reads every SIP message) ══ TLS ══► beta.test .20 ◄── bob (.111, .112)
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { capture } from '../lib/capture.mjs';
import { datagrams, phone, sitesWithBrowsers } from '../lib/phones.mjs';
import * as sdp from '../lib/sdp.mjs';
import { SipSite } from '../lib/sip.mjs';
import { until } from '../lib/world.mjs';

let set, gamma;

before(async () => {
	set = await sitesWithBrowsers([['beta', 'chromium'], ['beta', 'firefox']]);
	const address = await set.world.address(61);
	set.dns.site('gamma.test', address);
	await set.dns.serve();
	gamma = await SipSite.listen({ domain: 'gamma.test', pair: set.ca.valid('gamma.test'), ca: set.ca.root, address });
});
after(async () => {
	await gamma?.close();
	await set?.world.close();
});

for (const kind of ['chromium', 'firefox']) {
	test(`${kind}: rung for three seconds, then accepted`, async () => {
		const browser = set.browsers.beta[kind];
		const bob = await phone(browser, set.beta, 'bob');
		const taps = [await capture(set.beta.host), await capture(browser.host)];
		const link = await gamma.dial('198.18.0.20', 'beta.test');
		// The offer's candidate is an address where a check would be seen: the test's own.
		const call = link.call({ from: 'gunda@gamma.test', to: 'bob@beta.test', body: sdp.offer('privacy', { address: '198.18.0.1' }) });
		await bob.visible('accept');
		await call.response(180);
		await bob.evaluate(() => new Promise((resolve) => setTimeout(resolve, 3000)));
		const before = await bob.evaluate(() => ({ pc: window.seen.pc, media: window.seen.media, sent: window.seen.sent.map((s) => JSON.parse(s.data)) }));
		const marks = await Promise.all(taps.map((tap) => tap.mark()));

		assert.deepEqual(before.pc.filter((p) => p.what !== 'new').map((p) => p.what), [], 'no description was made or set');
		assert.equal(before.media, 0, 'the microphone was not opened');
		assert.deepEqual([...new Set(before.sent.map((m) => m.type))].filter((t) => !['hello', 'ping', 'ringing'].includes(t)), []);
		for (const m of before.sent)
			assert.equal(m.sdp, undefined);
		for (const { message } of gamma.log.filter((g) => g.message.get('Call-ID') === call.callId)) {
			assert.ok(message.status < 200 && message.body.length === 0, message.toString());
			assert.ok(!message.toString().includes(browser.host.address), 'her address is not in any message');
		}

		await bob.accept();
		const ok = await call.response(200);
		call.ack(ok);
		assert.match(ok.text, /^a=candidate:/m, 'half trickle: the answer is complete');
		assert.ok(ok.text.includes(browser.host.address));
		/* What was watched for does happen, and is seen, once she has accepted. */
		const later = await bob.evaluate(() => ({ pc: window.seen.pc.map((p) => p.what), media: window.seen.media }));
		assert.ok(later.media > 0 && later.pc.includes('setRemoteDescription') && later.pc.includes('setLocalDescription'), later.pc.join());
		await until(5000, async () => datagrams(await taps[1].packets()).length > 0, 'her browser checks the path');
		await call.bye();
		await bob.ended(/./);
		const [site, machine] = await Promise.all(taps.map((tap) => tap.stop()));
		assert.deepEqual(datagrams(site.filter((p) => p.mark < marks[0])).map((p) => p.dst), [], 'no datagram but DNS at her site');
		assert.deepEqual(datagrams(machine.filter((p) => p.mark < marks[1])).map((p) => p.dst), [], 'no datagram but DNS at her browser');
		assert.deepEqual([...new Set(machine.filter((p) => p.mark < marks[1] && p.src === browser.host.address && p.proto === 'tcp').map((p) => p.dst))],
			['198.18.0.20'], 'her browser spoke to her own site only');
		assert.deepEqual(await bob.complaints(), []);
		await bob.close();
	});
}
