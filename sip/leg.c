/* sip/leg.c - the SIP leg: its life, the ops that the call uses, the table's actions.
 *
 * Thread: signalling. The call calls the ops (gateway/leg.h); NTA's callbacks come in through
 * leg_in.c, leg_out.c, dialog.c and end in sip_leg_event(). No op ever tells the call anything
 * before it returns: no SE_* event that an op raises has an SA_TELL_* action. RFC 3261 §12–15. */
#include "sip/leg.h"

#include "gateway/sdp_ice.h"
#include "lib/log.h"
#include "sip/peers.h"
#include "sip/trunk.h"

enum {
	/* states that the call bounds with limits of its own get this much more before we doubt it */
	GUARD_SLACK_S = 60,
	/* RFC 3261 §17 timers F and H: NTA gives up before */
	GUARD_NTA_S = SIP_T1X64_MS / 1000 + 8,
};

const char *sip_leg_call(const struct sip_leg *leg)
{
	return leg && leg->invite ? leg->invite->call_id : NULL;
}

void sip_leg_close(struct sip_leg *leg)
{
	timer_cancel(&leg->guard);
	timer_cancel(&leg->release);
	timer_cancel(&leg->trying);
	session_timer_stop(&leg->st);
	sip_reoffer_close(leg);
	sip_half_cancel(leg);
	sip_leg_out_cancel(leg);
	trickle_close(leg->trickle);
	leg->trickle = mem_deref(leg->trickle);
	trunk_keys_close(leg);
	if (leg->counted && leg->hop->trunk)
		leg->hop->trunk->n_calls--;
	else if (leg->counted)
		peers_call(leg->sip->peers, leg->hop->domain, -1);
	leg->counted = false;
	nta_outgoing_destroy(leg->bye);
	leg->bye = NULL;
	nta_outgoing_destroy(leg->probe);
	leg->probe = NULL;
	nta_incoming_destroy(leg->irq);
	leg->irq = NULL;
	nta_leg_destroy(leg->dialog);
	leg->dialog = NULL;
	leg->state = SL_ENDED;
}

static void leg_destructor(void *arg)
{
	struct sip_leg *leg = arg;

	sip_leg_close(leg);
	list_unlink(&leg->le);
	mem_deref(leg->answer);
	mem_deref(leg->offer);
	sip_ours_clear(&leg->ours);
	mem_deref(leg->local_sdp);
	mem_deref(leg->remote_sdp);
	mem_deref(leg->invite);
	mem_deref(leg->hop);
}

static void session_expired(void *arg)
{
	struct sip_leg *leg = arg;
	struct cause c;

	sip_leg_event(leg, SE_LOST,
		      cause_set(&c, CAUSE_LOST,
				"The connection to %s was lost: nothing was heard of it.",
				leg->hop->domain));
}

/* With everything but its hop, and not counted yet. */
static struct sip_leg *leg_make(struct sip *sip, enum leg_dir dir, const char *tag)
{
	struct sip_leg *leg = mem_zalloc(sizeof(*leg), leg_destructor);

	if (!leg)
		return NULL;
	leg->leg.ops = &sip_leg_ops;
	leg->leg.dir = dir;
	snprintf(leg->leg.tag, sizeof(leg->leg.tag), "%s", tag);
	leg->sip = sip;
	leg->peer_update = true;
	leg->state = dir == LEG_IN ? SL_INCOMING : SL_NEW;
	session_timer_init(&leg->st, sip->core->loop->timers,
			   sip->core->config->limits.session_expires_s,
			   sip_reoffer_refresh, session_expired, leg);
	return leg;
}

int sip_leg_alloc(struct sip_leg **lp, struct sip *sip, enum leg_dir dir,
		  const char *site, const char *domain)
{
	struct sip_leg *leg = leg_make(sip, dir, domain);
	int err = leg ? sip_hop_alloc(&leg->hop, sip, site, domain) : ENOMEM;

	if (err) {
		mem_deref(leg);
		return err;
	}
	peers_call(sip->peers, domain, 1);
	leg->counted = true;
	list_append(&sip->legs, &leg->le, leg);
	*lp = leg;
	return 0;
}

int sip_leg_alloc_trunk(struct sip_leg **lp, struct trunk *t, enum leg_dir dir)
{
	struct sip_leg *leg = leg_make(t->sip, dir, t->config->name);
	int err = leg ? trunk_hop_alloc(&leg->hop, t) : ENOMEM;

	if (err) {
		mem_deref(leg);
		return err;
	}
	leg->leg.media = t->config->media;
	leg->leg.keys_apart = t->config->keys_by_info;
	leg->leg.seen = t->config->seen;
	t->n_calls++;
	leg->counted = true;
	list_append(&t->sip->legs, &leg->le, leg);
	*lp = leg;
	return 0;
}

