/* sip/edge/conn.c - one outer connection: what happens at each step of conn_fsm.h,
 * reading, writing, time. Edge thread. Called by conns.c and by libuv; calls conn_tls.c,
 * the framing and the handlers of conn.h. */
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "lib/log.h"
#include "sip/edge/conn_internal.h"
#include "sip/joint.h"

struct conn_write {
	uv_write_t req;
	struct mbuf *mb;
};

const char *sa_text(char buf[64], const struct sa *sa)
{
	char addr[48];

	if (sa_ntop(sa, addr, sizeof(addr)))
		snprintf(buf, 64, "unknown");
	else
		snprintf(buf, 64, sa_af(sa) == AF_INET6 ? "[%s]:%u" : "%s:%u", addr,
			 sa_port(sa));
	return buf;
}

/* ---- writing ---- */

struct mbuf *conn_out(struct conn *c)
{
	if (!c->out) {
		c->out = c->cs->spare;
		c->cs->spare = NULL;
	}
	if (!c->out)
		c->out = mbuf_alloc(4096);
	return c->out;
}

static void conn_out_done(struct conn *c)
{
	struct mbuf *mb = c->out;

	c->out = NULL;
	/* Empty buffers are not kept with each connection, one is kept for all. */
	if (!c->cs->spare && mb->size <= 65536) {
		mbuf_rewind(mb);
		c->cs->spare = mb;
	} else {
		mem_deref(mb);
	}
}

void conn_dirty(struct conn *c)
{
	if (!c->le_dirty.list)
		list_append(&c->cs->dirty, &c->le_dirty, c);
}

static void conn_written(uv_write_t *req, int status)
{
	struct conn_write *w = (struct conn_write *)req;
	struct conn *c = req->data;

	mem_deref(w->mb);
	mem_deref(w);
	if (status < 0 && status != UV_ECANCELED)
		conn_event(c, CONN_FAULT, "the connection broke");
	mem_deref(c);
}

/* What the socket does not take now waits in libuv's queue. */
static int conn_queue(struct conn *c, size_t from)
{
	struct conn_write *w = mem_zalloc(sizeof(*w), NULL);
	uv_buf_t buf;
	int err;

	if (!w)
		return UV_ENOMEM;
	w->mb = c->out;
	buf = uv_buf_init((char *)c->out->buf + from, (unsigned)(c->out->end - from));
	w->req.data = mem_ref(c);
	c->out = NULL;
	err = uv_write(&w->req, (uv_stream_t *)&c->tcp, &buf, 1, conn_written);
	if (err) {
		mem_deref(w->mb);
		mem_deref(w);
		mem_deref(c);
	}
	return err;
}

void conn_flush(struct conn *c)
{
	size_t max = 4u * c->cs->config->limits.sip_message_bytes + 65536u;
	uv_buf_t buf;
	int n;

	list_unlink(&c->le_dirty);
	if (!c->out || c->state == CONN_CLOSED)
		return;
	buf = uv_buf_init((char *)c->out->buf, (unsigned)c->out->end);
	n = uv_try_write((uv_stream_t *)&c->tcp, &buf, 1);
	if (n >= 0 && (size_t)n == c->out->end) {
		conn_out_done(c);
		return;
	}
	if (n == UV_EAGAIN)
		n = 0;
	if (n >= 0 && uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp) +
				      c->out->end - (size_t)n >
			      max)
		conn_event(c, CONN_FAULT, "it does not read what it is sent");
	else if (n < 0 || conn_queue(c, (size_t)n))
		conn_event(c, CONN_FAULT, "the connection broke");
}

int conn_send(struct conn *c, const void *p, size_t n)
{
	struct mbuf *out;
	int err;

	if (c->state != CONN_OPEN)
		return ENOTCONN;
	c->message_us = c->traffic_us = timers_now_us(c->cs->timers);
	if (c->tls) {
		err = conn_tls_send(c, p, n);
	} else {
		out = conn_out(c);
		err = out ? mbuf_write_mem(out, p, n) : ENOMEM;
		conn_dirty(c);
	}
	if (err)
		conn_event(c, CONN_FAULT, "the connection broke");
	else if (c->out && c->out->end >= 262144)
		conn_flush(c);
	return c->state == CONN_OPEN ? 0 : ENOBUFS;
}

/* ---- time ---- */

static void conn_timeout(void *arg);

static void conn_timer(struct conn *c, uint64_t ms)
{
	if (timer_start(c->cs->timers, &c->timer, ms, conn_timeout, c))
		log_err(NULL, "edge.timer", "err=%d", ENOMEM);
}

