/* gateway/sdp_relay.c - a description goes to the other side with this gateway's address in it, and no other.
 *
 * Pure; linear in the length of its input but for the addresses that it holds (ADDRESSES_MAX at most). Called by
 * path_relay.c; calls sdp_ice.c and sdp_offer.c's words. What it prints passes sdp_check(): test and fuzz target say
 * so. RFC 8839 §5 (ICE), RFC 8843 §7 (BUNDLE), RFC 5761 (rtcp-mux), RFC 8866 §5.2, §5.7 (o=, c=), RFC 3605 (rtcp). */
#include "gateway/sdp_relay.h"

#include "gateway/sdp_own.h"

enum { ADDRESSES_MAX = 64 };

/* ---- reading ---- */

static struct sdp_text session_of(const struct sdp_relay *r)
{
	return (struct sdp_text){r->sdp->data, r->ice.mediav[0].from};
}

static struct sdp_text section_of(const struct sdp_relay *r, unsigned i)
{
	const struct sdp_ice_media *m = &r->ice.mediav[i];

	return (struct sdp_text){r->sdp->data + m->from, m->to - m->from};
}

static bool find(struct sdp_text *value, struct sdp_text lines, const char *name)
{
	const char *at = lines.p;
	struct sdp_text line;

	while (sdp_line(&line, &at, lines.p + lines.n))
		if (sdp_attribute(value, line, name))
			return true;
	return false;
}

static bool has_word(struct sdp_text words, struct sdp_text w)
{
	while (w.n && words.n) {
		struct sdp_text one = sdp_word(&words, ' ');

		if (one.n == w.n && !memcmp(one.p, w.p, w.n))
			return true;
	}
	return false;
}

/** The BUNDLE group that holds the mid; empty: none. */
static struct sdp_text group_of(const struct sdp_relay *r, struct sdp_text mid)
{
	struct sdp_text session = session_of(r), line, v;
	const char *at = session.p;

	while (sdp_line(&line, &at, session.p + session.n))
		if (sdp_attribute(&v, line, "group") &&
		    sdp_text_is(sdp_word(&v, ' '), "BUNDLE") && has_word(v, mid))
			return v;
	return (struct sdp_text){NULL, 0};
}

static void fingerprints_take(struct sdp_relay *r, struct sdp_text lines)
{
	const char *at = lines.p;
	struct sdp_text line, v;

	while (r->n_fingerprints < N_ELEMS(r->fingerprintv) &&
	       sdp_line(&line, &at, lines.p + lines.n))
		if (sdp_attribute(&v, line, "fingerprint") &&
		    sdp_fingerprint_read(&r->fingerprintv[r->n_fingerprints], v))
			r->n_fingerprints++;
}

static bool is_rtp(struct sdp_text section)
{
	const char *at = section.p;
	struct sdp_text line, proto;

	if (!sdp_line(&line, &at, section.p + section.n))
		return false;
	sdp_word(&line, ' ');
	sdp_word(&line, ' ');
	proto = sdp_word(&line, ' ');
	return sdp_text_is(proto, "UDP/TLS/RTP/SAVPF") ||
	       sdp_text_is(proto, "TCP/TLS/RTP/SAVPF");
}

/** The first section that is on, which carries the transport; NULL when they are one. */
static const char *one_transport(struct sdp_relay *r)
{
	struct sdp_text group = {NULL, 0}, v;
	bool any = false, rtp = false;

	for (unsigned i = 0; i < r->ice.n_media; i++) {
		const struct sdp_ice_media *m = &r->ice.mediav[i];

		if (m->disabled)
			continue;
		if (!any) {
			any = true;
			r->first = i;
			group = group_of(r, m->mid);
		} else if (!has_word(group, m->mid)) {
			return "its media are not in one BUNDLE group";
		}
		if (!rtp && is_rtp(section_of(r, i))) {
			rtp = true;
			if (!find(&v, section_of(r, i), "rtcp-mux"))
				return "it wants RTCP on a port of its own (no a=rtcp-mux)";
		}
	}
	return NULL;
}

