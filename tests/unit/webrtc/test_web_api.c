/* tests/unit/webrtc/test_web_api.c - the HTTP API's half on the signalling thread, with accounts in memory.
 *
 *   api_request ──► api_sessions ──► accounts ──► api_reply */
#include "tests/fake/fake.h"
#include "webrtc/session/api_parse.h"
#include "webrtc/session/api_session.h"

#include <setjmp.h>
#include <cmocka.h>

static struct fake_core fc;
static struct api_sessions *all;
static struct api_reply *last;
static uint64_t last_conn;
static unsigned n_replies;

static int post(struct web_down *msg, void *arg)
{
	assert_int_equal(msg->kind, WEB_REPLY);
	mem_deref(last);
	last = msg->reply;
	last_conn = msg->conn;
	n_replies++;
	return 0;
}

static int setup(void **state)
{
	fake_core_open(&fc);
	fake_account_add(fc.core.accounts, "alice@alpha.example", "wonderland");
	n_replies = 0;
	return api_sessions_alloc(&all, &fc.core, post, NULL);
}

static int teardown(void **state)
{
	all = mem_deref(all);
	last = mem_deref(last);
	fake_core_close(&fc);
	return 0;
}

static void ask(enum api_kind kind, const char *user, const char *password,
		const char *new_password, const char *token)
{
	struct web_up up = {.kind = WEB_API, .conn = 42, .api = api_request_new(kind)};

	up.api->user = user ? base_dup(user, strlen(user)) : NULL;
	up.api->password = password ? base_dup(password, strlen(password)) : NULL;
	up.api->new_password =
		new_password ? base_dup(new_password, strlen(new_password)) : NULL;
	snprintf(up.api->token, sizeof(up.api->token), "%s", token ? token : "");
	up.api->site = &fc.sitev[0];
	api_sessions_take(all, &up);
	fake_loop_settle(fc.loop);
}

static void answered(unsigned status, const char *error)
{
	assert_int_equal(last_conn, 42);
	assert_int_equal(last->status, status);
	if (error)
		assert_string_equal(last->error, error);
	else
		assert_null(last->error);
}

static char token[STORE_TOKEN_HEX + 1];

static void sign_in(void)
{
	ask(API_LOGIN, "alice", "wonderland", NULL, NULL);
	answered(200, NULL);
	memcpy(token, last->token, sizeof(token));
}

static void in_and_out(void **state)
{
	sign_in();
	assert_string_equal(last->user, "alice@alpha.example");
	assert_true(last->expires_s > 1700000000);
	assert_int_equal(strlen(last->token), STORE_TOKEN_HEX);
	ask(API_WHOAMI, NULL, NULL, NULL, token);
	answered(200, NULL);
	assert_string_equal(last->user, "alice@alpha.example");
	assert_string_equal(last->token, "");
	ask(API_LOGOUT, NULL, NULL, NULL, token);
	answered(204, NULL);
	assert_true(last->cookie_clear);
	ask(API_WHOAMI, NULL, NULL, NULL, token);
	answered(401, "not-signed-in");
	ask(API_LOGOUT, NULL, NULL, NULL, token);
	answered(401, "not-signed-in");
	assert_int_equal(n_replies, 5);
}

static void the_address_is_a_name_too(void **state)
{
	ask(API_LOGIN, "alice@Alpha.Example", "wonderland", NULL, NULL);
	answered(200, NULL);
	ask(API_LOGIN, "alice@beta.example", "wonderland", NULL, NULL);
	answered(401, "bad-login");
}

/* Nobody learns from the answer which names there are. */
static void wrong_is_wrong(void **state)
{
	static const char *const users[] = {
		"alice", "nobody", "al ice", "", "alice@beta.example", "\xff"};
	char text[WEB_TEXT_BYTES] = "";

	for (size_t i = 0; i < N_ELEMS(users); i++) {
		ask(API_LOGIN, users[i], "wrong password", NULL, NULL);
		answered(401, "bad-login");
		if (!i)
			snprintf(text, sizeof(text), "%s", last->text);
		assert_string_equal(last->text, text);
		assert_false(last->cookie_clear);
	}
	fake_account_err(fc.core.accounts, EINVAL);
	ask(API_LOGIN, "alice", "wonderland", NULL, NULL);
	answered(401, "bad-login");
	assert_string_equal(last->text, text);
	assert_string_equal(last->token, "");
}

