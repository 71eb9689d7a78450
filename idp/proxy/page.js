// page.js - what the provider's two pages have in common: asking the site, and words in the page.
//
// Who uses it: signin.js, identity.js.

import { pickWords } from './words.js';

export const { tag, fill: words } = pickWords(navigator.languages);
export const $ = (id) => document.getElementById(id);

/** One request of the provider's API. -> {status, body}; status 0: out of reach. */
export async function api(method, path, body) {
	try {
		const response = await fetch(`/idp/v1/${path}`, {
			method, cache: 'no-store', redirect: 'error', credentials: 'same-origin',
			headers: { 'X-Sluss-IdP': '1', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
			body: body === undefined ? undefined : JSON.stringify(body),
		});

		return { status: response.status, body: await response.json().catch(() => null) };
	} catch {
		return { status: 0, body: null };
	}
}

export function errorOf({ status, body }) {
	return status === 0 ? words('error.away') : tag === 'en' && body?.text || words('error');
}

/** Why the way by an OpenID provider led nowhere. */
export function errorWords(code) {
	return ['denied', 'expired', 'not-linked', 'other-account', 'name-taken', 'provider', 'busy'].includes(code) ? words(`error.${code}`)
		: words('signin.failed');
}

/** Shows a sentence, or hides the element. */
export function say(el, text) {
	el.textContent = text ?? '';
	el.hidden = !text;
}

/** One of the page's views. */
export function view(name) {
	for (const section of document.querySelectorAll('section[data-view]'))
		section.hidden = section.dataset.view !== name;
	document.querySelector(`section[data-view=${name}] h1`)?.focus();
}

/** Elements in a row: element('button', {type: 'button'}, 'text'). */
export function element(name, attributes = {}, ...inside) {
	const el = document.createElement(name);

	for (const [key, value] of Object.entries(attributes)) {
		if (value === true || typeof value === 'string')
			el.setAttribute(key, value === true ? '' : value);
	}
	el.append(...inside.filter((one) => one !== null));
	return el;
}

export function fillPage() {
	document.documentElement.lang = tag;
	document.title = words('title');
	for (const el of document.querySelectorAll('[data-text]'))
		el.textContent = words(el.dataset.text);
}
