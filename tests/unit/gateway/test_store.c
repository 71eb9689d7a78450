/* test_store.c - accounts and sign-ins in SQLite, on a fresh file each. Users are "alice" and "bob" of
 * site.example; tokens are what office jobs carry, 64 hex digits. */
#include "gateway/store.h"

#include <setjmp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "gateway/store_own.h"
#include "lib/clock.h"
#include "lib/db.h"
#include "lib/secret.h"

#define SITE "site.example"

static char dir[64], path[128];
static struct store *store;

static const char token_a[] =
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
static const char token_b[] =
	"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

static int setup(void **state)
{
	char *why = NULL;

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_store.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/sluss.db", dir);
	return store_open(&store, &why, path);
}

static int teardown(void **state)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char file[160];

	(void)state;
	store = mem_deref(store);
	for (size_t i = 0; i < N_ELEMS(ends); i++) {
		snprintf(file, sizeof(file), "%s%s", path, ends[i]);
		unlink(file);
	}
	return rmdir(dir);
}

static int sign_in(const char *user, const char *token, uint32_t max, char *session)
{
	return store_session_add(store, SITE, user, "hash", token, clock_wall_s() + 100,
				 max, NULL, session);
}

static int find(const char *token, char *session)
{
	char user[ADDR_USER_MAX + 1];

	return store_session_find(store, SITE, token, clock_wall_s(), user, session,
				  NULL);
}

static void users_come_and_go(void **state)
{
	char hash[SECRET_PASSWORD_TEXT], **usersv = NULL;

	assert_int_equal(store_user_list(store, SITE, &usersv), 0);
	assert_null(usersv[0]);
	mem_deref(usersv);
	assert_int_equal(store_user_add(store, SITE, "bob", "hash-b"), 0);
	assert_int_equal(store_user_add(store, SITE, "alice", "hash-a"), 0);
	assert_int_equal(store_user_add(store, SITE, "alice", "other"), EEXIST);
	assert_int_equal(store_user_add(store, "other.example", "alice", "hash-o"), 0);
	assert_int_equal(store_user_hash(store, SITE, "alice", hash), 0);
	assert_string_equal(hash, "hash-a");
	assert_int_equal(store_user_hash(store, SITE, "carol", hash), ENOENT);
	assert_int_equal(store_user_list(store, SITE, &usersv), 0);
	assert_string_equal(usersv[0], "alice");
	assert_string_equal(usersv[1], "bob");
	assert_null(usersv[2]);
	mem_deref(usersv);
	assert_int_equal(store_user_remove(store, SITE, "alice"), 0);
	assert_int_equal(store_user_remove(store, SITE, "alice"), ENOENT);
	assert_int_equal(store_user_hash(store, "other.example", "alice", hash), 0);
}

static void a_long_list_is_whole(void **state)
{
	char name[16], **usersv = NULL;

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "u%03d", i);
		assert_int_equal(store_user_add(store, SITE, name, "h"), 0);
	}
	assert_int_equal(store_user_list(store, SITE, &usersv), 0);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "u%03d", i);
		assert_string_equal(usersv[i], name);
	}
	assert_null(usersv[300]);
	mem_deref(usersv);
}

static void a_hash_changes_only_from_the_one_that_was_seen(void **state)
{
	char hash[SECRET_PASSWORD_TEXT];

	assert_int_equal(store_user_add(store, SITE, "alice", "one"), 0);
	assert_int_equal(store_user_hash_set(store, SITE, "alice", "zero", "two"),
			 ENOENT);
	assert_int_equal(store_user_hash_set(store, SITE, "alice", "one", "two"), 0);
	assert_int_equal(store_user_passwd(store, SITE, "alice", "one", "three", NULL),
			 ENOENT);
	assert_int_equal(store_user_passwd(store, SITE, "bob", NULL, "three", NULL),
			 ENOENT);
	assert_int_equal(store_user_hash(store, SITE, "alice", hash), 0);
	assert_string_equal(hash, "two");
	assert_int_equal(store_user_passwd(store, SITE, "alice", NULL, "four", NULL), 0);
}

