/* webrtc/media/session_own.h - private to session.c and ice.c: the struct of a session. */
#ifndef SLUSS_WEBRTC_MEDIA_SESSION_OWN_H
#define SLUSS_WEBRTC_MEDIA_SESSION_OWN_H

#include "webrtc/media/echo.h"
#include "webrtc/media/media_msg.h"
#include "webrtc/media/session.h"
#include "webrtc/media/session_fsm.h"
#include "webrtc/media/srtp.h"

enum { SESSION_TUPLES = 8 };

/** An address that has proved to be the peer: it knew a password of ours. */
struct session_tuple {
	struct le le; /**< home->tuples, by path.peer; unlinked: free */
	struct session *session;
	struct port_path path;
	uint64_t heard_ms;
};

/** One generation of ICE. */
struct session_creds {
	struct le le; /**< home->ufrags; unlinked: not in use */
	struct session *session;
	char ufrag[MEDIA_UFRAG + 1], pwd[MEDIA_PWD + 1];
	char peer_ufrag[ICE_UFRAG_MAX + 1];
};

struct session {
	struct le le; /**< home->ids, which owns it */
	struct session_home *home;
	uint64_t id;
	char call[MEDIA_CALL_ID + 1];
	enum session_state state; /**< set by session_event() alone */
	struct media_setup *setup;

	struct session_creds creds,
		before; /**< before: until the new generation has a pair */
	struct session_tuple tuplev[SESSION_TUPLES];
	struct session_tuple
		*pair; /**< where packets go: nominated, or the only proved one */
	bool nominated;
	uint64_t heard_ms; /**< the last proved check: consent (RFC 7675) */

	struct dtls *dtls;
	struct srtp *in, *out;
	struct echo *echo;
	struct timer dtls_timer, life_timer;
};

/* session.c */
/** Takes a step of session_fsm.c; tells the core what the step tells. */
void session_event(struct session *s, enum session_event event);
static inline uint64_t session_now_ms(const struct session *s)
{
	return timers_now_us(s->home->timers) / 1000;
}
/* ice.c */
int ice_creds_set(struct session *s, const char *ufrag, const char *pwd,
		  const char *peer_ufrag);
void ice_close(struct session *s);
struct session_tuple *ice_tuple_find(const struct session_home *home,
				     const struct sa *peer);

#endif
