/* gateway/account_own.h - what account.c (the questions) and account_work.c (their way through the back office)
 * share. Nobody else includes it. */
#ifndef SLUSS_GATEWAY_ACCOUNT_OWN_H
#define SLUSS_GATEWAY_ACCOUNT_OWN_H

#include "gateway/account.h"
#include "gateway/account_cache.h"
#include "gateway/account_slow.h"
#include "gateway/office.h"

struct account_service {
	struct core *core;
	struct account_slow *slow_users, *slow_addrs;
	struct account_cache *cache;
	struct account_rings *rings;
	struct list works;
};

/* What the asker holds. */
struct account_request {
	struct account_work *work; /* NULL once answered */
};

/* One question on its way. Belongs to the service until it is answered, also when the asker has gone: a
 * try counts, and a sign-in that nobody takes must be undone. */
struct account_work {
	struct le le;
	struct account_service *as;
	struct account_request *request; /* the asker's; NULL: none, or gone */
	struct account_request **rp;     /* where he holds it, for account_work_drop() */
	account_h *h;                    /* NULL: the asker has gone */
	void *arg;
	enum office_kind kind;
	bool registers; /* OFFICE_USER_ADD by a browser */
	bool stale;     /* sign-ins have ended while it was asked */
	/* Tries under way; empty: none. */
	char slow_user[SLOW_KEY_BYTES], slow_addr[SLOW_KEY_BYTES];
	char token[STORE_TOKEN_HEX + 1];
	struct store_device device;
	uint32_t office_id;
	struct timer timer; /* an answer known at once still comes from the loop */
	char other[ADDR_TEXT_MAX + 1]; /* OFFICE_RING */
	bool ring_stays, relay_stays;  /* OFFICE_RING_SET */
	struct account_answer answer;
};

/** What users have set, as far as it was asked for. account_ring.c */
int account_rings_alloc(struct account_rings **rp);
void account_rings_note(struct account_rings *r, const struct addr *user,
			enum account_ring ring, enum relay_rule relay);
/** These two know each other. False: there was no room, or it was so already. */
bool account_rings_meet(struct account_rings *r, const struct addr *user,
			const struct addr *other);
void account_rings_drop(struct account_rings *r, const struct addr *user);

/** A question about `user` of answer.user.host; rp may be NULL.  Errors: ENOMEM. */
int account_work_alloc(struct account_work **wp, struct account_request **rp,
		       struct account_service *as, enum office_kind kind,
		       const char *site, const char *user, account_h *h, void *arg);
/** Takes a question back that has not gone out; gives ENOMEM. Only before the asker's function returns. */
int account_work_drop(struct account_work *w);
/** Answers from the loop with answer.err = err (and what else is in answer by then). */
int account_work_answer_soon(struct account_work *w, int err);
/** Sends it to the back office; `secret` and `old` may be NULL and are taken over. Or answers soon. */
int account_work_post(struct account_work *w, char *secret, char *old);
/** Is the try allowed? Notes it. `from` may be NULL. Errors: EAGAIN with answer.retry_s; ENOMEM. */
int account_work_slow(struct account_work *w, const char *user_key,
		      const struct sa *from);
/** The try that account_work_slow() noted has failed. */
void account_work_failed(struct account_work *w);

#endif
