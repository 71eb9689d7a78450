/* webrtc/webrtc.c - the door of the browser room: the web thread on one side, browsers and API requests on
 * the other, a mailbox each way between them.
 *
 * Signalling thread. Called by main.c; this file receives struct web_up and hands each to session.c or
 * api_session.c. The end is a handshake: WEB_STOP, then WEB_STOPPED, with a timer. */
#include "webrtc/webrtc.h"
#include "gateway/certs.h"
#include "lib/log.h"
#include "webrtc/http/server.h"
#include "webrtc/session/api_session.h"
#include "webrtc/session/idp_session.h"
#include "webrtc/session/session.h"

enum { UP_CAPACITY = 65536, LATE_MS = 1000 };

struct webrtc {
	struct core *core;
	struct loop_mailbox *up;
	struct server *server;
	struct sessions *sessions;
	struct api_sessions *api;
	struct idp_sessions *idp;
	struct timer stop_timer;
	void (*stop_h)(void *arg);
	void *stop_arg;
	bool stopped;
};

static int post(struct web_down *msg, void *arg)
{
	struct webrtc *w = arg;

	return mailbox_post_or_clear(web_server_mailbox(w->server), msg);
}

static void ended(struct webrtc *w)
{
	void (*h)(void *arg) = w->stop_h;

	timer_cancel(&w->stop_timer);
	w->stopped = true;
	w->stop_h = NULL;
	if (h)
		h(w->stop_arg);
}

static void on_up(const void *msg, void *arg)
{
	const struct web_up *up = msg;
	struct web_up mine = *up;
	struct webrtc *w = arg;

	switch (up->kind) {
	case WEB_OPENED:
	case WEB_CLIENT:
	case WEB_CLOSED:
		sessions_take(w->sessions, up);
		break;
	case WEB_API:
		api_sessions_take(w->api, up);
		break;
	case WEB_IDP:
		idp_sessions_take(w->idp, up);
		break;
	case WEB_API_GONE:
		api_sessions_take(w->api, up);
		idp_sessions_take(w->idp, up);
		break;
	case WEB_CERT:
		certs_news(w->core->certs, up->cert.site->domain, up->cert.until_s,
			   up->cert.why);
		web_up_clear(&mine);
		break;
	case WEB_RELOADED:
		certs_reloaded(w->core->certs, NULL);
		break;
	case WEB_STOPPED:
		ended(w);
		break;
	case WEB_UP_N:
		break;
	}
}

static int reload(void *arg)
{
	struct web_down down = {.kind = WEB_RELOAD};

	return post(&down, arg);
}

void webrtc_publish(struct webrtc *w, const char *site, const char *name,
		    const char *text)
{
	struct web_down down = {.kind = WEB_CHAIN};

	down.chain = (struct web_chain){base_dup(site, strlen(site)),
					base_dup(name, strlen(name)),
					base_dup(text, strlen(text))};
	if (!down.chain.site || !down.chain.name || !down.chain.text) {
		web_down_clear(&down);
		log_err(NULL, "web.memory", "%s", "");
	} else if (post(&down, w)) {
		log_err(NULL, "web.mailbox_full", "kind=%s", web_down_name(WEB_CHAIN));
	}
}

static void webrtc_destructor(void *arg)
{
	struct webrtc *w = arg;
	struct web_down stop = {.kind = WEB_STOP};

	timer_cancel(&w->stop_timer);
	if (w->server && !w->stopped)
		post(&stop, w);
	mem_deref(w->sessions);
	mem_deref(w->api);
	mem_deref(w->idp);
	if (w->up)
		mailbox_close(loop_mailbox(
			w->up)); /* the thread must not wait for room in it */
	mem_deref(w->server);    /* joins the thread */
	mem_deref(w->up);
}

int webrtc_alloc(struct webrtc **wp, char **whyp, struct core *core)
{
	struct webrtc *w = mem_zalloc(sizeof(*w), webrtc_destructor);
	int err;

	if (!w)
		return ENOMEM;
	w->core = core;
	err = loop_mailbox_alloc(&w->up, core->loop, "sig-web", sizeof(struct web_up),
				 UP_CAPACITY, web_up_clear, on_up, w);
	if (!err)
		err = sessions_alloc(&w->sessions, core, post, w);
	if (!err)
		err = api_sessions_alloc(&w->api, core, post, w);
	if (!err)
		err = idp_sessions_alloc(&w->idp, core, post, w);
	if (!err)
		err = web_server_alloc(&w->server, whyp, core->config,
				       loop_mailbox(w->up));
	if (err) {
		mem_deref(w);
		return err;
	}
	core_queue_show(core, loop_mailbox(w->up));
	core_queue_show(core, web_server_mailbox(w->server));
	certs_room_add(core->certs, reload, w);
	*wp = w;
	return 0;
}

static void on_stop_late(void *arg)
{
	struct webrtc *w = arg;

	log_err(NULL, "web.stop", "the web thread has not ended in time");
	ended(w);
}

static void begin_stop(void *arg)
{
	struct webrtc *w = arg;
	struct web_down stop = {.kind = WEB_STOP};

	/* after the goodbyes of the browsers, which go out in the loop's turn that is just over */
	if (post(&stop, w) == ENOSPC)
		timer_start(w->core->loop->timers, &w->stop_timer, 20, begin_stop, w);
	else
		timer_start(w->core->loop->timers, &w->stop_timer,
			    (uint64_t)w->core->config->limits.stop_s * 1000 + LATE_MS,
			    on_stop_late, w);
}

void webrtc_stop(struct webrtc *w, void (*h)(void *arg), void *arg)
{
	w->stop_h = h;
	w->stop_arg = arg;
	sessions_stop(w->sessions);
	if (timer_start(w->core->loop->timers, &w->stop_timer, 0, begin_stop, w))
		begin_stop(w);
}
