/* webrtc/media/session.h - a media session on its thread: ICE-lite, DTLS, SRTP, and what becomes of the
 * packets. Everything here is the media thread's; session_own.h has the struct.
 *
 *   check ──► ice_check() ─ proved ─► the pair ──► DTLS ──► keys ──► RTP: unprotect, echo, protect, send */
#ifndef SLUSS_WEBRTC_MEDIA_SESSION_H
#define SLUSS_WEBRTC_MEDIA_SESSION_H

#include "gateway/media.h"
#include "lib/timer.h"
#include "webrtc/media/binding.h"
#include "webrtc/media/dtls.h"
#include "webrtc/media/packet.h"
#include "webrtc/media/port.h"

struct session;
struct session_tuple;

struct session_counters {
	uint64_t n_checks;  /**< proved ones */
	uint64_t n_foreign; /**< datagrams from addresses that have proved nothing */
	uint64_t n_rtp_in, n_rtp_out, n_refused; /**< refused: tag, replay, shape */
};

/** What a media thread lends to its sessions. */
struct session_home {
	struct port *port;
	struct timers *timers;
	struct dtls_context *dtls;
	struct binding_codec codec;
	struct hash *ids, *ufrags, *tuples;
	uint32_t setup_ms, consent_ms;
	void (*tell)(uint64_t id, enum media_event event, void *arg);
	void *arg;
	struct session_counters counters;
};
enum { SESSION_BUCKETS = 4096 };
/** Errors: ENOMEM. port, dtls and timers are the caller's. */
int session_home_init(struct session_home *home);
/** Frees the sessions that are left, and the tables. */
void session_home_close(struct session_home *home);

/** It lives in home's tables from here on; session_remove() ends it. Takes `setup` over in any case.
 *  Errors: ENOMEM; EEXIST: that ufrag is there already. */
int session_add(struct session_home *home, uint64_t id, const char *call,
		const char *ufrag, const char *pwd, struct media_setup *setup);
struct session *session_find(const struct session_home *home, uint64_t id);
/** ufrag NULL: the credentials stay. Errors: as above; nothing has changed then. */
int session_change(struct session *s, const char *ufrag, const char *pwd,
		   struct media_setup *setup);
void session_remove(struct session *s);

/** A Binding request with a USERNAME, from `path`. Gives the bytes of the answer in `out`; 0: none, and
 *  nothing has changed. RFC 8445 §7.3. */
size_t ice_check(uint8_t *out, struct session_home *home, const struct binding *b,
		 const struct port_path *path);
/** Everything else: dropped, unless its source has proved who it is. `p` has PORT_ROOM bytes behind `n`. */
void session_take(struct session_home *home, enum packet_kind kind,
		  const struct port_path *path, uint8_t *p, size_t n);

#endif
