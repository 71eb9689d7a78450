/* sip/trickle_frag.c - reads and writes application/trickle-ice-sdpfrag.
 *
 * Pure; signalling thread; called by trickle.c; fuzzed. Reading is strict: what is no fragment is refused as
 * a whole. RFC 8840 §4.4 (what is in it), §9.2 (grammar); RFC 8839 §5. */
#include "sip/trickle_frag.h"

#include <strings.h>

struct walk {
	struct trickle_frag *f;
	struct sdp_text own_ufrag[SDP_ICE_MEDIA_MAX];
	bool pwd, own_pwd[SDP_ICE_MEDIA_MAX];
};

static bool name_is(struct sdp_text t, const char *s)
{
	return t.n == strlen(s) && !strncasecmp(t.p, s, t.n);
}

static const char *take_candidate(struct trickle_frag *f, struct sdp_text value)
{
	char line[CANDIDATE_LINE_MAX + 1];
	int n;

	if (!f->n_media)
		return "a candidate stands before the first m=";
	if (f->n == CANDIDATES_MAX)
		return "there are more than 256 candidates";
	if (value.n > CANDIDATE_LINE_MAX)
		return "a candidate is too long";
	n = snprintf(line, sizeof(line), "candidate:%.*s", (int)value.n, value.p);
	if (n < 0 || (size_t)n >= sizeof(line) || memchr(value.p, 0, value.n) ||
	    !candidate_line_ok(line, (size_t)n))
		return "a candidate is malformed";
	f->v[f->n].media = f->n_media - 1;
	f->v[f->n++].value = value;
	return NULL;
}

static const char *take_attribute(struct walk *w, struct sdp_text v)
{
	struct trickle_frag *f = w->f;
	struct trickle_frag_media *m = f->n_media ? &f->mediav[f->n_media - 1] : NULL;
	const char *colon = v.n ? memchr(v.p, ':', v.n) : NULL;
	struct sdp_text name = {v.p, colon ? (size_t)(colon - v.p) : v.n};
	struct sdp_text value = {v.p + name.n, 0};

	if (colon)
		value = (struct sdp_text){colon + 1, v.n - name.n - 1};
	if (!name.n)
		return "an attribute has no name";
	if (name_is(name, "candidate"))
		return take_candidate(f, value);
	if (name_is(name, "ice-ufrag")) {
		if (!ice_chars_ok(value.p, value.n, 4, ICE_UFRAG_MAX))
			return "ice-ufrag is malformed";
		if (m)
			w->own_ufrag[f->n_media - 1] = value;
		else
			f->ufrag = value;
	} else if (name_is(name, "ice-pwd")) {
		if (!ice_chars_ok(value.p, value.n, 22, 256))
			return "ice-pwd is malformed";
		if (m)
			w->own_pwd[f->n_media - 1] = true;
		else
			w->pwd = true;
	} else if (name_is(name, "mid")) {
		if (!m || m->mid.n || !candidate_mid_ok(value.p, value.n))
			return "mid is malformed, there twice or not in a section";
		m->mid = value;
	} else if (name_is(name, "end-of-candidates")) {
		if (m)
			m->end = true;
		else
			f->end = true;
	}
	return NULL;
}

static const char *take_line(struct walk *w, struct sdp_text l)
{
	struct trickle_frag *f = w->f;

	if (l.n < 2 || l.p[1] != '=')
		return "a line is not of the form x=value";
	if (l.p[0] == 'a')
		return take_attribute(w, (struct sdp_text){l.p + 2, l.n - 2});
	if (l.p[0] != 'm')
		return "a line is neither a= nor m=";
	if (f->n_media == SDP_ICE_MEDIA_MAX)
		return "there are more than 64 sections";
	memset(&f->mediav[f->n_media], 0, sizeof(f->mediav[0]));
	w->own_ufrag[f->n_media] = (struct sdp_text){"", 0};
	w->own_pwd[f->n_media++] = false;
	return NULL;
}

