/* tests/unit/webrtc/test_web_trickle.c - candidates between browsers: who is told what and when, and what is
 * refused (browsers.h draws who talks to whom). */
#include "tests/unit/webrtc/browsers.h"

#include <setjmp.h>
#include <cmocka.h>

#define HEX8 "6B:8B:F0:65:5F:78:E2:51"
#define SDP(options, more)                                                               \
	"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n" options                    \
	"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:F7gI\r\n"    \
	"a=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\na=fingerprint:sha-256 " HEX8 ":" HEX8       \
	":" HEX8 ":" HEX8 "\r\n" more
#define OPTIONS "a=ice-options:trickle\r\n"
#define MID     "a=mid:0\r\n"

static const char open_sdp[] = SDP(OPTIONS, MID);

static void say_open(uint64_t conn, enum client_kind kind, const char *call,
		     const char *sdp)
{
	struct client_msg *m = make(kind, call);

	m->sdp = fake_body(sdp);
	m->sdp->trickle = m->trickle = true;
	if (kind == CLIENT_CALL)
		m->to = base_dup("bob@alpha.example", strlen("bob@alpha.example"));
	give(conn, m);
}

static void say_candidates(uint64_t conn, const char *call, unsigned first, unsigned n,
			   bool end)
{
	struct client_msg *m = make(CLIENT_CANDIDATES, call);
	char line[80];

	assert_int_equal(candidates_alloc(&m->candidates, "F7gI", 4), 0);
	for (unsigned i = 0; i < n; i++) {
		snprintf(line, sizeof(line), "candidate:%u 1 udp 1 192.0.2.1 9 typ host",
			 first + i);
		assert_int_equal(
			candidates_add(m->candidates, "0", 1, 0, line, strlen(line)), 0);
	}
	m->candidates->end = end;
	give(conn, m);
}

static void hear_candidates(uint64_t conn, const char *call, size_t n, bool end)
{
	const struct server_msg *m = hear(conn, SERVER_CANDIDATES);

	assert_string_equal(m->call, call);
	assert_int_equal(m->candidates->n, n);
	assert_true(m->candidates->end == end);
	assert_string_equal(m->candidates->ufrag, "F7gI");
}

static void open_call(void)
{
	const struct server_msg *m;

	both_online();
	say_open(1, CLIENT_CALL, "c1", open_sdp);
	hear_ok(1);
	m = hear(2, SERVER_INCOMING);
	snprintf(incoming, sizeof(incoming), "%s", m->call);
	assert_true(m->sdp->trickle);
	assert_string_equal(m->sdp->data, open_sdp); /* byte for byte */
}

static void the_caller_before_and_after_the_answer(void **state)
{
	open_call();
	say_candidates(1, "c1", 1, 2, false);
	hear_ok(1);
	hear_candidates(2, incoming, 2, false);
	say(2, CLIENT_RINGING, incoming);
	hear_ok(2);
	hear(1, SERVER_PROGRESS);
	say_candidates(1, "c1", 3, 1, false);
	hear_ok(1);
	hear_candidates(2, incoming, 1, false);
	say(2, CLIENT_ACCEPT, incoming);
	hear(1, SERVER_PROGRESS);
	hear_ok(2);
	say_candidates(1, "c1", 4, 1, false);
	hear_ok(1);
	hear_candidates(2, incoming, 1, false);
	say_open(2, CLIENT_ANSWER, incoming, open_sdp);
	hear_ok(2);
	assert_true(hear(1, SERVER_ANSWERED)->sdp->trickle);
	hear(2, SERVER_ESTABLISHED);
	say_candidates(2, incoming, 1, 1, true);
	hear_ok(2);
	hear_candidates(1, "c1", 1, true);
	say_candidates(1, "c1", 5, 0, true);
	hear_ok(1);
	hear_candidates(2, incoming, 0, true);
	silence();
}

