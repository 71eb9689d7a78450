/* sip/reoffer_in.c - the peer's new offers and session refreshes inside a dialog.
 *
 * Thread: signalling. Called by dialog.c with what comes, and by the call with its answer (op_answer()) or refusal
 * (op_offer_refuse()). Glare is 491, an overlap of the peer's own is 500 with Retry-After. An offer that changes nothing is
 * answered here, without troubling the browser. RFC 3261 section 14.2, RFC 3311 section 5.2, RFC 4028 section 9. */
#include "gateway/sdp.h"
#include "sip/leg.h"

/* A refresh repeats the description byte for byte (RFC 3264 §8: same version, same text). Anything else is
 * for the browser to judge, whatever its o= line says. */
static bool unchanged(const struct body *a, const struct body *b)
{
	return a && b && a->len == b->len && !memcmp(a->data, b->data, a->len);
}

/* The ACK to an offer of ours that a trunk has asked for: it holds the answer. */
static void late_answer(struct sip_leg *leg, const sip_t *s)
{
	struct body *answer = NULL;
	struct refusal r;
	struct cause c;

	leg->ro.late = false;
	if (!trust_body(&r, s))
		(void)sip_leg_sdp_read(&answer, s);
	if (answer) {
		sip_leg_sdp_set(&leg->remote_sdp, answer);
		sip_leg_tell(leg, LEG_ANSWER, answer, NULL);
	} else {
		sip_leg_event(leg, SE_LOST,
			      cause_set(&c, CAUSE_MEDIA,
					"%s did not answer with a media description.",
					leg->hop->domain));
	}
	mem_deref(answer);
}

static int in_bound(void *arg, nta_incoming_t *irq, const sip_t *s)
{
	struct sip_leg *leg = arg;
	struct reoffer *ro = &leg->ro;
	struct cause c;

	sip_loop_enter("sip.reinvite.bound");
	mem_ref(leg);
	if (!s) {
		sip_leg_event(leg, SE_LOST,
			      cause_set(&c, CAUSE_LOST,
					"%s did not confirm a change of the call.",
					leg->hop->domain));
	} else if (sip_leg_trusts(leg, s)) {
		bool ack = s->sip_request->rq_method == sip_method_ack;

		/* answered already, and applied on our side: the 200 crosses the CANCEL */
		if (!ack && leg->half.what == HALF_REANSWER) {
			sip_half_now(leg);
			goto out;
		}
		if (!ack && nta_incoming_status(irq) < 200)
			sip_refuse(leg->sip, irq, cause_set(&c, CAUSE_CANCELLED, NULL));
		ro->verify = mem_deref(ro->verify);
		nta_incoming_destroy(irq);
		ro->in = NULL;
		if (ack && ro->state == OF_ANSWERED) {
			sip_reoffer_quiet(leg);
			if (ro->late)
				late_answer(leg, s);
		} else if (!ack && ro->state == OF_REMOTE) {
			sip_reoffer_quiet(leg);
			sip_leg_tell(leg, LEG_OFFER_WITHDRAWN, NULL,
				     cause_set(&c, CAUSE_CANCELLED, NULL));
		}
		sip_reoffer_ready(leg);
	}
out:
	mem_deref(leg);
	sip_loop_leave();
	return 0;
}

static int in_accept(struct sip_leg *leg, struct body *answer)
{
	struct reoffer *ro = &leg->ro;
	msg_t *msg = nta_incoming_getrequest(ro->in);
	const sip_t *s = sip_object(msg);
	char expires[SESSION_TIMER_TEXT];
	bool require = false;
	int err;

	if (!s)
		return ENOMEM;
	nta_leg_server_route(leg->dialog, NULL, s->sip_contact);
	session_timer_answer(&leg->st, s, expires, &require);
	err = sip_reply(leg->sip, ro->in, leg->hop, 200, "OK", answer,
			SIPTAG_SESSION_EXPIRES_STR(expires),
			TAG_IF(require, SIPTAG_REQUIRE_STR("timer")), TAG_END());
	msg_destroy(msg);
	if (err)
		return err;
	if (nta_incoming_method(ro->in) == sip_method_invite) {
		ro->state = OF_ANSWERED;
	} else {
		nta_incoming_destroy(ro->in);
		ro->in = NULL;
		if (ro->state == OF_REMOTE)
			sip_reoffer_quiet(leg);
	}
	return 0;
}

