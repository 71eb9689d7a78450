/* sip/edge/resolver.c - see resolver.h: look-ups under way, the cache, and who waits for what. Edge thread.
 * Called by the dialler; asks through dns_ops. RFC 3263 §4.1-4.2, RFC 2782, RFC 2308 (negative caching). */
#include "sip/edge/resolver.h"

#include <strings.h>

#include "lib/log.h"
#include "lib/secret.h"
#include "sip/edge/reach.h"

enum {
	RESOLVER_CACHE_MAX = 2048,
	RESOLVER_JOBS_MAX = 256,
	RESOLVER_TTL_MAX_S = 3600,
	RESOLVER_NOTHING_S = 30, /* the name or its records do not exist */
	RESOLVER_TROUBLE_S = 5,  /* servers silent or in trouble: soon asked again */
	RESOLVER_NAPTR_MAX = 3,
	RESOLVER_PORT = 5061,
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

enum job_step { JOB_NAPTR, JOB_SRV, JOB_ADDR };

struct job {
	struct le he;
	struct resolver *r; /* NULL when the resolver is gone */
	char key[ADDR_HOST_MAX + 8];
	char host[ADDR_HOST_MAX + 1];
	uint16_t port;
	enum job_step step;
	struct list waiters;
	struct timer timer;
	uint32_t ttl_s;
	bool told;          /* the waiters have their answer */
	bool late_srv;      /* the URI's port led to no address: SRV after all */
	unsigned n_open;    /* questions whose answers are to come; each holds a reference */
	bool refused;       /* an address was left out as special */
	int err;            /* the last that went wrong with an address */
	char srv_namev[RESOLVER_NAPTR_MAX][DNS_NAME];
	size_t n_srv_names, srv_i;
	size_t n;
	struct srv_host hostv[SRV_HOSTS_MAX];
};

struct resolve {
	struct le le;
	resolve_h *h;
	void *arg;
};

struct job_question {
	struct job *job;
	size_t host_i; /* DNS_ADDR: whose */
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

