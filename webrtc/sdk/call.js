// call.js - one call, as the page sees it.
//
// Who uses it: phone.js makes calls and hands them the site's events; the page calls the rest.
// What it calls: media.js (microphone), peer.js (the connection between the browsers),
// negotiator.js (changes in mid-call), and `link` for messages to the site.
//
// Privacy: for an incoming call nothing of the browser's connection machinery exists before the
// site's `ok` to `accept`: no RTCPeerConnection, no description, no candidate, no STUN.

import { shown, step } from './call-state.js';
import { abortable, causes, SlussError } from './errors.js';
import { openTracks, stopTracks } from './media.js';
import { Mender } from './mend.js';
import { Negotiator } from './negotiator.js';
import { OwnMedia } from './own-media.js';
import { Peer } from './peer.js';
import { kinds } from './sdp.js';
import { LABEL, PROTOCOL, Side, TEXT_MAX } from './side.js';
import { EARLY_MAX } from './trickle.js';

/** A talk that does not find a way in this time is given up. */
export const CONNECT_MS = 30000;

/** For phone.js alone: an event from the site, the start of an outgoing call, the end of all. */
export const EVENT = Symbol('event');
export const START = Symbol('start');
export const ICE = Symbol('ice');
export const END = Symbol('end');
/** The site is there for this call, or is not: 'ok', 'lost'. And: this machine's network has changed. */
export const SIGNALLING = Symbol('signalling');
export const NETWORK = Symbol('network');

export class Call extends EventTarget {
	#link;
	#id;
	#direction;
	#offered = null;
	#sdp = null;
	#remote;
	#to;
	#mode = null;
	#encryption = null;
	#cause = null;
	#phase;
	#path = 'none';
	#hold = { local: false, remote: false };
	#peer = null;
	#negotiator = null;
	/** what goes out from the start, and what of all is ours to stop at the end */
	#given = [];
	#tracks = [];
	#muted = { audio: false, video: false };
	#channel = null;
	#wantData = false;
	#connectedAt = null;
	#timer = null;
	#busy = false;
	#shown;
	#streams = null;
	#own = null;
	/** the caller's candidates, while it rings and there is no peer connection */
	#early = [];
	#side;
	#mender;
	#signalling = 'ok';

