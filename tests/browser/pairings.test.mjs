// limit: 420 s
// Every pairing of browsers, both ways, over two sites found by DNS: they connect, each hears the other, the media
// touch neither server, and the page says honestly what it knows.
//
//   alice (Chromium .101, Firefox .102) ── alpha.test .10 ══ SIP ══ beta.test .20 ── bob (Chromium .111, Firefox .112)
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { capture, isMedia } from '../lib/capture.mjs';
import { datagrams, phone, sitesWithBrowsers, talk } from '../lib/phones.mjs';

const KINDS = ['chromium', 'firefox'];
let set, taps;

before(async () => {
	set = await sitesWithBrowsers(KINDS.flatMap((kind) => [['alpha', kind], ['beta', kind]]));
	taps = await Promise.all([capture(set.alpha.host), capture(set.beta.host), capture(set.browsers.alpha.chromium.host)]);
});
after(() => set?.world.close());

async function pair(here, there) {
	return [await phone(set.browsers.alpha[here], set.alpha, 'alice'), await phone(set.browsers.beta[there], set.beta, 'bob')];
}

for (const here of KINDS) {
	for (const there of KINDS) {
		for (const way of ['alpha to beta', 'beta to alpha']) {
			test(`${way}: ${here} at alpha, ${there} at beta`, async () => {
				const [alice, bob] = await pair(here, there);
				const [caller, callee] = way === 'alpha to beta' ? [alice, bob] : [bob, alice];
				await caller.dial(callee.user);
				assert.match(await callee.says('incoming-from', /./), new RegExp(caller.user.split('@')[0]));
				assert.match(await callee.says('incoming-site', /proved/), new RegExp(caller.user.split('@')[1].replace('.', '\\.')));
				await caller.says('call-state', /ringing/i);
				await callee.accept();
				await talk(assert, caller, callee);
				for (const p of [caller, callee]) {
					assert.match(await p.text('call-media'), /direct/i);
					assert.match(await p.text('call-encryption'), /not yet proved/i, 'no more is claimed than is known');
				}
				await caller.push('hangup');
				await callee.ended(/call ended/i);
				await caller.ended(/call ended/i);
				for (const p of [alice, bob]) {
					assert.deepEqual(await p.complaints(), []);
					await p.close();
				}
				await set.alpha.idle();
				await set.beta.idle();
			});
		}
	}
}

test('no media packet reached either server, and no datagram at all but DNS', async () => {
	const [alpha, beta, browser] = await Promise.all(taps.map((tap) => tap.stop()));
	for (const [name, packets] of [['alpha', alpha], ['beta', beta]]) {
		assert.ok(packets.length > 100, 'the capture saw the calls');
		assert.deepEqual(packets.filter(isMedia).map((p) => `${p.src} ${p.dst}`), [], `media at ${name}`);
		assert.deepEqual(datagrams(packets).map((p) => `${p.src}:${p.sport} ${p.dst}:${p.dport}`), [], `datagrams at ${name}`);
	}
	assert.ok(browser.filter(isMedia).length > 500, 'the same filter sees the media at a browser');
});
