/* gateway/candidates.c - a bounded, validated list of ICE candidates. Pure.
 *
 * Any thread. Made by the browser's parser and the SIP leg's, carried by call_trickle.c, read by both
 * kinds of leg. RFC 8839 §5.1 (the line), RFC 8840 §4.4 (order), RFC 5888 (mid). */
#include "gateway/candidates.h"

enum { SIZE_FIRST = 4, COMPONENT_MAX = 256, PORT_MAX = 65535 };

struct cursor {
	const char *p, *end;
};

/** Takes the word before the next single space. False: there is none. */
static bool word(struct cursor *c, const char **wp, size_t *n)
{
	const char *at = c->p;

	while (c->p < c->end && *c->p != ' ')
		c->p++;
	*wp = at;
	*n = (size_t)(c->p - at);
	if (c->p < c->end)
		c->p++;
	return *n > 0;
}

static bool number(struct cursor *c, uint64_t min, uint64_t max)
{
	const char *p;
	uint64_t v = 0;
	size_t n;

	if (!word(c, &p, &n) || n > 10)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(p[i] - '0');
	}
	return v >= min && v <= max;
}

bool ice_chars_ok(const char *p, size_t n, size_t min, size_t max)
{
	if (n < min || n > max)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)p[i], l = c | 0x20;

		if (!(l >= 'a' && l <= 'z') && !(c >= '0' && c <= '9') && c != '+' &&
		    c != '/')
			return false;
	}
	return true;
}

bool candidate_mid_ok(const char *p, size_t n)
{
	if (n < 1 || n > CANDIDATE_MID_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)p[i], l = c | 0x20;

		if (!(l >= 'a' && l <= 'z') && !(c >= '0' && c <= '9') &&
		    (!c || !strchr("!#$%&'*+-.^_`{|}~", c)))
			return false;
	}
	return true;
}

bool candidate_line_ok(const char *p, size_t n)
{
	static const char prefix[] = "candidate:";
	const size_t n_prefix = sizeof(prefix) - 1;
	struct cursor c = {p + n_prefix, p + n};
	const char *w;
	size_t len;

	if (n <= n_prefix || n > CANDIDATE_LINE_MAX || memcmp(p, prefix, n_prefix))
		return false;
	for (size_t i = 0; i < n; i++)
		if (p[i] < 0x20 || p[i] > 0x7e)
			return false;
	if (!word(&c, &w, &len) || !ice_chars_ok(w, len, 1, 32)) /* foundation */
		return false;
	if (!number(&c, 1, COMPONENT_MAX))
		return false;
	if (!word(&c, &w, &len) || !candidate_mid_ok(w, len)) /* transport: a token */
		return false;
	if (!number(&c, 0, UINT32_MAX)) /* priority; browsers keep to 2^31-1 */
		return false;
	if (!word(&c, &w, &len)) /* address: IP or name, ".local" too */
		return false;
	if (!number(&c, 0, PORT_MAX))
		return false;
	if (!word(&c, &w, &len) || len != 3 || memcmp(w, "typ", 3))
		return false;
	return word(&c, &w, &len) && candidate_mid_ok(w, len);
}

static void destructor(void *arg)
{
	struct candidates *c = arg;

	for (size_t i = 0; i < c->n; i++)
		mem_deref(c->v[i].line);
	mem_deref(c->v);
}

int candidates_alloc(struct candidates **cp, const char *ufrag, size_t n_ufrag)
{
	struct candidates *c;

	if (n_ufrag && !ice_chars_ok(ufrag, n_ufrag, 4, ICE_UFRAG_MAX))
		return EBADMSG;
	c = mem_zalloc(sizeof(*c), destructor);
	if (!c)
		return ENOMEM;
	if (n_ufrag)
		memcpy(c->ufrag, ufrag, n_ufrag);
	*cp = c;
	return 0;
}

static bool has(const struct candidates *c, const char *mid, size_t n_mid,
		const char *line, size_t n_line)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct candidate *k = &c->v[i];

		if (strlen(k->mid) == n_mid && !memcmp(k->mid, mid, n_mid) &&
		    strlen(k->line) == n_line && !memcmp(k->line, line, n_line))
			return true;
	}
	return false;
}

static int grow(struct candidates *c)
{
	size_t size = c->size ? 2 * c->size : SIZE_FIRST;
	struct candidate *v;

	if (c->n < c->size)
		return 0;
	v = mem_zalloc(size * sizeof(*v), NULL);
	if (!v)
		return ENOMEM;
	if (c->n)
		memcpy(v, c->v, c->n * sizeof(*v));
	mem_deref(c->v);
	c->v = v;
	c->size = size;
	return 0;
}

int candidates_add(struct candidates *c, const char *mid, size_t n_mid, int mline,
		   const char *line, size_t n_line)
{
	struct candidate *k;
	char *copy;

	if (!candidate_mid_ok(mid, n_mid) || !candidate_line_ok(line, n_line) ||
	    mline < -1 || mline > CANDIDATE_MLINE_MAX)
		return EBADMSG;
	if (has(c, mid, n_mid, line, n_line))
		return 0;
	if (c->n >= CANDIDATES_MAX)
		return ENOSPC;
	if (grow(c))
		return ENOMEM;
	copy = base_dup(line, n_line);
	if (!copy)
		return ENOMEM;
	k = &c->v[c->n++];
	memcpy(k->mid, mid, n_mid);
	k->mid[n_mid] = '\0';
	k->mline = mline;
	k->line = copy;
	return 0;
}

static int add_one(struct candidates *to, const struct candidate *k)
{
	return candidates_add(to, k->mid, strlen(k->mid), k->mline, k->line,
			      strlen(k->line));
}

int candidates_join(struct candidates *all, struct candidates **newp,
		    const struct candidates *more, size_t max)
{
	struct candidates *fresh = NULL;
	bool full = false;
	int err = candidates_alloc(&fresh, more->ufrag, strlen(more->ufrag));

	for (size_t i = 0; !err && i < more->n; i++) {
		const struct candidate *k = &more->v[i];

		if (has(all, k->mid, strlen(k->mid), k->line, strlen(k->line)))
			continue;
		if (all->n >= max) {
			full = true;
			continue;
		}
		err = add_one(all, k);
		if (!err)
			err = add_one(fresh, k);
	}
	if (err) {
		mem_deref(fresh);
		return err;
	}
	fresh->end = more->end && !all->end;
	all->end |= more->end;
	if (!fresh->n && !fresh->end)
		fresh = mem_deref(fresh);
	*newp = fresh;
	return full ? ENOSPC : 0;
}

int candidates_dup(struct candidates **cp, const struct candidates *from)
{
	struct candidates *c = NULL;
	int err = candidates_alloc(&c, from->ufrag, strlen(from->ufrag));

	for (size_t i = 0; !err && i < from->n; i++)
		err = add_one(c, &from->v[i]);
	if (err) {
		mem_deref(c);
		return err;
	}
	c->end = from->end;
	*cp = c;
	return 0;
}
