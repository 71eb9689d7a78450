// limit: 420 s
// Calls in which a browser's address is not shown: media go through the site of whoever hides, unread. Sound both ways,
// each browser sees the other browser's certificate, and neither the other one's address.
//
//   alice (Chromium .101, Firefox .102) ◄─ice─► alpha.test .10 ◄─ice─► beta.test .20 ◄─ice─► bob (.111, .112)
//                                       └──────────── DTLS and SRTP, end to end ──────────┘
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { capture } from '../lib/capture.mjs';
import { keylog } from '../lib/keylog.mjs';
import { datagrams, phone, sitesWithBrowsers, talk } from '../lib/phones.mjs';
import { hum, listen, silences } from '../lib/silence.mjs';
import { SLOW } from '../lib/world.mjs';

const KINDS = ['chromium', 'firefox'];
const open = {}, hidden = []; // hidden: {from_us, to_us} of calls in which bob's address is
let set, secrets, atAlpha;

before(async () => {
	set = await sitesWithBrowsers(KINDS.flatMap((kind) => [['alpha', kind], ['beta', kind]]), { start: false });
	secrets = keylog(set.world);
	for (const [name, users] of [['alpha', ['alice', 'anna']], ['beta', ['bob', 'berta']]]) {
		await set[name].start({ env: secrets.env });
		if (name === 'alpha')
			atAlpha = await capture(set.alpha.host); // from the first handshake on
		for (const user of users)
			await set[name].addUser(user);
	}
	await set.browsers.beta.chromium.host.second(161);
});
after(() => set?.world.close());
afterEach(async () => {
	for (const p of Object.values(open)) {
		await p.evaluate(() => window.sluss.phone.calls.forEach((call) => call.hangup()));
		await p.home();
	}
	await set.alpha.idle();
	await set.beta.idle();
});

/** Somebody's phone; `relay`: their own rule. */
async function person(site, kind, user, relay) {
	const p = open[`${user}-${kind}`] ??= await phone(set.browsers[site][kind], set[site], user);

	await p.evaluate((rule) => window.sluss.phone.account.setRules({ relay: rule }), relay);
	return p;
}

/** The keys of the call that is on: what this browser signs with, and whom it is connected to. */
const keys = (p) => p.evaluate(async () => {
	const peer = window.seen.peers.filter((one) => one.connectionState === 'connected').at(-1);
	const said = (d) => [...new Set([...d.sdp.matchAll(/^a=fingerprint:sha-256 (\S+)/gmi)].map(([, v]) => v.toUpperCase()))];
	const stats = new Map((await peer.getStats()).entries());
	const transport = [...stats.values()].find((s) => s.type === 'transport' && s.remoteCertificateId);

	return {
		own: said(peer.localDescription), theirs: said(peer.remoteDescription),
		seen: transport ? stats.get(transport.remoteCertificateId)?.fingerprint?.toUpperCase() : null,
		candidates: [...stats.values()].filter((s) => s.type === 'remote-candidate').map((s) => s.address ?? s.ip),
		sdp: peer.remoteDescription.sdp, state: peer.sctp?.transport?.state ?? peer.getSenders()[0].transport.state,
	};
});

/** Each is encrypted to the other browser, and knows no address of it. */
async function sealed(one, other) {
	const [a, b] = await Promise.all([keys(one), keys(other)]);

	for (const [mine, far, who] of [[a, b, other], [b, a, one]]) {
		assert.deepEqual(mine.theirs, far.own, 'the description names the other browser\'s certificate');
		assert.equal(mine.state, 'connected');
		if (mine.seen)
			assert.equal(mine.seen, far.own[0], 'and that is who is there');
		mine.shows = mine.candidates.includes(who.browser.host.address) || mine.sdp.includes(who.browser.host.address);
	}
	return [a, b];
}

for (const [here, there] of [['chromium', 'firefox'], ['firefox', 'chromium']]) {
	for (const [who, rules, media, via] of [
		['the callee', ['never', 'always'], ['direct', 'relay'], ['.20', '.20']],
		['the caller', ['always', 'never'], ['relay', 'direct'], ['.10', '.10']],
		['both', ['always', 'always'], ['relay', 'relay'], ['.10', '.20']],
	]) {
		test(`${who} hides: ${here} at alpha calls ${there} at beta`, async () => {
			const alice = await person('alpha', here, 'alice', rules[0]), bob = await person('beta', there, 'bob', rules[1]);
			const tap = await capture(alice.browser.host), from_us = Date.now() * 1000;

			await alice.dial('bob@beta.test');
			await bob.accept();
			await talk(assert, alice, bob, { media, via: via.map((v) => `198.18.0${v}`) });
			const [a, b] = await sealed(alice, bob);
			assert.ok((here === 'chromium' ? a : b).seen, 'a Chromium says whom it sees; Firefox\'s statistics have no certificates');
			assert.equal(a.shows, false, 'alice knows no address of bob');
			assert.equal(b.shows, false, 'bob knows no address of alice');
			assert.match(await (media[0] === 'relay' ? alice : bob).text('call-media'), /address/i);
			await alice.push('hangup');
			await bob.ended(/call ended/i);
			if (who !== 'the caller')
				hidden.push({ from_us, to_us: Date.now() * 1000, address: bob.browser.host.address, media: who === 'both' });
			const packets = datagrams(await tap.stop());
			assert.ok(packets.length > 100, 'the capture saw the media');
			assert.deepEqual(packets.filter((p) => [p.src, p.dst].includes(bob.browser.host.address)
				|| p.data.includes(bob.browser.host.address)).length, 0, 'no packet at alice\'s browser has to do with bob\'s address');
		});
	}
}

