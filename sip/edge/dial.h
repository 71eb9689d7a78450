/* sip/edge/dial.h - a request on its way out: finding the targets, trying them in order,
 * fail-over.
 *
 * A `struct trip` carries the bytes of one request until some connection has taken them.
 * Connections are shared; several trips may wait for one that is being dialled. Edge
 * thread. RFC 3263 §4.3, RFC 5922 §4. */
#ifndef SLUSS_SIP_EDGE_DIAL_H
#define SLUSS_SIP_EDGE_DIAL_H

#include "sip/edge/backoff.h"
#include "sip/edge/conn.h"
#include "sip/edge/resolver.h"

struct dialler;
struct trip;

struct trip_want {
	const char *site;   /**< whose certificate to show; lives longer than the trip */
	const char *domain; /**< what the target must prove */
	const char *host;   /**< what it may prove instead; NULL: nothing else */
	const char *name;   /**< what to resolve; NULL: `fixed` is the only target */
	uint16_t port;      /**< with `name`; 0: none in the URI */
	struct sa fixed;
	bool tls;
	const char *skip; /**< '/'-separated targets not to try */
};
struct trip_ops {
	/** The bytes were written to `c`, `spent_ms` after this target's turn began: what
	 *  connecting and the handshake took. The trip is gone. */
	void (*sent)(struct conn *c, uint32_t spent_ms, void *arg);
	/** No target is left; why it is, in words. The trip is gone. */
	void (*failed)(const char *why, void *arg);
	/** One target could not be used. */
	void (*target_failed)(const char *target, const char *why, void *arg);
};

/** Errors: ENOMEM. */
int dialler_alloc(struct dialler **dp, struct timers *timers, struct conns *conns,
		  struct resolver *resolver, const struct config *config);
/** Sets out. One of ops->sent and ops->failed is called once, perhaps before this
 *  returns; *tp has been set before that. Owns: `bytes` and `arg` (both libre objects)
 *  are taken over and go with the trip. trip_cancel() stops it without a call. Errors:
 *  ENOMEM (nothing was called, nothing taken). */
int trip_start(struct trip **tp, struct dialler *d, const struct trip_want *want,
	       struct mbuf *bytes, const struct trip_ops *ops, void *arg);
void trip_cancel(struct trip *t);
/** What the connections report. */
void dialler_on_open(struct dialler *d, struct conn *c);
void dialler_on_fail(struct dialler *d, struct conn *c);
size_t dialler_count(const struct dialler *d);

#endif
