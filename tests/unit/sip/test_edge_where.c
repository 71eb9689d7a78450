/* test_edge_where.c - URIs, which addresses may be dialled, and the next hop of each
 * request. Pure. */
#include "lib/base.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <cmocka.h>

#include "lib/reach.h"
#include "sip/edge/where.h"

static struct message m;

static struct pl pl_of(const char *s)
{
	return (struct pl){s, strlen(s)};
}

static void parse(const char *text)
{
	const char *body = strstr(text, "\r\n\r\n");

	assert_non_null(body);
	assert_int_equal(message_parse(&m, text, (size_t)(body + 4 - text), strlen(text)),
			 0);
}

/* ---- addresses ---- */

static void request_uris(void **state)
{
	static const struct {
		const char *uri;
		unsigned status;
	} cases[] = {
		{"sip:per@beta.example", 0},
		{"SIPS:beta.example:5061;transport=tls;x=%41", 0},
		{"sip:user;par=u%40example.net@example.com", 0},
		{"sip:%41%20:pw@b?Route=%3Csip:a%3E&x=y", 0},
		{"sip:[2001:db8::10]", 0},
		{"sip:[2001:db8::10:5070]", 0},
		{"sip:[2001:db8::10]:5070", 0},
		{"sip:a@under_score", 0},
		{"tel:+49-30-1234;phone-context=x", 0},
		{"sip:2001:db8::10", 400},
		{"sip:", 400},
		{"sip:@b", 400},
		{"sip:a@", 400},
		{"sip:a@b@c", 400},
		{"sip:a b@c", 400},
		{"<sip:a@b>", 400},
		{"sip:a%4@b", 400},
		{"sip:a%zz@b", 400},
		{"sip:a@b%41", 400},
		{"sip:a@b;x=[", 400},
		{"sip:a@b#frag", 400},
		{"sip:a@b:99999x", 400},
		{"sip:a@b:123456", 400},
		{"sip:a@b:", 400},
		{"sip:a:p%20;x@b", 400},
		{"sip:a@[::1", 400},
		{"sip:a@b\x80", 400},
		{"*", 400},
		{"", 400},
		{"9sip:a@b", 400},
		{"tel:", 400},
		{"tel:;x", 400},
		{"nobodyKnowsThisScheme:totallyopaquecontent", 416},
		{"soap.beep://192.0.2.103:3002", 416},
		{"http://a/", 416},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		struct pl uri = pl_of(cases[i].uri);

		if (address_request_uri_status(&uri) != cases[i].status)
			fail_msg("%s", cases[i].uri);
	}
}

static void addresses_split(void **state)
{
	static const struct {
		const char *text, *uri, *params;
	} cases[] = {
		{"<sip:a@b;x>;tag=1", "sip:a@b;x", ";tag=1"},
		{"\"A <x> \\\" ;\" <sip:a@b>", "sip:a@b", ""},
		{"sip:a@b;tag=1", "sip:a@b", ";tag=1"},
		{"Name  < sip:a@b > ;tag=1", "sip:a@b", ";tag=1"},
		{"<sip:a@b", NULL, NULL},
		{"\"open <sip:a@b>", NULL, NULL},
		{"", NULL, NULL},
		{"<>", NULL, NULL},
	};
	struct pl uri, params;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		struct pl text = pl_of(cases[i].text);
		int err = address_split(&text, &uri, &params);

		if (!cases[i].uri) {
			if (!err)
				fail_msg("%s", cases[i].text);
			continue;
		}
		assert_int_equal(err, 0);
		assert_int_equal(pl_strcmp(&uri, cases[i].uri), 0);
		assert_int_equal(params.l, strlen(cases[i].params));
	}
}

static void hops(void **state)
{
	static const struct {
		const char *uri;
		int err;
		const char *host; /* "" an address */
		uint16_t port;
		enum hop_transport transport;
	} cases[] = {
		{"sip:a@Sip1.Beta.Example.;transport=TLS", 0, "sip1.beta.example", 0,
		 HOP_TLS},
		{"sips:beta.example:5071", 0, "beta.example", 5071, HOP_ANY},
		{"sip:192.0.2.1;transport=udp;lr", 0, "", 0, HOP_UDP},
		{"sip:a@[2001:db8::1]:5061;transport=ws", 0, "", 5061, HOP_OTHER},
		{"sip:a@b.example;maddr=192.0.2.4", 0, "", 0, HOP_ANY},
		{"sip:a@b.example:0", EBADMSG, NULL, 0, HOP_ANY},
		{"sip:a@b.example:65536", EBADMSG, NULL, 0, HOP_ANY},
		{"sip:a@bad_label.example", EBADMSG, NULL, 0, HOP_ANY},
		{"tel:+49", EPROTONOSUPPORT, NULL, 0, HOP_ANY},
		{"nonsense", EBADMSG, NULL, 0, HOP_ANY},
	};
	struct hop hop;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		struct pl uri = pl_of(cases[i].uri);

		if (hop_parse(&hop, &uri) != cases[i].err)
			fail_msg("%s", cases[i].uri);
		if (cases[i].err)
			continue;
		assert_string_equal(hop.host, cases[i].host);
		assert_int_equal(hop.port, cases[i].port);
		assert_int_equal(hop.transport, cases[i].transport);
		assert_int_equal(sa_isset(&hop.sa, SA_ADDR), !*cases[i].host);
	}
	parse("BYE sip:a@c.example SIP/2.0\r\nRoute: \"x\" <sip:r1.example;lr>, <sip:r2.example>\r\n\r\n");
	assert_int_equal(hop_of(&hop, &m), 0);
	assert_string_equal(hop.host, "r1.example");
	parse("BYE sip:a@c.example SIP/2.0\r\nX: y\r\n\r\n");
	assert_int_equal(hop_of(&hop, &m), 0);
	assert_string_equal(hop.host, "c.example");
	parse("BYE sip:a@c.example SIP/2.0\r\nRoute: <\r\n\r\n");
	assert_int_equal(hop_of(&hop, &m), EBADMSG);
}

