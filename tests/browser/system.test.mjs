// limit: 420 s
// What the page asks of the browser and the system, in browsers: notifications, the wake lock, loudspeakers and other
// devices in mid-call, being installed, links; and what it says when there is no microphone.
//
//   alice (Chromium .101, Firefox .102) ── alpha.test ══ SIP ══ beta.test ── bob (Chromium .111)
//   anna (Firefox .103: no microphone; .104: none allowed)
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Browser } from '../lib/browser.mjs';
import { phone, sitesWithBrowsers, talk } from '../lib/phones.mjs';

/** Nobody notices a hole as long as a syllable; RTP packets come every 20 ms. */
const GAP_MS = 400;
/** Another camera's first picture is a whole one, and of another size: the picture before it stands that long. */
const PICTURE_MS = 1500;
let set, alice, bob, fox;

before(async () => {
	set = await sitesWithBrowsers([['alpha', 'chromium'], ['alpha', 'firefox'], ['beta', 'chromium']],
		{ browser: { devices: '=device-count=3', prefs: { 'permissions.default.desktop-notification': 1 } } });
	alice = await phone(set.browsers.alpha.chromium, set.alpha, 'alice', { permissions: ['microphone', 'camera', 'notifications'] });
	bob = await phone(set.browsers.beta.chromium, set.beta, 'bob');
});
after(() => set?.world.close());
afterEach(async () => {
	for (const p of [alice, bob]) {
		await p.evaluate(() => {
			window.sluss.phone.calls.forEach((c) => c.hangup());
			document.querySelectorAll('dialog[open]').forEach((d) => d.close());
		});
		assert.deepEqual(await p.complaints(), []);
		await p.home();
	}
	await set.alpha.idle();
	await set.beta.idle();
});

async function call() {
	await alice.dial('bob@beta.test');
	await bob.accept();
	await alice.state('connected');
	await bob.state('connected');
}

/** The notifications of this origin: {title, body, tag, actions}. */
const notes = (p) => p.evaluate(async () => {
	const worker = await navigator.serviceWorker.getRegistration('/');
	return (await worker.getNotifications()).map(({ title, body, tag, actions }) => ({ title, body, tag, actions: actions?.map((a) => a.action) ?? [] }));
});
const workerIsThere = (p) => p.wait(() => navigator.serviceWorker.controller?.state === 'activated');

/** Chromium's driver keeps every page in sight: that nobody sees this one is told by hand. */
const hide = (p, hidden) => p.evaluate((on) => {
	Object.defineProperty(document, 'hidden', { configurable: true, get: () => on });
	Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => (on ? 'hidden' : 'visible') });
	document.dispatchEvent(new Event('visibilitychange'));
}, hidden);

/** What the system does when somebody clicks a notification, or one of its buttons. */
const clickNote = (p, action) => p.worker(async (button) => {
	const [notification] = await self.registration.getNotifications();
	const event = new NotificationEvent('notificationclick', { notification, action: button });
	Object.defineProperty(event, 'waitUntil', { value: () => {} }); // only the browser's own events may be waited for
	self.dispatchEvent(event);
}, action);

test('notification: of a call that nobody sees; once for two tabs; gone with the call; none while a tab is in sight', async () => {
	await workerIsThere(alice);
	const second = await alice.tab(set.alpha);
	await hide(alice, true);
	await bob.dial('alice@alpha.test');
	await Promise.all([alice.visible('accept'), second.visible('accept')]);
	await second.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)));
	assert.deepEqual(await notes(alice), [], 'the other tab is in sight');
	await hide(second, true);
	await alice.wait(async () => (await (await navigator.serviceWorker.getRegistration('/')).getNotifications()).length === 1);
	assert.deepEqual(await notes(alice), [{ title: '\u2068bob@beta.test\u2069 is calling', body: 'bob@beta.test', tag: 'sluss.call.bob@beta.test',
		actions: ['accept', 'decline'] }]);
	await bob.push('hangup');
	await alice.wait(async () => (await (await navigator.serviceWorker.getRegistration('/')).getNotifications()).length === 0);
	await bob.home();

	await bob.dial('alice@alpha.test');
	await alice.wait(async () => (await (await navigator.serviceWorker.getRegistration('/')).getNotifications()).length === 1);
	await second.closeTab();
	assert.equal((await notes(alice)).length, 1, 'this tab can still answer it');
	await clickNote(alice, 'accept');
	await talk(assert, alice, bob);
	assert.deepEqual(await notes(alice), []);
	await bob.push('hangup');
	await alice.ended(/call ended/i);
	await alice.home();
	await bob.home();

	await bob.dial('alice@alpha.test');
	await alice.wait(async () => (await (await navigator.serviceWorker.getRegistration('/')).getNotifications()).length === 1);
	await clickNote(alice, 'decline');
	await bob.ended(/declined/i);
	await alice.wait(async () => (await (await navigator.serviceWorker.getRegistration('/')).getNotifications()).length === 0);
	await hide(alice, false);
});

