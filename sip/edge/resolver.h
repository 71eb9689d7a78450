/* sip/edge/resolver.h - from a name to the addresses to try (lookup.h), with a cache;
 * look-ups of the same name are shared. Edge thread. RFC 3263, RFC 2308. */
#ifndef SLUSS_SIP_EDGE_RESOLVER_H
#define SLUSS_SIP_EDGE_RESOLVER_H

#include "sip/edge/lookup.h"

struct resolver;
struct resolve; /**< somebody who waits */

struct resolver_config {
	struct lookup_config lookup;
	srv_random_h *random; /**< NULL: the real one */
	void *arg;
};
/** Errors: ENOMEM. */
int resolver_alloc(struct resolver **rp, const struct resolver_config *config);

/** @param why  NULL, or the end of "X could not be reached: …"
 *  @param v  in the order to try */
typedef void(resolve_h)(const char *why, const struct sa *v, size_t n, void *arg);
/** @param host  a canonical domain   @param port  0: none in the URI
 *  `h` runs once, perhaps before this returns; *rp has been set before, and is gone when
 *  `h` runs (`h` forgets it). Who loses interest earlier frees *rp (mem_deref). Errors:
 *  ENOMEM. */
int resolver_ask(struct resolve **rp, struct resolver *r, const char *host, uint16_t port,
		 resolve_h *h, void *arg);
size_t resolver_n_cached(const struct resolver *r);

#endif
