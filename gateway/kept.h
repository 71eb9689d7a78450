/* gateway/kept.h - established calls outlive this process: written down while they go on, and, after a restart,
 * what the killed process has left of them, to be joined again. Signalling thread; the store is the office's.
 *
 *   call established ─ kept_add ──┐ every FLUSH_MS, all at once      ┌─ kept_find, kept_find_dialog ─► call_rejoin.c
 *   call over ─────── kept_drop ──┴──► office ──► store ──► restart ─┴─ swept when nobody can want them any more
 *
 * A call that is over before it was written down is never written. What the store refuses is tried again. */
#ifndef SLUSS_GATEWAY_KEPT_H
#define SLUSS_GATEWAY_KEPT_H

#include "gateway/core.h"
#include "gateway/store.h"

struct call;
struct kept;

/** A call of an earlier run that may be joined again; a mem object. */
struct kept_call {
	struct le le, le_dialog; /* in the tables; not there any more: joined, or swept */
	struct store_call row;
	struct call *joiner; /**< the call that takes its place; NULL: nobody does */
};

/** Asks for what is left: it is there before any sign-in is answered. Errors: ENOMEM. */
int kept_alloc(struct kept **kp, struct core *core);
/** Writes it down, soon. Accepts k NULL: nothing is kept. */
void kept_add(struct kept *k, const struct store_call *row);
/** The call is over. Accepts k NULL, and ids that were never added. */
void kept_drop(struct kept *k, const char *id);
/** Borrowed. NULL: none. Accepts k NULL. */
struct kept_call *kept_find(const struct kept *k, const char *id);
/** By store_call.dialog, byte for byte. */
struct kept_call *kept_find_dialog(const struct kept *k, const char *dialog);
/** It has been joined again: forgets the old row. */
void kept_done(struct kept *k, struct kept_call *c);
/** How many of an earlier run there are, and of this one. */
void kept_count(const struct kept *k, uint32_t *n_left, uint32_t *n_mine);

#endif
