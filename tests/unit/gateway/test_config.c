/* test_config.c - the configuration file: the one of the contract, defaults, and what is said about faults.
 *
 *   text ──config_parse──► struct config, or lines "x.conf:LINE: what is wrong; what would be right" */
#include "gateway/config.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "gateway/config_text.h"
#include "gateway/control.h"

static struct config *good(const char *text, char **warningsp)
{
	struct config *c = NULL;
	char *report = NULL;

	if (config_parse(&c, &report, "x.conf", text, strlen(text)))
		fail_msg("refused:\n%s", report ? report : "(no reason)");
	if (warningsp)
		*warningsp = report;
	else if (report)
		fail_msg("warnings:\n%s", report);
	return c;
}

/* The faults of `text`, to be freed. */
static char *bad(const char *text, size_t n)
{
	struct config *c = NULL;
	char *report = NULL;

	if (config_parse(&c, &report, "x.conf", text, n) != EINVAL)
		fail_msg("taken:\n%s", text);
	assert_null(c);
	assert_non_null(report);
	return report;
}

static void the_contracts_file(void **state)
{
	static const char text[] =
		"site \"alpha.example\" {\n"
		"  certificate = \"/etc/sluss/alpha.example.pem\"  # full chain\n"
		"  key         = \"/etc/sluss/alpha.example.key\"\n"
		"  open-registration = false\n"
		"}\n"
		"http  { listen = {\"0.0.0.0:443\"} }                # HTTPS and WSS\n"
		"sip   { listen = {\"tls:0.0.0.0:5061\", \"udp:0.0.0.0:5060\"}  "
		"trust = \"/etc/ssl/certs/ca-certificates.crt\" }\n"
		"media { advertise = {\"203.0.113.5\"}  port = 3479  "
		"rtp-ports = \"20000-29999\"  workers = 0 }   # 0: one a core\n"
		"store { sqlite = \"/var/lib/sluss/sluss.db\" }\n"
		"peer  \"beta.example\" { address = \"tls:192.0.2.7:5061\" }\n"
		"turn  { uris = {\"turn:turn.alpha.example:3478\"}  secret = \"…\" }\n"
		"trunk \"asterisk\" {                               # a legacy system\n"
		"  address = \"udp:127.0.0.1:5070\"\n"
		"  numbers = {\"+\", \"1\"}                          # prefixes\n"
		"  trust-identity = true                            # believed\n"
		"  match = {\"192.0.2.0/24\"}\n"
		"}\n";
	char *warnings = NULL;
	struct config *c = good(text, &warnings);

	assert_int_equal(c->n_sites, 1);
	assert_string_equal(c->sitev[0].domain, "alpha.example");
	assert_string_equal(c->sitev[0].certificate, "/etc/sluss/alpha.example.pem");
	assert_string_equal(c->sitev[0].key, "/etc/sluss/alpha.example.key");
	assert_false(c->sitev[0].open_registration);
	assert_int_equal(c->n_http, 1);
	assert_int_equal(sa_port(&c->httpv[0].sa), 443);
	assert_false(c->httpv[0].plain);
	assert_int_equal(c->n_sip, 2);
	assert_int_equal(c->sipv[0].transport, TRANSPORT_TLS);
	assert_int_equal(c->sipv[1].transport, TRANSPORT_UDP);
	assert_string_equal(c->store_path, "/var/lib/sluss/sluss.db");
	assert_int_equal(c->n_peers, 1);
	assert_true(c->peerv[0].has_address);
	assert_int_equal(c->peerv[0].require, REQUIRE_TLS);
	assert_int_equal(sa_port(&c->peerv[0].address.sa), 5061);
	assert_string_equal(c->turn.uriv[0], "turn:turn.alpha.example:3478");
	assert_null(c->turn.uriv[1]);
	assert_null(c->turn.stunv);
	assert_string_equal(c->turn.secret, "…");
	assert_int_equal(c->turn.lifetime_s, 3600);
	assert_string_equal(
		warnings,
		"x.conf:12: warning: nobody may call by trunk \"asterisk\"; sites = "
		"{\"alpha.example\"} lets all users of a site, users = {\"…\"} some\n");
	assert_int_equal(c->n_trunks, 1);
	assert_string_equal(c->trunkv[0].name, "asterisk");
	assert_int_equal(c->trunkv[0].transport, TRANSPORT_UDP);
	assert_int_equal(sa_port(&c->trunkv[0].addressv[0].sa), 5070);
	assert_string_equal(c->trunkv[0].numberv[1], "1");
	assert_true(c->trunkv[0].trust_identity);
	assert_int_equal(c->trunkv[0].matchv[0].bits, 24);
	assert_null(c->trunkv[0].userv);
	assert_null(c->trunkv[0].sitev);
	assert_string_equal(c->trunkv[0].site, "alpha.example");
	mem_deref(warnings);
	mem_deref(c);
}

