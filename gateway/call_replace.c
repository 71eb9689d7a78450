/* gateway/call_replace.c - a call that takes the place of an established one: from one device to another.
 *
 * Signalling thread. Called by call.c at four points of the new call's life; calls call_legs.c to ring the one
 * end that stays. Until the new call is established the old one knows nothing of it; then it has a short time to
 * be ended by the end that stays, when its media have moved. RFC 3891 §3, §5. */
#include "gateway/call_own.h"
#include "gateway/registry.h"
#include "lib/log.h"

/** The established call that `leg` is a half of, or NULL. */
static struct call *established(const struct leg *leg)
{
	struct call *call = leg ? leg->call : NULL;

	return call && call->state == CALL_ACTIVE && call->a && call->winner ? call
									     : NULL;
}

static struct leg *other_half(const struct call *call, const struct leg *leg)
{
	return leg == call->a ? call->winner : call->a;
}

/** Is this half's party a device here? (A foreign site otherwise.) */
static bool is_local(const struct call *call, const struct leg *leg)
{
	return leg == call->a ? call->account.user[0] != '\0' : call->kind == ROUTE_LOCAL;
}

static bool is_of(const struct call *call, const struct leg *leg, const struct addr *user,
		  const char *but)
{
	const struct addr *whose = leg == call->a ? &call->account : &leg->remote.addr;

	return is_local(call, leg) && addr_equal(whose, user) &&
	       strcmp(leg->tag, but) != 0;
}

struct leg *call_replace_find(const struct core *core, const char *id,
			      const struct addr *user, const char *but)
{
	struct call *call = call_find(core, id);

	if (!call || !established(call->a))
		return NULL;
	if (is_of(call, call->a, user, but))
		return call->a;
	return is_of(call, call->winner, user, but) ? call->winner : NULL;
}

bool call_replace_may(const struct call *old)
{
	/* with a telephone the media are tied to this call's legs */
	return old->kind != ROUTE_TRUNK && !old->from_trunk[0];
}

int call_replace_begin(struct call *call)
{
	struct invite *invite = call->invite;
	struct call *old = established(invite->replaces);

	if (!old)
		return ENOENT;
	if (old->successor)
		return EBUSY;
	if (!call_replace_may(old))
		return EOPNOTSUPP;
	invite->replaced = mem_ref(other_half(old, invite->replaces));
	old->successor = call;
	return 0;
}

int call_replace_route(struct call *call)
{
	struct call *old = established(call->invite->replaced);

	if (!old)
		return ENOENT;
	call->kind =
		is_local(old, call->invite->replaced) ? ROUTE_LOCAL : ROUTE_FEDERATED;
	if (call->invite->replaced != old->a && old->kind == ROUTE_ECHO)
		call->kind = ROUTE_ECHO;
	call->callee.site_verified = call->kind != ROUTE_FEDERATED;
	call->hidden = old->hidden; /* nothing is shown now that was not before */
	log_info(call_id(call), "call.replaces", "old=%s leg=%s", call_id(old),
		 LQ(call->invite->replaced->tag));
	return 0;
}

bool call_replace_stands(const struct call *call)
{
	return established(call->invite->replaced) != NULL;
}

void call_replace_ring(struct call *call)
{
	struct device *d;

	if (call->kind == ROUTE_FEDERATED) {
		call_legs_federated(call);
		return;
	}
	if (call->kind == ROUTE_ECHO) {
		call_legs_echo(call);
		return;
	}
	d = registry_device(call->core->registry, call->invite->replaced->tag);
	if (d)
		call_legs_device(call, d);
}

static void time_over(void *arg)
{
	struct call *old = arg;
	struct cause c;

	call_end(old, cause_set(&c, CAUSE_ELSEWHERE, CAUSE_TEXT_MOVED));
}

void call_replace_done(struct call *call)
{
	struct invite *invite = call->invite;
	struct call *old = established(invite->replaced);
	uint64_t ms = (uint64_t)call->core->config->limits.replace_s * 1000;

	/* In ACTIVE nothing else uses the state's timer. */
	if (old && old->successor == call &&
	    timer_start(call->core->loop->timers, &old->timer, ms, time_over, old))
		log_err(call_id(old), "call.replace", "no memory for its timer");
}

static void let_go(struct call *call)
{
	struct invite *invite = call->invite, *given = call->given;

	invite->replaces = mem_deref(invite->replaces);
	invite->replaced = mem_deref(invite->replaced);
	if (given && given != invite) {
		given->replaces = mem_deref(given->replaces);
		given->replaced = mem_deref(given->replaced);
	}
}

void call_replace_undo(struct call *call)
{
	struct call *old = call->invite->replaced ? call->invite->replaced->call : NULL;

	if (old && old->successor == call) {
		old->successor = NULL;
		if (old->state == CALL_ACTIVE)
			timer_cancel(&old->timer);
	}
	let_go(call);
}

void call_replace_left(struct call *old, const struct leg *leg, const struct cause *cause)
{
	struct call *call = old->successor;

	/* A far site knows of its own user's hanging up, and answers the INVITE so. */
	if (!call || call->invite->replaced != leg || call->kind != ROUTE_LOCAL ||
	    cause->reason == CAUSE_ELSEWHERE)
		return;
	if (call->state == CALL_CALLING || call->state == CALL_RINGING ||
	    call->state == CALL_ACCEPTED)
		call_end(call, cause);
}

void call_replace_over(struct call *old)
{
	struct call *call = old->successor;

	old->successor = NULL;
	/* One that still rings finds out by itself, when it has been answered or asks where it goes. */
	if (call && call->state == CALL_ACTIVE)
		let_go(call);
}
