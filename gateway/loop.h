/* gateway/loop.h - what the signalling thread needs of an event loop. sip/loop.c gives it on Sofia's
 * su_root, tests/fake/ on poll(). */
#ifndef SLUSS_GATEWAY_LOOP_H
#define SLUSS_GATEWAY_LOOP_H

#include "lib/base.h"
#include "lib/mailbox.h"
#include "lib/timer.h"

enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_HUP = 4 };
typedef void(loop_fd_h)(unsigned events, void *arg);

struct loop;
struct loop_watch;

struct loop_ops {
	/** Watches `fd`, level triggered; *wp is freed (mem_deref) to stop. Errors: ENOMEM, ENOSPC. */
	int (*watch)(struct loop_watch **wp, struct loop *loop, int fd, unsigned events,
		     loop_fd_h *h, void *arg);
	/** Changes what is waited for. */
	int (*watch_set)(struct loop_watch *w, unsigned events);
	/** Runs timers and watches on this thread, until stop. */
	void (*run)(struct loop *loop);
	void (*stop)(struct loop *loop); /**< this thread */
};
struct loop {
	const struct loop_ops *ops;
	struct timers *timers; /**< the signalling thread's timers */
};

/** A mailbox whose receiver is this loop: eventfd, watch and mailbox in one. `h` takes messages on
 *  the loop's thread. Freed by mem_deref (closes the mailbox and clears it). */
struct loop_mailbox;
int loop_mailbox_alloc(struct loop_mailbox **lmp, struct loop *loop, const char *name,
		       size_t msg_bytes, uint32_t capacity, mailbox_clear_h *clear_h,
		       mailbox_take_h *h, void *arg);
struct mailbox *loop_mailbox(struct loop_mailbox *lm); /**< to post to; borrowed */

#endif
