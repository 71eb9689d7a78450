/* test_sip_leg_in.c - calls from a peer.   peer ══ INVITE ══► leg ──► call */
#include "tests/unit/sip/sip_peer.h"

static void answer(struct leg *leg, const char *sdp)
{
	struct body *b = peer_body(sdp);

	assert_int_equal(leg->ops->answer(leg, b), 0);
	mem_deref(b);
}

/* INVITE, 100, 180 (reliable), PRACK, 200, ACK, BYE from the peer: headers, party, SDP byte for byte. */
static void talk(void **state)
{
	struct dialog d;
	struct message m;
	struct call *call;
	struct leg *leg = peer_call_in(&d);
	char rseq[40];

	(void)state;
	call = peer_call_last();
	assert_string_equal(call->peer, PEER_DOMAIN);
	assert_string_equal(call->invite->from.addr.user, "bob");
	assert_string_equal(call->invite->from.addr.host, PEER_DOMAIN);
	assert_string_equal(call->invite->from.name, "Bob B.");
	assert_true(call->invite->from.site_verified);
	assert_null(call->invite->from.identityv);
	assert_string_equal(call->invite->to.user, "alice");
	assert_int_equal(call->invite->max_forwards, 69);
	assert_string_equal(call->invite->offer->data, peer_sdp_b);

	leg->ops->ringing(leg);
	peer_expect(&m, "SIP/2.0 180 Ringing\r\n");
	assert_string_equal(HEADER(&m, "Require"), "100rel");
	assert_non_null(strstr(HEADER(&m, "Contact"), "@" PEER_SITE ";transport=tls>"));
	assert_int_equal(strlen(message_body(&m)), 0);
	assert_int_equal(
		strncmp(HEADER(&m, JOINT_HEADER), peer->sip->secret, JOINT_SECRET_HEX),
		0);
	dialog_learn(&d, &m);
	assert_non_null(strstr(d.local, ";tag="));
	snprintf(rseq, sizeof(rseq), "RAck: %s 1 INVITE\n", HEADER(&m, "RSeq"));
	dialog_send(&d, "PRACK", 2, "prack", PEER_DOMAIN, rseq, NULL);
	peer_expect(&m, "SIP/2.0 200 OK\r\n");
	leg->ops->ringing(leg); /* a second time: nothing */
	assert_true(peer_quiet());
	leg->ops->accepted(leg);
	assert_true(peer_quiet());

	answer(leg, peer_sdp_a);
	peer_expect(&m, "SIP/2.0 200 OK\r\n");
	assert_string_equal(message_body(&m), peer_sdp_a);
	assert_string_equal(HEADER(&m, "To"), d.local);
	assert_string_equal(HEADER(&m, "Content-Type"), "application/sdp");
	assert_string_equal(HEADER(&m, "Session-Expires"), "1800;refresher=uas");
	dialog_send(&d, "ACK", 1, "ack", PEER_DOMAIN, "", NULL);
	assert_true(peer_quiet());
	peer_advance_ms(40000); /* acknowledged: no repetition, no timeout */
	assert_true(peer_quiet());

	dialog_send(&d, "BYE", 3, "bye", PEER_DOMAIN, "", NULL);
	peer_expect(&m, "SIP/2.0 200 OK\r\n");
	assert_string_equal(call->trace, "ended(hangup) ");
	peer_settle();
	assert_int_equal(list_count(&peer->sip->legs), 0);
}

/* A peer that does not insist on 100rel gets a plain 180. */
static void plain_180(void **state)
{
	struct dialog d;
	struct message m;

	(void)state;
	dialog_init(&d, "plain");
	dialog_send(&d, "INVITE", 1, "p", PEER_DOMAIN, "Supported: 100rel\n", peer_sdp_b);
	peer_expect(&m, "SIP/2.0 100 ");
	peer_call_last()->leg->ops->ringing(peer_call_last()->leg);
	peer_expect(&m, "SIP/2.0 180 ");
	assert_string_equal(HEADER(&m, "Require"), "");
	assert_string_equal(HEADER(&m, "RSeq"), "");
}

