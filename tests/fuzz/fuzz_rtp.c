/* tests/fuzz/fuzz_rtp.c - what an echo test is sent once its tag was right: RTP, compound RTCP, header extensions. */
#include "webrtc/media/echo.h"
#include "webrtc/media/packet.h"
#include "webrtc/media/srtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct echo *echo_make(void)
{
	struct media_setup setup = {.n_streams = 2};
	struct echo *e = NULL;

	for (uint32_t i = 0; i < 2; i++) {
		struct media_stream *s = &setup.streamv[i];

		*s = (struct media_stream){.ssrc = 1000 + i,
					   .sends = true,
					   .mid_ext = 4,
					   .clock_rate = 90000};
		s->mid[0] = (char)('0' + i);
		memset(s->ptv, i ? 0xf0 : 0x0f, sizeof(s->ptv));
	}
	if (echo_alloc(&e, "cname"))
		abort();
	echo_setup(e, &setup);
	return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t p[1600], out[ECHO_RTCP_MAX];
	struct echo *e = echo_make();
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
	return 0;
}
