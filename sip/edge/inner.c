/* sip/edge/inner.c - see inner.h. Edge thread. Called by edge.c and the two directions; calls libuv and the framing.
 * All is loopback and plain; the secret in the messages is what protects it. */
#include "sip/edge/inner.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/log.h"

enum {
	INNER_READ_BYTES = 65536,
	INNER_CONNS_MAX = 64,
	INNER_PROVE_MS = 10000, /* for a connection to show whose it is */
	INNER_QUIET_MS = 60000, /* one that brought responses only */
	INNER_STUCK_MS =
		5000, /* nothing of what waits was read: Sofia has given this connection up */
	INNER_END_MS =
		5000, /* for Sofia to read the rest of a connection it has half-closed */
	INNER_SWITCH_MS =
		1000, /* at most one new connection in that time, whatever peers do */
	INNER_HIGH_BYTES = 4 << 20,
	INNER_LOW_BYTES = 1 << 20,
	INNER_MAX_BYTES = 64 << 20,
};

struct inner_conn {
	struct le le;
	struct inner *in;
	uv_tcp_t tcp;
	uint64_t serial;
	bool dialled, proved, asked; /* asked: brought a request */
	bool closing;
	bool mute;   /* Sofia will send no more on it */
	bool ending; /* nor shall we */
	uint32_t bad_conn, bad_gen;
	struct mbuf *out;
	struct frame frame;
	struct timer timer;
};

struct inner {
	uv_loop_t *loop;
	struct timers *timers;
	struct inner_ops ops;
	void *arg;
	uv_tcp_t listener;
	bool listening, stopped, congested;
	uint16_t port, sofia_port;
	size_t max_bytes;
	struct list conns;
	unsigned n_conns;
	struct inner_conn *main; /* ours; borrowed from the list */
	uint64_t switched_us;    /* when we last moved on from a mute one */
	uint64_t serial;
	struct inner_stats st;
	struct message room;
	char read[INNER_READ_BYTES];
};

struct inner_write {
	uv_write_t req;
	struct mbuf *mb;
};

static void inner_main_open(struct inner *in);

/* ---- the end of a connection ---- */

static void inner_conn_destroy(void *p)
{
	struct inner_conn *ic = p;

	timer_cancel(&ic->timer);
	frame_clear(&ic->frame);
	mem_deref(ic->out);
}

static void inner_closed(uv_handle_t *h)
{
	struct inner_conn *ic = h->data;

	list_unlink(&ic->le);
	ic->in->n_conns--;
	mem_deref(ic);
}

static void inner_close(struct inner_conn *ic, bool reset)
{
	if (ic->closing)
		return;
	ic->closing = true;
	timer_cancel(&ic->timer);
	if (ic->in->main == ic)
		ic->in->main = NULL;
	if (!reset || uv_tcp_close_reset(&ic->tcp, inner_closed))
		if (!uv_is_closing((uv_handle_t *)&ic->tcp))
			uv_close((uv_handle_t *)&ic->tcp, inner_closed);
}

static void inner_timer(struct inner_conn *ic, uint64_t ms, timer_h *h)
{
	if (timer_start(ic->in->timers, &ic->timer, ms, h, ic))
		log_err(NULL, "edge.timer", "err=%d", ENOMEM);
}

static void inner_quiet(void *arg)
{
	struct inner_conn *ic = arg;

	if (!ic->proved)
		ic->in->st.n_foreign++;
	inner_close(ic, !ic->proved);
}

static void inner_stuck(void *arg)
{
	struct inner_conn *ic = arg;

	log_err(NULL, "edge.joint_stuck", "port=%u", ic->in->sofia_port);
	inner_close(ic, true);
}

static void inner_ended(void *arg)
{
	inner_close(arg, false);
}

/* ---- writing ---- */

static size_t inner_waiting(const struct inner_conn *ic)
{
	return uv_stream_get_write_queue_size((const uv_stream_t *)&ic->tcp) +
	       (ic->out ? ic->out->end : 0);
}

