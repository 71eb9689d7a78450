/* tests/unit/sip/test_sip_trickle.c - candidates as INFOs in dialogs, early ones too; sip_peer.h draws who talks
 * to whom.
 *
 *   call ──candidates──► leg ──INFO──► the peer, one at a time, each with all before it
 *        ◄─────────────      ◄─INFO──  once each; of a generation that is not described: kept or ignored */
#include "tests/unit/sip/trickle_peer.h"

/* Byte for byte, before anything was found, with Require; then INFOs in the early dialog. */
static void full(void **state)
{
	struct message invite, m;
	struct leg *leg;

	knows(true);
	leg = peer_call_out_with(offer_a, true);
	peer_expect(&invite, "INVITE ");
	assert_string_equal(message_body(&invite), offer_a);
	assert_string_equal(HEADER(&invite, "Require"), "trickle-ice");
	assert_true(message_has(
		&invite, "\r\nSupported: timer, 100rel, trickle-ice, replaces\r\n"));
	assert_string_equal(HEADER(&invite, "Recv-Info"), "trickle-ice");
	found(leg, "aaaa", CAND("1"), false);
	found(leg, "aaaa", CAND("2"), false);
	assert_true(peer_quiet()); /* there is no dialog to send them in */
	reliable(&invite, "bobs", 1);
	expect_info(&m, FRAG("aaaa", LINE("1") LINE("2")));
	/* one at a time, and each repeats what was before */
	found(leg, "aaaa", CAND("3"), false);
	peer_advance_ms(100);
	assert_true(peer_quiet());
	ok(&m);
	expect_info(&m, FRAG("aaaa", LINE("1") LINE("2") LINE("3")));
	ok(&m);
	/* gathered for a moment */
	found(leg, "aaaa", CAND("4"), false);
	peer_advance_ms(20);
	assert_true(peer_quiet());
	found(leg, "aaaa", CAND("5"), true);
	peer_advance_ms(10);
	expect_info(&m,
		    "a=end-of-candidates\r\n" FRAG("aaaa", LINE("1") LINE("2") LINE("3")
								   LINE("4") LINE("5")));
	ok(&m);
	found(leg, "aaaa", CAND("5"), true);  /* nothing new */
	found(leg, "zzzz", CAND("6"), false); /* not of this description */
	peer_advance_ms(100);
	assert_true(peer_quiet());
	accept_call(&invite, "bobs");
	peer_advance_ms(100);
	assert_true(peer_quiet());
	assert_string_equal(peer_call_of(leg)->trace, "ringing answer ");
	assert_true(peer_call_of(leg)->trickle);
}

/* The callee's may overtake her answer; they wait for it, and are told once each. */
static void theirs(void **state)
{
	struct message invite, m;
	struct dialog d;
	struct leg *leg;

	knows(true);
	leg = peer_call_out_with(offer_a, true);
	peer_expect(&invite, "INVITE ");
	reliable(&invite, "bobs", 1);
	dialog_of_invite(&d, &invite, "bobs");
	dialog_send(&d, "INFO", 1, "i1", PEER_DOMAIN, INFO_HEAD, FRAG("bbbb", LINE("1")));
	peer_expect(&m, "SIP/2.0 200 ");
	dialog_send(&d, "INFO", 2, "i2", PEER_DOMAIN, INFO_HEAD,
		    FRAG("bbbb", LINE("1") LINE("2")));
	peer_expect(&m, "SIP/2.0 200 ");
	assert_string_equal(peer_call_of(leg)->trace, "ringing ");
	accept_call(&invite, "bobs");
	assert_string_equal(peer_call_of(leg)->trace, "ringing answer candidates ");
	assert_string_equal(peer_call_of(leg)->candidates,
			    "bbbb 0 " CAND("1") "\nbbbb 0 " CAND("2") "\n");
	dialog_send(
		&d, "INFO", 3, "i3", PEER_DOMAIN, INFO_HEAD,
		"a=end-of-candidates\r\n" FRAG("bbbb", LINE("1") LINE("2") LINE("3")));
	peer_expect(&m, "SIP/2.0 200 ");
	assert_string_equal(peer_call_of(leg)->trace,
			    "ringing answer candidates candidates ");
	assert_non_null(strstr(peer_call_of(leg)->candidates,
			       CAND("2") "\nbbbb 0 " CAND("3") "\n"));
	assert_true(peer_call_of(leg)->end);
	/* an old one that comes late, and one of another generation */
	dialog_send(&d, "INFO", 4, "i4", PEER_DOMAIN, INFO_HEAD, FRAG("bbbb", LINE("1")));
	peer_expect(&m, "SIP/2.0 200 ");
	dialog_send(&d, "INFO", 5, "i5", PEER_DOMAIN, INFO_HEAD, FRAG("old0", LINE("9")));
	peer_expect(&m, "SIP/2.0 200 ");
	assert_string_equal(peer_call_of(leg)->trace,
			    "ringing answer candidates candidates ");
}

