/* sip/leg_out.c - a call to a peer: one INVITE after the other until a target answers.
 *
 * Thread: signalling. leg.c starts and cancels; NTA's responses, the edge's events and the timers end
 * in sip_leg_event(). Every INVITE has a Call-ID of its own, so that a target that woke up late
 * cannot be mixed up with its successor. RFC 3261 §13.2, §16.7; RFC 3263 §4.3; RFC 4028 §7.4. */
#include <strings.h>

#include "lib/log.h"
#include "lib/secret.h"
#include "sip/peers.h"
#include "sip/trunk.h"
#include "sip/try.h"

enum { LINGER_MS = SIP_T1X64_MS + 4000, CHALLENGES_MAX = 2 };

static int try_start(struct sip_leg *leg, struct sip_try *before);

static void try_destructor(void *arg)
{
	struct sip_try *t = arg;

	timer_cancel(&t->silence);
	timer_cancel(&t->linger);
	list_flush(&t->forks);
	hash_unlink(&t->le_call_id);
	hash_unlink(&t->le_token);
	list_unlink(&t->le);
	mem_deref(t->sign);
	nta_outgoing_destroy(t->invite);
	nta_leg_destroy(t->base);
	mem_deref(t->won);
	mem_deref(t->hop);
}

static void try_free(void *arg)
{
	struct sip_try *t = arg;
	struct sip *sip = t->sip;

	mem_deref(t);
	sip_work_done(sip);
}

/* Its answer counts no more; what still comes is acknowledged and ended for `ms`. */
static void try_leave(struct sip_try *t, uint64_t ms)
{
	if (t->leg && t->leg->attempt == t)
		t->leg->attempt = NULL;
	t->leg = NULL;
	t->sign = mem_deref(t->sign);
	timer_cancel(&t->silence);
	for (struct le *le = t->forks.head; le; le = le->next)
		trickle_close(((struct sip_fork *)le->data)->trickle);
	if (timer_start(t->sip->core->loop->timers, &t->linger, ms, try_free, t))
		log_err(NULL, "sip.memory", "try=%s", t->call_id);
}

static void try_cancel(struct sip_try *t, const struct cause *cause)
{
	if (t->invite)
		sip_cancel_send(t->hop, t->invite, cause);
	try_leave(t, t->invite ? LINGER_MS : 0);
}

/* The INVITE has had its final answer. */
static void try_end_invite(struct sip_try *t)
{
	nta_outgoing_destroy(t->invite);
	t->invite = NULL;
}

/* Why it could not be reached last; NULL: it could. */
static void note(const struct sip_leg *leg, const char *why)
{
	struct trunk *t = leg->hop->trunk;

	if (!t)
		peers_error(leg->sip->peers, leg->hop->domain, why);
	else if (why)
		snprintf(t->last_error, sizeof(t->last_error), "%s", why);
}

static void failed(struct sip_leg *leg, const struct cause *cause)
{
	/* of a trunk only what says something of the trunk: who is called may be busy */
	if (!leg->hop->trunk || cause->reason == CAUSE_UNREACHABLE ||
	    cause->reason == CAUSE_TIMEOUT)
		note(leg, cause->text);
	sip_leg_event(leg, SE_REFUSE, cause);
}

/* This target was no use: the next one, by a new INVITE. */
static void next_target(struct sip_leg *leg, const char *target,
			const struct cause *cause)
{
	size_t used = strlen(leg->skip), n = strlen(target);

	leg->failure = *cause;
	log_info(sip_leg_call(leg), "sip.target.skipped", "peer=%s target=%s why=%s",
		 leg->hop->domain, LQ(target), LQ(cause->text));
	if (!n || used + n + 2 > sizeof(leg->skip) || leg->n_tries >= SIP_TRIES_MAX) {
		failed(leg, cause);
		return;
	}
	snprintf(leg->skip + used, sizeof(leg->skip) - used, "%s%s", used ? "/" : "",
		 target);
	if (try_start(leg, NULL))
		failed(leg, cause);
}

/* The next address of a trunk. False: all of them have been tried. */
static bool next_address(struct sip_leg *leg, const struct cause *cause)
{
	struct trunk *t = leg->hop->trunk;
	struct sip_hop *hop;

	leg->failure = *cause;
	trunk_failed(t, leg->hop->at, cause->text);
	if (leg->n_tries >= trunk_addresses(t) || trunk_hop_alloc(&hop, t))
		return false;
	mem_deref(leg->hop);
	leg->hop = hop;
	return !try_start(leg, NULL);
}

