/* test_idp_openid.c - what a provider of OpenID Connect says, believed and not; what holds the two halves of a sign-in
 * there together. The tokens are signed here, with keys made here. */
#include "idp/openid_flow.h"
#include "idp/openid_token.h"

#include <cjose/cjose.h>
#include <jansson.h>
#include <setjmp.h>
#include <cmocka.h>

#define ISSUER "https://id.example/realm"
#define NONCE  "n-0S6_WzA2Mj"

enum { NOW_S = 1800000000 };

/* ---- configuration ---- */

#define META(more)                                                                               \
	"{\"issuer\":\"" ISSUER                                                                  \
	"\",\"authorization_endpoint\":\"https://id.example/a\","                                \
	"\"token_endpoint\":\"https://id.example/t\",\"jwks_uri\":\"https://id.example/k\"" more \
	"}"

static void a_configuration(void **state)
{
	static const char whole[] =
		META(",\"userinfo_endpoint\":\"https://id.example/u\","
		     "\"token_endpoint_auth_methods_supported\":[\"client_secret_post\"],"
		     "\"code_challenge_methods_supported\":[\"plain\",\"S256\"],"
		     "\"authorization_response_iss_parameter_supported\":true");
	static const char least[] = META("");
	struct openid_meta m;
	const char *why;

	assert_int_equal(openid_meta_parse(&m, &why, ISSUER, whole, sizeof(whole) - 1),
			 0);
	assert_string_equal(m.authorization, "https://id.example/a");
	assert_string_equal(m.token, "https://id.example/t");
	assert_string_equal(m.keys, "https://id.example/k");
	assert_string_equal(m.userinfo, "https://id.example/u");
	assert_true(m.post_secret);
	assert_true(m.says_issuer);
	assert_int_equal(openid_meta_parse(&m, &why, ISSUER, least, sizeof(least) - 1),
			 0);
	assert_string_equal(m.userinfo, "");
	assert_false(m.post_secret);
}

static void configurations_that_are_none(void **state)
{
	static const char *const cases[][2] = {
		{"", "it is no JSON object"},
		{"[]", "it is no JSON object"},
		{"{}", "it names another issuer"},
		{"{\"issuer\":\"" ISSUER "/\"}", "it names another issuer"},
		{"{\"issuer\":\"" ISSUER
		 "\",\"authorization_endpoint\":\"http://id.example/"
		 "a\"}",
		 "it has no usable authorization_endpoint"},
		{"{\"issuer\":\"" ISSUER
		 "\",\"authorization_endpoint\":\"https://x.example/"
		 "a\",\"token_endpoint\":\"https://user@x.example/\"}",
		 "it has no usable token_endpoint"},
		{"{\"issuer\":\"" ISSUER
		 "\",\"authorization_endpoint\":\"https://x.example/"
		 "a\",\"token_endpoint\":\"https://x.example/t\",\"jwks_uri\":7}",
		 "it has no usable jwks_uri"},
		{META(",\"code_challenge_methods_supported\":[\"plain\"]"),
		 "it does not do PKCE by S256"},
	};

	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		struct openid_meta m;
		const char *why = NULL;

		assert_int_equal(openid_meta_parse(&m, &why, ISSUER, cases[i][0],
						   strlen(cases[i][0])),
				 EBADMSG);
		assert_string_equal(why, cases[i][1]);
	}
}

/* ---- tokens ---- */

static cjose_jwk_t *rsa, *ec, *weak, *oct;
static struct openid_keys *keys;

static cjose_jwk_t *named(cjose_jwk_t *jwk, const char *kid)
{
	cjose_err why;

	assert_non_null(jwk);
	assert_true(cjose_jwk_set_kid(jwk, kid, strlen(kid), &why));
	return jwk;
}

static void publish(json_t *list, cjose_jwk_t *jwk)
{
	cjose_err why;
	char *text = cjose_jwk_to_json(jwk, false, &why);

	json_array_append_new(list, json_loads(text, 0, NULL));
	free(text);
}

