/* test_config_idp.c - what a site's section says about its identity provider, and what is wrong in it. */
#include "gateway/config.h"

#include <setjmp.h>
#include <cmocka.h>

#define SITE(more) "site \"alpha.example\" { certificate = /a key = /b " more " }\n"

static struct config *parse(const char *text, char **reportp)
{
	struct config *c = NULL;
	int err = config_parse(&c, reportp, "x.conf", text, strlen(text));

	assert_int_equal(err, c ? 0 : EINVAL);
	return c;
}

static struct config *good(const char *text)
{
	char *report = NULL;
	struct config *c = parse(text, &report);

	if (report)
		print_error("%s", report);
	assert_non_null(c);
	assert_null(report);
	return c;
}

static void is_there_by_default(void **state)
{
	struct config *c = good(SITE("") "http { root = /srv }\n");

	assert_true(c->sitev[0].idp);
	assert_string_equal(c->sitev[0].idp_host, "idp.alpha.example");
	assert_null(c->sitev[0].idp_certificate);
	assert_string_equal(c->idp_root, "/srv/idp");
	assert_ptr_equal(config_idp_find(c, "IDP.alpha.example"), &c->sitev[0]);
	assert_null(config_idp_find(c, "alpha.example"));
	assert_null(config_site_find(c, "idp.alpha.example"));
	mem_deref(c);
}

static void can_be_elsewhere_or_off(void **state)
{
	struct config *c = good(SITE(
		"idp-host = Login.Example idp-certificate = /c idp-key = /d") "site \"b.localhost\" { certificate = /e key = /f identity-provider = false }\n"
									      "http { idp-root = /pages }\n");

	assert_string_equal(c->sitev[0].idp_host, "login.example");
	assert_string_equal(c->sitev[0].idp_certificate, "/c");
	assert_string_equal(c->sitev[0].idp_key, "/d");
	assert_ptr_equal(config_idp_find(c, "login.example"), &c->sitev[0]);
	assert_null(config_idp_find(c, "idp.b.localhost"));
	assert_string_equal(c->idp_root, "/pages");
	mem_deref(c);
}

/* One that nobody asked for stands in nobody's way. */
static void a_name_that_is_taken_turns_it_off(void **state)
{
	char *report = NULL;
	struct config *c = parse(SITE("") "site \"idp.alpha.example\" { certificate = /c "
					  "key = /d identity-provider = no }\n",
				 &report);

	assert_non_null(c);
	assert_non_null(strstr(report, "x.conf:1: warning: the identity provider of "
				       "alpha.example is off, since idp.alpha.example"));
	assert_false(c->sitev[0].idp);
	assert_null(config_idp_find(c, "idp.alpha.example"));
	mem_deref(report);
	mem_deref(c);
}

static void faults_are_said(void **state)
{
	static const char *const cases[][2] = {
		{SITE("idp-host = \"a_b\""), "x.conf:1: idp-host: \"a_b\" is not usable"},
		{SITE("\nidp-host = alpha.example"),
		 "x.conf:2: the identity provider of \"alpha.example\" needs a host of its "
		 "own; alpha.example is alpha.example already"},
		{SITE("idp-host = x.example") "site \"b.example\" { certificate = /a key = /b\nidp-host = X.example }",
		 "x.conf:3: the identity provider of \"b.example\" needs a host of its own"},
		{SITE("\nidp-key = /c"),
		 "x.conf:2: site \"alpha.example\" has half of a pair for its identity "
		 "provider; idp-certificate and idp-key go together"},
		{SITE("idp-certificate = c.pem idp-key = /d"),
		 "x.conf:1: idp-certificate: \"c.pem\" is not usable; write the whole path"},
		{SITE("identity-provider = perhaps"),
		 "x.conf:1: identity-provider: \"perhaps\" is not usable"},
		{"site \"localhost\" { idp-host = idp.example }\n"
		 "http { listen = {\"plain:127.0.0.1:80\"} }\nsip { listen = {} }\n",
		 "x.conf:1: the identity provider of \"localhost\" at idp.example needs a "
		 "certificate"},
	};

	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		char *report = NULL;
		struct config *c = parse(cases[i][0], &report);

		if (c || !strstr(report, cases[i][1]))
			print_error("%s\n-> %s", cases[i][0], report ? report : "");
		assert_null(c);
		assert_non_null(strstr(report, cases[i][1]));
		mem_deref(report);
	}
}

/* Neither an address nor the longest domain has room for "idp." before it. */
static void a_domain_that_has_no_room_has_none(void **state)
{
	char domain[254], text[600];
	struct config *c;

	memset(domain, 'a', sizeof(domain));
	for (size_t i = 62; i < 250; i += 63)
		domain[i] = '.';
	domain[251] = '\0';
	snprintf(text, sizeof(text), "site \"%s\" { certificate = /a key = /b }\n",
		 domain);
	c = good(text);
	assert_false(c->sitev[0].idp);
	mem_deref(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_there_by_default),
		cmocka_unit_test(can_be_elsewhere_or_off),
		cmocka_unit_test(a_name_that_is_taken_turns_it_off),
		cmocka_unit_test(faults_are_said),
		cmocka_unit_test(a_domain_that_has_no_room_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
