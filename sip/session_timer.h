/* sip/session_timer.h - RFC 4028: a session whose refreshes stop is over. Signalling thread.
 *
 *   UAC: INVITE  Supported: timer, Session-Expires: 1800;refresher=uac, Min-SE: 90
 *   UAS: 200     Session-Expires: 1800;refresher=uac, Require: timer
 * One of the two refreshes at half the time; the other gives up a little before the end. When the
 * peer knows no timers we refresh all the same: that is how a dead peer is noticed. */
#ifndef SLUSS_SIP_SESSION_TIMER_H
#define SLUSS_SIP_SESSION_TIMER_H

#include "lib/timer.h"
#include "sip/sofia.h"
#include "sip/trust.h"

struct session_timer {
	struct timers *timers;
	struct timer t;
	uint32_t interval_s; /* as agreed */
	uint32_t min_s;      /* the highest Min-SE heard, at least 90 */
	bool ours;           /* we refresh */
	bool running;
	void (*refresh_h)(void *arg); /* time to refresh */
	void (*expired_h)(void *arg); /* nobody did */
	void *arg;
};

void session_timer_init(struct session_timer *st, struct timers *timers,
			uint32_t interval_s, void (*refresh_h)(void *arg),
			void (*expired_h)(void *arg), void *arg);
void session_timer_stop(struct session_timer *st);
/** The refresh could not be sent or was put off: once more in `ms`. Nothing when the peer refreshes. */
void session_timer_again(struct session_timer *st, uint64_t ms);

enum { SESSION_TIMER_TEXT = 48 };
/** For our request: `1800;refresher=uac` as things stand. `first`: the INVITE that makes the dialog. */
const char *session_timer_offer(const struct session_timer *st,
				char buf[SESSION_TIMER_TEXT], bool first);
/** A peer's request: 422 with Min-SE when what it wants is too short. */
unsigned session_timer_check(struct refusal *r, const sip_t *request);
/** A peer's INVITE or UPDATE is being answered with 2xx: settles interval and refresher, starts the
 *  time anew, and gives the Session-Expires for the answer. *require: whether Require: timer goes with it. */
const char *session_timer_answer(struct session_timer *st, const sip_t *request,
				 char buf[SESSION_TIMER_TEXT], bool *require);
/** A 2xx to our INVITE or UPDATE came: the same, from our side. */
void session_timer_accepted(struct session_timer *st, const sip_t *response);
/** A 422 came: takes its Min-SE. False: it asks for nothing that would help. */
bool session_timer_too_short(struct session_timer *st, const sip_t *response);

#endif