static uint64_t conn_left_ms(uint64_t since_us, uint64_t limit_ms, uint64_t now_us)
{
	uint64_t gone = (now_us - since_us) / 1000;

	return gone >= limit_ms ? 0 : limit_ms - gone;
}

/* An open connection: what is due now, and when to look again. */
static void conn_watch(struct conn *c)
{
	uint64_t now = timers_now_us(c->cs->timers),
		 idle_ms = c->cs->config->limits.sip_idle_s * 1000ull;
	uint64_t left, next;

	if (!list_isempty(&c->pending))
		c->message_us = now;
	if (c->partial_us && !conn_left_ms(c->partial_us, CONN_PARTIAL_MS, now)) {
		conn_event(c, CONN_TIMEOUT, "a message did not end");
		return;
	}
	next = conn_left_ms(c->message_us, idle_ms, now);
	if (!next) {
		conn_event(c, CONN_TIMEOUT, "idle");
		return;
	}
	if (c->partial_us) {
		left = conn_left_ms(c->partial_us, CONN_PARTIAL_MS, now);
		next = left < next ? left : next;
	}
	if (c->dialled) {
		left = conn_left_ms(c->traffic_us, CONN_PING_MS, now);
		if (!left) {
			uint64_t message_us = c->message_us;

			if (conn_send(c, "\r\n\r\n", 4))
				return;
			c->message_us = message_us;
			left = CONN_PING_MS;
		}
		next = left < next ? left : next;
	}
	conn_timer(c, next + 1);
}

static void conn_timeout(void *arg)
{
	struct conn *c = mem_ref(arg);

	switch (c->state) {
	case CONN_OPEN:
		conn_watch(c);
		break;
	case CONN_CONNECTING:
		conn_event(c, CONN_TIMEOUT,
			   *c->why ? c->why : "the connection timed out");
		break;
	default:
		conn_event(c, CONN_TIMEOUT, "the TLS handshake timed out");
	}
	mem_deref(c);
}

/* ---- reading ---- */

static int conn_frame(enum frame_kind kind, const struct message *m, int why, void *arg)
{
	struct conn *c = arg;
	uint64_t message_us = c->message_us;

	switch (kind) {
	case FRAME_PING:
		(void)conn_send(c, "\r\n", 2);
		c->message_us = message_us;
		break;
	case FRAME_BROKEN:
		c->cs->ops.broken(c, m, why, c->cs->arg);
		break;
	case FRAME_MESSAGE:
		c->message_us = timers_now_us(c->cs->timers);
		c->cs->ops.message(c, m, c->cs->arg);
		break;
	}
	return c->state == CONN_OPEN ? 0 : ECONNABORTED;
}

int conn_take(struct conn *c, const char *p, size_t n)
{
	static struct log_gate gate;
	int err = frame_feed(&c->frame, &c->cs->room, p, n, conn_frame, c);

	if (c->state != CONN_OPEN)
		return ECONNABORTED;
	if (err) {
		c->cs->st.n_framing++;
		if (log_gate_open(&gate, 5))
			log_warn(NULL, "edge.framing",
				 "conn=%" PRIu32 ".%" PRIu32 " addr=%s why=%s", c->id,
				 c->gen, c->addr,
				 err == EMSGSIZE ? "too large"
				 : err == E2BIG  ? "too many headers"
						 : "no proper message");
		conn_event(c, CONN_CLOSE, "its messages cannot be told apart");
	} else if (!frame_partial(&c->frame)) {
		c->partial_us = 0;
	} else if (!c->partial_us) {
		c->partial_us = timers_now_us(c->cs->timers);
		conn_timer(c, CONN_PARTIAL_MS);
	}
	return err;
}

static void conn_alloc_buffer(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct conn *c = h->data;

	(void)suggested;
	/* One buffer for all: libuv reads at once, and nothing is left in it. */
	*buf = uv_buf_init(c->cs->read, sizeof(c->cs->read));
}

static void conn_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct conn *c = mem_ref(stream->data);

	if (n == UV_EOF) {
		char why[TLS_WHY];

		c->peer_ended = true;
		tls_why(why, &c->side, c->state == CONN_HANDSHAKE, true);
		conn_event(c, CONN_PEER_END, why);
	} else if (n < 0) {
		conn_event(c, CONN_FAULT,
			   c->state == CONN_HANDSHAKE
				   ? "it reset the connection during the TLS handshake"
				   : "it reset the connection");
	} else if (n > 0 && c->tls && c->state != CONN_CLOSING) {
		conn_tls_read(c, buf->base, (size_t)n);
	} else if (n > 0 && c->state == CONN_OPEN) {
		(void)conn_take(c, buf->base, (size_t)n);
	}
	if (c->cs->pausing && c->state == CONN_OPEN && !c->le_paused.list) {
		uv_read_stop((uv_stream_t *)&c->tcp);
		list_append(&c->cs->paused, &c->le_paused, c);
	}
	mem_deref(c);
}

