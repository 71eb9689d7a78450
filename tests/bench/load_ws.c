/* tests/bench/load_ws.c - a WebSocket client (RFC 6455): upgrade, masked text out, text and ping in.
 *
 * One thread. Called by load_device.c, calls load_stream.c.
 *
 *    0                   1                   2                   3
 *   |F|R|R|R| opcode|M| len 7       | extended length 16 or 64, if len is 126 or 127 | mask key ... */
#include "tests/bench/load.h"

#include <stdio.h>
#include <string.h>

enum { OP_CONT = 0, OP_TEXT = 1, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

static void frame_send(struct load_ws *w, unsigned opcode, const char *p, size_t n)
{
	unsigned char head[14];
	struct load_bytes out = {0};
	uint32_t key = load_random(UINT32_MAX);
	size_t h = 0;

	head[h++] = (unsigned char)(0x80 | opcode);
	if (n < 126) {
		head[h++] = (unsigned char)(0x80 | n);
	} else if (n < 65536) {
		head[h++] = 0x80 | 126;
		head[h++] = (unsigned char)(n >> 8);
		head[h++] = (unsigned char)n;
	} else {
		head[h++] = 0x80 | 127;
		for (int i = 7; i >= 0; i--)
			head[h++] = (unsigned char)((uint64_t)n >> (8 * i));
	}
	memcpy(head + h, &key, 4);
	load_bytes_add(&out, head, h + 4);
	load_bytes_add(&out, p, n);
	for (size_t i = 0; i < n; i++)
		out.p[h + 4 + i] = (char)(out.p[h + 4 + i] ^ (char)head[h + i % 4]);
	load_stream_write(&w->stream, out.p, out.n);
	load_bytes_free(&out);
}

void load_ws_text(struct load_ws *w, const char *p, size_t n)
{
	frame_send(w, OP_TEXT, p, n);
}

static void on_up(struct load_stream *s)
{
	struct load_ws *w = s->arg;
	char req[1024];
	int n = snprintf(
		req, sizeof(req),
		"GET /ws HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Protocol: sluss.v1\r\nOrigin: %s\r\n\r\n",
		w->site->origin + strlen("https://"), w->site->origin);

	load_stream_write(s, req, (size_t)n);
}

static void on_down(struct load_stream *s, const char *why)
{
	struct load_ws *w = s->arg;

	w->upgraded = false;
	load_bytes_free(&w->in);
	load_bytes_free(&w->message);
	w->ops->down(w, why);
}

/* false: not whole yet */
static bool upgrade_take(struct load_ws *w)
{
	char *end = memmem(w->in.p, w->in.n, "\r\n\r\n", 4);

	if (!end)
		return false;
	if (strncmp(w->in.p, "HTTP/1.1 101", 12)) {
		char why[64];

		snprintf(why, sizeof(why), "upgrade refused: %.30s", w->in.p);
		load_stream_close(&w->stream, true);
		on_down(&w->stream, why);
		return false;
	}
	load_bytes_cut(&w->in, (size_t)(end + 4 - w->in.p));
	w->upgraded = true;
	w->ops->up(w);
	return true;
}

static void frame_got(struct load_ws *w, unsigned head, const char *p, size_t n)
{
	unsigned opcode = head & 15;
	char why[48];

	switch (opcode) {
	case OP_TEXT:
	case OP_CONT:
		if (opcode == OP_TEXT && (head & 0x80)) {
			w->ops->text(w, p, n);
			return;
		}
		load_bytes_add(&w->message, p, n);
		if (head & 0x80) {
			w->ops->text(w, w->message.p, w->message.n);
			load_bytes_free(&w->message);
		}
		return;
	case OP_PING:
		frame_send(w, OP_PONG, p, n);
		return;
	case OP_CLOSE:
		snprintf(why, sizeof(why), "closed with %u",
			 n >= 2 ? (unsigned)(unsigned char)p[0] << 8 | (unsigned char)p[1]
				: 1005);
		load_stream_close(&w->stream, false);
		on_down(&w->stream, why);
		return;
	default:
		return;
	}
}

static bool frame_take(struct load_ws *w)
{
	const unsigned char *p = (const unsigned char *)w->in.p;
	size_t n = w->in.n, head = 2, len;
	struct load_bytes payload = {0};
	unsigned first;

	if (n < 2)
		return false;
	len = p[1] & 127;
	if (len == 126) {
		head = 4;
		if (n < head)
			return false;
		len = (size_t)p[2] << 8 | p[3];
	} else if (len == 127) {
		head = 10;
		if (n < head)
			return false;
		len = 0;
		for (int i = 2; i < 10; i++)
			len = len << 8 | p[i];
	}
	if (n - head < len)
		return false;
	first = p[0];
	load_bytes_add(&payload, p + head, len);
	load_bytes_cut(&w->in, head + len);
	frame_got(w, first, payload.p, payload.n);
	load_bytes_free(&payload);
	return w->stream.watch.fd >= 0 && w->in.n;
}

static void on_data(struct load_stream *s, const char *p, size_t n)
{
	struct load_ws *w = s->arg;

	load_bytes_add(&w->in, p, n);
	if (!w->upgraded && !upgrade_take(w))
		return;
	while (w->in.n && frame_take(w))
		;
}

static const struct load_stream_ops stream_ops = {on_up, on_data, on_down};

void load_ws_connect(struct load_ws *w, SSL_CTX *ctx, const struct load_site *site)
{
	w->site = site;
	w->upgraded = false;
	w->stream.ops = &stream_ops;
	w->stream.arg = w;
	load_stream_connect(&w->stream, ctx, &site->sa, site->domain);
}

void load_ws_close(struct load_ws *w, bool abrupt)
{
	if (!abrupt && w->upgraded)
		frame_send(w, OP_CLOSE, "\x03\xe8", 2);
	load_stream_close(&w->stream, abrupt);
	w->upgraded = false;
	load_bytes_free(&w->in);
	load_bytes_free(&w->message);
}
