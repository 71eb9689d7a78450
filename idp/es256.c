/* idp/es256.c - see es256.h. The identity thread (worker.c, judge.c); OpenSSL's EVP and its DER form of a signature,
 * SEQUENCE { INTEGER r, INTEGER s }, are met nowhere else. The contexts are kept: to make them for each signature
 * costs a fifth of it. RFC 7518 §3.4, RFC 3279 §2.2.3. */
#include "idp/es256.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>

#include "lib/secret.h"

enum { DER_MAX = 80, HALF = ES256_BYTES / 2 };

struct es256 {
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *sign, *verify; /* made when first used */
};

static void destructor(void *arg)
{
	struct es256 *k = arg;

	EVP_PKEY_CTX_free(k->sign);
	EVP_PKEY_CTX_free(k->verify);
	EVP_PKEY_free(k->pkey);
}

int es256_alloc(struct es256 **kp, EVP_PKEY *pkey)
{
	struct es256 *k;
	char group[32];
	size_t n;

	if (!EVP_PKEY_is_a(pkey, "EC") ||
	    EVP_PKEY_get_group_name(pkey, group, sizeof(group), &n) != 1 ||
	    strcmp(group, "prime256v1") != 0) {
		ERR_clear_error();
		return ENOTSUP;
	}
	k = mem_zalloc(sizeof(*k), destructor);
	if (!k || EVP_PKEY_up_ref(pkey) != 1) {
		mem_deref(k);
		return ENOMEM;
	}
	k->pkey = pkey;
	*kp = k;
	return 0;
}

static int from_der(uint8_t sig[ES256_BYTES], const uint8_t *der, size_t n)
{
	const uint8_t *p = der;
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &p, (long)n);
	int err = EIO;

	if (s && BN_bn2binpad(ECDSA_SIG_get0_r(s), sig, HALF) == HALF &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(s), sig + HALF, HALF) == HALF)
		err = 0;
	ECDSA_SIG_free(s);
	return err;
}

static size_t to_der(uint8_t der[DER_MAX], const uint8_t sig[ES256_BYTES])
{
	ECDSA_SIG *s = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(sig, HALF, NULL), *t = BN_bin2bn(sig + HALF, HALF, NULL);
	uint8_t *p = der;
	int n = 0;

	if (s && r && t && ECDSA_SIG_set0(s, r, t) == 1) {
		r = t = NULL; /* the signature's now */
		n = i2d_ECDSA_SIG(s, NULL);
		n = n > 0 && n <= DER_MAX ? i2d_ECDSA_SIG(s, &p) : 0;
	}
	BN_free(r);
	BN_free(t);
	ECDSA_SIG_free(s);
	return n > 0 ? (size_t)n : 0;
}

static EVP_PKEY_CTX *context(EVP_PKEY_CTX **ctxp, EVP_PKEY *pkey,
			     int (*init)(EVP_PKEY_CTX *ctx))
{
	EVP_PKEY_CTX *ctx = *ctxp;

	if (ctx)
		return ctx;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	if (ctx && init(ctx) != 1) {
		EVP_PKEY_CTX_free(ctx);
		ctx = NULL;
	}
	*ctxp = ctx;
	return ctx;
}

int es256_sign(struct es256 *k, uint8_t sig[ES256_BYTES], const void *p, size_t n)
{
	EVP_PKEY_CTX *ctx = context(&k->sign, k->pkey, EVP_PKEY_sign_init);
	uint8_t hash[SECRET_SHA256_BYTES], der[DER_MAX];
	size_t len = sizeof(der);
	int err = EIO;

	if (ctx && !secret_sha256(hash, p, n) &&
	    EVP_PKEY_sign(ctx, der, &len, hash, sizeof(hash)) == 1)
		err = from_der(sig, der, len);
	ERR_clear_error();
	return err;
}

int es256_verify(struct es256 *k, const uint8_t sig[ES256_BYTES], const void *p, size_t n)
{
	EVP_PKEY_CTX *ctx = context(&k->verify, k->pkey, EVP_PKEY_verify_init);
	uint8_t hash[SECRET_SHA256_BYTES], der[DER_MAX];
	size_t len = to_der(der, sig);
	int err = EBADMSG;

	if (ctx && len && !secret_sha256(hash, p, n) &&
	    EVP_PKEY_verify(ctx, der, len, hash, sizeof(hash)) == 1)
		err = 0;
	ERR_clear_error();
	return err;
}
