/* test_mailbox.c - the mailbox: order, bounds, ownership, and a torture that ThreadSanitizer watches.
 *
 *   4 posters ──► [bounded ring] ──► eventfd wake ──► one receiver, every message exactly once      */
#include "lib/base.h"
#include "lib/mailbox.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cmocka.h>

enum kind { NUMBER, TEXT };
struct msg {
	enum kind kind;
	union {
		uint64_t number;
		char *text; /* owned */
	};
};

static atomic_int n_cleared;

static void msg_clear(void *p)
{
	struct msg *m = p;

	if (m->kind == TEXT)
		free(m->text);
	atomic_fetch_add(&n_cleared, 1);
}

static void count_wake(void *arg)
{
	++*(unsigned *)arg;
}

struct taken {
	uint64_t numbers[64];
	size_t n;
	struct mailbox *mb; /* posts back into it when set */
};

static void take(const void *p, void *arg)
{
	const struct msg *m = p;
	struct taken *t = arg;

	assert_int_equal(m->kind, NUMBER);
	t->numbers[t->n++] = m->number;
	if (t->mb && m->number < 3) {
		struct msg more = {.kind = NUMBER, .number = m->number + 100};

		assert_int_equal(mailbox_post(t->mb, &more), 0);
	}
}

static struct msg number(uint64_t n)
{
	return (struct msg){.kind = NUMBER, .number = n};
}

static void messages_arrive_in_order_with_one_wake(void **state)
{
	struct mailbox *mb;
	struct taken t = {.n = 0};
	unsigned n_wakes = 0;

	(void)state;
	assert_int_equal(mailbox_alloc(&mb, "test", sizeof(struct msg), 40, msg_clear,
				       count_wake, &n_wakes),
			 0);
	for (uint64_t i = 0; i < 40; i++) {
		struct msg m = number(i);

		assert_int_equal(mailbox_post(mb, &m), 0);
	}
	assert_int_equal(n_wakes, 1);
	assert_int_equal(mailbox_drain(mb, 0, take, &t), 40);
	for (uint64_t i = 0; i < 40; i++)
		assert_int_equal(t.numbers[i], i);
	mailbox_free(&mb);
	assert_null(mb);
}

static void a_full_or_closed_mailbox_refuses_and_leaves_the_message(void **state)
{
	struct mailbox *mb;
	struct mailbox_stats stats;
	struct msg m = {.kind = TEXT, .text = strdup("kept")};

	(void)state;
	assert_int_equal(mailbox_alloc(&mb, "test", sizeof(m), 2, msg_clear, NULL, NULL),
			 0);
	for (int i = 0; i < 2; i++) {
		struct msg n = number(1);

		assert_int_equal(mailbox_post(mb, &n), 0);
	}
	assert_int_equal(mailbox_post(mb, &m), ENOSPC);
	assert_string_equal(m.text, "kept");
	mailbox_close(mb);
	assert_int_equal(mailbox_post(mb, &m), ESHUTDOWN);
	mailbox_stats(mb, &stats);
	assert_int_equal(stats.n_refused, 2);
	assert_int_equal(stats.n_high_water, 2);
	atomic_store(&n_cleared, 0);
	assert_int_equal(mailbox_post_or_clear(mb, &m), ESHUTDOWN);
	assert_int_equal(atomic_load(&n_cleared), 1);
	mailbox_free(&mb);
	assert_int_equal(atomic_load(&n_cleared), 3);
	assert_int_equal(mailbox_alloc(&mb, "x", 0, 1, NULL, NULL, NULL), EINVAL);
	assert_int_equal(mailbox_alloc(&mb, "x", 8, 0, NULL, NULL, NULL), EINVAL);
}

static void what_is_posted_while_draining_wakes_again(void **state)
{
	struct mailbox *mb;
	struct taken t = {.n = 0};
	unsigned n_wakes = 0;

	(void)state;
	assert_int_equal(mailbox_alloc(&mb, "test", sizeof(struct msg), 8, msg_clear,
				       count_wake, &n_wakes),
			 0);
	t.mb = mb;
	for (uint64_t i = 0; i < 5; i++) {
		struct msg m = number(i);

		assert_int_equal(mailbox_post(mb, &m), 0);
	}
	assert_int_equal(mailbox_drain(mb, 2, take, &t), 2);
	assert_int_equal(n_wakes, 2);
	assert_int_equal(mailbox_drain(mb, 0, take, &t),
			 5); /* 2 3 4 and what 0 and 1 posted */
	assert_int_equal(n_wakes, 3);
	assert_int_equal(mailbox_drain(mb, 0, take, &t), 1);
	assert_int_equal(t.numbers[7], 102);
	mailbox_free(&mb);
}

/* ---- torture ---- */
enum { N_POSTERS = 4, N_EACH = 20000 };

struct torture {
	struct mailbox *mb;
	int wake_fd;
	unsigned poster;
};

static void wake_fd(void *arg)
{
	uint64_t one = 1;
	ssize_t w = write(*(int *)arg, &one, sizeof(one));

	(void)w;
}

