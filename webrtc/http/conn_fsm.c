/* webrtc/http/conn_fsm.c - phases and events of an HTTP connection. Pure; called by conn.c; a test walks
 * every pair. */
#include "webrtc/http/conn_fsm.h"

enum { ASKED_S = 30, CLOSING_S = 3 };

/* next phase + 1; 0: that cannot be */
/* clang-format off */
#define TO(phase) (CONN_##phase + 1)
static const unsigned char table[CONN_PHASE_N][CONN_EVENT_N] = {
	[CONN_OPENING] = {
		[CONN_REQUEST] = TO(WORKING),
		[CONN_REQUEST_BODY] = TO(BODY),
		[CONN_UPGRADE] = TO(SOCKET),
		[CONN_CLOSE] = TO(CLOSING),
	},
	[CONN_IDLE] = {
		[CONN_REQUEST] = TO(WORKING),
		[CONN_REQUEST_BODY] = TO(BODY),
		[CONN_UPGRADE] = TO(SOCKET),
		[CONN_CLOSE] = TO(CLOSING),
	},
	[CONN_BODY] = {
		[CONN_BODY_END] = TO(WORKING),
		[CONN_CLOSE] = TO(CLOSING),
	},
	[CONN_WORKING] = {
		[CONN_ASK] = TO(ASKED),
		[CONN_REPLY] = TO(SENDING),
		[CONN_CLOSE] = TO(CLOSING),
	},
	[CONN_ASKED] = {
		[CONN_REPLY] = TO(SENDING),
		[CONN_CLOSE] = TO(CLOSING),
	},
	[CONN_SENDING] = {
		[CONN_SENT] = TO(IDLE),
		[CONN_CLOSE] = TO(CLOSING),
	},
	[CONN_SOCKET] = {
		[CONN_CLOSE] = TO(CLOSING),
	},
	[CONN_CLOSING] = {
		[CONN_CLOSE] = TO(CLOSING),
	},
};
/* clang-format on */

bool web_conn_next(enum conn_phase *phase, enum conn_event event)
{
	unsigned next = table[*phase][event];

	if (!next)
		return false;
	*phase = (enum conn_phase)(next - 1);
	return true;
}

uint32_t web_conn_timeout_s(enum conn_phase phase, const struct limits *limits)
{
	switch (phase) {
	case CONN_OPENING:
	case CONN_BODY:
	case CONN_WORKING:
		return limits->http_handshake_s;
	case CONN_IDLE:
	case CONN_SENDING:
		return limits->http_idle_s;
	case CONN_ASKED:
		return ASKED_S;
	case CONN_CLOSING:
		return CLOSING_S;
	case CONN_SOCKET:
	case CONN_PHASE_N:
		break;
	}
	return 0;
}

const char *web_conn_phase_name(enum conn_phase phase)
{
	static const char *const names[CONN_PHASE_N] = {"OPENING", "IDLE",   "BODY",
							"WORKING", "ASKED",  "SENDING",
							"SOCKET",  "CLOSING"};

	return names[phase];
}

const char *web_conn_event_name(enum conn_event event)
{
	static const char *const names[CONN_EVENT_N] = {"request",  "request with a body",
							"body end", "ask",
							"reply",    "sent",
							"upgrade",  "close"};

	return names[event];
}
