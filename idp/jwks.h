/* idp/jwks.h - the keys that an identity provider has published (RFC 7517), as its address gave them. Identity thread.
 *
 *   {"keys":[{"kty":"EC","crv":"P-256","x":"…","y":"…","kid":"…","use":"sig","alg":"ES256"}]}            */
#ifndef SLUSS_IDP_JWKS_H
#define SLUSS_IDP_JWKS_H

#include "idp/es256.h"

enum {
	JWKS_KEYS_MAX = 32, /**< of one set that are looked at */
	JWKS_KID_MAX = 127,
};

/** Where a provider's are: "https://" domain and this. */
#define JWKS_PATH "/.well-known/sluss/jwks.json"

struct jwks;

/** Reads a set. Keys that are not for ES256 are left out, and so are those with their private half in them and the
 *  second of one name. Owns: *jp by mem_deref. Errors: EBADMSG with a static sentence in *whyp: not one is usable; ENOMEM. */
int jwks_alloc(struct jwks **jp, const char **whyp, const void *p, size_t n);
/** Borrowed. NULL: it has no key of that name. */
struct es256 *jwks_key(const struct jwks *j, const char *kid);
size_t jwks_count(const struct jwks *j);

#endif
