/* sip/edge/edge.c - the door of the edge: binding, the thread and its loop, wiring of the
 * parts, stopping. edge_alloc/start/free: signalling thread; edge_post, edge_stats: any;
 * the rest: edge thread. Calls everything in this folder; what happens to messages is in
 * inward.c and outward.c. */
#include "sip/edge/edge.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>

#include "lib/log.h"
#include "sip/edge/room.h"

enum {
	EDGE_ORDERS = 64,
	EDGE_POLL_MS = 2000, /* between looks at the certificate files */
	EDGE_LAST_MS = 1000, /* an orderly end; then everything is cut */
	EDGE_STEP_MS = 20,
	EDGE_INNER_SLACK =
		16384, /* Sofia's messages may be longer than a peer's by our header */
	EDGE_BACKLOG = 1024,
};

/* ---- the loop ---- */

static void edge_alarm(uv_timer_t *alarm)
{
	struct edge *e = alarm->data;

	timers_run(e->timers);
}

static void edge_count(struct edge *e)
{
	struct conns_stats cs;
	struct inner_stats is;

	conns_stats(e->conns, &cs);
	inner_stats(e->inner, &is);
	atomic_store_explicit(&e->stats.n_accepted, cs.n_accepted, memory_order_relaxed);
	atomic_store_explicit(&e->stats.n_dialled, cs.n_dialled, memory_order_relaxed);
	atomic_store_explicit(&e->stats.n_handshake_failed, cs.n_handshake_failed,
			      memory_order_relaxed);
	atomic_store_explicit(&e->stats.n_framing, cs.n_framing, memory_order_relaxed);
	atomic_store_explicit(&e->stats.n_conns, cs.n_conns, memory_order_relaxed);
	atomic_store_explicit(&e->stats.n_in, e->n_in, memory_order_relaxed);
	atomic_store_explicit(&e->stats.n_out, e->n_out, memory_order_relaxed);
	atomic_store_explicit(&e->stats.n_stale, e->n_stale, memory_order_relaxed);
	atomic_store_explicit(&e->stats.n_excess, e->n_excess, memory_order_relaxed);
	atomic_store_explicit(&e->stats.n_dropped_secret, is.n_foreign,
			      memory_order_relaxed);
	atomic_store_explicit(&e->stats.n_pending, (uint32_t)txns_count(e->txns),
			      memory_order_relaxed);
}

/* All that this turn has brought is written in one go, then the alarm is set for the
 * earliest timer. */
static void edge_before_sleep(uv_prepare_t *handle)
{
	struct edge *e = handle->data;
	uint64_t next;

	conns_flush(e->conns);
	inner_flush(e->inner);
	edge_count(e);
	next = timers_next_us(e->timers);
	if (next == UINT64_MAX)
		uv_timer_stop(&e->alarm);
	else
		uv_timer_start(&e->alarm, edge_alarm, (next + 999) / 1000, 0);
}

static void edge_accept(uv_stream_t *listener, int status)
{
	struct edge_listener *l = listener->data;

	if (!status)
		l->owed = conns_accept(l->edge->conns, listener, l->tls);
}

static void edge_poll(void *arg)
{
	struct edge *e = arg;

	tls_poll(e->tls);
	for (size_t i = 0; i < e->config->n_sip; i++)
		if (e->listenv[i].owed && !e->stopping)
			edge_accept((uv_stream_t *)&e->listenv[i].tcp, 0);
	if (timer_start(e->timers, &e->poll, EDGE_POLL_MS, edge_poll, e))
		log_err(NULL, "edge.timer", "err=%d", ENOMEM);
}

/* ---- stopping ---- */

static void edge_close_left(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		log_debug(NULL, "edge.left_open", "type=%s",
			  uv_handle_type_name(uv_handle_get_type(h)));
}

static void edge_finish(void *arg)
{
	struct edge *e = arg;

	conns_stop(e->conns, true);
	inner_stop(e->inner);
	dns_stop(e->dns);
	timer_cancel(&e->poll);
	timer_cancel(&e->last);
	if (!uv_is_closing((uv_handle_t *)&e->before_sleep)) {
		uv_close((uv_handle_t *)&e->before_sleep, NULL);
		uv_close((uv_handle_t *)&e->alarm, NULL);
		uv_close((uv_handle_t *)&e->wake, NULL);
	}
	uv_walk(&e->loop, edge_close_left, NULL);
}

/* Every connection says good-bye; when none is left, or after a while, the rest goes. */
static void edge_wait_for_end(void *arg)
{
	struct edge *e = arg;
	struct conns_stats cs;

	conns_stats(e->conns, &cs);
	e->stop_ms += EDGE_STEP_MS;
	if (!cs.n_conns || e->stop_ms >= EDGE_LAST_MS ||
	    timer_start(e->timers, &e->last, EDGE_STEP_MS, edge_wait_for_end, e))
		edge_finish(e);
}

