/* sip/digest.h - answers to a trunk's challenges: HTTP digest as SIP uses it. Pure.
 *
 *   401  WWW-Authenticate: Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth"
 *   next Authorization: Digest username="u", realm="r", nonce="n", uri="sip:…", response="…", …
 * RFC 7616, RFC 8760 (SHA-256 before MD5), RFC 3261 §22. Sofia's auc_* knows MD5 alone and answers every realm. */
#ifndef SLUSS_SIP_DIGEST_H
#define SLUSS_SIP_DIGEST_H

#include "sip/sofia.h"

enum { DIGEST_WORD = 256, DIGEST_LINE = 2048 };

enum digest_hash { DIGEST_NONE, DIGEST_MD5, DIGEST_SHA256 };

/** The challenge that is answered now. Zeroed: none has come yet. */
struct digest {
	enum digest_hash hash;
	bool proxy; /**< it was a 407 */
	bool qop;   /**< it offers qop=auth */
	char realm[DIGEST_WORD], nonce[DIGEST_WORD], opaque[DIGEST_WORD];
	uint32_t count; /**< requests that carried this nonce */
};

/** Takes the challenge out of a 401 or 407: the best hash that it offers for `realm`, in full and no other (a challenge of
 *  somebody behind the trunk gets no answer).
 *  Errors: ENOENT no challenge that is understood; EACCES other realms only, `other` (DIGEST_WORD) names one. */
int digest_learn(struct digest *d, const sip_t *response, const char *realm, char *other);
/** The whole header line for the next request. Counts. Errors: ENOENT nothing has been learnt; EOVERFLOW; EIO. */
int digest_print(char line[DIGEST_LINE], struct digest *d, const char *user,
		 const char *password, const char *method, const char *uri);
/** The same with this cnonce, for tests. */
int digest_print_with(char line[DIGEST_LINE], struct digest *d, const char *user,
		      const char *password, const char *method, const char *uri,
		      const char *cnonce);

#endif
