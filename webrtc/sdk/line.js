// line.js - one dialog of a call at the site, and the peer connection that belongs to it.
//
// Who uses it: call.js, which has one line; and a second one while the other side moves to another
// device (handover.js). What it calls: peer.js, negotiator.js, and `link` for messages to the site.

import { Negotiator } from './negotiator.js';
import { Peer } from './peer.js';
import { EARLY_MAX } from './trickle.js';

export class Line {
	#link;
	#id;
	#madeTheCall;
	#hooks;
	#peer = null;
	#negotiator = null;
	/** the other side's candidates, while there is no peer connection */
	#early = [];
	/** 'none' (never up), 'up', 'down' (was up, is interrupted) */
	path = 'none';

	/**
	 * @param link   phone.js's: {request(type, fields), ice}
	 * @param id     the call's name at the site
	 * @param hooks  each gets the line first: connection(line, state), streams(line), channel(line,
	 *               RTCDataChannel), agreed(line), failed(line)
	 */
	constructor(link, id, madeTheCall, hooks) {
		this.#link = link;
		this.#id = id;
		this.#madeTheCall = madeTheCall;
		this.#hooks = hooks;
	}

	get id() { return this.#id; }
	/** null until open() */
	get peer() { return this.#peer; }
	get negotiator() { return this.#negotiator; }

	/** What goes out. */
	get sending() {
		return {
			audio: Boolean(this.#peer?.sends('audio')), video: Boolean(this.#peer?.sends('video')),
		};
	}

	request(type, fields) {
		return this.#link.request(type, { call: this.#id, ...fields });
	}

	/** Only now is there a peer connection. */
	open() {
		this.#peer = new Peer(this.#link.ice, {
			connection: (state) => this.#hooks.connection(this, state),
			streams: () => this.#hooks.streams(this),
			candidates: (fields) => this.request('candidates', fields).catch(() => {}),
			channel: (channel) => this.#hooks.channel(this, channel),
		});
		this.#early.splice(0).forEach((msg) => this.#peer.candidates(msg));
		this.#negotiator = new Negotiator(this.#peer, {
			madeTheCall: this.#madeTheCall,
			offer: (description) => this.request('offer', description),
			answer: (description) => this.request('answer', description),
			refuse: (reason) => this.request('refuse', { reason }),
			agreed: () => this.#hooks.agreed(this),
			failed: () => this.#hooks.failed(this),
		});
	}

	/** Answers the offer that the call came with. `ready` adds what is ours before the answer is made. */
	answer(sdp, ready) {
		return this.#negotiator.run(async () => {
			await this.#peer.take(sdp);
			ready(this.#peer);
			const answer = await this.#peer.answer();

			if (this.#peer.closed)
				return;
			const asked = this.request('answer', answer);
			this.#peer.sent(answer);
			await asked;
		});
	}

	/** An event of the site about the media of this line. */
	event(msg) {
		switch (msg.type) {
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
		case 'candidates':
			if (this.#peer)
				this.#peer.candidates(msg);
			else if (this.#early.push(msg) > EARLY_MAX)
				this.#early.shift();
			break;
		}
	}

	close() {
		this.#negotiator?.close();
		this.#peer?.close();
		this.#early = [];
	}
}
