/* tests/unit/webrtc/test_web_resume.c - a browser loses its connection and comes back: nothing lost, nothing
 * twice, its calls untouched; and who may come back to what (browsers.h draws who talks to whom). */
#include "tests/unit/webrtc/browsers.h"

#include <setjmp.h>
#include <cmocka.h>

static char session[3][WEB_SESSION_HEX + 1]; /* by the connection they began on */
static char tokens[3][STORE_TOKEN_HEX + 1];

static const struct server_msg *hello_for(uint64_t conn, const char *with_token,
					  const char *which, uint64_t seq)
{
	struct client_msg *m = make(CLIENT_HELLO, "");

	m->token = base_dup(with_token, strlen(with_token));
	m->resumable = true;
	m->seq = seq;
	snprintf(m->session, sizeof(m->session), "%s", which);
	up(conn, WEB_OPENED);
	give(conn, m);
	return n_read < n_said ? said[n_read].m : NULL;
}

static void enter_able(uint64_t conn, const char *user, const char *password)
{
	const struct server_msg *m;

	sign_in(user, password);
	memcpy(tokens[conn], token, sizeof(token));
	hello_for(conn, token, "", 0);
	m = hear(conn, SERVER_WELCOME);
	assert_int_equal(strlen(m->welcome.session), WEB_SESSION_HEX);
	assert_int_equal(m->welcome.linger_s, fc.config.limits.session_linger_s);
	assert_false(m->welcome.resumed);
	assert_null(m->welcome.forgotten);
	memcpy(session[conn], m->welcome.session, sizeof(session[conn]));
}

static void both_able(void)
{
	enter_able(1, "alice", "wonderland");
	enter_able(2, "bob", "builder99");
	assert_string_not_equal(session[1], session[2]);
}

/* alice (1) and bob (2) talk; the events so far: alice 3 (ringing, accepted, answered), bob 2. */
static void able_to_talk(void)
{
	both_able();
	dial(1, "c1", "bob@alpha.example", NULL);
	hear_ok(1);
	hear_incoming(2);
	say(2, CLIENT_RINGING, incoming);
	hear_ok(2);
	hear(1, SERVER_PROGRESS);
	say(2, CLIENT_ACCEPT, incoming);
	hear(1, SERVER_PROGRESS);
	hear_ok(2);
	say_sdp(2, CLIENT_ANSWER, incoming);
	hear_ok(2);
	hear(1, SERVER_ANSWERED);
	hear(2, SERVER_ESTABLISHED);
	silence();
}

static void back(uint64_t conn, unsigned who, uint64_t seq)
{
	hello_for(conn, tokens[who], session[who], seq);
	assert_true(hear(conn, SERVER_WELCOME)->welcome.resumed);
}

static bool see(struct device *d, void *arg)
{
	*(struct device **)arg = d;
	return true;
}

static struct device *device_of(const char *user)
{
	struct addr addr = fake_addr(user);
	struct device *found = NULL;

	registry_each(fc.core.registry, &addr, see, &found);
	return found;
}

static void leave(uint64_t conn, enum web_left left)
{
	struct web_up msg = {.kind = WEB_CLOSED, .conn = conn};

	msg.closed.left = left;
	sessions_take(all, &msg);
}

static void a_call_outlives_its_sockets(void **state)
{
	able_to_talk();
	up(1, WEB_CLOSED);
	assert_true(device_of("alice@alpha.example")->away);
	assert_int_equal(registry_count(fc.core.registry), 2);
	assert_int_equal(fc.core.n_calls, 1);
	say_text(2, CLIENT_OFFER, incoming, fake_sdp_offer); /* while she is away */
	hear_ok(2);
	silence();
	fake_loop_advance_ms(fc.loop, 29000);
	back(3, 1, 3);
	assert_int_equal(hear(3, SERVER_OFFER)->seq, 4);
	assert_false(device_of("alice@alpha.example")->away);
	say_sdp(3, CLIENT_ANSWER, "c1");
	hear_ok(3);
	hear(2, SERVER_ANSWER);
	fake_loop_advance_ms(fc.loop, 60000); /* no timer is left from the time away */
	up(2, WEB_CLOSED);
	say(3, CLIENT_HANGUP, "c1");
	hear_ok(3);
	hear_ended(3, "c1", CAUSE_HANGUP);
	back(4, 2, 2);
	assert_int_equal(hear(4, SERVER_ANSWER)->seq, 3);
	hear_ended(4, incoming, CAUSE_HANGUP);
	silence();
}