int sdp_relay_read(struct sdp_relay *r, const char **whyp, const struct body *sdp)
{
	const struct sdp_ice_media *m;
	struct sdp_text v;

	memset(r, 0, sizeof(*r));
	r->sdp = sdp;
	sdp_ice_read(&r->ice, sdp->data, sdp->len);
	*whyp = "it has no media";
	if (!r->ice.n_media)
		return EBADMSG;
	*whyp = one_transport(r);
	if (*whyp)
		return EBADMSG;
	m = &r->ice.mediav[r->first];
	r->ufrag = m->ufrag;
	r->pwd = m->pwd;
	r->lite = find(&v, session_of(r), "ice-lite");
	fingerprints_take(r, section_of(r, r->first));
	fingerprints_take(r, session_of(r));
	*whyp = "it has no ICE credentials or no fingerprint";
	if (m->disabled) /* everything is refused, or over: there is no transport */
		return 0;
	return r->ufrag.n && r->ufrag.n <= ICE_UFRAG_MAX && r->pwd.n && r->n_fingerprints
		       ? 0
		       : EBADMSG;
}

int sdp_relay_candidates(struct candidates **cp, const struct sdp_relay *r)
{
	const struct sdp_ice_media *m = &r->ice.mediav[r->first];
	struct sdp_text section = section_of(r, r->first), line;
	struct candidates *c = NULL;
	const char *at = section.p;
	int err = candidates_alloc(&c, r->ufrag.p, r->ufrag.n);

	while (!err && sdp_line(&line, &at, section.p + section.n)) {
		if (line.n < 12 || memcmp(line.p, "a=candidate:", 12) != 0)
			continue;
		err = candidates_add(c, m->mid.n ? m->mid.p : "0",
				     m->mid.n ? m->mid.n : 1, (int)r->first, line.p + 2,
				     line.n - 2);
		if (err == EBADMSG) /* one that nobody understands is no harm */
			err = 0;
	}
	if (err == ENOSPC) /* there are enough */
		err = 0;
	if (err) {
		mem_deref(c);
		return err;
	}
	c->end = m->ended;
	*cp = c;
	return 0;
}

/* ---- the addresses that it holds ---- */

struct addresses {
	size_t n;
	struct sdp_text v[ADDRESSES_MAX];
};

/* Those that are everybody's say nothing. */
static bool tells(struct sdp_text t)
{
	static const char *const nobodys[] = {"0.0.0.0", "::", "127.0.0.1", "::1", "0"};

	for (size_t i = 0; i < N_ELEMS(nobodys); i++)
		if (sdp_text_is(t, nobodys[i]))
			return false;
	/* a word of a malformed line that is none ("tcp") would take half of the description with it */
	return t.n > 2 && (memchr(t.p, '.', t.n) || memchr(t.p, ':', t.n));
}

static void address_take(struct addresses *a, struct sdp_text t)
{
	char *slash = t.n ? memchr(t.p, '/', t.n) : NULL; /* c=IN IP4 224.2.36.42/127 */

	if (slash)
		t.n = (size_t)(slash - t.p);
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].n == t.n && !memcmp(a->v[i].p, t.p, t.n))
			return;
	if (tells(t) && a->n < ADDRESSES_MAX)
		a->v[a->n++] = t;
}

/** Behind "IN IP4" or "IN IP6". */
static void connection_take(struct addresses *a, struct sdp_text t)
{
	sdp_word(&t, ' ');
	sdp_word(&t, ' ');
	address_take(a, sdp_word(&t, ' '));
}

