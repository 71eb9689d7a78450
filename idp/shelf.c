/* idp/shelf.c - see shelf.h. Called by judge.c and worker.c, calls fetch.c and credential.c. RFC 8224 §6.2 step 2.
 *
 * One fetch serves all who ask for the same address. A stranger who names a thousand addresses gets his few at a time
 * (SHELF_PER_DOMAIN_MAX), and takes none of the places of others. */
#include "idp/shelf.h"

#include "lib/clock.h"
#include "lib/log.h"

enum { BUCKETS = 256, US = 1000000 };

enum book_state { BOOK_WAITS, BOOK_COMES, BOOK_HERE, BOOK_FAILED };

struct book {
	struct le le, le_url; /* in one of the shelf's lists; by url */
	struct shelf *shelf;
	enum book_state state;
	char *url, *domain;
	struct credential *credential;
	char why[SHELF_WHY_BYTES];
	uint64_t until_us; /* WAITS: gives up; HERE, FAILED: is forgotten */
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
	mem_deref(b->credential);
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
	mem_deref(ask->credential);
	ask->credential = mem_ref(b->credential);
	snprintf(ask->why, sizeof(ask->why), "%s", b->why);
}

/* It is there, or will not be: whoever waits is told. `b` may be gone afterwards. */
static void book_settle(struct book *b, enum book_state state, uint64_t keep_s)
{
	struct shelf *s = b->shelf;

	b->until_us = now_us(s) + keep_s * US;
	book_set(b, state);
	mem_ref(b);
	for (struct le *le; (le = b->asks.head);) {
		struct shelf_ask *ask = le->data;

		ask_fill(ask, b);
		list_unlink(&ask->le);
		ask->h(ask->arg);
	}
	mem_deref(b);
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
	uint64_t keep_s = max_age_s ? max_age_s : SHELF_KEPT_S;
	int64_t left_s;

	if (credential_alloc(&b->credential, b->shelf->config.authorities, p, n)) {
		book_fail(b, "out of memory");
		return;
	}
	left_s = b->credential->until_s - clock_wall_s();
	if (keep_s < SHELF_KEPT_MIN_S)
		keep_s = SHELF_KEPT_MIN_S;
	if (keep_s > SHELF_KEPT_MAX_S)
		keep_s = SHELF_KEPT_MAX_S;
	/* one that vouches for nobody is looked at again soon */
	if (!b->credential->key)
		keep_s = SHELF_FAILED_S;
	else if (left_s >= 0 && keep_s > (uint64_t)left_s)
		keep_s = (uint64_t)left_s;
	log_info(NULL, "idp.certificate.fetched", "url=%s seconds=%llu why=%s",
		 LQ(b->url), (unsigned long long)keep_s, LQ(b->credential->why));
	book_settle(b, BOOK_HERE, keep_s);
}

static void fetched(const struct fetch_result *r, void *arg)
{
	struct book *b = arg;
	struct shelf *s = b->shelf;

	if (r->err) {
		log_info(NULL, "idp.certificate.unreachable", "url=%s why=%s", LQ(b->url),
			 LQ(r->why));
		book_fail(b, r->why);
	} else {
		take(b, r->p, r->n, r->max_age_s);
	}
	start_next(s);
}

static void start_next(struct shelf *s)
{
	while (s->waiting.head && s->n_coming < s->config.n_fetches) {
		struct book *b = s->waiting.head->data;

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

static uint32_t count(const struct list *list, const char *domain)
{
	uint32_t n = 0;

	for (const struct le *le = list->head; le; le = le->next)
		n += !strcmp(((const struct book *)le->data)->domain, domain);
	return n;
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
	hash_append(s->urls, hash_joaat_str(url), &b->le_url, b);
	return b;
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
	b = book_alloc(s, url, domain);
	if (!b)
		return ENOMEM;
	take(b, p, n, max_age_s);
	return 0;
}

enum shelf_state shelf_get(struct shelf *s, struct shelf_ask *ask, const char *url,
			   const char *domain)
{
	struct book *b = book_find(s, url);

	if (!b) {
		if (count(&s->coming, domain) + count(&s->waiting, domain) >=
			    SHELF_PER_DOMAIN_MAX ||
		    s->n_waiting >= SHELF_WAITING_MAX)
			return failed(ask, "too many certificates are being fetched");
		b = book_alloc(s, url, domain);
		if (!b)
			return failed(ask, "out of memory");
		start_next(s); /* may fail at once: nobody waits for it yet */
	}
	if (b->state == BOOK_HERE || b->state == BOOK_FAILED) {
		ask_fill(ask, b);
		return b->state == BOOK_HERE ? SHELF_HERE : SHELF_FAILED;
	}
	if (list_count(&b->asks) >= SHELF_ASKS_MAX)
		return failed(ask, "too many wait for this certificate");
	list_append(&b->asks, &ask->le, ask);
	return SHELF_COMES;
}

void shelf_forget(struct shelf_ask *ask)
{
	list_unlink(&ask->le);
	ask->credential = mem_deref(ask->credential);
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
