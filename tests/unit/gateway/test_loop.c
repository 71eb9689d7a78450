/* tests/unit/gateway/test_loop.c - a mailbox whose receiver is a loop.
 *
 *   poster thread ──► loop_mailbox ──► eventfd ──► fake_loop on poll() ──► handler */
#include "gateway/loop.h"
#include "tests/fake/fake.h"

#include <pthread.h>
#include <setjmp.h>
#include <cmocka.h>

enum { N_MSGS = 10000 };

struct msg {
	char *owned;
	uint32_t n;
};

struct world {
	struct loop *loop;
	struct loop_mailbox *lm;
	uint32_t n_taken, n_expected;
	bool free_in_handler;
};

static unsigned n_cleared;

static void clear(void *p)
{
	struct msg *msg = p;

	msg->owned = mem_deref(msg->owned);
	n_cleared++;
}

static void take(const void *p, void *arg)
{
	const struct msg *msg = p;
	struct world *w = arg;

	assert_int_equal(msg->n, w->n_taken);
	w->n_taken++;
	mem_deref(msg->owned);
	if (w->free_in_handler)
		w->lm = mem_deref(w->lm);
}

static int setup(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	n_cleared = 0;
	*state = &w;
	assert_int_equal(fake_loop_alloc(&w.loop), 0);
	return loop_mailbox_alloc(&w.lm, w.loop, "test", sizeof(struct msg), 256, clear,
				  take, &w);
}

static int teardown(void **state)
{
	struct world *w = *state;

	mem_deref(w->lm);
	mem_deref(w->loop);
	return 0;
}

static void post(struct world *w, uint32_t n)
{
	struct msg msg = {base_dup("x", 1), n};

	assert_int_equal(mailbox_post(loop_mailbox(w->lm), &msg), 0);
}

static void in_order_and_on_the_loop(void **state)
{
	struct world *w = *state;

	for (uint32_t i = 0; i < 200; i++)
		post(w, i);
	assert_int_equal(w->n_taken, 0);
	fake_loop_turn(w->loop);
	assert_true(w->n_taken > 0 &&
		    w->n_taken < 200); /* others get their turn in between */
	fake_loop_settle(w->loop);
	assert_int_equal(w->n_taken, 200);
}

static void *poster(void *arg)
{
	struct world *w = arg;

	for (uint32_t i = 0; i < N_MSGS;) {
		struct msg msg = {NULL, i};

		i += mailbox_post(loop_mailbox(w->lm), &msg) == 0;
	}
	return NULL;
}

static bool all_taken(void *arg)
{
	return ((struct world *)arg)->n_taken == N_MSGS;
}

static void from_another_thread(void **state)
{
	struct world *w = *state;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, poster, w), 0);
	assert_true(fake_loop_wait(w->loop, all_taken, w));
	pthread_join(thread, NULL);
}

static void freed_by_its_handler(void **state)
{
	struct world *w = *state;

	w->free_in_handler = true;
	for (uint32_t i = 0; i < 3; i++)
		post(w, i);
	fake_loop_settle(w->loop);
	assert_int_equal(w->n_taken, 1); /* the receiver went away: the rest is cleared */
	assert_int_equal(n_cleared, 2);
	assert_null(w->lm);
}

static void freed_while_full(void **state)
{
	struct world *w = *state;

	for (uint32_t i = 0; i < 3; i++)
		post(w, i);
	w->lm = mem_deref(w->lm);
	assert_int_equal(n_cleared, 3);
	fake_loop_settle(w->loop);
	assert_int_equal(w->n_taken, 0);
}

static int no_watch(struct loop_watch **wp, struct loop *loop, int fd, unsigned events,
		    loop_fd_h *h, void *arg)
{
	return ENOSPC;
}

static void no_room_in_the_loop(void **state)
{
	static const struct loop_ops ops = {.watch = no_watch};
	struct world *w = *state;
	struct loop full = {&ops, w->loop->timers};
	struct loop_mailbox *lm = NULL;

	assert_int_equal(loop_mailbox_alloc(&lm, &full, "test", 8, 8, NULL, take, w),
			 ENOSPC);
	assert_null(lm);
	assert_int_equal(loop_mailbox_alloc(&lm, w->loop, "test", 0, 8, NULL, take, w),
			 EINVAL);
	assert_null(lm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(in_order_and_on_the_loop, setup,
						teardown),
		cmocka_unit_test_setup_teardown(from_another_thread, setup, teardown),
		cmocka_unit_test_setup_teardown(freed_by_its_handler, setup, teardown),
		cmocka_unit_test_setup_teardown(freed_while_full, setup, teardown),
		cmocka_unit_test_setup_teardown(no_room_in_the_loop, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
