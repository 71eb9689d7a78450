/* webrtc/session/gate.h - what stands between a connection's text messages and the signalling thread: the
 * rate, the order of the ids, the parser, and how many errors are too many. Pure: time is given. */
#ifndef SLUSS_WEBRTC_SESSION_GATE_H
#define SLUSS_WEBRTC_SESSION_GATE_H

#include "webrtc/session/parse.h"

enum { GATE_ERRORS = 20, GATE_ERRORS_S = 60 };

/** One a connection, embedded. */
struct gate {
	const struct limits *limits;
	uint32_t last_id;
	uint64_t filled_us; /**< when `credit_us` was last brought up to date */
	uint64_t
		credit_us; /**< a message costs 1 s / ws_rate of it; four times a second's worth at most */
	uint64_t errors_since_us;
	uint32_t n_errors; /**< since then */
};

void gate_init(struct gate *g, const struct limits *limits, uint64_t now_us);
/** Judges one whole message. Errors: EBADMSG, ENOMEM: *fault is the error to send; it has not been
 *  counted yet (gate_error). */
int gate_take(struct gate *g, struct client_msg **mp, struct parse_fault *fault,
	      const char *p, size_t n, uint64_t now_us);
/** An error went out on this connection; true when it was the last one to bear: close with 1008. */
bool gate_error(struct gate *g, uint64_t now_us);

#endif
