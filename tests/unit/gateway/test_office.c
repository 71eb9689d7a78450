/* test_office.c - the back office: real threads, a real store in a folder of its own, the fake loop.
 *
 *   test ──office_post──► mailbox ──► office0 (store), office1 (passwords) ──► mailbox ──► done ──► test */
#include "gateway/office.h"

#include <setjmp.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/secret.h"
#include "tests/fake/fake.h"

#define SITE "site.example"
enum { LOG2N = 10 }; /* cheap */

static char dir[64], path[128];
static struct loop *loop;
static struct office *office;

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_office.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/sluss.db", dir);
	return fake_loop_alloc(&loop);
}

static int teardown(void **state)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char file[160];

	(void)state;
	office = mem_deref(office);
	loop = mem_deref(loop);
	for (size_t i = 0; i < N_ELEMS(ends); i++) {
		snprintf(file, sizeof(file), "%s%s", path, ends[i]);
		unlink(file);
	}
	return rmdir(dir);
}

static void open_office(uint32_t n_threads, uint32_t queue, unsigned log2n)
{
	char *why = NULL;

	office = mem_deref(office);
	if (office_alloc(&office, &why, loop, path, n_threads, queue, log2n))
		fail_msg("office_alloc: %s", why ? why : "?");
}

/* What came back, in the order it came. */
struct basket {
	struct office_result resultv[64];
	size_t n, want;
	char users[200]; /* of the last list */
};

static void done(const struct office_result *result, void *arg)
{
	struct basket *b = arg;

	assert_true(b->n < N_ELEMS(b->resultv));
	b->resultv[b->n] = *result;
	b->resultv[b->n++].usersv = NULL;
	for (char **v = result->usersv; v && *v; v++) {
		size_t used = strlen(b->users);

		snprintf(b->users + used, sizeof(b->users) - used, "%s ", *v);
	}
}

static bool full(void *arg)
{
	const struct basket *b = arg;

	return b->n >= b->want;
}

static struct office_job make(enum office_kind kind, const char *user, const char *secret,
			      const char *old, const char *token)
{
	struct office_job job = {.kind = kind, .days = 1, .max = 9};

	snprintf(job.site, sizeof(job.site), SITE);
	snprintf(job.user, sizeof(job.user), "%s", user ? user : "");
	snprintf(job.token, sizeof(job.token), "%s", token ? token : "");
	job.secret = secret ? secret_dup(secret, strlen(secret)) : NULL;
	job.old = old ? secret_dup(old, strlen(old)) : NULL;
	return job;
}

/* One job to its end; gives its errno and, in *r, the rest. */
static int ask(struct office_result *r, enum office_kind kind, const char *user,
	       const char *secret, const char *old, const char *token)
{
	struct office_job job = make(kind, user, secret, old, token);
	struct basket b = {.want = 1};

	assert_int_equal(office_post(office, &job, done, &b, NULL), 0);
	assert_true(fake_loop_wait(loop, full, &b));
	assert_int_equal(b.resultv[0].kind, kind);
	if (r)
		*r = b.resultv[0];
	return b.resultv[0].err;
}

static void a_life_of_an_account(void **state)
{
	struct office_result in, who, out;

	open_office(2, 16, LOG2N);
	assert_int_equal(ask(NULL, OFFICE_USER_EXISTS, "alice", NULL, NULL, NULL),
			 ENOENT);
	assert_int_equal(ask(NULL, OFFICE_USER_ADD, "alice", "password", NULL, NULL), 0);
	assert_int_equal(ask(NULL, OFFICE_USER_ADD, "alice", "other", NULL, NULL),
			 EEXIST);
	assert_int_equal(ask(NULL, OFFICE_USER_EXISTS, "alice", NULL, NULL, NULL), 0);

	assert_int_equal(ask(NULL, OFFICE_LOGIN, "alice", "wrong", NULL, "t1"), EACCES);
	assert_int_equal(ask(NULL, OFFICE_LOGIN, "nobody", "password", NULL, "t1"),
			 EACCES);
	assert_int_equal(ask(NULL, OFFICE_AUTHENTICATE, NULL, NULL, NULL, "t1"), EACCES);
	assert_int_equal(ask(&in, OFFICE_LOGIN, "alice", "password", NULL, "t1"), 0);
	assert_int_equal(strlen(in.session), STORE_SESSION_HEX);
	assert_int_equal(ask(&who, OFFICE_AUTHENTICATE, NULL, NULL, NULL, "t1"), 0);
	assert_string_equal(who.user, "alice");
	assert_string_equal(who.session, in.session);

	assert_int_equal(ask(&out, OFFICE_LOGOUT, NULL, NULL, NULL, "t1"), 0);
	assert_string_equal(out.session, in.session);
	assert_string_equal(out.user, "alice");
	assert_int_equal(ask(NULL, OFFICE_LOGOUT, NULL, NULL, NULL, "t1"), EACCES);
	assert_int_equal(ask(NULL, OFFICE_AUTHENTICATE, NULL, NULL, NULL, "t1"), EACCES);

	assert_int_equal(ask(NULL, OFFICE_USER_REMOVE, "alice", NULL, NULL, NULL), 0);
	assert_int_equal(ask(NULL, OFFICE_USER_REMOVE, "alice", NULL, NULL, NULL),
			 ENOENT);
	assert_int_equal(ask(NULL, OFFICE_LOGIN, "alice", "password", NULL, "t2"),
			 EACCES);
}

