/* test_sip_reoffer.c - new offers and refreshes in a talking dialog, both ways, with glare. */
#include "tests/unit/sip/sip_peer.h"

#define CONTACT "Contact: <sip:bob@192.0.2.7:5061;transport=tls>\n"

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

/* Ours: re-INVITE, answered; and a later one, refused: the call goes on. */
static void ours(void **state)
{
	struct dialog d;
	struct message m, r;
	struct leg *leg = peer_call_out_talking(&d);

	(void)state;
	assert_int_equal(offer(leg, peer_sdp_c), 0);
	assert_int_equal(offer(leg, peer_sdp_c), EBUSY);
	peer_expect(&m, "INVITE sip:bob@192.0.2.7:5061;transport=tls ");
	assert_string_equal(message_body(&m), peer_sdp_c);
	assert_true(*HEADER(&m, "Contact") && *HEADER(&m, "Session-Expires"));
	message_answer(&m, 100, "Trying", NULL, "", NULL);
	message_answer(&m, 200, "OK", NULL,
		       "Contact: <sip:bob2@192.0.2.7:5061;transport=tls>\n", peer_sdp_b);
	peer_expect(&r, "ACK sip:bob");
	assert_string_equal(peer_call_of(leg)->trace, "answer answer ");
	assert_string_equal(peer_call_of(leg)->body, peer_sdp_b);

	assert_int_equal(offer(leg, peer_sdp_a), 0);
	peer_expect(&m, "INVITE sip:bob2@"); /* the target has moved */
	message_answer(&m, 488, "No", NULL, "", NULL);
	peer_expect(&r, "ACK ");
	assert_string_equal(peer_call_of(leg)->trace, "answer answer refused(media) ");
	assert_int_equal(offer(leg, peer_sdp_a), 0);
	peer_expect(&m, "INVITE ");
	message_answer(&m, 491, "Pending", NULL, "", NULL);
	peer_expect(&r, "ACK ");
	assert_string_equal(peer_call_of(leg)->trace,
			    "answer answer refused(media) refused(glare) ");
	peer_end(leg, CAUSE_HANGUP);
	peer_expect(&m, "BYE ");
}

/* Theirs by re-INVITE and by UPDATE: to the call, its answer goes back; a refusal, too. */
static void theirs(void **state)
{
	struct dialog d;
	struct message m;
	struct leg *leg = peer_call_in_talking(&d);
	struct cause c;

	(void)state;
	dialog_send(&d, "INVITE", 2, "re", PEER_DOMAIN, "", peer_sdp_c);
	peer_expect(&m, "SIP/2.0 100 ");
	assert_string_equal(peer_call_of(leg)->trace, "offer ");
	assert_string_equal(peer_call_of(leg)->body, peer_sdp_c);
	assert_int_equal(offer(leg, peer_sdp_a),
			 EBUSY); /* glare: the call refuses the other side */
	assert_int_equal(answer(leg, peer_sdp_b), 0);
	peer_expect(&m, "SIP/2.0 200 ");
	assert_string_equal(message_body(&m), peer_sdp_b);
	assert_true(*HEADER(&m, "Contact") && *HEADER(&m, "Session-Expires"));
	dialog_send(&d, "ACK", 2, "reack", PEER_DOMAIN, "", NULL);
	assert_true(peer_quiet());

	dialog_send(&d, "UPDATE", 3, "up", PEER_DOMAIN, "", peer_sdp_a);
	peer_expect(&m, "SIP/2.0 100 ");
	leg->ops->offer_refuse(leg, cause_set(&c, CAUSE_MEDIA, NULL));
	peer_expect(&m, "SIP/2.0 488 ");
	dialog_send(&d, "UPDATE", 4, "up2", PEER_DOMAIN, "", peer_sdp_a);
	peer_expect(&m, "SIP/2.0 100 ");
	assert_int_equal(answer(leg, peer_sdp_b), 0);
	peer_expect(&m, "SIP/2.0 200 ");
	assert_string_equal(HEADER(&m, "CSeq"), "4 UPDATE");
	assert_string_equal(peer_call_of(leg)->trace, "offer offer offer ");
	assert_int_equal(answer(leg, peer_sdp_b), EINVAL);
	assert_int_equal(offer(leg, peer_sdp_c), 0); /* and now ours */
	peer_expect(&m, "INVITE ");
}

