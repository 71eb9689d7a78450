/* test_edge_inwards.c - from the peers to Sofia through a real edge: Via, the private
 * header, CANCEL and ACK, broken streams, caps, a joint that moves on.
 *
 *   peer ══ TLS ══► edge ── our connection ──► fake Sofia */
#include "tests/unit/sip/edge_talk.h"

#include <signal.h>
#include <unistd.h>

#include "lib/log.h"

static void requests_and_responses_inwards(void **state)
{
	(void)state;
	peer_dial(&peer, &w, "beta.test", "alpha.test");
	stream_send(
		&peer,
		"INVITE  sip:a@alpha.test SIP/2.0 \r\nX-sluss-EDGE : " WORLD_SECRET
		";names=evil.test\r\n"
		"v:SIP/2.0/TLS beta.test:5061;branch=z9hG4bKp;rport, SIP/2.0/TLS c.test;branch=z\r\n" TAIL(
			"1",
			"INVITE") "X-Sluss-Edge: again\r\nSubject: fold\r\n ed\r\nl: 4\r\n\r\nbody");
	at_sofia("INVITE sip:a@alpha.test SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:");
	sip_header(value, text, JOINT_HEADER, 0);
	snprintf(other, sizeof(other),
		 WORLD_SECRET ";conn=1.1;site=alpha.test;addr=127.0.0.1:");
	assert_int_equal(strncmp(value, other, strlen(other)), 0);
	assert_non_null(strstr(value, ";via=tls;names=beta.test"));
	assert_string_equal(sip_header(value, text, JOINT_HEADER, 1), "");
	assert_null(strstr(text, "evil"));
	sip_header(value, text, "v", 0);
	assert_non_null(strstr(
		value,
		"SIP/2.0/TLS beta.test:5061;branch=z9hG4bKp;received=127.0.0.1;rport="));
	assert_non_null(strstr(value, ", SIP/2.0/TLS c.test;branch=z"));
	assert_non_null(strstr(text, "Subject: fold\r\n ed\r\n"));
	assert_non_null(strstr(text, "Content-Length: 4\r\n\r\nbody"));
	assert_null(strstr(text, "\r\nl:"));
	/* Sofia writes "Via" in full; ours goes, the peer's comes back as it was. */
	snprintf(other, sizeof(other), "%s", text);
	other[strstr(other, "\r\nv:") - other + 2] = '\0';
	strcat(other,
	       "Via: SIP/2.0/TLS beta.test:5061;branch=z9hG4bKp;received=127.0.0.1;rport=7\r\n");
	strcat(other, TAIL("1", "INVITE") "\r\n");
	sofia_answers(&from_edge, other, "180 Ringing",
		      JOINT_HEADER ": " WORLD_SECRET "\r\n");
	at_peer("SIP/2.0 180 Ringing\r\nVia: SIP/2.0/TLS beta.test:5061;branch=z9hG4bKp;received=127.0.0.1;rport=7\r\n"
		"From:");
	assert_null(strcasestr(text, "sluss"));
	/* What NTA sends by itself has no secret; the sealed Via will do. */
	sofia_answers(&from_edge, other, "200 OK", "");
	at_peer("SIP/2.0 200 OK\r\n");
	/* Sofia may also answer over a connection of its own (NTATAG_SERVER_RPORT(0)). */
	stream_dial(&to_edge, edge_inner_port(w.edge));
	sofia_answers(&to_edge, other, "200 OK", "");
	at_peer("SIP/2.0 200 OK\r\n");
	stream_close(&to_edge);
	stream_close(&peer);
}

static void cancel_and_ack_hash_as_their_invite(void **state)
{
	const char *invite, *branch;
	struct stream second;

	(void)state;
	peer_dial(&peer, &w, "beta.test", "alpha.test");
	stream_send(&peer, IN("INVITE", "1", "one"));
	at_sofia("INVITE");
	invite = branch_of(text);
	stream_send(&peer, IN("CANCEL", "1", "one"));
	at_sofia("CANCEL");
	assert_string_equal(branch_of(text), invite);
	stream_send(&peer, IN("ACK", "1", "one"));
	at_sofia("ACK");
	assert_string_equal(branch_of(text), invite);
	stream_send(&peer, IN("ACK", "1", "two"));
	at_sofia("ACK");
	branch = branch_of(text);
	assert_string_not_equal(branch, invite);
	/* Somebody else with the same names gets another one: he cannot cancel this call.
	 * */
	peer_dial(&second, &w, "beta.test", "alpha.test");
	stream_send(&second, IN("CANCEL", "1", "one"));
	at_sofia("CANCEL");
	assert_string_not_equal(branch_of(text), invite);
	stream_close(&second);
	stream_close(&peer);
}

