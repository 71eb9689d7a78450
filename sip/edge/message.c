/* sip/edge/message.c - see message.h. Pure; edge thread. Called by framing, the checks,
 * Via and the two directions; calls nothing of the edge. RFC 3261 §7.3 (folding, compact
 * forms), §25.1. */
#include "sip/edge/message.h"

#include <ctype.h>
#include <strings.h>

#include "sip/joint.h"

static const struct {
	const char *name, *compact;
	enum header header;
} message_names[] = {
	{"Via", "v", HEADER_VIA},
	{"From", "f", HEADER_FROM},
	{"To", "t", HEADER_TO},
	{"Call-ID", "i", HEADER_CALL_ID},
	{"CSeq", NULL, HEADER_CSEQ},
	{"Max-Forwards", NULL, HEADER_MAX_FORWARDS},
	{"Content-Length", "l", HEADER_CONTENT_LENGTH},
	{"Route", NULL, HEADER_ROUTE},
	{JOINT_HEADER, NULL, HEADER_JOINT},
};

bool message_is_token(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c && strchr("-.!%*_+`'~", c));
}

void message_trim(struct pl *s)
{
	while (s->l && message_is_lws(*s->p))
		pl_advance(s, 1);
	while (s->l && message_is_lws(s->p[s->l - 1]))
		s->l--;
}

static enum header message_header(const struct pl *name)
{
	for (size_t i = 0; i < N_ELEMS(message_names); i++) {
		const char *compact = message_names[i].compact;

		if (name->l == 1 ? compact && !pl_strcasecmp(name, compact)
				 : !pl_strcasecmp(name, message_names[i].name))
			return message_names[i].header;
	}
	return HEADER_OTHER;
}

/* The end of the line that begins at `p`: behind the CR LF that no white space follows
 * when `fold`. NULL when there is a CR or LF that is not part of a CR LF. */
static const char *message_line_end(const char *p, const char *end, bool fold)
{
	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));

		if (!lf || lf == p || lf[-1] != '\r' ||
		    memchr(p, '\r', (size_t)(lf - 1 - p)))
			return NULL;
		p = lf + 1;
		if (!fold || p == end || (*p != ' ' && *p != '\t'))
			return p;
	}
	return NULL;
}

static struct pl message_word(struct pl *rest)
{
	struct pl word = {rest->p, 0};

	while (word.l < rest->l && word.p[word.l] != ' ' && word.p[word.l] != '\t')
		word.l++;
	pl_advance(rest, (ssize_t)word.l);
	while (rest->l && (*rest->p == ' ' || *rest->p == '\t'))
		pl_advance(rest, 1);
	return word;
}

static bool message_is_version(const struct pl *s)
{
	return s->l > 4 && !strncasecmp(s->p, "SIP/", 4);
}

static unsigned message_status(const struct pl *s)
{
	unsigned status = 0;

	if (s->l != 3)
		return 0;
	for (size_t i = 0; i < 3; i++) {
		if (!isdigit((unsigned char)s->p[i]))
			return 0;
		status = status * 10 + (unsigned)(s->p[i] - '0');
	}
	return status >= 100 && status <= 699 ? status : 0;
}

/* RFC 3261 §7.1, §7.2. White space around and more than one space between the parts are
 * let go. */
static void message_first_line(struct message *m, struct pl line)
{
	struct pl word;

	message_trim(&line);
	word = message_word(&line);
	if (message_is_version(&word)) {
		m->version = word;
		word = message_word(&line);
		m->status = message_status(&word);
		m->phrase = line;
		m->kind = m->status ? MESSAGE_RESPONSE : MESSAGE_GARBAGE;
		return;
	}
	m->method = word;
	m->uri = message_word(&line);
	m->version = line;
	for (size_t i = 0; i < m->method.l; i++)
		if (!message_is_token(m->method.p[i]))
			return;
	if (m->method.l && m->uri.l && m->version.l)
		m->kind = MESSAGE_REQUEST;
}

static void message_add(struct message *m, const struct pl *line)
{
	struct message_line *ml = &m->linev[m->n_lines++];
	struct pl name = {line->p, 0};
	size_t n;

	while (name.l < line->l && message_is_token(name.p[name.l]))
		name.l++;
	for (n = name.l; n < line->l && (line->p[n] == ' ' || line->p[n] == '\t');)
		n++;
	ml->line = *line;
	ml->header = HEADER_OTHER;
	if (!name.l || n == line->l || line->p[n] != ':') {
		m->faulty = true;
		ml->value = (struct pl){line->p, 0};
		return;
	}
	ml->value = (struct pl){line->p + n + 1, line->l - n - 1};
	message_trim(&ml->value);
	ml->header = message_header(&name);
	m->n_of[ml->header]++;
}

