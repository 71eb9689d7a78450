/* idp/provider.c - see provider.h. Signalling thread: takes the questions of gateway/provider.h, sends them to the provider's
 * thread (desk.c), hands the answers to whoever still waits. Passwords are the back office's (gateway/account.h), which
 * slows those who guess. Called by webrtc/session/ and control by way of core->provider. */
#include "idp/provider.h"

#include "gateway/account.h"
#include "gateway/identity.h"
#include "gateway/provider.h"
#include "idp/desk.h"
#include "idp/openid.h"
#include "lib/log.h"

enum { WAIT_BUCKETS = 256, LEARN_EVERY_MS = 300000 };

struct provider {
	struct core *core;
	struct loop_mailbox *results;
	struct desk *desk;
	struct openid *openid;    /* NULL: people can sign in nowhere else */
	struct hash *waits;       /* struct provider_wait by id */
	struct list own;          /* those that nobody else holds */
	struct learner *learnerv; /* one a site */
	uint32_t last_id, n_under_way;
	uint32_t n_elsewhere; /* of those, with other providers, which may be slow */
};

/* A site whose keys its own callees' side is to know. */
struct learner {
	struct provider *p;
	const struct site_config *site;
	struct timer again; /* an old key ends some day, and a try may have failed */
};

/* Who waits for an answer. */
struct provider_wait {
	struct le le, le_own;
	uint32_t id;
	const struct site_config *rotates; /* NULL: it asks for something else */
	provider_h *h;
	void *arg;
	struct account_request *account; /* of a sign-in */
};

static void wait_destructor(void *arg)
{
	struct provider_wait *w = arg;

	hash_unlink(&w->le);
	list_unlink(&w->le_own);
	mem_deref(w->account);
}

static bool wait_is(struct le *le, void *arg)
{
	return ((const struct provider_wait *)le->data)->id == *(const uint32_t *)arg;
}

static struct provider_wait *wait_find(const struct provider *p, uint32_t id)
{
	return list_ledata(hash_lookup(p->waits, id, wait_is, &id));
}

/* Its owner holds the one reference, and may let go of it inside. */
static void tell(struct provider_wait *w, struct provider_answer *a)
{
	bool own = w->le_own.list != NULL;
	provider_h *h = w->h;

	hash_unlink(&w->le);
	w->h = NULL;
	mem_ref(w);
	h(a, w->arg);
	mem_deref(w);
	if (own)
		mem_deref(w);
}

static void learn_keys(struct provider *p, const struct site_config *site);

static void on_result(const void *msg, void *arg)
{
	const struct desk_result *r = msg;
	struct provider *p = arg;
	struct provider_wait *w = wait_find(p, r->id);

	p->n_under_way--;
	p->n_elsewhere -= r->elsewhere;
	if (w && w->rotates)
		learn_keys(p, w->rotates);
	if (w && w->h)
		tell(w, r->answer);
	else
		mem_deref(r->answer);
}

static struct provider_wait *wait_alloc(struct provider *p, provider_h *h, void *arg)
{
	struct provider_wait *w = mem_zalloc(sizeof(*w), wait_destructor);

	if (!w)
		return NULL;
	do {
		w->id = ++p->last_id;
	} while (!w->id || wait_find(p, w->id));
	w->h = h;
	w->arg = arg;
	hash_append(p->waits, w->id, &w->le, w);
	return w;
}

/* ---- signing in ---- */

static struct provider_answer *answer_of(const struct account_answer *from)
{
	const char *error = "busy", *text = "The site is busy. Please try again.";
	struct provider_answer *a;
	char json[ADDR_TEXT_MAX + 128];
	unsigned status = 503;

	if (!from->err) {
		status = 200;
	} else if (from->err == EACCES || from->err == ENOENT) {
		status = 401;
		error = "bad-login";
		text = "User name or password is wrong.";
	} else if (from->err == EAGAIN) {
		status = 429;
		error = "too-soon";
		text = "Too many tries. Please wait.";
	}
	a = provider_answer_new(status);
	if (!a)
		return NULL;
	if (from->err) { /* neither has anything to escape */
		a->error = error;
		snprintf(a->text, sizeof(a->text), "%s", text);
		snprintf(json, sizeof(json), "{\"error\":\"%s\",\"text\":\"%s\"}", error,
			 text);
		a->retry_s = from->retry_s ? from->retry_s : status == 503 ? 2 : 0;
	} else {
		snprintf(json, sizeof(json), "{\"user\":\"%s\"}", AT(&from->user));
		memcpy(a->session, from->token, sizeof(a->session));
	}
	a->json = base_dup(json, strlen(json));
	return a->json ? a : mem_deref(a);
}

static void on_account(const struct account_answer *answer, void *arg)
{
	struct provider_wait *w = arg;

	if (w->h)
		tell(w, answer_of(answer));
}

/* The site's name may come with the user's, as people type it. */
static void strip_site(char *user, const char *domain)
{
	char *at = strchr(user, '@'), host[ADDR_HOST_MAX + 1];

	if (at && !addr_host_parse(host, at + 1, strlen(at + 1)) && !strcmp(host, domain))
		*at = '\0';
}

static int sign_in(struct provider *p, struct provider_wait *w,
		   const struct provider_request *r)
{
	const struct site *site = core_site_find(p->core, r->site->domain);

	if (!site || !r->user || !r->password)
		return ENOMEM; /* the web side has looked: it cannot be */
	strip_site(r->user, site->domain);
	return account_idp_login(&w->account, p->core->accounts, site, r->user,
				 r->password, strlen(r->password), &r->from, on_account,
				 w);
}

