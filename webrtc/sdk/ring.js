// ring.js - of all tabs of this browser in which one user is online, one makes the sound of a call that
// comes in.
//
// Who uses it: phone.js. What it calls: Web Locks (W3C), one lock a user: the tab that holds it rings, the
// others wait for it. The browser itself takes it from a tab that is closed or dies, and the next one rings on.
//
//   quiet ──a call rings, and the page can be heard──► waiting ──lock──► on ──no call rings──► quiet

export class Ring {
	#changed;
	#calls = new Set();
	#user = '';
	#audible = true;
	#on = false;
	/** {abort, release} of the lock that is asked for or held; null: neither */
	#turn = null;

	/** @param changed  () when `on` has changed */
	constructor(changed) {
		this.#changed = changed;
	}

	/** Is it this tab's turn to make the sound? */
	get on() {
		return this.#on;
	}

	get audible() {
		return this.#audible;
	}

	/** Can this page be heard? One that cannot takes nobody's turn. */
	set audible(can) {
		this.#audible = Boolean(can);
		this.#look();
	}

	/** A call comes in for this user: it counts as long as it rings. */
	add(call, user) {
		const look = () => {
			// Back from 'connecting' when the site could not give it to us.
			if (call.state === 'ringing')
				this.#calls.add(call);
			else
				this.#calls.delete(call);
			this.#look();
		};

		this.#user = user;
		call.addEventListener('state', look);
		look();
	}

	#look() {
		const wanted = this.#audible && this.#calls.size > 0;

		if (wanted && !this.#turn)
			this.#ask();
		else if (!wanted && this.#turn)
			this.#give();
	}

	#ask() {
		const turn = this.#turn = { abort: new AbortController(), release: null };
		const locks = globalThis.navigator?.locks;
		const mine = () => {
			if (turn !== this.#turn)
				return undefined;
			this.#set(true);
			return new Promise((resolve) => { turn.release = resolve; });
		};

		if (!locks) {
			mine();
			return;
		}
		// Forbidden (a sandboxed frame): rather rung twice than not at all.
		locks.request(`sluss.ring.${this.#user}`, { signal: turn.abort.signal }, mine)
			.catch((e) => { if (e?.name !== 'AbortError') mine(); });
	}

	#give() {
		const turn = this.#turn;

		this.#turn = null;
		turn.abort.abort();
		turn.release?.();
		this.#set(false);
	}

	#set(on) {
		if (on === this.#on)
			return;
		this.#on = on;
		this.#changed();
	}
}
