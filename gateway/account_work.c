/* gateway/account_work.c - a question's way through the back office and back: counting tries, what an ended
 * sign-in means for the cache and the devices, the answer. Signalling thread; called by account.c and by
 * the office's answers, calls office, registry, account_slow and account_cache. */
#include "gateway/account_own.h"

#include "gateway/registry.h"
#include "lib/log.h"
#include "lib/secret.h"

static void work_slow_leave(struct account_work *w, enum slow_end user,
			    enum slow_end addr)
{
	if (*w->slow_user)
		account_slow_leave(w->as->slow_users, w->slow_user, user);
	if (*w->slow_addr)
		account_slow_leave(w->as->slow_addrs, w->slow_addr, addr);
	*w->slow_user = *w->slow_addr = '\0';
}

static void work_destroy(void *p)
{
	struct account_work *w = p;

	list_unlink(&w->le);
	timer_cancel(&w->timer);
	office_forget(w->as->core->office, w->office_id);
	work_slow_leave(w, SLOW_NEITHER, SLOW_NEITHER);
	if (w->request)
		w->request->work = NULL;
	secret_wipe(w->token, sizeof(w->token));
	secret_wipe(w->answer.token, sizeof(w->answer.token));
}

static void request_destroy(void *p)
{
	struct account_request *r = p;

	if (!r->work)
		return;
	r->work->request = NULL;
	r->work->h = NULL;
}

int account_work_alloc(struct account_work **wp, struct account_request **rp,
		       struct account_service *as, enum office_kind kind,
		       const char *site, const char *user, account_h *h, void *arg)
{
	struct account_work *w = mem_zalloc(sizeof(*w), work_destroy);
	struct account_request *r;

	if (!w)
		return ENOMEM;
	w->as = as;
	w->kind = kind;
	w->h = h;
	w->arg = arg;
	snprintf(w->answer.user.host, sizeof(w->answer.user.host), "%s", site);
	snprintf(w->answer.user.user, sizeof(w->answer.user.user), "%s", user);
	if (rp) {
		r = mem_zalloc(sizeof(*r), request_destroy);
		if (!r) {
			mem_deref(w);
			return ENOMEM;
		}
		r->work = w;
		w->request = r;
		w->rp = rp;
		*rp = r;
	}
	list_append(&as->works, &w->le, w);
	*wp = w;
	return 0;
}

int account_work_drop(struct account_work *w)
{
	struct account_request *r = w->request;

	if (r)
		*w->rp = NULL;
	mem_deref(w);
	mem_deref(r);
	return ENOMEM;
}

/* The last step: nothing of it is left afterwards, and the asker may do anything. */
static void work_answer(struct account_work *w)
{
	account_h *h = w->h;

	if (w->request)
		w->request->work = NULL;
	w->request = NULL;
	w->h = NULL;
	if (h)
		h(&w->answer, w->arg);
	mem_deref(w);
}

static void on_timer(void *arg)
{
	work_answer(arg);
}

int account_work_answer_soon(struct account_work *w, int err)
{
	w->answer.err = err;
	if (timer_start(w->as->core->loop->timers, &w->timer, 0, on_timer, w))
		return account_work_drop(w);
	return 0;
}

/* An operator sees that somebody guesses, and from where. */
static int work_refused(struct account_work *w, int err, const char *address)
{
	static struct log_gate gate;

	if (err == EAGAIN && log_gate_open(&gate, 5))
		log_warn(NULL, "account.slowed", "user=%s address=%s wait_s=%u",
			 *w->answer.user.user ? AT_SHORT(&w->answer.user) : "-",
			 address ? address : "-", w->answer.retry_s);
	return err;
}

