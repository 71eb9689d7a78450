// limit: 420 s
// The phone page as a person uses it: history, contacts, devices, text, mute seen, links, languages, keyboard.
//
//   alice (Chromium .101) ── alpha.test ══ SIP ══ beta.test ── bob (Chromium .111)
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Phone } from '../lib/browser.mjs';
import { phone, sitesWithBrowsers, talk } from '../lib/phones.mjs';
import { PASSWORD } from '../lib/site.mjs';

let set, alice, bob;

before(async () => {
	set = await sitesWithBrowsers([['alpha', 'chromium'], ['beta', 'chromium']]);
	alice = await phone(set.browsers.alpha.chromium, set.alpha, 'alice');
	bob = await phone(set.browsers.beta.chromium, set.beta, 'bob');
});
after(() => set?.world.close());
afterEach(async () => {
	for (const p of [alice, bob]) {
		await p.evaluate(() => window.sluss.phone.calls.forEach((c) => c.hangup()));
		assert.deepEqual(await p.complaints(), []);
		await p.home();
	}
	await set.alpha.idle();
	await set.beta.idle();
});

/** The texts of every element with this hook that is shown. */
const all = (p, hook) => p.evaluate((name) => [...document.querySelectorAll(`[data-test="${name}"]`)]
	.filter((e) => e.getClientRects().length).map((e) => e.innerText.replace(/\s*\n\s*/g, ' | ').trim()), hook);

async function call(from = alice, to = bob) {
	await from.dial(to.user);
	await to.accept();
	await from.state('connected');
	await to.state('connected');
}

/** Tab until the element with this hook has the focus. */
async function reach(p, hook) {
	for (let i = 0; i < 40; i++) {
		if (await p.evaluate((name) => document.activeElement?.dataset.test === name, hook))
			return;
		await p.press('Tab');
	}
	assert.fail(`${hook} cannot be reached by Tab`);
}

const focused = (p, hook) => p.wait((name) => document.activeElement?.dataset.test === name, hook);

async function hangUp(from = alice, to = bob) {
	await from.push('hangup');
	await to.ended(/call ended/i);
	await from.ended(/call ended/i);
}

test('history: made, taken and missed; dialled again by one click; kept over a reload', async () => {
	await call();
	await hangUp();
	await alice.home();
	await bob.home();
	await bob.dial('alice@alpha.test');
	await alice.visible('accept');
	await bob.push('hangup');
	await alice.hidden('accept');
	const [missed, made] = await all(alice, 'history-item');
	assert.match(missed, /bob@beta\.test \| Missed · \d/);
	assert.match(made, /bob@beta\.test \| 0:\d\d · /);
	await bob.home();
	assert.match((await all(bob, 'history-item'))[1], /alice@alpha\.test \| 0:\d\d/);

	await alice.goto(set.alpha.url);
	await alice.visible('dial-input');
	assert.deepEqual(await all(alice, 'history-item'), [missed, made]);
	await alice.push('history-again');
	await bob.push('decline');
	await alice.ended(/declined/i);
});

test('contacts: kept from the history, named, searched, changed, called, removed', async () => {
	await alice.push('history-edit');
	await alice.fill('[data-test="contact-name"]', 'Bob Berg');
	await alice.push('contact-save');
	assert.match((await all(alice, 'history-item'))[0], /Bob Berg/);
	await alice.push('tab-contacts');
	await alice.push('contact-add');
	await alice.fill('[data-test="contact-name"]', 'Berta');
	await alice.fill('[data-test="contact-address"]', 'not an address');
	await alice.push('contact-save');
	await alice.says('contact-error', /name before the @|address/i);
	await alice.fill('[data-test="contact-address"]', 'sip:Berta@Beta.Test');
	await alice.push('contact-save');
	await alice.hidden('contact-dialog');
	assert.deepEqual(await all(alice, 'contact-item'), ['B | Berta | berta@beta.test', 'BB | Bob Berg | bob@beta.test']);

	await alice.fill('[data-test="contacts-search"]', 'berg');
	assert.deepEqual(await all(alice, 'contact-item'), ['BB | Bob Berg | bob@beta.test']);
	await alice.push('contact-again');
	assert.match(await alice.says('call-remote', /./), /Bob Berg\s*bob@beta\.test/);
	await bob.push('decline');
	await alice.ended(/declined/i);
	await alice.home();
	await alice.fill('[data-test="contacts-search"]', '');
	await alice.push('contact-edit');
	await alice.push('contact-remove');
	await alice.wait(() => document.querySelectorAll('[data-test="contact-item"]').length === 1);
	await alice.push('tab-history');
});

