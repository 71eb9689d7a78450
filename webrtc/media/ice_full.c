/* webrtc/media/ice_full.c - a side with a port of its own and its ICE agent: sockets, timers and tuples around the
 * pure agent.
 *
 * A media thread's. Called by worker.c (STUN on own sockets), side.c; calls agent.c, ice.c and port.c. RFC 8445,
 * RFC 7675: consent is the peer's answer to a check of ours, not its check. */
#include "lib/log.h"
#include "lib/secret.h"
#include "webrtc/media/session_own.h"

static void on_timer(void *arg);

static void timer_set(struct side *sd)
{
	uint64_t ms = agent_next_ms(sd->agent, session_now_ms(sd->session));

	if (ms == UINT64_MAX)
		timer_cancel(&sd->agent_timer);
	else if (timer_start(sd->session->home->timers, &sd->agent_timer, ms ? ms : 1,
			     on_timer, sd))
		log_err(sd->session->call, "media.timer", "no memory");
}

static void on_timer(void *arg)
{
	struct side *sd = arg;

	agent_tick(sd->agent, session_now_ms(sd->session));
	port_flush(sd->session->home->port);
	timer_set(sd);
}

static void check_send(unsigned base, const struct sa *to, const uint8_t *p, size_t n,
		       void *arg)
{
	struct side *sd = arg;
	const struct port_own *own = &sd->ownv[base];
	const struct port_path path = {.peer = *to, .fd = own->fd, .own = own};
	uint8_t *copy = port_scratch(sd->session->home->port);

	memcpy(copy, p, n);
	port_send(sd->session->home->port, &path, copy, n);
}

int ice_full_open(struct side *sd)
{
	struct agent_setup setup = {
		.controlling = sd->setup.controlling,
		.tie_breaker = secret_u64(),
		.codec = &sd->session->home->codec,
		.send_h = check_send,
		.arg = sd,
	};

	for (size_t i = 0; i < sd->n_own && i < AGENT_BASES_MAX; i++)
		setup.afv[setup.n_bases++] = sd->ownv[i].af;
	return agent_alloc(&sd->agent, &setup);
}

void ice_full_describe(struct side *sd, bool restart)
{
	const struct media_remote *r = &sd->told->remote;

	agent_describe(sd->agent, sd->creds.own.ufrag, r->ufrag, r->pwd, r->lite,
		       restart);
	timer_set(sd);
}

void ice_full_candidates(struct side *sd, const struct media_candidates *c)
{
	/* of a generation that is over, or has not come yet: its description comes first */
	if (!sd->agent || !sd->told ||
	    (*c->ufrag && strcmp(c->ufrag, sd->told->remote.ufrag) != 0))
		return;
	for (size_t i = 0; i < c->n; i++)
		agent_candidate(sd->agent, &c->v[i].addr, c->v[i].priority);
	timer_set(sd);
}

/** `path`: where it came from, which is where packets may go. */
static void came_of_it(struct side *sd, const struct port_path *path, unsigned what)
{
	uint64_t now_ms = session_now_ms(sd->session);
	struct side_tuple *t;

	if (what & (AGENT_VALID | AGENT_CONSENT))
		sd->heard_ms = now_ms;
	if (!(what & AGENT_VALID))
		return;
	t = ice_tuple_of(sd, path, now_ms);
	if (what & AGENT_SELECTED) {
		t->path = *path;
		ice_nominate(sd, t, &sd->creds);
	} else if (!sd->pair) {
		side_paired(sd, t);
	}
	side_event(sd, MS_CHECKED);
}

static void take_check(struct side *sd, const struct port_path *path, const uint8_t *p,
		       size_t n)
{
	struct session_home *home = sd->session->home;
	uint8_t *out = port_scratch(home->port);
	const struct side_creds *c;
	unsigned what;
	struct binding b;
	size_t n_out = 0;

	if (binding_read(&b, &home->codec, p, n))
		return;
	c = b.username ? ice_creds_find(home, b.username, path) : NULL;
	if (!c || !binding_proved(&b, c->own.pwd))
		goto out;
	if (b.unknown.typec) {
		n_out = binding_refuse(out, &home->codec, &b, c->own.pwd, 420);
		goto out;
	}
	home->counters.n_checks++;
	/* the generation before is answered, and chooses nothing any more */
	what = c == &sd->creds
		       ? agent_checked(sd->agent, (unsigned)(path->own - sd->ownv),
				       &path->peer, &b, session_now_ms(sd->session))
		       : 0;
	if (what & AGENT_CONFLICT) {
		n_out = binding_refuse(out, &home->codec, &b, c->own.pwd, 487);
		goto out;
	}
	(void)ice_tuple_of(sd, path, session_now_ms(sd->session));
	n_out = binding_answer(out, &home->codec, &b, c->own.pwd, &path->peer);
	came_of_it(sd, path, what);
out:
	mem_deref(b.msg);
	if (n_out)
		port_send(home->port, path, out, n_out);
}

void ice_full_take(const struct port_path *path, const uint8_t *p, size_t n)
{
	struct side *sd = path->own->owner;
	uint64_t now_ms;

	if (!sd->agent || sd->state == MS_OVER)
		return;
	now_ms = session_now_ms(sd->session);
	if (binding_is_request(p, n))
		take_check(sd, path, p, n);
	else
		came_of_it(sd, path,
			   agent_reply(sd->agent, (unsigned)(path->own - sd->ownv),
				       &path->peer, p, n, now_ms));
	if (sd->state != MS_OVER)
		timer_set(sd);
}

void ice_full_close(struct side *sd)
{
	timer_cancel(&sd->agent_timer);
	sd->agent = mem_deref(sd->agent);
}
