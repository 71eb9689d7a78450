/* sip/edge/lookup.c - see lookup.h. Edge thread. Called by the resolver; asks through
 * dns_ops. Answers may come at once or later, in any order, and after the end: each open
 * question holds a reference. RFC 3263 §4.1-4.2, RFC 2782, RFC 3403. */
#include "sip/edge/lookup.h"

#include <strings.h>

#include "lib/log.h"
#include "lib/reach.h"

enum {
	LOOKUP_NAPTR_MAX = 3,
	LOOKUP_TTL_MAX_S = 3600,
	LOOKUP_NOTHING_S = 30, /* the name or its records do not exist */
	LOOKUP_TROUBLE_S = 5,  /* servers silent or in trouble: soon asked again */
	LOOKUP_PORT = 5061,
	/* Of the time for all of it, in per cent: NAPTR may take so much, and the SRV records
	 * may have come by then. Who does not answer one question may well answer the next: a
	 * good many servers and boxes on the way know no NAPTR. */
	LOOKUP_NAPTR_UNTIL = 40,
	LOOKUP_SRV_UNTIL = 70,
};

enum lookup_step { LOOKUP_NAPTR, LOOKUP_SRV, LOOKUP_ADDR };

struct lookup {
	struct lookup_config config;
	char host[ADDR_HOST_MAX + 1];
	uint16_t port;
	enum lookup_step step;
	struct timer timer, step_timer;
	uint64_t begin_us;
	uint32_t ttl_s;
	bool over;       /* `h` has run, or nobody wants it any more */
	bool late_srv;   /* the URI's port led to no address: SRV after all */
	unsigned n_open; /* questions whose answers are to come; each holds a reference */
	unsigned round;  /* counts the steps: what was asked in an earlier one is late */
	bool refused;    /* an address was left out as special */
	int err;         /* the last that went wrong with an address */
	int trouble; /* NAPTR or SRV went unanswered: whether there is one is not known */
	char srv_namev[LOOKUP_NAPTR_MAX][DNS_NAME];
	size_t n_srv_names, srv_i;
	size_t n;
	struct srv_host hostv[SRV_HOSTS_MAX];
	lookup_h *h;
	void *arg;
};

struct lookup_question {
	struct lookup *lookup;
	unsigned round;
	size_t host_i; /* DNS_ADDR: whose */
};

/* ---- the end ---- */

static const char *lookup_why(int err)
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

static void lookup_done(struct lookup *l, int err)
{
	struct lookup_result result = {.ttl_s = l->ttl_s, .n = l->n, .hostv = l->hostv};

	if (l->over)
		return;
	l->over = true;
	timer_cancel(&l->timer);
	timer_cancel(&l->step_timer);
	if (err) {
		result.why = lookup_why(err);
		result.n = 0;
		result.ttl_s = err == ETIMEDOUT || err == EIO || err == ENOMEM
				       ? LOOKUP_TROUBLE_S
				       : LOOKUP_NOTHING_S;
	}
	log_debug(NULL, "edge.resolved", "name=%s port=%u n_hosts=%zu ttl_s=%u why=%s",
		  l->host, l->port, result.n, result.ttl_s, LQ(result.why));
	mem_ref(l);
	l->h(&result, l->arg);
	mem_deref(l);
}

static size_t lookup_n_addrs(const struct lookup *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += l->hostv[i].n;
	return n;
}

/* One host's silent server does not take the others' addresses away. */
static void lookup_timeout(void *arg)
{
	struct lookup *l = arg;

	lookup_done(l, l->step == LOOKUP_ADDR && lookup_n_addrs(l) ? 0 : ETIMEDOUT);
}

/* ---- the steps ---- */

static void lookup_answer(const struct dns_answer *a, void *arg);
static void lookup_answered(struct lookup *l, const struct dns_answer *a, size_t host_i);

static void lookup_ask(struct lookup *l, enum dns_kind kind, const char *name,
		       size_t host_i)
{
	struct lookup_question *q = mem_zalloc(sizeof(*q), NULL);

	l->n_open++;
	if (!q) {
		l->n_open--;
		l->err = ENOMEM;
		return;
	}
	q->lookup = mem_ref(l);
	q->round = l->round;
	q->host_i = host_i;
	l->config.ops->ask(l->config.dns, kind, name, lookup_answer, q);
}

static void lookup_step_timeout(void *arg)
{
	struct lookup *l = arg;
	static const struct dns_answer silence = {.err = ETIMEDOUT};

	mem_ref(l);
	lookup_answered(l, &silence, 0);
	mem_deref(l);
}

