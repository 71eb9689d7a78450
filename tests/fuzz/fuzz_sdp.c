/* tests/fuzz/fuzz_sdp.c - the validating walk over descriptions. */
#include "gateway/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sdp_facts facts;
	const char *why = NULL;
	int err = sdp_check(&facts, &why, (const char *)data, size, 65536);

	if (err ? !why : !facts.n_media || facts.n_media > 64)
		abort();
	return 0;
}
