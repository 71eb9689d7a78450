/* tests/unit/webrtc/anchored.c - two parties at an anchor, for its tests. */
#include "tests/unit/webrtc/anchored.h"

#include <setjmp.h>
#include <cmocka.h>

uint64_t anchored_now_us;

const struct media_stream anchored_browser = {
	.ssrc = OURS_B,
	.sends = true,
	.mid_ext = 4,
	.mid = "au0",
	.feedback = true,
	.n_types = 5,
	.typev = {{OPUS, MEDIA_CODEC_PLAYS, 48000},
		  {0, MEDIA_CODEC_PLAYS, 8000},
		  {EVENT_48, MEDIA_CODEC_EVENT, 48000},
		  {EVENT_8, MEDIA_CODEC_EVENT, 8000},
		  {CN, MEDIA_CODEC_NOISE, 8000}},
};
const struct media_stream anchored_peer = {
	.ssrc = OURS_P,
	.sends = true,
	.feedback = true,
	.n_types = 5,
	.typev = {{P_OPUS, MEDIA_CODEC_PLAYS, 48000},
		  {0, MEDIA_CODEC_PLAYS, 8000},
		  {P_EVENT, MEDIA_CODEC_EVENT, 8000},
		  {P_EVENT, MEDIA_CODEC_EVENT, 8000},
		  {MEDIA_PT_NONE, MEDIA_CODEC_NOISE, 8000}},
};

struct anchor *anchored(void)
{
	struct anchor *a;

	anchored_now_us = 100000000;
	assert_int_equal(anchor_alloc(&a, "cname"), 0);
	anchor_setup(a, BROWSER, &anchored_browser, 1);
	anchor_setup(a, PEER, &anchored_peer, 1);
	return a;
}

void packet(struct packet *k, uint8_t pt, uint16_t seq, uint32_t ts, uint32_t ssrc)
{
	memset(k, 0, sizeof(*k));
	k->p[0] = 0x80;
	k->p[1] = pt;
	rtp_seq_set(k->p, seq);
	rtp_ts_set(k->p, ts);
	rtp_ssrc_set(k->p, ssrc);
	memset(k->p + RTP_HEADER, 0x55, 160);
	k->n = RTP_HEADER + 160;
}

bool pass(struct anchor *a, unsigned side, struct packet *k)
{
	int stream = anchor_rtp(a, side, side == BROWSER ? ANCHOR_ANY : 0, k->p, &k->n,
				anchored_now_us);

	anchored_now_us += FRAME_US;
	if (stream < 0)
		return false;
	assert_int_equal(stream, 0);
	assert_int_equal(rtp_header_read(&k->h, k->p, k->n), 0);
	assert_int_equal(k->h.ssrc, side == BROWSER ? OURS_P : OURS_B);
	return true;
}

bool play(struct anchor *a, unsigned side, struct packet *k, uint8_t pt, uint16_t seq,
	  uint32_t ts)
{
	packet(k, pt, seq, ts, side == BROWSER ? HERS : THEIRS);
	return pass(a, side, k);
}
