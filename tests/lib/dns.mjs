// tests/lib/dns.mjs - the world's DNS server: nsd with a zone a domain, on the host "dns" (198.18.0.53).
import { mkdirSync, writeFileSync } from 'node:fs';
import { Resolver } from 'node:dns/promises';
import { join } from 'node:path';
import { until } from './world.mjs';

/** The records of a calling site: NAPTR, SRV, A. `targets`: [{priority, weight, port, host, address}]; `idp`: its
 *  identity provider, too. */
export function siteRecords(domain, address, { targets, naptr = true, idp = false } = {}) {
	targets ??= [{ priority: 0, weight: 0, port: 5061, host: 'sip', address }];
	const lines = [`@ A ${address}`, ...(idp ? [`idp A ${address}`] : [])];
	if (naptr)
		lines.push(`@ NAPTR 10 10 "s" "SIPS+D2T" "" _sips._tcp.${domain}.`);
	for (const t of targets)
		lines.push(`_sips._tcp SRV ${t.priority} ${t.weight} ${t.port} ${t.host}.${domain}.`);
	for (const [host, a] of new Map(targets.map((t) => [t.host, t.address])))
		lines.push(`${host} A ${a}`);
	return lines;
}

export class Dns {
	constructor(world) {
		this.world = world;
		this.zones = new Map();
		this.serial = 1;
	}

	/** Sets a zone's records (RFC 1035 lines, relative to the domain); serve() makes it so. */
	zone(domain, lines) {
		this.zones.set(domain, lines);
		return this;
	}

	site(domain, address, options) {
		return this.zone(domain, siteRecords(domain, address, options));
	}

	/** Starts the server, or starts it anew with the zones as they are now. */
	async serve() {
		this.host ??= await this.world.host('dns', 53);
		const dir = join(this.world.dir, 'nsd');
		mkdirSync(dir, { recursive: true });
		const serial = this.serial++;
		const probe = `s${serial}`;
		const conf = ['server:', ' ip-address: 198.18.0.53', ' port: 53', ' username: ""', ` zonesdir: "${dir}"`,
			' database: ""', ' pidfile: ""', ' do-ip6: no', ' server-count: 1', ' rrl-ratelimit: 0', ' minimal-responses: no',
			'remote-control:', ' control-enable: no'];
		for (const [domain, lines] of [...this.zones, ['probe.test', [`${probe} A 198.18.0.53`]]]) {
			writeFileSync(join(dir, domain), [`$ORIGIN ${domain}.`, '$TTL 1',
				`@ SOA ns.${domain}. admin.${domain}. ${serial} 60 60 60 1`, `@ NS ns.${domain}.`, 'ns A 198.18.0.53', ...lines, ''].join('\n'));
			conf.push('zone:', ` name: ${domain}`, ` zonefile: ${domain}`);
		}
		writeFileSync(join(dir, 'nsd.conf'), conf.join('\n') + '\n');
		await this.proc?.stop();
		this.proc = this.host.spawn(['nsd', '-d', '-c', join(dir, 'nsd.conf')], { name: `nsd-${serial}` });
		const resolver = new Resolver({ timeout: 500, tries: 1 });
		resolver.setServers(['198.18.0.53']);
		await until(10_000, async () => (await resolver.resolve4(`${probe}.probe.test`)).length, 'nsd answers');
	}

	async stop() {
		await this.proc?.stop();
		this.proc = undefined;
	}
}
