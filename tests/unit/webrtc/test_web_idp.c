/* test_web_idp.c - bodies of requests to an identity provider: what is taken, and with which words the rest is not. */
#include "webrtc/session/idp_parse.h"

#include <setjmp.h>
#include <cmocka.h>

static struct provider_request *parse(enum provider_op op, const char *text,
				      struct api_fault *fault)
{
	struct provider_request *r = NULL;
	int err = idp_request_parse(&r, fault, op, text, strlen(text), 8);

	assert_int_equal(err, r ? 0 : EBADMSG);
	return r;
}

static struct provider_request *good(enum provider_op op, const char *text)
{
	struct api_fault fault = {0};
	struct provider_request *r = parse(op, text, &fault);

	if (!r)
		print_error("%s: %s\n", text, fault.text);
	assert_non_null(r);
	assert_int_equal(r->op, op);
	return r;
}

static void what_is_taken(void **state)
{
	struct provider_request *r = good(
		PROVIDER_ASSERT,
		"{\"contents\":\"{}\",\"origin\":\"https://a.example\",\"ctx\":\"native\","
		"\"peer\":\"bob@b.example\",\"usernameHint\":null}");

	assert_string_equal(r->contents, "{}");
	assert_string_equal(r->origin, "https://a.example");
	assert_string_equal(r->peer, "bob@b.example");
	assert_true(r->native);
	mem_deref(r);
	r = good(PROVIDER_ASSERT,
		 "{\"contents\":\"x\",\"origin\":\"y\",\"ctx\":\"frame\","
		 "\"peer\":\"\"}");
	assert_false(r->native);
	assert_null(r->peer);
	mem_deref(r);
	r = good(PROVIDER_CONSENT_SET,
		 "{\"origin\":\"o\",\"frames\":true,\"claims\":[\"email\",\"name\","
		 "\"email\"]}");
	assert_true(r->frames && r->has_claims);
	assert_string_equal(r->claims, "name email");
	mem_deref(r);
	r = good(PROVIDER_CONSENT_SET, "{\"origin\":\"o\",\"frames\":false}");
	assert_false(r->frames || r->has_claims);
	mem_deref(r);
	r = good(PROVIDER_RULES_SET,
		 "[{\"for\":\"anyone\",\"reveal\":\"none\"},{\"for\":\"x\",\"reveal\":"
		 "\"full\",\"claims\":[\"picture\"]}]");
	assert_int_equal(r->n_rules, 2);
	assert_string_equal(r->rulev[0].claims, "");
	assert_string_equal(r->rulev[1].claims, "picture");
	mem_deref(r);
	mem_deref(good(PROVIDER_RULES_SET, "[]"));
	mem_deref(good(PROVIDER_PROFILE_SET, "{}"));
	r = good(PROVIDER_SIGN_IN, "{\"user\":\"a\",\"password\":\"b\"}");
	assert_string_equal(r->password, "b");
	mem_deref(r);
}

static void what_is_not(void **state)
{
	static const struct {
		enum provider_op op;
		const char *text, *error, *words;
	} cases[] = {
		{PROVIDER_CHECK, "", "bad-json", "not JSON"},
		{PROVIDER_CHECK, "{\"assertion\":\"a\",\"assertion\":\"b\"}", "bad-json",
		 ""},
		{PROVIDER_CHECK, "[[[[[[[[[[1]]]]]]]]]]", "too-deep", "too deep"},
		{PROVIDER_CHECK, "[]", "bad-message", "JSON object"},
		{PROVIDER_CHECK, "{\"assertion\":1}", "bad-message", "`assertion`"},
		{PROVIDER_CHECK, "{\"assertion\":\"\"}", "bad-message", "`assertion`"},
		{PROVIDER_CHECK, "{\"assertion\":\"a\",\"x\":1}", "bad-message", "x"},
		{PROVIDER_CHECK, "{\"assertion\":\"a\",\"peer\":{}}", "bad-message",
		 "`peer`"},
		{PROVIDER_CHECK, "{\"assertion\":\"a\",\"peer\":\"b\\u0000c\"}", "", ""},
		{PROVIDER_CONSENT_SET, "{\"origin\":\"o\",\"frames\":1}", "bad-message",
		 "`frames`"},
		{PROVIDER_CONSENT_SET,
		 "{\"origin\":\"o\",\"frames\":true,\"claims\":\"name\"}", "bad-message",
		 "`claims`"},
		{PROVIDER_CONSENT_SET,
		 "{\"origin\":\"o\",\"frames\":true,\"claims\":[1]}", "bad-message",
		 "`claims`"},
		{PROVIDER_RULES_SET, "{}", "bad-message", "a list"},
		{PROVIDER_RULES_SET, "[1]", "bad-message", "a rule has"},
		{PROVIDER_RULES_SET, "[{\"for\":\"x\",\"reveal\":\"some\"}]",
		 "bad-message", "`reveal`"},
		{PROVIDER_RULES_SET,
		 "[{\"for\":\"x\",\"reveal\":\"full\",\"claims\":[],\"y\":1}]",
		 "bad-message", "a rule has"},
		{PROVIDER_CODE, "{\"origin\":\"o\"}", "bad-message", "`challenge`"},
		{PROVIDER_SIGN_IN, "{\"user\":\"a\",\"password\":\"\"}", "bad-message",
		 "`password`"},
	};

	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		struct api_fault fault = {0};

		if (parse(cases[i].op, cases[i].text, &fault))
			fail_msg("taken: %s", cases[i].text);
		if ((*cases[i].error && strcmp(fault.error, cases[i].error) != 0) ||
		    !strstr(fault.text, cases[i].words))
			fail_msg("%s: %s, %s", cases[i].text, fault.error, fault.text);
	}
}

static void which_have_a_body(void **state)
{
	unsigned n = 0;

	for (int op = 0; op < PROVIDER_OP_N; op++) {
		assert_string_not_equal(provider_op_name((enum provider_op)op), "?");
		n += idp_request_has_body((enum provider_op)op);
	}
	assert_int_equal(n, 11);
	assert_false(idp_request_has_body(PROVIDER_SIGN_OUT));
	assert_false(idp_request_has_body(PROVIDER_KEYS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_taken),
		cmocka_unit_test(what_is_not),
		cmocka_unit_test(which_have_a_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
