/* webrtc/media/anchor.c - RTP from one party to the other.
 *
 * Pure, on its session's thread. Called by session code between unprotecting and protecting; calls
 * anchor_event.c for keys that are pressed, reception.c. RFC 3550 §7 (translators have SSRCs of their own),
 * A.1 (jumps of sequence numbers); RFC 8843 §9.2 (which section a packet is for); RFC 7160 (clock rates that
 * change); RFC 3389 (comfort noise). */
#include "webrtc/media/anchor_own.h"

#include "lib/secret.h"

enum {
	TAKEOVER_US =
		300000, /* so long a stream must be silent before another takes its place, */
	TAKEOVER_PACKETS = 3, /* or so many of the other come without one of it */
	DROPOUT = 3000,       /* RFC 3550 A.1 */
	MISORDER = 100,
	LEAP_BACK_S = 2, /* timestamps that move further have begun anew */
	LEAP_AHEAD_S = 10,
	FRAMES_A_SECOND = 50,
	VIDEO_HZ = 90000,
	REPORT_US = 5000000, /* RFC 3550 §6.2 */
	EXT_ONE_BYTE = 0xbede,
};

static void flow_init(struct anchor_flow *f)
{
	f->out_seq = (uint16_t)(secret_u64() & 0x7fff);
	f->out_ts = (uint32_t)secret_u64();
}

int anchor_alloc(struct anchor **ap, const char *cname)
{
	struct anchor *a = mem_zalloc(sizeof(*a), NULL);

	if (!a)
		return ENOMEM;
	snprintf(a->cname, sizeof(a->cname), "%s", cname);
	for (unsigned side = 0; side < ANCHOR_SIDES; side++)
		for (size_t k = 0; k < MEDIA_STREAMS_MAX; k++)
			flow_init(&a->sidev[side].streamv[k].in);
	*ap = a;
	return 0;
}

void anchor_setup(struct anchor *a, unsigned side, const struct media_stream *v, size_t n)
{
	struct anchor_side *s = &a->sidev[side];

	s->n_streams = n;
	for (size_t k = 0; k < n; k++) {
		struct anchor_stream *st = &s->streamv[k];

		st->setup = v[k];
		memset(st->rowv, MEDIA_PT_NONE, sizeof(st->rowv));
		for (size_t i = st->setup.n_types; i-- > 0;)
			if (st->setup.typev[i].pt < sizeof(st->rowv))
				st->rowv[st->setup.typev[i].pt] = (uint8_t)i;
	}
}

/* ---- which section ---- */

static bool names(const struct anchor_stream *s, const struct rtp_header *h)
{
	const uint8_t *mid;
	size_t n;

	if (!s->setup.mid_ext || !*s->setup.mid)
		return false;
	mid = rtp_ext_find(h, s->setup.mid_ext, &n);
	return mid && n == strlen(s->setup.mid) && !memcmp(mid, s->setup.mid, n);
}

/** RFC 8843 §9.2: by the SSRC if it is known, by the section that it names, by its payload type; -1: none. */
static int section_of(const struct anchor_side *s, int section,
		      const struct rtp_header *h)
{
	int k = -1;

	for (unsigned i = 0; i < s->n_streams && section != ANCHOR_ANY; i++)
		if (s->streamv[i].setup.plain == section)
			return (int)i;
	if (section != ANCHOR_ANY)
		return -1;
	for (unsigned i = 0; i < s->n_streams && k < 0; i++)
		if (s->streamv[i].in.started && s->streamv[i].in.ssrc == h->ssrc)
			k = (int)i;
	for (unsigned i = 0; i < s->n_streams && k < 0; i++)
		if (names(&s->streamv[i], h))
			k = (int)i;
	for (unsigned i = 0; i < s->n_streams && k < 0; i++)
		if (s->streamv[i].rowv[h->pt] != MEDIA_PT_NONE)
			k = (int)i;
	return k;
}

/** The row of a payload type; of several the one that fits what plays now. NULL: not agreed on. */
static const struct media_type *row_of(const struct anchor_stream *s,
				       const struct anchor_stream *to, uint8_t pt,
				       const struct media_type **outp)
{
	size_t first = s->rowv[pt], best = first;

	if (first == MEDIA_PT_NONE)
		return NULL;
	for (size_t i = first; i < s->setup.n_types && i < to->setup.n_types; i++) {
		if (s->setup.typev[i].pt != pt ||
		    to->setup.typev[i].clock_rate != s->in.clock)
			continue;
		best = i;
		break;
	}
	if (best >= to->setup.n_types)
		return NULL;
	*outp = &to->setup.typev[best];
	return &s->setup.typev[best];
}

