/* webrtc/session/browser.c - one browser from its hello to its goodbye.
 *
 * Signalling thread. Called by session.c with what it says, by the registry with goodbyes; calls the
 * accounts (who is it), the registry (it is online) and browser_call.c (what it asks about calls).
 * docs/protocol.md, "Signing in". */
#include "webrtc/session/browser.h"
#include "gateway/account.h"
#include "gateway/call.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "webrtc/session/address.h"
#include "webrtc/session/browser_call.h"
#include "webrtc/session/session_fsm.h"

enum { RETRY_MS = 100 };

struct browser {
	struct device device; /* first: it is what the registry and the core know of us */
	struct le le;         /* in session.c's table, which it leaves when it is freed */
	struct core *core;
	session_post_h *post_h;
	void *arg;
	uint64_t conn;
	enum browser_state state;
	const struct site *site;
	char cookie[STORE_TOKEN_HEX + 1];
	uint32_t hello_id;
	bool brought_token; /* in the hello; else the cookie counts */
	struct account_request *request;
	struct timer late;  /* NEW, ASKING */
	struct timer sweep; /* ENDED: the rest of the work, outside of whoever ended it */
	uint16_t close_code; /* still to be sent */
	const char *close_why;
	uint64_t seq;
	struct browser_calls *calls;
};

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
};

/* The one place where the state changes; gives what is to be done. */
static enum browser_action browser_step(struct browser *b, enum browser_event event)
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
	mem_deref(b->request);
	mem_deref(b->calls);
	registry_remove(b->core->registry, &b->device);
	hash_unlink(&b->le);
	secret_wipe(b->cookie, sizeof(b->cookie));
}

/* ---- sending ---- */

/* Tells the web thread to close it, again and again until there is room for that; then frees it. */
static void on_sweep(void *arg)
{
	struct browser *b = arg;
	struct web_down down = {.kind = WEB_CLOSE, .conn = b->conn};

	registry_remove(b->core->registry, &b->device);
	browser_calls_lose(b->calls);
	down.close.code = b->close_code;
	down.close.why = b->close_why;
	if (b->close_code && b->post_h(&down, b->arg) == ENOSPC &&
	    !timer_start(b->core->loop->timers, &b->sweep, RETRY_MS, on_sweep, b))
		return;
	mem_deref(b);
}

static void close_soon(struct browser *b, uint16_t code, const char *why)
{
	timer_cancel(&b->late);
	b->close_code = code;
	b->close_why = why;
	timer_start(b->core->loop->timers, &b->sweep, 0, on_sweep, b);
}

void browser_send(struct browser *b, struct server_msg *m)
{
	struct web_down down = {.kind = WEB_SEND, .conn = b->conn, .send = m};
	int err = ENOMEM;

	if (b->state == BROWSER_ENDED) {
		mem_deref(m);
		return;
	}
	if (m) {
		if (m->kind != SERVER_OK && m->kind != SERVER_WELCOME &&
		    m->kind != SERVER_ERROR)
			m->seq = ++b->seq;
		log_trace(NULL, "web.send", "device=%s type=%s call=%s", b->device.id,
			  server_kind_name(m->kind), m->call);
		err = b->post_h(&down, b->arg);
	}
	if (err) {
		static struct log_gate gate;

		if (log_gate_open(&gate, 5))
			log_err(NULL, "web.lost", "device=%s err=%d", b->device.id, err);
		if (browser_step(b, BROWSER_BROKEN) == BROWSER_DO_BREAK)
			close_soon(b, 1013, "the site is overloaded");
	}
}

void browser_ok(struct browser *b, uint32_t id)
{
	struct server_msg *m = server_msg_new(SERVER_OK);

	if (m)
		m->id = id;
	browser_send(b, m);
}

static void send_error(struct browser *b, uint32_t id, enum web_error code,
		       uint32_t retry_s, const char *text)
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
	send_error(b, id, code, 0, text);
}

/* ---- signing in ---- */

static void do_enter(struct browser *b, const struct account_answer *answer)
{
	const struct limits *l = &b->core->config->limits;
	struct server_msg *m;

	timer_cancel(&b->late);
	b->device.user = answer->user;
	memcpy(b->device.session, answer->session, sizeof(b->device.session));
	b->device.since_us = clock_us();
	if (registry_add(b->core->registry, &b->device)) {
		browser_error(b, b->hello_id, ERROR_LIMIT,
			      "at most %u devices of one user can be online",
			      (unsigned)l->devices_per_user);
		b->device.ops->bye(&b->device.ep, DEVICE_TOO_MANY);
		return;
	}
	m = server_msg_new(SERVER_WELCOME);
	if (m) {
		m->id = b->hello_id;
		addr_text(m->welcome.user, &b->device.user);
		snprintf(m->welcome.site, sizeof(m->welcome.site), "%s", b->site->domain);
		snprintf(m->welcome.device, sizeof(m->welcome.device), "%s",
			 b->device.id);
		m->welcome.ping_s = l->ws_ping_s;
		m->welcome.sdp_bytes = l->sdp_bytes;
		m->welcome.message_bytes = l->ws_message_bytes;
	}
	browser_send(b, m);
	log_info(NULL, "device.online", "device=%s user=%s name=%s from=%s", b->device.id,
		 AT_SHORT(&b->device.user), LQ(b->device.name), b->device.address);
	if (b->state == BROWSER_ONLINE)
		call_device_online(b->core, &b->device);
}

