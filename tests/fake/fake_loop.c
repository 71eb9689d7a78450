/* tests/fake/fake_loop.c - the loop of gateway/loop.h on poll(), with a clock that the test moves. */
#include "tests/fake/fake.h"
#include <poll.h>
#include <time.h>

enum { WATCHES_MAX = 64, WAIT_S = 10, SETTLE_MAX = 100000 };

struct fake_loop {
	struct loop loop;
	uint64_t now_us;
	struct loop_watch *watchv[WATCHES_MAX];
	bool stopped;
};

struct loop_watch {
	struct fake_loop *fl;
	int fd;
	unsigned events;
	loop_fd_h *h;
	void *arg;
};

static void watch_destructor(void *arg)
{
	struct loop_watch *w = arg;

	for (size_t i = 0; w->fl && i < WATCHES_MAX; i++)
		if (w->fl->watchv[i] == w)
			w->fl->watchv[i] = NULL;
}

static int watch(struct loop_watch **wp, struct loop *loop, int fd, unsigned events,
		 loop_fd_h *h, void *arg)
{
	struct fake_loop *fl = (struct fake_loop *)loop;
	struct loop_watch *w;

	for (size_t i = 0; i < WATCHES_MAX; i++) {
		if (fl->watchv[i])
			continue;
		w = mem_zalloc(sizeof(*w), watch_destructor);
		if (!w)
			return ENOMEM;
		*w = (struct loop_watch){fl, fd, events, h, arg};
		fl->watchv[i] = *wp = w;
		return 0;
	}
	return ENOSPC;
}

static int watch_set(struct loop_watch *w, unsigned events)
{
	w->events = events;
	return 0;
}

/** Serves ready descriptors; gives how many. */
static size_t poll_once(struct fake_loop *fl, int timeout_ms)
{
	struct pollfd pfdv[WATCHES_MAX];
	struct loop_watch *w;
	size_t n = 0;

	for (size_t i = 0; i < WATCHES_MAX; i++) {
		w = fl->watchv[i];
		pfdv[i] = (struct pollfd){.fd = -1};
		if (w)
			pfdv[i] = (struct pollfd){
				w->fd,
				(w->events & LOOP_READ ? POLLIN : 0) |
					(w->events & LOOP_WRITE ? POLLOUT : 0),
				0};
	}
	if (poll(pfdv, WATCHES_MAX, timeout_ms) <= 0)
		return 0;
	for (size_t i = 0; i < WATCHES_MAX; i++) {
		short r = pfdv[i].revents;

		w = fl->watchv[i];
		if (!r || !w || w->fd != pfdv[i].fd)
			continue;
		n++;
		w->h((r & POLLIN ? LOOP_READ : 0u) | (r & POLLOUT ? LOOP_WRITE : 0u) |
			     (r & (POLLHUP | POLLERR) ? LOOP_HUP : 0u),
		     w->arg);
	}
	return n;
}

static void run(struct loop *loop)
{
	struct fake_loop *fl = (struct fake_loop *)loop;

	fl->stopped = false;
	while (!fl->stopped) {
		uint64_t next_us = timers_next_us(loop->timers);

		/* with nothing ready, time passes at once */
		if (!poll_once(fl, next_us == UINT64_MAX ? 100 : 0) &&
		    next_us != UINT64_MAX)
			fl->now_us += next_us;
		timers_run(loop->timers);
	}
}

static void stop(struct loop *loop)
{
	((struct fake_loop *)loop)->stopped = true;
}

static uint64_t now(void *arg)
{
	return ((struct fake_loop *)arg)->now_us;
}

static void loop_destructor(void *arg)
{
	struct fake_loop *fl = arg;

	for (size_t i = 0; i < WATCHES_MAX; i++)
		if (fl->watchv[i])
			fl->watchv[i]->fl = NULL;
	mem_deref(fl->loop.timers);
}

int fake_loop_alloc(struct loop **lp)
{
	static const struct loop_ops ops = {
		.watch = watch,
		.watch_set = watch_set,
		.run = run,
		.stop = stop,
	};
	struct fake_loop *fl = mem_zalloc(sizeof(*fl), loop_destructor);

	if (!fl)
		return ENOMEM;
	fl->loop.ops = &ops;
	fl->now_us = 1000000000;
	if (timers_alloc(&fl->loop.timers, now, NULL, fl)) {
		mem_deref(fl);
		return ENOMEM;
	}
	*lp = &fl->loop;
	return 0;
}

uint64_t fake_loop_now_us(const struct loop *loop)
{
	return ((const struct fake_loop *)loop)->now_us;
}

void fake_loop_turn(struct loop *loop)
{
	timers_run(loop->timers);
	poll_once((struct fake_loop *)loop, 0);
}

void fake_loop_settle(struct loop *loop)
{
	for (unsigned i = 0; i < SETTLE_MAX; i++) {
		size_t n = timers_run(loop->timers);

		n += poll_once((struct fake_loop *)loop, 0);
		if (!n && timers_next_us(loop->timers) != 0)
			return;
	}
	fprintf(stderr, "fake_loop: never settles\n");
	abort();
}

void fake_loop_advance_ms(struct loop *loop, uint64_t ms)
{
	struct fake_loop *fl = (struct fake_loop *)loop;
	uint64_t end_us = fl->now_us + ms * 1000;

	fake_loop_settle(loop);
	while (timers_next_us(loop->timers) <= end_us - fl->now_us) {
		fl->now_us += timers_next_us(loop->timers);
		fake_loop_settle(loop);
	}
	fl->now_us = end_us;
}

bool fake_loop_wait(struct loop *loop, bool (*done)(void *arg), void *arg)
{
	struct timespec t;
	time_t end_s;

	clock_gettime(CLOCK_MONOTONIC, &t);
	end_s = t.tv_sec + WAIT_S;
	while (!done(arg)) {
		clock_gettime(CLOCK_MONOTONIC, &t);
		if (t.tv_sec >= end_s)
			return false;
		timers_run(loop->timers);
		if (!done(arg))
			poll_once((struct fake_loop *)loop, 100);
	}
	return true;
}
