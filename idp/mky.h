/* idp/mky.h - the media keys of a description, as the "mky" claim names them (RFC 8225 §5.2.2). Pure; any thread.
 *
 *   a=fingerprint:sha-256 4A:AD:…  ->  {"alg":"sha-256","dig":"4AAD…"}                                     */
#ifndef SLUSS_IDP_MKY_H
#define SLUSS_IDP_MKY_H

#include "lib/base.h"

enum { MKY_MAX = 8, MKY_ALG_MAX = 15, MKY_DIG_MAX = 128 };

struct mky {
	size_t n; /**< 0: no media key */
	struct mky_key {
		char alg[MKY_ALG_MAX + 1];
		char dig[MKY_DIG_MAX + 1]; /**< hex without colons */
	} v[MKY_MAX]; /**< distinct, sorted by the bytes of alg and dig */
};

/** All a=fingerprint of session and media, spelled as they are.
 *  Errors: EBADMSG one is malformed; EFBIG more than MKY_MAX different ones. */
int mky_read(struct mky *m, const char *sdp, size_t n);
/** Adds one, in its place. Errors: EBADMSG no token, no hex; EFBIG. */
int mky_add(struct mky *m, const char *alg, size_t alg_len, const char *dig,
	    size_t dig_len);
/** Adds what stands behind "a=fingerprint:", "sha-256 4A:AD:…". Errors: EBADMSG, EFBIG. */
int mky_add_line(struct mky *m, const char *p, size_t n);
/** Is every one spelled as RFC 8122 §5 wants it: algorithm in lower case, digits in upper case? Only that is signed:
 *  to rewrite it would sign what is not there. */
bool mky_canonical(const struct mky *m);
/** The same keys, whatever the case of their letters? */
bool mky_equal(const struct mky *a, const struct mky *b);
/** Is each of `a` in `b`, spelled the same to the letter, as browsers compare them? */
bool mky_within(const struct mky *a, const struct mky *b);

#endif
