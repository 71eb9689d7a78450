// handover.js - a second line comes up beside the first and takes its place when sound gets through
// (RFC 3891; docs/protocol.md, "Moving a call"): the other side goes on from another device, or either
// side's network has changed and a new connection is there sooner than the old one finds a new path.
//
// Who uses it: call.js. Nobody is asked, and nothing of the first line changes until the second one
// works; when that fails, the first goes on.
//
//   none ─begin()─► accept, answer ──────────┬─connected and heard─► over() ─► none
//     └───leap()──► call, its answer applied ┘
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
	/** it is we who offered it: the other side ends the old line */
	#ours = false;
	/** why the line in use is over already */
	#gone = null;
	#limit = null;
	#heard = null;
	#asked = false;
	#settled = Promise.resolve();
	#settle = null;

	/**
	 * @param hooks  iceReady(), own(peer): gives it our tracks as they are; channels(peer): what an offer
	 *               has beside them; follows(line): is it with the same person? true, or a promise; over(line, agreement, left): it is the line now, and `left`: the old
	 *               one needs no hangup of ours; failed(gone): all stays as it was, but for a line that is
	 *               gone
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
		this.#agreement = incoming;
		this.#comes(line, false, this.#answer(line, incoming.sdp));
	}

	/** A line that we offer. `replaces`: the name of the one whose place it takes; `to`: whom it is with. */
	leap(line, replaces, to) {
		this.#comes(line, true, this.#offer(line, { replaces, to }));
	}

	#comes(line, ours, done) {
		this.#line = line;
		this.#ours = ours;
		this.#settled = new Promise((resolve) => { this.#settle = resolve; });
		this.#limit = setTimeout(() => this.fail('media'), HANDOVER_MS);
		done.catch(() => {
			if (line === this.#line)
				this.fail('media');
		});
	}

	/** Nobody else can take it (it is this device that has the call), so the answer need not wait for the `ok`. */
	async #answer(line, sdp) {
		await this.#hooks.iceReady();
		if (line !== this.#line)
			return;
		line.open();
		await Promise.all([line.request('accept'), line.answer(sdp, (peer) => this.#hooks.own(peer), { found: true })]);
	}

	async #offer(line, what) {
		await this.#hooks.iceReady();
		if (line !== this.#line)
			return;
		line.open();
		this.#hooks.own(line.peer);
		this.#hooks.channels(line.peer);
		const offer = await line.peer.offer({ found: true });

		if (line !== this.#line)
			return;
		const asked = line.request('call', { ...what, ...offer });

		line.peer.sent(offer);
		await asked;
	}

	/** An event of the site about another line than the one in use. */
	event(msg) {
		if (msg.call !== this.#line?.id)
			return;
		if (msg.type === 'ended')
			this.fail(null);
		else if (msg.type === 'established')
			this.#agreement = msg;
		else if (msg.type === 'answered')
			this.#answered(msg);
		else
			this.#line.event(msg);
	}

	#answered(msg) {
		const line = this.#line;

		this.#agreement = msg;
		line.negotiator.run(() => line.peer.apply(msg.sdp)).catch(() => {
			if (line === this.#line)
				this.fail('media');
		});
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
		const line = this.#line;

		if (!line || this.#asked)
			return;
		const follows = this.#hooks.follows(line);

		if (follows === true)
			return this.#take(line);
		this.#asked = true;
		follows.then((yes) => {
			if (line === this.#line)
				yes ? this.#take(line) : this.fail('mismatch');
		});
	}

	#take(line) {
		const agreement = this.#agreement;
		const left = this.#ours || this.#gone !== null;

		this.#finish();
		this.#hooks.over(line, agreement, left);
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
		this.#ours = this.#asked = false;
		this.#settle();
	}
}
