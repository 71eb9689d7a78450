// tests/abuse/lib/raw_http.mjs - HTTP and WebSocket as bytes: what no library would send.
//
//   const raw = await Raw.tls(stand);  raw.write('GET / HTTP/1.1\r\n...');  await raw.response();
import { connect as tcpConnect } from 'node:net';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import * as tls from 'node:tls';
import { SLOW, within } from '../../lib/world.mjs';

export class Raw {
	constructor(socket) {
		this.socket = socket;
		this.buffer = Buffer.alloc(0);
		this.waiting = new Set();
		this.opened = performance.now();
		socket.on('error', (error) => (this.error = error));
		socket.on('data', (data) => {
			this.buffer = Buffer.concat([this.buffer, data]);
			this.#wake();
		});
		this.ended = new Promise((resolve) => socket.on('close', () => {
			this.down = true;
			this.downAfter = performance.now() - this.opened;
			this.#wake();
			resolve(this.downAfter);
		}));
		socket.on('end', () => socket.end());
	}

	#wake() {
		for (const w of [...this.waiting])
			w();
	}

	static async tcp(host, { localAddress, port = 443 } = {}) {
		const socket = tcpConnect({ host, port, localAddress });
		await within(5000, once(socket, 'connect'), 'TCP connect');
		return new Raw(socket);
	}

	static async tls(daemon, { localAddress, options = {} } = {}) {
		const socket = tls.connect({ host: daemon.host.address, port: 443, servername: daemon.domain, ca: daemon.ca, localAddress, ALPNProtocols: ['http/1.1'], ...options });
		await within(5000, new Promise((resolve, reject) => socket.on('secureConnect', resolve).on('error', reject)
			.on('close', () => reject(new Error('closed in the handshake')))), 'TLS handshake');
		return new Raw(socket);
	}

	write(data) {
		if (!this.down && this.socket.writable)
			this.socket.write(data);
		return this;
	}

	/** Waits until `look()` gives something or the connection is down; undefined when neither in `ms`. */
	until(look, ms = 5000) {
		return new Promise((resolve) => {
			const check = () => {
				const found = look();
				if (found === undefined && !this.down)
					return;
				this.waiting.delete(check);
				clearTimeout(timer);
				resolve(found);
			};
			const timer = setTimeout(() => {
				this.waiting.delete(check);
				resolve(undefined);
			}, ms * SLOW);
			this.waiting.add(check);
			check();
		});
	}

	/** The next response: {status, headers, body}; undefined: closed without one, or silence. */
	response(ms) {
		return this.until(() => {
			const end = this.buffer.indexOf('\r\n\r\n');
			if (end < 0)
				return undefined;
			const [start, ...lines] = this.buffer.subarray(0, end).toString().split('\r\n');
			const headers = Object.fromEntries(lines.map((l) => [l.slice(0, l.indexOf(':')).toLowerCase(), l.slice(l.indexOf(':') + 1).trim()]));
			const length = Number(headers['content-length'] ?? 0);
			if (this.buffer.length < end + 4 + length)
				return undefined;
			const body = this.buffer.subarray(end + 4, end + 4 + length);
			this.buffer = this.buffer.subarray(end + 4 + length);
			return { status: Number(start.split(' ')[1]), headers, body };
		}, ms);
	}

	/** The next WebSocket frame: {opcode, payload, code for a close}. */
	frame(ms) {
		return this.until(() => {
			const b = this.buffer;
			if (b.length < 2)
				return undefined;
			let length = b[1] & 127;
			let at = 2;
			if (length === 126 || length === 127) {
				at = length === 126 ? 4 : 10;
				if (b.length < at)
					return undefined;
				length = length === 126 ? b.readUInt16BE(2) : Number(b.readBigUInt64BE(2));
			}
			if (b.length < at + length)
				return undefined;
			const payload = b.subarray(at, at + length);
			this.buffer = b.subarray(at + length);
			const opcode = b[0] & 15;
			return { opcode, payload, code: opcode === 8 && length >= 2 ? payload.readUInt16BE(0) : undefined };
		}, ms);
	}

	close() {
		this.socket.destroy();
	}
}

/** An upgrade request; `change` gives headers another value, null leaves one out. */
export function upgrade(domain, change = {}, { path = '/ws', method = 'GET', extra = '' } = {}) {
	const headers = {
		Host: domain, Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
		'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Protocol': 'sluss.v1', Origin: `https://${domain}`, ...change,
	};
	return `${method} ${path} HTTP/1.1\r\n${Object.entries(headers).filter(([, v]) => v !== null).map(([k, v]) => `${k}: ${v}\r\n`).join('')}${extra}\r\n`;
}

/** A masked client frame. */
export function frame(opcode, payload, { fin = true } = {}) {
	const data = Buffer.from(payload);
	const mask = randomBytes(4);
	const head = data.length < 126 ? [data.length] : data.length < 65536 ? [126, data.length >> 8, data.length & 255]
		: [127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((s) => (data.length >>> s) & 255)];
	head[0] |= 0x80;
	return Buffer.concat([Buffer.from([(fin ? 0x80 : 0) | opcode, ...head]), mask, data.map((b, i) => b ^ mask[i % 4])]);
}
