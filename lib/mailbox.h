/* lib/mailbox.h - the one way from thread to thread: a bounded queue of typed messages.
 *
 * Many threads post, one takes. A message is a struct of fixed size (a tagged union), moved by
 * copying: whatever it points to is owned by the message, and by the receiver once taken out.
 * A mailbox that is closed or freed clears what is still in it by `clear_h`.
 *
 *   poster                        receiver's thread
 *   mailbox_post() ──► queue ──► wake_h (eventfd, uv_async_send, lws_cancel_service, condvar)
 *                                  └─► its loop calls mailbox_drain() ──► dispatch, one by one   */
#ifndef SLUSS_LIB_MAILBOX_H
#define SLUSS_LIB_MAILBOX_H

#include "lib/base.h"

struct mailbox;

typedef void(mailbox_wake_h)(void *arg);  /**< any thread; must not block */
typedef void(mailbox_clear_h)(void *msg); /**< frees what the message owns */
typedef void(mailbox_take_h)(const void *msg,
			     void *arg); /**< now owns what msg points to */

/** @param msg_bytes  size of one message    @param capacity  messages it holds at most (1..1 M)
 *  @param clear_h    may be NULL when messages own nothing
 *  Not counted by mem_ref: made by one thread, freed by mailbox_free() after all posters ended.
 *  Errors: ENOMEM, EINVAL. */
int mailbox_alloc(struct mailbox **mbp, const char *name, size_t msg_bytes,
		  uint32_t capacity, mailbox_clear_h *clear_h, mailbox_wake_h *wake_h,
		  void *wake_arg);
/** Moves `*msg` in. Thread: any; never blocks for long. wake_h is called when the queue was empty.
 *  Errors: ENOSPC (full), ESHUTDOWN (closed); then the message still belongs to the caller. */
MUST_USE int mailbox_post(struct mailbox *mb, const void *msg);
/** As mailbox_post(), but clears the message on error, so that nothing leaks. */
int mailbox_post_or_clear(struct mailbox *mb, void *msg);
/** Hands every message that is in now (later ones wait for the next wake) to `h`; gives how many.
 *  Thread: the receiver's alone. At most `max` a call (0: no bound); wakes itself when some stay. */
size_t mailbox_drain(struct mailbox *mb, size_t max, mailbox_take_h *h, void *arg);
/** Takes one message, waiting for it; for receivers without a loop (back office).
 *  Errors: ESHUTDOWN when closed and empty. */
int mailbox_wait(struct mailbox *mb, void *msg);
/** No more posts from now on; wakes every waiter. */
void mailbox_close(struct mailbox *mb);
/** Clears what is left and frees; sets *mbp to NULL. */
void mailbox_free(struct mailbox **mbp);

struct mailbox_stats {
	const char *name;
	uint32_t capacity, n_now, n_high_water;
	uint64_t n_posted, n_refused;
};
void mailbox_stats(struct mailbox *mb, struct mailbox_stats *stats);

#endif
