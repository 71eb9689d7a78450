// lists.js - the two lists beside the dial: calls there have been, and contacts.
//
// Who uses it: phone.js hands it a Book (book.js) when somebody signs in. One click dials again.

import { parseAddress } from '../sdk/address.js';
import { $, bdi, focus, icon, say } from './dom.js';
import { language } from './language.js';
import { duration, errorWords, initials, words } from './words.js';

const TABS = ['history', 'contacts'];
const HUES = 6;

export class Lists {
	#book = null;
	#site = '';
	#dial;
	/** the address of the contact that is edited, or null for a new one */
	#editing = null;

	/** @param dial  (address, options) */
	constructor(dial) {
		this.#dial = dial;
		TABS.forEach((name, i) => {
			$(`tab-${name}`).addEventListener('click', () => this.#tab(name));
			$(`tab-${name}`).addEventListener('keydown', (ev) => {
				if (ev.key === 'ArrowLeft' || ev.key === 'ArrowRight') {
					this.#tab(TABS[1 - i]);
					$(`tab-${TABS[1 - i]}`).focus();
				}
			});
		});
		$('history-clear').addEventListener('click', () => {
			this.#book.clearHistory();
			focus($('panel-history'));
		});
		$('contacts-search').addEventListener('input', () => this.#contacts());
		$('contact-add').addEventListener('click', () => this.#edit({ address: '', name: '' }, null));
		$('contact-cancel').addEventListener('click', () => $('contact-dialog').close());
		$('contact-form').addEventListener('submit', (ev) => {
			ev.preventDefault();
			this.#save();
		});
		$('contact-remove').addEventListener('click', () => {
			this.#book.remove(this.#editing);
			$('contact-dialog').close();
			focus($('panel-contacts'));
		});
		addEventListener('storage', (ev) => this.#book?.changedElsewhere(ev.key));
	}

	/** Whose lists these are; null: nobody's. */
	show(book, site) {
		this.#book = book;
		this.#site = site;
		$('contacts-search').value = '';
		book?.addEventListener('change', () => {
			if (book === this.#book)
				this.render();
		});
		this.render();
	}

	/** The view has been left: what was missed has been seen by then. */
	left() {
		if (!$('panel-history').hidden)
			this.#book?.seen();
	}

	render() {
		if (!this.#book) {
			for (const name of TABS)
				$(`${name}-list`).replaceChildren();
			return;
		}
		this.#history();
		this.#contacts();
		$('dial-known').replaceChildren(...this.#book.contacts.map(({ address, name }) => {
			const option = document.createElement('option');

			option.value = address;
			option.label = name;
			return option;
		}));
	}

	#tab(name) {
		for (const one of TABS) {
			$(`tab-${one}`).setAttribute('aria-selected', String(one === name));
			$(`tab-${one}`).tabIndex = one === name ? 0 : -1;
			$(`panel-${one}`).hidden = one !== name;
		}
		if (name === 'contacts')
			this.#book?.seen();
	}

	#history() {
		const { history, unseen } = this.#book;

		$('history-empty').hidden = history.length > 0;
		$('history-clear').hidden = history.length === 0;
		$('missed-count').hidden = unseen === 0;
		$('missed-count').textContent = unseen;
		keepFocus($('history-list'), () => $('history-list').replaceChildren(...history.map((e) => {
			const who = this.#book.nameOf(e);
			const known = this.#book.contact(e.address);
			const el = this.#person(e.address, who, [outcome(e), when(e.at)].join(' · '), 'history-item');

			el.dataset.kind = e.kind;
			icon(el.querySelector('.hint'), e.kind);
			el.querySelector('.hint .icon').removeAttribute('hidden');
			button(el, 'contact', known ? null : words('contacts.keep', { who }),
				() => this.#edit({ address: e.address, name: e.name }, null));
			return el;
		})));
	}

	#contacts() {
		const text = $('contacts-search').value;
		const found = this.#book.search(text);
		const any = this.#book.contacts.length > 0;

		$('contacts-empty').hidden = found.length > 0;
		$('contacts-none').textContent = any ? words('contacts.none', { text }) : words('contacts.empty');
		$('contacts-none-hint').hidden = any;
		keepFocus($('contacts-list'), () => $('contacts-list').replaceChildren(...found.map((c) => {
			const who = c.name || c.address;
			const el = this.#person(c.address, who, c.name ? c.address : '', 'contact-item');

			el.querySelector('.hint .icon').setAttribute('hidden', '');
			icon(el.querySelector('[data-do=contact]'), 'edit');
			button(el, 'contact', words('contacts.edit', { who }), () => this.#edit(c, c.address));
			return el;
		})));
	}

	#person(address, who, below, hook) {
		const el = $('person-item').content.cloneNode(true).firstElementChild;

		el.dataset.test = hook;
		el.dataset.address = address;
		avatar(el.querySelector('.avatar'), { address, name: who === address ? '' : who });
		bdi(el.querySelector('.person-who'), who);
		el.querySelector('.hint span').textContent = below;
		el.querySelector('.hint').hidden = !below;
		button(el, 'again', words('home.again', { who }), () => this.#dial(address, {}));
		return el;
	}

	#edit({ address, name }, editing) {
		this.#editing = editing;
		$('contact-title').textContent = words(editing ? 'contacts.change' : 'contacts.add');
		$('contact-name').value = name;
		$('contact-address').value = address;
		$('contact-remove').hidden = !editing;
		$('contact-cancel').hidden = Boolean(editing) && matchMedia('(max-width: 26rem)').matches;
		say($('contact-error'), null);
		$('contact-dialog').showModal();
	}

	#save() {
		let address;

		try {
			({ address } = parseAddress($('contact-address').value, this.#site));
		} catch (e) {
			say($('contact-error'), errorWords(e));
			$('contact-address').focus();
			return;
		}
		if (!this.#book.put({ address, name: $('contact-name').value }, this.#editing ?? address)) {
			say($('contact-error'), words('contacts.full'));
			return;
		}
		$('contact-dialog').close();
	}
}

/** Round, with one or two letters; the same person has the same colour everywhere. */
export function avatar(el, remote) {
	let n = 0;

	for (const c of remote.address)
		n = (n * 31 + c.codePointAt(0)) % 65521;
	el.textContent = initials(remote);
	el.dataset.hue = n % HUES;
}

function button(el, what, name, click) {
	const b = el.querySelector(`[data-do=${what}]`);

	b.hidden = !name;
	if (!name)
		return;
	b.dataset.test = `${el.dataset.test.split('-')[0]}-${what === 'again' ? 'again' : 'edit'}`;
	b.setAttribute('aria-label', name);
	b.title = name;
	b.addEventListener('click', click);
}

/** A list that is made anew under somebody's hand keeps the button they are on. */
function keepFocus(list, make) {
	const on = list.contains(document.activeElement) ? document.activeElement : null;
	const at = on ? [...list.querySelectorAll('button')].indexOf(on) : -1;

	make();
	if (at >= 0)
		focus([...list.querySelectorAll('button')][at] ?? list.parentElement);
}

function outcome({ kind, reason, seconds }) {
	if (seconds !== null)
		return duration(seconds);
	if (kind === 'missed')
		return words('recent.missed');
	if (kind === 'out')
		return words(`end.${reason}`) ?? words('end.other');
	return words(reason === 'elsewhere' ? 'recent.elsewhere' : 'recent.declined');
}

/** Today the time, else the day. */
function when(at) {
	const then = new Date(at);
	const time = then.toLocaleTimeString(language(), { hour: '2-digit', minute: '2-digit' });

	if (then.toDateString() === new Date().toDateString())
		return time;
	return then.toLocaleDateString(language(), { day: 'numeric', month: 'short' });
}
