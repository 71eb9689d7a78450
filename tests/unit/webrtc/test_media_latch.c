/* tests/unit/webrtc/test_media_latch.c - whose packets of plain RTP are a peer's: abuse case 61.
 *
 *   description: 192.0.2.10:4000        foreign: 203.0.113.66:* */
#include "webrtc/media/latch.h"

#include <setjmp.h>
#include <cmocka.h>

static struct sa described, nat, evil;
static bool moved;

static int setup(void **state)
{
	assert_int_equal(sa_set_str(&described, "192.0.2.10", 4000), 0);
	assert_int_equal(sa_set_str(&nat, "198.51.100.7", 40404), 0);
	assert_int_equal(sa_set_str(&evil, "203.0.113.66", 6666), 0);
	return 0;
}

static struct latch fresh(void)
{
	struct latch l = {0};

	latch_describe(&l, &described);
	return l;
}

static void the_described_address_has_it_at_once(void **state)
{
	struct latch l = fresh();

	assert_true(sa_cmp(latch_to(&l), &described, SA_ALL));
	assert_true(latch_rtp(&l, &described, 1, 100, 0, &moved));
	for (unsigned i = 0; i < 1000; i++) /* none when the SDP's address has sent */
		assert_false(latch_rtp(&l, &evil, 66, (uint16_t)i, i, &moved));
	/* not even with the right SSRC, while the peer speaks */
	for (unsigned i = 0; i < 1000; i++) {
		assert_false(latch_rtp(&l, &evil, 1, (uint16_t)(101 + i), i, &moved));
		assert_true(latch_rtp(&l, &described, 1, (uint16_t)(101 + i), i, &moved));
		assert_false(moved);
	}
	assert_true(sa_cmp(latch_to(&l), &described, SA_ALL));
}

static void a_nat_is_learned(void **state)
{
	struct latch l = fresh();

	for (unsigned i = 0; i < LATCH_PROOF - 1; i++)
		assert_false(latch_rtp(&l, &nat, 1, (uint16_t)(65534 + i), i, &moved));
	assert_true(latch_rtp(&l, &nat, 1, (uint16_t)(65534 + LATCH_PROOF), 9, &moved));
	assert_true(moved);
	assert_true(sa_cmp(latch_to(&l), &nat, SA_ALL));
	assert_false(latch_rtp(&l, &evil, 1, 7, 10, &moved));
	/* somebody was quicker than the peer: it has its place back with its first packet, for good */
	assert_true(latch_rtp(&l, &described, 2, 1, 11, &moved));
	assert_true(moved);
	for (unsigned i = 0; i < 100; i++)
		assert_false(latch_rtp(&l, &nat, 1, (uint16_t)(8 + i), 12 + i, &moved));
}

static void sprayed_packets_prove_nothing(void **state)
{
	struct latch l = fresh();
	struct sa from = evil;

	for (unsigned i = 0; i < 1000;
	     i++) { /* from many ports, with many SSRCs, out of order */
		sa_set_port(&from, (uint16_t)(1024 + i));
		assert_false(latch_rtp(&l, &from, 1, (uint16_t)i, i, &moved));
		assert_false(latch_rtp(&l, &evil, i, (uint16_t)i, i, &moved));
		assert_false(latch_rtp(&l, &evil, 1, (uint16_t)(i * 1000), i, &moved));
		assert_false(latch_rtp(&l, &evil, 1, (uint16_t)(i * 1000), i, &moved));
	}
}

static void a_nat_that_moves(void **state)
{
	struct latch l = fresh();
	struct sa after = nat;

	sa_set_port(&after, 50505);
	for (unsigned i = 0; i < LATCH_PROOF; i++)
		latch_rtp(&l, &nat, 1, (uint16_t)i, i, &moved);
	assert_int_equal(l.state, LATCH_LEARNED);
	/* silent for a while, the same stream further on: five packets prove it */
	for (unsigned i = 0; i < LATCH_PROOF; i++)
		assert_int_equal(
			latch_rtp(&l, &after, 1, (uint16_t)(30 + i), 600 + i, &moved),
			i == LATCH_PROOF - 1);
	assert_true(sa_cmp(latch_to(&l), &after, SA_ALL));
	/* another stream never, however long it is silent */
	for (unsigned i = 0; i < 100; i++)
		assert_false(latch_rtp(&l, &evil, 66, (uint16_t)i, 1000000 + i, &moved));
}

static void descriptions(void **state)
{
	struct latch l = fresh();
	struct sa none = {0}, zero;

	latch_rtp(&l, &described, 1, 1, 0, &moved);
	sa_set_str(&zero, "0.0.0.0", 9);
	latch_describe(&l, &none);
	latch_describe(&l, &zero);      /* a hold of the old kind */
	latch_describe(&l, &described); /* and the same again */
	assert_int_equal(l.state, LATCH_FIXED);
	latch_describe(&l, &nat); /* a re-INVITE with another c= */
	assert_int_equal(l.state, LATCH_OPEN);
	assert_true(sa_cmp(latch_to(&l), &nat, SA_ALL));
	assert_true(latch_rtp(&l, &nat, 5, 1, 1, &moved));
	assert_false(latch_rtp(&l, &described, 1, 2, 2, &moved));
}

static void strict_learns_nothing(void **state)
{
	struct latch l = fresh();

	l.strict = true;
	for (unsigned i = 0; i < 100; i++)
		assert_false(latch_rtp(&l, &nat, 1, (uint16_t)i, i, &moved));
	assert_true(latch_rtp(&l, &described, 1, 1, 0, &moved));
}

static void before_a_description_nobody(void **state)
{
	struct latch l = {0};

	for (unsigned i = 0; i < 100; i++)
		assert_false(latch_rtp(&l, &nat, 1, (uint16_t)i, i, &moved));
	assert_null(latch_to(&l));
	assert_false(latch_rtcp(&l, &nat));
}

static void with_keys_the_tag_decides(void **state)
{
	struct latch l = fresh();

	assert_true(latch_proved(&l, &nat, 0));
	assert_false(latch_proved(&l, &nat, 1));
	assert_true(sa_cmp(latch_to(&l), &nat, SA_ALL));
	assert_true(latch_proved(&l, &described, 2));
	assert_int_equal(l.state, LATCH_FIXED);
}

static void rtcp_comes_from_the_same_machine(void **state)
{
	struct latch l = fresh();
	struct sa port = described;

	sa_set_port(&port, 4711);
	assert_true(latch_rtcp(&l, &port));
	assert_false(latch_rtcp(&l, &evil));
	latch_proved(&l, &nat, 0);
	assert_false(latch_rtcp(&l, &port));
	sa_set_str(&port, "198.51.100.7", 9);
	assert_true(latch_rtcp(&l, &port));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_described_address_has_it_at_once),
		cmocka_unit_test(a_nat_is_learned),
		cmocka_unit_test(sprayed_packets_prove_nothing),
		cmocka_unit_test(a_nat_that_moves),
		cmocka_unit_test(descriptions),
		cmocka_unit_test(strict_learns_nothing),
		cmocka_unit_test(before_a_description_nobody),
		cmocka_unit_test(with_keys_the_tag_decides),
		cmocka_unit_test(rtcp_comes_from_the_same_machine),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
