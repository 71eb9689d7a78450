/* tests/fuzz/fuzz_sdes.c - a=crypto lines; what was taken is printed, and must be read as the same. */
#include "gateway/sdes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct media_sdes keys, again;
	char text[SDES_TEXT];
	uint32_t tag, tag2;

	if (sdes_parse(&keys, &tag, (const char *)data, size))
		return 0;
	if (!tag || tag > SDES_TAG_MAX || sdes_print(text, tag, &keys) ||
	    sdes_parse(&again, &tag2, text, strlen(text)) || tag2 != tag ||
	    memcmp(&again, &keys, sizeof(keys)) != 0)
		abort();
	return 0;
}
