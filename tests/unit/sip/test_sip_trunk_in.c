/* test_sip_trunk_in.c - calls of trunks: for whom, from whom, and who may not speak for one.
 *   the trunk (trunk_peer.h) ══ UDP ══► leg ──► call */
#include "tests/unit/sip/trunk_peer.h"

/* ---- calls in ---- */

static void a_call_in(void **state)
{
	static struct message m;
	struct leg *leg;
	struct body *answer = peer_body(sdp2);
	char to[300];

	(void)state;
	ask("INVITE", "in1", 1, GUNDA, ALICE, "sip:+49301234@127.0.0.1", "i1",
	    "P-Asserted-Identity: <sip:+4911@provider.example>\n", sdp);
	assert_int_equal(peer->n_calls, 1);
	leg = peer->callv[0].leg;
	assert_int_equal(leg->media, LEG_RTP);
	/* its own number, of the site that is called; PAI of one that is not trusted says nothing */
	assert_string_equal(peer->callv[0].invite->from.addr.user, "+4940567");
	assert_string_equal(peer->callv[0].invite->from.addr.host, PEER_SITE);
	assert_string_equal(peer->callv[0].invite->from.name, "Gunda");
	assert_false(peer->callv[0].invite->from.site_verified);
	assert_string_equal(peer->callv[0].invite->to.user, "alice");
	assert_string_equal(peer->callv[0].invite->to.host, PEER_SITE);
	assert_string_equal(peer->callv[0].invite->offer->data, sdp);
	/* repeated, since no answer has come: no second call */
	ask("INVITE", "in1", 1, GUNDA, ALICE, "sip:+49301234@127.0.0.1", "i1", "", sdp);
	assert_int_equal(peer->n_calls, 1);
	leg->ops->ringing(leg);
	expect(&m, "SIP/2.0 180 ");
	assert_non_null(strstr(HEADER(&m, "Via"), "SIP/2.0/UDP 10.0.0.1:5080"));
	assert_non_null(strstr(HEADER(&m, "Via"), "received=127.0.0.1"));
	assert_string_equal(message_header(&m, "Via", 1, to, sizeof(to)), "");
	assert_int_equal(leg->ops->answer(leg, answer), 0);
	expect(&m, "SIP/2.0 200 ");
	assert_string_equal(message_body(&m), sdp2);
	peer_advance_ms(500); /* no ACK yet: RFC 3261 §13.3.1.4 */
	expect(&m, "SIP/2.0 200 ");
	snprintf(to, sizeof(to), "%s", HEADER(&m, "To"));
	ask("ACK", "in1", 1, GUNDA, to, "sip:x@127.0.0.1", "i2", "", NULL);
	/* the trunk holds */
	ask("INVITE", "in1", 2, GUNDA, to, "sip:x@127.0.0.1", "i3", "", sdp2);
	assert_string_equal(peer->callv[0].trace, "offer ");
	expect(&m, "SIP/2.0 100 ");
	assert_int_equal(leg->ops->answer(leg, answer), 0);
	expect(&m, "SIP/2.0 200 ");
	ask("ACK", "in1", 2, GUNDA, to, "sip:x@127.0.0.1", "i4", "", NULL);
	ask("BYE", "in1", 3, GUNDA, to, "sip:x@127.0.0.1", "i5", "", NULL);
	expect(&m, "SIP/2.0 200 ");
	assert_string_equal(peer->callv[0].trace, "offer ended(hangup) ");
	mem_deref(answer);
}

