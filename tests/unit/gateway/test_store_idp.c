/* test_store_idp.c - what the store keeps for the identity provider, on a fresh file each: sessions, consents with their
 * grants and codes, rules, profiles, who somebody is elsewhere; and what ends with what. */
#include "gateway/store_idp.h"

#include <setjmp.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/clock.h"

#define SITE      "site.example"
#define SHOP      "https://shop.example"
#define CHALLENGE "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static char dir[64], path[128];
static struct store *store;
static int64_t now;

static int setup(void **state)
{
	char *why = NULL;

	snprintf(dir, sizeof(dir), "/tmp/test_store_idp.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/sluss.db", dir);
	now = clock_wall_s();
	return store_open(&store, &why, path) ||
	       store_user_add(store, SITE, "alice", "hash") ||
	       store_user_add(store, SITE, "bob", "hash");
}

static int teardown(void **state)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char file[160];

	store = mem_deref(store);
	for (size_t i = 0; i < N_ELEMS(ends); i++) {
		snprintf(file, sizeof(file), "%s%s", path, ends[i]);
		unlink(file);
	}
	return rmdir(dir);
}

static int session(const char *user, const char *hash, const char *token, int64_t s)
{
	return store_idp_session_add(store, SITE, user, hash, token, now + s, 3);
}

static int session_find(const char *token)
{
	char user[ADDR_USER_MAX + 1];

	return store_idp_session_find(store, SITE, token, now, user);
}

