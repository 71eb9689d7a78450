/* webrtc/session/browser_call.c - what a browser asks about its calls: `call` to `hangup`.
 *
 * Signalling thread. Called by browser.c for a browser that is online; looks the leg up by its name, lets
 * its machine (browser_leg_fsm.c) decide, tells the call by call_leg_event(), answers `ok` or `error`.
 * A request never names anything outside its own connection, and the account is the browser's own. */
#include "webrtc/session/browser_call.h"
#include "gateway/sdp.h"
#include "gateway/sdp_ice.h"
#include "lib/log.h"

enum { PAST_N = 16, MAX_FORWARDS = 70 };

struct browser_calls {
	struct browser *b;
	struct list legs; /* struct browser_leg */
	struct {
		char call[WEB_CALL_MAX + 1];
		enum cause_reason why;
	} pastv[PAST_N]; /* the last calls that ended: a request may cross the `ended` event */
	unsigned n_past;
};

static void browser_calls_destructor(void *arg)
{
	struct browser_calls *c = arg;

	for (struct le *le = c->legs.head; le; le = le->next)
		((struct browser_leg *)le->data)->mine = NULL;
	list_flush(&c->legs);
}

int browser_calls_alloc(struct browser_calls **cp, struct browser *b)
{
	struct browser_calls *c = mem_zalloc(sizeof(*c), browser_calls_destructor);

	if (!c)
		return ENOMEM;
	c->b = b;
	*cp = c;
	return 0;
}

struct browser *browser_calls_owner(struct browser_calls *c)
{
	return c->b;
}

struct browser_leg *browser_calls_find(struct browser_calls *c, const char *name)
{
	for (struct le *le = c->legs.head; le; le = le->next) {
		struct browser_leg *l = le->data;

		if (!strcmp(l->call, name))
			return l;
	}
	return NULL;
}

void browser_calls_add(struct browser_calls *c, struct browser_leg *l)
{
	list_append(&c->legs, &l->le, mem_ref(l));
	for (unsigned i = 0; i < PAST_N; i++)
		if (!strcmp(c->pastv[i].call, l->call))
			c->pastv[i].call[0] = '\0'; /* the name means this one now */
}

void browser_calls_past(struct browser_calls *c, const char *name, enum cause_reason why)
{
	unsigned i = c->n_past++ % PAST_N;

	snprintf(c->pastv[i].call, sizeof(c->pastv[i].call), "%s", name);
	c->pastv[i].why = why;
}

/* The error for a call that is not there (any more). */
static void refuse_missing(struct browser_calls *c, const struct client_msg *m)
{
	for (unsigned i = 0; i < PAST_N; i++) {
		if (strcmp(c->pastv[i].call, m->call) != 0)
			continue;
		if (c->pastv[i].why == CAUSE_ELSEWHERE)
			browser_error(c->b, m->id, ERROR_ELSEWHERE,
				      "another device has taken the call");
		else
			browser_error(c->b, m->id, ERROR_GONE, "the call is over");
		return;
	}
	browser_error(c->b, m->id, ERROR_NO_CALL,
		      "there is no such call in this connection");
}

/* ---- call ---- */

static void refuse_call(struct browser_calls *c, const struct client_msg *m, int err)
{
	uint32_t id = m->id;

	switch (err) {
	case ENOENT:
		browser_error(
			c->b, id, ERROR_NO_CALL, "%s",
			m->rejoin[0] ? "`rejoin` names no call of yours with `to` that "
				       "could be joined again"
				     : "`replaces` names no established call of yours on "
				       "another device with `to`");
		break;
	case EOPNOTSUPP:
		browser_error(c->b, id, ERROR_BAD_STATE,
			      "a call with a telephone stays on the device that has it");
		break;
	case EBUSY:
		browser_error(c->b, id, ERROR_ELSEWHERE,
			      m->rejoin[0] ? "the other side is joining it already"
					   : "another device is taking that call");
		break;
	case ENOSPC:
		browser_error(c->b, id, ERROR_LIMIT,
			      "there are too many calls at the moment");
		break;
	case EAGAIN:
		browser_error(c->b, id, ERROR_RATE, "too many calls in one minute");
		break;
	case ECANCELED:
		browser_error(c->b, id, ERROR_STOPPING, "the site is stopping");
		break;
	case EBADMSG:
		browser_error(c->b, id, ERROR_BAD_SDP, "the description is not usable");
		break;
	default:
		browser_error(c->b, id, ERROR_INTERNAL, "the call could not be made");
		break;
	}
}

