/* gateway/identity.h - what the core's rooms ask of the identity room (idp/): vouch for our user on a request that goes
 * to another site, judge what vouches for theirs (RFC 8224), and judge what a caller's own identity provider says of
 * them (RFC 8827). Thread: signalling only.
 *
 *   leg ── sign() ───► identity room ··· its own thread ··· ──► identity_signed_h    Identity and Date header
 *   leg ── verify() ─►                                      ──► identity_judged_h    good, or the refusal due
 *   call ─ assess() ─►                                      ──► identity_assessed_h  who calls, as far as is known
 * Nobody waits: an answer comes from the loop, never before the function returns. */
#ifndef SLUSS_GATEWAY_IDENTITY_H
#define SLUSS_GATEWAY_IDENTITY_H

#include "gateway/addr.h"
#include "gateway/cause.h"
#include "gateway/leg.h"

/** An answer that is still to come. Owns: the asker's, mem_deref when it came; before that: it does not come any more. */
struct identity_wait;

enum { IDENTITY_DATE_BYTES = 30 };

/** Of limits.identity_fetch_s this much is for all that is around the fetch, so that a call is not held up for longer. */
enum { IDENTITY_SLACK_MS = 100 };

/** Where a site shows the chains that it signs with: this, the SHA-256 of the file in hex, ".pem". Project-private
 *  below the registered "well-known" (RFC 8615). */
#define IDENTITY_CHAIN_PATH "/.well-known/sluss/sip/"

/** What we vouch for: this user of ours calls that address, with these media keys. Borrowed for the call. */
struct identity_claim {
	const char *site;       /**< ours: whose key signs */
	struct addr from, to;   /**< as they stand in From and To */
	const struct body *sdp; /**< as it is sent */
};
struct identity_signed {
	/** 0; ENOKEY this site has no P-256 key, or its certificate is not valid: the request goes without; else
	 *  (EIO, ENOMEM) it must not go */
	int err;
	const char *header; /**< the value of Identity; borrowed; NULL on error */
	char date
		[IDENTITY_DATE_BYTES]; /**< the value of Date (RFC 3261 §20.17), the same time */
};
typedef void(identity_signed_h)(const struct identity_signed *r, void *arg);

/** A request of a peer with what it shows. Borrowed for the call; everything as it came. */
struct identity_case {
	char *const *headerv;  /**< Identity values, NULL ended; NULL: none */
	const char *from, *to; /**< the URIs of From and To */
	int64_t date_s;        /**< of the Date header, since 1970; 0: none */
	const char *sdp;
	size_t sdp_len;
	const char *call_id; /**< to tell a repetition from a replay */
};
struct identity_verdict {
	/** 0: one header is good. Else what is due, RFC 8224 §6.2.2: 428 (none that is understood), 436, 437, 438 or
	 *  403; or 503: too much to do */
	unsigned status;
	const char *phrase; /**< static */
	char why[CAUSE_TEXT_BYTES];
	bool number;      /**< it was From as a telephone number that was vouched for */
	uint32_t took_ms; /**< set by the asker: the time from the question to this */
};
typedef void(identity_judged_h)(const struct identity_verdict *v, void *arg);

enum {
	IDENTITY_IDP_BYTES = ADDR_HOST_MAX + 7, /**< "idp.example:65535" */
	IDENTITY_NAME_BYTES = 320,
	IDENTITY_ORIGIN_BYTES = 268,
	IDENTITY_PICTURE_BYTES = 512,
	IDENTITY_EMAIL_BYTES = 255,
};

/** What a description's a=identity came to (RFC 8827 §5). */
enum identity_status {
	IDENTITY_NONE, /**< there is none */
	IDENTITY_VERIFIED, /**< signed by the published keys of the provider, whose name it is */
	IDENTITY_UNVERIFIED, /**< no published keys, out of reach, or of a form that is not known here */
	IDENTITY_FAILED, /**< it is wrong */
};
const char *identity_status_name(enum identity_status status);

/** Who made a description, in the words of their identity provider. A mem object; it shares nothing and does not
 *  change. All but status, idp and why are there only when it is verified. */
struct identity_person {
	enum identity_status status;
	char idp[IDENTITY_IDP_BYTES]; /**< who is said to vouch; empty: nobody */
	char name
		[IDENTITY_NAME_BYTES]; /**< "user@domain"; '@' and '%' of the user as %40, %25 */
	char origin[IDENTITY_ORIGIN_BYTES]; /**< the page it was made for */
	const char *ctx; /**< static: "native", "frame"; NULL: not said */
	/* what the person lets be known; each may be empty */
	char display[128];
	char picture[IDENTITY_PICTURE_BYTES]; /**< https */
	char email[IDENTITY_EMAIL_BYTES];
	bool email_verified;        /**< … the provider says that it is theirs */
	char why[CAUSE_TEXT_BYTES]; /**< not verified: why not */
};
/** NULL when out of memory. */
struct identity_person *identity_person_copy(const struct identity_person *p);

/** A description with a=identity. Borrowed for the call. */
struct identity_description {
	const struct body *sdp;
	const struct addr *callee;
	const char *
		site; /**< where the caller is at home: bounds what is fetched for its callers */
};
/** Borrowed; mem_ref() keeps it. NULL: out of memory. */
typedef void(identity_assessed_h)(struct identity_person *p, void *arg);

/** The identity room as the core sees it. */
struct identity_ops {
	/** Errors: ENOKEY From is a telephone number, which a domain does not vouch for: the request goes without;
	 *  EBADMSG fingerprints that are not spelled as RFC 8122 wants them, or too many:
	 *  they are not signed, the description must not go; ENOSPC too much to do; ENOMEM. */
	int (*sign)(void *arg, struct identity_wait **wp, const struct identity_claim *c,
		    identity_signed_h *h, void *harg);
	/** Errors: ENOSPC, ENOMEM. */
	int (*verify)(void *arg, struct identity_wait **wp, const struct identity_case *c,
		      identity_judged_h *h, void *harg);
	/** Errors: ENOENT it has no a=identity; ENOSPC, ENOMEM. */
	int (*assess)(void *arg, struct identity_wait **wp,
		      const struct identity_description *d, identity_assessed_h *h,
		      void *harg);
	/** The public keys (RFC 7517) of a provider that is part of this daemon, by its domain without a port: nothing is
	 *  fetched for those. NULL: it is none any more. Errors: ENOSPC, ENOMEM. */
	int (*keys)(void *arg, const char *domain, const char *jwks);
};

#endif
