/* test_edge_outwards.c - from Sofia to the peers through a real edge: Via, CANCEL and
 * ACK, connections that end, who may answer; and strangers on the joint, who get nothing.
 *
 *   peer ◄═ TLS ═══ edge ◄─ its own connection ── fake Sofia */
#include "tests/unit/sip/edge_talk.h"

#include <signal.h>
#include <unistd.h>

#include "lib/log.h"

/* ---- strangers on the joint ---- */

static void strangers_get_nothing(void **state)
{
	static const char *const cases[] = {
		/* no secret; a wrong one; one behind it; twice */
		"OPTIONS sip:b@beta.test SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK1\r\n" TAIL(
			"1", "OPTIONS") "l: 0\r\n\r\n",
		"OPTIONS sip:b@beta.test SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK1\r\n" JOINT_HEADER
		": 00112233445566778899aabbccddeefe;site=alpha.test;domain=beta.test\r\n" TAIL(
			"1", "OPTIONS") "l: 0\r\n\r\n",
		"OPTIONS sip:b@beta.test SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK1\r\n" JOINT_HEADER
		": " WORLD_SECRET ";site=alpha.test;domain=beta.test\r\n" JOINT_HEADER
		": " WORLD_SECRET "\r\n" TAIL("1", "OPTIONS") "l: 0\r\n\r\n",
		"CANCEL sip:b@beta.test SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK1\r\n" TAIL(
			"1", "CANCEL") "l: "
				       "0\r\n\r\n",
		"ACK sip:b@beta.test SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK1\r\n" TAIL(
			"1", "ACK") "l: 0\r\n\r\n",
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK1;c=1.1;m=00\r\n" TAIL(
			"1", "OPTIONS") "l: 0\r\n\r\n",
		"\r\n\r\nno SIP at all\r\n\r\n",
	};

	(void)state;
	peer_dial(&peer, &w, "beta.test", "alpha.test");
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		stream_dial(&to_edge, edge_inner_port(w.edge));
		stream_send(&to_edge, "%s", cases[i]);
		stream_expect_end(&to_edge);
		stream_close(&to_edge);
	}
	WORLD_AWAIT(&w, n_dropped_secret, N_ELEMS(cases) - 1);
	assert_int_equal(world_stats(&w).n_dialled, 0);
	assert_int_equal(world_stats(&w).n_out, 0);
	stream_close(&peer);
}

/* Many of them do not keep Sofia out. */
static void strangers_leave_room(void **state)
{
	static struct stream sv[100];

	(void)state;
	for (size_t i = 0; i < N_ELEMS(sv); i++)
		stream_dial(&sv[i], edge_inner_port(w.edge));
	stream_dial(&to_edge, edge_inner_port(w.edge));
	sofia_sends("OPTIONS", "z9hG4bKroom", TO_BETA, B_TO, B_URI);
	peer_accepts();
	at_peer("OPTIONS");
	for (size_t i = 0; i < N_ELEMS(sv); i++)
		stream_close(&sv[i]);
	stream_close(&to_edge);
	stream_close(&peer);
}

/* ---- from Sofia ---- */

