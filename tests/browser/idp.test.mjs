// limit: 480 s
// The sites' own identity providers in browsers: without a question on the site's own page, by the provider's window from
// another site's page; in Firefox's own realm and in frames; consent taken back.
//
//   alice (Chromium .101, Firefox .102) ── alpha.test, idp.alpha.test ══ SIP ══ beta.test, idp.beta.test ── bob (Chromium .111, Firefox .112)
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { Provider } from 'oidc-provider';
import { Page } from '../lib/browser.mjs';
import { phone, sitesWithBrowsers } from '../lib/phones.mjs';
import { PASSWORD } from '../lib/site.mjs';
import { until } from '../lib/world.mjs';

const ISSUER = 'https://id.test';
let set, openid;
const open = {};

/** A real OpenID provider with its own sign-in and consent pages; whoever signs in is called as they say. */
async function openProvider({ world, ca, dns }) {
	const address = await world.address(64), pair = ca.valid('id.test');
	dns.zone('id.test', [`@ A ${address}`]);
	await dns.serve();
	const op = new Provider(ISSUER, {
		clients: [{ client_id: 'sluss', client_secret: 'secret', redirect_uris: ['https://idp.alpha.test/idp/v1/oidc/company/callback'], response_types: ['code'],
			grant_types: ['authorization_code'], id_token_signed_response_alg: 'ES256' }],
		jwks: { keys: [{ ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'k' }] },
		cookies: { keys: ['k'] }, pkce: { required: () => true }, enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
		claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'] },
		features: { devInteractions: { enabled: true } },
		findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub, name: 'Zoe Example', preferred_username: sub, email: `${sub}@mail.test`, email_verified: true }) }),
	});
	openid = createServer({ cert: readFileSync(pair.cert), key: readFileSync(pair.key) }, op.callback());
	await new Promise((resolve) => { openid.listen(443, address, resolve); });
}

before(async () => {
	set = await sitesWithBrowsers([['alpha', 'chromium'], ['alpha', 'firefox'], ['beta', 'chromium'], ['beta', 'firefox']], {
		idp: true, onWorld: openProvider,
		tune: (options, name, authority) => {
			if (name === 'alpha')
				options.lines = ['openid "company" {', `\ttrust = "${authority.root}"`, '\tclient-id = sluss', '\tclient-secret = secret',
					`\tissuer = "${ISSUER}"`, '\ttitle = "The Company"', '\taccounts = create', '}'];
		},
	});
});
after(async () => {
	openid?.closeAllConnections();
	openid?.close();
	await set?.world.close();
});
afterEach(async () => {
	for (const p of Object.values(open))
		await p.home();
});

async function person(site, kind, user) {
	const key = `${site}-${kind}`;
	if (!open[key]) {
		open[key] = await phone(set.browsers[site][kind], set[site], user);
		await open[key].wait(() => window.sluss.phone.identity.state === 'ready');
	}
	return open[key];
}

async function connected(caller, callee) {
	await caller.dial(callee.user);
	await callee.accept();
	await caller.state('connected', 20_000);
	await callee.state('connected', 20_000);
}

const identity = (p) => p.wait(() => {
	const call = window.sluss.phone.calls[0];
	return call && !call.remote.identity.checking && { ...call.remote.identity, encryption: call.encryption };
}, null, 20_000);

for (const [here, there] of [['firefox', 'firefox'], ['chromium', 'firefox'], ['firefox', 'chromium'], ['chromium', 'chromium']]) {
	test(`${here} calls ${there}: the sites' own providers vouch, without a question`, async () => {
		const caller = await person('alpha', here, 'alice'), callee = await person('beta', there, 'bob');
		await caller.dial(callee.user);
		await callee.visible('accept');
		const ringing = await identity(callee);
		assert.deepEqual([ringing.status, ringing.name, ringing.by, ringing.encryption], ['verified', 'alice@alpha.test', 'site', 'claimed']);
		assert.match(await callee.says('incoming-identity', /./), /alpha\.test.*vouches.*alice@alpha\.test.*when you accept/);
		await callee.accept();
		await caller.state('connected', 20_000);
		await callee.state('connected', 20_000);
		await callee.wait(() => window.sluss.phone.calls[0].encryption === 'end-to-end');
		const [ofCallee, ofCaller] = [await identity(caller), await identity(callee)];
		assert.deepEqual([ofCaller.status, ofCaller.name, ofCaller.idp, ofCaller.encryption, ofCaller.profile?.name], ['verified', 'alice@alpha.test', 'alpha.test', 'end-to-end', 'alice']);
		assert.deepEqual([ofCallee.status, ofCallee.name, ofCallee.idp, ofCallee.encryption], ['verified', 'bob@beta.test', 'beta.test', 'end-to-end']);
		assert.match(await caller.says('call-identity', /./), /beta\.test.*vouches.*bob@beta\.test/);
		assert.match(await caller.text('call-encryption'), /proved/i);
		assert.equal(ofCallee.by, here === 'firefox' ? 'native' : 'frame');
		assert.equal(ofCaller.by, there === 'firefox' ? 'native' : 'frame');
		await caller.push('hangup');
		await callee.ended(/call ended/i);
	});
}

