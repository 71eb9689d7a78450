// limit: 240 s
// Calls through a real TURN server: with the transport policy "relay" no other candidate leaves a browser, the
// sound goes through the TURN server alone, and the credentials are those of the sites.
//
//   alice (Chromium .101, later .151) ── alpha.test ══ SIP ══ beta.test ── bob (Firefox .112)
//        └──── TURN ────► coturn .70 ◄──── TURN ────┘
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { capture } from '../lib/capture.mjs';
import { Coturn } from '../lib/coturn.mjs';
import { datagrams, phone, sitesWithBrowsers } from '../lib/phones.mjs';
import { hum, listen, silences } from '../lib/silence.mjs';
import { SLOW } from '../lib/world.mjs';

const SECRET = 'north by northwest';
/** With a relay to be found anew on the other network. */
const SILENCE_MS = 1500;
let set, turn, alice, bob;

before(async () => {
	set = await sitesWithBrowsers([['alpha', 'chromium'], ['beta', 'firefox']], {
		tune: (options) => {
			options.lines = ['turn {', '\turis = {"turn:198.18.0.70:3478?transport=udp"}', `\tsecret = "${SECRET}"`, '}'];
		},
		idp: true,
	});
	/* A card that is there for a while: one that has just come Chromium uses 2 s later. Each answers for its own address. */
	await set.browsers.alpha.chromium.host.does('echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore');
	await set.browsers.alpha.chromium.host.second(151);
	turn = await Coturn.start(set.world, await set.world.host('turn', 70), { secret: SECRET });
	alice = await phone(set.browsers.alpha.chromium, set.alpha, 'alice');
	bob = await phone(set.browsers.beta.firefox, set.beta, 'bob');
});
after(() => set?.world.close());

/** The page's phone becomes one that has this policy. */
const relayOnly = (p) => p.evaluate(async () => {
	const { Phone } = await import('/sdk/sluss.js');
	window.sluss.phone.close();
	const own = await Phone.connect({ iceTransportPolicy: 'relay', device: 'relay only' });
	window.sluss.phone = own;
	own.addEventListener('incoming', ({ call }) => call.accept().then(() => window.play(call)));
	/* Chromium decodes only what is played. */
	window.play = (call) => Object.assign(document.getElementById('far-audio'), { srcObject: call.streams.remote }).play();
});

/** Those in descriptions, and those that trickled after them. */
const candidates = (sent) => sent.flatMap((m) => [
	...[...(m.sdp ?? '').matchAll(/^a=(candidate:.*)$/gm)].map(([, line]) => line.trim()),
	...(m.candidates ?? []).map((c) => c.candidate),
]);

test('the phone uses the servers of its site', async () => {
	for (const p of [alice, bob]) {
		const servers = await p.evaluate(async () => {
			const { iceServers } = await (await fetch('/api/v1/ice')).json();
			return iceServers;
		});
		assert.match(servers[0].username, /^\d+:[0-9a-f]{32}$/);
	}
	await alice.dial('bob@beta.test');
	await bob.accept();
	await alice.state('connected', 20_000);
	const used = await alice.evaluate(() => window.seen.peers.at(-1).getConfiguration().iceServers);
	assert.deepEqual([used[0].urls].flat(), ['turn:198.18.0.70:3478?transport=udp']);
	await alice.push('hangup');
	await bob.ended(/call ended/i);
});

test('relay only, both sides: sound both ways through the TURN server, all candidates are relayed ones', async () => {
	await relayOnly(alice);
	await relayOnly(bob);
	const taps = { alice: await capture(alice.browser.host), bob: await capture(bob.browser.host) };
	const before = [(await alice.sent()).length, (await bob.sent()).length];
	await alice.evaluate(() => window.sluss.phone.call('bob@beta.test').then((call) => {
		window.play(call);
		return true;
	}));
	await alice.state('connected', 30_000);
	await bob.state('connected', 30_000);
	for (const [i, heard] of (await Promise.all([alice.hear(), bob.hear()])).entries()) {
		assert.ok(heard.packets > 50, `${i}: ${JSON.stringify(heard)}`);
		assert.ok(heard.rms > 0.001 && heard.energy > 0, `${i}: ${JSON.stringify(heard)}`);
	}
	for (const [i, p] of [alice, bob].entries()) {
		const path = await p.path();
		assert.equal(path.local.type, 'relay');
		assert.equal(path.remote.type, 'relay');
		const lines = candidates((await p.sent()).slice(before[i]));
		assert.ok(lines.length > 0, 'there are candidates');
		for (const line of lines) {
			assert.match(line, / typ relay/);
			assert.ok(line.includes(' 198.18.0.70 '), line);
			assert.ok(!line.includes(p.browser.host.address), `its own address is in no candidate: ${line}`);
		}
	}
	for (const [name, tap] of Object.entries(taps)) {
		const own = { alice: alice.browser.host.address, bob: bob.browser.host.address }[name];
		const sent = datagrams(await tap.stop()).filter((p) => p.src === own);
		assert.ok(sent.length > 100, `${name}: ${sent.length}`);
		assert.deepEqual([...new Set(sent.map((p) => p.dst))], ['198.18.0.70'], `${name}'s browser sends to the TURN server only`);
	}

	/* Her network goes, and another is there: the call goes on over a new relay of hers. */
	await Promise.all([hum(alice), hum(bob)]);
	await Promise.all([listen(alice), listen(bob)]);
	await alice.browser.host.does('ip addr flush dev eth0; ip link set eth0 down');
	const silent = await Promise.all([silences(alice), silences(bob)]);
	console.log(JSON.stringify(silent));
	for (const [i, p] of [alice, bob].entries()) {
		assert.ok(silent[i].packets > 0 && silent[i].sound <= SILENCE_MS * SLOW, `${p.user}: ${JSON.stringify(silent[i])}`);
		const { local, remote } = await p.path();
		assert.deepEqual([local.type, remote.type], ['relay', 'relay']);
	}
	for (const line of candidates((await alice.sent()).slice(before[0])))
		assert.ok(!line.includes('198.18.0.151'), 'nor is the new address in any candidate');
	await alice.evaluate(() => window.sluss.phone.calls[0].hangup());
});
