// call.js - one call, as the page sees it.
//
// Who uses it: phone.js makes calls and hands them the site's events; the page calls the rest.
// What it calls: media.js (microphone), line.js (the dialog at the site and the connection between the
// browsers), handover.js (another line takes its place), and `link` for messages to the site.
//
// Privacy: for an incoming call nothing of the browser's connection machinery exists before the
// site's `ok` to `accept`: no RTCPeerConnection, no description, no candidate, no STUN.

import { END, EVENT, ICE, MOVE, NETWORK, REJOIN, START, VOUCHED } from './call-doors.js';
import { shown, step } from './call-state.js';
import { abortable, causes, SlussError, wordy } from './errors.js';
import { Handover } from './handover.js';
import { Hold } from './hold.js';
import { Vouched } from './identity/vouched.js';
import { Line } from './line.js';
import { Mender } from './mend.js';
import { OwnMedia } from './own-media.js';
import { OwnTracks } from './own-tracks.js';
import { Refer } from './refer.js';
import { Rejoin } from './rejoin.js';
import { kinds } from './sdp.js';
import { LABEL, PROTOCOL, Side } from './side.js';

export class Call extends EventTarget {
	#link;
	#direction;
	#offered = null;
	#sdp = null;
	#vouched;
	#to;
	#mode = null;
	#encryption = null;
	#cause = null;
	#phase;
	#hold;
	#line;
	#handover;
	/** what goes out from the start */
	#given = [];
	#tracks;
	#muted = { audio: false, video: false };
	#channel = null;
	#wantData = false;
	#connectedAt = null;
	#busy = false;
	#shown;
	#streams = null;
	#own = null;
	#side;
	#mender;
	#rejoin;
	#refer;
	#replaces;