/* Glare and overlap on the wire. */
static void glare(void **state)
{
	struct dialog d;
	struct message mine, m;
	struct leg *leg = peer_call_in_talking(&d);

	(void)state;
	assert_int_equal(offer(leg, peer_sdp_c), 0);
	peer_expect(&mine, "INVITE ");
	dialog_send(&d, "INVITE", 2, "g1", PEER_DOMAIN, "", peer_sdp_c);
	peer_expect(&m, "SIP/2.0 491 ");
	dialog_send(&d, "ACK", 2, "g1", PEER_DOMAIN, "", NULL);
	dialog_send(&d, "UPDATE", 3, "g2", PEER_DOMAIN, "", peer_sdp_c);
	peer_expect(&m, "SIP/2.0 491 ");
	dialog_send(&d, "UPDATE", 4, "g3", PEER_DOMAIN, "",
		    NULL); /* no offer in it: no glare */
	peer_expect(&m, "SIP/2.0 200 ");
	message_answer(&mine, 200, "OK", NULL, CONTACT, peer_sdp_b);
	peer_expect(&m, "ACK ");

	dialog_send(&d, "INVITE", 5, "o1", PEER_DOMAIN, "", peer_sdp_c);
	peer_expect(&m, "SIP/2.0 100 ");
	dialog_send(&d, "INVITE", 6, "o2", PEER_DOMAIN, "", peer_sdp_a);
	peer_expect(&m, "SIP/2.0 500 ");
	assert_true(*HEADER(&m, "Retry-After"));
	dialog_send(&d, "ACK", 6, "o2", PEER_DOMAIN, "", NULL);
	dialog_send(&d, "UPDATE", 7, "o3", PEER_DOMAIN, "", peer_sdp_a);
	peer_expect(&m, "SIP/2.0 500 ");
	assert_int_equal(answer(leg, peer_sdp_b), 0);
	peer_expect(&m, "SIP/2.0 200 ");
	assert_string_equal(HEADER(&m, "CSeq"), "5 INVITE");
	assert_string_equal(peer_call_of(leg)->trace, "answer offer ");
}

/* An offer made before the first ACK waits for it. */
static void waits_for_ack(void **state)
{
	struct dialog d;
	struct message m;
	struct leg *leg = peer_call_in(&d);

	(void)state;
	assert_int_equal(answer(leg, peer_sdp_a), 0);
	peer_expect(&m, "SIP/2.0 200 ");
	dialog_learn(&d, &m);
	assert_int_equal(offer(leg, peer_sdp_c), 0);
	assert_true(peer_quiet());
	dialog_send(&d, "ACK", 1, "ack", PEER_DOMAIN, "", NULL);
	peer_expect(&m, "INVITE ");
	assert_string_equal(message_body(&m), peer_sdp_c);
}

/* An offer that is never answered: withdrawn, the call is told, the talk goes on. */
static void unanswered(void **state)
{
	struct dialog d;
	struct message m, r;
	struct leg *leg = peer_call_out_talking(&d);

	(void)state;
	assert_int_equal(offer(leg, peer_sdp_c), 0);
	peer_expect(&m, "INVITE ");
	message_answer(&m, 100, "Trying", NULL, "", NULL);
	peer_advance_ms(peer->config.limits.offer_s * 1000 + 100);
	assert_string_equal(peer_call_of(leg)->trace, "answer refused(timeout) ");
	peer_expect(&r, "CANCEL ");
	message_answer(&r, 200, "OK", NULL, "", NULL);
	message_answer(&m, 487, "Terminated", NULL, "", NULL);
	peer_expect(&r, "ACK ");
	assert_true(peer_quiet());
	assert_int_equal(offer(leg, peer_sdp_c), 0);
	peer_expect(&m, "INVITE ");
}

/* … and answered after all: the peer is brought back to what both agreed on before. */
static void answered_too_late(void **state)
{
	struct dialog d;
	struct message m, r;
	struct leg *leg = peer_call_out_talking(&d);

	(void)state;
	assert_int_equal(offer(leg, peer_sdp_c), 0);
	peer_expect(&m, "INVITE ");
	message_answer(&m, 100, "Trying", NULL, "", NULL);
	peer_advance_ms(peer->config.limits.offer_s * 1000 + 100);
	peer_expect(&r, "CANCEL ");
	message_answer(&m, 200, "OK", NULL, CONTACT, peer_sdp_b);
	peer_expect(&r, "ACK ");
	peer_expect(&m, "INVITE ");
	assert_string_equal(message_body(&m), peer_sdp_a);
	message_answer(&m, 200, "OK", NULL, CONTACT, peer_sdp_b);
	peer_expect(&r, "ACK ");
	assert_string_equal(peer_call_of(leg)->trace, "answer refused(timeout) ");
}

