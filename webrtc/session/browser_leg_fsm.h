/* webrtc/session/browser_leg_fsm.h - the two machines of a browser's half of a call, as tables. Pure.
 *
 *   outgoing (to a device):  IDLE ─invite─► ALERTING ─ringing─► RINGING ─accept─► ACCEPTED ─answer─► ACTIVE
 *   incoming (its call):     CALLING ─ what a trunk lets hear first, ringing ── the call's answer ────► ACTIVE
 *   from everywhere:         hangup, reject, the call's end, a lost socket ─► ENDED
 *
 * Inside ACTIVE, offers and answers are a machine of their own:
 *   QUIET ─client's offer─► OURS ─the call's answer or refusal─► QUIET
 *   QUIET ─the call's offer─► THEIRS ─client's answer or refusal, or the call takes it back─► QUIET         */
#ifndef SLUSS_WEBRTC_SESSION_BROWSER_LEG_FSM_H
#define SLUSS_WEBRTC_SESSION_BROWSER_LEG_FSM_H

enum bleg_state {
	BLEG_IDLE,
	BLEG_CALLING,
	BLEG_ALERTING,
	BLEG_RINGING,
	BLEG_ACCEPTED,
	BLEG_ACTIVE,
	BLEG_ENDED,
	BLEG_STATE_N
}; /* the call has the timers: ring_s, accept_s, offer_s */

enum bleg_oa { BLEG_QUIET, BLEG_OURS, BLEG_THEIRS, BLEG_OA_N };

enum bleg_event {
	/* what the client asks for */
	BLEG_C_RINGING,
	BLEG_C_ACCEPT,
	BLEG_C_REJECT,
	BLEG_C_ANSWER,
	BLEG_C_OFFER,
	BLEG_C_REFUSE,
	BLEG_C_HANGUP,
	BLEG_C_CANDIDATES,
	/* what the call wants done */
	BLEG_O_INVITE,
	BLEG_O_RINGING,
	BLEG_O_ACCEPTED,
	BLEG_O_EARLY,
	BLEG_O_ANSWER,
	BLEG_O_OFFER,
	BLEG_O_OFFER_REFUSE,
	BLEG_O_OFFER_WITHDRAW,
	BLEG_O_CANDIDATES,
	BLEG_O_END,
	/* the socket */
	BLEG_LOST,
	BLEG_EVENT_N
};

enum bleg_action {
	BLEG_DO_NOTHING,
	BLEG_DO_BAD_STATE, /**< error bad-state to the client; EBUSY or EINVAL to the call */
	BLEG_DO_SAY_RINGING,   /**< LEG_RINGING */
	BLEG_DO_SAY_ACCEPTED,  /**< LEG_ACCEPTED */
	BLEG_DO_SAY_ANSWER,    /**< LEG_ANSWER, the first: `established` follows */
	BLEG_DO_SAY_ENDED,     /**< LEG_ENDED, and `ended` where somebody still listens */
	BLEG_DO_TELL_INCOMING, /**< `incoming` … */
	BLEG_DO_TELL_RINGING,
	BLEG_DO_TELL_ACCEPTED,
	BLEG_DO_TELL_EARLY,
	BLEG_DO_TELL_ANSWERED,
	BLEG_DO_TELL_ENDED,
	BLEG_DO_PASS_CANDIDATES, /**< LEG_CANDIDATES */
	BLEG_DO_TELL_CANDIDATES,
	BLEG_DO_OFFER_ANSWER, /**< up to the machine of offers */
	/* of that machine */
	BLEG_DO_PASS_OFFER,  /**< LEG_OFFER */
	BLEG_DO_PASS_ANSWER, /**< LEG_ANSWER */
	BLEG_DO_PASS_REFUSE, /**< LEG_OFFER_REFUSED */
	BLEG_DO_TELL_OFFER,
	BLEG_DO_TELL_ANSWER,
	BLEG_DO_TELL_REFUSED,
	BLEG_DO_TELL_WITHDRAWN,
	BLEG_DO_GLARE, /**< our client's offer crossed theirs: ok, and `refused` with glare at once */
	BLEG_ACTION_N
};

enum bleg_state bleg_next(enum bleg_state state, enum bleg_event event,
			  enum bleg_action *action);
/** Only for the events that bleg_next() answers with BLEG_DO_OFFER_ANSWER. */
enum bleg_oa bleg_oa_next(enum bleg_oa oa, enum bleg_event event,
			  enum bleg_action *action);

const char *bleg_state_name(enum bleg_state state);
const char *bleg_oa_name(enum bleg_oa oa);
const char *bleg_event_name(enum bleg_event event);

#endif