test('in the call: both levels move, mute is seen, text goes both ways, hold is seen, figures in words', async () => {
	await call();
	await talk(assert, alice, bob);
	const moves = (p, hook) => p.wait((name) => document.querySelector(`[data-test="${name}"]`).value > 0.2, hook);
	for (const p of [alice, bob])
		await Promise.all([moves(p, 'meter-own'), moves(p, 'meter-far')]);

	await bob.push('mute');
	await alice.says('call-far-muted', /has the microphone off/);
	await alice.wait(() => document.querySelector('[data-test="meter-far"]').value < 0.05);
	await bob.push('mute');
	await alice.hidden('call-far-muted');

	await alice.push('chat-open');
	await alice.type('<b>hej</b>');
	await alice.press('Enter');
	await bob.wait(() => document.querySelector('#chat-count').textContent === '1');
	await bob.push('chat-open');
	assert.match(await bob.says('chat-log', /hej/), /alice@alpha\.test · .*<b>hej<\/b>/s);
	await bob.type('tjena');
	await bob.press('Enter');
	await alice.says('chat-log', / · .*tjena/s);

	await alice.push('hold');
	await bob.says('call-state', /put you on hold/i);
	await alice.says('call-state', /on hold/i);
	await alice.push('hold');
	await alice.state('connected');
	await bob.state('connected');
	await talk(assert, alice, bob);

	await alice.says('health-verdict', /connection is good/i, 20_000);
	await alice.evaluate(() => document.querySelector('[data-test="health"] summary').click());
	assert.match(await alice.says('health-facts', /ms/), /Way of the sound\s*Direct.*There and back\s*\d+ ms/s);
	await hangUp();
});

