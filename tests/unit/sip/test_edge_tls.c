/* test_edge_tls.c - who may connect and whom the edge connects to: certificates, names,
 * reasons in words, reloading.
 *
 *   peer ══ TLS ══► edge ──► fake Sofia        the peer's certificate becomes names= of the private header
 *   fake Sofia ──► edge ══ TLS ══► peer        the peer's certificate must prove the domain */
#include "tests/unit/sip/edge_world.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <unistd.h>

#include "lib/log.h"

static struct edge_world w;
static struct stream sofia, peer;
static char text[WORLD_TEXT], value[WORLD_TEXT];
static int listen_fd;

#define OPTIONS(branch)                                                                             \
	"OPTIONS sip:a@alpha.test SIP/2.0\r\nVia: SIP/2.0/TLS beta.test:5061;branch=z9hG4bK" branch \
	"\r\nFrom: <sip:b@beta.test>;tag=1\r\nTo: <sip:a@alpha.test>\r\nCall-ID: " branch           \
	"\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"

static int begin(void **state)
{
	uint16_t port;

	(void)state;
	world_make(&w);
	listen_fd = stream_listen(&port);
	world_peer(&w, "beta.test", TRANSPORT_TLS, port);
	world_start(&w);
	return 0;
}

static int end(void **state)
{
	(void)state;
	world_end(&w);
	close(listen_fd);
	return 0;
}

/* ---- they dial ---- */

static void expect_joint(const char *part)
{
	assert_true(stream_read(&sofia, text));
	sip_header(value, text, JOINT_HEADER, 0);
	assert_int_equal(strncmp(value, WORLD_SECRET ";", sizeof(WORLD_SECRET)), 0);
	if (!strstr(value, part))
		fail_msg("%s lacks %s", value, part);
}

static void names_of_clients(void **state)
{
	static const struct {
		struct world_cert cert;
		const char *names;
	} cases[] = {
		{{.names = "dns:beta.test", .eku = "serverAuth"},
		 ";via=tls;names=beta.test"},
		{{.names = "dns:beta.test", .eku = "clientAuth"},
		 ";via=tls;names=beta.test"},
		{{.names = "dns:beta.test", .eku = "1.3.6.1.5.5.7.3.20"},
		 ";via=tls;names=beta.test"},
		{{.names = "dns:beta.test", .eku = "anyExtendedKeyUsage"},
		 ";via=tls;names=beta.test"},
		{{.names = "dns:Beta.TEST dns:b.test"},
		 ";via=tls;names=beta.test/b.test"},
		/* RFC 5922 7.1: with a sip URI, DNS names do not count; no wildcards, no
		 * user part, no CN. */
		{{.names = "sip:beta.test dns:other.test"}, ";via=tls;names=beta.test"},
		{{.names = "dns:*.beta.test dns:b.test"}, ";via=tls;names=b.test"},
		{{.names = "sip:x@beta.test dns:other.test"}, ";via=tls;names="},
		{{.names = NULL}, ";via=tls;names="},
	};
	char branch[32];

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		world_cert(&w, "client", &cases[i].cert);
		peer_dial(&peer, &w, "client", "alpha.test");
		snprintf(branch, sizeof(branch), "%zu", i);
		stream_send(&peer, OPTIONS("x"));
		if (!i)
			stream_accept(&sofia, w.sofia_fd);
		expect_joint(cases[i].names);
		assert_string_equal(strstr(value, ";names="),
				    strstr(cases[i].names, ";names="));
		stream_close(&peer);
	}
	/* No certificate at all: let in, and said so. */
	peer_dial(&peer, &w, NULL, NULL);
	stream_send(&peer, OPTIONS("none"));
	expect_joint(";site=alpha.test;");
	assert_string_equal(strstr(value, ";names="), ";names=");
	stream_close(&peer);
	stream_close(&sofia);
}

