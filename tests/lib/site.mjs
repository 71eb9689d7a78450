// tests/lib/site.mjs - slussd as an operator runs it: configuration file, start, readiness, slussctl, stop.
//
//   const { world, alpha, beta } = await twoSites();            alpha.test and beta.test, DNS and certificates
//   await alpha.addUser('alice');                               password: PASSWORD
//   const { json } = await alpha.ctl('calls');                  slussctl --json calls
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Authority } from './ca.mjs';
import { Client, http } from './client.mjs';
import { Dns } from './dns.mjs';
import { BUILD, TOP, until, World } from './world.mjs';
import { serves } from './witness.mjs';

export const PASSWORD = 'correct horse battery';

const text = (value) => `"${String(value).replace(/[\\"]/g, '\\$&')}"`;

export class Daemon {
	/** @param sites  [{domain, pair, lines: []}]; the first one gives url and domain. */
	constructor(world, host, { sites, trust, sip = [], http: web = [], limits = {}, lines = [], listen, httpListen, mediaPort,
		root = join(TOP, 'webrtc'), idpRoot = join(TOP, 'idp/proxy') }) {
		Object.assign(this, { world, host, sites, trust, sip, web, limits, lines, root, idpRoot, mediaPort });
		this.domain = sites[0].domain;
		this.listen = listen ?? [`tls:${host.address}:5061`];
		this.httpListen = httpListen ?? [`${host.address}:443`];
		this.dir = join(world.dir, host.name);
		mkdirSync(this.dir, { recursive: true, mode: 0o755 });
		this.socket = join(this.dir, 'control');
		this.config = join(this.dir, 'sluss.conf');
		this.store = join(this.dir, 'sluss.db');
		this.starts = 0;
	}

	get url() {
		return `https://${this.domain}/`;
	}

	get ca() {
		return readFileSync(this.trust);
	}

	/** The identity provider of a site, for http(). */
	idp(domain = this.domain) {
		return { domain: `idp.${domain}`, url: `https://idp.${domain}/`, ca: this.ca };
	}

	/** A site of this daemon, for Client and http(): by default the first. */
	at(domain) {
		return { domain, url: `https://${domain}/`, ca: this.ca };
	}

	write() {
		const list = (values) => `{${values.map(text).join(', ')}}`;
		const out = [];
		for (const { domain, pair, lines = [] } of this.sites) {
			/* Media from browser to browser, unless the test is about hiding addresses. */
			const relay = lines.some((l) => l.startsWith('relay')) ? [] : ['relay = never'];

			out.push(`site ${text(domain)} {`, `\tcertificate = ${text(pair.cert)}`, `\tkey = ${text(pair.key)}`,
				...[...relay, ...lines].map((l) => `\t${l}`), '}');
		}
		out.push('http {', `\tlisten = ${list(this.httpListen)}`, `\troot = ${text(this.root)}`,
			`\tidp-root = ${text(this.idpRoot)}`, ...this.web.map((l) => `\t${l}`), '}');
		out.push('sip {', `\tlisten = ${list(this.listen)}`, `\ttrust = ${text(this.trust)}`, ...this.sip.map((l) => `\t${l}`), '}');
		if (this.mediaPort !== undefined)
			out.push('media {', `\tport = ${this.mediaPort}`, '}');
		out.push('store {', `\tsqlite = ${text(this.store)}`, '}');
		out.push('control {', `\tsocket = ${text(this.socket)}`, '}', ...this.lines);
		out.push('limits {', ...Object.entries({ 'password-cost': 10, 'calls-per-user-minute': 1000, ...this.limits }).map(([k, v]) => `\t${k} = ${v}`), '}', '');
		writeFileSync(this.config, out.join('\n'));
		return this;
	}