static void sign_ins_are_found_by_token(void **state)
{
	char user[ADDR_USER_MAX + 1], session[STORE_SESSION_HEX + 1],
		again[STORE_SESSION_HEX + 1];

	assert_int_equal(sign_in("alice", token_a, 9, session), ENOENT);
	assert_int_equal(store_user_add(store, SITE, "alice", "hash"), 0);
	assert_int_equal(sign_in("alice", token_a, 9, session), 0);
	assert_int_equal(strlen(session), STORE_SESSION_HEX);
	assert_int_equal(store_session_find(store, SITE, token_a, clock_wall_s(), user,
					    again, NULL),
			 0);
	assert_string_equal(user, "alice");
	assert_string_equal(again, session);
	assert_int_equal(find(token_b, again), ENOENT);
	assert_int_equal(store_session_find(store, "other.example", token_a,
					    clock_wall_s(), user, again, NULL),
			 ENOENT);
	assert_int_equal(
		store_session_remove(store, "other.example", token_a, user, again),
		ENOENT);
	assert_int_equal(store_session_remove(store, SITE, token_a, user, again), 0);
	assert_string_equal(user, "alice");
	assert_string_equal(again, session);
	assert_int_equal(find(token_a, again), ENOENT);
	assert_int_equal(store_session_remove(store, SITE, token_a, user, again), ENOENT);
}

static void no_token_is_in_the_file(void **state)
{
	char session[STORE_SESSION_HEX + 1], sha[2 * SECRET_SHA256_BYTES + 1];
	struct db_stmt *st = NULL;
	struct db *db = NULL;

	assert_int_equal(store_user_add(store, SITE, "alice", "hash"), 0);
	assert_int_equal(sign_in("alice", token_a, 9, session), 0);
	assert_int_equal(db_open(&db, NULL, path, store_migrations, store_migrations_n),
			 0);
	assert_int_equal(db_prepare(&st, db, "SELECT token_sha256 FROM session"), 0);
	assert_int_equal(db_step(st), 0);
	secret_sha256_hex(sha, token_a, strlen(token_a));
	assert_string_equal(db_text(st, 0), sha);
	mem_deref(st);
	mem_deref(db);
}

static void a_login_overtaken_by_a_new_password_gets_nothing(void **state)
{
	char session[STORE_SESSION_HEX + 1] = "untouched";

	assert_int_equal(store_user_add(store, SITE, "alice", "hash"), 0);
	assert_int_equal(store_user_passwd(store, SITE, "alice", "hash", "new", NULL), 0);
	assert_int_equal(sign_in("alice", token_a, 9, session), ENOENT);
	assert_string_equal(session, "untouched");
	assert_int_equal(find(token_a, session), ENOENT);
}

static void sign_ins_expire(void **state)
{
	char user[ADDR_USER_MAX + 1], session[STORE_SESSION_HEX + 1];
	int64_t now = clock_wall_s();

	assert_int_equal(store_user_add(store, SITE, "alice", "hash"), 0);
	assert_int_equal(store_session_add(store, SITE, "alice", "hash", token_a,
					   now + 10, 9, NULL, session),
			 0);
	assert_int_equal(
		store_session_find(store, SITE, token_a, now + 9, user, session, NULL),
		0);
	assert_int_equal(
		store_session_find(store, SITE, token_a, now + 10, user, session, NULL),
		ENOENT);
	/* One that is over goes when the next one comes, whoever's it is. */
	assert_int_equal(store_session_add(store, SITE, "alice", "hash", token_b, now - 1,
					   9, NULL, session),
			 0);
	assert_int_equal(store_user_add(store, SITE, "bob", "hash"), 0);
	assert_int_equal(sign_in("bob", "cc", 9, session), 0);
	assert_int_equal(
		store_session_find(store, SITE, token_b, now - 100, user, session, NULL),
		ENOENT);
	assert_int_equal(find(token_a, session), 0);
}

