/* idp/seal.h - what a site's identity provider signs assertions with, and the secret that its pseudonyms come from: made
 * by the site, kept in the store. The provider's thread. OpenSSL 3.
 *
 * There is one key in use; rotation makes another, and the one before stays published for limits.idp_key_keep_s, so that what
 * it has signed can be checked. RFC 7515 (JWS), RFC 7517 (JWK), RFC 7638 (a key's name), RFC 7518 §3.4 (ES256). */
#ifndef SLUSS_IDP_SEAL_H
#define SLUSS_IDP_SEAL_H

#include "gateway/provider.h"
#include <jansson.h>

enum {
	SEAL_TOKEN_MAX = 4096, /**< bytes of an assertion */
	SEAL_PSEUDONYM_LEN = PROVIDER_PSEUDONYM_LEN,
};
/** Explicit typing (RFC 8725 §3.11): a key used for nothing else, a token that is nothing else (RFC 8827 §7.6). */
#define SEAL_TYPE "webrtc-id+jwt"

struct seals;
struct seal;

/** @param keep_s  how long a key is published that is not in use any more.  Errors: ENOMEM. */
int seals_alloc(struct seals **sp, uint32_t keep_s);
/** The site's; made, with its key, when there is none. Borrowed. Errors: ENOMEM, EIO (OpenSSL), those of the store. */
int seals_get(struct seal **sp, struct seals *all, struct store *store, const char *site);
/** A new key comes into use. */
int seals_rotate(struct seals *all, struct store *store, const char *site);

/** The name of the key in use. Borrowed. */
const char *seal_kid(const struct seal *s);
/** {"keys":[…]}: the one in use, then those before. Owns: the caller's. */
json_t *seal_keys(const struct seal *s);
/** Signs `claims` as they are. *tokenp: mem string. Errors: EMSGSIZE more than SEAL_TOKEN_MAX bytes; ENOMEM, EIO. */
int seal_sign(char **tokenp, const struct seal *s, const json_t *claims);
/** Is it a token of ours? Then its claims. Owns: the caller's. Errors: EBADMSG with a static sentence in *whyp. */
int seal_open(json_t **claims, const char **whyp, const struct seal *s,
	      const char *token);
/** Who `user` is to `sector` (an origin or a peer): always the same there, and nowhere else.
 *  out[SEAL_PSEUDONYM_LEN + 1]. Errors: EIO. */
int seal_pseudonym(char *out, const struct seal *s, const char *user, const char *sector);

#endif
