// tests/lib/resuming.mjs - a program that speaks sluss.v1 and comes back to its session after a loss, as
// docs/protocol.md "Losing the connection" says: the least that does it. Every message is checked against the
// schema; an event out of order or twice, or an answer nobody waits for, is a fault that check() reports.
import WebSocket from 'ws';
import { checkMessage, RequestError, signIn } from './client.mjs';
import { within } from './world.mjs';

export class Resuming {
	/** @param wire  a Cutter, or nothing: straight to the site */
	constructor(site, token, wire) {
		Object.assign(this, { site, token, wire });
		this.ids = 1;
		this.seq = 0;
		this.acked = 0;
		this.session = null;
		this.events = [];
		this.answers = [];
		this.hellos = [];
		this.faults = [];
		this.waiting = new Map();
		this.watchers = new Set();
		this.comesBack = true;
	}

	static async signIn(site, user, password, wire) {
		const { token } = await signIn(site, user, password);
		return Resuming.open(site, token, wire);
	}

	static async open(site, token, wire) {
		const client = new Resuming(site, token, wire);
		await client.connect();
		await client.online();
		return client;
	}

	/** Opens a connection; what follows its hello is #hello's. */
	connect() {
		const { hostname } = new URL(this.site.url);
		const ws = this.wire ? new WebSocket(`ws://${hostname}/ws`, ['sluss.v1'], { createConnection: () => this.wire.connect(), origin: `https://${hostname}`, perMessageDeflate: false })
			: new WebSocket(`wss://${hostname}/ws`, ['sluss.v1'], { ca: this.site.ca, origin: `https://${hostname}`, perMessageDeflate: false });
		this.ws = ws;
		this.up = false;
		this.over = undefined;
		ws.on('open', () => this.#out({ type: 'hello', id: 1, version: 1, device: 'resuming', token: this.token,
			resume: this.session ? { session: this.session, seq: this.seq } : {} }, ws));
		ws.on('error', () => {});
		ws.on('message', (bytes) => ws === this.ws && this.#message(JSON.parse(bytes.toString())));
		ws.on('close', (code, reason) => {
			if (ws !== this.ws)
				return;
			this.up = false;
			this.over = { code, reason: String(reason) };
			this.#happened();
			if (this.comesBack && code === 1006)
				setImmediate(() => this.connect());
		});
	}

	/** Resolves when `done()` holds: looked at after everything that happens to this client. */
	when(done, what) {
		if (done())
			return Promise.resolve();
		const watcher = { done };
		const come = new Promise((resolve) => (watcher.resolve = resolve));
		this.watchers.add(watcher);
		return within(15_000, come, what).finally(() => this.watchers.delete(watcher));
	}

	#happened() {
		for (const { done, resolve } of this.watchers)
			if (done())
				resolve();
	}

	async online() {
		await this.when(() => this.up || (this.over && !this.comesBack), 'online');
		this.check();
	}

	#out(message, ws = this.ws) {
		checkMessage('client', message);
		ws.send(JSON.stringify(message), () => {});
	}

	#message(message) {
		try {
			checkMessage('server', message);
			if (message.id === 1)
				this.#hello(message);
			else if (message.type === 'ok' || message.type === 'error')
				this.#answer(message);
			else if (message.seq !== ++this.seq)
				this.faults.push(`seq ${message.seq} of ${message.type}, should be ${this.seq}`);
			else
				this.events.push(message);
		} catch (error) {
			this.faults.push(error.message);
		}
		this.#happened();
	}

	#hello(message) {
		this.hellos.push(message);
		if (message.type === 'error') {
			this.comesBack = false;
			this.ws.terminate();
			return;
		}
		if (this.session && !message.resumed) {
			this.seq = 0;
			for (const [, w] of this.waiting)
				w.reject(new Error(`forgotten: ${message.forgotten}`));
			this.waiting.clear();
		}
		this.session = message.session;
		this.up = true;
		for (const [, w] of this.waiting)
			this.#out(w.message);
	}

	#answer(message) {
		const w = this.waiting.get(message.id);
		if (!w) {
			this.faults.push(`an answer nobody waits for: ${JSON.stringify(message)}`);
			return;
		}
		this.waiting.delete(message.id);
		this.answers.push({ to: w.message.type, type: message.type, error: message.error });
		if (message.type === 'ok')
			w.resolve(message);
		else
			w.reject(new RequestError(message));
	}

	/** Sends it now, or when the connection is back; the promise is its `ok`. */
	request(type, fields = {}) {
		const message = { type, id: ++this.ids, ...fields };
		if (this.ack !== false && this.seq > this.acked)
			message.ack = this.acked = this.seq;
		const answered = new Promise((resolve, reject) => this.waiting.set(message.id, { message, resolve, reject }));
		if (this.up)
			this.#out(message);
		return within(15_000, answered, `the answer to ${type}`);
	}

	/** The next event of this type that no one has taken yet, now or later. */
	async event(type, fields = {}) {
		const fits = (m) => !m.taken && m.type === type && Object.entries(fields).every(([k, v]) => m[k] === v);
		await this.when(() => this.events.some(fits) || this.faults.length > 0, type);
		this.check();
		const found = this.events.find(fits);
		Object.defineProperty(found, 'taken', { value: true, enumerable: false });
		this.check();
		return found;
	}

	check() {
		if (this.faults.length > 0)
			throw new Error(this.faults.splice(0).join('; '));
	}

	/** Loses the connection without a word, and stays away. */
	vanish() {
		this.comesBack = false;
		this.ws.terminate();
	}

	async close() {
		this.comesBack = false;
		const { ws } = this;
		const closed = new Promise((resolve) => ws.on('close', resolve));
		if (ws.readyState === WebSocket.CLOSED)
			return;
		ws.close(1000);
		await within(5000, closed, 'the WebSocket closes').catch(() => ws.terminate());
	}
}
