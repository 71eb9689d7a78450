/* test_edge_message.c - a message as raw bytes: index, folds, short forms, faults, edits;
 * the Via headers. Pure. */
#include "lib/base.h"

#include <setjmp.h>
#include <cmocka.h>

#include "sip/edge/via.h"

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

#define SHORT_FORMS                                                                                               \
	"INVITE sip:per@beta.example SIP/2.0\r\n"                                                                 \
	"v: SIP / 2.0 / TLS  alpha.example:5061 ;\r\n  branch = z9hG4bK9 ;rport,\r\n\tSIP/2.0/UDP b;branch=2\r\n" \
	"t :\r\n <sip:per@beta.example>\r\n"                                                                      \
	"f: \"A, B\" <sip:a@alpha.example>;tag=1\r\n"                                                             \
	"i: abc@alpha\r\n"                                                                                        \
	"CSEQ: 0009\r\n  INVITE\r\n"                                                                              \
	"x-sluss-edge: mine\r\n"                                                                                  \
	"X-Other: 1\r\n"                                                                                          \
	"l: 4\r\n\r\nv=0\n"

static void message_folds_and_short_forms(void **state)
{
	struct pl value, method;
	uint32_t cseq;
	size_t n;

	(void)state;
	parse(SHORT_FORMS);
	assert_int_equal(m.kind, MESSAGE_REQUEST);
	assert_int_equal(m.n_lines, 8);
	assert_false(m.faulty);
	assert_int_equal(message_value(&m, HEADER_TO, &value), 0);
	assert_int_equal(pl_strcmp(&value, "<sip:per@beta.example>"), 0);
	assert_int_equal(message_value(&m, HEADER_JOINT, &value), 0);
	assert_int_equal(pl_strcmp(&value, "mine"), 0);
	assert_int_equal(message_cseq(&m, &cseq, &method), 0);
	assert_int_equal(cseq, 9);
	assert_int_equal(pl_strcmp(&method, "INVITE"), 0);
	assert_int_equal(message_content_length(&m, &n), 0);
	assert_int_equal(n, 4);
	assert_int_equal(message_value(&m, HEADER_ROUTE, &value), ENOENT);
	assert_int_equal(via_count(&m), 2);
}

static void message_first_lines(void **state)
{
	static const struct {
		const char *line;
		enum message_kind kind;
		unsigned status;
	} cases[] = {
		{"INVITE sip:a@b SIP/2.0", MESSAGE_REQUEST, 0},
		{"INVITE  sip:a@b   SIP/2.0  ", MESSAGE_REQUEST, 0},
		{"INVITE sip:a@b", MESSAGE_GARBAGE, 0},
		{"IN<VITE sip:a@b SIP/2.0", MESSAGE_GARBAGE, 0},
		{"SIP/2.0 200 OK", MESSAGE_RESPONSE, 200},
		{"SIP/2.0 100", MESSAGE_RESPONSE, 100},
		{"sip/2.0 699 x y z", MESSAGE_RESPONSE, 699},
		{"SIP/2.0 99 Low", MESSAGE_GARBAGE, 0},
		{"SIP/2.0 4294967301 better not break the receiver", MESSAGE_GARBAGE, 0},
		{"SIP/2.0 700 High", MESSAGE_GARBAGE, 0},
		{"SIP/2.0 2x0 No", MESSAGE_GARBAGE, 0},
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		snprintf(text, sizeof(text), "%s\r\nl: 0\r\n\r\n", cases[i].line);
		parse(text);
		if (m.kind != cases[i].kind || m.status != cases[i].status)
			fail_msg("%s", cases[i].line);
	}
}

