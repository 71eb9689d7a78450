// tests/abuse/lib/wire.mjs - bytes to a SIP listener, in any pieces, over TLS, TCP or UDP, and what comes back.
//
// Nothing here is a SIP stack: what is sent is sent as it is. Whether something was *not* answered is learnt
// without waiting: behind it goes a well-formed OPTIONS (the probe) on the same connection, and when that has
// been answered, an answer to what went before would have come.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect as tcpConnect } from 'node:net';
import { readFileSync } from 'node:fs';
import * as tls from 'node:tls';
import { takeMessage, token } from '../../lib/sip.mjs';
import { SLOW, within } from '../../lib/world.mjs';
import { segments } from './vectors.mjs';

/** Ports that the vectors' top Vias name: UDP answers go there (RFC 3261 §18.2.2). */
const UDP_PORTS = [5060, 5050, 5070, 6050, 19823];

class Inbox {
	constructor() {
		this.messages = [];
		this.waiting = new Set();
	}

	arrived(message) {
		this.messages.push(message);
		for (const w of [...this.waiting])
			w();
	}

	/** The first message that matches, now or within `ms`; undefined when none came or the wire is down. */
	find(match, ms) {
		return new Promise((resolve) => {
			const look = () => {
				const found = this.messages.find(match);
				if (found === undefined && !this.down)
					return;
				this.waiting.delete(look);
				clearTimeout(timer);
				resolve(found);
			};
			const timer = setTimeout(() => {
				this.waiting.delete(look);
				resolve(undefined);
			}, ms * SLOW);
			this.waiting.add(look);
			look();
		});
	}

	over() {
		this.down = true;
		for (const w of [...this.waiting])
			w();
	}
}

/** TLS or TCP. */
export class StreamWire extends Inbox {
	constructor(kind, socket) {
		super();
		this.kind = kind;
		this.socket = socket;
		let buffer = Buffer.alloc(0);
		socket.setNoDelay(true);
		socket.on('error', (error) => (this.error = error));
		socket.on('close', () => this.over());
		socket.on('data', (data) => {
			buffer = Buffer.concat([buffer, data]);
			for (let got = takeMessage(buffer); got !== undefined; got = takeMessage(buffer)) {
				buffer = got.rest;
				this.arrived(got.message);
			}
		});
	}

	static async tls(host, servername, { pair, ca, localAddress, port = 5061, options = {} } = {}) {
		const socket = tls.connect({
			host, port, servername, localAddress, ca: readFileSync(ca), rejectUnauthorized: true,
			...(pair ? { cert: readFileSync(pair.cert), key: readFileSync(pair.key) } : {}), ...options,
		});
		await within(5000, new Promise((resolve, reject) => socket.on('secureConnect', resolve).on('error', reject)
			.on('close', () => reject(new Error('closed in the handshake')))), 'TLS handshake');
		return new StreamWire('tls', socket);
	}

	static async tcp(host, { localAddress, port = 5060 } = {}) {
		const socket = tcpConnect({ host, port, localAddress });
		await within(5000, once(socket, 'connect'), 'TCP connect');
		return new StreamWire('tcp', socket);
	}

	async send(message, how = 'whole') {
		for (const piece of segments(message, how)) {
			if (this.down || !this.socket.writable)
				return;
			await new Promise((resolve) => this.socket.write(piece, resolve));
		}
	}

	close() {
		this.socket.destroy();
	}
}

/** UDP from port 5060 of an address, listening on every port that the vectors want answers to. */
export class UdpWire extends Inbox {
	static async open(host, address, { port = 5060 } = {}) {
		const wire = new UdpWire();
		wire.kind = 'udp';
		wire.to = [port, host];
		wire.sockets = await Promise.all(UDP_PORTS.map(async (p) => {
			const socket = createSocket('udp4');
			socket.on('message', (data) => {
				const got = takeMessage(data);
				wire.arrived(got?.message ?? { status: -1, get: () => undefined, all: () => [], data });
			});
			await new Promise((resolve, reject) => socket.on('error', reject).bind(p, address, resolve));
			return socket;
		}));
		return wire;
	}

	send(message) {
		return new Promise((resolve) => this.sockets[0].send(message, ...this.to, resolve));
	}

	close() {
		for (const socket of this.sockets)
			socket.close();
	}
}

/** A well-formed request of this method, as text. */
export function plain(method, { uri, from, to, address, transport, extra = [], body = '', type = 'application/sdp', callId = token(), branch = `z9hG4bK${token()}`, maxForwards = 70 }) {
	return Buffer.from([`${method} ${uri} SIP/2.0`, `Via: SIP/2.0/${transport} ${address}:${transport === 'TLS' ? 5061 : 5060};branch=${branch}`,
		`Max-Forwards: ${maxForwards}`, `From: <${from}>;tag=${token()}`, `To: <${to ?? uri}>`, `Call-ID: ${callId}`, `CSeq: 7 ${method}`,
		`Contact: <sip:caller@${address}${transport === 'TLS' ? ':5061;transport=tls' : ''}>`, ...extra,
		...(body ? [`Content-Type: ${type}`] : []), `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n'));
}

/** OPTIONS on this wire; gives the answer, or undefined. */
export async function probe(wire, { domain, from, address }, ms = 3000) {
	const callId = `probe-${token()}`;
	await wire.send(plain('OPTIONS', { uri: `sip:${domain}`, from, address, transport: wire.kind.toUpperCase(), callId }));
	return wire.find((m) => m.status >= 200 && m.get('Call-ID') === callId, ms);
}

/** Sends `message` and gives what became of it:
 *  {status: of the final response, 0 for none; responses; closed; swallowed: the probe got no answer}. */
export async function verdict(wire, message, target, { how = 'whole', expectAnswer = false } = {}) {
	const mine = (m) => !(m.get('Call-ID') ?? '').startsWith('probe-');
	await wire.send(message, how);
	const after = await probe(wire, target);
	let final = wire.messages.find((m) => m.status >= 200 && mine(m));
	const provisional = wire.messages.some((m) => m.status > 0 && m.status < 200 && mine(m));
	if (final === undefined && !wire.down && (expectAnswer || provisional))
		final = await wire.find((m) => m.status >= 200 && mine(m), 4000);
	else if (final === undefined && wire.kind === 'udp') // it may lie in another of our sockets still
		final = await wire.find((m) => m.status >= 200 && mine(m), 100);
	const responses = wire.messages.filter(mine);
	return { status: final?.status ?? 0, final, responses, closed: Boolean(wire.down), swallowed: after === undefined && !wire.down };
}

/** The ACK to a refusal of `message`, from its own bytes and the response (RFC 3261 §17.1.1.3). */
export function ackFor(message, response) {
	const head = message.toString('latin1').split('\r\n\r\n')[0];
	const via = /\r\nv(?:ia)?[ \t]*:(?:[^\r\n]|\r\n[ \t])*/i.exec(head)?.[0].trim();
	const uri = /^\S+\s+(\S+)/.exec(head)?.[1];
	if (!via || !uri || response.get('From') === undefined)
		return undefined;
	return Buffer.from([`ACK ${uri} SIP/2.0`, via, 'Max-Forwards: 70', `From: ${response.get('From')}`, `To: ${response.get('To')}`,
		`Call-ID: ${response.get('Call-ID')}`, `CSeq: ${response.cseq.n} ACK`, 'Content-Length: 0', '', ''].join('\r\n'), 'latin1');
}