static int make_keys(void **state)
{
	json_t *set = json_object(), *list = json_array();
	const char *why_not = "";
	cjose_err why;
	char *text;

	rsa = named(cjose_jwk_create_RSA_random(2048, NULL, 0, &why), "r");
	ec = named(cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &why), "e");
	weak = named(cjose_jwk_create_RSA_random(1024, NULL, 0, &why), "w");
	oct = named(cjose_jwk_create_oct_random(256, &why), "o");
	publish(list, rsa);
	publish(list, ec);
	publish(list, weak);
	json_array_append_new(list, json_string("no key"));
	json_object_set_new(set, "keys", list);
	text = json_dumps(set, 0);
	assert_int_equal(openid_keys_parse(&keys, &why_not, text, strlen(text)), 0);
	free(text);
	json_decref(set);
	return 0;
}

static int free_keys(void **state)
{
	mem_deref(keys);
	cjose_jwk_release(rsa);
	cjose_jwk_release(ec);
	cjose_jwk_release(weak);
	cjose_jwk_release(oct);
	return 0;
}

/* Caller frees by free(). */
static char *sign(cjose_jwk_t *jwk, const char *alg, const char *kid, const char *text)
{
	cjose_err why;
	cjose_header_t *h = cjose_header_new(&why);
	const char *out = NULL;
	cjose_jws_t *jws;
	char *copy;

	assert_true(cjose_header_set(h, CJOSE_HDR_ALG, alg, &why));
	if (kid)
		assert_true(cjose_header_set(h, CJOSE_HDR_KID, kid, &why));
	jws = cjose_jws_sign(jwk, h, (const uint8_t *)text, strlen(text), &why);
	assert_non_null(jws);
	assert_true(cjose_jws_export(jws, &out, &why));
	copy = strdup(out);
	cjose_jws_release(jws);
	cjose_header_release(h);
	return copy;
}

static const struct openid_expect expect = {
	.issuer = ISSUER, .client_id = "sluss", .nonce = NONCE, .now_s = NOW_S};

static int check(struct openid_person *p, const char **why, char *token)
{
	int err = openid_token_check(p, why, keys, token, &expect);

	free(token);
	return err;
}

#define CLAIMS(aud, times, more)                                                         \
	"{\"iss\":\"" ISSUER "\",\"sub\":\"248289761001\",\"aud\":" aud "," times        \
	",\"nonce\":\"" NONCE "\"" more "}"
#define TIMES "\"iat\":1799999990,\"exp\":1800000300"
#define GOOD  CLAIMS("\"sluss\"", TIMES, "")

static void tokens_that_are_good(void **state)
{
	struct openid_person p;
	const char *why;

	assert_int_equal(
		check(&p, &why,
		      sign(rsa, "RS256", "r",
			   CLAIMS("\"sluss\"", TIMES,
				  ",\"name\":\"Jane \\u202eDoe\",\"preferred_username\":"
				  "\"jane\",\"picture\":\"https://id.example/p.png\","
				  "\"email\":\"jane@id.example\",\"email_verified\":true"))),
		0);
	assert_string_equal(p.sub, "248289761001");
	assert_string_equal(p.name,
			    "Jane Doe"); /* without the mark that turns text round */
	assert_string_equal(p.user, "jane");
	assert_string_equal(p.picture, "https://id.example/p.png");
	assert_string_equal(p.email, "jane@id.example");
	assert_true(p.email_verified);
	assert_int_equal(check(&p, &why, sign(rsa, "PS256", "r", GOOD)), 0);
	assert_int_equal(check(&p, &why, sign(ec, "ES256", "e", GOOD)), 0);
	assert_int_equal(check(&p, &why, sign(ec, "ES256", NULL, GOOD)), 0);
	assert_string_equal(p.name, "");
	assert_int_equal(
		check(&p, &why,
		      sign(ec, "ES256", "e",
			   CLAIMS("[\"x\",\"sluss\"]", TIMES,
				  ",\"azp\":\"sluss\",\"picture\":\"javascript:x\","
				  "\"email\":\"a@b.example\",\"email_verified\":"
				  "\"true\""))),
		0);
	assert_string_equal(p.picture, "");
	assert_false(p.email_verified); /* a text is no truth */
	/* a clock that is a minute off, either way */
	assert_int_equal(check(&p, &why,
			       sign(ec, "ES256", "e",
				    CLAIMS("\"sluss\"",
					   "\"iat\":1800000060,\"exp\":1799999941", ""))),
			 0);
}

