/* webrtc/media/anchor_rtcp.c - RTCP: what a party reports, and what the other is told.
 *
 * Pure, on its session's thread. Called by session code; calls packet.c and reception.c. What is not understood,
 * or speaks of streams that are not there, is dropped. RFC 3550 §6 (SR, RR, SDES, BYE), RFC 4585 §6 (NACK, PLI),
 * RFC 5104 §4.3.1 (FIR), draft-alvestrand-rmcat-remb-03. */
#include "webrtc/media/anchor_own.h"

enum {
	SR_BYTES = 28, /* with its SSRC: NTP 8, RTP 4, packets 4, bytes 4 */
	RR_BYTES = 8,
	FB_HEAD = 12,
	FMT_NACK = 1,
	FMT_PLI = 1,
	FMT_FIR = 4,
	FMT_AFB = 15, /* REMB */
	SECOND_US = 1000000,
	KEYS_A_SECOND = 2,
	NACKS_A_SECOND = 100,
	REPORT_GAP_US = 250000,
};

/* ---- what a party says ---- */

/** The party's stream with this SSRC. */
static struct anchor_stream *stream_theirs(struct anchor_side *s, uint32_t ssrc)
{
	for (size_t i = 0; i < s->n_streams; i++)
		if (s->streamv[i].in.started && s->streamv[i].in.ssrc == ssrc)
			return &s->streamv[i];
	return NULL;
}

/** The number of the stream that we send to it with this SSRC, or -1. */
static int stream_ours(const struct anchor_side *s, uint32_t ssrc)
{
	for (unsigned i = 0; i < s->n_streams; i++)
		if (s->streamv[i].setup.ssrc == ssrc)
			return (int)i;
	return -1;
}

/** The stream of the other party's that one of ours carries on: whom feedback about ours is for. */
static struct anchor_stream *source_of(struct anchor *a, unsigned side, uint32_t ssrc)
{
	int k = stream_ours(&a->sidev[side], ssrc);
	struct anchor_side *other = &a->sidev[!side];

	if (k < 0 || (size_t)k >= other->n_streams || !other->streamv[k].in.started ||
	    !other->streamv[k].setup.feedback)
		return NULL;
	return &other->streamv[k];
}

static void blocks_take(struct anchor_side *s, const struct rtcp_part *part, size_t at)
{
	for (unsigned i = 0; i < part->count && at + RECEPTION_BLOCK <= part->n; i++) {
		int k = stream_ours(s, be32(part->p + at));

		if (k >= 0)
			s->streamv[k].named = true;
		at += RECEPTION_BLOCK;
	}
}

static void sr_take(struct anchor *a, unsigned side, const struct rtcp_part *part,
		    uint64_t now_us)
{
	struct anchor_stream *s = stream_theirs(&a->sidev[side], part->ssrc);
	struct anchor_due *due;

	if (!s || part->n < SR_BYTES)
		return;
	memcpy(s->in.sr, part->p + 8, SR_CLOCK);
	s->in.sr_ts = be32(part->p + 16);
	s->in.sr_us = now_us;
	s->in.has_sr = true;
	due = &a->sidev[!side].streamv[s - a->sidev[side].streamv].due;
	if (!due->reported_us || now_us - due->reported_us >= REPORT_GAP_US)
		a->waits = due->report = true;
}

static bool key_may_be_asked(struct anchor_due *due, uint64_t now_us)
{
	if (due->key_us && now_us - due->key_us < SECOND_US / KEYS_A_SECOND)
		return false;
	due->key_us = now_us;
	return true;
}

static void pli_take(struct anchor *a, struct anchor_stream *s, uint64_t now_us)
{
	if (s && key_may_be_asked(&s->due, now_us))
		a->waits = s->due.pli = true;
}

static void fir_take(struct anchor *a, unsigned side, const struct rtcp_part *part,
		     uint64_t now_us)
{
	for (size_t at = FB_HEAD; at + 8 <= part->n; at += 8) {
		struct anchor_stream *s = source_of(a, side, be32(part->p + at));

		if (!s || !key_may_be_asked(&s->due, now_us))
			continue;
		s->due.fir_seq = part->p[at + 4];
		a->waits = s->due.fir = true;
	}
}

/** "REMB", number of SSRCs, exponent and mantissa, SSRCs: one estimate for the whole transport. */
static void remb_take(struct anchor *a, unsigned side, const struct rtcp_part *part)
{
	size_t n = part->n > FB_HEAD + 8 ? part->p[FB_HEAD + 4] : 0;

	if (!n || memcmp(part->p + FB_HEAD, "REMB", 4) != 0 ||
	    FB_HEAD + 8 + 4 * n > part->n)
		return;
	for (size_t i = 0; i < n; i++) {
		struct anchor_stream *s =
			source_of(a, side, be32(part->p + FB_HEAD + 8 + 4 * i));

		if (!s)
			continue;
		memcpy(s->due.remb_v, part->p + FB_HEAD, 8);
		a->waits = s->due.remb = true;
		return;
	}
}

