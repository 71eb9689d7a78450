// limit: 420 s
// A network that fails for a while, in part or in one direction (case 103): the talk goes on when it is whole again, or
// another one is there, and the phone is online again, both within 10 s. (Another one at once: network.test.mjs.)
//
//   alice (Chromium .101) ── alpha.test ══ SIP ══ beta.test ── bob (Firefox .112)
//        └── cable, IPv6, size of packets, loss, one direction ──┘
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { phone, sitesWithBrowsers } from '../lib/phones.mjs';
import { hum, listen, silences } from '../lib/silence.mjs';
import { SLOW } from '../lib/world.mjs';

const BACK_MS = 10_000;
const OUTAGE_MS = 28_000;
const OTHER = '198.18.0.161';
let set, alice, bob;

before(async () => {
	set = await sitesWithBrowsers([['alpha', 'chromium'], ['beta', 'firefox']], {
	idp: true,
		onHost: (host) => host.does(`echo 0 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6; ip -6 addr add fd00:5::${host.address.split('.').at(-1)}/64 dev eth0 nodad`),
	});
});
after(() => set?.world.close());
beforeEach(async () => {
	alice = await phone(set.browsers.alpha.chromium, set.alpha, 'alice');
	bob = await phone(set.browsers.beta.firefox, set.beta, 'bob');
});
afterEach(async () => {
	await bob.push('hangup');
	await alice.ended(/call ended/i);
	await alice.close();
	await bob.close();
	await set.alpha.idle();
	await set.beta.idle();
});

async function talks() {
	await alice.dial('bob@beta.test');
	await bob.accept();
	await alice.state('connected', 20_000);
	await bob.state('connected', 20_000);
	await Promise.all([hum(alice), hum(bob)]);
	await Promise.all([listen(alice), listen(bob)]);
}

/** Both hear the tone again, and go on hearing it; gives how long that took from now, in ms. */
const back = (p) => p.evaluate(async (most) => {
	const { watch } = window, from = performance.now();
	const since = (times) => times.filter((t) => t > from + 100);
	while (since(watch.sound).length < 20 || since(watch.packets).length < 10) {
		if (performance.now() - from > most)
			throw new Error(`nothing heard ${Math.round(most)} ms after the network is back; ${window.seen.peers.map((peer) => peer.connectionState)}`);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
	return Math.round(since(watch.sound)[0] - from);
}, BACK_MS * SLOW);

async function bothBack() {
	const [near, far] = await Promise.all([back(alice), back(bob), alice.wait(() => window.sluss.phone.state === 'online', null, BACK_MS * SLOW)]);
	console.log(JSON.stringify({ near, far }));
	for (const p of [alice, bob])
		assert.equal(await p.evaluate(() => window.sluss.phone.calls.length), 1, 'the same call, and no other');
}

test('abuse_103_one_way: what alice sends to anybody is lost for 5 s, what she gets is not', async () => {
	const drop = (on) => alice.browser.host.exec(['nft', '-f', '-'], { input: 'table inet dead\ndelete table inet dead\n'
		+ (on ? 'table inet dead { chain out { type filter hook output priority 0; oifname "eth0" drop; }; }\n' : '') })
		.then(({ code, stderr }) => assert.equal(code, 0, stderr));

	await talks();
	await drop(true);
	await new Promise((resolve) => setTimeout(resolve, 5000)); // the fault itself
	await drop(false);
	await bothBack();
	const [near, far] = await Promise.all([silences(alice), silences(bob)]);
	console.log(JSON.stringify({ near, far }));
	assert.ok(far.sound >= 4000 && far.sound <= 5000 + BACK_MS * SLOW, 'bob could not hear her, and does again');
	assert.ok(near.sound <= 5000 + BACK_MS * SLOW);
});

test('abuse_103_ipv6_lost: the path over IPv6 goes, and the one over IPv4 is taken', async () => {
	await talks();
	assert.match((await alice.path()).remote.address, /^\[?fd00:5::112\]?$/, 'the talk began over IPv6');
	await alice.browser.host.does('ip -6 addr flush dev eth0 scope global');
	await bothBack();
	const [near, far] = await Promise.all([silences(alice), silences(bob)]);
	console.log(JSON.stringify({ near, far }));
	assert.ok(near.sound <= BACK_MS * SLOW && far.sound <= BACK_MS * SLOW);
	assert.equal((await alice.path()).remote.address, '198.18.0.112');
});

test('abuse_103_mtu_and_loss: packets of 1280 bytes at most, and every tenth is lost: a call comes about and is heard', async () => {
	for (const p of [alice, bob])
		await p.browser.host.does('ip link set eth0 mtu 1280');
	await alice.browser.host.lose(10, bob.browser.host.address);
	await bob.browser.host.lose(10, alice.browser.host.address);
	await talks();
	const [near, far] = await Promise.all([silences(alice, 5000), silences(bob, 5000)]);
	assert.ok(near.packets < 1000 * SLOW && far.packets < 1000 * SLOW, JSON.stringify({ near, far }));
	for (const p of [alice, bob])
		await p.browser.host.lose(0);
});

/* The last one: the host keeps that address. */
test('abuse_103_outage: no network at all for 28 s, and then another address', async () => {
	await talks();
	await alice.browser.host.cable(false);
	await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS)); // the fault itself
	assert.equal(await alice.evaluate(() => window.sluss.phone.calls.length), 1, 'the call is kept');
	await alice.browser.host.does(`ip -4 addr flush dev eth0; ip addr add ${OTHER}/24 dev eth0; ip route replace default via 198.18.0.1`);
	await alice.browser.host.cable(true);
	await bothBack();
	const { sound } = await silences(bob);
	assert.ok(sound >= OUTAGE_MS - 1000, `there was an outage: ${sound} ms`);
	assert.equal((await bob.path()).remote.address, OTHER);
});
