// others.js - the calls that go on beside the one in view: who is on hold, and the buttons to switch and to hang up.
//
// Who uses it: phone.js. A call is here from the moment another takes its place in the view until it is back in view
// or over.

import { $, bdi, fillTexts, focus, say } from './dom.js';
import { avatar } from './lists.js';
import { duration, stateWords, whoIs, words } from './words.js';

export class Others {
	#hooks;
	/** call -> its element, the newest last */
	#items = new Map();
	#clock = null;

	/** @param hooks  {show(call), over(call)} */
	constructor(hooks) {
		this.#hooks = hooks;
	}

	get calls() {
		return [...this.#items.keys()];
	}

	add(call) {
		const el = $('other-call').content.cloneNode(true).firstElementChild;
		const button = (what) => el.querySelector(`[data-do=${what}]`);

		button('switch').addEventListener('click', () => this.#hooks.show(call));
		button('hangup').addEventListener('click', () => call.hangup());
		call.addEventListener('state', () => this.#state(call));
		this.#items.set(call, el);
		$('others').prepend(el);
		this.#clock ??= setInterval(() => this.calls.forEach((one) => this.#tick(one)), 1000);
		this.#render(call);
	}

	/** It is in view now, or over. */
	remove(call) {
		const el = this.#items.get(call);
		const hadFocus = el?.contains(document.activeElement);

		this.#items.delete(call);
		el?.remove();
		if (hadFocus)
			focus($('call-who'));
		if (!this.#items.size) {
			clearInterval(this.#clock);
			this.#clock = null;
		}
	}

	/** What has become of one of them; null: nothing any more. */
	note(text) {
		say($('others-note'), text);
	}

	/** In another language, or by another name. */
	refresh() {
		this.calls.forEach((call) => this.#render(call));
	}

	#state(call) {
		if (!this.#items.has(call))
			return;
		if (!call.cause)
			return this.#render(call);
		this.remove(call);
		this.#hooks.over(call);
	}

	#render(call) {
		const el = this.#items.get(call);
		const who = whoIs(call.remote);

		fillTexts(el);
		avatar(el.querySelector('.avatar'), call.remote);
		bdi(el.querySelector('.person-who'), who);
		el.querySelector('[data-do=switch]').setAttribute('aria-label', words('others.switch.who', { who }));
		for (const attribute of ['aria-label', 'title'])
			el.querySelector('[data-do=hangup]').setAttribute(attribute, words('others.hangup.who', { who }));
		this.#tick(call);
	}

	#tick(call) {
		const time = call.connectedAt ? [duration((Date.now() - call.connectedAt) / 1000)] : [];

		this.#items.get(call).querySelector('.hint span').textContent = [stateWords(call), ...time].join(' · ');
	}
}
