/* gateway/quota.c - counting per key, with a bound on the keys.
 *
 * Signalling thread. Called by call.c; calls nothing but the clock of the timers.
 * Keys with nothing going on wait in a list, oldest first, and are dropped once their minute is over. */
#include "gateway/quota.h"

enum { BUCKETS = 1024, MINUTE_US = 60 * 1000 * 1000 };

struct quota {
	const struct timers *timers;
	struct hash *keys;
	struct list idle; /**< n_now is 0, the longest idle first */
	uint32_t n_keys, max_keys;
};

struct entry {
	struct le le, le_idle;
	uint32_t n_now, n_minute;
	uint64_t minute_us; /**< when the minute that is counted began */
	char key[];
};

static void entry_destructor(void *arg)
{
	struct entry *e = arg;

	hash_unlink(&e->le);
	list_unlink(&e->le_idle);
}

static void quota_destructor(void *arg)
{
	struct quota *q = arg;

	if (q->keys)
		hash_flush(q->keys);
	mem_deref(q->keys);
}

int quota_alloc(struct quota **qp, const struct timers *timers, uint32_t max_keys)
{
	struct quota *q;

	q = mem_zalloc(sizeof(*q), quota_destructor);
	if (!q)
		return ENOMEM;
	q->timers = timers;
	q->max_keys = max_keys;
	if (hash_alloc(&q->keys, BUCKETS)) {
		mem_deref(q);
		return ENOMEM;
	}
	*qp = q;
	return 0;
}

static bool key_is(struct le *le, void *arg)
{
	const struct entry *e = le->data;

	return !strcmp(e->key, arg);
}

static struct entry *find(const struct quota *q, const char *key)
{
	return list_ledata(
		hash_lookup(q->keys, hash_joaat_str(key), key_is, (void *)key));
}

static bool minute_over(const struct entry *e, uint64_t now_us)
{
	return now_us - e->minute_us >= MINUTE_US;
}

/** Drops idle keys whose minute is over: they say nothing any more. */
static void sweep(struct quota *q, uint64_t now_us)
{
	struct le *le = q->idle.head;

	while (le) {
		struct entry *e = le->data;

		le = le->next;
		if (minute_over(e, now_us)) {
			mem_deref(e);
			q->n_keys--;
		} else if (q->n_keys < q->max_keys) {
			break; /* there is room; the ones behind are younger */
		}
	}
}

static struct entry *entry_add(struct quota *q, const char *key, uint64_t now_us)
{
	size_t n = strlen(key) + 1;
	struct entry *e = mem_zalloc(sizeof(*e) + n, entry_destructor);

	if (!e)
		return NULL;
	memcpy(e->key, key, n);
	e->minute_us = now_us;
	hash_append(q->keys, hash_joaat_str(key), &e->le, e);
	list_append(&q->idle, &e->le_idle, e);
	q->n_keys++;
	return e;
}

int quota_take(struct quota *q, const char *key, uint32_t at_once, uint32_t per_minute)
{
	uint64_t now_us = timers_now_us(q->timers);
	struct entry *e = find(q, key);

	if (!e) {
		sweep(q, now_us);
		if (q->n_keys >= q->max_keys)
			return ENOSPC;
		e = entry_add(q, key, now_us);
		if (!e)
			return ENOMEM;
	}
	if (minute_over(e, now_us)) {
		e->minute_us = now_us;
		e->n_minute = 0;
	}
	if (e->n_now >= at_once)
		return ENOSPC;
	if (per_minute && e->n_minute >= per_minute)
		return EAGAIN;
	e->n_now++;
	e->n_minute++;
	list_unlink(&e->le_idle);
	return 0;
}

void quota_give(struct quota *q, const char *key)
{
	struct entry *e = find(q, key);

	if (!e || !e->n_now)
		return;
	if (!--e->n_now)
		list_append(&q->idle, &e->le_idle, e);
}

uint32_t quota_now(const struct quota *q, const char *key)
{
	const struct entry *e = find(q, key);

	return e ? e->n_now : 0;
}

uint32_t quota_keys(const struct quota *q)
{
	return q->n_keys;
}
