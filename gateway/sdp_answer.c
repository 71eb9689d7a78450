/* gateway/sdp_answer.c - prints an answer of our own. What it prints passes sdp_check(): its test says so.
 *
 * Pure. Called by echo.c; calls sdp_offer.c's words. RFC 8829 §5.3.1 (answers), RFC 8839 (ICE), RFC 8842 §5.3
 * (setup), RFC 8843 §7.3 (BUNDLE), RFC 8285 §6 (extmap).
 *
 *   m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9      m=audio 3479 UDP/TLS/RTP/SAVPF 111 9
 *   a=rtpmap:111 opus/48000/2            ──►  a=rtpmap:111 opus/48000/2
 *   a=rtpmap:63 red/48000/2                   a=setup:passive …
 *   m=application 9 UDP/DTLS/SCTP …           m=application 0 UDP/DTLS/SCTP …                       */
#include "gateway/sdp_answer.h"

#include "gateway/sdp_own.h"

enum { HOST = 126 }; /* type preference of a host candidate (RFC 8445 §5.1.2.2) */

static int print_text(struct mbuf *mb, const char *head, struct sdp_text t)
{
	return mbuf_printf(mb, "%s%b\r\n", head, t.p, t.n);
}

static bool answered(const struct sdp_offer_media *m, struct sdp_text pt)
{
	int n = sdp_number(pt, 127);

	for (size_t i = 0; i < m->n_pts; i++)
		if (n == m->ptv[i])
			return true;
	return false;
}

/** What the sender of the stream, which is its receiver, can do something about; no transport-cc: nobody here
 *  counts for the whole transport. */
static bool feedback_known(struct sdp_text v)
{
	static const char *const known[] = {"nack", "nack pli", "ccm fir", "goog-remb"};

	for (size_t i = 0; i < N_ELEMS(known); i++)
		if (sdp_text_is(v, known[i]))
			return true;
	return false;
}

/** The offer's own lines about what is answered. */
static int print_formats(struct mbuf *mb, const struct sdp_offer_media *m)
{
	struct sdp_text line, v;
	const char *at = m->from;
	int err = 0;

	while (!err && sdp_line(&line, &at, m->to)) {
		struct sdp_text pt;

		if (sdp_attribute(&v, line, "rtpmap") ||
		    sdp_attribute(&v, line, "fmtp")) {
			if (answered(m, sdp_word(&v, ' ')))
				err = print_text(mb, "", line);
		} else if (sdp_attribute(&v, line, "rtcp-fb")) {
			pt = sdp_word(&v, ' ');
			if ((sdp_text_is(pt, "*") || answered(m, pt)) &&
			    feedback_known(v))
				err = print_text(mb, "", line);
		}
	}
	return err;
}

static int print_fingerprint(struct mbuf *mb, const struct media_fingerprint *f)
{
	int err = mbuf_write_str(mb, "a=fingerprint:sha-256 ");

	for (size_t i = 0; i < f->n_bytes && !err; i++)
		err = mbuf_printf(mb, "%s%02X", i ? ":" : "", f->v[i]);
	return err ? err : mbuf_write_str(mb, "\r\n");
}

int sdp_candidates_print(struct mbuf *mb, const struct media_local *local)
{
	int err = 0;

	for (size_t i = 0; i < local->n_addrs && !err; i++) {
		uint32_t priority =
			(uint32_t)HOST << 24 | (uint32_t)(65535 - i) << 8 | 255;

		err = mbuf_printf(mb, "a=candidate:%zu 1 udp %u %j %u typ host\r\n",
				  i + 1, priority, &local->addrv[i],
				  sa_port(&local->addrv[i]));
	}
	return err ? err : mbuf_write_str(mb, "a=end-of-candidates\r\n");
}

static int print_connection(struct mbuf *mb, const struct media_local *local)
{
	const struct sa *sa = &local->addrv[0];

	if (!local->n_addrs)
		return mbuf_write_str(mb, "c=IN IP4 0.0.0.0\r\n");
	return mbuf_printf(mb, "c=IN %s %j\r\n", sa_af(sa) == AF_INET6 ? "IP6" : "IP4",
			   sa);
}

