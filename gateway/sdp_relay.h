/* gateway/sdp_relay.h - a browser's description as the other side gets it when the media are relayed here: where
 * its media come in is this gateway, and all that says who it is and how it encrypts stays. Pure.
 *
 *   o=- 46117 2 IN IP4 192.0.2.7                           o=- 46117 2 IN IP4 0.0.0.0
 *   m=audio 50000 UDP/TLS/RTP/SAVPF 111                    m=audio 3479 UDP/TLS/RTP/SAVPF 111
 *   c=IN IP4 192.0.2.7                                     c=IN IP4 203.0.113.5
 *   a=ice-ufrag:F7gI                                  ──►  a=ice-ufrag:oursours
 *   a=fingerprint:sha-256 6B:8B:…                          a=fingerprint:sha-256 6B:8B:…
 *   a=candidate:1 1 udp 2113937151 192.0.2.7 50000 …       a=candidate:1 1 udp 2130706431 203.0.113.5 3479 typ host
 *
 * For descriptions that have passed sdp_check() as WebRTC. */
#ifndef SLUSS_GATEWAY_SDP_RELAY_H
#define SLUSS_GATEWAY_SDP_RELAY_H

#include "gateway/leg.h"
#include "gateway/media.h"
#include "gateway/sdp_ice.h"

/** One description. Texts point into it: it must outlive this. */
struct sdp_relay {
	const struct body *sdp;
	struct sdp_ice ice;
	unsigned first; /**< the section whose transport all others share */
	struct sdp_text ufrag, pwd;
	bool lite; /**< a=ice-lite */
	size_t n_fingerprints;
	struct media_fingerprint fingerprintv[MEDIA_FINGERPRINTS_MAX];
};
/** Errors: EBADMSG, with the rest of a sentence in *whyp: it is not one transport (one BUNDLE group, rtcp-mux), or has
 *  nothing. */
int sdp_relay_read(struct sdp_relay *r, const char **whyp, const struct body *sdp);

/** What the other side is given. `lite`: we are ICE-lite there.
 *  Errors: ENOMEM; EOVERFLOW: over max_bytes. */
int sdp_relay_print(struct body **bp, const struct sdp_relay *r,
		    const struct media_local *local, bool lite, size_t max_bytes);
/** The candidates that it holds, of the one transport. Errors: ENOMEM. */
int sdp_relay_candidates(struct candidates **cp, const struct sdp_relay *r);

#endif
