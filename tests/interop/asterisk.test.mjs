// limit: 300 s
// A real Asterisk behind a trunk, with the files of conf/asterisk/ as they stand, and a desk phone behind it; in the clear, with
// SDES, with DTLS.
//
//   rita, sam, dora (Chromium .101, Firefox .102) ──wss──► alpha.test (.10) ══UDP, RTP══► Asterisk .71 ══► baresip .62
//        └────── ICE-lite, DTLS-SRTP ──────┘                                 ══UDP, SDES═► Asterisk .72
//                                                                            ══UDP, DTLS═► Asterisk .73
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { Asterisk, PHONE_SECRET, TRUNK_SECRET } from '../lib/asterisk.mjs';
import { Baresip, BARESIP_TONE } from '../lib/baresip.mjs';
import { phone, sitesWithBrowsers } from '../lib/phones.mjs';
import { hum, HUM_HZ } from '../lib/silence.mjs';
import { hears, near } from '../lib/tone.mjs';

const ALPHA = '198.18.0.10', MILLIWATT_HZ = 1004, EARLY_HZ = 620;
/** Each trunk is used by one user, so that the same numbers lead to each. */
const TRUNKS = [
	{ media: 'rtp', user: 'rita', octet: 71 },
	{ media: 'sdes', user: 'sam', octet: 72 },
	{ media: 'dtls', user: 'dora', octet: 73 },
];
const KINDS = ['chromium', 'firefox'];
/** What each presses. */
const KEYS = { chromium: '159#', firefox: '730#' };
/** By which trunk each hears early media. */
const EARLY = { chromium: 'dtls', firefox: 'rtp' };
const skip = Asterisk.missing() ?? false;
const systems = {};
let set, desk;

before(async () => {
	if (skip)
		return;
	set = await sitesWithBrowsers(KINDS.map((kind) => ['alpha', kind]), {
		users: { alpha: TRUNKS.map(({ user }) => user), beta: [] },
		tune: (options, name) => {
			if (name !== 'alpha')
				return;
			options.listen = [`tls:${ALPHA}:5061`, `udp:${ALPHA}:5060`];
			options.lines = TRUNKS.flatMap(({ media, user, octet }) => [`trunk "${media}" {`, `\taddress = "udp:198.18.0.${octet}:5060"`,
				'\tnumbers = {"1", "6"}', `\tusers = {"${user}@alpha.test"}`, '\tauth-user = "sluss"', `\tpassword = "${TRUNK_SECRET}"`,
				'\trealm = "asterisk"', `\tmedia = ${media}`, '\tcalls-per-user = 4', '}']);
		},
	});
	for (const { media, octet } of TRUNKS)
		systems[media] = await Asterisk.start(set.world, await set.world.host(`asterisk-${media}`, octet), { sluss: ALPHA, media });
	desk = await Baresip.desk(set.world, await set.world.host('desk', 62), { user: '100', registrar: '198.18.0.71', password: PHONE_SECRET });
});
after(async () => {
	await desk?.proc.stop(); /* it says so to Asterisk */
	for (const system of Object.values(systems))
		await system.stop();
	await set?.world.close();
});
/** It goes through the gateway, and says so. */
async function anchored(p) {
	await p.state('connected', 20_000);
	const call = await p.call();
	assert.deepEqual([call.media, call.encryption], ['anchor', 'to-gateway']);
	assert.equal((await p.path()).remote.address, ALPHA, 'its media go to the gateway alone');
}

const hangUp = async (p) => {
	await p.push('hangup');
	await p.ended(/call ended/i);
};

async function held(p) {
	await p.evaluate(() => window.sluss.phone.calls[0].hold());
	await p.says('call-state', /on hold/i);
	await new Promise((resolve) => setTimeout(resolve, 15_000)); /* the hold itself */
	await p.evaluate(() => window.sluss.phone.calls[0].resume());
	const hz = await hears(p, HUM_HZ);
	assert.ok(near(hz, HUM_HZ), `after the hold it hears ${hz} Hz`);
}

