/* lib/timer.h - timers of one thread: a heap that knows no loop and no clock.
 *
 * The loop that owns it asks timers_next_us() how long it may sleep and calls timers_run() when it
 * wakes. Unit tests pass a time of their own, so no test waits. */
#ifndef SLUSS_LIB_TIMER_H
#define SLUSS_LIB_TIMER_H

#include "lib/base.h"

typedef void(timer_h)(void *arg);
typedef uint64_t(timer_now_h)(void *arg); /**< gives microseconds, never going back */
typedef void(timer_changed_h)(void *arg); /**< the earliest expiry has changed */

struct timers;

/** Embedded in its owner; zeroed = not running. The owner cancels it before it frees itself. */
struct timer {
	struct timers *timers; /**< NULL when not running */
	uint64_t at_us;
	size_t slot;
	timer_h *h;
	void *arg;
};

/** Errors: ENOMEM. Owns: *tsp is the caller's (mem_deref); running timers are dropped unfired.
 *  now_h NULL: clock_us(). changed_h may be NULL. */
int timers_alloc(struct timers **tsp, timer_now_h *now_h, timer_changed_h *changed_h,
		 void *arg);
/** (Re)starts `t`: `h(arg)` runs once, `delay_ms` from now, on the thread that calls timers_run().
 *  A running timer is moved. Errors: ENOMEM (then it does not run). */
int timer_start(struct timers *ts, struct timer *t, uint64_t delay_ms, timer_h *h,
		void *arg);
void timer_cancel(struct timer *t);
static inline bool timer_running(const struct timer *t)
{
	return t->timers != NULL;
}
/** Microseconds until the earliest timer; 0 when one is due; UINT64_MAX when there is none. */
uint64_t timers_next_us(const struct timers *ts);
/** Runs all that are due; handlers may start and cancel any timer. Gives how many ran. */
size_t timers_run(struct timers *ts);
uint64_t timers_now_us(const struct timers *ts);
size_t timers_count(const struct timers *ts);

#endif
