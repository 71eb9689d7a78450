/* test_sip_watch.c - the last connection of a peer is lost while calls go on with it: is it still there, and does
 * it still know them?
 *
 *   sip_watch_peer() ──► OPTIONS to the site ──► OPTIONS in each dialog ──► LEG_AWAY */
#include "tests/unit/sip/sip_peer.h"

#include "sip/leg.h"

static void lost(void)
{
	sip_watch_peer(peer->sip, PEER_DOMAIN, false, 0);
}

static void edge_says_no(const struct message *m)
{
	message_answer(m, 503, "Service Unavailable", NULL,
		       "Reason: X-EDGE;text=\"refused\"\n", NULL);
	peer_settle();
}

static void is_there(void)
{
	struct message m;

	peer_expect(&m, "OPTIONS sip:" PEER_DOMAIN " ");
	message_answer(&m, 200, "OK", "x", "", NULL);
	peer_settle();
}

/* What it says of the dialog. */
static void knows(unsigned status)
{
	struct message m;

	peer_expect(&m, "OPTIONS sip:");
	assert_non_null(strstr(HEADER(&m, "To"), ";tag="));
	message_answer(&m, status, status == 200 ? "OK" : "No", NULL, "", NULL);
	peer_settle();
}

static void hang_up(struct leg *leg)
{
	struct message m;

	peer_end(leg, CAUSE_HANGUP);
	peer_expect(&m, "BYE ");
	message_answer(&m, 200, "OK", NULL, "", NULL);
	peer_settle();
}

static void a_connection_that_is_only_idle_says_nothing(void **state)
{
	struct dialog d;
	struct leg *leg = peer_call_out_talking(&d);

	(void)state;
	lost();
	lost(); /* one question is enough */
	is_there();
	knows(200);
	assert_true(peer_quiet());
	assert_string_equal(peer_call_of(leg)->trace, "answer ");
	hang_up(leg);
}

static void away_and_back(void **state)
{
	struct dialog d;
	struct leg *leg = peer_call_in_talking(&d);
	struct body *offer = peer_body(peer_sdp_c);
	struct message m;

	(void)state;
	lost();
	peer_expect(&m, "OPTIONS sip:" PEER_DOMAIN " ");
	edge_says_no(&m);
	assert_string_equal(peer_call_of(leg)->trace, "away ");
	assert_int_equal(leg->ops->offer(leg, offer), ENOTCONN);
	peer_advance_ms(2000);
	peer_expect(&m, "OPTIONS sip:" PEER_DOMAIN " ");
	edge_says_no(&m);
	assert_string_equal(peer_call_of(leg)->trace, "away "); /* told once */
	/* it dials us: asked at once */
	sip_watch_peer(peer->sip, PEER_DOMAIN, true, 1);
	is_there();
	knows(200);
	assert_string_equal(peer_call_of(leg)->trace, "away back ");
	peer_advance_ms(10000);
	assert_true(peer_quiet());
	assert_int_equal(leg->ops->offer(leg, offer), 0);
	peer_expect(&m, "INVITE ");
	message_answer(&m, 488, "No", NULL, "", NULL);
	peer_expect(&m, "ACK ");
	mem_deref(offer);
	hang_up(leg);
}

/* It was killed, and is there again: it may join the call again. */
static void forgotten_is_not_ended(void **state)
{
	struct dialog d;
	struct leg *leg = peer_call_out_talking(&d);

	(void)state;
	lost();
	is_there();
	knows(481);
	assert_string_equal(peer_call_of(leg)->trace, "answer away ");
	peer_advance_ms(60000);
	assert_true(peer_quiet());
	assert_string_equal(peer_call_of(leg)->trace, "answer away ");
	hang_up(leg);
}

/* It does not answer, and then has something to say itself: there it is. */
static void who_speaks_is_there(void **state)
{
	struct dialog d;
	struct leg *leg = peer_call_in_talking(&d);
	struct message m;

	(void)state;
	lost();
	is_there();
	knows(481);
	assert_string_equal(peer_call_of(leg)->trace, "away ");
	dialog_send(&d, "OPTIONS", 7, "heard1", "other.example", "", NULL);
	peer_expect(&m, "SIP/2.0 403 ");
	assert_string_equal(peer_call_of(leg)->trace, "away "); /* somebody else */
	dialog_send(&d, "OPTIONS", 8, "heard2", PEER_DOMAIN, "", NULL);
	peer_expect(&m, "SIP/2.0 200 ");
	assert_string_equal(peer_call_of(leg)->trace, "away back ");
	hang_up(leg);
}

static void what_rings_here_for_it_is_over(void **state)
{
	struct dialog d;
	struct leg *leg = peer_call_in(&d);
	struct call *call = peer_call_of(leg);
	struct message m;

	(void)state;
	lost();
	assert_string_equal(call->trace, "ended(unreachable) ");
	assert_non_null(strstr(call->cause.text, PEER_DOMAIN));
	peer_expect(&m, "SIP/2.0 503 ");
	dialog_send(&d, "ACK", 1, d.call_id, PEER_DOMAIN, "", NULL);
	peer_settle();
	assert_true(peer_quiet());
}

static void nobody_is_asked_for_nothing(void **state)
{
	struct dialog d;
	struct leg *leg = peer_call_out_talking(&d);
	struct message m;

	(void)state;
	sip_watch_peer(peer->sip, "other.example", false, 0);
	sip_watch_peer(peer->sip, PEER_DOMAIN, false, 1); /* one is left */
	sip_watch_peer(peer->sip, PEER_DOMAIN, true, 1);
	assert_true(peer_quiet());
	/* the call ends while its site is away: then nobody asks on */
	lost();
	peer_expect(&m, "OPTIONS sip:" PEER_DOMAIN " ");
	hang_up(leg);
	edge_says_no(&m);
	peer_advance_ms(60000);
	assert_true(peer_quiet());
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, peer_setup, peer_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_connection_that_is_only_idle_says_nothing),
		TEST(away_and_back),
		TEST(forgotten_is_not_ended),
		TEST(who_speaks_is_there),
		TEST(what_rings_here_for_it_is_over),
		TEST(nobody_is_asked_for_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
