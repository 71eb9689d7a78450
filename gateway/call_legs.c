/* gateway/call_legs.c - the B side of a call: who rings, who wins, who is told what.
 *
 * Signalling thread. Called by call.c (actions) and by the web room (call_device_online); calls the
 * endpoints' and legs' ops, the registry and the federation. RFC 3261 §16.7 (best refusal), §26.1.5. */
#include "gateway/call_own.h"
#include "gateway/quota.h"
#include "gateway/registry.h"
#include "lib/log.h"

void call_legs_refused(struct call *call, const struct cause *cause)
{
	if (call->best.reason == CAUSE_NONE ||
	    cause_rank(cause) < cause_rank(&call->best))
		call->best = *cause;
}

void call_leg_drop(struct call *call, struct leg *leg, const struct cause *cause)
{
	leg->call = NULL;
	if (call->winner == leg)
		call->winner = NULL;
	if (call->a == leg)
		call->a = NULL;
	list_unlink(&leg->le);
	list_append(&call->spent, &leg->le, leg);
	if (cause) {
		log_debug(call_id(call), "call.leg.end", "leg=%s reason=%s", LQ(leg->tag),
			  cause_reason_name(cause->reason));
		leg->ops->end(leg, cause);
	}
	call_turn(call);
}

void call_legs_end(struct call *call, const struct cause *cause)
{
	while (call->legs_b.head)
		call_leg_drop(call, call->legs_b.head->data, cause);
}

void call_legs_choose(struct call *call, struct leg *winner)
{
	struct cause elsewhere;
	struct le *le = call->legs_b.head;

	cause_set(&elsewhere, CAUSE_ELSEWHERE, NULL);
	call->winner = winner;
	while (le) {
		struct leg *leg = le->data;

		le = le->next;
		if (leg != winner)
			call_leg_drop(call, leg, &elsewhere);
	}
}

enum cause_reason call_reason_of(int err)
{
	switch (err) {
	case ENOSPC:
	case EAGAIN:
		return CAUSE_LIMIT;
	case ENOTCONN:
		return CAUSE_LOST;
	case EBADMSG:
		return CAUSE_MEDIA;
	case EBUSY:
		return CAUSE_GLARE;
	case ESHUTDOWN:
		return CAUSE_SHUTDOWN;
	default:
		return CAUSE_INTERNAL;
	}
}

/** What a leg that could not be started says to the caller. */
static void start_refused(struct call *call, int err)
{
	enum cause_reason reason = call_reason_of(err);
	const struct addr *to = &call->invite->to;
	struct cause c;

	if (reason == CAUSE_LIMIT)
		cause_set(&c, reason, "There are too many calls to %s at the moment.",
			  to->host);
	else if (reason == CAUSE_LOST && call->kind == ROUTE_LOCAL)
		cause_set(&c, CAUSE_OFFLINE, "%s is not online at the moment.", AT(to));
	else if (reason == CAUSE_LOST)
		cause_set(&c, CAUSE_UNREACHABLE, "%s could not be reached.", to->host);
	else
		cause_set(&c, reason, NULL);
	call_legs_refused(call, &c);
}

/** Takes `leg`, just made, into the call and starts it. */
static bool leg_start(struct call *call, struct leg *leg)
{
	int err;

	leg->call = call;
	leg->dir = LEG_OUT;
	list_append(&call->legs_b, &leg->le, leg);
	err = leg->ops->invite(leg, call->given);
	log_debug(call_id(call), "call.leg.invite", "leg=%s kind=%s err=%d", LQ(leg->tag),
		  leg->ops->kind, err);
	if (!err) {
		call_candidates_replay(call, leg);
		return true;
	}
	start_refused(call, err);
	call_leg_drop(call, leg, NULL); /* never started: no op, no event */
	return false;
}

/** A user who calls their own address rings at their other devices. */
static bool is_callers_own(const struct call *call, const struct device *d)
{
	return call->a && addr_equal(&call->account, &d->user) &&
	       !strcmp(call->a->tag, d->id);
}

bool call_legs_device(struct call *call, struct device *d)
{
	struct leg *leg;
	int err = d->ep.ops->leg_alloc(&leg, &d->ep, call);

	if (!err)
		return leg_start(call, leg);
	start_refused(call, err);
	return false;
}

static bool device_ring(struct device *d, void *arg)
{
	struct call *call = arg;

	if (!is_callers_own(call, d))
		call_legs_device(call, d);
	return false;
}

static void local_ring(struct call *call)
{
	struct core *core = call->core;
	const struct addr *to = &call->invite->to;

	hash_append(core->ringing, hash_joaat_str(AT(to)), &call->le_ringing, call);
	if (registry_each(core->registry, to, device_ring, call) &&
	    call->best.reason == CAUSE_NONE && !call->legs_b.head) {
		struct cause c;

		cause_set(&c, CAUSE_OFFLINE,
			  "You called yourself, and no other device of %s is online.",
			  AT(to));
		call_legs_refused(call, &c);
	}
}

void call_legs_federated(struct call *call)
{
	struct core *core = call->core;
	const struct addr *to = &call->invite->to;
	const struct site *site = core_site_find(core, call->account.host);
	struct leg *leg;
	int err;

	if (!site || !core->federation) {
		start_refused(call, ENOSYS);
		return;
	}
	if (!call->invite->max_forwards) {
		struct cause c;

		cause_set(&c, CAUSE_LOOP, NULL);
		c.code = 483; /* RFC 3261 §16.3 3 */
		call_legs_refused(call, &c);
		return;
	}
	err = quota_take(core->quota_peers, to->host, core->config->limits.calls_per_peer,
			 0);
	if (!err) {
		snprintf(call->peer_key, sizeof(call->peer_key), "%s", to->host);
		err = core->federation->leg_alloc(&leg, core->federation_arg, call, site,
						  to->host);
	}
	if (err)
		start_refused(call, err);
	else
		leg_start(call, leg);
}

static void trunk_ring(struct call *call)
{
	struct cause why;
	struct leg *leg = call_trunk_leg(call, &why);

	if (leg)
		leg_start(call, leg);
	else
		call_legs_refused(call, &why);
}

void call_legs_echo(struct call *call)
{
	struct endpoint *echo = call->core->echo;
	struct leg *leg;
	int err = echo->ops->leg_alloc(&leg, echo, call);

	if (err)
		start_refused(call, err);
	else
		leg_start(call, leg);
}

bool call_legs_ring(struct call *call)
{
	struct cause why;

	if (call_path_begin(call, &why)) {
		call_legs_refused(call, &why);
		return false;
	}
	if (call->invite->replaced)
		call_replace_ring(call);
	else if (call->invite->rejoins)
		call_rejoin_ring(call);
	else if (call->kind == ROUTE_LOCAL)
		local_ring(call);
	else if (call->kind == ROUTE_ECHO)
		call_legs_echo(call);
	else if (call->kind == ROUTE_TRUNK)
		trunk_ring(call);
	else
		call_legs_federated(call);
	if (call->legs_b.head)
		return true;
	if (call->best.reason == CAUSE_NONE)
		start_refused(call, ENOTCONN); /* the last device has just gone */
	return false;
}

void call_device_online(struct core *core, struct device *device)
{
	struct le *le = hash_list(core->ringing, hash_joaat_str(AT(&device->user)))->head;

	call_rejoin_device(core, device);
	while (le) {
		struct call *call = le->data;

		le = le->next;
		if (addr_equal(&call->invite->to, &device->user))
			device_ring(device, call);
	}
}
