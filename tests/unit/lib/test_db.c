/* test_db.c - opening, migrations and errors of lib/db.c, each on a fresh file in a folder of its own.
 *
 *   test ──db_open──► file ◄── the sqlite file as another program would have left it */
#include "lib/base.h"
#include "lib/db.h"

#include <pthread.h>
#include <setjmp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[64];
static char path[128];

static const struct db_migration first[] = {
	{1, "one", "CREATE TABLE t (k TEXT PRIMARY KEY, v INTEGER) STRICT"},
};
static const struct db_migration both[] = {
	{1, "one", "CREATE TABLE t (k TEXT PRIMARY KEY, v INTEGER) STRICT"},
	{2, "two",
	 "ALTER TABLE t ADD COLUMN w TEXT; INSERT INTO t VALUES ('two', 2, 'w')"},
};
static const struct db_migration broken[] = {
	{1, "one", "CREATE TABLE t (k TEXT PRIMARY KEY, v INTEGER) STRICT"},
	{2, "bad", "INSERT INTO t VALUES ('half', 1); SELECT * FROM nowhere"},
};

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_db.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/x.db", dir);
	return 0;
}

static int teardown(void **state)
{
	static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
	char file[160];

	(void)state;
	for (size_t i = 0; i < N_ELEMS(ends); i++) {
		snprintf(file, sizeof(file), "%s%s", path, ends[i]);
		unlink(file);
	}
	return rmdir(dir);
}

static struct db *open_ok(const struct db_migration *m, size_t n)
{
	struct db *db = NULL;
	char *why = NULL;
	int err = db_open(&db, &why, path, m, n);

	if (err)
		fail_msg("db_open: %s", why ? why : "no reason");
	assert_null(why);
	return db;
}

static void open_fails(const struct db_migration *m, size_t n, const char *word)
{
	struct db *db = NULL;
	char *why = NULL;

	assert_int_equal(db_open(&db, &why, path, m, n), EIO);
	assert_null(db);
	assert_non_null(why);
	assert_non_null(strstr(why, word));
	assert_null(strchr(why, '\n'));
	mem_deref(why);
}

static int64_t number(struct db *db, const char *sql)
{
	struct db_stmt *st = NULL;
	int64_t v;

	assert_int_equal(db_prepare(&st, db, sql), 0);
	assert_int_equal(db_step(st), 0);
	v = db_int(st, 0);
	mem_deref(st);
	return v;
}

static void file_text(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void a_new_file_is_the_owners_alone(void **state)
{
	struct stat st;
	mode_t old = umask(0);
	struct db *db = open_ok(first, 1);

	umask(old);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(number(db, "PRAGMA foreign_keys"), 1);
	mem_deref(db);
}

static void migrations_run_once_and_in_order(void **state)
{
	struct db *db = open_ok(first, 1);

	assert_int_equal(db_exec(db, "INSERT INTO t VALUES ('a', 1)"), 0);
	mem_deref(db);
	db = open_ok(both, 2);
	assert_int_equal(number(db, "SELECT count(*) FROM t"), 2);
	assert_int_equal(number(db, "SELECT max(number) FROM migration"), 2);
	mem_deref(db);
	db = open_ok(both, 2); /* the INSERT of the second would fail now */
	assert_int_equal(number(db, "SELECT count(*) FROM migration"), 2);
	mem_deref(db);
}

static void a_migration_that_fails_leaves_nothing_of_itself(void **state)
{
	struct db *db;

	open_fails(broken, 2, "migration 2 (bad) failed");
	db = open_ok(first, 1);
	assert_int_equal(number(db, "SELECT count(*) FROM t"), 0);
	assert_int_equal(number(db, "SELECT max(number) FROM migration"), 1);
	mem_deref(db);
}

static void a_file_of_a_newer_sluss_is_left_alone(void **state)
{
	struct db *db = open_ok(both, 2);

	mem_deref(db);
	open_fails(first, 1, "newer Sluss");
	db = open_ok(both, 2);
	assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);
	mem_deref(db);
}

static void what_is_no_database_is_refused_and_kept(void **state)
{
	static const char text[] =
		"my diary, which is longer than the hundred bytes of an SQLite header, "
		"and which nobody may touch, whatever happens to it.\n";
	char back[sizeof(text)] = "";
	FILE *f;

	file_text(text);
	open_fails(first, 1, "not a database");
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fread(back, 1, sizeof(text), f), sizeof(text) - 1);
	fclose(f);
	assert_string_equal(back, text);
}

static void a_missing_folder_is_said(void **state)
{
	char old[sizeof(path)];

	memcpy(old, path, sizeof(path));
	snprintf(path, sizeof(path), "%s/no/such/x.db", dir);
	open_fails(first, 1, "No such file");
	memcpy(path, old, sizeof(path));
}

