// The world itself: two hosts, a DNS server, certificates, a capture. If this fails, nothing else means anything.
//   alpha (.10) ──udp──► beta (.20)        tester (.1) ──dns──► nsd (.53)
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { resolve4, resolveSrv } from 'node:dns/promises';
import { lookup } from 'node:dns/promises';
import { after, before, test } from 'node:test';
import { Authority, spkiHash } from '../lib/ca.mjs';
import { capture } from '../lib/capture.mjs';
import { Dns } from '../lib/dns.mjs';
import { World } from '../lib/world.mjs';

let world, alpha, beta, dns;

before(async () => {
	world = new World();
	alpha = await world.host('alpha', 10);
	beta = await world.host('beta', 20);
	dns = new Dns(world);
	dns.site('alpha.test', alpha.address).site('beta.test', beta.address);
	await dns.serve();
});
after(() => world?.close());

test('names resolve through the system and by SRV', async () => {
	assert.equal((await lookup('alpha.test')).address, '198.18.0.10');
	assert.deepEqual(await resolve4('sip.beta.test'), ['198.18.0.20']);
	assert.equal((await resolveSrv('_sips._tcp.beta.test'))[0].name, 'sip.beta.test');
	await assert.rejects(resolve4('nobody.alpha.test'), { code: 'ENOTFOUND' });
});

test('a zone can change', async () => {
	dns.zone('gamma.test', ['@ A 198.18.0.99']);
	await dns.serve();
	assert.deepEqual(await resolve4('gamma.test'), ['198.18.0.99']);
});

test('a capture sees what passes a host, marks included', async () => {
	const tap = await capture(beta, 'udp');
	await alpha.exec(['bash', '-c', 'echo before >/dev/udp/198.18.0.20/4000']);
	const mark = await tap.mark();
	await alpha.exec(['bash', '-c', 'echo after >/dev/udp/198.18.0.20/4000']);
	const packets = (await tap.stop()).filter((p) => p.dport === 4000);
	assert.deepEqual(packets.map((p) => [p.src, p.data.toString(), p.mark >= mark]),
		[['198.18.0.10', 'before\n', false], ['198.18.0.10', 'after\n', true]]);
});

test('a far host: 100 ms there and back, 2 of a hundred packets each way are lost, and nothing else is', async () => {
	const gamma = await world.host('gamma', 30);
	await gamma.far({ ms: 100, percent: 2 });
	const echo = gamma.spawn(['python3', '-uc', `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('${gamma.address}', 4000))
print('listens')
while True: s.sendto(*s.recvfrom(99))`], { name: 'echo' });
	await echo.line(/listens/);
	const socket = createSocket('udp4'), times = [];
	socket.on('message', (bytes) => times.push(performance.now() - Number(bytes)));
	for (let i = 0; i < 1000; i++) {
		socket.send(String(performance.now()), 4000, gamma.address);
		await new Promise((resolve) => setTimeout(resolve, 2));
	}
	await new Promise((resolve) => setTimeout(resolve, 300)); // twice the way of the last one
	socket.close();
	times.sort((x, y) => x - y);
	assert.ok(times[0] >= 100 && times[times.length >> 1] < 110, `${times[0]} to ${times.at(-1)} ms, half within ${times[times.length >> 1]}`);
	assert.ok(times.length > 930 && times.length < 985, `${times.length} of 1000, of which 960 should be left`);
	await gamma.distance.stop();
	const counts = [...gamma.distance.text.matchAll(/carried (\d+), lost (\d+), overrun (\d+)/g)].map((m) => m.slice(1).map(Number));
	assert.equal(counts.length, 2);
	for (const [carried, gone, overrun] of counts) {
		assert.ok(gone > carried * 0.01 && gone < carried * 0.03, String(counts));
		assert.equal(overrun, 0);
	}
});

test('certificates of every kind', () => {
	const ca = new Authority(`${world.dir}/ca`);
	const verify = (pair) => {
		try {
			return execFileSync('openssl', ['verify', '-CAfile', ca.root, '-untrusted', ca.intermediate, pair.cert], { stdio: 'pipe' }).toString();
		} catch (error) {
			return error.stderr.toString();
		}
	};
	assert.match(verify(ca.valid('alpha.test')), /: OK/);
	assert.match(verify(ca.expired('alpha.test')), /certificate has expired/);
	assert.match(verify(ca.notYet('alpha.test')), /not yet valid/);
	const text = (pair) => execFileSync('openssl', ['x509', '-in', pair.cert, '-noout', '-text']).toString();
	assert.match(text(ca.uriSan('alpha.test')), /URI:sip:alpha.test/);
	assert.match(text(ca.wildcard('alpha.test')), /DNS:\*\.test/);
	assert.doesNotMatch(text(ca.cnOnly('alpha.test')), /Subject Alternative Name/);
	assert.match(spkiHash(ca.valid('beta.test').cert), /^[A-Za-z0-9+/]{43}=$/);
});
