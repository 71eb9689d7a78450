/* idp/idp.c - see idp.h. Signalling thread: takes the questions of gateway/identity.h, sends them to worker.c and hands
 * the answers to whoever still waits. Called by sip/ (by way of core->identity), by main.c and certs.c. */
#include "idp/idp.h"

#include <curl/curl.h>

#include "gateway/certs.h"
#include "gateway/identity.h"
#include "idp/worker.h"
#include "lib/log.h"

enum { WAIT_BUCKETS = 256, SPARE_RESULTS = 256 };

struct idp {
	struct core *core;
	struct loop_mailbox *results;
	struct worker *worker;
	struct hash *waits; /* struct identity_wait by id */
	uint32_t last_id, n_under_way;
	idp_publish_h *publish;
	void *publish_arg;
};

struct identity_wait {
	struct le le;
	uint32_t id;
	identity_signed_h *signed_h;
	identity_judged_h *judged_h;
	identity_assessed_h *assessed_h;
	void *arg;
};

static void wait_destructor(void *arg)
{
	struct identity_wait *w = arg;

	hash_unlink(&w->le);
}

static bool wait_is(struct le *le, void *arg)
{
	return ((const struct identity_wait *)le->data)->id == *(const uint32_t *)arg;
}

static struct identity_wait *wait_find(const struct idp *i, uint32_t id)
{
	return list_ledata(hash_lookup(i->waits, id, wait_is, &id));
}

/* ---- answers ---- */

static void tell_signed(struct identity_wait *w, const struct idp_result *r)
{
	struct identity_signed s = {.err = r->err, .header = r->header};

	memcpy(s.date, r->date, sizeof(s.date));
	w->signed_h(&s, w->arg);
}

static void tell_judged(struct identity_wait *w, const struct idp_result *r)
{
	static const struct identity_verdict busy = {
		.status = 503, .phrase = "Service Unavailable", .why = "out of memory"};

	w->judged_h(r->verdict ? r->verdict : &busy, w->arg);
}

static void on_result(const void *msg, void *arg)
{
	struct idp_result r = *(const struct idp_result *)msg;
	struct idp *i = arg;
	struct identity_wait *w = NULL;

	switch (r.kind) {
	case IDP_SIGNED:
	case IDP_JUDGED:
	case IDP_ASSESSED:
		i->n_under_way--;
		w = wait_find(i, r.id);
		break;
	case IDP_CHAIN:
		i->publish(r.site, r.name, r.text, i->publish_arg);
		break;
	case IDP_RELOADED:
		certs_reloaded(i->core->certs, NULL);
		break;
	case IDP_RESULT_N:
		break;
	}
	if (w) {
		/* Its owner holds the one reference, and may let go of it inside. */
		hash_unlink(&w->le);
		mem_ref(w);
		if (r.kind == IDP_SIGNED)
			tell_signed(w, &r);
		else if (r.kind == IDP_JUDGED)
			tell_judged(w, &r);
		else
			w->assessed_h(r.person, w->arg);
		mem_deref(w);
	}
	idp_result_clear(&r);
}

/* ---- questions ---- */

static int post(struct idp *i, struct identity_wait **wp, struct idp_job *job,
		struct identity_wait *from)
{
	struct identity_wait *w = NULL;
	int err = ENOSPC;

	if (i->n_under_way >= i->core->config->limits.identity_queue)
		goto out;
	w = mem_zalloc(sizeof(*w), wait_destructor);
	if (!w) {
		err = ENOMEM;
		goto out;
	}
	do {
		w->id = ++i->last_id;
	} while (!w->id || wait_find(i, w->id));
	w->signed_h = from->signed_h;
	w->judged_h = from->judged_h;
	w->assessed_h = from->assessed_h;
	w->arg = from->arg;
	job->id = w->id;
	err = worker_post(i->worker, job);
	if (err) {
		mem_deref(w);
		return err;
	}
	hash_append(i->waits, w->id, &w->le, w);
	i->n_under_way++;
	*wp = w;
	return 0;
out:
	idp_job_clear(job);
	return err;
}