/* There is no notification service here, and Firefox shows none of its own without a screen: it is asked to, and refuses. */
test('notification: Firefox is asked for one when the tab is really behind another, and not while it is in sight', async () => {
	fox = await phone(set.browsers.alpha.firefox, set.alpha, 'anna');
	await workerIsThere(fox);
	assert.equal(await fox.evaluate(() => Notification.permission), 'granted');
	await fox.evaluate(() => {
		window.asked = [];
		const native = ServiceWorkerRegistration.prototype.showNotification;
		ServiceWorkerRegistration.prototype.showNotification = function (title, options) {
			window.asked.push([title, options.body, options.tag]);
			return native.call(this, title, options);
		};
	});
	await bob.dial('anna@alpha.test');
	await fox.visible('accept');
	await bob.push('hangup');
	await fox.hidden('accept');
	await bob.home();
	assert.deepEqual(await fox.evaluate(() => window.asked), []);
	const front = await set.browsers.alpha.firefox.ask('tab', { page: fox.page, url: `${set.alpha.url}account` });
	await set.browsers.alpha.firefox.ask('front', { page: front });
	await fox.wait(() => document.hidden);
	await bob.dial('anna@alpha.test');
	await fox.wait(() => window.asked.length > 0);
	assert.deepEqual(await fox.evaluate(() => window.asked), [['\u2068bob@beta.test\u2069 is calling', 'bob@beta.test', 'sluss.call.bob@beta.test']]);
	await bob.push('hangup');
	await fox.hidden('accept');
	assert.deepEqual(await fox.complaints(), []);
	await fox.close();
});

test('the screen stays on in a call, no longer; and again when the page is seen again', async () => {
	const n_held = () => alice.evaluate(() => window.seen.wake.filter((lock) => !lock.released).length);
	assert.equal(await n_held(), 0);
	await set.browsers.alpha.chromium.ask('allow', { page: alice.page, name: 'screen-wake-lock' });
	await call();
	await alice.wait(() => window.seen.wake.some((lock) => !lock.released));
	await alice.evaluate(() => window.seen.wake.at(-1).release()); // as the browser does when the page is hidden
	await alice.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
	await alice.wait(() => window.seen.wake.length === 2 && !window.seen.wake[1].released);
	await bob.push('hangup');
	await alice.ended(/call ended/i);
	await alice.wait(() => window.seen.wake.every((lock) => lock.released));
});

/** Watches what comes in at this phone: gives, when asked, the longest time without a new packet, and what was lost. */
const listen = (p, kind) => p.evaluate((wanted) => {
	const peer = window.seen.peers.at(-1);
	const watch = window.watch = { gap: 0, lost: 0, n: 0 };
	let last = null, at = performance.now();
	window.watching = setInterval(async () => {
		const s = [...(await peer.getStats()).values()].find((r) => r.type === 'inbound-rtp' && r.kind === wanted);
		const now = performance.now();
		if (last !== null)
			watch.gap = Math.max(watch.gap, now - at);
		if (s.packetsReceived !== last) {
			last = s.packetsReceived;
			at = now;
			watch.n++;
		}
		watch.lost = s.packetsLost;
	}, 20);
}, kind);
const heard = (p) => p.evaluate(() => {
	clearInterval(window.watching);
	return window.watch;
});
const pick = (p, hook, value) => p.evaluate(({ name, id }) => {
	const el = document.querySelector(`[data-test="${name}"]`);
	el.value = id;
	el.dispatchEvent(new Event('change'));
}, { name: hook, id: value });
const choices = (p, hook, least) => p.wait(({ name, n }) => {
	const list = [...document.querySelector(`[data-test="${name}"]`).options].map((o) => [o.value, o.textContent]);
	return list.length > n && list;
}, { name: hook, n: least });

