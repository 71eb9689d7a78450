/* sip/trickle_frag.h - the body of an INFO that carries candidates: application/trickle-ice-sdpfrag. Pure.
 *
 *   a=ice-ufrag:F7gI                       (before the first m= where the description has it there)
 *   a=ice-pwd:x9cml/YzichV2+XlhiMu8g
 *   a=end-of-candidates                    (there are no more at all)
 *   m=audio 9 RTP/AVP 0                    (nothing of it counts but what follows)
 *   a=mid:0
 *   a=candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host                       RFC 8840 §4.4, §9 */
#ifndef SLUSS_SIP_TRICKLE_FRAG_H
#define SLUSS_SIP_TRICKLE_FRAG_H

#include "gateway/sdp_ice.h"

#define TRICKLE_PACKAGE "trickle-ice"
#define TRICKLE_TYPE    "application/trickle-ice-sdpfrag"

struct trickle_frag_media {
	struct sdp_text mid, ufrag; /* its own, or the session's; never empty */
	bool end;
};
struct trickle_frag {
	unsigned n_media;
	struct trickle_frag_media mediav[SDP_ICE_MEDIA_MAX];
	size_t n;
	struct {
		unsigned media;
		struct sdp_text value; /* what is behind "candidate:" */
	} v[CANDIDATES_MAX];
	struct sdp_text ufrag; /* the session's; may be empty */
	bool end;              /* of all */
};

/** Points into `p`. Unknown attributes are skipped; names in any case. Errors: EBADMSG with a static
 *  sentence in *whyp: a line that is neither a= nor m=, a section without mid or credentials, a candidate
 *  that is none, more than 64 sections or 256 candidates. */
int trickle_frag_parse(struct trickle_frag *f, const char **whyp, const char *p,
		       size_t n);
/** Candidate i into c; see candidates_add(). */
int trickle_frag_candidate(struct candidates *c, const struct trickle_frag *f, size_t i);
/** All of `c`, in their order, with the credentials of the description they belong to. Candidates of
 *  sections that it lacks are left out. Errors: ENOMEM. */
int trickle_frag_print(struct body **bp, const struct body *sdp,
		       const struct candidates *c);

#endif
