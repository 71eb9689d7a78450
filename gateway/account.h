/* gateway/account.h - accounts and sign-ins as the signalling thread's rooms use them: everything is
 * asynchronous, the work is done in the back office. Brute force is slowed here, per account and per
 * client address: after `login-tries` failures each further try is refused until a wait is over that
 * doubles from 1 s to 15 min. A name that does not exist costs the same time as a wrong password. */
#ifndef SLUSS_GATEWAY_ACCOUNT_H
#define SLUSS_GATEWAY_ACCOUNT_H

#include "gateway/core.h"
#include "gateway/store.h"

struct account_service;
struct account_request; /**< one question under way; mem_deref forgets it */

/** Whose calls ring at a user's. */
enum account_ring {
	ACCOUNT_RING_ANYONE,
	ACCOUNT_RING_VERIFIED_NAME, /**< an identity provider vouches for the caller's name */
	ACCOUNT_RING_VERIFIED_EMAIL, /**< … and for an e-mail address that is the caller's */
	ACCOUNT_RING_N
};
/** "anyone", "verified-name", "verified-email". */
const char *account_ring_name(enum account_ring ring);
/** Errors: EINVAL. */
int account_ring_parse(enum account_ring *ring, const char *name);

struct account_answer {
	int err; /**< 0; EACCES wrong name, password or token; EAGAIN wait `retry_s`; EEXIST; ENOENT;
		   *   ENOSPC/EBUSY overloaded; EPERM not allowed here (open-registration off); EINVAL
		   *   unusable name or password (8 to 256 bytes); EIO store */
	uint32_t retry_s;
	struct addr user;
	char session[STORE_SESSION_HEX + 1];
	char token[STORE_TOKEN_HEX + 1]; /**< login and registration only */
	/** What the sign-in is bound to: it is for calls from pages of this origin. Empty: for everything. */
	char origin[STORE_ORIGIN_MAX + 1];
	enum account_ring ring; /**< ring and ring_set only, and so the next two */
	enum relay_rule relay;
	bool known;                        /**< of ring: is `other` no stranger? */
	char **usersv;                     /**< list only, borrowed */
	const struct store_sign_in *signs; /**< devices only, borrowed */
	size_t n_signs;
};
typedef void(account_h)(const struct account_answer *answer, void *arg);

/** Where a sign-in comes from, and what on. */
struct account_from {
	struct sa sa;
	struct store_device device;
};

int account_service_alloc(struct account_service **asp, struct core *core);

/** Could it be somebody's password: 8 to 256 bytes, no NUL? (Any thread.) */
bool account_password_usable(const char *password, size_t n);

/* Each: rp may be NULL when the asker never goes away before the answer; else *rp is the asker's own
 * and his to mem_deref, before the answer (then `h` is not called), inside `h`, or after it.
 * `h` is called once, from the loop, never from inside. Errors: ENOMEM only; all else comes as an answer. */
int account_login(struct account_request **rp, struct account_service *as,
		  const struct site *site, const char *user, const char *password,
		  size_t password_len, const struct account_from *from, account_h *h,
		  void *arg);
/** The same for the identity provider: the token is of a session there (store_idp.h), and good for nothing else. */
int account_idp_login(struct account_request **rp, struct account_service *as,
		      const struct site *site, const char *user, const char *password,
		      size_t password_len, const struct sa *from, account_h *h,
		      void *arg);
/** Answers are remembered for some seconds, so that a reconnecting crowd does not queue on the store. */
int account_authenticate(struct account_request **rp, struct account_service *as,
			 const struct site *site, const char *token, account_h *h,
			 void *arg);
/** Ends this sign-in; its devices get DEVICE_SIGNED_OUT. */
int account_logout(struct account_request **rp, struct account_service *as,
		   const struct site *site, const char *token, account_h *h, void *arg);
/** With the old password (checked, slowed like a login); `token` stays signed in, all others end. */
int account_passwd(struct account_request **rp, struct account_service *as,
		   const struct site *site, const struct addr *user, const char *old,
		   const char *new_password, const char *token, const struct sa *from,
		   account_h *h, void *arg);
/** Registration by a browser; signs in. EPERM unless open-registration. */
int account_register(struct account_request **rp, struct account_service *as,
		     const struct site *site, const char *user, const char *password,
		     size_t password_len, const struct account_from *from, account_h *h,
		     void *arg);
/** Removes the account and all that is kept of it. With the password, checked and slowed like a login. */
int account_delete(struct account_request **rp, struct account_service *as,
		   const struct site *site, const struct addr *user, const char *password,
		   const struct sa *from, account_h *h, void *arg);
/** The sign-ins of `user`, oldest first. */
int account_sign_ins(struct account_request **rp, struct account_service *as,
		     const struct site *site, const struct addr *user, account_h *h,
		     void *arg);
/** Ends one sign-in of `user`, by its public name; NULL: all but the one with `token`. Their devices get
 *  DEVICE_SIGNED_OUT. ENOENT: there is none of that name. */
int account_end(struct account_request **rp, struct account_service *as,
		const struct site *site, const struct addr *user, const char *session,
		const char *token, account_h *h, void *arg);
/** A sign-in for calls from pages of `origin`, given by whoever holds `token`: its own token is in the answer. */
int account_grant(struct account_request **rp, struct account_service *as,
		  const struct site *site, const char *token, const char *origin,
		  account_h *h, void *arg);
/** Whose calls ring at `user`'s (answer->ring), from whom the address is hidden (answer->relay), and whether `other`,
 *  who may be NULL, is known there (answer->known). */
int account_ring(struct account_request **rp, struct account_service *as,
		 const struct addr *user, const struct addr *other, account_h *h,
		 void *arg);
/** The first two without asking, when they are remembered. */
bool account_ring_known(struct account_service *as, const struct addr *user,
			enum account_ring *ring, enum relay_rule *relay);
/** Either may be NULL: it stays. EINVAL: no such word. */
int account_ring_set(struct account_request **rp, struct account_service *as,
		     const struct addr *user, const char *ring, const char *relay,
		     account_h *h, void *arg);
/** `user` has called `other`, or accepted a call of theirs: no stranger from now on. Written down unless that is so
 *  already; what is lost on the way comes at the next call. */
void account_know(struct account_service *as, const struct addr *user,
		  const struct addr *other);
/** Is that remembered? False: ask. */
bool account_knows(struct account_service *as, const struct addr *user,
		   const struct addr *other);
/* The operator's (slussctl): no old password, no slowing. */
int account_admin_add(struct account_service *as, const struct addr *user,
		      const char *password, account_h *h, void *arg);
int account_admin_passwd(struct account_service *as, const struct addr *user,
			 const char *password, account_h *h, void *arg);
int account_admin_remove(struct account_service *as, const struct addr *user,
			 account_h *h, void *arg);
int account_admin_list(struct account_service *as, const struct site *site, account_h *h,
		       void *arg);
/** Does this user exist? err 0 or ENOENT. For route.c. */
int account_exists(struct account_request **rp, struct account_service *as,
		   const struct addr *user, account_h *h, void *arg);

#endif
