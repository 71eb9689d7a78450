// limit: 180 s
// What others sign: PASSporTs by secsipidx (Debian), for a domain and for telephone numbers ("shaken", RFC 8588, as a trunk
// brings them), judged end to end: fetched, trusted, compared, and shown to the callee. And by Asterisk's res_stir_shaken,
// behind a trunk, in the clear and with the media key.
//
//   gamma.test, delta.test (.61, SIP over TLS) ══► slussd beta.test (.20) ◄── WSS ── bob, +493099
//                 Asterisk .71, .72 ══ UDP ══┘                                │
//                                 sti.test (.62, HTTPS: the certificates) ◄── https ──┘
// delta.test: require = both. Numbers are believed of the authority "numbers" alone (identity { number-trust }).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { Asterisk } from '../lib/asterisk.mjs';
import { Authority } from '../lib/ca.mjs';
import { date, now, numberList, sign } from '../lib/passport.mjs';
import * as sdp from '../lib/sdp.mjs';
import { SipSite } from '../lib/sip.mjs';
import { twoSites } from '../lib/site.mjs';

const NUMBER = '4930123456', CALLED = '493099';
let world, ca, numbers, dns, beta, bob, desk, web;
const skip = Asterisk.missing() ?? false;
const links = {}, pairs = {}, files = new Map(), asked = [];

/** Shows a certificate; gives its address. */
function show(path, pair) {
	files.set(path, readFileSync(pair.cert, 'utf8'));
	return `https://sti.test${path}`;
}

before(async () => {
	({ world, ca, dns, beta } = await twoSites({
		users: { alpha: [], beta: ['bob', `+${CALLED}`] },
		tune: (options, name, authority) => {
			numbers ??= new Authority(join(authority.dir, 'numbers'), 'Numbers');
			if (name !== 'beta')
				return;
			options.listen = ['tls:198.18.0.20:5061', 'udp:198.18.0.20:5060'];
			options.sites[0].lines = ['numbers = {"+493077=bob"}'];
			options.lines = ['identity {', `\tnumber-trust = "${numbers.root}"`, '}', 'peer "delta.test" { require = both }',
				...['rtp', 'dtls'].flatMap((media, i) => [`trunk "${media}" {`, `\taddress = "udp:198.18.0.${71 + i}:5060"`, '\tkeep-alive = 0', `\tmedia = ${media}`, '}'])];
		},
	}));
	const address = await world.address(61), there = await world.address(62);
	for (const domain of ['gamma.test', 'delta.test'])
		dns.site(domain, address);
	dns.site('sti.test', there);
	await dns.serve();
	const serving = ca.leaf('web', { cn: 'sti.test', san: ['DNS:sti.test', 'DNS:gamma.test', 'DNS:delta.test'] });
	web = createServer({ cert: readFileSync(serving.cert), key: readFileSync(serving.key) }, (request, response) => {
		asked.push(request.url);
		const file = files.get(request.url);
		response.writeHead(file ? 200 : 404).end(file);
	});
	for (const host of [there, address])
		await new Promise((resolve) => (host === there ? web : createServer({ cert: readFileSync(serving.cert), key: readFileSync(serving.key) },
			web.listeners('request')[0]).unref()).listen(443, host, resolve));
	for (const domain of ['gamma.test', 'delta.test']) {
		pairs[domain] = ca.valid(domain);
		const site = new SipSite({ domain, pair: pairs[domain], ca: ca.root, address, port: 5061 });
		links[domain] = await site.dial('198.18.0.20', 'beta.test');
	}
	pairs.number = numbers.leaf('number', { cn: 'SHAKEN 1234', san: [], extra: [numberList(NUMBER)] });
	bob = await beta.client('bob');
	desk = await beta.client(`+${CALLED}`);
});
after(async () => {
	web?.close();
	for (const link of Object.values(links))
		await link.site.close();
	await world?.close();
});
afterEach(async () => {
	bob.check();
	desk.check();
	await beta.idle();
});

/** secsipidx signs these two JSON texts as they are. */
function secsipidxSigns(header, payload, key) {
	const at = (name, value) => {
		const file = join(world.dir, name);
		writeFileSync(file, JSON.stringify(value));
		return file;
	};
	const token = execFileSync('secsipidx', ['-sign', '-fheader', at('header.json', header), '-fpayload', at('payload.json', payload), '-k', key], { encoding: 'utf8' }).trim();
	return `${token};info=<${header.x5u}>;alg=ES256`;
}