static void what_sofia_must_not_see(void **state)
{
	static const struct {
		const char *request, *answer;
	} cases[] = {
		{"RE%47ISTER sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS b;branch=1\r\n" TAIL(
			 "1", "RE%47ISTER") "l: 0\r\n\r\n",
		 "SIP/2.0 501 "},
		{"OPTIONS sip:a@b SIP/7.0\r\nVia: SIP/7.0/TLS b;branch=1\r\n" TAIL(
			 "1", "OPTIONS") "l: 0\r\n\r\n",
		 "SIP/2.0 505 "},
		{"OPTIONS soap:x SIP/2.0\r\nVia: SIP/2.0/TLS b;branch=1\r\n" TAIL(
			 "1", "OPTIONS") "l: 0\r\n\r\n",
		 "SIP/2.0 416 "},
		{"OPTIONS sip:a@b; lr SIP/2.0\r\nVia: SIP/2.0/TLS b;branch=1\r\n" TAIL(
			 "1", "OPTIONS") "l: 0\r\n\r\n",
		 "SIP/2.0 400 "},
		{"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS b;branch=1\r\n" TAIL(
			 "1", "INVITE") "l: 0\r\n\r\n",
		 "SIP/2.0 400 "},
		{"OPTIONS sip:a%4@b SIP/2.0\r\nVia: SIP/2.0/TLS b;branch=1\r\n" TAIL(
			 "1", "OPTIONS") "l: 0\r\n\r\n",
		 "SIP/2.0 400 "},
	};

	(void)state;
	peer_dial(&peer, &w, "beta.test", "alpha.test");
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		stream_send(&peer, "%s", cases[i].request);
		at_peer(cases[i].answer);
		assert_string_equal(sip_header(value, text, "Call-ID", 0), "c1");
	}
	/* A bad ACK and a response to nothing get no answer; the connection lives, and a
	 * good request passes. */
	stream_send(&peer,
		    "ACK sip:a%%4@b SIP/2.0\r\nVia: SIP/2.0/TLS b;branch=1\r\n" TAIL(
			    "1", "ACK") "l: 0\r\n\r\n");
	stream_send(
		&peer,
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS alpha.test;branch=z9hG4bK1\r\n" TAIL(
			"1", "INVITE") "l: 0\r\n\r\n");
	stream_send(
		&peer,
		"SIP/2.0 4294967301 better not\r\nVia: SIP/2.0/TLS alpha.test;branch=z9hG4bK1\r\n" TAIL(
			"1", "INVITE") "l: 0\r\n\r\n");
	stream_send(&peer, IN("OPTIONS", "1", "good"));
	at_sofia("OPTIONS");
	assert_string_equal(sip_header(value, text, "CSeq", 0), "1 OPTIONS");
	WORLD_AWAIT(&w, n_in, 1);
	stream_close(&peer);
}

static void broken_streams_end(void **state)
{
	static const struct {
		const char *bytes, *answer; /* "": none */
	} cases[] = {
		{"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS b;branch=1\r\n" TAIL(
			 "1", "OPTIONS") "\r\n",
		 "SIP/2.0 400 "},
		{"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS b;branch=1\r\n" TAIL(
			 "1", "OPTIONS") "l: 1\r\nl: 2\r\n\r\n",
		 "SIP/2.0 400 "},
		{"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS b;branch=1\r\n" TAIL(
			 "1", "OPTIONS") "l: 999999\r\n\r\n",
		 "SIP/2.0 513 "},
		{"OPTIONS sip:a@b SIP/2.0\r\nX: y\nl: 0\r\n\r\n", ""},
		{"GET / HTTP/1.1\r\nHost: alpha.test\r\n\r\n", ""},
		{"\x16\x03\x01", ""},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		peer_dial(&peer, &w, NULL, NULL);
		stream_send(&peer, "%s", cases[i].bytes);
		if (*cases[i].answer)
			at_peer(cases[i].answer);
		stream_expect_end(&peer);
		stream_close(&peer);
	}
	WORLD_AWAIT(&w, n_framing, N_ELEMS(cases));
	assert_int_equal(world_stats(&w).n_in, 0);
}

