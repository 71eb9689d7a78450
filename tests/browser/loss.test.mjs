// limit: 300 s
// A call over a bad network says in plain words what is wrong, at both ends, and says so no longer when it is mended.
//
//   alice (Chromium .101) ── alpha.test ══ SIP ══ beta.test ── bob (Firefox .112)
//        └────────── sound, of which the packet filter of the receiving host drops a share ──────────┘
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { phone, sitesWithBrowsers, talk } from '../lib/phones.mjs';

const LOST = 12;
let set, alice, bob;

before(async () => {
	set = await sitesWithBrowsers([['alpha', 'chromium'], ['beta', 'firefox']]);
	alice = await phone(set.browsers.alpha.chromium, set.alpha, 'alice');
	bob = await phone(set.browsers.beta.firefox, set.beta, 'bob');
	await alice.dial('bob@beta.test');
	await bob.accept();
	await talk(assert, alice, bob);
});
after(() => set?.world.close());

/** The verdict says these words, and a share near the true one: the first report covers a time before the loss, too. */
const says = (p, before, after) => p.wait(({ from, to, lost }) => {
	const el = document.querySelector('[data-test="health-verdict"]');
	const [, n] = new RegExp(`${from}(\\d+) %${to}`).exec(el.textContent) ?? [];
	return el.checkVisibility() && n > lost / 2 && n < 2 * lost && el.textContent;
}, { from: before, to: after, lost: LOST }, 45_000);

for (const [what, one, other] of [['Chromium', () => alice, () => bob], ['Firefox', () => bob, () => alice]]) {
	test(`“your uplink loses ${LOST} %”: said to the ${what} that sends, and to the other that it hears gaps; gone when it is mended`, async () => {
		const [sender, receiver] = [one(), other()];
		await sender.says('health-verdict', /connection is good/i, 30_000);
		await receiver.says('health-verdict', /connection is good/i, 30_000);
		await receiver.browser.host.lose(LOST, sender.browser.host.address);
		try {
			await Promise.all([says(sender, 'Your uplink loses ', ': the other side hears you with gaps'),
				says(receiver, '', ' is lost on the way to you: you hear gaps')]);
			assert.ok(['fair', 'bad'].includes(await sender.evaluate(() => document.querySelector('[data-test="health"]').dataset.tone)));
		} finally {
			await receiver.browser.host.lose(0);
		}
		await sender.says('health-verdict', /connection is good/i, 40_000);
		await receiver.says('health-verdict', /connection is good/i, 40_000);
	});
}
