/* webrtc/session/session_fsm.h - the life of a browser's session and its connection as a table. Pure.
 *
 *   NEW ──hello──► ASKING ──granted──► ONLINE ──cut──► AWAY ──► ENDED
 *    ▲               │ │ denied          ▲ ▲ back ◄───── │ linger time over, bye
 *    └───────────────┘ │                 └──┴── back ◄───┘
 *                      └─ resumes: this connection now carries a session that was there before
 *   ENDED from everywhere: hello not in time, bye, broken, closed                                   */
#ifndef SLUSS_WEBRTC_SESSION_SESSION_FSM_H
#define SLUSS_WEBRTC_SESSION_SESSION_FSM_H

enum browser_state {
	BROWSER_NEW, /**< the socket is open; ends after limits.ws_auth_s */
	BROWSER_ASKING, /**< the accounts are asked about its token; the same timer runs on */
	BROWSER_ONLINE, /**< a device; the web thread's pings watch over it */
	BROWSER_AWAY, /**< a device that has lost its connection; ends after limits.session_linger_s */
	BROWSER_ENDED, /**< told, or gone; freed in the loop's next turn */
	BROWSER_STATE_N
};

enum browser_event {
	BROWSER_HELLO,
	BROWSER_REQUEST, /**< any message but hello */
	BROWSER_GRANTED, /**< and a new session begins */
	BROWSER_RESUMES, /**< granted, and the session it asks for is there: that one goes on */
	BROWSER_DENIED,
	BROWSER_LATE,   /**< no hello, or no answer to it, in time; not back in time */
	BROWSER_BYE,    /**< the site ends it, and says why */
	BROWSER_BROKEN, /**< a message to it was lost: what it knows is wrong */
	BROWSER_CUT,    /**< the socket is lost or full, and the session may be resumed */
	BROWSER_BACK,   /**< another connection carries the session from now on */
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
	BROWSER_DO_HAND_OVER,    /**< its connection goes to that session; then it ends */
	BROWSER_DO_LINGER,       /**< away from now on: its calls and events wait */
	BROWSER_DO_RESUME, /**< takes the connection, welcome, all that it has missed */
	BROWSER_DO_EXPIRE, /**< did not come back: its calls are lost */
	BROWSER_DO_QUIT,   /**< ends while nobody can be told */
	BROWSER_DO_FORGET,
	BROWSER_ACTION_N
};

/** Gives the next state; *action says what to do on the way. */
enum browser_state browser_next(enum browser_state state, enum browser_event event,
				enum browser_action *action);
const char *browser_state_name(enum browser_state state);
const char *browser_event_name(enum browser_event event);

#endif
