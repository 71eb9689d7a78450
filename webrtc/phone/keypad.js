// keypad.js - the keys of a telephone, for menus that ask for them ("press 1 for …").
//
// Who uses it: talk.js. A key is sent as RFC 4733 event by the SDK. Buttons, and the keyboard while the focus is in
// the pad: 0 to 9, *, #, A to D, and a comma, which waits.

import { $, announce, say } from './dom.js';
import { errorWords, words } from './words.js';

const KEYS = '123456789*0#';
/** Of what has been sent, so much is shown. */
const SHOWN_MAX = 40;

export class Keypad {
	#call = null;

	constructor() {
		for (const key of KEYS)
			$('keypad-keys').append(this.#button(key));
		$('keypad-open').addEventListener('click', () => this.#show($('keypad').hidden));
		$('keypad-close').addEventListener('click', () => this.#close());
		$('keypad').addEventListener('keydown', (ev) => this.#typed(ev));
		this.words();
	}

	#button(key) {
		const button = document.createElement('button');

		button.type = 'button';
		button.className = 'secondary';
		button.dataset.key = key;
		button.dataset.test = `key-${key}`;
		button.textContent = key;
		button.addEventListener('click', () => this.#send(key));
		return button;
	}

	/** In the language that is chosen now: the two keys that a screen reader would spell as signs. */
	words() {
		for (const [key, name] of [['*', 'star'], ['#', 'hash']])
			$('keypad-keys').querySelector(`[data-key="${key}"]`).setAttribute('aria-label', words(`keypad.${name}`));
	}

	/** The call whose keys these are; null: none. */
	watch(call) {
		if (call === this.#call)
			return;
		this.#call = call;
		$('keypad-sent').textContent = '';
		this.#show(false);
	}

	/** Can keys be sent at the moment? */
	refresh(can) {
		const hadFocus = $('keypad').contains(document.activeElement);

		$('keypad-open').hidden = !can;
		if (!can && !$('keypad').hidden) {
			this.#show(false);
			if (hadFocus)
				$('call-who').focus();
		}
		this.words();
	}

	#show(on) {
		$('keypad').hidden = !on;
		$('view-call').classList.toggle('with-keypad', on);
		$('keypad-open').setAttribute('aria-expanded', String(on));
		say($('keypad-error'), null);
		if (on)
			$('keypad-keys').firstElementChild.focus();
	}

	#close() {
		this.#show(false);
		$('keypad-open').focus();
	}

	#typed(ev) {
		if (ev.key === 'Escape')
			return this.#close();
		if (ev.ctrlKey || ev.metaKey || ev.altKey || !/^[0-9A-Da-d*#,]$/.test(ev.key))
			return;
		ev.preventDefault();
		if (!ev.repeat)
			this.#send(ev.key.toUpperCase());
	}

	async #send(key) {
		try {
			await this.#call.sendDtmf(key);
		} catch (e) {
			say($('keypad-error'), errorWords(e));
			return;
		}
		say($('keypad-error'), null);
		$('keypad-sent').textContent = ($('keypad-sent').textContent + key).slice(-SHOWN_MAX);
		announce(words('keypad.sent', { key: $('keypad-keys').querySelector(`[data-key="${key}"]`)?.ariaLabel ?? key }));
	}
}
