/* gateway/store_own.h - private to store.c and store_call.c: the store's struct, its statements, and how they
 * are run. A thread of the back office. */
#ifndef SLUSS_GATEWAY_STORE_OWN_H
#define SLUSS_GATEWAY_STORE_OWN_H

#include "gateway/store.h"
#include "lib/db.h"

enum query {
	USER_ADD,
	USER_REMOVE,
	USER_HASH,
	USER_HASH_SET,
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
	QUERY_N
};

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
/** Ends a transaction: COMMIT, or ROLLBACK when `err` or the commit says so. */
int store_end(struct store *s, int err);
/** NULL becomes the empty text. */
void store_copy(char *dst, size_t size, const char *text);

#endif
