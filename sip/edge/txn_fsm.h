/* sip/edge/txn_fsm.h - what the edge remembers of a request that went out: state x event
 * -> state, actions.
 *
 *   DIALLING ── written ──► SENT ── 1xx ──► PROCEEDING ── 2xx ──► ANSWERED ┐
 *      │ no target left       │ connection lost    │     └─ 3xx-6xx ─► REFUSED ┼─ time ─► GONE
 *      └──────────────────────┴────────────────────┴──► FAILED (503 of ours) ──┘
 *
 * Sofia does the transaction; this only knows where it is, for CANCEL, for the ACK to a
 * refusal, and for the 503 that ends it when the connection does. Pure. RFC 3261
 * §16.7-16.10, §17.1; RFC 6026. */
#ifndef SLUSS_SIP_EDGE_TXN_FSM_H
#define SLUSS_SIP_EDGE_TXN_FSM_H

#include "lib/base.h"

enum txn_state {
	TXN_DIALLING, /* no target has it yet */
	TXN_SENT,
	TXN_PROCEEDING, /* a 1xx came */
	TXN_ANSWERED,   /* INVITE: a 2xx went to Sofia; forks may send more */
	TXN_REFUSED,    /* INVITE: a refusal went to Sofia; its ACK is to come */
	TXN_FAILED,     /* Sofia got a final of our own making */
	TXN_GONE,       /* to be forgotten */
	TXN_STATE_N
};
enum txn_event {
	TXN_WRITTEN,     /* to a connection */
	TXN_PROVISIONAL, /* from the peer */
	TXN_SUCCESS,
	TXN_REFUSAL,
	TXN_LOST,   /* no target left, or its connection ended */
	TXN_ACK,    /* Sofia's ACK to a refusal: it has no private header */
	TXN_CANCEL, /* Sofia's CANCEL of it */
	TXN_TIMEOUT,
	TXN_EVENT_N
};
enum {
	TXN_DO_PASS = 1,      /* what came goes on to the other side */
	TXN_DO_SYNTH_503 = 2, /* a 503 to Sofia, with the reason */
	TXN_DO_SYNTH_487 = 4, /* a 487 to Sofia; no target ever had it */
	TXN_DO_CANCEL_OK = 8, /* a 200 to Sofia's CANCEL, which ends here */
	TXN_DO_CANCEL_481 = 16,
	TXN_DO_ROUTE = 32,  /* an ACK to a 2xx: by its own route, as the INVITE's site */
	TXN_DO_NO_DIAL = 64 /* the dialling stops */
};
struct txn_step {
	enum txn_state next;
	unsigned actions;
};
struct txn_step txn_fsm(bool invite, enum txn_state state, enum txn_event event);
const char *txn_state_name(enum txn_state state);
const char *txn_event_name(enum txn_event event);
/** How long a transaction may stay in a state, in seconds, before TXN_TIMEOUT. */
unsigned txn_state_s(bool invite, enum txn_state state);

#endif
