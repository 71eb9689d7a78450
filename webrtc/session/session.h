/* webrtc/session/session.h - the browsers that are connected, on the signalling thread: from their first
 * `hello` to their goodbye. Each is a `struct browser`; once signed in it is a device in the registry. */
#ifndef SLUSS_WEBRTC_SESSION_SESSION_H
#define SLUSS_WEBRTC_SESSION_SESSION_H

#include "gateway/core.h"
#include "gateway/registry.h"
#include "webrtc/session/web_msg.h"

struct sessions;
struct browser;
struct browser_calls;

/** Passes a message to the web thread; takes what it owns also on error. Errors: ENOSPC, ESHUTDOWN. */
typedef int(session_post_h)(struct web_down *msg, void *arg);

/** Errors: ENOMEM. Owns: mem_deref drops every browser that is left, without a word to it. */
int sessions_alloc(struct sessions **sp, struct core *core, session_post_h *post_h,
		   void *arg);
/** A message of the web thread about a WebSocket: OPENED, CLIENT, CLOSED. Owns what it carries. */
void sessions_take(struct sessions *s, const struct web_up *msg);
/** Says bye to all of them; later ones are turned away at once. */
void sessions_stop(struct sessions *s);
size_t sessions_count(const struct sessions *s);

/* for browser_call.c and browser_leg.c */

/** Sends `m` (owned, NULL: out of memory); numbers it when it is an event. What cannot be sent ends the
 *  browser in the loop's next turn. */
void browser_send(struct browser *b, struct server_msg *m);
void browser_ok(struct browser *b, uint32_t id);
void browser_error(struct browser *b, uint32_t id, enum web_error code, const char *fmt,
		   ...) PRINTF_LIKE(4, 5);
struct core *browser_core(const struct browser *b);
const struct device *browser_device(const struct browser *b);
bool browser_online(const struct browser *b);
struct browser_calls *browser_calls(const struct browser *b);
struct browser *browser_of(struct endpoint *ep);

#endif
