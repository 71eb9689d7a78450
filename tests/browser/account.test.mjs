// limit: 300 s
// The account page, and a page of another origin that calls through the site's pop-up.
//
//   alice (Chromium .101) ── https://alpha.test/account            bob (a program at beta.test)
//        └── https://shop.test:8443 (this test serves it) ── pop-up https://alpha.test/connect
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Browser, Phone } from '../lib/browser.mjs';
import { http, signIn } from '../lib/client.mjs';
import { phone } from '../lib/phones.mjs';
import { PASSWORD, twoSites } from '../lib/site.mjs';
import { OUT, until } from '../lib/world.mjs';

const SHOP = 'https://shop.test:8443', EVIL = 'https://evil.test:8443';
const hook = (name) => `[data-test="${name}"]`;
let set, browser, server;
const kinds = {};

/** What shop.test and evil.test serve: the SDK of alpha.test, two buttons, what came of it. */
const SCRIPT = `
	import { Phone } from 'https://alpha.test/sdk/sluss.js';
	window.Phone = Phone;
	window.heard = [];
	window.addEventListener('message', (ev) => window.heard.push({ origin: ev.origin, data: ev.data }));
	document.getElementById('go').onclick = async () => {
		try {
			window.given = await Phone.signIn({ site: 'alpha.test' });
			window.phone = await Phone.connect(window.given);
			window.result = 'online';
		} catch (e) {
			window.result = e.code ?? String(e);
		}
	};
	// as a page does that wants the token without asking for it honestly
	document.getElementById('cheat').onclick = () => {
		const state = '0123456789abcdef0123456789abcdef';
		window.popup = window.open('https://alpha.test/connect#' + state, 'cheat', 'popup');
		window.cheat = (data) => window.popup.postMessage({ state, ...data }, '*');
	};
`;
const PAGE = `<!doctype html><meta charset=utf-8><title>Shop</title><button id=go data-test=go>Call</button>
	<button id=cheat data-test=cheat>Cheat</button><script type=module src=/page.js></script>`;

before(async () => {
	set = await twoSites({ users: { alpha: ['alice', 'anna', 'carol', 'dora', 'emil'], beta: ['bob'] } });
	const address = await set.world.address(61);
	for (const domain of ['shop.test', 'evil.test'])
		set.dns.site(domain, address);
	await set.dns.serve();
	const pairs = { shop: set.ca.valid('shop.test'), evil: set.ca.valid('evil.test') };
	const { createSecureContext } = await import('node:tls');
	const context = (pair) => createSecureContext({ cert: readFileSync(pair.cert), key: readFileSync(pair.key) });
	const contexts = { 'shop.test': context(pairs.shop), 'evil.test': context(pairs.evil) };
	server = createServer({ SNICallback: (name, done) => done(null, contexts[name]) }, (request, response) => {
		const script = request.url === '/page.js';
		response.setHeader('Content-Type', script ? 'text/javascript' : 'text/html; charset=utf-8');
		response.end(script ? SCRIPT : PAGE);
	});
	await new Promise((resolve) => server.listen(8443, address, resolve));
	for (const [kind, n] of [['chromium', 101], ['firefox', 102]]) {
		const host = await set.world.host(`alpha-${kind}`, n);
		kinds[kind] = await Browser.start(set.world, host, kind,
			{ ca: set.ca.root, pairs: [...set.alpha.sites, ...set.beta.sites].map((s) => s.pair).concat(Object.values(pairs)) });
	}
	browser = kinds.chromium;
});
after(async () => {
	server?.closeAllConnections();
	server?.close();
	await set?.world.close();
});

const visit = (page, url) => page.browser.ask('goto', { page: page.page, url });

/** A page of another origin; the driver's pages are phones to it. */
const open = (on, url) => Phone.open(on, { ...set.alpha, url });

