/* test_sip_targets.c - a peer with several targets: each has its time, the next one gets a new INVITE.
 *
 *   call ──► leg ══ INVITE ══► edge ══► target, the next, the next */
#include "tests/unit/sip/sip_peer.h"
#include "tests/unit/sip/sip_standin.h"

#define CONTACT "Contact: <sip:bob@192.0.2.7:5061;transport=tls>\n"

/* Three targets: silent after TLS, 503, answering. One dialog results; a late 200 gets ACK and BYE. */
static void failover(void **state)
{
	struct message one, two, three, r;
	struct leg *leg = peer_call_out();

	(void)state;
	peer_expect(&one, "INVITE ");
	peer_event(EDGE_SENT, message_token(&one), "192.0.2.1:5061", NULL);
	peer_advance_ms(peer->config.limits.sip_target_s * 1000 - 100);
	assert_true(peer_quiet());
	peer_advance_ms(200);
	peer_expect(&two, "INVITE ");
	assert_non_null(strstr(HEADER(&two, JOINT_HEADER), ";skip=192.0.2.1:5061"));
	assert_string_not_equal(HEADER(&two, "Call-ID"), HEADER(&one, "Call-ID"));
	peer_event(EDGE_SENT, message_token(&two), "192.0.2.7:5061", NULL);
	message_answer(&two, 503, "Unavailable", "x", "",
		       NULL); /* by 192.0.2.7, says the joint */
	peer_expect(&r, "ACK ");
	peer_expect(&three, "INVITE ");
	assert_non_null(strstr(HEADER(&three, JOINT_HEADER),
			       ";skip=192.0.2.1:5061/192.0.2.7:5061"));
	assert_string_equal(message_body(&three), peer_sdp_a);
	peer_event(EDGE_SENT, message_token(&three), "192.0.2.3:5061", NULL);
	message_answer(&three, 100, "Trying", NULL, "", NULL);
	peer_advance_ms(6000); /* 100 counts as a sign of life */
	message_answer(&three, 200, "OK", "C", CONTACT, peer_sdp_b);
	peer_expect(&r, "ACK ");
	assert_string_equal(peer_call_last()->trace, "answer ");

	message_answer(&one, 180, "Ringing", "L", CONTACT,
		       NULL); /* the silent one wakes up */
	peer_expect(&r, "CANCEL ");
	message_answer(&one, 200, "OK", "L", CONTACT, peer_sdp_c);
	peer_expect(&r, "ACK ");
	assert_string_equal(HEADER(&r, "Call-ID"), HEADER(&one, "Call-ID"));
	peer_expect(&r, "BYE ");
	message_answer(&r, 200, "OK", NULL, "", NULL);
	assert_true(peer_quiet());
	assert_string_equal(peer_call_last()->trace, "answer ");
	peer_end(leg, CAUSE_HANGUP);
}

/* A target has its time once: three of the four seconds went for the handshake, one is left. */
static void connecting_counts_as_silence(void **state)
{
	uint32_t limit_ms = peer->config.limits.sip_target_s * 1000;
	struct edge_event ev = {.kind = EDGE_SENT, .spent_ms = limit_ms - 1000};
	struct message one, two, three;

	(void)state;
	peer_call_out();
	peer_expect(&one, "INVITE ");
	ev.token = message_token(&one);
	snprintf(ev.target, sizeof(ev.target), "192.0.2.1:5061");
	standin_post(&ev);
	peer_settle();
	peer_advance_ms(900);
	assert_true(peer_quiet());
	peer_advance_ms(200);
	peer_expect(&two, "INVITE ");
	/* All of it is gone: the next one's turn. */
	ev.token = message_token(&two);
	ev.spent_ms = limit_ms + 1;
	snprintf(ev.target, sizeof(ev.target), "192.0.2.7:5061");
	standin_post(&ev);
	peer_settle();
	peer_advance_ms(1);
	peer_expect(&three, "INVITE ");
	assert_non_null(strstr(HEADER(&three, JOINT_HEADER),
			       ";skip=192.0.2.1:5061/192.0.2.7:5061"));
}

