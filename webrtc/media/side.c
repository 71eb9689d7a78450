/* webrtc/media/side.c - one side of a media session: its state and its timers.
 *
 * A media thread's. Called by session.c and ice.c; calls side_dtls.c, ice.c and port.c. RFC 7675 §5.1 (consent). */
#include "lib/log.h"
#include "webrtc/media/session_own.h"

/* A side without ICE is looked at so often: on hold it may be silent for ever, and then not. */
enum { LOOK_MS = 5000 };

void side_timer(struct side *sd, struct timer *t, uint64_t ms, timer_h *h)
{
	/* it moves a timer of ours, or takes the place of one: no memory is needed but for the first */
	if (timer_start(sd->session->home->timers, t, ms, h, sd))
		log_err(sd->session->call, "media.timer", "no memory");
}

static void keys_drop(struct side *sd)
{
	timer_cancel(&sd->dtls_timer);
	timer_cancel(&sd->life_timer);
	sd->dtls = mem_deref(sd->dtls);
	sd->dtls_again = mem_deref(sd->dtls_again);
	sd->in = mem_deref(sd->in);
	sd->out = mem_deref(sd->out);
}

void side_send(struct side *sd, const uint8_t *p, size_t n)
{
	if (plain_is(sd))
		plain_send(sd, 0, false, p, n);
	else if (sd->pair)
		port_send(sd->session->home->port, &sd->pair->path, p, n);
}

void side_paired(struct side *sd, struct side_tuple *pair)
{
	sd->pair = pair;
	session_paired(sd);
}

/** An address has proved to be the party: what comes next on this side. */
static void shake(struct side *sd)
{
	switch (sd->setup.crypt) {
	case MEDIA_DTLS:
		side_dtls_begin(sd);
		break;
	case MEDIA_UNREAD:
	case MEDIA_SDES:
	case MEDIA_CLEAR:
		side_event(sd, MS_KEYS);
		break;
	}
}

void side_event(struct side *sd, enum side_event event)
{
	const struct side_step *step = side_fsm_step(sd->state, event);
	struct session *s = sd->session;
	enum side_state was = sd->state;

	if (step->next == was && !step->tells)
		return;
	sd->state = step->next;
	log_debug(s->call, "media.state", "side=%u %s -> %s on %s", sd->index,
		  side_state_name(was), side_state_name(step->next),
		  side_event_name(event));
	if (step->next == MS_OVER) {
		keys_drop(sd);
		ice_full_close(sd);
	}
	if (step->tells)
		s->home->tell(s->id, sd->index, step->told, s->home->arg);
	if (step->next == MS_SHAKING)
		shake(sd);
}

/** Getting there has a time of its own; then a consent lasts as long as checks come. */
void side_on_life(void *arg)
{
	struct side *sd = arg;
	uint64_t silent_ms = session_now_ms(sd->session) - sd->heard_ms;
	uint32_t consent_ms = sd->session->home->consent_ms;
	uint64_t left_ms;

	if (sd->state != MS_UP) {
		side_event(sd, MS_LATE);
		return;
	}
	if (plain_is(sd)) { /* no consent is to be had, only silence to be noticed */
		left_ms = plain_patience_ms(sd, session_now_ms(sd->session));
		if (!left_ms)
			side_event(sd, MS_SILENT);
		else
			side_timer(sd, &sd->life_timer,
				   left_ms < LOOK_MS ? left_ms : LOOK_MS, side_on_life);
		return;
	}
	if (silent_ms >= consent_ms)
		side_event(sd, MS_SILENT);
	else
		side_timer(sd, &sd->life_timer, consent_ms - silent_ms, side_on_life);
}

static size_t fds_count(const struct rtp_port *portv)
{
	size_t n = 0;

	for (size_t i = 0; i < MEDIA_PLAIN_MAX; i++)
		n += portv[i].n_fds;
	return n;
}

static int af_of(int fd)
{
	struct sa sa = {.len = sizeof(sa.u)};

	return getsockname(fd, &sa.u.sa, &sa.len) ? AF_UNSPEC : sa_af(&sa);
}

/** Its own sockets: those of RTP first, then those of RTCP. */
static int sockets_take(struct side *sd, struct rtp_port *portv)
{
	size_t n = fds_count(portv);
	int err = 0;

	if (!n)
		return 0;
	sd->ownv = mem_zalloc(n * sizeof(*sd->ownv), NULL);
	if (!sd->ownv)
		return ENOMEM;
	for (unsigned row = 0; row < MEDIA_PLAIN_MAX; row++) {
		struct rtp_port *port = &portv[row];
		size_t half = port->n_ports == 2 ? port->n_fds / 2 : port->n_fds;

		for (size_t k = 0; k < port->n_fds && !err; k++) {
			struct port_own *o = &sd->ownv[sd->n_own];

			*o = (struct port_own){.fd = port->fdv[k],
					       .af = af_of(port->fdv[k]),
					       .owner = sd,
					       .row = (uint8_t)row,
					       .rtcp = k >= half};
			err = port_own_join(sd->session->home->port, o);
			if (err)
				break;
			sd->n_own++;
			port->fdv[k] = -1;
		}
		if (err)
			break;
		port->n_fds = 0;
	}
	return err;
}

int side_open(struct side *sd, struct session *s, unsigned index, struct media_add *add)
{
	int err;

	sd->session = s;
	sd->index = index;
	sd->setup = add->sidev[index];
	err = sockets_take(sd, add->portv[index]);
	if (!err && sd->setup.reach == MEDIA_FULL)
		err = ice_full_open(sd);
	if (!err && s->anchor && sd->setup.reach != MEDIA_LITE)
		err = plain_open(&sd->plain, sd, add->sdesv[index]);
	return err ? err : ice_creds_set(sd, &add->credv[index], "");
}

/** Whose certificate it is was settled by the first description: the association goes on. */
static void told_keep(struct side *sd, struct media_told *told)
{
	struct media_remote *r = &told->remote, *first = &sd->told->remote;

	memcpy(r->fingerprintv, first->fingerprintv, sizeof(r->fingerprintv));
	r->n_fingerprints = first->n_fingerprints;
	*first = *r;
}

int side_remote(struct side *sd, struct media_told *told)
{
	const struct media_creds *own = told->fresh ? &told->creds : NULL;
	/* RFC 8445 §9: another fragment than before, on either side */
	bool restart = sd->told &&
		       (own || strcmp(sd->creds.peer_ufrag, told->remote.ufrag) != 0);
	int err = ice_creds_set(sd, own, told->remote.ufrag);

	if (err)
		return err;
	if (sd->told)
		told_keep(sd, told);
	else
		sd->told = mem_ref(told);
	if (sd->agent)
		ice_full_describe(sd, restart);
	return 0;
}

int side_start(struct side *sd)
{
	struct session_home *home = sd->session->home;

	sd->heard_ms = session_now_ms(sd->session);
	return timer_start(home->timers, &sd->life_timer, home->setup_ms, side_on_life,
			   sd);
}

void side_close(struct side *sd)
{
	keys_drop(sd);
	ice_full_close(sd);
	ice_close(sd);
	for (size_t i = 0; i < sd->n_own; i++)
		port_own_leave(sd->session->home->port, &sd->ownv[i]);
	mem_deref(sd->ownv);
	mem_deref(sd->plain);
	mem_deref(sd->told);
}
