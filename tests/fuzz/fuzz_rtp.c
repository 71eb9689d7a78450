/* tests/fuzz/fuzz_rtp.c - what an echo test or an anchor is sent once its tag was right: RTP, compound RTCP, header
 * extensions, keys that are pressed. */
#include "webrtc/media/anchor.h"
#include "webrtc/media/echo.h"
#include "webrtc/media/packet.h"
#include "webrtc/media/srtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct echo *echo_make(void)
{
	struct media_remote remote = {.n_streams = 2};
	struct echo *e = NULL;

	for (uint32_t i = 0; i < 2; i++) {
		struct media_stream *s = &remote.streamv[i];

		*s = (struct media_stream){.ssrc = 1000 + i,
					   .sends = true,
					   .mid_ext = 4,
					   .clock_rate = 90000};
		s->mid[0] = (char)('0' + i);
		memset(s->ptv, i ? 0xf0 : 0x0f, sizeof(s->ptv));
	}
	if (echo_alloc(&e, "cname"))
		abort();
	echo_remote(e, &remote);
	return e;
}

/** Every payload type means something, on both sides. */
static struct anchor *anchor_make(void)
{
	struct anchor *a = NULL;

	if (anchor_alloc(&a, "cname"))
		abort();
	for (unsigned side = 0; side < MEDIA_SIDES; side++) {
		struct media_stream v[2];

		memset(v, 0, sizeof(v));
		for (uint32_t k = 0; k < 2; k++) {
			v[k] = (struct media_stream){.ssrc = 1000 * (side + 1) + k,
						     .sends = true,
						     .feedback = true,
						     .mid_ext = 4,
						     .plain = (uint8_t)k,
						     .n_types = MEDIA_TYPES_MAX};
			v[k].mid[0] = (char)('0' + k);
			for (uint8_t i = 0; i < MEDIA_TYPES_MAX; i++)
				v[k].typev[i] = (struct media_type){
					.pt = (uint8_t)(i * 7 % 128),
					.codec = i % 3,
					.clock_rate = i % 2 ? 8000 : 48000 >> side};
		}
		anchor_setup(a, side, v, 2);
	}
	return a;
}

/** One datagram of each side's; then a plain packet, so that what it did to the state is walked through. */
static void anchor_feed(struct anchor *a, const uint8_t *data, size_t size)
{
	uint8_t p[1600 + ANCHOR_GROWTH], out[ANCHOR_RTCP_MAX];
	uint64_t now_us = 5000000;
	unsigned stream;

	for (unsigned i = 0; i < 8; i++) {
		size_t n = size < 1600 ? size : 1600;
		enum packet_kind kind;

		now_us += 20000;
		if (n)
			memcpy(p, data, n);
		if (n > 4) /* the next one of the same stream */
			p[3] = (uint8_t)(p[3] + i / 2);
		kind = packet_kind(p, n);
		if (kind == PACKET_RTP) {
			int k = anchor_rtp(a, i & 1, i & 4 ? (int)(i & 1) : ANCHOR_ANY, p,
					   &n, now_us);

			if (k >= 0 && (n < RTP_HEADER || n > 1600 + ANCHOR_GROWTH ||
				       be32(p + 8) / 1000 != 2 - (i & 1)))
				abort();
		} else if (kind == PACKET_RTCP) {
			anchor_rtcp(a, i & 1, p, n, now_us);
		}
		for (unsigned side = 0; side < MEDIA_SIDES; side++)
			while ((n = anchor_rtcp_next(a, side, &stream, out, now_us)))
				if (n > sizeof(out) || stream > 1)
					abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t p[1600], out[ECHO_RTCP_MAX];
	struct echo *e = echo_make();
	struct anchor *a;
	struct rtp_header h;
	size_t n = size < sizeof(p) ? size : sizeof(p);

	/* a stream is known first, so that reports have something to speak of */
	memcpy(p, "\x80\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x07", RTP_HEADER);
	(void)echo_rtp(e, p, RTP_HEADER, 1000000);
	if (n)
		memcpy(p, data, n);
	switch (packet_kind(p, n)) {
	case PACKET_RTP:
		if (!rtp_header_read(&h, p, n) && h.n_bytes > n)
			abort();
		if (echo_rtp(e, p, n, 2000000) && be32(p + 8) - 1000 > 1)
			abort();
		break;
	case PACKET_RTCP:
		if (echo_rtcp(e, out, sizeof(out), p, n, 2000000) > sizeof(out))
			abort();
		break;
	case PACKET_OTHER:
	case PACKET_STUN:
	case PACKET_DTLS:
		break;
	}
	mem_deref(e);
	a = anchor_make();
	anchor_feed(a, data, size);
	mem_deref(a);
	return 0;
}
