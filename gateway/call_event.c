/* gateway/call_event.c - what the legs say, turned into events of the call's two machines.
 *
 * Signalling thread. Called by the legs of every room, by call_leg_event() alone; calls call_do() with
 * the causes for both sides already chosen, and call_talk.c once the call is established.
 * RFC 3261 §16.7 6 (which of several refusals counts), RFC 3311 §5.2 (offers before the answer). */
#include "gateway/call_own.h"
#include "lib/log.h"

static void a_ended(struct call *call, struct leg *leg, const struct cause *cause)
{
	call->cause_a = *cause;
	/* a CANCEL may say that another branch of the caller's took it (RFC 3326): no missed call; and who is
	 * called may know that the caller's site is out of reach */
	if (call->state == CALL_ACTIVE || cause->reason == CAUSE_ELSEWHERE ||
	    cause->reason == CAUSE_UNREACHABLE)
		call->cause_b = *cause;
	else
		cause_set(&call->cause_b, CAUSE_CANCELLED, NULL);
	call_leg_drop(call, leg, NULL);
	call_do(call, CALL_A_ENDED);
}

static void b_ended(struct call *call, struct leg *leg, const struct cause *cause)
{
	bool won = leg == call->winner;

	call_leg_drop(call, leg, NULL);
	if (!won && !cause_is_final(cause)) {
		call_legs_refused(call, cause);
		if (call->legs_b.head) {
			call_do(call, CALL_B_LEFT);
			return;
		}
		cause = &call->best;
	}
	call->cause_a = *cause;
	/* to the devices that still ring */
	cause_set(&call->cause_b, CAUSE_DECLINED,
		  "The call was declined on another device.");
	call_do(call, CALL_B_GONE);
}

static void leg_ended(struct call *call, struct leg *leg, const struct cause *cause)
{
	log_debug(call_id(call), "call.leg.ended", "leg=%s reason=%s code=%u",
		  LQ(leg->tag), cause_reason_name(cause->reason), cause->code);
	call_replace_left(call, leg, cause);
	if (leg == call->a)
		a_ended(call, leg, cause);
	else
		b_ended(call, leg, cause);
}

static void leg_answered(struct call *call, struct leg *leg, struct body *body)
{
	bool is_a = leg == call->a;
	struct cause bad;
	int err;

	if (is_a && call->state != CALL_ACTIVE)
		return; /* nothing was offered to it */
	if (call_path_late_answer(call, leg, body))
		return;
	err = call_sdp_check(call->core, leg, &bad, body);
	if (call->state == CALL_ACTIVE) {
		if (err)
			call_oa_event(call, is_a ? OA_A_REFUSE : OA_B_REFUSE, NULL, &bad);
		else
			call_oa_event(call, is_a ? OA_A_ANSWER : OA_B_ANSWER, body, NULL);
		return;
	}
	call->leg = leg;
	call->answer = body;
	call->cause_a = call->cause_b = bad;
	call_do(call, err ? CALL_BROKEN : CALL_B_ANSWER);
	call->leg = NULL;
	call->answer = NULL;
}

static void leg_offered(struct call *call, struct leg *leg, struct body *body)
{
	struct cause c;

	/* the first offer has no answer yet (RFC 3311 §5.2) */
	if (call->state != CALL_ACTIVE || call->late == LATE_OWED)
		leg->ops->offer_refuse(leg, cause_set(&c, CAUSE_GLARE, NULL));
	else if (call_sdp_check(call->core, leg, &c, body))
		leg->ops->offer_refuse(leg, &c);
	else
		call_oa_event(call, leg == call->a ? OA_A_OFFER : OA_B_OFFER, body, NULL);
}

static void b_progress(struct call *call, struct leg *leg, enum call_event event)
{
	if (leg == call->a)
		return; /* an incoming leg does not ring */
	call->leg = leg;
	call_do(call, event);
	call->leg = NULL;
}

static struct leg *other_half(const struct call *call, const struct leg *leg)
{
	return call->state != CALL_ACTIVE ? NULL
	       : leg == call->a           ? call->winner
					  : call->a;
}

static void leg_away(struct call *call, struct leg *leg, bool away)
{
	struct leg *other = other_half(call, leg);

	if (other && other->ops->away)
		other->ops->away(other, away);
}

bool call_takes_keys(const struct leg *leg)
{
	const struct leg *other = leg->call ? other_half(leg->call, leg) : NULL;

	return other && other->ops->keys && other->keys_apart;
}

static void leg_keys(struct call *call, struct leg *leg, const char *keys)
{
	struct leg *other = other_half(call, leg);

	if (other && other->ops->keys && (leg->keys_apart || other->keys_apart))
		other->ops->keys(other, keys);
}

void call_leg_event(struct leg *leg, const struct leg_event *ev)
{
	struct call *call = leg->call;
	struct cause unknown;
	const struct cause *cause = ev->cause;

	if (!call)
		return;
	if (!cause)
		cause = cause_set(&unknown, CAUSE_INTERNAL, NULL);
	if (call->busy) { /* rule 1 of leg.h */
		if (ev->type == LEG_ENDED)
			call_leg_drop(call, leg, NULL);
		call_invariant(call, "an event from inside an op");
		return;
	}
	switch (ev->type) {
	case LEG_RINGING:
		b_progress(call, leg, CALL_B_RINGING);
		break;
	case LEG_EARLY:
		call_path_early(call, leg, ev->body);
		b_progress(call, leg, CALL_B_RINGING);
		break;
	case LEG_ACCEPTED:
		b_progress(call, leg, CALL_B_ACCEPTED);
		break;
	case LEG_ANSWER:
		leg_answered(call, leg, ev->body);
		break;
	case LEG_OFFER:
		leg_offered(call, leg, ev->body);
		break;
	case LEG_OFFER_REFUSED:
		if (call->state == CALL_ACTIVE)
			call_oa_event(call, leg == call->a ? OA_A_REFUSE : OA_B_REFUSE,
				      NULL, cause);
		break;
	case LEG_CANDIDATES:
		call_candidates_event(call, leg, ev->candidates);
		break;
	case LEG_OFFER_WITHDRAWN:
		if (call->state == CALL_ACTIVE)
			call_oa_event(call,
				      leg == call->a ? OA_A_WITHDRAW : OA_B_WITHDRAW,
				      NULL, cause);
		break;
	case LEG_AWAY:
		leg_away(call, leg, ev->away);
		break;
	case LEG_LATE:
		call_path_late(call, leg);
		break;
	case LEG_KEYS:
		leg_keys(call, leg, ev->keys);
		break;
	case LEG_ENDED:
		leg_ended(call, leg, cause);
		break;
	case LEG_EVENT_N:
		break;
	}
}
