/* webrtc/media/session.c - the life of a media session: its state, its timers, its packets.
 *
 * A media thread's. Called by worker.c; calls ice.c, dtls.c, srtp.c, echo.c and port.c. For a packet of media
 * nothing is allocated and nothing locked. RFC 5764 §5.1.1 (what is read when), RFC 7675 §5.1 (consent). */
#include "webrtc/media/session_own.h"

#include "lib/log.h"
#include "lib/secret.h"

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

static void on_life(void *arg);

static void timer_set(struct session *s, struct timer *t, uint64_t ms, timer_h *h)
{
	/* it moves a timer of ours, or takes the place of one: no memory is needed but for the first */
	if (timer_start(s->home->timers, t, ms, h, s))
		log_err(s->call, "media.timer", "no memory");
}

static void keys_drop(struct session *s)
{
	timer_cancel(&s->dtls_timer);
	timer_cancel(&s->life_timer);
	s->dtls = mem_deref(s->dtls);
	s->in = mem_deref(s->in);
	s->out = mem_deref(s->out);
}

static void dtls_send(const uint8_t *p, size_t n, void *arg)
{
	struct session *s = arg;
	uint8_t *copy;

	if (!s->pair || n > PORT_PACKET)
		return;
	copy = port_scratch(s->home->port);
	memcpy(copy, p, n);
	port_send(s->home->port, &s->pair->path, copy, n);
}

void session_event(struct session *s, enum session_event event)
{
	const struct session_step *step = session_fsm_step(s->state, event);
	enum session_state was = s->state;

	if (step->next == was && !step->tells)
		return;
	s->state = step->next;
	log_debug(s->call, "media.state", "%s -> %s on %s", session_state_name(was),
		  session_state_name(step->next), session_event_name(event));
	if (step->next == MS_OVER)
		keys_drop(s);
	if (step->tells)
		s->home->tell(s->id, step->told, s->home->arg);
	if (step->next == MS_SHAKING &&
	    dtls_alloc(&s->dtls, s->home->dtls, &s->setup->peer, dtls_send, s))
		session_event(s, MS_BROKEN);
}

/** Getting there has a time of its own; then a consent lasts as long as checks come. */
static void on_life(void *arg)
{
	struct session *s = arg;
	uint64_t silent_ms = session_now_ms(s) - s->heard_ms;

	if (s->state != MS_UP)
		session_event(s, MS_LATE);
	else if (silent_ms >= s->home->consent_ms)
		session_event(s, MS_SILENT);
	else
		timer_set(s, &s->life_timer, s->home->consent_ms - silent_ms, on_life);
}

static void destructor(void *arg)
{
	struct session *s = arg;

	keys_drop(s);
	ice_close(s);
	hash_unlink(&s->le);
	mem_deref(s->echo);
	mem_deref(s->setup);
}

int session_add(struct session_home *home, uint64_t id, const char *call,
		const char *ufrag, const char *pwd, struct media_setup *setup)
{
	struct session *s = mem_zalloc(sizeof(*s), destructor);
	char cname[17];
	int err;

	if (!s) {
		mem_deref(setup);
		return ENOMEM;
	}
	s->home = home;
	s->id = id;
	s->setup = setup;
	snprintf(s->call, sizeof(s->call), "%s", call);
	secret_hex(cname, 16);
	err = echo_alloc(&s->echo, cname);
	if (!err)
		err = ice_creds_set(s, ufrag, pwd, setup->peer.ufrag);
	if (!err)
		err = timer_start(home->timers, &s->life_timer, home->setup_ms, on_life,
				  s);
	if (err) {
		mem_deref(s);
		return err;
	}
	echo_setup(s->echo, setup);
	s->heard_ms = session_now_ms(s);
	hash_append(home->ids, (uint32_t)id, &s->le, s);
	return 0;
}

int session_change(struct session *s, const char *ufrag, const char *pwd,
		   struct media_setup *setup)
{
	int err = 0;

