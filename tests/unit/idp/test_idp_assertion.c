/* test_idp_assertion.c - who made a description (a=identity): opened, read and judged (assertion_world.h). */
#include "tests/unit/idp/assertion_world.h"

static void the_example_of_rfc_8827_opens(void **state)
{
	static const char value[] =
		"eyJpZHAiOnsiZG9tYWluIjoiZXhhbXBsZS5vcmciLCJwcm90b2NvbCI6ImJvZ3VzIn0sImFz"
		"c2VydGlvbiI6IntcImlkZW50aXR5XCI6XCJib2JAZXhhbXBsZS5vcmdcIixcImNvbnRlbnRz"
		"XCI6XCJhYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3l6XCIsXCJzaWduYXR1cmVcIjpcIjAxMDIw"
		"MzA0MDUwNlwifSJ9";
	struct assertion_line l;
	struct assess_case *c;
	const char *why;
	struct world w;

	(void)state;
	open_world(&w);
	assert_int_equal(assertion_open(&l, &why, value, strlen(value)), 0);
	assert_string_equal(l.domain, "example.org");
	assert_string_equal(l.protocol, "bogus");
	assert_string_equal(
		l.token, "{\"identity\":\"bob@example.org\",\"contents\":"
			 "\"abcdefghijklmnopqrstuvwyz\",\"signature\":\"010203040506\"}");
	/* its token can be judged by its own provider alone */
	c = begin(&w, value, ONE);
	assert_int_equal(w.person.status, IDENTITY_UNVERIFIED);
	assert_string_equal(w.person.idp, "example.org");
	assert_string_equal(w.person.name, "");
	assert_int_equal(fetched.n, 0);
	mem_deref(c);
	close_world(&w);
}

static void a_good_one_says_who_calls(void **state)
{
	struct fields f = {
		.more = ",\"ctx\":\"native\",\"peer\":\"Bob@Beta.example\","
			"\"profile\":{\"name\":\"A\\u202enn\\u0007 "
			"Other\",\"picture\":\"https://idp.example/a.png\","
			"\"email\":\"ann@mail.example\",\"email_verified\":true}"};
	struct world w;

	(void)state;
	open_world(&w);
	put_keys(&w);
	assert_int_equal(judge(&w, &f), IDENTITY_VERIFIED);
	assert_string_equal(w.person.idp, "idp.example");
	assert_string_equal(w.person.name, "ann@idp.example");
	assert_string_equal(w.person.origin, "https://shop.example");
	assert_string_equal(w.person.ctx, "native");
	assert_string_equal(w.person.display, "Ann Other");
	assert_string_equal(w.person.picture, "https://idp.example/a.png");
	assert_string_equal(w.person.email, "ann@mail.example");
	assert_true(w.person.email_verified);
	assert_string_equal(w.person.why, "");
	/* a claim that is no claim of ours is left out, not believed */
	f.more =
		",\"profile\":{\"name\":7,\"picture\":\"javascript:x\",\"email\":\"none\","
		"\"email_verified\":true}";
	assert_int_equal(judge(&w, &f), IDENTITY_VERIFIED);
	assert_null(w.person.ctx);
	assert_string_equal(w.person.display, "");
	assert_string_equal(w.person.picture, "");
	assert_false(w.person.email_verified);
	close_world(&w);
}

