// tests/bench/first_audio.mjs - from dialling to the first sound that comes back through Asterisk's Echo(): more rows of
// `./dev bench media`. Run by tests/bench/media, after media.mjs.
//
//   Chromium ── slussd (anchor) ── SIP with digest, RTP ──► Asterisk       ours
//   Chromium ── Asterisk's own WebRTC                                      theirs
//   Chromium ── Janus's SIP plug-in ── SIP, RTP ──► Asterisk               theirs
//
// In turns, in one page, all of them signed in before; the microphone's opening counts in each.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Asterisk, TRUNK_SECRET } from '../lib/asterisk.mjs';
import { spkiHash } from '../lib/ca.mjs';
import { PASSWORD, twoSites } from '../lib/site.mjs';
import { TOP, within } from '../lib/world.mjs';
import { inPage, Janus, JANUS_PORT, webrtcOfAsterisk, WSS_PORT } from './gateways.mjs';
import { Table } from './measure.mjs';

const ROUNDS = process.env.SLUSS_BENCH_QUICK === '1' ? 2 : 15;
const SLUSS = '198.18.0.10', ASTERISK = '198.18.0.71', JANUS = '198.18.0.72';
const why = Asterisk.missing() ?? (existsSync('/usr/bin/chromium') && existsSync(join(TOP, 'tests/node_modules/playwright-core')) ? null
	: 'no chromium or playwright-core');

if (why) {
	console.log(`dial to first audio through Asterisk is missing: ${why} (./dev test interop installs it)`);
	process.exit(0);
}

/** In the page. */
async function connect({ user, password, heardText }) {
	const { Phone } = await import('/sdk/sluss.js');
	const phone = await Phone.connect({ user, password });
	window.overSluss = async () => {
		const start = performance.now(), Native = window.RTCPeerConnection;
		let pc;
		window.RTCPeerConnection = class extends Native {
			constructor(...args) {
				super(...args);
				pc = this;
			}
		};
		const call = await phone.call('600@alpha.test', { audio: true });
		const ms = await eval(`(${heardText})`)(pc) - start;
		window.RTCPeerConnection = Native;
		call.hangup();
		return ms;
	};
}

const version = Janus.installed();
const table = new Table('media', { more: true });
const set = await twoSites({
	users: { alpha: ['rita'], beta: [] },
	tune: (options, name) => {
		if (name !== 'alpha')
			return;
		options.listen = [`tls:${SLUSS}:5061`, `udp:${SLUSS}:5060`];
		options.lines = ['trunk "asterisk" {', `\taddress = "udp:${ASTERISK}:5060"`, '\tnumbers = {"6"}', '\tusers = {"rita@alpha.test"}', '\tauth-user = "sluss"',
			`\tpassword = "${TRUNK_SECRET}"`, '\trealm = "asterisk"', '\tmedia = rtp', '\tcalls-per-user = 10', '}', 'log { level = "warn" }'];
	},
});
const { world, ca, alpha } = set;
const pairs = { asterisk: ca.valid('asterisk.test'), janus: ca.valid('janus.test') };
const host = await world.host('asterisk', 71);
const asterisk = await Asterisk.start(world, host, { sluss: SLUSS, media: 'rtp', ...webrtcOfAsterisk(host, pairs.asterisk, JANUS) });
const janus = version === null ? null : await Janus.start(world, await world.host('janus', 72), pairs.janus);

const { chromium } = await import('playwright-core');
const spki = [...alpha.sites.map((s) => s.pair), pairs.asterisk, pairs.janus].map((p) => spkiHash(p.cert)).join(',');
const browser = await chromium.launch({
	executablePath: '/usr/bin/chromium', headless: true,
	args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
		'--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--disable-features=WebRtcHideLocalIpsWithMdns',
		`--host-resolver-rules=MAP alpha.test ${SLUSS},MAP asterisk.test ${ASTERISK},MAP janus.test ${JANUS}`, `--ignore-certificate-errors-spki-list=${spki}`],
});
const page = await (await browser.newContext({ permissions: ['microphone'], bypassCSP: true })).newPage();
const { heardText } = inPage;
await page.goto(alpha.url);
await page.evaluate(connect, { user: 'rita', password: PASSWORD, heardText });
await page.evaluate(inPage.sipClient, { url: `wss://asterisk.test:${WSS_PORT}/ws`, domain: 'asterisk.test', target: 'sip:600@asterisk.test', heardText });
if (janus)
	await page.evaluate(inPage.janusClient, { url: `wss://janus.test:${JANUS_PORT}/`, user: `sip:web@${JANUS}`, target: `sip:600@${ASTERISK}`, heardText });

const ways = { overSluss: [], overSip: [], ...(janus ? { overJanus: [] } : {}) };
for (let round = -1; round < ROUNDS; round++) {
	for (const [way, list] of Object.entries(ways)) {
		const ms = await within(15_000, page.evaluate((name) => window[name](), way), `${way}, round ${round}`);
		if (round >= 0) // the first is to warm up
			list.push(ms);
	}
}
const what = 'dial -> first sound packet through Asterisk’s Echo, Chromium';
table.row(what, 'ms', ways.overSluss, { against: 'Asterisk’s own WebRTC', theirs: ways.overSip });
if (janus)
	table.row(what, 'ms', ways.overSluss, { against: `Janus ${version}, SIP plug-in`, theirs: ways.overJanus });
else
	console.log('janus is not installed: its row is missing');
const good = table.write();
await browser.close();
await alpha.idle();
await janus?.stop();
await asterisk.stop();
await world.close();
process.exit(good ? 0 : 1);