static void tokens_that_prove_nothing(void **state)
{
	static const struct {
		const char *claims, *why;
	} cases[] = {
		{"[]", "the ID token holds no JSON object"},
		{"{\"iss\":\"https://id.example\",\"sub\":\"1\",\"aud\":\"sluss\"," TIMES
		 ",\"nonce\":\"" NONCE "\"}",
		 "the ID token is another issuer's"},
		{CLAIMS("\"other\"", TIMES, ""), "the ID token is for somebody else"},
		{CLAIMS("[]", TIMES, ""), "the ID token is for somebody else"},
		{CLAIMS("[\"sluss\",\"other\"]", TIMES, ""),
		 "the ID token is for somebody else"},
		{CLAIMS("\"sluss\"", TIMES, ",\"azp\":\"other\""),
		 "the ID token is for somebody else"},
		{CLAIMS("\"sluss\"", "\"iat\":1799999990", ""),
		 "the ID token says no time"},
		{CLAIMS("\"sluss\"", "\"iat\":\"1799999990\",\"exp\":\"1800000300\"", ""),
		 "the ID token says no time"},
		{CLAIMS("\"sluss\"", "\"iat\":1799999000,\"exp\":1799999940", ""),
		 "the ID token is over"},
		{CLAIMS("\"sluss\"", "\"iat\":1800000061,\"exp\":1800000300", ""),
		 "the ID token is from the future"},
		{"{\"iss\":\"" ISSUER "\",\"sub\":\"1\",\"aud\":\"sluss\"," TIMES "}",
		 "the ID token answers another request"},
		{"{\"iss\":\"" ISSUER "\",\"sub\":\"1\",\"aud\":\"sluss\"," TIMES
		 ",\"nonce\":\"n-0S6_WzA2Mk\"}",
		 "the ID token answers another request"},
		{"{\"iss\":\"" ISSUER "\",\"aud\":\"sluss\"," TIMES ",\"nonce\":\"" NONCE
		 "\"}",
		 "the ID token names nobody"},
		{CLAIMS("\"sluss\"", TIMES, ",\"sub\":\"2\""),
		 "the ID token holds no JSON object"}, /* twice */
	};
	struct openid_person p;

	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		const char *why = NULL;

		assert_int_equal(check(&p, &why, sign(ec, "ES256", "e", cases[i].claims)),
				 EBADMSG);
		assert_string_equal(why, cases[i].why);
	}
}

static void signatures_that_prove_nothing(void **state)
{
	static const char nothing[] =
		"the ID token is signed in a way that proves nothing";
	struct openid_person p;
	const char *why = NULL;
	char *t;

	assert_int_equal(check(&p, &why, strdup("not.a.token")), EBADMSG);
	assert_string_equal(why, "the ID token is no signed token");
	/* {"alg":"none"} */
	assert_int_equal(check(&p, &why, strdup("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.")),
			 EBADMSG);
	/* by a secret, which could be the bytes of a public key */
	assert_int_equal(check(&p, &why, sign(oct, "HS256", "e", GOOD)), EBADMSG);
	assert_string_equal(why, nothing);
	/* a key of another kind; one that is too short; one that nobody knows */
	assert_int_equal(check(&p, &why, sign(ec, "ES256", "r", GOOD)), ENOENT);
	assert_int_equal(check(&p, &why, sign(weak, "RS256", "w", GOOD)), ENOENT);
	assert_int_equal(check(&p, &why, sign(ec, "ES256", "new", GOOD)), ENOENT);
	/* {"alg":"ES256","kid":"e","crit":["b64"],"b64":false}: what we do not know, we may not pass over */
	assert_int_equal(
		check(&p, &why,
		      strdup("eyJhbGciOiJFUzI1NiIsImtpZCI6ImUiLCJjcml0IjpbImI2NCJdLCJiNjQi"
			     "OmZhbHNlfQ.eyJzdWIiOiIxIn0."
			     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
			     "AAAAAAAAAAAAAAAAAAAAAAAAAA")),
		EBADMSG);
	assert_string_equal(why, nothing);
	t = sign(ec, "ES256", "e", GOOD);
	t[strlen(t) - 10] = t[strlen(t) - 10] == 'A' ? 'B' : 'A';
	assert_int_equal(check(&p, &why, t), EBADMSG);
	assert_string_equal(why, "the signature of the ID token is wrong");
	t = sign(ec, "ES256", "e", GOOD);
	strchr(t, '.')[12] ^= 1;
	assert_int_equal(check(&p, &why, t), EBADMSG);
	assert_string_equal(why, "the signature of the ID token is wrong");
}

