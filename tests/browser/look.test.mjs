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
import { Phone } from '../lib/browser.mjs';
import { phone, sitesWithBrowsers } from '../lib/phones.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const shots = join(process.env.SLUSS_OUT ?? 'build/test/dev/look.test.mjs', 'shots');
const SIZES = { phone: { width: 390, height: 844 }, desk: { width: 1280, height: 800 } };
let set, alice, bob;

before(async () => {
	mkdirSync(shots, { recursive: true });
	set = await sitesWithBrowsers([['alpha', 'chromium'], ['beta', 'chromium']]);
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
	await alice.visible('accept');
	await view(alice, 'incoming');
	await inSight(alice, 'accept');
	await alice.accept();
	await alice.state('connected');
	await bob.state('connected');
	await alice.says('health-verdict', /./, 20_000);
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
