/* test_secret_log.c - passwords, hashes, tokens; and that foreign text cannot break a log line. */
#include "lib/base.h"
#include "lib/log.h"
#include "lib/secret.h"

#include <setjmp.h>
#include <unistd.h>
#include <cmocka.h>

static void sha256_and_hmac_give_the_published_values(void **state)
{
	struct secret_mac *keyed;
	char hex[65];
	char base64[SECRET_HMAC_SHA1_BASE64];
	uint8_t mac[32];

	(void)state;
	/* FIPS 180-2 B.1 */
	assert_int_equal(secret_sha256_hex(hex, "abc", 3), 0);
	assert_string_equal(
		hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	/* RFC 4231 test case 2 */
	assert_int_equal(
		secret_hmac_sha256(mac, "Jefe", 4, "what do ya want for nothing?", 28),
		0);
	assert_memory_equal(
		mac, "\x5b\xdc\xc1\x46\xbf\x60\x75\x4e\x6a\x04\x24\x26\x08\x95\x75\xc7",
		16);
	/* the same with a key that stays, as often as one likes */
	assert_int_equal(secret_mac_alloc(&keyed, "Jefe", 4), 0);
	for (unsigned i = 0; i < 3; i++) {
		uint8_t again[32];

		assert_int_equal(
			secret_mac(again, keyed, "what do ya want for nothing?", 28), 0);
		assert_memory_equal(again, mac, sizeof(mac));
		assert_int_equal(secret_mac(again, keyed, "another", 7), 0);
		assert_memory_not_equal(again, mac, sizeof(mac));
	}
	mem_deref(keyed);
	assert_int_equal(secret_mac_alloc(&keyed, "", 0), EINVAL);
	/* RFC 2202 test case 1, in base64 */
	assert_int_equal(
		secret_hmac_sha1_base64(base64,
					"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"
					"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b",
					20, "Hi There", 8),
		0);
	assert_string_equal(base64, "thcxhlUFcmTii8C2+zeMjvFGvgA=");
}

static void a_password_is_known_again_and_only_it(void **state)
{
	char a[SECRET_PASSWORD_TEXT], b[SECRET_PASSWORD_TEXT];

	(void)state;
	assert_int_equal(secret_password_hash(a, "correct horse", 13, 10), 0);
	assert_int_equal(secret_password_hash(b, "correct horse", 13, 10), 0);
	assert_string_not_equal(a, b); /* salted */
	assert_int_equal(secret_password_check(a, "correct horse", 13), 0);
	assert_int_equal(secret_password_check(b, "correct horse", 13), 0);
	assert_int_equal(secret_password_check(a, "correct horsf", 13), EACCES);
	assert_int_equal(secret_password_check(a, "", 0), EACCES);
	assert_int_equal(secret_password_hash(a, "x", 1, 9), EINVAL);
	assert_int_equal(secret_password_hash(a, "x", 1, 21), EINVAL);
}

static void text_that_is_no_hash_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"$",
		"$scrypt$ln=10,r=8,p=1$",
		"$scrypt$ln=10,r=8,p=1$$",
		"$scrypt$ln=10,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$short",
		"$scrypt$ln=31,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$scrypt$ln=-1,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$scrypt$ln=10,r=8,p=1$!!!!!!!!!!!!!!!!!!!!!!$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"plain password",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(bad); i++)
		assert_int_equal(secret_password_check(bad[i], "x", 1), EINVAL);
}

static void scrypt_agrees_with_another_implementation(void **state)
{
	/* Python's hashlib.scrypt(b"correct horse", salt=bytes(range(16)), n=1024, r=8, p=1). */
	static const char hash[] = "$scrypt$ln=10,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$"
				   "nfkj3u1fRTHCea+fVr03sWV770kp5wLOLoEakziKhqE";

	(void)state;
	assert_int_equal(secret_password_check(hash, "correct horse", 13), 0);
	assert_int_equal(secret_password_check(hash, "correct hors", 12), EACCES);
}

static void tokens_differ_and_are_hex(void **state)
{
	char a[65], b[65];

	(void)state;
	secret_hex(a, 64);
	secret_hex(b, 64);
	assert_int_equal(strlen(a), 64);
	assert_int_equal(strspn(a, "0123456789abcdef"), 64);
	assert_string_not_equal(a, b);
	assert_true(secret_equal(a, a, 64));
	assert_false(secret_equal(a, b, 64));
	assert_null(secret_dup("a\0b", 3));
}

static void foreign_text_is_quoted_in_the_log(void **state)
{
	static const struct {
		const char *in;
		size_t n;
		const char *out;
	} cases[] = {
		{"alice", 5, "\"alice\""},
		{"a\"b\\c", 5, "\"a\\\"b\\\\c\""},
		{"two\r\nlines", 10, "\"two\\x0d\\x0alines\""},
		{"nul\0end", 7, "\"nul\\x00end\""},
		{"\xc3\xa9t\xc3\xa9", 5, "\"\xc3\xa9t\xc3\xa9\""},
		{"\xc0\x80", 2, "\"\\xc0\\x80\""},          /* overlong */
		{"\xed\xa0\x80", 3, "\"\\xed\\xa0\\x80\""}, /* surrogate */
		{"\xe2\x80\xae"
		 "x",
		 4, "\"\\xe2\\x80\\xaex\""},       /* right-to-left override */
		{"\xe2\x82", 2, "\"\\xe2\\x82\""}, /* cut short */
		{"\x1b[31m", 5, "\"\\x1b[31m\""},
	};
	char buf[LOG_QUOTE_BYTES], big[1000];

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++)
		assert_string_equal(log_quote(buf, sizeof(buf), cases[i].in, cases[i].n),
				    cases[i].out);
	memset(big, '\n', sizeof(big));
	log_quote(buf, sizeof(buf), big, sizeof(big));
	assert_true(strlen(buf) < sizeof(buf));
	assert_non_null(strstr(buf, "\xe2\x80\xa6\""));
	assert_string_equal(log_quote(buf, sizeof(buf), NULL, 0), "-");
}

static void a_log_line_is_one_line(void **state)
{
	char line[4096];
	int fds[2];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	log_fd_set(fds[1]);
	log_thread_name("tester");
	log_level_set(LOG_INFO);
	log_info("0123456789abcdef", "test.event", "who=%s", LQ("a\nb"));
	log_debug(NULL, "test.silent", "x=%d", 1);
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	log_warn(NULL, "test.long", "text=%s", line);
	log_fd_set(STDERR_FILENO);
	close(fds[1]);
	n = read(fds[0], line, sizeof(line) - 1);
	close(fds[0]);
	assert_true(n > 0);
	line[n] = '\0';
	assert_non_null(strstr(
		line, " info tester test.event call=0123456789abcdef who=\"a\\x0ab\"\n"));
	assert_null(strstr(line, "silent"));
	assert_int_equal(line[n - 1], '\n');
	assert_int_equal(
		strchr(line, '\n') - line + 1 + (long)strlen(strchr(line, '\n') + 1), n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_and_hmac_give_the_published_values),
		cmocka_unit_test(a_password_is_known_again_and_only_it),
		cmocka_unit_test(text_that_is_no_hash_is_refused),
		cmocka_unit_test(scrypt_agrees_with_another_implementation),
		cmocka_unit_test(tokens_differ_and_are_hex),
		cmocka_unit_test(foreign_text_is_quoted_in_the_log),
		cmocka_unit_test(a_log_line_is_one_line),
	};

	return cmocka_run_group_tests_name("secret_log", tests, NULL, NULL);
}
