/* tests/unit/webrtc/test_media_anchor.c - packets between a browser and a legacy peer: numbers, payload types, keys that
 * are pressed, noise, holds (anchored.h draws them). */
#include "tests/unit/webrtc/anchored.h"

#include "lib/secret.h"

#include <setjmp.h>
#include <cmocka.h>

static void heads_and_payload_types(void **state)
{
	struct anchor *a = anchored();
	struct packet k;
	size_t n_mid;

	assert_true(play(a, PEER, &k, P_OPUS, 65530, 5));
	assert_int_equal(k.h.pt, OPUS);
	assert_true(k.h.marker); /* speech begins */
	assert_memory_equal(rtp_ext_find(&k.h, 4, &n_mid), "au0", 3);
	assert_int_equal(n_mid, 3);
	assert_int_equal(k.n - k.h.n_bytes, 160);
	assert_int_equal(k.p[k.h.n_bytes], 0x55);
	/* the browser's: its extension, CSRC and padding are not for the peer */
	packet(&k, OPUS, 5, 960, HERS);
	memmove(k.p + 24, k.p + 12, 160);
	memcpy(k.p + 12,
	       "\0\0\0\1\xbe\xde\0\1\x42"
	       "au0",
	       12);
	k.p[0] = 0x80 | 0x20 | 0x10 | 1;
	memcpy(k.p + 24 + 160, "\0\0\0\4", 4);
	k.n = 24 + 160 + 4;
	assert_true(pass(a, BROWSER, &k));
	assert_int_equal(k.p[0], 0x80);
	assert_int_equal(k.n, RTP_HEADER + 160);
	assert_int_equal(k.h.pt, P_OPUS);
	/* a padding that lies; one that is all there is; a payload type that was not agreed on */
	packet(&k, OPUS, 6, 1920, HERS);
	k.p[0] |= 0x20;
	k.p[k.n - 1] = 255;
	assert_false(pass(a, BROWSER, &k));
	k.p[k.n - 1] = 0;
	assert_false(pass(a, BROWSER, &k));
	assert_false(play(a, BROWSER, &k, 99, 6, 1920));
	mem_deref(a);
}

static void the_name_is_sent_until_it_is_known(void **state)
{
	struct anchor *a = anchored();
	uint8_t rr[32] = {0x81, RTCP_RR, 0, 7, 0, 0, 0, HERS};
	struct packet k;

	assert_true(play(a, PEER, &k, P_OPUS, 1, 0));
	assert_int_equal(k.n, RTP_HEADER + 8 + 160);
	be32_put(rr + 8, OURS_B);
	anchor_rtcp(a, BROWSER, rr, sizeof(rr), anchored_now_us);
	assert_true(play(a, PEER, &k, P_OPUS, 2, 960));
	assert_int_equal(k.n, RTP_HEADER + 160);
	mem_deref(a);
}

static void one_stream_whoever_sends_it(void **state)
{
	struct anchor *a = anchored();
	struct packet k;
	uint32_t ts;
	uint16_t seq;

	for (unsigned i = 0; i < 200; i++) {
		assert_true(play(a, PEER, &k, 0, (uint16_t)(65500 + i), 160 * i));
		if (i) {
			assert_int_equal(k.h.seq, (uint16_t)(seq + 1));
			assert_int_equal(k.h.ts, ts + 160);
		}
		seq = k.h.seq;
		ts = k.h.ts;
	}
	/* another SSRC at once (music on hold): its third packet in a row has the place */
	packet(&k, 0, 5, 77, THEIRS + 1);
	assert_false(pass(a, PEER, &k));
	packet(&k, 0, 6, 237, THEIRS + 1);
	assert_false(pass(a, PEER, &k));
	packet(&k, 0, 7, 397, THEIRS + 1);
	assert_true(pass(a, PEER, &k));
	assert_int_equal(k.h.seq, (uint16_t)(seq + 1));
	assert_int_equal(k.h.ts - ts, 3 * 160);
	seq = k.h.seq, ts = k.h.ts;
	/* the same SSRC with numbers of its own choice: two in a row */
	packet(&k, 0, 30000, 1u << 31, THEIRS + 1);
	assert_false(pass(a, PEER, &k));
	packet(&k, 0, 30001, (1u << 31) + 160, THEIRS + 1);
	assert_true(pass(a, PEER, &k));
	assert_int_equal(k.h.seq, (uint16_t)(seq + 1));
	assert_int_equal(k.h.ts - ts, 2 * 160);
	seq = k.h.seq, ts = k.h.ts;
	/* a clock set back under the same numbers */
	packet(&k, 0, 30002, 5, THEIRS + 1);
	assert_true(pass(a, PEER, &k));
	assert_int_equal(k.h.ts - ts, 160);
	/* another codec with another clock: the same time line goes on */
	packet(&k, P_OPUS, 30003, 5000, THEIRS + 1);
	assert_true(pass(a, PEER, &k));
	assert_int_equal(k.h.ts - ts, 160 + 960);
	mem_deref(a);
}

