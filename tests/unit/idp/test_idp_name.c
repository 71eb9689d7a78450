/* test_idp_name.c - names as they are signed (RFC 8224 §8), and media keys as they are named (RFC 8225 §5.2.2). */
#include "idp/mky.h"
#include "idp/name.h"

#include <setjmp.h>
#include <cmocka.h>

static void names_have_one_form(void **state)
{
	static const struct {
		const char *uri, *text;
		bool tn;
	} rows[] = {
		{"sip:alice@alpha.example", "sip:alice@alpha.example", false},
		{"SIP:Al%69ce:pw@EXAMPLE.com:5060;x=y?S=z", "sip:alice@example.com",
		 false},
		{"sips:Alice@alpha.example", "sips:alice@alpha.example", false},
		{"sip:alice@alpha.example.", "sip:alice@alpha.example", false},
		{"sip:alice@alpha.example;user=phone", "sip:alice@alpha.example", false},
		{"sip:+49301234567@alpha.example", "49301234567", true},
		{"sip:+49-30-1234.567@alpha.example", "49301234567", true},
		{"sip:+49301234567@ALPHA.example;user=phone", "49301234567", true},
		{"sip:49301234567@alpha.example;transport=tls;USER=Phone", "49301234567",
		 true},
		{"sip:49301234567@alpha.example", "sip:49301234567@alpha.example", false},
		{"sip:49301234567@alpha.example;user=phones",
		 "sip:49301234567@alpha.example", false},
		{"sip:49301234567@alpha.example?x=;user=phone", NULL, false},
		{"sip:+49301234567890123@alpha.example",
		 "sip:+49301234567890123@alpha.example", false},
		{"sip:+49a@alpha.example", "sip:+49a@alpha.example", false},
		{"tel:+1(215)555-1212", "12155551212", true},
		{"TEL:+12155551212;ext=7", "12155551212", true},
		{"tel:*31#", "*31#", true},
		{"tel:+1*", NULL, false},
		{"tel:", NULL, false},
		{"tel:+", NULL, false},
		{"tel:+1 2", NULL, false},
		{"sip:alice@192.0.2.1", NULL, false},
		{"sip:a@b@alpha.example", NULL, false},
		{"https://alpha.example/", NULL, false},
	};
	struct name name;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		int err = name_parse(&name, rows[i].uri, strlen(rows[i].uri));

		if (!rows[i].text) {
			assert_int_not_equal(err, 0);
			continue;
		}
		assert_int_equal(err, 0);
		assert_string_equal(name.text, rows[i].text);
		assert_int_equal(name.tn, rows[i].tn);
	}
}

static void the_scheme_is_part_of_a_name(void **state)
{
	struct name a, b;

	(void)state;
	assert_int_equal(name_parse(&a, "sip:a@alpha.example", 19), 0);
	assert_int_equal(name_parse(&b, "sips:a@alpha.example", 20), 0);
	assert_false(name_equal(&a, &b));
	assert_int_equal(name_parse(&b, "SIP:A@alpha.example:1", 21), 0);
	assert_true(name_equal(&a, &b));
}

/* RFC 8225 §5.2.2, in the order of an SDP that has them the other way round, one of them twice. */
static const char sdp_text[] =
	"v=0\r\n"
	"a=fingerprint:sha-256 "
	"4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:3E:4B:65:2E:7D:46:3F:54:42:CD:54:F1\r\n"
	"m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"
	"a=fingerprint:sha-256 "
	"02:1A:CC:54:27:AB:EB:9C:53:3F:3E:4B:65:2E:7D:46:3F:54:42:CD:54:F1:7A:03:A2:7D:F9:B0:7F:46:19:B2\r\n"
	"a=fingerprint:sha-256 "
	"4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:3E:4B:65:2E:7D:46:3F:54:42:CD:54:F1\n";

static void media_keys_are_sorted_and_distinct(void **state)
{
	struct mky m;

	(void)state;
	assert_int_equal(mky_read(&m, sdp_text, sizeof(sdp_text) - 1), 0);
	assert_int_equal(m.n, 2);
	assert_string_equal(
		m.v[0].dig,
		"021ACC5427ABEB9C533F3E4B652E7D463F5442CD54F17A03A27DF9B07F4619B2");
	assert_string_equal(
		m.v[1].dig,
		"4AADB9B13F82183B540212DF3E5D496B19E57CAB3E4B652E7D463F5442CD54F1");
	assert_string_equal(m.v[1].alg, "sha-256");
	assert_true(mky_canonical(&m));
}

static int read_text(struct mky *m, const char *text)
{
	return mky_read(m, text, strlen(text));
}

static void media_keys_are_compared_as_a_set(void **state)
{
	struct mky a, b;

	(void)state;
	assert_int_equal(read_text(&a, "a=fingerprint:sha-256 AB:01\r\n"
				       "a=fingerprint:sha-1 CD:02"),
			 0);
	assert_int_equal(read_text(&b, "a=fingerprint:SHA-1 cd:02\n"
				       "a=fingerprint:sha-256 ab:01\n"),
			 0);
	assert_true(mky_equal(&a, &b));
	assert_true(mky_canonical(&a));
	assert_false(mky_canonical(&b));
	assert_int_equal(read_text(&b, "a=fingerprint:sha-256 AB:01\n"), 0);
	assert_false(mky_equal(&a, &b));
	assert_false(mky_equal(&b, &a));
	assert_int_equal(read_text(&b, "v=0\na=Fingerprint:sha-256 AB:01\n"),
			 EBADMSG); /* a key for some, and none for us */
	assert_int_equal(read_text(&b, "v=0\n"), 0);
	assert_int_equal(b.n, 0);
	assert_false(mky_equal(&a, &b));
	/* sorted by the bytes of alg and digits together */
	assert_int_equal(read_text(&a,
				   "a=fingerprint:a AB:01\n"
				   "a=fingerprint:a-b 00:01\na=fingerprint:a 00:01\n"),
			 0);
	assert_string_equal(a.v[0].alg, "a-b");
	assert_string_equal(a.v[1].dig, "0001");
}

static void media_keys_that_are_none(void **state)
{
	static const char *const bad[] = {
		"a=fingerprint:\n",
		"a=fingerprint:sha-256\n",
		"a=fingerprint:sha-256 \n",
		"a=fingerprint:sha-256 A\n",
		"a=fingerprint:sha-256 AB:\n",
		"a=fingerprint:sha-256 AB:C\n",
		"a=fingerprint:sha-256 AB-CD\n",
		"a=fingerprint:sha-256 GG\n",
		"a=fingerprint:sha\"256 AB\n",
		"a=fingerprint:sha-256-and-so-on AB\n",
		"a=fingerprint: AB\n",
	};
	char many[1024] = "";
	struct mky m;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(bad); i++)
		assert_int_equal(read_text(&m, bad[i]), EBADMSG);
	for (unsigned i = 0; i <= MKY_MAX; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many),
			 "a=fingerprint:sha-256 AB:%02X\r\n", i);
	assert_int_equal(read_text(&m, many), EFBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_have_one_form),
		cmocka_unit_test(the_scheme_is_part_of_a_name),
		cmocka_unit_test(media_keys_are_sorted_and_distinct),
		cmocka_unit_test(media_keys_are_compared_as_a_set),
		cmocka_unit_test(media_keys_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
