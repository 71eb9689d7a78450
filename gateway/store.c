/* gateway/store.c - opening the store; the SQL of accounts, sign-ins and calls, and what is done with the first two. Runs on the back office's
 * threads, each with a store of its own; called by office_work.c, calls lib/db.h. Statements are prepared once. */
#include "gateway/store_own.h"

#include "lib/clock.h"
#include "lib/secret.h"

/* How far behind the time may be at which a sign-in was seen. */
enum { SEEN_EVERY_S = 300 };

static const char *const queries[QUERY_IDP] = {
	[USER_ADD] = "INSERT INTO account (site, user, hash, created) "
		     "VALUES (?1, ?2, ?3, unixepoch())",
	[USER_REMOVE] = "DELETE FROM account WHERE site = ?1 AND user = ?2",
	[USER_HASH] = "SELECT hash FROM account WHERE site = ?1 AND user = ?2",
	[USER_HASH_SET] = "UPDATE account SET hash = ?3 WHERE site = ?1 AND user = ?2 "
			  "AND hash = coalesce(?4, hash)",
	[USER_RING] =
		"SELECT ring, relay, EXISTS (SELECT 1 FROM known WHERE site = ?1 AND "
		"user = ?2 AND other = ?3) FROM account WHERE site = ?1 AND user = ?2",
	[USER_RELAY_SET] = "UPDATE account SET relay = ?3 WHERE site = ?1 AND user = ?2",
	[KNOWN_ADD] = "INSERT OR REPLACE INTO known (site, user, other, seen) "
		      "SELECT site, user, ?3, unixepoch() FROM account "
		      "WHERE site = ?1 AND user = ?2",
	[KNOWN_TRIM] = "DELETE FROM known WHERE site = ?1 AND user = ?2 AND other IN "
		       "(SELECT other FROM known WHERE site = ?1 AND user = ?2 "
		       "ORDER BY seen DESC LIMIT -1 OFFSET ?3)",
	[USER_RING_SET] = "UPDATE account SET ring = ?3 WHERE site = ?1 AND user = ?2",
	[USER_LIST] = "SELECT user FROM account WHERE site = ?1 ORDER BY user",
	[SESSION_ADD] = "INSERT INTO session (token_sha256, name, site, user, device, "
			"agent, expires, created, seen) "
			"SELECT ?4, ?5, site, user, ?6, ?7, ?8, unixepoch(), unixepoch() "
			"FROM account WHERE site = ?1 AND user = ?2 AND hash = ?3",
	[SESSION_GRANT] =
		"INSERT INTO session (token_sha256, name, site, user, device, "
		"agent, origin, expires, created, seen) "
		"SELECT ?3, ?4, site, user, device, agent, ?5, ?6, unixepoch(), "
		"unixepoch() FROM session WHERE site = ?1 AND token_sha256 = ?2 "
		"AND origin = '' AND expires > unixepoch() RETURNING user, name",
	[SESSION_SEEN] = "UPDATE session SET seen = ?2 WHERE token_sha256 = ?1",
	[SESSION_LIST] = "SELECT name, device, agent, origin, created, seen, expires "
			 "FROM session WHERE site = ?1 AND user = ?2 AND expires > ?3 "
			 "ORDER BY number",
	[SESSION_END] = "DELETE FROM session WHERE site = ?1 AND user = ?2 AND name = ?3",
	[SESSION_TRIM] =
		"DELETE FROM session WHERE site = ?1 AND user = ?2 AND number NOT IN "
		"(SELECT number FROM session WHERE site = ?1 AND user = ?2 "
		"ORDER BY number DESC LIMIT ?3)",
	[SESSION_EXPIRE] = "DELETE FROM session WHERE expires <= ?1",
	[SESSION_FIND] = "SELECT user, name, origin, seen FROM session "
			 "WHERE token_sha256 = ?1 AND site = ?2 AND expires > ?3",
	[SESSION_REMOVE] = "DELETE FROM session WHERE token_sha256 = ?1 AND site = ?2 "
			   "RETURNING user, name",
	[SESSION_REMOVE_ALL] = "DELETE FROM session WHERE site = ?1 AND user = ?2 "
			       "AND token_sha256 IS NOT ?3",
	[CALL_ADD] = "INSERT OR REPLACE INTO call (id, run, a, b, dialog, a_here, "
		     "b_here, since) "
		     "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, unixepoch())",
	[CALL_DROP] = "DELETE FROM call WHERE id = ?1",
	[CALL_LEFT] = "SELECT id, a, b, dialog, a_here, b_here FROM call "
		      "WHERE run <> ?1 ORDER BY since DESC LIMIT ?2",
	[CALL_SWEEP] = "DELETE FROM call WHERE run <> ?1",
	[CALL_FORGET] =
		"DELETE FROM call WHERE (a = ?1 AND a_here) OR (b = ?1 AND b_here)",
	[SPEND_ADD] =
		"INSERT INTO spent (user, trunk, day, minutes) VALUES (?1, ?2, ?3, ?4) "
		"ON CONFLICT DO UPDATE SET minutes = minutes + ?4",
	[SPEND_LIST] = "SELECT user, trunk, minutes FROM spent WHERE day = ?1",
	[SPEND_SWEEP] = "DELETE FROM spent WHERE day < ?1",
};

