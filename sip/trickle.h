/* sip/trickle.h - trickle ICE inside the SIP leg (RFC 8840). Signalling thread.
 *
 *   trickle.c       one dialog's candidates, both ways, as INFOs     trickle_frag.c  their body
 *   trickle_half.c  peers that do not know it: the description waits for its candidates
 *   ask.c           does a domain know it? OPTIONS before the first INVITE that must know                 */
#ifndef SLUSS_SIP_TRICKLE_H
#define SLUSS_SIP_TRICKLE_H

#include "gateway/candidates.h"
#include "gateway/leg.h"
#include "lib/timer.h"
#include "sip/room.h"

struct sip_leg;

/** Our side's: the description that the peer has or will get, and the candidates found for it. */
struct sip_ours {
	struct body *sdp;
	struct candidates *all; /* may be NULL */
	bool sent;              /* the description is on the wire */
};
/** A new description of ours; the candidates so far stay when it is of the same generation. */
void sip_ours_set(struct sip_ours *o, struct body *sdp, bool sent);
void sip_ours_clear(struct sip_ours *o);

/** One dialog's state, early or not; counted. */
struct sip_trickle;
/** Errors: ENOMEM. Owned by the fork or leg whose dialog it is; `dialog` outlives it or its close. */
int trickle_alloc(struct sip_trickle **tp, struct sip_leg *leg, nta_leg_t *dialog);
/** Both ends have the dialog now; when the peer knows trickle ICE what was found may go. NULL: nothing. */
void trickle_open(struct sip_trickle *t, bool knows);
/** More was found: goes out in one INFO with what comes in the next TRICKLE_BATCH_MS. NULL: nothing. */
void trickle_more(struct sip_trickle *t);
/** The peer has given a description: candidates that came before it may belong to it. NULL: nothing. */
void trickle_described(struct sip_trickle *t);
/** An INFO in the dialog. False: it names no package, and is for others. `t` may be NULL. */
bool trickle_info(struct sip_trickle *t, struct sip *sip, const struct sip_hop *hop,
		  nta_incoming_t *irq, const sip_t *s);
/** Nothing is sent, told or called back any more. NULL: nothing. */
void trickle_close(struct sip_trickle *t);

enum { TRICKLE_BATCH_MS = 25 };

/** Says this message that its sender knows trickle ICE? */
bool sip_knows_trickle(const sip_t *s);
/** Remembers for the domain what its message says. It came from there: trust_peer(). */
void sip_trickle_learn(struct sip *sip, const char *domain, const sip_t *s);
/** Does the domain know it? By configuration, else as learnt. */
enum trickle sip_trickle_known(const struct sip *sip, const char *domain);

/* trickle_half.c */
enum half_what { HALF_NOTHING, HALF_INVITE, HALF_ANSWER, HALF_OFFER, HALF_REANSWER };
struct sip_half {
	enum half_what what; /* what waits for its candidates */
	struct timer timer;
};
/** The description in leg->ours waits until its candidates have ended, limits.gather_s at most; then it goes on
 *  from the loop. Errors: ENOMEM. */
int sip_half_wait(struct sip_leg *leg, enum half_what what);
/** More candidates, or their end, or the peer turned out to know trickle ICE. */
void sip_half_look(struct sip_leg *leg);
/** It has waited long enough: goes on at once, with what is there. */
void sip_half_now(struct sip_leg *leg);
void sip_half_cancel(struct sip_leg *leg);

/* ask.c */
struct sip_ask;
/** Asks the leg's domain by OPTIONS unless that is under way; sip_half_look() for all who wait. */
void sip_ask(struct sip_leg *leg);

#endif
