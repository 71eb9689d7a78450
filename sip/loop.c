/* sip/loop.c - the signalling thread's loop on Sofia's su_root.
 *
 * Thread: signalling. main.c makes it; every room watches descriptors and starts timers through
 * gateway/loop.h. Timers of lib/timer.h are driven by one timerfd on CLOCK_MONOTONIC, which is set
 * at most once a round (prepoll). Sofia's threading is off: everything runs on the caller's thread. */
#include "sip/loop.h"

#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "sip/sip.h"

enum { AT_ONCE_MAX = 8 };

/* Sofia's hook "for testing timing and timers": called with the wall clock's time, which it may
 * replace. Exported by the library, declared in no header. */
extern void (*_su_time)(su_time_t *tv);

struct sip_loop {
	struct loop loop; /* first */
	su_root_t *root;
	struct loop_watch *timer_watch;
	int timer_fd;
	timer_now_h *now_h;
	void *now_arg;
	bool own_clock;
	bool moved; /* the earliest expiry has changed since the timerfd was looked at */
	uint64_t armed_us; /* when the timerfd will wake us, 0: it is not set */
	bool running;
};

struct loop_watch {
	struct sip_loop *sl;
	int fd, id;
	loop_fd_h *h;
	void *arg;
};

/* One loop a process: Sofia's clock hook has no argument. */
static struct {
	timer_now_h *h;
	void *arg;
	uint64_t start_us;
	su_time_t start;
} sofia_clock;

static __thread struct {
	const char *what;
	uint64_t since_us;
	unsigned depth;
} watched;

void sip_loop_enter(const char *what)
{
	watched.what = what;
	if (!watched.depth++)
		watched.since_us = clock_us();
}

void sip_loop_leave(void)
{
	uint64_t took_ms;

	if (!watched.depth || --watched.depth)
		return;
	took_ms = (clock_us() - watched.since_us) / 1000;
	if (took_ms >= LOOP_SLOW_MS)
		log_warn(NULL, "loop.slow", "event=%s took_ms=%llu", watched.what,
			 (unsigned long long)took_ms);
}

static uint64_t real_now(void *arg)
{
	(void)arg;
	return clock_us();
}

/* Sofia asks what time it is: the wall clock's at the start, plus what our clock has gone since. */
static void sofia_now(su_time_t *tv)
{
	uint64_t gone_us;

	if (!tv)
		return;
	gone_us = sofia_clock.h(sofia_clock.arg) - sofia_clock.start_us +
		  sofia_clock.start.tv_usec;
	tv->tv_sec = sofia_clock.start.tv_sec + (unsigned long)(gone_us / 1000000);
	tv->tv_usec = (unsigned long)(gone_us % 1000000);
}

static void sofia_clock_set(timer_now_h *h, void *arg)
{
	su_time_t now;

	su_time(&now); /* goes on from where an earlier loop of this process left it */
	sofia_clock.h = h;
	sofia_clock.arg = arg;
	sofia_clock.start = now;
	sofia_clock.start_us = h(arg);
	_su_time = sofia_now;
}

static int watch_handler(su_root_magic_t *magic, su_wait_t *wait, su_wakeup_arg_t *arg)
{
	struct loop_watch *w = arg;
	unsigned events = 0;

	(void)magic;
	if (wait->revents & POLLIN)
		events |= LOOP_READ;
	if (wait->revents & POLLOUT)
		events |= LOOP_WRITE;
	if (wait->revents & (POLLHUP | POLLERR))
		events |= LOOP_HUP;
	sip_loop_enter("watch");
	w->h(events, w->arg);
	sip_loop_leave();
	return 0;
}

static int poll_mask(unsigned events)
{
	return (events & LOOP_READ ? SU_WAIT_IN : 0) |
	       (events & LOOP_WRITE ? SU_WAIT_OUT : 0);
}

static void watch_destructor(void *arg)
{
	struct loop_watch *w = arg;

	if (w->id > 0 && w->sl->root)
		su_root_deregister(w->sl->root, w->id);
}

static int watch(struct loop_watch **wp, struct loop *loop, int fd, unsigned events,
		 loop_fd_h *h, void *arg)
{
	struct sip_loop *sl = (struct sip_loop *)loop;
	su_wait_t wait[1] = {SU_WAIT_INIT};
	struct loop_watch *w;

	if (!wp || fd < 0 || !h)
		return EINVAL;
	w = mem_zalloc(sizeof(*w), watch_destructor);
	if (!w)
		return ENOMEM;
	w->sl = sl;
	w->fd = fd;
	w->h = h;
	w->arg = arg;
	if (su_wait_create(wait, fd, poll_mask(events)) == -1 ||
	    (w->id = su_root_register(sl->root, wait, watch_handler, w, 0)) <= 0) {
		mem_deref(w);
		return ENOSPC;
	}
	*wp = w;
	return 0;
}

static int watch_set(struct loop_watch *w, unsigned events)
{
	return su_root_eventmask(w->sl->root, w->id, w->fd, poll_mask(events)) ? EINVAL
									       : 0;
}

static uint64_t loop_now(void *arg)
{
	struct sip_loop *sl = arg;

	return sl->now_h(sl->now_arg);
}

static void timers_moved(void *arg)
{
	struct sip_loop *sl = arg;

	sl->moved = true;
}

