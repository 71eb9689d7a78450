// chat.js - text in a call. It goes by the side channel from browser to browser, and is gone with the call.
//
// Who uses it: talk.js. Text is shown as text; what the other side sends is never a link or HTML.

import { $, announce } from './dom.js';
import { language } from './language.js';
import { errorWords, whoIs, words } from './words.js';

const SHOWN_MAX = 500;

export class Chat {
	#call = null;
	#unread = 0;

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
		this.#unread = 0;
		$('chat-log').replaceChildren();
		$('chat-input').value = '';
		this.#show(false);
		call?.addEventListener('text', ({ text }) => {
			if (call === this.#call)
				this.#came(text);
		});
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
			this.#count(0);
			$('chat-input').focus();
		}
	}

	#count(n) {
		this.#unread = n;
		$('chat-count').textContent = n;
		$('chat-count').hidden = n === 0;
	}

	#send() {
		const text = $('chat-input').value.trim();

		if (!text)
			return;
		try {
			this.#call.sendText(text);
			this.#add(text, 'own', words('chat.you'));
			$('chat-input').value = '';
		} catch (e) {
			$('chat-hint').textContent = errorWords(e);
		}
	}

	#came(text) {
		const who = whoIs(this.#call.remote);

		this.#add(text, 'theirs', who);
		if ($('chat').hidden) {
			this.#count(this.#unread + 1);
			announce(words('chat.came', { who, text }));
		}
		this.refresh();
	}

	#add(text, side, who) {
		const item = document.createElement('div');
		const head = document.createElement('p');
		const body = document.createElement('bdi');

		item.className = side;
		head.className = 'hint';
		head.textContent = [who, new Date().toLocaleTimeString(language(), { hour: '2-digit', minute: '2-digit' })].join(' · ');
		body.textContent = text;
		item.append(head, body);
		$('chat-log').append(item);
		while ($('chat-log').children.length > SHOWN_MAX)
			$('chat-log').firstElementChild.remove();
		item.scrollIntoView({ block: 'nearest' });
	}
}
