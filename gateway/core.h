/* gateway/core.h - what the signalling thread's rooms share: made by main.c, passed to each room. */
#ifndef SLUSS_GATEWAY_CORE_H
#define SLUSS_GATEWAY_CORE_H

#include "gateway/addr.h"
#include "gateway/config.h"
#include "gateway/leg.h"
#include "gateway/loop.h"
#include "lib/base.h"

struct account_service;
struct certs;
struct kept;
struct identity_ops;
struct media_ops;
struct office;
struct path;
struct path_setup;
struct provider_ops;
struct quota;
struct registry;
struct spend;
struct trunk_state;
struct turn;

/** A domain served here. Everything that differs between sites hangs off this. */
struct site {
	struct le le;
	const struct site_config *config;
	char domain[ADDR_HOST_MAX + 1];
	/* certs.c: its certificate in service; no certificate: 0 */
	int64_t cert_until_s; /**< since 1970 */
	char cert_trouble
		[160]; /**< why its files could not be used when read last; empty: they could */
	int64_t cert_warned_s; /**< on the loop's clock, when `cert_warned` */
	bool cert_warned;
};

/** The SIP room as the core sees it; all NULL when no SIP is configured. */
struct federation_ops {
	/** An outgoing leg from a user of `site` to a user of the foreign `domain`. */
	int (*leg_alloc)(struct leg **legp, void *arg, struct call *call,
			 const struct site *site, const char *domain);
	/** For slussctl: one JSON-free walk over the peers known now. */
	void (*peers)(void *arg,
		      void (*h)(const char *domain, const char *state, unsigned n_conns,
				unsigned n_calls, const char *last_error, void *harg),
		      void *harg);
};

/** Trunks as the core sees them: configured legacy systems. NULL when there are none. */
struct trunk_ops {
	/** An outgoing leg to this trunk; invite->to is the number there. Errors: ENOMEM, ENOTCONN. */
	int (*leg_alloc)(struct leg **legp, void *arg, struct call *call,
			 const struct trunk_config *trunk);
	/** For slussctl: how each stands, in the order of the file. */
	void (*each)(void *arg,
		     void (*h)(const struct trunk_config *trunk,
			       const struct trunk_state *state, void *harg),
		     void *harg);
};
struct trunk_state {
	const char *
		state; /**< "up", "down", "unknown": what its last answer, or silence, says */
	const char *registration; /**< "registered", "refused", "trying", "none" */
	const char *address;      /**< that is in use; empty: none yet */
	unsigned n_calls;
	int64_t until_s; /**< the registration holds; since 1970; 0: none */
	const char *last_error;
};

enum { CORE_QUEUES_MAX = 8 };

struct core_counters {
	uint64_t n_calls_started, n_calls_established, n_calls_failed;
	uint64_t n_invariants; /**< broken invariants met (that call was dropped) */
};

struct core {
	const struct config *config;
	struct loop *loop;
	struct list sites; /* struct site */
	struct registry *registry;
	struct office *office;
	struct account_service *accounts;
	struct certs *certs;
	struct kept *kept; /**< calls that may be joined again; NULL: none are kept */
	struct spend
		*spend; /**< minutes talked on trunks today; NULL: there are no trunks */
	struct turn *turn; /**< STUN and TURN servers for people who are signed in */
	const struct federation_ops *federation;
	void *federation_arg;
	const struct trunk_ops *trunks; /**< NULL: there are none */
	void *trunks_arg;
	const struct identity_ops *identity; /**< NULL: nothing is signed or verified */
	void *identity_arg;
	const struct provider_ops *provider; /**< NULL: no identity provider here */
	void *provider_arg;
	const struct media_ops
		*media; /**< NULL: no media plane, since nobody here needs one */
	void *media_arg;
	struct endpoint *echo; /**< the echo test (echo.h); NULL: none */
	/** What stands between the halves of a call (path.h); NULL: no call is relayed, or anchored. */
	int (*path_relay)(struct path **pp, struct core *core,
			  const struct path_setup *setup);
	int (*path_anchor)(struct path **pp, struct core *core,
			   const struct path_setup *setup);
	struct list calls;    /* struct call, oldest first; the just ended for one turn */
	uint32_t n_calls;     /* in there */
	struct hash *ringing; /* calls to users here that nobody has taken, by callee */
	struct quota *quota_users; /* calls of a user here, at once and a minute */
	struct quota *quota_peers; /* calls with a foreign domain, at once */
	struct quota
		*quota_relay; /* calls in which a user's address is hidden, at once */
	struct core_counters counters;
	bool stopping; /**< no new calls: CAUSE_SHUTDOWN */
	uint64_t started_us;
	/** For slussctl status; borrowed; not looked at when stopping. */
	struct mailbox *queuev[CORE_QUEUES_MAX];
	size_t n_queues;
};

/** Zeroes *core, fills sites from config, makes the registry and the tables of the calls; the services
 *  and rooms (office, accounts, federation) are set by main.c after it. Errors: ENOMEM. */
int core_init(struct core *core, const struct config *config, struct loop *loop);
/** Ends the calls that are left (CAUSE_SHUTDOWN) and frees what core_init made; the rooms whose legs and
 *  devices may be in there still exist. Twice is harmless. */
void core_close(struct core *core);
/** Shows this mailbox's marks in `slussctl status`; it lives until core->stopping. Beyond the array: ignored. */
static inline void core_queue_show(struct core *core, struct mailbox *mb)
{
	if (core->n_queues < CORE_QUEUES_MAX)
		core->queuev[core->n_queues++] = mb;
}
/** NULL when the domain is not ours. Any case. */
struct site *core_site_find(const struct core *core, const char *domain);

#endif
