/* test_edge_order.c - small keepers of numbers: SRV weights, the back-off of targets,
 * connections per address and per domain. No socket; a clock of the test's own. */
#include "lib/base.h"

#include <setjmp.h>
#include <cmocka.h>

#include "sip/edge/backoff.h"
#include "sip/edge/census.h"
#include "sip/edge/crowd.h"
#include "sip/edge/srv.h"

static uint64_t now_us;
static uint32_t chance;

static uint64_t fake_now(void *arg)
{
	(void)arg;
	return now_us;
}

static uint32_t fake_random(uint32_t below, void *arg)
{
	(void)arg;
	return chance < below ? chance : below - 1;
}

/* ---- weights ---- */

static void weights(void **state)
{
	struct srv_host hostv[3] = {
		{.priority = 1, .weight = 0, .port = 1, .n = 1},
		{.priority = 1, .weight = 10, .port = 2, .n = 1},
		{.priority = 1, .weight = 30, .port = 3, .n = 1},
	};
	struct sa targetv[TARGETS_MAX];
	unsigned firsts[4] = {0};

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		sa_set_str(&hostv[i].sav[0], "192.0.2.1", hostv[i].port);
	/* Every chance there is: 0 of 40 goes to weight 0, 10 to weight 10, 30 to weight
	 * 30. */
	for (chance = 0; chance <= 40; chance++) {
		assert_int_equal(srv_order(targetv, hostv, 3, fake_random, NULL), 3);
		firsts[sa_port(&targetv[0])]++;
	}
	assert_int_equal(firsts[1], 1);
	assert_int_equal(firsts[2], 10);
	assert_int_equal(firsts[3], 30);
	chance = 0;
	assert_int_equal(srv_order(targetv, hostv, 0, fake_random, NULL), 0);
}

/* ---- back-off ---- */

static void backs_off(void **state)
{
	static const unsigned waits[] = {1, 2, 4, 8, 16, 30, 30};
	struct timers *ts;
	struct backoff *b;
	char target[64];

	(void)state;
	now_us = 1000000;
	assert_int_equal(timers_alloc(&ts, fake_now, NULL, NULL), 0);
	assert_int_equal(backoff_alloc(&b, ts), 0);
	assert_false(backoff_active(b, "a", "b", "1:1"));
	for (size_t i = 0; i < N_ELEMS(waits); i++) {
		backoff_failed(b, "a", "b", "1:1");
		assert_true(backoff_active(b, "a", "B", "1:1"));
		assert_false(backoff_active(b, "a", "b", "1:2"));
		assert_false(backoff_active(b, "c", "b", "1:1"));
		now_us += waits[i] * 1000000ull - 1;
		assert_true(backoff_active(b, "a", "b", "1:1"));
		now_us++;
		assert_false(backoff_active(b, "a", "b", "1:1"));
	}
	/* It works again: the next failure starts from the beginning. */
	backoff_works(b, "b", "1:1");
	backoff_failed(b, "a", "b", "1:1");
	now_us += 1000000;
	assert_false(backoff_active(b, "a", "b", "1:1"));
	backoff_failed(b, "a", "b", "1:2");
	backoff_works(b, "B", NULL);
	assert_int_equal(backoff_count(b), 0);
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(target, sizeof(target), "192.0.2.1:%u", i);
		backoff_failed(b, "a", "b", target);
	}
	assert_int_equal(backoff_count(b), 1024);
	now_us += 400000000;
	assert_false(backoff_active(b, "a", "b", "1:1"));
	assert_int_equal(backoff_count(b), 0);
	mem_deref(b);
	mem_deref(ts);
}

/* ---- crowds ---- */

static void crowds(void **state)
{
	struct sa a, b, c, d;
	struct crowd *crowd;

	(void)state;
	assert_int_equal(crowd_alloc(&crowd), 0);
	sa_set_str(&a, "192.0.2.1", 1);
	sa_set_str(&b, "192.0.2.2", 1);
	sa_set_str(&c, "2001:db8::1", 1);
	sa_set_str(&d, "2001:db8::ffff:2", 2);
	for (unsigned i = 0; i < 5000; i++)
		assert_int_equal(crowd_enter(crowd, &a), 0);
	assert_int_equal(crowd_count(crowd, &a), 5000);
	assert_int_equal(crowd_count(crowd, &b), 0);
	/* One subscriber has a /64. */
	assert_int_equal(crowd_enter(crowd, &c), 0);
	assert_int_equal(crowd_enter(crowd, &d), 0);
	assert_int_equal(crowd_count(crowd, &c), 2);
	crowd_leave(crowd, &c);
	crowd_leave(crowd, &d);
	assert_int_equal(crowd_count(crowd, &d), 0);
	crowd_leave(crowd, &d);
	assert_int_equal(crowd_count(crowd, &d), 0);
	mem_deref(crowd);
}

/* ---- the census ---- */

static char told[1024];

static void tell(const char *domain, bool up, const char *why, unsigned n_conns,
		 void *arg)
{
	(void)arg;
	snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s %s %u%s%s|",
		 domain, up ? "up" : "down", n_conns, *why ? " " : "", why);
}

static void census(void **state)
{
	struct census *c;

	(void)state;
	assert_int_equal(census_alloc(&c, tell, NULL), 0);
	census_enter(c, "a.example/b.example");
	census_enter(c, "a.example");
	census_enter(c, "");
	assert_string_equal(told, "a.example up 1|b.example up 1|a.example up 2|");
	told[0] = '\0';
	census_failed(c, "a.example", "why");
	census_leave(c, "a.example/b.example", "gone");
	census_leave(c, "a.example", "gone");
	census_leave(c, "a.example", "gone");
	census_failed(c, "c.example", "why");
	assert_string_equal(
		told, "a.example up 2 why|a.example up 1 gone|b.example down 0 gone|"
		      "a.example down 0 gone|c.example down 0 why|");
	/* A certificate with many names counts for the first four. */
	told[0] = '\0';
	census_enter(c, "1/2/3/4/5/6");
	assert_string_equal(told, "1 up 1|2 up 1|3 up 1|4 up 1|");
	mem_deref(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weights),
		cmocka_unit_test(backs_off),
		cmocka_unit_test(crowds),
		cmocka_unit_test(census),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
