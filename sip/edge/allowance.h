/* sip/edge/allowance.h - how many requests are let through to Sofia from those who prove nobody: a bucket
 * for each address, and one for all of them together.
 *
 * A request that Sofia refuses costs a transaction for up to 32 s, so what an unknown sender can make her
 * keep is this rate times that. An address is an IPv4 address, or the first 64 bits of an IPv6 one.
 * Edge thread. */
#ifndef SLUSS_SIP_EDGE_ALLOWANCE_H
#define SLUSS_SIP_EDGE_ALLOWANCE_H

#include "lib/base.h"
#include "lib/timer.h"

struct allowance;

enum {
	ALLOWANCE_BURST_S = 4, /* so many seconds' worth may come at once */
	ALLOWANCE_SHARES = 8, /* all together may do so many times what one address may */
	ALLOWANCE_PLACES_MAX = 4096,
};

/** @param rate  requests a second from one address   Errors: ENOMEM. */
int allowance_alloc(struct allowance **ap, struct timers *timers, uint32_t rate);
/** May one more pass? Takes it from both buckets if so. */
bool allowance_take(struct allowance *a, const struct sa *from);
size_t allowance_n_places(const struct allowance *a);

#endif
