/* idp/header.c - see header.h. Called by judge.c. RFC 8224 §4, but for the alphabet of the token, which its grammar
 * gives as base64 where RFC 8225 has base64url; RFC 3261 §25.1 (LWS, generic-param). */
#include "idp/header.h"

#include <ctype.h>
#include <strings.h>

struct text {
	const char *p, *end;
};

static bool is_b64url(char c)
{
	return isalnum((uint8_t)c) || c == '-' || c == '_';
}

static bool is_token(char c)
{
	return c && (isalnum((uint8_t)c) || strchr("-.!%*_+`'~", c));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* LWS: the value comes as it was sent, and may be folded. */
static void blanks(struct text *t)
{
	while (t->p < t->end) {
		if (is_blank(*t->p))
			t->p++;
		else if (t->end - t->p > 2 && !memcmp(t->p, "\r\n", 2) &&
			 is_blank(t->p[2]))
			t->p += 3;
		else
			break;
	}
}

static bool take(struct text *t, char c)
{
	if (t->p == t->end || *t->p != c)
		return false;
	t->p++;
	return true;
}

static struct pl run(struct text *t, bool (*is)(char c))
{
	struct pl pl = {t->p, 0};

	while (t->p < t->end && is(*t->p))
		t->p++;
	pl.l = (size_t)(t->p - pl.p);
	return pl;
}

/* "…" without its quotes; what is escaped inside stays escaped, since no value of ours has such. */
static bool quoted(struct text *t, struct pl *pl)
{
	const char *begin = ++t->p;

	for (; t->p < t->end; t->p++) {
		if ((uint8_t)*t->p < 0x20 && *t->p != '\t')
			return false;
		if (*t->p == '\\' && t->p + 1 < t->end)
			t->p++;
		else if (*t->p == '"') {
			*pl = (struct pl){begin, (size_t)(t->p++ - begin)};
			return true;
		}
	}
	return false;
}

/* <…>: what a URI may be made of (RFC 3986 §2), no delimiters, nothing that JSON would escape. */
static bool angle(struct text *t, struct pl *pl)
{
	const char *begin = ++t->p;

	for (; t->p < t->end; t->p++) {
		if (*t->p == '>') {
			*pl = (struct pl){begin, (size_t)(t->p++ - begin)};
			return true;
		}
		if (*t->p <= 0x20 || *t->p >= 0x7f || strchr("\"<\\^`{|}", *t->p))
			return false;
	}
	return false;
}

static bool set(char *dst, size_t size, const struct pl *v)
{
	if (*dst || !v->l || v->l >= size)
		return false;
	memcpy(dst, v->p, v->l);
	dst[v->l] = '\0';
	return true;
}

static bool is_name(const struct pl *name, const char *word)
{
	return name->l == strlen(word) && !strncasecmp(name->p, word, name->l);
}

static const char *parameter(struct header *h, struct text *t)
{
	struct pl name = run(t, is_token), value = {NULL, 0};
	bool in_angle = false;

	if (!name.l)
		return "a parameter has no name";
	blanks(t);
	if (take(t, '=')) {
		blanks(t);
		in_angle = t->p < t->end && *t->p == '<';
		if (in_angle) {
			if (!angle(t, &value))
				return "the address of the certificate is malformed";
		} else if (t->p < t->end && *t->p == '"') {
			if (!quoted(t, &value))
				return "a quoted text does not end";
		} else {
			value = run(t, is_token);
			if (!value.l)
				return "a parameter has no value";
		}
	}
	if (is_name(&name, "info"))
		return in_angle && set(h->info, sizeof(h->info), &value)
			       ? NULL
			       : "info is no address in angle brackets, or there twice";
	if (is_name(&name, "alg"))
		return set(h->alg, sizeof(h->alg), &value) ? NULL : "alg is not usable";
	if (is_name(&name, "ppt"))
		return set(h->ppt, sizeof(h->ppt), &value) ? NULL : "ppt is not usable";
	return NULL;
}

static const char *parse(struct header *h, struct text *t)
{
	const char *why;

	blanks(t);
	h->header = run(t, is_b64url);
	if (!take(t, '.'))
		return "the token has no three parts";
	h->payload = run(t, is_b64url);
	if (!take(t, '.'))
		return "the token has no three parts";
	h->signature = run(t, is_b64url);
	if (!h->signature.l)
		return "the token has no signature";
	if (!h->header.l != !h->payload.l)
		return "the token is neither full nor compact";
	h->compact = !h->header.l;
	for (blanks(t); t->p < t->end; blanks(t)) {
		if (!take(t, ';'))
			return "there is no ; where a parameter would begin";
		blanks(t);
		why = parameter(h, t);
		if (why)
			return why;
	}
	return *h->info ? NULL : "info is missing";
}

int header_parse(struct header *h, const char **whyp, const char *p, size_t n)
{
	struct text t = {p, p + n};

	memset(h, 0, sizeof(*h));
	*whyp = "it is too long";
	if (n > HEADER_BYTES_MAX)
		return EFBIG;
	*whyp = parse(h, &t);
	if (*whyp)
		return EBADMSG;
	if (!*h->alg)
		memcpy(h->alg, "ES256", sizeof("ES256"));
	return 0;
}