static void the_oldest_sign_in_goes_first(void **state)
{
	char session[STORE_SESSION_HEX + 1], token[16];

	assert_int_equal(store_user_add(store, SITE, "alice", "hash"), 0);
	assert_int_equal(store_user_add(store, SITE, "bob", "hash"), 0);
	assert_int_equal(sign_in("bob", token_b, 3, session), 0);
	for (int i = 0; i < 5; i++) {
		snprintf(token, sizeof(token), "t%d", i);
		assert_int_equal(sign_in("alice", token, 3, session), 0);
	}
	assert_int_equal(find("t0", session), ENOENT);
	assert_int_equal(find("t1", session), ENOENT);
	assert_int_equal(find("t2", session), 0);
	assert_int_equal(find("t3", session), 0);
	assert_int_equal(find("t4", session), 0);
	assert_int_equal(find(token_b, session), 0);
}

static void removal_and_new_passwords_end_sign_ins(void **state)
{
	char session[STORE_SESSION_HEX + 1];

	assert_int_equal(store_user_add(store, SITE, "alice", "hash"), 0);
	assert_int_equal(store_user_add(store, SITE, "bob", "hash"), 0);
	assert_int_equal(sign_in("alice", token_a, 9, session), 0);
	assert_int_equal(sign_in("alice", token_b, 9, session), 0);
	assert_int_equal(sign_in("bob", "bobs", 9, session), 0);
	assert_int_equal(store_user_passwd(store, SITE, "alice", "hash", "hash", token_b),
			 0);
	assert_int_equal(find(token_a, session), ENOENT);
	assert_int_equal(find(token_b, session), 0);
	assert_int_equal(find("bobs", session), 0);
	assert_int_equal(store_user_passwd(store, SITE, "alice", NULL, "hash", NULL), 0);
	assert_int_equal(find(token_b, session), ENOENT);
	assert_int_equal(store_user_remove(store, SITE, "bob"), 0);
	assert_int_equal(find("bobs", session), ENOENT);
	/* The name made anew has none of the old sign-ins. */
	assert_int_equal(store_user_add(store, SITE, "bob", "hash"), 0);
	assert_int_equal(find("bobs", session), ENOENT);
}

static void what_was_stored_is_there_after_a_restart(void **state)
{
	char session[STORE_SESSION_HEX + 1];

	assert_int_equal(store_user_add(store, SITE, "alice", "hash"), 0);
	assert_int_equal(sign_in("alice", token_a, 9, session), 0);
	mem_deref(store);
	assert_int_equal(store_open(&store, NULL, path), 0);
	assert_int_equal(find(token_a, session), 0);
}

static void a_cut_file_is_refused_and_kept(void **state)
{
	struct store *again = NULL;
	char *why = NULL, name[16];
	struct stat st;

	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		assert_int_equal(store_user_add(store, SITE, name, "hash"), 0);
	}
	store = mem_deref(store); /* the log goes into the file */
	assert_int_equal(truncate(path, 6000), 0);
	assert_int_equal(store_open(&again, &why, path), EIO);
	assert_null(again);
	assert_non_null(strstr(why, path));
	mem_deref(why);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 6000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static size_t sign_ins(const char *user, struct store_sign_in **signs)
{
	size_t n = 0;

	assert_int_equal(store_session_list(store, SITE, user, clock_wall_s(), signs, &n),
			 0);
	return n;
}

