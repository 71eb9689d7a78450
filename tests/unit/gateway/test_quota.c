/* tests/unit/gateway/test_quota.c - calls at once and a minute per key, in a bounded table. */
#include "gateway/quota.h"
#include "tests/fake/fake.h"

#include <setjmp.h>
#include <cmocka.h>

struct world {
	struct loop *loop;
	struct quota *q;
};

static int setup(void **state)
{
	static struct world w;

	*state = &w;
	assert_int_equal(fake_loop_alloc(&w.loop), 0);
	return quota_alloc(&w.q, w.loop->timers, 4);
}

static int teardown(void **state)
{
	struct world *w = *state;

	w->q = mem_deref(w->q);
	w->loop = mem_deref(w->loop);
	return 0;
}

static void at_once(void **state)
{
	struct quota *q = ((struct world *)*state)->q;

	assert_int_equal(quota_take(q, "alice", 2, 0), 0);
	assert_int_equal(quota_take(q, "alice", 2, 0), 0);
	assert_int_equal(quota_take(q, "alice", 2, 0), ENOSPC);
	assert_int_equal(quota_take(q, "bob", 2, 0), 0);
	assert_int_equal(quota_now(q, "alice"), 2);
	quota_give(q, "alice");
	assert_int_equal(quota_take(q, "alice", 2, 0), 0);
	quota_give(q, "alice");
	quota_give(q, "alice");
	quota_give(q, "alice"); /* one too many, and one unknown, are harmless */
	quota_give(q, "carol");
	assert_int_equal(quota_now(q, "alice"), 0);
	assert_int_equal(quota_now(q, "carol"), 0);
}

static void a_minute(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(quota_take(w->q, "alice", 8, 3), 0);
		quota_give(w->q, "alice");
	}
	assert_int_equal(quota_take(w->q, "alice", 8, 3), EAGAIN);
	fake_loop_advance_ms(w->loop, 59999);
	assert_int_equal(quota_take(w->q, "alice", 8, 3), EAGAIN);
	fake_loop_advance_ms(w->loop, 1);
	assert_int_equal(quota_take(w->q, "alice", 8, 3), 0);
	/* refused ones were not counted, and the next minute has begun */
	assert_int_equal(quota_take(w->q, "alice", 8, 3), 0);
	assert_int_equal(quota_take(w->q, "alice", 8, 3), 0);
	assert_int_equal(quota_take(w->q, "alice", 8, 3), EAGAIN);
}

static void bounded(void **state)
{
	static const char *const keys[] = {"a", "b", "c", "d"};
	struct world *w = *state;

	for (size_t i = 0; i < N_ELEMS(keys); i++)
		assert_int_equal(quota_take(w->q, keys[i], 1, 1), 0);
	assert_int_equal(quota_take(w->q, "e", 1, 1), ENOSPC);
	quota_give(w->q, "b");
	/* b's minute is still counted: no room */
	assert_int_equal(quota_take(w->q, "e", 1, 1), ENOSPC);
	assert_int_equal(quota_take(w->q, "b", 1, 1), EAGAIN);
	fake_loop_advance_ms(w->loop, 60000);
	assert_int_equal(quota_take(w->q, "e", 1, 1), 0);
	assert_int_equal(quota_keys(w->q), 4);
	assert_int_equal(quota_take(w->q, "b", 1, 1), ENOSPC);
	/* idle keys all go at the next need */
	for (size_t i = 0; i < N_ELEMS(keys); i++)
		quota_give(w->q, keys[i]);
	fake_loop_advance_ms(w->loop, 60000);
	assert_int_equal(quota_take(w->q, "f", 1, 1), 0);
	assert_int_equal(quota_keys(w->q), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_minute, setup, teardown),
		cmocka_unit_test_setup_teardown(bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
