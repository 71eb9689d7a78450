/* webrtc/media/dtls.h - DTLS-SRTP (RFC 5764, RFC 8827 §6.5): one context a thread, one association a side. The
 * server towards browsers; the client where a legacy peer is passive. Datagrams come and go through the caller; the SSL is freed when the keys are made.
 *
 *   ClientHello ──► dtls_take() ──► … ──► DTLS_DONE: keys; the last flight is kept for its late repeats
 *                     │ send_h() for every datagram of ours, 1200 bytes at most
 *                     └ dtls_next_ms(): when dtls_tick() wants to be called; a client's first says hello
 * RFC 6347 (DTLS 1.2); 1.0 and renegotiation are refused. */
#ifndef SLUSS_WEBRTC_MEDIA_DTLS_H
#define SLUSS_WEBRTC_MEDIA_DTLS_H

#include "gateway/media.h"
#include "webrtc/media/srtp.h"

struct dtls_identity;
/** Our certificate of this run: self-signed, P-256. Made once, shared by the threads (immutable).
 *  Errors: ENOMEM, EIO. */
int dtls_identity_alloc(struct dtls_identity **ip);
/** Its sha-256, as in a=fingerprint. */
const struct media_fingerprint *dtls_identity_fingerprint(const struct dtls_identity *i);

struct dtls_context;
/** One thread's. Takes nothing of `i` with it but counted references of OpenSSL's own. */
int dtls_context_alloc(struct dtls_context **cp, const struct dtls_identity *i);

enum dtls_state {
	DTLS_SHAKING,
	DTLS_DONE, /**< the certificate is the one of the description, keys are there */
	DTLS_FOREIGN /**< the peer showed another certificate, or a weak one; nothing more will come */
};

typedef void(dtls_send_h)(const uint8_t *p, size_t n, void *arg);

struct dtls;
/** `peer`: whose certificate it may be, borrowed while it lives. Errors: ENOMEM, EIO. */
int dtls_alloc(struct dtls **dp, struct dtls_context *c, bool client,
	       const struct media_remote *peer, dtls_send_h *send_h, void *arg);
/** A datagram of the peer's. Bad ones are dropped; a handshake that they broke begins anew, some times. */
enum dtls_state dtls_take(struct dtls *d, const uint8_t *p, size_t n, uint64_t now_ms);
/** In DTLS_DONE as the server: is it the hello of another handshake, not a late one of this? RFC 6347 §4.2.8: it may be
 *  answered by another association, beside this one. */
bool dtls_is_anew(const struct dtls *d, const uint8_t *p, size_t n);
/** Repeats what was lost, when it is time. */
enum dtls_state dtls_tick(struct dtls *d, uint64_t now_ms);
/** Milliseconds to the next tick; UINT64_MAX: none is needed. */
uint64_t dtls_next_ms(const struct dtls *d);

struct dtls_keys {
	enum srtp_suite suite;
	/** in: what the peer protects with; out: what we do */
	uint8_t key_in[SRTP_KEY_MAX], key_out[SRTP_KEY_MAX];
	uint8_t salt_in[SRTP_SALT_MAX], salt_out[SRTP_SALT_MAX];
};
/** In DTLS_DONE, once: the caller wipes them. Errors: ENOENT. */
int dtls_keys_take(struct dtls_keys *keys, struct dtls *d);

#endif
