/* gateway/sdp_ice.c - reads a description's ICE attributes, and writes gathered candidates into it.
 *
 * Pure; any thread; linear in the length of its input. Called by the browser leg (is it open?) and by the
 * SIP leg: generations by user fragment, and half trickle. RFC 8839 §4.2, §5; RFC 8840 §4.1, §5.3. */
#include "gateway/sdp_ice.h"

#include "gateway/sdp_own.h"

static bool text_is(struct sdp_text t, const char *s)
{
	return t.n == strlen(s) && !memcmp(t.p, s, t.n);
}

static struct sdp_text cut(struct sdp_text *t, char sep)
{
	const char *at = t->n ? memchr(t->p, sep, t->n) : NULL;
	struct sdp_text w = {t->p, at ? (size_t)(at - t->p) : t->n};
	size_t n = w.n + (at ? 1 : 0);

	t->p += n;
	t->n -= n;
	return w;
}

/** The next line without its end; *to is behind the end. */
static bool next_line(struct sdp_text *l, const char *p, size_t n, size_t *at)
{
	const char *nl;

	if (*at >= n)
		return false;
	nl = memchr(p + *at, '\n', n - *at);
	l->p = p + *at;
	l->n = nl ? (size_t)(nl - l->p) : n - *at;
	*at += l->n + (nl ? 1 : 0);
	if (l->n && l->p[l->n - 1] == '\r')
		l->n--;
	return true;
}

static void media_line(struct sdp_ice *ice, struct sdp_text v, size_t from)
{
	struct sdp_ice_media *m;

	if (ice->n_media == SDP_ICE_MEDIA_MAX)
		return;
	m = &ice->mediav[ice->n_media++];
	memset(m, 0, sizeof(*m));
	m->from = from;
	cut(&v, ' ');
	m->disabled = sdp_port_is_zero(cut(&v, ' '));
}

/** `m` is the section's or the session's level. */
static void attribute(struct sdp_ice *ice, struct sdp_ice_media *m, struct sdp_text v)
{
	struct sdp_text name = cut(&v, ':');

	if (text_is(name, "ice-ufrag"))
		m->ufrag = v;
	else if (text_is(name, "ice-pwd"))
		m->pwd = v;
	else if (text_is(name, "mid"))
		m->mid = v;
	else if (text_is(name, "bundle-only"))
		m->disabled = false;
	else if (text_is(name, "end-of-candidates"))
		m->ended = true;
	else if (text_is(name, "ice-options"))
		while (v.n)
			ice->trickle |= text_is(cut(&v, ' '), "trickle");
}

void sdp_ice_read(struct sdp_ice *ice, const char *p, size_t n)
{
	struct sdp_ice_media session = {0};
	struct sdp_text l;
	size_t at = 0, from = 0;

	ice->trickle = false;
	ice->n_media = 0;
	for (; next_line(&l, p, n, &at); from = at) {
		struct sdp_ice_media *m =
			ice->n_media ? &ice->mediav[ice->n_media - 1] : &session;
		struct sdp_text v = {l.p + 2, l.n - 2};

		if (l.n < 2 || l.p[1] != '=')
			continue;
		if (l.p[0] == 'm') {
			if (ice->n_media)
				m->to = from;
			media_line(ice, v, from);
		} else if (l.p[0] == 'a') {
			attribute(ice, m, v);
		}
	}
	if (ice->n_media)
		ice->mediav[ice->n_media - 1].to = n;
	ice->session_level = session.ufrag.n > 0;
	for (unsigned i = 0; i < ice->n_media; i++) {
		struct sdp_ice_media *m = &ice->mediav[i];

		if (!m->ufrag.n)
			m->ufrag = session.ufrag;
		if (!m->pwd.n)
			m->pwd = session.pwd;
		m->ended |= session.ended;
	}
}

bool sdp_ice_has_ufrag(const struct sdp_ice *ice, const char *ufrag, size_t n)
{
	for (unsigned i = 0; n && i < ice->n_media; i++) {
		const struct sdp_text *u = &ice->mediav[i].ufrag;

		if (u->n == n && !memcmp(u->p, ufrag, n))
			return true;
	}
	return false;
}

struct sdp_text sdp_ice_ufrag(const struct sdp_ice *ice)
{
	for (unsigned i = 0; i < ice->n_media; i++)
		if (ice->mediav[i].ufrag.n)
			return ice->mediav[i].ufrag;
	return (struct sdp_text){"", 0};
}

const struct sdp_ice_media *sdp_ice_media_find(const struct sdp_ice *ice, const char *mid)
{
	for (unsigned i = 0; i < ice->n_media; i++)
		if (text_is(ice->mediav[i].mid, mid))
			return &ice->mediav[i];
	return NULL;
}

bool sdp_ice_open(const struct sdp_ice *ice)
{
	bool ended = true;

	for (unsigned i = 0; i < ice->n_media; i++) {
		const struct sdp_ice_media *m = &ice->mediav[i];

		if (!candidate_mid_ok(m->mid.p, m->mid.n))
			return false;
		ended &= m->ended || m->disabled;
	}
	return ice->trickle && !ended;
}

/* ---- half trickle ---- */

/** The place a section is reached at by who knows no candidates: address family, address, port. */
struct destination {
	unsigned rank; /* 0: none */
	char address[64], port[8];
	bool ip6;
};

