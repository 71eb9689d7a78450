/* webrtc/media/side_fsm.c - the table of a side's states.
 *
 * Pure. Called by side.c alone; its test walks every pair. RFC 8445 §6.1.4, RFC 7675 §5.1. */
#include "webrtc/media/side_fsm.h"

#define STAY(state)                                                                      \
	{                                                                                \
		.next = (state)                                                          \
	}
#define GO(state)                                                                        \
	{                                                                                \
		.next = (state)                                                          \
	}
#define TELL(state, event_)                                                              \
	{                                                                                \
		.next = (state), .tells = true, .told = (event_)                         \
	}

static const struct side_step steps[MS_STATE_N][MS_EVENT_N] = {
	[MS_CHECKING] =
		{
			[MS_CHECKED] = GO(MS_SHAKING),
			[MS_KEYS] = STAY(MS_CHECKING),
			[MS_FOREIGN] = STAY(MS_CHECKING),
			[MS_LATE] = TELL(MS_OVER, MEDIA_NEVER),
			[MS_SILENT] = STAY(MS_CHECKING),
			[MS_BROKEN] = TELL(MS_OVER, MEDIA_FAILED),
			[MS_CAPPED] = TELL(MS_OVER, MEDIA_CAPPED),
		},
	[MS_SHAKING] =
		{
			[MS_CHECKED] = STAY(MS_SHAKING),
			[MS_KEYS] = TELL(MS_UP, MEDIA_UP),
			[MS_FOREIGN] = TELL(MS_OVER, MEDIA_FOREIGN),
			[MS_LATE] = TELL(MS_OVER, MEDIA_NEVER),
			[MS_SILENT] = TELL(MS_OVER, MEDIA_LOST),
			[MS_BROKEN] = TELL(MS_OVER, MEDIA_FAILED),
			[MS_CAPPED] = TELL(MS_OVER, MEDIA_CAPPED),
		},
	[MS_UP] =
		{
			[MS_CHECKED] = STAY(MS_UP),
			[MS_KEYS] = STAY(MS_UP),
			[MS_FOREIGN] = STAY(MS_UP),
			[MS_LATE] = STAY(MS_UP),
			[MS_SILENT] = TELL(MS_OVER, MEDIA_LOST),
			[MS_BROKEN] = TELL(MS_OVER, MEDIA_FAILED),
			[MS_CAPPED] = TELL(MS_OVER, MEDIA_CAPPED),
		},
	[MS_OVER] =
		{
			[MS_CHECKED] = STAY(MS_OVER),
			[MS_KEYS] = STAY(MS_OVER),
			[MS_FOREIGN] = STAY(MS_OVER),
			[MS_LATE] = STAY(MS_OVER),
			[MS_SILENT] = STAY(MS_OVER),
			[MS_BROKEN] = STAY(MS_OVER),
			[MS_CAPPED] = STAY(MS_OVER),
		},
};

const struct side_step *side_fsm_step(enum side_state state, enum side_event event)
{
	return &steps[state][event];
}

const char *side_state_name(enum side_state state)
{
	static const char *const names[MS_STATE_N] = {
		[MS_CHECKING] = "CHECKING",
		[MS_SHAKING] = "SHAKING",
		[MS_UP] = "UP",
		[MS_OVER] = "OVER",
	};

	return state < MS_STATE_N ? names[state] : "?";
}

const char *side_event_name(enum side_event event)
{
	static const char *const names[MS_EVENT_N] = {
		[MS_CHECKED] = "CHECKED", [MS_KEYS] = "KEYS",
		[MS_FOREIGN] = "FOREIGN", [MS_LATE] = "LATE",
		[MS_SILENT] = "SILENT",   [MS_BROKEN] = "BROKEN",
		[MS_CAPPED] = "CAPPED",
	};

	return event < MS_EVENT_N ? names[event] : "?";
}