/* All at once: it is the hold that takes its time. */
describe('calls to Asterisk', { concurrency: true }, () => {
	after(() => set?.alpha.idle());
	for (const { media, user } of TRUNKS)
		for (const kind of KINDS)
			test(`${kind}, ${media}: keys are read there, Asterisk's echo brings the tone back, and again after 15 s on hold`, { skip }, async () => {
				const p = await phone(set.browsers.alpha[kind], set.alpha, user);
				const keys = KEYS[kind];
				await p.dial('602@alpha.test');
				await anchored(p);
				await p.evaluate((text) => window.sluss.phone.calls[0].sendDtmf(text), keys);
				await systems[media].says(new RegExp(`keys ${keys.slice(0, -1)}`));
				await hum(p);
				const hz = await hears(p, HUM_HZ);
				assert.ok(near(hz, HUM_HZ), `it hears ${hz} Hz`);
				const heard = await p.hear(1500);
				assert.ok(heard.packets > 50 && heard.energy > 0, JSON.stringify(heard));
				await held(p);
				await hangUp(p);
				await p.close();
			});

	for (const kind of KINDS)
		test(`${kind}, ${EARLY[kind]}: what Asterisk plays before the answer is heard, and a key is read there`, { skip }, async () => {
			const p = await phone(set.browsers.alpha[kind], set.alpha, TRUNKS.find(({ media }) => media === EARLY[kind]).user);
			await p.dial('603@alpha.test');
			await p.says('call-state', /not answered yet/i);
			const before = await hears(p, EARLY_HZ);
			assert.ok(near(before, EARLY_HZ), `before the answer it hears ${before} Hz`);
			assert.equal((await p.call()).state, 'ringing');
			await p.evaluate(() => window.sluss.phone.calls[0].sendDtmf('5'));
			await anchored(p);
			await hum(p);
			const after = await hears(p, HUM_HZ);
			assert.ok(near(after, HUM_HZ), `after the answer it hears ${after} Hz`);
			await hangUp(p);
			await p.close();
		});
});

describe('calls of Asterisk and of a desk phone behind it', () => {
	before(async () => { /* what a test before these has left behind */
		for (const { id } of skip ? [] : await set.alpha.calls())
			await set.alpha.ctl('hangup', id);
	});
	afterEach(() => set?.alpha.idle());
	for (const { media, user } of TRUNKS)
		for (const kind of KINDS)
			test(`${kind}, ${media}: Asterisk calls, and its milliwatt is heard`, { skip }, async () => {
				const p = await phone(set.browsers.alpha[kind], set.alpha, user);
				const originated = systems[media].run(`channel originate PJSIP/${user}@sluss application Milliwatt`);
				await p.accept();
				await originated;
				await anchored(p);
				const hz = await hears(p, MILLIWATT_HZ);
				assert.ok(near(hz, MILLIWATT_HZ), `it hears ${hz} Hz`);
				await hangUp(p);
				await p.close();
			});

	for (const kind of KINDS) {
		test(`${kind} and a desk phone behind Asterisk: each hears the other, whoever calls`, { skip }, async () => {
			const p = await phone(set.browsers.alpha[kind], set.alpha, 'rita');
			const sound = async () => {
				await anchored(p);
				await hum(p);
				const hz = await hears(p, BARESIP_TONE);
				assert.ok(near(hz, BARESIP_TONE), `the browser hears ${hz} Hz`);
				await p.hear(2000);
				await hangUp(p);
				await desk.event('CALL_CLOSED');
				const heard = desk.pitch(HUM_HZ);
				assert.ok(heard.part > 0.5 && heard.rms > 0.01, `the desk phone hears the tone: ${JSON.stringify(heard)}`);
			};
			await p.dial('100@alpha.test');
			await desk.event('CALL_INCOMING');
			await p.says('call-state', /ringing/i);
			await desk.run('accept');
			await desk.event('CALL_ESTABLISHED');
			await sound();
			await p.home();
			await desk.run('dial', 'sip:rita@198.18.0.71');
			await p.accept();
			await desk.event('CALL_ESTABLISHED');
			await sound();
			await p.close();
		});
	}
});
