/* gateway/sdp_anchor_own.h - private to sdp_anchor*.c: what is known of both sides of an anchored call. */
#ifndef SLUSS_GATEWAY_SDP_ANCHOR_OWN_H
#define SLUSS_GATEWAY_SDP_ANCHOR_OWN_H

#include "gateway/sdp_anchor.h"
#include "gateway/sdp_own.h"

enum {
	ANCHOR_NO_PT = MEDIA_PT_NONE,
	ANCHOR_NONE = -1,
	ANCHOR_NO_SOURCE = 0xff,
	ANCHOR_SUITE =
		1, /**< of our offers: AES_CM_128_HMAC_SHA1_80, which everybody has */
};

/** A codec of a line, as both sides call it. */
struct anchor_codec {
	enum sdp_codec_id id;
	uint8_t mode; /**< H264 */
	uint16_t profile;
	uint8_t ptv[MEDIA_SIDES]; /**< ANCHOR_NO_PT: that side has never heard of it */
};

/** One row of the exchange: index into codecv for each side (they differ for telephone-event alone: its clock rate may
 *  be another one), and into the section that describes it. */
struct anchor_row {
	uint8_t codecv[MEDIA_SIDES];
	uint8_t source; /**< ANCHOR_NO_SOURCE: described by us */
};

/** Media that pass: an m= line of each side. */
struct anchor_line {
	enum sdp_kind kind;
	int slotv[MEDIA_SIDES]; /**< ANCHOR_NONE: not there yet */
	size_t n_codecs;
	struct anchor_codec codecv[SDP_DESC_CODECS_MAX];
	bool offered, taken; /**< in the exchange that is open, or was last */
	bool was_taken;      /**< before it */
	size_t n_rows;
	struct anchor_row rowv[MEDIA_TYPES_MAX];
	enum sdp_direction direction; /**< as the one who described it last said it */
	unsigned by;                  /**< … the party of that side */
	int source; /**< its section in the last description; ANCHOR_NONE: not in it */
	uint32_t tagv[MEDIA_SIDES]; /**< SDES: of the offer's a=crypto that was chosen */
	uint16_t suitev[MEDIA_SIDES];
	bool feedbackv[MEDIA_SIDES];
	uint8_t mid_extv[MEDIA_SIDES];
};

/** An m= line of one side. */
struct anchor_slot {
	int line; /**< ANCHOR_NONE: refused */
	char kind[SDP_WORD_MAX + 1], proto[SDP_WORD_MAX + 1], format[SDP_WORD_MAX + 1];
	char mid[CANDIDATE_MID_MAX + 1]; /**< empty: none */
	bool bundled;                    /**< in the group of the last exchange */
};

struct anchor_side {
	unsigned n_slots;
	struct anchor_slot slotv[SDP_ANCHOR_SLOTS_MAX];
	bool described;             /**< its party has said something */
	struct media_remote remote; /**< … namely this */
	bool ended;                 /**< … and no candidates follow */
};

struct anchor_state {
	unsigned n_lines;
	struct anchor_line linev[SDP_ANCHOR_LINES_MAX];
	struct anchor_side sidev[MEDIA_SIDES];
};

struct sdp_anchor {
	struct sdp_anchor_setup setup;
	struct anchor_state now;       /**< after the last exchange that was finished */
	struct anchor_state *open;     /**< an offer without a final answer; NULL: none */
	struct anchor_state *answered; /**< … after the last answer to it; NULL: none */
	unsigned from;                 /**< who made it */
	bool late; /**< … after an offer of ours, which the other side had asked for */
	struct sdp_desc *offer;         /**< it; NULL: we made it, or none is open */
	struct sdp_desc *answer;        /**< the last answer to it */
	unsigned versionv[MEDIA_SIDES]; /**< of o= */
};

/** What is known now, with what is not final yet. */
static inline const struct anchor_state *anchor_state(const struct sdp_anchor *a)
{
	return a->answered ? a->answered : a->open ? a->open : &a->now;
}
/** Ours in an offer; what its party's key has to be of. */
static inline uint16_t anchor_suite(const struct anchor_line *l, unsigned side)
{
	return l->suitev[side] ? l->suitev[side] : ANCHOR_SUITE;
}
/** Do all sections of that side share one transport? */
static inline bool anchor_one_transport(const struct sdp_anchor *a, unsigned side)
{
	return a->setup.speaksv[side] == LEG_WEBRTC || a->setup.speaksv[side] == LEG_DTLS;
}
static inline bool anchor_sends(enum sdp_direction d)
{
	return d == SDP_SENDRECV || d == SDP_SENDONLY;
}
static inline bool anchor_receives(enum sdp_direction d)
{
	return d == SDP_SENDRECV || d == SDP_RECVONLY;
}

/* sdp_anchor_codec.c */
/** The rows of an offer: what `in` names, in its order, with payload types for the other side. */
void anchor_rows_offer(struct anchor_state *s, struct anchor_line *l, unsigned from,
		       const struct sdp_section *in);
/** The rows of an answer: those of the offer that `in` takes, in its order. */
void anchor_rows_answer(struct anchor_line *l, unsigned from,
			const struct sdp_section *in);
/** The rows of an offer of our own, for `to`. */
void anchor_rows_own(struct anchor_state *s, struct anchor_line *l, unsigned to);
/** Without telephone-event. */
void anchor_rows_no_events(struct anchor_line *l);
/** Is there one that is more than events and noise? */
bool anchor_rows_play(const struct anchor_line *l);
/** The row of plainv of its transport: the first for everything on a side with one transport. */
size_t anchor_row(const struct sdp_anchor *a, unsigned side, const struct anchor_line *l);

/* sdp_anchor_media.c */
/** Why that section cannot pass, by the dialect of its side; NULL: it can. */
const char *anchor_section_check(enum leg_media speaks, const struct sdp_section *m);
/** SDES: is the answer's suite the one that we offered? */
bool anchor_suite_fits(const struct anchor_line *l, unsigned side,
		       const struct sdp_section *m);
/** What an open line knows of its section. */
void anchor_section_take(struct anchor_line *l, unsigned side,
			 const struct sdp_section *m);
/** What `in` says of transports, for the lines whose source it is. Errors: EBADMSG: another certificate than before. */
int anchor_transport_take(const struct sdp_anchor *a, struct anchor_state *s,
			  unsigned side, const struct sdp_desc *in, const char **whyp);

#endif
