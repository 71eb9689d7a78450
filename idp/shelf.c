/* idp/shelf.c - see shelf.h. Called by judge.c, assess.c and worker.c, calls fetch.c. RFC 8224 §6.2 step 2.
 *
 * One fetch serves all who ask for the same address. A stranger who names a thousand addresses gets his few at a time
 * (n_per_domain), and takes none of the places of others. */
#include "idp/shelf.h"

#include "lib/clock.h"
#include "lib/log.h"

enum { BUCKETS = 256, US = 1000000 };

enum book_state { BOOK_WAITS, BOOK_COMES, BOOK_HERE, BOOK_FAILED };

struct book {
	struct le le, le_url; /* in one of the shelf's lists; by url */
	struct shelf *shelf;
	enum book_state state;
	bool renews; /* one that lies there; not among the urls before it takes its place */
	char *url, *domain;
	void *thing;
	char why[SHELF_WHY_BYTES];
	uint64_t until_us; /* WAITS: gives up; HERE, FAILED: is forgotten */
	uint64_t since_us; /* HERE, FAILED */
	struct list asks;
};

struct shelf {
	struct shelf_config config;
	struct hash *urls;
	struct list kept;    /* HERE and FAILED, asked for last at the end */
	struct list waiting; /* oldest first */
	struct list coming;
	uint32_t n_kept, n_waiting, n_coming;
};

static uint64_t now_us(const struct shelf *s)
{
	return s->config.now_us ? s->config.now_us() : clock_us();
}

static void book_destructor(void *arg)
{
	struct book *b = arg;

	list_unlink(&b->le);
	hash_unlink(&b->le_url);
	list_clear(&b->asks);
	mem_deref(b->url);
	mem_deref(b->domain);
	mem_deref(b->thing);
}

static void shelf_destructor(void *arg)
{
	struct shelf *s = arg;

	list_flush(&s->kept);
	list_flush(&s->waiting);
	list_flush(&s->coming);
	mem_deref(s->urls);
}

int shelf_alloc(struct shelf **sp, const struct shelf_config *config)
{
	struct shelf *s = mem_zalloc(sizeof(*s), shelf_destructor);

	if (!s)
		return ENOMEM;
	s->config = *config;
	if (hash_alloc(&s->urls, BUCKETS)) {
		mem_deref(s);
		return ENOMEM;
	}
	*sp = s;
	return 0;
}

/* Moves it into the list of its new state. */
static void book_set(struct book *b, enum book_state state)
{
	struct shelf *s = b->shelf;

	if (b->le.list) {
		s->n_kept -= b->le.list == &s->kept;
		s->n_waiting -= b->le.list == &s->waiting;
		s->n_coming -= b->le.list == &s->coming;
		list_unlink(&b->le);
	}
	b->state = state;
	switch (state) {
	case BOOK_WAITS:
		list_append(&s->waiting, &b->le, b);
		s->n_waiting++;
		break;
	case BOOK_COMES:
		list_append(&s->coming, &b->le, b);
		s->n_coming++;
		break;
	case BOOK_HERE:
	case BOOK_FAILED:
		list_append(&s->kept, &b->le, b);
		s->n_kept++;
		break;
	}
}

static void book_drop(struct book *b)
{
	struct shelf *s = b->shelf;

	s->n_kept -= b->le.list == &s->kept;
	s->n_waiting -= b->le.list == &s->waiting;
	s->n_coming -= b->le.list == &s->coming;
	mem_deref(b);
}

static void ask_fill(struct shelf_ask *ask, const struct book *b)
{
	mem_deref(ask->thing);
	ask->thing = mem_ref(b->thing);
	snprintf(ask->why, sizeof(ask->why), "%s", b->why);
}

static struct book *book_find(struct shelf *s, const char *url);

/* One that was fetched anew takes the place of what lies there; when it has not come, that stays, and is not asked for
 * again so soon. Gives whether it is on the shelf now. */
static bool book_takes_place(struct book *b, enum book_state state)
{
	struct shelf *s = b->shelf;
	struct book *old;

	if (!b->renews)
		return true;
	old = book_find(s, b->url);
	if (old && state == BOOK_FAILED) {
		old->since_us = now_us(s);
		return false;
	}
	if (old)
		book_drop(old);
	b->renews = false;
	hash_append(s->urls, hash_joaat_str(b->url), &b->le_url, b);
	return true;
}

