/* tests/unit/webrtc/test_web_http.c - the HTTP side of the web thread against a raw client (abuse case
 * 91).
 *
 *   raw socket ──► web thread ──► WEB_API; the test answers in the place of the signalling thread */
#include "tests/unit/webrtc/web_peer.h"

#include <setjmp.h>
#include <cmocka.h>

#define TOKEN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

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

static void files_and_headers(void **state)
{
	struct client *c = client_open(&w);
	char csp[64], etag[64], line[128];
	const char *at;

	client_get(c, &w, "/", NULL);
	assert_int_equal(client_status(c, true), 200);
	assert_string_equal(client_body(c), "<!doctype html>");
	assert_true(client_has(c, "Content-Type: text/html; charset=utf-8\r\n"));
	assert_true(client_has(c, "Cache-Control: no-cache\r\n"));
	assert_true(client_has(
		c,
		"Content-Security-Policy: default-src 'none'; script-src 'self' https://*:*/.well-known/idp-proxy/; "));
	snprintf(csp, sizeof(csp), "connect-src 'self' ws://alpha.localhost:%u;", w.port);
	assert_true(client_has(c, csp));
	assert_false(client_has(c, "unsafe"));
	assert_true(client_has(c, "X-Content-Type-Options: nosniff\r\n"));
	assert_true(client_has(c, "Referrer-Policy: no-referrer\r\n"));
	assert_true(
		client_has(c, "Permissions-Policy: microphone=(self), camera=(self)"));
	assert_false(client_has(c, "Strict-Transport-Security"));
	at = strstr(c->in, "ETag: ");
	assert_non_null(at);
	snprintf(etag, sizeof(etag), "%.*s", (int)(strstr(at, "\r\n") - at - 6), at + 6);

	snprintf(line, sizeof(line), "If-None-Match: \"x\", %s\r\n",
		 etag); /* the same connection */
	client_get(c, &w, "/", line);
	assert_int_equal(client_status(c, false), 304);
	assert_true(client_has(c, "ETag: "));
	web_file(&w, "phone/index.html", "<!doctype html>2",
		 16); /* an update is seen at once */
	client_get(c, &w, "/", line);
	assert_int_equal(client_status(c, true), 200);
	assert_string_equal(client_body(c), "<!doctype html>2");
	client_get(c, &w, "/sdk/sluss.js", NULL);
	assert_int_equal(client_status(c, true), 200);
	assert_true(client_has(c, "Content-Type: text/javascript; charset=utf-8\r\n"));
	client_get(c, &w, "/index.html?v=2", NULL);
	assert_int_equal(client_status(c, true), 200);
	client_get(c, &w, "/api/v1/openapi.json", NULL);
	assert_int_equal(client_status(c, true), 200);
	client_free(c);
}

static void head(void **state)
{
	struct client *c = client_open(&w);

	client_say(c, "HEAD / HTTP/1.1\r\nHost: alpha.localhost\r\n\r\n");
	assert_int_equal(client_status(c, false), 200);
	assert_true(client_has(c, "Content-Length: 15\r\n"));
	client_get(c, &w, "/healthz", NULL); /* directly behind the head */
	assert_int_equal(client_status(c, true), 200);
	assert_string_equal(client_body(c), "ok\n");
	client_free(c);
}

/* A link that calls somebody is the page itself; what it names never becomes a file's name. */
static void links_are_the_page(void **state)
{
	static const char *const paths[] = {
		"/call/bob@beta.test",     "/call/web%2Bsluss%3Abob%40beta.test",
		"/call/secret.txt",        "/call/..%2f..%2fsecret.txt",
		"/call/%2e%2e/secret.txt", "/call/b%C3%BCcher",
	};

	for (size_t i = 0; i < N_ELEMS(paths); i++) {
		struct client *c = client_open(&w);

		client_get(c, &w, paths[i], NULL);
		if (client_status(c, true) == 200)
			assert_non_null(strstr(client_body(c), "<!doctype html>"));
		else
			assert_null(strstr(c->in, "secret")); /* lws itself refused it */
		client_free(c);
	}
	assert_int_equal(once("GET", "/call/bob@beta.test", ""), 200);
	assert_int_equal(once("POST", "/call/bob@beta.test", "Content-Length: 0\r\n"),
			 405);
	assert_int_equal(once("GET", "/call", ""), 404);
	assert_int_equal(once("GET", "/call/", ""), 404);
}