test('the account page: the list, sign out elsewhere, another password', async () => {
	const page = await phone(browser, set.alpha, 'anna');
	const other = await set.alpha.client('anna', 'the other one');
	await visit(page, 'https://alpha.test/account');
	await page.says('account-me', /anna@alpha\.test/);
	await page.screenshot(join(OUT, 'account.png'), { width: 390, height: 1200 });
	const names = () => page.evaluate(() => [...document.querySelectorAll('.device-name')].map((e) => e.textContent));
	await page.wait(() => document.querySelectorAll('[data-test="device"]').length === 2);
	assert.match((await names())[0], /Chrome on Linux/, 'this one comes first, as the phone calls it');
	assert.equal((await names())[1], 'the other one');
	await page.click('[data-current="false"] [data-test="device-end"]');
	assert.equal((await other.event('bye')).reason, 'signed-out');
	await page.wait(() => document.querySelectorAll('[data-test="device"]').length === 1);
	const third = await set.alpha.client('anna', 'third');
	await page.fill(hook('password-old'), 'not the one');
	await page.fill(hook('password-new'), 'a completely new one');
	await page.click(hook('password-submit'));
	await page.says('password-error', /wrong/i);
	await page.fill(hook('password-old'), PASSWORD);
	await page.click(hook('password-submit'));
	await page.says('password-done', /changed/i);
	assert.equal((await third.event('bye')).reason, 'password');
	await signIn(set.alpha, 'anna', 'a completely new one');
	assert.deepEqual((await page.complaints()).filter((c) => !/status of 403/.test(c)), [], 'but for the wrong password');
	await page.close();
});

test('the account page: whose calls ring is set, and still so when the page comes again', async () => {
	const page = await phone(browser, set.alpha, 'emil');
	await visit(page, 'https://alpha.test/account');
	await page.wait(() => document.querySelector('[data-test="ring-rule"]').value === 'anyone');
	await page.evaluate(() => {
		const select = document.querySelector('[data-test="ring-rule"]');
		select.value = 'verified-name';
		select.dispatchEvent(new Event('change'));
	});
	await page.says('ring-done', /next call/);
	await visit(page, 'https://alpha.test/account');
	await page.wait(() => document.querySelector('[data-test="ring-rule"]').value === 'verified-name');
	await page.close();
});

test('the account page: deleting the account by keyboard alone', async () => {
	const page = await phone(browser, set.alpha, 'dora');
	await page.evaluate(() => {
		for (const who of ['dora@alpha.test', 'anna@alpha.test']) {
			localStorage.setItem(`sluss.history.${who}`, '[]');
			localStorage.setItem(`sluss.contacts.${who}`, '[]');
		}
		localStorage.setItem('sluss.devices', '{}');
	});
	await visit(page, 'https://alpha.test/account');
	await page.says('account-me', /dora@alpha\.test/);
	await page.wait(() => document.querySelectorAll('[data-test="device"]').length === 1);
	const tabTo = async (name) => {
		for (let i = 0; i < 20; i++) {
			await page.press('Tab');
			if (await page.evaluate((n) => document.activeElement?.dataset.test === n, name))
				return;
		}
		assert.fail(`${name} is not reached with the Tab key`);
	};
	await tabTo('delete-begin');
	await page.press('Enter');
	assert.equal(await page.evaluate(() => document.activeElement.dataset.test), 'delete-password');
	await page.fill(hook('delete-password'), 'not the one');
	await page.press('Enter');
	await page.says('delete-error', /wrong/i);
	await page.fill(hook('delete-password'), PASSWORD);
	await page.press('Enter');
	await page.says('account-out', /gone/i);
	const kept = await page.evaluate(() => Object.keys(localStorage));
	assert.deepEqual(kept.filter((key) => key.includes('dora')), [], 'nothing of her is left in the browser');
	for (const other of ['sluss.history.anna@alpha.test', 'sluss.contacts.anna@alpha.test', 'sluss.devices'])
		assert.ok(kept.includes(other), `${other} is somebody else's`);
	await assert.rejects(signIn(set.alpha, 'dora', PASSWORD));
	await page.close();
});

