// signin.js - a page elsewhere is given a sign-in for calls: the site's own pop-up asks the person.
//
// Who uses it: Phone.signIn(). The password never comes here. Both ends check who speaks: the window,
// its origin, and a `state` that this page made up for this one time.
//
//   this page  ── opens SITE/connect#state ──►  the site's pop-up: signs in, names this page, asks
//              ◄── ready ── ask ──►  …  ◄── token, to this page's origin alone ──

import { SlussError } from './errors.js';
import { siteOrigin } from './session.js';

/** A message may be on its way from a window that has closed. */
const LAST_WORDS_MS = 1000;
const LOOK_MS = 250;

function makeState() {
	return [...crypto.getRandomValues(new Uint8Array(16))]
		.map((b) => b.toString(16).padStart(2, '0')).join('');
}

/**
 * To be called from a click, since it opens a window. -> {site, token, user, expires}, for
 * Phone.connect().
 */
export function signIn({ site, signal } = {}) {
	const { origin } = siteOrigin(site);
	const state = makeState();

	if (signal?.aborted)
		throw new SlussError('aborted');
	if (typeof globalThis.open !== 'function' || !globalThis.location)
		throw new SlussError('unsupported-popup');
	const popup = globalThis.open(`${origin}/connect#${state}`, `sluss-${state}`,
		'popup,width=440,height=680');
	if (!popup)
		throw new SlussError('popup-blocked');

	return new Promise((resolve, reject) => {
		let closing = null;
		// No event tells that somebody has closed a window of another origin.
		const watch = setInterval(() => {
			if (popup.closed)
				closing ??= setTimeout(() => end(reject, new SlussError('not-allowed')), LAST_WORDS_MS);
		}, LOOK_MS);
		const giveUp = () => {
			popup.close();
			end(reject, new SlussError('aborted'));
		};

		function end(settle, value) {
			clearInterval(watch);
			clearTimeout(closing);
			globalThis.removeEventListener('message', heard);
			signal?.removeEventListener('abort', giveUp);
			settle(value);
		}
		function heard(ev) {
			if (ev.source !== popup || ev.origin !== origin || ev.data?.state !== state)
				return;
			if (ev.data.sluss === 'ready')
				popup.postMessage({ sluss: 'ask', state }, origin);
			else if (ev.data.sluss === 'refused')
				end(reject, new SlussError('not-allowed'));
			else if (ev.data.sluss === 'token')
				end(resolve, { site: origin, token: ev.data.token, user: ev.data.user,
					expires: ev.data.expires });
		}
		globalThis.addEventListener('message', heard);
		signal?.addEventListener('abort', giveUp);
	});
}
