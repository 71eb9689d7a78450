/* sip/leg_in.c - a call that comes from a peer: its INVITE, and our answers to it.
 *
 * Thread: signalling. agent.c hands over each INVITE outside of dialogs; from call_alloc() on the call
 * decides, by the ops in leg.c. NTA repeats the 200 until the ACK is there, and tells us when it is
 * not. RFC 3261 §13.3 (UAS), §12.1.1 (the dialog), RFC 3262 §3 (reliable 180), RFC 4028 §9. */
#include <strings.h>

#include "lib/log.h"
#include "lib/secret.h"
#include "sip/trunk.h"

enum { TRYING_MS = 150 };

static const struct {
	int err;
	enum cause_reason reason;
} alloc_errors[] = {
	{ENOSPC, CAUSE_LIMIT}, /* calls at once */
	{EAGAIN, CAUSE_LIMIT}, /* calls a minute */
	{ECANCELED, CAUSE_SHUTDOWN}, {EBADMSG, CAUSE_MEDIA},
	{EBUSY, CAUSE_BUSY}, /* another call is replacing that one already */
};

/* Says no and lets the transaction go. */
static void refuse(struct sip *sip, nta_incoming_t *irq, const struct refusal *r,
		   const sip_t *s, const struct joint *j)
{
	static struct log_gate gate;

	if (log_gate_open(&gate, 10))
		log_warn(NULL, "sip.refused",
			 "method=%s status=%u peer=%s names=%s why=%s",
			 LQ(s->sip_request->rq_method_name), r->status, LQ(j->addr),
			 LQ(j->names), LQ(r->cause.text));
	sip_refuse_with(sip, irq, r);
	nta_incoming_destroy(irq);
}

static void acked(struct sip_leg *leg, const sip_t *s)
{
	struct body *answer = NULL;
	struct refusal r;
	struct cause c;

	if (!sip_leg_trusts(leg, s))
		return; /* the guard of ANSWERED ends it */
	trickle_open(leg->trickle, leg->peer_trickle);
	if (leg->late && !trust_body(&r, s))
		(void)sip_leg_sdp_read(&answer, s);
	nta_incoming_destroy(leg->irq);
	leg->irq = NULL;
	sip_leg_event(leg, SE_ACK, NULL);
	if (leg->late && leg->state == SL_TALKING) {
		leg->late = false;
		if (answer) {
			sip_leg_sdp_set(&leg->remote_sdp, answer);
			sip_leg_tell(leg, LEG_ANSWER, answer, NULL);
		} else {
			sip_leg_event(leg, SE_LOST,
				      cause_set(&c, CAUSE_MEDIA,
						"%s did not answer with a media "
						"description.",
						leg->hop->domain));
		}
	}
	mem_deref(answer);
	sip_reoffer_ready(leg);
}

/* Answers the INVITE of a caller who has gone. */
static void terminated(struct sip_leg *leg)
{
	struct cause c;

	sip_refuse(leg->sip, leg->irq, cause_set(&c, CAUSE_CANCELLED, NULL));
	nta_incoming_destroy(leg->irq);
	leg->irq = NULL;
}

static void cancelled(struct sip_leg *leg, const sip_t *s)
{
	struct cause c;

	if (!sip_leg_trusts(leg, s))
		return;
	cause_set(&c, CAUSE_CANCELLED, NULL);
	sip_reason_read(&c, s->sip_reason, 0);
	terminated(leg);
	sip_leg_event(leg, SE_CANCEL, &c);
}

/* What follows an INVITE in its own transaction: ACK, CANCEL, or nothing for too long (s NULL). */
static int bound(void *arg, nta_incoming_t *irq, const sip_t *s)
{
	struct sip_leg *leg = arg;
	struct cause c;

	(void)irq;
	sip_loop_enter("sip.invite.bound");
	mem_ref(leg);
	if (!s)
		sip_leg_event(leg, SE_NO_ACK,
			      cause_set(&c,
					leg->state == SL_INCOMING ? CAUSE_UNREACHABLE
								  : CAUSE_LOST,
					"%s did not confirm the call.",
					leg->hop->domain));
	else if (s->sip_request->rq_method == sip_method_ack)
		acked(leg, s);
	else if (s->sip_request->rq_method == sip_method_cancel &&
		 leg->state == SL_INCOMING)
		cancelled(leg, s);
	mem_deref(leg);
	sip_loop_leave();
	return 0;
}