/* All targets are through: the last true story is told, not "no target left". */
static void no_target_left(void **state)
{
	struct message m, r;

	(void)state;
	peer_call_out();
	peer_expect(&m, "INVITE ");
	message_answer(&m, 503, "Unavailable", "x",
		       "Reason: SIP;cause=503;text=\"the disk is full\"\n", NULL);
	peer_expect(&r, "ACK ");
	peer_expect(&m, "INVITE ");
	message_answer(&m, 503, "Unavailable", "x",
		       "Reason: X-EDGE;cause=1;text=\"no target is left\"\n", NULL);
	peer_expect(&r, "ACK ");
	assert_string_equal(peer_call_last()->trace, "ended(unreachable) ");
	assert_string_equal(peer_call_last()->cause.text, "the disk is full");
}

/* The edge could not reach any target, and says why. */
static void edge_failed(void **state)
{
	struct message m, r;

	(void)state;
	peer_call_out();
	peer_expect(&m, "INVITE ");
	peer_event(EDGE_FAILED, message_token(&m), "192.0.2.1:5061", "refused");
	message_answer(
		&m, 503, "Unavailable", "x",
		"Reason: X-EDGE;cause=503;text=\"peer.example could not be reached: connection refused\"\n",
		NULL);
	peer_expect(&r, "ACK ");
	assert_string_equal(peer_call_last()->cause.text,
			    "peer.example could not be reached: connection refused");
}

#define EDGE_503 "Reason: X-EDGE;cause=503;text=\"peer.example: the connection broke\"\n"

/* The connection breaks with the INVITE on it and no word of the peer's: the next target, and its story. */
static void call_fails_when_a_target_dies_after_the_invite(void **state)
{
	struct message one, two, three, r;

	(void)state;
	peer_call_out();
	peer_expect(&one, "INVITE ");
	peer_event(EDGE_SENT, message_token(&one), "192.0.2.1:5061", NULL);
	message_answer(&one, 503, "Unavailable", "x", EDGE_503, NULL);
	peer_expect(&r, "ACK ");
	peer_expect(&two, "INVITE ");
	assert_non_null(strstr(HEADER(&two, JOINT_HEADER), ";skip=192.0.2.1:5061"));
	assert_string_not_equal(HEADER(&two, "Call-ID"), HEADER(&one, "Call-ID"));
	assert_string_equal(message_body(&two), peer_sdp_a);
	peer_event(EDGE_SENT, message_token(&two), "192.0.2.7:5061", NULL);
	message_answer(&two, 100, "Trying", NULL, "",
		       NULL); /* a hop's, not the callee's */
	message_answer(&two, 503, "Unavailable", "x", EDGE_503, NULL);
	peer_expect(&r, "ACK ");
	peer_expect(&three, "INVITE ");
	assert_non_null(strstr(HEADER(&three, JOINT_HEADER),
			       ";skip=192.0.2.1:5061/192.0.2.7:5061"));
	assert_string_equal(peer_call_last()->trace, "");
	message_answer(&three, 503, "Unavailable", "x",
		       "Reason: X-EDGE;cause=1;text=\"no target is left\"\n", NULL);
	peer_expect(&r, "ACK ");
	assert_string_equal(peer_call_last()->trace, "ended(unreachable) ");
	assert_string_equal(peer_call_last()->cause.text,
			    "peer.example: the connection broke");
	assert_true(peer_quiet());
}

#define T(f) cmocka_unit_test_setup_teardown(f, peer_setup, peer_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(failover),
		T(connecting_counts_as_silence),
		T(no_target_left),
		T(edge_failed),
		T(call_fails_when_a_target_dies_after_the_invite),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
