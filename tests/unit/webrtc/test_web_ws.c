/* tests/unit/webrtc/test_web_ws.c - the WebSocket side of the web thread against a raw client (abuse cases 37,
 * 38, 41 to 45, 49, 50).
 *
 *   raw frames ──► web thread ──► WEB_OPENED, WEB_CLIENT, WEB_CLOSED ──► the test
 *              ◄──            ◄── WEB_SEND, WEB_CLOSE ◄────────────────                                */
#include "lib/clock.h"
#include "tests/unit/webrtc/web_peer.h"

#include <poll.h>
#include <setjmp.h>
#include <cmocka.h>

#define TOKEN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct web w;

static int setup(void **state)
{
	web_init(&w, false);
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

/* A client whose WebSocket is open; its connection id stays in `conn`. */
static uint64_t conn;

static struct client *opened(const char *lines)
{
	struct client *c = client_open(&w);

	client_ws(c, &w, lines);
	conn = web_expect(&w, WEB_OPENED)->conn;
	return c;
}

static void send_ok(uint64_t to, uint32_t id)
{
	struct web_down down = {
		.kind = WEB_SEND, .conn = to, .send = server_msg_new(SERVER_OK)};

	down.send->id = id;
	web_post(&w, &down);
}

static void hear_text(struct client *c, const char *text)
{
	const char *p = "";
	size_t n = 0;
	int op = client_hear(c, &p, &n);

	if (op != 1 || n != strlen(text) || memcmp(p, text, n))
		fail_msg("frame %d \"%.*s\" instead of %s", op, (int)n, p, text);
}

/* ---- opening ---- */

static void what_comes_through(void **state)
{
	struct client *c = client_open(&w);
	const struct web_up *up;

	client_ws(c, &w, "Cookie: sluss=" TOKEN "\r\n");
	up = web_expect(&w, WEB_OPENED);
	assert_string_equal(up->opened.site->domain, "alpha.localhost");
	assert_string_equal(up->opened.token, TOKEN);
	assert_int_equal(sa_af(&up->opened.from), AF_INET);
	conn = up->conn;
	client_text(c, "{\"type\":\"ping\",\"id\":1}");
	up = web_expect(&w, WEB_CLIENT);
	assert_int_equal(up->conn, conn);
	assert_int_equal(up->client->kind, CLIENT_PING);
	send_ok(conn, 1);
	hear_text(c, "{\"type\":\"ok\",\"id\":1}");
	client_free(c);
	assert_int_equal(web_expect(&w, WEB_CLOSED)->conn, conn);
}

/* `text` with the port for each %u. */
static void with_port(char *dst, size_t size, const char *text)
{
	const char *at;

	*dst = '\0';
	for (; (at = strstr(text, "%u")); text = at + 2) {
		size_t n = strlen(dst);

		snprintf(dst + n, size - n, "%.*s%u", (int)(at - text), text, w.port);
	}
	snprintf(dst + strlen(dst), size - strlen(dst), "%s", text);
}

/* Cases 37 and 38. `lines` replaces what client_ws() says. */
static void who_may_not_open_one(void **state)
{
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define UP  "Connection: Upgrade\r\nUpgrade: websocket\r\n"
#define V13 "Sec-WebSocket-Version: 13\r\n"
#define SUB "Sec-WebSocket-Protocol: sluss.v1\r\n"
#define OWN "Origin: http://alpha.localhost:%u\r\n"
	static const struct {
		const char *path, *lines;
		int status;
	} rows[] = {
		{"/ws", UP V13 KEY SUB, 403}, /* no Origin */
		{"/ws", UP V13 KEY SUB "Origin: null\r\n", 403},
		{"/ws", UP V13 KEY SUB "Origin: http://alpha.localhost\r\n", 403},
		{"/ws", UP V13 KEY SUB "Origin: https://alpha.localhost:%u\r\n", 403},
		{"/ws", UP V13 KEY SUB "Origin: http://beta.localhost:%u\r\n", 403},
		{"/ws", UP V13 KEY SUB "Origin: http://ALPHA.localhost:%u\r\n", 403},
		{"/ws",
		 UP V13 KEY SUB "Origin: http://alpha.localhost.evil.example:%u\r\n",
		 403},
		{"/ws", UP V13 KEY OWN, 400},
		{"/ws", UP V13 KEY OWN "Sec-WebSocket-Protocol: sip\r\n", 400},
		{"/ws", UP V13 KEY OWN "Sec-WebSocket-Protocol: no subprotocol\r\n", 400},
		{"/ws", UP V13 KEY OWN "Sec-WebSocket-Protocol: SLUSS.V1\r\n", 400},
		{"/ws", UP KEY SUB OWN "Sec-WebSocket-Version: 7\r\n", 426},
		{"/ws", UP KEY SUB OWN, 426},
		{"/ws", UP V13 SUB OWN, 400},
		{"/ws", UP V13 SUB OWN "Sec-WebSocket-Key: short\r\n", 400},
		{"/ws", "Upgrade: websocket\r\n" V13 KEY SUB OWN, 400},
		{"/ws", UP V13 KEY SUB OWN "Content-Length: 5\r\n", 400},
		{"/", UP V13 KEY SUB OWN, 404},
		{"/ws/", UP V13 KEY SUB OWN, 404},
		{"/api/v1/session", UP V13 KEY SUB OWN, 404},
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++)
		for (int kept = 0; kept < 2; kept++) {
			struct client *c = client_open(&w);
			char lines[512];

			if (kept) {
				client_get(c, &w, "/healthz", NULL);
				assert_int_equal(client_status(c, true), 200);
			}
			with_port(lines, sizeof(lines), rows[i].lines);
			client_get(c, &w, rows[i].path, lines);
			if (client_status(c, true) != rows[i].status)
				fail_msg("row %zu: %.30s", i, c->in);
			assert_int_equal(client_closed(c), 0);
			client_free(c);
		}
	assert_true(web_quiet(&w));
}

static void other_hosts(void **state)
{
	struct client *c = client_open(&w);
	char text[512];

	snprintf(text, sizeof(text),
		 "GET /ws HTTP/1.1\r\nHost: gamma.localhost:%u\r\n" UP V13 KEY SUB
		 "Origin: http://gamma.localhost:%u\r\n\r\n",
		 w.port, w.port);
	client_say(c, text);
	assert_int_equal(client_status(c, true), 421);
	client_free(c);
}

static void listed_origins(void **state)
{
	char app[] = "https://app.example", none[] = "none", *v[] = {app, none, NULL};
	struct client *c;
	char text[512];

	setup(state);
	w.sitev[0].originv = v;
	web_open(&w);
	for (int i = 0; i < 2; i++) {
		c = client_open(&w);
		snprintf(text, sizeof(text),
			 UP V13 KEY "Sec-WebSocket-Protocol: x, sluss.v1\r\n%s",
			 i ? "Origin: https://app.example\r\n" : "");
		client_get(c, &w, "/ws", text);
		assert_int_equal(client_status(c, false), 101);
		web_expect(&w, WEB_OPENED);
		client_free(c);
		web_expect(&w, WEB_CLOSED);
	}
}

static void no_compression(void **state)
{
	client_free(opened(
		"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"));
	web_expect(&w, WEB_CLOSED);
}

/* ---- frames ---- */

static void fragments(void **state)
{
	struct client *c = opened(NULL);
	const char *p;
	size_t n;

	client_frame(c, 0x01, "{\"type\":", 8);
	client_frame(c, 0x89, "are you there", 13); /* a ping between */
	assert_int_equal(client_hear(c, &p, &n), 10);
	assert_memory_equal(p, "are you there", 13);
	client_frame(c, 0x00, "\"ping\",", 7);
	client_frame(c, 0x00, "", 0);
	client_frame(c, 0x80, "\"id\":5}", 7);
	assert_int_equal(web_expect(&w, WEB_CLIENT)->client->id, 5);
	/* a character cut in two by a fragment is whole again */
	client_frame(c, 0x01,
		     "{\"type\":\"hello\",\"id\":6,\"version\":1,\"device\":\"\xc3", 46);
	client_frame(c, 0x80, "\xa9\"}", 3);
	assert_string_equal(web_expect(&w, WEB_CLIENT)->client->name, "\xc3\xa9");
	client_free(c);
	web_expect(&w, WEB_CLOSED);
}

static void big_messages(void **state)
{
	enum { SDP = 65536 };
	struct client *c = opened(NULL);
	char *text = malloc(SDP + 200);
	int at = snprintf(text, 200,
			  "{\"type\":\"offer\",\"id\":1,\"call\":\"c\",\"sdp\":\"");

	memset(text + at, 'v', SDP);
	memcpy(text + at + SDP, "\"}", 2);
	client_frame(c, 0x81, text, (size_t)at + SDP + 2);
	assert_int_equal(web_expect(&w, WEB_CLIENT)->client->sdp->len, SDP);
	text[12] = 'x'; /* as big, but bad */
	client_frame(c, 0x81, text, (size_t)at + SDP + 2);
	client_hear(c, &(const char *){NULL}, &(size_t){0});
	assert_non_null(strstr(c->in, "\"error\""));
	client_free(c);
	free(text);
	web_expect(&w, WEB_CLOSED);
}

static void closes(void **state)
{
	enum { MAX = 131072 };
	static const struct {
		uint8_t head;
		const char *p;
		size_t n;
		unsigned code;
	} rows[] = {
		{0x82, "\x01\x02", 2, 1003}, /* binary */
		{0x02, "\x01", 1, 1003},
		{0x81, "\xff", 1, 1007},
		{0x81, "{\"a\":\"\xed\xa0\x80\"}", 11, 1007},
		{0x81, "\xe2\x82", 2, 1007}, /* cut short */
		{0x81, NULL, MAX + 1, 1009}, /* seen by its head alone */
		{0x01, NULL, MAX + 1, 1009},
		{0x83, "x", 1, 1002}, /* no such opcode */
		{0xc1, "x", 1, 1002}, /* compressed, but nobody said so */
		{0x80, "x", 1, 1002}, /* goes on with nothing */
		{0x09, "x", 1, 1002}, /* a ping in pieces */
	};
	char *big = calloc(1, MAX + 1);

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct client *c = opened(NULL);

		client_frame(c, rows[i].head, rows[i].p ? rows[i].p : big, rows[i].n);
		client_hear_close(c, rows[i].code);
		client_free(c);
		web_expect(&w, WEB_CLOSED);
	}
	free(big);
}

