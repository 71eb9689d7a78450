/* webrtc/session/browser_leg.c - struct leg for a browser: what the call wants done becomes events in its
 * WebSocket. The other direction is browser_call.c.
 *
 * Signalling thread. Called by the call through leg_ops (never calls back from inside: rule 1 of leg.h);
 * calls browser.c to send. docs/protocol.md, "Server → client". */
#include "gateway/kept.h"
#include "gateway/sdp.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "webrtc/session/browser_call.h"
#include "webrtc/session/utf8.h"

enum bleg_action browser_leg_step(struct browser_leg *l, enum bleg_event event)
{
	enum bleg_action action;
	enum bleg_state next = bleg_next(l->state, event, &action);

	if (action == BLEG_DO_OFFER_ANSWER) {
		enum bleg_oa oa = bleg_oa_next(l->oa, event, &action);

		if (oa != l->oa)
			log_debug(l->call_id, "bleg.offer", "leg=%s %s -> %s on %s",
				  l->leg.tag, bleg_oa_name(l->oa), bleg_oa_name(oa),
				  bleg_event_name(event));
		l->oa = oa;
	}
	if (next != l->state)
		log_debug(l->call_id, "bleg.state", "leg=%s %s -> %s on %s", l->leg.tag,
			  bleg_state_name(l->state), bleg_state_name(next),
			  bleg_event_name(event));
	if ((next == BLEG_ACTIVE) != (l->state == BLEG_ACTIVE) && l->mine)
		browser_calls_changed(browser_calls_owner(l->mine));
	l->state = next;
	return action;
}

void browser_leg_forget(struct browser_leg *l, enum cause_reason why)
{
	if (!l->mine)
		return;
	browser_calls_past(l->mine, l->call, why);
	l->mine = NULL;
	list_unlink(&l->le);
	mem_deref(l);
}

/* ---- events ---- */

static struct server_msg *event_new(const struct browser_leg *l, enum server_kind kind,
				    struct body *sdp)
{
	struct server_msg *m = server_msg_new(kind);

	if (!m)
		return NULL;
	snprintf(m->call, sizeof(m->call), "%s", l->call);
	if (sdp && body_alloc(&m->sdp, sdp->data,
			      sdp->len)) /* counted without atomics: a copy travels */
		return mem_deref(m);
	if (sdp)
		m->sdp->trickle = sdp->trickle;
	return m;
}

static void send_event(struct browser_leg *l, struct server_msg *m)
{
	if (l->mine)
		browser_send(browser_calls_owner(l->mine), m);
	else
		mem_deref(m);
}

void browser_party_show(struct web_party *out, const struct party *party)
{
	addr_text(out->address, &party->addr);
	snprintf(out->domain, sizeof(out->domain), "%s", party->addr.host);
	addr_name_clean(out->name, sizeof(out->name), party->name, strlen(party->name));
	out->verified = party->site_verified;
	out->tls = party->site_tls;
	out->identity = party_identity_name(party->identity);
	if (party->diverted.user[0])
		addr_text(out->diverted, &party->diverted);
}

static void media_show(struct server_msg *m, const struct call *call)
{
	m->media = media_mode_name(call_media_mode(call));
	m->encryption = call_encryption_name(call);
}

/* By which name its client joins it again, should this process be killed. */
static void rejoin_show(struct server_msg *m, const struct call *call)
{
	if (call)
		snprintf(m->rejoin, sizeof(m->rejoin), "%s", call_id(call));
}

static void identity_destructor(void *arg)
{
	for (char **v = arg; *v; v++)
		mem_deref(*v);
}

/* Copies the Identity values that JSON can carry. Errors: ENOMEM. */
static int identity_copy(char ***vp, char *const *from)
{
	size_t n = 0, k = 0;
	char **v;

	while (from && from[n])
		n++;
	v = mem_zalloc((n + 1) * sizeof(*v), identity_destructor);
	if (!v)
		return ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (!utf8_valid(from[i], strlen(from[i])))
			continue;
		v[k] = base_dup(from[i], strlen(from[i]));
		if (!v[k++]) {
			mem_deref(v);
			return ENOMEM;
		}
	}
	*vp = v;
	return 0;
}

static int person_copy(struct identity_person **pp, const struct identity_person *from)
{
	*pp = from ? identity_person_copy(from) : NULL;
	return from && !*pp ? ENOMEM : 0;
}

void browser_leg_tell_ended(struct browser_leg *l, const struct cause *cause)
{
	struct server_msg *m = event_new(l, SERVER_ENDED, NULL);

	if (m)
		m->cause = *cause;
	send_event(l, m);
}

void browser_leg_tell_refused(struct browser_leg *l, const struct cause *cause)
{
	struct server_msg *m = event_new(l, SERVER_REFUSED, NULL);

	if (m)
		m->cause = *cause;
	send_event(l, m);
}

