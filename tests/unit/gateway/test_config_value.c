/* test_config_value.c - single values of the configuration file: servers for ICE, listening addresses. */
#include "gateway/config_value.h"

#include <setjmp.h>
#include <cmocka.h>

#include "gateway/config.h"

static void ice_uris(void **state)
{
	static const char *const turns[] = {"turn:turn.alpha.example",
					    "turn:turn.alpha.example:3478",
					    "turns:t.example:5349?transport=tcp",
					    "turn:192.0.2.1:1?transport=udp",
					    "turn:[2001:db8::1]",
					    "turn:[2001:db8::1]:65535?transport=tcp",
					    "turn:localhost"};
	static const char *const neither[] = {"",
					      "turn",
					      "turn:",
					      "stun:",
					      "turn::1",
					      "turn://a.example",
					      "turn:a.example:",
					      "turn:a.example:0",
					      "turn:a.example:65536",
					      "turn:a.example:123456",
					      "turn:a.example:1x",
					      "turn:a.example?transport=sctp",
					      "turn:a.example?",
					      "turn:user@a.example",
					      "turn:a b",
					      "turn:[2001:db8::1",
					      "turn:[192.0.2.1]",
					      "turn:2001:db8::1",
					      "turn:1.2.3",
					      "TURN:a.example",
					      "stun:a.example/",
					      "http://a.example"};

	for (size_t i = 0; i < N_ELEMS(turns); i++) {
		assert_int_equal(config_ice_uri_parse(turns[i], true), 0);
		assert_int_equal(config_ice_uri_parse(turns[i], false), EINVAL);
	}
	assert_int_equal(config_ice_uri_parse("stun:stun.alpha.example:19302", false), 0);
	assert_int_equal(config_ice_uri_parse("stuns:stun.alpha.example", false), 0);
	assert_int_equal(config_ice_uri_parse("stun:stun.alpha.example", true), EINVAL);
	assert_int_equal(config_ice_uri_parse("stun:a.example?transport=udp", false),
			 EINVAL);
	for (size_t i = 0; i < N_ELEMS(neither); i++) {
		if (!config_ice_uri_parse(neither[i], true) ||
		    !config_ice_uri_parse(neither[i], false))
			fail_msg("taken: %s", neither[i]);
	}
}

static void addresses(void **state)
{
	static const char *const good_texts[] = {"1.2.3.4:5", "[::]:443",
						 "[2001:db8::1]:0", "0.0.0.0:65535"};
	static const char *const bad_texts[] = {
		"",           ":",           "1.2.3.4",    "1.2.3.4:",
		"1.2.3.4:x",  "1.2.3:4",     "[::1]",      "[::1]5",
		"[::1",       "[1.2.3.4]:5", "::1:5",      "1.2.3.4:65536",
		"1.2.3.4:-1", "1.2.3.4:+5",  "[::1%lo]:5", " 1.2.3.4:5"};
	struct sa sa;

	for (size_t i = 0; i < N_ELEMS(good_texts); i++) {
		char buf[64];

		assert_int_equal(config_sa_parse(&sa, good_texts[i], -1), 0);
		assert_string_equal(config_sa_text(buf, &sa), good_texts[i]);
	}
	for (size_t i = 0; i < N_ELEMS(bad_texts); i++)
		assert_int_equal(config_sa_parse(&sa, bad_texts[i], -1), EINVAL);
	assert_int_equal(config_sa_parse(&sa, "127.9.9.9:1", -1), 0);
	assert_true(config_sa_is_loopback(&sa));
	assert_int_equal(config_sa_parse(&sa, "126.0.0.1:1", -1), 0);
	assert_false(config_sa_is_loopback(&sa));
}

/* What only config_load() looks at. */

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(ice_uris),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
