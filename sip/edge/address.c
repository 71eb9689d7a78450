/* sip/edge/address.c - see address.h. Edge thread. Called by the outward direction and
 * the checks. */
#include "sip/edge/address.h"

#include <ctype.h>
#include <strings.h>

int address_split(const struct pl *value, struct pl *uri, struct pl *params)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < value->l; i++) {
		char c = value->p[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '<' || c == ';'))
			break;
	}
	if (quoted)
		return EBADMSG;
	if (i >= value->l || value->p[i] == ';') {
		size_t n = i < value->l ? i : value->l;

		*uri = (struct pl){value->p, n};
		*params = (struct pl){value->p + n, value->l - n};
	} else {
		const char *end = memchr(value->p + i, '>', value->l - i);

		if (!end)
			return EBADMSG;
		*uri = (struct pl){value->p + i + 1, (size_t)(end - value->p) - i - 1};
		*params = (struct pl){end + 1, value->l - (size_t)(end + 1 - value->p)};
	}
	message_trim(uri);
	message_trim(params);
	return uri->l ? 0 : EBADMSG;
}

/* The parts of a sip URI, still as they stand. */
struct address {
	struct pl user, password, host, port, params, headers;
	bool has_user, has_password;
	bool sips;
};

static bool address_cut(struct pl *s, char c, struct pl *before)
{
	const char *at = memchr(s->p, c, s->l);

	if (!at)
		return false;
	*before = (struct pl){s->p, (size_t)(at - s->p)};
	pl_advance(s, (ssize_t)(before->l + 1));
	return true;
}

static int address_parse(struct address *a, const struct pl *uri)
{
	struct pl s = *uri, scheme;
	size_t n;

	memset(a, 0, sizeof(*a));
	if (!address_cut(&s, ':', &scheme))
		return EBADMSG;
	a->sips = !pl_strcasecmp(&scheme, "sips");
	if (!a->sips && pl_strcasecmp(&scheme, "sip"))
		return EPROTONOSUPPORT;
	a->has_user = address_cut(&s, '@', &a->user);
	if (a->has_user) {
		struct pl user;

		a->has_password = address_cut(&a->user, ':', &user);
		if (a->has_password) {
			a->password = a->user;
			a->user = user;
		}
	}
	n = s.l && *s.p == '[' ? 0 : SIZE_MAX;
	if (!n) {
		const char *end = memchr(s.p, ']', s.l);

		if (!end)
			return EBADMSG;
		n = (size_t)(end + 1 - s.p);
	} else {
		for (n = 0; n < s.l && !strchr(":;?", s.p[n]);)
			n++;
	}
	a->host = (struct pl){s.p, n};
	pl_advance(&s, (ssize_t)n);
	if (s.l && *s.p == ':') {
		for (n = 1; n < s.l && isdigit((unsigned char)s.p[n]);)
			n++;
		a->port = (struct pl){s.p + 1, n - 1};
		if (n == 1 || n > 6)
			return EBADMSG;
		pl_advance(&s, (ssize_t)n);
	}
	if (s.l && *s.p == ';') {
		const char *q = memchr(s.p, '?', s.l);

		n = q ? (size_t)(q - s.p) : s.l;
		a->params = (struct pl){s.p, n};
		pl_advance(&s, (ssize_t)n);
	}
	if (s.l && *s.p == '?') {
		a->headers = (struct pl){s.p + 1, s.l - 1};
		s.l = 0;
	}
	return s.l || !a->host.l ? EBADMSG : 0;
}

static int hop_host(struct hop *hop, struct pl host)
{
	char text[64];

	if (host.l > 2 && *host.p == '[') {
		host.p++;
		host.l -= 2;
	}
	if (host.l < sizeof(text)) {
		memcpy(text, host.p, host.l);
		text[host.l] = '\0';
		if (!sa_set_str(&hop->sa, text, hop->port)) {
			*hop->host = '\0';
			return 0;
		}
	}
	sa_init(&hop->sa, AF_UNSPEC);
	return addr_host_parse(hop->host, host.p, host.l) ? EBADMSG : 0;
}

int hop_parse(struct hop *hop, const struct pl *uri)
{
	struct address a;
	struct pl value;
	struct hop h;
	int err = address_parse(&a, uri);

	if (err)
		return err;
	memset(&h, 0, sizeof(h));
	h.sips = a.sips;
	if (a.port.l) {
		uint32_t port = pl_u32(&a.port);

		if (!port || port > UINT16_MAX)
			return EBADMSG;
		h.port = (uint16_t)port;
	}
	if (message_param(&a.params, "transport", &value))
		h.transport = !pl_strcasecmp(&value, "tls")   ? HOP_TLS
			      : !pl_strcasecmp(&value, "tcp") ? HOP_TCP
			      : !pl_strcasecmp(&value, "udp") ? HOP_UDP
							      : HOP_OTHER;
	if (message_param(&a.params, "maddr", &value))
		a.host = value;
	err = hop_host(&h, a.host);
	if (!err)
		*hop = h;
	return err;
}

int hop_of(struct hop *hop, const struct message *m)
{
	const struct message_line *ml = message_line(m, HEADER_ROUTE, 0);
	struct pl rest, element, uri, params;

	if (!ml)
		return hop_parse(hop, &m->uri);
	rest = ml->value;
	if (!message_element(&rest, &element) || address_split(&element, &uri, &params))
		return EBADMSG;
	return hop_parse(hop, &uri);
}

