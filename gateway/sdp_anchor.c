/* gateway/sdp_anchor.c - offer and answer through an anchor.
 *
 * Pure: descriptions in, what is known of both sides out. Called by path_anchor.c; calls sdp_anchor_codec.c (payload
 * types) and sdp_anchor_media.c (transports). RFC 3264 §5, §6, §8 (offer, answer, later offers), RFC 8829 §5, RFC 8843
 * §7 (BUNDLE), RFC 8842 §5 (setup), RFC 8827 §6.5 (keys of DTLS alone).
 *
 * A line is a medium that passes; each side has it as one of its slots (m= lines), in that side's own order:
 *
 *   side A: slot 0 ─ line 0 ─ slot 0 :side B
 *           slot 1   (a data channel: refused, B never hears of it)
 *           slot 2 ─ line 1 ─ slot 1                                                                       */
#include "gateway/sdp_anchor_own.h"

#include "lib/secret.h"

static enum sdp_direction direction(bool send, bool receive)
{
	return send ? (receive ? SDP_SENDRECV : SDP_SENDONLY)
		    : (receive ? SDP_RECVONLY : SDP_INACTIVE);
}

/** As RFC 3264 §8.4 reads c=0.0.0.0: nothing may be sent there. */
static enum sdp_direction said(const struct sdp_section *in)
{
	return direction(anchor_sends(in->direction),
			 anchor_receives(in->direction) && !in->held);
}

/* ---- slots ---- */

static void text_copy(char *out, size_t size, struct sdp_text t)
{
	size_t n = t.n < size ? t.n : size - 1;

	if (n)
		memcpy(out, t.p, n);
	out[n] = '\0';
}

static void slot_describe(struct anchor_slot *slot, const struct sdp_section *in)
{
	text_copy(slot->kind, sizeof(slot->kind), in->kind_text);
	text_copy(slot->proto, sizeof(slot->proto), in->proto_text);
	text_copy(slot->format, sizeof(slot->format), in->format);
	text_copy(slot->mid, sizeof(slot->mid), in->mid);
	slot->bundled = in->bundled;
}

static bool mid_used(const struct anchor_side *side, const char *mid)
{
	for (unsigned i = 0; i < side->n_slots; i++)
		if (!strcmp(side->slotv[i].mid, mid))
			return true;
	return false;
}

static const char *const kind_names[] = {
	[SDP_AUDIO] = "audio",
	[SDP_VIDEO] = "video",
	[SDP_OTHER] = "application",
};
static const char *const proto_names[] = {
	[LEG_WEBRTC] = "UDP/TLS/RTP/SAVPF",
	[LEG_RTP] = "RTP/AVP",
	[LEG_SDES] = "RTP/SAVP",
	[LEG_DTLS] = "UDP/TLS/RTP/SAVPF",
};

/** An m= line more for that side, which we tell it of. Its mid is its number, or the next that is free. */
static bool slot_add(const struct sdp_anchor *a, struct anchor_state *s, unsigned side,
		     int line)
{
	struct anchor_side *to = &s->sidev[side];
	struct anchor_slot *slot;
	unsigned mid = to->n_slots;
	char text[12];

	if (to->n_slots == SDP_ANCHOR_SLOTS_MAX)
		return false;
	slot = &to->slotv[to->n_slots];
	*slot = (struct anchor_slot){.line = line, .bundled = true};
	snprintf(slot->kind, sizeof(slot->kind), "%s", kind_names[s->linev[line].kind]);
	snprintf(slot->proto, sizeof(slot->proto), "%s",
		 proto_names[a->setup.speaksv[side]]);
	snprintf(slot->format, sizeof(slot->format), "0");
	if (anchor_one_transport(a, side)) {
		do
			snprintf(text, sizeof(text), "%u", mid++);
		while (mid_used(to, text));
		snprintf(slot->mid, sizeof(slot->mid), "%s", text);
	}
	s->linev[line].slotv[side] = (int)to->n_slots++;
	return true;
}

/** The line of a slot that its party offers with media of this kind; a new one where it has none. */
static struct anchor_line *line_for(struct anchor_state *s, unsigned side, unsigned slot,
				    enum sdp_kind kind)
{
	struct anchor_slot *sl = &s->sidev[side].slotv[slot];
	struct anchor_line *l;

	if (sl->line != ANCHOR_NONE) {
		l = &s->linev[sl->line];
		if (l->kind == kind)
			return l;
		l->slotv[side] = ANCHOR_NONE; /* the m= line is used for another medium */
		sl->line = ANCHOR_NONE;
	}
	if (s->n_lines == SDP_ANCHOR_LINES_MAX)
		return NULL;
	sl->line = (int)s->n_lines;
	l = &s->linev[s->n_lines++];
	*l = (struct anchor_line){.kind = kind, .source = ANCHOR_NONE};
	for (unsigned i = 0; i < MEDIA_SIDES; i++)
		l->slotv[i] = ANCHOR_NONE;
	l->slotv[side] = (int)slot;
	return l;
}

