/* sip/edge/srv.h - the order in which a domain's hosts are tried. Pure. RFC 2782. */
#ifndef SLUSS_SIP_EDGE_SRV_H
#define SLUSS_SIP_EDGE_SRV_H

#include "lib/base.h"

enum { SRV_HOSTS_MAX = 16, SRV_ADDRS_MAX = 8, TARGETS_MAX = 16 };

/** One host of a domain, with the addresses found for it. */
struct srv_host {
	uint16_t priority, weight, port;
	size_t n;
	struct sa sav[SRV_ADDRS_MAX]; /**< with the port */
};
typedef uint32_t(srv_random_h)(uint32_t below, void *arg);

/** Lower priority first; inside one priority by chance, in proportion to the weight.
 *  Writes every address once, at most TARGETS_MAX; gives how many. */
size_t srv_order(struct sa targetv[TARGETS_MAX], const struct srv_host *hostv, size_t n,
		 srv_random_h *h, void *arg);

#endif
