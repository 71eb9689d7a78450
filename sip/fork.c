/* sip/fork.c - the dialogs that one INVITE makes.
 *
 * Thread: signalling. Called by leg_out.c; calls NTA. Each To tag has a dialog of its own and a tagged
 * transaction; what has no tagged one (2xx first heard of after the end) comes by sip_try_stray().
 * PRACKs are made by hand: nta_outgoing_prack() adds a stray Route. RFC 3261 §12.1.2,
 * §13.2.2.4; RFC 3262 §4. */
#include <strings.h>

#include "lib/log.h"
#include "sip/try.h"

static void fork_destructor(void *arg)
{
	struct sip_fork *f = arg;

	list_unlink(&f->le);
	nta_outgoing_destroy(f->tagged);
	trickle_close(f->trickle);
	nta_leg_destroy(f->dialog);
	mem_deref(f->tag);
	mem_deref(f->answer);
	mem_deref(f->trickle);
}

struct sip_fork *sip_fork_find(const struct sip_try *t, const char *tag)
{
	struct le *le;

	LIST_FOREACH(&t->forks, le)
	{
		struct sip_fork *f = le->data;

		if (!strcasecmp(f->tag, tag))
			return f;
	}
	return NULL;
}

static int tagged_response(void *arg, nta_outgoing_t *orq, const sip_t *s)
{
	struct sip_fork *f = arg;
	struct joint j;

	(void)orq;
	sip_loop_enter("sip.response.fork");
	if (nta_sip_is_internal(s) || !trust_joint(&j, f->attempt->sip, s))
		sip_try_response(f->attempt, s);
	sip_loop_leave();
	return 0;
}

struct sip_fork *sip_fork_get(struct sip_try *t, const sip_t *s)
{
	const char *tag = s->sip_to->a_tag;
	struct sip_fork *f;

	if (!tag || !*tag)
		return NULL;
	f = sip_fork_find(t, tag);
	if (f)
		return f;
	if (list_count(&t->forks) >= FORKS_MAX) {
		if (s->sip_status->st_status < 200)
			return NULL;
		/* A 2xx is owed ACK and BYE: the oldest early dialog makes room. */
		mem_deref(list_ledata(list_head(&t->forks)));
	}
	f = mem_zalloc(sizeof(*f), fork_destructor);
	if (!f)
		return NULL;
	f->attempt = t;
	f->tag = base_dup(tag, strlen(tag));
	f->dialog = nta_leg_tcreate(t->sip->agent, sip_dialog_stray, t,
				    SIPTAG_CALL_ID(s->sip_call_id),
				    SIPTAG_FROM(s->sip_from), SIPTAG_TO(s->sip_to),
				    SIPTAG_CSEQ(s->sip_cseq), TAG_END());
	if (!f->tag || !f->dialog ||
	    (t->leg && trickle_alloc(&f->trickle, t->leg, f->dialog))) {
		mem_deref(f);
		return NULL;
	}
	if (t->invite && s->sip_status->st_status < 200)
		f->tagged = nta_outgoing_tagged(t->invite, tagged_response, f, tag, NULL);
	list_append(&t->forks, &f->le, f);
	return f;
}

static void prack(struct sip_fork *f, const sip_t *s)
{
	struct sip_try *t = f->attempt;
	struct sip_request rq = {
		.hop = t->hop,
		.dialog = f->dialog,
		.method = sip_method_prack,
		.name = "PRACK",
	};
	char rack[64];

	snprintf(rack, sizeof(rack), "%u %u INVITE", (unsigned)s->sip_rseq->rs_response,
		 (unsigned)s->sip_cseq->cs_seq);
	if (sip_request_send(&rq, NULL, NULL, SIPTAG_RACK_STR(rack), TAG_END()) &&
	    f->tagged)
		nta_outgoing_setrseq(f->tagged, s->sip_rseq->rs_response);
}

void sip_fork_progress(struct sip_fork *f, const sip_t *s)
{
	bool reliable = s->sip_rseq && sip_has_feature(s->sip_require, "100rel");
	struct sip_leg *leg = f->attempt->leg;

	nta_leg_client_reroute(f->dialog, s->sip_record_route, s->sip_contact, 1);
	if (!s->sip_contact)
		return;
	/* the SDP of an unreliable one is a promise at best: nothing is made of it */
	if (reliable) {
		if (!f->answer && sip_leg_sdp_read(&f->answer, s))
			log_warn(sip_leg_call(leg), "sip.memory", "%s", "");
		prack(f, s);
	}
	if (leg)
		trickle_open(f->trickle, leg->peer_trickle || sip_knows_trickle(s));
}

void sip_fork_ack(struct sip_fork *f, const sip_t *s)
{
	struct sip_try *t = f->attempt;

	nta_leg_client_reroute(f->dialog, s->sip_record_route, s->sip_contact, 1);
	if (sip_ack_send(t->hop, f->dialog, t->branch, t->cseq))
		log_warn(NULL, "sip.ack", "failed=1 peer=%s", t->hop->domain);
}

void sip_fork_end(struct sip_fork *f)
{
	struct sip_request rq = {
		.hop = f->attempt->hop,
		.dialog = f->dialog,
		.method = sip_method_bye,
		.name = "BYE",
	};
	char reason[SIP_REASON_BYTES];
	struct cause c;

	if (f->over)
		return;
	f->over = true;
	cause_set(&c, CAUSE_ELSEWHERE, NULL);
	sip_request_send(&rq, NULL, NULL,
			 SIPTAG_REASON_STR(sip_reason_print(reason, sizeof(reason), &c)),
			 TAG_END());
}
