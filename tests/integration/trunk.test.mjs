// limit: 180 s
// Trunks as an operator has them: a provider by UDP that asks for a password, a telephone system by TCP.
//
//   alice ──wss──► alpha.test (.10) ══UDP══► provider (.61)
//                                   ══TCP══► pbx (.62)
//                                   ──https──► sti.test (.63): certificates of those who vouch for numbers
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Authority } from '../lib/ca.mjs';
import { date, numberList, sign } from '../lib/passport.mjs';
import * as sdp from '../lib/sdp.mjs';
import { SipSite } from '../lib/sip.mjs';
import { twoSites } from '../lib/site.mjs';
import { dial } from '../lib/talk.mjs';
import { until } from '../lib/world.mjs';

let world, alpha, beta, provider, pbx, secure, web, numbers, alice, anna, bob;
const files = new Map();
const ALPHA = '198.18.0.10';

/* They are there before the site that asks for them: what it says first must not be lost. */
before(async () => {
	const set = await twoSites({
		start: false,
		tune: (o, name, authority) => {
			if (name !== 'alpha')
				return;
			o.listen = [`tls:${ALPHA}:5061`, `udp:${ALPHA}:5060`, `tcp:${ALPHA}:5060`];
			o.sites[0].lines = ['country = 49', 'numbers = {"+49301234=alice"}', 'emergency = {"110=provider", "112"}'];
			numbers = new Authority(join(authority.dir, 'numbers'), 'Numbers');
			o.lines = ['identity {', `\tnumber-trust = "${numbers.root}"`, '}', 'trunk "provider" {', '\taddress = "udp:198.18.0.61:5060"', '\tfrom-domain = "provider.test"', '\tnumbers = {"+"}',
				'\tusers = {"alice@alpha.test"}', '\tauth-user = "4930"', '\tpassword = "hush hush"', '\tregister = true', '\texpires = 60',
				'\tkeep-alive = 5', '\tnumber-format = plain', '\tdeny = {"+49900"}', '}',
				'trunk "pbx" {', '\taddress = "tcp:198.18.0.62:5060"', '\tnumbers = {"2"}', '\tsites = {"alpha.test"}', '\tkeep-alive = 5', '\tdtmf = info', '}',
				'trunk "secure" {', '\taddress = "tls:secure.test"', '\tkeep-alive = 5', '\ttrust-identity = true', '}',
				'trunk "vault" {', '\taddress = "tls:secure.test"', '\tnumbers = {"5"}', '\tusers = {"alice@alpha.test"}', '\tkeep-alive = 0', '\tmedia = sdes', '}',
				'trunk "behind" {', '\taddress = "udp:198.18.0.69:5060"', '\tproxy = "udp:198.18.0.70:5060"', '\tfrom-domain = "behind.test"', '\tadvertise = "203.0.113.9"', '\tnumbers = {"4"}', '\tusers = {"alice@alpha.test"}', '\tkeep-alive = 0', '}',
				'trunk "other-rules" {', '\taddress = "udp:198.18.0.61:5060"', '\tfrom-domain = "provider.test"', '\tnumbers = {"8"}', '\tusers = {"alice@alpha.test"}', '\tkeep-alive = 0', '}'];
		},
	});
	({ world, alpha, beta } = set);
	provider = await SipSite.listenUdp({ domain: 'provider.test', address: await world.address(61) });
	pbx = await SipSite.listen({ domain: 'pbx.test', address: await world.address(62), port: 5060, plain: true });
	const address = await world.address(63);
	set.dns.site('secure.test', address);
	set.dns.site('sti.test', address);
	await set.dns.serve();
	const serving = set.ca.valid('sti.test');
	web = createServer({ cert: readFileSync(serving.cert), key: readFileSync(serving.key) }, (request, response) => response.end(files.get(request.url)));
	await new Promise((resolve) => web.listen(443, address, resolve));
	secure = await SipSite.listen({ domain: 'secure.test', address, pair: set.ca.valid('secure.test'), ca: set.ca.root });
	for (const site of [alpha, beta])
		await site.start();
	for (const user of ['alice', 'anna'])
		await alpha.addUser(user);
	await beta.addUser('bob');
	[alice, anna] = [await alpha.client('alice'), await alpha.client('anna')];
	bob = await beta.client('bob');
});
after(async () => {
	await provider?.close();
	await pbx?.close();
	await secure?.close();
	web?.close();
	await world?.close();
});

