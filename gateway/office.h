/* gateway/office.h - the back office: a small pool of threads for what blocks or takes long (SQLite,
 * scrypt). Jobs go out by a bounded queue, results come back to the signalling thread.
 *
 * A job is typed: struct office_job below is the tagged union for this direction, struct
 * office_result the one back. Only gateway/ posts jobs; other rooms ask gateway/account.h. */
#ifndef SLUSS_GATEWAY_OFFICE_H
#define SLUSS_GATEWAY_OFFICE_H

#include "gateway/loop.h"
#include "gateway/store.h"
#include "lib/base.h"

/* What a kind takes ("site" always, but for CALLS) -> what its result brings. */
enum office_kind {
	OFFICE_LOGIN, /* user, secret, token, days, max, device -> session */
	OFFICE_IDP_LOGIN, /* user, secret, token, days, max: a session at the identity provider */
	OFFICE_AUTHENTICATE, /* token -> user, session, origin */
	OFFICE_LOGOUT,       /* token -> user, session: those that ended */
	OFFICE_PASSWD, /* user, secret=new, old or NULL -> session: of token, which stays */
	OFFICE_USER_ADD, /* user, secret; registration: also token, days, max, device -> session */
	OFFICE_USER_REMOVE,  /* user */
	OFFICE_USER_LIST,    /* -> usersv */
	OFFICE_USER_EXISTS,  /* user */
	OFFICE_USER_DELETE,  /* user, secret: by the person, who says the password */
	OFFICE_SESSION_LIST, /* user -> signs, n_signs */
	OFFICE_SESSION_END,  /* user, session */
	OFFICE_SESSION_END_OTHERS, /* user, token -> session: of token, which stays */
	OFFICE_GRANT, /* old=the token of whoever grants, token, origin, days, max -> user, session */
	OFFICE_RING,         /* user, other -> rules */
	OFFICE_RING_SET,     /* user, ring and relay, each unless empty -> rules */
	OFFICE_KNOW,         /* user, other */
	OFFICE_CALLS_CHANGE, /* run, calls */
	OFFICE_CALLS_LEFT,   /* run, max -> calls */
	OFFICE_CALLS_SWEEP,  /* run */
	OFFICE_SPEND,        /* spent: minutes to be added */
	OFFICE_SPENT,        /* spent.day -> spentv, n_spent */
	OFFICE_KIND_N
};

struct office_job {
	enum office_kind kind;
	uint32_t id; /**< set by office_post; the result carries it */
	char site[ADDR_HOST_MAX + 1];
	char user[ADDR_USER_MAX + 1];
	char *secret; /**< owned, wiped when freed (secret_dup) */
	char *old;    /**< the same */
	char token[STORE_TOKEN_HEX + 1];
	uint32_t days, max;
	struct store_device device;
	char session[STORE_SESSION_HEX + 1];
	char origin[STORE_ORIGIN_MAX + 1];
	char ring[STORE_RING_MAX + 1], relay[STORE_RING_MAX + 1];
	char other[ADDR_TEXT_MAX + 1];
	char run[STORE_CALL_HEX + 1];
	struct store_calls *calls; /**< owned */
	struct store_spent spent;
};
struct office_result {
	enum office_kind kind;
	uint32_t id;
	int err; /**< 0; EACCES wrong password or token; ENOENT no such user; EEXIST; ENOSPC,
		  *   EBUSY, EIO store */
	char user[ADDR_USER_MAX + 1];
	char session[STORE_SESSION_HEX + 1];
	char origin[STORE_ORIGIN_MAX +
		    1]; /**< what the sign-in is bound to; empty: nothing */
	struct store_rules rules;
	char **usersv; /**< owned: a mem object of mem objects, NULL ended */
	struct store_sign_in *signs; /**< owned */
	size_t n_signs;
	struct store_calls *calls;  /**< owned */
	struct store_spent *spentv; /**< owned */
	size_t n_spent;
};

struct office;
typedef void(office_done_h)(const struct office_result *result, void *arg);

/** Starts the threads; each opens the store. office0 does what only asks the store, the others (if
 *  n_threads > 1) what hashes passwords, so that a flood of logins holds up nobody else.
 *  Errors: EIO with the reason in *whyp. */
int office_alloc(struct office **op, char **whyp, struct loop *loop,
		 const char *store_path, uint32_t n_threads, uint32_t queue,
		 unsigned password_log2n);
/** Queues `job`; takes what it owns also on error. `done_h` runs once on the signalling thread unless
 *  forgotten.  Errors: ENOSPC: queue full, say "busy, try again" (CAUSE_LIMIT, HTTP 503). */
int office_post(struct office *o, struct office_job *job, office_done_h *done_h,
		void *arg, uint32_t *idp);
/** The asker goes away: its done_h will not be called. 0 is ignored. */
void office_forget(struct office *o, uint32_t id);
/** Stops and joins; mem_deref does the same. */
void office_stop(struct office *o);
/** Both queues together; capacity and high-water mark are those of one, the fuller. */
void office_stats(struct office *o, struct mailbox_stats *stats);

#endif
