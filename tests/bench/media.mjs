// tests/bench/media.mjs - what a packet costs: the rows of `./dev bench media`.
//
//   media_load ══ SRTP ══► the thing ══ RTP ══► media_load          172 bytes, 50 a second, both ways
//   the thing: media_plane (slussd's media threads), media_bare (epoll and EVP), rtpengine (userspace)
//
// In turns, CPU of the process, ratios of one run. The kernel's share is in all of them. Run by tests/bench/media.
import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { BUILD, World } from '../lib/world.mjs';
import { during, sum, Table } from './measure.mjs';
import { Rtpengine } from './rtpengine.mjs';

const quick = process.env.SLUSS_BENCH_QUICK === '1';
const ROUNDS = quick ? 1 : 3;
const SECONDS = quick ? 2 : 6;
const table = new Table('media');
const world = new World();
const program = (name) => join(BUILD, 'tests/bench', name);

/** A program whose lines are read one by one. */
class Lines {
	constructor(name, args) {
		this.name = name;
		this.child = spawn(program(name), args.map(String), { stdio: ['pipe', 'pipe', 'inherit'] });
		this.child.stdin.on('error', () => {});
		this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
		this.exited = new Promise((resolve) => this.child.on('exit', resolve));
	}

	get pid() {
		return this.child.pid;
	}

	async line() {
		const { value, done } = await this.lines.next();
		if (done)
			throw new Error(`${this.name} has ended (${await this.exited})`);
		return value;
	}

	say(text) {
		this.child.stdin.write(`${text}\n`);
	}

	/** All lines up to "ready". */
	async untilReady() {
		const lines = [];
		for (;;) {
			const line = await this.line();
			if (line === 'ready')
				return lines;
			lines.push(line);
		}
	}

	async stop() {
		this.child.kill('SIGKILL');
		await this.exited;
	}
}

/** The thing `what`, with its load up. */
async function stage(what, kind, n) {
	const load = new Lines('media_load', [kind === 'clear' ? 'clear' : kind, n]);
	const fingerprint = (await load.line()).split(' ')[1];
	let thing, lines;
	if (what === 'rtpengine') {
		thing = await Rtpengine.start(world, n);
		lines = thing.lines;
	} else {
		thing = new Lines(`media_${what}`, what === 'plane' ? [kind, n, 1, fingerprint] : [kind, n]);
		lines = await thing.untilReady();
	}
	for (const line of lines)
		load.say(line);
	load.say('up');
	if (await load.line() !== 'up')
		throw new Error('the load did not come up');
	return { thing, load, stop: async () => { await load.stop(); await thing.stop(); } };
}

/** CPU a packet that went through, in µs; checks that they went through: `share` of those that were sent. 1,000 streams are
 *  100,000 packets a second: more than two cores can send, carry and receive. A row of its own says how many came through. */
async function measured(s, n, order, { share = n >= 1000 ? 0.3 : 0.98 } = {}) {
	const used = await during({ thing: s.thing.pid }, async () => {
		s.load.say(order);
		return JSON.parse((await s.load.line()).slice('done '.length));
	});
	const { sent, a, b, bad } = used.result;
	if (bad || a + b < sent * share || !(a + b))
		throw new Error(`${n} streams, ${order}: ${JSON.stringify(used.result)}`);
	return { ...used.result, through: (100 * (a + b)) / sent, us: sum(used.thing) / (a + b) / 1000, machine: used.machine_ns / (a + b) / 1000 };
}

/** The same order to several things, in turns. */
async function rounds(things, n, order, options) {
	const out = things.map(() => []);
	for (const [i, [what, kind]] of things.entries()) {
		const s = await stage(what, kind, n);
		await measured(s, n, order.startsWith('go') ? 'go 1' : 'burst 1', { share: 0 }); // warm
		for (let r = 0; r < ROUNDS; r++)
			out[i].push(await measured(s, n, order, options));
		await s.stop();
	}
	return out;
}

const us = (list) => list.map((r) => r.us);
const machine = (list) => list.map((r) => r.machine);

