// limit: 180 s
// Cases 1 to 19 and 24 from the address of a trunk, by UDP and TCP, where they reach Sofia; 82 by its headers; 87 and 108:
// what comes from elsewhere gets one answer or none, and the trunk is served all the while.
//
//   trunk (.61, by UDP; .62, by TCP) ═► slussd alpha.test (.10) ◄═ somebody else (.66)
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { SipSite, token } from '../lib/sip.mjs';
import { twoSites } from '../lib/site.mjs';
import { within } from '../lib/world.mjs';
import { loadVectors } from './lib/vectors.mjs';

const ALPHA = '198.18.0.10';
const SDP = 'v=0\r\no=- 1 1 IN IP4 198.18.0.61\r\ns=-\r\nc=IN IP4 198.18.0.61\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';
let world, alpha, trunk, alice;

before(async () => {
	const set = await twoSites({
		users: { alpha: ['alice'], beta: [] },
		tune: (o, name) => {
			if (name !== 'alpha')
				return;
			o.listen = [`tls:${ALPHA}:5061`, `udp:${ALPHA}:5060`, `tcp:${ALPHA}:5060`];
			o.sites[0].lines = ['numbers = {"+49301234=alice"}'];
			o.lines = ['trunk "udp" {', '\taddress = "udp:198.18.0.61:5060"', '\tnumbers = {"+"}', '\tkeep-alive = 0', '}',
				'trunk "tcp" {', '\taddress = "tcp:198.18.0.62:5060"', '\tkeep-alive = 0', '}'];
		},
	});
	({ world, alpha } = set);
	trunk = await SipSite.listenUdp({ domain: 'trunk.test', address: await world.address(61) });
	await world.address(62);
	alice = await alpha.client('alice');
});
after(async () => {
	await trunk?.close();
	await world?.close();
});

/** Is it served within a second? */
async function served() {
	const at = performance.now();
	const call = trunk.toUdp(ALPHA).call({ from: '1@trunk.test', to: 'alpha.test', uri: 'sip:alpha.test', method: 'OPTIONS' });
	assert.equal((await call.response()).status, 200);
	assert(performance.now() - at < 1000, 'within a second');
}

test('abuse_001_torture_from_a_trunk: every message of RFC 4475 and 5118, by UDP', async () => {
	await served();
	for (const [name, message] of loadVectors()) {
		trunk.udp.send(message, 5060, ALPHA);
		trunk.udp.send(message, 5060, ALPHA);
		await served().catch((error) => assert.fail(`after ${name}: ${error.message}`));
	}
	assert.deepEqual(await alpha.calls(), []);
	assert.equal(alice.count('incoming'), 0);
});

test('abuse_019_torture_from_a_trunk: the same by TCP, a connection each', async () => {
	for (const [, message] of loadVectors()) {
		const socket = connect({ host: ALPHA, port: 5060, localAddress: '198.18.0.62' });
		socket.on('error', () => {});
		await new Promise((resolve) => socket.on('connect', resolve).on('close', resolve));
		socket.end(message);
		await within(10_000, new Promise((resolve) => socket.on('data', () => {}).on('close', resolve)), 'the connection ends').catch(() => socket.destroy());
	}
	await served();
	assert.deepEqual(await alpha.calls(), []);
});

test('abuse_024_long_words: tags, branches and Call-IDs of any length', async () => {
	for (const n of [1, 255, 256, 8192]) {
		const word = 'x'.repeat(n);
		trunk.udp.send([`INVITE sip:+49309@${ALPHA} SIP/2.0`, `Via: SIP/2.0/UDP 198.18.0.61:5060;branch=z9hG4bK${word};rport`, 'Max-Forwards: 70',
			`From: <sip:1@trunk.test>;tag=${word}`, 'To: <sip:2@alpha.test>', `Call-ID: ${word}`, 'CSeq: 1 INVITE', 'Contact: <sip:1@198.18.0.61>',
			'Content-Type: application/sdp', `Content-Length: ${SDP.length}`, '', SDP].join('\r\n'), 5060, ALPHA);
		const { message } = await trunk.wait((m) => m.status >= 300 && m.cseq.method === 'INVITE' && m.get('Call-ID') === word, `an answer for ${n}`);
		assert([400, 404].includes(message.status), String(message.status));
	}
	await served();
});

test('abuse_082_headers: no header of a trunk makes its call go on to somebody else', async () => {
	const tries = [
		{ to: 'bob@beta.test', uri: 'sip:bob@beta.test' },
		{ to: '+49301234@alpha.test', uri: 'sip:+4477@beta.test' },
		{ to: '+4477@alpha.test', uri: 'sip:+4477@alpha.test' },
		{ to: '+49301234@alpha.test', uri: 'sip:+4477@alpha.test', headers: [['Route', '<sip:198.18.0.20:5061;transport=tls;lr>']] },
		{ to: '+4477@alpha.test', uri: 'sip:+4477@alpha.test;maddr=198.18.0.20', headers: [['P-Asserted-Identity', '<sip:alice@alpha.test>']] },
		{ to: '+4477@alpha.test', uri: 'sip:+4477@alpha.test', headers: [['X-Sluss-Edge', 'x;trunk=udp'], ['P-Preferred-Identity', '<sip:alice@alpha.test>']] },
	];
	for (const { headers = [], ...t } of tries) {
		const call = trunk.toUdp(ALPHA).call({ from: 'alice@alpha.test', body: SDP, headers, ...t });
		const no = await call.response();
		assert([400, 403, 404, 480].includes(no.status), `${t.uri}: ${no.status}`);
		call.ack(no);
	}
	assert.equal(trunk.received('INVITE').length, 0, 'nothing was sent to any trunk');
	await served();
});

test('abuse_108_flood: strangers by UDP do not keep a trunk from its calls', async () => {
	const stranger = createSocket('udp4');
	const address = await world.address(66);
	await new Promise((resolve) => stranger.bind(5060, address, resolve));
	let answers = 0;
	stranger.on('message', () => answers++);
	const invite = () => [`INVITE sip:${Math.floor(Math.random() * 1e6)}@${ALPHA} SIP/2.0`, `Via: SIP/2.0/UDP ${address}:5060;branch=z9hG4bK${token()};rport`,
		'Max-Forwards: 70', `From: <sip:100@1.1.1.1>;tag=${token()}`, `To: <sip:100@${ALPHA}>`, `Call-ID: ${token()}`, 'CSeq: 1 INVITE',
		'User-Agent: friendly-scanner', `Contact: <sip:100@${address}>`, 'Content-Length: 0', '', ''].join('\r\n');
	const until = performance.now() + 3000;
	let sent = 0;
	while (performance.now() < until) {
		for (let i = 0; i < 50; i++, sent++)
			stranger.send(invite(), 5060, ALPHA);
		await served();
	}
	assert(sent > 1000, `${sent} were sent`);
	assert(answers <= 200 * 5, `${answers} answers to ${sent}`); /* 200 a second, to all */
	stranger.close();
});
