// tests/abuse/sip_torture.test.mjs - cases 1 to 19: the RFC 4475 and RFC 5118 messages against a real slussd.
// limit: 600 s
//
//   attacker (certificate: peer.test, example.net, …) ══ TLS, TCP, UDP ══► slussd (example.com, example.org, …)
//                                                                              ◄══ devices, refusing as busy
// Each message goes whole over each transport as it is; over TLS also from a domain that the certificate
// proves, where the message's own From would be one of our sites. What "accepted" means is measured: the same
// answer as a plain request of the same method gets on the same transport. Over TCP and UDP nobody is proved,
// so 403 is right wherever something else would be.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { offer } from '../lib/sdp.mjs';
import { token } from '../lib/sip.mjs';
import { Stand } from './lib/stand.mjs';
import { ackFor, plain, verdict } from './lib/wire.mjs';
import { fresh, fromDomain, isResponse, loadVectors, method, withBody } from './lib/vectors.mjs';

const SILENCE = 0;
const vectors = loadVectors();
let stand;

before(async () => {
	stand = await Stand.start({
		limits: { 'sip-unproved-rate': 10_000 }, // over TCP nobody is proved, and there is much to say
		sites: ['example.com', 'example.org', 'chair-dnrc.example.com', 'company.com'],
		users: ['user@example.com', 'joe@example.com', 'vivekg@chair-dnrc.example.com', 't.watson@example.org'],
		peers: ['peer.test', 'example.net', 'east.example.com'],
	});
});
after(() => stand?.close());

/** One message over one transport on a connection of its own. */
async function run(message, kind, { how, rung = false, expectAnswer = false } = {}) {
	const wire = await stand.open(kind);
	try {
		const out = await verdict(wire, message, stand.target, { how, expectAnswer });
		if (out.status >= 300 && method(message) === 'INVITE' && !out.closed) {
			const ack = ackFor(message, out.final);
			if (ack)
				await wire.send(ack);
		}
		out.rung = await stand.rung();
		if (!rung)
			assert.deepEqual(out.rung, {}, `rung over ${kind}`);
		return out;
	} finally {
		wire.close();
	}
}

const control = new Map();

/** RFC 5118 files whose Content-Length is less than their body: on a stream the rest is another message. */
const SHORT = ['ipv4-mapped-ipv6', 'ipv6-in-sdp', 'mult-ip-in-sdp'];

/** What a plain request of this method to this URI gets on this transport. */
async function plainStatus(name, kind, uri) {
	const key = `${name} ${kind} ${uri}`;
	if (!control.has(key)) {
		const message = plain(name, {
			uri, from: 'sip:caller@peer.test', address: stand.attacker, transport: kind.toUpperCase(),
			body: name === 'INVITE' ? offer('plain') : '',
		});
		control.set(key, (await run(message, kind, { rung: true, expectAnswer: true })).status);
	}
	return control.get(key);
}

/** One vector as it is, on all transports. `allowed`: statuses, SILENCE, 'closed', or 'plain'. */
async function asItIs(name, allowed, { uri = 'sip:user@example.com', kinds = ['tls', 'tcp', 'udp'] } = {}) {
	const message = vectors.get(name);
	for (const kind of kinds) {
		const want = [...allowed];
		const own_from = await run(fresh(message, `${kind}-${token()}`), kind);
		if (want.includes('plain'))
			want.push(await plainStatus(method(message), kind, uri));
		if (kind !== 'tls' || /@example\.(com|org)/.test(/\r\nf(rom)?[ \t]*:(.|\r\n[ \t])*/i.exec(message.toString('latin1'))?.[0] ?? ''))
			want.push(403);
		const got = own_from.closed ? ['closed', own_from.status] : [own_from.status];
		if (SHORT.includes(name) && kind !== 'udp') {
			assert.ok(own_from.closed || own_from.swallowed, `${name} over ${kind}: what is left over is no message`);
			continue;
		}
		assert.ok(got.some((g) => want.includes(g)), `${name} over ${kind}: ${got.join(' and ')}, allowed: ${want.join(' ')}`);
		if (own_from.status === 0 && !own_from.closed)
			assert.ok(!own_from.swallowed || want.includes('swallowed'), `${name} over ${kind}: what followed was answered`);
	}
}