static void reachable(void **state)
{
	static const struct {
		const char *addr;
		bool normally, loopback;
	} cases[] = {
		{"192.0.2.1", true, true},
		{"8.8.8.8", true, true},
		{"172.32.0.1", true, true},
		{"2001:db8::1", true, true},
		{"2a00::1", true, true},
		{"127.0.0.1", false, true},
		{"10.1.2.3", false, true},
		{"172.16.0.1", false, true},
		{"172.31.255.255", false, true},
		{"192.168.1.1", false, true},
		{"169.254.169.254", false, true},
		{"100.64.0.1", false, true},
		{"::1", false, true},
		{"fd00::1", false, true},
		{"fe80::1", false, true},
		{"0.0.0.0", false, false},
		{"0.1.2.3", false, false},
		{"224.0.0.1", false, false},
		{"239.1.1.1", false, false},
		{"255.255.255.255", false, false},
		{"240.0.0.1", false, false},
		{"::", false, false},
		{"::ffff:127.0.0.1", false, false},
		{"::ffff:8.8.8.8", false, false},
		{"::127.0.0.1", false, false},
		{"64:ff9b::7f00:1", false, false},
		{"2002:7f00:1::", false, false},
		{"ff02::1", false, false},
		{"2001::1", false, false},
	};
	struct sa sa;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		uint8_t in6[16];

		/* sa_set_str() takes an IPv4 address out of its IPv6 clothes by itself;
		 * DNS answers come undressed. */
		if (inet_pton(AF_INET6, cases[i].addr, in6) == 1)
			sa_set_in6(&sa, in6, 5061);
		else
			assert_int_equal(sa_set_str(&sa, cases[i].addr, 5061), 0);
		if (reach_allowed(&sa, false) != cases[i].normally ||
		    reach_allowed(&sa, true) != cases[i].loopback)
			fail_msg("%s", cases[i].addr);
	}
	sa_init(&sa, AF_UNSPEC);
	assert_false(reach_allowed(&sa, true));
}

/* ---- next hop ---- */

static bool peer_uses_66(const struct sa *sa, const char *domain, void *arg)
{
	char text[64];

	(void)arg;
	return !strcmp(domain, "beta.example") && !sa_ntop(sa, text, sizeof(text)) &&
	       !strcmp(text, "10.6.6.6");
}

