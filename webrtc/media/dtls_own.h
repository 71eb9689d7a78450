/* webrtc/media/dtls_own.h - private to dtls.c and dtls_context.c. */
#ifndef SLUSS_WEBRTC_MEDIA_DTLS_OWN_H
#define SLUSS_WEBRTC_MEDIA_DTLS_OWN_H

#include <openssl/ssl.h>

#include "webrtc/media/dtls.h"

/* dtls.c, for the callbacks of dtls_context.c */
size_t dtls_datagram_read(struct dtls *d, uint8_t *p, size_t n);
void dtls_datagram_write(struct dtls *d, const uint8_t *p, size_t n);
const struct media_remote *dtls_peer(const struct dtls *d);
/** The peer's certificate is not the one of its description. */
void dtls_foreign(struct dtls *d);

/** An SSL that accepts or (`client`) connects, reads and writes datagrams of `d`. NULL: out of memory. */
SSL *dtls_ssl_new(struct dtls_context *c, bool client, struct dtls *d);

#endif
