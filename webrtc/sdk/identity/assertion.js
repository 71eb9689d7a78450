// assertion.js - a=identity of a description, and what may be read from it (RFC 8827 §5, §7). Pure.
//
// Who uses it: the other files of this folder. Digests are compared as they stand in the descriptions, letter by
// letter, as Firefox does it; never in another case or order.

/** A line longer than this is not looked at: our assertions have 4 KiB at most, in base64 and JSON. */
export const LINE_MAX = 16384;

/**
 * All keys that a description promises, session and media level, each once: [{algorithm, digest}]. null: one of them
 * cannot be read as we read them, so a browser might see another key in it.
 */
export function keysOf(sdp) {
	const found = new Map();

	for (const line of String(sdp).split(/\r\n|\r|\n/)) {
		if (!/^\s*a\s*=\s*fingerprint/i.test(line))
			continue;
		const [, algorithm, digest] = /^a=fingerprint:(\S+) (\S+)$/.exec(line) ?? [];

		if (!digest)
			return null;
		found.set(`${algorithm} ${digest}`, { algorithm, digest });
	}
	return [...found.values()];
}

/** What an assertion for this description has to be about (RFC 8827 §7.4.1), or null: it has no key. */
export function contentsOf(sdp) {
	const fingerprint = keysOf(sdp);

	return fingerprint?.length ? JSON.stringify({ fingerprint }) : null;
}

/** Are all keys of the description, and at least one, among those that were asserted? */
export function covers(contents, sdp) {
	const keys = keysOf(sdp);
	let list;

	try {
		list = JSON.parse(contents).fingerprint;
	} catch {
		return false;
	}
	return Array.isArray(list) && keys?.length > 0 && keys.every((key) => list.some((one) =>
		one?.algorithm === key.algorithm && one.digest === key.digest));
}

/** A copy of the description with an identity, as the last line before the first section. null: as it is. */
export function withIdentity(sdp, value) {
	const at = value ? sdp.search(/^m=/m) : -1;

	return at < 0 ? sdp : `${sdp.slice(0, at)}a=identity:${value}\r\n${sdp.slice(at)}`;
}

/** The value of a=identity for what an IdP gave: {idp: {domain, protocol?}, assertion}. */
export function encode({ idp, assertion }) {
	const bytes = new TextEncoder().encode(JSON.stringify({ idp, assertion }));

	return btoa(String.fromCharCode(...bytes));
}

/**
 * The identity that a description comes with: {idp: {domain, protocol}, assertion, value}; {bad: true} for one that
 * cannot be read; null for none. Only the session's own lines count, and of several the first.
 */
export function identityOf(sdp) {
	const [session] = String(sdp).split(/^m=/m, 1);
	const value = /^a=identity:(\S+)/m.exec(session)?.[1];

	if (value === undefined)
		return null;
	try {
		if (value.length > LINE_MAX)
			return { bad: true };
		const bytes = Uint8Array.from(atob(value), (c) => c.charCodeAt(0));
		const { idp, assertion } = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
		const protocol = idp.protocol ?? 'default';

		if (typeof assertion !== 'string' || !proxyUrl(idp.domain, protocol))
			return { bad: true };
		return { idp: { domain: idp.domain, protocol }, assertion, value };
	} catch {
		return { bad: true };
	}
}

/**
 * Where an IdP's proxy is (RFC 8827 §7.5), or null: that is no domain, or no protocol. Domains only: an address
 * of numbers has no name to vouch for. Plain http for this very machine alone, as everywhere in Sluss.
 */
export function proxyUrl(domain, protocol = 'default', plain = globalThis.location?.protocol === 'http:') {
	let url;

	if (typeof domain !== 'string' || typeof protocol !== 'string' || !/^[^\s/\\?#@]{1,260}$/u.test(domain)
	    || !/^[^\s/\\]{1,100}$/u.test(protocol) || /%(2f|5c)/i.test(protocol) || /^\.\.?$/.test(protocol))
		return null;
	const local = /(^|\.)localhost(:\d+)?$/i.test(domain);

	try {
		url = new URL(`${local && plain ? 'http' : 'https'}://${domain}/.well-known/idp-proxy/${protocol}`);
	} catch {
		return null;
	}
	if (/^\[|^[\d.]+$/.test(url.hostname) || !(local || url.hostname.includes('.'))
	    || !url.pathname.startsWith('/.well-known/idp-proxy/'))
		return null;
	return url.href;
}

/** A domain as its labels stand in DNS, without a port; null for what is none. */
function host(domain) {
	try {
		return new URL(`https://${domain}`).hostname.replace(/\.$/, '');
	} catch {
		return null;
	}
}

/**
 * May this IdP give this name? Only `user@domain` of its own domain (RFC 8827 §8.1; IdPs for others' domains are
 * not trusted). An @ within the user is percent-encoded, so that no name looks like one of another domain.
 */
export function mayName(name, domain) {
	const parts = typeof name === 'string' && name.length <= 1024 ? name.split('@') : [];

	return parts.length === 2 && parts[0] !== '' && !/[\s\u0000-\u001f\u007f/]/u.test(name)
		&& host(parts[1]) !== null && host(parts[1]) === host(domain);
}
