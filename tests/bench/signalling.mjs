// tests/bench/signalling.mjs - what a call costs: the rows of `./dev bench signalling`.
//
//   sluss_load ══ WSS ══► slussd alpha ══ SIP, mutual TLS ══► slussd beta ◄══ WSS ══ sluss_load
//   sipp ── UDP ──► kamailio (tm, rr, dialog) ── UDP ──► sipp                    the same calls, same run
//
// Ours and theirs are measured in turns; ratios are those of the rounds, the median counts. Run by
// tests/bench/signalling.
import { join } from 'node:path';
import { BUILD, OUT, World } from '../lib/world.mjs';
import { PASSWORD } from '../lib/site.mjs';
import { during, Load, pause, rssKib, sum, Table, threadTimes, treeTimes } from './measure.mjs';
import { Kamailio } from './kamailio.mjs';
import { authority, pairOfSites, site } from './pair.mjs';

const quick = process.env.SLUSS_BENCH_QUICK === '1';
const few = (n) => (quick ? Math.ceil(n / 10) : n);
const ROUNDS = quick ? 1 : 3;
const RATE = 200;
const CALLS = few(2000);
const USERS = 20;
const table = new Table('signalling');
const world = new World();
const password = { password: PASSWORD };
const ms = (ns, n) => ns / n / 1e6;

function must(result, n, what) {
	if (result.ok < n * 0.999 || result.lost || result.errors)
		throw new Error(`${what}: only ${result.ok} of ${n} calls were well: ${JSON.stringify(result)}`);
}

/** One load of calls; gives the CPU of `pids` meanwhile. */
async function calls(from, to, pids, n = CALLS) {
	const load = await Load.start('calls', { a: from.spec, b: to.spec, ...password, users: USERS, devices: USERS, calls: n, rate: RATE, 'hold-ms': 200 });
	const used = await during(pids, () => load.go());
	await load.quit();
	must(used.result, n, `${from.domain} to ${to.domain}`);
	return used;
}

async function callCost() {
	const { alpha, beta } = await pairOfSites(world, { users: USERS });
	const kamailio = await Kamailio.start(world);
	const pids = { alpha: alpha.proc.pid, beta: beta.proc.pid };
	const across = [], inside = [], theirs = [], machine = [[], []], threads = [];
	await calls(alpha, beta, pids, 200); // warm: connections, certificates, first use of everything
	await calls(alpha, alpha, pids, 200);
	await kamailio.calls(200, RATE);
	for (let i = 0; i < ROUNDS; i++) {
		const a = await calls(alpha, beta, pids);
		const k = await during({ kamailio: kamailio.pid }, () => kamailio.calls(CALLS, RATE), treeTimes);
		if (k.result.ok < CALLS * 0.97)
			throw new Error(`kamailio: only ${k.result.ok} of ${CALLS} calls`);
		const local = await calls(alpha, alpha, { alpha: alpha.proc.pid });
		across.push([ms(sum(a.alpha), CALLS), ms(sum(a.beta), CALLS)]);
		threads.push(a);
		inside.push(local);
		theirs.push(ms(sum(k.kamailio), CALLS));
		machine[0].push(ms(a.machine_ns, CALLS));
		machine[1].push(ms(k.machine_ns, CALLS));
	}
	const against = `Kamailio ${kamailio.version} with dialog, UDP, ${RATE} calls/s`;
	const per = (list, site_name, thread) => list.map((u) => ms(u[site_name][thread] ?? 0, CALLS));
	table.row("a call across domains, CPU of the caller's slussd", 'ms', across.map(([x]) => x), { against, theirs, must: 1.0 });
	table.row("a call across domains, CPU of the callee's slussd", 'ms', across.map(([, y]) => y), { against, theirs, must: 1.0 });
	table.row('a call across domains, CPU of both slussd together', 'ms', across.map(([x, y]) => x + y), { against, theirs });
	for (const name of ['alpha', 'beta']) {
		for (const thread of Object.keys(threads[0][name]).toSorted())
			table.row(`  ${name === 'alpha' ? "caller's" : "callee's"} slussd, thread ${thread}`, 'ms', per(threads, name, thread));
	}
	table.row('a call across domains, the whole machine, load generators too', 'ms', machine[0], { against, theirs: machine[1] });
	table.row('a call inside one site, CPU of slussd', 'ms', inside.map((u) => ms(sum(u.alpha), CALLS)), { against, theirs });
	for (const thread of Object.keys(inside[0].alpha).toSorted())
		table.row(`  inside one site, thread ${thread}`, 'ms', per(inside, 'alpha', thread));
	const { dial_to_incoming: rang, dial_to_answered: answered } = threads.at(-1).result;
	table.row('dial -> rings at the callee, across domains, p50', 'ms', rang.p50_us / 1000);
	table.row('dial -> answered, callee takes at once, p50', 'ms', answered.p50_us / 1000);
	table.row('dial -> answered, p99', 'ms', answered.p99_us / 1000);
	await kamailio.stop();
	await edgeAlone(alpha);
	await dialToInvite(alpha);
	await alpha.stop();
	await beta.stop();
}

