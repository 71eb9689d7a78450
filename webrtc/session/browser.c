/* webrtc/session/browser.c - the session of one browser: what it says, what it is told, its loss and its end.
 *
 * Signalling thread. Called by session.c with what it says, by the registry with goodbyes; calls
 * browser_enter.c (hello), browser_call.c (what it asks about calls) and replay.c (what it may have missed).
 * docs/protocol.md, "Signing in" and "Losing the connection". */
#include "gateway/call.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "webrtc/session/address.h"
#include "webrtc/session/browser_call.h"
#include "webrtc/session/browser_own.h"
#include "webrtc/session/session.h"

static const struct {
	const char *reason, *text;
	uint16_t code;
} byes[] = {
	[DEVICE_SIGNED_OUT] = {"signed-out", "You have signed out.", 1000},
	[DEVICE_REMOVED] = {"removed", "This account has been removed.", 1000},
	[DEVICE_PASSWORD] = {"password",
			     "The password was changed; please sign in again.", 1000},
	[DEVICE_SHUTDOWN] = {"shutdown", "The site is stopping.", 1001},
	[DEVICE_TOO_MANY] = {"too-many", "You are signed in on too many devices.", 1008},
	[DEVICE_BEHIND] = {"behind", "This device does not acknowledge what it is told.",
			   1008},
};

enum browser_action browser_step(struct browser *b, enum browser_event event)
{
	enum browser_action action;
	enum browser_state next = browser_next(b->state, event, &action);

	if (next != b->state)
		log_debug(NULL, "browser.state", "conn=%llu %s -> %s on %s",
			  (unsigned long long)b->conn, browser_state_name(b->state),
			  browser_state_name(next), browser_event_name(event));
	b->state = next;
	return action;
}

static void browser_destructor(void *arg)
{
	struct browser *b = arg;

	timer_cancel(&b->late);
	timer_cancel(&b->sweep);
	timer_cancel(&b->news);
	mem_deref(b->request);
	mem_deref(b->calls);
	mem_deref(b->origin);
	mem_deref(b->bound);
	mem_deref(b->replay);
	mem_deref(b->held);
	registry_remove(b->core->registry, &b->device);
	hash_unlink(&b->le);
	hash_unlink(&b->le_session);
	secret_wipe(b->cookie, sizeof(b->cookie));
	secret_wipe(b->session, sizeof(b->session));
}

/* ---- sending ---- */

/* What is left to do when it has ended, outside of whoever ended it. */
static void on_sweep(void *arg)
{
	struct browser *b = arg;

	registry_remove(b->core->registry, &b->device);
	browser_calls_lose(b->calls);
	if (b->close_code)
		sessions_close(b->sessions, b->conn, b->close_code, b->close_why);
	mem_deref(b);
}

void browser_end_soon(struct browser *b, uint16_t code, const char *why)
{
	timer_cancel(&b->late);
	b->close_code = code;
	b->close_why = why;
	sessions_past(b->sessions, b, b->fate);
	timer_start(b->core->loop->timers, &b->sweep, 0, on_sweep, b);
}

/* The connection is no good any more: the session waits `for_s` seconds for another one. */
static void linger(struct browser *b, uint32_t for_s)
{
	sessions_carry(b->sessions, b, 0);
	b->device.away = true;
	browser_calls_changed(b);
	log_info(NULL, "device.away", "device=%s user=%s for=%us", b->device.id,
		 AT_SHORT(&b->device.user), (unsigned)for_s);
	if (timer_start(b->core->loop->timers, &b->late, (uint64_t)for_s * 1000,
			browser_late, b) &&
	    browser_step(b, BROWSER_BROKEN) == BROWSER_DO_QUIT)
		browser_end_soon(b, 0, NULL);
}

/* Something for it is lost for good. */
static void broken(struct browser *b)
{
	if (browser_step(b, BROWSER_BROKEN) != BROWSER_DO_NOTHING)
		browser_end_soon(b, b->conn ? 1013 : 0, "the site is overloaded");
}

void browser_cut(struct browser *b)
{
	uint64_t conn = b->conn;

	if (browser_step(b, BROWSER_CUT) != BROWSER_DO_LINGER)
		return;
	linger(b, b->core->config->limits.session_linger_s);
	sessions_close(b->sessions, conn, 1013, "the site is overloaded");
}

int browser_post(struct browser *b, struct server_msg *m)
{
	struct web_down down = {.kind = WEB_SEND, .conn = b->conn, .send = m};
	static struct log_gate gate;
	int err;

	log_trace(NULL, "web.send", "device=%s type=%s call=%s", b->device.id,
		  server_kind_name(m->kind), m->call);
	err = sessions_post(b->sessions, &down);
	if (!err)
		return 0;
	if (log_gate_open(&gate, 5))
		log_err(NULL, "web.lost", "device=%s err=%d", b->device.id, err);
	if (b->replay)
		browser_cut(b); /* it is kept, and comes when the browser is back */
	else
		broken(b);
	return err;
}

