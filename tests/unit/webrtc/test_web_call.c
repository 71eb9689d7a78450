/* tests/unit/webrtc/test_web_call.c - calls between browsers: what each is told, new offers, and what is
 * refused (abuse cases 47 and 48; browsers.h draws who talks to whom). */
#include "tests/unit/webrtc/browsers.h"

#include <setjmp.h>
#include <cmocka.h>

/* ---- a call ---- */

static void a_call_and_what_each_is_told(void **state)
{
	const struct server_msg *m;

	both_online();
	dial(1, "c1", "BOB@Alpha.Example", "Alice \xe2\x80\xae<b>\r\nEvil: x");
	hear_ok(1);
	m = hear(2, SERVER_INCOMING);
	snprintf(incoming, sizeof(incoming), "%s", m->call);
	assert_string_equal(m->who.party.address, "alice@alpha.example");
	assert_string_equal(m->who.party.name, "Alice <b>Evil: x");
	assert_string_equal(m->who.party.domain, "alpha.example");
	assert_true(m->who.party.verified);
	assert_string_equal(m->who.to, "bob@alpha.example");
	assert_string_equal(m->media, "direct");
	assert_string_equal(m->encryption, "claimed");
	assert_non_null(m->identityv);
	assert_string_equal(m->sdp->data, fake_sdp_offer);
	assert_int_equal(m->seq, 1);
	say(2, CLIENT_RINGING, incoming);
	hear_ok(2);
	m = hear(1, SERVER_PROGRESS);
	assert_string_equal(m->call, "c1");
	assert_int_equal(m->seq, 1);
	say(2, CLIENT_ACCEPT, incoming);
	assert_string_equal(hear(1, SERVER_PROGRESS)->state, "accepted");
	hear_ok(2);
	say_sdp(2, CLIENT_ANSWER, incoming);
	hear_ok(2);
	m = hear(1, SERVER_ANSWERED);
	assert_int_equal(m->seq, 3);
	assert_string_equal(m->sdp->data, fake_sdp_answer);
	assert_string_equal(m->who.party.address, "bob@alpha.example");
	assert_true(m->who.party.verified);
	m = hear(2, SERVER_ESTABLISHED);
	assert_int_equal(m->seq, 2);
	assert_string_equal(m->media, "direct");
	say(1, CLIENT_HANGUP, "c1");
	hear_ok(1);
	hear_ended(1, "c1", CAUSE_HANGUP);
	hear_ended(2, incoming, CAUSE_HANGUP);
	silence();
}

static void an_answer_without_ringing(void **state)
{
	both_online();
	dial(1, "c1", "bob@alpha.example", NULL);
	hear_ok(1);
	hear_incoming(2);
	say(2, CLIENT_ACCEPT, incoming);
	hear(1, SERVER_PROGRESS);
	hear_ok(2);
}

static void busy_and_decline(void **state)
{
	alice_rings_bob();
	say_reason(2, CLIENT_REJECT, incoming, REASON_BUSY);
	hear_ok(2);
	hear_ended(2, incoming, CAUSE_BUSY);
	hear_ended(1, "c1", CAUSE_BUSY);
	dial(1, "c2", "bob@alpha.example", NULL);
	hear_ok(1);
	hear_incoming(2);
	say_reason(2, CLIENT_REJECT, incoming, REASON_DECLINE);
	hear_ok(2);
	hear_ended(2, incoming, CAUSE_DECLINED);
	hear_ended(1, "c2", CAUSE_DECLINED);
	silence();
}

static void the_caller_gives_up(void **state)
{
	alice_rings_bob();
	say(1, CLIENT_HANGUP, "c1");
	hear_ok(1);
	hear_ended(1, "c1", CAUSE_CANCELLED);
	hear_ended(2, incoming, CAUSE_CANCELLED);
	say(2, CLIENT_ACCEPT, incoming); /* crossed it */
	hear_error(2, ERROR_GONE);
	silence();
}

