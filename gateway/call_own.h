/* gateway/call_own.h - private to call*.c and their tests: the call's struct, and what these files do
 * for each other. Nobody else includes it. */
#ifndef SLUSS_GATEWAY_CALL_OWN_H
#define SLUSS_GATEWAY_CALL_OWN_H

#include "gateway/call.h"
#include "gateway/call_fsm.h"
#include "gateway/call_oa.h"
#include "gateway/route.h"
#include "lib/timer.h"

struct call {
	struct le le;         /**< core->calls, which owns it */
	struct le le_ringing; /**< core->ringing: a local call in CALLING or RINGING */
	struct core *core;
	enum call_state state; /**< set by call_state_set() alone */
	enum oa_state oa;      /**< set by call_oa_event() alone */

	struct invite *invite;
	struct leg *a;      /**< owned; NULL once ended */
	struct list legs_b; /**< owned; leg->le; the living ones */
	struct leg *winner; /**< in legs_b, not owned twice; NULL before one has won */
	struct list
		spent; /**< ended legs; freed on the next turn, not under their own feet */

	struct route *route; /**< in ROUTING only */
	enum route_kind kind;
	/** A's for its first offer, so far: for every leg that rings; NULL: none, or the call is established */
	struct candidates *gathered;
	struct party callee; /**< as dialled */
	struct addr account; /**< the caller here; user empty: the call came by SIP */
	char user_key[ADDR_TEXT_MAX +
		      1]; /**< counted in quota_users under it; "": not counted */
	char peer_key[ADDR_HOST_MAX + 1]; /**< the same in quota_peers */

	struct timer timer;    /**< the state's time */
	struct timer oa_timer; /**< an open offer's */
	struct timer turn;     /**< 0 ms: start, free spent legs, free the call */

	/* while an event is worked on */
	bool busy;
	int again;       /**< the event that an action brought about, or CALL_NO_EVENT */
	struct leg *leg; /**< whose event it is: the one to choose */
	struct body *answer; /**< borrowed: the first answer */
	struct cause cause_a,
		cause_b; /**< what CALL_DO_END_A and _B tell; cause_a goes to the log too */
	struct cause best; /**< of the refusals so far (cause_rank) */

	struct call *successor; /**< is taking this one's place; NULL once that is over */

	uint64_t started_us, active_us; /**< active_us 0: never established */
};

enum { CALL_NO_EVENT = -1 };

/* call.c */
void call_do(struct call *call, enum call_event event);
/** Works on the event that an action brought about, if there is one. */
void call_again(struct call *call);
/** A broken invariant: aborts in debug builds, else counts it and drops the call. */
void call_invariant(struct call *call, const char *what);
/** Frees spent legs, and the call when it has ended, once the loop is back at work. */
void call_turn(struct call *call);

/* call_legs.c: the B side */
/** Makes and starts every B leg; true when at least one rings. Else call->best says why none does. */
bool call_legs_ring(struct call *call);
/** All but the winner are told that it was answered elsewhere. */
void call_legs_choose(struct call *call, struct leg *winner);
void call_legs_end(struct call *call, const struct cause *cause);
/** Ends A or a B leg, or lays down one that ended by itself (`cause` NULL). */
void call_leg_drop(struct call *call, struct leg *leg, const struct cause *cause);
/** Remembers a refusal if it is better than those before. */
void call_legs_refused(struct call *call, const struct cause *cause);

/** What an errno of a leg's op means. */
enum cause_reason call_reason_of(int err);

/* call_talk.c: offer and answer in ACTIVE */
void call_oa_event(struct call *call, enum oa_event event, struct body *body,
		   const struct cause *cause);
/* call_trickle.c: candidates from leg to leg */
void call_candidates_event(struct call *call, struct leg *leg,
			   const struct candidates *c);
/** Tells a leg that has just been invited what has been found so far. */
void call_candidates_replay(struct call *call, struct leg *leg);

/* call_replace.c: a call that takes the place of another one, which goes on until this one is established */
/** invite->replaces is set: the old call becomes this one's. Errors: ENOENT, EBUSY. */
int call_replace_begin(struct call *call);
/** Where it goes is where the old call goes. Errors: ENOENT: that one has ended meanwhile. */
int call_replace_route(struct call *call);
/** The callee's end of the old call alone rings. */
void call_replace_ring(struct call *call);
/** Established: the old one has until limits.replace_s to end by itself. */
void call_replace_done(struct call *call);
/** A party has left the old one: if it is the one that the new call asks to go on, that is over as well. */
void call_replace_left(struct call *old, const struct leg *leg,
		       const struct cause *cause);
/** The old one is over: the new one lets go of it. */
void call_replace_over(struct call *old);
/** Over: a call whose place it has not taken goes on as if nothing had been. */
void call_replace_undo(struct call *call);

/* call_rejoin.c: a call that joins again one that a killed process has left */
/** Writes down an established call, so that it can be joined again. */
void call_rejoin_keep(struct call *call);
/** invite->rejoins is set: that call becomes this one's. Errors: ENOENT, EBUSY. */
int call_rejoin_begin(struct call *call);
/** Where it goes is where the other party is; gives false as long as that one has not come back. */
bool call_rejoin_route(struct call *call);
/** The other party's device, or site, alone rings. */
void call_rejoin_ring(struct call *call);
/** Established: there is nothing left to be joined. */
void call_rejoin_done(struct call *call);
/** Over: a call that has not been joined may be tried again. */
void call_rejoin_undo(struct call *call);
/** A device has come online that may be the one that is waited for. */
void call_rejoin_device(struct core *core, struct device *device);

/** call_legs.c, for both: a leg at this device, started; one to this domain. */
bool call_legs_device(struct call *call, struct device *device);
void call_legs_federated(struct call *call);
/** The echo test (echo.h). */
void call_legs_echo(struct call *call);

/** Is it a description that two browsers can use directly? Errors: EBADMSG, and why in *cause. */
int call_sdp_check(const struct core *core, struct cause *cause, struct body *body);

#endif
