// tests/bench/measure.mjs - reading what processes used, and the table that comes of it.
//
// CPU time is the scheduler's own count (schedstat, nanoseconds, user and system together) of the processes
// under test, never the wall clock; memory is VmRSS. Nothing is printed that was not measured in this run.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { BUILD, OUT } from '../lib/world.mjs';

/** CPU of each thread of a process so far, in ns: {name: ns}. Threads of one name are added up. */
export function threadTimes(pid) {
	const times = {};
	for (const tid of readdirSync(`/proc/${pid}/task`)) {
		const name = readFileSync(`/proc/${pid}/task/${tid}/comm`, 'utf8').trim();
		const ns = Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ')[0]);
		times[name] = (times[name] ?? 0) + ns;
	}
	return times;
}

/** A process and all it has forked, as threadTimes. */
export function treeTimes(pid) {
	const pids = [pid];
	for (const p of readdirSync('/proc').filter((d) => /^\d+$/.test(d))) {
		try {
			const stat = readFileSync(`/proc/${p}/stat`, 'utf8');
			if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid)
				pids.push(Number(p));
		} catch {
			// it ended meanwhile
		}
	}
	return { all: pids.reduce((sum, p) => sum + Object.values(threadTimes(p)).reduce((a, b) => a + b, 0), 0) };
}

/** Busy time of the whole machine in ns (all but idle and iowait), interrupts included. */
export function machineTime() {
	const [, user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8').split('\n')[0].split(/\s+/).map(Number);
	return (user + nice + system + irq + softirq) * 1e7;
}

export function rssKib(pid) {
	return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
}

export const sum = (times) => Object.values(times).reduce((a, b) => a + b, 0);
export const minus = (a, b) => Object.fromEntries(Object.entries(a).map(([k, v]) => [k, v - (b[k] ?? 0)]));
export const scaled = (a, f) => Object.fromEntries(Object.entries(a).map(([k, v]) => [k, v * f]));
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function median(values) {
	const v = [...values].sort((a, b) => a - b);
	return v.length % 2 ? v[(v.length - 1) / 2] : (v[v.length / 2 - 1] + v[v.length / 2]) / 2;
}

/** What `pids` (name: pid) use while `work` runs, less what they use when left alone as long.
 *  Gives {seconds, machine_ns, NAME: {thread: ns}}. */
export async function during(pids, work, times = threadTimes) {
	const read = () => Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, times(pid)]));
	const idle0 = read();
	await pause(1000);
	const before = read();
	const machine = machineTime();
	const start = performance.now();
	const result = await work();
	const seconds = (performance.now() - start) / 1000;
	const after = read();
	const out = { seconds, machine_ns: machineTime() - machine, result };
	for (const name of Object.keys(pids))
		out[name] = minus(minus(after[name], before[name]), scaled(minus(before[name], idle0[name]), seconds));
	return out;
}

/** The load driver: tests/bench/load.h says how it is spoken to. */
export class Load {
	constructor(scenario, options) {
		const args = Object.entries(options).flatMap(([k, v]) => (v === true ? [`--${k}`] : [`--${k}`, String(v)]));
		this.child = spawn(join(BUILD, 'tests/bench/sluss_load'), [scenario, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
		this.child.stdin.on('error', () => {});
		this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
		this.exited = new Promise((resolve) => this.child.on('exit', resolve));
		this.what = `sluss_load ${scenario} ${args.join(' ')}`;
	}

	static async start(scenario, options) {
		const load = new Load(scenario, options);
		load.ready = await load.#answer('ready');
		return load;
	}

	async #answer(word) {
		const { value, done } = await this.lines.next();
		if (done || !value.startsWith(`${word} `))
			throw new Error(`${this.what}: no "${word}" (exit ${await this.exited})`);
		return JSON.parse(value.slice(word.length + 1));
	}

	/** Runs the scenario to its end; everything stays open. */
	go() {
		this.child.stdin.write('go\n');
		return this.#answer('done');
	}

	async quit() {
		this.child.stdin.write('quit\n');
		await this.exited;
	}
}

/** The rows of a benchmark. */
export class Table {
	/** @param more  goes on with the table that another program has written in this run */
	constructor(name, { more = false } = {}) {
		this.name = name;
		this.file = join(OUT, '..', `${name}.json`);
		this.rows = more ? JSON.parse(readFileSync(this.file, 'utf8')) : [];
	}

	/** ours, theirs: numbers, or arrays of which the median counts; the ratio is the median of the rounds'. */
	row(what, unit, ours, { against = '', theirs = null, must = null } = {}) {
		const one = (v) => (Array.isArray(v) ? median(v) : v);
		const round = (v) => (v === null ? null : Number(v.toPrecision(4)));
		let ratio = null;
		if (theirs !== null) {
			ratio = Array.isArray(ours) && Array.isArray(theirs) && ours.length === theirs.length
				? median(ours.map((v, i) => v / theirs[i])) : one(ours) / one(theirs);
		}
		this.rows.push({ what, unit, ours: round(one(ours)), against, theirs: round(one(theirs)), ratio: round(ratio), must });
		this.#line(this.rows.at(-1));
	}

	#line({ what, unit, ours, against, theirs, ratio, must }) {
		const n = (v) => (v === null ? '' : String(v));
		const verdict = must === null ? '' : ratio <= must ? 'ok' : 'OVER';
		console.log(`${what.padEnd(74)} ${n(ours).padStart(9)} ${unit.padEnd(6)} ${n(theirs).padStart(9)} ${n(ratio).padStart(7)} ${n(must).padStart(6)} ${verdict.padEnd(4)} ${against}`);
	}

	head() {
		console.log(`${'what'.padEnd(74)} ${'ours'.padStart(9)} ${'unit'.padEnd(6)} ${'theirs'.padStart(9)} ${'ratio'.padStart(7)} ${'must'.padStart(6)}      against`);
	}

	/** Writes the file; gives whether every ratio is within its must. */
	write() {
		writeFileSync(this.file, JSON.stringify(this.rows, null, '\t') + '\n');
		return this.rows.every((r) => r.must === null || r.ratio <= r.must);
	}
}