const md5 = (text) => createHash('sha256').update(text).digest('hex');
const field = (line, name) => new RegExp(`\\b${name}="?([^",]+)`).exec(line ?? '')?.[1];

/** Is it the right answer to a challenge of the provider's? RFC 7616 §3.4.1 */
function proves(message, nonce) {
	const line = message.get('Authorization');
	const a1 = md5('4930:provider.test:hush hush');
	const a2 = md5(`${message.method}:${field(line, 'uri')}`);
	return field(line, 'nonce') === nonce && field(line, 'response') === md5([a1, nonce, field(line, 'nc'), field(line, 'cnonce'), 'auth', a2].join(':'));
}

const challenge = (nonce, realm = 'provider.test') => [['WWW-Authenticate', `Digest realm="${realm}", nonce="${nonce}", algorithm=SHA-256, qop="auth"`]];
const trunk = async (name) => (await alpha.ctl('trunks')).json.find((t) => t.name === name);

/** What `client` is told when it dials `number`. */
async function refusal(client, number, domain = 'alpha.test') {
	const { id } = await dial(client, `${number}@${domain}`);
	return (await client.event('ended', { call: id })).cause;
}

test('it registers with its password, again before the end, and says so', async () => {
	const first = await provider.request('REGISTER');
	assert.equal(first.message.uri, 'sip:provider.test');
	assert.equal(first.message.get('Authorization'), undefined);
	assert.match(first.message.get('Contact'), /^<sip:[0-9a-f]+@198\.18\.0\.10:5060;transport=udp>/);
	first.reply(401, { headers: challenge('n1') });
	const second = await provider.request('REGISTER');
	assert(proves(second.message, 'n1'), 'the right answer');
	second.reply(200, { headers: [['Expires', '12']] });
	await until(5000, async () => (await trunk('provider')).registration === 'registered', 'registered');
	assert.equal((await trunk('provider')).state, 'up');
	const refresh = await provider.request('REGISTER', 9000);
	assert(proves(refresh.message, 'n1'), 'what was learnt is used again');
	refresh.reply(200, { headers: [['Expires', '600']] });
});

test('a telephone system that does not answer is down, one that answers is up', async () => {
	await until(10_000, async () => pbx.received('OPTIONS').length > 0, 'OPTIONS by TCP');
	(await pbx.request('OPTIONS')).reply(200);
	await until(5000, async () => (await trunk('pbx')).state === 'up', 'up');
	await provider.request('OPTIONS'); /* and no answer */
	const table = await alpha.host.exec([process.env.SLUSS_BUILD ? `${process.env.SLUSS_BUILD}/slussctl` : 'slussctl', '-s', alpha.socket, 'trunks']);
	assert.match(table.stdout, /TRUNK\s+STATE\s+BY\s+ADDRESS/);
	assert.match(table.stdout, /provider\s+up\s+udp\s+198\.18\.0\.61:5060\s+registered/);
	assert.doesNotMatch(table.stdout, /hush/);
});

test('by TLS its name is found by DNS, and this site shows its certificate', async () => {
	const hello = await secure.request('OPTIONS');
	assert.match(hello.link.socket.getPeerCertificate().subjectaltname, /DNS:alpha\.test/);
	assert.equal(secure.servername, 'secure.test');
	assert.match(hello.message.get('Via'), /^SIP\/2\.0\/TLS alpha\.test/);
	assert.match(hello.message.get('Contact'), /^<sip:[0-9a-f]+@alpha\.test:5061;transport=tls>/);
	hello.reply(200);
	await until(5000, async () => (await trunk('secure')).state === 'up', 'up');
	/* its call comes by the connection that this site has made */
	const call = hello.link.call({ from: '200@secure.test', to: '+4999@alpha.test' });
	const no = await call.response();
	assert.equal(no.status, 404);
	assert.match(no.get('Reason'), /given to nobody here/);
});

