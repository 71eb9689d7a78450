/* vectors.h - PASSporTs with their keys: published ones, and one of our own. */
#ifndef SLUSS_TESTS_UNIT_IDP_VECTORS_H
#define SLUSS_TESTS_UNIT_IDP_VECTORS_H

#include "lib/base.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

/* K1: made the signature of RFC 8225 §7.1; its private half stands in drafts of that RFC, its public one in A.2. */
#define K1_D "5799d51db4f100af72ee46b98c8c7c6e16eec1f89bdf7fede1d20cba5d625945"
#define K1_POINT                                                                         \
	"04f0735b41dfd39af08ac0f28790c17d7d271abc6787efc61353ca8b4bc2391cb1"             \
	"d24a69404cb72c950321342fce865581602eb6ea7225a3b5de79b612ed26f7ee"

#define RFC_HEADER                                                                       \
	"eyJhbGciOiJFUzI1NiIsInR5cCI6InBhc3Nwb3J0IiwieDV1IjoiaHR0cHM6Ly9jZXJ0"           \
	"LmV4YW1wbGUub3JnL3Bhc3Nwb3J0LmNlciJ9"
/* V1: RFC 8225 §7.1, RFC 8224 §4.1.1; signed is the time as a string. */
#define V1_PAYLOAD                                                                       \
	"eyJkZXN0Ijp7InVyaSI6WyJzaXA6YWxpY2VAZXhhbXBsZS5jb20iXX0sImlhdCI6IjE0"           \
	"NDMyMDgzNDUiLCJvcmlnIjp7InRuIjoiMTIxNTU1NTEyMTIifX0"
#define V1_NUMBER                                                                        \
	"eyJkZXN0Ijp7InVyaSI6WyJzaXA6YWxpY2VAZXhhbXBsZS5jb20iXX0sImlhdCI6MTQ0"           \
	"MzIwODM0NSwib3JpZyI6eyJ0biI6IjEyMTU1NTUxMjEyIn19"
#define V1_SIG                                                                           \
	"rq3pjT1hoRwakEGjHCnWSwUnshd0-zJ6F1VOgFWSjHBr8Qjpjlk-cpFYpFYsojNCpTzO"           \
	"3QfPOlckGaS6hEck7w"
/* V2: RFC 8225 A: right as a text, but its signature is of neither key. */
#define V2_PAYLOAD                                                                       \
	"eyJkZXN0Ijp7InVyaSI6WyJzaXA6YWxpY2VAZXhhbXBsZS5jb20iXX0sImlhdCI6MTQ3"           \
	"MTM3NTQxOCwib3JpZyI6eyJ0biI6IjEyMTU1NTUxMjEyIn19"
#define V2_SIG                                                                           \
	"VLBCIVDCaeK6M4hLJb6SHQvacAQVvoiiEOWQ_iUkqk79UD81fHQ0E1b3_GluIkba7UWY"           \
	"RM47ZbNFdOJquE35cw"
/* V3: with media keys, ours, by K1. */
#define V3_X5U "https://site-a.test/.well-known/sluss/cert.pem"
#define V3_HEADER                                                                        \
	"eyJhbGciOiJFUzI1NiIsInR5cCI6InBhc3Nwb3J0IiwieDV1IjoiaHR0cHM6Ly9zaXRl"           \
	"LWEudGVzdC8ud2VsbC1rbm93bi9zbHVzcy9jZXJ0LnBlbSJ9"
#define V3_PAYLOAD                                                                       \
	"eyJkZXN0Ijp7InVyaSI6WyJzaXA6Ym9iQHNpdGUtYi50ZXN0Il19LCJpYXQiOjE0NDMy"           \
	"MDgzNDUsIm1reSI6W3siYWxnIjoic2hhLTI1NiIsImRpZyI6IjAyMUFDQzU0MjdBQkVC"           \
	"OUM1MzNGM0U0QjY1MkU3RDQ2M0Y1NDQyQ0Q1NEYxN0EwM0EyN0RGOUIwN0Y0NjE5QjIi"           \
	"fSx7ImFsZyI6InNoYS0yNTYiLCJkaWciOiI0QUFEQjlCMTNGODIxODNCNTQwMjEyREYz"           \
	"RTVENDk2QjE5RTU3Q0FCM0U0QjY1MkU3RDQ2M0Y1NDQyQ0Q1NEYxIn1dLCJvcmlnIjp7"           \
	"InVyaSI6InNpcDphbGljZUBzaXRlLWEudGVzdCJ9fQ"
#define V3_SIG                                                                           \
	"13aHYv_aUWQLYYSaHyCX0XNSTPMkFPrq98JpH1bGHPrqxJSFDZbx1vTL-GAPgGr2nixS"           \
	"sUUdK3e1uYa3iqPNfA"
#define V3_SDP                                                                           \
	"v=0\r\na=fingerprint:sha-256 "                                                  \
	"4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:3E:4B:65:2E:7D:"    \
	"46:3F:54:42:CD:54:F1\r\na=fingerprint:sha-256 "                                 \
	"02:1A:CC:54:27:AB:EB:9C:53:3F:3E:4B:65:2E:7D:46:3F:54:42:CD:54:F1:7A:03:A2:"    \
	"7D:F9:B0:7F:46:19:B2\r\n"

/* V4: RFC 7515 A.3; no PASSporT, but the signature is of the same kind. */
#define V4_POINT                                                                         \
	"047fcdce2770f6c45d4183cbee6fdb4b7b580733357be9ef13bacf6e3c7bd15445"             \
	"c7f144cd1bbd9b7e872cdfedb9eeb9f4b3695d6ea90b24ad8a4623288588e5ad"
#define V4_INPUT                                                                         \
	"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQog"          \
	"Imh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define V4_SIG                                                                           \
	"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQ"           \
	"xfKTUJqPP3-Kg6NU1Q"

static inline void vector_hex(uint8_t *out, const char *hex)
{
	for (unsigned v; *hex; hex += 2) {
		if (sscanf(hex, "%2x", &v) != 1)
			abort();
		*out++ = (uint8_t)v;
	}
}

/* A P-256 key of its numbers; `d` may be NULL. */
static inline EVP_PKEY *vector_key(const char *point, const char *d)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM *params;
	BIGNUM *bn = NULL;
	uint8_t raw[65];

	vector_hex(raw, point);
	OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
	OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, raw, sizeof(raw));
	if (d && BN_hex2bn(&bn, d))
		OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, bn);
	params = OSSL_PARAM_BLD_to_param(bld);
	if (!params || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1)
		abort();
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	EVP_PKEY_CTX_free(ctx);
	BN_free(bn);
	return pkey;
}

#endif