/* The peer takes its offer back by CANCEL: the call hears so; an answer after that belongs to nothing. */
static void withdrawn(void **state)
{
	struct dialog d;
	struct message m;
	struct leg *leg = peer_call_in_talking(&d);

	(void)state;
	dialog_send(&d, "INVITE", 2, "w", PEER_DOMAIN, "", peer_sdp_c);
	peer_expect(&m, "SIP/2.0 100 ");
	dialog_send(&d, "CANCEL", 2, "w", PEER_DOMAIN, "", NULL);
	peer_expect(&m, "SIP/2.0 200 ");
	peer_expect(&m, "SIP/2.0 487 ");
	assert_string_equal(peer_call_of(leg)->trace, "offer withdrawn(cancelled) ");
	assert_int_equal(answer(leg, peer_sdp_b), EINVAL);
	assert_true(peer_quiet());
	dialog_send(&d, "ACK", 2, "w", PEER_DOMAIN, "", NULL);
	dialog_send(&d, "INVITE", 3, "w2", PEER_DOMAIN, "", peer_sdp_c);
	peer_expect(&m, "SIP/2.0 100 ");
}

/* The peer refreshes with what we know already: answered here with the current SDP, no word to the call. */
static void peer_refresh(void **state)
{
	struct dialog d;
	struct message m;
	struct leg *leg = peer_call_in_talking(&d);

	(void)state;
	dialog_send(&d, "INVITE", 2, "r1", PEER_DOMAIN,
		    "Supported: timer\nSession-Expires: 600;refresher=uac\n", peer_sdp_b);
	peer_expect(&m, "SIP/2.0 200 ");
	assert_string_equal(message_body(&m), peer_sdp_a);
	assert_string_equal(HEADER(&m, "Session-Expires"), "600;refresher=uac");
	assert_string_equal(HEADER(&m, "Require"), "timer");
	dialog_send(&d, "ACK", 2, "r1a", PEER_DOMAIN, "", NULL);
	dialog_send(&d, "UPDATE", 3, "r2", PEER_DOMAIN,
		    "Supported: timer\nSession-Expires: 600;refresher=uac\n", NULL);
	peer_expect(&m, "SIP/2.0 200 ");
	assert_string_equal(HEADER(&m, "Session-Expires"), "600;refresher=uac");
	assert_string_equal(peer_call_of(leg)->trace, "");
	peer_advance_ms((600 - 32) * 1000 - 1000);
	assert_true(peer_quiet());
	peer_advance_ms(2000); /* it refreshes no more: over */
	peer_expect(&m, "BYE ");
	assert_string_equal(peer_call_last()->trace, "ended(lost) ");
}

/* We refresh: by UPDATE without SDP where the peer takes it. */
static void our_refresh_update(void **state)
{
	struct dialog d;
	struct message m;
	struct leg *leg = peer_call_out_talking(&d);

	(void)state;
	peer_advance_ms(899000);
	assert_true(peer_quiet());
	peer_advance_ms(2000);
	peer_expect(&m, "UPDATE sip:bob@192.0.2.7:5061;transport=tls ");
	assert_string_equal(HEADER(&m, "Content-Length"), "0");
	assert_string_equal(HEADER(&m, "Session-Expires"), "1800;refresher=uac");
	message_answer(&m, 200, "OK", NULL,
		       CONTACT "Session-Expires: 200;refresher=uac\n", NULL);
	peer_advance_ms(101000);
	peer_expect(&m, "UPDATE ");
	message_answer(&m, 481, "Gone", NULL, "", NULL);
	peer_expect(&m, "BYE ");
	assert_string_equal(peer_call_last()->trace, "answer ended(lost) ");
	(void)leg;
}

