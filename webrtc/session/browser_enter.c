/* webrtc/session/browser_enter.c - a browser's hello: who is it, and does it begin a session or come back to one?
 *
 * Signalling thread. Called by browser.c; asks the accounts, enters the registry, or hands the connection to
 * the session that waits for it. A session's name opens nothing by itself: cookie or token must be good, and
 * of the same user at the same site. docs/protocol.md, "Signing in" and "Losing the connection". */
#include "gateway/call.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "webrtc/session/browser_call.h"
#include "webrtc/session/browser_own.h"
#include "webrtc/session/session.h"

static struct server_msg *welcome_new(const struct browser *b)
{
	const struct limits *l = &b->core->config->limits;
	struct server_msg *m = server_msg_new(SERVER_WELCOME);

	if (!m)
		return NULL;
	m->id = b->hello_id;
	addr_text(m->welcome.user, &b->device.user);
	snprintf(m->welcome.site, sizeof(m->welcome.site), "%s", b->site->domain);
	snprintf(m->welcome.device, sizeof(m->welcome.device), "%s", b->device.id);
	if (b->core->echo && b->site->config->echo)
		snprintf(m->welcome.echo, sizeof(m->welcome.echo), "%s@%s",
			 b->site->config->echo, b->site->domain);
	if (b->core->provider && b->site->config->idp)
		provider_domain(m->welcome.idp, b->site->config, b->place.tls,
				b->place.port);
	m->welcome.ping_s = l->ws_ping_s;
	m->welcome.sdp_bytes = l->sdp_bytes;
	m->welcome.message_bytes = l->ws_message_bytes;
	if (b->replay) {
		memcpy(m->welcome.session, b->session, sizeof(m->welcome.session));
		m->welcome.linger_s = l->session_linger_s;
	}
	return m;
}

/* ---- a new session ---- */

/* From now on it can be resumed, if its client wants that and the site grants it. */
static void make_resumable(struct browser *b)
{
	const struct limits *l = &b->core->config->limits;

	b->session[0] = '\0';
	if (!b->resumable || !l->session_linger_s ||
	    replay_alloc(&b->replay, l->session_queue_bytes))
		return;
	secret_hex(b->session, WEB_SESSION_HEX);
	sessions_enlist(b->sessions, b);
}

static void enter(struct browser *b, const struct account_answer *answer)
{
	const char *forgotten =
		b->session[0] ? sessions_fate(b->sessions, b->session) : NULL;
	struct server_msg *m;

	timer_cancel(&b->late);
	b->device.user = answer->user;
	mem_deref(b->bound);
	b->bound = answer->origin[0] ? base_dup(answer->origin, strlen(answer->origin))
				     : NULL;
	memcpy(b->device.session, answer->session, sizeof(b->device.session));
	b->device.since_us = clock_us();
	if (registry_add(b->core->registry, &b->device)) {
		browser_error(b, b->hello_id, ERROR_LIMIT,
			      "at most %u devices of one user can be online",
			      (unsigned)b->core->config->limits.devices_per_user);
		b->device.ops->bye(&b->device.ep, DEVICE_TOO_MANY);
		return;
	}
	make_resumable(b);
	m = welcome_new(b);
	if (m)
		m->welcome.forgotten = forgotten;
	browser_send(b, m);
	log_info(NULL, "device.online", "device=%s user=%s name=%s from=%s", b->device.id,
		 AT_SHORT(&b->device.user), LQ(b->device.name), b->device.address);
	if (b->state == BROWSER_ONLINE) {
		call_device_online(b->core, &b->device);
		browser_elsewhere_soon(b);
	}
}

/* ---- coming back ---- */

static int replay_one(struct server_msg *copy, void *arg)
{
	return browser_post(arg, copy);
}

/* `from` has shown who it is; `b` goes on over its connection. */
static void hand_over(struct browser *from, struct browser *b,
		      const struct account_answer *answer)
{
	uint64_t conn = from->conn, old = b->conn;
	struct server_msg *m;

	sessions_carry(from->sessions, from, 0);
	browser_end_soon(from, 0, NULL);
	if (browser_step(b, BROWSER_BACK) != BROWSER_DO_RESUME) {
		sessions_close(b->sessions, conn, 1013, "the site is overloaded");
		return;
	}
	timer_cancel(&b->late);
	sessions_carry(b->sessions, b, conn);
	b->place = from->place;
	if (old)
		sessions_close(b->sessions, old, WEB_CLOSE_TAKEN_OVER,
			       "the session goes on in another connection");
	b->hello_id = from->hello_id;
	b->device.away = false;
	browser_calls_changed(b);
	memcpy(b->device.session, answer->session, sizeof(b->device.session));
	memcpy(b->device.address, from->device.address, sizeof(b->device.address));
	replay_ack(b->replay, from->seen);
	log_info(NULL, "device.resumed", "device=%s user=%s from=%s bytes=%zu%s",
		 b->device.id, AT_SHORT(&b->device.user), b->device.address,
		 replay_bytes(b->replay), old ? " took over" : "");
	m = welcome_new(b);
	if (m)
		m->welcome.resumed = true;
	browser_send(b, m);
	/* what could not be copied comes when it returns once more */
	if (b->state == BROWSER_ONLINE && replay_each(b->replay, replay_one, b) &&
	    b->state == BROWSER_ONLINE)
		browser_cut(b);
}

