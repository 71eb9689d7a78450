/* gateway/office.c - the back office's threads and queues. office_post(), office_forget() and the answers run
 * on the signalling thread, office_run() on each office thread; between them stand mailboxes alone: one with
 * what only asks the store (office0), one with what hashes passwords (the others). Called by account.c. */
#include "gateway/office.h"

#include <pthread.h>
#include <stdatomic.h>

#include "gateway/office_work.h"
#include "lib/log.h"

enum { PENDING_BUCKETS = 64 };

struct worker {
	struct office *office; /* not owned */
	struct mailbox *jobs;  /* not owned */
	struct office_bench bench;
	pthread_t tid;
	unsigned number;
};

struct office {
	struct mailbox *quick, *heavy; /* heavy NULL: one thread does all */
	struct loop_mailbox *results;
	struct worker *workerv;
	uint32_t n_workers, n_running;
	atomic_bool stopping; /* jobs still in the queues are dropped */
	struct hash *pending; /* struct pending by id */
	uint32_t last_id;
	uint32_t n_under_way, max_under_way; /* so that the results always fit */
};

/* Who waits for an answer. */
struct pending {
	struct le le;
	uint32_t id;
	office_done_h *h;
	void *arg;
};

static void pending_destroy(void *p)
{
	struct pending *w = p;

	hash_unlink(&w->le);
}

static bool pending_is(struct le *le, void *arg)
{
	const struct pending *w = le->data;

	return w->id == *(const uint32_t *)arg;
}

static struct pending *pending_find(const struct office *o, uint32_t id)
{
	return list_ledata(hash_lookup(o->pending, id, pending_is, &id));
}

static void *office_run(void *arg)
{
	struct worker *w = arg;
	struct office_job job;
	struct office_result result;
	char name[16];

	snprintf(name, sizeof(name), "office%u", w->number);
	log_thread_name(name);
	while (!mailbox_wait(w->jobs, &job)) {
		if (!atomic_load(&w->office->stopping)) {
			office_work(&w->bench, &job, &result);
			(void)mailbox_post_or_clear(loop_mailbox(w->office->results),
						    &result);
		}
		office_job_clear(&job);
	}
	w->bench.store = mem_deref(w->bench.store);
	return NULL;
}

/* Signalling thread: an answer has come. */
static void office_take(const void *msg, void *arg)
{
	static struct log_gate gate;
	struct office_result result = *(const struct office_result *)msg;
	struct office *o = arg;
	struct pending *w = pending_find(o, result.id);
	office_done_h *h = w ? w->h : NULL;
	void *harg = w ? w->arg : NULL;

	o->n_under_way--;
	mem_deref(w);
	if ((result.err == EIO || result.err == ENOSPC || result.err == EBUSY) &&
	    log_gate_open(&gate, 2))
		log_err(NULL, "office.store_failed", "job=%s error=%s",
			office_kind_name(result.kind), LQ(strerror(result.err)));
	if (h)
		h(&result, harg);
	office_result_clear(&result);
}

static void job_clear_h(void *msg)
{
	office_job_clear(msg);
}

static void result_clear_h(void *msg)
{
	office_result_clear(msg);
}

static void office_destroy(void *p)
{
	struct office *o = p;

	office_stop(o);
	for (uint32_t i = 0; i < o->n_workers; i++)
		mem_deref(o->workerv[i].bench.store);
	mem_deref(o->workerv);
	mailbox_free(&o->quick);
	mailbox_free(&o->heavy);
	hash_flush(o->pending);
	mem_deref(o->pending);
}

static int office_queues(struct office *o, struct loop *loop, uint32_t n_threads,
			 uint32_t queue)
{
	int err;

	err = hash_alloc(&o->pending, PENDING_BUCKETS);
	if (!err)
		err = mailbox_alloc(&o->quick, "office", sizeof(struct office_job), queue,
				    job_clear_h, NULL, NULL);
	if (!err && n_threads > 1)
		err = mailbox_alloc(&o->heavy, "office-passwords",
				    sizeof(struct office_job), queue, job_clear_h, NULL,
				    NULL);
	o->max_under_way = queue * (n_threads > 1 ? 2 : 1) + n_threads;
	if (!err)
		err = loop_mailbox_alloc(&o->results, loop, "office-results",
					 sizeof(struct office_result), o->max_under_way,
					 result_clear_h, office_take, o);
	return err;
}

