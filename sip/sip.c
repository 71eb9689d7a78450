/* sip/sip.c - the door of the SIP room: edge, agent and legs put together, started and stopped.
 *
 * Thread: signalling. main.c calls in by sip/sip.h, the core by federation_ops, the edge's thread by
 * the mailbox of struct edge_event (taken here, and here alone). Stopping: legs say BYE, then the
 * edge is told to stop, then its thread has ended; each step is bounded by limits.stop_s. */
#include "gateway/certs.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "sip/leg.h"
#include "sip/peers.h"
#include "sip/trunk.h"
#include "sip/udp.h"

enum {
	EVENT_QUEUE = 65536,
	TRY_BUCKETS = 4096,
	SIPS_PORT = 5061,
	LAST_WORDS_MS = 100, /* what was just sent may still be on its way to the edge */
};

static int leg_alloc(struct leg **legp, void *arg, struct call *call,
		     const struct site *site, const char *domain)
{
	struct sip *sip = arg;
	struct sip_leg *leg;
	int err;

	if (sip->stopping)
		return ENOTCONN;
	err = sip_leg_alloc(&leg, sip, LEG_OUT, site->domain, domain);
	if (err)
		return err;
	leg->leg.call = call;
	*legp = &leg->leg;
	return 0;
}

static void each_peer(void *arg,
		      void (*h)(const char *domain, const char *state, unsigned n_conns,
				unsigned n_calls, const char *last_error, void *harg),
		      void *harg)
{
	const struct sip *sip = arg;

	peers_each(sip->peers, h, harg);
}

static const struct federation_ops federation = {.leg_alloc = leg_alloc,
						 .peers = each_peer};

static void stopped(void *arg)
{
	struct sip *sip = arg;
	void (*h)(void *arg) = sip->stop_h;

	timer_cancel(&sip->stop_timer);
	sip->stop_h = NULL;
	if (h)
		h(sip->stop_arg);
}

static void edge_stop(void *arg)
{
	struct sip *sip = arg;
	struct edge_order order = {.kind = EDGE_STOP};

	if (sip->stop_step != STOP_LEGS)
		return;
	sip->stop_step = STOP_EDGE;
	timer_cancel(&sip->last_words);
	if (!sip->edge_started || sip->edge_stopped || edge_post(sip->edge, &order))
		timer_start(sip->core->loop->timers, &sip->stop_timer, 0, stopped, sip);
}

void sip_work_done(struct sip *sip)
{
	if (sip->stop_step == STOP_LEGS && list_isempty(&sip->legs) &&
	    !timer_running(&sip->last_words) &&
	    timer_start(sip->core->loop->timers, &sip->last_words, LAST_WORDS_MS,
			edge_stop, sip))
		edge_stop(sip);
}

static void stop_late(void *arg)
{
	struct sip *sip = arg;

	log_warn(NULL, "sip.stop.late", "legs=%u edge_stopped=%d",
		 (unsigned)list_count(&sip->legs), sip->edge_stopped);
	edge_stop(sip);
	stopped(sip);
}

/* The three that know all kinds of this direction: this, and the edge's own name and clear. */
static void edge_event(const void *msg, void *arg)
{
	const struct edge_event *ev = msg;
	struct sip *sip = arg;
	unsigned had;

	sip_loop_enter("sip.edge.event");
	switch (ev->kind) {
	case EDGE_SENT:
		sip_try_sent(sip, ev);
		break;
	case EDGE_FAILED:
		sip_try_failed(sip, ev);
		break;
	case EDGE_PEER:
		had = peers_conns(sip->peers, ev->domain);
		peers_edge(sip->peers, ev->domain, ev->up, ev->n_conns, ev->why);
		log_debug(NULL, "sip.peer", "peer=%s up=%d conns=%u why=%s",
			  LQ(ev->domain), ev->up, ev->n_conns, LQ(ev->why));
		/* the last one is gone; that it could not be reached, having none, says nothing new */
		if (ev->up || had)
			sip_watch_peer(sip, ev->domain, ev->up, ev->n_conns);
		break;
	case EDGE_CERT:
		certs_news(sip->core->certs, ev->domain, ev->until_s,
			   *ev->why ? ev->why : NULL);
		break;
	case EDGE_RELOADED:
		certs_reloaded(sip->core->certs, *ev->why ? ev->why : NULL);
		break;
	case EDGE_RESOLVED:
		trunk_resolved(sip, ev);
		break;
	case EDGE_STOPPED:
		sip->edge_stopped = true;
		if (sip->stop_step == STOP_EDGE)
			stopped(sip);
		break;
	case EDGE_EVENT_N:
		break;
	}
	sip_loop_leave();
}

/* What is left of legs and tries when the room is closed. A call may still have a leg: it is inert then. */
static void leave_all(struct sip *sip)
{
	struct le *le;

	while ((le = list_head(&sip->legs))) {
		struct sip_leg *leg = le->data;
		bool held = leg->held;

		list_unlink(le);
		sip_leg_close(leg);
		leg->held = false;
		if (held)
			mem_deref(leg);
	}
	list_flush(&sip->newcomers);
	list_flush(&sip->tries);
	list_flush(&sip->asks);
	list_flush(&sip->watches);
}