test('Firefox asks by itself: the assertion says so, and its context is told to the callee’s site', async () => {
	const caller = await person('alpha', 'firefox', 'alice'), callee = await person('beta', 'chromium', 'bob');
	await caller.dial(callee.user);
	await callee.visible('accept');
	const ctx = await callee.evaluate(() => window.seen.received.map(({ data }) => JSON.parse(data)).findLast((m) => m.type === 'incoming').from.identity.ctx);
	assert.equal(ctx, 'native');
	await callee.push('decline');
	await caller.ended(/declined/i);
});

for (const kind of ['firefox', 'chromium']) {
	test(`${kind}: a rule for one person holds for that person, caller or callee, and for nobody else`, async () => {
		const p = await person('alpha', kind, 'alice'), bob = await person('beta', 'chromium', 'bob');
		const rules = (list) => ownPage(kind, p, (mine) => mine.evaluate((body) => fetch('/idp/v1/rules', { method: 'PUT', body: JSON.stringify(body),
			headers: { 'X-Sluss-IdP': '1', 'Content-Type': 'application/json' } }).then(({ status }) => { if (status !== 200) throw Error(status); }), list), 'alpha');
		const berta = await phone(set.browsers.beta.firefox, set.beta, 'berta');
		const seen = async (callee) => {
			await p.dial(callee.user);
			await callee.visible('accept');
			const ringing = await identity(callee);
			await callee.accept();
			await callee.state('connected', 20_000);
			await callee.wait(() => window.sluss.phone.calls[0].encryption === 'end-to-end');
			const talking = await identity(callee);
			await p.push('hangup');
			await callee.ended(/call ended/i);
			await Promise.all([p.home(), callee.home()]);
			assert.equal(ringing.name, talking.name);
			return [talking.name, talking.by, talking.profile?.name];
		};
		await rules([{ for: 'bob@beta.test', reveal: 'pseudonym', claims: [] }, { for: 'berta@beta.test', reveal: 'full', claims: [] }, { for: 'anyone', reveal: 'full', claims: ['name'] }]);
		await p.evaluate(() => window.sluss.phone.identity.use(null));
		await p.evaluate(() => window.sluss.phone.identity.use({ domain: 'alpha.test' }));
		await p.wait(() => window.sluss.phone.identity.state === 'ready');
		const [made, ...rest] = await seen(bob);
		assert.match(made, /^[a-z2-7]{26}@alpha\.test$/);
		assert.deepEqual(rest, ['frame', undefined]);
		const native = await bob.evaluate(() => window.seen.received.map(({ data }) => JSON.parse(data)).findLast((m) => m.type === 'incoming').from.identity.ctx);
		assert.equal(native, kind === 'firefox' ? 'native' : 'frame', 'the browser itself where it can');
		assert.deepEqual((await seen(berta)).filter((one) => one !== 'native'), ['alice@alpha.test', undefined]);
		assert.equal((await seen(bob))[0], made, 'the same for him, always');

		// and when he calls her
		await bob.dial('alice@alpha.test');
		await p.accept();
		await bob.wait(() => window.sluss.phone.calls[0].encryption === 'end-to-end', null, 20_000);
		assert.equal((await identity(bob)).name, made);
		await bob.push('hangup');
		await p.ended(/call ended/i);
		await Promise.all([p.home(), bob.home()]);
		await rules([]);
		await p.evaluate(() => window.sluss.phone.identity.use(null));
		await p.evaluate(() => window.sluss.phone.identity.use({ domain: 'alpha.test' }));
		await p.wait(() => window.sluss.phone.identity.state === 'ready');
		assert.deepEqual((await seen(bob))[0], 'alice@alpha.test');
		await berta.close();
	});
}

