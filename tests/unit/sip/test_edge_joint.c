/* test_edge_joint.c - what locks the joint: the private header and the sealed Via. Pure.
 * */
#include "lib/base.h"

#include <setjmp.h>
#include <cmocka.h>

#include "sip/edge/mark.h"
#include "sip/joint.h"

#define SECRET "0123456789abcdef0123456789abcdef"

static struct pl pl_of(const char *s)
{
	return (struct pl){s, strlen(s)};
}

/* ---- the joint ---- */

static void joint_both_ways(void **state)
{
	struct joint in = {.conn = 12, .gen = 3, .tls = true}, out;
	char text[JOINT_VALUE_MAX];

	(void)state;
	strcpy(in.site, "alpha.example");
	strcpy(in.addr, "[2001:db8::7]:5061");
	strcpy(in.names, "beta.example/b.example");
	assert_int_equal(joint_print(text, sizeof(text), SECRET, &in), 0);
	assert_string_equal(
		text,
		SECRET ";conn=12.3;site=alpha.example;addr=[2001:db8::7]:5061;via=tls;"
		       "names=beta.example/b.example");
	assert_int_equal(joint_parse(&out, SECRET, text, strlen(text)), 0);
	assert_memory_equal(&in, &out, sizeof(in));

	memset(&in, 0, sizeof(in));
	strcpy(in.site, "alpha.example");
	strcpy(in.domain, "beta.example");
	strcpy(in.skip, "192.0.2.7:5061/[2001:db8::7]:5061");
	in.token = UINT64_MAX;
	assert_int_equal(joint_print(text, sizeof(text), SECRET, &in), 0);
	assert_int_equal(joint_parse(&out, SECRET, text, strlen(text)), 0);
	assert_memory_equal(&in, &out, sizeof(in));

	memset(&in, 0, sizeof(in));
	assert_int_equal(joint_print(text, sizeof(text), SECRET, &in), 0);
	assert_string_equal(text, SECRET);
	assert_int_equal(joint_print(text, 20, SECRET, &in), EOVERFLOW);
	strcpy(in.domain, "a;b");
	assert_int_equal(joint_print(text, sizeof(text), SECRET, &in), EOVERFLOW);
}

static void joint_refusals(void **state)
{
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{SECRET, 0},
		{SECRET ";unknown=1", 0},
		{SECRET ";conn=0.0;names=", 0},
		{"", EACCES},
		{"0123456789abcdef0123456789abcde", EACCES},
		{"0123456789abcdef0123456789abcdeF", EACCES},
		{SECRET "0", EACCES},
		{SECRET " ;site=a", EACCES},
		{SECRET ";", EBADMSG},
		{SECRET ";site", EBADMSG},
		{SECRET ";site=a;site=b", EBADMSG},
		{SECRET ";conn=1", EBADMSG},
		{SECRET ";conn=1.", EBADMSG},
		{SECRET ";conn=1.4294967296", EBADMSG},
		{SECRET ";conn=-1.2", EBADMSG},
		{SECRET ";token=18446744073709551616", EBADMSG},
		{SECRET ";token=", EBADMSG},
		{SECRET ";via=udp", EBADMSG},
		{SECRET ";addr=a b", EBADMSG},
	};
	char longer[ADDR_HOST_MAX + 60];
	struct joint j;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++)
		if (joint_parse(&j, SECRET, cases[i].text, strlen(cases[i].text)) !=
		    cases[i].err)
			fail_msg("%s", cases[i].text);
	memset(longer, 'a', sizeof(longer));
	memcpy(longer, SECRET ";site=", strlen(SECRET ";site="));
	assert_int_equal(joint_parse(&j, SECRET, longer, sizeof(longer)), EBADMSG);
	assert_true(joint_list_has("a.example/b.example", "B.Example"));
	assert_false(joint_list_has("a.example/b.example", "example"));
	assert_false(joint_list_has("a.example/b.example", ""));
	assert_false(joint_list_has("", "a"));
}

/* ---- sealed branches ---- */

