/* webrtc/media/relay.h - what a relay lets through: packets that look like DTLS, SRTP or SRTCP, as many as its
 * caps allow, and the last flight of DTLS for a party that has no pair yet. Pure: bytes in, a verdict out; the
 * thread of its session.
 *
 *   side i ── packet ──► relay_take(i) ── RELAY_PASS ──► the other side's pair
 *                            └ RELAY_HELD: kept until relay_next() asks for it          RELAY_DROP          */
#ifndef SLUSS_WEBRTC_MEDIA_RELAY_H
#define SLUSS_WEBRTC_MEDIA_RELAY_H

#include "gateway/media.h"
#include "webrtc/media/packet.h"

enum relay_verdict {
	RELAY_PASS,
	RELAY_HELD,  /**< a copy is here */
	RELAY_EARLY, /**< media, and nobody is there to get them: dropped */
	RELAY_SHAPE, /**< nothing that two browsers say to each other: dropped */
	RELAY_OVER   /**< more than the caps allow: dropped */
};

struct relay;
/** Errors: ENOMEM. */
int relay_alloc(struct relay **rp, const struct media_caps *caps);
/** A packet from side `from`; `there`: the other side has a pair. Allocates when the first flight is held,
 *  never for media. */
enum relay_verdict relay_take(struct relay *r, unsigned from, bool there,
			      enum packet_kind kind, const uint8_t *p, size_t n,
			      uint64_t now_us);
/** The next datagram of the flight that is held for the party of side `to`; NULL: no more, and it is gone. It
 *  stays until the next call. */
const uint8_t *relay_next(struct relay *r, unsigned to, size_t *np);

/** Does it look like what its kind says? A relay cannot read it; what it can see must be right. */
bool relay_shape_ok(enum packet_kind kind, const uint8_t *p, size_t n);

#endif
