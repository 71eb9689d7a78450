/* test_sip_leg_out.c - calls to a peer.   call ──► leg ══ INVITE ══► peer, its forks and its targets */
#include "tests/unit/sip/sip_peer.h"

#define CONTACT "Contact: <sip:bob@192.0.2.7:5061;transport=tls>\n"

/* The INVITE as it leaves; early answer, BYE by us. */
static void talk(void **state)
{
	struct leg *leg = peer_call_out();
	struct message m, bye;
	struct joint j;
	const char *v;

	(void)state;
	peer_expect(&m, "INVITE sip:bob@peer.example SIP/2.0\r\n");
	assert_string_equal(message_body(&m), peer_sdp_a);
	assert_string_equal(HEADER(&m, "Content-Type"), "application/sdp");
	assert_string_equal(HEADER(&m, "Max-Forwards"), "69");
	assert_string_equal(HEADER(&m, "To"), "<sip:bob@peer.example>");
	assert_int_equal(
		strncmp(HEADER(&m, "From"),
			"\"Alice \\\"A\\\" Ä\" <sip:alice@alpha.example>;tag=",
			strlen("\"Alice \\\"A\\\" Ä\" <sip:alice@alpha.example>;tag=")),
		0);
	assert_non_null(strstr(HEADER(&m, "Contact"), "@alpha.example;transport=tls>"));
	assert_string_equal(HEADER(&m, "Session-Expires"), "1800;refresher=uac");
	assert_string_equal(HEADER(&m, "Min-SE"), "90");
	assert_non_null(strstr(HEADER(&m, "Supported"), "timer"));
	assert_non_null(strstr(HEADER(&m, "Supported"), "100rel"));
	assert_non_null(strstr(HEADER(&m, "Supported"), "replaces"));
	assert_non_null(strstr(HEADER(&m, "Allow"), "UPDATE"));
	assert_string_equal(HEADER(&m, "Route"), "");
	v = HEADER(&m, JOINT_HEADER);
	assert_int_equal(joint_parse(&j, peer->sip->secret, v, strlen(v)), 0);
	assert_string_equal(j.site, PEER_SITE);
	assert_string_equal(j.domain, PEER_DOMAIN);
	assert_true(j.token != 0);
	assert_string_equal(j.skip, "");

	message_answer(&m, 100, "Trying", NULL, "", NULL);
	message_answer(&m, 181, "Forwarded", "b", CONTACT, NULL);
	message_answer(&m, 180, "Ringing", "b", CONTACT, NULL);
	message_answer(&m, 180, "Ringing", "b", CONTACT, NULL);
	peer_settle();
	assert_string_equal(peer_call_last()->trace, "ringing ");
	message_answer(&m, 200, "OK", "b", CONTACT, peer_sdp_b);
	peer_expect(&bye, "ACK sip:bob@192.0.2.7:5061;transport=tls ");
	assert_string_equal(HEADER(&bye, "CSeq") + strcspn(HEADER(&bye, "CSeq"), " "),
			    " ACK");
	assert_true(*HEADER(&bye, JOINT_HEADER));
	assert_string_equal(peer_call_last()->trace, "ringing answer ");
	assert_string_equal(peer_call_last()->body, peer_sdp_b);
	assert_true(leg->remote.site_verified);
	message_answer(&m, 200, "OK", "b", CONTACT,
		       peer_sdp_b); /* repeated: acknowledged again */
	peer_expect(&bye, "ACK ");
	assert_true(peer_quiet());
	peer_end(leg, CAUSE_HANGUP);
	peer_expect(&bye, "BYE sip:bob@192.0.2.7:5061;transport=tls ");
	assert_non_null(strstr(HEADER(&bye, "To"), ";tag=b"));
	assert_true(*HEADER(&bye, "Contact"));
	message_answer(&bye, 200, "OK", NULL, "", NULL);
	peer_settle();
	assert_int_equal(list_count(&peer->sip->legs), 0);
}

