/* idp/fetch.h - one HTTPS request to an address that a stranger chose: bounded in every direction. One thread.
 *
 * https alone; no redirect is followed; no proxy or cookie is used, and no credential but what the caller gives; the address connected to is the one
 * that was judged (lib/reach.h), so that no name can change its mind in between; size and time are bounded. */
#ifndef SLUSS_IDP_FETCH_H
#define SLUSS_IDP_FETCH_H

#include "lib/base.h"

enum { FETCH_BYTES_MAX = 65536 };

struct fetcher;
struct fetch;

struct fetch_config {
	const char *trust; /**< PEM file of the web's authorities; NULL: the system's */
	bool local;        /**< loopback and private addresses are fine too */
	uint32_t timeout_ms;
};
struct fetch_result {
	int err; /**< 0; EIO with words in `why` */
	uint32_t
		status; /**< HTTP; 0: none came. Also with EIO, and then p and n are what came with it */
	char why[128];
	const void *p; /**< borrowed */
	size_t n;
	uint32_t max_age_s; /**< of Cache-Control; 0: not said; 1: as short as may be */
};
typedef void(fetch_h)(const struct fetch_result *r, void *arg);

/** What an answer's header says of how long it may be kept (RFC 9111 §5.2.2). */
struct fetch_age {
	uint32_t max_age_s; /**< the last one said; 0: none */
	bool no_store;      /**< or no-cache */
};
/** One line of the header, with or without its end. Pure. */
void fetch_age_read(struct fetch_age *age, const char *line, size_t n);

/** Errors: ENOMEM, EIO. Owns: *fp by mem_deref, and with it all fetches that are under way: they end untold. */
int fetcher_alloc(struct fetcher **fp, const struct fetch_config *config);
/** Is it https, with a host name that is `domain` or below it (NULL: any name)? No user part, no IP address. */
bool fetch_url_ok(const char *url, const char *domain);
/** Begins; `h` runs from fetcher_turn(). Errors: ENOMEM, EINVAL. */
int fetch_start(struct fetcher *f, const char *url, fetch_h *h, void *arg);
/** A request that says more. All borrowed, and copied. */
struct fetch_request {
	const char *url;
	const char *form;   /**< application/x-www-form-urlencoded: POST; NULL: GET */
	const char *basic;  /**< "user:password", RFC 7617; NULL: none */
	const char *bearer; /**< RFC 6750; NULL: none */
	const char *trust;  /**< instead of the fetcher's; NULL: that one */
	const char *accept; /**< media type; NULL: any */
};
/** As fetch_start(). */
int fetch_send(struct fetcher *f, const struct fetch_request *r, fetch_h *h, void *arg);
/** Waits for sockets, for fetcher_wake() or for `ms`, and serves what is due. */
void fetcher_turn(struct fetcher *f, int ms);
/** Ends the waiting of fetcher_turn(). Any thread. */
void fetcher_wake(struct fetcher *f);

#endif
