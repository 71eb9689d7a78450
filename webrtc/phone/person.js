// person.js - what their identity provider adds to the view of a call: their picture, and its own word for who they are.
//
// Who uses it: talk.js. A picture lies where whoever is talked to has put it, and asking for it shows that place this
// browser's address. So it is asked for only once the browser or the provider's frame has verified them, which is
// when the call has been taken and the two browsers know each other's addresses anyway.

import { showIdentity } from '../sdk/sluss.js';
import { $, say } from './dom.js';
import { words } from './words.js';

/** Where a picture of them is to be had, or null: not before they are verified, and not on the site's word. Pure. */
export function pictureOf({ status, by, profile } = {}) {
	return status === 'verified' && (by === 'native' || by === 'frame') ? profile?.picture ?? null : null;
}

export class Person {
	#img = null;
	#call = null;

	constructor() {
		$('identity-show').addEventListener('click', () => this.#show());
	}

	/** @param call  null: there is none yet, or any more; up: it is being talked */
	render(call, up = false) {
		if (call !== this.#call)
			this.#hide();
		this.#call = call;
		this.#picture(pictureOf(call?.remote.identity));
		$('identity-show').hidden = !up || call.encryption !== 'end-to-end' || !$('identity-frame').hidden;
		if (!up)
			this.#hide();
	}

	/** In the place of the letters, once it is there; those stay when it does not come. */
	#picture(url) {
		if (this.#img?.dataset.url !== (url ?? undefined))
			this.#img = url && this.#load(url);
		if (this.#img?.complete && this.#img.naturalWidth)
			$('call-avatar').replaceChildren(this.#img);
	}

	#load(url) {
		const img = new Image();

		img.dataset.url = url;
		img.alt = '';
		img.referrerPolicy = 'no-referrer';
		img.crossOrigin = 'anonymous'; // no cookies
		img.addEventListener('load', () => {
			if (img === this.#img)
				$('call-avatar').replaceChildren(img);
		});
		img.src = url;
		return img;
	}

	/** The provider's frame, in sight: this page can lie about who it is, and cannot change what stands there. */
	async #show() {
		const call = this.#call, place = $('identity-frame');

		$('identity-show').hidden = true;
		place.hidden = false;
		try {
			await showIdentity(call, place);
		} catch {
			if (call === this.#call) {
				this.#hide();
				say($('call-error'), words('identity.show.failed'));
			}
		}
	}

	#hide() {
		$('identity-frame').hidden = true;
		$('identity-frame').replaceChildren();
	}
}
