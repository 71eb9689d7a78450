/* webrtc/session/session.h - the browsers that are connected, on the signalling thread: from their first
 * `hello` to their goodbye. Each is a `struct browser`; once signed in it is a device in the registry, and
 * stays one for limits.session_linger_s without a connection. */
#ifndef SLUSS_WEBRTC_SESSION_SESSION_H
#define SLUSS_WEBRTC_SESSION_SESSION_H

#include "gateway/core.h"
#include "webrtc/session/browser.h"

enum { WEB_CLOSE_TAKEN_OVER = 4001 }; /**< another connection has resumed the session */

/** Errors: ENOMEM. Owns: mem_deref drops every browser that is left, without a word to it. */
int sessions_alloc(struct sessions **sp, struct core *core, session_post_h *post_h,
		   void *arg);
/** A message of the web thread about a WebSocket: OPENED, CLIENT, CLOSED. Owns what it carries. */
void sessions_take(struct sessions *s, const struct web_up *msg);
/** Says bye to all of them; later ones are turned away at once. */
void sessions_stop(struct sessions *s);
/** Connected or away. */
size_t sessions_count(const struct sessions *s);

/* for browser.c and browser_enter.c */

/** As session_post_h. */
int sessions_post(struct sessions *s, struct web_down *msg);
/** Closes a connection that carries nobody any more, as soon as there is room to say so. */
void sessions_close(struct sessions *s, uint64_t conn, uint16_t code, const char *why);
/** `b` is carried by this connection from now on; 0: by none. */
void sessions_carry(struct sessions *s, struct browser *b, uint64_t conn);
/** `b` can be found by its secret name from now on, until it ends. */
void sessions_enlist(struct sessions *s, struct browser *b);
struct browser *sessions_resumable(const struct sessions *s, const char *session);
/** `b` has ended, because of `why` (static, NULL: not known), and cannot be resumed any more. */
void sessions_past(struct sessions *s, struct browser *b, const char *why);
/** Why a session that is not there is not there: "expired", "behind", a word of `bye`, "closed", or "unknown". */
const char *sessions_fate(const struct sessions *s, const char *session);

#endif