static void message_faults(void **state)
{
	static const struct {
		const char *head;
		size_t n; /* 0: strlen */
		int err;
		bool faulty;
	} cases[] = {
		{"A sip:b SIP/2.0\r\nX: 1\r\n\r\n", 0, 0, false},
		{"A sip:b SIP/2.0\r\nX Y: 1\r\n\r\n", 0, 0, true},
		{"A sip:b SIP/2.0\r\nno colon\r\n\r\n", 0, 0, true},
		{"A sip:b SIP/2.0\r\n: 1\r\n\r\n", 0, 0, true},
		{"A sip:b SIP/2.0\r\nX\r\n : 1\r\n\r\n", 0, 0, true},
		{"A sip:b SIP/2.0\r\nX: a\0b\r\n\r\n", 27, 0, true},
		{"A sip:b SIP/2.0\r\nX: a\rl: 9\r\n\r\n", 0, EBADMSG, false},
		{"A sip:b SIP/2.0\r\nX: a\nl: 9\r\n\r\n", 0, EBADMSG, false},
		{"A sip:b SIP/2.0\r\nX: a\r\r\n\r\n", 0, EBADMSG, false},
		{"A sip:b\r SIP/2.0\r\nX: a\r\n\r\n", 0, EBADMSG, false},
		{"A sip:b SIP/2.0\r\n X: a\r\n\r\n", 0, EBADMSG, false},
		{"A sip:b SIP/2.0\r\nX: a", 0, EBADMSG, false},
		{"A sip:b SIP/2.0\r\nX: a\r\n", 0, EBADMSG, false},
		{"A sip:b SIP/2.0\r\n\r\n", 0, 0, false},
		{"", 0, EBADMSG, false},
	};
	char many[8 * MESSAGE_LINES_MAX + 64] = "A sip:b SIP/2.0\r\n";

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		size_t n = cases[i].n ? cases[i].n : strlen(cases[i].head);

		if (message_parse(&m, cases[i].head, n, n) != cases[i].err ||
		    (!cases[i].err && m.faulty != cases[i].faulty))
			fail_msg("case %zu: %s", i, cases[i].head);
	}
	for (size_t i = 0; i < MESSAGE_LINES_MAX + 1; i++)
		strcat(many, "X: 1\r\n");
	strcat(many, "\r\n");
	assert_int_equal(message_parse(&m, many, strlen(many), strlen(many)), E2BIG);
}

static void message_lengths_and_cseqs(void **state)
{
	static const struct {
		const char *lines;
		int err;
		size_t n;
	} cases[] = {
		{"Content-Length: 17\r\n", 0, 17},
		{"l:0\r\n", 0, 0},
		{"Content-Length :\r\n  5\r\n", 0, 5},
		{"X: 1\r\n", ENOENT, 0},
		{"l: 5\r\nl: 5\r\n", EBADMSG, 0},
		{"l: 5\r\nContent-Length: 5\r\n", EBADMSG, 0},
		{"l: -1\r\n", EBADMSG, 0},
		{"l: +1\r\n", EBADMSG, 0},
		{"l: 1 1\r\n", EBADMSG, 0},
		{"l: 1;x\r\n", EBADMSG, 0},
		{"l: 0x10\r\n", EBADMSG, 0},
		{"l:\r\n", EBADMSG, 0},
		{"l: 9999999999\r\n", EBADMSG, 0},
		{"l: 18446744073709551617\r\n", EBADMSG, 0},
	};
	static const struct {
		const char *line;
		int err;
	} cseqs[] = {
		{"CSeq: 1 ACK", 0},
		{"CSeq: 4294967295 ACK", 0},
		{"CSeq: 4294967296 ACK", EBADMSG},
		{"CSeq: 36893488147419103232 ACK", EBADMSG},
		{"CSeq: ACK", EBADMSG},
		{"CSeq: 1", EBADMSG},
		{"CSeq: 1ACK", EBADMSG},
		{"CSeq: 1 A CK", EBADMSG},
		{"CSeq: -1 ACK", EBADMSG},
	};
	char text[400];
	struct pl method;
	uint32_t number;
	size_t n;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		snprintf(text, sizeof(text), "A sip:b SIP/2.0\r\n%s\r\n", cases[i].lines);
		parse(text);
		n = 0;
		if (message_content_length(&m, &n) != cases[i].err || n != cases[i].n)
			fail_msg("%s", cases[i].lines);
	}
	for (size_t i = 0; i < N_ELEMS(cseqs); i++) {
		snprintf(text, sizeof(text), "A sip:b SIP/2.0\r\n%s\r\n\r\n",
			 cseqs[i].line);
		parse(text);
		if (message_cseq(&m, &number, &method) != cseqs[i].err)
			fail_msg("%s", cseqs[i].line);
	}
}

