/* test_edge_check.c - what Sofia may see, and the responses that the edge makes itself.
 * Pure. */
#include "lib/base.h"

#include <setjmp.h>
#include <cmocka.h>

#include "sip/edge/address.h"
#include "sip/edge/check.h"
#include "sip/edge/reply.h"

static struct message m;

static void parse(const char *text)
{
	const char *body = strstr(text, "\r\n\r\n");

	assert_non_null(body);
	assert_int_equal(message_parse(&m, text, (size_t)(body + 4 - text), strlen(text)),
			 0);
}

#define REST "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: 1\r\n"
#define VIA  "Via: SIP/2.0/TLS a;branch=z9hG4bK1\r\n"

static void checked_requests(void **state)
{
	static const struct {
		const char *text;
		unsigned status;
	} cases[] = {
		{"INVITE sip:a@b SIP/2.0\r\n" VIA REST "CSeq: 1 INVITE\r\n\r\n", 0},
		{"X.Y-Z_1 sip:a@b sip/2.0\r\n" VIA REST "CSeq: 1 X.Y-Z_1\r\n\r\n", 0},
		{"OPTIONS sip:a@b SIP/7.0\r\n" VIA REST "CSeq: 1 OPTIONS\r\n\r\n", 505},
		{"INVITE sip:a@b; lr SIP/2.0\r\n" VIA REST "CSeq: 1 INVITE\r\n\r\n", 400},
		{"INVITE sip:a@b HTTP/1.1\r\n" VIA REST "CSeq: 1 INVITE\r\n\r\n", 400},
		{"RE%47IST%45R sip:a@b SIP/2.0\r\n" VIA REST
		 "CSeq: 1 RE%47IST%45R\r\n\r\n",
		 501},
		{"!odd*`' sip:a@b SIP/2.0\r\n" VIA REST "CSeq: 1 !odd*`'\r\n\r\n", 501},
		{"INVITE soap:x SIP/2.0\r\n" VIA REST "CSeq: 1 INVITE\r\n\r\n", 416},
		{"INVITE sip:a@b SIP/2.0\r\n" VIA REST "CSeq: 1 OPTIONS\r\n\r\n", 400},
		{"INVITE sip:a@b SIP/2.0\r\n" VIA REST "CSeq: 1 invite\r\n\r\n", 400},
		{"INVITE sip:a@b SIP/2.0\r\n" VIA REST "\r\n", 400},
		{"INVITE sip:a@b SIP/2.0\r\n" VIA REST
		 "CSeq: 1 INVITE\r\nCSeq: 1 INVITE\r\n\r\n",
		 400},
		{"INVITE sip:a@b SIP/2.0\r\n" VIA REST REST "CSeq: 1 INVITE\r\n\r\n",
		 400},
		{"INVITE sip:a@b SIP/2.0\r\n" REST "CSeq: 1 INVITE\r\n\r\n", 400},
		{"INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS\r\n" REST
		 "CSeq: 1 INVITE\r\n\r\n",
		 400},
		{"INVITE sip:a@b SIP/2.0\r\n" VIA REST
		 "CSeq: 1 INVITE\r\nMax-Forwards: 1\r\nMax-Forwards: 2\r\n\r\n",
		 400},
		{"INVITE sip:a@b SIP/2.0\r\n" VIA REST
		 "CSeq: 1 INVITE\r\nMax-Forwards: 0068\r\n\r\n",
		 0},
		{"INVITE sip:a@b SIP/2.0\r\n" VIA REST
		 "CSeq: 1 INVITE\r\nMax-Forwards: 255\r\n\r\n",
		 0},
		{"INVITE sip:a@b SIP/2.0\r\n" VIA REST
		 "CSeq: 1 INVITE\r\nMax-Forwards: 256\r\n\r\n",
		 400},
		{"INVITE sip:a@b SIP/2.0\r\n" VIA REST
		 "CSeq: 1 INVITE\r\nMax-Forwards: 4294967366\r\n\r\n",
		 400},
		{"INVITE sip:a@b SIP/2.0\r\n" VIA REST
		 "CSeq: 1 INVITE\r\nMax-Forwards: -1\r\n\r\n",
		 400},
		{"INVITE sip:a@b SIP/2.0\r\n" VIA REST
		 "CSeq: 1 INVITE\r\nMax-Forwards: \r\n\r\n",
		 400},
		{"INVITE sip:a@b SIP/2.0\r\n" VIA REST
		 "CSeq: 1 INVITE\r\nno colon here\r\n\r\n",
		 400},
		{"INVITE sip:a@b SIP/2.0\r\n" VIA
		 "From: \r\nTo: <sip:c@d>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n",
		 400},
	};
	struct via top;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		parse(cases[i].text);
		if (check_request(&m, &top) != cases[i].status)
			fail_msg("case %zu: %u for %s", i, check_request(&m, &top),
				 cases[i].text);
	}
}

/* RFC 4475 quotbal and its kin: what Sofia cannot parse it answers itself, and closes the
 * joint. */