static void events_come_again_with_the_same_seq(void **state)
{
	able_to_talk();
	up(1, WEB_CLOSED);
	back(3, 1, 0);
	assert_int_equal(hear(3, SERVER_PROGRESS)->seq, 1);
	assert_int_equal(hear(3, SERVER_PROGRESS)->seq, 2);
	assert_int_equal(hear(3, SERVER_ANSWERED)->seq, 3);
	silence();
	up(3, WEB_CLOSED);
	back(4, 1, 2); /* 1 and 2 are acknowledged now */
	assert_int_equal(hear(4, SERVER_ANSWERED)->seq, 3);
	up(4, WEB_CLOSED);
	hello_for(5, tokens[1], session[1], 1);
	hear_error(5, ERROR_BAD_MESSAGE);
	hello_for(6, tokens[1], session[1], 4);
	hear_error(6, ERROR_BAD_MESSAGE);
	back(7, 1, 3);
	silence();
}

static void acknowledged_by_any_request(void **state)
{
	struct client_msg *m;

	able_to_talk();
	m = make(CLIENT_PING, "");
	m->ack = 3;
	give(1, m);
	hear_ok(1);
	m = make(CLIENT_PING, "");
	m->ack = 4;
	give(1, m);
	hear_error(1, ERROR_BAD_MESSAGE);
	up(1, WEB_CLOSED);
	back(3, 1, 3);
	silence();
}

static void a_request_takes_effect_once(void **state)
{
	uint32_t id;

	both_able();
	dial(1, "c1", "bob@alpha.example", NULL);
	hear_ok(1);
	hear_incoming(2);
	up(1, WEB_CLOSED); /* the ok was lost */
	back(3, 1, 0);
	id = next_id;
	next_id -= 2; /* the hello, and the call */
	dial(3, "c1", "bob@alpha.example", NULL);
	hear_ok(3);
	silence(); /* it does not ring a second time, and there is no call-exists */
	assert_int_equal(fc.core.n_calls, 1);
	next_id = id;
	say(3, CLIENT_ACCEPT, "no-such");
	hear_error(3, ERROR_NO_CALL);
	next_id--;
	say(3, CLIENT_ACCEPT, "no-such");
	hear_error(3, ERROR_NO_CALL);
	next_id -= 2; /* the hello's own: never a request of the session */
	say(3, CLIENT_HANGUP, "c1");
	hear_error(3, ERROR_REPLAYED);
	assert_int_equal(fc.core.n_calls, 1);
	next_id = id + 1;
	say(3, CLIENT_HANGUP, "c1");
	hear_ok(3);
	hear_ended(3, "c1", CAUSE_CANCELLED);
	hear_ended(2, incoming, CAUSE_CANCELLED);
}

static void a_call_that_comes_while_away_rings_on_return(void **state)
{
	both_able();
	up(2, WEB_CLOSED);
	dial(1, "c1", "bob@alpha.example", NULL);
	hear_ok(1);
	silence();
	back(3, 2, 0);
	hear_incoming(3);
	say(3, CLIENT_RINGING, incoming);
	hear_ok(3);
	hear(1, SERVER_PROGRESS);
	up(3, WEB_CLOSED);
	say(1, CLIENT_HANGUP, "c1");
	hear_ok(1);
	hear_ended(1, "c1", CAUSE_CANCELLED);
	back(4, 2, 1);
	hear_ended(4, incoming, CAUSE_CANCELLED);
}

static void lost_when_the_linger_time_is_over(void **state)
{
	const struct server_msg *m;

	able_to_talk();
	up(1, WEB_CLOSED);
	fake_loop_advance_ms(fc.loop, 29990);
	silence();
	assert_int_equal(sessions_count(all), 2);
	fake_loop_advance_ms(fc.loop, 20);
	hear_ended(2, incoming, CAUSE_LOST);
	assert_int_equal(sessions_count(all), 1);
	assert_int_equal(registry_count(fc.core.registry), 1);
	m = hello_for(3, tokens[1], session[1], 3);
	hear(3, SERVER_WELCOME);
	assert_false(m->welcome.resumed);
	assert_string_equal(m->welcome.forgotten, "expired");
	assert_string_not_equal(m->welcome.session, session[1]);
	m = hello_for(4, tokens[1], "ffffffffffffffffffffffffffffffff", 3);
	hear(4, SERVER_WELCOME);
	assert_string_equal(m->welcome.forgotten, "unknown");
}

