// links.js - links that call somebody: `/call/name@site`, and what the browser hands over for
// `web+sluss:`, `sluss:`, `sip:` and `tel:`. Never dials by itself: a person is asked first.
//
// Who uses it: phone.js. Browsers let a page take over schemes of their own list (`sip`, `tel`) and those
// that begin with `web+`; `sluss:` itself works inside a link, /call/sluss:name@site, and when typed.

import { $, bdi } from './dom.js';

const SCHEMES = ['web+sluss', 'sip', 'tel'];

/** The address that this page was opened for, or null. Pure. */
export function linked(pathname) {
	const m = /^\/call\/([^/]{1,400})$/.exec(pathname);

	if (!m)
		return null;
	try {
		return decodeURIComponent(m[1]).trim() || null;
	} catch {
		return null;
	}
}

export class Links {
	#dial;
	#wanted = linked(location.pathname);
	/** @param dial  (address) */
	constructor(dial) {
		this.#dial = dial;
		$('link-call').addEventListener('click', () => this.#close(true));
		$('link-no').addEventListener('click', () => this.#close(false));
		$('link-dialog').addEventListener('cancel', () => this.#done());
	}

	/** Somebody is signed in: now the link can be followed, if they want to. */
	offer() {
		if (!this.#wanted)
			return;
		bdi($('link-address'), this.#wanted);
		$('link-dialog').showModal();
	}

	#close(call) {
		const address = this.#wanted;

		$('link-dialog').close();
		this.#done();
		if (call)
			this.#dial(address);
	}

	/** A reload must not ask again. */
	#done() {
		this.#wanted = null;
		history.replaceState(null, '', '/');
	}

	/** Asks the browser to hand such links to this page; it asks the person itself. */
	static register() {
		for (const scheme of SCHEMES) {
			try {
				navigator.registerProtocolHandler(scheme, `${location.origin}/call/%s`);
			} catch {
				// A browser that does not know one may know the other.
			}
		}
	}
}
