// tests/lib/world.mjs - hosts (network namespaces) on the world's bridge, and the processes in them.
//
// A test file runs inside tests/lib/world.sh, on the bridge itself (198.18.0.1). It makes hosts:
//
//   const world = new World();                       const alpha = await world.host('alpha', 10);
//   const proc = alpha.spawn(['nsd', '-d'], {});     await proc.line(/ready/);      await world.close();
//
// Whatever is left running ends with the world; close() is there to end things in order and to look at what
// they said: a sanitizer's report anywhere fails the test that calls it.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { judge } from './witness.mjs';

const run = promisify(execFile);

export const TOP = process.env.SLUSS_TOP ?? process.cwd();
export const BUILD = process.env.SLUSS_BUILD ?? join(TOP, 'build/dev');
export const OUT = process.env.SLUSS_OUT ?? join(TOP, 'build/test/by-hand');
/** Time limits are multiplied by this under sanitizers and valgrind. */
export const SLOW = Number(process.env.SLUSS_SLOW ?? 1);

mkdirSync(OUT, { recursive: true });

/** Rejects with `what` when `promise` has not settled after `ms` (times SLOW). */
export async function within(ms, promise, what) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`not within ${ms * SLOW} ms: ${what}`)), ms * SLOW);
	});
	try {
		return await Promise.race([promise, late]);
	} finally {
		clearTimeout(timer);
	}
}