/* Nothing of hers leaves before she accepts, and answers. */
static void the_callee_not_before_the_answer(void **state)
{
	open_call();
	say_candidates(2, incoming, 1, 1, false);
	hear_error(2, ERROR_BAD_STATE);
	say(2, CLIENT_RINGING, incoming);
	hear_ok(2);
	hear(1, SERVER_PROGRESS);
	say_candidates(2, incoming, 1, 1, false);
	hear_error(2, ERROR_BAD_STATE);
	say(2, CLIENT_ACCEPT, incoming);
	hear(1, SERVER_PROGRESS);
	hear_ok(2);
	say_candidates(2, incoming, 1, 1, false);
	hear_error(2, ERROR_BAD_STATE);
	silence();
}

static void a_device_that_comes_late_gets_all(void **state)
{
	open_call();
	say_candidates(1, "c1", 1, 2, false);
	hear_ok(1);
	hear_candidates(2, incoming, 2, false);
	say_candidates(1, "c1", 3, 1, true);
	hear_ok(1);
	hear_candidates(2, incoming, 1, true);
	up(3, WEB_OPENED);
	hello(3, token);
	hear(3, SERVER_WELCOME);
	hear_incoming(3);
	hear_candidates(3, incoming, 3, true);
	silence();
}

static void restarted_in_the_call(void **state)
{
	they_talk();
	say_open(1, CLIENT_OFFER, "c1", open_sdp);
	hear_ok(1);
	assert_true(hear(2, SERVER_OFFER)->sdp->trickle);
	say_candidates(1, "c1", 1, 1, true);
	hear_ok(1);
	hear_candidates(2, incoming, 1, true);
	say_open(2, CLIENT_ANSWER, incoming, open_sdp);
	hear_ok(2);
	assert_true(hear(1, SERVER_ANSWER)->sdp->trickle);
	silence();
}

static void so_many_for_one_description(void **state)
{
	fc.config.limits.candidates = 10;
	open_call();
	say_candidates(1, "c1", 1, 10, false);
	hear_ok(1);
	hear_candidates(2, incoming, 10, false);
	say_candidates(1, "c1", 11, 1, false);
	hear_error(1, ERROR_LIMIT);
	silence(); /* and nothing has changed */
	say_candidates(1, "c1", 11, 0, true);
	hear_ok(1);
	hear_candidates(2, incoming, 0, true);
}

/* A description that is refused begins no new count. */
static void so_many_whatever_was_refused(void **state)
{
	fc.config.limits.candidates = 10;
	they_talk();
	say_open(1, CLIENT_OFFER, "c1", open_sdp);
	hear_ok(1);
	hear(2, SERVER_OFFER);
	say_candidates(1, "c1", 1, 10, false);
	hear_ok(1);
	hear_candidates(2, incoming, 10, false);
	say_open(1, CLIENT_OFFER, "c1", open_sdp);
	hear_error(1, ERROR_BAD_STATE);
	say_candidates(1, "c1", 11, 1, false);
	hear_error(1, ERROR_LIMIT);
	say_open(2, CLIENT_OFFER, incoming, open_sdp); /* glare: gone at once */
	hear_ok(2);
	hear(2, SERVER_REFUSED);
	silence();
	say_open(2, CLIENT_ANSWER, incoming, open_sdp);
	hear_ok(2);
	hear(1, SERVER_ANSWER);
	say_open(1, CLIENT_OFFER, "c1", open_sdp); /* one that counts */
	hear_ok(1);
	hear(2, SERVER_OFFER);
	say_candidates(1, "c1", 11, 10, false);
	hear_ok(1);
	hear_candidates(2, incoming, 10, false);
}

static void only_what_says_so_may_be_open(void **state)
{
	static const char *const bad[] = {SDP("", MID), SDP(OPTIONS, ""),
					  SDP(OPTIONS, MID "a=end-of-candidates\r\n")};

	both_online();
	for (size_t i = 0; i < N_ELEMS(bad); i++) {
		say_open(1, CLIENT_CALL, "c1", bad[i]);
		hear_error(1, ERROR_BAD_SDP);
	}
	say_candidates(1, "c1", 1, 1, false);
	hear_error(1, ERROR_NO_CALL);
	silence();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, room_setup, room_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_caller_before_and_after_the_answer),
		TEST(the_callee_not_before_the_answer),
		TEST(a_device_that_comes_late_gets_all),
		TEST(restarted_in_the_call),
		TEST(so_many_for_one_description),
		TEST(so_many_whatever_was_refused),
		TEST(only_what_says_so_may_be_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