static void requests_and_responses_outwards(void **state)
{
	struct edge_event ev;
	char before[WORLD_TEXT];

	(void)state;
	stream_dial(&to_edge, edge_inner_port(w.edge));
	sofia_sends("OPTIONS", "z9hG4bKx", TO_BETA, B_TO, B_URI);
	peer_accepts();
	at_peer("OPTIONS sip:b@beta.test SIP/2.0\r\nVia: SIP/2.0/TLS alpha.test:");
	world_event(&w, EDGE_PEER, &ev);
	assert_true(ev.up);
	assert_int_equal(ev.n_conns, 1);
	world_event(&w, EDGE_SENT, &ev);
	assert_int_equal(ev.token, 5);
	assert_string_equal(ev.domain, "beta.test");
	assert_int_equal(strncmp(ev.target, "127.0.0.1:", 10), 0);
	snprintf(other, sizeof(other), "SIP/2.0/TLS alpha.test:%u;branch=z9hG4bK",
		 world_port(&w, 0));
	sip_header(value, text, "Via", 0);
	assert_int_equal(strncmp(value, other, strlen(other)), 0);
	assert_string_equal(sip_header(value, text, "Via", 1), "");
	/* Sofia's branch is its own affair; the private header too. */
	assert_null(strstr(text, "z9hG4bKx"));
	assert_null(strstr(text, WORLD_SECRET));
	assert_string_equal(sip_header(value, text, JOINT_HEADER, 0), "");
	assert_string_equal(sip_header(value, text, "x-sluss-edge2", 0), "stays");
	assert_string_equal(strstr(text, "\r\n\r\n") + 4, "hi");
	strcpy(before, text);
	/* Two Vias: not for us (RFC 3261 8.1.3.3). Somebody else's branch: neither. */
	peer_answers(before, "200 Two",
		     "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK2\r\n", "");
	peer_answers(before, "100 Trying", "",
		     JOINT_HEADER ": " WORLD_SECRET ";names=evil.test\r\n");
	assert_true(stream_read(&to_edge, text));
	assert_int_equal(strncmp(text,
				 "SIP/2.0 100 Trying\r\n" JOINT_HEADER ": " WORLD_SECRET
				 ";conn=1.1;",
				 70),
			 0);
	assert_string_equal(sip_header(value, text, "Via", 0),
			    "SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKx;rport");
	assert_string_equal(sip_header(value, text, JOINT_HEADER, 1), "");
	assert_null(strstr(text, "evil"));
	peer_answers(before, "200 OK", "", "");
	assert_true(stream_read(&to_edge, text));
	assert_non_null(strstr(text, ";via=tls;names=beta.test\r\n"));
	/* It is over: another final is nobody's. The connection serves the next request.
	 * */
	peer_answers(before, "200 Again", "", "");
	sofia_sends("OPTIONS", "z9hG4bKy", TO_BETA, B_TO, B_URI);
	at_peer("OPTIONS");
	assert_int_equal(world_stats(&w).n_dialled, 1);
	WORLD_AWAIT(&w, n_pending, 1);
	stream_close(&peer);
	assert_true(stream_read(&to_edge, text));
	expect_reason(text, "it closed the connection");
	assert_string_equal(sip_header(value, text, "Via", 0),
			    "SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKy;rport");
	stream_close(&to_edge);
}

/* Sofia's CANCEL and its ACK to a refusal have only the branch: they go where the INVITE
 * went. */
static void cancel_and_hop_ack_outwards(void **state)
{
	const char *branch, *hop;
	char invite[WORLD_TEXT];

	(void)state;
	stream_dial(&to_edge, edge_inner_port(w.edge));
	sofia_sends("INVITE", "z9hG4bKi", TO_BETA, B_TO, B_URI);
	peer_accepts();
	at_peer("INVITE");
	strcpy(invite, text);
	branch = branch_of(invite);
	peer_answers(invite, "180 Ringing", "", "");
	assert_true(stream_read(&to_edge, text));
	sofia_sends("CANCEL", "z9hG4bKi", NULL, B_TO, B_URI);
	at_peer("CANCEL sip:b@beta.test SIP/2.0\r\nVia: SIP/2.0/TLS alpha.test:");
	assert_string_equal(branch_of(text), branch);
	peer_answers(text, "200 Cancelling", "", "");
	assert_true(stream_read(&to_edge, text));
	assert_int_equal(strncmp(text, "SIP/2.0 200 Cancelling", 22), 0);
	assert_string_equal(sip_header(value, text, "Via", 0),
			    "SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKi;rport");
	peer_answers(invite, "487 Terminated", "", "");
	assert_true(stream_read(&to_edge, text));
	sofia_sends("ACK", "z9hG4bKi", NULL, B_TO ";tag=9", B_URI);
	at_peer("ACK");
	assert_string_equal(branch_of(text), branch);
	/* The ACK to a 2xx carries the header and becomes a transaction of its own,
	 * though NTA gives it the INVITE's branch. */
	sofia_sends("ACK", "z9hG4bKi", TO_BETA, B_TO ";tag=9", B_URI);
	at_peer("ACK");
	hop = branch_of(text);
	assert_string_not_equal(hop, branch);
	sofia_sends("ACK", "z9hG4bKi", TO_BETA, B_TO ";tag=10", B_URI);
	at_peer("ACK");
	assert_string_not_equal(branch_of(text), hop);
	/* A CANCEL of nothing is answered here. */
	sofia_sends("CANCEL", "z9hG4bKnothing", WORLD_SECRET, B_TO, B_URI);
	assert_true(stream_read(&to_edge, text));
	assert_int_equal(strncmp(text, "SIP/2.0 481 ", 12), 0);
	stream_close(&to_edge);
	stream_close(&peer);
}

