/* tests/unit/webrtc/test_web_replace.c - a call moves from one device of its user to another (browsers.h draws who
 * talks to whom; alice's second device is connection 3). */
#include "tests/unit/webrtc/browsers.h"

#include <setjmp.h>
#include <cmocka.h>

static char ongoing[WEB_ONGOING_HEX + 1];

static void enter_asking(uint64_t conn, const char *user, const char *password)
{
	struct client_msg *m = make(CLIENT_HELLO, "");

	sign_in(user, password);
	up(conn, WEB_OPENED);
	m->token = base_dup(token, strlen(token));
	m->elsewhere = true;
	give(conn, m);
	hear(conn, SERVER_WELCOME);
}

static void hear_ongoing(uint64_t conn, size_t n)
{
	const struct server_msg *m = hear(conn, SERVER_ELSEWHERE);

	assert_int_equal(m->ongoings->n, n);
	if (n)
		memcpy(ongoing, m->ongoings->v[0].id, sizeof(ongoing));
}

static void take(uint64_t conn, const char *call, const char *to, const char *id)
{
	struct client_msg *m = make(CLIENT_CALL, call);

	m->sdp = fake_body(fake_sdp_offer);
	m->to = base_dup(to, strlen(to));
	snprintf(m->replaces, sizeof(m->replaces), "%s", id);
	give(conn, m);
}

static void the_list(void **state)
{
	const struct web_ongoing *one;
	const struct server_msg *m;

	they_talk();
	enter_asking(3, "alice", "wonderland");
	m = hear(3, SERVER_ELSEWHERE);
	assert_int_equal(m->ongoings->n, 1);
	one = &m->ongoings->v[0];
	assert_string_equal(one->remote.address, "bob@alpha.example");
	assert_true(one->remote.verified);
	assert_int_equal(strlen(one->id), WEB_ONGOING_HEX);
	assert_memory_equal(one->device, "d-", 2);
	assert_false(one->away);
	silence(); /* those who did not ask are told nothing, nor is bob */
	say(1, CLIENT_HANGUP, "c1");
	hear_ok(1);
	hear_ended(1, "c1", CAUSE_HANGUP);
	hear_ended(2, incoming, CAUSE_HANGUP);
	hear_ongoing(3, 0);
	silence();
}

/* bob is 2. */
static void bob_takes_from(uint64_t caller)
{
	say(2, CLIENT_ACCEPT, incoming);
	hear(caller, SERVER_PROGRESS);
	hear_ok(2);
	say_sdp(2, CLIENT_ANSWER, incoming);
	hear_ok(2);
	hear(caller, SERVER_ANSWERED);
	hear(2, SERVER_ESTABLISHED);
}

static void it_moves(void **state)
{
	char old[WEB_CALL_MAX + 1];
	const struct server_msg *m;

	they_talk();
	snprintf(old, sizeof(old), "%s", incoming);
	enter_asking(3, "alice", "wonderland");
	hear_ongoing(3, 1);
	take(3, "c3", "bob@alpha.example", ongoing);
	hear_ok(3);
	m = hear(2, SERVER_INCOMING);
	assert_string_equal(m->who.replaces, old);
	snprintf(incoming, sizeof(incoming), "%s", m->call);
	bob_takes_from(3);
	silence();
	say_reason(2, CLIENT_HANGUP, old, REASON_MOVED);
	hear_ok(2);
	hear_ended(2, old, CAUSE_ELSEWHERE);
	m = hear(1, SERVER_ENDED);
	assert_string_equal(m->cause.text, CAUSE_TEXT_MOVED);
	hear_ongoing(3, 0);
	silence();
	say(3, CLIENT_HANGUP, "c3");
	hear_ok(3);
	hear_ended(3, "c3", CAUSE_HANGUP);
	hear_ended(2, incoming, CAUSE_HANGUP);
	silence();
}

static void not_just_any(void **state)
{
	they_talk();
	enter_asking(3, "alice", "wonderland");
	hear_ongoing(3, 1);
	take(3, "x1", "bob@alpha.example", "0123456789abcdef");
	hear_error(3, ERROR_NO_CALL);
	take(3, "x2", "carol@alpha.example", ongoing); /* not who it is with */
	hear_error(3, ERROR_NO_CALL);
	take(1, "x3", "bob@alpha.example", ongoing); /* has it */
	hear_error(1, ERROR_NO_CALL);
	take(3, "x4", "bob@alpha.example", ongoing);
	hear_ok(3);
	hear_incoming(2);
	take(3, "x5", "bob@alpha.example", ongoing);
	hear_error(3, ERROR_ELSEWHERE);
	say_reason(2, CLIENT_REJECT, incoming, REASON_BUSY);
	hear_ok(2);
	hear_ended(2, incoming, CAUSE_BUSY);
	hear_ended(3, "x4", CAUSE_BUSY);
	silence(); /* the call itself goes on */
	say(1, CLIENT_HANGUP, "c1");
	hear_ok(1);
}

