// home.js - the view one starts from: dial, one's own address, and what was missed.
//
// Who uses it: phone.js. History and contacts beside it are lists.js.

import { $, fillTexts, focus, icon, say } from './dom.js';
import { errorWords, words } from './words.js';

const NOTICES_MAX = 3;

export class Home {
	#dial;
	#again = null;
	#echo = null;

	/** @param dial  (address, {audio, video}) */
	constructor(dial) {
		this.#dial = dial;
		$('dial').addEventListener('submit', (ev) => {
			ev.preventDefault();
			this.#go({});
		});
		$('dial-video').addEventListener('click', () => this.#go({ video: true }));
		$('dial-listen').addEventListener('click', () => this.#go({ ...this.#again, audio: false }));
		$('dial-input').addEventListener('input', () => this.#clear());
		$('dial-echo').addEventListener('click', () => this.#dial(this.#echo, {}));
		$('copy').addEventListener('click', () => this.#copy());
	}

	set user(address) {
		$('mine').textContent = address;
	}

	/** The address where one hears oneself, or null. */
	set echo(address) {
		this.#echo = address;
		$('dial-echo').hidden = !address;
	}

	/** Into the field; on a touch screen that would only bring the keyboard up. */
	focus() {
		if (matchMedia('(pointer: coarse)').matches)
			focus($('home-title'));
		else
			$('dial-input').focus();
	}

	#go(options) {
		this.#clear();
		this.#dial($('dial-input').value, options);
	}

	#clear() {
		say($('dial-error'), null);
		$('dial-listen').hidden = true;
		$('dial-input').setAttribute('aria-invalid', 'false');
	}

	/** A call that did not even begin. */
	failed(e, address, options) {
		$('dial-input').value = address;
		say($('dial-error'), errorWords(e));
		$('dial-input').setAttribute('aria-invalid', String(e.code === 'bad-address'));
		this.#again = options;
		$('dial-listen').hidden = !/^mic-/.test(e.code) || Boolean(options.video);
		$('dial-input').focus();
	}

	/** A call went well: the field is free for the next one. */
	dialled() {
		$('dial-input').value = '';
		this.#clear();
	}

	async #copy() {
		try {
			await navigator.clipboard.writeText($('mine').textContent);
		} catch {
			getSelection().selectAllChildren($('mine'));
			return;
		}
		icon($('copy'), 'check');
		$('copy').setAttribute('aria-label', words('home.copied'));
		setTimeout(() => {
			icon($('copy'), 'copy');
			$('copy').setAttribute('aria-label', words('home.copy'));
		}, 2000);
	}

	/** A line that stays until it is dismissed. */
	notice(text, reason) {
		const el = $('notice').content.cloneNode(true).firstElementChild;

		fillTexts(el);
		el.dataset.reason = reason;
		el.querySelector('.notice-text').textContent = text;
		icon(el, reason === 'elsewhere' ? 'check' : 'missed');
		el.querySelector('[data-do=dismiss]').addEventListener('click', () => {
			el.remove();
			this.focus();
		});
		$('notices').prepend(el);
		while ($('notices').children.length > NOTICES_MAX)
			$('notices').lastElementChild.remove();
	}

	/** Somebody else may sit here next. */
	forget() {
		$('notices').replaceChildren();
		this.dialled();
	}
}
