/* lib/db.c - SQLite behind lib/db.h: opening a file with care, numbered migrations, prepared statements.
 * The one file that includes sqlite3.h. A struct db belongs to one thread, a back office one; each of them
 * opens the file for itself, and SQLite's own locks stand between them. Called by gateway/store.c. */
#include "lib/db.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

/* A writer holds the lock for milliseconds; a backup or a person with sqlite3 perhaps for seconds. */
enum { DB_BUSY_MS = 5000 };

struct db {
	sqlite3 *sq;
};

struct db_stmt {
	sqlite3_stmt *sq;
};

static int db_errno(sqlite3 *sq, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
		return 0;
	case SQLITE_DONE:
		return ENODATA;
	case SQLITE_CONSTRAINT:
		return EEXIST;
	case SQLITE_FULL:
		return ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return EBUSY;
	case SQLITE_NOMEM:
		return ENOMEM;
	case SQLITE_IOERR:
		return sqlite3_system_errno(sq) == ENOSPC ? ENOSPC : EIO;
	default:
		return EIO;
	}
}

static void db_destroy(void *p)
{
	struct db *db = p;

	/* _v2: a statement that is still alive keeps the connection until it is gone. */
	sqlite3_close_v2(db->sq);
}

static void db_stmt_destroy(void *p)
{
	struct db_stmt *st = p;

	sqlite3_finalize(st->sq);
}

/* Always EIO; the reason goes to *whyp unless an earlier one is there. */
static int PRINTF_LIKE(2, 3) db_say(char **whyp, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (whyp && !*whyp) {
		va_start(ap, fmt);
		vsnprintf(text, sizeof(text), fmt, ap);
		va_end(ap);
		*whyp = base_dup(text, strlen(text));
	}
	return EIO;
}

int db_exec(struct db *db, const char *sql)
{
	return db_errno(db->sq, sqlite3_exec(db->sq, sql, NULL, NULL, NULL));
}

int db_prepare(struct db_stmt **stp, struct db *db, const char *sql)
{
	struct db_stmt *st = mem_zalloc(sizeof(*st), db_stmt_destroy);
	int err;

	if (!st)
		return ENOMEM;
	err = db_errno(db->sq, sqlite3_prepare_v2(db->sq, sql, -1, &st->sq, NULL));
	if (!err && !st->sq)
		err = EINVAL; /* nothing but a comment */
	if (err)
		mem_deref(st);
	else
		*stp = st;
	return err;
}

int db_bind_text(struct db_stmt *st, int i, const char *text)
{
	return db_errno(sqlite3_db_handle(st->sq),
			sqlite3_bind_text(st->sq, i, text, -1, SQLITE_TRANSIENT));
}

int db_bind_int(struct db_stmt *st, int i, int64_t v)
{
	return db_errno(sqlite3_db_handle(st->sq), sqlite3_bind_int64(st->sq, i, v));
}

int db_step(struct db_stmt *st)
{
	return db_errno(sqlite3_db_handle(st->sq), sqlite3_step(st->sq));
}

void db_reset(struct db_stmt *st)
{
	sqlite3_reset(st->sq);
	sqlite3_clear_bindings(st->sq);
}

const char *db_text(const struct db_stmt *st, int col)
{
	return (const char *)sqlite3_column_text(st->sq, col);
}

int64_t db_int(const struct db_stmt *st, int col)
{
	return sqlite3_column_int64(st->sq, col);
}

int db_changes(const struct db *db)
{
	return sqlite3_changes(db->sq);
}

const char *db_why(const struct db *db)
{
	return sqlite3_errmsg(db->sq);
}

/* The newest migration that the file has; 0 for a new one. */
static int db_version(struct db *db, unsigned *version)
{
	struct db_stmt *st = NULL;
	int err;

	err = db_prepare(&st, db, "SELECT coalesce(max(number), 0) FROM migration");
	if (!err)
		err = db_step(st);
	if (!err)
		*version = (unsigned)db_int(st, 0);
	mem_deref(st);
	return err;
}