/** Asks again and again until `probe` gives something true: only for what sends no event of its own. */
export async function until(ms, probe, what) {
	const end = Date.now() + ms * SLOW;
	let last;
	for (;;) {
		try {
			last = await probe();
			if (last)
				return last;
		} catch (error) {
			if (error.fatal)
				throw error;
			last = error;
		}
		if (Date.now() > end)
			throw new Error(`not within ${ms * SLOW} ms: ${what} (last: ${last?.message ?? last})`);
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
}

/** A program of tests/lib, NAME.c, built where the world is; gives its file. `flags` as for a shared library. */
export function compiled(world, name, flags = []) {
	const file = join(world.dir, name);
	if (!existsSync(file))
		execFileSync('cc', ['-O1', '-Wall', '-Wextra', '-Werror', ...flags, '-o', file, join(TOP, `tests/lib/${name}.c`), '-ldl']);
	return file;
}

/** A running program whose lines can be awaited. Its output also goes to OUT/NAME.log. */
export class Proc {
	constructor(name, child) {
		this.name = name;
		this.child = child;
		this.lines = [];
		this.waiting = new Set();
		this.file = join(OUT, `${name}.log`);
		writeFileSync(this.file, '');
		this.exited = new Promise((resolve) => {
			child.on('exit', (code, signal) => {
				this.over = { code, signal };
			});
			child.on('close', () => {
				for (const w of this.waiting)
					w.reject(new Error(`${name} ended (${this.over?.code ?? this.over?.signal}) before ${w.pattern}; it said: ${this.lines.slice(-8).join('\n')}`));
				resolve(this.over);
			});
			child.on('error', (error) => {
				this.over = { code: -1, error };
				resolve(this.over);
			});
		});
		for (const stream of [child.stdout, child.stderr]) {
			let rest = '';
			stream?.setEncoding('utf8');
			stream?.on('data', (text) => {
				appendFileSync(this.file, text);
				const parts = (rest + text).split('\n');
				rest = parts.pop();
				for (const part of parts)
					this.#line(part);
			});
			stream?.on('end', () => rest && this.#line(rest));
		}
	}

	get pid() {
		return this.child.pid;
	}

	get text() {
		return this.lines.join('\n');
	}

	#line(line) {
		this.lines.push(line);
		for (const w of this.waiting) {
			if (w.pattern.test(line)) {
				this.waiting.delete(w);
				w.resolve(line);
			}
		}
	}

	/** The first line from number `from` on that matches, now or later. */
	line(pattern, ms = 10_000, from = 0) {
		const seen = this.lines.slice(from).find((l) => pattern.test(l));
		if (seen !== undefined)
			return Promise.resolve(seen);
		if (this.over)
			return Promise.reject(new Error(`${this.name} has ended: ${this.text.slice(-2000)}`));
		const w = { pattern };
		const found = new Promise((resolve, reject) => Object.assign(w, { resolve, reject }));
		this.waiting.add(w);
		return within(ms, found, `${this.name} says ${pattern}`).finally(() => this.waiting.delete(w));
	}

	/** Ends it and gives how it ended. */
	async stop(signal = 'SIGTERM', ms = 10_000) {
		if (!this.over)
			this.child.kill(signal);
		try {
			return await within(ms, this.exited, `${this.name} ends on ${signal}`);
		} catch (error) {
			this.child.kill('SIGKILL');
			throw error;
		}
	}
}

export class Host {
	constructor(world, name, address) {
		this.world = world;
		this.name = name;
		this.address = address;
	}

	/** The command line that runs `argv` in this host's network. */
	inside(argv) {
		return ['nsenter', `--net=/run/netns/${this.name}`, '--', ...argv];
	}

	spawn(argv, { name = `${this.name}-${argv[0].split('/').pop()}`, env = {}, stdio, cwd } = {}) {
		const [file, ...args] = this.inside(argv);
		const child = spawn(file, args, {
			env: { ...process.env, ...env }, cwd: cwd ?? this.world.dir, stdio: stdio ?? ['ignore', 'pipe', 'pipe'],
		});
		const proc = new Proc(name, child);
		this.world.procs.push(proc);
		return proc;
	}

	/** Runs to the end. Gives {code, stdout, stderr}; never rejects for an exit status. */
	async exec(argv, { input, ms = 20_000, env = {} } = {}) {
		const [file, ...args] = this.inside(argv);
		const child = spawn(file, args, { env: { ...process.env, ...env }, cwd: this.world.dir, stdio: 'pipe' });
		const out = { stdout: '', stderr: '' };
		for (const which of ['stdout', 'stderr'])
			child[which].setEncoding('utf8').on('data', (text) => (out[which] += text));
		child.stdin.on('error', () => {});
		child.stdin.end(input ?? '');
		const done = new Promise((resolve, reject) => {
			child.on('close', (code, signal) => resolve({ code: code ?? signal, ...out }));
			child.on('error', reject);
		});
		try {
			return await within(ms, done, `${argv.join(' ')} ends`);
		} catch (error) {
			child.kill('SIGKILL');
			throw error;
		}
	}

	/** Of the datagrams that come to this host from `address`, so many of a hundred are lost on the way; 0: none any
	 *  more. (In the kernel's packet filter: netem is not in every kernel.) */
	async lose(percent, address) {
		const rules = ['table ip lossy', 'delete table ip lossy', ...(percent > 0 ? ['table ip lossy { chain in { type filter hook input priority 0; '
			+ `ip saddr ${address} meta l4proto udp numgen random mod 100 < ${percent} drop; }; }`] : [])];
		const { code, stderr } = await this.exec(['nft', '-f', '-'], { input: `${rules.join('\n')}\n` });
		if (code !== 0)
			throw new Error(`nft: ${stderr}`);
	}

	/** From now on its cable is a long one: `ms` from here to there and back, and of a hundred packets each way
	 *  `percent` are lost. To be said before anything runs in the host: its card is another one afterwards. */
	async far({ ms, percent }) {
		const near = `far${this.card.slice(4)}`, there = `own${this.card.slice(4)}`;
		this.distance = this.world.here.spawn([compiled(this.world, 'distance'), near, there, String(ms * 500), String(percent * 100), '1'],
			{ name: `distance-${this.name}` });
		await this.distance.line(/^ready/);
		await run('ip', ['link', 'del', this.card]);
		await run('ip', ['link', 'set', there, 'netns', this.name, 'name', 'eth0']);
		this.card = near;
		await this.#plugIn();
	}

	/** The host's end of its cable is up, and the other one is in the bridge. */
	async #plugIn() {
		await run('sh', ['-c', `echo 1 >/proc/sys/net/ipv6/conf/${this.card}/disable_ipv6`]);
		await run('ip', ['link', 'set', this.card, 'master', 'br0', 'up']);
		await this.does(`echo 1 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6
			ip link set lo up; ip addr add ${this.address}/24 dev eth0; ip link set eth0 up
			ip route add default via 198.18.0.1`);
	}

	/** Its first cable, an ordinary one. */
	async cabled(n) {
		this.card = `veth${n}`;
		await run('ip', ['link', 'add', this.card, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.name]);
		await this.#plugIn();
		return this;
	}

	/** A second network card, eth1 with 198.18.0.`n`; it is the way out when eth0 is none. */
	async second(n) {
		const card = `veth${n}`;
		await run('ip', ['link', 'add', card, 'type', 'veth', 'peer', 'name', 'eth1', 'netns', this.name]);
		await run('sh', ['-c', `echo 1 >/proc/sys/net/ipv6/conf/${card}/disable_ipv6`]);
		await run('ip', ['link', 'set', card, 'master', 'br0', 'up']);
		await this.does(`echo 1 >/proc/sys/net/ipv6/conf/eth1/disable_ipv6
			ip addr add 198.18.0.${n}/24 dev eth1 metric 200; ip link set eth1 up
			ip route add default via 198.18.0.1 dev eth1 metric 200`);
		return `198.18.0.${n}`;
	}

	/** Runs a script in the host's network; rejects when a line of it fails. */
	async does(script) {
		const { code, stderr } = await this.exec(['sh', '-ec', script]);
		if (code !== 0)
			throw new Error(`host ${this.name}: ${stderr}`);
	}

	/** Takes the host's cable out, and puts it in again. */
	async cable(up) {
		await run('ip', ['link', 'set', this.card, up ? 'up' : 'down']);
	}
}