#define SITE "site \"alpha.example\" { certificate = /a.pem key = /a.key }\n"

static void the_smallest_file(void **state)
{
	struct config *c = good(SITE, NULL);

	assert_int_equal(c->n_http, 1);
	assert_int_equal(sa_port(&c->httpv[0].sa), 443);
	assert_int_equal(c->n_sip, 1);
	assert_int_equal(sa_port(&c->sipv[0].sa), 5061);
	assert_int_equal(c->sipv[0].transport, TRANSPORT_TLS);
	assert_string_equal(c->control_path, CONTROL_SOCKET);
	assert_string_equal(c->log_level, "info");
	assert_non_null(c->sip_trust);
	assert_null(c->sip_dnsv);
	assert_false(c->sip_loopback);
	assert_null(c->user);
	assert_int_equal(c->limits.ring_s, 45);
	assert_int_equal(c->limits.password_log2n, 15);
	assert_ptr_equal(config_site_find(c, "ALPHA.example"), &c->sitev[0]);
	assert_null(config_site_find(c, "beta.example"));
	assert_null(config_peer_find(c, "alpha.example"));
	mem_deref(c);
}

static void everything_of_this_version(void **state)
{
	static const char text[] =
		"site \"Alpha.Localhost\" { open-registration = yes"
		" identity-url = \"https://id.alpha.localhost:8443/chains/\"\n"
		"  origins = {\"https://App.example\", \"https://b.example:443\","
		" \"https://b.example:8443\", \"http://x.localhost:8080\", \"none\"} }\n"
		"site \"localhost\" { }\n"
		"http { listen = {\"plain:127.0.0.1:8080\", \"plain:[::1]:0\"} root = '/srv' }\n"
		"sip { listen = {} dns = {\"127.0.0.1\", \"[::1]:5353\"} "
		"private-targets = on }\n"
		"identity { number-trust = \"/etc/sluss/numbers.pem\" private-hosts = true\n"
		" show-wrong-assertions = true }\n"
		"peer \"b.example\" { require = either block = true }\n"
		"peer \"c.example\" { require = both address = \"tcp:[2001:db8::7]:5060\" }\n"
		"control { socket = \"/tmp/c.sock\" }\n"
		"run { user = \"nobody\" group = \"nogroup\" }\n"
		"log { level = debug }\n"
		"limits { ring-time = 1 calls = 5 ws-rate = 9 password-cost = 10 }\n";
	char *warnings = NULL;
	struct config *c = good(text, &warnings);

	assert_null(warnings);
	assert_int_equal(c->n_sites, 2);
	assert_string_equal(c->sitev[0].domain, "alpha.localhost");
	assert_null(c->sitev[0].certificate);
	assert_true(c->sitev[0].open_registration);
	assert_string_equal(c->sitev[0].originv[0], "https://app.example");
	assert_string_equal(c->sitev[0].originv[1], "https://b.example");
	assert_string_equal(c->sitev[0].originv[2], "https://b.example:8443");
	assert_string_equal(c->sitev[0].originv[3], "http://x.localhost:8080");
	assert_string_equal(c->sitev[0].originv[4], "none");
	assert_null(c->sitev[0].originv[5]);
	assert_null(c->sitev[1].originv);
	assert_int_equal(c->n_http, 2);
	assert_true(c->httpv[0].plain && c->httpv[1].plain);
	assert_int_equal(sa_port(&c->httpv[0].sa), 8080);
	assert_int_equal(sa_af(&c->httpv[1].sa), AF_INET6);
	assert_string_equal(c->web_root, "/srv");
	assert_int_equal(c->n_sip, 0);
	assert_string_equal(c->sip_dnsv[0], "127.0.0.1:53");
	assert_string_equal(c->sip_dnsv[1], "[::1]:5353");
	assert_null(c->sip_dnsv[2]);
	assert_true(c->sip_loopback);
	assert_true(c->identity_private && c->identity_number_trust &&
		    c->identity_show_wrong);
	assert_int_equal(config_peer_find(c, "b.example")->require, REQUIRE_EITHER);
	assert_true(config_peer_find(c, "b.example")->block);
	assert_false(config_peer_find(c, "b.example")->has_address);
	assert_int_equal(config_peer_find(c, "C.example")->address.transport,
			 TRANSPORT_TCP);
	assert_string_equal(c->control_path, "/tmp/c.sock");
	assert_string_equal(c->user, "nobody");
	assert_string_equal(c->group, "nogroup");
	assert_string_equal(c->log_level, "debug");
	assert_int_equal(c->limits.ring_s, 1);
	assert_int_equal(c->limits.calls, 5);
	assert_int_equal(c->limits.ws_rate, 9);
	assert_int_equal(c->limits.password_log2n, 10);
	assert_int_equal(c->limits.accept_s, 15);
	mem_deref(c);
}

