/* webrtc/media/side_fsm.h - how far a side of a media session is: a table, and nothing else.
 *
 *   CHECKING ─checked─► SHAKING ─keys─► UP            any ─late, silent, foreign, broken, capped─► OVER
 *
 * A side that is not read here has no keys to agree on: MS_KEYS follows MS_CHECKED at once. */
#ifndef SLUSS_WEBRTC_MEDIA_SIDE_FSM_H
#define SLUSS_WEBRTC_MEDIA_SIDE_FSM_H

#include "gateway/media.h"

enum side_state {
	MS_CHECKING, /**< nobody has proved to be the peer yet */
	MS_SHAKING,  /**< an address has; the keys are being agreed on */
	MS_UP,
	MS_OVER, /**< the core has been told why; nothing is heard any more */
	MS_STATE_N
};
enum side_event {
	MS_CHECKED, /**< a connectivity check of the peer's was right */
	MS_KEYS,    /**< DTLS is done, with the certificate of the description */
	MS_FOREIGN, /**< … with another one */
	MS_LATE,    /**< the time for getting there is over */
	MS_SILENT,  /**< no check for longer than a consent lasts */
	MS_BROKEN,  /**< out of memory, or OpenSSL fails */
	MS_CAPPED,  /**< media_caps.time_s is over */
	MS_EVENT_N
};

struct side_step {
	enum side_state next;
	bool tells; /**< the core is told `told` */
	enum media_event told;
};
/** Never NULL: what does not belong to a state leaves it as it is. */
const struct side_step *side_fsm_step(enum side_state state, enum side_event event);
const char *side_state_name(enum side_state state);
const char *side_event_name(enum side_event event);

#endif
