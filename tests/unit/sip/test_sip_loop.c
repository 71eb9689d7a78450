/* test_sip_loop.c - the loop on su_root: timers, descriptors, mailbox from another thread, watchdog. */
#include "lib/base.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "sip/loop.h"
#include "sip/sip.h"

static struct loop *loop;
static unsigned n_fired, n_read, n_taken;
static struct timer t1, t2;

static void stop_h(void *arg)
{
	(void)arg;
	n_fired++;
	loop->ops->stop(loop);
}

static void count_h(void *arg)
{
	(void)arg;
	n_fired++;
}

static void timers(void **state)
{
	uint64_t start = clock_us();

	(void)state;
	n_fired = 0;
	assert_int_equal(sip_loop_alloc(&loop), 0);
	assert_int_equal(timer_start(loop->timers, &t1, 30, stop_h, NULL), 0);
	assert_int_equal(timer_start(loop->timers, &t2, 0, count_h, NULL), 0);
	loop->ops->run(loop);
	assert_int_equal(n_fired, 2);
	assert_in_range(clock_us() - start, 30000, 3000000);
	assert_int_equal(timer_start(loop->timers, &t1, 60000, count_h, NULL), 0);
	assert_int_equal(timer_start(loop->timers, &t2, 1, stop_h, NULL),
			 0); /* earlier than the armed one */
	loop->ops->run(loop);
	assert_int_equal(n_fired, 3);
	timer_cancel(&t1);
	loop = mem_deref(loop);
}

static struct loop_watch *watch;
static int fds[2];

static void read_h(unsigned events, void *arg)
{
	char c;

	assert_ptr_equal(arg, fds);
	if (events & LOOP_READ && read(fds[0], &c, 1) == 1)
		n_read++;
	else
		watch = mem_deref(watch); /* a handler may stop its own watch */
	loop->ops->stop(loop);
}

static void watches(void **state)
{
	(void)state;
	n_read = 0;
	assert_int_equal(sip_loop_alloc(&loop), 0);
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	assert_int_equal(loop->ops->watch(&watch, loop, fds[0], LOOP_READ, read_h, fds),
			 0);
	assert_int_equal(loop->ops->watch(&watch, loop, -1, LOOP_READ, read_h, fds),
			 EINVAL);
	assert_int_equal(write(fds[1], "ab", 2), 2);
	loop->ops->run(loop);
	loop->ops->run(loop); /* level triggered */
	assert_int_equal(n_read, 2);
	assert_int_equal(loop->ops->watch_set(watch, 0), 0);
	assert_int_equal(write(fds[1], "c", 1), 1);
	assert_int_equal(timer_start(loop->timers, &t1, 20, stop_h, NULL), 0);
	loop->ops->run(loop);
	assert_int_equal(n_read, 2);
	assert_int_equal(loop->ops->watch_set(watch, LOOP_READ), 0);
	loop->ops->run(loop);
	assert_int_equal(n_read, 3);
	close(fds[1]);
	loop->ops->run(loop);
	assert_null(watch);
	close(fds[0]);
	loop = mem_deref(loop);
}

enum { MESSAGES = 20000 };

static void take(const void *msg, void *arg)
{
	(void)arg;
	assert_int_equal(*(const unsigned *)msg, n_taken);
	if (++n_taken == MESSAGES)
		loop->ops->stop(loop);
}

static void *poster(void *arg)
{
	struct mailbox *mb = arg;

	for (unsigned i = 0; i < MESSAGES; i++)
		while (mailbox_post(mb, &i) == ENOSPC)
			sched_yield();
	return NULL;
}

static void mailboxes(void **state)
{
	struct loop_mailbox *lm = NULL;
	pthread_t thread;

	(void)state;
	n_taken = 0;
	assert_int_equal(sip_loop_alloc(&loop), 0);
	assert_int_equal(loop_mailbox_alloc(&lm, loop, "test", sizeof(unsigned), 64, NULL,
					    take, NULL),
			 0);
	assert_int_equal(pthread_create(&thread, NULL, poster, loop_mailbox(lm)), 0);
	loop->ops->run(loop);
	pthread_join(thread, NULL);
	assert_int_equal(n_taken, MESSAGES);
	mem_deref(lm);
	loop = mem_deref(loop);
}

static void slow_h(void *arg)
{
	uint64_t end = clock_us() + (LOOP_SLOW_MS + 5) * 1000;

	(void)arg;
	while (clock_us() < end)
		;
	loop->ops->stop(loop);
}

/* A handler over 20 ms is named in the log. */
static void watchdog(void **state)
{
	char line[500] = "";

	(void)state;
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	log_fd_set(fds[1]);
	assert_int_equal(sip_loop_alloc(&loop), 0);
	assert_int_equal(timer_start(loop->timers, &t1, 0, slow_h, NULL), 0);
	loop->ops->run(loop);
	log_fd_set(2);
	assert_true(read(fds[0], line, sizeof(line) - 1) > 0);
	assert_non_null(strstr(line, "loop.slow event=timer"));
	close(fds[0]);
	close(fds[1]);
	loop = mem_deref(loop);
}

static uint64_t fake_us;

static uint64_t fake_now(void *arg)
{
	(void)arg;
	return fake_us;
}

/* A clock of one's own moves Sofia, too; and when that loop is gone Sofia's time still only rises. */
static void own_clock(void **state)
{
	su_time_t a, b, c;

	(void)state;
	fake_us = 5;
	n_fired = 0;
	assert_int_equal(sip_loop_alloc_clock(&loop, fake_now, NULL), 0);
	a = su_now();
	assert_int_equal(timer_start(loop->timers, &t1, 1000, count_h, NULL), 0);
	sip_loop_step(loop, 0);
	assert_int_equal(n_fired, 0);
	fake_us += 1000000;
	sip_loop_step(loop, 0);
	assert_int_equal(n_fired, 1);
	b = su_now();
	assert_int_equal(su_duration(b, a), 1000);
	loop = mem_deref(loop);
	c = su_now();
	assert_true(su_time_cmp(c, b) >= 0);
	assert_in_range(su_duration(c, b), 0, 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers),    cmocka_unit_test(watches),
		cmocka_unit_test(mailboxes), cmocka_unit_test(watchdog),
		cmocka_unit_test(own_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