static int op_sign(void *arg, struct identity_wait **wp, const struct identity_claim *c,
		   identity_signed_h *h, void *harg)
{
	struct idp_job job = {.kind = IDP_SIGN};
	struct identity_wait from = {.signed_h = h, .arg = harg};
	struct pen_job *sign = mem_zalloc(sizeof(*sign), NULL);
	int err = 0;

	if (!sign)
		return ENOMEM;
	snprintf(sign->site, sizeof(sign->site), "%s", c->site);
	name_of(&sign->orig, &c->from);
	name_of(&sign->dest, &c->to);
	/* A domain's certificate vouches for no telephone number (RFC 8224 §8.1, §8.4). */
	if (sign->orig.tn)
		err = ENOKEY;
	else if (mky_read(&sign->mky, c->sdp->data, c->sdp->len) ||
		 !mky_canonical(&sign->mky))
		err = EBADMSG;
	if (err) {
		mem_deref(sign);
		return err;
	}
	job.sign = sign;
	return post(arg, wp, &job, &from);
}

static int op_verify(void *arg, struct identity_wait **wp, const struct identity_case *c,
		     identity_judged_h *h, void *harg)
{
	struct idp_job job = {.kind = IDP_VERIFY};
	struct identity_wait from = {.judged_h = h, .arg = harg};
	int err = judge_case_alloc(&job.verify, c);

	return err ? err : post(arg, wp, &job, &from);
}

static int op_assess(void *arg, struct identity_wait **wp,
		     const struct identity_description *d, identity_assessed_h *h,
		     void *harg)
{
	struct idp_job job = {.kind = IDP_ASSESS};
	struct identity_wait from = {.assessed_h = h, .arg = harg};
	int err = assess_case_alloc(&job.assess, d);

	return err ? err : post(arg, wp, &job, &from);
}

static int op_keys(void *arg, const char *domain, const char *jwks)
{
	struct idp *i = arg;
	struct idp_job job = {.kind = IDP_KEYS,
			      .domain = base_dup(domain, strlen(domain))};

	if (jwks)
		job.keys = base_dup(jwks, strlen(jwks));
	if (!job.domain || (jwks && !job.keys)) {
		idp_job_clear(&job);
		return ENOMEM;
	}
	return worker_post(i->worker, &job);
}

static const struct identity_ops ops = {
	.sign = op_sign,
	.verify = op_verify,
	.assess = op_assess,
	.keys = op_keys,
};

/* ---- the door ---- */

static int reload(void *arg)
{
	struct idp *i = arg;
	struct idp_job job = {.kind = IDP_RELOAD};

	return worker_post(i->worker, &job);
}

static void destructor(void *arg)
{
	struct idp *i = arg;

	if (i->core->identity_arg == i) {
		i->core->identity = NULL;
		i->core->identity_arg = NULL;
	}
	if (i->results)
		mailbox_close(loop_mailbox(i->results));
	mem_deref(i->worker); /* joins the thread */
	mem_deref(i->results);
	hash_clear(i->waits); /* their owners hold them */
	mem_deref(i->waits);
	curl_global_cleanup();
}

int idp_alloc(struct idp **ip, char **whyp, struct core *core, idp_publish_h *publish,
	      void *arg)
{
	struct idp *i = mem_zalloc(sizeof(*i), destructor);
	uint32_t capacity = core->config->limits.identity_queue +
			    (uint32_t)core->config->n_sites + SPARE_RESULTS;
	int err;

	if (!i)
		return ENOMEM;
	i->core = core;
	i->publish = publish;
	i->publish_arg = arg;
	err = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : EIO;
	if (!err)
		err = hash_alloc(&i->waits, WAIT_BUCKETS);
	if (!err)
		err = loop_mailbox_alloc(&i->results, core->loop, "sig-identity",
					 sizeof(struct idp_result), capacity,
					 idp_result_clear, on_result, i);
	if (!err)
		err = worker_alloc(&i->worker, whyp, core->config,
				   loop_mailbox(i->results));
	if (err) {
		mem_deref(i);
		return err;
	}
	certs_room_add(core->certs, reload, i);
	core_queue_show(core, loop_mailbox(i->results));
	core->identity = &ops;
	core->identity_arg = i;
	*ip = i;
	return 0;
}
