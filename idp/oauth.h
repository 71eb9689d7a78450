/* idp/oauth.h - what a service says that speaks OAuth 2.0 and no OpenID Connect: its tokens, its document about the person.
 * Pure; any thread. RFC 6749 §5.1, §5.2.
 *
 *   {"access_token":"gho_…","token_type":"bearer","scope":""}     {"id":583231,"login":"octocat","name":"…","avatar_url":"…"}
 *
 * Nothing of it is signed: it counts because we have asked for it, at the address in the configuration file, by a code that
 * nobody but us could redeem. */
#ifndef SLUSS_IDP_OAUTH_H
#define SLUSS_IDP_OAUTH_H

#include "gateway/config.h"
#include "idp/openid_token.h"

enum { OAUTH_WHY_MAX = 127 };

/** The answer of the token address. access_token: a mem string, wiped when freed. why[OAUTH_WHY_MAX + 1] may hold the
 *  service's own words, and never a token. Errors: EBADMSG, also for an `error` that came with HTTP 200; ENOMEM. */
int oauth_token_parse(char **access_tokenp, char *why, const void *p, size_t n);
/** The document, by the members that the configuration names. An `id` that is a number is taken as its digits, so that it
 *  may become a text later. Errors: EBADMSG with a static sentence in *whyp, *person untouched. */
int oauth_person_parse(struct openid_person *person, const char **whyp,
		       const struct openid_service *members, const void *p, size_t n);

#endif
