// hold.js - who holds a call: hold and resume by directions (RFC 3264 §8.4), and what the other side does.
//
// Who uses it: call.js.

import { wordy } from './errors.js';

export class Hold {
	local = false;
	remote = false;
	#hooks;

	/** @param hooks  line(), ready(): a promise, over(): has the call ended, changed() */
	constructor(hooks) {
		this.#hooks = hooks;
	}

	async set(on) {
		await this.#hooks.ready();
		if (this.local === on)
			return;
		this.#turn(on);
		try {
			await this.#hooks.line().negotiator.change();
		} catch (e) {
			if (!this.#hooks.over() && this.local === on)
				this.#turn(!on);
			throw wordy(e);
		}
	}

	/** After an exchange. */
	agreed() {
		this.remote = this.#hooks.line().peer.heldByRemote;
	}

	#turn(on) {
		this.local = on;
		this.#hooks.line().peer.hold(on);
		this.#hooks.changed();
	}
}