static void where_requests_go(void **state)
{
	static const struct {
		const char *to, *uri, *domain;
		bool way;
		const char *name, *host, *fixed; /* fixed: address, or "" */
		uint16_t port;
		bool tls;
	} cases[] = {
		/* out of dialogs: the domain alone, whatever the URI says */
		{"<sip:a@x>", "sip:a@127.0.0.1", "beta.example", true, "beta.example", "",
		 "", 0, true},
		{"<sip:a@x>", "sip:a@x;transport=udp", "beta.example", true,
		 "beta.example", "", "", 0, true},
		{"<sip:a@x>", "sip:a@x", "pinned.example", true, "", "", "198.51.100.5",
		 5071, true},
		{"<sip:a@x>", "sip:a@x", "plain.example", true, "", "", "198.51.100.6",
		 5070, false},
		{"<sip:a@x>", "sip:a@x", "udp.example", false, NULL, NULL, NULL, 0, true},
		{"<sip:a@x>", "sip:a@x", "blocked.example", false, NULL, NULL, NULL, 0,
		 true},
		{"<sip:a@x>", "sip:a@x", "", false, NULL, NULL, NULL, 0, true},
		/* in a dialog */
		{"<sip:a@x>;tag=1", "sip:a@beta.example", "beta.example", true,
		 "beta.example", "", "", 0, true},
		{"<sip:a@x>;tag=1", "sip:a@BETA.example:5071", "beta.example", true,
		 "beta.example", "", "", 5071, true},
		{"<sip:a@x>;tag=1", "sip:a@s1.beta.example;transport=tls", "beta.example",
		 true, "s1.beta.example", "s1.beta.example", "", 0, true},
		{"<sip:a@x>;tag=1", "sip:a@pinned.example", "beta.example", true, "",
		 "pinned.example", "198.51.100.5", 5071, true},
		{"<sip:a@x>;tag=1", "sip:a@plain.example", "beta.example", false, NULL,
		 NULL, NULL, 0, true},
		{"<sip:a@x>;tag=1", "sip:a@beta.example;transport=tcp", "beta.example",
		 false, NULL, NULL, NULL, 0, true},
		{"<sip:a@x>;tag=1", "sip:a@beta.example;transport=udp", "beta.example",
		 false, NULL, NULL, NULL, 0, true},
		{"<sip:a@x>;tag=1", "sip:a@beta.example;transport=ws", "beta.example",
		 false, NULL, NULL, NULL, 0, true},
		{"<sip:a@x>;tag=1", "sip:a@x;transport=udp", "plain.example", false, NULL,
		 NULL, NULL, 0, true},
		{"<sip:a@x>;tag=1", "sip:a@198.51.100.6:5070;transport=tcp",
		 "plain.example", true, "", "", "198.51.100.6", 5070, false},
		{"<sip:a@x>;tag=1", "sip:a@198.51.100.6", "plain.example", true, "", "",
		 "198.51.100.6", 5060, false},
		{"<sip:a@x>;tag=1", "sip:a@203.0.113.9", "beta.example", true, "", "",
		 "203.0.113.9", 5061, true},
		{"<sip:a@x>;tag=1", "sip:a@[2001:db8::5]:5071", "beta.example", true, "",
		 "", "2001:db8::5", 5071, true},
		{"<sip:a@x>;tag=1", "sip:a@127.0.0.1:22", "beta.example", false, NULL,
		 NULL, NULL, 0, true},
		{"<sip:a@x>;tag=1", "sip:a@10.6.6.6:5061", "beta.example", true, "", "",
		 "10.6.6.6", 5061, true},
		{"<sip:a@x>;tag=1", "sip:a@10.6.6.6:5061", "gamma.example", false, NULL,
		 NULL, NULL, 0, true},
		{"<sip:a@x>;tag=1", "sip:a@10.7.7.7:9", "local.example", true, "", "",
		 "10.7.7.7", 9, true},
		{"<sip:a@x>;tag=1", "tel:+49", "beta.example", false, NULL, NULL, NULL, 0,
		 true},
	};
	struct peer_config peerv[] = {
		{.domain = "pinned.example",
		 .has_address = true,
		 .address = {.transport = TRANSPORT_TLS}},
		{.domain = "plain.example",
		 .has_address = true,
		 .address = {.transport = TRANSPORT_TCP}},
		{.domain = "udp.example",
		 .has_address = true,
		 .address = {.transport = TRANSPORT_UDP}},
		{.domain = "local.example",
		 .has_address = true,
		 .address = {.transport = TRANSPORT_TLS}},
		{.domain = "blocked.example", .block = true},
	};
	struct config config = {.peerv = peerv, .n_peers = N_ELEMS(peerv)};
	char text[400], addr[64];
	struct where w;

	(void)state;
	sa_set_str(&peerv[0].address.sa, "198.51.100.5", 5071);
	sa_set_str(&peerv[1].address.sa, "198.51.100.6", 5070);
	sa_set_str(&peerv[2].address.sa, "198.51.100.7", 5070);
	sa_set_str(&peerv[3].address.sa, "10.7.7.7", 5061);
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		struct joint j = {.conn = 0};
		const char *why;

		strcpy(j.domain, cases[i].domain);
		snprintf(text, sizeof(text), "BYE %s SIP/2.0\r\nTo: %s\r\n\r\n",
			 cases[i].uri, cases[i].to);
		parse(text);
		why = where_to(&w, &config, &m, &j, peer_uses_66, NULL);
		if ((why == NULL) != cases[i].way)
			fail_msg("%s %s: %s", cases[i].domain, cases[i].uri,
				 why ? why : "a way");
		if (why)
			continue;
		addr[0] = '\0';
		if (sa_isset(&w.fixed, SA_ADDR))
			sa_ntop(&w.fixed, addr, sizeof(addr));
		if (strcmp(w.name, cases[i].name) || strcmp(w.host, cases[i].host) ||
		    strcmp(addr, cases[i].fixed) ||
		    (*addr ? sa_port(&w.fixed) : w.port) != cases[i].port ||
		    w.tls != cases[i].tls || strcmp(w.domain, cases[i].domain))
			fail_msg("%s %s: name=%s host=%s fixed=%s port=%u tls=%d",
				 cases[i].domain, cases[i].uri, w.name, w.host, addr,
				 *addr ? sa_port(&w.fixed) : w.port, w.tls);
	}
	config.sip_loopback = true;
	parse("BYE sip:a@127.0.0.1:22 SIP/2.0\r\nTo: <sip:a@x>;tag=1\r\n\r\n");
	assert_null(where_to(&w, &config, &m, &(struct joint){.domain = "beta.example"},
			     peer_uses_66, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_uris),
		cmocka_unit_test(addresses_split),
		cmocka_unit_test(hops),
		cmocka_unit_test(reachable),
		cmocka_unit_test(where_requests_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
