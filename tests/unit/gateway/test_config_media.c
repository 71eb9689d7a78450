/* tests/unit/gateway/test_config_media.c - media { }, and the echo test's keys of a site. */
#include "gateway/config.h"

#include <setjmp.h>
#include <cmocka.h>

#define SITE "site \"alpha.example\" { certificate = /a.pem key = /a.key }\n"

static struct config *good(const char *text)
{
	struct config *c = NULL;
	char *report = NULL;

	if (config_parse(&c, &report, "x.conf", text, strlen(text)))
		fail_msg("%s", report);
	mem_deref(report);
	return c;
}

static void bad(const char *text, const char *want)
{
	struct config *c = NULL;
	char *report = NULL;

	assert_int_equal(config_parse(&c, &report, "x.conf", text, strlen(text)), EINVAL);
	if (!strstr(report, want))
		fail_msg("want %s, got %s", want, report);
	mem_deref(report);
}

static void without_a_word_there_is_an_echo_test_on_every_address(void **state)
{
	struct config *c = good(SITE);

	assert_string_equal(c->sitev[0].echo, "echo");
	assert_true(c->sitev[0].echo_federated);
	assert_true(config_has_echo(c));
	assert_int_equal(c->media.port, 3479);
	assert_int_equal(c->media.workers, 0);
	assert_int_equal(c->media.n_advertise, 0);
	assert_int_equal(c->media.n_listen, 2);
	assert_true(sa_is_any(&c->media.listenv[0]) && sa_is_any(&c->media.listenv[1]));
	mem_deref(c);
}

static void what_is_said_is_taken(void **state)
{
	struct config *c =
		good("site \"alpha.example\" { certificate = /a.pem key = /a.key\n"
		     "echo = \"test\" echo-federated = no }\n"
		     "media { listen = {\"192.0.2.5\"} port = 40000 workers = 3\n"
		     "advertise = {\"203.0.113.5\", \"2001:db8::5\"} }\n");
	char text[64];

	assert_string_equal(c->sitev[0].echo, "test");
	assert_false(c->sitev[0].echo_federated);
	assert_int_equal(c->media.port, 40000);
	assert_int_equal(c->media.workers, 3);
	assert_int_equal(c->media.n_listen, 1);
	re_snprintf(text, sizeof(text), "%j", &c->media.listenv[0]);
	assert_string_equal(text, "192.0.2.5");
	assert_int_equal(c->media.n_advertise, 2);
	re_snprintf(text, sizeof(text), "%j", &c->media.advertisev[1]);
	assert_string_equal(text, "2001:db8::5");
	mem_deref(c);
}

static void an_empty_name_turns_it_off(void **state)
{
	struct config *c =
		good("site \"alpha.example\" { certificate = /a.pem key = /a.key "
		     "echo = \"\" }\n");

	assert_null(c->sitev[0].echo);
	assert_false(config_has_echo(c));
	mem_deref(c);
}

static void what_cannot_be_is_said(void **state)
{
	bad(SITE "media { advertise = {\"0.0.0.0\"} }\n",
	    "advertise: \"0.0.0.0\" is not usable; write the address that others reach");
	bad(SITE "media { advertise = {\"192.0.2.1\", \"192.0.2.1\"} }\n",
	    "is not usable; it is there twice");
	bad(SITE "media { listen = {\"fe80::1\"} }\n",
	    "listen: \"fe80::1\" is not usable");
	bad(SITE "media { listen = {} }\n", "listen: no address");
	bad(SITE "media { workers = 65 }\n", "workers: \"65\" is not usable");
	bad(SITE "media { port = 65500 }\n", "port: \"65500\" is not usable");
	bad("site \"a.example\" { certificate = /a key = /b echo = \"a b\" }\n",
	    "echo: \"a b\" is not usable; write a user name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_word_there_is_an_echo_test_on_every_address),
		cmocka_unit_test(what_is_said_is_taken),
		cmocka_unit_test(an_empty_name_turns_it_off),
		cmocka_unit_test(what_cannot_be_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
