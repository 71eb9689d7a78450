// limit: 300 s
// The examples of docs/sdk.md, run as they stand there (but for the sites' names), in browsers, against two sites.
//
//   alice's page with example N (Chromium .101, Firefox .102) ── alpha.test ══ SIP ══ beta.test ── per (Chromium .111)
//        └── https://shop.test:8443 (this test serves it) for the page of another origin
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { Browser, Phone } from '../lib/browser.mjs';
import { phone } from '../lib/phones.mjs';
import { PASSWORD, twoSites } from '../lib/site.mjs';
import { TOP } from '../lib/world.mjs';

const SHOP = 'https://shop.test:8443/';
/** What each example is found by, and which of its names the test wants to look at. In the order of the page. */
const EXAMPLES = [
	{ name: 'first', has: "const call = await phone.call('per@beta.test');   //", wants: '{ phone, call }' },
	{ name: 'connect', has: 'async function start()', wants: '{ phone: await start() }' },
	{ name: 'elsewhere', has: 'await Phone.signIn({', wants: '{}' },
	{ name: 'calling', has: 'const giveUp = new AbortController();', wants: '{}', needs: 'phone' },
	{ name: 'contacts', has: "phone.contacts.search('persson')", wants: '{}', needs: 'phone' },
	{ name: 'called', has: "phone.addEventListener('incoming'", wants: '{}', needs: 'phone' },
	{ name: 'waiting', has: 'phone.switchTo(call)', wants: '{}', needs: 'phone' },
	{ name: 'ring', has: 'phone.audible = false', wants: '{ tone }', needs: 'phone', after: "phone.addEventListener('incoming', () => {});" },
	{ name: 'passing', has: "call.transfer('pia@beta.test')", wants: '{}', needs: 'call' },
	{ name: 'identity', has: 'call.remote.identity;', wants: '{}', needs: 'call' },
	{ name: 'moving', has: 'phone.take(phone.elsewhere[0])', wants: '{}', needs: 'phone' },
];
const BUTTONS = ['call', 'cancel', 'accept', 'decline', 'busy', 'continue'];
let set, per, pia, server;
const kinds = {};

const found = [...readFileSync(join(TOP, 'docs/sdk.md'), 'utf8').matchAll(/^```js\n(.*?)^```$/gms)]
	.map(([, text]) => text.replaceAll('.example/', '.test/').replaceAll(".example'", ".test'"));

/** What the examples find on their page: elements by their ids, and two functions. */
const stage = (needs) => `import { Phone } from '/sdk/sluss.js';
	Object.assign(window, { Phone, shown: [] }); // what an earlier example has imported
	window.show = (text) => window.shown.push(text);
	window.hide = () => window.shown.push(null);
	window.prompt = (what) => (what === 'Name' ? 'alice' : '${PASSWORD}');
	/* a person who looks at the browser's question for long; a machine without a microphone */
	if (location.search === '?slow')
		navigator.mediaDevices.getUserMedia = () => { window.asked = true; return new Promise(() => {}); };
	if (location.search === '?none') {
		navigator.mediaDevices.enumerateDevices = async () => [];
		navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('none', 'NotFoundError'); };
	}
	${needs ? 'window.phone = await Phone.connect();' : ''}
	${needs === 'call' ? "window.call = await window.phone.call('per@beta.test');" : ''}`;
const page = (script) => `<!doctype html><meta charset=utf-8><title>Example</title><link rel=icon href="data:,">
	${BUTTONS.map((b) => `<button id=${b}Button>${b}</button>`).join('\n')}
	<audio id=farSound autoplay></audio><video id=farVideo autoplay muted playsinline></video><p id=message></p><p id=who></p><script type=module src="${script}"></script>`;
const script = (i, first) => `${first ? `import '${first}';\n` : ''}${found[i]}\n${EXAMPLES[i].after ?? ''}
	window.got = ${EXAMPLES[i].wants};`;

/** Two seconds of a tone: 8000 samples a second, 8 bits, RIFF. */
function wav() {
	const n = 16000, head = Buffer.alloc(44);
	head.write('RIFF');
	head.writeUInt32LE(36 + n, 4);
	head.write('WAVEfmt ', 8);
	[[16, 16, 4], [20, 1, 2], [22, 1, 2], [24, 8000, 4], [28, 8000, 4], [32, 1, 2], [34, 8, 2]].forEach(([at, v, size]) => head.writeUIntLE(v, at, size));
	head.write('data', 36);
	head.writeUInt32LE(n, 40);
	return Buffer.concat([head, Buffer.from(Array.from({ length: n }, (_, i) => 128 + Math.round(60 * Math.sin(i / 3))))]);
}