/* ---- what can be taken ---- */

/** Several sections of one kind are too many for a side with a transport for each kind. */
static bool has_room(const struct sdp_anchor *a, const struct anchor_state *s,
		     const struct anchor_line *mine, unsigned side)
{
	if (anchor_one_transport(a, side))
		return true;
	if (mine->kind == SDP_VIDEO && !a->setup.video)
		return false;
	for (unsigned i = 0; i < s->n_lines; i++)
		if (&s->linev[i] != mine && s->linev[i].offered &&
		    s->linev[i].kind == mine->kind)
			return false;
	return true;
}

/** The sections of `in` that can pass, by the rules of its side's dialect. *whyp: why the first refused cannot. */
static uint32_t usable(const struct sdp_anchor *a, unsigned from,
		       const struct sdp_desc *in, const char **whyp)
{
	const struct sdp_section *first = NULL;
	const char *why = NULL;
	uint32_t bits = 0;

	for (unsigned i = 0; i < in->n_media; i++) {
		const struct sdp_section *m = &in->mediav[i];
		const char * not ;

		if (m->refused || m->kind == SDP_OTHER)
			continue;
		not = anchor_section_check(a->setup.speaksv[from], m);
		if (not ) {
			why = why ? why : not ;
			continue;
		}
		if (first && anchor_one_transport(a, from) &&
		    !(first->bundled && m->bundled))
			continue;
		bits |= 1u << i;
		if (!first)
			first = m;
	}
	*whyp = why ? why : "it has no audio and no video that could pass";
	return bits;
}

/** It holds keys (SDES). */
static void state_destructor(void *arg)
{
	secret_wipe(arg, sizeof(struct anchor_state));
}

static int state_copy(struct anchor_state **sp, const struct anchor_state *from)
{
	struct anchor_state *s = mem_alloc(sizeof(*s), state_destructor);

	if (!s)
		return ENOMEM;
	*s = *from;
	*sp = s;
	return 0;
}

/* ---- offers ---- */

static void lines_begin(struct anchor_state *s)
{
	for (unsigned i = 0; i < s->n_lines; i++) {
		struct anchor_line *l = &s->linev[i];

		l->was_taken = l->taken;
		l->offered = l->taken = false;
		l->source = ANCHOR_NONE;
	}
}

static void section_offer(const struct sdp_anchor *a, struct anchor_state *s,
			  unsigned from, unsigned i, const struct sdp_section *in)
{
	struct anchor_line *l = line_for(s, from, i, in->kind);

	if (!l || !has_room(a, s, l, from) || !has_room(a, s, l, !from))
		return;
	anchor_rows_offer(s, l, from, in);
	if (a->setup.keys_apart)
		anchor_rows_no_events(l);
	if (!anchor_rows_play(l))
		return;
	if (l->slotv[!from] == ANCHOR_NONE && !slot_add(a, s, !from, (int)(l - s->linev)))
		return;
	l->offered = true;
	l->source = (int)i;
	l->by = from;
	l->direction = said(in);
	anchor_section_take(l, from, in);
}

static int offer_read(const struct sdp_anchor *a, struct anchor_state *s, unsigned from,
		      const struct sdp_desc *in, const char **whyp)
{
	struct anchor_side *side = &s->sidev[from];
	uint32_t bits = usable(a, from, in, whyp);
	bool any = false;

	if (in->n_media < side->n_slots) {
		*whyp = "it has fewer media lines (m=) than before";
		return EBADMSG;
	}
	lines_begin(s);
	for (unsigned i = 0; i < in->n_media; i++) {
		if (i == side->n_slots)
			side->slotv[side->n_slots++].line = ANCHOR_NONE;
		slot_describe(&side->slotv[i], &in->mediav[i]);
		if (bits & 1u << i)
			section_offer(a, s, from, i, &in->mediav[i]);
	}
	for (unsigned i = 0; i < s->n_lines; i++)
		any |= s->linev[i].offered;
	return any ? anchor_transport_take(a, s, from, in, whyp) : EBADMSG;
}

/** Telephone's own codecs; in an established call what was agreed last. */
static void offer_own(const struct sdp_anchor *a, struct anchor_state *s, unsigned to)
{
	struct anchor_line *l;

	lines_begin(s);
	for (unsigned i = 0; i < s->n_lines; i++) {
		l = &s->linev[i];
		l->offered = l->was_taken;
		l->direction = SDP_SENDRECV;
		for (size_t k = 0; k < l->n_rows; k++)
			l->rowv[k].source = ANCHOR_NO_SOURCE;
	}
	if (s->n_lines)
		return;
	l = &s->linev[s->n_lines++];
	*l = (struct anchor_line){.kind = SDP_AUDIO, .source = ANCHOR_NONE};
	l->slotv[to] = l->slotv[!to] = ANCHOR_NONE;
	anchor_rows_own(s, l, to);
	if (a->setup.keys_apart)
		anchor_rows_no_events(l);
	l->offered = slot_add(a, s, to, 0);
	l->direction = SDP_SENDRECV;
}

