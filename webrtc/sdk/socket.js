// socket.js - the one WebSocket to the calling site: requests, events, and coming back after a loss.
//
// Who uses it: phone.js. Protocol sluss.v1 (docs/protocol.md). Every request gets one answer; events
// carry a rising seq. A socket that is silent is asked by `ping` and given up when nothing comes.
//
//   idle ─open()─► connecting ─ok to hello─► up ─lost─► waiting ─back-off─► connecting …
//                      └── refused for good, close(), bye ──► shut

import { SlussError } from './errors.js';

export const HELLO_MS = 15000;
export const REQUEST_MS = 20000;
export const PONG_MS = 10000;

/** Answers to `hello` that another try would only get again. */
const FINAL = new Set(['not-signed-in', 'bad-login', 'bad-message']);
/** Reasons of `bye` after which the site would not have us back. */
const FINAL_BYE = new Set(['signed-out', 'removed', 'password', 'too-many']);

/** Doubles from half a second to half a minute, half of it by chance. */
export function backOffMs(tries, random = Math.random) {
	const most = Math.min(30000, 500 * 2 ** Math.min(tries, 10));

	return Math.round(most * (0.5 + 0.5 * random()));
}

export class Socket {
	#url;
	#hello;
	#handlers;
	#ws = null;
	#state = 'idle';
	#nextId = 1;
	#lastSeq = 0;
	#waiting = new Map();
	#tries = 0;
	#pingMs = 25000;
	#retryTimer = null;
	#aliveTimer = null;
	#helloTimer = null;
	#bye = null;
	/** settles open() */
	#first = null;

	/**
	 * @param hello     fields of the first message
	 * @param handlers  up(ok), lost(reason) when it was up, shut(error) when it will not come back,
	 *                  event(message)
	 */
	constructor(url, hello, handlers) {
		this.#url = url;
		this.#hello = hello;
		this.#handlers = handlers;
	}

	get state() {
		return this.#state;
	}

	/** Connects once; what follows a loss is tried again and again, but the first time is not. */
	open() {
		return new Promise((resolve, reject) => {
			this.#first = { resolve, reject };
			this.#connect();
		});
	}

	/** Tries at once instead of at the end of the back-off (the network is back). */
	hurry() {
		if (this.#state === 'waiting') {
			this.#tries = 0;
			this.#connect();
		} else if (this.#state === 'up') {
			this.#ask();
		}
	}

	/** -> the answer. Rejects with a SlussError. */
	request(type, fields = {}, timeoutMs = REQUEST_MS) {
		if (this.#state !== 'up' && type !== 'hello')
			return Promise.reject(new SlussError(this.#state === 'shut' ? 'closed' : 'offline'));
		return new Promise((resolve, reject) => {
			const id = this.#nextId++;
			const timer = setTimeout(() => {
				this.#waiting.delete(id);
				reject(new SlussError('timeout'));
				this.#drop();
			}, timeoutMs);

			this.#waiting.set(id, { resolve, reject, timer });
			this.#ws.send(JSON.stringify({ type, id, ...fields }));
		});
	}

	close(why = new SlussError('closed')) {
		this.#shut(why);
	}

	#connect() {
		const ws = new WebSocket(this.#url, 'sluss.v1');

		clearTimeout(this.#retryTimer);
		this.#state = 'connecting';
		this.#ws = ws;
		this.#nextId = 1;
		this.#lastSeq = 0;
		this.#bye = null;
		this.#helloTimer = setTimeout(() => this.#drop(), HELLO_MS);

		const mine = (h) => (ev) => {
			if (ws === this.#ws)
				h(ev);
		};
		ws.onopen = mine(() => {
			this.request('hello', { version: 1, ...this.#hello }).then(mine((ok) => this.#up(ok)),
				mine((e) => {
					if (this.#first || FINAL.has(e.code))
						this.#shut(e);
					else
						this.#drop();
				}));
		});
		ws.onmessage = mine((ev) => this.#message(ev.data));
		ws.onclose = mine(() => this.#drop());
	}

	#up(ok) {
		clearTimeout(this.#helloTimer);
		this.#state = 'up';
		this.#tries = 0;
		if (ok.ping_s > 0)
			this.#pingMs = ok.ping_s * 1000;
		this.#alive();
		this.#handlers.up(ok);
		this.#first?.resolve(ok);
		this.#first = null;
	}

	/** Something was heard: the next ping waits. */
	#alive() {
		clearTimeout(this.#aliveTimer);
		if (this.#state === 'up')
			this.#aliveTimer = setTimeout(() => this.#ask(), this.#pingMs);
	}

	#ask() {
		this.request('ping', {}, PONG_MS).catch(() => {});
	}

	#message(data) {
		let msg;

		try {
			msg = JSON.parse(data);
		} catch {
			this.#drop();
			return;
		}
		this.#alive();
		if (msg.type === 'ok' || msg.type === 'error')
			this.#answer(msg);
		else if (msg.seq > this.#lastSeq)
			this.#event(msg);
	}

	#answer(msg) {
		const one = this.#waiting.get(msg.id);

		if (!one)
			return;
		this.#waiting.delete(msg.id);
		clearTimeout(one.timer);
		if (msg.type === 'ok')
			one.resolve(msg);
		else
			one.reject(new SlussError(msg.error, msg.text, { retryS: msg.retry_s }));
	}

	#event(msg) {
		this.#lastSeq = msg.seq;
		if (msg.type === 'bye')
			this.#bye = msg;
		else
			this.#handlers.event(msg);
	}

	/** Gives this socket up without waiting for its close event. */
	#drop() {
		this.#forget();
		this.#lost();
	}

	#forget() {
		const ws = this.#ws;

		this.#ws = null;
		ws?.close();
	}

	/** Ends what hangs on the socket: timers, and requests that will not be answered. */
	#clear(error) {
		clearTimeout(this.#helloTimer);
		clearTimeout(this.#aliveTimer);
		clearTimeout(this.#retryTimer);
		for (const { reject, timer } of this.#waiting.values()) {
			clearTimeout(timer);
			reject(error);
		}
		this.#waiting.clear();
	}

	#lost() {
		const wasUp = this.#state === 'up';
		const bye = this.#bye;

		if (this.#state === 'shut' || this.#state === 'waiting')
			return;
		if (this.#first || FINAL_BYE.has(bye?.reason)) {
			this.#shut(bye ? new SlussError(bye.reason, bye.text) : new SlussError('unreachable'));
			return;
		}
		this.#state = 'waiting';
		this.#clear(new SlussError('lost'));
		this.#retryTimer = setTimeout(() => this.#connect(), backOffMs(this.#tries++));
		if (wasUp)
			this.#handlers.lost(bye ? new SlussError(bye.reason, bye.text) : new SlussError('lost'));
	}

	#shut(error) {
		if (this.#state === 'shut')
			return;
		this.#state = 'shut';
		this.#clear(error);
		this.#forget();
		this.#first?.reject(error);
		this.#first = null;
		this.#handlers.shut(error);
	}
}
