/* sip/edge/txn.h - what the edge remembers of Sofia's requests until they are over: by
 * the branch that it gave them outside. States and steps are in txn_fsm.h. Edge thread.
 * RFC 3261 §9.1, §17.1.1.3, §17.1.3. */
#ifndef SLUSS_SIP_EDGE_TXN_H
#define SLUSS_SIP_EDGE_TXN_H

#include "gateway/addr.h"
#include "lib/timer.h"
#include "sip/edge/mark.h"
#include "sip/edge/txn_fsm.h"

struct txns;
struct trip;

/** Fields may be read by the two directions; txn_step() alone moves the state. */
struct txn {
	struct le he;      /* in the table, which owns it */
	struct le pending; /* at the connection that has it, until a final */
	struct txns *txns;
	char branch[MARK_BRANCH];
	bool invite, cancel;
	enum txn_state state;
	char *via;   /**< Sofia's top Via element, to be put back */
	char *lines; /**< for a response of our own; NULL once the peer's final went by */
	size_t lines_n;
	const char *site; /**< of the config */
	char *domain;
	uint64_t token;
	uint32_t conn, gen; /**< where it went */
	uint64_t inner;     /**< the joint connection it came by */
	struct trip *trip;  /**< while DIALLING; borrowed */
	struct timer timer;
};

/** Runs when a transaction has been in its state for too long: after the step, `actions`
 *  to be done. */
typedef void(txn_timeout_h)(struct txn *t, unsigned actions, void *arg);

/** Errors: ENOMEM. */
int txns_alloc(struct txns **tsp, struct timers *timers, txn_timeout_h *h, void *arg);
/** A new one, DIALLING; `branch` is ours. Errors: ENOMEM; EALREADY there is one. Owns:
 *  the table's. */
int txn_alloc(struct txn **tp, struct txns *ts, const char *branch, bool invite,
	      bool cancel);
struct txn *txn_find(struct txns *ts, const struct pl *branch, bool cancel);
/** The step of txn_fsm.h; gives its actions. A transaction that is GONE leaves the table:
 *  hold a reference (mem_ref) to use it afterwards. */
unsigned txn_step(struct txn *t, enum txn_event event);
size_t txns_count(const struct txns *ts);

#endif
