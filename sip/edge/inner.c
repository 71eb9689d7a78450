/* sip/edge/inner.c - see inner.h: our connection and its successors, those that Sofia
 * dials, congestion. Edge thread. Called by edge.c and the two directions; calls
 * inner_conn.c and libuv. All is loopback and plain; the secret in the messages is what
 * protects it. */
#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/log.h"
#include "sip/edge/inner_internal.h"

static void inner_main_open(struct inner *in);

/* ---- writing ---- */

void inner_congestion(struct inner *in)
{
	size_t waiting = in->main ? inner_conn_waiting(in->main) : 0;
	bool congested = waiting > (in->congested ? INNER_LOW_BYTES : INNER_HIGH_BYTES);

	if (congested == in->congested)
		return;
	in->congested = congested;
	log_warn(NULL, "edge.joint_congested", "now=%d bytes=%zu", congested, waiting);
	in->ops.congested(congested, in->arg);
}

void inner_flush(struct inner *in)
{
	for (struct le *le = in->conns.head, *next; le; le = next) {
		next = le->next;
		inner_conn_flush(le->data);
	}
	inner_congestion(in);
}

/* Moves on from a connection that Sofia has half-closed; it reads the rest. Not more than
 * once in a while: a mute connection still does for writing, since Sofia then answers
 * over connections of its own. */
static void inner_switch(struct inner *in)
{
	struct inner_conn *ic = in->main;
	uint64_t now = timers_now_us(in->timers);

	if (now - in->switched_us < INNER_SWITCH_MS * 1000ull)
		return;
	in->switched_us = now;
	in->main = NULL;
	inner_conn_finish(ic);
}

void inner_send(struct inner *in, const void *p, size_t n)
{
	if (in->main && in->main->mute)
		inner_switch(in);
	if (!in->main && !in->stopped)
		inner_main_open(in);
	if (in->main)
		inner_conn_send(in->main, p, n);
	else
		in->st.n_dropped++;
}

void inner_reply(struct inner *in, uint64_t serial, const void *p, size_t n)
{
	for (struct le *le = in->conns.head; le; le = le->next) {
		struct inner_conn *ic = le->data;

		if (ic->serial == serial && !ic->closing && !ic->ending) {
			inner_conn_send(ic, p, n);
			return;
		}
	}
	inner_send(in, p, n);
}

/* ---- opening ---- */

static void inner_connected(uv_connect_t *req, int status)
{
	struct inner_conn *ic = req->data;

	mem_deref(req);
	if (status && !ic->closing) {
		log_err(NULL, "edge.joint_refused", "port=%u why=%s", ic->in->sofia_port,
			uv_strerror(status));
		ic->in->st.n_dropped++;
		inner_conn_close(ic, false);
	} else if (!status && !ic->closing) {
		(void)inner_conn_listen(ic);
	}
	mem_deref(ic);
}

static void inner_main_open(struct inner *in)
{
	struct sockaddr_in sin = {.sin_family = AF_INET,
				  .sin_port = htons(in->sofia_port)};
	uv_connect_t *req = mem_zalloc(sizeof(*req), NULL);
	struct inner_conn *ic = req ? inner_conn_alloc(in, true) : NULL;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!ic) {
		mem_deref(req);
		return;
	}
	req->data = mem_ref(ic);
	in->main = ic;
	in->st.n_opened++;
	uv_tcp_nodelay(&ic->tcp, 1);
	if (uv_tcp_connect(req, &ic->tcp, (const struct sockaddr *)&sin,
			   inner_connected)) {
		mem_deref(req);
		mem_deref(ic);
		inner_conn_close(ic, false);
	}
}

/* A stranger may hold every place; Sofia must come in all the same. */
static void inner_make_room(struct inner *in)
{
	if (in->n_conns < INNER_CONNS_MAX)
		return;
	for (struct le *le = in->conns.head; le; le = le->next) {
		struct inner_conn *ic = le->data;

		if (!ic->proved && !ic->closing) {
			in->st.n_foreign++;
			inner_conn_close(ic, true);
			return;
		}
	}
}

static void inner_accept(uv_stream_t *listener, int status)
{
	struct inner *in = listener->data;
	struct inner_conn *ic;

	if (status)
		return;
	inner_make_room(in);
	ic = inner_conn_alloc(in, false);
	if (!ic)
		return;
	if (uv_accept(listener, (uv_stream_t *)&ic->tcp)) {
		inner_conn_close(ic, false);
		return;
	}
	uv_tcp_nodelay(&ic->tcp, 1);
	inner_conn_prove(ic);
	(void)inner_conn_listen(ic);
}

static void inner_destroy(void *p)
{
	(void)p;
}

int inner_alloc(struct inner **ip, uv_loop_t *loop, struct timers *timers,
		size_t max_bytes, const struct inner_ops *ops, void *arg)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	int len = sizeof(sin), err;
	struct inner *in = mem_zalloc(sizeof(*in), inner_destroy);

	if (!in)
		return ENOMEM;
	in->loop = loop;
	in->timers = timers;
	in->max_bytes = max_bytes;
	in->ops = *ops;
	in->arg = arg;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	uv_tcp_init(loop, &in->listener);
	in->listener.data = in;
	in->listening = true;
	err = uv_tcp_bind(&in->listener, (const struct sockaddr *)&sin, 0);
	if (!err)
		err = uv_listen((uv_stream_t *)&in->listener, 128, inner_accept);
	if (!err)
		err = uv_tcp_getsockname(&in->listener, (struct sockaddr *)&sin, &len);
	in->port = ntohs(sin.sin_port);
	*ip = in;
	return -err;
}

uint16_t inner_port(const struct inner *in)
{
	return in->port;
}

void inner_set_sofia(struct inner *in, uint16_t port)
{
	in->sofia_port = port;
}

void inner_stop(struct inner *in)
{
	if (in->stopped)
		return;
	in->stopped = true;
	inner_flush(in);
	if (in->listening)
		uv_close((uv_handle_t *)&in->listener, NULL);
	for (struct le *le = in->conns.head; le; le = le->next)
		inner_conn_close(le->data, true);
}

void inner_stats(const struct inner *in, struct inner_stats *st)
{
	*st = in->st;
}
