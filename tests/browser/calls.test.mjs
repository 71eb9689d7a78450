// limit: 420 s
// What people do with calls, in the phone of the page, Chromium at alpha and Firefox at beta.
//
//   alice (Chromium .101) ── alpha.test ══ SIP ══ beta.test ── bob, bob's second device (Firefox .112)
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { SipSite } from '../lib/sip.mjs';
import { Phone } from '../lib/browser.mjs';
import { phone, sitesWithBrowsers, talk } from '../lib/phones.mjs';

let set, alice, bob;

before(async () => {
	set = await sitesWithBrowsers([['alpha', 'chromium'], ['beta', 'firefox']], {
		tune: (o) => (o.limits = { 'ring-time': 6, 'login-tries-account': 5 }),
	});
	alice = await phone(set.browsers.alpha.chromium, set.alpha, 'alice');
	bob = await phone(set.browsers.beta.firefox, set.beta, 'bob');
});
after(() => set?.world.close());
afterEach(async () => {
	for (const p of [alice, bob]) {
		assert.deepEqual(await p.complaints(), []);
		await p.home();
	}
	await set.alpha.idle();
	await set.beta.idle();
});

test('decline', async () => {
	await alice.dial('bob@beta.test');
	await bob.push('decline');
	await alice.ended(/declined/i);
	await bob.hidden('accept');
});

test('busy: not on this device', async () => {
	await alice.dial('bob@beta.test');
	await bob.push('busy');
	await alice.ended(/busy/i);
});

test('the caller cancels; the callee is told of a missed call', async () => {
	await alice.dial('bob@beta.test');
	await bob.visible('accept');
	await alice.says('call-state', /ringing/i);
	await alice.push('hangup');
	await alice.ended(/cancelled|call ended/i);
	await bob.hidden('accept');
	await bob.says('notice', /alice/i);
});

test('no answer', async () => {
	await alice.dial('bob@beta.test');
	await bob.visible('accept');
	await alice.ended(/no answer/i, 15_000);
	await bob.hidden('accept');
});

test('two devices ring, one takes it, the other is told', async () => {
	const second = await phone(set.browsers.beta.firefox, set.beta, 'bob');
	await alice.dial('bob@beta.test');
	await bob.visible('accept');
	await second.accept();
	await bob.hidden('accept');
	await bob.says('notice', /another device|elsewhere/i);
	await talk(assert, alice, second);
	await second.push('hangup');
	await alice.ended(/call ended/i);
	assert.deepEqual(await second.complaints(), []);
	await second.close();
});

test('unknown user, unknown domain, someone who is offline, not an address: words a person understands', async () => {
	for (const [to, words] of [['nobody@beta.test', /no such|not.*known|does not exist/i], ['bob@no-such-site.test', /no-such-site\.test/],
		['berta@beta.test', /not available|offline|not.*online/i]]) {
		await alice.dial(to);
		const said = await alice.ended(words, 20_000);
		assert.ok(said.length > 10 && !/undefined|null|\b[45]\d\d\b/.test(said), said);
		await alice.home();
	}
	await alice.dial('not an address');
	await alice.says('dial-error', /./);
});

test('why a site could not be reached: expired and wrong certificates', async () => {
	const address = await set.world.address(61);
	set.dns.site('gamma.test', address);
	await set.dns.serve();
	for (const [kind, words] of [['expired', /gamma\.test.*certificate.*expired/is], ['wrongName', /gamma\.test.*certificate/is]]) {
		const gamma = await SipSite.listen({ domain: 'gamma.test', pair: set.ca[kind]('gamma.test'), ca: set.ca.root, address });
		await alice.dial('gunda@gamma.test');
		await alice.ended(words, 20_000);
		assert.equal(gamma.received('INVITE').length, 0);
		await gamma.close();
		await alice.home();
	}
});

test('the camera is added in mid-call, from either side, and the picture arrives', async () => {
	await alice.dial('bob@beta.test');
	await bob.accept();
	await talk(assert, alice, bob);
	const frames = (p) => p.wait(async () => {
		const { received } = await window.sluss.phone.calls[0].stats();
		return (received.video?.frames ?? 0) > 5 && received.video.frames;
	}, null, 20_000);
	await alice.push('camera');
	await frames(bob);
	await bob.visible('far-video');
	await bob.push('camera');
	await frames(alice);
	await alice.visible('far-video');
	await talk(assert, alice, bob);
	await alice.push('hangup');
	await bob.ended(/call ended/i);
});

test('mute is silence at the other end, and ends', async () => {
	await alice.dial('bob@beta.test');
	await bob.accept();
	await talk(assert, alice, bob);
	await bob.push('mute');
	await bob.wait(() => window.sluss.phone.calls[0].muted.audio);
	const silent = await alice.wait(async () => {
		const track = window.seen.peers.at(-1).getReceivers()[0].track;
		const context = new AudioContext();
		await context.resume();
		const analyser = context.createAnalyser();
		context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
		const samples = new Float32Array(analyser.fftSize);
		let loudest = 0;
		for (const end = performance.now() + 1500; performance.now() < end;) {
			await new Promise((resolve) => setTimeout(resolve, 40));
			analyser.getFloatTimeDomainData(samples);
			loudest = Math.max(loudest, ...samples.map(Math.abs));
		}
		await context.close();
		return loudest < 0.001;
	});
	assert.ok(silent);
	await bob.push('mute');
	await talk(assert, alice, bob);
	await bob.push('hangup');
	await alice.ended(/call ended/i);
});

test('a browser that is closed in mid-call ends the call at the other side', async () => {
	const second = await phone(set.browsers.beta.firefox, set.beta, 'berta');
	await alice.dial('berta@beta.test');
	await second.accept();
	await talk(assert, alice, second);
	await second.close();
	await alice.ended(/cut off|ended/i, 20_000);
});

test('a wrong password is said so; signing out; signing in with the keyboard alone', async () => {
	const fresh = await Phone.open(set.browsers.alpha.chromium, set.alpha);
	await fresh.visible('login-user');
	await fresh.fill('[data-test="login-user"]', 'anna');
	await fresh.fill('[data-test="login-password"]', 'wrong password');
	await fresh.click('[data-test="login-submit"]');
	await fresh.says('login-error', /wrong/i);
	await fresh.fill('[data-test="login-password"]', 'correct horse battery');
	await fresh.press('Enter');
	await fresh.visible('dial-input');
	assert.match(await fresh.text('me'), /anna@alpha\.test/);
	await fresh.fill('[data-test="dial-input"]', 'bob@beta.test');
	await fresh.press('Enter');
	await bob.push('decline');
	await fresh.ended(/declined/i);
	await fresh.push('call-done');
	await fresh.push('signout');
	await fresh.visible('login-user');
	await fresh.close();
});

test('the site restarts: the phone comes back by itself, and calls work', async () => {
	await set.beta.stop();
	await bob.wait(() => window.sluss.phone.state !== 'online');
	await set.beta.start();
	await bob.wait(() => window.sluss.phone.state === 'online', null, 40_000);
	// Firefox says so when nobody is there yet
	bob.browser.console = bob.browser.console.filter(({ text }) => !/connection to the server at wss:/.test(text));
	await alice.dial('bob@beta.test');
	await bob.accept();
	await talk(assert, alice, bob);
	await alice.push('hangup');
	await bob.ended(/call ended/i);
});