int sip_reoffer_answer(struct sip_leg *leg, struct body *answer)
{
	struct reoffer *ro = &leg->ro;

	if (ro->state != OF_REMOTE)
		return EINVAL;
	sip_ours_set(&leg->ours, answer, false);
	return sip_reoffer_must_gather(leg, answer)
		       ? sip_half_wait(leg, HALF_REANSWER)
		       : sip_reoffer_answer_send(leg, answer);
}

int sip_reoffer_answer_send(struct sip_leg *leg, struct body *answer)
{
	int err;

	sip_leg_sdp_set(&leg->local_sdp, answer);
	if (!leg->ro.late)
		sip_leg_sdp_set(&leg->remote_sdp, leg->ro.sdp);
	err = in_accept(leg, answer);
	if (err)
		return err;
	leg->ours.sent = true;
	trickle_more(leg->trickle);
	return 0;
}

void sip_reoffer_refuse(struct sip_leg *leg, const struct cause *cause)
{
	struct reoffer *ro = &leg->ro;

	if (ro->state != OF_REMOTE)
		return;
	sip_refuse(leg->sip, ro->in, cause);
	nta_incoming_destroy(ro->in);
	ro->in = NULL;
	ro->late = false;
	sip_reoffer_quiet(leg);
}

/* May it be taken now? 0, or the status of the refusal. */
static unsigned in_state(struct refusal *r, const struct sip_leg *leg, bool invite,
			 bool offer)
{
	const struct reoffer *ro = &leg->ro;

	if (leg->state != SL_TALKING && leg->state != SL_ANSWERED &&
	    leg->state != SL_INCOMING)
		return refusal_set(r, 481, "Call/Transaction Does Not Exist",
				   "The call is over.");
	if (ro->in || ro->state == OF_REMOTE ||
	    (leg->state != SL_TALKING && (invite || offer)))
		return refusal_set(r, 500, "Server Internal Error",
				   "Another change of the call is still under way.");
	if ((offer && ro->state == OF_LOCAL_WAITS) ||
	    ((invite || offer) && sip_reoffer_is_out(ro) && !ro->out_is_update))
		return refusal_set(r, 491, "Request Pending",
				   "Both sides changed the call at once.");
	return 0;
}

static unsigned in_judge(struct refusal *r, const struct sip_leg *leg, const sip_t *s)
{
	bool invite = s->sip_request->rq_method == sip_method_invite;
	bool offer = s->sip_payload && s->sip_payload->pl_len;
	struct sdp_facts facts;
	const char *why = "";
	unsigned status = in_state(r, leg, invite, offer);

	if (!status)
		status = trust_body(r, s);
	if (!status)
		status = session_timer_check(r, s);
	if (!status && invite && !offer && !leg->hop->trunk) {
		status = refusal_set(r, 488, "Not Acceptable Here",
				     "Late offers are not taken.");
		snprintf(r->header, sizeof(r->header),
			 "Warning: 399 %s \"Late offers are not taken\"", leg->hop->site);
	}
	if (!status && offer &&
	    sdp_check(&facts, &why, s->sip_payload->pl_data, s->sip_payload->pl_len,
		      leg->sip->core->config->limits.sdp_bytes))
		status = refusal_set(r, 488, "Not Acceptable Here", "%s", why);
	return status;
}

/* Lets the peer's request go. */
static void in_refuse(struct sip_leg *leg, const struct refusal *r)
{
	sip_refuse_with(leg->sip, leg->ro.in, r);
	nta_incoming_destroy(leg->ro.in);
	leg->ro.in = NULL;
}

