/* webrtc/media/srtp.h - SRTP and SRTCP on OpenSSL's EVP: one struct a direction, keyed once. Pure but for its
 * own state; one thread. RFC 3711 (AES-CM, HMAC-SHA1-80), RFC 7714 (AES-GCM), RFC 5764 §4.2 (the keys).
 *
 * Nothing is allocated for a packet: cipher and MAC contexts are made by srtp_alloc(), only the IV changes.
 *
 *    0..11+    CSRCs, extension │ payload │ tag            SRTP: header in the clear, tag 4, 10 or 16 bytes
 *    0..7      │ the rest       │ E+index 4 │ tag 10       SRTCP, AES-CM;   GCM: tag 16, then E+index 4  */
#ifndef SLUSS_WEBRTC_MEDIA_SRTP_H
#define SLUSS_WEBRTC_MEDIA_SRTP_H

#include "lib/base.h"

/** In the order in which we like them; the numbers of RFC 5764 §4.1.2 and RFC 7714 §14.2. */
enum srtp_suite {
	SRTP_SUITE_AES_128_GCM = 0x0007,
	SRTP_SUITE_AES_256_GCM = 0x0008,
	SRTP_SUITE_AES_CM_128_HMAC_SHA1_80 = 0x0001,
	SRTP_SUITE_AES_CM_128_HMAC_SHA1_32 = 0x0002, /**< by SDES alone: desk phones */
};

enum {
	SRTP_KEY_MAX = 32,
	SRTP_SALT_MAX = 14,
	SRTP_OVERHEAD_MAX = 20, /**< bytes that protecting adds at most: SRTCP with GCM */
	SRTP_SSRC_MAX =
		32, /**< streams of one direction; a packet of one more is refused */
};

/** Bytes of the master key and salt. 0: not a suite of ours. */
size_t srtp_key_bytes(enum srtp_suite suite);
size_t srtp_salt_bytes(enum srtp_suite suite);
const char *srtp_suite_name(enum srtp_suite suite);

struct srtp;
/** One direction: what protects does not unprotect. The derived keys are wiped when it is freed.
 *  Errors: EINVAL: no such suite; ENOMEM; EIO: OpenSSL refuses. */
int srtp_alloc(struct srtp **sp, enum srtp_suite suite, const uint8_t *key,
	       const uint8_t *salt);

/** In place. Accepts a whole RTP packet (checked here: version, CSRCs, extension); `*n` bytes in `p`, which
 *  has room for SRTP_OVERHEAD_MAX more. Sequence numbers may jump; none is sealed twice, since two packets
 *  under one key stream give both away (RFC 3711 §9.1).
 *  Errors: EBADMSG: no RTP packet; EALREADY: sealed before, or older than the window of 128; ENOSPC: too many
 *  SSRCs; EOVERFLOW: the key is used up; EIO. */
int srtp_seal(struct srtp *s, uint8_t *p, size_t *n);
/** In place; `*n` becomes the length without the tag.
 *  Errors: EBADMSG: no RTP packet; EALREADY: replayed, or older than the window of 128; EACCES:
 *  the tag is wrong: nothing has changed, a new SSRC is not remembered; ENOSPC; EIO.
 *  A stream that comes back after more than 2^15 packets that were not heard (a long hold) is found again:
 *  of every SRTP_LOST_EVERY wrong tags in a row one is tried with a later roll-over counter. */
int srtp_open(struct srtp *s, uint8_t *p, size_t *n);
/** The same for a compound RTCP packet, 8 bytes at least. */
int srtp_seal_rtcp(struct srtp *s, uint8_t *p, size_t *n);
int srtp_open_rtcp(struct srtp *s, uint8_t *p, size_t *n);

#endif
