/* tests/unit/webrtc/test_media_anchor_rtcp.c - reports and feedback between a browser and a legacy peer (anchored.h draws
 * them); abuse cases 63 and 65. */
#include "tests/unit/webrtc/anchored.h"

#include "lib/secret.h"

#include <setjmp.h>
#include <cmocka.h>

static size_t told(struct anchor *a, unsigned side, uint8_t *out)
{
	unsigned stream = 99;
	size_t n = anchor_rtcp_next(a, side, &stream, out, anchored_now_us), at = 0;
	struct rtcp_part part;

	if (!n)
		return 0;
	assert_int_equal(stream, 0);
	assert_true(n <= ANCHOR_RTCP_MAX);
	while (rtcp_next(&part, out, n, &at))
		assert_int_equal(part.ssrc, side == BROWSER ? OURS_B : OURS_P);
	assert_int_equal(at, n);
	return n;
}

static bool has(const uint8_t *p, size_t n, uint8_t type, unsigned count,
		struct rtcp_part *part)
{
	size_t at = 0;

	while (rtcp_next(part, p, n, &at))
		if (part->type == type && part->count == count)
			return true;
	return false;
}

static void drain(struct anchor *a)
{
	uint8_t out[ANCHOR_RTCP_MAX];

	while (told(a, BROWSER, out) || told(a, PEER, out))
		;
	assert_false(anchor_rtcp_waits(a));
}

static void reports_of_ours(void **state)
{
	struct anchor *a = anchored();
	uint8_t out[ANCHOR_RTCP_MAX], sr[28] = {0x80, RTCP_SR, 0, 6, 0, 0, 0, THEIRS};
	struct rtcp_part part;
	struct packet k;
	uint64_t sr_us;
	size_t n;

	for (unsigned i = 0; i < 100; i++)
		if (i % 10 != 5)
			assert_true(play(a, PEER, &k, 0, (uint16_t)i, 160 * i));
	drain(a);
	assert_true(play(a, PEER, &k, 0, 100, 16000));
	be32_put(sr + 8, 0x11223344);
	be32_put(sr + 12, 0x55667788);
	be32_put(sr + 16, 16000);
	anchored_now_us +=
		300000; /* reports are not answered more often than four times a second */
	sr_us = anchored_now_us;
	anchor_rtcp(a, PEER, sr, sizeof(sr), anchored_now_us);
	assert_true(anchor_rtcp_waits(a));
	n = told(a, BROWSER, out);
	assert_true(has(out, n, RTCP_SR, 0, &part));
	assert_memory_equal(part.p + 8, sr + 8, 8);    /* the peer's clock, */
	assert_int_equal(be32(part.p + 16), k.h.ts);   /* at our timestamp */
	assert_int_equal(be32(part.p + 20), 91);       /* packets */
	assert_int_equal(be32(part.p + 24), 91 * 160); /* bytes */
	assert_true(has(out, n, RTCP_SDES, 1, &part));
	/* a second later the peer hears how its stream came */
	for (unsigned i = 101; i < 400; i++)
		assert_true(play(a, PEER, &k, 0, (uint16_t)i, 160 * i));
	n = told(a, PEER, out);
	assert_true(has(out, n, RTCP_RR, 1, &part));
	assert_int_equal(be32(part.p + 8), THEIRS);
	assert_int_equal(be32(part.p + 12) & 0xffffff, 10);
	assert_int_equal(be32(part.p + 24), 0x33445566); /* LSR */
	assert_int_equal(be32(part.p + 28) / 65536, (anchored_now_us - sr_us) / 1000000);
	mem_deref(a);
}

/* 20 ms after 20 ms without a report of the peer's: the browser gets one every 5 s, from our own clock */
static void a_peer_that_never_reports(void **state)
{
	uint8_t out[ANCHOR_RTCP_MAX];
	struct anchor *a = anchored();
	struct rtcp_part part;
	struct packet k;
	unsigned n_sr = 0;

	for (unsigned i = 0; i < 3000; i++) {
		size_t n;

		assert_true(play(a, PEER, &k, 0, (uint16_t)i, 160 * i));
		n = told(a, BROWSER, out);
		n_sr += n && has(out, n, RTCP_SR, 0, &part);
		(void)told(a, PEER, out);
	}
	assert_int_equal(n_sr, 12);
	mem_deref(a);
}

static size_t feedback(uint8_t *p, unsigned fmt, enum rtcp_type type, uint32_t about,
		       const void *fci, size_t n)
{
	memset(p, 0, 12 + n);
	p[0] = (uint8_t)(0x80 | fmt);
	p[1] = (uint8_t)type;
	be16_put(p + 2, (uint16_t)((12 + n) / 4 - 1));
	be32_put(p + 4, HERS);
	be32_put(p + 8, about);
	if (n)
		memcpy(p + 12, fci, n);
	return 12 + n;
}