static void nack_take(struct anchor *a, unsigned side, const struct rtcp_part *part,
		      uint64_t now_us)
{
	struct anchor_stream *s = source_of(a, side, be32(part->p + 8));
	struct anchor_due *due;

	if (!s)
		return;
	due = &s->due;
	if (now_us - due->nack_us >= SECOND_US) {
		due->nack_us = now_us;
		due->n_nacks = 0;
	}
	for (size_t at = FB_HEAD; at + 4 <= part->n; at += 4) {
		/* ours to theirs: the era of what was sent last; those before it are too old to matter */
		uint16_t seq = (uint16_t)(be16(part->p + at) - s->in.era.add);

		if (due->n_nacks >= NACKS_A_SECOND ||
		    due->n_nack_bytes + 4 > sizeof(due->nackv))
			return;
		if ((int16_t)(seq - s->in.era.from) < 0 && s->in.has_before)
			seq = (uint16_t)(be16(part->p + at) - s->in.before.add);
		due->n_nacks++;
		be16_put(due->nackv + due->n_nack_bytes, seq);
		memcpy(due->nackv + due->n_nack_bytes + 2, part->p + at + 2, 2);
		due->n_nack_bytes += 4;
		a->waits = true;
	}
}

/** It has stopped: whoever comes next need not wait. What we send goes on, and is silent. */
static void bye_take(struct anchor_side *s, const struct rtcp_part *part)
{
	for (unsigned i = 0; i < part->count && 8 + 4 * (size_t)i <= part->n; i++) {
		struct anchor_stream *st = stream_theirs(s, be32(part->p + 4 + 4 * i));

		if (st)
			st->in.heard_us = 0;
	}
}

static void psfb_take(struct anchor *a, unsigned side, const struct rtcp_part *part,
		      uint64_t now_us)
{
	switch (part->count) {
	case FMT_PLI:
		pli_take(a, source_of(a, side, be32(part->p + 8)), now_us);
		break;
	case FMT_FIR:
		fir_take(a, side, part, now_us);
		break;
	case FMT_AFB:
		remb_take(a, side, part);
		break;
	default:
		break;
	}
}

void anchor_rtcp(struct anchor *a, unsigned side, const uint8_t *p, size_t n,
		 uint64_t now_us)
{
	struct rtcp_part part;
	size_t at = 0;

	while (rtcp_next(&part, p, n, &at)) {
		switch (part.type) {
		case RTCP_SR:
			sr_take(a, side, &part, now_us);
			blocks_take(&a->sidev[side], &part, SR_BYTES);
			break;
		case RTCP_RR:
			blocks_take(&a->sidev[side], &part, RR_BYTES);
			break;
		case RTCP_BYE:
			bye_take(&a->sidev[side], &part);
			break;
		case RTCP_RTPFB:
			if (part.n >= FB_HEAD && part.count == FMT_NACK)
				nack_take(a, side, &part, now_us);
			break;
		case RTCP_PSFB:
			if (part.n >= FB_HEAD)
				psfb_take(a, side, &part, now_us);
			break;
		default:
			break;
		}
	}
}

/* ---- what the other is told ---- */

struct out {
	uint8_t *p;
	size_t n;
};

static uint8_t *part_add(struct out *o, unsigned count, enum rtcp_type type, size_t n,
			 uint32_t ssrc)
{
	uint8_t *p = o->p + o->n;

	memset(p, 0, n);
	p[0] = (uint8_t)(0x80 | count);
	p[1] = (uint8_t)type;
	be16_put(p + 2, (uint16_t)(n / 4 - 1));
	be32_put(p + 4, ssrc);
	o->n += n;
	return p;
}

static uint64_t be64(const uint8_t *p)
{
	return (uint64_t)be32(p) << 32 | be32(p + 4);
}

/** Microseconds in 2^-32 seconds. */
static uint64_t ntp_of_us(uint64_t us)
{
	return (us / 1000000) << 32 | ((us % 1000000) << 32) / 1000000;
}

