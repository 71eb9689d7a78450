/* test_idp_oauth.c - what a service of OAuth 2.0 alone says, believed and not. */
#include "idp/oauth.h"

#include <setjmp.h>
#include <cmocka.h>

static void a_token(void **state)
{
	static const char *const good[] = {
		"{\"access_token\":\"gho_16C7e42F\",\"token_type\":\"bearer\",\"scope\":\"\"}",
		"{\"access_token\":\"gho_16C7e42F\",\"token_type\":\"Bearer\",\"error\":null}",
		"{\"access_token\":\"gho_16C7e42F\"}",
	};
	char why[OAUTH_WHY_MAX + 1];

	for (size_t i = 0; i < N_ELEMS(good); i++) {
		char *token = NULL;

		assert_int_equal(oauth_token_parse(&token, why, good[i], strlen(good[i])),
				 0);
		assert_string_equal(token, "gho_16C7e42F");
		mem_deref(token);
	}
}

static void tokens_that_are_none(void **state)
{
	static const char *const cases[][2] = {
		{"", "it is no JSON object"},
		{"[]", "it is no JSON object"},
		{"access_token=gho_16C7e42F&scope=&token_type=bearer",
		 "it is no JSON object"},
		{"{\"error\":\"bad_verification_code\",\"error_description\":\"x\"}",
		 "it refuses the code: bad_verification_code"},
		{"{\"error\":\"x\",\"access_token\":\"A\"}", "it refuses the code: x"},
		{"{\"error\":{\"code\":7}}", "it refuses the code: "},
		{"{}", "there is no usable access token in its answer"},
		{"{\"access_token\":\"\"}",
		 "there is no usable access token in its answer"},
		{"{\"access_token\":7}", "there is no usable access token in its answer"},
		{"{\"access_token\":\"A\\r\\nX-Evil: 1\"}",
		 "there is no usable access token in its answer"},
		{"{\"access_token\":\"A\",\"access_token\":\"B\"}",
		 "it is no JSON object"},
		{"{\"access_token\":\"A\",\"token_type\":\"mac\"}",
		 "its access token is no bearer token"},
		{"{\"access_token\":\"A\",\"token_type\":[]}",
		 "its access token is no bearer token"},
	};

	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		char why[OAUTH_WHY_MAX + 1] = "", *token = NULL;

		assert_int_equal(
			oauth_token_parse(&token, why, cases[i][0], strlen(cases[i][0])),
			EBADMSG);
		assert_string_equal(why, cases[i][1]);
		assert_null(token);
	}
}

static char m_id[] = "id", m_login[] = "login", m_name[] = "name",
	    m_picture[] = "avatar_url", m_email[] = "email", m_uuid[] = "uuid",
	    m_ok[] = "ok";
static const struct openid_service usual = {.id = m_id,
					    .user = m_login,
					    .name = m_name,
					    .picture = m_picture,
					    .email = m_email};

static int read_person(struct openid_person *p, const struct openid_service *members,
		       const char *text)
{
	const char *why = NULL;
	int err = oauth_person_parse(p, &why, members, text, strlen(text));

	assert_true(err ? why != NULL : why == NULL);
	return err;
}

static void a_person(void **state)
{
	struct openid_service own = usual;
	struct openid_person p;

	assert_int_equal(
		read_person(
			&p, &usual,
			"{\"login\":\"Octo-Cat\",\"id\":583231,\"node_id\":\"MDQ6\","
			"\"name\":\"The \\u202eOctocat\",\"plan\":{\"name\":\"free\"},"
			"\"avatar_url\":\"https://hub.example/u/1\","
			"\"email\":\"o@hub.example\",\"email_verified\":true}"),
		0);
	assert_string_equal(p.sub, "583231");
	assert_string_equal(p.user, "Octo-Cat");
	assert_string_equal(p.name, "The Octocat");
	assert_string_equal(p.picture, "https://hub.example/u/1");
	assert_string_equal(p.email, "o@hub.example");
	assert_false(p.email_verified); /* no member was named that says so */

	own.id = m_uuid;
	own.email_verified = m_ok;
	assert_int_equal(
		read_person(&p, &own,
			    "{\"uuid\":\"{7-f}\",\"id\":1,\"email\":\"o@x.example\","
			    "\"ok\":true,\"name\":null,\"avatar_url\":"
			    "\"javascript:x\"}"),
		0);
	assert_string_equal(p.sub, "{7-f}");
	assert_true(p.email_verified);
	assert_string_equal(p.name, "");
	assert_string_equal(p.user, "");
	assert_string_equal(p.picture, "");
	for (int i = 0; i < 3; i++) {
		static const char *const not_true[] = {"\"true\"", "1", "false"};
		char text[128];

		snprintf(text, sizeof(text),
			 "{\"uuid\":\"u\",\"email\":\"o@x.example\",\"ok\":%s}",
			 not_true[i]);
		assert_int_equal(read_person(&p, &own, text), 0);
		assert_string_equal(p.email, "o@x.example");
		assert_false(p.email_verified);
	}
	/* true of no address is nothing */
	assert_int_equal(read_person(&p, &own, "{\"uuid\":\"u\",\"ok\":true}"), 0);
	assert_false(p.email_verified);
}

/* A service that turns its numbers into texts, as some have, has the same people. */
static void an_id_that_changes_its_type(void **state)
{
	struct openid_person number, text;

	assert_int_equal(read_person(&number, &usual, "{\"id\":9223372036854775807}"), 0);
	assert_int_equal(read_person(&text, &usual, "{\"id\":\"9223372036854775807\"}"),
			 0);
	assert_string_equal(number.sub, "9223372036854775807");
	assert_string_equal(number.sub, text.sub);
}

static void documents_about_nobody(void **state)
{
	static const char *const ids[] = {"null", "true", "false", "1.5",
					  "1e3",  "1.0",  "[1]",   "{}",
					  "0",    "-1",   "\"\"",  "\"a\\u0000b\""};
	static const char *const none[] = {"",
					   "7",
					   "[]",
					   "{\"login\":\"octocat\"}",
					   "{\"id\":1,\"id\":2}",
					   "{\"message\":\"Bad credentials\"}",
					   "{\"id\":9223372036854775808}"};
	char text[OPENID_SUB_MAX + 64];
	struct openid_person p = {.sub = "untouched"};

	for (size_t i = 0; i < N_ELEMS(ids); i++) {
		snprintf(text, sizeof(text), "{\"login\":\"octocat\",\"id\":%s}", ids[i]);
		assert_int_equal(read_person(&p, &usual, text), EBADMSG);
	}
	for (size_t i = 0; i < N_ELEMS(none); i++)
		assert_int_equal(read_person(&p, &usual, none[i]), EBADMSG);
	/* as long as one may be, and longer: never cut, or it could be another's */
	snprintf(text, sizeof(text), "{\"id\":\"%0*d\"}", OPENID_SUB_MAX + 1, 0);
	assert_int_equal(read_person(&p, &usual, text), EBADMSG);
	assert_string_equal(p.sub, "untouched");
	snprintf(text, sizeof(text), "{\"id\":\"%0*d\"}", OPENID_SUB_MAX, 0);
	assert_int_equal(read_person(&p, &usual, text), 0);
	assert_int_equal(strlen(p.sub), OPENID_SUB_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token),
		cmocka_unit_test(tokens_that_are_none),
		cmocka_unit_test(a_person),
		cmocka_unit_test(an_id_that_changes_its_type),
		cmocka_unit_test(documents_about_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
