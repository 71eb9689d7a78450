/* idp/desk.h - the provider's thread: it has a store of its own and the keys, takes one request after the other and answers
 * it. desk_alloc(), desk_post() and the destructor run on the signalling thread. */
#ifndef SLUSS_IDP_DESK_H
#define SLUSS_IDP_DESK_H

#include "gateway/provider.h"
#include "lib/mailbox.h"

struct desk;

struct desk_job {
	uint32_t id;
	struct provider_request *request; /**< owned */
};
struct desk_result {
	uint32_t id;
	bool elsewhere;                 /**< another provider was asked (openid.h) */
	struct provider_answer *answer; /**< owned; NULL: out of memory */
};
void desk_job_clear(void *job);       /**< a mailbox_clear_h */
void desk_result_clear(void *result); /**< the same */

/** Opens the store and starts the thread; it posts to `results`, which must have room for all that is under way. Errors: one
 *  line in *whyp.  Owns: *dp by mem_deref, which joins it. */
int desk_alloc(struct desk **dp, char **whyp, const struct config *config,
	       struct mailbox *results);
/** Errors: ENOSPC; the job has been cleared. */
int desk_post(struct desk *d, struct desk_job *job);
struct mailbox *desk_mailbox(struct desk *d); /**< for its marks; borrowed */

#endif