static void errors_have_errno_values(void **state)
{
	struct db *db = open_ok(first, 1);
	struct db_stmt *st = NULL;

	assert_int_equal(db_prepare(&st, db, "SELECT * FROM nowhere"), EIO);
	assert_null(st);
	assert_non_null(strstr(db_why(db), "nowhere"));

	assert_int_equal(db_prepare(&st, db, "INSERT INTO t VALUES (?1, ?2)"), 0);
	assert_int_equal(db_bind_text(st, 1, "x'; DROP TABLE t; --"), 0);
	assert_int_equal(db_bind_int(st, 2, INT64_MAX), 0);
	assert_int_equal(db_step(st), ENODATA);
	assert_int_equal(db_changes(db), 1);
	db_reset(st);
	assert_int_equal(db_bind_text(st, 1, "x'; DROP TABLE t; --"), 0);
	assert_int_equal(db_step(st), EEXIST);
	mem_deref(st);

	assert_int_equal(db_prepare(&st, db, "SELECT k, v, NULL FROM t"), 0);
	assert_int_equal(db_step(st), 0);
	assert_string_equal(db_text(st, 0), "x'; DROP TABLE t; --");
	assert_true(db_int(st, 1) == INT64_MAX);
	assert_null(db_text(st, 2));
	assert_int_equal(db_step(st), ENODATA);
	mem_deref(st);

	assert_int_equal(db_exec(db, "PRAGMA max_page_count = 4"), 0);
	assert_int_equal(db_exec(db, "INSERT INTO t VALUES ('big', 1); "
				     "UPDATE t SET k = k || hex(zeroblob(100000))"),
			 ENOSPC);
	mem_deref(db);
}

static void *open_in_thread(void *arg)
{
	struct db *db = NULL;
	char *why = NULL;
	int *err = arg;

	*err = db_open(&db, &why, path, both, 2);
	mem_deref(why);
	mem_deref(db);
	return NULL;
}

static void threads_that_open_together_migrate_once(void **state)
{
	pthread_t tid[4];
	struct db *db;
	int errv[4];

	mem_deref(open_ok(
		NULL, 0)); /* the journal mode is set by now, as office_alloc() has it */
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&tid[i], NULL, open_in_thread, &errv[i]),
				 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(tid[i], NULL);
		assert_int_equal(errv[i], 0);
	}
	db = open_ok(both, 2);
	assert_int_equal(number(db, "SELECT count(*) FROM migration"), 2);
	mem_deref(db);
}

static void a_statement_may_outlive_its_db(void **state)
{
	struct db *db = open_ok(first, 1);
	struct db_stmt *st = NULL;

	assert_int_equal(db_prepare(&st, db, "SELECT 7"), 0);
	mem_deref(db);
	assert_int_equal(db_step(st), 0);
	assert_int_equal(db_int(st, 0), 7);
	mem_deref(st);
}

/* Another process, which waits until it is let go and then counts the rows of t. SQLite forbids to carry what is
 * open over a fork: so it is made before anything is. */
struct other {
	pid_t pid;
	int go;
};

static struct other other_new(void)
{
	struct other o;
	int fds[2];
	char c;

	assert_int_equal(pipe(fds), 0);
	o.pid = fork();
	if (!o.pid) {
		struct db *db = NULL;
		int64_t n;

		close(fds[1]);
		if (read(fds[0], &c, 1) != 1 || db_open(&db, NULL, path, first, 1))
			_exit(99);
		n = number(db, "SELECT count(*) FROM t");
		mem_deref(db); /* as the last one, it would take the log away */
		_exit((int)n);
	}
	close(fds[0]);
	o.go = fds[1];
	return o;
}

static int other_counts(struct other *o)
{
	int status = 0;

	assert_int_equal(write(o->go, "g", 1), 1);
	assert_int_equal(waitpid(o->pid, &status, 0), o->pid);
	close(o->go);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The locks of a file are the process's, and gone when it closes the file anywhere (POSIX): then somebody else
 * who looks in believes to be alone, and takes the log of what is written away. */
static void nothing_is_lost_when_another_program_looks_in(void **state)
{
	struct other before = other_new(), after = other_new();
	struct db *one = open_ok(first, 1), *two = open_ok(first, 1);

	(void)state;
	assert_int_equal(db_exec(one, "INSERT INTO t VALUES ('a', 1)"), 0);
	assert_int_equal(other_counts(&before), 1);
	assert_int_equal(db_exec(two, "INSERT INTO t VALUES ('b', 2)"), 0);
	assert_int_equal(other_counts(&after), 2);
	mem_deref(one);
	mem_deref(two);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_file_is_the_owners_alone),
		TEST(migrations_run_once_and_in_order),
		TEST(a_migration_that_fails_leaves_nothing_of_itself),
		TEST(a_file_of_a_newer_sluss_is_left_alone),
		TEST(what_is_no_database_is_refused_and_kept),
		TEST(a_missing_folder_is_said),
		TEST(errors_have_errno_values),
		TEST(threads_that_open_together_migrate_once),
		TEST(a_statement_may_outlive_its_db),
		TEST(nothing_is_lost_when_another_program_looks_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