static void sip_destructor(void *arg)
{
	struct sip *sip = arg;
	struct edge_order order = {.kind = EDGE_STOP};

	sip->stop_h = NULL;
	sip->stop_step = STOP_EDGE;
	timer_cancel(&sip->stop_timer);
	timer_cancel(&sip->last_words);
	if (sip->core->federation_arg == sip) {
		sip->core->federation = NULL;
		sip->core->federation_arg = NULL;
	}
	leave_all(sip);
	trunks_stop(sip);
	list_flush(&sip->udp);
	if (sip->agent)
		sip_agent_stop(sip);
	if (sip->edge && sip->edge_started && !sip->edge_stopped)
		edge_post(sip->edge, &order);
	if (sip->edge)
		edge_free(&sip->edge);
	mem_deref(sip->events);
	mem_deref(sip->tries_call_id);
	mem_deref(sip->tries_token);
	mem_deref(sip->peers);
	secret_wipe(sip->secret, sizeof(sip->secret));
}

/* RFC 3263 finds us by the site's name alone, when the first TLS listener is where it should be. */
static void contact_port_set(struct sip *sip)
{
	const struct config *config = sip->core->config;

	for (size_t i = 0; i < config->n_sip; i++) {
		uint16_t port;

		if (config->sipv[i].transport != TRANSPORT_TLS)
			continue;
		port = edge_outer_port(sip->edge, i);
		if (port && port != SIPS_PORT)
			snprintf(sip->contact_port, sizeof(sip->contact_port), ":%u",
				 (unsigned)port);
		return;
	}
}

static int udp_start(struct sip *sip, char **whyp)
{
	const struct config *config = sip->core->config;
	int err = 0;

	for (size_t i = 0; !err && i < config->n_sip; i++)
		if (config->sipv[i].transport == TRANSPORT_UDP)
			err = sip_udp_listen(sip, &config->sipv[i].sa, whyp);
	return err;
}

static int reload(void *arg)
{
	struct sip *sip = arg;
	struct edge_order order = {.kind = EDGE_RELOAD};

	return sip->edge_stopped ? ESHUTDOWN : edge_post(sip->edge, &order);
}

static int start(struct sip *sip, char **whyp)
{
	struct mailbox *mb = loop_mailbox(sip->events);
	int err = edge_alloc(&sip->edge, whyp, sip->core->config, sip->secret, mb);

	if (err)
		return err;
	contact_port_set(sip);
	err = sip_agent_start(sip, whyp);
	if (!err)
		err = udp_start(sip, whyp);
	if (err)
		return err;
	err = edge_start(sip->edge, sip_agent_port(sip));
	if (err) {
		re_sdprintf(whyp, "the SIP edge could not be started: %s", strerror(err));
		return err;
	}
	sip->edge_started = true;
	err = trunks_start(sip, whyp);
	if (err)
		return err;
	core_queue_show(sip->core, mb);
	certs_room_add(sip->core->certs, reload, sip);
	sip->core->federation = &federation;
	sip->core->federation_arg = sip;
	return 0;
}

int sip_alloc(struct sip **sp, char **whyp, struct core *core)
{
	struct sip *sip;
	char *why = NULL;
	int err;

	if (!sp || !core || !core->loop)
		return EINVAL;
	sip = mem_zalloc(sizeof(*sip), sip_destructor);
	if (!sip)
		return ENOMEM;
	sip->core = core;
	secret_hex(sip->secret, JOINT_SECRET_HEX);
	sip->last_token = secret_u64() >> 16;
	err = peers_alloc(&sip->peers);
	err = err ? err : hash_alloc(&sip->tries_call_id, TRY_BUCKETS);
	err = err ? err : hash_alloc(&sip->tries_token, TRY_BUCKETS);
	err = err ? err
		  : loop_mailbox_alloc(&sip->events, core->loop, "edge-events",
				       sizeof(struct edge_event), EVENT_QUEUE, NULL,
				       edge_event, sip);
	if (!err && core->config->n_sip)
		err = start(sip, &why);
	if (err) {
		if (!why)
			re_sdprintf(&why, "the SIP room could not be started: %s",
				    strerror(err));
		mem_deref(sip);
		if (whyp)
			*whyp = why;
		else
			mem_deref(why);
		return err;
	}
	mem_deref(why);
	*sp = sip;
	return 0;
}

void sip_stop(struct sip *sip, void (*h)(void *arg), void *arg)
{
	struct le *le = list_head(&sip->legs);
	uint64_t ms = (uint64_t)sip->core->config->limits.stop_s * 1000;

	if (sip->stopping)
		return;
	sip->stopping = true;
	sip->stop_step = STOP_LEGS;
	sip->stop_h = h;
	sip->stop_arg = arg;
	if (timer_start(sip->core->loop->timers, &sip->stop_timer, ms, stop_late, sip)) {
		stop_late(sip);
		return;
	}
	while (le) {
		struct sip_leg *leg = le->data;

		le = le->next;
		sip_leg_shutdown(leg);
	}
	sip_work_done(sip);
}