/* The number may stand in many ways, and who calls as well. */
static void numbers_in(void **state)
{
	static const struct {
		const char *from, *to, *extra;
		bool trusted;
		const char *caller; /* NULL: 404 */
	} rows[] = {
		{GUNDA, "sip:+49301234@127.0.0.1", "", false, "+4940567@" PEER_SITE},
		{GUNDA, "sip:0301234@127.0.0.1", "", false, "+4940567@" PEER_SITE},
		{GUNDA, "sip:0049301234@127.0.0.1;user=phone", "", false,
		 "+4940567@" PEER_SITE},
		{GUNDA, "sip:49301234@127.0.0.1", "", false, "+4940567@" PEER_SITE},
		{GUNDA, "sip:+49(30)12-34@127.0.0.1", "", false, "+4940567@" PEER_SITE},
		{GUNDA, "sip:alice@127.0.0.1", "", false, "+4940567@" PEER_SITE},
		{GUNDA, "sip:+49301235@127.0.0.1", "", false, NULL},
		{GUNDA, "sip:112@127.0.0.1", "", false, NULL},
		{GUNDA, "sip:127.0.0.1", "", false, NULL},
		{"<sip:anonymous@anonymous.invalid>;tag=g", "sip:+49301234@127.0.0.1", "",
		 false, "anonymous@anonymous.invalid"},
		{"<sip:bob@provider.example>;tag=g", "sip:+49301234@127.0.0.1", "", false,
		 "bob@provider.invalid"},
		{"<sip:alice@" PEER_SITE ">;tag=g", "sip:+49301234@127.0.0.1", "", false,
		 "alice@provider.invalid"},
		{GUNDA, "sip:+49301234@127.0.0.1", "Privacy: id\n", false,
		 "anonymous@anonymous.invalid"},
		{"<sip:anonymous@anonymous.invalid>;tag=g", "sip:+49301234@127.0.0.1",
		 "P-Asserted-Identity: <sip:+4911@x.example>\n", true,
		 "+4911@" PEER_SITE},
		{GUNDA, "sip:+49301234@127.0.0.1", "P-Asserted-Identity: <tel:+4911>\n",
		 true, "+4911@" PEER_SITE},
		{GUNDA, "sip:+49301234@127.0.0.1",
		 "P-Asserted-Identity: <sip:+4911@x.example>\nPrivacy: id\n", true,
		 "anonymous@anonymous.invalid"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		static struct message m;
		char call_id[16], branch[16];
		struct call *call;

		trunkv[0].trust_identity = rows[i].trusted;
		peer->n_calls = 0;
		memset(peer->callv, 0, sizeof(peer->callv));
		snprintf(call_id, sizeof(call_id), "n%zu", i);
		snprintf(branch, sizeof(branch), "n%zu", i);
		ask("INVITE", call_id, 1, rows[i].from, ALICE, rows[i].to, branch,
		    rows[i].extra, sdp);
		if (!rows[i].caller) {
			expect(&m, "SIP/2.0 404 ");
			assert_int_equal(peer->n_calls, 0);
			continue;
		}
		if (!peer->n_calls)
			fail_msg("%zu: no call", i);
		call = &peer->callv[0];
		if (strcmp(AT(&call->invite->from.addr), rows[i].caller) != 0)
			fail_msg("%zu: %s", i, AT(&call->invite->from.addr));
		assert_string_equal(AT(&call->invite->to), "alice@" PEER_SITE);
		peer_end(call->leg, CAUSE_BUSY);
		call->invite = mem_deref(call->invite);
		expect(&m, "SIP/2.0 486 ");
	}
	peer->n_calls = 0;
}

/* RFC 5806: who has diverted it last is shown, unless that is private. */
static void diverted(void **state)
{
	static const struct {
		const char *lines, *shown; /* empty: nobody */
	} rows[] = {
		{"Diversion: <sip:+4930555@provider.example>;reason=unconditional\n",
		 "+4930555@" PEER_SITE},
		{"Diversion: \"Office\" <tel:+49-30-555>;reason=no-answer;privacy=off,"
		 " <sip:+4930666@x.example>\n",
		 "+4930555@" PEER_SITE},
		{"Diversion: <sip:030555@x.example>\nDiversion: <sip:+4930666@x.example>\n",
		 "+4930555@" PEER_SITE},
		{"Diversion: <sip:alice@" PEER_SITE ">\n", "alice@provider.invalid"},
		{"Diversion: <sip:+4930555@x.example>;privacy=full\n", ""},
		{"Diversion: <sip:+4930555@x.example>;privacy=\"uri\"\n", ""},
		{"Diversion: <sip:+4930555@x.example>;privacy=full,"
		 " <sip:+4930666@x.example>\n",
		 ""},
		{"Diversion: \n", ""},
		{"Diversion: <sip:>;reason\n", ""},
		{"Diversion: *\n", ""},
		{"Diversion: <https://x.example/>\n", ""},
		{"Diversion: <sip:x y@x>,,\n", ""},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		static struct message m;
		char name[16];
		struct call *call;
		const struct addr *a;

		peer->n_calls = 0;
		memset(peer->callv, 0, sizeof(peer->callv));
		snprintf(name, sizeof(name), "d%zu", i);
		ask("INVITE", name, 1, GUNDA, ALICE, "sip:+49301234@127.0.0.1", name,
		    rows[i].lines, sdp);
		if (!peer->n_calls)
			fail_msg("%zu: no call", i);
		call = &peer->callv[0];
		a = &call->invite->from.diverted;
		if (a->user[0] ? strcmp(AT(a), rows[i].shown) != 0
			       : rows[i].shown[0] != '\0')
			fail_msg("%zu: %s", i, AT(a));
		peer_end(call->leg, CAUSE_BUSY);
		call->invite = mem_deref(call->invite);
		expect(&m, "SIP/2.0 486 ");
	}
	peer->n_calls = 0;
}

/* abuse 81, 82, 87: what does not come from the trunk's address is nobody's, whatever it claims. */
static void abuse_081_from_elsewhere(void **state)
{
	static const char text[] =
		"INVITE sip:+49301234@127.0.0.1 SIP/2.0\n"
		"Via: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKe;rport\nMax-Forwards: 70\n"
		"From: <sip:040567@provider.example>;tag=g\nTo: <sip:+49301234@127.0.0.1>\n"
		"Call-ID: e\nCSeq: 1 INVITE\n" CONTACT
		"Content-Type: application/sdp\nContent-Length: 0\n\n";
	static struct message m;
	struct sa sa;
	int far;

	(void)state;
	/* 127.0.0.2 is no address of the trunk */
	far = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	sa_set_str(&sa, "127.0.0.2", 0);
	assert_int_equal(bind(far, &sa.u.sa, sa.len), 0);
	say_from(far, text);
	expect_at(far, &m, "SIP/2.0 403 ");
	assert_int_equal(peer->n_calls, 0);
	close(far);
}

/* An answer that somebody else sends, branch and all, is not heard. */
static void abuse_082_answers_of_others(void **state)
{
	struct leg *leg = call_out("+4940567", "alice");
	static struct message m;
	struct sa sa;
	int far = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)state;
	sa_set_str(&sa, "127.0.0.2", 0);
	assert_int_equal(bind(far, &sa.u.sa, sa.len), 0);
	expect(&m, "INVITE ");
	reply_from(far, &m, 200, "evil", CONTACT, sdp);
	silence();
	assert_string_equal(peer_call_last()->trace, "");
	reply(&m, 486, "x", "", NULL);
	expect(&m, "ACK ");
	assert_string_equal(peer_call_last()->trace, "ended(busy) ");
	(void)leg;
	close(far);
}

