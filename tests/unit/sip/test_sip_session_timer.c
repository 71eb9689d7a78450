/* test_sip_session_timer.c - RFC 4028, both roles, under a clock of the test's own. */
#include "lib/base.h"

#include <setjmp.h>
#include <cmocka.h>

#include "sip/session_timer.h"

static uint64_t now_us;
static struct timers *timers;
static struct session_timer st;
static unsigned n_refresh, n_expired;
static msg_t *msg;

static uint64_t now(void *arg)
{
	(void)arg;
	return now_us;
}

static void refresh(void *arg)
{
	assert_ptr_equal(arg, &st);
	n_refresh++;
}

static void expired(void *arg)
{
	(void)arg;
	n_expired++;
}

static int setup(void **state)
{
	(void)state;
	n_refresh = n_expired = 0;
	assert_int_equal(timers_alloc(&timers, now, NULL, NULL), 0);
	session_timer_init(&st, timers, 1800, refresh, expired, &st);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	session_timer_stop(&st);
	msg_destroy(msg);
	msg = NULL;
	timers = mem_deref(timers);
	return 0;
}

/* A message of which only these headers matter. */
static const sip_t *with(const char *headers)
{
	char text[600];

	snprintf(
		text, sizeof(text),
		"INVITE sip:a@b.example SIP/2.0\r\nVia: SIP/2.0/TCP x\r\nFrom: <sip:c@d.example>;tag=1\r\n"
		"To: <sip:a@b.example>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n%sContent-Length: 0\r\n\r\n",
		headers);
	msg_destroy(msg);
	msg = msg_make(sip_default_mclass(), 0, text, -1);
	return sip_object(msg);
}

static void advance_s(uint64_t s)
{
	now_us += s * 1000000;
	timers_run(timers);
}

static void as_uas(void **state)
{
	static const struct {
		const char *headers, *answer;
		bool require, ours;
	} rows[] = {
		{"", "1800;refresher=uas", false, true},
		{"Supported: timer\r\n", "1800;refresher=uas", false, true},
		{"Supported: timer\r\nSession-Expires: 600\r\n", "600;refresher=uac",
		 true, false},
		{"Supported: timer\r\nSession-Expires: 600;refresher=uas\r\n",
		 "600;refresher=uas", false, true},
		{"Supported: timer\r\nx: 600;refresher=uac\r\n", "600;refresher=uac",
		 true, false},
		{"Session-Expires: 600\r\n", "600;refresher=uas", false, true},
		{"Supported: timer\r\nSession-Expires: 7200;refresher=uac\r\n",
		 "1800;refresher=uac", true, false},
		{"Supported: timer\r\nSession-Expires: 7200\r\nMin-SE: 3600\r\n",
		 "3600;refresher=uac", true, false},
		{"Supported: timer\r\nSession-Expires: 90\r\nMin-SE: 90\r\n",
		 "90;refresher=uac", true, false},
		{"Supported: timer\r\nSession-Expires: 4000000000\r\nMin-SE: 4000000000\r\n",
		 "86400;refresher=uac", true, false},
	};
	char buf[SESSION_TIMER_TEXT];
	bool require;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		session_timer_stop(&st);
		session_timer_init(&st, timers, 1800, refresh, expired, &st);
		assert_string_equal(
			session_timer_answer(&st, with(rows[i].headers), buf, &require),
			rows[i].answer);
		assert_int_equal(require, rows[i].require);
		assert_int_equal(st.ours, rows[i].ours);
		assert_true(timer_running(&st.t));
	}
}

static void too_small(void **state)
{
	struct refusal r;

	(void)state;
	assert_int_equal(session_timer_check(&r, with("Session-Expires: 89\r\n")), 422);
	assert_string_equal(r.header, "Min-SE: 90");
	assert_int_equal(session_timer_check(&r, with("Session-Expires: 0\r\n")), 422);
	assert_int_equal(session_timer_check(&r, with("Session-Expires: 90\r\n")), 0);
	assert_int_equal(session_timer_check(&r, with("")), 0);
}

/* The one who refreshes does so at half time; the other gives up min(32, interval/3) s before the end. */
static void when(void **state)
{
	char buf[SESSION_TIMER_TEXT];
	bool require;

	(void)state;
	session_timer_accepted(&st, with("Session-Expires: 600;refresher=uac\r\n"));
	advance_s(299);
	assert_int_equal(n_refresh, 0);
	advance_s(1);
	assert_int_equal(n_refresh, 1);
	session_timer_again(&st, 5000);
	advance_s(5);
	assert_int_equal(n_refresh, 2);

	session_timer_accepted(&st, with("Session-Expires: 600;refresher=uas\r\n"));
	assert_false(st.ours);
	session_timer_again(&st, 1); /* not ours to refresh: nothing */
	advance_s(567);
	assert_int_equal(n_expired, 0);
	session_timer_answer(
		&st, with("Supported: timer\r\nSession-Expires: 600;refresher=uac\r\n"),
		buf, &require);
	advance_s(567);
	assert_int_equal(n_expired, 0);
	advance_s(1);
	assert_int_equal(n_expired, 1);

	session_timer_accepted(&st, with("Session-Expires: 90;refresher=uas\r\n"));
	advance_s(59);
	assert_int_equal(n_expired, 1);
	advance_s(1);
	assert_int_equal(n_expired, 2);

	session_timer_accepted(&st, with("")); /* the peer keeps no time: on us */
	assert_true(st.ours);
	session_timer_stop(&st);
	advance_s(100000);
	assert_int_equal(n_refresh, 2);
	assert_int_equal(n_expired, 2);
}

static void as_uac(void **state)
{
	char buf[SESSION_TIMER_TEXT];

	(void)state;
	assert_string_equal(session_timer_offer(&st, buf, true), "1800;refresher=uac");
	assert_false(session_timer_too_short(&st, with("")));
	assert_false(session_timer_too_short(&st, with("Min-SE: 100\r\n")));
	assert_true(session_timer_too_short(&st, with("Min-SE: 3600\r\n")));
	assert_string_equal(session_timer_offer(&st, buf, true), "3600;refresher=uac");
	assert_int_equal(st.min_s, 3600);
	assert_false(session_timer_too_short(
		&st, with("Min-SE: 4000000000\r\n"))); /* no use */
	session_timer_accepted(&st, with("Session-Expires: 3600;refresher=uas\r\n"));
	assert_string_equal(session_timer_offer(&st, buf, false), "3600;refresher=uas");
	session_timer_accepted(
		&st,
		with("Session-Expires: 5\r\n")); /* nonsense: as if it were not there */
	assert_int_equal(st.interval_s, 3600);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {T(as_uas), T(too_small), T(when), T(as_uac)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
