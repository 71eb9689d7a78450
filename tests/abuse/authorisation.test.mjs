// tests/abuse/authorisation.test.mjs - cases 79 to 82: who may say that a call comes from good.test, and where a
// call from outside may go.
// limit: 120 s
//
//   attacker 198.18.0.77, certificates of every kind ══ TLS ══► slussd alpha.test ◄── WSS ── bob
//   bob dials x@good.test ──► slussd ══ TLS ══► 198.18.0.78 with the same certificates
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { capture } from '../lib/capture.mjs';
import { offer } from '../lib/sdp.mjs';
import { SipSite, token } from '../lib/sip.mjs';
import { DnsFaults } from './lib/dns_faults.mjs';
import { makeLookalikes, makeUntrusted } from './lib/lookalikes.mjs';
import { Stand } from './lib/stand.mjs';
import { plain, verdict } from './lib/wire.mjs';

const DOMAIN = 'good.test';
let stand, dns, looks, untrusted, served;

before(async () => {
	stand = await Stand.start({ users: ['bob@alpha.test'], peers: ['peer.test'], tune: (options) => {
		options.sip = ['dns = {"198.18.0.54:53"}'];
		options.limits = { 'calls-per-user-minute': 1000 };
	} });
	dns = await DnsFaults.listen(await stand.world.address(54));
	served = await stand.world.address(78);
	dns.site(DOMAIN, served);
	looks = makeLookalikes(stand.ca, DOMAIN);
	untrusted = makeUntrusted(stand.ca, join(stand.world.dir, 'foreign-ca'), DOMAIN);
});
after(async () => {
	dns?.close();
	await stand?.close();
});

function abuse(name, run, options) {
	test(name, async () => {
		await run();
		await stand.healthy(options);
	});
}

const invite = (options = {}) => plain('INVITE', { uri: 'sip:bob@alpha.test', from: `sip:alice@${DOMAIN}`, address: stand.attacker, transport: 'TLS', body: offer('who'), ...options });

/** What an INVITE to bob gets on a connection with this certificate: a status, or 'refused' in the handshake. */
async function received(pair, message = invite()) {
	let wire;
	try {
		wire = await stand.tls({ pair });
	} catch {
		return 'refused';
	}
	try {
		const out = await verdict(wire, message, stand.target, { expectAnswer: true });
		// TLS 1.3: the client is through before the server has judged its certificate
		return out.closed && out.status === 0 ? 'refused' : out.status;
	} finally {
		wire.close();
	}
}

abuse('abuse_079_lookalikes_in', async () => {
	for (const { what, good, pair } of looks) {
		const status = await received(pair);
		const rung = await stand.rung();
		if (good) {
			assert.equal(status, 486, `${what}: proves ${DOMAIN}`);
			assert.equal(rung['bob@alpha.test'][0].from.address, `alice@${DOMAIN}`);
		} else {
			assert.ok(status === 403 || status === 'refused', `${what}: ${status}`);
			assert.deepEqual(rung, {}, what);
		}
	}
});

abuse('abuse_079_lookalikes_out', async () => {
	const bob = stand.device('bob@alpha.test');
	for (const { what, good, pair } of looks) {
		const site = await SipSite.listen({ domain: DOMAIN, pair, ca: stand.ca.root, address: served });
		try {
			const call = `o${token()}`;
			await bob.request('call', { call, to: `x@${DOMAIN}`, sdp: offer('out') });
			if (good) {
				(await site.request('INVITE')).reply(486);
				const { cause } = await bob.event('ended', { call });
				assert.equal(cause.reason, 'busy', what);
			} else {
				const { cause } = await bob.event('ended', { call }, 15_000);
				assert.equal(cause.reason, 'unreachable', what);
				assert.match(cause.text, /good\.test/, what);
				assert.deepEqual(site.log.filter((g) => g.message), [], `${what}: nothing was said to it`);
			}
		} finally {
			await site.close();
		}
	}
});

