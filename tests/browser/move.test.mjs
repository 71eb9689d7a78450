// limit: 300 s
// A call goes on from another device of the same user, with one click, and is heard all the time.
//
//   alice's desk (Chromium .101) ─┐
//                                 ├─ alpha.test ══ SIP ══ beta.test ── bob (Firefox .112)
//   alice's hand (Firefox .102)  ─┘
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { phone, sitesWithBrowsers, talk } from '../lib/phones.mjs';
import { SLOW } from '../lib/world.mjs';

/** The longest time without a packet of sound at the end that stays. */
const GAP_MS = 1000;

let set, desk, hand, bob;

before(async () => {
	set = await sitesWithBrowsers([['alpha', 'chromium'], ['alpha', 'firefox'], ['beta', 'firefox']], { idp: true });
	desk = await phone(set.browsers.alpha.chromium, set.alpha, 'alice');
	hand = await phone(set.browsers.alpha.firefox, set.alpha, 'alice');
	bob = await phone(set.browsers.beta.firefox, set.beta, 'bob');
});
after(() => set?.world.close());
afterEach(async () => {
	for (const p of [desk, hand, bob]) {
		await p.evaluate(() => window.sluss.phone.calls.forEach((call) => call.hangup())); // of a test that has failed
		await p.home();
	}
	for (const p of [desk, hand, bob])
		assert.deepEqual(await p.complaints(), []);
	await set.alpha.idle();
	await set.beta.idle();
});

/** From now on this end's call, and the longest silence in it, are kept. */
const keep = (p) => p.evaluate(() => {
	const [call] = window.sluss.phone.calls;
	const kept = { call, streams: call.streams, connectedAt: call.connectedAt, gap: 0, moved: 0, rang: 0 };

	call.addEventListener('moved', () => kept.moved++);
	window.sluss.phone.addEventListener('incoming', () => kept.rang++);
	let packets = -1, since = performance.now();
	kept.watch = setInterval(async () => {
		let now = 0;
		for (const peer of window.seen.peers.filter((one) => one.signalingState !== 'closed')) {
			for (const s of (await peer.getStats()).values())
				now += s.type === 'inbound-rtp' && s.kind === 'audio' ? s.packetsReceived : 0;
		}
		if (now !== packets) {
			packets = now;
			since = performance.now();
		}
		kept.gap = Math.max(kept.gap, performance.now() - since);
	}, 40);
	window.kept = kept;
});

/** What became of it, at an end that stayed. */
async function stayed(p) {
	const found = await p.evaluate(() => {
		const { call, streams, connectedAt, gap, moved, rang, watch } = window.kept;

		clearInterval(watch);
		return { same: window.sluss.phone.calls.length === 1 && window.sluss.phone.calls[0] === call, state: call.state,
			streams: call.streams.remote === streams.remote && call.streams.local === streams.local,
			clock: call.connectedAt === connectedAt, gap, moved, rang };
	});

	assert.ok(found.gap < GAP_MS, `silent for ${found.gap} ms at most`);
	assert.deepEqual({ ...found, gap: 0 }, { same: true, state: 'connected', streams: true, clock: true, gap: 0, moved: 1, rang: 0 });
}

/** `to` takes the call of `from` with `far`, and all hear what they should. */
async function take(from, to, far) {
	await keep(far);
	await to.says('elsewhere-call', /in a call on .* · \d+:\d\d/i);
	await to.push('elsewhere-take');
	await to.state('connected', 20_000);
	await from.ended(/continued on another device/i);
	await talk(assert, to, far);
	await stayed(far);
	await to.hidden('elsewhere-call');
	await from.home();
}

test('the caller goes on on another device, and back', async () => {
	await desk.dial('bob@beta.test');
	await hand.hidden('accept');
	await bob.accept();
	await talk(assert, desk, bob);
	await take(desk, hand, bob);
	await take(hand, desk, bob);

	// It is a call like any other.
	await desk.push('mute');
	await bob.says('call-far-muted', /alice.* microphone off/i);
	await desk.push('mute');
	await bob.push('hold');
	await bob.state('held');
	await bob.push('hold');
	await talk(assert, desk, bob);
	await bob.push('hangup');
	await desk.ended(/call ended/i);
});

test('muted at the end that stays: still so afterwards, and heard again when it is undone', async () => {
	await desk.dial('bob@beta.test');
	await bob.accept();
	await talk(assert, desk, bob);
	await bob.push('mute');
	await hand.push('elsewhere-take');
	await desk.ended(/continued on another device/i);
	await hand.says('call-far-muted', /bob.* microphone off/i);
	assert.ok((await hand.hear()).rms < 0.001);
	await bob.push('mute');
	await talk(assert, hand, bob);
	await hand.push('hangup');
	await bob.ended(/call ended/i);
});

test('the callee goes on on another device', async () => {
	await bob.dial('alice@alpha.test');
	await hand.visible('accept');
	await desk.accept();
	await hand.hidden('accept');
	await talk(assert, desk, bob);
	await take(desk, hand, bob);
	await hand.push('hangup');
	await bob.ended(/call ended/i);
});

/** The page as the reload key would: its document goes, another one comes. */
async function reload(p) {
	await p.goto(await p.evaluate(() => location.href));
	await p.wait(() => window.sluss?.phone?.state === 'online');
}

for (const [who, pair] of [['caller, Chromium', () => [desk, bob]], ['callee, Firefox', () => [bob, desk]]]) {
	test(`reload in mid-call: the ${who}`, async () => {
		const [gone, there] = pair();

		await desk.dial('bob@beta.test');
		await bob.accept();
		await talk(assert, desk, bob);
		await gone.push('mute');
		await keep(there);
		await reload(gone);
		await gone.state('connected', 20_000);
		await there.says('call-far-muted', /microphone off/i);
		await gone.push('mute');
		await talk(assert, gone, there);
		const { same, moved, gap } = await there.evaluate(() => {
			clearInterval(window.kept.watch);
			return { same: window.sluss.phone.calls[0] === window.kept.call, moved: window.kept.moved, gap: window.kept.gap };
		});
		assert.deepEqual({ same, moved }, { same: true, moved: 1 });
		console.log(`reload, the ${who}: no packet for ${Math.round(gap)} ms`);
		assert.ok(gap < 4000 * SLOW, `no packet for ${gap} ms: the page had to be loaded`);
		await there.push('hangup');
		await gone.ended(/call ended/i);
	});
}

test('a tab that is closed in mid-call: the other side is told within the time for a reload', async () => {
	const second = await phone(set.browsers.beta.firefox, set.beta, 'bob');

	await desk.dial('bob@beta.test');
	await second.accept();
	await talk(assert, desk, second);
	await second.close();
	const [began, text] = [Date.now(), await desk.ended(/lost|ended/i, 20_000)];

	assert.ok(Date.now() - began < 12_000, text);
});