static void pings_are_answered(void **state)
{
	(void)state;
	peer_dial(&peer, &w, NULL, NULL);
	stream_send(&peer, "\r\n\r\n");
	assert_int_equal(SSL_read(peer.ssl, text, sizeof(text)), 2);
	assert_memory_equal(text, "\r\n", 2);
	/* In two halves, and followed by something. */
	stream_send(&peer, "\r\n");
	stream_send(&peer, "\r\n" IN("OPTIONS", "1", "x"));
	assert_int_equal(SSL_read(peer.ssl, text, sizeof(text)), 2);
	at_sofia("OPTIONS");
	stream_close(&peer);
}

static void a_cap_per_address(void **state)
{
	struct stream s[6];

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		peer_dial(&s[i], &w, NULL, NULL);
	stream_dial(&peer, world_port(&w, 0));
	assert_int_not_equal(stream_tls(&peer, &w, false, NULL, NULL), 0);
	stream_close(&peer);
	stream_close(&s[3]);
	WORLD_AWAIT(&w, n_accepted, 6);
	/* The place is free again as soon as the edge has seen it. */
	for (unsigned tries = 0;; tries++) {
		stream_dial(&peer, world_port(&w, 0));
		if (!stream_tls(&peer, &w, false, NULL, NULL))
			break;
		stream_close(&peer);
		assert_true(tries < 1000);
	}
	stream_close(&peer);
	for (unsigned i = 0; i < 6; i++)
		if (i != 3)
			stream_close(&s[i]);
}

/* The answer to a request whose connection has gone is nobody's, also when the id is in
 * use again. */
static void answers_to_the_gone_are_dropped(void **state)
{
	(void)state;
	peer_dial(&peer, &w, "beta.test", "alpha.test");
	stream_send(&peer, IN("OPTIONS", "1", "gone"));
	at_sofia("OPTIONS");
	assert_non_null(strstr(text, ";conn=1.1;"));
	strcpy(other, text);
	stream_reset(&peer);
	for (unsigned tries = 0; world_stats(&w).n_conns; tries++) {
		assert_true(tries < 2000);
		usleep(1000);
	}
	peer_dial(&peer, &w, "beta.test", "alpha.test");
	stream_send(&peer, IN("OPTIONS", "2", "new"));
	at_sofia("OPTIONS");
	assert_non_null(strstr(text, ";conn=1.2;"));
	sofia_answers(&from_edge, other, "200 Stale", "");
	sofia_answers(&from_edge, text, "200 Fresh", "");
	at_peer("SIP/2.0 200 Fresh");
	stream_close(&peer);
}

/* After a 400 Sofia half-closes the joint: what is under way still arrives, the next goes
 * over a new connection, and who sent the bad message loses his. */
static void the_joint_moves_on(void **state)
{
	struct stream bad;

	(void)state;
	peer_dial(&peer, &w, "beta.test", "alpha.test");
	peer_dial(&bad, &w, NULL, NULL);
	stream_send(&bad, IN("OPTIONS", "1", "bad"));
	at_sofia("OPTIONS");
	strcpy(other, text);
	stream_send(&peer, IN("OPTIONS", "1", "before"));
	sofia_answers(&from_edge, other, "400 Bad", "");
	assert_int_equal(shutdown(from_edge.fd, SHUT_WR), 0);
	at_sofia("OPTIONS");
	assert_int_equal(strncmp(sip_header(value, text, "Via", 1),
				 "SIP/2.0/TLS beta.test:5061;branch=z9hG4bKbefore", 46),
			 0);
	assert_true(stream_read(&bad, text));
	assert_int_equal(strncmp(text, "SIP/2.0 400", 11), 0);
	stream_expect_end(&bad);
	stream_close(&bad);
	stream_send(&peer, IN("OPTIONS", "2", "after"));
	stream_expect_end(&from_edge);
	stream_close(&from_edge);
	up = false;
	at_sofia("OPTIONS");
	/* Reset as a whole: opened again for the next message. */
	stream_reset(&from_edge);
	up = false;
	stream_send(&peer, IN("OPTIONS", "3", "again"));
	usleep(0);
	stream_send(&peer, IN("OPTIONS", "4", "more"));
	at_sofia("OPTIONS");
	stream_close(&peer);
}