async function paced(version) {
	for (const n of [100, 1000]) {
		const things = [['plane', 'browser'], ['plane', 'sdes'], ['bare', 'sdes'], ...(version === null ? [] : [['rtpengine', 'sdes']])];
		const [browser, sdes, bare, engine] = await rounds(things, n, `go ${SECONDS}`);
		const streams = `${n} × 50 packets/s, 172 B`;
		const relay = 'bare epoll relay with EVP';
		table.row(`SRTP ↔ RTP, browsers on the shared port, ${streams}`, 'µs', us(browser), { against: relay, theirs: us(bare), must: n === 100 ? 1.4 : null });
		table.row(`SRTP (SDES) ↔ RTP, a port a side, ${streams}`, 'µs', us(sdes), { against: relay, theirs: us(bare) });
		if (engine) {
			const against = `rtpengine ${version}, userspace`;
			table.row(`SRTP ↔ RTP, browsers on the shared port, ${streams}`, 'µs', us(browser), { against, theirs: us(engine), must: n === 100 ? 0.7 : 0.5 });
			table.row(`SRTP (SDES) ↔ RTP, a port a side, ${streams}`, 'µs', us(sdes), { against, theirs: us(engine) });
			table.row(`  the whole machine, load generator too, ${streams}`, 'µs', machine(browser), { against, theirs: machine(engine) });
		}
		table.row(`  packets that came through, ${streams}`, '%', browser.map((r) => r.through), { against: relay, theirs: bare.map((r) => r.through) });
		table.row(`  delay of a packet, p99.9, ${streams}`, 'µs', browser.map((r) => r.p999_us), { against: relay, theirs: bare.map((r) => r.p999_us) });
	}
	const [relay, bare] = await rounds([['plane', 'relay'], ['bare', 'clear']], 100, `go ${SECONDS}`);
	table.row('relay, 100 × 50 packets/s, 172 B', 'µs', us(relay), { against: 'bare epoll relay', theirs: us(bare), must: 1.2 });
}

/** A packet of one session among 10 and among 1,000: the same wake-ups, since only 10 of them speak. */
async function sessions() {
	const few = [], many = [];
	for (const [list, n] of [[few, 10], [many, 1000]]) {
		const load = new Lines('media_load', ['browser', 10]);
		const thing = new Lines('media_plane', ['browser', n, 1, (await load.line()).split(' ')[1]]);
		for (const line of await thing.untilReady())
			load.say(line);
		load.say('up');
		await load.line();
		await measured({ thing, load }, 10, 'go 1', { share: 0 });
		for (let r = 0; r < ROUNDS; r++)
			list.push(await measured({ thing, load }, 10, `go ${SECONDS}`));
		await load.stop();
		await thing.stop();
	}
	table.row('SRTP ↔ RTP, 10 streams that speak, 1,000 sessions there', 'µs', us(many), { against: '10 sessions there', theirs: us(few), must: 1.2 });
}

async function saturated() {
	const [ours, bare] = await rounds([['plane', 'sdes2'], ['bare', 'clear']], 100, `burst ${SECONDS / 2}`, { share: 0 });
	table.row('SRTP → SRTP, saturated, 172 B', 'µs', us(ours), { against: 'bare epoll, recvfrom and sendto', theirs: us(bare), must: 1.4 });
}

/** The thread of the streams accepts 100 handshakes a second meanwhile, of another load. */
async function delayUnderHandshakes() {
	const n = 100, calm = [], busy = [];
	for (let r = 0; r < ROUNDS; r++) {
		const load = new Lines('media_load', ['browser', n]), shaker = new Lines('media_load', ['browser', SECONDS * 100, n]);
		const fingerprints = (await load.line()).split(' ')[1] + (await shaker.line()).split(' ')[1];
		const thing = new Lines('media_plane', ['browser', n + SECONDS * 100, 1, fingerprints]);
		for (const line of await thing.untilReady()) {
			load.say(line);
			shaker.say(line);
		}
		load.say('up');
		await load.line();
		const s = { thing, load };
		calm.push((await measured(s, n, `go ${SECONDS}`)).p999_us);
		shaker.say(`shake ${SECONDS}`);
		busy.push((await measured(s, n, `go ${SECONDS - 1}`)).p999_us);
		const { a: shaken } = JSON.parse((await shaker.line()).slice('done '.length));
		if (shaken < SECONDS * 90)
			throw new Error(`only ${shaken} of ${SECONDS * 100} handshakes`);
		for (const p of [load, shaker, thing])
			await p.stop();
	}
	table.row('delay of a packet, p99.9, beside 100 DTLS accepts/s on its thread', 'µs', busy, { against: 'itself without them', theirs: calm, must: 2 });
}

function operations() {
	const ops = JSON.parse(execFileSync(program('media_ops'), [String(ROUNDS), quick ? '100' : '400'], { encoding: 'utf8' }));
	for (const [name, suite] of [['cm80', 'AES_CM_128_HMAC_SHA1_80'], ['gcm', 'AEAD_AES_128_GCM']]) {
		const against = 'the same ciphers by EVP, nothing else';
		table.row(`protect and unprotect, ${suite}, 1,000 sessions, 172 B`, 'ns', ops[`${name}_ours`], { against, theirs: ops[`${name}_bare`], must: 1.8 });
		table.row(`  1,000 sessions, ${suite}: the caches' share`, 'ns', ops[`${name}_ours`], { against: '10 sessions', theirs: ops[`${name}_few`] });
	}
	table.row('a DTLS accept', 'ns', ops.dtls_ours, { against: 'bare OpenSSL on memory BIOs', theirs: ops.dtls_bare, must: 1.2 });
}

const version = Rtpengine.installed();
table.head();
operations();
await paced(version);
await sessions();
await saturated();
await delayUnderHandshakes();
if (version === null)
	console.log('rtpengine is not installed (rtpengine-daemon): its rows are missing');
const good = table.write();
await world.close?.();
process.exit(good ? 0 : 1);
