/* tests/fuzz/fuzz_identity.c - values of Identity headers (idp/header.c) and what they carry (idp/passport.c), the
 * names in From and To (idp/name.c), media keys of a description (idp/mky.c). */
#include "idp/passport.h"

#define MUST(x)                                                                          \
	do {                                                                             \
		if (!(x))                                                                \
			abort();                                                         \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void names(const char *p, size_t n)
{
	struct name name, again;
	char uri[NAME_TEXT_MAX + 8];

	if (name_parse(&name, p, n))
		return;
	snprintf(uri, sizeof(uri), "%s%s", name.tn ? "tel:" : "", name.text);
	MUST(!name_parse(&again, uri, strlen(uri)) && name_equal(&name, &again));
}

static void keys(const char *p, size_t n)
{
	struct mky m;

	if (mky_read(&m, p, n))
		return;
	MUST(m.n <= MKY_MAX && mky_equal(&m, &m));
	for (size_t i = 1; i < m.n; i++)
		MUST(memcmp(&m.v[i - 1], &m.v[i], sizeof(m.v[i])) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data, *why = NULL;
	struct passport passport;
	struct header h;

	names(p, size);
	keys(p, size);
	if (header_parse(&h, &why, p, size)) {
		MUST(why);
		return 0;
	}
	MUST(*h.info && *h.alg && h.signature.l && h.compact == !h.payload.l);
	if (!h.compact && passport_parse(&passport, &why, &h.header, &h.payload))
		MUST(why);
	return 0;
}
