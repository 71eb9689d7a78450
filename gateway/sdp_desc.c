/* gateway/sdp_desc.c - reads one party's description into the neutral form.
 *
 * Pure; linear in the length of its input: every line is looked at once, what it says of a payload type waits in a
 * table until the section's formats are gone through. Called by path_anchor.c; calls sdp_desc_codec.c, sdes.c,
 * sdp_offer.c's words. RFC 8866 (lines), RFC 3264 §8.4 (hold), RFC 3605 (rtcp), RFC 4145 (setup), RFC 4568 (crypto),
 * RFC 8122 (fingerprint), RFC 8839 (ICE), RFC 8843 (BUNDLE). */
#include "gateway/sdp_desc.h"

#include "gateway/sdp.h"
#include "gateway/sdp_desc_own.h"
#include "lib/secret.h"

struct reader {
	struct sdp_desc *d;
	struct sdp_section session; /**< what stands before the first m= */
	struct sdp_text group;      /**< mids of the first BUNDLE group */
	const char *why;            /**< what makes it unusable; NULL: nothing so far */
	struct sdp_formats formats; /**< of the section that is being read */
};

static void fail(struct reader *r, const char *why)
{
	if (!r->why)
		r->why = why;
}

/** A number with a sensible maximum: what is longer than nine digits is that. */
static uint32_t clamped(struct sdp_text v, uint32_t max)
{
	int n = sdp_number(v, max);
	bool digits = v.n > 0;

	for (size_t i = 0; i < v.n; i++)
		digits &= v.p[i] >= '0' && v.p[i] <= '9';
	return n >= 0 ? (uint32_t)n : digits ? max : 0;
}

static uint32_t packet_time(struct sdp_text v)
{
	uint32_t ms = clamped(v, SDP_PTIME_MAX_MS);

	return ms && ms < SDP_PTIME_MIN_MS ? SDP_PTIME_MIN_MS : ms;
}

/** "IN IP4 192.0.2.1[/ttl]": a name is not looked up. */
static void address(struct sa *sa, struct sdp_text v, uint16_t port)
{
	char text[64];
	struct sdp_text host;

	sa_init(sa, AF_UNSPEC);
	if (!sdp_text_is(sdp_word(&v, ' '), "IN"))
		return;
	sdp_word(&v, ' ');
	host = sdp_word(&v, ' ');
	host = sdp_word(&host, '/');
	if (!host.n || host.n >= sizeof(text))
		return;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	if (sa_set_str(sa, text, port))
		sa_init(sa, AF_UNSPEC);
}

/** One packet sent there would be many, or nobody's. */
static bool is_multicast(const struct sa *sa)
{
	uint8_t v6[16];

	if (sa_af(sa) == AF_INET)
		return sa_in(sa) >> 28 == 0xe || sa_in(sa) == 0xffffffff;
	if (sa_af(sa) != AF_INET6)
		return false;
	sa_in6(sa, v6);
	return v6[0] == 0xff;
}

static bool is_any(const struct sa *sa)
{
	return sa_af(sa) != AF_UNSPEC && sa_is_any(sa);
}

static enum sdp_profile profile_of(struct sdp_text proto)
{
	static const struct {
		const char *name;
		enum sdp_profile profile;
	} profiles[] = {
		{"RTP/AVP", SDP_AVP},
		{"RTP/AVPF", SDP_AVP},
		{"RTP/SAVP", SDP_SAVP},
		{"RTP/SAVPF", SDP_SAVP},
		{"UDP/TLS/RTP/SAVPF", SDP_DTLS_SAVPF},
		{"UDP/TLS/RTP/SAVP", SDP_DTLS_SAVPF},
	};

	for (size_t i = 0; i < N_ELEMS(profiles); i++)
		if (sdp_text_is(proto, profiles[i].name))
			return profiles[i].profile;
	return SDP_PROFILE_OTHER;
}

/* ---- lines ---- */

static void media_line(struct reader *r, struct sdp_text v)
{
	struct sdp_section *s;
	struct sdp_text ports, rest;
	int port;

	if (r->d->n_media == SDP_DESC_MEDIA_MAX) {
		fail(r, "it has more than 16 media lines (m=)");
		return;
	}
	s = &r->d->mediav[r->d->n_media++];
	*s = r->session; /* what it does not say itself */
	s->n_fingerprints = 0;
	s->weak_fingerprint = false;
	s->kind_text = sdp_word(&v, ' ');
	ports = sdp_word(&v, ' ');
	port = sdp_number(sdp_word(&ports, '/'), 65535);
	s->proto_text = sdp_word(&v, ' ');
	s->profile = profile_of(s->proto_text);
	s->feedback = s->proto_text.n && s->proto_text.p[s->proto_text.n - 1] == 'F';
	s->kind = sdp_text_is(s->kind_text, "audio")   ? SDP_AUDIO
		  : sdp_text_is(s->kind_text, "video") ? SDP_VIDEO
						       : SDP_OTHER;
	s->refused = !port;
	s->port = (uint16_t)(port > 0 ? port : 0);
	memset(&r->formats, 0, sizeof(r->formats));
	r->formats.list = v;
	rest = v;
	s->format = sdp_word(&rest, ' ');
	if (s->kind_text.n > SDP_WORD_MAX || s->proto_text.n > SDP_WORD_MAX ||
	    s->format.n > SDP_WORD_MAX)
		fail(r, "a media line (m=) holds too long a word");
}

