/* lib/secret.h - randomness, hashes, the password function and wiping. The one file of lib/ that
 * calls OpenSSL's EVP. Any thread. */
#ifndef SLUSS_LIB_SECRET_H
#define SLUSS_LIB_SECRET_H

#include "lib/base.h"

/** Fills with random bytes; aborts when the system has none, since nothing safe can follow. */
void secret_random(void *buf, size_t n);
/** Random hex text: `n_hex` digits and a NUL into `buf`; n_hex is even. */
void secret_hex(char *buf, size_t n_hex);
uint64_t secret_u64(void);

enum { SECRET_SHA256_BYTES = 32 };
/** Errors: EIO when OpenSSL fails. */
int secret_sha256(uint8_t out[SECRET_SHA256_BYTES], const void *p, size_t n);
int secret_sha256_hex(char out[2 * SECRET_SHA256_BYTES + 1], const void *p, size_t n);
int secret_hmac_sha256(uint8_t out[SECRET_SHA256_BYTES], const void *key, size_t key_len,
		       const void *p, size_t n);
/** HMAC-SHA-256 (RFC 2104) with a key that stays: a quarter of the time of secret_hmac_sha256() for a short text.
 *  One thread; wiped when freed (mem_deref). Errors: ENOMEM, EINVAL. */
struct secret_mac;
int secret_mac_alloc(struct secret_mac **mp, const void *key, size_t key_len);
/** Errors: EIO when OpenSSL fails. */
int secret_mac(uint8_t out[SECRET_SHA256_BYTES], struct secret_mac *m, const void *p,
	       size_t n);
/** For peers that speak nothing newer. out: text with its NUL.  Errors: EINVAL, EIO. */
enum { SECRET_HMAC_SHA1_BASE64 = 29 };
int secret_hmac_sha1_base64(char out[SECRET_HMAC_SHA1_BASE64], const void *key,
			    size_t key_len, const void *p, size_t n);
/** Constant time in `n`. */
bool secret_equal(const void *a, const void *b, size_t n);
void secret_wipe(void *p, size_t n);
/** A heap copy of text that is wiped when freed (mem_deref). NULL: out of memory, or a NUL inside. */
char *secret_dup(const char *p, size_t n);

/** Hashes a password: scrypt (RFC 7914), N=2^log2_n, r=8, p=1, 16 random bytes of salt; text
 *  "$scrypt$ln=15,r=8,p=1$SALT$HASH" (base64 without padding). log2_n 10..20, normally 15.
 *  Takes tens of milliseconds: back office only.  Errors: ENOMEM, EINVAL, EIO. */
enum { SECRET_PASSWORD_TEXT = 128 };
int secret_password_hash(char out[SECRET_PASSWORD_TEXT], const char *pw, size_t n,
			 unsigned log2_n);
/** Errors: 0 it is the one; EACCES it is not; EINVAL the text is no hash. Constant time compare. */
int secret_password_check(const char *hash, const char *pw, size_t n);

#endif
