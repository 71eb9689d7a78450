/* webrtc/http/conn_fsm.h - what an HTTP connection is doing, as a table. Pure.
 *
 *   OPENING ─┬─request──────────────► WORKING ─┬─reply─► SENDING ─sent─► IDLE
 *   IDLE ────┤                         ▲       └─ask─► ASKED ─reply─┘
 *            ├─request with a body─► BODY
 *            └─upgrade─► SOCKET                    close: from everywhere ─► CLOSING                  */
#ifndef SLUSS_WEBRTC_HTTP_CONN_FSM_H
#define SLUSS_WEBRTC_HTTP_CONN_FSM_H

#include "gateway/config.h"

enum conn_phase {
	CONN_OPENING, /**< accepted; handshake and first headers */
	CONN_IDLE,    /**< kept alive between requests */
	CONN_BODY,    /**< collecting a request's body */
	CONN_WORKING, /**< inside the callback that will answer it */
	CONN_ASKED,   /**< the signalling thread has it */
	CONN_SENDING, /**< the answer goes out */
	CONN_SOCKET,  /**< a WebSocket */
	CONN_CLOSING, /**< what is left is the closing itself */
	CONN_PHASE_N
};

enum conn_event {
	CONN_REQUEST,
	CONN_REQUEST_BODY, /**< headers that announce a body */
	CONN_BODY_END,
	CONN_ASK,
	CONN_REPLY,
	CONN_SENT,
	CONN_UPGRADE,
	CONN_CLOSE,
	CONN_EVENT_N
};

/** Gives whether that can be; when not, nothing has changed and the connection is to be closed: more
 *  came than lws should have let through. */
bool web_conn_next(enum conn_phase *phase, enum conn_event event);
/** How long a connection may be in this phase; SENDING: without a byte leaving; SOCKET: 0, pings watch. */
uint32_t web_conn_timeout_s(enum conn_phase phase, const struct limits *limits);
const char *web_conn_phase_name(enum conn_phase phase);
const char *web_conn_event_name(enum conn_event event);

#endif
