/* webrtc/media/agent.c - full ICE: candidates, pairs, roles, nomination.
 *
 * Pure, on its side's thread. Called by ice_full.c; calls binding.c and agent_send.c. RFC 8445 §6.1.2 (check
 * lists), §7.2.5 (responses), §7.3 (checks of the peer's), §8.1.1 (regular nomination), §9 (restart). */
#include "webrtc/media/agent_own.h"

#include "lib/secret.h"

enum { PRFLX = 110, COMPONENT = 1 };

static void destructor(void *arg)
{
	struct agent *a = arg;

	secret_wipe(&a->now, sizeof(a->now));
	secret_wipe(&a->before, sizeof(a->before));
}

int agent_alloc(struct agent **ap, const struct agent_setup *setup)
{
	struct agent *a = mem_zalloc(sizeof(*a), destructor);

	if (!a)
		return ENOMEM;
	a->setup = *setup;
	a->controlling = setup->controlling;
	*ap = a;
	return 0;
}

bool agent_controlling(const struct agent *a)
{
	return a->controlling;
}

uint32_t agent_n_sent(const struct agent *a)
{
	return a->n_sent;
}

/* ---- pairs ---- */

/** What PRIORITY says: the peer-reflexive candidate that our base may turn out to be (§7.1.1). */
static uint32_t own_priority(unsigned base)
{
	return (uint32_t)PRFLX << 24 | (uint32_t)(0xffff - base) << 8 | (256 - COMPONENT);
}

/** §6.1.2.3: G is the controlling agent's candidate, D the other. */
static uint64_t pair_priority(const struct agent *a, const struct pair *p)
{
	uint64_t own = own_priority(p->base), theirs = a->remotev[p->remote].priority;
	uint64_t g = a->controlling ? own : theirs, d = a->controlling ? theirs : own;

	return (g < d ? g : d) << 32 | (2 * (g > d ? g : d) + (g > d));
}

static void role_set(struct agent *a, bool controlling)
{
	a->controlling = controlling;
	a->nominating = NULL;
	for (size_t i = 0; i < AGENT_PAIRS_MAX; i++) {
		a->pairv[i].priority = pair_priority(a, &a->pairv[i]);
		a->pairv[i].use_candidate = false;
	}
}

struct pair *agent_pair(struct agent *a, unsigned base, size_t remote)
{
	struct pair *room = NULL;

	for (size_t i = 0; i < AGENT_PAIRS_MAX; i++) {
		struct pair *p = &a->pairv[i];

		if (p->state == PAIR_FREE)
			room = room ? room : p;
		else if (p->base == base && p->remote == remote)
			return p;
	}
	if (room) {
		*room = (struct pair){
			.state = PAIR_WAITING, .base = base, .remote = remote};
		room->priority = pair_priority(a, room);
	}
	return room;
}

void agent_trigger(struct agent *a, struct pair *p)
{
	p->state = PAIR_WAITING;
	p->n_sent = 0;
	p->triggered = ++a->n_triggered;
}

static struct remote *remote_find(struct agent *a, const struct sa *addr)
{
	for (size_t i = 0; i < a->n_remotes; i++)
		if (sa_cmp(&a->remotev[i].addr, addr, SA_ALL))
			return &a->remotev[i];
	return NULL;
}

static struct remote *remote_add(struct agent *a, const struct sa *addr,
				 uint32_t priority, bool prflx)
{
	struct remote *r;

	if (a->n_remotes == AGENT_REMOTES_MAX || (prflx && a->n_prflx == AGENT_PRFLX_MAX))
		return NULL;
	r = &a->remotev[a->n_remotes++];
	*r = (struct remote){.addr = *addr, .priority = priority, .prflx = prflx};
	a->n_prflx += prflx;
	return r;
}

void agent_candidate(struct agent *a, const struct sa *addr, uint32_t priority)
{
	struct remote *r = remote_find(a, addr);

	if (r || !(r = remote_add(a, addr, priority, false)))
		return;
	for (unsigned base = 0; base < a->setup.n_bases; base++) {
		struct pair *p = NULL;

		if (a->setup.afv[base] == sa_af(addr))
			p = agent_pair(a, base, (size_t)(r - a->remotev));
		/* late: it is known, and checked when the peer comes from there */
		if (p && a->selected.is && !a->selected.old)
			p->state = PAIR_FAILED;
	}
}