static void mark_branches(void **state)
{
	static const char *const same = "SIP/2.0/TLS a.example:5061;branch=z9hG4bKx";
	static const struct {
		const char *via, *call_id;
		uint32_t cseq, conn, gen;
	} others[] = {
		{"SIP/2.0/TLS a.example:5061;branch=z9hG4bKy", "c1", 1, 1, 1},
		{"SIP/2.0/TLS b.example:5061;branch=z9hG4bKx", "c1", 1, 1, 1},
		{"SIP/2.0/TLS a.example:5062;branch=z9hG4bKx", "c1", 1, 1, 1},
		{"SIP/2.0/TLS a.example:5061;branch=z9hG4bKx", "c2", 1, 1, 1},
		{"SIP/2.0/TLS a.example:5061;branch=z9hG4bKx", "c1", 2, 1, 1},
		{"SIP/2.0/TLS a.example:5061;branch=z9hG4bKx", "c1", 1, 2, 1},
		{"SIP/2.0/TLS a.example:5061;branch=z9hG4bKx", "c1", 1, 1, 2},
	};
	char a[MARK_BRANCH], b[MARK_BRANCH];
	struct pl text = pl_of(same), call_id = pl_of("c1"), label = pl_of("");
	struct mark *mk, *mk2;
	struct via v;

	(void)state;
	assert_int_equal(mark_alloc(&mk), 0);
	assert_int_equal(mark_alloc(&mk2), 0);
	assert_int_equal(via_parse(&v, &text), 0);
	assert_int_equal(mark_inward(a, mk, &v, &call_id, 1, 1, 1), 0);
	assert_int_equal(strlen(a), MARK_BRANCH - 1);
	assert_int_equal(strncmp(a, "z9hG4bK", 7), 0);
	assert_int_equal(mark_inward(b, mk, &v, &call_id, 1, 1, 1), 0);
	assert_string_equal(a, b);
	assert_int_equal(mark_inward(b, mk2, &v, &call_id, 1, 1, 1), 0);
	assert_string_not_equal(a, b);
	for (size_t i = 0; i < N_ELEMS(others); i++) {
		text = pl_of(others[i].via);
		call_id = pl_of(others[i].call_id);
		assert_int_equal(via_parse(&v, &text), 0);
		assert_int_equal(mark_inward(b, mk, &v, &call_id, others[i].cseq,
					     others[i].conn, others[i].gen),
				 0);
		assert_string_not_equal(a, b);
	}
	text = pl_of("z9hG4bKx");
	assert_int_equal(mark_outward(a, mk, &text, &label), 0);
	label = pl_of("tag");
	assert_int_equal(mark_outward(b, mk, &text, &label), 0);
	assert_string_not_equal(a, b);
	mem_deref(mk);
	mem_deref(mk2);
}

/* What comes back must be what was pushed; Sofia may add rport and received. */
static void mark_seals(void **state)
{
	char text[MARK_VIA_MAX + 40],
		branch[MARK_BRANCH] = "z9hG4bK0123456789abcdef0123456789abcdef";
	static const struct {
		const char *from, *to;
	} forged[] = {
		{"c=7.2", "c=8.2"},   {"c=7.2", "c=7.3"},   {"c=7.2", "c=7"},
		{"c=7.2", "c=07.2x"}, {"bK0123", "bK1123"}, {"127.0.0.1", "127.0.0.2"},
		{":4711", ":4712"},   {";m=", ";n="},       {"c=7.2", "c=99999999999.2"},
	};
	struct pl value;
	struct mark *mk;
	struct via v;
	uint32_t conn, gen;
	size_t n;
	char *p;

	(void)state;
	assert_int_equal(mark_alloc(&mk), 0);
	n = mark_via_print(text, mk, 4711, branch, 7, 2);
	assert_int_equal(strlen(text), n);
	assert_int_equal(strncmp(text, "Via: SIP/2.0/TCP 127.0.0.1:4711;branch=", 39), 0);
	strcpy(text + n - 2, ";rport=4713;received=127.0.0.1");
	value = pl_of(text + 5);
	assert_int_equal(via_parse(&v, &value), 0);
	assert_int_equal(mark_via_check(mk, &v, 4711, &conn, &gen), 0);
	assert_int_equal(conn, 7);
	assert_int_equal(gen, 2);
	for (size_t i = 0; i < N_ELEMS(forged); i++) {
		char other[sizeof(text) + 40];

		p = strstr(text, forged[i].from);
		assert_non_null(p);
		snprintf(other, sizeof(other), "%.*s%s%s", (int)(p - text), text,
			 forged[i].to, p + strlen(forged[i].from));
		value = pl_of(other + 5);
		assert_int_equal(via_parse(&v, &value), 0);
		if (mark_via_check(mk, &v, 4711, &conn, &gen) != EACCES)
			fail_msg("%s", other);
	}
	mem_deref(mk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joint_both_ways),
		cmocka_unit_test(joint_refusals),
		cmocka_unit_test(mark_branches),
		cmocka_unit_test(mark_seals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
