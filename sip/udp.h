/* sip/udp.h - SIP by UDP from outside: answered, but nobody gets in. Signalling thread. */
#ifndef SLUSS_SIP_UDP_H
#define SLUSS_SIP_UDP_H

#include "sip/room.h"

/** Binds and watches. Errors: one line in *whyp. Freed with sip->udp. */
int sip_udp_listen(struct sip *sip, const struct sa *sa, char **whyp);

#endif
