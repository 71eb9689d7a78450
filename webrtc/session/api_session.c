/* webrtc/session/api_session.c - requests of the HTTP API, answered through gateway/account.h.
 *
 * Signalling thread. Called by webrtc.c with the web thread's messages; asks the accounts, posts replies.
 * The web thread has checked Origin, types and sizes already (webrtc/http/api.c). A wrong name, a wrong
 * password and a name that does not exist are one and the same answer. */
#include "gateway/account.h"
#include "webrtc/session/api_session.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/secret.h"

enum { BUCKETS = 256, BUSY_RETRY_S = 2 };

struct api_sessions {
	struct core *core;
	struct hash *asked; /* struct asking, by connection id */
	session_post_h *post_h;
	void *arg;
};

struct asking {
	struct le le;
	struct api_sessions *all;
	uint64_t conn;
	struct api_request *request;
	const struct site *site;
	struct account_request *accounts;
};

static void asking_destructor(void *arg)
{
	struct asking *a = arg;

	hash_unlink(&a->le);
	mem_deref(a->accounts);
	mem_deref(a->request);
}

static void say(struct api_reply *r, unsigned status, const char *error, const char *text,
		uint32_t retry_s)
{
	r->status = status;
	r->error = error;
	r->retry_s = retry_s;
	snprintf(r->text, sizeof(r->text), "%s", text);
}

/* Which words EACCES and EINVAL deserve depends on what was asked. */
static void say_denied(struct api_reply *r, enum api_kind kind)
{
	switch (kind) {
	case API_LOGIN:
		say(r, 401, "bad-login", "Name or password is wrong.", 0);
		break;
	case API_PASSWD:
		say(r, 403, "bad-login", "The old password is wrong.", 0);
		break;
	case API_WHOAMI:
	case API_LOGOUT:
	case API_REGISTER:
	case API_ICE:
	case API_KIND_N:
		say(r, 401, "not-signed-in", "Please sign in.", 0);
		break;
	}
}

static void say_error(struct api_reply *r, enum api_kind kind,
		      const struct account_answer *answer)
{
	switch (answer->err) {
	case EACCES:
	case ENOENT:
		say_denied(r, kind);
		break;
	case EAGAIN:
		say(r, 429, "too-soon",
		    "Too many failed tries. Please wait, then try again.",
		    answer->retry_s ? answer->retry_s : 1);
		break;
	case EEXIST:
		say(r, 409, "exists", "That name is taken.", 0);
		break;
	case EPERM:
		say(r, 403, "forbidden", "This site is not open to registration.", 0);
		break;
	case EINVAL:
		if (kind == API_LOGIN) /* no such name can exist: the same answer */
			say_denied(r, kind);
		else
			say(r, 400, "bad-message",
			    "A name has letters, digits and . _ + -, a password 8 to 256 bytes.",
			    0);
		break;
	case ENOSPC:
	case EBUSY:
		say(r, 503, "busy", "The site is busy. Please try again.",
		    answer->retry_s ? answer->retry_s : BUSY_RETRY_S);
		break;
	default:
		say(r, 503, "internal", "That did not work. It is not your fault.",
		    BUSY_RETRY_S);
		break;
	}
}

void api_reply_fill(struct api_reply *r, const struct api_request *request,
		    const struct account_answer *answer, int64_t now_s,
		    uint32_t session_days)
{
	if (answer->err) {
		say_error(r, request->kind, answer);
		if (r->status == 401 && request->kind != API_LOGIN)
			r->cookie_clear = true;
		return;
	}
	switch (request->kind) {
	case API_LOGIN:
	case API_REGISTER:
		r->status = request->kind == API_LOGIN ? 200 : 201;
		addr_text(r->user, &answer->user);
		r->expires_s = now_s + (int64_t)session_days * 86400;
		memcpy(r->token, answer->token, sizeof(r->token));
		r->bearer = request->bearer;
		break;
	case API_WHOAMI:
		r->status = 200;
		addr_text(r->user, &answer->user);
		break;
	case API_LOGOUT:
		r->status = 204;
		r->cookie_clear = true;
		break;
	case API_PASSWD:
		r->status = 204;
		break;
	case API_ICE: /* what it brings comes from the core */
		r->status = 200;
		break;
	case API_KIND_N:
		break;
	}
}

/* `ice` is taken over; may be NULL. */
static void reply_with(struct asking *a, const struct account_answer *answer,
		       struct turn_servers *ice)
{
	struct api_reply *r = api_reply_new(500);
	struct web_down down = {.kind = WEB_REPLY, .conn = a->conn, .reply = r};

	if (r)
		api_reply_fill(r, a->request, answer, clock_wall_s(),
			       a->all->core->config->limits.session_days);
	if (r)
		r->ice = ice;
	else
		mem_deref(ice);
	/* when even this cannot be said, the web thread's own timer ends the request */
	if (!r || a->all->post_h(&down, a->all->arg))
		log_err(NULL, "api.lost", "request=%s", api_kind_name(a->request->kind));
	mem_deref(a);
}

