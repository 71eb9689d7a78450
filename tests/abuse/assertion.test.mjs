// tests/abuse/assertion.test.mjs - case 75: calls whose a=identity is wrong in every way, and providers that misbehave.
// limit: 300 s
//
//   gunda@gamma.test (.61, SIP over TLS) ══► slussd beta.test (.20) ◄── WSS ── bob
//                                                 └── https ──► idp.test and others (.62), this test
import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { after, afterEach, before, test } from 'node:test';
import { Provider, attach, contents, line, now } from '../lib/assertion.mjs';
import { capture } from '../lib/capture.mjs';
import * as sdp from '../lib/sdp.mjs';
import { SipSite } from '../lib/sip.mjs';
import { twoSites } from '../lib/site.mjs';

const OTHERS = ['lame.test', 'huge.test', 'slow.test', 'moved.test', 'bad.test', 'weak.test', 'private.test'];
let world, ca, dns, beta, gamma, link, idp, bob;

before(async () => {
	({ world, ca, dns, beta } = await twoSites({ users: { alpha: [], beta: ['bob'] } }));
	const sip = await world.address(61), web = await world.address(62);
	dns.site('gamma.test', sip);
	for (const domain of ['idp.test', ...OTHERS])
		dns.site(domain, web);
	dns.zone('inside.test', ['@ A 10.0.0.1', 'loop A 127.0.0.1', 'mapped AAAA ::ffff:127.0.0.1', 'link A 169.254.1.1']);
	await dns.serve();
	const san = ['idp.test', ...OTHERS.filter((d) => d !== 'bad.test')].map((d) => `DNS:${d}`);
	idp = await Provider.listen({ domain: 'idp.test', pair: ca.leaf('idp', { cn: 'idp.test', san }), address: web });
	gamma = new SipSite({ domain: 'gamma.test', pair: ca.valid('gamma.test'), ca: ca.root, address: sip, port: 5061 });
	link = await gamma.dial('198.18.0.20', 'beta.test');
	bob = await beta.client('bob');
	answering();
});
after(async () => {
	idp?.close();
	await gamma?.close();
	await world?.close();
});
afterEach(async () => {
	delete idp.answer;
	bob.check();
	await beta.idle();
});

/* bob is busy, and remembers who called. */
let rung;
async function answering() {
	for (;;) {
		const incoming = await bob.event('incoming', {}, 3_600_000).catch(() => undefined);
		if (incoming === undefined)
			return;
		rung = { identity: incoming.from.identity, at: performance.now(), call: incoming.call };
		await bob.request('reject', { call: incoming.call, reason: 'busy' });
	}
}

/** gunda calls bob. Gives {status, text, identity, ms}: 486 when it rang. */
async function call(body, through = link) {
	rung = undefined;
	const begun = performance.now();
	const out = through.call({ from: 'gunda@gamma.test', to: 'bob@beta.test', uri: 'sip:bob@beta.test', body });
	const final = await out.response(undefined, { ms: 20_000 });
	out.ack(final);
	const got = rung;
	if (got)
		await bob.event('ended', { call: got.call });
	return { status: final.status, text: `${final.phrase} ${final.get('Reason')}`, identity: got?.identity, ms: (got?.at ?? performance.now()) - begun };
}

async function expect(status, state, why, body) {
	const got = await call(body);
	assert.equal(got.status, status, `${why}: ${got.text} ${JSON.stringify(got.identity)}`);
	assert.equal(got.identity?.status, state, why);
	if (got.identity?.status !== 'verified')
		assert.equal(got.identity?.name, undefined, 'no name that nobody has verified');
	return got;
}
const wrong = (why, body) => expect(438, undefined, why, body);
const good = (why, body) => expect(486, 'verified', why, body);
const open = (why, body) => expect(486, 'unverified', why, body);

const of = (domain, description, more = {}) => idp.vouch(description, { domain, sub: `ann@${domain.replace(/:.*/, '')}`, claims: { iss: `https://${domain.replace(/:.*/, '')}` }, ...more });
const b64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

test('abuse_075_each_claim_that_is_wrong', async () => {
	const body = sdp.offer('claims');
	const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
	const vouch = (more) => idp.vouch(body, more);
	await good('as it should be', vouch({}));
	const rows = {
		'another issuer': { claims: { iss: 'https://gamma.test' } }, 'no issuer': { claims: { iss: undefined } },
		"another domain's user": { sub: 'ann@gamma.test' }, 'a user below it': { sub: 'ann@x.idp.test' }, 'two @': { sub: 'ann@gamma.test@idp.test' },
		'nobody': { claims: { sub: undefined } }, 'for somebody else': { claims: { peer: 'berta@beta.test' } },
		'expired': { claims: { iat: now() - 500, nbf: now() - 500, exp: now() - 200 } }, 'not yet': { claims: { iat: now() + 200, nbf: now() + 200, exp: now() + 500 } },
		'for a day': { claims: { exp: now() + 86_400 } }, 'time as text': { claims: { exp: String(now() + 300) } }, 'no end': { claims: { exp: undefined } },
		'without a name': { claims: { jti: undefined } }, 'without a page': { claims: { origin: undefined } },
		'another media key': { text: contents(sdp.offer('another')) }, 'no media key': { text: '{"fingerprint":[]}' }, 'contents that are none': { text: 'x' },
		'in lower case': { text: contents(body).toLowerCase() },
		'another key of that name': { key: { kid: idp.keys[0].kid, ...other } }, 'an unknown key': { header: { kid: 'nobody' } }, 'no key': { header: { kid: undefined } },
		'critical': { header: { crit: ['exp'], exp: 1 } }, 'another type': { header: { typ: 'passport' } }, 'alg none': { header: { alg: 'none' } }, 'RS256': { header: { alg: 'RS256' } },
	};
	for (const [why, more] of Object.entries(rows))
		await wrong(why, vouch(more));
	await good('for bob', vouch({ claims: { peer: 'bob@beta.test' } }));
	await good('more in contents', vouch({ text: JSON.stringify({ ...JSON.parse(contents(body)), more: [1] }) }));
});

