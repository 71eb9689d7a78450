/* sip/try.h - one INVITE to one target, and the dialogs (forks) its answers make. Signalling thread.
 *
 * leg_out.c owns the tries, fork.c the forks. A try outlives the leg's interest in it: given up, or won
 * by one fork, it stays for 64*T1 to acknowledge and end what still comes (RFC 3261 §13.2.2.4). */
#ifndef SLUSS_SIP_TRY_H
#define SLUSS_SIP_TRY_H

#include "sip/leg.h"

struct sip_try {
	struct le le; /* in sip->tries, one reference */
	struct le le_call_id, le_token;
	struct sip *sip;
	struct sip_hop *hop;
	struct sip_leg *leg;        /* NULL: its answer counts no more */
	nta_leg_t *base;            /* the dialog without a remote tag */
	struct identity_wait *sign; /* until the INVITE may go */
	nta_outgoing_t *invite;     /* until its end */
	char call_id[SIP_CALL_ID_BYTES], tag[SIP_TAG_HEX + 1];
	char branch[SIP_BRANCH_BYTES];
	char *won; /* the To tag of the winner: its 2xx needs no BYE */
	uint32_t cseq;
	uint64_t token;
	char target[ADDR_HOST_MAX + 8]; /* where the edge wrote it, once it says so */
	bool edge_failed; /* the edge has named a target that was no use, and none since */
	bool progressed;  /* more than 100 has come */
	struct list forks;
	struct timer silence, linger;
};

struct sip_fork {
	struct le le; /* in try->forks */
	struct sip_try *attempt;
	nta_leg_t *dialog;
	nta_outgoing_t *tagged; /* gets the responses with this tag */
	char *tag;
	struct body *answer; /* from a reliable 18x */
	struct sip_trickle *trickle;
	bool over; /* acknowledged and ended */
};

enum { FORKS_MAX = 32 };

/* leg_out.c */
/** A response to the INVITE, by whatever way it came; `fork` when NTA knows which. May free forks. */
void sip_try_response(struct sip_try *t, const sip_t *s);

/** Its target has limits.sip_target_s from now. */
void sip_try_watch(struct sip_try *t);

/* invite.c */
/** Makes t->base, the dialog without a remote tag. Errors: ENOMEM, EINVAL. */
int sip_invite_base(struct sip_try *t, const struct invite *inv);
/** Sends it; `sig` NULL: it goes without. Errors: ENOMEM, EINVAL, EIO; ENOENT: the call that it is to replace has ended. */
int sip_invite_send(struct sip_try *t, struct sip_leg *leg,
		    const struct identity_signed *sig);

/* fork.c */
struct sip_fork *sip_fork_find(const struct sip_try *t, const char *tag);
/** The fork of this response, made when it is new. NULL: no tag, too many, no memory. */
struct sip_fork *sip_fork_get(struct sip_try *t, const sip_t *s);
/** A provisional response: PRACK when it is reliable; keeps its SDP then. */
void sip_fork_progress(struct sip_fork *f, const sip_t *s);
/** ACK to its 2xx. */
void sip_fork_ack(struct sip_fork *f, const sip_t *s);
/** BYE, once. */
void sip_fork_end(struct sip_fork *f);

#endif
