/* webrtc/http/ws.c - a WebSocket's frames: who may open one, messages put together and judged, what goes out
 * queued, pings.
 *
 * Web thread. Called by callback.c (lws's news) and server.c (what the signalling thread sends); gate.c
 * judges each message, print.c makes the text. RFC 6455; close codes in docs/protocol.md. */
#include "lib/log.h"
#include "webrtc/http/own.h"
#include "webrtc/session/print.h"
#include "webrtc/session/utf8.h"

enum {
	FRAMES_MAX = 256,
	PING_BYTES = 4,
	CLOSE_MS = 3000,
	WS_IN_BYTES = 4096,
	CLOSE_WHY_MAX = 100,
	HEAD_MAX = 10, /* of a frame: RFC 6455 section 5.2 */
	OUT_BYTES =
		16384 /* messages for one browser share a write up to here: a TLS record */
};

/* ---- opening ---- */

static bool header_lists(struct lws *wsi, enum lws_token_indexes token, const char *word,
			 bool any_case)
{
	char value[512];
	int n = lws_hdr_total_length(wsi, token) > 0
			? lws_hdr_copy(wsi, value, sizeof(value), token)
			: -1;

	return n > 0 && rules_list_has(value, strlen(value), word, any_case);
}

static bool header_is(struct lws *wsi, enum lws_token_indexes token, const char *word)
{
	char value[64];
	int n = lws_hdr_total_length(wsi, token) > 0
			? lws_hdr_copy(wsi, value, sizeof(value), token)
			: -1;

	return n > 0 && !strcmp(value, word);
}

static bool key_ok(struct lws *wsi)
{
	char value[64];
	int n = lws_hdr_copy(wsi, value, sizeof(value), WSI_TOKEN_KEY);

	return n > 0 && rules_ws_key(value, (size_t)n);
}

/* A page of another origin, which says that it will show a token that was given to it: hello judges that. Its
 * cookie does not count. */
static bool promises_token(const struct conn *c)
{
	return c->request.origin.text[0] &&
	       header_lists(c->wsi, WSI_TOKEN_PROTOCOL, "sluss.token", false);
}

/* Gives the status to refuse it with, 0 when all is well. */
static unsigned judge(struct conn *c, const char **whyp)
{
	struct http_request *r = &c->request;
	unsigned status = http_request_read(r, whyp, c->wsi, c->server->config, c->tls);

	if (status)
		return status;
	*whyp = "No site of that name is served here.";
	if (!r->site || r->idp)
		return 421;
	*whyp = "There is no WebSocket at this path.";
	if (strcmp(r->path, "/ws") != 0)
		return 404;
	*whyp = "A WebSocket begins with GET and has no body.";
	if (r->method != HTTP_GET || r->length)
		return 400;
	*whyp = "Only version 13 of the WebSocket protocol is spoken.";
	if (!header_is(c->wsi, WSI_TOKEN_VERSION, "13"))
		return 426;
	*whyp = "Connection: Upgrade or Sec-WebSocket-Key is missing.";
	if (!header_lists(c->wsi, WSI_TOKEN_CONNECTION, "upgrade", true) ||
	    !key_ok(c->wsi))
		return 400;
	*whyp = "The subprotocol must be sluss.v1.";
	if (!header_lists(c->wsi, WSI_TOKEN_PROTOCOL, "sluss.v1", false))
		return 400;
	*whyp = "Pages of this origin may not connect.";
	if (!r->origin_allowed && !promises_token(c))
		return 403;
	*whyp = "The site is stopping.";
	return c->server->stopping ? 503 : 0;
}

int ws_confirm(struct conn *c)
{
	const char *why = "";
	unsigned status = judge(c, &why);

	if (!status)
		return 0;
	log_debug(NULL, "web.refused", "conn=%llu status=%u why=%s",
		  (unsigned long long)c->id, status, why);
	/* Written at once, since lws closes after this. */
	c->reply.close = true;
	if (web_conn_step(c, CONN_REQUEST) &&
	    !web_reply_error(c, status, "bad-request", why,
			     status == 426 ? "Sec-WebSocket-Version: 13\r\n" : NULL))
		web_reply_write(c);
	return -1;
}

static void on_ping(void *arg)
{
	struct conn *c = arg;
	struct socket *s = c->socket;

	if (s->want_ping ||
	    !s->heard) { /* the last one is not even out, or nobody answered it */
		log_debug(NULL, "web.dead", "conn=%llu", (unsigned long long)c->id);
		web_conn_step(c, CONN_CLOSE);
		web_conn_kill(c);
		return;
	}
	s->heard = false;
	s->want_ping = true;
	lws_callback_on_writable(c->wsi);
	timer_start(c->server->timers, &s->ping,
		    (uint64_t)c->server->config->limits.ws_ping_s * 1000, on_ping, c);
}