abuse('abuse_080_another_domain', async () => {
	// the certificate proves peer.test
	for (const from of ['alice@good.test', 'alice@alpha.test', 'bob@alpha.test', 'alice@sub.peer.test', 'alice@peer.test.evil.test', 'alice@xpeer.test', 'alice@198.18.0.77', 'alice@[::1]', 'peer.test@good.test', 'alice%40peer.test@good.test'])
		assert.equal(await received(stand.peerPair, invite({ from: `sip:${from}` })), 403, `From ${from}`);
	for (const uri of ['sips:alice@good.test', 'tel:+4612345', 'sip:good.test', 'mailto:alice@peer.test', 'urn:service:sos']) {
		const status = await received(stand.peerPair, invite({ from: uri }));
		assert.ok([400, 403, 416].includes(status), `From ${uri}: ${status}`);
	}
	const two = Buffer.from(invite({ from: 'sip:alice@peer.test' }).toString().replace(/(From: [^\r]*\r\n)/, `$1From: <sip:alice@good.test>;tag=2\r\n`));
	assert.ok([400, 403].includes(await received(stand.peerPair, two)), 'two From headers');
	assert.deepEqual(await stand.rung(), {});
	// B's user anywhere else changes nothing: the call is A's, and everything goes back to A
	const tap = await capture(stand.host, `dst host ${served}`);
	const asked = dns.asked.length;
	for (const extra of [['Route: <sip:good.test;lr>'], ['P-Asserted-Identity: <sip:alice@good.test>'], ['Remote-Party-ID: <sip:alice@good.test>;party=calling'], ['Reply-To: <sip:alice@good.test>'],
		['Referred-By: <sip:alice@good.test>'], ['History-Info: <sip:alice@good.test>;index=1'], ['X-Sluss-Edge: 00;names=good.test'], ['x-sluss-edge: 00;names=good.test', 'X-Sluss-Edge: 00;site=alpha.test']]) {
		const status = await received(stand.peerPair, invite({ from: 'sip:alice@peer.test', extra }));
		assert.ok([486, 403, 404].includes(status), `${extra}: ${status}`);
		for (const { from } of (await stand.rung())['bob@alpha.test'] ?? [])
			assert.equal(from.address, 'alice@peer.test', extra.join());
	}
	const contact = Buffer.from(invite({ from: 'sip:alice@peer.test' }).toString().replace(/Contact: [^\r]*/, 'Contact: <sip:alice@good.test;transport=tls>'));
	assert.equal(await received(stand.peerPair, contact), 486);
	assert.equal((await stand.rung())['bob@alpha.test'][0].from.address, 'alice@peer.test');
	assert.equal(dns.asked.length, asked, 'nobody was looked up');
	assert.deepEqual(await tap.stop(), [], 'and nothing went to good.test');
});

abuse('abuse_081_unproved', async () => {
	assert.equal(await received(undefined), 403, 'no client certificate');
	for (const { what, pair } of untrusted) {
		const status = await received(pair);
		if (what === 'of an unknown CA' || what === 'expired' || what === 'not yet valid')
			assert.equal(status, 'refused', what);
		else
			assert.ok(status === 'refused' || status === 403, `${what}: ${status}`);
	}
	for (const kind of ['tcp', 'udp']) {
		for (const from of [`alice@${DOMAIN}`, 'alice@peer.test', 'bob@alpha.test']) {
			const wire = await stand.open(kind);
			const out = await verdict(wire, invite({ from: `sip:${from}`, transport: kind.toUpperCase() }), stand.target, { expectAnswer: true });
			wire.close();
			assert.equal(out.status, 403, `${kind} claiming ${from}`);
		}
	}
	assert.deepEqual(await stand.rung(), {});
	// old protocols, no ciphers of today
	for (const options of [{ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }, { maxVersion: 'TLSv1.2', ciphers: 'aNULL:eNULL:@SECLEVEL=0' }])
		await assert.rejects(stand.tls({ options }), `${JSON.stringify(options)} is refused`);
});