void sip_leg_hold(struct sip_leg *leg)
{
	if (leg->held)
		return;
	leg->held = true;
	mem_ref(leg);
}

static void release(void *arg)
{
	struct sip_leg *leg = arg;
	struct sip *sip = leg->sip;

	if (!leg->held)
		return;
	leg->held = false;
	list_unlink(&leg->le);
	sip_leg_close(leg);
	mem_deref(leg);
	sip_work_done(sip);
}

void sip_leg_sdp_set(struct body **dst, struct body *src)
{
	struct body *old = *dst;

	*dst = mem_ref(src);
	mem_deref(old);
}

int sip_leg_sdp_read(struct body **bp, const sip_t *s)
{
	struct sdp_ice ice;
	int err;

	*bp = NULL;
	if (!s->sip_payload || !s->sip_payload->pl_len)
		return 0;
	err = body_alloc(bp, s->sip_payload->pl_data, s->sip_payload->pl_len);
	if (!err && sip_knows_trickle(s)) {
		sdp_ice_read(&ice, (*bp)->data, (*bp)->len);
		(*bp)->trickle = sdp_ice_open(&ice);
	}
	return err;
}

void sip_leg_tell(struct sip_leg *leg, enum leg_event_type type, struct body *body,
		  const struct cause *cause)
{
	struct leg_event ev = {.type = type, .body = body, .cause = cause};

	call_leg_event(&leg->leg, &ev);
}

/* How long a state may last; 0: something else bounds it (NTA's timers, the session timer). */
static uint32_t guard_s(const struct sip_leg *leg)
{
	const struct limits *l = &leg->sip->core->config->limits;

	switch (leg->state) {
	case SL_CALLING:
		return l->sip_answer_s;
	case SL_PROCEEDING:
	case SL_RINGING:
		return l->ring_s + l->accept_s + GUARD_SLACK_S;
	case SL_INCOMING:
		return l->ring_s + l->accept_s + GUARD_SLACK_S;
	case SL_ANSWERED:
	case SL_LEAVING:
	case SL_BYE:
		return GUARD_NTA_S;
	case SL_NEW:
	case SL_TALKING:
	case SL_ENDED:
	case SL_STATE_N:
		break;
	}
	return 0;
}

static void guard_over(void *arg)
{
	struct sip_leg *leg = arg;
	struct cause c;

	if (leg->state == SL_CALLING && leg->failure.reason != CAUSE_NONE)
		c = leg->failure;
	else
		cause_set(&c, CAUSE_TIMEOUT, "%s did not answer in time.",
			  leg->hop->domain);
	sip_leg_event(leg, SE_SILENCE, &c);
}

/* The one setter. */
static void state_set(struct sip_leg *leg, enum sip_leg_state next,
		      enum sip_leg_event event)
{
	uint32_t s;

	if (next == leg->state)
		return;
	log_debug(sip_leg_call(leg), "sip.leg", "%s -> %s on %s peer=%s dir=%s",
		  sip_leg_state_name(leg->state), sip_leg_state_name(next),
		  sip_leg_event_name(event), leg->hop->domain,
		  leg->leg.dir == LEG_IN ? "in" : "out");
	leg->state = next;
	s = guard_s(leg);
	if (!s || timer_start(leg->sip->core->loop->timers, &leg->guard,
			      (uint64_t)s * 1000, guard_over, leg))
		timer_cancel(&leg->guard);
}

static void act(struct sip_leg *leg, unsigned actions)
{
	mem_ref(leg); /* the call may drop its reference while it is told */
	if (actions & SA_CANCEL)
		sip_leg_out_cancel(leg);
	if (actions & SA_REFUSE)
		sip_leg_in_refuse(leg);
	if (actions & (SA_BYE | SA_RELEASE)) {
		session_timer_stop(&leg->st);
		sip_half_cancel(leg);
		sip_reoffer_close(leg);
		trickle_close(leg->trickle);
		trunk_keys_close(leg);
		nta_outgoing_destroy(leg->probe);
		leg->probe = NULL;
	}
	if (actions & SA_BYE)
		sip_dialog_bye(leg);
	if (actions & SA_TELL_RINGING)
		sip_leg_tell(leg, LEG_RINGING, NULL, NULL);
	if (actions & SA_TELL_ANSWER) {
		struct body *answer = leg->answer;

		leg->answer = NULL;
		sip_leg_tell(leg, LEG_ANSWER, answer, NULL);
		mem_deref(answer);
	}
	if (actions & SA_TELL_ENDED)
		sip_leg_tell(leg, LEG_ENDED, NULL, &leg->cause);
	if (actions & SA_RELEASE &&
	    timer_start(leg->sip->core->loop->timers, &leg->release, 0, release, leg))
		release(leg);
	mem_deref(leg);
}