static void too_long_in_pieces(void **state)
{
	char piece[16384];
	struct client *c = opened(NULL);

	memset(piece, ' ', sizeof(piece));
	client_frame(c, 0x01, piece, sizeof(piece));
	for (int i = 0; i < 8; i++)
		client_frame(c, 0x00, piece, sizeof(piece));
	client_hear_close(c, 1009);
	client_free(c);
	web_expect(&w, WEB_CLOSED);
}

static void a_flood_of_fragments(void **state)
{
	struct client *c = opened(NULL);

	client_frame(c, 0x01, "", 0);
	for (int i = 0; i < 300; i++)
		client_frame(c, 0x00, "", 0);
	client_hear_close(c, 1008);
	client_free(c);
	web_expect(&w, WEB_CLOSED);
}

/* ---- errors and rates ---- */

static void an_error_each_and_the_end_after_twenty(void **state)
{
	struct client *c = opened(NULL);

	for (int i = 0; i < 20; i++) {
		client_text(c, "[]");
		hear_text(
			c,
			"{\"type\":\"error\",\"id\":0,\"error\":\"bad-message\",\"text\":"
			"\"a message is a JSON object\"}");
	}
	client_hear_close(c, 1008);
	client_free(c);
	web_expect(&w, WEB_CLOSED);
}

