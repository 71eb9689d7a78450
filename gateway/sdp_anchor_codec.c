/* gateway/sdp_anchor_codec.c - payload types through an anchor: what each side calls the same codec.
 *
 * Pure. Called by sdp_anchor.c. A number that a side was told or has told stays (RFC 3264 §8.3.2); a new codec gets
 * the number that the other side uses where it is free. RFC 4733 §2.5.1.2: telephone-event goes with the clock rate of
 * the codec beside it; where a side has none of that rate, its only one serves. */
#include "gateway/sdp_anchor_own.h"

enum { DYNAMIC_FIRST = 96, DYNAMIC_LAST = 127, SPARE_FIRST = 35, SPARE_LAST = 63 };

static bool is_event(enum sdp_codec_id id)
{
	return id == SDP_EVENT_8000 || id == SDP_EVENT_48000;
}

static int codec_find(const struct anchor_line *l, enum sdp_codec_id id, uint8_t mode,
		      uint16_t profile)
{
	for (size_t i = 0; i < l->n_codecs; i++) {
		const struct anchor_codec *c = &l->codecv[i];

		if (c->id == id && c->mode == mode && c->profile == profile)
			return (int)i;
	}
	return ANCHOR_NONE;
}

/** Several of one kind (H264 with other levels) are told apart by their number, where it is known. */
static int codec_match(const struct anchor_line *l, unsigned side,
		       const struct sdp_codec *c)
{
	for (size_t i = 0; i < l->n_codecs; i++) {
		const struct anchor_codec *mine = &l->codecv[i];

		if (mine->ptv[side] == c->pt && mine->id == c->id &&
		    mine->mode == c->mode && mine->profile == c->profile)
			return (int)i;
	}
	return codec_find(l, c->id, c->mode, c->profile);
}

static int codec_add(struct anchor_line *l, enum sdp_codec_id id, uint8_t mode,
		     uint16_t profile)
{
	struct anchor_codec *c;

	if (l->n_codecs == N_ELEMS(l->codecv))
		return ANCHOR_NONE;
	c = &l->codecv[l->n_codecs];
	*c = (struct anchor_codec){.id = id, .mode = mode, .profile = profile};
	for (unsigned side = 0; side < MEDIA_SIDES; side++)
		c->ptv[side] = ANCHOR_NO_PT;
	return (int)l->n_codecs++;
}

/** Its party calls it so from now on: nothing else of the line has that number there. */
static void pt_claim(struct anchor_line *l, size_t codec, unsigned side, uint8_t pt)
{
	for (size_t i = 0; i < l->n_codecs; i++)
		if (l->codecv[i].ptv[side] == pt)
			l->codecv[i].ptv[side] = ANCHOR_NO_PT;
	l->codecv[codec].ptv[side] = pt;
}

static bool pt_free(const struct anchor_state *s, unsigned side, unsigned pt)
{
	for (unsigned i = 0; i < s->n_lines; i++)
		for (size_t k = 0; k < s->linev[i].n_codecs; k++)
			if (s->linev[i].codecv[k].ptv[side] == pt)
				return false;
	return true;
}

/** A number for it on `side`, if it has none. False: there is none left. */
static bool pt_choose(const struct anchor_state *s, struct anchor_codec *c, unsigned side)
{
	int fixed = sdp_codec_kind(c->id)->fixed;
	uint8_t other = c->ptv[!side];

	if (c->ptv[side] != ANCHOR_NO_PT)
		return true;
	if (fixed >= 0 && pt_free(s, side, (unsigned)fixed)) {
		c->ptv[side] = (uint8_t)fixed;
		return true;
	}
	if (other >= DYNAMIC_FIRST && other <= DYNAMIC_LAST && pt_free(s, side, other)) {
		c->ptv[side] = other;
		return true;
	}
	for (unsigned pt = DYNAMIC_FIRST; pt <= DYNAMIC_LAST; pt++)
		if (pt_free(s, side, pt)) {
			c->ptv[side] = (uint8_t)pt;
			return true;
		}
	for (unsigned pt = SPARE_FIRST; pt <= SPARE_LAST; pt++)
		if (pt_free(s, side, pt)) {
			c->ptv[side] = (uint8_t)pt;
			return true;
		}
	return false;
}

static void row_add(struct anchor_line *l, unsigned from, int codec, int other,
		    uint8_t source)
{
	struct anchor_row *r;

	if (l->n_rows == N_ELEMS(l->rowv))
		return;
	r = &l->rowv[l->n_rows++];
	r->codecv[from] = (uint8_t)codec;
	r->codecv[!from] = (uint8_t)other;
	r->source = source;
}

