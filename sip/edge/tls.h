/* sip/edge/tls.h - TLS for SIP: contexts, certificates by site, the judgement of the
 * peer's, words.
 *
 *   we accept   SNI picks the site; a client certificate is asked for, not demanded, but a
 *               bad one ends the handshake; which domains it proves is told upwards
 *   we dial     SNI names what we look for; the certificate must prove the domain
 *
 * Every handshake looks at the certificates of that moment; tls_poll() reads changed
 * files again. Edge thread. RFC 5922, RFC 5924, RFC 6066 §3, RFC 8446. */
#ifndef SLUSS_SIP_EDGE_TLS_H
#define SLUSS_SIP_EDGE_TLS_H

#include <openssl/ssl.h>

#include "gateway/config.h"
#include "lib/base.h"
#include "lib/cert.h"

struct tls;

enum { TLS_WHY = 160 };
/** One handshake's side of things; lives as long as its SSL. */
struct tls_peer {
	bool server; /**< we accepted */
	/** Ours, borrowed from the config. Accepted: the first one until SNI says another. */
	const char *site;
	const char *domain; /**< dialled: what the certificate must prove ... */
	const char *host;   /**< ... or this, may be NULL. Both borrowed */
	/** Why the peer's certificate was not taken. Empty: it was, or there was none. */
	char why[TLS_WHY];
};

/** Errors: EINVAL/ENOENT/… with one line in *whyp (mem_deref). */
int tls_alloc(struct tls **tp, char **whyp, const struct config *config);
/** Looks at the files again. Gives how many were read anew. */
unsigned tls_poll(struct tls *t);
/** Reads all of them now, changed or not. `why` gets one line when the trust file cannot be used, else "". */
void tls_reload(struct tls *t, char *why, size_t size);
/** Tells of the sites' certificates, now and whenever they have been read; see cert_store_listen(). */
void tls_listen(struct tls *t, cert_news_h *h, void *arg);
/** An SSL for one connection; `peer` is borrowed for its life. Errors: ENOMEM. */
int tls_ssl_alloc(SSL **sslp, struct tls *t, struct tls_peer *peer);

/** The domains that the peer's certificate proves, '/'-separated; empty without a
 *  certificate. Errors: ENOMEM. */
int tls_names(char **namesp, SSL *ssl);
/** Why a TLS call failed, as the end of "X could not be reached: …"; empties OpenSSL's
 *  error queue. */
void tls_why(char why[TLS_WHY], const struct tls_peer *peer, bool handshake,
	     bool end_of_stream);
/** Why a chain was not taken: `error` is an X509_V_ERR. */
void tls_why_verify(char why[TLS_WHY], int error, int depth, X509 *cert);

#endif
