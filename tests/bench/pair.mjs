// tests/bench/pair.mjs - two slussd in one network, alpha.test and beta.test, joined by SIP over mutual TLS on
// loopback, with users u0, u1, … each; and the certificates of all who take part in the benchmark.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Authority } from '../lib/ca.mjs';
import { Daemon } from '../lib/site.mjs';
import { DnsFaults } from '../abuse/lib/dns_faults.mjs';

const LIMITS = {
	'calls-per-user': 1000, 'calls-per-user-minute': 10_000, 'devices-per-user': 1000, 'calls-per-peer': 100_000,
	'http-connections-per-address': 20_000, 'ws-rate': 10_000, 'login-tries-address': 100_000,
};

export class Site extends Daemon {
	get url() {
		return `https://${this.domain}:${this.port}/`;
	}
}

let ca, names;
export function authority(world) {
	ca ??= new Authority(join(world.dir, 'ca'));
	return ca;
}

/** One site: HTTPS on 127.0.0.1:port, SIP on port + 1, media on port + 5. `peers`: {domain: SIP port}. */
export async function site(world, domain, port, { users = 0, peers = {}, limits = {} } = {}) {
	const auth = authority(world);
	names ??= await DnsFaults.listen(await world.address(53)); // for our own HTTP client
	names.records(domain, 'A', [{ address: '127.0.0.1' }]);
	const host = { name: `${domain}-${port}`, address: '127.0.0.1', spawn: (...a) => world.here.spawn(...a), exec: (...a) => world.here.exec(...a) };
	const s = new Site(world, host, {
		sites: [{ domain, pair: auth.valid(domain), lines: [`origins = {"https://${domain}:${port}"}`] }], trust: auth.root, limits: { ...LIMITS, ...limits },
		listen: [`tls:127.0.0.1:${port + 1}`], httpListen: [`127.0.0.1:${port}`], mediaPort: port + 5, sip: ['private-targets = true'],
		lines: ['log { level = "warn" }', ...Object.entries(peers).map(([d, p]) => `peer "${d}" { address = "tls:127.0.0.1:${p}" }`)],
	});
	mkdirSync(s.dir, { recursive: true });
	s.port = port;
	s.spec = `${domain}=127.0.0.1:${port}`; // as sluss_load wants it
	s.write();
	return s;
}

/** Starts alpha and beta with `users` users each. */
export async function pairOfSites(world, { users, port = 20_000 }) {
	const alpha = await site(world, 'alpha.test', port, { peers: { 'beta.test': port + 11, 'peer.test': port + 21 } });
	const beta = await site(world, 'beta.test', port + 10, { peers: { 'alpha.test': port + 1 } });
	for (const s of [alpha, beta]) {
		await s.start();
		for (let i = 0; i < users; i++)
			await s.addUser(`u${i}`);
	}
	return { alpha, beta };
}