static void a_goodbye_is_the_end(void **state)
{
	able_to_talk();
	leave(1, WEB_LEFT_GOODBYE);
	hear_ended(2, incoming, CAUSE_LOST);
	assert_int_equal(registry_count(fc.core.registry), 1);
	assert_string_equal(hello_for(3, tokens[1], session[1], 3)->welcome.forgotten,
			    "closed");
}

static void a_page_that_is_loaded_anew_has_a_shorter_time(void **state)
{
	uint64_t ms = (uint64_t)fc.config.limits.reload_linger_s * 1000;

	assert_true(ms < (uint64_t)fc.config.limits.session_linger_s * 1000);
	able_to_talk();
	leave(1, WEB_LEFT_RELOADS);
	assert_true(device_of("alice@alpha.example")->away);
	fake_loop_advance_ms(fc.loop, ms - 1);
	assert_non_null(device_of("alice@alpha.example"));
	fake_loop_advance_ms(fc.loop, 2);
	hear_ended(2, incoming, CAUSE_LOST);
	assert_null(device_of("alice@alpha.example"));
}

static void a_page_without_a_talk_is_gone_at_once(void **state)
{
	able_to_talk();
	say(2, CLIENT_HANGUP, incoming);
	hear_ok(2);
	hear_ended(2, incoming, CAUSE_HANGUP);
	hear_ended(1, "c1", CAUSE_HANGUP);
	leave(1, WEB_LEFT_RELOADS);
	assert_null(device_of("alice@alpha.example"));
}

static void with_no_time_for_it_that_is_a_goodbye(void **state)
{
	fc.config.limits.reload_linger_s = 0;
	able_to_talk();
	leave(1, WEB_LEFT_RELOADS);
	hear_ended(2, incoming, CAUSE_LOST);
	assert_int_equal(registry_count(fc.core.registry), 1);
}

static void somebody_elses_session_cannot_be_had(void **state)
{
	const struct server_msg *m;

	able_to_talk();
	up(1, WEB_CLOSED);
	m = hello_for(3, tokens[2], session[1], 3); /* bob, with alice's */
	hear(3, SERVER_WELCOME);
	assert_string_equal(m->welcome.user, "bob@alpha.example");
	assert_false(m->welcome.resumed);
	assert_string_equal(m->welcome.forgotten, "unknown");
	hello_for(4, "00000000000000000000000000000000000000000000000000000000000000ff",
		  session[1], 3); /* a stolen name alone */
	hear_error(4, ERROR_BAD_LOGIN);
	back(5, 1, 3); /* it waits for her all the same */
	silence();
}

static void a_second_socket_takes_over(void **state)
{
	able_to_talk();
	hello_for(3, tokens[1], session[1], 3);
	hear_close(1, WEB_CLOSE_TAKEN_OVER);
	assert_true(hear(3, SERVER_WELCOME)->welcome.resumed);
	say(1, CLIENT_HANGUP, "c1"); /* was on its way: of no effect */
	up(1, WEB_CLOSED);
	silence();
	assert_int_equal(fc.core.n_calls, 1);
	assert_int_equal(sessions_count(all), 2);
	say(3, CLIENT_HANGUP, "c1");
	hear_ok(3);
	hear_ended(3, "c1", CAUSE_HANGUP);
	hear_ended(2, incoming, CAUSE_HANGUP);
}

static void a_sign_out_ends_it_while_away(void **state)
{
	struct account_request *req;

	able_to_talk();
	up(1, WEB_CLOSED);
	account_logout(&req, fc.core.accounts, core_site_find(&fc.core, "alpha.example"),
		       tokens[1], NULL, NULL);
	fake_loop_settle(fc.loop);
	mem_deref(req);
	hear_ended(2, incoming, CAUSE_LOST);
	assert_int_equal(sessions_count(all), 1);
	hello_for(3, tokens[1], session[1], 3);
	hear_error(3, ERROR_BAD_LOGIN);
	silence();
}