/* The call refuses: status, Reason with the words, Retry-After for a limit. */
static void refusals(void **state)
{
	static const struct {
		enum cause_reason reason;
		const char *line;
	} rows[] = {
		{CAUSE_BUSY, "SIP/2.0 486 "},      {CAUSE_DECLINED, "SIP/2.0 603 "},
		{CAUSE_NOT_FOUND, "SIP/2.0 404 "}, {CAUSE_OFFLINE, "SIP/2.0 480 "},
		{CAUSE_LIMIT, "SIP/2.0 503 "},     {CAUSE_MEDIA, "SIP/2.0 488 "},
	};
	struct dialog d;
	struct message m;
	char id[16];

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct cause c;
		char cause[32];

		snprintf(id, sizeof(id), "r%zu", i);
		dialog_init(&d, id);
		dialog_send(&d, "INVITE", 1, id, PEER_DOMAIN, "", peer_sdp_b);
		peer_expect(&m, "SIP/2.0 100 ");
		cause_set(&c, rows[i].reason, NULL);
		peer_end(peer_call_last()->leg, rows[i].reason);
		peer_expect(&m, rows[i].line);
		assert_non_null(strstr(HEADER(&m, "Reason"), c.text));
		snprintf(cause, sizeof(cause), "SIP;cause=%.3s;", rows[i].line + 8);
		assert_non_null(strstr(HEADER(&m, "Reason"), cause));
		assert_int_equal(!!*HEADER(&m, "Retry-After"),
				 rows[i].reason == CAUSE_LIMIT);
		dialog_send(&d, "ACK", 1, id, PEER_DOMAIN, "", NULL);
		assert_true(peer_quiet());
	}
	assert_int_equal(list_count(&peer->sip->legs), 0);
}

static void call_errors(void **state)
{
	static const struct {
		int err;
		const char *line;
	} rows[] = {
		{ENOMEM, "SIP/2.0 500 "},    {ENOSPC, "SIP/2.0 503 "},
		{EAGAIN, "SIP/2.0 503 "},    {EBADMSG, "SIP/2.0 488 "},
		{ECANCELED, "SIP/2.0 503 "},
	};
	struct dialog d;
	struct message m;
	char id[16];

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		peer->call_err = rows[i].err;
		snprintf(id, sizeof(id), "e%zu", i);
		dialog_init(&d, id);
		dialog_send(&d, "INVITE", 1, id, PEER_DOMAIN, "", peer_sdp_b);
		peer_expect(&m, rows[i].line);
		assert_int_equal(list_count(&peer->sip->legs), 0);
	}
}

static void cancel_with(const char *reason, const char *trace)
{
	struct dialog d;
	struct message m;
	struct call *call;

	peer_call_in(&d);
	call = peer_call_last();
	dialog_send(&d, "CANCEL", 1, "in1", PEER_DOMAIN, reason, NULL);
	peer_expect(&m, "SIP/2.0 200 ");
	assert_string_equal(HEADER(&m, "CSeq"), "1 CANCEL");
	peer_expect(&m, "SIP/2.0 487 ");
	assert_string_equal(HEADER(&m, "CSeq"), "1 INVITE");
	assert_true(*HEADER(&m, JOINT_HEADER) != '\0');
	assert_string_equal(call->trace, trace);
	dialog_send(&d, "ACK", 1, "in1", PEER_DOMAIN, "", NULL);
	assert_true(peer_quiet());
}

static void cancelled(void **state)
{
	(void)state;
	cancel_with("", "ended(cancelled) ");
}

static void cancelled_elsewhere(void **state)
{
	(void)state;
	cancel_with("Reason: SIP;cause=200;text=\"Call completed elsewhere\"\n",
		    "ended(elsewhere) ");
}

/* A CANCEL by a connection that does not prove the caller's domain changes nothing. */
static void cancelled_by_another(void **state)
{
	struct dialog d;
	struct message m;
	struct leg *leg = peer_call_in(&d);

	(void)state;
	dialog_send(&d, "CANCEL", 1, "in1", "evil.example", "", NULL);
	peer_expect(&m, "SIP/2.0 200 ");
	assert_true(peer_quiet());
	assert_string_equal(peer_call_last()->trace, "");
	answer(leg, peer_sdp_a);
	peer_expect(&m, "SIP/2.0 200 ");
	assert_string_equal(HEADER(&m, "CSeq"), "1 INVITE");
}

/* Nobody acknowledges the 200: repeated, then BYE and the call is told. */
static void no_ack(void **state)
{
	struct dialog d;
	struct message m;
	struct leg *leg = peer_call_in(&d);
	unsigned n = 0;

	(void)state;
	answer(leg, peer_sdp_a);
	do {
		peer_expect(&m, "");
		n++;
		peer_advance_ms(5000);
	} while (!strncmp(m.text, "SIP/2.0 200", 11) && n < 60);
	assert_true(n > 4);
	assert_int_equal(strncmp(m.text, "BYE ", 4), 0);
	assert_string_equal(peer_call_last()->trace, "ended(lost) ");
	message_answer(&m, 200, "OK", NULL, "", NULL);
	peer_settle();
	assert_int_equal(list_count(&peer->sip->legs), 0);
}

