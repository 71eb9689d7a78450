// tests/abuse/lib/talker.mjs - sluss.v1 without manners: sends any text on a signed-in WebSocket, and waits for
// what comes back. (tests/lib/client.mjs is the well-behaved one.)
import WebSocket from 'ws';
import { checkMessage } from '../../lib/client.mjs';
import { SLOW, within } from '../../lib/world.mjs';

export class Talker {
	/** token null: opened, and no hello sent. */
	static async open(site, token, { localAddress } = {}) {
		const t = new Talker();
		t.got = [];
		t.waiting = new Set();
		t.id = 0;
		const url = new URL('/ws', site.url);
		url.protocol = url.protocol.replace('http', 'ws');
		t.ws = new WebSocket(url, ['sluss.v1'], { ca: site.ca, origin: site.url.replace(/\/$/, ''), perMessageDeflate: false, localAddress });
		t.closed = new Promise((resolve) => t.ws.on('close', (code) => {
			t.code = code;
			t.#wake();
			resolve(code);
		}));
		t.ws.on('message', (bytes) => {
			const message = JSON.parse(bytes.toString());
			checkMessage('server', message);
			t.got.push(message);
			t.#wake();
		});
		t.ws.on('error', (error) => (t.error = error));
		await within(8000, new Promise((resolve, reject) => t.ws.on('open', resolve).on('close', () => reject(new Error(`not opened: ${t.error?.message}`)))), 'opens');
		if (token) {
			t.hello = await t.ask({ type: 'hello', version: 1, token });
			if (t.hello?.type !== 'ok')
				throw new Error(`hello: ${JSON.stringify(t.hello)}`);
		}
		return t;
	}

	#wake() {
		for (const w of [...this.waiting])
			w();
	}

	send(text) {
		if (this.ws.readyState === WebSocket.OPEN)
			this.ws.send(text);
	}

	/** The first message that matches, from number `from` on; undefined when closed or late. */
	find(match, ms = 5000, from = 0) {
		return new Promise((resolve) => {
			const look = () => {
				const found = this.got.slice(from).find(match);
				if (found === undefined && this.code === undefined)
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

	/** A well-formed request with the next id; gives its ok or error (with id 0 if it was no JSON). */
	ask(fields, ms) {
		const id = fields.id ?? ++this.id;
		const from = this.got.length;
		this.send(JSON.stringify({ ...fields, id }));
		return this.find((m) => (m.type === 'ok' || m.type === 'error') && (m.id === id || m.id === 0), ms, from);
	}

	/** Sends `text` as it is and gives the first ok or error that follows, whatever its id. */
	say(text, ms) {
		const from = this.got.length;
		this.send(text);
		return this.find((m) => m.type === 'ok' || m.type === 'error', ms, from);
	}

	close() {
		this.ws.terminate();
	}
}
