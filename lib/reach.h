/* lib/reach.h - which addresses may be dialled when they come from DNS or from a
 * peer's header. Pure.
 *
 * A name under a stranger's control must not make us knock at the machine's own or
 * its network's doors. RFC 6890 (special addresses), RFC 4291 §2.5.5 (IPv4 inside IPv6).
 * */
#ifndef SLUSS_LIB_REACH_H
#define SLUSS_LIB_REACH_H

#include "lib/base.h"

/** @param loopback  loopback, private and link-local ones are fine too (tests, demo).
 *  Unspecified, multicast, broadcast, reserved and IPv4 addresses in IPv6 clothes never are. */
bool reach_allowed(const struct sa *sa, bool loopback);

#endif
