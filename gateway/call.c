/* gateway/call.c - a call: made by its incoming leg, driven by events, freed by the loop.
 *
 * Signalling thread. Called by legs (call_alloc), call_event.c (what legs say), slussctl and main
 * (call_end). Looks steps up in call_fsm.c and carries them out, with call_legs.c for the B side and
 * route.c for where it goes. The one place that logs a call's start, ringing, establishment and end. */
#include "gateway/call_own.h"
#include "gateway/kept.h"
#include "gateway/quota.h"
#include "gateway/trunk_choice.h"
#include "lib/log.h"
#include "lib/secret.h"

#include <config.h>

static void state_timeout(void *arg);

static void call_state_set(struct call *call, enum call_state next, enum call_event event)
{
	const struct core *core = call->core;
	uint64_t ms = (uint64_t)call_fsm_timeout_s(next, &core->config->limits) * 1000;

	if (next == call->state)
		return;
	log_debug(call_id(call), "call.state", "%s -> %s on %s",
		  call_state_name(call->state), call_state_name(next),
		  call_event_name(event));
	call->state = next;
	timer_cancel(&call->timer);
	/* the timer takes the place in the heap that it has just left: that needs no memory */
	if (ms && timer_start(core->loop->timers, &call->timer, ms, state_timeout, call))
		log_err(call_id(call), "call.state", "no timer");
	if (next != CALL_CALLING && next != CALL_RINGING)
		hash_unlink(&call->le_ringing);
}

static void routed(enum route_kind kind, const struct site *site,
		   const struct cause *cause, void *arg)
{
	struct call *call = arg;

	(void)site;
	call->kind = kind;
	call->callee.site_verified = kind != ROUTE_FEDERATED;
	call_trunk_routed(call);
	if (cause) {
		call->cause_a = *cause;
		call_do(call, CALL_NO_ROUTE);
	} else {
		call_identity_go(call);
	}
}

static void do_route(struct call *call)
{
	if (call->invite->replaces) {
		if (call_replace_route(call)) {
			cause_set(&call->cause_a, CAUSE_GONE,
				  "The call that was to be moved has ended.");
			call->again = CALL_NO_ROUTE;
		} else {
			call->again = call_identity_begin(call);
		}
		return;
	}
	if (call->invite->rejoins) {
		/* Else ROUTING lasts until its device is there, or its time is over. */
		if (call_rejoin_route(call))
			call->again = call_identity_begin(call);
		return;
	}
	if (route_find(&call->route, call->core, &call->invite->to,
		       call->account.user[0] ? &call->account : NULL, routed, call)) {
		cause_set(&call->cause_a, CAUSE_INTERNAL, NULL);
		call->again = CALL_NO_ROUTE;
	}
}

static void do_ring(struct call *call)
{
	call_identity_called(call);
	if (call_legs_ring(call))
		return;
	call->cause_a = call->best;
	call->again = CALL_B_GONE;
}

static void do_answer(struct call *call)
{
	struct leg *a = call->a;
	struct body *answer = NULL;
	struct cause *why = &call->cause_a;
	int err = call_path_answer(call, PATH_B, call->answer, &answer, why);

	if (!err) {
		err = a ? a->ops->answer(a, answer) : ENOTCONN;
		if (err)
			cause_set(why, call_reason_of(err), NULL);
	}
	mem_deref(answer);
	if (err) {
		log_debug(call_id(call), "call.answer", "leg=%s err=%d",
			  LQ(a ? a->tag : ""), err);
		call->cause_b = call->cause_a;
		call->again = CALL_BROKEN;
		return;
	}
	call->gathered = mem_deref(call->gathered); /* the winner has them */
	call->active_us = timers_now_us(call->core->loop->timers);
	call_identity_accepted(call);
	call_replace_done(call);
	call_rejoin_done(call);
	call_rejoin_keep(call);
	call_trunk_answered(call);
	call->core->counters.n_calls_established++;
	log_info(call_id(call), "call.established", "leg=%s media=%s after_ms=%llu",
		 LQ(call->leg->tag), media_mode_name(call_media_mode(call)),
		 (unsigned long long)(call->active_us - call->started_us) / 1000);
}

static void quotas_give(struct call *call)
{
	if (call->user_key[0])
		quota_give(call->core->quota_users, call->user_key);
	if (call->peer_key[0])
		quota_give(call->core->quota_peers, call->peer_key);
	call->user_key[0] = call->peer_key[0] = '\0';
}

