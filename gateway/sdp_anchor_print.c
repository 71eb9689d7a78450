/* gateway/sdp_anchor_print.c - our descriptions in an anchored call, in the dialect of the side that they are for.
 *
 * Pure. Called by path_anchor.c. What it prints passes sdp_check() and is read again by sdp_desc_read(): the fuzz
 * target says so. RFC 8829 §5.2, §5.3 (offers, answers), RFC 8839 (ICE), RFC 8842 (setup), RFC 8843 §7 (BUNDLE),
 * RFC 3605 (rtcp), RFC 4568 (crypto), RFC 4585 §4.2 (rtcp-fb), RFC 5761 (rtcp-mux). */
#include "gateway/sdp_anchor_own.h"

#include "lib/secret.h"

enum {
	HOST = 126,  /* type preference of a host candidate (RFC 8445 §5.1.2.2) */
	MID_EXT = 1, /* id of the mid extension in offers of ours */
};

/** One description that is being printed. */
struct printer {
	struct mbuf *mb;
	const struct sdp_anchor *a;
	const struct anchor_state *s;
	const struct sdp_desc *source; /**< the other side's; NULL: none */
	const struct sdp_anchor_local *local;
	unsigned to;
	bool offer;
	enum leg_media speaks;
	int first; /**< slot that has the transport; ANCHOR_NONE: none */
};

/** Fails once, and prints nothing more then: the buffer remembers no error, so each step is asked. */
static int line(struct printer *p, const char *fmt, ...)
{
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = mbuf_vprintf(p->mb, fmt, ap);
	va_end(ap);
	return err ? err : mbuf_write_str(p->mb, "\r\n");
}

static const struct anchor_line *line_of(const struct printer *p, unsigned slot)
{
	int n = p->s->sidev[p->to].slotv[slot].line;
	const struct anchor_line *l = n == ANCHOR_NONE ? NULL : &p->s->linev[n];

	return l && (p->offer ? l->offered : l->taken) ? l : NULL;
}

static const struct sdp_section *section_of(const struct printer *p,
					    const struct anchor_line *l)
{
	return p->source && l->source != ANCHOR_NONE ? &p->source->mediav[l->source]
						     : NULL;
}

/** Where this line's media are to come, in the family of the party's own address; unset: nowhere yet. */
static struct sa address_of(const struct printer *p, const struct anchor_line *l)
{
	const struct media_local *m = p->local->media;
	size_t row = anchor_row(p->a, p->to, l);
	int af = sa_af(&p->s->sidev[p->to].remote.plainv[row].rtp);
	struct sa sa = p->local->ice ? m->addrv[0] : m->plainv[row].rtp;

	if (af == AF_UNSPEC || sa_af(&sa) == af)
		return sa;
	for (size_t i = 0; i < m->n_addrs; i++)
		if (sa_af(&m->addrv[i]) == af) {
			uint16_t port = sa_port(&sa);

			sa = m->addrv[i];
			sa_set_port(&sa, port);
			break;
		}
	return sa;
}

static const char *family(const struct sa *sa)
{
	return sa_af(sa) == AF_INET6 ? "IP6" : "IP4";
}

/** "IN IP4 192.0.2.1" */
static int print_address(struct printer *p, const char *head, const struct sa *sa)
{
	if (!sa_isset(sa, SA_ADDR))
		return line(p, "%sIN IP4 0.0.0.0", head);
	return line(p, "%sIN %s %j", head, family(sa), sa);
}

/* ---- transports ---- */

static int print_fingerprint(struct printer *p, const struct media_fingerprint *f)
{
	int err = mbuf_write_str(p->mb, "a=fingerprint:sha-256 ");

	for (size_t i = 0; i < f->n_bytes && !err; i++)
		err = mbuf_printf(p->mb, "%s%02X", i ? ":" : "", f->v[i]);
	return err ? err : mbuf_write_str(p->mb, "\r\n");
}