int ws_established(struct conn *c)
{
	const struct limits *limits = &c->server->config->limits;
	struct web_up up = {.kind = WEB_OPENED, .conn = c->id};

	c->socket = mem_zalloc(sizeof(*c->socket), NULL);
	if (!c->socket || !web_conn_step(c, CONN_UPGRADE))
		return -1;
	lws_set_timeout(c->wsi, NO_PENDING_TIMEOUT, 0);
	gate_init(&c->socket->gate, limits, timers_now_us(c->server->timers));
	c->socket->heard = true;
	up.opened.site = c->request.site;
	up.opened.from = c->from;
	up.opened.place = (struct web_place){c->tls, c->request.port};
	if (!c->request.origin_own)
		up.opened.origin = c->request.origin;
	if (c->request.origin_allowed)
		memcpy(up.opened.token, c->request.token, sizeof(up.opened.token));
	if (mailbox_post(c->server->up, &up))
		return -1;
	c->socket->told_open = true;
	return timer_start(c->server->timers, &c->socket->ping,
			   (uint64_t)limits->ws_ping_s * 1000, on_ping, c)
		       ? -1
		       : 0;
}

/* ---- going out ---- */

static void out_destructor(void *arg)
{
	struct out *o = arg;

	list_unlink(&o->le);
	mem_deref(o->mb);
}

void web_socket_free(struct conn *c)
{
	struct socket *s = c->socket;

	if (!s)
		return;
	timer_cancel(&s->ping);
	list_unlink(&c->le_unsent);
	list_flush(&s->queue);
	mem_deref(s->in);
	c->socket = mem_deref(s);
}

static void on_close_late(void *arg)
{
	web_conn_kill(arg);
}

void ws_close(struct conn *c, uint16_t code, const char *why)
{
	struct socket *s = c->socket;

	if (!s || c->over || s->close_code || s->close_sent)
		return;
	s->close_code = code;
	s->close_why = why;
	lws_callback_on_writable(c->wsi);
	timer_start(c->server->timers, &s->ping, CLOSE_MS, on_close_late,
		    c); /* no more pings */
}

static void too_slow(struct conn *c)
{
	struct socket *s = c->socket;
	static struct log_gate gate;

	if (log_gate_open(&gate, 5))
		log_warn(NULL, "web.slow", "conn=%llu queued=%zu: closed",
			 (unsigned long long)c->id, s->queue_bytes);
	list_flush(&s->queue);
	s->queue_bytes = 0;
	ws_close(c, 1013, "does not read");
}

/* The last of the queue where it has room, else a new one. */
static struct mbuf *out_room(struct socket *s, size_t n)
{
	struct out *o = list_ledata(list_tail(&s->queue));

	if (o && o->mb->end + n <= LWS_PRE + OUT_BYTES)
		return o->mb;
	o = mem_zalloc(sizeof(*o), out_destructor);
	if (o)
		o->mb = mbuf_alloc(LWS_PRE + n);
	if (!o || !o->mb)
		return mem_deref(o);
	o->mb->pos = o->mb->end = LWS_PRE;
	list_append(&s->queue, &o->le, o);
	return o->mb;
}

/* A whole text message of a server's: FIN, not masked. Gives the length. */
static size_t frame_head(uint8_t head[HEAD_MAX], size_t n)
{
	unsigned n_len = n < 126 ? 0 : n < 65536 ? 2 : 8;

	head[0] = 0x81;
	head[1] = (uint8_t)(!n_len ? n : n_len == 2 ? 126 : 127);
	for (unsigned i = 0; i < n_len; i++)
		head[2 + i] = (uint8_t)((uint64_t)n >> 8 * (n_len - 1 - i));
	return 2 + n_len;
}

/* Appends it as a frame; on error nothing has changed. */
static int print_frame(struct mbuf *mb, const struct server_msg *m)
{
	size_t at = mb->end, n, n_head;
	uint8_t head[HEAD_MAX];
	int err;

	mb->pos = at;
	err = mbuf_fill(mb, 0, HEAD_MAX);
	if (!err)
		err = server_msg_print(mb, m);
	if (err) {
		mb->pos = mb->end = at;
		return err;
	}
	n = mb->end - at - HEAD_MAX;
	n_head = frame_head(head, n);
	memcpy(mb->buf + at, head, n_head);
	memmove(mb->buf + at + n_head, mb->buf + at + HEAD_MAX, n);
	mb->end = at + n_head + n;
	return 0;
}

