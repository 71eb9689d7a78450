/* gateway/call.h - a call: ties an incoming leg A to one or more outgoing legs B. Signalling thread.
 *
 * call_fsm.c is the pure table (state x event -> next state + actions); call.c carries actions out.
 *
 *   IDLE ─start─► ROUTING ─routed─► CALLING ─ringing─► RINGING ─accepted─► ACCEPTED ─answer─► ACTIVE
 *                    │                 │ refused by all / ring time over / A ended      │        │
 *                    └────────────────►└──────────────► ENDED ◄──────────────────────────┘◄───────┘
 * Offer and answer inside ACTIVE are a machine of their own (call_oa.c): QUIET, A_OFFERED, B_OFFERED. */
#ifndef SLUSS_GATEWAY_CALL_H
#define SLUSS_GATEWAY_CALL_H

#include "gateway/core.h"
#include "gateway/leg.h"

struct device;
struct identity_person;

enum call_state {
	CALL_IDLE,
	CALL_ROUTING,
	CALL_CALLING,
	CALL_RINGING,
	CALL_ACCEPTED,
	CALL_ACTIVE,
	CALL_ENDED,
	CALL_STATE_N
};

/** Who touches the packets (path.h); the value goes to both browsers. */
enum media_mode { MODE_DIRECT, MODE_RELAY, MODE_ANCHOR };
const char *media_mode_name(enum media_mode mode);
const char *call_state_name(enum call_state state);

/** Makes a call for the incoming leg `a` (its op calls this when its party calls). Takes one more
 *  reference of `a` and one of `invite`, fills invite->call_id, and starts routing from the loop, not
 *  from inside (rule 1 of leg.h): the leg gets its first op later, and exactly one of answer or end.
 *  The caller has checked who is calling; the call checks limits, the SDP and where it goes.
 *  `account` is the calling user here, or NULL when the call came by SIP; `peer` is then the proved
 *  domain.  Errors: ENOMEM; ENOSPC (calls in all, or per user or peer), ECANCELED (stopping),
 *  EAGAIN (calls a minute), EBADMSG (unusable SDP; in direct mode also one that is not WebRTC, see
 *  sdp_facts.webrtc; later offers and answers are held to the same), ENOENT (invite->replaces: its call is not
 *  established; or invite->rejoins is not there any more), EOPNOTSUPP (that one cannot be replaced), EBUSY (another call is taking its place already): the
 *  leg refuses its party itself, *callp untouched. */
int call_alloc(struct call **callp, struct core *core, struct leg *a,
	       struct invite *invite, const struct addr *account, const char *peer);

/** The half of `user` in the established call `id`, to be put into invite->replaces; never that of the device
 *  `but`, which has the call already. NULL: there is none. */
struct leg *call_replace_find(const struct core *core, const char *id,
			      const struct addr *user, const char *but);

/** May the party of `leg` press keys by LEG_KEYS? Whoever is at the other end of its established call takes them so. */
bool call_takes_keys(const struct leg *leg);

/** May an established call be replaced at all? Not one with a telephone. */
bool call_replace_may(const struct call *old);

/** The call `id` that a killed process has left, if `user` had it with `to`, to be put into invite->rejoins. NULL:
 *  there is none. */
struct kept_call *call_rejoin_find(const struct core *core, const char *id,
				   const struct addr *user, const struct addr *to);
/** The same, for `user` at another site: by the dialog, as store_call has it. */
struct kept_call *call_rejoin_find_dialog(const struct core *core, const char *dialog,
					  const struct addr *user, const struct addr *to);

/** Ends it from outside (slussctl, shutdown): both sides are told `cause`. */
void call_end(struct call *call, const struct cause *cause);
/** A device has come online (after registry_add): it rings too for calls to its user that ring now. */
void call_device_online(struct core *core, struct device *device);
struct call *call_find(const struct core *core, const char *id);

/* read only, for logs, slussctl and legs */
const char *call_id(const struct call *call);
enum call_state call_state(const struct call *call);
enum media_mode call_media_mode(const struct call *call);
const struct invite *call_invite(const struct call *call);
struct leg *call_leg_a(const struct call *call);
/** The winner, or the only one, or NULL. */
struct leg *call_leg_b(const struct call *call);
uint64_t call_age_s(const struct call *call);
/** The party at the other end of `leg`, as far as it is known: for a B leg the caller; for the A leg
 *  the callee as dialled (name empty until known). */
const struct party *call_other_party(const struct leg *leg);

/** Of an emergency number: no limit holds it up. */
bool call_is_emergency(const struct call *call);
/** Who calls, as far as the caller's identity provider is concerned; NULL: nobody vouches. Borrowed. */
const struct identity_person *call_caller(const struct call *call);
/** Does the far side encrypt to the browser's own key? "claimed" in direct mode, "to-gateway" when the media
 *  end in this daemon. */
const char *call_encryption_name(const struct call *call);

#endif
