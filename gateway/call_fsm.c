/* gateway/call_fsm.c - the table of a call's life. Pure: no leg, no clock, no memory.
 *
 * Signalling thread; called by call.c alone (and by its test, which walks every pair). A row is a
 * state, a line an event. What has no line cannot happen: there are no B legs before CALLING, and only
 * ROUTING asks for a route. RFC 3261 §13, §16.7 as a B2BUA that rings several devices at once. */
#include "gateway/call_fsm.h"

enum { IDLE_S = 10, ROUTING_S = 10 };

#define IGNORED                                                                          \
	{                                                                                \
		CALL_IGNORED, 0,                                                         \
		{                                                                        \
			0                                                                \
		}                                                                        \
	}
#define STEP(next, ...)                                                                  \
	{                                                                                \
		CALL_STEPS, (next),                                                      \
		{                                                                        \
			__VA_ARGS__                                                      \
		}                                                                        \
	}
/* A and all B legs get their cause, then it is over. */
#define END_BOTH STEP(CALL_ENDED, CALL_DO_END_B, CALL_DO_END_A, CALL_DO_FINISH)
#define END_B    STEP(CALL_ENDED, CALL_DO_END_B, CALL_DO_FINISH)
#define END_A    STEP(CALL_ENDED, CALL_DO_END_A, CALL_DO_FINISH)
#define UNROUTED STEP(CALL_ENDED, CALL_DO_UNROUTE, CALL_DO_END_A, CALL_DO_FINISH)

/* clang-format off */
static const struct call_step table[CALL_STATE_N][CALL_EVENT_N] = {
	[CALL_IDLE] = {
		[CALL_START]      = STEP(CALL_ROUTING, CALL_DO_ROUTE),
		[CALL_A_ENDED]    = STEP(CALL_ENDED, CALL_DO_FINISH),
		[CALL_TIMEOUT]    = END_A,
		[CALL_FORCED]     = END_A,
	},
	[CALL_ROUTING] = {
		[CALL_ROUTED]     = STEP(CALL_CALLING, CALL_DO_UNROUTE, CALL_DO_RING),
		[CALL_NO_ROUTE]   = UNROUTED,
		[CALL_A_ENDED]    = STEP(CALL_ENDED, CALL_DO_UNROUTE, CALL_DO_FINISH),
		[CALL_TIMEOUT]    = UNROUTED,
		[CALL_FORCED]     = UNROUTED,
	},
	[CALL_CALLING] = {
		[CALL_B_RINGING]  = STEP(CALL_RINGING, CALL_DO_TELL_RINGING),
		[CALL_B_ACCEPTED] = STEP(CALL_ACCEPTED, CALL_DO_CHOOSE, CALL_DO_TELL_ACCEPTED),
		[CALL_B_ANSWER]   = STEP(CALL_ACTIVE, CALL_DO_CHOOSE, CALL_DO_ANSWER),
		[CALL_B_LEFT]     = IGNORED,
		[CALL_B_GONE]     = END_BOTH,
		[CALL_A_ENDED]    = END_B,
		[CALL_TIMEOUT]    = END_BOTH,
		[CALL_FORCED]     = END_BOTH,
		[CALL_BROKEN]     = END_BOTH,
	},
	[CALL_RINGING] = {
		[CALL_B_RINGING]  = IGNORED,
		[CALL_B_ACCEPTED] = STEP(CALL_ACCEPTED, CALL_DO_CHOOSE, CALL_DO_TELL_ACCEPTED),
		[CALL_B_ANSWER]   = STEP(CALL_ACTIVE, CALL_DO_CHOOSE, CALL_DO_ANSWER),
		[CALL_B_LEFT]     = IGNORED,
		[CALL_B_GONE]     = END_BOTH,
		[CALL_A_ENDED]    = END_B,
		[CALL_TIMEOUT]    = END_BOTH,
		[CALL_FORCED]     = END_BOTH,
		[CALL_BROKEN]     = END_BOTH,
	},
	[CALL_ACCEPTED] = { /* the winner alone is left */
		[CALL_B_RINGING]  = IGNORED,
		[CALL_B_ACCEPTED] = IGNORED,
		[CALL_B_ANSWER]   = STEP(CALL_ACTIVE, CALL_DO_ANSWER),
		[CALL_B_GONE]     = END_A,
		[CALL_A_ENDED]    = END_B,
		[CALL_TIMEOUT]    = END_BOTH,
		[CALL_FORCED]     = END_BOTH,
		[CALL_BROKEN]     = END_BOTH,
	},
	[CALL_ACTIVE] = { /* offers and answers are call_oa.c's */
		[CALL_B_RINGING]  = IGNORED,
		[CALL_B_ACCEPTED] = IGNORED,
		[CALL_B_GONE]     = END_A,
		[CALL_A_ENDED]    = END_B,
		[CALL_FORCED]     = END_BOTH,
		[CALL_BROKEN]     = END_BOTH,
	},
	[CALL_ENDED] = { /* an operator may end what is being freed already */
		[CALL_FORCED]     = IGNORED,
	},
};
/* clang-format on */

const struct call_step *call_fsm_step(enum call_state state, enum call_event event)
{
	return &table[state][event];
}

uint32_t call_fsm_timeout_s(enum call_state state, const struct limits *limits)
{
	switch (state) {
	case CALL_IDLE:
		return IDLE_S;
	case CALL_ROUTING:
		return ROUTING_S;
	case CALL_CALLING:
	case CALL_RINGING:
		return limits->ring_s;
	case CALL_ACCEPTED:
		return limits->accept_s;
	case CALL_ACTIVE:
	case CALL_ENDED:
	case CALL_STATE_N:
		break;
	}
	return 0;
}

const char *call_event_name(enum call_event event)
{
	static const char *const names[CALL_EVENT_N] = {
		[CALL_START] = "START",           [CALL_ROUTED] = "ROUTED",
		[CALL_NO_ROUTE] = "NO_ROUTE",     [CALL_B_RINGING] = "B_RINGING",
		[CALL_B_ACCEPTED] = "B_ACCEPTED", [CALL_B_ANSWER] = "B_ANSWER",
		[CALL_B_LEFT] = "B_LEFT",         [CALL_B_GONE] = "B_GONE",
		[CALL_A_ENDED] = "A_ENDED",       [CALL_TIMEOUT] = "TIMEOUT",
		[CALL_FORCED] = "FORCED",         [CALL_BROKEN] = "BROKEN",
	};

	return event < CALL_EVENT_N ? names[event] : "?";
}

const char *call_state_name(enum call_state state)
{
	static const char *const names[CALL_STATE_N] = {
		[CALL_IDLE] = "IDLE",         [CALL_ROUTING] = "ROUTING",
		[CALL_CALLING] = "CALLING",   [CALL_RINGING] = "RINGING",
		[CALL_ACCEPTED] = "ACCEPTED", [CALL_ACTIVE] = "ACTIVE",
		[CALL_ENDED] = "ENDED",
	};

	return state < CALL_STATE_N ? names[state] : "?";
}