static void inner_congestion(struct inner *in)
{
	size_t waiting = in->main ? inner_waiting(in->main) : 0;
	bool congested = waiting > (in->congested ? INNER_LOW_BYTES : INNER_HIGH_BYTES);

	if (congested == in->congested)
		return;
	in->congested = congested;
	log_warn(NULL, "edge.joint_congested", "now=%d bytes=%zu", congested, waiting);
	in->ops.congested(congested, in->arg);
}

static void inner_written(uv_write_t *req, int status)
{
	struct inner_write *w = (struct inner_write *)req;
	struct inner_conn *ic = req->data;

	mem_deref(w->mb);
	mem_deref(w);
	if (ic->closing) {
		/* Whatever it was, it is over. */
	} else if (status < 0) {
		inner_close(ic, true);
	} else if (ic->dialled && !ic->ending) {
		/* Bytes went: what is left gets its time again. */
		if (inner_waiting(ic))
			inner_timer(ic, INNER_STUCK_MS, inner_stuck);
		else
			timer_cancel(&ic->timer);
	}
	inner_congestion(ic->in);
	mem_deref(ic);
}

static void inner_conn_flush(struct inner_conn *ic)
{
	struct inner_write *w;
	uv_buf_t buf;
	int n;

	if (!ic->out || !ic->out->end || ic->closing)
		return;
	buf = uv_buf_init((char *)ic->out->buf, (unsigned)ic->out->end);
	n = uv_try_write((uv_stream_t *)&ic->tcp, &buf, 1);
	if (n >= 0 && (size_t)n == ic->out->end) {
		/* The few joint connections keep their buffers, unless a burst has swollen one. */
		mbuf_rewind(ic->out);
		if (ic->out->size > 262144)
			ic->out = mem_deref(ic->out);
		return;
	}
	n = n == UV_EAGAIN ? 0 : n;
	w = n < 0 ? NULL : mem_zalloc(sizeof(*w), NULL);
	if (!w) {
		inner_close(ic, true);
		return;
	}
	buf.base += n;
	buf.len -= (size_t)n;
	w->mb = ic->out;
	w->req.data = mem_ref(ic);
	ic->out = NULL;
	if (uv_write(&w->req, (uv_stream_t *)&ic->tcp, &buf, 1, inner_written)) {
		mem_deref(w->mb);
		mem_deref(w);
		mem_deref(ic);
		inner_close(ic, true);
	} else if (ic->dialled && !timer_running(&ic->timer)) {
		inner_timer(ic, INNER_STUCK_MS, inner_stuck);
	}
}

void inner_flush(struct inner *in)
{
	for (struct le *le = in->conns.head, *next; le; le = next) {
		next = le->next;
		inner_conn_flush(le->data);
	}
	inner_congestion(in);
}

static void inner_conn_send(struct inner_conn *ic, const void *p, size_t n)
{
	if (!ic->out)
		ic->out = mbuf_alloc(16384);
	if (!ic->out || inner_waiting(ic) + n > INNER_MAX_BYTES ||
	    mbuf_write_mem(ic->out, p, n))
		ic->in->st.n_dropped++;
	else if (ic->out->end >= 262144)
		inner_conn_flush(ic);
}

/* Moves on from a connection that Sofia has half-closed; it reads the rest. Not more than once in a while: a mute
 * connection still does for writing, since Sofia then answers over connections of its own. */
