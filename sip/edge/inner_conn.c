/* sip/edge/inner_conn.c - one connection of the joint: reading, writing, whose it is, its
 * end. Edge thread. Called by inner.c and libuv; calls the framing and the handlers of
 * inner.h. */
#include <inttypes.h>

#include "lib/log.h"
#include "sip/edge/inner_internal.h"

struct inner_write {
	uv_write_t req;
	struct mbuf *mb;
};

/* ---- the end of a connection ---- */

static void inner_conn_destroy(void *p)
{
	struct inner_conn *ic = p;

	timer_cancel(&ic->timer);
	frame_clear(&ic->frame);
	mem_deref(ic->out);
}

static void inner_conn_closed(uv_handle_t *h)
{
	struct inner_conn *ic = h->data;

	list_unlink(&ic->le);
	ic->in->n_conns--;
	mem_deref(ic);
}

void inner_conn_close(struct inner_conn *ic, bool reset)
{
	if (ic->closing)
		return;
	ic->closing = true;
	timer_cancel(&ic->timer);
	if (ic->in->main == ic)
		ic->in->main = NULL;
	if (!reset || uv_tcp_close_reset(&ic->tcp, inner_conn_closed))
		if (!uv_is_closing((uv_handle_t *)&ic->tcp))
			uv_close((uv_handle_t *)&ic->tcp, inner_conn_closed);
}

static void inner_conn_timer(struct inner_conn *ic, uint64_t ms, timer_h *h)
{
	if (timer_start(ic->in->timers, &ic->timer, ms, h, ic))
		log_err(NULL, "edge.timer", "err=%d", ENOMEM);
}

static void inner_conn_quiet(void *arg)
{
	struct inner_conn *ic = arg;

	if (!ic->proved)
		ic->in->st.n_foreign++;
	inner_conn_close(ic, !ic->proved);
}

static void inner_conn_stuck(void *arg)
{
	struct inner_conn *ic = arg;

	log_err(NULL, "edge.joint_stuck", "port=%u", ic->in->sofia_port);
	inner_conn_close(ic, true);
}

static void inner_conn_ended(void *arg)
{
	inner_conn_close(arg, false);
}

/* ---- writing ---- */

size_t inner_conn_waiting(const struct inner_conn *ic)
{
	return uv_stream_get_write_queue_size((const uv_stream_t *)&ic->tcp) +
	       (ic->out ? ic->out->end : 0);
}

static void inner_conn_written(uv_write_t *req, int status)
{
	struct inner_write *w = (struct inner_write *)req;
	struct inner_conn *ic = req->data;

	mem_deref(w->mb);
	mem_deref(w);
	if (ic->closing) {
		/* Whatever it was, it is over. */
	} else if (status < 0) {
		inner_conn_close(ic, true);
	} else if (ic->dialled && !ic->ending) {
		/* Bytes went: what is left gets its time again. */
		if (inner_conn_waiting(ic))
			inner_conn_timer(ic, INNER_STUCK_MS, inner_conn_stuck);
		else
			timer_cancel(&ic->timer);
	}
	inner_congestion(ic->in);
	mem_deref(ic);
}

void inner_conn_flush(struct inner_conn *ic)
{
	struct inner_write *w;
	uv_buf_t buf;
	int n;

	if (!ic->out || !ic->out->end || ic->closing)
		return;
	buf = uv_buf_init((char *)ic->out->buf, (unsigned)ic->out->end);
	n = uv_try_write((uv_stream_t *)&ic->tcp, &buf, 1);
	if (n >= 0 && (size_t)n == ic->out->end) {
		/* The few joint connections keep their buffers, unless a burst has
		 * swollen one. */
		mbuf_rewind(ic->out);
		if (ic->out->size > 262144)
			ic->out = mem_deref(ic->out);
		return;
	}
	n = n == UV_EAGAIN ? 0 : n;
	w = n < 0 ? NULL : mem_zalloc(sizeof(*w), NULL);
	if (!w) {
		inner_conn_close(ic, true);
		return;
	}
	buf.base += n;
	buf.len -= (size_t)n;
	w->mb = ic->out;
	w->req.data = mem_ref(ic);
	ic->out = NULL;
	if (uv_write(&w->req, (uv_stream_t *)&ic->tcp, &buf, 1, inner_conn_written)) {
		mem_deref(w->mb);
		mem_deref(w);
		mem_deref(ic);
		inner_conn_close(ic, true);
	} else if (ic->dialled && !timer_running(&ic->timer)) {
		inner_conn_timer(ic, INNER_STUCK_MS, inner_conn_stuck);
	}
}

void inner_conn_send(struct inner_conn *ic, const void *p, size_t n)
{
	if (!ic->out)
		ic->out = mbuf_alloc(16384);
	if (!ic->out || inner_conn_waiting(ic) + n > INNER_MAX_BYTES ||
	    mbuf_write_mem(ic->out, p, n))
		ic->in->st.n_dropped++;
	else if (ic->out->end >= 262144)
		inner_conn_flush(ic);
}

void inner_conn_finish(struct inner_conn *ic)
{
	ic->ending = true;
	inner_conn_flush(ic);
	if (!ic->closing)
		inner_conn_timer(ic, INNER_END_MS, inner_conn_ended);
}

/* ---- reading ---- */

static void inner_conn_alloc_buffer(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct inner_conn *ic = h->data;

	(void)suggested;
	*buf = uv_buf_init(ic->in->read, sizeof(ic->in->read));
}

static int inner_conn_frame(enum frame_kind kind, const struct message *m, int why,
			    void *arg)
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
			inner_conn_timer(ic, INNER_QUIET_MS, inner_conn_quiet);
	} else {
		ic->in->st.n_foreign++;
		if (!ic->proved)
			return EACCES;
	}
	return ic->closing ? ECONNABORTED : 0;
}

static void inner_conn_on_end(struct inner_conn *ic)
{
	struct inner *in = ic->in;
	uint32_t conn = ic->bad_conn, gen = ic->bad_gen;

	if (!ic->dialled) {
		/* On a connection of its own Sofia has nothing left to say. */
		inner_conn_close(ic, false);
	} else {
		ic->mute = true;
		log_debug(NULL, "edge.joint_mute", "serial=%" PRIu64, ic->serial);
	}
	if (conn)
		in->ops.offended(conn, gen, in->arg);
}

static void inner_conn_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	static struct log_gate gate;
	struct inner_conn *ic = mem_ref(stream->data);
	int err = 0;

	if (n == UV_EOF) {
		inner_conn_on_end(ic);
	} else if (n < 0) {
		inner_conn_close(ic, true);
	} else if (n > 0) {
		err = frame_feed(&ic->frame, &ic->in->room, buf->base, (size_t)n,
				 inner_conn_frame, ic);
	}
	if (err) {
		if (!ic->proved && log_gate_open(&gate, 2))
			log_warn(NULL, "edge.joint_foreign", "serial=%" PRIu64,
				 ic->serial);
		else if (ic->proved && !ic->closing)
			log_err(NULL, "edge.joint_framing", "serial=%" PRIu64 " err=%d",
				ic->serial, err);
		inner_conn_close(ic, true);
	}
	mem_deref(ic);
}

int inner_conn_listen(struct inner_conn *ic)
{
	return uv_read_start((uv_stream_t *)&ic->tcp, inner_conn_alloc_buffer,
			     inner_conn_read);
}

void inner_conn_prove(struct inner_conn *ic)
{
	inner_conn_timer(ic, INNER_PROVE_MS, inner_conn_quiet);
}

struct inner_conn *inner_conn_alloc(struct inner *in, bool dialled)
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
