/* gateway/office_work.c - the jobs of the back office, one function a kind: scrypt and the store. Runs on the
 * office threads; called by office.c, calls gateway/store.h and lib/secret.h. No state of its own. */
#include "gateway/office_work.h"

#include "gateway/store_idp.h"
#include "lib/clock.h"

bool office_work_is_heavy(enum office_kind kind)
{
	return kind == OFFICE_LOGIN || kind == OFFICE_IDP_LOGIN ||
	       kind == OFFICE_PASSWD || kind == OFFICE_USER_ADD ||
	       kind == OFFICE_USER_DELETE;
}

const char *office_kind_name(enum office_kind kind)
{
	switch (kind) {
	case OFFICE_LOGIN:
		return "login";
	case OFFICE_IDP_LOGIN:
		return "idp-login";
	case OFFICE_AUTHENTICATE:
		return "authenticate";
	case OFFICE_LOGOUT:
		return "logout";
	case OFFICE_PASSWD:
		return "passwd";
	case OFFICE_USER_ADD:
		return "user-add";
	case OFFICE_USER_REMOVE:
		return "user-remove";
	case OFFICE_USER_LIST:
		return "user-list";
	case OFFICE_USER_EXISTS:
		return "user-exists";
	case OFFICE_USER_DELETE:
		return "user-delete";
	case OFFICE_SESSION_LIST:
		return "session-list";
	case OFFICE_SESSION_END:
		return "session-end";
	case OFFICE_SESSION_END_OTHERS:
		return "session-end-others";
	case OFFICE_GRANT:
		return "grant";
	case OFFICE_RING:
		return "ring";
	case OFFICE_RING_SET:
		return "ring-set";
	case OFFICE_KNOW:
		return "know";
	case OFFICE_CALLS_CHANGE:
		return "calls-change";
	case OFFICE_CALLS_LEFT:
		return "calls-left";
	case OFFICE_CALLS_SWEEP:
		return "calls-sweep";
	case OFFICE_SPEND:
		return "spend";
	case OFFICE_SPENT:
		return "spent";
	case OFFICE_KIND_N:
		break;
	}
	return "?";
}

void office_job_clear(struct office_job *job)
{
	job->secret = mem_deref(job->secret);
	job->old = mem_deref(job->old);
	secret_wipe(job->token, sizeof(job->token));
	job->calls = mem_deref(job->calls);
}

void office_result_clear(struct office_result *result)
{
	result->usersv = mem_deref(result->usersv);
	result->signs = mem_deref(result->signs);
	result->calls = mem_deref(result->calls);
	result->spentv = mem_deref(result->spentv);
}

/* Is `password` this user's? Gives the hash it was held against. A name that does not exist, or has none, takes the
 * same time. Errors: EACCES. */
static int check(struct office_bench *b, const struct office_job *job,
		 const char *password, char hash[SECRET_PASSWORD_TEXT])
{
	int found = store_user_hash(b->store, job->site, job->user, hash), err;

	if (found && found != ENOENT)
		return found;
	if (!found && !strcmp(hash, STORE_NO_PASSWORD))
		found = ENOENT;
	if (found == ENOENT)
		memcpy(hash, b->dummy, sizeof(b->dummy));
	err = secret_password_check(hash, password, strlen(password));
	return found == ENOENT ? EACCES : err;
}

static int hash_new(struct office_bench *b, const char *password,
		    char hash[SECRET_PASSWORD_TEXT])
{
	return secret_password_hash(hash, password, strlen(password), b->password_log2n);
}

/* A hash of another cost than today's would be told from the dummy by its time. */
static void hash_renew(struct office_bench *b, const struct office_job *job,
		       char hash[SECRET_PASSWORD_TEXT])
{
	char cost[32], fresh[SECRET_PASSWORD_TEXT];

	snprintf(cost, sizeof(cost), "$scrypt$ln=%u,", b->password_log2n);
	if (!strncmp(hash, cost, strlen(cost)) || hash_new(b, job->secret, fresh))
		return;
	if (!store_user_hash_set(b->store, job->site, job->user, hash, fresh))
		memcpy(hash, fresh, sizeof(fresh));
}

static int sign_in(struct office_bench *b, const struct office_job *job, const char *hash,
		   struct office_result *r)
{
	if (job->kind == OFFICE_IDP_LOGIN)
		return store_idp_session_add(
			b->store, job->site, job->user, hash, job->token,
			clock_wall_s() + (int64_t)job->days * 86400, job->max);
	return store_session_add(b->store, job->site, job->user, hash, job->token,
				 clock_wall_s() + (int64_t)job->days * 86400, job->max,
				 &job->device, r->session);
}

static int do_login(struct office_bench *b, const struct office_job *job,
		    struct office_result *r)
{
	char hash[SECRET_PASSWORD_TEXT];
	int err = check(b, job, job->secret, hash);

	if (err)
		return err;
	hash_renew(b, job, hash);
	err = sign_in(b, job, hash, r);
	return err == ENOENT ? EACCES : err; /* changed or removed meanwhile */
}

static int do_authenticate(struct office_bench *b, const struct office_job *job,
			   struct office_result *r)
{
	int err = store_session_find(b->store, job->site, job->token, clock_wall_s(),
				     r->user, r->session, r->origin);

	return err == ENOENT ? EACCES : err;
}

static int do_logout(struct office_bench *b, const struct office_job *job,
		     struct office_result *r)
{
	int err = store_session_remove(b->store, job->site, job->token, r->user,
				       r->session);

	return err == ENOENT ? EACCES : err;
}

