/* tests/unit/webrtc/test_web_rules.c - hosts, origins (abuse case 37), cookies, tokens, paths (case 91). */
#include "webrtc/http/rules.h"

#include <setjmp.h>
#include <cmocka.h>

static void hosts(void **state)
{
	static const struct {
		const char *text, *host;
		unsigned port;
	} rows[] = {
		{"alpha.example", "alpha.example", 0},
		{"Alpha.EXAMPLE:8443", "alpha.example", 8443},
		{"alpha.localhost:80", "alpha.localhost", 80},
		{"alpha.example:", NULL, 0},
		{"alpha.example:0", NULL, 0},
		{"alpha.example:65536", NULL, 0},
		{"alpha.example:+1", NULL, 0},
		{"alpha.example:80:80", NULL, 0},
		{"alpha.example,beta.example", NULL, 0},
		{"user@alpha.example", NULL, 0},
		{"alpha.example/..", NULL, 0},
		{" alpha.example", NULL, 0},
		{"", NULL, 0},
		{"[::1]:80", NULL, 0},
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		char host[ADDR_HOST_MAX + 1] = "";
		unsigned port = 99;
		int err = rules_host(host, &port, rows[i].text, strlen(rows[i].text));

		if (!err != !!rows[i].host)
			fail_msg("%s: %d", rows[i].text, err);
		if (!err) {
			assert_string_equal(host, rows[i].host);
			assert_int_equal(port, rows[i].port);
		}
	}
}

static void own_origin(void **state)
{
	char buf[RULES_ORIGIN_MAX + 1];

	assert_string_equal(rules_origin(buf, true, "a.example", 0), "https://a.example");
	assert_string_equal(rules_origin(buf, true, "a.example", 443),
			    "https://a.example");
	assert_string_equal(rules_origin(buf, true, "a.example", 80),
			    "https://a.example:80");
	assert_string_equal(rules_origin(buf, false, "a.localhost", 80),
			    "http://a.localhost");
	assert_string_equal(rules_origin(buf, false, "a.localhost", 8080),
			    "http://a.localhost:8080");
}

static void origins(void **state)
{
	char listed[] = "https://app.example", none[] = "none";
	char *v[] = {listed, NULL}, *v_none[] = {none, NULL};
	struct site_config open = {.domain = "good.example"}, lists = open,
			   program = open;
	static const char own[] = "https://good.example";
	static const char *const bad[] = {"null",
					  "",
					  "https://good.example.evil.example",
					  "https://GOOD.example",
					  "HTTPS://good.example",
					  "http://good.example",
					  "https://good.example:443",
					  "https://good.example:8443",
					  "https://good.example/",
					  "https://good.exampl",
					  "https://evil.example",
					  "https://good.example https://evil.example",
					  "none"};

	lists.originv = v;
	program.originv = v_none;
	assert_true(rules_origin_allowed(&open, own, own, strlen(own)));
	for (size_t i = 0; i < N_ELEMS(bad); i++) {
		assert_false(rules_origin_allowed(&open, own, bad[i], strlen(bad[i])));
		assert_false(rules_origin_allowed(&lists, own, bad[i], strlen(bad[i])));
		assert_false(rules_origin_allowed(&program, own, bad[i], strlen(bad[i])));
	}
	assert_false(rules_origin_allowed(&open, own, NULL, 0));
	assert_false(rules_origin_allowed(&lists, own, NULL, 0));
	assert_true(rules_origin_allowed(&program, own, NULL, 0));
	assert_true(rules_origin_allowed(&lists, own, listed, strlen(listed)));
	assert_false(rules_origin_allowed(&open, own, listed, strlen(listed)));
}

