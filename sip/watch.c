/* sip/watch.c - is the other site of an established call still there? Asked when its last connection is lost.
 *
 * Thread: signalling. sip.c tells of connections that come and go. A site that does not answer OPTIONS is away: its
 * calls hear so, and it is asked again until it answers. Then each dialog is asked, by OPTIONS inside it, whether
 * that site still knows it: one that was killed does not (481), and the call stays away until it is joined again or
 * its session timer ends it. Such an answer does not end the call as RFC 3261 §12.2.1.2 would have it.
 * A call that rings here for that site can never be answered: its transaction was on that connection. */
#include <strings.h>

#include "lib/log.h"
#include "lib/secret.h"
#include "sip/leg.h"

enum { AGAIN_MS = 2000, WATCHES_MAX = 256 };

struct sip_watch {
	struct le le; /* in sip->watches, which owns it */
	struct sip_hop *hop;
	nta_leg_t *base;
	nta_outgoing_t *out; /* the question under way */
	struct timer again;
	bool away;
};

static void ask(void *arg);

static void watch_destructor(void *arg)
{
	struct sip_watch *w = arg;

	list_unlink(&w->le);
	timer_cancel(&w->again);
	nta_outgoing_destroy(w->out);
	nta_leg_destroy(w->base);
	mem_deref(w->hop);
}

/* ---- one call ---- */

static void leg_away(struct sip_leg *leg, bool away)
{
	struct leg_event ev = {.type = LEG_AWAY, .away = away};

	if (leg->away == away)
		return;
	leg->away = away;
	log_info(sip_leg_call(leg), away ? "sip.away" : "sip.back", "peer=%s",
		 leg->hop->domain);
	call_leg_event(&leg->leg, &ev);
}

void sip_watch_heard(struct sip_leg *leg)
{
	leg_away(leg, false);
}

static int leg_answered(void *arg, nta_outgoing_t *orq, const sip_t *s)
{
	struct sip_leg *leg = arg;
	unsigned status = s ? (unsigned)s->sip_status->st_status : 408;

	if (status < 200 || orq != leg->probe)
		return 0;
	sip_loop_enter("sip.response.probe");
	mem_ref(leg);
	leg->probe = NULL;
	/* an edge that found no way says nothing of the dialog: the watch asks on */
	if (status == 481)
		leg_away(leg, true);
	else if (s && !nta_sip_is_internal(s) &&
		 trust_peer(leg->sip, s, leg->hop->domain))
		leg_away(leg, false);
	nta_outgoing_destroy(orq);
	mem_deref(leg);
	sip_loop_leave();
	return 0;
}

static void leg_ask(struct sip_leg *leg)
{
	struct sip_request rq = {
		.hop = leg->hop,
		.dialog = leg->dialog,
		.method = sip_method_options,
		.name = "OPTIONS",
	};

	if (!leg->probe)
		leg->probe = sip_request_send(&rq, leg_answered, leg, TAG_END());
}

static bool talks_with(const struct sip_leg *leg, const char *domain)
{
	return leg->state == SL_TALKING && leg->dialog &&
	       !strcasecmp(leg->hop->domain, domain);
}

/* ---- one site ---- */

static struct sip_watch *find(const struct sip *sip, const char *domain)
{
	struct le *le;

	LIST_FOREACH(&sip->watches, le)
	{
		struct sip_watch *w = le->data;

		if (!strcasecmp(w->hop->domain, domain))
			return w;
	}
	return NULL;
}

static struct sip_leg *any_leg(const struct sip *sip, const char *domain)
{
	struct le *le;

	LIST_FOREACH(&sip->legs, le)
	{
		struct sip_leg *leg = le->data;

		if (talks_with(leg, domain))
			return leg;
	}
	return NULL;
}

static void is_away(struct sip_watch *w)
{
	struct sip *sip = w->hop->sip;
	struct le *le = sip->legs.head;

	if (!w->away)
		log_info(NULL, "sip.peer.away", "peer=%s", w->hop->domain);
	w->away = true;
	while (le) {
		struct sip_leg *leg = le->data;

		le = le->next;
		if (talks_with(leg, w->hop->domain))
			leg_away(leg, true);
	}
	if (!any_leg(sip, w->hop->domain) ||
	    timer_start(sip->core->loop->timers, &w->again, AGAIN_MS, ask, w))
		mem_deref(w);
}

