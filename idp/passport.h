/* idp/passport.h - a PASSporT (RFC 8225): written in its one canonical form, read strictly. Pure; any thread.
 *
 *   {"alg":"ES256","typ":"passport","x5u":"https://…"}
 *   {"dest":{"uri":["sip:bob@beta.example"]},"iat":1443208345,"mky":[{"alg":"sha-256","dig":"4AAD…"}],
 *    "orig":{"uri":"sip:alice@alpha.example"}}                          members in the order of their names  */
#ifndef SLUSS_IDP_PASSPORT_H
#define SLUSS_IDP_PASSPORT_H

#include "idp/header.h"
#include "idp/mky.h"
#include "idp/name.h"

enum {
	PASSPORT_DEST_MAX = 16, /**< people one call is for */
	PASSPORT_JSON_MAX = HEADER_BYTES_MAX,
	PASSPORT_CLAIM_MAX = 511, /**< bytes of one name in a claim */
	PASSPORT_ORIGID_MAX = 63,
};

/** What a token of somebody else's says: not canonical, not believed. */
struct passport_claim {
	bool tn;
	char text[PASSPORT_CLAIM_MAX + 1];
};

struct passport {
	char alg[HEADER_WORD_MAX + 1], typ[HEADER_WORD_MAX + 1];
	char ppt[HEADER_WORD_MAX + 1]; /**< empty: none */
	char x5u[HEADER_URL_MAX + 1];
	struct passport_claim orig;
	struct passport_claim dest[PASSPORT_DEST_MAX];
	size_t n_dest;
	int64_t iat_s; /**< since 1970 */
	bool has_mky;
	struct mky mky;
	/* ppt "shaken" (RFC 8588 §4, §5) */
	char attest; /**< 'A', 'B', 'C'; 0: none */
	char origid[PASSPORT_ORIGID_MAX + 1];
};

/** Reads the two JSON texts, base64url. Unknown claims are left alone; a member twice, a text that is not UTF-8,
 *  "crit" (there is none that we know) and a time that is no whole number are refused.
 *  Errors: EBADMSG with a static sentence in *whyp; ENOMEM. */
int passport_parse(struct passport *p, const char **whyp, const struct pl *header,
		   const struct pl *payload);

/** What is signed: "base64url(header).base64url(payload)" of a PASSporT from `orig` to `dest` with these media keys
 *  (none: no mky). `ppt` empty or NULL: none. Gives the bytes written to buf, 0 when they are more than `size`, or
 *  something in it would need escaping, which our types do not let happen. */
size_t passport_print(char *buf, size_t size, const char *alg, const char *ppt,
		      const char *x5u, const struct name *orig, const struct name *dest,
		      int64_t iat_s, const struct mky *mky);
/** Does the claim say exactly this? */
bool passport_claim_is(const struct passport_claim *c, const struct name *name);

#endif