test('who may not call is told so', async () => {
	assert.deepEqual(await refusal(anna, '+4940567').then(({ reason, text }) => ({ reason, text })),
		{ reason: 'forbidden', text: 'You may not call telephone numbers from this site.' });
	assert.equal((await refusal(alice, '0900567')).reason, 'forbidden');
	assert.match((await refusal(alice, '112')).text, /Please take a telephone/);
	assert.equal((await refusal(alice, '31')).reason, 'not-found');
	assert.equal(provider.received('INVITE').length, 0);
});

test('abuse_082_trunk_by_federation: people of other sites call nobody by a trunk', async () => {
	for (const number of ['+4940567', '040567', '200', '110', '112'])
		assert.equal((await refusal(bob, number, 'alpha.test')).reason, 'not-found', number);
	assert.equal(provider.received('INVITE').length + pbx.received('INVITE').length, 0);
});

test('abuse_081_udp_claims: a datagram from elsewhere is nobody\'s, whatever it claims', async () => {
	const thief = await SipSite.listenUdp({ domain: 'thief.test', address: await world.address(66) });
	for (const from of ['+4940567@provider.test', 'bob@beta.test', 'alice@alpha.test']) {
		const call = thief.toUdp(ALPHA).call({ from, to: '+49301234@alpha.test', body: 'v=0\r\no=- 1 1 IN IP4 198.18.0.66\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\nc=IN IP4 198.18.0.66\r\n',
			headers: [['P-Asserted-Identity', '<sip:+4911@provider.test>']] });
		assert.equal((await call.response()).status, 403, from);
	}
	/* abuse_087: and so is a scanner */
	const scan = thief.toUdp(ALPHA).call({ from: '100@thief.test', to: '100@alpha.test', method: 'REGISTER', headers: [['User-Agent', 'friendly-scanner']] });
	assert.equal((await scan.response()).status, 405);
	assert.equal(alice.count('incoming'), 0);
	await thief.close();
});

test('abuse_084_foreign_realm: a challenge in another realm gets no answer', async () => {
	/* the registration is due again when the daemon starts anew */
	await alpha.stop();
	await alpha.start();
	alice = await alpha.client('alice');
	const first = await provider.request('REGISTER');
	first.reply(401, { headers: challenge('n9', 'evil.test') });
	await until(5000, async () => (await trunk('provider')).registration === 'refused', 'refused');
	assert.match((await trunk('provider')).last_error, /realm "evil\.test"; only "provider\.test" is answered/);
	assert.equal(provider.received('REGISTER').filter((m) => m.get('Authorization')?.includes('n9')).length, 0);
});

test('a number that is given to nobody is 404, by UDP and by TCP', async () => {
	const link = provider.toUdp(ALPHA);
	const call = link.call({ from: '+4940567@provider.test', to: '+49309999@alpha.test', body: 'v=0\r\no=- 1 1 IN IP4 198.18.0.61\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\nc=IN IP4 198.18.0.61\r\n' });
	const no = await call.response();
	assert.equal(no.status, 404);
	assert.match(no.get('Reason'), /\+49309999 is given to nobody here/);
	call.ack(no);
	const tcp = await pbx.dialPlain(ALPHA);
	const second = tcp.call({ from: '200@pbx.test', to: 'nobody-at-all!@alpha.test' });
	assert.equal((await second.response()).status, 404);
});

const PLAIN = 'v=0\r\no=- 1 1 IN IP4 198.18.0.61\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\nc=IN IP4 198.18.0.61\r\n';

/** Who calls, as alice is told; she is busy. */
async function shown(from, headers, link = provider.toUdp(ALPHA)) {
	const call = link.call({ from: `${from}@provider.test`, to: '+49301234@alpha.test', body: PLAIN, headers });
	const incoming = await alice.event('incoming');
	await alice.request('reject', { call: incoming.call, reason: 'busy' });
	call.ack(await call.response());
	return incoming.from;
}

