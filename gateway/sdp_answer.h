/* gateway/sdp_answer.h - a description of our own: the answer of an endpoint here to a browser's offer. Pure.
 *
 *   offer ──► sdp_offer_read() ──► media_remote (for the media plane) ──► sdp_answer_print() ──► answer
 *
 * One transport: the first section that can be answered and those bundled with it (RFC 8843); every other one
 * is refused with port 0. For offers that have passed sdp_check(). */
#ifndef SLUSS_GATEWAY_SDP_ANSWER_H
#define SLUSS_GATEWAY_SDP_ANSWER_H

#include "gateway/leg.h"
#include "gateway/media.h"
#include "gateway/sdp_ice.h"

enum sdp_direction { SDP_SENDRECV, SDP_SENDONLY, SDP_RECVONLY, SDP_INACTIVE };

/** One m= section of the offer. Texts point into it. */
struct sdp_offer_media {
	struct sdp_text kind, proto, formats, mid;
	const char *from, *to; /**< its lines behind m= */
	enum sdp_direction direction;
	bool taken;   /**< answered with a port */
	size_t n_pts; /**< payload types that are answered, in the offer's order */
	uint8_t ptv[32];
	uint8_t mid_ext; /**< id of the extension urn:ietf:params:rtp-hdrext:sdes:mid; 0: none */
	uint32_t clock_rate;
};
struct sdp_offer {
	struct sdp_text
		bundle; /**< the mids of its group, space separated; empty: none */
	unsigned n_media;
	struct sdp_offer_media mediav[SDP_ICE_MEDIA_MAX];
	struct media_remote remote; /**< transport that is answered; no streams */
};
/** What of it can be sent back to its sender: audio as opus, G722, PCMU, PCMA; video as VP8, VP9, H264, H265,
 *  AV1. `offer` must outlive *o. Errors: EBADMSG, with a sentence in *whyp: nothing of it can. */
int sdp_offer_read(struct sdp_offer *o, const char **whyp, const struct body *offer);

/** For the media plane. The SSRC of section i is first_ssrc + i. */
void sdp_offer_remote(struct media_remote *remote, const struct sdp_offer *o,
		      uint32_t first_ssrc);

/** Who answers. */
struct sdp_answerer {
	const struct media_local *local;
	uint32_t first_ssrc;
	uint64_t id;      /**< of o= (RFC 8866 §5.2): the same in all answers of a leg */
	unsigned version; /**< of o=: one more each time */
};
/** ICE-lite, passive, with all candidates. Errors: ENOMEM. */
int sdp_answer_print(struct body **bp, const struct sdp_offer *o,
		     const struct sdp_answerer *who);

#endif