void conn_resume(struct conn *c)
{
	if (c->state != CONN_CLOSED)
		uv_read_start((uv_stream_t *)&c->tcp, conn_alloc_buffer, conn_read);
}

/* ---- the steps ---- */

static void conn_closed(uv_handle_t *h)
{
	struct conn *c = h->data;

	conns_released(c);
	mem_deref(c);
}

static void conn_shut(uv_shutdown_t *req, int status)
{
	struct conn *c = req->data;

	mem_deref(req);
	if (status < 0 && status != UV_ECANCELED)
		conn_event(c, CONN_FAULT, NULL);
	else if (c->peer_ended)
		conn_event(c, CONN_PEER_END, NULL);
	mem_deref(c);
}

static void conn_do_shut(struct conn *c)
{
	uv_shutdown_t *req;

	frame_clear(&c->frame);
	if (c->tls)
		conn_tls_shut(c);
	conn_flush(c);
	if (c->state != CONN_CLOSING)
		return;
	conn_timer(c, CONN_LINGER_MS);
	req = mem_zalloc(sizeof(*req), NULL);
	if (!req)
		return;
	req->data = mem_ref(c);
	if (uv_shutdown(req, (uv_stream_t *)&c->tcp, conn_shut)) {
		mem_deref(req);
		mem_deref(c);
		conn_event(c, CONN_FAULT, NULL);
	} else if (c->le_paused.list) {
		/* The peer's end must be seen. */
		list_unlink(&c->le_paused);
		conn_resume(c);
	}
}

static void conn_do_secure(struct conn *c)
{
	int err = 0;

	uv_tcp_nodelay(&c->tcp, 1);
	uv_read_start((uv_stream_t *)&c->tcp, conn_alloc_buffer, conn_read);
	if (c->tls)
		err = conn_tls_start(c);
	else
		conn_event(c, CONN_SECURED, NULL);
	if (err)
		conn_event(c, CONN_FAULT, "out of memory");
}

static void conn_do_open(struct conn *c)
{
	c->message_us = c->traffic_us = timers_now_us(c->cs->timers);
	if (c->dialled && !c->proved)
		c->proved = c->domain;
	conns_opened(c);
	conn_watch(c);
	c->cs->ops.open(c, c->cs->arg);
}

void conn_event(struct conn *c, enum conn_event event, const char *why)
{
	struct conn_step step = conn_fsm(c->state, event);
	enum conn_state from = c->state;

	mem_ref(c);
	if (why && why != c->why && !*c->why)
		snprintf(c->why, sizeof(c->why), "%s", why);
	c->state = step.next;
	if (from != step.next)
		log_debug(NULL, "edge.conn",
			  "conn=%" PRIu32 ".%" PRIu32 " addr=%s %s -> %s on %s why=%s",
			  c->id, c->gen, c->addr, conn_state_name(from),
			  conn_state_name(step.next), conn_event_name(event), LQ(c->why));
	if (step.actions & (CONN_DO_FAIL | CONN_DO_LOST | CONN_DO_SHUT | CONN_DO_RELEASE))
		conns_not_usable(c);
	if (step.actions & CONN_DO_SECURE)
		conn_do_secure(c);
	if (step.actions & CONN_DO_OPEN)
		conn_do_open(c);
	if (step.actions & CONN_DO_FAIL) {
		c->cs->st.n_handshake_failed += from == CONN_HANDSHAKE;
		c->cs->ops.fail(c, c->cs->arg);
	}
	if (step.actions & CONN_DO_LOST)
		c->cs->ops.lost(c, c->cs->arg);
	if (step.actions & CONN_DO_SHUT)
		conn_do_shut(c);
	if (step.actions & CONN_DO_RELEASE) {
		timer_cancel(&c->timer);
		uv_close((uv_handle_t *)&c->tcp, conn_closed);
	}
	mem_deref(c);
}

void conn_begin(struct conn *c, uint64_t limit_ms)
{
	conn_timer(c, limit_ms);
}

void conn_started(struct conn *c)
{
	unsigned ms = CONN_WRITE_MS;
	int one = 1, fd;

	if (!uv_fileno((uv_handle_t *)&c->tcp, &fd)) {
		setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	}
	conn_event(c, CONN_CONNECTED, NULL);
}

void conn_close(struct conn *c, const char *why)
{
	conn_event(c, CONN_CLOSE, why);
}
