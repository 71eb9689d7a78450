// tests/abuse/dns.test.mjs - case 95: whatever the DNS says or leaves unsaid, the call ends with words, in time,
// and other calls go on.
// limit: 420 s
//
//   alice ── WSS ──► slussd alpha.test ── DNS ──► 198.18.0.54, scripted faults
//                        ├══ TLS ══► 198.18.0.78 good.test        └══ TLS ══► 198.18.0.79 evil.test
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { offer } from '../lib/sdp.mjs';
import { SipSite, token } from '../lib/sip.mjs';
import { SLOW, until } from '../lib/world.mjs';
import { DnsFaults, REFUSED, SERVFAIL } from './lib/dns_faults.mjs';
import { Stand } from './lib/stand.mjs';

let stand, dns, alice, good, evil;

before(async () => {
	stand = await Stand.start({ users: ['alice@alpha.test'], peers: ['peer.test'], limits: { 'calls-per-user': 100, 'calls-per-user-minute': 1000 } });
	dns = await DnsFaults.listen(await stand.world.address(54));
	alice = stand.device('alice@alpha.test');
	good = await SipSite.listen({ domain: 'good.test', pair: stand.ca.valid('good.test'), ca: stand.ca.root, address: await stand.world.address(78) });
	evil = await SipSite.listen({ domain: 'evil.test', pair: stand.ca.valid('evil.test'), ca: stand.ca.root, address: await stand.world.address(79) });
	dns.site('good.test', good.address);
	await goodWorks('the first time');
	await stand.level(); // with the connection to good.test, which is kept
});
after(async () => {
	await good?.close();
	await evil?.close();
	dns?.close();
	await stand?.close();
});

function abuse(name, run) {
	test(name, async () => {
		await run();
		await until(10_000, async () => (await stand.slussd.calls()).length === 0, 'no call is left');
		await stand.healthy();
	});
}

/** alice dials x@domain; gives {cause, ms} once it has ended. */
async function fails(domain, limit_ms = 33_000) {
	const call = `d${token()}`;
	const start = performance.now();
	await alice.request('call', { call, to: `x@${domain}`, sdp: offer(domain) });
	const { cause } = await alice.event('ended', { call }, limit_ms);
	return { cause, ms: performance.now() - start };
}

/** A call to good.test gets through at once, whatever else is going on. */
async function goodWorks(what) {
	const call = `g${token()}`;
	const start = performance.now();
	await alice.request('call', { call, to: 'x@good.test', sdp: offer('good') });
	(await good.request('INVITE', 3000)).reply(486);
	assert.equal((await alice.event('ended', { call })).cause.reason, 'busy');
	assert.ok(performance.now() - start < 3000 * SLOW, `${what}: a good call took ${performance.now() - start} ms`);
}

/** It ends as unreachable (or no route), says the domain's name, and good.test works meanwhile. */
async function unreachable(domain, limit_ms, pattern = /./) {
	const failing = fails(domain, limit_ms + 1000);
	await goodWorks(domain);
	const { cause, ms } = await failing;
	assert.ok(['unreachable', 'no-route', 'timeout'].includes(cause.reason), `${domain}: ${cause.reason}`);
	assert.ok(cause.text.includes(domain), `${domain}: "${cause.text}"`);
	assert.match(cause.text, pattern);
	assert.ok(ms <= limit_ms * SLOW, `${domain}: ended after ${ms} ms`);
	return cause;
}

abuse('abuse_095_rcodes', async () => {
	dns.fault(/servfail\.test$/, { rcode: SERVFAIL });
	dns.fault(/refused\.test$/, { rcode: REFUSED });
	await unreachable('servfail.test', 32_000);
	await unreachable('refused.test', 32_000);
	await unreachable('nxdomain.test', 32_000); // nobody has this name
	dns.records('empty.test', 'A', []); // the name is there, without any record
	await unreachable('empty.test', 32_000);
	dns.records('naptr-only.test', 'NAPTR', [{ replacement: '_sips._tcp.nowhere.test' }]);
	await unreachable('naptr-only.test', 32_000);
});

abuse('abuse_095_slow', async () => {
	dns.site('slow.test', good.address).fault(/slow\.test$/, { delay_ms: 5000 });
	const { cause, ms } = await Promise.all([fails('slow.test'), goodWorks('slow')]).then(([f]) => f);
	assert.ok(ms <= 32_500 * SLOW && cause.text.includes('slow.test'), `${ms} ms: ${cause.text}`);
	dns.fault(/silent\.test$/, { silent: true });
	await unreachable('silent.test', 32_000);
	// twenty at once that wait do not hold up the twenty-first
	const many = Array.from({ length: 20 }, (_, i) => fails(`n${i}.silent.test`));
	await goodWorks('twenty waiting');
	for (const { ms: waited } of await Promise.all(many))
		assert.ok(waited <= 32_500 * SLOW);
});

