/* idp/openid_own.h - what openid.c (the thread, its requests to providers) and openid_work.c (what is said to the browser,
 * whose account it is) share. The openid thread. */
#ifndef SLUSS_IDP_OPENID_OWN_H
#define SLUSS_IDP_OPENID_OWN_H

#include "idp/openid.h"
#include "idp/openid_flow.h"
#include "idp/openid_token.h"

/** A provider, and what it has told. */
struct openid_provider {
	const struct openid_config *config;
	struct openid_meta meta;
	uint64_t meta_until_us; /**< 0: not known */
	uint64_t failed_us;     /**< when it could not be had; 0: it could */
	struct openid_keys *keys;
	uint64_t keys_at_us;
	bool meta_comes, keys_come; /**< asked for: for all turns that wait for it */
};

/** What a request waits for. */
enum openid_needs { OPENID_GOES, OPENID_NEEDS_META, OPENID_NEEDS_KEYS };

/** One request of a browser while it is worked on. */
struct openid_turn {
	struct le le;
	struct openid *o;
	uint32_t id;
	struct provider_request *r; /**< owned */
	struct openid_provider *provider;
	struct flow flow;
	char cookie[STORE_TOKEN_HEX + 1]; /**< of the flow */
	char *code, *id_token, *access_token;
	struct openid_person person;
	bool says_issuer; /**< the answer carries `iss`, and it is the right one */
	bool renewed;     /**< its keys have been fetched for this one */
	enum openid_needs waits;
};

/** What openid_work.c is given. */
struct openid_desk {
	const struct config *config;
	struct store *store;
	struct secret_mac *key;
	struct openid_provider *providerv;
	int64_t now_s;
};

/** [{name, title, link?, linked?}] */
struct provider_answer *openid_list(const struct openid_desk *d,
				    const struct provider_request *r);
/** Not linked to the person who is signed in any more. */
struct provider_answer *openid_unlink(const struct openid_desk *d,
				      const struct provider_request *r);
/** Reads what the browser asks. NULL: the provider is the next to be asked; else the answer. */
struct provider_answer *openid_read(const struct openid_desk *d, struct openid_turn *t);
/** 302 to the provider. */
struct provider_answer *openid_send_there(const struct openid_desk *d,
					  struct openid_turn *t);
/** Whose account is it? With a session for it, 302 to where the flow leads. */
struct provider_answer *openid_come_back(const struct openid_desk *d,
					 struct openid_turn *t);
/** 302 to the sign-in page with `error`: denied, expired, provider, not-linked, other-account,
 *  name-taken, busy. */
struct provider_answer *openid_fail(const struct openid_turn *t, const char *error);
/** Our own address that the provider sends the browser to: each has its own, so that an answer of one cannot pass for an
 *  answer of another (RFC 9700 §4.4.2). buf[OPENID_URL_MAX + 1]. */
const char *openid_callback_url(char *buf, const struct openid_turn *t);

#endif
