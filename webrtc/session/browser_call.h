/* webrtc/session/browser_call.h - the calls of one browser: its legs by the names they have in its
 * connection, and what it asks about them. Signalling thread. */
#ifndef SLUSS_WEBRTC_SESSION_BROWSER_CALL_H
#define SLUSS_WEBRTC_SESSION_BROWSER_CALL_H

#include "gateway/call.h"
#include "webrtc/session/browser_leg_fsm.h"
#include "webrtc/session/browser.h"

/** A browser's half of a call. The call holds one reference, browser_calls another until it has ended. */
struct browser_leg {
	struct leg leg; /* first */
	struct le le;   /* in browser_calls */
	struct browser_calls
		*mine; /* not owned; NULL once ended or the browser is gone */
	char call[WEB_CALL_MAX + 1]; /* its name in the connection */
	char call_id[17];            /* in the logs */
	enum bleg_state state;
	enum bleg_oa oa;
	size_t n_candidates; /* for its party's last description */
};

/** Errors: ENOMEM. `b` owns it and outlives it. */
int browser_calls_alloc(struct browser_calls **cp, struct browser *b);
/** What the browser asks: `call` to `ping`; answers it. */
void browser_calls_request(struct browser_calls *c, const struct client_msg *m);
/** Fills `o` with the established calls on this device; what does not fit is left out. */
void browser_calls_show(const struct browser_calls *c, struct web_ongoings *o);
/** The browser is gone: LEG_ENDED, CAUSE_LOST for every leg. */
void browser_calls_lose(struct browser_calls *c);

/* browser_leg.c: */

/** endpoint_ops.leg_alloc. */
int browser_leg_alloc(struct leg **legp, struct endpoint *ep, struct call *call);
/** Errors: ENOMEM. `name` is valid and not taken; the leg is in the list then. Owns: the caller has one
 *  reference, the list another. */
int browser_leg_new(struct browser_leg **lp, struct browser_calls *c, enum leg_dir dir,
		    const char *name);
/** The one place where a leg's state changes; gives what is to be done. */
enum bleg_action browser_leg_step(struct browser_leg *l, enum bleg_event event);
/** Takes an ended leg out of the list and remembers why it ended. Drops the list's reference. */
void browser_leg_forget(struct browser_leg *l, enum cause_reason why);
/** As the protocol shows a party. */
void browser_party_show(struct web_party *out, const struct party *party);
void browser_leg_tell_ended(struct browser_leg *l, const struct cause *cause);
void browser_leg_tell_refused(struct browser_leg *l, const struct cause *cause);
void browser_leg_tell_established(struct browser_leg *l);

/* browser_call.c, for browser_leg.c: */
struct browser *browser_calls_owner(struct browser_calls *c);
struct browser_leg *browser_calls_find(struct browser_calls *c, const char *name);
void browser_calls_add(struct browser_calls *c, struct browser_leg *l);
/** Remembers that the call of this name is over. */
void browser_calls_past(struct browser_calls *c, const char *name, enum cause_reason why);

#endif
