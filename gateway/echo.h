/* gateway/echo.h - the echo test: an address at every local site that answers and sends the caller's own sound
 * and picture back. Signalling thread.
 *
 *   call ── invite ──► echo leg ── alloc, remote ──► media plane
 *   call ◄── answer ──    │    ◄── up, lost … ────                                           */
#ifndef SLUSS_GATEWAY_ECHO_H
#define SLUSS_GATEWAY_ECHO_H

#include "gateway/core.h"
#include "gateway/leg.h"

struct echo_service;
/** Needs core->media. Sets core->echo: what a call to site { echo } rings. Errors: ENOMEM. */
int echo_service_alloc(struct echo_service **ep, struct core *core);
/** Is this the echo test of one of our sites? Its user name is nobody's there. */
bool echo_is(const struct core *core, const struct addr *to);

#endif
