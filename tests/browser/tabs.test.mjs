// limit: 420 s
// Several tabs of one browser are one phone: one of them rings, another when that is closed; what a person does in
// one counts for all. The browsers let a page sound only after somebody has used it, as they do for everybody.
//
//   alice, two and three tabs (Chromium .101, Firefox .102) ── alpha.test ══ SIP ══ beta.test ── bob (Chromium .111)
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { Phone } from '../lib/browser.mjs';
import { phone, sitesWithBrowsers, talk } from '../lib/phones.mjs';
import { until } from '../lib/world.mjs';

const LOUD = 0.01, SILENT = 0.0001;
let set, bob;

before(async () => {
	set = await sitesWithBrowsers([['alpha', 'chromium'], ['alpha', 'firefox'], ['beta', 'chromium']], { browser: { strict: true } });
	bob = await phone(set.browsers.beta.chromium, set.beta, 'bob');
});
after(() => set?.world.close());

/** Which of the tabs sound, by name; each is either clearly heard or silent. */
async function heard(tabs) {
	const levels = await Promise.all(Object.values(tabs).map((t) => t.sounds()));
	return Object.keys(tabs).filter((name, i) => {
		assert.ok(levels[i] > LOUD || levels[i] < SILENT, `${name}: ${levels[i]}`);
		return levels[i] > LOUD;
	});
}

const texts = (p, hook) => p.evaluate((name) => [...document.querySelectorAll(`[data-test="${name}"]`)]
	.filter((e) => e.getClientRects().length).map((e) => e.innerText.replace(/\s*\n\s*/g, ' | ').trim()), hook);

const n_missed = async (p) => (await texts(p, 'history-item')).filter((line) => /Missed/.test(line)).length;

/** Waits until this holds in a page, asked without the gesture of a user that the driver's own questions bring along. */
const says = (p, expression) => until(15_000, async () => (await p.cdp('Runtime.evaluate', { expression, returnByValue: true })).result.value, expression);

/** One more tab, which nobody has used: so the browser keeps its sound back. */
async function untouched(p) {
	const tab = new Phone(p.browser, await p.browser.ask('tab', { page: p.page, url: set.alpha.url }));
	await says(tab, `window.sluss?.phone.state === 'online' && /Click anywhere/.test(document.querySelector('#silent:not([hidden])')?.textContent)`);
	return tab;
}

for (const kind of ['chromium', 'firefox']) {
	describe(kind, () => {
		let one, two;

		async function use(tab) {
			await tab.front();
			await tab.click('#home-title');
			await tab.hidden('silent');
			return tab;
		}
		/** A tab that somebody has used. */
		const second = async () => use(await one.tab(set.alpha));
		before(async () => {
			one = await phone(set.browsers.alpha[kind], set.alpha, 'alice');
			two = await second();
		});
		after(() => one?.close());
		afterEach(async () => {
			for (const p of [one, two, bob]) {
				await p.front();
				await p.evaluate(() => window.sluss.phone.calls.forEach((c) => c.hangup()));
				assert.deepEqual(await p.complaints(), []);
				await p.home();
			}
			await set.alpha.idle();
			await set.beta.idle();
		});

		test(`${kind}: one of two tabs rings; when it is closed the other rings on; given up, all is silent`, async () => {
			const unused = kind === 'chromium' ? await untouched(one) : null;
			await bob.dial('alice@alpha.test');
			await Promise.all([one.visible('accept'), two.visible('accept')]);
			if (unused) {
				/* it cannot be heard and says so, on the page and on the card; it is seen to ring, and one click is enough */
				await says(unused, `/Click anywhere/.test(document.querySelector('[data-test="incoming"] .hint').textContent) && /bob.* is calling/.test(document.title)`);
				await unused.click('#home-title');
				await says(unused, `document.querySelector('[data-test="incoming"] .hint').hidden && document.querySelector('#silent').hidden`);
				await unused.closeTab();
				await one.front();
			}
			const [ringing, ...more] = await heard({ one, two });
			assert.ok(ringing && more.length === 0, `exactly one rings: ${[ringing, ...more]}`);
			const [closed, left] = ringing === 'one' ? [one, two] : [two, one];
			await closed.closeTab();
			await left.wait(() => window.seen.loudness() > 0.01, null, 3000);
			await bob.push('hangup');
			await left.hidden('accept');
			one = left;
			await one.wait(() => window.seen.loudness() < 0.001, null, 5000); // what was begun fades out
			assert.deepEqual(await heard({ one }), []);
			two = await second();
		});

		test(`${kind}: taken in one tab all are silent, the other says where it is, the history has it once`, async () => {
			await bob.dial('alice@alpha.test');
			await Promise.all([one.visible('accept'), two.visible('accept')]);
			await two.front();
			await two.accept();
			await one.hidden('accept');
			await one.says('notice', /in another tab/i);
			await talk(assert, two, bob);
			assert.deepEqual(await heard({ one }), []);
			await bob.push('hangup');
			await two.ended(/call ended/i);
			await two.home();
			await one.front();
			const [last, ...before] = await texts(two, 'history-item');
			assert.match(last, /bob@beta\.test \| 0:\d\d/);
			assert.ok(before.every((line) => !/another device/.test(line)), before.join());
			await one.wait((line) => document.querySelector('[data-test="history-item"]').innerText.replace(/\s*\n\s*/g, ' | ').trim() === line, last);
		});

		test(`${kind}: “not on this device” and declining in one tab hold for all; what was missed was missed once`, async () => {
			await one.evaluate(() => document.querySelector('[data-test="history-clear"]').click());
			for (const [what, words] of [['busy', /busy/i], ['decline', /declined/i]]) {
				await bob.dial('alice@alpha.test');
				await Promise.all([one.visible('accept'), two.visible('accept')]);
				await one.front();
				await one.push(what);
				await Promise.all([one.hidden('accept'), two.hidden('accept')]);
				await bob.ended(words);
				await bob.home();
			}
			await bob.dial('alice@alpha.test');
			await Promise.all([one.visible('accept'), two.visible('accept')]);
			await bob.push('hangup');
			await Promise.all([one.hidden('accept'), two.hidden('accept')]);
			const lines = await texts(one, 'history-item');
			assert.equal(lines.length, 3, lines.join('\n'));
			assert.match(lines[0], /Missed/);
		});

		test(`${kind}: while there is talk in one tab a call knocks softly; taken in the other, the first is held`, async () => {
			await bob.dial('alice@alpha.test');
			await one.front();
			await one.accept();
			await one.state('connected');
			await bob.state('connected');
			const berta = await phone(set.browsers.beta.chromium, set.beta, 'berta');
			await berta.dial('alice@alpha.test');
			await two.visible('accept');
			const [first, other] = await Promise.all([one.sounds(4500), two.sounds(4500)]);
			assert.ok(Math.max(first, other) > LOUD && Math.max(first, other) < 0.09, `softly: ${first}, ${other}`);
			assert.ok(Math.min(first, other) < SILENT, `only one: ${first}, ${other}`);
			await two.front();
			await two.accept();
			await two.state('connected');
			await one.says('call-state', /on hold/i);
			await berta.close();
			await two.ended(/cut off|ended/i, 20_000);
		});
	});
}
