/* tests/fuzz/fuzz_addr.c - the strict address parsers: whatever is accepted is canonical, and says the
 * same when it is read again. */
#include "gateway/addr.h"

#define MUST(x)                                                                          \
	do {                                                                             \
		if (!(x))                                                                \
			abort();                                                         \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void canonical(const struct addr *a)
{
	char text[ADDR_TEXT_MAX + 1], uri[ADDR_TEXT_MAX + 8];
	struct addr again;

	addr_text(text, a);
	MUST(addr_parse(&again, text, strlen(text)) == 0 && addr_equal(&again, a));
	snprintf(uri, sizeof(uri), "sip:%s", text);
	MUST(addr_parse_uri(&again, uri, strlen(uri)) == 0 && addr_equal(&again, a));
	for (const char *p = text; *p; p++)
		MUST((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') ||
		     strchr("._+-@", *p));
	MUST(strlen(a->host) <= ADDR_HOST_MAX && strlen(a->user) <= ADDR_USER_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	struct addr a;
	char host[ADDR_HOST_MAX + 1], user[ADDR_USER_MAX + 1], name[64], name2[64];

	if (addr_parse(&a, p, size) == 0)
		canonical(&a);
	if (addr_parse_uri(&a, p, size) == 0)
		canonical(&a);
	if (addr_host_parse(host, p, size) == 0)
		MUST(addr_host_parse(host, host, strlen(host)) == 0);
	if (addr_user_parse(user, p, size) == 0)
		MUST(addr_user_parse(user, user, strlen(user)) == 0);
	addr_name_clean(name, sizeof(name), p, size);
	MUST(strlen(name) < sizeof(name));
	addr_name_clean(name2, sizeof(name2), name, strlen(name));
	MUST(!strcmp(name, name2));
	return 0;
}
