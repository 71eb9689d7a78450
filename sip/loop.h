/* sip/loop.h - what the SIP room alone knows of its loop: Sofia's root, a clock of one's own for
 * tests, and the watchdog. Thread: signalling.
 *
 * Sofia's own idea of the time is taken from the same clock: a jump of the wall clock moves no
 * timer of NTA's (its asserts do not survive one), and a test that moves its clock moves NTA, too. */
#ifndef SLUSS_SIP_LOOP_H
#define SLUSS_SIP_LOOP_H

#include "gateway/loop.h"
#include "sip/sofia.h"

/** As sip_loop_alloc(), with a clock of one's own (NULL: CLOCK_MONOTONIC). With a clock, nothing wakes
 *  for timers: sip_loop_step() runs those that are due. */
int sip_loop_alloc_clock(struct loop **loopp, timer_now_h *now_h, void *arg);
su_root_t *sip_loop_root(const struct loop *loop);
/** One round: timers, messages, at most `wait_ms` for a descriptor, its handlers. */
void sip_loop_step(struct loop *loop, unsigned wait_ms);

/** Brackets a callback; `what` names the event and must live until leave. Over LOOP_SLOW_MS a warning
 *  says so. May nest: the time is the outer one's, the name the last one entered. */
enum { LOOP_SLOW_MS = 20 };
void sip_loop_enter(const char *what);
void sip_loop_leave(void);

#endif