void browser_leg_tell_established(struct browser_leg *l)
{
	struct server_msg *m = event_new(l, SERVER_ESTABLISHED, NULL);

	if (m && l->leg.call) {
		media_show(m, l->leg.call);
		rejoin_show(m, l->leg.call);
	} else {
		m = mem_deref(m);
	}
	if (m)
		send_event(l, m);
}

static void tell_progress(struct browser_leg *l, const char *state)
{
	struct server_msg *m = event_new(l, SERVER_PROGRESS, NULL);

	if (m)
		m->state = state;
	send_event(l, m);
}

/* ---- what the call does: leg_ops ---- */

static struct browser_leg *mine(struct leg *leg)
{
	return (struct browser_leg *)leg;
}

/* A description that JSON cannot carry byte for byte is not passed on at all. */
static bool can_show(const struct body *sdp)
{
	return utf8_valid(sdp->data, sdp->len);
}

/* Which of this client's own calls it takes the place of. */
static void replaced_show(struct server_msg *m, const struct browser_leg *l,
			  const struct invite *invite)
{
	const struct browser_leg *old = (const struct browser_leg *)invite->replaced;
	const char *held = invite->rejoins && l->mine
				   ? browser_held(browser_calls_owner(l->mine),
						  invite->rejoins->row.id)
				   : NULL;

	if (held)
		snprintf(m->who.replaces, sizeof(m->who.replaces), "%s", held);
	if (old && old->leg.ops == l->leg.ops && old->mine && old->mine == l->mine)
		snprintf(m->who.replaces, sizeof(m->who.replaces), "%s", old->call);
}

static int tell_incoming(struct browser_leg *l, const struct invite *invite)
{
	struct server_msg *m;

	if (!l->mine)
		return ENOTCONN;
	if (!can_show(invite->offer))
		return EBADMSG;
	m = event_new(l, SERVER_INCOMING, invite->offer);
	if (m && identity_copy(&m->identityv, invite->from.identityv))
		m = mem_deref(m);
	if (m && person_copy(&m->person, call_caller(l->leg.call)))
		m = mem_deref(m);
	if (!m)
		return ENOMEM;
	browser_party_show(&m->who.party, &invite->from);
	addr_text(m->who.to, &invite->to);
	replaced_show(m, l, invite);
	media_show(m, l->leg.call);
	send_event(l, m);
	return 0;
}

static int op_invite(struct leg *leg, const struct invite *invite)
{
	struct browser_leg *l = mine(leg);
	int err = EINVAL;

	snprintf(l->call_id, sizeof(l->call_id), "%s", invite->call_id);
	if (browser_leg_step(l, BLEG_O_INVITE) == BLEG_DO_TELL_INCOMING)
		err = tell_incoming(l, invite);
	if (err) { /* never started: the call will not end it */
		browser_leg_step(l, BLEG_O_END);
		browser_leg_forget(l, CAUSE_INTERNAL);
	}
	return err;
}

static void op_ringing(struct leg *leg)
{
	if (browser_leg_step(mine(leg), BLEG_O_RINGING) == BLEG_DO_TELL_RINGING)
		tell_progress(mine(leg), "ringing");
}

static void op_accepted(struct leg *leg)
{
	if (browser_leg_step(mine(leg), BLEG_O_ACCEPTED) == BLEG_DO_TELL_ACCEPTED)
		tell_progress(mine(leg), "accepted");
}

/* What cannot be shown is left out: the answer comes all the same. */
static void op_early(struct leg *leg, struct body *answer)
{
	struct browser_leg *l = mine(leg);
	struct server_msg *m;

	if (browser_leg_step(l, BLEG_O_EARLY) != BLEG_DO_TELL_EARLY || !can_show(answer))
		return;
	m = event_new(l, SERVER_EARLY, answer);
	if (m && l->leg.call)
		media_show(m, l->leg.call);
	else
		m = mem_deref(m);
	if (m)
		send_event(l, m);
}

static int tell_answered(struct browser_leg *l, struct body *answer)
{
	struct server_msg *m = event_new(l, SERVER_ANSWERED, answer);
	const struct party *other = call_other_party(&l->leg);

	if (!m)
		return ENOMEM;
	if (other)
		browser_party_show(&m->who.party, other);
	media_show(m, l->leg.call);
	rejoin_show(m, l->leg.call);
	send_event(l, m);
	return 0;
}

static int op_answer(struct leg *leg, struct body *answer)
{
	struct browser_leg *l = mine(leg);
	struct server_msg *m;

	if (!can_show(answer))
		return EBADMSG;
	switch (browser_leg_step(l, BLEG_O_ANSWER)) {
	case BLEG_DO_TELL_ANSWERED:
		return tell_answered(l, answer);
	case BLEG_DO_TELL_ANSWER:
		m = event_new(l, SERVER_ANSWER, answer);
		if (!m)
			return ENOMEM;
		send_event(l, m);
		return 0;
	default:
		return EINVAL;
	}
}

