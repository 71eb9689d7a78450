/* webrtc/media/worker.c - a media thread: what comes in on its port, and what its mailbox brings.
 *
 * The media thread's, but for media_worker_alloc(), media_worker_start() and the destructor (signalling thread). Called by
 * libre's loop; calls packet.c (what is it?), binding.c and ice.c (STUN), session.c (all else). The one file
 * that knows libre's loop. RFC 7983 (demultiplexing), RFC 8489 §12 (a STUN server answers on its port). */
#include "webrtc/media/worker.h"

#include <pthread.h>
#include <re/re_main.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/rate.h"
#include "webrtc/media/session.h"

enum {
	CAPACITY = 16384,
	MESSAGES_A_TURN = 64,
	BATCHES_A_TURN = 8, /* then the mailbox and the timers have their turn */
	FDS_MIN = 64,
};

struct media_worker {
	unsigned index;
	const struct config *config;
	const struct dtls_identity *identity;
	struct mailbox *up, *down;
	struct port *port;
	struct rate *rate;
	struct session_home home;
	int wake_fd, timer_fd;
	pthread_t thread;
	bool started;
	uint64_t n_plain, n_untold;
};

/** One socket of the port, as libre's loop knows it. */
struct ear {
	struct media_worker *w;
	size_t socket;
};

/* ---- datagrams ---- */

static void take_stun(struct media_worker *w, const struct port_path *path,
		      const uint8_t *p, size_t n)
{
	struct session_home *home = &w->home;
	uint8_t *out = port_scratch(w->port);
	uint64_t now_ms = timers_now_us(home->timers) / 1000;
	struct binding b;
	size_t n_out = 0;

	if (binding_read(&b, &home->codec, p, n))
		return;
	if (b.username) {
		n_out = ice_check(out, home, &b, path);
	} else if (!path->own && !b.unknown.typec &&
		   rate_take(w->rate, &path->peer, now_ms)) {
		w->n_plain++;
		n_out = binding_answer(out, &home->codec, &b, NULL, &path->peer);
	}
	mem_deref(b.msg);
	if (n_out)
		port_send(w->port, path, out, n_out);
}

static void take(const struct port_path *path, uint8_t *p, size_t n, void *arg)
{
	struct media_worker *w = arg;
	enum packet_kind kind = packet_kind(p, n);

	switch (kind) {
	case PACKET_STUN:
		if (path->own)
			ice_full_take(path, p, n);
		else
			take_stun(w, path, p, n);
		break;
	case PACKET_DTLS:
	case PACKET_RTP:
	case PACKET_RTCP:
		session_take(&w->home, kind, path, p, n);
		break;
	case PACKET_OTHER:
		session_take(&w->home, kind, path, p, n);
		break;
	}
}

static void on_readable(int flags, void *arg)
{
	struct ear *ear = arg;

	(void)flags;
	for (unsigned i = 0; i < BATCHES_A_TURN; i++)
		if (port_take(ear->w->port, ear->socket, take, ear->w) < PORT_BATCH)
			break;
}

static void on_own_readable(int flags, void *arg)
{
	struct media_worker *w = arg;

	(void)flags;
	for (unsigned i = 0; i < BATCHES_A_TURN; i++)
		if (port_take_own(w->port, take, w) < PORT_BATCH)
			break;
}

/* ---- messages ---- */

static void tell(uint64_t id, unsigned side, enum media_event event, void *arg)
{
	struct media_worker *w = arg;
	struct media_up up = {.kind = MEDIA_TOLD, .id = id, .side = side, .event = event};

	/* full: the signalling thread is far behind; the call's own time will end it */
	if (mailbox_post(w->up, &up))
		w->n_untold++;
}

static void down_add(struct media_worker *w, const struct media_down *m)
{
	int err = session_add(&w->home, m->id, m->add);

	if (err) {
		log_err(m->add->call, "media.add", "err=%d", err);
		tell(m->id, 0, MEDIA_FAILED, w);
	}
}

