// tests/lib/sip.mjs - a foreign calling site made of text: SIP over TLS, scripted by the test.
//
//   const gamma = await SipSite.listen({ domain: 'gamma.test', pair, ca, address });      takes calls
//   const invite = await gamma.request('INVITE');  invite.reply(180);  invite.reply(200, { body: sdp });
//   const link = await gamma.dial('198.18.0.20', 'beta.test');                             makes calls
//   const call = link.call({ from, to, body });    const ok = await call.response(200);    call.ack(ok);
import { randomBytes } from 'node:crypto';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { connect as tcpConnect, createServer as tcpServer } from 'node:net';
import { join } from 'node:path';
import * as tls from 'node:tls';
import { witness } from './witness.mjs';
import { OUT, within } from './world.mjs';

const COMPACT = {
	v: 'via', f: 'from', t: 'to', i: 'call-id', m: 'contact', l: 'content-length', c: 'content-type', k: 'supported',
	x: 'session-expires', s: 'subject', e: 'content-encoding', o: 'event', r: 'refer-to', u: 'allow-events',
};

export const token = () => randomBytes(8).toString('hex');

export class Message {
	constructor(start, headers, body = Buffer.alloc(0)) {
		Object.assign(this, { start, headers, body });
		const status = /^SIP\/2\.0 (\d{3}) ?(.*)$/.exec(start);
		this.status = status ? Number(status[1]) : 0;
		this.phrase = status?.[2];
		this.method = status ? '' : start.split(' ')[0];
		this.uri = status ? '' : start.split(' ')[1];
	}

	/** All values of a header, long or compact name. */
	all(name) {
		const wanted = name.toLowerCase();
		return this.headers.filter(([n]) => (COMPACT[n.toLowerCase()] ?? n.toLowerCase()) === wanted).map(([, v]) => v);
	}

	get(name) {
		return this.all(name)[0];
	}

	get text() {
		return this.body.toString();
	}

	get cseq() {
		const [n, method] = (this.get('CSeq') ?? '0 ').split(/\s+/);
		return { n: Number(n), method };
	}

	tag(name) {
		return /;\s*tag=([^;>\s]+)/.exec(this.get(name) ?? '')?.[1];
	}

	branch() {
		return /;\s*branch=([^;,\s]+)/.exec(this.get('Via') ?? '')?.[1];
	}

	toString() {
		return [this.start, ...this.headers.map(([n, v]) => `${n}: ${v}`), '', ''].join('\r\n') + this.body;
	}
}

/** Takes one message off the front of `buffer`: {message, rest}, or undefined when it is not whole yet. */
export function takeMessage(buffer) {
	let at = 0;
	while (buffer[at] === 13 || buffer[at] === 10)
		at++;
	const end = buffer.indexOf('\r\n\r\n', at);
	if (end < 0)
		return undefined;
	const [start, ...lines] = buffer.subarray(at, end).toString().replace(/\r\n[ \t]+/g, ' ').split('\r\n');
	const headers = lines.map((l) => {
		const colon = l.indexOf(':');
		return [l.slice(0, colon).trim(), l.slice(colon + 1).trim()];
	});
	const message = new Message(start, headers);
	const length = Number(message.get('Content-Length') ?? 0);
	if (buffer.length < end + 4 + length)
		return undefined;
	message.body = Buffer.from(buffer.subarray(end + 4, end + 4 + length));
	return { message, rest: buffer.subarray(end + 4 + length) };
}

/** One connection. */
class Link {
	constructor(site, socket) {
		Object.assign(this, { site, socket });
		this.buffer = Buffer.alloc(0);
		this.closed = new Promise((resolve) => socket.on('close', resolve));
		socket.on('error', (error) => (this.error = error));
		socket.on('data', (data) => {
			this.buffer = Buffer.concat([this.buffer, data]);
			for (let got = takeMessage(this.buffer); got !== undefined; got = takeMessage(this.buffer)) {
				this.buffer = got.rest;
				this.site.arrived(this, got.message);
			}
		});
	}

	send(message) {
		this.site.note('->', message);
		this.socket.write(String(message));
	}