int account_work_slow(struct account_work *w, const char *user_key, const struct sa *from)
{
	char key[SLOW_KEY_BYTES];
	int err = 0;

	if (from) {
		account_slow_address(key, from);
		err = account_slow_enter(w->as->slow_addrs, key, &w->answer.retry_s);
		if (!err)
			memcpy(w->slow_addr, key, sizeof(key));
	}
	if (user_key && !err) {
		err = account_slow_enter(w->as->slow_users, user_key, &w->answer.retry_s);
		if (!err)
			snprintf(w->slow_user, sizeof(w->slow_user), "%s", user_key);
	}
	return work_refused(w, err, from ? key : NULL);
}

void account_work_failed(struct account_work *w)
{
	work_slow_leave(w, SLOW_FAILED, SLOW_FAILED);
}

/* ---- the back office has answered ---- */

static void on_office(const struct office_result *result, void *arg);

static int work_send(struct account_work *w, char *secret, char *old)
{
	const struct limits *limits = &w->as->core->config->limits;
	struct office_job job = {
		.kind = w->kind,
		.secret = secret,
		.old = old,
		.days = w->kind == OFFICE_GRANT       ? limits->grant_days
			: w->kind == OFFICE_IDP_LOGIN ? limits->idp_session_days
						      : limits->session_days,
		.max = limits->sessions_per_user,
	};

	memcpy(job.site, w->answer.user.host, sizeof(job.site));
	memcpy(job.user, w->answer.user.user, sizeof(job.user));
	memcpy(job.token, w->token, sizeof(job.token));
	memcpy(job.session, w->answer.session, sizeof(job.session));
	memcpy(job.origin, w->answer.origin, sizeof(job.origin));
	if (!w->ring_stays)
		snprintf(job.ring, sizeof(job.ring), "%s",
			 account_ring_name(w->answer.ring));
	if (!w->relay_stays)
		snprintf(job.relay, sizeof(job.relay), "%s",
			 relay_rule_name(w->answer.relay));
	memcpy(job.other, w->other, sizeof(job.other));
	job.device = w->device;
	return office_post(w->as->core->office, &job, on_office, w, &w->office_id);
}

int account_work_post(struct account_work *w, char *secret, char *old)
{
	int err = work_send(w, secret, old);

	return err ? account_work_answer_soon(w, err) : 0;
}

/* Did the try count? A success says nothing about the address: its owner may have an account of his own
 * and guess at others from there. */
static void work_judge(struct account_work *w, int err)
{
	if (w->registers)
		work_slow_leave(w, SLOW_NEITHER,
				err == 0 || err == EEXIST ? SLOW_FAILED : SLOW_NEITHER);
	else if (err == EACCES)
		work_slow_leave(w, SLOW_FAILED, SLOW_FAILED);
	else
		work_slow_leave(w, err ? SLOW_NEITHER : SLOW_GOOD, SLOW_NEITHER);
}

/* Sign-ins have ended: `session` or, when that is NULL, all of the user but `but`. */
static void work_ended(struct account_work *w, const char *session, const char *but,
		       enum device_bye why)
{
	const struct addr *user = &w->answer.user;

	account_cache_drop(w->as->cache, user, session);
	for (struct le *le = w->as->works.head; le; le = le->next) {
		struct account_work *other = le->data;

		other->stale = true;
	}
	if (w->as->core->registry)
		registry_end(w->as->core->registry, user, session,
			     but && *but ? but : NULL, why);
	log_info(NULL, "account.ended", "user=%s why=%s", AT_SHORT(user),
		 why == DEVICE_SIGNED_OUT ? "sign-out"
		 : why == DEVICE_PASSWORD ? "password"
					  : "removed");
}

/* Nobody is there to take the new sign-in: it is undone. */
static void work_undo(struct account_work *w)
{
	struct office_job job = {.kind = OFFICE_LOGOUT};

	memcpy(job.site, w->answer.user.host, sizeof(job.site));
	memcpy(job.token, w->token, sizeof(job.token));
	(void)office_post(w->as->core->office, &job, NULL, NULL, NULL);
}

