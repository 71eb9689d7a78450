/* gateway/sdp_anchor_media.c - what descriptions of an anchored call come to for the media plane: transports, keys,
 * streams.
 *
 * Pure. Called by sdp_anchor.c and path_anchor.c. RFC 8839 (ICE), RFC 8122 (fingerprint), RFC 8842 (setup), RFC 4568
 * (SDES), RFC 5761 (rtcp-mux). */
#include "gateway/sdp_anchor_own.h"

const char *anchor_section_check(enum leg_media speaks, const struct sdp_section *m)
{
	bool dtls = speaks == LEG_WEBRTC || speaks == LEG_DTLS;

	if (speaks == LEG_RTP && m->profile != SDP_AVP)
		return "its media are not plain RTP (RTP/AVP), which is agreed here";
	if (speaks == LEG_SDES && m->profile != SDP_SAVP)
		return "its media are not SRTP with keys in the description (RTP/SAVP), which "
		       "is agreed here";
	if (dtls && m->profile != SDP_DTLS_SAVPF)
		return "its media are not SRTP with keys by DTLS (UDP/TLS/RTP/SAVPF), which is "
		       "agreed here";
	if (dtls && !m->n_fingerprints)
		return m->weak_fingerprint
			       ? "its certificate's fingerprint is not sha-256 or better"
			       : "it has no fingerprint of a certificate";
	if (speaks == LEG_SDES && !m->n_cryptos)
		return "it has no key for SRTP (a=crypto) that could be used";
	if (!m->n_codecs)
		return "it names no codec that can pass";
	if (speaks != LEG_WEBRTC)
		return NULL;
	if (!m->ufrag.n || !m->pwd.n)
		return "it has no ICE credentials";
	if (!m->rtcp_mux)
		return "it wants a port of its own for RTCP (no a=rtcp-mux)";
	if (m->setup == SDP_PASSIVE)
		return "it would be the server of DTLS, and so is this end";
	return NULL;
}

bool anchor_suite_fits(const struct anchor_line *l, unsigned side,
		       const struct sdp_section *m)
{
	return m->profile != SDP_SAVP ||
	       (m->n_cryptos && m->cryptov[0].sdes.suite == anchor_suite(l, side));
}

void anchor_section_take(struct anchor_line *l, unsigned side,
			 const struct sdp_section *m)
{
	l->feedbackv[side] = m->feedback;
	if (m->mid_ext)
		l->mid_extv[side] = m->mid_ext;
	if (m->n_cryptos) {
		l->tagv[side] = m->cryptov[0].tag;
		l->suitev[side] = m->cryptov[0].sdes.suite;
	}
}

static void text_take(char *out, size_t size, struct sdp_text t)
{
	size_t n = t.n < size ? t.n : 0; /* sdp_check() has seen that it fits */

	if (n)
		memcpy(out, t.p, n);
	out[n] = '\0';
}

static void plain_take(struct media_remote *r, size_t row, const struct sdp_section *m)
{
	struct media_plain *p = &r->plainv[row];

	p->rtp = m->rtp;
	p->rtcp = m->rtcp;
	p->rtcp_mux = m->rtcp_mux;
	if (m->n_cryptos)
		p->sdes = m->cryptov[0].sdes;
	if (r->n_plain <= row)
		r->n_plain = row + 1;
}

size_t anchor_row(const struct sdp_anchor *a, unsigned side, const struct anchor_line *l)
{
	return !anchor_one_transport(a, side) && l->kind == SDP_VIDEO ? 1 : 0;
}

