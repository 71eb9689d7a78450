/* gateway/spend.h - how many minutes each user has talked on each trunk today (UTC). Signalling thread.
 *
 * A minute counts when it begins, and is written to the store then: a restart forgets nothing. */
#ifndef SLUSS_GATEWAY_SPEND_H
#define SLUSS_GATEWAY_SPEND_H

#include "gateway/core.h"

struct spend;
/** Asks the store for what today has seen so far. `now_h`: seconds since 1970; NULL: the wall clock.
 *  Errors: ENOMEM, ENOSPC. */
int spend_alloc(struct spend **sp, struct core *core, int64_t (*now_h)(void));
/** Has the store answered? `s` NULL: no. */
bool spend_ready(const struct spend *s);
uint32_t spend_minutes(const struct spend *s, const struct addr *user, const char *trunk);
/** One more has begun. */
void spend_minute(struct spend *s, const struct addr *user, const char *trunk);
/** Has the store all of it? */
bool spend_written(const struct spend *s);
#endif
