// limit: 120 s
// SIP between two sites over IPv6 (AAAA behind SRV, listeners on [::] and 0.0.0.0), and names of both families of which one
// is dead; HTTPS and WebSocket over IPv6, and both families on one daemon.
//
//   alice ──wss──► alpha.test 2a01:5::10 ══SIP over TLS══► beta.test 2a01:5::20 ──wss──► bob    anna (2a01:5::1) ──wss──► alpha.test
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { Client, http, signIn } from '../lib/client.mjs';
import { PASSWORD, twoSites } from '../lib/site.mjs';
import { establish, hangUp } from '../lib/talk.mjs';
import { SLOW } from '../lib/world.mjs';

let world, dns, alpha, beta, alice, bob;

/** One SRV target of this domain with these addresses, in zone file form. */
function at(domain, address, ...records) {
	return dns.zone(domain, [`@ A ${address}`, `@ NAPTR 10 10 "s" "SIPS+D2T" "" _sips._tcp.${domain}.`, `_sips._tcp SRV 0 0 5061 sip.${domain}.`,
		...records.map((r) => `sip ${r}`)]);
}

before(async () => {
	({ world, dns, alpha, beta } = await twoSites({ start: false, tune: (options) => { options.listen = ['tls:[::]:5061', 'tls:0.0.0.0:5061']; options.httpListen = ['0.0.0.0:443', '[::]:443']; } }));
	execFileSync('sh', ['-c', 'echo 0 >/proc/sys/net/ipv6/conf/br0/disable_ipv6; ip addr add 2a01:5::1/64 dev br0 nodad']);
	for (const [site, address] of [[alpha, '2a01:5::10'], [beta, '2a01:5::20']]) {
		const { code, stderr } = await site.host.exec(['sh', '-c',
			`echo 0 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6; ip addr add ${address}/64 dev eth0 nodad`]);
		assert.equal(code, 0, stderr);
	}
	at('alpha.test', '198.18.0.10', 'AAAA 2a01:5::10');
	at('beta.test', '198.18.0.20', 'AAAA 2a01:5::20');
	await dns.serve();
	for (const [site, user] of [[alpha, 'alice'], [beta, 'bob']]) {
		await site.start();
		await site.addUser(user);
	}
	alice = await alpha.client('alice');
	bob = await beta.client('bob');
});
after(() => world?.close());

async function talk(a, b, to) {
	const start = performance.now();
	const call = await establish(a, b, to);
	const took = performance.now() - start;
	assert.equal(call.incoming.from.site.verified, true);
	await hangUp(a, call.a, b, call.b);
	return took;
}

test('two sites whose SIP is on IPv6 alone: calls both ways', async () => {
	await talk(alice, bob, 'bob@beta.test');
	assert.match(alpha.proc.lines.join('\n'), /edge\.open conn=\S+ addr=\[2a01:5::20\]:5061 dir=out/);
	await talk(bob, alice, 'alice@alpha.test');
	assert.match(beta.proc.lines.join('\n'), /addr=\[2a01:5::10\]:/);
	alice.check();
	bob.check();
});

test('HTTPS and WebSocket over IPv6: signed in, counted by address, called by somebody on IPv4', async () => {
	const six = { domain: 'alpha.test', url: 'https://alpha.test/', ca: alpha.ca, address: '2a01:5::10' };
	assert.equal((await http(six, 'GET', '/healthz')).status, 200);
	await alpha.addUser('anna');
	const { token } = await signIn(six, 'anna', PASSWORD);
	const anna = await Client.open(six, token, 'on IPv6');
	await talk(bob, anna, 'anna@alpha.test');
	await talk(anna, alice, 'alice@alpha.test');
	assert.match(alpha.proc.lines.join('\n'), /device\.online device=\S+ user=an…@alpha\.test name="on IPv6" from=2a01:5:/);
	anna.check();
	await anna.close();
});

// the daemon starts anew, so that no connection is left
for (const [what, open, ...records] of [
	['IPv4 is dead, IPv6 lives', '[2a01:5::20]:5061', 'A 198.18.0.99', 'AAAA 2a01:5::20'],
	['IPv6, which is tried first, is dead, IPv4 lives', '198.18.0.20:5061', 'A 198.18.0.20', 'AAAA 2a01:5::99'],
]) {
	test(`a name of both families: ${what}`, async () => {
		at('beta.test', '198.18.0.20', ...records);
		await dns.serve();
		await alice.close();
		await alpha.stop();
		await alpha.start();
		alice = await alpha.client('alice');
		const took = await talk(alice, bob, 'bob@beta.test');
		assert.ok(took < 10_000 * SLOW, `${took} ms; 4 s at most for each dead address`);
		const log = alpha.proc.lines.join('\n');
		assert.ok(log.includes(`addr=${open} dir=out`), 'the living one was taken');
		if (open.startsWith('198.'))
			assert.match(log, /sip\.target\.failed .*target="\[2a01:5::99\]:5061"/, 'the dead one had its turn first');
	});
}