/** RFC 8839 §4.2.1.2: what works most likely. Only UDP, component 1 and numeric addresses count. */
static void consider(struct destination *d, const char *line)
{
	char foundation[64], transport[16], priority[16], address[64], port[8], type[16];
	unsigned component, rank;
	struct sa sa;

	if (sscanf(line, "candidate:%63s %u %15s %15s %63s %7s typ %15s", foundation,
		   &component, transport, priority, address, port, type) != 7)
		return;
	if (component != 1 || (strcmp(transport, "udp") && strcmp(transport, "UDP")) ||
	    sa_set_str(&sa, address, 9) || !strcmp(port, "0"))
		return;
	rank = !strcmp(type, "relay") ? 6 : !strcmp(type, "srflx") ? 4 : 2;
	rank += sa_af(&sa) == AF_INET;
	if (rank <= d->rank)
		return;
	d->rank = rank;
	d->ip6 = sa_af(&sa) == AF_INET6;
	snprintf(d->address, sizeof(d->address), "%s", address);
	snprintf(d->port, sizeof(d->port), "%s", port);
}

static struct destination default_of(const struct candidates *c, struct sdp_text mid)
{
	struct destination d = {0};

	for (size_t i = 0; i < c->n; i++)
		if (text_is(mid, c->v[i].mid))
			consider(&d, c->v[i].line);
	return d;
}

/** Has the section this candidate already? Browsers write those that they found before. */
static bool section_has(const struct body *sdp, const struct sdp_ice_media *m,
			const char *line)
{
	size_t at = m->from, n = strlen(line);
	struct sdp_text l;

	while (next_line(&l, sdp->data, m->to, &at))
		if (l.n == n + 2 && !memcmp(l.p, "a=", 2) && !memcmp(l.p + 2, line, n))
			return true;
	return false;
}

static bool unspecified(struct sdp_text c)
{
	return text_is(c, "c=IN IP4 0.0.0.0") || text_is(c, "c=IN IP6 ::");
}

/** Is it still at port 9 of nowhere? */
static bool is_nowhere(const struct body *sdp, const struct sdp_ice_media *m)
{
	size_t at = m->from;
	bool port9 = false, nowhere = false;
	struct sdp_text l;

	while (next_line(&l, sdp->data, m->to, &at)) {
		if (l.n > 2 && l.p[0] == 'm') {
			cut(&l, ' ');
			port9 = text_is(cut(&l, ' '), "9");
		} else if (unspecified(l)) {
			nowhere = true;
		}
	}
	return port9 && nowhere;
}

static int write_line(struct mbuf *mb, const char *p, size_t n)
{
	int err = mbuf_write_mem(mb, (const uint8_t *)p, n);

	return err ? err : mbuf_write_mem(mb, (const uint8_t *)"\r\n", 2);
}

/** The section as it was, but for where it is. */
static int write_moved(struct mbuf *mb, const struct body *sdp,
		       const struct sdp_ice_media *m, const struct destination *d)
{
	size_t at = m->from;
	struct sdp_text l;
	int err = 0;

	while (!err && next_line(&l, sdp->data, m->to, &at)) {
		if (l.n > 2 && l.p[0] == 'm') {
			struct sdp_text kind = cut(&l, ' ');

			cut(&l, ' ');
			err = mbuf_printf(mb, "%b %s %b\r\n", kind.p, kind.n, d->port,
					  l.p, l.n);
		} else if (unspecified(l)) {
			err = mbuf_printf(mb, "c=IN IP%d %s\r\n", d->ip6 ? 6 : 4,
					  d->address);
		} else {
			err = write_line(mb, l.p, l.n);
		}
	}
	return err;
}

static int write_section(struct mbuf *mb, const struct body *sdp,
			 const struct sdp_ice_media *m, const struct candidates *c)
{
	struct destination d = default_of(c, m->mid);
	int err;

	if (d.rank && is_nowhere(sdp, m))
		err = write_moved(mb, sdp, m, &d);
	else
		err = mbuf_write_mem(mb, (const uint8_t *)sdp->data + m->from,
				     m->to - m->from);
	for (size_t i = 0; !err && i < c->n; i++) {
		const struct candidate *k = &c->v[i];

		if (text_is(m->mid, k->mid) && !section_has(sdp, m, k->line))
			err = mbuf_printf(mb, "a=%s\r\n", k->line);
	}
	if (!err && !m->ended && !m->disabled)
		err = mbuf_printf(mb, "a=end-of-candidates\r\n");
	return err;
}

int sdp_ice_complete(struct body **bp, const struct body *sdp, const struct candidates *c,
		     size_t max_bytes)
{
	struct mbuf *mb = mbuf_alloc(sdp->len + 1024);
	struct sdp_ice ice;
	int err;

	if (!mb)
		return ENOMEM;
	sdp_ice_read(&ice, sdp->data, sdp->len);
	err = mbuf_write_mem(mb, (const uint8_t *)sdp->data,
			     ice.n_media ? ice.mediav[0].from : sdp->len);
	for (unsigned i = 0; !err && i < ice.n_media; i++)
		err = write_section(mb, sdp, &ice.mediav[i], c);
	if (!err && mb->end > max_bytes)
		err = EOVERFLOW;
	if (!err)
		err = body_alloc(bp, mb->buf, mb->end);
	mem_deref(mb);
	return err;
}
