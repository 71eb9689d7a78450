/* sip/dialog.c - requests inside a dialog, both ways, but offers (reoffer.c) and ACK/CANCEL (leg_in.c).
 *
 * Thread: signalling. NTA calls in with what its dialogs match. Nothing is believed, not even a BYE,
 * unless the connection it came over proves the dialog's peer: knowing the tags is not enough.
 * RFC 3261 §12.2.2, §15.1, §11; RFC 6086 (INFO without a package). */
#include <strings.h>

#include "lib/log.h"
#include "sip/trunk.h"
#include "sip/try.h"

void sip_leg_peer_allows(struct sip_leg *leg, const sip_t *s)
{
	if (s->sip_allow)
		leg->peer_update = sip_is_allowed(s->sip_allow, SIP_METHOD_UPDATE);
}

/* What is wrong with a request of a dialog, whatever it asks for. 0: nothing. `trusted`: it comes from the peer. */
static unsigned judge(struct refusal *r, bool trusted, const sip_t *s, const char *domain)
{
	static struct log_gate gate;
	char list[256];

	memset(r, 0, sizeof(*r));
	if (!trusted) {
		if (log_gate_open(&gate, 10))
			log_warn(NULL, "sip.dialog.foreign", "method=%s peer=%s",
				 LQ(s->sip_request->rq_method_name), domain);
		return refusal_set(r, 403, "Forbidden",
				   "The connection does not prove %s.", domain);
	}
	if (!s->sip_to->a_tag) /* merged, or a guess: never a part of this dialog */
		return refusal_set(r, 482, "Request Merged",
				   "The request has no To tag.");
	if (s->sip_error)
		return refusal_set(r, 400, "Bad Request", "A header is malformed.");
	if (trust_unsupported(list, sizeof(list), s)) {
		refusal_set(r, 420, "Bad Extension",
			    "An extension is required that is not known here.");
		snprintf(r->header, sizeof(r->header), "Unsupported: %s", list);
	}
	return r->status;
}

/* The methods that mean the same in every dialog. True: it was answered. */
static bool plain_method(struct sip *sip, const struct sip_hop *hop, nta_incoming_t *irq,
			 const sip_t *s)
{
	struct refusal r;

	switch (s->sip_request->rq_method) {
	case sip_method_options:
		sip_reply(sip, irq, hop, 200, "OK", NULL,
			  SIPTAG_ACCEPT_STR("application/sdp"), TAG_END());
		return true;
	case sip_method_info:
		if (s->sip_payload && s->sip_payload->pl_len) {
			refusal_set(&r, 415, "Unsupported Media Type",
				    "INFO is taken without a body only.");
			sip_refuse_with(sip, irq, &r);
		} else {
			sip_reply(sip, irq, hop, 200, "OK", NULL, TAG_END());
		}
		return true;
	case sip_method_invite:
	case sip_method_update:
	case sip_method_bye:
		return false;
	default:
		refusal_set(&r,
			    s->sip_request->rq_method == sip_method_unknown ? 501 : 405,
			    s->sip_request->rq_method == sip_method_unknown
				    ? "Not Implemented"
				    : "Method Not Allowed",
			    "The method is not offered here.");
		sip_refuse_with(sip, irq, &r);
		return true;
	}
}

static void peer_bye(struct sip_leg *leg, nta_incoming_t *irq, const sip_t *s)
{
	struct cause c, terminated;

	cause_set(&c, CAUSE_HANGUP, NULL);
	sip_reason_read(&c, s->sip_reason, 0);
	sip_reply(leg->sip, irq, NULL, 200, "OK", NULL, TAG_END());
	if (leg->state == SL_INCOMING &&
	    leg->irq) { /* the caller may end an early dialog so, too */
		cause_set(&c, CAUSE_CANCELLED, NULL);
		sip_refuse(leg->sip, leg->irq,
			   cause_set(&terminated, CAUSE_CANCELLED, NULL));
	}
	sip_leg_event(leg, SE_PEER_BYE, &c);
}

static void dispatch(struct sip_leg *leg, nta_incoming_t *irq, const sip_t *s)
{
	bool info = s->sip_request->rq_method == sip_method_info;
	struct refusal r;

	if (judge(&r, sip_leg_trusts(leg, s), s, leg->hop->domain)) {
		sip_refuse_with(leg->sip, irq, &r);
		nta_incoming_destroy(irq);
		return;
	}
	trickle_open(leg->trickle, leg->peer_trickle); /* the peer has the dialog */
	sip_watch_heard(leg);
	if (info && (trickle_info(leg->trickle, leg->sip, leg->hop, irq, s) ||
		     trunk_keys_info(leg, irq, s))) {
		/* answered */
	} else if (s->sip_request->rq_method == sip_method_bye) {
		peer_bye(leg, irq, s);
	} else if (!plain_method(leg->sip, leg->hop, irq, s)) {
		sip_reoffer_request(leg, irq, s); /* takes irq over */
		return;
	}
	nta_incoming_destroy(irq);
}