static void forks_have_a_state_each(void **state)
{
	struct message invite, a, b, m;
	struct dialog d;
	struct leg *leg;

	knows(true);
	leg = peer_call_out_with(offer_a, true);
	peer_expect(&invite, "INVITE ");
	found(leg, "aaaa", CAND("1"), false);
	reliable(&invite, "one", 1);
	expect_info(&a, FRAG("aaaa", LINE("1")));
	found(leg, "aaaa", CAND("2"), false);
	reliable(&invite, "two", 1);
	expect_info(&b, FRAG("aaaa", LINE("1") LINE("2")));
	assert_true(message_has(&a, ";tag=one") && message_has(&b, ";tag=two"));
	ok(&b);
	assert_true(peer_quiet()); /* it has all */
	ok(&a);
	expect_info(&a, FRAG("aaaa", LINE("1") LINE("2")));
	assert_true(message_has(&a, ";tag=one"));
	ok(&a);
	dialog_of_invite(&d, &invite, "one");
	dialog_send(&d, "INFO", 1, "i1", PEER_DOMAIN, INFO_HEAD, FRAG("cccc", LINE("7")));
	peer_expect(&m, "SIP/2.0 200 ");
	accept_call(&invite, "two");
	assert_string_equal(peer_call_of(leg)->trace, "ringing answer ");
	found(leg, "aaaa", CAND("3"), false); /* the winner alone */
	peer_advance_ms(50);
	expect_info(&b, FRAG("aaaa", LINE("1") LINE("2") LINE("3")));
	assert_true(message_has(&b, ";tag=two"));
	ok(&b);
	assert_true(peer_quiet());
}

/* No reliable 18x, no 18x at all: the 200 opens the dialog. */
static void without_early_dialog(void **state)
{
	struct message invite, m;
	struct leg *leg;

	knows(true);
	leg = peer_call_out_with(offer_a, true);
	peer_expect(&invite, "INVITE ");
	found(leg, "aaaa", CAND("1"), true);
	accept_call(&invite, "bobs");
	expect_info(&m, "a=end-of-candidates\r\n" FRAG("aaaa", LINE("1")));
	ok(&m);
}

static void refused_by_469(void **state)
{
	struct message invite, m;
	struct leg *leg;

	knows(true);
	leg = peer_call_out_with(offer_a, true);
	peer_expect(&invite, "INVITE ");
	found(leg, "aaaa", CAND("1"), false);
	reliable(&invite, "bobs", 1);
	expect_info(&m, FRAG("aaaa", LINE("1")));
	message_answer(&m, 469, "Bad Info Package", NULL, "", NULL);
	peer_settle();
	found(leg, "aaaa", CAND("2"), true);
	peer_advance_ms(3000);
	assert_true(peer_quiet());
	accept_call(&invite, "bobs"); /* the call goes on */
	assert_string_equal(peer_call_of(leg)->trace, "ringing answer ");
}

static void tried_again_after_503(void **state)
{
	struct message invite, m;
	struct leg *leg;

	knows(true);
	leg = peer_call_out_with(offer_a, true);
	peer_expect(&invite, "INVITE ");
	found(leg, "aaaa", CAND("1"), false);
	reliable(&invite, "bobs", 1);
	for (unsigned i = 0; i < 3; i++) {
		expect_info(&m, FRAG("aaaa", LINE("1")));
		message_answer(&m, 503, "Service Unavailable", NULL, "", NULL);
		peer_advance_ms(1100);
	}
	assert_true(peer_quiet());
}

static void incoming(void **state)
{
	static struct message second, info, final;
	struct body *answer = peer_body(answer_b);
	char rack[80];
	struct message m;
	struct dialog d;
	struct leg *leg;

	leg = call_in(&d, KNOWS "Require: trickle-ice\n", offer_a);
	assert_true(peer_call_last()->invite->offer->trickle);
	assert_int_equal(peers_trickle(peer->sip->peers, PEER_DOMAIN, peer->now_us),
			 TRICKLE_YES);
	leg->ops->ringing(leg);
	peer_expect(&m, "SIP/2.0 180 ");
	assert_string_equal(HEADER(&m, "Require"), "100rel");
	assert_true(message_has(&m, "trickle-ice"));
	assert_string_equal(HEADER(&m, "Recv-Info"), "trickle-ice");
	assert_string_equal(message_body(&m), "");
	dialog_learn(&d, &m);
	snprintf(rack, sizeof(rack), "RAck: %s 1 INVITE\n", HEADER(&m, "RSeq"));
	dialog_send(&d, "PRACK", 2, "p1", PEER_DOMAIN, rack, NULL);
	peer_expect(&m, "SIP/2.0 200 ");
	dialog_send(&d, "INFO", 3, "i1", PEER_DOMAIN, INFO_HEAD, FRAG("aaaa", LINE("1")));
	peer_expect(&m, "SIP/2.0 200 ");
	assert_string_equal(peer_call_last()->candidates, "aaaa 0 " CAND("1") "\n");
	answer->trickle = true;
	assert_int_equal(leg->ops->answer(leg, answer), 0);
	found(leg, "bbbb", CAND("1"), true);
	peer_advance_ms(50);
	/* before the ACK, and by another connection than the 200 */
	peer_settle();
	assert_true(peer_next(&m) && peer_next(&second));
	info = strncmp(m.text, "INFO ", 5) ? second : m;
	final = strncmp(m.text, "INFO ", 5) ? m : second;
	assert_string_equal(message_body(&final), answer_b);
	assert_string_equal(message_body(&info),
			    "a=end-of-candidates\r\n" FRAG("bbbb", LINE("1")));
	m = info;
	ok(&m);
	dialog_send(&d, "ACK", d.cseq, "in1ack", PEER_DOMAIN, "", NULL);
	peer_settle();
	assert_true(peer_quiet());
	mem_deref(answer);
}