static void sign_ins_are_told_apart(void **state)
{
	static const struct store_device phone = {"kitchen", "Mozilla/5.0 (X11)"};
	char a[STORE_SESSION_HEX + 1], b[STORE_SESSION_HEX + 1];
	struct store_sign_in *signs;

	(void)state;
	assert_int_equal(store_user_add(store, SITE, "alice", "hash"), 0);
	assert_int_equal(store_user_add(store, SITE, "bob", "hash"), 0);
	assert_int_equal(sign_ins("alice", &signs), 0);
	mem_deref(signs);
	assert_int_equal(store_session_add(store, SITE, "alice", "hash", token_a,
					   clock_wall_s() + 100, 9, &phone, a),
			 0);
	assert_int_equal(sign_in("alice", token_b, 9, b), 0);
	assert_int_equal(sign_ins("alice", &signs), 2);
	assert_string_equal(signs[0].session, a);
	assert_string_equal(signs[0].device.name, "kitchen");
	assert_string_equal(signs[0].device.agent, "Mozilla/5.0 (X11)");
	assert_string_equal(signs[0].origin, "");
	assert_true(signs[0].since_s > clock_wall_s() - 60 &&
		    signs[0].seen_s >= signs[0].since_s &&
		    signs[0].expires_s <= clock_wall_s() + 100);
	assert_string_equal(signs[1].session, b);
	assert_string_equal(signs[1].device.name, "");
	mem_deref(signs);
	/* one ends, of that person only */
	assert_int_equal(store_session_end(store, SITE, "bob", a), ENOENT);
	assert_int_equal(store_session_end(store, SITE, "alice", a), 0);
	assert_int_equal(store_session_end(store, SITE, "alice", a), ENOENT);
	assert_int_equal(find(token_a, a), ENOENT);
	assert_int_equal(find(token_b, b), 0);
	/* all the others end */
	assert_int_equal(sign_in("alice", token_a, 9, a), 0);
	assert_int_equal(store_session_end_others(store, SITE, "alice", token_a), 0);
	assert_int_equal(find(token_b, b), ENOENT);
	assert_int_equal(find(token_a, a), 0);
}

static void a_sign_in_is_seen_now_and_then(void **state)
{
	char a[STORE_SESSION_HEX + 1], user[ADDR_USER_MAX + 1];
	int64_t now = clock_wall_s();
	struct store_sign_in *signs;

	(void)state;
	assert_int_equal(store_user_add(store, SITE, "alice", "hash"), 0);
	assert_int_equal(store_session_add(store, SITE, "alice", "hash", token_a,
					   now + 100000, 9, NULL, a),
			 0);
	assert_int_equal(
		store_session_find(store, SITE, token_a, now + 200, user, a, NULL), 0);
	assert_int_equal(sign_ins("alice", &signs), 1);
	assert_true(signs->seen_s < now + 100);
	mem_deref(signs);
	assert_int_equal(
		store_session_find(store, SITE, token_a, now + 400, user, a, NULL), 0);
	assert_int_equal(sign_ins("alice", &signs), 1);
	assert_int_equal(signs->seen_s, now + 400);
	mem_deref(signs);
}

static void a_sign_in_for_another_page(void **state)
{
	static const char token_c[] =
		"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";
	char user[ADDR_USER_MAX + 1], a[STORE_SESSION_HEX + 1],
		origin[STORE_ORIGIN_MAX + 1] = "x";
	int64_t now = clock_wall_s();

	(void)state;
	assert_int_equal(store_user_add(store, SITE, "alice", "hash"), 0);
	assert_int_equal(sign_in("alice", token_a, 9, a), 0);
	assert_int_equal(store_session_find(store, SITE, token_a, now, user, a, origin),
			 0);
	assert_string_equal(origin, "");
	assert_int_equal(store_session_grant(store, SITE, token_c, token_b,
					     "https://shop.example", now + 50, 9, user,
					     a),
			 ENOENT);
	assert_int_equal(store_session_grant(store, "other.example", token_a, token_b,
					     "https://shop.example", now + 50, 9, user,
					     a),
			 ENOENT);
	*user = '\0';
	assert_int_equal(store_session_grant(store, SITE, token_a, token_b,
					     "https://shop.example", now + 50, 9, user,
					     a),
			 0);
	assert_string_equal(user, "alice");
	assert_int_equal(store_session_find(store, SITE, token_b, now, user, a, origin),
			 0);
	assert_string_equal(origin, "https://shop.example");
	assert_int_equal(
		store_session_find(store, SITE, token_b, now + 50, user, a, origin),
		ENOENT);
	/* what is bound makes no more of its kind */
	assert_int_equal(store_session_grant(store, SITE, token_b, token_c,
					     "https://shop.example", now + 50, 9, user,
					     a),
			 ENOENT);
}

