// limit: 420 s
// The SIP edge from outside: the joint is closed to others, connections cost nothing that stays, what is cut
// or oversized ends one connection only.
//
//   this test (.1, .61) ══TLS══► beta.test (.20): edge ──joint──► Sofia
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { swap } from '../lib/ca.mjs';
import { capture } from '../lib/capture.mjs';
import * as sdp from '../lib/sdp.mjs';
import { SipSite } from '../lib/sip.mjs';
import { twoSites } from '../lib/site.mjs';
import { dial, establish, hangUp } from '../lib/talk.mjs';
import { SLOW, until } from '../lib/world.mjs';

let world, ca, dns, alpha, beta, gamma, alice, bob;

before(async () => {
	({ world, ca, dns, alpha, beta } = await twoSites({ tune: (o) => (o.limits = { 'sip-handshake-time': 3, 'ws-rate': 10000, 'calls-per-user-minute': 10000 }) }));
	const address = await world.address(61);
	dns.site('gamma.test', address);
	await dns.serve();
	gamma = await SipSite.listen({ domain: 'gamma.test', pair: ca.valid('gamma.test'), ca: ca.root, address });
	alice = await alpha.client('alice');
	bob = await beta.client('bob');
});
after(async () => {
	await gamma?.close();
	await world?.close();
});

/** The loopback ports on which a process listens, from the kernel. */
function innerPorts(daemon) {
	const inodes = new Set(readdirSync(`/proc/${daemon.proc.pid}/fd`).map((fd) => {
		try {
			return /socket:\[(\d+)\]/.exec(readlinkSync(`/proc/${daemon.proc.pid}/fd/${fd}`))?.[1];
		} catch {
			return undefined;
		}
	}));
	return readFileSync(`/proc/${daemon.proc.pid}/net/tcp`, 'utf8').split('\n').slice(1).map((l) => l.trim().split(/\s+/))
		.filter((f) => f[3] === '0A' && f[1]?.startsWith('0100007F') && inodes.has(f[9])).map((f) => Number.parseInt(f[1].split(':')[1], 16));
}

async function works() {
	const call = await establish(alice, bob, 'bob@beta.test');
	await hangUp(alice, call.a, bob, call.b);
}

test('a local process at either side of the joint gets nothing and breaks nothing', async () => {
	const ports = innerPorts(beta);
	assert.ok(ports.length >= 2, `the joint has two listeners: ${ports}`);
	const invite = (secret) => [`INVITE sip:bob@beta.test SIP/2.0`, 'Via: SIP/2.0/TCP 127.0.0.1:1;branch=z9hG4bKlocal',
		'Max-Forwards: 70', 'From: <sip:alice@alpha.test>;tag=1', 'To: <sip:bob@beta.test>', `Call-ID: local-${Math.random()}`, 'CSeq: 1 INVITE',
		'Contact: <sip:alice@127.0.0.1:1;transport=tcp>', ...(secret ? [`X-Sluss-Edge: ${secret}`] : []), 'Content-Length: 0', '', ''].join('\r\n');
	const fakes = [invite(), invite('00000000000000000000000000000000;conn=1.1;site=beta.test;addr=198.18.0.10:5061;via=tls;names=alpha.test'),
		invite(';site=beta.test;domain=gamma.test;token=1'),
		'SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP 127.0.0.1:1;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n',
		'nonsense\r\n\r\n', '\0\0\0\0', 'X'.repeat(200_000)];
	const tap = await capture(beta.host, 'port 5061');
	for (const port of ports) {
		for (const fake of fakes) {
			const { stdout } = await beta.host.exec([process.execPath, '-e', `
				const s = require('net').connect(${port}, '127.0.0.1', () => process.stdin.pipe(s));
				s.on('data', (d) => process.stdout.write(d)); s.on('error', () => {}); s.on('close', () => process.exit());
				setTimeout(() => process.exit(), 2000);`], { input: fake });
			assert.doesNotMatch(stdout, /SIP\/2\.0 (1|2|3|6)/, `port ${port}`);
		}
	}
	await bob.settled();
	assert.equal(bob.count('incoming'), 0);
	assert.deepEqual((await tap.stop()).filter((p) => p.src === '198.18.0.20' && p.flags & 2), [], 'nothing was dialled');
	await works();
});

test('ten thousand TLS connections: memory and descriptors come back', async () => {
	const n = Math.round(10_000 / (SLOW > 1 ? 10 : 1));
	const round = async (count) => {
		for (let i = 0; i < count; i += 20) {
			await Promise.all(Array.from({ length: 20 }, async () => {
				const link = await gamma.dial('198.18.0.20', 'beta.test');
				link.socket.destroy();
				await link.closed;
			}));
			gamma.links.length = 0;
		}
	};
	const descriptors = () => readdirSync(`/proc/${beta.proc.pid}/fd`).length;
	await round(n / 5);
	await until(10_000, () => descriptors() < 100, 'descriptors come back');
	const before = { rss: beta.rssKib(), fds: descriptors() };
	await round(n);
	await until(10_000, () => descriptors() <= before.fds + 2, 'descriptors come back');
	const grown = beta.rssKib() - before.rss;
	if (SLOW === 1)
		assert.ok(grown < 1500, `${n} connections left ${grown} KiB behind`);
	await works();
});

test('halves of handshakes and silent connections are closed in time', async () => {
	const { connect } = await import('node:net');
	const waits = [];
	for (const bytes of [Buffer.alloc(0), Buffer.from([0x16, 3, 1]), Buffer.from('INVITE sip:bob@beta.test SIP/2.0\r\n\r\n')]) {
		const socket = connect(5061, '198.18.0.20');
		socket.on('error', () => {});
		socket.on('connect', () => bytes.length && socket.write(bytes));
		socket.resume();
		waits.push(new Promise((resolve) => socket.on('close', resolve)));
	}
	const start = performance.now();
	await Promise.all(waits);
	assert.ok(performance.now() - start < 6000 * SLOW);
	await works();
});

