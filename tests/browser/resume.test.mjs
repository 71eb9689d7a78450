// limit: 420 s
// A call outlives the WebSockets under it.
//
//   alice (Chromium .101) ── alpha.test ══ SIP ══ beta.test ── bob (Chromium .111), berta (Firefox .112)
//        └───────────────────────── sound ──────────────────────────┘
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { phone, sitesWithBrowsers, talk } from '../lib/phones.mjs';
import { until } from '../lib/world.mjs';

let set, alice, bob, berta;

before(async () => {
	set = await sitesWithBrowsers([['alpha', 'chromium'], ['beta', 'chromium'], ['beta', 'firefox']], { users: { alpha: ['alice'], beta: ['bob', 'berta', 'bruno'] }, idp: true });
	alice = await phone(set.browsers.alpha.chromium, set.alpha, 'alice');
	bob = await phone(set.browsers.beta.chromium, set.beta, 'bob');
	berta = await phone(set.browsers.beta.firefox, set.beta, 'berta');
});
after(() => set?.world.close());
afterEach(async () => {
	for (const p of [alice, bob, berta])
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

async function call(to = bob) {
	await alice.dial(to.user);
	await to.accept();
	await talk(assert, alice, to);
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

/** Counts from now on what comes in: packets and energy of the sound, every 200 ms. */
const listen = (p) => p.evaluate(() => {
	const heard = window.heard = [];
	const look = async () => {
		const stats = await window.seen.peers.at(-1).getStats();
		const sound = [...stats.values()].find((s) => s.type === 'inbound-rtp' && s.kind === 'audio');
		heard.push({ at: performance.now(), packets: sound.packetsReceived, energy: sound.totalAudioEnergy });
	};
	window.ear = setInterval(look, 200);
});

/** The sound never stopped: the longest time without a packet, and without energy (Chromium beeps once a second). */
async function neverSilent(p) {
	const gaps = await p.evaluate(() => {
		clearInterval(window.ear);
		const longest = (key) => {
			let last = window.heard[0], most = 0;
			for (const now of window.heard) {
				if (now[key] !== last[key]) // Firefox counts anew after an offer
					last = now;
				most = Math.max(most, now.at - last.at);
			}
			return most;
		};
		return { n: window.heard.length, packets: longest('packets'), energy: longest('energy') };
	});
	assert.ok(gaps.n > 20, `${p.user}: ${JSON.stringify(gaps)}`);
	assert.ok(gaps.packets < 1000, `${p.user} gets packets all the time: ${JSON.stringify(gaps)}`);
	assert.ok(gaps.energy < 3000, `${p.user} hears something all the time: ${JSON.stringify(gaps)}`);
}

const stateLine = (p) => p.text('call-state');

for (const there of ['Chromium', 'Firefox']) {
	for (const name of ['alpha', 'beta']) {
		const whose = name === 'alpha' ? "the caller's" : "the callee's";
		test(`kill -9 of ${whose} site in mid-call, Chromium with ${there}: they talk on, both are told, and the call is joined again`, () =>
			killed(name, there === 'Firefox' ? berta : bob));
	}
}

async function killed(name, other) {
	const site = set[name], [near, far] = name === 'alpha' ? [alice, other] : [other, alice]; // near: whose site it is
	await call(other);
	const before = [await peers(alice), await peers(other)];
	for (const p of [alice, other]) {
		await watch(p);
		await listen(p);
	}
	site.proc.clean = false; // on purpose
	await site.stop('SIGKILL');
	for (const p of [alice, other]) {
		await p.wait((domain) => window.sluss.phone.calls[0].away === domain, `${name}.test`);
		assert.match(await stateLine(p), new RegExp(`${name}\\.test\\S? is away`));
	}
	await site.start();
	const back = performance.now();
	await backOnline(near);
	assert.ok(performance.now() - back < 10_000, 'online within 10 s');
	for (const p of [alice, other])
		await p.wait(() => window.sluss.phone.calls[0].away === null && window.sluss.phone.calls[0].signalling === 'ok');
	await talk(assert, alice, other);
	for (const p of [alice, other])
		await neverSilent(p);
	assert.deepEqual([await peers(alice), await peers(other)], before, 'no new RTCPeerConnection');
	// and the call is whole: changes from both ends, and its end
	await until(10_000, async () => (await set.alpha.calls()).length === 1 && (await set.beta.calls()).length === 1, 'the old dialogs are gone');
	for (const [one, two] of [[alice, other], [other, alice]]) {
		await one.evaluate(() => window.sluss.phone.calls[0].hold());
		await two.wait(() => window.sluss.phone.calls[0].held.remote);
		await one.evaluate(() => window.sluss.phone.calls[0].resume());
		await two.wait(() => !window.sluss.phone.calls[0].held.remote);
		await one.evaluate(() => window.sluss.phone.calls[0].mute());
		await two.wait(() => window.sluss.phone.calls[0].remoteMuted?.audio);
		await one.evaluate(() => window.sluss.phone.calls[0].unmute());
		await two.wait(() => !window.sluss.phone.calls[0].remoteMuted?.audio);
	}
	await far.push('hangup');
	await near.ended(/call ended/i);
}

test('a page that is closed says goodbye: its device is gone at once', async () => {
	const second = await phone(set.browsers.beta.chromium, set.beta, 'bruno');
	const devices = async () => (await set.beta.ctl('devices')).json.filter((d) => d.user === 'bruno@beta.test').map((d) => d.state);
	assert.deepEqual(await devices(), ['online']);
	await second.close();
	await until(5000, async () => (await devices()).length === 0, 'the device is gone');
});
