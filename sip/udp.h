/* sip/udp.h - SIP by UDP from outside: answered, but nobody gets in. Signalling thread. */
#ifndef SLUSS_SIP_UDP_H
#define SLUSS_SIP_UDP_H

#include "sip/room.h"

/** Binds and watches. Errors: one line in *whyp. Freed with sip->udp. */
int sip_udp_listen(struct sip *sip, const struct sa *sa, char **whyp);

struct sip_udp; /**< a listener */
/** The one from which that address can be reached; NULL: none of its family. */
struct sip_udp *sip_udp_for(const struct sip *sip, const struct sa *to);
/** The port of that listener; 0: none. */
uint16_t sip_udp_port(const struct sip *sip, const struct sa *to);
/** The address that listener is bound to; false: to any. */
bool sip_udp_bound(const struct sip *sip, struct sa *local, const struct sa *to);
void sip_udp_send(const struct sip_udp *u, const struct sa *to, const void *p, size_t n);

#endif
