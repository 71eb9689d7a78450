/* sip/edge/resolver.c - see resolver.h: the cache, the look-ups under way, and who waits
 * for which. Edge thread. Called by the dialler; calls lookup.c. RFC 2308 (negative
 * caching). */
#include "sip/edge/resolver.h"

#include <strings.h>

#include "lib/secret.h"

enum {
	RESOLVER_CACHE_MAX = 2048,
	RESOLVER_JOBS_MAX = 256,
	RESOLVER_TTL_MAX_S = 3600,
};

struct resolver {
	struct resolver_config config;
	struct hash *jobs, *cache;
	struct list order; /* cache entries, oldest first */
	size_t n_jobs, n_cached;
};

struct entry {
	struct le he, le;
	char key[ADDR_HOST_MAX + 8];
	uint64_t until_us;
	const char *why;
	size_t n;
	struct srv_host hostv[];
};

/* A look-up under way, for all who want it. */
struct job {
	struct le he;
	struct resolver *r;
	char key[ADDR_HOST_MAX + 8];
	struct lookup *lookup;
	struct list waiters;
};

struct resolve {
	struct le le;
	resolve_h *h;
	void *arg;
};

/* ---- life ---- */

static void resolve_destroy(void *p)
{
	struct resolve *w = p;

	list_unlink(&w->le);
}

static void job_destroy(void *p)
{
	struct job *job = p;

	hash_unlink(&job->he);
	lookup_end(&job->lookup);
	/* Who waits owns what he waits with. */
	list_clear(&job->waiters);
}

static void resolver_destroy(void *p)
{
	struct resolver *r = p;

	hash_flush(r->jobs);
	list_clear(&r->order);
	hash_flush(r->cache);
	mem_deref(r->jobs);
	mem_deref(r->cache);
}

static uint32_t resolver_random(uint32_t below, void *arg)
{
	(void)arg;
	return (uint32_t)(secret_u64() % below);
}

int resolver_alloc(struct resolver **rp, const struct resolver_config *config)
{
	struct resolver *r = mem_zalloc(sizeof(*r), resolver_destroy);
	int err;

	if (!r)
		return ENOMEM;
	r->config = *config;
	if (!config->random)
		r->config.random = resolver_random;
	err = hash_alloc(&r->jobs, 64);
	if (!err)
		err = hash_alloc(&r->cache, 1024);
	if (err)
		mem_deref(r);
	else
		*rp = r;
	return err;
}

size_t resolver_n_cached(const struct resolver *r)
{
	return r->n_cached;
}

/* ---- the cache ---- */

static void entry_destroy(void *p)
{
	struct entry *e = p;

	hash_unlink(&e->he);
	list_unlink(&e->le);
}

static void cache_drop(struct resolver *r, struct entry *e)
{
	r->n_cached--;
	mem_deref(e);
}

static bool cache_is(struct le *le, void *arg)
{
	return !strcmp(((struct entry *)le->data)->key, arg);
}

static struct entry *cache_find(struct resolver *r, const char *key)
{
	struct entry *e = list_ledata(hash_lookup(r->cache, hash_joaat_str(key), cache_is,
						  (void *)(uintptr_t)key));

	if (e && e->until_us <= timers_now_us(r->config.lookup.timers)) {
		cache_drop(r, e);
		return NULL;
	}
	return e;
}

static void cache_put(struct resolver *r, const char *key, const struct lookup_result *lr)
{
	uint32_t ttl_s = lr->ttl_s < RESOLVER_TTL_MAX_S ? lr->ttl_s : RESOLVER_TTL_MAX_S;
	struct entry *e = cache_find(r, key);

	if (e)
		cache_drop(r, e);
	if (!ttl_s)
		return;
	if (r->n_cached >= RESOLVER_CACHE_MAX)
		cache_drop(r, list_ledata(r->order.head));
	e = mem_zalloc(sizeof(*e) + lr->n * sizeof(e->hostv[0]), entry_destroy);
	if (!e)
		return;
	snprintf(e->key, sizeof(e->key), "%s", key);
	e->until_us = timers_now_us(r->config.lookup.timers) + ttl_s * 1000000ull;
	e->why = lr->why;
	e->n = lr->n;
	if (lr->n)
		memcpy(e->hostv, lr->hostv, lr->n * sizeof(e->hostv[0]));
	hash_append(r->cache, hash_joaat_str(e->key), &e->he, e);
	list_append(&r->order, &e->le, e);
	r->n_cached++;
}

/* ---- asking ---- */

/* Each one gets an order of its own, so that the load is spread. */
static void resolver_give(struct resolver *r, const char *why,
			  const struct srv_host *hostv, size_t n, resolve_h *h, void *arg)
{
	struct sa targetv[TARGETS_MAX];

	n = why ? 0 : srv_order(targetv, hostv, n, r->config.random, r->config.arg);
	h(why, targetv, n, arg);
}

static void job_done(const struct lookup_result *lr, void *arg)
{
	struct job *job = arg;
	struct resolver *r = job->r;
	struct le *le;

	hash_unlink(&job->he);
	r->n_jobs--;
	cache_put(r, job->key, lr);
	while ((le = job->waiters.head)) {
		struct resolve *w = le->data;

		list_unlink(le);
		resolver_give(r, lr->why, lr->hostv, lr->n, w->h, w->arg);
		mem_deref(w);
	}
	mem_deref(job);
}

static bool job_is(struct le *le, void *arg)
{
	return !strcmp(((struct job *)le->data)->key, arg);
}

static int job_alloc(struct job **jobp, struct resolver *r, const char *key,
		     const char *host, uint16_t port)
{
	struct job *job = mem_zalloc(sizeof(*job), job_destroy);
	int err;

	if (!job)
		return ENOMEM;
	job->r = r;
	snprintf(job->key, sizeof(job->key), "%s", key);
	err = lookup_alloc(&job->lookup, &r->config.lookup, host, port, job_done, job);
	if (err) {
		mem_deref(job);
		return err;
	}
	hash_append(r->jobs, hash_joaat_str(key), &job->he, job);
	r->n_jobs++;
	*jobp = job;
	return 0;
}

int resolver_ask(struct resolve **rp, struct resolver *r, const char *host, uint16_t port,
		 resolve_h *h, void *arg)
{
	char key[ADDR_HOST_MAX + 8];
	bool fresh = false;
	struct resolve *w;
	struct entry *e;
	struct job *job;
	int err = 0;

	*rp = NULL;
	snprintf(key, sizeof(key), "%s:%u", host, port);
	e = cache_find(r, key);
	if (e) {
		resolver_give(r, e->why, e->hostv, e->n, h, arg);
		return 0;
	}
	job = list_ledata(hash_lookup(r->jobs, hash_joaat_str(key), job_is, key));
	if (!job && r->n_jobs >= RESOLVER_JOBS_MAX) {
		h("too many names are being looked up here", NULL, 0, arg);
		return 0;
	}
	w = mem_zalloc(sizeof(*w), resolve_destroy);
	if (!w)
		return ENOMEM;
	w->h = h;
	w->arg = arg;
	if (!job) {
		fresh = true;
		err = job_alloc(&job, r, key, host, port);
	}
	if (err) {
		mem_deref(w);
		return err;
	}
	list_append(&job->waiters, &w->le, w);
	*rp = w;
	/* In here `h` may run, and rp may be no more afterwards. */
	if (fresh)
		lookup_start(job->lookup);
	return 0;
}