static void store_destroy(void *p)
{
	struct store *s = p;

	for (size_t i = 0; i < QUERY_N; i++)
		mem_deref(s->stmtv[i]);
	mem_deref(s->db);
}

int store_open(struct store **sp, char **whyp, const char *path)
{
	struct store *s = mem_zalloc(sizeof(*s), store_destroy);
	int err;

	if (!s)
		return ENOMEM;
	err = db_open(&s->db, whyp, path, store_migrations, store_migrations_n);
	for (size_t i = 0; i < QUERY_N && !err; i++) {
		char why[256];

		err = db_prepare(&s->stmtv[i], s->db,
				 i < QUERY_IDP ? queries[i]
					       : store_idp_queries[i - QUERY_IDP]);
		if (!err || !whyp)
			continue;
		snprintf(why, sizeof(why), "%s cannot be used: %s", path, db_why(s->db));
		*whyp = base_dup(why, strlen(why));
	}
	if (err)
		mem_deref(s);
	else
		*sp = s;
	return err;
}

struct db_stmt *store_bind(struct store *s, enum query q, const char *const *textv,
			   size_t n, int *errp)
{
	struct db_stmt *st = s->stmtv[q];

	*errp = 0;
	db_reset(st);
	for (size_t i = 0; i < n && !*errp; i++)
		*errp = db_bind_text(st, (int)i + 1, textv[i]);
	return st;
}

int store_run(struct store *s, struct db_stmt *st, int err, int *n_changed)
{
	if (!err)
		err = db_step(st);
	if (err == ENODATA) {
		err = 0;
		if (n_changed)
			*n_changed = db_changes(s->db);
	}
	db_reset(st);
	return err;
}

int store_run_one(struct store *s, struct db_stmt *st, int err)
{
	int n = 0;

	err = store_run(s, st, err, &n);
	return err ? err : n ? 0 : ENOENT;
}

void store_copy(char *dst, size_t size, const char *text)
{
	snprintf(dst, size, "%s", text ? text : "");
}

int store_user_add(struct store *s, const char *site, const char *user, const char *hash)
{
	int err;
	struct db_stmt *st = BIND(s, USER_ADD, &err, site, user, hash);

	return store_run(s, st, err, NULL);
}

int store_user_remove(struct store *s, const char *site, const char *user)
{
	char address[ADDR_TEXT_MAX + 1];
	int err = db_exec(s->db, "BEGIN IMMEDIATE");
	struct db_stmt *st;

	if (err)
		return err;
	st = BIND(s, USER_REMOVE, &err, site, user);
	err = store_run_one(s, st, err);
	if (!err) {
		snprintf(address, sizeof(address), "%s@%s", user, site);
		st = BIND(s, CALL_FORGET, &err, address);
		err = store_run(s, st, err, NULL);
	}
	err = store_end(s, err);
	/* Its rows are overwritten in the file; the log before it still has them. Another thread may be reading:
	 * then the next checkpoint does it. */
	if (!err)
		(void)db_exec(s->db, "PRAGMA wal_checkpoint(TRUNCATE)");
	return err;
}

