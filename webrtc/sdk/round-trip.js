// round-trip.js - how long the site takes to answer, and how long a silence of it may last before it means something.
//
// Who uses it: socket.js. Pure. The estimate of RFC 6298 §2, which TCP waits by, too: the mean, and four times how
// much it varies. What a lost segment costs beyond that is for the limits here.

/** Less is what a busy page or a passing hitch takes. */
export const LEAST_MS = 150;
/** After so long nobody is any the wiser. */
export const MOST_MS = 1000;
/** Before anything is known. */
export const UNKNOWN_MS = 300;

export class RoundTrip {
	#mean = null;
	#varies = 0;

	/** What was seen once, in ms. */
	seen(ms) {
		if (this.#mean === null) {
			this.#mean = ms;
			this.#varies = ms / 2;
			return;
		}
		this.#varies += (Math.abs(this.#mean - ms) - this.#varies) / 4;
		this.#mean += (ms - this.#mean) / 8;
	}

	/** Another connection, perhaps over another network. */
	forget() {
		this.#mean = null;
	}

	/** Who has not answered after so many ms is out of reach, as far as one can tell. */
	get patienceMs() {
		return this.#mean === null ? UNKNOWN_MS
			: Math.min(MOST_MS, Math.max(LEAST_MS, Math.round(this.#mean + 4 * this.#varies)));
	}
}
