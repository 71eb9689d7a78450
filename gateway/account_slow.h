/* gateway/account_slow.h - slows the guessing of passwords: a bounded table of who failed how often. The
 * same for account names and for client addresses, one table each. Signalling thread. */
#ifndef SLUSS_GATEWAY_ACCOUNT_SLOW_H
#define SLUSS_GATEWAY_ACCOUNT_SLOW_H

#include "lib/base.h"
#include "lib/timer.h"

enum { SLOW_KEY_BYTES = 320, SLOW_WAIT_MAX_S = 900, SLOW_FORGET_S = 900 };

struct account_slow;

/** @param timers    whose clock counts; borrowed
 *  @param tries     failures before waits begin
 *  @param capacity  keys remembered; beyond it the one that was used longest ago is forgotten
 *  Errors: ENOMEM. */
int account_slow_alloc(struct account_slow **sp, const struct timers *timers,
		       uint32_t tries, uint32_t capacity);
/** May `key` try now? 0 must be followed by account_slow_leave(). Once the tries are used up only one at a time
 *  may be under way, so that guesses sent together are slowed like those one after the other.
 *  Errors: EAGAIN: wait *retry_s; ENOMEM. */
int account_slow_enter(struct account_slow *s, const char *key, uint32_t *retry_s);

enum slow_end {
	SLOW_FAILED, /* counts: after `tries` of them 1 s, 2 s, 4 s, … to SLOW_WAIT_MAX_S must pass */
	SLOW_GOOD, /* forgets the failures */
	SLOW_NEITHER /* no news: it was not decided, or a good try that proves nothing about others */
};
void account_slow_leave(struct account_slow *s, const char *key, enum slow_end end);
size_t account_slow_count(const struct account_slow *s);

/** What stands for a client address: IPv4 whole (also when mapped into IPv6), IPv6 by its /64. */
const char *account_slow_address(char key[SLOW_KEY_BYTES], const struct sa *from);

#endif
