// limit: 420 s
// How the page looks and whether everybody can use it: each view at a phone's and a desk's size, light and dark, is
// searched by axe-core (no violation) and photographed. The pictures lie in build/test/*/look.test.mjs/.
//
//   alice (Chromium .101) ── alpha.test ══ SIP ══ beta.test ── bob (Chromium .111)
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Page, Phone } from '../lib/browser.mjs';
import { phone, sitesWithBrowsers } from '../lib/phones.mjs';
import { PASSWORD } from '../lib/site.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const shots = join(process.env.SLUSS_OUT ?? 'build/test/dev/look.test.mjs', 'shots');
const SIZES = { phone: { width: 390, height: 844 }, desk: { width: 1280, height: 800 } };
let set, alice, bob;

before(async () => {
	mkdirSync(shots, { recursive: true });
	set = await sitesWithBrowsers([['alpha', 'chromium'], ['beta', 'chromium']], { idp: true });
	alice = await phone(set.browsers.alpha.chromium, set.alpha, 'alice');
	bob = await phone(set.browsers.beta.chromium, set.beta, 'bob');
});
after(() => set?.world.close());

/** Every size and scheme of what the page shows now: a picture, axe-core, and nothing wider than the screen. */
async function view(p, name) {
	for (const [size, pixels] of Object.entries(SIZES)) {
		for (const scheme of ['light', 'dark']) {
			const where = `${name}-${size}-${scheme}`;
			await p.look(pixels, scheme);
			await p.screenshot(join(shots, `${where}.png`));
			if (!await p.evaluate(() => Boolean(window.axe)))
				await p.inject(axe);
			const found = await p.evaluate(async () => {
				const { violations, passes } = await window.axe.run(document, { resultTypes: ['violations'] });
				return { passes: passes.length, violations: violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(' ')}`) };
			});
			assert.ok(found.passes > 10, `${where}: axe has looked`);
			assert.deepEqual(found.violations, [], where);
			assert.ok(await p.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${where}: nothing sticks out`);
		}
	}
}

/** Is this control in sight without scrolling, at a phone's size? */
async function inSight(p, hook) {
	await p.look(SIZES.phone, 'light');
	assert.ok(await p.evaluate((name) => {
		const { top, bottom } = document.querySelector(`[data-test="${name}"]`).getBoundingClientRect();
		return top >= 0 && bottom <= innerHeight;
	}, hook), `${hook} is in sight`);
}

test('look: signing in', async () => {
	const fresh = await Phone.open(set.browsers.alpha.chromium, set.alpha);
	await fresh.visible('login-user');
	await view(fresh, 'signin');
	await fresh.fill('[data-test="login-user"]', 'anna');
	await fresh.fill('[data-test="login-password"]', 'wrong password');
	await fresh.click('[data-test="login-submit"]');
	await fresh.visible('login-error');
	await view(fresh, 'signin-wrong');
	await fresh.close();
});

test('look: at home, with nothing yet', async () => {
	await view(alice, 'home-empty');
	await alice.push('tab-contacts');
	await view(alice, 'contacts-empty');
	await alice.push('tab-history');
});

test('look: settings', async () => {
	await alice.push('settings');
	await alice.wait(() => document.querySelector('[data-test="meter-check"]').value > 0.2);
	await view(alice, 'settings');
	await alice.push('settings-close');
});

test('look: somebody calls, a call, text, held, video, the end', async () => {
	await bob.dial('alice@alpha.test');
	await alice.says('incoming-identity', /beta\.test.*vouches/);
	await view(alice, 'incoming');
	await inSight(alice, 'accept');
	await alice.accept();
	await alice.state('connected');
	await bob.state('connected');
	await alice.says('health-verdict', /./, 20_000);
	await alice.wait(() => window.sluss.phone.calls[0].encryption === 'end-to-end');
	await view(alice, 'call');
	await inSight(alice, 'hangup');
	await alice.push('chat-open');
	await alice.type('Shall we meet at the lock at noon?');
	await alice.press('Enter');
	await bob.push('chat-open');
	await bob.type('Yes. I bring the boat.');
	await bob.press('Enter');
	await alice.says('chat-log', /boat/);
	await view(alice, 'text');
	await inSight(alice, 'chat-input');
	await alice.push('chat-close');
	await alice.push('keypad-open');
	await view(alice, 'keypad');
	await inSight(alice, 'hangup');
	await alice.push('keypad-close');
	await alice.push('transfer-open');
	await view(alice, 'transfer');
	await alice.push('transfer-cancel');
	await bob.push('transfer-open');
	await bob.fill('[data-test="transfer-to"]', 'berta@beta.test');
	await bob.press('Enter');
	await alice.visible('asked-dialog');
	await view(alice, 'asked');
	await alice.push('asked-no');
	await bob.push('mute');
	await alice.visible('call-far-muted');
	await bob.push('hold');
	await alice.says('call-state', /hold/);
	await view(alice, 'held');
	await bob.push('hold');
	await bob.state('connected');
	await bob.push('camera');
	await alice.visible('far-video');
	await alice.push('camera');
	await alice.visible('self-video');
	await view(alice, 'video');
	await inSight(alice, 'hangup');
	await bob.push('hangup');
	await alice.ended(/call ended/i);
	await view(alice, 'ended');
	await alice.home();
	await bob.home();
});

test('look: a second call, and two at once', async () => {
	const berta = await phone(set.browsers.beta.chromium, set.beta, 'berta');
	await bob.dial('alice@alpha.test');
	await alice.accept();
	await alice.state('connected');
	await berta.dial('alice@alpha.test');
	await alice.says('incoming-identity', /beta\.test.*vouches/);
	await view(alice, 'second');
	await inSight(alice, 'accept');
	await alice.accept();
	await alice.visible('other-call');
	await berta.state('connected');
	await alice.says('health-verdict', /./, 20_000);
	await view(alice, 'two');
	await inSight(alice, 'other-switch');
	await inSight(alice, 'hangup');
	await alice.push('hangup');
	await alice.visible('others-note');
	await view(alice, 'back');
	await alice.push('hangup');
	await bob.ended(/call ended/i);
	await berta.close();
	await alice.home();
	await bob.home();
});

/** From now on this page's answers carry an identity that is none, or another key, as a site would have it that lies. */
async function lies(p, about) {
	await p.evaluate((what) => {
		const send = WebSocket.prototype.send;
		const stranger = btoa(JSON.stringify({ idp: { domain: 'nowhere.test', protocol: 'sluss' }, assertion: 'x' }));
		const bend = {
			identity: (sdp) => sdp.replace(/^a=identity:\S+/gm, `a=identity:${stranger}`),
			key: (sdp) => sdp.replace(/^(a=fingerprint:sha-256 )(.)/gm, (all, begin, digit) => begin + (digit === '0' ? '1' : '0')),
		}[what];
		window.honest = () => { WebSocket.prototype.send = send; };
		WebSocket.prototype.send = function (data) {
			const msg = JSON.parse(data);
			return send.call(this, msg.type === 'answer' ? JSON.stringify({ ...msg, sdp: bend(msg.sdp) }) : data);
		};
	}, about);
}

test('look: who it is cannot be checked; and does not fit', async () => {
	await lies(bob, 'identity');
	await alice.dial('bob@beta.test');
	await bob.accept();
	await alice.state('connected');
	await alice.says('call-identity', /could not be checked/, 25_000);
	await alice.hidden('others-note');
	await view(alice, 'unchecked');
	await inSight(alice, 'hangup');
	await alice.push('hangup');
	await bob.ended(/call ended/i);
	await bob.evaluate(() => window.honest());
	await bob.home();
	await lies(bob, 'key');
	await alice.home();
	await alice.dial('bob@beta.test');
	await bob.accept();
	await alice.ended(/in between/i);
	await view(alice, 'mismatch');
	await bob.evaluate(() => window.honest());
	await alice.home();
	await bob.home();
});

test('look: the account; a page elsewhere that asks; signing in, consent and the own page at the identity provider', async () => {
	await alice.goto(`${set.alpha.url}account`);
	await alice.visible('device');
	await view(alice, 'account');
	await alice.goto(set.alpha.url);
	await bob.evaluate(async () => {
		const { Phone: Sdk } = await import('/sdk/sluss.js');
		for (const [id, work] of [['ask-connect', () => Sdk.signIn({ site: 'alpha.test' })], ['ask-identity', () => window.sluss.phone.identity.signIn()]]) {
			const button = document.createElement('button');
			Object.assign(button, { id, textContent: id, onclick: () => { window[id] = work().then(() => 'done', (e) => e.code); } });
			document.body.prepend(button);
		}
	});
	await bob.click('#ask-connect');
	const connect = await bob.popup();
	await connect.visible('login-user');
	await view(connect, 'connect-signin');
	await connect.fill('[data-test="login-user"]', 'anna');
	await connect.fill('[data-test="login-password"]', PASSWORD);
	await connect.push('login-submit');
	await connect.wait(() => document.querySelector('[data-test="connect-allow"]')?.disabled === false);
	await view(connect, 'connect');
	await connect.push('connect-refuse').catch(() => {});
	assert.equal(await bob.evaluate(() => window['ask-connect']), 'not-allowed');

	await bob.evaluate(() => window.sluss.phone.identity.use({ domain: 'alpha.test' }));
	await bob.wait(() => window.sluss.phone.identity.state === 'sign-in');
	await bob.click('#ask-identity');
	const idp = await bob.popup();
	await idp.visible('idp-user');
	await view(idp, 'idp-signin');
	await idp.fill('[data-test="idp-user"]', 'anna');
	await idp.fill('[data-test="idp-password"]', PASSWORD);
	await idp.push('idp-submit');
	await idp.wait(() => document.querySelector('[data-test="idp-allow"]')?.disabled === false);
	await view(idp, 'idp-consent');
	await idp.push('idp-allow').catch(() => {});
	assert.equal(await bob.evaluate(() => window['ask-identity']), 'done');
	const browser = set.browsers.beta.chromium;
	const own = new Page(browser, await browser.ask('tab', { page: bob.page, url: 'https://idp.alpha.test/idp/identity.html' }));
	await own.wait(() => Boolean(document.querySelector('[data-test="idp-consent"]')));
	await view(own, 'idp-own');
	await own.closeTab();
	await bob.goto(set.beta.url);
	await bob.visible('dial-input');
});

test('look: at home, with people; a contact; a link; German', async () => {
	await alice.push('history-edit');
	await alice.fill('[data-test="contact-name"]', 'Bob Berg');
	await view(alice, 'contact');
	await alice.push('contact-save');
	await bob.dial('alice@alpha.test');
	await alice.visible('accept');
	await bob.push('hangup');
	await alice.hidden('accept');
	await alice.visible('notice');
	await view(alice, 'home');
	await alice.push('tab-contacts');
	await view(alice, 'contacts');
	await alice.goto(`${set.alpha.url}call/bob@beta.test`);
	await alice.visible('link-dialog');
	await view(alice, 'link');
	await alice.push('link-no');
	await alice.push('settings');
	await alice.evaluate(() => {
		const pick = document.querySelector('[data-test="pick-language"]');
		pick.value = 'de';
		pick.dispatchEvent(new Event('change'));
	});
	await alice.push('settings-close');
	await view(alice, 'home-de');
	assert.deepEqual(await alice.complaints(), []);
});