static void a_new_password_ends_the_other_sign_ins(void **state)
{
	struct office_result in, change;

	open_office(2, 16, LOG2N);
	/* A registration signs in at once. */
	assert_int_equal(ask(&in, OFFICE_USER_ADD, "alice", "password", NULL, "t1"), 0);
	assert_int_equal(ask(NULL, OFFICE_AUTHENTICATE, NULL, NULL, NULL, "t1"), 0);
	assert_int_equal(ask(NULL, OFFICE_LOGIN, "alice", "password", NULL, "t2"), 0);

	assert_int_equal(ask(NULL, OFFICE_PASSWD, "alice", "new", "wrong", "t1"), EACCES);
	assert_int_equal(ask(NULL, OFFICE_AUTHENTICATE, NULL, NULL, NULL, "t2"), 0);
	assert_int_equal(ask(&change, OFFICE_PASSWD, "alice", "new", "password", "t1"),
			 0);
	assert_string_equal(change.session, in.session);
	assert_int_equal(ask(NULL, OFFICE_AUTHENTICATE, NULL, NULL, NULL, "t1"), 0);
	assert_int_equal(ask(NULL, OFFICE_AUTHENTICATE, NULL, NULL, NULL, "t2"), EACCES);
	assert_int_equal(ask(NULL, OFFICE_LOGIN, "alice", "password", NULL, "t3"),
			 EACCES);
	assert_int_equal(ask(NULL, OFFICE_LOGIN, "alice", "new", NULL, "t3"), 0);

	/* The operator's change needs no old one and ends all. */
	assert_int_equal(ask(&change, OFFICE_PASSWD, "alice", "newer", NULL, NULL), 0);
	assert_string_equal(change.session, "");
	assert_int_equal(ask(NULL, OFFICE_AUTHENTICATE, NULL, NULL, NULL, "t1"), EACCES);
	assert_int_equal(ask(NULL, OFFICE_AUTHENTICATE, NULL, NULL, NULL, "t3"), EACCES);
	assert_int_equal(ask(NULL, OFFICE_PASSWD, "nobody", "newer", NULL, NULL), ENOENT);
	assert_int_equal(ask(NULL, OFFICE_PASSWD, "nobody", "newer", "old", "t1"),
			 EACCES);
}

static void a_list_comes_back(void **state)
{
	struct office_job job = make(OFFICE_USER_LIST, NULL, NULL, NULL, NULL);
	struct basket b = {.want = 1};

	open_office(1, 8, LOG2N); /* one thread does all kinds */
	assert_int_equal(ask(NULL, OFFICE_USER_ADD, "bob", "password", NULL, NULL), 0);
	assert_int_equal(ask(NULL, OFFICE_USER_ADD, "alice", "password", NULL, NULL), 0);
	assert_int_equal(office_post(office, &job, done, &b, NULL), 0);
	assert_true(fake_loop_wait(loop, full, &b));
	assert_string_equal(b.users, "alice bob ");
}

static void a_forgotten_job_answers_nobody(void **state)
{
	struct office_job job;
	struct basket forgotten = {0}, b = {.want = 1};
	uint32_t id = 0, other = 0;

	open_office(2, 8, LOG2N);
	job = make(OFFICE_USER_ADD, "alice", "password", NULL, NULL);
	assert_int_equal(office_post(office, &job, done, &forgotten, &id), 0);
	job = make(OFFICE_USER_ADD, "bob", "password", NULL, NULL);
	assert_int_equal(office_post(office, &job, done, &b, &other), 0);
	assert_true(id && other && id != other);
	office_forget(office, id);
	office_forget(office, id);
	office_forget(office, 0);
	assert_true(fake_loop_wait(loop, full, &b));
	assert_int_equal(forgotten.n, 0);
	assert_int_equal(ask(NULL, OFFICE_USER_EXISTS, "alice", NULL, NULL, NULL), 0);
}