abuse('abuse_095_truncated', async () => {
	// TC over UDP, the whole answer over TCP: good.test's machine is reached
	const invites = good.received('INVITE').length;
	dns.site('tc.test', good.address).fault(/(^|\.)tc\.test$/, { tc: true });
	const call = `t${token()}`;
	await alice.request('call', { call, to: 'x@tc.test', sdp: offer('tc') });
	const { cause } = await alice.event('ended', { call }, 33_000);
	assert.ok(dns.heard(/tc\.test tcp/) > 0, 'asked again over TCP');
	// good.test's certificate does not say tc.test: refused, which proves that the answer was used
	assert.match(cause.text, /tc\.test/);
	assert.equal(cause.reason, 'unreachable');
	assert.equal(good.received('INVITE').length, invites);
	// TC, and TCP is closed or silent
	dns.site('tcno.test', good.address).fault(/tcno\.test$/, { tc: true, tcp: false });
	await unreachable('tcno.test', 32_000);
});

abuse('abuse_095_many_srv', async () => {
	const targets = Array.from({ length: 1000 }, (_, i) => ({ priority: i % 7, weight: i, port: 5061, target: `t${i}.many.test` }));
	dns.records('many.test', 'NAPTR', [{ replacement: '_sips._tcp.many.test' }]).records('_sips._tcp.many.test', 'SRV', targets);
	const before = dns.asked.length;
	await unreachable('many.test', 32_000); // none of the targets has an address
	assert.ok(dns.asked.length - before < 300, `${dns.asked.length - before} questions: bounded`);
	dns.records('many2.test', 'NAPTR', [{ replacement: '_sips._tcp.many2.test' }]).records('_sips._tcp.many2.test', 'SRV', targets.map((t, i) => ({ ...t, target: `t${i}.many2.test` })));
	for (let i = 0; i < 1000; i++)
		dns.records(`t${i}.many2.test`, 'A', [{ address: `198.18.0.${100 + (i % 100)}` }]);
	await unreachable('many2.test', 33_000); // every one has an address, where nobody is
});

abuse('abuse_095_where_not', async () => {
	for (const [name, address] of [['loop4.test', '127.0.0.1'], ['any4.test', '0.0.0.0'], ['multi.test', '224.0.0.1'], ['broad.test', '255.255.255.255'], ['link.test', '169.254.1.1'], ['private.test', '10.0.0.1']])
		dns.site(name, address);
	for (const [name, bytes] of [['loop6.test', [...Array(15).fill(0), 1]], ['mapped.test', [...Array(10).fill(0), 255, 255, 127, 0, 0, 1]], ['any6.test', Array(16).fill(0)],
		['nat64.test', [0, 0x64, 0xff, 0x9b, ...Array(8).fill(0), 127, 0, 0, 1]], ['ula.test', [0xfd, ...Array(14).fill(0), 1]], ['6to4.test', [0x20, 2, 127, 0, 0, 1, ...Array(9).fill(0), 1]]]) {
		dns.records(name, 'NAPTR', [{ replacement: `_sips._tcp.${name}` }]).records(`_sips._tcp.${name}`, 'SRV', [{ target: `sip.${name}` }])
			.records(`sip.${name}`, 'AAAA', [{ bytes: Buffer.from(bytes) }]).records(`sip.${name}`, 'A', []);
	}
	dns.records('self.test', 'NAPTR', [{ replacement: '_sips._tcp.self.test' }]).records('_sips._tcp.self.test', 'SRV', [{ target: 'localhost' }]);
	// a listener of ours on loopback that must not be spoken to: slussd's own host has one on 127.0.0.1:5061
	const trap = stand.host.spawn(['node', '-e', 'require("net").createServer((s)=>{console.log("HEARD");s.destroy()}).listen(5061,"::",()=>console.log("ready"))'], { name: 'trap' });
	await trap.line(/ready/);
	for (const name of ['loop4.test', 'any4.test', 'multi.test', 'broad.test', 'link.test', 'private.test', 'loop6.test', 'mapped.test', 'any6.test', 'nat64.test', 'ula.test', '6to4.test', 'self.test'])
		await unreachable(name, 32_000);
	assert.ok(!trap.text.includes('HEARD'), 'nobody on loopback was spoken to');
	await trap.stop('SIGKILL');
});

