// language.js - which language the phone speaks: the one chosen here before, else the first of the
// browser's own that there is a message file for, else English.
//
// Who uses it: words.js asks for messages; phone.js and settings.js choose. A further language is one
// more file in messages/ and one more line below.

import de from './messages/de.js';
import en from './messages/en.js';

export const languages = { en, de };

const KEY = 'sluss.language';
let current = 'en';

/** The best of ours for a list such as navigator.languages. Pure. RFC 4647 §3.4, by primary tags. */
export function pick(wanted, have = Object.keys(languages)) {
	for (const tag of wanted ?? []) {
		const primary = String(tag).toLowerCase().split('-', 1)[0];

		if (have.includes(primary))
			return primary;
	}
	return 'en';
}

/** At the beginning of a page: the kept choice, else the browser's wish. */
export function begin() {
	let kept = null;

	try {
		kept = localStorage.getItem(KEY);
	} catch {
		// Storage is forbidden: the browser's wish it is.
	}
	current = pick(kept ? [kept] : navigator.languages);
}

/** Chooses a language and remembers it in this browser. */
export function choose(language) {
	current = pick([language]);
	try {
		localStorage.setItem(KEY, current);
	} catch {
		// It holds until the page is left.
	}
}

export function language() {
	return current;
}

export function messages() {
	return languages[current];
}