before(async () => {
	set = await twoSites({
		users: { alpha: ['alice'], beta: ['per', 'pia'] },
		tune: (o, name) => {
			if (name === 'alpha')
				o.root = '/run/example-root';
		},
		start: false,
	});
	cpSync(join(TOP, 'webrtc'), '/run/example-root', { recursive: true });
	const folder = '/run/example-root/phone/examples';
	mkdirSync(folder);
	writeFileSync(join(folder, 'ring.wav'), wav());
	EXAMPLES.forEach(({ name, needs }, i) => {
		writeFileSync(join(folder, `${name}-stage.js`), stage(needs));
		writeFileSync(join(folder, `${name}.js`), script(i, `./${name}-stage.js`));
		writeFileSync(join(folder, `${name}.html`), page(`${name}.js`));
	});
	for (const [daemon, user] of [[set.alpha, 'alice'], [set.beta, 'per']]) {
		await daemon.start();
		await daemon.addUser(user);
	}
	await set.beta.addUser('pia');
	const address = await set.world.address(61);
	set.dns.site('shop.test', address);
	await set.dns.serve();
	const pair = set.ca.valid('shop.test');
	server = createServer({ cert: readFileSync(pair.cert), key: readFileSync(pair.key) }, (request, response) => {
		const js = request.url === '/example.js';
		response.setHeader('Content-Type', js ? 'text/javascript' : 'text/html; charset=utf-8');
		response.end(js ? script(EXAMPLES.findIndex((e) => e.name === 'elsewhere')) : page('/example.js'));
	});
	await new Promise((resolve) => server.listen(8443, address, resolve));
	for (const [kind, n] of [['chromium', 101], ['firefox', 102], ['far', 111]]) {
		const host = await set.world.host(`browser-${kind}`, n);
		kinds[kind] = await Browser.start(set.world, host, kind === 'far' ? 'chromium' : kind,
			{ ca: set.ca.root, pairs: [...set.alpha.sites, ...set.beta.sites].map((s) => s.pair).concat(pair) });
	}
	per = await phone(kinds.far, set.beta, 'per');
	pia = await phone(kinds.far, set.beta, 'pia');
});
after(async () => {
	server?.closeAllConnections();
	server?.close();
	await set?.world.close();
});
afterEach(async () => {
	await per.evaluate(() => window.sluss.phone.calls.forEach((c) => c.hangup()));
	await per.home();
	await set.alpha.idle();
	await set.beta.idle();
});

test('examples: the page has these and no others', () => {
	assert.equal(found.length, EXAMPLES.length);
	EXAMPLES.forEach(({ name, has }, i) => assert.ok(found[i].includes(has), `${name}: ${found[i]}`));
});

