/* tests/unit/gateway/test_config_trunk.c - trunks and telephone numbers in the configuration.
 *
 *   text ──► config_parse() ──► struct trunk_config, site_config.plan, numbers, emergencies; faults with lines */
#include "gateway/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define SITE   "site \"alpha.example\" { certificate = /a.pem key = /a.key }\n"
#define LISTEN "sip { listen = {\"tls:0.0.0.0:5061\", \"udp:0.0.0.0:5060\"} }\n"

static struct config *good(const char *text)
{
	struct config *c = NULL;
	char *report = NULL;
	int err = config_parse(&c, &report, "x.conf", text, strlen(text));

	if (err)
		fail_msg("%s", report ? report : "no report");
	mem_deref(report);
	return c;
}

static void faults(const char *text, const char *want)
{
	struct config *c = NULL;
	char *report = NULL;

	assert_int_equal(config_parse(&c, &report, "x.conf", text, strlen(text)), EINVAL);
	assert_non_null(report);
	if (!strstr(report, want))
		fail_msg("no \"%s\" in:\n%s", want, report);
	mem_deref(report);
}

static void a_provider(void **state)
{
	struct config *c = good(
		"site \"alpha.example\" { certificate = /a.pem key = /a.key country = 49\n"
		" numbers = {\"+49301234567=alice\", \"03076=Bob\"}\n"
		" emergency = {\"112=provider\", \"110\"} }\n" LISTEN
		"trunk \"provider\" {\n"
		" address = {\"udp:sip.Provider.example\", \"udp:192.0.2.8:5080\"}\n"
		" proxy = \"udp:192.0.2.9:5060\" numbers = {\"+\"} deny = {\"+49900\"}\n"
		" auth-user = \"4930\" password = \"hush\" realm = \"provider\" register = true\n"
		" expires = 300 keep-alive = 0 caller-id = {own, \"+4930123\", hidden}\n"
		" number-format = national media = sdes advertise = \"2001:db8::1\"\n"
		" users = {\"Alice@alpha.example\"} sites = {\"alpha.example\"}\n"
		" calls = 5 calls-per-user = 1 minutes-per-day = 0 }\n");
	const struct trunk_config *t = config_trunk_find(c, "provider");
	struct addr user;

	(void)state;
	assert_non_null(t);
	assert_int_equal(t->n_addresses, 2);
	assert_string_equal(t->addressv[0].host, "sip.provider.example");
	assert_int_equal(t->addressv[0].port, 5060);
	assert_int_equal(sa_port(&t->addressv[1].sa), 5080);
	assert_true(t->has_proxy);
	assert_string_equal(t->from_domain, "sip.provider.example");
	assert_string_equal(t->realm, "provider");
	assert_string_equal(t->password, "hush");
	assert_true(t->registers);
	assert_int_equal(t->expires_s, 300);
	assert_int_equal(t->keepalive_s, 0);
	assert_int_equal(t->n_caller_ids, 3);
	assert_int_equal(t->caller_idv[1].kind, CALLER_ID_NUMBER);
	assert_string_equal(t->caller_idv[1].number, "+4930123");
	assert_int_equal(t->format, NUMBER_NATIONAL);
	assert_int_equal(t->media, LEG_SDES);
	assert_string_equal(t->advertise, "[2001:db8::1]");
	assert_string_equal(t->userv[0], "alice@alpha.example");
	assert_int_equal(t->calls_per_user, 1);
	assert_int_equal(t->minutes_a_day, 0);
	assert_string_equal(t->plan.country, "49"); /* the site's */
	assert_string_equal(t->plan.national, "0");
	assert_int_equal(c->sitev[0].n_emergency, 2);
	assert_string_equal(c->sitev[0].emergencyv[0].trunk, "provider");
	assert_string_equal(c->sitev[0].emergencyv[1].trunk, "");

	/* whose number: as it stands, and as it is meant */
	assert_int_equal(config_number_find(c, &user, "+49301234567", NULL), 0);
	assert_string_equal(user.user, "alice");
	assert_int_equal(config_number_find(c, &user, "+493076", "ALPHA.example"), 0);
	assert_string_equal(user.user, "bob");
	assert_int_equal(config_number_find(c, &user, "+493076", "beta.example"), ENOENT);
	assert_int_equal(config_number_find(c, &user, "+493077", NULL), ENOENT);
	assert_string_equal(config_number_of(c, &user), "03076");
	mem_deref(c);
}