static void work_ring(struct account_work *w, const struct store_rules *rules)
{
	struct account_answer *a = &w->answer;
	struct addr other;

	/* what a later version has written there is not for anyone */
	if (account_ring_parse(&a->ring, rules->ring))
		a->ring = ACCOUNT_RING_VERIFIED_EMAIL;
	if (relay_rule_parse(&a->relay, rules->relay))
		a->relay = RELAY_ALWAYS;
	a->known = rules->known;
	account_rings_note(w->as->rings, &a->user, a->ring, a->relay);
	if (a->known && !addr_parse(&other, w->other, strlen(w->other)))
		account_rings_meet(w->as->rings, &a->user, &other);
}

static void work_succeeded(struct account_work *w, const struct office_result *result)
{
	if (w->kind == OFFICE_USER_ADD || w->kind == OFFICE_USER_REMOVE ||
	    w->kind == OFFICE_USER_DELETE)
		account_rings_drop(w->as->rings, &w->answer.user);
	switch (w->kind) {
	case OFFICE_IDP_LOGIN: /* nothing of the site's own signs itself in by this one */
		memcpy(w->answer.token, w->token, sizeof(w->answer.token));
		break;
	case OFFICE_LOGIN:
	case OFFICE_USER_ADD:
	case OFFICE_GRANT:
		if (!*w->token)
			break;
		if (!w->h) {
			work_undo(w);
			break;
		}
		memcpy(w->answer.token, w->token, sizeof(w->answer.token));
		if (!w->stale) /* else it may be over already: the store knows */
			account_cache_add(w->as->cache, w->token, &w->answer.user,
					  result->session, result->origin);
		break;
	case OFFICE_AUTHENTICATE:
		account_cache_add(w->as->cache, w->token, &w->answer.user,
				  result->session, result->origin);
		break;
	case OFFICE_LOGOUT:
		work_ended(w, result->session, NULL, DEVICE_SIGNED_OUT);
		break;
	case OFFICE_PASSWD:
		work_ended(w, NULL, result->session, DEVICE_PASSWORD);
		break;
	case OFFICE_SESSION_END:
		work_ended(w, result->session, NULL, DEVICE_SIGNED_OUT);
		break;
	case OFFICE_SESSION_END_OTHERS:
		work_ended(w, NULL, result->session, DEVICE_SIGNED_OUT);
		break;
	case OFFICE_USER_REMOVE:
	case OFFICE_USER_DELETE:
		work_ended(w, NULL, NULL, DEVICE_REMOVED);
		break;
	case OFFICE_RING:
	case OFFICE_RING_SET:
		work_ring(w, &result->rules);
		break;
	case OFFICE_USER_LIST:
	case OFFICE_USER_EXISTS:
	case OFFICE_SESSION_LIST:
	case OFFICE_KNOW:         /* nobody asks */
	case OFFICE_CALLS_CHANGE: /* kept.c's own */
	case OFFICE_CALLS_LEFT:
	case OFFICE_CALLS_SWEEP:
	case OFFICE_SPEND: /* spend.c's own */
	case OFFICE_SPENT:
	case OFFICE_KIND_N:
		break;
	}
}

static void on_office(const struct office_result *result, void *arg)
{
	struct account_work *w = arg;

	w->office_id = 0;
	work_judge(w, result->err);
	if (!result->err && w->kind == OFFICE_AUTHENTICATE && w->stale) {
		/* It may be this very sign-in that ended: the store says so now. */
		w->stale = false;
		w->answer.err = work_send(w, NULL, NULL);
		if (!w->answer.err)
			return;
	} else {
		w->answer.err = result->err;
	}
	memcpy(w->answer.user.user, result->user, sizeof(w->answer.user.user));
	memcpy(w->answer.session, result->session, sizeof(w->answer.session));
	memcpy(w->answer.origin, result->origin, sizeof(w->answer.origin));
	w->answer.usersv = result->usersv;
	w->answer.signs = result->signs;
	w->answer.n_signs = result->n_signs;
	if (!w->answer.err)
		work_succeeded(w, result);
	work_answer(w);
}
