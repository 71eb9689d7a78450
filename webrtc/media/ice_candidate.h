/* webrtc/media/ice_candidate.h - which candidates of a peer a check of ours may go to. Pure. */
#ifndef SLUSS_WEBRTC_MEDIA_ICE_CANDIDATE_H
#define SLUSS_WEBRTC_MEDIA_ICE_CANDIDATE_H

#include "webrtc/media/media_msg.h"

/** Those of component 1 and UDP, with an address (no name) that a peer elsewhere can have, each once. Not:
 *  unspecified, link-local, multicast, broadcast, mapped addresses; ports under 1024 but 443; loopback, unless
 *  `loopback`: we have nothing else ourselves. Private ones may be checked: gateways stand in one network. */
void ice_candidates_read(struct media_candidates *out, const struct candidates *c,
			 bool loopback);
/** The same of one "candidate:…" line. False: it is not to be checked. */
bool ice_candidate_read(struct media_candidate *out, const char *line, bool loopback);

#endif
