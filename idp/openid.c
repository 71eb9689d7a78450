/* idp/openid.c - see openid.h. The openid thread: one loop around libcurl's multi interface and a mailbox; asks providers,
 * judges what they answer. Called by provider.c; calls openid_work.c, openid_token.c, fetch.c. */
#include "idp/openid_own.h"

#include <pthread.h>
#include <signal.h>

#include "idp/fetch.h"
#include "idp/oauth.h"
#include "lib/clock.h"
#include "lib/log.h"

enum {
	POLL_MS = 1000,
	BATCH = 64,
	FETCH_MS = 5000,    /* one request to a provider */
	META_KEPT_S = 3600, /* configuration and keys, unless it says less */
	META_KEPT_MIN_S = 60,
	FAILED_S = 10,     /* no new try so soon */
	KEYS_FRESH_S = 10, /* a key that is not among these is not there */
};

struct openid {
	const struct config *config;
	struct mailbox *jobs, *results;
	struct fetcher *fetcher;
	struct store *store;
	struct secret_mac *key;
	struct openid_provider *providerv; /* as config->openidv */
	struct list turns;
	bool stop, started;
	pthread_t tid;
};

static struct openid_desk desk_of(struct openid *o)
{
	return (struct openid_desk){.config = o->config,
				    .store = o->store,
				    .key = o->key,
				    .providerv = o->providerv,
				    .now_s = clock_wall_s()};
}

/* ---- a turn ---- */

static void turn_destructor(void *arg)
{
	struct openid_turn *t = arg;

	list_unlink(&t->le);
	mem_deref(t->r);
	mem_deref(t->code);
	mem_deref(t->id_token);
	mem_deref(t->access_token);
	secret_wipe(t->cookie, sizeof(t->cookie));
	secret_wipe(&t->flow, sizeof(t->flow));
}

static void say(struct openid *o, uint32_t id, struct provider_answer *a)
{
	struct desk_result r = {.id = id, .answer = a, .elsewhere = true};

	/* There is room for all that is under way (provider.c). */
	(void)mailbox_post_or_clear(o->results, &r);
}

static void finish(struct openid_turn *t, struct provider_answer *a)
{
	say(t->o, t->id, a);
	mem_deref(t);
}

static void give_up(struct openid_turn *t, const char *what, const char *why)
{
	static struct log_gate gate;

	if (log_gate_open(&gate, 10))
		log_warn(NULL, "openid.provider", "provider=%s what=%s why=%s",
			 t->provider->config->name, what, LQ(why));
	finish(t, openid_fail(t, "provider"));
}

static void ask(struct openid_turn *t, const char *what, struct fetch_request *r,
		fetch_h *h)
{
	r->trust = t->provider->config->trust;
	if (fetch_send(t->o->fetcher, r, h, t))
		give_up(t, what, "out of memory");
}

/* All that have waited for the same go on, or give up. None of them asks for it once more. */
static void wake_all(struct openid_turn *first, void (*next)(struct openid_turn *t),
		     const char *what, const char *why)
{
	const struct openid_provider *p = first->provider;
	enum openid_needs needs = first->waits;

	for (struct le *le = first->o->turns.head, *after; le; le = after) {
		struct openid_turn *t = le->data;

		after = le->next;
		if (t->provider != p || t->waits != needs)
			continue;
		t->waits = OPENID_GOES;
		if (next)
			next(t);
		else
			give_up(t, what, why);
	}
}

static uint64_t kept_until(const struct fetch_result *r)
{
	uint32_t s = r->max_age_s;

	if (!s || s > META_KEPT_S)
		s = META_KEPT_S;
	if (s < META_KEPT_MIN_S)
		s = META_KEPT_MIN_S;
	return clock_us() + s * 1000000ull;
}

/* ---- who the person is ---- */

static void come_back(struct openid_turn *t)
{
	struct openid_desk d = desk_of(t->o);

	finish(t, openid_come_back(&d, t));
}

/* What it does not say is missing, that is all. */
static void on_userinfo(const struct fetch_result *r, void *arg)
{
	struct openid_turn *t = arg;

	if (r->err || openid_userinfo_add(&t->person, r->p, r->n))
		log_info(NULL, "openid.userinfo", "provider=%s why=%s",
			 t->provider->config->name,
			 LQ(r->err ? r->why : "it is about somebody else"));
	come_back(t);
}