/* … else by re-INVITE with the current SDP, not the first one. */
static void our_refresh_invite(void **state)
{
	struct dialog d;
	struct message m, r;
	struct leg *leg = peer_call_out();

	(void)state;
	peer_expect(&m, "INVITE ");
	message_answer(&m, 200, "OK", "b",
		       CONTACT "Allow: INVITE, ACK, BYE\n"
			       "Require: timer\nSession-Expires: 120;refresher=uac\n",
		       peer_sdp_b);
	peer_expect(&r, "ACK ");
	dialog_of_invite(&d, &m, "b");
	assert_int_equal(offer(leg, peer_sdp_c), 0);
	peer_expect(&m, "INVITE ");
	message_answer(&m, 200, "OK", NULL,
		       CONTACT "Session-Expires: 120;refresher=uac\n", peer_sdp_b);
	peer_expect(&r, "ACK ");
	peer_advance_ms(61000);
	peer_expect(&m, "INVITE ");
	assert_string_equal(message_body(&m), peer_sdp_c);
	message_answer(&m, 491, "Pending", NULL, "", NULL);
	peer_expect(&r, "ACK ");
	peer_advance_ms(4100);
	peer_expect(&m, "INVITE ");
	message_answer(&m, 200, "OK", NULL, CONTACT, peer_sdp_b);
	peer_expect(&r, "ACK ");
	assert_true(peer_quiet());
	assert_string_equal(peer_call_of(leg)->trace, "answer answer ");
}

/* A peer that has not said what it allows is tried with UPDATE, and asked no more after a 405. A description
 * that differs by a byte is none of ours to answer, whatever its o= line says. */
static void no_allow(void **state)
{
	struct dialog d;
	struct message m, r;
	struct leg *leg = peer_call_out();
	char changed[sizeof(m.text)];

	(void)state;
	peer_expect(&m, "INVITE ");
	message_answer(&m, 200, "OK", "b", CONTACT "Session-Expires: 90;refresher=uac\n",
		       peer_sdp_b);
	peer_expect(&r, "ACK ");
	dialog_of_invite(&d, &m, "b");
	peer_advance_ms(45100);
	peer_expect(&m, "UPDATE ");
	message_answer(&m, 405, "What", NULL, "", NULL);
	peer_expect(&m, "INVITE ");
	assert_string_equal(message_body(&m), peer_sdp_a);
	message_answer(&m, 200, "OK", NULL, CONTACT "Session-Expires: 90;refresher=uac\n",
		       peer_sdp_b);
	peer_expect(&r, "ACK ");
	peer_advance_ms(45100);
	peer_expect(&m, "INVITE ");
	message_answer(&m, 200, "OK", NULL, CONTACT, peer_sdp_b);
	peer_expect(&r, "ACK ");
	snprintf(changed, sizeof(changed), "%sa=x-more\r\n", peer_sdp_b);
	dialog_send(&d, "INVITE", 200, "chg", PEER_DOMAIN, "", changed);
	peer_expect(&m, "SIP/2.0 100 ");
	assert_string_equal(peer_call_of(leg)->trace, "answer offer ");
	assert_string_equal(peer_call_of(leg)->body, changed);
}

/* Refreshes that get no answer: after some tries the call is told. */
static void refresh_lost(void **state)
{
	struct dialog d;
	struct message m;

	(void)state;
	peer_call_out_talking(&d);
	peer_advance_ms(901000);
	for (unsigned i = 0; i < 3; i++) {
		peer_expect(&m, "UPDATE ");
		message_answer(&m, 500, "Oops", NULL, "", NULL);
		peer_advance_ms(5100);
	}
	peer_expect(&m, "BYE ");
	assert_string_equal(peer_call_last()->trace, "answer ended(lost) ");
}