static void edge_stop(struct edge *e)
{
	if (e->stopping)
		return;
	e->stopping = true;
	log_info(NULL, "edge.stop", "%s", "");
	for (size_t i = 0; i < e->config->n_sip; i++)
		if (e->listenv[i].open)
			uv_close((uv_handle_t *)&e->listenv[i].tcp, NULL);
	conns_stop(e->conns, false);
	edge_wait_for_end(e);
}

static void edge_reload(struct edge *e)
{
	struct edge_event ev = {.kind = EDGE_RELOADED};

	tls_reload(e->tls, ev.why, sizeof(ev.why));
	edge_tell(e, &ev);
}

static void edge_on_order(const void *msg, void *arg)
{
	const struct edge_order *order = msg;

	switch (order->kind) {
	case EDGE_STOP:
		edge_stop(arg);
		break;
	case EDGE_RELOAD:
		edge_reload(arg);
		break;
	case EDGE_RESOLVE:
		trunk_resolve(arg, order);
		break;
	case EDGE_ORDER_N:
		break;
	}
}

static void edge_on_wake(uv_async_t *wake)
{
	struct edge *e = wake->data;

	mailbox_drain(e->orders, 0, edge_on_order, e);
}

static void *edge_run(void *arg)
{
	struct edge *e = arg;
	struct edge_event ev = {.kind = EDGE_STOPPED};
	sigset_t all;

	/* Signals are the signalling thread's; a peer that is gone is an error of
	 * write(). */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	log_thread_name("edge");
	edge_poll(e);
	uv_run(&e->loop, UV_RUN_DEFAULT);
	edge_count(e);
	edge_tell(e, &ev);
	return NULL;
}

/* ---- the door ---- */

static void edge_wake_up(void *arg)
{
	struct edge *e = arg;

	uv_async_send(&e->wake);
}

static int PRINTF_LIKE(3, 4) edge_fault(char **whyp, int err, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (whyp && !*whyp)
		*whyp = base_dup(text, strlen(text));
	return err;
}

static int edge_listen(struct edge *e, char **whyp, size_t i)
{
	const struct listen_config *lc = &e->config->sipv[i];
	struct edge_listener *l = &e->listenv[i];
	struct sockaddr_storage ss;
	int len = sizeof(ss), err;
	char text[64];
	struct sa sa;

	l->edge = e;
	l->tls = lc->transport == TRANSPORT_TLS;
	if (lc->transport == TRANSPORT_UDP)
		return 0;
	uv_tcp_init(&e->loop, &l->tcp);
	l->tcp.data = l;
	l->open = true;
	err = uv_tcp_bind(&l->tcp, &lc->sa.u.sa,
			  sa_af(&lc->sa) == AF_INET6 ? UV_TCP_IPV6ONLY : 0);
	if (!err)
		err = uv_listen((uv_stream_t *)&l->tcp, EDGE_BACKLOG, edge_accept);
	if (!err)
		err = uv_tcp_getsockname(&l->tcp, (struct sockaddr *)&ss, &len);
	if (err)
		return edge_fault(whyp, -err, "sip: %s cannot be listened on: %s",
				  sa_text(text, &lc->sa), uv_strerror(err));
	sa_set_sa(&sa, (struct sockaddr *)&ss);
	l->port = sa_port(&sa);
	log_info(NULL, "sip.listen", "address=%s transport=%s", sa_text(text, &sa),
		 l->tls ? "tls" : "tcp");
	return 0;
}

static int edge_parts(struct edge *e)
{
	struct resolver_config rc = {
		.lookup = {.timers = e->timers,
			   .ops = &dns_ops,
			   .dns = e->dns,
			   .limit_s = e->config->limits.dns_s,
			   .loopback = e->config->sip_loopback},
	};
	int err = conns_alloc(&e->conns, &e->loop, e->timers, e->tls, e->config,
			      &edge_conn_ops, e);

	if (!err)
		err = resolver_alloc(&e->resolver, &rc);
	if (!err)
		err = dialler_alloc(&e->dialler, e->timers, e->conns, e->resolver,
				    e->config);
	if (!err)
		err = txns_alloc(&e->txns, e->timers, outward_txn_timeout, e);
	if (!err)
		err = mark_alloc(&e->mark);
	if (!err)
		err = census_alloc(&e->census, edge_on_census, e);
	if (!err)
		err = allowance_alloc(&e->strangers, e->timers,
				      e->config->limits.sip_unproved_rate);
	if (!err)
		err = allowance_alloc(&e->their_acks, e->timers,
				      e->config->limits.sip_unproved_rate);
	return err;
}

static int edge_loop(struct edge *e)
{
	int err = uv_loop_init(&e->loop);

	if (err)
		return -err;
	e->loop_up = true;
	uv_async_init(&e->loop, &e->wake, edge_on_wake);
	uv_prepare_init(&e->loop, &e->before_sleep);
	uv_prepare_start(&e->before_sleep, edge_before_sleep);
	uv_timer_init(&e->loop, &e->alarm);
	e->wake.data = e->before_sleep.data = e->alarm.data = e;
	err = timers_alloc(&e->timers, NULL, NULL, NULL);
	if (!err)
		err = mailbox_alloc(&e->orders, "edge", sizeof(struct edge_order),
				    EDGE_ORDERS, NULL, edge_wake_up, e);
	return err;
}

