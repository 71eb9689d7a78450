// limit: 180 s
// Signing in at the identity provider's own pages by another provider: what people see, in both browsers.
//
//   Chromium .101, Firefox .102 ── idp.alpha.test (.10) ── id.test (.64, this test)
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser, Phone } from '../lib/browser.mjs';
import { signIn } from '../lib/client.mjs';
import { listen, openProvider } from '../lib/openid.mjs';
import { PASSWORD, twoSites } from '../lib/site.mjs';

const PEOPLE = { '1002': { name: 'Nora', preferred_username: 'nora' }, '1003': { name: 'Noam', preferred_username: 'noam' }, '1001': { name: 'Alice Example', email: 'alice@mail.test', email_verified: true } };
let set, server, pair, who = '1001';

before(async () => {
	set = await twoSites({
		idp: true,
		tune: (options, name, authority) => {
			if (name === 'alpha')
				options.lines = ['openid "corp" {', '\ttitle = "The Company"', '\tissuer = "https://id.test"', '\tclient-id = linker',
					'\tclient-secret = "a secret: with/odd&chars"', `\ttrust = "${authority.root}"`, '}',
					'openid "new" {', '\ttitle = "Anywhere"', '\tissuer = "https://id.test"', '\tclient-id = maker', '\tclient-secret = other', '\taccounts = create',
					`\ttrust = "${authority.root}"`, '}'];
		},
	});
	const address = await set.world.address(64);
	set.dns.site('id.test', address);
	await set.dns.serve();
	pair = set.ca.leaf('id', { cn: 'id.test' });
	server = await listen(pair, address, openProvider({ issuer: 'https://id.test', callback: (name) => `https://idp.alpha.test/idp/v1/oidc/${name}/callback`, people: PEOPLE, who: () => who }));
});
after(async () => {
	server?.close();
	await set?.world.close();
});

for (const [kind, n, user] of [['chromium', 101, 'alice'], ['firefox', 102, 'anna']]) {
	test(`${kind}: not linked: said with the way out; linked under “Your identity”; signed in by it; allowed, and unlinked`, async () => {
		const host = await set.world.host(`alpha-${kind}`, n);
		const browser = await Browser.start(set.world, host, kind, { ca: set.ca.root, pairs: [...set.alpha.sites.map((s) => s.pair), pair] });
		const page = new Phone(browser, await browser.ask('open', { url: 'https://idp.alpha.test/idp/signin.html?origin=https%3A%2F%2Fshop.test' }));
		await page.visible('idp-with-corp');
		assert.match(await page.text('idp-with-corp'), /The Company/);
		who = null;
		await page.push('idp-with-corp');
		await page.says('idp-error', /You have said no there/);
		who = '1001';
		await page.push('idp-with-corp');
		await page.says('idp-error', /No account here belongs to that one yet\. Sign in here first/);
		assert.equal(await page.evaluate(() => new URLSearchParams(location.search).get('origin')), 'https://shop.test', 'it goes on as it was asked');
		await page.visible('idp-user');

		await page.goto('https://idp.alpha.test/idp/signin.html');
		await page.visible('idp-user');
		await page.fill('[data-test="idp-user"]', user);
		await page.fill('[data-test="idp-password"]', PASSWORD);
		await page.push('idp-submit');
		await page.visible('idp-link-corp');
		await page.push('idp-link-corp');
		await page.visible('idp-unlink-corp');
		assert.equal(await page.evaluate(() => location.pathname), '/idp/identity.html');

		await page.evaluate(() => fetch('/idp/v1/session', { method: 'DELETE', headers: { 'X-Sluss-IdP': '1' } }).then((r) => r.status));
		await page.goto('https://idp.alpha.test/idp/signin.html?origin=https%3A%2F%2Fshop.test');
		await page.visible('idp-with-corp');
		await page.push('idp-with-corp');
		await page.says('idp-origin', /^https:\/\/shop\.test$/);
		await page.says('idp-text', new RegExp(`${user}@alpha\\.test`));

		await page.goto('https://idp.alpha.test/idp/identity.html');
		await page.visible('idp-unlink-corp');
		await page.push('idp-unlink-corp');
		await page.visible('idp-link-corp');
		assert.equal(await page.evaluate(() => document.getElementById('password-part').hidden), true, 'there is a password');

		/* somebody new, in a browser that knows nobody: an account of his own, and a password for the phone */
		who = kind === 'chromium' ? '1002' : '1003';
		const fresh = new Phone(browser, await browser.ask('open', { url: 'https://idp.alpha.test/idp/signin.html' }));
		await fresh.visible('idp-with-new');
		await fresh.push('idp-with-new');
		await fresh.visible('idp-password-save');
		await fresh.fill('[data-test="idp-password"]', 'short');
		await fresh.push('idp-password-save');
		await fresh.says('password-error', /8 characters/);
		await fresh.fill('[data-test="idp-password"]', PASSWORD);
		await fresh.push('idp-password-save');
		await fresh.says('idp-status', /Your password is set/);
		assert.equal((await signIn(set.alpha, PEOPLE[who].preferred_username, PASSWORD)).user, `${PEOPLE[who].preferred_username}@alpha.test`);
		await browser.quit();
	});
}
