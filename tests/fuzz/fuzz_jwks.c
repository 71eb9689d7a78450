/* tests/fuzz/fuzz_jwks.c - sets of keys of identity providers (idp/jwks.c). */
#include "idp/jwks.h"

#define MUST(x)                                                                          \
	do {                                                                             \
		if (!(x))                                                                \
			abort();                                                         \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t sig[ES256_BYTES] = {1};
	const char *why = NULL;
	struct jwks *j = NULL;
	struct es256 *key;

	if (jwks_alloc(&j, &why, data, size)) {
		MUST(why && !j);
		return 0;
	}
	MUST(jwks_count(j) > 0 && jwks_count(j) <= JWKS_KEYS_MAX);
	MUST(!jwks_key(j, ""));
	key = jwks_key(j, "k1");
	if (key)
		MUST(es256_verify(key, sig, "x", 1) == EBADMSG);
	mem_deref(j);
	return 0;
}
