/* lib/secret.c - randomness, SHA-256, HMAC, scrypt, constant-time comparison, wiping: OpenSSL 3's EVP
 * behind our names. Any thread; scrypt in the back office only. RFC 7914 (scrypt), RFC 2104 (HMAC). */
#include "lib/secret.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/rand.h>

/* Small requests are served from a pool of the thread's own: OpenSSL's generator costs a system call and a microsecond
 * each time, whatever the length. What was given out is wiped from it at once. */
enum { POOL_BYTES = 512, POOL_MAX = 64 };
static _Thread_local struct {
	uint8_t bytes[POOL_BYTES];
	size_t left;
} pool;

static void random_fill(void *buf, size_t n)
{
	if (n > INT32_MAX || RAND_bytes(buf, (int)n) != 1)
		abort();
}

void secret_random(void *buf, size_t n)
{
	if (n > POOL_MAX) {
		random_fill(buf, n);
		return;
	}
	if (pool.left < n) {
		random_fill(pool.bytes, POOL_BYTES);
		pool.left = POOL_BYTES;
	}
	pool.left -= n;
	memcpy(buf, pool.bytes + pool.left, n);
	secret_wipe(pool.bytes + pool.left, n);
}

void secret_hex(char *buf, size_t n_hex)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t raw[64];
	size_t o = 0;

	while (o + 2 <= n_hex) {
		size_t n = (n_hex - o) / 2;

		if (n > sizeof(raw))
			n = sizeof(raw);
		secret_random(raw, n);
		for (size_t i = 0; i < n; i++) {
			buf[o++] = digits[raw[i] >> 4];
			buf[o++] = digits[raw[i] & 15];
		}
	}
	buf[o] = '\0';
	secret_wipe(raw, sizeof(raw));
}

uint64_t secret_u64(void)
{
	uint64_t v;

	secret_random(&v, sizeof(v));
	return v;
}

int secret_sha256(uint8_t out[SECRET_SHA256_BYTES], const void *p, size_t n)
{
	return EVP_Digest(p, n, out, NULL, EVP_sha256(), NULL) == 1 ? 0 : EIO;
}

int secret_sha256_hex(char out[2 * SECRET_SHA256_BYTES + 1], const void *p, size_t n)
{
	uint8_t sum[SECRET_SHA256_BYTES];
	int err = secret_sha256(sum, p, n);

	if (err)
		return err;
	for (size_t i = 0; i < sizeof(sum); i++)
		snprintf(out + 2 * i, 3, "%02x", sum[i]);
	return 0;
}

int secret_hmac_sha256(uint8_t out[SECRET_SHA256_BYTES], const void *key, size_t key_len,
		       const void *p, size_t n)
{
	if (key_len > INT32_MAX)
		return EINVAL;
	return HMAC(EVP_sha256(), key, (int)key_len, p, n, out, NULL) ? 0 : EIO;
}

struct secret_mac {
	EVP_MAC_CTX *keyed;
};

static void mac_destroy(void *arg)
{
	EVP_MAC_CTX_free(((struct secret_mac *)arg)->keyed);
}

int secret_mac_alloc(struct secret_mac **mp, const void *key, size_t key_len)
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	struct secret_mac *m = mem_zalloc(sizeof(*m), mac_destroy);
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	int err = m && mac && key_len ? 0 : key_len ? ENOMEM : EINVAL;

	if (!err) {
		m->keyed = EVP_MAC_CTX_new(mac);
		if (!m->keyed || EVP_MAC_init(m->keyed, key, key_len, params) != 1)
			err = ENOMEM;
	}
	EVP_MAC_free(mac);
	if (err)
		mem_deref(m);
	else
		*mp = m;
	return err;
}

int secret_mac(uint8_t out[SECRET_SHA256_BYTES], struct secret_mac *m, const void *p,
	       size_t n)
{
	size_t len = 0;

	return EVP_MAC_init(m->keyed, NULL, 0, NULL) == 1 &&
			       EVP_MAC_update(m->keyed, p, n) == 1 &&
			       EVP_MAC_final(m->keyed, out, &len, SECRET_SHA256_BYTES) ==
				       1 &&
			       len == SECRET_SHA256_BYTES
		       ? 0
		       : EIO;
}

int secret_hmac_sha1_base64(char out[SECRET_HMAC_SHA1_BASE64], const void *key,
			    size_t key_len, const void *p, size_t n)
{
	uint8_t mac[20];

	if (key_len > INT32_MAX)
		return EINVAL;
	if (!HMAC(EVP_sha1(), key, (int)key_len, p, n, mac, NULL))
		return EIO;
	EVP_EncodeBlock((uint8_t *)out, mac, sizeof(mac));
	secret_wipe(mac, sizeof(mac));
	return 0;
}

