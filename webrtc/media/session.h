/* webrtc/media/session.h - a media session on its thread: its sides, its work, and what becomes of the packets.
 * Everything here is the media thread's; session_own.h has the structs.
 *
 *   check ──► ice_check() ─ proved ─► the pair ──► DTLS ──► keys ──► RTP: unprotect, work, protect, send */
#ifndef SLUSS_WEBRTC_MEDIA_SESSION_H
#define SLUSS_WEBRTC_MEDIA_SESSION_H

#include "gateway/media.h"
#include "lib/timer.h"
#include "webrtc/media/binding.h"
#include "webrtc/media/dtls.h"
#include "webrtc/media/media_msg.h"
#include "webrtc/media/packet.h"
#include "webrtc/media/port.h"

struct session;

struct session_counters {
	uint64_t n_checks;  /**< proved ones */
	uint64_t n_foreign; /**< datagrams from addresses that have proved nothing */
	uint64_t n_rtp_in, n_rtp_out, n_refused; /**< refused: tag, replay, shape */
	/** Of relays. shape: no DTLS, SRTP or SRTCP; over: more than the caps; early: nobody there yet. */
	uint64_t n_relayed, n_relay_shape, n_relay_over, n_relay_early;
};

/** What a media thread lends to its sessions. */
struct session_home {
	struct port *port;
	struct timers *timers;
	struct dtls_context *dtls;
	struct binding_codec codec;
	struct hash *ids, *ufrags, *tuples;
	uint32_t setup_ms, consent_ms, silence_ms;
	void (*tell)(uint64_t id, unsigned side, enum media_event event, void *arg);
	void *arg;
	struct session_counters counters;
};
enum { SESSION_BUCKETS = 4096 };
/** Errors: ENOMEM. port, dtls and timers are the caller's. */
int session_home_init(struct session_home *home);
/** Frees the sessions that are left, and the tables. */
void session_home_close(struct session_home *home);

/** It lives in home's tables from here on; session_remove() ends it. Owns: takes the sockets. Errors: ENOMEM; EEXIST: one of those
 *  ufrags is there already. */
int session_add(struct session_home *home, uint64_t id, struct media_add *add);
struct session *session_find(const struct session_home *home, uint64_t id);
/** The first description of a side, or a later one. Owns: takes a reference to `told`. Errors: as above;
 *  nothing has changed then. */
int session_remote(struct session *s, unsigned side, struct media_told *told);
/** FULL sides: candidates of the peer's. */
void session_candidates(struct session *s, unsigned side,
			const struct media_candidates *c);
void session_remove(struct session *s);

/** A Binding request with a USERNAME, from `path`. Gives the bytes of the answer in `out`; 0: none, and
 *  nothing has changed. RFC 8445 §7.3. */
size_t ice_check(uint8_t *out, struct session_home *home, const struct binding *b,
		 const struct port_path *path);
/** Anything that looks like STUN, from a socket of a FULL side's own. */
void ice_full_take(const struct port_path *path, const uint8_t *p, size_t n);
/** Everything else: dropped, unless its source has proved who it is. `p` has PORT_ROOM bytes behind `n`. */
void session_take(struct session_home *home, enum packet_kind kind,
		  const struct port_path *path, uint8_t *p, size_t n);

#endif
