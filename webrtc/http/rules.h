/* webrtc/http/rules.h - what is let in: hosts, origins, cookies, tokens, paths, as they stand in request
 * headers. Pure; everything is (pointer, length), as it came. */
#ifndef SLUSS_WEBRTC_HTTP_RULES_H
#define SLUSS_WEBRTC_HTTP_RULES_H

#include "gateway/config.h"
#include "gateway/store.h"
#include "lib/base.h"

/** "alpha.example" or "Alpha.Example:8443" into host[ADDR_HOST_MAX + 1] (canonical) and *port (0: not
 *  said). Errors: EINVAL. Source: RFC 9110 §7.2. */
int rules_host(char *host, unsigned *port, const char *p, size_t n);

enum { RULES_ORIGIN_MAX = 8 + ADDR_HOST_MAX + 6 };
/** "https://alpha.example:8443" into buf[RULES_ORIGIN_MAX + 1]; a default port is left out. Gives buf.
 *  Source: RFC 6454 §6.2. */
const char *rules_origin(char *buf, bool tls, const char *host, unsigned port);
/** May a page of this origin speak for a signed-in user here? Compared byte for byte: its own, or one
 *  that the site lists. p NULL: no Origin header; allowed only where "none" is listed. */
bool rules_origin_allowed(const struct site_config *site, const char *own, const char *p,
			  size_t n);

/** The sign-in in a Cookie header: the first cookie of that name whose value is a token.
 *  token[STORE_TOKEN_HEX + 1]; gives whether there was one. */
bool rules_cookie(char *token, const char *name, const char *p, size_t n);
/** "Bearer TOKEN". */
bool rules_bearer(char *token, const char *p, size_t n);
/** A decimal number without sign, up to 10 digits. Errors: EINVAL. */
int rules_length(uint64_t *v, const char *p, size_t n);
/** Is `word` one of the comma separated words? */
bool rules_list_has(const char *p, size_t n, const char *word, bool any_case);
/** A Sec-WebSocket-Key: 16 bytes in base64. */
bool rules_ws_key(const char *p, size_t n);
/** A path that may name a file: '/', then segments of A-Z a-z 0-9 . _ - that do not begin with '.'; no
 *  empty ones but the last. */
bool rules_path(const char *p, size_t n);

#endif