static int print_candidates(struct printer *p)
{
	const struct media_local *m = p->local->media;
	int err = 0;

	for (size_t i = 0; i < m->n_addrs && !err; i++) {
		uint32_t priority =
			(uint32_t)HOST << 24 | (uint32_t)(65535 - i) << 8 | 255;

		err = line(p, "a=candidate:%zu 1 udp %u %j %u typ host", i + 1, priority,
			   &m->addrv[i], sa_port(&m->addrv[i]));
	}
	return err ? err : line(p, "a=end-of-candidates");
}

static int print_ice(struct printer *p, bool first)
{
	const struct media_local *m = p->local->media;
	int err = line(p, "a=ice-ufrag:%s\r\na=ice-pwd:%s", m->ufrag, m->pwd);

	/* RFC 8843 §7.1.3: only in the section that the others are bundled with */
	if (!err && first)
		err = print_candidates(p);
	return err;
}

static int print_dtls(struct printer *p)
{
	const struct media_remote *r = &p->s->sidev[p->to].remote;
	int err = print_fingerprint(p, &p->local->media->fingerprint);

	if (err)
		return err;
	return line(p, "a=setup:%s",
		    p->offer         ? "actpass"
		    : r->dtls_server ? "active"
				     : "passive");
}

static int print_sdes(struct printer *p, const struct anchor_line *l)
{
	struct media_sdes sdes = p->local->media->plainv[anchor_row(p->a, p->to, l)].sdes;
	uint32_t tag = l->tagv[p->to];
	char text[SDES_TEXT];
	int err;

	sdes.suite = anchor_suite(l, p->to);
	err = sdes_print(text, tag ? tag : 1, &sdes);
	if (!err)
		err = line(p, "a=crypto:%s", text);
	secret_wipe(text, sizeof(text));
	secret_wipe(&sdes, sizeof(sdes));
	return err;
}

/** RTCP beside RTP, or at a port of its own: offered both ways, answered as offered. */
static int print_rtcp(struct printer *p, const struct anchor_line *l)
{
	size_t row = anchor_row(p->a, p->to, l);
	const struct sa *rtcp = &p->local->media->plainv[row].rtcp;
	bool mux = p->offer || p->local->ice ||
		   p->s->sidev[p->to].remote.plainv[row].rtcp_mux;
	int err = 0;

	if (!p->local->ice && sa_isset(rtcp, SA_ADDR) && (p->offer || !mux))
		err = line(p, "a=rtcp:%u", sa_port(rtcp));
	if (!err && mux)
		err = line(p, "a=rtcp-mux");
	return err;
}

static int print_transport(struct printer *p, const struct anchor_line *l, bool first)
{
	int err = 0;

	if (p->local->ice)
		err = print_ice(p, first);
	if (!err && anchor_one_transport(p->a, p->to))
		err = print_dtls(p);
	if (!err && p->speaks == LEG_SDES)
		err = print_sdes(p, l);
	return err ? err : print_rtcp(p, l);
}

/* ---- codecs ---- */

/** What the other side said of it, or what it cannot do without. */
static int print_fmtp(struct printer *p, uint8_t pt, const struct anchor_codec *c,
		      const struct sdp_codec *source)
{
	if (source && source->id == c->id) {
		if (!source->fmtp.n)
			return 0;
		return line(p, "a=fmtp:%u %b", pt, source->fmtp.p, source->fmtp.n);
	}
	if (c->id == SDP_H264)
		return line(p, "a=fmtp:%u packetization-mode=%u;profile-level-id=%04x1f",
			    pt, c->mode, c->profile);
	if (c->id == SDP_EVENT_8000 || c->id == SDP_EVENT_48000)
		return line(p, "a=fmtp:%u 0-15", pt);
	return 0;
}

/** DEVIATES from RFC 4585 §4: for video it is said in RTP/AVP, too; baresip and Linphone do likewise, and without a
 *  request for a key frame there would be no picture after a lost one. */
