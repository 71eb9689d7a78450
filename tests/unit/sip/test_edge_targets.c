/* test_edge_targets.c - from a domain to a connection: a real DNS server, several
 * targets, fail-over, one shared connection, requests inside dialogs.
 *
 *   fake Sofia ──► edge ──► DNS (thread of this test)
 *                    ╘════ TLS ═══► targets on loopback, each a socket of this thread */
#include "tests/unit/sip/edge_world.h"

#include <signal.h>
#include <unistd.h>

#include "tests/unit/sip/edge_dns.h"
#include "lib/log.h"

enum { N_TARGETS = 3 };

static struct edge_world w;
static struct dns_server *dns;
static struct stream sofia, peer;
static char text[WORLD_TEXT], value[WORLD_TEXT], server_text[64];
static char *serverv[2] = {server_text, NULL};
static int listen_fd[N_TARGETS];
static uint16_t port[N_TARGETS];

static void open_world(bool loopback)
{
	uint16_t dns_port;

	world_make(&w);
	w.config.sip_loopback = loopback;
	w.config.limits.dns_s = 1;
	for (size_t i = 0; i < N_TARGETS; i++)
		listen_fd[i] = stream_listen(&port[i]);
	{
		struct dns_rr rrv[] = {
			{DNS_NAPTR_RR, "beta.test", 10, 10, 0, "_sips._tcp.beta.test",
			 false},
			{DNS_SRV_RR, "_sips._tcp.beta.test", 10, 0, port[0],
			 "t1.beta.test", false},
			{DNS_SRV_RR, "_sips._tcp.beta.test", 20, 0, port[1],
			 "t2.beta.test", false},
			{DNS_SRV_RR, "_sips._tcp.beta.test", 30, 0, port[2],
			 "alias.beta.test", false},
			{DNS_A, "t1.beta.test", 0, 0, 0, "127.0.0.1", false},
			{DNS_A, "t2.beta.test", 0, 0, 0, "127.0.0.1", false},
			{DNS_A, "alias.beta.test", 0, 0, 0, "t3.beta.test", true},
			{DNS_A, "t3.beta.test", 0, 0, 0, "127.0.0.1", false},
			{DNS_SRV_RR, "_sips._tcp.one.test", 10, 0, port[2],
			 "t3.beta.test", false},
			{DNS_SRV_RR, "_sips._tcp.none.test", 0, 0, 0, ".", false},
			{DNS_A, "broken.test", 0, 0, 0, "!servfail", false},
			{DNS_SRV_RR, "_sips._tcp.broken.test", 0, 0, 0, "!servfail",
			 false},
			{DNS_A, "silent.test", 0, 0, 0, "!silent", false},
			{DNS_A, "loop.test", 0, 0, 0, "loop2.test", true},
			{DNS_A, "loop2.test", 0, 0, 0, "loop.test", true},
		};

		dns = dns_server_open(rrv, N_ELEMS(rrv), &dns_port);
	}
	snprintf(server_text, sizeof(server_text), "127.0.0.1:%u", dns_port);
	w.config.sip_dnsv = serverv;
	world_start(&w);
	stream_dial(&sofia, edge_inner_port(w.edge));
}

static int begin(void **state)
{
	(void)state;
	open_world(true);
	return 0;
}

static int end(void **state)
{
	(void)state;
	stream_close(&sofia);
	world_end(&w);
	dns_server_close(dns);
	for (size_t i = 0; i < N_TARGETS; i++)
		close(listen_fd[i]);
	return 0;
}

static void sofia_sends(const char *method, unsigned n, const char *joint,
			const char *to_tag, const char *uri, const char *route)
{
	stream_send(
		&sofia,
		"%s %s SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK-%u;rport\r\n%s%s%s%s"
		"From: <sip:a@alpha.test>;tag=1\r\nTo: <sip:b@beta.test>%s\r\nCall-ID: %u\r\nCSeq: 1 %s\r\n"
		"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
		method, uri, n,
		joint ? JOINT_HEADER ": " WORLD_SECRET ";site=alpha.test;token=3;" : "",
		joint ? joint : "", joint ? "\r\n" : "", route, to_tag, n, method);
}

static void accept_as(size_t target, const char *cert)
{
	int r;

	stream_accept(&peer, listen_fd[target]);
	r = stream_tls(&peer, &w, true, cert, NULL);
	assert_int_equal(r, 0);
}

