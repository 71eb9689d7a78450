// socket.js - the session with the calling site: requests, events, and coming back after a loss.
//
// Who uses it: phone.js. Protocol sluss.v1 (docs/protocol.md, "Losing the connection"): a WebSocket
// carries the session, and when that is lost another one carries it on: events that were missed come
// again, requests without an answer go out again, with the same `id`, and take effect once. A socket that
// is silent is asked by `ping` and given up when nothing comes.
//
//   idle ─open()─► connecting ─ok to hello─► up ─lost─► waiting ─back-off─► connecting …
//                      └── refused for good, close(), bye ──► shut

import { SlussError } from './errors.js';
import { RoundTrip } from './round-trip.js';

export const HELLO_MS = 15000;
export const REQUEST_MS = 20000;
export const PONG_MS = 10000;
/** Unacknowledged events, and characters of them, after which an `ack` goes out by itself. */
export const ACK_EVENTS = 16;
export const ACK_CHARS = 65536;
/** A WebSocket's close code: we go; the session goes on in another connection. */
const GOODBYE = 1000;
/** A close code of ours: the page may be loaded anew, and its calls go on then. */
const RELOADS = 4002;
const TAKEN_OVER = 4001;
/** The `id` of hello, on every connection; those of the session's requests come after it. */
const HELLO_ID = 1;
/** Another connection that is there before the site has answered on the old one shows that the old one is dead: but not sooner
 *  than this, which a busy page takes. */
const OVERTAKEN_MS = 60;
/** The site may have noticed a loss so much later than we. Whether it still knows the session it says itself. */
const GRACE_MS = 10000;
/** A WebSocket's readyState. */
const OPEN = 1;
/** A connection that was made ahead is taken while it is so new. */
const AHEAD_MS = 2000;
/** A timer that is so much late was held up with the page, and so was an answer that may have come. */
const LATE_MS = 50;

/** Answers to `hello` that another try would only get again. */
const FINAL = new Set(['not-signed-in', 'bad-login', 'bad-message']);
/** Reasons of `bye` after which the site would not have us back. */
const FINAL_BYE = new Set(['signed-out', 'removed', 'password', 'too-many']);

/** Doubles from half a second to eight seconds, half of it by chance. */
export function backOffMs(tries, random = Math.random) {
	const most = Math.min(8000, 500 * 2 ** Math.min(tries, 10));

	return Math.round(most * (0.5 + 0.5 * random()));
}

/** When the site says how long to wait: not before, and a crowd not all at once. */
export function retryMs(seconds, random = Math.random) {
	return Math.round(1000 * seconds + 1000 * Math.max(1, seconds / 2) * random());
}

/** Nobody needs it. One that is still being made is closed when it is there: before, Firefox calls that an error. */
function discard(ws) {
	ws.onclose = ws.onmessage = null;
	ws.onopen = () => ws.close(GOODBYE);
	if (ws.readyState === OPEN)
		ws.close(GOODBYE);
}

export class Socket {
	#url;
	#hello;
	#handlers;
	#ws = null;
	#state = 'idle';
	#nextId = HELLO_ID + 1;
	/** {name, lingerMs}; null: the site keeps none for us */
	#session = null;
	#lastSeq = 0;
	#acked = 0;
	#unackedChars = 0;
	/** id -> {message, resolve, reject, timeoutMs, timer, at, again}: no answer yet, in the order of their ids */
	#waiting = new Map();
	#tries = 0;
	#pingMs = 25000;
	#retryTimer = null;
	#aliveTimer = null;
	#helloTimer = null;
	#overdueTimer = null;
	#trip = new RoundTrip();
	/** made while it is unknown whether it is needed: {ws, at, open: a promise}, or null */
	#ahead = null;
	#bye = null;
	/** settles open() */
	#first = null;