static int do_passwd(struct office_bench *b, const struct office_job *job,
		     struct office_result *r)
{
	char hash[SECRET_PASSWORD_TEXT], fresh[SECRET_PASSWORD_TEXT],
		user[sizeof(r->user)];
	int err = job->old ? check(b, job, job->old, hash) : 0;

	if (!err)
		err = hash_new(b, job->secret, fresh);
	if (err)
		return err;
	err = store_user_passwd(b->store, job->site, job->user, job->old ? hash : NULL,
				fresh, *job->token ? job->token : NULL);
	if (err)
		return err == ENOENT && job->old ? EACCES : err;
	if (*job->token)
		(void)store_session_find(b->store, job->site, job->token, clock_wall_s(),
					 user, r->session, NULL);
	return 0;
}

static int do_user_delete(struct office_bench *b, const struct office_job *job)
{
	char hash[SECRET_PASSWORD_TEXT];
	int err = check(b, job, job->secret, hash);

	return err ? err : store_user_remove(b->store, job->site, job->user);
}

static int do_end_others(struct office_bench *b, const struct office_job *job,
			 struct office_result *r)
{
	char user[sizeof(r->user)];
	int err = store_session_find(b->store, job->site, job->token, clock_wall_s(),
				     user, r->session, NULL);

	if (!err && strcmp(user, job->user) != 0)
		err = ENOENT;
	if (!err)
		err = store_session_end_others(b->store, job->site, job->user,
					       job->token);
	return err == ENOENT ? EACCES : err;
}

static int do_grant(struct office_bench *b, const struct office_job *job,
		    struct office_result *r)
{
	int err = store_session_grant(b->store, job->site, job->old, job->token,
				      job->origin,
				      clock_wall_s() + (int64_t)job->days * 86400,
				      job->max, r->user, r->session);

	memcpy(r->origin, job->origin, sizeof(r->origin));
	return err == ENOENT ? EACCES : err;
}

static int do_user_add(struct office_bench *b, const struct office_job *job,
		       struct office_result *r)
{
	char hash[SECRET_PASSWORD_TEXT];
	int err = store_user_hash(b->store, job->site, job->user, hash);

	if (err != ENOENT)
		return err ? err : EEXIST;
	err = hash_new(b, job->secret, hash);
	if (!err)
		err = store_user_add(b->store, job->site, job->user, hash);
	if (!err && *job->token)
		err = sign_in(b, job, hash, r);
	return err;
}

static int do_rules_set(struct office_bench *b, const struct office_job *job,
			struct office_result *r)
{
	int err = 0;

	if (*job->ring)
		err = store_user_ring_set(b->store, job->site, job->user, job->ring);
	if (!err && *job->relay)
		err = store_user_relay_set(b->store, job->site, job->user, job->relay);
	return err ? err
		   : store_user_rules(b->store, job->site, job->user, NULL, &r->rules);
}

void office_work(struct office_bench *b, const struct office_job *job,
		 struct office_result *r)
{
	char hash[SECRET_PASSWORD_TEXT];

	*r = (struct office_result){.kind = job->kind, .id = job->id, .err = EINVAL};
	memcpy(r->user, job->user, sizeof(r->user));
	switch (job->kind) {
	case OFFICE_LOGIN:
	case OFFICE_IDP_LOGIN:
		r->err = do_login(b, job, r);
		break;
	case OFFICE_AUTHENTICATE:
		r->err = do_authenticate(b, job, r);
		break;
	case OFFICE_LOGOUT:
		r->err = do_logout(b, job, r);
		break;
	case OFFICE_PASSWD:
		r->err = do_passwd(b, job, r);
		break;
	case OFFICE_USER_ADD:
		r->err = do_user_add(b, job, r);
		break;
	case OFFICE_USER_REMOVE:
		r->err = store_user_remove(b->store, job->site, job->user);
		break;
	case OFFICE_USER_LIST:
		r->err = store_user_list(b->store, job->site, &r->usersv);
		break;
	case OFFICE_USER_EXISTS:
		r->err = store_user_hash(b->store, job->site, job->user, hash);
		break;
	case OFFICE_USER_DELETE:
		r->err = do_user_delete(b, job);
		break;
	case OFFICE_SESSION_LIST:
		r->err = store_session_list(b->store, job->site, job->user,
					    clock_wall_s(), &r->signs, &r->n_signs);
		break;
	case OFFICE_SESSION_END:
		r->err = store_session_end(b->store, job->site, job->user, job->session);
		memcpy(r->session, job->session, sizeof(r->session));
		break;
	case OFFICE_SESSION_END_OTHERS:
		r->err = do_end_others(b, job, r);
		break;
	case OFFICE_GRANT:
		r->err = do_grant(b, job, r);
		break;
	case OFFICE_RING:
		r->err = store_user_rules(b->store, job->site, job->user, job->other,
					  &r->rules);
		break;
	case OFFICE_RING_SET:
		r->err = do_rules_set(b, job, r);
		break;
	case OFFICE_KNOW:
		r->err = store_known_add(b->store, job->site, job->user, job->other);
		break;
	case OFFICE_CALLS_CHANGE:
		r->err = store_calls_change(b->store, job->run, job->calls);
		break;
	case OFFICE_CALLS_LEFT:
		r->err = store_calls_left(b->store, job->run, job->max, &r->calls);
		break;
	case OFFICE_CALLS_SWEEP:
		r->err = store_calls_sweep(b->store, job->run);
		break;
	case OFFICE_SPEND:
		r->err = store_spend(b->store, &job->spent);
		break;
	case OFFICE_SPENT:
		r->err = store_spent_list(b->store, job->spent.day, &r->spentv,
					  &r->n_spent);
		break;
	case OFFICE_KIND_N:
		break;
	}
}