/* Nobody may use it, 112 and 911 are refused in words, until the file says otherwise. */
static void what_is_not_said(void **state)
{
	struct config *c =
		good(SITE LISTEN "trunk \"t\" { address = \"udp:192.0.2.7:5060\" }\n");
	const struct trunk_config *t = &c->trunkv[0];

	(void)state;
	assert_null(t->userv);
	assert_null(t->sitev);
	assert_null(t->numberv);
	assert_false(t->trust_identity);
	assert_false(t->registers);
	assert_int_equal(t->calls_per_user, 2);
	assert_int_equal(t->minutes_a_day, 120);
	assert_int_equal(t->media, LEG_RTP);
	assert_string_equal(t->from_domain, "alpha.example");
	assert_string_equal(t->realm, "alpha.example");
	assert_int_equal(c->sitev[0].n_emergency, 2);
	assert_string_equal(c->sitev[0].emergencyv[0].number, "112");
	assert_string_equal(c->sitev[0].emergencyv[1].trunk, "");
	mem_deref(c);
}

static void faults_say_what_would_be_right(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"trunk \"T!\" { address = \"udp:192.0.2.7:5060\" }\n",
		 "x.conf:3: \"T!\" is no name for a trunk"},
		{"trunk \"t\" { }\n", "x.conf:3: trunk \"t\" has no address"},
		{"trunk \"t\" { address = \"udp:192.0.2.7\" }\n",
		 "x.conf:3: address: \"udp:192.0.2.7\" is not usable"},
		{"trunk \"t\" { address = \"udp:192.0.2.7:0\" }\n", "is not usable"},
		{"trunk \"t\" { address = {\"udp:1.2.3.4:1\", \"tcp:1.2.3.4:1\"} }\n",
		 "all addresses of a trunk have one transport"},
		{"trunk \"t\" { address = \"tcp:1.2.3.4:5060\" }\n",
		 "x.conf:3: trunk \"t\" is reached over tcp, and sip listens on no such"},
		{"trunk \"t\" { address = \"udp:1.2.3.4:1\" users = {\"alice\"} }\n",
		 "users: \"alice\" is not usable; write a user's address"},
		{"trunk \"t\" { address = \"udp:1.2.3.4:1\" users = {\"a@beta.example\"} }\n",
		 "users: \"a@beta.example\" is no user of a site in this file"},
		{"trunk \"t\" { address = \"udp:1.2.3.4:1\" sites = {\"beta.example\"} }\n",
		 "sites: there is no site \"beta.example\""},
		{"trunk \"t\" { address = \"udp:1.2.3.4:1\" register = true }\n",
		 "trunk \"t\" has register = true but no auth-user"},
		{"trunk \"t\" { address = \"udp:1.2.3.4:1\" auth-user = a }\n",
		 "has an auth-user but no password"},
		{"trunk \"t\" { address = \"udp:1.2.3.4:1\" auth-user = a password = \"\" }\n",
		 "password: it must not be empty"},
		{"trunk \"t\" { address = \"udp:1.2.3.4:1\" expires = 1 }\n",
		 "expires: \"1\" is not usable; a number from 30 to 86400 would be right, "
		 "600 is the default"},
		{"trunk \"t\" { address = \"udp:1.2.3.4:1\" caller-id = {all} }\n",
		 "caller-id: \"all\" is not usable"},
		{"trunk \"t\" { address = \"udp:1.2.3.4:1\" number-format = x }\n",
		 "number-format: \"x\" is not usable"},
		{"trunk \"t\" { address = \"udp:1.2.3.4:1\" country = 049 }\n",
		 "country: \"049\" is not usable"},
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		snprintf(text, sizeof(text), "%s%s%s", SITE, LISTEN, cases[i].text);
		faults(text, cases[i].want);
	}
	faults("site \"a.example\" { certificate = /a key = /k\nnumbers = {\"alice=1\"}\n"
	       "emergency = {\"112=nowhere\"} }\n",
	       "x.conf:2: numbers: \"alice=1\" is not usable");
	faults("site \"a.example\" { certificate = /a key = /k\n"
	       "emergency = {\"112=nowhere\"} }\n",
	       "x.conf:2: emergency: there is no trunk \"nowhere\"");
	faults("site \"a.example\" { certificate = /a key = /k country = 49\n"
	       "numbers = {\"+4930=a\", \"+4930=b\"} }\n",
	       "x.conf:2: numbers: +4930 is given to a@a.example already");
}