static void written(const char *expected, struct edits *e, const char *top,
		    const char *bottom)
{
	struct mbuf *mb = mbuf_alloc(16);
	struct pl t = pl_of(top), b = pl_of(bottom);

	assert_int_equal(message_write(mb, &m, e, &t, &b), 0);
	mbuf_write_u8(mb, 0);
	assert_string_equal((char *)mb->buf, expected);
	mem_deref(mb);
}

static void message_edits(void **state)
{
	struct edits e = {.n = 0};
	struct pl other = pl_of("one"), value;

	(void)state;
	parse("A   sip:b   SIP/2.0 \r\nX-Sluss-Edge: 1\r\nX: a\r\n b\r\nx-sluss-EDGE : 2\r\nl: 3\r\n\r\nabc");
	edits_drop_all(&e, &m, HEADER_JOINT);
	edits_drop_all(&e, &m, HEADER_CONTENT_LENGTH);
	edits_replace(&e, &m, &m.linev[1].value, &other);
	written("A sip:b SIP/2.0\r\nT: 1\r\nX: one\r\nC: 3\r\n\r\nabc", &e, "T: 1\r\n",
		"C: 3\r\n");

	parse("SIP/2.0 200\r\n\r\n");
	e = (struct edits){.n = 0};
	written("SIP/2.0 200 \r\n\r\n", &e, "", "");

	/* More changes than there is room for are an error, not a message half changed.
	 * */
	parse("A sip:b SIP/2.0\r\nX: 1\r\n\r\n");
	e = (struct edits){.n = 0};
	value = m.linev[0].value;
	for (size_t i = 0; i <= EDITS_MAX; i++)
		edits_replace(&e, &m, &value, NULL);
	assert_int_equal(message_write(NULL, &m, &e, NULL, NULL), E2BIG);
}

static void message_lists(void **state)
{
	struct pl rest = pl_of(
			  "<sip:a,b@c;x=\"1,2\">;q=\",\\\",\", \"x,y\" <sip:d> , ,e"),
		  element;
	struct pl params = pl_of(";a=\"x;b=2\" ; B = 3;c"), value;
	static const char *const want[] = {"<sip:a,b@c;x=\"1,2\">;q=\",\\\",\"",
					   "\"x,y\" <sip:d>", "", "e"};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(want); i++) {
		assert_true(message_element(&rest, &element));
		assert_int_equal(element.l, strlen(want[i]));
		assert_memory_equal(element.p, want[i], element.l);
	}
	assert_false(message_element(&rest, &element));
	assert_true(message_param(&params, "b", &value));
	assert_int_equal(pl_strcmp(&value, "3"), 0);
	assert_true(message_param(&params, "c", &value));
	assert_int_equal(value.l, 0);
	assert_false(message_param(&params, "d", &value));
}

/* ---- Via ---- */

