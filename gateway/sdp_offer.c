/* gateway/sdp_offer.c - what an offer would have, as far as an endpoint here can give it.
 *
 * Pure. Called by echo.c; calls sdp_ice.c. RFC 8866 (lines), RFC 8843 (BUNDLE), RFC 8122 (fingerprint),
 * RFC 5761 §5.1.1 (rtcp-mux), RFC 8829 §5.3.1 (answers). */
#include "gateway/sdp_answer.h"

#include "gateway/sdp_own.h"

static const struct codec {
	const char *kind, *name;
	uint32_t clock_rate;
	int fixed; /**< its payload type where none is mapped (RFC 3551 §6), or -1 */
} codecs[] = {
	{"audio", "opus", 48000, -1}, {"audio", "G722", 8000, 9},
	{"audio", "PCMU", 8000, 0},   {"audio", "PCMA", 8000, 8},
	{"video", "VP8", 90000, -1},  {"video", "VP9", 90000, -1},
	{"video", "H264", 90000, -1}, {"video", "H265", 90000, -1},
	{"video", "AV1", 90000, -1},
};

/* ---- text (sdp_own.h) ---- */

bool sdp_text_is(struct sdp_text t, const char *s)
{
	return t.n == strlen(s) && !memcmp(t.p, s, t.n);
}

bool sdp_port_is_zero(struct sdp_text port)
{
	size_t n = 0;

	while (n < port.n && port.p[n] == '0')
		n++;
	return n && (n == port.n || port.p[n] == '/');
}

bool sdp_text_is_ci(struct sdp_text t, const char *s)
{
	if (t.n != strlen(s))
		return false;
	for (size_t i = 0; i < t.n; i++)
		if ((t.p[i] | 0x20) != (s[i] | 0x20))
			return false;
	return true;
}

bool sdp_text_same(struct sdp_text a, struct sdp_text b)
{
	return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n));
}

struct sdp_text sdp_word(struct sdp_text *t, char sep)
{
	const char *at = t->n ? memchr(t->p, sep, t->n) : NULL;
	struct sdp_text w = {t->p, at ? (size_t)(at - t->p) : t->n};
	size_t cut = w.n + (at ? 1 : 0);

	if (cut)
		t->p += cut;
	t->n -= cut;
	return w;
}

int sdp_number(struct sdp_text t, uint32_t max)
{
	uint32_t v = 0;

	if (!t.n || t.n > 9)
		return -1;
	for (size_t i = 0; i < t.n; i++) {
		if (t.p[i] < '0' || t.p[i] > '9')
			return -1;
		v = v * 10 + (uint32_t)(t.p[i] - '0');
	}
	return v > max ? -1 : (int)v;
}

bool sdp_line(struct sdp_text *line, const char **atp, const char *end)
{
	const char *nl = *atp < end ? memchr(*atp, '\n', (size_t)(end - *atp)) : NULL;

	if (!nl)
		return false;
	*line = (struct sdp_text){*atp, (size_t)(nl - *atp)};
	if (line->n && line->p[line->n - 1] == '\r')
		line->n--;
	*atp = nl + 1;
	return true;
}

bool sdp_attribute(struct sdp_text *value, struct sdp_text line, const char *name)
{
	struct sdp_text key;

	if (line.n < 2 || memcmp(line.p, "a=", 2) != 0)
		return false;
	*value = (struct sdp_text){line.p + 2, line.n - 2};
	key = sdp_word(value, ':');
	return sdp_text_is(key, name);
}

/* ---- one section ---- */

static bool find(struct sdp_text *value, const struct sdp_offer_media *m,
		 const char *name)
{
	const char *at = m->from;
	struct sdp_text line;

	while (sdp_line(&line, &at, m->to))
		if (sdp_attribute(value, line, name))
			return true;
	return false;
}

static const struct codec *codec_of(const struct sdp_offer_media *m, uint8_t pt)
{
	struct sdp_text line, v, name = {NULL, 0};
	const char *at = m->from;
	uint32_t rate = 0;

	while (sdp_line(&line, &at, m->to)) {
		int n;

		if (!sdp_attribute(&v, line, "rtpmap") ||
		    sdp_number(sdp_word(&v, ' '), 127) != pt)
			continue;
		name = sdp_word(&v, '/');
		n = sdp_number(sdp_word(&v, '/'), 1000000);
		rate = n > 0 ? (uint32_t)n : 0;
		break;
	}
	for (size_t i = 0; i < N_ELEMS(codecs); i++) {
		const struct codec *c = &codecs[i];

		if (!sdp_text_is(m->kind, c->kind))
			continue;
		if (name.p ? sdp_text_is_ci(name, c->name) && rate == c->clock_rate
			   : c->fixed == pt)
			return c;
	}
	return NULL;
}

