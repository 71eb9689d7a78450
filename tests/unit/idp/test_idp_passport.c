/* test_idp_passport.c - PASSporTs and the headers they come in, against published vectors (vectors.h). */
#include "idp/b64url.h"
#include "idp/es256.h"
#include "idp/header.h"
#include "idp/passport.h"
#include "tests/unit/idp/vectors.h"

#include <setjmp.h>
#include <cmocka.h>

static void base64url_is_strict(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		const char *b64;
	} rows[] = {
		{"", 0, ""},
		{"f", 1, "Zg"},
		{"fo", 2, "Zm8"},
		{"foo", 3, "Zm9v"},
		{"foob", 4, "Zm9vYg"},
		{"fooba", 5, "Zm9vYmE"},
		{"\xfb\xff\xbf", 3, "-_-_"},
	};
	static const char *const bad[] = {"Z",    "Zh",   "Zm9",  "Zg==",  "Zm9v\n",
					  "Zm+v", "Zm/v", "Zm 9", "Zm9vY", "Zm\xc3\xb6"};
	uint8_t raw[8];
	char text[16];
	size_t n;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		n = b64url_encode(text, rows[i].text, rows[i].n);
		assert_int_equal(n, strlen(rows[i].b64));
		assert_int_equal(n, B64URL_LEN(rows[i].n));
		assert_memory_equal(text, rows[i].b64, n);
		assert_int_equal(b64url_decode(raw, sizeof(raw), &n, rows[i].b64,
					       strlen(rows[i].b64)),
				 0);
		assert_int_equal(n, rows[i].n);
		assert_memory_equal(raw, rows[i].text, n);
	}
	for (size_t i = 0; i < N_ELEMS(bad); i++)
		assert_int_equal(
			b64url_decode(raw, sizeof(raw), &n, bad[i], strlen(bad[i])),
			EINVAL);
	assert_int_equal(b64url_decode(raw, 2, &n, "Zm9v", 4), EFBIG);
}

static int check_by(const char *point, const char *input, const char *sig)
{
	EVP_PKEY *pkey = vector_key(point, NULL);
	struct es256 *k = NULL;
	uint8_t raw[ES256_BYTES];
	size_t n;
	int err;

	assert_int_equal(b64url_decode(raw, sizeof(raw), &n, sig, strlen(sig)), 0);
	assert_int_equal(n, ES256_BYTES);
	assert_int_equal(es256_alloc(&k, pkey), 0);
	err = es256_verify(k, raw, input, strlen(input));
	assert_int_equal(es256_verify(k, raw, input, strlen(input)), err);
	mem_deref(k);
	EVP_PKEY_free(pkey);
	return err;
}

static int check(const char *input, const char *sig)
{
	return check_by(K1_POINT, input, sig);
}

static int parse(struct passport *p, const char *header, const char *payload)
{
	struct pl h = {header, strlen(header)}, c = {payload, strlen(payload)};
	const char *why = "unset";
	int err = passport_parse(p, &why, &h, &c);

	assert_true(err ? why != NULL : why == NULL);
	return err;
}

static void v1_the_rfcs_signature_is_of_a_time_that_we_refuse(void **state)
{
	struct passport p;

	(void)state;
	assert_int_equal(check(RFC_HEADER "." V1_PAYLOAD, V1_SIG), 0);
	assert_int_equal(check(RFC_HEADER "." V1_NUMBER, V1_SIG), EBADMSG);
	assert_int_equal(parse(&p, RFC_HEADER, V1_PAYLOAD), EBADMSG);
	assert_int_equal(parse(&p, RFC_HEADER, V1_NUMBER), 0);
	assert_true(p.orig.tn);
	assert_string_equal(p.orig.text, "12155551212");
	assert_int_equal(p.iat_s, 1443208345);
	assert_string_equal(p.x5u, "https://cert.example.org/passport.cer");
	assert_false(p.has_mky);
}