void agent_describe(struct agent *a, const char *ufrag, const char *peer_ufrag,
		    const char *peer_pwd, bool lite, bool restart)
{
	if (restart) {
		/* the names of what serves now; those of a generation that came to nothing are of no use */
		if (!a->selected.old)
			a->before = a->now;
		a->selected.old = a->selected.is;
		a->selected.doubt_ms = 0;
		a->n_remotes = a->n_prflx = 0;
		a->valid_ms = 0;
		a->nominating = NULL;
		memset(a->pairv, 0, sizeof(a->pairv));
	}
	snprintf(a->now.name, sizeof(a->now.name), "%s:%s", peer_ufrag, ufrag);
	snprintf(a->now.pwd, sizeof(a->now.pwd), "%s", peer_pwd);
	a->described = *peer_ufrag && *peer_pwd;
	a->lite = lite;
	if (lite && !a->controlling)
		role_set(a, true);
}

/* ---- selection ---- */

static void select_pair(struct agent *a, const struct pair *p, uint64_t now_ms)
{
	a->selected = (struct selected){
		.is = true,
		.base = p->base,
		.addr = a->remotev[p->remote].addr,
		.priority = own_priority(p->base),
		.consent_ms = now_ms + CONSENT_MS,
		.heard_ms = now_ms,
	};
	secret_wipe(&a->before, sizeof(a->before));
	a->nominating = NULL;
	/* §8.1.2: the others are not checked any more; what has succeeded stays known */
	for (size_t i = 0; i < AGENT_PAIRS_MAX; i++) {
		struct pair *other = &a->pairv[i];

		if (other->state == PAIR_WAITING || other->state == PAIR_IN_PROGRESS)
			other->state = PAIR_FAILED;
		other->triggered = 0;
		other->use_candidate = other->asked = false;
	}
}

static bool is_selected(const struct agent *a, const struct pair *p)
{
	return a->selected.is && !a->selected.old && a->selected.base == p->base &&
	       sa_cmp(&a->selected.addr, &a->remotev[p->remote].addr, SA_ALL);
}

/** May one that is better than `p` still succeed? */
static bool better_coming(const struct agent *a, const struct pair *p)
{
	for (size_t i = 0; i < AGENT_PAIRS_MAX; i++) {
		const struct pair *q = &a->pairv[i];

		if ((q->state == PAIR_WAITING || q->state == PAIR_IN_PROGRESS) &&
		    q->priority > p->priority)
			return true;
	}
	return false;
}

static struct pair *best_valid(struct agent *a)
{
	struct pair *best = NULL;

	for (size_t i = 0; i < AGENT_PAIRS_MAX; i++) {
		struct pair *p = &a->pairv[i];

		if (p->state == PAIR_SUCCEEDED && !is_selected(a, p) &&
		    (!best || p->priority > best->priority))
			best = p;
	}
	return best;
}

void agent_nominate(struct agent *a, uint64_t now_ms)
{
	const struct selected *s = &a->selected;
	bool chosen = s->is && !s->old;
	struct pair *best;

	if (!a->controlling || a->nominating || !a->valid_ms)
		return;
	if (chosen && (!s->doubt_ms || now_ms < s->doubt_ms + DOUBT_MS))
		return;
	best = best_valid(a);
	if (!best || (!chosen && now_ms < a->valid_ms + NOMINATE_WAIT_MS &&
		      better_coming(a, best)))
		return;
	a->nominating = best;
	best->use_candidate = true;
	agent_trigger(a, best);
}

/* ---- what comes in ---- */

/** §7.3.1.1: true: the peer has to give way. */
static bool conflict(struct agent *a, const struct binding *b)
{
	bool ours = a->setup.tie_breaker >= b->tie_breaker;

	if (a->controlling && b->controlling) {
		if (ours || a->lite)
			return true;
		role_set(a, false);
	} else if (!a->controlling && b->controlled) {
		if (!ours)
			return true;
		role_set(a, true);
	}
	return false;
}

/** The controlled agent goes where the other says, once its own check has come through. */
static unsigned nominated(struct agent *a, struct pair *p, uint64_t now_ms)
{
	if (p->state != PAIR_SUCCEEDED) {
		p->asked = true;
		return 0;
	}
	if (is_selected(a, p))
		return 0;
	select_pair(a, p, now_ms);
	return AGENT_VALID | AGENT_SELECTED;
}

