/* tests/fuzz/fuzz_config.c - the configuration file: whatever it holds, it is either taken and makes sense, or
 * refused with lines that say where. */
#include "gateway/config.h"

#define MUST(x)                                                                          \
	do {                                                                             \
		if (!(x))                                                                \
			abort();                                                         \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the rooms rely on. */
static void sensible(const struct config *c)
{
	MUST(c->n_sites > 0 && c->n_http > 0);
	for (size_t i = 0; i < c->n_sites; i++) {
		MUST(*c->sitev[i].domain);
		MUST(!c->sitev[i].certificate == !c->sitev[i].key);
		MUST(config_site_find(c, c->sitev[i].domain) == &c->sitev[i]);
	}
	for (size_t i = 0; i < c->n_peers; i++)
		MUST(config_peer_find(c, c->peerv[i].domain) == &c->peerv[i]);
	for (size_t i = 0; i < config_limits_n; i++) {
		uint32_t v = *(const uint32_t *)(const void *)((const char *)&c->limits +
							       config_limits[i].offset);

		MUST(v >= config_limits[i].min && v <= config_limits[i].max);
	}
	MUST(c->store_path && c->control_path && c->web_root && c->sip_trust);
	MUST(c->log_level && (c->user || !c->group));
}

/* Lines "fuzz: …" or "fuzz:NUMBER: …", and nothing that would steer a terminal. */
static void readable(const char *report)
{
	MUST(*report);
	while (*report) {
		const char *end = strchr(report, '\n');

		MUST(end && !strncmp(report, "fuzz:", 5));
		for (const char *p = report; p < end; p++)
			MUST((unsigned char)*p >= 0x20 && *p != 0x7f);
		report = end + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *c = NULL;
	char *report = NULL;
	int err = config_parse(&c, &report, "fuzz", (const char *)data, size);

	MUST(err == 0 || err == EINVAL);
	MUST((err == 0) == (c != NULL));
	MUST(!err || report);
	if (c)
		sensible(c);
	if (report)
		readable(report);
	mem_deref(report);
	mem_deref(c);
	return 0;
}