static void v2_the_rfcs_appendix_is_right_as_a_text_only(void **state)
{
	char text[512];
	struct name alice, number;
	struct passport p;
	size_t n;

	(void)state;
	assert_int_equal(check(RFC_HEADER "." V2_PAYLOAD, V2_SIG), EBADMSG);
	assert_int_equal(parse(&p, RFC_HEADER, V2_PAYLOAD), 0);
	assert_int_equal(p.iat_s, 1471375418);
	assert_int_equal(name_parse(&alice, "sip:alice@example.com", 21), 0);
	assert_int_equal(name_parse(&number, "tel:+12155551212", 16), 0);
	n = passport_print(text, sizeof(text), "ES256", NULL,
			   "https://cert.example.org/passport.cer", &number, &alice,
			   1471375418, NULL);
	assert_int_equal(n, strlen(RFC_HEADER "." V2_PAYLOAD));
	assert_memory_equal(text, RFC_HEADER "." V2_PAYLOAD, n);
}

static void v3_with_media_keys(void **state)
{
	char text[1024];
	struct name alice, bob;
	struct passport p;
	struct mky mky;
	size_t n;

	(void)state;
	assert_int_equal(check(V3_HEADER "." V3_PAYLOAD, V3_SIG), 0);
	assert_int_equal(mky_read(&mky, V3_SDP, sizeof(V3_SDP) - 1), 0);
	assert_int_equal(name_parse(&alice, "sip:alice@site-a.test", 21), 0);
	assert_int_equal(name_parse(&bob, "sip:bob@site-b.test", 19), 0);
	n = passport_print(text, sizeof(text), "ES256", "", V3_X5U, &alice, &bob,
			   1443208345, &mky);
	assert_int_equal(n, strlen(V3_HEADER "." V3_PAYLOAD));
	assert_memory_equal(text, V3_HEADER "." V3_PAYLOAD, n);
	assert_int_equal(parse(&p, V3_HEADER, V3_PAYLOAD), 0);
	assert_true(p.has_mky);
	assert_true(mky_equal(&p.mky, &mky));
	assert_true(passport_claim_is(&p.orig, &alice));
	assert_int_equal(p.n_dest, 1);
	assert_true(passport_claim_is(&p.dest[0], &bob));
	assert_false(passport_claim_is(&p.dest[0], &alice));
	/* no room for one byte */
	assert_int_equal(passport_print(text, n - 1, "ES256", "", V3_X5U, &alice, &bob,
					1443208345, &mky),
			 0);
	assert_int_equal(passport_print(text, sizeof(text), "ES256", "", "https://a/\"",
					&alice, &bob, 1, NULL),
			 0);
}

static void v4_of_rfc_7515(void **state)
{
	(void)state;
	assert_int_equal(check_by(V4_POINT, V4_INPUT, V4_SIG), 0);
	assert_int_equal(check_by(V4_POINT, V4_INPUT "A", V4_SIG), EBADMSG);
	assert_int_equal(check_by(K1_POINT, V4_INPUT, V4_SIG), EBADMSG);
}

/* Signing is random, so what we sign is verified. One bit changed anywhere, and it is not. */
static void signed_here(void **state)
{
	EVP_PKEY *pkey = vector_key(K1_POINT, K1_D), *rsa = EVP_RSA_gen(1024),
		 *curve = EVP_EC_gen("secp384r1");
	static const char input[] = V3_HEADER "." V3_PAYLOAD;
	uint8_t one[ES256_BYTES], two[ES256_BYTES];
	struct es256 *k = NULL;
	char changed[sizeof(input)];

	(void)state;
	assert_int_equal(es256_alloc(&k, rsa), ENOTSUP);
	assert_int_equal(es256_alloc(&k, curve), ENOTSUP);
	assert_int_equal(es256_alloc(&k, pkey), 0);
	assert_int_equal(es256_sign(k, one, input, sizeof(input) - 1), 0);
	assert_int_equal(es256_sign(k, two, input, sizeof(input) - 1), 0);
	assert_memory_not_equal(one, two, ES256_BYTES);
	assert_int_equal(es256_verify(k, one, input, sizeof(input) - 1), 0);
	assert_int_equal(es256_verify(k, two, input, sizeof(input) - 1), 0);
	for (size_t i = 0; i < ES256_BYTES; i++) {
		memcpy(two, one, sizeof(two));
		two[i] ^= 1;
		assert_int_equal(es256_verify(k, two, input, sizeof(input) - 1), EBADMSG);
	}
	memcpy(changed, input, sizeof(input));
	changed[40] ^= 1;
	assert_int_equal(es256_verify(k, one, changed, sizeof(input) - 1), EBADMSG);
	memset(two, 0, sizeof(two)); /* r = s = 0 */
	assert_int_equal(es256_verify(k, two, input, sizeof(input) - 1), EBADMSG);
	mem_deref(k);
	EVP_PKEY_free(curve);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(pkey);
}

