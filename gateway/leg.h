/* gateway/leg.h - one party's half of a call, and what can make one. Thread: signalling only.
 *
 * The core declares this; webrtc/session/ (browser leg), sip/ (SIP leg) and tests/fake/ implement it.
 *
 *     party ──► leg ── call_leg_event() ──► call          what the party did
 *     party ◄── leg ◄───── leg->ops ─────── call          what the call wants done
 *
 * Rules. (1) An op never calls call_leg_event() for its own leg before it returns: what fails at once
 * is returned, what fails later is an event from the loop. (2) LEG_ENDED is the last event of a leg,
 * and there is none after ops->end(). (3) The call holds one reference from call_alloc() or
 * endpoint->leg_alloc() until after LEG_ENDED or ops->end(); a leg that has work left (BYE, retries)
 * keeps a reference of its own. (4) Offer and answer (RFC 3264): at most one offer is open between
 * call and leg in either direction; the initial offer is the invite's. (5) What an op's errno tells the
 * other side: ENOSPC limit, ENOTCONN lost (before the invite: offline, unreachable), EBADMSG media (its
 * party cannot be given that body), EBUSY glare, ESHUTDOWN shutdown, all else internal. */
#ifndef SLUSS_GATEWAY_LEG_H
#define SLUSS_GATEWAY_LEG_H

#include "gateway/addr.h"
#include "gateway/candidates.h"
#include "gateway/cause.h"
#include "gateway/leg_media.h"
#include "lib/base.h"

struct call;
struct kept_call;
struct site;
struct leg;

/** A session description or other body, immutable, counted (mem_ref), one thread at a time. */
struct body {
	size_t len;
	bool webrtc_ok; /**< sdp_check() has found that it is one for browsers, within the limits: once is enough */
	/** an SDP that is not complete: its party's candidates follow (RFC 8838). Set by who made it,
	 *  before anybody else has it */
	bool trickle;
	char data[]; /**< `len` bytes and a NUL behind */
};
/** Errors: ENOMEM. */
int body_alloc(struct body **bp, const void *p, size_t len);

/** What a signature on the call (RFC 8224) came to. */
enum party_identity {
	PARTY_UNSIGNED, /**< none that is understood */
	PARTY_SIGNED, /**< the domain, or the authority of a telephone number, vouches for caller and media keys */
	PARTY_DOUBTED, /**< there is one, and it could not be verified */
};
const char *party_identity_name(enum party_identity identity);

/** Who is at the far end of a leg, as the callee is told. */
struct party {
	struct addr addr;
	char name[128]; /**< display name, cleaned; may be empty; nobody vouches for it */
	bool site_verified; /**< the calling site proved its domain, by TLS, by a signature, or being this daemon */
	bool site_tls; /**< … by the certificate of the connection */
	enum party_identity identity;
	uint32_t judged_ms; /**< how long that took, before the call was made */
	char **identityv; /**< SIP Identity header values as they came, untouched; NULL ended; may be NULL */
	struct addr
		diverted; /**< whose call it was before it was diverted, as a trunk says (RFC 5806); user empty: not said */
};

/** What an incoming leg brings and an outgoing leg takes. Owned by the call; immutable. */
struct invite {
	char call_id[17]; /**< ours, 16 hex digits, joins both sides in the logs */
	struct party from;
	struct addr to; /**< as dialled */
	/** SDP; offer->trickle: its candidates follow. NULL only in that of an incoming leg that is not LEG_WEBRTC: it
	 *  wants an offer, and gets it by its `answer` op; its own answer comes as LEG_ANSWER */
	struct body *offer;
	/** to write on the wire: already less one where it came from SIP */
	unsigned max_forwards;
	/** The caller's half of an established call whose place this one takes (RFC 3891), or NULL.
	 *  Set before call_alloc(), which refuses what cannot be replaced; a reference is held until the
	 *  new call is established or over */
	struct leg *replaces;
	/** The other half of it, set by call_alloc(): what an outgoing leg takes the place of. It names
	 *  that to its party in its own terms, and rings nobody else */
	struct leg *replaced;
	/** The call that a killed process has left and that this one joins again (call_rejoin_find()), or
	 *  NULL. It is for the other party of that call and rings nobody else; an outgoing leg names that
	 *  call's dialog to its party. Set before call_alloc(), which may refuse it; a reference is held */
	struct kept_call *rejoins;
};
/** Errors: ENOMEM. Copies the strings, takes a reference of the body. */
int invite_alloc(struct invite **invp, const struct party *from, const struct addr *to,
		 struct body *offer, unsigned max_forwards);
/** The same call with another offer, for its outgoing legs. Errors: ENOMEM. */
int invite_copy(struct invite **invp, const struct invite *from, struct body *offer);

enum leg_dir { LEG_IN, LEG_OUT };

