/* sip/edge/check.h - what a message from outside must be like before Sofia sees it. Pure.
 *
 * All peers share one connection to Sofia, so nothing may pass that would make Sofia stop
 * reading it: Sofia stalls for good on a first line it cannot parse, on a bad
 * Content-Length and on a NUL. (On other bad headers it answers 400 and half-closes; the
 * edge moves on to a new connection then, see inner.h.) RFC 3261 §8.2, §18. */
#ifndef SLUSS_SIP_EDGE_CHECK_H
#define SLUSS_SIP_EDGE_CHECK_H

#include "sip/edge/via.h"

/** 0, or the status with which to answer: 400, 416, 501, 505. `top` gets the top Via when
 *  0. */
unsigned check_request(const struct message *m, struct via *top);
/** May a peer's response go on: 2.0, CSeq, Call-ID, From, To, one Via alone (RFC 3261
 *  §8.1.3.3)? */
bool check_response(const struct message *m, struct via *top);

#endif
