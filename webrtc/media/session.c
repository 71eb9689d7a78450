/* webrtc/media/session.c - media sessions: the table of them, their work, their packets.
 *
 * A media thread's. Called by worker.c; calls side.c, ice.c, srtp.c, echo.c and port.c. For a packet of media
 * nothing is allocated and nothing locked. */
#include "lib/log.h"
#include "lib/secret.h"
#include "webrtc/media/pass.h"
#include "webrtc/media/session_own.h"

/* ---- tables ---- */

static bool on_id(struct le *le, void *arg)
{
	const struct session *s = le->data;

	return s->id == *(const uint64_t *)arg;
}

struct session *session_find(const struct session_home *home, uint64_t id)
{
	return list_ledata(hash_lookup(home->ids, (uint32_t)id, on_id, &id));
}

int session_home_init(struct session_home *home)
{
	int err = hash_alloc(&home->ids, SESSION_BUCKETS);

	if (!err)
		err = hash_alloc(&home->ufrags, SESSION_BUCKETS);
	if (!err)
		err = hash_alloc(&home->tuples, SESSION_BUCKETS);
	if (!err)
		err = binding_codec_init(&home->codec);
	return err;
}

void session_home_close(struct session_home *home)
{
	if (home->ids)
		hash_flush(home->ids);
	home->ids = mem_deref(home->ids);
	home->ufrags = mem_deref(home->ufrags);
	home->tuples = mem_deref(home->tuples);
	binding_codec_close(&home->codec);
}

/* ---- life ---- */

static void destructor(void *arg)
{
	struct session *s = arg;

	for (size_t i = 0; i < s->n_sides; i++)
		side_close(&s->sidev[i]);
	hash_unlink(&s->le);
	timer_cancel(&s->cap_timer);
	mem_deref(s->echo);
	mem_deref(s->relay);
	mem_deref(s->anchor);
}

static int work_begin(struct session *s, const struct media_add *add)
{
	char cname[17];

	switch (s->work) {
	case MEDIA_WORK_ECHO:
		secret_hex(cname, 16);
		return echo_alloc(&s->echo, cname);
	case MEDIA_WORK_RELAY:
		s->cap_s = add->caps.time_s;
		return relay_alloc(&s->relay, &add->caps);
	case MEDIA_WORK_ANCHOR:
		secret_hex(cname, 16);
		return anchor_alloc(&s->anchor, cname);
	}
	return EINVAL;
}

int session_add(struct session_home *home, uint64_t id, struct media_add *add)
{
	struct session *s = mem_zalloc(sizeof(*s), destructor);
	int err;

	if (!s)
		return ENOMEM;
	s->home = home;
	s->id = id;
	s->work = add->work;
	memcpy(s->call, add->call, sizeof(s->call));
	err = work_begin(s, add);
	for (unsigned i = 0; i < add->n_sides && !err; i++) {
		s->n_sides++;
		err = side_open(&s->sidev[i], s, i, add);
	}
	if (err) {
		mem_deref(s);
		return err;
	}
	hash_append(home->ids, (uint32_t)id, &s->le, s);
	return 0;
}

static bool described(const struct session *s)
{
	for (size_t i = 0; i < s->n_sides; i++)
		if (!s->sidev[i].told)
			return false;
	return true;
}

static void on_cap(void *arg)
{
	struct session *s = arg;

	for (size_t i = 0; i < s->n_sides; i++)
		side_event(&s->sidev[i], MS_CAPPED);
}

/** Everybody is described: times run. */
static int start(struct session *s)
{
	int err = 0;

	for (size_t i = 0; i < s->n_sides && !err; i++)
		err = side_start(&s->sidev[i]);
	if (!err && s->cap_s)
		err = timer_start(s->home->timers, &s->cap_timer,
				  (uint64_t)s->cap_s * 1000, on_cap, s);
	return err;
}

int session_remote(struct session *s, unsigned side, struct media_told *told)
{
	bool was = described(s);
	int err = side < s->n_sides ? side_remote(&s->sidev[side], told) : EINVAL;

	if (err)
		return err;
	if (s->echo)
		echo_remote(s->echo, &told->remote);
	if (s->anchor)
		anchor_setup(s->anchor, side, told->remote.streamv,
			     told->remote.n_streams);
	if (plain_is(&s->sidev[side]))
		err = plain_remote(&s->sidev[side], &told->remote);
	if (err)
		return err;
	return !was && described(s) ? start(s) : 0;
}

