// ice.js - the STUN and TURN servers of this phone's calls: asked from the site, with credentials that
// end by themselves, and asked again before they do.
//
// Who uses it: phone.js, which gives it the question to ask and hands what is new to the calls that are
// on. Servers that the page names itself are used as they are, and nothing is asked.
//
//   empty ─refresh()─► asking ─► good ─¾ of their time─► asking …      a failed question is asked again,
//                                  └── over ──► empty                  the old servers serve meanwhile

import { backOffMs } from './socket.js';

/** A call does not wait longer for them. */
export const WAIT_MS = 2000;
/** Longer times would overflow a timer. */
const TTL_MAX_S = 7 * 86400;

export class IceServers {
	#ask;
	#changed;
	#fixed;
	#servers = [];
	/** When the credentials end, and when to ask for new ones; of performance.now(). */
	#ends = 0;
	#renews = 0;
	#asking = null;
	#timer = null;
	#tries = 0;
	#stopped = false;

	/**
	 * @param ask      async () -> {iceServers, ttl_s}
	 * @param changed  (servers): there are new ones
	 * @param fixed    the page's own, or undefined
	 */
	constructor(ask, changed, fixed) {
		this.#ask = ask;
		this.#changed = changed;
		this.#fixed = fixed;
	}

	/** Those to use now. */
	get now() {
		return this.#fixed ?? (performance.now() < this.#ends ? this.#servers : []);
	}

	/** Asks when it is time to: at each sign-in, and after a computer has slept. */
	refresh() {
		if (!this.#fixed && !this.#stopped && performance.now() >= this.#renews)
			this.#asking ??= this.#fetch();
	}

	/** Before a call begins: waits a moment for servers that are being asked for. */
	async ready() {
		this.refresh();
		if (!this.#asking || performance.now() < this.#ends)
			return;
		let timer;

		await Promise.race([this.#asking,
			new Promise((resolve) => { timer = setTimeout(resolve, WAIT_MS); })]);
		clearTimeout(timer);
	}

	stop() {
		this.#stopped = true;
		clearTimeout(this.#timer);
	}

	async #fetch() {
		clearTimeout(this.#timer);
		try {
			this.#take(await this.#ask());
		} catch (e) {
			// Who is not signed in any more gets none; everything else may pass.
			if (e.code === 'not-signed-in' || e.code === 'not-found')
				this.#renews = Infinity;
			else
				this.#later(e.retryS ? e.retryS * 1000 : backOffMs(this.#tries++));
		} finally {
			this.#asking = null;
		}
	}

	#take({ iceServers, ttl_s: ttl }) {
		const ms = Math.min(ttl, TTL_MAX_S) * 1000;

		if (this.#stopped)
			return;
		this.#tries = 0;
		this.#servers = iceServers;
		this.#ends = performance.now() + ms;
		// Not all browsers of a site in the same moment.
		this.#later(ms * (0.75 - 0.1 * Math.random()));
		this.#changed(iceServers);
	}

	#later(ms) {
		if (this.#stopped)
			return;
		this.#renews = performance.now() + ms;
		this.#timer = setTimeout(() => this.refresh(), ms + 1);
	}
}