static void loss_and_order_stay_visible(void **state)
{
	struct anchor *a = anchored();
	struct packet k;
	uint16_t first;

	assert_true(play(a, PEER, &k, 0, 10, 0));
	first = k.h.seq;
	assert_true(play(a, PEER, &k, 0, 13, 480));
	assert_int_equal(k.h.seq, (uint16_t)(first + 3));
	assert_true(play(a, PEER, &k, 0, 12, 320));
	assert_int_equal(k.h.seq, (uint16_t)(first + 2));
	assert_true(play(a, PEER, &k, 0, 14, 640));
	assert_int_equal(k.h.seq, (uint16_t)(first + 4));
	mem_deref(a);
}

/* what the other side cannot play leaves no gap, and nobody's number is given twice, in whatever order they come */
static void noise_is_dropped_without_a_gap(void **state)
{
	struct anchor *a = anchored();
	bool sent[65536] = {false};
	struct packet k;
	uint16_t seq = 0;

	assert_true(play(a, BROWSER, &k, 0, 10, 0));
	seq = k.h.seq;
	assert_false(play(a, BROWSER, &k, CN, 11, 160));
	assert_false(play(a, BROWSER, &k, CN, 12, 1600));
	assert_true(play(a, BROWSER, &k, 0, 13, 3200));
	assert_int_equal(k.h.seq, (uint16_t)(seq + 1));
	assert_true(k.h.marker);
	for (unsigned i = 0; i < 20000; i++) {
		uint16_t at = (uint16_t)(14 + i + secret_u64() % 6);

		if (!play(a, BROWSER, &k, secret_u64() % 4 ? 0 : CN, at, at * 160u))
			continue;
		if (sent[k.h.seq]) /* the same packet once more is the network's doing */
			continue;
		sent[k.h.seq] = true;
	}
	mem_deref(a);
}

/* each incoming number has one outgoing number of its own while it matters: two that share one would be sealed alike */
static void late_packets_keep_their_numbers(void **state)
{
	struct anchor *a = anchored();
	int owner[65536];
	struct packet k;

	memset(owner, 0xff, sizeof(owner));
	assert_true(play(a, BROWSER, &k, 0, 0, 0));
	for (unsigned i = 1; i < 30000; i += 4) {
		static const unsigned orders[][4] = {
			{0, 1, 2, 3}, {1, 0, 3, 2}, {3, 2, 1, 0}, {2, 3, 0, 1}};
		const unsigned *order = orders[secret_u64() % 4];
		unsigned noise = (unsigned)(secret_u64() % 4);

		for (unsigned j = 0; j < 4; j++) {
			uint16_t at = (uint16_t)(i + order[j]);

			if (!play(a, BROWSER, &k, order[j] == noise ? CN : 0, at,
				  at * 160u))
				continue;
			assert_int_equal(owner[k.h.seq], -1);
			owner[k.h.seq] = at;
		}
	}
	mem_deref(a);
}

static void a_hold_of_three_hours(void **state)
{
	struct media_stream held = anchored_browser;
	struct anchor *a = anchored();
	struct packet k;
	uint32_t ts = 0, in_ts = 0;
	uint16_t seq, in = 65000;

	assert_true(play(a, PEER, &k, 0, in++, in_ts += 160));
	seq = k.h.seq;
	ts = k.h.ts;
	held.sends = false;
	anchor_setup(a, BROWSER, &held, 1);
	for (unsigned i = 0; i < 3 * 3600 * 50; i++)
		assert_false(play(a, PEER, &k, 0, in++, in_ts += 160));
	anchor_setup(a, BROWSER, &anchored_browser, 1);
	assert_true(play(a, PEER, &k, 0, in++, in_ts += 160));
	assert_int_equal(k.h.seq, (uint16_t)(seq + 1));
	assert_int_equal(k.h.ts - ts, (3 * 3600 * 50 + 1) * 160);
	assert_true(k.h.marker);
	mem_deref(a);
}

/* ---- keys that are pressed ---- */

static bool press(struct anchor *a, unsigned side, struct packet *k, uint8_t pt,
		  uint16_t seq, uint32_t ts, unsigned dur, bool end)
{
	packet(k, pt, seq, ts, side == BROWSER ? HERS : THEIRS);
	k->n = RTP_HEADER + 4;
	k->p[12] = 5;
	k->p[13] = (uint8_t)(10 | (end ? 0x80 : 0));
	be16_put(k->p + 14, (uint16_t)dur);
	return pass(a, side, k);
}

static unsigned duration(const struct packet *k)
{
	return be16(k->p + k->h.n_bytes + 2);
}