static void changing_the_password(void **state)
{
	sign_in();
	ask(API_PASSWD, NULL, "wrong", "looking-glass", token);
	answered(403, "bad-login");
	ask(API_PASSWD, NULL, "wonderland", "short", token);
	answered(400, "bad-message");
	ask(API_PASSWD, NULL, "wonderland", "looking-glass", "no such token");
	answered(401, "not-signed-in");
	ask(API_PASSWD, NULL, "wonderland", "looking-glass", token);
	answered(204, NULL);
	ask(API_LOGIN, "alice", "wonderland", NULL, NULL);
	answered(401, "bad-login");
	ask(API_LOGIN, "alice", "looking-glass", NULL, NULL);
	answered(200, NULL);
	ask(API_WHOAMI, NULL, NULL, NULL, token); /* this sign-in goes on */
	answered(200, NULL);
}

/* STUN and TURN servers are for those who are signed in. */
static void ice_servers(void **state)
{
	static char uri[] = "turn:t.example", north[] = "north";
	static char *uriv[] = {uri, NULL};

	fc.config.turn =
		(struct turn_config){.uriv = uriv, .secret = north, .lifetime_s = 60};
	ask(API_ICE, NULL, NULL, NULL, "no such token");
	answered(401, "not-signed-in");
	assert_null(last->ice);
	sign_in();
	ask(API_ICE, NULL, NULL, NULL, token);
	answered(200, NULL);
	assert_non_null(last->ice);
	assert_string_equal(last->ice->uriv[0], "turn:t.example");
	assert_null(strstr(last->ice->username, "alice"));
	assert_int_equal(strlen(last->ice->credential), SECRET_HMAC_SHA1_BASE64 - 1);
	ask(API_LOGOUT, NULL, NULL, NULL, token);
	answered(204, NULL);
	ask(API_ICE, NULL, NULL, NULL, token);
	answered(401, "not-signed-in");
	assert_null(last->ice);
}

static void answer_to(enum api_kind kind, const char *with, const char *page,
		      const char *password, const char *from)
{
	struct web_up up = {.kind = WEB_API, .conn = 42, .api = api_request_new(kind)};

	snprintf(up.api->token, sizeof(up.api->token), "%s", with);
	up.api->page = page ? base_dup(page, strlen(page)) : NULL;
	up.api->password = password ? base_dup(password, strlen(password)) : NULL;
	up.api->site = &fc.sitev[0];
	if (from) {
		snprintf(up.api->origin.text, sizeof(up.api->origin.text), "%s", from);
		up.api->origin.foreign = true;
	}
	api_sessions_take(all, &up);
	fake_loop_settle(fc.loop);
}

static void ring_set(const char *with, const char *ring)
{
	struct web_up up = {
		.kind = WEB_API, .conn = 42, .api = api_request_new(API_RULES_SET)};

	snprintf(up.api->token, sizeof(up.api->token), "%s", with);
	up.api->ring = base_dup(ring, strlen(ring));
	up.api->site = &fc.sitev[0];
	api_sessions_take(all, &up);
	fake_loop_settle(fc.loop);
}

static void whose_calls_ring(void **state)
{
	ring_set("no such token", "anyone");
	answered(401, "not-signed-in");
	sign_in();
	ask(API_RULES, NULL, NULL, NULL, token);
	answered(200, NULL);
	assert_string_equal(last->ring, "anyone");
	ring_set(token, "verified-email");
	answered(204, NULL);
	ask(API_RULES, NULL, NULL, NULL, token);
	assert_string_equal(last->ring, "verified-email");
	ring_set(token, "nobody");
	answered(400, "bad-message");
	ask(API_RULES, NULL, NULL, NULL, token);
	assert_string_equal(last->ring, "verified-email");
}

#define SHOP "https://shop.example"