test('keys: by button and by keyboard, and the other side hears both tones of each', async () => {
	await call();
	await alice.push('mute'); // the keys are heard all the same
	/* What bob hears, by its frequencies: the strongest of the low group and of the high one, as long as both stand out. */
	await bob.evaluate(() => {
		const context = new AudioContext();
		const ear = context.createAnalyser();
		const of = (hz) => Math.round(hz * ear.fftSize / context.sampleRate);

		ear.fftSize = 4096;
		ear.smoothingTimeConstant = 0;
		context.createMediaStreamSource(window.sluss.phone.calls[0].streams.remote).connect(ear);
		window.keys = new Set();
		setInterval(() => {
			const db = new Float32Array(ear.frequencyBinCount);

			ear.getFloatFrequencyData(db);
			const strongest = (group) => group.map((hz) => [Math.max(db[of(hz) - 1], db[of(hz)], db[of(hz) + 1]), hz]).sort((a, b) => b[0] - a[0]);
			const [low, high] = [strongest([697, 770, 852, 941]), strongest([1209, 1336, 1477, 1633])];

			if ([low, high].every(([[first], [second]]) => first > -60 && first > second + 10))
				window.keys.add(`${low[0][1]}+${high[0][1]}`);
		}, 15);
	});
	const heard = (tone) => bob.wait((name) => window.keys.has(name), tone);
	await alice.push('keypad-open');
	await alice.push('key-1');
	await heard('697+1209');
	await alice.press('Tab');
	await alice.press('9');
	await heard('852+1477');
	await alice.type('#');
	await heard('941+1477');
	await alice.says('keypad-sent', /^19#$/);
	assert.equal(await bob.evaluate(() => window.keys.size), 3, 'and no others');
	await alice.press('Escape');
	await alice.hidden('keypad');
	assert.equal(await alice.evaluate(() => document.activeElement.dataset.test), 'keypad-open');
	await alice.push('hold');
	await alice.state('held');
	await alice.hidden('keypad-open');
	await alice.push('hold');
	await alice.state('connected');
	await alice.push('mute');
	await hangUp();
});

test('screen: shared, seen, and dropped again', async () => {
	await call();
	await alice.push('screen');
	await bob.visible('far-video');
	await bob.wait(async () => ((await window.sluss.phone.calls[0].stats()).received.video?.frames ?? 0) > 3);
	await bob.says('call-far-muted', /shows a screen/);
	await alice.push('camera');
	await bob.hidden('call-far-muted');
	await bob.visible('far-video');
	await alice.push('camera');
	await bob.hidden('far-video');
	await talk(assert, alice, bob);
	await hangUp();
});

test('devices: the microphone is tried before a call, changed in it without a break, replaced when unplugged', async () => {
	await alice.push('dial-check');
	await alice.wait(() => document.querySelector('[data-test="meter-check"]').value > 0.2);
	const inputs = await alice.wait(() => {
		const list = [...document.querySelector('[data-test="pick-microphone"]').options].map((o) => [o.value, o.textContent]);
		return list.length >= 3 && list;
	});
	await alice.push('settings-close');
	await alice.wait(() => document.querySelector('[data-test="meter-check"]').value === 0);

	await call();
	await alice.push('call-devices');
	const before = await bob.evaluate(async () => (await window.sluss.phone.calls[0].stats()).received.audio.packets);
	const offers = async () => (await alice.sent()).filter((m) => m.type === 'offer').length;
	const n_offers = await offers();
	await alice.evaluate((id) => {
		const pick = document.querySelector('[data-test="pick-microphone"]');
		pick.value = id;
		pick.dispatchEvent(new Event('change'));
	}, inputs[2][0]);
	await alice.wait((label) => window.sluss.phone.calls[0].streams.local.getAudioTracks()[0].label === label, inputs[2][1]);
	await alice.push('settings-close');
	await talk(assert, alice, bob);
	assert.equal(await offers(), n_offers, 'nothing was negotiated');
	assert.ok(await bob.evaluate(async () => (await window.sluss.phone.calls[0].stats()).received.audio.packets) > before);

	/* No fake device can be unplugged: its end is told by hand, all that follows is real. */
	await alice.evaluate(() => window.sluss.phone.calls[0].streams.local.getAudioTracks()[0].dispatchEvent(new Event('ended')));
	await alice.says('call-error', /unplugged\. Now in use: .*Fake/);
	await talk(assert, alice, bob);
	await hangUp();
});

test('no permission for the microphone: said with the way out, and a call without it is offered', async () => {
	const shy = await phone(set.browsers.alpha.chromium, set.alpha, 'anna', { permissions: [] });
	await shy.evaluate(() => {
		const denied = async () => { throw new DOMException('no', 'NotAllowedError'); };
		navigator.mediaDevices.getUserMedia = denied;
	});
	await shy.push('dial-check');
	await shy.says('check-error', /address bar, allow the microphone/);
	await shy.push('settings-close');
	await shy.dial('bob@beta.test');
	await shy.says('dial-error', /address bar, allow the microphone/);
	await shy.push('dial-listen');
	await bob.accept();
	await shy.state('connected');
	await shy.push('hangup');
	await bob.ended(/call ended/i);
	await shy.home();
	await bob.home();

	await bob.dial('anna@alpha.test');
	await shy.push('incoming-check');
	await shy.says('incoming-error', /allow the microphone/);
	await shy.push('decline');
	await bob.ended(/declined/i);
	await shy.close();
});

test('a microphone can be tried while it rings, and nothing of it leaves', async () => {
	await bob.dial('alice@alpha.test');
	await alice.push('incoming-check');
	await alice.wait(() => document.querySelector('[data-test="incoming-meter"]').value > 0.2);
	assert.equal(await alice.evaluate(() => window.sluss.phone.calls[0].state), 'ringing');
	await alice.accept();
	await talk(assert, alice, bob);
	await hangUp();
});

test('a link asks before it dials, and only once', async () => {
	const n_calls = async () => (await alice.sent()).filter((m) => m.type === 'call').length;
	await alice.goto(`${set.alpha.url}call/web%2Bsluss%3Abob%40beta.test`);
	await alice.says('link-address', /bob@beta\.test/);
	assert.equal(await n_calls(), 0);
	await alice.push('link-no');
	await alice.visible('dial-input');
	assert.equal(await alice.evaluate(() => location.pathname), '/');
	await alice.goto(`${set.alpha.url}call/bob@beta.test`);
	await alice.push('link-call');
	await bob.push('decline');
	await alice.ended(/declined/i);

	const fresh = await Phone.open(set.browsers.alpha.chromium, { url: `${set.alpha.url}call/bob@beta.test` });
	await fresh.visible('login-user');
	await fresh.fill('[data-test="login-user"]', 'anna');
	await fresh.fill('[data-test="login-password"]', PASSWORD);
	await fresh.press('Enter');
	await fresh.says('link-address', /bob@beta\.test/);
	await fresh.push('link-no');
	await fresh.close();
});

test('German for who wants it; chosen by hand it stays', async () => {
	const anna = await phone(set.browsers.alpha.chromium, set.alpha, 'anna', { locale: 'de-AT' });
	assert.equal(await anna.evaluate(() => document.documentElement.lang), 'de');
	await anna.says('dial-submit', /^Anrufen$/);
	await anna.dial('nobody@beta.test');
	await anna.ended(/Diese Adresse gibt es nicht: Die Site kennt diese Adresse nicht\./);
	await anna.push('call-done');
	await anna.push('settings');
	await anna.evaluate(() => {
		const pick = document.querySelector('[data-test="pick-language"]');
		pick.value = 'en';
		pick.dispatchEvent(new Event('change'));
	});
	await anna.push('settings-close');
	await anna.says('dial-submit', /^Call$/);
	await anna.goto(set.alpha.url);
	await anna.says('dial-submit', /^Call$/);
	await anna.close();
});

test('the keyboard alone: sign in, dial, hang up, sign out', async () => {
	const anna = await Phone.open(set.browsers.alpha.chromium, set.alpha);
	await anna.visible('login-user');
	await reach(anna, 'login-user');
	await anna.type('anna');
	await reach(anna, 'login-password');
	await anna.type(PASSWORD);
	await reach(anna, 'login-submit');
	await anna.press('Enter');
	await anna.visible('dial-input');
	await reach(anna, 'dial-input');
	await anna.type('bob@beta.test');
	await reach(anna, 'dial-submit');
	await anna.press('Space');
	await bob.accept();
	await anna.state('connected');
	await reach(anna, 'mute');
	await anna.press('Space');
	await bob.says('call-far-muted', /microphone off/);
	await reach(anna, 'hangup');
	await anna.press('Enter');
	await bob.ended(/call ended/i);
	await anna.ended(/call ended/i);
	await reach(anna, 'call-done');
	await anna.press('Enter');
	await reach(anna, 'tab-history');
	await anna.press('ArrowRight');
	await anna.visible('contacts-search');
	await reach(anna, 'signout');
	await anna.press('Enter');
	await anna.visible('login-user');
	assert.ok(await anna.evaluate(() => localStorage.getItem('sluss.history.anna@alpha.test')));
	await reach(anna, 'forget');
	await anna.press('Enter');
	await anna.wait(() => !Object.keys(localStorage).some((k) => k.includes('anna')));
	await anna.close();
});

test('the keyboard alone, called: decline, accept, mute, hold, keys, another microphone, hang up', async () => {
	await reach(alice, 'settings');
	await alice.press('Enter');
	await alice.visible('settings-dialog');
	await bob.dial('alice@alpha.test');
	await focused(alice, 'accept'); // although a dialog is open
	await reach(alice, 'decline');
	await alice.press('Enter');
	await bob.ended(/declined/i);
	await alice.press('Escape');
	await bob.home();

	/* Whoever is typing accepts nothing by the space bar: with the focus in a field, and with letters that come later. */
	await alice.fill('[data-test="dial-input"]', 'per');
	await bob.dial('alice@alpha.test');
	await focused(alice, 'incoming');
	await alice.press('Space');
	await reach(alice, 'accept');
	await alice.type('x ');
	await focused(alice, 'incoming');
	assert.equal(await alice.evaluate(() => window.sluss.phone.calls[0].state), 'ringing');
	await reach(alice, 'accept');
	await alice.press('Enter');
	await alice.state('connected');

	await reach(alice, 'mute');
	await alice.press('Space');
	await bob.says('call-far-muted', /microphone off/);
	await alice.press('Space');
	await reach(alice, 'hold');
	await alice.press('Space');
	await bob.says('call-state', /put you on hold/i);
	await alice.press('Space');
	await bob.state('connected');
	await reach(alice, 'keypad-open');
	await alice.press('Enter');
	await alice.press('5');
	await alice.says('keypad-sent', /^5$/);
	await alice.press('Escape');
	await focused(alice, 'keypad-open');
	await reach(alice, 'call-devices');
	await alice.press('Enter');
	await reach(alice, 'pick-microphone');
	const microphone = () => alice.evaluate(() => window.sluss.phone.calls[0].streams.local.getAudioTracks()[0].label);
	const before = await microphone();
	await alice.press(await alice.evaluate(() => document.activeElement.selectedIndex < document.activeElement.options.length - 1) ? 'End' : 'Home');
	await alice.wait((label) => window.sluss.phone.calls[0].streams.local.getAudioTracks()[0].label !== label, before);
	await alice.press('Escape');
	await focused(alice, 'call-devices');
	await reach(alice, 'hangup');
	await alice.press('Enter');
	await bob.ended(/call ended/i);
	await focused(alice, 'call-done');
	await alice.press('Enter');
	await alice.fill('[data-test="dial-input"]', '');
});

test('a second call: hold and accept, switch, a reload with both, back to the first; end and accept; decline', async () => {
	await alice.evaluate(() => window.sluss.phone.contacts.forget()); // who is who is told by addresses here
	const berta = await phone(set.browsers.beta.chromium, set.beta, 'berta');
	const others = () => all(alice, 'other-call');
	/** In talk with the one and not with the other, who hears nothing of it. */
	const only = async (one, other) => {
		await one.state('connected');
		await other.says('call-state', /put you on hold/i);
		assert.match(await alice.text('call-remote'), new RegExp(one.user));
		assert.match((await others()).join(), new RegExp(`^[A-Z]+ \\| ${other.user} \\| On hold · \\d:\\d\\d \\| Switch$`));
		const [heard, silence] = await Promise.all([one.hear(1500), other.hear(1500)]);
		assert.ok(heard.rms > 0.001 && heard.packets > 20, `${one.user} hears: ${JSON.stringify(heard)}`);
		assert.ok(silence.rms < 0.0001, `${other.user} hears nothing: ${JSON.stringify(silence)}`);
	};
	await call(bob, alice);
	await berta.dial('alice@alpha.test');
	await alice.says('accept', /^Hold and accept$/);
	await focused(alice, 'accept');
	await alice.push('accept');
	await only(berta, bob);
	await bob.push('chat-open');
	await bob.type('still here');
	await bob.press('Enter');
	await alice.push('other-switch');
	await only(bob, berta);
	await alice.wait(() => document.querySelector('#chat-count').textContent === '1');

	await alice.goto(set.alpha.url);
	await alice.wait(() => window.sluss?.phone?.calls.filter((c) => c.connectedAt).length === 2);
	await only(bob, berta);

	await alice.push('hangup');
	await bob.ended(/call ended/i);
	await alice.says('others-note', /bob@beta\.test. is over\. This one is still on hold/);
	assert.deepEqual(await others(), []);
	await focused(alice, 'hold');
	await alice.press('Space');
	await berta.state('connected');

	await bob.home();
	await bob.dial('alice@alpha.test');
	await alice.push('accept-end');
	await berta.ended(/call ended/i);
	await bob.state('connected');
	assert.deepEqual(await others(), []);
	await berta.home();
	await berta.dial('alice@alpha.test');
	await alice.push('decline');
	await berta.ended(/declined/i);
	assert.equal(await bob.evaluate(() => window.sluss.phone.calls[0].state), 'connected');

	/* The one on hold hangs up by itself. */
	await berta.home();
	await berta.dial('alice@alpha.test');
	await alice.push('accept');
	await berta.state('connected');
	await bob.push('hangup');
	await alice.says('others-note', /The call with .bob@beta\.test. is over/);
	await hangUp(alice, berta);
	await alice.home();
	assert.deepEqual((await all(alice, 'history-item')).slice(0, 5).map((line) => line.match(/b\w+@beta\.test \| \D+/)?.[0] ?? line.match(/b\w+@beta/)[0]), ['berta@beta', 'bob@beta', 'berta@beta.test | Declined · ', 'berta@beta', 'bob@beta']);
	await berta.close();
});

test('a call is passed on: refused, and said; then taken, and they talk; in vain, and the first is still there', async () => {
	const berta = await phone(set.browsers.beta.chromium, set.beta, 'berta');
	const pass = async (to) => {
		await alice.push('transfer-open');
		await alice.fill('[data-test="transfer-to"]', to);
		await alice.press('Enter');
	};
	await call();
	await pass('not an address');
	await alice.says('transfer-error', /name before the @/);
	await alice.push('transfer-cancel');
	await pass('berta@beta.test');
	await alice.says('transfer-state', /Waiting/);
	await bob.says('asked-to', /berta@beta\.test/);
	await bob.push('asked-no');
	await alice.says('call-error', /does not want/);

	await pass('nobody@beta.test');
	await bob.push('asked-yes');
	await alice.says('call-error', /could not reach/);
	await bob.says('others-note', /still on hold/);
	await focused(bob, 'hold');
	await bob.press('Space');
	await alice.state('connected');

	await pass('berta@beta.test');
	await bob.push('asked-yes');
	await berta.accept();
	await alice.ended(/call ended/i);
	await berta.state('connected');
	await bob.says('others-note', /alice@alpha\.test. is over/);
	assert.match(await bob.text('call-remote'), /berta@beta\.test/);
	assert.equal(await bob.evaluate(() => window.sluss.phone.calls.length), 1);
	await hangUp(bob, berta);
	await berta.close();
});

test('installable: manifest and icons are there; the worker keeps the page and nothing of calls', async () => {
	const { icons, handlers } = await alice.evaluate(async () => {
		const manifest = await (await fetch(document.querySelector('link[rel=manifest]').href)).json();
		const sizes = [];
		for (const { src, type } of manifest.icons.filter((i) => i.type === 'image/png')) {
			const answer = await fetch(src);
			const image = await createImageBitmap(await answer.blob());
			sizes.push([answer.headers.get('Content-Type') === type, `${image.width}x${image.height}`]);
		}
		return { icons: sizes, handlers: manifest.protocol_handlers.map((h) => h.protocol) };
	});
	assert.deepEqual(icons, [[true, '192x192'], [true, '512x512'], [true, '512x512']]);
	assert.deepEqual(handlers, ['web+sluss', 'sip', 'tel']);
	await alice.wait(() => navigator.serviceWorker.controller !== null);
	await alice.goto(`${set.alpha.url}call/bob@beta.test`);
	await alice.push('link-no');
	const kept = await alice.evaluate(async () => {
		const names = [];
		for (const name of await caches.keys())
			names.push(...(await (await caches.open(name)).keys()).map((r) => new URL(r.url).pathname));
		return names;
	});
	assert.ok(kept.includes('/') && kept.includes('/phone/phone.js'), kept.join());
	assert.deepEqual(kept.filter((path) => !/^\/$|^\/(phone|sdk)\//.test(path)), []);
});

test('the site is away: the page comes up all the same, says so, and comes back by itself', async () => {
	await set.alpha.stop();
	await alice.says('phone-state', /reconnecting|offline/i, 20_000);
	await alice.goto(set.alpha.url);
	await alice.wait(() => /cannot be reached/.test(document.querySelector('#loading-text').textContent));
	await set.alpha.start();
	await alice.visible('dial-input', 30_000);
	/* What the browser itself says of a site that is away is no fault of the page. */
	set.browsers.alpha.chromium.console = set.browsers.alpha.chromium.console.filter((m) => !/net::ERR_|WebSocket/.test(m.text));
});