static void each_thing_that_can_be_wrong(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	put_keys(&w);
	const struct {
		struct fields f;
		const char *why;
	} rows[] = {
		{{.broken = true}, "the signature is not"},
		{{.key = w.other}, "the signature is not"},
		{{.keys = TWO}, "the media keys are not"},
		{{.keys = ONE TWO}, "the media keys are not"},
		{{.keys = ""}, "no media key"},
		{{.keys = "a=fingerprint:sha-256 4A\r\n"}, "the media keys are not"},
		{{.keys = "a=fingerprint:sha-256 4A:\r\n"}, "media keys are not usable"},
		{{.contents = "{}"}, "its contents are"},
		{{.contents = "4A"}, "its contents are"},
		{{.contents = CONTENTS("")}, "its contents are"},
		{{.sub = "ann@other.example"}, "idp.example does not vouch"},
		{{.sub = "ann@x.idp.example"}, "idp.example does not vouch"},
		{{.sub = "ann@other.example@idp.example"}, "the name in it is none"},
		{{.sub = "@idp.example"}, "the name in it is none"},
		{{.sub = "idp.example"}, "the name in it is none"},
		{{.sub = "a nn@idp.example"}, "it names nobody"},
		{{.iss = "https://other.example"}, "it was issued by other.example"},
		{{.iss = "http://idp.example"}, "it names no issuer"},
		{{.domain = "other.example"}, "it was issued by idp.example"},
		{{.more = ",\"peer\":\"carol@beta.example\""}, "somebody else"},
		{{.more = ",\"ctx\":\"page\""}, "in a way that is not known"},
		{{.more = ",\"iss\":\"https://idp.example\""}, "its claims are no JSON"},
		{{.header =
			  "{\"alg\":\"none\",\"kid\":\"k1\",\"typ\":\"webrtc-id+jwt\"}"},
		 "ES256 is the only"},
		{{.header =
			  "{\"alg\":\"HS256\",\"kid\":\"k1\",\"typ\":\"webrtc-id+jwt\"}"},
		 "ES256 is the only"},
		{{.header = "{\"alg\":\"ES256\",\"typ\":\"webrtc-id+jwt\"}"},
		 "it names no key"},
		{{.header =
			  "{\"alg\":\"ES256\",\"kid\":\"k2\",\"typ\":\"webrtc-id+jwt\"}"},
		 "idp.example has published no such key"},
		{{.header = "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"passport\"}"},
		 "of a form that is not known"},
		{{.header = "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"webrtc-id+jwt\","
			    "\"crit\":[\"b64\"]}"},
		 "it demands an extension"},
		{{.times =
			  "\"iat\":\"1800000000\",\"nbf\":1800000000,\"exp\":1800000300"},
		 "no whole numbers"},
		{{.times = "\"iat\":1800000000,\"nbf\":1800000000,\"exp\":1800000601"},
		 "for more than 600 s"},
		{{.times = "\"iat\":1800000000,\"nbf\":1800000000,\"exp\":1799999999"},
		 "for more than 600 s"},
		{{.times = "\"iat\":1,\"nbf\":1,\"exp\":9223372036854775807"},
		 "for more than 600 s"},
	};
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		assert_int_equal(judge(&w, &rows[i].f), IDENTITY_FAILED);
		assert_non_null(strstr(w.person.why, rows[i].why));
		/* nothing of what it says is passed on */
		assert_string_equal(w.person.name, "");
		assert_string_equal(w.person.email, "");
	}
	assert_int_equal(fetched.n, 0);
	close_world(&w);
}

static void more_keys_may_be_vouched_for_than_are_there(void **state)
{
	struct fields f = {.contents = CONTENTS(PRINT(B_DIGEST) "," PRINT(A_DIGEST))};
	struct world w;

	(void)state;
	open_world(&w);
	put_keys(&w);
	assert_int_equal(judge(&w, &f), IDENTITY_VERIFIED);
	f.keys = ONE TWO ONE;
	assert_int_equal(judge(&w, &f), IDENTITY_VERIFIED);
	/* to the letter, as a browser compares them */
	f.keys = "a=fingerprint:SHA-256 " A_DIGEST "\r\n";
	assert_int_equal(judge(&w, &f), IDENTITY_FAILED);
	close_world(&w);
}

static void edges_of_its_time(void **state)
{
	static const struct {
		int off_s; /* of our clock from that of the provider */
		enum identity_status status;
	} rows[] = {{0, IDENTITY_VERIFIED},   {300, IDENTITY_VERIFIED},
		    {359, IDENTITY_VERIFIED}, {360, IDENTITY_VERIFIED},
		    {361, IDENTITY_FAILED},   {-59, IDENTITY_VERIFIED},
		    {-60, IDENTITY_VERIFIED}, {-61, IDENTITY_FAILED}};
	struct fields f = {
		.times = "\"iat\":1800000000,\"nbf\":1800000000,\"exp\":1800000300"};
	struct world w;

	(void)state;
	open_world(&w);
	put_keys(&w);
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		clock_s = 1800000000 + rows[i].off_s;
		assert_int_equal(judge(&w, &f), rows[i].status);
	}
	clock_s = 1800000000;
	close_world(&w);
}

static void names_that_are_not_compared(void **state)
{
	struct fields f = {.sub = "ann@b\xc3\xbc"
				  "cher.example"};
	struct world w;

	(void)state;
	open_world(&w);
	put_keys(&w);
	assert_int_equal(judge(&w, &f), IDENTITY_UNVERIFIED);
	f.sub = "user%40133@IDP.example";
	assert_int_equal(judge(&w, &f), IDENTITY_VERIFIED);
	assert_string_equal(w.person.name, "user%40133@IDP.example");
	close_world(&w);
}

