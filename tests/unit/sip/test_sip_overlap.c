/* test_sip_overlap.c - offers that meet a refresh of ours, a withdrawn offer, or a re-INVITE without an end.
 *
 *     call ──► offer ──► leg ══ UPDATE or re-INVITE still open ══► peer        (RFC 3261 §14, RFC 3311 §5) */
#include "tests/unit/sip/sip_peer.h"

#define CONTACT "Contact: <sip:bob@192.0.2.7:5061;transport=tls>\n"

enum {
	REFRESH_MS = 901000, /* a little more than half of 1800 s */
	T1X64_MS = 33100,    /* 64*T1, and the leg's second on top */
};

static int offer(struct leg *leg, const char *sdp)
{
	struct body *b = peer_body(sdp);
	int err = leg->ops->offer(leg, b);

	mem_deref(b);
	return err;
}

static int answer(struct leg *leg, const char *sdp)
{
	struct body *b = peer_body(sdp);
	int err = leg->ops->answer(leg, b);

	mem_deref(b);
	return err;
}

static const char *trace_of(const struct leg *leg)
{
	return peer_call_of(leg)->trace;
}

static void offer_timeout(void)
{
	peer_advance_ms(peer->config.limits.offer_s * 1000 + 100);
}

/* A talk whose refreshing UPDATE is with the peer and has no answer yet. */
static struct leg *refreshing(struct dialog *d, struct message *update)
{
	struct leg *leg = peer_call_out_talking(d);

	peer_advance_ms(REFRESH_MS);
	peer_expect(update, "UPDATE ");
	return leg;
}

/* A talk whose offer (peer_sdp_c) got a 100 and no more, and was withdrawn. */
static struct leg *withdrawing(struct dialog *d, struct message *invite)
{
	struct leg *leg = peer_call_out_talking(d);
	struct message cancel;

	assert_int_equal(offer(leg, peer_sdp_c), 0);
	peer_expect(invite, "INVITE ");
	message_answer(invite, 100, "Trying", NULL, "", NULL);
	offer_timeout();
	peer_expect(&cancel, "CANCEL ");
	message_answer(&cancel, 200, "OK", NULL, "", NULL);
	assert_string_equal(trace_of(leg), "answer refused(timeout) ");
	return leg;
}

static void expect_offer(struct message *invite, const char *sdp)
{
	peer_expect(invite, "INVITE ");
	assert_string_equal(message_body(invite), sdp);
}

static void hang_up(struct leg *leg)
{
	struct message bye;

	peer_end(leg, CAUSE_HANGUP);
	peer_expect(&bye, "BYE ");
	message_answer(&bye, 200, "OK", NULL, "", NULL);
	peer_settle();
	assert_int_equal(list_count(&peer->sip->legs), 0);
}

/* The peer's change overtakes our refresh; the call's offer waits for the refresh's answer. */
static void offer_overwrites_refresh_behind_update(void **state)
{
	struct dialog d;
	struct message refresh, m, ack;
	struct leg *leg = refreshing(&d, &refresh);

	(void)state;
	dialog_send(&d, "UPDATE", 101, "up", PEER_DOMAIN, "", peer_sdp_c);
	peer_expect(&m, "SIP/2.0 100 ");
	assert_int_equal(answer(leg, peer_sdp_a), 0);
	peer_expect(&m, "SIP/2.0 200 ");
	assert_int_equal(offer(leg, peer_sdp_b), 0);
	assert_true(peer_quiet());
	message_answer(&refresh, 200, "OK", NULL, CONTACT, NULL);
	expect_offer(&m, peer_sdp_b);
	message_answer(&m, 200, "OK", NULL, CONTACT, peer_sdp_c);
	peer_expect(&ack, "ACK ");
	assert_string_equal(trace_of(leg), "answer offer answer ");
	hang_up(leg);
}

/* The same with a re-INVITE of the peer's. */
static void offer_overwrites_refresh_behind_reinvite(void **state)
{
	struct dialog d;
	struct message refresh, m, ack;
	struct leg *leg = refreshing(&d, &refresh);

	(void)state;
	dialog_send(&d, "INVITE", 101, "re", PEER_DOMAIN, "", peer_sdp_c);
	peer_expect(&m, "SIP/2.0 100 ");
	assert_int_equal(answer(leg, peer_sdp_a), 0);
	peer_expect(&m, "SIP/2.0 200 ");
	dialog_send(&d, "ACK", 101, "reack", PEER_DOMAIN, "", NULL);
	peer_settle();
	assert_int_equal(offer(leg, peer_sdp_b), 0);
	assert_true(peer_quiet());
	message_answer(&refresh, 200, "OK", NULL, CONTACT, NULL);
	expect_offer(&m, peer_sdp_b);
	message_answer(&m, 200, "OK", NULL, CONTACT, peer_sdp_c);
	peer_expect(&ack, "ACK ");
	assert_string_equal(trace_of(leg), "answer offer answer ");
	hang_up(leg);
}

