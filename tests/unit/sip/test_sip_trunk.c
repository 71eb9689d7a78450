/* test_sip_trunk.c - calls by trunks: their answers, their challenges, what callers show; registration; two addresses.
 *   call ──► leg ══ UDP ══► the trunk (trunk_peer.h) */
#include "tests/unit/sip/trunk_peer.h"

/* A call is made, heard ringing, answered and ended. All goes to the trunk's address, whatever its Contact says. */
static void a_call_out(void **state)
{
	struct leg *leg = call_out("+4940567", "alice");
	static struct message m, ack, again;
	char via[600];

	(void)state;
	expect(&m, "INVITE sip:4940567@provider.example SIP/2.0\r\n");
	assert_string_equal(message_body(&m), sdp);
	assert_string_equal(HEADER(&m, "To"), "<sip:4940567@provider.example>");
	/* her own number, in the trunk's format */
	assert_int_equal(
		strncmp(HEADER(&m, "From"),
			"\"Alice \\\"A\\\"\" <sip:49301234@provider.example>;tag=", 49),
		0);
	assert_string_equal(HEADER(&m, "P-Asserted-Identity"), "");
	assert_string_equal(HEADER(&m, "Privacy"), "");
	assert_string_equal(HEADER(&m, "Identity"), "");
	assert_string_equal(HEADER(&m, "Recv-Info"), "");
	assert_string_equal(HEADER(&m, "Supported"), "timer, 100rel");
	snprintf(via, sizeof(via), "SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK",
		 ntohs(daemon_addr.sin_port));
	assert_int_equal(strncmp(HEADER(&m, "Via"), via, strlen(via)), 0);
	snprintf(via, sizeof(via), "@127.0.0.1:%u;transport=udp>",
		 ntohs(daemon_addr.sin_port));
	assert_non_null(strstr(HEADER(&m, "Contact"), via));

	/* RFC 3261 §17.1.1.2: UDP loses; the same message after T1 */
	peer_advance_ms(500);
	expect(&again, "INVITE ");
	assert_string_equal(HEADER(&again, "Via"), HEADER(&m, "Via"));
	reply(&m, 100, NULL, "", NULL);
	reply(&m, 183, "g", CONTACT, sdp2);
	assert_string_equal(peer_call_last()->trace, "ringing early ");
	assert_string_equal(peer_call_last()->body, sdp2);
	reply(&m, 200, "g", CONTACT, sdp);
	expect(&ack, "ACK sip:gw@10.0.0.1:5080 SIP/2.0\r\n");
	assert_string_equal(peer_call_last()->trace, "ringing early answer ");
	assert_true(leg->remote.site_verified);
	reply(&m, 200, "g", CONTACT, sdp); /* our ACK was lost */
	expect(&ack, "ACK ");
	peer_end(leg, CAUSE_HANGUP);
	expect(&m, "BYE sip:gw@10.0.0.1:5080 SIP/2.0\r\n");
	peer_advance_ms(500);
	expect(&again, "BYE ");
	reply(&m, 200, NULL, "", NULL);
	assert_int_equal(list_count(&peer->sip->legs), 0);
	assert_int_equal(trunk_named(peer->sip, "provider")->n_calls, 0);
}

/* RFC 3262: a reliable 183 is acknowledged by PRACK, in the early dialog. */
static void a_reliable_early_answer(void **state)
{
	struct leg *leg = call_out("+4940567", "alice");
	static struct message m, prack, ack;

	(void)state;
	expect(&m, "INVITE ");
	reply(&m, 183, "g", CONTACT "Require: 100rel\nRSeq: 5\n", sdp2);
	expect(&prack, "PRACK sip:gw@10.0.0.1:5080 SIP/2.0\r\n");
	assert_non_null(strstr(HEADER(&prack, "RAck"), "5 "));
	reply(&prack, 200, NULL, "", NULL);
	reply(&m, 200, "g", CONTACT, NULL); /* the answer was in the 183 */
	expect(&ack, "ACK ");
	assert_string_equal(peer_call_last()->trace, "ringing early answer ");
	assert_string_equal(peer_call_last()->body, sdp2);
	/* the trunk refreshes the session */
	ask("UPDATE", HEADER(&m, "Call-ID"), 900, HEADER(&ack, "To"),
	    HEADER(&ack, "From"), "sip:x@127.0.0.1", "upd",
	    "Session-Expires: 1800;refresher=uac\nSupported: timer\n", NULL);
	expect(&ack, "SIP/2.0 200 ");
	assert_non_null(strstr(HEADER(&ack, "Session-Expires"), "refresher=uac"));
	peer_end(leg, CAUSE_HANGUP);
	expect(&m, "BYE ");
	reply(&m, 200, NULL, "", NULL);
}

