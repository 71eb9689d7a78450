/* webrtc/http/server.c - the web thread itself: its loop, lws's context, the mailbox from the signalling
 * thread, timers, the end.
 *
 * web_server_alloc() runs on the starting thread; all else on the web thread. Called by webrtc.c; calls accept.c,
 * conn.c, ws.c, api.c. lws may be called from its own thread only, so others write to an eventfd. */
#include "webrtc/http/own.h"
#include "lib/log.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

enum { DOWN_CAPACITY = 65536, BUCKETS = 8192, CERT_POLL_MS = 1000, DRAIN_MAX = 512 };

/* ---- what lws has to say ---- */

static char lws_last_error[200]; /* only while a context is being made, by one thread */
static bool lws_keep_errors;

static void on_lws_log(int level, const char *line)
{
	size_t n = strlen(line);

	while (n && (line[n - 1] == '\n' || line[n - 1] == ' '))
		n--;
	if (lws_keep_errors && (level & LLL_ERR)) {
		snprintf(lws_last_error, sizeof(lws_last_error), "%.*s", (int)n, line);
		return;
	}
	log_debug(NULL, "web.lws", "%s", LQN(line, n)); /* clients cause most of it */
}

/* ---- timers ---- */

static void on_timers_changed(void *arg);

/* A connection killed or an answer finished outside of lws's own turn waits for the next one; a message needs none. */
static void turn_lws(struct server *s)
{
	if (!s->wants_lws_turn)
		return;
	s->wants_lws_turn = false;
	lws_cancel_service(s->context);
}

static void on_tick(uv_timer_t *t)
{
	struct server *s = t->data;

	timers_run(s->timers);
	on_timers_changed(s);
	turn_lws(s);
}

static void on_timers_changed(void *arg)
{
	struct server *s = arg;
	uint64_t us = s->timers ? timers_next_us(s->timers) : UINT64_MAX;

	if (!s->running || us == UINT64_MAX)
		return;
	uv_update_time(&s->loop);
	uv_timer_start(&s->tick, on_tick, us / 1000 + (us % 1000 != 0), 0);
}

static void on_cert_timer(void *arg)
{
	struct server *s = arg;

	if (s->tls)
		web_tls_poll(s->tls);
	timer_start(s->timers, &s->cert_timer, CERT_POLL_MS, on_cert_timer, s);
}

/* ---- from the signalling thread ---- */

static void on_stop_late(void *arg)
{
	struct server *s = arg;

	log_debug(NULL, "web.stop", "conns=%u left", (unsigned)s->n_conns);
	uv_stop(&s->loop);
}

static void begin_stop(struct server *s)
{
	uint64_t ms = (uint64_t)s->config->limits.stop_s * 1000;
	struct le *le = s->conn_list.head;

	s->stopping = true;
	web_listeners_stop(s);
	while (le) {
		struct conn *c = le->data;

		le = le->next;
		if (c->phase == CONN_SOCKET)
			ws_close(c, 1001, "the site is stopping");
		else if (c->phase != CONN_ASKED && c->phase != CONN_SENDING)
			web_conn_kill(c);
	}
	if (!s->n_conns)
		uv_stop(&s->loop);
	else
		timer_start(s->timers, &s->stop_timer, ms > 1000 ? ms - 500 : ms / 2,
			    on_stop_late, s);
}

static void on_cert_news(const char *domain, int64_t until_s, const char *why, void *arg)
{
	struct server *s = arg;
	struct web_up up = {.kind = WEB_CERT};

	up.cert.site = config_site_find(s->config, domain);
	up.cert.until_s = until_s;
	up.cert.why = why ? base_dup(why, strlen(why)) : NULL;
	if (!up.cert.site || mailbox_post(s->up, &up))
		web_up_clear(&up);
}

static void reload(struct server *s)
{
	struct web_up up = {.kind = WEB_RELOADED};

	if (s->tls)
		web_tls_reload(s->tls);
	if (mailbox_post(s->up, &up))
		log_err(NULL, "web.mailbox_full", "kind=%s", web_up_name(up.kind));
}