static void a_full_queue_says_so_and_loses_nothing(void **state)
{
	struct basket b = {0};
	struct mailbox_stats stats;
	unsigned n_refused = 0;

	open_office(1, 8, 13);
	for (int i = 0; i < 40; i++) {
		struct office_job job =
			make(OFFICE_LOGIN, "alice", "password", NULL, "t");
		int err = office_post(office, &job, done, &b, NULL);

		if (err) {
			assert_int_equal(err, ENOSPC);
			n_refused++;
		} else {
			b.want++;
		}
		/* Taken over in both cases. */
		assert_null(err ? job.secret : NULL);
	}
	assert_true(n_refused > 0);
	assert_true(b.want >= 8);
	assert_true(fake_loop_wait(loop, full, &b));
	assert_int_equal(b.n, b.want);
	office_stats(office, &stats);
	assert_int_equal(stats.capacity, 8);
	assert_int_equal(stats.n_posted, b.want);
	assert_int_equal(stats.n_now, 0);
	assert_true(stats.n_high_water > 0 && stats.n_high_water <= 8);
	/* And it goes on. */
	assert_int_equal(ask(NULL, OFFICE_USER_EXISTS, "alice", NULL, NULL, NULL),
			 ENOENT);
}

static void passwords_do_not_hold_up_the_store(void **state)
{
	struct basket b = {.want = 21};
	struct office_job job;
	size_t at = 0;

	open_office(2, 32, 14);
	for (int i = 0; i < 20; i++) {
		job = make(OFFICE_LOGIN, "alice", "password", NULL, "t");
		assert_int_equal(office_post(office, &job, done, &b, NULL), 0);
	}
	job = make(OFFICE_USER_EXISTS, "alice", NULL, NULL, NULL);
	assert_int_equal(office_post(office, &job, done, &b, NULL), 0);
	assert_true(fake_loop_wait(loop, full, &b));
	while (b.resultv[at].kind != OFFICE_USER_EXISTS)
		at++;
	assert_true(at < 20);
}

static void stopping_drops_what_waits(void **state)
{
	struct basket b = {0};

	open_office(2, 32, 14);
	for (int i = 0; i < 30; i++) {
		struct office_job job =
			make(OFFICE_LOGIN, "alice", "password", NULL, "t");

		assert_int_equal(office_post(office, &job, done, &b, NULL), 0);
	}
	office_stop(office);
	fake_loop_settle(loop);
	assert_int_equal(b.n, 0);
	office_stop(office);
	/* Too late: refused, and what the job owns is freed. */
	struct office_job job = make(OFFICE_LOGIN, "alice", "password", NULL, "t");
	assert_int_not_equal(office_post(office, &job, done, &b, NULL), 0);
	assert_null(job.secret);
}

static void a_login_brings_the_hash_to_todays_cost(void **state)
{
	char hash[SECRET_PASSWORD_TEXT];
	struct store *store = NULL;

	open_office(2, 8, 10);
	assert_int_equal(ask(NULL, OFFICE_USER_ADD, "alice", "password", NULL, NULL), 0);
	open_office(2, 8, 11);
	assert_int_equal(ask(NULL, OFFICE_LOGIN, "alice", "wrong", NULL, "t"), EACCES);
	assert_int_equal(store_open(&store, NULL, path), 0);
	assert_int_equal(store_user_hash(store, SITE, "alice", hash), 0);
	assert_non_null(strstr(hash, "$ln=10,"));
	assert_int_equal(ask(NULL, OFFICE_LOGIN, "alice", "password", NULL, "t"), 0);
	assert_int_equal(store_user_hash(store, SITE, "alice", hash), 0);
	assert_non_null(strstr(hash, "$ln=11,"));
	assert_int_equal(ask(NULL, OFFICE_LOGIN, "alice", "password", NULL, "u"), 0);
	mem_deref(store);
}

static void a_store_that_cannot_be_opened_is_said(void **state)
{
	char *why = NULL;

	assert_int_equal(
		office_alloc(&office, &why, loop, "/no/such/folder/x.db", 2, 8, LOG2N),
		EIO);
	assert_null(office);
	assert_non_null(strstr(why, "/no/such/folder/x.db"));
	mem_deref(why);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_life_of_an_account),
		TEST(a_new_password_ends_the_other_sign_ins),
		TEST(a_list_comes_back),
		TEST(a_forgotten_job_answers_nobody),
		TEST(a_full_queue_says_so_and_loses_nothing),
		TEST(passwords_do_not_hold_up_the_store),
		TEST(stopping_drops_what_waits),
		TEST(a_login_brings_the_hash_to_todays_cost),
		TEST(a_store_that_cannot_be_opened_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