/* The dialog that our first answer with a tag opens. */
static int dialog_make(struct sip_leg *leg, const sip_t *s)
{
	char tag[SIP_TAG_HEX + 1];

	leg->dialog = nta_leg_tcreate(leg->sip->agent, sip_dialog_request, leg,
				      SIPTAG_CALL_ID(s->sip_call_id),
				      SIPTAG_FROM(s->sip_to), SIPTAG_TO(s->sip_from),
				      NTATAG_REMOTE_CSEQ(s->sip_cseq->cs_seq), TAG_END());
	secret_hex(tag, SIP_TAG_HEX);
	if (!leg->dialog || !nta_leg_tag(leg->dialog, tag) ||
	    nta_leg_server_route(leg->dialog, s->sip_record_route, s->sip_contact) < 0 ||
	    !nta_incoming_tag(leg->irq, tag))
		return ENOMEM;
	nta_incoming_bind(leg->irq, bound, leg);
	return 0;
}

static int invite_make(struct invite **invp, const struct party *from,
		       const struct addr *to, struct body **sdpp, const sip_t *s)
{
	unsigned hops =
		s->sip_max_forwards ? (unsigned)s->sip_max_forwards->mf_count : 70;
	struct body *sdp = NULL;
	int err = sip_leg_sdp_read(&sdp, s);

	if (err)
		return err;
	err = invite_alloc(invp, from, to, sdp, (hops > 255 ? 255 : hops) - 1);
	if (err)
		mem_deref(sdp);
	else
		*sdpp = sdp;
	return err;
}

/* Everything that is judged, in the order of trust.h. Gives the status of the refusal or 0. */
static unsigned judge(struct refusal *r, struct sip *sip, const struct joint *j,
		      const sip_t *s, struct party *from, struct addr *to,
		      struct replaced *old)
{
	unsigned status = trust_caller(r, sip, j, s, from);

	if (!status)
		status = trust_target(r, sip, s, to);
	if (!status && (!s->sip_contact || s->sip_contact->m_url->url_type == url_any))
		status = refusal_set(r, 400, "Bad Request", "The INVITE has no Contact.");
	if (!status && (!s->sip_payload || !s->sip_payload->pl_len)) {
		status = refusal_set(
			r, 488, "Not Acceptable Here",
			"An INVITE must bring its session description: late offers are not taken.");
		snprintf(r->header, sizeof(r->header),
			 "Warning: 399 %s \"Late offers are not taken\"", to->host);
	}
	if (!status)
		status = session_timer_check(r, s);
	return status ? status : sip_replaces_judge(r, old, sip, s, from, to);
}

static int start(struct sip_leg *leg, const sip_t *s, struct party *from,
		 const struct addr *to, const struct replaced *old)
{
	struct call *call = NULL;
	struct body *sdp = NULL;
	int err = dialog_make(leg, s);

	err = err ? err : trickle_alloc(&leg->trickle, leg, leg->dialog);
	if (!leg->hop->trunk)
		err = err ? err : trust_identity(&from->identityv, s);
	err = err ? err : invite_make(&leg->invite, from, to, &sdp, s);
	mem_deref(from->identityv);
	from->identityv = NULL;
	if (err)
		return err;
	leg->invite->replaces = mem_ref(old->leg);
	leg->invite->rejoins = mem_ref(old->kept);
	leg->remote_sdp = sdp;
	leg->late = !sdp;
	leg->them = from->addr;
	/* Retargeted: what our requests would be From is not whom we know. */
	if (trust_to(&leg->us, s) || !addr_equal(&leg->us, to))
		memset(&leg->us, 0, sizeof(leg->us));
	leg->leg.remote = leg->invite->from;
	leg->leg.remote.identityv = NULL;
	sip_leg_peer_allows(leg, s);
	if (!leg->hop->trunk) {
		leg->peer_trickle = sip_knows_trickle(s);
		sip_trickle_learn(leg->sip, leg->hop->domain, s);
	}
	return call_alloc(&call, leg->sip->core, &leg->leg, leg->invite, NULL,
			  leg->hop->domain);
}