/** candidate:F C T P ADDRESS PORT typ … raddr ADDRESS … */
static void candidate_take(struct addresses *a, struct sdp_text v)
{
	for (int i = 0; i < 4; i++)
		sdp_word(&v, ' ');
	address_take(a, sdp_word(&v, ' '));
	while (v.n)
		if (sdp_text_is(sdp_word(&v, ' '), "raddr"))
			address_take(a, sdp_word(&v, ' '));
}

static void addresses_read(struct addresses *a, const struct body *sdp)
{
	const char *at = sdp->data;
	struct sdp_text line, v;

	a->n = 0;
	while (sdp_line(&line, &at, sdp->data + sdp->len)) {
		struct sdp_text rest = {line.p + 2, line.n < 2 ? 0 : line.n - 2};

		if (line.n > 2 && line.p[0] == 'c') {
			connection_take(a, rest);
		} else if (line.n > 2 && line.p[0] == 'o') {
			for (int i = 0; i < 3; i++)
				sdp_word(&rest, ' ');
			connection_take(a, rest);
		} else if (sdp_attribute(&v, line, "rtcp")) {
			sdp_word(&v, ' ');
			connection_take(a, v);
		} else if (sdp_attribute(&v, line, "candidate")) {
			candidate_take(a, v);
		} else if (sdp_attribute(&v, line, "remote-candidates")) {
			while (v.n) {
				sdp_word(&v, ' ');
				address_take(a, sdp_word(&v, ' '));
				sdp_word(&v, ' ');
			}
		}
	}
}

static bool same_char(char a, char b)
{
	return a == b ||
	       ((a | 0x20) == (b | 0x20) && (a | 0x20) >= 'a' && (a | 0x20) <= 'z');
}

static bool holds(struct sdp_text line, struct sdp_text address)
{
	for (size_t i = 0; i + address.n <= line.n; i++) {
		size_t k = 0;

		while (k < address.n && same_char(line.p[i + k], address.p[k]))
			k++;
		if (k == address.n)
			return true;
	}
	return false;
}

static bool holds_any(struct sdp_text line, const struct addresses *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (holds(line, a->v[i]))
			return true;
	return false;
}

/* ---- printing ---- */

struct printer {
	struct mbuf *mb;
	const struct media_local *local;
	struct addresses theirs;
};

static int keep(struct printer *p, struct sdp_text line)
{
	return mbuf_printf(p->mb, "%b\r\n", line.p, line.n);
}

static uint16_t port(const struct printer *p)
{
	return p->local->n_addrs ? sa_port(&p->local->addrv[0]) : 9;
}

static int print_connection(struct printer *p, const char *head)
{
	const struct sa *sa = &p->local->addrv[0];

	if (!p->local->n_addrs)
		return mbuf_printf(p->mb, "%sIN IP4 0.0.0.0\r\n", head);
	return mbuf_printf(p->mb, "%sIN %s %j\r\n", head,
			   sa_af(sa) == AF_INET6 ? "IP6" : "IP4", sa);
}

/** o=NAME ID VERSION …: the name stays, unless it says where. */
static int print_origin(struct printer *p, struct sdp_text line)
{
	struct sdp_text rest = {line.p + 2, line.n - 2}, name = sdp_word(&rest, ' '),
			id = sdp_word(&rest, ' '), version = sdp_word(&rest, ' ');

	if (!name.n || holds_any(name, &p->theirs))
		name = (struct sdp_text){"-", 1};
	if (!id.n || !version.n || holds_any(id, &p->theirs) ||
	    holds_any(version, &p->theirs))
		return mbuf_printf(p->mb, "o=%b 0 0 IN IP4 0.0.0.0\r\n", name.p, name.n);
	return mbuf_printf(p->mb, "o=%b %b %b IN IP4 0.0.0.0\r\n", name.p, name.n, id.p,
			   id.n, version.p, version.n);
}

