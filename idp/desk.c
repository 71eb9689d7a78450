/* idp/desk.c - the provider's thread; see desk.h. Called by provider.c; calls desk_work.c. It blocks in the store, so it is
 * neither the signalling thread nor the one that stands between a click and its INVITE (worker.c). */
#include "idp/desk_own.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "lib/clock.h"
#include "lib/log.h"

struct desk {
	const struct config *config;
	struct mailbox *jobs, *results;
	struct store *store;
	struct seals *seals;
	atomic_bool stopping; /* what still waits is dropped */
	bool started;
	pthread_t tid;
};

void desk_job_clear(void *arg)
{
	struct desk_job *job = arg;

	job->request = mem_deref(job->request);
}

void desk_result_clear(void *arg)
{
	struct desk_result *r = arg;

	r->answer = mem_deref(r->answer);
}

static void *run(void *arg)
{
	struct desk *d = arg;
	struct desk_job job;

	log_thread_name("provider");
	while (!mailbox_wait(d->jobs, &job)) {
		if (!atomic_load(&d->stopping)) {
			struct desk_case c = {.config = d->config,
					      .store = d->store,
					      .seals = d->seals,
					      .r = job.request,
					      .site = job.request->site,
					      .now_s = clock_wall_s()};
			struct desk_result r = {.id = job.id, .answer = desk_work(&c)};

			/* There is room for all that is under way (provider.c). */
			(void)mailbox_post_or_clear(d->results, &r);
		}
		desk_job_clear(&job);
	}
	return NULL;
}

static void destructor(void *arg)
{
	struct desk *d = arg;

	atomic_store(&d->stopping, true);
	if (d->jobs)
		mailbox_close(d->jobs);
	if (d->started)
		pthread_join(d->tid, NULL);
	mem_deref(d->seals);
	mem_deref(d->store);
	mailbox_free(&d->jobs);
}

static int start(struct desk *d)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are the main thread's */
	err = pthread_create(&d->tid, NULL, run, d);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	d->started = !err;
	return err;
}

int desk_alloc(struct desk **dp, char **whyp, const struct config *config,
	       struct mailbox *results)
{
	struct desk *d = mem_zalloc(sizeof(*d), destructor);
	int err;

	if (!d)
		return ENOMEM;
	d->config = config;
	d->results = results;
	err = store_open(&d->store, whyp, config->store_path);
	err = err ? err : seals_alloc(&d->seals, config->limits.idp_key_keep_s);
	err = err ? err
		  : mailbox_alloc(&d->jobs, "provider", sizeof(struct desk_job),
				  config->limits.idp_queue, desk_job_clear, NULL, NULL);
	err = err ? err : start(d);
	if (err)
		mem_deref(d);
	else
		*dp = d;
	return err;
}

int desk_post(struct desk *d, struct desk_job *job)
{
	return mailbox_post_or_clear(d->jobs, job);
}

struct mailbox *desk_mailbox(struct desk *d)
{
	return d->jobs;
}
