/* gateway/route.h - where a call goes: a user's devices here, the echo test, or another domain. Signalling
 * thread. */
#ifndef SLUSS_GATEWAY_ROUTE_H
#define SLUSS_GATEWAY_ROUTE_H

#include "gateway/core.h"

/** ECHO: the echo test of the site (echo.h). */
enum route_kind { ROUTE_LOCAL, ROUTE_FEDERATED, ROUTE_ECHO };

struct route;
/** cause is NULL when found. kind LOCAL: the user's devices (at least one) are in the registry. */
typedef void(route_h)(enum route_kind kind, const struct site *site,
		      const struct cause *cause, void *arg);

/** Decides. `h` is called from the loop, never from inside; mem_deref(*rp) forgets it.
 *  `from_local`: the caller is a user here: may call other domains. A caller from outside may reach
 *  local users only (no open relay: CAUSE_FORBIDDEN).
 *  Local and online: at once. Local and not online: the store is asked: CAUSE_NOT_FOUND or OFFLINE. */
int route_find(struct route **rp, struct core *core, const struct addr *to,
	       bool from_local, route_h *h, void *arg);

#endif
