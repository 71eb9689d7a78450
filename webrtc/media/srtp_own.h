/* webrtc/media/srtp_own.h - private to srtp.c, srtp_rtcp.c and srtp_keys.c. */
#ifndef SLUSS_WEBRTC_MEDIA_SRTP_OWN_H
#define SLUSS_WEBRTC_MEDIA_SRTP_OWN_H

#include <openssl/evp.h>

#include "webrtc/media/srtp.h"

enum {
	SRTP_WINDOW = 128,
	SRTP_TAG_SHA1 = 10,
	SRTP_TAG_SHA1_SHORT = 4, /**< of RTP; RTCP's stays 10 (RFC 3711 §5.2) */
	SRTP_TAG_GCM = 16,
	SRTP_LOST_EVERY = 8, /**< wrong tags in a row until a later roll-over is tried */
	SRTP_LOST_MAX = 16,  /**< roll-overs ahead: six hours at 50 packets a second */
};

struct srtp_stream {
	uint32_t ssrc;
	bool started;
	uint64_t top;     /**< highest index: roc << 16 | seq; SRTCP: its own 31 bits */
	uint64_t seen[2]; /**< bit 0 of [0] is `top`, bit 1 the one before */
	uint32_t n_wrong; /**< tags in a row */
};

/** What is derived for RTP, and again for RTCP. */
struct srtp_keys {
	EVP_CIPHER_CTX *cipher;
	EVP_MAC_CTX *mac; /**< NULL with GCM */
	uint8_t salt[SRTP_SALT_MAX];
};

struct srtp {
	bool gcm;
	size_t n_tag, n_tag_rtcp;
	struct srtp_keys rtp, rtcp;
	struct srtp_stream rtpv[SRTP_SSRC_MAX], rtcpv[SRTP_SSRC_MAX];
	size_t n_rtp, n_rtcp;
};

/** Up to two parts of what is authenticated and not encrypted. */
struct srtp_aad {
	const uint8_t *p;
	size_t n;
};

/* srtp.c */
struct srtp_stream *srtp_stream_find(struct srtp_stream *v, size_t n, uint32_t ssrc);
struct srtp_stream *srtp_stream_add(struct srtp_stream *v, size_t *n, uint32_t ssrc);
bool srtp_replayed(const struct srtp_stream *st, uint64_t index);
void srtp_seen(struct srtp_stream *st, uint64_t index);
int srtp_crypt_cm(struct srtp_keys *k, uint32_t ssrc, uint64_t index, uint8_t *p,
		  size_t n);
int srtp_tag_sha1(struct srtp_keys *k, uint8_t tag[20], const uint8_t *p, size_t n,
		  const uint8_t tail[4]);
int srtp_seal_gcm(struct srtp_keys *k, uint32_t ssrc, uint64_t index,
		  const struct srtp_aad *aad, uint8_t *p, size_t n, uint8_t tag[16]);
int srtp_open_gcm(struct srtp_keys *k, uint32_t ssrc, uint64_t index,
		  const struct srtp_aad *aad, uint8_t *p, size_t n, uint8_t tag[16]);

#endif
