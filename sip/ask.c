/* sip/ask.c - asks a domain by OPTIONS whether it knows trickle ICE, while the browser goes on gathering.
 *
 * Thread: signalling. leg_out.c asks for the first call to a domain of which nothing is known; all legs that
 * wait for the same domain hear of the answer. One question a domain at a time. RFC 3261 §11, RFC 8840 §5.1. */
#include "sip/leg.h"

#include <strings.h>

#include "lib/log.h"
#include "lib/secret.h"

struct sip_ask {
	struct le le; /* in sip->asks, which owns it */
	struct sip_hop *hop;
	nta_leg_t *base;
	nta_outgoing_t *out;
};

static void ask_destructor(void *arg)
{
	struct sip_ask *a = arg;

	list_unlink(&a->le);
	nta_outgoing_destroy(a->out);
	nta_leg_destroy(a->base);
	mem_deref(a->hop);
}

/* Those who wait may know more now. */
static void look(struct sip *sip, const char *domain)
{
	bool yes = sip_trickle_known(sip, domain) == TRICKLE_YES;
	struct le *le;

	LIST_FOREACH(&sip->legs, le)
	{
		struct sip_leg *leg = le->data;

		if (leg->half.what != HALF_INVITE || strcasecmp(leg->hop->domain, domain))
			continue;
		leg->peer_trickle = yes;
		sip_half_look(leg);
	}
}

static int answered(void *arg, nta_outgoing_t *orq, const sip_t *s)
{
	struct sip_ask *a = arg;
	struct sip *sip = a->hop->sip;

	if (!s || s->sip_status->st_status < 200)
		return 0;
	sip_loop_enter("sip.response.options");
	/* what the edge or NTA says for want of an answer says nothing of the peer */
	if (!nta_sip_is_internal(s) && trust_peer(sip, s, a->hop->domain)) {
		sip_trickle_learn(sip, a->hop->domain, s);
		log_debug(NULL, "sip.trickle.learnt", "peer=%s yes=%d", a->hop->domain,
			  sip_knows_trickle(s));
		look(sip, a->hop->domain);
	}
	(void)orq;
	mem_deref(a);
	sip_loop_leave();
	return 0;
}

static int ask_send(struct sip_ask *a, const struct addr *to)
{
	char uri[ADDR_TEXT_MAX + 8], from[ADDR_HOST_MAX + 64], name[ADDR_TEXT_MAX + 16];
	char call_id[33], tag[SIP_TAG_HEX + 1];
	struct sip_request rq = {
		.hop = a->hop,
		.method = sip_method_options,
		.name = "OPTIONS",
		.request_uri = uri,
	};

	secret_hex(call_id, 32);
	secret_hex(tag, SIP_TAG_HEX);
	snprintf(uri, sizeof(uri), "sip:%s@%s", to->user, to->host);
	snprintf(name, sizeof(name), "<%s>", uri);
	/* the site asks, not its user */
	snprintf(from, sizeof(from), "<sip:%s>;tag=%s", a->hop->site, tag);
	a->base = nta_leg_tcreate(a->hop->sip->agent, NULL, NULL,
				  SIPTAG_CALL_ID_STR(call_id), SIPTAG_FROM_STR(from),
				  SIPTAG_TO_STR(name), TAG_END());
	if (!a->base)
		return ENOMEM;
	rq.dialog = a->base;
	a->out = sip_request_send(&rq, answered, a, SIPTAG_SUPPORTED_STR(sip_supported),
				  SIPTAG_ACCEPT_STR("application/sdp"), TAG_END());
	return a->out ? 0 : EIO;
}

void sip_ask(struct sip_leg *leg)
{
	struct sip *sip = leg->sip;
	struct sip_ask *a;
	struct le *le;

	LIST_FOREACH(&sip->asks, le)
	{
		a = le->data;
		if (!strcasecmp(a->hop->domain, leg->hop->domain))
			return;
	}
	a = mem_zalloc(sizeof(*a), ask_destructor);
	if (!a)
		return;
	a->hop = mem_ref(leg->hop);
	list_append(&sip->asks, &a->le, a);
	if (ask_send(a, &leg->invite->to))
		mem_deref(a); /* then its calls wait for their candidates */
}