static void at_peer(const char *first)
{
	assert_true(stream_read(&peer, text));
	if (strncmp(text, first, strlen(first)))
		fail_msg("at the peer: %s", text);
}

static void event_of(enum edge_event_kind kind, size_t target, const char *why)
{
	struct edge_event ev;
	char addr[64];

	world_event(&w, kind, &ev);
	snprintf(addr, sizeof(addr), "127.0.0.1:%u", port[target]);
	assert_string_equal(ev.target, addr);
	assert_int_equal(ev.token, 3);
	if (!strstr(ev.why, why))
		fail_msg("why: %s", ev.why);
}

static void peer_answers(const char *status)
{
	char via[WORLD_TEXT], cseq[WORLD_TEXT], call_id[WORLD_TEXT];

	sip_header(via, text, "Via", 0);
	sip_header(cseq, text, "CSeq", 0);
	sip_header(call_id, text, "Call-ID", 0);
	stream_send(
		&peer,
		"SIP/2.0 %s\r\nVia: %s\r\nFrom: <sip:a@alpha.test>;tag=1\r\nTo: <sip:b@beta.test>;tag=9\r\n"
		"Call-ID: %s\r\nCSeq: %s\r\nContent-Length: 0\r\n\r\n",
		status, via, call_id, cseq);
}

/* abuse_096 in small: one resets, one is silent, the third does it, within a second for
 * each. */
static void three_targets(void **state)
{
	struct stream silent;

	(void)state;
	sofia_sends("INVITE", 1, "domain=beta.test", "", "sip:b@beta.test", "");
	stream_accept(&peer, listen_fd[0]);
	stream_reset(&peer);
	stream_accept(&silent, listen_fd[1]);
	accept_as(2, "beta.test");
	/* The name asked for is the domain's, not the SRV target's. */
	assert_string_equal(SSL_get_servername(peer.ssl, TLSEXT_NAMETYPE_host_name),
			    "beta.test");
	at_peer("INVITE");
	event_of(EDGE_FAILED, 0, "");
	event_of(EDGE_FAILED, 1, "the TLS handshake timed out");
	event_of(EDGE_SENT, 2, "");
	peer_answers("200 OK");
	assert_true(stream_read(&sofia, text));
	assert_int_equal(strncmp(text, "SIP/2.0 200 OK", 14), 0);
	/* The next requests take the connection that works and wait for none; the others
	 * are looked at aside. */
	for (unsigned i = 10; i < 20; i++) {
		sofia_sends("OPTIONS", i, "domain=beta.test", "", "sip:b@beta.test", "");
		at_peer("OPTIONS");
		event_of(EDGE_SENT, 2, "");
	}
	assert_true(world_stats(&w).n_dialled <= 5);
	/* The leg had a 503 from the third: it is not to be tried. The others get another
	 * chance then. */
	snprintf(value, sizeof(value), "domain=beta.test;skip=127.0.0.1:%u/127.0.0.1:%u",
		 port[2], port[0]);
	sofia_sends("OPTIONS", 3, value, "", "sip:b@beta.test", "");
	stream_close(&silent);
	stream_accept(&silent, listen_fd[1]);
	stream_close(&silent);
	assert_true(stream_read(&sofia, text));
	expect_reason(text, "the connection during the TLS handshake");
	snprintf(value, sizeof(value),
		 "domain=beta.test;skip=127.0.0.1:%u/127.0.0.1:%u/127.0.0.1:%u", port[2],
		 port[0], port[1]);
	sofia_sends("OPTIONS", 4, value, "", "sip:b@beta.test", "");
	assert_true(stream_read(&sofia, text));
	expect_reason(
		text,
		"beta.test could not be reached: all its addresses have been tried");
	stream_close(&peer);
}

static void names_that_lead_nowhere(void **state)
{
	static const struct {
		const char *domain, *words;
	} cases[] = {
		{"unknown.test",
		 "unknown.test could not be reached: its DNS name does not exist"},
		{"none.test", "its DNS entry says that it has no SIP service"},
		{"broken.test",
		 "its DNS servers cannot be reached or answered with an error"},
		{"silent.test", "its DNS servers did not answer"},
	};

	(void)state;
	for (unsigned i = 0; i < N_ELEMS(cases); i++) {
		snprintf(value, sizeof(value), "domain=%s", cases[i].domain);
		sofia_sends("INVITE", i, value, "", "sip:b@x.test", "");
		assert_true(stream_read(&sofia, text));
		expect_reason(text, cases[i].words);
		sofia_sends("ACK", i, NULL, ";tag=x", "sip:b@x.test", "");
	}
	sofia_sends("INVITE", 99, "domain=loop.test", "", "sip:b@x.test", "");
	assert_true(stream_read(&sofia, text));
	expect_reason(text, "loop.test could not be reached: ");
}