/* sip_target_s have gone since the edge began to connect to it, and there was not even a 100. */
static void silent(void *arg)
{
	struct sip_try *t = arg;
	struct sip_leg *leg = t->leg;
	struct cause c;

	if (!leg)
		return;
	cause_set(&c, CAUSE_TIMEOUT, "%s (%s) did not answer in time.", t->hop->domain,
		  t->target);
	try_cancel(t, NULL);
	if (!leg->hop->trunk)
		next_target(leg, t->target, &c);
	else if (!next_address(leg, &c))
		failed(leg, &c);
}

/* What a trunk lets hear before anybody answers: its tones, an announcement. */
static void early(struct sip_leg *leg, const sip_t *s)
{
	struct body *sdp = NULL;
	struct refusal r;

	if (!trust_body(&r, s) && !sip_leg_sdp_read(&sdp, s) && sdp)
		sip_leg_tell(leg, LEG_EARLY, sdp, NULL);
	mem_deref(sdp);
}

static void progress(struct sip_try *t, const sip_t *s)
{
	unsigned status = (unsigned)s->sip_status->st_status;
	struct sip_leg *leg = t->leg;
	struct sip_fork *f;

	if (!leg || status == 100)
		return;
	t->progressed = true;
	f = sip_fork_get(t, s);
	if (f)
		sip_fork_progress(f, s);
	mem_ref(leg);
	sip_leg_event(leg, status == 180 || status == 183 ? SE_ALERT : SE_PROGRESS, NULL);
	if (leg->hop->trunk && leg->attempt == t)
		early(leg, s);
	mem_deref(leg);
}

/* The first 2xx that counts: its dialog becomes the leg's. */
static void won(struct sip_try *t, struct sip_fork *f, const sip_t *s)
{
	struct sip_leg *leg = t->leg;
	struct body *answer = NULL;
	struct refusal r;
	struct cause c;

	leg->leg.remote.site_verified = trust_hop(leg->hop, s);
	leg->leg.remote.site_tls = leg->leg.remote.site_verified;
	if (!trust_body(&r, s) && sip_leg_sdp_read(&answer, s))
		log_warn(sip_leg_call(leg), "sip.memory", "%s", "");
	if (!answer)
		answer = mem_ref(f->answer);
	leg->dialog = f->dialog;
	f->dialog = NULL;
	nta_leg_bind(leg->dialog, sip_dialog_request, leg);
	leg->trickle = f->trickle;
	f->trickle = NULL;
	sip_leg_peer_allows(leg, s);
	leg->peer_trickle |= sip_knows_trickle(s);
	if (leg->leg.remote.site_verified && !leg->hop->trunk)
		sip_trickle_learn(leg->sip, leg->hop->domain, s);
	session_timer_accepted(&leg->st, s);
	t->won = mem_ref(f->tag);
	list_flush(
		&t->forks); /* and with them their transactions: `s` may be gone from here on */
	try_leave(t, LINGER_MS);
	try_end_invite(t);
	note(leg, NULL);
	if (!answer) {
		sip_leg_event(leg, SE_ACCEPT_EMPTY,
			      cause_set(&c, CAUSE_MEDIA,
					"%s answered without a media description.",
					leg->hop->domain));
		return;
	}
	sip_leg_sdp_set(&leg->local_sdp, leg->offer);
	sip_leg_sdp_set(&leg->remote_sdp, answer);
	mem_deref(leg->answer);
	leg->answer = answer;
	mem_ref(leg);
	sip_leg_event(leg, SE_ACCEPT, NULL);
	trickle_described(leg->trickle);
	trickle_open(leg->trickle, leg->peer_trickle);
	mem_deref(leg);
}

static void accepted(struct sip_try *t, const sip_t *s)
{
	bool winner = t->won && s->sip_to->a_tag && !strcasecmp(t->won, s->sip_to->a_tag);
	struct sip_fork *f;

	if (winner)
		return; /* a repetition that outlived NTA's own ACK: too late to matter */
	f = sip_fork_get(t, s);
	if (!f) {
		log_warn(sip_leg_call(t->leg), "sip.fork.unusable", "peer=%s",
			 t->hop->domain);
		return;
	}
	sip_fork_ack(f, s);
	if (t->leg)
		won(t, f, s);
	else
		sip_fork_end(f);
}