/* A peer that asks much and reads nothing is cut off, its answers do not pile up. */
static void who_does_not_read_is_cut_off(void **state)
{
	char big[8001];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	peer_dial(&peer, &w, "beta.test", "alpha.test");
	stream_send(&peer, IN("OPTIONS", "1", "slow"));
	at_sofia("OPTIONS");
	strcpy(other, text);
	snprintf(text, sizeof(text), "X: %s\r\n", big);
	for (unsigned i = 0; world_stats(&w).n_conns; i++) {
		assert_true(i < 10000);
		sofia_answers(&from_edge, other, "180 More", text);
	}
	stream_close(&peer);
}

/* A flood of one who proves nobody: a few requests get to Sofia, the rest is refused on the spot, then the
 * connection ends. Who proves a domain is not held up, though he comes from the same address. */
static void a_flood_of_strangers_stops_at_the_edge(void **state)
{
	enum { RATE = 5, BURST = 4 * RATE, FLOOD = 200 };
	static char flood[FLOOD * 300];
	unsigned refused = 0;
	struct stream stranger;

	(void)state;
	peer_dial(&stranger, &w, NULL, "alpha.test");
	for (unsigned i = 0; i < FLOOD; i++)
		snprintf(flood + strlen(flood), sizeof(flood) - strlen(flood),
			 IN("OPTIONS", "1", "stranger%u"), i);
	stream_send(&stranger, "%s", flood);
	while (stream_read(&stranger, text)) {
		assert_int_equal(strncmp(text, "SIP/2.0 503 ", 12), 0);
		assert_string_equal(sip_header(value, text, "Retry-After", 0), "4");
		refused++;
	}
	stream_close(&stranger);
	assert_int_equal(refused, 100);
	WORLD_AWAIT(&w, n_excess, 100);
	/* What Sofia got of it: the burst, and what has been earned since. */
	for (unsigned i = 0; i < BURST; i++)
		at_sofia("OPTIONS");
	peer_dial(&peer, &w, "beta.test", "alpha.test");
	for (unsigned i = 0; i < FLOOD; i++)
		stream_send(&peer, IN("INVITE", "1", "known%u"), i);
	for (unsigned i = 0, n = 0; i < FLOOD; n++) {
		assert_true(n < FLOOD + BURST); /* some strangers may stand in between */
		assert_true(stream_read(&from_edge, text));
		i += !strncmp(text, "INVITE", 6);
	}
	assert_true(world_stats(&w).n_in <= FLOOD + BURST + 4 * RATE);
	/* Another connection of the stranger's address does not begin anew. ACKs are not answered. */
	peer_dial(&stranger, &w, NULL, "alpha.test");
	for (unsigned i = 0; i < 2 * BURST; i++)
		stream_send(&stranger, IN("ACK", "1", "stranger%u"), i);
	stream_send(&stranger, IN("OPTIONS", "1", "last") IN("OPTIONS", "1", "last2")
				       IN("OPTIONS", "1", "last3"));
	WORLD_AWAIT(&w, n_excess, 100 + BURST / 2);
	stream_close(&stranger);
	stream_close(&peer);
}

static int begin_strict(void **state)
{
	talk_begin_with(5);
	(void)state;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(requests_and_responses_inwards,
						talk_begin, talk_end),
		cmocka_unit_test_setup_teardown(cancel_and_ack_hash_as_their_invite,
						talk_begin, talk_end),
		cmocka_unit_test_setup_teardown(what_sofia_must_not_see, talk_begin,
						talk_end),
		cmocka_unit_test_setup_teardown(broken_streams_end, talk_begin, talk_end),
		cmocka_unit_test_setup_teardown(pings_are_answered, talk_begin, talk_end),
		cmocka_unit_test_setup_teardown(a_cap_per_address, talk_begin, talk_end),
		cmocka_unit_test_setup_teardown(a_flood_of_strangers_stops_at_the_edge,
						begin_strict, talk_end),
		cmocka_unit_test_setup_teardown(answers_to_the_gone_are_dropped,
						talk_begin, talk_end),
		cmocka_unit_test_setup_teardown(the_joint_moves_on, talk_begin, talk_end),
		cmocka_unit_test_setup_teardown(who_does_not_read_is_cut_off, talk_begin,
						talk_end),
	};

	alarm(120);
	signal(SIGPIPE, SIG_IGN);
	log_level_set(getenv("EDGE_LOG") ? LOG_DEBUG : LOG_ERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