static void forget(struct sdp_anchor *a)
{
	a->open = mem_deref(a->open);
	a->answered = mem_deref(a->answered);
	a->offer = mem_deref(a->offer);
	a->answer = mem_deref(a->answer);
	a->late = false;
}

int sdp_anchor_offer(struct sdp_anchor *a, unsigned from, struct sdp_desc *in,
		     const char **whyp)
{
	bool late = in && a->open && !a->offer && !a->answered && a->from != from;
	struct anchor_state *s;
	int err = state_copy(&s, late ? a->open : &a->now);

	if (err)
		return err;
	if (in)
		err = offer_read(a, s, from, in, whyp);
	else
		offer_own(a, s, !from);
	if (err) {
		mem_deref(s);
		return err;
	}
	forget(a);
	a->open = s;
	a->from = from;
	a->late = late;
	a->offer = mem_ref(in);
	return 0;
}

void sdp_anchor_undo(struct sdp_anchor *a)
{
	forget(a);
}

void sdp_anchor_commit(struct sdp_anchor *a)
{
	if (a->answered)
		a->now = *a->answered;
	forget(a);
}

/* ---- answers ---- */

static void section_answer(struct anchor_line *l, unsigned from, unsigned i,
			   const struct sdp_section *in)
{
	enum sdp_direction offered = l->direction, now = said(in);

	anchor_rows_answer(l, from, in);
	if (!anchor_rows_play(l))
		return;
	l->taken = true;
	l->source = (int)i;
	l->by = from;
	/* what the offer had no room for is not there (RFC 3264 §6.1) */
	l->direction = direction(anchor_sends(now) && anchor_receives(offered),
				 anchor_receives(now) && anchor_sends(offered));
	anchor_section_take(l, from, in);
}

static int answer_read(const struct sdp_anchor *a, struct anchor_state *s, unsigned from,
		       const struct sdp_desc *in, const char **whyp)
{
	struct anchor_side *side = &s->sidev[from];
	uint32_t bits = usable(a, from, in, whyp);
	bool any = false;

	if (in->n_media > side->n_slots) {
		*whyp = "it has more media lines (m=) than the offer";
		return EBADMSG;
	}
	for (unsigned i = 0; i < s->n_lines; i++)
		s->linev[i].source = ANCHOR_NONE;
	/* one that is left out is refused */
	for (unsigned i = 0; i < in->n_media; i++) {
		const struct sdp_section *m = &in->mediav[i];
		struct anchor_slot *slot = &side->slotv[i];
		struct anchor_line *l =
			slot->line == ANCHOR_NONE ? NULL : &s->linev[slot->line];

		slot->bundled = m->bundled;
		if (!l || !l->offered || !(bits & 1u << i) || m->kind != l->kind ||
		    !anchor_suite_fits(l, from, m))
			continue;
		section_answer(l, from, i, m);
		any |= l->taken;
	}
	if (!any) {
		if (bits)
			*whyp = "it takes nothing of what was offered";
		return EBADMSG;
	}
	return anchor_transport_take(a, s, from, in, whyp);
}

/** What the party of a late offer's other side sends first was chosen before this answer: it must be understood. */
static bool first_is_kept(const struct sdp_anchor *a, const struct anchor_state *s)
{
	for (unsigned i = 0; i < s->n_lines; i++) {
		const struct anchor_line *l = &s->linev[i], *was = &a->open->linev[i];
		bool kept = !l->taken;

		for (size_t k = 0; l->taken && k < l->n_rows; k++)
			kept |= l->rowv[k].codecv[a->from] ==
				was->rowv[0].codecv[a->from];
		if (!kept)
			return false;
	}
	return true;
}

int sdp_anchor_answer(struct sdp_anchor *a, unsigned from, struct sdp_desc *in,
		      const char **whyp)
{
	struct anchor_state *s;
	int err;

	if (!a->open || a->from == from || !in)
		return EPROTO;
	err = state_copy(&s, a->open);
	if (err)
		return err;
	err = answer_read(a, s, from, in, whyp);
	if (!err && a->late && !first_is_kept(a, s)) {
		*whyp = "it does not take the codec that the other side has chosen";
		err = EBADMSG;
	}
	if (err) {
		mem_deref(s);
		return err;
	}
	mem_deref(a->answered);
	a->answered = s;
	mem_deref(a->answer);
	a->answer = mem_ref(in);
	return 0;
}

/* ---- the object ---- */

static void anchor_destructor(void *arg)
{
	struct sdp_anchor *a = arg;

	forget(a);
	secret_wipe(&a->now, sizeof(a->now));
}

int sdp_anchor_alloc(struct sdp_anchor **ap, const struct sdp_anchor_setup *setup)
{
	struct sdp_anchor *a = mem_zalloc(sizeof(*a), anchor_destructor);

	if (!a)
		return ENOMEM;
	a->setup = *setup;
	*ap = a;
	return 0;
}
