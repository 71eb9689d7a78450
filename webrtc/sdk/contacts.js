// contacts.js - whom a user knows: names for addresses, and who vouched for them. Kept in this browser for this
// origin, and nowhere else.
//
// Who uses it: phone.js makes one when it knows its user; the page's book.js. It stands in the Storage that is handed
// in, under a key with the user's address. What is found there is read with care: somebody else's tab, or an older
// version, may have written it.

import { parseAddress } from './address.js';

export const CONTACTS_MAX = 1000;
export const NAME_MAX = 100;

export const isText = (v, most) => typeof v === 'string' && v.length > 0 && v.length <= most;

function contactOf(c) {
	return isText(c?.address, 330) && typeof c.name === 'string' ? {
		address: c.address, name: c.name.slice(0, NAME_MAX),
		...(isText(c.idp, 260) && isText(c.idName, 1024) ? { idp: c.idp, idName: c.idName } : {}),
		...(isText(c.site, 260) ? { site: c.site } : {}),
	} : null;
}

export class Contacts extends EventTarget {
	#user;
	#key;
	#storage;

	/** @param storage  a Storage; null: all lasts as long as the page. Default: the page's, where it may keep anything */
	constructor(user, storage = ofPage()) {
		super();
		this.#user = user;
		this.#key = `sluss.contacts.${user}`;
		this.#storage = storage ?? memory();
		globalThis.addEventListener?.('storage', ({ key }) => {
			if (key === null || key === this.#key)
				this.#changed();
		});
	}

	/** By name. */
	get all() {
		try {
			const list = JSON.parse(this.#storage.getItem(this.#key) ?? '[]');

			return (Array.isArray(list) ? list.map(contactOf).filter(Boolean) : [])
				.sort((a, b) => (a.name || a.address).localeCompare(b.name || b.address));
		} catch {
			return [];
		}
	}

	get(address) {
		return this.all.find((c) => c.address === address) ?? null;
	}

	/**
	 * Adds or changes one. `before`: the address it had. Gives false when there are too many. Throws SlussError
	 * `bad-address`.
	 */
	put({ address: given, name = '' }, before) {
		const { address } = parseAddress(given, this.#user.split('@')[1]);
		const others = this.all.filter((c) => c.address !== address && c.address !== before);

		if (others.length >= CONTACTS_MAX)
			return false;
		const { idp, idName, site } = this.get(address) ?? {};

		this.#write([...others, { address, name: name.trim().slice(0, NAME_MAX), idp, idName, site }]);
		return true;
	}

	/** Keeps who vouches for a contact, {idp, idName, site}: what is not kept yet; with `anew` in the place of what is. */
	know(address, known, anew = false) {
		const before = this.get(address);
		const after = known && { ...before, ...known, ...(anew ? {} : before) };

		if (before && known && JSON.stringify(after) !== JSON.stringify(before))
			this.#write(this.all.map((c) => (c.address === address ? after : c)));
	}

	remove(address) {
		this.#write(this.all.filter((c) => c.address !== address));
	}

	/** Those of whom every word of the text is found in the name or the address. */
	search(text) {
		const fold = (s) => s.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
		const wanted = fold(text).split(/\s+/).filter(Boolean);

		return this.all.filter((c) => wanted.every((w) => fold(`${c.name} ${c.address}`).includes(w)));
	}

	/** Takes all of them out of this browser. */
	forget() {
		this.#storage.removeItem(this.#key);
		this.#changed();
	}

	#write(list) {
		try {
			this.#storage.setItem(this.#key, JSON.stringify(list));
		} catch {
			this.dispatchEvent(new Event('full'));
			try {
				this.#storage.setItem(this.#key, JSON.stringify(list));
			} catch {
				// Then it is not kept.
			}
		}
		this.#changed();
	}

	#changed() {
		this.dispatchEvent(new Event('change'));
	}
}

/** A program has none, and a page may be forbidden to keep anything. */
function ofPage() {
	try {
		return globalThis.localStorage ?? null;
	} catch {
		return null;
	}
}

/** A Storage that lasts as long as the page. */
export function memory() {
	const map = new Map();

	return {
		getItem: (key) => map.get(key) ?? null,
		setItem: (key, value) => map.set(key, value),
		removeItem: (key) => map.delete(key),
	};
}
