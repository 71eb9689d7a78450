/* idp/desk_own.h - what desk.c (the thread), desk_work.c (consents, codes, rules), desk_person.c (who it is) and desk_assert.c (assertions)
 * share. The provider's thread. */
#ifndef SLUSS_IDP_DESK_OWN_H
#define SLUSS_IDP_DESK_OWN_H

#include "idp/desk.h"
#include "idp/seal.h"

/** One request while it is worked on. */
struct desk_case {
	const struct config *config;
	struct store *store;
	struct seals *seals;
	const struct provider_request *r;
	const struct site_config *site;
	int64_t now_s;
};

/** Gives the answer; NULL when out of memory. */
struct provider_answer *desk_work(struct desk_case *c);
struct provider_answer *desk_person(struct desk_case *c);
struct provider_answer *desk_assert(struct desk_case *c);
struct provider_answer *desk_check(struct desk_case *c);

/** An answer with this body, which it takes over. NULL: out of memory. */
struct provider_answer *desk_say(unsigned status, json_t *body);
/** {} */
struct provider_answer *desk_done(void);
/** {"error":…,"text":…} */
struct provider_answer *desk_refuse(unsigned status, const char *error, const char *text);
/** The same with the address of the page that makes it good; `origin` NULL: it is about no page. */
struct provider_answer *desk_send_to(const struct desk_case *c, unsigned status,
				     const char *error, const char *text,
				     const char *origin);
/** What an error of the store, or of memory, is to whoever asks. */
struct provider_answer *desk_failed(int err);
/** Whose session is it? user[ADDR_USER_MAX + 1]. NULL: it is one; else the answer. */
struct provider_answer *desk_session(struct desk_case *c, char *user);
/** "user@site" */
void desk_address(char out[ADDR_TEXT_MAX + 1], const struct desk_case *c,
		  const char *user);
/** Is it a web origin, as browsers write it? */
bool desk_origin_is_one(const char *text);
/** Is `word` among those of `claims`? */
bool desk_claim(const char *claims, const char *word);

#endif
