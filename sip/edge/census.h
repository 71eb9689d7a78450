/* sip/edge/census.h - how many open connections prove which domain: for EDGE_PEER events.
 * Edge thread. */
#ifndef SLUSS_SIP_EDGE_CENSUS_H
#define SLUSS_SIP_EDGE_CENSUS_H

#include "lib/base.h"

struct census;
typedef void(census_h)(const char *domain, bool up, const char *why, unsigned n_conns,
		       void *arg);

/** Errors: ENOMEM. */
int census_alloc(struct census **cp, census_h *h, void *arg);
/** A connection that proves these domains ('/'-separated; the first few count) is open.
 *  */
void census_enter(struct census *c, const char *names);
/** It is no more. */
void census_leave(struct census *c, const char *names, const char *why);
/** One could not be opened. */
void census_failed(struct census *c, const char *domain, const char *why);

#endif
