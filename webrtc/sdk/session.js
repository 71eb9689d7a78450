// session.js - signing in and out over HTTP (docs/protocol.md "Signing in").
//
// Who uses it: phone.js; the page by way of Phone.site(), Phone.register() and so on. Cookies go to
// this page's own origin only; a program elsewhere shows a bearer token.

import { parseDomain } from './address.js';
import { SlussError } from './errors.js';

const LOOPBACK = /^(?:localhost|(?:[a-z0-9-]+\.)+localhost|127(?:\.\d+){3}|\[::1\])$/;

/**
 * Where a site is: 'beta.example', 'beta.example:8443', 'https://beta.example', or undefined for
 * this page's own origin. -> {origin, own}. Plain http is for loopback alone.
 */
export function siteOrigin(site, pageOrigin = globalThis.location?.origin) {
	if (site === undefined) {
		if (!pageOrigin || pageOrigin === 'null')
			throw new SlussError('bad-site', 'Outside a web page the site must be named.');
		return { origin: pageOrigin, own: true };
	}

	let url;
	try {
		url = new URL(/^https?:\/\//.test(site) ? site : `https://${site}`);
	} catch {
		throw new SlussError('bad-site');
	}
	const plain = url.protocol === 'http:';
	if (url.pathname !== '/' || url.search || url.hash || url.username || url.password
	    || (plain && !LOOPBACK.test(url.hostname))
	    || (!LOOPBACK.test(url.hostname) && !parseDomain(url.hostname)))
		throw new SlussError('bad-site');
	return { origin: url.origin, own: url.origin === pageOrigin };
}

/** The address of a site's WebSocket. */
export function socketUrl(origin) {
	return `${origin.replace(/^http/, 'ws')}/ws`;
}

/** One request of the HTTP API. -> the answer's JSON, or null. Throws SlussError. */
export async function api(origin, method, path, { body, token } = {}) {
	const headers = {};
	let response;

	if (body !== undefined)
		headers['Content-Type'] = 'application/json';
	if (token)
		headers.Authorization = `Bearer ${token}`;
	try {
		response = await fetch(`${origin}/api/v1/${path}`, {
			method,
			headers,
			body: body === undefined ? undefined : JSON.stringify(body),
			credentials: token ? 'omit' : 'same-origin',
			cache: 'no-store',
			redirect: 'error',
		});
	} catch (e) {
		throw new SlussError('unreachable', undefined, { cause: e });
	}

	const json = await response.json().catch(() => null);
	if (response.ok)
		return json;
	const retry = Number(response.headers.get('Retry-After'));
	throw new SlussError(json?.error ?? 'internal',
		json?.text ?? `The calling site answered with status ${response.status}.`,
		{ retryS: retry > 0 ? retry : undefined });
}