void anchor_rows_offer(struct anchor_state *s, struct anchor_line *l, unsigned from,
		       const struct sdp_section *in)
{
	bool had[SDP_DESC_CODECS_MAX] = {false};

	l->n_rows = 0;
	for (size_t i = 0; i < in->n_codecs; i++) {
		const struct sdp_codec *c = &in->codecv[i];
		int codec = codec_match(l, from, c);

		if (codec == ANCHOR_NONE)
			codec = codec_add(l, c->id, c->mode, c->profile);
		if (codec == ANCHOR_NONE || had[codec])
			continue;
		had[codec] = true;
		pt_claim(l, (size_t)codec, from, c->pt);
		if (pt_choose(s, &l->codecv[codec], !from))
			row_add(l, from, codec, codec, (uint8_t)i);
	}
}

void anchor_rows_own(struct anchor_state *s, struct anchor_line *l, unsigned to)
{
	static const enum sdp_codec_id own[] = {SDP_PCMU, SDP_PCMA, SDP_EVENT_8000};

	l->n_rows = 0;
	for (size_t i = 0; i < N_ELEMS(own); i++) {
		int codec = codec_find(l, own[i], 0, 0);

		if (codec == ANCHOR_NONE)
			codec = codec_add(l, own[i], 0, 0);
		if (codec != ANCHOR_NONE && pt_choose(s, &l->codecv[codec], to))
			row_add(l, !to, codec, codec, ANCHOR_NO_SOURCE);
	}
}

void anchor_rows_no_events(struct anchor_line *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n_rows; i++)
		if (!is_event(l->codecv[l->rowv[i].codecv[0]].id))
			l->rowv[n++] = l->rowv[i];
	l->n_rows = n;
}

/* ---- answers ---- */

static bool rate_used(const struct anchor_line *l, uint32_t rate)
{
	for (size_t i = 0; i < l->n_rows; i++) {
		const struct sdp_codec_kind *k =
			sdp_codec_kind(l->codecv[l->rowv[i].codecv[0]].id);

		if (!k->extra && k->clock_rate == rate)
			return true;
	}
	return false;
}

/** The answer's telephone-event for the offer's: of the same rate, or its only one. */
static int event_for(const struct sdp_section *in, enum sdp_codec_id id)
{
	int only = ANCHOR_NONE;

	for (size_t i = 0; i < in->n_codecs; i++) {
		if (in->codecv[i].id == id)
			return (int)i;
		if (is_event(in->codecv[i].id))
			only = (int)i;
	}
	return only;
}

/** Those of the offer that fit a codec that was taken; if none does, all of them: better than none. */
static void events_answer(struct anchor_line *l, unsigned from,
			  const struct sdp_section *in, const struct anchor_row *offered,
			  size_t n_offered)
{
	bool fits = false;

	for (unsigned pass = 0; pass < 2 && !fits; pass++)
		for (size_t i = 0; i < n_offered; i++) {
			int codec = offered[i].codecv[!from], source, mine;
			enum sdp_codec_id id = l->codecv[codec].id;

			if (!is_event(id))
				continue;
			if (!pass && !rate_used(l, sdp_codec_kind(id)->clock_rate))
				continue;
			source = event_for(in, id);
			if (source == ANCHOR_NONE)
				return;
			mine = codec_match(l, from, &in->codecv[source]);
			if (mine == ANCHOR_NONE)
				continue;
			pt_claim(l, (size_t)mine, from, in->codecv[source].pt);
			row_add(l, from, mine, codec, (uint8_t)source);
			fits = true;
		}
}

static bool was_offered(const struct anchor_row *offered, size_t n, unsigned from,
			int codec)
{
	for (size_t i = 0; i < n; i++)
		if (offered[i].codecv[from] == codec)
			return true;
	return false;
}

void anchor_rows_answer(struct anchor_line *l, unsigned from,
			const struct sdp_section *in)
{
	struct anchor_row offered[MEDIA_TYPES_MAX];
	bool had[SDP_DESC_CODECS_MAX] = {false};
	size_t n_offered = l->n_rows;

	memcpy(offered, l->rowv, sizeof(offered));
	l->n_rows = 0;
	for (unsigned extra = 0; extra < 2; extra++)
		for (size_t i = 0; i < in->n_codecs; i++) {
			const struct sdp_codec *c = &in->codecv[i];
			int codec = codec_match(l, from, c);

			if (sdp_codec_kind(c->id)->extra != (extra == 1) ||
			    is_event(c->id) || codec == ANCHOR_NONE || had[codec] ||
			    !was_offered(offered, n_offered, from, codec))
				continue;
			if (extra && !rate_used(l, sdp_codec_kind(c->id)->clock_rate))
				continue;
			had[codec] = true;
			pt_claim(l, (size_t)codec, from, c->pt);
			row_add(l, from, codec, codec, (uint8_t)i);
		}
	events_answer(l, from, in, offered, n_offered);
}

bool anchor_rows_play(const struct anchor_line *l)
{
	for (size_t i = 0; i < l->n_rows; i++)
		if (!sdp_codec_kind(l->codecv[l->rowv[i].codecv[0]].id)->extra)
			return true;
	return false;
}
