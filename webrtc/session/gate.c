/* webrtc/session/gate.c - rate, order and error count of one connection, and the parser behind them.
 *
 * Pure; runs on the web thread; called by ws.c. A message over the rate is still parsed, so that its error
 * can name its id; that costs little, since the errors themselves are counted and end the connection. */
#include "webrtc/session/gate.h"

enum { SECOND_US = 1000000, BURST_S = 4 };

void gate_init(struct gate *g, const struct limits *limits, uint64_t now_us)
{
	memset(g, 0, sizeof(*g));
	g->limits = limits;
	g->filled_us = now_us;
	g->credit_us = (uint64_t)BURST_S * SECOND_US;
	g->errors_since_us = now_us;
}

/* A token bucket measured in time: the burst is four seconds of credit. */
static bool gate_spend(struct gate *g, uint64_t now_us)
{
	const uint64_t price_us = SECOND_US / g->limits->ws_rate;

	g->credit_us += now_us - g->filled_us;
	g->filled_us = now_us;
	if (g->credit_us > (uint64_t)BURST_S * SECOND_US)
		g->credit_us = (uint64_t)BURST_S * SECOND_US;
	if (g->credit_us < price_us)
		return false;
	g->credit_us -= price_us;
	return true;
}

static int gate_refuse(struct parse_fault *fault, enum web_error code, const char *text)
{
	fault->code = code;
	snprintf(fault->text, sizeof(fault->text), "%s", text);
	return EBADMSG;
}

int gate_take(struct gate *g, struct client_msg **mp, struct parse_fault *fault,
	      const char *p, size_t n, uint64_t now_us)
{
	struct client_msg *m = NULL;
	bool in_rate = gate_spend(g, now_us);
	int err = client_msg_parse(&m, fault, p, n, g->limits);

	if (fault->id) {
		if (fault->id <= g->last_id)
			err = gate_refuse(fault, ERROR_REPLAYED,
					  "`id` must rise with every message");
		else
			g->last_id = fault->id;
	}
	if (!in_rate)
		err = gate_refuse(fault, ERROR_RATE,
				  "too many messages; this one had no effect");
	if (err) {
		mem_deref(m);
		return err;
	}
	*mp = m;
	return 0;
}

bool gate_error(struct gate *g, uint64_t now_us)
{
	if (now_us - g->errors_since_us >= (uint64_t)GATE_ERRORS_S * SECOND_US) {
		g->errors_since_us = now_us;
		g->n_errors = 0;
	}
	return ++g->n_errors >= GATE_ERRORS;
}
