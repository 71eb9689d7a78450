/* gateway/sdes.h - the keys of an a=crypto line (RFC 4568, RFC 7714 §14.1). Pure; any thread.
 *
 *   a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^48
 *            tag      suite                        base64(key, salt)           lifetime, no MKI            */
#ifndef SLUSS_GATEWAY_SDES_H
#define SLUSS_GATEWAY_SDES_H

#include "gateway/media.h"

enum {
	SDES_TAG_MAX = 999999999, /**< nine digits */
	SDES_TEXT = 128, /**< characters of a line's value at most, with the NUL */
};

/** Reads the value behind "a=crypto:"; `keys` and *tagp are untouched on failure.
 *  Errors: EBADMSG: malformed, or keys of another length than the suite's; ENOTSUP: another suite, an MKI,
 *  several keys, a lifetime under 2^16 packets, a parameter that weakens or that we do not have: the line
 *  is not chosen, another one may be. */
int sdes_parse(struct media_sdes *keys, uint32_t *tagp, const char *p, size_t n);
/** Writes a line's value with the suite of `keys`. Errors: EINVAL: no such suite. */
int sdes_print(char out[SDES_TEXT], uint32_t tag, const struct media_sdes *keys);
/** The suites in the order in which we like them; 0: no more. */
uint16_t sdes_suite(size_t i);

#endif