test('abuse_075_tokens_and_attributes_that_are_none', async () => {
	const body = sdp.offer('tokens');
	const token = idp.token(contents(body));
	const [h, p, s] = token.split('.');
	const key = JSON.stringify(idp.keys[0].publicKey.export({ format: 'jwk' }));
	const hs = `${b64({ alg: 'HS256', kid: idp.keys[0].kid, typ: 'webrtc-id+jwt' })}.${p}`;
	const put = (assertion, domain = 'idp.test', protocol = 'sluss') => attach(body, line(domain, assertion, protocol));
	const rows = {
		'unsigned': put(`${h}.${p}.`), 'cut': put(token.slice(0, -5)), 'cut in the middle': put(`${h}.${p.slice(0, 40)}.${s}`), 'four parts': put(`${token}.${s}`),
		'HS256 by the public key': put(`${hs}.${createHmac('sha256', key).update(hs).digest('base64url')}`), 'DER': put(`${h}.${p}.${Buffer.alloc(70, 0x30).toString('base64url')}`),
		'zeroes': put(`${h}.${p}.${Buffer.alloc(64).toString('base64url')}`), 'no token': put('hello'), 'too long': put(`${h}.${b64('x'.repeat(5000))}.${s}`),
		'no base64': attach(body, '%%%'), 'base64url': attach(body, line('idp.test', `${token}>>>???`).replace('+', '-').replace('/', '_')), 'no JSON': attach(body, Buffer.from('{').toString('base64')),
		'empty': attach(body, ''), 'no provider': attach(body, Buffer.from(JSON.stringify({ assertion: token })).toString('base64')),
		'an address': put(token, '127.0.0.1'), 'with a user': put(token, 'idp.test@gamma.test'), 'with a path': put(token, 'idp.test/x'), 'a protocol with a path': put(token, 'idp.test', '../x'),
	};
	for (const [why, offer] of Object.entries(rows))
		await wrong(why, offer);
	await good('the first one counts', attach(put(token), 'nonsense').replace(/(a=identity:nonsense\r\n)?(a=identity:[^\r]+\r\n)(a=identity:nonsense\r\n)?/, '$2a=identity:nonsense\r\n'));
	await expect(486, 'none', 'in the media part it is none', body.replace('a=mid:0', `a=mid:0\r\na=identity:${line('idp.test', token)}`));
	await open('of a kind of its own', put('hello', 'idp.test', 'other'));
});

test('abuse_075_providers_that_misbehave', async () => {
	const tap = await capture(beta.host);
	const secret = '/after';
	const answers = {
		'lame.test': (response) => response.writeHead(500).end(), 'huge.test': (response) => response.writeHead(200).end(Buffer.alloc(200_000, ' ')),
		'moved.test': (response) => response.writeHead(302, { Location: `https://idp.test${secret}` }).end(),
		'weak.test': (response) => response.writeHead(200).end(JSON.stringify({ keys: [{ ...generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' }), kid: 'a' }] })),
		'private.test': (response) => response.writeHead(200).end(JSON.stringify({ keys: [{ ...idp.keys[0].privateKey.export({ format: 'jwk' }), kid: idp.keys[0].kid }] })),
		'slow.test': (response) => response.writeHead(200).write('{"keys":'),
	};
	idp.answer = (request, response) => answers[request.headers.host](response);
	for (const domain of OTHERS) {
		const { ms } = await open(domain, of(domain, sdp.offer(domain)));
		assert.ok(ms < 3600, `${domain}: ${ms} ms`);
		const again = await open(domain, of(domain, sdp.offer(domain)));
		assert.ok(again.ms < 1000, `${domain} is known to have none: ${again.ms} ms`);
	}
	assert.ok(!idp.asked.includes(secret), 'no redirect is followed');
	for (const domain of ['inside.test', 'loop.inside.test', 'mapped.inside.test', 'link.inside.test', 'localhost', 'nowhere.test', 'idp.test:1'])
		await open(domain, of(domain, sdp.offer('private')));
	const packets = (await tap.stop()).filter((packet) => packet.src === '198.18.0.20' && /^(127|10|169)\./.test(packet.dst));
	assert.deepEqual(packets, []);
});

test('abuse_075_unknown_keys_do_not_hammer', async () => {
	const n = idp.asked.length, begun = performance.now();
	const links = await Promise.all(Array.from({ length: 5 }, () => link.site.dial('198.18.0.20', 'beta.test')));
	let sent = 0;
	await Promise.all(links.map(async (through) => {
		while (sent++ < 200) {
			const got = await call(idp.vouch(sdp.offer('strange'), { header: { kid: `strange ${sent}` } }), through);
			assert.equal(got.status, 438, got.text);
		}
	}));
	const most = 1 + Math.ceil((performance.now() - begun) / 10_000);
	assert.ok(idp.asked.length - n <= most, `${idp.asked.length - n} fetches, ${most} at most`);
	await good('and good ones go on', idp.vouch(sdp.offer('good')));
});
