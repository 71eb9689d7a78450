// words.js - from what the SDK says to what a person reads. Pure.
//
// Who uses it: the views. Words come from the message files (language.js); names and addresses that are filled in are
// isolated (Unicode FSI … PDI), so that right-to-left text stays in its place.

import { numberOf } from '../sdk/address.js';
import { texts } from '../sdk/errors.js';
import { language, messages } from './language.js';

const FSI = '\u2068', PDI = '\u2069';

/** The string of a key, filled in; undefined when there is none. */
export function words(key, fill = {}) {
	const text = messages()[key];

	return text?.replace(/\{(\w+)\}/g, (all, name) => (typeof fill[name] === 'string'
		? `${FSI}${fill[name]}${PDI}` : fill[name] ?? all));
}

let book = () => null;

/** Whose own name for somebody counts: a function (remote) -> name or null. */
export function nameBy(find) {
	book = find;
}

/** What to call somebody: as one has written them down, else the name they give, else the number or address. */
export function whoIs(remote) {
	return book(remote) || remote.name || shown(remote.address);
}

/** Does a call of this address come from, or go to, the telephone network? What it shows there nobody proves, but for a number that is signed. */
export function isTelephone(address) {
	return numberOf(address) !== null || address.endsWith('.invalid');
}

/** What is proved of where a call comes from, of its site or its number. */
export function siteWords({ address, site: { domain, verified, identity } }) {
	const telephone = identity === 'verified' ? 'incoming.telephone.signed' : 'incoming.telephone';

	return words(verified ? 'incoming.verified' : isTelephone(address) ? telephone : 'incoming.unverified', { site: domain });
}

/** An address as people read it: a telephone number without the site that has called it, or that its owner withholds. */
export function shown(address) {
	if (address === 'anonymous@anonymous.invalid')
		return words('caller.withheld');
	return numberOf(address) ?? address;
}

/** One or two letters for the round picture. */
export function initials(remote) {
	const parts = (book(remote) || remote.name || remote.address.split('@')[0]).split(/[\s._+-]+/u).filter(Boolean);
	const letters = parts.map((p) => [...p].find((c) => /[\p{L}\p{N}]/u.test(c)) ?? '').filter(Boolean);

	return (letters.length > 1 ? letters[0] + letters.at(-1) : letters[0] ?? '?').toUpperCase();
}

/** Seconds as 0:07, 12:34, 1:02:03. */
export function duration(s) {
	const two = (n) => String(n).padStart(2, '0');
	const whole = Math.max(0, Math.floor(s));
	const h = Math.floor(whole / 3600), m = Math.floor(whole / 60) % 60;

	return h ? `${h}:${two(m)}:${two(whole % 60)}` : `${m}:${two(whole % 60)}`;
}

/** An error of the SDK, or of a browser, as a sentence. */
export function errorWords(e) {
	const ours = words(`error.${e.code}`);
	// In English, what the site says itself, or the SDK about this very case, says more than the code.
	const text = language() === 'en'
		? (e.message === texts[e.code] ? ours : null) ?? e.message
		: ours ?? `${words('error.other')} (${e.message})`;

	return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The state line of a call. */
export function stateWords(call) {
	if (call.interrupted)
		return words('state.interrupted');
	if (call.away)
		return words('state.away', { site: call.away });
	if (call.state === 'held' && call.held.remote && !call.held.local)
		return words('state.held.remote');
	if (call.early)
		return words('state.early');
	return words(`state.${call.state}`);
}

/** Reasons that speak of somebody who was never reached; after a talk they mean that it was cut off. */
const NEVER_REACHED = new Set(['no-answer', 'offline', 'not-found', 'no-route', 'unreachable', 'timeout']);

/** Reasons of many causes: the site's sentence says which, so it stays even in another language. */
const SITE_KNOWS = new Set(['unreachable', 'forbidden', 'media', 'limit', 'no-route']);

/**
 * How a call ended -> {title, text}: our headline, and the sentence that came with the cause.
 * @param connectedAt  of the call: was there a talk before?
 */
export function endWords({ cause: { reason, text }, connectedAt }) {
	const how = connectedAt && reason === 'elsewhere' ? 'moved' : reason;
	const title = connectedAt && NEVER_REACHED.has(reason) ? words('end.lost')
		: words(`end.${how}`) ?? words('end.other');
	const below = words(`end.${how}.text`) ?? (language() === 'en' ? text : explain(reason, text));

	return { title, text: below === title ? '' : below };
}

/** The site speaks English; here is what its reason means in the language of the page. */
function explain(reason, text) {
	const ours = words(`explain.${reason}`) ?? words('explain.other', { reason: text });

	return SITE_KNOWS.has(reason) ? `${ours} (${text})` : ours;
}

/**
 * Who somebody is, as far as it is proved -> {text, tone}, or null: there is nothing to say. An @ within a name stays
 * written as %40, so that no name looks like one of another domain.
 * @param change  what known.js has found
 */
export function identityWords({ identity }, change = null) {
	const { status, name, idp, profile, by, checking, why } = identity ?? {};
	const known = profile?.name && profile.name !== name ? `${profile.name} (${name})` : name;
	const mail = profile?.email ? ` ${words(profile.emailVerified ? 'identity.email' : 'identity.email.unproved', { email: profile.email })}` : '';
	const warning = change ? ` ${words(`identity.changed.${change}`)}` : '';

	if (status === 'mismatch')
		return { text: words('identity.mismatch'), tone: 'warn' };
	if (status === 'verified')
		return { text: words(by === 'site' ? 'identity.site' : 'identity.verified', { name: known, idp }) + mail + warning,
			tone: change ? 'warn' : by === 'site' ? 'plain' : 'good' };
	if (change)
		return { text: words(`identity.changed.${change}`), tone: 'warn' };
	if (checking)
		return { text: words('identity.checking'), tone: 'plain' };
	return why ? { text: words('identity.unchecked'), tone: 'plain' } : null;
}

/** Media mode and encryption -> {title, text, media, tone}, or null while nobody has said anything. */
export function securityWords({ media, encryption }) {
	if (!media || !encryption)
		return null;
	return {
		title: words(`security.${encryption}`),
		text: words(`security.${encryption}.${media}`) ?? words(`security.${encryption}.text`),
		media: words(`media.${media}`),
		tone: { 'end-to-end': 'good', claimed: 'plain', 'to-gateway': 'warn' }[encryption] ?? 'warn',
	};
}