enum leg_event_type {
	/** out: the party is being alerted (a device said so; 180/183) */
	LEG_RINGING,
	/** out: the party is being alerted, and a trunk has described its media already (183); body. What follows
	 *  may differ, and LEG_ANSWER comes all the same */
	LEG_EARLY,
	/** out: the party took the call; its answer follows (browser only) */
	LEG_ACCEPTED,
	/** body: answers the offer that is open towards this leg; the first one on an outgoing leg
	 *  means the call is established */
	LEG_ANSWER,
	/** body: a new offer in the established call */
	LEG_OFFER,
	/** cause: the offer that is open towards this leg was refused; call unchanged */
	LEG_OFFER_REFUSED,
	/** candidates: for the description that this leg's party gave last (before the answer: the
	 *  incoming leg only). They are told once each, in their order */
	LEG_CANDIDATES,
	/** cause: the party has taken back its LEG_OFFER, which has no answer yet, and wants none */
	LEG_OFFER_WITHDRAWN,
	/** away: the party's site is out of reach, or has forgotten the call; or it is there again.
	 *  The call goes on, and so does its sound: nothing can be asked of that party meanwhile */
	LEG_AWAY,
	/** A trunk asks for an offer of ours in the established call (re-INVITE without one): what the `answer` op
	 *  gives then is that offer, and the trunk's answer comes as LEG_ANSWER */
	LEG_LATE,
	/** keys: pressed by this leg's party, and told beside its media */
	LEG_KEYS,
	/** cause: refused, cancelled, hung up, lost. Last event */
	LEG_ENDED,
	LEG_EVENT_N
};
struct leg_event {
	enum leg_event_type type;
	struct body *body;                   /**< borrowed for the time of the call */
	const struct cause *cause;           /**< borrowed */
	const struct candidates *candidates; /**< borrowed */
	const char *keys;                    /**< borrowed; 0-9 A-D * # */
	bool away;
};

struct leg_ops {
	const char *kind; /**< "browser", "sip", "echo" */
	/** LEG_OUT, once: start. Errors: any errno value: never started, no event will come. */
	int (*invite)(struct leg *leg, const struct invite *invite);
	/** LEG_IN, before the answer: the callee is being alerted. */
	void (*ringing)(struct leg *leg);
	/** LEG_IN, before the answer: the callee has accepted, the answer follows. */
	void (*accepted)(struct leg *leg);
	/** In the established call: the other party has pressed these keys (0-9 A-D * #). NULL: its party takes keys as
	 *  telephone-event alone */
	void (*keys)(struct leg *leg, const char *keys);
	/** LEG_IN, before the answer: what the callee's side lets its caller hear already. NULL: it cannot be told */
	void (*early)(struct leg *leg, struct body *answer);
	/** The answer to the offer that this leg's party made (the invite's or a LEG_OFFER). Where that party
	 *  offered nothing (invite->offer NULL, LEG_LATE) it is our offer, and its answer comes as LEG_ANSWER. */
	int (*answer)(struct leg *leg, struct body *answer);
	/** A new offer to this leg's party, in the established call. Errors: EBUSY: an offer of this
	 *  party's own is on its way (glare); the call refuses the other side with CAUSE_GLARE. */
	int (*offer)(struct leg *leg, struct body *offer);
	/** Refuses the party's LEG_OFFER; the call goes on as it was. */
	void (*offer_refuse)(struct leg *leg, const struct cause *cause);
	/** Candidates of the other side, for the description that this leg was given last; for an
	 *  outgoing leg that still rings: the caller's, all that were found so far come right after the
	 *  invite. What cannot be delivered is dropped: ICE lives without. */
	void (*candidates)(struct leg *leg, const struct candidates *c);
	/** In the established call: the dialog with the party's site, as kept_call has it. Gives false
	 *  when there is none, or it does not fit. NULL: the party is here */
	bool (*dialog)(const struct leg *leg, char *buf, size_t size);
	/** What LEG_AWAY said of the other party. NULL: its party does not hear of it */
	void (*away)(struct leg *leg, bool away);
	/** Takes back the offer that is open towards this leg's party: no LEG_ANSWER and no
	 *  LEG_OFFER_REFUSED comes to it any more, and both sides go on as before. */
	void (*offer_withdraw)(struct leg *leg);
	/** Ends it whatever its state: refuses, cancels or says goodbye. Safe in every state. */
	void (*end)(struct leg *leg, const struct cause *cause);
};

/** Embedded first in the implementation's struct. */
struct leg {
	const struct leg_ops *ops;
	enum leg_dir dir;
	struct call *call; /**< not owned; NULL after LEG_ENDED or end */
	struct le le;      /**< in the call's list of outgoing legs */
	/** What its party speaks; set by who makes the leg */
	enum leg_media media;
	/** Its media end in this daemon, which could hear them: a leg of ours is at the other end */
	bool anchored;
	/** Its party tells and takes keys beside its media: there are no telephone-events in the call */
	bool keys_apart;
	/** Where its party sees our media (path.h) */
	struct sa seen;
	/** LEG_OUT: filled when known (an answer names its device's user) */
	struct party remote;
	/** Names it in logs and slussctl: its device's whole id (a device does not ring for its own
	 *  call: the call compares), or the domain "beta.example". */
	char tag[40];
};

/** Something that can be called: a device, or a federated domain. Embedded first, like the leg. */
struct endpoint;
struct endpoint_ops {
	/** Makes an outgoing leg, not started. Errors: ENOMEM, ENOSPC (a limit), ENOTCONN. */
	int (*leg_alloc)(struct leg **legp, struct endpoint *ep, struct call *call);
};
struct endpoint {
	const struct endpoint_ops *ops;
};

/** The leg's only way to the call; a leg that has no call any more is ignored. */
void call_leg_event(struct leg *leg, const struct leg_event *ev);

#endif