/* The call ends before the ACK: BYE waits for it (RFC 3261 §15). */
static void end_before_ack(void **state)
{
	struct dialog d;
	struct message m;
	struct leg *leg = peer_call_in(&d);

	(void)state;
	answer(leg, peer_sdp_a);
	peer_expect(&m, "SIP/2.0 200 ");
	dialog_learn(&d, &m);
	peer_end(leg, CAUSE_HANGUP);
	assert_true(peer_quiet());
	dialog_send(&d, "ACK", 1, "ack", PEER_DOMAIN, "", NULL);
	peer_expect(&m, "BYE sip:bob@192.0.2.7:5061;transport=tls ");
	assert_non_null(strstr(HEADER(&m, "Reason"), "SIP;cause=200"));
	message_answer(&m, 200, "OK", NULL, "", NULL);
	peer_settle();
	assert_int_equal(list_count(&peer->sip->legs), 0);
}

/* BYE instead of CANCEL on the early dialog: both are answered. */
static void early_bye(void **state)
{
	struct dialog d;
	struct message m;
	struct leg *leg = peer_call_in(&d);

	(void)state;
	leg->ops->ringing(leg);
	peer_expect(&m, "SIP/2.0 180 ");
	dialog_learn(&d, &m);
	dialog_send(&d, "BYE", 2, "bye", PEER_DOMAIN, "", NULL);
	peer_expect(&m, "SIP/2.0 200 ");
	assert_string_equal(HEADER(&m, "CSeq"), "2 BYE");
	peer_expect(&m, "SIP/2.0 487 ");
	assert_string_equal(peer_call_last()->trace, "ended(cancelled) ");
}

/* The reliable 180 is never acknowledged: 5xx, and the call is told (RFC 3262 §3). */
static void no_prack(void **state)
{
	struct dialog d;
	struct message m;
	struct leg *leg = peer_call_in(&d);

	(void)state;
	leg->ops->ringing(leg);
	for (unsigned i = 0; i < 40 && !*peer_call_last()->trace; i++)
		peer_advance_ms(1000);
	assert_string_equal(peer_call_last()->trace, "ended(unreachable) ");
	do
		peer_expect(&m, "SIP/2.0 ");
	while (!strncmp(m.text, "SIP/2.0 180", 11));
	assert_int_equal(strncmp(m.text, "SIP/2.0 503 ", 12), 0);
	peer_settle();
	assert_int_equal(list_count(&peer->sip->legs), 0);
}

/* Requests in the dialog over a connection that does not prove the peer: 403, nothing changes. */
static void dialog_of_another(void **state)
{
	static const char *const methods[] = {"BYE", "INFO", "UPDATE", "INVITE",
					      "OPTIONS"};
	struct dialog d;
	struct message m;
	char branch[16];

	(void)state;
	peer_call_in_talking(&d);
	for (unsigned i = 0; i < N_ELEMS(methods); i++) {
		snprintf(branch, sizeof(branch), "x%u", i);
		dialog_send(&d, methods[i], 10 + i, branch, "evil.example", "",
			    strcmp(methods[i], "INVITE") ? NULL : peer_sdp_c);
		peer_expect(&m, "SIP/2.0 403 ");
	}
	assert_string_equal(peer_call_last()->trace, "");
	dialog_send(&d, "BYE", 20, "bye", PEER_DOMAIN, "", NULL);
	peer_expect(&m, "SIP/2.0 200 ");
	assert_string_equal(peer_call_last()->trace, "ended(hangup) ");
}