int message_parse(struct message *m, const char *p, size_t head_n, size_t n)
{
	const char *end = p + head_n, *next;

	m->p = p;
	m->n = n;
	m->head_n = head_n;
	m->kind = MESSAGE_GARBAGE;
	m->status = 0;
	m->n_lines = 0;
	memset(m->n_of, 0, sizeof(m->n_of));
	m->method = m->uri = m->version = m->phrase = (struct pl){p, 0};
	m->faulty = head_n && memchr(p, '\0', head_n);

	next = message_line_end(p, end, false);
	if (!next || next == end || *next == ' ' || *next == '\t')
		return EBADMSG;
	message_first_line(m, (struct pl){p, (size_t)(next - p) - 2});
	for (p = next; p < end; p = next) {
		next = message_line_end(p, end, true);
		if (!next)
			return EBADMSG;
		if (next - p == 2)
			return next == end ? 0 : EBADMSG;
		if (m->n_lines == MESSAGE_LINES_MAX)
			return E2BIG;
		message_add(m, &(struct pl){p, (size_t)(next - p)});
	}
	return EBADMSG;
}

const struct message_line *message_line(const struct message *m, enum header header,
					size_t i)
{
	if (i >= m->n_of[header])
		return NULL;
	for (size_t k = 0; k < m->n_lines; k++)
		if (m->linev[k].header == header && !i--)
			return &m->linev[k];
	return NULL;
}

int message_value(const struct message *m, enum header header, struct pl *value)
{
	const struct message_line *ml = message_line(m, header, 0);

	if (!ml)
		return ENOENT;
	if (m->n_of[header] > 1)
		return EBADMSG;
	*value = ml->value;
	return 0;
}

/* At least one digit, at most `digits_max`; gives how many bytes it took, 0 when it is no
 * number. */
static size_t message_number(const struct pl *s, size_t digits_max, uint32_t *np)
{
	uint64_t v = 0;
	size_t n = 0;

	while (n < s->l && isdigit((unsigned char)s->p[n])) {
		if (n == digits_max)
			return 0;
		v = v * 10 + (unsigned)(s->p[n++] - '0');
	}
	if (!n || v > UINT32_MAX)
		return 0;
	*np = (uint32_t)v;
	return n;
}

int message_content_length(const struct message *m, size_t *np)
{
	struct pl value;
	uint32_t v;
	int err = message_value(m, HEADER_CONTENT_LENGTH, &value);

	if (err)
		return err;
	if (!value.l || message_number(&value, 9, &v) != value.l)
		return EBADMSG;
	*np = v;
	return 0;
}

int message_cseq(const struct message *m, uint32_t *number, struct pl *method)
{
	struct pl value;
	uint32_t v;
	size_t n;
	int err = message_value(m, HEADER_CSEQ, &value);

	if (err)
		return err;
	n = message_number(&value, 10, &v);
	if (!n || n == value.l || !message_is_lws(value.p[n]))
		return EBADMSG;
	pl_advance(&value, (ssize_t)n);
	message_trim(&value);
	if (!value.l)
		return EBADMSG;
	for (size_t i = 0; i < value.l; i++)
		if (!message_is_token(value.p[i]))
			return EBADMSG;
	*number = v;
	*method = value;
	return 0;
}

/* Where the quoted string that begins at i ends (behind the quote), or the end of the
 * text. */
static size_t message_quoted(const struct pl *s, size_t i)
{
	for (i++; i < s->l; i++) {
		if (s->p[i] == '\\')
			i++;
		else if (s->p[i] == '"')
			return i + 1;
	}
	return s->l;
}

bool message_element(struct pl *rest, struct pl *element)
{
	bool angle = false;
	size_t i = 0;

	if (!rest->l)
		return false;
	while (i < rest->l) {
		char c = rest->p[i];

		if (c == '"' && !angle) {
			i = message_quoted(rest, i);
			continue;
		}
		if (c == ',' && !angle)
			break;
		if (c == '<' || c == '>')
			angle = c == '<';
		i++;
	}
	*element = (struct pl){rest->p, i};
	pl_advance(rest, (ssize_t)(i < rest->l ? i + 1 : i));
	message_trim(element);
	return true;
}

bool message_param_next(struct pl *rest, struct pl *item, struct pl *name,
			struct pl *value)
{
	const char *eq;
	size_t i = 0;

