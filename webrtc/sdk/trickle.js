// trickle.js - the candidates of one peer connection, both ways (RFC 8838): none is waited for.
//
// Who uses it: peer.js. What it calls: the RTCPeerConnection, and `send` for messages to the site.
// Ours go out gathered for BATCH_MS, and never before the description that they belong to: whose
// they are shows from the user fragment, as after an ICE restart. Theirs wait for that description,
// too. They are as private as descriptions: never logged, never shown.

export const BATCH_MS = 25;
/** A description that is to have candidates of its own waits so long for the first of them. */
export const FIRST_MS = 100;
/** Messages of the other side that may wait for their description. */
export const EARLY_MAX = 64;

/** The user fragments in a description, the generation it belongs to first. */
export function ufrags(sdp) {
	return [...(sdp ?? '').matchAll(/^a=ice-ufrag:(\S+)/gm)].map(([, ufrag]) => ufrag);
}

export class Trickle {
	#pc;
	#send;
	/** found, not sent: {ufrag, candidate} or {ufrag, end} */
	#found = [];
	/** generations whose description is out; those whose gathering has ended */
	#told = new Set();
	#ended = new Set();
	#early = [];
	#timer = null;
	#first = null;

	/** @param send  ({candidates, ufrag?, end?}): takes a message for the site */
	constructor(pc, send) {
		this.#pc = pc;
		this.#send = send;
		pc.addEventListener('icecandidate', ({ candidate }) => this.#gathered(candidate));
	}

	/** Ours */

	/** Resolves when the first have been found, or after FIRST_MS: where each message counts, a description takes along
	 *  what there is. Ask before the description is set. */
	first() {
		return new Promise((resolve) => {
			this.#first = resolve;
			setTimeout(resolve, FIRST_MS);
		});
	}

	/** A description of ours as the site wants it: with `trickle` when candidates follow. */
	describe(sdp) {
		const [generation = ''] = ufrags(sdp);

		return this.#ended.has(generation) ? { sdp } : { sdp, trickle: true };
	}

	/** A description is on its way to the site: what belongs to it may follow. */
	sent({ sdp, trickle }) {
		const now = ufrags(sdp);

		this.#told = new Set(now.length ? now : ['']);
		if (!trickle)
			this.#found = this.#found.filter(({ ufrag }) => !this.#told.has(ufrag));
		this.#flush();
	}

	#gathered(candidate) {
		const local = this.#pc.localDescription?.sdp;
		const [generation = ''] = ufrags(local);

		if (!candidate) {
			this.#ended.add(generation);
			this.#found.push({ ufrag: generation, end: true });
			this.#first?.();
		} else if (candidate.candidate) { // Firefox says '' at the end of each section
			this.#found.push({ ufrag: candidate.usernameFragment ?? generation, candidate });
		}
		this.#timer ??= setTimeout(() => this.#flush(), BATCH_MS);
	}

	#flush() {
		clearTimeout(this.#timer);
		this.#timer = null;
		if (this.#found.length)
			this.#first?.();
		for (const ufrag of this.#told) {
			const mine = this.#found.filter((one) => one.ufrag === ufrag);

			if (!mine.length)
				continue;
			this.#found = this.#found.filter((one) => one.ufrag !== ufrag);
			this.#send({
				candidates: mine.filter((one) => !one.end).map(({ candidate }) => ({
					mid: candidate.sdpMid,
					...(candidate.sdpMLineIndex === null ? {} : { mline: candidate.sdpMLineIndex }),
					candidate: candidate.candidate,
				})),
				...(ufrag ? { ufrag } : {}),
				...(mine.some((one) => one.end) ? { end: true } : {}),
			});
		}
	}

	/** Theirs */

	/** A `candidates` event of the site. */
	take(message) {
		if (this.#fits(message))
			this.#add(message);
		else if (this.#early.push(message) > EARLY_MAX)
			this.#early.shift();
	}

	/** The other side's description is in place: what came before it may belong to it. */
	described() {
		const early = this.#early;

		this.#early = [];
		early.forEach((message) => this.take(message));
	}

	#fits({ ufrag }) {
		const sdp = this.#pc.remoteDescription?.sdp;

		return Boolean(sdp) && (!ufrag || ufrags(sdp).includes(ufrag));
	}

	/** One that the browser does not want (a protocol or a name unknown to it) is no harm: there are others. */
	#add({ candidates, ufrag, end }) {
		for (const { mid, mline, candidate } of candidates) {
			this.#pc.addIceCandidate({
				candidate, sdpMid: mid, sdpMLineIndex: mline ?? null,
				...(ufrag ? { usernameFragment: ufrag } : {}),
			}).catch(() => {});
		}
		if (end)
			this.#pc.addIceCandidate().catch(() => {});
	}

	close() {
		clearTimeout(this.#timer);
		this.#found = [];
		this.#early = [];
	}
}
