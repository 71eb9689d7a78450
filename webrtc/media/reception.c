/* webrtc/media/reception.c - how a stream arrives.
 *
 * Pure. Called by echo.c for every packet and for every sender report. RFC 3550 A.1 (sequence numbers),
 * A.3 (losses), A.8 (jitter). */
#include "webrtc/media/reception.h"

#include "webrtc/media/packet.h"

enum { LOST_MAX = 0x7fffff };

void reception_packet(struct reception *r, uint16_t seq, uint32_t ts, uint64_t now_us,
		      uint32_t clock_rate)
{
	uint32_t arrival = (uint32_t)(now_us * clock_rate / 1000000);
	uint32_t transit = arrival - ts;
	int32_t d;

	if (!r->started) {
		*r = (struct reception){.started = true, .base = seq, .top = seq};
		r->transit = transit;
	} else {
		int16_t ahead = (int16_t)(seq - (uint16_t)r->top);

		if (ahead > 0)
			r->top += (uint32_t)ahead;
	}
	r->n++;
	d = (int32_t)(transit - r->transit);
	r->transit = transit;
	if (d < 0)
		d = -d;
	r->jitter16 += (uint32_t)d - ((r->jitter16 + 8) >> 4);
}

void reception_block(struct reception *r, uint8_t out[RECEPTION_BLOCK], uint32_t ssrc,
		     uint32_t lsr)
{
	uint32_t expected = r->started ? r->top - r->base + 1 : 0;
	uint32_t expected_now = expected - r->expected_before, n_now = r->n - r->n_before;
	int64_t lost = (int64_t)expected - r->n;
	uint32_t fraction = 0;

	if (expected_now > n_now)
		fraction = ((expected_now - n_now) << 8) / expected_now;
	if (lost > LOST_MAX)
		lost = LOST_MAX;
	if (lost < -LOST_MAX)
		lost = -LOST_MAX;
	r->expected_before = expected;
	r->n_before = r->n;
	be32_put(out, ssrc);
	be32_put(out + 4,
		 ((fraction > 255 ? 255 : fraction) << 24) | ((uint32_t)lost & 0xffffff));
	be32_put(out + 8, r->top);
	be32_put(out + 12, r->jitter16 >> 4);
	be32_put(out + 16, lsr);
	be32_put(out + 20, 0);
}