/** A number's PASSporT as secsipidx makes it by itself. */
const shaken = (x5u, { key = pairs.number.key, from = NUMBER, to = CALLED, attest = 'A' } = {}) =>
	execFileSync('secsipidx', ['-sign-full', '-o', from, '-d', to, '-a', attest, '-x5u', x5u, '-k', key, '-orig-id', randomUUID()], { encoding: 'utf8' }).trim();

/** Calls `callee`, who is busy. Gives {status, site}. */
async function call(domain, callee, { from, to, identity, body }) {
	const n = callee.count('incoming');
	const out = links[domain].call({ from: `${from}@${domain}`, to: `${to}@beta.test`, uri: `sip:${to}@beta.test`, body, headers: [['Date', date()], ['Identity', identity]] });
	const rings = callee.event('incoming').then(async (incoming) => {
		await callee.request('reject', { call: incoming.call, reason: 'busy' });
		return incoming;
	}, () => undefined);
	const final = await out.response(undefined, { ms: 20_000 });
	out.ack(final);
	if (final.status !== 486) {
		await callee.settled();
		assert.equal(callee.count('incoming'), n, 'nothing rang');
		callee.waiting.clear();
		return { status: final.status, phrase: final.phrase };
	}
	const incoming = await rings;
	await callee.event('ended', { call: incoming.call });
	return { status: 486, site: incoming.from.site };
}

test('a domain by secsipidx: a name and a media key', async () => {
	const body = sdp.offer('secsipidx');
	const x5u = 'https://delta.test/delta.pem';
	files.set('/delta.pem', readFileSync(pairs['delta.test'].cert, 'utf8'));
	const dig = /a=fingerprint:sha-256 (\S+)/.exec(body)[1].replaceAll(':', '');
	const header = { alg: 'ES256', typ: 'passport', x5u };
	const payload = { dest: { uri: ['sip:bob@beta.test'] }, iat: now(), mky: [{ alg: 'sha-256', dig }], orig: { uri: 'sip:gunda@delta.test' } };
	const identity = secsipidxSigns(header, payload, pairs['delta.test'].key);
	const good = await call('delta.test', bob, { from: 'gunda', to: 'bob', identity, body });
	assert.deepEqual(good, { status: 486, site: { domain: 'delta.test', verified: true, tls: true, identity: 'verified' } });
	const other = await call('delta.test', bob, { from: 'gunda', to: 'bob', identity: secsipidxSigns(header, { ...payload, iat: now() - 1, orig: { uri: 'sip:eve@delta.test' } }, pairs['delta.test'].key), body });
	assert.equal(other.status, 438);
	const key = await call('delta.test', bob, { from: 'gunda', to: 'bob', identity: secsipidxSigns(header, { ...payload, iat: now() - 2, mky: [{ alg: 'sha-256', dig: dig.replace(/^./, (c) => (c === '0' ? '1' : '0')) }] }, pairs['delta.test'].key), body });
	assert.equal(key.status, 438, 'another media key');
});

test('"shaken" by secsipidx: the number is verified, of an authority for numbers', async () => {
	const x5u = show('/number.pem', pairs.number);
	for (const domain of ['gamma.test', 'delta.test'])
		for (const attest of ['A', 'B', 'C']) {
			const got = await call(domain, desk, { from: `+${NUMBER}`, to: `+${CALLED}`, identity: shaken(x5u, { attest }), body: sdp.offer('number') });
			assert.deepEqual(got, { status: 486, site: { domain, verified: true, tls: true, identity: 'verified' } });
		}
	assert.equal(asked.filter((path) => path === '/number.pem').length, 1, 'fetched once');
});

