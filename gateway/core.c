/* gateway/core.c - what the rooms of the signalling thread share: sites, registry, tables of the calls.
 *
 * Signalling thread (before the loop runs and after it ended: the main thread, the same one).
 * Called by main.c; calls registry.c and quota.c. */
#include "gateway/core.h"
#include "gateway/certs.h"
#include "gateway/path.h"
#include "gateway/quota.h"
#include "gateway/registry.h"
#include "gateway/turn.h"
#include "lib/clock.h"
#include <strings.h>

enum { RINGING_BUCKETS = 1024 };

static int sites_fill(struct core *core)
{
	for (size_t i = 0; i < core->config->n_sites; i++) {
		struct site *site = mem_zalloc(sizeof(*site), NULL);

		if (!site)
			return ENOMEM;
		site->config = &core->config->sitev[i];
		snprintf(site->domain, sizeof(site->domain), "%s", site->config->domain);
		list_append(&core->sites, &site->le, site);
	}
	return 0;
}

int core_init(struct core *core, const struct config *config, struct loop *loop)
{
	const struct limits *limits = &config->limits;
	int err;

	memset(core, 0, sizeof(*core));
	core->config = config;
	core->loop = loop;
	core->started_us = clock_us();
	core->path_relay = path_relay_alloc;
	err = sites_fill(core);
	err = err ? err : registry_alloc(&core->registry, limits->devices_per_user);
	err = err ? err : certs_alloc(&core->certs, core);
	err = err ? err : hash_alloc(&core->ringing, RINGING_BUCKETS);
	/* twice the calls: as many keys again may only be waiting for their minute to end */
	err = err ? err
		  : quota_alloc(&core->quota_users, loop->timers, 2 * limits->calls);
	err = err ? err
		  : quota_alloc(&core->quota_peers, loop->timers, 2 * limits->calls);
	err = err ? err
		  : quota_alloc(&core->quota_relay, loop->timers, 2 * limits->calls);
	err = err ? err : turn_alloc(&core->turn, &config->turn);
	if (err)
		core_close(core);
	return err;
}

void core_close(struct core *core)
{
	list_flush(&core->calls); /* a call that is freed ends its legs */
	core->n_calls = 0;
	core->quota_users = mem_deref(core->quota_users);
	core->quota_peers = mem_deref(core->quota_peers);
	core->quota_relay = mem_deref(core->quota_relay);
	core->ringing = mem_deref(core->ringing);
	core->registry = mem_deref(core->registry);
	core->certs = mem_deref(core->certs);
	core->turn = mem_deref(core->turn);
	list_flush(&core->sites);
}

struct site *core_site_find(const struct core *core, const char *domain)
{
	struct le *le;

	LIST_FOREACH(&core->sites, le)
	{
		struct site *site = le->data;

		if (!strcasecmp(site->domain, domain))
			return site;
	}
	return NULL;
}