	close() {
		this.socket.end();
		return this.closed;
	}

	/** RST instead of FIN. */
	reset() {
		(this.socket._parent ?? this.socket).resetAndDestroy?.() ?? this.socket.destroy();
	}

	call(options) {
		return new Call(this, options);
	}
}

/** One address that is spoken to by UDP. */
class UdpLink {
	constructor(site, { address, port }) {
		Object.assign(this, { site, address, port, socket: { remoteAddress: address, remotePort: port } });
	}

	send(message) {
		this.site.note('->', message);
		this.site.udp.send(String(message), this.port, this.address);
	}

	call(options) {
		return new Call(this, options);
	}
}

/** A call that this foreign site makes. Requests are sent by hand, step by step. */
class Call {
	constructor(link, { from, to, body = '', headers = [], uri, method = 'INVITE', maxForwards = 70, contact } = {}) {
		const { site } = link;
		Object.assign(this, { link, site, body: String(body), callId: `${token()}@${site.domain}`, tag: token(), n: 1 });
		this.from = `<sip:${from}>;tag=${this.tag}`;
		this.to = `<sip:${to}>`;
		this.uri = uri ?? `sip:${to}`;
		this.contact = contact ?? `<sip:${from.split('@')[0]}@${site.host};${site.contact}>`;
		this.route = [];
		this.invite = this.request(method, { body, headers, maxForwards });
	}

	request(method, { body = '', headers = [], cseq = this.n, branch = `z9hG4bK${token()}`, maxForwards = 70, type = 'application/sdp', toHeader } = {}) {
		const message = new Message(`${method} ${this.uri} SIP/2.0`, [
			['Via', `SIP/2.0/${this.site.transport} ${this.site.host};branch=${branch}`], ['Max-Forwards', String(maxForwards)],
			...this.route.map((r) => ['Route', r]), ['From', this.from], ['To', toHeader ?? this.to], ['Call-ID', this.callId],
			['CSeq', `${cseq} ${method}`], ['Contact', this.contact], ...headers,
			...(body ? [['Content-Type', type]] : []), ['Content-Length', String(Buffer.byteLength(body))],
		], Buffer.from(body));
		this.link.send(message);
		return message;
	}

	/** The response with this status (or the first final one) to a request of ours. */
	async response(status, { to = this.invite, ms } = {}) {
		const got = await this.site.wait((m) => m.status > 0 && m.get('Call-ID') === this.callId && m.cseq.n === to.cseq.n &&
			m.cseq.method === to.cseq.method && (status === undefined ? m.status >= 200 : m.status === status),
			`${status ?? 'a final response'} to ${to.method}`, ms);
		return got.message;
	}

	/** Learns the dialog from a response. */
	enter(response) {
		this.to = response.get('To');
		this.uri = /<([^>]+)>/.exec(response.get('Contact') ?? `<${this.uri}>`)[1];
		this.route = response.all('Record-Route').reverse();
	}

	ack(response) {
		if (response.status >= 300) {
			return this.request('ACK', { cseq: this.invite.cseq.n, branch: this.invite.branch(), toHeader: response.get('To') });
		}
		this.enter(response);
		return this.request('ACK', { cseq: response.cseq.n });
	}

	cancel(headers = []) {
		return this.request('CANCEL', { cseq: this.invite.cseq.n, branch: this.invite.branch(), headers });
	}

	/** A request in the dialog. */
	send(method, options = {}) {
		this.n++;
		return this.request(method, options);
	}

	async bye() {
		return this.response(200, { to: this.send('BYE') });
	}
}

/** A request that came in. */
export class Incoming {
	constructor(link, message) {
		Object.assign(this, { link, message, tag: token() });
	}

	reply(status, { body = '', headers = [], tag = this.tag, phrase = 'Because', contact = `<sip:${this.link.site.host};${this.link.site.contact}>` } = {}) {
		const m = this.message;
		const to = m.tag('To') || status === 100 ? m.get('To') : `${m.get('To')};tag=${tag}`;
		this.link.send(new Message(`SIP/2.0 ${status} ${phrase}`, [
			...m.all('Via').map((v) => ['Via', v]), ...m.all('Record-Route').map((v) => ['Record-Route', v]), ['From', m.get('From')], ['To', to],
			['Call-ID', m.get('Call-ID')], ['CSeq', m.get('CSeq')], ...(status < 300 ? [['Contact', contact]] : []), ...headers,
			...(body ? [['Content-Type', 'application/sdp']] : []), ['Content-Length', String(Buffer.byteLength(body))],
		], Buffer.from(body)));
	}

