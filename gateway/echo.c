/* gateway/echo.c - the echo test's legs.
 *
 * Signalling thread. Called by the call (leg ops), by the media plane (events); calls the media plane by
 * gateway/media.h, sdp_offer.c and sdp_answer.c. There is no ringing: it answers at once, and it ends by
 * itself when its time is over, when no media come, or when they have stopped. */
#include "gateway/echo.h"

#include "gateway/call.h"
#include "gateway/media.h"
#include "gateway/sdp_answer.h"
#include "lib/log.h"
#include "lib/secret.h"

struct echo_service {
	struct endpoint ep; /**< first */
	struct core *core;
	uint32_t n_calls, n_foreign; /**< foreign: from other sites */
};

struct echo_leg {
	struct leg leg; /**< first */
	struct echo_service *service;
	bool foreign;
	struct media_session *media;
	struct media_remote remote; /**< of the first offer: its certificate stays */
	uint32_t first_ssrc;
	uint64_t sdp_id;
	unsigned n_answers;
	struct body *answer; /**< waits for the loop's next turn */
	struct timer turn, life;
};

bool echo_is(const struct core *core, const struct addr *to)
{
	const struct site *site = core_site_find(core, to->host);

	return site && site->config->echo && !strcmp(site->config->echo, to->user);
}

/* ---- telling the call ---- */

static void ended(struct echo_leg *l, const struct cause *cause)
{
	const struct leg_event ev = {.type = LEG_ENDED, .cause = cause};

	timer_cancel(&l->turn);
	timer_cancel(&l->life);
	l->media = mem_deref(l->media);
	call_leg_event(&l->leg, &ev); /* the last touch */
}

static void turn(void *arg)
{
	struct echo_leg *l = arg;
	struct leg_event ev = {.type = LEG_ANSWER};
	struct body *answer = l->answer;

	l->answer = NULL;
	ev.body = answer;
	call_leg_event(&l->leg, &ev);
	mem_deref(answer);
}

static void life_over(void *arg)
{
	struct echo_leg *l = arg;
	struct cause c;

	cause_set(&c, CAUSE_HANGUP, "An echo test ends after %u seconds.",
		  l->service->core->config->limits.echo_s);
	ended(l, &c);
}

static void on_media(enum media_event event, unsigned side, void *arg)
{
	struct echo_leg *l = arg;
	const char *host = l->leg.remote.addr.host;
	struct cause c;

	(void)side; /* there is one */
	log_debug(l->leg.call ? call_id(l->leg.call) : NULL, "echo.media", "event=%s",
		  media_event_name(event));
	switch (event) {
	case MEDIA_UP:
	case MEDIA_EVENT_N:
		return;
	case MEDIA_NEVER:
		cause_set(&c, CAUSE_MEDIA,
			  "No media have reached %s: a firewall may keep UDP away, on "
			  "your side or there.",
			  host);
		break;
	case MEDIA_LOST:
		cause_set(&c, CAUSE_LOST, "Your media have stopped coming to %s.", host);
		break;
	case MEDIA_FOREIGN:
		cause_set(&c, CAUSE_FORBIDDEN,
			  "The media that came to %s were not encrypted with the key of "
			  "this call.",
			  host);
		break;
	case MEDIA_CAPPED: /* echo-time is its cap */
	case MEDIA_FAILED:
		cause_set(&c, CAUSE_INTERNAL, NULL);
		break;
	}
	ended(l, &c);
}

/* ---- offers ---- */

/** RFC 8827 §6.5 and our own rule: the certificate stays for the time of the call. */
static bool same_certificate(const struct media_remote *a, const struct media_remote *b)
{
	for (size_t i = 0; i < a->n_fingerprints; i++)
		for (size_t k = 0; k < b->n_fingerprints; k++)
			if (a->fingerprintv[i].n_bytes == b->fingerprintv[k].n_bytes &&
			    !memcmp(a->fingerprintv[i].v, b->fingerprintv[k].v,
				    a->fingerprintv[i].n_bytes))
				return true;
	return false;
}

static int answer(struct echo_leg *l, const struct sdp_offer *o)
{
	const struct core *core = l->service->core;
	const struct sdp_answerer who = {
		.local = core->media->local(l->media, 0),
		.first_ssrc = l->first_ssrc,
		.id = l->sdp_id,
		.version = ++l->n_answers,
	};
	int err;

	l->answer = mem_deref(l->answer);
	err = sdp_answer_print(&l->answer, o, &who);
	if (!err)
		err = timer_start(core->loop->timers, &l->turn, 0, turn, l);
	return err;
}