static void who_acknowledges_nothing_is_told_and_ended(void **state)
{
	fc.config.limits.session_queue_bytes = 6000;
	both_able();
	for (unsigned i = 0; n_read == n_said || said[n_read].m->kind != SERVER_BYE;
	     i++) {
		char name[8];

		assert_true(i < 20);
		snprintf(name, sizeof(name), "c%u", i);
		dial(1, name, "nobody@alpha.example", NULL);
		hear_ok(1);
		hear_ended(1, name, CAUSE_NOT_FOUND);
	}
	assert_string_equal(hear(1, SERVER_BYE)->bye.reason, "behind");
	hear_close(1, 1008);
	assert_string_equal(hello_for(3, tokens[1], session[1], 0)->welcome.forgotten,
			    "behind");
}

static void the_same_while_away(void **state)
{
	fc.config.limits.session_queue_bytes = 6000;
	both_able();
	up(2, WEB_CLOSED);
	for (unsigned i = 0; registry_count(fc.core.registry) == 2; i++) {
		char name[8];

		assert_true(i < 20);
		snprintf(name, sizeof(name), "c%u", i);
		dial(1, name, "bob@alpha.example", NULL);
		hear_ok(1);
		say(1, CLIENT_HANGUP, name);
		n_read = n_said;
	}
	assert_string_equal(hello_for(3, tokens[2], session[2], 0)->welcome.forgotten,
			    "behind");
}

static void a_full_mailbox_only_cuts_it_off(void **state)
{
	able_to_talk();
	full_conn = 2;
	say_text(1, CLIENT_OFFER, "c1", fake_sdp_offer);
	hear_ok(1);
	silence();
	assert_true(device_of("bob@alpha.example")->away);
	full_conn = 0;
	fake_loop_advance_ms(fc.loop, 150);
	hear_close(2, 1013);
	up(2, WEB_CLOSED);
	back(3, 2, 2);
	assert_int_equal(hear(3, SERVER_OFFER)->seq, 3);
	silence();
}

static void stopping_ends_those_that_are_away(void **state)
{
	both_able();
	up(1, WEB_CLOSED);
	sessions_stop(all);
	fake_loop_settle(fc.loop);
	hear(2, SERVER_BYE);
	hear_close(2, 1001);
	assert_int_equal(sessions_count(all), 0);
	assert_int_equal(registry_count(fc.core.registry), 0);
}

static void without_linger_there_is_no_session(void **state)
{
	fc.config.limits.session_linger_s = 0;
	sign_in("alice", "wonderland");
	hello_for(1, token, "", 0);
	assert_string_equal(hear(1, SERVER_WELCOME)->welcome.session, "");
	up(1, WEB_CLOSED);
	assert_int_equal(sessions_count(all), 0);
}

/* The room is closed while one is away, and one has just handed its connection over. */
static void closed_in_the_middle(void **state)
{
	struct client_msg *m = make(CLIENT_HELLO, "");
	struct web_up msg = {.kind = WEB_CLIENT, .conn = 3, .client = m};

	able_to_talk();
	up(1, WEB_CLOSED);
	up(2, WEB_CLOSED);
	m->token = base_dup(tokens[1], strlen(tokens[1]));
	m->resumable = true;
	memcpy(m->session, session[1], sizeof(m->session));
	up(3, WEB_OPENED);
	sessions_take(all, &msg);
	fake_loop_turn(fc.loop);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, room_setup, room_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_call_outlives_its_sockets),
		TEST(events_come_again_with_the_same_seq),
		TEST(acknowledged_by_any_request),
		TEST(a_request_takes_effect_once),
		TEST(a_call_that_comes_while_away_rings_on_return),
		TEST(lost_when_the_linger_time_is_over),
		TEST(a_goodbye_is_the_end),
		TEST(a_page_that_is_loaded_anew_has_a_shorter_time),
		TEST(a_page_without_a_talk_is_gone_at_once),
		TEST(with_no_time_for_it_that_is_a_goodbye),
		TEST(somebody_elses_session_cannot_be_had),
		TEST(a_second_socket_takes_over),
		TEST(a_sign_out_ends_it_while_away),
		TEST(who_acknowledges_nothing_is_told_and_ended),
		TEST(the_same_while_away),
		TEST(a_full_mailbox_only_cuts_it_off),
		TEST(stopping_ends_those_that_are_away),
		TEST(without_linger_there_is_no_session),
		TEST(closed_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