/* Set only for what is earlier than before: most timers are cancelled long before their time, and a wake-up for
 * nothing every few seconds costs less than two system calls for each of them. */
static void timer_fd_set(struct sip_loop *sl)
{
	uint64_t us = timers_next_us(sl->loop.timers), at_us;
	struct itimerspec when = {0};

	sl->moved = false;
	if (us == UINT64_MAX)
		return;
	us = us ? us : 1; /* zero would disarm it */
	at_us = loop_now(sl) + us;
	if (sl->armed_us && sl->armed_us <= at_us)
		return;
	when.it_value.tv_sec = (time_t)(us / 1000000);
	when.it_value.tv_nsec = (long)(us % 1000000) * 1000;
	sl->armed_us = at_us;
	if (timerfd_settime(sl->timer_fd, 0, &when, NULL)) {
		log_err(NULL, "loop.timerfd", "errno=%d", errno);
		sl->armed_us = 0;
	}
}

static void run_timers(struct sip_loop *sl)
{
	sip_loop_enter("timer");
	timers_run(sl->loop.timers);
	sip_loop_leave();
}

static void timer_fd_handler(unsigned events, void *arg)
{
	struct sip_loop *sl = arg;
	uint64_t n;

	(void)events;
	if (read(sl->timer_fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		log_err(NULL, "loop.timerfd", "errno=%d", errno);
	sl->armed_us = 0;
	run_timers(sl);
	sl->moved = true;
}

/* "From the loop" is mostly a timer of no delay: it runs here, and needs no timerfd and no wake-up. One may start the
 * next; what goes on for longer waits until the sockets have had their turn. */
static void before_wait(su_prepoll_magic_t *magic, su_root_t *root)
{
	struct sip_loop *sl = (void *)magic;

	(void)root;
	if (!sl->moved || sl->own_clock)
		return;
	for (unsigned i = 0; i < AT_ONCE_MAX && !timers_next_us(sl->loop.timers); i++)
		run_timers(sl);
	timer_fd_set(sl);
}

void sip_loop_step(struct loop *loop, unsigned wait_ms)
{
	struct sip_loop *sl = (struct sip_loop *)loop;

	if (sl->own_clock)
		run_timers(sl);
	su_root_step(sl->root, (su_duration_t)wait_ms);
}

static void run(struct loop *loop)
{
	struct sip_loop *sl = (struct sip_loop *)loop;

	sl->running = true;
	if (!sl->own_clock) {
		su_root_run(sl->root);
	} else {
		while (sl->running)
			sip_loop_step(loop, 1);
	}
}

static void stop(struct loop *loop)
{
	struct sip_loop *sl = (struct sip_loop *)loop;

	sl->running = false;
	su_root_break(sl->root);
}

static const struct loop_ops ops = {
	.watch = watch,
	.watch_set = watch_set,
	.run = run,
	.stop = stop,
};

static void loop_destructor(void *arg)
{
	struct sip_loop *sl = arg;

	mem_deref(sl->timer_watch);
	mem_deref(sl->loop.timers);
	if (sl->root) {
		su_root_destroy(sl->root);
		su_deinit();
	}
	if (sl->timer_fd >= 0)
		close(sl->timer_fd);
	sofia_clock_set(real_now, NULL);
}

/* Sofia's own lines carry text from outside unquoted; what matters of them is said by this room. */
static void sofia_quiet(void *stream, char const *fmt, va_list ap)
{
	(void)stream;
	(void)fmt;
	(void)ap;
}

int sip_loop_alloc_clock(struct loop **loopp, timer_now_h *now_h, void *arg)
{
	struct sip_loop *sl;
	int err;

	if (!loopp)
		return EINVAL;
	sl = mem_zalloc(sizeof(*sl), loop_destructor);
	if (!sl)
		return ENOMEM;
	sl->loop.ops = &ops;
	sl->timer_fd = -1;
	sl->own_clock = now_h != NULL;
	sl->now_h = now_h ? now_h : real_now;
	sl->now_arg = arg;
	sofia_clock_set(loop_now, sl);
	if (su_init()) {
		err = ENOMEM;
		goto out;
	}
	su_log_redirect(NULL, sofia_quiet, NULL);
	sl->root = su_root_create(NULL);
	if (!sl->root) {
		su_deinit();
		err = ENOMEM;
		goto out;
	}
	su_root_threading(sl->root, 0);
	err = timers_alloc(&sl->loop.timers, loop_now, timers_moved, sl);
	if (err)
		goto out;
	err = su_root_add_prepoll(sl->root, before_wait, (void *)sl) < 0 ? ENOMEM : 0;
	if (err)
		goto out;
	if (!now_h) {
		sl->timer_fd =
			timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
		if (sl->timer_fd < 0) {
			err = errno;
			goto out;
		}
		err = watch(&sl->timer_watch, &sl->loop, sl->timer_fd, LOOP_READ,
			    timer_fd_handler, sl);
	}
out:
	if (err)
		mem_deref(sl);
	else
		*loopp = &sl->loop;
	return err;
}

int sip_loop_alloc(struct loop **loopp)
{
	return sip_loop_alloc_clock(loopp, NULL, NULL);
}

su_root_t *sip_loop_root(const struct loop *loop)
{
	return ((const struct sip_loop *)loop)->root;
}
