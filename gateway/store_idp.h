/* gateway/store_idp.h - what the store keeps for the identity provider of a site: its keys, sessions of people at it, whom
 * they let have their name, and how much of it. Thread: one that has a store of its own. All calls block.
 *
 * A session is a person's at the provider itself. A consent lets pages of one origin have assertions; grants (what a frame on
 * such a page shows) and codes (what gets it one) end with it. All of it ends with the account. */
#ifndef SLUSS_GATEWAY_STORE_IDP_H
#define SLUSS_GATEWAY_STORE_IDP_H

#include "gateway/store.h"

enum {
	STORE_KID_MAX =
		43, /**< base64url of 32 bytes: a key's name and its coordinates */
	STORE_KEY_SECRET_MAX = 400, /**< hex */
	STORE_CLAIMS_MAX = 63,      /**< words with a blank between; "*": all */
	STORE_RULES_MAX = 64,
	STORE_WHOM_MAX = 389, /**< an origin, or user@domain */
	STORE_PROFILE_NAME_MAX = 255,
	STORE_PROFILE_URL_MAX = 1023,
	STORE_PROFILE_EMAIL_MAX = 320,
	STORE_CHALLENGE_LEN = 43, /**< base64url of a SHA-256 */
};

/** A key that assertions are signed with. */
struct store_idp_key {
	char kid[STORE_KID_MAX + 1], x[STORE_KID_MAX + 1], y[STORE_KID_MAX + 1];
	char secret[STORE_KEY_SECRET_MAX + 1]; /**< the private half; to be wiped */
	int64_t created_s, retired_s;          /**< retired 0: in use */
};
/** *v: mem array, the one in use first. */
int store_idp_keys(struct store *s, const char *site, struct store_idp_key **v,
		   size_t *n);
/** From now on this one is in use. Errors: EEXIST. */
int store_idp_key_add(struct store *s, const char *site, const struct store_idp_key *key);
/** Removes those that were retired at that time or before. */
int store_idp_keys_sweep(struct store *s, const char *site, int64_t until_s);
/** The secret of pseudonyms; `fresh` becomes it when there is none. out[STORE_TOKEN_HEX + 1]. */
int store_idp_secret(struct store *s, const char *site, const char *fresh, char *out);

/** A session; the oldest goes when there are `max`. Only while the password's hash is `hash` (NULL: any).
 *  Errors: ENOENT. */
int store_idp_session_add(struct store *s, const char *site, const char *user,
			  const char *hash, const char *token, int64_t expires_s,
			  uint32_t max);
/** user[ADDR_USER_MAX + 1]. Errors: ENOENT unknown, over. */
int store_idp_session_find(struct store *s, const char *site, const char *token,
			   int64_t now_s, char *user);
/** Errors: ENOENT. */
int store_idp_session_end(struct store *s, const char *site, const char *token);
/** All sessions and grants of `user`; within the caller's transaction, if there is one. */
int store_idp_end_all(struct store *s, const char *site, const char *user);

struct store_consent {
	char origin[STORE_ORIGIN_MAX + 1];
	bool frames; /**< also frames on its pages, not the browser alone */
	bool own;    /**< the site's own page, which was not asked about */
	char claims[STORE_CLAIMS_MAX + 1];
	int64_t since_s, used_s; /**< used: to some minutes; 0: never */
};
/** New, or changed. Frames that are not wanted any more: their grants end. Errors: ENOENT no such user. */
int store_idp_consent_set(struct store *s, const char *site, const char *user,
			  const struct store_consent *c);
/** The site's own page: with frames, unless the person has said otherwise. */
int store_idp_consent_own(struct store *s, const char *site, const char *user,
			  const char *origin);
/** Errors: ENOENT. */
int store_idp_consent(struct store *s, const char *site, const char *user,
		      const char *origin, struct store_consent *c);
/** *v: mem array, oldest first. */
int store_idp_consents(struct store *s, const char *site, const char *user,
		       struct store_consent **v, size_t *n);
/** Notes now and then that it was used. */
int store_idp_consent_used(struct store *s, const char *site, const char *user,
			   const struct store_consent *c, int64_t now_s);
/** With its grants and codes. Errors: ENOENT. */
int store_idp_consent_end(struct store *s, const char *site, const char *user,
			  const char *origin);

/** What a code is for. */
struct store_code {
	char user[ADDR_USER_MAX + 1];
	char origin[STORE_ORIGIN_MAX + 1];
	char challenge[STORE_CHALLENGE_LEN + 1];
	bool own; /**< of the site's own page */
};
/** Errors: ENOENT no consent. */
int store_idp_code_add(struct store *s, const char *site, const struct store_code *c,
		       const char *code, int64_t expires_s);
/** Finds it and removes it, whatever comes of it. Errors: ENOENT unknown, over. */
int store_idp_code_take(struct store *s, const char *site, const char *code,
			int64_t now_s, struct store_code *c);
/** A grant for a frame on pages of `origin`; the oldest of that origin goes when there are `max`.
 *  Errors: ENOENT no consent. */
int store_idp_grant_add(struct store *s, const char *site, const char *user,
			const char *origin, const char *token, int64_t expires_s,
			uint32_t max);
/** Also lets it hold until `until_s`, when that is an hour more at least. user[ADDR_USER_MAX + 1],
 *  origin[STORE_ORIGIN_MAX + 1]. Errors: ENOENT unknown, over. */
int store_idp_grant_find(struct store *s, const char *site, const char *token,
			 int64_t now_s, int64_t until_s, char *user, char *origin);

struct store_rule {
	char whom[STORE_WHOM_MAX + 1]; /**< "anyone", an origin, user@domain */
	char reveal[16];               /**< "full", "pseudonym", "none" */
	char claims[STORE_CLAIMS_MAX + 1];
};
/** *v: mem array, in their order. */
int store_idp_rules(struct store *s, const char *site, const char *user,
		    struct store_rule **v, size_t *n);
/** All of them anew. Errors: ENOENT no such user. */
int store_idp_rules_set(struct store *s, const char *site, const char *user,
			const struct store_rule *v, size_t n);

/** Each may be empty. */
struct store_profile {
	char name[STORE_PROFILE_NAME_MAX + 1];
	char picture[STORE_PROFILE_URL_MAX + 1];
	char email[STORE_PROFILE_EMAIL_MAX + 1];
	bool email_verified;
};
/** Empty when there is none. */
int store_idp_profile(struct store *s, const char *site, const char *user,
		      struct store_profile *p);
/** Errors: ENOENT no such user. */
int store_idp_profile_set(struct store *s, const char *site, const char *user,
			  const struct store_profile *p);

/** Whose account is (issuer, sub) of an OpenID provider? Notes that it was used. user[ADDR_USER_MAX + 1].
 *  Errors: ENOENT. */
int store_idp_upstream(struct store *s, const char *site, const char *issuer,
		       const char *sub, char *user);
/** Errors: EEXIST, ENOENT no such user. */
int store_idp_upstream_add(struct store *s, const char *site, const char *issuer,
			   const char *sub, const char *user);

/** How many of that provider are linked to `user`. */
int store_idp_upstream_count(struct store *s, const char *site, const char *issuer,
			     const char *user, unsigned *n);
/** None of that provider is any more. Errors: ENOENT none was. */
int store_idp_upstream_end(struct store *s, const char *site, const char *issuer,
			   const char *user);

#endif