/* A page elsewhere is given a sign-in for calls: with it, from there, and for nothing else. */
static void another_page(void **state)
{
	static const char *const none[] = {"http://shop.example",
					   "https://shop.example/",
					   "https://SHOP.example",
					   "none",
					   "null",
					   "shop.example",
					   "https://shop.example:443"};
	static const enum api_kind closed[] = {API_DEVICES,  API_OTHERS_END, API_DELETE,
					       API_CONNECT,  API_PASSWD,     API_RULES,
					       API_RULES_SET};
	static const enum api_kind open[] = {API_WHOAMI, API_ICE};
	char shops[STORE_TOKEN_HEX + 1];

	sign_in();
	for (size_t i = 0; i < N_ELEMS(none); i++) {
		answer_to(API_CONNECT, token, none[i], NULL, NULL);
		answered(400, "bad-message");
	}
	answer_to(API_CONNECT, token, SHOP, NULL, NULL);
	answered(201, NULL);
	assert_true(last->bearer);
	assert_string_equal(last->user, "alice@alpha.example");
	memcpy(shops, last->token, sizeof(shops));
	for (size_t i = 0; i < N_ELEMS(closed); i++) {
		answer_to(closed[i], shops, SHOP, "wonderland", SHOP);
		answered(403, "forbidden");
	}
	for (size_t i = 0; i < N_ELEMS(open); i++) {
		answer_to(open[i], shops, NULL, NULL, SHOP);
		answered(200, NULL);
		answer_to(open[i], shops, NULL, NULL, "https://evil.example");
		answered(403, "origin");
		answer_to(open[i], shops, NULL, NULL,
			  NULL); /* a program, or our own page */
		answered(403, "origin");
		answer_to(open[i], token, NULL, NULL,
			  SHOP); /* the whole sign-in, from there */
		answered(403, "origin");
	}
	answer_to(API_LOGOUT, shops, NULL, NULL, "https://evil.example");
	answered(403, "origin");
	answer_to(API_LOGOUT, shops, NULL, NULL, SHOP);
	answered(204, NULL);
	answer_to(API_WHOAMI, shops, NULL, NULL, SHOP);
	answered(401, "not-signed-in");
	assert_false(last->cookie_clear);
	answer_to(API_WHOAMI, token, NULL, NULL, NULL);
	answered(200, NULL);
}

static void devices_and_their_end(void **state)
{
	char first[STORE_TOKEN_HEX + 1], name[STORE_SESSION_HEX + 1];

	sign_in();
	memcpy(first, token, sizeof(first));
	sign_in();
	answer_to(API_CONNECT, token, SHOP, NULL, NULL);
	answer_to(API_DEVICES, token, NULL, NULL, NULL);
	answered(200, NULL);
	assert_int_equal(last->devices->n, 3);
	assert_false(last->devices->v[0].current);
	assert_true(last->devices->v[1].current);
	assert_string_equal(last->devices->v[2].sign_in.origin, SHOP);
	memcpy(name, last->devices->v[2].sign_in.session, sizeof(name));
	for (unsigned i = 0; i < 2; i++) {
		struct web_up up = {.kind = WEB_API,
				    .conn = 42,
				    .api = api_request_new(API_DEVICE_END)};

		memcpy(up.api->token, token, sizeof(token));
		memcpy(up.api->session, name, sizeof(name));
		up.api->site = &fc.sitev[0];
		api_sessions_take(all, &up);
		fake_loop_settle(fc.loop);
		answered(i ? 404 : 204, i ? "not-found" : NULL);
	}
	answer_to(API_OTHERS_END, token, NULL, NULL, NULL);
	answered(204, NULL);
	answer_to(API_WHOAMI, first, NULL, NULL, NULL);
	answered(401, "not-signed-in");
	answer_to(API_DELETE, token, NULL, "wrong", NULL);
	answered(403, "bad-login");
	answer_to(API_DELETE, token, NULL, "wonderland", NULL);
	answered(204, NULL);
	assert_true(last->cookie_clear);
	answer_to(API_WHOAMI, token, NULL, NULL, NULL);
	answered(401, "not-signed-in");
	ask(API_LOGIN, "alice", "wonderland", NULL, NULL);
	answered(401, "bad-login");
}