static void do_deny(struct browser *b, const struct account_answer *answer)
{
	switch (answer->err) {
	case EACCES:
	case ENOENT:
		send_error(b, b->hello_id,
			   b->brought_token ? ERROR_BAD_LOGIN : ERROR_NOT_SIGNED_IN, 0,
			   "please sign in");
		break;
	case EAGAIN:
		send_error(b, b->hello_id, ERROR_TOO_SOON, answer->retry_s,
			   "too many tries; please wait");
		break;
	case ENOSPC:
	case EBUSY:
		send_error(b, b->hello_id, ERROR_TOO_SOON,
			   answer->retry_s ? answer->retry_s : 2,
			   "the site is busy; please try again");
		break;
	default:
		send_error(b, b->hello_id, ERROR_INTERNAL, 0,
			   "the sign-in could not be checked");
		break;
	}
}

static void on_authenticated(const struct account_answer *answer, void *arg)
{
	struct browser *b = arg;
	struct account_request *asked = b->request; /* the answer is in it */
	enum browser_action action;

	b->request = NULL;
	action = browser_step(b, answer->err ? BROWSER_DENIED : BROWSER_GRANTED);
	if (action == BROWSER_DO_ENTER)
		do_enter(b, answer);
	else if (action == BROWSER_DO_DENY)
		do_deny(b, answer);
	mem_deref(asked);
}

static void do_ask(struct browser *b, const struct client_msg *m)
{
	const char *token = m->token ? m->token : b->cookie;
	struct account_answer denied = {.err = EACCES};

	b->hello_id = m->id;
	b->brought_token = m->token != NULL;
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

/* ---- the end ---- */

static void on_late(void *arg)
{
	if (browser_step(arg, BROWSER_LATE) == BROWSER_DO_CLOSE_LATE)
		close_soon(arg, 1008, "no hello in time");
}

/* device_ops.bye: may come from inside the registry's walk or the accounts, so nothing is freed here. */
static void on_bye(struct endpoint *ep, enum device_bye why)
{
	struct browser *b = browser_of(ep);
	struct server_msg *m;

	if (b->state == BROWSER_ENDED)
		return;
	m = server_msg_new(SERVER_BYE);
	if (m) {
		m->bye.reason = byes[why].reason;
		snprintf(m->bye.text, sizeof(m->bye.text), "%s", byes[why].text);
		browser_send(b, m);
	}
	log_info(NULL, "device.bye", "device=%s why=%s", b->device.id, byes[why].reason);
	if (browser_step(b, BROWSER_BYE) == BROWSER_DO_SAY_BYE)
		close_soon(b, byes[why].code, byes[why].reason);
}

static const struct endpoint_ops endpoint_ops = {.leg_alloc = browser_leg_alloc};
static const struct device_ops device_ops = {.bye = on_bye};

/* ---- for session.c ---- */

int browser_alloc(struct browser **bp, struct core *core, uint64_t conn,
		  const struct site *site, const struct sa *from, const char *cookie,
		  session_post_h *post_h, void *arg)
{
	struct browser *b = mem_zalloc(sizeof(*b), browser_destructor);
	int err;

	if (!b)
		return ENOMEM;
	b->core = core;
	b->conn = conn;
	b->site = site;
	b->post_h = post_h;
	b->arg = arg;
	b->device.ep.ops = &endpoint_ops;
	b->device.ops = &device_ops;
	b->device.id[0] = 'd';
	b->device.id[1] = '-';
	secret_hex(b->device.id + 2, 16);
	web_address_short(b->device.address, from);
	snprintf(b->cookie, sizeof(b->cookie), "%s", cookie);
	err = browser_calls_alloc(&b->calls, b);
	if (!err)
		err = timer_start(core->loop->timers, &b->late,
				  (uint64_t)core->config->limits.ws_auth_s * 1000,
				  on_late, b);
	if (err)
		mem_deref(b);
	else
		*bp = b;
	return err;
}

void browser_take(struct browser *b, const struct client_msg *m)
{
	log_trace(NULL, "web.recv", "device=%s type=%s call=%s id=%u", b->device.id,
		  client_kind_name(m->kind), m->call, (unsigned)m->id);
	switch (browser_step(b,
			     m->kind == CLIENT_HELLO ? BROWSER_HELLO : BROWSER_REQUEST)) {
	case BROWSER_DO_ASK:
		do_ask(b, m);
		break;
	case BROWSER_DO_SERVE:
		browser_calls_request(b->calls, m);
		break;
	case BROWSER_DO_REFUSE_STATE:
		browser_error(b, m->id, ERROR_BAD_STATE, "`hello` was said already");
		break;
	case BROWSER_DO_REFUSE_ANON:
		browser_error(b, m->id, ERROR_NOT_SIGNED_IN, "say `hello` first");
		break;
	case BROWSER_DO_NOTHING: /* ENDED: nobody listens any more */
	case BROWSER_DO_ENTER:   /* these belong to other events */
	case BROWSER_DO_DENY:
	case BROWSER_DO_CLOSE_LATE:
	case BROWSER_DO_SAY_BYE:
	case BROWSER_DO_BREAK:
	case BROWSER_DO_FORGET:
	case BROWSER_ACTION_N:
		break;
	}
}

void browser_closed(struct browser *b)
{
	if (b->device.registered)
		log_info(NULL, "device.offline", "device=%s user=%s", b->device.id,
			 AT_SHORT(&b->device.user));
	browser_step(b, BROWSER_CLOSED);
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

struct le *browser_le(struct browser *b)
{
	return &b->le;
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
	return b->state == BROWSER_ONLINE;
}

struct browser_calls *browser_calls(const struct browser *b)
{
	return b->calls;
}

struct browser *browser_of(struct endpoint *ep)
{
	return (struct browser *)ep;
}
