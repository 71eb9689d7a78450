/* test_account_slow.c - guessing of passwords is slowed, per account and per client address. */
#include "tests/unit/gateway/account_room.h"

/* Guesses at `user`, each from an address of its own, until it has to wait: gives how many were let in. */
static unsigned guess(const char *user, unsigned n, uint32_t *retry_s)
{
	unsigned let_in = 0;
	char from[32];

	for (unsigned i = 0; i < n; i++) {
		struct account_answer a;

		snprintf(from, sizeof(from), "198.51.100.%u", i);
		a = login_from(user, "wrong password", from);
		if (a.err == EAGAIN)
			*retry_s = a.retry_s;
		else
			let_in++;
	}
	return let_in;
}

static void guessing_at_an_account_is_slowed(void **state)
{
	uint32_t retry_s = 0, unknown_s = 0;
	struct account_answer a;

	assert_int_equal(add("alice", "password"), 0);
	assert_int_equal(guess("alice", 5, &retry_s), 3);
	assert_int_equal(retry_s, 1);
	/* Also the right one has to wait; a name that does not exist behaves the same. */
	assert_int_equal(login_from("alice", "password", "203.0.113.1").err, EAGAIN);
	assert_int_equal(guess("nobody", 5, &unknown_s), 3);
	assert_int_equal(unknown_s, 1);
	/* 1 s, 2 s, 4 s … */
	for (uint32_t wait_s = 1; wait_s < 1024; wait_s *= 2) {
		fake_loop_advance_ms(
			core.loop,
			(wait_s > SLOW_WAIT_MAX_S ? SLOW_WAIT_MAX_S : wait_s) * 1000ull);
		assert_int_equal(guess("alice", 2, &retry_s), 1);
		assert_int_equal(retry_s, 2 * wait_s > SLOW_WAIT_MAX_S ? SLOW_WAIT_MAX_S
								       : 2 * wait_s);
	}
	fake_loop_advance_ms(core.loop, SLOW_WAIT_MAX_S * 1000ull);
	a = login_from("alice", "password", "203.0.113.1");
	assert_int_equal(a.err, 0); /* which forgets the failures */
	assert_int_equal(guess("alice", 5, &retry_s), 3);
	assert_int_equal(retry_s, 1);
	/* So does a quarter of an hour after the last wait. */
	fake_loop_advance_ms(core.loop, (1 + SLOW_FORGET_S) * 1000ull);
	assert_int_equal(guess("alice", 5, &retry_s), 3);
}

static void guesses_sent_together_are_slowed_too(void **state)
{
	struct got g = {.want = 20};
	unsigned wrong = 0;

	assert_int_equal(add("alice", "password"), 0);
	for (size_t i = 0; i < g.want; i++)
		assert_int_equal(account_login(NULL, as, site, "alice", "wrong password",
					       14, NULL, on_answer, &g),
				 0);
	assert_true(fake_loop_wait(core.loop, got_all, &g));
	for (size_t i = 0; i < g.n; i++) {
		wrong += g.answerv[i].err == EACCES;
		assert_true(g.answerv[i].err == EACCES || g.answerv[i].err == EAGAIN);
	}
	assert_int_equal(wrong, 3);
}

static void guessing_from_an_address_is_slowed(void **state)
{
	char user[32];
	struct account_answer a;

	assert_int_equal(add("alice", "password"), 0);
	for (int i = 0; i < 5; i++) {
		snprintf(user, sizeof(user), "user%d", i);
		assert_int_equal(login_from(user, "wrong", "192.0.2.9").err, EACCES);
	}
	/* An account of one's own clears nothing. */
	assert_int_equal(login_from("alice", "password", "192.0.2.9").err, 0);
	assert_int_equal(login_from("user6", "wrong", "192.0.2.9").err, EACCES);
	a = login_from("alice", "password", "::ffff:192.0.2.9");
	assert_int_equal(a.err, EAGAIN);
	assert_int_equal(a.retry_s, 1);
	assert_int_equal(login_from("alice", "password", "192.0.2.10").err, 0);

	for (int i = 0; i < 6; i++) { /* another host of the same /64 each time */
		char from[40];

		snprintf(from, sizeof(from), "2001:db8:1:2::%d", i);
		snprintf(user, sizeof(user), "six%d", i);
		assert_int_equal(login_from(user, "wrong", from).err, EACCES);
	}
	assert_int_equal(login_from("alice", "password", "2001:db8:1:2:ffff::1").err,
			 EAGAIN);
	assert_int_equal(login_from("alice", "password", "2001:db8:1:3::1").err, 0);
}

static void the_table_of_failures_is_bounded(void **state)
{
	struct account_slow *s = NULL;
	uint32_t retry_s = 0;
	char key[32];

	assert_int_equal(account_slow_alloc(&s, core.loop->timers, 1, 10), 0);
	assert_int_equal(account_slow_enter(s, "under way", &retry_s), 0);
	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(account_slow_enter(s, key, &retry_s), 0);
		account_slow_leave(s, key, SLOW_FAILED);
	}
	assert_int_equal(account_slow_count(s), 10);
	assert_int_equal(account_slow_enter(s, "k99", &retry_s),
			 EAGAIN); /* still known */
	account_slow_leave(s, "under way", SLOW_FAILED);
	assert_int_equal(account_slow_enter(s, "under way", &retry_s), EAGAIN);
	account_slow_leave(s, "never entered", SLOW_FAILED);
	mem_deref(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(guessing_at_an_account_is_slowed),
		TEST(guesses_sent_together_are_slowed_too),
		TEST(guessing_from_an_address_is_slowed),
		TEST(the_table_of_failures_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