/* Each text has the faults given, each on its line, and no other. */
static const struct {
	const char *text;
	const char *faults[8];
} fault_cases[] = {
	{"", {"x.conf: there is no site; site \"alpha.example\""}},
	{"# nothing\n", {"x.conf: there is no site"}},
	/* names */
	{SITE "htp { listen = {\"a\", \"b\"}\n q { } }\n",
	 {"x.conf:2: there is no section \"htp\"; did you mean \"http\"?"}},
	{SITE "\nbogus = {1, 2}\nbogus2 \"t\" { a { b = 1 } }\nhttp { lisen = \"x\" }\n",
	 {"x.conf:3: there is no section \"bogus\"; known are: site, http, sip, media, ",
	  "x.conf:4: there is no section \"bogus2\"",
	  "x.conf:5: there is no option \"lisen\" in http; did you mean \"listen\"?"}},
	{SITE "limits { ring-tim = 5\n ringtime = 6 }\n",
	 {"x.conf:2: there is no option \"ring-tim\" in limits; did you mean \"ring-time\"?",
	  "x.conf:3: there is no option \"ringtime\" in limits; did you mean \"ring-time\"?"}},
	/* values */
	{"site \"alpha_example\" { certificate = \"a.pem\"\n key = /b }\n",
	 {"x.conf:1: \"alpha_example\" is no domain",
	  "x.conf:1: certificate: \"a.pem\" is not usable; write the whole path"}},
	{SITE "http { listen = {\"plain:0.0.0.0:80\",\n\"1.2.3.4:99999\",\n\"::1:80\",\n"
	      "\"localhost:80\",\n\"1.2.3.4\"} }\n",
	 {"x.conf:2: listen: \"plain:0.0.0.0:80\" is not usable; HTTP without TLS is for "
	  "loopback",
	  "x.conf:3: listen: \"1.2.3.4:99999\"", "x.conf:4: listen: \"::1:80\"",
	  "x.conf:5: listen: \"localhost:80\"", "x.conf:6: listen: \"1.2.3.4\""}},
	{SITE "sip { listen = {\"0.0.0.0:5061\"} dns = {\"dns.example\", \"1.2.3.4:0\"}\n"
	      "private-targets = perhaps }\n",
	 {"x.conf:2: listen: \"0.0.0.0:5061\" is not usable; write \"tls:0.0.0.0:5061\"",
	  "x.conf:2: dns: \"dns.example\"", "x.conf:2: dns: \"1.2.3.4:0\"",
	  "x.conf:3: private-targets: \"perhaps\" is not usable; write true or false"}},
	{SITE "peer \"b.example\" {\n require = mtls\n address = \"udp:1.2.3.4:5060\" }\n"
	      "peer \"B.example\" { }\npeer \"alpha.example\" { }\n",
	 {"x.conf:3: require: \"mtls\" is not usable; write \"tls\", \"identity\"",
	  "x.conf:4: address: \"udp:1.2.3.4:5060\"",
	  "x.conf:5: peer \"b.example\" is there a second time",
	  "x.conf:6: peer \"alpha.example\" is a site of this very file"}},
	{SITE
	 "limits { ring-time = 0\n calls = 1000001\n ws-rate = -1\n ws-ping-time = 1s\n"
	 " stop-time = 99999999999999999999 }\n",
	 {"x.conf:2: ring-time: \"0\" is not usable; a number from 1 to 600 (s) would be "
	  "right, 45 is the default",
	  "x.conf:3: calls: \"1000001\"", "x.conf:4: ws-rate: \"-1\"",
	  "x.conf:5: ws-ping-time: \"1s\"", "x.conf:6: stop-time: \"9999999"}},
	{SITE "limits { sdp-size = 131072\n session-queue-size = 1048577 }\n",
	 {"x.conf:2: sdp-size (131072) must be less than ws-message-size (131072)",
	  "x.conf:2: sdp-size (131072) must be less than sip-message-size",
	  "x.conf:2: ws-queue-size (2097152) must be at least twice session-queue-size"}},
	{SITE "http { }\nhttp|listen = {\"0.0.0.0:443\"}\n",
	 {"x.conf:3: listen is set outside of its section"}},
	{SITE "log { level = loud }\nrun { group = \"g\" }\n",
	 {"x.conf:2: level: \"loud\" is not usable; write \"err\"",
	  "x.conf:3: run has a group but no user"}},
	{"site \"a.example\" { certificate = /a key = /b identity-key = /c\norigins = {\"http://b.example\",\n"
	 "\"null\",\n\"https://b.example/\",\n\"https://b.example:0\",\n\"https://*.b\"} identity-url = \"https://b.example/\" }\n",
	 {"x.conf:1: site \"a.example\" has half of a pair to sign with",
	  "x.conf:2: origins: \"http://b.example\" is not usable; an origin is https://name",
	  "x.conf:3: origins: \"null\"", "x.conf:4: origins: \"https://b.example/\"",
	  "x.conf:5: origins: \"https://b.example:0\"",
	  "x.conf:6: origins: \"https://*.b\"", "x.conf:6: identity-url: \"https"}},
	{SITE
	 "media { advertise = {\"x\"} port = 70000 rtp-ports = \"9-8\" }\n"
	 "turn { uris = {\"http://x\", \"turn:\"} }\n"
	 "trunk \"t\" { address = \"tls:1.2.3.4:1\" numbers = {\"a\"} match = {\"1.2.3.4/33\"} media = x }\n",
	 {"x.conf:2: advertise: \"x\"", "x.conf:2: port: \"70000\"",
	  "x.conf:2: rtp-ports: \"9-8\"", "x.conf:3: uris: \"http://x\"",
	  "x.conf:3: uris: \"turn:\" is not usable; write \"turn:turn.alpha.example:3478\"",
	  "x.conf:4: numbers: \"a\"", "x.conf:4: match: \"1.2.3.4/33\"",
	  "x.conf:4: media: \"x\""}},
	{SITE "turn { stun = {\"turn:a\"} secret = \"\" lifetime = 9 }\n",
	 {"x.conf:2: stun: \"turn:a\" is not usable; write \"stun:stun.alpha.example",
	  "x.conf:2: secret: it must not be empty",
	  "x.conf:2: lifetime: \"9\" is not usable; a number from 10 to 604800 (s) would "
	  "be right, 3600 is the default"}},
	{SITE
	 "turn { stun = {\"stun:a\", \"stun:a\", \"stun:a\", \"stun:a\", \"stun:a\", "
	 "\"stun:a\", \"stun:a\", \"stun:a\", \"stun:a\"} }\n",
	 {"x.conf:2: stun: 9 servers; at most 8 are of use to a browser"}},
	/* what belongs together */
	{SITE "turn { uris = {\"turn:a.example\"} }\n",
	 {"x.conf:2: turn has servers but no secret; secret = "}},
	{SITE "turn {\n secret = \"north\" }\n",
	 {"x.conf:3: turn has a secret but no servers; uris = "}},
	{"site \"a.example\" { key = /k }\nsite \"b.example\" {\n certificate = /c }\n"
	 "site \"c.example\" { }\n",
	 {"x.conf:1: site \"a.example\" has a key but no certificate",
	  "x.conf:3: site \"b.example\" has a certificate but no key",
	  "x.conf:4: site \"c.example\" has no certificate"}},
	{"site \"a.localhost\" { }\nhttp { listen = \"plain:127.0.0.1:8080\" }\n",
	 {"x.conf:1: site \"a.localhost\" has no certificate, which SIP over TLS needs"}},
	{"site \"a.localhost\" { }\nhttp { listen = {\"127.0.0.1:8443\"} } sip { listen = {} }\n",
	 {"x.conf:1: site \"a.localhost\" has no certificate"}},
	{"site \"a.example\" { }\nhttp { listen = {\"plain:127.0.0.1:80\"} } sip { listen = {} }\n",
	 {"x.conf:1: site \"a.example\" has no certificate"}},
	{"site \"xlocalhost\" { }\nhttp { listen = {\"plain:127.0.0.1:80\"} } sip { listen = {} }\n",
	 {"x.conf:1: site \"xlocalhost\" has no certificate"}},
	{"site \"a.example\" {\n certificate = \"\"\n key = \"\" }\n",
	 {"x.conf:2: certificate: \"\" is not usable",
	  "x.conf:3: key: \"\" is not usable"}},
	{SITE "http { listen = {} }\n", {"x.conf:2: http listens nowhere"}},
	{SITE "http { listen = {\"127.0.0.1:5061\"} }\n"
	      "sip { listen = {\"tls:127.0.0.1:5061\", \"udp:127.0.0.1:5061\",\n"
	      "\"tls:127.0.0.1:0\", \"tls:127.0.0.1:0\"} }\n",
	 {"x.conf:3: listens on 127.0.0.1:5061 twice"}},
	/* twice */
	{SITE "http { listen = \"1.2.3.4:1\" }\n\nhttp { root = /srv }\n",
	 {"x.conf:4: a second section of this name; put its options into the one on line 2"}},
	{SITE "store { sqlite = /a\n sqlite = /b }\n",
	 {"x.conf:3: sqlite is set a second time; once is right (the first is on line 2)"}},
	{SITE "site \"ALPHA.example\" { certificate = /a key = /b }\n",
	 {"x.conf:2: site \"alpha.example\" is there a second time"}},
	{SITE SITE, {"x.conf:2: found duplicate title 'alpha.example'"}},
	/* syntax: one fault, where it is */
	{SITE "http {\n listen \"1.2.3.4:1\" }\n",
	 {"x.conf:3: missing equal sign after option 'listen'; name = \"value\""}},
	{SITE "http {\n listen = {\"1.2.3.4:1\"}\n",
	 {"x.conf:2: the { on this line has no closing }"}},
	{SITE "}\n", {"x.conf:2: unexpected closing brace"}},
	{"site { }\n",
	 {"x.conf:1: missing title for section 'site'; site \"alpha.example\" { … }"}},
	{SITE "peer { }\n",
	 {"x.conf:2: missing title for section 'peer'; peer \"beta.example\" { … }"}},
	{SITE "trunk { }\n",
	 {"x.conf:2: missing title for section 'trunk'; trunk \"asterisk\" { … }"}},
	{SITE "peer \"b.example\" { address = \"tls:sip.b.example:5061\" }\n"
	      "peer \"c.example\" { address = \"tls:fe80::1:5061\" }\n",
	 {"x.conf:2: address: \"tls:sip.b.example:5061\" is not usable; a peer's address is "
	  "an IP address and port, not a name; leave address out",
	  "x.conf:3: address: \"tls:fe80::1:5061\" is not usable; write \"tls:"}},
	{SITE "http \"t\" { }\n", {"x.conf:2: missing opening brace"}},
	{SITE "http|listen = 1\n", {"x.conf:2: no sub-section"}},
	{SITE "\"\" = 1\n", {"x.conf:2: this cannot be understood"}},
	{"\n# c\n/* c\n */ // c\nsite \"a.example { }\n",
	 {"x.conf:5: the quoted text does not end on its line; a closing \" is missing"}},
	{SITE "/* for ever\n", {"x.conf:2: the comment that begins here has no end"}},
	{SITE "store { sqlite = \"${HOME}/x\" }\n",
	 {"x.conf:2: \"${\" would be replaced"}},
	{SITE "store { sqlite = ${HOME} }\n", {"x.conf:2: \"${\" would be replaced"}},
};