#define CHALLENGE                                                                        \
	"WWW-Authenticate: Digest realm=\"provider.example\", nonce=\"n1\"\n"            \
	"WWW-Authenticate: Digest realm=\"provider.example\", nonce=\"n2\", "            \
	"algorithm=SHA-256, qop=\"auth\"\n"

/* INVITE, re-INVITE and BYE are challenged; what has been learnt goes with every later request. */
static void challenges(void **state)
{
	struct leg *leg = call_out("+4940567", "alice");
	static struct message m, m2, ack;
	struct body *offer;

	(void)state;
	expect(&m, "INVITE ");
	assert_string_equal(HEADER(&m, "Authorization"), "");
	reply(&m, 401, "x", CHALLENGE, NULL);
	expect(&ack, "ACK sip:4940567@provider.example SIP/2.0\r\n");
	expect(&m2, "INVITE ");
	assert_string_equal(HEADER(&m2, "Call-ID"), HEADER(&m, "Call-ID"));
	assert_string_not_equal(HEADER(&m2, "CSeq"), HEADER(&m, "CSeq"));
	assert_non_null(strstr(HEADER(&m2, "Authorization"), "algorithm=SHA-256"));
	assert_non_null(strstr(HEADER(&m2, "Authorization"), "nonce=\"n2\""));
	assert_non_null(strstr(HEADER(&m2, "Authorization"),
			       "uri=\"sip:4940567@provider.example\""));
	assert_null(strstr(m2.text, "secret"));
	reply(&m2, 200, "g", CONTACT, sdp);
	expect(&ack, "ACK ");
	assert_string_equal(peer_call_last()->trace, "answer ");

	/* a hold, with a nonce that is not good any more */
	offer = peer_body(sdp2);
	assert_int_equal(leg->ops->offer(leg, offer), 0);
	mem_deref(offer);
	expect(&m, "INVITE sip:gw@10.0.0.1:5080 SIP/2.0\r\n");
	assert_non_null(strstr(HEADER(&m, "Authorization"), "nc=0000000"));
	reply(&m, 407, NULL,
	      "Proxy-Authenticate: Digest realm=\"provider.example\", nonce=\"n3\", "
	      "stale=true, qop=\"auth\"\n",
	      NULL);
	expect(&ack, "ACK ");
	expect(&m, "INVITE sip:gw@10.0.0.1:5080 SIP/2.0\r\n");
	assert_non_null(strstr(HEADER(&m, "Proxy-Authorization"), "nonce=\"n3\""));
	assert_string_equal(message_body(&m), sdp2);
	reply(&m, 200, NULL, CONTACT, sdp);
	expect(&ack, "ACK ");
	assert_string_equal(peer_call_last()->trace, "answer answer ");

	peer_end(leg, CAUSE_HANGUP);
	expect(&m, "BYE ");
	reply(&m, 401, NULL, CHALLENGE, NULL);
	expect(&m2, "BYE ");
	assert_non_null(strstr(HEADER(&m2, "Authorization"), "nonce=\"n2\""));
	reply(&m2, 401, NULL, CHALLENGE, NULL); /* once is enough */
	silence();
	assert_int_equal(list_count(&peer->sip->legs), 0);
}

/* abuse 84: whoever is behind the trunk gets no credentials; and a wrong password is not tried for ever. */
static void abuse_084_foreign_realm(void **state)
{
	static struct message m, ack;

	(void)state;
	call_out("+4940567", "alice");
	expect(&m, "INVITE ");
	reply(&m, 407, "x",
	      "Proxy-Authenticate: Digest realm=\"evil.example\", nonce=\"n\"\n", NULL);
	expect(&ack, "ACK ");
	silence();
	assert_string_equal(peer_call_last()->trace, "ended(forbidden) ");
	assert_non_null(strstr(trunk_named(peer->sip, "provider")->last_error,
			       "\"evil.example\""));

	call_out("+4940567", "alice");
	for (unsigned i = 0; i < 3; i++) {
		expect(&m, "INVITE ");
		reply(&m, 401, "x", CHALLENGE, NULL);
		expect(&ack, "ACK ");
	}
	silence();
	assert_string_equal(peer_call_last()->trace, "ended(forbidden) ");
}

