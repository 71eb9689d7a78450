/* test_turn.c - the TURN credential against values made by hand:
 *
 *   printf '%s' alice@alpha.example | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…1e1f
 *   printf '%s' 1767225600:f87c… | openssl dgst -sha1 -mac HMAC -macopt key:north -binary | base64 */
#include "gateway/turn.h"

#include <inttypes.h>
#include <setjmp.h>
#include <cmocka.h>

static char stun[] = "stun:stun.alpha.example", uri[] = "turn:turn.alpha.example:3478",
	    north[] = "north";
static char *stunv[] = {stun, NULL}, *uriv[] = {uri, NULL};

static struct addr person(const char *user, const char *host)
{
	struct addr a = {0};

	snprintf(a.user, sizeof(a.user), "%s", user);
	snprintf(a.host, sizeof(a.host), "%s", host);
	return a;
}

static void the_credential(void **state)
{
	char username[TURN_USERNAME_MAX + 1], credential[SECRET_HMAC_SHA1_BASE64];
	const struct addr alice = person("alice", "alpha.example"),
			  other = person("alice", "beta.example");
	uint8_t key[SECRET_SHA256_BYTES];

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	assert_int_equal(
		turn_credential(username, credential, "north", key, &alice, 1767225600),
		0);
	assert_string_equal(username, "1767225600:f87cfc5ddb251894837be52909471e2c");
	assert_string_equal(credential, "f08GIhmR+yEUEpVOVyGp6voX8co=");
	assert_int_equal(
		turn_credential(username, credential, "north", key, &other, INT64_MAX),
		0);
	assert_string_equal(username,
			    "9223372036854775807:8caaa88d8eed6bd99e929f90df86a6c0");
}

/* What the TURN server reads, signed by what it knows, and not whom it serves. */
static void servers_for_a_person(void **state)
{
	struct turn_config config = {
		.stunv = stunv, .uriv = uriv, .secret = north, .lifetime_s = 600};
	const struct addr alice = person("alice", "alpha.example"),
			  bob = person("bob", "alpha.example");
	struct turn_servers *s = NULL, *again = NULL, *his = NULL;
	char signature[SECRET_HMAC_SHA1_BASE64];
	struct turn *t = NULL, *next = NULL;

	assert_int_equal(turn_alloc(&t, &config), 0);
	assert_int_equal(turn_servers_alloc(&s, t, &alice, 1000), 0);
	assert_ptr_equal(s->stunv, stunv);
	assert_ptr_equal(s->uriv, uriv);
	assert_int_equal(s->ttl_s, 600);
	assert_memory_equal(s->username, "1600:", 5);
	assert_int_equal(strlen(s->username), 5 + TURN_PSEUDONYM_HEX);
	assert_null(strstr(s->username, "alice"));
	assert_int_equal(secret_hmac_sha1_base64(signature, "north", 5, s->username,
						 strlen(s->username)),
			 0);
	assert_string_equal(s->credential, signature);
	/* the same person is the same to its quotas, another one another */
	assert_int_equal(turn_servers_alloc(&again, t, &alice, 2000), 0);
	assert_int_equal(turn_servers_alloc(&his, t, &bob, 1000), 0);
	assert_memory_equal(again->username, "2600:", 5);
	assert_string_equal(again->username + 5, s->username + 5);
	assert_string_not_equal(his->username, s->username);
	mem_deref(again);
	mem_deref(his);
	/* the next run knows nobody again */
	assert_int_equal(turn_alloc(&next, &config), 0);
	assert_int_equal(turn_servers_alloc(&again, next, &alice, 1000), 0);
	assert_string_not_equal(again->username, s->username);
	mem_deref(again);
	mem_deref(next);
	mem_deref(s);
	mem_deref(t);
}

static void nothing_configured(void **state)
{
	struct turn_config config = {.lifetime_s = 600}, only_stun = {.stunv = stunv};
	const struct addr alice = person("alice", "alpha.example");
	struct turn_servers *s = NULL;
	struct turn *t = NULL;

	assert_int_equal(turn_alloc(&t, &config), 0);
	assert_int_equal(turn_servers_alloc(&s, t, &alice, 1000), 0);
	assert_null(s->stunv);
	assert_null(s->uriv);
	assert_string_equal(s->username, "");
	s = mem_deref(s);
	mem_deref(t);
	assert_int_equal(turn_alloc(&t, &only_stun), 0);
	assert_int_equal(turn_servers_alloc(&s, t, &alice, 1000), 0);
	assert_ptr_equal(s->stunv, stunv);
	assert_null(s->uriv);
	assert_string_equal(s->credential, "");
	mem_deref(s);
	mem_deref(t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_credential),
		cmocka_unit_test(servers_for_a_person),
		cmocka_unit_test(nothing_configured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
