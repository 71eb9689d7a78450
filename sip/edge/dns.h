/* sip/edge/dns.h - the DNS questions the edge asks, by c-ares on the edge's loop.
 *
 * `struct dns_ops` is what the resolver sees, so that its tests answer themselves. Edge
 * thread. RFC 1035, RFC 2782 (SRV), RFC 3403 (NAPTR). */
#ifndef SLUSS_SIP_EDGE_DNS_H
#define SLUSS_SIP_EDGE_DNS_H

#include <uv.h>

#include "gateway/addr.h"
#include "lib/base.h"
#include "lib/timer.h"

enum dns_kind { DNS_NAPTR, DNS_SRV, DNS_ADDR };
/** ENOENT there is no such name; ENODATA the name has no such record; ETIMEDOUT; EIO a
 *  server failed. */
enum { DNS_RECORDS_MAX = 64, DNS_NAME = 272 };

struct dns_naptr {
	uint16_t order, preference;
	char flags[4], service[32], replacement[DNS_NAME];
};
struct dns_srv {
	uint16_t priority, weight, port;
	char host[DNS_NAME];
};
/** What one question brought, at most DNS_RECORDS_MAX of each; borrowed during the call.
 *  */
struct dns_answer {
	int err;
	uint32_t ttl_s; /**< the smallest; of an error: 0 */
	size_t n;
	const struct dns_naptr *naptr;
	const struct dns_srv *srv;
	const struct sa *sa; /**< A and AAAA, best first, port 0 */
};
typedef void(dns_h)(const struct dns_answer *answer, void *arg);

struct dns_ops {
	/** Asks; `h` runs once, perhaps before this returns. */
	void (*ask)(void *dns, enum dns_kind kind, const char *name, dns_h *h, void *arg);
};

struct dns;
extern const struct dns_ops dns_ops;
/** @param serverv  "addr:port", NULL ended; NULL: the system's
 *  Errors: EINVAL a bad server; ENOMEM, EIO. */
int dns_alloc(struct dns **dp, uv_loop_t *loop, struct timers *timers,
	      char *const *serverv);
/** Ends every question with an error and closes the sockets; then mem_deref when the loop
 *  is done. */
void dns_stop(struct dns *d);

#endif
