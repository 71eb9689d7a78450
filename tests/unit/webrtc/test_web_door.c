/* tests/unit/webrtc/test_web_door.c - the whole room behind its door: web thread, mailboxes, accounts in
 * memory, a real call between two raw WebSockets; webrtc/openapi.json against what is really served.
 *
 *   raw client ──► web thread ──► signalling thread (this test's own, fake_loop) ──► call           */
#include "tests/fake/fake.h"
#include "tests/unit/webrtc/schema.h"
#include "tests/unit/webrtc/web_peer.h"
#include "webrtc/webrtc.h"

#include <setjmp.h>
#include <cmocka.h>

static struct web w; /* its folder and port; the server is the room's */
static struct fake_core fc;
static struct webrtc *room;
static bool stopped;

static void turn(void)
{
	fake_loop_turn(fc.loop);
}

static int setup(void **state)
{
	char *why = NULL;

	web_init(&w, false);
	w.host = "alpha.example";
	fake_core_open(&fc);
	fc.config.httpv = &w.listen;
	fc.config.n_http = 1;
	fc.config.web_root = w.dir;
	web_file(&w, "openapi.json", "{}", 2);
	fake_account_add(fc.core.accounts, "alice@alpha.example", "wonderland");
	fake_account_add(fc.core.accounts, "bob@alpha.example", "builder99");
	stopped = false;
	web_idle_h = turn;
	if (webrtc_alloc(&room, &why, &fc.core))
		fail_msg("%s", why ? why : "no memory");
	return 0;
}

static void on_stopped(void *arg)
{
	stopped = true;
}

static bool is_true(void *arg)
{
	return *(bool *)arg;
}

static int teardown(void **state)
{
	if (!stopped)
		webrtc_stop(room, on_stopped, NULL);
	assert_true(fake_loop_wait(fc.loop, is_true, &stopped));
	fake_loop_settle(fc.loop);
	core_close(&fc.core);
	room = mem_deref(room);
	fc.core.accounts = mem_deref(fc.core.accounts);
	mem_deref(fc.loop);
	web_remove(&w);
	return 0;
}

static char cookie[128];

/* Signs in over HTTP; the cookie stays in `cookie`. */
static void sign_in(const char *user, const char *password)
{
	struct client *c = client_open(&w);
	char origin[64], body[128];
	const char *at;

	snprintf(origin, sizeof(origin), "Origin: http://alpha.example:%u\r\n", w.port);
	snprintf(body, sizeof(body), "{\"user\":\"%s\",\"password\":\"%s\"}", user,
		 password);
	client_post(c, &w, "/api/v1/session", origin, body);
	assert_int_equal(client_status(c, true), 200);
	at = strstr(c->in, "sluss=");
	assert_non_null(at);
	snprintf(cookie, sizeof(cookie), "Cookie: %.*s\r\n", 6 + STORE_TOKEN_HEX, at);
	client_free(c);
}

static json_t *hear(struct client *c, const char *type)
{
	const char *p;
	json_t *v;
	size_t n;

	assert_int_equal(client_hear(c, &p, &n), 1);
	v = json_loadb(p, n, 0, NULL);
	if (!v || strcmp(json_string_value(json_object_get(v, "type")), type))
		fail_msg("%.*s instead of %s", (int)n, p, type);
	return v;
}

static void heard(struct client *c, const char *type)
{
	json_decref(hear(c, type));
}

static const char *const none;
static unsigned next_id;

static void say(struct client *c, const char *type, const char *call, const char *key,
		const char *value)
{
	json_t *v = json_pack("{s:s,s:i}", "type", type, "id", (int)++next_id);
	char *text;

	if (call)
		json_object_set_new(v, "call", json_string(call));
	if (key)
		json_object_set_new(v, key, json_string(value));
	if (!strcmp(type, "hello"))
		json_object_set_new(v, "version", json_integer(1));
	if (!strcmp(type, "call"))
		json_object_set_new(v, "sdp", json_string(fake_sdp_offer));
	text = json_dumps(v, 0);
	client_text(c, text);
	free(text);
	json_decref(v);
}

static struct client *enter(const char *user, const char *password)
{
	struct client *c = client_open(&w);

	sign_in(user, password);
	client_ws(c, &w, cookie);
	say(c, "hello", NULL, NULL, none);
	heard(c, "ok");
	return c;
}

