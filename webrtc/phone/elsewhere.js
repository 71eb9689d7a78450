// elsewhere.js - this user's calls on other devices, each with a button to go on with it here.
//
// Who uses it: phone.js. The cards stand above the dial as long as there is such a call.

import { $, bdi, fillTexts } from './dom.js';
import { avatar } from './lists.js';
import { duration, whoIs, words } from './words.js';

export class Elsewhere {
	#take;
	#calls = [];
	#clock = null;

	/** @param take  (entry of phone.elsewhere) */
	constructor(take) {
		this.#take = take;
	}

	show(calls) {
		this.#calls = calls;
		clearInterval(this.#clock);
		if (calls.length)
			this.#clock = setInterval(() => this.#tick(), 1000);
		this.render();
	}

	/** Anew, in the language of now; who is on a button stays on it. */
	render() {
		const held = document.activeElement?.closest?.('#elsewhere [data-id]')?.dataset.id;

		$('elsewhere').replaceChildren(...this.#calls.map((entry) => {
			const el = $('elsewhere-call').content.cloneNode(true).firstElementChild;
			const who = whoIs(entry.remote);

			fillTexts(el);
			el.dataset.id = entry.id;
			avatar(el.querySelector('.avatar'), entry.remote);
			bdi(el.querySelector('.person-who'), who);
			const button = el.querySelector('button');

			button.setAttribute('aria-label', words('elsewhere.take.who', { who }));
			button.addEventListener('click', () => this.#take(entry));
			return el;
		}));
		this.#tick();
		if (held)
			$('elsewhere').querySelector(`[data-id="${CSS.escape(held)}"] button`)?.focus();
	}

	#tick() {
		this.#calls.forEach(({ device, connectedAt }, i) => {
			const where = words(device.away ? 'elsewhere.away' : 'elsewhere.on',
				{ device: device.name || words('elsewhere.device') });

			$('elsewhere').children[i].querySelector('.hint').textContent =
				`${where} · ${duration(Math.max(0, Date.now() - connectedAt) / 1000)}`;
		});
	}
}
