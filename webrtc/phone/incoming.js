// incoming.js - cards for calls that come in: who, from which site, and what to do about it.
//
// Who uses it: phone.js. Focus goes to the card and not to a button, so that nobody who happens to
// be typing accepts a call by the space bar.

import { $, announce, bdi, fillTexts, focus, icon, say } from './dom.js';
import { avatar } from './lists.js';
import { Meter } from './meter.js';
import { stop, tryMicrophone } from './settings.js';
import { errorWords, identityWords, shown, siteWords, whoIs, words } from './words.js';

/** The browser's question for the microphone is up when nothing has come back after so long. */
export const ALLOW_MS = 900;

export class Incoming {
	#cards = new Map();
	#hooks;
	#devices;

	/** @param hooks  {busy(): is there a call already, silent(), context(), take(call), notHere(call), changed(), over(call),
	 *                change(remote): what is not as it was with a contact} */
	constructor(devices, hooks) {
		this.#hooks = hooks;
		this.#devices = devices;
		document.addEventListener('keydown', (ev) => this.#trap(ev));
	}

	get ringing() {
		return [...this.#cards.keys()];
	}

	add(call) {
		const el = $('incoming-card').content.cloneNode(true).firstElementChild;
		const { remote } = call;
		const titleId = `incoming-${call.id}`;
		const button = (what) => el.querySelector(`[data-do=${what}]`);

		fillTexts(el);
		el.setAttribute('aria-labelledby', titleId);
		el.querySelector('h2').id = titleId;
		el.querySelector('.kicker').textContent = words(remote.diverted ? 'incoming.diverted'
			: call.offered.video ? 'incoming.video' : 'incoming.title', { whose: shown(remote.diverted ?? '') });
		avatar(el.querySelector('.avatar'), remote);
		bdi(el.querySelector('.incoming-name'), whoIs(remote));
		bdi(el.querySelector('.address'), shown(remote.address));
		el.querySelector('.address').hidden = whoIs(remote) === shown(remote.address);
		this.#site(el.querySelector('.site'), remote);
		this.#identity(el, call);

		button('accept').addEventListener('click', () => this.#accept(call, {}));
		button('video').addEventListener('click', () => this.#accept(call, { video: true }));
		button('listen').addEventListener('click', () => this.#accept(call, { audio: false }));
		button('decline').addEventListener('click', () => call.reject('decline'));
		button('busy').addEventListener('click', () => this.#hooks.notHere(call));
		button('check').addEventListener('click', () => this.#check(call, el));
		button('video').hidden = !call.offered.video;
		call.addEventListener('state', () => this.#state(call));

		this.#cards.set(call, el);
		$('incoming').append(el);
		this.refresh();
		this.#hooks.changed();
		focus(el);
		announce(words('incoming.announce', { who: whoIs(remote), site: remote.site.domain }));
	}

	#site(el, remote) {
		const { verified } = remote.site;

		el.dataset.verified = String(verified);
		icon(el, verified ? 'shield' : 'alert');
		el.querySelector('span').textContent = siteWords(remote);
	}

	/** Who vouches for the person, beside the site that vouches for the call. */
	#identity(el, { remote }) {
		const what = identityWords(remote, this.#hooks.change(remote));
		const place = el.querySelector('.identity');

		place.hidden = !what;
		place.dataset.status = remote.identity?.status ?? 'none';
		place.dataset.tone = what?.tone ?? '';
		place.querySelector('span').textContent = what?.text ?? '';
		icon(place, what?.tone === 'warn' ? 'alert' : 'person');
	}

	/** By the notification of the system, or its buttons. */
	act(action, call) {
		if (action === 'accept')
			this.#accept(call, {});
		else if (action === 'decline')
			call.reject('decline');
		else
			focus(this.#cards.get(call));
	}

	/** What depends on the rest of the phone: another call, sound allowed or not. */
	refresh() {
		for (const el of this.#cards.values()) {
			el.querySelector('.accept-text').textContent = words(this.#hooks.busy()
				? 'incoming.end-accept' : 'incoming.accept');
			if (!el.dataset.asking)
				say(el.querySelector('.hint'), this.#hooks.silent() ? words('incoming.silent') : null);
		}
	}

	/** One's own microphone, seen before the call is taken; nothing of it leaves the browser. */
	async #check(call, el) {
		el.querySelector('[data-do=check]').hidden = true;
		focus(el);
		try {
			const stream = await tryMicrophone(this.#devices);
			const meter = new Meter(el.querySelector('meter'), this.#hooks.context);
			const over = () => {
				meter.watch(null);
				stop(stream);
			};

			if (!this.#cards.has(call))
				return over();
			el.querySelector('.card-meter').hidden = false;
			meter.watch(stream);
			call.addEventListener('state', over, { once: true });
		} catch (e) {
			say(el.querySelector('.error'), errorWords(e));
			el.querySelector('[data-do=listen]').hidden = !/^mic-/.test(e.code);
			el.querySelector('[data-do=check]').hidden = false;
		}
	}

	async #accept(call, options) {
		const el = this.#cards.get(call);

		if (el.dataset.asking)
			return;
		el.dataset.asking = 'yes';
		say(el.querySelector('.error'), null);
		say(el.querySelector('.hint'), null);
		el.querySelector('[data-do=listen]').hidden = true;
		const allow = setTimeout(() => say(el.querySelector('.hint'),
			words(options.video ? 'state.allow.video' : 'state.allow')), ALLOW_MS);

		try {
			await call.accept(this.#devices.media(options));
		} catch (e) {
			if (this.#cards.has(call)) {
				say(el.querySelector('.error'), errorWords(e));
				el.querySelector('[data-do=listen]').hidden = !/^mic-/.test(e.code);
			}
		} finally {
			clearTimeout(allow);
			delete el.dataset.asking;
			this.refresh();
		}
	}

	#state(call) {
		const el = this.#cards.get(call);

		if (el)
			this.#identity(el, call);
		if (!el || call.state === 'ringing')
			return;
		const focused = el.contains(document.activeElement);

		this.#cards.delete(call);
		el.remove();
		this.#hooks.changed();
		if (call.state === 'ended')
			this.#hooks.over(call, focused);
		else
			this.#hooks.take(call);
	}

	/** Tab stays inside the newest card while there is one; the rest of the page can wait. */
	#trap(ev) {
		const el = [...this.#cards.values()].at(-1);

		if (ev.key !== 'Tab' || !el?.contains(document.activeElement))
			return;
		const stops = [...el.querySelectorAll('button')].filter((b) => !b.hidden);
		const at = stops.indexOf(document.activeElement);

		if (ev.shiftKey ? at <= 0 : at === stops.length - 1) {
			stops.at(ev.shiftKey ? -1 : 0).focus();
			ev.preventDefault();
		}
	}
}