/** An address as text, as the four bytes of a packet, and as STUN hides it from routers (RFC 8489 §14.2). */
function forms(address) {
	const bytes = Buffer.from(address.split('.').map(Number)), cookie = [0x21, 0x12, 0xa4, 0x42];
	return { text: address, bytes, xored: Buffer.from(bytes.map((b, i) => b ^ cookie[i])) };
}

test('what has reached the other site in these calls holds no address of the callee’s: no packet, no message', async () => {
	const packets = datagrams(await atAlpha.packets()), messages = await secrets.read(atAlpha);
	assert.equal(hidden.length, 4);
	for (const { from_us, to_us, address, media } of hidden) {
		const { text, bytes, xored } = forms(address), within = ({ at_us }) => at_us >= from_us && at_us <= to_us;
		const udp = packets.filter(within), said = messages.filter(within);
		assert.equal(udp.some((p) => p.src === '198.18.0.20'), media, 'media of beta come here where alice is hidden, too');
		assert.ok(said.some((m) => m.src === '198.18.0.20' && /^v=0/.test(m.sip?.text)), 'and its descriptions in any case');
		for (const p of udp)
			assert.ok(p.src !== address && p.dst !== address && !p.data.includes(text)
				&& !(p.data.length >= 20 && p.data[0] < 4 && (p.data.includes(bytes) || p.data.includes(xored))), `${p.src} > ${p.dst}`);
		for (const { sip, ws } of said)
			assert.ok(!(sip ? sip.start + sip.text + JSON.stringify(sip.headers) : JSON.stringify(ws)).includes(text), sip?.start ?? ws.type);
	}
});

test('inside one site', async () => {
	const alice = await person('alpha', 'chromium', 'alice', 'never'), anna = await person('alpha', 'firefox', 'anna', 'always');

	await alice.dial('anna@alpha.test');
	await anna.accept();
	await talk(assert, alice, anna, { media: ['relay', 'relay'], via: ['198.18.0.10', '198.18.0.10'] });
	const [a, b] = await sealed(alice, anna);
	assert.ok(!a.shows && !b.shows);
});

test('strangers: the first call is relayed, the next one of whom was answered is not', async () => {
	const alice = await person('alpha', 'firefox', 'anna', 'strangers'), bob = await person('beta', 'chromium', 'berta', 'strangers');

	for (const media of [['direct', 'relay'], ['direct', 'direct']]) {
		await alice.dial('berta@beta.test');
		await bob.accept();
		await talk(assert, alice, bob, media[1] === 'relay' ? { media, via: ['198.18.0.20', '198.18.0.20'] } : { media });
		await alice.push('hangup');
		await bob.ended(/call ended/i);
		await alice.home();
		await bob.home();
	}
	/* whom she has answered she knows, too */
	await bob.dial('anna@alpha.test');
	await alice.accept();
	await talk(assert, bob, alice);
});

test('the network under a browser goes, and another is there: the call goes on, hidden as before', async () => {
	const alice = await person('alpha', 'firefox', 'alice', 'always'), bob = await person('beta', 'chromium', 'bob', 'always');

	await alice.dial('bob@beta.test');
	await bob.accept();
	await talk(assert, alice, bob, { media: ['relay', 'relay'], via: ['198.18.0.10', '198.18.0.20'] });
	await Promise.all([hum(alice), hum(bob)]);
	await Promise.all([listen(alice), listen(bob)]);
	await bob.browser.host.does('ip addr flush dev eth0; ip link set eth0 down');
	const heard = await Promise.all([silences(alice), silences(bob)]);
	console.log(JSON.stringify(heard));
	for (const [i, p] of [alice, bob].entries()) {
		assert.ok(heard[i].packets > 0 && heard[i].sound <= 3000 * SLOW, `${p.user}: ${JSON.stringify(heard[i])}`);
		assert.equal((await p.call()).media, 'relay');
		assert.equal((await p.path()).remote.address, ['198.18.0.10', '198.18.0.20'][i]);
	}
	const [a] = await sealed(alice, bob);
	assert.ok(!a.shows && !a.candidates.includes('198.18.0.161') && !a.sdp.includes('198.18.0.161'), 'nor is the new address shown');
	await bob.wait(() => window.sluss.phone.state === 'online');
	await bob.push('hangup');
	await alice.ended(/call ended/i);
	await bob.ended(/call ended/i);
});
