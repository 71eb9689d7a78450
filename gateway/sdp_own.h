/* gateway/sdp_own.h - private to sdp_*.c: cutting a description into words. */
#ifndef SLUSS_GATEWAY_SDP_OWN_H
#define SLUSS_GATEWAY_SDP_OWN_H

#include "gateway/media.h"
#include "gateway/sdp_ice.h"

#define SDP_MID_URI "urn:ietf:params:rtp-hdrext:sdes:mid" /* RFC 8843 §15 */

bool sdp_text_is(struct sdp_text t, const char *s);
bool sdp_text_is_ci(struct sdp_text t, const char *s);
/** Of an m= line: "0", "00", "0/2". */
bool sdp_port_is_zero(struct sdp_text port);
bool sdp_text_same(struct sdp_text a, struct sdp_text b);
/** Cuts the word before the next `sep` off. */
struct sdp_text sdp_word(struct sdp_text *t, char sep);
/** Decimal; -1: none, or over `max`. */
int sdp_number(struct sdp_text t, uint32_t max);
/** The next line without its end. */
bool sdp_line(struct sdp_text *line, const char **atp, const char *end);
/** "a=NAME:value" or "a=NAME". */
bool sdp_attribute(struct sdp_text *value, struct sdp_text line, const char *name);
/** The value of a=fingerprint: sha-256, -384 or -512, of the right length. */
bool sdp_fingerprint_read(struct media_fingerprint *f, struct sdp_text v);
/** a=candidate lines of ours and a=end-of-candidates. Errors: ENOMEM. */
int sdp_candidates_print(struct mbuf *mb, const struct media_local *local);

#endif