/* ---- questions ---- */

static bool is_elsewhere(const struct provider *p, enum provider_op op)
{
	return p->openid && (op == PROVIDER_OPENID_LIST || op == PROVIDER_OPENID_START ||
			     op == PROVIDER_OPENID_BACK || op == PROVIDER_OPENID_END);
}

/* From here on `r` is the other thread's alone. */
static int post(struct provider *p, uint32_t id, struct provider_request *r)
{
	struct desk_job job = {.id = id, .request = r};
	uint32_t most = p->core->config->limits.idp_queue;
	bool elsewhere = is_elsewhere(p, r->op);
	int err = ENOSPC;

	/* Half of the places are never lent to what waits for others. */
	if (p->n_under_way < most && (!elsewhere || p->n_elsewhere < (most + 1) / 2))
		err = elsewhere ? openid_post(p->openid, &job) : desk_post(p->desk, &job);
	else
		desk_job_clear(&job);
	if (!err) {
		p->n_under_way++;
		p->n_elsewhere += elsewhere;
	}
	return err;
}

static int op_ask(void *arg, struct provider_wait **wp, struct provider_request *r,
		  provider_h *h, void *harg)
{
	struct provider *p = arg;
	struct provider_wait *w = wait_alloc(p, h, harg);
	int err = w ? 0 : ENOMEM;

	if (w && wp)
		*wp = w;
	else if (w)
		list_append(&p->own, &w->le_own, w);
	if (w && r->op == PROVIDER_ROTATE)
		w->rotates = r->site;
	if (!err && r->op != PROVIDER_SIGN_IN)
		err = post(p, w->id, r);
	else {
		err = err ? err : sign_in(p, w, r);
		mem_deref(r);
	}
	if (err) {
		mem_deref(w);
		if (wp)
			*wp = NULL;
	}
	return err;
}

/* ---- what calls to users here are judged by ---- */

/* Assertions of ours come back in calls: nothing need be fetched for them, least of all from ourselves. */
static void on_keys(struct provider_answer *a, void *arg)
{
	const struct learner *l = arg;
	const struct core *core = l->p->core;

	if (!a || a->error || !core->identity ||
	    core->identity->keys(core->identity_arg, l->site->domain, a->json))
		log_err(NULL, "provider.keys", "site=%s why=%s", l->site->domain,
			LQ(a ? a->text : "out of memory"));
	mem_deref(a);
}

static void on_learn(void *arg)
{
	struct learner *l = arg;

	learn_keys(l->p, l->site);
}

static void learn_keys(struct provider *p, const struct site_config *site)
{
	struct provider_request *r = provider_request_new(PROVIDER_KEYS);
	struct learner *l = &p->learnerv[site - p->core->config->sitev];

	l->p = p;
	l->site = site;
	timer_start(p->core->loop->timers, &l->again, LEARN_EVERY_MS, on_learn, l);
	if (r)
		r->site = site;
	if (!r || op_ask(p, NULL, r, on_keys, l))
		log_err(NULL, "provider.keys", "site=%s why=%s", site->domain,
			"\"there is too much to do\"");
}

static void learn_all(struct provider *p)
{
	const struct config *c = p->core->config;

	for (size_t i = 0; i < c->n_sites; i++)
		if (c->sitev[i].idp)
			learn_keys(p, &c->sitev[i]);
}

/* ---- the door ---- */

static void destructor(void *arg)
{
	struct provider *p = arg;

	mem_deref(p->openid);
	mem_deref(p->desk);
	mem_deref(p->results);
	list_flush(&p->own);
	if (p->waits)
		hash_clear(p->waits); /* whoever waits holds them */
	mem_deref(p->waits);
	for (size_t i = 0; p->learnerv && i < p->core->config->n_sites; i++)
		timer_cancel(&p->learnerv[i].again);
	mem_deref(p->learnerv);
	if (p->core->provider_arg == p) {
		p->core->provider = NULL;
		p->core->provider_arg = NULL;
	}
}

static bool any_site(const struct config *c)
{
	for (size_t i = 0; i < c->n_sites; i++)
		if (c->sitev[i].idp)
			return true;
	return false;
}

int provider_alloc(struct provider **pp, char **whyp, struct core *core)
{
	static const struct provider_ops ops = {.ask = op_ask};
	struct provider *p;
	int err;

	*pp = NULL;
	if (!any_site(core->config))
		return 0;
	p = mem_zalloc(sizeof(*p), destructor);
	if (!p)
		return ENOMEM;
	p->core = core;
	p->learnerv = mem_zalloc(core->config->n_sites * sizeof(p->learnerv[0]), NULL);
	err = p->learnerv ? hash_alloc(&p->waits, WAIT_BUCKETS) : ENOMEM;
	err = err ? err
		  : loop_mailbox_alloc(&p->results, core->loop, "sig-provider",
				       sizeof(struct desk_result),
				       core->config->limits.idp_queue + 8,
				       desk_result_clear, on_result, p);
	err = err ? err
		  : desk_alloc(&p->desk, whyp, core->config, loop_mailbox(p->results));
	if (!err && core->config->n_openid)
		err = openid_alloc(&p->openid, whyp, core->config,
				   loop_mailbox(p->results));
	if (err) {
		mem_deref(p);
		return err;
	}
	core_queue_show(core, desk_mailbox(p->desk));
	if (p->openid)
		core_queue_show(core, openid_mailbox(p->openid));
	core->provider = &ops;
	core->provider_arg = p;
	if (core->identity)
		learn_all(p);
	*pp = p;
	return 0;
}
