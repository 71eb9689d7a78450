/* test_sip_forks.c - more early dialogs than a try keeps: every 2xx is still acknowledged and, when it lost,
 * ended. RFC 3261 §13.2.2.4 */
#include "sip/try.h"
#include "tests/unit/sip/sip_peer.h"

#define CONTACT "Contact: <sip:bob@192.0.2.7:5061;transport=tls>\n"

static const char *tag_of(unsigned i)
{
	static char tag[16];

	snprintf(tag, sizeof(tag), "f%u", i);
	return tag;
}

static void expect_for(struct message *m, const char *start, const char *tag)
{
	char end[32];

	snprintf(end, sizeof(end), ";tag=%s", tag);
	peer_expect(m, start);
	assert_non_null(strstr(HEADER(m, "To"), end));
}

/* An INVITE with FORKS_MAX early dialogs, f0 the oldest. */
static struct leg *full(struct message *invite)
{
	struct leg *leg = peer_call_out();

	peer_expect(invite, "INVITE ");
	for (unsigned i = 0; i < FORKS_MAX; i++)
		message_answer(invite, 180, "Ringing", tag_of(i), CONTACT, NULL);
	peer_settle();
	message_answer(invite, 180, "Ringing", "more", CONTACT, NULL);
	assert_true(peer_quiet());
	return leg;
}

static void expect_ended(const struct message *invite, const char *tag)
{
	struct message m;

	message_answer(invite, 200, "OK", tag, CONTACT, peer_sdp_c);
	expect_for(&m, "ACK ", tag);
	expect_for(&m, "BYE ", tag);
	assert_true(*HEADER(&m, JOINT_HEADER));
	message_answer(&m, 200, "OK", NULL, "", NULL);
}

/* The 33rd answers first: it is the call's. The one that made room for it answers, too, and is ended. */
static void winner_beyond_the_limit_has_no_ack(void **state)
{
	struct message m, r;
	struct leg *leg = full(&m);

	(void)state;
	message_answer(&m, 200, "OK", "f32", CONTACT, peer_sdp_b);
	expect_for(&r, "ACK ", "f32");
	assert_string_equal(peer_call_last()->trace, "ringing answer ");
	expect_ended(&m, "f0");
	expect_ended(&m, "f31");
	assert_true(peer_quiet());
	peer_end(leg, CAUSE_HANGUP);
	expect_for(&r, "BYE ", "f32");
	message_answer(&r, 200, "OK", NULL, "", NULL);
	peer_advance_ms(40000);
	assert_int_equal(list_count(&peer->sip->tries), 0);
}

/* The call is cancelled, and the 33rd crosses the CANCEL. */
static void loser_beyond_the_limit_has_no_bye(void **state)
{
	struct message m, r;
	struct leg *leg = full(&m);

	(void)state;
	peer_end(leg, CAUSE_CANCELLED);
	peer_expect(&r, "CANCEL ");
	message_answer(&r, 200, "OK", NULL, "", NULL);
	expect_ended(&m, "f32");
	expect_ended(&m, "f0");
	expect_ended(&m, "f1");
	assert_true(peer_quiet());
	peer_advance_ms(40000);
	assert_int_equal(list_count(&peer->sip->tries), 0);
}

/* One has won, and more than the limit answer late. */
static void late_losers_beyond_the_limit(void **state)
{
	struct message m, r;
	struct leg *leg = full(&m);

	(void)state;
	message_answer(&m, 200, "OK", "winner", CONTACT, peer_sdp_b);
	expect_for(&r, "ACK ", "winner");
	for (unsigned i = 0; i < FORKS_MAX + 3; i++)
		expect_ended(&m, tag_of(i));
	assert_true(peer_quiet());
	assert_string_equal(peer_call_last()->trace, "ringing answer ");
	peer_end(leg, CAUSE_HANGUP);
	expect_for(&r, "BYE ", "winner");
}

/* A 2xx that names no dialog, when the call has gone: nothing can be acknowledged, and nothing breaks. */
static void tagless_2xx_after_the_cancel_crashes(void **state)
{
	struct message m, r;
	struct leg *leg = peer_call_out();

	(void)state;
	peer_expect(&m, "INVITE ");
	message_answer(&m, 180, "Ringing", "A", CONTACT, NULL);
	peer_settle();
	peer_end(leg, CAUSE_CANCELLED);
	peer_expect(&r, "CANCEL ");
	message_answer(&r, 200, "OK", NULL, "", NULL);
	message_answer(&m, 200, "OK", NULL, CONTACT, peer_sdp_c);
	assert_true(peer_quiet());
	expect_ended(&m, "A");
	peer_advance_ms(40000);
	assert_int_equal(list_count(&peer->sip->tries), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, peer_setup, peer_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(winner_beyond_the_limit_has_no_ack),
		T(loser_beyond_the_limit_has_no_bye),
		T(late_losers_beyond_the_limit),
		T(tagless_2xx_after_the_cancel_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