test('devices change in mid-call: the other side hears and sees no hole, nothing is negotiated, the loudspeaker is the chosen one', async () => {
	await call();
	await alice.push('camera');
	await bob.visible('far-video');
	await bob.wait(async () => ((await window.sluss.phone.calls[0].stats()).received.video?.frames ?? 0) > 5);
	await alice.push('call-devices');
	const inputs = await choices(alice, 'pick-microphone', 2), outputs = await choices(alice, 'pick-speaker', 2);
	const cameras = await choices(alice, 'pick-camera', 2);
	/* Chromium's second fake camera gives a depth picture (Y16), which it sends nobody; the third is one like the first. */
	const camera = cameras.find(([, label]) => label === 'fake_device_2');
	const n_offers = (await alice.sent()).filter((m) => m.type === 'offer').length;

	await listen(bob, 'audio');
	for (const [id, label] of [inputs[1], inputs[2], inputs[1]]) {
		await pick(alice, 'pick-microphone', id);
		await alice.wait((wanted) => window.sluss.phone.calls[0].streams.local.getAudioTracks()[0].label === wanted, label);
		await bob.hear(1500);
	}
	const sound = await heard(bob);
	assert.ok(sound.n > 40 && sound.gap < GAP_MS && sound.lost === 0, `sound: ${JSON.stringify(sound)}`);

	await listen(bob, 'video');
	await pick(alice, 'pick-camera', camera[0]);
	await alice.wait((wanted) => window.sluss.phone.calls[0].streams.local.getVideoTracks()[0].label === wanted, camera[1]);
	await bob.wait(() => window.watch.n > 20);
	const picture = await heard(bob);
	assert.ok(picture.gap < PICTURE_MS, `picture: ${JSON.stringify(picture)}`);

	await pick(alice, 'pick-speaker', outputs[2][0]);
	await alice.wait((id) => document.querySelector('#far-audio').sinkId === id, outputs[2][0]);
	assert.equal(await alice.evaluate(() => document.querySelector('#far-audio').paused), false);
	await alice.push('settings-close');
	await talk(assert, alice, bob);
	assert.equal((await alice.sent()).filter((m) => m.type === 'offer').length, n_offers, 'nothing was negotiated');
	await bob.push('hangup');
	await alice.ended(/call ended/i);
	await alice.home();
	await bob.home();
	await bob.dial('alice@alpha.test');
	await alice.accept();
	await alice.state('connected');
	assert.equal(await alice.evaluate(() => document.querySelector('#far-audio').sinkId), outputs[2][0], 'kept for the next call');
	assert.equal(await alice.evaluate(() => window.sluss.phone.calls[0].streams.local.getAudioTracks()[0].label), inputs[1][1]);
});

test('camera and screen of both at the same moment: the offers cross, and both pictures come in the end', async () => {
	await call();
	await talk(assert, alice, bob);
	const both = async (button) => {
		const at = Date.now() + 300;
		const press = (p) => p.evaluate(({ id, when }) => new Promise((resolve) => setTimeout(() => {
			document.querySelector(`[data-test="${id}"]`).click();
			resolve();
		}, when - Date.now())), { id: button, when: at });
		await Promise.all([press(alice), press(bob)]);
		for (const p of [alice, bob])
			await p.wait((id) => !document.querySelector(`[data-test="${id}"]`).hasAttribute('aria-busy'), button, 20_000);
	};
	const n_glares = async () => (await Promise.all([alice, bob].map((p) => p.evaluate(() => window.seen.received.map(({ data }) => JSON.parse(data))
		.filter((m) => m.type === 'refused' && m.cause.reason === 'glare').length)))).reduce((a, b) => a + b);
	const frames = (p) => p.evaluate(async () => (await window.sluss.phone.calls[0].stats()).received.video?.frames ?? 0);
	const moving = async (p) => {
		const before = await frames(p);
		await p.wait(async (n) => ((await window.sluss.phone.calls[0].stats()).received.video?.frames ?? 0) > n + 5, before, 20_000);
	};

	for (let round = 0; round < 5 && (round === 0 || await n_glares() === 0); round++) {
		await both('camera');
		for (const p of [alice, bob]) {
			await p.visible('far-video');
			await moving(p);
		}
		await both('screen');
		for (const p of [alice, bob]) {
			await p.says('call-far-muted', /shows a screen/);
			await moving(p);
		}
		await both('screen');
		await both('camera');
		for (const p of [alice, bob]) {
			await p.hidden('far-video');
			await p.hidden('self-video');
		}
	}
	assert.ok(await n_glares() > 0, 'offers have crossed');
	await talk(assert, alice, bob);
});

