/* gateway/store.h - the durable store: accounts, sign-ins, and the calls that are established. SQL lives in
 * store.c and store_call.c, SQLite itself behind lib/db.h. Thread: one of the back office's; each opens its own. All calls block. */
#ifndef SLUSS_GATEWAY_STORE_H
#define SLUSS_GATEWAY_STORE_H

#include "gateway/config_trunk.h"
#include "lib/base.h"

enum { STORE_TOKEN_HEX = 64, STORE_SESSION_HEX = 16 };
enum { STORE_RING_MAX = 31, STORE_KNOWN_MAX = 2000 };
enum { STORE_DEVICE_MAX = 63, STORE_AGENT_MAX = 199, STORE_ORIGIN_MAX = 267 };

/** What a sign-in is made on; texts without control characters, each may be empty. */
struct store_device {
	char name[STORE_DEVICE_MAX + 1]; /**< what the client calls itself */
	char agent[STORE_AGENT_MAX + 1]; /**< the program, as it says: User-Agent */
};
/** One sign-in, for the person whose it is. */
struct store_sign_in {
	char session[STORE_SESSION_HEX + 1];
	struct store_device device;
	char origin[STORE_ORIGIN_MAX +
		    1]; /**< bound to pages of this one, for calls only; empty: not */
	int64_t since_s, seen_s, expires_s; /**< seen: to some minutes */
};

struct store;
/** Errors: EIO with one line in *whyp. */
int store_open(struct store **sp, char **whyp, const char *path);

/** Errors: EEXIST. */
int store_user_add(struct store *s, const char *site, const char *user, const char *hash);
/** Errors: ENOENT. Removes the sign-ins with it, and leaves nothing of them in the file or its log. */
int store_user_remove(struct store *s, const char *site, const char *user);
/** In the place of a hash: no password opens this account (whoever made it signs in at another provider). */
#define STORE_NO_PASSWORD "none"
/** hash[SECRET_PASSWORD_TEXT]. Errors: ENOENT. */
int store_user_hash(struct store *s, const char *site, const char *user, char *hash);
/** Replaces the hash, only while it is `old`. Errors: ENOENT. */
int store_user_hash_set(struct store *s, const char *site, const char *user,
			const char *old, const char *hash);
/** A new password: the same, and ends all sign-ins but the one with token `but` (may be NULL), both or
 *  nothing. old NULL: whatever it was. Errors: ENOENT. */
int store_user_passwd(struct store *s, const char *site, const char *user,
		      const char *old, const char *hash, const char *but);
/** Whose calls ring there: a word of account.h's; "anyone" as long as nothing else is set. Errors: ENOENT. */
struct store_rules {
	char ring[STORE_RING_MAX + 1], relay[STORE_RING_MAX + 1];
	bool known; /**< is `other` no stranger? */
};
/** With "site" for relay (relay_rule.h) as long as nothing else is set. other: whose call it is, or NULL. */
int store_user_rules(struct store *s, const char *site, const char *user,
		     const char *other, struct store_rules *r);
int store_user_relay_set(struct store *s, const char *site, const char *user,
			 const char *relay);
/** `other` is no stranger from now on. Of more than STORE_KNOWN_MAX those not met for longest are forgotten.
 *  Errors: ENOENT: no such user. */
int store_known_add(struct store *s, const char *site, const char *user,
		    const char *other);
int store_user_ring_set(struct store *s, const char *site, const char *user,
			const char *ring);
/** *usersv: mem array of mem strings, NULL ended, sorted. */
int store_user_list(struct store *s, const char *site, char ***usersv);

/** A sign-in. Only the SHA-256 of the token is kept. The oldest goes when there are `max`.
 *  Only while the account's password hash is still `hash` (a password change may overtake a login).
 *  session[STORE_SESSION_HEX + 1]: its public name. Errors: ENOENT: no such user, or another hash. */
int store_session_add(struct store *s, const char *site, const char *user,
		      const char *hash, const char *token, int64_t expires_s,
		      uint32_t max, const struct store_device *device, char *session);
/** One more sign-in for whoever holds `by`, which must be good and bound to no origin: for calls from pages of
 *  `origin`.  Errors: ENOENT. */
int store_session_grant(struct store *s, const char *site, const char *by,
			const char *token, const char *origin, int64_t expires_s,
			uint32_t max, char *user, char *session);
/** Notes now and then that it was seen. origin[STORE_ORIGIN_MAX + 1]: NULL, or where it is bound to.
 *  Errors: ENOENT unknown, expired. */
int store_session_find(struct store *s, const char *site, const char *token,
		       int64_t now_s, char *user, char *session, char *origin);
/** *signs: mem array, oldest first. */
int store_session_list(struct store *s, const char *site, const char *user, int64_t now_s,
		       struct store_sign_in **signs, size_t *n);
/** That one of `user`. Errors: ENOENT. */
int store_session_end(struct store *s, const char *site, const char *user,
		      const char *session);
/** All of `user` but the one with this token. */
int store_session_end_others(struct store *s, const char *site, const char *user,
			     const char *token);
/** Errors: ENOENT. */
int store_session_remove(struct store *s, const char *site, const char *token, char *user,
			 char *session);

enum { STORE_CALL_HEX = 16, STORE_DIALOG_MAX = 400 };

/** An established call: what is needed to join it again when its site has been killed. */
struct store_call {
	char id[STORE_CALL_HEX + 1]; /**< call_id() */
	struct addr a, b;            /**< who called, and who was called */
	bool a_here, b_here;         /**< is that one a user of ours? One is at least */
	/** The dialog with the other site, as it is told of it: `CALL-ID;to-tag=THEIRS;from-tag=OURS`.
	 *  Empty: both are here */
	char dialog[STORE_DIALOG_MAX + 1];
};
/** What has changed: calls to be written down and calls that are over. A mem object; it shares nothing. */
struct store_calls {
	size_t n_add, n_drop;
	struct store_call *addv;           /**< owned */
	char (*dropv)[STORE_CALL_HEX + 1]; /**< owned */
};
/** Room for so many. Errors: ENOMEM. */
int store_calls_alloc(struct store_calls **cp, size_t n_add, size_t n_drop);
/** Carries all of it out, or nothing. `run` names the process that writes: 16 hex digits, new at each start. */
int store_calls_change(struct store *s, const char *run, const struct store_calls *c);
/** Those that other runs have left, as n_add and addv; `max` of them at most, the youngest. */
int store_calls_left(struct store *s, const char *run, size_t max,
		     struct store_calls **cp);
/** Removes them. */
int store_calls_sweep(struct store *s, const char *run);

/** Minutes that a user has talked on a trunk in a day. */
struct store_spent {
	int64_t day; /**< since 1970, UTC */
	char user[ADDR_TEXT_MAX + 1];
	char trunk[TRUNK_NAME_MAX + 1];
	uint32_t minutes;
};
/** Adds the minutes to that row, and removes the rows of days before. */
int store_spend(struct store *s, const struct store_spent *spent);
/** Those of a day. *vp: mem array. */
int store_spent_list(struct store *s, int64_t day, struct store_spent **vp, size_t *np);
#endif
