/* webrtc/session/api_session.h - the HTTP API's half on the signalling thread: sign in and out, who am I,
 * password, registration. Every request gets exactly one reply unless it is forgotten first. */
#ifndef SLUSS_WEBRTC_SESSION_API_SESSION_H
#define SLUSS_WEBRTC_SESSION_API_SESSION_H

#include "webrtc/session/browser.h"

struct account_answer;
struct api_sessions;

/** Errors: ENOMEM. Owns: mem_deref forgets what is under way. */
int api_sessions_alloc(struct api_sessions **ap, struct core *core,
		       session_post_h *post_h, void *arg);
/** A message of the web thread: API, API_GONE. Owns what it carries. */
void api_sessions_take(struct api_sessions *a, const struct web_up *msg);

/** What the API answers to an answer of the accounts: pure, for the tests. */
void api_reply_fill(struct api_reply *reply, const struct api_request *request,
		    const struct account_answer *answer, int64_t now_s,
		    const struct limits *limits);

#endif
