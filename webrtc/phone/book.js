// book.js - what one user's calls and contacts are, kept in this browser and nowhere else.
//
// Who uses it: phone.js makes one a user, lists.js shows it. Contacts are the SDK's (phone.contacts). It stands in the
// Storage that is handed in (the page's localStorage), under keys with the user's address; nothing of it goes to the
// site. What is found there is read with care: somebody else's tab, or an older version, may have written it.

import { Contacts, isText, memory, NAME_MAX } from '../sdk/contacts.js';

export const HISTORY_MAX = 200;
/** The same end of the same call is told by every tab in which it rang, within this time. */
export const SAME_MS = 1000;

const KINDS = ['in', 'out', 'missed'];

/** One entry of the history as it may be kept, or null. */
function entryOf(e) {
	if (!isText(e?.address, 330) || !KINDS.includes(e.kind) || !Number.isFinite(e.at))
		return null;
	return {
		address: e.address, kind: e.kind, at: e.at,
		name: isText(e.name, 1000) ? e.name.slice(0, NAME_MAX) : '',
		reason: isText(e.reason, 40) ? e.reason : '',
		seconds: Number.isFinite(e.seconds) && e.seconds >= 0 ? Math.floor(e.seconds) : null,
		seen: e.seen === true,
	};
}

/** Two tabs tell of one call that nobody has talked in. */
function isSame(a, b) {
	return a.seconds === null && b.seconds === null && a.address === b.address && a.kind === b.kind
		&& a.kind !== 'out' && a.reason === b.reason && Math.abs(a.at - b.at) < SAME_MS;
}

export class Book extends EventTarget {
	#storage;
	#key;
	#contacts;

	/** @param storage  a Storage, or null where the browser forbids it: then all lasts as long as the page */
	constructor(user, storage, contacts = new Contacts(user, storage)) {
		super();
		this.#storage = storage ?? memory();
		this.#key = `sluss.history.${user}`;
		this.#contacts = contacts;
		contacts.addEventListener('change', () => this.dispatchEvent(new Event('change')));
		// People are worth more than calls that are over.
		contacts.addEventListener('full', () => this.#storage.removeItem(this.#key));
	}

	/** Is this a key of ours? Another tab may have changed it: listeners are told. */
	changedElsewhere(key) {
		if (key === null || key === this.#key)
			this.dispatchEvent(new Event('change'));
	}

	#write(list) {
		try {
			this.#storage.setItem(this.#key, JSON.stringify(list));
		} catch {
			// Full, or forbidden: the older half makes place, once.
			this.#storage.removeItem(this.#key);
			try {
				this.#storage.setItem(this.#key, JSON.stringify(list.slice(0, HISTORY_MAX / 2)));
			} catch {
				// Then it is not kept; the call itself is not harmed.
			}
		}
		this.dispatchEvent(new Event('change'));
	}

	/** Newest first. */
	get history() {
		try {
			const list = JSON.parse(this.#storage.getItem(this.#key) ?? '[]');

			return Array.isArray(list) ? list.map(entryOf).filter(Boolean) : [];
		} catch {
			return [];
		}
	}

	/** {address, name, kind: 'in' | 'out' | 'missed', at, reason, seconds: talked, or null} */
	remember(entry) {
		const clean = entryOf(entry);

		if (clean && !this.history.some((e) => isSame(e, clean)))
			this.#write([clean, ...this.history].slice(0, HISTORY_MAX));
	}

	/** How many missed calls nobody has looked at. */
	get unseen() {
		return this.history.filter((e) => e.kind === 'missed' && !e.seen).length;
	}

	seen() {
		if (this.unseen)
			this.#write(this.history.map((e) => ({ ...e, seen: true })));
	}

	clearHistory() {
		this.#write([]);
	}

	/** By name. */
	get contacts() {
		return this.#contacts.all;
	}

	contact(address) {
		return this.#contacts.get(address);
	}

	/** Adds or changes one. `before`: the address it had. Gives false when there are too many. */
	put(contact, before) {
		return this.#contacts.put(contact, before);
	}

	/** Keeps who vouches for a contact (known.js): what is not kept yet; with `anew` in the place of what is. */
	know(address, known, anew = false) {
		this.#contacts.know(address, known, anew);
	}

	remove(address) {
		this.#contacts.remove(address);
	}

	/** Contacts of which every word of the text is found in the name or the address. */
	search(text) {
		return this.#contacts.search(text);
	}

	/** What to call somebody: as one has written them down, else as they call themselves. */
	nameOf({ address, name }) {
		return this.contact(address)?.name || name || address;
	}

	/** Takes all of it out of this browser. */
	forget() {
		this.#storage.removeItem(this.#key);
		this.#contacts.forget();
	}
}

/**
 * The account is gone: so are its lists and what this tab kept of its calls. Other people's lists stay; the identity
 * provider, of which nothing says whose it is, stays only where there are such.
 * @param local, session  Storages, or null where the browser forbids them
 */
export function forgetAccount(user, local, session) {
	session?.removeItem('sluss.calls');
	if (!local)
		return;
	new Book(user, local).forget();
	const keys = Array.from({ length: local.length }, (_, i) => local.key(i));

	if (!keys.some((key) => /^sluss\.(history|contacts)\./.test(key)))
		local.removeItem('sluss.idp');
}
