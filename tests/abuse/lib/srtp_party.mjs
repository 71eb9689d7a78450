// tests/abuse/lib/srtp_party.mjs - a browser's half of an anchored call without a browser: checks like MediaPeer's, a
// DTLS handshake by OpenSSL's own client through its socket, and SRTP with the keys that come out (RFC 5764, RFC 3711).
//
//   openssl s_client ── UDP, loopback ── SrtpParty ══ its one socket ══► slussd's media port
import { createCipheriv, createHmac, X509Certificate } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { until } from '../../lib/world.mjs';
import { MediaPeer } from './media_peer.mjs';

const TAG = 10;

/** One direction's keys, AES_CM_128_HMAC_SHA1_80 (RFC 3711 §4). */
export class Srtp {
	constructor(key, salt) {
		const derive = (label, n) => {
			const iv = Buffer.concat([salt, Buffer.alloc(2)]);
			iv[7] ^= label;
			return createCipheriv('aes-128-ctr', key, iv).update(Buffer.alloc(n));
		};
		[this.rtp, this.rtcp] = [0, 3].map((l) => ({ key: derive(l, 16), mac: derive(l + 1, 20), salt: derive(l + 2, 14) }));
		this.index = 0;
	}

	/** From `at` on, in place. The index is 48 bits: those of an RTP packet, or an SRTCP one's 31. */
	static #cipher(keys, ssrc, index, bytes, at) {
		const iv = Buffer.concat([keys.salt, Buffer.alloc(2)]), x = Buffer.alloc(16);
		x.writeUInt32BE(ssrc, 4);
		x.writeUIntBE(index, 8, 6);
		for (let i = 0; i < 16; i++)
			iv[i] ^= x[i];
		createCipheriv('aes-128-ctr', keys.key, iv).update(bytes.subarray(at)).copy(bytes, at);
	}

	static #tag(keys, ...parts) {
		return createHmac('sha1', keys.mac).update(Buffer.concat(parts)).digest().subarray(0, TAG);
	}

	seal(packet, roc = 0) {
		const out = Buffer.from(packet), rolls = Buffer.alloc(4);
		rolls.writeUInt32BE(roc);
		Srtp.#cipher(this.rtp, out.readUInt32BE(8), roc * 0x10000 + out.readUInt16BE(2), out, 12);
		return Buffer.concat([out, Srtp.#tag(this.rtp, out, rolls)]);
	}

	open(packet) {
		const out = Buffer.from(packet.subarray(0, packet.length - TAG));
		if (!Srtp.#tag(this.rtp, out, Buffer.alloc(4)).equals(packet.subarray(out.length)))
			return undefined;
		Srtp.#cipher(this.rtp, out.readUInt32BE(8), out.readUInt16BE(2), out, 12);
		return out;
	}

	sealRtcp(packet) {
		const out = Buffer.from(packet), word = Buffer.alloc(4), index = ++this.index;
		Srtp.#cipher(this.rtcp, out.readUInt32BE(4), index, out, 8);
		word.writeUInt32BE((0x80000000 | index) >>> 0);
		return Buffer.concat([out, word, Srtp.#tag(this.rtcp, out, word)]);
	}
}

/** An RTP packet with `n` as its number, its time and all bytes of its sound. */
export function rtp(n, { pt = 0, ssrc = 7, bytes = 172, fill = n & 255 } = {}) {
	const p = Buffer.alloc(bytes, fill);
	p.writeUInt16BE(0x8000 | pt, 0);
	p.writeUInt16BE(n & 0xffff, 2);
	p.writeUInt32BE((160 * n) >>> 0, 4);
	p.writeUInt32BE(ssrc, 8);
	return p;
}

export class SrtpParty extends MediaPeer {
	/** `pair`: {cert, key}, files. */
	static async open(address, world, pair) {
		const party = Object.assign(await MediaPeer.open(address, { onPacket: (bytes) => party.taken(bytes) }), { world, pair, heard: [], ssrc: 7 });
		Object.setPrototypeOf(party, SrtpParty.prototype);
		party.inner = createSocket('udp4');
		await new Promise((resolve) => party.inner.bind(0, '127.0.0.1', resolve));
		party.inner.on('message', (bytes, from) => {
			party.client = from;
			party.send(bytes);
		});
		return party;
	}

	describe(kind, options) {
		const print = new X509Certificate(readFileSync(this.pair.cert)).fingerprint256;
		return super.describe(kind, options).replaceAll(/^a=fingerprint:.*/gm, `a=fingerprint:sha-256 ${print}`);
	}

	taken(bytes) {
		if (bytes[0] >= 20 && bytes[0] < 64)
			this.inner.send(bytes, this.client.port, this.client.address);
		else if (this.in && (bytes[1] < 192 || bytes[1] > 223))
			this.heard.push(this.in.open(bytes));
	}

	/** The check, the handshake, the keys. */
	async join() {
		await this.check();
		const proc = this.world.here.spawn(['openssl', 's_client', '-dtls1_2', '-connect', `127.0.0.1:${this.inner.address().port}`, '-cert', this.pair.cert,
			'-key', this.pair.key, '-mtu', '1200', '-use_srtp', 'SRTP_AES128_CM_SHA1_80', '-keymatexport', 'EXTRACTOR-dtls_srtp', '-keymatexportlen', '60'],
		{ name: 'dtls-client', stdio: ['pipe', 'pipe', 'pipe'] });
		const found = () => /Keying material: ([0-9A-F]{120})/.exec(proc.text)?.[1];
		await until(10_000, found, 'the handshake is done').catch((error) => {
			throw new Error(`${error.message}: ${proc.text.slice(-2000)}`);
		});
		const material = Buffer.from(found(), 'hex');
		const [k1, k2, s1, s2] = [[0, 16], [16, 32], [32, 46], [46, 60]].map(([from, to]) => material.subarray(from, to));
		this.out = new Srtp(k1, s1); // it was the client
		this.in = new Srtp(k2, s2);
		this.proc = proc;
	}

	/** Resolves when it has left. */
	sent(bytes) {
		return new Promise((resolve) => this.socket.send(bytes, this.port, this.host, resolve));
	}

	async close() {
		await this.proc?.stop();
		super.close();
		this.inner.close();
	}
}

/** A telephone behind a trunk: RTP in the clear or with keys of its description (RFC 4568), RTCP on a port of its own. */
export class PlainParty {
	static async open(address) {
		const party = Object.assign(new PlainParty(), { address, heard: [], reports: [], ssrc: 0x70000001, last: 0 });
		for (const name of ['audio', 'audioRtcp', 'pictures', 'picturesRtcp']) {
			const socket = party[name] = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
			await new Promise((resolve) => socket.bind(0, address, resolve));
			socket.on('message', (bytes) => party.#take(name, bytes));
		}
		return party;
	}

	#take(name, bytes) {
		if (name.endsWith('Rtcp'))
			this.reports.push(bytes);
		else if (name === 'audio')
			this.heard.push(this.in ? this.in.open(bytes) : bytes);
	}

	describe({ sdes, video }) {
		const port = (name) => this[name].address().port;
		this.master = sdes ? Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d', 'hex') : undefined;
		return ['v=0', `o=- 1 1 IN IP4 ${this.address}`, 's=-', `c=IN IP4 ${this.address}`, 't=0 0',
			`m=audio ${port('audio')} RTP/${sdes ? 'SAVP' : 'AVP'} 0 101`, `a=rtcp:${port('audioRtcp')}`, 'a=rtpmap:101 telephone-event/8000',
			...(sdes ? [`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${this.master.toString('base64')}`] : []),
			...(video ? [`m=video ${port('pictures')} RTP/AVPF 96`, `a=rtcp:${port('picturesRtcp')}`, 'a=rtpmap:96 VP8/90000', 'a=rtcp-fb:96 nack pli'] : []), ''].join('\r\n');
	}

	meet(text) {
		this.host = /^c=IN IP4 (\S+)/m.exec(text)[1];
		this.ports = Object.fromEntries([...text.matchAll(/^m=(\w+) (\d+)/gm)].map(([, kind, port]) => [kind, Number(port)]));
		const key = /^a=crypto:\d+ AES_CM_128_HMAC_SHA1_80 inline:([\w+/=]+)/m.exec(text);
		if (!this.master)
			return;
		const theirs = Buffer.from(key[1], 'base64');
		this.out = new Srtp(this.master.subarray(0, 16), this.master.subarray(16));
		this.in = new Srtp(theirs.subarray(0, 16), theirs.subarray(16));
	}

	sent(bytes, { rtcp = false } = {}) {
		const socket = rtcp ? this.audioRtcp : this.audio;
		return new Promise((resolve) => socket.send(bytes, this.ports.audio + (rtcp ? 1 : 0), this.host, resolve));
	}

	sendFrom(socket, bytes) {
		return new Promise((resolve) => socket.send(bytes, this.ports.audio, this.host, resolve));
	}

	rtp(n) {
		const p = rtp(n, { ssrc: this.ssrc });
		this.last = n;
		return this.sent(this.out ? this.out.seal(p) : p);
	}

	/** A packet of a picture. */
	video() {
		const p = rtp(++this.last, { pt: 96, ssrc: 0x70000002 });
		this.pictures.send(p, this.ports.video, this.host);
	}

	/** How often has a key frame been asked for? A compound of RTCP is walked through (RFC 3550 §6.1). */
	requests() {
		let n = 0;
		for (const bytes of this.reports) {
			for (let at = 0; at + 4 <= bytes.length; at += 4 * (bytes.readUInt16BE(at + 2) + 1))
				n += bytes.readUInt16BE(at) === 0x81ce;
		}
		return n;
	}

	close() {
		for (const name of ['audio', 'audioRtcp', 'pictures', 'picturesRtcp'])
			this[name].close();
	}
}