int store_user_hash(struct store *s, const char *site, const char *user, char *hash)
{
	int err;
	struct db_stmt *st = BIND(s, USER_HASH, &err, site, user);

	if (!err)
		err = db_step(st);
	if (!err)
		store_copy(hash, SECRET_PASSWORD_TEXT, db_text(st, 0));
	db_reset(st);
	return err == ENODATA ? ENOENT : err;
}

int store_user_rules(struct store *s, const char *site, const char *user,
		     const char *other, struct store_rules *r)
{
	int err;
	struct db_stmt *st = BIND(s, USER_RING, &err, site, user, other ? other : "");

	if (!err)
		err = db_step(st);
	if (!err) {
		store_copy(r->ring, sizeof(r->ring), db_text(st, 0));
		store_copy(r->relay, sizeof(r->relay), db_text(st, 1));
		r->known = db_int(st, 2) != 0;
	}
	db_reset(st);
	return err == ENODATA ? ENOENT : err;
}

int store_user_relay_set(struct store *s, const char *site, const char *user,
			 const char *relay)
{
	int err;
	struct db_stmt *st = BIND(s, USER_RELAY_SET, &err, site, user, relay);

	return store_run_one(s, st, err);
}

int store_known_add(struct store *s, const char *site, const char *user,
		    const char *other)
{
	struct db_stmt *st;
	int err = db_exec(s->db, "BEGIN IMMEDIATE");

	if (err)
		return err;
	st = BIND(s, KNOWN_ADD, &err, site, user, other);
	err = store_run_one(s, st, err);
	if (!err) {
		st = BIND(s, KNOWN_TRIM, &err, site, user);
		err = err ? err : db_bind_int(st, 3, STORE_KNOWN_MAX);
		err = store_run(s, st, err, NULL);
	}
	return store_end(s, err);
}

int store_user_ring_set(struct store *s, const char *site, const char *user,
			const char *ring)
{
	int err;
	struct db_stmt *st = BIND(s, USER_RING_SET, &err, site, user, ring);

	return store_run_one(s, st, err);
}

int store_user_hash_set(struct store *s, const char *site, const char *user,
			const char *old, const char *hash)
{
	int err;
	struct db_stmt *st = BIND(s, USER_HASH_SET, &err, site, user, hash, old);

	return store_run_one(s, st, err);
}

static void store_users_destroy(void *p)
{
	for (char **v = p; *v; v++)
		mem_deref(*v);
}

int store_user_list(struct store *s, const char *site, char ***usersv)
{
	char **v, **bigger;
	size_t n = 0, size = 64;
	int err;
	struct db_stmt *st = BIND(s, USER_LIST, &err, site);

	v = mem_zalloc(size * sizeof(*v), store_users_destroy);
	if (!v)
		err = ENOMEM;
	while (!err && !(err = db_step(st))) {
		const char *user = db_text(st, 0);

		if (n + 1 == size) {
			bigger = mem_realloc(v, 2 * size * sizeof(*v));
			if (!bigger) {
				err = ENOMEM;
				break;
			}
			v = bigger;
			memset(v + size, 0, size * sizeof(*v));
			size *= 2;
		}
		v[n] = user ? base_dup(user, strlen(user)) : NULL;
		if (!v[n++])
			err = ENOMEM;
	}
	db_reset(st);
	if (err != ENODATA) {
		mem_deref(v);
		return err;
	}
	*usersv = v;
	return 0;
}

int store_token_hash(char out[2 * SECRET_SHA256_BYTES + 1], const char *token)
{
	return secret_sha256_hex(out, token, strlen(token));
}