/* A redirect is followed nowhere, least of all to a number. */
static void abuse_082_redirects(void **state)
{
	static struct message m, ack;

	(void)state;
	call_out("+4940567", "alice");
	expect(&m, "INVITE ");
	reply(&m, 302, "x", "Contact: <sip:0900@evil.example>\n", NULL);
	expect(&ack, "ACK ");
	silence();
	assert_string_equal(peer_call_last()->trace, "ended(redirect) ");
}

/* Two answer: the second gets ACK and BYE. */
static void two_forks_answer(void **state)
{
	struct leg *leg = call_out("+4940567", "alice");
	static struct message m, ack, bye;

	(void)state;
	expect(&m, "INVITE ");
	reply(&m, 180, "a", CONTACT, NULL);
	reply(&m, 183, "b", CONTACT, sdp2);
	reply(&m, 200, "b", CONTACT, sdp);
	expect(&ack, "ACK ");
	assert_non_null(strstr(HEADER(&ack, "To"), ";tag=b"));
	reply(&m, 200, "a", CONTACT, sdp);
	expect(&ack, "ACK ");
	assert_non_null(strstr(HEADER(&ack, "To"), ";tag=a"));
	expect(&bye, "BYE ");
	assert_non_null(strstr(HEADER(&bye, "To"), ";tag=a"));
	reply(&bye, 200, NULL, "", NULL);
	peer_end(leg, CAUSE_HANGUP);
	expect(&bye, "BYE ");
	reply(&bye, 200, NULL, "", NULL);
}

static void a_call_is_given_up(void **state)
{
	struct leg *leg = call_out("+4940567", "alice");
	static struct message m, cancel, ack;

	(void)state;
	expect(&m, "INVITE ");
	reply(&m, 180, "a", CONTACT, NULL);
	peer_end(leg, CAUSE_CANCELLED);
	expect(&cancel, "CANCEL sip:4940567@provider.example SIP/2.0\r\n");
	assert_string_equal(HEADER(&cancel, "Via"), HEADER(&m, "Via"));
	reply(&cancel, 200, "a", "", NULL);
	reply(&m, 487, "a", "", NULL);
	expect(&ack, "ACK ");
	silence();
}

/* ---- what a caller shows ---- */

static void caller_ids(void **state)
{
	static const struct {
		enum caller_id_kind kind;
		bool trusted;
		const char *user, *from, *asserted, *privacy;
	} rows[] = {
		{CALLER_ID_OWN, false, "alice", "<sip:49301234@provider.example>", "",
		 ""},
		{CALLER_ID_OWN, true, "alice", "<sip:49301234@provider.example>",
		 "<sip:49301234@provider.example>", ""},
		{CALLER_ID_NUMBER, false, "bob", "<sip:4930999@provider.example>", "",
		 ""},
		{CALLER_ID_NAME, false, "bob", "<sip:bob@provider.example>", "", ""},
		{CALLER_ID_HIDDEN, false, "alice",
		 "\"Anonymous\" <sip:anonymous@anonymous.invalid>", "", "id"},
		{CALLER_ID_HIDDEN, true, "alice",
		 "\"Anonymous\" <sip:anonymous@anonymous.invalid>",
		 "<sip:4930@provider.example>", "id"},
		/* she has no number of her own, and there is no other rule */
		{CALLER_ID_OWN, false, "bob",
		 "\"Anonymous\" <sip:anonymous@anonymous.invalid>", "", "id"},
	};
	struct trunk *t = trunk_named(peer->sip, "provider");

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		static struct message m, ack;

		trunkv[0].n_caller_ids = 1;
		trunkv[0].caller_idv[0].kind = rows[i].kind;
		snprintf(trunkv[0].caller_idv[0].number,
			 sizeof(trunkv[0].caller_idv[0].number), "+4930999");
		trunkv[0].trust_identity = rows[i].trusted;
		call_out("+4940567", rows[i].user);
		expect(&m, "INVITE ");
		if (!strstr(HEADER(&m, "From"), rows[i].from))
			fail_msg("%zu: %s", i, HEADER(&m, "From"));
		assert_string_equal(HEADER(&m, "P-Asserted-Identity"), rows[i].asserted);
		assert_string_equal(HEADER(&m, "Privacy"), rows[i].privacy);
		reply(&m, 486, "x", "", NULL);
		expect(&ack, "ACK ");
		assert_int_equal(t->n_calls, 0);
	}
}