void sip_leg_event(struct sip_leg *leg, enum sip_leg_event event,
		   const struct cause *cause)
{
	enum sip_leg_state next;
	unsigned actions = sip_leg_fsm(leg->state, event, &next);

	if (cause && actions)
		leg->cause = *cause;
	else if (cause && next != leg->state)
		leg->cause = *cause;
	state_set(leg, next, event);
	act(leg, actions);
}

static int op_invite(struct leg *l, const struct invite *invite)
{
	struct sip_leg *leg = (struct sip_leg *)l;
	int err;

	if (leg->state != SL_NEW || !invite)
		return EINVAL;
	leg->invite = mem_ref((void *)invite);
	err = sip_leg_out_invite(leg, invite);
	if (err) {
		leg->state = SL_ENDED;
		return err;
	}
	sip_leg_hold(leg);
	sip_leg_event(leg, SE_INVITE, NULL);
	return 0;
}

static void op_ringing(struct leg *l)
{
	sip_leg_in_ringing((struct sip_leg *)l);
}

/* SIP has no word for "taken, the answer follows": the 180 stands until the 200. */
static void op_accepted(struct leg *l)
{
	(void)l;
}

static int op_answer(struct leg *l, struct body *answer)
{
	struct sip_leg *leg = (struct sip_leg *)l;
	int err;

	if (!answer)
		return EINVAL;
	if (leg->state != SL_INCOMING)
		return sip_reoffer_answer(leg, answer);
	sip_ours_set(&leg->ours, answer, false);
	if (answer->trickle && !leg->peer_trickle)
		return sip_half_wait(leg, HALF_ANSWER);
	err = sip_leg_in_accept(leg, answer);
	if (!err)
		sip_leg_event(leg, SE_ANSWER, NULL);
	return err;
}

static int op_offer(struct leg *l, struct body *offer)
{
	return offer ? sip_reoffer_offer((struct sip_leg *)l, offer) : EINVAL;
}

static void op_offer_refuse(struct leg *l, const struct cause *cause)
{
	sip_reoffer_refuse((struct sip_leg *)l, cause);
}

static void op_candidates(struct leg *l, const struct candidates *c)
{
	struct sip_leg *leg = (struct sip_leg *)l;
	struct sip_ours *o = &leg->ours;
	struct candidates *fresh = NULL;
	struct sdp_ice ice;

	if (!o->sdp)
		return;
	sdp_ice_read(&ice, o->sdp->data, o->sdp->len);
	if (c->ufrag[0] && !sdp_ice_has_ufrag(&ice, c->ufrag, strlen(c->ufrag)))
		return; /* of a generation that is gone */
	if (!o->all && candidates_alloc(&o->all, NULL, 0))
		return;
	if (candidates_join(o->all, &fresh, c, CANDIDATES_MAX))
		log_debug(sip_leg_call(leg), "sip.trickle.dropped", "peer=%s",
			  leg->hop->domain);
	mem_deref(fresh);
	sip_half_look(leg);
	trickle_more(leg->trickle);
	sip_leg_out_trickle(leg);
}

static void op_offer_withdraw(struct leg *l)
{
	sip_reoffer_withdraw((struct sip_leg *)l);
}

static void op_end(struct leg *l, const struct cause *cause)
{
	sip_leg_event((struct sip_leg *)l, SE_END, cause);
}

/* A trunk knows nothing of calls that are joined again. */
static bool op_dialog(const struct leg *l, char *buf, size_t size)
{
	return !((const struct sip_leg *)l)->hop->trunk &&
	       sip_replaces_print(l, buf, size);
}

static void op_keys(struct leg *l, const char *keys)
{
	struct sip_leg *leg = (struct sip_leg *)l;

	if (leg->hop->trunk)
		trunk_keys_send(leg, keys);
}

const struct leg_ops sip_leg_ops = {
	.kind = "sip",
	.invite = op_invite,
	.ringing = op_ringing,
	.accepted = op_accepted,
	.answer = op_answer,
	.offer = op_offer,
	.offer_refuse = op_offer_refuse,
	.candidates = op_candidates,
	.dialog = op_dialog,
	.keys = op_keys,
	.offer_withdraw = op_offer_withdraw,
	.end = op_end,
};

void sip_leg_shutdown(struct sip_leg *leg)
{
	struct cause c;

	cause_set(&c, CAUSE_SHUTDOWN, NULL);
	mem_ref(leg);
	if (leg->leg.call && leg->state != SL_ENDED && leg->state != SL_BYE &&
	    leg->state != SL_LEAVING)
		sip_leg_tell(leg, LEG_ENDED, NULL, &c);
	sip_leg_event(leg, SE_END, &c);
	mem_deref(leg);
}
