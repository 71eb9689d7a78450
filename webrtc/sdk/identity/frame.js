// frame.js - an IdP's proxy in a frame of the IdP's own origin: out of reach of this page, and this page of it.
//
// Who uses it: vouch.js. Works in every browser. The frame is hidden (but for a badge), has no rights but scripts
// in its own origin, and is spoken to through a MessagePort:
//
//   frame ── {sluss: 'idp', hello: 1} ──►  page      who speaks is the frame's window, and the origin is the IdP's
//         ◄── {sluss: 'idp', port} ──                to that origin alone
//         ◄── {id, op, args} ──  ── {id, ok} or {id, error: {name, message, loginUrl?}} ──►
//
// Which origin this page has the frame learns from the browser, not from us.

/** An IdP has so long to say hello, and for each thing it is asked (RFC 8827 leaves it open; W3C says 15 s). */
export const ANSWER_MS = 15000;
/** A page that has loaded and says no hello in this time is no proxy: an error page, as a rule. */
export const HELLO_MS = 2000;

/** What an IdP said, or that it said nothing. `name`: IdpLoginError (with loginUrl), IdpPeerError (it has to know whom
 *  an assertion is for), NetworkError, TimeoutError; others: it refuses. */
export class IdpError extends Error {
	constructor(name, message, loginUrl) {
		super(message);
		this.name = name;
		if (typeof loginUrl === 'string')
			this.loginUrl = loginUrl;
	}
}

/** Did it only not answer? Then nothing is known; else it has refused. */
export function silent({ name }) {
	return name === 'NetworkError' || name === 'TimeoutError';
}

const text = (value, most = 300) => (typeof value === 'string' ? value.slice(0, most) : '');

export class Frame {
	#element;
	#port = null;
	#ready;
	#give;
	#asked = new Map();
	#ids = 0;
	#heard = (ev) => this.#hello(ev);
	#dumb = null;
	/** the origin that answers: behind a redirect it is not the domain's own */
	origin = null;

	/** @param url  proxyUrl()   @param place  where to put it; a place that is in sight makes it a badge */
	constructor(url, place = document.body, title = '') {
		this.#element = document.createElement('iframe');
		this.#ready = new Promise((resolve, reject) => { this.#give = { resolve, reject }; });
		this.#ready.catch(() => {});
		globalThis.addEventListener('message', this.#heard);
		this.#element.setAttribute('sandbox', 'allow-scripts allow-same-origin');
		this.#element.setAttribute('referrerpolicy', 'no-referrer');
		this.#element.title = title;
		if (place === document.body) {
			this.#element.hidden = true;
			this.#element.setAttribute('aria-hidden', 'true');
		}
		this.#element.addEventListener('load', () => {
			this.#dumb ??= setTimeout(() => this.#give.reject(
				new IdpError('NetworkError', 'the identity provider cannot be reached')), HELLO_MS);
		});
		this.#element.src = url;
		place.append(this.#element);
	}

	get element() {
		return this.#element;
	}

	#hello({ source, origin, data }) {
		if (source !== this.#element.contentWindow || data?.sluss !== 'idp' || data.hello !== 1
		    || !/^https:|^http:\/\/([^/]+\.)?localhost(:\d+)?$/.test(origin))
			return;
		const { port1, port2 } = new MessageChannel();

		globalThis.removeEventListener('message', this.#heard);
		clearTimeout(this.#dumb);
		port1.onmessage = (ev) => this.#answer(ev.data);
		this.origin = origin;
		this.#port = port1;
		source.postMessage({ sluss: 'idp', port: port2 }, origin, [port2]);
		this.#give.resolve();
	}

	#answer(msg) {
		const asked = this.#asked.get(msg?.id);

		if (!asked)
			return;
		this.#asked.delete(msg.id);
		if (msg.error)
			asked.reject(new IdpError(text(msg.error.name, 40) || 'IdpError', text(msg.error.message),
				msg.error.loginUrl));
		else
			asked.resolve(msg.ok);
	}

	/** Asks the IdP. Rejects with IdpError. */
	ask(op, args = {}) {
		const id = ++this.#ids;
		let timer;
		const late = new Promise((_, reject) => {
			timer = setTimeout(() => reject(new IdpError('TimeoutError', 'the identity provider did not answer in time')),
				ANSWER_MS);
		});
		const answered = this.#ready.then(() => new Promise((resolve, reject) => {
			this.#asked.set(id, { resolve, reject });
			this.#port.postMessage({ id, op, args });
		}));

		return Promise.race([answered, late]).finally(() => {
			clearTimeout(timer);
			this.#asked.delete(id);
		});
	}

	close() {
		clearTimeout(this.#dumb);
		globalThis.removeEventListener('message', this.#heard);
		this.#give.reject(new IdpError('NetworkError', 'closed'));
		for (const { reject } of this.#asked.values())
			reject(new IdpError('NetworkError', 'closed'));
		this.#port?.close();
		this.#element.remove();
	}
}

/** A phone keeps so many frames; the one that was asked longest ago goes. */
export const FRAMES_MAX = 8;

/** The frames of one phone, one for each IdP; one that does not answer is taken away, and tried anew when asked. */
export class Frames {
	#frames = new Map();
	#make;
	#can;

	constructor(make = null) {
		this.#make = make ?? ((url) => new Frame(url));
		this.#can = () => Boolean(make || globalThis.document?.body);
	}

	/** Rejects with IdpError. */
	async ask(url, op, args) {
		if (!url || !this.#can())
			throw new IdpError('NetworkError', 'no frames here');
		const frame = this.#frames.get(url) ?? this.#make(url);

		this.#frames.delete(url); // the newest is the last
		this.#frames.set(url, frame);
		if (this.#frames.size > FRAMES_MAX)
			this.drop(this.#frames.keys().next().value);
		try {
			return await frame.ask(op, args);
		} catch (e) {
			if (silent(e))
				this.drop(url, frame);
			throw e;
		}
	}

	drop(url, frame = this.#frames.get(url)) {
		if (this.#frames.get(url) === frame)
			this.#frames.delete(url);
		frame?.close();
	}

	close() {
		for (const url of [...this.#frames.keys()])
			this.drop(url);
	}
}
