// tests/lib/baresip.mjs - a real baresip on a host of its own, for one user of a domain: SIP over TLS, ICE, DTLS-SRTP,
// a steady tone for a microphone; what it hears goes to a file.
//
//   const gunda = await Baresip.start(world, host, { user: 'gunda', domain: 'gamma.test', pair, ca: ca.root });
//   const desk = await Baresip.desk(world, host, { user: '100', registrar: '198.18.0.71', password });   RTP in the clear, UDP
//   await gunda.event('CALL_INCOMING');      await gunda.run('accept');      await gunda.event('CALL_ESTABLISHED');
//   await gunda.run('dial', 'sip:alice@alpha.test');      gunda.messages();      gunda.pitch(440)
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { takeMessage } from './sip.mjs';
import { OUT, until, within } from './world.mjs';

const CONTROL_PORT = 4444;
/** What it sends, in Hz. */
export const BARESIP_TONE = 700;
const MODULES = ['opus', 'g711', 'sndfile', 'ausine', 'aubridge', 'ice', 'dtls_srtp'];

export class Baresip {
	constructor(host, sounds) {
		Object.assign(this, { host, sounds, events: [], waiting: new Set(), answers: new Map(), n_commands: 0 });
	}

	static async start(world, host, { user, domain, pair, ca }) {
		const pem = join(world.dir, `${user}-tls.pem`);
		writeFileSync(pem, readFileSync(pair.key, 'utf8') + readFileSync(pair.cert, 'utf8'));
		return Baresip.#run(world, host, user, `<sip:${user}@${domain};transport=tls>;regint=0;medianat=ice;mediaenc=dtls_srtp;answermode=manual`,
			[`sip_certificate ${pem}`, `sip_cafile ${ca}`]);
	}

	/** A desk phone: it registers with a telephone system. */
	static async desk(world, host, { user, registrar, password }) {
		const me = await Baresip.#run(world, host, user, `<sip:${user}@${registrar};transport=udp>;auth_user=${user};auth_pass=${password};regint=60;answermode=manual`, []);
		await me.proc.line(/^SIP\/2\.0 200 OK/);
		return me;
	}

	static async #run(world, host, user, account, more) {
		const dir = join(world.dir, `baresip-${user}`), sounds = join(OUT, `baresip-${user}`);
		for (const d of [dir, sounds])
			mkdirSync(d, { recursive: true });
		const me = new Baresip(host, sounds);
		writeFileSync(join(dir, 'accounts'), `${account}\n`);
		writeFileSync(join(dir, 'config'), [
			'poll_method epoll', `sip_listen ${host.address}:5060`, ...more,
			'dns_server 198.18.0.53:53', 'net_interface eth0', 'rtcp_mux yes', 'call_local_timeout 120', 'call_max_calls 4',
			`audio_source ausine,${BARESIP_TONE}`, 'audio_player aubridge,out', 'audio_alert aubridge,alert', 'ausrc_srate 48000', 'auplay_srate 48000',
			'ausrc_channels 2', 'auplay_channels 2', `snd_path ${sounds}`, `ctrl_tcp_listen ${host.address}:${CONTROL_PORT}`,
			'module_path /usr/lib/baresip/modules', ...MODULES.map((m) => `module ${m}.so`), 'module_tmp uuid.so', 'module_tmp account.so',
			'module_app menu.so', 'module_app ctrl_tcp.so', '',
		].join('\n'));
		me.proc = host.spawn(['stdbuf', '-oL', 'baresip', '-f', dir, '-s', '-v'], { name: `baresip-${user}`, env: { HOME: dir } });
		await until(10_000, () => me.#connect(), 'baresip takes commands');
		return me;
	}

	#connect() {
		return new Promise((resolve, reject) => {
			const socket = connect({ host: this.host.address, port: CONTROL_PORT });
			socket.on('connect', () => {
				let buffer = Buffer.alloc(0);
				this.socket = socket;
				socket.on('data', (data) => {
					buffer = this.#read(Buffer.concat([buffer, data]));
				});
				resolve(true);
			});
			socket.on('error', reject);
		});
	}

	/** Netstrings of JSON: events and answers. Gives what is not whole yet. */
	#read(buffer) {
		for (;;) {
			const colon = buffer.indexOf(58), length = Number(buffer.subarray(0, colon).toString());
			if (colon < 0 || buffer.length < colon + 2 + length)
				return buffer;
			const message = JSON.parse(buffer.subarray(colon + 1, colon + 1 + length).toString());
			buffer = buffer.subarray(colon + 2 + length);
			if (message.response)
				this.answers.get(message.token)?.(message);
			else
				this.#event(message);
		}
	}

	#event(event) {
		this.events.push(event);
		for (const w of this.waiting) {
			if (w.type === event.type && !event.taken) {
				event.taken = true;
				this.waiting.delete(w);
				w.resolve(event);
			}
		}
	}

	/** One of its commands, as typed at its prompt without the slash; gives its answer. */
	async run(command, params = '') {
		const token = String(++this.n_commands), text = JSON.stringify({ command, params, token });
		const answered = new Promise((resolve) => this.answers.set(token, resolve));
		this.socket.write(`${Buffer.byteLength(text)}:${text},`);
		const { ok, data } = await within(10_000, answered, `baresip: ${command}`);
		if (!ok)
			throw new Error(`baresip: ${command} ${params}: ${data}`);
		return data;
	}

	/** The next event of this type that no one has taken. */
	event(type, ms = 15_000) {
		const found = this.events.find((e) => e.type === type && !e.taken);
		if (found) {
			found.taken = true;
			return Promise.resolve(found);
		}
		const w = { type };
		const come = new Promise((resolve) => (w.resolve = resolve));
		this.waiting.add(w);
		return within(ms, come, `baresip says ${type}; it said ${this.events.map((e) => e.type).join(' ')}`).finally(() => this.waiting.delete(w));
	}

	/** The SIP messages that it has traced from line `from` on, in and out. */
	messages(from = 0) {
		const found = [];
		let rest = Buffer.from(this.proc.lines.slice(from).map((l) => `${l.replace(/\r$/, '')}\r\n`).join('').replace(/\x1b\[[0-9;]*m/g, ''));
		for (const start = /^(?:[A-Z]+ sips?:\S+ SIP\/2\.0|SIP\/2\.0 \d{3} .*)\r$/m; ;) {
			const at = start.exec(rest.toString('latin1'));
			if (!at)
				return found;
			rest = rest.subarray(at.index);
			const got = takeMessage(rest);
			if (!got)
				return found;
			found.push(got.message);
			rest = got.rest;
		}
	}

	/** How much of what it has heard in the last recording is a tone of `hz`, 0 to 1, and its loudness (1: full). */
	pitch(hz) {
		const file = readdirSync(this.sounds).filter((name) => /dec\.wav$/.test(name)).sort().at(-1);
		return { file, ...(file ? pitch(readFileSync(join(this.sounds, file)), hz) : { part: 0, rms: 0, seconds: 0 }) };
	}
}

/** Goertzel's filter over the second half of a recording (16 bit, as sndfile writes it). */
function pitch(wav, hz) {
	const at = wav.indexOf('fmt '), channels = wav.readUInt16LE(at + 10), rate = wav.readUInt32LE(at + 12);
	const all = wav.subarray(wav.indexOf('data') + 8), frame = 2 * channels, n = Math.floor(all.length / frame / 2);
	const data = all.subarray(n * frame);
	const k = 2 * Math.cos(2 * Math.PI * hz / rate);
	let energy = 0, s1 = 0, s2 = 0;
	for (let i = 0; i < n; i++) {
		const x = data.readInt16LE(i * frame) / 32768;
		energy += x * x;
		[s1, s2] = [x + k * s1 - s2, s1];
	}
	const power = 2 * (s1 * s1 + s2 * s2 - k * s1 * s2) / (n * n);
	return { part: energy > 0 ? power / (energy / n) : 0, rms: Math.sqrt(energy / n), seconds: all.length / frame / rate };
}
