/* tests/unit/webrtc/test_media_packet.c - demultiplexing, RTP and RTCP read, the rate of a source, the session's
 * table, a stream sent back and what its reports say. Pure: bytes in, bytes out. */
#include "webrtc/media/echo.h"
#include "webrtc/media/packet.h"
#include "lib/rate.h"
#include "webrtc/media/side_fsm.h"

#include <setjmp.h>
#include <cmocka.h>

static void rfc_7983(void **state)
{
	uint8_t p[20] = {0};

	for (unsigned first = 0; first < 256; first++) {
		enum packet_kind want = first < 4                     ? PACKET_STUN
					: first >= 20 && first < 64   ? PACKET_DTLS
					: first >= 128 && first < 192 ? PACKET_RTP
								      : PACKET_OTHER;

		p[0] = (uint8_t)first;
		p[1] = 111;
		assert_int_equal(packet_kind(p, sizeof(p)), want);
		p[1] = 200;
		assert_int_equal(packet_kind(p, sizeof(p)),
				 want == PACKET_RTP ? PACKET_RTCP : want);
	}
	p[0] = 0x80;
	assert_int_equal(packet_kind(p, 0), PACKET_OTHER);
	assert_int_equal(packet_kind(p, 7), PACKET_OTHER);
}

static void lengths_that_lie(void **state)
{
	uint8_t p[16] = {0x8f, 111};
	struct rtp_header h;
	struct rtcp_part part;
	size_t at = 0;

	assert_int_equal(rtp_header_read(&h, p, sizeof(p)),
			 EBADMSG); /* 15 CSRCs in 16 bytes */
	p[0] = 0x90;
	p[14] = 0;
	p[15] = 1;
	assert_int_equal(rtp_header_read(&h, p, sizeof(p)),
			 EBADMSG); /* an extension past the end */
	p[15] = 0;
	assert_int_equal(rtp_header_read(&h, p, sizeof(p)), 0);
	assert_int_equal(h.n_bytes, 16);
	assert_int_equal(rtp_header_read(&h, p, 11), EBADMSG);
	for (unsigned version = 0; version < 4; version++) {
		p[0] = (uint8_t)(version << 6);
		assert_int_equal(rtp_header_read(&h, p, sizeof(p)),
				 version == 2 ? 0 : EBADMSG);
	}
	memcpy(p, "\x80\xc9\x00\x01\x00\x00\x00\x07\x80\xc8\xff\xff\x00\x00\x00\x00", 16);
	assert_true(rtcp_next(&part, p, sizeof(p), &at));
	assert_int_equal(part.type, RTCP_RR);
	assert_int_equal(part.ssrc, 7);
	assert_false(rtcp_next(&part, p, sizeof(p), &at));
}

static void a_source_has_its_rate(void **state)
{
	struct rate *r;
	struct sa a, b;
	unsigned n = 0;

	assert_int_equal(rate_alloc(&r, 10), 0);
	sa_set_str(&a, "192.0.2.1", 1);
	sa_set_str(&b, "198.51.100.77", 1);
	for (unsigned i = 0; i < 1000; i++)
		n += rate_take(r, &a, 1000);
	assert_int_equal(n, 20);
	assert_true(rate_take(r, &b, 1000));
	for (unsigned i = 0; i < 1000; i++)
		n += rate_take(r, &a, 2000);
	assert_int_equal(n, 30);
	mem_deref(r);
}

static void every_state_and_event(void **state)
{
	for (unsigned s = 0; s < MS_STATE_N; s++) {
		for (unsigned e = 0; e < MS_EVENT_N; e++) {
			const struct side_step *step = side_fsm_step(s, e);

			assert_string_not_equal(side_state_name(s), "?");
			assert_string_not_equal(side_event_name(e), "?");
			/* never back, the core is told of every end once, and of nothing behind it */
			assert_true(step->next >= s);
			if (step->next == MS_OVER)
				assert_int_equal(step->tells, s != MS_OVER);
		}
	}
	assert_int_equal(side_fsm_step(MS_SHAKING, MS_KEYS)->told, MEDIA_UP);
	assert_int_equal(side_fsm_step(MS_SHAKING, MS_FOREIGN)->told, MEDIA_FOREIGN);
	assert_int_equal(side_fsm_step(MS_UP, MS_SILENT)->told, MEDIA_LOST);
	assert_int_equal(side_fsm_step(MS_UP, MS_FOREIGN)->next, MS_UP);
}

/* ---- a stream and its reports ---- */

static struct echo *echo_of(bool sends)
{
	struct media_remote remote = {.n_streams = 1};
	struct echo *e;

	remote.streamv[0] =
		(struct media_stream){.ssrc = 1000, .sends = sends, .clock_rate = 90000};
	remote.streamv[0].ptv[96 / 8] = 1;
	assert_int_equal(echo_alloc(&e, "cname"), 0);
	echo_remote(e, &remote);
	return e;
}