unsigned agent_checked(struct agent *a, unsigned base, const struct sa *from,
		       const struct binding *b, uint64_t now_ms)
{
	struct remote *r;
	struct pair *p;

	if (!a->described)
		return 0;
	if (conflict(a, b))
		return AGENT_CONFLICT;
	r = remote_find(a, from);
	if (!r)
		r = remote_add(a, from, b->priority, true);
	p = r ? agent_pair(a, base, (size_t)(r - a->remotev)) : NULL;
	if (!p)
		return 0;
	/* §7.3.1.4; one in progress goes on, and is repeated at once; its last repeat is another check */
	if (p->state == PAIR_IN_PROGRESS && p->n_sent < RC)
		p->due_ms = now_ms;
	else if (p->state != PAIR_SUCCEEDED && !p->triggered)
		agent_trigger(a, p);
	return b->use_candidate && !a->controlling ? nominated(a, p, now_ms) : 0;
}

static unsigned consented(struct agent *a, unsigned base, const struct sa *from,
			  const struct binding_reply *reply, uint64_t now_ms)
{
	struct selected *s = &a->selected;
	const struct names *names = s->old ? &a->before : &a->now;

	if (!s->is || s->base != base || !sa_cmp(&s->addr, from, SA_ALL) ||
	    !reply->success)
		return 0;
	for (unsigned i = 0; i < CONSENTS && i < s->n_tids; i++) {
		if (memcmp(s->tidv[i], reply->tid, STUN_TID_SIZE) != 0)
			continue;
		if (!binding_reply_proved(reply, names->pwd))
			return 0;
		s->heard_ms = now_ms;
		s->doubt_ms = 0;
		return AGENT_CONSENT;
	}
	return 0;
}

static struct pair *asked_for(struct agent *a, const uint8_t *tid)
{
	for (size_t i = 0; i < AGENT_PAIRS_MAX; i++) {
		struct pair *p = &a->pairv[i];

		if (p->state == PAIR_IN_PROGRESS && !memcmp(p->tid, tid, STUN_TID_SIZE))
			return p;
	}
	return NULL;
}

static unsigned succeeded(struct agent *a, struct pair *p, uint64_t now_ms)
{
	bool selects = a->controlling ? p == a->nominating && p->use_candidate : p->asked;

	p->state = PAIR_SUCCEEDED;
	p->triggered = 0;
	if (!a->valid_ms)
		a->valid_ms = now_ms ? now_ms : 1;
	if (selects) {
		select_pair(a, p, now_ms);
		return AGENT_VALID | AGENT_SELECTED;
	}
	/* the peer answers from elsewhere: does it still where packets go? */
	if (a->selected.is && !a->selected.old && !is_selected(a, p)) {
		a->selected.doubt_ms = now_ms;
		a->selected.consent_ms = now_ms;
	}
	agent_nominate(a, now_ms);
	return AGENT_VALID;
}

unsigned agent_reply(struct agent *a, unsigned base, const struct sa *from,
		     const uint8_t *bytes, size_t n, uint64_t now_ms)
{
	struct binding_reply reply;
	unsigned what = 0;
	struct pair *p;

	if (binding_reply_read(&reply, a->setup.codec, bytes, n))
		return 0;
	what = consented(a, base, from, &reply, now_ms);
	p = what ? NULL : asked_for(a, reply.tid);
	if (!p || !binding_reply_proved(&reply, a->now.pwd))
		goto out;
	if (p->base != base || !sa_cmp(&a->remotev[p->remote].addr, from, SA_ALL)) {
		/* §7.2.5.2.1: it does not come from where the check went */
		p->state = PAIR_FAILED;
	} else if (reply.success) {
		what = succeeded(a, p, now_ms);
	} else if (reply.code == 487 && !a->lite) {
		/* §7.2.5.1: unless the role has changed meanwhile */
		if (a->controlling == p->as_controlling)
			role_set(a, !a->controlling);
		agent_trigger(a, p);
	} else {
		p->state = PAIR_FAILED;
	}
	if (p->state == PAIR_FAILED && a->nominating == p)
		a->nominating = NULL;
out:
	mem_deref(reply.msg);
	return what;
}
