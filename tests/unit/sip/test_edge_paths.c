/* test_edge_paths.c - what happens to messages on both ways through a real edge: Via, the private header, CANCEL and
 * ACK, who may speak on the joint, broken streams, connections that end.
 *
 *   peer ══ TLS ══► edge ── our connection ──► fake Sofia
 *   peer ◄═ TLS ═══ edge ◄─ its own ────────── fake Sofia */
#include "edge_world.h"

#include <signal.h>
#include <unistd.h>

#include "lib/log.h"

static struct edge_world w;
static struct stream from_edge, to_edge, peer; /* Sofia's two connections */
static char text[WORLD_TEXT], value[WORLD_TEXT], other[WORLD_TEXT];
static int listen_fd;
static bool up;

static int begin(void **state)
{
	uint16_t port;

	(void)state;
	world_make(&w);
	listen_fd = stream_listen(&port);
	world_peer(&w, "beta.test", TRANSPORT_TLS, port);
	world_peer(&w, "plain.test", TRANSPORT_TCP, port);
	w.config.limits.sip_conns_per_addr = 6;
	world_start(&w);
	up = false;
	return 0;
}

static int end(void **state)
{
	(void)state;
	if (up)
		stream_close(&from_edge);
	world_end(&w);
	close(listen_fd);
	return 0;
}

/* ---- messages ---- */

#define TAIL(cseq, method)                                                                      \
	"From: <sip:b@beta.test>;tag=1\r\nTo: <sip:a@alpha.test>\r\nCall-ID: c1\r\nCSeq: " cseq \
	" " method "\r\nMax-Forwards: 70\r\n"
#define IN(method, cseq, branch)                                                                    \
	method " sip:a@alpha.test SIP/2.0\r\nVia: SIP/2.0/TLS beta.test:5061;branch=z9hG4bK" branch \
	       ";rport\r\n" TAIL(cseq, method) "Content-Length: 0\r\n\r\n"

static void at_sofia(const char *first)
{
	if (!up)
		stream_accept(&from_edge, w.sofia_fd);
	up = true;
	assert_true(stream_read(&from_edge, text));
	if (strncmp(text, first, strlen(first)))
		fail_msg("at Sofia: %s\nwanted: %s", text, first);
}

static void at_peer(const char *first)
{
	if (!stream_read(&peer, text))
		fail_msg("the peer's connection ended before %s", first);
	if (strncmp(text, first, strlen(first)))
		fail_msg("at the peer: %s\nwanted: %s", text, first);
}

/* Sofia answers what `request` asked, as NTA does: every Via, and rport in the first. */
static void sofia_answers(struct stream *s, const char *request, const char *status,
			  const char *extra)
{
	char via[WORLD_TEXT], vias[2 * WORLD_TEXT] = "";

	for (unsigned i = 0; *sip_header(via, request, "Via", i); i++)
		snprintf(vias + strlen(vias), sizeof(vias) - strlen(vias),
			 "Via: %s%s\r\n", via, i ? "" : ";rport=4444;received=127.0.0.1");
	sip_header(value, request, "CSeq", 0);
	stream_send(
		s,
		"SIP/2.0 %s\r\n%sFrom: <sip:b@beta.test>;tag=1\r\nTo: <sip:a@alpha.test>;tag=2\r\nCall-ID: c1\r\n"
		"CSeq: %s\r\n%sContent-Length: 0\r\n\r\n",
		status, vias, value, extra);
}

static const char *branch_of(const char *message)
{
	static char branchv[16][64];
	static unsigned i;
	const char *p = strstr(sip_header(value, message, "Via", 0), "branch=");
	char *branch = branchv[++i % 16];

	assert_non_null(p);
	snprintf(branch, sizeof(branchv[0]), "%.*s", (int)strcspn(p + 7, ";"), p + 7);
	return branch;
}

