/* sip/room.h - inside the SIP room: what its files share, and the map of the room. Signalling thread.
 *
 *   sip.c            the door: starts and stops edge and agent, federation ops, edge events
 *   agent.c          NTA's agent; requests outside of dialogs; responses that no transaction knows
 *   udp.c            UDP listeners: nobody is proved there, so everybody is refused
 *   trust.c          who is calling, and may they; which refusal is due
 *   headers.c        every outgoing request and response is written here; reason.c: words in headers
 *   peers.c          what is known of each peer domain
 *   leg.c            the SIP leg: its life, the ops of gateway/leg.h; leg_fsm.c is its table
 *   identity.c       our signature on what goes out (gateway/identity.h)
 *   newcomer.c       an INVITE whose signature is being judged, before it is a call
 *   leg_in.c         a call from a peer: the answers to its INVITE
 *   leg_out.c        a call to a peer: INVITEs, one target after the other
 *   replaces.c       calls that take the place of established ones
 *   fork.c           the dialogs that one INVITE makes: early, winning, superfluous
 *   dialog.c         requests inside a dialog: BYE, INFO, OPTIONS, …
 *   reoffer.c        our new offers inside a dialog (re-INVITE, UPDATE); reoffer_in.c the peer's
 *   trickle*.c ask.c trickle ICE and who knows it (trickle.h)
 *   watch.c          is the other site of an established call still there?
 *   trunk*.c digest.c   telephone systems and providers (trunk.h)
 *   session_timer.c  RFC 4028: sessions that die when nobody refreshes them                      */
#ifndef SLUSS_SIP_ROOM_H
#define SLUSS_SIP_ROOM_H

#include "gateway/call.h"
#include "gateway/core.h"
#include "sip/edge/edge.h"
#include "sip/joint.h"
#include "sip/sip.h"
#include "sip/sofia.h"

struct peers;
struct sip_try;
struct trunk;
struct trunks;
struct udp_joint;

enum {
	SIP_MIN_SE_S = 90,     /* RFC 4028 §5: never smaller */
	SIP_T1X64_MS = 32000,  /* RFC 3261 §17: T1 500 ms, 64 times */
	SIP_BRANCH_BYTES = 40, /* "z9hG4bK" and 32 hex digits */
	SIP_TAG_HEX = 16,
	SIP_CALL_ID_BYTES = 48,
	SIP_VIA_MAX = 70,   /* more Via lines than hops allowed: a loop */
	SIP_TRIES_MAX = 16, /* INVITEs for one call, over all targets */
};

struct sip {
	struct core *core;
	struct edge *edge;
	struct loop_mailbox *events; /* struct edge_event, from the edge's thread */
	char secret[JOINT_SECRET_HEX + 1];
	nta_agent_t *agent; /* on the joint; all that is proved comes by it */
	struct list udp;    /* struct sip_udp: outside, proves nothing */
	struct list legs;   /* struct sip_leg; those under way are held */
	struct list tries;  /* struct sip_try, the same; they outlive their legs */
	struct hash *tries_call_id; /* the same ones by Call-ID, for late answers */
	struct hash *tries_token;   /* … and by token, for edge events */
	struct peers *peers;
	struct trunks *trunks;       /* NULL: there are none */
	struct udp_joint *udp_joint; /* NULL: none of them is reached by UDP */
	struct list newcomers;       /* INVITEs whose Identity is being judged */
	struct list asks;            /* struct sip_ask: OPTIONS under way */
	struct list watches;         /* struct sip_watch: sites that may be away */
	uint64_t last_token;
	char contact_port[8]; /* ":5062", or empty when it is 5061 */
	bool edge_started, edge_stopped, stopping;
	enum { STOP_NOT, STOP_LEGS, STOP_EDGE } stop_step;
	struct timer stop_timer, last_words;
	void (*stop_h)(void *arg);
	void *stop_arg;
};

/** What each request of a leg tells the edge, and the Contact it carries; counted. */
struct sip_hop {
	struct sip *sip;
	char site[ADDR_HOST_MAX + 1]; /* ours: whose certificate is shown */
	char domain[ADDR_HOST_MAX +
		    1]; /* the peer's: where it goes, what it must prove */
	char contact[ADDR_HOST_MAX + 64];
	struct trunk *trunk; /* NULL: a site; else `domain` is its name */
	unsigned at;         /* which of its addresses */
};
int sip_hop_alloc(struct sip_hop **hp, struct sip *sip, const char *site,
		  const char *domain);

/* agent.c */
int sip_agent_start(struct sip *sip, char **whyp);
void sip_agent_stop(struct sip *sip);
uint16_t sip_agent_port(const struct sip *sip);
/** Opens Sofia's transport by UDP, on loopback. Errors: EADDRNOTAVAIL. */
int sip_agent_udp_start(struct sip *sip);
uint16_t sip_agent_udp_port(const struct sip *sip);

/* sip.c */
/** Some work has ended: is it time to go on with stopping? */
void sip_work_done(struct sip *sip);

#endif
