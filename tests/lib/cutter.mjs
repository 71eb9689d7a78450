// tests/lib/cutter.mjs - a wire that breaks where the test says: a TCP relay between a raw client and a site,
// which counts the WebSocket's text messages and cuts both connections before, in the middle of, or after one.
//
//   client ── ws, plain TCP ──► Cutter ── wss ──► site
//
//   cutter.cut = { dir: 'up', n: 3, where: 'middle' }      the third message that the client sends, over all
//                                                          of its connections; once
import { once } from 'node:events';
import { createServer, connect as tcp } from 'node:net';
import { connect as tls } from 'node:tls';

/** Splits a byte stream into whole HTTP heads and WebSocket frames (RFC 6455 §5.2); text frames are messages. */
class Frames {
	#bytes = Buffer.alloc(0);
	#head = true;

	/** -> [{bytes, text}]; what is not whole yet stays. */
	take(part) {
		this.#bytes = Buffer.concat([this.#bytes, part]);
		const out = [];
		for (let n; (n = this.#whole()) > 0;) {
			const bytes = this.#bytes.subarray(0, n);
			out.push({ bytes, text: !this.#head && (bytes[0] & 15) < 3 && (bytes[0] & 128) !== 0 });
			this.#head = false;
			this.#bytes = this.#bytes.subarray(n);
		}
		return out;
	}

	#whole() {
		const b = this.#bytes;
		if (this.#head)
			return b.indexOf('\r\n\r\n') + 4 > 3 ? b.indexOf('\r\n\r\n') + 4 : 0;
		if (b.length < 2)
			return 0;
		const short = b[1] & 127;
		const at = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0);
		if (b.length < at)
			return 0;
		const length = short === 126 ? b.readUInt16BE(2) : short === 127 ? Number(b.readBigUInt64BE(2)) : short;
		const n = at + (b[1] & 128 ? 4 : 0) + length;
		return b.length >= n ? n : 0;
	}
}

export class Cutter {
	/** @param site  as for Client: {url, ca} */
	constructor(site) {
		this.site = site;
		this.count = { up: 0, down: 0 };
		this.cut = null;
		this.cuts = 0;
		this.pairs = new Set();
	}

	static async open(site) {
		const cutter = new Cutter(site);
		cutter.server = createServer((client) => cutter.#relay(client));
		cutter.server.listen(0, '127.0.0.1');
		await once(cutter.server, 'listening');
		return cutter;
	}

	/** For WebSocket's createConnection. */
	connect() {
		return tcp(this.server.address().port, '127.0.0.1');
	}

	#relay(client) {
		const { hostname } = new URL(this.site.url);
		const site = tls({ host: hostname, port: 443, servername: hostname, ca: this.site.ca });
		const pair = { client, site, over: false };
		this.pairs.add(pair);
		const end = () => this.#end(pair);
		for (const socket of [client, site]) {
			socket.on('error', end);
			socket.on('close', end);
		}
		this.#forward(pair, client, site, 'up');
		this.#forward(pair, site, client, 'down');
	}

	#forward(pair, from, to, dir) {
		const frames = new Frames();
		from.on('data', (part) => {
			for (const { bytes, text } of frames.take(part)) {
				if (pair.over)
					return;
				if (!text || !this.#here(dir))
					to.write(bytes);
				else if (this.#now === 'before')
					this.#end(pair);
				else
					this.#last(pair, to, this.#now === 'middle' ? bytes.subarray(0, bytes.length >> 1) : bytes);
			}
		});
	}

	/** Is this the message to cut at? */
	#here(dir) {
		const n = ++this.count[dir];
		if (this.cut?.dir !== dir || this.cut.n !== n)
			return false;
		this.#now = this.cut.where;
		this.cut = null;
		this.cuts++;
		return true;
	}

	#now = null;

	#last(pair, to, bytes) {
		pair.over = true;
		to.write(bytes, () => this.#end(pair));
	}

	#end(pair) {
		pair.over = true;
		pair.client.destroy();
		pair.site.destroy();
		this.pairs.delete(pair);
	}

	/** Breaks what is open now. */
	break() {
		for (const pair of this.pairs)
			this.#end(pair);
	}

	async close() {
		this.break();
		this.server.close();
		await once(this.server, 'close');
	}
}