static void bandwidth_line(struct sdp_section *s, struct sdp_text v)
{
	struct sdp_text type = sdp_word(&v, ':');

	if (sdp_text_is(type, "AS"))
		s->b_as = clamped(v, 10000000);
	else if (sdp_text_is(type, "TIAS"))
		s->b_tias = clamped(v, 999999999);
}

/** "53020[ IN IP4 192.0.2.1]" (RFC 3605 §2.1). */
static void rtcp_line(struct sdp_section *s, struct sdp_text v)
{
	int port = sdp_number(sdp_word(&v, ' '), 65535);

	sa_init(&s->rtcp, AF_UNSPEC);
	s->rtcp_port = (uint16_t)(port > 0 ? port : 0);
	if (s->rtcp_port && v.n)
		address(&s->rtcp, v, s->rtcp_port);
}

static void crypto_line(struct reader *r, struct sdp_section *s, struct sdp_text v)
{
	struct sdp_crypto c;
	int err = sdes_parse(&c.sdes, &c.tag, v.p, v.n);

	if (err == EBADMSG)
		fail(r, "a key for SRTP (a=crypto) is malformed");
	if (err)
		return;
	if (s->n_cryptos < SDP_DESC_CRYPTOS_MAX)
		s->cryptov[s->n_cryptos++] = c;
	secret_wipe(&c, sizeof(c));
}

static void setup_line(struct sdp_section *s, struct sdp_text v)
{
	s->setup = sdp_text_is(v, "actpass")   ? SDP_ACTPASS
		   : sdp_text_is(v, "active")  ? SDP_ACTIVE
		   : sdp_text_is(v, "passive") ? SDP_PASSIVE
					       : SDP_SETUP_NONE;
}

static void mid_ext_line(struct sdp_section *s, struct sdp_text v)
{
	struct sdp_text id = sdp_word(&v, ' ');
	int n = sdp_number(sdp_word(&id, '/'), 255);

	if (n > 0 && sdp_text_is(sdp_word(&v, ' '), SDP_MID_URI))
		s->mid_ext = (uint8_t)n;
}

static bool direction_line(struct sdp_section *s, struct sdp_text name)
{
	static const char *const names[] = {
		[SDP_SENDRECV] = "sendrecv",
		[SDP_SENDONLY] = "sendonly",
		[SDP_RECVONLY] = "recvonly",
		[SDP_INACTIVE] = "inactive",
	};

	for (size_t i = 0; i < N_ELEMS(names); i++)
		if (sdp_text_is(name, names[i])) {
			s->direction = (enum sdp_direction)i;
			return true;
		}
	return false;
}

/** `s` is the section, or the session. */
static void attribute(struct reader *r, struct sdp_section *s, struct sdp_text v)
{
	struct sdp_text name = sdp_word(&v, ':');

	if (direction_line(s, name))
		return;
	if (sdp_text_is(name, "mid"))
		s->mid = v;
	else if (sdp_text_is(name, "rtcp-mux"))
		s->rtcp_mux = true;
	else if (sdp_text_is(name, "rtcp"))
		rtcp_line(s, v);
	else if (sdp_text_is(name, "ice-ufrag"))
		s->ufrag = v;
	else if (sdp_text_is(name, "ice-pwd"))
		s->pwd = v;
	else if (sdp_text_is(name, "ice-lite"))
		r->d->ice_lite = true;
	else if (sdp_text_is(name, "end-of-candidates"))
		s->ended = true;
	else if (sdp_text_is(name, "setup"))
		setup_line(s, v);
	else if (sdp_text_is(name, "fingerprint"))
		s->weak_fingerprint |= !sdp_desc_fingerprint(s, v);
	else if (sdp_text_is(name, "crypto"))
		crypto_line(r, s, v);
	else if (sdp_text_is(name, "extmap"))
		mid_ext_line(s, v);
	else if (sdp_text_is(name, "ptime"))
		s->ptime = packet_time(v);
	else if (sdp_text_is(name, "maxptime"))
		s->maxptime = packet_time(v);
	else if (sdp_text_is(name, "bundle-only"))
		s->refused = false;
	else if (sdp_text_is(name, "group") && s == &r->session && !r->group.n &&
		 sdp_text_is(sdp_word(&v, ' '), "BUNDLE"))
		r->group = v;
	else
		sdp_desc_format(&r->formats, name, v);
}

/* ---- sections ---- */

