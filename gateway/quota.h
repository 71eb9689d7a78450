/* gateway/quota.h - how many calls a key (an account, a domain) has now and has begun this minute.
 * Signalling thread. A bounded table: a key costs memory only while it has calls or was busy lately. */
#ifndef SLUSS_GATEWAY_QUOTA_H
#define SLUSS_GATEWAY_QUOTA_H

#include "lib/base.h"
#include "lib/timer.h"

struct quota;

/** @param timers    whose clock counts the minutes
 *  @param max_keys  keys remembered at once; one more than that is refused
 *  Errors: ENOMEM. */
int quota_alloc(struct quota **qp, const struct timers *timers, uint32_t max_keys);
/** One more for `key`.  @param at_once  may be going on together    @param per_minute  may begin in the
 *  minute that the first of them opened; 0: not counted
 *  Errors: ENOSPC (at once, or the table is full), EAGAIN (per minute), ENOMEM; nothing is taken then. */
int quota_take(struct quota *q, const char *key, uint32_t at_once, uint32_t per_minute);
/** The end of one that was taken. */
void quota_give(struct quota *q, const char *key);
uint32_t quota_now(const struct quota *q, const char *key);
uint32_t quota_keys(const struct quota *q);

#endif
