/* webrtc/media/agent.h - a full ICE agent (RFC 8445) for one data stream of one component: the check list, its
 * pace, roles, nomination, consent (RFC 7675). Pure but for its sending handler; the clock is the caller's.
 *
 *   candidates ─► pairs ─ agent_tick(): a check every 50 ms at most ─► agent_reply(): valid, selected
 *   a check of the peer's ─► agent_checked(): triggered check, a new pair, 487, selected
 *
 * A base is a socket of ours; which addresses it is reached by does not matter here. */
#ifndef SLUSS_WEBRTC_MEDIA_AGENT_H
#define SLUSS_WEBRTC_MEDIA_AGENT_H

#include "gateway/media.h"
#include "webrtc/media/binding.h"

enum {
	AGENT_BASES_MAX = MEDIA_ADDRS_MAX,
	AGENT_REMOTES_MAX = 32, /**< candidates of the peer; more are not checked */
	AGENT_PRFLX_MAX = 8,    /**< of these, such as only its checks have shown */
	AGENT_PAIRS_MAX = 64,
	AGENT_REQUEST_MAX = 512 /**< bytes of a check */
};

typedef void(agent_send_h)(unsigned base, const struct sa *to, const uint8_t *p, size_t n,
			   void *arg);

struct agent_setup {
	bool controlling;
	uint64_t tie_breaker;
	size_t n_bases;
	int afv[AGENT_BASES_MAX];
	struct binding_codec *codec; /**< outlives it */
	agent_send_h *send_h;
	void *arg;
};

struct agent;
/** Errors: ENOMEM. */
int agent_alloc(struct agent **ap, const struct agent_setup *setup);
/** What both sides go by from now on. `restart`: another generation: its pairs are forgotten, but the selected
 *  one serves, and its consent is asked for with the old names, until a new one is selected (§9). `lite`: the
 *  peer is, so that we are controlling (§6.1.1). */
void agent_describe(struct agent *a, const char *ufrag, const char *peer_ufrag,
		    const char *peer_pwd, bool lite, bool restart);
/** A candidate of the peer's; again: nothing. */
void agent_candidate(struct agent *a, const struct sa *addr, uint32_t priority);

/** What has come of it; bits. */
enum {
	AGENT_VALID = 1, /**< that address has answered a check: packets may go there */
	AGENT_SELECTED = 2, /**< … and they go there from now on */
	AGENT_CONSENT = 4,  /**< the selected address has said yes again */
	AGENT_CONFLICT = 8  /**< the check is to be answered with 487 (§7.3.1.1) */
};
/** A check of the peer's whose integrity is proved; it is answered by the caller. */
unsigned agent_checked(struct agent *a, unsigned base, const struct sa *from,
		       const struct binding *b, uint64_t now_ms);
/** A response, from anybody: nothing counts that no check of ours has asked for, or without its integrity. */
unsigned agent_reply(struct agent *a, unsigned base, const struct sa *from,
		     const uint8_t *p, size_t n, uint64_t now_ms);
/** Sends what is due: one check, and now and then one for consent. */
void agent_tick(struct agent *a, uint64_t now_ms);
/** When it wants the next tick; UINT64_MAX: not. */
uint64_t agent_next_ms(const struct agent *a, uint64_t now_ms);

bool agent_controlling(const struct agent *a);
/** Checks sent since it was made. */
uint32_t agent_n_sent(const struct agent *a);

#endif
