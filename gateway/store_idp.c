/* gateway/store_idp.c - the rows of the identity provider: keys, sessions, grants, codes, and who somebody is elsewhere; all
 * SQL of it. Runs on the provider's thread and, for signing in, on the back office's; called by idp/ and office_work.c. What
 * comes as lists is in store_idp_list.c. */
#include "gateway/store_own.h"

#include "lib/clock.h"

enum { EXTEND_EVERY_S = 3600 };

const char *const store_idp_queries[QUERY_N - QUERY_IDP] = {
#define Q(name) [IDP_##name - QUERY_IDP]
	Q(KEYS) = "SELECT kid, x, y, secret, created, retired FROM idp_key "
		  "WHERE site = ?1 ORDER BY retired <> 0, retired DESC",
	Q(KEY_RETIRE) = "UPDATE idp_key SET retired = unixepoch() "
			"WHERE site = ?1 AND retired = 0",
	Q(KEY_ADD) = "INSERT INTO idp_key (site, kid, x, y, secret, created) "
		     "VALUES (?1, ?2, ?3, ?4, ?5, unixepoch())",
	Q(KEY_SWEEP) = "DELETE FROM idp_key WHERE site = ?1 AND retired <> 0 "
		       "AND retired <= ?2",
	Q(SECRET_MAKE) = "INSERT OR IGNORE INTO idp_secret (site, pairwise) "
			 "VALUES (?1, ?2)",
	Q(SECRET) = "SELECT pairwise FROM idp_secret WHERE site = ?1",
	Q(SESSION_ADD) = "INSERT INTO idp_session (token_sha256, site, user, created, "
			 "expires) SELECT ?3, site, user, unixepoch(), ?5 FROM account "
			 "WHERE site = ?1 AND user = ?2 AND hash = coalesce(?4, hash)",
	Q(SESSION_TRIM) = "DELETE FROM idp_session WHERE site = ?1 AND user = ?2 AND "
			  "number NOT IN (SELECT number FROM idp_session WHERE site = ?1 "
			  "AND user = ?2 ORDER BY number DESC LIMIT ?3)",
	Q(SESSION_EXPIRE) = "DELETE FROM idp_session WHERE expires <= ?1",
	Q(SESSION_FIND) = "SELECT user FROM idp_session WHERE token_sha256 = ?1 "
			  "AND site = ?2 AND expires > ?3",
	Q(SESSION_END) = "DELETE FROM idp_session WHERE token_sha256 = ?1 AND site = ?2",
	Q(SESSION_END_ALL) = "DELETE FROM idp_session WHERE site = ?1 AND user = ?2",
	Q(GRANT_ADD) =
		"INSERT INTO idp_grant (token_sha256, site, user, origin, created, "
		"expires) SELECT ?4, site, user, origin, unixepoch(), ?5 "
		"FROM idp_consent WHERE site = ?1 AND user = ?2 AND origin = ?3",
	Q(GRANT_TRIM) = "DELETE FROM idp_grant WHERE site = ?1 AND user = ?2 AND "
			"origin = ?3 AND number NOT IN (SELECT number FROM idp_grant "
			"WHERE site = ?1 AND user = ?2 AND origin = ?3 "
			"ORDER BY number DESC LIMIT ?4)",
	Q(GRANT_EXPIRE) = "DELETE FROM idp_grant WHERE expires <= ?1",
	Q(GRANT_FIND) = "SELECT user, origin, expires FROM idp_grant "
			"WHERE token_sha256 = ?1 AND site = ?2 AND expires > ?3",
	Q(GRANT_EXTEND) = "UPDATE idp_grant SET expires = ?2 WHERE token_sha256 = ?1",
	Q(GRANT_END_ALL) = "DELETE FROM idp_grant WHERE site = ?1 AND user = ?2",
	Q(GRANT_END_AT) = "DELETE FROM idp_grant WHERE site = ?1 AND user = ?2 "
			  "AND origin = ?3",
	Q(CONSENT_SET) = "INSERT INTO idp_consent (site, user, origin, claims, frames, "
			 "since, used) SELECT site, user, ?3, ?4, ?5, unixepoch(), 0 "
			 "FROM account WHERE site = ?1 AND user = ?2 "
			 "ON CONFLICT (site, user, origin) DO UPDATE SET "
			 "frames = excluded.frames, claims = excluded.claims",
	Q(CONSENT_OWN) = "INSERT OR IGNORE INTO idp_consent (site, user, origin, claims, "
			 "frames, own, since, used) "
			 "SELECT site, user, ?3, '*', 1, 1, unixepoch(), 0 "
			 "FROM account WHERE site = ?1 AND user = ?2",
	Q(CONSENT) = "SELECT origin, frames, own, claims, since, used FROM idp_consent "
		     "WHERE site = ?1 AND user = ?2 AND origin = ?3",
	Q(CONSENTS) = "SELECT origin, frames, own, claims, since, used FROM idp_consent "
		      "WHERE site = ?1 AND user = ?2 ORDER BY since, origin",
	Q(CONSENT_USED) = "UPDATE idp_consent SET used = ?4 "
			  "WHERE site = ?1 AND user = ?2 AND origin = ?3",
	Q(CONSENT_END) = "DELETE FROM idp_consent "
			 "WHERE site = ?1 AND user = ?2 AND origin = ?3",
	Q(CODE_ADD) = "INSERT INTO idp_code (code_sha256, site, user, origin, challenge, "
		      "expires) SELECT ?4, site, user, origin, ?5, ?6 FROM idp_consent "
		      "WHERE site = ?1 AND user = ?2 AND origin = ?3",
	Q(CODE_EXPIRE) = "DELETE FROM idp_code WHERE expires <= ?1",
	Q(CODE_TAKE) =
		"DELETE FROM idp_code WHERE code_sha256 = ?1 AND site = ?2 "
		"RETURNING user, origin, challenge, expires, "
		"(SELECT own FROM idp_consent AS c WHERE c.site = idp_code.site AND "
		"c.user = idp_code.user AND c.origin = idp_code.origin)",
	Q(RULES) = "SELECT whom, reveal, claims FROM idp_rule "
		   "WHERE site = ?1 AND user = ?2 ORDER BY place",
	Q(RULES_CLEAR) = "DELETE FROM idp_rule WHERE site = ?1 AND user = ?2",
	Q(RULE_ADD) = "INSERT INTO idp_rule (site, user, whom, reveal, claims, place) "
		      "SELECT site, user, ?3, ?4, ?5, ?6 FROM account "
		      "WHERE site = ?1 AND user = ?2",
	Q(PROFILE) = "SELECT name, picture, email, email_verified FROM idp_profile "
		     "WHERE site = ?1 AND user = ?2",
	Q(PROFILE_SET) = "INSERT OR REPLACE INTO idp_profile (site, user, name, picture, "
			 "email, email_verified) SELECT site, user, ?3, ?4, ?5, ?6 "
			 "FROM account WHERE site = ?1 AND user = ?2",
	Q(UPSTREAM) = "UPDATE idp_upstream SET used = unixepoch() "
		      "WHERE site = ?1 AND issuer = ?2 AND sub = ?3 RETURNING user",
	Q(UPSTREAM_ADD) = "INSERT INTO idp_upstream (site, issuer, sub, user, created, "
			  "used) SELECT site, ?2, ?3, user, unixepoch(), unixepoch() "
			  "FROM account WHERE site = ?1 AND user = ?4",
	Q(UPSTREAM_COUNT) = "SELECT count(*) FROM idp_upstream "
			    "WHERE site = ?1 AND issuer = ?2 AND user = ?3",
	Q(UPSTREAM_END) = "DELETE FROM idp_upstream "
			  "WHERE site = ?1 AND issuer = ?2 AND user = ?3",
#undef Q
};