static void nothing_else_is_served(void **state)
{
	static const char *const paths[] = {"/secret.txt",
					    "/../secret.txt",
					    "/sdk/../secret.txt",
					    "/sdk/..%2fsecret.txt",
					    "/%2e%2e/secret.txt",
					    "/sdk/%2e%2e/secret.txt",
					    "/..;/secret.txt",
					    "/.hidden.js",
					    "/%2ehidden.js",
					    "/sdk",
					    "/sdk/",
					    "/phone",
					    "/phone/index.html%00.js",
					    "/admin",
					    "//admin",
					    "/sdk//..//secret.txt",
					    "/sdk/sluss.js/",
					    "/.well-known/sluss/keys",
					    "/metrics",
					    "/api/v1/",
					    "/api/v2/session",
					    "/api/v1/session/",
					    "/api",
					    "/sluss.v1.schema.json"};

	for (size_t i = 0; i < N_ELEMS(paths); i++) {
		int status = once("GET", paths[i], ""); /* -1: closed without a word */

		if (status != 404 && status != 400 && status != 403 && status != -1)
			fail_msg("%s: %d", paths[i], status);
	}
}

static void methods(void **state)
{
	struct client *c;

	assert_int_equal(once("DELETE", "/", ""), 405);
	assert_int_equal(once("PUT", "/sdk/sluss.js", ""), 405);
	assert_int_equal(once("OPTIONS", "/api/v1/session", ""), 405);
	assert_int_equal(once("DELETE", "/healthz", ""), 405);
	assert_int_equal(once("GET", "/api/v1/account", ""), 405);
	assert_int_equal(once("GET", "/ws", ""), 426);
	c = client_open(&w);
	client_say(c, "PATCH /api/v1/session HTTP/1.1\r\nHost: alpha.localhost\r\n\r\n");
	assert_int_equal(client_status(c, true), 405);
	assert_true(client_has(c, "Allow: GET, HEAD, POST, DELETE\r\n"));
	client_free(c);
}

static void hosts(void **state)
{
	static const struct {
		const char *line;
		int status;
	} rows[] = {
		{"Host: alpha.localhost\r\n", 200},
		{"Host: BETA.localhost:99\r\n", 200},
		{"Host: gamma.localhost\r\n", 421},
		{"Host: 127.0.0.1\r\n", 421},
		{"Host: alpha.localhost@evil\r\n", 421},
		{"", 400},
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct client *c = client_open(&w);
		char text[128];

		snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n%s\r\n", rows[i].line);
		client_say(c, text);
		if (client_status(c, true) != rows[i].status)
			fail_msg("%s: %.12s", rows[i].line, c->in);
		client_free(c);
	}
}

static void health_needs_no_host_of_ours(void **state)
{
	struct client *c = client_open(&w);

	client_say(c, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
	assert_int_equal(client_status(c, true), 200);
	client_free(c);
}

static void the_site(void **state)
{
	struct client *c = client_open(&w);

	client_get(c, &w, "/api/v1/site", NULL);
	assert_int_equal(client_status(c, true), 200);
	assert_string_equal(
		client_body(c),
		"{\"site\":\"alpha.localhost\",\"registration\":false,\"identity\":false}");
	client_free(c);
}

/* ---- the API ---- */

static void answer(unsigned status, const char *error, bool cookie)
{
	struct web_down down = {
		.kind = WEB_REPLY, .conn = w.last.conn, .reply = api_reply_new(status)};

	down.reply->error = error;
	if (!error)
		snprintf(down.reply->user, sizeof(down.reply->user),
			 "alice@alpha.localhost");
	if (cookie)
		snprintf(down.reply->token, sizeof(down.reply->token), TOKEN);
	web_post(&w, &down);
}

static char own[64];

static const char *origin(void)
{
	snprintf(own, sizeof(own), "Origin: http://alpha.localhost:%u\r\n", w.port);
	return own;
}

static void login(void **state)
{
	struct client *c = client_open(&w);
	const struct web_up *up;

	client_post(c, &w, "/api/v1/session", origin(),
		    "{\"user\":\"alice\",\"password\":\"wonderland\"}");
	up = web_expect(&w, WEB_API);
	assert_int_equal(up->api->kind, API_LOGIN);
	assert_string_equal(up->api->user, "alice");
	assert_string_equal(up->api->password, "wonderland");
	assert_string_equal(up->api->site->domain, "alpha.localhost");
	assert_false(up->api->bearer);
	answer(200, NULL, true);
	assert_int_equal(client_status(c, true), 200);
	assert_string_equal(client_body(c), "{\"user\":\"alice@alpha.localhost\"}");
	assert_true(client_has(c, "Set-Cookie: sluss=" TOKEN
				  "; Path=/; Max-Age=2592000; HttpOnly; "
				  "SameSite=Strict\r\n"));
	assert_true(client_has(c, "Cache-Control: no-store\r\n"));

	client_get(c, &w, "/api/v1/session", "Cookie: a=b; sluss=" TOKEN "\r\n");
	up = web_expect(&w, WEB_API);
	assert_int_equal(up->api->kind, API_WHOAMI);
	assert_string_equal(up->api->token, TOKEN);
	answer(200, NULL, false);
	assert_int_equal(client_status(c, true), 200);

	client_get(c, &w, "/api/v1/session", "Authorization: Bearer " TOKEN "\r\n");
	assert_string_equal(web_expect(&w, WEB_API)->api->token, TOKEN);
	answer(401, "not-signed-in", false);
	assert_int_equal(client_status(c, true), 401);
	assert_true(client_has(c, "WWW-Authenticate: Bearer\r\n"));
	client_free(c);
}

static void bad_bodies(void **state)
{
	static const struct {
		const char *body, *error;
	} rows[] = {
		{"", "bad-json"},
		{"{", "bad-json"},
		{"[]", "bad-message"},
		{"{}", "bad-message"},
		{"{\"user\":\"a\"}", "bad-message"},
		{"{\"user\":1,\"password\":\"x\"}", "bad-message"},
		{"{\"user\":\"a\",\"password\":null}", "bad-message"},
		{"{\"user\":\"a\",\"password\":\"\"}", "bad-message"},
		{"{\"user\":\"a\",\"password\":\"b\",\"admin\":true}", "bad-message"},
		{"{\"user\":\"a\",\"password\":\"b\",\"password\":\"c\"}", "bad-json"},
		{"{\"user\":\"a\",\"password\":\"b\",\"bearer\":1}", "bad-message"},
		{"[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]", "too-deep"},
	};
	struct client *c = client_open(&w);

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		char want[64];

		client_post(c, &w, "/api/v1/session", origin(), rows[i].body);
		assert_int_equal(client_status(c, true), 400);
		snprintf(want, sizeof(want), "{\"error\":\"%s\"", rows[i].error);
		assert_memory_equal(client_body(c), want, strlen(want));
	}
	client_free(c);
	assert_true(web_quiet(&w));
}

