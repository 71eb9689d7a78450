/* gateway/call_oa.h - offer and answer inside an established call, as a pure table of its own.
 *
 *           A_OFFER             TIMEOUT                 (and the same with A and B exchanged)
 *   QUIET ──────────► A_OFFERED ──────► A_LATE
 *     ▲  B_ANSWER, B_REFUSE │             │  B_ANSWER, B_REFUSE: too late, A was told TIMEOUT
 *     └─────────────────────┘◄────────────┘
 * Whoever made the offer may also take it back (A_WITHDRAW), back to QUIET: B hears so and owes nothing.
 * At most one offer is open in the call (RFC 3264 §4). The later of two that cross is refused with
 * CAUSE_GLARE; its maker tries again after the random wait of RFC 3261 §14.1. In A_LATE nobody waits
 * any more, but B still owes an answer: A's next offer cannot be brought to it before that. */
#ifndef SLUSS_GATEWAY_CALL_OA_H
#define SLUSS_GATEWAY_CALL_OA_H

#include "lib/base.h"

enum oa_state { OA_QUIET, OA_A_OFFERED, OA_B_OFFERED, OA_A_LATE, OA_B_LATE, OA_STATE_N };

enum oa_event {
	OA_A_OFFER,
	OA_B_OFFER,
	OA_A_ANSWER,
	OA_B_ANSWER,
	OA_A_REFUSE, /**< by its party, or because the offer could not be brought to it */
	OA_B_REFUSE,
	OA_A_WITHDRAW, /**< its own offer */
	OA_B_WITHDRAW,
	OA_TIMEOUT,
	OA_EVENT_N
};

enum oa_action {
	OA_DO_NOTHING = 0,
	OA_DO_OFFER_A, /**< bring the body to A as an offer */
	OA_DO_OFFER_B,
	OA_DO_ANSWER_A, /**< bring the body to A as the answer to its offer */
	OA_DO_ANSWER_B,
	OA_DO_REFUSE_A, /**< tell A that its offer is refused */
	OA_DO_REFUSE_B,
	OA_DO_WITHDRAW_A, /**< take the offer back that A was brought */
	OA_DO_WITHDRAW_B,
};

/** Whose cause a refusal carries is the caller's choice: the refuser's own, GLARE, TIMEOUT. Only in
 *  A_OFFERED and B_OFFERED does a time run (limits.offer_s). */
struct oa_step {
	enum oa_state next;
	enum oa_action action;
};

/** Every pair is allowed: what comes late or twice changes nothing and does nothing. Never NULL. */
const struct oa_step *call_oa_step(enum oa_state state, enum oa_event event);
const char *oa_state_name(enum oa_state state);
const char *oa_event_name(enum oa_event event);

#endif
