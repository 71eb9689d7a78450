/* webrtc/media/anchor_own.h - private to anchor.c (RTP), anchor_event.c (telephone-event) and anchor_rtcp.c. */
#ifndef SLUSS_WEBRTC_MEDIA_ANCHOR_OWN_H
#define SLUSS_WEBRTC_MEDIA_ANCHOR_OWN_H

#include "webrtc/media/anchor.h"
#include "webrtc/media/packet.h"
#include "webrtc/media/reception.h"

enum { NACK_WORDS = 16, SR_CLOCK = 8 };

/** From `from` on, out = in + add. */
struct anchor_era {
	uint16_t from, add;
};

/** A key that is being pressed (RFC 4733). */
struct anchor_event {
	bool on, ended;
	uint8_t code;
	uint32_t in_ts;   /**< of the segment that comes in */
	uint32_t in_dur;  /**< the longest heard of that segment */
	uint32_t acc;     /**< segments before it, in the clock that comes in */
	uint32_t out_ts;  /**< where it began, towards the other side */
	uint32_t segment; /**< number of the one that is sent */
};

/** A party's stream on its way to the other side. */
struct anchor_flow {
	bool started, fresh; /**< fresh: its timestamps have no place in ours yet */
	uint32_t ssrc;       /**< the party's */
	uint32_t next_ssrc;  /**< who would take its place */
	unsigned n_next;
	uint64_t heard_us;

	uint16_t in_top; /**< the highest heard */
	uint16_t odd;    /**< one that was far away: two in a row begin anew */
	bool has_odd;
	uint16_t out_seq; /**< the highest sent */
	struct anchor_era era, before;
	bool has_before;

	uint32_t clock; /**< of what plays now, Hz */
	uint32_t in_ts, out_ts, ts_add;
	uint64_t played_us; /**< when the packet of in_ts came */
	bool silent;        /**< nothing was sent for a while: the next one is marked */
	struct anchor_event event;

	uint32_t n_sent, n_sent_bytes; /**< since it began (RFC 3550 §6.4.1) */
	uint32_t n_told;               /**< n_sent at our last report */
	struct reception reception;
	bool has_sr;
	uint8_t sr[SR_CLOCK]; /**< NTP time of its last report */
	uint32_t sr_ts;       /**< and its timestamp */
	uint64_t sr_us;       /**< when that came */
};

/** What waits to be told to a side about a stream. */
struct anchor_due {
	bool report, pli, fir, remb;
	uint8_t fir_seq;
	uint8_t remb_v[8]; /**< "REMB", count, exponent and mantissa */
	uint8_t nackv[4 * NACK_WORDS];
	size_t n_nack_bytes;
	uint64_t reported_us, key_us, nack_us;
	unsigned n_nacks; /**< since nack_us, within a second */
};

struct anchor_stream {
	struct media_stream setup;
	uint8_t rowv[128]; /**< first row of a payload type; MEDIA_PT_NONE */
	bool named;        /**< the party has reported on ours: it knows the section */
	struct anchor_flow in;
	struct anchor_due due;
};

struct anchor_side {
	size_t n_streams;
	struct anchor_stream streamv[MEDIA_STREAMS_MAX];
};

struct anchor {
	char cname[33];
	bool waits;
	struct anchor_side sidev[ANCHOR_SIDES];
};

/* anchor_event.c */
/** A packet of telephone-event: the timestamp for the other side, and its duration in `payload`. False: it is
 *  none. `in`, `out`: the two halves of its row. */
bool anchor_event(struct anchor_flow *f, const struct media_type *in,
		  const struct media_type *out, uint32_t ts, uint8_t *payload, size_t n,
		  uint64_t now_us, uint32_t *tsp);
/* anchor.c */
/** How far the flow's clock has come since its last packet that played. */
uint32_t anchor_elapsed(const struct anchor_flow *f, uint32_t clock, uint64_t now_us);
/** The number that a sequence number of the party's has with us. False: too old to know. */
bool anchor_seq(const struct anchor_flow *f, uint16_t seq, uint16_t *outp);

#endif