static void inner_switch(struct inner *in)
{
	struct inner_conn *ic = in->main;
	uint64_t now = timers_now_us(in->timers);

	if (now - in->switched_us < INNER_SWITCH_MS * 1000ull)
		return;
	in->switched_us = now;
	in->main = NULL;
	ic->ending = true;
	inner_conn_flush(ic);
	if (!ic->closing)
		inner_timer(ic, INNER_END_MS, inner_ended);
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

/* ---- reading ---- */

static void inner_alloc_buffer(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct inner_conn *ic = h->data;

	(void)suggested;
	*buf = uv_buf_init(ic->in->read, sizeof(ic->in->read));
}

static int inner_frame(enum frame_kind kind, const struct message *m, int why, void *arg)
{
	struct inner_conn *ic = arg;

	(void)why;
	if (kind == FRAME_PING) {
		inner_conn_send(ic, "\r\n", ic->proved ? 2 : 0);
	} else if (kind == FRAME_MESSAGE && ic->in->ops.message(ic, m, ic->in->arg)) {
		ic->proved = true;
		ic->asked |= m->kind == MESSAGE_REQUEST;
		if (!ic->dialled && ic->asked)
			timer_cancel(&ic->timer);
		else if (!ic->dialled)
			inner_timer(ic, INNER_QUIET_MS, inner_quiet);
	} else {
		ic->in->st.n_foreign++;
		if (!ic->proved)
			return EACCES;
	}
	return ic->closing ? ECONNABORTED : 0;
}

static void inner_on_end(struct inner_conn *ic)
{
	struct inner *in = ic->in;
	uint32_t conn = ic->bad_conn, gen = ic->bad_gen;

	if (!ic->dialled) {
		/* On a connection of its own Sofia has nothing left to say. */
		inner_close(ic, false);
	} else {
		ic->mute = true;
		log_debug(NULL, "edge.joint_mute", "serial=%" PRIu64, ic->serial);
	}
	if (conn)
		in->ops.offended(conn, gen, in->arg);
}

static void inner_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	static struct log_gate gate;
	struct inner_conn *ic = mem_ref(stream->data);
	int err = 0;

	if (n == UV_EOF) {
		inner_on_end(ic);
	} else if (n < 0) {
		inner_close(ic, true);
	} else if (n > 0) {
		err = frame_feed(&ic->frame, &ic->in->room, buf->base, (size_t)n,
				 inner_frame, ic);
	}
	if (err) {
		if (!ic->proved && log_gate_open(&gate, 2))
			log_warn(NULL, "edge.joint_foreign", "serial=%" PRIu64,
				 ic->serial);
		else if (ic->proved && !ic->closing)
			log_err(NULL, "edge.joint_framing", "serial=%" PRIu64 " err=%d",
				ic->serial, err);
		inner_close(ic, true);
	}
	mem_deref(ic);
}

/* ---- opening ---- */

static struct inner_conn *inner_conn_alloc(struct inner *in, bool dialled)
{
	struct inner_conn *ic = mem_zalloc(sizeof(*ic), inner_conn_destroy);

	if (!ic)
		return NULL;
	ic->in = in;
	ic->serial = ++in->serial;
	ic->dialled = ic->proved = dialled;
	frame_init(&ic->frame, in->max_bytes);
	uv_tcp_init(in->loop, &ic->tcp);
	ic->tcp.data = ic;
	list_append(&in->conns, &ic->le, ic);
	in->n_conns++;
	return ic;
}

static void inner_connected(uv_connect_t *req, int status)
{
	struct inner_conn *ic = req->data;

	mem_deref(req);
	if (status && !ic->closing) {
		log_err(NULL, "edge.joint_refused", "port=%u why=%s", ic->in->sofia_port,
			uv_strerror(status));
		ic->in->st.n_dropped++;
		inner_close(ic, false);
	} else if (!status && !ic->closing) {
		uv_read_start((uv_stream_t *)&ic->tcp, inner_alloc_buffer, inner_read);
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
		inner_close(ic, false);
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
			inner_close(ic, true);
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
		inner_close(ic, false);
		return;
	}
	uv_tcp_nodelay(&ic->tcp, 1);
	inner_timer(ic, INNER_PROVE_MS, inner_quiet);
	uv_read_start((uv_stream_t *)&ic->tcp, inner_alloc_buffer, inner_read);
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
		inner_close(le->data, true);
}

void inner_stats(const struct inner *in, struct inner_stats *st)
{
	*st = in->st;
}

uint64_t inner_conn_serial(const struct inner_conn *ic)
{
	return ic->serial;
}

bool inner_conn_proved(const struct inner_conn *ic)
{
	return ic->proved;
}

void inner_conn_note_bad(struct inner_conn *ic, uint32_t conn, uint32_t gen)
{
	ic->bad_conn = conn;
	ic->bad_gen = gen;
}