void session_candidates(struct session *s, unsigned side,
			const struct media_candidates *c)
{
	if (side < s->n_sides && s->sidev[side].state != MS_OVER)
		ice_full_candidates(&s->sidev[side], c);
}

void session_remove(struct session *s)
{
	mem_deref(s);
}

/* ---- packets ---- */

static void take_rtp(struct side *sd, uint8_t *p, size_t n)
{
	struct session *s = sd->session;

	if (srtp_open(sd->in, p, &n)) {
		s->home->counters.n_rtp_in++;
		s->home->counters.n_refused++;
		return;
	}
	if (s->anchor) {
		pass_rtp(sd, ANCHOR_ANY, p, n, timers_now_us(s->home->timers));
		return;
	}
	s->home->counters.n_rtp_in++;
	if (!s->echo || !echo_rtp(s->echo, p, n, timers_now_us(s->home->timers)) ||
	    !sd->pair || srtp_seal(sd->out, p, &n))
		return;
	s->home->counters.n_rtp_out++;
	side_send(sd, p, n);
}

static void take_rtcp(struct side *sd, uint8_t *p, size_t n)
{
	struct session *s = sd->session;
	uint8_t *reply;
	size_t n_reply;

	if (srtp_open_rtcp(sd->in, p, &n)) {
		s->home->counters.n_refused++;
		return;
	}
	if (s->anchor)
		pass_rtcp(sd, p, n, timers_now_us(s->home->timers));
	if (!s->echo)
		return;
	reply = port_scratch(s->home->port);
	n_reply = echo_rtcp(s->echo, reply, PORT_PACKET - SRTP_OVERHEAD_MAX, p, n,
			    timers_now_us(s->home->timers));
	if (n_reply && !srtp_seal_rtcp(sd->out, reply, &n_reply))
		side_send(sd, reply, n_reply);
}

/** Once a session: who sends it may send a million. */
static void relay_warn(struct session *s, unsigned side, const char *why)
{
	if (s->warned)
		return;
	s->warned = true;
	log_warn(s->call, "media.relay", "side=%u dropped=%s", side, why);
}

static void take_relay(struct side *sd, enum packet_kind kind, const uint8_t *p, size_t n)
{
	struct session *s = sd->session;
	struct session_counters *c = &s->home->counters;
	struct side *other = &s->sidev[!sd->index];

	if (sd->state == MS_OVER || other->state == MS_OVER)
		return;
	switch (relay_take(s->relay, sd->index, other->pair != NULL, kind, p, n,
			   timers_now_us(s->home->timers))) {
	case RELAY_PASS:
		c->n_relayed++;
		side_send(other, p, n);
		break;
	case RELAY_HELD:
		break;
	case RELAY_EARLY:
		c->n_relay_early++;
		break;
	case RELAY_SHAPE:
		c->n_relay_shape++;
		relay_warn(s, sd->index, "shape");
		break;
	case RELAY_OVER:
		c->n_relay_over++;
		relay_warn(s, sd->index, "rate");
		break;
	}
}

void session_paired(struct side *sd)
{
	struct session *s = sd->session;
	const uint8_t *p;
	size_t n;

	while (s->relay && (p = relay_next(s->relay, sd->index, &n))) {
		uint8_t *copy = port_scratch(s->home->port);

		memcpy(copy, p, n);
		s->home->counters.n_relayed++;
		side_send(sd, copy, n);
	}
}

void session_take(struct session_home *home, enum packet_kind kind,
		  const struct port_path *path, uint8_t *p, size_t n)
{
	struct side *sd = path->own ? path->own->owner : NULL;

	if (sd && plain_is(sd)) {
		plain_take(sd, kind, path, p, n);
		return;
	}
	sd = ice_side_of(home, path);
	if (!sd) {
		home->counters.n_foreign++;
		return;
	}
	if (sd->session->relay) {
		take_relay(sd, kind, p, n);
		return;
	}
	switch (kind) {
	case PACKET_DTLS:
		side_dtls(sd, p, n);
		break;
	case PACKET_RTP:
		if (sd->in)
			take_rtp(sd, p, n);
		break;
	case PACKET_RTCP:
		if (sd->in)
			take_rtcp(sd, p, n);
		break;
	case PACKET_STUN:
	case PACKET_OTHER:
		break;
	}
}
