// address.js - what a person types, made into an address. Pure.
//
// Who uses it: Phone.call(). The site's own parser (gateway/addr.h) has the last word; this one is
// there to say at once, and in words, what is wrong. RFC 3261 §19.1.1, RFC 5891 by way of URL.

import { SlussError } from './errors.js';

const USER = /^[a-z0-9_+-](?:[a-z0-9._+-]{0,62}[a-z0-9_+-])?$/;
const HOST = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;
const IPV4 = /^\d+(?:\.\d+){3}$/;

/** A domain in its wire form (lower case, IDN as xn--), or null. */
export function parseDomain(text) {
	let host = text.trim().toLowerCase().replace(/\.$/, '');

	if (/[^\x00-\x7f]/.test(host)) {
		// The URL parser is the browser's own IDNA; nothing else is taken from it.
		if (/[\s/\\?#@:[\]%]/.test(host))
			return null;
		try {
			host = new URL(`https://${host}/`).hostname;
		} catch {
			return null;
		}
	}
	return HOST.test(host) && !IPV4.test(host) ? host : null;
}

/**
 * "Per@Beta.Example", "sip:per@beta.example;user=phone", "per" (at `ownSite`) -> {user, domain,
 * address}. Throws SlussError 'bad-address'.
 */
export function parseAddress(text, ownSite) {
	let rest = String(text).trim();
	const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(rest);

	if (scheme && /^(?:sips?|(?:web\+)?sluss)$/i.test(scheme[1]))
		rest = rest.slice(scheme[0].length).split(/[;?]/, 1)[0];
	else if (scheme)
		throw new SlussError('bad-address', `“${scheme[1]}:” addresses cannot be called. `
			+ 'An address looks like name@site.example.');
	if (!rest)
		throw new SlussError('bad-address');

	const parts = rest.split('@');
	if (parts.length > 2)
		throw new SlussError('bad-address', 'An address has one @ only.');
	if (parts.length === 1 && !ownSite)
		throw new SlussError('bad-address');

	const user = parts[0].toLowerCase();
	const domain = parts.length === 2 ? parseDomain(parts[1]) : ownSite;
	if (!USER.test(user))
		throw new SlussError('bad-address', user
			? 'The name before the @ may have letters a to z, digits and . _ + - only.'
			: 'The name before the @ is missing.');
	if (!domain)
		throw new SlussError('bad-address', parts[1].trim()
			? 'What follows the @ is not a domain name.'
			: 'The site after the @ is missing.');
	return { user, domain, address: `${user}@${domain}` };
}