/* The session that `b` asks for, if it is there and this user's own. */
static struct browser *asked_for(const struct browser *b,
				 const struct account_answer *answer)
{
	struct browser *s =
		b->session[0] ? sessions_resumable(b->sessions, b->session) : NULL;

	if (!s || s == b || s->site != b->site ||
	    !addr_equal(&s->device.user, &answer->user) ||
	    strcmp(s->bound ? s->bound : "", answer->origin) != 0)
		return NULL;
	return s;
}

/* ---- the accounts' answer ---- */

static void deny(struct browser *b, const struct account_answer *answer)
{
	switch (answer->err) {
	case EACCES:
	case ENOENT:
		browser_refuse(b, b->hello_id,
			       b->brought_token ? ERROR_BAD_LOGIN : ERROR_NOT_SIGNED_IN,
			       0, "please sign in");
		break;
	case EAGAIN:
		browser_refuse(b, b->hello_id, ERROR_TOO_SOON, answer->retry_s,
			       "too many tries; please wait");
		break;
	case ENOSPC:
	case EBUSY:
		browser_refuse(b, b->hello_id, ERROR_TOO_SOON,
			       answer->retry_s ? answer->retry_s : 2,
			       "the site is busy; please try again");
		break;
	default:
		browser_refuse(b, b->hello_id, ERROR_INTERNAL, 0,
			       "the sign-in could not be checked");
		break;
	}
}

static void on_authenticated(const struct account_answer *answer, void *arg)
{
	static const struct account_answer elsewhere = {.err = EACCES};
	static const struct web_origin own = {.foreign = false};
	struct browser *b = arg, *session = NULL;
	struct account_request *asked = b->request; /* the answer is in it */
	enum browser_event event = BROWSER_DENIED;
	int ahead = 0;

	b->request = NULL;
	if (!answer->err &&
	    !web_origin_fits(b->origin ? b->origin : &own, answer->origin))
		answer = &elsewhere; /* it was given to another page */
	if (!answer->err) {
		session = asked_for(b, answer);
		ahead = session ? replay_can(session->replay, b->seen) : 0;
		event = ahead     ? BROWSER_DENIED
			: session ? BROWSER_RESUMES
				  : BROWSER_GRANTED;
	}
	switch (browser_step(b, event)) {
	case BROWSER_DO_ENTER:
		enter(b, answer);
		break;
	case BROWSER_DO_HAND_OVER:
		if (session) /* always: BROWSER_RESUMES says that there is one */
			hand_over(b, session, answer);
		break;
	case BROWSER_DO_DENY:
		if (ahead)
			browser_error(b, b->hello_id, ERROR_BAD_MESSAGE,
				      "`seq` is %s in that session",
				      ahead == ERANGE
					      ? "higher than any"
					      : "lower than what was acknowledged");
		else
			deny(b, answer);
		break;
	default:
		break;
	}
	mem_deref(asked);
}

void browser_ask(struct browser *b, const struct client_msg *m)
{
	const char *token = m->token ? m->token : b->cookie;
	struct account_answer denied = {.err = EACCES};

	b->hello_id = m->id;
	b->brought_token = m->token != NULL;
	b->resumable = m->resumable;
	b->elsewhere = m->elsewhere;
	mem_deref(b->held);
	b->held = mem_ref(m->held);
	memcpy(b->session, m->session, sizeof(b->session));
	b->seen = m->seq;
	addr_name_clean(b->device.name, sizeof(b->device.name), m->name ? m->name : "",
			m->name ? strlen(m->name) : 0);
	if (strlen(token) != STORE_TOKEN_HEX) {
		on_authenticated(&denied, b);
		return;
	}
	if (account_authenticate(&b->request, b->core->accounts, b->site, token,
				 on_authenticated, b)) {
		denied.err = ENOMEM;
		on_authenticated(&denied, b);
	}
}
