// rejoin.js - a call whose site was killed is joined again: the sound has never stopped, a new call at the site
// takes over the line (docs/protocol.md, "When the site was killed"). And who is away meanwhile.
//
// Who uses it: call.js, for an established call. What it calls: the call's line.
//
//   ok ─lost()─► lost ─begin(): `call` with rejoin─► answered ─► ok
//                  ▲          └─ ended: later again ─┘ └─ ended: over for good ─► over(cause)
//   takeBack(): `incoming` from the other end ─► accept, answer ─► established ─► ok

/** What could not be joined again is tried again after so long; the last one over and over. */
export const AGAIN_MS = [2000, 4000, 8000, 16000, 30000];
/** Reasons after which that makes sense: nobody has said that the call is over. */
const RETRY = new Set(['unreachable', 'timeout', 'offline', 'busy', 'limit', 'lost', 'internal', 'no-answer',
	'shutdown', 'glare']);

export class Rejoin {
	#line;
	#hooks;
	#signalling = 'ok';
	#timer = null;
	#tries = 0;
	#stopped = false;
	/** out of reach: our own site (its domain), the other side's */
	#own = null;
	#theirs = false;

	/**
	 * @param line   (): the call's line
	 * @param hooks  talks(): is it established? to(): whom it is with; changed(): something that the page
	 *               sees; agree(msg): what the site says of the call; whole(): it is as it was; over(cause)
	 */
	constructor(line, hooks) {
		this.#line = line;
		this.#hooks = hooks;
	}

	/** 'lost': the site knows nothing of the call (any more); 'ok'. */
	get signalling() { return this.#signalling; }

	/** The domain of a site that is out of reach, or null. @param theirs  the other side's */
	away(theirs) {
		return this.#hooks.talks() ? this.#own ?? (this.#theirs ? theirs : null) : null;
	}

	/** Our own site's domain, or null: it is there. */
	set own(domain) {
		if (domain !== this.#own) {
			this.#own = domain;
			this.#hooks.changed();
		}
	}

	/** What a site that was killed knows it by: {call, rejoin}, or null. */
	get held() {
		const { id, kept } = this.#line();

		return kept && this.#hooks.talks() ? { call: id, rejoin: kept } : null;
	}

	/**
	 * The site has forgotten the call, or is out of reach for too long: an established one goes on between the
	 * browsers ('lost'), any other is over. 'ok': it was there all the same. One that has forgotten the call is
	 * there when it is joined again.
	 */
	set(state, cause) {
		if (this.#stopped || state === this.#signalling || (state === 'ok' && this.#line().forgotten))
			return;
		if (state === 'lost' && (!this.#hooks.talks() || this.#line().path !== 'up')) {
			this.#hooks.over(cause);
			return;
		}
		this.#signalling = state;
		this.#hooks.changed();
	}

	/** The site was killed, and is there again. */
	async begin() {
		const line = this.#line();

		clearTimeout(this.#timer);
		if (this.#stopped || !line.kept || !this.#hooks.talks())
			return;
		try {
			await line.rejoin(this.#hooks.to());
			this.#whole();
		} catch (e) {
			const reason = e.cause?.reason;

			if (this.#stopped || this.#signalling !== 'lost')
				return;
			if (reason && !RETRY.has(reason))
				this.#hooks.over(e.cause);
			else if (e.code !== 'no-call')
				this.#timer = setTimeout(() => this.begin(), AGAIN_MS[this.#tries++] ?? AGAIN_MS.at(-1));
		}
	}

	/** `incoming` of the very connection that the line has. */
	takeBack(msg) {
		this.#line().takeBack(msg.call, msg.sdp).catch(() => {
			// It is over already, or our own site has just been lost: then as it was.
			if (this.#line().comesBack)
				this.#line().notTaken();
		});
	}

	/** An event of the site. -> was it about this? */
	event(msg) {
		const line = this.#line();

		if (msg.type === 'away') {
			this.#theirs = msg.away;
			this.#hooks.changed();
		} else if (msg.type === 'answered' && line.forgotten) {
			line.rejoined(msg);
			this.#hooks.agree(msg);
		} else if (msg.type === 'established' && line.comesBack) {
			this.#hooks.agree(msg);
			line.taken();
			this.#whole();
		} else if (msg.type === 'ended' && line.comesBack) {
			line.notTaken();
		} else if (msg.type === 'ended' && line.forgotten) {
			line.notRejoined(msg.cause);
		} else {
			return false;
		}
		return true;
	}

	/** The site knows the call again, and both ends have agreed on what they send. */
	#whole() {
		clearTimeout(this.#timer);
		this.#tries = 0;
		this.#theirs = false;
		this.#signalling = 'ok';
		this.#hooks.whole();
	}

	stop() {
		this.#stopped = true;
		clearTimeout(this.#timer);
	}
}
