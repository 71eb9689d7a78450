// tests/lib/client.mjs - a program that speaks sluss.v1, without a browser. Every message that goes out or
// comes in is checked against webrtc/session/sluss.v1.schema.json; an event that comes in with a wrong seq, or
// an answer nobody waits for, is a fault that the next call of the client reports.
//
//   const alice = await Client.signIn(site, 'alice', 'secret password');
//   await alice.request('call', { call: 'c1', to: 'bob@beta.test', sdp });
//   const answered = await alice.event('answered');
import { request as httpsRequest } from 'node:https';
import { request as httpRequest } from 'node:http';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import Ajv2020 from 'ajv/dist/2020.js';
import WebSocket from 'ws';
import { TOP, within } from './world.mjs';

const schema = JSON.parse(readFileSync(join(TOP, 'webrtc/session/sluss.v1.schema.json'), 'utf8'));
const ajv = new Ajv2020.default({ allErrors: true, strict: false });
ajv.addSchema(schema, 'sluss');
const checkers = { client: ajv.getSchema('sluss#/$defs/client'), server: ajv.getSchema('sluss#/$defs/server') };

/** Throws unless `message` is one that this side ("client" or "server") may send. */
export function checkMessage(side, message) {
	const check = checkers[side];
	if (!check(message))
		throw new Error(`not a ${side} message: ${JSON.stringify(message)}: ${ajv.errorsText(check.errors.slice(0, 4))}`);
}

/** Where a site is, when no DNS knows its name. */
function lookupOf(site) {
	if (!site.address)
		return {};
	const family = isIP(site.address);
	return { lookup: (name, options, done) => (options.all ? done(null, [{ address: site.address, family }]) : done(null, site.address, family)) };
}

