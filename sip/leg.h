/* sip/leg.h - inside the SIP leg: its struct, and what its files offer each other. Signalling thread.
 *
 * A leg is freed when both are through with it: the call (its reference) and the room (one
 * reference from the first message to the last, `held`). Freeing happens from the loop, never inside
 * a callback of NTA's. Back pointers (try -> leg) are cleared, not owned. */
#ifndef SLUSS_SIP_LEG_H
#define SLUSS_SIP_LEG_H

#include "gateway/identity.h"
#include "gateway/leg.h"
#include "sip/headers.h"
#include "sip/leg_fsm.h"
#include "sip/loop.h"
#include "sip/session_timer.h"
#include "sip/trickle.h"

/** Where an offer inside the dialog stands (RFC 3264 §4, RFC 3261 §14). */
enum offer_state {
	OF_QUIET,
	OF_LOCAL_WAITS, /* the call's offer waits until an INVITE can be sent */
	OF_LOCAL,       /* the call's offer is with the peer (re-INVITE) */
	OF_REMOTE,      /* the peer's offer is with the call */
	OF_REFRESH,     /* a refresh of ours is with the peer; no offer of the call's */
	OF_ANSWERED,    /* we have answered the peer's re-INVITE and wait for the ACK */
};

struct reoffer {
	enum offer_state state;
	nta_outgoing_t *out;           /* our re-INVITE or refreshing UPDATE */
	struct identity_wait *sign;    /* … which will go when it is signed */
	struct body *unsent;           /* … with this description */
	nta_incoming_t *in;            /* the peer's re-INVITE or UPDATE */
	struct identity_wait *verify;  /* … whose Identity is being judged */
	struct body *sdp;              /* the offer that is open */
	char branch[SIP_BRANCH_BYTES]; /* of `out` */
	bool out_is_update, withdrawn; /* both say something about `out` */
	unsigned n_failed;             /* refreshes one after the other */
	bool late;                     /* `in` asks for an offer of ours (trunks) */
	bool challenged;               /* `out` is the answer to a challenge */
	struct timer timeout;          /* an offer or a refresh of ours is unanswered */
	struct timer dead;             /* a withdrawn one still has no final answer */
};

struct sip_leg {
	struct leg leg; /* first */
	struct le le;   /* in sip->legs, from its making to its release */
	struct sip *sip;
	struct sip_hop *hop;
	struct invite *invite;
	enum sip_leg_state state;
	bool held, counted;
	/** LEG_IN: a signature proved the peer, its connection shows no certificate. What comes in the dialog over
	 *  such a connection is the peer's as long as it knows the dialog's tags, which only TLS has seen */
	bool by_signature;
	struct cause cause; /* why it ends */
	struct timer guard, release;
	struct body *local_sdp, *remote_sdp; /* as agreed last */

	/* trickle ICE */
	bool peer_trickle;           /* the peer knows it, or is required to */
	struct sip_trickle *trickle; /* the dialog's; NULL: none yet */
	struct sip_ours ours;
	struct sip_half half;
	struct sip_keys {
		nta_outgoing_t *info; /* one at a time */
		char waiting[65];
	} keys; /* trunk_keys.c */

	/* LEG_IN */
	nta_incoming_t *irq; /* the INVITE, until its ACK or refusal */
	nta_reliable_t *rel; /* the 180, until its PRACK */
	struct timer trying; /* until a 100 is due */
	bool late; /* a trunk's INVITE without a description: ours is an offer */

	/* LEG_OUT */
	struct sip_try *attempt; /* the INVITE that counts */
	struct body
		*offer; /* what it carries: the invite's, or that with its candidates */
	unsigned n_tries, n_challenges;
	char skip[JOINT_SKIP_MAX];
	struct cause failure; /* why the last target was no use; reason NONE: none yet */
	struct body *answer;  /* the winner's, between the table's event and its action */

	/* the dialog */
	nta_leg_t *dialog;
	struct addr us,
		them; /* as From and To of our requests name us; us.user empty: nobody of ours */
	nta_outgoing_t *bye;
	bool bye_again;        /* it was challenged, and went out once more */
	nta_outgoing_t *probe; /* watch.c: does the peer still know the dialog? */
	bool away;             /* it does not, or is out of reach; the call knows */
	bool peer_update;      /* the peer takes UPDATE, or has not said; a 405 says no */
	struct reoffer ro;
	struct session_timer st;
};

