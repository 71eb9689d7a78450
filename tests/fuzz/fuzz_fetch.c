/* tests/fuzz/fuzz_fetch.c - an HTTP answer of a stranger's server, header and body: how long it may be kept
 * (idp/fetch.c), and the body as a certificate (idp/credential.c). libcurl's own part is not ours to fuzz. */
#include "idp/credential.h"
#include "idp/fetch.h"

#define MUST(x)                                                                          \
	do {                                                                             \
		if (!(x))                                                                \
			abort();                                                         \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void credential(const void *p, size_t n)
{
	static struct authorities authorities;
	char why[CREDENTIAL_WHY_BYTES] = "";
	struct credential *c = NULL;
	struct name name;

	if (!authorities.sites)
		authorities.sites = X509_STORE_new();
	if (credential_alloc(&c, &authorities, p, n))
		abort();
	MUST(!name_parse(&name, "sip:alice@a.test", 16));
	/* nobody is trusted here, so nobody is vouched for */
	MUST(*c->why && !c->for_sites && !c->for_numbers);
	MUST(!credential_covers(c, why, &name) && *why);
	mem_deref(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data, *end = p + size;
	struct fetch_age age = {0};
	struct fetch_age again;

	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((lf ? lf : end) - p);

		again = age;
		fetch_age_read(&age, p, n);
		fetch_age_read(&again, p, n);
		MUST(again.max_age_s == age.max_age_s && again.no_store == age.no_store);
		if (lf && (!n || (n == 1 && *p == '\r'))) {
			p = lf + 1;
			break;
		}
		p = lf ? lf + 1 : end;
	}
	credential(p, (size_t)(end - p));
	return 0;
}
