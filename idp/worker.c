/* idp/worker.c - the identity thread: one loop around libcurl's multi interface and a mailbox. Signing, judging, keys,
 * authorities, fetched certificates and providers' keys all live here and nowhere else. worker_alloc(), worker_post() and the
 * destructor run on the signalling thread. Called by idp.c; calls pen.c, judge.c, assess.c, shelf.c, fetch.c. */
#include "idp/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "lib/clock.h"
#include "lib/log.h"

enum {
	POLL_MS = 1000,    /* between looks at the files of our keys */
	BUSY_POLL_MS = 50, /* while fetches wait: their time may be over */
	BATCH = 64,        /* jobs between looks at the sockets */
	COPIES_MAX = 65536,
};

/* A case under way. */
struct trial {
	struct le le;
	struct worker *w;
	struct judge_case *c; /* one of these two */
	struct assess_case *a;
	uint32_t id;
};

struct worker {
	const struct config *config;
	struct mailbox *jobs, *results;
	struct pens *pens;
	struct authorities authorities;
	struct fetcher *fetcher;
	struct shelf *shelf;
	struct copies *copies;
	struct judge_court court;
	struct shelf *keys; /* of identity providers */
	struct assess_court assess;
	struct list trials;
	uint64_t polled_us;
	bool stop;
	bool started;
	pthread_t tid;
};

const char *idp_job_name(enum idp_job_kind kind)
{
	switch (kind) {
	case IDP_SIGN:
		return "sign";
	case IDP_VERIFY:
		return "verify";
	case IDP_ASSESS:
		return "assess";
	case IDP_KEYS:
		return "keys";
	case IDP_RELOAD:
		return "reload";
	case IDP_STOP:
		return "stop";
	case IDP_JOB_N:
		break;
	}
	return "?";
}

void idp_job_clear(void *arg)
{
	struct idp_job *job = arg;

	job->sign = mem_deref(job->sign);
	job->verify = mem_deref(job->verify);
	job->assess = mem_deref(job->assess);
	job->domain = mem_deref(job->domain);
	job->keys = mem_deref(job->keys);
}

void idp_result_clear(void *arg)
{
	struct idp_result *r = arg;

	r->header = mem_deref(r->header);
	r->verdict = mem_deref(r->verdict);
	r->person = mem_deref(r->person);
	r->site = mem_deref(r->site);
	r->name = mem_deref(r->name);
	r->text = mem_deref(r->text);
}

static void answer(struct worker *w, struct idp_result *r)
{
	/* There is room for all that is under way (idp.c), and a closed mailbox has no reader. */
	(void)mailbox_post_or_clear(w->results, r);
}

/* ---- signing ---- */

static void sign(struct worker *w, const struct idp_job *job)
{
	struct idp_result r = {.kind = IDP_SIGNED, .id = job->id};

	r.err = pen_sign(&r.header, r.date, w->pens, job->sign, clock_wall_s());
	answer(w, &r);
}

static void on_chain(const char *site, const char *name, const char *text, void *arg)
{
	struct worker *w = arg;
	struct idp_result r = {.kind = IDP_CHAIN,
			       .site = base_dup(site, strlen(site)),
			       .name = base_dup(name, strlen(name)),
			       .text = base_dup(text, strlen(text))};

	if (r.site && r.name && r.text)
		answer(w, &r);
	else
		idp_result_clear(&r);
}

/* ---- judging ---- */

static void trial_destructor(void *arg)
{
	struct trial *t = arg;

	list_unlink(&t->le);
	mem_deref(t->c);
	mem_deref(t->a);
}

static void judged(const struct identity_verdict *v, void *arg)
{
	struct trial *t = arg;
	struct idp_result r = {.kind = IDP_JUDGED, .id = t->id};

	r.verdict = mem_alloc(sizeof(*v), NULL);
	if (r.verdict)
		*r.verdict = *v;
	else
		r.err = ENOMEM;
	answer(t->w, &r);
	mem_deref(t);
}

static struct trial *trial_new(struct worker *w, uint32_t id)
{
	struct trial *t = mem_zalloc(sizeof(*t), trial_destructor);

	if (!t)
		return NULL;
	t->w = w;
	t->id = id;
	list_append(&w->trials, &t->le, t);
	return t;
}

static void verify(struct worker *w, struct idp_job *job)
{
	struct trial *t = trial_new(w, job->id);
	struct idp_result r = {.kind = IDP_JUDGED, .id = job->id, .err = ENOMEM};

	if (!t) {
		answer(w, &r);
		return;
	}
	t->c = job->verify;
	job->verify = NULL;
	judge_begin(t->c, &w->court, judged, t);
}

static void assessed(struct identity_person *p, void *arg)
{
	struct trial *t = arg;
	struct idp_result r = {.kind = IDP_ASSESSED, .id = t->id};

	r.person = p ? identity_person_copy(p) : NULL;
	answer(t->w, &r);
	mem_deref(t);
}

static void assess(struct worker *w, struct idp_job *job)
{
	struct trial *t = trial_new(w, job->id);
	struct idp_result r = {.kind = IDP_ASSESSED, .id = job->id};

	if (!t) {
		answer(w, &r);
		return;
	}
	t->a = job->assess;
	job->assess = NULL;
	assess_begin(t->a, &w->assess, assessed, t);
}

