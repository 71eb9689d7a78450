/* tests/unit/webrtc/test_web_abuse.c - what a hostile client may send before it is anybody: lengths that lie,
 * pipelining, foreign upgrades, no HTTP at all, slowness (abuse cases 38 to 40).
 *
 *   raw socket ──► web thread ──► WEB_API; the test answers in the place of the signalling thread */
#include "lib/clock.h"
#include "tests/unit/webrtc/web_peer.h"

#include <poll.h>
#include <setjmp.h>
#include <cmocka.h>

static struct web w;

static int setup(void **state)
{
	web_init(&w, false);
	web_file(&w, "phone/index.html", "<!doctype html>", 15);
	web_file(&w, "sdk/sluss.js", "export {};\n", 11);
	web_file(&w, "openapi.json", "{}", 2);
	web_file(&w, "secret.txt", "secret", 6);
	web_file(&w, "phone/.hidden.js", "hidden", 6);
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

/* One request of its own connection: its status. */
static int once(const char *method, const char *path, const char *lines)
{
	struct client *c = client_open(&w);
	char text[512];
	int status;

	snprintf(text, sizeof(text),
		 "%s %s HTTP/1.1\r\nHost: alpha.localhost:%u\r\n%s\r\n", method, path,
		 w.port, lines);
	client_say(c, text);
	status = client_try_status(c, strcmp(method, "HEAD") != 0);
	client_free(c);
	return status;
}

static void refuse(unsigned status, const char *error)
{
	struct web_down down = {
		.kind = WEB_REPLY, .conn = w.last.conn, .reply = api_reply_new(status)};

	down.reply->error = error;
	web_post(&w, &down);
}

static char own[64];

static const char *origin(void)
{
	snprintf(own, sizeof(own), "Origin: http://alpha.localhost:%u\r\n", w.port);
	return own;
}

static void lengths(void **state)
{
	static const struct {
		const char *lines;
		int status;
	} rows[] = {
		{"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 411},
		{"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello", 411},
		{"\r\n", 411},
		{"Content-Length: -1\r\n\r\n", 400},
		{"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400},
		{"Content-Length: 0x5\r\n\r\nhello", 400},
		{"Content-Length: 99999999\r\n\r\n", 413},
		{"Content-Length: 18446744073709551621\r\n\r\nhello", 400},
		{"Content-Length: 0\r\n\r\n", 400},
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct client *c = client_open(&w);
		char text[256];

		snprintf(text, sizeof(text),
			 "POST /api/v1/session HTTP/1.1\r\nHost: alpha.localhost\r\n%s",
			 rows[i].lines);
		client_say(c, text);
		if (client_status(c, true) != rows[i].status)
			fail_msg("%s: %.12s", rows[i].lines, c->in);
		client_free(c);
	}
	assert_int_equal(once("GET", "/", "Content-Length: 3\r\n"), 400);
	assert_true(web_quiet(&w));
}

/* lws reads the length with atoll() and then hands out what follows without an end: found by throwing bytes. */
static void lengths_that_lws_reads_otherwise(void **state)
{
	static const char *const lengths[] = {"5x", "5 5", "+5", "05,5", " 5"};

	for (size_t i = 0; i < N_ELEMS(lengths); i++) {
		struct client *c = client_open(&w);
		char text[512];

		snprintf(
			text, sizeof(text),
			"GET /healthz HTTP/1.1\r\nHost: alpha.localhost\r\n\r\n"
			"POST /api/v1/session HTTP/1.1\r\nHost: alpha.localhost\r\nContent-Length: %s\r\n\r\n"
			"helloGET /healthz HTTP/1.1\r\nHost: alpha.localhost\r\n\r\n"
			"GET /healthz HTTP/1.1\r\nHost: alpha.localhost\r\n\r\n",
			lengths[i]);
		client_say(c, text);
		assert_int_equal(client_status(c, true), 200);
		assert_int_equal(once("GET", "/healthz", ""), 200);
		client_free(c);
	}
	assert_int_equal(once("PUT", "/", ""), 405);
	assert_int_equal(once("PATCH", "/", "Content-Length: 3\r\n"), 400);
}

static void pipelined(void **state)
{
	struct client *c = client_open(&w);

	client_say(
		c,
		"GET /healthz HTTP/1.1\r\nHost: alpha.localhost\r\n\r\n"
		"GET /sdk/sluss.js HTTP/1.1\r\nHost: alpha.localhost\r\n\r\n"
		"GET /nothing HTTP/1.1\r\nHost: alpha.localhost\r\nConnection: close\r\n\r\n");
	assert_int_equal(client_status(c, true), 200);
	assert_string_equal(strndupa(client_body(c), 3), "ok\n");
	assert_int_equal(client_status(c, true), 200);
	assert_int_equal(client_status(c, true), 404);
	assert_int_equal(client_closed(c), 0);
	client_free(c);
}

/* A second request behind a question that waits for its answer must not be taken for a part of it. */
static void pipelined_behind_a_question(void **state)
{
	struct client *c = client_open(&w);

	client_post(c, &w, "/api/v1/session", origin(),
		    "{\"user\":\"a\",\"password\":\"b\"}");
	client_get(c, &w, "/healthz", NULL);
	web_expect(&w, WEB_API);
	client_get(c, &w, "/healthz", NULL);
	refuse(401, "bad-login");
	assert_int_equal(client_status(c, true), 401);
	client_free(c);
}

/* Case 39: an Upgrade to anything but websocket: never a 101. The first request on a kept connection, then
 * the upgrade, is what makes lws 4.1.6 read what it has freed (CVE-2025-11677). */
static void other_upgrades(void **state)
{
	static const char *const upgrades[] = {
		"foo", "h2c", "TLS/1.0", "HTTP/2.0", "websocket2", "w", "h2c, websocket"};

	for (size_t i = 0; i < N_ELEMS(upgrades); i++)
		for (int kept = 0; kept < 2; kept++) {
			struct client *c = client_open(&w);
			char lines[256];

			if (kept) {
				client_get(c, &w, "/healthz", NULL);
				assert_int_equal(client_status(c, true), 200);
			}
			snprintf(lines, sizeof(lines),
				 "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: %s\r\n"
				 "HTTP2-Settings: AAMAAABkAAQAAP__\r\n",
				 upgrades[i]);
			client_get(c, &w, "/", lines);
			client_closed(c);
			if (strstr(c->in + c->kept, " 101 "))
				fail_msg("%s: %s", upgrades[i], c->in);
			client_free(c);
		}
	assert_int_equal(once("GET", "/healthz", ""), 200);
}

static void not_http(void **state)
{
	static const char *const junk[] = {
		"CONNECT alpha.localhost:443 HTTP/1.1\r\nHost: alpha.localhost\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"GET http://alpha.localhost/healthz HTTP/1.1\r\nHost: alpha.localhost\r\n\r\n",
		"BREW / HTTP/1.1\r\nHost: alpha.localhost\r\n\r\n"};

	for (size_t i = 0; i < N_ELEMS(junk); i++) {
		struct client *c = client_open(&w);

		client_say(c, junk[i]);
		shutdown(c->fd, SHUT_WR);
		client_closed(c);
		assert_null(strstr(c->in, " 200 "));
		assert_null(strstr(c->in, " 101 "));
		client_free(c);
	}
	assert_int_equal(once("GET", "/healthz", ""), 200);
}

static void too_many_headers(void **state)
{
	struct client *c = client_open(&w);
	char *line = malloc(8300);

	client_say(c, "GET / HTTP/1.1\r\nHost: alpha.localhost\r\n");
	memset(line, 'x', 8299);
	memcpy(line, "X-A: ", 5);
	memcpy(line + 8297, "\r\n", 2);
	for (int i = 0; i < 100; i++)
		client_send(c, line, 8299);
	client_say(c, "\r\n");
	client_closed(c);
	assert_null(strstr(c->in, " 200 "));
	client_free(c);
	free(line);
	assert_int_equal(once("GET", "/healthz", ""), 200);
}

static void slow_headers(void **state)
{
	struct client *c;
	uint64_t began;

	setup(state);
	w.config.limits.http_handshake_s = 1;
	web_open(&w);
	c = client_open(&w);
	began = clock_us();
	for (const char *p =
		     "GET / HTTP/1.1\r\nHost: alpha.localhost\r\nX-Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	     *p; p++) {
		struct timeval tv = {.tv_usec = 50000};
		char end;

		client_send(c, p, 1);
		setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
		if (recv(c->fd, &end, 1, 0) == 0)
			break;
	}
	assert_in_range(clock_us() - began, 900000, 2500000);
	client_free(c);
	assert_int_equal(once("GET", "/healthz", ""), 200);
}

static void caps(void **state)
{
	struct client *v[4], *c;

	setup(state);
	w.config.limits.http_conns_per_addr = 4;
	web_open(&w);
	for (size_t i = 0; i < 4; i++) {
		v[i] = client_open(&w);
		client_get(v[i], &w, "/healthz", NULL);
		assert_int_equal(client_status(v[i], true), 200);
	}
	c = client_open(&w);
	assert_int_equal(client_status(c, true), 429);
	assert_int_equal(client_closed(c), 0);
	client_free(c);
	client_get(v[0], &w, "/healthz",
		   "Connection: close\r\n"); /* one goes, one may come */
	assert_int_equal(client_status(v[0], true), 200);
	client_closed(v[0]);
	do {
		c = client_open(&w);
		client_get(c, &w, "/healthz", NULL);
	} while (client_status(c, true) == 429 && (client_free(c), 1));
	client_free(c);
	for (size_t i = 0; i < 4; i++)
		client_free(v[i]);
}

/* Asks for a big file, does not read it, and sends on: must neither be kept nor keep the thread busy. */
static void who_does_not_read(void **state)
{
	enum { BIG = 4 << 20, SMALL = 4096 };
	char *big = calloc(1, BIG);
	struct pollfd hup = {.events = POLLRDHUP};
	struct client *c;
	int n = SMALL;

	web_file(&w, "sdk/big.js", big, BIG);
	free(big);
	c = client_open(&w);
	hup.fd = c->fd;
	setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &n, sizeof(n));
	for (int i = 0; i < 4; i++) { /* more than the kernel's buffers hold */
		client_get(c, &w, "/sdk/big.js", NULL);
		for (int k = 0; k < 20; k++)
			assert_int_equal(once("GET", "/healthz", ""), 200);
	}
	/* it is closed while most of the file is still here */
	assert_true(poll(&hup, 1, 10000) > 0);
	client_free(c);
}

static void idle_connections_go(void **state)
{
	struct client *c;

	setup(state);
	w.config.limits.http_idle_s = 1;
	web_open(&w);
	c = client_open(&w);
	client_get(c, &w, "/healthz", NULL);
	assert_int_equal(client_status(c, true), 200);
	assert_int_equal(client_closed(c), 0);
	client_free(c);
}

#define TEST(f)  cmocka_unit_test_setup_teardown(f, open_setup, teardown)
#define OPENS(f) cmocka_unit_test_setup_teardown(f, NULL, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(lengths),
		TEST(lengths_that_lws_reads_otherwise),
		TEST(pipelined),
		TEST(pipelined_behind_a_question),
		TEST(other_upgrades),
		TEST(not_http),
		TEST(too_many_headers),
		OPENS(slow_headers),
		OPENS(caps),
		TEST(who_does_not_read),
		OPENS(idle_connections_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
