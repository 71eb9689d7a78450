/* webrtc/media/pass.h - packets from one side of an anchored session to the other. Private to the media thread's
 * session files. */
#ifndef SLUSS_WEBRTC_MEDIA_PASS_H
#define SLUSS_WEBRTC_MEDIA_PASS_H

#include "lib/base.h"

struct side;
/** An unprotected packet of `sd`'s party; `section`: the row that it came by, or ANCHOR_ANY. */
void pass_rtp(struct side *sd, int section, uint8_t *p, size_t n, uint64_t now_us);
void pass_rtcp(struct side *sd, const uint8_t *p, size_t n, uint64_t now_us);

#endif
