/* idp/es256.h - ECDSA with P-256 and SHA-256, the signature as JOSE has it: r and s, 32 bytes each (RFC 7518 §3.4). */
#ifndef SLUSS_IDP_ES256_H
#define SLUSS_IDP_ES256_H

#include "lib/base.h"
#include <openssl/evp.h>

enum { ES256_BYTES = 64 };

/** A key, made ready once. Owns: a reference of `pkey`. One thread; mem_deref.
 *  Errors: ENOTSUP it is no P-256 key; ENOMEM. */
struct es256;
int es256_alloc(struct es256 **kp, EVP_PKEY *pkey);
/** Errors: EIO when OpenSSL fails (also: there is no private half). */
int es256_sign(struct es256 *k, uint8_t sig[ES256_BYTES], const void *p, size_t n);
/** Errors: EBADMSG it is not the signature of these bytes by this key. */
int es256_verify(struct es256 *k, const uint8_t sig[ES256_BYTES], const void *p,
		 size_t n);

#endif
