// tests/bench/identity.mjs - what it costs to know who calls: the rows of `./dev bench identity`.
//
//   sluss_load ══ WSS ══► alpha.test (.10, signs)        ══ SIP ══► beta.test (.20, verifies) ◄══ WSS ══ sluss_load
//                         gamma.test (.30, does not sign) ══ SIP ══►
//   identity_ops: the identity thread's own functions beside the bare signature, on one thread
//
// With and without are measured in turns; ratios are those of the rounds, the median counts. Run by tests/bench/identity.
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Provider } from '../lib/assertion.mjs';
import { Authority } from '../lib/ca.mjs';
import { Dns } from '../lib/dns.mjs';
import { Client } from '../lib/client.mjs';
import * as sdp from '../lib/sdp.mjs';
import { PASSWORD } from '../lib/site.mjs';
import { dial } from '../lib/talk.mjs';
import { BUILD, OUT, World } from '../lib/world.mjs';
import { during, Load, median, pause, sum, Table } from './measure.mjs';
import { Site } from './pair.mjs';

const quick = process.env.SLUSS_BENCH_QUICK === '1';
const few = (n) => (quick ? Math.ceil(n / 10) : n);
const ROUNDS = quick ? 1 : 5;
const CALLS = few(2000);
const RATE = 200;
const USERS = 20;
const PORT = 8443;
const LIMITS = {
	'calls-per-user': 1000, 'calls-per-user-minute': 10_000, 'devices-per-user': 1000, 'calls-per-peer': 100_000,
	'http-connections-per-address': 20_000, 'ws-rate': 10_000, 'login-tries-address': 100_000,
};
const table = new Table('identity');
const world = new World();
const ca = new Authority(join(world.dir, 'ca'));
const dns = new Dns(world);
const ms = (ns, n) => ns / n / 1e6;

/** A site; `signs`: does it sign its calls, and where its chain is said to be. */
async function site(name, n, { lines = [] } = {}) {
	const host = await world.host(name, n);
	const domain = `${name}.test`;
	dns.site(domain, host.address);
	const s = new Site(world, host, {
		sites: [{ domain, pair: ca.valid(domain), lines: [`origins = {"https://${domain}:${PORT}"}`, ...lines] }], trust: ca.root, limits: LIMITS,
		lines: ['log { level = "warn" }'], httpListen: [`${host.address}:${PORT}`],
	});
	s.port = PORT;
	s.spec = `${domain}=${host.address}:${PORT}`; // as sluss_load wants it
	s.write();
	return s;
}

async function open(s) {
	await s.start();
	for (let i = 0; i < USERS; i++)
		await s.addUser(`u${i}`);
}

/** Signatures and verifications per second of CPU, and the bare ones. */
function operations(s) {
	const { cert, key } = s.sites[0].pair;
	const out = execFileSync(join(BUILD, 'tests/bench/identity_ops'), [cert, key, ca.root, s.domain, String(ROUNDS * 2), quick ? '100' : '500'], { encoding: 'utf8' });
	const v = JSON.parse(out);
	const cost = (list) => list.map((rate) => 1e6 / rate);
	for (const what of ['sign', 'verify']) {
		table.row(`PASSporTs per CPU second: ${what}`, '1/s', v[what], { against: 'bare ES256 in OpenSSL', theirs: v[`bare_${what}`] });
		table.row(`  CPU of one: ${what}`, 'µs', cost(v[what]), { against: 'bare ES256 in OpenSSL', theirs: cost(v[`bare_${what}`]), must: 1.5 });
	}
}

function must(result, n, what) {
	if (result.ok < n * 0.999 || result.lost || result.errors)
		throw new Error(`${what}: only ${result.ok} of ${n} calls were well: ${JSON.stringify(result)}`);
}

async function load(from, to, n, rate) {
	const run = await Load.start('calls', { a: from.spec, b: to.spec, password: PASSWORD, users: USERS, devices: USERS, calls: n, rate, 'hold-ms': 200 });
	const used = await during({ from: from.proc.pid, to: to.proc.pid }, () => run.go());
	await run.quit();
	must(used.result, n, `${from.domain} to ${to.domain}`);
	return used;
}

async function calls(alpha, gamma, beta) {
	const cost = { with: [], without: [] }, verify = [], signing = [];
	for (const from of [alpha, gamma])
		await load(from, beta, 100, RATE); // warm: connections, certificates, first use of everything
	for (let i = 0; i < ROUNDS; i++) {
		const a = await load(alpha, beta, CALLS, RATE), g = await load(gamma, beta, CALLS, RATE);
		cost.with.push(ms(sum(a.from) + sum(a.to), CALLS));
		cost.without.push(ms(sum(g.from) + sum(g.to), CALLS));
		signing.push(ms(a.from.identity ?? NaN, CALLS));
		verify.push(ms(a.to.identity ?? NaN, CALLS));
	}
	const rate = (list) => list.map((v) => 1000 / v);
	table.row('calls per CPU second, both slussd together, with Identity', '1/s', rate(cost.with), { against: 'without', theirs: rate(cost.without) });
	table.row('a call across domains with Identity, CPU of both slussd together', 'ms', cost.with, { against: 'the same without', theirs: cost.without, must: 1.2 });
	table.row("  caller's slussd, thread identity", 'ms', signing);
	table.row("  callee's slussd, thread identity", 'ms', verify);
}

