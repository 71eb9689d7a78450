// tests/abuse/lib/stand.mjs - one slussd under attack, devices that are signed in on it, and the checks that
// every case ends with: it still answers within a second, no sanitizer has spoken, descriptors and memory are
// back at their level, and no device was rung that should not have been.
//
//   attacker 198.18.0.77 ══ TLS 5061, TCP 5060, UDP 5060 ══► slussd 198.18.0.10 ◄══ WSS ══ devices
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Authority } from '../../lib/ca.mjs';
import { answer } from '../../lib/sdp.mjs';
import { Daemon } from '../../lib/site.mjs';
import { SLOW, until, World } from '../../lib/world.mjs';
import { DnsFaults } from './dns_faults.mjs';
import { probe, StreamWire, UdpWire } from './wire.mjs';

const RSS_SLACK_KIB = 32 * 1024;
const FDS_SLACK = 2; // both ends of the joint's outgoing connection, which the first call to another site opens
const REPORT = /(Address|Leak|Thread|UndefinedBehavior)Sanitizer|runtime error:|Assertion .* failed|stack smashing|free\(\): invalid/;

export class Stand {
	/** sites: ["alpha.test"]; users: ["alice@alpha.test"], each with one device online;
	 *  peers: names that the attacker's certificate proves, the first is his own. */
	static async start(options) {
		try {
			return await Stand.#start(options ?? {});
		} catch (error) {
			console.error('the stand does not stand:', error);
			process.exit(1); // sockets would keep the file running until its time is over
		}
	}

	static async #start({ sites = ['alpha.test'], users = ['alice@alpha.test'], peers = ['peer.test'], limits = {}, udp = true, tcp = true, tune = () => {} } = {}) {
		const stand = new Stand();
		const world = stand.world = new World();
		stand.ca = new Authority(join(world.dir, 'ca'));
		stand.host = await world.host('alpha', 10);
		stand.attacker = await world.address(77);
		stand.names = await DnsFaults.listen(await world.address(53)); // for the test's own clients
		for (const domain of sites)
			stand.names.records(domain, 'A', [{ address: stand.host.address }]);
		stand.peers = peers;
		stand.peerPair = stand.ca.leaf('peer', { cn: peers[0], san: peers.map((p) => `DNS:${p}`) });
		const options = {
			sites: sites.map((domain) => ({ domain, pair: stand.ca.valid(domain) })), trust: stand.ca.root, limits,
			listen: [`tls:${stand.host.address}:5061`, ...(tcp ? [`tcp:${stand.host.address}:5060`] : []), ...(udp ? [`udp:${stand.host.address}:5060`] : [])],
			sip: ['dns = {"198.18.0.54:53"}'],
		};
		tune(options, stand);
		stand.slussd = new Daemon(world, stand.host, options).write();
		await stand.slussd.start();
		stand.target = { domain: sites[0], from: `sip:probe@${peers[0]}`, address: stand.attacker };
		stand.devices = new Map();
		for (const user of users) {
			const [name, domain] = user.split('@');
			await stand.slussd.addUser(name, { domain });
			stand.devices.set(user, await stand.#device(name, domain));
		}
		await stand.level();
		return stand;
	}

	/** A device that refuses every call as busy, and remembers it. */
	async #device(name, domain) {
		const device = await this.slussd.client(name, 'target', domain);
		device.rung = [];
		device.mode = 'busy';
		device.ws.on('message', (bytes) => {
			const m = JSON.parse(bytes.toString());
			if (m.type !== 'incoming')
				return;
			device.rung.push(m);
			const over = (error) => ['gone', 'no-call'].includes(error.code) || device.faults.push(error.message);
			if (device.mode === 'busy')
				device.request('reject', { call: m.call, reason: 'busy' }).catch(over);
			if (device.mode === 'answer')
				device.request('accept', { call: m.call }).then(() => device.request('answer', { call: m.call, sdp: answer('stand') }))
					.catch(over);
		});
		return device;
	}

	device(user) {
		return this.devices.get(user);
	}

	tls(options = {}) {
		return StreamWire.tls(this.host.address, this.slussd.domain, { pair: this.peerPair, ca: this.ca.root, localAddress: this.attacker, ...options });
	}

	tcp() {
		return StreamWire.tcp(this.host.address, { localAddress: this.attacker });
	}

	udp() {
		return UdpWire.open(this.host.address, this.attacker);
	}

	open(kind) {
		return this[kind]();
	}

	fds() {
		return readdirSync(`/proc/${this.slussd.proc.pid}/fd`).length;
	}

	/** What is normal: taken after a first use of everything. */
	async level() {
		for (const kind of ['tls', 'tls']) {
			const wire = await this.open(kind);
			await probe(wire, this.target);
			wire.close();
		}
		await this.#settled();
		this.base = { fds: this.fds(), rss: this.slussd.rssKib() };
	}

	async #settled() {
		for (const device of this.devices.values())
			await device.settled();
	}

	/** How often each device has been rung since the last time this was asked: {user: [incoming, …]}. */
	async rung() {
		await this.#settled();
		const out = {};
		for (const [user, device] of this.devices) {
			if (device.rung.length > 0)
				out[user] = device.rung.splice(0);
		}
		return out;
	}

	/** The checks at the end of every case. `rung: true` when a device may have been rung. */
	async healthy({ rung = false } = {}) {
		const { proc } = this.slussd;
		assert.equal(proc.over, undefined, `slussd has ended: ${proc.text.slice(-3000)}`);
		const wire = await this.tls();
		const start = performance.now();
		const answered = await probe(wire, this.target, 1000);
		wire.close();
		assert.equal(answered?.status, 200, `OPTIONS is answered within 1 s (waited ${Math.round(performance.now() - start)} ms)`);
		if (!rung)
			assert.deepEqual(await this.rung(), {}, 'no device was rung');
		const report = proc.lines.findIndex((l) => REPORT.test(l));
		assert.equal(report, -1, `a report: ${proc.lines.slice(report, report + 30).join('\n')}`);
		await until(8000, () => this.fds() <= this.base.fds + FDS_SLACK, 'descriptors are back')
			.catch(() => assert.fail(`descriptors: ${this.fds()}, were ${this.base.fds}`));
		if (SLOW === 1 && process.env.SLUSS_VALGRIND !== '1')
			assert.ok(this.slussd.rssKib() < this.base.rss + RSS_SLACK_KIB, `memory: ${this.slussd.rssKib()} KiB, was ${this.base.rss} KiB`);
	}

	/** slussd's log since line `from`. */
	log(from = 0) {
		return this.slussd.proc.lines.slice(from).join('\n');
	}

	async close() {
		for (const device of this.devices.values())
			await device.close().catch(() => {});
		try {
			await this.world.close();
		} finally {
			this.names.close();
		}
	}
}
