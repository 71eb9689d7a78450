// limit: 300 s
// The echo test in real browsers: it answers at once, the caller hears (and sees) itself, from its own site and
// from another one, and the page says where the encryption ends.
//
//   alice (Chromium .101, Firefox .102) ── alpha.test .10 ◄═ media, UDP 3479      bob (Chromium .111) ── beta.test .20
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { phone, sitesWithBrowsers } from '../lib/phones.mjs';
import { hum, HUM_HZ } from '../lib/silence.mjs';
import { hears, near } from '../lib/tone.mjs';

const KINDS = ['chromium', 'firefox'];
let set;

before(async () => {
	set = await sitesWithBrowsers([['alpha', 'chromium'], ['alpha', 'firefox'], ['beta', 'chromium']]);
});
after(() => set?.world.close());

async function hearsItself(p, site) {
	await p.state('connected', 20_000);
	const heard = await p.hear();
	assert.ok(heard.packets > 50, `audio packets come back: ${JSON.stringify(heard)}`);
	assert.ok(heard.rms > 0.001, `there is sound in them: ${JSON.stringify(heard)}`);
	assert.ok(heard.energy > 0, `the receiver counts energy: ${JSON.stringify(heard)}`);
	const path = await p.path();
	assert.equal(path.remote.address, site.host.address, 'the media go to the site');
	assert.equal(path.remote.port, 3479);
	return heard;
}

/** Held and taken up again: the sound is there again, in what the page plays, too. */
async function hearsItselfAfterHold(p) {
	await hum(p);
	assert.ok(near(await hears(p, HUM_HZ), HUM_HZ));
	await p.push('hold');
	await p.says('call-state', /on hold/i);
	await p.push('hold');
	const hz = await hears(p, HUM_HZ);
	assert.ok(near(hz, HUM_HZ), `after the hold it hears ${hz} Hz`);
}

for (const kind of KINDS) {
	test(`${kind} calls echo at its own site and hears itself, and again after a hold`, async () => {
		const alice = await phone(set.browsers.alpha[kind], set.alpha, 'alice');
		await alice.push('dial-echo');
		await hearsItself(alice, set.alpha);
		const call = await alice.call();
		assert.equal(call.remote.address, 'echo@alpha.test');
		assert.match(await alice.text('call-media'), /./);
		assert.equal(call.media, 'anchor');
		assert.equal(call.encryption, 'to-gateway');
		assert.equal(call.remote.site.verified, true);
		await hearsItselfAfterHold(alice);
		await alice.push('hangup');
		await alice.ended(/call ended/i);
		assert.deepEqual(await alice.complaints(), []);
		await alice.close();
		await set.alpha.idle();
	});
}

test('a caller from another site hears itself there', async () => {
	const bob = await phone(set.browsers.beta.chromium, set.beta, 'bob');
	await bob.dial('echo@alpha.test');
	await hearsItself(bob, set.alpha);
	await bob.push('hangup');
	await bob.ended(/call ended/i);
	await bob.close();
	await set.alpha.idle();
});
