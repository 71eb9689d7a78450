// line.js - one dialog of a call at the site, and the peer connection that belongs to it.
//
// Who uses it: call.js, which has one line; and a second one while the other side moves to another
// device (handover.js). What it calls: peer.js, pulse.js, negotiator.js, and `link` for messages to the site.

import { SlussError } from './errors.js';
import { Negotiator } from './negotiator.js';
import { Peer } from './peer.js';
import { Pulse } from './pulse.js';
import { EARLY_MAX } from './trickle.js';

export class Line {
	#link;
	#id;
	#madeTheCall;
	#hooks;
	#peer = null;
	#negotiator = null;
	#pulse = null;
	#identity = null;
	/** the other side's candidates, while there is no peer connection */
	#early = [];
	/** 'none' (never up), 'up', 'down' (was up, is interrupted) */
	path = 'none';
	/** by which name the site, once it was killed, may know this call again; null: it will not */
	kept = null;
	/** the site was killed and does not know it (yet): {to}, whom to join it again with; null: it knows it */
	#forgotten = null;
	/** the name it had before the other side joined it again, until that is done */
	#before = null;

	/**
	 * @param link   phone.js's: {request(type, fields), silent(call, yes), ice}
	 * @param id     the call's name at the site
	 * @param hooks  each gets the line first: connection(line, state), streams(line), channel(line,
	 *               RTCDataChannel), agreed(line), failed(line), early(message); identity(): its LineIdentity, or null;
	 *               keys(text)
	 */
	constructor(link, id, madeTheCall, hooks) {
		this.#link = link;
		this.#id = id;
		this.#madeTheCall = madeTheCall;
		this.#hooks = hooks;
	}

	get id() { return this.#id; }
	get forgotten() { return this.#forgotten !== null; }
	get comesBack() { return this.#before !== null; }
	/** null until open() */
	get peer() { return this.#peer; }
	get negotiator() { return this.#negotiator; }
	/** What is known of the other end, or null. */
	get identity() { return this.#identity; }

	/** What goes out. */
	get sending() {
		return {
			audio: Boolean(this.#peer?.sends('audio')), video: Boolean(this.#peer?.sends('video')),
		};
	}

	request(type, fields) {
		return this.#link.request(type, { call: this.#id, ...fields });
	}

	/** Keys go in the sound; to a telephone line that takes none there (`anchored`) by the site, without pauses: then it
	 *  gives a promise. Throws SlussError. */
	tones(tones, toneMs, gapMs, anchored) {
		if (!/^[0-9A-Da-d*#,]{1,64}$/.test(tones))
			throw new SlussError('bad-tones');
		if (!anchored || this.#peer.takesTones)
			return this.#peer.tones(tones, toneMs, gapMs);
		const keys = tones.toUpperCase().replaceAll(',', '');

		return keys && this.request('keys', { keys }).then(() => {}, () => {
			throw new SlussError('no-tones');
		});
	}

	/** Only now is there a peer connection. */
	open() {
		this.#identity = this.#hooks.identity();
		this.#peer = new Peer(this.#link.ice, {
			identity: this.#identity,
			connection: (state) => {
				if (state === 'connected')
					this.#pulse.start();
				else if (state === 'disconnected')
					this.#pulse.broken();
				this.#hooks.connection(this, state);
			},
			streams: () => this.#hooks.streams(this),
			candidates: (fields) => this.request('candidates', fields).catch(() => {}),
			channel: (channel) => this.#hooks.channel(this, channel),
		});
		this.#pulse = new Pulse(() => this.#peer.received(), (yes) => this.#link.silent(this.#id, yes));
		this.#early.splice(0).forEach((msg) => this.#peer.candidates(msg));
		this.#negotiator = new Negotiator(this.#peer, {
			madeTheCall: this.#madeTheCall,
			offer: (description) => (this.#forgotten
				? this.request('call', { ...this.#forgotten, rejoin: this.kept, ...description })
				: this.request('offer', description)),
			answer: (description) => this.request('answer', description),
			refuse: (reason) => this.request('refuse', { reason }),
			agreed: () => this.#hooks.agreed(this),
			failed: () => this.#hooks.failed(this),
		});
	}

	/** Answers the offer that the call came with. `ready` adds what is ours before the answer is made; for `how`
	 *  see Peer. */
	answer(sdp, ready, how) {
		return this.#negotiator.run(async () => {
			await this.#peer.take(sdp);
			ready(this.#peer);
			const answer = await this.#peer.answer(how);

			if (this.#peer.closed)
				return;
			const asked = this.request('answer', answer);
			this.#peer.sent(answer);
			await asked;
		});
	}

	/** Joining it again (docs/protocol.md, "When the site was killed") */

	/** The site has forgotten it: what is offered from now on joins it again. Resolves when that is done. */
	async rejoin(to) {
		this.#forgotten = { to };
		// Nobody is there any more to answer what was offered before.
		this.#negotiator.refused({ reason: 'glare', text: '' });
		await this.#negotiator.change();
	}

	/** The site's `answered`. */
	rejoined({ sdp }) {
		const moved = this.#peer.isElsewhere(sdp);

		this.#forgotten = null;
		this.#negotiator.answered(sdp);
		if (moved) {
			this.#peer.restart();
			this.#negotiator.change().catch(() => {}); // in its turn, behind this answer
		}
	}

	/** The site's `ended`: not now, or never. */
	notRejoined(cause) {
		this.#negotiator.refused(cause.reason === 'busy' ? { ...cause, reason: 'glare' } : cause);
	}

	/** Is it an offer of the very connection that this one is with? Its keys say so. */
	isSame(sdp) {
		return Boolean(this.#peer) && this.#peer.isSame(sdp);
	}

	/** The other side joins it again: the same connection, under another name. */
	async takeBack(id, sdp) {
		await this.#link.request('accept', { call: id });
		this.#before = this.#id;
		this.#id = id;
		this.#forgotten = null;
		this.#negotiator.refused({ reason: 'glare', text: '' });
		this.#negotiator.offered(sdp);
	}

	/** That is done: the name it had is not needed any more. */
	taken() {
		const before = this.#before;

		this.#before = null;
		this.#link.request('hangup', { call: before, reason: 'moved' }).catch(() => {});
	}

	/** That came to nothing: it is as it was. */
	notTaken() {
		this.#id = this.#before;
		this.#before = null;
	}

	/** An event of the site about the media of this line. */
	event(msg) {
		switch (msg.type) {
		case 'keys':
			this.#hooks.keys(msg.keys);
			break;
		case 'offer':
			this.#negotiator?.offered(msg.sdp);
			break;
		case 'answer':
			this.#negotiator?.answered(msg.sdp);
			break;
		case 'refused':
			this.#negotiator?.refused(msg.cause);
			break;
		case 'withdrawn':
			this.#negotiator?.withdrawn();
			break;
		case 'early':
			this.#negotiator?.run(() => this.#peer.preview(msg.sdp).then(() => this.#hooks.early(msg), () => {}));
			break;
		case 'candidates':
			if (this.#peer)
				this.#peer.candidates(msg);
			else if (this.#early.push(msg) > EARLY_MAX)
				this.#early.shift();
			break;
		}
	}

	close() {
		this.#pulse?.stop();
		this.#link.silent(this.#id, false);
		this.#negotiator?.close();
		this.#peer?.close();
		this.#early = [];
	}
}
