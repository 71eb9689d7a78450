/* sip/reoffer.c - our new offers and session refreshes inside a dialog; the peer's are in reoffer_in.c.
 *
 * Thread: signalling. The call makes offers by op_offer(); the session timer asks for
 * refreshes. One machine (enum offer_state) sees to it that only one offer is open, whoever made it.
 * RFC 3261 §14, RFC 3264 §4 and §8, RFC 3311 §5, RFC 4028 §7.4, RFC 6141. */
#include "gateway/sdp.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "sip/trunk.h"

enum {
	REFRESH_BUSY_MS =
		10000, /* something else is under way: it will refresh, or we do then */
	REFRESH_FAILED_MS = 5000,
	REFRESH_TRIES = 3,
	GLARE_MIN_MS = 2100, /* RFC 3261 §14.1: the dialog's maker waits 2.1 to 4 s */
	GLARE_SPREAD_MS = 1900,
};

static int send_request(struct sip_leg *leg, struct body *sdp);
static void request_sent(struct sip_leg *leg);
static int send_offer(struct sip_leg *leg, struct body *sdp);

void sip_reoffer_quiet(struct sip_leg *leg)
{
	struct reoffer *ro = &leg->ro;

	ro->state = OF_QUIET;
	ro->withdrawn = false;
	ro->sdp = mem_deref(ro->sdp);
	timer_cancel(&ro->timeout);
	if (leg->half.what == HALF_OFFER || leg->half.what == HALF_REANSWER)
		sip_half_cancel(leg);
}

/* An offer of ours came to nothing: what was agreed before holds. */
static void ours_back(struct sip_leg *leg)
{
	if (leg->local_sdp)
		sip_ours_set(&leg->ours, leg->local_sdp, true);
}

static void refused(struct sip_leg *leg, const struct cause *cause)
{
	sip_reoffer_quiet(leg);
	ours_back(leg);
	sip_leg_tell(leg, LEG_OFFER_REFUSED, NULL, cause);
}

/* ---- ours ---- */

static void refresh_timeout(void *arg)
{
	struct sip_leg *leg = arg;
	struct cause c;

	sip_leg_event(leg, SE_LOST,
		      cause_set(&c, CAUSE_LOST, "The connection to %s was lost.",
				leg->hop->domain));
}

/* A re-INVITE with a 100 and nothing more has no end of its own; an UPDATE has timer F. */
static void refresh_watch(struct sip_leg *leg)
{
	(void)timer_start(leg->sip->core->loop->timers, &leg->ro.timeout,
			  SIP_T1X64_MS + 1000, refresh_timeout, leg);
}

/* A cancelled re-INVITE that gets no final answer: NTA ends it by 408 after 64*T1, but not one whose CANCEL it
 * could not make. */
static void out_dead(void *arg)
{
	struct sip_leg *leg = arg;
	struct reoffer *ro = &leg->ro;

	nta_outgoing_destroy(ro->out);
	ro->out = NULL;
	ro->withdrawn = false;
	if (ro->state == OF_REFRESH)
		sip_reoffer_quiet(leg);
	sip_reoffer_ready(leg);
}

/* What was to go does not. */
static void unsign(struct reoffer *ro)
{
	ro->sign = mem_deref(ro->sign);
	ro->unsent = mem_deref(ro->unsent);
}

/* The call's offer is wanted no more, whether it waits or is with the peer. */
static void take_back(struct sip_leg *leg)
{
	struct reoffer *ro = &leg->ro;

	timer_cancel(&ro->timeout);
	ours_back(leg);
	if (leg->half.what == HALF_OFFER)
		sip_half_cancel(leg);
	if (ro->state == OF_LOCAL_WAITS) {
		/* What it waited for goes on: whose it is shows from what is open. */
		ro->state = sip_reoffer_is_out(ro) ? OF_REFRESH
			    : ro->in               ? OF_ANSWERED
						   : OF_QUIET;
		ro->sdp = mem_deref(ro->sdp);
		if (sip_reoffer_is_out(ro) && !ro->withdrawn)
			refresh_watch(leg);
	} else if (ro->sign) { /* the peer has not seen it */
		unsign(ro);
		sip_reoffer_quiet(leg);
	} else {
		if (ro->out) {
			sip_cancel_send(leg->hop, ro->out, NULL);
			(void)timer_start(leg->sip->core->loop->timers, &ro->dead,
					  SIP_T1X64_MS + 1000, out_dead, leg);
		}
		ro->withdrawn = true;
		ro->state = OF_REFRESH; /* until its final answer is there */
	}
}

