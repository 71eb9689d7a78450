/* lib/cert.h - a certificate chain with its key, as a site shows it: loading, names, reloading.
 *
 * A `struct cert_store` belongs to one thread; the web and the edge thread each have their own and
 * poll it; files are read again when their mtime, size or inode has changed, and an unusable
 * new pair leaves the old one in service (logged as an error). */
#ifndef SLUSS_LIB_CERT_H
#define SLUSS_LIB_CERT_H

#include "lib/base.h"
#include <openssl/ssl.h>

struct cert_store;

/** Errors: ENOMEM. */
int cert_store_alloc(struct cert_store **csp);
/** Loads the pair for `domain`: PEM, leaf first, full chain; the key must fit; the leaf must cover
 *  `domain` (exact dNSName or URI sip:domain SAN, no wildcard: RFC 5922 §7.2).
 *  Errors: EINVAL/ENOENT/EACCES with one line in *whyp (mem_deref): which file, what is wrong, what
 *  would be right. */
int cert_store_add(struct cert_store *cs, char **whyp, const char *domain,
		   const char *chain_file, const char *key_file);
/** Looks at the files again; gives how many pairs were replaced. Call it every second or so. */
unsigned cert_store_poll(struct cert_store *cs);
/** Reads all files now, changed or not. Gives how many pairs could not be used; the old ones stay. */
unsigned cert_store_reload(struct cert_store *cs);
/** What became of a reading: the pair in service holds until `until_s`; `why`: the files could not be used,
 *  it is still the old one. NULL: they could. */
typedef void(cert_news_h)(const char *domain, int64_t until_s, const char *why,
			  void *arg);
/** Tells of every pair there is, in here, and of every reading from then on, on the store's thread. */
void cert_store_listen(struct cert_store *cs, cert_news_h *h, void *arg);
/** Puts the pair of `domain` (case-insensitive) on `ssl`. With domain NULL or unknown: the first
 *  pair when `or_first`, else ENOENT. Use inside SSL_CTX_set_cert_cb. */
int cert_store_use(struct cert_store *cs, SSL *ssl, const char *domain, bool or_first);
/** Not-after of the pair, seconds since 1970. Errors: ENOENT. */
int cert_store_expiry(const struct cert_store *cs, const char *domain,
		      int64_t *not_after_s);

/** Is the pair's key one of P-256, which is what SIP Identity is signed with (RFC 8225 §8)? False: no such pair, too. */
bool cert_store_signs(const struct cert_store *cs, const char *domain);
/** The pair in service. Borrowed until the next poll or reload. Errors: ENOENT. */
struct cert_view {
	X509 *leaf;
	EVP_PKEY *key;
	STACK_OF(X509) * chain; /**< what follows the leaf */
};
int cert_store_view(const struct cert_store *cs, const char *domain, struct cert_view *v);

/** Does this peer certificate prove the SIP domain? RFC 5922 §7.1–7.2: a URI SAN "sip:domain"
 *  without user part, else (when it has no sip URI SAN at all) an exact dNSName SAN; the CN only
 *  when there is no SAN extension... and Sluss never accepts the CN. No wildcards. */
bool cert_covers(X509 *leaf, const char *domain);
/** The SIP domains a leaf proves, lower case, space separated, at most `size` bytes; gives how many
 *  there are (those that did not fit are left out, and counted). */
size_t cert_names(X509 *leaf, char *buf, size_t size);

#endif