static void down_remote(struct media_worker *w, const struct media_down *m)
{
	struct session *s = session_find(&w->home, m->id);
	int err = s ? session_remote(s, m->side, m->told) : 0;

	if (err) {
		log_err(NULL, "media.remote", "id=%llu err=%d", (unsigned long long)m->id,
			err);
		tell(m->id, m->side, MEDIA_FAILED, w);
	}
}

/** What a message owns is freed when it has been read. */
static void on_message(const void *msg, void *arg)
{
	struct media_down m = *(const struct media_down *)msg;
	struct media_worker *w = arg;
	struct session *s;

	switch (m.kind) {
	case MEDIA_ADD:
		down_add(w, &m);
		break;
	case MEDIA_REMOTE:
		down_remote(w, &m);
		break;
	case MEDIA_CANDIDATES:
		s = session_find(&w->home, m.id);
		if (s)
			session_candidates(s, m.side, m.candidates);
		break;
	case MEDIA_REMOVE:
		s = session_find(&w->home, m.id);
		if (s)
			session_remove(s);
		break;
	case MEDIA_STOP:
		re_cancel();
		break;
	case MEDIA_DOWN_N:
		break;
	}
	media_down_clear(&m);
}

/** Thread: any poster's. */
static void wake(void *arg)
{
	const struct media_worker *w = arg;
	uint64_t one = 1;

	if (write(w->wake_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_err(NULL, "media.wake", "errno=%d", errno);
}

static void on_wake(int flags, void *arg)
{
	struct media_worker *w = arg;
	uint64_t n;

	(void)flags;
	if (read(w->wake_fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		log_err(NULL, "media.read", "errno=%d", errno);
	mailbox_drain(w->down, MESSAGES_A_TURN, on_message, w);
}

/* ---- timers: a timerfd, since libre's own read the wall clock ---- */

static void timers_changed(void *arg)
{
	struct media_worker *w = arg;
	uint64_t us = timers_next_us(w->home.timers);
	struct itimerspec when = {0};

	if (us != UINT64_MAX) {
		us = us ? us : 1;
		when.it_value.tv_sec = (time_t)(us / 1000000);
		when.it_value.tv_nsec = (long)(us % 1000000) * 1000;
	}
	if (timerfd_settime(w->timer_fd, 0, &when, NULL))
		log_err(NULL, "media.timer", "errno=%d", errno);
}

static void on_timer(int flags, void *arg)
{
	struct media_worker *w = arg;
	uint64_t n;

	(void)flags;
	if (read(w->timer_fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		log_err(NULL, "media.read", "errno=%d", errno);
	timers_run(w->home.timers);
	timers_changed(w);
}

/* ---- the thread ---- */

static int fds_needed(const struct media_worker *w)
{
	int top = w->wake_fd > w->timer_fd ? w->wake_fd : w->timer_fd;

	if (port_own_fd(w->port) > top)
		top = port_own_fd(w->port);
	for (size_t i = 0; i < port_sockets(w->port); i++)
		if (port_fd(w->port, i) > top)
			top = port_fd(w->port, i);
	return top + 1 > FDS_MIN ? top + 1 : FDS_MIN;
}

static int ears_open(struct media_worker *w, struct ear *earv)
{
	int err = fd_setsize(fds_needed(w));

	if (!err)
		err = fd_listen(w->wake_fd, FD_READ, on_wake, w);
	if (!err)
		err = fd_listen(w->timer_fd, FD_READ, on_timer, w);
	if (!err)
		err = fd_listen(port_own_fd(w->port), FD_READ, on_own_readable, w);
	for (size_t i = 0; i < port_sockets(w->port) && !err; i++) {
		earv[i] = (struct ear){w, i};
		err = fd_listen(port_fd(w->port, i), FD_READ, on_readable, &earv[i]);
	}
	return err;
}

static int home_open(struct media_worker *w)
{
	struct session_home *home = &w->home;
	int err = timers_alloc(&home->timers, NULL, timers_changed, w);

	home->port = w->port;
	home->setup_ms = w->config->limits.media_setup_s * 1000;
	home->consent_ms = w->config->limits.media_consent_s * 1000;
	home->silence_ms = w->config->limits.media_silence_s * 1000;
	home->tell = tell;
	home->arg = w;
	if (!err)
		err = dtls_context_alloc(&home->dtls, w->identity);
	if (!err)
		err = session_home_init(home);
	return err;
}

static void home_close(struct media_worker *w)
{
	session_home_close(&w->home);
	w->home.dtls = mem_deref(w->home.dtls);
	w->home.timers = mem_deref(w->home.timers);
}

static void *run(void *arg)
{
	struct media_up stopped = {.kind = MEDIA_STOPPED};
	struct ear earv[PORT_SOCKETS_MAX];
	struct media_worker *w = arg;
	char name[16];
	int err;

	snprintf(name, sizeof(name), "media%u", w->index);
	log_thread_name(name);
	err = re_thread_init();
	if (!err)
		err = home_open(w);
	if (!err)
		err = ears_open(w, earv);
	if (!err)
		err = re_main(NULL);
	if (err)
		log_err(NULL, "media.thread", "err=%d", err);
	else
		log_debug(NULL, "media.counters",
			  "in=%llu out=%llu refused=%llu foreign=%llu checks=%llu "
			  "relayed=%llu shape=%llu over=%llu early=%llu "
			  "plain=%llu unsent=%llu untold=%llu",
			  (unsigned long long)w->home.counters.n_rtp_in,
			  (unsigned long long)w->home.counters.n_rtp_out,
			  (unsigned long long)w->home.counters.n_refused,
			  (unsigned long long)w->home.counters.n_foreign,
			  (unsigned long long)w->home.counters.n_checks,
			  (unsigned long long)w->home.counters.n_relayed,
			  (unsigned long long)w->home.counters.n_relay_shape,
			  (unsigned long long)w->home.counters.n_relay_over,
			  (unsigned long long)w->home.counters.n_relay_early,
			  (unsigned long long)w->n_plain,
			  (unsigned long long)port_counters(w->port)->n_unsent,
			  (unsigned long long)w->n_untold);
	home_close(w);
	re_thread_close();
	stopped.worker = w->index;
	if (mailbox_post(w->up, &stopped))
		log_debug(NULL, "media.stopped", "nobody listens");
	return NULL;
}

static void destructor(void *arg)
{
	struct media_worker *w = arg;
	struct media_down stop = {.kind = MEDIA_STOP};

	if (w->started) {
		if (mailbox_post(w->down, &stop) == ENOSPC)
			log_err(NULL, "media.stop", "its mailbox is full");
		pthread_join(w->thread, NULL);
	}
	mailbox_free(&w->down);
	if (w->wake_fd >= 0)
		close(w->wake_fd);
	if (w->timer_fd >= 0)
		close(w->timer_fd);
	mem_deref(w->rate);
	mem_deref(w->port);
}

int media_worker_alloc(struct media_worker **wp, char **whyp,
		       const struct media_worker_setup *setup)
{
	const struct media_config *mc = &setup->config->media;
	uint16_t number = mc->port ? (uint16_t)(mc->port + setup->index) : 0;
	struct media_worker *w = mem_zalloc(sizeof(*w), destructor);
	int err;

	if (!w)
		return ENOMEM;
	w->index = setup->index;
	w->config = setup->config;
	w->identity = setup->identity;
	w->up = setup->up;
	w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	w->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	err = w->wake_fd < 0 || w->timer_fd < 0 ? errno : 0;
	if (!err)
		err = port_alloc(&w->port, whyp, mc->listenv, mc->n_listen, number);
	if (!err)
		err = rate_alloc(&w->rate, setup->config->limits.stun_rate);
	if (!err)
		err = mailbox_alloc(&w->down, "media", sizeof(struct media_down),
				    CAPACITY, media_down_clear, wake, w);
	if (err)
		mem_deref(w);
	else
		*wp = w;
	return err;
}

int media_worker_start(struct media_worker *w)
{
	int err = pthread_create(&w->thread, NULL, run, w);

	w->started = !err;
	return err;
}

struct mailbox *media_worker_mailbox(const struct media_worker *w)
{
	return w->down;
}

uint16_t media_worker_port(const struct media_worker *w)
{
	return port_number(w->port);
}