static void faults_are_said_with_their_lines(void **state)
{
	for (size_t i = 0; i < N_ELEMS(fault_cases); i++) {
		char *report = bad(fault_cases[i].text, strlen(fault_cases[i].text));
		const char *line = report;
		size_t n = 0;

		for (; *line; line = strchr(line, '\n') + 1) {
			const char *want = n < 8 ? fault_cases[i].faults[n] : NULL;

			if (strstr(line, "warning: ") &&
			    strstr(line, "warning: ") < strchr(line, '\n'))
				continue;
			if (!want || strncmp(line, want, strlen(want)))
				fail_msg("case %zu, fault %zu: want\n%s\ngot\n%s", i, n,
					 want ? want : "(none)", report);
			n++;
		}
		if (n < 8 && fault_cases[i].faults[n])
			fail_msg("case %zu: missing\n%s\ngot\n%s", i,
				 fault_cases[i].faults[n], report);
		mem_deref(report);
	}
}

static void binary_is_refused(void **state)
{
	static const char *const texts[] = {"a\n\0b", "a\n\033[0m", "a\n\177"};
	static const char *const words[] = {"byte 0x00", "byte 0x1b", "byte 0x7f"};

	for (size_t i = 0; i < N_ELEMS(texts); i++) {
		char *report = bad(texts[i], 4);

		assert_non_null(strstr(report, "x.conf:2: "));
		assert_non_null(strstr(report, words[i]));
		mem_deref(report);
	}
}

