/* edge_dns.h - a DNS server in one thread for the edge's live tests: answers by UDP from
 * a list of records. */
#ifndef SLUSS_TESTS_EDGE_DNS_H
#define SLUSS_TESTS_EDGE_DNS_H

#include "lib/base.h"

enum { DNS_A = 1, DNS_SRV_RR = 33, DNS_NAPTR_RR = 35 };
struct dns_rr {
	unsigned type;
	char name[64];
	uint16_t a, b, port; /* SRV: priority, weight, port; NAPTR: order, preference */
	char data
		[64]; /* A: address; SRV, NAPTR: a name. "!servfail", "!silent" for any question of that name */
	bool alias; /* data is a name that the name stands for (CNAME) */
};
struct dns_server;

/** Serves copies of the records on 127.0.0.1. */
struct dns_server *dns_server_open(const struct dns_rr *rrv, size_t n, uint16_t *port);
/** How many questions came. */
unsigned dns_server_close(struct dns_server *s);

#endif
