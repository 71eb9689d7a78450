/* webrtc/media/srtp.c - SRTP: the roll-over counter, the replay window, the ciphers.
 *
 * The thread of its session. Called by session.c and echo.c; calls OpenSSL's EVP, srtp_keys.c for the keys.
 * RFC 3711 §3.3 (processing), §3.3.1 and appendix A (index), §3.3.2 (replay), §4.1.1 (AES-CM); RFC 7714 §8. */
#include "webrtc/media/srtp_own.h"

#include "lib/secret.h"
#include "webrtc/media/packet.h"

/* ---- streams ---- */

struct srtp_stream *srtp_stream_find(struct srtp_stream *v, size_t n, uint32_t ssrc)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].ssrc == ssrc)
			return &v[i];
	return NULL;
}

struct srtp_stream *srtp_stream_add(struct srtp_stream *v, size_t *n, uint32_t ssrc)
{
	struct srtp_stream *st;

	if (*n == SRTP_SSRC_MAX)
		return NULL;
	st = &v[(*n)++];
	memset(st, 0, sizeof(*st));
	st->ssrc = ssrc;
	return st;
}

/** The index of `seq` nearest to the highest seen (RFC 3711 §3.3.1). False: it would lie before the first. */
static bool index_guess(uint64_t *index, const struct srtp_stream *st, uint16_t seq)
{
	uint32_t roc = (uint32_t)(st->top >> 16);
	uint16_t top = (uint16_t)st->top;

	*index = seq;
	if (st->started && top < 0x8000 && seq > top && seq - top > 0x8000) {
		if (!roc)
			return false;
		roc--;
	} else if (st->started && top >= 0x8000 && seq < top - 0x8000) {
		roc++;
	}
	*index = (uint64_t)roc << 16 | seq;
	return true;
}

bool srtp_replayed(const struct srtp_stream *st, uint64_t index)
{
	uint64_t back;

	if (!st->started || index > st->top)
		return false;
	back = st->top - index;
	if (back >= SRTP_WINDOW)
		return true;
	return (st->seen[back / 64] >> (back % 64)) & 1;
}

/** The window's bit 0 is `top`. */
void srtp_seen(struct srtp_stream *st, uint64_t index)
{
	uint64_t ahead;

	if (st->started && index <= st->top) {
		uint64_t back = st->top - index;

		if (back < SRTP_WINDOW)
			st->seen[back / 64] |= 1ull << (back % 64);
		return;
	}
	ahead = st->started ? index - st->top : SRTP_WINDOW;
	if (ahead >= SRTP_WINDOW) {
		st->seen[0] = st->seen[1] = 0;
	} else if (ahead >= 64) {
		st->seen[1] = st->seen[0] << (ahead - 64);
		st->seen[0] = 0;
	} else {
		st->seen[1] = st->seen[1] << ahead | st->seen[0] >> (64 - ahead);
		st->seen[0] <<= ahead;
	}
	st->seen[0] |= 1;
	st->top = index;
	st->started = true;
}

/* ---- ciphers ---- */

/** AES-CM: salt * 2^16 XOR ssrc * 2^64 XOR index * 2^16 (RFC 3711 §4.1.1). */
static void iv_cm(uint8_t iv[16], const struct srtp_keys *k, uint32_t ssrc,
		  uint64_t index)
{
	memcpy(iv, k->salt, 14);
	iv[14] = iv[15] = 0;
	for (unsigned i = 0; i < 4; i++)
		iv[4 + i] ^= (uint8_t)(ssrc >> (24 - 8 * i));
	for (unsigned i = 0; i < 6; i++)
		iv[8 + i] ^= (uint8_t)(index >> (40 - 8 * i));
}

