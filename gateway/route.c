/* gateway/route.c - decides where a call goes.
 *
 * Signalling thread. Called by call.c; asks the registry who is online, the account service who exists,
 * the configuration which domains are barred. RFC 3261 §16.5 (targets), §26.1.5 (no open relay). */
#include "gateway/route.h"
#include "gateway/account.h"
#include "gateway/echo.h"
#include "gateway/registry.h"
#include "gateway/trunk_choice.h"
#include "lib/timer.h"

struct route {
	struct core *core;
	struct addr to;
	struct addr account; /**< user empty: the call comes from outside */
	const struct trunk_config *trunk;
	bool emergency;
	const struct site *site; /**< LOCAL: the callee's */
	enum route_kind kind;
	struct cause cause; /**< reason NONE: found */
	struct account_request *request;
	struct timer timer; /**< 0 ms: the answer comes from the loop */
	route_h *h;
	void *arg;
};

static void destructor(void *arg)
{
	struct route *r = arg;

	timer_cancel(&r->timer);
	mem_deref(r->request);
}

static void tell(void *arg)
{
	struct route *r = arg;

	/* the last touch: the handler may free it */
	r->h(r->kind, r->site, r->cause.reason == CAUSE_NONE ? NULL : &r->cause, r->arg);
}

static bool is_there(struct device *d, void *arg)
{
	(void)d;
	(void)arg;
	return true;
}

static bool online(const struct route *r)
{
	return registry_each(r->core->registry, &r->to, is_there, NULL) > 0;
}

/* A number that is nobody's here. */
static void to_trunk(struct route *r)
{
	char number[NUMBER_MAX + 1];

	r->kind = ROUTE_TRUNK;
	number_normal(number, r->to.user, &r->site->config->plan);
	snprintf(r->to.user, sizeof(r->to.user), "%s", number);
	r->trunk = trunk_choose(r->core, &r->account, r->to.user, &r->cause);
}

static void account_answered(const struct account_answer *answer, void *arg)
{
	struct route *r = arg;

	if (answer->err == ENOENT && number_is(r->to.user) && r->account.user[0])
		to_trunk(r);
	else if (answer->err == ENOENT)
		cause_set(&r->cause, CAUSE_NOT_FOUND, "%s has no user %s.", r->to.host,
			  r->to.user);
	else if (answer->err == ENOSPC || answer->err == EBUSY)
		cause_set(&r->cause, CAUSE_LIMIT,
			  "%s is too busy at the moment; please try again.", r->to.host);
	else if (answer->err)
		cause_set(&r->cause, CAUSE_INTERNAL,
			  "%s cannot look its users up at the moment.", r->to.host);
	else if (!online(r)) /* a device may have come while the store was asked */
		cause_set(&r->cause, CAUSE_OFFLINE, "%s is not online at the moment.",
			  AT(&r->to));
	tell(r);
}

/** An emergency number is settled here: gives true. One that is given to a user becomes that user. */
static bool decide_number(struct route *r)
{
	const struct core *core = r->core;
	const struct site *own =
		r->account.user[0] ? core_site_find(core, r->account.host) : NULL;
	char number[NUMBER_MAX + 1];

	if (own && trunk_emergency(core, own->config, r->to.user, &r->trunk, &r->cause)) {
		r->kind = ROUTE_TRUNK;
		r->emergency = true;
		return true;
	}
	number_normal(number, r->to.user, &r->site->config->plan);
	if (!config_number_find(core->config, &r->to, number, NULL))
		r->site = core_site_find(core, r->to.host);
	return false;
}

/** True when the answer is in r->cause (or it is none: found); false: the store must be asked. */
static bool decide(struct route *r)
{
	const struct core *core = r->core;
	bool from_local = r->account.user[0] != '\0';
	const struct peer_config *peer;

	r->site = core_site_find(core, r->to.host);
	if (r->site && number_is(r->to.user) && decide_number(r))
		return true;
	if (r->site && core->echo && echo_is(core, &r->to)) {
		r->kind = ROUTE_ECHO;
		if (!from_local && !r->site->config->echo_federated)
			cause_set(&r->cause, CAUSE_FORBIDDEN,
				  "The echo test of %s is for its own users.",
				  r->to.host);
		return true;
	}
	if (r->site) {
		r->kind = ROUTE_LOCAL;
		return online(r);
	}
	r->kind = ROUTE_FEDERATED;
	peer = config_peer_find(core->config, r->to.host);
	if (!from_local)
		cause_set(&r->cause, CAUSE_FORBIDDEN,
			  "%s is not served here, and calls are not passed on.",
			  r->to.host);
	else if (peer && peer->block)
		cause_set(&r->cause, CAUSE_FORBIDDEN,
			  "Calls to %s are blocked at this site.", r->to.host);
	else if (!core->federation)
		cause_set(&r->cause, CAUSE_NO_ROUTE,
			  "This site makes no calls to other sites, such as %s.",
			  r->to.host);
	return true;
}

int route_find(struct route **rp, struct core *core, const struct addr *to,
	       const struct addr *account, route_h *h, void *arg)
{
	struct route *r;
	int err;

	r = mem_zalloc(sizeof(*r), destructor);
	if (!r)
		return ENOMEM;
	r->core = core;
	r->to = *to;
	if (account)
		r->account = *account;
	r->h = h;
	r->arg = arg;
	if (decide(r))
		err = timer_start(core->loop->timers, &r->timer, 0, tell, r);
	else
		err = account_exists(&r->request, core->accounts, &r->to,
				     account_answered, r);
	if (err)
		mem_deref(r);
	else
		*rp = r;
	return err;
}

const struct trunk_config *route_trunk(const struct route *r)
{
	return r->kind == ROUTE_TRUNK ? r->trunk : NULL;
}

const struct addr *route_to(const struct route *r)
{
	return &r->to;
}

bool route_is_emergency(const struct route *r)
{
	return r->emergency;
}