static void offer_timeout(void *arg)
{
	struct sip_leg *leg = arg;
	struct cause c;

	take_back(leg);
	sip_leg_tell(leg, LEG_OFFER_REFUSED, NULL,
		     cause_set(&c, CAUSE_TIMEOUT, "%s did not answer in time.",
			       leg->hop->domain));
}

static void out_accepted(struct sip_leg *leg, const sip_t *s)
{
	struct reoffer *ro = &leg->ro;
	struct body *answer = NULL;
	enum offer_state was = ro->state;
	struct refusal r;
	struct cause c;

	nta_leg_client_reroute(leg->dialog, NULL, s->sip_contact, 0);
	session_timer_accepted(&leg->st, s);
	ro->n_failed = 0;
	ro->challenged = false;
	sip_watch_heard(leg);
	sip_leg_peer_allows(leg, s);
	if (was == OF_REFRESH &&
	    ro->withdrawn) { /* the peer has changed, our side has not: back */
		sip_reoffer_quiet(leg);
		if (!send_request(leg, leg->local_sdp)) {
			ro->state = OF_REFRESH;
			refresh_watch(leg);
		}
		return;
	}
	if (was != OF_LOCAL) {
		if (was == OF_REFRESH)
			sip_reoffer_quiet(leg);
		ro->withdrawn = false; /* an offer that waits will say what holds now */
		return;
	}
	if (trust_body(&r, s) || sip_leg_sdp_read(&answer, s) || !answer) {
		refused(leg, cause_set(&c, CAUSE_MEDIA,
				       "%s answered without a media description.",
				       leg->hop->domain));
		return;
	}
	sip_leg_sdp_set(&leg->local_sdp, ro->sdp);
	sip_leg_sdp_set(&leg->remote_sdp, answer);
	sip_reoffer_quiet(leg);
	sip_leg_tell(leg, LEG_ANSWER, answer, NULL);
	mem_deref(answer);
	trickle_described(leg->trickle);
}

static void refresh_refused(struct sip_leg *leg, unsigned status)
{
	struct cause c;

	if (leg->ro.state == OF_REFRESH)
		sip_reoffer_quiet(leg);
	if (status == 491)
		session_timer_again(&leg->st,
				    GLARE_MIN_MS + secret_u64() % GLARE_SPREAD_MS);
	else if (++leg->ro.n_failed < REFRESH_TRIES)
		session_timer_again(&leg->st, REFRESH_FAILED_MS);
	else
		sip_leg_event(leg, SE_LOST,
			      cause_set(&c, CAUSE_LOST, "The connection to %s was lost.",
					leg->hop->domain));
}

/* A trunk asks for a password, in mid-call: once for each request. */
static bool challenged(struct sip_leg *leg, const sip_t *s)
{
	unsigned status = (unsigned)s->sip_status->st_status;
	bool again = !leg->ro.challenged;

	leg->ro.challenged = false;
	if ((status != 401 && status != 407) || !leg->hop->trunk || leg->ro.withdrawn ||
	    !again || !trunk_challenged(leg->hop->trunk, s))
		return false;
	leg->ro.challenged = true;
	return true;
}

static void out_refused(struct sip_leg *leg, const sip_t *s)
{
	unsigned status = (unsigned)s->sip_status->st_status;
	bool internal = nta_sip_is_internal(s);
	struct cause c;

	if (status == 481 ||
	    (status == 408 && !leg->ro.withdrawn)) { /* RFC 3261 §12.2.1.2 */
		sip_leg_event(leg, SE_LOST,
			      cause_set(&c, CAUSE_LOST, "The connection to %s was lost.",
					leg->hop->domain));
		return;
	}
	if (challenged(leg, s) ||
	    (status == 422 && session_timer_too_short(&leg->st, s))) {
		if (leg->ro.state == OF_LOCAL && !send_offer(leg, leg->ro.sdp))
			return;
		if (leg->ro.state == OF_REFRESH) {
			sip_reoffer_quiet(leg);
			sip_reoffer_refresh(leg);
			return;
		}
	}
	if (leg->ro.withdrawn) {
		leg->ro.withdrawn = false;
		if (leg->ro.state !=
		    OF_LOCAL_WAITS) /* else sip_reoffer_ready() sends it */
			sip_reoffer_quiet(leg);
		return;
	}
	if (leg->ro.out_is_update &&
	    (status == 405 || status == 501)) { /* it was a guess, then */
		leg->peer_update = false;
		if (leg->ro.state == OF_REFRESH)
			sip_reoffer_quiet(leg);
		sip_reoffer_refresh(leg);
		return;
	}
	if (leg->ro.state != OF_LOCAL) {
		refresh_refused(leg, status);
		return;
	}
	cause_from_sip(&c, status, internal ? NULL : s->sip_status->st_phrase);
	if (!internal)
		sip_reason_read(&c, s->sip_reason, status);
	refused(leg, &c);
}

