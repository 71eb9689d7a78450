/* gateway/store.h - the durable store: accounts and sign-ins. SQL lives in store.c, SQLite itself
 * behind lib/db.h. Thread: one of the back office's; each opens its own. All calls block. */
#ifndef SLUSS_GATEWAY_STORE_H
#define SLUSS_GATEWAY_STORE_H

#include "gateway/addr.h"
#include "lib/base.h"

enum { STORE_TOKEN_HEX = 64, STORE_SESSION_HEX = 16 };

struct store;
/** Errors: EIO with one line in *whyp. */
int store_open(struct store **sp, char **whyp, const char *path);

/** Errors: EEXIST. */
int store_user_add(struct store *s, const char *site, const char *user, const char *hash);
/** Errors: ENOENT. Removes the sign-ins with it. */
int store_user_remove(struct store *s, const char *site, const char *user);
/** hash[SECRET_PASSWORD_TEXT]. Errors: ENOENT. */
int store_user_hash(struct store *s, const char *site, const char *user, char *hash);
/** Replaces the hash, only while it is `old`. Errors: ENOENT. */
int store_user_hash_set(struct store *s, const char *site, const char *user,
			const char *old, const char *hash);
/** A new password: the same, and ends all sign-ins but the one with token `but` (may be NULL), both or
 *  nothing. old NULL: whatever it was. Errors: ENOENT. */
int store_user_passwd(struct store *s, const char *site, const char *user,
		      const char *old, const char *hash, const char *but);
/** *usersv: mem array of mem strings, NULL ended, sorted. */
int store_user_list(struct store *s, const char *site, char ***usersv);

/** A sign-in. Only the SHA-256 of the token is kept. The oldest goes when there are `max`.
 *  Only while the account's password hash is still `hash` (a password change may overtake a login).
 *  session[STORE_SESSION_HEX + 1]: its public name. Errors: ENOENT: no such user, or another hash. */
int store_session_add(struct store *s, const char *site, const char *user,
		      const char *hash, const char *token, int64_t expires_s,
		      uint32_t max, char *session);
/** Errors: ENOENT unknown, expired. */
int store_session_find(struct store *s, const char *site, const char *token,
		       int64_t now_s, char *user, char *session);
/** Errors: ENOENT. */
int store_session_remove(struct store *s, const char *site, const char *token, char *user,
			 char *session);
#endif