static void formats_take(struct sdp_offer_media *m)
{
	struct sdp_text formats = m->formats;

	while (formats.n && m->n_pts < N_ELEMS(m->ptv)) {
		int pt = sdp_number(sdp_word(&formats, ' '), 127);
		const struct codec *c = pt < 0 ? NULL : codec_of(m, (uint8_t)pt);

		if (!c)
			continue;
		if (!m->n_pts)
			m->clock_rate = c->clock_rate;
		m->ptv[m->n_pts++] = (uint8_t)pt;
	}
}

static void mid_ext_take(struct sdp_offer_media *m)
{
	struct sdp_text line, v;
	const char *at = m->from;

	while (sdp_line(&line, &at, m->to)) {
		struct sdp_text id;

		if (!sdp_attribute(&v, line, "extmap"))
			continue;
		id = sdp_word(&v, ' ');
		id = sdp_word(&id, '/');
		if (sdp_text_is(sdp_word(&v, ' '), SDP_MID_URI) &&
		    sdp_number(id, 255) > 0)
			m->mid_ext = (uint8_t)sdp_number(id, 255);
	}
}

static enum sdp_direction direction_of(struct sdp_text lines, enum sdp_direction other)
{
	static const char *const names[] = {
		[SDP_SENDRECV] = "sendrecv",
		[SDP_SENDONLY] = "sendonly",
		[SDP_RECVONLY] = "recvonly",
		[SDP_INACTIVE] = "inactive",
	};
	const char *at = lines.p;
	struct sdp_text line, v;

	while (sdp_line(&line, &at, lines.p + lines.n))
		for (size_t i = 0; i < N_ELEMS(names); i++)
			if (sdp_attribute(&v, line, names[i]))
				other = (enum sdp_direction)i;
	return other;
}

/* ---- the transport ---- */

bool sdp_fingerprint_read(struct media_fingerprint *f, struct sdp_text v)
{
	struct sdp_text hash = sdp_word(&v, ' ');
	size_t bytes = sdp_text_is_ci(hash, "sha-256")   ? 32
		       : sdp_text_is_ci(hash, "sha-384") ? 48
		       : sdp_text_is_ci(hash, "sha-512") ? 64
							 : 0;

	if (!bytes || v.n != 3 * bytes - 1)
		return false;
	memset(f, 0, sizeof(*f));
	for (size_t i = 0; i < bytes; i++) {
		struct pl digits = {v.p + 3 * i, 2};

		f->v[i] = (uint8_t)pl_x32(&digits);
	}
	f->n_bytes = (uint8_t)bytes;
	return true;
}

static void fingerprint_take(struct media_remote *remote, struct sdp_text v)
{
	if (remote->n_fingerprints < MEDIA_FINGERPRINTS_MAX &&
	    sdp_fingerprint_read(&remote->fingerprintv[remote->n_fingerprints], v))
		remote->n_fingerprints++;
}

static void fingerprints_take(struct media_remote *remote, const char *from,
			      const char *to)
{
	struct sdp_text line, v;

	while (sdp_line(&line, &from, to))
		if (sdp_attribute(&v, line, "fingerprint"))
			fingerprint_take(remote, v);
}

static bool bundled(struct sdp_text group, struct sdp_text mid)
{
	while (mid.n && group.n) {
		struct sdp_text m = sdp_word(&group, ' ');

		if (m.n == mid.n && !memcmp(m.p, mid.p, m.n))
			return true;
	}
	return false;
}

/** Its own, or, for a section that leaves them to its bundle, nobody's: it cannot be the first then. */
static bool transport_take(struct sdp_offer *o, const struct sdp_offer_media *m,
			   const struct sdp_ice_media *ice, struct sdp_text session)
{
	struct media_remote *remote = &o->remote;

	if (!ice->ufrag.n || ice->ufrag.n > ICE_UFRAG_MAX)
		return false;
	memset(remote, 0, sizeof(*remote));
	memcpy(remote->ufrag, ice->ufrag.p, ice->ufrag.n);
	fingerprints_take(remote, m->from, m->to);
	if (!remote->n_fingerprints)
		fingerprints_take(remote, session.p, session.p + session.n);
	return remote->n_fingerprints > 0;
}

