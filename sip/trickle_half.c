/* sip/trickle_half.c - half trickle: a description for a peer that does not know trickle ICE, or may not,
 * waits until its candidates are there, and goes out with them.
 *
 * Thread: signalling. The only place where a browser's description is changed. Called by leg.c, leg_out.c,
 * reoffer.c, ask.c; goes on from the loop, so that no op tells the call anything. RFC 8838 §16, RFC 8840 §5. */
#include "sip/leg.h"

#include "gateway/sdp_ice.h"
#include "lib/log.h"
#include "sip/try.h"

/* The description with all that was found; the one that waited when there is no memory for another. */
static struct body *whole(const struct sip_leg *leg)
{
	const struct sip_ours *o = &leg->ours;
	struct candidates *none = NULL;
	struct body *sdp = NULL;
	int err = o->all ? 0 : candidates_alloc(&none, NULL, 0);

	if (!err)
		err = sdp_ice_complete(&sdp, o->sdp, o->all ? o->all : none,
				       leg->sip->core->config->limits.sip_message_bytes);
	mem_deref(none);
	if (err) {
		log_warn(sip_leg_call(leg), "sip.trickle.half", "err=%d", err);
		sdp = mem_ref(o->sdp);
	}
	return sdp;
}

static void go(struct sip_leg *leg, enum half_what what, struct body *sdp)
{
	struct cause c;
	int err;

	switch (what) {
	case HALF_INVITE:
		err = sip_leg_out_start(leg, sdp);
		if (err)
			sip_leg_event(leg, SE_REFUSE, sip_leg_out_why(&c, err));
		break;
	case HALF_ANSWER:
		if (sip_leg_in_accept(leg, sdp))
			sip_leg_event(leg, SE_SILENCE,
				      cause_set(&c, CAUSE_INTERNAL, NULL));
		else
			sip_leg_event(leg, SE_ANSWER, NULL);
		break;
	case HALF_OFFER:
		sip_reoffer_gathered(leg, sdp);
		break;
	case HALF_REANSWER:
		if (sip_reoffer_answer_send(leg, sdp))
			sip_reoffer_refuse(leg, cause_set(&c, CAUSE_INTERNAL, NULL));
		break;
	case HALF_NOTHING:
		break;
	}
}

static void over(void *arg)
{
	struct sip_leg *leg = arg;
	enum half_what what = leg->half.what;
	bool full = what == HALF_INVITE && leg->peer_trickle;
	struct body *sdp;

	if (what == HALF_NOTHING)
		return;
	mem_ref(leg);
	leg->half.what = HALF_NOTHING;
	sdp = full ? mem_ref(leg->ours.sdp) : whole(leg);
	log_debug(sip_leg_call(leg), "sip.trickle.half", "full=%d n=%zu end=%d peer=%s",
		  full, leg->ours.all ? leg->ours.all->n : 0,
		  leg->ours.all && leg->ours.all->end, leg->hop->domain);
	if (!full)
		sip_ours_set(&leg->ours, sdp, false);
	go(leg, what, sdp);
	mem_deref(sdp);
	mem_deref(leg);
}

static bool is_due(const struct sip_leg *leg)
{
	return (leg->ours.all && leg->ours.all->end) ||
	       (leg->half.what == HALF_INVITE && leg->peer_trickle);
}

int sip_half_wait(struct sip_leg *leg, enum half_what what)
{
	uint64_t ms = (uint64_t)leg->sip->core->config->limits.gather_s * 1000;

	leg->half.what = what;
	return timer_start(leg->sip->core->loop->timers, &leg->half.timer,
			   is_due(leg) ? 0 : ms, over, leg);
}

void sip_half_look(struct sip_leg *leg)
{
	if (leg->half.what != HALF_NOTHING && is_due(leg))
		(void)timer_start(leg->sip->core->loop->timers, &leg->half.timer, 0, over,
				  leg);
}

void sip_half_now(struct sip_leg *leg)
{
	timer_cancel(&leg->half.timer);
	over(leg);
}

void sip_half_cancel(struct sip_leg *leg)
{
	leg->half.what = HALF_NOTHING;
	timer_cancel(&leg->half.timer);
}