	command(args) {
		const slussd = join(BUILD, 'slussd');
		if (process.env.SLUSS_VALGRIND !== '1')
			return [slussd, ...args];
		return ['valgrind', '--quiet', '--error-exitcode=98', '--leak-check=full', '--errors-for-leak-kinds=definite',
			`--suppressions=${join(TOP, 'tests/lib/valgrind.supp')}`, '--child-silent-after-fork=yes', slussd, ...args];
	}

	/** Starts it with the configuration as it is, and waits until it serves. */
	async start({ env = {}, args = [] } = {}) {
		for (const { domain } of this.sites)
			serves(domain, this.host.address);
		this.proc = this.host.spawn(this.command(['-c', this.config, ...args]), { name: `slussd-${this.host.name}-${++this.starts}`, env });
		this.proc.clean = true; /* world.close() fails when it ends in any other way */
		await this.ready();
		return this;
	}

	async ready() {
		await until(20_000, async () => {
			if (this.proc.over)
				throw Object.assign(new Error(`slussd ended: ${this.proc.text.slice(-1500)}`), { fatal: true });
			/* HTTPS is bound while slussd still has root; the control socket comes last. */
			return existsSync(this.socket) && (await http(this, 'GET', '/healthz')).status === 200;
		}, `${this.domain} serves; it said ${this.proc.text.slice(-1500)}`);
	}

	/** Orderly stop; gives {code, signal}. */
	stop(signal = 'SIGTERM') {
		return this.proc.stop(signal, 15_000);
	}

	/** slussctl ARGS: {code, stdout, stderr, json}. */
	async ctl(...args) {
		const done = await this.host.exec([join(BUILD, 'slussctl'), '-s', this.socket, '--json', ...args.filter((a) => typeof a === 'string')],
			{ input: args.find((a) => typeof a === 'object')?.input });
		try {
			done.json = JSON.parse(done.stdout);
		} catch {
			done.json = undefined;
		}
		return done;
	}

	async addUser(user, { domain = this.domain, password = PASSWORD } = {}) {
		const done = await this.ctl('user', 'add', `${user}@${domain}`, { input: `${password}\n` });
		if (done.code !== 0)
			throw new Error(`user add ${user}@${domain}: ${done.stdout}${done.stderr}`);
	}

	/** Adds the user if need be and signs a program in. */
	client(user, device, domain = this.domain) {
		return Client.signIn(this.at(domain), user, PASSWORD, device);
	}

	calls() {
		return this.ctl('calls').then(({ json }) => json);
	}

	/** Waits until no call is left. */
	idle() {
		return until(10_000, async () => (await this.calls()).length === 0, `${this.domain} has no calls`);
	}

	rssKib() {
		return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.proc.pid}/status`, 'utf8'))[1]);
	}
}

/** alpha.test on 198.18.0.10 and beta.test on 198.18.0.20, found by DNS, proved by one CA; started unless
 *  `start` is false. `tune(daemonOptions, name, ca)` may change the options of each before it is written.
 *  `idp`: their certificates cover idp.alpha.test and idp.beta.test, so that each has an identity provider. */
export async function twoSites({ users = { alpha: ['alice', 'anna'], beta: ['bob', 'berta'] }, start = true, idp = false, tune = () => {} } = {}) {
	const world = new World();
	const ca = new Authority(join(world.dir, 'ca'));
	const dns = new Dns(world);
	const set = { world, ca, dns };
	for (const [name, n] of [['alpha', 10], ['beta', 20]]) {
		const host = await world.host(name, n);
		const domain = `${name}.test`;
		dns.site(domain, host.address, { idp });
		const options = { sites: [{ domain, pair: idp ? ca.withIdp(domain) : ca.valid(domain) }], trust: ca.root };
		tune(options, name, ca);
		set[name] = Object.assign(new Daemon(world, host, options), { hasIdp: idp });
		set[name].write();
	}
	await dns.serve();
	if (start) {
		for (const name of ['alpha', 'beta']) {
			await set[name].start();
			for (const user of users[name] ?? [])
				await set[name].addUser(user);
		}
	}
	return set;
}

