/* webrtc/media/latch.c - where a peer without ICE really sends from.
 *
 * Pure, on its session's thread. Called by session code for every packet of a plain side. RFC 4961 (symmetric
 * RTP), RFC 7362 §4 (latching and what can go wrong with it). */
#include "webrtc/media/latch.h"

enum {
	IN_ORDER = 16
}; /* numbers that a packet may be ahead of the one before, where proof is asked */

void latch_describe(struct latch *l, const struct sa *sa)
{
	if (!sa_isset(sa, SA_ALL) || sa_is_any(sa))
		return;
	if (sa_isset(&l->described, SA_ALL) && sa_cmp(&l->described, sa, SA_ALL))
		return;
	l->described = *sa;
	l->n_next = 0;
	/* it may describe what was learned */
	if (l->state != LATCH_OPEN && sa_cmp(&l->peer, sa, SA_ALL))
		l->state = LATCH_FIXED;
	else
		l->state = LATCH_OPEN;
}

static void take(struct latch *l, enum latch_state state, const struct sa *from)
{
	l->state = state;
	l->peer = *from;
	l->n_next = 0;
}

static void heard(struct latch *l, uint32_t ssrc, uint16_t seq, uint64_t now_ms)
{
	l->ssrc = ssrc;
	l->seq = seq;
	l->heard_ms = now_ms;
	l->n_next = 0;
}

/** Counts the packets of a foreign source, as long as they come in order and nobody else's between them. */
static bool proof(struct latch *l, const struct sa *from, uint32_t ssrc, uint16_t seq)
{
	uint16_t ahead = (uint16_t)(seq - l->next_seq);

	if (!l->n_next || l->next_ssrc != ssrc || !ahead || ahead > IN_ORDER ||
	    !sa_cmp(&l->next, from, SA_ALL)) {
		l->next = *from;
		l->next_ssrc = ssrc;
		l->n_next = 0;
	}
	l->next_seq = seq;
	return ++l->n_next >= LATCH_PROOF;
}

/** A NAT has given it another port: the old one is silent, and the stream goes on where it was. */
static bool goes_on(const struct latch *l, uint32_t ssrc, uint16_t seq, uint64_t now_ms)
{
	uint16_t ahead = (uint16_t)(seq - l->seq);
	uint64_t silent_ms = now_ms - l->heard_ms;

	return ssrc == l->ssrc && silent_ms >= LATCH_MOVE_SILENT_MS && ahead &&
	       ahead < 0x8000;
}

bool latch_rtp(struct latch *l, const struct sa *from, uint32_t ssrc, uint16_t seq,
	       uint64_t now_ms, bool *moved)
{
	bool known = sa_isset(&l->described, SA_ALL);

	*moved = false;
	if (l->state != LATCH_OPEN && sa_cmp(&l->peer, from, SA_ALL)) {
		heard(l, ssrc, seq, now_ms);
		return true;
	}
	if (!known)
		return false;
	if (sa_cmp(&l->described, from, SA_ALL) && l->state != LATCH_FIXED) {
		take(l, LATCH_FIXED, from);
	} else if (l->strict) {
		return false;
	} else if (l->state == LATCH_OPEN || goes_on(l, ssrc, seq, now_ms)) {
		if (!proof(l, from, ssrc, seq))
			return false;
		take(l, LATCH_LEARNED, from);
	} else {
		return false;
	}
	heard(l, ssrc, seq, now_ms);
	*moved = true;
	return true;
}

bool latch_proved(struct latch *l, const struct sa *from, uint64_t now_ms)
{
	bool same = l->state != LATCH_OPEN && sa_cmp(&l->peer, from, SA_ALL);

	l->heard_ms = now_ms;
	if (same)
		return false;
	take(l, sa_cmp(&l->described, from, SA_ALL) ? LATCH_FIXED : LATCH_LEARNED, from);
	return true;
}

bool latch_rtcp(const struct latch *l, const struct sa *from)
{
	if (l->state != LATCH_OPEN)
		return sa_cmp(&l->peer, from, SA_ADDR);
	return sa_isset(&l->described, SA_ALL) && sa_cmp(&l->described, from, SA_ADDR);
}

const struct sa *latch_to(const struct latch *l)
{
	if (l->state != LATCH_OPEN)
		return &l->peer;
	return sa_isset(&l->described, SA_ALL) ? &l->described : NULL;
}