	/** A request of ours in the dialog that this INVITE made. */
	request(method, { body = '', headers = [], cseq = (this.n = (this.n ?? 100) + 1), tag = this.tag, type = 'application/sdp' } = {}) {
		const m = this.message;
		const uri = /<([^>]+)>/.exec(m.get('Contact'))[1];
		const message = new Message(`${method} ${uri} SIP/2.0`, [
			['Via', `SIP/2.0/${this.link.site.transport} ${this.link.site.host};branch=z9hG4bK${token()}`], ['Max-Forwards', '70'],
			...m.all('Record-Route').map((r) => ['Route', r]), ['From', `${m.get('To')};tag=${tag}`], ['To', m.get('From')],
			['Call-ID', m.get('Call-ID')], ['CSeq', `${cseq} ${method}`], ['Contact', `<sip:${this.link.site.host};${this.link.site.contact}>`], ...headers,
			...(body ? [['Content-Type', type]] : []), ['Content-Length', String(Buffer.byteLength(body))],
		], Buffer.from(body));
		this.link.send(message);
		return message;
	}

	/** The final response to a request of ours in this dialog. */
	async response(to) {
		return (await this.link.site.wait((m) => m.status >= 200 && m.get('Call-ID') === to.get('Call-ID') &&
			m.cseq.n === to.cseq.n && m.cseq.method === to.cseq.method, `the answer to ${to.method}`)).message;
	}
}

export class SipSite {
	/** @param pair {cert, key} or undefined for none   @param ca file of roots   @param plain TCP without TLS */
	constructor({ domain, pair, ca, address, port = 5061, plain = false }) {
		Object.assign(this, { domain, address, port, plain, transport: plain ? 'TCP' : 'TLS', contact: `transport=${plain ? 'tcp' : 'tls'}`, links: [], inbox: [], waiting: new Set(), log: [] });
		this.host = `${address}:${port}`;
		this.file = join(OUT, `sip-${domain}.txt`);
		this.pair = pair;
		this.options = {
			ca: ca && readFileSync(ca), minVersion: 'TLSv1.2',
			...(pair ? { cert: readFileSync(pair.cert), key: readFileSync(pair.key) } : {}),
		};
		writeFileSync(this.file, '');
	}

	static async listen(options) {
		const site = new SipSite(options);
		const taken = (socket) => {
			site.servername = socket.servername;
			site.links.push(new Link(site, socket));
		};
		site.server = site.plain ? tcpServer(taken)
			: tls.createServer({ ...site.options, requestCert: true, rejectUnauthorized: false }, taken);
		site.server.on('tlsClientError', (error) => site.log.push(error.message));
		await new Promise((resolve, reject) => site.server.on('error', reject).listen(site.port, site.address, resolve));
		return site;
	}

	/** A trunk by UDP: a datagram is a message. `toUdp(address, port)` gives the link to whom it calls. */
	static async listenUdp({ domain, address, port = 5060 }) {
		const site = new SipSite({ domain, address, port });
		Object.assign(site, { transport: 'UDP', contact: 'transport=udp', repeats: new Set() });
		site.udp = createSocket('udp4');
		site.udp.on('message', (data, from) => {
			const message = takeMessage(data)?.message;
			/* what is repeated since our answer has not come is the same message */
			const key = message && `${message.start} ${message.branch()} ${message.get('CSeq')}`;
			if (!message || site.repeats.has(key))
				return;
			if (!message.status)
				site.repeats.add(key);
			site.arrived(new UdpLink(site, from), message);
		});
		await new Promise((resolve, reject) => site.udp.on('error', reject).bind(port, address, resolve));
		return site;
	}

	toUdp(address, port = 5060) {
		return new UdpLink(this, { address, port });
	}