/* It was required of a peer that does not know it: once more, with the candidates. RFC 8840 §5.1. */
static bool without_trickle(struct sip_try *t)
{
	struct sip_leg *leg = t->leg;

	if (!leg->peer_trickle || !leg->offer->trickle || leg->n_tries >= SIP_TRIES_MAX)
		return false;
	leg->peer_trickle = false;
	peers_trickle_set(leg->sip->peers, leg->hop->domain, false,
			  timers_now_us(leg->sip->core->loop->timers));
	sip_ours_set(&leg->ours, leg->invite->offer, false);
	if (sip_half_wait(leg, HALF_INVITE))
		return false;
	try_leave(t, 0);
	return true;
}

/* The same INVITE once more in the same would-be dialog, with what the refusal asked for. */
static bool same_again(struct sip_try *t)
{
	struct sip_leg *leg = t->leg;

	leg->attempt = NULL;
	if (try_start(leg, t))
		return false;
	try_leave(t, 0);
	return true;
}

/* As below, of a trunk: it may ask for a password, and have other addresses. */
static bool trunk_refusal(struct sip_try *t, const sip_t *s, struct cause *c)
{
	unsigned status = (unsigned)s->sip_status->st_status;
	struct sip_leg *leg = t->leg;
	bool internal = nta_sip_is_internal(s);
	char why[CAUSE_TEXT_BYTES];

	cause_from_sip(c, status, internal ? NULL : s->sip_status->st_phrase);
	if (!internal)
		sip_reason_read(c, s->sip_reason, status);
	if (status == 503 && sip_reason_edge(why, sizeof(why), s->sip_reason))
		cause_set(c, CAUSE_UNREACHABLE, *why ? "%s" : NULL, why);
	if (status == 401 || status == 407) {
		if (leg->n_challenges++ < CHALLENGES_MAX &&
		    trunk_challenged(leg->hop->trunk, s))
			return !same_again(t);
		cause_set(c, CAUSE_FORBIDDEN, "%s does not let this site call.",
			  leg->hop->domain);
		return true;
	}
	if (status == 422 && leg->n_tries < SIP_TRIES_MAX &&
	    session_timer_too_short(&leg->st, s))
		return !same_again(t);
	if (!t->progressed && (status == 503 || status == 408 || internal)) {
		if (internal)
			cause_set(c, CAUSE_UNREACHABLE, "%s does not answer.",
				  leg->hop->domain);
		try_leave(t, 0);
		return !next_address(leg, c);
	}
	return true;
}

/* What the refusal means for the call. False: nothing, another INVITE is on its way. */
static bool refusal_cause(struct sip_try *t, const sip_t *s, struct cause *c)
{
	unsigned status = (unsigned)s->sip_status->st_status;
	struct sip_leg *leg = t->leg;
	char why[CAUSE_TEXT_BYTES], target[sizeof(t->target)];
	struct joint j;

	if (leg->hop->trunk)
		return trunk_refusal(t, s, c);
	if (nta_sip_is_internal(s)) {
		cause_set(c, CAUSE_UNREACHABLE,
			  "%s could not be reached: the connection broke.",
			  t->hop->domain);
		return true;
	}
	if (trust_joint(&j, t->sip, s))
		memset(&j, 0, sizeof(j));
	if (status == 503 && !j.conn &&
	    sip_reason_edge(why, sizeof(why), s->sip_reason)) {
		if (leg->failure.reason != CAUSE_NONE && !t->edge_failed && !*t->target)
			*c = leg->failure; /* all targets are through: the last one's story */
		else
			cause_set(c, CAUSE_UNREACHABLE, *why ? "%s" : NULL, why);
		if (!*t->target || t->progressed)
			return true;
		/* The connection broke with the INVITE on it and no word of the peer's: RFC 3263 §4.3. */
		snprintf(target, sizeof(target), "%s", t->target);
		try_leave(t, 0);
		next_target(leg, target, c);
		return false;
	}
	cause_from_sip(c, status, s->sip_status->st_phrase);
	sip_reason_read(c, s->sip_reason, status);
	if (leg->invite->rejoins && (status == 481 || status == 603))
		cause_set(c, CAUSE_GONE, "The call has ended at %s meanwhile.",
			  t->hop->domain);
	if (status == 503) {
		snprintf(target, sizeof(target), "%s", *j.addr ? j.addr : t->target);
		try_leave(t, 0);
		next_target(leg, target, c);
		return false;
	}
	if (status == 420 && without_trickle(t))
		return false;
	if (status == 422 && leg->n_tries < SIP_TRIES_MAX &&
	    session_timer_too_short(&leg->st, s))
		return !same_again(t);
	return true;
}