/** From the dial to the ringing, one call after the other, in ms. */
async function rings(from, to, address, n, { offer = () => sdp.offer('bench'), before = async () => {}, check = () => {} } = {}) {
	const times = [];
	for (let i = 0; i < n; i++) {
		await before();
		const body = offer();
		const begun = performance.now();
		const { id } = await dial(from, address, { offer: body });
		const incoming = await to.event('incoming', {}, 20_000);
		times.push(performance.now() - begun);
		check(incoming.from);
		await to.request('reject', { call: incoming.call, reason: 'busy' });
		await from.event('ended', { call: id });
		await to.event('ended', { call: incoming.call });
		from.events.length = to.events.length = 0; // it looks through all of them
	}
	return times;
}

const limit = (row, added, must_ms) => table.row(row, 'ms', added, { against: 'the limit', theirs: must_ms, must: 1 });
const expect = (what, is) => (from) => {
	if (what(from) !== is)
		throw new Error(`not ${is}: ${JSON.stringify(from)}`);
};

async function waiting(alpha, gamma, beta, idp) {
	const anna = await Client.signIn(alpha, 'u0', PASSWORD), gunda = await Client.signIn(gamma, 'u0', PASSWORD), bob = await Client.signIn(beta, 'u1', PASSWORD), berta = await Client.signIn(beta, 'u2', PASSWORD);
	const to = 'u1@beta.test';
	const signed = { check: expect((f) => f.site.identity, 'verified') }, plain = { check: expect((f) => f.site.identity, 'none') };
	const vouched = { offer: () => idp.vouch(sdp.offer('bench')), check: expect((f) => f.identity.status, 'verified') };
	const reload = { before: () => beta.ctl('reload') };
	const n = few(200), cold = few(30);
	const medians = async (...a) => median(await rings(...a));

	await rings(anna, bob, to, 5, signed);
	await rings(berta, bob, to, 5, vouched);
	const warm = [], warmly = [];
	for (let i = 0; i < ROUNDS; i++) {
		warm.push(await medians(anna, bob, to, n, signed) - await medians(gunda, bob, to, n, plain));
		warmly.push(await medians(berta, bob, to, n, vouched) - await medians(berta, bob, to, n));
	}
	limit('Identity adds to dial -> rings, signing and verifying, warm certificate, p50', warm, 5);
	limit('a=identity adds to dial -> rings, warm keys, p50', warmly, 5);
	const added = await rings(anna, bob, to, cold, { ...signed, ...reload }), base = await medians(gunda, bob, to, cold, { ...plain, ...reload });
	limit('Identity adds, cold certificate, p50', median(added) - base, 150);
	limit('Identity adds, cold certificate, the worst', Math.max(...added) - base, 150);
	const keys = await rings(berta, bob, to, cold, { ...vouched, ...reload }), without = await medians(berta, bob, to, cold, reload);
	limit('a=identity adds, cold keys, p50', median(keys) - without, 150);
	limit('a=identity adds, cold keys, the worst', Math.max(...keys) - without, 150);
	for (const client of [anna, gunda, bob, berta])
		await client.close();
	return without;
}

/** A certificate and keys that never come, both in one call. */
async function never(mute, beta, idp, base) {
	const mia = await Client.signIn(mute, 'u0', PASSWORD), bob = await Client.signIn(beta, 'u1', PASSWORD);
	const offer = () => idp.vouch(sdp.offer('bench'), { domain: 'silent.mute.test', sub: 'ann@silent.mute.test', claims: { iss: 'https://silent.mute.test' } });
	const check = (from) => {
		expect((f) => f.site.identity, 'failed')(from);
		expect((f) => f.identity.status, 'unverified')(from);
	};
	// each time nothing is known of them any more
	const times = await rings(mia, bob, 'u1@beta.test', quick ? 1 : 3, { offer, check, before: async () => {
		await beta.ctl('reload');
		await pause(100);
	} });
	limit('a certificate and keys that never come add, the worst', Math.max(...times) - base, 3000);
	await mia.close();
	await bob.close();
}

console.log(`slussd from ${BUILD}; logs in ${OUT}`);
table.head();
const unsigned = ca.rsa('gamma.test');
const alpha = await site('alpha', 10);
const beta = await site('beta', 20);
const gamma = await site('gamma', 30, { lines: [`identity-certificate = "${unsigned.cert}"`, `identity-key = "${unsigned.key}"`] });
const mute = await site('mute', 40, { lines: ['identity-url = "https://silent.mute.test/"'] });
const silence = await world.address(63), address = await world.address(62);
dns.site('idp.test', address);
dns.zone('mute.test', [...dns.zones.get('mute.test'), `silent A ${silence}`]);
await dns.serve();
const silent = createServer(); // takes connections, and says nothing
await new Promise((resolve) => silent.listen(443, silence, resolve));
const idp = await Provider.listen({ domain: 'idp.test', pair: ca.valid('idp.test'), address });
for (const s of [alpha, beta, gamma, mute])
	await open(s);
operations(alpha);
await calls(alpha, gamma, beta);
const base = await waiting(alpha, gamma, beta, idp);
await never(mute, beta, idp, base);
const well = table.write();
idp.close();
silent.close();
await world.close();
process.exit(well ? 0 : 1);