int anchor_transport_take(const struct sdp_anchor *a, struct anchor_state *s,
			  unsigned side, const struct sdp_desc *in, const char **whyp)
{
	const struct anchor_side *before = &a->now.sidev[side];
	struct anchor_side *to = &s->sidev[side];
	struct media_remote *r = &to->remote;
	const struct sdp_section *first = NULL;

	memset(r, 0, sizeof(*r));
	for (unsigned i = 0; i < in->n_media; i++) {
		int line = to->slotv[i].line;
		const struct sdp_section *m = &in->mediav[i];

		if (line == ANCHOR_NONE || s->linev[line].source != (int)i)
			continue;
		if (!first)
			first = m;
		if (first == m || !anchor_one_transport(a, side))
			plain_take(r, anchor_row(a, side, &s->linev[line]), m);
	}
	if (!first)
		return 0;
	text_take(r->ufrag, sizeof(r->ufrag), first->ufrag);
	text_take(r->pwd, sizeof(r->pwd), first->pwd);
	r->lite = in->ice_lite;
	if (anchor_one_transport(a, side)) {
		r->dtls_server = first->setup == SDP_PASSIVE;
		r->n_fingerprints = first->n_fingerprints;
		memcpy(r->fingerprintv, first->fingerprintv, sizeof(r->fingerprintv));
	}
	if (before->described && before->remote.n_fingerprints &&
	    !media_fingerprints_within(r->fingerprintv, r->n_fingerprints,
				       before->remote.fingerprintv,
				       before->remote.n_fingerprints)) {
		*whyp = "its certificate is another one than before";
		return EBADMSG;
	}
	to->described = true;
	to->ended = first->ended;
	return 0;
}

/* ---- streams ---- */

static enum media_codec codec_work(enum sdp_codec_id id)
{
	return id == SDP_CN                                    ? MEDIA_CODEC_NOISE
	       : id == SDP_EVENT_8000 || id == SDP_EVENT_48000 ? MEDIA_CODEC_EVENT
							       : MEDIA_CODEC_PLAYS;
}

static void stream_fill(struct media_stream *st, const struct sdp_anchor *a,
			const struct anchor_state *s, unsigned line, unsigned side)
{
	const struct anchor_line *l = &s->linev[line];
	const char *mid = l->slotv[side] == ANCHOR_NONE
				  ? ""
				  : s->sidev[side].slotv[l->slotv[side]].mid;

	st->ssrc = a->setup.first_ssrc[side] + line;
	st->sends = l->by == side ? anchor_receives(l->direction)
				  : anchor_sends(l->direction);
	st->plain = (uint8_t)anchor_row(a, side, l);
	st->feedback = l->feedbackv[side];
	if (anchor_one_transport(a, side)) {
		st->mid_ext = l->mid_extv[side];
		if (strlen(mid) < sizeof(st->mid))
			memcpy(st->mid, mid, strlen(mid) + 1);
	}
	for (size_t i = 0; i < l->n_rows; i++) {
		const struct anchor_codec *c = &l->codecv[l->rowv[i].codecv[side]];
		struct media_type *t = &st->typev[st->n_types++];

		t->pt = c->ptv[side];
		t->codec = (uint8_t)codec_work(c->id);
		t->clock_rate = sdp_codec_kind(c->id)->clock_rate;
		if (i == 0)
			st->clock_rate = t->clock_rate;
	}
}

void sdp_anchor_remote(struct media_remote *r, const struct sdp_anchor *a, unsigned side)
{
	const struct anchor_state *s = anchor_state(a);

	*r = s->sidev[side].remote;
	r->n_streams = 0;
	memset(r->streamv, 0, sizeof(r->streamv));
	for (unsigned i = 0; i < s->n_lines; i++)
		if (s->linev[i].taken && r->n_streams < MEDIA_STREAMS_MAX)
			stream_fill(&r->streamv[r->n_streams++], a, s, i, side);
}

bool sdp_anchor_restarts(const struct sdp_anchor *a, unsigned side)
{
	const struct media_remote *before = &a->now.sidev[side].remote,
				  *then = &anchor_state(a)->sidev[side].remote;

	return before->ufrag[0] && then->ufrag[0] &&
	       strcmp(before->ufrag, then->ufrag) != 0;
}

const struct body *sdp_anchor_body(const struct sdp_anchor *a, unsigned side)
{
	const struct sdp_desc *d = side == a->from ? a->offer : a->answer;

	return d ? d->body : NULL;
}
