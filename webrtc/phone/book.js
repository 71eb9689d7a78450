// book.js - what one user's calls and contacts are, kept in this browser and nowhere else.
//
// Who uses it: phone.js makes one a user, lists.js shows it. It stands in the Storage that is handed in
// (the page's localStorage), under keys with the user's address; nothing of it goes to the site. What
// is found there is read with care: somebody else's tab, or an older version, may have written it.

export const HISTORY_MAX = 200;
export const CONTACTS_MAX = 1000;
export const NAME_MAX = 100;
/** The same end of the same call is told by every tab in which it rang, within this time. */
export const SAME_MS = 1000;

const KINDS = ['in', 'out', 'missed'];
const isText = (v, most) => typeof v === 'string' && v.length > 0 && v.length <= most;

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

function contactOf(c) {
	return isText(c?.address, 330) && typeof c.name === 'string' ? {
		address: c.address, name: c.name.slice(0, NAME_MAX),
		...(isText(c.idp, 260) && isText(c.idName, 1024) ? { idp: c.idp, idName: c.idName } : {}),
		...(isText(c.site, 260) ? { site: c.site } : {}),
	} : null;
}

/** Two tabs tell of one call that nobody has talked in. */
function isSame(a, b) {
	return a.seconds === null && b.seconds === null && a.address === b.address && a.kind === b.kind
		&& a.kind !== 'out' && a.reason === b.reason && Math.abs(a.at - b.at) < SAME_MS;
}

export class Book extends EventTarget {
	#storage;
	#keys;

	/** @param storage  a Storage, or null where the browser forbids it: then all lasts as long as the page */
	constructor(user, storage) {
		super();
		this.#storage = storage ?? memory();
		this.#keys = Book.#keysOf(user);
	}

	static #keysOf(user) {
		return { history: `sluss.history.${user}`, contacts: `sluss.contacts.${user}` };
	}

	/** Is this a key of ours? Another tab may have changed it: listeners are told. */
	changedElsewhere(key) {
		if (key === null || Object.values(this.#keys).includes(key))
			this.dispatchEvent(new Event('change'));
	}

	#read(what, clean) {
		try {
			const list = JSON.parse(this.#storage.getItem(this.#keys[what]) ?? '[]');

			return Array.isArray(list) ? list.map(clean).filter(Boolean) : [];
		} catch {
			return [];
		}
	}

	#write(what, list) {
		try {
			this.#storage.setItem(this.#keys[what], JSON.stringify(list));
		} catch {
			// Full, or forbidden: the older half of the history makes place, once.
			this.#storage.removeItem(this.#keys.history);
			try {
				this.#storage.setItem(this.#keys[what], JSON.stringify(list.slice(0, HISTORY_MAX / 2)));
			} catch {
				// Then it is not kept; the call itself is not harmed.
			}
		}
		this.dispatchEvent(new Event('change'));
	}

	/** Newest first. */
	get history() {
		return this.#read('history', entryOf);
	}

	/** {address, name, kind: 'in' | 'out' | 'missed', at, reason, seconds: talked, or null} */
	remember(entry) {
		const clean = entryOf(entry);

		if (clean && !this.history.some((e) => isSame(e, clean)))
			this.#write('history', [clean, ...this.history].slice(0, HISTORY_MAX));
	}

	/** How many missed calls nobody has looked at. */
	get unseen() {
		return this.history.filter((e) => e.kind === 'missed' && !e.seen).length;
	}

	seen() {
		if (this.unseen)
			this.#write('history', this.history.map((e) => ({ ...e, seen: true })));
	}

	clearHistory() {
		this.#write('history', []);
	}

	/** By name. */
	get contacts() {
		return this.#read('contacts', contactOf)
			.sort((a, b) => (a.name || a.address).localeCompare(b.name || b.address));
	}

	contact(address) {
		return this.contacts.find((c) => c.address === address) ?? null;
	}

	/** Adds or changes one. `before`: the address it had. Gives false when there are too many. */
	put({ address, name }, before = address) {
		const others = this.contacts.filter((c) => c.address !== address && c.address !== before);

		if (others.length >= CONTACTS_MAX)
			return false;
		const { idp, idName, site } = this.contact(address) ?? {};

		this.#write('contacts', [...others, { address, name: name.trim().slice(0, NAME_MAX), idp, idName, site }]);
		return true;
	}

	/** Keeps who vouches for a contact (known.js): what is not kept yet; with `anew` in the place of what is. */
	know(address, known, anew = false) {
		const before = this.contact(address);
		const after = known && { ...before, ...known, ...(anew ? {} : before) };

		if (before && known && JSON.stringify(after) !== JSON.stringify(before))
			this.#write('contacts', this.contacts.map((c) => (c.address === address ? after : c)));
	}

	remove(address) {
		this.#write('contacts', this.contacts.filter((c) => c.address !== address));
	}

	/** Contacts of which every word of the text is found in the name or the address. */
	search(text) {
		const fold = (s) => s.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
		const wanted = fold(text).split(/\s+/).filter(Boolean);

		return this.contacts.filter((c) => wanted.every((w) => fold(`${c.name} ${c.address}`).includes(w)));
	}

	/** What to call somebody: as one has written them down, else as they call themselves. */
	nameOf({ address, name }) {
		return this.contact(address)?.name || name || address;
	}

	/** Takes all of it out of this browser. */
	forget() {
		for (const key of Object.values(this.#keys))
			this.#storage.removeItem(key);
		this.dispatchEvent(new Event('change'));
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

function memory() {
	const map = new Map();

	return {
		getItem: (key) => map.get(key) ?? null,
		setItem: (key, value) => map.set(key, value),
		removeItem: (key) => map.delete(key),
	};
}
