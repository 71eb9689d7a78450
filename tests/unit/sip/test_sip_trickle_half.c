/* test_sip_trickle_half.c - half trickle, and what decides on it: candidates go into the description for peers that take none
 * later; who they are is configured, asked by OPTIONS, or remembered. sip_peer.h draws who talks to whom. */
#include "tests/unit/sip/trickle_peer.h"

static void half(void **state)
{
	struct message invite;
	struct leg *leg;

	knows(false);
	leg = peer_call_out_with(offer_a, true);
	assert_true(peer_quiet());
	found(leg, "aaaa", CAND("1"), false);
	peer_advance_ms(500);
	assert_true(peer_quiet());
	found(leg, "aaaa", CAND("2"), true);
	peer_expect(&invite, "INVITE ");
	assert_string_equal(message_body(&invite), HALF("aaaa", LINE("1") LINE("2")));
	assert_string_equal(HEADER(&invite, "Require"), "");
	message_answer(&invite, 180, "Ringing", "bobs", CONTACT, NULL);
	peer_settle();
	assert_true(peer_quiet()); /* no INFO for who does not know it */
}

static void half_has_its_time(void **state)
{
	struct message invite;
	struct leg *leg;

	knows(false);
	leg = peer_call_out_with(offer_a, true);
	found(leg, "aaaa", CAND("1"), false);
	peer_advance_ms(1900);
	assert_true(peer_quiet());
	peer_advance_ms(200);
	peer_expect(&invite, "INVITE ");
	assert_string_equal(message_body(&invite), HALF("aaaa", LINE("1")));
}

static void given_up_while_it_gathers(void **state)
{
	struct leg *leg;

	knows(false);
	leg = peer_call_out_with(offer_a, true);
	peer_end(leg, CAUSE_CANCELLED);
	peer_advance_ms(5000);
	assert_true(peer_quiet());
}

static void a_whole_description_waits_for_nothing(void **state)
{
	struct message invite;

	peer_call_out();
	peer_expect(&invite, "INVITE ");
	assert_string_equal(message_body(&invite), peer_sdp_a);
	assert_string_equal(HEADER(&invite, "Require"), "");
}

/* Required, and not known: 420, then once more with all that was found. */
static void required_of_the_wrong_one(void **state)
{
	struct message invite, m;
	struct leg *leg;

	knows(true);
	leg = peer_call_out_with(offer_a, true);
	peer_expect(&invite, "INVITE ");
	found(leg, "aaaa", CAND("1"), false);
	message_answer(&invite, 420, "Bad Extension", "x", "Unsupported: trickle-ice\n",
		       NULL);
	peer_expect(&m, "ACK ");
	assert_true(peer_quiet());
	found(leg, "aaaa", NULL, true);
	peer_expect(&invite, "INVITE ");
	assert_string_equal(message_body(&invite), HALF("aaaa", LINE("1")));
	assert_string_equal(HEADER(&invite, "Require"), "");
	assert_string_equal(peer_call_of(leg)->trace, "");
	assert_int_equal(peers_trickle(peer->sip->peers, PEER_DOMAIN, peer->now_us),
			 TRICKLE_NO);
}

static void asked_first(void **state)
{
	struct message options, invite;
	struct leg *leg;

	leg = peer_call_out_with(offer_a, true);
	peer_expect(&options, "OPTIONS sip:bob@" PEER_DOMAIN " ");
	assert_string_equal(HEADER(&options, "To"), "<sip:bob@" PEER_DOMAIN ">");
	assert_true(peer_quiet());
	message_answer(&options, 200, "OK", "o", KNOWS, NULL);
	peer_expect(&invite, "INVITE ");
	assert_string_equal(message_body(&invite), offer_a); /* nothing was found yet */
	assert_string_equal(HEADER(&invite, "Require"), "trickle-ice");
	peer_end(leg, CAUSE_CANCELLED);
	peer_call_out_with(offer_a, true); /* known now */
	peer_expect(&invite, "INVITE ");
}

static void the_answer_is_no(void **state)
{
	struct message options, invite;
	struct leg *leg = peer_call_out_with(offer_a, true);

	peer_expect(&options, "OPTIONS ");
	message_answer(&options, 200, "OK", "o", "Supported: timer\n", NULL);
	assert_true(peer_quiet());
	found(leg, "aaaa", CAND("1"), true);
	peer_expect(&invite, "INVITE ");
	assert_string_equal(message_body(&invite), HALF("aaaa", LINE("1")));
}

/* Gathering is faster than the answer, or there is none. */
static void not_waited_for(void **state)
{
	struct message options, invite;
	struct leg *leg = peer_call_out_with(offer_a, true);

	peer_expect(&options, "OPTIONS ");
	found(leg, "aaaa", CAND("1"), true);
	peer_expect(&invite, "INVITE ");
	assert_string_equal(message_body(&invite), HALF("aaaa", LINE("1")));
	message_answer(&options, 503, "Service Unavailable", "o",
		       "Reason: X-EDGE;cause=1;text=\"no\"\n", NULL);
	assert_true(peer_quiet());
	assert_int_equal(peers_trickle(peer->sip->peers, PEER_DOMAIN, peer->now_us),
			 TRICKLE_AUTO);
}

static void remembered_for_a_time(void **state)
{
	struct peers *p = peer->sip->peers;

	knows(true);
	assert_int_equal(peers_trickle(p, "PEER.example", peer->now_us), TRICKLE_YES);
	assert_int_equal(peers_trickle(p, PEER_DOMAIN, peer->now_us + 86399000000),
			 TRICKLE_YES);
	assert_int_equal(peers_trickle(p, PEER_DOMAIN, peer->now_us + 86400000000),
			 TRICKLE_AUTO);
	knows(false);
	assert_int_equal(peers_trickle(p, PEER_DOMAIN, peer->now_us + 3599000000),
			 TRICKLE_NO);
	assert_int_equal(peers_trickle(p, PEER_DOMAIN, peer->now_us + 3600000000),
			 TRICKLE_AUTO);
	assert_int_equal(peers_trickle(p, "other.example", peer->now_us), TRICKLE_AUTO);
}

