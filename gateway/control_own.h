/* gateway/control_own.h - what control.c (sockets, lines) and control_command.c (what they ask for) share. */
#ifndef SLUSS_GATEWAY_CONTROL_OWN_H
#define SLUSS_GATEWAY_CONTROL_OWN_H

#include <jansson.h>

#include "gateway/core.h"

/* One request; control_reply() or control_refuse() ends it, once, at any time later. */
struct control_ask {
	struct le le; /* in control.c's list */
	struct core *core;
	void *client;    /* referenced */
	json_t *request; /* an object */
	const char *name;
};

/** Thread: signalling. Takes `a` over and answers it sooner or later. */
void control_command(struct control_ask *a);
/** control_idp.c: "idp rotate". */
void control_idp_rotate(struct control_ask *a);
/** The site that the request is about, the only one if it names none. NULL: refused. */
const struct site *control_site(struct control_ask *a);
/** Takes `result` over. `next` > 0: there is more, from that place on. Frees `a`. */
void control_reply(struct control_ask *a, json_t *result, size_t next);
void control_refuse(struct control_ask *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
