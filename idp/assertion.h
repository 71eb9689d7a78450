/* idp/assertion.h - what a description says of its maker (a=identity, RFC 8827 §5), and the token in it that an
 * identity provider of our kind has signed. Pure; any thread, but for assertion_signed().
 *
 *   a=identity:eyJpZHAiOnsi…            base64 of {"idp":{"domain":"alpha.example","protocol":"sluss"},"assertion":"h.p.s"}
 *   h  {"alg":"ES256","kid":"…","typ":"webrtc-id+jwt"}
 *   p  {"iss":"https://alpha.example","sub":"alice@alpha.example","iat":…,"nbf":…,"exp":…,"jti":"…",
 *       "contents":"{\"fingerprint\":[…]}","origin":"https://shop.example","ctx":"frame","profile":{…}}  */
#ifndef SLUSS_IDP_ASSERTION_H
#define SLUSS_IDP_ASSERTION_H

#include "gateway/identity.h"
#include "idp/es256.h"
#include "idp/mky.h"

enum {
	ASSERTION_VALUE_MAX = 8192, /**< of the attribute, base64 */
	ASSERTION_TOKEN_MAX = 4096,
	ASSERTION_KID_MAX = 127,
	ASSERTION_LIFE_MAX_S = 600, /**< from iat to exp; ours live for half of it */
	ASSERTION_WHY_BYTES = CAUSE_TEXT_BYTES,
};

/** Who is said to vouch, and the token. */
struct assertion_line {
	char domain[IDENTITY_IDP_BYTES]; /**< lower case; ":port" when it is said */
	char host[ADDR_HOST_MAX + 1];    /**< that without the port */
	char protocol[32];
	char token[ASSERTION_TOKEN_MAX + 1];
};

/** A token that has been read; not believed. */
struct assertion {
	char kid[ASSERTION_KID_MAX + 1];
	char iss[ADDR_HOST_MAX + 1];    /**< the host of "https://host" */
	char peer[IDENTITY_NAME_BYTES]; /**< whom it is for; empty: anybody */
	int64_t iat_s, nbf_s, exp_s;
	struct mky keys;             /**< of `contents` */
	struct identity_person said; /**< name, origin, ctx, profile; no idp, no status */
	uint8_t sig[ES256_BYTES];
	size_t n_signed; /**< bytes of the token that are signed */
};

/** Is the first a=identity of the session part there? Borrows from the description. */
bool assertion_find(struct pl *value, const char *sdp, size_t n);
/** Opens it. Errors: EBADMSG, with a static sentence in *whyp. */
int assertion_open(struct assertion_line *l, const char **whyp, const char *value,
		   size_t n);
/** Reads a token. Errors: ENOTSUP it is none of our form, which every provider may choose for himself (RFC 8827 §7.4);
 *  EBADMSG it is, and it is wrong. Both with a static sentence in *whyp. */
int assertion_read(struct assertion *a, const char **whyp, const char *token);

/** What can be judged without the provider's keys: all but the signature. `keys` are those of the description: each
 *  must be in `contents`, spelled the same (RFC 8827 §7.4). The name must be the provider's own (§8.1), the time now,
 *  and the peer, where one is named, `callee` ("user@domain"). Errors: EBADMSG with words in `why`; ENOTSUP the name
 *  has letters that are not compared here. */
int assertion_judge(const struct assertion *a, char why[ASSERTION_WHY_BYTES],
		    const struct assertion_line *l, const struct mky *keys,
		    const char *callee, int64_t now_s, int64_t slack_s);
/** Is it the key's signature? The key's thread. */
bool assertion_signed(const struct assertion *a, const char *token, struct es256 *key);

#endif