/* 7 of nta-edge.md: the leg hears at once when a connection breaks, at any stage, by FIN
 * or RST. */
static void lost_connections_are_told(void **state)
{
	char invite[WORLD_TEXT], branch[32];

	(void)state;
	stream_dial(&to_edge, edge_inner_port(w.edge));
	for (unsigned i = 0; i < 4; i++) {
		snprintf(branch, sizeof(branch), "z9hG4bKl%u", i);
		sofia_sends("INVITE", branch, TO_BETA, B_TO, B_URI);
		peer_accepts();
		at_peer("INVITE");
		strcpy(invite, text);
		if (i & 1) {
			peer_answers(invite, "180 Ringing", "", "");
			assert_true(stream_read(&to_edge, text));
		}
		if (i & 2)
			stream_reset(&peer);
		else
			stream_close(&peer);
		assert_true(stream_read(&to_edge, text));
		expect_reason(text, "beta.test could not be reached: it ");
		/* NTA acknowledges our 503; that goes no further. */
		sofia_sends("ACK", branch, NULL, B_TO, B_URI);
	}
	/* It still works. */
	sofia_sends("OPTIONS", "z9hG4bKlast", TO_BETA, B_TO, B_URI);
	peer_accepts();
	at_peer("OPTIONS");
	stream_close(&peer);
	stream_close(&to_edge);
}

/* A response must come from whom the request went to. */
static void others_cannot_answer(void **state)
{
	struct stream asked;

	(void)state;
	world_cert(&w, "evil.test", &(struct world_cert){.names = "dns:evil.test"});
	stream_dial(&to_edge, edge_inner_port(w.edge));
	sofia_sends("OPTIONS", "z9hG4bKo", TO_BETA, B_TO, B_URI);
	peer_accepts();
	at_peer("OPTIONS");
	strcpy(other, text);
	asked = peer;
	peer_dial(&peer, &w, "evil.test", "alpha.test");
	peer_answers(other, "200 Evil", "", "");
	stream_send(&peer, "\r\n\r\n");
	assert_int_equal(SSL_read(peer.ssl, text, 2), 2);
	stream_close(&peer);
	/* The peer's own second connection is fine. */
	peer_dial(&peer, &w, "beta.test", "alpha.test");
	peer_answers(other, "200 Good", "", "");
	assert_true(stream_read(&to_edge, text));
	assert_int_equal(strncmp(text, "SIP/2.0 200 Good", 16), 0);
	stream_close(&peer);
	stream_close(&asked);
	stream_close(&to_edge);
}

static void plain_tcp_where_configured(void **state)
{
	(void)state;
	stream_dial(&to_edge, edge_inner_port(w.edge));
	sofia_sends("OPTIONS", "z9hG4bKt",
		    WORLD_SECRET ";site=gamma.test;domain=plain.test", B_TO,
		    "sip:b@plain.test");
	stream_accept(&peer, listen_fd);
	at_peer("OPTIONS sip:b@plain.test SIP/2.0\r\nVia: SIP/2.0/TCP gamma.test:");
	peer_answers(text, "200 OK", "", "");
	assert_true(stream_read(&to_edge, text));
	assert_non_null(strstr(text, ";via=tcp;names=\r\n"));
	stream_close(&peer);
	stream_dial(&peer, world_port(&w, 1));
	stream_send(&peer, IN("OPTIONS", "1", "tcp"));
	at_sofia("OPTIONS");
	assert_non_null(strstr(text, ";via=tcp;names=\r\n"));
	stream_close(&peer);
	stream_close(&to_edge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(strangers_get_nothing, talk_begin,
						talk_end),
		cmocka_unit_test_setup_teardown(strangers_leave_room, talk_begin,
						talk_end),
		cmocka_unit_test_setup_teardown(requests_and_responses_outwards,
						talk_begin, talk_end),
		cmocka_unit_test_setup_teardown(cancel_and_hop_ack_outwards, talk_begin,
						talk_end),
		cmocka_unit_test_setup_teardown(lost_connections_are_told, talk_begin,
						talk_end),
		cmocka_unit_test_setup_teardown(others_cannot_answer, talk_begin,
						talk_end),
		cmocka_unit_test_setup_teardown(plain_tcp_where_configured, talk_begin,
						talk_end),
	};

	alarm(120);
	signal(SIGPIPE, SIG_IGN);
	log_level_set(getenv("EDGE_LOG") ? LOG_DEBUG : LOG_ERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