static void feedback_finds_its_sender(void **state)
{
	struct media_stream avp = anchored_peer;
	struct anchor *a = anchored();
	uint8_t p[64], out[ANCHOR_RTCP_MAX], fci[16] = {0};
	struct rtcp_part part;
	struct packet k;
	size_t n;

	for (unsigned i = 0; i < 20; i++)
		assert_true(play(a, PEER, &k, 0, (uint16_t)(300 + i), 160 * i));
	drain(a);
	/* the browser misses the packet before the last: the peer is asked for its own 318 */
	be16_put(fci, (uint16_t)(k.h.seq - 1));
	anchor_rtcp(a, BROWSER, p, feedback(p, 1, RTCP_RTPFB, OURS_B, fci, 4),
		    anchored_now_us);
	n = told(a, PEER, out);
	assert_true(has(out, n, RTCP_RTPFB, 1, &part));
	assert_int_equal(be32(part.p + 8), THEIRS);
	assert_int_equal(be16(part.p + 12), 318);
	/* FIR and REMB name the peer's stream in their bodies */
	be32_put(fci, OURS_B);
	fci[4] = 3;
	anchor_rtcp(a, BROWSER, p, feedback(p, 4, RTCP_PSFB, 0, fci, 8), anchored_now_us);
	n = told(a, PEER, out);
	assert_true(has(out, n, RTCP_PSFB, 4, &part));
	assert_int_equal(be32(part.p + 12), THEIRS);
	assert_int_equal(part.p[16], 3);
	memcpy(fci, "REMB\1\x12\x34\x56", 8);
	be32_put(fci + 8, OURS_B);
	anchor_rtcp(a, BROWSER, p, feedback(p, 15, RTCP_PSFB, 0, fci, 12),
		    anchored_now_us);
	n = told(a, PEER, out);
	assert_true(has(out, n, RTCP_PSFB, 15, &part));
	assert_memory_equal(part.p + 12, "REMB\1\x12\x34\x56\0\0\0\x09", 12);
	/* about a stream that is not ours; to a peer that has no feedback */
	anchor_rtcp(a, BROWSER, p, feedback(p, 1, RTCP_PSFB, 4711, NULL, 0),
		    anchored_now_us);
	assert_int_equal(told(a, PEER, out), 0);
	avp.feedback = false;
	anchor_setup(a, PEER, &avp, 1);
	anchored_now_us += 1000000;
	anchor_rtcp(a, BROWSER, p, feedback(p, 1, RTCP_PSFB, OURS_B, NULL, 0),
		    anchored_now_us);
	assert_int_equal(told(a, PEER, out), 0);
	mem_deref(a);
}

/* abuse case 65 */
static void case_65_a_flood_of_key_frame_requests(void **state)
{
	uint8_t p[64], out[ANCHOR_RTCP_MAX];
	struct anchor *a = anchored();
	struct rtcp_part part;
	struct packet k;
	unsigned n_pli = 0;

	assert_true(play(a, PEER, &k, 0, 1, 0));
	drain(a);
	for (unsigned i = 0; i < 3000; i++) { /* 1,000 a second, three seconds */
		size_t n;

		anchored_now_us += 1000;
		anchor_rtcp(a, BROWSER, p, feedback(p, 1, RTCP_PSFB, OURS_B, NULL, 0),
			    anchored_now_us);
		n = told(a, PEER, out);
		n_pli += n && has(out, n, RTCP_PSFB, 1, &part);
	}
	assert_int_equal(n_pli, 6);
	mem_deref(a);
}

/* abuse case 63 */
static void case_63_nonsense_is_dropped(void **state)
{
	static const uint8_t bye[] = {0x81, RTCP_BYE, 0, 1, 0, 0, 0, 0x99};
	uint8_t p[1600];
	struct anchor *a = anchored();
	struct packet k;
	size_t n;

	assert_true(play(a, PEER, &k, 0, 1, 0));
	drain(a);
	for (unsigned version = 0; version < 4; version++) {
		packet(&k, 0, 2, 160, THEIRS);
		k.p[0] = (uint8_t)(version << 6);
		if (version != 2)
			assert_false(pass(a, PEER, &k));
	}
	packet(&k, 0, 2, 160, THEIRS);
	k.n = 11;
	assert_false(pass(a, PEER, &k));
	packet(&k, 0, 2, 160, THEIRS);
	k.p[0] = 0x8f;
	k.n = 16;
	assert_false(pass(a, PEER, &k));
	packet(&k, 0, 2, 160, THEIRS);
	k.p[0] = 0x90;
	be16_put(k.p + 14, 0xffff);
	assert_false(pass(a, PEER, &k));
	/* a BYE of somebody else's; lengths that lie; 1,000 report blocks */
	anchor_rtcp(a, PEER, bye, sizeof(bye), anchored_now_us);
	packet(&k, 0, 2, 160, THEIRS + 1);
	assert_false(pass(a, PEER, &k));
	assert_true(play(a, PEER, &k, 0, 2, 160));
	for (unsigned i = 0; i < 100000; i++) {
		n = secret_u64() % sizeof(p);
		secret_random(p, n < 64 ? n : 64);
		p[0] = (uint8_t)(0x80 | (p[0] & 0x3f));
		p[1] = (uint8_t)(200 + p[1] % 8);
		anchor_rtcp(a, i & 1, p, n, anchored_now_us);
	}
	memset(p, 0, sizeof(p));
	p[0] = 0x9f;
	p[1] = RTCP_RR;
	be16_put(p + 2, 1600 / 4 - 1);
	anchor_rtcp(a, PEER, p, sizeof(p), anchored_now_us);
	assert_true(play(a, PEER, &k, 0, 3, 320));
	mem_deref(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reports_of_ours),
		cmocka_unit_test(a_peer_that_never_reports),
		cmocka_unit_test(feedback_finds_its_sender),
		cmocka_unit_test(case_65_a_flood_of_key_frame_requests),
		cmocka_unit_test(case_63_nonsense_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