/* Bad offers never reach the call. */
static void bad_offers(void **state)
{
	static const struct {
		const char *extra, *body, *line;
	} rows[] = {
		{"Content-Type: text/plain\n", "hello", "SIP/2.0 415 "},
		{"Content-Type: multipart/mixed;boundary=x\n", "--x\r\n\r\n--x--",
		 "SIP/2.0 415 "},
		{"Content-Encoding: gzip\n", "v=0\r\n", "SIP/2.0 415 "},
		{"", "v=1\r\nnonsense", "SIP/2.0 488 "},
		{"Accept: text/plain\n", "v=0\r\n", "SIP/2.0 406 "},
		{"Supported: timer\nSession-Expires: 30\n", "", "SIP/2.0 422 "},
	};
	struct dialog d;
	struct message m;
	char branch[16];

	(void)state;
	peer_call_in_talking(&d);
	for (unsigned i = 0; i < N_ELEMS(rows); i++) {
		snprintf(branch, sizeof(branch), "b%u", i);
		dialog_send(&d, "INVITE", 2 + i, branch, PEER_DOMAIN, rows[i].extra,
			    *rows[i].body ? rows[i].body : peer_sdp_c);
		peer_expect(&m, rows[i].line);
		if (i == 0)
			assert_string_equal(HEADER(&m, "Accept"), "application/sdp");
		if (i == 5)
			assert_string_equal(HEADER(&m, "Min-SE"), "90");
		dialog_send(&d, "ACK", 2 + i, branch, PEER_DOMAIN, "", NULL);
	}
	assert_string_equal(peer_call_last()->trace, "");
}

/* A change that is under way when the call ends takes nothing along. */
static void ends_meanwhile(void **state)
{
	struct dialog d, d2;
	struct message m, bye;
	struct leg *leg = peer_call_in_talking(&d);

	(void)state;
	dialog_send(&d, "INVITE", 2, "x", PEER_DOMAIN, "", peer_sdp_c);
	peer_expect(&m, "SIP/2.0 100 ");
	peer_end(leg, CAUSE_HANGUP);
	peer_expect(&m, "SIP/2.0 487 ");
	peer_expect(&bye, "BYE ");
	message_answer(&bye, 200, "OK", NULL, "", NULL);

	leg = peer_call_out_talking(&d2);
	assert_int_equal(offer(leg, peer_sdp_c), 0);
	peer_expect(&m, "INVITE ");
	dialog_send(&d2, "BYE", 200, "y", PEER_DOMAIN, "", NULL);
	peer_expect(&bye, "SIP/2.0 200 ");
	message_answer(&m, 200, "OK", NULL, CONTACT, peer_sdp_b);
	assert_true(peer_quiet());
	assert_string_equal(peer_call_last()->trace, "answer ended(hangup) ");
	assert_int_equal(list_count(&peer->sip->legs), 0);
}

/* Our refresh is unanswered, the peer refreshes meanwhile, and then the call has an offer: it waits. */
static void offer_over_refresh(void **state)
{
	struct dialog d;
	struct message update, m;
	struct leg *leg = peer_call_out_talking(&d);

	(void)state;
	peer_advance_ms(901000);
	peer_expect(&update, "UPDATE ");
	dialog_send(&d, "INVITE", 200, "pr", PEER_DOMAIN, "", peer_sdp_b);
	peer_expect(&m, "SIP/2.0 200 ");
	dialog_send(&d, "ACK", 200, "pra", PEER_DOMAIN, "", NULL);
	peer_settle();
	assert_int_equal(offer(leg, peer_sdp_c), 0);
	assert_true(peer_quiet());
	message_answer(&update, 200, "OK", NULL, CONTACT, NULL);
	peer_expect(&m, "INVITE ");
	assert_string_equal(message_body(&m), peer_sdp_c);
	message_answer(&m, 200, "OK", NULL, CONTACT, peer_sdp_b);
	peer_expect(&m, "ACK ");
	assert_string_equal(peer_call_of(leg)->trace, "answer answer ");
}

/* A second offer while the first one, given up, has no final answer yet: it goes out after that. */
static void offer_behind_withdrawn(void **state)
{
	struct dialog d;
	struct message first, m;
	struct leg *leg = peer_call_out_talking(&d);

	(void)state;
	assert_int_equal(offer(leg, peer_sdp_c), 0);
	peer_expect(&first, "INVITE ");
	message_answer(&first, 100, "Trying", NULL, "", NULL);
	peer_advance_ms(peer->config.limits.offer_s * 1000 + 100);
	peer_expect(&m, "CANCEL ");
	assert_int_equal(offer(leg, peer_sdp_a), 0);
	assert_true(peer_quiet());
	message_answer(&first, 487, "Terminated", NULL, "", NULL);
	peer_expect(&m, "ACK ");
	peer_expect(&m, "INVITE ");
	assert_string_equal(message_body(&m), peer_sdp_a);
	assert_string_equal(peer_call_of(leg)->trace, "answer refused(timeout) ");
	peer_advance_ms(peer->config.limits.offer_s * 1000 + 100);
	assert_string_equal(peer_call_of(leg)->trace,
			    "answer refused(timeout) refused(timeout) ");
}