/** One HTTP request to a site. Gives {status, headers, text, json}. */
export function http(site, method, path, { body, headers = {}, token, origin } = {}) {
	const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
	const url = new URL(path, site.url);
	const make = url.protocol === 'https:' ? httpsRequest : httpRequest;
	return within(15_000, new Promise((resolve, reject) => {
		const request = make(url, {
			method, ca: site.ca, agent: false, ...lookupOf(site),
			headers: {
				...(text === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
				...(token ? { Authorization: `Bearer ${token}` } : {}), ...(origin ? { Origin: origin } : {}), ...headers,
			},
		}, (response) => {
			let got = '';
			response.setEncoding('utf8');
			response.on('data', (part) => (got += part));
			response.on('end', () => {
				let json;
				try {
					json = JSON.parse(got);
				} catch {
					json = undefined;
				}
				resolve({ status: response.statusCode, headers: response.headers, text: got, json });
			});
			response.on('error', reject);
		});
		request.on('error', reject);
		request.end(text);
	}), `${method} ${path}`);
}

/** Signs in as a program does. Gives the answer's JSON, token included. */
export async function signIn(site, user, password) {
	const answer = await http(site, 'POST', '/api/v1/session', { body: { user, password, bearer: true } });
	if (answer.status !== 200)
		throw Object.assign(new Error(`sign-in of ${user}: ${answer.status} ${answer.text}`), { answer });
	return answer.json;
}

export class RequestError extends Error {
	constructor(message) {
		super(`${message.error}: ${message.text}`);
		this.code = message.error;
		this.answer = message;
	}
}

function take(event) {
	Object.defineProperty(event, 'taken', { value: true, configurable: true, enumerable: false });
}

export class Client {
	constructor(site) {
		this.site = site;
		this.ids = 0;
		this.seq = 0;
		this.events = [];
		this.log = [];
		this.faults = [];
		this.answers = new Map();
		this.waiting = new Set();
	}

	static async signIn(site, user, password, device) {
		const { token } = await signIn(site, user, password);
		return Client.open(site, token, device);
	}

	/** Opens the WebSocket and says hello. */
	static async open(site, token, device = 'test') {
		const client = new Client(site);
		client.token = token;
		await client.connect();
		client.hello = await client.request('hello', { version: 1, device, token });
		return client;
	}

	async connect({ origin, protocols = ['sluss.v1'], headers } = {}) {
		const url = new URL('/ws', this.site.url);
		url.protocol = url.protocol.replace('http', 'ws');
		this.ws = new WebSocket(url, protocols, { ca: this.site.ca, ...lookupOf(this.site), origin: origin ?? this.site.url.replace(/\/$/, ''), headers, perMessageDeflate: false });
		this.closed = new Promise((resolve) => this.ws.on('close', (code, reason) => {
			this.over = { code, reason: String(reason) };
			for (const w of [...this.waiting, ...this.answers.values()])
				w.reject(new Error(`closed (${code} ${reason}) while waiting for ${w.what}`));
			resolve(this.over);
		}));
		this.ws.on('message', (bytes, isBinary) => this.#message(bytes, isBinary));
		await within(10_000, new Promise((resolve, reject) => {
			this.ws.on('open', resolve);
			this.ws.on('error', reject);
			this.ws.on('unexpected-response', (_, response) =>
				reject(Object.assign(new Error(`HTTP ${response.statusCode}`), { status: response.statusCode })));
		}), 'the WebSocket opens');
	}

	#message(bytes, isBinary) {
		try {
			if (isBinary)
				throw new Error('a binary message');
			const message = JSON.parse(bytes.toString());
			this.log.push({ at: performance.now(), dir: 'in', message });
			checkMessage('server', message);
			if (message.type === 'ok' || message.type === 'error') {
				const w = this.answers.get(message.id);
				if (w === undefined) {
					if (message.type === 'error' && this.expectErrors) {
						this.expectErrors.push(message);
						return;
					}
					throw new Error(`an answer nobody waits for: ${JSON.stringify(message)}`);
				}
				this.answers.delete(message.id);
				message.type === 'ok' ? w.resolve(message) : w.reject(new RequestError(message));
				return;
			}
			if (message.seq !== ++this.seq)
				this.faults.push(`seq ${message.seq}, should be ${this.seq}`);
			this.events.push(message);
			for (const w of this.waiting) {
				if (w.match(message)) {
					this.waiting.delete(w);
					take(message);
					w.resolve(message);
					break;
				}
			}
		} catch (error) {
			this.faults.push(error.message);
		}
	}

	/** Throws what went wrong on this connection so far. */
	check() {
		if (this.faults.length > 0)
			throw new Error(this.faults.splice(0).join('; '));
	}

	/** Sends a message as it is, unchecked. */
	raw(text) {
		this.ws.send(text);
	}

	/** Sends a message; the promise is its `ok`, or rejects with a RequestError. */
	async request(type, fields = {}) {
		this.check();
		const message = { type, id: ++this.ids, ...fields };
		checkMessage('client', message);
		this.log.push({ at: performance.now(), dir: 'out', message });
		const w = { what: `the answer to ${type}` };
		const answered = new Promise((resolve, reject) => Object.assign(w, { resolve, reject }));
		this.answers.set(message.id, w);
		this.ws.send(JSON.stringify(message));
		return within(10_000, answered, w.what);
	}

	/** The next event of this type (and call, and state) that no one has taken yet, now or later. */
	async event(type, fields = {}, ms = 10_000) {
		const match = (m) => !m.taken && m.type === type && Object.entries(fields).every(([k, v]) => m[k] === v);
		let found = this.events.find(match);
		if (found === undefined) {
			this.check();
			if (this.over)
				throw new Error(`closed (${this.over.code}), and no ${type} came`);
			const w = { match, what: `${type} ${JSON.stringify(fields)}` };
			const come = new Promise((resolve, reject) => Object.assign(w, { resolve, reject }));
			this.waiting.add(w);
			found = await within(ms, come, `${w.what}; came: ${this.events.map((e) => e.type).join(' ')}`)
				.finally(() => this.waiting.delete(w));
		}
		take(found);
		this.check();
		return found;
	}

	/** Everything that was sent before has been dealt with, and its events have come: a ping and its ok. */
	async settled() {
		await this.request('ping');
		this.check();
	}

	count(type, fields = {}) {
		return this.events.filter((m) => m.type === type && Object.entries(fields).every(([k, v]) => m[k] === v)).length;
	}

	async close(code = 1000) {
		if (this.ws && !this.over) {
			this.ws.close(code);
			await within(10_000, this.closed, 'the WebSocket closes').catch(() => this.ws.terminate());
		}
	}
}
