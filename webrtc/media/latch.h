/* webrtc/media/latch.h - where a peer without ICE really sends from (symmetric RTP, RFC 4961), and who else may
 * not take its place ("RTP bleed"). Pure; the thread of its session.
 *
 *   OPEN ─ a packet from the described address ─────────────► FIXED      only that address, until a new description
 *     └─── LATCH_PROOF packets in a row of one foreign source ► LEARNED  only that address …
 *                                 LEARNED ─ the described address sends ► FIXED
 *                     FIXED, LEARNED ─ silent, and the same stream goes on from elsewhere ► LEARNED (a NAT)
 * Nothing of a foreign source is let through before it has the latch: an injector gets no packet in where the
 * described address has sent, and must otherwise be first and keep coming. With SRTP the tag decides instead. */
#ifndef SLUSS_WEBRTC_MEDIA_LATCH_H
#define SLUSS_WEBRTC_MEDIA_LATCH_H

#include "lib/base.h"

enum {
	LATCH_PROOF = 5, /**< packets of one source, its numbers in order */
	LATCH_MOVE_SILENT_MS =
		500 /**< so long must the old address be silent before a NAT may have moved it */
};

enum latch_state { LATCH_OPEN, LATCH_LEARNED, LATCH_FIXED };

struct latch {
	enum latch_state state;
	bool strict;         /**< nothing is learned: the described address or nobody */
	struct sa described; /**< unset: none yet */
	struct sa peer;      /**< LEARNED, FIXED */
	uint32_t ssrc;       /**< of its last packet */
	uint16_t seq;
	uint64_t heard_ms;
	struct sa next; /**< who would have it */
	uint32_t next_ssrc;
	uint16_t next_seq;
	unsigned n_next;
};

/** What the description says: first and at every later one. Another address than before opens the latch; none
 *  (c=0.0.0.0) changes nothing. */
void latch_describe(struct latch *l, const struct sa *sa);
/** A packet of RTP in the clear. True: it is the peer's, *moved: its address has changed. */
bool latch_rtp(struct latch *l, const struct sa *from, uint32_t ssrc, uint16_t seq,
	       uint64_t now_ms, bool *moved);
/** A packet whose tag was right: whoever has the keys is the peer. True: its address has changed. */
bool latch_proved(struct latch *l, const struct sa *from, uint64_t now_ms);
/** RTCP in the clear comes from where RTP does, from any port: before that only from the described one. */
bool latch_rtcp(const struct latch *l, const struct sa *from);
/** Where to send to; NULL: nowhere yet. */
const struct sa *latch_to(const struct latch *l);

#endif
