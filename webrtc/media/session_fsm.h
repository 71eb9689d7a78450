/* webrtc/media/session_fsm.h - how far a media session is: a table, and nothing else.
 *
 *   CHECKING ─checked─► SHAKING ─keys─► UP            any ─late, silent, foreign, broken─► OVER */
#ifndef SLUSS_WEBRTC_MEDIA_SESSION_FSM_H
#define SLUSS_WEBRTC_MEDIA_SESSION_FSM_H

#include "gateway/media.h"

enum session_state {
	MS_CHECKING, /**< nobody has proved to be the peer yet */
	MS_SHAKING,  /**< an address has; the keys are being agreed on */
	MS_UP,
	MS_OVER, /**< the core has been told why; nothing is heard any more */
	MS_STATE_N
};
enum session_event {
	MS_CHECKED, /**< a connectivity check of the peer's was right */
	MS_KEYS,    /**< DTLS is done, with the certificate of the description */
	MS_FOREIGN, /**< … with another one */
	MS_LATE,    /**< the time for getting there is over */
	MS_SILENT,  /**< no check for longer than a consent lasts */
	MS_BROKEN,  /**< out of memory, or OpenSSL fails */
	MS_EVENT_N
};

struct session_step {
	enum session_state next;
	bool tells; /**< the core is told `told` */
	enum media_event told;
};
/** Never NULL: what does not belong to a state leaves it as it is. */
const struct session_step *session_fsm_step(enum session_state state,
					    enum session_event event);
const char *session_state_name(enum session_state state);
const char *session_event_name(enum session_event event);

#endif