/* What else is said in a dialog. */
static void dialog_methods(void **state)
{
	static const struct {
		const char *method, *extra, *body, *line;
	} rows[] = {
		{"OPTIONS", "", NULL, "SIP/2.0 200 "},
		{"INFO", "", NULL, "SIP/2.0 200 "},
		{"INFO", "Content-Type: application/dtmf-relay\n", "Signal=1\r\n",
		 "SIP/2.0 415 "},
		{"MESSAGE", "Content-Type: text/plain\n", "hi", "SIP/2.0 405 "},
		{"REFER", "Refer-To: <sip:carol@peer.example>\n", NULL, "SIP/2.0 405 "},
		{"NOTIFY", "Event: refer\nSubscription-State: active\n", NULL,
		 "SIP/2.0 405 "},
		{"FROB", "", NULL, "SIP/2.0 501 "},
		{"UPDATE", "", NULL, "SIP/2.0 200 "},
		{"PRACK", "RAck: 1 1 INVITE\n", NULL, "SIP/2.0 481 "},
		{"INFO", "Require: frob\n", NULL, "SIP/2.0 420 "},
		{"INVITE", "", NULL, "SIP/2.0 488 "}, /* a late offer */
	};
	struct dialog d;
	struct message m;
	char branch[16];

	(void)state;
	peer_call_in_talking(&d);
	for (unsigned i = 0; i < N_ELEMS(rows); i++) {
		snprintf(branch, sizeof(branch), "m%u", i);
		dialog_send(&d, rows[i].method, 10 + i, branch, PEER_DOMAIN,
			    rows[i].extra, rows[i].body);
		peer_expect(&m, rows[i].line);
		if (!strcmp(rows[i].method, "OPTIONS")) {
			assert_true(*HEADER(&m, "Allow") && *HEADER(&m, "Accept") &&
				    *HEADER(&m, "Supported"));
		}
		if (i == 9)
			assert_string_equal(HEADER(&m, "Unsupported"), "frob");
	}
	assert_string_equal(peer_call_last()->trace, "");
}

/* Identity headers arrive raw, all of them. */
static void identity(void **state)
{
	struct dialog d;
	struct message m;
	char **v;

	(void)state;
	dialog_init(&d, "identity");
	dialog_send(
		&d, "INVITE", 1, "i", PEER_DOMAIN,
		"Identity: eyJ.a.b;info=<https://cert.example/1>;alg=ES256\n"
		"P-Asserted-Identity: <sip:mallory@peer.example>\nIdentity: second;x=\"y, z\"\n",
		peer_sdp_b);
	peer_expect(&m, "SIP/2.0 100 ");
	v = peer_call_last()->invite->from.identityv;
	assert_non_null(v);
	assert_string_equal(v[0], "eyJ.a.b;info=<https://cert.example/1>;alg=ES256");
	assert_string_equal(v[1], "second;x=\"y, z\"");
	assert_null(v[2]);
}

/* The site stops: what comes now is 503, what talks gets BYE, and then the room is done. */
static void stopped(void *arg)
{
	*(bool *)arg = true;
}

static void stop(void **state)
{
	struct dialog d, late;
	struct message m;
	bool done = false;

	(void)state;
	peer_call_in_talking(&d);
	sip_stop(peer->sip, stopped, &done);
	peer->stopped = true; /* for the tear-down */
	assert_string_equal(peer_call_last()->trace, "ended(shutdown) ");
	peer_expect(&m, "BYE ");
	dialog_init(&late, "late");
	dialog_send(&late, "INVITE", 1, "late", PEER_DOMAIN, "", peer_sdp_b);
	struct message refusal;
	peer_expect(&refusal, "SIP/2.0 503 ");
	assert_false(done);
	message_answer(&m, 200, "OK", NULL, "", NULL);
	peer_settle();
	peer_advance_ms(200);
	assert_true(done);
	assert_int_equal(list_count(&peer->sip->legs), 0);
}

/* … even when the peer never answers the BYE. */
static void stop_unanswered(void **state)
{
	struct dialog d;
	struct message m;
	bool done = false;

	(void)state;
	peer_call_in_talking(&d);
	sip_stop(peer->sip, stopped, &done);
	peer->stopped = true;
	peer_expect(&m, "BYE ");
	peer_advance_ms(peer->config.limits.stop_s * 1000 + 100);
	assert_true(done);
}

/* A daemon without SIP listeners: the room is there, and empty. */
static void without_listeners(void **state)
{
	const struct federation_ops *before = peer->core.federation;
	struct sip *empty = NULL;
	bool done = false;

	(void)state;
	peer->config.n_sip = 0;
	assert_int_equal(sip_alloc(&empty, NULL, &peer->core), 0);
	peer->config.n_sip = 1;
	assert_ptr_equal(peer->core.federation, before);
	sip_stop(empty, stopped, &done);
	assert_false(done);
	peer_advance_ms(200);
	assert_true(done);
	mem_deref(empty);
}

#define T(f) cmocka_unit_test_setup_teardown(f, peer_setup, peer_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(talk),
		T(plain_180),
		T(refusals),
		T(call_errors),
		T(cancelled),
		T(cancelled_elsewhere),
		T(cancelled_by_another),
		T(no_ack),
		T(end_before_ack),
		T(early_bye),
		T(no_prack),
		T(dialog_of_another),
		T(dialog_methods),
		T(identity),
		T(stop),
		T(stop_unanswered),
		T(without_listeners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