/* It is there, or will not be: whoever waits is told. `b` may be gone afterwards. */
static void book_settle(struct book *b, enum book_state state, uint64_t keep_s)
{
	struct shelf *s = b->shelf;
	bool stays = book_takes_place(b, state);

	b->since_us = now_us(s);
	b->until_us = b->since_us + keep_s * US;
	if (stays)
		book_set(b, state);
	mem_ref(b);
	for (struct le *le; (le = b->asks.head);) {
		struct shelf_ask *ask = le->data;

		ask_fill(ask, b);
		list_unlink(&ask->le);
		ask->h(ask->arg);
	}
	mem_deref(b);
	if (!stays)
		book_drop(b);
	while (s->n_kept > SHELF_BOOKS_MAX)
		book_drop(list_ledata(s->kept.head));
}

static void book_fail(struct book *b, const char *why)
{
	snprintf(b->why, sizeof(b->why), "%s", why);
	book_settle(b, BOOK_FAILED, SHELF_FAILED_S);
}

static void start_next(struct shelf *s);

static void take(struct book *b, const void *p, size_t n, uint32_t max_age_s)
{
	const struct shelf_config *c = &b->shelf->config;
	uint64_t keep_s = max_age_s ? max_age_s : c->kind->kept_s;
	int err;

	if (keep_s < SHELF_KEPT_MIN_S)
		keep_s = SHELF_KEPT_MIN_S;
	if (keep_s > c->kind->kept_max_s)
		keep_s = c->kind->kept_max_s;
	err = c->kind->make(&b->thing, b->why, &keep_s, c->arg, p, n);
	if (err == ENOMEM) {
		book_fail(b, "out of memory");
		return;
	}
	log_info(NULL, c->kind->fetched_event, "url=%s seconds=%llu why=%s", LQ(b->url),
		 (unsigned long long)(err ? SHELF_FAILED_S : keep_s), LQ(b->why));
	if (err)
		book_settle(b, BOOK_FAILED, SHELF_FAILED_S);
	else
		book_settle(b, BOOK_HERE, keep_s);
}

static void fetched(const struct fetch_result *r, void *arg)
{
	struct book *b = arg;
	struct shelf *s = b->shelf;

	if (r->err) {
		log_info(NULL, s->config.kind->failed_event, "url=%s why=%s", LQ(b->url),
			 LQ(r->why));
		book_fail(b, r->why);
	} else {
		take(b, r->p, r->n, r->max_age_s);
	}
	start_next(s);
}

static uint32_t count(const struct list *list, const char *domain)
{
	uint32_t n = 0;

	for (const struct le *le = list->head; le; le = le->next)
		n += !strcmp(((const struct book *)le->data)->domain, domain);
	return n;
}

/* The oldest whose domain has not half of the places already: those who are slow leave some for others. */
static struct book *next_waiting(const struct shelf *s)
{
	uint32_t half = s->config.n_fetches / 2;

	for (struct le *le = s->waiting.head; le; le = le->next) {
		struct book *b = le->data;

		if (count(&s->coming, b->domain) < (half ? half : 1))
			return b;
	}
	return NULL;
}

static void start_next(struct shelf *s)
{
	struct book *b;

	while (s->n_coming < s->config.n_fetches && (b = next_waiting(s))) {
		book_set(b, BOOK_COMES);
		if (fetch_start(s->config.fetcher, b->url, fetched, b))
			book_fail(b, "out of memory");
	}
}

static bool url_is(struct le *le, void *arg)
{
	return !strcmp(((const struct book *)le->data)->url, arg);
}

static struct book *book_find(struct shelf *s, const char *url)
{
	struct book *b = list_ledata(hash_lookup(s->urls, hash_joaat_str(url), url_is,
						 (void *)(uintptr_t)url));

	if (b && (b->state == BOOK_HERE || b->state == BOOK_FAILED)) {
		if (now_us(s) >= b->until_us) {
			book_drop(b);
			return NULL;
		}
		book_set(b, b->state); /* asked for last */
	}
	return b;
}

static struct book *book_alloc(struct shelf *s, const char *url, const char *domain)
{
	struct book *b = mem_zalloc(sizeof(*b), book_destructor);

