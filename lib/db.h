/* lib/db.h - SQLite: opening, numbered migrations, prepared statements. The one file that includes
 * sqlite3.h. A `struct db` belongs to one thread; several threads each open their own.
 *
 *   struct db_stmt *st;
 *   err = db_prepare(&st, db, "SELECT hash FROM account WHERE site=?1 AND user=?2");
 *   err = db_bind_text(st, 1, site) ... ; err = db_step(st);  // 0 row, ENODATA end
 *   db_text(st, 0); mem_deref(st);                                                             */
#ifndef SLUSS_LIB_DB_H
#define SLUSS_LIB_DB_H

#include "lib/base.h"

struct db;
struct db_stmt;

struct db_migration {
	unsigned number; /**< 1, 2, 3, … without a gap */
	const char *name;
	const char *sql;
};

/** Opens or makes the file (mode 0600; WAL, foreign keys on, busy timeout) and brings it to the
 *  newest migration, each in a transaction of its own, recorded in table `migration`.
 *  Errors: EIO with one line of explanation in *whyp (mem_deref) when whyp is not NULL: not a
 *  database, locked, disk full, made by a newer Sluss. Never wipes anything. */
int db_open(struct db **dbp, char **whyp, const char *path,
	    const struct db_migration *migrations, size_t n_migrations);
int db_exec(struct db *db, const char *sql);
int db_prepare(struct db_stmt **stp, struct db *db, const char *sql);
int db_bind_text(struct db_stmt *st, int i, const char *text);
int db_bind_int(struct db_stmt *st, int i, int64_t v);
/** Errors: 0 a row; ENODATA no (more) row; EEXIST a constraint; ENOSPC disk full; EBUSY; EIO. */
int db_step(struct db_stmt *st);
void db_reset(struct db_stmt *st);
/** Borrowed until the next step; may be NULL. */
const char *db_text(const struct db_stmt *st, int col);
int64_t db_int(const struct db_stmt *st, int col);
int db_changes(const struct db *db);
const char *db_why(const struct db *db); /**< the last error in words */

#endif
