/* idp/openid_token.h - what a provider of OpenID Connect says: its configuration, its keys, its ID tokens. Pure; any thread.
 * OpenID Connect Core 1.0 §3.1.3.7 (checks of an ID token), Discovery 1.0 §3, §4.3; RFC 7515, 7517 by cjose. */
#ifndef SLUSS_IDP_OPENID_TOKEN_H
#define SLUSS_IDP_OPENID_TOKEN_H

#include "lib/base.h"

enum {
	OPENID_URL_MAX = 1023,
	OPENID_SUB_MAX = 255, /**< Core §2 */
	OPENID_NAME_MAX = 255,
	OPENID_EMAIL_MAX = 320,
	OPENID_KEYS_MAX = 64,
	OPENID_LEEWAY_S = 60, /**< clocks may differ by so much */
};

/** A provider's configuration. */
struct openid_meta {
	char authorization[OPENID_URL_MAX + 1], token[OPENID_URL_MAX + 1],
		keys[OPENID_URL_MAX + 1];
	char userinfo[OPENID_URL_MAX + 1]; /**< empty: none */
	bool post_secret; /**< it takes the client's secret in the body only */
	bool says_issuer; /**< RFC 9207: its answers carry `iss` */
};
/** @param issuer  what the configuration file says; the document must say the same, letter by letter
 *  Errors: EBADMSG with a static sentence in *whyp. */
int openid_meta_parse(struct openid_meta *m, const char **whyp, const char *issuer,
		      const void *p, size_t n);

/** Its keys. Owns: *kp by mem_deref. Those of a kind that no signature here is made with are left out.
 *  Errors: EBADMSG with a static sentence in *whyp; ENOMEM. */
struct openid_keys;
int openid_keys_parse(struct openid_keys **kp, const char **whyp, const void *p,
		      size_t n);

/** Who somebody is. All but sub may be empty. */
struct openid_person {
	char sub[OPENID_SUB_MAX + 1];
	char name[OPENID_NAME_MAX + 1];
	char user[OPENID_NAME_MAX + 1]; /**< preferred_username */
	char picture[OPENID_URL_MAX + 1];
	char email[OPENID_EMAIL_MAX + 1];
	bool email_verified;
};
struct openid_expect {
	const char *issuer, *client_id, *nonce;
	int64_t now_s;
};
/** Checks a compact JWS: its signature (RS256, PS256, ES256 and their longer kin, never none or HS256), whom it is for, when,
 *  and that it answers our request.  Errors: EBADMSG with a static sentence in *whyp; ENOENT: it is signed with a key that
 *  is not among these (they may have changed); ENOMEM. */
int openid_token_check(struct openid_person *person, const char **whyp,
		       const struct openid_keys *keys, const char *token,
		       const struct openid_expect *expect);

/** The answer of the token address. id_token and access_token: mem strings, the second may be NULL.
 *  Errors: EBADMSG with a static sentence in *whyp; ENOMEM. */
int openid_tokens_parse(char **id_tokenp, char **access_tokenp, const char **whyp,
			const void *p, size_t n);
/** Adds what the token did not say. Errors: EBADMSG it is about somebody else, or is no JSON. */
int openid_userinfo_add(struct openid_person *person, const void *p, size_t n);

#endif
