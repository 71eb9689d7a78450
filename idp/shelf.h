/* idp/shelf.h - what other sites show at an address of theirs - certificates, sets of keys -: fetched once, kept, and
 * what could not be fetched remembered for a while. Identity thread. */
#ifndef SLUSS_IDP_SHELF_H
#define SLUSS_IDP_SHELF_H

#include "idp/fetch.h"

enum {
	SHELF_BOOKS_MAX = 1024, /**< kept; beyond it the one not asked for longest goes */
	SHELF_WAITING_MAX = 64, /**< fetches that wait for a place */
	SHELF_ASKS_MAX = 64,    /**< callers who wait for one fetch */
	SHELF_FAILED_S = 30,    /**< no new try so soon */
	/** also when the server says less: a PASSporT lives as long */
	SHELF_KEPT_MIN_S = 60,
	SHELF_WHY_BYTES = 160,
};

struct shelf;

/** What lies on a shelf. */
struct shelf_kind {
	const char *fetched_event, *failed_event; /**< for the log */
	const char *busy; /**< "too many certificates are being fetched" */
	uint32_t kept_s, kept_max_s;
	uint32_t n_per_domain; /**< fetches for callers of one domain */
	/** Makes the thing of what came. It may be good for nothing, which `why` says: *keep_s is lowered then, and
	 *  also when it is good for less long. Errors: ENOMEM; EBADMSG with words in `why`: nothing came of it. */
	int (*make)(void **thingp, char why[SHELF_WHY_BYTES], uint64_t *keep_s, void *arg,
		    const void *p, size_t n);
};

struct shelf_config {
	const struct shelf_kind *kind; /**< static */
	void *arg;                     /**< of make() */
	struct fetcher *fetcher;       /**< borrowed */
	uint32_t n_fetches;            /**< at once */
	uint32_t timeout_ms;           /**< of one, with its waiting */
	uint64_t (*now_us)(void);      /**< NULL: clock_us() */
};

/** Somebody who needs such a thing. Zeroed by its owner, who clears it by shelf_forget() before it goes. */
struct shelf_ask {
	struct le le;
	void *thing;               /**< owned; NULL: not (yet) there */
	char why[SHELF_WHY_BYTES]; /**< why not */
	void (*h)(void *arg);      /**< runs when it has come, or will not */
	void *arg;
};

enum shelf_state { SHELF_HERE, SHELF_FAILED, SHELF_COMES };

/** Errors: ENOMEM. Owns: *sp by mem_deref, before its fetcher; nobody is told then. */
int shelf_alloc(struct shelf **sp, const struct shelf_config *config);
/** @param domain  the caller's, for the bound on fetches: kind->n_per_domain that come or wait, and half of n_fetches,
 *  one at least, that come */
enum shelf_state shelf_get(struct shelf *s, struct shelf_ask *ask, const char *url,
			   const char *domain);
/** Puts there what somebody has already: `p` as it would have come. Errors: ENOMEM; EEXIST it is there. */
int shelf_put(struct shelf *s, const char *url, const char *domain, const void *p,
	      size_t n, uint32_t max_age_s);
void shelf_forget(struct shelf_ask *ask);
/** Has what lies there fetched again, for somebody to whom it is of no use; for all others it goes on lying there until
 *  the new one is there, and if that does not come. HERE: it is younger than `age_s`; FAILED: no, as ask->why says. */
enum shelf_state shelf_renew(struct shelf *s, struct shelf_ask *ask, const char *url,
			     const char *domain, uint32_t age_s);
/** To be called every now and then: ends what has waited for too long. */
void shelf_look(struct shelf *s);
bool shelf_is_busy(const struct shelf *s); /**< something is being fetched or waits */
/** The authorities have changed: everything kept is judged anew, by being fetched anew. */
void shelf_clear(struct shelf *s);

#endif
