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
#include "webrtc/media/ice_candidate.h"
#include "webrtc/media/rtp_ports.h"
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
	struct rtp_ports *ports;
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
	size_t n_sides;
	bool full[MEDIA_SIDES]; /* MEDIA_FULL */
	struct media_local localv[MEDIA_SIDES];
	struct rtp_port
		portv[MEDIA_SIDES]
		     [MEDIA_PLAIN_MAX]; /* numbers; the sockets are the thread's */
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

static void ports_give(struct media_session *s)
{
	for (size_t i = 0; i < MEDIA_SIDES; i++)
		for (size_t k = 0; k < MEDIA_PLAIN_MAX; k++)
			rtp_ports_give(s->media->ports, &s->portv[i][k]);
}

static void session_destructor(void *arg)
{
	struct media_session *s = arg;
	struct media_down remove = {.kind = MEDIA_REMOVE, .id = s->id};

	hash_unlink(&s->le);
	secret_wipe(s->localv, sizeof(s->localv));
	if (!s->media)
		return;
	s->media->n_sessions[s->worker]--;
	ports_give(s);
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

static void creds_make(struct media_creds *c)
{
	ice_text(c->ufrag, MEDIA_UFRAG);
	ice_text(c->pwd, MEDIA_PWD);
}

static void creds_say(struct media_local *l, const struct media_creds *c)
{
	memcpy(l->ufrag, c->ufrag, sizeof(l->ufrag));
	memcpy(l->pwd, c->pwd, sizeof(l->pwd));
}

static struct mailbox *thread_of(const struct media_session *s)
{
	return media_worker_mailbox(s->media->workerv[s->worker]);
}

static void own_add(struct media_local *l, const struct sa *sa)
{
	for (size_t i = 0; i < l->n_addrs; i++)
		if (sa_cmp(&l->addrv[i], sa, SA_ADDR))
			return;
	if (l->n_addrs < MEDIA_ADDRS_MAX)
		l->addrv[l->n_addrs++] = *sa;
}

/** Ours, the one first that the party of this side can reach us by. */
static void addrs_make(struct media_local *l, const struct media *m,
		       const struct sa *seen)
{
	l->n_addrs = 0;
	if (sa_isset(seen, SA_ADDR))
		own_add(l, seen);
	for (size_t i = 0; i < m->n_addrs; i++)
		if (sa_af(&m->addrv[i]) == sa_af(seen))
			own_add(l, &m->addrv[i]);
	for (size_t i = 0; i < m->n_addrs; i++)
		own_add(l, &m->addrv[i]);
}

static void local_make(struct media_local *l, const struct media_session *s,
		       const struct media_side_setup *side, const struct rtp_port *portv)
{
	const struct media *m = s->media;

	if (side->crypt == MEDIA_DTLS)
		l->fingerprint = *dtls_identity_fingerprint(m->identity);
	addrs_make(l, m, &side->seen);
	for (size_t i = 0; i < l->n_addrs; i++) {
		sa_set_port(&l->addrv[i],
			    portv->number ? portv->number
					  : media_worker_port(m->workerv[s->worker]));
	}
	l->n_plain = side->reach == MEDIA_PLAIN ? side->n_plain : 0;
	for (size_t i = 0; i < l->n_plain; i++) {
		struct media_plain *row = &l->plainv[i];

		row->rtp = row->rtcp = l->addrv[0];
		sa_set_port(&row->rtp, portv[i].number);
		sa_set_port(&row->rtcp, (uint16_t)(portv[i].number + 1));
		if (side->crypt != MEDIA_SDES)
			continue;
		secret_random(row->sdes.key, sizeof(row->sdes.key));
		secret_random(row->sdes.salt, sizeof(row->sdes.salt));
	}
}

/** Sockets that the side has alone: the numbers stay here, the sockets go to its thread. */
static int ports_take(struct media_session *s, struct media_add *add, size_t i)
{
	const struct media_side_setup *side = &add->sidev[i];
	size_t n = side->reach == MEDIA_LITE   ? 0
		   : side->reach == MEDIA_FULL ? 1
					       : side->n_plain;
	int err = 0;

	for (size_t k = 0; k < n && !err; k++) {
		struct rtp_port *port = &add->portv[i][k];

		err = rtp_ports_take(s->media->ports, port,
				     side->reach == MEDIA_PLAIN ? 2 : 1);
		s->portv[i][k] = *port;
	}
	return err;
}

/** Makes what we say of each side, and tells the thread. */
static int begin(struct media_session *s, const struct media_session_setup *setup)
{
	struct media_down down = {
		.kind = MEDIA_ADD, .id = s->id, .add = media_add_alloc()};
	struct media_add *add = down.add;
	int err = 0;

	if (!add)
		return ENOMEM;
	add->work = setup->work;
	add->n_sides = setup->n_sides;
	add->caps = setup->caps;
	memcpy(add->call, s->call, sizeof(add->call));
	for (size_t i = 0; i < s->n_sides && !err; i++) {
		add->sidev[i] = setup->sidev[i];
		s->full[i] = setup->sidev[i].reach == MEDIA_FULL;
		creds_make(&add->credv[i]);
		creds_say(&s->localv[i], &add->credv[i]);
		err = ports_take(s, add, i);
		local_make(&s->localv[i], s, &setup->sidev[i], s->portv[i]);
		for (size_t k = 0; k < MEDIA_PLAIN_MAX; k++)
			add->sdesv[i][k] = s->localv[i].plainv[k].sdes;
	}
	if (err) {
		media_down_clear(&down);
		return err;
	}
	return mailbox_post_or_clear(thread_of(s), &down);
}

/** Which sides a work goes together with. */
static bool fits(const struct media_session_setup *setup)
{
	const struct media_side_setup *v = setup->sidev;

	switch (setup->work) {
	case MEDIA_WORK_ECHO:
		return setup->n_sides == 1 && v[0].reach == MEDIA_LITE &&
		       v[0].crypt == MEDIA_DTLS;
	case MEDIA_WORK_RELAY:
		for (size_t i = 0; i < MEDIA_SIDES; i++)
			if (v[i].reach == MEDIA_PLAIN || v[i].crypt != MEDIA_UNREAD)
				return false;
		return setup->n_sides == 2;
	case MEDIA_WORK_ANCHOR:
		for (size_t i = 0; i < MEDIA_SIDES; i++)
			if (v[i].crypt == MEDIA_UNREAD ||
			    (v[i].reach == MEDIA_PLAIN &&
			     (!v[i].n_plain || v[i].n_plain > MEDIA_PLAIN_MAX)))
				return false;
		return setup->n_sides == 2;
	}
	return false;
}

static int session_alloc(struct media_session **sp, void *arg,
			 const struct media_session_setup *setup, media_event_h *h,
			 void *harg)
{
	struct media *m = arg;
	struct media_session *s;
	int err;

	if (!fits(setup))
		return EINVAL;
	s = mem_zalloc(sizeof(*s), session_destructor);
	if (!s)
		return ENOMEM;
	s->id = ++m->last_id;
	s->worker = worker_least(m);
	s->h = h;
	s->arg = harg;
	s->n_sides = setup->n_sides;
	snprintf(s->call, sizeof(s->call), "%s", setup->call_id);
	s->media = m;
	m->n_sessions[s->worker]++;
	err = begin(s, setup);
	if (err) {
		m->n_sessions[s->worker]--;
		ports_give(s);
		s->media = NULL; /* there is nothing to remove */
		mem_deref(s);
		return err == ENOMEM || err == EADDRNOTAVAIL ? err : ENOSPC;
	}
	hash_append(m->sessions, (uint32_t)s->id, &s->le, s);
	*sp = s;
	return 0;
}

static int session_remote(struct media_session *s, unsigned side,
			  const struct media_remote *r, bool fresh)
{
	struct media_down down = {.kind = MEDIA_REMOTE, .id = s->id, .side = side};
	struct media_creds creds = {.ufrag = ""};
	int err;

	if (side >= s->n_sides)
		return EINVAL;
	if (!s->media)
		return ENOSPC;
	down.told = media_told_alloc();
	if (!down.told)
		return ENOMEM;
	down.told->remote = *r;
	down.told->fresh = fresh;
	if (fresh) /* RFC 8445 §9: both sides, and both fragments */
		creds_make(&creds);
	down.told->creds = creds;
	err = mailbox_post_or_clear(thread_of(s), &down);
	if (!err && fresh)
		creds_say(&s->localv[side], &creds);
	secret_wipe(&creds, sizeof(creds));
	return err ? ENOSPC : 0;
}

/** A lite side takes none: whoever checks us is heard; we check nobody. */
static int session_candidates(struct media_session *s, unsigned side,
			      const struct candidates *c)
{
	struct media_down down = {.kind = MEDIA_CANDIDATES, .id = s->id, .side = side};

	if (side >= s->n_sides)
		return EINVAL;
	if (!s->media || !s->full[side])
		return 0;
	down.candidates = mem_zalloc(sizeof(*down.candidates), NULL);
	if (!down.candidates)
		return ENOMEM;
	ice_candidates_read(down.candidates, c,
			    sa_is_loopback(&s->localv[side].addrv[0]));
	return mailbox_post_or_clear(thread_of(s), &down) ? ENOSPC : 0;
}

static const struct media_local *session_local(const struct media_session *s,
					       unsigned side)
{
	return &s->localv[side];
}

static const struct media_ops ops = {
	.alloc = session_alloc,
	.remote = session_remote,
	.candidates = session_candidates,
	.local = session_local,
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
			s->h(up->event, up->side, s->arg);
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
	mem_deref(m->ports);
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
		err = rtp_ports_alloc(&m->ports, &core->config->media);
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
