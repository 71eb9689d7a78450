/* idp/openid.h - signing in at our identity provider by another one that speaks OpenID Connect (Core 1.0): we are its
 * relying party, by the authorization code flow (§3.1) with PKCE (RFC 7636), state and nonce. Or by a service of OAuth 2.0
 * alone (RFC 6749 §4.1): no discovery, keys, ID token and nonce, a document about the person instead (oauth.h).
 *
 *   browser ─ GET /idp/v1/oidc/NAME/start?to=… ─► here: 302 to the provider, cookie of the flow
 *           ─ … signs in there … GET /idp/v1/oidc/NAME/callback?code&state ─► here ─► its token address: ID token, judged;
 *           ◄─ 302 to `to`, cookie of the session ─┘                      its keys, its userinfo
 *
 * Nothing is kept between the two: what the second needs stands in `state`, sealed with the cookie, so that no flood of
 * first halves costs memory. A thread of its own, since providers may be slow: openid_alloc(), openid_post() and the
 * destructor run on the signalling thread. */
#ifndef SLUSS_IDP_OPENID_H
#define SLUSS_IDP_OPENID_H

#include "idp/desk.h"

struct openid;

/** Takes PROVIDER_OPENID_LIST, _START and _BACK; posts to `results`, which must have room for all that is under way.
 *  Errors: one line in *whyp.  Owns: *op by mem_deref, which joins the thread. */
int openid_alloc(struct openid **op, char **whyp, const struct config *config,
		 struct mailbox *results);
/** Errors: ENOSPC; the job has been cleared. */
int openid_post(struct openid *o, struct desk_job *job);
struct mailbox *openid_mailbox(struct openid *o); /**< for its marks; borrowed */

#endif
