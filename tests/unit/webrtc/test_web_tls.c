/* tests/unit/webrtc/test_web_tls.c - TLS of the web thread: certificates by name, swapped while it runs; what
 * is refused before HTTP begins (abuse cases 40 and 101).
 *
 *   OpenSSL client ──► web thread with alpha.localhost and beta.localhost                              */
#include "lib/cert.h"
#include "lib/clock.h"
#include "tests/unit/webrtc/web_peer.h"

#include <setjmp.h>
#include <unistd.h>
#include <cmocka.h>

#define TOKEN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct web w;

static int setup(void **state)
{
	web_init(&w, true);
	web_file(&w, "phone/index.html", "<!doctype html>", 15);
	return 0;
}

static int open_setup(void **state)
{
	setup(state);
	web_open(&w);
	return 0;
}

static int teardown(void **state)
{
	web_close(&w);
	return 0;
}

/* The serial number of the certificate shown for `sni`, which must cover `domain`. */
static char *shown(const char *sni, const char *domain)
{
	struct client *c = client_open_tls(&w, sni, NULL);
	X509 *x;
	BIGNUM *n;
	char *text;

	assert_non_null(c);
	x = SSL_get1_peer_certificate(c->ssl);
	assert_true(cert_covers(x, domain));
	n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
	text = BN_bn2hex(n);
	BN_free(n);
	X509_free(x);
	client_free(c);
	return text;
}

static void each_site_its_own(void **state)
{
	OPENSSL_free(shown("alpha.localhost", "alpha.localhost"));
	OPENSSL_free(shown("BETA.localhost", "beta.localhost"));
	OPENSSL_free(shown(NULL, "alpha.localhost"));
}

static void other_names_get_an_alert(void **state)
{
	static const char *const names[] = {"gamma.localhost", "localhost",
					    "a.alpha.localhost",
					    "alpha.localhost.evil.example"};

	for (size_t i = 0; i < N_ELEMS(names); i++) {
		int alert = 0;

		assert_null(client_open_tls(&w, names[i], &alert));
		assert_int_equal(alert, SSL_AD_UNRECOGNIZED_NAME);
	}
}

static void host_and_name_must_agree(void **state)
{
	struct client *c = client_open_tls(&w, "beta.localhost", NULL);

	client_get(c, &w, "/", NULL); /* Host: alpha.localhost */
	assert_int_equal(client_status(c, true), 421);
	client_free(c);
	c = client_open_tls(&w, "alpha.localhost", NULL);
	client_get(c, &w, "/", NULL);
	assert_int_equal(client_status(c, true), 200);
	assert_true(client_has(c, "Strict-Transport-Security: max-age="));
	assert_true(client_has(c, "connect-src 'self' wss://alpha.localhost"));
	client_free(c);
}

static void cookies_are_bound_to_the_host(void **state)
{
	struct client *c = client_open_tls(&w, "alpha.localhost", NULL);
	struct web_down down = {.kind = WEB_REPLY};
	char origin[64];

	snprintf(origin, sizeof(origin), "Origin: https://alpha.localhost:%u\r\n",
		 w.port);
	client_post(c, &w, "/api/v1/session", origin,
		    "{\"user\":\"alice\",\"password\":\"wonderland\"}");
	down.conn = web_expect(&w, WEB_API)->conn;
	down.reply = api_reply_new(200);
	snprintf(down.reply->token, sizeof(down.reply->token), TOKEN);
	web_post(&w, &down);
	assert_int_equal(client_status(c, true), 200);
	assert_true(client_has(c, "Set-Cookie: __Host-sluss=" TOKEN "; Path=/; "));
	assert_true(client_has(c, "; HttpOnly; SameSite=Strict; Secure\r\n"));
	client_get(c, &w, "/api/v1/session",
		   "Cookie: sluss=" TOKEN "\r\n"); /* could be anybody's */
	assert_int_equal(client_status(c, true), 401);
	client_ws(c, &w, "Cookie: __Host-sluss=" TOKEN "\r\n");
	assert_string_equal(web_expect(&w, WEB_OPENED)->opened.token, TOKEN);
	client_text(c, "{\"type\":\"ping\",\"id\":1}");
	web_expect(&w, WEB_CLIENT);
	client_free(c);
	web_expect(&w, WEB_CLOSED);
}

static void big_messages_both_ways(void **state)
{
	enum { N = 60000 };
	struct client *c = client_open_tls(&w, "alpha.localhost", NULL);
	char *text = malloc(N + 100);
	int at = snprintf(text, 100,
			  "{\"type\":\"offer\",\"id\":1,\"call\":\"c\",\"sdp\":\"");
	const char *p;
	size_t n;

	client_ws(c, &w, NULL);
	uint64_t conn = web_expect(&w, WEB_OPENED)->conn;

	memset(text + at, 'v', N);
	memcpy(text + at + N, "\"}", 2);
	for (int i = 0; i < 5; i++) {
		struct web_down down = {.kind = WEB_SEND,
					.conn = conn,
					.send = server_msg_new(SERVER_OFFER)};

		text[21] = (char)('1' + i);
		client_frame(c, 0x81, text, (size_t)at + N + 2);
		assert_int_equal(web_expect(&w, WEB_CLIENT)->client->sdp->len, N);
		assert_int_equal(body_alloc(&down.send->sdp, text + at, N), 0);
		snprintf(down.send->call, sizeof(down.send->call), "c");
		web_post(&w, &down);
		assert_int_equal(client_hear(c, &p, &n), 1);
		assert_in_range(n, N, N + 100);
	}
	client_free(c);
	free(text);
	web_expect(&w, WEB_CLOSED);
}

