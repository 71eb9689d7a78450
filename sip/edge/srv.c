/* sip/edge/srv.c - see srv.h. Edge thread. Called by the resolver at each use of an
 * answer, so that a cached one still spreads the load. RFC 2782, "Weight". */
#include "sip/edge/srv.h"

/* Which of the hosts not yet taken comes next. */
static size_t srv_pick(const struct srv_host *hostv, const bool *taken, size_t n,
		       srv_random_h *h, void *arg)
{
	uint32_t sum = 0, chance;
	unsigned priority = UINT32_MAX;

	for (size_t i = 0; i < n; i++)
		if (!taken[i] && hostv[i].priority < priority)
			priority = hostv[i].priority;
	for (size_t i = 0; i < n; i++)
		if (!taken[i] && hostv[i].priority == priority)
			sum += hostv[i].weight;
	/* Those of weight 0 stand in front of the others and are hit by 0 alone. */
	chance = h(sum + 1, arg);
	for (size_t i = 0; !chance && i < n; i++)
		if (!taken[i] && hostv[i].priority == priority && !hostv[i].weight)
			return i;
	for (size_t i = 0; i < n; i++) {
		if (taken[i] || hostv[i].priority != priority || !hostv[i].weight)
			continue;
		if (chance <= hostv[i].weight)
			return i;
		chance -= hostv[i].weight;
	}
	for (size_t i = 0; i < n; i++)
		if (!taken[i] && hostv[i].priority == priority)
			return i;
	return n;
}

static bool srv_has(const struct sa *v, size_t n, const struct sa *sa)
{
	for (size_t i = 0; i < n; i++)
		if (sa_cmp(&v[i], sa, SA_ALL))
			return true;
	return false;
}

size_t srv_order(struct sa targetv[TARGETS_MAX], const struct srv_host *hostv, size_t n,
		 srv_random_h *h, void *arg)
{
	bool taken[SRV_HOSTS_MAX] = {false};
	size_t n_targets = 0;

	if (n > SRV_HOSTS_MAX)
		n = SRV_HOSTS_MAX;
	for (size_t round = 0; round < n; round++) {
		size_t i = srv_pick(hostv, taken, n, h, arg);

		if (i == n)
			break;
		taken[i] = true;
		for (size_t k = 0; k < hostv[i].n && n_targets < TARGETS_MAX; k++)
			if (!srv_has(targetv, n_targets, &hostv[i].sav[k]))
				targetv[n_targets++] = hostv[i].sav[k];
	}
	return n_targets;
}
