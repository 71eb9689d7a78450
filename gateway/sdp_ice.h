/* gateway/sdp_ice.h - what a description says about ICE, and the one change ever made to one. Pure.
 *
 * For descriptions that have passed sdp_check(); in others it finds less, and nothing breaks. */
#ifndef SLUSS_GATEWAY_SDP_ICE_H
#define SLUSS_GATEWAY_SDP_ICE_H

#include "gateway/candidates.h"
#include "gateway/leg.h"

enum { SDP_ICE_MEDIA_MAX = 64 };

/** A part of the text that was read; not owned. */
struct sdp_text {
	const char *p;
	size_t n;
};

struct sdp_ice_media {
	struct sdp_text mid, ufrag, pwd; /**< its own, or the session's */
	size_t from, to; /**< its lines, m= the first, in bytes of the text */
	bool ended;      /**< a=end-of-candidates, its own or the session's */
	bool disabled;   /**< port 0 and not bundle-only */
};

struct sdp_ice {
	bool session_level; /**< ufrag and password stand before the first m= */
	bool trickle;       /**< a=ice-options:trickle, anywhere */
	unsigned n_media;
	struct sdp_ice_media mediav[SDP_ICE_MEDIA_MAX];
};

void sdp_ice_read(struct sdp_ice *ice, const char *p, size_t n);
/** Is this the user fragment of one of its sections? */
bool sdp_ice_has_ufrag(const struct sdp_ice *ice, const char *ufrag, size_t n);
/** The first section's, which names the generation; empty when there is none. */
struct sdp_text sdp_ice_ufrag(const struct sdp_ice *ice);
const struct sdp_ice_media *sdp_ice_media_find(const struct sdp_ice *ice,
					       const char *mid);
/** May more candidates follow it? It says trickle, every section has a mid, and not all have ended. */
bool sdp_ice_open(const struct sdp_ice *ice);

/** The description with these candidates in their sections and a=end-of-candidates in every section: half
 *  trickle (RFC 8838 §16, RFC 8840 §5.3). Where a section's port is 9 and its address unspecified they
 *  become those of its default candidate (RFC 8839 §4.2.1.2), or an agent that does not trickle would see
 *  an ICE mismatch. Everything else stays byte for byte. Errors: ENOMEM; EOVERFLOW over max_bytes. */
int sdp_ice_complete(struct body **bp, const struct body *sdp, const struct candidates *c,
		     size_t max_bytes);

#endif
