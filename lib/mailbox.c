/* lib/mailbox.c - a ring of fixed-size messages under one mutex, and the receiver's wake. The lock is
 * held for a copy only, never while a handler runs or the
 * receiver is woken. Posted to by any thread, drained by one. */
#include "lib/mailbox.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { MAILBOX_MAX = 1 << 20, MAILBOX_FIRST = 16 };

struct mailbox {
	pthread_mutex_t lock;
	pthread_cond_t filled; /* for mailbox_wait() */
	const char *name;
	uint8_t *
		ring; /* grows up to capacity: thousands of quiet mailboxes cost little */
	size_t msg_bytes;
	uint32_t size, capacity; /* slots there are; slots there may be */
	uint32_t head, n;
	bool closed;
	uint32_t n_high_water;
	uint64_t n_posted, n_refused;
	atomic_uint n_waking; /* posters between unlock and the end of wake_h */
	mailbox_clear_h *clear_h;
	mailbox_wake_h *wake_h;
	void *wake_arg;
};

int mailbox_alloc(struct mailbox **mbp, const char *name, size_t msg_bytes,
		  uint32_t capacity, mailbox_clear_h *clear_h, mailbox_wake_h *wake_h,
		  void *wake_arg)
{
	pthread_mutexattr_t attr;
	struct mailbox *mb;

	if (!msg_bytes || !capacity || capacity > MAILBOX_MAX)
		return EINVAL;
	mb = calloc(1, sizeof(*mb));
	if (!mb)
		return ENOMEM;
	mb->size = capacity < MAILBOX_FIRST ? capacity : MAILBOX_FIRST;
	mb->ring = malloc(mb->size * msg_bytes);
	if (!mb->ring) {
		free(mb);
		return ENOMEM;
	}
	/* Held for microseconds, and most often met just after its holder has woken us: worth a short spin. */
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ADAPTIVE_NP);
	pthread_mutex_init(&mb->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	pthread_cond_init(&mb->filled, NULL);
	mb->name = name;
	mb->msg_bytes = msg_bytes;
	mb->capacity = capacity;
	mb->clear_h = clear_h;
	mb->wake_h = wake_h;
	mb->wake_arg = wake_arg;
	*mbp = mb;
	return 0;
}

static uint8_t *mailbox_slot(const struct mailbox *mb, uint32_t i)
{
	return mb->ring + (size_t)((mb->head + i) % mb->size) * mb->msg_bytes;
}

/* Doubles the ring; with the lock held. */
static int mailbox_grow(struct mailbox *mb)
{
	uint32_t size = mb->size > mb->capacity / 2 ? mb->capacity : 2 * mb->size;
	uint8_t *ring;

	if (size == mb->size)
		return ENOSPC;
	ring = malloc(size * mb->msg_bytes);
	if (!ring)
		return ENOSPC;
	for (uint32_t i = 0; i < mb->n; i++)
		memcpy(ring + i * mb->msg_bytes, mailbox_slot(mb, i), mb->msg_bytes);
	free(mb->ring);
	mb->ring = ring;
	mb->size = size;
	mb->head = 0;
	return 0;
}

int mailbox_post(struct mailbox *mb, const void *msg)
{
	bool wakes = false;
	int err = 0;

	pthread_mutex_lock(&mb->lock);
	if (mb->closed)
		err = ESHUTDOWN;
	else if (mb->n == mb->size)
		err = mailbox_grow(mb);
	if (err) {
		mb->n_refused++;
	} else {
		wakes = mb->n == 0 && mb->wake_h;
		memcpy(mailbox_slot(mb, mb->n), msg, mb->msg_bytes);
		mb->n++;
		mb->n_posted++;
		if (mb->n > mb->n_high_water)
			mb->n_high_water = mb->n;
		pthread_cond_signal(&mb->filled);
		/* Counted, so that mailbox_free() after the last post cannot overtake the wake. */
		if (wakes)
			atomic_fetch_add(&mb->n_waking, 1);
	}
	pthread_mutex_unlock(&mb->lock);
	/* Not under the lock: on another core the receiver is up before we are back, and would wait for it. */
	if (wakes) {
		mb->wake_h(mb->wake_arg);
		atomic_fetch_sub(&mb->n_waking, 1);
	}
	return err;
}

int mailbox_post_or_clear(struct mailbox *mb, void *msg)
{
	int err = mailbox_post(mb, msg);

	if (err && mb->clear_h)
		mb->clear_h(msg);
	return err;
}

size_t mailbox_drain(struct mailbox *mb, size_t max, mailbox_take_h *h, void *arg)
{
	max_align_t room[1024 / sizeof(max_align_t)];
	void *msg = mb->msg_bytes <= sizeof(room) ? (void *)room : malloc(mb->msg_bytes);
	size_t n, done = 0;
	bool some_stay;

	if (!msg)
		return 0;
	pthread_mutex_lock(&mb->lock);
	n = mb->n;
	if (max && n > max)
		n = max;
	while (done < n && mb->n) {
		memcpy(msg, mailbox_slot(mb, 0), mb->msg_bytes);
		mb->head = (mb->head + 1) % mb->size;
		mb->n--;
		pthread_mutex_unlock(&mb->lock);
		h(msg, arg);
		done++;
		pthread_mutex_lock(&mb->lock);
	}
	/* Whoever posted behind us saw a queue that was not empty and woke nobody. */
	some_stay = mb->n > 0;
	pthread_mutex_unlock(&mb->lock);
	if (some_stay && mb->wake_h)
		mb->wake_h(mb->wake_arg);
	if (msg != (void *)room)
		free(msg);
	return done;
}

int mailbox_wait(struct mailbox *mb, void *msg)
{
	int err = 0;

	pthread_mutex_lock(&mb->lock);
	while (!mb->n && !mb->closed)
		pthread_cond_wait(&mb->filled, &mb->lock);
	if (mb->n) {
		memcpy(msg, mailbox_slot(mb, 0), mb->msg_bytes);
		mb->head = (mb->head + 1) % mb->size;
		mb->n--;
	} else {
		err = ESHUTDOWN;
	}
	pthread_mutex_unlock(&mb->lock);
	return err;
}

void mailbox_close(struct mailbox *mb)
{
	pthread_mutex_lock(&mb->lock);
	mb->closed = true;
	pthread_cond_broadcast(&mb->filled);
	pthread_mutex_unlock(&mb->lock);
}

void mailbox_free(struct mailbox **mbp)
{
	struct mailbox *mb = *mbp;

	if (!mb)
		return;
	*mbp = NULL;
	while (atomic_load(&mb->n_waking))
		sched_yield(); /* a poster is on its way out of wake_h */
	for (uint32_t i = 0; i < mb->n && mb->clear_h; i++)
		mb->clear_h(mailbox_slot(mb, i));
	pthread_mutex_destroy(&mb->lock);
	pthread_cond_destroy(&mb->filled);
	free(mb->ring);
	free(mb);
}

void mailbox_stats(struct mailbox *mb, struct mailbox_stats *stats)
{
	pthread_mutex_lock(&mb->lock);
	*stats = (struct mailbox_stats){
		.name = mb->name,
		.capacity = mb->capacity,
		.n_now = mb->n,
		.n_high_water = mb->n_high_water,
		.n_posted = mb->n_posted,
		.n_refused = mb->n_refused,
	};
	pthread_mutex_unlock(&mb->lock);
}