static void send_printed(struct conn *c, const struct server_msg *m)
{
	size_t guess = 512 + (m->sdp ? m->sdp->len + m->sdp->len / 8 : 0), was = 0;
	struct socket *s = c->socket;
	struct mbuf *mb = out_room(s, guess);
	int err = ENOMEM;

	if (mb) {
		was = mb->end;
		err = print_frame(mb, m);
	}
	if (err) {
		log_err(m->call[0] ? m->call : NULL, "web.print", "type=%s err=%d",
			server_kind_name(m->kind), err);
		ws_close(c, 1013, "out of memory"); /* it would miss something */
		return;
	}
	s->queue_bytes += mb->end - was;
	if (s->queue_bytes > c->server->config->limits.ws_queue_bytes)
		too_slow(c);
	else if (!c->le_unsent.list)
		list_append(&c->server->unsent, &c->le_unsent, c);
}

void ws_send(struct conn *c, const struct server_msg *m)
{
	struct socket *s = c->socket;

	if (!s || c->over || s->close_code || s->close_sent)
		return;
	send_printed(c, m);
	if (m->kind == SERVER_ERROR &&
	    gate_error(&s->gate, timers_now_us(c->server->timers)))
		ws_close(c, 1008, "too many errors");
}

/* Ours is the first close frame; the other side answers with its own, or the timer ends it. Not by
 * returning -1, as lws would have it: Debian's build closes twice then, and the frame never leaves. */
static int write_close(struct conn *c)
{
	struct socket *s = c->socket;
	uint8_t frame[LWS_PRE + 4 + CLOSE_WHY_MAX], *f = frame + LWS_PRE;
	size_t n = strlen(s->close_why);

	if (n > CLOSE_WHY_MAX)
		n = CLOSE_WHY_MAX;
	f[0] = 0x88; /* FIN, close */
	f[1] = (uint8_t)(2 + n);
	f[2] = (uint8_t)(s->close_code >> 8);
	f[3] = (uint8_t)s->close_code;
	memcpy(f + 4, s->close_why, n);
	s->close_sent = true;
	web_conn_step(c, CONN_CLOSE);
	return lws_write(c->wsi, f, 4 + n, LWS_WRITE_RAW) < (int)(4 + n) ? -1 : 0;
}

/* The head of the queue. What the socket does not take of it, lws keeps, and asks for its turn by itself. */
static int write_out(struct conn *c)
{
	struct socket *s = c->socket;
	struct out *o = list_ledata(list_head(&s->queue));
	int n = (int)(o->mb->end - LWS_PRE);
	bool whole;

	s->queue_bytes -= (size_t)n;
	list_unlink(&o->le);
	whole = !n ||
		lws_write(c->wsi, o->mb->buf + LWS_PRE, (size_t)n, LWS_WRITE_RAW) == n;
	mem_deref(o);
	return whole ? 0 : -1;
}

/* To wait for lws's "writable" would cost two turns of the loop and four changes of what is polled for. */
static void flush_conn(struct conn *c)
{
	struct socket *s = c->socket;

	if (!s || c->over || s->close_sent)
		return;
	while (s->queue.head && !s->want_ping && !lws_partial_buffered(c->wsi)) {
		if (write_out(c)) {
			web_conn_step(c, CONN_CLOSE);
			web_conn_kill(c);
			return;
		}
	}
	if (s->queue.head)
		lws_callback_on_writable(c->wsi);
}

void ws_flush(struct server *s)
{
	while (s->unsent.head) {
		struct conn *c = s->unsent.head->data;

		list_unlink(&c->le_unsent);
		flush_conn(c);
	}
}

int ws_writable(struct conn *c)
{
	struct socket *s = c->socket;

	if (s->close_sent)
		return 0;
	if (s->want_ping && !s->close_code) {
		uint8_t ping[LWS_PRE + PING_BYTES] = {0};

		memcpy(ping + LWS_PRE, "ping", PING_BYTES);
		s->want_ping = false;
		if (lws_write(c->wsi, ping + LWS_PRE, PING_BYTES, LWS_WRITE_PING) <
		    PING_BYTES)
			return -1;
	} else if (s->queue.head) {
		if (write_out(c))
			return -1;
	} else if (s->close_code) {
		return write_close(c);
	}
	if (s->want_ping || s->queue.head || s->close_code)
		lws_callback_on_writable(c->wsi);
	return 0;
}

/* ---- coming in ---- */

static void refuse(struct conn *c, const struct parse_fault *fault)
{
	struct server_msg *m = server_msg_new(SERVER_ERROR);

	if (!m)
		return;
	m->id = fault->id;
	m->error.code = fault->code;
	snprintf(m->error.text, sizeof(m->error.text), "%s", fault->text);
	ws_send(c, m);
	mem_deref(m);
	ws_flush(c->server);
}