static void on_down(const void *msg, void *arg)
{
	const struct web_down *down = msg;
	struct web_down mine = *down;
	struct server *s = arg;
	struct conn *c = web_conn_find(s, down->conn);

	switch (down->kind) {
	case WEB_SEND:
		if (c)
			ws_send(c, down->send);
		break;
	case WEB_CLOSE:
		if (c)
			ws_close(c, down->close.code, down->close.why);
		break;
	case WEB_REPLY:
		if (c && !c->over) {
			s->wants_lws_turn = true;
			web_api_answer(c, down->reply);
		}
		break;
	case WEB_IDP_REPLY:
		if (c && !c->over) {
			s->wants_lws_turn = true;
			web_idp_answer(c, down->idp);
		}
		break;
	case WEB_RELOAD:
		reload(s);
		break;
	case WEB_CHAIN:
		web_chain_add(s, &mine.chain);
		break;
	case WEB_STOP:
		begin_stop(s);
		break;
	case WEB_DOWN_N:
		break;
	}
	web_down_clear(&mine);
}

static void wake(void *arg)
{
	const struct server *s = arg;
	uint64_t one = 1;

	(void)!write(s->wake_fd, &one, sizeof(one));
}

static void on_wake(uv_poll_t *poll, int status, int events)
{
	struct server *s = poll->data;
	uint64_t n;

	(void)!read(s->wake_fd, &n, sizeof(n));
	mailbox_drain(s->down, DRAIN_MAX, on_down, s);
	ws_flush(s);
	turn_lws(s);
}

/* ---- the thread ---- */

static void close_context(struct server *s)
{
	struct lws_context *context = s->context;

	mailbox_close(s->down);
	timer_cancel(&s->cert_timer);
	timer_cancel(&s->stop_timer);
	timer_cancel(&s->accept_timer);
	web_listeners_close(s);
	uv_close((uv_handle_t *)&s->wake, NULL);
	uv_close((uv_handle_t *)&s->tick, NULL);
	s->running = false;
	if (context) /* lws closes in the loop, then wants to be told again */
		lws_context_destroy(context);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	if (s->context)
		lws_context_destroy(s->context);
	s->context = NULL;
}

static void *web_thread(void *arg)
{
	struct server *s = arg;
	struct web_up up = {.kind = WEB_STOPPED};

	log_thread_name("web");
	web_listeners_start(s);
	if (s->tls)
		web_tls_listen(s->tls, on_cert_news, s);
	timer_start(s->timers, &s->cert_timer, CERT_POLL_MS, on_cert_timer, s);
	on_timers_changed(s);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	close_context(s);
	while (mailbox_post(s->up, &up) == ENOSPC)
		usleep(10000); /* the signalling thread is still busy with what came before */
	return NULL;
}

/* Room for every connection: lws asks for the limit once, when its context is made. */
static void raise_descriptors(const struct limits *l)
{
	struct rlimit r;
	rlim_t want = l->http_conns + 3 * (rlim_t)l->sip_conns + 4096;

	if (getrlimit(RLIMIT_NOFILE, &r))
		return;
	if (r.rlim_cur >= want && r.rlim_cur <= (1 << 20))
		return;
	r.rlim_cur = want < r.rlim_max ? want : r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

static struct lws_vhost *make_vhost(struct server *s, bool secure)
{
	static const lws_retry_bo_t
		no_pings; /* ours are in ws.c: lws's cost a walk through a list each */
	struct lws_context_creation_info info = {
		/* Two numbers that are no ports: lws picks vhosts by port, and must not mix these two. */
		.port = secure ? CONTEXT_PORT_NO_LISTEN_SERVER : CONTEXT_PORT_NO_LISTEN,
		.vhost_name = secure ? "https" : "http",
		.protocols = web_server_protocols,
		.options = secure ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
					    LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX
				  : 0,
		.alpn = "http/1.1",
		.keepalive_timeout = (int)s->config->limits.http_idle_s,
		.timeout_secs_ah_idle = s->config->limits.http_handshake_s,
		.retry_and_idle_policy = &no_pings,
	};

	return lws_create_vhost(s->context, &info);
}

static int make_context(struct server *s, char **whyp)
{
	void *loops[] = {&s->loop};
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
			   LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
			   LWS_SERVER_OPTION_UV_NO_SIGSEGV_SIGFPE_SPIN |
			   LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS,
		.foreign_loops = loops,
		.pcontext = &s->context,
		.user = s,
		.timeout_secs = s->config->limits.http_handshake_s,
		.max_http_header_data = 8192,
		.pt_serv_buf_size = 16384,
	};

	lws_last_error[0] = '\0';
	lws_keep_errors = true;
	lws_set_log_level(LLL_ERR | LLL_WARN, on_lws_log);
	s->context = lws_create_context(&info);
	if (s->context) {
		s->plain = make_vhost(s, false);
		if (s->tls)
			s->secure = make_vhost(s, true);
	}
	lws_keep_errors = false;
	if (s->context && s->plain && (s->secure || !s->tls))
		return 0;
	if (strstr(lws_last_error, "evlib"))
		re_sdprintf(
			whyp,
			"http: libwebsockets has no libuv plug-in: install the package "
			"libwebsockets-evlib-uv");
	else
		re_sdprintf(whyp, "http: libwebsockets does not start: %s",
			    lws_last_error);
	return EIO;
}