static int op_invite(struct leg *leg, const struct invite *invite)
{
	struct echo_leg *l = (struct echo_leg *)leg;
	const struct core *core = l->service->core;
	const struct media_session_setup setup = {
		.work = MEDIA_WORK_ECHO,
		.n_sides = 1,
		.sidev = {{.reach = MEDIA_LITE, .crypt = MEDIA_DTLS}},
		.call_id = invite->call_id,
	};
	struct sdp_offer o;
	const char *why;
	int err;

	leg->remote.addr = invite->to;
	err = sdp_offer_read(&o, &why, invite->offer);
	if (err) {
		log_debug(invite->call_id, "echo.refused", "why=%s", LQ(why));
		return err;
	}
	sdp_offer_remote(&l->remote, &o, l->first_ssrc);
	err = core->media->alloc(&l->media, core->media_arg, &setup, on_media, l);
	if (!err)
		err = core->media->remote(l->media, 0, &l->remote, false);
	if (!err)
		err = timer_start(core->loop->timers, &l->life,
				  (uint64_t)core->config->limits.echo_s * 1000, life_over,
				  l);
	if (!err)
		err = answer(l, &o);
	return err;
}

static int op_offer(struct leg *leg, struct body *offer)
{
	struct echo_leg *l = (struct echo_leg *)leg;
	struct media_remote remote;
	struct sdp_offer o;
	const char *why;
	bool restarts;
	int err = sdp_offer_read(&o, &why, offer);

	if (!err && !same_certificate(&l->remote, &o.remote)) {
		why = "its certificate is another one than before";
		err = EBADMSG;
	}
	if (err) {
		log_debug(call_id(leg->call), "echo.refused", "why=%s", LQ(why));
		return err;
	}
	sdp_offer_remote(&remote, &o, l->first_ssrc);
	restarts = strcmp(remote.ufrag, l->remote.ufrag) != 0;
	err = l->service->core->media->remote(l->media, 0, &remote, restarts);
	if (err)
		return err;
	memcpy(l->remote.ufrag, remote.ufrag, sizeof(l->remote.ufrag));
	return answer(l, &o);
}

static void op_offer_withdraw(struct leg *leg)
{
	struct echo_leg *l = (struct echo_leg *)leg;

	timer_cancel(&l->turn);
	l->answer = mem_deref(l->answer);
}

static void op_end(struct leg *leg, const struct cause *cause)
{
	struct echo_leg *l = (struct echo_leg *)leg;

	(void)cause;
	timer_cancel(&l->turn);
	timer_cancel(&l->life);
	l->media = mem_deref(l->media);
}

/** ICE-lite: whoever checks us is heard; we check nobody. */
static void op_candidates(struct leg *leg, const struct candidates *c)
{
	(void)leg;
	(void)c;
}

/* An outgoing leg makes no offers, so it is never answered and never refused. */
static void op_none(struct leg *leg)
{
	(void)leg;
}

static int op_answer(struct leg *leg, struct body *body)
{
	(void)leg;
	(void)body;
	return EINVAL;
}

static void op_offer_refuse(struct leg *leg, const struct cause *cause)
{
	(void)leg;
	(void)cause;
}

static const struct leg_ops leg_ops = {
	.kind = "echo",
	.invite = op_invite,
	.ringing = op_none,
	.accepted = op_none,
	.answer = op_answer,
	.offer = op_offer,
	.offer_refuse = op_offer_refuse,
	.candidates = op_candidates,
	.offer_withdraw = op_offer_withdraw,
	.end = op_end,
};

/* ---- legs ---- */

static void leg_destructor(void *arg)
{
	struct echo_leg *l = arg;

	timer_cancel(&l->turn);
	timer_cancel(&l->life);
	mem_deref(l->media);
	mem_deref(l->answer);
	l->service->n_calls--;
	l->service->n_foreign -= l->foreign;
	mem_deref(l->service);
}

/** Other sites have half of the places at most: their calls keep nobody from testing here. */
static int leg_alloc(struct leg **legp, struct endpoint *ep, struct call *call)
{
	struct echo_service *es = (struct echo_service *)ep;
	uint32_t max = es->core->config->limits.echo_calls;
	bool foreign = !core_site_find(es->core, call_invite(call)->from.addr.host);
	struct echo_leg *l;

	if (es->n_calls >= max || (foreign && es->n_foreign >= (max + 1) / 2))
		return ENOSPC;
	l = mem_zalloc(sizeof(*l), leg_destructor);
	if (!l)
		return ENOMEM;
	l->service = mem_ref(es);
	l->foreign = foreign;
	es->n_calls++;
	es->n_foreign += foreign;
	l->leg.ops = &leg_ops;
	l->leg.anchored = true;
	l->leg.remote.site_verified = true;
	snprintf(l->leg.tag, sizeof(l->leg.tag), "echo");
	l->first_ssrc = (uint32_t)secret_u64() | 1u << 30;
	l->sdp_id = secret_u64();
	*legp = &l->leg;
	return 0;
}

static const struct endpoint_ops endpoint_ops = {.leg_alloc = leg_alloc};

int echo_service_alloc(struct echo_service **ep, struct core *core)
{
	struct echo_service *es = mem_zalloc(sizeof(*es), NULL);

	if (!es)
		return ENOMEM;
	es->ep.ops = &endpoint_ops;
	es->core = core;
	core->echo = &es->ep;
	*ep = es;
	return 0;
}
