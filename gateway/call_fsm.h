/* gateway/call_fsm.h - the life of a call as a pure table: state x event -> next state + actions.
 *
 * The table (call_fsm.c) knows no leg and no clock; call.c turns what legs do into events, and carries
 * the actions out in the order in which they stand. */
#ifndef SLUSS_GATEWAY_CALL_FSM_H
#define SLUSS_GATEWAY_CALL_FSM_H

#include "gateway/call.h"

enum call_event {
	CALL_START,      /**< the loop's first turn after call_alloc() */
	CALL_ROUTED,     /**< it is known where it goes */
	CALL_NO_ROUTE,   /**< it goes nowhere: nobody, nobody online, not allowed */
	CALL_B_RINGING,  /**< a B leg alerts its party */
	CALL_B_ACCEPTED, /**< a B leg's party took the call; its answer follows */
	CALL_B_ANSWER,   /**< the first answer of a B leg */
	CALL_B_LEFT,     /**< a B leg has ended, others go on */
	CALL_B_GONE, /**< no B leg is left: the last one ended, the winner did, or one spoke for all */
	CALL_A_ENDED, /**< the caller gave up, hung up, was lost */
	CALL_TIMEOUT, /**< the state's time is over */
	CALL_FORCED,  /**< call_end(): operator or shutdown */
	CALL_BROKEN,  /**< a leg could not do what was asked, or its answer is unusable */
	CALL_EVENT_N
};

/** What call.c does; the causes it tells are chosen before, from the event. */
enum call_action {
	CALL_DO_NOTHING = 0, /**< ends the list */
	CALL_DO_ROUTE,       /**< ask route.c */
	CALL_DO_UNROUTE,     /**< forget that question */
	CALL_DO_RING,        /**< make the B legs and invite them */
	CALL_DO_TELL_RINGING,
	CALL_DO_TELL_ACCEPTED,
	CALL_DO_CHOOSE, /**< this B leg wins; all others are told "elsewhere" */
	CALL_DO_ANSWER, /**< pass the winner's answer to A */
	CALL_DO_END_B,  /**< end the B legs that are left */
	CALL_DO_END_A,
	CALL_DO_FINISH, /**< last words: log, counters; the call is freed on the next turn */
};

enum call_verdict {
	CALL_IMPOSSIBLE =
		0,    /**< cannot happen: a broken invariant, and the call is dropped */
	CALL_IGNORED, /**< may happen (late, repeated) and changes nothing */
	CALL_STEPS,
};

enum { CALL_ACTIONS_MAX = 4 };
struct call_step {
	enum call_verdict verdict;
	enum call_state next;
	enum call_action
		actions[CALL_ACTIONS_MAX]; /**< up to the first CALL_DO_NOTHING */
};

/** Never NULL. Accepts every value below CALL_STATE_N and CALL_EVENT_N. */
const struct call_step *call_fsm_step(enum call_state state, enum call_event event);
/** How long a call may stay in `state`. Units: seconds; 0: for ever (ACTIVE: session timers and sockets
 *  watch it; ENDED: it is gone on the next turn). */
uint32_t call_fsm_timeout_s(enum call_state state, const struct limits *limits);
/** The name without prefix, "A_ENDED". */
const char *call_event_name(enum call_event event);

#endif
