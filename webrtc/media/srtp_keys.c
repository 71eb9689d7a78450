/* webrtc/media/srtp_keys.c - from a master key and salt to keyed contexts (RFC 3711 §4.3, RFC 7714 §11).
 *
 * Called once a direction, when DTLS has made the keys; calls OpenSSL's EVP. */
#include "webrtc/media/srtp_own.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "lib/secret.h"

/* RFC 3711 §4.3.1 and §4.3.2: the labels of RTP; those of RTCP are three more. */
enum { LABEL_KEY = 0, LABEL_AUTH = 1, LABEL_SALT = 2, LABEL_RTCP = 3, AUTH_KEY = 20 };

static const struct suite {
	enum srtp_suite suite;
	const char *name;
	size_t n_key, n_salt;
	bool gcm;
	size_t n_tag;
} suites[] = {
	{SRTP_SUITE_AES_128_GCM, "AEAD_AES_128_GCM", 16, 12, true, SRTP_TAG_GCM},
	{SRTP_SUITE_AES_256_GCM, "AEAD_AES_256_GCM", 32, 12, true, SRTP_TAG_GCM},
	{SRTP_SUITE_AES_CM_128_HMAC_SHA1_80, "AES_CM_128_HMAC_SHA1_80", 16, 14, false,
	 SRTP_TAG_SHA1},
	{SRTP_SUITE_AES_CM_128_HMAC_SHA1_32, "AES_CM_128_HMAC_SHA1_32", 16, 14, false,
	 SRTP_TAG_SHA1_SHORT},
};

static const struct suite *suite_find(enum srtp_suite suite)
{
	for (size_t i = 0; i < N_ELEMS(suites); i++)
		if (suites[i].suite == suite)
			return &suites[i];
	return NULL;
}

size_t srtp_key_bytes(enum srtp_suite suite)
{
	const struct suite *s = suite_find(suite);

	return s ? s->n_key : 0;
}

size_t srtp_salt_bytes(enum srtp_suite suite)
{
	const struct suite *s = suite_find(suite);

	return s ? s->n_salt : 0;
}

const char *srtp_suite_name(enum srtp_suite suite)
{
	const struct suite *s = suite_find(suite);

	return s ? s->name : "?";
}

/** The PRF is AES in counter mode over zeros, from (salt XOR label * 2^48) * 2^16; a salt of 96 bits is
 *  filled up with zeros behind. */
static int derive(uint8_t *out, size_t n, const struct suite *s, const uint8_t *key,
		  const uint8_t *salt, uint8_t label)
{
	const EVP_CIPHER *aes = s->n_key == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t iv[16] = {0};
	int err = 0, len;

	if (!c)
		return ENOMEM;
	memcpy(iv, salt, s->n_salt);
	iv[7] ^= label;
	memset(out, 0, n);
	if (EVP_EncryptInit_ex(c, aes, NULL, key, iv) != 1 ||
	    EVP_EncryptUpdate(c, out, &len, out, (int)n) != 1)
		err = EIO;
	EVP_CIPHER_CTX_free(c);
	return err;
}

static int cipher_make(struct srtp_keys *k, const struct suite *s, const uint8_t *key)
{
	const EVP_CIPHER *aes = EVP_aes_128_ctr();

	if (s->gcm)
		aes = s->n_key == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
	k->cipher = EVP_CIPHER_CTX_new();
	if (!k->cipher)
		return ENOMEM;
	/* counter mode only ever encrypts; with GCM the direction is set packet by packet, the key stays */
	return EVP_CipherInit_ex(k->cipher, aes, NULL, key, NULL, 1) == 1 ? 0 : EIO;
}

static int mac_make(struct srtp_keys *k, const uint8_t key[AUTH_KEY])
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA1"},
						 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);

	if (!hmac)
		return EIO;
	k->mac = EVP_MAC_CTX_new(hmac);
	EVP_MAC_free(hmac);
	if (!k->mac)
		return ENOMEM;
	return EVP_MAC_init(k->mac, key, AUTH_KEY, params) == 1 ? 0 : EIO;
}

static int keys_make(struct srtp_keys *k, const struct suite *s, const uint8_t *key,
		     const uint8_t *salt, uint8_t first)
{
	uint8_t enc[SRTP_KEY_MAX], auth[AUTH_KEY];
	int err;

	err = derive(enc, s->n_key, s, key, salt, first + LABEL_KEY);
	if (!err)
		err = derive(k->salt, s->n_salt, s, key, salt, first + LABEL_SALT);
	if (!err)
		err = cipher_make(k, s, enc);
	if (!err && !s->gcm)
		err = derive(auth, sizeof(auth), s, key, salt, first + LABEL_AUTH);
	if (!err && !s->gcm)
		err = mac_make(k, auth);
	secret_wipe(enc, sizeof(enc));
	secret_wipe(auth, sizeof(auth));
	return err;
}

static void destructor(void *arg)
{
	struct srtp *s = arg;

	EVP_CIPHER_CTX_free(s->rtp.cipher);
	EVP_CIPHER_CTX_free(s->rtcp.cipher);
	EVP_MAC_CTX_free(s->rtp.mac);
	EVP_MAC_CTX_free(s->rtcp.mac);
	secret_wipe(s->rtp.salt, sizeof(s->rtp.salt));
	secret_wipe(s->rtcp.salt, sizeof(s->rtcp.salt));
}

int srtp_alloc(struct srtp **sp, enum srtp_suite suite, const uint8_t *key,
	       const uint8_t *salt)
{
	const struct suite *su = suite_find(suite);
	struct srtp *s;
	int err;

	if (!su)
		return EINVAL;
	s = mem_zalloc(sizeof(*s), destructor);
	if (!s)
		return ENOMEM;
	s->gcm = su->gcm;
	s->n_tag = su->n_tag;
	s->n_tag_rtcp = su->gcm ? SRTP_TAG_GCM : SRTP_TAG_SHA1;
	err = keys_make(&s->rtp, su, key, salt, 0);
	if (!err)
		err = keys_make(&s->rtcp, su, key, salt, LABEL_RTCP);
	if (err)
		mem_deref(s);
	else
		*sp = s;
	return err;
}