/* INVITE without a description: ours is the offer, the trunk's answer comes with the ACK. */
static void a_late_offer(void **state)
{
	static struct message m;
	struct body *offer = peer_body(sdp2);
	struct leg *leg;
	char to[300];

	(void)state;
	ask("INVITE", "late", 1, GUNDA, ALICE, "sip:+49301234@127.0.0.1", "l1", "", NULL);
	assert_int_equal(peer->n_calls, 1);
	assert_null(peer->callv[0].invite->offer);
	leg = peer->callv[0].leg;
	leg->ops->ringing(leg);
	expect(&m, "SIP/2.0 180 ");
	assert_int_equal(leg->ops->answer(leg, offer), 0);
	expect(&m, "SIP/2.0 200 ");
	assert_string_equal(message_body(&m), sdp2);
	snprintf(to, sizeof(to), "%s", HEADER(&m, "To"));
	ask("ACK", "late", 1, GUNDA, to, "sip:x@127.0.0.1", "l2", "", sdp);
	assert_string_equal(peer->callv[0].trace, "answer ");
	assert_string_equal(peer->callv[0].body, sdp);
	/* the same in mid-call */
	ask("INVITE", "late", 2, GUNDA, to, "sip:x@127.0.0.1", "l3", "", NULL);
	assert_string_equal(peer->callv[0].trace, "answer late ");
	expect(&m, "SIP/2.0 100 ");
	assert_int_equal(leg->ops->answer(leg, offer), 0);
	expect(&m, "SIP/2.0 200 ");
	assert_string_equal(message_body(&m), sdp2);
	ask("ACK", "late", 2, GUNDA, to, "sip:x@127.0.0.1", "l4", "", sdp);
	assert_string_equal(peer->callv[0].trace, "answer late answer ");
	peer_end(leg, CAUSE_HANGUP);
	expect(&m, "BYE ");
	reply(&m, 200, NULL, "", NULL);
	mem_deref(offer);
}

static void more_calls_than_lines(void **state)
{
	static struct message m;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		char call_id[8], branch[8];

		snprintf(call_id, sizeof(call_id), "c%u", i);
		snprintf(branch, sizeof(branch), "c%u", i);
		ask("INVITE", call_id, 1, GUNDA, ALICE, "sip:+49301234@127.0.0.1", branch,
		    "", sdp);
	}
	assert_int_equal(peer->n_calls, 3);
	ask("INVITE", "c9", 1, GUNDA, ALICE, "sip:+49301234@127.0.0.1", "c9", "", sdp);
	expect(&m, "SIP/2.0 503 ");
	assert_int_equal(peer->n_calls, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_call_in, setup, teardown),
		cmocka_unit_test_setup_teardown(numbers_in, setup, teardown),
		cmocka_unit_test_setup_teardown(diverted, setup, teardown),
		cmocka_unit_test_setup_teardown(abuse_081_from_elsewhere, setup,
						teardown),
		cmocka_unit_test_setup_teardown(abuse_082_answers_of_others, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_late_offer, setup, teardown),
		cmocka_unit_test_setup_teardown(more_calls_than_lines, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