test('installable, as the browser judges; links: the page asks for them, and the browser takes the handlers', async () => {
	await workerIsThere(alice);
	const { installabilityErrors } = await alice.cdp('Page.getInstallabilityErrors');
	assert.deepEqual(installabilityErrors.filter((e) => e.errorId !== 'in-incognito'), [], 'but for the driver’s private window');
	const { errors, url, data } = await alice.cdp('Page.getAppManifest');
	assert.deepEqual(errors, []);
	assert.equal(url, `${set.alpha.url}phone/manifest.webmanifest`);
	const manifest = JSON.parse(data);
	assert.deepEqual(manifest.protocol_handlers.map((h) => h.protocol), ['web+sluss', 'sip', 'tel']);
	await alice.evaluate(() => {
		window.asked = [];
		const native = navigator.registerProtocolHandler;
		navigator.registerProtocolHandler = (scheme, address) => {
			native.call(navigator, scheme, address);
			window.asked.push([scheme, address]);
		};
	});
	await alice.push('settings');
	await alice.push('links-register');
	assert.deepEqual(await alice.evaluate(() => window.asked), [['web+sluss', `${set.alpha.url}call/%s`], ['sip', `${set.alpha.url}call/%s`], ['tel', `${set.alpha.url}call/%s`]]);
	await alice.push('settings-close');

	for (const path of ['call/bob@beta.test', `call/${encodeURIComponent('web+sluss:bob@beta.test')}`, 'call/sluss:bob@beta.test',
		`call/${encodeURIComponent('sip:bob@beta.test')}`]) {
		await alice.goto(set.alpha.url + path);
		await alice.says('link-address', /bob@beta\.test/);
		await alice.push('link-call');
		await bob.push('decline');
		await alice.ended(/declined/i);
		await alice.home();
		await bob.home();
	}
});

for (const [what, n, options, words] of [
	['there is none', 103, { prefs: { 'media.navigator.streams.fake': false }, sound: false }, /No microphone was found\. Plug one in/],
	['the person has forbidden it', 104, { prefs: { 'media.navigator.permission.disabled': false, 'permissions.default.microphone': 2 } }, /address bar, allow the microphone/],
]) {
	test(`the microphone: ${what}: said with the way out, before a call, when dialling and when called; a call without it goes`, async () => {
		const host = await set.world.host(`mute-${n}`, n);
		const pairs = [set.alpha, set.beta].flatMap((d) => d.sites.map((s) => s.pair));
		const browser = await Browser.start(set.world, host, 'firefox', { ca: set.ca.root, pairs, ...options });
		const anna = await phone(browser, set.alpha, 'anna');
		await anna.push('dial-check');
		await anna.says('check-error', words);
		await anna.push('settings-close');
		await anna.dial('bob@beta.test');
		await anna.says('dial-error', words);
		await bob.dial('anna@alpha.test');
		await anna.push('accept');
		await anna.says('incoming-error', words);
		assert.equal(await anna.evaluate(() => window.sluss.phone.calls[0].state), 'ringing', 'it goes on ringing');
		await anna.push('accept-listen');
		await anna.state('connected');
		await bob.state('connected');
		await anna.wait(async () => ((await window.sluss.phone.calls[0].stats()).received.audio?.packets ?? 0) > 50);
		await bob.push('hangup');
		await anna.ended(/call ended/i);
		assert.deepEqual(await anna.complaints(), []);
		await browser.quit();
	});
}