static int parse_json(struct passport *p, const char *header, const char *payload)
{
	char h[1024], c[4096];

	h[b64url_encode(h, header, strlen(header))] = '\0';
	c[b64url_encode(c, payload, strlen(payload))] = '\0';
	return parse(p, h, c);
}

#define H    "{\"alg\":\"ES256\",\"typ\":\"passport\",\"x5u\":\"https://a/\"}"
#define DEST "\"dest\":{\"uri\":[\"sip:b@b.test\"]}"
#define ORIG "\"orig\":{\"uri\":\"sip:a@a.test\"}"
#define IAT  "\"iat\":1443208345"

static void claims_that_cannot_be_used(void **state)
{
	static const char *const headers[] = {
		"",
		"[]",
		"{}",
		"{\"alg\":\"ES256\",\"typ\":\"passport\"}",
		"{\"alg\":7,\"typ\":\"passport\",\"x5u\":\"https://a/\"}",
		"{\"alg\":\"ES256\",\"alg\":\"ES256\",\"typ\":\"passport\",\"x5u\":\"https://a/\"}",
		"{\"alg\":\"ES256\",\"typ\":\"passport\",\"x5u\":\"https://a/\",\"crit\":[\"x\"]}",
		"{\"alg\":\"ES256\",\"typ\":\"passport\",\"x5u\":\"https://a/\",\"ppt\":7}",
		"{\"alg\":\"ES256\\u0000\",\"typ\":\"passport\",\"x5u\":\"https://a/\"}",
	};
	static const char *const payloads[] = {
		"",
		"[]",
		"{" DEST "," ORIG "}",
		"{" DEST ",\"iat\":\"1443208345\"," ORIG "}",
		"{" DEST ",\"iat\":1443208345.0," ORIG "}",
		"{" DEST "," IAT "}",
		"{" IAT "," ORIG "}",
		"{\"dest\":{}," IAT "," ORIG "}",
		"{\"dest\":{\"uri\":\"sip:b@b.test\"}," IAT "," ORIG "}",
		"{\"dest\":{\"uri\":[7]}," IAT "," ORIG "}",
		"{" DEST "," IAT ",\"orig\":{\"uri\":\"sip:a@a.test\",\"tn\":\"1\"}}",
		"{" DEST "," IAT ",\"orig\":{}}",
		"{" DEST "," IAT ",\"orig\":{\"uri\":[\"sip:a@a.test\"]}}",
		"{" DEST "," IAT ",\"mky\":[]," ORIG "}",
		"{" DEST "," IAT ",\"mky\":{\"alg\":\"a\",\"dig\":\"AB\"}," ORIG "}",
		"{" DEST "," IAT ",\"mky\":[{\"alg\":\"a\"}]," ORIG "}",
		"{" DEST "," IAT ",\"mky\":[{\"alg\":\"a\",\"dig\":\"A:B\"}]," ORIG "}",
		"{" DEST "," IAT "," ORIG "} x",
		"{" DEST "," IAT "," ORIG "," ORIG "}",
		"{" DEST "," IAT "," ORIG ",\"x\":\"\xff\"}",
	};
	char deep[3000];
	struct passport p;

	(void)state;
	assert_int_equal(parse_json(&p, H, "{" DEST "," IAT "," ORIG ",\"x\":[7]}"), 0);
	for (size_t i = 0; i < N_ELEMS(headers); i++)
		assert_int_equal(
			parse_json(&p, headers[i], "{" DEST "," IAT "," ORIG "}"),
			EBADMSG);
	for (size_t i = 0; i < N_ELEMS(payloads); i++)
		assert_int_equal(parse_json(&p, H, payloads[i]), EBADMSG);
	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	assert_int_equal(parse_json(&p, H, deep), EBADMSG);
}