static void userinfo(struct openid_turn *t)
{
	struct fetch_request r = {.url = t->provider->meta.userinfo,
				  .bearer = t->access_token,
				  .accept = "application/json"};

	if (!t->access_token || !*r.url || (*t->person.name && *t->person.email))
		come_back(t);
	else
		ask(t, "userinfo", &r, on_userinfo);
}

/* ---- who the person is, by OAuth 2.0 alone ---- */

/* Nothing else says who it is. */
static void on_document(const struct fetch_result *r, void *arg)
{
	struct openid_turn *t = arg;
	const char *why = r->why;

	if (r->err || oauth_person_parse(&t->person, &why, &t->provider->config->service,
					 r->p, r->n))
		give_up(t, "userinfo", why);
	else
		come_back(t);
}

static void document_ask(struct openid_turn *t, const struct fetch_result *answer)
{
	struct fetch_request r = {.url = t->provider->meta.userinfo,
				  .accept = "application/json"};
	char why[OAUTH_WHY_MAX + 1];

	if (oauth_token_parse(&t->access_token, why, answer->p, answer->n)) {
		give_up(t, "token", why);
		return;
	}
	r.bearer = t->access_token;
	ask(t, "userinfo", &r, on_document);
}

/* ---- its keys ---- */

static void keys_need(struct openid_turn *t);

static void token_judge(struct openid_turn *t)
{
	struct openid_provider *p = t->provider;
	struct openid_expect expect = {.issuer = p->config->issuer,
				       .client_id = p->config->client_id,
				       .nonce = t->flow.nonce,
				       .now_s = clock_wall_s()};
	const char *why = "";
	int err = openid_token_check(&t->person, &why, p->keys, t->id_token, &expect);

	if (err == ENOENT && !t->renewed &&
	    clock_us() - p->keys_at_us > KEYS_FRESH_S * 1000000ull) {
		p->keys = mem_deref(p->keys); /* it may have new ones */
		keys_need(t);
	} else if (err) {
		give_up(t, "token", why);
	} else {
		userinfo(t);
	}
}

static void on_keys(const struct fetch_result *r, void *arg)
{
	struct openid_turn *t = arg;
	struct openid_keys *keys = NULL;
	const char *why = r->why;

	t->provider->keys_come = false;
	if (r->err || openid_keys_parse(&keys, &why, r->p, r->n)) {
		t->provider->failed_us = clock_us();
		wake_all(t, NULL, "keys", why);
		return;
	}
	mem_deref(t->provider->keys);
	t->provider->keys = keys;
	t->provider->keys_at_us = clock_us();
	wake_all(t, token_judge, "keys", NULL);
}

static void keys_need(struct openid_turn *t)
{
	struct openid_provider *p = t->provider;
	struct fetch_request r = {.url = p->meta.keys, .accept = "application/json"};

	if (p->keys && clock_us() - p->keys_at_us < META_KEPT_S * 1000000ull) {
		token_judge(t);
		return;
	}
	t->renewed = true;
	t->waits = OPENID_NEEDS_KEYS;
	if (p->keys_come)
		return;
	r.trust = p->config->trust;
	p->keys_come = !fetch_send(t->o->fetcher, &r, on_keys, t);
	if (!p->keys_come)
		give_up(t, "keys", "out of memory");
}

/* ---- the code for a token ---- */

static void on_tokens(const struct fetch_result *r, void *arg)
{
	struct openid_turn *t = arg;
	const char *why = r->why;
	char said[200];

	/* RFC 6749 §5.2: what is wrong with us, for the operator. */
	if (r->err && r->status && r->n) {
		snprintf(said, sizeof(said), "%s: %.*s", r->why,
			 (int)(r->n < 100 ? r->n : 100), (const char *)r->p);
		why = said;
	}
	if (!r->err && t->provider->config->service.token)
		document_ask(t, r);
	else if (r->err ||
		 openid_tokens_parse(&t->id_token, &t->access_token, &why, r->p, r->n))
		give_up(t, "token", why);
	else
		keys_need(t);
}