/** A vector from a proved domain, with a description browsers understand: it must ring `user`. */
async function rings(name, user, { change = (m) => m } = {}) {
	const sdp = offer(`torture ${name}`);
	const message = change(fresh(withBody(fromDomain(vectors.get(name), 'peer.test'), sdp), token()));
	const out = await run(message, 'tls', { rung: true, expectAnswer: true });
	assert.deepEqual(Object.keys(out.rung), [user], `${name} rings ${user} (status ${out.status})`);
	assert.equal(out.rung[user].length, 1);
	const [incoming] = out.rung[user];
	assert.equal(incoming.sdp, sdp, 'the description arrived byte for byte');
	assert.equal(out.status, 486);
	return incoming;
}

/** A vector from a proved domain that must be refused, or may be dropped. */
async function refused(name, allowed, { change = (m) => m } = {}) {
	const message = change(fresh(fromDomain(vectors.get(name), 'peer.test'), token()));
	const out = await run(message, 'tls');
	const got = out.closed ? ['closed', out.status] : [out.status];
	assert.ok(got.some((g) => allowed.includes(g)), `${name} from a proved peer: ${got.join(' and ')}, allowed: ${allowed.join(' ')}`);
	return out;
}

/** A test that ends with the stand's own checks. */
function abuse(name, run_it) {
	test(name, async () => {
		await run_it();
		await stand.healthy();
	});
}

const edit = (from, to) => (m) => Buffer.from(m.toString('latin1').replace(from, to), 'latin1');

describe('valid messages', () => {
	abuse('abuse_001_wsinv', async () => {
		// its To has a tag of no dialog of ours: 481 is the answer of a B2BUA that has not lost its memory
		await asItIs('wsinv', [481], { uri: 'sip:vivekg@chair-dnrc.example.com' });
		await refused('wsinv', [481]);
		const incoming = await rings('wsinv', 'vivekg@chair-dnrc.example.com', { change: edit(/;[ \t]*tag[ \t]*=[ \t]*1918181833n/, '') });
		assert.equal(incoming.from.address, 'jdrosen@peer.test');
		assert.equal(incoming.from.name, 'J Rosenberg \\"', 'the quoted pairs of the display name are undone');
	});

	abuse('abuse_002_intmeth', async () => {
		await asItIs('intmeth', [405, 501, 400, SILENCE]);
	});

	abuse('abuse_003_escapes', async () => {
		await asItIs('esc01', [403, 404]);
		await refused('esc01', [403, 404]);
		// the same user part at a site of ours: "sips:user@example.com" is a user's name there, not an address
		await refused('esc01', [403, 404], { change: edit('@example.net SIP/2.0', '@example.com SIP/2.0') });
		const name = plain('INVITE', { uri: 'sip:sips%3Auser%40example.com@example.com', from: 'sip:caller@peer.test', address: stand.attacker, transport: 'TLS', body: offer('escape') });
		assert.equal((await run(name, 'tls')).status, 404);
		await asItIs('escnull', [405, 501, 400], { kinds: ['tls', 'tcp', 'udp'] });
		for (const user of ['user%00x', 'user%00', '%00user', 'us%0der', 'user%0d%0aX: y']) {
			const out = await run(plain('INVITE', { uri: `sip:${user}@example.com`, from: 'sip:caller@peer.test', address: stand.attacker, transport: 'TLS', body: offer('null') }), 'tls');
			assert.ok([400, 404].includes(out.status), `INVITE sip:${user}@example.com: ${out.status}`);
			const from = await run(plain('INVITE', { uri: 'sip:user@example.com', from: `sip:${user}@peer.test`, address: stand.attacker, transport: 'TLS', body: offer('null') }), 'tls', { rung: true, expectAnswer: true });
			for (const { from: who } of from.rung['user@example.com'] ?? [])
				assert.notEqual(who.address, 'user@peer.test', 'a name is not cut at %00');
		}
		// an escape of a letter is the letter (RFC 3261 §19.1.4): this one is our user
		const out = await run(plain('INVITE', { uri: 'sip:%75se%72@example.com', from: 'sip:caller@peer.test', address: stand.attacker, transport: 'TLS', body: offer('escape') }), 'tls', { rung: true, expectAnswer: true });
		assert.deepEqual(Object.keys(out.rung), ['user@example.com']);
		assert.ok(!stand.log().includes('\0'), 'no NUL in the log');
		const { json } = await stand.slussd.ctl('user', 'list', 'example.com');
		assert.ok(JSON.stringify(json).includes('joe') && !/null|%00|\\u0000/.test(JSON.stringify(json)), `users: ${JSON.stringify(json)}`);
		await asItIs('esc02', [405, 501, 400]);
	});

	abuse('abuse_004_spacing_and_length', async () => {
		await asItIs('lwsdisp', ['plain']);
		await refused('lwsdisp', [await plainStatus('OPTIONS', 'tls', 'sip:user@example.com')]);
		await asItIs('transports', ['plain']);
		await refused('transports', [await plainStatus('OPTIONS', 'tls', 'sip:user@example.com')]);
		// a user's name with parameters in it is nobody here; well formed all the same
		await asItIs('semiuri', ['plain', 404], { uri: 'sip:nobody@example.com' });
		// the From's user is 120 bytes long: over the stated limit of 64, and said so
		await asItIs('longreq', [400, 403]);
		await refused('longreq', [400, 403]);
		// everything else of it, with a name within the limit
		const incoming = await rings('longreq', 'user@example.com', {
			change: (m) => edit(/(amazinglylongcallername){3,}(?=@)/g, 'amazinglylongcallername')(m),
		});
		assert.equal(incoming.from.address, 'amazinglylongcallername@peer.test');
	});

	abuse('abuse_005_dblreq', async () => {
		// one datagram, one request
		const udp = await run(fresh(vectors.get('dblreq'), token()), 'udp');
		assert.ok(udp.responses.every((r) => r.cseq.method === 'REGISTER'), udp.responses.map((r) => r.get('CSeq')).join());
		// on a stream the bytes after Content-Length: 0 are a second request, and are judged as one
		for (const kind of ['tls', 'tcp']) {
			const stream = await run(fresh(vectors.get('dblreq'), token()), kind);
			assert.ok(stream.responses.filter((r) => r.cseq.method === 'REGISTER').length <= 1);
		}
	});

	abuse('abuse_006_bodies_and_phrases', async () => {
		await asItIs('mpart01', [405, 415, 501, 403], { uri: 'sip:kumiko@example.org' });
		for (const name of ['unreason', 'noreason'])
			await asItIs(name, [SILENCE]); // responses to nothing of ours
	});
});