static int head(struct header *h, const char *text)
{
	const char *why = "unset";
	int err = header_parse(h, &why, text, strlen(text));

	assert_true(err ? why != NULL : why == NULL);
	return err;
}

static void headers_full_and_compact(void **state)
{
	struct header h;

	(void)state;
	assert_int_equal(head(&h, "aa.bb.cc;info=<https://a.test/x>"), 0);
	assert_false(h.compact);
	assert_int_equal(h.payload.l, 2);
	assert_string_equal(h.info, "https://a.test/x");
	assert_string_equal(h.alg, "ES256");
	assert_string_equal(h.ppt, "");
	assert_int_equal(head(&h, "..c-_c ; INFO = <https://a.test/x> ;alg=\"ES256\""
				  ";ppt=\"shaken\";other;more=\"a;b\\\"\";url=<sip:x>"),
			 0);
	assert_true(h.compact);
	assert_int_equal(h.signature.l, 4);
	assert_string_equal(h.ppt, "shaken");
	assert_int_equal(head(&h, "..cc;info=<cid:x>;alg=none"), 0);
	assert_string_equal(h.alg, "none");
	assert_int_equal(
		head(&h, "..cc \r\n\t;\r\n info\r\n =\r\n <https://a/>;alg=\r\n x"), 0);
	assert_string_equal(h.info, "https://a/");
	assert_string_equal(h.alg, "x");
}

static void headers_that_are_none(void **state)
{
	static const char *const bad[] = {
		"",
		"..",
		"aa.bb",
		"aa.bb.;info=<https://a/>",
		"aa..cc;info=<https://a/>",
		".bb.cc;info=<https://a/>",
		"aa.bb.cc",
		"aa.bb.cc;alg=ES256",
		"aa.bb.cc info=<https://a/>",
		"aa.bb.cc;info=<https://a/> alg=ES256",
		"aa.bb.cc;info=https://a/",
		"aa.bb.cc;info=\"https://a/\"",
		"aa.bb.cc;info=<>",
		"aa.bb.cc;info=<https://a/",
		"aa.bb.cc;info=<https://a/ b>",
		"aa.bb.cc;info=<https://a/\"b>",
		"aa.bb.cc;info=<https://a/>;info=<https://b/>",
		"aa.bb.cc;info=<https://a/>;ppt=a;ppt=b",
		"aa.bb.cc;info=<https://a/>;alg",
		"aa.bb.cc;info=<https://a/>;alg=",
		"aa.bb.cc;info=<https://a/>;alg=\"ES256",
		"aa.bb.cc\r\n;info=<https://a/>",
		"aa.bb.cc\r;info=<https://a/>",
		"aa.bb.cc;info=<https://a/>\r\n",
		"aa.bb.cc;info=<https://a/\r\n >",
		"aa.bb.cc;info=<https://a/>;;",
		"a=a.bb.cc;info=<https://a/>",
		"aa.bb.cc.dd;info=<https://a/>",
		"aa.bb.cc;info=<https://a/>;ppt=12345678901234567890123456789012",
	};
	char *huge = mem_zalloc(70000, NULL);
	struct header h;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(bad); i++)
		assert_int_equal(head(&h, bad[i]), EBADMSG);
	memset(huge, 'a', 65536);
	memcpy(huge + 65536, ".b.c;info=<https://a/>", 23);
	assert_int_equal(head(&h, huge), EFBIG);
	mem_deref(huge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64url_is_strict),
		cmocka_unit_test(v1_the_rfcs_signature_is_of_a_time_that_we_refuse),
		cmocka_unit_test(v2_the_rfcs_appendix_is_right_as_a_text_only),
		cmocka_unit_test(v3_with_media_keys),
		cmocka_unit_test(v4_of_rfc_7515),
		cmocka_unit_test(signed_here),
		cmocka_unit_test(claims_that_cannot_be_used),
		cmocka_unit_test(headers_full_and_compact),
		cmocka_unit_test(headers_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