	if (!b)
		return NULL;
	b->shelf = s;
	b->url = base_dup(url, strlen(url));
	b->domain = base_dup(domain, strlen(domain));
	if (!b->url || !b->domain)
		return mem_deref(b);
	b->until_us = now_us(s) + (uint64_t)s->config.timeout_ms * 1000;
	book_set(b, BOOK_WAITS);
	return b;
}

static struct book *book_add(struct shelf *s, const char *url, const char *domain)
{
	struct book *b = book_alloc(s, url, domain);

	if (b)
		hash_append(s->urls, hash_joaat_str(url), &b->le_url, b);
	return b;
}

/* What is being fetched anew. */
static struct book *renewal_find(const struct shelf *s, const char *url)
{
	const struct list *lists[] = {&s->waiting, &s->coming};

	for (size_t i = 0; i < N_ELEMS(lists); i++) {
		for (struct le *le = lists[i]->head; le; le = le->next) {
			struct book *b = le->data;

			if (b->renews && !strcmp(b->url, url))
				return b;
		}
	}
	return NULL;
}

static enum shelf_state failed(struct shelf_ask *ask, const char *why)
{
	snprintf(ask->why, sizeof(ask->why), "%s", why);
	return SHELF_FAILED;
}

int shelf_put(struct shelf *s, const char *url, const char *domain, const void *p,
	      size_t n, uint32_t max_age_s)
{
	struct book *b = book_find(s, url);

	if (b)
		return EEXIST;
	b = book_add(s, url, domain);
	if (!b)
		return ENOMEM;
	take(b, p, n, max_age_s);
	return 0;
}

static bool is_full(const struct shelf *s, const char *domain)
{
	return count(&s->coming, domain) + count(&s->waiting, domain) >=
		       s->config.kind->n_per_domain ||
	       s->n_waiting >= SHELF_WAITING_MAX;
}

static enum shelf_state join(struct shelf_ask *ask, struct book *b)
{
	if (list_count(&b->asks) >= SHELF_ASKS_MAX)
		return failed(ask, "too many wait for the same");
	list_append(&b->asks, &ask->le, ask);
	return SHELF_COMES;
}

enum shelf_state shelf_get(struct shelf *s, struct shelf_ask *ask, const char *url,
			   const char *domain)
{
	struct book *b = book_find(s, url);

	if (!b)
		b = renewal_find(s,
				 url); /* its time was over before the new one is there */
	if (!b) {
		if (is_full(s, domain))
			return failed(ask, s->config.kind->busy);
		b = book_add(s, url, domain);
		if (!b)
			return failed(ask, "out of memory");
		start_next(s); /* may fail at once: nobody waits for it yet */
	}
	if (b->state == BOOK_HERE || b->state == BOOK_FAILED) {
		ask_fill(ask, b);
		return b->state == BOOK_HERE ? SHELF_HERE : SHELF_FAILED;
	}
	return join(ask, b);
}

void shelf_forget(struct shelf_ask *ask)
{
	list_unlink(&ask->le);
	ask->thing = mem_deref(ask->thing);
}

enum shelf_state shelf_renew(struct shelf *s, struct shelf_ask *ask, const char *url,
			     const char *domain, uint32_t age_s)
{
	struct book *b = book_find(s, url), *fresh = renewal_find(s, url);

	if (fresh)
		return join(ask, fresh);
	if (!b || b->state != BOOK_HERE)
		return shelf_get(s, ask, url, domain);
	if (now_us(s) - b->since_us < (uint64_t)age_s * US)
		return SHELF_HERE;
	if (is_full(s, domain))
		return failed(ask, s->config.kind->busy);
	fresh = book_alloc(s, url, domain);
	if (!fresh)
		return failed(ask, "out of memory");
	fresh->renews = true;
	start_next(s); /* may fail at once, and then it is gone */
	fresh = renewal_find(s, url);
	return fresh ? join(ask, fresh) : failed(ask, "out of memory");
}

void shelf_look(struct shelf *s)
{
	uint64_t now = now_us(s);

	while (s->waiting.head) {
		struct book *b = s->waiting.head->data;

		if (now < b->until_us)
			break;
		book_fail(b, "it did not come in time");
	}
}

bool shelf_is_busy(const struct shelf *s)
{
	return s->n_waiting || s->n_coming;
}

void shelf_clear(struct shelf *s)
{
	while (s->kept.head)
		book_drop(s->kept.head->data);
}