/** The bridge itself, as a host: where the test's own sockets are. */
class Here extends Host {
	inside(argv) {
		return argv;
	}
}

export class World {
	constructor() {
		if (process.env.SLUSS_WORLD !== 'inside')
			throw new Error('run this by ./dev test, or tests/lib/world.sh node --test FILE');
		this.dir = join('/run', `world-${process.pid}`);
		mkdirSync(this.dir, { recursive: true, mode: 0o755 });
		this.procs = [];
		this.hosts = new Map();
		this.closing = [];
		this.here = new Here(this, 'here', '198.18.0.1');
	}

	/** A new host with eth0 198.18.0.`n`, a default route that leads nowhere, and no IPv6. */
	async host(name, n) {
		const address = `198.18.0.${n}`;
		await run('ip', ['netns', 'add', name]);
		const host = await new Host(this, name, address).cabled(n);
		this.hosts.set(name, host);
		return host;
	}

	/** One more address for the test's own servers: 198.18.0.`n` on the bridge. */
	async address(n) {
		const address = `198.18.0.${n}`;
		await run('ip', ['addr', 'add', `${address}/24`, 'dev', 'br0']);
		return address;
	}

	/** Something to be done before the processes are ended, last one first. */
	onClose(h) {
		this.closing.push(h);
	}

	async close() {
		const faults = [];
		await judge().catch((error) => faults.push(error.message)); // what the sites have signed
		for (const h of this.closing.reverse()) {
			try {
				await h();
			} catch (error) {
				faults.push(error.message);
			}
		}
		for (const proc of this.procs.toReversed()) {
			try {
				await proc.stop();
			} catch (error) {
				faults.push(error.message);
			}
			const { code, signal } = proc.over ?? {};
			if (proc.clean && (code || (signal && signal !== 'SIGKILL')))
				faults.push(`${proc.name} ended with ${code ?? signal}: ${proc.lines.slice(-30).join('\n')}`);
			const report = proc.lines.findIndex((l) =>
				/(Address|Leak|Thread|UndefinedBehavior)Sanitizer|runtime error:|Assertion .* failed|ERROR SUMMARY: [1-9]/.test(l));
			if (report >= 0)
				faults.push(`${proc.name}: ${proc.lines.slice(report, report + 40).join('\n')}`);
		}
		if (faults.length > 0)
			throw new Error(faults.join('\n'));
	}
}

/** One datagram from the bridge, for Capture.mark(). */
export function datagram(address, port, text) {
	return new Promise((resolve, reject) => {
		const socket = createSocket('udp4');
		socket.send(text, port, address, (error) => {
			socket.close();
			error ? reject(error) : resolve();
		});
	});
}
