/* gateway/addr.h - the one canonical form of a user's address, which only this strict parser makes.
 *
 * Routing, filter, store and (later) signing compare addresses; all use this type, never wire text.
 * Canonical (identity.md 2.3, RFC 8224 §8.5): lower-case user and host, percent-escapes of unreserved
 * characters decoded, no port, no parameters, no password.   "SIP:Al%69ce@EXAMPLE.com;x" -> alice@example.com */
#ifndef SLUSS_GATEWAY_ADDR_H
#define SLUSS_GATEWAY_ADDR_H

#include "lib/base.h"

enum {
	ADDR_USER_MAX = 64,
	ADDR_HOST_MAX = 253,
	ADDR_TEXT_MAX = ADDR_USER_MAX + 1 + ADDR_HOST_MAX
};

struct addr {
	/** a-z 0-9 . _ + - only, no dot first or last; never empty */
	char user[ADDR_USER_MAX + 1];
	/** a DNS name of LDH labels, lower case, no trailing dot; no IP literal */
	char host[ADDR_HOST_MAX + 1];
};

/** What a person types or JSON carries: "user@domain", "sip:user@domain"; nothing else around it.
 *  Errors: EINVAL, *a untouched. */
int addr_parse(struct addr *a, const char *p, size_t n);
/** A SIP URI from the wire: sip: or sips:, with port, parameters and headers allowed and dropped;
 *  what Sofia lets through and must not pass here: two '@', %00, a port over 65535, control
 *  characters, bytes over 0x7f.  Errors: EINVAL; EPROTONOSUPPORT for another scheme (a 416);
 *  EDOM well formed, but no address of our kind (no user, IP host, user outside the alphabet). */
int addr_parse_uri(struct addr *a, const char *p, size_t n);
/** A domain alone, canonicalised into host[ADDR_HOST_MAX + 1]. Errors: EINVAL. */
int addr_host_parse(char *host, const char *p, size_t n);
/** An account's name: the alphabet of addr.user, 1 to ADDR_USER_MAX, canonicalised into `user`. */
int addr_user_parse(char *user, const char *p, size_t n);
/** "user@host" into buf[ADDR_TEXT_MAX + 1]; gives buf. */
const char *addr_text(char *buf, const struct addr *a);
bool addr_equal(const struct addr *a, const struct addr *b);
/** For logs: the user's first two bytes and the domain, "al…@alpha.example", into `buf`; gives buf. */
const char *addr_short(char *buf, const struct addr *a);
#define AT(a)       addr_text((char[ADDR_TEXT_MAX + 1]){0}, (a))
#define AT_SHORT(a) addr_short((char[ADDR_TEXT_MAX + 4]){0}, (a))

/** Copies a display name: valid UTF-8 without control characters and bidirectional marks, at most
 *  `size`-1 bytes cut at a character; everything else is left out. Gives dst. */
const char *addr_name_clean(char *dst, size_t size, const char *p, size_t n);

#endif
