/* gateway/account_cache.h - sign-ins that were looked up in the last seconds, by token, so that a
 * reconnecting crowd does not queue on the store. Bounded. Signalling thread. */
#ifndef SLUSS_GATEWAY_ACCOUNT_CACHE_H
#define SLUSS_GATEWAY_ACCOUNT_CACHE_H

#include "gateway/addr.h"
#include "gateway/store.h"
#include "lib/timer.h"

enum { ACCOUNT_CACHE_S = 10, ACCOUNT_CACHE_MAX = 16384 };

struct account_cache;

/** @param timers  whose clock counts; borrowed.  Errors: ENOMEM. */
int account_cache_alloc(struct account_cache **cp, const struct timers *timers);
/** Notes whose token it is (user->host: the site); only its SHA-256 is kept. Out of memory: not noted. */
void account_cache_add(struct account_cache *c, const char *token,
		       const struct addr *user, const char *session, const char *origin);
/** Errors: ENOENT. */
int account_cache_find(struct account_cache *c, const char *site, const char *token,
		       struct addr *user, char session[STORE_SESSION_HEX + 1],
		       char origin[STORE_ORIGIN_MAX + 1]);
/** Forgets all of `user`, or, with `session`, only that sign-in. */
void account_cache_drop(struct account_cache *c, const struct addr *user,
			const char *session);

#endif