/* The next step: what is still unanswered is not waited for any more, and this has until
 * `until` per cent of the whole time, shared with `others` that follow. */
static void lookup_step(struct lookup *l, enum lookup_step step, unsigned until,
			size_t others)
{
	uint64_t gone_ms = (timers_now_us(l->config.timers) - l->begin_us) / 1000;
	uint64_t until_ms = l->config.limit_s * 10ull * until;
	uint64_t ms = gone_ms < until_ms ? (until_ms - gone_ms) / (others + 1) : 0;

	l->step = step;
	l->round++;
	l->n_open = 0;
	timer_cancel(&l->step_timer);
	/* The whole time is `timer`'s. */
	if (until < 100 &&
	    timer_start(l->config.timers, &l->step_timer, ms, lookup_step_timeout, l))
		log_err(NULL, "edge.timer", "err=%d", ENOMEM);
}

static void lookup_naptr(struct lookup *l)
{
	lookup_step(l, LOOKUP_NAPTR, l->late_srv ? LOOKUP_SRV_UNTIL : LOOKUP_NAPTR_UNTIL,
		    0);
	lookup_ask(l, DNS_NAPTR, l->host, 0);
}

static void lookup_srv(struct lookup *l)
{
	if (!l->n_srv_names) {
		snprintf(l->srv_namev[0], DNS_NAME, "_sips._tcp.%s", l->host);
		l->n_srv_names = 1;
	}
	lookup_step(l, LOOKUP_SRV, LOOKUP_SRV_UNTIL, l->n_srv_names - 1 - l->srv_i);
	lookup_ask(l, DNS_SRV, l->srv_namev[l->srv_i], 0);
}

static void lookup_addr(struct lookup *l, const char *host, uint16_t port)
{
	lookup_step(l, LOOKUP_ADDR, 100, 0);
	l->n = 1;
	memset(&l->hostv[0], 0, sizeof(l->hostv[0]));
	l->hostv[0].port = port;
	lookup_ask(l, DNS_ADDR, host, 0);
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
	return !strcasecmp(n->service, "SIPS+D2T") && !strcasecmp(n->flags, "s") &&
	       *n->replacement;
}

/* Only TLS over TCP is wanted; what else the domain offers does not matter. */
static void lookup_on_naptr(struct lookup *l, const struct dns_answer *a)
{
	struct dns_naptr v[DNS_RECORDS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < a->n && !a->err; i++)
		if (naptr_is_ours(&a->naptr[i]))
			v[n++] = a->naptr[i];
	qsort(v, n, sizeof(v[0]), naptr_cmp);
	for (size_t i = 0; i < n && l->n_srv_names < LOOKUP_NAPTR_MAX; i++)
		memcpy(l->srv_namev[l->n_srv_names++], v[i].replacement, DNS_NAME);
	lookup_srv(l);
}

static int srv_cmp(const void *a, const void *b)
{
	const struct dns_srv *l = a, *r = b;

	return l->priority < r->priority ? -1 : l->priority > r->priority;
}

static void lookup_on_addrs(struct lookup *l);

/* Why there is no address. That a name does not exist is said of all its records; else what went
 * unanswered may have led to one. */
static int lookup_error(const struct lookup *l)
{
	if (l->refused)
		return EACCES;
	if (l->trouble && l->err != ENOENT)
		return l->trouble;
	return l->err ? l->err : ENODATA;
}

/* An answer may come at once: the last one counts only when all have been asked. */
static void lookup_ask_all(struct lookup *l, const struct dns_srv *v)
{
	l->n_open++;
	for (size_t i = 0; i < l->n; i++)
		lookup_ask(l, DNS_ADDR, v[i].host, i);
	if (!--l->n_open)
		lookup_on_addrs(l);
}