/* Candidates may follow only what says so (RFC 8840 §4.1): the other side must know it, too. */
static bool check_trickle(struct browser_calls *c, const struct client_msg *m)
{
	struct sdp_ice ice;

	if (!m->sdp->trickle)
		return true;
	sdp_ice_read(&ice, m->sdp->data, m->sdp->len);
	if (sdp_ice_open(&ice))
		return true;
	browser_error(
		c->b, m->id, ERROR_BAD_SDP,
		"with `trickle` it needs a=ice-options:trickle, a=mid everywhere and no "
		"a=end-of-candidates");
	return false;
}

/* Is it a description that a browser would make? Says what is wrong when not. */
static bool check_sdp(struct browser_calls *c, const struct client_msg *m)
{
	struct sdp_facts facts;
	const char *why = "";
	int err = sdp_check(&facts, &why, m->sdp->data, m->sdp->len,
			    browser_core(c->b)->config->limits.sdp_bytes);

	if (err == EFBIG)
		browser_error(c->b, m->id, ERROR_LIMIT, "`sdp` is too long");
	else if (err)
		browser_error(c->b, m->id, ERROR_BAD_SDP, "%s", why);
	else if (!facts.webrtc)
		browser_error(c->b, m->id, ERROR_BAD_SDP,
			      "every medium needs DTLS, ICE and a sha-256 fingerprint");
	m->sdp->webrtc_ok = !err && facts.webrtc;
	return m->sdp->webrtc_ok && check_trickle(c, m);
}

static bool is_with(const struct leg *leg, const struct addr *to)
{
	const struct party *other = call_other_party(leg);

	return other && addr_equal(&other->addr, to);
}

/* The half of the call that `m` wants to take here, if it is this user's and with the one that `m` calls: one of
 * this very device by the name that it has here, which goes on over a new connection; else one of another device. */
static struct leg *replaced_by(struct browser_calls *c, const struct client_msg *m,
			       const struct addr *to)
{
	const struct device *device = browser_device(c->b);
	const struct core *core = browser_core(c->b);
	struct browser_leg *own = browser_calls_find(c, m->replaces);
	struct leg *old =
		own ? &own->leg
		    : call_replace_find(core, m->replaces, &device->user, device->id);
	struct device *on = old ? registry_device(core->registry, old->tag) : NULL;

	return old && is_with(old, to) && on && browser_sees(c->b, browser_of(&on->ep))
		       ? old
		       : NULL;
}

static void request_call(struct browser_calls *c, const struct client_msg *m)
{
	const struct device *device = browser_device(c->b);
	struct party from = {.addr = device->user, .site_verified = true};
	struct browser_leg *l = NULL;
	struct invite *invite = NULL;
	struct call *call;
	struct addr to;
	int err;

	if (browser_calls_find(c, m->call)) {
		browser_error(c->b, m->id, ERROR_CALL_EXISTS,
			      "`call` names a call that goes on");
		return;
	}
	if (m->replaces[0] && m->rejoin[0]) {
		browser_error(c->b, m->id, ERROR_BAD_MESSAGE,
			      "`replaces` and `rejoin` exclude each other");
		return;
	}
	if (addr_parse(&to, m->to, strlen(m->to))) {
		browser_error(c->b, m->id, ERROR_BAD_ADDRESS,
			      "`to` must look like name@site.example");
		return;
	}
	if (!check_sdp(c, m))
		return;
	if (m->name)
		addr_name_clean(from.name, sizeof(from.name), m->name, strlen(m->name));
	err = invite_alloc(&invite, &from, &to, m->sdp, MAX_FORWARDS);
	if (!err && m->replaces[0]) {
		invite->replaces = mem_ref(replaced_by(c, m, &to));
		err = invite->replaces ? 0 : ENOENT;
	}
	if (!err && m->rejoin[0]) {
		invite->rejoins = mem_ref(call_rejoin_find(browser_core(c->b), m->rejoin,
							   &device->user, &to));
		err = invite->rejoins ? 0 : ENOENT;
	}
	if (!err)
		err = browser_leg_new(&l, c, LEG_IN, m->call);
	if (!err)
		err = call_alloc(&call, browser_core(c->b), &l->leg, invite,
				 &device->user, NULL);
	if (err) {
		if (l) {
			l->state = BLEG_ENDED;
			list_unlink(&l->le);
			l->mine = NULL;
			mem_deref(l); /* the list's */
		}
		refuse_call(c, m, err);
	} else {
		snprintf(l->call_id, sizeof(l->call_id), "%s", invite->call_id);
		browser_ok(c->b, m->id);
	}
	mem_deref(l);
	mem_deref(invite);
}

/* ---- about a call that there is ---- */

