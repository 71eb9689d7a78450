/* gateway/sdp.h - the validating parse that a description must pass in direct mode (RFC 8866, 8829). Pure.
 *
 * It changes nothing: what passes travels byte for byte. */
#ifndef SLUSS_GATEWAY_SDP_H
#define SLUSS_GATEWAY_SDP_H

#include "lib/base.h"

struct sdp_facts {
	unsigned n_media; /**< m= lines */
	/** Every active m= is UDP/TLS/RTP/SAVPF or DTLS/SCTP with ICE and a sha-256 (or better)
	 *  fingerprint: its own, the session's or its BUNDLE group's. */
	bool webrtc;
};
/** Checks structure: v=0 first, o=, s=, t=, lines ending in CRLF or LF, only `x=` lines, no NUL or
 *  control characters, 1 to 64 m= lines with a port 0..65535 and a format, ICE credentials of legal form,
 *  at most 4,096 lines.
 *  Errors: EBADMSG with a static sentence in *whyp; EFBIG over max_bytes. */
int sdp_check(struct sdp_facts *facts, const char **whyp, const char *p, size_t n,
	      size_t max_bytes);

#endif