static void registering(void **state)
{
	ask(API_REGISTER, "carol", "caterpillar", NULL, NULL);
	answered(403, "forbidden");
	fc.sitev[0].open_registration = true;
	ask(API_REGISTER, "carol", "caterpillar", NULL, NULL);
	answered(201, NULL);
	assert_string_equal(last->user, "carol@alpha.example");
	assert_int_equal(strlen(last->token), STORE_TOKEN_HEX);
	ask(API_REGISTER, "alice", "caterpillar", NULL, NULL);
	answered(409, "exists");
	ask(API_REGISTER, "dora", "short", NULL, NULL);
	answered(400, "bad-message");
	ask(API_REGISTER, "d ora", "caterpillar", NULL, NULL);
	answered(400, "bad-message");
}

static void trouble(void **state)
{
	static const struct {
		int err;
		unsigned status;
		const char *error;
		bool retry;
	} rows[] = {
		{EAGAIN, 429, "too-soon", true}, {ENOSPC, 503, "busy", true},
		{EBUSY, 503, "busy", true},      {EIO, 503, "internal", true},
		{ENOMEM, 503, "internal", true},
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		fake_account_err(fc.core.accounts, rows[i].err);
		ask(API_LOGIN, "alice", "wonderland", NULL, NULL);
		answered(rows[i].status, rows[i].error);
		assert_true(!last->retry_s == !rows[i].retry);
		ask(API_PASSWD, NULL, "a", "b", "c");
		answered(rows[i].status, rows[i].error);
	}
}

static void who_leaves_is_not_answered(void **state)
{
	struct web_up gone = {.kind = WEB_API_GONE, .conn = 42};

	fake_account_hold(fc.core.accounts, true);
	ask(API_LOGIN, "alice", "wonderland", NULL, NULL);
	api_sessions_take(all, &gone);
	api_sessions_take(all, &gone);
	fake_account_hold(fc.core.accounts, false);
	fake_loop_settle(fc.loop);
	assert_int_equal(n_replies, 0);
	fake_account_hold(fc.core.accounts,
			  true); /* and what still waits at the end is dropped */
	ask(API_LOGIN, "alice", "wonderland", NULL, NULL);
}

static void bodies(void **state)
{
	static const char good[] =
		"{\"user\":\"alice\",\"password\":\"w\\u00f6nder\",\"bearer\":true}";
	static const char change[] = "{\"old\":\"a\",\"new\":\"b\"}";
	struct api_request *r = NULL;
	struct api_fault fault;
	char text[700], name[330];

	assert_int_equal(api_request_parse(&r, &fault, API_LOGIN, good, strlen(good), 16),
			 0);
	assert_string_equal(r->user, "alice");
	assert_string_equal(r->password, "w\xc3\xb6nder");
	assert_true(r->bearer);
	r = mem_deref(r);
	assert_int_equal(
		api_request_parse(&r, &fault, API_PASSWD, change, strlen(change), 16), 0);
	assert_string_equal(r->password, "a");
	assert_string_equal(r->new_password, "b");
	r = mem_deref(r);
	memset(name, 'x', sizeof(name));
	for (int n = 256; n < 258; n++) {
		snprintf(text, sizeof(text), "{\"user\":\"a\",\"password\":\"%.*s\"}", n,
			 name);
		assert_int_equal(
			api_request_parse(&r, &fault, API_LOGIN, text, strlen(text), 16),
			n == 256 ? 0 : EBADMSG);
		r = mem_deref(r);
	}
	assert_string_equal(fault.text, "`password` must be 1 to 256 bytes");
	assert_int_equal(
		api_request_parse(&r, &fault, API_REGISTER, change, strlen(change), 16),
		EBADMSG);
	assert_string_equal(fault.error, "bad-message");
	assert_null(r);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(in_and_out),
		TEST(the_address_is_a_name_too),
		TEST(wrong_is_wrong),
		TEST(changing_the_password),
		TEST(ice_servers),
		TEST(whose_calls_ring),
		TEST(another_page),
		TEST(devices_and_their_end),
		TEST(registering),
		TEST(trouble),
		TEST(who_leaves_is_not_answered),
		cmocka_unit_test(bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