static void lookup_on_srv(struct lookup *l, const struct dns_answer *a)
{
	struct dns_srv v[DNS_RECORDS_MAX];
	char host[ADDR_HOST_MAX + 1];
	size_t n = a->err ? 0 : a->n;

	if (n == 1 && !*a->srv[0].host) {
		lookup_done(l, ECONNREFUSED);
		return;
	}
	if (n)
		memcpy(v, a->srv, n * sizeof(v[0]));
	qsort(v, n, sizeof(v[0]), srv_cmp);
	lookup_step(l, LOOKUP_ADDR, 100, 0);
	l->n = 0;
	for (size_t i = 0; i < n && l->n < SRV_HOSTS_MAX; i++) {
		if (!v[i].port || addr_host_parse(host, v[i].host, strlen(v[i].host)))
			continue;
		memset(&l->hostv[l->n], 0, sizeof(l->hostv[0]));
		l->hostv[l->n].priority = v[i].priority;
		l->hostv[l->n].weight = v[i].weight;
		l->hostv[l->n].port = v[i].port;
		v[l->n++] = v[i];
	}
	if (l->n) {
		lookup_ask_all(l, v);
		return;
	}
	if (++l->srv_i < l->n_srv_names)
		lookup_srv(l);
	else if (l->late_srv)
		lookup_done(l, lookup_error(l));
	else
		lookup_addr(l, l->host, LOOKUP_PORT);
}

static void lookup_on_addr(struct lookup *l, const struct dns_answer *a, size_t host_i)
{
	struct srv_host *host = &l->hostv[host_i];

	if (a->err)
		l->err = a->err;
	for (size_t i = 0; i < a->n && !a->err && host->n < SRV_ADDRS_MAX; i++) {
		if (!reach_allowed(&a->sa[i], l->config.loopback)) {
			l->refused = true;
			continue;
		}
		host->sav[host->n] = a->sa[i];
		sa_set_port(&host->sav[host->n++], host->port);
	}
}

/* All addresses that can be had are here. */
static void lookup_on_addrs(struct lookup *l)
{
	if (lookup_n_addrs(l)) {
		lookup_done(l, 0);
	} else if (l->port && !l->late_srv && !l->refused) {
		l->late_srv = true;
		lookup_naptr(l);
	} else {
		lookup_done(l, lookup_error(l));
	}
}

/* Without NAPTR there may be SRV, without SRV an address (RFC 3263 §4.1-4.2): trouble with one
 * question is remembered, and the next is asked. */
static void lookup_answered(struct lookup *l, const struct dns_answer *a, size_t host_i)
{
	bool is_trouble = a->err && a->err != ENOENT && a->err != ENODATA;

	switch (l->step) {
	case LOOKUP_NAPTR:
		l->trouble = is_trouble ? a->err : l->trouble;
		lookup_on_naptr(l, a);
		break;
	case LOOKUP_SRV:
		l->trouble = is_trouble ? a->err : l->trouble;
		lookup_on_srv(l, a);
		break;
	case LOOKUP_ADDR:
		lookup_on_addr(l, a, host_i);
		if (!l->n_open)
			lookup_on_addrs(l);
		break;
	}
}

static void lookup_answer(const struct dns_answer *a, void *arg)
{
	struct lookup_question *q = arg;
	struct lookup *l = q->lookup;
	size_t host_i = q->host_i;
	bool late = q->round != l->round;

	mem_deref(q);
	if (!l->over && !late) {
		l->n_open--;
		if (!a->err && a->ttl_s < l->ttl_s)
			l->ttl_s = a->ttl_s;
		lookup_answered(l, a, host_i);
	}
	mem_deref(l);
}

/* ---- the door ---- */

static void lookup_destroy(void *p)
{
	struct lookup *l = p;

	timer_cancel(&l->timer);
	timer_cancel(&l->step_timer);
}

int lookup_alloc(struct lookup **lp, const struct lookup_config *config, const char *host,
		 uint16_t port, lookup_h *h, void *arg)
{
	struct lookup *l = mem_zalloc(sizeof(*l), lookup_destroy);
	int err;

	if (!l)
		return ENOMEM;
	l->config = *config;
	snprintf(l->host, sizeof(l->host), "%s", host);
	l->port = port;
	l->ttl_s = LOOKUP_TTL_MAX_S;
	l->begin_us = timers_now_us(config->timers);
	l->h = h;
	l->arg = arg;
	err = timer_start(config->timers, &l->timer, config->limit_s * 1000ull,
			  lookup_timeout, l);
	if (err)
		mem_deref(l);
	else
		*lp = l;
	return err;
}

void lookup_start(struct lookup *l)
{
	mem_ref(l);
	if (l->port)
		lookup_addr(l, l->host, l->port);
	else
		lookup_naptr(l);
	mem_deref(l);
}

void lookup_end(struct lookup **lp)
{
	struct lookup *l = *lp;

	*lp = NULL;
	if (!l)
		return;
	l->over = true;
	timer_cancel(&l->timer);
	timer_cancel(&l->step_timer);
	mem_deref(l);
}