/* ---- registration and its fellows ---- */

static void registration(void **state)
{
	struct trunk *t = trunk_named(peer->sip, "provider");
	struct trunk_state st = {0};
	static struct message m, m2;

	(void)state;
	peer_advance_ms(300);
	expect(&m, "REGISTER sip:provider.example SIP/2.0\r\n");
	assert_string_equal(HEADER(&m, "To"), "<sip:4930@provider.example>");
	assert_string_equal(HEADER(&m, "Expires"), "600");
	reply(&m, 401, "r", CHALLENGE, NULL);
	peer_advance_ms(100);
	expect(&m2, "REGISTER ");
	assert_string_equal(HEADER(&m2, "Call-ID"), HEADER(&m, "Call-ID"));
	assert_non_null(strstr(HEADER(&m2, "Authorization"), "nonce=\"n2\""));
	reply(&m2, 423, "r", "Min-Expires: 1200\n", NULL);
	peer_advance_ms(100);
	expect(&m, "REGISTER ");
	assert_string_equal(HEADER(&m, "Expires"), "1200");
	reply(&m, 200, "r", "Expires: 1000\n", NULL);
	trunk_line_state(t, &st);
	assert_string_equal(st.registration, "registered");
	assert_string_equal(st.state, "up");
	assert_true(st.until_s > 0);
	peer_advance_ms(499000);
	silence();
	peer_advance_ms(1200); /* half of it is over */
	expect(&m, "REGISTER ");
	drain();
	reply(&m, 403, "r", "", NULL);
	trunk_line_state(t, &st);
	assert_string_equal(st.registration, "refused");
	peer_advance_ms(299000); /* it is not hammered */
	silence();
	peer_advance_ms(2000);
	expect(&m, "REGISTER ");
	/* a call to our registration's contact: the number is in To */
	{
		char uri[300];

		snprintf(uri, sizeof(uri), "sip:%s@127.0.0.1", t->contact_user);
		ask("INVITE", "reg", 1, GUNDA, ALICE, uri, "reg", "", sdp);
		assert_int_equal(peer->n_calls, 1);
		assert_string_equal(peer->callv[0].invite->to.user, "alice");
	}
}

/* The first address is silent: the second has it. */
static void failover(void **state)
{
	struct trunk *t = trunk_named(peer->sip, "provider");
	static struct message m, ack;
	struct leg *leg = call_out("+4940567", "alice");

	(void)state;
	expect(&m, "INVITE ");
	peer_advance_ms(4200);
	while (heard_at(fd,
			&m)) /* repetitions, and perhaps a CANCEL that waits for a 1xx */
		;
	expect_at(other, &m, "INVITE sip:4940567@provider.example");
	assert_int_equal(t->at, 1);
	reply_from(other, &m, 200, "g", CONTACT, sdp);
	expect_at(other, &ack, "ACK ");
	assert_string_equal(peer_call_last()->trace, "answer ");
	peer_end(leg, CAUSE_HANGUP);
	expect_at(other, &m, "BYE ");
	reply_from(other, &m, 200, NULL, "", NULL);
	assert_true(*t->last_error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_call_out, setup, teardown),
		cmocka_unit_test_setup_teardown(a_reliable_early_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(challenges, setup, teardown),
		cmocka_unit_test_setup_teardown(abuse_084_foreign_realm, setup, teardown),
		cmocka_unit_test_setup_teardown(abuse_082_redirects, setup, teardown),
		cmocka_unit_test_setup_teardown(two_forks_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(a_call_is_given_up, setup, teardown),
		cmocka_unit_test_setup_teardown(caller_ids, setup, teardown),
		cmocka_unit_test_setup_teardown(registration, setup_registers, teardown),
		cmocka_unit_test_setup_teardown(failover, setup_two, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
