/* webrtc/media/agent_own.h - private to agent.c (pairs, roles, nomination) and agent_send.c (when what is sent). */
#ifndef SLUSS_WEBRTC_MEDIA_AGENT_OWN_H
#define SLUSS_WEBRTC_MEDIA_AGENT_OWN_H

#include "webrtc/media/agent.h"

/** RFC 8445 §6.1.2.6. With one component nothing is worth being frozen for: what can wait waits. */
enum pair_state {
	PAIR_FREE,
	PAIR_WAITING,
	PAIR_IN_PROGRESS,
	PAIR_SUCCEEDED,
	PAIR_FAILED
};

struct remote {
	struct sa addr;
	uint32_t priority;
	bool prflx;
};

struct pair {
	enum pair_state state;
	unsigned base;
	size_t remote;
	uint64_t priority;
	bool use_candidate; /**< its check nominates */
	bool asked; /**< controlled: the peer has nominated it, its own check is missing */
	uint32_t triggered; /**< place in the triggered-check queue; 0: not in it */
	uint8_t tid[STUN_TID_SIZE];
	bool as_controlling; /**< what its check said of our role */
	unsigned n_sent;
	uint64_t due_ms; /**< in progress: when it is repeated or fails */
};

struct names {
	char name[ICE_UFRAG_MAX + 1 + MEDIA_UFRAG + 1]; /**< "theirs:ours" */
	char pwd[MEDIA_PWD_MAX + 1];                    /**< theirs */
};

enum { CONSENTS = 4 };

/** Where packets go. */
struct selected {
	bool is, old; /**< old: of the generation before */
	unsigned base;
	struct sa addr;
	uint32_t priority;
	uint64_t consent_ms;                   /**< when the next is asked for */
	uint8_t tidv[CONSENTS][STUN_TID_SIZE]; /**< the last that were */
	unsigned n_tids;
	uint64_t heard_ms;
	uint64_t doubt_ms; /**< another address has answered since; 0: no doubt */
};

struct agent {
	struct agent_setup setup;
	bool controlling, described, lite;
	struct names now, before;
	size_t n_remotes, n_prflx;
	struct remote remotev[AGENT_REMOTES_MAX];
	struct pair pairv[AGENT_PAIRS_MAX];
	uint32_t n_triggered;
	uint64_t next_ms; /**< Ta: no check before that */
	uint64_t
		valid_ms; /**< the first pair of this generation has succeeded; 0: none */
	struct pair *nominating;
	struct selected selected;
	uint32_t n_sent;
};

enum {
	TA_MS = 50,   /* RFC 8445 §14.2 */
	RTO_MS = 500, /* §14.3 */
	RC = 7,
	RM = 16,                /* RFC 8489 §6.2.1 */
	NOMINATE_WAIT_MS = 200, /* so long a better pair may still succeed */
	CONSENT_MS = 5000,      /* RFC 7675 §5.1, times 0.8 to 1.2 */
	DOUBT_CONSENT_MS =
		250,    /* while another address of the peer's answers: four of them, */
	DOUBT_MS = 1000 /* and none is answered: the peer has moved */
};

/* agent.c */
struct pair *agent_pair(struct agent *a, unsigned base, size_t remote);
/** Puts it into the triggered-check queue (§6.1.4.1), anew from the first transmission. */
void agent_trigger(struct agent *a, struct pair *p);
/** As the controlling agent: is it time to nominate, and which? */
void agent_nominate(struct agent *a, uint64_t now_ms);

#endif
