/* sip/edge/dial.c - see dial.h. Edge thread. Called by the outward direction and by the
 * connections' reports; calls the resolver and conns.h. RFC 3263 §4.3: a target that
 * cannot be connected to is no failure yet. */
#include "sip/edge/dial.h"

#include "lib/log.h"
#include "sip/joint.h"

struct dialler {
	struct timers *timers;
	struct conns *conns;
	struct resolver *resolver;
	struct backoff *backoff;
	const struct config *config;
	struct list trips;
	size_t n;
};

struct trip {
	struct le le;      /* in the dialler's list, which owns it */
	struct le waiting; /* at a connection */
	struct dialler *d;
	const char *site;
	char *domain, *host, *skip;
	bool tls;
	struct mbuf *bytes;
	struct sa targetv[TARGETS_MAX];
	bool donev[TARGETS_MAX];
	size_t n;
	bool tried;       /* some target was really tried */
	uint64_t turn_us; /* since then it is the present target's turn */
	bool over;
	char why[TLS_WHY]; /* of the last failure */
	struct resolve *resolve;
	struct timer timer;
	const struct trip_ops *ops;
	void *arg;
};

static void dialler_destroy(void *p)
{
	struct dialler *d = p;

	while (d->trips.head)
		trip_cancel(d->trips.head->data);
	mem_deref(d->backoff);
}

int dialler_alloc(struct dialler **dp, struct timers *timers, struct conns *conns,
		  struct resolver *resolver, const struct config *config)
{
	struct dialler *d = mem_zalloc(sizeof(*d), dialler_destroy);
	int err;

	if (!d)
		return ENOMEM;
	d->timers = timers;
	d->conns = conns;
	d->resolver = resolver;
	d->config = config;
	err = backoff_alloc(&d->backoff, timers);
	if (err)
		mem_deref(d);
	else
		*dp = d;
	return err;
}

size_t dialler_count(const struct dialler *d)
{
	return d->n;
}

/* ---- the end of a trip ---- */

static void trip_destroy(void *p)
{
	struct trip *t = p;

	timer_cancel(&t->timer);
	list_unlink(&t->waiting);
	mem_deref(t->resolve);
	mem_deref(t->bytes);
	mem_deref(t->arg);
	mem_deref(t->domain);
	mem_deref(t->host);
	mem_deref(t->skip);
}

/* Out of every list; the memory goes with the last reference. */
static void trip_end(struct trip *t)
{
	if (t->over)
		return;
	t->over = true;
	t->d->n--;
	timer_cancel(&t->timer);
	list_unlink(&t->waiting);
	list_unlink(&t->le);
	t->resolve = mem_deref(t->resolve);
	mem_deref(t);
}

void trip_cancel(struct trip *t)
{
	trip_end(t);
}

static void trip_failed(struct trip *t)
{
	mem_ref(t);
	if (!*t->why)
		snprintf(t->why, sizeof(t->why), "all its addresses have been tried");
	trip_end(t);
	t->ops->failed(t->why, t->arg);
	mem_deref(t);
}

static void trip_timeout(void *arg)
{
	struct trip *t = arg;

	if (!*t->why)
		snprintf(t->why, sizeof(t->why), "it could not be connected to in time");
	trip_failed(t);
}

/* ---- targets ---- */

static void trip_target_failed(struct trip *t, const struct sa *target, const char *why)
{
	char text[64];

	snprintf(t->why, sizeof(t->why), "%s", why);
	t->ops->target_failed(sa_text(text, target), why, t->arg);
}

/* Gives the bytes to an open connection. False when it broke at that. */
static bool trip_send(struct trip *t, struct conn *c)
{
	uint64_t spent_us = timers_now_us(t->d->timers) - t->turn_us;

	if (conn_send(c, t->bytes->buf, t->bytes->end))
		return false;
	mem_ref(t);
	trip_end(t);
	t->ops->sent(c, (uint32_t)(spent_us / 1000), t->arg);
	mem_deref(t);
	return true;
}

static struct conn *trip_conn(const struct trip *t, size_t i)
{
	return conns_find_dialled(t->d->conns, t->site, &t->targetv[i], t->tls, t->domain,
				  t->host);
}

static bool trip_skips(struct trip *t, size_t i)
{
	char text[64];

	if (!t->donev[i] && t->skip &&
	    joint_list_has(t->skip, sa_text(text, &t->targetv[i])))
		t->donev[i] = true;
	return t->donev[i];
}

/* The next target that is worth trying; the index, or -1. In a second round those that
 * failed lately, but only if nothing else could be tried at all: a request never fails
 * for the failures of others. */
static int trip_pick(struct trip *t, bool second_round)
{
	char text[64];

	for (size_t i = 0; i < t->n; i++) {
		if (trip_skips(t, i))
			continue;
		if (second_round || trip_conn(t, i) ||
		    !backoff_active(t->d->backoff, t->site, t->domain,
				    sa_text(text, &t->targetv[i])))
			return (int)i;
	}
	return -1;
}

/* A target that failed some minutes ago has its turn again, but a worse one works: this
 * request takes that one, and whether the better one is back is found out without it. */
static struct conn *trip_detour(struct trip *t, size_t i, uint64_t limit_ms)
{
	struct conn *c = NULL, *probe;
	char text[64];

