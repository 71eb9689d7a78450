/* webrtc/media/media.c - the door of the media room: which thread a session lives on, what is told to it and
 * what it says.
 *
 * Signalling thread. Called by main.c and, through gateway/media.h, by the core's legs; calls worker.c. A
 * session's credentials are made here, so that a description can be written at once. */
#include "webrtc/media/media.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <unistd.h>

#include "gateway/loop.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "webrtc/media/worker.h"

enum { UP_CAPACITY = 65536, BUCKETS = 1024, WORKERS_MAX = 64 };

struct media {
	struct core *core;
	struct loop_mailbox *up;
	struct dtls_identity *identity;
	struct media_worker *workerv[WORKERS_MAX];
	uint32_t n_sessions[WORKERS_MAX];
	unsigned n_workers, n_running;
	struct hash *sessions; /* by id; not owned */
	uint64_t last_id;
	size_t n_addrs;
	struct sa addrv[MEDIA_ADDRS_MAX];
	struct timer stop_timer;
	void (*stop_h)(void *arg);
	void *stop_arg;
};

struct media_session {
	struct le le;
	struct media *media; /**< NULL: the room has closed before it */
	uint64_t id;
	unsigned worker;
	char call[MEDIA_CALL_ID + 1];
	char peer_ufrag[ICE_UFRAG_MAX + 1];
	struct media_local local;
	media_event_h *h;
	void *arg;
};

/* ---- addresses ---- */

static void addr_add(struct media *m, const struct sa *sa)
{
	for (size_t i = 0; i < m->n_addrs; i++)
		if (sa_cmp(&m->addrv[i], sa, SA_ADDR))
			return;
	if (m->n_addrs < MEDIA_ADDRS_MAX)
		m->addrv[m->n_addrs++] = *sa;
}

/** The machine's addresses of this family that a browser elsewhere could reach; loopback where there is none
 *  other. Those of a link need a zone, which no candidate has. */
static void interfaces_add(struct media *m, int af, bool loopback)
{
	struct ifaddrs *all = NULL;

	if (getifaddrs(&all))
		return;
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		struct sa sa;

		if (!i->ifa_addr || i->ifa_addr->sa_family != af ||
		    !(i->ifa_flags & IFF_UP) || sa_set_sa(&sa, i->ifa_addr))
			continue;
		if (sa_is_linklocal(&sa) || sa_is_loopback(&sa) != loopback)
			continue;
		addr_add(m, &sa);
	}
	freeifaddrs(all);
}

static void addrs_find(struct media *m)
{
	const struct media_config *mc = &m->core->config->media;

	for (size_t i = 0; i < mc->n_advertise; i++)
		addr_add(m, &mc->advertisev[i]);
	for (unsigned loopback = 0; loopback < 2 && !m->n_addrs; loopback++) {
		for (size_t i = 0; i < mc->n_listen; i++) {
			if (sa_is_any(&mc->listenv[i]))
				interfaces_add(m, sa_af(&mc->listenv[i]), loopback);
			else
				addr_add(m, &mc->listenv[i]);
		}
	}
}

/* ---- sessions ---- */

static void session_destructor(void *arg)
{
	struct media_session *s = arg;
	struct media_down remove = {.kind = MEDIA_REMOVE, .id = s->id};

	hash_unlink(&s->le);
	secret_wipe(&s->local.pwd, sizeof(s->local.pwd));
	if (!s->media)
		return;
	s->media->n_sessions[s->worker]--;
	/* full or closed: its consent ends it */
	if (mailbox_post(media_worker_mailbox(s->media->workerv[s->worker]), &remove))
		log_warn(s->call, "media.remove", "worker=%u", s->worker);
}

static unsigned worker_least(const struct media *m)
{
	unsigned best = 0;

	for (unsigned i = 1; i < m->n_workers; i++)
		if (m->n_sessions[i] < m->n_sessions[best])
			best = i;
	return best;
}

