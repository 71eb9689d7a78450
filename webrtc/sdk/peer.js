// peer.js - one RTCPeerConnection: its tracks and its descriptions, which go out before their candidates.
//
// Who uses it: call.js makes one (for an incoming call only after the site has said `ok` to
// `accept`), negotiator.js asks it for descriptions. It knows no signalling. What it
// calls: trickle.js for the candidates of both sides.

import { SlussError } from './errors.js';
import { withIdentity } from './identity/assertion.js';
import { body, fingerprints, legible, origin } from './sdp.js';
import { summary } from './stats.js';
import { Trickle } from './trickle.js';

export class Peer {
	#pc;
	#handlers;
	#trickle;
	#origin = '';
	#held = false;
	/** what was heard before anybody has answered; null: nothing of the kind, or it has been answered */
	#early = null;
	#muted = { audio: false, video: false };
	/** transceiver -> its direction before the hold */
	#before = new Map();
	#senders = { audio: null, video: null };
	remote = new MediaStream();
	local = new MediaStream();

	/** @param ice       {iceServers, iceTransportPolicy?}
	 *  @param handlers  {connection(state), streams(), channel(RTCDataChannel), candidates(message), identity: a
	 *                   LineIdentity, or null} */
	constructor(ice, handlers) {
		this.#handlers = handlers;
		// 'balanced': with 'max-bundle' Chromium refuses the answer of a peer that does not bundle.
		this.#pc = new RTCPeerConnection({
			...ice, ...handlers.identity?.keys, bundlePolicy: 'balanced', rtcpMuxPolicy: 'require',
		});
		this.#trickle = new Trickle(this.#pc, handlers.candidates);
		this.#pc.addEventListener('connectionstatechange',
			() => handlers.connection(this.#pc.connectionState));
		this.#pc.addEventListener('datachannel', (ev) => handlers.channel(ev.channel));
		this.#pc.addEventListener('track', ({ track }) => {
			for (const type of ['mute', 'unmute', 'ended'])
				track.addEventListener(type, () => handlers.streams());
		});
	}

	get closed() {
		return this.#pc.signalingState === 'closed';
	}

	/** Servers for what is gathered from now on: an ICE restart. The path in use stays. */
	set iceServers(iceServers) {
		if (!this.closed)
			this.#pc.setConfiguration({ ...this.#pc.getConfiguration(), iceServers });
	}

	/** Descriptions */

	/** -> {sdp, trickle?}: as the site wants it; then tell sent(). `found`: with the first candidates in it. */
	async offer({ found = false } = {}) {
		const first = found && this.#trickle.first();

		await this.#pc.setLocalDescription(await this.#pc.createOffer());
		await first;
		return this.#ours();
	}

	/** The answer to a description given to take(). */
	async answer({ found = false } = {}) {
		const first = found && this.#trickle.first();

		await this.#pc.setLocalDescription(await this.#pc.createAnswer());
		this.#settle();
		await first;
		return this.#ours();
	}

	/** Takes the other side's offer. */
	async take(sdp) {
		await this.#given({ type: 'offer', sdp });
		this.#trickle.described();
		if (this.#held)
			this.#holdAll();
	}

	/** Takes the other side's answer. */
	async apply(sdp) {
		await this.#answered(sdp);
		this.#early = null;
		this.#apply();
	}

	/** Takes what a telephone line lets hear before anybody answers. Nobody has taken the call: silence goes out.
	 *  Firefox has no provisional answers, so it is one like any other. */
	async preview(sdp) {
		const before = this.#early;

		this.#early ??= '';
		this.#apply();
		await this.#answered(sdp, before);
		this.#early = body(sdp);
	}

	/** Is there sound, and no answer? */
	get early() {
		return Boolean(this.#early);
	}

	/** Where one has been taken already, an offer that nobody sees lets the next in, if that is another. */
	async #answered(sdp, before = this.#early) {
		if (before && before === body(sdp))
			return;
		if (before !== null && this.#pc.signalingState === 'stable')
			await this.#pc.setLocalDescription(await this.#pc.createOffer());
		await this.#given({ type: 'answer', sdp });
		this.#trickle.described();
		this.#settle();
	}

	/** Is it a description of the other end that this connection has? Its fingerprints say so, and its session id:
	 *  a connection that takes this one's place may have the same key. */
	isSame(sdp) {
		const theirs = fingerprints(this.#pc.remoteDescription?.sdp);

		return theirs.length > 0 && String(fingerprints(sdp)) === String(theirs) && origin(sdp) === this.#origin;
	}

	/** Takes back a description that has no answer yet, whosever it is. */
	async rollback() {
		if (this.#pc.signalingState === 'have-local-offer')
			await this.#pc.setLocalDescription({ type: 'rollback' });
		else if (this.#pc.signalingState === 'have-remote-offer')
			await this.#pc.setRemoteDescription({ type: 'rollback' });
	}

	/** Is there something of ours that the agreed description does not carry? */
	get unsaid() {
		return this.#pc.getTransceivers().some((t) => t.mid === null && t.direction !== 'stopped');
	}

	/** The copy that is sent carries who vouches for us; the browser's own stays as it made it. */
	async #ours() {
		const { sdp } = this.#pc.localDescription;
		const value = this.#handlers.identity && await this.#handlers.identity.own(sdp);
		const description = this.#trickle.describe(this.closed ? sdp : this.#pc.localDescription.sdp);

		return value ? { ...description, sdp: withIdentity(description.sdp, value) } : description;
	}

	/** What is judged is what came; what the browser gets is what it can read. */
	#given({ type, sdp }) {
		this.#origin = origin(sdp);
		const set = () => this.#pc.setRemoteDescription({ type, sdp: legible(sdp) });

		return this.#handlers.identity ? this.#handlers.identity.given(sdp, this.#pc, set) : set();
	}

	/** A description given out by offer() or answer() is on its way: its candidates may follow. */
	sent(description) {
		this.#trickle.sent(description);
	}

	/** The other side's candidates, whenever they come. */
	candidates(message) {
		this.#trickle.take(message);
	}

	/** Takes the place of another peer connection: the streams that the page has in hand stay the same. */
	adopt(old) {
		for (const [mine, theirs] of [[this.remote, old.remote], [this.local, old.local]]) {
			theirs.getTracks().forEach((track) => theirs.removeTrack(track));
			mine.getTracks().forEach((track) => theirs.addTrack(track));
		}
		this.remote = old.remote;
		this.local = old.local;
	}

	/** Tracks */

	add(tracks, wantAudio) {
		for (const track of tracks)
			this.#addOne(track);
		if (wantAudio && !tracks.some((t) => t.kind === 'audio'))
			this.#pc.addTransceiver('audio', { direction: 'recvonly' });
		this.#apply();
	}

	#addOne(track) {
		this.#senders[track.kind] ??= this.#pc.addTrack(track, this.local);
		this.local.addTrack(track);
	}

	/** Adds or renews the outgoing track of a kind; the next offer carries it. */
	async send(track) {
		const sender = this.#senders[track.kind];

		if (sender) {
			await sender.replaceTrack(track);
			this.#setDirection(sender, (d) => (d === 'recvonly' ? 'sendrecv'
				: d === 'inactive' ? 'sendonly' : d));
			this.local.addTrack(track);
		} else {
			this.#addOne(track);
			if (this.#held)
				this.#holdAll();
		}
		this.#apply();
	}

	/** Puts a track in the place of one of its kind: nothing to negotiate. Gives the old one. */
	async swap(track) {
		const sender = this.#senders[track.kind];
		const before = sender.track;

		await sender.replaceTrack(track);
		this.local.removeTrack(before);
		this.local.addTrack(track);
		this.#apply();
		return before;
	}

	/** Stops sending a kind; the next offer says so. Gives the track that was sent. */
	async unsend(kind) {
		const sender = this.#senders[kind];
		const track = sender?.track ?? null;

		if (!track)
			return null;
		this.local.removeTrack(track);
		this.#setDirection(sender, (d) => (d === 'sendrecv' ? 'recvonly'
			: d === 'sendonly' ? 'inactive' : d));
		await sender.replaceTrack(null);
		return track;
	}

	#setDirection(sender, change) {
		const t = this.#pc.getTransceivers().find((one) => one.sender === sender);

		if (!t)
			return;
		if (this.#before.has(t))
			this.#before.set(t, change(this.#before.get(t)));
		t.direction = change(t.direction);
		if (this.#held)
			this.#holdOne(t);
	}

	/** Is a track of this kind meant to go out? */
	sends(kind) {
		return Boolean(this.#senders[kind]?.track);
	}

	/** The track of a kind that goes out, or null. */
	track(kind) {
		return this.#senders[kind]?.track ?? null;
	}

	mute(kind, on) {
		this.#muted[kind] = on;
		this.#apply();
	}

	get muted() {
		return { ...this.#muted };
	}

	#apply() {
		for (const track of this.local.getTracks())
			track.enabled = !this.#held && !this.#muted[track.kind] && this.#early === null;
	}

	/** Hold: RFC 3264 §8.4 by directions. The next offer says it. */

	hold(on) {
		if (on === this.#held)
			return;
		this.#held = on;
		if (on)
			this.#holdAll();
		else
			this.#unhold();
		this.#apply();
	}

	#holdAll() {
		this.#pc.getTransceivers().forEach((t) => this.#holdOne(t));
	}

	#holdOne(t) {
		if (t.direction === 'stopped')
			return;
		if (!this.#before.has(t))
			this.#before.set(t, t.direction);
		t.direction = t.direction.startsWith('send') ? 'sendonly' : 'inactive';
	}

	#unhold() {
		for (const [t, direction] of this.#before) {
			if (t.direction !== 'stopped')
				t.direction = direction;
		}
		this.#before.clear();
	}

	/** Does the other side take none of the sound that we are ready to send? */
	get heldByRemote() {
		return this.#pc.getTransceivers().some((t) => t.receiver.track.kind === 'audio'
			&& t.mid !== null && t.direction.startsWith('send')
			&& t.currentDirection !== null && !t.currentDirection.startsWith('send'));
	}

	/** After an exchange: the remote stream has the tracks that the other side may send now. */
	#settle() {
		const now = new Set(this.#pc.getTransceivers()
			.filter((t) => /recv/.test(t.currentDirection ?? ''))
			.map((t) => t.receiver.track));

		for (const track of this.remote.getTracks()) {
			if (!now.has(track))
				this.remote.removeTrack(track);
		}
		now.forEach((track) => this.remote.addTrack(track));
		this.#handlers.streams();
	}

	/** The next offer looks for a new path (RFC 8445 §9). */
	restart() {
		this.#pc.restartIce();
	}

	/** The rest */

	channel(label, options) {
		return this.#pc.createDataChannel(label, options);
	}

	/** Is its end of the path another one than before? That of a site which relays for the other side, and was told anew. */
	isElsewhere(sdp) {
		const ufrag = (text) => /^a=ice-ufrag:(\S+)/m.exec(text ?? '')?.[1];
		const before = ufrag(this.#pc.remoteDescription?.sdp);

		return before !== undefined && before !== ufrag(sdp);
	}

	get takesTones() { return Boolean(this.#senders.audio?.dtmf?.canInsertDTMF); }

	/** Keys as RFC 4733 events, after those that are still to be sent. Throws SlussError. */
	tones(tones, toneMs, gapMs) {
		const dtmf = this.#senders.audio?.dtmf;

		if (!this.takesTones)
			throw new SlussError('no-tones');
		dtmf.insertDTMF((dtmf.toneBuffer ?? '') + tones, toneMs, gapMs);
	}

	/** Packets of sound received so far. */
	async received() {
		const receiver = this.#pc.getReceivers().find(({ track }) => track.kind === 'audio');
		let packets = 0;

		for (const s of (await receiver?.getStats())?.values() ?? []) {
			if (s.type === 'inbound-rtp' && !s.isRemote)
				packets += s.packetsReceived;
		}
		return packets;
	}

	async stats() {
		return summary(await this.#pc.getStats());
	}

	close() {
		this.#trickle.close();
		this.#pc.close();
	}
}
