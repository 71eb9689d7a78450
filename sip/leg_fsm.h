/* sip/leg_fsm.h - the SIP leg's life as a table: state x event -> next state and actions. Pure.
 *
 *   out: NEW ─► CALLING ─► PROCEEDING ─► RINGING ─┐
 *                                                 ├─► TALKING ─► BYE ─► ENDED
 *   in:          INCOMING ─► ANSWERED ────────────┘
 *                               └─ (over before the ACK) ─► LEAVING ─► BYE
 * INVITEs given up are no state of the leg: they end by themselves (leg_out.c). Offers inside the
 * dialog and the session timer are machines of their own. */
#ifndef SLUSS_SIP_LEG_FSM_H
#define SLUSS_SIP_LEG_FSM_H

#include "lib/base.h"

enum sip_leg_state {
	SL_NEW,        /* out: not started */
	SL_CALLING,    /* out: INVITE sent, nothing more than 100 heard */
	SL_PROCEEDING, /* out: some other 1xx came */
	SL_RINGING,    /* out: 180 or 183 came */
	SL_INCOMING,   /* in: the call has it, no final answer */
	SL_ANSWERED,   /* in: 200 sent, no ACK yet */
	SL_TALKING,    /* the dialog is confirmed */
	SL_LEAVING,    /* in: over, but no BYE before the ACK has come (RFC 3261 §15) */
	SL_BYE,        /* BYE sent, not answered */
	SL_ENDED,
	SL_STATE_N
};

enum sip_leg_event {
	SE_INVITE,       /* op: call out; the INVITE has been sent */
	SE_PROGRESS,     /* 1xx over 100 */
	SE_ALERT,        /* 180, 183 */
	SE_ACCEPT,       /* first 2xx, with an answer */
	SE_ACCEPT_EMPTY, /* first 2xx, but no usable answer in it */
	SE_REFUSE,       /* refused, or no target is left */
	SE_SILENCE,      /* the state has lasted too long */
	SE_ANSWER,       /* op: the callee's answer; the 200 has been sent */
	SE_ACK,          /* the ACK to our 200 */
	SE_NO_ACK,       /* none within 64*T1; or no PRACK */
	SE_CANCEL,       /* the peer cancels */
	SE_PEER_BYE,     /* the peer says goodbye */
	SE_END,          /* op: the call ends it */
	SE_LOST,         /* session expired, dialog unknown to the peer */
	SE_BYE_DONE,     /* our BYE was answered, or never will be */
	SE_EVENT_N
};

enum {
	SA_CANCEL = 1 << 0, /* give up the INVITE that is out */
	SA_REFUSE = 1 << 1, /* final refusal by the cause */
	SA_BYE = 1 << 2,
	SA_TELL_RINGING = 1 << 3,
	SA_TELL_ANSWER = 1 << 4,
	SA_TELL_ENDED = 1 << 5,
	SA_RELEASE = 1 << 6, /* nothing is left to do: free it from the loop */
};

/** Gives the actions and sets *next; a pair that is not in the table changes nothing. */
unsigned sip_leg_fsm(enum sip_leg_state state, enum sip_leg_event event,
		     enum sip_leg_state *next);
const char *sip_leg_state_name(enum sip_leg_state state);
const char *sip_leg_event_name(enum sip_leg_event event);

#endif
