/* webrtc/media/packet.h - what a datagram on a shared port is, and the bytes of RTP and RTCP. Pure.
 *
 *    first byte   0..3 STUN │ 16..19 ZRTP │ 20..63 DTLS │ 64..79 TURN │ 128..191 RTP, RTCP     RFC 7983 §7
 *    second byte  192..223: RTCP, else RTP                                                     RFC 5761 §4 */
#ifndef SLUSS_WEBRTC_MEDIA_PACKET_H
#define SLUSS_WEBRTC_MEDIA_PACKET_H

#include "lib/base.h"

enum packet_kind {
	PACKET_OTHER, /**< nobody here speaks it */
	PACKET_STUN,
	PACKET_DTLS,
	PACKET_RTP,
	PACKET_RTCP
};
enum packet_kind packet_kind(const uint8_t *p, size_t n);

enum { RTP_HEADER = 12, RTCP_HEADER = 4, RTP_MTU = 1500 };

struct rtp_header {
	uint8_t pt;
	bool marker;
	uint16_t seq;
	uint32_t ts, ssrc;
	size_t n_bytes;     /**< with CSRCs and extension: the payload begins there */
	const uint8_t *ext; /**< extension elements, or NULL */
	size_t n_ext;
	uint16_t
		ext_profile; /**< 0xBEDE: one byte elements; 0x100x: two byte (RFC 8285) */
};
/** Accepts any bytes. Padding is not looked at: it is encrypted, and its reader's matter.
 *  Errors: EBADMSG: version, CSRCs or extension past the end. */
int rtp_header_read(struct rtp_header *h, const uint8_t *p, size_t n);
void rtp_seq_set(uint8_t *p, uint16_t seq);
void rtp_ts_set(uint8_t *p, uint32_t ts);
void rtp_ssrc_set(uint8_t *p, uint32_t ssrc);
/** The element `id` of the header extension; NULL: it has none. */
const uint8_t *rtp_ext_find(const struct rtp_header *h, uint8_t id, size_t *np);

enum rtcp_type {
	RTCP_SR = 200,
	RTCP_RR = 201,
	RTCP_SDES = 202,
	RTCP_BYE = 203,
	RTCP_RTPFB = 205, /**< count 1: NACK; 15: transport-wide */
	RTCP_PSFB = 206,  /**< count 1: PLI; 4: FIR; 15: REMB */
};

/** One packet of a compound. */
struct rtcp_part {
	uint8_t type, count;
	const uint8_t *p; /**< with its header */
	size_t n;
	uint32_t ssrc; /**< the sender's; 0 when it has none */
};
/** Is it RTCP, as far as the readable head tells? */
bool rtcp_header_ok(const uint8_t *p, size_t n);
/** Walks a compound: *atp from 0. False: the end, or a part whose length lies: what is left is dropped. */
bool rtcp_next(struct rtcp_part *part, const uint8_t *p, size_t n, size_t *atp);

static inline uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static inline uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}
static inline void be32_put(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}
static inline void be16_put(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

#endif
