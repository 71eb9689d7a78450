/* test_timer.c - the timer heap under a clock of the test's own. */
#include "lib/base.h"
#include "lib/timer.h"

#include <setjmp.h>
#include <cmocka.h>

static uint64_t now_us;
static char order[64];
static unsigned n_changed;

static uint64_t fake_now(void *arg)
{
	(void)arg;
	return now_us;
}

static void fake_changed(void *arg)
{
	(void)arg;
	n_changed++;
}

struct named {
	struct timer t;
	char c;
	struct timers *ts;
	struct timer *victim;
};

static void fired(void *arg)
{
	struct named *n = arg;
	size_t len = strlen(order);

	order[len] = n->c;
	order[len + 1] = '\0';
	if (n->victim)
		timer_cancel(n->victim);
}

static void again(void *arg)
{
	struct named *n = arg;

	fired(arg);
	assert_int_equal(timer_start(n->ts, &n->t, 0, again, n), 0);
}

static struct timers *begin(void)
{
	struct timers *ts;

	now_us = 1000000;
	order[0] = '\0';
	n_changed = 0;
	assert_int_equal(timers_alloc(&ts, fake_now, fake_changed, NULL), 0);
	return ts;
}

static void timers_fire_in_order_of_time(void **state)
{
	struct timers *ts = begin();
	struct named n[5] = {0};
	static const uint64_t ms[5] = {50, 10, 40, 20, 30};

	(void)state;
	assert_true(timers_next_us(ts) == UINT64_MAX);
	for (int i = 0; i < 5; i++) {
		n[i].c = (char)('a' + i);
		assert_int_equal(timer_start(ts, &n[i].t, ms[i], fired, &n[i]), 0);
	}
	assert_int_equal(timers_next_us(ts), 10000);
	assert_int_equal(timers_run(ts), 0);
	now_us += 30000;
	assert_int_equal(timers_next_us(ts), 0);
	assert_int_equal(timers_run(ts), 3);
	assert_string_equal(order, "bde");
	now_us += 20000;
	assert_int_equal(timers_run(ts), 2);
	assert_string_equal(order, "bdeca");
	assert_int_equal(timers_count(ts), 0);
	mem_deref(ts);
}

static void a_cancelled_timer_does_not_fire(void **state)
{
	struct timers *ts = begin();
	struct named a = {.c = 'a'}, b = {.c = 'b'};

	(void)state;
	a.victim = &b.t;
	assert_int_equal(timer_start(ts, &a.t, 1, fired, &a), 0);
	assert_int_equal(timer_start(ts, &b.t, 1, fired, &b), 0);
	now_us += 2000;
	/* equal times: the first started comes first, and takes the other with it */
	assert_int_equal(timers_run(ts), 1);
	assert_string_equal(order, "a");
	assert_false(timer_running(&b.t));
	timer_cancel(&b.t);
	mem_deref(ts);
}

static void a_restarted_timer_moves(void **state)
{
	struct timers *ts = begin();
	struct named a = {.c = 'a'}, b = {.c = 'b'};

	(void)state;
	assert_int_equal(timer_start(ts, &a.t, 10, fired, &a), 0);
	assert_int_equal(timer_start(ts, &b.t, 20, fired, &b), 0);
	assert_int_equal(timer_start(ts, &a.t, 30, fired, &a), 0);
	assert_int_equal(timers_count(ts), 2);
	assert_int_equal(timers_next_us(ts), 20000);
	now_us += 40000;
	assert_int_equal(timers_run(ts), 2);
	assert_string_equal(order, "ba");
	mem_deref(ts);
}

static void a_handler_that_restarts_itself_cannot_hold_the_loop(void **state)
{
	struct timers *ts = begin();
	struct named a = {.c = 'a', .ts = ts};

	(void)state;
	assert_int_equal(timer_start(ts, &a.t, 0, again, &a), 0);
	assert_int_equal(timers_run(ts), 1);
	assert_int_equal(timers_run(ts), 1);
	assert_string_equal(order, "aa");
	mem_deref(ts);
	assert_false(timer_running(&a.t));
}

static void the_loop_hears_when_the_earliest_changes(void **state)
{
	struct timers *ts = begin();
	struct named a = {.c = 'a'}, b = {.c = 'b'};

	(void)state;
	assert_int_equal(timer_start(ts, &a.t, 10, fired, &a), 0);
	assert_int_equal(n_changed, 1);
	assert_int_equal(timer_start(ts, &b.t, 20, fired, &b), 0);
	assert_int_equal(n_changed, 1);
	assert_int_equal(timer_start(ts, &b.t, 5, fired, &b), 0);
	assert_int_equal(n_changed, 2);
	mem_deref(ts);
}

static void a_thousand_random_timers_stay_a_heap(void **state)
{
	struct timers *ts = begin();
	static struct named n[1000];
	uint64_t last = 0;
	unsigned seed = 4711;

	(void)state;
	memset(n, 0, sizeof(n));
	for (int round = 0; round < 3000; round++) {
		struct named *x;

		seed = seed * 1103515245u + 12345u;
		x = &n[(seed >> 8) % 1000];
		if ((seed >> 4) % 3)
			assert_int_equal(
				timer_start(ts, &x->t, 1 + (seed >> 16) % 5000, fired, x),
				0);
		else
			timer_cancel(&x->t);
	}
	assert_true(timers_count(ts) > 100);
	while (timers_count(ts)) {
		uint64_t next = timers_next_us(ts);

		now_us += next;
		assert_true(now_us >= last);
		last = now_us;
		order[0] = '\0';
		for (int i = 0; i < 1000; i++)
			assert_true(!timer_running(&n[i].t) || n[i].t.at_us >= now_us);
		while (timers_next_us(ts) == 0) {
			order[0] = '\0';
			timers_run(ts);
		}
	}
	mem_deref(ts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_fire_in_order_of_time),
		cmocka_unit_test(a_cancelled_timer_does_not_fire),
		cmocka_unit_test(a_restarted_timer_moves),
		cmocka_unit_test(a_handler_that_restarts_itself_cannot_hold_the_loop),
		cmocka_unit_test(the_loop_hears_when_the_earliest_changes),
		cmocka_unit_test(a_thousand_random_timers_stay_a_heap),
	};

	return cmocka_run_group_tests_name("timer", tests, NULL, NULL);
}