static void out_response(struct sip_leg *leg, nta_outgoing_t *orq, const sip_t *s)
{
	unsigned status = (unsigned)s->sip_status->st_status;

	if (status < 200)
		return;
	if (status < 300 && nta_outgoing_method(orq) == sip_method_invite)
		sip_ack_send(leg->hop, leg->dialog, leg->ro.branch,
			     nta_outgoing_cseq(orq));
	timer_cancel(&leg->ro.dead);
	if (leg->ro.state != OF_LOCAL_WAITS) /* then it is the waiting offer's */
		timer_cancel(&leg->ro.timeout);
	leg->ro.out = NULL;
	if (status < 300)
		out_accepted(leg, s);
	else
		out_refused(leg, s);
	nta_outgoing_destroy(orq);
	sip_reoffer_ready(leg);
}

static int out_response_h(void *arg, nta_outgoing_t *orq, const sip_t *s)
{
	struct sip_leg *leg = arg;
	struct joint j;

	if (!s || orq != leg->ro.out ||
	    (!nta_sip_is_internal(s) && trust_joint(&j, leg->sip, s)))
		return 0;
	sip_loop_enter("sip.response.offer");
	mem_ref(leg);
	out_response(leg, orq, s);
	mem_deref(leg);
	sip_loop_leave();
	return 0;
}

/* re-INVITE with `sdp`, or UPDATE without; `sig` NULL: unsigned. */
static int send_now(struct sip_leg *leg, struct body *sdp,
		    const struct identity_signed *sig)
{
	struct reoffer *ro = &leg->ro;
	bool trunk = leg->hop->trunk != NULL;
	char expires[SESSION_TIMER_TEXT], min_se[16], *line = sip_identity_line(sig);
	struct sip_request rq = {
		.hop = leg->hop,
		.dialog = leg->dialog,
		.method = sdp ? sip_method_invite : sip_method_update,
		.name = sdp ? "INVITE" : "UPDATE",
		.branch = sip_branch_make(ro->branch, leg->hop),
		.sdp = sdp,
	};

	if (sig && !line)
		return ENOMEM;
	snprintf(min_se, sizeof(min_se), "%u", (unsigned)leg->st.min_s);
	ro->out = sip_request_send(
		&rq, out_response_h, leg, SIPTAG_ALLOW_STR(sip_allow),
		SIPTAG_SUPPORTED_STR(trunk ? "timer" : "timer, trickle-ice"),
		TAG_IF(!trunk, SIPTAG_UNKNOWN_STR(sip_recv_info)),
		SIPTAG_MIN_SE_STR(min_se),
		SIPTAG_SESSION_EXPIRES_STR(session_timer_offer(&leg->st, expires, false)),
		TAG_IF(sig, SIPTAG_DATE_STR(sig ? sig->date : NULL)),
		TAG_IF(line, SIPTAG_UNKNOWN_STR(line)),
		TAG_IF(sdp, SIPTAG_ACCEPT_STR("application/sdp")), TAG_END());
	mem_deref(line);
	return ro->out ? 0 : EIO;
}

static void request_signed(const struct identity_signed *sig, void *arg)
{
	struct sip_leg *leg = arg;
	struct reoffer *ro = &leg->ro;
	struct body *sdp = ro->unsent;
	int err = sig->err == ENOKEY ? 0 : sig->err;
	struct cause c;

	mem_ref(leg);
	ro->sign = mem_deref(ro->sign);
	ro->unsent = NULL;
	if (!err)
		err = send_now(leg, sdp, sig->header ? sig : NULL);
	mem_deref(sdp);
	if (!err) {
		request_sent(leg);
	} else if (ro->state == OF_LOCAL) {
		refused(leg, cause_set(&c, CAUSE_INTERNAL, NULL));
		sip_reoffer_ready(leg);
	} else {
		if (ro->state == OF_REFRESH)
			sip_reoffer_quiet(leg);
		session_timer_again(&leg->st, REFRESH_FAILED_MS);
		sip_reoffer_ready(leg);
	}
	mem_deref(leg);
}

/* The same, when it is signed; what has no description to vouch for goes at once. */
static int send_request(struct sip_leg *leg, struct body *sdp)
{
	struct reoffer *ro = &leg->ro;
	int err = ENOKEY;

	ro->out_is_update = !sdp;
	if (sdp)
		err = sip_identity_sign(leg, &ro->sign, &leg->us, &leg->them, sdp,
					request_signed, leg);
	if (err == ENOKEY)
		return send_now(leg, sdp, NULL);
	if (!err)
		ro->unsent = mem_ref(sdp);
	return err;
}

