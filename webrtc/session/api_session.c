/* webrtc/session/api_session.c - requests of the HTTP API, answered through gateway/account.h.
 *
 * Signalling thread. Called by webrtc.c with the web thread's messages; asks the accounts, posts replies.
 * The web thread has checked types, sizes and pages that may ask nothing at all (webrtc/http/api.c); here is
 * decided what a sign-in is good for. What is said is in api_words.c. */
#include "gateway/account.h"
#include "webrtc/session/api_session.h"
#include "lib/clock.h"
#include "lib/log.h"

enum { BUCKETS = 256 };

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
	struct provider_wait *provider;
	char session[STORE_SESSION_HEX + 1]; /* of whoever asks */
};

static void asking_destructor(void *arg)
{
	struct asking *a = arg;

	hash_unlink(&a->le);
	mem_deref(a->accounts);
	mem_deref(a->provider);
	mem_deref(a->request);
}

/* Takes over `ice` and `devices`; both may be NULL. */
static void reply_with(struct asking *a, const struct account_answer *answer,
		       struct turn_servers *ice, struct api_devices *devices)
{
	struct api_reply *r = api_reply_new(500);
	struct web_down down = {.kind = WEB_REPLY, .conn = a->conn, .reply = r};

	if (r) {
		api_reply_fill(r, a->request, answer, clock_wall_s(),
			       &a->all->core->config->limits);
		r->ice = ice;
		r->devices = devices;
	} else {
		mem_deref(ice);
		mem_deref(devices);
	}
	/* when even this cannot be said, the web thread's own timer ends the request */
	if (!r || a->all->post_h(&down, a->all->arg))
		log_err(NULL, "api.lost", "request=%s", api_kind_name(a->request->kind));
	mem_deref(a);
}

static void reply(struct asking *a, const struct account_answer *answer)
{
	reply_with(a, answer, NULL, NULL);
}

static void reply_err(struct asking *a, int err)
{
	struct account_answer answer = {.err = err};

	reply(a, &answer);
}

static void on_answer(const struct account_answer *answer, void *arg)
{
	reply(arg, answer);
}

static void reply_ice(struct asking *a, const struct account_answer *who)
{
	struct turn_servers *servers = NULL;
	int err = turn_servers_alloc(&servers, a->all->core->turn, &who->user,
				     clock_wall_s());

	if (err)
		reply_err(a, err);
	else
		reply_with(a, who, servers, NULL);
}

/* ---- a code for the site's own identity provider ---- */

static void on_code(struct provider_answer *from, void *arg)
{
	struct asking *a = arg;
	struct api_reply *r = api_reply_new(from ? from->status : 503);
	struct web_down down = {.kind = WEB_REPLY, .conn = a->conn, .reply = r};

	if (r && from) {
		r->error = from->error;
		snprintf(r->text, sizeof(r->text), "%s", from->text);
		r->retry_s = from->retry_s;
		memcpy(r->code, from->code, sizeof(r->code));
		provider_domain(r->idp, a->site->config, a->request->place.tls,
				a->request->place.port);
	} else if (r) {
		r->error = "busy";
	}
	if (!r || a->all->post_h(&down, a->all->arg))
		log_err(NULL, "api.lost", "request=%s", api_kind_name(a->request->kind));
	mem_deref(from);
	mem_deref(a);
}

static void ask_code(struct asking *a, const struct addr *user)
{
	const struct core *core = a->all->core;
	struct provider_request *r = provider_request_new(PROVIDER_SITE_CODE);
	int err = ENOMEM;

	if (!core->provider || !a->site->config->idp) {
		mem_deref(r);
		reply_err(a, EOPNOTSUPP);
		return;
	}
	if (r) {
		r->site = a->site->config;
		r->user = base_dup(user->user, strlen(user->user));
		r->origin = base_dup(a->request->origin.text,
				     strlen(a->request->origin.text));
		r->challenge =
			base_dup(a->request->challenge, strlen(a->request->challenge));
	}
	if (r && r->user && r->origin && r->challenge)
		err = core->provider->ask(core->provider_arg, &a->provider, r, on_code,
					  a);
	else
		mem_deref(r);
	if (err)
		reply_err(a, err);
}

/* ---- the sign-ins of a person ---- */

/* What is connected now says best what it is called. */
static bool online_one(struct device *d, void *arg)
{
	struct api_device *one = arg;

	if (strcmp(d->session, one->sign_in.session) != 0)
		return false;
	one->n_online++;
	if (d->name[0])
		snprintf(one->sign_in.device.name, sizeof(one->sign_in.device.name), "%s",
			 d->name);
	return false;
}

