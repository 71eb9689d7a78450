/* webrtc/session/browser.h - a connected browser (or program): once signed in it is a device of the
 * registry. Signalling thread. */
#ifndef SLUSS_WEBRTC_SESSION_BROWSER_H
#define SLUSS_WEBRTC_SESSION_BROWSER_H

#include "gateway/core.h"
#include "gateway/registry.h"
#include "webrtc/session/web_msg.h"

struct browser;
struct browser_calls;
struct sessions;

/** Passes a message to the web thread; takes what it owns also on error. Errors: ENOSPC, ESHUTDOWN. */
typedef int(session_post_h)(struct web_down *msg, void *arg);

/* for session.c */

/** A WebSocket has opened; hello must come in limits.ws_auth_s. `cookie` is a token or empty.
 *  Errors: ENOMEM. Owns: itself from then on: it is freed by browser_closed() or some time after its bye. */
int browser_alloc(struct browser **bp, struct sessions *all, struct core *core,
		  uint64_t conn, const struct site *site, const struct sa *from,
		  const char *cookie, const struct web_origin *origin,
		  const struct web_place *place);
/** It said something. */
void browser_take(struct browser *b, const struct client_msg *m);
/** Its socket is gone: it lingers, or ends and is freed. */
void browser_closed(struct browser *b, enum web_left left);
void browser_bye(struct browser *b, enum device_bye why);
/** The connection that carries it; 0: away. */
uint64_t browser_conn(const struct browser *b);
void browser_conn_set(struct browser *b, uint64_t conn);
/** Its secret name; empty when it cannot be resumed. */
const char *browser_session(const struct browser *b);
/** Its elements for the tables of connections and of sessions, which it leaves by itself. */
struct le *browser_le(struct browser *b);
struct le *browser_le_session(struct browser *b);

/* for browser_call.c and browser_leg.c */

/** Sends `m` (owned, NULL: out of memory); numbers it when it is an event. What cannot be sent now waits for
 *  a browser that can come back, and ends any other in the loop's next turn. */
void browser_send(struct browser *b, struct server_msg *m);
void browser_ok(struct browser *b, uint32_t id);
void browser_error(struct browser *b, uint32_t id, enum web_error code, const char *fmt,
		   ...) PRINTF_LIKE(4, 5);
struct core *browser_core(const struct browser *b);
const struct device *browser_device(const struct browser *b);
/** Signed in: a device, though perhaps away. */
bool browser_online(const struct browser *b);
/** A call of its user has begun to be one that may be moved, or is none any more: the other devices hear of it. */
void browser_calls_changed(struct browser *b);
/** May `b` know of, and take over, what goes on on `other`, a device of the same user?  A sign-in that was given to
 *  the pages of one origin is told of these pages' own calls only. */
bool browser_sees(const struct browser *b, const struct browser *other);
struct browser_calls *browser_calls(const struct browser *b);
/** What its client, according to its hello, calls the call `id` that a killed process has left. NULL: nothing. */
const char *browser_held(const struct browser *b, const char *id);
struct browser *browser_of(struct endpoint *ep);

#endif
