/* gateway/sdp.c - the validating walk over a session description. It reads, and changes nothing.
 *
 * Pure; any thread; linear in the length of its input. Called by call.c for every offer and answer.
 * RFC 8866 §5, §9 (lines), RFC 8839 §5.4 (ICE), RFC 8122 §5 (fingerprint), RFC 8841, RFC 8843, RFC 8829 §5. */
#include "gateway/sdp.h"
#include "gateway/candidates.h"

enum { MEDIA_MAX = 64, LINES_MAX = 4096, GROUP_MAX = 1024 };

struct text {
	const char *p;
	size_t n;
};

/** What one level (the session, or one m= section) says about its transport. */
struct level {
	struct text mid;
	bool active, webrtc_proto;
	bool ufrag, pwd, fingerprint, bundle_only;
	bool bad_fingerprint; /**< one that nobody should trust: sha-1, md5, or a length that lies */
};

struct walk {
	const char *p, *end;
	unsigned n_lines;
	struct level session, media[MEDIA_MAX];
	unsigned n_media;
	struct text bundle; /**< the mids of the first BUNDLE group, space separated */
};

static bool text_is(struct text t, const char *s)
{
	return t.n == strlen(s) && !memcmp(t.p, s, t.n);
}

static bool text_is_ci(struct text t, const char *s)
{
	size_t n = strlen(s);

	if (t.n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((t.p[i] | 0x20) != (s[i] | 0x20))
			return false;
	return true;
}

/** Cuts the word before the next `sep` off `*t`; words may be empty. */
static struct text word(struct text *t, char sep)
{
	const char *at = t->n ? memchr(t->p, sep, t->n) : NULL;
	struct text w = {t->p, at ? (size_t)(at - t->p) : t->n};
	size_t cut = w.n + (at ? 1 : 0);

	t->p += cut;
	t->n -= cut;
	return w;
}

static bool number(uint32_t *v, struct text t, uint32_t max)
{
	uint64_t x = 0;

	if (!t.n || t.n > 10)
		return false;
	for (size_t i = 0; i < t.n; i++) {
		if (t.p[i] < '0' || t.p[i] > '9')
			return false;
		x = x * 10 + (uint64_t)(t.p[i] - '0');
	}
	if (x > max)
		return false;
	*v = (uint32_t)x;
	return true;
}

/** Is one of eight bytes below 0x20, or 0x7f? (Such a byte less 0x20 borrows into its highest bit.) */
static bool any_control(uint64_t v)
{
	const uint64_t ones = 0x0101010101010101u, high = 0x80 * ones;
	uint64_t del = v ^ 0x7f * ones;

	return (((v - 0x20 * ones) & ~v) | ((del - ones) & ~del)) & high;
}

/** RFC 8866 §9 byte-string, without the control characters nobody needs but the tab. */
static bool line_text_ok(struct text t)
{
	size_t i = 0;
	uint64_t eight;

	for (; i + 8 <= t.n; i += 8) {
		memcpy(&eight, t.p + i, 8);
		if (any_control(eight))
			break;
	}
	for (; i < t.n; i++) {
		uint8_t c = (uint8_t)t.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/** "sha-256 AB:CD:…" of full length. */
static bool fingerprint_strong(struct text v)
{
	static const struct {
		const char *hash;
		size_t bytes;
	} hashes[] = {{"sha-256", 32}, {"sha-384", 48}, {"sha-512", 64}};
	struct text hash = word(&v, ' ');
	size_t bytes = 0;

	for (size_t i = 0; i < N_ELEMS(hashes); i++)
		if (text_is_ci(hash, hashes[i].hash))
			bytes = hashes[i].bytes;
	if (!bytes || v.n != 3 * bytes - 1)
		return false;
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = (uint8_t)v.p[i], l = c | 0x20;

		if (i % 3 == 2 ? c != ':'
			       : !(c >= '0' && c <= '9') && !(l >= 'a' && l <= 'f'))
			return false;
	}
	return true;
}

static const char *attribute(struct walk *w, struct level *l, struct text v)
{
	struct text name = word(&v, ':');

	if (!name.n)
		return "an attribute (a=) has no name";
	if (text_is(name, "ice-ufrag")) {
		if (!ice_chars_ok(v.p, v.n, 4, 256))
			return "a=ice-ufrag is not 4 to 256 ICE characters";
		l->ufrag = true;
	} else if (text_is(name, "ice-pwd")) {
		if (!ice_chars_ok(v.p, v.n, 22, 256))
			return "a=ice-pwd is not 22 to 256 ICE characters";
		l->pwd = true;
	} else if (text_is(name, "fingerprint")) {
		if (fingerprint_strong(v))
			l->fingerprint = true;
		else
			l->bad_fingerprint = true;
	} else if (text_is(name, "mid")) {
		l->mid = v;
	} else if (text_is(name, "bundle-only")) {
		l->bundle_only = true;
	} else if (text_is(name, "group") && l == &w->session && !w->bundle.p) {
		if (text_is(word(&v, ' '), "BUNDLE"))
			w->bundle = v;
		if (w->bundle.n > GROUP_MAX)
			return "the BUNDLE group is too long";
	}
	return NULL;
}

/** m=<kind> <port>[/<number>] <proto> <format> … */
static const char *media(struct walk *w, struct text v)
{
	static const char *const protos[] = {"UDP/TLS/RTP/SAVPF", "TCP/TLS/RTP/SAVPF",
					     "UDP/DTLS/SCTP", "TCP/DTLS/SCTP",
					     "DTLS/SCTP"};
	struct text kind = word(&v, ' '), ports = word(&v, ' '), proto = word(&v, ' ');
	struct text port = word(&ports, '/');
	struct level *l;
	uint32_t n;

	if (!kind.n || !proto.n)
		return "a media line (m=) is cut short";
	if (!number(&n, port, 65535))
		return "a media line (m=) has no port from 0 to 65535";
	if (!v.n || v.p[0] == ' ')
		return "a media line (m=) names no format";
	if (w->n_media == MEDIA_MAX)
		return "there are more than 64 media lines (m=)";
	l = &w->media[w->n_media++];
	memset(l, 0, sizeof(*l));
	l->active = n != 0;
	for (size_t i = 0; i < N_ELEMS(protos); i++)
		l->webrtc_proto |= text_is(proto, protos[i]);
	return NULL;
}

/** Takes the next line into type and value; *endp when there is none. */
static const char *line(struct walk *w, char *type, struct text *v)
{
	const char *nl = memchr(w->p, '\n', (size_t)(w->end - w->p));
	struct text t;

	if (!nl)
		return "the last line has no end";
	t = (struct text){w->p, (size_t)(nl - w->p)};
	w->p = nl + 1;
	if (++w->n_lines > LINES_MAX)
		return "there are more than 4096 lines";
	if (t.n && t.p[t.n - 1] == '\r')
		t.n--;
	if (t.n < 2 || t.p[1] != '=' || t.p[0] < 'a' || t.p[0] > 'z')
		return "a line is not of the form x=value";
	*type = t.p[0];
	*v = (struct text){t.p + 2, t.n - 2};
	return line_text_ok(*v) ? NULL : "a line holds control characters";
}

/** Walks all lines. The order of the session's lines is checked as far as v=, o=, s= and the first m=. */
static const char *walk_lines(struct walk *w)
{
	const char *why;
	bool timing = false;
	struct text v;
	char type;

	for (unsigned i = 0; w->p < w->end; i++) {
		why = line(w, &type, &v);
		if (why)
			return why;
		if (i < 3 && type != "vos"[i])
			return "it does not begin with v=, o= and s=";
		if (type == 'v' && (i || !text_is(v, "0")))
			return "its version is not 0";
		if ((type == 'o' && i != 1) || (type == 's' && i != 2))
			return "o= or s= comes twice";
		switch (type) {
		case 't':
			timing = true;
			if (w->n_media)
				return "t= comes after a media line";
			break;
		case 'b':
			if (!memchr(v.p, ':', v.n))
				return "a bandwidth line (b=) has no colon";
			break;
		case 'm':
			if (!timing)
				return "it has no t= before the first media line";
			why = media(w, v);
			break;
		case 'a':
			why = attribute(
				w, w->n_media ? &w->media[w->n_media - 1] : &w->session,
				v);
			break;
		default:
			break;
		}
		if (why)
			return why;
	}
	return w->n_media ? NULL : "it has no media line (m=)";
}

static bool bundled(const struct walk *w, struct text mid)
{
	struct text group = w->bundle;

	while (mid.n && group.n) {
		struct text m = word(&group, ' ');

		if (m.n == mid.n && !memcmp(m.p, mid.p, m.n))
			return true;
	}
	return false;
}

static bool secured(const struct walk *w, const struct level *l)
{
	const struct level *s = &w->session;

	return (l->ufrag || s->ufrag) && (l->pwd || s->pwd) &&
	       (l->fingerprint || (s->fingerprint && !l->bad_fingerprint));
}

/** A bundled section may leave its transport to another section of the group (RFC 8843 §9). */
static bool is_webrtc(const struct walk *w)
{
	bool group = false;

	for (unsigned i = 0; i < w->n_media; i++)
		group |= bundled(w, w->media[i].mid) && secured(w, &w->media[i]);
	for (unsigned i = 0; i < w->n_media; i++) {
		const struct level *l = &w->media[i];

		if (!l->active && !l->bundle_only)
			continue;
		if (!l->webrtc_proto)
			return false;
		if (!secured(w, l) &&
		    (!group || l->bad_fingerprint || !bundled(w, l->mid)))
			return false;
	}
	return true;
}

int sdp_check(struct sdp_facts *facts, const char **whyp, const char *p, size_t n,
	      size_t max_bytes)
{
	struct walk w = {.p = p, .end = p + n};
	const char *why;

	if (n > max_bytes) {
		*whyp = "it is too long";
		return EFBIG;
	}
	why = n ? walk_lines(&w) : "it is empty";
	if (why) {
		*whyp = why;
		return EBADMSG;
	}
	facts->n_media = w.n_media;
	facts->webrtc = is_webrtc(&w);
	return 0;
}