static bool in_files(const char *word)
{
	static const char *const ends[] = {"", "-wal"};
	bool found = false;

	for (size_t i = 0; i < N_ELEMS(ends); i++) {
		char file[160], *all;
		struct stat st;
		FILE *f;

		snprintf(file, sizeof(file), "%s%s", path, ends[i]);
		f = fopen(file, "rb");
		if (!f)
			continue;
		assert_int_equal(fstat(fileno(f), &st), 0);
		all = mem_zalloc((size_t)st.st_size + 1, NULL);
		assert_int_equal(fread(all, 1, (size_t)st.st_size, f), st.st_size);
		found = found || memmem(all, (size_t)st.st_size, word, strlen(word));
		mem_deref(all);
		fclose(f);
	}
	return found;
}

/* Not in the file, not in its log: as if the person had never been there. */
static void nothing_is_left_of_who_is_removed(void **state)
{
	static const struct store_device phone = {"zaphods kitchen", "Zaphodzilla"};
	char a[STORE_SESSION_HEX + 1];

	(void)state;
	assert_int_equal(store_user_add(store, SITE, "zaphod", "zaphods hash"), 0);
	assert_int_equal(store_user_add(store, SITE, "bob", "hash"), 0);
	assert_int_equal(store_session_add(store, SITE, "zaphod", "zaphods hash", token_a,
					   clock_wall_s() + 100, 9, &phone, a),
			 0);
	assert_true(in_files("zaphod"));
	assert_int_equal(store_user_remove(store, SITE, "zaphod"), 0);
	assert_false(in_files("zaphod"));
	assert_false(in_files("Zaphod"));
	assert_true(in_files("bob"));
}

static struct store_call a_call(const char *id, const char *dialog)
{
	struct store_call c = {.a_here = true, .b_here = !*dialog};

	snprintf(c.id, sizeof(c.id), "%s", id);
	snprintf(c.dialog, sizeof(c.dialog), "%s", dialog);
	snprintf(c.a.user, sizeof(c.a.user), "zaphod");
	snprintf(c.a.host, sizeof(c.a.host), SITE);
	snprintf(c.b.user, sizeof(c.b.user), "bob");
	snprintf(c.b.host, sizeof(c.b.host), "%s", *dialog ? "peer.example" : SITE);
	return c;
}

#define RUN_1 "1111111111111111"
#define RUN_2 "2222222222222222"
#define ID_A  "aaaaaaaaaaaaaaaa"
#define ID_B  "bbbbbbbbbbbbbbbb"

static size_t n_left(const char *run, size_t max)
{
	struct store_calls *left = NULL;
	size_t n;

	assert_int_equal(store_calls_left(store, run, max, &left), 0);
	n = left->n_add;
	mem_deref(left);
	return n;
}

static void established_calls_outlive_a_run(void **state)
{
	struct store_calls *c = NULL, *left = NULL;

	(void)state;
	assert_int_equal(store_calls_alloc(&c, 2, 1), 0);
	c->addv[c->n_add++] = a_call(ID_A, "id@x;to-tag=t;from-tag=f");
	c->addv[c->n_add++] = a_call(ID_B, "");
	assert_int_equal(store_calls_change(store, RUN_1, c), 0);
	assert_int_equal(store_calls_change(store, RUN_1, c), 0); /* twice is once */
	assert_int_equal(n_left(RUN_1, 9), 0); /* its own are not left */
	assert_int_equal(n_left(RUN_2, 9), 2);
	assert_int_equal(n_left(RUN_2, 1), 1);
	c->n_add = 0;
	memcpy(c->dropv[c->n_drop++], ID_B, sizeof(ID_B));
	assert_int_equal(store_calls_change(store, RUN_2, c), 0);
	assert_int_equal(store_calls_left(store, RUN_2, 9, &left), 0);
	assert_int_equal(left->n_add, 1);
	assert_string_equal(left->addv[0].id, ID_A);
	assert_string_equal(left->addv[0].dialog, "id@x;to-tag=t;from-tag=f");
	assert_string_equal(AT(&left->addv[0].a), "zaphod@" SITE);
	assert_string_equal(AT(&left->addv[0].b), "bob@peer.example");
	assert_true(left->addv[0].a_here);
	assert_false(left->addv[0].b_here);
	assert_int_equal(store_calls_sweep(store, RUN_1), 0);
	assert_int_equal(n_left(RUN_2, 9), 1);
	assert_int_equal(store_calls_sweep(store, RUN_2), 0);
	assert_int_equal(n_left(RUN_2, 9), 0);
	mem_deref(left);
	mem_deref(c);
}

