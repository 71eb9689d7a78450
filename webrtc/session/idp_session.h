/* webrtc/session/idp_session.h - requests to identity providers, on the signalling thread: each is handed to core->provider,
 * and its answer to the web thread, unless it is forgotten first. */
#ifndef SLUSS_WEBRTC_SESSION_IDP_SESSION_H
#define SLUSS_WEBRTC_SESSION_IDP_SESSION_H

#include "webrtc/session/browser.h"

struct idp_sessions;

/** Errors: ENOMEM. Owns: mem_deref forgets what is under way. */
int idp_sessions_alloc(struct idp_sessions **ip, struct core *core,
		       session_post_h *post_h, void *arg);
/** A message of the web thread: IDP (owns what it carries), API_GONE. */
void idp_sessions_take(struct idp_sessions *i, const struct web_up *msg);

#endif