static void reply(struct asking *a, const struct account_answer *answer)
{
	reply_with(a, answer, NULL);
}

/* Only whoever is signed in comes here. */
static void on_ice(const struct account_answer *answer, void *arg)
{
	struct asking *a = arg;
	struct turn_servers *servers = NULL;
	struct account_answer mine = *answer;

	if (!mine.err)
		mine.err = turn_servers_alloc(&servers, a->all->core->turn, &answer->user,
					      clock_wall_s());
	reply_with(a, &mine, servers);
	secret_wipe(mine.token, sizeof(mine.token));
}

static void on_answer(const struct account_answer *answer, void *arg)
{
	reply(arg, answer);
}

/* The old password may be used only by whoever holds a sign-in of that account: first who, then change. */
static void on_who(const struct account_answer *answer, void *arg)
{
	struct asking *a = arg;
	struct account_answer failed = {.err = ENOMEM};
	struct api_request *q = a->request;
	struct addr user;

	if (answer->err == EACCES || answer->err == ENOENT) {
		q->kind = API_WHOAMI; /* not signed in, rather than a wrong password */
		reply(a, answer);
		return;
	}
	if (answer->err) {
		reply(a, answer);
		return;
	}
	user = answer->user;
	a->accounts = mem_deref(a->accounts); /* the answer was in it */
	if (account_passwd(&a->accounts, a->all->core->accounts, a->site, &user,
			   q->password, q->new_password, q->token, &q->from, on_answer,
			   a))
		reply(a, &failed);
}

static int ask(struct asking *a)
{
	struct account_service *as = a->all->core->accounts;
	const struct api_request *q = a->request;

	switch (q->kind) {
	case API_WHOAMI:
		return account_authenticate(&a->accounts, as, a->site, q->token,
					    on_answer, a);
	case API_ICE:
		return account_authenticate(&a->accounts, as, a->site, q->token, on_ice,
					    a);
	case API_LOGIN:
		return account_login(&a->accounts, as, a->site, q->user, q->password,
				     strlen(q->password), &q->from, on_answer, a);
	case API_LOGOUT:
		return account_logout(&a->accounts, as, a->site, q->token, on_answer, a);
	case API_PASSWD:
		return account_authenticate(&a->accounts, as, a->site, q->token, on_who,
					    a);
	case API_REGISTER:
		return account_register(&a->accounts, as, a->site, q->user, q->password,
					strlen(q->password), &q->from, on_answer, a);
	case API_KIND_N:
		break;
	}
	return EINVAL;
}

static bool conn_is(struct le *le, void *arg)
{
	const struct asking *a = le->data;

	return a->conn == *(const uint64_t *)arg;
}

/* The site's name may come with the user's, as people type it. */
static void strip_site(struct api_request *q)
{
	char *at = q->user ? strchr(q->user, '@') : NULL;
	char host[ADDR_HOST_MAX + 1];

	if (at && !addr_host_parse(host, at + 1, strlen(at + 1)) &&
	    !strcmp(host, q->site->domain))
		*at = '\0';
}

static void begin(struct api_sessions *all, uint64_t conn, struct api_request *q)
{
	struct account_answer failed = {.err = ENOMEM};
	struct asking *a = mem_zalloc(sizeof(*a), asking_destructor);

	if (!a)
		return;
	a->all = all;
	a->conn = conn;
	a->request = mem_ref(q);
	a->site = core_site_find(all->core, q->site->domain);
	hash_append(all->asked, (uint32_t)conn, &a->le, a);
	strip_site(q);
	log_debug(NULL, "api.request", "request=%s site=%s", api_kind_name(q->kind),
		  q->site->domain);
	if (!a->site || ask(a))
		reply(a, &failed);
}

void api_sessions_take(struct api_sessions *all, const struct web_up *msg)
{
	struct web_up mine = *msg;
	uint64_t conn = msg->conn;

	if (msg->kind == WEB_API)
		begin(all, conn, msg->api);
	else if (msg->kind == WEB_API_GONE)
		mem_deref(list_ledata(
			hash_lookup(all->asked, (uint32_t)conn, conn_is, &conn)));
	web_up_clear(&mine);
}

static void api_sessions_destructor(void *arg)
{
	struct api_sessions *a = arg;

	hash_flush(a->asked);
	mem_deref(a->asked);
}

int api_sessions_alloc(struct api_sessions **ap, struct core *core,
		       session_post_h *post_h, void *arg)
{
	struct api_sessions *a = mem_zalloc(sizeof(*a), api_sessions_destructor);

	if (!a)
		return ENOMEM;
	a->core = core;
	a->post_h = post_h;
	a->arg = arg;
	if (hash_alloc(&a->asked, BUCKETS)) {
		mem_deref(a);
		return ENOMEM;
	}
	*ap = a;
	return 0;
}
