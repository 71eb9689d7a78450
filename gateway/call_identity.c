/* gateway/call_identity.c - who calls, in the words of the caller's own identity provider, and whether the callee takes
 * calls of such people: before anything rings.
 *
 * Signalling thread. Called by call.c and call_rejoin.c when it is known that the call goes to a user here; asks the
 * identity room (gateway/identity.h) and the accounts, both at once, and goes on when their answers are there, or their
 * time is over. A call that goes to another site is judged there. RFC 8827 §5.1, §8; RFC 8224 §6.2.2 (438). */
#include "gateway/call_own.h"
#include "gateway/identity.h"
#include "lib/log.h"

void call_identity_forget(struct call *call)
{
	timer_cancel(&call->judging_timer);
	call->judging = mem_deref(call->judging);
	call->ringing = mem_deref(call->ringing);
	call->hiding = mem_deref(call->hiding);
}

/* An assertion that is wrong is a forgery, or somebody's mistake: the callee is not to tell which. */
static bool is_wrong(struct call *call)
{
	const struct identity_person *p = call->caller;

	if (!p || p->status != IDENTITY_FAILED || call->core->config->identity_show_wrong)
		return false;
	cause_set(&call->cause_a, CAUSE_FORBIDDEN,
		  "The caller's identity was not accepted: %s.", p->why);
	call->cause_a.code = 438;
	return true;
}

static bool is_unwanted(struct call *call)
{
	const struct identity_person *p = call->caller;
	bool named = p && p->status == IDENTITY_VERIFIED;
	const char *whom = NULL;

	if (call->ring == ACCOUNT_RING_VERIFIED_NAME && !named)
		whom = "their name";
	if (call->ring == ACCOUNT_RING_VERIFIED_EMAIL && !(named && p->email_verified))
		whom = "their e-mail address";
	if (!whom)
		return false;
	cause_set(&call->cause_a, CAUSE_FORBIDDEN,
		  "%s only takes calls of people whose identity provider vouches for %s.",
		  AT(&call->invite->to), whom);
	return true;
}

/* What both answers come to. */
static int result(struct call *call)
{
	call->judged = true;
	if (call->invite->replaces && !call_replace_stands(call)) {
		cause_set(&call->cause_a, CAUSE_GONE,
			  "The call that was to be moved has ended.");
		return CALL_NO_ROUTE;
	}
	return is_wrong(call) || is_unwanted(call) ? CALL_NO_ROUTE : CALL_ROUTED;
}

static void go_on(struct call *call)
{
	if (!call->judging && !call->ringing && !call->hiding)
		call_do(call, (enum call_event)result(call));
}

/* It cannot be told whether it may ring: it does not. */
static void give_up(struct call *call, enum cause_reason reason)
{
	call_identity_forget(call);
	cause_set(&call->cause_a, reason, NULL);
	call_do(call, CALL_NO_ROUTE);
}

/* ---- who calls ---- */

static void show(struct call *call)
{
	const struct identity_person *p = call->caller;

	log_info(call_id(call), "call.identity", "status=%s idp=%s why=%s",
		 identity_status_name(p->status), LQ(p->idp), LQ(p->why));
}

static void assessed(struct identity_person *p, void *arg)
{
	struct call *call = arg;

	timer_cancel(&call->judging_timer);
	call->judging = mem_deref(call->judging);
	call->caller = mem_ref(p);
	if (!p) {
		give_up(call, CAUSE_INTERNAL);
		return;
	}
	show(call);
	go_on(call);
}

static struct identity_person *unverified(const char *why)
{
	struct identity_person *p = mem_zalloc(sizeof(*p), NULL);

	if (p) {
		p->status = IDENTITY_UNVERIFIED;
		snprintf(p->why, sizeof(p->why), "%s", why);
	}
	return p;
}

static void late(void *arg)
{
	struct identity_person *p = unverified("it could not be checked in time");

	assessed(p, arg);
	mem_deref(p);
}

/* What is left of the time that all verification of a call may take before it rings. */
static uint64_t left_ms(const struct call *call)
{
	uint64_t all_ms = (uint64_t)call->core->config->limits.identity_fetch_s * 1000 -
			  IDENTITY_SLACK_MS,
		 spent_ms = call->invite->from.judged_ms;

	return all_ms > spent_ms ? all_ms - spent_ms : 0;
}

static void ask_who(struct call *call)
{
	const struct core *core = call->core;
	const struct invite *invite = call->invite;
	struct identity_description d = {
		.sdp = invite->offer,
		.callee = &invite->to,
		.site = invite->from.addr.host,
	};
	int err;

	if (!core->identity || !invite->offer)
		return;
	err = core->identity->assess(core->identity_arg, &call->judging, &d, assessed,
				     call);
	if (!err)
		err = timer_start(core->loop->timers, &call->judging_timer, left_ms(call),
				  late, call);
	if (!err || err == ENOENT)
		return;
	call->judging = mem_deref(call->judging);
	call->caller = unverified("there is too much to check at the moment");
	if (call->caller)
		show(call);
}