/* ---- the whole ---- */

static void section_read(struct sdp_offer_media *m, const char *p,
			 const struct sdp_ice_media *ice, struct sdp_text session)
{
	const char *at = p + ice->from;
	struct sdp_text line, rest;

	m->to = p + ice->to;
	if (!sdp_line(&line, &at, m->to))
		return;
	rest = (struct sdp_text){line.p + 2, line.n - 2};
	m->kind = sdp_word(&rest, ' ');
	sdp_word(&rest, ' ');
	m->proto = sdp_word(&rest, ' ');
	m->formats = rest;
	m->from = at;
	m->mid = ice->mid;
	m->direction = direction_of(session, SDP_SENDRECV);
	m->direction = direction_of((struct sdp_text){m->from, (size_t)(m->to - m->from)},
				    m->direction);
	formats_take(m);
	mid_ext_take(m);
}

static bool answerable(const struct sdp_offer_media *m, const struct sdp_ice_media *ice)
{
	struct sdp_text v;

	return !ice->disabled && m->n_pts && sdp_text_is(m->proto, "UDP/TLS/RTP/SAVPF") &&
	       find(&v, m, "rtcp-mux");
}

/** We are the server of DTLS, from the first answer on: an offerer that would be it, too, has nobody. */
static bool offers_passive(const struct sdp_offer_media *m, struct sdp_text session)
{
	struct sdp_offer_media s = {.from = session.p, .to = session.p + session.n};
	struct sdp_text v;

	return (find(&v, m, "setup") || find(&v, &s, "setup")) &&
	       sdp_text_is(v, "passive");
}

static void bundle_read(struct sdp_offer *o, struct sdp_text session)
{
	const char *at = session.p;
	struct sdp_text line, v;

	while (sdp_line(&line, &at, session.p + session.n))
		if (!o->bundle.n && sdp_attribute(&v, line, "group") &&
		    sdp_text_is(sdp_word(&v, ' '), "BUNDLE"))
			o->bundle = v;
}

int sdp_offer_read(struct sdp_offer *o, const char **whyp, const struct body *offer)
{
	struct sdp_offer_media *first = NULL;
	struct sdp_text session;
	struct sdp_ice ice;
	size_t n_streams = 0;

	memset(o, 0, sizeof(*o));
	sdp_ice_read(&ice, offer->data, offer->len);
	session = (struct sdp_text){offer->data,
				    ice.n_media ? ice.mediav[0].from : offer->len};
	bundle_read(o, session);
	*whyp = "it has no audio or video that could be sent back";
	o->n_media = ice.n_media;
	for (unsigned i = 0; i < o->n_media; i++) {
		struct sdp_offer_media *m = &o->mediav[i];

		section_read(m, offer->data, &ice.mediav[i], session);
		if (!answerable(m, &ice.mediav[i]) || n_streams == MEDIA_STREAMS_MAX)
			continue;
		if (!first && offers_passive(m, session)) {
			*whyp = "it would be the server of DTLS, and so is this end";
			continue;
		}
		m->taken = first ? bundled(o->bundle, m->mid) &&
					   bundled(o->bundle, first->mid)
				 : transport_take(o, m, &ice.mediav[i], session);
		if (m->taken && !first)
			first = m;
		n_streams += m->taken;
	}
	return first ? 0 : EBADMSG;
}

void sdp_offer_remote(struct media_remote *remote, const struct sdp_offer *o,
		      uint32_t first_ssrc)
{
	*remote = o->remote;
	for (unsigned i = 0; i < o->n_media; i++) {
		const struct sdp_offer_media *m = &o->mediav[i];
		struct media_stream *s;

		if (!m->taken)
			continue;
		s = &remote->streamv[remote->n_streams++];
		s->ssrc = first_ssrc + i;
		s->sends = m->direction == SDP_SENDRECV;
		s->clock_rate = m->clock_rate;
		s->mid_ext = m->mid_ext;
		if (m->mid.n < sizeof(s->mid))
			memcpy(s->mid, m->mid.p, m->mid.n);
		for (size_t k = 0; k < m->n_pts; k++)
			s->ptv[m->ptv[k] / 8] |= (uint8_t)(1u << (m->ptv[k] % 8));
	}
}