static void private_addresses_are_not_dialled(void **state)
{
	struct stream inbound;

	(void)state;
	open_world(false);
	sofia_sends("OPTIONS", 1, "domain=one.test", "", "sip:b@one.test", "");
	assert_true(stream_read(&sofia, text));
	expect_reason(text, "its DNS entry leads to a private or special address");
	snprintf(value, sizeof(value), "sip:b@127.0.0.1:%u", port[2]);
	sofia_sends("BYE", 2, "domain=beta.test", ";tag=1", value, "");
	assert_true(stream_read(&sofia, text));
	expect_reason(text, "it named a private or special address");
	/* Unless the peer itself is there. */
	peer_dial(&peer, &w, "beta.test", "alpha.test");
	snprintf(value, sizeof(value), "sip:b@127.0.0.1:%u", port[2]);
	sofia_sends("BYE", 3, "domain=beta.test", ";tag=1", value, "");
	inbound = peer;
	accept_as(2, "beta.test");
	at_peer("BYE");
	stream_close(&peer);
	stream_close(&inbound);
	end(state);
}

/* Several requests at once share the one connection that is being dialled, and keep their
 * order. */
static void one_connection_for_all(void **state)
{
	char call_id[16];

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		sofia_sends("OPTIONS", i, "domain=one.test", "", "sip:b@one.test", "");
	world_cert(&w, "one.test", &(struct world_cert){.names = "dns:one.test"});
	accept_as(2, "one.test");
	for (unsigned i = 0; i < 20; i++) {
		at_peer("OPTIONS");
		snprintf(call_id, sizeof(call_id), "%u", i);
		assert_string_equal(sip_header(value, text, "Call-ID", 0), call_id);
	}
	WORLD_AWAIT(&w, n_pending, 20);
	assert_int_equal(world_stats(&w).n_dialled, 1);
	/* All of them hear of its end. */
	stream_reset(&peer);
	for (unsigned i = 0; i < 20; i++) {
		assert_true(stream_read(&sofia, text));
		expect_reason(text, "one.test could not be reached: it ");
	}
}

/* The leg learns what connecting took, since a target's time is for that and its silence together. */
static void the_time_for_connecting_is_told(void **state)
{
	struct edge_event ev;

	(void)state;
	world_cert(&w, "one.test", &(struct world_cert){.names = "dns:one.test"});
	sofia_sends("INVITE", 1, "domain=one.test", "", "sip:b@one.test", "");
	stream_accept(&peer, listen_fd[2]);
	usleep(300000); /* the peer's slowness is what is measured */
	assert_int_equal(stream_tls(&peer, &w, true, "one.test", NULL), 0);
	at_peer("INVITE");
	world_event(&w, EDGE_SENT, &ev);
	assert_in_range(ev.spent_ms, 290, 1000);
	/* By a connection that is there it takes none. */
	sofia_sends("OPTIONS", 2, "domain=one.test", "", "sip:b@one.test", "");
	at_peer("OPTIONS");
	world_event(&w, EDGE_SENT, &ev);
	assert_in_range(ev.spent_ms, 0, 100);
	stream_close(&peer);
}

/* A connection that proved one domain is not lent to another, though the address is the
 * same. */
static void domains_do_not_share(void **state)
{
	struct stream first;

	(void)state;
	world_cert(&w, "one.test", &(struct world_cert){.names = "dns:one.test"});
	sofia_sends("OPTIONS", 1, "domain=one.test", "", "sip:b@one.test", "");
	accept_as(2, "one.test");
	at_peer("OPTIONS");
	first = peer;
	snprintf(value, sizeof(value), "domain=beta.test;skip=127.0.0.1:%u/127.0.0.1:%u",
		 port[0], port[1]);
	sofia_sends("OPTIONS", 2, value, "", "sip:b@beta.test", "");
	stream_accept(&peer, listen_fd[2]);
	(void)stream_tls(&peer, &w, true, "one.test", NULL);
	assert_true(stream_read(&sofia, text));
	expect_reason(
		text,
		"beta.test could not be reached: its certificate is for other names (one.test)");
	stream_close(&peer);
	stream_close(&first);
}

