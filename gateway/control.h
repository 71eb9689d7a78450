/* gateway/control.h - slussctl's socket, on the signalling thread, never blocking.
 *
 * A local stream socket (mode 0600). One request a line, one answer a line, both JSON; long lists come in
 * pages: "next":N in the answer, "from":N in the request for the rest.
 *   {"command":"calls"}            -> {"ok":true,"result":[…]}
 *   {"command":"user add",…}       -> {"ok":false,"error":"alpha.example has a user alice already"} */
#ifndef SLUSS_GATEWAY_CONTROL_H
#define SLUSS_GATEWAY_CONTROL_H

#include "gateway/core.h"

/** Where the socket is unless the configuration says otherwise; also slussctl's default. */
#define CONTROL_SOCKET "/run/sluss/control.sock"

struct control;
/** Freed (mem_deref) after the account service, which may have a question of it under way.
 *  Errors: EADDRINUSE another slussd listens there (a stale socket file is replaced); EACCES; ENOENT.
 *  One line in *whyp. */
int control_alloc(struct control **cp, char **whyp, struct core *core, const char *path);

#endif