describe('invalid messages', () => {
	abuse('abuse_007_framing', async () => {
		await asItIs('badinv01', [400, SILENCE]);
		// a body that never comes: over UDP refused at once, on a stream waited for, then the connection ends
		await asItIs('clerr', [400, SILENCE], { kinds: ['udp'] });
		for (const kind of ['tls', 'tcp']) {
			const out = await run(fresh(vectors.get('clerr'), token()), kind);
			assert.ok(out.swallowed || out.closed, 'the missing bytes are waited for, not guessed');
		}
		await asItIs('ncl', [400, SILENCE], { kinds: ['udp'] });
		for (const kind of ['tls', 'tcp']) {
			const out = await run(fresh(vectors.get('ncl'), token()), kind);
			assert.ok(out.closed, `a negative Content-Length closes the ${kind} connection`);
		}
		for (const length of ['1e2', '0x10', '4294967296', '18446744073709551617', '', '12 34', '+5']) {
			const out = await run(edit(/Content-Length: \d+/, `Content-Length: ${length}`)(plain('OPTIONS', {
				uri: 'sip:example.com', from: 'sip:caller@peer.test', address: stand.attacker, transport: 'TLS' })), 'tls');
			assert.ok(out.closed, `Content-Length: ${length} closes the connection (status ${out.status})`);
		}
	});

	abuse('abuse_008_scalars', async () => {
		await asItIs('scalar02', [400, 405, 501, SILENCE]);
		await asItIs('scalarlg', [SILENCE]);
		const base = { uri: 'sip:user@example.com', from: 'sip:caller@peer.test', address: stand.attacker, transport: 'TLS', body: offer('scalar') };
		for (const [what, change] of [
			['Max-Forwards 2^32 + 70', edit(/Max-Forwards: 70/, 'Max-Forwards: 4294967366')],
			['Max-Forwards 300', edit(/Max-Forwards: 70/, 'Max-Forwards: 300')],
			['Max-Forwards -1', edit(/Max-Forwards: 70/, 'Max-Forwards: -1')],
			['CSeq 2^32 + 7', edit(/CSeq: 7/, 'CSeq: 4294967303')],
			['CSeq -7', edit(/CSeq: 7/, 'CSeq: -7')],
			['CSeq 2^64 + 7', edit(/CSeq: 7/, 'CSeq: 18446744073709551623')],
		]) {
			const out = await run(change(plain('INVITE', base)), 'tls');
			assert.equal(out.status, 400, what);
		}
		for (const header of ['Expires: 99999999999999999999', 'Session-Expires: 99999999999999999999', 'Min-SE: 18446744073709551706', 'Retry-After: 949302838503028349304023988']) {
			const out = await run(plain('INVITE', { ...base, extra: [header] }), 'tls', { rung: true, expectAnswer: true });
			assert.ok([400, 422, 486, SILENCE].includes(out.status), `${header}: ${out.status}`);
		}
	});

	abuse('abuse_009_uris', async () => {
		for (const name of ['quotbal', 'ltgtruri']) {
			await asItIs(name, [400, SILENCE]);
			await refused(name, [400]);
		}
		// headers in the Request-URI are not ours to obey: it is the address in front of them, or a 400
		await asItIs('escruri', ['plain', 400, 488]);
		assert.ok([400, 488].includes((await refused('escruri', [400, 488])).status));
		await asItIs('lwsruri', [400, 481, SILENCE]);
		await asItIs('lwsstart', ['plain', 400, SILENCE, 488]);
		await asItIs('trws', ['plain', 400, 404, SILENCE], { uri: 'sip:remote-target@example.com' });
	});

	abuse('abuse_010_values', async () => {
		await asItIs('baddate', ['plain', 400, 488]);
		await asItIs('regbadct', [400, 405, 501]);
		await asItIs('badaspec', ['plain', 400, 404], { uri: 'sip:user@example.org' });
		await asItIs('baddn', [400, SILENCE], { kinds: ['udp'] }); // the file lacks its last empty line
		await asItIs('badvers', [505, 400, SILENCE]);
		await asItIs('mismatch01', [400, SILENCE]);
		await asItIs('mismatch02', [400, 405, 501, SILENCE]);
		await asItIs('bigcode', [SILENCE, 'closed']);
		await asItIs('test', [400, SILENCE, 'closed']);
	});

	abuse('abuse_011_badbranch', async () => {
		await asItIs('badbranch', ['plain', 400]);
		// two of them with different Call-IDs, from one address, on one connection: two answers
		for (const kind of ['tls', 'udp']) {
			const wire = await stand.open(kind);
			const make = () => plain('OPTIONS', { uri: 'sip:example.com', from: 'sip:caller@peer.test', address: stand.attacker, transport: kind.toUpperCase(), branch: 'z9hG4bK' });
			const two = [make(), make()];
			for (const m of two)
				await wire.send(m);
			for (const m of two) {
				const id = /Call-ID: (\S+)/.exec(m.toString())[1];
				const got = await wire.find((r) => r.status >= 200 && r.get('Call-ID') === id, 3000);
				assert.ok(got, `each of two requests with an empty branch is answered over ${kind}`);
			}
			wire.close();
		}
	});

	abuse('abuse_012_what_we_do_not_know', async () => {
		await asItIs('insuf', [400, SILENCE]);
		await asItIs('unkscm', [416]);
		await asItIs('novelsc', [416]);
		await asItIs('unksm2', [400, 404, 405, 501]);
		const out = await refused('bext01', [420]);
		const unsupported = out.final.all('Unsupported').join(',');
		for (const tag of ['nothingSupportsThis', 'nothingSupportsThisEither'])
			assert.ok(unsupported.includes(tag), `Unsupported: ${unsupported}`);
		await asItIs('bext01', [420]);
	});

	abuse('abuse_013_refused_by_rule', async () => {
		const invut = await refused('invut', [415]);
		assert.match(invut.final.all('Accept').join(), /application\/sdp/);
		await asItIs('invut', [415]);
		await asItIs('regaut01', [401, 405, 501]);
		for (const name of ['multi01', 'mcl01'])
			await asItIs(name, [400, SILENCE, 'closed']);
	});

	abuse('abuse_014_bcast_and_zeromf', async () => {
		await asItIs('bcast', [SILENCE]);
		await asItIs('zeromf', ['plain', 483]);
		const out = await run(plain('INVITE', { uri: 'sip:user@example.com', from: 'sip:caller@peer.test', address: stand.attacker, transport: 'TLS', body: offer('mf'), maxForwards: 0 }), 'tls', { rung: true });
		assert.ok([483, 486].includes(out.status), `Max-Forwards: 0 to a user of ours: ${out.status}`);
	});

	abuse('abuse_015_contacts', async () => {
		// no registrar is built: the three are refused alike, and make no binding
		for (const name of ['cparam01', 'cparam02', 'regescrt'])
			await asItIs(name, [400, 405, 501]);
	});

	abuse('abuse_016_accept_and_rfc2543', async () => {
		await refused('sdp01', [406]);
		await asItIs('sdp01', [406]);
		await asItIs('inv2543', [400, 403, 481, 488, 'plain']);
	});
});

