/* test_idp_seal.c - keys of an identity provider over their life, and tokens: what ours says is read by the other side's
 * reader (assertion.c) with the keys that ours publishes (jwks.c). Each test on a store of its own. */
#include "idp/seal.h"

#include <setjmp.h>
#include <unistd.h>
#include <cmocka.h>

#include "gateway/store_own.h"
#include "idp/assertion.h"
#include "idp/jwks.h"
#include "lib/clock.h"
#include "lib/db.h"

#define SITE "idp.example"
enum { KEEP_S = 1000 };

static char dir[64], path[128];
static struct store *store;
static struct seals *seals;

static int setup(void **state)
{
	char *why = NULL;

	snprintf(dir, sizeof(dir), "/tmp/test_seal.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/sluss.db", dir);
	return store_open(&store, &why, path) || seals_alloc(&seals, KEEP_S);
}

static int teardown(void **state)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char file[160];

	seals = mem_deref(seals);
	store = mem_deref(store);
	for (size_t i = 0; i < N_ELEMS(ends); i++) {
		snprintf(file, sizeof(file), "%s%s", path, ends[i]);
		unlink(file);
	}
	return rmdir(dir);
}

static struct seal *seal_of(const char *site)
{
	struct seal *s = NULL;

	assert_int_equal(seals_get(&s, seals, store, site), 0);
	assert_non_null(s);
	return s;
}

/* As after a restart. */
static void start_anew(void)
{
	mem_deref(seals);
	assert_int_equal(seals_alloc(&seals, KEEP_S), 0);
}

static json_t *claims(const char *contents)
{
	json_int_t now = clock_wall_s();

	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:s, s:s, s:s, s:s}", "iss",
			 "https://" SITE, "sub", "alice@" SITE, "iat", now, "nbf", now,
			 "exp", now + 300, "jti", "AAAAAAAAAAAAAAAAAAAAAA", "contents",
			 contents, "origin", "https://shop.example", "ctx", "frame");
}

static char *token_of(const struct seal *s)
{
	json_t *c = claims("{\"fingerprint\":[{\"algorithm\":\"sha-256\",\"digest\":\""
			   "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:"
			   "10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\"}]}");
	char *token = NULL;

	assert_int_equal(seal_sign(&token, s, c), 0);
	json_decref(c);
	return token;
}

static bool opens(const struct seal *s, const char *token)
{
	const char *why = NULL;
	json_t *c = NULL;
	int err = seal_open(&c, &why, s, token);

	assert_true(err == 0 || (err == EBADMSG && why && !c));
	json_decref(c);
	return !err;
}