#define T64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define U64 "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static void cookies(void **state)
{
	static const struct {
		const char *text, *token;
	} rows[] = {
		{"sluss=" T64, T64},
		{"a=b; sluss=" T64 "; c=d", T64},
		{"a=b;sluss=" T64, T64},
		{"xsluss=" U64 "; sluss=" T64, T64},
		{"sluss=; sluss=" T64, T64},
		{"sluss=" T64 "; sluss=" U64, T64},
		{"sluss", NULL},
		{"sluss=", NULL},
		{"sluss=\"" T64 "\"", NULL},
		{"sluss=" T64 "0", NULL},
		{"SLUSS=" T64, NULL},
		{"__Host-sluss=" T64, NULL},
		{"a=sluss=" T64, NULL},
		{"", NULL},
		{";;;", NULL},
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		char token[STORE_TOKEN_HEX + 1] = "";

		if (rules_cookie(token, "sluss", rows[i].text, strlen(rows[i].text)) !=
		    !!rows[i].token)
			fail_msg("%s", rows[i].text);
		assert_string_equal(token, rows[i].token ? rows[i].token : "");
	}
}

static void bearers(void **state)
{
	char token[STORE_TOKEN_HEX + 1];

	assert_true(rules_bearer(token, "Bearer " T64, 71));
	assert_string_equal(token, T64);
	assert_true(rules_bearer(token, "bearer " T64, 71));
	assert_false(rules_bearer(token, "Bearer  " T64, 72));
	assert_false(rules_bearer(token, "Basic " T64, 70));
	assert_false(rules_bearer(token, "Bearer", 6));
	assert_false(rules_bearer(token, "Bearer ", 7));
	assert_false(rules_bearer(token, "", 0));
}

static void paths(void **state)
{
	static const char *const good[] = {"/", "/a", "/sdk/sluss.js", "/sdk/",
					   "/a.b_c-d/e9"};
	static const char *const bad[] = {
		"",       "a",         "//",    "/../etc", "/a/../b", "/a/..",
		"/.git",  "/a/.hid",   "/a//b", "/a b",    "/a\\b",   "/a%2e",
		"/a\x7f", "/\xc3\xa9", "/a?b",  "/a:b",    "/a\nb",   "/~root"};

	for (size_t i = 0; i < N_ELEMS(good); i++)
		assert_true(rules_path(good[i], strlen(good[i])));
	for (size_t i = 0; i < N_ELEMS(bad); i++)
		assert_false(rules_path(bad[i], strlen(bad[i])));
	assert_false(rules_path("/a\0b", 4));
}

static void lists_and_keys(void **state)
{
	assert_true(rules_list_has("keep-alive, Upgrade", 19, "upgrade", true));
	assert_false(rules_list_has("keep-alive, Upgrade", 19, "upgrade", false));
	assert_true(rules_list_has("x,sluss.v1 ,y", 13, "sluss.v1", false));
	assert_false(rules_list_has("sluss.v10,xsluss.v1", 19, "sluss.v1", false));
	assert_false(rules_list_has("", 0, "sluss.v1", false));
	assert_true(rules_ws_key("dGhlIHNhbXBsZSBub25jZQ==", 24));
	assert_false(rules_ws_key("dGhlIHNhbXBsZSBub25jZQ=", 23));
	assert_false(rules_ws_key("dGhlIHNhbXBsZSBub25jZ===", 24));
	assert_false(rules_ws_key("dGhlIHNhbXBsZSBub25j!Q==", 24));
}

static void lengths(void **state)
{
	uint64_t v = 7;

	assert_int_equal(rules_length(&v, "0", 1), 0);
	assert_int_equal(v, 0);
	assert_int_equal(rules_length(&v, "9999999999", 10), 0);
	assert_true(v == 9999999999ull);
	assert_int_equal(rules_length(&v, "", 0), EINVAL);
	assert_int_equal(rules_length(&v, "+5", 2), EINVAL);
	assert_int_equal(rules_length(&v, "-1", 2), EINVAL);
	assert_int_equal(rules_length(&v, "5,5", 3), EINVAL);
	assert_int_equal(rules_length(&v, "0x5", 3), EINVAL);
	assert_int_equal(rules_length(&v, "99999999999", 11), EINVAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts),          cmocka_unit_test(own_origin),
		cmocka_unit_test(origins),        cmocka_unit_test(cookies),
		cmocka_unit_test(bearers),        cmocka_unit_test(paths),
		cmocka_unit_test(lists_and_keys), cmocka_unit_test(lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
