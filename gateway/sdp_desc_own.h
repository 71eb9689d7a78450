/* gateway/sdp_desc_own.h - private to sdp_desc*.c: what the lines of a section say of its payload types. */
#ifndef SLUSS_GATEWAY_SDP_DESC_OWN_H
#define SLUSS_GATEWAY_SDP_DESC_OWN_H

#include "gateway/sdp_desc.h"
#include "gateway/sdp_own.h"

enum { SDP_PTS = 128 };

/** By payload type; what comes twice counts as it came first. */
struct sdp_formats {
	struct sdp_text list; /**< of m= */
	struct sdp_text rtpmapv[SDP_PTS], fmtpv[SDP_PTS];
	uint8_t fbv[SDP_PTS], fb_all; /**< bits of enum sdp_fb; of "*" */
};
enum sdp_fb { SDP_FB_NACK = 1, SDP_FB_PLI = 2, SDP_FB_FIR = 4, SDP_FB_REMB = 8 };

/** Takes a=rtpmap, a=fmtp and a=rtcp-fb. */
void sdp_desc_format(struct sdp_formats *f, struct sdp_text name, struct sdp_text v);
/** Fills codecv with what is known here, in the order of the list. */
void sdp_desc_codecs(struct sdp_section *s, const struct sdp_formats *f);
/** Takes a=fingerprint; false: not one to be trusted (its hash, its length). */
bool sdp_desc_fingerprint(struct sdp_section *s, struct sdp_text v);

#endif