static const char *direction_name(enum sdp_direction offered)
{
	switch (offered) {
	case SDP_SENDRECV:
		return "sendrecv";
	case SDP_SENDONLY:
		return "recvonly";
	case SDP_RECVONLY: /* it sends nothing, so nothing comes back */
	case SDP_INACTIVE:
		return "inactive";
	}
	return "inactive";
}

static int print_transport(struct mbuf *mb, const struct media_local *local, bool first)
{
	int err = mbuf_printf(mb, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\n", local->ufrag,
			      local->pwd);

	if (!err)
		err = print_fingerprint(mb, &local->fingerprint);
	if (!err)
		err = mbuf_write_str(mb, "a=setup:passive\r\na=rtcp-mux\r\n");
	/* RFC 8843 §7.1.3: only in the section that the others are bundled with */
	if (!err && first)
		err = sdp_candidates_print(mb, local);
	return err;
}

static int print_taken(struct mbuf *mb, const struct sdp_offer_media *m,
		       const struct sdp_answerer *who, uint32_t ssrc, bool first)
{
	const struct media_local *local = who->local;
	uint16_t port = local->n_addrs ? sa_port(&local->addrv[0]) : 9;
	int err = mbuf_printf(mb, "m=%b %u %b", m->kind.p, m->kind.n, port, m->proto.p,
			      m->proto.n);

	for (size_t i = 0; i < m->n_pts && !err; i++)
		err = mbuf_printf(mb, " %u", m->ptv[i]);
	if (!err)
		err = mbuf_write_str(mb, "\r\n");
	if (!err)
		err = print_connection(mb, local);
	if (!err && m->mid.n)
		err = print_text(mb, "a=mid:", m->mid);
	if (!err)
		err = mbuf_printf(mb, "a=%s\r\n", direction_name(m->direction));
	if (!err)
		err = print_transport(mb, local, first);
	if (!err && m->mid_ext)
		err = mbuf_printf(mb, "a=extmap:%u " SDP_MID_URI "\r\n", m->mid_ext);
	if (!err)
		err = print_formats(mb, m);
	/* also while nothing is sent: Chromium makes another receiver for a stream that was not named meanwhile, and
	 * what plays the track hears nothing of it any more */
	if (!err)
		err = mbuf_printf(
			mb, "a=msid:echo echo-%b\r\na=ssrc:%u cname:%016llx\r\n",
			m->kind.p, m->kind.n, ssrc, (unsigned long long)who->id);
	return err;
}

static int print_refused(struct mbuf *mb, const struct sdp_offer_media *m)
{
	int err = mbuf_printf(mb, "m=%b 0 %b %b\r\nc=IN IP4 0.0.0.0\r\n", m->kind.p,
			      m->kind.n, m->proto.p, m->proto.n, m->formats.p,
			      m->formats.n);

	if (!err && m->mid.n)
		err = print_text(mb, "a=mid:", m->mid);
	return err ? err : mbuf_write_str(mb, "a=inactive\r\n");
}

static int print_session(struct mbuf *mb, const struct sdp_offer *o,
			 const struct sdp_answerer *who)
{
	int err = mbuf_printf(mb,
			      "v=0\r\no=- %llu %u IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
			      "a=ice-lite\r\n",
			      (unsigned long long)(who->id >> 1), who->version);

	if (err || !o->bundle.n)
		return err;
	err = mbuf_write_str(mb, "a=group:BUNDLE");
	for (unsigned i = 0; i < o->n_media && !err; i++)
		if (o->mediav[i].taken && o->mediav[i].mid.n)
			err = mbuf_printf(mb, " %b", o->mediav[i].mid.p,
					  o->mediav[i].mid.n);
	return err ? err : mbuf_write_str(mb, "\r\n");
}

int sdp_answer_print(struct body **bp, const struct sdp_offer *o,
		     const struct sdp_answerer *who)
{
	struct mbuf *mb = mbuf_alloc(2048);
	bool first = true;
	int err = mb ? print_session(mb, o, who) : ENOMEM;

	for (unsigned i = 0; i < o->n_media && !err; i++) {
		const struct sdp_offer_media *m = &o->mediav[i];

		if (m->taken) {
			err = print_taken(mb, m, who, who->first_ssrc + i, first);
			first = false;
		} else {
			err = print_refused(mb, m);
		}
	}
	if (!err)
		err = body_alloc(bp, mb->buf, mb->end);
	mem_deref(mb);
	return err;
}
