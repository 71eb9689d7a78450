/* idp/mky.c - see mky.h. Called by idp.c (signing thread's side: signalling), judge.c, passport.c and
 * assertion.c.
 * RFC 8224 §4.1, RFC 8225 §5.2.2, RFC 8122 §5; erratum 5390 of RFC 8224: also without DTLS-SRTP. */
#include "idp/mky.h"

#include <ctype.h>
#include <strings.h>

static int order(const struct mky_key *a, const struct mky_key *b)
{
	int d = strcmp(a->alg, b->alg);

	/* alg‖dig as one text: where one alg is the beginning of the other, digits follow against letters */
	if (d) {
		char x[MKY_ALG_MAX + MKY_DIG_MAX + 1], y[sizeof(x)];

		snprintf(x, sizeof(x), "%s%s", a->alg, a->dig);
		snprintf(y, sizeof(y), "%s%s", b->alg, b->dig);
		d = strcmp(x, y);
		return d ? d : strcmp(a->alg, b->alg);
	}
	return strcmp(a->dig, b->dig);
}

static bool is_token(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isalnum((uint8_t)p[i]) && p[i] != '-' && p[i] != '_' && p[i] != '.')
			return false;
	return n > 0;
}

static bool is_hex(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isxdigit((uint8_t)p[i]))
			return false;
	return n > 0 && n % 2 == 0;
}

int mky_add(struct mky *m, const char *alg, size_t alg_len, const char *dig,
	    size_t dig_len)
{
	struct mky_key key;
	size_t at = 0;

	if (alg_len > MKY_ALG_MAX || dig_len > MKY_DIG_MAX || !is_token(alg, alg_len) ||
	    !is_hex(dig, dig_len))
		return EBADMSG;
	memset(&key, 0, sizeof(key));
	memcpy(key.alg, alg, alg_len);
	memcpy(key.dig, dig, dig_len);
	for (; at < m->n; at++) {
		int d = order(&key, &m->v[at]);

		if (!d)
			return 0;
		if (d < 0)
			break;
	}
	if (m->n == MKY_MAX)
		return EFBIG;
	memmove(&m->v[at + 1], &m->v[at], (m->n - at) * sizeof(key));
	m->v[at] = key;
	m->n++;
	return 0;
}

int mky_add_line(struct mky *m, const char *p, size_t n)
{
	const char *sp = memchr(p, ' ', n);
	char dig[MKY_DIG_MAX];
	size_t len = 0, at;

	if (!sp)
		return EBADMSG;
	for (at = (size_t)(sp - p) + 1; at < n; at += 3) {
		if (n - at < 2 || (n - at > 2 && p[at + 2] != ':') || n - at == 3 ||
		    len + 2 > sizeof(dig))
			return EBADMSG;
		dig[len++] = p[at];
		dig[len++] = p[at + 1];
	}
	return mky_add(m, p, (size_t)(sp - p), dig, len);
}

int mky_read(struct mky *m, const char *sdp, size_t n)
{
	static const char name[] = "a=fingerprint:";
	const char *end = sdp + n;

	m->n = 0;
	for (const char *line = sdp, *next; line < end; line = next) {
		const char *lf = memchr(line, '\n', (size_t)(end - line));
		const char *stop = lf ? lf : end;
		int err;

		next = lf ? lf + 1 : end;
		if (stop > line && stop[-1] == '\r')
			stop--;
		if ((size_t)(stop - line) < sizeof(name) - 1 ||
		    strncasecmp(line, name, sizeof(name) - 1) != 0)
			continue;
		/* Names are compared as they are (RFC 8866 §5.13), but not by all: nobody is to see a key that we do not. */
		if (memcmp(line, name, sizeof(name) - 1) != 0)
			return EBADMSG;
		line += sizeof(name) - 1;
		err = mky_add_line(m, line, (size_t)(stop - line));
		if (err)
			return err;
	}
	return 0;
}

bool mky_canonical(const struct mky *m)
{
	for (size_t i = 0; i < m->n; i++) {
		for (const char *c = m->v[i].alg; *c; c++)
			if (isupper((uint8_t)*c))
				return false;
		for (const char *c = m->v[i].dig; *c; c++)
			if (islower((uint8_t)*c))
				return false;
	}
	return true;
}

static bool has(const struct mky *m, const struct mky_key *key)
{
	for (size_t i = 0; i < m->n; i++)
		if (!strcasecmp(m->v[i].alg, key->alg) &&
		    !strcasecmp(m->v[i].dig, key->dig))
			return true;
	return false;
}

bool mky_equal(const struct mky *a, const struct mky *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (!has(b, &a->v[i]))
			return false;
	for (size_t i = 0; i < b->n; i++)
		if (!has(a, &b->v[i]))
			return false;
	return true;
}

static bool has_same(const struct mky *m, const struct mky_key *key)
{
	for (size_t i = 0; i < m->n; i++)
		if (!strcmp(m->v[i].alg, key->alg) && !strcmp(m->v[i].dig, key->dig))
			return true;
	return false;
}

bool mky_within(const struct mky *a, const struct mky *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (!has_same(b, &a->v[i]))
			return false;
	return true;
}
