/* webrtc/media/echo_rtcp.c - a party hears itself: RTCP.
 *
 * Pure, on its session's thread. Called by session.c; calls packet.c and reception.c. What is not understood,
 * or speaks of streams that are not there, is dropped. RFC 3550 §6 (SR, SDES), RFC 4585 §6 (NACK, PLI),
 * RFC 5104 §4.3.1 (FIR), draft-alvestrand-rmcat-remb-03. */
#include "webrtc/media/echo_own.h"

enum {
	SR_INFO = 20, /* NTP 8, RTP 4, packets 4, bytes 4, behind the SSRC */
	FB_HEAD = 12,
	FMT_NACK = 1,
	FMT_PLI = 1,
	FMT_FIR = 4,
	FMT_AFB = 15, /* REMB */
	SECOND_US = 1000000,
	KEYS_A_SECOND = 2,
	NACKS_A_SECOND = 100,
};

struct out {
	uint8_t *p;
	size_t n, size;
};

/** Room for `n` bytes more, or NULL. */
static uint8_t *room(struct out *o, size_t n)
{
	uint8_t *p = o->p + o->n;

	if (n > o->size - o->n)
		return NULL;
	o->n += n;
	return p;
}

static void head(uint8_t *p, unsigned count, enum rtcp_type type, size_t n)
{
	p[0] = (uint8_t)(0x80 | count);
	p[1] = (uint8_t)type;
	be16_put(p + 2, (uint16_t)(n / 4 - 1));
}

/** Every compound names its source (RFC 3550 §6.1). */
static void put_sdes(struct out *o, uint32_t ssrc, const char *cname)
{
	size_t n_name = strlen(cname), n = (8 + 2 + n_name + 1 + 3) & ~(size_t)3;
	uint8_t *p = room(o, n);

	if (!p)
		return;
	memset(p, 0, n);
	head(p, 1, RTCP_SDES, n);
	be32_put(p + 4, ssrc);
	p[8] = 1; /* CNAME */
	p[9] = (uint8_t)n_name;
	memcpy(p + 10, cname, n_name);
}

/** Ours has the party's clock: it is the party's stream. Answered at once, so its report has no delay. */
static void on_sr(struct echo *e, struct out *o, const struct rtcp_part *part)
{
	struct echo_stream *s = echo_stream_of(e, part->ssrc);
	size_t n = 8 + SR_INFO + RECEPTION_BLOCK;
	uint8_t *p;

	if (!s || part->n < 8 + SR_INFO)
		return;
	if (!s->n_sent) { /* nothing of ours to report on: only how theirs comes */
		p = room(o, 8 + RECEPTION_BLOCK);
		if (!p)
			return;
		head(p, 1, RTCP_RR, 8 + RECEPTION_BLOCK);
		be32_put(p + 4, s->setup.ssrc);
		reception_block(&s->reception, p + 8, s->in_ssrc, be32(part->p + 10));
	} else {
		p = room(o, n);
		if (!p)
			return;
		head(p, 1, RTCP_SR, n);
		be32_put(p + 4, s->setup.ssrc);
		memcpy(p + 8, part->p + 8, 8);
		be32_put(p + 16, be32(part->p + 16) + s->ts_add);
		be32_put(p + 20, s->n_sent);
		be32_put(p + 24, s->n_sent_bytes);
		reception_block(&s->reception, p + 28, s->in_ssrc, be32(part->p + 10));
	}
	put_sdes(o, s->setup.ssrc, e->cname);
}

static struct echo_stream *stream_ours(struct echo *e, uint32_t ssrc)
{
	for (size_t i = 0; i < e->n_streams; i++)
		if (e->streamv[i].started && e->streamv[i].setup.ssrc == ssrc)
			return &e->streamv[i];
	return NULL;
}

/** Feedback is a compound's second part: an empty receiver report and the name come first. */
static uint8_t *put_feedback(struct echo *e, struct out *o, const struct echo_stream *s,
			     unsigned fmt, enum rtcp_type type, size_t n)
{
	uint8_t *p;

	if (!o->n) {
		p = room(o, 8);
		if (!p)
			return NULL;
		head(p, 0, RTCP_RR, 8);
		be32_put(p + 4, s->setup.ssrc);
		put_sdes(o, s->setup.ssrc, e->cname);
	}
	p = room(o, n);
	if (!p)
		return NULL;
	head(p, fmt, type, n);
	be32_put(p + 4, s->setup.ssrc);
	be32_put(p + 8, s->in_ssrc);
	return p;
}