	if (ufrag)
		err = ice_creds_set(s, ufrag, pwd, setup->peer.ufrag);
	if (!err) {
		/* the association goes on: whose certificate it is was settled by the first offer */
		s->setup->n_streams = setup->n_streams;
		memcpy(s->setup->streamv, setup->streamv, sizeof(setup->streamv));
		echo_setup(s->echo, s->setup);
	}
	mem_deref(setup);
	return err;
}

void session_remove(struct session *s)
{
	mem_deref(s);
}

/* ---- packets ---- */

/** Ours is the server: it protects with the server's key (RFC 5764 §4.2). */
static int keys_begin(struct session *s)
{
	struct dtls_keys k;
	int err = dtls_keys_take(&k, s->dtls);

	if (!err)
		err = srtp_alloc(&s->in, k.suite, k.key_client, k.salt_client);
	if (!err)
		err = srtp_alloc(&s->out, k.suite, k.key_server, k.salt_server);
	if (!err)
		log_debug(s->call, "media.keys", "suite=%s", srtp_suite_name(k.suite));
	secret_wipe(&k, sizeof(k));
	return err;
}

static void on_dtls_timer(void *arg);

static void dtls_step(struct session *s, enum dtls_state state)
{
	uint64_t ms = dtls_next_ms(s->dtls);

	if (ms == UINT64_MAX)
		timer_cancel(&s->dtls_timer);
	else
		timer_set(s, &s->dtls_timer, ms, on_dtls_timer);
	if (s->state != MS_SHAKING)
		return;
	if (state == DTLS_FOREIGN)
		session_event(s, MS_FOREIGN);
	else if (state == DTLS_DONE && keys_begin(s))
		session_event(s, MS_BROKEN);
	else if (state == DTLS_DONE) {
		session_event(s, MS_KEYS);
		on_life(s);
	}
}

static void on_dtls_timer(void *arg)
{
	struct session *s = arg;

	dtls_step(s, dtls_tick(s->dtls, session_now_ms(s)));
	port_flush(s->home->port);
}

static void take_rtp(struct session *s, uint8_t *p, size_t n)
{
	s->home->counters.n_rtp_in++;
	if (srtp_open(s->in, p, &n)) {
		s->home->counters.n_refused++;
		return;
	}
	if (!echo_rtp(s->echo, p, n, timers_now_us(s->home->timers)) || !s->pair ||
	    srtp_seal(s->out, p, &n))
		return;
	s->home->counters.n_rtp_out++;
	port_send(s->home->port, &s->pair->path, p, n);
}

static void take_rtcp(struct session *s, uint8_t *p, size_t n)
{
	uint8_t *reply;
	size_t n_reply;

	if (srtp_open_rtcp(s->in, p, &n)) {
		s->home->counters.n_refused++;
		return;
	}
	reply = port_scratch(s->home->port);
	n_reply = echo_rtcp(s->echo, reply, PORT_PACKET - SRTP_OVERHEAD_MAX, p, n,
			    timers_now_us(s->home->timers));
	if (n_reply && s->pair && !srtp_seal_rtcp(s->out, reply, &n_reply))
		port_send(s->home->port, &s->pair->path, reply, n_reply);
}

void session_take(struct session_home *home, enum packet_kind kind,
		  const struct port_path *path, uint8_t *p, size_t n)
{
	struct session_tuple *t = ice_tuple_find(home, &path->peer);
	struct session *s = t ? t->session : NULL;

	if (!s) {
		home->counters.n_foreign++;
		return;
	}
	switch (kind) {
	case PACKET_DTLS:
		if (s->dtls)
			dtls_step(s, dtls_take(s->dtls, p, n, session_now_ms(s)));
		break;
	case PACKET_RTP:
		if (s->in)
			take_rtp(s, p, n);
		break;
	case PACKET_RTCP:
		if (s->in)
			take_rtcp(s, p, n);
		break;
	case PACKET_STUN:
	case PACKET_OTHER:
		break;
	}
}