static size_t rtp(uint8_t *p, uint8_t pt, uint16_t seq, uint32_t ssrc)
{
	memset(p, 0, 32);
	p[0] = 0x80;
	p[1] = pt;
	rtp_seq_set(p, seq);
	rtp_ts_set(p, seq * 3000u);
	rtp_ssrc_set(p, ssrc);
	return 32;
}

static void a_stream_comes_back_as_one_of_ours(void **state)
{
	struct echo *e = echo_of(true);
	uint16_t first = 0;
	uint8_t p[64];

	for (unsigned k = 0; k < 200; k++) {
		size_t n = rtp(p, 96, (uint16_t)(65500 + k), 7);

		assert_true(echo_rtp(e, p, n, 1000000 + k * 33000));
		assert_int_equal(be32(p + 8), 1000);
		if (!k)
			first = be16(p + 2);
		assert_int_equal(be16(p + 2), (uint16_t)(first + k));
	}
	/* another source of the same section: refused while this one speaks, then it goes on where that ended */
	assert_false(echo_rtp(e, p, rtp(p, 96, 5, 8), 1000000 + 200 * 33000));
	assert_true(echo_rtp(e, p, rtp(p, 96, 5, 8), 9000000));
	assert_int_equal(be16(p + 2), (uint16_t)(first + 200));
	/* a payload type that was not agreed on */
	assert_false(echo_rtp(e, p, rtp(p, 97, 6, 8), 9000000));
	mem_deref(e);
}

static void on_hold_nothing_comes_back(void **state)
{
	struct echo *e = echo_of(false);
	uint8_t p[64];

	assert_false(echo_rtp(e, p, rtp(p, 96, 5, 8), 1000000));
	mem_deref(e);
}

static size_t pli(uint8_t *p, uint32_t about)
{
	memcpy(p, "\x81\xce\x00\x02\x00\x00\x00\x07", 8);
	be32_put(p + 8, about);
	return 12;
}

static void reports_and_feedback(void **state)
{
	struct echo *e = echo_of(true);
	uint8_t p[64], out[ECHO_RTCP_MAX], nack[16];
	struct rtcp_part part;
	unsigned n_keys = 0;
	uint16_t ours;
	size_t n, at = 0;

	for (unsigned k = 0; k < 10; k++) /* 5 is lost */
		if (k != 5)
			assert_true(echo_rtp(e, p, rtp(p, 96, (uint16_t)k, 7),
					     1000000 + k * 33000));
	ours = (uint16_t)(be16(p + 2) - 9);
	/* its sender report */
	memset(p, 0, sizeof(p));
	memcpy(p, "\x80\xc8\x00\x06\x00\x00\x00\x07\x11\x22\x33\x44\x55\x66\x77\x88", 16);
	n = echo_rtcp(e, out, sizeof(out), p, 28, 2000000);
	assert_true(rtcp_next(&part, out, n, &at));
	assert_int_equal(part.type, RTCP_SR);
	assert_int_equal(part.ssrc, 1000);
	assert_memory_equal(out + 8, p + 8, 8);         /* the same clock */
	assert_int_equal(be32(out + 20), 9);            /* packets */
	assert_int_equal(be32(out + 28), 7);            /* about its stream */
	assert_int_equal(be32(out + 32) & 0xffffff, 1); /* one lost */
	assert_int_equal(be32(out + 36), 9);            /* the highest */
	assert_int_equal(be32(out + 44), 0x33445566);   /* LSR */
	assert_true(rtcp_next(&part, out, n, &at));
	assert_int_equal(part.type, RTCP_SDES);
	assert_int_equal(at, n);

	/* a NACK about ours becomes one about its own, with its own numbers */
	memcpy(nack, "\x81\xcd\x00\x03\x00\x00\x00\x07\x00\x00\x03\xe8", 12);
	be16_put(nack + 12, (uint16_t)(ours + 5));
	be16_put(nack + 14, 0);
	n = echo_rtcp(e, out, sizeof(out), nack, 16, 2000000);
	assert_true(n >= 16);
	assert_int_equal(be32(out + n - 8), 7);
	assert_int_equal(be16(out + n - 4), 5);

	/* case 65: key frames are asked for twice a second at most; about strangers never */
	for (unsigned k = 0; k < 1000; k++)
		n_keys += echo_rtcp(e, out, sizeof(out), p, pli(p, 1000),
				    3000000 + k * 1000) > 0;
	assert_int_equal(n_keys, 2);
	assert_int_equal(echo_rtcp(e, out, sizeof(out), p, pli(p, 4711), 9000000), 0);
	/* BYE of a foreign source, nonsense */
	assert_int_equal(echo_rtcp(e, out, sizeof(out),
				   (const uint8_t *)"\x81\xcb\x00\x01\x00\x00\x00\x99", 8,
				   0),
			 0);
	mem_deref(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc_7983),
		cmocka_unit_test(lengths_that_lie),
		cmocka_unit_test(a_source_has_its_rate),
		cmocka_unit_test(every_state_and_event),
		cmocka_unit_test(a_stream_comes_back_as_one_of_ours),
		cmocka_unit_test(on_hold_nothing_comes_back),
		cmocka_unit_test(reports_and_feedback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