/** The clock of the stream's own sender, carried on; where it tells none, ours since the machine has started. */
static void clock_write(uint8_t *p, const struct anchor_flow *f, uint64_t now_us)
{
	uint64_t ntp = ntp_of_us(now_us);
	uint32_t ts = f->out_ts + anchor_elapsed(f, f->clock, now_us);

	if (f->has_sr) {
		uint64_t us = now_us - f->sr_us;

		ntp = be64(f->sr) + ntp_of_us(us);
		ts = f->sr_ts + f->ts_add +
		     (uint32_t)(us / 1000000 * f->clock +
				us % 1000000 * f->clock / 1000000);
	}
	be32_put(p, (uint32_t)(ntp >> 32));
	be32_put(p + 4, (uint32_t)ntp);
	be32_put(p + 8, ts);
	be32_put(p + 12, f->n_sent);
	be32_put(p + 16, f->n_sent_bytes);
}

/** How the party's own stream arrives here. */
static void block_write(uint8_t *p, struct anchor_flow *in, uint64_t now_us)
{
	uint32_t lsr = in->has_sr ? be32(in->sr + 2) : 0;

	reception_block(&in->reception, p, in->ssrc, lsr);
	if (in->has_sr) /* DLSR: 1/65536 s */
		be32_put(p + 20, (uint32_t)((now_us - in->sr_us) * 1024 / 15625));
}

static void report_write(struct out *o, struct anchor_stream *s, struct anchor_flow *f,
			 uint64_t now_us)
{
	bool sent = f->n_sent != f->n_told, heard = s->in.started && s->in.reception.n;
	size_t head = sent ? SR_BYTES : RR_BYTES;
	uint8_t *p = part_add(o, heard, sent ? RTCP_SR : RTCP_RR,
			      head + (heard ? RECEPTION_BLOCK : 0), s->setup.ssrc);

	if (sent)
		clock_write(p + 8, f, now_us);
	if (heard)
		block_write(p + head, &s->in, now_us);
	f->n_told = f->n_sent;
	s->due.report = false;
	s->due.reported_us = now_us;
}

/** Every compound names its source (RFC 3550 §6.1). */
static void name_write(struct out *o, uint32_t ssrc, const char *cname)
{
	size_t n_name = strlen(cname), n = (8 + 2 + n_name + 1 + 3) & ~(size_t)3;
	uint8_t *p = part_add(o, 1, RTCP_SDES, n, ssrc);

	p[8] = 1; /* CNAME */
	p[9] = (uint8_t)n_name;
	memcpy(p + 10, cname, n_name);
}

static void feedback_write(struct out *o, struct anchor_stream *s)
{
	struct anchor_due *due = &s->due;
	uint32_t ours = s->setup.ssrc;
	uint8_t *p;

	if (due->n_nack_bytes) {
		p = part_add(o, FMT_NACK, RTCP_RTPFB, FB_HEAD + due->n_nack_bytes, ours);
		be32_put(p + 8, s->in.ssrc);
		memcpy(p + FB_HEAD, due->nackv, due->n_nack_bytes);
	}
	if (due->pli) {
		p = part_add(o, FMT_PLI, RTCP_PSFB, FB_HEAD, ours);
		be32_put(p + 8, s->in.ssrc);
	}
	if (due->fir) {
		p = part_add(o, FMT_FIR, RTCP_PSFB, FB_HEAD + 8, ours);
		be32_put(p + FB_HEAD, s->in.ssrc);
		p[FB_HEAD + 4] = due->fir_seq;
	}
	if (due->remb) {
		p = part_add(o, FMT_AFB, RTCP_PSFB, FB_HEAD + 12, ours);
		memcpy(p + FB_HEAD, due->remb_v, 8);
		p[FB_HEAD + 4] = 1;
		be32_put(p + FB_HEAD + 8, s->in.ssrc);
	}
	due->pli = due->fir = due->remb = false;
	due->n_nack_bytes = 0;
}

static bool is_due(const struct anchor_due *due)
{
	return due->report || due->pli || due->fir || due->remb || due->n_nack_bytes;
}

bool anchor_rtcp_waits(const struct anchor *a)
{
	return a->waits;
}

size_t anchor_rtcp_next(struct anchor *a, unsigned side, unsigned *kp, uint8_t *out,
			uint64_t now_us)
{
	struct anchor_side *s = &a->sidev[side], *other = &a->sidev[!side];
	struct out o = {.p = out};

	for (unsigned k = 0; k < s->n_streams && k < other->n_streams; k++) {
		struct anchor_stream *st = &s->streamv[k];

		if (!is_due(&st->due))
			continue;
		report_write(&o, st, &other->streamv[k].in, now_us);
		name_write(&o, st->setup.ssrc, a->cname);
		feedback_write(&o, st);
		*kp = k;
		return o.n;
	}
	a->waits = false;
	for (size_t k = 0; k < other->n_streams; k++)
		a->waits |= is_due(&other->streamv[k].due);
	return 0;
}