static void *poster(void *arg)
{
	struct torture *t = arg;

	for (uint64_t i = 0; i < N_EACH; i++) {
		struct msg m = {.kind = NUMBER,
				.number = ((uint64_t)t->poster << 32) | i};

		if (i % 7 == 0) {
			m.kind = TEXT;
			m.text = malloc(32);
			snprintf(m.text, 32, "%u %u", t->poster, (unsigned)i);
		}
		while (mailbox_post(t->mb, &m) == ENOSPC)
			sched_yield();
	}
	return NULL;
}

struct torture_seen {
	uint64_t next[N_POSTERS];
	size_t n;
};

static void torture_take(const void *p, void *arg)
{
	const struct msg *m = p;
	struct torture_seen *seen = arg;
	uint64_t i;
	unsigned who;

	if (m->kind == TEXT) {
		unsigned at;

		assert_int_equal(sscanf(m->text, "%u %u", &who, &at), 2);
		i = at;
		free(m->text);
	} else {
		who = (unsigned)(m->number >> 32);
		i = m->number & 0xffffffff;
	}
	assert_int_equal(i, seen->next[who]);
	seen->next[who]++;
	seen->n++;
}

static void four_posters_lose_double_and_reorder_nothing(void **state)
{
	pthread_t threads[N_POSTERS];
	struct torture t[N_POSTERS];
	struct torture_seen seen = {0};
	struct mailbox_stats stats;
	struct mailbox *mb;
	int fd = eventfd(0, EFD_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(mailbox_alloc(&mb, "torture", sizeof(struct msg), 64, msg_clear,
				       wake_fd, &fd),
			 0);
	for (unsigned i = 0; i < N_POSTERS; i++) {
		t[i] = (struct torture){.mb = mb, .poster = i};
		assert_int_equal(pthread_create(&threads[i], NULL, poster, &t[i]), 0);
	}
	while (seen.n < (size_t)N_POSTERS * N_EACH) {
		uint64_t v;

		/* A lost wake would hang here, and the test's time limit would tell. */
		assert_int_equal(read(fd, &v, sizeof(v)), sizeof(v));
		mailbox_drain(mb, 32, torture_take, &seen);
	}
	for (unsigned i = 0; i < N_POSTERS; i++)
		pthread_join(threads[i], NULL);
	mailbox_stats(mb, &stats);
	assert_int_equal(stats.n_posted, N_POSTERS * N_EACH);
	assert_int_equal(stats.n_now, 0);
	assert_true(stats.n_high_water <= 64);
	mailbox_free(&mb);
	close(fd);
}

static void *waiter(void *arg)
{
	struct mailbox *mb = arg;
	struct msg m;
	uintptr_t n = 0;

	while (!mailbox_wait(mb, &m))
		n++;
	return (void *)n;
}

static void waiters_share_the_work_and_end_when_it_closes(void **state)
{
	pthread_t threads[3];
	struct mailbox *mb;
	uintptr_t sum = 0;

	(void)state;
	assert_int_equal(
		mailbox_alloc(&mb, "wait", sizeof(struct msg), 16, NULL, NULL, NULL), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, waiter, mb), 0);
	for (uint64_t i = 0; i < 5000; i++) {
		struct msg m = number(i);

		while (mailbox_post(mb, &m) == ENOSPC)
			sched_yield();
	}
	mailbox_close(mb);
	for (int i = 0; i < 3; i++) {
		void *n;

		pthread_join(threads[i], &n);
		sum += (uintptr_t)n;
	}
	assert_int_equal(sum, 5000); /* closing loses nothing that was in */
	mailbox_free(&mb);
}

struct slow_wake {
	struct mailbox *mb;
	atomic_int in, freeing, out;
};

static void wake_slowly(void *arg)
{
	struct slow_wake *w = arg;

	atomic_store(&w->in, 1);
	while (!atomic_load(&w->freeing))
		sched_yield();
	for (int i = 0; i < 1000; i++)
		sched_yield();
	atomic_store(&w->out, 1);
}

static void *post_one(void *arg)
{
	struct slow_wake *w = arg;
	struct msg m = number(1);

	return (void *)(intptr_t)mailbox_post(w->mb, &m);
}

/* The receiver takes the message, and frees, while its poster is still on the way out of wake_h. */
static void a_poster_in_its_wake_is_waited_for(void **state)
{
	struct slow_wake w = {0};
	struct taken t = {0};
	pthread_t poster;
	void *err;

	(void)state;
	assert_int_equal(mailbox_alloc(&w.mb, "slow", sizeof(struct msg), 16, NULL,
				       wake_slowly, &w),
			 0);
	assert_int_equal(pthread_create(&poster, NULL, post_one, &w), 0);
	while (!atomic_load(&w.in))
		sched_yield();
	assert_int_equal(mailbox_drain(w.mb, 0, take, &t),
			 1); /* the lock is free meanwhile */
	atomic_store(&w.freeing, 1);
	mailbox_free(&w.mb);
	assert_int_equal(atomic_load(&w.out), 1);
	pthread_join(poster, &err);
	assert_null(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_arrive_in_order_with_one_wake),
		cmocka_unit_test(a_full_or_closed_mailbox_refuses_and_leaves_the_message),
		cmocka_unit_test(what_is_posted_while_draining_wakes_again),
		cmocka_unit_test(four_posters_lose_double_and_reorder_nothing),
		cmocka_unit_test(waiters_share_the_work_and_end_when_it_closes),
		cmocka_unit_test(a_poster_in_its_wake_is_waited_for),
	};

	return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
