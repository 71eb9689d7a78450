/* gateway/call_oa.c - the table of offers and answers in an established call. Pure.
 *
 * Signalling thread; called by call_talk.c alone (and by its test, which walks every pair). Every
 * cell is written out, since each can be caused from outside. RFC 3264 §4, §8; RFC 3261 §14; RFC 6337. */
#include "gateway/call_oa.h"

/* clang-format off */
static const struct oa_step table[OA_STATE_N][OA_EVENT_N] = {
	[OA_QUIET] = {
		[OA_A_OFFER]  = {OA_A_OFFERED, OA_DO_OFFER_B},
		[OA_B_OFFER]  = {OA_B_OFFERED, OA_DO_OFFER_A},
		[OA_A_ANSWER] = {OA_QUIET, OA_DO_NOTHING},
		[OA_B_ANSWER] = {OA_QUIET, OA_DO_NOTHING},
		[OA_A_REFUSE] = {OA_QUIET, OA_DO_NOTHING},
		[OA_B_REFUSE] = {OA_QUIET, OA_DO_NOTHING},
		[OA_A_WITHDRAW] = {OA_QUIET, OA_DO_NOTHING},
		[OA_B_WITHDRAW] = {OA_QUIET, OA_DO_NOTHING},
		[OA_TIMEOUT]  = {OA_QUIET, OA_DO_NOTHING},
	},
	[OA_A_OFFERED] = {
		[OA_A_OFFER]  = {OA_A_OFFERED, OA_DO_NOTHING}, /* a second one: its leg should not have */
		[OA_B_OFFER]  = {OA_A_OFFERED, OA_DO_REFUSE_B}, /* glare: the later one loses */
		[OA_A_ANSWER] = {OA_A_OFFERED, OA_DO_NOTHING}, /* nothing is open towards A */
		[OA_B_ANSWER] = {OA_QUIET, OA_DO_ANSWER_A},
		[OA_A_REFUSE] = {OA_A_OFFERED, OA_DO_NOTHING},
		[OA_B_REFUSE] = {OA_QUIET, OA_DO_REFUSE_A},
		[OA_A_WITHDRAW] = {OA_QUIET, OA_DO_WITHDRAW_B},
		[OA_B_WITHDRAW] = {OA_A_OFFERED, OA_DO_NOTHING},
		[OA_TIMEOUT]  = {OA_A_LATE, OA_DO_REFUSE_A},
	},
	[OA_B_OFFERED] = {
		[OA_A_OFFER]  = {OA_B_OFFERED, OA_DO_REFUSE_A},
		[OA_B_OFFER]  = {OA_B_OFFERED, OA_DO_NOTHING},
		[OA_A_ANSWER] = {OA_QUIET, OA_DO_ANSWER_B},
		[OA_B_ANSWER] = {OA_B_OFFERED, OA_DO_NOTHING},
		[OA_A_REFUSE] = {OA_QUIET, OA_DO_REFUSE_B},
		[OA_B_REFUSE] = {OA_B_OFFERED, OA_DO_NOTHING},
		[OA_A_WITHDRAW] = {OA_B_OFFERED, OA_DO_NOTHING},
		[OA_B_WITHDRAW] = {OA_QUIET, OA_DO_WITHDRAW_A},
		[OA_TIMEOUT]  = {OA_B_LATE, OA_DO_REFUSE_B},
	},
	[OA_A_LATE] = {
		[OA_A_OFFER]  = {OA_A_LATE, OA_DO_REFUSE_A},
		[OA_B_OFFER]  = {OA_B_OFFERED, OA_DO_OFFER_A}, /* so B has dropped A's */
		[OA_A_ANSWER] = {OA_A_LATE, OA_DO_NOTHING},
		[OA_B_ANSWER] = {OA_QUIET, OA_DO_NOTHING},
		[OA_A_REFUSE] = {OA_A_LATE, OA_DO_NOTHING},
		[OA_B_REFUSE] = {OA_QUIET, OA_DO_NOTHING},
		[OA_A_WITHDRAW] = {OA_A_LATE, OA_DO_NOTHING},
		[OA_B_WITHDRAW] = {OA_A_LATE, OA_DO_NOTHING},
		[OA_TIMEOUT]  = {OA_A_LATE, OA_DO_NOTHING},
	},
	[OA_B_LATE] = {
		[OA_A_OFFER]  = {OA_A_OFFERED, OA_DO_OFFER_B},
		[OA_B_OFFER]  = {OA_B_LATE, OA_DO_REFUSE_B},
		[OA_A_ANSWER] = {OA_QUIET, OA_DO_NOTHING},
		[OA_B_ANSWER] = {OA_B_LATE, OA_DO_NOTHING},
		[OA_A_REFUSE] = {OA_QUIET, OA_DO_NOTHING},
		[OA_B_REFUSE] = {OA_B_LATE, OA_DO_NOTHING},
		[OA_A_WITHDRAW] = {OA_B_LATE, OA_DO_NOTHING},
		[OA_B_WITHDRAW] = {OA_B_LATE, OA_DO_NOTHING},
		[OA_TIMEOUT]  = {OA_B_LATE, OA_DO_NOTHING},
	},
};
/* clang-format on */

const struct oa_step *call_oa_step(enum oa_state state, enum oa_event event)
{
	return &table[state][event];
}

const char *oa_state_name(enum oa_state state)
{
	static const char *const names[OA_STATE_N] = {
		[OA_QUIET] = "QUIET",         [OA_A_OFFERED] = "A_OFFERED",
		[OA_B_OFFERED] = "B_OFFERED", [OA_A_LATE] = "A_LATE",
		[OA_B_LATE] = "B_LATE",
	};

	return state < OA_STATE_N ? names[state] : "?";
}

const char *oa_event_name(enum oa_event event)
{
	static const char *const names[OA_EVENT_N] = {
		[OA_A_OFFER] = "A_OFFER",       [OA_B_OFFER] = "B_OFFER",
		[OA_A_ANSWER] = "A_ANSWER",     [OA_B_ANSWER] = "B_ANSWER",
		[OA_A_REFUSE] = "A_REFUSE",     [OA_B_REFUSE] = "B_REFUSE",
		[OA_A_WITHDRAW] = "A_WITHDRAW", [OA_B_WITHDRAW] = "B_WITHDRAW",
		[OA_TIMEOUT] = "TIMEOUT",
	};

	return event < OA_EVENT_N ? names[event] : "?";
}
