/* sip/edge/conn_fsm.h - the life of an outer connection: state x event -> state, actions.
 * Pure.
 *
 *   CONNECTING ──► HANDSHAKE ──► OPEN ──► CLOSING ──► CLOSED
 *        └──────────────┴──(fault)─┴─────────┴──────────►┘
 * Accepted and plain connections take the same way; their first steps just take no time.
 * */
#ifndef SLUSS_SIP_EDGE_CONN_FSM_H
#define SLUSS_SIP_EDGE_CONN_FSM_H

#include "lib/base.h"

enum conn_state {
	CONN_CONNECTING,
	CONN_HANDSHAKE,
	CONN_OPEN,    /* messages pass */
	CONN_CLOSING, /* our last bytes and FIN go out; the peer's end is waited for */
	CONN_CLOSED,
	CONN_STATE_N
};
enum conn_event {
	CONN_CONNECTED, /* TCP is up */
	CONN_SECURED,   /* TLS is up and the names are right, or it is plain TCP */
	CONN_CLOSE,     /* we want to end it in order */
	CONN_FAULT,     /* an error, ours or the peer's */
	CONN_PEER_END,  /* the peer said it will send no more */
	CONN_TIMEOUT,   /* dialling, handshake, idle or closing took too long */
	CONN_EVENT_N
};
enum {
	CONN_DO_SECURE = 1,  /* begin TLS, or say CONN_SECURED at once */
	CONN_DO_OPEN = 2,    /* tell that it is open */
	CONN_DO_FAIL = 4,    /* tell that it never opened */
	CONN_DO_LOST = 8,    /* tell that it is open no more */
	CONN_DO_SHUT = 16,   /* send what is left, say good-bye, wait a little */
	CONN_DO_RELEASE = 32 /* close the socket */
};
struct conn_step {
	enum conn_state next;
	unsigned actions;
};
struct conn_step conn_fsm(enum conn_state state, enum conn_event event);
const char *conn_state_name(enum conn_state state);
const char *conn_event_name(enum conn_event event);

#endif