for (const kind of ['chromium', 'firefox']) {
	describe(kind, () => {
		let one;

		const show = async (name) => {
			await one.goto(`${set.alpha.url}examples/${name}.html`);
			if (name !== 'calling')
				await one.wait(() => window.got);
		};
		const state = (wanted) => one.wait((s) => window.phone.calls[0]?.state === s, wanted);
		before(async () => {
			one = await Phone.open(kinds[kind], { url: `${set.alpha.url}examples/connect.html` });
		});
		after(async () => {
			await one.close();
		});
		afterEach(async () => assert.deepEqual((await one.complaints()).filter((c) => !/status of 401/.test(c)), []));

		test(`examples, ${kind}: connecting: nobody is signed in, so name and password are asked for`, async () => {
			await one.wait(() => window.got);
			assert.deepEqual(await one.evaluate(() => [window.got.phone.state, window.got.phone.user]), ['online', 'alice@alpha.test']);
		});

		test(`examples, ${kind}: a call in three lines`, async () => {
			await show('first');
			await per.accept();
			await one.wait(() => window.got.call.state === 'connected');
			assert.ok((await one.hear()).rms > 0.001);
			await per.push('hangup');
			await one.wait(() => window.got.call.cause);
		});

		test(`examples, ${kind}: calling with a camera; given up; no microphone`, async () => {
			await show('calling');
			await per.push('accept-video');
			await one.wait(() => document.querySelector('#farVideo').videoWidth > 0);
			await per.push('hangup');
			await per.home();
			await show('calling');
			await per.visible('accept');
			await one.evaluate(() => window.phone.calls[0].hangup());
			await per.hidden('accept');
			await one.goto(`${set.alpha.url}examples/calling.html?slow`);
			await one.wait(() => window.asked);
			await one.click('#cancelButton');
			await one.wait(() => /given up/.test(document.querySelector('#message').textContent));
			await one.goto(`${set.alpha.url}examples/calling.html?none`);
			await one.wait(() => /^No microphone was found\./.test(document.querySelector('#message').textContent));
		});

		test(`examples, ${kind}: contacts, which another tab sees too`, async () => {
			await show('contacts');
			assert.deepEqual(await one.evaluate(() => window.shown), ['Per Persson, per@beta.test']);
			const other = await one.tab(set.alpha);
			await other.evaluate(() => window.sluss.phone.contacts.put({ address: 'pia@beta.test' }));
			await one.wait(() => window.shown.at(-1) === '2 contacts');
			await other.closeTab();
			await one.evaluate(() => window.phone.contacts.forget());
		});

		test(`examples, ${kind}: being called: shown, taken; declined; busy`, async () => {
			for (const [button, words] of [['accept', null], ['decline', /declined/i], ['busy', /busy/i]]) {
				await show('called');
				await per.dial('alice@alpha.test');
				await one.wait(() => window.shown.length === 1);
				assert.deepEqual(await one.evaluate(() => window.shown), ['per@beta.test, proved by beta.test']);
				await one.click(`#${button}Button`);
				if (words) {
					await per.ended(words);
				} else {
					await state('connected');
					assert.ok((await one.hear()).rms > 0.001);
					await per.push('hangup');
				}
				await one.wait(() => window.shown.at(-1) === null);
				await per.home();
			}
		});

		test(`examples, ${kind}: a second call: the first is held, and comes back; is ended for it`, async () => {
			await show('waiting');
			await one.evaluate(() => window.phone.call('per@beta.test').then(() => true));
			await per.accept();
			await state('connected');
			await pia.dial('alice@alpha.test');
			await one.wait(() => window.phone.calls.length === 2);
			await one.click('#acceptButton');
			await pia.state('connected');
			await per.says('call-state', /put you on hold/i);
			await one.click('#continueButton');
			await per.state('connected');
			await pia.says('call-state', /put you on hold/i);
			await pia.push('hangup');
			await pia.home();
			await pia.dial('alice@alpha.test');
			await one.wait(() => window.phone.calls.length === 2);
			await one.click('#busyButton');
			await per.ended(/call ended/i);
			await pia.state('connected');
			await pia.push('hangup');
			await pia.home();
		});

		test(`examples, ${kind}: the ringtone of one's own`, async () => {
			await show('ring');
			await per.dial('alice@alpha.test');
			await one.wait(() => !window.got.tone.paused && window.got.tone.currentTime > 0.3);
			await per.push('hangup');
			await one.wait(() => window.got.tone.paused);
		});

		test(`examples, ${kind}: passed on by the other side, and to it`, async () => {
			const begin = async () => {
				await show('passing');
				await per.accept();
				await state('connected');
			};
			const pass = async () => {
				await per.push('transfer-open');
				await per.fill('[data-test="transfer-to"]', 'pia@beta.test');
				await per.press('Enter');
				await one.wait(() => window.shown.at(-1) === 'go on with pia@beta.test?');
			};
			await begin();
			await pass();
			await one.click('#declineButton');
			await per.says('call-error', /does not want/);
			await pass();
			await one.click('#acceptButton');
			await pia.accept();
			await pia.state('connected');
			await per.ended(/call ended/i);
			await pia.push('hangup');
			await Promise.all([per.home(), pia.home()]);

			await begin();
			await one.click('#continueButton');
			await per.push('asked-yes');
			await pia.accept();
			await one.wait(() => window.shown.at(-1) === null);
			await pia.push('hangup');
			await per.ended(/call ended/i);
			await pia.home();
		});

		test(`examples, ${kind}: who it is, by an identity provider or by the address alone`, async () => {
			await show('identity');
			await per.accept();
			await state('connected');
			await one.wait(() => document.querySelector('#who').textContent === 'per@beta.test');
			await one.evaluate(() => window.phone.calls[0].hangup());
			await per.ended(/call ended/i);
		});

		test(`examples, ${kind}: a call of another device goes on here`, async () => {
			await show('moving');
			const other = await one.tab(set.alpha);
			await other.dial('per@beta.test');
			await per.accept();
			await other.state('connected');
			await one.front();
			await one.wait(() => window.phone.elsewhere.length === 1);
			await one.click('#continueButton');
			await state('connected');
			await other.front();
			await other.ended(/./);
			await per.state('connected');
			await other.closeTab();
			await one.evaluate(() => window.phone.calls[0].hangup());
			await per.ended(/call ended/i);
		});

		test(`examples, ${kind}: a page of another origin, by the pop-up`, async () => {
			const shop = await Phone.open(kinds[kind], { url: SHOP });
			await shop.click('#callButton');
			const popup = await shop.popup();
			await popup.visible('login-user');
			await popup.fill('[data-test="login-user"]', 'alice');
			await popup.fill('[data-test="login-password"]', PASSWORD);
			await popup.click('[data-test="login-submit"]');
			await popup.says('connect-origin', /shop\.test/);
			await popup.wait(() => !document.querySelector('[data-test="connect-allow"]').disabled);
			await popup.click('[data-test="connect-allow"]').catch((e) => assert.match(e.message, /clos|detach|context|target/i));
			assert.match(await per.says('incoming-from', /./), /alice@alpha\.test/);
			await shop.close();
			await per.hidden('accept');
		});
	});
}
