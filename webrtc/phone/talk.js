// talk.js - the view of a call: who, what state, how it is protected, and the buttons.
//
// Who uses it: phone.js. It shows one call from the first "Calling…" until its end has been read.

import { Chat } from './chat.js';
import { $, announce, bdi, focus, icon, pressed, say } from './dom.js';
import { Health } from './health.js';
import { ALLOW_MS } from './incoming.js';
import { Keypad } from './keypad.js';
import { avatar } from './lists.js';
import { Meter } from './meter.js';
import { Person } from './person.js';
import { duration, endWords, errorWords, identityWords, securityWords, shown, stateWords, whoIs, words } from './words.js';

export class Talk {
	#hooks;
	#devices;
	#chat = new Chat();
	#keypad = new Keypad();
	#health = new Health();
	#person = new Person();
	#meters;
	#call = null;
	/** while phone.call() has not resolved: {remote, abort, video} */
	#pending = null;
	#said = null;
	#clock = null;
	#allow = null;
	#busy = new Set();
	/** calls that have been in view: one may come back */
	#known = new WeakSet();

	/** @param hooks  {began(call): it is in view for the first time, up(call): it can be talked in, or null, done(), again(address), ended(call), changed(), context(), change(remote): what is not as it was
	 *                with a contact, keep(remote): it is as it should be} */
	constructor(devices, hooks) {
		this.#hooks = hooks;
		this.#devices = devices;
		this.#meters = ['own', 'far'].map((end) => new Meter($(`meter-${end}`), hooks.context));
		devices.addEventListener('chosen', () => devices.route($('far-audio')));
		$('mute').addEventListener('click', () => this.#mute());
		$('camera').addEventListener('click', () => this.#once('camera', (call) =>
			(call.sending.video && !call.screen ? call.removeVideo()
				: call.addVideo({ video: devices.constraints('videoinput') }))));
		$('screen').addEventListener('click', () => this.#once('screen', (call) =>
			(call.screen ? call.stopScreen() : call.shareScreen())));
		$('hold').addEventListener('click', () => this.#once('hold', (call) =>
			(call.held.local ? call.resume() : call.hold())));
		$('hangup').addEventListener('click', () => this.#hangup());
		$('done').addEventListener('click', () => hooks.done());
		$('again').addEventListener('click', () => hooks.again(this.#call.remote.address));
		$('call-sound').addEventListener('click', () => this.#play());
		$('identity-keep').addEventListener('click', () => {
			hooks.keep(this.#call.remote);
			this.#render();
		});
	}

	/** The call that is being made or talked through now. */
	get active() {
		return Boolean(this.#pending) || Boolean(this.#call && !this.#call.cause);
	}

	get call() {
		return this.#call;
	}

	/** Dialled; the site has not taken it yet. */
	prepare(address, { video }, abort) {
		this.#reset();
		this.#pending = { remote: { address, name: '', site: { domain: '', verified: false } }, abort };
		this.#allow = setTimeout(() => say($('call-hint'),
			words(video ? 'state.allow.video' : 'state.allow')), ALLOW_MS);
		this.#render();
	}

	/** It is a call now. */
	attach(call) {
		const fresh = !this.#pending;

		if (fresh)
			this.#reset();
		clearTimeout(this.#allow);
		say($('call-hint'), null);
		this.#pending = null;
		this.#call = call;
		if (!this.#known.has(call))
			this.#listen(call);
		this.#chat.watch(call);
		this.#keypad.watch(call);
		this.#clock = setInterval(() => this.#tick(), 500);
		this.#streams(call);
		this.#state(call);
	}

	#listen(call) {
		this.#known.add(call);
		this.#hooks.began(call);
		call.addEventListener('state', () => this.#state(call));
		call.addEventListener('streams', () => this.#streams(call));
		call.addEventListener('trackended', ({ track }) => {
			if (call === this.#call)
				this.#unplugged(call, track);
		});
	}

	/** Leaves the call's place empty. */
	clear() {
		this.#reset();
	}

	/** In another language, or by another name. */
	refresh() {
		if (this.#call || this.#pending)
			this.#render();
	}

	focus() {
		focus($('call-who'));
	}

	hangup() {
		this.#hangup();
	}

	/** Something about the call in view has failed. */
	failed(call, e) {
		if (call === this.#call && !call.cause)
			say($('call-error'), errorWords(e));
	}

	#reset() {
		clearInterval(this.#clock);
		clearTimeout(this.#allow);
		this.#call = null;
		this.#pending = null;
		this.#said = null;
		this.#busy.clear();
		this.#chat.watch(null);
		this.#keypad.watch(null);
		this.#health.watch(null);
		this.#hooks.up(null);
		$('levels').hidden = true;
		for (const id of ['call-hint', 'call-error', 'call-cause'])
			say($(id), null);
		$('call-sound').hidden = true;
		$('call-timer').hidden = true;
		this.#streams(null);
	}

	#hangup() {
		if (this.#pending)
			this.#pending.abort.abort();
		else
			this.#call?.hangup();
	}

	#mute() {
		const call = this.#call;

		if (call?.muted.audio)
			call.unmute('audio');
		else
			call?.mute('audio');
	}

	/** The call goes on with another microphone where there is one; without a picture if it was the camera. */
	async #unplugged(call, track) {
		try {
			if (track.kind === 'video') {
				await call.removeVideo();
				say($('call-error'), words('call.camlost'));
				return;
			}
			await call.setMicrophone(true);
			const [now] = call.streams.local.getAudioTracks();

			say($('call-error'), words('call.micfell', { name: now?.label || words('call.another') }));
		} catch {
			if (call === this.#call && !call.cause)
				say($('call-error'), words(track.kind === 'video' ? 'call.camlost' : 'call.miclost'));
		}
	}

	/** A button whose work takes a moment: one press at a time, and a word when it fails. */
	async #once(id, work) {
		const call = this.#call;

		if (!call || this.#busy.has(id))
			return;
		this.#busy.add(id);
		$(id).setAttribute('aria-busy', 'true');
		say($('call-error'), null);
		try {
			await work(call);
		} catch (e) {
			this.failed(call, e);
		} finally {
			this.#busy.delete(id);
			$(id).removeAttribute('aria-busy');
		}
	}

	#state(call) {
		if (call !== this.#call)
			return;
		if (call.cause)
			clearInterval(this.#clock);
		this.#render();
		this.#hooks.changed();
		if (call.cause)
			this.#hooks.ended(call);
	}

	#render() {
		const call = this.#call;
		const { remote } = call ?? this.#pending;
		const state = call?.state ?? 'calling';
		const ended = state === 'ended';
		const up = state === 'connected' || state === 'held';
		const line = call ? (ended ? endWords(call).title : stateWords(call))
			: words('state.dialling');

		bdi($('call-who'), whoIs(remote));
		bdi($('call-address'), shown(remote.address));
		$('call-address').hidden = whoIs(remote) === shown(remote.address);
		avatar($('call-avatar'), remote);
		this.#person.render(call, up);
		$('view-call').dataset.state = state;
		$('call-state').textContent = line;
		$('call-state').dataset.state = state;
		if (line !== this.#said) {
			this.#said = line;
			announce(ended ? `${line}. ${endWords(call).text}` : line);
		}

		this.#cause(call);
		this.#security(call);
		$('controls').hidden = ended;
		$('after').hidden = !ended;
		for (const id of ['mute', 'camera', 'hold', 'screen', 'call-devices'])
			$(id).hidden = !up && !(id === 'mute' && call);
		if (!navigator.mediaDevices?.getDisplayMedia)
			$('screen').hidden = true;
		this.#chat.refresh();
		this.#keypad.refresh(state === 'connected' || Boolean(call?.early));
		if (!up)
			$('chat-open').hidden = true;
		this.#health.watch(up ? call : null);
		this.#hooks.up(up ? call : null);
		$('levels').hidden = !up;
		$('hangup-text').textContent = words(up || state === 'connecting' ? 'call.hangup'
			: 'call.cancel');
		if (call && !ended)
			this.#buttons(call);
		else
			$('call-far-muted').hidden = true;
		this.#tick();
	}

	#buttons(call) {
		pressed($('mute'), call.muted.audio);
		icon($('mute'), call.muted.audio ? 'mic-off' : 'mic');
		const camera = call.sending.video && !call.screen;

		pressed($('camera'), camera);
		icon($('camera'), camera ? 'camera' : 'camera-off');
		pressed($('screen'), call.screen);
		this.#far(call);
		pressed($('hold'), call.held.local);
		icon($('hold'), call.held.local ? 'play' : 'pause');
		say($('call-hint'), call.state === 'connected'
			? call.muted.audio ? words('state.muted')
				: call.sending.audio ? null : words('state.nomic')
			: null);
	}

	/** What the other side's phone says of itself. */
	#far(call) {
		const who = whoIs(call.remote);
		const muted = Boolean(call.remoteMuted?.audio);
		const chip = $('call-far-muted');
		const text = muted ? words('call.far.muted', { who }) : call.remoteScreen
			? words('call.far.screen', { who }) : '';

		icon(chip, muted ? 'mic-off' : 'screen');
		if (text && chip.querySelector('span').textContent !== text)
			announce(text);
		chip.querySelector('span').textContent = text;
		chip.hidden = !text;
	}

	#cause(call) {
		const el = $('call-cause');

		if (!call?.cause)
			return say(el, null);
		say(el, endWords(call).text || call.cause.text);
		el.dataset.reason = call.cause.reason;
		el.dataset.code = call.cause.code;
	}

	#security(call) {
		const what = call && !call.cause ? securityWords(call) : null;

		$('security').hidden = !what;
		if (!what)
			return;
		$('security').dataset.tone = what.tone;
		$('call-encryption-title').textContent = what.title;
		$('call-encryption').textContent = what.text;
		$('call-encryption').dataset.value = call.encryption;
		$('call-media').textContent = what.media;
		$('call-media').dataset.value = call.media;
		this.#identity(call);
	}

	/** Of a call that goes out nothing is known before it is answered. */
	#identity({ remote, direction, connectedAt }) {
		const change = direction === 'in' || connectedAt ? this.#hooks.change(remote) : null;
		const what = identityWords(remote, change);

		say($('call-identity'), what?.text);
		$('call-identity').dataset.status = remote.identity?.status ?? 'none';
		$('call-identity').dataset.tone = what?.tone ?? '';
		$('identity-keep').hidden = change !== 'person' && change !== 'site';
	}

	#tick() {
		const since = this.#call?.connectedAt;
		const timer = $('call-timer');

		timer.hidden = !since;
		if (since && !(this.#call.cause && timer.textContent))
			timer.textContent = duration((Date.now() - since) / 1000);
	}

	/** Sound and picture. The sound has an element of its own: it must not stop with the picture. */
	#streams(call) {
		if (call !== this.#call)
			return;
		const { local, remote } = call && !call.cause ? call.streams : { local: null, remote: null };
		const seen = remote?.getVideoTracks().some((t) => !t.muted && t.readyState === 'live');
		const shown = Boolean(local?.getVideoTracks().length);

		this.#meters[0].watch(local);
		this.#meters[1].watch(remote);
		attach($('far-audio'), remote);
		attach($('far-video'), seen ? remote : null);
		attach($('self-video'), shown ? local : null);
		$('far-video').hidden = !seen;
		$('self-video').hidden = !shown;
		$('far-video').setAttribute('aria-label', call ? words('call.far', { who: whoIs(call.remote) })
			: '');
		$('view-call').classList.toggle('with-video', Boolean(seen || shown));
		$('view-call').classList.toggle('with-far', Boolean(seen));
		$('view-call').classList.toggle('own-screen', Boolean(call?.screen));
		if (remote) {
			this.#devices.route($('far-audio'));
			this.#play();
		}
	}

	async #play() {
		try {
			await $('far-audio').play();
			$('call-sound').hidden = true;
		} catch (e) {
			// Not allowed before somebody has used the page: offer a button.
			if (e.name === 'NotAllowedError') {
				say($('call-hint'), words('call.soundblocked'));
				$('call-sound').hidden = false;
			}
		}
	}
}

function attach(element, stream) {
	if (element.srcObject !== stream)
		element.srcObject = stream;
}