static void do_finish(struct call *call)
{
	uint64_t now_us = timers_now_us(call->core->loop->timers);
	uint64_t talk_us = call->active_us ? now_us - call->active_us : 0;

	if (!call->active_us)
		call->core->counters.n_calls_failed++;
	log_info(call_id(call), "call.ended", "reason=%s code=%u talk_s=%llu",
		 cause_reason_name(call->cause_a.reason), call->cause_a.code,
		 (unsigned long long)talk_us / 1000000);
	/* It may name an address in full. */
	log_debug(call_id(call), "call.why", "text=%s", LQ(call->cause_a.text));
	timer_cancel(&call->oa_timer);
	call_path_end(call);
	kept_drop(call->core->kept, call_id(call));
	call_rejoin_undo(call);
	call_replace_undo(call);
	call_replace_over(call);
	quotas_give(call);
	call_trunk_over(call, talk_us / 1000000);
	call_turn(call);
}

static void act(struct call *call, enum call_action action)
{
	switch (action) {
	case CALL_DO_NOTHING:
		break;
	case CALL_DO_ROUTE:
		do_route(call);
		break;
	case CALL_DO_UNROUTE:
		call->route = mem_deref(call->route);
		call_identity_forget(call);
		break;
	case CALL_DO_RING:
		do_ring(call);
		break;
	case CALL_DO_TELL_RINGING:
		log_info(call_id(call), "call.ringing", "leg=%s", LQ(call->leg->tag));
		if (call->a)
			call->a->ops->ringing(call->a);
		break;
	case CALL_DO_TELL_ACCEPTED:
		if (call->a)
			call->a->ops->accepted(call->a);
		break;
	case CALL_DO_CHOOSE:
		call_legs_choose(call, call->leg);
		break;
	case CALL_DO_ANSWER:
		do_answer(call);
		break;
	case CALL_DO_END_B:
		call_legs_end(call, &call->cause_b);
		break;
	case CALL_DO_END_A:
		if (call->a)
			call_leg_drop(call, call->a, &call->cause_a);
		break;
	case CALL_DO_FINISH:
		do_finish(call);
		break;
	}
}

/** The step of a call whose rules were broken, from any state. */
static const struct call_step dropped = {
	.verdict = CALL_STEPS,
	.next = CALL_ENDED,
	.actions = {CALL_DO_UNROUTE, CALL_DO_END_B, CALL_DO_END_A, CALL_DO_FINISH},
};

void call_invariant(struct call *call, const char *what)
{
	log_err(call_id(call), "call.invariant", "state=%s what=%s",
		call_state_name(call->state), LQ(what));
#ifdef SLUSS_DEBUG
	abort();
#endif
	call->core->counters.n_invariants++;
	cause_set(&call->cause_a, CAUSE_INTERNAL, NULL);
	call->cause_b = call->cause_a;
	call->again = CALL_FORCED;
}

void call_do(struct call *call, enum call_event event)
{
	const struct call_step *step = call_fsm_step(call->state, event);

	call->busy = true;
	if (step->verdict == CALL_IMPOSSIBLE) {
		call_invariant(call, call_event_name(event));
		call->again = CALL_NO_EVENT;
		if (call->state == CALL_ENDED)
			step = call_fsm_step(CALL_ENDED, CALL_FORCED);
		else
			step = &dropped;
	}
	if (step->verdict == CALL_STEPS) {
		call_state_set(call, step->next, event);
		for (size_t i = 0; i < CALL_ACTIONS_MAX && step->actions[i]; i++)
			act(call, step->actions[i]);
	}
	call->busy = false;
	call_again(call);
}

void call_again(struct call *call)
{
	int again = call->again;

	call->again = CALL_NO_EVENT;
	if (again != CALL_NO_EVENT)
		call_do(call, (enum call_event)again);
}

static void state_timeout(void *arg)
{
	struct call *call = arg;

	switch (call->state) {
	case CALL_CALLING:
	case CALL_RINGING:
		cause_set(&call->cause_a, CAUSE_NO_ANSWER, NULL);
		break;
	case CALL_ACCEPTED:
		cause_set(
			&call->cause_a, CAUSE_TIMEOUT,
			"The call was accepted, but it could not be connected in time.");
		break;
	default:
		if (call->invite->rejoins)
			cause_set(&call->cause_a, CAUSE_OFFLINE,
				  "%s has not come back to the call.",
				  AT(&call->invite->to));
		else
			cause_set(&call->cause_a, CAUSE_TIMEOUT,
				  "It took too long to find out where the call goes.");
		break;
	}
	call->cause_b = call->cause_a;
	call_do(call, CALL_TIMEOUT);
}

void call_end(struct call *call, const struct cause *cause)
{
	if (call->state == CALL_ENDED)
		return;
	call->cause_a = call->cause_b = *cause;
	if (call->busy) /* from inside a leg's op: when that is done */
		call->again = CALL_FORCED;
	else
		call_do(call, CALL_FORCED);
}

/* ---- making and freeing ---- */

static void turn(void *arg)
{
	struct call *call = arg;

	list_flush(&call->spent);
	if (call->state == CALL_IDLE)
		call_do(call, CALL_START);
	else if (call->state == CALL_ENDED)
		mem_deref(call);
}

