// limit: 300 s
// A call outlives the WebSockets under it.
//
//   alice (Chromium .101) ── alpha.test ══ SIP ══ beta.test ── bob (Chromium .111)
//        └───────────────────────── sound ──────────────────────────┘
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { phone, sitesWithBrowsers, talk } from '../lib/phones.mjs';
import { until } from '../lib/world.mjs';

let set, alice, bob;

before(async () => {
	set = await sitesWithBrowsers([['alpha', 'chromium'], ['beta', 'chromium']]);
	alice = await phone(set.browsers.alpha.chromium, set.alpha, 'alice');
	bob = await phone(set.browsers.beta.chromium, set.beta, 'bob');
});
after(() => set?.world.close());
afterEach(async () => {
	for (const p of [alice, bob])
		await p.home();
	await set.alpha.idle();
	await set.beta.idle();
});

/** Ends every TCP connection between a site and a browser, by reset: nobody says goodbye. */
async function cut(site, p) {
	const done = await site.host.exec(['ss', '-K', 'dst', p.browser.host.address, 'sport', '=', '443']);
	assert.equal(done.code, 0, done.stderr);
}

/** Keeps what the phone is from now on. */
const watch = (p) => p.evaluate(() => {
	window.states = [];
	window.sluss.phone.addEventListener('state', () => window.states.push(window.sluss.phone.state));
});
const backOnline = (p) => p.wait(() => window.states.includes('reconnecting') && window.sluss.phone.state === 'online');
const resumptions = (p) => p.evaluate(() => window.seen.received.map((m) => JSON.parse(m.data)).filter((m) => m.resumed === true).length);
const peers = (p) => p.evaluate(() => window.seen.peers.length);

async function call() {
	await alice.dial('bob@beta.test');
	await bob.accept();
	await talk(assert, alice, bob);
}

test('both WebSockets are cut in mid-call: sound goes on, and hanging up ends it at both ends', async () => {
	await call();
	const before = [await peers(alice), await peers(bob)];
	for (const p of [alice, bob])
		await watch(p);
	await cut(set.alpha, alice);
	await cut(set.beta, bob);
	for (const p of [alice, bob]) {
		await backOnline(p);
		assert.equal(await resumptions(p), 1);
	}
	await talk(assert, alice, bob);
	assert.deepEqual([await peers(alice), await peers(bob)], before, 'no new RTCPeerConnection');
	assert.equal((await set.alpha.calls()).length, 1);
	await alice.push('hangup');
	await bob.ended(/call ended/i);
});

test('hung up while its site is out of reach: ended here at once, there when the connection is back', async () => {
	await call();
	await watch(alice);
	const to = alice.browser.host.address;
	const away = await set.alpha.host.exec(['sh', '-ec', `ss -K dst ${to} sport = 443; ip route add prohibit ${to}/32`]);
	assert.equal(away.code, 0, away.stderr);
	await alice.wait(() => window.states.includes('reconnecting'));
	await alice.push('hangup');
	await alice.ended(/ended/i);
	assert.equal((await set.alpha.host.exec(['ip', 'route', 'del', 'prohibit', `${to}/32`])).code, 0);
	await bob.ended(/call ended/i);
	await backOnline(alice);
});

test('another network: new paths are looked for in the same call, and the sound goes on', async () => {
	await call();
	const ufrag = () => alice.evaluate(() => /ice-ufrag:(\S+)/.exec(window.seen.peers.at(-1).currentLocalDescription.sdp)[1]);
	const first = await ufrag();
	await watch(alice);
	await alice.evaluate(() => window.sluss.phone.networkChanged());
	await backOnline(alice);
	await until(15_000, async () => (await ufrag()) !== first, 'an ICE restart');
	await talk(assert, alice, bob);
	await bob.push('hangup');
	await alice.ended(/call ended/i);
});

test('the site dies in mid-call and comes back without its memory: they talk on, it is said, hanging up works', async () => {
	await call();
	await watch(alice);
	set.alpha.proc.clean = false; // on purpose
	await set.alpha.stop('SIGKILL');
	await alice.wait(() => window.sluss.phone.state === 'reconnecting');
	await talk(assert, alice, bob);
	await set.alpha.start();
	await backOnline(alice);
	await alice.wait(() => window.sluss.phone.calls[0].signalling === 'lost');
	await talk(assert, alice, bob);
	await alice.push('hangup');
	await alice.ended(/ended/i);
	await bob.evaluate(() => window.sluss.phone.calls[0]?.hangup()); // if his own site has not found out yet
	await bob.ended(/./);
});

test('a page that is closed says goodbye: its device is gone at once', async () => {
	const second = await phone(set.browsers.beta.chromium, set.beta, 'berta');
	const devices = async () => (await set.beta.ctl('devices')).json.filter((d) => d.user === 'berta@beta.test').map((d) => d.state);
	assert.deepEqual(await devices(), ['online']);
	await second.close();
	await until(5000, async () => (await devices()).length === 0, 'the device is gone');
});