static void new_certificates_are_seen(void **state)
{
	struct client *old = client_open_tls(&w, "alpha.localhost", NULL);
	char *first = shown("alpha.localhost", "alpha.localhost"), *now;
	uint64_t until = clock_us() + 5000000;

	web_certificate(&w, "alpha.localhost");
	for (;;) {
		now = shown("alpha.localhost", "alpha.localhost");
		if (strcmp(first, now))
			break;
		OPENSSL_free(now);
		assert_true(clock_us() < until);
	}
	OPENSSL_free(first);
	client_get(old, &w, "/healthz", NULL); /* who was here stays */
	assert_int_equal(client_status(old, true), 200);
	client_free(old);
	web_file(&w, "alpha.localhost.pem", "nonsense",
		 8); /* unusable: the one there is goes on */
	until = clock_us() + 1500000;
	do {
		first = shown("alpha.localhost", "alpha.localhost");
		assert_string_equal(first, now);
		OPENSSL_free(first);
	} while (clock_us() < until);
	OPENSSL_free(now);
}

static void old_versions(void **state)
{
	struct client *c = client_open(&w);
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION);
	c->ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	SSL_set_tlsext_host_name(c->ssl, "alpha.localhost");
	SSL_set_fd(c->ssl, c->fd);
	assert_true(SSL_connect(c->ssl) != 1);
	client_free(c);
}

static void h2_is_not_offered(void **state)
{
	struct client *c = client_open(&w);
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	const unsigned char *chosen;
	unsigned n;

	SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)"\x02h2\x08http/1.1", 12);
	c->ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	SSL_set_tlsext_host_name(c->ssl, "alpha.localhost");
	SSL_set_fd(c->ssl, c->fd);
	assert_int_equal(SSL_connect(c->ssl), 1);
	SSL_get0_alpn_selected(c->ssl, &chosen, &n);
	assert_int_equal(n, 8);
	assert_memory_equal(chosen, "http/1.1", 8);
	client_free(c);
}

/* No ClientHello, half of one, plain HTTP, rubbish: closed in time, others are served. */
static void no_handshake(void **state)
{
	static const char half[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
	struct client *mute, *slow, *plain, *c;
	uint64_t began;

	setup(state);
	w.config.limits.http_handshake_s = 1;
	web_open(&w);
	began = clock_us();
	mute = client_open(&w);
	slow = client_open(&w);
	client_send(slow, half, sizeof(half) - 1);
	plain = client_open(&w);
	client_get(plain, &w, "/", NULL);
	client_closed(plain);
	assert_null(strstr(plain->in, "HTTP/1.1 2"));
	c = client_open_tls(&w, "alpha.localhost", NULL);
	client_get(c, &w, "/healthz", "Connection: close\r\n");
	assert_int_equal(client_status(c, true), 200);
	client_closed(mute);
	client_closed(slow);
	assert_in_range(clock_us() - began, 900000, 3000000);
	client_free(mute);
	client_free(slow);
	client_free(plain);
	client_free(c);
}

static void who_leaves_in_the_handshake(void **state)
{
	static const char half[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

	for (int i = 0; i < 200; i++) {
		struct client *c = client_open(&w);

		client_send(c, half, (size_t)(i % (int)sizeof(half)));
		client_free(c);
	}
	OPENSSL_free(shown("alpha.localhost", "alpha.localhost"));
}

static void a_key_that_cannot_be_read(void **state)
{
	char *why = NULL;

	setup(state);
	web_file(&w, "beta.localhost.key", "nonsense", 8);
	assert_int_equal(mailbox_alloc(&w.up, "test", sizeof(struct web_up), 64,
				       web_up_clear, NULL, NULL),
			 0);
	assert_true(web_server_alloc(&w.server, &why, &w.config, w.up) != 0);
	assert_non_null(why);
	assert_non_null(strstr(why, "beta.localhost.key"));
	assert_null(strchr(why, '\n'));
	mem_deref(why);
	mailbox_free(&w.up);
	web_certificate(&w, "beta.localhost");
	web_open(&w);
}

static void a_port_in_use(void **state)
{
	struct server *second;
	char *why = NULL;

	assert_int_equal(web_server_alloc(&second, &why, &w.config, w.up), EADDRINUSE);
	assert_non_null(strstr(why, "127.0.0.1"));
	assert_null(strchr(why, '\n'));
	mem_deref(why);
}

#define TEST(f)  cmocka_unit_test_setup_teardown(f, open_setup, teardown)
#define OPENS(f) cmocka_unit_test_setup_teardown(f, NULL, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(each_site_its_own),
		TEST(other_names_get_an_alert),
		TEST(host_and_name_must_agree),
		TEST(cookies_are_bound_to_the_host),
		TEST(big_messages_both_ways),
		TEST(new_certificates_are_seen),
		TEST(old_versions),
		TEST(h2_is_not_offered),
		OPENS(no_handshake),
		TEST(who_leaves_in_the_handshake),
		OPENS(a_key_that_cannot_be_read),
		TEST(a_port_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
