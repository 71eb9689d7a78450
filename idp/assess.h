/* idp/assess.h - who made a description, by its a=identity: the site as a relying party (RFC 8827 §5.1, §7.5, without
 * the provider's code, which nobody's browser need load for that). Identity thread.
 *
 *   opened ─ read ─ name, time, peer, media keys ─ provider's keys there? ─ signed?
 *   failed   failed           failed                    unverified           failed                              */
#ifndef SLUSS_IDP_ASSESS_H
#define SLUSS_IDP_ASSESS_H

#include "idp/assertion.h"
#include "idp/shelf.h"

enum {
	ASSESS_RENEW_S =
		10 /**< an unknown key has a provider's asked for again, this often at most */
};

struct assess_case;
struct own_keys;

/** Sets of keys on a shelf. */
extern const struct shelf_kind jwks_kind;

/** What cases are judged by. */
struct assess_court {
	struct shelf *shelf;    /**< of jwks_kind */
	struct list own;        /**< of own_keys; assess_own() fills it */
	uint32_t slack_s;       /**< how far the provider's clock may be from ours */
	int64_t (*now_s)(void); /**< NULL: clock_wall_s() */
};

/** The keys of a provider here, whatever its port. jwks NULL: no more. Errors: EBADMSG not one is usable; ENOMEM. */
int assess_own(struct assess_court *court, const char *host, const char *jwks);
void assess_own_clear(struct assess_court *court);

/** A case with all that it needs, so that it may go to another thread. Errors: ENOENT no a=identity; ENOMEM. */
int assess_case_alloc(struct assess_case **cp, const struct identity_description *d);
/** Judges it. `h` runs once: before this returns, or when keys have come. Owns: the caller keeps its reference
 *  until `h` ran; mem_deref before that forgets it. */
void assess_begin(struct assess_case *c, struct assess_court *court,
		  identity_assessed_h *h, void *arg);

#endif
