/* webrtc/media/agent_send.c - full ICE: which check is sent when.
 *
 * Pure, on its side's thread. Called by ice_full.c; calls binding.c and agent.c. However many candidates somebody
 * names, no more than one check goes out in 50 ms, each seven times at most, to nobody but candidates. RFC 8445
 * §6.1.4.2 (order), §14 (pace and repeats), RFC 7675 §5.1 (consent). */
#include "webrtc/media/agent_own.h"

#include "lib/secret.h"

static void request_send(struct agent *a, unsigned base, const struct sa *to,
			 const struct binding_request *request)
{
	uint8_t out[AGENT_REQUEST_MAX];
	size_t n = binding_request(out, sizeof(out), a->setup.codec, request);

	if (!n)
		return;
	a->n_sent++;
	a->setup.send_h(base, to, out, n, a->setup.arg);
}

static struct binding_request request_of(const struct agent *a, const struct names *names,
					 const uint8_t *tid)
{
	return (struct binding_request){.tid = tid,
					.username = names->name,
					.pwd = names->pwd,
					.controlling = a->controlling,
					.tie_breaker = a->setup.tie_breaker};
}

/** RFC 8445 §14.3. */
static uint64_t rto_ms(const struct agent *a)
{
	uint64_t n = 0;

	for (size_t i = 0; i < AGENT_PAIRS_MAX; i++)
		n += a->pairv[i].state == PAIR_WAITING ||
		     a->pairv[i].state == PAIR_IN_PROGRESS;
	return n * TA_MS > RTO_MS ? n * TA_MS : RTO_MS;
}

/** The last waits long, as in RFC 8489 §6.2.1. A check that decides goes where something has come from: it need
 *  not become slower to spare a network. */
static uint64_t wait_ms(const struct agent *a, const struct pair *p)
{
	if (p->n_sent + 1 >= RC)
		return (uint64_t)RM * RTO_MS;
	return p->use_candidate || p->asked ? RTO_MS : rto_ms(a) << p->n_sent;
}

static void check_send(struct agent *a, struct pair *p, uint64_t now_ms)
{
	struct binding_request request;

	if (!p->n_sent) {
		secret_random(p->tid, sizeof(p->tid));
		p->as_controlling = a->controlling;
	}
	request = request_of(a, &a->now, p->tid);
	request.controlling = p->as_controlling;
	request.use_candidate = p->use_candidate && p->as_controlling;
	request.priority = 110u << 24 | (0xffffu - p->base) << 8 | 255u;
	p->state = PAIR_IN_PROGRESS;
	p->triggered = 0;
	p->due_ms = now_ms + wait_ms(a, p);
	p->n_sent++;
	request_send(a, p->base, &a->remotev[p->remote].addr, &request);
}

/** Triggered checks first, then what is to be repeated, then the best that waits. */
static bool goes_before(const struct pair *p, const struct pair *q)
{
	if (p->triggered || q->triggered)
		return p->triggered && (!q->triggered || p->triggered < q->triggered);
	if (p->state != q->state)
		return p->state == PAIR_IN_PROGRESS;
	if (p->state == PAIR_IN_PROGRESS)
		return p->due_ms < q->due_ms;
	return p->priority > q->priority;
}

static struct pair *due(struct agent *a, uint64_t now_ms)
{
	struct pair *first = NULL;

	for (size_t i = 0; i < AGENT_PAIRS_MAX; i++) {
		struct pair *p = &a->pairv[i];

		if (p->state != PAIR_WAITING &&
		    (p->state != PAIR_IN_PROGRESS || p->due_ms > now_ms))
			continue;
		if (!first || goes_before(p, first))
			first = p;
	}
	return first;
}

static void expire(struct agent *a, uint64_t now_ms)
{
	for (size_t i = 0; i < AGENT_PAIRS_MAX; i++) {
		struct pair *p = &a->pairv[i];

		if (p->state != PAIR_IN_PROGRESS || p->n_sent < RC || p->due_ms > now_ms)
			continue;
		p->state = PAIR_FAILED;
		if (a->nominating == p)
			a->nominating = NULL;
	}
}

static void consent_ask(struct agent *a, uint64_t now_ms)
{
	struct selected *s = &a->selected;
	const struct names *names = s->old ? &a->before : &a->now;
	uint8_t *tid = s->tidv[s->n_tids % CONSENTS];
	struct binding_request request;

	if (!s->is || now_ms < s->consent_ms)
		return;
	secret_random(tid, STUN_TID_SIZE);
	s->n_tids++;
	request = request_of(a, names, tid);
	request.priority = s->priority;
	/* a NAT may have given us another address since: the peer follows (as browsers do, too) */
	request.use_candidate = a->controlling;
	/* 4 to 6 s (RFC 7675 §5.1); often while it is in doubt */
	s->consent_ms =
		now_ms +
		(s->doubt_ms ? DOUBT_CONSENT_MS
			     : CONSENT_MS * 4 / 5 + secret_u64() % (CONSENT_MS * 2 / 5));
	request_send(a, s->base, &s->addr, &request);
}

void agent_tick(struct agent *a, uint64_t now_ms)
{
	struct pair *p;

	if (!a->described)
		return;
	consent_ask(a, now_ms);
	expire(a, now_ms);
	agent_nominate(a, now_ms);
	if (now_ms < a->next_ms)
		return;
	p = due(a, now_ms);
	if (!p)
		return;
	a->next_ms = now_ms + TA_MS;
	check_send(a, p, now_ms);
}

static uint64_t sooner(uint64_t ms, uint64_t at_ms)
{
	return at_ms < ms ? at_ms : ms;
}

uint64_t agent_next_ms(const struct agent *a, uint64_t now_ms)
{
	const struct selected *s = &a->selected;
	uint64_t at = UINT64_MAX;

	if (!a->described)
		return UINT64_MAX;
	for (size_t i = 0; i < AGENT_PAIRS_MAX; i++) {
		const struct pair *p = &a->pairv[i];

		if (p->state == PAIR_WAITING)
			at = sooner(at, a->next_ms);
		else if (p->state == PAIR_IN_PROGRESS)
			at = sooner(at, p->due_ms > a->next_ms ? p->due_ms : a->next_ms);
	}
	if (s->is)
		at = sooner(at, s->consent_ms);
	if (s->is && !s->old && s->doubt_ms && !a->nominating)
		at = sooner(at, s->doubt_ms + DOUBT_MS);
	if ((!s->is || s->old) && a->valid_ms && a->controlling && !a->nominating)
		at = sooner(at, a->valid_ms + NOMINATE_WAIT_MS);
	if (at == UINT64_MAX)
		return at;
	return at > now_ms ? at - now_ms : 0;
}