static void take_keys(struct worker *w, const struct idp_job *job)
{
	int err = assess_own(&w->assess, job->domain, job->keys);

	if (err)
		log_err(NULL, "idp.keys.own", "domain=%s err=%d", LQ(job->domain), err);
}

/* ---- the loop ---- */

static int authorities_read(struct worker *w, char **whyp)
{
	int err = authorities_load(&w->authorities, whyp, w->config->sip_trust,
				   w->config->identity_number_trust);

	w->court.numbers = w->authorities.numbers != NULL;
	return err;
}

static void reload(struct worker *w)
{
	struct idp_result r = {.kind = IDP_RELOADED};
	char *why = NULL;

	pens_reload(w->pens);
	if (authorities_read(w, &why))
		log_err(NULL, "idp.trust.not_reloaded", "why=%s in_service=old", LQ(why));
	else
		shelf_clear(w->shelf);
	shelf_clear(w->keys);
	mem_deref(why);
	answer(w, &r);
}

static void take(const void *msg, void *arg)
{
	struct idp_job job = *(const struct idp_job *)msg;
	struct worker *w = arg;

	switch (job.kind) {
	case IDP_SIGN:
		sign(w, &job);
		break;
	case IDP_VERIFY:
		verify(w, &job);
		break;
	case IDP_ASSESS:
		assess(w, &job);
		break;
	case IDP_KEYS:
		take_keys(w, &job);
		break;
	case IDP_RELOAD:
		reload(w);
		break;
	case IDP_STOP:
		w->stop = true;
		break;
	case IDP_JOB_N:
		break;
	}
	idp_job_clear(&job);
}

static void *run(void *arg)
{
	struct worker *w = arg;
	sigset_t all;

	/* Signals are the signalling thread's; a peer that is gone is an error of send(). */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	log_thread_name("identity");
	pens_listen(w->pens, on_chain, w);
	while (!w->stop) {
		uint64_t now_us;

		fetcher_turn(w->fetcher, shelf_is_busy(w->shelf) || shelf_is_busy(w->keys)
						 ? BUSY_POLL_MS
						 : POLL_MS);
		mailbox_drain(w->jobs, BATCH, take, w);
		shelf_look(w->shelf);
		shelf_look(w->keys);
		now_us = clock_us();
		if (now_us - w->polled_us >= POLL_MS * 1000ull) {
			w->polled_us = now_us;
			pens_poll(w->pens);
		}
	}
	return NULL;
}

static void wake(void *arg)
{
	struct worker *w = arg;

	fetcher_wake(w->fetcher);
}

static void worker_destructor(void *arg)
{
	struct worker *w = arg;
	struct idp_job stop = {.kind = IDP_STOP};

	if (w->started) {
		/* the queue may be full: it empties itself */
		while (mailbox_post(w->jobs, &stop) == ENOSPC)
			sched_yield();
		pthread_join(w->tid, NULL);
	}
	list_flush(&w->trials);
	assess_own_clear(&w->assess);
	mem_deref(w->keys);
	mem_deref(w->shelf);
	mem_deref(w->fetcher);
	mem_deref(w->copies);
	mem_deref(w->pens);
	mailbox_free(&w->jobs);
	authorities_clear(&w->authorities);
}

static int parts_make(struct worker *w, char **whyp)
{
	const struct limits *l = &w->config->limits;
	struct fetch_config fetch = {
		.trust = w->config->sip_trust,
		.local = w->config->identity_private,
		.timeout_ms = l->identity_fetch_s * 1000 - IDENTITY_SLACK_MS,
	};
	struct shelf_config shelf = {
		.kind = &credential_kind,
		.arg = &w->authorities,
		.n_fetches = l->identity_fetches,
		.timeout_ms = l->identity_fetch_s * 1000 - IDENTITY_SLACK_MS,
	};
	int err = authorities_read(w, whyp);

	err = err ? err : pens_alloc(&w->pens, whyp, w->config);
	err = err ? err : fetcher_alloc(&w->fetcher, &fetch);
	shelf.fetcher = w->fetcher;
	err = err ? err : shelf_alloc(&w->shelf, &shelf);
	shelf.kind = &jwks_kind;
	shelf.arg = NULL;
	err = err ? err : shelf_alloc(&w->keys, &shelf);
	/* what is fresh now may be presented again until both edges of the window are past */
	err = err ? err : copies_alloc(&w->copies, COPIES_MAX, 2 * l->identity_fresh_s);
	w->court.shelf = w->shelf;
	w->court.copies = w->copies;
	w->court.fresh_s = l->identity_fresh_s;
	w->assess.shelf = w->keys;
	w->assess.slack_s = l->identity_fresh_s;
	return err;
}

int worker_alloc(struct worker **wp, char **whyp, const struct config *config,
		 struct mailbox *results)
{
	struct worker *w = mem_zalloc(sizeof(*w), worker_destructor);
	int err;

	if (!w)
		return ENOMEM;
	w->config = config;
	w->results = results;
	err = parts_make(w, whyp);
	if (!err)
		err = mailbox_alloc(&w->jobs, "identity", sizeof(struct idp_job),
				    config->limits.identity_queue + 8, idp_job_clear,
				    wake, w);
	if (!err)
		err = pthread_create(&w->tid, NULL, run, w);
	if (err) {
		mem_deref(w);
		return err;
	}
	w->started = true;
	*wp = w;
	return 0;
}

int worker_post(struct worker *w, struct idp_job *job)
{
	return mailbox_post_or_clear(w->jobs, job);
}
