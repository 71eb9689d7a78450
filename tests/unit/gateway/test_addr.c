/* tests/unit/gateway/test_addr.c - every oddity an address may have, in tables.
 *
 *   text (wire, person, JSON) ──► addr_parse* ──► canonical address, or which error */
#include "gateway/addr.h"

#include <setjmp.h>
#include <cmocka.h>

#define L10 "xxxxxxxxxx"
#define L60 L10 L10 L10 L10 L10 L10
#define L63 L60 "xxx"

struct row {
	const char *text;
	int err;
	const char *want; /**< canonical, when err is 0 */
	size_t n;         /**< 0: strlen(text) */
};

static void check(const struct row *row,
		  int (*parse)(struct addr *, const char *, size_t))
{
	static const struct addr untouched = {"before", "before.example"};
	struct addr a = untouched;
	int err = parse(&a, row->text, row->n ? row->n : strlen(row->text));

	if (err != row->err)
		fail_msg("%s: %d instead of %d", row->text, err, row->err);
	if (err)
		assert_true(addr_equal(&a, &untouched));
	else
		assert_string_equal(AT(&a), row->want);
}

static void uri_table(void **state)
{
	/* clang-format off */
	static const struct row rows[] = {
		/* good, and their canonical form */
		{"sip:alice@alpha.example", 0, "alice@alpha.example"},
		{"SIP:Al%69ce:pw@EXAMPLE.com:5060;x=y?S=z", 0, "alice@example.com"},
		{"SIP:Al%69ce@EXAMPLE.com;x", 0, "alice@example.com"},
		{"sips:Alice@Alpha.Example", 0, "alice@alpha.example"},
		{"sip:a@b", 0, "a@b"},
		{"sip:a@alpha.localhost:20001", 0, "a@alpha.localhost"},
		{"sip:alice@alpha.example.", 0, "alice@alpha.example"},
		{"sip:a@b.example:1", 0, "a@b.example"},
		{"sip:a@b.example:65535", 0, "a@b.example"},
		{"sip:+4930123456@b.example;user=phone", 0, "+4930123456@b.example"},
		{"sip:a.b_c-d+e@b.example", 0, "a.b_c-d+e@b.example"},
		{"sip:a%2Db%5Fc%2Ed@b.example", 0, "a-b_c.d@b.example"},
		{"sip:%41%6C%69ce@b.example", 0, "alice@b.example"},
		{"sip:a:@b.example", 0, "a@b.example"},
		{"sip:a@b.example;transport=tls;lr;maddr=192.0.2.1", 0, "a@b.example"},
		{"sip:a@b.example;p=[x]/y:z&q+$", 0, "a@b.example"},
		{"sip:a@b.example?Route=%3Csip:evil.example%3E", 0, "a@b.example"},
		{"sip:a@b.example;lr?Subject=x&To=b", 0, "a@b.example"},
		{"sip:a@xn--bcher-kva.example", 0, "a@xn--bcher-kva.example"},
		{"sip:a@1.2.3.example", 0, "a@1.2.3.example"},
		{"sip:a@" L63 ".example", 0, "a@" L63 ".example"},
		/* well formed, but nobody of ours */
		{"sip:alpha.example", EDOM},
		{"sip:alpha.example:5061;transport=tls", EDOM},
		{"sip:alpha.example;lr", EDOM},
		{"sip:a@192.0.2.1", EDOM},
		{"sip:a@192.0.2.1.", EDOM},
		{"sip:a@192.0.2.1:5060;transport=udp", EDOM},
		{"sip:192.0.2.1", EDOM},
		{"sip:a@[2001:db8::10]", EDOM},
		{"sip:a@[2001:db8::10]:5070", EDOM},
		{"sip:a@[2001:db8::10:5070]", EDOM}, /* RFC 5118 §4.3: an address, no port */
		{"sip:[2001:db8::9:1];received=[2001:db8::9:255]", EDOM},
		{"sip:a@[::ffff:192.0.2.1]", EDOM},
		{"sip:a%40b@c.example", EDOM},       /* not a@b */
		{"sip:%2B4930@b.example", EDOM},     /* escaped reserved: not '+' */
		{"sip:sips%3Auser%40example.com@example.net", EDOM},  /* RFC 4475 §3.1.1.3 */
		{"sip:user;par=u%40example.net@example.com", EDOM},   /* RFC 4475 §3.1.1.9 */
		{"sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_"
		 "too.(doesn't-it)@example.com",
		 EDOM},                              /* RFC 4475 §3.1.1.2 */
		{"sip:alpha.example?x=a@evil.example", EDOM}, /* a user with '?', not a host */
		{"sip:a!b@c.example", EDOM},
		{"sip:%c3%a4@c.example", EDOM},
		{"sip:.a@c.example", EDOM},
		{"sip:a.@c.example", EDOM},
		{"sip:%2Ea@c.example", EDOM},
		{"sip:" L60 "abcde@c.example", EDOM},
		/* another scheme: 416 */
		{"tel:+4930123456", EPROTONOSUPPORT},
		{"tel:+49-30-123;phone-context=x", EPROTONOSUPPORT},
		{"http://a@b.example/", EPROTONOSUPPORT},
		{"mailto:a@b@c", EPROTONOSUPPORT},
		{"sipx:a@b.example", EPROTONOSUPPORT},
		{"nobodyKnowsThisScheme:totallyopaquecontent", EPROTONOSUPPORT},
		{"soap.beep://192.0.2.103:3002", EPROTONOSUPPORT},
		{"sip-x:a@b", EPROTONOSUPPORT},
		/* malformed */
		{"", EINVAL},
		{"sip", EINVAL},
		{"sip:", EINVAL},
		{"alice", EINVAL},
		{"alice@alpha.example", EINVAL},
		{":alice@alpha.example", EINVAL},
		{"1sip:alice@alpha.example", EINVAL},
		{"sip:a@good.example@evil.example", EINVAL},
		{"sip:a@@b.example", EINVAL},
		{"sip:a@b.example;x=@evil.example", EINVAL},
		{"sip:a@b.example?x=@evil.example", EINVAL},
		{"sip:@b.example", EINVAL},
		{"sip::pw@b.example", EINVAL},
		{"sip:null-%00-null@example.com", EINVAL},
		{"sip:a%00@b.example", EINVAL},
		{"sip:a@b.example%00.evil.example", EINVAL},
		{"sip:a@b%2eexample", EINVAL},
		{"sip:a@b.example;x=%00", EINVAL},
		{"sip:a@b.example?x=%0d%0aEvil:%201", EINVAL},
		{"sip:a%0a@b.example", EINVAL},
		{"sip:a%7f@b.example", EINVAL},
		{"sip:a%4@b.example", EINVAL},
		{"sip:a%@b.example", EINVAL},
		{"sip:a%G1@b.example", EINVAL},
		{"sip:a@b.example;x=%4", EINVAL},
		{"sip:a@b.example%", EINVAL},
		{"sip:a@b.example:99999", EINVAL},
		{"sip:a@b.example:65536", EINVAL},
		{"sip:a@b.example:0", EINVAL},
		{"sip:a@b.example:", EINVAL},
		{"sip:a@b.example:5060x", EINVAL},
		{"sip:a@b.example:-1", EINVAL},
		{"sip:a@b.example:4294967297", EINVAL},
		{"sip:a@b.example:5060:5061", EINVAL},
		{"sip:a@", EINVAL},
		{"sip:a@.", EINVAL},
		{"sip:a@b.example..", EINVAL},
		{"sip:a@.example", EINVAL},
		{"sip:a@b..example", EINVAL},
		{"sip:a@-b.example", EINVAL},
		{"sip:a@b-.example", EINVAL},
		{"sip:a@b_c.example", EINVAL},
		{"sip:a@*.example", EINVAL},
		{"sip:a@x" L63 ".example", EINVAL},
		{"sip:a@b.123", EINVAL},
		{"sip:a@127.1", EINVAL},
		{"sip:a@2130706433", EINVAL},
		{"sip:a@0x7f000001", EINVAL},
		{"sip:a@0177.0.0.1", EINVAL},
		{"sip:a@256.1.1.1", EINVAL},
		{"sip:a@1.2.3.4.5", EINVAL},
		{"sip:a@[:::1]", EINVAL},
		{"sip:a@[2001:db8::1", EINVAL},
		{"sip:a@2001:db8::1", EINVAL},
		{"sip:a@[fe80::1%25eth0]", EINVAL},
		{"sip:a@[]", EINVAL},
		{"sip:a@[192.0.2.1]", EINVAL},
		{"sip:a@[2001:db8::1]x", EINVAL},
		{"sip:a@b.example;", EINVAL},
		{"sip:a@b.example;;lr", EINVAL},
		{"sip:a@b.example;=x", EINVAL},
		{"sip:a@b.example;x=", EINVAL},
		{"sip:a@b.example;x=y=z", EINVAL},
		{"sip:a@b.example;x,y", EINVAL},
		{"sip:a:p?w@b.example", EINVAL},
		{"sip:a[b]@c.example", EINVAL},
		{"sip:a@b.example?", EINVAL},
		{"sip:a@b.example/path", EINVAL},
		{"sip: a@b.example", EINVAL},
		{" sip:a@b.example", EINVAL},
		{"sip:a@b.example ", EINVAL},
		{"sip:a@b.example; lr", EINVAL},
		{"sip:a@b.example\r\nEvil: 1", EINVAL},
		{"sip:a\tb@c.example", EINVAL},
		{"<sip:a@b.example>", EINVAL},
		{"sip:<a@b.example", EINVAL},
		{"sip:a\"b@c.example", EINVAL},
		{"sip:a\\b@c.example", EINVAL},
		{"sip:a|b@c.example", EINVAL},
		{"sip:a#b@c.example", EINVAL},
		{"sip:\xc3\xa4@b.example", EINVAL},
		{"sip:a@b\xc3\xbc.example", EINVAL},
		{"sip:a@b.example\x7f", EINVAL},
		{"tel:+49 30", EINVAL},
		{"sip:al\0ice@example.com", EINVAL, NULL, 22},
		{"sip:alice@example.com\0.evil", EINVAL, NULL, 27},
		{"sip:alice@alpha.example", EINVAL, NULL, 4},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		check(&rows[i], addr_parse_uri);
}

static void person_table(void **state)
{
	/* clang-format off */
	static const struct row rows[] = {
		{"alice@alpha.example", 0, "alice@alpha.example"},
		{"Alice@ALPHA.example", 0, "alice@alpha.example"},
		{"sip:alice@alpha.example", 0, "alice@alpha.example"},
		{"SiP:al%69ce@alpha.example.", 0, "alice@alpha.example"},
		{"a@b", 0, "a@b"},
		{"", EINVAL},
		{"@", EINVAL},
		{"alice", EINVAL},
		{"alice@", EINVAL},
		{"@alpha.example", EINVAL},
		{"al%69ce@alpha.example", EINVAL}, /* escapes belong to URIs */
		{"sips:alice@alpha.example", EINVAL},
		{"tel:+4930", EINVAL},
		{"sip:sip:a@b.example", EINVAL},
		{"alice@alpha.example:5061", EINVAL},
		{"alice@alpha.example;lr", EINVAL},
		{"alice@alpha.example?x=y", EINVAL},
		{"alice:pw@alpha.example", EINVAL},
		{"alice@192.0.2.1", EINVAL},
		{"alice@[2001:db8::1]", EINVAL},
		{"a@b.example@c.example", EINVAL},
		{" alice@alpha.example", EINVAL},
		{"alice@alpha.example\n", EINVAL},
		{"\"Alice\" <sip:alice@alpha.example>", EINVAL},
		{"<alice@alpha.example>", EINVAL},
		{"al\xc3\xad" "ce@alpha.example", EINVAL},
		{"alice\0@alpha.example", EINVAL, NULL, 20},
		{L60 "abcd@b.example", 0, L60 "abcd@b.example"},
		{L60 "abcde@b.example", EINVAL},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		check(&rows[i], addr_parse);
	assert_int_equal(addr_parse(&(struct addr){0}, NULL, 0), EINVAL);
	assert_int_equal(addr_parse_uri(&(struct addr){0}, NULL, 0), EINVAL);
}

static void hosts(void **state)
{
	char name[300], host[ADDR_HOST_MAX + 1] = "before";

	(void)state;
	/* 3 * 64 + 61 = 253 bytes is the longest there is; with the root's dot 254 are read */
	snprintf(name, sizeof(name), "%s.%s.%s.%.61s", L63, L63, L63, L63);
	assert_int_equal(strlen(name), 253);
	assert_int_equal(addr_host_parse(host, name, 253), 0);
	assert_string_equal(host, name);
	strcat(name, ".");
	assert_int_equal(addr_host_parse(host, name, 254), 0);
	assert_int_equal(strlen(host), 253);
	snprintf(name, sizeof(name), "%s.%s.%s.%.62s", L63, L63, L63, L63);
	strcpy(host, "before");
	assert_int_equal(addr_host_parse(host, name, 254), EINVAL);
	assert_string_equal(host, "before");

	assert_int_equal(addr_host_parse(host, "Alpha.Example.", 14), 0);
	assert_string_equal(host, "alpha.example");
	assert_int_equal(addr_host_parse(host, "localhost", 9), 0);
	assert_int_equal(addr_host_parse(host, "a--b.example", 12), 0);
	assert_int_equal(addr_host_parse(host, "192.0.2.1", 9), EINVAL);
	assert_int_equal(addr_host_parse(host, "", 0), EINVAL);
	assert_int_equal(addr_host_parse(host, NULL, 0), EINVAL);
	assert_int_equal(addr_host_parse(host, "a b", 3), EINVAL);
	assert_int_equal(addr_host_parse(host, "a\0b", 3), EINVAL);
}

static void users(void **state)
{
	char user[ADDR_USER_MAX + 1] = "before";

	(void)state;
	assert_int_equal(addr_user_parse(user, "Alice.B", 7), 0);
	assert_string_equal(user, "alice.b");
	assert_int_equal(addr_user_parse(user, "", 0), EINVAL);
	assert_int_equal(addr_user_parse(user, "a b", 3), EINVAL);
	assert_int_equal(addr_user_parse(user, "a@b", 3), EINVAL);
	assert_int_equal(addr_user_parse(user, "a%62", 4), EINVAL);
	assert_int_equal(addr_user_parse(user, ".a", 2), EINVAL);
	assert_int_equal(addr_user_parse(user, L60 "abcd", 64), 0);
	assert_int_equal(addr_user_parse(user, L60 "abcde", 65), EINVAL);
	assert_int_equal(strlen(user), 64);
}

static void texts(void **state)
{
	struct addr a = {"alice", "alpha.example"}, b = {"alice", "beta.example"};

	(void)state;
	assert_string_equal(AT(&a), "alice@alpha.example");
	assert_string_equal(AT_SHORT(&a), "al…@alpha.example");
	assert_string_equal(AT_SHORT(&((struct addr){"b", "c"})), "b…@c");
	assert_true(addr_equal(&a, &a));
	assert_false(addr_equal(&a, &b));
	memset(a.user, 'u', ADDR_USER_MAX);
	memset(a.host, 'h', ADDR_HOST_MAX);
	a.user[ADDR_USER_MAX] = a.host[ADDR_HOST_MAX] = '\0';
	assert_int_equal(strlen(AT(&a)), ADDR_TEXT_MAX);
	assert_int_equal(strlen(AT_SHORT(&a)), 2 + 3 + 1 + ADDR_HOST_MAX);
}

static void names(void **state)
{
	/* clang-format off */
	static const struct {
		const char *in, *out;
		size_t size;
	} rows[] = {
		{"Per Ågren", "Per Ågren", 64},
		{"a\r\nb\tc\x01\x7f", "abc", 64},
		{"\xc2\x80\xc2\x9f" "C1", "C1", 64},
		{"\xe2\x80\xae" "ecila", "ecila", 64},              /* U+202E */
		{"\xe2\x81\xa6x\xe2\x81\xa9\xd8\x9c\xe2\x80\x8f", "x", 64},
		{"\xe2\x80\xa8" "line", "line", 64},                /* U+2028 */
		{"\xef\xbb\xbf" "bom", "bom", 64},
		{"\xc0\x80" "\xed\xa0\x80" "\xf5\x80\x80\x80" "\xff" "ok", "ok", 64},
		{"\xf0\x9f\x93\x9e", "\xf0\x9f\x93\x9e", 64},
		{"\xe2\x82", "", 64},                               /* cut short */
		{"\xe0\x80\xaf" "/", "/", 64},                      /* overlong */
		{"\xef\xbf\xbf" "x", "x", 64},
		{"äöü", "äö", 6},                                   /* cut at a character */
		{"äöü", "äö", 5},
		{"äöü", "ä", 4},
		{"abc", "", 1},
		{"<b>\"'&", "<b>\"'&", 64},
	};
	/* clang-format on */
	char out[64];

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		memset(out, 'x', sizeof(out));
		assert_ptr_equal(addr_name_clean(out, rows[i].size, rows[i].in,
						 strlen(rows[i].in)),
				 out);
		assert_string_equal(out, rows[i].out);
	}
	assert_string_equal(addr_name_clean(out, sizeof(out), "a\0b", 3), "ab");
	assert_string_equal(addr_name_clean(out, sizeof(out), NULL, 0), "");
	out[0] = 'x';
	addr_name_clean(out, 0, "abc", 3);
	assert_int_equal(out[0], 'x');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uri_table), cmocka_unit_test(person_table),
		cmocka_unit_test(hosts),     cmocka_unit_test(users),
		cmocka_unit_test(texts),     cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
