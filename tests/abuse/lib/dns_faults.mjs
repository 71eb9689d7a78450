// tests/abuse/lib/dns_faults.mjs - a DNS server whose faults are scripted: what it answers, how late, with
// which flags. UDP and TCP on one port (RFC 1035 §4; TCP has two octets of length in front).
//
//   const dns = await DnsFaults.listen('198.18.0.54');
//   dns.records('beta.test', 'NAPTR', []);    dns.records('_sips._tcp.beta.test', 'SRV', [{...}]);
//   dns.fault(/slow\.test$/, { delay_ms: 5000 });
//
//   |ID 16|QR OPCODE AA TC RD RA Z RCODE|QDCOUNT|ANCOUNT|NSCOUNT|ARCOUNT| question | answers ...
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const TYPES = { A: 1, NS: 2, CNAME: 5, SOA: 6, AAAA: 28, SRV: 33, NAPTR: 35 };
const NAMES = Object.fromEntries(Object.entries(TYPES).map(([k, v]) => [v, k]));
export const NOERROR = 0, SERVFAIL = 2, NXDOMAIN = 3, REFUSED = 5;

function name(text) {
	const labels = text.replace(/\.$/, '').split('.').filter((l) => l !== '');
	return Buffer.concat([...labels.map((l) => Buffer.concat([Buffer.from([l.length]), Buffer.from(l)])), Buffer.from([0])]);
}

const u16 = (...v) => {
	const b = Buffer.alloc(2 * v.length);
	v.forEach((n, i) => b.writeUInt16BE(n, 2 * i));
	return b;
};
const string = (text) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);

const RDATA = {
	A: (r) => Buffer.from(r.address.split('.').map(Number)),
	AAAA: (r) => r.bytes,
	CNAME: (r) => name(r.target),
	SRV: (r) => Buffer.concat([u16(r.priority ?? 0, r.weight ?? 0, r.port ?? 5061), name(r.target)]),
	NAPTR: (r) => Buffer.concat([u16(r.order ?? 10, r.preference ?? 10), string(r.flags ?? 's'), string(r.service ?? 'SIPS+D2T'),
		string(r.regexp ?? ''), name(r.replacement ?? '')]),
	raw: (r) => r.raw,
};

function record(owner, r) {
	const data = (r.raw ? RDATA.raw : RDATA[r.type])(r);
	const ttl = Buffer.alloc(4);
	ttl.writeUInt32BE(r.ttl ?? 1);
	return Buffer.concat([name(r.owner ?? owner), u16(TYPES[r.type], 1), ttl, u16(data.length), data]);
}

function question(packet) {
	const labels = [];
	let at = 12;
	for (; packet[at] !== 0; at += packet[at] + 1)
		labels.push(packet.subarray(at + 1, at + 1 + packet[at]).toString());
	return { name: labels.join('.').toLowerCase(), type: NAMES[packet.readUInt16BE(at + 1)] ?? packet.readUInt16BE(at + 1), end: at + 5 };
}

export class DnsFaults {
	constructor() {
		this.zone = new Map();
		this.faults = [];
		this.asked = [];
		this.tcp = true;
		this.sockets = new Set();
	}

	static async listen(address, port = 53) {
		const dns = new DnsFaults();
		dns.address = `${address}:${port}`;
		dns.udp = createSocket('udp4');
		dns.udp.on('message', (packet, from) => dns.#answer(packet, 'udp', (b) => dns.udp.send(b, from.port, from.address)));
		await new Promise((resolve, reject) => dns.udp.on('error', reject).bind(port, address, resolve));
		dns.server = createServer((socket) => dns.#stream(socket));
		await new Promise((resolve, reject) => dns.server.on('error', reject).listen(port, address, resolve));
		return dns;
	}

	/** What a name has: each record is {type, …} as in RDATA above; `[]`: the name is there and has none. */
	records(owner, type, list) {
		const all = (this.zone.get(owner.toLowerCase()) ?? []).filter((r) => r.type !== type);
		this.zone.set(owner.toLowerCase(), [...all, ...list.map((r) => ({ type, ...r }))]);
		return this;
	}

	/** A calling site: NAPTR, SRV, A. */
	site(domain, address, { port = 5061, ttl = 1 } = {}) {
		return this.records(domain, 'NAPTR', [{ replacement: `_sips._tcp.${domain}`, ttl }])
			.records(`_sips._tcp.${domain}`, 'SRV', [{ port, target: `sip.${domain}`, ttl }])
			.records(`sip.${domain}`, 'A', [{ address, ttl }]);
	}

	/** For names that match: rcode, delay_ms, silent, tc (truncated over UDP), tcp: false (closes TCP), garbage. */
	fault(pattern, what) {
		this.faults.unshift({ pattern, ...what });
		return this;
	}

	heard(pattern) {
		return this.asked.filter((q) => pattern.test(`${q.type} ${q.name} ${q.over}`)).length;
	}

	async #answer(packet, over, send) {
		if (packet.length < 17)
			return;
		const q = question(packet);
		const fault = this.faults.find((f) => f.pattern.test(q.name)) ?? {};
		this.asked.push({ ...q, over, at: performance.now() });
		if (fault.silent || (over === 'tcp' && fault.tcp === false))
			return;
		if (fault.delay_ms)
			await pause(fault.delay_ms);
		send(this.#response(packet, q, fault, over));
	}

	#response(packet, q, fault, over) {
		const here = this.zone.get(q.name);
		const records = fault.rcode ? [] : (here ?? []).filter((r) => r.type === q.type || r.type === 'CNAME');
		const rcode = fault.rcode ?? (here === undefined ? NXDOMAIN : NOERROR);
		let answers = Buffer.concat(records.map((r) => record(q.name, r)));
		let n = records.length;
		let tc = fault.tc && over === 'udp';
		if (over === 'udp' && (tc || answers.length > 1100)) {
			tc = true;
			answers = Buffer.alloc(0);
			n = 0;
		}
		if (fault.garbage)
			return Buffer.concat([packet.subarray(0, 2), fault.garbage]);
		return Buffer.concat([packet.subarray(0, 2), u16(0x8580 | (tc ? 0x0200 : 0) | rcode, 1, n, 0, 0), packet.subarray(12, q.end), answers]);
	}

	#stream(socket) {
		let buffer = Buffer.alloc(0);
		this.sockets.add(socket);
		socket.on('error', () => {}).on('close', () => this.sockets.delete(socket));
		if (!this.tcp) {
			socket.destroy();
			return;
		}
		socket.on('data', (data) => {
			buffer = Buffer.concat([buffer, data]);
			while (buffer.length >= 2 && buffer.length >= 2 + buffer.readUInt16BE(0)) {
				const packet = buffer.subarray(2, 2 + buffer.readUInt16BE(0));
				buffer = buffer.subarray(2 + packet.length);
				this.#answer(packet, 'tcp', (b) => socket.writable && socket.write(Buffer.concat([u16(b.length), b])));
			}
		});
	}

	close() {
		for (const socket of this.sockets)
			socket.destroy();
		this.udp.close();
		this.server.close();
	}
}
