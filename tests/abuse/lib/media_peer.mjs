// tests/abuse/lib/media_peer.mjs - a party's half of a relayed call without a browser: a UDP socket that makes
// connectivity checks (RFC 8445 §7), and sends what it likes.
//
//   const alice = await MediaPeer.open(address);   alice.describe('offer') → SDP with its ufrag, pwd, candidate
//   alice.meet(sdp)                                 whose description it is that the gateway wrote
//   await alice.check()                             true: the gateway has answered
import { createHmac, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import * as sdp from '../../lib/sdp.mjs';

const COOKIE = Buffer.from('2112a442', 'hex');

const CRC = Array.from({ length: 256 }, (_, n) => {
	for (let k = 0; k < 8; k++)
		n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
	return n >>> 0;
});
const crc32 = (bytes) => (bytes.reduce((c, b) => CRC[(c ^ b) & 255] ^ (c >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0;

export function attribute(type, value) {
	const head = Buffer.alloc(4);
	head.writeUInt16BE(type, 0);
	head.writeUInt16BE(value.length, 2);
	return Buffer.concat([head, value, Buffer.alloc((4 - value.length % 4) % 4)]);
}

/** A Binding request (RFC 8489 §5): `pwd` adds MESSAGE-INTEGRITY; FINGERPRINT is always there. */
export function binding({ attributes = [], pwd, tid = randomBytes(12), fingerprint = true } = {}) {
	let body = Buffer.concat(attributes);
	const whole = (length) => {
		const head = Buffer.alloc(4);
		head.writeUInt16BE(1, 0);
		head.writeUInt16BE(length, 2);
		return Buffer.concat([head, COOKIE, tid, body]);
	};
	if (pwd)
		body = Buffer.concat([body, attribute(8, createHmac('sha1', pwd).update(whole(body.length + 24)).digest())]);
	if (fingerprint) {
		const value = Buffer.alloc(4);
		value.writeUInt32BE((crc32(whole(body.length + 8)) ^ 0x5354554e) >>> 0);
		body = Buffer.concat([body, attribute(0x8028, value)]);
	}
	return whole(body.length);
}

export class MediaPeer {
	static async open(address, { onPacket = () => {} } = {}) {
		const peer = new MediaPeer();
		Object.assign(peer, { address, onPacket, waiting: new Map(), got: [] });
		peer.socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
		await new Promise((resolve, reject) => peer.socket.once('error', reject).bind(0, address, resolve));
		peer.socket.on('message', (bytes) => peer.#take(bytes));
		return peer;
	}

	#take(bytes) {
		if (bytes[0] > 3) {
			this.got.push(bytes);
			this.onPacket(bytes);
			return;
		}
		this.waiting.get(bytes.toString('hex', 8, 20))?.(bytes.readUInt16BE(0));
	}

	/** A description with this socket as its only candidate. */
	describe(kind, options) {
		const { port } = this.socket.address();
		const text = sdp[kind](`media ${kind}`, { address: this.address, ...options }).replaceAll(/ 50000 /g, ` ${port} `);
		this.ufrag = /^a=ice-ufrag:(\S+)/m.exec(text)[1];
		this.pwd = /^a=ice-pwd:(\S+)/m.exec(text)[1];
		return text;
	}

	/** What the gateway has said of its side. */
	meet(text) {
		this.theirs = { ufrag: /^a=ice-ufrag:(\S+)/m.exec(text)[1], pwd: /^a=ice-pwd:(\S+)/m.exec(text)[1] };
		const [, host, port] = /^a=candidate:\S+ 1 \S+ \d+ (\d[\d.]+) (\d+) typ host/m.exec(text);
		Object.assign(this, { host, port: Number(port) });
	}

	/** One check, repeated like a browser's. Gives the type of the answer; 0: none within `ms`. */
	async check({ ms = 2000, pwd = this.theirs.pwd, username = `${this.theirs.ufrag}:${this.ufrag}`, extra = [] } = {}) {
		const tid = randomBytes(12);
		const request = binding({ tid, pwd, attributes: [attribute(6, Buffer.from(username)), attribute(0x24, Buffer.from([0x6e, 0, 1, 0xff])),
			attribute(0x802a, randomBytes(8)), attribute(0x25, Buffer.alloc(0)), ...extra] });
		const answered = new Promise((resolve) => this.waiting.set(tid.toString('hex'), resolve));
		const again = setInterval(() => this.send(request), 100);
		this.send(request);
		try {
			return await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, ms, 0))]);
		} finally {
			clearInterval(again);
			this.waiting.delete(tid.toString('hex'));
		}
	}

	send(bytes) {
		this.socket.send(bytes, this.port, this.host);
	}

	/** A packet that looks like SRTP, with a number of its own. */
	rtp(n, bytes = 172) {
		const p = Buffer.alloc(bytes, 0x55);
		p.writeUInt16BE(0x806f, 0);
		p.writeUInt16BE(n & 0xffff, 2);
		p.writeUInt32BE(n, 4);
		p.writeUInt32BE(7, 8);
		this.send(p);
	}

	close() {
		this.socket.close();
	}
}