/* TLS 1.3: the client learns of its refusal with the first read. */
static void bad_clients_are_refused(void **state)
{
	static const struct {
		struct world_cert cert;
		int alert;
	} cases[] = {
		{{.names = "dns:beta.test", .by = WORLD_FOREIGN}, SSL_AD_UNKNOWN_CA},
		{{.names = "dns:beta.test", .from_days = -20, .to_days = -1},
		 SSL_AD_CERTIFICATE_EXPIRED},
		{{.names = "dns:beta.test", .from_days = 2, .to_days = 20},
		 SSL_AD_BAD_CERTIFICATE},
		{{.names = "dns:beta.test", .eku = "codeSigning"},
		 SSL_AD_UNSUPPORTED_CERTIFICATE},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		int r;

		world_cert(&w, "client", &cases[i].cert);
		stream_dial(&peer, world_port(&w, 0));
		r = stream_tls(&peer, &w, false, "client", "alpha.test");
		if (!r) {
			ERR_clear_error();
			assert_true(SSL_read(peer.ssl, text, 1) <= 0);
			r = ERR_GET_REASON(ERR_peek_error());
		}
		assert_int_equal(r, SSL_AD_REASON_OFFSET + cases[i].alert);
		stream_close(&peer);
	}
	assert_int_equal(world_stats(&w).n_in, 0);
	WORLD_AWAIT(&w, n_handshake_failed, N_ELEMS(cases));
}

static void names_of_ours(void **state)
{
	static const char *const snis[] = {"alpha.test", "gamma.test", "GAMMA.test",
					   "unknown.test", NULL};
	static const char *const shown[] = {"alpha.test", "gamma.test", "gamma.test",
					    "alpha.test", "alpha.test"};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(snis); i++) {
		X509 *cert;

		/* The test trusts the root alone: the chain must have come along. */
		peer_dial(&peer, &w, "beta.test", snis[i]);
		cert = SSL_get0_peer_certificate(peer.ssl);
		assert_int_equal(X509_check_host(cert, shown[i], 0, 0, NULL), 1);
		assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(peer.ssl)), 2);
		stream_send(&peer, OPTIONS("sni"));
		if (!i)
			stream_accept(&sofia, w.sofia_fd);
		snprintf(text, sizeof(text), ";site=%s;", shown[i]);
		expect_joint(strdupa(text));
		stream_close(&peer);
	}
	stream_close(&sofia);
}

static void old_tls_is_refused(void **state)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	(void)state;
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION);
	stream_dial(&peer, world_port(&w, 0));
	peer.ssl = SSL_new(ctx);
	SSL_set_fd(peer.ssl, peer.fd);
	assert_int_not_equal(SSL_connect(peer.ssl), 1);
	stream_close(&peer);
	SSL_CTX_free(ctx);
	/* And something that is no TLS at all. */
	stream_dial(&peer, world_port(&w, 0));
	stream_send(&peer, "OPTIONS sip:a@b SIP/2.0\r\n\r\n");
	while (recv(peer.fd, text, sizeof(text), 0) > 0)
		;
	stream_close(&peer);
	WORLD_AWAIT(&w, n_handshake_failed, 2);
}

/* ---- we dial ---- */

static unsigned n_sent;

static void sofia_sends(const char *domain)
{
	n_sent++;
	stream_send(
		&sofia,
		"OPTIONS sip:b@%s SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK-%u;rport\r\n" JOINT_HEADER
		": " WORLD_SECRET ";site=alpha.test;domain=%s;token=7\r\n"
		"From: <sip:a@alpha.test>;tag=1\r\nTo: <sip:b@%s>\r\nCall-ID: %u\r\nCSeq: 1 OPTIONS\r\n"
		"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
		domain, n_sent, domain, domain, n_sent);
}

static void reasons_in_words(void **state)
{
	static const struct {
		struct world_cert cert;
		const char *words;
	} cases[] = {
		{{.names = "dns:other.test dns:www.beta.test"},
		 "beta.test could not be reached: its certificate is for other names (other.test www.beta.test)"},
		{{.names = "dns:*.test"}, "its certificate is for other names"},
		{{.names = NULL}, "its certificate is for other names"},
		{{.names = "sip:other.test dns:beta.test"},
		 "its certificate is for other names (other.test)"},
		{{.names = "dns:beta.test", .from_days = -30, .to_days = -1},
		 "beta.test could not be reached: its certificate expired yesterday"},
		{{.names = "dns:beta.test", .from_days = -30, .to_days = -10},
		 "its certificate expired 10 days ago"},
		{{.names = "dns:beta.test", .from_days = 2, .to_days = 10},
		 "its certificate is not valid yet"},
		{{.names = "dns:beta.test", .by = WORLD_FOREIGN},
		 "its certificate is not from a trusted authority"},
		{{.names = "dns:beta.test", .eku = "codeSigning"},
		 "its certificate is not meant for this use"},
	};
	struct edge_event ev;

	(void)state;
	stream_dial(&sofia, edge_inner_port(w.edge));
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		world_cert(&w, "server", &cases[i].cert);
		sofia_sends("beta.test");
		stream_accept(&peer, listen_fd);
		(void)stream_tls(&peer, &w, true, "server", NULL);
		assert_true(stream_read(&sofia, text));
		expect_reason(text, cases[i].words);
		sip_header(value, text, JOINT_HEADER, 0);
		assert_string_equal(value, WORLD_SECRET ";site=alpha.test");
		world_event(&w, EDGE_FAILED, &ev);
		assert_int_equal(ev.token, 7);
		assert_non_null(strstr(cases[i].words, ev.why)
					? ev.why
					: strstr(ev.why, "certificate"));
		stream_close(&peer);
	}
	stream_close(&sofia);
}

