// pulse.js - does sound still come in? A network that goes away says nothing; what stops first is the flow of
// packets, long before the browser calls a connection broken.
//
// Who uses it: line.js, for the peer connection of its call. It judges nothing: a pause may be the other
// side's doing. It says "silent" once when a steady flow stops, or the browser has found the path broken (Firefox sees
// at once that an interface has gone), and "flowing" when it is there again.
//
//   unsure ─STEADY looks in a row find packets─► steady ─none for QUIET_MS─► silent ─packets─► unsure

export const LOOK_MS = 50;
/** So many looks in a row have found new packets: sound is sent all the time, not only when somebody talks. */
export const STEADY = 10;
export const QUIET_MS = 150;

export class Pulse {
	#count;
	#changed;
	#now;
	#timer = null;
	#on = false;
	#last = 0;
	#heardAt = 0;
	#row = 0;
	#silent = false;

	/**
	 * @param count    async (): packets received so far
	 * @param changed  (silent)
	 */
	constructor(count, changed, now = () => performance.now()) {
		this.#count = count;
		this.#changed = changed;
		this.#now = now;
	}

	start() {
		if (this.#on)
			return;
		this.#on = true;
		this.#next();
	}

	/** The browser itself has found the path broken: what has come until now does not count any more. */
	async broken() {
		const count = await this.#count().catch(() => this.#last);

		if (!this.#on)
			return;
		this.#last = count;
		this.#say(true);
	}

	stop() {
		this.#on = false;
		clearTimeout(this.#timer);
	}

	#next() {
		this.#timer = setTimeout(() => this.#look(), LOOK_MS);
	}

	async #look() {
		const count = await this.#count().catch(() => this.#last);

		if (!this.#on)
			return;
		this.#judge(count, this.#now());
		if (this.#on)
			this.#next();
	}

	#judge(count, now) {
		if (count !== this.#last) { // less: Firefox counts anew after an offer
			this.#last = count;
			this.#heardAt = now;
			this.#row++;
			this.#say(false);
		} else if (now - this.#heardAt >= QUIET_MS) {
			if (this.#row >= STEADY)
				this.#say(true);
			this.#row = 0;
		}
	}

	#say(silent) {
		if (silent === this.#silent)
			return;
		this.#silent = silent;
		this.#changed(silent);
	}
}