/* ---- whose calls ring, and whose address is not shown ---- */

static enum relay_rule rule_of(const struct call *call, const struct addr *user,
			       enum relay_rule own)
{
	const struct site *site = core_site_find(call->core, user->host);

	return relay_rule_stricter(own, site ? site->config->relay : RELAY_NEVER);
}

/** The callee's rule is known, and whether the caller is. */
static void callee_hides(struct call *call, enum relay_rule own, bool known)
{
	enum relay_rule rule = rule_of(call, &call->invite->to, own);

	/* a name that is only claimed is nobody's */
	known &= call->invite->from.site_verified;
	if (rule == RELAY_ALWAYS || (rule == RELAY_STRANGERS && !known))
		call->hidden = call->invite->to;
}

/** Who calls knows whom: only "always" counts. */
static void caller_hides(struct call *call, enum relay_rule own)
{
	if (!call->hidden.user[0] && rule_of(call, &call->account, own) == RELAY_ALWAYS)
		call->hidden = call->account;
}

static void no_answer(struct call *call, int err)
{
	give_up(call, err == ENOSPC || err == EBUSY ? CAUSE_LIMIT : CAUSE_INTERNAL);
}

static void ring_told(const struct account_answer *answer, void *arg)
{
	struct call *call = arg;
	int err = answer->err;

	call->ring = answer->ring;
	callee_hides(call, answer->relay, answer->known);
	call->ringing = mem_deref(call->ringing); /* the answer was in it */
	/* an account that is gone has a device for a moment longer */
	if (err && err != ENOENT)
		no_answer(call, err);
	else
		go_on(call);
}

static void hiding_told(const struct account_answer *answer, void *arg)
{
	struct call *call = arg;
	int err = answer->err;

	caller_hides(call, answer->relay);
	call->hiding = mem_deref(call->hiding);
	if (err && err != ENOENT)
		no_answer(call, err);
	else
		go_on(call);
}

/* Not of calls that go on from another device, or from before: they have been taken. Nor of one's own. */
static bool goes_on(const struct call *call)
{
	return call->invite->replaces || call->invite->rejoins ||
	       addr_equal(&call->account, &call->invite->to);
}

static int ask_ring(struct call *call)
{
	struct account_service *as = call->core->accounts;
	const struct addr *to = &call->invite->to, *from = &call->invite->from.addr;
	enum relay_rule own;

	if (call->kind != ROUTE_LOCAL)
		return 0;
	if (account_ring_known(as, to, &call->ring, &own)) {
		bool known = account_knows(as, to, from);

		if (known || rule_of(call, to, own) != RELAY_STRANGERS) {
			callee_hides(call, own, known);
			return 0;
		}
	}
	return account_ring(&call->ringing, as, to, from, ring_told, call);
}

/* Media that end here show nobody's address. */
static int ask_hiding(struct call *call)
{
	struct account_service *as = call->core->accounts;
	enum account_ring ring;
	enum relay_rule own;

	if (!call->account.user[0] ||
	    (call->kind != ROUTE_LOCAL && call->kind != ROUTE_FEDERATED))
		return 0;
	if (account_ring_known(as, &call->account, &ring, &own)) {
		caller_hides(call, own);
		return 0;
	}
	return account_ring(&call->hiding, as, &call->account, NULL, hiding_told, call);
}

int call_identity_begin(struct call *call)
{
	int err = 0;

	if (call->judging || call->ringing || call->hiding)
		return CALL_NO_EVENT;
	if (call->judged)
		return CALL_ROUTED;
	if (call->kind == ROUTE_LOCAL)
		ask_who(call);
	if (!goes_on(call)) {
		err = ask_ring(call);
		err = err ? err : ask_hiding(call);
	}
	if (err) {
		call_identity_forget(call);
		cause_set(&call->cause_a, CAUSE_INTERNAL, NULL);
		return CALL_NO_ROUTE;
	}
	return call->judging || call->ringing || call->hiding ? CALL_NO_EVENT
							      : result(call);
}

void call_identity_go(struct call *call)
{
	int event = call_identity_begin(call);

	if (event != CALL_NO_EVENT)
		call_do(call, (enum call_event)event);
}

/* ---- who is no stranger any more ---- */

void call_identity_called(struct call *call)
{
	if (call->account.user[0] && !goes_on(call) &&
	    (call->kind == ROUTE_LOCAL || call->kind == ROUTE_FEDERATED))
		account_know(call->core->accounts, &call->account, &call->invite->to);
}

void call_identity_accepted(struct call *call)
{
	if (call->kind == ROUTE_LOCAL && call->invite->from.site_verified &&
	    !goes_on(call))
		account_know(call->core->accounts, &call->invite->to,
			     &call->invite->from.addr);
}
