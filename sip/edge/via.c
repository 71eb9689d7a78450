/* sip/edge/via.c - see via.h. Pure; edge thread. Called by the two directions and the
 * checks. RFC 3261 §25.1 (via-parm; white space is allowed nearly everywhere), RFC 3581
 * §4. */
#include "sip/edge/via.h"

#include <ctype.h>

static void via_lws(struct pl *s)
{
	while (s->l && message_is_lws(*s->p))
		pl_advance(s, 1);
}

static int via_token(struct pl *s, struct pl *token)
{
	via_lws(s);
	*token = (struct pl){s->p, 0};
	while (token->l < s->l && message_is_token(s->p[token->l]))
		token->l++;
	pl_advance(s, (ssize_t)token->l);
	via_lws(s);
	return token->l ? 0 : EBADMSG;
}

static int via_char(struct pl *s, char c)
{
	via_lws(s);
	if (!s->l || *s->p != c)
		return EBADMSG;
	pl_advance(s, 1);
	return 0;
}

static int via_host(struct pl *s, struct pl *host)
{
	size_t n = 0;

	if (s->l && *s->p == '[') {
		const char *end = memchr(s->p, ']', s->l);

		if (!end)
			return EBADMSG;
		n = (size_t)(end + 1 - s->p);
		for (size_t i = 1; i + 1 < n; i++)
			if (!isxdigit((unsigned char)s->p[i]) && !strchr(":.", s->p[i]))
				return EBADMSG;
	} else {
		/* As in message_is_token, without what no host name has; an underscore is
		 * seen in the wild. */
		while (n < s->l && (isalnum((unsigned char)s->p[n]) ||
				    (s->p[n] && strchr("-._", s->p[n]))))
			n++;
	}
	*host = (struct pl){s->p, n};
	pl_advance(s, (ssize_t)n);
	return n ? 0 : EBADMSG;
}

static int via_port(struct pl *s, uint16_t *port)
{
	unsigned v = 0;
	size_t n = 0;

	while (n < s->l && isdigit((unsigned char)s->p[n]) && n < 5)
		v = v * 10 + (unsigned)(s->p[n++] - '0');
	if (!n || !v || v > UINT16_MAX)
		return EBADMSG;
	pl_advance(s, (ssize_t)n);
	*port = (uint16_t)v;
	return 0;
}

int via_parse(struct via *v, const struct pl *text)
{
	struct pl s = *text, protocol, version, rest, item, name, value;
	int err;

	memset(v, 0, sizeof(*v));
	message_trim(&s);
	v->all = s;
	err = via_token(&s, &protocol);
	if (!err)
		err = via_char(&s, '/');
	if (!err)
		err = via_token(&s, &version);
	if (!err)
		err = via_char(&s, '/');
	if (!err)
		err = via_token(&s, &v->transport);
	if (err || pl_strcasecmp(&protocol, "SIP") || pl_strcmp(&version, "2.0"))
		return EBADMSG;
	v->sent_by = (struct pl){s.p, 0};
	if (via_host(&s, &v->host))
		return EBADMSG;
	v->sent_by.l = v->host.l;
	via_lws(&s);
	if (s.l && *s.p == ':') {
		via_char(&s, ':');
		via_lws(&s);
		if (via_port(&s, &v->port))
			return EBADMSG;
		v->sent_by.l = (size_t)(s.p - v->sent_by.p);
		via_lws(&s);
	}
	if (s.l && *s.p != ';')
		return EBADMSG;
	v->params = rest = s;
	while (message_param_next(&rest, &item, &name, &value)) {
		if (!pl_strcasecmp(&name, "branch") && !v->branch.l)
			v->branch = value;
		else if (!pl_strcasecmp(&name, "rport"))
			v->has_rport = true;
	}
	return 0;
}

int via_top(struct via *v, const struct message *m)
{
	const struct message_line *ml = message_line(m, HEADER_VIA, 0);
	struct pl rest, element;

	if (!ml)
		return ENOENT;
	rest = ml->value;
	if (!message_element(&rest, &element))
		return EBADMSG;
	return via_parse(v, &element);
}

size_t via_count(const struct message *m)
{
	struct pl rest, element;
	size_t n = 0;

	for (size_t i = 0; i < m->n_lines; i++) {
		if (m->linev[i].header != HEADER_VIA)
			continue;
		rest = m->linev[i].value;
		while (message_element(&rest, &element))
			n += element.l > 0;
	}
	return n;
}

void via_pop(struct edits *e, const struct message *m)
{
	const struct message_line *ml = message_line(m, HEADER_VIA, 0);
	struct pl rest, element, gone;

	if (!ml)
		return;
	rest = ml->value;
	if (!message_element(&rest, &element) || !rest.l) {
		edits_replace(e, m, &ml->line, NULL);
		return;
	}
	gone = (struct pl){ml->value.p, (size_t)(rest.p - ml->value.p)};
	edits_replace(e, m, &gone, NULL);
}

void via_received(struct edits *e, const struct message *m, const struct via *top,
		  const struct sa *from, char room[VIA_RECEIVED_MAX])
{
	struct pl rest = top->params, item, name, value, text,
		  at = {top->all.p + top->all.l, 0};
	char addr[64];
	int n;

	while (message_param_next(&rest, &item, &name, &value))
		if (!pl_strcasecmp(&name, "received") || !pl_strcasecmp(&name, "rport"))
			edits_replace(e, m, &item, NULL);
	if (sa_ntop(from, addr, sizeof(addr)))
		return;
	n = snprintf(room, VIA_RECEIVED_MAX, ";received=%s", addr);
	if (top->has_rport)
		n += snprintf(room + n, VIA_RECEIVED_MAX - (size_t)n, ";rport=%u",
			      sa_port(from));
	text = (struct pl){room, (size_t)n};
	edits_replace(e, m, &at, &text);
}