/* It is sound, and the peer's. */
static void in_take(struct sip_leg *leg, struct body *sdp)
{
	struct reoffer *ro = &leg->ro;
	struct refusal r;

	ro->late = !sdp && nta_incoming_method(ro->in) == sip_method_invite;
	if ((!sdp && !ro->late) ||
	    unchanged(sdp, leg->remote_sdp)) { /* a refresh: the leg answers it alone */
		if (nta_incoming_method(ro->in) == sip_method_invite)
			nta_incoming_bind(ro->in, in_bound, leg);
		if (in_accept(leg, sdp ? leg->local_sdp : NULL)) {
			refusal_set(&r, 500, "Server Internal Error", "Out of memory.");
			in_refuse(leg, &r);
		}
		return;
	}
	nta_incoming_bind(ro->in, in_bound, leg);
	if (nta_incoming_status(ro->in) < 100)
		sip_reply(leg->sip, ro->in, NULL, 100, "Trying", NULL, TAG_END());
	ro->state = OF_REMOTE;
	sip_leg_sdp_set(&ro->sdp, sdp);
	if (ro->late) {
		sip_leg_tell(leg, LEG_LATE, NULL, NULL);
		return;
	}
	sip_leg_tell(leg, LEG_OFFER, sdp, NULL);
	trickle_described(leg->trickle);
}

static void in_judged(const struct identity_verdict *v, void *arg)
{
	struct sip_leg *leg = arg;
	struct reoffer *ro = &leg->ro;
	struct party party = {.site_tls = !leg->by_signature};
	msg_t *msg = nta_incoming_getrequest(ro->in);
	const sip_t *s = sip_object(msg);
	struct body *sdp = NULL;
	struct refusal r = {0};
	unsigned status;

	mem_ref(leg);
	ro->verify = mem_deref(ro->verify);
	status = trust_verdict(&r, leg->sip, leg->hop->domain, &party, v);
	if (!status && ro->state == OF_LOCAL_WAITS) /* ours came up meanwhile */
		status = refusal_set(&r, 491, "Request Pending",
				     "Both sides changed the call at once.");
	if (!status && (!s || sip_leg_sdp_read(&sdp, s)))
		status = refusal_set(&r, 500, "Server Internal Error", "Out of memory.");
	if (status)
		in_refuse(leg, &r);
	else
		in_take(leg, sdp);
	mem_deref(sdp);
	msg_destroy(msg);
	sip_reoffer_ready(leg);
	mem_deref(leg);
}

/* A new description is as good as its signature, except a telephone line's: what comes over that is believed for its
 * source alone, and no call of a trunk ends for a signature. True: the verdict is awaited, or there will be none. */
static bool in_verify(struct sip_leg *leg, const sip_t *s)
{
	struct reoffer *ro = &leg->ro;
	struct refusal r;

	if (leg->hop->trunk ||
	    !trust_identity_due(leg->sip, s, leg->hop->domain, !leg->by_signature))
		return false;
	if (sip_identity_verify(leg->sip, &ro->verify, s, in_judged, leg)) {
		refusal_set(&r, 500, "Server Internal Error",
			    "There is too much to do: try again.");
		in_refuse(leg, &r);
		return true;
	}
	nta_incoming_bind(ro->in, in_bound, leg);
	sip_reply(leg->sip, ro->in, NULL, 100, "Trying", NULL, TAG_END());
	return true;
}

void sip_reoffer_request(struct sip_leg *leg, nta_incoming_t *irq, const sip_t *s)
{
	struct body *sdp = NULL;
	struct refusal r;

	if (in_judge(&r, leg, s)) {
		sip_refuse_with(leg->sip, irq, &r);
		nta_incoming_destroy(irq);
		return;
	}
	sip_leg_peer_allows(leg, s);
	leg->ro.in = irq;
	if (sip_leg_sdp_read(&sdp, s)) {
		refusal_set(&r, 500, "Server Internal Error", "Out of memory.");
		in_refuse(leg, &r);
	} else if (!sdp || !in_verify(leg, s)) {
		in_take(leg, sdp);
	}
	mem_deref(sdp);
}
