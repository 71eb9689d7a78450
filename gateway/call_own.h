/* gateway/call_own.h - private to call*.c and their tests: the call's struct, and what these files do
 * for each other. Nobody else includes it. */
#ifndef SLUSS_GATEWAY_CALL_OWN_H
#define SLUSS_GATEWAY_CALL_OWN_H

#include "gateway/account.h"
#include "gateway/call.h"
#include "gateway/call_fsm.h"
#include "gateway/call_oa.h"
#include "gateway/path.h"
#include "gateway/route.h"
#include "lib/timer.h"

/** An offer of ours to a party that wanted one (a trunk's INVITE or re-INVITE without a description). */
enum call_late {
	LATE_NONE,
	LATE_ASKED, /**< the other half is being asked */
	LATE_OWED,  /**< the party has it, and owes its answer */
};

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

	struct route *route;           /**< in ROUTING only */
	struct identity_wait *judging; /**< the same: who calls is being asked */
	struct account_request
		*ringing;               /**< the same: whose calls ring at the callee's */
	struct account_request *hiding; /**< the same: is the caller's address shown? */
	enum account_ring ring;         /**< what that came to */
	bool judged;                    /**< both have been asked */
	struct timer judging_timer;
	struct identity_person
		*caller; /**< what that came to; NULL: there is nothing to judge */
	struct addr
		hidden; /**< the user here whose address is not shown: media are relayed; user empty: nobody's */
	char relay_key[ADDR_TEXT_MAX +
		       1]; /**< counted in quota_relay under it; "": not counted */
	struct path *path; /**< owned; what stands between the halves; NULL: direct */
	struct invite *
		given; /**< owned; what the B legs get; NULL before the first one rings */
	enum call_late late;
	enum path_side late_side; /**< whose */
	enum route_kind kind;
	/* call_trunk.c */
	const struct trunk_config
		*trunk; /**< ROUTE_TRUNK: by which; NULL once it is over */
	bool emergency;
	char from_trunk[TRUNK_NAME_MAX +
			1]; /**< A's leg is of that trunk; empty: of none */
	char trunk_key[TRUNK_NAME_MAX + ADDR_TEXT_MAX +
		       2];   /**< counted in quota_users under it; "": not counted */
	struct timer minute; /**< until the next one counts */
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

/* call_trunk.c: calls by trunks */
/** Takes over what the route has found: trunk, number. */
void call_trunk_routed(struct call *call);
/** A leg to the number, not started; NULL: *why says why there is none. */
struct leg *call_trunk_leg(struct call *call, struct cause *why);
/** Established: minutes count from now on. */
void call_trunk_answered(struct call *call);
/** Gives back what it counts, and writes it down. Twice is harmless. */
void call_trunk_over(struct call *call, uint64_t talk_s);

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
/** Is there still a call whose place can be taken? */
bool call_replace_stands(const struct call *call);
/** Over: a call whose place it has not taken goes on as if nothing had been. */
void call_replace_undo(struct call *call);

/* call_identity.c: who calls, before anything rings */
/** Gives CALL_ROUTED, or CALL_NO_ROUTE with the reason in call->cause_a, or CALL_NO_EVENT: one of them comes later. */
int call_identity_begin(struct call *call);
/** The same, from the loop: and carries it out. */
void call_identity_go(struct call *call);
/** Asks no more. */
void call_identity_forget(struct call *call);
/** The caller calls; the callee has accepted: neither is a stranger to the other one any more. */
void call_identity_called(struct call *call);
void call_identity_accepted(struct call *call);

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

/* call_path.c: from one half to the other */
/** Is it a description, and one for browsers, if `from` is a leg of one? Errors: EBADMSG, and why in *cause. */
int call_sdp_check(const struct core *core, const struct leg *from, struct cause *cause,
		   struct body *body);
/** Before the first leg rings: chooses the mode, makes the path if there is to be one, and what the B legs are given.
 *  On failure *why says why. */
int call_path_begin(struct call *call, struct cause *why);
void call_path_end(struct call *call);
/** As path.h has them; a direct call hands on what came. On failure *why says why. *outp: the caller's. */
int call_path_offer(struct call *call, enum path_side from, struct body *in,
		    struct body **outp, struct cause *why);
int call_path_answer(struct call *call, enum path_side from, struct body *in,
		     struct body **outp, struct cause *why);
void call_path_undo(struct call *call, enum path_side from);
int call_path_candidates(struct call *call, enum path_side from,
			 const struct candidates *in, struct candidates **outp);
/** LEG_EARLY. */
void call_path_early(struct call *call, struct leg *leg, struct body *in);
/** LEG_LATE. */
void call_path_late(struct call *call, struct leg *leg);
/** Is this leg's answer owed? Then it was it, and is dealt with: one that cannot be used ends the call. */
bool call_path_late_answer(struct call *call, struct leg *leg, struct body *in);

#endif
