// tests/lib/capture.mjs - what passes a host's network card: tcpdump into a file, read back here.
//
//   const tap = await capture(alpha);   …   await tap.mark();   …   const packets = await tap.stop();
//
// A mark is a datagram to the discard port of the host, awaited in the file: what was captured before it and
// what after it is certain. packets: [{at_us, mark, proto, src, sport, dst, dport, data, flags}]
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { datagram, OUT, until } from './world.mjs';

const MARK_PORT = 9;
let n_captures = 0;

function parse(buffer) {
	const packets = [];
	let mark = 0;
	for (let at = 24; at + 16 <= buffer.length;) {
		const length = buffer.readUInt32LE(at + 8);
		const at_us = buffer.readUInt32LE(at) * 1e6 + buffer.readUInt32LE(at + 4);
		const frame = buffer.subarray(at + 16, at + 16 + length);
		if (frame.length < length)
			break;
		at += 16 + length;
		if (frame.readUInt16BE(12) !== 0x0800)
			continue;
		const ip = frame.subarray(14);
		const head = (ip[0] & 15) * 4;
		const total = ip.readUInt16BE(2);
		const packet = {
			at_us, mark, src: ip.subarray(12, 16).join('.'), dst: ip.subarray(16, 20).join('.'),
			proto: { 6: 'tcp', 17: 'udp', 1: 'icmp' }[ip[9]] ?? String(ip[9]),
		};
		const l4 = ip.subarray(head, total);
		if (packet.proto === 'tcp' || packet.proto === 'udp') {
			packet.sport = l4.readUInt16BE(0);
			packet.dport = l4.readUInt16BE(2);
			packet.flags = packet.proto === 'tcp' ? l4[13] : 0;
			packet.data = l4.subarray(packet.proto === 'tcp' ? (l4[12] >> 4) * 4 : 8);
		}
		if (packet.proto === 'udp' && packet.dport === MARK_PORT) {
			mark = Number(packet.data.toString().split(' ')[1]);
			continue;
		}
		packets.push(packet);
	}
	return { packets, mark };
}

class Capture {
	constructor(host, file, proc) {
		Object.assign(this, { host, file, proc, n_marks: 0 });
	}

	/** Puts a mark and waits until it has been captured; gives its number. */
	async mark() {
		const n = ++this.n_marks;
		await datagram(this.host.address, MARK_PORT, `mark ${n}`);
		await until(5000, () => parse(readFileSync(this.file)).mark >= n, `mark ${n} is captured`);
		return n;
	}

	/** What has been captured up to now. */
	async packets() {
		await this.mark();
		return parse(readFileSync(this.file)).packets;
	}

	async stop() {
		const packets = await this.packets();
		await this.proc.stop('SIGINT');
		return packets;
	}
}

/** Captures everything at a host, or what `filter` lets through (marks always pass). */
export async function capture(host, filter = '') {
	const file = join(OUT, `${host.name}-${++n_captures}.pcap`);
	const expression = filter ? `(${filter}) or (udp dst port ${MARK_PORT})` : '';
	const proc = host.spawn(['tcpdump', '-i', 'eth0', '-U', '--immediate-mode', '-Z', 'root', '-B', '16384', '-s', '0', '-w', file,
		...(expression ? [expression] : [])], { name: `tcpdump-${host.name}-${n_captures}` });
	await proc.line(/listening on/);
	const tap = new Capture(host, file, proc);
	await tap.mark();
	return tap;
}

/** Is this datagram part of a media session: STUN, DTLS, RTP or RTCP (RFC 7983)? */
export function isMedia(packet) {
	if (packet.proto !== 'udp' || packet.data.length < 4 || packet.sport === 53 || packet.dport === 53)
		return false;
	const first = packet.data[0];
	return first <= 3 || (first >= 20 && first <= 63) || (first >= 128 && first <= 191);
}