void call_turn(struct call *call)
{
	if (!timer_running(&call->turn) &&
	    timer_start(call->core->loop->timers, &call->turn, 0, turn, call))
		log_err(call_id(call), "call.turn",
			"no memory for a timer"); /* core_close frees it */
}

static void destructor(void *arg)
{
	struct call *call = arg;
	struct cause c;

	timer_cancel(&call->timer);
	timer_cancel(&call->oa_timer);
	call_identity_forget(call);
	if (call->state != CALL_ENDED && call->core) { /* the core is being closed */
		cause_set(&c, CAUSE_SHUTDOWN, NULL);
		call->route = mem_deref(call->route);
		call_legs_end(call, &c);
		if (call->a)
			call_leg_drop(call, call->a, &c);
		quotas_give(call);
		if (call->started_us)
			call_trunk_over(call, 0);
	}
	timer_cancel(&call->minute);
	timer_cancel(&call->turn);
	if (call->invite) {
		call_rejoin_undo(call);
		call_replace_undo(call);
	}
	call_replace_over(call);
	list_flush(&call->spent);
	hash_unlink(&call->le_ringing);
	if (call->le.list) {
		list_unlink(&call->le);
		call->core->n_calls--;
	}
	call_path_end(call);
	mem_deref(call->gathered);
	mem_deref(call->caller);
	mem_deref(call->invite);
}

/* No limit on calls is to hold it up. */
static bool is_emergency(const struct call *call, const struct addr *account)
{
	const struct site *site = core_site_find(call->core, account->host);
	const struct trunk_config *trunk;
	struct cause why;

	return site && trunk_emergency(call->core, site->config, call->invite->to.user,
				       &trunk, &why);
}

/** Counts the call where its caller is counted. */
static int quotas_take(struct call *call, const struct addr *account, const char *peer)
{
	const struct limits *limits = &call->core->config->limits;
	int err = 0;

	if (account && is_emergency(call, account))
		return 0;
	if (account) {
		err = quota_take(call->core->quota_users, AT(account),
				 limits->calls_per_user, limits->calls_per_user_min);
		if (!err)
			addr_text(call->user_key, account);
	} else if (peer) {
		err = quota_take(call->core->quota_peers, peer, limits->calls_per_peer,
				 0);
		if (!err)
			snprintf(call->peer_key, sizeof(call->peer_key), "%s", peer);
	}
	return err;
}

static int refuse_early(struct core *core, const struct leg *a,
			const struct invite *invite)
{
	struct cause c;

	if (core->stopping)
		return ECANCELED;
	if (core->n_calls >= core->config->limits.calls)
		return ENOSPC;
	if (!invite->offer && a->media != LEG_WEBRTC)
		return 0; /* it wants ours */
	if (call_sdp_check(core, a, &c, invite->offer)) {
		log_debug(NULL, "call.refused", "leg=%s text=%s", LQ(a->tag), LQ(c.text));
		return EBADMSG;
	}
	return 0;
}

int call_alloc(struct call **callp, struct core *core, struct leg *a,
	       struct invite *invite, const struct addr *account, const char *peer)
{
	uint64_t idle_ms =
		(uint64_t)call_fsm_timeout_s(CALL_IDLE, &core->config->limits) * 1000;
	struct call *call;
	int err;

	err = refuse_early(core, a, invite);
	if (err)
		return err;
	call = mem_zalloc(sizeof(*call), destructor);
	if (!call)
		return ENOMEM;
	call->core = core;
	call->again = CALL_NO_EVENT;
	call->started_us = timers_now_us(core->loop->timers);
	call->invite = mem_ref(invite);
	err = invite->replaces ? call_replace_begin(call) : 0;
	if (!err && invite->rejoins)
		err = call_rejoin_begin(call);
	if (err)
		goto out;
	err = quotas_take(call, account, peer);
	if (err)
		goto out;
	err = timer_start(core->loop->timers, &call->timer, idle_ms, state_timeout, call);
	if (err)
		goto out;
	err = timer_start(core->loop->timers, &call->turn, 0, turn, call);
	if (err)
		goto out;

	/* nothing below fails: the leg belongs to the call from here on */
	secret_hex(invite->call_id, sizeof(invite->call_id) - 1);
	if (account)
		call->account = *account;
	if (a->media != LEG_WEBRTC)
		snprintf(call->from_trunk, sizeof(call->from_trunk), "%.*s",
			 TRUNK_NAME_MAX, a->tag);
	call->callee.addr = invite->to;
	call->a = mem_ref(a);
	a->call = call;
	a->dir = LEG_IN;
	list_append(&core->calls, &call->le, call);
	core->n_calls++;
	core->counters.n_calls_started++;
	log_info(call_id(call), "call.start", "from=%s to=%s leg=%s kind=%s",
		 LQ(AT_SHORT(&invite->from.addr)), LQ(AT_SHORT(&invite->to)), LQ(a->tag),
		 a->ops->kind);
	*callp = call;
out:
	if (err)
		mem_deref(call);
	return err;
}