/* Keeps what must not be lost. Errors: ENOMEM; ENOSPC. */
static int keep(struct browser *b, struct server_msg *m)
{
	if (m->kind == SERVER_WELCOME)
		return 0;
	if (!b->replay) {
		if (server_msg_is_event(m))
			m->seq = ++b->seq;
		return 0;
	}
	if (server_msg_is_event(m))
		return replay_event(b->replay, m);
	return b->serving == m->id ? replay_answer(b->replay, m) : 0;
}

void browser_send(struct browser *b, struct server_msg *m)
{
	bool last = m && m->kind == SERVER_BYE;
	int err;

	if (b->state == BROWSER_ENDED) {
		mem_deref(m);
		return;
	}
	err = m ? keep(b, m) : ENOMEM;
	if (m && b->state != BROWSER_AWAY)
		browser_post(b, m);
	else
		mem_deref(m);
	if (err == ENOMEM)
		broken(b);
	else if (err && !last)
		browser_bye(b, DEVICE_BEHIND);
}

void browser_ok(struct browser *b, uint32_t id)
{
	struct server_msg *m = server_msg_new(SERVER_OK);

	if (m)
		m->id = id;
	browser_send(b, m);
}

void browser_refuse(struct browser *b, uint32_t id, enum web_error code, uint32_t retry_s,
		    const char *text)
{
	struct server_msg *m = server_msg_new(SERVER_ERROR);

	if (m) {
		m->id = id;
		m->error.code = code;
		m->error.retry_s = retry_s;
		snprintf(m->error.text, sizeof(m->error.text), "%s", text);
	}
	browser_send(b, m);
}

