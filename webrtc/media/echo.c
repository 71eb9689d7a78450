/* webrtc/media/echo.c - a party hears itself: RTP.
 *
 * Pure, on its session's thread. Called by session.c between unprotecting and protecting; calls reception.c.
 * RFC 3550 §7 (why a stream of ours has an SSRC of its own), RFC 8843 §9.2 (which section a packet is for). */
#include "webrtc/media/echo_own.h"

#include "lib/secret.h"

/* So long must a stream be silent before another one of its section takes its place. */
enum { TAKEOVER_US = 300000 };

int echo_alloc(struct echo **ep, const char *cname)
{
	struct echo *e = mem_zalloc(sizeof(*e), NULL);

	if (!e)
		return ENOMEM;
	snprintf(e->cname, sizeof(e->cname), "%s", cname);
	*ep = e;
	return 0;
}

void echo_remote(struct echo *e, const struct media_remote *remote)
{
	struct echo_stream was[MEDIA_STREAMS_MAX];
	size_t n_was = e->n_streams;

	memcpy(was, e->streamv, sizeof(was));
	memset(e->streamv, 0, sizeof(e->streamv));
	e->n_streams = remote->n_streams;
	for (size_t i = 0; i < e->n_streams; i++) {
		struct echo_stream *s = &e->streamv[i];

		for (size_t k = 0; k < n_was; k++)
			if (was[k].setup.ssrc == remote->streamv[i].ssrc)
				*s = was[k];
		s->setup = remote->streamv[i];
	}
}

static bool has_pt(const struct echo_stream *s, uint8_t pt)
{
	return s->setup.ptv[pt / 8] >> (pt % 8) & 1;
}

static bool names(const struct echo_stream *s, const struct rtp_header *h)
{
	const uint8_t *mid;
	size_t n;

	if (!s->setup.mid_ext || !*s->setup.mid)
		return false;
	mid = rtp_ext_find(h, s->setup.mid_ext, &n);
	return mid && n == strlen(s->setup.mid) && !memcmp(mid, s->setup.mid, n);
}

struct echo_stream *echo_stream_of(struct echo *e, uint32_t ssrc)
{
	for (size_t i = 0; i < e->n_streams; i++)
		if (e->streamv[i].started && e->streamv[i].in_ssrc == ssrc)
			return &e->streamv[i];
	return NULL;
}

/** RFC 8843 §9.2: by the SSRC if it is known, by the section that it names, by its payload type. */
static struct echo_stream *stream_for(struct echo *e, const struct rtp_header *h)
{
	struct echo_stream *s = echo_stream_of(e, h->ssrc);

	for (size_t i = 0; i < e->n_streams && !s; i++)
		if (names(&e->streamv[i], h))
			s = &e->streamv[i];
	for (size_t i = 0; i < e->n_streams && !s; i++)
		if (has_pt(&e->streamv[i], h->pt))
			s = &e->streamv[i];
	return s && has_pt(s, h->pt) ? s : NULL;
}

/** A new source continues where the last one ended: to its listener it is one stream. */
static void begin(struct echo_stream *s, const struct rtp_header *h, uint64_t now_us)
{
	uint32_t gap = (uint32_t)((now_us - s->heard_us) * s->setup.clock_rate / 1000000);

	if (!s->started) {
		s->seq_add = (uint16_t)(secret_u64() & 0x7fff) - h->seq;
		s->ts_add = (uint32_t)secret_u64();
	} else {
		s->seq_add = (uint16_t)(s->out_seq + 1 - h->seq);
		s->ts_add = s->out_ts + gap - h->ts;
	}
	s->in_ssrc = h->ssrc;
	s->started = true;
	memset(&s->reception, 0, sizeof(s->reception));
}

bool echo_rtp(struct echo *e, uint8_t *p, size_t n, uint64_t now_us)
{
	struct echo_stream *s;
	struct rtp_header h;
	uint16_t seq;
	uint32_t ts;

	if (rtp_header_read(&h, p, n))
		return false;
	s = stream_for(e, &h);
	if (!s)
		return false;
	if (!s->started || s->in_ssrc != h.ssrc) {
		if (s->started && now_us - s->heard_us < TAKEOVER_US)
			return false;
		begin(s, &h, now_us);
	}
	s->heard_us = now_us;
	reception_packet(&s->reception, h.seq, h.ts, now_us, s->setup.clock_rate);
	seq = h.seq + s->seq_add;
	ts = h.ts + s->ts_add;
	if (!s->n_sent || (int16_t)(seq - s->out_seq) > 0) {
		s->out_seq = seq;
		s->out_ts = ts;
	}
	if (!s->setup.sends)
		return false;
	rtp_seq_set(p, seq);
	rtp_ts_set(p, ts);
	rtp_ssrc_set(p, s->setup.ssrc);
	s->n_sent++;
	s->n_sent_bytes += (uint32_t)(n - h.n_bytes);
	return true;
}