/* Opus at 48000 with events at 48000; the peer has them at 8000 only */
static void a_key_from_48000_to_8000(void **state)
{
	struct anchor *a = anchored();
	struct packet k;
	uint32_t ts, begun = 0;

	assert_true(play(a, BROWSER, &k, OPUS, 1, 48000));
	ts = k.h.ts;
	for (unsigned i = 1; i <= 10; i++) {
		assert_true(press(a, BROWSER, &k, EVENT_48, (uint16_t)(1 + i),
				  48000 + 960, 960 * i, i >= 8));
		assert_int_equal(k.h.pt, P_EVENT);
		assert_int_equal(duration(&k), 160 * i);
		assert_int_equal(k.p[k.h.n_bytes], 5);
		if (i == 1)
			begun = k.h.ts;
		assert_int_equal(k.h.ts, begun);
	}
	assert_int_equal(begun - ts, 160); /* 20 ms, at 8000 */
	/* sound goes on in its own time */
	assert_true(play(a, BROWSER, &k, OPUS, 12, 48000 + 11 * 960));
	assert_int_equal(k.h.ts - ts, 11 * 960);
	mem_deref(a);
}

/* a long one: 3 s are 144000 at 48000, more than sixteen bits: it must come in segments that join (RFC 4733 §2.5.1.3) */
static void a_long_key_from_8000_to_48000(void **state)
{
	struct anchor *a = anchored();
	uint32_t begun = 0, at = 0, dur = 0, n_full = 0;
	struct packet k;

	assert_true(play(a, PEER, &k, P_OPUS, 1, 100));
	for (unsigned i = 1; i <= 150; i++) {
		assert_true(press(a, PEER, &k, P_EVENT, (uint16_t)(1 + i), 100, 160 * i,
				  i == 150));
		assert_int_equal(k.h.pt, EVENT_48); /* the one of the codec in use */
		if (i == 1)
			begun = at = k.h.ts;
		if (k.h.ts != at) {
			assert_int_equal(k.h.ts, at + dur); /* they join */
			assert_int_equal(dur, 0xffff);
			n_full++;
			at = k.h.ts;
		}
		dur = duration(&k);
	}
	assert_int_equal(n_full, 2);
	assert_int_equal(at + dur - begun, 144000);
	mem_deref(a);
}

/* and back: segments at 48000 are one key at 8000 */
static void segments_from_48000_to_8000(void **state)
{
	struct anchor *a = anchored();
	uint32_t begun = 0;
	struct packet k;

	assert_true(play(a, BROWSER, &k, OPUS, 1, 0));
	for (unsigned i = 1; i <= 150; i++) {
		uint32_t total = 960 * i, segment = (total - 1) / 0xffff;

		if (i == 69 || i == 137) { /* the end of a segment is told */
			assert_true(press(a, BROWSER, &k, EVENT_48, (uint16_t)(1 + i),
					  (segment - 1) * 0xffff, 0xffff, false));
		} else {
			assert_true(press(a, BROWSER, &k, EVENT_48, (uint16_t)(1 + i),
					  segment * 0xffff, total - segment * 0xffff,
					  i == 150));
			assert_int_equal(duration(&k), 160 * i);
		}
		if (i == 1)
			begun = k.h.ts;
		assert_int_equal(k.h.ts, begun);
	}
	mem_deref(a);
}

static void keys_beside_pcmu_pass_as_they_are(void **state)
{
	struct anchor *a = anchored();
	struct packet k;
	uint32_t ts;

	assert_true(play(a, PEER, &k, 0, 1, 0));
	ts = k.h.ts;
	assert_true(press(a, PEER, &k, P_EVENT, 2, 160, 400, false));
	assert_int_equal(k.h.pt, EVENT_8);
	assert_int_equal(k.h.ts - ts, 160);
	assert_int_equal(duration(&k), 400);
	assert_true(play(a, BROWSER, &k, 0, 1, 0));
	assert_true(press(a, BROWSER, &k, EVENT_8, 2, 160, 400, true));
	assert_int_equal(k.h.pt, P_EVENT);
	assert_int_equal(duration(&k), 400);
	/* three bytes are no key; and leave no gap */
	packet(&k, EVENT_8, 3, 160, HERS);
	k.n = RTP_HEADER + 3;
	assert_false(pass(a, BROWSER, &k));
	mem_deref(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_and_payload_types),
		cmocka_unit_test(the_name_is_sent_until_it_is_known),
		cmocka_unit_test(one_stream_whoever_sends_it),
		cmocka_unit_test(loss_and_order_stay_visible),
		cmocka_unit_test(noise_is_dropped_without_a_gap),
		cmocka_unit_test(late_packets_keep_their_numbers),
		cmocka_unit_test(a_hold_of_three_hours),
		cmocka_unit_test(a_key_from_48000_to_8000),
		cmocka_unit_test(a_long_key_from_8000_to_48000),
		cmocka_unit_test(segments_from_48000_to_8000),
		cmocka_unit_test(keys_beside_pcmu_pass_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