	/** A TLS connection to another site, from our own address. Rejects when the handshake fails. */
	async dial(address, servername, { port = 5061, verify = true, localAddress = this.address, options = {} } = {}) {
		const socket = tls.connect({
			...this.options, host: address, port, servername, rejectUnauthorized: verify, localAddress, ...options,
		});
		await within(10_000, new Promise((resolve, reject) => socket.on('secureConnect', resolve).on('error', reject).on('close', () =>
			reject(new Error('closed during the handshake')))), `a TLS handshake with ${servername}`);
		const link = new Link(this, socket);
		this.links.push(link);
		return link;
	}

	/** A plain TCP connection. */
	async dialPlain(address, port = 5060) {
		const socket = tcpConnect({ host: address, port, localAddress: this.address });
		await within(10_000, new Promise((resolve, reject) => socket.on('connect', resolve).on('error', reject)), `TCP to ${address}:${port}`);
		const link = new Link(this, socket);
		this.links.push(link);
		return link;
	}

	note(dir, message) {
		appendFileSync(this.file, `${new Date().toISOString()} ${dir}\n${message}\n\n`);
	}

	arrived(link, message) {
		this.note('<-', message);
		witness(message, link.socket.remoteAddress);
		const got = { link, message, at: performance.now() };
		this.log.push(got);
		for (const w of this.waiting) {
			if (w.match(message)) {
				this.waiting.delete(w);
				w.resolve(got);
				return;
			}
		}
		this.inbox.push(got);
	}

	/** The next message that matches and that nobody has taken, now or later. */
	async wait(match, what, ms = 10_000) {
		const i = this.inbox.findIndex((got) => match(got.message));
		if (i >= 0)
			return this.inbox.splice(i, 1)[0];
		const w = { match };
		const come = new Promise((resolve) => (w.resolve = resolve));
		this.waiting.add(w);
		return within(ms, come, `${what} at ${this.domain}; came: ${this.log.map((g) => g.message?.start ?? g).join(' | ')}`)
			.finally(() => this.waiting.delete(w));
	}

	async request(method, ms) {
		const { link, message } = await this.wait((m) => m.method === method, method, ms);
		return new Incoming(link, message);
	}

	/** All messages that came, of one method or status. */
	received(what) {
		return this.log.filter((g) => g.message && (g.message.method === what || g.message.status === what)).map((g) => g.message);
	}

	async close() {
		this.udp?.close();
		for (const link of this.links)
			link.socket.destroy();
		if (this.server)
			await new Promise((resolve) => this.server.close(resolve));
	}
}

/** For programs that speak SIP over plain TCP only (Debian's sipp): what comes to `listen` (TCP, loopback)
 *  goes on to `to` over TLS with our certificate. Gives a function that closes it. */
export async function tlsOutward({ listenPort, to, port = 5061, servername, pair, ca, localAddress }) {
	const server = tcpServer((inner) => {
		const outer = tls.connect({
			host: to, port, servername, localAddress, cert: readFileSync(pair.cert), key: readFileSync(pair.key), ca: readFileSync(ca),
		});
		join2(inner, outer);
	});
	await new Promise((resolve, reject) => server.on('error', reject).listen(listenPort, '127.0.0.1', resolve));
	return () => new Promise((resolve) => server.close(resolve));
}

/** The other way: TLS at `address`:`port` with our certificate, client certificates demanded, on to a TCP port. */
export async function tlsInward({ address, port = 5061, toPort, pair, ca }) {
	const server = tls.createServer({
		cert: readFileSync(pair.cert), key: readFileSync(pair.key), ca: readFileSync(ca), requestCert: true, rejectUnauthorized: false,
	}, (outer) => join2(outer, tcpConnect(toPort, '127.0.0.1')));
	await new Promise((resolve, reject) => server.on('error', reject).listen(port, address, resolve));
	return () => new Promise((resolve) => server.close(resolve));
}

function join2(a, b) {
	a.pipe(b).pipe(a);
	for (const [one, other] of [[a, b], [b, a]]) {
		one.on('error', () => other.destroy());
		one.on('close', () => other.destroy());
	}
}
