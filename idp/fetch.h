/* idp/fetch.h - one HTTPS GET from an address that a stranger chose: bounded in every direction. Identity thread.
 *
 * https alone; no redirect is followed; no proxy, cookie or credential is used; the address connected to is the one
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
	char why[128];
	const void *p; /**< borrowed */
	size_t n;
	uint32_t max_age_s; /**< of Cache-Control; 0: not said, or not to be kept */
};
typedef void(fetch_h)(const struct fetch_result *r, void *arg);

/** Errors: ENOMEM, EIO. Owns: *fp by mem_deref, and with it all fetches that are under way: they end untold. */
int fetcher_alloc(struct fetcher **fp, const struct fetch_config *config);
/** Is it https, with a host name that is `domain` or below it (NULL: any name)? No user part, no IP address. */
bool fetch_url_ok(const char *url, const char *domain);
/** Begins; `h` runs from fetcher_turn(). Errors: ENOMEM, EINVAL. */
int fetch_start(struct fetcher *f, const char *url, fetch_h *h, void *arg);
/** Waits for sockets, for fetcher_wake() or for `ms`, and serves what is due. */
void fetcher_turn(struct fetcher *f, int ms);
/** Ends the waiting of fetcher_turn(). Any thread. */
void fetcher_wake(struct fetcher *f);

#endif
