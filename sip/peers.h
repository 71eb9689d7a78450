/* sip/peers.h - what is known of each peer domain, for slussctl and the limits. Signalling thread. */
#ifndef SLUSS_SIP_PEERS_H
#define SLUSS_SIP_PEERS_H

#include "gateway/addr.h"
#include "gateway/config.h"
#include "lib/base.h"

struct peers;

enum { PEERS_MAX = 4096 };

/** Errors: ENOMEM. */
int peers_alloc(struct peers **pp);
/** The edge says how it stands with a domain. */
void peers_edge(struct peers *p, const char *domain, bool up, unsigned n_conns,
		const char *why);
/** A call with the domain begins or ends (`by` 1 or -1). */
void peers_call(struct peers *p, const char *domain, int by);
/** How many connections prove it, as far as the edge has told. */
unsigned peers_conns(const struct peers *p, const char *domain);
unsigned peers_calls(const struct peers *p, const char *domain);
/** Remembers why a call could not go there; NULL: it went well. */
void peers_error(struct peers *p, const char *domain, const char *why);
/** What the domain last said of itself: does it know trickle ICE? A yes is remembered for a day, a no for an
 *  hour: a site that learns it need not wait long. */
void peers_trickle_set(struct peers *p, const char *domain, bool yes, uint64_t now_us);
/** AUTO: nothing is known (any more). */
enum trickle peers_trickle(const struct peers *p, const char *domain, uint64_t now_us);
/** state: "up", "down" or "idle" (no connection, and no error since). Oldest first. */
void peers_each(const struct peers *p,
		void (*h)(const char *domain, const char *state, unsigned n_conns,
			  unsigned n_calls, const char *last_error, void *arg),
		void *arg);

#endif