static void two_devices_the_first_wins(void **state)
{
	char second[WEB_CALL_MAX + 1];

	both_online();
	up(3, WEB_OPENED);
	hello(3, token);
	hear(3, SERVER_WELCOME);
	dial(1, "c1", "bob@alpha.example", NULL);
	hear_ok(1);
	hear_incoming(2);
	snprintf(second, sizeof(second), "%s", incoming);
	hear_incoming(3);
	say(2, CLIENT_ACCEPT, second);
	hear_ended(3, incoming, CAUSE_ELSEWHERE);
	hear(1, SERVER_PROGRESS);
	hear_ok(2);
	say(3, CLIENT_ACCEPT, incoming);
	hear_error(3, ERROR_ELSEWHERE);
	say(3, CLIENT_RINGING, incoming);
	hear_error(3, ERROR_ELSEWHERE);
	say_sdp(3, CLIENT_ANSWER, incoming);
	hear_error(3, ERROR_ELSEWHERE);
	silence();
}

static void a_device_that_comes_late_rings_too(void **state)
{
	both_online();
	dial(1, "c1", "bob@alpha.example", NULL);
	hear_ok(1);
	hear_incoming(2);
	up(3, WEB_OPENED);
	hello(3, token);
	hear(3, SERVER_WELCOME);
	hear_incoming(3);
	say(3, CLIENT_ACCEPT, incoming);
	hear(2, SERVER_ENDED);
	hear(1, SERVER_PROGRESS);
	hear_ok(3);
}

static void who_vanishes_is_lost(void **state)
{
	they_talk();
	up(2, WEB_CLOSED);
	fake_loop_settle(fc.loop);
	hear_ended(1, "c1", CAUSE_LOST);
	silence();
	assert_int_equal(registry_count(fc.core.registry), 1);
	dial(1, "c2", "bob@alpha.example", NULL);
	hear_ok(1);
	hear_ended(1, "c2", CAUSE_OFFLINE);
}

static void a_lost_caller_ends_the_ringing(void **state)
{
	alice_rings_bob();
	up(1, WEB_CLOSED);
	fake_loop_settle(fc.loop);
	hear(2, SERVER_ENDED);
	silence();
}

static void reasons_of_hangup(void **state)
{
	they_talk();
	say_reason(2, CLIENT_HANGUP, incoming, REASON_MISMATCH);
	hear_ok(2);
	hear_ended(2, incoming, CAUSE_FORBIDDEN);
	hear(1, SERVER_ENDED);
	dial(1, "c2", "bob@alpha.example", NULL);
	hear_ok(1);
	hear_incoming(2);
	say(2, CLIENT_ACCEPT, incoming);
	hear(1, SERVER_PROGRESS);
	hear_ok(2);
	say_reason(2, CLIENT_HANGUP, incoming, REASON_MEDIA);
	hear_ok(2);
	hear_ended(2, incoming, CAUSE_MEDIA);
	hear_ended(1, "c2", CAUSE_MEDIA);
}

/* ---- new offers ---- */

static void an_offer_and_its_answer(void **state)
{
	they_talk();
	say_sdp(1, CLIENT_OFFER, "c1");
	hear_ok(1);
	assert_string_equal(hear(2, SERVER_OFFER)->call, incoming);
	say_sdp(2, CLIENT_ANSWER, incoming);
	hear_ok(2);
	assert_string_equal(hear(1, SERVER_ANSWER)->sdp->data, fake_sdp_answer);
	say_sdp(2, CLIENT_OFFER, incoming);
	hear_ok(2);
	hear(1, SERVER_OFFER);
	say_reason(1, CLIENT_REFUSE, "c1", REASON_MEDIA);
	hear_ok(1);
	assert_int_equal(hear(2, SERVER_REFUSED)->cause.reason, CAUSE_MEDIA);
	silence();
}

static void offers_that_cross(void **state)
{
	they_talk();
	say_sdp(1, CLIENT_OFFER, "c1");
	hear_ok(1);
	hear(2, SERVER_OFFER);
	say_sdp(2, CLIENT_OFFER, incoming); /* was on its way */
	hear_ok(2);
	assert_int_equal(hear(2, SERVER_REFUSED)->cause.reason, CAUSE_GLARE);
	say_sdp(1, CLIENT_OFFER, "c1"); /* a second one of one's own is a mistake */
	hear_error(1, ERROR_BAD_STATE);
	say_sdp(2, CLIENT_ANSWER, incoming);
	hear_ok(2);
	hear(1, SERVER_ANSWER);
	silence();
}