static void other_failures_in_words(void **state)
{
	struct edge_event ev;

	(void)state;
	stream_dial(&sofia, edge_inner_port(w.edge));
	/* closes in the handshake */
	sofia_sends("beta.test");
	stream_accept(&peer, listen_fd);
	stream_close(&peer);
	assert_true(stream_read(&sofia, text));
	expect_reason(text, "the connection during the TLS handshake");
	/* speaks something else */
	sofia_sends("beta.test");
	stream_accept(&peer, listen_fd);
	stream_send(&peer, "220 mail.beta.test ESMTP ready\r\n");
	assert_true(stream_read(&sofia, text));
	expect_reason(text, "it does not speak TLS there");
	stream_close(&peer);
	/* says nothing */
	sofia_sends("beta.test");
	stream_accept(&peer, listen_fd);
	assert_true(stream_read(&sofia, text));
	expect_reason(text, "the TLS handshake timed out");
	stream_close(&peer);
	/* refuses our certificate: with TLS 1.3 we only hear of it behind our first message */
	world_cert(&w, "beta.test", &(struct world_cert){.names = "dns:beta.test"});
	sofia_sends("beta.test");
	stream_accept(&peer, listen_fd);
	stream_distrusts = true;
	assert_int_not_equal(stream_tls(&peer, &w, true, "beta.test", NULL), 0);
	stream_distrusts = false;
	assert_true(stream_read(&sofia, text));
	expect_reason(text, "it refused our certificate (unknown CA)");
	stream_close(&peer);
	/* takes it, and goes away later */
	sofia_sends("beta.test");
	stream_accept(&peer, listen_fd);
	assert_int_equal(stream_tls(&peer, &w, true, "beta.test", NULL), 0);
	assert_int_equal(X509_check_host(SSL_get0_peer_certificate(peer.ssl),
					 "alpha.test", 0, 0, NULL),
			 1);
	assert_string_equal(SSL_get_servername(peer.ssl, TLSEXT_NAMETYPE_host_name),
			    "beta.test");
	assert_true(stream_read(&peer, text));
	stream_send(&peer, "%s", "\r\n");
	stream_reset(&peer);
	assert_true(stream_read(&sofia, text));
	/* libuv says either, by how the bytes and the RST fall together. */
	expect_reason(text, strstr(text, "it reset") ? "it reset the connection"
						     : "it closed the connection");
	/* nobody there */
	close(listen_fd);
	sofia_sends("beta.test");
	assert_true(stream_read(&sofia, text));
	expect_reason(text, "connection refused");
	/* no such site of ours */
	stream_send(
		&sofia,
		"OPTIONS sip:b@beta.test SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK-nosite\r\n" JOINT_HEADER
		": " WORLD_SECRET ";site=not.test;domain=beta.test;token=9\r\n"
		"From: <sip:a@alpha.test>;tag=1\r\nTo: <sip:b@beta.test>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
		"Content-Length: 0\r\n\r\n");
	assert_true(stream_read(&sofia, text));
	expect_reason(text, "this site is not served here");
	do
		world_event(&w, EDGE_FAILED, &ev);
	while (ev.token != 9);
	stream_close(&sofia);
	listen_fd = -1;
}

/* ---- new certificates ---- */

