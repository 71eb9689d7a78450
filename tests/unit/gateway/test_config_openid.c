/* test_config_openid.c - openid "NAME" { }: providers by which people sign in, and what is wrong in one. */
#include "gateway/config.h"

#include <setjmp.h>
#include <cmocka.h>

#define SITES                                                                            \
	"site \"alpha.example\" { certificate = /a key = /b }\n"                         \
	"site \"beta.example\" { certificate = /a key = /b }\n"
#define OPENID(more)                                                                     \
	SITES "openid \"corp\" { issuer = \"https://id.corp.example/realms/staff\"\n"    \
	      "client-id = sluss " more " }\n"

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

static void everything(void **state)
{
	struct config *c = good(OPENID(
		"title = \"Corp & Söhne\" client-secret = s3cret accounts = create "
		"scopes = {email, openid, groups} sites = {\"Beta.example\"} "
		"trust = /etc/corp.pem") "openid \"b-2\" { issuer = "
					 "\"https://b.example\" client-id = x }\n");
	const struct openid_config *o = &c->openidv[0];

	assert_int_equal(c->n_openid, 2);
	assert_string_equal(o->name, "corp");
	assert_string_equal(o->title, "Corp & Söhne");
	assert_string_equal(o->issuer, "https://id.corp.example/realms/staff");
	assert_string_equal(o->client_id, "sluss");
	assert_string_equal(o->client_secret, "s3cret");
	assert_string_equal(o->scopes, "openid email groups");
	assert_null(o->service.token);
	assert_true(o->creates);
	assert_string_equal(o->trust, "/etc/corp.pem");
	assert_true(config_openid_serves(o, "BETA.example"));
	assert_false(config_openid_serves(o, "alpha.example"));
	o++;
	assert_string_equal(o->name, "b-2");
	assert_string_equal(o->title, "b-2");
	assert_null(o->client_secret);
	assert_string_equal(o->scopes, "openid profile email");
	assert_false(o->creates);
	assert_null(o->trust);
	assert_true(config_openid_serves(o, "alpha.example"));
	mem_deref(c);
}

#define AUTHORIZE "authorization-endpoint = \"https://hub.example/authorize?a=b\" "
#define TOKEN     "token-endpoint = \"https://hub.example:8443/token\" "
#define USERINFO  "userinfo-endpoint = \"https://api.hub.example/user\" "
#define HUB(more)                                                                           \
	SITES "openid \"hub\" { issuer = \"https://hub.example\" client-id = x\n" AUTHORIZE \
	      "\n" TOKEN USERINFO more " }\n"

static void a_service_of_oauth_alone(void **state)
{
	struct config *c = good(HUB(""));
	const struct openid_config *o = &c->openidv[0];

	assert_string_equal(o->service.authorization,
			    "https://hub.example/authorize?a=b");
	assert_string_equal(o->service.token, "https://hub.example:8443/token");
	assert_string_equal(o->service.userinfo, "https://api.hub.example/user");
	assert_string_equal(o->scopes, "");
	assert_false(o->service.basic);
	assert_string_equal(o->service.id, "id");
	assert_string_equal(o->service.user, "login");
	assert_string_equal(o->service.name, "name");
	assert_string_equal(o->service.picture, "avatar_url");
	assert_string_equal(o->service.email, "email");
	assert_null(o->service.email_verified);
	mem_deref(c);

	c = good(HUB("scopes = {\"read:user\", openid} client-auth = basic "
		     "claim-id = uuid claim-user = nick claim-name = full_name "
		     "claim-picture = photo claim-email = mail "
		     "claim-email-verified = mail_ok"));
	o = &c->openidv[0];
	assert_string_equal(o->scopes, "read:user openid"); /* as it is written */
	assert_true(o->service.basic);
	assert_string_equal(o->service.id, "uuid");
	assert_string_equal(o->service.user, "nick");
	assert_string_equal(o->service.name, "full_name");
	assert_string_equal(o->service.picture, "photo");
	assert_string_equal(o->service.email, "mail");
	assert_string_equal(o->service.email_verified, "mail_ok");
	mem_deref(c);
}

static void none_is_none(void **state)
{
	struct config *c = good(SITES);

	assert_int_equal(c->n_openid, 0);
	mem_deref(c);
}