for (const kind of ['chromium', 'firefox']) {
	test(`${kind}: the verified name, shown by the provider's own frame: in sight, and out of reach of the page`, async () => {
		const caller = await person('alpha', 'chromium', 'alice'), callee = await person('beta', kind, 'bob');
		await connected(caller, callee);
		await callee.wait(() => window.sluss.phone.calls[0].encryption === 'end-to-end');
		await callee.visible('identity-show');
		await callee.evaluate(() => document.querySelector('[data-test="identity-show"]').click()); // perhaps below the buttons of the call
		await callee.visible('identity-frame');
		const frames = (f) => callee.frames('https://idp.alpha.test/', f);
		let shown = [];
		await until(15_000, async () => {
			shown = (await frames(() => document.body.innerText.trim())).filter(Boolean);
			return shown.length > 0;
		}, 'the frame shows the name');
		assert.equal(shown.length, 1, 'the hidden one shows nothing');
		assert.match(shown[0].replace(/[\u2068\u2069]/g, ''), /^alice\s*alice@alpha\.test\s+Vouched for by idp\.alpha\.test$/);
		const page = await callee.evaluate(() => {
			const frame = document.querySelector('[data-test="identity-frame"] iframe');
			const box = frame.getBoundingClientRect();
			let reached;
			try {
				frame.contentWindow.document.body.textContent = 'mallory';
				reached = 'reached';
			} catch (e) {
				reached = e.name;
			}
			frame.contentWindow.postMessage({ id: 1, op: 'show', args: { assertion: 'mine' } }, '*');
			return { reached, sandbox: frame.getAttribute('sandbox'), seen: box.width > 100 && box.height > 30 };
		});
		assert.deepEqual(page, { reached: 'SecurityError', sandbox: 'allow-scripts allow-same-origin', seen: true });
		await callee.push('hangup');
		await caller.ended(/call ended/i);
		await callee.hidden('identity-frame');
		assert.deepEqual((await callee.complaints()).filter((text) => !/401|403|sandbox/.test(text)), []);
	});
}

/** A phone of beta's whose owner has named alpha's provider; -> [phone, the window that it has opened] */
async function stranger(kind, user, before = null) {
	const p = await phone(set.browsers.beta[kind], set.beta, user);
	await p.evaluate(() => {
		window.sluss.phone.identity.use({ domain: 'alpha.test' });
		const button = document.createElement('button');
		button.id = 'identity-test';
		button.textContent = 'sign in';
		button.onclick = () => { window.signed = window.sluss.phone.identity.signIn().then(() => 'done', (e) => `${e.code} ${e.message}`); };
		document.body.prepend(button);
	});
	await p.wait(() => window.sluss.phone.identity.state === 'sign-in');
	await before?.(p);
	await p.click('#identity-test');
	return [p, await p.popup()];
}

/** The window closes itself, perhaps while it is being clicked on. */
const allow = (window) => window.push('idp-allow').catch((e) => assert.match(e.message, /clos|detach|context|target/i));

async function consent(p, window) {
	await window.says('idp-origin', /^https:\/\/beta\.test$/);
	await window.wait(() => !document.querySelector('[data-test="idp-allow"]').disabled);
	await allow(window);
	assert.equal(await p.evaluate(() => globalThis.signed), 'done');
	assert.equal(await p.evaluate(() => globalThis.sluss.phone.identity.state), 'ready');
}

/** The person's own page at the provider, in another tab. */
async function ownPage(kind, p, what, site = 'beta') {
	const browser = set.browsers[site][kind];
	const mine = new Page(browser, await browser.ask('tab', { page: p.page, url: 'https://idp.alpha.test/idp/identity.html' }));
	await mine.front();
	await mine.wait(() => Boolean(document.querySelector('[data-test="idp-consent"]')));
	await what(mine);
	await mine.closeTab();
	await p.front();
}

async function revoke(mine) {
	await mine.click('[data-test="idp-revoke"]');
	await mine.wait(() => !document.querySelector('[data-test="idp-consent"]'));
}

async function refused(p) {
	await p.evaluate(() => globalThis.sluss.phone.identity.use(null));
	await p.evaluate(() => globalThis.sluss.phone.identity.use({ domain: 'alpha.test' }));
	await p.wait(() => ['consent', 'sign-in'].includes(globalThis.sluss.phone.identity.state));
}