static void a_key_is_made_once_and_kept(void **state)
{
	char kid[STORE_KID_MAX + 1];
	struct store_idp_key *v = NULL;
	size_t n = 0;

	snprintf(kid, sizeof(kid), "%s", seal_kid(seal_of(SITE)));
	assert_string_equal(seal_kid(seal_of("IDP.Example")), kid);
	start_anew();
	assert_string_equal(seal_kid(seal_of(SITE)), kid);
	assert_string_not_equal(seal_kid(seal_of("other.example")), kid);
	assert_int_equal(store_idp_keys(store, SITE, &v, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(v[0].retired_s, 0);
	mem_deref(v);
}

/* The other side reads what we sign, with what we publish. */
static void what_is_signed_is_read_elsewhere(void **state)
{
	struct seal *s = seal_of(SITE);
	json_t *keys = seal_keys(s);
	char *text = json_dumps(keys, JSON_COMPACT), *token = token_of(s);
	struct jwks *j = NULL;
	struct assertion a;
	const char *why = NULL;

	assert_int_equal(jwks_alloc(&j, &why, text, strlen(text)), 0);
	assert_int_equal(jwks_count(j), 1);
	assert_int_equal(assertion_read(&a, &why, token), 0);
	assert_string_equal(a.kid, seal_kid(s));
	assert_string_equal(a.iss, SITE);
	assert_int_equal(a.keys.n, 1);
	assert_true(assertion_signed(&a, token, jwks_key(j, a.kid)));
	assert_null(strstr(text, "\"d\""));
	mem_deref(j);
	mem_deref(token);
	free(text);
	json_decref(keys);
}

static void only_ours_open(void **state)
{
	struct seal *s = seal_of(SITE);
	char *token = token_of(s), *of_other = token_of(seal_of("other.example"));
	char *changed = base_dup(token, strlen(token));
	const char *const none[] = {"", ".", "..", "a.b.c", "....", token + 1};

	assert_true(opens(s, token));
	assert_false(opens(s, of_other));
	for (size_t i = 0; i < N_ELEMS(none); i++)
		assert_false(opens(s, none[i]));
	/* any character of it: header, payload, signature */
	for (size_t i = 0; i < strlen(token); i++) {
		changed[i] = token[i] == 'A' ? 'B' : 'A';
		assert_false(opens(s, changed));
		changed[i] = token[i];
	}
	for (size_t n = 0; n < strlen(token); n += 7) {
		changed[n] = '\0';
		assert_false(opens(s, changed));
		changed[n] = token[n];
	}
	mem_deref(changed);
	mem_deref(token);
	mem_deref(of_other);
}

static void a_long_one_is_refused(void **state)
{
	struct seal *s = seal_of(SITE);
	char *contents = mem_alloc(5001, NULL), *token = NULL;
	size_t n = 5000;
	int err;

	memset(contents, 'x', n);
	do { /* the longest that fits has just the size that is stated */
		json_t *c;

		contents[n] = '\0';
		c = claims(contents);
		err = seal_sign(&token, s, c);
		json_decref(c);
		n--;
	} while (err == EMSGSIZE);
	assert_int_equal(err, 0);
	assert_in_range(strlen(token), SEAL_TOKEN_MAX - 2, SEAL_TOKEN_MAX);
	assert_true(opens(s, token));
	mem_deref(token);
	mem_deref(contents);
}

static void age(int64_t by_s)
{
	struct db *db = NULL;
	char sql[200];

	assert_int_equal(db_open(&db, NULL, path, store_migrations, store_migrations_n),
			 0);
	snprintf(sql, sizeof(sql),
		 "UPDATE idp_key SET retired = retired - %lld WHERE retired <> 0",
		 (long long)by_s);
	assert_int_equal(db_exec(db, sql), 0);
	mem_deref(db);
}

static void the_one_before_is_good_for_a_while(void **state)
{
	struct seal *s = seal_of(SITE);
	char *before = token_of(s), *after;
	char kid[STORE_KID_MAX + 1];
	json_t *keys;

	snprintf(kid, sizeof(kid), "%s", seal_kid(s));
	assert_int_equal(seals_rotate(seals, store, SITE), 0);
	s = seal_of(SITE);
	assert_string_not_equal(seal_kid(s), kid);
	after = token_of(s);
	assert_true(opens(s, before));
	assert_true(opens(s, after));
	keys = seal_keys(s);
	assert_int_equal(json_array_size(json_object_get(keys, "keys")), 2);
	json_decref(keys);

	age(KEEP_S - 10);
	start_anew();
	assert_true(opens(seal_of(SITE), before));
	age(20);
	start_anew();
	s = seal_of(SITE);
	assert_false(opens(s, before));
	assert_true(opens(s, after));
	keys = seal_keys(s);
	assert_int_equal(json_array_size(json_object_get(keys, "keys")), 1);
	json_decref(keys);
	mem_deref(before);
	mem_deref(after);
}

/* The expected ones were computed by Python's hmac and base64. */
static void pseudonyms(void **state)
{
	char out[SEAL_PSEUDONYM_LEN + 1], secret[STORE_TOKEN_HEX + 1];
	struct seal *s;

	assert_int_equal(store_idp_secret(store, SITE,
					  "000102030405060708090a0b0c0d0e0f"
					  "101112131415161718191a1b1c1d1e1f",
					  secret),
			 0);
	s = seal_of(SITE);
	assert_int_equal(seal_pseudonym(out, s, "alice", "https://shop.example"), 0);
	assert_string_equal(out, "6obmyfaztdyfcgwoyxiahra2wz");
	assert_int_equal(seal_pseudonym(out, s, "alice", "bob@beta.example"), 0);
	assert_string_equal(out, "w4q6ipvh7b25tdtdpxxmrtkce3");
	/* whoever comes later does not change it */
	assert_int_equal(store_idp_secret(store, SITE, "ff", secret), 0);
	assert_int_equal(strlen(secret), STORE_TOKEN_HEX);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_key_is_made_once_and_kept),
		TEST(what_is_signed_is_read_elsewhere),
		TEST(only_ours_open),
		TEST(a_long_one_is_refused),
		TEST(the_one_before_is_good_for_a_while),
		TEST(pseudonyms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
