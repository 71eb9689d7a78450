/* webrtc/media/packet.c - demultiplexing, and reading RTP and RTCP headers.
 *
 * Pure; any thread. Called for every datagram by worker.c, srtp.c and echo.c; calls nothing. RFC 7983,
 * RFC 5761 §4, RFC 3550 §5.1 §6, RFC 8285 §4. */
#include "webrtc/media/packet.h"

enum packet_kind packet_kind(const uint8_t *p, size_t n)
{
	if (n < 2)
		return PACKET_OTHER;
	if (p[0] < 4)
		return PACKET_STUN;
	if (p[0] >= 20 && p[0] < 64)
		return PACKET_DTLS;
	if (p[0] < 128 || p[0] > 191)
		return PACKET_OTHER;
	if (p[1] >= 192 && p[1] <= 223)
		return n >= 8 ? PACKET_RTCP : PACKET_OTHER;
	return n >= RTP_HEADER ? PACKET_RTP : PACKET_OTHER;
}

int rtp_header_read(struct rtp_header *h, const uint8_t *p, size_t n)
{
	size_t at;

	if (n < RTP_HEADER || p[0] >> 6 != 2)
		return EBADMSG;
	at = RTP_HEADER + 4u * (p[0] & 0x0f);
	if (at > n)
		return EBADMSG;
	*h = (struct rtp_header){
		.pt = p[1] & 0x7f,
		.marker = p[1] & 0x80,
		.seq = be16(p + 2),
		.ts = be32(p + 4),
		.ssrc = be32(p + 8),
	};
	if (p[0] & 0x10) {
		if (at + 4 > n)
			return EBADMSG;
		h->ext_profile = be16(p + at);
		h->n_ext = 4u * be16(p + at + 2);
		h->ext = p + at + 4;
		at += 4 + h->n_ext;
		if (at > n)
			return EBADMSG;
	}
	h->n_bytes = at;
	return 0;
}

void rtp_seq_set(uint8_t *p, uint16_t seq)
{
	be16_put(p + 2, seq);
}

void rtp_ts_set(uint8_t *p, uint32_t ts)
{
	be32_put(p + 4, ts);
}

void rtp_ssrc_set(uint8_t *p, uint32_t ssrc)
{
	be32_put(p + 8, ssrc);
}

const uint8_t *rtp_ext_find(const struct rtp_header *h, uint8_t id, size_t *np)
{
	bool one = h->ext_profile == 0xbede, two = (h->ext_profile & 0xfff0) == 0x1000;
	size_t at = 0;

	while ((one || two) && at < h->n_ext) {
		uint8_t b = h->ext[at], eid = one ? b >> 4 : b;
		size_t n;

		if (!b) { /* padding */
			at++;
			continue;
		}
		if (one && eid == 15)
			break;
		if (two && at + 1 >= h->n_ext)
			break;
		n = one ? (b & 15u) + 1 : h->ext[at + 1];
		at += one ? 1 : 2;
		if (n > h->n_ext - at)
			break;
		if (eid == id) {
			*np = n;
			return h->ext + at;
		}
		at += n;
	}
	return NULL;
}

bool rtcp_header_ok(const uint8_t *p, size_t n)
{
	return n >= 8 && p[0] >> 6 == 2 && p[1] >= 192 && p[1] <= 223;
}

bool rtcp_next(struct rtcp_part *part, const uint8_t *p, size_t n, size_t *atp)
{
	const uint8_t *q = p + *atp;
	size_t left = n - *atp, len;

	if (left < RTCP_HEADER || q[0] >> 6 != 2)
		return false;
	len = 4u * (be16(q + 2) + 1u);
	if (len > left)
		return false;
	*part = (struct rtcp_part){
		.type = q[1],
		.count = q[0] & 0x1f,
		.p = q,
		.n = len,
		.ssrc = len >= 8 ? be32(q + 4) : 0,
	};
	*atp += len;
	return true;
}