/* The errors that the signalling thread sends count with the others. */
static void errors_of_both_threads(void **state)
{
	struct client *c = opened(NULL);
	const char *p;
	size_t n;

	for (int i = 0; i < 19; i++) {
		client_text(c, "{}");
		assert_int_equal(client_hear(c, &p, &n), 1);
	}
	struct web_down down = {
		.kind = WEB_SEND, .conn = conn, .send = server_msg_new(SERVER_ERROR)};

	down.send->error.code = ERROR_NO_CALL;
	snprintf(down.send->error.text, sizeof(down.send->error.text), "no");
	web_post(&w, &down);
	hear_text(c,
		  "{\"type\":\"error\",\"id\":0,\"error\":\"no-call\",\"text\":\"no\"}");
	client_hear_close(c, 1008);
	client_free(c);
	web_expect(&w, WEB_CLOSED);
}

static void a_flood_of_messages(void **state)
{
	struct client *c = opened(NULL), *other;
	unsigned n_through = 0, n_errors = 0;
	uint64_t began;
	const char *p;
	size_t n;

	for (unsigned i = 1; i <= 1000; i++) {
		char text[64];

		snprintf(text, sizeof(text), "{\"type\":\"ping\",\"id\":%u}", i);
		client_text(c, text);
	}
	other = client_open(&w);
	began = clock_us();
	client_get(other, &w, "/healthz", NULL);
	assert_int_equal(client_status(other, true), 200);
	assert_true(clock_us() - began < 1000000);
	while (client_hear(c, &p, &n) == 1)
		n_errors++;
	assert_int_equal((uint8_t)p[0] << 8 | (uint8_t)p[1], 1008);
	assert_int_equal(n_errors, 20);
	client_free(c);
	client_free(other);
	while (web_expect_any(&w)->kind == WEB_CLIENT)
		n_through++;
	assert_int_equal(w.last.kind, WEB_CLOSED);
	assert_in_range(n_through, 200, 260);
}

/* ---- going out ---- */