test('a number that is signed ("shaken") by an authority for numbers is shown as verified, another one as not', async () => {
	const pair = (name, number) => {
		const made = numbers.leaf(name, { cn: `SHAKEN ${name}`, san: [], extra: number ? [numberList(number)] : [] });
		files.set(`/${name}.pem`, readFileSync(made.cert, 'utf8'));
		return made;
	};
	const pairs = { own: pair('own', '4940567'), other: pair('other', '4940568'), none: pair('none') };
	const signed = (by, { from = '4940567', to = '49301234', header = { ppt: 'shaken' }, claims = {} } = {}) => [['Date', date()], ['Identity', sign({
		key: pairs[by].key, x5u: `https://sti.test/${by}.pem`, orig: { tn: from }, dest: { tn: [to] }, header, claims: { attest: 'A', origid: randomUUID(), ...claims },
	})]];
	const rows = [['verified', signed('own')], ['verified', signed('own', { claims: { attest: 'B' } })], ['none', []], ['failed', signed('other')], ['failed', signed('none')],
		['failed', signed('own', { from: '4940568' })], ['failed', signed('own', { to: '49309999' })], ['failed', [['Identity', 'no.such.token;info=<https://sti.test/own.pem>;ppt=shaken']]]];
	for (const [status, headers] of rows) {
		const from = await shown('+4940567', headers);
		assert.equal(from.address, '+4940567@alpha.test');
		assert.equal(from.site.identity, status, String(headers));
		assert.equal(from.site.verified, false, 'the trunk proves no domain');
	}
	for (const written of ['040567', '004940567', '+49-405.67', '4940567']) // as trunks write it; the token has it in one form
		assert.equal((await shown(written, signed('own'))).site.identity, 'verified', written);
	// another number is shown than the one that is signed, or none
	const trusted = secure.links.at(-1); // the one that alpha has made
	for (const [more, address, status] of [[[], '+4940567@alpha.test', 'verified'], [[['P-Asserted-Identity', '<sip:+4940568@provider.test>']], '+4940568@alpha.test', 'none'],
		[[['P-Asserted-Identity', '<tel:+4940567>']], '+4940567@alpha.test', 'verified'], [[['Privacy', 'id']], 'anonymous@anonymous.invalid', 'none']]) {
		const from = await shown('+4940567', [...signed('own'), ...more], trusted);
		assert.deepEqual([from.address, from.site.identity], [address, status]);
	}
});

test('whose call it was is shown (RFC 5806), who withholds their number is not', async () => {
	const from = await shown('+4940567', [['Diversion', '"Office" <sip:+4930555@provider.test>;reason=no-answer']]);
	assert.equal(from.diverted, '+4930555@alpha.test');
	assert.equal((await shown('+4940567', [['Diversion', '<sip:+4930555@provider.test>;privacy=full']])).diverted, undefined);
	const hidden = await shown('+4940567', [['Privacy', 'id'], ['P-Asserted-Identity', '"Gunda" <sip:+4940567@provider.test>']]);
	assert.deepEqual([hidden.address, hidden.name], ['anonymous@anonymous.invalid', '']);
});

test('keys go in INFO to a trunk that has them so, and come from it', async () => {
	const link = await pbx.dialPlain(ALPHA);
	const body = `${PLAIN.replace(' 8\r', ' 0 101\r')}a=rtpmap:101 telephone-event/8000\r\n`;
	const call = link.call({ from: '200@pbx.test', to: '+49301234@alpha.test', body });
	const { call: id, sdp: offer } = await alice.event('incoming');
	assert.doesNotMatch(offer, /telephone-event/, 'not in the sound as well');
	await alice.request('accept', { call: id });
	await alice.request('answer', { call: id, sdp: sdp.answer('keys') });
	const ok = await call.response(200);
	call.ack(ok);
	assert.doesNotMatch(ok.text, /telephone-event/);
	await alice.event('established', { call: id });
	await alice.request('keys', { call: id, keys: '1#' });
	for (const key of ['1', '#']) {
		const info = await pbx.request('INFO');
		assert.equal(info.message.get('Content-Type'), 'application/dtmf-relay');
		assert.equal(info.message.text, `Signal=${key}\r\nDuration=160\r\n`);
		assert.equal(pbx.received('INFO').filter((m) => m.get('Call-ID') === call.callId).length, key === '1' ? 1 : 2, 'one after the other');
		info.reply(200);
	}
	const told = async (type, body) => (await call.response(undefined, { to: call.send('INFO', { type, body }) })).status;
	for (const [type, body, keys] of [['application/dtmf-relay', 'Signal=5\r\nDuration=100\r\n', '5'], ['Application/DTMF-Relay', 'Duration=100\nsignal= 11', '#'], ['application/dtmf', 'd\r\n', 'D']]) {
		assert.equal(await told(type, body), 200);
		assert.equal((await alice.event('keys', { call: id })).keys, keys);
	}
	for (const body of ['Signal=\r\n', 'Signal=x', 'Duration=5', 'Signal', '=', '\0'])
		assert.equal(await told('application/dtmf-relay', body), 400, body);
	assert.equal(await told('text/plain', '5'), 415);
	await alice.settled();
	assert.equal(alice.count('keys'), 3);
	/* a new description whose signature is nothing: a trunk is believed for its source, and no call of it ends for that */
	const held = call.send('INVITE', { body, headers: [['Identity', 'no.such.token;info=<https://sti.test/own.pem>;ppt=shaken']] });
	const taken = await call.response(undefined, { to: held });
	assert.equal(taken.status, 200, taken.start);
	call.ack(taken);
	await call.bye();
	await alice.event('ended', { call: id });
});