static void refused(struct sip_try *t, const sip_t *s)
{
	struct sip_leg *leg = t->leg;
	struct cause c;
	bool ends = leg && refusal_cause(t, s, &c);

	if (!leg || ends)
		try_leave(t, 0);
	list_flush(&t->forks);
	try_end_invite(t);
	if (ends)
		failed(leg, &c);
}

void sip_try_response(struct sip_try *t, const sip_t *s)
{
	unsigned status = (unsigned)s->sip_status->st_status;

	mem_ref(t);
	timer_cancel(&t->silence);
	if (status < 200)
		progress(t, s);
	else if (status < 300)
		accepted(t, s);
	else
		refused(t, s);
	mem_deref(t);
}

static void try_insert(struct sip_try *t)
{
	struct sip *sip = t->sip;

	t->token = ++sip->last_token;
	list_append(&sip->tries, &t->le, t);
	hash_append(sip->tries_token, (uint32_t)t->token, &t->le_token, t);
	hash_append(sip->tries_call_id, hash_joaat_str(t->call_id), &t->le_call_id, t);
}

const struct cause *sip_leg_out_why(struct cause *c, int err)
{
	return err == ENOENT ? cause_set(c, CAUSE_GONE,
					 "The call that was to be moved has ended.")
			     : cause_set(c, CAUSE_INTERNAL, NULL);
}

static void try_signed(const struct identity_signed *sig, void *arg)
{
	struct sip_try *t = arg;
	struct sip_leg *leg = t->leg;
	int err = sig->err == ENOKEY ? 0 : sig->err;
	struct cause c;

	t->sign = mem_deref(t->sign);
	if (!err)
		err = sip_invite_send(t, leg, sig->header ? sig : NULL);
	if (!err)
		return;
	if (err != ENOENT)
		log_err(sip_leg_call(leg), "sip.invite.unsent", "peer=%s why=%s",
			t->hop->domain, strerror(err));
	try_leave(t, 0);
	sip_leg_event(leg, SE_REFUSE, sip_leg_out_why(&c, err));
}

/* `before`: the same INVITE once more with a higher CSeq in the same would-be dialog (422). */
static int try_start(struct sip_leg *leg, struct sip_try *before)
{
	struct sip_try *t = mem_zalloc(sizeof(*t), try_destructor);
	int err = 0;

	if (!t)
		return ENOMEM;
	t->sip = leg->sip;
	t->hop = mem_ref(leg->hop);
	if (before) {
		t->base = before->base;
		before->base = NULL;
		nta_leg_bind(t->base, sip_dialog_stray, t);
		memcpy(t->call_id, before->call_id, sizeof(t->call_id));
		memcpy(t->tag, before->tag, sizeof(t->tag));
		hash_unlink(&before->le_call_id);
	} else {
		err = sip_invite_base(t, leg->invite);
	}
	if (!err) {
		try_insert(t);
		err = sip_identity_sign(leg, &t->sign, &leg->us, &leg->them, leg->offer,
					try_signed, t);
		if (err == ENOKEY)
			err = sip_invite_send(t, leg, NULL);
	}
	if (err) {
		mem_deref(t);
		return err;
	}
	t->leg = leg;
	leg->attempt = t;
	leg->n_tries++;
	return 0;
}

static void blocked(void *arg)
{
	struct sip_leg *leg = arg;
	struct cause c;

	sip_leg_event(leg, SE_REFUSE,
		      cause_set(&c, CAUSE_FORBIDDEN, "Calls to %s are not allowed here.",
				leg->hop->domain));
}

int sip_leg_out_start(struct sip_leg *leg, struct body *offer)
{
	sip_leg_sdp_set(&leg->offer, offer);
	return try_start(leg, NULL);
}

/* A description that lacks its candidates goes out at once to a peer that knows trickle ICE; otherwise when they
 * are there, or when the peer has said that it does, whichever is first. */