static void sofia_sends(const char *method, const char *branch, const char *joint,
			const char *to, const char *uri)
{
	char header[400] = "";

	if (joint)
		snprintf(header, sizeof(header), "%s: %s\r\n", JOINT_HEADER, joint);
	stream_send(
		&to_edge,
		"%s %s SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=%s;rport\r\n%s"
		"From: <sip:a@alpha.test>;tag=1\r\nTo: %s\r\nCall-ID: c2\r\nCSeq: 1 %s\r\nMax-Forwards: 70\r\n"
		"x-sluss-edge2: stays\r\nContent-Length: 2\r\n\r\nhi",
		method, uri, branch, header, to, method);
}

#define TO_BETA WORLD_SECRET ";site=alpha.test;domain=beta.test;token=5"
#define B_URI   "sip:b@beta.test"
#define B_TO    "<sip:b@beta.test>"

static void peer_accepts(void)
{
	stream_accept(&peer, listen_fd);
	assert_int_equal(stream_tls(&peer, &w, true, "beta.test", NULL), 0);
}

static void peer_answers(const char *request, const char *status, const char *vias,
			 const char *extra)
{
	char from[WORLD_TEXT], via[WORLD_TEXT];

	sip_header(from, request, "From", 0);
	sip_header(via, request, "Via", 0);
	sip_header(value, request, "CSeq", 0);
	stream_send(
		&peer,
		"SIP/2.0 %s\r\nVia: %s\r\n%sFrom: %s\r\nTo: <sip:b@beta.test>;tag=9\r\nCall-ID: c2\r\nCSeq: %s\r\n"
		"%sContent-Length: 0\r\n\r\n",
		status, via, vias, from, value, extra);
}

/* ---- from the peer ---- */

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
	/* Somebody else with the same names gets another one: he cannot cancel this call. */
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
	/* A bad ACK and a response to nothing get no answer; the connection lives, and a good request passes. */
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

/* The answer to a request whose connection has gone is nobody's, also when the id is in use again. */
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

/* After a 400 Sofia half-closes the joint: what is under way still arrives, the next goes over a new connection, and
 * who sent the bad message loses his. */
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
	/* It is over: another final is nobody's. The connection serves the next request. */
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

/* Sofia's CANCEL and its ACK to a refusal have only the branch: they go where the INVITE went. */
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
	/* The ACK to a 2xx carries the header and becomes a transaction of its own, though NTA gives it the
	 * INVITE's branch. */
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

/* 7 of nta-edge.md: the leg hears at once when a connection breaks, at any stage, by FIN or RST. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(requests_and_responses_inwards, begin,
						end),
		cmocka_unit_test_setup_teardown(cancel_and_ack_hash_as_their_invite,
						begin, end),
		cmocka_unit_test_setup_teardown(what_sofia_must_not_see, begin, end),
		cmocka_unit_test_setup_teardown(broken_streams_end, begin, end),
		cmocka_unit_test_setup_teardown(pings_are_answered, begin, end),
		cmocka_unit_test_setup_teardown(a_cap_per_address, begin, end),
		cmocka_unit_test_setup_teardown(answers_to_the_gone_are_dropped, begin,
						end),
		cmocka_unit_test_setup_teardown(the_joint_moves_on, begin, end),
		cmocka_unit_test_setup_teardown(strangers_get_nothing, begin, end),
		cmocka_unit_test_setup_teardown(strangers_leave_room, begin, end),
		cmocka_unit_test_setup_teardown(requests_and_responses_outwards, begin,
						end),
		cmocka_unit_test_setup_teardown(cancel_and_hop_ack_outwards, begin, end),
		cmocka_unit_test_setup_teardown(lost_connections_are_told, begin, end),
		cmocka_unit_test_setup_teardown(others_cannot_answer, begin, end),
		cmocka_unit_test_setup_teardown(plain_tcp_where_configured, begin, end),
		cmocka_unit_test_setup_teardown(who_does_not_read_is_cut_off, begin, end),
	};

	alarm(120);
	signal(SIGPIPE, SIG_IGN);
	log_level_set(getenv("EDGE_LOG") ? LOG_DEBUG : LOG_ERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
