/* gateway/call_trickle.c - candidates from leg to leg: the caller's to all that ring, then between the two.
 *
 * Signalling thread. Called by call_event.c (what legs say) and call_legs.c (a leg was invited); calls the
 * legs' ops. Nothing of a callee's passes before the call is established, whatever a leg says. RFC 8838
 * §4, §9; RFC 8840 §4.3 (the caller may trickle while it rings), §7 (one trickle state for each fork). */
#include "gateway/call_own.h"
#include "lib/log.h"

static void tell(struct call *call, struct leg *leg, const struct candidates *c)
{
	bool was = call->busy;

	call->busy = true; /* rule 1 of leg.h */
	leg->ops->candidates(leg, c);
	call->busy = was;
	if (!was)
		call_again(call);
}

/** A's while it rings: kept for who rings later, told to who rings now. */
static void gather(struct call *call, const struct candidates *c)
{
	struct candidates *fresh = NULL;
	struct le *le;
	int err = 0;

	if (!call->gathered)
		err = candidates_alloc(&call->gathered, c->ufrag, strlen(c->ufrag));
	if (!err)
		err = candidates_join(call->gathered, &fresh, c,
				      call->core->config->limits.candidates);
	if (err)
		log_debug(call_id(call), "call.candidates.dropped", "err=%d", err);
	le = fresh ? call->legs_b.head : NULL;
	while (le) {
		struct leg *leg = le->data;

		le = le->next;
		tell(call, leg, fresh);
	}
	mem_deref(fresh);
}

void call_candidates_event(struct call *call, struct leg *leg, const struct candidates *c)
{
	bool is_a = leg == call->a;
	struct leg *to = is_a ? call->winner : call->a;
	struct candidates *made = NULL;
	int err;

	if (!c)
		return;
	log_debug(call_id(call), "call.candidates", "leg=%s n=%zu end=%d", LQ(leg->tag),
		  c->n, c->end);
	if (call->state == CALL_ENDED || (call->state != CALL_ACTIVE && !is_a))
		return;
	err = call_path_candidates(call, is_a ? PATH_A : PATH_B, c, &made);
	if (err)
		log_debug(call_id(call), "call.candidates.dropped", "err=%d", err);
	else if (made && call->state != CALL_ACTIVE)
		gather(call, made);
	else if (made && to)
		tell(call, to, made);
	mem_deref(made);
}

void call_candidates_replay(struct call *call, struct leg *leg)
{
	if (call->gathered && (call->gathered->n || call->gathered->end))
		tell(call, leg, call->gathered);
}
