// chat.js - text in a call. It goes by the side channel from browser to browser, and is gone with the call.
//
// Who uses it: talk.js. Text is shown as text; what the other side sends is never a link or HTML.

import { $, announce } from './dom.js';
import { language } from './language.js';
import { errorWords, whoIs, words } from './words.js';

const SHOWN_MAX = 500;

export class Chat {
	#call = null;
	/** call -> {items, unread}: one that is on hold while another is in view keeps its text */
	#logs = new WeakMap();

	constructor() {
		$('chat-open').addEventListener('click', () => this.#show($('chat').hidden));
		$('chat-close').addEventListener('click', () => {
			this.#show(false);
			$('chat-open').focus();
		});
		$('chat').addEventListener('keydown', (ev) => {
			if (ev.key === 'Escape')
				$('chat-close').click();
		});
		$('chat-form').addEventListener('submit', (ev) => {
			ev.preventDefault();
			this.#send();
		});
	}

	/** The call whose text this is; null: none. */
	watch(call) {
		if (call === this.#call)
			return;
		this.#call = call;
		$('chat-log').replaceChildren(...call ? this.#log(call).items : []);
		$('chat-input').value = '';
		this.#show(false);
		this.#count();
	}

	#log(call) {
		if (!this.#logs.has(call)) {
			this.#logs.set(call, { items: [], unread: 0 });
			call.addEventListener('text', ({ text }) => this.#came(call, text));
		}
		return this.#logs.get(call);
	}

	/** Can there be text at the moment? */
	refresh() {
		const can = Boolean(this.#call?.canText);

		$('chat-open').hidden = !can && !$('chat-log').children.length;
		for (const el of $('chat-form').elements)
			el.disabled = !can;
		$('chat-hint').textContent = can || !this.#call
			? words('chat.hint') : words(this.#call.cause ? 'chat.over' : 'error.no-text');
	}

	#show(on) {
		$('chat').hidden = !on;
		$('view-call').classList.toggle('with-chat', on);
		$('chat-open').setAttribute('aria-expanded', String(on));
		if (on) {
			this.#log(this.#call).unread = 0;
			this.#count();
			$('chat-input').focus();
		}
	}

	#count() {
		const n = this.#call ? this.#log(this.#call).unread : 0;

		$('chat-count').textContent = n;
		$('chat-count').hidden = n === 0;
	}

	#send() {
		const text = $('chat-input').value.trim();

		if (!text)
			return;
		try {
			this.#call.sendText(text);
			this.#add(this.#call, text, 'own', words('chat.you'));
			$('chat-input').value = '';
		} catch (e) {
			$('chat-hint').textContent = errorWords(e);
		}
	}

	#came(call, text) {
		const who = whoIs(call.remote);

		this.#add(call, text, 'theirs', who);
		if (call !== this.#call || $('chat').hidden) {
			this.#log(call).unread++;
			this.#count();
			announce(words('chat.came', { who, text }));
		}
		this.refresh();
	}

	#add(call, text, side, who) {
		const { items } = this.#log(call);
		const item = document.createElement('div');
		const head = document.createElement('p');
		const body = document.createElement('bdi');

		item.className = side;
		head.className = 'hint';
		head.textContent = [who, new Date().toLocaleTimeString(language(), { hour: '2-digit', minute: '2-digit' })].join(' · ');
		body.textContent = text;
		item.append(head, body);
		items.push(item);
		while (items.length > SHOWN_MAX)
			items.shift().remove();
		if (call !== this.#call)
			return;
		$('chat-log').append(item);
		item.scrollIntoView({ block: 'nearest' });
	}
}
