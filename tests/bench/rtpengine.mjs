// tests/bench/rtpengine.mjs - userspace rtpengine (Debian's, no kernel table) with the streams of media_load.
//
//   media_load A ══ SRTP (SDES) ══► rtpengine ══ RTP ══► media_load B        set up by its NG protocol, bencode over UDP
import { createSocket } from 'node:dgram';
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pause } from './measure.mjs';

const NG = 22222;

function encode(v) {
	if (typeof v === 'number')
		return `i${v}e`;
	if (Array.isArray(v))
		return `l${v.map(encode).join('')}e`;
	if (typeof v === 'object')
		return `d${Object.keys(v).toSorted().map((k) => encode(k) + encode(v[k])).join('')}e`;
	return `${Buffer.byteLength(v)}:${v}`;
}

/** One value at `at` of a latin1 text; gives [value, where it ends]. */
function decode(s, at) {
	if (s[at] === 'i') {
		const end = s.indexOf('e', at);
		return [Number(s.slice(at + 1, end)), end + 1];
	}
	if (s[at] === 'l' || s[at] === 'd') {
		const items = [];
		let next = at + 1;
		while (s[next] !== 'e') {
			const [item, end] = decode(s, next);
			items.push(item);
			next = end;
		}
		if (s[at] === 'l')
			return [items, next + 1];
		return [Object.fromEntries(items.flatMap((k, i) => (i % 2 ? [] : [[k, items[i + 1]]]))), next + 1];
	}
	const colon = s.indexOf(':', at), n = Number(s.slice(at, colon));
	return [s.slice(colon + 1, colon + 1 + n), colon + 1 + n];
}

const sdp = (port, proto, crypto) => ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', `m=audio ${port} ${proto} 0`,
	'a=rtpmap:0 PCMU/8000', ...(crypto ? [`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${crypto}`] : []), 'a=rtcp-mux', ''].join('\r\n');

/** The load's key of stream `i` (media_bench.h). */
const key = (i) => Buffer.from(Array.from({ length: 30 }, (_, k) => (i * 31 + (i >> 8) + k * 7 + 1) & 255)).toString('base64');

export class Rtpengine {
	/** Its version; null: it is not there. */
	static installed() {
		const { error, stdout, stderr } = spawnSync('rtpengine', ['--version'], { encoding: 'utf8' });
		return error ? null : (/\d+(\.\d+)+/.exec(stdout + stderr)?.[0] ?? '');
	}

	/** With `n` calls set up; `lines`: what media_load wants to know of them. */
	static async start(world, n) {
		const r = new Rtpengine();
		const dir = mkdtempSync(join(tmpdir(), 'rtpengine-'));
		r.proc = world.here.spawn(['rtpengine', '--config-file=none', '--table=-1', '--interface=127.0.0.1', `--listen-ng=127.0.0.1:${NG}`, '--port-min=40000',
			'--port-max=59999', '--foreground', '--num-threads=2', '--log-level=2', `--pidfile=${join(dir, 'pid')}`], { name: 'rtpengine' });
		r.socket = createSocket('udp4');
		await pause(1000);
		r.lines = [];
		for (let i = 0; i < n; i++)
			r.lines.push(await r.#call(i));
		return r;
	}

	get pid() {
		return this.proc.pid;
	}

	async #ask(command) {
		const cookie = Math.random().toString(36).slice(2), text = `${cookie} ${encode(command)}`;
		const answered = new Promise((resolve, reject) => {
			const timer = setTimeout(() => reject(new Error(`rtpengine: no answer to ${command.command}`)), 20_000);
			const again = setInterval(() => this.socket.send(text, NG, '127.0.0.1'), 500);
			this.socket.removeAllListeners('message');
			this.socket.on('message', (m) => {
				const reply = m.toString('latin1');
				if (!reply.startsWith(`${cookie} `))
					return; // of one that was asked twice
				clearTimeout(timer);
				clearInterval(again);
				resolve(decode(reply, cookie.length + 1)[0]);
			});
		});
		this.socket.send(text, NG, '127.0.0.1');
		const reply = await answered;
		if (reply.result !== 'ok')
			throw new Error(`rtpengine: ${JSON.stringify(reply)}`);
		return reply.sdp;
	}

	/** A offers SDES, B is given RTP and answers it. */
	async #call(i) {
		const call = { 'call-id': `bench-${i}`, 'from-tag': `a${i}`, ICE: 'remove' };
		const toB = await this.#ask({ ...call, command: 'offer', sdp: sdp(20000 + 2 * i, 'RTP/SAVP', key(i)), 'transport-protocol': 'RTP/AVP', 'rtcp-mux': ['accept'] });
		const toA = await this.#ask({ ...call, command: 'answer', 'to-tag': `b${i}`, sdp: sdp(30000 + 2 * i, 'RTP/AVP'), 'rtcp-mux': ['accept'] });
		const port = (text) => /m=audio (\d+)/.exec(text)[1];
		const crypto = /a=crypto:\d+ AES_CM_128_HMAC_SHA1_80 inline:([A-Za-z0-9+/=]+)/.exec(toA);
		if (!crypto)
			throw new Error(`rtpengine answers without a key: ${toA}`);
		return `${i} ${port(toA)} ${port(toB)} - - - - ${Buffer.from(crypto[1], 'base64').toString('hex')}`;
	}

	async stop() {
		this.socket.close();
		await this.proc.stop('SIGKILL');
	}
}