static void sessions(void **state)
{
	char user[ADDR_USER_MAX + 1] = "";

	assert_int_equal(session("alice", "hash", "a", 100), 0);
	assert_int_equal(store_idp_session_find(store, SITE, "a", now, user), 0);
	assert_string_equal(user, "alice");
	assert_int_equal(session("alice", "other", "b", 100), ENOENT);
	assert_int_equal(session("nobody", NULL, "b", 100), ENOENT);
	assert_int_equal(store_idp_session_find(store, "x.example", "a", now, user),
			 ENOENT);
	assert_int_equal(store_idp_session_find(store, SITE, "a", now + 100, user),
			 ENOENT);
	assert_int_equal(session("bob", NULL, "of bob", 100), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(
			session("alice", NULL, (const char *[]){"1", "2", "3"}[i], 100),
			0);
	assert_int_equal(session_find("a"), ENOENT); /* three at most: the oldest went */
	assert_int_equal(session_find("3"), 0);
	assert_int_equal(session_find("of bob"), 0);
	assert_int_equal(store_idp_session_end(store, SITE, "3"), 0);
	assert_int_equal(store_idp_session_end(store, SITE, "3"), ENOENT);
	assert_int_equal(session_find("3"), ENOENT);
	assert_int_equal(session_find("2"), 0);
}

static void consent(const char *user, const char *origin, bool frames)
{
	struct store_consent c = {.frames = frames, .claims = "name"};

	snprintf(c.origin, sizeof(c.origin), "%s", origin);
	assert_int_equal(store_idp_consent_set(store, SITE, user, &c), 0);
}

static int grant(const char *origin, const char *token)
{
	return store_idp_grant_add(store, SITE, "alice", origin, token, now + 100, 2);
}

static int grant_find(const char *token, int64_t at, int64_t until)
{
	char user[ADDR_USER_MAX + 1], origin[STORE_ORIGIN_MAX + 1];

	return store_idp_grant_find(store, SITE, token, at, until, user, origin);
}

static void grants(void **state)
{
	char user[ADDR_USER_MAX + 1], origin[STORE_ORIGIN_MAX + 1];

	assert_int_equal(grant(SHOP, "a"), ENOENT); /* without a consent */
	consent("alice", SHOP, true);
	assert_int_equal(grant(SHOP, "a"), 0);
	assert_int_equal(
		store_idp_grant_find(store, SITE, "a", now, now + 100, user, origin), 0);
	assert_string_equal(user, "alice");
	assert_string_equal(origin, SHOP);
	assert_int_equal(grant_find("a", now + 100, now), ENOENT);
	/* used: it holds longer, from an hour on */
	assert_int_equal(grant_find("a", now, now + 100 + 3599), 0);
	assert_int_equal(grant_find("a", now + 101, now), ENOENT);
	assert_int_equal(grant_find("a", now, now + 100 + 3600), 0);
	assert_int_equal(grant_find("a", now + 101, now), 0);
	assert_int_equal(grant(SHOP, "b"), 0);
	assert_int_equal(grant(SHOP, "c"), 0); /* two at most */
	assert_int_equal(grant_find("a", now, now), ENOENT);
	assert_int_equal(grant_find("c", now, now), 0);
	consent("alice", SHOP, false);
	assert_int_equal(grant_find("c", now, now), ENOENT);
}

static int code(const char *text, int64_t s)
{
	struct store_code c = {.user = "alice", .origin = SHOP, .challenge = CHALLENGE};

	return store_idp_code_add(store, SITE, &c, text, now + s);
}

static void codes(void **state)
{
	struct store_code c;

	assert_int_equal(code("a", 60), ENOENT);
	assert_int_equal(store_idp_consent_own(store, SITE, "alice", SHOP), 0);
	assert_int_equal(code("a", 60), 0);
	assert_int_equal(store_idp_code_take(store, "x.example", "a", now, &c), ENOENT);
	assert_int_equal(store_idp_code_take(store, SITE, "a", now, &c), 0);
	assert_string_equal(c.user, "alice");
	assert_string_equal(c.origin, SHOP);
	assert_string_equal(c.challenge, CHALLENGE);
	assert_true(c.own);
	assert_int_equal(store_idp_code_take(store, SITE, "a", now, &c), ENOENT);
	assert_int_equal(code("b", 60), 0);
	assert_int_equal(store_idp_code_take(store, SITE, "b", now + 60, &c), ENOENT);
	assert_int_equal(store_idp_code_take(store, SITE, "b", now, &c), ENOENT);
	assert_int_equal(code("c", 60), 0);
	assert_int_equal(store_idp_consent_end(store, SITE, "alice", SHOP), 0);
	assert_int_equal(store_idp_code_take(store, SITE, "c", now, &c), ENOENT);
}

static void consents(void **state)
{
	struct store_consent c, *v = NULL;
	size_t n = 0;

	assert_int_equal(store_idp_consent(store, SITE, "alice", SHOP, &c), ENOENT);
	consent("alice", SHOP, true);
	consent("bob", SHOP, false);
	assert_int_equal(store_idp_consent(store, SITE, "alice", SHOP, &c), 0);
	assert_true(c.frames && !c.own && !c.used_s && c.since_s >= now);
	assert_int_equal(store_idp_consent_used(store, SITE, "alice", &c, now + 7), 0);
	assert_int_equal(store_idp_consent(store, SITE, "alice", SHOP, &c), 0);
	assert_int_equal(c.used_s, now + 7);
	assert_int_equal(store_idp_consent_used(store, SITE, "alice", &c, now + 8), 0);
	/* the site's own does not undo what the person has said */
	consent("alice", "https://site.example", false);
	assert_int_equal(
		store_idp_consent_own(store, SITE, "alice", "https://site.example"), 0);
	assert_int_equal(store_idp_consents(store, SITE, "alice", &v, &n), 0);
	assert_int_equal(n, 2);
	for (size_t i = 0; i < n; i++) {
		assert_false(v[i].own);
		assert_int_equal(v[i].frames, !strcmp(v[i].origin, SHOP));
	}
	assert_int_equal(v[strcmp(v[0].origin, SHOP) ? 1 : 0].used_s, now + 7);
	mem_deref(v);
	assert_int_equal(store_idp_consent_end(store, SITE, "alice", SHOP), 0);
	assert_int_equal(store_idp_consent_end(store, SITE, "alice", SHOP), ENOENT);
	assert_int_equal(store_idp_consent(store, SITE, "bob", SHOP, &c), 0);
}

static void rules_and_profiles(void **state)
{
	struct store_rule r[2] = {{"anyone", "pseudonym", ""},
				  {SHOP, "full", "name email"}};
	struct store_profile p = {.name = "Alice", .email = "a@b.example"}, q;
	struct store_rule *v = NULL;
	size_t n = 9;

	assert_int_equal(store_idp_rules(store, SITE, "alice", &v, &n), 0);
	assert_int_equal(n, 0);
	v = mem_deref(v);
	assert_int_equal(store_idp_rules_set(store, SITE, "alice", r, 2), 0);
	assert_int_equal(store_idp_rules_set(store, SITE, "nobody", r, 2), ENOENT);
	assert_int_equal(store_idp_rules(store, SITE, "alice", &v, &n), 0);
	assert_int_equal(n, 2);
	assert_string_equal(v[1].whom, SHOP);
	assert_string_equal(v[1].claims, "name email");
	v = mem_deref(v);
	assert_int_equal(store_idp_rules_set(store, SITE, "alice", NULL, 0), 0);
	assert_int_equal(store_idp_rules(store, SITE, "alice", &v, &n), 0);
	assert_int_equal(n, 0);
	mem_deref(v);

	assert_int_equal(store_idp_profile(store, SITE, "alice", &q), 0);
	assert_string_equal(q.name, "");
	assert_int_equal(store_idp_profile_set(store, SITE, "nobody", &p), ENOENT);
	p.email_verified = true;
	assert_int_equal(store_idp_profile_set(store, SITE, "alice", &p), 0);
	assert_int_equal(store_idp_profile(store, SITE, "alice", &q), 0);
	assert_string_equal(q.name, "Alice");
	assert_true(q.email_verified);
}

static void elsewhere(void **state)
{
	char user[ADDR_USER_MAX + 1];

	assert_int_equal(store_idp_upstream(store, SITE, "https://op", "1", user),
			 ENOENT);
	assert_int_equal(store_idp_upstream_add(store, SITE, "https://op", "1", "alice"),
			 0);
	assert_int_equal(store_idp_upstream_add(store, SITE, "https://op", "1", "bob"),
			 EEXIST);
	assert_int_equal(store_idp_upstream_add(store, SITE, "https://op", "2", "nobody"),
			 ENOENT);
	assert_int_equal(store_idp_upstream(store, SITE, "https://op", "1", user), 0);
	assert_string_equal(user, "alice");
	assert_int_equal(store_idp_upstream(store, SITE, "https://other", "1", user),
			 ENOENT);
}

static void what_ends_with_what(void **state)
{
	char user[ADDR_USER_MAX + 1], other[STORE_TOKEN_HEX + 1];
	struct store_consent c;
	struct store_profile p = {.name = "Alice"};

	memset(other, 'e', STORE_TOKEN_HEX);
	other[STORE_TOKEN_HEX] = '\0';
	consent("alice", SHOP, true);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(session("alice", NULL, "s", 100), 0);
		assert_int_equal(session("bob", NULL, i ? "t" : "u", 100), 0);
		assert_int_equal(grant(SHOP, "g"), 0);
		assert_int_equal(
			i ? store_session_end_others(store, SITE, "alice", other)
			  : store_user_passwd(store, SITE, "alice", NULL, "new", NULL),
			0);
		assert_int_equal(session_find("s"), ENOENT);
		assert_int_equal(grant_find("g", now, now), ENOENT);
		assert_int_equal(session_find("u"), 0);
		assert_int_equal(store_idp_consent(store, SITE, "alice", SHOP, &c), 0);
	}
	assert_int_equal(store_idp_profile_set(store, SITE, "alice", &p), 0);
	assert_int_equal(store_idp_upstream_add(store, SITE, "https://op", "1", "alice"),
			 0);
	assert_int_equal(store_user_remove(store, SITE, "alice"), 0);
	assert_int_equal(store_idp_consent(store, SITE, "alice", SHOP, &c), ENOENT);
	assert_int_equal(store_idp_upstream(store, SITE, "https://op", "1", user),
			 ENOENT);
	assert_int_equal(store_idp_profile(store, SITE, "alice", &p), 0);
	assert_string_equal(p.name, "");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(sessions),
		TEST(grants),
		TEST(codes),
		TEST(consents),
		TEST(elsewhere),
		TEST(rules_and_profiles),
		TEST(what_ends_with_what),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