static void keys_that_are_none(void **state)
{
	static const char *const cases[] = {
		"", "{}", "{\"keys\":[]}",
		"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}",
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}]}"};

	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		struct openid_keys *none = NULL;
		const char *why = NULL;

		assert_int_equal(
			openid_keys_parse(&none, &why, cases[i], strlen(cases[i])),
			EBADMSG);
		assert_string_equal(why, "there is no usable key among its keys");
		assert_null(none);
	}
}

static void the_other_answers(void **state)
{
	static const char tokens[] =
		"{\"access_token\":\"A\",\"id_token\":\"I\",\"token_type\":\"Bearer\"}";
	static const char bare[] = "{\"access_token\":\"A\"}";
	static const char same[] =
		"{\"sub\":\"s\",\"name\":\"N\",\"email\":\"x@y.example\"}";
	static const char other[] = "{\"sub\":\"t\",\"name\":\"N\"}";
	struct openid_person p = {.sub = "s", .email = "a@b.example"};
	char *id, *access;
	const char *why;

	assert_int_equal(
		openid_tokens_parse(&id, &access, &why, tokens, sizeof(tokens) - 1), 0);
	assert_string_equal(id, "I");
	assert_string_equal(access, "A");
	mem_deref(id);
	mem_deref(access);
	assert_int_equal(openid_tokens_parse(&id, &access, &why, bare, sizeof(bare) - 1),
			 EBADMSG);
	assert_int_equal(openid_userinfo_add(&p, other, sizeof(other) - 1), EBADMSG);
	assert_string_equal(p.name, "");
	assert_int_equal(openid_userinfo_add(&p, same, sizeof(same) - 1), 0);
	assert_string_equal(p.name, "N");
	assert_string_equal(p.email, "a@b.example"); /* the token's own word stays */
}

/* ---- the two halves ---- */

