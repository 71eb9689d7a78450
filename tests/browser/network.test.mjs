// limit: 300 s
// A call goes on while a browser moves from one network to another; who is at its other end is verified all the time.
//
//                  ┌─ eth0 .101 (.102)
//   alice's host ──┤                    ── alpha.test ══ SIP ══ beta.test ── bob (Firefox .112, Chromium .111)
//                  └─ eth1 .151 (.152)
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { phone, sitesWithBrowsers, talk } from '../lib/phones.mjs';
import { hum, listen, silences } from '../lib/silence.mjs';
import { SLOW } from '../lib/world.mjs';

/** The call must come through, and be heard again in this time. */
const SILENCE_MS = 1000;
const WAYS = [['chromium', 'firefox', 151], ['firefox', 'chromium', 152]];
let set;

before(async () => {
	set = await sitesWithBrowsers(WAYS.flatMap(([here, there]) => [['alpha', here], ['beta', there]]), { idp: true });
	for (const [here, , n] of WAYS)
		await set.browsers.alpha[here].host.second(n);
});
after(() => set?.world.close());
afterEach(async () => {
	await set.alpha.idle();
	await set.beta.idle();
});

const restarts = (p) => p.evaluate(() => new Set(window.seen.sent.map(({ data }) => /ice-ufrag:(\S+?)\\r/.exec(data)?.[1]).filter(Boolean)).size);

for (const [here, there, n] of WAYS) {
	test(`abuse_103_address_change: the network under ${here} goes, and another is there: the call goes on over it, and both ends hear again`, async () => {
		const alice = await phone(set.browsers.alpha[here], set.alpha, 'alice');
		const bob = await phone(set.browsers.beta[there], set.beta, 'bob');
		await alice.dial('bob@beta.test');
		await bob.accept();
		await talk(assert, alice, bob);
		await Promise.all([hum(alice), hum(bob)]);
		await Promise.all([listen(alice), listen(bob)]);
		const before = await restarts(alice) + await restarts(bob);
		await alice.browser.host.does('ip addr flush dev eth0; ip link set eth0 down');
		const [near, far] = await Promise.all([silences(alice), silences(bob)]);
		console.log(`${here} -> ${there}: ${JSON.stringify({ near, far })}; restarts ${await restarts(alice) + await restarts(bob) - before}`);
		const path = await bob.path();
		assert.equal(path.remote.address, `198.18.0.${n}`, 'the path leads over the other network');
		for (const [who, { sound, packets }] of Object.entries({ near, far })) {
			assert.ok(packets > 0 && sound <= SILENCE_MS * SLOW && packets <= SILENCE_MS * SLOW, `${who} heard nothing for ${sound} ms, got nothing for ${packets} ms`);
		}
		await alice.wait(() => window.sluss.phone.state === 'online');
		await bob.push('hangup');
		await alice.ended(/call ended/i);
		await alice.close();
		await bob.close();
	});
}