	timer_cancel(&job->timer);
	hash_unlink(&job->he);
	/* Who waits owns what he waits with. */
	list_clear(&job->waiters);
}

/* Questions of it may still be open: their answers find that it is over. */
static bool job_orphan(struct le *le, void *arg)
{
	struct job *job = le->data;

	(void)arg;
	timer_cancel(&job->timer);
	hash_unlink(&job->he);
	list_clear(&job->waiters);
	job->told = true;
	job->r = NULL;
	mem_deref(job);
	return false;
}

static void resolver_destroy(void *p)
{
	struct resolver *r = p;

	hash_apply(r->jobs, job_orphan, NULL);
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
	struct entry *e = list_ledata(
		hash_lookup(r->cache, hash_joaat_str(key), cache_is, (void *)(uintptr_t)key));

	if (e && e->until_us <= timers_now_us(r->config.timers)) {
		cache_drop(r, e);
		return NULL;
	}
	return e;
}

static void cache_put(struct resolver *r, const struct job *job, const char *why, uint32_t ttl_s)
{
	struct entry *e = cache_find(r, job->key);

	if (e)
		cache_drop(r, e);
	if (!ttl_s)
		return;
	if (r->n_cached >= RESOLVER_CACHE_MAX)
		cache_drop(r, list_ledata(r->order.head));
	e = mem_zalloc(sizeof(*e) + job->n * sizeof(e->hostv[0]), entry_destroy);
	if (!e)
		return;
	snprintf(e->key, sizeof(e->key), "%s", job->key);
	e->until_us = timers_now_us(r->config.timers) +
		      (ttl_s < RESOLVER_TTL_MAX_S ? ttl_s : RESOLVER_TTL_MAX_S) * 1000000ull;
	e->why = why;
	e->n = job->n;
	memcpy(e->hostv, job->hostv, job->n * sizeof(e->hostv[0]));
	hash_append(r->cache, hash_joaat_str(e->key), &e->he, e);
	list_append(&r->order, &e->le, e);
	r->n_cached++;
}

/* ---- the end of a look-up ---- */

static const char *job_why(int err)
{
	switch (err) {
	case ENOENT:
		return "its DNS name does not exist";
	case ENODATA:
		return "DNS knows no SIP service and no address of it";
	case ECONNREFUSED:
		return "its DNS entry says that it has no SIP service";
	case EACCES:
		return "its DNS entry leads to a private or special address";
	case ETIMEDOUT:
		return "its DNS servers did not answer";
	default:
		return "its DNS servers cannot be reached or answered with an error";
	}
}

static void job_tell(struct job *job, const char *why)
{
	struct sa targetv[TARGETS_MAX];
	struct resolver *r = job->r;
	struct le *le;

	while ((le = job->waiters.head)) {
		struct resolve *w = le->data;
		size_t n = why ? 0 : srv_order(targetv, job->hostv, job->n, r->config.random, r->config.arg);

		list_unlink(le);
		w->h(why, targetv, n, w->arg);
		mem_deref(w);
	}
}

static void job_done(struct job *job, int err)
{
	struct resolver *r = job->r;
	const char *why = err ? job_why(err) : NULL;
	uint32_t ttl_s = job->ttl_s;

	if (job->told)
		return;
	job->told = true;
	timer_cancel(&job->timer);
	hash_unlink(&job->he);
	r->n_jobs--;
	if (err) {
		job->n = 0;
		ttl_s = err == ETIMEDOUT || err == EIO || err == ENOMEM ? RESOLVER_TROUBLE_S : RESOLVER_NOTHING_S;
	}
	log_debug(NULL, "edge.resolved", "name=%s n_hosts=%zu ttl_s=%u why=%s", job->key, job->n, ttl_s, LQ(why));
	cache_put(r, job, why, ttl_s);
	job_tell(job, why);
	mem_deref(job);
}

static void job_timeout(void *arg)
{
	job_done(arg, ETIMEDOUT);
}

/* ---- its steps ---- */

static void job_answer(const struct dns_answer *a, void *arg);

static void job_ask(struct job *job, enum dns_kind kind, const char *name, size_t host_i)
{
	struct job_question *q = mem_zalloc(sizeof(*q), NULL);

	job->n_open++;
	if (!q) {
		job->n_open--;
		job->err = ENOMEM;
		return;
	}
	q->job = mem_ref(job);
	q->host_i = host_i;
	job->r->config.ops->ask(job->r->config.dns, kind, name, job_answer, q);
}

static void job_naptr(struct job *job)
{
	job->step = JOB_NAPTR;
	job_ask(job, DNS_NAPTR, job->host, 0);
}

static void job_srv(struct job *job)
{
	job->step = JOB_SRV;
	if (!job->n_srv_names) {
		snprintf(job->srv_namev[0], DNS_NAME, "_sips._tcp.%s", job->host);
		job->n_srv_names = 1;
	}
	job_ask(job, DNS_SRV, job->srv_namev[job->srv_i], 0);
}

static void job_addr(struct job *job, const char *host, uint16_t port)
{
	job->step = JOB_ADDR;
	job->n = 1;
	memset(&job->hostv[0], 0, sizeof(job->hostv[0]));
	job->hostv[0].port = port;
	job_ask(job, DNS_ADDR, host, 0);
}

static int naptr_cmp(const void *a, const void *b)
{
	const struct dns_naptr *l = a, *r = b;

	if (l->order != r->order)
		return l->order < r->order ? -1 : 1;
	return l->preference < r->preference ? -1 : l->preference > r->preference;
}

static bool naptr_is_ours(const struct dns_naptr *n)
{
	return !strcasecmp(n->service, "SIPS+D2T") && !strcasecmp(n->flags, "s") && *n->replacement;
}

/* Only TLS over TCP is wanted; what else the domain offers does not matter. */
static void job_on_naptr(struct job *job, const struct dns_answer *a)
{
	struct dns_naptr v[DNS_RECORDS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < a->n && !a->err; i++)
		if (naptr_is_ours(&a->naptr[i]))
			v[n++] = a->naptr[i];
	qsort(v, n, sizeof(v[0]), naptr_cmp);
	for (size_t i = 0; i < n && job->n_srv_names < RESOLVER_NAPTR_MAX; i++)
		memcpy(job->srv_namev[job->n_srv_names++], v[i].replacement, DNS_NAME);
	job_srv(job);
}

static int srv_cmp(const void *a, const void *b)
{
	const struct dns_srv *l = a, *r = b;

	return l->priority < r->priority ? -1 : l->priority > r->priority;
}

static void job_on_addrs(struct job *job);

/* An answer may come at once: the last one counts only when all have been asked. */
static void job_ask_all(struct job *job, const struct dns_srv *v)
{
	job->n_open++;
	for (size_t i = 0; i < job->n; i++)
		job_ask(job, DNS_ADDR, v[i].host, i);
	if (!--job->n_open)
		job_on_addrs(job);
}

static void job_on_srv(struct job *job, const struct dns_answer *a)
{
	struct dns_srv v[DNS_RECORDS_MAX];
	char host[ADDR_HOST_MAX + 1];
	size_t n = a->err ? 0 : a->n;

	if (n == 1 && !*a->srv[0].host) {
		job_done(job, ECONNREFUSED);
		return;
	}
	if (n)
		memcpy(v, a->srv, n * sizeof(v[0]));
	qsort(v, n, sizeof(v[0]), srv_cmp);
	job->step = JOB_ADDR;
	job->n = 0;
	for (size_t i = 0; i < n && job->n < SRV_HOSTS_MAX; i++) {
		if (!v[i].port || addr_host_parse(host, v[i].host, strlen(v[i].host)))
			continue;
		memset(&job->hostv[job->n], 0, sizeof(job->hostv[0]));
		job->hostv[job->n].priority = v[i].priority;
		job->hostv[job->n].weight = v[i].weight;
		job->hostv[job->n].port = v[i].port;
		v[job->n++] = v[i];
	}
	if (job->n) {
		job_ask_all(job, v);
		return;
	}
	if (++job->srv_i < job->n_srv_names)
		job_srv(job);
	else if (job->late_srv)
		job_done(job, job->err ? job->err : ENODATA);
	else
		job_addr(job, job->host, RESOLVER_PORT);
}

static void job_on_addr(struct job *job, const struct dns_answer *a, size_t host_i)
{
	struct srv_host *host = &job->hostv[host_i];

	if (a->err)
		job->err = a->err;
	for (size_t i = 0; i < a->n && !a->err && host->n < SRV_ADDRS_MAX; i++) {
		if (!reach_allowed(&a->sa[i], job->r->config.loopback)) {
			job->refused = true;
			continue;
		}
		host->sav[host->n] = a->sa[i];
		sa_set_port(&host->sav[host->n++], host->port);
	}
}

/* All addresses that can be had are here. */
static void job_on_addrs(struct job *job)
{
	size_t n = 0;

	for (size_t i = 0; i < job->n; i++)
		n += job->hostv[i].n;
	if (n) {
		job_done(job, 0);
	} else if (job->port && !job->late_srv && !job->refused) {
		job->late_srv = true;
		job_naptr(job);
	} else {
		job_done(job, job->refused ? EACCES : job->err ? job->err : ENODATA);
	}
}

static void job_answer(const struct dns_answer *a, void *arg)
{
	struct job_question *q = arg;
	struct job *job = q->job;
	size_t host_i = q->host_i;

	mem_deref(q);
	job->n_open--;
	if (job->told) {
		mem_deref(job);
		return;
	}
	if (!a->err && a->ttl_s < job->ttl_s)
		job->ttl_s = a->ttl_s;
	switch (job->step) {
	case JOB_NAPTR:
		/* Who does not answer this will not answer the rest in time. */
		if (a->err == ETIMEDOUT)
			job_done(job, ETIMEDOUT);
		else
			job_on_naptr(job, a);
		break;
	case JOB_SRV:
		job_on_srv(job, a);
		break;
	case JOB_ADDR:
		job_on_addr(job, a, host_i);
		if (!job->n_open)
			job_on_addrs(job);
		break;
	}
	mem_deref(job);
}

/* ---- asking ---- */

static bool job_is(struct le *le, void *arg)
{
	return !strcmp(((struct job *)le->data)->key, arg);
}

static int job_alloc(struct job **jobp, struct resolver *r, const char *key, const char *host, uint16_t port)
{
	struct job *job = mem_zalloc(sizeof(*job), job_destroy);
	int err;

	if (!job)
		return ENOMEM;
	err = timer_start(r->config.timers, &job->timer, r->config.limit_s * 1000ull, job_timeout, job);
	if (err) {
		mem_deref(job);
		return err;
	}
	job->r = r;
	snprintf(job->key, sizeof(job->key), "%s", key);
	snprintf(job->host, sizeof(job->host), "%s", host);
	job->port = port;
	job->ttl_s = RESOLVER_TTL_MAX_S;
	hash_append(r->jobs, hash_joaat_str(key), &job->he, job);
	r->n_jobs++;
	*jobp = job;
	return 0;
}

int resolver_ask(struct resolve **rp, struct resolver *r, const char *host, uint16_t port, resolve_h *h, void *arg)
{
	char key[ADDR_HOST_MAX + 8];
	struct sa targetv[TARGETS_MAX];
	struct resolve *w;
	struct entry *e;
	struct job *job;
	size_t n;
	int err;

	*rp = NULL;
	snprintf(key, sizeof(key), "%s:%u", host, port);
	e = cache_find(r, key);
	if (e) {
		const char *why = e->why;

		n = why ? 0 : srv_order(targetv, e->hostv, e->n, r->config.random, r->config.arg);
		h(why, targetv, n, arg);
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
	if (job) {
		list_append(&job->waiters, &w->le, w);
		*rp = w;
		return 0;
	}
	err = job_alloc(&job, r, key, host, port);
	if (err) {
		mem_deref(w);
		return err;
	}
	list_append(&job->waiters, &w->le, w);
	*rp = w;
	/* From here on `h` may have run, and rp may be no more. */
	if (port)
		job_addr(job, host, port);
	else
		job_naptr(job);
	return 0;
}
