/* sip/edge/resolver.h - from a name to the addresses to try: RFC 3263 for TLS, with a cache.
 *
 *   NAPTR SIPS+D2T ──► SRV (its name, else _sips._tcp.NAME) ──► A and AAAA of each host
 *   a port in the URI: A and AAAA at once, SRV only when there are none
 *
 * Edge thread. Answers are bounded in number, time and memory; special addresses are left out (reach.h). */
#ifndef SLUSS_SIP_EDGE_RESOLVER_H
#define SLUSS_SIP_EDGE_RESOLVER_H

#include "lib/timer.h"
#include "sip/edge/dns.h"
#include "sip/edge/srv.h"

struct resolver;
struct resolve; /**< somebody who waits */

struct resolver_config {
	struct timers *timers;
	const struct dns_ops *ops;
	void *dns;
	uint32_t limit_s;     /**< for a whole look-up */
	bool loopback;        /**< see reach_allowed() */
	srv_random_h *random; /**< NULL: the real one */
	void *arg;
};
/** Errors: ENOMEM. */
int resolver_alloc(struct resolver **rp, const struct resolver_config *config);

/** @param why  NULL, or the end of "X could not be reached: …"   @param v  in the order to try */
typedef void(resolve_h)(const char *why, const struct sa *v, size_t n, void *arg);
/** @param host  a canonical domain   @param port  0: none in the URI
 *  `h` runs once, perhaps before this returns; *rp has been set before, and is gone when `h` runs (`h` forgets
 *  it). Who loses interest earlier frees *rp (mem_deref). Errors: ENOMEM. */
int resolver_ask(struct resolve **rp, struct resolver *r, const char *host, uint16_t port, resolve_h *h, void *arg);
size_t resolver_n_cached(const struct resolver *r);

#endif