/** Its lines are over. */
static void section_end(struct reader *r)
{
	struct sdp_section *s = r->d->n_media ? &r->d->mediav[r->d->n_media - 1] : NULL;

	if (!s)
		return;
	sdp_desc_codecs(s, &r->formats);
	if (is_multicast(&s->rtp) || is_multicast(&s->rtcp))
		fail(r, "its media are to go to many at once (a multicast address)");
	if (is_any(&s->rtp) && !s->ufrag.n) {
		s->held = true;
		sa_init(&s->rtp, AF_UNSPEC);
	}
	if (!s->port)
		sa_init(&s->rtp, AF_UNSPEC);
	else if (sa_isset(&s->rtp, SA_ADDR))
		sa_set_port(&s->rtp, s->port);
	if (s->rtcp_port && !sa_isset(&s->rtcp, SA_ADDR) && sa_isset(&s->rtp, SA_ADDR)) {
		s->rtcp = s->rtp;
		sa_set_port(&s->rtcp, s->rtcp_port);
	}
	if (is_any(&s->rtcp))
		sa_init(&s->rtcp, AF_UNSPEC);
	if (!s->n_fingerprints && !s->weak_fingerprint) {
		s->n_fingerprints = r->session.n_fingerprints;
		memcpy(s->fingerprintv, r->session.fingerprintv, sizeof(s->fingerprintv));
		s->weak_fingerprint = r->session.weak_fingerprint;
	}
	if (s->maxptime && s->ptime > s->maxptime)
		s->ptime = s->maxptime;
}

static bool in_group(struct sdp_text group, struct sdp_text mid)
{
	while (mid.n && group.n)
		if (sdp_text_same(sdp_word(&group, ' '), mid))
			return true;
	return false;
}

/** A bundled section may leave its transport to the first of its group (RFC 8843 §9). */
static void bundle(struct reader *r)
{
	const struct sdp_section *first = NULL;

	r->d->bundles = r->group.n > 0;
	for (unsigned i = 0; i < r->d->n_media; i++) {
		struct sdp_section *s = &r->d->mediav[i];

		for (unsigned k = 0; k < i; k++)
			if (s->mid.n && sdp_text_same(s->mid, r->d->mediav[k].mid))
				fail(r, "two media lines have the same a=mid");
		if (s->mid.n && !candidate_mid_ok(s->mid.p, s->mid.n))
			fail(r, "an a=mid is no token of 1 to 64 characters");
		s->bundled = in_group(r->group, s->mid);
		if (!s->bundled)
			continue;
		if (!first) {
			first = s;
			continue;
		}
		if (!s->ufrag.n) {
			s->ufrag = first->ufrag;
			s->pwd = first->pwd;
		}
		if (!s->n_fingerprints && !s->weak_fingerprint) {
			s->n_fingerprints = first->n_fingerprints;
			memcpy(s->fingerprintv, first->fingerprintv,
			       sizeof(s->fingerprintv));
		}
		if (s->setup == SDP_SETUP_NONE)
			s->setup = first->setup;
	}
}

static void read_lines(struct reader *r, const struct body *body)
{
	const char *at = body->data, *end = body->data + body->len;
	struct sdp_text line;

	while (!r->why && sdp_line(&line, &at, end)) {
		struct sdp_section *s =
			r->d->n_media ? &r->d->mediav[r->d->n_media - 1] : &r->session;
		struct sdp_text v = {line.p + 2, line.n - 2};

		switch (line.p[0]) {
		case 'm':
			section_end(r);
			media_line(r, v);
			break;
		case 'c':
			address(&s->rtp, v, 0);
			break;
		case 'b':
			bandwidth_line(s, v);
			break;
		case 'a':
			attribute(r, s, v);
			break;
		default:
			break;
		}
	}
	section_end(r);
}

static void desc_destructor(void *arg)
{
	struct sdp_desc *d = arg;

	for (unsigned i = 0; i < SDP_DESC_MEDIA_MAX; i++)
		secret_wipe(d->mediav[i].cryptov, sizeof(d->mediav[i].cryptov));
	mem_deref(d->body);
}

int sdp_desc_read(struct sdp_desc **dp, const char **whyp, struct body *body)
{
	struct sdp_facts facts;
	struct reader *r;
	int err;

	if (sdp_check(&facts, whyp, body->data, body->len, body->len))
		return EBADMSG;
	r = mem_zalloc(sizeof(*r), NULL);
	if (!r)
		return ENOMEM;
	r->d = mem_zalloc(sizeof(*r->d), desc_destructor);
	err = r->d ? 0 : ENOMEM;
	if (!err) {
		r->d->body = mem_ref(body);
		read_lines(r, body);
	}
	if (!err && !r->why)
		bundle(r);
	if (!err && r->why) {
		*whyp = r->why;
		err = EBADMSG;
	}
	if (!err)
		*dp = mem_ref(r->d);
	mem_deref(r->d);
	secret_wipe(&r->session, sizeof(r->session));
	mem_deref(r);
	return err;
}