/** GCM: 0 0 ssrc index XOR salt (RFC 7714 §8.1, §9.1: for SRTCP the index has 31 bits, the rest is 0). */
static void iv_gcm(uint8_t iv[12], const struct srtp_keys *k, uint32_t ssrc,
		   uint64_t index)
{
	memcpy(iv, k->salt, 12);
	for (unsigned i = 0; i < 4; i++)
		iv[2 + i] ^= (uint8_t)(ssrc >> (24 - 8 * i));
	for (unsigned i = 0; i < 6; i++)
		iv[6 + i] ^= (uint8_t)(index >> (40 - 8 * i));
}

int srtp_crypt_cm(struct srtp_keys *k, uint32_t ssrc, uint64_t index, uint8_t *p,
		  size_t n)
{
	uint8_t iv[16];
	int len;

	iv_cm(iv, k, ssrc, index);
	if (EVP_EncryptInit_ex(k->cipher, NULL, NULL, NULL, iv) != 1 ||
	    EVP_EncryptUpdate(k->cipher, p, &len, p, (int)n) != 1)
		return EIO;
	return 0;
}

int srtp_tag_sha1(struct srtp_keys *k, uint8_t tag[20], const uint8_t *p, size_t n,
		  const uint8_t tail[4])
{
	size_t len;

	if (EVP_MAC_init(k->mac, NULL, 0, NULL) != 1 ||
	    EVP_MAC_update(k->mac, p, n) != 1 || EVP_MAC_update(k->mac, tail, 4) != 1 ||
	    EVP_MAC_final(k->mac, tag, &len, 20) != 1)
		return EIO;
	return 0;
}

int srtp_seal_gcm(struct srtp_keys *k, uint32_t ssrc, uint64_t index,
		  const struct srtp_aad *aad, uint8_t *p, size_t n, uint8_t tag[16])
{
	uint8_t iv[12];
	int len;

	iv_gcm(iv, k, ssrc, index);
	if (EVP_EncryptInit_ex(k->cipher, NULL, NULL, NULL, iv) != 1)
		return EIO;
	for (size_t i = 0; i < 2; i++)
		if (aad[i].n && EVP_EncryptUpdate(k->cipher, NULL, &len, aad[i].p,
						  (int)aad[i].n) != 1)
			return EIO;
	if ((n && EVP_EncryptUpdate(k->cipher, p, &len, p, (int)n) != 1) ||
	    EVP_EncryptFinal_ex(k->cipher, p + n, &len) != 1 ||
	    EVP_CIPHER_CTX_ctrl(k->cipher, EVP_CTRL_AEAD_GET_TAG, 16, tag) != 1)
		return EIO;
	return 0;
}

int srtp_open_gcm(struct srtp_keys *k, uint32_t ssrc, uint64_t index,
		  const struct srtp_aad *aad, uint8_t *p, size_t n, uint8_t tag[16])
{
	uint8_t iv[12];
	int len;

	iv_gcm(iv, k, ssrc, index);
	if (EVP_DecryptInit_ex(k->cipher, NULL, NULL, NULL, iv) != 1 ||
	    EVP_CIPHER_CTX_ctrl(k->cipher, EVP_CTRL_AEAD_SET_TAG, 16, tag) != 1)
		return EIO;
	for (size_t i = 0; i < 2; i++)
		if (aad[i].n && EVP_DecryptUpdate(k->cipher, NULL, &len, aad[i].p,
						  (int)aad[i].n) != 1)
			return EIO;
	if (n && EVP_DecryptUpdate(k->cipher, p, &len, p, (int)n) != 1)
		return EIO;
	return EVP_DecryptFinal_ex(k->cipher, p + n, &len) == 1 ? 0 : EACCES;
}

/* ---- RTP ---- */

