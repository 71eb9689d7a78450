// tests/abuse/lib/lookalikes.mjs - certificates that look like a domain's and are not (RFC 5922 §7.1, RFC 6125).
//
// Each row: what it is, and its subjectAltName (as openssl's configuration writes it; raw DER where openssl
// would not let it through), its common name, and whether it proves DOMAIN after all.
import { Authority } from '../../lib/ca.mjs';

/** subjectAltName of dNSName (tag 2), URI (6) or email (1) entries whose bytes may be anything. */
function der(...entries) {
	const length = (n) => (n < 128 ? [n] : n < 256 ? [0x81, n] : [0x82, n >> 8, n & 255]);
	const names = entries.flatMap(([tag, text]) => [0x80 | tag, ...length(Buffer.byteLength(text, 'latin1')), ...Buffer.from(text, 'latin1')]);
	return `DER:${[0x30, ...length(names.length), ...names].map((b) => b.toString(16).padStart(2, '0')).join(':')}`;
}

const DNS = 2, URI = 6, EMAIL = 1;

export const lookalikes = (domain) => {
	const [first, ...rest] = domain.split('.');
	const parent = rest.join('.');
	return [
		{ what: 'the domain itself', san: `DNS:${domain}`, good: true },
		{ what: 'the domain among others', san: `DNS:a.test,DNS:${domain},DNS:b.test`, good: true },
		{ what: 'the domain in capitals', san: `DNS:${domain.toUpperCase()}`, good: true },
		{ what: 'a sip URI', san: `URI:sip:${domain},DNS:proxy.test`, good: true },
		{ what: 'wildcard of the parent', san: `DNS:*.${parent}` },
		{ what: 'wildcard below', san: `DNS:*.${domain}` },
		{ what: 'wildcard part', san: `DNS:${first.slice(0, 2)}*.${parent}` },
		{ what: 'a bare star', san: der([DNS, '*']) },
		{ what: 'common name only, no SAN', cn: domain, san: null },
		{ what: 'common name only, another SAN', cn: domain, san: 'DNS:other.test' },
		{ what: 'a subdomain', san: `DNS:sip.${domain}` },
		{ what: 'the domain in front of another', san: `DNS:${domain}.evil.test` },
		{ what: 'a longer label', san: `DNS:evil${domain}` },
		{ what: 'a label cut short', san: `DNS:${domain.slice(1)}` },
		{ what: 'a trailing letter', san: `DNS:${domain}x` },
		{ what: 'a hyphen', san: `DNS:${first}-.${parent}` },
		{ what: 'NUL after the domain', san: der([DNS, `${domain}\0.evil.test`]) },
		{ what: 'NUL before the domain', san: der([DNS, `\0${domain}`]) },
		{ what: 'a space behind', san: der([DNS, `${domain} `]) },
		{ what: 'a line end behind', san: der([DNS, `${domain}\r\n`]) },
		{ what: 'a list in one name', san: der([DNS, `evil.test/${domain}`]) },
		{ what: 'a semicolon and the domain', san: der([DNS, `evil.test;names=${domain}`]) },
		{ what: 'an empty name', san: der([DNS, '']) },
		{ what: 'an e-mail address', san: `email:alice@${domain}` },
		{ what: 'the domain as an e-mail name', san: der([EMAIL, domain]) },
		{ what: 'a sip URI of another, beside the domain (RFC 5922 §7.1: URIs first)', san: `URI:sip:evil.test,DNS:${domain}` },
		{ what: 'a sip URI with a user', san: `URI:sip:alice@${domain},DNS:proxy.test` },
		{ what: 'a sip URI whose user is the domain', san: `URI:sip:${domain}@evil.test` },
		{ what: 'a sip URI with NUL', san: der([URI, `sip:${domain}\0.evil.test`]) },
		{ what: 'an https URI', san: `URI:https://${domain}/` },
		{ what: 'an xmpp URI', san: `URI:xmpp:${domain}` },
		{ what: 'its homograph in punycode', san: 'DNS:xn--god-0na.test' },
		{ what: 'an address', san: 'IP:198.18.0.77' },
		{ what: 'a name of 64 KiB', san: der([DNS, `${'a.'.repeat(1000)}${domain}`]) },
	];
};

/** One leaf for each row: [{what, good, pair}]. */
export function makeLookalikes(ca, domain) {
	return lookalikes(domain).map(({ what, san, cn, good = false }, i) => {
		const name = `look-${i}`;
		const pair = ca.leaf(name, { cn: cn ?? `look-alike ${i}`, san: san === null ? [] : [san] });
		return { what, good, pair };
	});
}

/** Certificates that no one should let through a handshake: [{what, pair}]. */
export function makeUntrusted(ca, dir, domain) {
	const foreign = new Authority(dir, 'Somebody else');
	return [
		{ what: 'expired', pair: ca.expired(domain) },
		{ what: 'not yet valid', pair: ca.notYet(domain) },
		{ what: 'of an unknown CA', pair: foreign.valid(domain) },
		{ what: 'its chain is not sent', pair: ca.leaf('no-chain', { cn: domain, san: [`DNS:${domain}`], chain: false }) },
		{ what: 'for signing code', pair: ca.leaf('code', { cn: domain, san: [`DNS:${domain}`], usage: 'codeSigning' }) },
	];
}