/* A stranger who knows the id. */
static void not_anybody(void **state)
{
	they_talk();
	enter_asking(3, "alice", "wonderland");
	hear_ongoing(3, 1);
	enter(4, "carol", "carols-own");
	take(4, "x1", "bob@alpha.example", ongoing);
	hear_error(4, ERROR_NO_CALL);
	take(4, "x2", "alice@alpha.example", ongoing);
	hear_error(4, ERROR_NO_CALL);
	silence();
}

/* ---- pages of other origins, by a sign-in that the person has granted them ---- */

static void on_grant(const struct account_answer *answer, void *arg)
{
	assert_int_equal(answer->err, 0);
	memcpy(arg, answer->token, sizeof(answer->token));
}

/* alice grants `origin` a sign-in and is there on connection `conn`, in a page of it. */
static void enter_from(uint64_t conn, const char *origin)
{
	struct web_up opened = {.kind = WEB_OPENED, .conn = conn};
	struct client_msg *m = make(CLIENT_HELLO, "");
	char granted[STORE_TOKEN_HEX + 1];
	struct account_request *r;

	sign_in("alice", "wonderland");
	account_grant(&r, fc.core.accounts, core_site_find(&fc.core, "alpha.example"),
		      token, origin, on_grant, granted);
	fake_loop_settle(fc.loop);
	mem_deref(r);
	opened.opened.site = &fc.sitev[0];
	sa_set_str(&opened.opened.from, "192.0.2.7", 4711);
	snprintf(opened.opened.origin.text, sizeof(opened.opened.origin.text), "%s",
		 origin);
	opened.opened.origin.foreign = true;
	sessions_take(all, &opened);
	m->token = base_dup(granted, strlen(granted));
	m->elsewhere = true;
	give(conn, m);
	hear(conn, SERVER_WELCOME);
}

/* "It can make and take calls": whom the person talks with on other devices is none of its business. */
static void not_a_page_elsewhere(void **state)
{
	they_talk();
	enter_from(3, "https://shop.example");
	silence();
	take(3, "x1", "bob@alpha.example", call_id(fc.core.calls.head->data));
	hear_error(3, ERROR_NO_CALL);
	silence();
}

/* What it has begun itself may move between its own windows, and to the person's own devices. */
static void but_its_own_calls(void **state)
{
	const struct server_msg *m;

	enter_from(3, "https://shop.example");
	enter(2, "bob", "builder99");
	dial(3, "s1", "bob@alpha.example", NULL);
	hear_ok(3);
	hear_incoming(2);
	bob_takes_from(3);
	enter_from(4, "https://other.example");
	silence();
	take(4, "x1", "bob@alpha.example", call_id(fc.core.calls.head->data));
	hear_error(4, ERROR_NO_CALL);
	enter_from(5, "https://shop.example");
	hear_ongoing(5, 1);
	enter_asking(6, "alice", "wonderland");
	hear_ongoing(6, 1);
	take(5, "s2", "bob@alpha.example", ongoing);
	hear_ok(5);
	m = hear(2, SERVER_INCOMING);
	assert_string_equal(m->who.replaces, incoming);
	silence();
}

/* The browser's network is another one: the same device goes on over a new connection. */
static void over_a_new_connection(void **state)
{
	const struct server_msg *m;
	char old[sizeof(incoming)];

	they_talk();
	memcpy(old, incoming, sizeof(old));
	take(1, "x1", "carol@alpha.example", "c1"); /* not who it is with */
	hear_error(1, ERROR_NO_CALL);
	take(2, "x2", "alice@alpha.example", "c1"); /* not bob's name of it */
	hear_error(2, ERROR_NO_CALL);
	take(1, "c2", "bob@alpha.example", "c1");
	hear_ok(1);
	m = hear(2, SERVER_INCOMING);
	assert_string_equal(m->who.replaces, old);
	snprintf(incoming, sizeof(incoming), "%s", m->call);
	take(1, "x3", "bob@alpha.example", "c1");
	hear_error(1, ERROR_ELSEWHERE);
	take(1, "x4", "bob@alpha.example", "c2"); /* not established */
	hear_error(1, ERROR_NO_CALL);
	bob_takes_from(1);
	say_reason(2, CLIENT_HANGUP, old, REASON_MOVED);
	hear_ok(2);
	hear_ended(2, old, CAUSE_ELSEWHERE);
	hear_ended(1, "c1", CAUSE_ELSEWHERE);
	say(1, CLIENT_HANGUP, "c2");
	hear_ok(1);
	hear_ended(1, "c2", CAUSE_HANGUP);
	hear_ended(2, incoming, CAUSE_HANGUP);
	silence();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(not_a_page_elsewhere, room_setup,
						room_teardown),
		cmocka_unit_test_setup_teardown(but_its_own_calls, room_setup,
						room_teardown),
		cmocka_unit_test_setup_teardown(the_list, room_setup, room_teardown),
		cmocka_unit_test_setup_teardown(it_moves, room_setup, room_teardown),
		cmocka_unit_test_setup_teardown(over_a_new_connection, room_setup,
						room_teardown),
		cmocka_unit_test_setup_teardown(not_just_any, room_setup, room_teardown),
		cmocka_unit_test_setup_teardown(not_anybody, room_setup, room_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