	/**
	 * @param hello     fields of the first message
	 * @param handlers  up(ok): a new session, or the old one when ok.resumed, or one in the place of the old
	 *                  one when ok.forgotten; lost(reason, kept): was up; `kept`: what is under way goes on;
	 *                  overdue(): away for longer than the site keeps a session; shut(error) when it will
	 *                  not come back; event(message); calls(): those that a site which was killed is told of
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

	/** Tries at once instead of at the end of the back-off (the page is seen again). */
	hurry() {
		if (this.#state === 'waiting') {
			this.#tries = 0;
			this.#connect();
		} else if (this.#state === 'up') {
			this.#ask();
		}
	}

	/** The network is another one: the old connection may be dead without knowing, so a new one takes over. */
	move() {
		if (!this.#session || (this.#state !== 'up' && this.#state !== 'connecting')) {
			this.hurry();
			return;
		}
		this.#forget();
		this.#lost(0);
	}

	/**
	 * Does the site answer, in the time that it takes as a rule? -> true, false. Meanwhile another connection is made: one
	 * that is there first says no, too, and is at hand then, which on a long way saves most of the silence.
	 */
	answers() {
		if (this.#state !== 'up')
			return Promise.resolve(false);
		return new Promise((resolve) => {
			let timer = null;
			const began = performance.now();
			const wait = (ms) => {
				const from = performance.now();

				clearTimeout(timer);
				timer = setTimeout(() => (performance.now() - from > ms + LATE_MS ? wait(LATE_MS) : resolve(false)), ms);
			};

			wait(this.#trip.patienceMs);
			this.request('ping', {}, PONG_MS).then(() => true, () => false).then((answer) => {
				clearTimeout(timer);
				timer = null;
				if (answer)
					this.#dropAhead();
				resolve(answer);
			});
			this.#goAhead().then(() => timer && wait(Math.max(LATE_MS / 2, began + OVERTAKEN_MS - performance.now())));
		});
	}

	/** Resolves when there is another connection, of which the site knows nothing yet. */
	#goAhead() {
		if (!this.#session)
			return new Promise(() => {});
		if (this.#ahead && performance.now() - this.#ahead.at < AHEAD_MS)
			return this.#ahead.open;
		this.#dropAhead();

		const ws = this.#open();
		const ahead = this.#ahead = { ws, at: performance.now(), open: new Promise((resolve) => { ws.onopen = resolve; }) };

		ws.onclose = () => {
			if (this.#ahead === ahead)
				this.#ahead = null;
		};
		return ahead.open;
	}

	#dropAhead() {
		const ws = this.#takeAhead();

		if (ws)
			discard(ws);
	}

	#takeAhead() {
		const ws = this.#ahead?.ws;

		this.#ahead = null;
		return ws;
	}

	#open() {
		// With a token of its own a page of any origin may come; the cookie does not count then.
		return new WebSocket(this.#url, this.#hello.token ? ['sluss.v1', 'sluss.token'] : 'sluss.v1');
	}

	/**
	 * The page goes away: says goodbye, so that nobody waits for it; comes back with hurry().
	 * @param reloads  it may be loaded anew: its calls are kept for a moment -> can they be?
	 */
	leave(reloads = false) {
		const kept = reloads && this.#state === 'up' && Boolean(this.#session);

		if (this.#state !== 'up' && this.#state !== 'waiting')
			return false;
		this.#forget(kept ? RELOADS : GOODBYE);
		this.#drop('closed');
		this.#lost(null, kept);
		return kept;
	}

	/**
	 * -> the answer. Rejects with a SlussError. While the session waits for a connection so does the
	 * request, and it is carried out once however often the connection is lost.
	 */
	request(type, fields = {}, timeoutMs = REQUEST_MS) {
		const waits = this.#session && (this.#state === 'waiting' || this.#state === 'connecting');

		if (this.#state !== 'up' && !(waits && type !== 'ping'))
			return Promise.reject(new SlussError(this.#state === 'shut' ? 'closed' : 'offline'));
		return new Promise((resolve, reject) => {
			const id = this.#nextId++;
			const one = { message: { type, id, ...fields }, resolve, reject, timeoutMs, timer: null,
				again: false };

			this.#waiting.set(id, one);
			if (this.#state === 'up')
				this.#send(one);
		});
	}

	close(why = new SlussError('closed')) {
		this.#shut(why, GOODBYE);
	}

	#send(one) {
		const { message, timeoutMs } = one;

		one.timer = setTimeout(() => this.#unanswered(one), timeoutMs);
		one.at = performance.now();
		if (message.id === HELLO_ID) {
			this.#ws.send(JSON.stringify(message));
			return;
		}
		this.#ws.send(JSON.stringify(this.#lastSeq > this.#acked
			? { ...message, ack: this.#lastSeq } : message));
		this.#acked = this.#lastSeq;
		this.#unackedChars = 0;
	}

	/** The site is there and does not answer: another connection, and one more try of what does no harm twice. */
	#unanswered(one) {
		const { message, again, reject } = one;

		if (again || !this.#session || message.type === 'ping') {
			this.#waiting.delete(message.id);
			reject(new SlussError('timeout'));
		}
		one.again = true;
		this.#cut();
	}

	#connect() {
		if (performance.now() - this.#ahead?.at >= AHEAD_MS)
			this.#dropAhead();
		const ahead = this.#takeAhead();
		const ws = ahead?.readyState === OPEN ? ahead : this.#open();

		clearTimeout(this.#retryTimer);
		this.#trip.forget();
		this.#state = 'connecting';
		this.#bye = null;
		this.#helloTimer = setTimeout(() => this.#cut(), HELLO_MS);
		this.#use(ws);
		if (!ahead || ahead === ws)
			return;
		// It may have been made over the network that has gone, or be there sooner than the new one.
		ahead.onclose = null;
		ahead.onopen = () => {
			if (ws === this.#ws && ws.readyState !== OPEN) {
				discard(ws);
				this.#use(ahead);
			} else {
				discard(ahead);
			}
		};
	}

	#use(ws) {
		this.#ws = ws;
		const mine = (h) => (ev) => {
			if (ws === this.#ws)
				h(ev);
		};
		ws.onopen = mine(() => this.#sayHello(mine));
		ws.onmessage = mine((ev) => this.#message(ev.data));
		ws.onclose = mine((ev) => {
			if (ev?.code === TAKEN_OVER)
				this.#shut(new SlussError('taken-over'));
			else
				this.#cut();
		});
		if (ws.readyState === OPEN)
			this.#sayHello(mine);
	}

	#sayHello(mine) {
		const resume = this.#session ? { session: this.#session.name, seq: this.#lastSeq } : {};
		const calls = this.#handlers.calls?.() ?? [];
		const message = { type: 'hello', id: HELLO_ID, version: 1, ...this.#hello, resume,
			...(calls.length ? { calls } : {}) };

		new Promise((resolve, reject) => {
			const one = { message, resolve, reject, timeoutMs: HELLO_MS, again: true };

			this.#waiting.set(HELLO_ID, one);
			this.#send(one);
		}).then(mine((ok) => this.#up(ok)), mine((e) => {
			const forgets = e.code === 'bad-message' && this.#session;

			if (this.#first || (FINAL.has(e.code) && !forgets)) {
				this.#shut(e);
				return;
			}
			if (forgets)
				this.#drop('lost');
			this.#forget();
			this.#lost(e.retryS ? retryMs(e.retryS) : undefined);
		}));
	}

	#up(ok) {
		clearTimeout(this.#helloTimer);
		clearTimeout(this.#overdueTimer);
		if (!ok.resumed)
			this.#drop('lost');
		this.#session = ok.session
			? { name: ok.session, lingerMs: ok.linger_s * 1000 } : null;
		this.#acked = this.#lastSeq;
		this.#state = 'up';
		this.#tries = 0;
		if (ok.ping_s > 0)
			this.#pingMs = ok.ping_s * 1000;
		this.#alive();
		for (const one of [...this.#waiting.values()])
			this.#send(one);
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
			this.#cut();
			return;
		}
		this.#alive();
		if (msg.type === 'ok' || msg.type === 'error')
			this.#answer(msg);
		else if (msg.seq > this.#lastSeq)
			this.#event(msg, data.length);
	}

	#answer(msg) {
		const one = this.#waiting.get(msg.id);

		if (!one)
			return;
		this.#waiting.delete(msg.id);
		clearTimeout(one.timer);
		if (msg.id === HELLO_ID || one.message.type === 'ping') // those take the site no time of its own
			this.#trip.seen(performance.now() - one.at);
		if (msg.type === 'ok')
			one.resolve(msg);
		else
			one.reject(new SlussError(msg.error, msg.text, { retryS: msg.retry_s }));
	}

	#event(msg, chars) {
		this.#lastSeq = msg.seq;
		this.#unackedChars += chars;
		if (msg.type === 'bye') {
			this.#bye = msg;
			return;
		}
		this.#handlers.event(msg);
		if (this.#session && this.#state === 'up' && (this.#lastSeq - this.#acked >= ACK_EVENTS
		    || this.#unackedChars >= ACK_CHARS))
			this.#ask();
	}

	/** Gives this socket up without waiting for its close event. */
	#cut() {
		this.#forget();
		this.#lost();
	}

	#forget(code) {
		const ws = this.#ws;

		this.#ws = null;
		ws?.close(...(code ? [code] : []));
	}

	/** Stops what hangs on the connection: timers, and what was asked of it alone. */
	#stop() {
		clearTimeout(this.#helloTimer);
		clearTimeout(this.#aliveTimer);
		clearTimeout(this.#retryTimer);
		for (const [id, { message, reject, timer }] of this.#waiting) {
			clearTimeout(timer);
			if (id === HELLO_ID || message.type === 'ping') {
				this.#waiting.delete(id);
				reject(new SlussError('lost'));
			}
		}
	}

	/** The session is over: what waits for an answer will not get one. */
	#drop(code, text) {
		clearTimeout(this.#overdueTimer);
		this.#session = null;
		this.#nextId = HELLO_ID + 1;
		this.#lastSeq = this.#acked = this.#unackedChars = 0;
		for (const { reject, timer } of this.#waiting.values()) {
			clearTimeout(timer);
			reject(new SlussError(code, text));
		}
		this.#waiting.clear();
	}

	/**
	 * @param waitMs  until the next try; default: the back-off; null: until hurry()
	 * @param kept    calls go on at the site though this session is given up
	 */
	#lost(waitMs = backOffMs(this.#tries++), kept = false) {
		const wasUp = this.#state === 'up';
		const bye = this.#bye;

		if (this.#state === 'shut')
			return;
		if (this.#first || FINAL_BYE.has(bye?.reason)) {
			this.#shut(bye ? new SlussError(bye.reason, bye.text) : new SlussError('unreachable'));
			return;
		}
		this.#bye = null;
		this.#state = 'waiting';
		this.#stop();
		if (bye || !this.#session)
			this.#drop('lost');
		if (waitMs !== null)
			this.#retryTimer = setTimeout(() => this.#connect(), waitMs);
		if (!wasUp)
			return;
		if (this.#session) {
			clearTimeout(this.#overdueTimer);
			this.#overdueTimer = setTimeout(() => this.#handlers.overdue?.(),
				this.#session.lingerMs + GRACE_MS);
		}
		this.#handlers.lost(bye ? new SlussError(bye.reason, bye.text) : new SlussError('lost'),
			kept || Boolean(this.#session));
	}

	#shut(error, code) {
		if (this.#state === 'shut')
			return;
		this.#state = 'shut';
		this.#dropAhead();
		this.#stop();
		this.#drop(error.code, error.message);
		this.#forget(code);
		this.#first?.reject(error);
		this.#first = null;
		this.#handlers.shut(error);
	}
}