	if (!rest->l)
		return false;
	if (*rest->p == ';')
		i = 1;
	*name = (struct pl){rest->p + i, 0};
	while (i < rest->l && rest->p[i] != ';')
		i = rest->p[i] == '"' ? message_quoted(rest, i) : i + 1;
	*item = (struct pl){rest->p, i};
	name->l = (size_t)(rest->p + i - name->p);
	pl_advance(rest, (ssize_t)i);
	*value = (struct pl){name->p + name->l, 0};
	eq = memchr(name->p, '=', name->l);
	if (eq) {
		*value = (struct pl){eq + 1, name->l - (size_t)(eq + 1 - name->p)};
		name->l = (size_t)(eq - name->p);
	}
	message_trim(name);
	message_trim(value);
	return true;
}

bool message_param(const struct pl *params, const char *name, struct pl *value)
{
	struct pl rest = *params, item, key;

	while (message_param_next(&rest, &item, &key, value))
		if (!pl_strcasecmp(&key, name))
			return true;
	return false;
}

void edits_replace(struct edits *e, const struct message *m, const struct pl *old,
		   const struct pl *text)
{
	if (e->n == EDITS_MAX) {
		e->overflow = true;
		return;
	}
	e->v[e->n].at = (size_t)(old->p - m->p);
	e->v[e->n].drop = old->l;
	e->v[e->n].text = text ? *text : (struct pl){"", 0};
	e->n++;
}

void edits_drop_all(struct edits *e, const struct message *m, enum header header)
{
	for (size_t i = 0; i < m->n_lines && m->n_of[header]; i++)
		if (m->linev[i].header == header)
			edits_replace(e, m, &m->linev[i].line, NULL);
}

/* Few and nearly in order: insertion sort; stable, so that insertions at one place keep
 * their order. */
static void edits_sort(struct edits *e)
{
	for (size_t i = 1; i < e->n; i++)
		for (size_t k = i; k && e->v[k - 1].at > e->v[k].at; k--) {
			typeof(e->v[0]) t = e->v[k];

			e->v[k] = e->v[k - 1];
			e->v[k - 1] = t;
		}
}

static int message_write_first(struct mbuf *mb, const struct message *m)
{
	char status[8];
	const struct pl request[] = {m->method, PL(" "), m->uri, PL(" SIP/2.0\r\n")};
	const struct pl response[] = {
		PL("SIP/2.0 "), {status, 3}, PL(" "), m->phrase, PL("\r\n")};
	const struct pl *v = request;
	size_t n = N_ELEMS(request);
	int err = 0;

	if (m->kind == MESSAGE_RESPONSE) {
		snprintf(status, sizeof(status), "%03u", m->status % 1000);
		v = response;
		n = N_ELEMS(response);
	}
	for (size_t i = 0; i < n && !err; i++)
		err = mbuf_write_pl(mb, &v[i]);
	return err;
}

static int message_write_bytes(struct mbuf *mb, const char *p, size_t n)
{
	return n ? mbuf_write_mem(mb, (const uint8_t *)p, n) : 0;
}

int message_write(struct mbuf *mb, const struct message *m, struct edits *e,
		  const struct pl *top, const struct pl *bottom)
{
	size_t at, end = m->head_n - 2;
	int err;

	if (e->overflow)
		return E2BIG;
	edits_sort(e);
	if (mbuf_get_space(mb) < m->n + 2048) {
		/* Twice over, so that many small messages do not move the buffer each
		 * time. */
		err = mbuf_resize(mb, 2 * mb->end + m->n + 2048);
		if (err)
			return err;
	}
	err = message_write_first(mb, m);
	if (top && top->l)
		err |= mbuf_write_pl(mb, top);
	at = m->n_lines ? (size_t)(m->linev[0].line.p - m->p) : end;
	for (size_t i = 0; i < e->n && !err; i++) {
		err = message_write_bytes(mb, m->p + at, e->v[i].at - at);
		if (!err && e->v[i].text.l)
			err = mbuf_write_pl(mb, &e->v[i].text);
		at = e->v[i].at + e->v[i].drop;
	}
	if (!err)
		err = message_write_bytes(mb, m->p + at, end - at);
	if (!err && bottom && bottom->l)
		err = mbuf_write_pl(mb, bottom);
	if (!err)
		err = message_write_bytes(mb, "\r\n", 2);
	if (!err)
		err = message_write_bytes(mb, m->p + m->head_n, m->n - m->head_n);
	return err ? ENOMEM : 0;
}
