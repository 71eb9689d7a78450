// negotiator.js - carries out what offer-answer.js decides, in an established call.
//
// Who uses it: call.js. What it calls: a Peer for descriptions, `link` for messages to the site.
// Everything that touches the peer connection runs in one queue, one thing after the other; only the
// wait for candidates stands outside it, so that the other side's offer need not wait for ours.

import { SlussError } from './errors.js';
import { glareMs, start, step } from './offer-answer.js';

export class Negotiator {
	#peer;
	#link;
	#state = start;
	#queue = Promise.resolve();
	#timer = null;
	#closed = false;
	/** What the current action is about: the other side's answer or offer, or why ours was refused. */
	#theirs = null;
	/** the newest offer of theirs: {sdp, withdrawn, answered: ours was set} */
	#theirOffer = null;
	#offer = null;
	#why = null;
	/** counts offers made; a gathering that ends after its offer was taken back is ignored */
	#turn = 0;
	/** {resolve, reject} of change(): not in an offer yet; in one that is out or will go out again */
	#asked = [];
	#inOffer = [];

	/**
	 * @param link  {offer(description), answer(description), refuse(reason)}: promises of the site's `ok`;
	 *              agreed(): an exchange is complete; failed(error): the media cannot go on;
	 *              madeTheCall
	 */
	constructor(peer, link) {
		this.#peer = peer;
		this.#link = link;
	}

	/** Something has changed at our end: resolves when both sides have agreed on it. */
	change() {
		if (this.#closed)
			return Promise.reject(new SlussError('ended'));
		return new Promise((resolve, reject) => {
			this.#asked.push({ resolve, reject });
			this.#post('change');
		});
	}

	/** Events from the site. */
	offered(sdp) {
		const offer = { sdp, withdrawn: false, answered: false };

		this.#theirOffer = offer;
		this.#post('offer', () => { this.#theirs = offer; });
	}

	/** They have taken their newest offer back: what was not begun is left, what was done is mended. */
	withdrawn() {
		const offer = this.#theirOffer;

		if (!offer)
			return;
		offer.withdrawn = true;
		this.#post('withdrawn', () => offer.answered);
	}

	answered(sdp) {
		this.#post('answer', () => { this.#theirs = sdp; });
	}

	refused(cause) {
		this.#post(cause.reason === 'glare' ? 'glare' : 'refused', () => {
			this.#why = new SlussError('refused', cause.text, { cause });
		});
	}

	/** Runs something of the call's own in the same queue (the first offer and answer). */
	run(what) {
		this.#queue = this.#queue.then(() => (this.#closed ? undefined : what()));
		return this.#queue;
	}

	/** What waits for an agreement here waits for one there. */
	handOver(other) {
		const waiting = [...this.#inOffer.splice(0), ...this.#asked.splice(0)];

		if (waiting.length)
			other.change().then(() => this.#settle(waiting), (e) => this.#settle(waiting, e));
	}

	close() {
		this.#closed = true;
		clearTimeout(this.#timer);
		this.#settle([...this.#inOffer, ...this.#asked], new SlussError('ended'));
		this.#inOffer = [];
		this.#asked = [];
	}

	/** @param before  runs in its turn, before the step; when it gives false there is no step */
	#post(event, before) {
		this.run(async () => {
			if (before?.() === false)
				return;
			const [state, ...actions] = step(this.#state, event);

			this.#state = state;
			for (const action of actions) {
				if (!this.#closed)
					await this.#act[action]();
			}
		}).catch((e) => {
			if (!this.#closed)
				this.#link.failed(e);
		});
	}

	#answered(theirs, answer) {
		const asked = theirs.withdrawn ? Promise.resolve() : this.#link.answer(answer);

		this.#peer.sent(answer);
		asked.catch(() => {}).then(() => this.#post('done', () => {
			if (!theirs.withdrawn)
				this.#link.agreed();
		}));
	}

	#settle(waiting, error) {
		for (const { resolve, reject } of waiting) {
			if (error)
				reject(error);
			else
				resolve();
		}
	}

	#act = {
		make: async () => {
			const turn = ++this.#turn;

			this.#inOffer.push(...this.#asked.splice(0));
			try {
				const offer = await this.#peer.offer();

				if (turn === this.#turn)
					this.#post('made', () => { this.#offer = offer; });
			} catch (e) {
				this.#why = e;
				this.#post('make-failed');
			}
		},
		send: () => {
			this.#link.offer(this.#offer).catch((e) => {
				// A site that was just handing us their offer may say so in this way too.
				// 'elsewhere': a call that is joined again by the other side in the same moment.
				this.#post(e.code === 'elsewhere' || (e.code === 'bad-state' && this.#state.owed)
					? 'glare' : 'refused',
					() => { this.#why = e; });
			});
			this.#peer.sent(this.#offer);
		},
		apply: async () => {
			await this.#peer.apply(this.#theirs);
			this.#settle(this.#inOffer.splice(0));
			this.#link.agreed();
		},
		take: async () => {
			const theirs = this.#theirs;

			try {
				if (!theirs.withdrawn)
					await this.#peer.take(theirs.sdp);
				if (!theirs.withdrawn) {
					const answer = await this.#peer.answer();

					theirs.answered = true;
					this.#answered(theirs, answer);
					return;
				}
				await this.#peer.rollback();
			} catch {
				await this.#peer.rollback().catch(() => {});
				if (!theirs.withdrawn && !this.#closed)
					this.#link.refuse('media').catch(() => {});
			}
			this.#post('done');
		},
		refuse: () => {
			this.#link.refuse('glare').catch(() => {});
		},
		rollback: async () => {
			this.#turn++;
			await this.#peer.rollback();
		},
		wait: () => {
			clearTimeout(this.#timer);
			this.#timer = setTimeout(() => this.#post('timer'),
				glareMs(this.#link.madeTheCall));
		},
		fail: () => {
			this.#settle(this.#inOffer.splice(0), this.#why ?? new SlussError('refused'));
		},
	};
}