for (const kind of ['chromium', 'firefox']) {
	test(`${kind}: a provider of another site: its window asks who it is and whether this page may; then it vouches; taken back, it does not`, async () => {
		const [p, window] = await stranger(kind, 'berta');
		await window.visible('idp-user');
		await window.fill('[data-test="idp-user"]', 'anna');
		await window.fill('[data-test="idp-password"]', PASSWORD);
		await window.push('idp-submit');
		await consent(p, window);

		const callee = await person('alpha', 'chromium', 'alice');
		await connected(p, callee);
		await callee.wait(() => globalThis.sluss.phone.calls[0].encryption === 'end-to-end');
		const seen = await identity(callee);
		assert.deepEqual([seen.name, seen.idp], ['anna@alpha.test', 'alpha.test'], 'by the provider’s name, whatever the calling site says');
		await p.push('hangup');
		await callee.ended(/call ended/i);
		await callee.home();

		await p.home();
		await ownPage(kind, p, revoke);
		await refused(p);
		await p.close();
	});
}

test('by an OpenID provider: its own sign-in and consent; a made-up name for this page; taken back, nothing', async () => {
	const [p, window] = await stranger('chromium', 'berta');
	await window.push('idp-with-company');
	await window.wait(() => Boolean(document.querySelector('input[name=login]')));
	await window.fill('input[name=login]', 'zoe');
	await window.fill('input[name=password]', 'anything');
	await window.click('button[type=submit]');
	await window.wait(() => !document.querySelector('input[name=login]') && Boolean(document.querySelector('button[type=submit]')));
	await window.click('button[type=submit]');
	await consent(p, window);

	const callee = await person('alpha', 'chromium', 'alice');
	const called = async () => {
		await p.evaluate(() => globalThis.sluss.phone.identity.use(null));
		await p.evaluate(() => globalThis.sluss.phone.identity.use({ domain: 'alpha.test' }));
		await p.wait(() => globalThis.sluss.phone.identity.state === 'ready');
		await connected(p, callee);
		await callee.wait(() => globalThis.sluss.phone.calls[0].encryption === 'end-to-end');
		const seen = await identity(callee);
		await p.push('hangup');
		await callee.ended(/call ended/i);
		await callee.home();
		await p.home();
		return seen;
	};
	const open = await called();
	assert.deepEqual([open.name, open.profile.name], ['zoe@alpha.test', 'Zoe Example']);
	await ownPage('chromium', p, async (mine) => {
		await mine.evaluate(() => {
			const select = document.querySelector('[data-test="idp-rule-reveal"]');
			select.value = 'pseudonym';
			select.dispatchEvent(new Event('change'));
		});
		await mine.click('[data-test="idp-rules-save"]');
		await mine.wait(() => /Saved/.test(document.querySelector('[data-test="idp-status"]').textContent));
	});
	const [one, again] = [await called(), await called()];
	assert.match(one.name, /^[a-z2-7]{26}@alpha\.test$/);
	assert.equal(one.name, again.name, 'the same for this page');
	await ownPage('chromium', p, revoke);
	await refused(p);
	await p.close();
});