static int print_feedback(struct printer *p, uint8_t pt, const struct anchor_line *l,
			  const struct sdp_codec *source)
{
	bool full = l->feedbackv[!p->to] && anchor_one_transport(p->a, p->to);
	int err = 0;

	if (l->kind != SDP_VIDEO)
		return 0;
	if (full && source && source->nack)
		err = line(p, "a=rtcp-fb:%u nack", pt);
	if (!err && (!full || !source || source->pli))
		err = line(p, "a=rtcp-fb:%u nack pli", pt);
	if (!err && (!full || !source || source->fir))
		err = line(p, "a=rtcp-fb:%u ccm fir", pt);
	if (!err && full && source && source->remb)
		err = line(p, "a=rtcp-fb:%u goog-remb", pt);
	return err;
}

static int print_codec(struct printer *p, const struct anchor_line *l, size_t row)
{
	const struct anchor_row *r = &l->rowv[row];
	const struct anchor_codec *c = &l->codecv[r->codecv[p->to]];
	const struct sdp_codec_kind *k = sdp_codec_kind(c->id);
	const struct sdp_section *m = section_of(p, l);
	const struct sdp_codec *source =
		m && r->source != ANCHOR_NO_SOURCE ? &m->codecv[r->source] : NULL;
	uint8_t pt = c->ptv[p->to];
	int err = line(p, "a=rtpmap:%u %s/%u%s", pt, k->name, k->clock_rate,
		       k->channels == 2 ? "/2" : "");

	if (!err)
		err = print_fmtp(p, pt, c, source);
	return err ? err : print_feedback(p, pt, l, source);
}

static int print_codecs(struct printer *p, const struct anchor_line *l)
{
	const struct sdp_section *m = section_of(p, l);
	int err = 0;

	for (size_t i = 0; i < l->n_rows && !err; i++)
		err = print_codec(p, l, i);
	if (!err && m && m->ptime)
		err = line(p, "a=ptime:%u", m->ptime);
	if (!err && m && m->maxptime)
		err = line(p, "a=maxptime:%u", m->maxptime);
	return err;
}

/* ---- sections ---- */

static const char *direction_name(enum sdp_direction d)
{
	static const char *const names[] = {
		[SDP_SENDRECV] = "sendrecv",
		[SDP_SENDONLY] = "sendonly",
		[SDP_RECVONLY] = "recvonly",
		[SDP_INACTIVE] = "inactive",
	};

	return names[d];
}

/** What a browser tells streams and sections apart by. */
static int print_names(struct printer *p, const struct anchor_line *l)
{
	unsigned n = (unsigned)(l - p->s->linev);
	uint8_t ext = l->mid_extv[p->to];
	int err = 0;

	if (p->speaks == LEG_WEBRTC && p->offer && !ext)
		ext = MID_EXT;
	if (ext && anchor_one_transport(p->a, p->to))
		err = line(p, "a=extmap:%u " SDP_MID_URI, ext);
	/* also while nothing is sent: see sdp_answer.c */
	if (err || p->speaks != LEG_WEBRTC)
		return err;
	return line(p, "a=msid:sluss sluss-%u\r\na=ssrc:%u cname:%016llx", n,
		    p->a->setup.first_ssrc[p->to] + n,
		    (unsigned long long)p->a->setup.id);
}

static int print_bandwidth(struct printer *p, const struct sdp_section *m)
{
	int err = 0;

	if (m && m->b_as)
		err = line(p, "b=AS:%u", m->b_as);
	if (!err && m && m->b_tias)
		err = line(p, "b=TIAS:%u", m->b_tias);
	return err;
}

