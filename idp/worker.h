/* idp/worker.h - the identity thread and the messages to and from it. Private to idp/. */
#ifndef SLUSS_IDP_WORKER_H
#define SLUSS_IDP_WORKER_H

#include "gateway/config.h"
#include "idp/assess.h"
#include "idp/judge.h"
#include "idp/pen.h"
#include "lib/mailbox.h"

/** To the identity thread. */
enum idp_job_kind {
	IDP_SIGN,
	IDP_VERIFY,
	IDP_ASSESS,
	IDP_KEYS,
	IDP_RELOAD,
	IDP_STOP,
	IDP_JOB_N
};
struct idp_job {
	enum idp_job_kind kind;
	uint32_t id;
	struct pen_job *sign;       /**< owned */
	struct judge_case *verify;  /**< owned */
	struct assess_case *assess; /**< owned */
	char *domain, *keys;        /**< KEYS: owned; keys NULL: no more */
};
/** From it. */
enum idp_result_kind {
	IDP_SIGNED,
	IDP_JUDGED,
	IDP_ASSESSED,
	IDP_CHAIN,
	IDP_RELOADED,
	IDP_RESULT_N
};
struct idp_result {
	enum idp_result_kind kind;
	uint32_t id;
	int err;
	char date[IDENTITY_DATE_BYTES];
	char *header;                     /**< SIGNED: owned */
	struct identity_verdict *verdict; /**< JUDGED: owned */
	struct identity_person *person;   /**< ASSESSED: owned */
	char *site, *name, *text;         /**< CHAIN: owned */
};
const char *idp_job_name(enum idp_job_kind kind);
void idp_job_clear(void *job);       /* mailbox_clear_h */
void idp_result_clear(void *result); /* the same */

struct worker;
/** Reads keys and authorities; starts the thread. `results` is posted to and outlives it.
 *  Errors: one line in *whyp. Owns: mem_deref stops and joins. */
int worker_alloc(struct worker **wp, char **whyp, const struct config *config,
		 struct mailbox *results);
/** Errors: ENOSPC; then the job is cleared. */
int worker_post(struct worker *w, struct idp_job *job);

#endif