static void a_cancel_while_dialling(void **state)
{
	struct stream silent;

	(void)state;
	sofia_sends("INVITE", 1, "domain=one.test", "", "sip:b@one.test", "");
	stream_accept(&silent, listen_fd[2]);
	sofia_sends("CANCEL", 1, NULL, "", "sip:b@one.test", "");
	assert_true(stream_read(&sofia, text));
	assert_int_equal(strncmp(text, "SIP/2.0 200 ", 12), 0);
	assert_string_equal(sip_header(value, text, "CSeq", 0), "1 CANCEL");
	assert_true(stream_read(&sofia, text));
	assert_int_equal(strncmp(text, "SIP/2.0 487 ", 12), 0);
	assert_string_equal(sip_header(value, text, "CSeq", 0), "1 INVITE");
	stream_close(&silent);
	/* Its hop ACK is absorbed, and nothing comes behind it. */
	sofia_sends("ACK", 1, NULL, ";tag=x", "sip:b@one.test", "");
	sofia_sends("OPTIONS", 2, "domain=unknown.test", "", "sip:b@one.test", "");
	assert_true(stream_read(&sofia, text));
	assert_string_equal(sip_header(value, text, "CSeq", 0), "1 OPTIONS");
}

/* Inside a dialog: top Route, else Request-URI, each to prove itself or the domain. */
static void dialogs_follow_their_route(void **state)
{
	char uri[64], route[128];

	(void)state;
	world_cert(&w, "t3", &(struct world_cert){.names = "dns:t3.beta.test"});
	snprintf(uri, sizeof(uri), "sip:b@127.0.0.1:%u;transport=tls", port[0]);
	snprintf(route, sizeof(route),
		 "Route: <sip:t3.beta.test:%u;lr>, <sip:elsewhere.test;lr>\r\n", port[2]);
	sofia_sends("BYE", 1, "domain=beta.test", ";tag=1", uri, route);
	accept_as(2, "t3");
	assert_string_equal(SSL_get_servername(peer.ssl, TLSEXT_NAMETYPE_host_name),
			    "t3.beta.test");
	snprintf(value, sizeof(value), "BYE %s SIP/2.0\r\n", uri);
	at_peer(value);
	assert_non_null(strstr(text, route));
	stream_close(&peer);
	assert_true(stream_read(&sofia, text));
	/* An address: the domain is what counts. */
	sofia_sends("BYE", 2, "domain=beta.test", ";tag=1", uri, "");
	accept_as(0, "beta.test");
	at_peer("BYE");
	/* The ACK to a 2xx goes the same way, and nobody waits for its answer. */
	sofia_sends("ACK", 3, "domain=beta.test", ";tag=1", uri, "");
	at_peer("ACK");
	WORLD_AWAIT(&w, n_pending, 1);
	stream_close(&peer);
	assert_true(stream_read(&sofia, text));
	/* A stranger's certificate there is refused. */
	sofia_sends("BYE", 4, "domain=beta.test", ";tag=1", uri, "");
	stream_accept(&peer, listen_fd[0]);
	(void)stream_tls(&peer, &w, true, "t3", NULL);
	assert_true(stream_read(&sofia, text));
	expect_reason(text, "its certificate is for other names (t3.beta.test)");
	stream_close(&peer);
	sofia_sends("BYE", 5, "domain=beta.test", ";tag=1",
		    "sip:b@beta.test;transport=udp", "");
	assert_true(stream_read(&sofia, text));
	expect_reason(text, "it asked for UDP");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(three_targets, begin, end),
		cmocka_unit_test_setup_teardown(names_that_lead_nowhere, begin, end),
		cmocka_unit_test(private_addresses_are_not_dialled),
		cmocka_unit_test_setup_teardown(one_connection_for_all, begin, end),
		cmocka_unit_test_setup_teardown(the_time_for_connecting_is_told, begin,
						end),
		cmocka_unit_test_setup_teardown(domains_do_not_share, begin, end),
		cmocka_unit_test_setup_teardown(a_cancel_while_dialling, begin, end),
		cmocka_unit_test_setup_teardown(dialogs_follow_their_route, begin, end),
	};

	alarm(120);
	signal(SIGPIPE, SIG_IGN);
	log_level_set(getenv("EDGE_LOG") ? LOG_DEBUG : LOG_ERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