/* leg.c */
int sip_leg_alloc(struct sip_leg **lp, struct sip *sip, enum leg_dir dir,
		  const char *site, const char *domain);
/** To or from a trunk. Errors: ENOMEM, ENOTCONN. */
int sip_leg_alloc_trunk(struct sip_leg **lp, struct trunk *t, enum leg_dir dir);
/** Runs the table. `cause` is remembered by the events that end the leg; NULL keeps the last one. */
void sip_leg_event(struct sip_leg *leg, enum sip_leg_event event,
		   const struct cause *cause);
/** The room keeps it from now on, until it is released. */
void sip_leg_hold(struct sip_leg *leg);
/** The call id for the log, or NULL. leg may be NULL: a try outlives its leg. */
const char *sip_leg_call(const struct sip_leg *leg);
/** Tells the call. */
void sip_leg_tell(struct sip_leg *leg, enum leg_event_type type, struct body *body,
		  const struct cause *cause);
/** Lets go of everything that NTA or a timer could call back for; what is left is inert. */
void sip_leg_close(struct sip_leg *leg);
/** LEG_ENDED to the call and goodbye to the peer, whatever the state: the room is closing. */
void sip_leg_shutdown(struct sip_leg *leg);
void sip_leg_sdp_set(struct body **dst, struct body *src);
/** The SDP of a message, NULL when it has none. Errors: ENOMEM. */
int sip_leg_sdp_read(struct body **bp, const sip_t *s);
extern const struct leg_ops sip_leg_ops;

/* identity.c: our signature on what we send (RFC 8224) */
/** Asks for it: `from` (our user) calls `to` with `sdp`. `h` runs from the loop, see gateway/identity.h.
 *  Errors: ENOKEY: it may go at once, without. */
int sip_identity_sign(const struct sip_leg *leg, struct identity_wait **wp,
		      const struct addr *from, const struct addr *to,
		      const struct body *sdp, identity_signed_h *h, void *arg);
/** A whole header line "Identity: …", to be freed by mem_deref; NULL without signature, or out of memory. */
char *sip_identity_line(const struct identity_signed *sig);
/** Tags and lines of `own` (which goes over to linev; may be NULL) and of the values that came with the invite, `max` of
 *  both with their ends. These travel as they came: one that could break a header does not travel at all. Owns: the
 *  lines are the caller's. */
void sip_identity_tags(tagi_t tags[], size_t max, char **linev, char *own,
		       char *const *identityv);
/** Has the Identity of a request judged. Errors: those of gateway/identity.h; EINVAL. */
int sip_identity_verify(struct sip *sip, struct identity_wait **wp, const sip_t *s,
			identity_judged_h *h, void *arg);
/** Is a request in the leg's dialog, or an ACK or CANCEL of its INVITE, the peer's? */
bool sip_leg_trusts(const struct sip_leg *leg, const sip_t *s);

/* newcomer.c: INVITEs whose Identity is being judged, before there is a leg */
/** Owns: irq. `h` runs when the verdict is there, and takes irq over. Errors: ENOMEM, ENOSPC: irq is the caller's. */
typedef void(sip_newcomer_h)(struct sip *sip, nta_incoming_t *irq, const sip_t *s,
			     const struct joint *j, const struct identity_verdict *v);
int sip_newcomer_alloc(struct sip *sip, nta_incoming_t *irq, const sip_t *s,
		       const struct joint *j, sip_newcomer_h *h);

/* leg_in.c */
/** A new INVITE that passed trust_shape(); owns irq. */
void sip_leg_in_invite(struct sip *sip, nta_incoming_t *irq, const sip_t *s,
		       const struct joint *j);
void sip_leg_in_ringing(struct sip_leg *leg);
int sip_leg_in_accept(struct sip_leg *leg, struct body *answer);
void sip_leg_in_refuse(struct sip_leg *leg);