/* ---- keys ---- */

int store_idp_keys(struct store *s, const char *site, struct store_idp_key **vp,
		   size_t *n)
{
	struct store_idp_key *v = NULL, *bigger;
	size_t used = 0;
	int err;
	struct db_stmt *st = BIND(s, IDP_KEYS, &err, site);

	v = mem_alloc(sizeof(*v), NULL);
	if (!v)
		err = ENOMEM;
	while (!err && !(err = db_step(st))) {
		bigger = mem_realloc(v, (used + 1) * sizeof(*v));
		if (!bigger) {
			err = ENOMEM;
			break;
		}
		v = bigger;
		store_copy(v[used].kid, sizeof(v->kid), db_text(st, 0));
		store_copy(v[used].x, sizeof(v->x), db_text(st, 1));
		store_copy(v[used].y, sizeof(v->y), db_text(st, 2));
		store_copy(v[used].secret, sizeof(v->secret), db_text(st, 3));
		v[used].created_s = db_int(st, 4);
		v[used++].retired_s = db_int(st, 5);
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

int store_idp_key_add(struct store *s, const char *site, const struct store_idp_key *key)
{
	int err = db_exec(s->db, "BEGIN IMMEDIATE");
	struct db_stmt *st;

	if (err)
		return err;
	st = BIND(s, IDP_KEY_RETIRE, &err, site);
	err = store_run(s, st, err, NULL);
	if (!err) {
		st = BIND(s, IDP_KEY_ADD, &err, site, key->kid, key->x, key->y,
			  key->secret);
		err = store_run(s, st, err, NULL);
	}
	return store_end(s, err);
}

int store_idp_keys_sweep(struct store *s, const char *site, int64_t until_s)
{
	int err;
	struct db_stmt *st = BIND(s, IDP_KEY_SWEEP, &err, site);

	err = err ? err : db_bind_int(st, 2, until_s);
	return store_run(s, st, err, NULL);
}

int store_idp_secret(struct store *s, const char *site, const char *fresh, char *out)
{
	int err;
	struct db_stmt *st = BIND(s, IDP_SECRET_MAKE, &err, site, fresh);

	err = store_run(s, st, err, NULL);
	if (err)
		return err;
	st = BIND(s, IDP_SECRET, &err, site);
	err = err ? err : db_step(st);
	if (!err)
		store_copy(out, STORE_TOKEN_HEX + 1, db_text(st, 0));
	db_reset(st);
	return err == ENODATA ? ENOENT : err;
}

/* One more, all or nothing: then the oldest go that are too many, and those whose time is over. `err` is of the binding. */
static int add_bounded(struct store *s, struct db_stmt *add, struct db_stmt *trim,
		       unsigned expire, int err)
{
	struct db_stmt *old = s->stmtv[expire];

	if (!err)
		err = db_exec(s->db, "BEGIN IMMEDIATE");
	if (err) {
		db_reset(add);
		db_reset(trim);
		return err;
	}
	err = store_run(s, trim, store_run_one(s, add, 0), NULL);
	db_reset(old);
	err = err ? err : db_bind_int(old, 1, clock_wall_s());
	return store_end(s, store_run(s, old, err, NULL));
}

/* ---- sessions ---- */

int store_idp_session_add(struct store *s, const char *site, const char *user,
			  const char *hash, const char *token, int64_t expires_s,
			  uint32_t max)
{
	char sha[2 * SECRET_SHA256_BYTES + 1];
	int err = store_token_hash(sha, token), err_trim;
	struct db_stmt *add, *trim;

	if (err)
		return err;
	add = BIND(s, IDP_SESSION_ADD, &err, site, user, sha, hash);
	err = err ? err : db_bind_int(add, 5, expires_s);
	trim = BIND(s, IDP_SESSION_TRIM, &err_trim, site, user);
	err_trim = err_trim ? err_trim : db_bind_int(trim, 3, max);
	return add_bounded(s, add, trim, IDP_SESSION_EXPIRE, err ? err : err_trim);
}

int store_idp_session_find(struct store *s, const char *site, const char *token,
			   int64_t now_s, char *user)
{
	char sha[2 * SECRET_SHA256_BYTES + 1];
	int err = store_token_hash(sha, token);
	struct db_stmt *st;

	if (err)
		return err;
	st = BIND(s, IDP_SESSION_FIND, &err, sha, site);
	err = err ? err : db_bind_int(st, 3, now_s);
	err = err ? err : db_step(st);
	if (!err)
		store_copy(user, ADDR_USER_MAX + 1, db_text(st, 0));
	db_reset(st);
	return err == ENODATA ? ENOENT : err;
}

int store_idp_session_end(struct store *s, const char *site, const char *token)
{
	char sha[2 * SECRET_SHA256_BYTES + 1];
	int err = store_token_hash(sha, token);
	struct db_stmt *st;

	if (err)
		return err;
	st = BIND(s, IDP_SESSION_END, &err, sha, site);
	return store_run_one(s, st, err);
}

int store_idp_end_all(struct store *s, const char *site, const char *user)
{
	int err;
	struct db_stmt *st = BIND(s, IDP_SESSION_END_ALL, &err, site, user);

	err = store_run(s, st, err, NULL);
	if (err)
		return err;
	st = BIND(s, IDP_GRANT_END_ALL, &err, site, user);
	return store_run(s, st, err, NULL);
}

/* ---- codes and grants ---- */

int store_idp_code_add(struct store *s, const char *site, const struct store_code *c,
		       const char *code, int64_t expires_s)
{
	char sha[2 * SECRET_SHA256_BYTES + 1];
	int err = store_token_hash(sha, code);
	struct db_stmt *st = s->stmtv[IDP_CODE_EXPIRE];

	if (err)
		return err;
	db_reset(st);
	err = db_bind_int(st, 1, clock_wall_s());
	err = store_run(s, st, err, NULL);
	if (err)
		return err;
	st = BIND(s, IDP_CODE_ADD, &err, site, c->user, c->origin, sha, c->challenge);
	err = err ? err : db_bind_int(st, 6, expires_s);
	return store_run_one(s, st, err);
}

int store_idp_code_take(struct store *s, const char *site, const char *code,
			int64_t now_s, struct store_code *c)
{
	char sha[2 * SECRET_SHA256_BYTES + 1];
	int err = store_token_hash(sha, code);
	int64_t expires_s = 0;
	struct db_stmt *st;

	if (err)
		return err;
	st = BIND(s, IDP_CODE_TAKE, &err, sha, site);
	err = err ? err : db_step(st);
	if (!err) {
		store_copy(c->user, sizeof(c->user), db_text(st, 0));
		store_copy(c->origin, sizeof(c->origin), db_text(st, 1));
		store_copy(c->challenge, sizeof(c->challenge), db_text(st, 2));
		expires_s = db_int(st, 3);
		c->own = db_int(st, 4) != 0;
		err = db_step(st); /* the end of it makes it so */
		err = err == ENODATA ? 0 : err;
	} else if (err == ENODATA) {
		err = ENOENT;
	}
	db_reset(st);
	return err ? err : expires_s > now_s ? 0 : ENOENT;
}

int store_idp_grant_add(struct store *s, const char *site, const char *user,
			const char *origin, const char *token, int64_t expires_s,
			uint32_t max)
{
	char sha[2 * SECRET_SHA256_BYTES + 1];
	int err = store_token_hash(sha, token), err_trim;
	struct db_stmt *add, *trim;

	if (err)
		return err;
	add = BIND(s, IDP_GRANT_ADD, &err, site, user, origin, sha);
	err = err ? err : db_bind_int(add, 5, expires_s);
	trim = BIND(s, IDP_GRANT_TRIM, &err_trim, site, user, origin);
	err_trim = err_trim ? err_trim : db_bind_int(trim, 4, max);
	return add_bounded(s, add, trim, IDP_GRANT_EXPIRE, err ? err : err_trim);
}

int store_idp_grant_find(struct store *s, const char *site, const char *token,
			 int64_t now_s, int64_t until_s, char *user, char *origin)
{
	char sha[2 * SECRET_SHA256_BYTES + 1];
	int err = store_token_hash(sha, token), late;
	bool extend = false;
	struct db_stmt *st;

	if (err)
		return err;
	st = BIND(s, IDP_GRANT_FIND, &err, sha, site);
	err = err ? err : db_bind_int(st, 3, now_s);
	err = err ? err : db_step(st);
	if (!err) {
		store_copy(user, ADDR_USER_MAX + 1, db_text(st, 0));
		store_copy(origin, STORE_ORIGIN_MAX + 1, db_text(st, 1));
		extend = db_int(st, 2) + EXTEND_EVERY_S <= until_s;
	}
	db_reset(st);
	if (extend) {
		st = BIND(s, IDP_GRANT_EXTEND, &late, sha);
		late = late ? late : db_bind_int(st, 2, until_s);
		(void)store_run(s, st, late, NULL); /* the next look does it */
	}
	return err == ENODATA ? ENOENT : err;
}

/* ---- who somebody is elsewhere ---- */

int store_idp_upstream(struct store *s, const char *site, const char *issuer,
		       const char *sub, char *user)
{
	int err;
	struct db_stmt *st = BIND(s, IDP_UPSTREAM, &err, site, issuer, sub);

	err = err ? err : db_step(st);
	if (!err) {
		store_copy(user, ADDR_USER_MAX + 1, db_text(st, 0));
		err = db_step(st);
		err = err == ENODATA ? 0 : err;
	} else if (err == ENODATA) {
		err = ENOENT;
	}
	db_reset(st);
	return err;
}

int store_idp_upstream_add(struct store *s, const char *site, const char *issuer,
			   const char *sub, const char *user)
{
	int err;
	struct db_stmt *st = BIND(s, IDP_UPSTREAM_ADD, &err, site, issuer, sub, user);

	return store_run_one(s, st, err);
}

int store_idp_upstream_count(struct store *s, const char *site, const char *issuer,
			     const char *user, unsigned *n)
{
	int err;
	struct db_stmt *st = BIND(s, IDP_UPSTREAM_COUNT, &err, site, issuer, user);

	err = err ? err : db_step(st);
	if (!err)
		*n = (unsigned)db_int(st, 0);
	db_reset(st);
	return err;
}

int store_idp_upstream_end(struct store *s, const char *site, const char *issuer,
			   const char *user)
{
	int err, n = 0;
	struct db_stmt *st = BIND(s, IDP_UPSTREAM_END, &err, site, issuer, user);

	err = store_run(s, st, err, &n);
	return err ? err : n ? 0 : ENOENT;
}