static const char *complete(struct walk *w)
{
	struct trickle_frag *f = w->f;
	bool ended = f->n_media > 0;

	for (unsigned i = 0; i < f->n_media; i++) {
		struct trickle_frag_media *m = &f->mediav[i];

		if (!m->mid.n)
			return "a section has no mid";
		m->ufrag = w->own_ufrag[i].n ? w->own_ufrag[i] : f->ufrag;
		if (!m->ufrag.n || !(w->pwd || w->own_pwd[i]))
			return "ice-ufrag or ice-pwd is missing";
		m->end |= f->end;
		ended &= m->end;
	}
	if (!f->n_media && (!f->ufrag.n || !w->pwd))
		return "ice-ufrag or ice-pwd is missing";
	f->end |= ended;
	return NULL;
}

int trickle_frag_parse(struct trickle_frag *f, const char **whyp, const char *p, size_t n)
{
	struct walk w = {.f = f};
	const char *end = p + n;

	f->n_media = 0;
	f->n = 0;
	f->end = false;
	f->ufrag = (struct sdp_text){"", 0};
	*whyp = NULL;
	while (p < end && !*whyp) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		struct sdp_text l = {p, nl ? (size_t)(nl - p) : (size_t)(end - p)};

		p += l.n + (nl ? 1 : 0);
		if (l.n && l.p[l.n - 1] == '\r')
			l.n--;
		*whyp = take_line(&w, l);
	}
	if (!*whyp)
		*whyp = complete(&w);
	return *whyp ? EBADMSG : 0;
}

int trickle_frag_candidate(struct candidates *c, const struct trickle_frag *f, size_t i)
{
	const struct sdp_text *mid = &f->mediav[f->v[i].media].mid, *v = &f->v[i].value;
	char line[CANDIDATE_LINE_MAX + 1];
	int n = snprintf(line, sizeof(line), "candidate:%.*s", (int)v->n, v->p);

	return candidates_add(c, mid->p, mid->n, -1, line, (size_t)n);
}

static int print_credentials(struct mbuf *mb, const struct sdp_ice_media *m)
{
	return mbuf_printf(mb, "a=ice-ufrag:%b\r\na=ice-pwd:%b\r\n", m->ufrag.p,
			   m->ufrag.n, m->pwd.p, m->pwd.n);
}

static bool is_for(const struct candidate *k, const struct sdp_ice_media *m)
{
	return strlen(k->mid) == m->mid.n && !memcmp(k->mid, m->mid.p, m->mid.n);
}

static int print_section(struct mbuf *mb, const struct sdp_ice *ice,
			 const struct sdp_ice_media *m, const struct candidates *c,
			 bool always)
{
	bool any = always;
	int err = 0;

	for (size_t i = 0; i < c->n; i++)
		any |= is_for(&c->v[i], m);
	if (!any || !m->mid.n)
		return 0;
	err = mbuf_printf(mb, "m=audio 9 RTP/AVP 0\r\na=mid:%b\r\n", m->mid.p, m->mid.n);
	if (!err && !ice->session_level)
		err = print_credentials(mb, m);
	for (size_t i = 0; !err && i < c->n; i++)
		if (is_for(&c->v[i], m))
			err = mbuf_printf(mb, "a=%s\r\n", c->v[i].line);
	return err;
}

int trickle_frag_print(struct body **bp, const struct body *sdp,
		       const struct candidates *c)
{
	struct mbuf *mb = mbuf_alloc(1024);
	struct sdp_ice ice;
	int err = 0;

	if (!mb)
		return ENOMEM;
	sdp_ice_read(&ice, sdp->data, sdp->len);
	if (ice.session_level && ice.n_media)
		err = print_credentials(mb, &ice.mediav[0]);
	if (!err && c->end)
		err = mbuf_printf(mb, "a=end-of-candidates\r\n");
	for (unsigned i = 0; !err && i < ice.n_media; i++)
		err = print_section(mb, &ice, &ice.mediav[i], c, !i);
	if (!err)
		err = body_alloc(bp, mb->buf, mb->end);
	mem_deref(mb);
	return err;
}