/* Refusals: cause, words of the Reason header, no more INVITEs. */
static void refusals(void **state)
{
	static const struct {
		unsigned status;
		const char *phrase, *extra, *trace, *text;
	} rows[] = {
		{486, "Busy Here", "", "ended(busy) ", NULL},
		{404, "Not Found", "", "ended(not-found) ", NULL},
		{603, "Decline", "", "ended(declined) ", NULL},
		{488, "No", "", "ended(media) ", NULL},
		{302, "Moved", "Contact: <sip:x@evil.example>\n", "ended(redirect) ",
		 NULL},
		{401, "Unauthorized",
		 "WWW-Authenticate: Digest realm=\"x\", nonce=\"y\"\n",
		 "ended(forbidden) ", NULL},
		{407, "Proxy", "Proxy-Authenticate: Digest realm=\"x\", nonce=\"y\"\n",
		 "ended(forbidden) ", NULL},
		{403, "Forbidden", "Reason: SIP;cause=403;text=\"say \\\"please\\\"\"\n",
		 "ended(forbidden) ", "say \"please\""},
		{500, "Oops", "", "ended(other) ", NULL},
		{503, "Down",
		 "Reason: X-EDGE;cause=503;text=\"peer.example could not be reached: its certificate expired yesterday\"\n",
		 "ended(unreachable) ",
		 "peer.example could not be reached: its certificate expired yesterday"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct message m, ack;

		if (i && i % PEER_CALLS_MAX == 0) {
			peer_teardown(NULL);
			peer_setup(NULL);
		}
		peer_call_out();
		peer_expect(&m, "INVITE ");
		message_answer(&m, rows[i].status, rows[i].phrase, "x", rows[i].extra,
			       NULL);
		peer_expect(&ack, "ACK ");
		assert_string_equal(HEADER(&ack, "Via"), HEADER(&m, "Via"));
		assert_string_equal(peer_call_last()->trace, rows[i].trace);
		assert_int_equal(peer_call_last()->cause.code, rows[i].status);
		if (rows[i].text)
			assert_string_equal(peer_call_last()->cause.text, rows[i].text);
		assert_true(peer_quiet());
	}
	assert_int_equal(list_count(&peer->sip->legs), 0);
	peer_advance_ms(1000);
	assert_int_equal(list_count(&peer->sip->tries), 0);
}

/* Two early dialogs, the second wins; the first one's late 200 and a third unseen one: ACK and BYE. */
static void forks(void **state)
{
	struct message m, r;
	struct leg *leg = peer_call_out();

	(void)state;
	peer_expect(&m, "INVITE ");
	message_answer(&m, 180, "Ringing", "A", CONTACT, NULL);
	message_answer(&m, 183, "Progress", "B", CONTACT "Require: 100rel\nRSeq: 77\n",
		       peer_sdp_b);
	peer_expect(&r, "PRACK sip:bob@192.0.2.7:5061;transport=tls ");
	assert_string_equal(HEADER(&r, "Route"), "");
	assert_non_null(strstr(HEADER(&r, "RAck"), "77 "));
	assert_non_null(strstr(HEADER(&r, "To"), ";tag=B"));
	message_answer(&r, 200, "OK", NULL, "", NULL);
	assert_string_equal(peer_call_last()->trace, "ringing ");
	message_answer(&m, 183, "Progress", "B", CONTACT "Require: 100rel\nRSeq: 77\n",
		       peer_sdp_b);
	assert_true(peer_quiet()); /* a repetition: hidden */

	message_answer(&m, 200, "OK", "B", CONTACT,
		       NULL); /* its SDP came with the reliable 183 */
	peer_expect(&r, "ACK ");
	assert_non_null(strstr(HEADER(&r, "To"), ";tag=B"));
	assert_string_equal(peer_call_last()->trace, "ringing answer ");
	assert_string_equal(peer_call_last()->body, peer_sdp_b);

	message_answer(&m, 200, "OK", "A", CONTACT, peer_sdp_c);
	peer_expect(&r, "ACK ");
	assert_non_null(strstr(HEADER(&r, "To"), ";tag=A"));
	peer_expect(&r, "BYE ");
	assert_non_null(strstr(HEADER(&r, "To"), ";tag=A"));
	assert_true(*HEADER(&r, JOINT_HEADER));
	message_answer(&r, 200, "OK", NULL, "", NULL);
	message_answer(&m, 200, "OK", "C", CONTACT, peer_sdp_c);
	peer_expect(&r, "ACK ");
	peer_expect(&r, "BYE ");
	assert_non_null(strstr(HEADER(&r, "To"), ";tag=C"));
	message_answer(&r, 200, "OK", NULL, "", NULL);
	assert_true(peer_quiet());
	assert_string_equal(peer_call_last()->trace, "ringing answer ");
	peer_end(leg, CAUSE_HANGUP);
	peer_expect(&r, "BYE ");
	assert_non_null(strstr(HEADER(&r, "To"), ";tag=B"));
	message_answer(&r, 200, "OK", NULL, "", NULL);
	peer_advance_ms(40000);
	assert_int_equal(list_count(&peer->sip->tries), 0);
}

/* The SDP of an unreliable 183 counts for nothing: a 200 without one is no answer. */
static void no_answer_in_200(void **state)
{
	struct message m, r;

	(void)state;
	peer_call_out();
	peer_expect(&m, "INVITE ");
	message_answer(&m, 183, "Progress", "A", CONTACT, peer_sdp_b);
	message_answer(&m, 200, "OK", "A", CONTACT, NULL);
	peer_expect(&r, "ACK ");
	peer_expect(&r, "BYE ");
	assert_string_equal(peer_call_last()->trace, "ringing ended(media) ");
	message_answer(&r, 200, "OK", NULL, "", NULL);
	peer_settle();
	assert_int_equal(list_count(&peer->sip->legs), 0);
}

/* CANCEL: after a 1xx at once, before one it waits; the 487 is acknowledged; words go along. */
static void cancel(void **state)
{
	struct message m, r;
	struct leg *leg = peer_call_out();

	(void)state;
	peer_expect(&m, "INVITE ");
	message_answer(&m, 180, "Ringing", "A", CONTACT, NULL);
	peer_settle();
	peer_end(leg, CAUSE_ELSEWHERE);
	peer_expect(&r, "CANCEL sip:bob@peer.example ");
	assert_string_equal(HEADER(&r, "Via"), HEADER(&m, "Via"));
	assert_string_equal(HEADER(&r, "Reason"),
			    "SIP;cause=200;text=\"Call completed elsewhere\"");
	assert_true(*HEADER(&r, JOINT_HEADER));
	message_answer(&r, 200, "OK", "A", "", NULL);
	message_answer(&m, 487, "Terminated", "Z", "", NULL);
	peer_expect(&r, "ACK sip:bob@peer.example ");
	assert_string_equal(HEADER(&r, "Via"), HEADER(&m, "Via"));
	assert_non_null(strstr(HEADER(&r, "To"), ";tag=Z"));
	peer_advance_ms(100);
	assert_int_equal(list_count(&peer->sip->legs), 0);
	assert_int_equal(list_count(&peer->sip->tries), 0);

	leg = peer_call_out();
	peer_expect(&m, "INVITE ");
	peer_end(leg, CAUSE_CANCELLED);
	assert_true(peer_quiet());
	message_answer(&m, 100, "Trying", NULL, "", NULL);
	peer_expect(&r, "CANCEL ");
	message_answer(&r, 200, "OK", "A", "", NULL);
	message_answer(&m, 487, "Terminated", "A", "", NULL);
	peer_expect(&r, "ACK ");
	assert_true(peer_quiet());
	assert_string_equal(peer_call_last()->trace, "");
}

/* CANCEL crosses the 200: ACK, BYE. */
static void cancel_crosses_200(void **state)
{
	struct message m, r;
	struct leg *leg = peer_call_out();

	(void)state;
	peer_expect(&m, "INVITE ");
	message_answer(&m, 180, "Ringing", "A", CONTACT, NULL);
	peer_settle();
	peer_end(leg, CAUSE_CANCELLED);
	peer_expect(&r, "CANCEL ");
	message_answer(&m, 200, "OK", "A", CONTACT, peer_sdp_b);
	message_answer(&r, 481, "Too late", "A", "", NULL);
	peer_expect(&r, "ACK ");
	peer_expect(&r, "BYE ");
	message_answer(&r, 200, "OK", NULL, "", NULL);
	assert_true(peer_quiet());
	assert_string_equal(peer_call_last()->trace, "ringing ");
	peer_advance_ms(40000);
	assert_int_equal(list_count(&peer->sip->tries), 0);
}

static void peer_seen(const char *domain, const char *state, unsigned n_conns,
		      unsigned n_calls, const char *last_error, void *arg)
{
	snprintf(arg, 200, "%s %s %u %u %s", domain, state, n_conns, n_calls, last_error);
}

/* Nothing is heard at all: an overall answer within sip_answer_s. */
static void silence(void **state)
{
	struct message m;
	char line[200] = "";

	(void)state;
	peer_call_out();
	peer_expect(&m, "INVITE ");
	message_answer(&m, 100, "Trying", NULL, "", NULL);
	peer_advance_ms(peer->config.limits.sip_answer_s * 1000 - 500);
	assert_string_equal(peer_call_last()->trace, "");
	peer->core.federation->peers(peer->core.federation_arg, peer_seen, line);
	assert_string_equal(line, "peer.example idle 0 1 ");
	peer_advance_ms(600);
	assert_string_equal(peer_call_last()->trace, "ended(timeout) ");
	peer_expect(&m, "CANCEL ");
	peer_advance_ms(40000);
	assert_int_equal(list_count(&peer->sip->tries), 0);
	peer->core.federation->peers(peer->core.federation_arg, peer_seen, line);
	assert_string_equal(line, "peer.example idle 0 0 ");
}

/* 422: once more in the same would-be dialog with the larger interval and a higher CSeq. */
static void session_too_short(void **state)
{
	struct message m, again, r;

	(void)state;
	peer_call_out();
	peer_expect(&m, "INVITE ");
	message_answer(&m, 422, "Too Small", "x", "Min-SE: 3600\n", NULL);
	peer_expect(&r, "ACK ");
	peer_expect(&again, "INVITE ");
	assert_string_equal(HEADER(&again, "Session-Expires"), "3600;refresher=uac");
	assert_string_equal(HEADER(&again, "Min-SE"), "3600");
	assert_string_equal(HEADER(&again, "Call-ID"), HEADER(&m, "Call-ID"));
	assert_string_equal(HEADER(&again, "From"), HEADER(&m, "From"));
	assert_int_equal(strtoul(HEADER(&again, "CSeq"), NULL, 10),
			 strtoul(HEADER(&m, "CSeq"), NULL, 10) + 1);
	message_answer(&again, 200, "OK", "b", CONTACT, peer_sdp_b);
	peer_expect(&r, "ACK ");
	assert_string_equal(peer_call_last()->trace, "answer ");
}

/* A blocked domain: said from the loop, nothing is sent. */
static void blocked(void **state)
{
	(void)state;
	snprintf(peer->peerv[0].domain, sizeof(peer->peerv[0].domain), "%s", PEER_DOMAIN);
	peer->peerv[0].block = true;
	peer->config.n_peers = 1;
	peer_call_out();
	assert_string_equal(peer_call_last()->trace, "");
	assert_true(peer_quiet());
	assert_string_equal(peer_call_last()->trace, "ended(forbidden) ");
	assert_int_equal(list_count(&peer->sip->legs), 0);
}

/* The peer asks in an early dialog: answered there, by what fits. */
static void early_requests(void **state)
{
	struct message m, r;
	struct dialog d;

	(void)state;
	peer_call_out();
	peer_expect(&m, "INVITE ");
	message_answer(&m, 183, "Progress", "E", CONTACT, NULL);
	peer_settle();
	dialog_of_invite(&d, &m, "E");
	dialog_send(&d, "INFO", 10, "e1", PEER_DOMAIN, "", NULL);
	peer_expect(&r, "SIP/2.0 200 ");
	dialog_send(&d, "UPDATE", 11, "e2", PEER_DOMAIN, "", NULL);
	peer_expect(&r, "SIP/2.0 200 ");
	dialog_send(&d, "UPDATE", 12, "e3", PEER_DOMAIN, "", peer_sdp_b);
	peer_expect(&r, "SIP/2.0 491 ");
	dialog_send(&d, "INFO", 13, "e4", "evil.example", "", NULL);
	peer_expect(&r, "SIP/2.0 403 ");
	dialog_of_invite(&d, &m, "unheard-of");
	dialog_send(&d, "INFO", 10, "e5", PEER_DOMAIN, "", NULL);
	peer_expect(&r, "SIP/2.0 481 ");
	assert_string_equal(peer_call_last()->trace, "ringing ");
}

/* Hang-ups with the peer's words, and a BYE that is never answered. */
static void bye(void **state)
{
	struct dialog d;
	struct message m;
	struct leg *leg;

	(void)state;
	peer_call_out_talking(&d);
	dialog_send(&d, "BYE", 101, "bye", PEER_DOMAIN,
		    "Reason: SIP;cause=488;text=\"no codec\"\n", NULL);
	peer_expect(&m, "SIP/2.0 200 ");
	assert_string_equal(peer_call_last()->trace, "answer ended(media) ");
	assert_string_equal(peer_call_last()->cause.text, "no codec");

	leg = peer_call_out_talking(&d);
	peer_end(leg, CAUSE_MEDIA);
	peer_expect(&m, "BYE ");
	assert_non_null(strstr(HEADER(&m, "Reason"), "SIP;cause=488;text="));
	assert_int_equal(list_count(&peer->sip->legs), 1);
	peer_advance_ms(41000);
	assert_int_equal(list_count(&peer->sip->legs), 0);
}

/* Identity values of the invite travel as they are; one with a line break does not. */
static void identity(void **state)
{
	char one[] = "eyJ.a.b;info=<https://c.example/>;alg=ES256",
	     evil[] = "evil\r\nX: 1", two[] = "two";
	char *values[] = {one, evil, two, NULL};
	struct party from = {.name = "", .identityv = values};
	struct addr to;
	struct invite *invite = NULL;
	struct body *sdp = peer_body(peer_sdp_a);
	struct leg *leg = NULL;
	struct call *call = &peer->callv[peer->n_calls++];
	struct message m;

	(void)state;
	addr_parse(&from.addr, "alice@" PEER_SITE, strlen("alice@" PEER_SITE));
	addr_parse(&to, "bob@" PEER_DOMAIN, strlen("bob@" PEER_DOMAIN));
	assert_int_equal(invite_alloc(&invite, &from, &to, sdp, 5), 0);
	mem_deref(sdp);
	assert_int_equal(peer->core.federation->leg_alloc(
				 &leg, peer->sip, call,
				 core_site_find(&peer->core, PEER_SITE), PEER_DOMAIN),
			 0);
	call->leg = leg;
	call->invite = invite;
	assert_int_equal(leg->ops->invite(leg, invite), 0);
	peer_expect(&m, "INVITE ");
	assert_string_equal(HEADER(&m, "Identity"), values[0]);
	assert_string_equal(message_header(&m, "Identity", 1, (char[100]){0}, 100),
			    "two");
	assert_string_equal(HEADER(&m, "X"), "");
	assert_int_equal(strncmp(HEADER(&m, "From"), "<sip:alice@", 11), 0);
	assert_string_equal(HEADER(&m, "Max-Forwards"), "5");
}

/* The connection breaks with the INVITE on it, and nothing was heard: the next target (RFC 3263 §4.3). After a
 * 180 it is over. */
static void broken_after_sent(void **state)
{
	static const char broke[] =
		"Reason: X-EDGE;cause=503;text=\"peer.example could not be reached: it broke\"\n";
	struct message m, r;

	(void)state;
	peer_call_out();
	peer_expect(&m, "INVITE ");
	peer_event(EDGE_SENT, message_token(&m), "192.0.2.1:5061", NULL);
	message_answer(&m, 503, "Unavailable", "x", broke, NULL);
	peer_expect(&r, "ACK ");
	peer_expect(&m, "INVITE ");
	assert_non_null(strstr(HEADER(&m, JOINT_HEADER), ";skip=192.0.2.1:5061"));
	peer_event(EDGE_SENT, message_token(&m), "192.0.2.2:5061", NULL);
	message_answer(&m, 180, "Ringing", "r", CONTACT, NULL);
	message_answer(&m, 503, "Unavailable", "x", broke, NULL);
	peer_expect(&r, "ACK ");
	assert_true(peer_quiet());
	assert_string_equal(peer_call_last()->trace, "ringing ended(unreachable) ");
	assert_string_equal(peer_call_last()->cause.text,
			    "peer.example could not be reached: it broke");
}

/* More forks than are kept: a 200 of one too many is acknowledged all the same, and ended. */
static void too_many_forks(void **state)
{
	struct message m, r;
	char tag[16];

	(void)state;
	peer_call_out();
	peer_expect(&m, "INVITE ");
	for (unsigned i = 0; i < 40; i++) {
		snprintf(tag, sizeof(tag), "f%u", i);
		message_answer(&m, 180, "Ringing", tag, CONTACT, NULL);
		peer_settle();
	}
	message_answer(&m, 200, "OK", "late", CONTACT, peer_sdp_b);
	peer_expect(&r, "ACK ");
	assert_non_null(strstr(HEADER(&r, "To"), ";tag=late"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, peer_setup, peer_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(talk),
		T(refusals),
		T(forks),
		T(no_answer_in_200),
		T(cancel),
		T(cancel_crosses_200),
		T(silence),
		T(session_too_short),
		T(blocked),
		T(early_requests),
		T(bye),
		T(identity),
		T(broken_after_sent),
		T(too_many_forks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
