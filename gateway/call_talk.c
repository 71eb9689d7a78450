/* gateway/call_talk.c - new offers and their answers in an established call.
 *
 * Signalling thread. Called by call.c with what the legs say; looks steps up in call_oa.c and carries
 * them out by the legs' ops. Never ends a call. RFC 3264 §8, RFC 3261 §14, RFC 6337. */
#include "gateway/call_own.h"
#include "lib/log.h"

static void offer_time_over(void *arg)
{
	struct call *call = arg;
	struct cause c;

	cause_set(&c, CAUSE_TIMEOUT,
		  "The other side did not reply to the change in time.");
	call_oa_event(call, OA_TIMEOUT, NULL, &c);
}

static void oa_state_set(struct call *call, enum oa_state next, enum oa_event event)
{
	bool open = next == OA_A_OFFERED || next == OA_B_OFFERED;
	uint64_t offer_ms = (uint64_t)call->core->config->limits.offer_s * 1000;

	if (next == call->oa)
		return;
	log_debug(call_id(call), "call.offer", "%s -> %s on %s", oa_state_name(call->oa),
		  oa_state_name(next), oa_event_name(event));
	call->oa = next;
	timer_cancel(&call->oa_timer);
	if (open && timer_start(call->core->loop->timers, &call->oa_timer, offer_ms,
				offer_time_over, call))
		log_err(call_id(call), "call.offer", "no memory for its timer");
}

static struct leg *half(const struct call *call, enum path_side side)
{
	return side == PATH_A ? call->a : call->winner;
}

static enum path_side other(enum path_side side)
{
	return side == PATH_A ? PATH_B : PATH_A;
}

/** Brings the offer of `from` to the other half. What fails counts as refused by it; gives whether it did. */
static bool offer_failed(struct call *call, enum path_side from, struct body *offer,
			 struct cause *cause)
{
	struct leg *to = half(call, other(from));
	struct body *made = NULL;
	int err = call_path_offer(call, from, offer, &made, cause);

	if (err)
		return true;
	err = to->ops->offer(to, made);
	mem_deref(made);
	if (err)
		cause_set(cause, call_reason_of(err), NULL);
	return err != 0;
}

/** Brings the answer of `from` to the other half. */
static void answer(struct call *call, enum path_side from, struct body *body)
{
	struct leg *to = half(call, other(from));
	struct body *made = NULL;
	struct cause c;
	int err = call_path_answer(call, from, body, &made, &c);

	if (!err && made) {
		err = to->ops->answer(to, made);
		if (err)
			cause_set(&c, call_reason_of(err), NULL);
	}
	mem_deref(made);
	if (!err)
		return;
	/* it must not wait for an answer that got lost here */
	call_path_undo(call, other(from));
	to->ops->offer_refuse(to, &c);
}

static void step_take(struct call *call, enum oa_event event, struct body *body,
		      const struct cause *cause)
{
	enum oa_state was = call->oa;
	const struct oa_step *step = call_oa_step(was, event);
	struct leg *a = call->a, *b = call->winner;
	struct cause own;

	if (!a || !b)
		return;
	/* an offer that meets another, or one whose answer is overdue, is refused by us */
	if (event == OA_A_OFFER || event == OA_B_OFFER) {
		if (was == OA_A_LATE || was == OA_B_LATE)
			cause = cause_set(
				&own, CAUSE_TIMEOUT,
				"The other side has not replied to the last change yet.");
		else
			cause = cause_set(&own, CAUSE_GLARE, NULL);
	}
	oa_state_set(call, step->next, event);
	switch (step->action) {
	case OA_DO_NOTHING:
		log_debug(call_id(call), "call.offer.ignored", "%s in %s",
			  oa_event_name(event), oa_state_name(was));
		break;
	case OA_DO_OFFER_A:
		if (offer_failed(call, PATH_B, body, &own))
			step_take(call, OA_A_REFUSE, NULL, &own);
		break;
	case OA_DO_OFFER_B:
		if (offer_failed(call, PATH_A, body, &own))
			step_take(call, OA_B_REFUSE, NULL, &own);
		break;
	case OA_DO_ANSWER_A:
		answer(call, PATH_B, body);
		break;
	case OA_DO_ANSWER_B:
		answer(call, PATH_A, body);
		break;
	case OA_DO_REFUSE_A:
		if (event != OA_A_OFFER) /* that one has gone nowhere */
			call_path_undo(call, PATH_A);
		a->ops->offer_refuse(a, cause);
		break;
	case OA_DO_REFUSE_B:
		if (event != OA_B_OFFER)
			call_path_undo(call, PATH_B);
		b->ops->offer_refuse(b, cause);
		break;
	case OA_DO_WITHDRAW_A:
		call_path_undo(call, PATH_B);
		a->ops->offer_withdraw(a);
		break;
	case OA_DO_WITHDRAW_B:
		call_path_undo(call, PATH_A);
		b->ops->offer_withdraw(b);
		break;
	}
}

void call_oa_event(struct call *call, enum oa_event event, struct body *body,
		   const struct cause *cause)
{
	call->busy = true;
	step_take(call, event, body, cause);
	call->busy = false;
	call_again(call);
}
