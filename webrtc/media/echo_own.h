/* webrtc/media/echo_own.h - private to echo.c (RTP) and echo_rtcp.c. */
#ifndef SLUSS_WEBRTC_MEDIA_ECHO_OWN_H
#define SLUSS_WEBRTC_MEDIA_ECHO_OWN_H

#include "webrtc/media/echo.h"
#include "webrtc/media/packet.h"
#include "webrtc/media/reception.h"

struct echo_stream {
	struct media_stream setup;
	bool started;
	uint32_t in_ssrc; /**< the party's; ours is setup.ssrc */
	uint64_t heard_us;
	uint16_t seq_add, out_seq; /**< out = in + add; the highest sent */
	uint32_t ts_add, out_ts;
	uint32_t n_sent, n_sent_bytes; /**< since it began (RFC 3550 §6.4.1) */
	struct reception reception;
	uint64_t key_us; /**< a key frame was last asked for */
	uint64_t nack_us;
	unsigned n_nacks; /**< since nack_us, within a second */
};

struct echo {
	char cname[33];
	size_t n_streams;
	struct echo_stream streamv[MEDIA_STREAMS_MAX];
};

/** The stream that comes in with this SSRC, or NULL. */
struct echo_stream *echo_stream_of(struct echo *e, uint32_t ssrc);

#endif