describe('IPv6', () => {
	abuse('abuse_017_well_formed', async () => {
		const nobody = 'sip:user@192.0.2.77';
		await asItIs('ipv6-good', ['plain'], { uri: 'sip:192.0.2.77' });
		await asItIs('port-unambiguous', ['plain'], { uri: 'sip:192.0.2.77' });
		await asItIs('via-received-param-no-delim', ['plain'], { uri: 'sip:192.0.2.77' });
		for (const name of ['via-received-param-with-delim', 'mult-ip-in-header'])
			await asItIs(name, [481, 'plain'], { uri: nobody });
		for (const name of ['ipv6-in-sdp', 'mult-ip-in-sdp'])
			await asItIs(name, ['plain', 403, 404], { uri: nobody });
		await asItIs('ipv4-mapped-ipv6', ['plain', 488]);
		await asItIs('ipv6-correct-abnf-2-colons', ['plain'], { uri: nobody });
		// their descriptions and headers are understood: with a user of ours as target they ring him
		for (const name of ['ipv4-mapped-ipv6', 'ipv6-in-sdp', 'mult-ip-in-sdp'])
			await rings(name, 'user@example.com', { change: edit(/^INVITE \S+/, 'INVITE sip:user@example.com') });
	});

	abuse('abuse_018_ambiguous', async () => {
		await asItIs('ipv6-bad', [400, SILENCE]);
		await asItIs('port-ambiguous', ['plain'], { uri: 'sip:192.0.2.77' });
		await asItIs('ipv6-bug-abnf-3-colons', [400, 'plain', SILENCE], { uri: 'sip:user@192.0.2.77' });
	});
});

