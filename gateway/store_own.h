/* gateway/store_own.h - private to store.c, store_call.c and store_idp.c: the store's struct, its statements, and how they
 * are run. A thread of the back office. */
#ifndef SLUSS_GATEWAY_STORE_OWN_H
#define SLUSS_GATEWAY_STORE_OWN_H

#include "gateway/store.h"
#include "gateway/store_idp.h"
#include "lib/db.h"
#include "lib/secret.h"

enum query {
	USER_ADD,
	USER_REMOVE,
	USER_HASH,
	USER_HASH_SET,
	USER_RING,
	USER_RING_SET,
	USER_RELAY_SET,
	KNOWN_ADD,
	KNOWN_TRIM,
	USER_LIST,
	SESSION_ADD,
	SESSION_TRIM,
	SESSION_EXPIRE,
	SESSION_FIND,
	SESSION_SEEN,
	SESSION_GRANT,
	SESSION_LIST,
	SESSION_END,
	SESSION_REMOVE,
	SESSION_REMOVE_ALL,
	CALL_ADD,
	CALL_DROP,
	CALL_LEFT,
	CALL_SWEEP,
	CALL_FORGET,
	SPEND_ADD,
	SPEND_LIST,
	SPEND_SWEEP,
	QUERY_IDP, /* from here on: store_idp.c */
	IDP_KEYS = QUERY_IDP,
	IDP_KEY_RETIRE,
	IDP_KEY_ADD,
	IDP_KEY_SWEEP,
	IDP_SECRET_MAKE,
	IDP_SECRET,
	IDP_SESSION_ADD,
	IDP_SESSION_TRIM,
	IDP_SESSION_EXPIRE,
	IDP_SESSION_FIND,
	IDP_SESSION_END,
	IDP_SESSION_END_ALL,
	IDP_GRANT_ADD,
	IDP_GRANT_TRIM,
	IDP_GRANT_EXPIRE,
	IDP_GRANT_FIND,
	IDP_GRANT_EXTEND,
	IDP_GRANT_END_ALL,
	IDP_GRANT_END_AT,
	IDP_CONSENT_SET,
	IDP_CONSENT_OWN,
	IDP_CONSENT,
	IDP_CONSENTS,
	IDP_CONSENT_USED,
	IDP_CONSENT_END,
	IDP_CODE_ADD,
	IDP_CODE_EXPIRE,
	IDP_CODE_TAKE,
	IDP_RULES,
	IDP_RULES_CLEAR,
	IDP_RULE_ADD,
	IDP_PROFILE,
	IDP_PROFILE_SET,
	IDP_UPSTREAM,
	IDP_UPSTREAM_ADD,
	IDP_UPSTREAM_COUNT,
	IDP_UPSTREAM_END,
	QUERY_N
};
extern const char *const store_idp_queries[QUERY_N - QUERY_IDP];
extern const struct db_migration store_migrations[];
extern const size_t store_migrations_n;

struct store {
	struct db *db;
	struct db_stmt *stmtv[QUERY_N];
};

/** Resets the statement and binds texts ?1, ?2, …; NULL is SQL's NULL. */
struct db_stmt *store_bind(struct store *s, enum query q, const char *const *textv,
			   size_t n, int *errp);
#define BIND(s, q, errp, ...)                                                            \
	store_bind((s), (q), (const char *const[]){__VA_ARGS__},                         \
		   N_ELEMS(((const char *const[]){__VA_ARGS__})), (errp))
/** Runs a statement that gives no rows; n_changed may be NULL. */
int store_run(struct store *s, struct db_stmt *st, int err, int *n_changed);
/** The same; ENOENT when it changed nothing. */
int store_run_one(struct store *s, struct db_stmt *st, int err);
/** What is kept of a token. */
int store_token_hash(char out[2 * SECRET_SHA256_BYTES + 1], const char *token);
/** Ends a transaction: COMMIT, or ROLLBACK when `err` or the commit says so. */
int store_end(struct store *s, int err);
/** NULL becomes the empty text. */
void store_copy(char *dst, size_t size, const char *text);

#endif