/* Late answers of everything that was open when the leg ended find nothing of it. */
static void refresh_answered_after_leg_is_freed(void **state)
{
	struct dialog d;
	struct message refresh, m;
	struct leg *leg = refreshing(&d, &refresh);
	bool reoffered;

	(void)state;
	dialog_send(&d, "UPDATE", 101, "up", PEER_DOMAIN, "", peer_sdp_c);
	peer_expect(&m, "SIP/2.0 100 ");
	assert_int_equal(answer(leg, peer_sdp_a), 0);
	peer_expect(&m, "SIP/2.0 200 ");
	assert_int_equal(offer(leg, peer_sdp_b), 0);
	peer_settle();
	reoffered = peer_next(&m);
	hang_up(leg);
	message_answer(&refresh, 200, "OK", NULL, CONTACT, NULL);
	assert_true(peer_quiet());
	assert_false(reoffered);
}

/* The refresh is answered while the peer's offer is with the browser, which takes its time. */
static void call_lost_though_refresh_was_answered(void **state)
{
	struct dialog d;
	struct message refresh, m;
	struct leg *leg = refreshing(&d, &refresh);

	(void)state;
	peer_advance_ms(10000);
	dialog_send(&d, "INVITE", 101, "re", PEER_DOMAIN, "", peer_sdp_c);
	peer_expect(&m, "SIP/2.0 100 ");
	message_answer(&refresh, 200, "OK", NULL, CONTACT, NULL);
	peer_advance_ms(T1X64_MS - 8000);
	assert_string_equal(trace_of(leg), "answer offer ");
	assert_int_equal(answer(leg, peer_sdp_a), 0);
	peer_expect(&m, "SIP/2.0 200 ");
	dialog_send(&d, "ACK", 101, "reack", PEER_DOMAIN, "", NULL);
	assert_true(peer_quiet());
	hang_up(leg);
}

/* The peer takes its re-INVITE back, our refresh stays unanswered: that is a lost peer all the same. */
static void refresh_unanswered_and_peers_offer_cancelled(void **state)
{
	struct dialog d;
	struct message refresh, m;

	(void)state;
	refreshing(&d, &refresh);
	dialog_send(&d, "INVITE", 101, "w", PEER_DOMAIN, "", peer_sdp_c);
	peer_expect(&m, "SIP/2.0 100 ");
	dialog_send(&d, "CANCEL", 101, "w", PEER_DOMAIN, "", NULL);
	peer_expect(&m, "SIP/2.0 200 ");
	peer_expect(&m, "SIP/2.0 487 ");
	dialog_send(&d, "ACK", 101, "w", PEER_DOMAIN, "", NULL);
	peer_advance_ms(T1X64_MS);
	peer_expect(&m, "BYE ");
	assert_string_equal(peer_call_last()->trace,
			    "answer offer withdrawn(cancelled) ended(lost) ");
}

/* The next offer is made before the withdrawn one has ended by its 487. */
static void offer_behind_withdrawn_one_vanishes(void **state)
{
	struct dialog d;
	struct message first, m, ack;
	struct leg *leg = withdrawing(&d, &first);

	(void)state;
	assert_int_equal(offer(leg, peer_sdp_b), 0);
	assert_true(peer_quiet());
	message_answer(&first, 487, "Terminated", NULL, "", NULL);
	peer_expect(&ack, "ACK ");
	expect_offer(&m, peer_sdp_b);
	message_answer(&m, 200, "OK", NULL, CONTACT, peer_sdp_c);
	peer_expect(&ack, "ACK ");
	assert_string_equal(trace_of(leg), "answer refused(timeout) answer ");
	assert_string_equal(peer_call_of(leg)->body, peer_sdp_c);
	hang_up(leg);
}

/* … or was accepted after all: the next offer goes out instead of the old state, and its own refusal is
 * told. */