test('"shaken" with the media key: it is compared', async () => {
	const x5u = show('/number.pem', pairs.number);
	const body = sdp.offer('number and key');
	const signed = (changes) => sign({
		key: pairs.number.key, x5u, orig: { tn: NUMBER }, dest: { tn: [CALLED] }, sdp: body, header: { ppt: 'shaken' },
		claims: { attest: 'A', origid: randomUUID(), ...changes },
	});
	assert.equal((await call('delta.test', desk, { from: `+${NUMBER}`, to: `+${CALLED}`, identity: signed({}), body })).status, 486);
	assert.equal((await call('delta.test', desk, { from: `+${NUMBER}`, to: `+${CALLED}`, identity: signed({}), body: sdp.offer('another key') })).status, 438);
	for (const missing of ['attest', 'origid'])
		assert.equal((await call('delta.test', desk, { from: `+${NUMBER}`, to: `+${CALLED}`, identity: signed({ [missing]: '' }), body })).status, 438, missing);
});

test('a number that nobody may vouch for', async () => {
	const body = sdp.offer('not mine');
	const other = numbers.leaf('other', { cn: 'SHAKEN 5678', san: [], extra: [numberList('4930999')] });
	const domains = ca.leaf('domains', { cn: 'gamma.test', extra: [numberList(NUMBER)] });
	const none = numbers.leaf('none', { cn: 'SHAKEN', san: [] });
	const rows = [
		['a certificate for another number', shaken(show('/other.pem', other), { key: other.key }), 437],
		['of an authority of the web', shaken(show('/domains.pem', domains), { key: domains.key }), 437],
		['without a list of numbers', shaken(show('/none.pem', none), { key: none.key }), 437],
		['not there', shaken('https://sti.test/absent.pem'), 436],
		['of another number', shaken(show('/number.pem', pairs.number), { from: '4930124' }), 438],
		['for somebody else', shaken(show('/number.pem', pairs.number), { to: '493098' }), 438],
		['by another key', shaken(show('/number.pem', pairs.number), { key: other.key }), 438],
		['without its ppt', shaken(show('/number.pem', pairs.number)).replace(';ppt=shaken', ''), 438],
	];
	for (const [why, identity, status] of rows) {
		const strict = await call('delta.test', desk, { from: `+${NUMBER}`, to: `+${CALLED}`, identity, body });
		assert.equal(strict.status, status, why);
		const mild = await call('gamma.test', desk, { from: `+${NUMBER}`, to: `+${CALLED}`, identity, body });
		assert.equal(mild.status, status === 438 ? 438 : 486, why);
		if (status !== 438)
			assert.equal(mild.site.identity, 'failed', why);
	}
});

for (const [media, octet] of [['rtp', 71], ['dtls', 72]])
	test(`"shaken" by Asterisk's own module, ${media === 'dtls' ? 'with the media key' : 'in the clear'}: the number is verified`, { skip }, async () => {
		show('/number.pem', pairs.number);
		const asterisk = await Asterisk.start(world, await world.host(`asterisk-${media}`, octet), {
			sluss: '198.18.0.20', media,
			edit: (text, name) => ({
				'pjsip.conf': text.replace('\nfrom_user = asterisk\n', '\nstir_shaken_profile = signs\n'),
				'extensions.conf': `${text}\n[signed]\nexten => s,1,Set(CALLERID(num)=${NUMBER})\n same => n,Dial(PJSIP/+493077@sluss,20)\n`,
			})[name] ?? text,
			more: {
				'number.key': () => readFileSync(pairs.number.key, 'utf8'),
				'stir_shaken.conf': (etc) => `[attestation]\nglobal_disable = no\nprivate_key_file = ${etc}/number.key\npublic_cert_url = https://sti.test/number.pem\n`
					+ `attest_level = A\nsend_mky = yes\ncheck_tn_cert_public_url = no\n[signs]\ntype = profile\nendpoint_behavior = attest\n[${NUMBER}]\ntype = tn\n`,
			},
		});
		await asterisk.run('pjsip set logger on');
		const originated = asterisk.run('channel originate Local/s@signed application Wait 1');
		const incoming = await bob.event('incoming', {}, 15_000);
		await bob.request('reject', { call: incoming.call, reason: 'busy' });
		await bob.event('ended', { call: incoming.call });
		await originated;
		const [, claims] = /^Identity: [\w-]+\.([\w-]+)\./m.exec(asterisk.log());
		await asterisk.stop();
		const { mky, attest } = JSON.parse(Buffer.from(claims, 'base64url'));
		assert.deepEqual([attest, mky?.length], ['A', media === 'dtls' ? 1 : undefined]);
		assert.deepEqual([incoming.from.address, incoming.from.site.identity], [`${NUMBER}@beta.test`, 'verified']);
	});