static void refused_infos(void **state)
{
	static const struct {
		const char *extra, *body, *status, *header, *value;
	} rows[] = {
		{"Info-Package: dtmf\nContent-Type: application/dtmf-relay\n",
		 "Signal=1\r\n", "SIP/2.0 469 ", "Recv-Info", "trickle-ice"},
		{"Info-Package: trickle-icecream\nContent-Type: text/plain\n", "x",
		 "SIP/2.0 469 ", "Recv-Info", "trickle-ice"},
		{"Info-Package: trickle-ice\nContent-Type: application/sdp\n", "v=0\r\n",
		 "SIP/2.0 415 ", "Accept", "application/trickle-ice-sdpfrag"},
		{INFO_HEAD, "m=audio 9 RTP/AVP 0\r\na=mid:0\r\n", "SIP/2.0 400 ",
		 "Recv-Info", ""},
		{"Info-Package: trickle-ice\n", NULL, "SIP/2.0 415 ", "Recv-Info", ""},
		{"Content-Type: application/dtmf-relay\n", "Signal=1\r\n", "SIP/2.0 415 ",
		 "Recv-Info", ""},
		{"", NULL, "SIP/2.0 200 ", "Recv-Info", "trickle-ice"},
	};
	struct message m;
	struct dialog d;
	struct leg *leg = peer_call_out_talking(&d);

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		char branch[8];

		snprintf(branch, sizeof(branch), "r%zu", i);
		dialog_send(&d, "INFO", 10 + (unsigned)i, branch, PEER_DOMAIN,
			    rows[i].extra, rows[i].body);
		peer_expect(&m, rows[i].status);
		assert_string_equal(HEADER(&m, rows[i].header), rows[i].value);
	}
	assert_string_equal(peer_call_of(leg)->trace, "answer ");
}

/* ICE is restarted: new generation, old ones end. */
static void restarted(void **state)
{
	struct body *offer = peer_body(SDP("5", "nnnn"));
	struct message m, reinvite;
	struct dialog d;
	struct leg *leg;

	knows(true);
	leg = peer_call_out_with(offer_a, true);
	peer_expect(&m, "INVITE ");
	found(leg, "aaaa", CAND("1"), true);
	dialog_of_invite(&d, &m, "bobs");
	accept_call(&m, "bobs");
	expect_info(&m, "a=end-of-candidates\r\n" FRAG("aaaa", LINE("1")));
	ok(&m);
	offer->trickle = true;
	assert_int_equal(leg->ops->offer(leg, offer), 0);
	peer_expect(&reinvite, "INVITE ");
	assert_string_equal(message_body(&reinvite), offer->data);
	found(leg, "aaaa", CAND("2"), false); /* of the old one */
	found(leg, "nnnn", CAND("3"), false);
	peer_advance_ms(50);
	expect_info(&m, FRAG("nnnn", LINE("3")));
	ok(&m);
	/* the peer's overtake its answer again */
	dialog_send(&d, "INFO", 5, "i5", PEER_DOMAIN, INFO_HEAD, FRAG("mmmm", LINE("1")));
	peer_expect(&m, "SIP/2.0 200 ");
	assert_string_equal(peer_call_of(leg)->trace, "answer ");
	message_answer(&reinvite, 200, "OK", NULL, CONTACT KNOWS, SDP("6", "mmmm"));
	peer_expect(&m, "ACK ");
	assert_string_equal(peer_call_of(leg)->trace, "answer answer candidates ");
	assert_string_equal(peer_call_of(leg)->candidates, "mmmm 0 " CAND("1") "\n");
	dialog_send(&d, "INFO", 6, "i6", PEER_DOMAIN, INFO_HEAD, FRAG("bbbb", LINE("2")));
	peer_expect(&m, "SIP/2.0 200 ");
	assert_string_equal(peer_call_of(leg)->trace, "answer answer candidates ");
	mem_deref(offer);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, peer_setup, peer_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(full),
		TEST(theirs),
		TEST(forks_have_a_state_each),
		TEST(without_early_dialog),
		TEST(refused_by_469),
		TEST(tried_again_after_503),
		TEST(incoming),
		TEST(refused_infos),
		TEST(restarted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
