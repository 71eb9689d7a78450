/* gateway/call_rejoin.c - a call that joins again one whose site was killed: the sound has never stopped, and a new
 * call takes over the signalling between the same two browsers.
 *
 * Signalling thread. Called by call.c at the points of a call's life that call_replace.c has, too; kept.c has what
 * the killed process has left. The other party is a user here, then the one device is rung whose client says that
 * it still has that call, once it is back; or it is at another site, which is told the old dialog. RFC 3891. */
#include "gateway/call_own.h"
#include "gateway/kept.h"
#include "gateway/registry.h"
#include "lib/log.h"

/* Is it one between these two, the second at home here or not? */
static bool is_between(const struct kept_call *c, const struct addr *user, bool user_here,
		       const struct addr *to)
{
	const struct store_call *row = &c->row;

	return (addr_equal(&row->a, user) && row->a_here == user_here &&
		addr_equal(&row->b, to)) ||
	       (addr_equal(&row->b, user) && row->b_here == user_here &&
		addr_equal(&row->a, to));
}

struct kept_call *call_rejoin_find(const struct core *core, const char *id,
				   const struct addr *user, const struct addr *to)
{
	struct kept_call *c = kept_find(core->kept, id);

	return c && is_between(c, user, true, to) ? c : NULL;
}

struct kept_call *call_rejoin_find_dialog(const struct core *core, const char *dialog,
					  const struct addr *user, const struct addr *to)
{
	struct kept_call *c = kept_find_dialog(core->kept, dialog);

	return c && is_between(c, user, false, to) ? c : NULL;
}

void call_rejoin_keep(struct call *call)
{
	struct store_call row = {.a_here = call->account.user[0] != '\0',
				 .b_here = call->kind == ROUTE_LOCAL};
	const struct leg *far = !row.a_here ? call->a : !row.b_here ? call->winner : NULL;

	if (!call->core->kept || call_media_mode(call) != MODE_DIRECT)
		return; /* media that pass here end with the process */
	if (far && (!far->ops->dialog ||
		    !far->ops->dialog(far, row.dialog, sizeof(row.dialog)))) {
		log_debug(call_id(call), "call.keep", "its dialog does not fit");
		return;
	}
	memcpy(row.id, call_id(call), sizeof(row.id));
	row.a = row.a_here ? call->account : call->invite->from.addr;
	row.b = call->invite->to;
	if (row.b_here && call->winner && call->winner->remote.addr.user[0])
		row.b = call->winner->remote.addr;
	kept_add(call->core->kept, &row);
}

int call_rejoin_begin(struct call *call)
{
	struct kept_call *old = call->invite->rejoins;

	if (!old->le.list)
		return ENOENT; /* swept, or joined already */
	if (old->joiner)
		return EBUSY;
	old->joiner = call;
	return 0;
}

struct search {
	const struct call *call;
	struct device *found;
};

static bool is_the_one(struct device *d, void *arg)
{
	struct search *s = arg;
	const struct call *call = s->call;

	if (!d->ops->holds || (call->a && !strcmp(call->a->tag, d->id)) ||
	    !d->ops->holds(&d->ep, call->invite->rejoins->row.id))
		return false;
	s->found = d;
	return true;
}

/* The device of the other party that has the call. */
static struct device *holder(const struct call *call)
{
	struct search s = {.call = call};

	registry_each(call->core->registry, &call->invite->to, is_the_one, &s);
	return s.found;
}

bool call_rejoin_route(struct call *call)
{
	const struct store_call *row = &call->invite->rejoins->row;
	bool here = addr_equal(&row->a, &call->invite->to) ? row->a_here : row->b_here;

	call->kind = here ? ROUTE_LOCAL : ROUTE_FEDERATED;
	call->callee.site_verified = here;
	log_info(call_id(call), "call.rejoins", "old=%s", row->id);
	return !here || holder(call);
}

void call_rejoin_ring(struct call *call)
{
	struct device *d;

	if (call->kind == ROUTE_FEDERATED) {
		call_legs_federated(call);
		return;
	}
	d = holder(call);
	if (d)
		call_legs_device(call, d);
}

void call_rejoin_device(struct core *core, struct device *device)
{
	struct le *le = core->calls.head;
	uint32_t n_left, n_mine;

	kept_count(core->kept, &n_left, &n_mine);
	if (!n_left || !device->ops->holds) /* the usual case */
		return;
	while (le) {
		struct call *call = le->data;

		le = le->next;
		if (call->state == CALL_ROUTING && call->invite->rejoins &&
		    call->kind == ROUTE_LOCAL &&
		    addr_equal(&call->invite->to, &device->user) && holder(call))
			call_identity_go(call);
	}
}

static void let_go(struct call *call)
{
	struct kept_call *old = call->invite->rejoins;

	if (old->joiner == call)
		old->joiner = NULL;
}

void call_rejoin_done(struct call *call)
{
	struct kept_call *old = call->invite->rejoins;

	if (!old)
		return;
	let_go(call);
	kept_done(call->core->kept, old);
}

void call_rejoin_undo(struct call *call)
{
	struct kept_call *old = call->invite->rejoins;

	if (!old)
		return;
	let_go(call);
	if (call->cause_a.reason == CAUSE_GONE && !call->active_us)
		kept_done(call->core->kept, old); /* its other end has it no more */
}