/* The new sign-in is in; the transaction ends when there are not too many of them, and none that is over. */
static int store_session_trim(struct store *s, const char *site, const char *user,
			      uint32_t max)
{
	struct db_stmt *st = s->stmtv[SESSION_EXPIRE];
	int err;

	db_reset(st);
	err = db_bind_int(st, 1, clock_wall_s());
	err = store_run(s, st, err, NULL);
	if (err)
		return err;
	st = BIND(s, SESSION_TRIM, &err, site, user);
	if (!err)
		err = db_bind_int(st, 3, max);
	return store_run(s, st, err, NULL);
}

int store_end(struct store *s, int err)
{
	if (!err)
		err = db_exec(s->db, "COMMIT");
	if (err)
		(void)db_exec(s->db, "ROLLBACK");
	return err;
}

int store_session_add(struct store *s, const char *site, const char *user,
		      const char *hash, const char *token, int64_t expires_s,
		      uint32_t max, const struct store_device *device, char *session)
{
	char sha[2 * SECRET_SHA256_BYTES + 1], name[STORE_SESSION_HEX + 1];
	int err = store_token_hash(sha, token);
	struct db_stmt *st;

	if (err)
		return err;
	secret_hex(name, STORE_SESSION_HEX);
	err = db_exec(s->db, "BEGIN IMMEDIATE");
	if (err)
		return err;
	st = BIND(s, SESSION_ADD, &err, site, user, hash, sha, name,
		  device ? device->name : "", device ? device->agent : "");
	if (!err)
		err = db_bind_int(st, 8, expires_s);
	err = store_run_one(s, st, err);
	if (!err)
		err = store_session_trim(s, site, user, max);
	err = store_end(s, err);
	if (!err)
		store_copy(session, STORE_SESSION_HEX + 1, name);
	return err;
}

/* The row (user, name) of a statement that gives one. */
static int store_session_row(struct db_stmt *st, int err, char *user, char *session)
{
	if (!err)
		err = db_step(st);
	if (!err) {
		store_copy(user, ADDR_USER_MAX + 1, db_text(st, 0));
		store_copy(session, STORE_SESSION_HEX + 1, db_text(st, 1));
		/* A DELETE … RETURNING takes effect whether or not the end is read; the commit does not. */
		err = db_step(st);
		err = err == ENODATA ? 0 : err;
	} else if (err == ENODATA) {
		err = ENOENT;
	}
	db_reset(st);
	return err;
}

int store_session_grant(struct store *s, const char *site, const char *by,
			const char *token, const char *origin, int64_t expires_s,
			uint32_t max, char *user, char *session)
{
	char sha[2 * SECRET_SHA256_BYTES + 1], by_sha[2 * SECRET_SHA256_BYTES + 1],
		name[STORE_SESSION_HEX + 1];
	int err = store_token_hash(sha, token);
	struct db_stmt *st;

	if (!err)
		err = store_token_hash(by_sha, by);
	if (err)
		return err;
	secret_hex(name, STORE_SESSION_HEX);
	err = db_exec(s->db, "BEGIN IMMEDIATE");
	if (err)
		return err;
	st = BIND(s, SESSION_GRANT, &err, site, by_sha, sha, name, origin);
	if (!err)
		err = db_bind_int(st, 6, expires_s);
	err = store_session_row(st, err, user, session);
	if (!err)
		err = store_session_trim(s, site, user, max);
	return store_end(s, err);
}

/* Not at each look, since each is a write. */
static void store_session_seen(struct store *s, const char *sha, int64_t now_s)
{
	int err;
	struct db_stmt *st = BIND(s, SESSION_SEEN, &err, sha);

	if (!err)
		err = db_bind_int(st, 2, now_s);
	(void)store_run(s, st, err, NULL); /* the next look notes it */
}