/* What changes something comes from a page of the site, or shows a bearer token. */
static void foreign_pages(void **state)
{
	static const struct {
		const char *lines;
		int status;
	} rows[] = {
		{"Cookie: sluss=" TOKEN "\r\n", 403},
		{"Cookie: sluss=" TOKEN "\r\nOrigin: null\r\n", 403},
		{"Cookie: sluss=" TOKEN "\r\nOrigin: http://evil.example\r\n", 403},
		{"Cookie: sluss=" TOKEN "\r\nOrigin: http://alpha.localhost\r\n",
		 403}, /* another port */
		{"Authorization: Bearer " TOKEN "\r\nOrigin: http://evil.example\r\n",
		 403},
		{"", 403},
		{"Authorization: Bearer " TOKEN "\r\n", 204},
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct client *c = client_open(&w);

		client_post(c, &w, "/api/v1/account/password", rows[i].lines,
			    "{\"old\":\"wonderland\",\"new\":\"looking-glass\"}");
		if (rows[i].status == 204) {
			assert_string_equal(web_expect(&w, WEB_API)->api->new_password,
					    "looking-glass");
			answer(204, NULL, false);
		}
		if (client_status(c, true) != rows[i].status)
			fail_msg("%s: %.12s", rows[i].lines, c->in);
		client_free(c);
	}
	assert_int_equal(once("DELETE", "/api/v1/session", "Cookie: sluss=" TOKEN "\r\n"),
			 403);
	assert_int_equal(once("DELETE", "/api/v1/session", origin()), 401);
	assert_true(web_quiet(&w));
}

static void programs_sign_in_without_origin(void **state)
{
	struct client *c = client_open(&w);

	client_post(c, &w, "/api/v1/session", NULL,
		    "{\"user\":\"a\",\"password\":\"b\"}");
	assert_int_equal(client_status(c, true), 403);
	client_post(c, &w, "/api/v1/session", NULL,
		    "{\"user\":\"a\",\"password\":\"b\",\"bearer\":true}");
	assert_true(web_expect(&w, WEB_API)->api->bearer);
	answer(200, NULL, true);
	assert_int_equal(client_status(c, true), 200);
	client_free(c);
}

static void who_hangs_up_is_forgotten(void **state)
{
	struct client *c = client_open(&w);

	client_post(c, &w, "/api/v1/session", origin(),
		    "{\"user\":\"a\",\"password\":\"b\"}");
	web_expect(&w, WEB_API);
	client_free(c);
	/* nobody reads while the question is open, so it is the answer that finds nobody */
	answer(401, "bad-login", false);
	assert_int_equal(once("GET", "/healthz", ""), 200);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(files_and_headers),
		TEST(head),
		TEST(links_are_the_page),
		TEST(nothing_else_is_served),
		TEST(methods),
		TEST(hosts),
		TEST(health_needs_no_host_of_ours),
		TEST(the_site),
		TEST(login),
		TEST(bad_bodies),
		TEST(foreign_pages),
		TEST(programs_sign_in_without_origin),
		TEST(who_hangs_up_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