static void a_fault_cannot_write_to_the_terminal(void **state)
{
	static const char text[] = SITE "log { level = \"\\x1b[2J\\nx\" }\n";
	char *report = bad(text, strlen(text));

	assert_null(strchr(report, '\033'));
	assert_ptr_equal(strchr(report, '\n'), report + strlen(report) - 1);
	mem_deref(report);
}

/* `n` times `fmt`, which takes a number, between two other texts. Owns: the caller's. */
static char *many(const char *before, const char *fmt, int n, const char *after)
{
	struct mbuf *mb = mbuf_alloc(4096);
	char *text;

	assert_non_null(mb);
	assert_int_equal(mbuf_write_str(mb, before), 0);
	for (int i = 0; i < n; i++)
		assert_int_equal(mbuf_printf(mb, fmt, i), 0);
	assert_int_equal(mbuf_write_str(mb, after), 0);
	text = base_dup(mb->buf, mb->end);
	assert_non_null(text);
	mem_deref(mb);
	return text;
}

static void bad_says(char *text, const char *what)
{
	char *report = bad(text, strlen(text));

	if (!strstr(report, what))
		fail_msg("want\n%s\ngot\n%s", what, report);
	mem_deref(report);
	mem_deref(text);
}

static void size_and_number_of_faults_are_bounded(void **state)
{
	size_t n = CONFIG_TEXT_MAX_BYTES + 1;
	char *text = mem_alloc(n, NULL), *report;

	assert_non_null(text);
	memset(text, ' ', n);
	report = bad(text, n);
	assert_non_null(strstr(report, "is 1048577 bytes long"));
	mem_deref(report);
	mem_deref(text);

	bad_says(many("http { listen = {", "\"x%d\",\n", 200, "\"y\"} }"),
		 "x.conf: and ");
	/* A thousand unknown names end after a while, with what was found. */
	bad_says(many("", "unknown%d = 1\n", 1000, ""),
		 "x.conf:30: there is no section \"unknown29\"");
	bad_says(many("a ", "{", 200000, ""),
		 "x.conf:1: the { on this line has no closing }");
	bad_says(many("", "} ", 1000, ""), "x.conf:1: unexpected closing brace");
}