/* RFC 6749 §2.3.1: both halves are encoded as in a form first. */
static bool basic_of(char *text, size_t size, const struct openid_config *c)
{
	char user[1024] = "", password[1024] = "";
	bool fits = flow_query_add(user, sizeof(user), "", c->client_id) &&
		    flow_query_add(password, sizeof(password), "", c->client_secret);

	fits = fits &&
	       (size_t)snprintf(text, size, "%s:%s", user + 2, password + 2) < size;
	secret_wipe(password, sizeof(password));
	return fits;
}

static void token_ask(struct openid_turn *t)
{
	const struct openid_provider *p = t->provider;
	const struct openid_config *c = p->config;
	bool basic = c->client_secret && !p->meta.post_secret;
	char form[8192] = "grant_type=authorization_code", pair[2100] = "",
	     back[OPENID_URL_MAX + 1];
	struct fetch_request r = {.url = p->meta.token,
				  .form = form,
				  .basic = basic ? pair : NULL,
				  .accept = "application/json"};
	bool fits = flow_query_add(form, sizeof(form), "code", t->code) &&
		    flow_query_add(form, sizeof(form), "redirect_uri",
				   openid_callback_url(back, t)) &&
		    flow_query_add(form, sizeof(form), "code_verifier", t->flow.verifier);

	if (basic)
		fits = fits && basic_of(pair, sizeof(pair), c);
	else
		fits = fits &&
		       flow_query_add(form, sizeof(form), "client_id", c->client_id);
	if (!basic && c->client_secret)
		fits = fits && flow_query_add(form, sizeof(form), "client_secret",
					      c->client_secret);
	if (fits)
		ask(t, "token", &r, on_tokens);
	else
		give_up(t, "token", "the request would be too long");
	secret_wipe(form, sizeof(form));
	secret_wipe(pair, sizeof(pair));
}

/* ---- its configuration ---- */

/* Of OAuth 2.0 alone it stands in the file, and nothing is looked up. */
static void meta_given(struct openid_provider *p)
{
	const struct openid_service *s = &p->config->service;

	if (!s->token)
		return;
	snprintf(p->meta.authorization, sizeof(p->meta.authorization), "%s",
		 s->authorization);
	snprintf(p->meta.token, sizeof(p->meta.token), "%s", s->token);
	snprintf(p->meta.userinfo, sizeof(p->meta.userinfo), "%s", s->userinfo);
	p->meta.post_secret = !s->basic;
	p->meta_until_us = UINT64_MAX;
}

static void go_on(struct openid_turn *t)
{
	struct openid_desk d = desk_of(t->o);

	if (t->r->op == PROVIDER_OPENID_START)
		finish(t, openid_send_there(&d, t));
	else if (t->provider->meta.says_issuer && !t->says_issuer)
		give_up(t, "answer", "it lacks `iss`");
	else
		token_ask(t);
}

static void on_meta(const struct fetch_result *r, void *arg)
{
	struct openid_turn *t = arg;
	struct openid_provider *p = t->provider;
	struct openid_meta meta;
	const char *why = r->why;

	p->meta_comes = false;
	if (r->err || openid_meta_parse(&meta, &why, p->config->issuer, r->p, r->n)) {
		p->failed_us = clock_us();
		wake_all(t, NULL, "configuration", why);
		return;
	}
	if (strcmp(meta.keys, p->meta.keys) != 0)
		p->keys = mem_deref(p->keys);
	p->meta = meta;
	p->meta_until_us = kept_until(r);
	p->failed_us = 0;
	wake_all(t, go_on, "configuration", NULL);
}

static void meta_need(struct openid_turn *t)
{
	struct openid_provider *p = t->provider;
	const char *issuer = p->config->issuer;
	size_t n = strlen(issuer);
	char url[OPENID_URL_MAX + 1];
	struct fetch_request r = {.url = url, .accept = "application/json"};

	if (p->failed_us && clock_us() - p->failed_us < FAILED_S * 1000000ull) {
		finish(t, openid_fail(t, "provider"));
		return;
	}
	if (p->meta_until_us > clock_us()) {
		go_on(t);
		return;
	}
	t->waits = OPENID_NEEDS_META;
	if (p->meta_comes)
		return;
	/* Discovery §4.1: without a slash at the issuer's end */
	snprintf(url, sizeof(url), "%.*s/.well-known/openid-configuration",
		 (int)(n && issuer[n - 1] == '/' ? n - 1 : n), issuer);
	r.trust = p->config->trust;
	p->meta_comes = !fetch_send(t->o->fetcher, &r, on_meta, t);
	if (!p->meta_comes)
		give_up(t, "configuration", "out of memory");
}

