// tests/bench/soak.mjs - two sites under calls of every fate: taken, declined, busy, cancelled, devices cut off by
// RST in ringing and in talk, several devices a user. Nothing may be left of them afterwards.
//
//   40 devices ══ WSS ══► alpha ══ SIP ══► beta ◄══ WSS ══ 40 devices
//
// A tenth of the time goes first, to reach the level that the rest is compared with. Run by tests/bench/soak.
import { readdirSync } from 'node:fs';
import { PASSWORD } from '../lib/site.mjs';
import { until, World } from '../lib/world.mjs';
import { Load, pause, rssKib } from './measure.mjs';
import { pairOfSites } from './pair.mjs';

const [seconds, rate] = process.argv.slice(2).map(Number);
const LINGER_MS = 40_000; // SIP transactions stay for 32 s (RFC 3261 §17, timers H, J, D)
const world = new World();
const faults = [];
const { alpha, beta } = await pairOfSites(world, { users: 20 });
const daemons = { alpha, beta };

async function load(s, seed) {
	const run = await Load.start('soak', { a: alpha.spec, b: beta.spec, password: PASSWORD, users: 20, devices: 40, rate, seconds: s, timeout: 90, seed });
	const result = await run.go();
	await run.quit();
	console.log(`${s} s: ${result.started} calls, ${result.answered} answered, ${result.down} devices cut off, ${result.lost} without an end`);
	if (result.lost > 0)
		faults.push(`${result.lost} calls got no end: ${result.failures}`);
	return result;
}

async function level() {
	for (const [name, d] of Object.entries(daemons)) {
		await until(20_000, async () => (await d.calls()).length === 0, `${name} has no calls left`).catch((e) => faults.push(e.message));
		await until(20_000, async () => (await d.ctl('devices')).json.length === 0, `${name} has no devices left`).catch((e) => faults.push(e.message));
	}
	await pause(LINGER_MS);
	return Object.fromEntries(Object.entries(daemons).map(([name, d]) =>
		[name, { rss_kib: rssKib(d.proc.pid), fds: readdirSync(`/proc/${d.proc.pid}/fd`).length }]));
}

await load(Math.max(Math.ceil(seconds / 10), 5), 1);
const start = await level();
const result = await load(seconds, 2);
const end = await level();
for (const name of Object.keys(daemons)) {
	const [a, b] = [start[name], end[name]];
	console.log(`${name}: RSS ${a.rss_kib} -> ${b.rss_kib} KiB, descriptors ${a.fds} -> ${b.fds}`);
	if (b.rss_kib > a.rss_kib * 1.05 + 1024)
		faults.push(`${name}: memory has grown from ${a.rss_kib} to ${b.rss_kib} KiB`);
	if (b.fds > a.fds)
		faults.push(`${name}: descriptors have grown from ${a.fds} to ${b.fds}`);
}
if (result.started < seconds * rate * 0.5)
	faults.push(`only ${result.started} calls were made`);
await world.close().catch((e) => faults.push(e.message));
for (const fault of faults)
	console.log(`not ok soak: ${fault}`);
if (faults.length === 0)
	console.log('ok soak');
process.exit(faults.length === 0 ? 0 : 1);
