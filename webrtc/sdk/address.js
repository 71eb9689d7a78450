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
 * A telephone number as people write it, in digits, perhaps behind a plus: "+49 (0)30 123-45" -> "+493012345"; or
 * null. RFC 3966 §5.1.1.
 */
export function parseNumber(text) {
	const plain = text.trim();
	if (!/^\+?[\d\s().\/-]+$/u.test(plain))
		return null;
	const digits = plain.replace(/^(\+[\d\s]+)\(0\)/, '$1').replace(/[^\d+]/gu, '');
	return /^\+?\d{1,31}$/.test(digits) ? digits : null;
}

/** The number in an address ("+4930123@alpha.example"), or null: the address is a person's. */
export function numberOf(address) {
	return /^(\+?\d{1,31})@/.exec(address)?.[1] ?? null;
}

/**
 * "Per@Beta.Example", "sip:per@beta.example;user=phone", "per" (at `ownSite`), "+49 30 123" and "tel:+49-30-123"
 * (a number, which the own site calls) -> {user, domain, address}. Throws SlussError 'bad-address'.
 */
export function parseAddress(text, ownSite) {
	let rest = String(text).trim();
	const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(rest);

	if (scheme && /^tel$/i.test(scheme[1])) {
		rest = parseNumber(rest.slice(scheme[0].length).split(/[;?]/, 1)[0]);
		if (!rest)
			throw new SlussError('bad-address', 'That is no telephone number.');
	} else if (scheme && /^(?:sips?|(?:web\+)?sluss)$/i.test(scheme[1]))
		rest = rest.slice(scheme[0].length).split(/[;?]/, 1)[0];
	else if (scheme)
		throw new SlussError('bad-address', `“${scheme[1]}:” addresses cannot be called. `
			+ 'An address looks like name@site.example.');
	if (!rest)
		throw new SlussError('bad-address');
	rest = parseNumber(rest) ?? rest;

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