/* The call takes its offer back: CANCEL; what the peer accepts all the same is undone by an offer of what holds. */
static void the_call_withdraws(void **state)
{
	struct dialog d;
	struct message first, m;
	struct leg *leg = peer_call_out_talking(&d);

	(void)state;
	leg->ops->offer_withdraw(leg); /* there is none */
	assert_true(peer_quiet());
	assert_int_equal(offer(leg, peer_sdp_c), 0);
	peer_expect(&first, "INVITE ");
	message_answer(&first, 100, "Trying", NULL, "", NULL);
	peer_settle();
	leg->ops->offer_withdraw(leg);
	peer_expect(&m, "CANCEL ");
	message_answer(&m, 200, "OK", NULL, "", NULL);
	message_answer(&first, 200, "OK", NULL, CONTACT, peer_sdp_b); /* they crossed */
	peer_expect(&m, "ACK ");
	peer_expect(&m, "INVITE ");
	assert_string_equal(message_body(&m), peer_sdp_a);
	message_answer(&m, 200, "OK", NULL, CONTACT, peer_sdp_b);
	peer_expect(&m, "ACK ");
	/* One that has not left yet just goes. */
	assert_int_equal(offer(leg, peer_sdp_c), 0);
	peer_expect(&first, "INVITE ");
	message_answer(&first, 100, "Trying", NULL, "", NULL);
	peer_settle();
	leg->ops->offer_withdraw(leg);
	peer_expect(&m, "CANCEL ");
	assert_int_equal(offer(leg, peer_sdp_c), 0);
	leg->ops->offer_withdraw(leg);
	message_answer(&first, 487, "Terminated", NULL, "", NULL);
	peer_expect(&m, "ACK ");
	assert_true(peer_quiet());
	assert_string_equal(peer_call_of(leg)->trace, "answer ");
	assert_int_equal(offer(leg, peer_sdp_c), 0);
	peer_expect(&m, "INVITE ");
}

/* A cancelled re-INVITE without any final answer is given up in the end; offers work again. */
static void withdrawn_for_ever(void **state)
{
	struct dialog d;
	struct message m;
	struct leg *leg = peer_call_out_talking(&d);

	(void)state;
	assert_int_equal(offer(leg, peer_sdp_c), 0);
	peer_expect(&m, "INVITE ");
	message_answer(&m, 100, "Trying", NULL, "", NULL);
	peer_advance_ms(peer->config.limits.offer_s * 1000 + 100);
	peer_expect(&m, "CANCEL ");
	peer_advance_ms(34000);
	assert_int_equal(offer(leg, peer_sdp_a), 0);
	peer_expect(&m, "INVITE ");
	assert_string_equal(message_body(&m), peer_sdp_a);
}

/* A refreshing re-INVITE gets a 100 and nothing more: the peer is gone. */
static void refresh_without_end(void **state)
{
	struct leg *leg = peer_call_out();
	struct message m, r;

	(void)state;
	peer_expect(&m, "INVITE ");
	message_answer(&m, 200, "OK", "b", CONTACT "Allow: INVITE, ACK, BYE\n",
		       peer_sdp_b);
	peer_expect(&r, "ACK ");
	peer_advance_ms(901000);
	peer_expect(&m, "INVITE ");
	message_answer(&m, 100, "Trying", NULL, "", NULL);
	peer_advance_ms(34000);
	peer_expect(&m, "BYE ");
	assert_string_equal(peer_call_last()->trace, "answer ended(lost) ");
	(void)leg;
}

#define T(f) cmocka_unit_test_setup_teardown(f, peer_setup, peer_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(ours),
		T(theirs),
		T(glare),
		T(waits_for_ack),
		T(unanswered),
		T(answered_too_late),
		T(withdrawn),
		T(peer_refresh),
		T(our_refresh_update),
		T(our_refresh_invite),
		T(refresh_lost),
		T(no_allow),
		T(offer_over_refresh),
		T(offer_behind_withdrawn),
		T(the_call_withdraws),
		T(withdrawn_for_ever),
		T(refresh_without_end),
		T(bad_offers),
		T(ends_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