void browser_error(struct browser *b, uint32_t id, enum web_error code, const char *fmt,
		   ...)
{
	char text[WEB_TEXT_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	browser_refuse(b, id, code, 0, text);
}

/* ---- the end ---- */

void browser_late(void *arg)
{
	struct browser *b = arg;

	switch (browser_step(b, BROWSER_LATE)) {
	case BROWSER_DO_CLOSE_LATE:
		browser_end_soon(b, 1008, "no hello in time");
		break;
	case BROWSER_DO_EXPIRE:
		log_info(NULL, "device.offline", "device=%s user=%s why=expired",
			 b->device.id, AT_SHORT(&b->device.user));
		b->fate = "expired";
		browser_end_soon(b, 0, NULL);
		break;
	default:
		break;
	}
}

/* device_ops.bye: may come from inside the registry's walk or the accounts, so nothing is freed here. */
static void on_bye(struct endpoint *ep, enum device_bye why)
{
	struct browser *b = browser_of(ep);
	struct server_msg *m;

	if (b->state == BROWSER_ENDED)
		return;
	b->fate = byes[why].reason;
	if (b->state != BROWSER_AWAY) {
		m = server_msg_new(SERVER_BYE);
		if (m) {
			m->bye.reason = byes[why].reason;
			snprintf(m->bye.text, sizeof(m->bye.text), "%s", byes[why].text);
			browser_send(b, m);
		}
	}
	log_info(NULL, "device.bye", "device=%s why=%s", b->device.id, byes[why].reason);
	switch (browser_step(b, BROWSER_BYE)) {
	case BROWSER_DO_SAY_BYE:
		browser_end_soon(b, byes[why].code, byes[why].reason);
		break;
	case BROWSER_DO_QUIT:
		browser_end_soon(b, 0, NULL);
		break;
	default: /* ENDED meanwhile */
		break;
	}
}

static const struct endpoint_ops endpoint_ops = {.leg_alloc = browser_leg_alloc};

const char *browser_held(const struct browser *b, const char *id)
{
	for (size_t i = 0; b->held && i < b->held->n; i++)
		if (!strcmp(b->held->v[i].id, id))
			return b->held->v[i].call;
	return NULL;
}

static bool on_holds(const struct endpoint *ep, const char *id)
{
	return browser_held((const struct browser *)ep, id) != NULL;
}

static const struct device_ops device_ops = {.bye = on_bye, .holds = on_holds};

/* ---- for session.c ---- */

int browser_alloc(struct browser **bp, struct sessions *all, struct core *core,
		  uint64_t conn, const struct site *site, const struct sa *from,
		  const char *cookie, const struct web_origin *origin,
		  const struct web_place *place)
{
	struct browser *b = mem_zalloc(sizeof(*b), browser_destructor);
	int err;

	if (!b)
		return ENOMEM;
	b->sessions = all;
	b->core = core;
	b->site = site;
	b->place = *place;
	b->device.ep.ops = &endpoint_ops;
	b->device.ops = &device_ops;
	b->device.id[0] = 'd';
	b->device.id[1] = '-';
	secret_hex(b->device.id + 2, 16);
	web_address_short(b->device.address, from);
	snprintf(b->cookie, sizeof(b->cookie), "%s", cookie);
	err = browser_calls_alloc(&b->calls, b);
	/* most come from the site's own pages: no need to keep that */
	if (!err && (origin->foreign || origin->text[0])) {
		b->origin = mem_alloc(sizeof(*b->origin), NULL);
		if (b->origin)
			*b->origin = *origin;
		else
			err = ENOMEM;
	}
	if (!err)
		err = timer_start(core->loop->timers, &b->late,
				  (uint64_t)core->config->limits.ws_auth_s * 1000,
				  browser_late, b);
	if (err) {
		mem_deref(b);
		return err;
	}
	sessions_carry(all, b, conn);
	*bp = b;
	return 0;
}

/* Carries out a request, if this is the first time that it comes. */
static void serve(struct browser *b, const struct client_msg *m)
{
	struct server_msg *answer = NULL;

	if (!b->replay || m->kind == CLIENT_PING) { /* a ping does no harm twice */
		browser_calls_request(b->calls, m);
		return;
	}
	switch (replay_request(b->replay, m->id, &answer)) {
	case REPLAY_FRESH:
		b->serving = m->id;
		browser_calls_request(b->calls, m);
		b->serving = 0;
		break;
	case REPLAY_ANSWERED:
		if (answer)
			browser_post(b, answer);
		else
			broken(b);
		break;
	case REPLAY_FORGOTTEN:
		browser_error(
			b, m->id, ERROR_REPLAYED,
			"`id` is of a request that came before; this had no effect");
		break;
	}
}

/* Gives whether the message may go on. */
static bool acknowledge(struct browser *b, const struct client_msg *m)
{
	if (!m->ack || (b->replay ? !replay_ack(b->replay, m->ack) : m->ack <= b->seq))
		return true;
	browser_error(b, m->id, ERROR_BAD_MESSAGE,
		      "`ack` is higher than any `seq` that was sent");
	return false;
}

void browser_take(struct browser *b, const struct client_msg *m)
{
	log_trace(NULL, "web.recv", "device=%s type=%s call=%s id=%u", b->device.id,
		  client_kind_name(m->kind), m->call, (unsigned)m->id);
	switch (browser_step(b,
			     m->kind == CLIENT_HELLO ? BROWSER_HELLO : BROWSER_REQUEST)) {
	case BROWSER_DO_ASK:
		browser_ask(b, m);
		break;
	case BROWSER_DO_SERVE:
		if (acknowledge(b, m))
			serve(b, m);
		break;
	case BROWSER_DO_REFUSE_STATE:
		browser_error(b, m->id, ERROR_BAD_STATE, "`hello` was said already");
		break;
	case BROWSER_DO_REFUSE_ANON:
		browser_error(b, m->id, ERROR_NOT_SIGNED_IN, "say `hello` first");
		break;
	default: /* ENDED: nobody listens any more */
		break;
	}
}

static bool in_talk(const struct browser *b)
{
	struct web_ongoings talks = {.n = 0};

	browser_calls_show(b->calls, &talks);
	return talks.n > 0;
}

void browser_closed(struct browser *b, enum web_left left)
{
	const struct limits *l = &b->core->config->limits;
	uint32_t for_s = left == WEB_LEFT_GOODBYE ? 0 : l->session_linger_s;

	if (left == WEB_LEFT_RELOADS && !in_talk(b))
		for_s = 0;
	else if (left == WEB_LEFT_RELOADS && l->reload_linger_s < for_s)
		for_s = l->reload_linger_s;
	if (browser_step(b, b->replay && for_s ? BROWSER_CUT : BROWSER_CLOSED) ==
	    BROWSER_DO_LINGER) {
		linger(b, for_s);
		return;
	}
	if (b->device.registered)
		log_info(NULL, "device.offline", "device=%s user=%s", b->device.id,
			 AT_SHORT(&b->device.user));
	sessions_past(b->sessions, b, b->fate ? b->fate : "closed");
	registry_remove(b->core->registry, &b->device);
	browser_calls_lose(b->calls);
	mem_deref(b);
}

void browser_bye(struct browser *b, enum device_bye why)
{
	on_bye(&b->device.ep, why);
}

uint64_t browser_conn(const struct browser *b)
{
	return b->conn;
}

void browser_conn_set(struct browser *b, uint64_t conn)
{
	b->conn = conn;
}

const char *browser_session(const struct browser *b)
{
	return b->session;
}

struct le *browser_le(struct browser *b)
{
	return &b->le;
}

struct le *browser_le_session(struct browser *b)
{
	return &b->le_session;
}

/* ---- for browser_call.c and browser_leg.c ---- */

struct core *browser_core(const struct browser *b)
{
	return b->core;
}

const struct device *browser_device(const struct browser *b)
{
	return &b->device;
}

bool browser_online(const struct browser *b)
{
	return b->state == BROWSER_ONLINE || b->state == BROWSER_AWAY;
}

struct browser_calls *browser_calls(const struct browser *b)
{
	return b->calls;
}

struct browser *browser_of(struct endpoint *ep)
{
	return (struct browser *)ep;
}
