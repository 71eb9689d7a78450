/* gateway/route.h - where a call goes: a user's devices here, the echo test, or another domain. Signalling
 * thread. */
#ifndef SLUSS_GATEWAY_ROUTE_H
#define SLUSS_GATEWAY_ROUTE_H

#include "gateway/core.h"

/** ECHO: the echo test of the site (echo.h). TRUNK: a telephone number, by a trunk. */
enum route_kind { ROUTE_LOCAL, ROUTE_FEDERATED, ROUTE_ECHO, ROUTE_TRUNK };

struct route;
/** cause is NULL when found. kind LOCAL: the user's devices (at least one) are in the registry. */
typedef void(route_h)(enum route_kind kind, const struct site *site,
		      const struct cause *cause, void *arg);

/** Decides. `h` is called from the loop, never from inside; mem_deref(*rp) forgets it.
 *  `account`: the caller is this user here: may call other domains, and numbers as trunk_choice.h has it. NULL: a caller
 *  from outside may reach local users only (no open relay: CAUSE_FORBIDDEN).
 *  A number (number.h) at a site here is, in this order: an emergency number, one that is given to a user, a user's name, a
 *  number for a trunk.
 *  Local and online: at once. Local and not online: the store is asked: CAUSE_NOT_FOUND or OFFLINE. */
int route_find(struct route **rp, struct core *core, const struct addr *to,
	       const struct addr *account, route_h *h, void *arg);

/* Inside `h`, of what was found: */
/** Of ROUTE_TRUNK. */
const struct trunk_config *route_trunk(const struct route *r);
/** Where it goes: as dialled, or the user to whom that number is given, or the number in the form of the house. */
const struct addr *route_to(const struct route *r);
bool route_is_emergency(const struct route *r);

#endif