static void faults_are_said(void **state)
{
	static const char *const cases[][2] = {
		{SITES "openid \"A b\" { issuer = \"https://x.example\" client-id = x }",
		 "x.conf:3: \"A b\" is no name for a provider"},
		{SITES "openid \"a\" { client-id = x }",
		 "x.conf:3: openid \"a\" has no issuer"},
		{SITES "openid \"a\" { issuer = \"https://x.example\" }",
		 "x.conf:3: openid \"a\" has no client-id"},
		{SITES "openid \"a\" { issuer = \"http://x.example\" client-id = x }",
		 "x.conf:3: issuer: \"http://x.example\" is not usable; write it as the "
		 "provider does"},
		{SITES "openid \"a\" { issuer = \"https://x.example?y\" client-id = x }",
		 "x.conf:3: issuer: \"https://x.example?y\" is not usable"},
		{SITES "openid \"a\" { issuer = \"https://me@x.example\" client-id = x }",
		 "x.conf:3: issuer: "},
		{SITES "openid \"a\" { issuer = \"https:///x\" client-id = x }",
		 "x.conf:3: issuer: \"https:///x\" is not usable; there must be a host name"},
		{OPENID("client-secret = \"\""),
		 "x.conf:4: client-secret: it must not be empty"},
		{OPENID("accounts = some"), "x.conf:4: accounts: \"some\" is not usable"},
		{OPENID("scopes = {\"a b\"}"), "x.conf:4: scopes: \"a b\" is not usable"},
		{OPENID("sites = {\"c.example\"}"),
		 "x.conf:4: sites: there is no site \"c.example\" in this file"},
		{OPENID("trust = a.pem"), "x.conf:4: trust: \"a.pem\" is not usable"},
		{OPENID("title = \"\""), "x.conf:4: title: \"\" is not usable"},
		{OPENID("") "openid \"corp\" { issuer = \"https://x.example\" client-id = x "
			    "}",
		 "x.conf:5: found duplicate title 'corp'"},
		{SITES "openid \"a\" { issuer = \"https://x.example:0\" client-id = x }",
		 "x.conf:3: issuer: \"https://x.example:0\" is not usable; its port is none"},
		{OPENID(TOKEN),
		 "x.conf:3: openid \"corp\" has no authorization-endpoint; a "
		 "service of OAuth 2.0 alone needs all three"},
		{OPENID(TOKEN), "x.conf:3: openid \"corp\" has no userinfo-endpoint"},
		{OPENID(AUTHORIZE USERINFO),
		 "x.conf:3: openid \"corp\" has no token-endpoint"},
		{OPENID("claim-id = sub"),
		 "x.conf:4: claim-id is for a service of OAuth 2.0 alone"},
		{OPENID("client-auth = post"), "x.conf:4: client-auth is for a service"},
		{OPENID("token-endpoint = \"http://hub.example/token\""),
		 "x.conf:4: token-endpoint: \"http://hub.example/token\" is not usable; "
		 "write what the service's documents say"},
		{OPENID("userinfo-endpoint = \"https://hub.example/u#me\""),
		 "x.conf:4: userinfo-endpoint: "},
		{OPENID("authorization-endpoint = \"https://:443/\""),
		 "x.conf:4: authorization-endpoint: \"https://:443/\" is not usable; there "
		 "must be a host name"},
		{OPENID("authorization-endpoint = \"https://hub.example:70000/\""),
		 "its port is none"},
		{OPENID("authorization-endpoint = \"https://hub.example:44x/\""),
		 "its port is none"},
		{HUB("client-auth = query"),
		 "x.conf:5: client-auth: \"query\" is not usable; write \"post\""},
		{HUB("claim-id = \"\""), "x.conf:5: claim-id: \"\" is not usable"},
		{HUB("claim-name = \"a b\""),
		 "x.conf:5: claim-name: \"a b\" is not usable"},
		{HUB("claim-id = login"),
		 "x.conf:5: claim-id: \"login\" is claim-user, too, and what can change"},
		{HUB("claim-id = mail claim-email = mail"),
		 "x.conf:5: claim-id: \"mail\" is claim-email, too"},
		{HUB("") "openid \"b\" { issuer = \"https://hub.example\" client-id = x }",
		 "x.conf:3: issuer: openid \"b\" has the same; accounts are linked by it"},
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything),
		cmocka_unit_test(a_service_of_oauth_alone),
		cmocka_unit_test(none_is_none),
		cmocka_unit_test(faults_are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
