/* webrtc/session/session.c - connection id to browser, and session to browser: where the web thread's messages
 * find theirs, and where one that comes back finds itself.
 *
 * Signalling thread. Called by webrtc.c; makes a struct browser for each WebSocket and passes on what it
 * says. Late messages for a connection that is gone already find nobody, and that is all. */
#include "webrtc/session/session.h"

enum { BUCKETS = 4096, PAST_N = 256, RETRY_MS = 100 };

/* A connection that could not be told yet to close. */
struct closing {
	struct le le;
	uint64_t conn;
	uint16_t code;
	const char *why;
};

struct sessions {
	struct core *core;
	struct hash *browsers; /* by connection id */
	struct hash
		*by_name; /* those that may be resumed, by session; connected or away */
	session_post_h *post_h;
	void *arg;
	struct list ending; /* they have ended, and no connection holds them */
	struct list closings;
	struct timer closings_timer;
	struct {
		char session[WEB_SESSION_HEX + 1];
		const char *why;
	} pastv[PAST_N];
	unsigned n_past;
	bool stopping;
};

int sessions_post(struct sessions *s, struct web_down *msg)
{
	return s->post_h(msg, s->arg);
}

/* ---- closing ---- */

static int close_now(struct sessions *s, uint64_t conn, uint16_t code, const char *why)
{
	struct web_down down = {.kind = WEB_CLOSE, .conn = conn};

	down.close.code = code;
	down.close.why = why;
	return sessions_post(s, &down);
}

static void closing_destructor(void *arg)
{
	struct closing *c = arg;

	list_unlink(&c->le);
}

static void on_closings(void *arg)
{
	struct sessions *s = arg;

	while (s->closings.head) {
		struct closing *c = s->closings.head->data;

		if (close_now(s, c->conn, c->code, c->why) == ENOSPC) {
			timer_start(s->core->loop->timers, &s->closings_timer, RETRY_MS,
				    on_closings, s);
			return;
		}
		mem_deref(c);
	}
}

void sessions_close(struct sessions *s, uint64_t conn, uint16_t code, const char *why)
{
	struct closing *c;

	if (close_now(s, conn, code, why) != ENOSPC)
		return;
	c = mem_zalloc(sizeof(*c), closing_destructor);
	if (!c)
		return; /* the web thread's own pings will end it one day */
	c->conn = conn;
	c->code = code;
	c->why = why;
	list_append(&s->closings, &c->le, c);
	if (!timer_running(&s->closings_timer))
		timer_start(s->core->loop->timers, &s->closings_timer, RETRY_MS,
			    on_closings, s);
}

/* ---- finding ---- */

static bool conn_is(struct le *le, void *arg)
{
	return browser_conn(le->data) == *(const uint64_t *)arg;
}

static struct browser *find(const struct sessions *s, uint64_t conn)
{
	return list_ledata(hash_lookup(s->browsers, (uint32_t)conn, conn_is, &conn));
}

void sessions_carry(struct sessions *s, struct browser *b, uint64_t conn)
{
	hash_unlink(browser_le(b));
	browser_conn_set(b, conn);
	if (conn)
		hash_append(s->browsers, (uint32_t)conn, browser_le(b), b);
}

static bool name_is(struct le *le, void *arg)
{
	return !strcmp(browser_session(le->data), arg);
}

void sessions_enlist(struct sessions *s, struct browser *b)
{
	hash_append(s->by_name, hash_joaat_str(browser_session(b)), browser_le_session(b),
		    b);
}

struct browser *sessions_resumable(const struct sessions *s, const char *session)
{
	return list_ledata(hash_lookup(s->by_name, hash_joaat_str(session), name_is,
				       (void *)session));
}

void sessions_past(struct sessions *s, struct browser *b, const char *why)
{
	bool listed = browser_le_session(b)->list != NULL;
	unsigned i;

	hash_unlink(browser_le_session(b));
	if (!browser_conn(b) && !browser_le(b)->list)
		list_append(&s->ending, browser_le(b), b);
	if (!listed || !why)
		return;
	i = s->n_past++ % PAST_N;
	snprintf(s->pastv[i].session, sizeof(s->pastv[i].session), "%s",
		 browser_session(b));
	s->pastv[i].why = why;
}

const char *sessions_fate(const struct sessions *s, const char *session)
{
	for (unsigned i = 0; i < PAST_N; i++)
		if (!strcmp(s->pastv[i].session, session))
			return s->pastv[i].why;
	return "unknown";
}

/* ---- the web thread's messages ---- */

static void opened(struct sessions *s, const struct web_up *msg)
{
	const struct site *site = core_site_find(s->core, msg->opened.site->domain);
	struct browser *b;

	if (!site ||
	    browser_alloc(&b, s, s->core, msg->conn, site, &msg->opened.from,
			  msg->opened.token, &msg->opened.origin, &msg->opened.place))
		sessions_close(s, msg->conn, 1013, "the site is overloaded");
	else if (s->stopping)
		browser_bye(b, DEVICE_SHUTDOWN);
}

void sessions_take(struct sessions *s, const struct web_up *msg)
{
	struct browser *b = find(s, msg->conn);
	struct web_up mine = *msg;

	switch (msg->kind) {
	case WEB_OPENED:
		if (!b)
			opened(s, msg);
		break;
	case WEB_CLIENT:
		if (b)
			browser_take(b, msg->client);
		break;
	case WEB_CLOSED:
		if (b)
			browser_closed(b,
				       s->stopping ? WEB_LEFT_GOODBYE : msg->closed.left);
		break;
	case WEB_API:
	case WEB_IDP:
	case WEB_API_GONE:
	case WEB_CERT:
	case WEB_RELOADED:
	case WEB_STOPPED:
	case WEB_UP_N:
		break;
	}
	web_up_clear(&mine);
}

/* ---- all of them ---- */

static bool stop_one(struct le *le, void *arg)
{
	browser_bye(le->data, DEVICE_SHUTDOWN);
	return false;
}

void sessions_stop(struct sessions *s)
{
	s->stopping = true;
	hash_apply(s->browsers, stop_one, NULL);
	hash_apply(s->by_name, stop_one, NULL); /* those that are away */
}

static bool count_one(struct le *le, void *arg)
{
	++*(size_t *)arg;
	return false;
}

static bool count_away(struct le *le, void *arg)
{
	*(size_t *)arg += !browser_conn(le->data);
	return false;
}

size_t sessions_count(const struct sessions *s)
{
	size_t n = 0;

	hash_apply(s->browsers, count_one, &n);
	hash_apply(s->by_name, count_away, &n);
	return n;
}

static void sessions_destructor(void *arg)
{
	struct sessions *s = arg;

	timer_cancel(&s->closings_timer);
	list_flush(&s->closings);
	list_flush(&s->ending);
	if (s->browsers)
		hash_flush(s->browsers);
	if (s->by_name)
		hash_flush(s->by_name); /* those that are away: the others have left it */
	mem_deref(s->browsers);
	mem_deref(s->by_name);
}

int sessions_alloc(struct sessions **sp, struct core *core, session_post_h *post_h,
		   void *arg)
{
	struct sessions *s = mem_zalloc(sizeof(*s), sessions_destructor);

	if (!s)
		return ENOMEM;
	s->core = core;
	s->post_h = post_h;
	s->arg = arg;
	if (hash_alloc(&s->browsers, BUCKETS) || hash_alloc(&s->by_name, BUCKETS)) {
		mem_deref(s);
		return ENOMEM;
	}
	*sp = s;
	return 0;
}