static void is_there(struct sip_watch *w)
{
	struct le *le;

	if (w->away)
		log_info(NULL, "sip.peer.back", "peer=%s", w->hop->domain);
	LIST_FOREACH(&w->hop->sip->legs, le)
	{
		struct sip_leg *leg = le->data;

		if (talks_with(leg, w->hop->domain))
			leg_ask(leg);
	}
	mem_deref(w);
}

static int answered(void *arg, nta_outgoing_t *orq, const sip_t *s)
{
	struct sip_watch *w = arg;
	struct joint j;
	bool there;

	if (s && s->sip_status->st_status < 200)
		return 0;
	sip_loop_enter("sip.response.watch");
	there = s && !nta_sip_is_internal(s) && !trust_joint(&j, w->hop->sip, s) &&
		j.conn && trust_peer(w->hop->sip, s, w->hop->domain);
	nta_outgoing_destroy(orq);
	w->out = NULL;
	if (there)
		is_there(w);
	else
		is_away(w);
	sip_loop_leave();
	return 0;
}

static int base_make(struct sip_watch *w)
{
	char from[ADDR_HOST_MAX + 64], to[ADDR_HOST_MAX + 16], call_id[33];
	char tag[SIP_TAG_HEX + 1];

	secret_hex(call_id, 32);
	secret_hex(tag, SIP_TAG_HEX);
	snprintf(from, sizeof(from), "<sip:%s>;tag=%s", w->hop->site, tag);
	snprintf(to, sizeof(to), "<sip:%s>", w->hop->domain);
	w->base = nta_leg_tcreate(w->hop->sip->agent, NULL, NULL,
				  SIPTAG_CALL_ID_STR(call_id), SIPTAG_FROM_STR(from),
				  SIPTAG_TO_STR(to), TAG_END());
	return w->base ? 0 : ENOMEM;
}

static void ask(void *arg)
{
	struct sip_watch *w = arg;
	struct sip *sip = w->hop->sip;
	char uri[ADDR_HOST_MAX + 8];
	struct sip_request rq = {
		.hop = w->hop,
		.dialog = w->base,
		.method = sip_method_options,
		.name = "OPTIONS",
		.request_uri = uri,
	};

	if (w->out)
		return;
	timer_cancel(&w->again);
	snprintf(uri, sizeof(uri), "sip:%s", w->hop->domain);
	if (!sip->stopping && any_leg(sip, w->hop->domain))
		w->out = sip_request_send(&rq, answered, w, TAG_END());
	if (!w->out)
		mem_deref(w); /* nobody would want to know */
}

static void lost(struct sip *sip, const char *domain)
{
	struct sip_leg *leg = any_leg(sip, domain);
	struct sip_watch *w;

	if (!leg || find(sip, domain) || list_count(&sip->watches) >= WATCHES_MAX)
		return;
	w = mem_zalloc(sizeof(*w), watch_destructor);
	if (!w)
		return;
	w->hop = mem_ref(leg->hop);
	list_append(&sip->watches, &w->le, w);
	if (base_make(w))
		mem_deref(w);
	else
		ask(w);
}

/* What rings here for that site: nothing we say reaches its caller any more. */
static void lost_ringing(struct sip *sip, const char *domain)
{
	struct le *le = sip->legs.head;
	struct cause c;

	while (le) {
		struct sip_leg *leg = le->data;

		le = le->next;
		if (leg->state == SL_INCOMING && !strcasecmp(leg->hop->domain, domain))
			sip_leg_event(leg, SE_SILENCE,
				      cause_set(&c, CAUSE_UNREACHABLE,
						"The connection to %s broke.", domain));
	}
}

void sip_watch_peer(struct sip *sip, const char *domain, bool up, unsigned n_conns)
{
	struct sip_watch *w = find(sip, domain);

	if (sip->stopping)
		return;
	if (up && w) {
		ask(w);
	} else if (!up && !n_conns) {
		lost_ringing(sip, domain);
		lost(sip, domain);
	}
}
