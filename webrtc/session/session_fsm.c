/* webrtc/session/session_fsm.c - states and events of a connected browser. Pure; called by browser.c alone;
 * a test walks every pair. */
#include "webrtc/session/session_fsm.h"
#include "lib/base.h"

struct cell {
	enum browser_state next;
	enum browser_action action;
};

#define STAY(state, action)                                                              \
	{                                                                                \
		BROWSER_##state, BROWSER_DO_##action                                     \
	}
#define END(action)                                                                      \
	{                                                                                \
		BROWSER_ENDED, BROWSER_DO_##action                                       \
	}

/* clang-format off */
static const struct cell table[BROWSER_STATE_N][BROWSER_EVENT_N] = {
	[BROWSER_NEW] = {
		[BROWSER_HELLO] = { BROWSER_ASKING, BROWSER_DO_ASK },
		[BROWSER_REQUEST] = STAY(NEW, REFUSE_ANON),
		[BROWSER_GRANTED] = STAY(NEW, NOTHING),
		[BROWSER_RESUMES] = STAY(NEW, NOTHING),
		[BROWSER_DENIED] = STAY(NEW, NOTHING),
		[BROWSER_LATE] = END(CLOSE_LATE),
		[BROWSER_BYE] = END(SAY_BYE),
		[BROWSER_BROKEN] = END(BREAK),
		[BROWSER_CUT] = END(FORGET),
		[BROWSER_BACK] = STAY(NEW, NOTHING),
		[BROWSER_CLOSED] = END(FORGET),
	},
	[BROWSER_ASKING] = {
		[BROWSER_HELLO] = STAY(ASKING, REFUSE_STATE),
		[BROWSER_REQUEST] = STAY(ASKING, REFUSE_ANON),
		[BROWSER_GRANTED] = { BROWSER_ONLINE, BROWSER_DO_ENTER },
		[BROWSER_RESUMES] = END(HAND_OVER),
		[BROWSER_DENIED] = { BROWSER_NEW, BROWSER_DO_DENY },
		[BROWSER_LATE] = END(CLOSE_LATE),
		[BROWSER_BYE] = END(SAY_BYE),
		[BROWSER_BROKEN] = END(BREAK),
		[BROWSER_CUT] = END(FORGET),
		[BROWSER_BACK] = STAY(ASKING, NOTHING),
		[BROWSER_CLOSED] = END(FORGET),
	},
	[BROWSER_ONLINE] = {
		[BROWSER_HELLO] = STAY(ONLINE, REFUSE_STATE),
		[BROWSER_REQUEST] = STAY(ONLINE, SERVE),
		[BROWSER_GRANTED] = STAY(ONLINE, NOTHING),
		[BROWSER_RESUMES] = STAY(ONLINE, NOTHING),
		[BROWSER_DENIED] = STAY(ONLINE, NOTHING),
		[BROWSER_LATE] = STAY(ONLINE, NOTHING),
		[BROWSER_BYE] = END(SAY_BYE),
		[BROWSER_BROKEN] = END(BREAK),
		[BROWSER_CUT] = { BROWSER_AWAY, BROWSER_DO_LINGER },
		[BROWSER_BACK] = STAY(ONLINE, RESUME),
		[BROWSER_CLOSED] = END(FORGET),
	},
	[BROWSER_AWAY] = {
		[BROWSER_HELLO] = STAY(AWAY, NOTHING),
		[BROWSER_REQUEST] = STAY(AWAY, NOTHING),
		[BROWSER_GRANTED] = STAY(AWAY, NOTHING),
		[BROWSER_RESUMES] = STAY(AWAY, NOTHING),
		[BROWSER_DENIED] = STAY(AWAY, NOTHING),
		[BROWSER_LATE] = END(EXPIRE),
		[BROWSER_BYE] = END(QUIT),
		[BROWSER_BROKEN] = END(QUIT),
		[BROWSER_CUT] = STAY(AWAY, NOTHING),
		[BROWSER_BACK] = { BROWSER_ONLINE, BROWSER_DO_RESUME },
		[BROWSER_CLOSED] = STAY(AWAY, NOTHING),
	},
	[BROWSER_ENDED] = {
		[BROWSER_HELLO] = END(NOTHING),
		[BROWSER_REQUEST] = END(NOTHING),
		[BROWSER_GRANTED] = END(NOTHING),
		[BROWSER_RESUMES] = END(NOTHING),
		[BROWSER_DENIED] = END(NOTHING),
		[BROWSER_LATE] = END(NOTHING),
		[BROWSER_BYE] = END(NOTHING),
		[BROWSER_BROKEN] = END(NOTHING),
		[BROWSER_CUT] = END(FORGET),
		[BROWSER_BACK] = END(NOTHING),
		[BROWSER_CLOSED] = END(FORGET),
	},
};
/* clang-format on */

enum browser_state browser_next(enum browser_state state, enum browser_event event,
				enum browser_action *action)
{
	const struct cell *c = &table[state][event];

	*action = c->action;
	return c->next;
}

const char *browser_state_name(enum browser_state state)
{
	static const char *const names[BROWSER_STATE_N] = {"NEW", "ASKING", "ONLINE",
							   "AWAY", "ENDED"};

	return names[state];
}

const char *browser_event_name(enum browser_event event)
{
	static const char *const names[BROWSER_EVENT_N] = {
		"hello", "request", "granted", "resumes", "denied", "late",
		"bye",   "broken",  "cut",     "back",    "closed"};

	return names[event];
}
