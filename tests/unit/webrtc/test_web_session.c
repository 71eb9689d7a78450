/* tests/unit/webrtc/test_web_session.c - a browser from hello to goodbye, and what happens when the site is in
 * trouble (browsers.h draws who talks to whom). */
#include "tests/unit/webrtc/browsers.h"

#include <setjmp.h>
#include <cmocka.h>

/* ---- signing in ---- */

static void hello_and_welcome(void **state)
{
	const struct server_msg *m;
	struct device *d;

	sign_in("alice", "wonderland");
	up(1, WEB_OPENED);
	assert_int_equal(registry_count(fc.core.registry), 0);
	hello(1, token);
	m = hear(1, SERVER_WELCOME);
	assert_int_equal(m->id, 1);
	assert_string_equal(m->welcome.user, "alice@alpha.example");
	assert_string_equal(m->welcome.site, "alpha.example");
	assert_int_equal(m->welcome.sdp_bytes, fc.config.limits.sdp_bytes);
	d = registry_device(fc.core.registry, m->welcome.device);
	assert_non_null(d);
	assert_string_equal(d->name, "Firefox");
	assert_string_equal(d->address, "192.0.2.x");
	say(1, CLIENT_PING, "");
	hear_ok(1);
	hello(1, token);
	hear_error(1, ERROR_BAD_STATE);
	up(1, WEB_CLOSED);
	assert_int_equal(registry_count(fc.core.registry), 0);
	assert_int_equal(sessions_count(all), 0);
	silence();
}

static void nothing_without_hello(void **state)
{
	up(1, WEB_OPENED);
	say(1, CLIENT_PING, "");
	hear_error(1, ERROR_NOT_SIGNED_IN);
	dial(1, "c1", "bob@alpha.example", NULL);
	hear_error(1, ERROR_NOT_SIGNED_IN);
	hello(1, NULL);
	hear_error(1, ERROR_NOT_SIGNED_IN);
	hello(1, "00000000000000000000000000000000000000000000000000000000000000ff");
	hear_error(1, ERROR_BAD_LOGIN);
	hello(1, "short");
	hear_error(1, ERROR_BAD_LOGIN);
	fake_loop_advance_ms(fc.loop, (uint64_t)fc.config.limits.ws_auth_s * 1000 - 10);
	silence();
	fake_loop_advance_ms(fc.loop, 20);
	hear_close(1, 1008);
	silence();
	assert_int_equal(sessions_count(all), 0);
}

static void a_slow_store_is_no_excuse(void **state)
{
	sign_in("alice", "wonderland");
	fake_account_hold(fc.core.accounts, true);
	up(1, WEB_OPENED);
	hello(1, token);
	hello(1, token);
	hear_error(1, ERROR_BAD_STATE);
	fake_loop_advance_ms(fc.loop, (uint64_t)fc.config.limits.ws_auth_s * 1000 + 10);
	hear_close(1, 1008);
	fake_account_hold(fc.core.accounts, false);
	fake_loop_settle(fc.loop); /* the answer finds nobody */
	silence();
}

static void a_site_in_trouble_says_so(void **state)
{
	sign_in("alice", "wonderland");
	up(1, WEB_OPENED);
	fake_account_err(fc.core.accounts, ENOSPC);
	hello(1, token);
	hear_error(1, ERROR_TOO_SOON);
	fake_account_err(fc.core.accounts, EIO);
	hello(1, token);
	hear_error(1, ERROR_INTERNAL);
	fake_account_err(fc.core.accounts, 0);
	hello(1, token);
	hear(1, SERVER_WELCOME);
}

static void too_many_devices(void **state)
{
	mem_deref(fc.core.registry);
	assert_int_equal(registry_alloc(&fc.core.registry, 1), 0);
	enter(1, "alice", "wonderland");
	up(2, WEB_OPENED);
	hello(2, token);
	hear_error(2, ERROR_LIMIT);
	assert_string_equal(hear(2, SERVER_BYE)->bye.reason, "too-many");
	hear_close(2, 1008);
	say(1, CLIENT_PING, "");
	hear_ok(1);
}

static void signing_out_ends_its_devices(void **state)
{
	struct account_request *r;

	both_online();
	sign_in("alice", "wonderland"); /* another sign-in of hers stays */
	up(3, WEB_OPENED);
	hello(3, token);
	hear(3, SERVER_WELCOME);
	account_logout(&r, fc.core.accounts, core_site_find(&fc.core, "alpha.example"),
		       token, NULL, NULL);
	fake_loop_settle(fc.loop);
	mem_deref(r);
	assert_string_equal(hear(3, SERVER_BYE)->bye.reason, "signed-out");
	hear_close(3, 1000);
	silence();
	assert_int_equal(registry_count(fc.core.registry), 2);
	say(3, CLIENT_PING, ""); /* was on its way: nobody is there */
	up(3, WEB_CLOSED);
	silence();
}

static void stopping(void **state)
{
	they_talk();
	up(7, WEB_OPENED);
	sessions_stop(all);
	fake_loop_settle(fc.loop);
	for (unsigned i = 0, n_bye = 0, n_close = 0; n_read < n_said; i++, n_read++) {
		n_bye += said[n_read].m && said[n_read].m->kind == SERVER_BYE;
		n_close += !said[n_read].m && said[n_read].code == 1001;
		if (n_read + 1 == n_said) {
			assert_int_equal(n_bye, 3);
			assert_int_equal(n_close, 3);
		}
	}
	assert_int_equal(sessions_count(all), 0);
	assert_int_equal(registry_count(fc.core.registry), 0);
	up(8, WEB_OPENED);
	fake_loop_settle(fc.loop);
	hear(8, SERVER_BYE);
	hear_close(8, 1001);
}

/* ---- trouble ---- */

static void a_full_mailbox_ends_that_browser_alone(void **state)
{
	they_talk();
	full_conn = 2;
	say(2, CLIENT_PING, "");
	hear_ended(1, "c1", CAUSE_LOST);
	fake_loop_advance_ms(fc.loop, 350); /* the close is tried again and again */
	silence();
	full_conn = 0;
	fake_loop_advance_ms(fc.loop, 150);
	hear_close(2, 1013);
	silence();
	assert_int_equal(sessions_count(all), 1);
	assert_int_equal(fc.core.n_calls, 0);
	say(1, CLIENT_PING, "");
	hear_ok(1);
}

static void strangers(void **state)
{
	say(99, CLIENT_PING, "");
	up(99, WEB_CLOSED);
	silence();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, room_setup, room_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(hello_and_welcome),
		TEST(nothing_without_hello),
		TEST(a_slow_store_is_no_excuse),
		TEST(a_site_in_trouble_says_so),
		TEST(too_many_devices),
		TEST(signing_out_ends_its_devices),
		TEST(stopping),
		TEST(a_full_mailbox_ends_that_browser_alone),
		TEST(strangers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