	/**
	 * Made by Phone only.
	 * @param link  {request(type, fields), forget(call), iceReady(), ice}
	 * @param what  {id, direction, remote, to, sdp?, media?, encryption?}
	 */
	constructor(link, what) {
		super();
		this.#link = link;
		this.#id = what.id;
		this.#direction = what.direction;
		this.#remote = what.remote;
		this.#to = what.to;
		this.#mode = what.media ?? null;
		this.#encryption = what.encryption ?? null;
		this.#phase = what.direction === 'in' ? 'ringing' : 'calling';
		this.#shown = this.#phase;
		if (what.sdp) {
			this.#sdp = what.sdp;
			this.#offered = Object.freeze(kinds(what.sdp));
		}
		this.#side = new Side({
			changed: () => {
				if (!this.#cause)
					this.#changed(true);
			},
			text: (text) => this.#announce('text', { text }),
		});
		this.#mender = new Mender(what.direction, {
			restart: () => this.#restart(),
			giveUp: () => this.#hangup('media', causes.pathLost),
		});
	}

	/** What the page may read */

	get id() { return this.#id; }
	get direction() { return this.#direction; }
	get state() { return this.#shown; }
	get remote() { return this.#remote; }
	get to() { return this.#to; }
	get media() { return this.#mode; }
	get encryption() { return this.#encryption; }
	get cause() { return this.#cause; }
	get offered() { return this.#offered; }
	get held() { return { ...this.#hold }; }
	get muted() { return { ...this.#muted }; }
	get interrupted() { return this.#path === 'down' && !this.#cause; }
	/** What the other side says of itself; null when its phone does not. */
	get remoteMuted() { return this.#side.remote && { ...this.#side.remote.muted }; }
	get remoteScreen() { return Boolean(this.#side.remote?.screen); }
	/** Can text be sent? */
	get canText() { return this.#side.open && !this.#cause; }
	get screen() { return Boolean(this.#own?.screen) && !this.#cause; }
	/** 'lost': the site knows nothing of this call any more; the talk goes on, and nothing can be changed. */
	get signalling() { return this.#signalling; }
	get connectedAt() { return this.#connectedAt; }
	get channel() { return this.#channel; }
	get sending() {
		return {
			audio: Boolean(this.#peer?.sends('audio')), video: Boolean(this.#peer?.sends('video')),
		};
	}
	get streams() {
		return this.#streams ?? { local: null, remote: null };
	}

	/** Beginning and ending */

	async [START]({ audio = true, video = false, data = false, name, stream, signal } = {}) {
		const until = (promise) => abortable(promise, signal);
		let sent = false;

		try {
			await until(this.#open({ audio, video, stream }));
			await until(this.#link.iceReady());
			this.#makePeer();
			this.#peer.add(this.#given, true);
			this.#side.take(this.#peer.channel(LABEL, { protocol: PROTOCOL }));
			if (data)
				this.#setChannel(this.#peer.channel('data'));
			const offer = await until(this.#peer.offer());
			if (this.#cause)
				throw new SlussError(this.#cause.reason, this.#cause.text);
			sent = true;
			const asked = this.#request('call',
				{ to: this.#to, ...offer, ...(name ? { name } : {}) });
			this.#peer.sent(offer);
			await until(asked);
		} catch (e) {
			if (signal?.aborted) {
				if (sent)
					this.#hangup('hangup', causes.cancelled);
				e = new SlussError('aborted', undefined, { cause: e });
			}
			this.#end(causes.cancelled);
			throw wordy(e);
		}
	}

	/** Takes an incoming call. Rejects when there is no microphone: then it goes on ringing. */
	async accept({ audio = true, video = false, data, stream } = {}) {
		if (this.#direction !== 'in' || this.#phase !== 'ringing' || this.#busy)
			throw new SlussError(this.#cause ? 'ended' : 'bad-state');

		this.#busy = true;
		try {
			await this.#open({ audio, video, stream });
			await this.#link.iceReady();
			this.#move('accepted');
			await this.#request('accept');
		} catch (e) {
			this.#drop();
			if (e.code === 'elsewhere' || e.code === 'gone' || e.code === 'no-call')
				this.#end(e.code === 'elsewhere' ? causes.elsewhere : causes.gone);
			else
				this.#move('unaccepted');
			throw wordy(e);
		} finally {
			this.#busy = false;
		}
		if (this.#cause) // its `ended` came before this answer, after a loss
			throw new SlussError('ended', this.#cause.text);
		this.#wantData = data ?? this.#offered.data;
		await this.#answer();
	}

	/** The call is this device's: only now is there a peer connection. */
	async #answer() {
		try {
			this.#makePeer();
			await this.#negotiator.run(async () => {
				await this.#peer.take(this.#sdp);
				this.#peer.add(this.#given, false);
				const answer = await this.#peer.answer();

				if (this.#cause)
					return;
				const asked = this.#request('answer', answer);
				this.#peer.sent(answer);
				await asked;
			});
		} catch (e) {
			if (this.#cause)
				throw new SlussError('ended', this.#cause.text, { cause: e });
			const text = e instanceof SlussError ? e.message : causes.badMedia.text;
			this.#hangup('media', { ...causes.badMedia, text });
			throw new SlussError('media', text, { cause: e });
		}
	}

	/** 'busy': this device only. 'decline': all of the user's devices. */
	reject(reason = 'decline') {
		if (reason !== 'busy' && reason !== 'decline')
			throw new TypeError('reject() takes "busy" or "decline"');
		if (this.#direction !== 'in' || this.#phase !== 'ringing')
			throw new SlussError(this.#cause ? 'ended' : 'bad-state');
		this.#request('reject', { reason }).catch(() => {});
		this.#end(reason === 'busy' ? causes.busy : causes.declined);
	}

	hangup() {
		if (this.#cause)
			return;
		if (this.#direction === 'in' && this.#phase === 'ringing')
			this.reject('decline');
		else
			this.#hangup('hangup', this.#phase === 'established' || this.#direction === 'in'
				? causes.hangup : causes.cancelled);
	}

	#hangup(reason, cause) {
		if (this.#cause)
			return;
		this.#request('hangup', { reason }).catch(() => {});
		this.#end(cause);
	}

	/** In mid-call */

	mute(kind = 'audio') { this.#mute(kind, true); }
	unmute(kind = 'audio') { this.#mute(kind, false); }

	#mute(kind, on) {
		if (kind !== 'audio' && kind !== 'video')
			throw new TypeError('mute() takes "audio" or "video"');
		this.#muted[kind] = on;
		this.#peer?.mute(kind, on);
		this.#changed(true);
	}

	/** Turns the camera on. Resolves when the other side has agreed to the picture. */
	async addVideo(options) { await this.#change((own) => own.addVideo(options)); }
	/** Turns the camera (or the screen) off: its light goes out at once. */
	async removeVideo() { await this.#change((own) => own.removeVideo()); }
	/** Shares a screen, a window or a tab; it takes the camera's place. */
	async shareScreen(options) { await this.#change((own) => own.shareScreen(options)); }
	async stopScreen() { await this.#change((own) => own.stopScreen()); }
	/** Another microphone or camera: {deviceId} or other constraints. No break, no new offer. */
	async setMicrophone(audio = true, { stream } = {}) {
		await this.#change((own) => own.setMicrophone(audio, stream));
	}
	async setCamera(video = true) { await this.#change((own) => own.setCamera(video)); }

	async #change(what) {
		this.#needEstablished();
		try {
			await what(this.#own);
		} catch (e) {
			throw wordy(e);
		}
	}

	/** Text to the other side, at most 4000 characters. */
	sendText(text) {
		if (typeof text !== 'string' || !text.trim() || text.length > TEXT_MAX)
			throw new SlussError('bad-text');
		if (!this.canText)
			throw new SlussError(this.#cause ? 'ended' : 'no-text');
		this.#side.text(text);
	}

	hold() { return this.#setHold(true); }
	resume() { return this.#setHold(false); }

	async #setHold(on) {
		this.#needEstablished();
		if (this.#hold.local === on)
			return;
		const turn = (to) => {
			this.#hold.local = to;
			if (to)
				this.#peer.hold();
			else
				this.#peer.resume();
			this.#changed(true);
		};

		turn(on);
		try {
			await this.#negotiator.change();
		} catch (e) {
			if (!this.#cause && this.#hold.local === on)
				turn(!on);
			throw wordy(e);
		}
	}

	/** Sends keys as RFC 4733 events in the sound. A comma waits two seconds. */
	sendDtmf(tones, { toneMs = 100, gapMs = 70 } = {}) {
		this.#needEstablished();
		if (!/^[0-9A-Da-d*#,]{1,64}$/.test(tones))
			throw new SlussError('bad-tones');
		if (!this.#peer.dtmf?.canInsertDTMF)
			throw new SlussError('no-tones');
		this.#peer.dtmf.insertDTMF(tones, toneMs, gapMs);
	}

	async stats() {
		if (!this.#peer || this.#cause)
			throw new SlussError(this.#cause ? 'ended' : 'bad-state');
		return this.#peer.stats();
	}

	/** From the site, by phone.js */

	/** Servers for a path that has to be found anew. */
	[ICE](servers) {
		if (this.#peer)
			this.#peer.iceServers = servers;
	}

	[EVENT](msg) {
		switch (msg.type) {
		case 'progress':
			if (msg.state === 'ringing' || msg.state === 'accepted')
				this.#move(msg.state);
			break;
		case 'answered':
			this.#remote = msg.remote ?? this.#remote;
			this.#agree(msg);
			this.#negotiator.run(() => this.#peer.apply(msg.sdp)).then(
				() => this.#move('established'),
				() => this.#hangup('media', causes.badMedia));
			break;
		case 'established':
			this.#agree(msg);
			this.#move('established');
			// A camera that the offer had no place for.
			this.#negotiator?.run(() => {
				if (this.#peer.unsaid)
					this.#negotiator.change().catch(() => {});
			}).catch(() => {});
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
		case 'candidates':
			if (this.#peer)
				this.#peer.candidates(msg);
			else if (this.#early.push(msg) > EARLY_MAX)
				this.#early.shift();
			break;
		case 'ended':
			this.#end(msg.cause);
			break;
		}
	}

	/** The connection to the site is gone, and the call with it. */
	[END](cause) {
		this.#end(cause);
	}

	/**
	 * The site has forgotten the call, or is out of reach for too long: an established one goes on between
	 * the browsers ('lost'), any other is over. 'ok': it was there all the same.
	 */
	[SIGNALLING](state, cause) {
		if (this.#cause || state === this.#signalling)
			return;
		if (state === 'lost' && (this.#phase !== 'established' || this.#path !== 'up')) {
			this.#hangup('hangup', cause);
			return;
		}
		this.#signalling = state;
		this.#changed(true);
	}

	/** This machine's network has changed. */
	[NETWORK]() {
		if (this.#phase === 'established' && this.#signalling === 'ok')
			this.#mender.networkChanged();
	}

	/** Inside */

	#request(type, fields) {
		return this.#link.request(type, { call: this.#id, ...fields });
	}

	#needEstablished() {
		if (this.#phase !== 'established')
			throw new SlussError(this.#cause ? 'ended' : 'bad-state');
	}

	#agree({ media, encryption }) {
		this.#mode = media;
		this.#encryption = encryption;
		this.#changed(true);
	}

	async #open(want) {
		const { tracks, own } = await openTracks(want);

		this.#given = tracks;
		this.#tracks = own ? [...tracks] : [];
		if (this.#cause) {
			this.#drop();
			throw new SlussError('ended');
		}
		for (const track of tracks)
			this.#watch(track);
	}

	#watch(track) {
		track.addEventListener('ended', () => {
			if (!this.#cause && this.#tracks.includes(track))
				this.#announce('trackended', { track });
		});
	}

	#drop() {
		stopTracks(this.#tracks);
		this.#given = [];
		this.#tracks = [];
	}

	#makePeer() {
		this.#peer = new Peer(this.#link.ice, {
			connection: (state) => this.#connection(state),
			streams: () => this.#announce('streams'),
			candidates: (fields) => this.#request('candidates', fields).catch(() => {}),
			channel: (channel) => {
				if (Side.is(channel))
					this.#side.take(channel);
				else if (this.#wantData && !this.#channel)
					this.#setChannel(channel);
				else
					channel.close();
			},
		});
		this.#early.splice(0).forEach((msg) => this.#peer.candidates(msg));
		this.#streams = Object.freeze({ local: this.#peer.local, remote: this.#peer.remote });
		this.#own = new OwnMedia(this.#ownLink());
		this.#own.began(this.#given);
		for (const kind of ['audio', 'video'])
			this.#peer.mute(kind, this.#muted[kind]);
		this.#negotiator = new Negotiator(this.#peer, {
			madeTheCall: this.#direction === 'out',
			offer: (description) => this.#request('offer', description),
			answer: (description) => this.#request('answer', description),
			refuse: (reason) => this.#request('refuse', { reason }),
			agreed: () => {
				this.#hold.remote = this.#peer.heldByRemote;
				this.#changed(true);
			},
			failed: () => this.#hangup('media', causes.badMedia),
		});
	}

	/** What own-media.js may do with the call. */
	#ownLink() {
		const call = this;

		return {
			peer: this.#peer,
			get over() { return Boolean(call.#cause); },
			change: () => this.#negotiator.change(),
			run: (what) => this.#negotiator.run(what),
			opened: (track) => {
				this.#tracks.push(track);
				this.#watch(track);
			},
			closed: (track) => {
				const at = this.#tracks.indexOf(track);

				if (at >= 0)
					stopTracks(this.#tracks.splice(at, 1));
			},
			changed: () => this.#changed(true),
			streams: () => this.#announce('streams'),
		};
	}

	#setChannel(channel) {
		this.#channel = channel;
		this.#announce('channel', { channel });
	}

	#connection(state) {
		if (this.#cause)
			return;
		if (state === 'connected') {
			this.#path = 'up';
			this.#mender.path('up');
			this.#changed(true);
		} else if (state === 'failed' && (this.#path === 'none' || this.#signalling === 'lost')) {
			this.#hangup('media', this.#path === 'none' ? causes.noPath : causes.pathLost);
		} else if ((state === 'disconnected' || state === 'failed') && this.#path !== 'none') {
			this.#path = 'down';
			this.#mender.path(state === 'failed' ? 'failed' : 'down');
			this.#changed(true);
		}
	}

	/** Looks for a new path: an offer with new ICE credentials. */
	#restart() {
		if (this.#phase !== 'established' || this.#signalling === 'lost')
			return;
		this.#peer.restart();
		this.#negotiator.change().catch(() => {});
	}

	#move(event) {
		const before = this.#phase;

		this.#phase = step(before, event);
		if (this.#phase === before)
			return;
		if (this.#phase === 'established' && this.#path === 'none')
			this.#timer = setTimeout(() => {
				if (this.#path === 'none')
					this.#hangup('media', causes.noPath);
			}, CONNECT_MS);
		this.#changed();
	}

	/** Tells the page when what it sees has changed; `also` when something else than state has. */
	#changed(also = false) {
		const now = shown(this.#phase, this.#path, this.#hold);

		this.#side.say({ muted: { ...this.#muted }, screen: this.screen });
		if (now === this.#shown && !also)
			return;
		this.#shown = now;
		if ((now === 'connected' || now === 'held') && this.#connectedAt === null) {
			this.#connectedAt = Date.now();
			clearTimeout(this.#timer);
		}
		this.#announce('state');
	}

	#end(cause) {
		if (this.#cause)
			return;
		this.#cause = Object.freeze({ code: cause.code, reason: cause.reason, text: cause.text });
		clearTimeout(this.#timer);
		this.#mender.stop();
		this.#negotiator?.close();
		this.#peer?.close();
		this.#drop();
		this.#sdp = null;
		this.#early = [];
		this.#link.forget(this);
		this.#move('ended');
		this.#announce('streams');
	}

	#announce(type, fields = {}) {
		const event = new Event(type);

		this.dispatchEvent(Object.assign(event, fields));
	}
}

/** Anything that went wrong, as an error with words. */
function wordy(e) {
	return e instanceof SlussError ? e : new SlussError('internal', e?.message, { cause: e });
}
