/* webrtc/http/reply.c - answers of the HTTP side: status line, the headers every answer has, the body.
 *
 * Web thread. Called by static.c, api.c, ws.c, callback.c; writes through lws a piece at a time, so that a
 * slow reader costs one piece and not the file. */
#include "lib/log.h"
#include "webrtc/http/own.h"
#include "webrtc/session/print.h"

#include <time.h>

enum { PIECE_BYTES = 16384 };

static const char *status_words(unsigned status)
{
	static const struct {
		unsigned status;
		const char *words;
	} table[] = {
		{200, "OK"},
		{201, "Created"},
		{204, "No Content"},
		{302, "Found"},
		{304, "Not Modified"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{409, "Conflict"},
		{411, "Length Required"},
		{413, "Content Too Large"},
		{414, "URI Too Long"},
		{415, "Unsupported Media Type"},
		{421, "Misdirected Request"},
		{426, "Upgrade Required"},
		{429, "Too Many Requests"},
		{503, "Service Unavailable"},
	};

	for (size_t i = 0; i < N_ELEMS(table); i++)
		if (table[i].status == status)
			return table[i].words;
	return "Error";
}

/* The identity provider's pages: nobody shows them in a frame but the one that is made for it. The page that has
 * opened the window to sign in is told when it is done, so they must know of each other. */
static int put_security_idp(struct mbuf *mb, const struct conn *c)
{
	const char *path = c->request.path;
	bool frame = !strcmp(path, IDP_PROXY_PATH) || !strcmp(path, "/idp/shim.html");

	return mbuf_printf(
		mb,
		"Content-Security-Policy: default-src 'none'; script-src 'self'; worker-src 'self'; "
		"connect-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'none'; "
		"base-uri 'none'%s\r\n"
		"X-Content-Type-Options: nosniff\r\n"
		"Referrer-Policy: no-referrer\r\n"
		"Permissions-Policy: microphone=(), camera=(), display-capture=()\r\n"
		"Cross-Origin-Opener-Policy: unsafe-none\r\n"
		"%s%s",
		frame ? "" : "; frame-ancestors 'none'",
		c->request.shared ? "Access-Control-Allow-Origin: *\r\n" : "",
		c->tls ? "Strict-Transport-Security: max-age=31536000\r\n" : "");
}

/* What a page of this site may do, whichever answer it came with. No script or style but from files; frames are those of
 * identity providers, whose windows must know who has opened them; pictures of people are where they have put them. Firefox runs a provider's script in a realm of its own,
 * and only when this page would be allowed to load it (decision 33). */
static int put_security(struct mbuf *mb, const struct conn *c)
{
	const char *own = c->request.own, *socket = "";
	char ws[RULES_ORIGIN_MAX + 2] = "";

	if (c->request.idp)
		return put_security_idp(mb, c);
	if (own[0]) {
		snprintf(ws, sizeof(ws), " ws%s",
			 own + strlen("http")); /* http: -> ws:, https: -> wss: */
		socket = ws;
	}
	return mbuf_printf(
		mb,
		"Content-Security-Policy: default-src 'none'; script-src 'self' https://*:*/.well-known/idp-proxy/; "
		"style-src 'self'; connect-src 'self'%s; img-src 'self' data: https:; media-src 'self' blob:; frame-src %s; "
		"manifest-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'\r\n"
		"X-Content-Type-Options: nosniff\r\n"
		"Referrer-Policy: no-referrer\r\n"
		"Permissions-Policy: microphone=(self), camera=(self), display-capture=(self)\r\n"
		"Cross-Origin-Opener-Policy: %s\r\n"
		"%s%s",
		socket, c->tls ? "https:" : "https: http://*.localhost:*",
		/* the pop-up must know who has opened it */
		strcmp(c->request.path, "/connect") ? "same-origin-allow-popups"
						    : "unsafe-none",
		c->request.shared ? "Access-Control-Allow-Origin: *\r\n"
				    "Access-Control-Expose-Headers: Retry-After\r\n"
				  : "",
		c->tls ? "Strict-Transport-Security: max-age=31536000\r\n" : "");
}

static int put_date(struct mbuf *mb)
{
	time_t now = time(NULL);
	struct tm tm;
	char date[40];

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
	return mbuf_write_str(mb, date);
}

static int put_head(struct mbuf *mb, const struct conn *c, unsigned status,
		    const char *type, size_t length, const char *extra)
{
	int err = mbuf_printf(mb, "HTTP/1.1 %u %s\r\n", status, status_words(status));

	err |= put_date(mb);
	if (type)
		err |= mbuf_printf(mb, "Content-Type: %s\r\n", type);
	if (status != 204 && status != 304)
		err |= mbuf_printf(mb, "Content-Length: %zu\r\n", length);
	if (!extra || !strstr(extra, "Cache-Control:"))
		err |= mbuf_write_str(mb, "Cache-Control: no-store\r\n");
	if (c->reply.close)
		err |= mbuf_write_str(mb, "Connection: close\r\n");
	err |= put_security(mb, c);
	if (extra)
		err |= mbuf_write_str(mb, extra);
	return err | mbuf_write_str(mb, "\r\n");
}

void web_reply_reset(struct reply *r)
{
	r->head = mem_deref(r->head);
	r->body = mem_deref(r->body);
	memset(r, 0, sizeof(*r));
}

int web_reply_start(struct conn *c, unsigned status, const char *type, struct mbuf *body,
		    const char *extra)
{
	bool close = c->reply.close;
	struct mbuf *mb = mbuf_alloc(LWS_PRE + 2048);

	if (!mb)
		return -1;
	web_reply_reset(&c->reply);
	c->reply.close = close;
	c->reply.head = mb;
	mb->pos = mb->end = LWS_PRE;
	if (put_head(mb, c, status, type, body ? body->end : 0, extra))
		return -1;
	if (body && c->request.method != HTTP_HEAD)
		c->reply.body = mem_ref(body);
	if (!web_conn_step(c, CONN_REPLY))
		return -1;
	lws_callback_on_writable(c->wsi);
	return 0;
}

int web_reply_error(struct conn *c, unsigned status, const char *error, const char *text,
		    const char *extra)
{
	struct api_reply *r = api_reply_new(status);
	struct mbuf *mb = mbuf_alloc(256);
	int err = -1;

	if (r && mb) {
		r->error = error;
		snprintf(r->text, sizeof(r->text), "%s", text);
		if (!api_reply_print(mb, r))
			err = web_reply_start(c, status, "application/json", mb, extra);
	}
	mem_deref(mb);
	mem_deref(r);
	return err;
}

/* The next piece of what goes out. lws writes from a buffer with room in front of it. */
static int write_piece(struct conn *c)
{
	uint8_t piece[LWS_PRE + PIECE_BYTES];
	struct reply *r = &c->reply;
	size_t n;

	if (!r->head_sent) {
		n = r->head->end - LWS_PRE;
		r->head_sent = true;
		return lws_write(c->wsi, r->head->buf + LWS_PRE, n,
				 LWS_WRITE_HTTP_HEADERS) < (int)n
			       ? -1
			       : 0;
	}
	n = r->body->end - r->body_at;
	if (n > PIECE_BYTES)
		n = PIECE_BYTES;
	memcpy(piece + LWS_PRE, r->body->buf + r->body_at, n);
	r->body_at += n;
	return lws_write(c->wsi, piece + LWS_PRE, n, LWS_WRITE_HTTP) < (int)n ? -1 : 0;
}

int web_reply_write(struct conn *c)
{
	struct reply *r = &c->reply;

	if (c->phase != CONN_SENDING || !r->head)
		return 0;
	web_conn_alive(c);
	do {
		if (write_piece(c))
			return -1;
		if (!r->body || r->body_at == r->body->end) {
			bool close = r->close;

			web_reply_reset(r);
			if (close || !web_conn_step(c, CONN_SENT)) {
				web_conn_step(c, CONN_CLOSE);
				return -1; /* lws sends what it still holds before it closes */
			}
			return lws_http_transaction_completed(c->wsi) ? -1 : 0;
		}
	} while (!lws_send_pipe_choked(c->wsi));
	lws_callback_on_writable(c->wsi);
	return 0;
}