static int print_section(struct printer *p, unsigned slot, const struct anchor_line *l)
{
	const struct anchor_slot *sl = &p->s->sidev[p->to].slotv[slot];
	const struct sa sa = address_of(p, l);
	bool first = (int)slot == p->first;
	/* RFC 8843 §7.2.1: who does not bundle refuses it by itself */
	bool bundle_only =
		p->offer && anchor_one_transport(p->a, p->to) && !first && !l->was_taken;
	int err = mbuf_printf(p->mb, "m=%s %u %s", sl->kind,
			      bundle_only              ? 0
			      : sa_isset(&sa, SA_ADDR) ? sa_port(&sa)
						       : 9,
			      sl->proto);

	for (size_t i = 0; i < l->n_rows && !err; i++)
		err = mbuf_printf(p->mb, " %u",
				  l->codecv[l->rowv[i].codecv[p->to]].ptv[p->to]);
	if (!err)
		err = line(p, "");
	if (!err)
		err = print_address(p, "c=", &sa);
	if (!err)
		err = print_bandwidth(p, section_of(p, l));
	if (!err && sl->mid[0])
		err = line(p, "a=mid:%s", sl->mid);
	if (!err && bundle_only)
		err = line(p, "a=bundle-only");
	if (!err)
		err = line(p, "a=%s", direction_name(l->direction));
	if (!err)
		err = print_transport(p, l, first);
	if (!err)
		err = print_codecs(p, l);
	return err ? err : print_names(p, l);
}

static int print_refused(struct printer *p, unsigned slot)
{
	const struct anchor_slot *sl = &p->s->sidev[p->to].slotv[slot];
	int err = line(p, "m=%s 0 %s %s\r\nc=IN IP4 0.0.0.0", sl->kind, sl->proto,
		       sl->format);

	if (!err && sl->mid[0])
		err = line(p, "a=mid:%s", sl->mid);
	return err ? err : line(p, "a=inactive");
}

/* ---- the whole ---- */

/** Our offer bundles all; an answer what the offer did. */
static int print_group(struct printer *p)
{
	const struct anchor_side *side = &p->s->sidev[p->to];
	unsigned n = 0;
	int err = 0;

	if (!anchor_one_transport(p->a, p->to))
		return 0;
	for (unsigned i = 0; i < side->n_slots && !err; i++) {
		const struct anchor_slot *sl = &side->slotv[i];

		if (!line_of(p, i) || !sl->mid[0] || (!p->offer && !sl->bundled))
			continue;
		err = mbuf_printf(p->mb, "%s %s", n++ ? "" : "a=group:BUNDLE", sl->mid);
	}
	return err || !n ? err : line(p, "");
}

static int print_session(struct printer *p, unsigned version)
{
	const struct anchor_line *l =
		p->first == ANCHOR_NONE ? NULL : line_of(p, (unsigned)p->first);
	struct sa sa;
	int err = mbuf_printf(p->mb, "v=0\r\no=- %llu %u ",
			      (unsigned long long)(p->a->setup.id >> 1), version);

	if (!err && l && p->speaks != LEG_WEBRTC) {
		sa = address_of(p, l);
		err = print_address(p, "", &sa);
	} else if (!err) {
		err = line(p, "IN IP4 127.0.0.1");
	}
	if (!err)
		err = line(p, "s=-\r\nt=0 0");
	if (!err && p->local->ice && p->local->lite)
		err = line(p, "a=ice-lite");
	return err ? err : print_group(p);
}

static int first_slot(const struct printer *p)
{
	for (unsigned i = 0; i < p->s->sidev[p->to].n_slots; i++)
		if (line_of(p, i))
			return (int)i;
	return ANCHOR_NONE;
}

int sdp_anchor_print(struct body **bp, struct sdp_anchor *a, unsigned to,
		     const struct sdp_anchor_local *local)
{
	struct printer p = {
		.mb = mbuf_alloc(2048),
		.a = a,
		.s = anchor_state(a),
		.local = local,
		.to = to,
		.offer = !a->answered,
		.speaks = a->setup.speaksv[to],
	};
	int err = 0;

	if (!p.mb)
		return ENOMEM;
	p.source = p.offer ? a->offer : a->answer;
	p.first = first_slot(&p);
	err = print_session(&p, a->versionv[to] + 1);
	for (unsigned i = 0; i < p.s->sidev[to].n_slots && !err; i++) {
		const struct anchor_line *l = line_of(&p, i);

		err = l ? print_section(&p, i, l) : print_refused(&p, i);
	}
	if (!err)
		err = body_alloc(bp, p.mb->buf, p.mb->end);
	if (!err)
		a->versionv[to]++;
	secret_wipe(p.mb->buf, p.mb->size);
	mem_deref(p.mb);
	return err;
}
