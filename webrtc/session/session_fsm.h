/* webrtc/session/session_fsm.h - the life of one connected browser as a table. Pure.
 *
 *   NEW ──hello──► ASKING ──granted──► ONLINE ──► ENDED
 *    ▲               │ denied                        ▲
 *    └───────────────┘      hello in time, bye, closed, broken: from everywhere                     */
#ifndef SLUSS_WEBRTC_SESSION_SESSION_FSM_H
#define SLUSS_WEBRTC_SESSION_SESSION_FSM_H

enum browser_state {
	BROWSER_NEW, /**< the socket is open; ends after limits.ws_auth_s */
	BROWSER_ASKING, /**< the accounts are asked about its token; the same timer runs on */
	BROWSER_ONLINE, /**< a device; the web thread's pings watch over it */
	BROWSER_ENDED,  /**< told, or gone; freed in the loop's next turn */
	BROWSER_STATE_N
};

enum browser_event {
	BROWSER_HELLO,
	BROWSER_REQUEST, /**< any message but hello */
	BROWSER_GRANTED,
	BROWSER_DENIED,
	BROWSER_LATE,   /**< no hello, or no answer to it, in time */
	BROWSER_BYE,    /**< the site ends it, and says why */
	BROWSER_BROKEN, /**< a message to it was lost: what it knows is wrong */
	BROWSER_CLOSED, /**< the socket is gone */
	BROWSER_EVENT_N
};

enum browser_action {
	BROWSER_DO_NOTHING,
	BROWSER_DO_ASK,
	BROWSER_DO_ENTER,        /**< becomes a device: welcome */
	BROWSER_DO_DENY,         /**< error to the hello; it may try again */
	BROWSER_DO_SERVE,        /**< the request is carried out */
	BROWSER_DO_REFUSE_STATE, /**< error bad-state */
	BROWSER_DO_REFUSE_ANON,  /**< error not-signed-in */
	BROWSER_DO_CLOSE_LATE,   /**< close 1008 */
	BROWSER_DO_SAY_BYE,      /**< `bye`, then close */
	BROWSER_DO_BREAK,        /**< close 1013 */
	BROWSER_DO_FORGET,
	BROWSER_ACTION_N
};

/** Gives the next state; *action says what to do on the way. */
enum browser_state browser_next(enum browser_state state, enum browser_event event,
				enum browser_action *action);
const char *browser_state_name(enum browser_state state);
const char *browser_event_name(enum browser_event event);

#endif