static enum bleg_event event_of(enum client_kind kind)
{
	switch (kind) {
	case CLIENT_RINGING:
		return BLEG_C_RINGING;
	case CLIENT_ACCEPT:
		return BLEG_C_ACCEPT;
	case CLIENT_REJECT:
		return BLEG_C_REJECT;
	case CLIENT_ANSWER:
		return BLEG_C_ANSWER;
	case CLIENT_OFFER:
		return BLEG_C_OFFER;
	case CLIENT_REFUSE:
		return BLEG_C_REFUSE;
	case CLIENT_HANGUP:
		return BLEG_C_HANGUP;
	case CLIENT_CANDIDATES:
		return BLEG_C_CANDIDATES;
	case CLIENT_HELLO:
	case CLIENT_CALL:
	case CLIENT_KEYS:
	case CLIENT_PING:
	case CLIENT_KIND_N:
		break;
	}
	return BLEG_EVENT_N;
}

static enum cause_reason cause_of(const struct client_msg *m, const struct browser_leg *l,
				  enum bleg_state was)
{
	switch (m->reason) {
	case REASON_BUSY:
		return CAUSE_BUSY;
	case REASON_DECLINE:
		return CAUSE_DECLINED;
	case REASON_MEDIA:
		return CAUSE_MEDIA;
	case REASON_GLARE:
		return CAUSE_GLARE;
	case REASON_MISMATCH:
		return CAUSE_FORBIDDEN;
	case REASON_MOVED:
		return CAUSE_ELSEWHERE;
	case REASON_HANGUP:
	case REASON_NONE:
		break;
	}
	if (was == BLEG_ACTIVE)
		return CAUSE_HANGUP;
	return l->leg.dir == LEG_IN ? CAUSE_CANCELLED : CAUSE_DECLINED;
}

static void tell_call(struct browser_leg *l, enum leg_event_type type, struct body *body,
		      const struct cause *cause)
{
	struct leg_event ev = {.type = type, .body = body, .cause = cause};

	call_leg_event(&l->leg, &ev);
}

static void do_accept(struct browser_calls *c, struct browser_leg *l,
		      const struct client_msg *m)
{
	tell_call(l, LEG_ACCEPTED, NULL, NULL);
	if (l->state == BLEG_ENDED) /* the call did not want it any more */
		refuse_missing(c, m);
	else
		browser_ok(c->b, m->id);
}

/* The description is the last of its party from now on. */
static void pass_sdp(struct browser_calls *c, struct browser_leg *l,
		     const struct client_msg *m, enum leg_event_type type)
{
	l->n_candidates = 0;
	browser_ok(c->b, m->id);
	tell_call(l, type, m->sdp, NULL);
}

static void do_answer(struct browser_calls *c, struct browser_leg *l,
		      const struct client_msg *m)
{
	pass_sdp(c, l, m, LEG_ANSWER);
	if (l->state != BLEG_ENDED)
		browser_leg_tell_established(l);
}

static void do_candidates(struct browser_calls *c, struct browser_leg *l,
			  const struct client_msg *m)
{
	struct leg_event ev = {.type = LEG_CANDIDATES, .candidates = m->candidates};
	uint32_t max = browser_core(c->b)->config->limits.candidates;

	if (l->n_candidates + m->candidates->n > max) {
		browser_error(c->b, m->id, ERROR_LIMIT,
			      "a description may have %u candidates", (unsigned)max);
		return;
	}
	l->n_candidates += m->candidates->n;
	browser_ok(c->b, m->id);
	call_leg_event(&l->leg, &ev);
}

static void do_end(struct browser_calls *c, struct browser_leg *l,
		   const struct client_msg *m, enum bleg_state was)
{
	enum cause_reason reason = cause_of(m, l, was);
	struct cause cause;

	cause_set(&cause, reason, m->reason == REASON_MOVED ? CAUSE_TEXT_MOVED : NULL);
	browser_ok(c->b, m->id);
	browser_leg_tell_ended(l, &cause);
	browser_leg_forget(l, reason);
	tell_call(l, LEG_ENDED, NULL, &cause);
}

static void do_refuse(struct browser_calls *c, struct browser_leg *l,
		      const struct client_msg *m)
{
	struct cause cause;

	cause_set(&cause, cause_of(m, l, l->state), NULL);
	browser_ok(c->b, m->id);
	tell_call(l, LEG_OFFER_REFUSED, NULL, &cause);
}

static void do_glare(struct browser_calls *c, struct browser_leg *l,
		     const struct client_msg *m)
{
	struct cause cause;

	cause_set(&cause, CAUSE_GLARE, NULL);
	browser_ok(c->b, m->id);
	browser_leg_tell_refused(l, &cause);
}