static void lines_that_are_none(void **state)
{
	static const char *const json[] = {
		"",
		"[]",
		"{}",
		"{\"idp\":{\"domain\":\"a.example\"}}",
		"{\"idp\":{\"domain\":\"a.example\"},\"assertion\":{}}",
		"{\"idp\":{\"domain\":\"a.example\"},\"assertion\":\"\"}",
		"{\"idp\":{\"domain\":\"u@a.example\"},\"assertion\":\"x\"}",
		"{\"idp\":{\"domain\":\"a.example:0\"},\"assertion\":\"x\"}",
		"{\"idp\":{\"domain\":\"a.example:65536\"},\"assertion\":\"x\"}",
		"{\"idp\":{\"domain\":\"a.example:80/x\"},\"assertion\":\"x\"}",
		"{\"idp\":{\"domain\":\"127.0.0.1\"},\"assertion\":\"x\"}",
		"{\"idp\":{\"domain\":\"a.example/x\"},\"assertion\":\"x\"}",
		"{\"idp\":{\"domain\":\"a.example\",\"protocol\":\"../x\"},\"assertion\":\"x\"}",
		"{\"idp\":{\"domain\":\"a.example\",\"protocol\":\"%2Fx\"},\"assertion\":\"x\"}",
		"{\"idp\":{\"domain\":\"a.example\"},\"assertion\":\"x\",\"assertion\":\"x\"}",
		"{\"idp\":{\"domain\":\"a.example\"},\"assertion\":\"x\\u0000\"}",
	};
	static const char good[] =
		"{\"idp\":{\"domain\":\"A.example:8443\"},\"assertion\":"
		"\"x>>?\"}";
	char value[1000];
	struct assertion_line l;
	const char *why;
	size_t n;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(json); i++) {
		n = base64(value, json[i], strlen(json[i]));
		assert_int_equal(assertion_open(&l, &why, value, n), EBADMSG);
		assert_non_null(why);
	}
	n = base64(value, good, strlen(good));
	assert_int_equal(assertion_open(&l, &why, value, n), 0);
	assert_string_equal(l.domain, "a.example:8443");
	assert_string_equal(l.host, "a.example");
	assert_string_equal(l.protocol, "default");
	/* extensions are skipped; the other alphabet, blanks and missing padding are not taken */
	snprintf(value + n, sizeof(value) - n, " new=1");
	assert_int_equal(assertion_open(&l, &why, value, strlen(value)), 0);
	assert_int_equal(assertion_open(&l, &why, value, n - 1), EBADMSG);
	assert_true(strchr(value, '+') || strchr(value, '/'));
	for (char *c = value; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	assert_int_equal(assertion_open(&l, &why, value, n), EBADMSG);
}

static void only_the_session_part_counts(void **state)
{
	static const char media[] = "v=0\r\nm=audio 9 x 0\r\na=identity:x\r\n";
	static const char two[] = "v=0\na=identity:one\na=identity:two\n";
	struct pl value;

	(void)state;
	assert_false(assertion_find(&value, media, strlen(media)));
	assert_true(assertion_find(&value, two, strlen(two)));
	assert_int_equal(value.l, 3);
	assert_memory_equal(value.p, "one", 3);
	assert_false(assertion_find(&value, "", 0));
}

static void keys_are_fetched_once_and_kept(void **state)
{
	struct fields f = {0};
	struct assess_case *c[2];
	char text[1000];
	struct world w;

	(void)state;
	open_world(&w);
	c[0] = begin_fields(&w, &f);
	c[1] = begin_fields(&w, &f);
	assert_int_equal(w.n_told, 0);
	assert_int_equal(fetched.n, 1);
	assert_string_equal(fetched.url,
			    "https://idp.example/.well-known/sluss/jwks.json");
	shows(jwks(text, sizeof(text), w.key, "k1", ""));
	assert_int_equal(w.n_told, 2);
	assert_int_equal(w.person.status, IDENTITY_VERIFIED);
	mem_deref(c[0]);
	mem_deref(c[1]);
	assert_int_equal(judge(&w, &f), IDENTITY_VERIFIED);
	f.broken = true;
	assert_int_equal(judge(&w, &f), IDENTITY_FAILED);
	assert_int_equal(fetched.n, 1);
	/* kept for as long as nothing else is said */
	clock_us_ += 301 * 1000000ull;
	f.broken = false;
	c[0] = begin_fields(&w, &f);
	assert_int_equal(fetched.n, 2);
	mem_deref(c[0]); /* given up: nobody is told */
	shows(jwks(text, sizeof(text), w.key, "k1", ""));
	assert_int_equal(w.n_told, 0);
	close_world(&w);
}