	/**
	 * Made by Phone only.
	 * @param link  {request(type, fields), forget(call), newName(call), iceReady(), ice, identity}
	 * @param what  {id, direction, remote, to, sdp?, media?, encryption?, replaces?: a call on another
	 *              device, whose place this one takes}
	 */
	constructor(link, what) {
		super();
		this.#link = link;
		this.#line = this.#newLine(what.id, what.direction === 'out');
		this.#replaces = what.replaces;
		this.#direction = what.direction;
		this.#vouched = new Vouched(link.identity, what.remote, {
			changed: () => this.#cause || this.#changed(true),
			mismatch: (line) => (line && line === this.#handover.line?.identity ? this.#handover.fail('mismatch')
				: this.#hangup('mismatch', causes.mismatch)),
		});
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
			changed: () => this.#cause || this.#changed(true),
			text: (text) => this.#announce('text', { text }),
			refer: (msg) => this.#refer.take(msg),
		});
		this.#refer = new Refer({
			side: () => this.#side, site: () => link.site, dial: (to, options) => link.dial(to, options),
			hold: () => this.hold().catch(() => ['audio', 'video'].forEach((kind) => this.mute(kind))),
			hangup: () => this.hangup(), listens: () => this.#side.refers, over: () => Boolean(this.#cause),
			ask: (what) => this.#announce('transfer', what),
		});
		this.#hold = new Hold({
			line: () => this.#line, ready: () => this.#ready(), over: () => Boolean(this.#cause),
			changed: () => this.#changed(true),
		});
		this.#mender = new Mender(what.direction, {
			restart: () => this.#restart(),
			giveUp: () => this.#hangup('media', causes.pathLost),
		});
		this.#rejoin = new Rejoin(() => this.#line, {
			talks: () => this.#phase === 'established',
			to: () => this.remote.address,
			changed: () => this.#changed(true),
			agree: (msg) => this.#agree(msg),
			whole: () => this.#agreed(),
			over: (cause) => this.#hangup('hangup', cause),
		});
		this.#tracks = new OwnTracks((track) => this.#announce('trackended', { track }));
		this.#handover = new Handover({
			iceReady: () => this.#link.iceReady(),
			own: (peer) => this.#give(peer),
			channels: (peer) => this.#channels(peer, Boolean(this.#channel)),
			follows: (line) => this.#vouched.follows(line.identity),
			over: (line, agreement, left) => this.#goOn(line, agreement, left),
			failed: (gone) => gone && this.#end(gone),
		});
	}

	#newLine(id, madeTheCall) {
		return new Line(this.#link, id, madeTheCall, {
			connection: (line, state) => this.#connection(line, state),
			streams: () => this.#announce('streams'),
			channel: (line, channel) => this.#channelOf(line, channel),
			agreed: () => this.#agreed(), identity: () => this.#vouched.line(),
			keys: (tones) => this.#announce('tones', { tones }),
			early: (msg) => this.#cause || this.#agree(msg),
			failed: (line) => {
				if (line === this.#line)
					this.#hangup('media', causes.badMedia);
				else
					this.#handover.fail('media');
			},
		});
	}

	/** What the page may read */
	get id() { return this.#line.id; }
	get direction() { return this.#direction; }
	get state() { return this.#shown; }
	get remote() { return this.#vouched.remote; }
	get to() { return this.#to; }
	get media() { return this.#mode; }
	get encryption() { return this.#vouched.encryption(this.#encryption); }
	get cause() { return this.#cause; }
	get offered() { return this.#offered; }
	get held() { return { local: this.#hold.local, remote: this.#hold.remote }; }
	get muted() { return { ...this.#muted }; }
	/** What is heard comes from a telephone network: nobody has answered yet. */
	get early() { return Boolean(this.#line.peer?.early) && !this.#cause; }
	get interrupted() { return this.#line.path === 'down' && !this.#cause; }
	/** What the other side says of itself; null when its phone does not. */
	get remoteMuted() { return this.#side.remote && { ...this.#side.remote.muted }; }
	get remoteScreen() { return Boolean(this.#side.remote?.screen); }
	/** Can text be sent? */
	get canText() { return this.#side.open && !this.#cause; }
	get screen() { return Boolean(this.#own?.screen) && !this.#cause; }
	/** 'lost': the site knows nothing of this call any more; the talk goes on, and nothing can be changed. */
	get signalling() { return this.#rejoin.signalling; }
	/** The domain of a site that is out of reach while the talk goes on, or null. */
	get away() { return this.#rejoin.away(this.remote.site.domain); }
	get connectedAt() { return this.#connectedAt; }
	get channel() { return this.#channel; }
	get sending() { return this.#line.sending; }
	get streams() { return this.#streams ?? { local: null, remote: null }; }

	/** Beginning and ending */
	async [START]({ audio = true, video = false, data = false, name, stream, signal, peerIdentity } = {}) {
		const until = (promise) => abortable(promise, signal);
		let sent = false;

		this.#vouched.expect(peerIdentity);
		try {
			await until(this.#open({ audio, video, stream }));
			await until(this.#link.iceReady());
			const peer = this.#openLine();
			peer.add(this.#given, true);
			this.#channels(peer, data);
			const offer = await until(peer.offer());
			if (this.#cause)
				throw new SlussError(this.#cause.reason, this.#cause.text);
			sent = true;
			const asked = this.#line.request('call', { to: this.#to, ...offer, ...(name ? { name } : {}),
				...(this.#replaces ? { replaces: this.#replaces } : {}) });
			peer.sent(offer);
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
			await this.#line.request('accept');
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
			this.#openLine();
			await this.#line.answer(this.#sdp, (peer) => peer.add(this.#given, false));
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
		this.#line.request('reject', { reason }).catch(() => {});
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
		this.#line.request('hangup', { reason }).catch(() => {});
		this.#end(cause);
	}

	/** In mid-call */
	mute(kind = 'audio') { this.#mute(kind, true); }
	unmute(kind = 'audio') { this.#mute(kind, false); }
	#mute(kind, on) {
		if (kind !== 'audio' && kind !== 'video')
			throw new TypeError('mute() takes "audio" or "video"');
		this.#muted[kind] = on;
		this.#line.peer?.mute(kind, on);
		this.#handover.line?.peer?.mute(kind, on);
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
	async setMicrophone(audio = true, { stream } = {}) { await this.#change((own) => own.setMicrophone(audio, stream)); }
	async setCamera(video = true) { await this.#change((own) => own.setCamera(video)); }

	async #change(what) {
		await this.#ready();
		try {
			await what(this.#own);
		} catch (e) {
			throw wordy(e);
		}
	}

	/** Text to the other side, at most 4000 characters. */
	sendText(text) {
		if (this.#cause)
			throw new SlussError('ended');
		this.#side.text(text);
	}

	hold() { return this.#hold.set(true); }
	resume() { return this.#hold.set(false); }

	/** Can the other side be asked to go on with somebody else? */
	get canTransfer() { return this.#side.can && !this.#cause; }
	/** Asks the other side to call somebody else. Resolves when they talk; this call is over then. */
	async transfer(to) {
		await this.#ready();
		return this.#refer.ask(to);
	}

	addEventListener(type, ...rest) {
		super.addEventListener(type, ...rest);
		if (type === 'transfer')
			this.#side.refers = true;
	}

	/** Sends keys as RFC 4733 events in the sound, after what is still being sent. A comma waits two seconds. */
	sendDtmf(tones, { toneMs = 100, gapMs = 70 } = {}) {
		if (!this.early) // an announcement may ask for keys
			this.#needEstablished();
		return this.#line.tones(tones, toneMs, gapMs, this.#mode === 'anchor');
	}

	async stats() {
		if (!this.#line.peer || this.#cause)
			throw new SlussError(this.#cause ? 'ended' : 'bad-state');
		return this.#line.peer.stats();
	}

	/** From the site, by phone.js */
	/** Servers for a path that has to be found anew. */
	[ICE](servers) {
		for (const line of [this.#line, this.#handover.line]) {
			if (line?.peer)
				line.peer.iceServers = servers;
		}
	}

	[EVENT](msg) {
		if (msg.call !== this.#line.id) {
			this.#handover.event(msg);
			return;
		}
		if (this.#rejoin.event(msg))
			return;
		switch (msg.type) {
		case 'progress':
			if (msg.state === 'ringing' || msg.state === 'accepted')
				this.#move(msg.state);
			break;
		case 'answered':
			this.#vouched.remote = msg.remote;
			this.#agree(msg);
			this.#line.negotiator.run(() => this.#line.peer.apply(msg.sdp)).then(
				() => this.#move('established'),
				() => this.#hangup('media', causes.badMedia));
			break;
		case 'established':
			this.#agree(msg);
			this.#move('established');
			// A camera that the offer had no place for.
			this.#sayAll();
			break;
		case 'ended':
			if (!this.#handover.left(msg.cause))
				this.#vouched.first(() => this.#end(msg.cause), msg.cause.reason);
			break;
		default:
			this.#line.event(msg);
		}
	}

	/** Something of ours that the agreed description does not carry goes into an offer. */
	#sayAll() {
		const { negotiator, peer } = this.#line;
		negotiator?.run(() => {
			if (peer.unsaid)
				negotiator.change().catch(() => {});
		}).catch(() => {});
	}

	/** The connection to the site is gone, and the call with it. */
	[END](cause) { this.#end(cause); }

	get [REJOIN]() { return this.#rejoin; }
	get [VOUCHED]() { return this.#vouched; }

	/** This machine's network has changed. `silent`: the old path is dead; a new connection is sooner there, if the
	 *  other side is a phone like this (another one might ring). `perhaps`: so it seems, if nobody holds. */
	[NETWORK](silent, perhaps) {
		if (this.#phase !== 'established' || this.#rejoin.signalling !== 'ok'
		    || (perhaps && (!this.#side.remote || this.#hold.local || this.#hold.remote)))
			return;
		this.#mender.networkChanged();
		if (silent && this.#side.remote && !this.#handover.line && !this.#line.comesBack)
			this.#handover.leap(this.#newLine(this.#link.newName(this), true), this.#line.id, this.remote.address);
	}

	/** The other side goes on from another device: its new line comes up beside this one. */
	[MOVE](msg) {
		if (this.#phase !== 'established' || this.#handover.line || this.#line.comesBack)
			return false;
		if (this.#line.isSame(msg.sdp))
			this.#rejoin.takeBack(msg);
		else
			this.#handover.begin(this.#newLine(msg.call, false), msg);
		return true;
	}

	/** Inside: what we send and how, to another peer connection. */
	#give(peer) {
		peer.add(this.#line.peer.local.getTracks(), false);
		for (const kind of ['audio', 'video'])
			peer.mute(kind, this.#muted[kind]);
		peer.hold(this.#hold.local);
	}

	/** The new line is up. What was being agreed on in the old one is agreed on in the new one. */
	#goOn(line, agreement, left) {
		const old = this.#line;
		this.#line = line;
		line.path = 'up';
		this.#vouched.over(line.identity);
		line.peer.adopt(old.peer);
		if (!left)
			old.request('hangup', { reason: 'moved' }).catch(() => {});
		this.#mender.stop();
		old.negotiator.handOver(line.negotiator);
		old.close();
		this.#sayAll();
		this.#hold.agreed();
		this.#agree(agreement);
		this.#announce('streams');
		this.#announce('moved');
	}

	#needEstablished() {
		if (this.#phase !== 'established')
			throw new SlussError(this.#cause ? 'ended' : 'bad-state');
	}

	/** Changes wait until it is clear which line they belong to. */
	async #ready() {
		this.#needEstablished();
		await this.#handover.settled;
		this.#needEstablished();
	}

	#agree({ media, encryption, rejoin }) {
		this.#mode = media;
		this.#encryption = encryption;
		this.#line.kept = rejoin ?? null;
		this.#changed(true);
	}

	async #open(want) {
		this.#given = await this.#tracks.open(want);
		if (this.#cause) {
			this.#drop();
			throw new SlussError('ended');
		}
	}

	#drop() {
		this.#tracks.drop();
		this.#given = [];
	}

	#openLine() {
		const line = this.#line;
		line.open();
		this.#streams = Object.freeze({ local: line.peer.local, remote: line.peer.remote });
		this.#own = new OwnMedia(this.#ownLink());
		this.#own.began(this.#given);
		for (const kind of ['audio', 'video'])
			line.peer.mute(kind, this.#muted[kind]);
		return line.peer;
	}

	#channelOf(line, channel) {
		if (Side.is(channel))
			this.#side.take(channel);
		else if (line !== this.#line || (this.#wantData && !this.#channel))
			this.#setChannel(channel);
		else
			channel.close();
	}

	#agreed() {
		this.#hold.agreed();
		this.#changed(true);
	}

	/** What own-media.js may do with the call. */
	#ownLink() {
		const call = this;

		return {
			get peer() { return call.#line.peer; },
			get over() { return Boolean(call.#cause); },
			change: () => this.#line.negotiator.change(),
			run: (what) => this.#line.negotiator.run(what),
			opened: (track) => this.#tracks.opened(track),
			closed: (track) => this.#tracks.closed(track),
			changed: () => this.#changed(true),
			streams: () => this.#announce('streams'),
		};
	}

	#channels(peer, data) {
		this.#side.take(peer.channel(LABEL, { protocol: PROTOCOL }));
		if (data)
			this.#setChannel(peer.channel('data'));
	}

	#setChannel(channel) {
		this.#channel = channel;
		this.#announce('channel', { channel });
	}

	#connection(line, state) {
		if (line !== this.#line)
			this.#handover.connection(state);
		if (line !== this.#line || this.#cause)
			return;
		const { path } = line;

		if (state === 'connected') {
			line.path = 'up';
			this.#mender.path('up');
			this.#changed(true);
		} else if (state === 'failed' && (path === 'none' || this.#rejoin.signalling === 'lost')) {
			this.#vouched.first(() => this.#hangup('media', path === 'none' ? causes.noPath : causes.lost));
		} else if ((state === 'disconnected' || state === 'failed') && path !== 'none') {
			line.path = 'down';
			if (!this.#handover.gone)
				this.#mender.path(state === 'failed' ? 'failed' : 'down');
			this.#changed(true);
		}
	}

	/** Looks for a new path: an offer with new ICE credentials. */
	#restart() {
		if (this.#phase !== 'established' || this.#rejoin.signalling === 'lost' || this.#handover.gone)
			return;
		this.#line.peer.restart();
		this.#line.negotiator.change().catch(() => {});
	}

	#move(event) {
		const before = this.#phase;

		this.#phase = step(before, event);
		if (this.#phase === before)
			return;
		if (this.#phase === 'established' && this.#line.path === 'none')
			this.#mender.begin(() => this.#line.path === 'none', () => this.#hangup('media', causes.noPath));
		this.#changed();
	}

	/** Tells the page when what it sees has changed; `also` when something else than state has. */
	#changed(also = false) {
		const now = shown(this.#phase, this.#line.path, this.#hold);

		this.#side.say({ muted: { ...this.#muted }, screen: this.screen });
		if (now === this.#shown && !also)
			return;
		this.#shown = now;
		if (now === 'connected' || now === 'held')
			this.#connectedAt ??= Date.now();
		this.#announce('state');
	}

	#end(cause) {
		if (this.#cause)
			return;
		this.#cause = Object.freeze({ code: cause.code, reason: cause.reason, text: cause.text });
		this.#mender.stop();
		this.#refer.end();
		this.#rejoin.stop();
		this.#handover.fail('hangup');
		this.#line.close();
		this.#drop();
		this.#sdp = null;
		this.#link.forget(this);
		this.#move('ended');
		this.#announce('streams');
	}

	#announce(type, fields = {}) {
		this.dispatchEvent(Object.assign(new Event(type), fields));
	}
}
