// limit: 240 s
// Candidates one by one between two browsers, as the network cards of both sites see it.
//
//   alice (Chromium .101) ──wss──► alpha.test (.10) ══TLS══► beta.test (.20) ──wss──► bob (Firefox .112)
//                                   └ capture                 └ capture: both read with the sites' TLS secrets
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { capture } from '../lib/capture.mjs';
import { keylog } from '../lib/keylog.mjs';
import { phone, sitesWithBrowsers, talk } from '../lib/phones.mjs';

const USERS = { alpha: 'alice', beta: 'bob' };
let set, keys, alice, bob;
const taps = {};

before(async () => {
	set = await sitesWithBrowsers([['alpha', 'chromium'], ['beta', 'firefox']], { start: false });
	keys = keylog(set.world);
	for (const [name, user] of Object.entries(USERS)) {
		await set[name].start({ env: keys.env });
		taps[name] = await capture(set[name].host, 'tcp'); // from the first handshake on
		await set[name].addUser(user);
	}
	alice = await phone(set.browsers.alpha.chromium, set.alpha, 'alice');
	bob = await phone(set.browsers.beta.firefox, set.beta, 'bob');
	await call(alice, bob); // from now on each site knows what the other one can do
});
after(() => set?.world.close());

/** Rings until the callee's page has candidates; then they talk, and it ends. */
async function call(from, to) {
	const seen = await to.evaluate(() => window.seen.received.length);
	await from.dial(to.user);
	await from.says('call-state', /ringing/i);
	await to.wait((n) => window.seen.received.slice(n).some(({ data }) => JSON.parse(data).type === 'candidates'), seen);
	await to.accept();
	await talk(assert, from, to);
	await from.push('hangup');
	await to.ended(/call ended/i);
	await from.ended(/call ended/i);
	for (const p of [from, to])
		await p.home();
	await set.alpha.idle();
	await set.beta.idle();
}

const inSdp = (text) => [...text.matchAll(/^a=(candidate:.*?)\r?$/gm)].map(([, line]) => line);
const told = (messages) => messages.flatMap(({ ws }) => ws.candidates.map(({ candidate }) => candidate));
const unique = (lines) => [...new Set(lines)].sort();

for (const [here, there] of [['alpha', 'beta'], ['beta', 'alpha']]) {
	test(`from ${USERS[here]} to ${USERS[there]}: the INVITE leaves before the first candidate, INFOs go both ways`, async () => {
		const [caller, callee] = here === 'alpha' ? [alice, bob] : [bob, alice];
		const start_us = Date.now() * 1000;
		await call(caller, callee);
		const [ours, theirs] = await Promise.all([here, there].map(async (name) => {
			await taps[name].mark();
			return (await keys.read(taps[name])).filter((m) => m.at_us >= start_us);
		}));
		const A = set[here].host.address, B = set[there].host.address, page = caller.browser.host.address, far = callee.browser.host.address;
		const log = ours.map((m) => `${m.at_us} ${m.src} -> ${m.dst} ${m.sip?.start ?? m.ws.type}`).join('\n');
		const at = (what, of = ours) => {
			const i = of.findIndex(what);
			assert.ok(i >= 0, `${what}\n${log}`);
			return i;
		};
		const sip = (method, src) => (m) => m.sip?.method === method && m.src === src;
		const ws = (type, src) => (m) => m.ws?.type === type && m.src === src;

		// what the caller's site saw, one after the other
		const order = [ws('call', page), sip('INVITE', A), ws('candidates', page), sip('INFO', A), (m) => m.sip?.status === 200 && m.sip.cseq.method === 'INVITE',
			sip('INFO', B), ws('candidates', A)];
		const places = order.map((what) => at(what));
		assert.deepEqual(places, [...places].sort((a, b) => a - b), log);
		const [dialled, { sip: invite }, , , { sip: answered }] = places.map((i) => ours[i]);

		// the descriptions have no candidate, and pass as the browsers wrote them
		assert.equal(dialled.ws.trickle, true);
		assert.equal(invite.text, dialled.ws.sdp);
		assert.deepEqual(inSdp(invite.text), []);
		assert.equal(invite.get('Require'), 'trickle-ice');
		assert.equal(invite.get('Recv-Info'), 'trickle-ice');
		assert.equal(answered.text, theirs[at(ws('answer', far), theirs)].ws.sdp);
		assert.deepEqual(inSdp(answered.text), []);
		const ringing = ours[at((m) => m.sip?.status === 180)].sip;
		assert.match(ringing.get('Require'), /100rel/, 'the early dialog is agreed on before anything goes in it');

		// every candidate that a browser found goes over in INFOs, and comes to the other browser once
		for (const [from, to, first, second, src] of [[page, far, ours, theirs, A], [far, page, theirs, ours, B]]) {
			const found = told(first.filter(ws('candidates', from)));
			const infos = ours.filter(sip('INFO', src)).map((m) => m.sip);
			const come = told(second.filter((m) => m.ws?.type === 'candidates' && m.dst === to));
			assert.ok(found.some((line) => line.includes(from)), `${from} found ${found}`);
			for (const info of infos) {
				assert.equal(info.get('Info-Package'), 'trickle-ice');
				assert.equal(info.get('Content-Type'), 'application/trickle-ice-sdpfrag');
			}
			assert.deepEqual(unique(inSdp(infos.at(-1).text)), unique(found));
			assert.match(infos.at(-1).text, /^a=end-of-candidates\r$/m);
			assert.deepEqual([...come].sort(), [...found].sort());
		}
		console.log(`dial -> INVITE on the wire ${((ours[places[1]].at_us - dialled.at_us) / 1000).toFixed(1)} ms, -> first candidate at the site ${
			((ours[places[2]].at_us - dialled.at_us) / 1000).toFixed(1)} ms`);
	});
}
