// incoming.js - cards for calls that come in: who, from which site, and what to do about it.
//
// Who uses it: phone.js. Focus goes to "Accept"; but to the card while somebody is typing, so that nobody accepts a
// call by the space bar. In a call one holds it and accepts, or ends it and accepts.

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

	/** @param hooks  {busy(): is there a call already, canHold(): one that can be put on hold, silent(), context(),
	 *                hold(call, options): accepts and holds that one, take(call, held: or is that one to end),
	 *                notHere(call), changed(), over(call), change(remote): what is not as it was with a contact} */
	constructor(devices, hooks) {
		this.#hooks = hooks;
		this.#devices = devices;
		document.addEventListener('keydown', (ev) => this.#trap(ev));
		const dialogs = new MutationObserver(place);

		for (const dialog of document.querySelectorAll('dialog'))
			dialogs.observe(dialog, { attributeFilter: ['open'] });
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
		button('end').addEventListener('click', () => this.#accept(call, {}, true));
		button('listen').addEventListener('click', () => this.#accept(call, { audio: false }));
		button('decline').addEventListener('click', () => call.reject('decline'));
		button('busy').addEventListener('click', () => this.#hooks.notHere(call));
		button('check').addEventListener('click', () => this.#check(call, el));
		button('video').hidden = !call.offered.video;
		call.addEventListener('state', () => this.#state(call));
		el.addEventListener('keydown', (ev) => typedOn(ev, el));
		// Whoever is about to answer another one stays there.
		const to = $('incoming').contains(document.activeElement) ? null : typing() ? el : button('accept');

		this.#cards.set(call, el);
		place();
		$('incoming').append(el);
		this.refresh();
		this.#hooks.changed();
		focus(to);
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
			const canHold = this.#hooks.canHold();

			el.querySelector('.accept-text').textContent = words(canHold ? 'incoming.hold-accept'
				: this.#hooks.busy() ? 'incoming.end-accept' : 'incoming.accept');
			el.querySelector('[data-do=end]').hidden = !canHold;
			el.querySelector('[data-do=check]').hidden ||= canHold;
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

	/** @param end  ends the call that is on, which is held otherwise */
	async #accept(call, options, end = false) {
		const el = this.#cards.get(call);
		const hold = !end && this.#hooks.canHold();
		const media = this.#devices.media(options);

		if (el.dataset.asking)
			return;
		el.dataset.asking = hold ? 'hold' : 'end';
		say(el.querySelector('.error'), null);
		say(el.querySelector('.hint'), null);
		el.querySelector('[data-do=listen]').hidden = true;
		const allow = setTimeout(() => say(el.querySelector('.hint'),
			words(options.video ? 'state.allow.video' : 'state.allow')), ALLOW_MS);

		try {
			await (hold ? this.#hooks.hold(call, media) : call.accept(media));
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
			this.#hooks.take(call, el.dataset.asking === 'hold');
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

/** Is somebody writing? An empty field that only has the focus does not count. */
function typing() {
	const { activeElement: el } = document;

	return Boolean(el?.matches('input, textarea') && el.value);
}

/** Letters that come while "Accept" has the focus were meant for something else: the next space is, too. */
function typedOn(ev, card) {
	if (ev.key.length === 1 && ev.key !== ' ' && !ev.ctrlKey && !ev.metaKey && !ev.altKey)
		focus(card);
}

/** What lies outside of a dialog that is open cannot be used: the cards go into it, and out again. */
function place(changes = []) {
	const opened = changes.map(({ target }) => target).findLast((dialog) => dialog.matches(':modal'));
	const to = opened ?? [...document.querySelectorAll('dialog:modal')].at(-1) ?? document.body;
	const on = $('incoming').contains(document.activeElement) ? document.activeElement : null;

	if ($('incoming').parentElement !== to) {
		to.append($('incoming'));
		focus(on);
	}
}