static void checked_parties(void **state)
{
	static const char *const good[] = {
		"<sip:a@b>;tag=1",
		"sip:a@b;tag=1",
		"\"a, \\\"b\\\" <x>\" <sip:a@b> ; tag = 1",
		"A B.C<sips:a@b:5061;x=y?h=i>;tag=1;x=\"q;,\"",
		"sip:b",
		"<tel:+4612;x=y>",
		"isbn:2983792873",
		"<http://www.example.com>;tag=3",
		"<http://u:p@a:80/x:y>",
		"Bell <  sip:a@[::1]  >;x=[::1]:5",
		"\"J \\\\\\\"\"\r\n <sip:a@b>\r\n ;\r\n tag = 98asjd8",
		"<urn:service:sos>",
		"<sip:%41@b>;tag",
	};
	static const char *const bad[] = {
		"\"",
		"\"x <sip:a@b>",
		"\"x\\",
		"<sip:a@b",
		"sip:",
		"x",
		"<a>",
		",",
		";",
		"<>",
		"< >",
		"<sip:>;tag=1",
		"\"a\" \"b\" <sip:a@b>",
		"\"a\" b <sip:a@b>",
		"sip:a@b;tag=1,sip:c@d",
		"<sip:a@b>,<sip:c@d>",
		"<sip:a@b>;tag=",
		"<sip:a@b>;=x",
		"<sip:a@b>;;tag=1",
		"<sip:a@b>;tag=1;",
		"<sip:a@b>x",
		"<sip:a@[::1>;tag=1",
		"<sip:%zz@b>;tag=1",
		"Bell, A <sip:a@b>",
		"sip:a@b?x=y",
		"<sip:a@b>;x=\"",
		"\xc3\xa4 <sip:a@b>",
		"Sat, 99 Foo",
		"<http:>",
		"<http://a:b:c/>",
		"<sip:a@b>;x=<y>",
	};
	struct pl value;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(good); i++) {
		pl_set_str(&value, good[i]);
		if (!address_party_ok(&value))
			fail_msg("refused: %s", good[i]);
	}
	for (size_t i = 0; i < N_ELEMS(bad); i++) {
		pl_set_str(&value, bad[i]);
		if (address_party_ok(&value))
			fail_msg("taken: %s", bad[i]);
	}
}

static void checked_responses(void **state)
{
	struct via top;

	(void)state;
	parse("SIP/2.0 200 OK\r\n" VIA REST "CSeq: 1 INVITE\r\n\r\n");
	assert_true(check_response(&m, &top));
	parse("SIP/2.0 200 OK\r\n" VIA VIA REST "CSeq: 1 INVITE\r\n\r\n");
	assert_false(check_response(&m, &top));
	parse("SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS a;branch=1, SIP/2.0/TLS b\r\n" REST
	      "CSeq: 1 INVITE\r\n\r\n");
	assert_false(check_response(&m, &top));
	parse("SIP/2.0 200 OK\r\n" REST "CSeq: 1 INVITE\r\n\r\n");
	assert_false(check_response(&m, &top));
	parse("SIP/3.0 200 OK\r\n" VIA REST "CSeq: 1 INVITE\r\n\r\n");
	assert_false(check_response(&m, &top));
}

static void replies(void **state)
{
	char reason[REPLY_REASON_MAX], huge[600];
	struct mbuf *mb = mbuf_alloc(64), *lines = mbuf_alloc(64);
	struct pl text;
	char *tag;

	(void)state;
	parse("INVITE sip:a@b SIP/2.0\r\nv: 1, 2\r\nf: <sip:a@b>\r\n ;tag=1\r\nVia: 3\r\nt: <sip:c@d>\r\ni: x\r\n"
	      "CSeq: 7 INVITE\r\nX-Sluss-Edge: no\r\nl: 2\r\n\r\nhi");
	assert_int_equal(reply_lines(lines, &m), 0);
	text = (struct pl){(char *)lines->buf, lines->end};
	reply_reason(reason, 503, "b: \"it\" \\ is\r\nX: down");
	assert_string_equal(
		reason, "Reason: X-EDGE;cause=503;text=\"b:  it    is  X: down\"\r\n");
	assert_int_equal(reply_write(mb, 503, &text, reason), 0);
	mbuf_write_u8(mb, 0);
	tag = strstr((char *)mb->buf, "To: <sip:c@d>;tag=");
	assert_non_null(tag);
	memset(tag + 18, 'T', 16);
	assert_string_equal(
		(char *)mb->buf,
		"SIP/2.0 503 Service Unavailable\r\nVia: 1, 2\r\nVia: 3\r\n"
		"From: <sip:a@b>\r\n ;tag=1\r\nTo: <sip:c@d>;tag=TTTTTTTTTTTTTTTT\r\nCall-ID: x\r\n"
		"CSeq: 7 INVITE\r\nReason: X-EDGE;cause=503;text=\"b:  it    is  X: down\"\r\n"
		"Content-Length: 0\r\n\r\n");
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	reply_reason(reason, 503, huge);
	assert_int_equal(strlen(reason), REPLY_REASON_MAX - 1);
	assert_string_equal(reason + REPLY_REASON_MAX - 4, "\"\r\n");
	mem_deref(lines);
	mem_deref(mb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checked_requests),
		cmocka_unit_test(checked_parties),
		cmocka_unit_test(checked_responses),
		cmocka_unit_test(replies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
