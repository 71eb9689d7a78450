/* sip/edge/where.c - see where.h. Edge thread. Called by the outward direction. */
#include "sip/edge/where.h"

#include <strings.h>

#include "lib/reach.h"

enum { WHERE_TCP_PORT = 5060, WHERE_TLS_PORT = 5061 };

static bool where_in_dialog(const struct message *m)
{
	struct pl to, uri, params, tag;

	return !message_value(m, HEADER_TO, &to) && !address_split(&to, &uri, &params) &&
	       message_param(&params, "tag", &tag);
}

/* The domain as a whole: as configured, else by DNS. */
static const char *where_domain(struct where *w, const struct config *config,
				const char *domain, uint16_t port)
{
	const struct peer_config *pc = config_peer_find(config, domain);

	if (!pc || !pc->has_address) {
		snprintf(w->name, sizeof(w->name), "%s", domain);
		w->port = port;
		return NULL;
	}
	if (pc->address.transport == TRANSPORT_UDP)
		return "it is configured for UDP, which does not go this way";
	w->fixed = pc->address.sa;
	w->tls = pc->address.transport == TRANSPORT_TLS;
	return NULL;
}

static const char *where_literal(struct where *w, const struct config *config,
				 const struct hop *hop, where_peer_h *h, void *arg)
{
	const struct peer_config *pc = config_peer_find(config, w->domain);
	bool known = pc && pc->has_address && sa_cmp(&pc->address.sa, &hop->sa, SA_ADDR);

	if (!known && !reach_allowed(&hop->sa, config->sip_loopback) &&
	    !h(&hop->sa, w->domain, arg))
		return "it named a private or special address";
	w->fixed = hop->sa;
	if (!hop->port)
		sa_set_port(&w->fixed, w->tls ? WHERE_TLS_PORT : WHERE_TCP_PORT);
	return NULL;
}

/* TLS unless the peer is configured for TCP: nothing that a message says may lower that.
 * */
static const char *where_transport(struct where *w, const struct config *config,
				   const struct hop *hop)
{
	const struct peer_config *pc = config_peer_find(config, w->domain);
	bool tcp = pc && pc->has_address && pc->address.transport == TRANSPORT_TCP;

	w->tls = !tcp || hop->sips || hop->transport == HOP_TLS;
	switch (hop->transport) {
	case HOP_ANY:
	case HOP_TLS:
		return NULL;
	case HOP_TCP:
		return tcp ? NULL : "it asked for TCP without TLS";
	case HOP_UDP:
		return "it asked for UDP";
	case HOP_OTHER:
		break;
	}
	return "it asked for a transport that is not known here";
}

static const char *where_name(struct where *w, const struct config *config,
			      const struct hop *hop)
{
	bool tls = w->tls;
	const char *why;

	if (strcasecmp(hop->host, w->domain) != 0)
		snprintf(w->host, sizeof(w->host), "%s", hop->host);
	why = where_domain(w, config, hop->host,
			   hop->port ? hop->port
			   : tls     ? 0
				     : WHERE_TCP_PORT);
	if (!why && *w->host && tls && !w->tls)
		return "it sent us on to a peer without TLS";
	return why;
}

/* To a trunk: where it is configured to be, whatever the message says. "NAME/INDEX" */
static const char *where_trunk(struct where *w, const struct config *config,
			       const char *text)
{
	char name[TRUNK_NAME_MAX + 1];
	size_t n = strcspn(text, "/");
	unsigned at = text[n] ? (unsigned)(text[n + 1] - '0') : 0;
	const struct trunk_config *t;
	const struct trunk_address *a;

	snprintf(name, sizeof(name), "%.*s", (int)n, text);
	t = config_trunk_find(config, name);
	if (!t || (at && at >= t->n_addresses) || t->transport == TRANSPORT_UDP)
		return "there is no such trunk here";
	a = t->has_proxy ? &t->proxy : &t->addressv[at];
	snprintf(w->domain, sizeof(w->domain), "%s", *a->host ? a->host : t->from_domain);
	snprintf(w->host, sizeof(w->host), "%s", t->from_domain);
	snprintf(w->name, sizeof(w->name), "%s", a->host);
	w->port = a->port;
	w->fixed = a->sa;
	w->tls = t->transport == TRANSPORT_TLS;
	return NULL;
}

const char *where_to(struct where *w, const struct config *config,
		     const struct message *m, const struct joint *j, where_peer_h *h,
		     void *arg)
{
	const struct peer_config *pc;
	const char *why;
	struct hop hop;

	memset(w, 0, sizeof(*w));
	sa_init(&w->fixed, AF_UNSPEC);
	snprintf(w->domain, sizeof(w->domain), "%s", j->domain);
	w->tls = true;
	w->in_dialog = where_in_dialog(m);
	if (*j->trunk)
		return where_trunk(w, config, j->trunk);
	pc = config_peer_find(config, w->domain);
	if (pc && pc->block)
		return "it is blocked by this site's configuration";
	if (!w->in_dialog)
		return *w->domain ? where_domain(w, config, w->domain, 0)
				  : "no domain was named";
	if (hop_of(&hop, m))
		return "it gave an address that cannot be used";
	if (!*w->domain)
		snprintf(w->domain, sizeof(w->domain), "%s", hop.host);
	if (!*w->domain)
		return "no domain was named";
	why = where_transport(w, config, &hop);
	if (why)
		return why;
	if (!*hop.host)
		return where_literal(w, config, &hop, h, arg);
	return where_name(w, config, &hop);
}