static void on_sign_ins(const struct account_answer *answer, void *arg)
{
	struct asking *a = arg;
	struct api_devices *devices;

	if (answer->err) {
		reply(a, answer);
		return;
	}
	devices = mem_zalloc(sizeof(*devices) + answer->n_signs * sizeof(devices->v[0]),
			     NULL);
	if (!devices) {
		reply_err(a, ENOMEM);
		return;
	}
	devices->n = answer->n_signs;
	for (size_t i = 0; i < devices->n; i++) {
		struct api_device *one = &devices->v[i];

		one->sign_in = answer->signs[i];
		one->current = !strcmp(one->sign_in.session, a->session);
		registry_each(a->all->core->registry, &answer->user, online_one, one);
	}
	reply_with(a, answer, NULL, devices);
}

/* ---- first who, then what ---- */

/* Whoever shows a good sign-in comes here, with one that is good for this. */
static int act(struct asking *a, const struct addr *user)
{
	struct account_service *as = a->all->core->accounts;
	const struct api_request *q = a->request;

	switch (q->kind) {
	case API_LOGOUT:
		return account_logout(&a->accounts, as, a->site, q->token, on_answer, a);
	case API_PASSWD:
		return account_passwd(&a->accounts, as, a->site, user, q->password,
				      q->new_password, q->token, &q->from, on_answer, a);
	case API_DEVICES:
		return account_sign_ins(&a->accounts, as, a->site, user, on_sign_ins, a);
	case API_DEVICE_END:
		return account_end(&a->accounts, as, a->site, user, q->session, q->token,
				   on_answer, a);
	case API_OTHERS_END:
		return account_end(&a->accounts, as, a->site, user, NULL, q->token,
				   on_answer, a);
	case API_DELETE:
		return account_delete(&a->accounts, as, a->site, user, q->password,
				      &q->from, on_answer, a);
	case API_CONNECT:
		return account_grant(&a->accounts, as, a->site, q->token, q->page,
				     on_answer, a);
	case API_RULES:
		return account_ring(&a->accounts, as, user, NULL, on_answer, a);
	case API_RULES_SET:
		return account_ring_set(&a->accounts, as, user, q->ring, q->relay,
					on_answer, a);
	case API_WHOAMI:
	case API_ICE:
	case API_IDP_CODE:
	case API_LOGIN:
	case API_REGISTER:
	case API_KIND_N:
		break;
	}
	return EINVAL;
}

/* 0, or the error that says why this sign-in does not do. */
static int judge(const struct api_request *q, const char *bound)
{
	bool calls = q->kind == API_WHOAMI || q->kind == API_ICE || q->kind == API_LOGOUT;

	if (!web_origin_fits(&q->origin, bound))
		return EXDEV;
	if (*bound && !calls)
		return EPERM;
	if (q->kind == API_CONNECT && !web_origin_is_one(q->page))
		return EINVAL;
	return 0;
}

static void on_who(const struct account_answer *answer, void *arg)
{
	struct asking *a = arg;
	struct addr user = answer->user;
	int err = answer->err ? 0 : judge(a->request, answer->origin);

	if (answer->err == EACCES || answer->err == ENOENT)
		a->request->kind =
			API_WHOAMI; /* not signed in, rather than a wrong password */
	if (answer->err) {
		reply(a, answer);
	} else if (err) {
		reply_err(a, err);
	} else if (a->request->kind == API_WHOAMI) {
		reply(a, answer);
	} else if (a->request->kind == API_ICE) {
		reply_ice(a, answer);
	} else if (a->request->kind == API_IDP_CODE) {
		ask_code(a, &user);
	} else {
		memcpy(a->session, answer->session, sizeof(a->session));
		a->accounts = mem_deref(a->accounts); /* the answer was in it */
		if (act(a, &user))
			reply_err(a, ENOMEM);
	}
}

static int ask(struct asking *a)
{
	struct account_service *as = a->all->core->accounts;
	const struct api_request *q = a->request;
	struct account_from from = {.sa = q->from};

	if (q->kind != API_LOGIN && q->kind != API_REGISTER)
		return account_authenticate(&a->accounts, as, a->site, q->token, on_who,
					    a);
	addr_name_clean(from.device.name, sizeof(from.device.name),
			q->device ? q->device : "", q->device ? strlen(q->device) : 0);
	memcpy(from.device.agent, q->agent, sizeof(from.device.agent));
	if (q->kind == API_LOGIN)
		return account_login(&a->accounts, as, a->site, q->user, q->password,
				     strlen(q->password), &from, on_answer, a);
	return account_register(&a->accounts, as, a->site, q->user, q->password,
				strlen(q->password), &from, on_answer, a);
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