bool secret_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

void secret_wipe(void *p, size_t n)
{
	OPENSSL_cleanse(p, n);
}

/* A secret is text without a NUL, so its length is found again when it is wiped. */
static void secret_destroy(void *p)
{
	secret_wipe(p, strlen(p));
}

char *secret_dup(const char *p, size_t n)
{
	char *s;

	if (memchr(p, '\0', n))
		return NULL;
	s = mem_alloc(n + 1, secret_destroy);
	if (s) {
		memcpy(s, p, n);
		s[n] = '\0';
	}
	return s;
}

enum { PASSWORD_SALT = 16, PASSWORD_KEY = 32, PASSWORD_R = 8, PASSWORD_P = 1 };

/* Base64 without padding (RFC 4648 §3.2); n is 16 or 32, `out` has room. */
static void password_b64(char *out, const uint8_t *p, int n)
{
	int len = EVP_EncodeBlock((uint8_t *)out, p, n);

	while (len > 0 && out[len - 1] == '=')
		len--;
	out[len] = '\0';
}

/* Errors: EINVAL unless exactly `n` bytes come out of `len` characters. */
static int password_unb64(uint8_t *out, size_t n, const char *p, size_t len)
{
	char text[48];
	uint8_t raw[48];
	size_t want = (n * 8 + 5) / 6;

	if (len != want || want > sizeof(text) - 4)
		return EINVAL;
	memcpy(text, p, len);
	while (len % 4)
		text[len++] = '=';
	if (EVP_DecodeBlock(raw, (const uint8_t *)text, (int)len) < (int)n)
		return EINVAL;
	memcpy(out, raw, n);
	return 0;
}

static int password_scrypt(uint8_t key[PASSWORD_KEY], const char *pw, size_t n,
			   const uint8_t salt[PASSWORD_SALT], unsigned log2_n)
{
	uint64_t cost = (uint64_t)1 << log2_n;
	/* 128 * N * r bytes are needed; OpenSSL's own bound of 32 MiB is N = 2^15 and a little. */
	uint64_t memory = 128u * cost * PASSWORD_R + (1u << 20);

	return EVP_PBE_scrypt(pw, n, salt, PASSWORD_SALT, cost, PASSWORD_R, PASSWORD_P,
			      memory, key, PASSWORD_KEY) == 1
		       ? 0
		       : EIO;
}

int secret_password_hash(char out[SECRET_PASSWORD_TEXT], const char *pw, size_t n,
			 unsigned log2_n)
{
	uint8_t salt[PASSWORD_SALT], key[PASSWORD_KEY];
	char salt_text[32], key_text[64];
	int err;

	if (log2_n < 10 || log2_n > 20)
		return EINVAL;
	secret_random(salt, sizeof(salt));
	err = password_scrypt(key, pw, n, salt, log2_n);
	if (err)
		return err;
	password_b64(salt_text, salt, sizeof(salt));
	password_b64(key_text, key, sizeof(key));
	snprintf(out, SECRET_PASSWORD_TEXT, "$scrypt$ln=%u,r=%d,p=%d$%s$%s", log2_n,
		 PASSWORD_R, PASSWORD_P, salt_text, key_text);
	secret_wipe(key, sizeof(key));
	secret_wipe(key_text, sizeof(key_text));
	return 0;
}

int secret_password_check(const char *hash, const char *pw, size_t n)
{
	uint8_t salt[PASSWORD_SALT], want[PASSWORD_KEY], key[PASSWORD_KEY];
	const char *salt_text, *key_text;
	unsigned log2_n;
	int used = 0, err;

	if (sscanf(hash, "$scrypt$ln=%2u,r=8,p=1$%n", &log2_n, &used) != 1 || !used ||
	    log2_n < 10 || log2_n > 20)
		return EINVAL;
	salt_text = hash + used;
	key_text = strchr(salt_text, '$');
	if (!key_text)
		return EINVAL;
	err = password_unb64(salt, sizeof(salt), salt_text,
			     (size_t)(key_text - salt_text));
	if (!err)
		err = password_unb64(want, sizeof(want), key_text + 1,
				     strlen(key_text + 1));
	if (!err)
		err = password_scrypt(key, pw, n, salt, log2_n);
	if (!err && !secret_equal(want, key, sizeof(key)))
		err = EACCES;
	secret_wipe(key, sizeof(key));
	return err;
}