static void a_removed_persons_calls_go_too(void **state)
{
	struct store_calls *c = NULL;

	(void)state;
	assert_int_equal(store_user_add(store, SITE, "zaphod", "hash"), 0);
	assert_int_equal(store_calls_alloc(&c, 1, 0), 0);
	c->addv[c->n_add++] = a_call(ID_A, "id@x;to-tag=t;from-tag=f");
	assert_int_equal(store_calls_change(store, RUN_1, c), 0);
	assert_int_equal(store_user_remove(store, SITE, "zaphod"), 0);
	assert_int_equal(n_left(RUN_2, 9), 0);
	assert_false(in_files("zaphod"));
	mem_deref(c);
}

static void whose_calls_ring(void **state)
{
	struct store_rules r;
	char *why = NULL;

	(void)state;
	assert_int_equal(store_user_rules(store, SITE, "alice", NULL, &r), ENOENT);
	assert_int_equal(store_user_ring_set(store, SITE, "alice", "x"), ENOENT);
	assert_int_equal(store_user_add(store, SITE, "alice", "hash"), 0);
	assert_int_equal(store_user_rules(store, SITE, "alice", NULL, &r), 0);
	assert_string_equal(r.ring, "anyone");
	assert_int_equal(store_user_ring_set(store, SITE, "alice", "verified-name"), 0);
	store = mem_deref(store);
	assert_int_equal(store_open(&store, &why, path), 0);
	assert_int_equal(store_user_rules(store, SITE, "alice", NULL, &r), 0);
	assert_string_equal(r.ring, "verified-name");
}

static void who_is_no_stranger(void **state)
{
	struct store_rules r;
	char other[32];

	(void)state;
	assert_int_equal(store_known_add(store, SITE, "alice", "eve@far.example"),
			 ENOENT);
	assert_int_equal(store_user_add(store, SITE, "alice", "hash"), 0);
	assert_int_equal(store_user_rules(store, SITE, "alice", "eve@far.example", &r),
			 0);
	assert_string_equal(r.relay, "site");
	assert_false(r.known);
	assert_int_equal(store_known_add(store, SITE, "alice", "eve@far.example"), 0);
	assert_int_equal(store_known_add(store, SITE, "alice", "eve@far.example"), 0);
	assert_int_equal(store_user_relay_set(store, SITE, "alice", "always"), 0);
	assert_int_equal(store_user_rules(store, SITE, "alice", "eve@far.example", &r),
			 0);
	assert_string_equal(r.relay, "always");
	assert_true(r.known);
	for (int i = 0; i < STORE_KNOWN_MAX + 5; i++) {
		snprintf(other, sizeof(other), "u%d@far.example", i);
		assert_int_equal(store_known_add(store, SITE, "alice", other), 0);
	}
	assert_int_equal(store_user_rules(store, SITE, "alice", other, &r), 0);
	assert_true(r.known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(users_come_and_go),
		TEST(a_long_list_is_whole),
		TEST(a_hash_changes_only_from_the_one_that_was_seen),
		TEST(sign_ins_are_found_by_token),
		TEST(no_token_is_in_the_file),
		TEST(a_login_overtaken_by_a_new_password_gets_nothing),
		TEST(sign_ins_expire),
		TEST(the_oldest_sign_in_goes_first),
		TEST(removal_and_new_passwords_end_sign_ins),
		TEST(what_was_stored_is_there_after_a_restart),
		TEST(a_cut_file_is_refused_and_kept),
		TEST(sign_ins_are_told_apart),
		TEST(a_sign_in_is_seen_now_and_then),
		TEST(a_sign_in_for_another_page),
		TEST(nothing_is_left_of_who_is_removed),
		TEST(established_calls_outlive_a_run),
		TEST(a_removed_persons_calls_go_too),
		TEST(whose_calls_ring),
		TEST(who_is_no_stranger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
