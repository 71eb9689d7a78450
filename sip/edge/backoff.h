/* sip/edge/backoff.h - targets that have just failed are not knocked at again at once: 1
 * s, 2 s, … 30 s.
 *
 * It only changes the order: who has nothing else to try tries them all the same. Edge
 * thread. */
#ifndef SLUSS_SIP_EDGE_BACKOFF_H
#define SLUSS_SIP_EDGE_BACKOFF_H

#include "gateway/addr.h"
#include "lib/base.h"
#include "lib/timer.h"

struct backoff;

/** Errors: ENOMEM. */
int backoff_alloc(struct backoff **bp, struct timers *timers);
/** Has `target` ("192.0.2.7:5061") of `domain` failed a short while ago? */
bool backoff_active(struct backoff *b, const char *site, const char *domain,
		    const char *target);
/** Has it failed in the last minutes and not worked since, even if it may be tried again?
 *  */
bool backoff_known(struct backoff *b, const char *site, const char *domain,
		   const char *target);
void backoff_failed(struct backoff *b, const char *site, const char *domain,
		    const char *target);
/** It works (again). `target` NULL: every target of the domain, since the peer itself has
 *  shown up. */
void backoff_works(struct backoff *b, const char *domain, const char *target);
size_t backoff_count(const struct backoff *b);

#endif