static void refusal_behind_withdrawn_offer_is_not_told(void **state)
{
	struct dialog d;
	struct message first, m, ack;
	struct leg *leg = withdrawing(&d, &first);

	(void)state;
	assert_int_equal(offer(leg, peer_sdp_b), 0);
	assert_true(peer_quiet());
	message_answer(&first, 200, "OK", NULL, CONTACT, peer_sdp_b);
	peer_expect(&ack, "ACK ");
	expect_offer(&m, peer_sdp_b);
	message_answer(&m, 488, "No", NULL, "", NULL);
	peer_expect(&ack, "ACK ");
	assert_true(peer_quiet());
	assert_string_equal(trace_of(leg), "answer refused(timeout) refused(media) ");
	assert_int_equal(offer(leg, peer_sdp_c), 0);
	expect_offer(&m, peer_sdp_c);
}

/* An offer whose turn does not come: the call hears of it, and may offer again when the way is free. */
static void waiting_offer_is_never_refused(void **state)
{
	struct dialog d;
	struct message first, m;
	struct leg *leg = withdrawing(&d, &first);

	(void)state;
	assert_int_equal(offer(leg, peer_sdp_b), 0);
	offer_timeout();
	assert_string_equal(trace_of(leg), "answer refused(timeout) refused(timeout) ");
	assert_true(peer_quiet());
	assert_int_equal(offer(leg, peer_sdp_b), 0);
	assert_true(peer_quiet());
	peer_advance_ms(T1X64_MS - peer->config.limits.offer_s * 1000);
	expect_offer(&m, peer_sdp_b); /* the withdrawn one is given up */
}

static void offer_behind_refresh_is_never_refused(void **state)
{
	struct dialog d;
	struct message refresh, m;
	struct leg *leg = refreshing(&d, &refresh);

	(void)state;
	assert_int_equal(offer(leg, peer_sdp_c), 0);
	offer_timeout();
	assert_string_equal(trace_of(leg), "answer refused(timeout) ");
	message_answer(&refresh, 200, "OK", NULL, CONTACT, NULL);
	assert_true(peer_quiet());
	assert_int_equal(offer(leg, peer_sdp_c), 0);
	expect_offer(&m, peer_sdp_c);
}

/* A cancelled re-INVITE with a 100 and no more blocks the dialog for 64*T1, not for ever; what it still gets
 * does no harm. */
static void cancelled_reinvite_blocks_for_ever(void **state)
{
	struct dialog d;
	struct message first, m, ack;
	struct leg *leg = withdrawing(&d, &first);

	(void)state;
	peer_advance_ms(T1X64_MS);
	assert_true(peer_quiet());
	assert_int_equal(offer(leg, peer_sdp_b), 0);
	expect_offer(&m, peer_sdp_b);
	message_answer(&m, 200, "OK", NULL, CONTACT, peer_sdp_c);
	peer_expect(&ack, "ACK ");
	assert_string_equal(trace_of(leg), "answer refused(timeout) answer ");
	hang_up(leg);
	message_answer(&first, 487, "Terminated", NULL, "", NULL);
	peer_settle();
}

/* A 100 and no more to the re-INVITE that takes a withdrawn offer's late acceptance back. */
static void taking_back_without_an_end(void **state)
{
	struct dialog d;
	struct message first, m, ack;

	(void)state;
	withdrawing(&d, &first);
	message_answer(&first, 200, "OK", NULL, CONTACT, peer_sdp_b);
	peer_expect(&ack, "ACK ");
	expect_offer(&m, peer_sdp_a);
	message_answer(&m, 100, "Trying", NULL, "", NULL);
	peer_advance_ms(T1X64_MS);
	assert_string_equal(peer_call_last()->trace,
			    "answer refused(timeout) ended(lost) ");
}

#define T(f) cmocka_unit_test_setup_teardown(f, peer_setup, peer_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(offer_overwrites_refresh_behind_update),
		T(offer_overwrites_refresh_behind_reinvite),
		T(refresh_answered_after_leg_is_freed),
		T(call_lost_though_refresh_was_answered),
		T(refresh_unanswered_and_peers_offer_cancelled),
		T(offer_behind_withdrawn_one_vanishes),
		T(refusal_behind_withdrawn_offer_is_not_told),
		T(waiting_offer_is_never_refused),
		T(offer_behind_refresh_is_never_refused),
		T(cancelled_reinvite_blocks_for_ever),
		T(taking_back_without_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