static int db_migration_note(struct db *db, const struct db_migration *m)
{
	struct db_stmt *st = NULL;
	int err;

	err = db_prepare(&st, db,
			 "INSERT INTO migration (number, name, applied) "
			 "VALUES (?1, ?2, unixepoch())");
	if (!err)
		err = db_bind_int(st, 1, m->number);
	if (!err)
		err = db_bind_text(st, 2, m->name);
	if (!err) {
		err = db_step(st);
		err = err == ENODATA ? 0 : err;
	}
	mem_deref(st);
	return err;
}

/* One migration in a transaction of its own. Other threads may be at the same: the write lock is taken
 * first, and the number looked at again behind it. */
static int db_migrate_one(struct db *db, char **whyp, const char *path,
			  const struct db_migration *m)
{
	unsigned have = 0;
	int err;

	err = db_exec(db, "BEGIN IMMEDIATE");
	if (err)
		return db_say(whyp, "%s cannot be written: %s", path, db_why(db));
	err = db_version(db, &have);
	if (!err && have < m->number) {
		err = db_exec(db, m->sql);
		if (!err)
			err = db_migration_note(db, m);
	}
	if (!err)
		err = db_exec(db, "COMMIT");
	if (err) {
		db_say(whyp, "%s: migration %u (%s) failed: %s", path, m->number, m->name,
		       db_why(db));
		(void)db_exec(db, "ROLLBACK");
	}
	return err;
}

static int db_migrate(struct db *db, char **whyp, const char *path,
		      const struct db_migration *migrations, size_t n)
{
	unsigned newest = n ? migrations[n - 1].number : 0, have = 0;
	int err;

	err = db_exec(db, "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY "
			  "KEY, name TEXT NOT NULL, applied INTEGER NOT NULL) STRICT");
	if (!err)
		err = db_version(db, &have);
	if (err)
		return db_say(whyp, "%s cannot be used: %s", path, db_why(db));
	if (have > newest)
		return db_say(whyp,
			      "%s was made by a newer Sluss (its migration %u, this one "
			      "knows %u); it is left as it is",
			      path, have, newest);
	for (size_t i = 0; i < n && !err; i++) {
		if (migrations[i].number > have)
			err = db_migrate_one(db, whyp, path, &migrations[i]);
	}
	return err;
}

/* SQLite would make the file with the umask's mode: passwords' hashes are for the owner alone. One that is there is
 * not touched: to close it would give up the locks that another connection of this process has on it. */
static int db_file_make(char **whyp, const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600);

	if (fd < 0 && (errno != EEXIST || access(path, R_OK | W_OK)))
		return db_say(whyp, "%s cannot be opened: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return 0;
}

int db_open(struct db **dbp, char **whyp, const char *path,
	    const struct db_migration *migrations, size_t n_migrations)
{
	struct db *db = mem_zalloc(sizeof(*db), db_destroy);
	int err;

	if (!db)
		return ENOMEM;
	err = db_file_make(whyp, path);
	if (err)
		goto out;
	if (sqlite3_open_v2(path, &db->sq, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK) {
		err = db_say(whyp, "%s cannot be opened: %s", path,
			     db->sq ? db_why(db) : "out of memory");
		goto out;
	}
	sqlite3_extended_result_codes(db->sq, 1);
	sqlite3_busy_timeout(db->sq, DB_BUSY_MS);
	/* WAL: readers do not wait for the writer. NORMAL: a power cut may cost the last sign-ins, never
	 * the file. */
	err = db_exec(db,
		      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; "
		      "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; "
		      "PRAGMA secure_delete = ON"); /* what is removed is overwritten */
	if (err) {
		err = db_say(whyp, "%s cannot be used: %s", path, db_why(db));
		goto out;
	}
	err = db_migrate(db, whyp, path, migrations, n_migrations);
out:
	if (err)
		mem_deref(db);
	else
		*dbp = db;
	return err;
}
