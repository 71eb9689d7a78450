/* webrtc/session/session.c - connection id to browser: where the web thread's messages find theirs.
 *
 * Signalling thread. Called by webrtc.c; makes a struct browser for each WebSocket and passes on what it
 * says. Late messages for a connection that is gone already find nobody, and that is all. */
#include "webrtc/session/session.h"

enum { BUCKETS = 4096 };

struct sessions {
	struct core *core;
	struct hash *browsers; /* by connection id */
	session_post_h *post_h;
	void *arg;
	bool stopping;
};

static bool conn_is(struct le *le, void *arg)
{
	return browser_conn(le->data) == *(const uint64_t *)arg;
}

static struct browser *find(const struct sessions *s, uint64_t conn)
{
	return list_ledata(hash_lookup(s->browsers, (uint32_t)conn, conn_is, &conn));
}

static void opened(struct sessions *s, const struct web_up *msg)
{
	struct web_down down = {.kind = WEB_CLOSE, .conn = msg->conn};
	const struct site *site = core_site_find(s->core, msg->opened.site->domain);
	struct browser *b;

	if (!site || browser_alloc(&b, s->core, msg->conn, site, &msg->opened.from,
				   msg->opened.token, s->post_h, s->arg)) {
		down.close.code = 1013;
		down.close.why = "the site is overloaded";
		s->post_h(&down, s->arg);
		return;
	}
	hash_append(s->browsers, (uint32_t)msg->conn, browser_le(b), b);
	if (s->stopping)
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
			browser_closed(b);
		break;
	case WEB_API:
	case WEB_API_GONE:
	case WEB_STOPPED:
	case WEB_UP_N:
		break;
	}
	web_up_clear(&mine);
}

static bool stop_one(struct le *le, void *arg)
{
	browser_bye(le->data, DEVICE_SHUTDOWN);
	return false;
}

void sessions_stop(struct sessions *s)
{
	s->stopping = true;
	hash_apply(s->browsers, stop_one, NULL);
}

static bool count_one(struct le *le, void *arg)
{
	++*(size_t *)arg;
	return false;
}

size_t sessions_count(const struct sessions *s)
{
	size_t n = 0;

	hash_apply(s->browsers, count_one, &n);
	return n;
}

static void sessions_destructor(void *arg)
{
	struct sessions *s = arg;

	hash_flush(s->browsers);
	mem_deref(s->browsers);
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
	if (hash_alloc(&s->browsers, BUCKETS)) {
		mem_deref(s);
		return ENOMEM;
	}
	*sp = s;
	return 0;
}