/** A section that is on has the gateway's port; one that is off, or bundle-only, stays at 0. */
static int print_media(struct printer *p, struct sdp_text line)
{
	struct sdp_text kind = sdp_word(&line, ' '), at = sdp_word(&line, ' ');

	if (sdp_port_is_zero(at))
		return mbuf_printf(p->mb, "%b 0 %b\r\n", kind.p, kind.n, line.p, line.n);
	return mbuf_printf(p->mb, "%b %u %b\r\n", kind.p, kind.n, port(p), line.p,
			   line.n);
}

/** Said by us, or about a transport that ends here. */
static bool is_ours_to_say(struct sdp_text line)
{
	static const char *const names[] = {"candidate",         "end-of-candidates",
					    "remote-candidates", "ice-lite",
					    "ice-mismatch",      "ice-pacing"};
	struct sdp_text v;

	for (size_t i = 0; i < N_ELEMS(names); i++)
		if (sdp_attribute(&v, line, names[i]))
			return true;
	return false;
}

static int print_attribute(struct printer *p, struct sdp_text line)
{
	struct sdp_text v;

	if (is_ours_to_say(line))
		return 0;
	if (sdp_attribute(&v, line, "ice-ufrag"))
		return mbuf_printf(p->mb, "a=ice-ufrag:%s\r\n", p->local->ufrag);
	if (sdp_attribute(&v, line, "ice-pwd"))
		return mbuf_printf(p->mb, "a=ice-pwd:%s\r\n", p->local->pwd);
	if (sdp_attribute(&v, line, "ice-options"))
		return mbuf_write_str(p->mb, "a=ice-options:trickle\r\n");
	if (sdp_attribute(&v, line, "rtcp")) {
		char head[24];

		snprintf(head, sizeof(head), "a=rtcp:%u ", port(p));
		return print_connection(p, head);
	}
	/* keys and who vouches for them: byte for byte */
	if (sdp_attribute(&v, line, "fingerprint") || sdp_attribute(&v, line, "identity"))
		return keep(p, line);
	return holds_any(line, &p->theirs) ? 0 : keep(p, line);
}

static int print_line(struct printer *p, struct sdp_text line)
{
	switch (line.n ? line.p[0] : '\0') {
	case 'o':
		return print_origin(p, line);
	case 'c':
		return print_connection(p, "c=");
	case 'm':
		return print_media(p, line);
	case 'a':
		return print_attribute(p, line);
	case 's':
		if (holds_any(line, &p->theirs))
			return mbuf_write_str(p->mb, "s=-\r\n");
		return keep(p, line);
	case 'v':
	case 't':
		return keep(p, line);
	default: /* i=, u=, e=, p= and what else a person may have written */
		return holds_any(line, &p->theirs) ? 0 : keep(p, line);
	}
}

static int print_lines(struct printer *p, struct sdp_text lines)
{
	const char *at = lines.p;
	struct sdp_text line;
	int err = 0;

	while (!err && sdp_line(&line, &at, lines.p + lines.n))
		err = print_line(p, line);
	return err;
}

int sdp_relay_print(struct body **bp, const struct sdp_relay *r,
		    const struct media_local *local, bool lite, size_t max_bytes)
{
	struct printer p = {.mb = mbuf_alloc(r->sdp->len + 1024), .local = local};
	int err;

	if (!p.mb)
		return ENOMEM;
	addresses_read(&p.theirs, r->sdp);
	err = print_lines(&p, session_of(r));
	if (!err && lite)
		err = mbuf_write_str(p.mb, "a=ice-lite\r\n");
	for (unsigned i = 0; i < r->ice.n_media && !err; i++) {
		err = print_lines(&p, section_of(r, i));
		if (!err && i == r->first && !r->ice.mediav[i].disabled)
			err = sdp_candidates_print(p.mb, local);
	}
	if (!err && p.mb->end > max_bytes)
		err = EOVERFLOW;
	if (!err)
		err = body_alloc(bp, p.mb->buf, p.mb->end);
	mem_deref(p.mb);
	return err;
}