/** ice-char (RFC 8839 §5.4) from random bits: six a character. */
static void ice_text(char *out, size_t n)
{
	static const char chars[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t bytes[MEDIA_PWD];

	secret_random(bytes, n);
	for (size_t i = 0; i < n; i++)
		out[i] = chars[bytes[i] & 63];
	out[n] = '\0';
	secret_wipe(bytes, sizeof(bytes));
}

static int post(struct media_session *s, enum media_down_kind kind,
		const struct media_setup *setup, bool creds)
{
	struct mailbox *to = media_worker_mailbox(s->media->workerv[s->worker]);
	struct media_down down = {.kind = kind, .id = s->id};

	down.setup = mem_alloc(sizeof(*setup), NULL);
	if (!down.setup)
		return ENOMEM;
	*down.setup = *setup;
	memcpy(down.call, s->call, sizeof(down.call));
	if (creds) {
		memcpy(down.ufrag, s->local.ufrag, sizeof(down.ufrag));
		memcpy(down.pwd, s->local.pwd, sizeof(down.pwd));
	}
	return mailbox_post_or_clear(to, &down);
}

static int echo_session(struct media_session **sp, void *arg,
			const struct media_setup *setup, const char *call_id,
			media_event_h *h, void *harg)
{
	struct media *m = arg;
	struct media_session *s = mem_zalloc(sizeof(*s), session_destructor);
	int err;

	if (!s)
		return ENOMEM;
	s->id = ++m->last_id;
	s->worker = worker_least(m);
	s->h = h;
	s->arg = harg;
	snprintf(s->call, sizeof(s->call), "%s", call_id);
	snprintf(s->peer_ufrag, sizeof(s->peer_ufrag), "%s", setup->peer.ufrag);
	ice_text(s->local.ufrag, MEDIA_UFRAG);
	ice_text(s->local.pwd, MEDIA_PWD);
	s->local.fingerprint = *dtls_identity_fingerprint(m->identity);
	s->local.n_addrs = m->n_addrs;
	for (size_t i = 0; i < m->n_addrs; i++) {
		s->local.addrv[i] = m->addrv[i];
		sa_set_port(&s->local.addrv[i], media_worker_port(m->workerv[s->worker]));
	}
	s->media = m;
	m->n_sessions[s->worker]++;
	err = post(s, MEDIA_ADD, setup, true);
	if (err) {
		m->n_sessions[s->worker]--;
		s->media = NULL; /* there is nothing to remove */
		mem_deref(s);
		return err == ENOMEM ? ENOMEM : ENOSPC;
	}
	hash_append(m->sessions, (uint32_t)s->id, &s->le, s);
	*sp = s;
	return 0;
}

static int change(struct media_session *s, const struct media_setup *setup)
{
	bool restart = strcmp(s->peer_ufrag, setup->peer.ufrag) != 0;
	struct media_local was = s->local;
	int err;

	if (!s->media)
		return ENOSPC;
	if (restart) { /* RFC 8445 §9: both sides, and both fragments */
		ice_text(s->local.ufrag, MEDIA_UFRAG);
		ice_text(s->local.pwd, MEDIA_PWD);
	}
	err = post(s, MEDIA_CHANGE, setup, restart);
	if (err)
		s->local = was;
	else
		snprintf(s->peer_ufrag, sizeof(s->peer_ufrag), "%s", setup->peer.ufrag);
	secret_wipe(&was.pwd, sizeof(was.pwd));
	return err ? ENOSPC : 0;
}

static const struct media_local *local(const struct media_session *s)
{
	return &s->local;
}

static const struct media_ops ops = {
	.echo_alloc = echo_session,
	.change = change,
	.local = local,
};

/* ---- what the threads say ---- */

static bool on_id(struct le *le, void *arg)
{
	const struct media_session *s = le->data;

	return s->id == *(const uint64_t *)arg;
}

static void stopped(struct media *m)
{
	void (*h)(void *arg) = m->stop_h;

	if (m->n_running)
		m->n_running--;
	if (m->n_running)
		return;
	timer_cancel(&m->stop_timer);
	m->stop_h = NULL;
	if (h)
		h(m->stop_arg);
}

static void on_up(const void *msg, void *arg)
{
	const struct media_up *up = msg;
	struct media *m = arg;
	uint64_t id = up->id;
	struct media_session *s;

	switch (up->kind) {
	case MEDIA_TOLD:
		s = list_ledata(hash_lookup(m->sessions, (uint32_t)id, on_id, &id));
		if (s)
			s->h(up->event, s->arg);
		break;
	case MEDIA_STOPPED:
		stopped(m);
		break;
	case MEDIA_UP_N:
		break;
	}
}

/* ---- the room ---- */

static bool session_orphan(struct le *le, void *arg)
{
	struct media_session *s = le->data;

	(void)arg;
	s->media = NULL;
	return false;
}

static void destructor(void *arg)
{
	struct media *m = arg;

	timer_cancel(&m->stop_timer);
	if (m->core->media_arg == m)
		m->core->media = NULL;
	if (m->sessions)
		hash_apply(m->sessions, session_orphan, NULL);
	if (m->sessions)
		hash_clear(m->sessions);
	mem_deref(m->sessions);
	if (m->up)
		mailbox_close(loop_mailbox(m->up));
	for (unsigned i = 0; i < m->n_workers; i++)
		mem_deref(m->workerv[i]); /* joins its thread */
	mem_deref(m->up);
	mem_deref(m->identity);
}

static unsigned workers_wanted(const struct config *c)
{
	long n =
		c->media.workers ? (long)c->media.workers : sysconf(_SC_NPROCESSORS_ONLN);

	if (n < 1)
		return 1;
	return n > WORKERS_MAX ? WORKERS_MAX : (unsigned)n;
}

static int workers_make(struct media *m, char **whyp)
{
	struct media_worker_setup setup = {
		.config = m->core->config,
		.identity = m->identity,
		.up = loop_mailbox(m->up),
	};
	unsigned n = workers_wanted(m->core->config);
	int err = 0;

	for (unsigned i = 0; i < n && !err; i++) {
		setup.index = i;
		err = media_worker_alloc(&m->workerv[i], whyp, &setup);
		if (!err)
			m->n_workers++;
	}
	return err;
}

int media_alloc(struct media **mp, char **whyp, struct core *core)
{
	struct media *m = mem_zalloc(sizeof(*m), destructor);
	int err;

	if (!m)
		return ENOMEM;
	m->core = core;
	err = hash_alloc(&m->sessions, BUCKETS);
	if (!err)
		err = loop_mailbox_alloc(&m->up, core->loop, "sig-media",
					 sizeof(struct media_up), UP_CAPACITY, NULL,
					 on_up, m);
	if (!err)
		err = dtls_identity_alloc(&m->identity);
	if (!err)
		err = workers_make(m, whyp);
	if (err) {
		mem_deref(m);
		return err;
	}
	addrs_find(m);
	core->media = &ops;
	core->media_arg = m;
	core_queue_show(core, loop_mailbox(m->up));
	*mp = m;
	return 0;
}

int media_start(struct media *m, char **whyp)
{
	for (unsigned i = 0; i < m->n_workers; i++) {
		int err = media_worker_start(m->workerv[i]);

		if (err) {
			re_sdprintf(whyp, "media: no thread can be started: %s",
				    strerror(err));
			return err;
		}
		m->n_running++;
	}
	log_info(NULL, "media.ready", "threads=%u port=%u addresses=%zu", m->n_workers,
		 media_worker_port(m->workerv[0]), m->n_addrs);
	return 0;
}

static void on_stop_late(void *arg)
{
	struct media *m = arg;

	log_err(NULL, "media.stop", "threads=%u have not ended in time", m->n_running);
	m->n_running = 0;
	stopped(m);
}

void media_stop(struct media *m, void (*h)(void *arg), void *arg)
{
	struct media_down stop = {.kind = MEDIA_STOP};

	m->stop_h = h;
	m->stop_arg = arg;
	for (unsigned i = 0; i < m->n_workers; i++)
		if (mailbox_post(media_worker_mailbox(m->workerv[i]), &stop))
			log_err(NULL, "media.stop", "worker=%u", i);
	if (timer_start(m->core->loop->timers, &m->stop_timer,
			(uint64_t)m->core->config->limits.stop_s * 1000, on_stop_late, m))
		log_err(NULL, "media.stop", "no timer");
}