static int make_loop(struct server *s)
{
	if (uv_loop_init(&s->loop))
		return ENOMEM;
	s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (s->wake_fd < 0)
		return errno;
	s->wake.data = s;
	s->tick.data = s;
	if (uv_poll_init(&s->loop, &s->wake, s->wake_fd) ||
	    uv_timer_init(&s->loop, &s->tick) ||
	    uv_poll_start(&s->wake, UV_READABLE, on_wake))
		return ENOMEM;
	s->loop_made = true;
	return 0;
}

static int start_thread(struct server *s)
{
	sigset_t all, old;
	int err;

	s->running = true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are the main thread's */
	err = pthread_create(&s->thread, NULL, web_thread, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		s->running = false;
	else
		s->started = true;
	return err;
}

static bool any_secure(const struct config *config)
{
	for (size_t i = 0; i < config->n_http; i++)
		if (!config->httpv[i].plain)
			return true;
	return false;
}

static void server_destructor(void *arg)
{
	struct server *s = arg;

	if (s->started)
		pthread_join(s->thread, NULL);
	else if (s->loop_made)
		close_context(s);
	list_flush(&s->undelivered);
	while (s->conn_list
		       .head) /* lws has let go of all of them: nothing is left here but by mistake */
		mem_deref(s->conn_list.head->data);
	list_flush(&s->listeners);
	if (s->loop_made)
		uv_loop_close(&s->loop);
	mem_deref(s->files);
	mem_deref(s->idp_rate);
	list_flush(&s->chains);
	mem_deref(s->tls);
	mem_deref(s->conns);
	mem_deref(s->addrs);
	mem_deref(s->timers);
	if (s->down)
		mailbox_free(&s->down);
	if (s->wake_fd >= 0)
		close(s->wake_fd);
}

static int prepare(struct server *s, char **whyp)
{
	int err = hash_alloc(&s->conns, BUCKETS);

	if (!err)
		err = hash_alloc(&s->addrs, BUCKETS);
	if (!err)
		err = timers_alloc(&s->timers, NULL, on_timers_changed, s);
	if (!err)
		err = web_files_alloc(&s->files, s->config->web_root,
				      s->config->idp_root);
	if (!err)
		err = rate_alloc(&s->idp_rate, s->config->limits.idp_rate);
	if (!err)
		err = mailbox_alloc(&s->down, "web", sizeof(struct web_down),
				    DOWN_CAPACITY, web_down_clear, wake, s);
	if (!err && any_secure(s->config))
		err = web_tls_alloc(&s->tls, whyp, s->config);
	for (size_t i = 0; !err && i < s->config->n_http; i++)
		err = web_listener_alloc(s, whyp, &s->config->httpv[i]);
	return err;
}

int web_server_alloc(struct server **sp, char **whyp, const struct config *config,
		     struct mailbox *up)
{
	struct server *s = mem_zalloc(sizeof(*s), server_destructor);
	int err;

	if (!s)
		return ENOMEM;
	s->wake_fd = -1;
	s->config = config;
	s->up = up;
	raise_descriptors(&config->limits);
	err = prepare(s, whyp);
	if (!err)
		err = make_loop(s);
	if (!err)
		err = make_context(s, whyp);
	if (!err)
		err = start_thread(s);
	if (err)
		mem_deref(s);
	else
		*sp = s;
	return err;
}

struct mailbox *web_server_mailbox(struct server *s)
{
	return s->down;
}
