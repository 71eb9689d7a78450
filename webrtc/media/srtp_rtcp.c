/* webrtc/media/srtp_rtcp.c - SRTCP: the same keys' other half, with an index of its own in every packet.
 *
 * The thread of its session. Called by session.c and echo.c; calls srtp.c. RFC 3711 §3.4, RFC 7714 §9. */
#include "webrtc/media/srtp_own.h"

#include "lib/secret.h"
#include "webrtc/media/packet.h"

/* The first 8 bytes stay readable; behind: E flag and index. */
enum { HEAD = 8, INDEX = 4 };
#define ENCRYPTED 0x80000000u

int srtp_seal_rtcp(struct srtp *s, uint8_t *p, size_t *n)
{
	struct srtp_stream *st;
	uint8_t word[INDEX], tag[20];
	uint32_t ssrc, index;
	int err;

	if (*n < HEAD || !rtcp_header_ok(p, *n))
		return EBADMSG;
	ssrc = be32(p + 4);
	st = srtp_stream_find(s->rtcpv, s->n_rtcp, ssrc);
	if (!st)
		st = srtp_stream_add(s->rtcpv, &s->n_rtcp, ssrc);
	if (!st)
		return ENOSPC;
	if (st->top + 1 >= ENCRYPTED)
		return EOVERFLOW; /* RFC 3711 §9.2 */
	index = (uint32_t)st->top + 1;
	be32_put(word, index | ENCRYPTED);
	if (s->gcm) {
		const struct srtp_aad aad[2] = {{p, HEAD}, {word, INDEX}};

		err = srtp_seal_gcm(&s->rtcp, ssrc, index, aad, p + HEAD, *n - HEAD,
				    p + *n);
		if (!err)
			memcpy(p + *n + SRTP_TAG_GCM, word, INDEX);
	} else {
		err = srtp_crypt_cm(&s->rtcp, ssrc, index, p + HEAD, *n - HEAD);
		if (!err)
			err = srtp_tag_sha1(&s->rtcp, tag, p, *n, word);
		if (!err) {
			memcpy(p + *n, word, INDEX);
			memcpy(p + *n + INDEX, tag, SRTP_TAG_SHA1);
		}
	}
	if (err)
		return err;
	st->top = index;
	*n += INDEX + s->n_tag_rtcp;
	return 0;
}

/** Checks the tag, and decrypts what is encrypted; `len` bytes without index and tag. */
static int open_rtcp(struct srtp *s, uint8_t *p, size_t len, const uint8_t word[INDEX])
{
	uint32_t ssrc = be32(p + 4), w = be32(word);
	uint32_t index = w & ~ENCRYPTED;
	uint8_t tag[20];
	int err;

	if (s->gcm) {
		const struct srtp_aad sealed[2] = {{p, HEAD}, {word, INDEX}};
		const struct srtp_aad clear[2] = {{p, len}, {word, INDEX}};

		if (w & ENCRYPTED)
			return srtp_open_gcm(&s->rtcp, ssrc, index, sealed, p + HEAD,
					     len - HEAD, p + len);
		return srtp_open_gcm(&s->rtcp, ssrc, index, clear, p + len, 0, p + len);
	}
	err = srtp_tag_sha1(&s->rtcp, tag, p, len, word);
	if (!err && !secret_equal(tag, p + len + INDEX, SRTP_TAG_SHA1))
		err = EACCES;
	if (!err && (w & ENCRYPTED))
		err = srtp_crypt_cm(&s->rtcp, ssrc, index, p + HEAD, len - HEAD);
	return err;
}

int srtp_open_rtcp(struct srtp *s, uint8_t *p, size_t *n)
{
	struct srtp_stream *st;
	uint8_t word[INDEX];
	uint32_t ssrc, index;
	size_t len;
	int err;

	if (*n < HEAD + INDEX + s->n_tag_rtcp || !rtcp_header_ok(p, *n))
		return EBADMSG;
	len = *n - INDEX - s->n_tag_rtcp;
	ssrc = be32(p + 4);
	memcpy(word, p + len + (s->gcm ? SRTP_TAG_GCM : 0), INDEX);
	index = be32(word) & ~ENCRYPTED;
	st = srtp_stream_find(s->rtcpv, s->n_rtcp, ssrc);
	if (!st && s->n_rtcp == SRTP_SSRC_MAX)
		return ENOSPC;
	if (st && srtp_replayed(st, index))
		return EALREADY;
	err = open_rtcp(s, p, len, word);
	if (err)
		return err;
	if (!st)
		st = srtp_stream_add(s->rtcpv, &s->n_rtcp, ssrc);
	srtp_seen(st, index);
	*n = len;
	return 0;
}