abuse('abuse_082_relay', async () => {
	const tap = await capture(stand.host, `not host ${stand.attacker} and not host 198.18.0.1`);
	const asked = dns.asked.length;
	const uris = ['sip:x@good.test', 'sip:+46900123456@good.test', 'sip:x@198.18.0.78', 'sip:x@[2001:db8::1]', 'sip:bob@alpha.test@good.test', 'sip:bob%40good.test@alpha.test',
		'sip:alpha.test@good.test', 'sip:good.test', 'sip:alpha.test', 'sip:nobody@alpha.test', 'tel:+46900123456', 'sip:+46900123456@alpha.test;user=phone', 'sip:900123456@alpha.test',
		'sip:00467890@alpha.test', 'sip:x@good.test;maddr=198.18.0.10', 'sips:x@good.test', 'sip:x@good.test:5061;transport=tls', 'sip:x!good.test@alpha.test', 'sip:*@alpha.test', 'sip:@alpha.test',
		'sip:x@ALPHA.test.good.test', 'im:bob@alpha.test', 'http://good.test/'];
	for (const uri of uris) {
		const status = await received(stand.peerPair, invite({ uri, from: 'sip:alice@peer.test' }));
		assert.ok([400, 403, 404, 405, 416].includes(status), `${uri}: ${status}`);
	}
	assert.deepEqual(await stand.rung(), {}, 'nobody was rung');
	// to bob, with something that asks for another way: bob or nobody
	for (const extra of [['Route: <sip:good.test;lr>'], ['Route: <sip:198.18.0.78;lr>'], ['Route: <sip:alpha.test;lr>', 'Route: <sip:good.test;lr>'], ['Route: <sip:good.test>'],
		['Refer-To: <sip:x@good.test>'], ['Diversion: <sip:x@good.test>'], ['Path: <sip:good.test;lr>'], ['Service-Route: <sip:good.test;lr>'], ['P-Called-Party-ID: <sip:x@good.test>'],
		['X-Sluss-Edge: 0;domain=good.test'], ['Record-Route: <sip:good.test;lr>'], ['Replaces: 1;to-tag=2;from-tag=3'], ['Join: 1;to-tag=2;from-tag=3'], ['Target-Dialog: 1;local-tag=2;remote-tag=3']]) {
		const status = await received(stand.peerPair, invite({ from: 'sip:alice@peer.test', extra }));
		assert.ok([400, 403, 404, 405, 420, 481, 486].includes(status), `${extra}: ${status}`);
	}
	for (const uri of ['sip:bob@alpha.test?Route=%3Csip:good.test%3E', 'sip:bob@alpha.test;maddr=198.18.0.78', 'sip:bob@alpha.test:5099', 'sip:bob@alpha.test;transport=udp', 'sip:bob@alpha.test;ttl=1;method=REFER']) {
		const status = await received(stand.peerPair, invite({ uri, from: 'sip:alice@peer.test' }));
		assert.ok([400, 403, 404, 486].includes(status), `${uri}: ${status}`);
	}
	await stand.rung();
	for (const method of ['REFER', 'SUBSCRIBE', 'NOTIFY', 'PUBLISH', 'MESSAGE', 'INFO', 'REGISTER', 'UPDATE', 'PRACK', 'BYE', 'NONSENSE']) {
		for (const uri of ['sip:x@good.test', 'sip:bob@alpha.test']) {
			const wire = await stand.tls();
			const out = await verdict(wire, plain(method, { uri, from: 'sip:alice@peer.test', address: stand.attacker, transport: 'TLS', extra: ['Refer-To: <sip:x@good.test>', 'Event: dialog'] }), stand.target, { expectAnswer: true });
			wire.close();
			assert.ok(out.status >= 400 && out.status < 600, `${method} ${uri}: ${out.status}`);
		}
	}
	assert.deepEqual(await stand.rung(), {}, 'nothing but INVITE rings');
	assert.equal(dns.asked.length, asked, 'nothing was looked up');
	const packets = await tap.stop();
	const out = packets.filter((p) => p.src === stand.host.address && !(p.proto === 'tcp' && p.sport === 443));
	assert.deepEqual(out.map((p) => `${p.proto} ${p.dst}:${p.dport}`), [], 'no packet leaves');
});