static void via_forms(void **state)
{
	static const struct {
		const char *text;
		int err;
		const char *host;
		uint16_t port;
		const char *branch;
		bool rport;
	} cases[] = {
		{"SIP/2.0/TLS a.example;branch=z9", 0, "a.example", 0, "z9", false},
		{"SIP / 2.0\r\n / TLS [2001:db8::9:1]:5061 ; rport ; branch = z9", 0,
		 "[2001:db8::9:1]", 5061, "z9", true},
		{"sip/2.0/tls a_b.example : 1", 0, "a_b.example", 1, "", false},
		{"SIP/2.0/TLS a;x=\";branch=no\";branch=yes;branch=twice", 0, "a", 0,
		 "yes", false},
		{"SIP/2.0/TLS 192.0.2.1:65535;;,", 0, "192.0.2.1", 65535, "", false},
		{"SIP/2.0/TLS a:0", EBADMSG, NULL, 0, NULL, false},
		{"SIP/2.0/TLS a:65536", EBADMSG, NULL, 0, NULL, false},
		{"SIP/2.0/TLS a:", EBADMSG, NULL, 0, NULL, false},
		{"SIP/2.0/TLS a b", EBADMSG, NULL, 0, NULL, false},
		{"SIP/2.0/TLS [::1", EBADMSG, NULL, 0, NULL, false},
		{"SIP/2.0/TLS [zz]", EBADMSG, NULL, 0, NULL, false},
		{"SIP/7.0/UDP a", EBADMSG, NULL, 0, NULL, false},
		{"HTTP/2.0/TLS a", EBADMSG, NULL, 0, NULL, false},
		{"SIP/2.0/", EBADMSG, NULL, 0, NULL, false},
		{"SIP/2.0/TLS ", EBADMSG, NULL, 0, NULL, false},
		{"", EBADMSG, NULL, 0, NULL, false},
	};
	struct via v;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		struct pl text = pl_of(cases[i].text);

		if (via_parse(&v, &text) != cases[i].err)
			fail_msg("%s", cases[i].text);
		if (cases[i].err)
			continue;
		assert_int_equal(v.port, cases[i].port);
		assert_int_equal(v.has_rport, cases[i].rport);
		assert_int_equal(pl_strcmp(&v.host, cases[i].host), 0);
		assert_int_equal(v.branch.l, strlen(cases[i].branch));
		assert_memory_equal(v.branch.p, cases[i].branch, v.branch.l);
	}
}

static void via_pops(void **state)
{
	static const struct {
		const char *before, *after;
	} cases[] = {
		{"Via: 1\r\nX: y\r\nVia: 2\r\n", "X: y\r\nVia: 2\r\n"},
		{"X: y\r\nv: 1, 2\r\n", "X: y\r\nv:  2\r\n"},
		{"v: 1;a=\",\"\r\n ,2,3\r\nX: y\r\n", "v: 2,3\r\nX: y\r\n"},
		{"X: y\r\n", "X: y\r\n"},
	};
	char before[200], after[200];

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		struct edits e = {.n = 0};

		snprintf(before, sizeof(before), "SIP/2.0 200 OK\r\n%s\r\n",
			 cases[i].before);
		snprintf(after, sizeof(after), "SIP/2.0 200 OK\r\n%s\r\n",
			 cases[i].after);
		parse(before);
		via_pop(&e, &m);
		written(after, &e, "", "");
	}
}

static void via_notes_the_source(void **state)
{
	static const struct {
		const char *via, *from, *after;
	} cases[] = {
		{"SIP/2.0/TLS a;branch=1", "192.0.2.9",
		 "SIP/2.0/TLS a;branch=1;received=192.0.2.9"},
		{"SIP/2.0/TLS a;rport;branch=1", "192.0.2.9",
		 "SIP/2.0/TLS a;branch=1;received=192.0.2.9;rport=777"},
		{"SIP/2.0/TLS a;received=6.6.6.6;rport=1;branch=1, X/2", "192.0.2.9",
		 "SIP/2.0/TLS a;branch=1;received=192.0.2.9;rport=777, X/2"},
		{"SIP/2.0/TLS a", "2001:db8::1", "SIP/2.0/TLS a;received=2001:db8::1"},
	};
	char before[300], after[300], room[VIA_RECEIVED_MAX];
	struct via top;
	struct sa sa;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		struct edits e = {.n = 0};

		snprintf(before, sizeof(before), "A sip:b SIP/2.0\r\nVia: %s\r\n\r\n",
			 cases[i].via);
		snprintf(after, sizeof(after), "A sip:b SIP/2.0\r\nVia: %s\r\n\r\n",
			 cases[i].after);
		parse(before);
		assert_int_equal(via_top(&top, &m), 0);
		assert_int_equal(sa_set_str(&sa, cases[i].from, 777), 0);
		via_received(&e, &m, &top, &sa, room);
		written(after, &e, "", "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_folds_and_short_forms),
		cmocka_unit_test(message_first_lines),
		cmocka_unit_test(message_faults),
		cmocka_unit_test(message_lengths_and_cseqs),
		cmocka_unit_test(message_edits),
		cmocka_unit_test(message_lists),
		cmocka_unit_test(via_forms),
		cmocka_unit_test(via_pops),
		cmocka_unit_test(via_notes_the_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
