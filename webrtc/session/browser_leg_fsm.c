/* webrtc/session/browser_leg_fsm.c - states and events of a browser leg. Pure; called by browser_leg.c and
 * browser_call.c; a test walks every pair of both tables. RFC 3264 §4 for the offers. */
#include "webrtc/session/browser_leg_fsm.h"
#include "lib/base.h"

struct cell {
	unsigned next; /* 0 in both means: stay, bad state */
	enum bleg_action action;
};

/* A cell that is not named is a request in the wrong state: nothing changes, the asker hears so. What the
 * call asks in a wrong state comes of messages that crossed; ENDED swallows everything. */
#define TO(state, action)                                                                \
	{                                                                                \
		BLEG_##state, BLEG_DO_##action                                           \
	}
#define CLOSE_CELLS(hangup)                                                              \
	[BLEG_C_HANGUP] = hangup, [BLEG_O_END] = TO(ENDED, TELL_ENDED),                  \
	[BLEG_LOST] = TO(ENDED, SAY_ENDED)

/* clang-format off */
static const struct cell table[BLEG_STATE_N][BLEG_EVENT_N] = {
	[BLEG_IDLE] = {
		[BLEG_O_INVITE] = TO(ALERTING, TELL_INCOMING),
		[BLEG_O_END] = TO(ENDED, NOTHING),
		[BLEG_LOST] = TO(ENDED, SAY_ENDED),
	},
	[BLEG_CALLING] = {
		[BLEG_O_RINGING] = TO(CALLING, TELL_RINGING),
		[BLEG_O_ACCEPTED] = TO(CALLING, TELL_ACCEPTED),
		[BLEG_O_EARLY] = TO(CALLING, TELL_EARLY),
		[BLEG_O_ANSWER] = TO(ACTIVE, TELL_ANSWERED),
		[BLEG_C_CANDIDATES] = TO(CALLING, PASS_CANDIDATES),
		CLOSE_CELLS(TO(ENDED, SAY_ENDED)),
	},
	[BLEG_ALERTING] = {
		[BLEG_C_RINGING] = TO(RINGING, SAY_RINGING),
		[BLEG_O_CANDIDATES] = TO(ALERTING, TELL_CANDIDATES),
		[BLEG_C_ACCEPT] = TO(ACCEPTED, SAY_ACCEPTED),
		[BLEG_C_REJECT] = TO(ENDED, SAY_ENDED),
		CLOSE_CELLS(TO(ENDED, SAY_ENDED)),
	},
	[BLEG_RINGING] = {
		[BLEG_O_CANDIDATES] = TO(RINGING, TELL_CANDIDATES),
		[BLEG_C_ACCEPT] = TO(ACCEPTED, SAY_ACCEPTED),
		[BLEG_C_REJECT] = TO(ENDED, SAY_ENDED),
		CLOSE_CELLS(TO(ENDED, SAY_ENDED)),
	},
	[BLEG_ACCEPTED] = {
		[BLEG_C_ANSWER] = TO(ACTIVE, SAY_ANSWER),
		[BLEG_O_CANDIDATES] = TO(ACCEPTED, TELL_CANDIDATES),
		CLOSE_CELLS(TO(ENDED, SAY_ENDED)),
	},
	[BLEG_ACTIVE] = {
		[BLEG_C_ANSWER] = TO(ACTIVE, OFFER_ANSWER),
		[BLEG_C_OFFER] = TO(ACTIVE, OFFER_ANSWER),
		[BLEG_C_REFUSE] = TO(ACTIVE, OFFER_ANSWER),
		[BLEG_O_ANSWER] = TO(ACTIVE, OFFER_ANSWER),
		[BLEG_O_OFFER] = TO(ACTIVE, OFFER_ANSWER),
		[BLEG_O_OFFER_REFUSE] = TO(ACTIVE, OFFER_ANSWER),
		[BLEG_O_OFFER_WITHDRAW] = TO(ACTIVE, OFFER_ANSWER),
		[BLEG_C_CANDIDATES] = TO(ACTIVE, PASS_CANDIDATES),
		[BLEG_O_CANDIDATES] = TO(ACTIVE, TELL_CANDIDATES),
		CLOSE_CELLS(TO(ENDED, SAY_ENDED)),
	},
};

#define OA(state, action) { BLEG_##state, BLEG_DO_##action }
static const struct cell oa_table[BLEG_OA_N][BLEG_EVENT_N] = {
	[BLEG_QUIET] = {
		[BLEG_C_OFFER] = OA(OURS, PASS_OFFER),
		[BLEG_O_OFFER] = OA(THEIRS, TELL_OFFER),
	},
	[BLEG_OURS] = {
		[BLEG_O_ANSWER] = OA(QUIET, TELL_ANSWER),
		[BLEG_O_OFFER_REFUSE] = OA(QUIET, TELL_REFUSED),
	},
	[BLEG_THEIRS] = {
		[BLEG_C_OFFER] = OA(THEIRS, GLARE),
		[BLEG_C_ANSWER] = OA(QUIET, PASS_ANSWER),
		[BLEG_C_REFUSE] = OA(QUIET, PASS_REFUSE),
		[BLEG_O_OFFER_WITHDRAW] = OA(QUIET, TELL_WITHDRAWN),
	},
};
/* clang-format on */

enum bleg_state bleg_next(enum bleg_state state, enum bleg_event event,
			  enum bleg_action *action)
{
	const struct cell *c = &table[state][event];

	if (state == BLEG_ENDED) {
		*action = BLEG_DO_NOTHING;
		return state;
	}
	if (!c->next) {
		*action = BLEG_DO_BAD_STATE;
		return state;
	}
	*action = c->action;
	return (enum bleg_state)c->next;
}

enum bleg_oa bleg_oa_next(enum bleg_oa oa, enum bleg_event event,
			  enum bleg_action *action)
{
	const struct cell *c = &oa_table[oa][event];

	*action = c->action ? c->action : BLEG_DO_BAD_STATE;
	return c->action ? (enum bleg_oa)c->next : oa;
}

const char *bleg_state_name(enum bleg_state state)
{
	static const char *const names[BLEG_STATE_N] = {
		"IDLE", "CALLING", "ALERTING", "RINGING", "ACCEPTED", "ACTIVE", "ENDED"};

	return names[state];
}

const char *bleg_oa_name(enum bleg_oa oa)
{
	static const char *const names[BLEG_OA_N] = {"QUIET", "OURS", "THEIRS"};

	return names[oa];
}

const char *bleg_event_name(enum bleg_event event)
{
	static const char *const names[BLEG_EVENT_N] = {
		"client ringing", "client accept", "client reject", "client answer",
		"client offer",   "client refuse", "client hangup", "client candidates",
		"invite",         "ringing",       "accepted",      "early",
		"answer",         "offer",         "offer refused", "offer withdrawn",
		"candidates",     "end",           "lost",
	};

	return names[event];
}