static void files_are_looked_at(void **state)
{
	char path[] = "/tmp/test_config.XXXXXX", *report = NULL;
	struct config *c = NULL;
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	assert_non_null(f);
	fprintf(f,
		SITE "sip {\n trust = /no/such/trust }\nhttp {\n root = /no/such/root }\n"
		     "run { user = \"no-such-user\"\n group = \"no-such-group\" }\n");
	fclose(f);
	assert_int_equal(config_load(&c, &report, path), EINVAL);
	assert_non_null(strstr(report, ":1: /a.pem cannot be read: No such file"));
	assert_non_null(
		strstr(report, ":3: /no/such/trust cannot be read: No such file"));
	assert_non_null(strstr(report, ":5: /no/such/root is no folder"));
	assert_non_null(strstr(report, ":6: this system has no user \"no-such-user\""));
	assert_non_null(strstr(report, ":7: this system has no group \"no-such-group\""));
	mem_deref(report);
	unlink(path);
	assert_int_equal(config_load(&c, &report, path), ENOENT);
	assert_non_null(strstr(report, "cannot be read: No such file"));
	mem_deref(report);
	assert_int_equal(config_load(&c, &report, "/tmp"), EISDIR);
	mem_deref(report);
	assert_null(c);
}

/* A certificate for alpha.example that could be used, into an open file. */
static void write_certificate(int fd)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name,
						  "DNS:alpha.example");
	FILE *f = fdopen(fd, "w");

	assert_non_null(f);
	assert_non_null(ext);
	X509_set_version(x, 2);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 90 * 86400);
	X509_set_pubkey(x, key);
	X509_add_ext(x, ext, -1);
	X509_EXTENSION_free(ext);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_X509(f, x), 1);
	fclose(f);
	X509_free(x);
	EVP_PKEY_free(key);
}