static int offer_watch(struct sip_leg *leg)
{
	return timer_start(leg->sip->core->loop->timers, &leg->ro.timeout,
			   (uint64_t)leg->sip->core->config->limits.offer_s * 1000,
			   offer_timeout, leg);
}

static int send_offer(struct sip_leg *leg, struct body *sdp)
{
	struct reoffer *ro = &leg->ro;
	int err = send_request(leg, sdp);

	if (err)
		return err;
	ro->state = OF_LOCAL;
	ro->withdrawn = false;
	sip_leg_sdp_set(&ro->sdp, sdp);
	if (ro->out)
		request_sent(leg);
	return offer_watch(leg);
}

/* The peer has the description: its candidates may follow. */
static void request_sent(struct sip_leg *leg)
{
	if (leg->ro.state != OF_LOCAL)
		return;
	leg->ours.sent = true;
	trickle_more(leg->trickle);
}

/* Its candidates follow, and the peer cannot take them one by one. What ended before says nothing of it. */
bool sip_reoffer_must_gather(struct sip_leg *leg, const struct body *sdp)
{
	if (!sdp->trickle || leg->peer_trickle)
		return false;
	if (leg->ours.all)
		leg->ours.all->end = false;
	return true;
}

int sip_reoffer_offer(struct sip_leg *leg, struct body *offer)
{
	struct reoffer *ro = &leg->ro;
	bool gather;
	int err;

	if (leg->half.what == HALF_ANSWER) /* our answer waits for its candidates */
		return EBUSY;
	if (leg->state != SL_TALKING && leg->state != SL_ANSWERED)
		return EINVAL;
	if (leg->away) /* a 481 now would end a call that may still be joined again */
		return ENOTCONN;
	if (ro->state == OF_REMOTE || ro->state == OF_LOCAL ||
	    ro->state == OF_LOCAL_WAITS)
		return EBUSY;
	sip_ours_set(&leg->ours, offer, false);
	gather = sip_reoffer_must_gather(leg, offer);
	/* A peer's own refresh may have overtaken ours, whose answer is still to come. */
	if (!gather && ro->state == OF_QUIET && leg->state == SL_TALKING &&
	    !sip_reoffer_is_out(ro) && !ro->in)
		return send_offer(leg, offer);
	ro->state = OF_LOCAL_WAITS;
	sip_leg_sdp_set(&ro->sdp, offer);
	err = offer_watch(leg);
	return !err && gather ? sip_half_wait(leg, HALF_OFFER) : err;
}

void sip_reoffer_gathered(struct sip_leg *leg, struct body *offer)
{
	if (leg->ro.state != OF_LOCAL_WAITS)
		return;
	sip_leg_sdp_set(&leg->ro.sdp, offer);
	sip_reoffer_ready(leg);
}

void sip_reoffer_withdraw(struct sip_leg *leg)
{
	if (leg->ro.state == OF_LOCAL || leg->ro.state == OF_LOCAL_WAITS)
		take_back(leg);
}

void sip_reoffer_ready(struct sip_leg *leg)
{
	struct reoffer *ro = &leg->ro;
	struct cause c;

	if (ro->state != OF_LOCAL_WAITS || leg->state != SL_TALKING ||
	    sip_reoffer_is_out(ro) || ro->in || leg->half.what == HALF_OFFER)
		return;
	if (send_offer(leg, ro->sdp))
		refused(leg, cause_set(&c, CAUSE_INTERNAL, NULL));
}

void sip_reoffer_refresh(void *arg)
{
	struct sip_leg *leg = arg;
	struct reoffer *ro = &leg->ro;

	if (leg->state != SL_TALKING || ro->state != OF_QUIET || sip_reoffer_is_out(ro) ||
	    ro->in) {
		session_timer_again(&leg->st, REFRESH_BUSY_MS);
		return;
	}
	if (send_request(leg, leg->peer_update ? NULL : leg->local_sdp)) {
		session_timer_again(&leg->st, REFRESH_FAILED_MS);
		return;
	}
	ro->state = OF_REFRESH;
	refresh_watch(leg);
}

void sip_reoffer_close(struct sip_leg *leg)
{
	struct reoffer *ro = &leg->ro;
	struct cause c;

	timer_cancel(&ro->dead);
	unsign(ro);
	ro->verify = mem_deref(ro->verify);
	if (ro->out)
		nta_outgoing_destroy(ro->out);
	ro->out = NULL;
	if (ro->in) {
		if (nta_incoming_status(ro->in) < 200)
			sip_refuse(leg->sip, ro->in,
				   cause_set(&c, CAUSE_CANCELLED, NULL));
		nta_incoming_destroy(ro->in);
	}
	ro->in = NULL;
	sip_reoffer_quiet(leg);
}
