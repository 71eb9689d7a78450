// handover.js - the other side goes on from another device: a second line comes up beside the first and
// takes its place when sound gets through (RFC 3891; docs/protocol.md, "Moving a call").
//
// Who uses it: call.js, at the end that stays. Nobody is asked, and nothing of the first line changes
// until the second one works; when that fails, the first goes on.
//
//   none ─begin()─► accept, answer ─connected and heard─► over() ─► none
//                        └──── refused, ended, HANDOVER_MS ────► failed() ─► none

/** The second line has so long to find a way. */
export const HANDOVER_MS = 15000;
/** After it is connected its sound has so long to begin, before it is taken as it is. */
export const HEARD_MS = 400;

export class Handover {
	#hooks;
	/** the line that comes up, or null; what the site says of it: {media, encryption} */
	#line = null;
	#agreement = null;
	/** why the line in use is over already */
	#gone = null;
	#limit = null;
	#heard = null;
	#settled = Promise.resolve();
	#settle = null;

	/**
	 * @param hooks  iceReady(), own(peer): gives it our tracks as they are; over(line, agreement, gone):
	 *               it is the line now; failed(gone): all stays as it was, but for a line that is gone
	 */
	constructor(hooks) {
		this.#hooks = hooks;
	}

	/** The line that comes up, or null. */
	get line() { return this.#line; }
	/** The old device is away for good; what happens to its path does not matter any more. */
	get gone() { return this.#gone; }
	/** Resolves when no line is coming up (any more). */
	get settled() { return this.#settled; }

	/** @param incoming  the site's event: the other device's offer */
	begin(line, incoming) {
		this.#line = line;
		this.#agreement = incoming;
		this.#settled = new Promise((resolve) => { this.#settle = resolve; });
		this.#limit = setTimeout(() => this.fail('media'), HANDOVER_MS);
		this.#answer(line, incoming.sdp).catch(() => {
			if (line === this.#line)
				this.fail('media');
		});
	}

	async #answer(line, sdp) {
		await this.#hooks.iceReady();
		await line.request('accept');
		if (line !== this.#line)
			return;
		line.open();
		await line.answer(sdp, (peer) => this.#hooks.own(peer));
	}

	/** An event of the site about another line than the one in use. */
	event(msg) {
		if (msg.call !== this.#line?.id)
			return;
		if (msg.type === 'ended')
			this.fail(null);
		else if (msg.type === 'established')
			this.#agreement = msg;
		else
			this.#line.event(msg);
	}

	/** The old device has left its line. -> is there another one to wait for? */
	left(cause) {
		if (!this.#line || cause.reason !== 'elsewhere')
			return false;
		this.#gone = cause;
		return true;
	}

	/** The state of the new peer connection. */
	connection(state) {
		if (state === 'failed')
			this.fail('media');
		if (state !== 'connected' || !this.#line || this.#heard)
			return;
		const track = this.#line.peer.remote.getTracks().find((one) => one.kind === 'audio');

		this.#heard = setTimeout(() => this.#over(), HEARD_MS);
		if (!track || !track.muted)
			this.#over();
		else
			track.addEventListener('unmute', () => this.#over(), { once: true });
	}

	#over() {
		const [line, agreement, gone] = [this.#line, this.#agreement, this.#gone];

		if (!line)
			return;
		this.#finish();
		this.#hooks.over(line, agreement, gone);
	}

	/** @param reason  for the site; null: it has ended the line itself */
	fail(reason) {
		const [line, gone] = [this.#line, this.#gone];

		if (!line)
			return;
		this.#finish();
		if (reason)
			line.request('hangup', { reason }).catch(() => {});
		line.close();
		this.#hooks.failed(gone);
	}

	#finish() {
		clearTimeout(this.#limit);
		clearTimeout(this.#heard);
		this.#line = this.#gone = this.#heard = null;
		this.#settle();
	}
}