/* Letters, digits, what is in `more`, and %HH when `escapes`. */
static bool address_chars(const struct pl *s, const char *more, bool escapes)
{
	for (size_t i = 0; i < s->l; i++) {
		char c = s->p[i];

		if (isalnum((unsigned char)c) || (c && strchr(more, c)))
			continue;
		if (c != '%' || !escapes || s->l - i < 3 ||
		    !isxdigit((unsigned char)s->p[i + 1]) ||
		    !isxdigit((unsigned char)s->p[i + 2]))
			return false;
		i += 2;
	}
	return true;
}

#define ADDRESS_MARK "-_.!~*'()"

unsigned address_request_uri_status(const struct pl *uri)
{
	const char *colon = memchr(uri->p, ':', uri->l);
	struct pl scheme = {uri->p, colon ? (size_t)(colon - uri->p) : 0};
	struct address a;
	bool ok;

	if (!scheme.l || !isalpha((unsigned char)*scheme.p) ||
	    !address_chars(&scheme, "+-.", false))
		return 400;
	if (!pl_strcasecmp(&scheme, "tel")) {
		struct pl number = {colon + 1, uri->l - scheme.l - 1};

		return number.l && *number.p != ';' &&
				       address_chars(&number, "+-.()*;=:", false)
			       ? 0
			       : 400;
	}
	switch (address_parse(&a, uri)) {
	case 0:
		break;
	case EPROTONOSUPPORT:
		return 416;
	default:
		return 400;
	}
	ok = *a.host.p == '[' ? address_chars(&a.host, "[]:.", false)
			      : address_chars(&a.host, "-._", false);
	ok = ok && (!a.has_user || a.user.l) &&
	     address_chars(&a.user, ADDRESS_MARK "&=+$,;?/", true);
	ok = ok && address_chars(&a.password, ADDRESS_MARK "&=+$,", true);
	ok = ok && address_chars(&a.params, ADDRESS_MARK ";=@,/:&+$", true);
	ok = ok && address_chars(&a.headers, ADDRESS_MARK "[]/?:+$&=", true);
	return ok ? 0 : 400;
}

static void address_lws(struct pl *s)
{
	while (s->l && message_is_lws(*s->p))
		pl_advance(s, 1);
}

/* What is at the beginning of s and consists of tokens and `more`; passed over. */
static size_t address_run(struct pl *s, const char *more)
{
	size_t n = 0;

	while (n < s->l &&
	       (message_is_token(s->p[n]) || (s->p[n] && strchr(more, s->p[n]))))
		n++;
	pl_advance(s, (ssize_t)n);
	return n;
}

static bool address_quoted(struct pl *s)
{
	size_t i = 1;

	while (i < s->l && s->p[i] != '"')
		i += s->p[i] == '\\' ? 2 : 1;
	if (i >= s->l)
		return false;
	pl_advance(s, (ssize_t)i + 1);
	return true;
}

/* *( ; name [ = value ] ) up to the end */
static bool party_params_ok(struct pl s)
{
	for (address_lws(&s); s.l; address_lws(&s)) {
		if (*s.p != ';')
			return false;
		pl_advance(&s, 1);
		address_lws(&s);
		if (!address_run(&s, ""))
			return false;
		address_lws(&s);
		if (!s.l || *s.p != '=')
			continue;
		pl_advance(&s, 1);
		address_lws(&s);
		if (!s.l || (*s.p == '"' ? !address_quoted(&s) : !address_run(&s, "[]:")))
			return false;
	}
	return true;
}

/* //user@host:port/path of a URI of another scheme: Sofia stumbles over a port that is
 * none. */
static bool party_authority_ok(struct pl s)
{
	struct pl user;
	size_t n = 2;

	if (s.l < 2 || s.p[0] != '/' || s.p[1] != '/')
		return true;
	while (n < s.l && !strchr("/?", s.p[n]))
		n++;
	s = (struct pl){s.p + 2, n - 2};
	while (address_cut(&s, '@', &user))
		;
	if (!address_cut(&s, ':', &user))
		return true;
	for (n = 0; n < s.l; n++)
		if (!isdigit((unsigned char)s.p[n]))
			return false;
	return true;
}

static bool party_uri_ok(const struct pl *uri)
{
	struct pl scheme, rest = *uri;

	switch (address_request_uri_status(uri)) {
	case 0:
		return true;
	case 416: /* another scheme: nobody for us, but no harm */
		return address_cut(&rest, ':', &scheme) && rest.l &&
		       address_chars(&rest, ADDRESS_MARK ";/?:@&=+$,", true) &&
		       party_authority_ok(rest);
	default:
		return false;
	}
}

bool address_party_ok(const struct pl *value)
{
	struct pl s = *value, uri, name;
	const char *end;

	message_trim(&s);
	if (s.l && *s.p == '"') {
		if (!address_quoted(&s))
			return false;
		address_lws(&s);
		if (!s.l || *s.p != '<')
			return false;
	}
	name = s;
	address_run(&name, " \t\r\n");
	if (name.l && *name.p == '<') {
		end = memchr(name.p, '>', name.l);
		if (!end)
			return false;
		uri = (struct pl){name.p + 1, (size_t)(end - name.p) - 1};
		s = (struct pl){end + 1, (size_t)(name.p + name.l - end) - 1};
	} else {
		end = memchr(s.p, ';', s.l);
		uri = (struct pl){s.p, end ? (size_t)(end - s.p) : s.l};
		pl_advance(&s, (ssize_t)uri.l);
		if (memchr(uri.p, '?', uri.l) || memchr(uri.p, ',', uri.l))
			return false;
	}
	message_trim(&uri);
	return uri.l && party_uri_ok(&uri) && party_params_ok(s);
}