static void an_offer_nobody_answers(void **state)
{
	they_talk();
	say_sdp(1, CLIENT_OFFER, "c1");
	hear_ok(1);
	hear(2, SERVER_OFFER);
	fake_loop_advance_ms(fc.loop, (uint64_t)fc.config.limits.offer_s * 1000 + 10);
	assert_int_equal(hear(1, SERVER_REFUSED)->cause.reason, CAUSE_TIMEOUT);
	silence();
}

/* A SIP peer takes its offer back: the client is told, and an answer that crosses this changes nothing. */
static void an_offer_taken_back(void **state)
{
	struct fake_leg *caller;
	struct call *call;

	both_online();
	assert_int_equal(fake_core_call(&fc, &call, &caller, "carol@beta.example",
					"bob@alpha.example"),
			 0);
	fake_loop_settle(fc.loop);
	hear_incoming(2);
	say(2, CLIENT_ACCEPT, incoming);
	hear_ok(2);
	say_sdp(2, CLIENT_ANSWER, incoming);
	hear_ok(2);
	hear(2, SERVER_ESTABLISHED);
	fake_leg_say_sdp(caller, LEG_OFFER, 5);
	hear(2, SERVER_OFFER);
	fake_leg_say_cause(caller, LEG_OFFER_WITHDRAWN, CAUSE_CANCELLED);
	assert_string_equal(hear(2, SERVER_WITHDRAWN)->call, incoming);
	fake_leg_trace_clear(caller);
	say_sdp(2, CLIENT_ANSWER, incoming);
	hear_error(2, ERROR_BAD_STATE);
	say_reason(2, CLIENT_REFUSE, incoming, REASON_MEDIA);
	hear_error(2, ERROR_BAD_STATE);
	assert_string_equal(caller->trace, "");
	say_sdp(2, CLIENT_OFFER, incoming);
	hear_ok(2);
	assert_string_equal(caller->trace, "offer");
	fake_leg_say_sdp(caller, LEG_ANSWER, 6);
	hear(2, SERVER_ANSWER);
	fake_leg_say_cause(caller, LEG_ENDED, CAUSE_HANGUP);
	hear_ended(2, incoming, CAUSE_HANGUP);
	mem_deref(caller);
	silence();
}

/* ---- what is refused (abuse case 48) ---- */

static void in_the_wrong_order(void **state)
{
	they_talk();
	say(2, CLIENT_RINGING, incoming);
	hear_error(2, ERROR_BAD_STATE);
	say(2, CLIENT_ACCEPT, incoming);
	hear_error(2, ERROR_BAD_STATE);
	say_reason(2, CLIENT_REJECT, incoming, REASON_BUSY);
	hear_error(2, ERROR_BAD_STATE);
	say_sdp(2, CLIENT_ANSWER, incoming);
	hear_error(2, ERROR_BAD_STATE);
	say_reason(1, CLIENT_REFUSE, "c1", REASON_MEDIA);
	hear_error(1, ERROR_BAD_STATE);
	say(1, CLIENT_ACCEPT, "c1");
	hear_error(1, ERROR_BAD_STATE);
	silence(); /* and nothing came of it */
	say(1, CLIENT_HANGUP, "c1");
	hear_ok(1);
	hear(1, SERVER_ENDED);
	hear(2, SERVER_ENDED);
}

static void before_its_time(void **state)
{
	alice_rings_bob();
	say_sdp(2, CLIENT_ANSWER, incoming);
	hear_error(2, ERROR_BAD_STATE);
	say_sdp(2, CLIENT_OFFER, incoming);
	hear_error(2, ERROR_BAD_STATE);
	say_sdp(1, CLIENT_OFFER, "c1");
	hear_error(1, ERROR_BAD_STATE);
	say_sdp(1, CLIENT_ANSWER, "c1");
	hear_error(1, ERROR_BAD_STATE);
	silence();
}