/* RFC 3261 §17.2.1: a 100 is for those who would hear nothing within 200 ms. */
static void trying(void *arg)
{
	struct sip_leg *leg = arg;

	if (leg->irq && nta_incoming_status(leg->irq) < 100)
		sip_reply(leg->sip, leg->irq, NULL, 100, "Trying", NULL, TAG_END());
}

static void admit(struct sip *sip, nta_incoming_t *irq, const sip_t *s,
		  const struct joint *j, const struct identity_verdict *v)
{
	struct party from = {0};
	struct addr to = {0};
	struct refusal r;
	struct cause c;
	struct sip_leg *leg = NULL;
	struct replaced old = {NULL, NULL};
	struct trunk *trunk = *j->trunk ? trunk_named(sip, j->trunk) : NULL;
	int err;

	if ((trunk ? trunk_judge(&r, trunk, s, &from, &to)
		   : judge(&r, sip, j, s, &from, &to, &old)) ||
	    (v && !trunk && trust_verdict(&r, sip, from.addr.host, &from, v))) {
		refuse(sip, irq, &r, s, j);
		return;
	}
	if (trunk && v)
		trunk_verdict(&from, trunk, s, &to, v);
	cause_set(&c, CAUSE_INTERNAL, NULL);
	if (sip->stopping) {
		err = ECANCELED;
		goto out;
	}
	err = trunk ? sip_leg_alloc_trunk(&leg, trunk, LEG_IN)
		    : sip_leg_alloc(&leg, sip, LEG_IN, to.host, from.addr.host);
	if (err)
		goto out;
	leg->irq = irq;
	leg->by_signature = !trunk && !from.site_tls;
	err = start(leg, s, &from, &to, &old);
	if (err)
		goto out;
	sip_leg_hold(leg);
	if (timer_start(sip->core->loop->timers, &leg->trying, TRYING_MS, trying, leg))
		trying(leg);
	log_info(leg->invite->call_id, "sip.invite", "dir=in from=%s to=%s peer=%s",
		 LQ(AT_SHORT(&from.addr)), LQ(AT_SHORT(&to)), LQ(j->addr));
out:
	if (err) {
		for (size_t i = 0; i < N_ELEMS(alloc_errors); i++)
			if (alloc_errors[i].err == err)
				cause_set(&c, alloc_errors[i].reason, NULL);
		if (err == ENOENT) {
			refusal_set(&r, 481, "Call/Transaction Does Not Exist",
				    "The call to be replaced is not established.");
			sip_refuse_with(sip, irq, &r);
		} else {
			sip_refuse(sip, irq, &c);
		}
		nta_incoming_destroy(irq);
		if (leg)
			leg->irq = NULL;
	}
	mem_deref(leg);
}

/* What costs nothing is judged first; a signature only for whoever would be let in otherwise. */
void sip_leg_in_invite(struct sip *sip, nta_incoming_t *irq, const sip_t *s,
		       const struct joint *j)
{
	struct trunk *trunk = *j->trunk ? trunk_named(sip, j->trunk) : NULL;
	struct party from = {0};
	struct addr to = {0};
	struct replaced old;
	struct refusal r;
	struct cause c;
	int err;

	if (trunk ? !trunk_identity_due(trunk, s) : !sip->core->identity) {
		admit(sip, irq, s, j, NULL);
		return;
	}
	if (trunk ? trunk_judge(&r, trunk, s, &from, &to)
		  : judge(&r, sip, j, s, &from, &to, &old)) {
		refuse(sip, irq, &r, s, j);
		return;
	}
	if (sip->stopping ||
	    (!trunk && !trust_identity_due(sip, s, from.addr.host, from.site_tls))) {
		admit(sip, irq, s, j, NULL);
		return;
	}
	err = sip_newcomer_alloc(sip, irq, s, j, admit);
	if (err) {
		cause_set(&c, err == ENOSPC ? CAUSE_LIMIT : CAUSE_INTERNAL, NULL);
		sip_refuse(sip, irq, &c);
		nta_incoming_destroy(irq);
	}
}

