/* gateway/sdp_anchor.h - offer and answer through an anchor: what one side offers becomes an offer of our own for the
 * other side, and the answer comes back the same way; each side has a correct exchange of its own (RFC 3264). Pure.
 *
 *   A: browser                        B: a telephone system
 *   m=audio 9 UDP/TLS/RTP/SAVPF 111 0 126   ──►  m=audio 20000 RTP/AVP 111 0 126    sdp_anchor_offer(A), _print(B)
 *   a=mid:0 a=ice-ufrag: a=fingerprint:          a=rtpmap:111 opus/48000/2 …
 *   m=audio 3479 UDP/TLS/RTP/SAVPF 0 126    ◄──  m=audio 4000 RTP/AVP 0 101         sdp_anchor_answer(B), _print(A)
 *   a=ice-lite a=setup:passive                   a=rtpmap:101 telephone-event/8000
 *
 * What stays for the life of the call, on each side: the order of its m= lines, their mids, the payload types that
 * were ever told, its certificate. Nothing changes before an answer: an offer that gets none is forgotten. */
#ifndef SLUSS_GATEWAY_SDP_ANCHOR_H
#define SLUSS_GATEWAY_SDP_ANCHOR_H

#include "gateway/sdp_desc.h"

enum {
	SDP_ANCHOR_LINES_MAX = MEDIA_STREAMS_MAX, /**< m= lines that pass */
	SDP_ANCHOR_SLOTS_MAX =
		SDP_DESC_MEDIA_MAX, /**< m= lines of one side, refused ones, too */
};

struct sdp_anchor_setup {
	enum leg_media speaksv[MEDIA_SIDES]; /**< what the party of each side speaks */
	uint32_t first_ssrc[MEDIA_SIDES];    /**< ours: first_ssrc + the line's number */
	uint64_t id;                         /**< of o= */
	bool video;      /**< sides with a port for each m= line have one for video */
	bool keys_apart; /**< no telephone-event: keys are told beside the media */
};
struct sdp_anchor;
/** Errors: ENOMEM. */
int sdp_anchor_alloc(struct sdp_anchor **ap, const struct sdp_anchor_setup *setup);

/** The party of `from` offers. `in` NULL: it wants an offer of ours (late offer): one is made for the other side, of
 *  telephone's own codecs; the other side's answer is then given to this function as the offer of that side.
 *  Errors: EBADMSG with a sentence in *whyp; ENOMEM. Nothing has changed then. */
int sdp_anchor_offer(struct sdp_anchor *a, unsigned from, struct sdp_desc *in,
		     const char **whyp);
/** The party of `from` answers the open offer. It may say something else later (after a 183): the last one counts,
 *  when it is committed. Errors: as above; EPROTO: no offer is open. */
int sdp_anchor_answer(struct sdp_anchor *a, unsigned from, struct sdp_desc *in,
		      const char **whyp);
/** The answer is final, and has been printed if it had to be. */
void sdp_anchor_commit(struct sdp_anchor *a);
/** The open offer gets no answer: all is as before it. */
void sdp_anchor_undo(struct sdp_anchor *a);

/** For the media plane: what the party of `side` has said last, with the streams of the last exchange. */
void sdp_anchor_remote(struct media_remote *r, const struct sdp_anchor *a, unsigned side);
/** The description of that side's party in the exchange that is open; NULL: none. Borrowed. */
const struct body *sdp_anchor_body(const struct sdp_anchor *a, unsigned side);
/** Does the open offer, of the party of `side`, restart ICE (RFC 8839 §4.4.1.1.1)? */
bool sdp_anchor_restarts(const struct sdp_anchor *a, unsigned side);

/** How a side is reached, and what we say of our transport there. */
struct sdp_anchor_local {
	const struct media_local *media;
	bool ice;  /**< print ufrag, password and candidates */
	bool lite; /**< … as an ICE-lite agent */
};
/** After sdp_anchor_offer(other side): our offer for `to`. After sdp_anchor_answer(other side): our answer for it.
 *  What is printed passes sdp_check(). Errors: ENOMEM. */
int sdp_anchor_print(struct body **bp, struct sdp_anchor *a, unsigned to,
		     const struct sdp_anchor_local *local);

#endif