test('a message in any pieces is one message; a broken frame ends its connection', async () => {
	const link = await gamma.dial('198.18.0.20', 'beta.test');
	const whole = (id, body) => Buffer.from([`INVITE sip:bob@beta.test SIP/2.0`, `Via: SIP/2.0/TLS 198.18.0.61:5061;branch=z9hG4bK${id}`, 'Max-Forwards: 70',
		'From: <sip:gunda@gamma.test>;tag=1', 'To: <sip:bob@beta.test>', `Call-ID: ${id}`, 'CSeq: 1 INVITE', 'Contact: <sip:gunda@198.18.0.61:5061;transport=tls>',
		'Content-Type: application/sdp', `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n'));
	const offer = sdp.offer('in pieces');
	const bytes = whole('pieces', offer);
	for (let i = 0; i < bytes.length; i += 97)
		link.socket.write(bytes.subarray(i, i + 97));
	const incoming = await bob.event('incoming');
	assert.equal(incoming.sdp, offer);
	await bob.request('reject', { call: incoming.call, reason: 'busy' });
	await gamma.wait((m) => m.status === 486, '486');
	await bob.event('ended', { call: incoming.call });
	for (const broken of [whole('x', 'y').toString().replace(/Content-Length: 1/, 'Content-Length: -1'),
		whole('x', 'y').toString().replace(/Content-Length: 1/, 'Content-Length: 99999999999'),
		whole('x', 'y').toString().replace(/Content-Length: 1\r\n/, ''), `INVITE ${'x'.repeat(300_000)}`]) {
		const on = await gamma.dial('198.18.0.20', 'beta.test');
		on.socket.write(broken);
		await Promise.race([on.closed, new Promise((_, reject) => setTimeout(() => reject(new Error('still open')), 8000 * SLOW))]);
	}
	await works();
});

test('certificates swapped under traffic: no call is lost, new handshakes show the new one', async () => {
	let stop = false;
	let made = 0;
	const traffic = (async () => {
		while (!stop) {
			await works();
			made++;
		}
	})();
	const eight = made + 8;
	for (let i = 0; i < 4; i++) {
		swap(beta.sites[0].pair, ca.leaf(`beta-swap-${i}`, { cn: 'beta.test' }));
		swap(alpha.sites[0].pair, ca.leaf(`alpha-swap-${i}`, { cn: 'alpha.test' }));
		const wanted = made + 3;
		await until(20_000, () => made >= wanted, 'calls go on');
	}
	await until(20_000, () => made >= eight, 'calls go on');
	stop = true;
	await traffic;
	await until(8000, async () => {
		const link = await gamma.dial('198.18.0.20', 'beta.test');
		const { serialNumber } = link.socket.getPeerCertificate();
		await link.close();
		const { stdout } = await world.here.exec(['openssl', 'x509', '-in', beta.sites[0].pair.cert, '-noout', '-serial']);
		return stdout.trim().toLowerCase() === `serial=${serialNumber.toLowerCase()}`;
	}, 'the new certificate is served');
});

test('an established call goes on while the certificate of its peer changes', async () => {
	const call = await establish(alice, bob, 'bob@beta.test');
	swap(alpha.sites[0].pair, ca.leaf('alpha-last', { cn: 'alpha.test' }));
	const offer = sdp.offer('after the swap');
	await alice.request('offer', { call: call.a, sdp: offer });
	assert.equal((await bob.event('offer', { call: call.b })).sdp, offer);
	await bob.request('answer', { call: call.b, sdp: sdp.answer('still here') });
	await alice.event('answer', { call: call.a });
	await hangUp(alice, call.a, bob, call.b);
});

test('a site is cut off in mid-call: what is said meanwhile arrives when it is back', async () => {
	const call = await establish(alice, bob, 'bob@beta.test');
	await beta.host.cable(false);
	const offer = sdp.offer('said into the void');
	await alice.request('offer', { call: call.a, sdp: offer });
	await alice.settled();
	assert.equal((await alpha.calls()).length, 1, 'the call is not given up at once');
	await beta.host.cable(true);
	assert.equal((await bob.event('offer', { call: call.b })).sdp, offer);
	await bob.request('answer', { call: call.b, sdp: sdp.answer('heard') });
	await alice.event('answer', { call: call.a });
	await beta.host.cable(false);
	await alice.request('hangup', { call: call.a });
	await alice.event('ended', { call: call.a });
	await beta.host.cable(true);
	await bob.event('ended', { call: call.b });
});

test('a peer that is down, down, down: descriptors come back after five hundred tries', async () => {
	dns.site('delta.test', '198.18.0.61', { targets: [{ priority: 0, weight: 0, port: 5999, host: 'sip', address: '198.18.0.61' }] });
	await dns.serve();
	const round = async (n) => {
		for (let i = 0; i < n; i += 4) {
			const ids = await Promise.all([1, 2, 3, 4].map(() => dial(bob, 'dora@delta.test')));
			for (const { id } of ids)
				assert.equal((await bob.event('ended', { call: id }, 20_000)).cause.reason, 'unreachable');
		}
	};
	await round(100);
	const before = readdirSync(`/proc/${beta.proc.pid}/fd`).length;
	await round(400);
	assert.ok(readdirSync(`/proc/${beta.proc.pid}/fd`).length <= before + 4);
	await works();
});