static void certificates_are_read_again(void **state)
{
	struct stream old;
	long first;
	bool seen = false;

	(void)state;
	peer_dial(&old, &w, "beta.test", "alpha.test");
	first = ASN1_INTEGER_get(
		X509_get0_serialNumber(SSL_get0_peer_certificate(old.ssl)));
	stream_send(&old, OPTIONS("one"));
	stream_accept(&sofia, w.sofia_fd);
	assert_true(stream_read(&sofia, text));
	/* A broken pair changes nothing. */
	snprintf(text, sizeof(text), "echo broken > %s", w.sitev[1].certificate);
	assert_int_equal(system(text), 0);
	world_cert(&w, "alpha.test",
		   &(struct world_cert){.names = "dns:alpha.test",
					.by = WORLD_INTERMEDIATE});
	for (unsigned i = 0; i < 500 && !seen; i++) {
		peer_dial(&peer, &w, "beta.test", "alpha.test");
		seen = ASN1_INTEGER_get(X509_get0_serialNumber(
			       SSL_get0_peer_certificate(peer.ssl))) != first;
		/* Traffic goes on meanwhile, over the old connection and the new one. */
		stream_send(&old, OPTIONS("two"));
		assert_true(stream_read(&sofia, text));
		stream_send(&peer, OPTIONS("three"));
		assert_true(stream_read(&sofia, text));
		stream_close(&peer);
		if (!seen)
			usleep(10000);
	}
	assert_true(seen);
	peer_dial(&peer, &w, "beta.test", "gamma.test");
	assert_int_equal(X509_check_host(SSL_get0_peer_certificate(peer.ssl),
					 "gamma.test", 0, 0, NULL),
			 1);
	stream_close(&peer);
	stream_close(&old);
	stream_close(&sofia);
}

static void what_cannot_start_says_why(void **state)
{
	struct edge_world v;
	struct edge *e = NULL;
	char *why = NULL;

	(void)state;
	world_make(&v);
	assert_int_equal(mailbox_alloc(&v.events, "t", sizeof(struct edge_event), 4, NULL,
				       NULL, NULL),
			 0);
	sa_set_port(&v.sipv[0].sa, world_port(&w, 0));
	assert_int_not_equal(edge_alloc(&e, &why, &v.config, WORLD_SECRET, v.events), 0);
	assert_null(e);
	assert_non_null(strstr(why, "cannot be listened on: address already in use"));
	why = mem_deref(why);
	sa_set_port(&v.sipv[0].sa, 0);
	world_cert(&v, "alpha.test", &(struct world_cert){.names = "dns:other.test"});
	assert_int_not_equal(edge_alloc(&e, &why, &v.config, WORLD_SECRET, v.events), 0);
	assert_non_null(strstr(why, "does not cover alpha.test"));
	why = mem_deref(why);
	world_cert(&v, "alpha.test", &(struct world_cert){.names = "dns:alpha.test"});
	assert_int_equal(truncate(v.config.sip_trust, 0), 0);
	assert_int_not_equal(edge_alloc(&e, &why, &v.config, WORLD_SECRET, v.events), 0);
	assert_non_null(strstr(why, "holds no certificate authority"));
	why = mem_deref(why);
	mailbox_free(&v.events);
	world_end(&v);
}

/* Who says nothing goes: before TLS, and with TLS up but no message. Pings do not count. */
static void the_quiet_are_closed(void **state)
{
	struct edge_world v;
	struct stream mute;

	(void)state;
	world_make(&v);
	v.config.limits.sip_handshake_s = 1;
	v.config.limits.sip_idle_s = 1;
	world_start(&v);
	stream_dial(&mute, world_port(&v, 0));
	stream_expect_end(&mute);
	stream_close(&mute);
	peer_dial(&peer, &v, "beta.test", "alpha.test");
	stream_send(&peer, "\r\n\r\n");
	assert_int_equal(SSL_read(peer.ssl, text, 2), 2);
	stream_expect_end(&peer);
	assert_true(SSL_get_shutdown(peer.ssl) & SSL_RECEIVED_SHUTDOWN);
	stream_close(&peer);
	WORLD_AWAIT(&v, n_handshake_failed, 1);
	world_end(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names_of_clients, begin, end),
		cmocka_unit_test_setup_teardown(bad_clients_are_refused, begin, end),
		cmocka_unit_test_setup_teardown(names_of_ours, begin, end),
		cmocka_unit_test_setup_teardown(old_tls_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(reasons_in_words, begin, end),
		cmocka_unit_test_setup_teardown(other_failures_in_words, begin, end),
		cmocka_unit_test_setup_teardown(certificates_are_read_again, begin, end),
		cmocka_unit_test_setup_teardown(what_cannot_start_says_why, begin, end),
		cmocka_unit_test(the_quiet_are_closed),
	};

	alarm(120);
	signal(SIGPIPE, SIG_IGN);
	log_level_set(getenv("EDGE_LOG") ? LOG_DEBUG : LOG_ERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