static void configured(void **state)
{
	struct message invite;

	snprintf(peer->peerv[0].domain, sizeof(peer->peerv[0].domain), PEER_DOMAIN);
	peer->config.n_peers = 1;
	peer->peerv[0].trickle = TRICKLE_YES;
	knows(false);
	peer_call_out_with(offer_a, true);
	peer_expect(&invite, "INVITE ");
	peer->peerv[0].trickle = TRICKLE_NO;
	knows(true);
	peer_call_out_with(offer_a, true);
	assert_true(peer_quiet());
}

/* Its caller does not know it: the answer waits for its candidates. */
static void incoming_half(void **state)
{
	struct body *answer = peer_body(offer_a);
	struct message m;
	struct dialog d;
	struct leg *leg = call_in(&d, "Supported: timer\n", peer_sdp_b);

	assert_false(peer_call_last()->invite->offer->trickle);
	answer->trickle = true;
	leg->ops->ringing(leg);
	peer_expect(&m, "SIP/2.0 180 ");
	assert_string_equal(HEADER(&m, "Require"), "");
	assert_int_equal(leg->ops->answer(leg, answer), 0);
	assert_true(peer_quiet());
	/* established for the call, not yet for the peer: come again, as after glare */
	assert_int_equal(leg->ops->offer(leg, answer), EBUSY);
	found(leg, "aaaa", CAND("1"), true);
	peer_expect(&m, "SIP/2.0 200 ");
	assert_string_equal(message_body(&m), HALF("aaaa", LINE("1")));
	dialog_learn(&d, &m);
	dialog_send(&d, "ACK", d.cseq, "in1ack", PEER_DOMAIN, "", NULL);
	peer_settle();
	assert_true(peer_quiet());
	mem_deref(answer);
}

/* A change in a call with a peer that does not know it waits, too, both ways. */
static void changed_half(void **state)
{
	struct body *offer = peer_body(offer_a), *answer = peer_body(offer_a);
	struct message m;
	struct dialog d;
	struct leg *leg = peer_call_out_talking(&d);

	offer->trickle = answer->trickle = true;
	assert_int_equal(leg->ops->offer(leg, offer), 0);
	assert_true(peer_quiet());
	found(leg, "aaaa", CAND("1"), true);
	peer_expect(&m, "INVITE ");
	assert_string_equal(message_body(&m), HALF("aaaa", LINE("1")));
	message_answer(&m, 200, "OK", NULL, CONTACT, peer_sdp_b);
	peer_expect(&m, "ACK ");
	dialog_send(&d, "INVITE", 20, "re1", PEER_DOMAIN, "", peer_sdp_c);
	peer_expect(&m, "SIP/2.0 100 ");
	assert_int_equal(leg->ops->answer(leg, answer), 0);
	assert_true(peer_quiet());
	peer_advance_ms(2100);
	peer_expect(&m, "SIP/2.0 200 ");
	dialog_send(&d, "ACK", 20, "re1ack", PEER_DOMAIN, "", NULL);
	peer_settle();
	mem_deref(offer);
	mem_deref(answer);
}

/* The peer takes back its offer when our side has answered it already, and only the candidates are waited for: the
 * answer goes, as if it had crossed the CANCEL. The browser has applied it, and hears of no withdrawal. */
static void answered_and_cancelled(void **state)
{
	struct body *answer = peer_body(offer_a);
	struct message m;
	struct dialog d;
	struct leg *leg = peer_call_out_talking(&d);
	size_t n = strlen(peer_call_of(leg)->trace);

	answer->trickle = true;
	dialog_send(&d, "INVITE", 20, "re1", PEER_DOMAIN, "", peer_sdp_c);
	peer_expect(&m, "SIP/2.0 100 ");
	assert_string_equal(peer_call_of(leg)->trace + n, "offer ");
	assert_int_equal(leg->ops->answer(leg, answer), 0);
	found(leg, "aaaa", CAND("1"), false);
	assert_true(peer_quiet());
	dialog_send(&d, "CANCEL", 20, "re1", PEER_DOMAIN, "", NULL);
	peer_expect(&m, "SIP/2.0 200 ");
	if (strstr(HEADER(&m, "CSeq"), "CANCEL"))
		peer_expect(&m, "SIP/2.0 200 ");
	assert_string_equal(HEADER(&m, "CSeq"), "20 INVITE");
	assert_string_equal(message_body(&m), HALF("aaaa", LINE("1")));
	if (peer_next(&m)) /* in either order */
		assert_string_equal(HEADER(&m, "CSeq"), "20 CANCEL");
	dialog_send(&d, "ACK", 20, "re1ack", PEER_DOMAIN, "", NULL);
	peer_settle();
	assert_string_equal(peer_call_of(leg)->trace + n, "offer ");
	mem_deref(answer);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, peer_setup, peer_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(half),
		TEST(half_has_its_time),
		TEST(given_up_while_it_gathers),
		TEST(a_whole_description_waits_for_nothing),
		TEST(required_of_the_wrong_one),
		TEST(asked_first),
		TEST(the_answer_is_no),
		TEST(not_waited_for),
		TEST(remembered_for_a_time),
		TEST(configured),
		TEST(incoming_half),
		TEST(changed_half),
		TEST(answered_and_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
