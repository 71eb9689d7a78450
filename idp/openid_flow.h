/* idp/openid_flow.h - what holds the two halves of a sign-in elsewhere together: `state`, and what is derived from it.
 * Pure but for the clock that is passed in; one thread.
 *
 *   state = WHEN.PROVIDER.LINK.base64url(TO).base64url(HMAC(key; "state", site, cookie, all before))
 *   nonce, PKCE verifier = base64url(HMAC(key; "nonce" | "verifier", site, cookie, state))
 * The cookie is the browser's alone: who has only the address of the second half cannot give it to somebody else
 * (RFC 9700 §4.7), and a code that was caught is worth nothing without the verifier. */
#ifndef SLUSS_IDP_OPENID_FLOW_H
#define SLUSS_IDP_OPENID_FLOW_H

#include "gateway/provider.h"
#include "lib/secret.h"

enum {
	FLOW_TO_MAX = 512,
	FLOW_DERIVED_LEN = 43,
	FLOW_STATE_MAX = 10 + 1 + CONFIG_OPENID_NAME_MAX + 1 + 1 + 1 +
			 (FLOW_TO_MAX * 4 + 2) / 3 + 1 + FLOW_DERIVED_LEN,
};

struct flow {
	char provider[CONFIG_OPENID_NAME_MAX + 1];
	bool link;                /**< the person who is signed in wants the two joined */
	char to[FLOW_TO_MAX + 1]; /**< path on this origin */
	char nonce[FLOW_DERIVED_LEN + 1], verifier[FLOW_DERIVED_LEN + 1];
	char challenge[FLOW_DERIVED_LEN + 1]; /**< of the verifier, by S256 */
};

/** Is it a path of our pages, below /idp/, and nothing that a browser could take for another host? */
bool flow_to_ok(const char *to);
/** Fills in what is derived. state[FLOW_STATE_MAX + 1]. Errors: EIO, EINVAL. */
int flow_begin(struct flow *f, char *state, struct secret_mac *key, const char *site,
	       const char *cookie, int64_t now_s);
/** Errors: EBADMSG it is not one of ours, or another browser's; ETIMEDOUT too old, with *f filled in. */
int flow_resume(struct flow *f, const char *state, struct secret_mac *key,
		const char *site, const char *cookie, int64_t now_s);
/** What a page shows to have the account that is signed in there linked. out[FLOW_DERIVED_LEN + 1]. Errors: EIO. */
int flow_link_proof(char *out, struct secret_mac *key, const char *site,
		    const char *session, const char *provider);

/** The value of a parameter of a query, decoded; text of `size`. False: not there, there twice, too long, or with a NUL. */
bool flow_query(char *text, size_t size, const char *query, const char *name);
/** Appends `&name=value` with value percent-encoded (RFC 3986 §2.3). False: no room. */
bool flow_query_add(char *text, size_t size, const char *name, const char *value);

#endif
