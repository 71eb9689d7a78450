/* test_edge_allowance.c - what those who prove nobody may send: buckets under a clock of the test's own. */
#include "lib/base.h"

#include <setjmp.h>
#include <cmocka.h>

#include "sip/edge/allowance.h"

enum { RATE = 10, BURST = RATE * ALLOWANCE_BURST_S };

static uint64_t now_us;
static struct timers *timers;
static struct allowance *a;

static uint64_t fake_now(void *arg)
{
	(void)arg;
	return now_us;
}

static int begin(void **state)
{
	(void)state;
	now_us = 77;
	assert_int_equal(timers_alloc(&timers, fake_now, NULL, NULL), 0);
	assert_int_equal(allowance_alloc(&a, timers, RATE), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	a = mem_deref(a);
	timers = mem_deref(timers);
	return 0;
}

static struct sa address(const char *text)
{
	struct sa sa;

	assert_int_equal(sa_set_str(&sa, text, 5061), 0);
	return sa;
}

/* How many of `n` at once pass. */
static unsigned pass(const char *text, unsigned n)
{
	struct sa sa = address(text);
	unsigned passed = 0;

	while (n--)
		passed += allowance_take(a, &sa);
	return passed;
}

static void a_burst_then_the_rate(void **state)
{
	(void)state;
	assert_int_equal(pass("192.0.2.1", 1000), BURST);
	now_us += 99999;
	assert_int_equal(pass("192.0.2.1", 1000), 0);
	now_us += 1;
	assert_int_equal(pass("192.0.2.1", 1000), 1);
	now_us += 1000000;
	assert_int_equal(pass("192.0.2.1", 1000), RATE);
	/* What is refused costs nothing, and rest fills it up, no further. */
	now_us += 3600 * 1000000ull;
	assert_int_equal(pass("192.0.2.1", 1000), BURST);
}

static void addresses_stand_for_themselves(void **state)
{
	(void)state;
	assert_int_equal(pass("192.0.2.1", 1000), BURST);
	assert_int_equal(pass("192.0.2.2", 1000), BURST);
	/* A /64 is one subscriber. */
	assert_int_equal(pass("2001:db8::1", 1000), BURST);
	assert_int_equal(pass("2001:db8::2:3:4:5", 1000), 0);
	assert_int_equal(pass("2001:db8:0:1::1", 1000), BURST);
}

static void all_together_have_a_limit(void **state)
{
	char text[32];
	unsigned n = 0;

	(void)state;
	for (unsigned i = 1; i < 200; i++) {
		snprintf(text, sizeof(text), "192.0.2.%u", i);
		n += pass(text, 1000);
	}
	assert_int_equal(n, ALLOWANCE_SHARES * BURST);
	now_us += 1000000;
	n = 0;
	for (unsigned i = 1; i < 200; i++) {
		snprintf(text, sizeof(text), "198.51.100.%u", i);
		n += pass(text, 1000);
	}
	assert_int_equal(n, ALLOWANCE_SHARES * RATE);
}

static void places_are_forgotten(void **state)
{
	char text[32];

	(void)state;
	for (unsigned i = 0; i < 3 * ALLOWANCE_PLACES_MAX; i++) {
		snprintf(text, sizeof(text), "10.%u.%u.1", i >> 8, i & 255);
		pass(text, 1);
	}
	assert_int_equal(allowance_n_places(a), ALLOWANCE_PLACES_MAX);
	now_us += ALLOWANCE_BURST_S * 1000000ull;
	assert_int_equal(pass("192.0.2.1", 1000), BURST);
	assert_int_equal(allowance_n_places(a), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_burst_then_the_rate, begin, end),
		cmocka_unit_test_setup_teardown(addresses_stand_for_themselves, begin,
						end),
		cmocka_unit_test_setup_teardown(all_together_have_a_limit, begin, end),
		cmocka_unit_test_setup_teardown(places_are_forgotten, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
