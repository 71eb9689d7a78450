/* gateway/call_trunk.c - calls by trunks: who may, for how long, and what is written down of them.
 *
 * Signalling thread. Called by call.c (routed, established, over) and call_legs.c (rings); asks the trunk's ops for a leg,
 * counts by quota.c and spend.c. A minute counts when it begins; the one that would be too much ends the call. Every call
 * by a trunk has a line of its own in the log: who, where, how long. */
#include "gateway/call_own.h"
#include "gateway/quota.h"
#include "gateway/spend.h"
#include "lib/log.h"

enum { MINUTE_MS = 60000 };

void call_trunk_routed(struct call *call)
{
	const struct trunk_config *trunk = route_trunk(call->route);
	const struct addr *to = route_to(call->route);

	call->trunk = trunk;
	call->emergency = route_is_emergency(call->route);
	if (!addr_equal(&call->invite->to, to)) {
		call->invite->to = *to;
		call->callee.addr = *to;
	}
}

bool call_is_emergency(const struct call *call)
{
	return call->emergency;
}

/* Both in one text: a user has calls on each trunk. */
static int take(struct call *call)
{
	const struct trunk_config *t = call->trunk;
	int err;

	if (call->emergency)
		return 0;
	snprintf(call->trunk_key, sizeof(call->trunk_key), "%s %s", t->name,
		 AT(&call->account));
	err = quota_take(call->core->quota_users, call->trunk_key, t->calls_per_user, 0);
	if (err)
		call->trunk_key[0] = '\0';
	return err;
}

struct leg *call_trunk_leg(struct call *call, struct cause *why)
{
	const struct trunk_config *t = call->trunk;
	struct core *core = call->core;
	struct leg *leg = NULL;
	int err;

	cause_set(why, CAUSE_NONE, NULL);
	if (!t || !core->trunks || !call->account.user[0]) {
		cause_set(why, CAUSE_FORBIDDEN, NULL);
		return NULL;
	}
	if (take(call)) {
		cause_set(why, CAUSE_LIMIT,
			  "You have %u telephone calls already, which is all that is "
			  "allowed.",
			  (unsigned)t->calls_per_user);
		return NULL;
	}
	err = core->trunks->leg_alloc(&leg, core->trunks_arg, call, t);
	if (err == ENOSPC)
		cause_set(why, CAUSE_LIMIT,
			  "All telephone lines are in use; please try again later.");
	else if (err == ENOTCONN)
		cause_set(why, CAUSE_UNREACHABLE,
			  "The telephone line cannot be reached at the moment.");
	else if (err)
		cause_set(why, CAUSE_INTERNAL, NULL);
	return err ? NULL : leg;
}

static bool is_spent(const struct call *call)
{
	const struct trunk_config *t = call->trunk;

	return !call->emergency && t->minutes_a_day &&
	       spend_minutes(call->core->spend, &call->account, t->name) >=
		       t->minutes_a_day;
}

static void minute(void *arg)
{
	struct call *call = arg;
	const struct trunk_config *t = call->trunk;
	struct cause c;

	if (is_spent(call)) {
		call_end(
			call,
			cause_set(&c, CAUSE_LIMIT,
				  "Your %u minutes of telephone calls for today are used "
				  "up.",
				  (unsigned)t->minutes_a_day));
		return;
	}
	if (!call->emergency)
		spend_minute(call->core->spend, &call->account, t->name);
	if (timer_start(call->core->loop->timers, &call->minute, MINUTE_MS, minute, call))
		call_end(call, cause_set(&c, CAUSE_INTERNAL, NULL));
}

void call_trunk_answered(struct call *call)
{
	/* from the loop: what it comes to may end the call, which is being worked on */
	if (call->trunk &&
	    timer_start(call->core->loop->timers, &call->minute, 0, minute, call))
		log_err(call_id(call), "call.trunk", "no memory for a timer");
}

void call_trunk_over(struct call *call, uint64_t talk_s)
{
	timer_cancel(&call->minute);
	if (call->trunk_key[0])
		quota_give(call->core->quota_users, call->trunk_key);
	call->trunk_key[0] = '\0';
	if (call->trunk)
		log_info(call_id(call), "call.trunk",
			 "trunk=%s dir=out user=%s number=%s talk_s=%llu reason=%s%s",
			 call->trunk->name, LQ(AT(&call->account)),
			 LQ(call->invite->to.user), (unsigned long long)talk_s,
			 cause_reason_name(call->cause_a.reason),
			 call->emergency ? " emergency=1" : "");
	else if (call->from_trunk[0])
		log_info(call_id(call), "call.trunk",
			 "trunk=%s dir=in user=%s number=%s talk_s=%llu reason=%s",
			 call->from_trunk, LQ(AT(&call->invite->to)),
			 LQ(call->invite->from.addr.user), (unsigned long long)talk_s,
			 cause_reason_name(call->cause_a.reason));
	call->trunk = NULL;
	call->from_trunk[0] = '\0';
}
