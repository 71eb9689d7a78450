// side.js - what the two phones tell each other beside sound and picture: who is muted, text, and who
// shall be called instead.
//
// Who uses it: call.js. A data channel (label `sluss`, subprotocol `sluss.side.v1`) that the first
// offer brings along. Nobody has to take it: without it the call is the same, only silent about these
// things. What comes from the other side is read with care: see read(). docs/sdk.md "The side channel".

import { isText } from './contacts.js';
import { SlussError } from './errors.js';
import { isReferred } from './refer.js';

export const LABEL = 'sluss';
export const PROTOCOL = 'sluss.side.v1';
/** A text has so many UTF-16 units at most; so much is taken as one message, and so many in a time. */
export const TEXT_MAX = 4000;
export const MESSAGE_MAX = 16384;
export const BURST = 100;
export const BURST_MS = 10000;

const ID_MAX = 40, ADDRESS_MAX = 330;

/** One message from the other side: {type: 'state', …}, {type: 'text', text}, refer.js's, or null. Pure. */
export function read(json) {
	let msg;

	if (typeof json !== 'string' || json.length > MESSAGE_MAX)
		return null;
	try {
		msg = JSON.parse(json);
	} catch {
		return null;
	}
	if (msg?.type === 'state')
		return {
			type: 'state',
			muted: { audio: msg.muted?.audio === true, video: msg.muted?.video === true },
			screen: msg.screen === true,
			...(msg.refer === true ? { refer: true } : {}),
		};
	if (msg?.type === 'text' && typeof msg.text === 'string' && msg.text.trim()
	    && msg.text.length <= TEXT_MAX)
		return { type: 'text', text: msg.text };
	if (msg?.type === 'refer' && isText(msg.id, ID_MAX) && isText(msg.to, ADDRESS_MAX))
		return { type: 'refer', id: msg.id, to: msg.to };
	if (msg?.type === 'referred' && isText(msg.id, ID_MAX) && isReferred(msg.state))
		return { type: 'referred', id: msg.id, state: msg.state, ...(isText(msg.reason, ID_MAX) ? { reason: msg.reason } : {}) };
	return null;
}

export class Side {
	#handlers;
	#channel = null;
	#state = { muted: { audio: false, video: false }, screen: false };
	#remote = null;
	#heard = { since: 0, n: 0 };

	/** @param handlers  changed(): open, or the other side's state; text(string); refer(message) */
	constructor(handlers) {
		this.#handlers = handlers;
	}

	/** Is this one of ours? The page's own channels are not. */
	static is(channel) {
		return channel.label === LABEL && channel.protocol === PROTOCOL;
	}

	/** This one counts from now on; the one before it again when this one closes and that one has not. */
	take(channel) {
		const before = this.#channel;

		this.#channel = channel;
		channel.addEventListener('open', () => this.#opened());
		channel.addEventListener('close', () => {
			if (this.#channel === channel && before?.readyState === 'open')
				this.#channel = before;
			this.#handlers.changed();
		});
		channel.addEventListener('message', (ev) => this.#message(ev.data));
		if (channel.readyState === 'open')
			this.#opened();
	}

	get open() {
		return this.#channel?.readyState === 'open';
	}

	/** Does the other side take `refer`? */
	get can() {
		return this.open && Boolean(this.#remote?.refer);
	}

	/** Do we? */
	get refers() {
		return Boolean(this.#state.refer);
	}

	set refers(yes) {
		this.say({ refer: yes });
	}

	/** Where nobody listens any more it is lost, as what it is about. */
	send(message) {
		if (this.open)
			this.#channel.send(JSON.stringify(message));
	}

	/** The other side's {muted, screen}; null as long as it has said nothing. */
	get remote() {
		return this.#remote;
	}

	/** Keeps what we are, and says it when it has changed and there is somebody to listen. */
	say(state) {
		const before = JSON.stringify(this.#state);

		this.#state = { ...this.#state, ...state };
		if (this.open && JSON.stringify(this.#state) !== before)
			this.#sendState();
	}

	/** Throws SlussError. */
	text(text) {
		if (typeof text !== 'string' || !text.trim() || text.length > TEXT_MAX)
			throw new SlussError('bad-text');
		if (!this.open)
			throw new SlussError('no-text');
		this.#channel.send(JSON.stringify({ type: 'text', text }));
	}

	#opened() {
		this.#sendState();
		this.#handlers.changed();
	}

	#sendState() {
		this.#channel.send(JSON.stringify({ type: 'state', ...this.#state }));
	}

	#message(data) {
		const now = Date.now();

		if (now - this.#heard.since > BURST_MS)
			this.#heard = { since: now, n: 0 };
		const msg = ++this.#heard.n <= BURST ? read(data) : null;

		if (msg?.type === 'state') {
			this.#remote = { muted: msg.muted, screen: msg.screen, refer: msg.refer };
			this.#handlers.changed();
		} else if (msg?.type === 'text') {
			this.#handlers.text(msg.text);
		} else if (msg) {
			this.#handlers.refer(msg);
		}
	}
}
