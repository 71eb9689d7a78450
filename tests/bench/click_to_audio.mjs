// tests/bench/click_to_audio.mjs - from the click on "accept" to the first sound packet at both ends, through two
// sites, against two peer connections in one page of the same browser. Run by call.mjs.
//
//   page of u0@alpha.test ── slussd ══ slussd ── page of u1@beta.test: call.accept()     ours
//   one page: RTCPeerConnection ── RTCPeerConnection, the same steps with nothing between  theirs
//
// Both include the microphone's opening at the callee, and both trickle.
import { chromium } from 'playwright-core';
import { spkiHash } from '../lib/ca.mjs';
import { PASSWORD } from '../lib/site.mjs';
import { pairOfSites } from './pair.mjs';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
	'--disable-sync', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--allow-loopback-in-peer-connection',
	'--disable-features=WebRtcHideLocalIpsWithMdns', '--host-resolver-rules=MAP *.test 127.0.0.1', '--autoplay-policy=no-user-gesture-required'];

/** In the page: two peer connections; gives ms from the callee's click to packets at both ends. */
export async function bare() {
	const packets = async (pc) => [...(await pc.getStats()).values()].some((s) => s.type === 'inbound-rtp' && s.packetsReceived > 0);
	const a = new RTCPeerConnection(), b = new RTCPeerConnection();
	const early = []; // a's, until b is there
	let there = false;
	a.addEventListener('icecandidate', ({ candidate }) => candidate && (there ? b.addIceCandidate(candidate) : early.push(candidate)));
	b.addEventListener('icecandidate', ({ candidate }) => candidate && answered.then(() => a.addIceCandidate(candidate)));
	let known;
	const answered = new Promise((resolve) => { known = resolve; });
	const mic = await navigator.mediaDevices.getUserMedia({ audio: true });
	a.addTrack(mic.getAudioTracks()[0], mic);
	await a.setLocalDescription();
	const start = performance.now();
	const own = await navigator.mediaDevices.getUserMedia({ audio: true });
	b.addTrack(own.getAudioTracks()[0], own);
	await b.setRemoteDescription(a.localDescription);
	there = true;
	early.splice(0).forEach((candidate) => b.addIceCandidate(candidate));
	await b.setLocalDescription();
	await a.setRemoteDescription(b.localDescription);
	known();
	while (!(await packets(a)) || !(await packets(b)))
		await new Promise((resolve) => setTimeout(resolve, 2));
	const ms = performance.now() - start;
	a.close();
	b.close();
	for (const track of [...mic.getTracks(), ...own.getTracks()])
		track.stop();
	return ms;
}

/** In the page: signs in. */
async function connect({ user, password }) {
	const { Phone } = await import('/sdk/sluss.js');
	window.phone = await Phone.connect({ user, password });
}

/** In the page: waits until `call` has received sound; gives when, as milliseconds since 1970. */
async function heard() {
	for (;;) {
		if ((await window.call.stats())?.received?.audio?.packets > 0)
			return performance.timeOrigin + performance.now();
		await new Promise((resolve) => setTimeout(resolve, 2));
	}
}

async function ours(alice, bob) {
	const rung = bob.evaluate(() => new Promise((resolve) => {
		window.phone.addEventListener('incoming', ({ call }) => {
			window.call = call;
			resolve();
		}, { once: true });
	}));
	await alice.evaluate(async () => {
		window.call = await window.phone.call('u1@beta.test', { audio: true });
	});
	await rung;
	const there = alice.evaluate(heard);
	const [click, here] = await bob.evaluate(async (wait) => {
		const start = performance.timeOrigin + performance.now();
		await window.call.accept({ audio: true });
		return [start, await eval(`(${wait})`)()];
	}, heard.toString());
	const ms = Math.max(here, await there) - click;
	const ended = bob.evaluate(() => new Promise((resolve) => {
		const look = () => window.call.state === 'ended' && resolve();
		window.call.addEventListener('state', look);
		look();
	}));
	await alice.evaluate(() => window.call.hangup());
	await ended;
	return ms;
}

export async function clickToAudioRows(world, table, rounds) {
	const { alpha, beta } = await pairOfSites(world, { users: 2, port: 22_400 });
	const browser = await chromium.launch({
		executablePath: '/usr/bin/chromium', headless: true,
		args: [...FLAGS, `--ignore-certificate-errors-spki-list=${[alpha, beta].map((s) => spkiHash(s.sites[0].pair.cert)).join(',')}`],
	});
	try {
		const pages = [];
		for (const [site, user] of [[alpha, 'u0'], [beta, 'u1']]) {
			const page = await (await browser.newContext({ permissions: ['microphone'], bypassCSP: true })).newPage();
			await page.goto(site.url);
			await page.evaluate(connect, { user, password: PASSWORD });
			pages.push(page);
		}
		const mine = [], theirs = [];
		await ours(...pages);
		for (let i = 0; i < rounds; i++) {
			mine.push(await ours(...pages));
			theirs.push(await pages[0].evaluate(bare));
		}
		table.row('click on accept -> first sound packet at both ends, two sites', 'ms', mine, { against: 'two peer connections in one page', theirs });
		table.row('  the same', 'ms', mine, { against: 'the stated goal: 1.5 times those, and 150 ms', theirs: theirs.map((ms) => 1.5 * ms + 150), must: 1.0 });
	} finally {
		await browser.close();
	}
	await alpha.stop();
	await beta.stop();
}