/* replaces.c: calls that take the place of established ones (RFC 3891) */
struct replaced {
	struct sip_leg *leg;    /* of a call that goes on */
	struct kept_call *kept; /* or one that a killed process has left */
};
/** Whose place this INVITE wants to take; neither: nobody's. Gives 0 or the status of the refusal.
 *  `from` and `to` are proved and ours. */
unsigned sip_replaces_judge(struct refusal *r, struct replaced *old, struct sip *sip,
			    const sip_t *s, const struct party *from,
			    const struct addr *to);
/** The Replaces header for the invite, or NULL: it takes the place of none, or of one that has ended. Owns: `home`. */
sip_replaces_t *sip_replaces_of(su_home_t *home, const struct sip *sip,
				const struct invite *invite);
/** leg_ops.dialog: its text in store_call. */
bool sip_replaces_print(const struct leg *l, char *buf, size_t size);

/* watch.c */
/** A connection of this domain has opened, or one is gone and `n_conns` are left. */
void sip_watch_peer(struct sip *sip, const char *domain, bool up, unsigned n_conns);

/** The peer has said something in the dialog, and proved who it is: it knows the call. */
void sip_watch_heard(struct sip_leg *leg);

/* leg_out.c */
int sip_leg_out_invite(struct sip_leg *leg, const struct invite *invite);
/** The first INVITE, with this offer. Errors: ENOMEM, EINVAL, EIO; ENOENT: the call that it is to replace has ended. */
int sip_leg_out_start(struct sip_leg *leg, struct body *offer);
/** Why it does not go, for the call. */
const struct cause *sip_leg_out_why(struct cause *c, int err);
void sip_leg_out_cancel(struct sip_leg *leg);
/** More of our candidates for every early dialog. */
void sip_leg_out_trickle(struct sip_leg *leg);
/** A response to an INVITE that NTA does not know any more. */
void sip_try_stray(struct sip *sip, const sip_t *s);
void sip_try_sent(struct sip *sip, const struct edge_event *ev);
void sip_try_failed(struct sip *sip, const struct edge_event *ev);

/* dialog.c */
/** Requests of the peer in the leg's dialog: an nta_request_f, arg the leg. */
int sip_dialog_request(void *arg, nta_leg_t *dialog, nta_incoming_t *irq, const sip_t *s);
/** The same for dialogs that are no leg's: early forks (early) and bare bases. arg is struct sip_try. */
int sip_dialog_stray(void *arg, nta_leg_t *dialog, nta_incoming_t *irq, const sip_t *s);
void sip_dialog_bye(struct sip_leg *leg);
/** Takes from a message of the peer whether it knows UPDATE; no Allow header says nothing. */
void sip_leg_peer_allows(struct sip_leg *leg, const sip_t *s);

/* reoffer.c */
int sip_reoffer_offer(struct sip_leg *leg, struct body *offer);
/** The offer that waited for its candidates has them. */
void sip_reoffer_gathered(struct sip_leg *leg, struct body *offer);
/** Takes the call's offer back: CANCEL when the peer has it; what it answers all the same is undone. */
void sip_reoffer_withdraw(struct sip_leg *leg);
/** The first INVITE is over (its ACK is there): what waited may go. */
void sip_reoffer_ready(struct sip_leg *leg);
void sip_reoffer_refresh(void *arg);
/** Is a request of ours with the peer, or about to go? */
static inline bool sip_reoffer_is_out(const struct reoffer *ro)
{
	return ro->out || ro->sign;
}
/** Nothing is open any more: forgets the offer. */
void sip_reoffer_quiet(struct sip_leg *leg);
/** Must the candidates be waited for, since the peer takes none later? */
bool sip_reoffer_must_gather(struct sip_leg *leg, const struct body *sdp);
/* reoffer_in.c */
/** The peer's INVITE or UPDATE in the dialog; owns irq. */
void sip_reoffer_request(struct sip_leg *leg, nta_incoming_t *irq, const sip_t *s);
int sip_reoffer_answer(struct sip_leg *leg, struct body *answer);
/** The same, whatever it still lacks. */
int sip_reoffer_answer_send(struct sip_leg *leg, struct body *answer);
void sip_reoffer_refuse(struct sip_leg *leg, const struct cause *cause);
/** The leg is ending: nothing of this may call back any more. */
void sip_reoffer_close(struct sip_leg *leg);

#endif
