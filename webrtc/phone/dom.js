// dom.js - the few things every view does to the page. Text goes in by textContent, never as HTML.
//
// Who uses it: phone.js and the views. No style, no script and no handler is ever written as text:
// the page's Content-Security-Policy forbids it.

import { language } from './language.js';
import { words } from './words.js';

export const $ = (id) => document.getElementById(id);

/** Fills every element that names a string: data-text, and data-text-ATTRIBUTE. */
export function fillTexts(root) {
	for (const el of root.querySelectorAll('*')) {
		for (const [key, value] of Object.entries(el.dataset)) {
			if (key === 'text')
				el.textContent = words(value);
			else if (key.startsWith('text'))
				el.setAttribute(key.slice(4).replace(/[A-Z]/g, (c, i) => (i ? '-' : '')
					+ c.toLowerCase()), words(value));
		}
	}
	if (root === document)
		document.documentElement.lang = language();
}

/** Shows a sentence, or hides the element when there is none. */
export function say(el, text) {
	el.textContent = text ?? '';
	el.hidden = !text;
}

/** An address or a name, isolated from the direction of what stands around it. */
export function bdi(el, text) {
	const inner = document.createElement('bdi');

	inner.textContent = text;
	el.replaceChildren(inner);
}

/** A round button's icon and what it is called. */
export function icon(button, name) {
	button.querySelector('use').setAttribute('href', `#i-${name}`);
}

export function pressed(button, on) {
	button.setAttribute('aria-pressed', String(on));
}

let announcing = null;

/** Tells a screen reader, politely, without moving anything on the page. */
export function announce(text) {
	const el = $('announce');

	// The same words twice in a row are read twice only when the region was empty in between.
	clearTimeout(announcing);
	el.textContent = '';
	announcing = setTimeout(() => { el.textContent = text ?? ''; }, 50);
}

/** Focus without a jump of the page, for headings of a view that has just appeared. */
export function focus(el) {
	el?.focus({ preventScroll: true });
}