test('by TLS with SDES (RFC 4568): a call is made and talked in; its keys are in no line of the log', async () => {
	const { id } = await dial(alice, '5@alpha.test');
	const asked = await secure.request('INVITE');
	const [, ours] = /^a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:(\S+)/m.exec(asked.message.text);
	assert.match(asked.message.text, /^m=audio \d+ RTP\/SAVP /m);
	const theirs = Buffer.alloc(30, 'vault').toString('base64');
	asked.reply(200, { body: ['v=0', 'o=- 1 1 IN IP4 198.18.0.63', 's=-', 'c=IN IP4 198.18.0.63', 't=0 0', 'm=audio 4000 RTP/SAVP 0',
		`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${theirs}`, ''].join('\r\n') });
	await secure.request('ACK');
	const { sdp: answer } = await alice.event('answered', { call: id });
	assert.match(answer, /^m=audio \d+ UDP\/TLS\/RTP\/SAVPF 0\r/m);
	for (const text of [answer, alpha.proc.text])
		assert.ok(!text.includes(ours) && !text.includes(theirs), 'keys go to the trunk alone');
	await alice.request('hangup', { call: id });
	(await secure.request('BYE')).reply(200);
	await alice.event('ended', { call: id });
});

test('with an outbound proxy what goes to a trunk goes there', async () => {
	const proxy = await SipSite.listenUdp({ domain: 'proxy.test', address: await world.address(70) });
	const { id } = await dial(alice, '4@alpha.test');
	const asked = await proxy.request('INVITE');
	assert.match(asked.message.uri, /^sip:4@behind\.test/);
	// and this machine has the address by which that trunk sees it, for its media, too
	assert.match(asked.message.get('Via'), /^SIP\/2\.0\/UDP 203\.0\.113\.9/);
	assert.match(asked.message.text, /^c=IN IP4 203\.0\.113\.9\r$/m);
	asked.reply(486);
	assert.equal((await alice.event('ended', { call: id })).cause.reason, 'busy');
	await proxy.close();
});

test('two sections with one address are one system under two sets of rules: a call by the second, which the other side ends', async () => {
	const { id } = await dial(alice, '8@alpha.test');
	const asked = await provider.request('INVITE');
	assert.equal(asked.message.uri, 'sip:8@provider.test');
	asked.reply(200, { body: PLAIN.replace(' 8\r', ' 0\r') });
	await provider.request('ACK');
	await alice.event('answered', { call: id });
	asked.request('BYE', { body: '' });
	assert.equal((await alice.event('ended', { call: id })).cause.reason, 'hangup');
});

test('-t says what is wrong with a trunk, and never a password', async () => {
	const done = await alpha.host.exec(['sh', '-c', `sed 's/udp:198.18.0.61:5060/udp:nowhere:0/; s/register = true/register = perhaps/' ${alpha.config} > ${alpha.dir}/bad.conf; ${alpha.command(['-t', '-c', `${alpha.dir}/bad.conf`]).join(' ')}`]);
	assert.equal(done.code, 1);
	assert.match(done.stderr + done.stdout, /bad\.conf:\d+: address: "udp:nowhere:0" is not usable; write "udp:192\.0\.2\.7:5060"/);
	assert.match(done.stderr + done.stdout, /register: "perhaps" is not usable/);
	assert.doesNotMatch(done.stderr + done.stdout, /hush/);
	assert.doesNotMatch(alpha.proc.text, /hush/);
});