static void a_provider_without_keys_leaves_it_open(void **state)
{
	static const char *const texts[] = {
		NULL, "", "{}", "<html>", "{\"keys\":[]}", "{\"keys\":{}}"};
	struct fields f = {0};
	struct world w;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(texts); i++) {
		struct assess_case *c;

		open_world(&w);
		c = begin_fields(&w, &f);
		shows(texts[i]);
		assert_int_equal(w.n_told, 1);
		assert_int_equal(w.person.status, IDENTITY_UNVERIFIED);
		assert_string_equal(w.person.idp, "idp.example");
		assert_string_equal(w.person.name, "");
		mem_deref(c);
		/* not asked for again so soon */
		assert_int_equal(judge(&w, &f), IDENTITY_UNVERIFIED);
		assert_int_equal(fetched.n, 1);
		clock_us_ += 31 * 1000000ull;
		mem_deref(begin_fields(&w, &f));
		assert_int_equal(fetched.n, 2);
		close_world(&w);
	}
}

static void a_new_key_is_found_and_a_strange_one_does_not_hammer(void **state)
{
	struct fields f = {
		.header = "{\"alg\":\"ES256\",\"kid\":\"k2\",\"typ\":\"webrtc-id+jwt\"}"};
	struct fields old = {.key = NULL};
	struct assess_case *c;
	char text[1000];
	struct world w;

	(void)state;
	open_world(&w);
	c = begin_fields(&w, &old);
	shows(jwks(text, sizeof(text), w.key, "k1", ""));
	mem_deref(c);
	/* just fetched: an unknown key is unknown */
	f.key = w.other;
	assert_int_equal(judge(&w, &f), IDENTITY_FAILED);
	assert_int_equal(fetched.n, 1);
	clock_us_ += 10 * 1000000ull;
	c = begin_fields(&w, &f);
	assert_int_equal(fetched.n, 2);
	shows(jwks(text, sizeof(text), w.other, "k2", ""));
	assert_int_equal(w.n_told, 1);
	assert_int_equal(w.person.status, IDENTITY_VERIFIED);
	mem_deref(c);
	/* a thousand strange keys in ten seconds: one look more at most */
	f.header = "{\"alg\":\"ES256\",\"kid\":\"k3\",\"typ\":\"webrtc-id+jwt\"}";
	for (int i = 0; i < 20; i++) {
		clock_us_ += 499999;
		c = begin_fields(&w, &f);
		if (!w.n_told)
			shows(jwks(text, sizeof(text), w.other, "k2", ""));
		assert_int_equal(w.n_told, 1);
		assert_int_equal(w.person.status, IDENTITY_FAILED);
		mem_deref(c);
	}
	assert_int_equal(fetched.n, 2);
	clock_us_ += 499999;
	c = begin_fields(&w, &f);
	assert_int_equal(fetched.n, 3);
	shows(NULL); /* and out of reach now: it may be a good one */
	assert_int_equal(w.person.status, IDENTITY_UNVERIFIED);
	mem_deref(c);
	close_world(&w);
}

static void keys_that_are_left_out(void **state)
{
	static const char *const more[] = {",\"use\":\"enc\"", ",\"alg\":\"ES384\"",
					   ",\"d\":\"AQAB\"", ",\"use\":7"};
	static const char off_curve[] =
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\",\"x\":"
		"\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":"
		"\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}]}";
	EVP_PKEY *key = EVP_EC_gen("P-256");
	const char *why = NULL;
	struct jwks *j = NULL;
	char text[1000];

	(void)state;
	for (size_t i = 0; i < N_ELEMS(more); i++) {
		jwks(text, sizeof(text), key, "a", more[i]);
		assert_int_equal(jwks_alloc(&j, &why, text, strlen(text)), EBADMSG);
		assert_string_equal(why, "there is no usable key among its keys");
	}
	assert_int_equal(jwks_alloc(&j, &why, off_curve, strlen(off_curve)), EBADMSG);
	jwks(text, sizeof(text), key, "", "");
	assert_int_equal(jwks_alloc(&j, &why, text, strlen(text)), EBADMSG);
	jwks(text, sizeof(text), key, "a", ",\"use\":\"sig\"");
	assert_int_equal(jwks_alloc(&j, &why, text, strlen(text)), 0);
	assert_int_equal(jwks_count(j), 1);
	assert_non_null(jwks_key(j, "a"));
	assert_null(jwks_key(j, "b"));
	mem_deref(j);
	EVP_PKEY_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_rfc_8827_opens),
		cmocka_unit_test(a_good_one_says_who_calls),
		cmocka_unit_test(each_thing_that_can_be_wrong),
		cmocka_unit_test(more_keys_may_be_vouched_for_than_are_there),
		cmocka_unit_test(edges_of_its_time),
		cmocka_unit_test(names_that_are_not_compared),
		cmocka_unit_test(lines_that_are_none),
		cmocka_unit_test(only_the_session_part_counts),
		cmocka_unit_test(keys_are_fetched_once_and_kept),
		cmocka_unit_test(a_provider_without_keys_leaves_it_open),
		cmocka_unit_test(a_new_key_is_found_and_a_strange_one_does_not_hammer),
		cmocka_unit_test(keys_that_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
