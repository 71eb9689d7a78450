/* webrtc/media/session_own.h - private to session.c, side.c, side_dtls.c and ice.c: a session and its sides.
 *
 *   struct session ── work: echo …
 *       ├ side 0 ── ICE: creds, tuples, the pair ── DTLS ── srtp in, out
 *       └ side 1                                                                                        */
#ifndef SLUSS_WEBRTC_MEDIA_SESSION_OWN_H
#define SLUSS_WEBRTC_MEDIA_SESSION_OWN_H

#include "webrtc/media/agent.h"
#include "webrtc/media/anchor.h"
#include "webrtc/media/echo.h"
#include "webrtc/media/plain.h"
#include "webrtc/media/relay.h"
#include "webrtc/media/session.h"
#include "webrtc/media/side_fsm.h"
#include "webrtc/media/srtp.h"

enum { SIDE_TUPLES = 8 };

struct side;

/** An address that has proved to be the peer: it knew a password of ours. */
struct side_tuple {
	struct le le; /**< home->tuples, by path.peer, or side->proved; unlinked: free */
	struct side *side;
	struct port_path path;
	uint64_t heard_ms;
};

/** One generation of ICE. */
struct side_creds {
	struct le le; /**< home->ufrags; unlinked: not in use */
	struct side *side;
	struct media_creds own;
	char peer_ufrag[ICE_UFRAG_MAX + 1]; /**< empty: nothing is described yet */
};

/** One transport, towards one party. */
struct side {
	struct session *session; /**< it is a part of it */
	unsigned index;
	struct media_side_setup setup;
	enum side_state state; /**< set by side_event() alone */
	struct media_told *
		told; /**< the first description's certificates, the last one's streams; NULL: none yet */

	struct side_creds creds,
		before; /**< before: until the new generation has a pair */
	struct side_tuple tuplev[SIDE_TUPLES];
	struct list proved; /**< those of its own sockets */
	struct side_tuple
		*pair; /**< where packets go: nominated, or the only proved one */
	bool nominated;
	uint64_t
		heard_ms; /**< the last proved check: consent (RFC 7675). FULL: the last proved response */
	struct agent *agent; /**< FULL */
	struct timer agent_timer;

	size_t n_own;
	struct port_own *ownv; /**< its own sockets; NULL: LITE */
	struct plain *plain; /**< reached without ICE, or it may be; NULL: LITE, relay */

	struct dtls *dtls;
	struct dtls *dtls_again; /**< a client that begins anew; NULL: none */
	uint64_t again_ms;       /**< since when */
	struct srtp *in, *out;
	struct timer dtls_timer, life_timer;
};

struct session {
	struct le le; /**< home->ids, which owns it */
	struct session_home *home;
	uint64_t id;
	char call[MEDIA_CALL_ID + 1];
	enum media_work work;
	size_t n_sides;
	struct side sidev[MEDIA_SIDES];
	struct echo *echo;     /**< MEDIA_WORK_ECHO */
	struct relay *relay;   /**< MEDIA_WORK_RELAY */
	struct anchor *anchor; /**< MEDIA_WORK_ANCHOR */
	struct timer cap_timer;
	uint32_t cap_s;
	bool warned; /**< that packets of it were dropped */
};

static inline uint64_t session_now_ms(const struct session *s)
{
	return timers_now_us(s->home->timers) / 1000;
}

/* side.c */
/** Takes its sockets out of `add`. Errors: ENOMEM, EEXIST. */
int side_open(struct side *sd, struct session *s, unsigned index, struct media_add *add);
int side_remote(struct side *sd, struct media_told *told);
/** All sides are described: the time for getting there begins, once. Errors: ENOMEM. */
int side_start(struct side *sd);
void side_close(struct side *sd);
/** Takes a step of side_fsm.c; tells the core what the step tells. */
void side_event(struct side *sd, enum side_event event);
/** To the pair, if there is one. `p` stays as it is until the flush. */
void side_send(struct side *sd, const uint8_t *p, size_t n);
/** Moves one of its timers. */
void side_timer(struct side *sd, struct timer *t, uint64_t ms, timer_h *h);
/** timer_h of its life: getting there has a time of its own; then a consent lasts as long as checks come. */
void side_on_life(void *arg);

/** It has got its first pair, or another one. */
void side_paired(struct side *sd, struct side_tuple *pair);

/* side_dtls.c */
/** Its party has an address: the handshake can begin. */
void side_dtls_begin(struct side *sd);
/** DTLS of its party. */
void side_dtls(struct side *sd, const uint8_t *p, size_t n);

/* session.c */
/** What waited for this side's pair goes out. */
void session_paired(struct side *sd);

/* ice.c */
int ice_creds_set(struct side *sd, const struct media_creds *own, const char *peer_ufrag);
void ice_close(struct side *sd);
struct side_tuple *ice_tuple_find(const struct session_home *home, const struct sa *peer);
/** Whose party has proved to be at that address; NULL: nobody's. */
struct side *ice_side_of(const struct session_home *home, const struct port_path *path);
/** "ours:theirs" -> the generation that it belongs to, if that is spoken to by this socket; NULL: none. */
struct side_creds *ice_creds_find(const struct session_home *home, const char *username,
				  const struct port_path *path);
/** The peer has proved to be at that address. NULL: it serves another session; never for own sockets. */
struct side_tuple *ice_tuple_of(struct side *sd, const struct port_path *path,
				uint64_t now_ms);
/** Packets go there from now on. `c`: the generation that says so. */
void ice_nominate(struct side *sd, struct side_tuple *t, const struct side_creds *c);

/* ice_full.c */
int ice_full_open(struct side *sd);
void ice_full_describe(struct side *sd, bool restart);
void ice_full_close(struct side *sd);
void ice_full_candidates(struct side *sd, const struct media_candidates *c);

#endif
