/* sip/edge/crowd.h - how many connections come from one address: an IPv4 address, or the
 * first 64 bits of an IPv6 one, which is what a single subscriber has. Edge thread. */
#ifndef SLUSS_SIP_EDGE_CROWD_H
#define SLUSS_SIP_EDGE_CROWD_H

#include "lib/base.h"

struct crowd;

/** Errors: ENOMEM. */
int crowd_alloc(struct crowd **cp);
/** One more. Errors: ENOMEM (it is not counted then). */
int crowd_enter(struct crowd *c, const struct sa *sa);
void crowd_leave(struct crowd *c, const struct sa *sa);
uint32_t crowd_count(struct crowd *c, const struct sa *sa);

#endif
