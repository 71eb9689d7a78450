/* gateway/loop.c - a mailbox whose receiver is an event loop.
 *
 * Made and freed on the loop's thread; any thread posts. Called by what gets messages on the
 * signalling thread (back office, edge, web); calls lib/mailbox and the loop's watch. */
#include "gateway/loop.h"
#include "lib/log.h"
#include <sys/eventfd.h>
#include <unistd.h>

/* Messages taken a wake-up, so that a flood in one mailbox leaves the loop to the others in between. */
enum { DRAIN_MAX = 64 };

struct loop_mailbox {
	struct mailbox *mb;
	struct loop_watch *watch;
	int fd;
	mailbox_clear_h *clear_h;
	mailbox_take_h *h;
	void *arg;
};

/** Thread: any poster's. */
static void wake(void *arg)
{
	struct loop_mailbox *lm = arg;
	uint64_t one = 1;

	/* EAGAIN: the counter is full, so the loop is awake anyway */
	if (write(lm->fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_err(NULL, "loop.wake", "errno=%d", errno);
}

static void take(const void *msg, void *arg)
{
	struct loop_mailbox *lm = arg;

	/* only readable()'s own reference is left: the receiver went away with the last message */
	if (mem_nrefs(lm) > 1)
		lm->h(msg, lm->arg);
	else if (lm->clear_h)
		lm->clear_h((void *)msg);
}

static void readable(unsigned events, void *arg)
{
	struct loop_mailbox *lm = mem_ref(arg); /* a handler may free it */
	uint64_t n;

	if (read(lm->fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		log_err(NULL, "loop.read", "errno=%d", errno);
	mailbox_drain(lm->mb, DRAIN_MAX, take, lm);
	mem_deref(lm);
}

static void destructor(void *arg)
{
	struct loop_mailbox *lm = arg;

	mem_deref(lm->watch);
	if (lm->mb) {
		mailbox_close(lm->mb);
		mailbox_free(&lm->mb);
	}
	if (lm->fd >= 0)
		close(lm->fd);
}

int loop_mailbox_alloc(struct loop_mailbox **lmp, struct loop *loop, const char *name,
		       size_t msg_bytes, uint32_t capacity, mailbox_clear_h *clear_h,
		       mailbox_take_h *h, void *arg)
{
	struct loop_mailbox *lm;
	int err;

	lm = mem_zalloc(sizeof(*lm), destructor);
	if (!lm)
		return ENOMEM;
	lm->clear_h = clear_h;
	lm->h = h;
	lm->arg = arg;
	lm->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (lm->fd < 0) {
		err = errno;
		goto out;
	}
	err = mailbox_alloc(&lm->mb, name, msg_bytes, capacity, clear_h, wake, lm);
	if (err)
		goto out;
	err = loop->ops->watch(&lm->watch, loop, lm->fd, LOOP_READ, readable, lm);
out:
	if (err)
		mem_deref(lm);
	else
		*lmp = lm;
	return err;
}

struct mailbox *loop_mailbox(struct loop_mailbox *lm)
{
	return lm->mb;
}