/* ---- the loop ---- */

static void begin(struct openid *o, struct desk_job *job)
{
	struct openid_desk d = desk_of(o);
	struct openid_turn *t;
	struct provider_answer *a;

	if (job->request->op == PROVIDER_OPENID_LIST) {
		say(o, job->id, openid_list(&d, job->request));
		return;
	}
	if (job->request->op == PROVIDER_OPENID_END) {
		say(o, job->id, openid_unlink(&d, job->request));
		return;
	}
	t = mem_zalloc(sizeof(*t), turn_destructor);
	if (!t) {
		say(o, job->id, NULL);
		return;
	}
	t->o = o;
	t->id = job->id;
	t->r = job->request;
	job->request = NULL;
	list_append(&o->turns, &t->le, t);
	a = openid_read(&d, t);
	if (a)
		finish(t, a);
	else
		meta_need(t);
}

static void take(const void *msg, void *arg)
{
	struct desk_job job = *(const struct desk_job *)msg;
	struct openid *o = arg;

	if (job.request)
		begin(o, &job);
	else
		o->stop = true;
	desk_job_clear(&job);
}

static void *run(void *arg)
{
	struct openid *o = arg;

	log_thread_name("openid");
	while (!o->stop) {
		fetcher_turn(o->fetcher, POLL_MS);
		mailbox_drain(o->jobs, BATCH, take, o);
	}
	return NULL;
}

static void wake(void *arg)
{
	struct openid *o = arg;

	fetcher_wake(o->fetcher);
}

static void destructor(void *arg)
{
	struct openid *o = arg;
	struct desk_job stop = {0};

	if (o->started) {
		/* the queue may be full: it empties itself */
		while (mailbox_post(o->jobs, &stop) == ENOSPC)
			sched_yield();
		pthread_join(o->tid, NULL);
	}
	list_flush(&o->turns);
	mem_deref(o->fetcher);
	mem_deref(o->store);
	mem_deref(o->key);
	for (size_t i = 0; o->providerv && i < o->config->n_openid; i++)
		mem_deref(o->providerv[i].keys);
	mem_deref(o->providerv);
	mailbox_free(&o->jobs);
}

static int start(struct openid *o)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are the main thread's */
	err = pthread_create(&o->tid, NULL, run, o);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	o->started = !err;
	return err;
}

int openid_alloc(struct openid **op, char **whyp, const struct config *config,
		 struct mailbox *results)
{
	/* The operator has written the address down: it may be in his own house. */
	static const struct fetch_config fetch = {.local = true, .timeout_ms = FETCH_MS};
	struct openid *o = mem_zalloc(sizeof(*o), destructor);
	uint8_t key[SECRET_SHA256_BYTES];
	int err;

	if (!o)
		return ENOMEM;
	o->config = config;
	o->results = results;
	o->providerv = mem_zalloc((config->n_openid + 1) * sizeof(*o->providerv), NULL);
	secret_random(key, sizeof(key));
	err = o->providerv ? 0 : ENOMEM;
	for (size_t i = 0; !err && i < config->n_openid; i++) {
		o->providerv[i].config = &config->openidv[i];
		meta_given(&o->providerv[i]);
	}
	err = err ? err : secret_mac_alloc(&o->key, key, sizeof(key));
	secret_wipe(key, sizeof(key));
	err = err ? err : store_open(&o->store, whyp, config->store_path);
	err = err ? err : fetcher_alloc(&o->fetcher, &fetch);
	err = err ? err
		  : mailbox_alloc(&o->jobs, "openid", sizeof(struct desk_job),
				  config->limits.idp_queue + 1, desk_job_clear, wake, o);
	err = err ? err : start(o);
	if (err)
		mem_deref(o);
	else
		*op = o;
	return err;
}

int openid_post(struct openid *o, struct desk_job *job)
{
	return mailbox_post_or_clear(o->jobs, job);
}

struct mailbox *openid_mailbox(struct openid *o)
{
	return o->jobs;
}
