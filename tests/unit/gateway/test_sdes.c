/* tests/unit/gateway/test_sdes.c - a=crypto lines of phones, carriers and of people who mean ill. */
#include "gateway/sdes.h"

#include "lib/secret.h"

#include <setjmp.h>
#include <cmocka.h>

#define KEY30 "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"

static int read(struct media_sdes *k, uint32_t *tag, const char *s)
{
	return sdes_parse(k, tag, s, strlen(s));
}

static void what_phones_send(void **state)
{
	struct media_sdes k;
	uint32_t tag;

	assert_int_equal(read(&k, &tag, "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30), 0);
	assert_int_equal(tag, 1);
	assert_int_equal(k.suite, 1);
	assert_memory_equal(k.key, "YS___semctl () {", 16);
	assert_memory_equal(k.salt, "\t220;}\n}\nunles", 14);
	assert_int_equal(read(&k, &tag,
			      "999999999 AES_CM_128_HMAC_SHA1_32 inline:" KEY30
			      "|2^48 KDR=0 WSH=64 -NEW"),
			 0);
	assert_int_equal(tag, 999999999);
	assert_int_equal(k.suite, 2);
	assert_int_equal(
		read(&k, &tag, "2 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|2^20"), 0);
	assert_int_equal(read(&k, &tag,
			      "2 AES_CM_128_HMAC_SHA1_80 inline:" KEY30
			      "|281474976710656"),
			 0);
	/* 28 and 44 bytes, with and without their padding */
	assert_int_equal(read(&k, &tag,
			      "3 AEAD_AES_128_GCM "
			      "inline:MDEyMzQ1Njc4OUFCQ0RFRjAxMjM0NTY3ODlBQg=="),
			 0);
	assert_int_equal(k.suite, 7);
	assert_memory_equal(k.salt, "0123456789AB", 12);
	assert_int_equal(read(&k, &tag,
			      "3 AEAD_AES_128_GCM "
			      "inline:MDEyMzQ1Njc4OUFCQ0RFRjAxMjM0NTY3ODlBQg"),
			 0);
}

static void what_is_not_chosen(void **state)
{
	static const char *const bad[] = {
		"",
		"1",
		"1 AES_CM_128_HMAC_SHA1_80",
		"1 AES_CM_128_HMAC_SHA1_80 ",
		"1 AES_CM_128_HMAC_SHA1_80 inline:",
		"1 AES_CM_128_HMAC_SHA1_80 inline:short",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "AAAA",
		"1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGV*",
		"1 AES_CM_128_HMAC_SHA1_80 online:" KEY30,
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|2^",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|many",
		"0 AES_CM_128_HMAC_SHA1_80 inline:" KEY30,
		"x AES_CM_128_HMAC_SHA1_80 inline:" KEY30,
		"1000000000 AES_CM_128_HMAC_SHA1_80 inline:" KEY30,
		"3 AEAD_AES_128_GCM inline:MDEyMzQ1Njc4OUFCQ0RFRjAxMjM0NTY3ODlBQh==",
	};
	static const char *const other[] = {
		"1 F8_128_HMAC_SHA1_80 inline:" KEY30,
		"1 aes_cm_128_hmac_sha1_80 inline:" KEY30,
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|2^15",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|1000",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|1:4",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|2^48|1:4",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|2^48|1:4;inline:" KEY30
		"|2^48|2:4",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 " UNENCRYPTED_SRTP",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 " UNAUTHENTICATED_SRTP",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 " KDR=2",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 " FEC_ORDER=FEC_SRTP",
	};
	struct media_sdes k, was;
	uint32_t tag = 77;

	memset(&k, 0x5a, sizeof(k));
	was = k;
	for (size_t i = 0; i < N_ELEMS(bad); i++)
		assert_int_equal(read(&k, &tag, bad[i]), EBADMSG);
	for (size_t i = 0; i < N_ELEMS(other); i++)
		assert_int_equal(read(&k, &tag, other[i]), ENOTSUP);
	assert_memory_equal(&k, &was, sizeof(k));
	assert_int_equal(tag, 77);
}

static void what_we_print_parses_again(void **state)
{
	struct media_sdes k = {0}, back;
	char text[SDES_TEXT];
	uint32_t tag;

	for (size_t i = 0; sdes_suite(i); i++) {
		bool cm = sdes_suite(i) < 3;

		memset(&k, 0, sizeof(k));
		k.suite = sdes_suite(i);
		secret_random(k.key, k.suite == 8 ? 32 : 16);
		secret_random(k.salt, cm ? 14 : 12);
		assert_int_equal(sdes_print(text, (uint32_t)i + 1, &k), 0);
		assert_int_equal(read(&back, &tag, text), 0);
		assert_int_equal(tag, i + 1);
		assert_memory_equal(&back, &k, sizeof(k));
	}
	k.suite = 3;
	assert_int_equal(sdes_print(text, 1, &k), EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_phones_send),
		cmocka_unit_test(what_is_not_chosen),
		cmocka_unit_test(what_we_print_parses_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