static void other_peoples_calls(void **state)
{
	they_talk();
	enter(3, "bob", "builder99");
	say(3, CLIENT_HANGUP, incoming);
	hear_error(3, ERROR_NO_CALL);
	say(3, CLIENT_HANGUP, "c1");
	hear_error(3, ERROR_NO_CALL);
	say_sdp(3, CLIENT_OFFER, "c1");
	hear_error(3, ERROR_NO_CALL);
	say(1, CLIENT_HANGUP, incoming);
	hear_error(1, ERROR_NO_CALL);
	silence();
}

static void calls_that_cannot_be(void **state)
{
	static const char *const bad_to[] = {"bob",
					     "bob@",
					     "@alpha.example",
					     "bob@alpha.example@evil.example",
					     "bob@alpha.example;x=y",
					     "tel:+49",
					     "bob@192.0.2.1",
					     "b\xc3\xb6@a.b"};

	both_online();
	for (size_t i = 0; i < N_ELEMS(bad_to); i++) {
		dial(1, "c1", bad_to[i], NULL);
		hear_error(1, ERROR_BAD_ADDRESS);
	}
	dial(1, "c1", "nobody@alpha.example", NULL);
	hear_ok(1);
	hear_ended(1, "c1", CAUSE_NOT_FOUND);
	dial(1, "c1", "alice@alpha.example", NULL);
	hear_ok(1);
	hear_ended(1, "c1", CAUSE_OFFLINE);
	dial(1, "c1", "bob@alpha.example", NULL); /* a name may be used again */
	hear_ok(1);
	hear_incoming(2);
	dial(1, "c1", "bob@alpha.example", NULL); /* but not twice at once */
	hear_error(1, ERROR_CALL_EXISTS);
	silence();
}

static void descriptions_that_are_none(void **state)
{
	struct client_msg *m;

	they_talk();
	say_text(1, CLIENT_OFFER, "c1", "v=0\r\n");
	hear_error(1, ERROR_BAD_SDP);
	say_text(
		1, CLIENT_OFFER, "c1",
		"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n");
	hear_error(1, ERROR_BAD_SDP);
	m = make(CLIENT_CALL, "c2");
	m->to = base_dup("bob@alpha.example", 17);
	m->sdp = fake_body("hello");
	give(1, m);
	hear_error(1, ERROR_BAD_SDP);
	silence();
	say_sdp(1, CLIENT_OFFER, "c1"); /* the call is as it was */
	hear_ok(1);
	hear(2, SERVER_OFFER);
}

static void floods_of_calls(void **state)
{
	unsigned n = 0;

	both_online();
	for (unsigned i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "c%u", i);
		dial(1, name, "bob@alpha.example", NULL);
		while (n_read < n_said) {
			const struct server_msg *m = said[n_read++].m;

			n += m->kind == SERVER_INCOMING;
			if (m->kind == SERVER_ERROR)
				assert_true(m->error.code == ERROR_LIMIT ||
					    m->error.code == ERROR_RATE);
		}
		forget();
	}
	assert_int_equal(n, fc.config.limits.calls_per_user);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, room_setup, room_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_call_and_what_each_is_told),
		TEST(an_answer_without_ringing),
		TEST(busy_and_decline),
		TEST(the_caller_gives_up),
		TEST(two_devices_the_first_wins),
		TEST(a_device_that_comes_late_rings_too),
		TEST(who_vanishes_is_lost),
		TEST(a_lost_caller_ends_the_ringing),
		TEST(reasons_of_hangup),
		TEST(an_offer_and_its_answer),
		TEST(offers_that_cross),
		TEST(an_offer_nobody_answers),
		TEST(an_offer_taken_back),
		TEST(in_the_wrong_order),
		TEST(before_its_time),
		TEST(other_peoples_calls),
		TEST(calls_that_cannot_be),
		TEST(descriptions_that_are_none),
		TEST(floods_of_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
