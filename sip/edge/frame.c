/* sip/edge/frame.c - see frame.h. Called by outer and inner connections with what they
 * read. Whole messages are handed on from the caller's bytes without a copy; only the
 * rest of a read is kept. */
#include "sip/edge/frame.h"

/* How much is copied behind the beginning of a head before its end is looked for. */
enum { FRAME_CHUNK = 4096 };

void frame_init(struct frame *f, size_t max_bytes)
{
	memset(f, 0, sizeof(*f));
	f->max_bytes = max_bytes;
}

void frame_clear(struct frame *f)
{
	f->buf = mem_deref(f->buf);
	f->n = f->size = f->scanned = f->head_n = f->need = 0;
	f->n_empty = 0;
}

/* Where the head that begins at p ends, 0 when that is not known yet. A lone CR or LF is
 * an error at
 * once: waiting for an empty line that never comes would only cost memory.  */
static int frame_head(const char *p, size_t n, size_t *scanned, size_t *head_n)
{
	const char *at = p + *scanned, *end = p + n, *lf;

	while ((lf = memchr(at, '\n', (size_t)(end - at)))) {
		if (lf == p || lf[-1] != '\r')
			return EBADMSG;
		if (lf - p >= 3 && lf[-2] == '\n') {
			*head_n = (size_t)(lf + 1 - p);
			return 0;
		}
		at = lf + 1;
	}
	*scanned = (size_t)(at - p);
	*head_n = 0;
	return 0;
}

/* The first line tells at once whether this is SIP at all: somebody who speaks HTTP or
 * TLS to us, or sends noise, is not waited for. */
static bool frame_hopeless(const char *p, size_t n)
{
	for (size_t i = 0; i < n && i < 16; i++) {
		if (p[i] == ' ' || p[i] == '\t' || p[i] == '/')
			return i == 0;
		if (!message_is_token(p[i]))
			return true;
	}
	return false;
}

static int frame_broken(const struct message *m, int why, frame_h *h, void *arg)
{
	(void)h(FRAME_BROKEN, m, why, arg);
	return why;
}

/* Empty lines between messages: a double one is a ping, wherever the stream is cut. */
static int frame_empty_lines(struct frame *f, const char **pp, size_t *np, frame_h *h,
			     void *arg)
{
	static const char ping[] = "\r\n\r\n";
	int err;

	while (*np && (**pp == '\r' || f->n_empty % 2)) {
		if (**pp != ping[f->n_empty])
			return EBADMSG;
		++*pp;
		--*np;
		if (++f->n_empty == 4) {
			f->n_empty = 0;
			err = h(FRAME_PING, NULL, 0, arg);
			if (err)
				return err;
		}
	}
	if (*np)
		f->n_empty = 0;
	return 0;
}

/* The head that begins at p is whole: what it says about the rest. */
static int frame_measure(struct frame *f, struct message *room, const char *p, frame_h *h,
			 void *arg)
{
	size_t body;
	int err = message_parse(room, p, f->head_n, f->head_n);

	if (err)
		return err == E2BIG ? frame_broken(room, err, h, arg) : err;
	err = message_content_length(room, &body);
	if (err)
		return frame_broken(room, EBADMSG, h, arg);
	if (body > f->max_bytes - f->head_n)
		return frame_broken(room, EMSGSIZE, h, arg);
	f->need = f->head_n + body;
	room->n = f->need;
	return 0;
}

/* Looks at the message that begins at p. *used: its bytes, when it was whole; else 0. */
static int frame_one(struct frame *f, struct message *room, const char *p, size_t n,
		     size_t *used, frame_h *h, void *arg)
{
	int err = 0;

	*used = 0;
	if (!f->head_n) {
		if (!f->scanned && frame_hopeless(p, n))
			return EBADMSG;
		err = frame_head(p, n, &f->scanned, &f->head_n);
		if (err)
			return err;
		if (f->head_n > f->max_bytes || (!f->head_n && n > f->max_bytes))
			return EMSGSIZE;
		if (!f->head_n)
			return 0;
		err = frame_measure(f, room, p, h, arg);
	} else if (n >= f->need) {
		/* The bytes may have moved since the head was read. */
		err = message_parse(room, p, f->head_n, f->need);
	}
	if (err || n < f->need)
		return err;
	*used = f->need;
	f->head_n = f->need = f->scanned = 0;
	return h(FRAME_MESSAGE, room, 0, arg);
}

/* Grows with what has come, never by what a Content-Length promises. */
static int frame_keep(struct frame *f, const char *p, size_t n)
{
	if (f->n + n > f->size) {
		size_t size = 2 * (f->n + n) + 256;
		char *buf;

		if (f->need && size > f->need)
			size = f->need;
		buf = f->buf ? mem_realloc(f->buf, size) : mem_alloc(size, NULL);
		if (!buf)
			return ENOMEM;
		f->buf = buf;
		f->size = size;
	}
	memcpy(f->buf + f->n, p, n);
	f->n += n;
	return 0;
}

int frame_feed(struct frame *f, struct message *room, const char *p, size_t n, frame_h *h,
	       void *arg)
{
	size_t used, take, back;
	int err = 0;

	while (n && !err) {
		if (!f->n) {
			err = frame_empty_lines(f, &p, &n, h, arg);
			if (err || !n)
				break;
			err = frame_one(f, room, p, n, &used, h, arg);
			if (err)
				break;
			if (!used)
				return frame_keep(f, p, n);
			p += used;
			n -= used;
			continue;
		}
		take = n;
		if (f->need && take > f->need - f->n)
			take = f->need - f->n;
		else if (!f->need && take > FRAME_CHUNK)
			take = FRAME_CHUNK;
		err = frame_keep(f, p, take);
		if (!err)
			err = frame_one(f, room, f->buf, f->n, &used, h, arg);
		if (err)
			break;
		p += take;
		n -= take;
		if (used) {
			/* What stands behind the message came with the last bytes: read
			 * on from there. */
			back = f->n - used;
			p -= back;
			n += back;
			frame_clear(f);
		}
	}
	return err;
}