static void send_big(uint64_t to, size_t n)
{
	struct web_down down = {
		.kind = WEB_SEND, .conn = to, .send = server_msg_new(SERVER_OFFER)};
	char *text = malloc(n);

	memset(text, 'v', n);
	assert_int_equal(body_alloc(&down.send->sdp, text, n), 0);
	snprintf(down.send->call, sizeof(down.send->call), "c");
	free(text);
	web_post(&w, &down);
}

/* Case 49. */
static void who_does_not_read(void **state)
{
	enum { N = 400, BYTES = 60000 };
	struct client *lazy, *other;
	uint64_t lazy_conn;
	int small = 4096;

	lazy = opened(NULL);
	setsockopt(lazy->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	lazy_conn = conn;
	other = opened(NULL);
	for (unsigned i = 0; i < N; i++) {
		send_big(lazy_conn, BYTES); /* 24 MB in all */
		if (i % 10)
			continue;
		send_ok(conn, i + 1);
		char want[64];

		snprintf(want, sizeof(want), "{\"type\":\"ok\",\"id\":%u}", i + 1);
		hear_text(other, want); /* is not delayed */
	}
	assert_int_equal(web_expect(&w, WEB_CLOSED)->conn, lazy_conn);
	client_free(lazy);
	client_free(other);
	web_expect(&w, WEB_CLOSED);
}

static void who_reads_slowly_is_told_why(void **state)
{
	struct client *c;
	const char *p;
	size_t n;
	/* what the kernel has taken of it must be read within the time that a close may take */
	int small = 65536, op;

	setup(state);
	w.config.limits.ws_queue_bytes = 65536;
	web_open(&w);
	c = opened(NULL);
	setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (unsigned i = 0; i < 200; i++)
		send_big(conn, 60000);
	do {
		op = client_hear(c, &p, &n);
	} while (op == 1);
	assert_int_equal(op, 8);
	assert_int_equal((uint8_t)p[0] << 8 | (uint8_t)p[1], 1013);
	client_free(c);
	web_expect(&w, WEB_CLOSED);
}

static void the_site_closes(void **state)
{
	struct client *c = opened(NULL);
	struct web_down down = {.kind = WEB_CLOSE, .conn = conn};

	down.close.code = 1000;
	down.close.why = "signed-out";
	send_ok(conn, 1);
	web_post(&w, &down);
	hear_text(c, "{\"type\":\"ok\",\"id\":1}"); /* what was said before comes first */
	client_hear_close(c, 1000);
	web_expect(&w, WEB_CLOSED);
	send_ok(conn, 2); /* to nobody */
	client_free(c);
}

static void the_site_stops(void **state)
{
	struct web_down stop = {.kind = WEB_STOP};
	struct client *c = opened(NULL), *idle = client_open(&w);

	client_get(idle, &w, "/healthz", NULL);
	assert_int_equal(client_status(idle, true), 200);
	web_post(&w, &stop);
	client_hear_close(c, 1001);
	client_closed(idle);
	client_free(c);
	client_free(idle);
	web_expect(&w, WEB_CLOSED);
}

/* ---- pings ---- */

static void the_dead_are_noticed(void **state)
{
	struct client *dead, *alive;
	uint64_t dead_conn, began;
	const char *p;
	size_t n;

	setup(state);
	w.config.limits.ws_ping_s = 1;
	web_open(&w);
	began = clock_us();
	dead = opened(NULL);
	dead_conn = conn;
	alive = opened(NULL);
	for (unsigned n_pings = 0; n_pings < 3; n_pings++) {
		assert_int_equal(client_hear(alive, &p, &n), 9);
		client_frame(alive, 0x8a, p, n);
	}
	assert_int_equal(web_expect(&w, WEB_CLOSED)->conn, dead_conn);
	assert_in_range(clock_us() - began, 1900000, 4500000);
	client_free(dead);
	client_text(alive, "{\"type\":\"ping\",\"id\":1}");
	web_expect(&w, WEB_CLIENT);
	client_free(alive);
	web_expect(&w, WEB_CLOSED);
}

#define TEST(f)  cmocka_unit_test_setup_teardown(f, open_setup, teardown)
#define OPENS(f) cmocka_unit_test_setup_teardown(f, NULL, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_comes_through),
		TEST(who_may_not_open_one),
		TEST(other_hosts),
		OPENS(listed_origins),
		TEST(no_compression),
		TEST(fragments),
		TEST(big_messages),
		TEST(closes),
		TEST(too_long_in_pieces),
		TEST(a_flood_of_fragments),
		TEST(an_error_each_and_the_end_after_twenty),
		TEST(errors_of_both_threads),
		TEST(a_flood_of_messages),
		TEST(who_does_not_read),
		OPENS(who_reads_slowly_is_told_why),
		TEST(the_site_closes),
		TEST(the_site_stops),
		OPENS(the_dead_are_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
