// limit: 300 s
// A provider of another site in browsers that let no frame have cookies: Chromium with third-party cookies blocked, Firefox
// with all that is third-party refused. Its frame lives on a grant, which the window at the provider gives by a code.
//
//   berta (Chromium .111, Firefox .112) ── beta.test ══ SIP ══ alpha.test, idp.alpha.test ── alice (Chromium .101)
//        └── https ──► idp.alpha.test: vouches for anna and alice of its own on beta's page
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { phone, sitesWithBrowsers } from '../lib/phones.mjs';
import { PASSWORD } from '../lib/site.mjs';
import { until } from '../lib/world.mjs';

const BLOCKED = { args: ['--test-third-party-cookie-phaseout'], prefs: { 'network.cookie.cookieBehavior': 1 } };
let set, alice;

before(async () => {
	set = await sitesWithBrowsers([['alpha', 'chromium'], ['beta', 'chromium'], ['beta', 'firefox']], { idp: true, browser: BLOCKED });
	alice = await phone(set.browsers.alpha.chromium, set.alpha, 'alice');
});
after(() => set?.world.close());

/** What a frame of the provider can keep on this page. */
const kept = (p) => p.frames('https://idp.alpha.test/', async () => {
	document.cookie = 'probe=1; Secure; SameSite=None';
	const storage = await new Promise((resolve) => {
		try {
			const opening = indexedDB.open('probe');
			opening.onsuccess = () => resolve(true);
			opening.onerror = () => resolve(false);
		} catch {
			resolve(false);
		}
	});
	return { cookie: document.cookie, storage };
});

for (const [kind, user] of [['chromium', 'anna'], ['firefox', 'alice']]) { // who has not allowed that page yet
	test(`${kind}: no cookie in the frame, and the frame vouches all the same`, async () => {
		const p = await phone(set.browsers.beta[kind], set.beta, 'berta');
		await p.evaluate(() => {
			window.sluss.phone.identity.use({ domain: 'alpha.test' });
			const button = document.createElement('button');
			button.id = 'identity-test';
			button.textContent = 'sign in';
			button.onclick = () => { window.signed = window.sluss.phone.identity.signIn().then(() => 'done', (e) => `${e.code} ${e.message}`); };
			document.body.prepend(button);
		});
		await p.wait(() => window.sluss.phone.identity.state === 'sign-in');
		const [frame] = await until(15_000, async () => {
			const all = await kept(p);
			return all.length > 0 && all;
		}, 'the frame says what it can keep');
		assert.equal(frame.cookie, '', 'the browser gives it none');

		await p.click('#identity-test');
		const window = await p.popup();
		await window.visible('idp-user');
		await window.fill('[data-test="idp-user"]', user);
		await window.fill('[data-test="idp-password"]', PASSWORD);
		await window.push('idp-submit');
		await window.wait(() => !document.querySelector('[data-test="idp-allow"]').disabled);
		await window.push('idp-allow').catch((e) => assert.match(e.message, /clos|detach|context|target/i)); // it closes itself
		assert.equal(await p.evaluate(() => globalThis.signed), 'done');
		assert.equal(await p.evaluate(() => globalThis.sluss.phone.identity.state), 'ready');

		await p.dial(alice.user);
		await alice.visible('accept');
		const said = await alice.evaluate(() => globalThis.seen.received.map(({ data }) => JSON.parse(data)).findLast((m) => m.type === 'incoming').from.identity);
		assert.deepEqual([said.status, said.name, said.origin], ['verified', `${user}@alpha.test`, 'https://beta.test']);
		if (kind === 'chromium')
			assert.equal(said.ctx, 'frame');
		await alice.accept();
		for (const one of [p, alice])
			await one.wait(() => globalThis.sluss.phone.calls[0]?.encryption === 'end-to-end', null, 20_000);
		await p.push('hangup');
		await alice.ended(/call ended/i);
		await Promise.all([p.home(), alice.home()]);

		// the page comes again: what the frame may keep it has kept; Firefox's own realm has the session; else the person is asked once more
		await p.goto(set.beta.url);
		await p.visible('dial-input');
		await p.wait(() => globalThis.sluss?.phone?.state === 'online');
		await p.evaluate(() => globalThis.sluss.phone.identity.use({ domain: 'alpha.test' }));
		const state = await p.wait(() => ['ready', 'sign-in'].includes(globalThis.sluss.phone.identity.state) && globalThis.sluss.phone.identity.state);
		assert.equal(state, frame.storage || kind === 'firefox' ? 'ready' : 'sign-in');
		await p.close();
	});
}