static int office_start(struct office *o)
{
	for (uint32_t i = 0; i < o->n_workers; i++) {
		struct worker *w = &o->workerv[i];
		int err = pthread_create(&w->tid, NULL, office_run, w);

		if (err)
			return err;
		o->n_running++;
	}
	return 0;
}

int office_alloc(struct office **op, char **whyp, struct loop *loop,
		 const char *store_path, uint32_t n_threads, uint32_t queue,
		 unsigned password_log2n)
{
	struct office *o = mem_zalloc(sizeof(*o), office_destroy);
	char dummy[SECRET_PASSWORD_TEXT], nobodys[33];
	int err;

	if (!o)
		return ENOMEM;
	err = office_queues(o, loop, n_threads, queue);
	secret_hex(nobodys, 32);
	if (!err)
		err = secret_password_hash(dummy, nobodys, 32, password_log2n);
	if (err)
		goto out;
	o->workerv = mem_zalloc(n_threads * sizeof(*o->workerv), NULL);
	if (!o->workerv) {
		err = ENOMEM;
		goto out;
	}
	/* All are opened here, one after the other: who switches a file to WAL must be alone with it. */
	for (uint32_t i = 0; i < n_threads && !err; i++) {
		struct worker *w = &o->workerv[i];

		*w = (struct worker){.office = o, .number = i};
		w->jobs = i && o->heavy ? o->heavy : o->quick;
		w->bench.password_log2n = password_log2n;
		memcpy(w->bench.dummy, dummy, sizeof(dummy));
		o->n_workers++;
		err = store_open(&w->bench.store, whyp, store_path);
	}
	if (!err)
		err = office_start(o);
out:
	if (err)
		mem_deref(o);
	else
		*op = o;
	return err;
}

int office_post(struct office *o, struct office_job *job, office_done_h *done_h,
		void *arg, uint32_t *idp)
{
	bool heavy = o->heavy && office_work_is_heavy(job->kind);
	struct pending *w = NULL;
	int err = ENOSPC;

	if (o->n_under_way == o->max_under_way)
		goto out;
	w = mem_zalloc(sizeof(*w), pending_destroy);
	if (!w) {
		err = ENOMEM;
		goto out;
	}
	/* 0 names no job; a number that is still out after four thousand million others is skipped. */
	do {
		w->id = ++o->last_id;
	} while (!w->id || pending_find(o, w->id));
	w->h = done_h;
	w->arg = arg;
	job->id = w->id;
	err = mailbox_post(heavy ? o->heavy : o->quick, job);
	if (err)
		goto out;
	hash_append(o->pending, w->id, &w->le, w);
	o->n_under_way++;
	if (idp)
		*idp = w->id;
	return 0;
out:
	mem_deref(w);
	office_job_clear(job);
	return err;
}

void office_forget(struct office *o, uint32_t id)
{
	if (o && id)
		mem_deref(pending_find(o, id));
}

void office_stop(struct office *o)
{
	if (!o)
		return;
	atomic_store(&o->stopping, true);
	if (o->quick)
		mailbox_close(o->quick);
	if (o->heavy)
		mailbox_close(o->heavy);
	for (; o->n_running; o->n_running--)
		pthread_join(o->workerv[o->n_running - 1].tid, NULL);
	o->results = mem_deref(o->results);
}

void office_stats(struct office *o, struct mailbox_stats *stats)
{
	struct mailbox_stats heavy = {0};

	mailbox_stats(o->quick, stats);
	if (o->heavy)
		mailbox_stats(o->heavy, &heavy);
	stats->n_now += heavy.n_now;
	if (heavy.n_high_water > stats->n_high_water)
		stats->n_high_water = heavy.n_high_water;
	stats->n_posted += heavy.n_posted;
	stats->n_refused += heavy.n_refused;
}