static int refuse_frame(struct conn *c, enum lws_close_status code, const char *why)
{
	unsigned char text[CLOSE_WHY_MAX];
	size_t n = strlen(why);

	memcpy(text, why, n < sizeof(text) ? n : sizeof(text));
	lws_close_reason(c->wsi, code, text, n < sizeof(text) ? n : sizeof(text));
	c->socket->close_sent = true; /* lws does, as soon as we return */
	web_conn_step(c, CONN_CLOSE);
	return -1;
}

static int whole_message(struct conn *c, const char *p, size_t n)
{
	struct parse_fault fault = {.id = 0};
	struct web_up up = {.kind = WEB_CLIENT, .conn = c->id};
	int err;

	if (!utf8_valid(p, n))
		return refuse_frame(c, LWS_CLOSE_STATUS_INVALID_PAYLOAD, "not UTF-8");
	err = gate_take(&c->socket->gate, &up.client, &fault, p, n,
			timers_now_us(c->server->timers));
	if (!err && mailbox_post_or_clear(c->server->up, &up)) {
		fault.code = ERROR_LIMIT;
		snprintf(fault.text, sizeof(fault.text),
			 "the site is overloaded; this had no effect");
		err = ENOSPC;
	}
	if (err)
		refuse(c, &fault);
	return 0;
}

/* RFC 6455 §5.5.1, §7.4: what lws would echo although it must not be said. */
static const char *close_fault(const unsigned char *p, size_t n,
			       enum lws_close_status *code)
{
	unsigned said = n >= 2 ? (unsigned)p[0] << 8 | p[1] : 0;

	*code = LWS_CLOSE_STATUS_PROTOCOL_ERR;
	if (n == 1)
		return "a close of one byte";
	if (n && (said < 1000 || (said >= 1004 && said <= 1006) ||
		  (said >= 1015 && said < 3000) || said >= 5000))
		return "not a close code";
	*code = LWS_CLOSE_STATUS_INVALID_PAYLOAD;
	return n > 2 && !utf8_valid((const char *)p + 2, n - 2) ? "not UTF-8" : NULL;
}

int ws_peer_closes(struct conn *c, const unsigned char *p, size_t n)
{
	unsigned code = n >= 2 ? (unsigned)p[0] << 8 | p[1] : 0;
	bool ours_first = c->socket && c->socket->close_sent;
	enum lws_close_status refused;
	const char *fault = close_fault(p, n, &refused);

	if (c->socket && !ours_first && fault)
		return refuse_frame(c, refused, fault);
	if (c->socket) {
		c->socket->close_sent = true;
		if (!ours_first &&
		    (code == WEB_CLOSE_RELOADS || code == LWS_CLOSE_STATUS_GOINGAWAY))
			c->socket->left = WEB_LEFT_RELOADS;
		else if (!ours_first && code == LWS_CLOSE_STATUS_NORMAL)
			c->socket->left = WEB_LEFT_GOODBYE;
	}
	return ours_first ? -1 : 0;
}

void ws_heard(struct conn *c)
{
	if (c->socket)
		c->socket->heard = true;
}

int ws_receive(struct conn *c, const void *p, size_t n)
{
	struct socket *s = c->socket;
	size_t left = lws_remaining_packet_payload(c->wsi), have;
	bool last = lws_is_final_fragment(c->wsi);
	int err;

	ws_heard(c);
	if (s->close_code)
		return 0;
	if (lws_get_reserved_bits(c->wsi)) /* no extension is ever negotiated */
		return refuse_frame(c, LWS_CLOSE_STATUS_PROTOCOL_ERR, "reserved bits");
	if (lws_frame_is_binary(c->wsi))
		return refuse_frame(c, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, "text only");
	if (lws_is_first_fragment(c->wsi)) {
		s->in = mem_deref(s->in);
		s->n_frames = 0;
	}
	have = s->in ? s->in->end : 0;
	if (have + n + left > c->server->config->limits.ws_message_bytes)
		return refuse_frame(c, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, "too long");
	if (!left && ++s->n_frames > FRAMES_MAX)
		return refuse_frame(c, LWS_CLOSE_STATUS_POLICY_VIOLATION,
				    "too many fragments");
	if (last && !s->in) /* all of it at once */
		return whole_message(c, p, n);
	if (!s->in)
		s->in = mbuf_alloc(WS_IN_BYTES);
	if (!s->in || mbuf_write_mem(s->in, p, n))
		return -1;
	if (!last)
		return 0;
	err = whole_message(c, (const char *)s->in->buf, s->in->end);
	s->in = mem_deref(s->in);
	return err;
}