for (const kind of ['chromium', 'firefox']) {
	test(`${kind}: a page of another origin calls, once the person has signed in and allowed it in the pop-up`, async () => {
		const page = await open(kinds[kind], `${SHOP}/`);
		const bob = await set.beta.client('bob');
		await page.click(hook('go'));
		const popup = await page.popup();
		await popup.fill(hook('login-user'), 'carol');
		await popup.fill(hook('login-password'), PASSWORD);
		await popup.click(hook('login-submit'));
		assert.equal(await popup.says('connect-origin', /./), SHOP, 'the person sees which page asks');
		await popup.screenshot(join(OUT, `connect-${kind}.png`));
		assert.match(await popup.says('connect-text', /./), /carol@alpha\.test/);
		await popup.wait(() => !document.querySelector('[data-test="connect-allow"]').disabled);
		await popup.click(hook('connect-allow')).catch((e) => assert.match(e.message, /clos|detach|context|target/i));
		assert.equal(await page.wait(() => window.result), 'online');
		const given = await page.evaluate(() => window.given);
		assert.equal(given.user, 'carol@alpha.test');
		assert.ok(given.expires > Date.now() / 1000);
		assert.ok(!JSON.stringify(await page.evaluate(() => window.heard)).includes(PASSWORD), 'no password came out of the pop-up');
		await page.evaluate(() => window.phone.call('bob@beta.test').then(() => true));
		assert.equal((await bob.event('incoming')).from.address, 'carol@alpha.test');
		await page.evaluate(() => window.phone.calls[0].hangup());
		await bob.event('ended');
		await page.evaluate(() => window.phone.signOut());
		await page.evaluate(() => {
			window.again = window.Phone.connect(window.given).then(() => 'online', (e) => e.code);
		});
		assert.equal(await page.evaluate(() => window.again), 'bad-login', 'it was given back');
		await bob.close();
		await page.close();
	});
}

test('refused: the page is told that, and gets nothing', async () => {
	const page = await open(browser, `${SHOP}/`);
	await page.click(hook('go'));
	const popup = await page.popup();
	await popup.fill(hook('login-user'), 'carol');
	await popup.fill(hook('login-password'), PASSWORD);
	await popup.click(hook('login-submit'));
	await popup.visible('connect-refuse');
	await popup.click(hook('connect-refuse')).catch((e) => assert.match(e.message, /clos|detach|context|target/i));
	assert.equal(await page.wait(() => window.result), 'not-allowed');
	assert.equal(await page.evaluate(() => window.given?.token ?? null), null);
	await page.close();
});

test('a hostile opener: is named for what it is, cannot ask in another\'s name, and gets nothing when it changes places', async () => {
	const page = await open(browser, `${EVIL}/`);
	await page.click(hook('cheat'));
	const popup = await page.popup();
	await page.wait(() => window.heard.some((m) => m.data.sluss === 'ready'));
	// it claims to be the shop, and to be answered in advance
	await page.evaluate((shop) => {
		window.cheat({ sluss: 'ask', state: 'f'.repeat(32) });
		window.cheat({ sluss: 'ask', origin: shop });
		window.cheat({ sluss: 'allow' });
		window.cheat({ sluss: 'token' });
	}, SHOP);
	await popup.fill(hook('login-user'), 'carol');
	await popup.fill(hook('login-password'), PASSWORD);
	await popup.click(hook('login-submit'));
	assert.equal(await popup.says('connect-origin', /./), EVIL);
	assert.deepEqual((await page.evaluate(() => window.heard)).filter((m) => m.data.sluss !== 'ready'), [], 'nothing but what it knows already');
	/* It asked as evil.test, and is shop.test when the person allows: the answer is for evil.test. */
	await visit(page, `${SHOP}/`);
	await page.wait(() => Boolean(window.Phone));
	await popup.wait(() => !document.querySelector('[data-test="connect-allow"]').disabled);
	await popup.click(hook('connect-allow')).catch((e) => assert.match(e.message, /clos|detach|context|target/i));
	await until(10_000, async () => {
		const { token } = await signIn(set.alpha, 'carol', PASSWORD);
		const list = await fetchDevices(token);
		return list.some((d) => d.origin === EVIL);
	}, 'it was allowed');
	await page.evaluate(() => new Promise((resolve) => { setTimeout(resolve, 500); }));
	assert.deepEqual((await page.evaluate(() => window.heard)).filter((m) => m.data?.token), []);
	await page.close();
});

async function fetchDevices(token) {
	return (await http(set.alpha, 'GET', '/api/v1/account/devices', { token })).json.devices;
}

test('opened by nobody: the pop-up gives nothing', async () => {
	const page = await open(browser, 'https://alpha.test/connect');
	await page.says('connect-wait', /no page has asked/i);
	await page.close();
});