int srtp_seal(struct srtp *s, uint8_t *p, size_t *n)
{
	struct srtp_stream *st;
	struct rtp_header h;
	uint8_t tag[20], roc[4];
	uint64_t index;
	int err = rtp_header_read(&h, p, *n);

	if (err)
		return err;
	st = srtp_stream_find(s->rtpv, s->n_rtp, h.ssrc);
	if (!st)
		st = srtp_stream_add(s->rtpv, &s->n_rtp, h.ssrc);
	if (!st)
		return ENOSPC;
	if (!index_guess(&index, st, h.seq) || srtp_replayed(st, index))
		return EALREADY;
	if (index >> 48)
		return EOVERFLOW;
	if (s->gcm) {
		const struct srtp_aad aad[2] = {{p, h.n_bytes}};

		err = srtp_seal_gcm(&s->rtp, h.ssrc, index, aad, p + h.n_bytes,
				    *n - h.n_bytes, p + *n);
	} else {
		be32_put(roc, (uint32_t)(index >> 16));
		err = srtp_crypt_cm(&s->rtp, h.ssrc, index, p + h.n_bytes,
				    *n - h.n_bytes);
		if (!err)
			err = srtp_tag_sha1(&s->rtp, tag, p, *n, roc);
		if (!err)
			memcpy(p + *n, tag, s->n_tag);
	}
	if (err)
		return err;
	*n += s->n_tag;
	srtp_seen(st, index);
	return 0;
}

/** Checks the tag and decrypts `len` bytes, behind which the tag is. */
static int open_rtp(struct srtp *s, const struct rtp_header *h, uint64_t index,
		    uint8_t *p, size_t len)
{
	const struct srtp_aad aad[2] = {{p, h->n_bytes}};
	uint8_t tag[20], roc[4];
	int err;

	if (s->gcm)
		return srtp_open_gcm(&s->rtp, h->ssrc, index, aad, p + h->n_bytes,
				     len - h->n_bytes, p + len);
	be32_put(roc, (uint32_t)(index >> 16));
	err = srtp_tag_sha1(&s->rtp, tag, p, len, roc);
	if (!err && !secret_equal(tag, p + len, s->n_tag))
		err = EACCES;
	if (!err)
		err = srtp_crypt_cm(&s->rtp, h->ssrc, index, p + h->n_bytes,
				    len - h->n_bytes);
	return err;
}

/** Its sender may have gone on through a hold of any length while nothing was heard: now and then one that is
 *  wrong is tried further ahead, one roll-over more each time. `copy`: it as it came. */
static int open_lost(struct srtp *s, struct srtp_stream *st, const struct rtp_header *h,
		     uint64_t *index, uint8_t *p, const uint8_t *copy, size_t len)
{
	uint64_t ahead = st->n_wrong / SRTP_LOST_EVERY % SRTP_LOST_MAX + 1;

	memcpy(p, copy, len + s->n_tag);
	*index += ahead << 16;
	return *index >> 48 ? EACCES : open_rtp(s, h, *index, p, len);
}

int srtp_open(struct srtp *s, uint8_t *p, size_t *n)
{
	struct srtp_stream *st, fresh = {0};
	uint8_t copy[RTP_MTU];
	struct rtp_header h;
	uint64_t index;
	size_t len;
	bool lost;
	int err;

	if (*n < s->n_tag)
		return EBADMSG;
	len = *n - s->n_tag;
	err = rtp_header_read(&h, p, len);
	if (err)
		return err;
	st = srtp_stream_find(s->rtpv, s->n_rtp, h.ssrc);
	if (!st && s->n_rtp == SRTP_SSRC_MAX)
		return ENOSPC;
	if (!st)
		st = &fresh;
	lost = st->n_wrong % SRTP_LOST_EVERY == SRTP_LOST_EVERY - 1 && *n <= sizeof(copy);
	if (lost)
		memcpy(copy, p, *n);
	if (!index_guess(&index, st, h.seq) || srtp_replayed(st, index))
		err = EALREADY;
	else
		err = open_rtp(s, &h, index, p, len);
	if (err && err != EIO && lost && !open_lost(s, st, &h, &index, p, copy, len))
		err = 0;
	if (err)
		st->n_wrong++;
	if (err)
		return err;
	if (st == &fresh)
		st = srtp_stream_add(s->rtpv, &s->n_rtp, h.ssrc);
	st->n_wrong = 0;
	srtp_seen(st, index);
	*n = len;
	return 0;
}
