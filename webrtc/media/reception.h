/* webrtc/media/reception.h - how a stream arrives: the numbers of a report block (RFC 3550 §6.4.1, A.1, A.3,
 * A.8). Pure. */
#ifndef SLUSS_WEBRTC_MEDIA_RECEPTION_H
#define SLUSS_WEBRTC_MEDIA_RECEPTION_H

#include "lib/base.h"

struct reception {
	bool started;
	uint32_t base, top; /**< extended sequence numbers: the first, the highest */
	uint32_t n, n_before, expected_before; /**< packets; at the last report */
	uint32_t transit, jitter16;            /**< timestamp units; jitter times 16 */
};
/** One packet has arrived at `now_us`; `clock_rate` of its timestamps, Hz. */
void reception_packet(struct reception *r, uint16_t seq, uint32_t ts, uint64_t now_us,
		      uint32_t clock_rate);
enum { RECEPTION_BLOCK = 24 };
/** Writes a report block about `ssrc`; `lsr`: the middle of its SR's NTP time, answered at once (DLSR 0). */
void reception_block(struct reception *r, uint8_t out[RECEPTION_BLOCK], uint32_t ssrc,
		     uint32_t lsr);

#endif