/* ---- sequence numbers ---- */

/** What comes goes on where the former source ended: to its listener it is one stream. */
static void begin(struct anchor_flow *f, const struct rtp_header *h)
{
	f->started = f->fresh = f->silent = true;
	f->ssrc = h->ssrc;
	f->n_next = 0;
	f->has_odd = f->has_before = false;
	f->in_top = (uint16_t)(h->seq - 1);
	f->era = (struct anchor_era){h->seq, (uint16_t)(f->out_seq + 1 - h->seq)};
	f->event.on = false;
	f->has_sr = false;
	memset(&f->reception, 0, sizeof(f->reception));
}

static bool source_take(struct anchor_flow *f, const struct rtp_header *h,
			uint64_t now_us)
{
	if (f->started && f->ssrc == h->ssrc) {
		f->n_next = 0;
		return true;
	}
	if (f->started && now_us - f->heard_us < TAKEOVER_US) {
		if (f->next_ssrc != h->ssrc)
			f->n_next = 0;
		f->next_ssrc = h->ssrc;
		if (++f->n_next < TAKEOVER_PACKETS)
			return false;
	}
	begin(f, h);
	return true;
}

/** RFC 3550 A.1: a number far away is an accident, two in a row are a sender that has begun anew. */
static bool seq_take(struct anchor_flow *f, const struct rtp_header *h)
{
	int16_t ahead = (int16_t)(h->seq - f->in_top);

	if (ahead < DROPOUT && ahead > -MISORDER) {
		f->has_odd = false;
		return true;
	}
	if (f->has_odd && h->seq == (uint16_t)(f->odd + 1)) {
		begin(f, h);
		return true;
	}
	f->has_odd = true;
	f->odd = h->seq;
	return false;
}

bool anchor_seq(const struct anchor_flow *f, uint16_t seq, uint16_t *outp)
{
	const struct anchor_era *e = &f->era;

	if ((int16_t)(seq - e->from) < 0) {
		e = &f->before;
		if (!f->has_before || (int16_t)(seq - e->from) < 0)
			return false;
	}
	*outp = (uint16_t)(seq + e->add);
	return true;
}

/** This one is not sent: those behind it move up. Two eras are remembered, for packets that come late. */
static void skip(struct anchor_flow *f, uint16_t seq)
{
	f->silent = true;
	if ((int16_t)(seq - f->in_top) <= 0)
		return;
	if (f->era.from != seq) {
		f->before = f->era;
		f->has_before = true;
	}
	f->era = (struct anchor_era){(uint16_t)(seq + 1), (uint16_t)(f->era.add - 1)};
	f->in_top = seq;
}

/* ---- timestamps ---- */

uint32_t anchor_elapsed(const struct anchor_flow *f, uint32_t clock, uint64_t now_us)
{
	uint64_t us = f->played_us ? now_us - f->played_us : 0;

	return (uint32_t)(us / 1000000 * clock + us % 1000000 * clock / 1000000);
}

/** Has its sender set its clock anew? */
static bool leaps(const struct anchor_flow *f, const struct media_type *in, uint32_t ts,
		  uint64_t now_us)
{
	int32_t step = (int32_t)(ts - f->in_ts);
	int64_t most = (int64_t)anchor_elapsed(f, in->clock_rate, now_us) +
		       (int64_t)LEAP_AHEAD_S * in->clock_rate;

	return step < -(int64_t)LEAP_BACK_S * in->clock_rate || step > most;
}

static uint32_t ts_play(struct anchor_flow *f, const struct media_type *in,
			const struct rtp_header *h, bool ahead, uint64_t now_us)
{
	if (f->fresh || in->clock_rate != f->clock ||
	    (ahead && leaps(f, in, h->ts, now_us))) {
		uint32_t step = anchor_elapsed(f, in->clock_rate, now_us);
		uint32_t frame = in->clock_rate / FRAMES_A_SECOND;

		f->ts_add = f->out_ts + (step > frame ? step : frame) - h->ts;
		f->fresh = false;
		f->clock = in->clock_rate;
		ahead = true;
	}
	if (ahead) {
		f->in_ts = h->ts;
		f->out_ts = h->ts + f->ts_add;
		f->played_us = now_us;
	}
	return h->ts + f->ts_add;
}

/* ---- the packet ---- */