/** OPTIONS through the edge and back, against the same bytes through a bare TLS proxy. */
async function edgeAlone(alpha) {
	const peer = authority(world).valid('peer.test');
	for (const bytes of [0, 3000]) {
		const n = few(10_000);
		const options = { cert: peer.cert, key: peer.key, domain: 'peer.test', a: alpha.spec, messages: n, rate: 1000, bytes };
		const ours = [], theirs = [];
		for (let i = 0; i < ROUNDS; i++) {
			const load = await Load.start('options', { ...options, sip: `127.0.0.1:${alpha.port + 1}` });
			const used = await during({ alpha: alpha.proc.pid }, () => load.go());
			await load.quit();
			if (used.result.answered !== n)
				throw new Error(`edge: ${JSON.stringify(used.result)}`);
			ours.push((used.alpha.edge ?? NaN) / n / 2 / 1000);

			const reply = Math.round(used.result.bytes_in / n);
			const end = await Load.start('responder', { sip: '127.0.0.1:21001', plain: true, bytes: reply });
			const proxy = world.here.spawn([join(BUILD, 'tests/bench/tls_proxy'), peer.cert, peer.key, authority(world).root, '21002', '21001'], { name: 'tls_proxy' });
			await pause(300);
			const plain = await Load.start('options', { ...options, sip: '127.0.0.1:21002' });
			const bare = await during({ proxy: proxy.pid }, () => plain.go());
			await plain.quit();
			await end.quit();
			await proxy.stop('SIGKILL');
			if (bare.result.answered !== n)
				throw new Error(`proxy: ${JSON.stringify(bare.result)}`);
			theirs.push(sum(bare.proxy) / n / 2 / 1000);
		}
		table.row(`a SIP message of ${bytes ? 'some 3,400' : 'some 400'} bytes through the edge, CPU of its thread`, 'µs', ours,
			{ against: 'bare TLS proxy, same bytes, 1,000 requests/s', theirs });
	}
}

async function dialToInvite(alpha) {
	const peer = authority(world).valid('peer.test');
	const n = few(300);
	const load = await Load.start('dial', { a: alpha.spec, ...password, sip: `127.0.0.1:${alpha.port + 20 + 1}`, domain: 'peer.test', cert: peer.cert, key: peer.key, calls: n, timeout: 60 });
	const result = await load.go();
	await load.quit();
	if (result.dial_to_invite.n !== n)
		throw new Error(`dial: ${JSON.stringify(result)}`);
	table.row('dial -> INVITE whole at the far site, warm connection, p50', 'ms', result.dial_to_invite.p50_us / 1000);
	table.row('dial -> INVITE whole at the far site, p99 (the first dials TLS)', 'ms', result.dial_to_invite.p99_us / 1000);
}

/** One message, with 100 connections open and with 5,000. */
async function openConnections() {
	const s = await site(world, 'many.test', 22_000, {});
	await s.start();
	for (let i = 0; i < USERS; i++)
		await s.addUser(`u${i}`);
	const n = few(10_000);
	const crowd = few(5000);
	const cost = { 100: [], [crowd]: [] };
	for (let i = 0; i < Math.min(ROUNDS, 2); i++) {
		for (const open of [100, crowd]) {
			const load = await Load.start('ping', { a: s.spec, ...password, users: USERS, devices: open, active: 10, messages: n, rate: 500 });
			const used = await during({ s: s.proc.pid }, () => load.go());
			await load.quit();
			if (used.result.ok !== n)
				throw new Error(`ping: ${JSON.stringify(used.result)}`);
			cost[open].push(sum(used.s) / n / 1000);
			await pause(2000); // let it see that they are gone
		}
	}
	table.row(`a WSS message and its answer, ${crowd} connections open`, 'µs', cost[crowd], { against: 'itself, 100 connections open', theirs: cost[100], must: 1.3 });
	await s.stop();
}

async function memory() {
	const devices = few(2000);
	const s = await site(world, 'idle.test', 22_100, {});
	await s.start();
	const users = few(200);
	for (let i = 0; i < users; i++)
		await s.addUser(`u${i}`);
	const first = await Load.start('idle', { a: s.spec, ...password, users, devices: users }); // first use, and every user has signed in
	await first.quit();
	await pause(1000);
	const empty = rssKib(s.proc.pid);
	const load = await Load.start('idle', { a: s.spec, ...password, users, devices });
	await pause(1000);
	table.row(`memory of an idle device (${devices} of them)`, 'KiB', (rssKib(s.proc.pid) - empty) / devices, { against: 'the stated goal', theirs: 40, must: 1.0 });
	await load.quit();
	await s.stop();

	const held = few(1000);
	const { alpha, beta } = await pairOfSites(world, { users: 50, port: 22_200 });
	const warm = await Load.start('calls', { a: alpha.spec, b: beta.spec, ...password, users: 50, devices: 50, calls: 50, rate: 25, 'hold-ms': 200 });
	await warm.go();
	await warm.quit();
	const many = await Load.start('calls', { a: alpha.spec, b: beta.spec, ...password, users: 50, devices: 50, calls: held, rate: 100, 'hold-ms': -1, timeout: 60 });
	const before = [alpha, beta].map((d) => rssKib(d.proc.pid));
	must(await many.go(), held, 'held calls');
	const atOnce = [alpha, beta].map((d, i) => (rssKib(d.proc.pid) - before[i]) / held);
	table.row(`memory of a call across domains, caller's slussd (${held} held)`, 'KiB', atOnce[0], { against: 'the stated goal', theirs: 48, must: 1.0 });
	table.row(`memory of a call across domains, callee's slussd (${held} held)`, 'KiB', atOnce[1], { against: 'the stated goal', theirs: 48, must: 1.0 });
	await many.quit();
	await alpha.stop();
	await beta.stop();
}

console.log(`slussd from ${BUILD}; logs in ${OUT}`);
table.head();
await callCost();
await openConnections();
await memory();
const well = table.write();
await world.close();
process.exit(well ? 0 : 1);