#define COOKIE  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define COOKIE2 "10112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void the_second_half_fits_the_first(void **state)
{
	static const char to[] = "/idp/signin.html?origin=https%3A%2F%2Fshop.example&x=1";
	struct flow f = {.provider = "corp", .link = true}, g;
	char text[FLOW_STATE_MAX + 1], proof[FLOW_DERIVED_LEN + 1],
		other[FLOW_DERIVED_LEN + 1];
	struct secret_mac *key;

	snprintf(f.to, sizeof(f.to), "%s", to);
	assert_int_equal(secret_mac_alloc(&key, "k", 1), 0);
	assert_int_equal(flow_begin(&f, text, key, "alpha.example", COOKIE, NOW_S), 0);
	assert_int_equal(strlen(f.verifier), FLOW_DERIVED_LEN); /* RFC 7636 §4.1 */
	assert_string_not_equal(f.verifier, f.nonce);
	assert_int_equal(flow_resume(&g, text, key, "alpha.example", COOKIE,
				     NOW_S + PROVIDER_FLOW_S),
			 0);
	assert_memory_equal(&f, &g, sizeof(f));

	assert_int_equal(flow_resume(&g, text, key, "alpha.example", COOKIE2, NOW_S),
			 EBADMSG);
	assert_int_equal(flow_resume(&g, text, key, "beta.example", COOKIE, NOW_S),
			 EBADMSG);
	assert_int_equal(flow_resume(&g, text, key, "alpha.example", COOKIE,
				     NOW_S + PROVIDER_FLOW_S + 1),
			 ETIMEDOUT);
	assert_string_equal(g.to, to);
	for (size_t i = 0; i < strlen(text); i++) {
		text[i] ^= 1;
		assert_int_equal(
			flow_resume(&g, text, key, "alpha.example", COOKIE, NOW_S),
			EBADMSG);
		text[i] ^= 1;
	}
	assert_int_equal(flow_resume(&g, "", key, "alpha.example", COOKIE, NOW_S),
			 EBADMSG);

	assert_int_equal(flow_link_proof(proof, key, "alpha.example", COOKIE, "corp"), 0);
	assert_int_equal(flow_link_proof(other, key, "alpha.example", COOKIE2, "corp"),
			 0);
	assert_string_not_equal(proof, other);
	mem_deref(key);
}

static void where_it_may_lead(void **state)
{
	static const char *const bad[] = {"",
					  "https://evil.example/",
					  "//evil.example/idp/",
					  "/other",
					  "/idp",
					  "/idp/../x",
					  "/idp//evil.example",
					  "/idp/a\\b",
					  "/idp/a b",
					  "/idp/a\r\nSet-Cookie: x",
					  "/idp/#x"};
	char longest[FLOW_TO_MAX + 2];

	assert_true(flow_to_ok("/idp/identity.html"));
	assert_true(flow_to_ok("/idp/signin.html?origin=https%3A%2F%2Fa.example"));
	for (size_t i = 0; i < N_ELEMS(bad); i++)
		assert_false(flow_to_ok(bad[i]));
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "/idp/", 5);
	longest[FLOW_TO_MAX + 1] = '\0';
	assert_false(flow_to_ok(longest));
	longest[FLOW_TO_MAX] = '\0';
	assert_true(flow_to_ok(longest));
}

static void queries(void **state)
{
	char text[16], url[64] = "https://x.example/?a=b", small[12] = "?";

	assert_true(flow_query(text, sizeof(text), "a=1&state=x%2Fy+z&b=", "state"));
	assert_string_equal(text, "x/y z");
	assert_true(flow_query(text, sizeof(text), "a=1&state=x&b=", "b"));
	assert_string_equal(text, "");
	assert_false(flow_query(text, sizeof(text), "xstate=1&statex=2", "state"));
	assert_false(flow_query(text, sizeof(text), "state=1&state=2", "state"));
	assert_false(flow_query(text, sizeof(text), "state=%00", "state"));
	assert_false(flow_query(text, sizeof(text), "state=%4", "state"));
	assert_false(flow_query(text, sizeof(text), "state=%zz", "state"));
	assert_false(flow_query(text, sizeof(text), "state=0123456789abcdef", "state"));
	assert_false(flow_query(text, sizeof(text), NULL, "state"));
	assert_true(flow_query_add(url, sizeof(url), "r", "a/b c&d=é"));
	assert_string_equal(url, "https://x.example/?a=b&r=a%2Fb%20c%26d%3D%C3%A9");
	assert_false(flow_query_add(small, sizeof(small), "r", "///////"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_configuration),
		cmocka_unit_test(configurations_that_are_none),
		cmocka_unit_test(tokens_that_are_good),
		cmocka_unit_test(tokens_that_prove_nothing),
		cmocka_unit_test(signatures_that_prove_nothing),
		cmocka_unit_test(keys_that_are_none),
		cmocka_unit_test(the_other_answers),
		cmocka_unit_test(the_second_half_fits_the_first),
		cmocka_unit_test(where_it_may_lead),
		cmocka_unit_test(queries),
	};

	return cmocka_run_group_tests_name("openid", tests, make_keys, free_keys);
}