test('a page on the calling site’s origin gets nothing: no cookie in the frame, a code of no use, storage out of reach, no assertion in another’s name', async () => {
	for (const kind of ['chromium', 'firefox']) {
		const p = await phone(set.browsers.beta[kind], set.beta, 'berta');
		await p.wait(() => window.sluss.phone.identity.state === 'ready');
		const got = await p.evaluate(async () => {
			const frame = document.querySelector('iframe');
			const reach = (what) => { try { return what(); } catch (e) { return e.name; } };
			const ask = (port, op, args) => new Promise((resolve) => {
				port.onmessage = ({ data }) => resolve(data.error ?? data.ok);
				port.postMessage({ id: 1, op, args });
			});
			// another frame of a provider where nobody has signed in; it is told another origin than ours, and a code that was stolen
			const mine = document.createElement('iframe');
			mine.src = 'https://alpha.test/.well-known/idp-proxy/sluss';
			const hello = new Promise((resolve) => addEventListener('message', (ev) => ev.source === mine.contentWindow && resolve(ev.origin)));
			document.body.append(mine);
			const origin = await hello;
			const { port1, port2 } = new MessageChannel();
			mine.contentWindow.postMessage({ sluss: 'idp', port: port2, origin: 'https://alpha.test' }, origin, [port2]);
			const contents = JSON.stringify({ fingerprint: [{ algorithm: 'sha-256', digest: Array(32).fill('AA').join(':') }] });
			const result = {
				document: reach(() => frame.contentWindow.document.cookie), storage: reach(() => String(frame.contentWindow.indexedDB)),
				sandbox: frame.getAttribute('sandbox'),
				api: await fetch('https://idp.beta.test/idp/v1/session', { credentials: 'include' }).then((r) => r.status, (e) => e.name),
				generate: await ask(port1, 'generate', { contents, origin: 'https://alpha.test' }),
				redeem: await ask(port1, 'redeem', { code: 'stolen' }),
				unknown: await ask(port1, 'grant', {}),
			};
			mine.remove();
			return result;
		});
		assert.match(got.document, /SecurityError/);
		assert.match(got.storage, /SecurityError/);
		assert.equal(got.sandbox, 'allow-scripts allow-same-origin');
		assert.equal(got.api, 'TypeError', 'the policy of the page and the provider forbid it');
		assert.equal(got.generate.name, 'IdpLoginError');
		assert.match(got.generate.loginUrl, /origin=https%3A%2F%2Fbeta\.test/, 'who asks is what the browser says');
		assert.ok(['IdpError', 'NetworkError'].includes(got.redeem.name), JSON.stringify(got.redeem));
		assert.equal(got.unknown.name, 'NotSupportedError');
		await p.close();
	}
});

for (const [kind, user] of [['chromium', 'anna'], ['firefox', 'alice']]) { // who has not allowed that page yet
	test(`${kind}: a code that was stolen on its way to the frame is of no use to another frame that waits for one, nor to the page`, async () => {
		// whoever runs scripts on the page takes the code before the SDK hears of it, and has a frame of the provider with a challenge of its own
		const [p, window] = await stranger(kind, 'berta', (page) => page.evaluate(() => {
			globalThis.thief = (async () => {
				const frame = document.createElement('iframe');
				frame.src = 'https://alpha.test/.well-known/idp-proxy/sluss';
				const hello = new Promise((resolve) => addEventListener('message', (ev) => ev.source === frame.contentWindow && resolve(ev.origin)));
				document.body.append(frame);
				const origin = await hello;
				const { port1, port2 } = new MessageChannel();
				frame.contentWindow.postMessage({ sluss: 'idp', port: port2 }, origin, [port2]);
				let ids = 0;
				return (op, args) => new Promise((resolve) => {
					const id = ++ids;
					const heard = ({ data }) => {
						if (data.id === id) {
							port1.removeEventListener('message', heard);
							resolve(data.error ?? data.ok);
						}
					};
					port1.addEventListener('message', heard);
					port1.start();
					port1.postMessage({ id, op, args });
				});
			})();
			globalThis.stolen = new Promise((resolve) => {
				addEventListener('message', (ev) => {
					if (ev.data?.sluss === 'idp' && ev.data.code) {
						ev.stopImmediatePropagation();
						resolve(ev.data.code);
					}
				});
			});
		}));
		assert.match((await p.evaluate(async () => (await thief)('challenge', {}))).challenge, /^[\w-]{43}$/, 'its challenge is outstanding');
		await window.visible('idp-user');
		await window.fill('[data-test="idp-user"]', user);
		await window.fill('[data-test="idp-password"]', PASSWORD);
		await window.push('idp-submit');
		await window.wait(() => !document.querySelector('[data-test="idp-allow"]').disabled);
		await allow(window);
		const got = await p.evaluate(async () => {
			const code = await stolen, ask = await thief;
			const contents = JSON.stringify({ fingerprint: [{ algorithm: 'sha-256', digest: Array(32).fill('AA').join(':') }] });
			return {
				code, redeem: await ask('redeem', { code }), generate: await ask('generate', { contents }),
				page: await fetch('https://idp.alpha.test/idp/v1/redeem', { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Sluss-IdP': '1' },
					body: JSON.stringify({ code, verifier: 'v'.repeat(43), origin: location.origin }) }).then((r) => r.status, (e) => e.name),
			};
		});
		assert.match(got.code, /^[\w-]{20,}$/);
		assert.equal(got.redeem.name, 'IdpError', JSON.stringify(got.redeem));
		assert.equal(got.generate.name, 'IdpLoginError', 'no assertion');
		assert.equal(got.page, 'TypeError');
		await p.close();
	});
}
