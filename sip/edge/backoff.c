/* sip/edge/backoff.c - see backoff.h. Called by the dialler. Bounded: the oldest entry
 * makes room. */
#include "sip/edge/backoff.h"

#include <strings.h>

enum {
	BACKOFF_MAX = 1024,
	BACKOFF_FIRST_S = 1,
	BACKOFF_LAST_S = 30,
	BACKOFF_FORGET_S = 300
};

struct backoff_entry {
	struct le le;
	char site[ADDR_HOST_MAX + 1], domain[ADDR_HOST_MAX + 1], target[64];
	unsigned delay_s;
	uint64_t failed_us;
};

struct backoff {
	struct timers *timers;
	struct list entries; /* the latest failure last */
	size_t n;
};

static void backoff_destroy(void *p)
{
	struct backoff *b = p;

	list_flush(&b->entries);
}

static void backoff_entry_destroy(void *p)
{
	struct backoff_entry *e = p;

	list_unlink(&e->le);
}

int backoff_alloc(struct backoff **bp, struct timers *timers)
{
	struct backoff *b = mem_zalloc(sizeof(*b), backoff_destroy);

	if (!b)
		return ENOMEM;
	b->timers = timers;
	*bp = b;
	return 0;
}

static uint64_t backoff_age_us(const struct backoff *b, const struct backoff_entry *e)
{
	return timers_now_us(b->timers) - e->failed_us;
}

static void backoff_drop(struct backoff *b, struct backoff_entry *e)
{
	b->n--;
	mem_deref(e);
}

static struct backoff_entry *backoff_find(struct backoff *b, const char *site,
					  const char *domain, const char *target)
{
	/* Few entries, and only targets that failed: a walk will do. The old ones stand
	 * in front. */
	while (b->entries.head &&
	       backoff_age_us(b, b->entries.head->data) >= BACKOFF_FORGET_S * 1000000ull)
		backoff_drop(b, b->entries.head->data);
	for (struct le *le = b->entries.head; le; le = le->next) {
		struct backoff_entry *e = le->data;

		if (!strcmp(e->target, target) && !strcasecmp(e->domain, domain) &&
		    !strcasecmp(e->site, site))
			return e;
	}
	return NULL;
}

bool backoff_active(struct backoff *b, const char *site, const char *domain,
		    const char *target)
{
	const struct backoff_entry *e = backoff_find(b, site, domain, target);

	return e && backoff_age_us(b, e) < e->delay_s * 1000000ull;
}

bool backoff_known(struct backoff *b, const char *site, const char *domain,
		   const char *target)
{
	return backoff_find(b, site, domain, target) != NULL;
}

void backoff_failed(struct backoff *b, const char *site, const char *domain,
		    const char *target)
{
	struct backoff_entry *e = backoff_find(b, site, domain, target);

	if (e) {
		e->delay_s =
			2 * e->delay_s < BACKOFF_LAST_S ? 2 * e->delay_s : BACKOFF_LAST_S;
		list_unlink(&e->le);
	} else {
		if (b->n >= BACKOFF_MAX)
			backoff_drop(b, b->entries.head->data);
		e = mem_zalloc(sizeof(*e), backoff_entry_destroy);
		if (!e)
			return;
		snprintf(e->site, sizeof(e->site), "%s", site);
		snprintf(e->domain, sizeof(e->domain), "%s", domain);
		snprintf(e->target, sizeof(e->target), "%s", target);
		e->delay_s = BACKOFF_FIRST_S;
		b->n++;
	}
	e->failed_us = timers_now_us(b->timers);
	list_append(&b->entries, &e->le, e);
}

void backoff_works(struct backoff *b, const char *domain, const char *target)
{
	for (struct le *le = b->entries.head, *next; le; le = next) {
		struct backoff_entry *e = le->data;

		next = le->next;
		if (!strcasecmp(e->domain, domain) &&
		    (!target || !strcmp(e->target, target)))
			backoff_drop(b, e);
	}
}

size_t backoff_count(const struct backoff *b)
{
	return b->n;
}