int store_session_find(struct store *s, const char *site, const char *token,
		       int64_t now_s, char *user, char *session, char *origin)
{
	char sha[2 * SECRET_SHA256_BYTES + 1];
	int err = store_token_hash(sha, token);
	bool stale = false;
	struct db_stmt *st;

	if (err)
		return err;
	st = BIND(s, SESSION_FIND, &err, sha, site);
	if (!err)
		err = db_bind_int(st, 3, now_s);
	if (!err)
		err = db_step(st);
	if (!err) {
		store_copy(user, ADDR_USER_MAX + 1, db_text(st, 0));
		store_copy(session, STORE_SESSION_HEX + 1, db_text(st, 1));
		if (origin)
			store_copy(origin, STORE_ORIGIN_MAX + 1, db_text(st, 2));
		stale = db_int(st, 3) + SEEN_EVERY_S <= now_s;
	}
	db_reset(st);
	if (stale)
		store_session_seen(s, sha, now_s);
	return err == ENODATA ? ENOENT : err;
}

static void store_sign_in_read(struct store_sign_in *one, const struct db_stmt *st)
{
	store_copy(one->session, sizeof(one->session), db_text(st, 0));
	store_copy(one->device.name, sizeof(one->device.name), db_text(st, 1));
	store_copy(one->device.agent, sizeof(one->device.agent), db_text(st, 2));
	store_copy(one->origin, sizeof(one->origin), db_text(st, 3));
	one->since_s = db_int(st, 4);
	one->seen_s = db_int(st, 5);
	one->expires_s = db_int(st, 6);
}

int store_session_list(struct store *s, const char *site, const char *user, int64_t now_s,
		       struct store_sign_in **signs, size_t *n)
{
	struct store_sign_in *v = mem_zalloc(sizeof(*v), NULL), *bigger;
	size_t size = 1, used = 0;
	int err;
	struct db_stmt *st = BIND(s, SESSION_LIST, &err, site, user);

	if (!v)
		err = ENOMEM;
	if (!err)
		err = db_bind_int(st, 3, now_s);
	while (!err && !(err = db_step(st))) {
		if (used == size) {
			bigger = mem_realloc(v, 2 * size * sizeof(*v));
			if (!bigger) {
				err = ENOMEM;
				break;
			}
			v = bigger;
			size *= 2;
		}
		store_sign_in_read(&v[used++], st);
	}
	db_reset(st);
	if (err != ENODATA) {
		mem_deref(v);
		return err;
	}
	*signs = v;
	*n = used;
	return 0;
}

int store_session_end(struct store *s, const char *site, const char *user,
		      const char *session)
{
	int err;
	struct db_stmt *st = BIND(s, SESSION_END, &err, site, user, session);

	return store_run_one(s, st, err);
}

int store_session_end_others(struct store *s, const char *site, const char *user,
			     const char *token)
{
	char sha[2 * SECRET_SHA256_BYTES + 1];
	int err = store_token_hash(sha, token);
	struct db_stmt *st;

	if (err)
		return err;
	st = BIND(s, SESSION_REMOVE_ALL, &err, site, user, sha);
	err = store_run(s, st, err, NULL);
	return err ? err : store_idp_end_all(s, site, user);
}

int store_session_remove(struct store *s, const char *site, const char *token, char *user,
			 char *session)
{
	char sha[2 * SECRET_SHA256_BYTES + 1];
	struct db_stmt *st;
	int err = store_token_hash(sha, token);

	if (err)
		return err;
	st = BIND(s, SESSION_REMOVE, &err, sha, site);
	return store_session_row(st, err, user, session);
}

int store_user_passwd(struct store *s, const char *site, const char *user,
		      const char *old, const char *hash, const char *but)
{
	char sha[2 * SECRET_SHA256_BYTES + 1];
	struct db_stmt *st;
	int err = but ? store_token_hash(sha, but) : 0;

	if (!err)
		err = db_exec(s->db, "BEGIN IMMEDIATE");
	if (err)
		return err;
	err = store_user_hash_set(s, site, user, old, hash);
	if (!err) {
		st = BIND(s, SESSION_REMOVE_ALL, &err, site, user, but ? sha : NULL);
		err = store_run(s, st, err, NULL);
	}
	if (!err)
		err = store_idp_end_all(s, site, user);
	return store_end(s, err);
}
