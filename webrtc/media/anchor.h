/* webrtc/media/anchor.h - RTP and RTCP between two parties of different kind: a browser (one transport for all,
 * mid, header extensions) and a legacy peer (a stream a section). Pure: bytes in, bytes out; the thread of its
 * session.
 *
 *   a party's stream    SSRC x, any seq and ts ──► SSRC of ours, seq and ts that never jump back, the other
 *                       side's payload type and clock, no header extension but the section's name
 *   its reports         how far ours came, and the clock of its stream ──► a report of ours to the other side
 *   its feedback        NACK, PLI, FIR, REMB about ours ──► the same about the other party's, in its numbers
 * A stream of the other party that begins anew (hold, transfer, another SSRC) goes on where the former ended. */
#ifndef SLUSS_WEBRTC_MEDIA_ANCHOR_H
#define SLUSS_WEBRTC_MEDIA_ANCHOR_H

#include "gateway/media.h"

enum {
	ANCHOR_SIDES = 2,
	ANCHOR_ANY = -1,      /**< a section is told by SSRC, mid and payload type */
	ANCHOR_GROWTH = 24,   /**< bytes that a packet may grow by: the section's name */
	ANCHOR_RTCP_MAX = 512 /**< bytes of a compound of ours at most */
};

struct anchor;
/** Errors: ENOMEM. */
int anchor_alloc(struct anchor **ap, const char *cname);
/** What a side has described, first and at every later offer. Stream k goes on as stream k. */
void anchor_setup(struct anchor *a, unsigned side, const struct media_stream *v,
		  size_t n);
/** Rewrites an unprotected RTP packet of `side`'s for the other side, in place: `p` has ANCHOR_GROWTH bytes
 *  behind its *np. `section`: the row of the side's socket pairs that it came by, or ANCHOR_ANY. Gives the
 *  number of its stream; -1: nothing is to be sent.
 *  Accepts any bytes. What is dropped leaves no gap in our sequence numbers. */
int anchor_rtp(struct anchor *a, unsigned side, int section, uint8_t *p, size_t *np,
	       uint64_t now_us);
/** Reads an unprotected compound of `side`'s. What it brings about waits for anchor_rtcp_next(). */
void anchor_rtcp(struct anchor *a, unsigned side, const uint8_t *p, size_t n,
		 uint64_t now_us);
/** Is there anything to be told to a side? Reports become due by packets and by themselves, every 5 s. */
bool anchor_rtcp_waits(const struct anchor *a);
/** The next compound for `side` (RFC 3550 §6.1: a report, our name, feedback) into `out`, which has
 *  ANCHOR_RTCP_MAX bytes; *kp: the stream that it is about. Gives its length, 0: no more. */
size_t anchor_rtcp_next(struct anchor *a, unsigned side, unsigned *kp, uint8_t *out,
			uint64_t now_us);

#endif