static void request_about(struct browser_calls *c, struct browser_leg *l,
			  const struct client_msg *m)
{
	enum bleg_state was = l->state;

	if (m->sdp && !check_sdp(c, m))
		return;
	switch (browser_leg_step(l, event_of(m->kind))) {
	case BLEG_DO_SAY_RINGING:
		browser_ok(c->b, m->id);
		tell_call(l, LEG_RINGING, NULL, NULL);
		break;
	case BLEG_DO_SAY_ACCEPTED:
		do_accept(c, l, m);
		break;
	case BLEG_DO_SAY_ANSWER:
		do_answer(c, l, m);
		break;
	case BLEG_DO_SAY_ENDED:
		do_end(c, l, m, was);
		break;
	case BLEG_DO_PASS_OFFER:
		pass_sdp(c, l, m, LEG_OFFER);
		break;
	case BLEG_DO_PASS_ANSWER:
		pass_sdp(c, l, m, LEG_ANSWER);
		break;
	case BLEG_DO_PASS_REFUSE:
		do_refuse(c, l, m);
		break;
	case BLEG_DO_PASS_CANDIDATES:
		do_candidates(c, l, m);
		break;
	case BLEG_DO_GLARE:
		do_glare(c, l, m);
		break;
	case BLEG_DO_BAD_STATE:
		browser_error(c->b, m->id, ERROR_BAD_STATE,
			      "`%s` does not fit a call that is %s",
			      client_kind_name(m->kind), bleg_state_name(was));
		break;
	case BLEG_DO_NOTHING:
	case BLEG_DO_TELL_INCOMING: /* these are answers to what the call does */
	case BLEG_DO_TELL_RINGING:
	case BLEG_DO_TELL_ACCEPTED:
	case BLEG_DO_TELL_EARLY:
	case BLEG_DO_TELL_ANSWERED:
	case BLEG_DO_TELL_ENDED:
	case BLEG_DO_TELL_OFFER:
	case BLEG_DO_TELL_ANSWER:
	case BLEG_DO_TELL_REFUSED:
	case BLEG_DO_TELL_WITHDRAWN:
	case BLEG_DO_TELL_CANDIDATES:
	case BLEG_DO_OFFER_ANSWER:
	case BLEG_ACTION_N:
		break;
	}
}

/* They change nothing in the leg: its table has no row for them. */
static void request_keys(struct browser_calls *c, struct browser_leg *l,
			 const struct client_msg *m)
{
	struct leg_event ev = {.type = LEG_KEYS, .keys = m->keys};

	if (l->state != BLEG_ACTIVE || !call_takes_keys(&l->leg)) {
		browser_error(c->b, m->id, ERROR_BAD_STATE,
			      "the other side takes keys in its sound alone");
		return;
	}
	browser_ok(c->b, m->id);
	call_leg_event(&l->leg, &ev);
}

void browser_calls_request(struct browser_calls *c, const struct client_msg *m)
{
	struct browser_leg *l;

	switch (m->kind) {
	case CLIENT_PING:
		browser_ok(c->b, m->id);
		return;
	case CLIENT_CALL:
		request_call(c, m);
		return;
	default:
		break;
	}
	l = mem_ref(browser_calls_find(c, m->call));
	if (!l)
		refuse_missing(c, m);
	else if (m->kind == CLIENT_KEYS)
		request_keys(c, l, m);
	else
		request_about(c, l, m);
	mem_deref(l);
}

void browser_calls_show(const struct browser_calls *c, struct web_ongoings *o)
{
	const struct device *d = browser_device(c->b);

	for (struct le *le = c->legs.head; le && o->n < WEB_ONGOING_MAX; le = le->next) {
		const struct browser_leg *l = le->data;
		const struct party *other = call_other_party(&l->leg);
		struct web_ongoing *one = &o->v[o->n];

		if (l->state != BLEG_ACTIVE || !other ||
		    call_state(l->leg.call) != CALL_ACTIVE ||
		    !call_replace_may(l->leg.call))
			continue;
		snprintf(one->id, sizeof(one->id), "%s", call_id(l->leg.call));
		browser_party_show(&one->remote, other);
		snprintf(one->device, sizeof(one->device), "%s", d->id);
		snprintf(one->device_name, sizeof(one->device_name), "%s", d->name);
		one->away = d->away;
		one->seconds = (uint32_t)call_age_s(l->leg.call);
		o->n++;
	}
}

void browser_calls_lose(struct browser_calls *c)
{
	struct cause cause;

	cause_set(&cause, CAUSE_LOST, NULL);
	while (c->legs.head) {
		struct browser_leg *l = mem_ref(c->legs.head->data);

		browser_leg_step(l, BLEG_LOST);
		browser_leg_forget(l, CAUSE_LOST);
		tell_call(l, LEG_ENDED, NULL, &cause);
		mem_deref(l);
	}
}
