// mend.js - a path between the browsers that has broken is looked for again: ICE restarts (RFC 8445 §9).
//
// Who uses it: call.js, for an established call. It says when to make a new offer with new ICE
// credentials, and when to give up. Whose network has changed begins; who only sees the other side go
// silent waits a little, so that both do not offer at once.
//
//   whole ─disconnected, failed─► broken ─restart now, or after WAIT_MS; again every AGAIN_MS─► whole
//                                   └── MEND_MS ──► given up

/** A talk that does not find a way in this time is given up. */
export const CONNECT_MS = 30000;
/** An outage of half a minute, and ten seconds to find each other again. */
export const MEND_MS = 40000;
export const AGAIN_MS = 8000;
/** The other side's network may be the one that has changed. */
export const WAIT_MS = { out: 1000, in: 2000 };
/** So long after our own network has changed a broken path is our doing. */
export const OURS_MS = 15000;

export class Mender {
	#direction;
	#handlers;
	#broken = false;
	#changedAt = -Infinity;
	#next = null;
	#end = null;
	#first = null;
	#now;

	/**
	 * @param direction  'out': this side made the call; 'in'
	 * @param handlers   restart(): offer anew; giveUp()
	 */
	constructor(direction, handlers, now = () => performance.now()) {
		this.#direction = direction;
		this.#handlers = handlers;
		this.#now = now;
	}

	/** There is a call now, and no path yet. `none`: is it still so? */
	begin(none, giveUp) {
		this.#first = setTimeout(() => none() && giveUp(), CONNECT_MS);
	}

	/** The connection between the browsers is 'up', 'down' (may come back) or 'failed'. */
	path(state) {
		if (state === 'up') {
			this.stop();
			return;
		}
		if (this.#broken && state !== 'failed')
			return;
		if (!this.#broken) {
			this.#broken = true;
			this.#end = setTimeout(() => this.#handlers.giveUp(), MEND_MS);
		}
		const ours = this.#now() - this.#changedAt < OURS_MS;

		this.#restartIn(ours || state === 'failed' ? 0 : WAIT_MS[this.#direction]);
	}

	/** Our network has changed: the path may be dead, though nothing has noticed yet. */
	networkChanged() {
		this.#changedAt = this.#now();
		this.#restartIn(0);
	}

	stop() {
		this.#broken = false;
		clearTimeout(this.#next);
		clearTimeout(this.#end);
		clearTimeout(this.#first);
	}

	#restartIn(ms) {
		clearTimeout(this.#next);
		this.#next = setTimeout(() => {
			if (this.#broken)
				this.#restartIn(AGAIN_MS);
			this.#handlers.restart();
		}, ms);
	}
}