static int op_offer(struct leg *leg, struct body *offer)
{
	struct browser_leg *l = mine(leg);
	struct server_msg *m;

	if (!can_show(offer))
		return EBADMSG;
	m = event_new(l, SERVER_OFFER, offer);
	if (!m)
		return ENOMEM;
	if (browser_leg_step(l, BLEG_O_OFFER) != BLEG_DO_TELL_OFFER) {
		mem_deref(m);
		return EBUSY;
	}
	send_event(l, m);
	return 0;
}

static void op_offer_refuse(struct leg *leg, const struct cause *cause)
{
	if (browser_leg_step(mine(leg), BLEG_O_OFFER_REFUSE) == BLEG_DO_TELL_REFUSED)
		browser_leg_tell_refused(mine(leg), cause);
}

static void op_candidates(struct leg *leg, const struct candidates *c)
{
	struct browser_leg *l = mine(leg);
	struct server_msg *m;

	if (browser_leg_step(l, BLEG_O_CANDIDATES) != BLEG_DO_TELL_CANDIDATES)
		return;
	m = event_new(l, SERVER_CANDIDATES, NULL);
	if (m && candidates_dup(&m->candidates, c))
		m = mem_deref(m);
	send_event(l, m);
}

static void op_away(struct leg *leg, bool away)
{
	struct browser_leg *l = mine(leg);
	struct server_msg *m;

	if (l->state != BLEG_ACTIVE)
		return;
	m = event_new(l, SERVER_AWAY, NULL);
	if (m)
		m->away = away;
	send_event(l, m);
}

static void op_keys(struct leg *leg, const char *keys)
{
	struct browser_leg *l = mine(leg);
	struct server_msg *m;

	if (l->state != BLEG_ACTIVE)
		return;
	m = event_new(l, SERVER_KEYS, NULL);
	if (m)
		snprintf(m->keys, sizeof(m->keys), "%s", keys);
	send_event(l, m);
}

static void op_offer_withdraw(struct leg *leg)
{
	struct browser_leg *l = mine(leg);

	if (browser_leg_step(l, BLEG_O_OFFER_WITHDRAW) == BLEG_DO_TELL_WITHDRAWN)
		send_event(l, event_new(l, SERVER_WITHDRAWN, NULL));
}

static void op_end(struct leg *leg, const struct cause *cause)
{
	struct browser_leg *l = mine(leg);

	if (browser_leg_step(l, BLEG_O_END) == BLEG_DO_TELL_ENDED)
		browser_leg_tell_ended(l, cause);
	browser_leg_forget(l, cause->reason);
}

static const struct leg_ops ops = {
	.kind = "browser",
	.invite = op_invite,
	.ringing = op_ringing,
	.accepted = op_accepted,
	.early = op_early,
	.answer = op_answer,
	.offer = op_offer,
	.offer_refuse = op_offer_refuse,
	.candidates = op_candidates,
	.away = op_away,
	.keys = op_keys,
	.offer_withdraw = op_offer_withdraw,
	.end = op_end,
};

/* ---- making one ---- */

static void browser_leg_destructor(void *arg)
{
	struct browser_leg *l = arg;

	list_unlink(&l->le);
	mem_deref(l->leg.remote.identityv);
}

int browser_leg_new(struct browser_leg **lp, struct browser_calls *c, enum leg_dir dir,
		    const char *name)
{
	const struct device *device = browser_device(browser_calls_owner(c));
	struct browser_leg *l = mem_zalloc(sizeof(*l), browser_leg_destructor);

	if (!l)
		return ENOMEM;
	l->leg.ops = &ops;
	l->leg.dir = dir;
	l->mine = c;
	l->state = dir == LEG_IN ? BLEG_CALLING : BLEG_IDLE;
	snprintf(l->call, sizeof(l->call), "%s", name);
	snprintf(l->leg.tag, sizeof(l->leg.tag), "%s", device->id);
	if (dir == LEG_OUT) {
		l->leg.remote.addr = device->user;
		l->leg.remote.site_verified = true;
	}
	browser_calls_add(c, l);
	*lp = l;
	return 0;
}

int browser_leg_alloc(struct leg **legp, struct endpoint *ep, struct call *call)
{
	struct browser *b = browser_of(ep);
	struct browser_leg *l;
	char name[WEB_CALL_MAX + 1];
	int err;

	if (!browser_online(b))
		return ENOTCONN;
	do { /* the client chooses names of its own for calls that it makes */
		snprintf(name, sizeof(name), "in-");
		secret_hex(name + 3, 16);
	} while (browser_calls_find(browser_calls(b), name));
	err = browser_leg_new(&l, browser_calls(b), LEG_OUT, name);
	if (err)
		return err;
	l->leg.call = call;
	*legp = &l->leg;
	return 0;
}