int edge_alloc(struct edge **ep, char **whyp, const struct config *config,
	       const char *secret, struct mailbox *to_sig)
{
	struct edge *e = mem_zalloc(sizeof(*e), NULL);
	int err = ENOMEM;

	if (whyp)
		*whyp = NULL;
	if (!e)
		return edge_fault(whyp, ENOMEM, "out of memory");
	e->config = config;
	e->to_sig = to_sig;
	snprintf(e->secret, sizeof(e->secret), "%s", secret);
	e->room = mbuf_alloc(8192);
	e->listenv = mem_zalloc((config->n_sip + 1) * sizeof(*e->listenv), NULL);
	if (e->room && e->listenv)
		err = edge_loop(e);
	if (!err)
		err = tls_alloc(&e->tls, whyp, config);
	if (!err) {
		err = dns_alloc(&e->dns, &e->loop, e->timers, config->sip_dnsv);
		if (err)
			edge_fault(whyp, err, "sip: the DNS servers cannot be used: %s",
				   strerror(err));
	}
	if (!err)
		err = edge_parts(e);
	for (size_t i = 0; i < config->n_sip && !err; i++)
		err = edge_listen(e, whyp, i);
	if (!err)
		err = inner_alloc(&e->inner, &e->loop, e->timers,
				  config->limits.sip_message_bytes + EDGE_INNER_SLACK,
				  &edge_inner_ops, e);
	if (err) {
		edge_fault(whyp, err, "sip: the edge cannot start: %s", strerror(err));
		edge_free(&e);
		return err;
	}
	*ep = e;
	return 0;
}

uint16_t edge_inner_port(const struct edge *e)
{
	return inner_port(e->inner);
}

uint16_t edge_outer_port(const struct edge *e, size_t i)
{
	return i < e->config->n_sip ? e->listenv[i].port : 0;
}

uint16_t edge_port_of(const struct edge *e, bool tls)
{
	for (size_t i = 0; i < e->config->n_sip; i++)
		if (e->listenv[i].open && e->listenv[i].tls == tls)
			return e->listenv[i].port;
	return 0;
}

int edge_start(struct edge *e, uint16_t sofia_port)
{
	int err;

	inner_set_sofia(e->inner, sofia_port);
	tls_listen(e->tls, edge_on_cert, e);
	err = pthread_create(&e->thread, NULL, edge_run, e);
	e->started = !err;
	return err;
}

int edge_post(struct edge *e, const struct edge_order *order)
{
	return mailbox_post(e->orders, order);
}

/* Never started: the loop has handles but no thread. Closes them here. */
static void edge_close_handle(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

void edge_free(struct edge **ep)
{
	struct edge *e = *ep;

	if (!e)
		return;
	*ep = NULL;
	if (e->started)
		pthread_join(e->thread, NULL);
	list_flush(&e->askings);
	e->dialler = mem_deref(e->dialler);
	if (e->dns)
		dns_stop(e->dns);
	if (e->loop_up) {
		if (!e->started)
			uv_walk(&e->loop, edge_close_handle, NULL);
		uv_run(&e->loop, UV_RUN_DEFAULT);
		uv_loop_close(&e->loop);
	}
	mem_deref(e->txns);
	mem_deref(e->resolver);
	mem_deref(e->dns);
	mem_deref(e->inner);
	mem_deref(e->conns);
	mem_deref(e->strangers);
	mem_deref(e->their_acks);
	mem_deref(e->census);
	mem_deref(e->mark);
	mem_deref(e->tls);
	mem_deref(e->timers);
	mailbox_free(&e->orders);
	mem_deref(e->listenv);
	mem_deref(e->room);
	mem_deref(e);
}

void edge_stats(const struct edge *e, struct edge_stats *stats)
{
	*stats = (struct edge_stats){
		.n_accepted =
			atomic_load_explicit(&e->stats.n_accepted, memory_order_relaxed),
		.n_dialled =
			atomic_load_explicit(&e->stats.n_dialled, memory_order_relaxed),
		.n_handshake_failed = atomic_load_explicit(&e->stats.n_handshake_failed,
							   memory_order_relaxed),
		.n_in = atomic_load_explicit(&e->stats.n_in, memory_order_relaxed),
		.n_out = atomic_load_explicit(&e->stats.n_out, memory_order_relaxed),
		.n_dropped_secret = atomic_load_explicit(&e->stats.n_dropped_secret,
							 memory_order_relaxed),
		.n_framing =
			atomic_load_explicit(&e->stats.n_framing, memory_order_relaxed),
		.n_stale = atomic_load_explicit(&e->stats.n_stale, memory_order_relaxed),
		.n_excess =
			atomic_load_explicit(&e->stats.n_excess, memory_order_relaxed),
		.n_conns = atomic_load_explicit(&e->stats.n_conns, memory_order_relaxed),
		.n_pending =
			atomic_load_explicit(&e->stats.n_pending, memory_order_relaxed),
	};
}
