// transfer.js - passing a call on: whom the other side is asked to call, and being asked so.
//
// Who uses it: phone.js. Nobody is called whom the person here has not said yes to.

import { parseAddress } from '../sdk/address.js';
import { $, focus, say } from './dom.js';
import { errorWords, shown, whoIs, words } from './words.js';

export class Transfer {
	#hooks;
	#call = null;
	/** the call that we have asked for */
	#waiting = null;
	/** {call, what}: what we are asked */
	#asked = null;

	/** @param hooks  site(), accept(call, what): goes on with whom the other side names */
	constructor(hooks) {
		this.#hooks = hooks;
		$('transfer-open').addEventListener('click', () => this.#open());
		$('transfer-cancel').addEventListener('click', () => $('transfer-dialog').close());
		$('transfer-form').addEventListener('submit', (ev) => {
			ev.preventDefault();
			this.#go();
		});
		$('asked-yes').addEventListener('click', () => this.#answer(true));
		$('asked-no').addEventListener('click', () => this.#answer(false));
		$('asked-dialog').addEventListener('cancel', () => this.#answer(false));
	}

	/** Every call may be passed on by its other side. */
	listen(call) {
		call.addEventListener('transfer', (what) => this.#ask(call, what));
		call.addEventListener('state', () => {
			if (call.cause && call === this.#asked?.call)
				this.#close();
		});
	}

	/** The call in view; null: none that is up. */
	watch(call) {
		if (call !== this.#call)
			$('transfer-dialog').close();
		this.#call = call;
		$('transfer-open').hidden = !call?.canTransfer || call === this.#waiting;
	}

	#open() {
		$('transfer-to').value = '';
		say($('transfer-error'), null);
		$('transfer-dialog').showModal();
		focus($('transfer-to'));
	}

	async #go() {
		const call = this.#call;
		let to;

		try {
			to = parseAddress($('transfer-to').value, this.#hooks.site()).address;
		} catch (e) {
			return say($('transfer-error'), errorWords(e));
		}
		$('transfer-dialog').close();
		this.#waiting = call;
		this.watch(this.#call);
		say($('call-error'), null);
		say($('transfer-state'), words('transfer.waiting'));
		try {
			await call.transfer(to);
		} catch (e) {
			if (call === this.#call && !call.cause)
				say($('call-error'), errorWords(e));
		} finally {
			this.#waiting = null;
			say($('transfer-state'), null);
			this.watch(this.#call);
		}
	}

	#ask(call, what) {
		if (this.#asked)
			return what.refuse();
		this.#asked = { call, what };
		$('asked-title').textContent = words('asked.title', { who: whoIs(call.remote) });
		$('asked-to').textContent = shown(what.to);
		$('asked-dialog').showModal();
		focus($('asked-title'));
	}

	#answer(yes) {
		const { call, what } = this.#asked;

		this.#close();
		if (call.cause)
			return;
		if (yes)
			this.#hooks.accept(call, what);
		else
			what.refuse();
	}

	#close() {
		this.#asked = null;
		$('asked-dialog').close();
	}
}