/* A password is never in a report. */
static void a_password_is_not_printed(void **state)
{
	struct config *c = NULL;
	char *report = NULL;
	const char *text =
		SITE LISTEN "trunk \"t\" { address = x auth-user = a\n"
			    " password = \"tell\\nnobody\" password = \"hush\" }\n";

	(void)state;
	assert_int_equal(config_parse(&c, &report, "x.conf", text, strlen(text)), EINVAL);
	assert_null(strstr(report, "hush"));
	assert_null(strstr(report, "nobody"));
	mem_deref(report);
}

static void networks(void **state)
{
	static const struct {
		const char *net;
		unsigned bits;
		const char *addr;
		bool in;
	} cases[] = {
		{"192.0.2.0", 24, "192.0.2.255", true},
		{"192.0.2.0", 24, "192.0.3.0", false},
		{"192.0.2.128", 25, "192.0.2.127", false},
		{"192.0.2.7", 32, "192.0.2.7", true},
		{"192.0.2.7", 32, "192.0.2.6", false},
		{"192.0.2.7", 32, "::ffff:192.0.2.7", true},
		{"0.0.0.0", 0, "203.0.113.1", true},
		{"0.0.0.0", 0, "2001:db8::1", false},
		{"2001:db8::", 33, "2001:db8:7fff::1", true},
		{"2001:db8::", 33, "2001:db8:8000::1", false},
		{"2001:db8::1", 128, "2001:db8::1", true},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		struct net_config net = {.bits = cases[i].bits};
		struct sa sa;

		assert_int_equal(sa_set_str(&net.sa, cases[i].net, 0), 0);
		assert_int_equal(sa_set_str(&sa, cases[i].addr, 5060), 0);
		if (config_net_has(&net, &sa) != cases[i].in)
			fail_msg("%s/%u and %s", cases[i].net, cases[i].bits,
				 cases[i].addr);
	}
}

static void numbers(void **state)
{
	static const struct number_plan german = {"49", "0", "00"},
					american = {"1", "", "011"}, none = {"", "", ""};
	static const struct {
		const struct number_plan *plan;
		const char *dialled, *normal;
		enum number_format format;
		const char *written;
	} cases[] = {
		{&german, "030123", "+4930123", NUMBER_E164, "+4930123"},
		{&german, "004430123", "+4430123", NUMBER_PLAIN, "4430123"},
		{&german, "+4430123", "+4430123", NUMBER_INTERNATIONAL, "004430123"},
		{&german, "030123", "+4930123", NUMBER_NATIONAL, "030123"},
		{&german, "+1212", "+1212", NUMBER_NATIONAL, "001212"},
		{&german, "200", "200", NUMBER_PLAIN, "200"},
		{&german, "0", "0", NUMBER_E164, "0"},
		{&american, "01149301", "+49301", NUMBER_INTERNATIONAL, "01149301"},
		{&none, "0049301", "0049301", NUMBER_NATIONAL, "0049301"},
		{&none, "+49301", "+49301", NUMBER_INTERNATIONAL, "0049301"},
	};
	char plus[] = "+", german_prefix[] = "+49", one[] = "1";
	char *const prefixv[] = {plus, german_prefix, one, NULL};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		char normal[NUMBER_MAX + 1], written[NUMBER_MAX + 1];

		number_normal(normal, cases[i].dialled, cases[i].plan);
		assert_string_equal(normal, cases[i].normal);
		number_write(written, normal, cases[i].format, cases[i].plan);
		assert_string_equal(written, cases[i].written);
	}
	assert_true(number_is("+49"));
	assert_true(number_is("0"));
	assert_false(number_is("+"));
	assert_false(number_is(""));
	assert_false(number_is("49a"));
	assert_false(number_is("123456789012345678901234567890123"));
	assert_int_equal(number_prefix(prefixv, "+4930"), 3);
	assert_int_equal(number_prefix(prefixv, "+44"), 1);
	assert_int_equal(number_prefix(prefixv, "12"), 1);
	assert_int_equal(number_prefix(prefixv, "2"), 0);
	assert_int_equal(number_prefix(NULL, "2"), 0);
	/* what would be too long stays what it was */
	{
		char out[NUMBER_MAX + 1];

		number_normal(out, "01234567890123456789012345678901", &german);
		assert_string_equal(out, "01234567890123456789012345678901");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_provider),
		cmocka_unit_test(what_is_not_said),
		cmocka_unit_test(faults_say_what_would_be_right),
		cmocka_unit_test(a_password_is_not_printed),
		cmocka_unit_test(networks),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