int sip_dialog_request(void *arg, nta_leg_t *dialog, nta_incoming_t *irq, const sip_t *s)
{
	struct sip_leg *leg = arg;

	(void)dialog;
	if (s->sip_request->rq_method == sip_method_ack)
		return 200; /* to a transaction that is gone; NTA sends nothing for it */
	sip_loop_enter("sip.request.dialog");
	mem_ref(leg);
	dispatch(leg, irq, s);
	mem_deref(leg);
	sip_loop_leave();
	return 0;
}

static struct sip_trickle *trickle_of(const struct sip_try *t, const nta_leg_t *dialog)
{
	struct le *le;

	LIST_FOREACH(&t->forks, le)
	{
		const struct sip_fork *f = le->data;

		if (f->dialog == dialog)
			return f->trickle;
	}
	return NULL;
}

static void stray(struct sip_try *t, nta_leg_t *dialog, nta_incoming_t *irq,
		  const sip_t *s)
{
	sip_method_t method = s->sip_request->rq_method;
	bool update = method == sip_method_update,
	     body = s->sip_payload && s->sip_payload->pl_len;
	struct refusal r;

	if (judge(&r, trust_hop(t->hop, s), s, t->hop->domain)) {
		sip_refuse_with(t->sip, irq, &r);
	} else if (dialog == t->base) {
		refusal_set(&r, 481, "Call/Transaction Does Not Exist",
			    "No such dialog.");
		sip_refuse_with(t->sip, irq, &r);
	} else if (method == sip_method_info &&
		   trickle_info(trickle_of(t, dialog), t->sip, t->hop, irq, s)) {
		/* answered */
	} else if (method == sip_method_invite || (update && body)) {
		/* our own first offer is still unanswered */
		refusal_set(&r, 491, "Request Pending",
			    "The first offer has not been answered.");
		sip_refuse_with(t->sip, irq, &r);
	} else if (update) {
		nta_leg_server_route(dialog, NULL, s->sip_contact);
		sip_reply(t->sip, irq, t->hop, 200, "OK", NULL, TAG_END());
	} else if (method == sip_method_bye) {
		sip_reply(t->sip, irq, NULL, 200, "OK", NULL, TAG_END());
	} else {
		plain_method(t->sip, t->hop, irq, s);
	}
	nta_incoming_destroy(irq);
}

int sip_dialog_stray(void *arg, nta_leg_t *dialog, nta_incoming_t *irq, const sip_t *s)
{
	if (s->sip_request->rq_method == sip_method_ack)
		return 200;
	sip_loop_enter("sip.request.early");
	stray(arg, dialog, irq, s);
	sip_loop_leave();
	return 0;
}

static int bye_answered(void *arg, nta_outgoing_t *orq, const sip_t *s)
{
	struct sip_leg *leg = arg;
	unsigned status = s ? (unsigned)s->sip_status->st_status : 0;

	(void)orq;
	if (s && status < 200)
		return 0;
	sip_loop_enter("sip.response.bye");
	if ((status == 401 || status == 407) && leg->hop->trunk && !leg->bye_again &&
	    trust_hop(leg->hop, s) && trunk_challenged(leg->hop->trunk, s)) {
		leg->bye_again = true;
		nta_outgoing_destroy(leg->bye);
		sip_dialog_bye(leg);
		sip_loop_leave();
		return 0;
	}
	sip_leg_event(leg, SE_BYE_DONE, NULL);
	sip_loop_leave();
	return 0;
}

/* Says it from the loop: an op may have brought us here. */
static void bye_unsent(void *arg)
{
	sip_leg_event(arg, SE_BYE_DONE, NULL);
}

void sip_dialog_bye(struct sip_leg *leg)
{
	struct sip_request rq = {
		.hop = leg->hop,
		.dialog = leg->dialog,
		.method = sip_method_bye,
		.name = "BYE",
	};
	char reason[SIP_REASON_BYTES];

	nta_incoming_destroy(leg->irq);
	leg->irq = NULL;
	leg->bye = sip_request_send(
		&rq, bye_answered, leg,
		SIPTAG_REASON_STR(sip_reason_print(reason, sizeof(reason), &leg->cause)),
		TAG_END());
	if (!leg->bye)
		timer_start(leg->sip->core->loop->timers, &leg->release, 0, bye_unsent,
			    leg);
}
