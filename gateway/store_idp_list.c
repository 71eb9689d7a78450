/* gateway/store_idp_list.c - what a person has told the identity provider: whom to let have their name, how much of it, and
 * what they are called. Runs on the provider's thread; the SQL is in store_idp.c. */
#include "gateway/store_own.h"

enum { USED_EVERY_S = 300 };

/* Room for one more in a mem array. */
static int grow(void *vp, size_t n, size_t size)
{
	void **v = vp, *bigger = mem_realloc(*v, (n + 1) * size);

	if (!bigger)
		return ENOMEM;
	memset((uint8_t *)bigger + n * size, 0, size);
	*v = bigger;
	return 0;
}

static void consent_read(struct store_consent *c, const struct db_stmt *st)
{
	store_copy(c->origin, sizeof(c->origin), db_text(st, 0));
	c->frames = db_int(st, 1) != 0;
	c->own = db_int(st, 2) != 0;
	store_copy(c->claims, sizeof(c->claims), db_text(st, 3));
	c->since_s = db_int(st, 4);
	c->used_s = db_int(st, 5);
}

int store_idp_consent_set(struct store *s, const char *site, const char *user,
			  const struct store_consent *c)
{
	int err = db_exec(s->db, "BEGIN IMMEDIATE");
	struct db_stmt *st;

	if (err)
		return err;
	st = BIND(s, IDP_CONSENT_SET, &err, site, user, c->origin, c->claims);
	err = err ? err : db_bind_int(st, 5, c->frames);
	err = store_run_one(s, st, err);
	if (!err && !c->frames) {
		st = BIND(s, IDP_GRANT_END_AT, &err, site, user, c->origin);
		err = store_run(s, st, err, NULL);
	}
	return store_end(s, err);
}

int store_idp_consent_own(struct store *s, const char *site, const char *user,
			  const char *origin)
{
	int err;
	struct db_stmt *st = BIND(s, IDP_CONSENT_OWN, &err, site, user, origin);

	return store_run(s, st, err, NULL);
}

int store_idp_consent(struct store *s, const char *site, const char *user,
		      const char *origin, struct store_consent *c)
{
	int err;
	struct db_stmt *st = BIND(s, IDP_CONSENT, &err, site, user, origin);

	err = err ? err : db_step(st);
	if (!err)
		consent_read(c, st);
	db_reset(st);
	return err == ENODATA ? ENOENT : err;
}

int store_idp_consents(struct store *s, const char *site, const char *user,
		       struct store_consent **vp, size_t *n)
{
	struct store_consent *v = mem_alloc(sizeof(*v), NULL);
	size_t used = 0;
	int err;
	struct db_stmt *st = BIND(s, IDP_CONSENTS, &err, site, user);

	if (!v)
		err = ENOMEM;
	while (!err && !(err = db_step(st))) {
		err = grow(&v, used, sizeof(*v));
		if (!err)
			consent_read(&v[used++], st);
	}
	db_reset(st);
	if (err != ENODATA) {
		mem_deref(v);
		return err;
	}
	*vp = v;
	*n = used;
	return 0;
}

int store_idp_consent_used(struct store *s, const char *site, const char *user,
			   const struct store_consent *c, int64_t now_s)
{
	struct db_stmt *st;
	int err;

	if (c->used_s + USED_EVERY_S > now_s)
		return 0;
	st = BIND(s, IDP_CONSENT_USED, &err, site, user, c->origin);
	err = err ? err : db_bind_int(st, 4, now_s);
	return store_run(s, st, err, NULL);
}

int store_idp_consent_end(struct store *s, const char *site, const char *user,
			  const char *origin)
{
	int err;
	struct db_stmt *st = BIND(s, IDP_CONSENT_END, &err, site, user, origin);

	return store_run_one(s, st, err);
}

int store_idp_rules(struct store *s, const char *site, const char *user,
		    struct store_rule **vp, size_t *n)
{
	struct store_rule *v = mem_alloc(sizeof(*v), NULL);
	size_t used = 0;
	int err;
	struct db_stmt *st = BIND(s, IDP_RULES, &err, site, user);

	if (!v)
		err = ENOMEM;
	while (!err && !(err = db_step(st))) {
		err = grow(&v, used, sizeof(*v));
		if (err)
			break;
		store_copy(v[used].whom, sizeof(v->whom), db_text(st, 0));
		store_copy(v[used].reveal, sizeof(v->reveal), db_text(st, 1));
		store_copy(v[used++].claims, sizeof(v->claims), db_text(st, 2));
	}
	db_reset(st);
	if (err != ENODATA) {
		mem_deref(v);
		return err;
	}
	*vp = v;
	*n = used;
	return 0;
}

int store_idp_rules_set(struct store *s, const char *site, const char *user,
			const struct store_rule *v, size_t n)
{
	int err = db_exec(s->db, "BEGIN IMMEDIATE");
	struct db_stmt *st;

	if (err)
		return err;
	st = BIND(s, IDP_RULES_CLEAR, &err, site, user);
	err = store_run(s, st, err, NULL);
	for (size_t i = 0; i < n && !err; i++) {
		st = BIND(s, IDP_RULE_ADD, &err, site, user, v[i].whom, v[i].reveal,
			  v[i].claims);
		err = err ? err : db_bind_int(st, 6, (int64_t)i);
		err = store_run_one(s, st, err);
	}
	return store_end(s, err);
}

int store_idp_profile(struct store *s, const char *site, const char *user,
		      struct store_profile *p)
{
	int err;
	struct db_stmt *st = BIND(s, IDP_PROFILE, &err, site, user);

	memset(p, 0, sizeof(*p));
	err = err ? err : db_step(st);
	if (!err) {
		store_copy(p->name, sizeof(p->name), db_text(st, 0));
		store_copy(p->picture, sizeof(p->picture), db_text(st, 1));
		store_copy(p->email, sizeof(p->email), db_text(st, 2));
		p->email_verified = db_int(st, 3) != 0;
	}
	db_reset(st);
	return err == ENODATA ? 0 : err;
}

int store_idp_profile_set(struct store *s, const char *site, const char *user,
			  const struct store_profile *p)
{
	int err;
	struct db_stmt *st =
		BIND(s, IDP_PROFILE_SET, &err, site, user, p->name, p->picture, p->email);

	err = err ? err : db_bind_int(st, 6, p->email_verified);
	return store_run_one(s, st, err);
}