static void a_certificate_alone_is_a_fault(void **state)
{
	static const struct {
		const char *key, *fault;
	} cases[] = {
		{"", ":1: site \"alpha.example\" has a certificate but no key"},
		{"key = \"\"", ":1: key: \"\" is not usable"},
		{"key = relative", ":1: key: \"relative\" is not usable"},
	};
	char pem[] = "/tmp/test_config_pem.XXXXXX";

	write_certificate(mkstemp(pem));
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		char path[] = "/tmp/test_config.XXXXXX", *report = NULL;
		struct config *c = NULL;
		FILE *f = fdopen(mkstemp(path), "w");

		assert_non_null(f);
		fprintf(f, "site \"alpha.example\" { certificate = \"%s\" %s }\n", pem,
			cases[i].key);
		fclose(f);
		assert_int_equal(config_load(&c, &report, path), EINVAL);
		assert_null(c);
		if (!strstr(report, cases[i].fault))
			fail_msg("want\n%s\ngot\n%s", cases[i].fault, report);
		mem_deref(report);
		unlink(path);
	}
	unlink(pem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_contracts_file),
		cmocka_unit_test(the_smallest_file),
		cmocka_unit_test(everything_of_this_version),
		cmocka_unit_test(faults_are_said_with_their_lines),
		cmocka_unit_test(binary_is_refused),
		cmocka_unit_test(a_fault_cannot_write_to_the_terminal),
		cmocka_unit_test(size_and_number_of_faults_are_bounded),
		cmocka_unit_test(files_are_looked_at),
		cmocka_unit_test(a_certificate_alone_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
