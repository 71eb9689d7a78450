/* gateway/provider.h - what the web side asks of the identity provider of a site's users (idp/provider.c): one request,
 * one answer, as they come and go by HTTP. docs/idp.md says what each takes and gives.
 *
 *   browser ──► web thread: head and JSON judged ──► provider_request ──► signalling thread ──► provider's thread
 *           ◄── what a provider_answer says, byte for byte ◄──────────────────────────────────────┘
 * Both belong to one thread at a time and go from hand to hand. Thread of ask(): signalling. */
#ifndef SLUSS_GATEWAY_PROVIDER_H
#define SLUSS_GATEWAY_PROVIDER_H

#include "gateway/config.h"
#include "gateway/store_idp.h"

/** RFC 8827 §7.5: the last part of the well-known address. */
#define PROVIDER_PROTOCOL "sluss"

/* needs: "session" the cookie's; "grant" a frame's; what else stands in the request */
enum provider_op {
	PROVIDER_KEYS,         /* nothing */
	PROVIDER_ASSERT,       /* session or grant; contents, origin, ctx, peer? */
	PROVIDER_CHECK,        /* assertion, peer? */
	PROVIDER_SIGN_IN,      /* user, password */
	PROVIDER_WHO,          /* session or grant */
	PROVIDER_SIGN_OUT,     /* session */
	PROVIDER_PROFILE_SET,  /* session; name */
	PROVIDER_PASSWORD_SET, /* session; password: the first one */
	PROVIDER_CONSENTS,     /* session */
	PROVIDER_CONSENT_SET,  /* session; origin, frames, claims? */
	PROVIDER_CONSENT_END,  /* session; origin */
	PROVIDER_RULES,        /* session */
	PROVIDER_RULES_SET,    /* session; rulev */
	PROVIDER_CODE,         /* session; origin, challenge */
	PROVIDER_REDEEM,       /* code, verifier, origin */
	PROVIDER_SITE_CODE, /* user (trusted), origin, challenge: asked by the site's own page */
	PROVIDER_ROTATE,       /* asked by the operator */
	PROVIDER_OPENID_LIST,  /* nothing */
	PROVIDER_OPENID_START, /* name, query */
	PROVIDER_OPENID_BACK,  /* name, query */
	PROVIDER_OPENID_END,   /* session; name */
	PROVIDER_OP_N
};
const char *provider_op_name(enum provider_op op);

struct provider_request {
	enum provider_op op;
	const struct site_config *site; /**< shared by all threads, never changes */
	struct sa from;
	bool tls;
	uint16_t port; /**< where the client sees the provider; 0: the scheme's own */
	char session[STORE_TOKEN_HEX + 1]; /**< the cookie's; empty: none */
	char grant[STORE_TOKEN_HEX + 1];   /**< the bearer's; empty: none */
	char flow[STORE_TOKEN_HEX +
		  1]; /**< the cookie of a sign-in elsewhere; empty: none */
	/* of the body; owned; NULL: not there */
	char *user, *name, *contents, *origin, *peer, *assertion, *challenge, *code,
		*verifier, *query;
	char *password; /**< wiped when freed */
	int native; /**< ctx: asked by the browser's own identity code, else by a frame */
	bool frames, has_claims;
	char claims[STORE_CLAIMS_MAX + 1];
	struct store_rule *rulev; /**< owned */
	size_t n_rules;
};
/** Owns: mem_deref frees all of it. NULL: out of memory. */
struct provider_request *provider_request_new(enum provider_op op);

enum { PROVIDER_TEXT_BYTES = 160 };
struct provider_answer {
	unsigned status;   /**< HTTP */
	const char *error; /**< static code; NULL: all is well */
	char text[PROVIDER_TEXT_BYTES];
	uint32_t retry_s; /**< 0: no Retry-After */
	char *json;       /**< owned; the body, also of an error; NULL: none */
	bool shared;      /**< pages of other origins may read it */
	char session[STORE_TOKEN_HEX + 1]; /**< a new one, for the cookie */
	bool session_over;                 /**< the cookie is to go */
	char flow[STORE_TOKEN_HEX +
		  1]; /**< a cookie for a sign-in elsewhere; empty: none */
	char code[STORE_TOKEN_HEX + 1]; /**< of PROVIDER_SITE_CODE */
	char *location;                 /**< owned; of 302 */
};
/** Owns: mem_deref frees all of it. NULL: out of memory. */
struct provider_answer *provider_answer_new(unsigned status);

/** Where the site's name as an identity provider is: what browsers are to be told. `buf` of PROVIDER_DOMAIN_BYTES. */
enum { PROVIDER_DOMAIN_BYTES = ADDR_HOST_MAX + 7 };
const char *provider_domain(char *buf, const struct site_config *site, bool tls,
			    uint16_t port);

/** "https://idp.alpha.example:8443" and `path`: an address of the provider, as the asker sees it. Gives buf. */
const char *provider_url(char *buf, size_t size, const struct provider_request *r,
			 const char *path);
/** Could a pseudonym look like this user name, now or later? Then no account is to have it. */
enum { PROVIDER_PSEUDONYM_LEN = 26 }; /* base32 of 130 bits */
bool provider_is_pseudonym(const char *user);

/** From the first half of a sign-in elsewhere to the second; its cookie lives as long. Seconds. */
enum { PROVIDER_FLOW_S = 600 };

/** A question under way; the asker's, mem_deref when it has been answered; before that: it is not answered any more. */
struct provider_wait;
/** `a` is the receiver's from here on; NULL: out of memory. */
typedef void(provider_h)(struct provider_answer *a, void *arg);

struct provider_ops {
	/** wp may be NULL when the asker never goes away before the answer. Takes `r` over, also on error. `h` runs from the loop, once. Errors: ENOMEM, ENOSPC too much to do. */
	int (*ask)(void *arg, struct provider_wait **wp, struct provider_request *r,
		   provider_h *h, void *harg);
};

#endif
