/* lib/timer.c - a binary heap of timers, earliest on top; each timer knows its slot, so that cancelling
 * is O(log n). One thread. Called by the loop (run, next) and by whoever waits (start, cancel). */
#include "lib/timer.h"

#include "lib/clock.h"

struct timers {
	struct timer **heap;
	size_t n, cap;
	timer_now_h *now_h;
	timer_changed_h *changed_h;
	void *arg;
};

static void timers_destroy(void *p)
{
	struct timers *ts = p;

	for (size_t i = 0; i < ts->n; i++)
		ts->heap[i]->timers = NULL;
	free(ts->heap);
}

int timers_alloc(struct timers **tsp, timer_now_h *now_h, timer_changed_h *changed_h,
		 void *arg)
{
	struct timers *ts = mem_zalloc(sizeof(*ts), timers_destroy);

	if (!ts)
		return ENOMEM;
	ts->now_h = now_h;
	ts->changed_h = changed_h;
	ts->arg = arg;
	*tsp = ts;
	return 0;
}

uint64_t timers_now_us(const struct timers *ts)
{
	return ts->now_h ? ts->now_h(ts->arg) : clock_us();
}

static void timers_put(struct timers *ts, size_t slot, struct timer *t)
{
	ts->heap[slot] = t;
	t->slot = slot;
}

static void timers_up(struct timers *ts, size_t slot)
{
	struct timer *t = ts->heap[slot];

	while (slot) {
		size_t parent = (slot - 1) / 2;

		if (ts->heap[parent]->at_us <= t->at_us)
			break;
		timers_put(ts, slot, ts->heap[parent]);
		slot = parent;
	}
	timers_put(ts, slot, t);
}

static void timers_down(struct timers *ts, size_t slot)
{
	struct timer *t = ts->heap[slot];

	for (;;) {
		size_t child = 2 * slot + 1;

		if (child >= ts->n)
			break;
		if (child + 1 < ts->n &&
		    ts->heap[child + 1]->at_us < ts->heap[child]->at_us)
			child++;
		if (t->at_us <= ts->heap[child]->at_us)
			break;
		timers_put(ts, slot, ts->heap[child]);
		slot = child;
	}
	timers_put(ts, slot, t);
}

static void timers_take_out(struct timers *ts, struct timer *t)
{
	size_t slot = t->slot;
	struct timer *last = ts->heap[--ts->n];

	t->timers = NULL;
	if (last == t)
		return;
	timers_put(ts, slot, last);
	timers_up(ts, slot);
	timers_down(ts, last->slot);
}

int timer_start(struct timers *ts, struct timer *t, uint64_t delay_ms, timer_h *h,
		void *arg)
{
	uint64_t first = ts->n ? ts->heap[0]->at_us : UINT64_MAX;

	timer_cancel(t);
	if (ts->n == ts->cap) {
		size_t cap = ts->cap ? 2 * ts->cap : 64;
		struct timer **heap = realloc(ts->heap, cap * sizeof(*heap));

		if (!heap)
			return ENOMEM;
		ts->heap = heap;
		ts->cap = cap;
	}
	t->timers = ts;
	t->at_us = timers_now_us(ts) + delay_ms * 1000u;
	t->h = h;
	t->arg = arg;
	timers_put(ts, ts->n++, t);
	timers_up(ts, t->slot);
	if (ts->changed_h && ts->heap[0]->at_us != first)
		ts->changed_h(ts->arg);
	return 0;
}

void timer_cancel(struct timer *t)
{
	/* A wake-up for a timer that has gone is harmless, so nobody is told. */
	if (t->timers)
		timers_take_out(t->timers, t);
}

uint64_t timers_next_us(const struct timers *ts)
{
	uint64_t now;

	if (!ts->n)
		return UINT64_MAX;
	now = timers_now_us(ts);
	return ts->heap[0]->at_us > now ? ts->heap[0]->at_us - now : 0;
}

size_t timers_run(struct timers *ts)
{
	uint64_t now = timers_now_us(ts);
	size_t n = 0, most = ts->n;

	/* At most as many as there were: a handler that restarts itself with 0 ms cannot hold the loop. */
	while (n < most && ts->n && ts->heap[0]->at_us <= now) {
		struct timer *t = ts->heap[0];

		timers_take_out(ts, t);
		n++;
		t->h(t->arg);
	}
	return n;
}

size_t timers_count(const struct timers *ts)
{
	return ts->n;
}
