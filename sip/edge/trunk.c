/* sip/edge/trunk.c - what the edge knows of trunks: which of them a connection is from, and addresses of their names
 * for the signalling thread. Edge thread. Called by edge.c (orders), inward.c (connections). */
#include "sip/edge/room.h"

#include <strings.h>

/* Somebody who waits for an address. */
struct asking {
	struct le le; /* in edge->askings, which owns it */
	struct edge *edge;
	struct resolve *resolve;
	uint64_t token;
	char domain[ADDR_HOST_MAX + 1];
};

static void asking_destructor(void *p)
{
	struct asking *a = p;

	list_unlink(&a->le);
	mem_deref(a->resolve);
}

static void answer(const char *why, const struct sa *v, size_t n, void *arg)
{
	struct asking *a = arg;
	struct edge_event ev = {.kind = EDGE_RESOLVED, .token = a->token};

	a->resolve = NULL;
	snprintf(ev.domain, sizeof(ev.domain), "%s", a->domain);
	snprintf(ev.why, sizeof(ev.why), "%s", why ? why : n ? "" : "it has no address");
	if (!why && n)
		sa_text(ev.target, &v[0]);
	edge_tell(a->edge, &ev);
	mem_deref(a);
}

void trunk_resolve(struct edge *e, const struct edge_order *order)
{
	struct asking *a = mem_zalloc(sizeof(*a), asking_destructor);

	if (!a)
		return;
	a->edge = e;
	a->token = order->token;
	snprintf(a->domain, sizeof(a->domain), "%s", order->domain);
	list_append(&e->askings, &a->le, a);
	if (resolver_ask(&a->resolve, e->resolver, a->domain, order->port, answer, a))
		mem_deref(a);
}

/* Who is dialled as a trunk must prove its name, over TLS; what it may prove is where_to()'s affair. */
static bool is_dialled(const struct trunk_config *t, const struct conn *c)
{
	if (!conn_is_dialled(c))
		return false;
	if (!strcasecmp(conn_domain(c), t->from_domain) ||
	    (t->has_proxy && !strcasecmp(conn_domain(c), t->proxy.host)))
		return true;
	for (size_t i = 0; i < t->n_addresses; i++)
		if (*t->addressv[i].host &&
		    !strcasecmp(conn_domain(c), t->addressv[i].host))
			return true;
	return false;
}

static bool is_from(const struct trunk_config *t, const struct conn *c)
{
	const struct sa *peer = conn_peer(c);

	for (size_t i = 0; i < t->n_addresses; i++)
		if (sa_cmp(&t->addressv[i].sa, peer, SA_ADDR))
			return true;
	if (t->has_proxy && sa_cmp(&t->proxy.sa, peer, SA_ADDR))
		return true;
	for (size_t i = 0; i < t->n_match; i++)
		if (config_net_has(&t->matchv[i], peer))
			return true;
	return false;
}

const char *trunk_of_conn(const struct edge *e, const struct conn *c)
{
	enum transport transport = conn_is_tls(c) ? TRANSPORT_TLS : TRANSPORT_TCP;

	/* A certificate says more than an address: such a connection is its site's. */
	if (!conn_is_dialled(c) && *conn_names(c)) {
		for (size_t i = 0; i < e->config->n_trunks; i++)
			if (e->config->trunkv[i].transport == transport &&
			    joint_list_has(conn_names(c),
					   e->config->trunkv[i].from_domain) &&
			    is_from(&e->config->trunkv[i], c))
				return e->config->trunkv[i].name;
		return "";
	}
	for (size_t i = 0; i < e->config->n_trunks; i++) {
		const struct trunk_config *t = &e->config->trunkv[i];

		if (t->transport == transport && (is_dialled(t, c) || is_from(t, c)))
			return t->name;
	}
	return "";
}