/* PRACK to our 180, or (s NULL) none is waited for any more. RFC 3262 §3. */
static int pracked(void *arg, nta_reliable_t *rel, nta_incoming_t *prack, const sip_t *s)
{
	struct sip_leg *leg = arg;
	struct refusal r;

	if (leg->rel == rel)
		leg->rel = NULL;
	nta_reliable_destroy(rel);
	if (!s)
		return 0;
	if (!sip_leg_trusts(leg, s)) {
		refusal_set(&r, 403, "Forbidden", "The connection does not prove %s.",
			    leg->hop->domain);
		sip_refuse_with(leg->sip, prack, &r);
	} else if (s->sip_payload && s->sip_payload->pl_len) {
		refusal_set(&r, 488, "Not Acceptable Here",
			    "No new offer is taken before the answer.");
		sip_refuse_with(leg->sip, prack, &r);
	} else {
		sip_reply(leg->sip, prack, NULL, 200, "OK", NULL, TAG_END());
		trickle_open(leg->trickle, leg->peer_trickle);
	}
	nta_incoming_destroy(prack);
	return 0;
}

/* Does the caller need to know that we know of the dialog? One who insists on it (RFC 3262 §3), or who has more
 * candidates for us, and will get ours before its ACK (RFC 8840 §4.3). For others a PRACK and its 200 would be
 * a quarter of all messages of a call. */
static bool wants_reliable(const struct sip_leg *leg, const sip_t *s)
{
	return sip_has_feature(s->sip_require, "100rel") ||
	       (leg->invite->offer && leg->invite->offer->trickle &&
		sip_has_feature(s->sip_supported, "100rel"));
}

void sip_leg_in_ringing(struct sip_leg *leg)
{
	msg_t *msg;
	const sip_t *s;

	if (leg->state != SL_INCOMING || !leg->irq ||
	    nta_incoming_status(leg->irq) >= 180)
		return;
	msg = nta_incoming_getrequest(leg->irq);
	s = sip_object(msg);
	if (s && wants_reliable(leg, s))
		leg->rel = sip_reply_reliable(leg->sip, leg->irq, leg->hop, pracked, leg,
					      180, "Ringing");
	else
		sip_reply(leg->sip, leg->irq, leg->hop, 180, "Ringing", NULL, TAG_END());
	msg_destroy(msg);
}

int sip_leg_in_accept(struct sip_leg *leg, struct body *answer)
{
	msg_t *msg = nta_incoming_getrequest(leg->irq);
	const sip_t *s = sip_object(msg);
	char expires[SESSION_TIMER_TEXT];
	bool require = false;
	int err;

	if (!s)
		return ENOMEM;
	session_timer_answer(&leg->st, s, expires, &require);
	err = sip_reply(leg->sip, leg->irq, leg->hop, 200, "OK", answer,
			SIPTAG_SESSION_EXPIRES_STR(expires),
			TAG_IF(require, SIPTAG_REQUIRE_STR("timer")), TAG_END());
	msg_destroy(msg);
	if (err)
		return err;
	sip_leg_sdp_set(&leg->local_sdp, answer);
	leg->ours.sent = true;
	trickle_more(leg->trickle);
	return 0;
}

void sip_leg_in_refuse(struct sip_leg *leg)
{
	if (!leg->irq)
		return;
	if (leg->state == SL_ENDED && nta_incoming_status(leg->irq) < 200) {
		if (leg->cause.reason == CAUSE_CANCELLED)
			terminated(leg);
		else
			sip_refuse(leg->sip, leg->irq, &leg->cause);
	}
	nta_incoming_destroy(leg->irq);
	leg->irq = NULL;
}
