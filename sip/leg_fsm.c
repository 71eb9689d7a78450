/* sip/leg_fsm.c - the table of the SIP leg. Pure: leg.c carries the actions out.
 *
 * A pair that is not listed is ignored: it can happen (a CANCEL that crosses our 200, a BYE that
 * crosses theirs) and changes nothing. RFC 3261 §9, §13, §15. */
#include "sip/leg_fsm.h"

struct row {
	enum sip_leg_state state;
	enum sip_leg_event event;
	enum sip_leg_state next;
	unsigned actions;
};

/* Over for call and peer alike, and nothing is left to send. */
#define TOLD_AND_GONE (SA_TELL_ENDED | SA_RELEASE)

static const struct row table[] = {
	{SL_NEW, SE_INVITE, SL_CALLING, 0},
	{SL_NEW, SE_END, SL_ENDED, SA_RELEASE},

	{SL_CALLING, SE_PROGRESS, SL_PROCEEDING, 0},
	{SL_CALLING, SE_ALERT, SL_RINGING, SA_TELL_RINGING},
	{SL_CALLING, SE_ACCEPT, SL_TALKING, SA_TELL_ANSWER},
	{SL_CALLING, SE_ACCEPT_EMPTY, SL_BYE, SA_BYE | SA_TELL_ENDED},
	{SL_CALLING, SE_REFUSE, SL_ENDED, TOLD_AND_GONE},
	{SL_CALLING, SE_SILENCE, SL_ENDED, SA_CANCEL | TOLD_AND_GONE},
	{SL_CALLING, SE_END, SL_ENDED, SA_CANCEL | SA_RELEASE},

	{SL_PROCEEDING, SE_ALERT, SL_RINGING, SA_TELL_RINGING},
	{SL_PROCEEDING, SE_ACCEPT, SL_TALKING, SA_TELL_ANSWER},
	{SL_PROCEEDING, SE_ACCEPT_EMPTY, SL_BYE, SA_BYE | SA_TELL_ENDED},
	{SL_PROCEEDING, SE_REFUSE, SL_ENDED, TOLD_AND_GONE},
	{SL_PROCEEDING, SE_SILENCE, SL_ENDED, SA_CANCEL | TOLD_AND_GONE},
	{SL_PROCEEDING, SE_END, SL_ENDED, SA_CANCEL | SA_RELEASE},

	{SL_RINGING, SE_ACCEPT, SL_TALKING, SA_TELL_ANSWER},
	{SL_RINGING, SE_ACCEPT_EMPTY, SL_BYE, SA_BYE | SA_TELL_ENDED},
	{SL_RINGING, SE_REFUSE, SL_ENDED, TOLD_AND_GONE},
	{SL_RINGING, SE_SILENCE, SL_ENDED, SA_CANCEL | TOLD_AND_GONE},
	{SL_RINGING, SE_END, SL_ENDED, SA_CANCEL | SA_RELEASE},

	{SL_INCOMING, SE_ANSWER, SL_ANSWERED, 0},
	{SL_INCOMING, SE_END, SL_ENDED, SA_REFUSE | SA_RELEASE},
	{SL_INCOMING, SE_CANCEL, SL_ENDED, SA_REFUSE | TOLD_AND_GONE},
	{SL_INCOMING, SE_PEER_BYE, SL_ENDED, SA_REFUSE | TOLD_AND_GONE},
	{SL_INCOMING, SE_SILENCE, SL_ENDED, SA_REFUSE | TOLD_AND_GONE},
	{SL_INCOMING, SE_NO_ACK, SL_ENDED, SA_REFUSE | TOLD_AND_GONE},

	{SL_ANSWERED, SE_ACK, SL_TALKING, 0},
	{SL_ANSWERED, SE_NO_ACK, SL_BYE, SA_BYE | SA_TELL_ENDED},
	{SL_ANSWERED, SE_SILENCE, SL_BYE, SA_BYE | SA_TELL_ENDED},
	{SL_ANSWERED, SE_PEER_BYE, SL_ENDED, TOLD_AND_GONE},
	{SL_ANSWERED, SE_END, SL_LEAVING, 0},
	{SL_ANSWERED, SE_LOST, SL_LEAVING, SA_TELL_ENDED},

	{SL_TALKING, SE_PEER_BYE, SL_ENDED, TOLD_AND_GONE},
	{SL_TALKING, SE_END, SL_BYE, SA_BYE},
	{SL_TALKING, SE_LOST, SL_BYE, SA_BYE | SA_TELL_ENDED},

	{SL_LEAVING, SE_ACK, SL_BYE, SA_BYE},
	{SL_LEAVING, SE_NO_ACK, SL_BYE, SA_BYE},
	{SL_LEAVING, SE_SILENCE, SL_BYE, SA_BYE},
	{SL_LEAVING, SE_PEER_BYE, SL_ENDED, SA_RELEASE},

	{SL_BYE, SE_BYE_DONE, SL_ENDED, SA_RELEASE},
	{SL_BYE, SE_SILENCE, SL_ENDED, SA_RELEASE},
};

static const char *const state_names[SL_STATE_N] = {
	[SL_NEW] = "NEW",
	[SL_CALLING] = "CALLING",
	[SL_PROCEEDING] = "PROCEEDING",
	[SL_RINGING] = "RINGING",
	[SL_INCOMING] = "INCOMING",
	[SL_ANSWERED] = "ANSWERED",
	[SL_TALKING] = "TALKING",
	[SL_LEAVING] = "LEAVING",
	[SL_BYE] = "BYE",
	[SL_ENDED] = "ENDED",
};

static const char *const event_names[SE_EVENT_N] = {
	[SE_INVITE] = "INVITE",
	[SE_PROGRESS] = "PROGRESS",
	[SE_ALERT] = "ALERT",
	[SE_ACCEPT] = "ACCEPT",
	[SE_ACCEPT_EMPTY] = "ACCEPT_EMPTY",
	[SE_REFUSE] = "REFUSE",
	[SE_SILENCE] = "SILENCE",
	[SE_ANSWER] = "ANSWER",
	[SE_ACK] = "ACK",
	[SE_NO_ACK] = "NO_ACK",
	[SE_CANCEL] = "CANCEL",
	[SE_PEER_BYE] = "PEER_BYE",
	[SE_END] = "END",
	[SE_LOST] = "LOST",
	[SE_BYE_DONE] = "BYE_DONE",
};

unsigned sip_leg_fsm(enum sip_leg_state state, enum sip_leg_event event,
		     enum sip_leg_state *next)
{
	*next = state;
	for (size_t i = 0; i < N_ELEMS(table); i++) {
		if (table[i].state == state && table[i].event == event) {
			*next = table[i].next;
			return table[i].actions;
		}
	}
	return 0;
}

const char *sip_leg_state_name(enum sip_leg_state state)
{
	return (unsigned)state < SL_STATE_N ? state_names[state] : "?";
}

const char *sip_leg_event_name(enum sip_leg_event event)
{
	return (unsigned)event < SE_EVENT_N ? event_names[event] : "?";
}