abuse('abuse_095_circles', async () => {
	dns.records('cname.test', 'CNAME', [{ target: 'cname2.test' }]).records('cname2.test', 'CNAME', [{ target: 'cname.test' }]);
	await unreachable('cname.test', 32_000);
	dns.records('_sips._tcp.selfsrv.test', 'SRV', [{ target: '_sips._tcp.selfsrv.test' }]).records('selfsrv.test', 'NAPTR', [{ replacement: '_sips._tcp.selfsrv.test' }]);
	await unreachable('selfsrv.test', 32_000);
	dns.records('naptrloop.test', 'NAPTR', [{ flags: '', replacement: 'naptrloop.test' }, { flags: 'u', regexp: '!^.*$!sip:x@naptrloop.test!' }, { flags: 's', service: 'nonsense', replacement: 'naptrloop.test' }]);
	await unreachable('naptrloop.test', 32_000);
	dns.records('dot.test', 'NAPTR', [{ replacement: '_sips._tcp.dot.test' }]).records('_sips._tcp.dot.test', 'SRV', [{ target: '.' }]); // RFC 2782: not here
	await unreachable('dot.test', 32_000);
	dns.records('long.test', 'NAPTR', [{ replacement: `_sips._tcp.${'x'.repeat(63)}.${'y'.repeat(63)}.${'z'.repeat(63)}.long.test` }]);
	await unreachable('long.test', 32_000);
});

abuse('abuse_095_garbage', async () => {
	let i = 0;
	for (const garbage of [Buffer.alloc(0), Buffer.from([0x85]), Buffer.from('8580ffffffffffffffff', 'hex'), Buffer.from(`8580000100010000${'0000'}c00c`, 'hex'), Buffer.from(`85800001000100000000${'c00c'.repeat(20)}`, 'hex'),
		Buffer.alloc(4000, 0xff), Buffer.from(`85800001ffff00000000${'00'.repeat(2000)}`, 'hex')]) {
		dns.fault(new RegExp(`g${++i}\\.garbage\\.test$`), { garbage });
		await unreachable(`g${i}.garbage.test`, 32_000);
	}
	// records that are too short, too long, or point into themselves
	for (const [type, raw] of [['SRV', Buffer.from([0, 0])], ['SRV', Buffer.from([0, 0, 0, 0, 0x13, 0xc5, 0xc0, 0xff])], ['SRV', Buffer.from([0, 0, 0, 0, 0x13, 0xc5, 63])], ['NAPTR', Buffer.from([0, 1, 0, 1, 200, 65])], ['NAPTR', Buffer.alloc(0)]]) {
		const name = `r${++i}.garbage.test`;
		dns.records(name, 'NAPTR', type === 'NAPTR' ? [{ raw }] : [{ replacement: `_sips._tcp.${name}` }]).records(`_sips._tcp.${name}`, 'SRV', type === 'SRV' ? [{ raw }] : []);
		await unreachable(name, 32_000);
	}
});

abuse('abuse_095_ttl_0', async () => {
	dns.site('good.test', good.address, { ttl: 0 });
	for (let i = 0; i < 5; i++)
		await goodWorks('TTL 0');
	dns.site('good.test', good.address, { ttl: 2 ** 31 - 1 });
	await goodWorks('a TTL of 68 years');
	dns.site('good.test', good.address);
});

abuse('abuse_095_poisoned', async () => {
	// somebody makes the DNS say that bank.test is served by evil.test's machine
	for (const target of ['sip.evil.test', 'evil.test', 'sip.bank.test']) {
		dns.records('bank.test', 'NAPTR', [{ replacement: '_sips._tcp.bank.test' }]).records('_sips._tcp.bank.test', 'SRV', [{ target }]).records(target, 'A', [{ address: evil.address }]);
		const { cause } = await fails('bank.test');
		assert.equal(cause.reason, 'unreachable');
		assert.match(cause.text, /bank\.test/);
		assert.deepEqual(evil.log.filter((g) => g.message), [], 'evil.test got no word of the call');
	}
	// and that NAPTR leads to another domain's SRV
	dns.records('bank.test', 'NAPTR', [{ replacement: '_sips._tcp.evil.test' }]).site('evil.test', evil.address);
	assert.equal((await fails('bank.test')).cause.reason, 'unreachable');
	assert.deepEqual(evil.log.filter((g) => g.message), []);
});

abuse('abuse_095_down', async () => {
	// last: the server goes away altogether
	dns.close();
	await new Promise((resolve) => setImmediate(resolve));
	const { cause, ms } = await fails('gone.test');
	assert.ok(cause.text.includes('gone.test') && ms <= 32_500 * SLOW, `${ms} ms: ${cause.text}`);
	dns = await DnsFaults.listen('198.18.0.54');
	dns.site('good.test', good.address);
	await goodWorks('the server is back');
});
