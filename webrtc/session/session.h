/* webrtc/session/session.h - the browsers that are connected, on the signalling thread: from their first
 * `hello` to their goodbye. Each is a `struct browser`; once signed in it is a device in the registry. */
#ifndef SLUSS_WEBRTC_SESSION_SESSION_H
#define SLUSS_WEBRTC_SESSION_SESSION_H

#include "gateway/core.h"
#include "webrtc/session/browser.h"

struct sessions;

/** Errors: ENOMEM. Owns: mem_deref drops every browser that is left, without a word to it. */
int sessions_alloc(struct sessions **sp, struct core *core, session_post_h *post_h,
		   void *arg);
/** A message of the web thread about a WebSocket: OPENED, CLIENT, CLOSED. Owns what it carries. */
void sessions_take(struct sessions *s, const struct web_up *msg);
/** Says bye to all of them; later ones are turned away at once. */
void sessions_stop(struct sessions *s);
size_t sessions_count(const struct sessions *s);

#endif