static int start(struct sip_leg *leg, struct body *offer)
{
	enum trickle known = TRICKLE_YES;

	sip_ours_set(&leg->ours, offer, false);
	if (leg->hop->trunk)
		return sip_leg_out_start(leg, offer);
	if (offer->trickle) {
		known = sip_trickle_known(leg->sip, leg->hop->domain);
		leg->peer_trickle = known == TRICKLE_YES;
	}
	if (known == TRICKLE_YES)
		return sip_leg_out_start(leg, offer);
	if (known == TRICKLE_AUTO)
		sip_ask(leg);
	return sip_half_wait(leg, HALF_INVITE);
}

void sip_leg_out_trickle(struct sip_leg *leg)
{
	struct le *le = leg->attempt ? leg->attempt->forks.head : NULL;

	for (; le; le = le->next)
		trickle_more(((struct sip_fork *)le->data)->trickle);
}

int sip_leg_out_invite(struct sip_leg *leg, const struct invite *invite)
{
	const struct peer_config *pc =
		leg->hop->trunk
			? NULL
			: config_peer_find(leg->sip->core->config, leg->hop->domain);

	if (leg->sip->stopping)
		return ESHUTDOWN;
	if (pc && pc->block) /* said from the loop; `release` is free until the end */
		return timer_start(leg->sip->core->loop->timers, &leg->release, 0,
				   blocked, leg);
	leg->leg.remote.addr = invite->to;
	leg->us = invite->from.addr;
	leg->them = invite->to;
	log_info(invite->call_id, "sip.invite", "dir=out to=%s peer=%s",
		 LQ(AT_SHORT(&invite->to)), leg->hop->domain);
	return start(leg, invite->offer);
}

void sip_leg_out_cancel(struct sip_leg *leg)
{
	if (leg->attempt)
		try_cancel(leg->attempt, &leg->cause);
}

static bool same_call_id(struct le *le, void *arg)
{
	const struct sip_try *t = le->data;

	return !strcmp(t->call_id, arg);
}

void sip_try_stray(struct sip *sip, const sip_t *s)
{
	const char *id = s->sip_call_id->i_id;
	struct sip_try *t = list_ledata(hash_lookup(
		sip->tries_call_id, hash_joaat_str(id), same_call_id, (void *)id));
	unsigned status = (unsigned)s->sip_status->st_status;

	if (!t || s->sip_cseq->cs_seq != t->cseq || !s->sip_from->a_tag ||
	    strcasecmp(s->sip_from->a_tag, t->tag) != 0 || status < 200)
		return;
	mem_ref(t);
	if (status >= 300 && t->invite)
		sip_hop_ack_send(t->hop, t->invite, s);
	sip_try_response(t, s);
	mem_deref(t);
}

static bool same_token(struct le *le, void *arg)
{
	const struct sip_try *t = le->data;

	return t->token == *(const uint64_t *)arg;
}

static struct sip_try *find_token(struct sip *sip, uint64_t token)
{
	return list_ledata(
		hash_lookup(sip->tries_token, (uint32_t)token, same_token, &token));
}

void sip_try_watch(struct sip_try *t)
{
	timer_start(t->sip->core->loop->timers, &t->silence,
		    (uint64_t)t->sip->core->config->limits.sip_target_s * 1000, silent,
		    t);
}

void sip_try_sent(struct sip *sip, const struct edge_event *ev)
{
	uint64_t limit_ms = (uint64_t)sip->core->config->limits.sip_target_s * 1000;
	struct sip_try *t = find_token(sip, ev->token);

	if (!t)
		return;
	snprintf(t->target, sizeof(t->target), "%s", ev->target);
	t->edge_failed = false;
	/* One target has its time once: what connecting took is gone from it. */
	if (t->leg && t->invite && nta_outgoing_status(t->invite) < 100)
		timer_start(sip->core->loop->timers, &t->silence,
			    ev->spent_ms < limit_ms ? limit_ms - ev->spent_ms : 0, silent,
			    t);
}

void sip_try_failed(struct sip *sip, const struct edge_event *ev)
{
	struct sip_try *t = find_token(sip, ev->token);

	if (!t)
		return;
	t->edge_failed = true;
	t->target[0] = '\0';
	timer_cancel(&t->silence);
	log_info(sip_leg_call(t->leg), "sip.target.failed", "peer=%s target=%s why=%s",
		 t->hop->domain, LQ(ev->target), LQ(ev->why));
}