/** A fresh head: no CSRCs, no padding, no extension but the name of the section where it is still needed. */
static size_t head_write(uint8_t *p, size_t n, size_t n_head,
			 const struct anchor_stream *to)
{
	size_t n_mid = to->setup.mid_ext && to->setup.mid_ext < 15 && !to->named
			       ? strlen(to->setup.mid)
			       : 0;
	size_t n_words = n_mid ? (1 + n_mid + 3) / 4 : 0;
	size_t n_new = RTP_HEADER + (n_mid ? 4 + 4 * n_words : 0);

	if (n_new != n_head)
		memmove(p + n_new, p + n_head, n - n_head);
	p[0] = 0x80;
	if (n_mid) {
		uint8_t *ext = p + RTP_HEADER;

		p[0] |= 0x10;
		memset(ext, 0, n_new - RTP_HEADER);
		be16_put(ext, EXT_ONE_BYTE);
		be16_put(ext + 2, (uint16_t)n_words);
		ext[4] = (uint8_t)(to->setup.mid_ext << 4 | (n_mid - 1));
		memcpy(ext + 5, to->setup.mid, n_mid);
	}
	return n - n_head + n_new;
}

/** Its payload without the padding. False: the count lies (RFC 3550 §5.1). */
static bool padding_strip(const uint8_t *p, size_t *np, size_t n_head)
{
	if (!(p[0] & 0x20))
		return true;
	if (*np == n_head || !p[*np - 1] || p[*np - 1] > *np - n_head)
		return false;
	*np -= p[*np - 1];
	return true;
}

static bool kept_back(const struct anchor_flow *f, const struct media_type *in,
		      const struct media_type *out, size_t n_payload)
{
	if (out->pt == MEDIA_PT_NONE || !n_payload)
		return true;
	if (in->codec == MEDIA_CODEC_EVENT)
		return false;
	/* noise is in the time of the codec that it interrupts */
	return in->clock_rate != out->clock_rate ||
	       (in->codec == MEDIA_CODEC_NOISE && f->clock && in->clock_rate != f->clock);
}

static void report_when_due(struct anchor *a, struct anchor_stream *s, uint64_t now_us)
{
	if (now_us - s->due.reported_us >= REPORT_US)
		a->waits = s->due.report = true;
}

int anchor_rtp(struct anchor *a, unsigned side, int section, uint8_t *p, size_t *np,
	       uint64_t now_us)
{
	const struct media_type *in, *out = NULL;
	struct anchor_stream *s, *to;
	struct anchor_flow *f;
	struct rtp_header h;
	uint32_t ts;
	uint16_t seq;
	bool ahead;
	int k;

	if (rtp_header_read(&h, p, *np) || !padding_strip(p, np, h.n_bytes))
		return -1;
	k = section_of(&a->sidev[side], section, &h);
	if (k < 0 || (size_t)k >= a->sidev[!side].n_streams)
		return -1;
	s = &a->sidev[side].streamv[k];
	to = &a->sidev[!side].streamv[k];
	f = &s->in;
	in = row_of(s, to, h.pt, &out);
	if (!in || !source_take(f, &h, now_us) || !seq_take(f, &h))
		return -1;
	f->heard_us = now_us;
	reception_packet(&f->reception, h.seq, h.ts, now_us, in->clock_rate);
	report_when_due(a, s, now_us);
	report_when_due(a, to, now_us);
	if (!to->setup.sends || kept_back(f, in, out, *np - h.n_bytes) ||
	    (in->codec == MEDIA_CODEC_EVENT &&
	     !anchor_event(f, in, out, h.ts, p + h.n_bytes, *np - h.n_bytes, now_us,
			   &ts))) {
		skip(f, h.seq);
		return -1;
	}
	if (!anchor_seq(f, h.seq, &seq))
		return -1;
	ahead = (int16_t)(h.seq - f->in_top) > 0;
	if (in->codec != MEDIA_CODEC_EVENT)
		ts = ts_play(f, in, &h, ahead, now_us);
	if (ahead) {
		f->in_top = h.seq;
		f->out_seq = seq;
	}
	if (f->silent && in->codec == MEDIA_CODEC_PLAYS && in->clock_rate != VIDEO_HZ)
		h.marker = true; /* RFC 3551 §4.1: speech begins */
	if (in->codec == MEDIA_CODEC_PLAYS)
		f->silent = false;
	f->n_sent++;
	f->n_sent_bytes += (uint32_t)(*np - h.n_bytes);
	*np = head_write(p, *np, h.n_bytes, to);
	p[1] = (uint8_t)((h.marker ? 0x80 : 0) | out->pt);
	rtp_seq_set(p, seq);
	rtp_ts_set(p, ts);
	rtp_ssrc_set(p, to->setup.ssrc);
	return k;
}