static void on_nack(struct echo *e, struct out *o, const struct rtcp_part *part,
		    uint64_t now_us)
{
	struct echo_stream *s = stream_ours(e, be32(part->p + 8));
	uint8_t *p;

	if (!s)
		return;
	if (now_us - s->nack_us >= SECOND_US) {
		s->nack_us = now_us;
		s->n_nacks = 0;
	}
	if (s->n_nacks++ >= NACKS_A_SECOND)
		return;
	p = put_feedback(e, o, s, FMT_NACK, RTCP_RTPFB, part->n);
	for (size_t at = FB_HEAD; p && at + 4 <= part->n; at += 4) {
		be16_put(p + at, be16(part->p + at) - s->seq_add);
		memcpy(p + at + 2, part->p + at + 2, 2);
	}
}

static bool key_may_be_asked(struct echo_stream *s, uint64_t now_us)
{
	if (s->key_us && now_us - s->key_us < SECOND_US / KEYS_A_SECOND)
		return false;
	s->key_us = now_us;
	return true;
}

static void on_fir(struct echo *e, struct out *o, const struct rtcp_part *part,
		   uint64_t now_us)
{
	for (size_t at = FB_HEAD; at + 8 <= part->n; at += 8) {
		struct echo_stream *s = stream_ours(e, be32(part->p + at));
		uint8_t *p;

		if (!s || !key_may_be_asked(s, now_us))
			continue;
		p = put_feedback(e, o, s, FMT_FIR, RTCP_PSFB, FB_HEAD + 8);
		if (!p)
			return;
		be32_put(p + 8, 0);
		memcpy(p + FB_HEAD, part->p + at, 8);
		be32_put(p + FB_HEAD, s->in_ssrc);
	}
}

/** "REMB", number of SSRCs, exponent and mantissa, SSRCs: what it can take is what it may send. */
static void on_remb(struct echo *e, struct out *o, const struct rtcp_part *part)
{
	size_t n = part->n > FB_HEAD + 8 ? part->p[FB_HEAD + 4] : 0;

	if (!n || memcmp(part->p + FB_HEAD, "REMB", 4) != 0 ||
	    FB_HEAD + 8 + 4 * n > part->n)
		return;
	for (size_t i = 0; i < n; i++) {
		struct echo_stream *s =
			stream_ours(e, be32(part->p + FB_HEAD + 8 + 4 * i));
		uint8_t *p;

		if (!s)
			continue;
		p = put_feedback(e, o, s, FMT_AFB, RTCP_PSFB, FB_HEAD + 12);
		if (!p)
			return;
		be32_put(p + 8, 0);
		memcpy(p + FB_HEAD, part->p + FB_HEAD, 8);
		p[FB_HEAD + 4] = 1;
		be32_put(p + FB_HEAD + 8, s->in_ssrc);
		return; /* one estimate for the whole transport: once is enough */
	}
}

static void on_psfb(struct echo *e, struct out *o, const struct rtcp_part *part,
		    uint64_t now_us)
{
	struct echo_stream *s;

	switch (part->count) {
	case FMT_PLI:
		s = stream_ours(e, be32(part->p + 8));
		if (s && key_may_be_asked(s, now_us))
			(void)put_feedback(e, o, s, FMT_PLI, RTCP_PSFB, FB_HEAD);
		break;
	case FMT_FIR:
		on_fir(e, o, part, now_us);
		break;
	case FMT_AFB:
		on_remb(e, o, part);
		break;
	default:
		break;
	}
}

size_t echo_rtcp(struct echo *e, uint8_t *out, size_t size, const uint8_t *p, size_t n,
		 uint64_t now_us)
{
	struct out o = {.p = out, .size = size < ECHO_RTCP_MAX ? size : ECHO_RTCP_MAX};
	struct rtcp_part part;
	size_t at = 0;

	while (rtcp_next(&part, p, n, &at)) {
		if (part.type == RTCP_SR)
			on_sr(e, &o, &part);
		else if (part.n < FB_HEAD)
			continue;
		else if (part.type == RTCP_RTPFB && part.count == FMT_NACK)
			on_nack(e, &o, &part, now_us);
		else if (part.type == RTCP_PSFB)
			on_psfb(e, &o, &part, now_us);
	}
	return o.n;
}
