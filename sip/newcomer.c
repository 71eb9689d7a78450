/* sip/newcomer.c - an INVITE whose Identity is being judged: nothing rings yet, but the caller hears 100 and may give up.
 *
 * Thread: signalling. leg_in.c makes it and goes on when the verdict is there, or the time is over that a call may be held up
 * for it (limits.identity_fetch_s): a fetch has as much for itself, and may have waited for its turn before. RFC 8224
 * §6.2, RFC 3261 §17.2.1 (100), §9.2 (CANCEL). */
#include "sip/leg.h"

enum { TRYING_MS = 150 };

struct newcomer {
	struct le le; /* in sip->newcomers */
	struct sip *sip;
	nta_incoming_t *irq;
	msg_t *msg; /* the INVITE, held */
	struct joint j;
	struct identity_wait *wait;
	struct timer trying, late;
	uint64_t since_us;
	sip_newcomer_h *h;
};

static void destructor(void *arg)
{
	struct newcomer *n = arg;

	timer_cancel(&n->trying);
	timer_cancel(&n->late);
	list_unlink(&n->le);
	mem_deref(n->wait);
	nta_incoming_destroy(n->irq);
	if (n->msg)
		msg_destroy(n->msg);
}

static void judged(const struct identity_verdict *v, void *arg)
{
	struct newcomer *n = arg;
	nta_incoming_t *irq = n->irq;
	struct identity_verdict timed = *v;

	timed.took_ms =
		(uint32_t)((timers_now_us(n->sip->core->loop->timers) - n->since_us) /
			   1000);
	sip_loop_enter("sip.identity.judged");
	n->irq = NULL;
	nta_incoming_bind(irq, NULL, NULL);
	n->h(n->sip, irq, sip_object(n->msg), &n->j, &timed);
	mem_deref(n);
	sip_loop_leave();
}

/* What follows in its transaction: CANCEL, or nothing any more (s NULL). */
static int bound(void *arg, nta_incoming_t *irq, const sip_t *s)
{
	struct newcomer *n = arg;
	struct cause c;
	struct joint j;

	(void)irq;
	if (s && (s->sip_request->rq_method != sip_method_cancel ||
		  trust_joint(&j, n->sip, s) || strcmp(j.names, n->j.names) != 0 ||
		  strcmp(j.trunk, n->j.trunk) != 0))
		return 0;
	if (s)
		sip_refuse(n->sip, n->irq, cause_set(&c, CAUSE_CANCELLED, NULL));
	mem_deref(n);
	return 0;
}

/* Its certificate is as good as out of reach. */
static void late(void *arg)
{
	struct identity_verdict v = {.status = 436, .phrase = "Bad Identity Info"};

	snprintf(v.why, sizeof(v.why), "it could not be checked in time");
	judged(&v, arg);
}

/* A fetch that has begun at once says itself why it has failed. */
static uint32_t late_ms(const struct sip *sip)
{
	return sip->core->config->limits.identity_fetch_s * 1000 - IDENTITY_SLACK_MS / 2;
}

static void trying(void *arg)
{
	struct newcomer *n = arg;

	if (nta_incoming_status(n->irq) < 100)
		sip_reply(n->sip, n->irq, NULL, 100, "Trying", NULL, TAG_END());
}

int sip_newcomer_alloc(struct sip *sip, nta_incoming_t *irq, const sip_t *s,
		       const struct joint *j, sip_newcomer_h *h)
{
	struct newcomer *n = mem_zalloc(sizeof(*n), destructor);
	int err;

	if (!n)
		return ENOMEM;
	n->sip = sip;
	n->since_us = timers_now_us(sip->core->loop->timers);
	n->j = *j;
	n->h = h;
	n->msg = nta_incoming_getrequest(irq);
	err = n->msg ? sip_identity_verify(sip, &n->wait, s, judged, n) : ENOMEM;
	err = err ? err
		  : timer_start(sip->core->loop->timers, &n->late, late_ms(sip), late, n);
	if (err) {
		mem_deref(n);
		return err;
	}
	n->irq = irq;
	nta_incoming_bind(irq, bound, n);
	list_append(&sip->newcomers, &n->le, n);
	if (timer_start(sip->core->loop->timers, &n->trying, TRYING_MS, trying, n))
		trying(n);
	return 0;
}