// Case 19: in any segmentation the verdict is the one of the whole message; and nobody is proved over TCP, so
// TCP whole is what UDP gives, but where the framing itself differs.
const FRAMING = [...SHORT, 'inv2543', 'clerr', 'dblreq', 'ncl', 'mcl01', 'baddn', 'test', 'insuf', 'badvers', 'bigcode', 'multi01'];

describe('segments', () => {
	for (const kind of ['tls', 'tcp']) {
		for (const how of ['pieces', 'bytes']) {
			abuse(`abuse_019_${kind}_${how}`, async () => {
				for (const [name, message] of vectors) {
					if (name === 'clerr' || name === 'baddn')
						continue; // not whole in any segmentation: case 7
					const whole = await run(fresh(message, token()), kind);
					const cut = await run(fresh(message, token()), kind, { how });
					// an answer that is on its way when the framing breaks may be lost with the connection
					const what = (v) => (v.closed ? 'closed' : v.status);
					assert.equal(what(cut), what(whole), `${name} over ${kind} in ${how}`);
				}
			});
		}
	}

	abuse('abuse_019_tcp_as_udp', async () => {
		for (const [name, message] of vectors) {
			if (FRAMING.includes(name) || isResponse(message))
				continue;
			const udp = await run(fresh(message, token()), 'udp');
			const tcp = await run(fresh(message, token()), 'tcp');
			// what is refused as malformed over a stream may be dropped as a datagram
			assert.ok(tcp.status === udp.status || (udp.status === 0 && [400, 501].includes(tcp.status)), `${name}: ${tcp.status} over TCP, ${udp.status} over UDP`);
		}
	});
});