	if (!backoff_known(t->d->backoff, t->site, t->domain,
			   sa_text(text, &t->targetv[i])))
		return NULL;
	for (size_t k = i + 1; k < t->n && !c; k++)
		if (!trip_skips(t, k) && (c = trip_conn(t, k)) && !conn_is_open(c))
			c = NULL;
	if (c && !trip_conn(t, i))
		(void)conns_dial(&probe, t->d->conns, t->site, &t->targetv[i], t->tls,
				 t->domain, t->host, limit_ms);
	return c;
}

/* Tries targets until one is waited for or has taken the bytes, or none is left. */
static void trip_next(struct trip *t)
{
	uint64_t limit_ms = t->d->config->limits.sip_target_s * 1000ull;
	struct conn *c;
	int i, err;

	for (;;) {
		i = trip_pick(t, false);
		if (i < 0 && !t->tried)
			i = trip_pick(t, true);
		if (i < 0) {
			trip_failed(t);
			return;
		}
		t->donev[i] = true;
		t->tried = true;
		t->turn_us = timers_now_us(t->d->timers);
		c = trip_conn(t, (size_t)i);
		if (!c || !conn_is_open(c)) {
			struct conn *other = trip_detour(t, (size_t)i, limit_ms);

			c = other ? other : c;
		}
		if (c && conn_is_open(c)) {
			if (trip_send(t, c))
				return;
			trip_target_failed(t, conn_peer(c), "the connection broke");
			continue;
		}
		err = c ? 0
			: conns_dial(&c, t->d->conns, t->site, &t->targetv[i], t->tls,
				     t->domain, t->host, limit_ms);
		if (!err) {
			list_append(conn_waiters(c), &t->waiting, t);
			return;
		}
		trip_target_failed(t, &t->targetv[i], "too many open connections here");
	}
}

static void trip_resolved(const char *why, const struct sa *v, size_t n, void *arg)
{
	struct trip *t = arg;

	t->resolve = NULL;
	if (why) {
		snprintf(t->why, sizeof(t->why), "%s", why);
		trip_failed(t);
		return;
	}
	t->n = n < TARGETS_MAX ? n : TARGETS_MAX;
	memcpy(t->targetv, v, t->n * sizeof(v[0]));
	trip_next(t);
}

static int trip_copy(char **dst, const char *src)
{
	*dst = src ? base_dup(src, strlen(src)) : NULL;
	return src && !*dst ? ENOMEM : 0;
}

int trip_start(struct trip **tp, struct dialler *d, const struct trip_want *want,
	       struct mbuf *bytes, const struct trip_ops *ops, void *arg)
{
	/* Sofia gives up after 32 s; it shall hear the reason before. */
	uint32_t limit_s = d->config->limits.sip_answer_s > 4
				   ? d->config->limits.sip_answer_s - 2
				   : 2;
	struct trip *t = mem_zalloc(sizeof(*t), trip_destroy);
	int err;

	if (!t)
		return ENOMEM;
	t->d = d;
	t->site = want->site;
	t->tls = want->tls;
	t->ops = ops;
	err = trip_copy(&t->domain, want->domain);
	if (!err)
		err = trip_copy(&t->host, want->host);
	if (!err)
		err = trip_copy(&t->skip, want->skip);
	if (!err)
		err = timer_start(d->timers, &t->timer, limit_s * 1000ull, trip_timeout,
				  t);
	if (err) {
		mem_deref(t);
		return err;
	}
	t->bytes = bytes;
	t->arg = arg;
	list_append(&d->trips, &t->le, t);
	d->n++;
	*tp = t;
	mem_ref(t);
	if (want->name) {
		err = resolver_ask(&t->resolve, d->resolver, want->name, want->port,
				   trip_resolved, t);
		if (err) {
			t->bytes = NULL;
			t->arg = NULL;
			trip_end(t);
		}
	} else {
		t->n = 1;
		t->targetv[0] = want->fixed;
		trip_next(t);
	}
	mem_deref(t);
	return err;
}

/* ---- what connections report ---- */

/* A peer that comes to us is up, whatever our last tries said. */
static void dialler_peer_works(struct dialler *d, struct conn *c)
{
	const char *p = conn_names(c);
	char name[ADDR_HOST_MAX + 1];
	size_t len;

	for (unsigned i = 0; *p && i < 8; i++) {
		len = strcspn(p, "/");
		if (len < sizeof(name)) {
			memcpy(name, p, len);
			name[len] = '\0';
			backoff_works(d->backoff, name, NULL);
		}
		p += len + (p[len] == '/');
	}
}

void dialler_on_open(struct dialler *d, struct conn *c)
{
	struct le *le;

	if (conn_is_dialled(c))
		backoff_works(d->backoff, conn_domain(c), conn_addr(c));
	else if (backoff_count(d->backoff))
		dialler_peer_works(d, c);
	while (conn_is_open(c) && (le = list_head(conn_waiters(c)))) {
		struct trip *t = mem_ref(le->data);

		list_unlink(le);
		if (!trip_send(t, c)) {
			trip_target_failed(t, conn_peer(c), "the connection broke");
			trip_next(t);
		}
		mem_deref(t);
	}
}

void dialler_on_fail(struct dialler *d, struct conn *c)
{
	struct le *le;

	if (!conn_is_dialled(c))
		return;
	backoff_failed(d->backoff, conn_site(c), conn_domain(c), conn_addr(c));
	while ((le = list_head(conn_waiters(c)))) {
		struct trip *t = mem_ref(le->data);

		list_unlink(le);
		trip_target_failed(t, conn_peer(c), conn_why(c));
		trip_next(t);
		mem_deref(t);
	}
}
