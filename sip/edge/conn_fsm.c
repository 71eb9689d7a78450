/* sip/edge/conn_fsm.c - see conn_fsm.h: the table. Called by conn.c alone. */
#include "sip/edge/conn_fsm.h"

static const char *const conn_state_namev[CONN_STATE_N] = {
	"CONNECTING", "HANDSHAKE", "OPEN", "CLOSING", "CLOSED",
};
static const char *const conn_event_namev[CONN_EVENT_N] = {
	"CONNECTED", "SECURED", "CLOSE", "FAULT", "PEER_END", "TIMEOUT",
};

#define NEVER                                                                            \
	{                                                                                \
		CONN_CLOSED, CONN_DO_FAIL | CONN_DO_RELEASE                              \
	}
#define REFUSED                                                                          \
	{                                                                                \
		CONN_CLOSING, CONN_DO_FAIL | CONN_DO_SHUT                                \
	} /* an alert may have to go out */
#define ENDING                                                                           \
	{                                                                                \
		CONN_CLOSING, CONN_DO_LOST | CONN_DO_SHUT                                \
	}
#define BROKEN                                                                           \
	{                                                                                \
		CONN_CLOSED, CONN_DO_LOST | CONN_DO_RELEASE                              \
	}
#define ENDED                                                                            \
	{                                                                                \
		CONN_CLOSED, CONN_DO_RELEASE                                             \
	}
#define STAY(s)                                                                          \
	{                                                                                \
		s, 0                                                                     \
	}

/* clang-format off */
static const struct conn_step conn_table[CONN_STATE_N][CONN_EVENT_N] = {
/*                    CONNECTED                         SECURED                      CLOSE    FAULT    PEER_END TIMEOUT */
[CONN_CONNECTING] = {{CONN_HANDSHAKE, CONN_DO_SECURE}, STAY(CONN_CONNECTING),       NEVER,   NEVER,   NEVER,   NEVER},
[CONN_HANDSHAKE]  = {STAY(CONN_HANDSHAKE),             {CONN_OPEN, CONN_DO_OPEN},   REFUSED, REFUSED, NEVER,   REFUSED},
[CONN_OPEN]       = {STAY(CONN_OPEN),                  STAY(CONN_OPEN),             ENDING,  BROKEN,  ENDING,  ENDING},
[CONN_CLOSING]    = {STAY(CONN_CLOSING),               STAY(CONN_CLOSING),          STAY(CONN_CLOSING), ENDED, ENDED, ENDED},
[CONN_CLOSED]     = {STAY(CONN_CLOSED),                STAY(CONN_CLOSED),           STAY(CONN_CLOSED),  STAY(CONN_CLOSED), STAY(CONN_CLOSED), STAY(CONN_CLOSED)},
};
/* clang-format on */

struct conn_step conn_fsm(enum conn_state state, enum conn_event event)
{
	return conn_table[state][event];
}

const char *conn_state_name(enum conn_state state)
{
	return conn_state_namev[state];
}

const char *conn_event_name(enum conn_event event)
{
	return conn_event_namev[event];
}
