/* sip/edge/lookup.h - one look-up of RFC 3263, step by step; no cache, nobody but its
 * owner waits.
 *
 *   NAPTR SIPS+D2T ──► SRV (its name, else _sips._tcp.NAME) ──► A and AAAA of each host
 *   a port in the URI: A and AAAA at once, SRV only when there are none
 *   no answer, or trouble, is like no such record: the next step, while there is time
 *
 * Edge thread. Bounded in number and time; special addresses are left out (reach.h). */
#ifndef SLUSS_SIP_EDGE_LOOKUP_H
#define SLUSS_SIP_EDGE_LOOKUP_H

#include "lib/timer.h"
#include "sip/edge/dns.h"
#include "sip/edge/srv.h"

struct lookup;

struct lookup_config {
	struct timers *timers;
	const struct dns_ops *ops;
	void *dns;
	uint32_t limit_s; /**< for all steps together */
	bool loopback;    /**< see reach_allowed() */
};
/** Borrowed during the call. `why` is NULL, or the end of "X could not be reached: …". */
struct lookup_result {
	const char *why;
	uint32_t ttl_s;
	size_t n;
	const struct srv_host *hostv;
};
typedef void(lookup_h)(const struct lookup_result *result, void *arg);

/** @param host  a canonical domain   @param port  0: none in the URI   Errors: ENOMEM. */
int lookup_alloc(struct lookup **lp, const struct lookup_config *config, const char *host,
		 uint16_t port, lookup_h *h, void *arg);
/** Sets out; `h` runs once, perhaps before this returns. */
void lookup_start(struct lookup *l);
/** Ends it without a call (when it has not ended by itself) and frees it; sets *lp to
 *  NULL. */
void lookup_end(struct lookup **lp);

#endif