static void one_call(void **state)
{
	struct client *alice = enter("alice", "wonderland"),
		      *bob = enter("bob", "builder99");
	char name[WEB_CALL_MAX + 1];
	json_t *v;

	say(alice, "call", "c1", "to", "bob@alpha.example");
	heard(alice, "ok");
	v = hear(bob, "incoming");
	snprintf(name, sizeof(name), "%s", json_string_value(json_object_get(v, "call")));
	assert_string_equal(json_string_value(json_object_get(v, "sdp")), fake_sdp_offer);
	json_decref(v);
	say(bob, "ringing", name, NULL, none);
	heard(bob, "ok");
	heard(alice, "progress");
	say(bob, "accept", name, NULL, none);
	heard(bob, "ok");
	heard(alice, "progress");
	say(bob, "answer", name, "sdp", fake_sdp_answer);
	heard(bob, "ok");
	heard(bob, "established");
	v = hear(alice, "answered");
	assert_string_equal(json_string_value(json_object_get(v, "sdp")),
			    fake_sdp_answer);
	json_decref(v);
	client_free(alice); /* gone without a word */
	v = hear(bob, "ended");
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(v, "cause"), "reason")),
		"lost");
	json_decref(v);
	client_free(bob);
}

static void the_end(void **state)
{
	struct client *alice = enter("alice", "wonderland");

	webrtc_stop(room, on_stopped, NULL);
	heard(alice, "bye");
	client_hear_close(alice, 1001);
	client_free(alice);
	assert_true(fake_loop_wait(fc.loop, is_true, &stopped));
}

static void signing_out_elsewhere_closes(void **state)
{
	struct client *alice = enter("alice", "wonderland"), *c = client_open(&w);
	char lines[256];

	snprintf(lines, sizeof(lines),
		 "DELETE /api/v1/session HTTP/1.1\r\nHost: alpha.example:%u\r\n%s"
		 "Origin: http://alpha.example:%u\r\n\r\n",
		 w.port, cookie, w.port);
	client_say(c, lines);
	assert_int_equal(client_status(c, true), 204);
	assert_true(client_has(c, "Set-Cookie: sluss=; Path=/; Max-Age=0; "));
	heard(alice, "bye");
	client_hear_close(alice, 1000);
	client_free(alice);
	client_free(c);
}

/* Every path and method that is described is there, every other method of it is refused by name. */
static void openapi_tells_the_truth(void **state)
{
	static const char *const methods[] = {"get", "post", "put", "patch", "delete"};
	json_t *doc = schema_load("webrtc/openapi.json"), *path;
	const char *name;
	unsigned n = 0;

	json_object_foreach(json_object_get(doc, "paths"), name,
			    path) for (size_t i = 0; i < N_ELEMS(methods); i++)
	{
		bool described = json_object_get(path, methods[i]) != NULL;
		struct client *c = client_open(&w);
		const char *id = strstr(name, "{id}");
		char text[256], upper[8] = "";
		int status;

		for (size_t k = 0; methods[i][k]; k++)
			upper[k] = (char)(methods[i][k] - 'a' + 'A');
		snprintf(text, sizeof(text),
			 "%s %.*s%s HTTP/1.1\r\nHost: alpha.example\r\n%s\r\n", upper,
			 id ? (int)(id - name) : 255, name, id ? "0123456789abcdef" : "",
			 strcmp(upper, "POST") ? "" : "Content-Length: 2\r\n");
		client_say(c, text);
		if (!strcmp(upper, "POST"))
			client_say(c, "{}");
		status = client_status(c, true);
		if (described ? status == 404 || status == 405 : status != 405)
			fail_msg("%s %s: %d", upper, name, status);
		if (described) {
			json_t *responses = json_object_get(
				json_object_get(path, methods[i]), "responses");
			char code[8];

			snprintf(code, sizeof(code), "%d", status);
			if (!json_object_get(responses, code))
				fail_msg("%s %s gives %d, which is not described", upper,
					 name, status);
		}
		client_free(c);
		n += described;
	}
	assert_int_equal(n, 17);
	json_decref(doc);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(one_call),
		TEST(the_end),
		TEST(signing_out_elsewhere_closes),
		TEST(openapi_tells_the_truth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
