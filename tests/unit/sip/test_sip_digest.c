/* test_sip_digest.c - answers to challenges.   response ──► digest_learn() ──► digest_print() ──► a header line */
#include <setjmp.h>
#include "lib/base.h"
#include <cmocka.h>

#include "sip/digest.h"

static msg_t *response(const char *headers)
{
	char text[4000];

	snprintf(
		text, sizeof(text),
		"SIP/2.0 %s\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\nFrom: "
		"<sip:a@a>;tag=1\r\nTo: <sip:b@b>;tag=2\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n%s"
		"Content-Length: 0\r\n\r\n",
		strstr(headers, "Proxy-") ? "407 Proxy" : "401 Unauthorized", headers);
	return msg_make(sip_default_mclass(), 0, text, (ssize_t)strlen(text));
}

static int learn(struct digest *d, const char *headers, const char *realm, char *other)
{
	msg_t *msg = response(headers);
	int err = digest_learn(d, sip_object(msg), realm, other);

	msg_destroy(msg);
	return err;
}

/* RFC 7616 §3.9.1 */
static void the_rfcs_examples(void **state)
{
	static const char common[] =
		"realm=\"http-auth@example.org\", qop=\"auth, auth-int\", "
		"nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
		"opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
	static const struct {
		const char *algorithm, *response;
	} cases[] = {
		{"MD5", "8ca523f5e9506fed4657c9700eebdbec"},
		{"SHA-256",
		 "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
	};
	char other[DIGEST_WORD], line[DIGEST_LINE], text[1000], want[200];

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		struct digest d = {.hash = DIGEST_NONE};

		snprintf(text, sizeof(text),
			 "WWW-Authenticate: Digest %s, algorithm=%s\r\n", common,
			 cases[i].algorithm);
		assert_int_equal(learn(&d, text, "http-auth@example.org", other), 0);
		assert_int_equal(digest_print_with(line, &d, "Mufasa", "Circle of Life",
						   "GET", "/dir/index.html",
						   "f2/wE4q74E6zIJEtWaHKaf5wv/"
						   "H5QzzpXusqGemxURZJ"),
				 0);
		snprintf(want, sizeof(want), "response=\"%s\"", cases[i].response);
		if (!strstr(line, want))
			fail_msg("%s has no %s", line, want);
		assert_int_equal(strncmp(line, "Authorization: Digest ", 22), 0);
		assert_non_null(strstr(line, "nc=00000001"));
		assert_non_null(strstr(line, "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFR"
					     "tzCUYo5tdS\""));
		/* the same nonce again: another count */
		assert_int_equal(digest_print(line, &d, "Mufasa", "x", "GET", "/"), 0);
		assert_non_null(strstr(line, "nc=00000002"));
	}
}

/* SHA-256 where there is a choice, in either order; the realm must be the one. */
static void which_challenge_is_answered(void **state)
{
	char other[DIGEST_WORD];
	struct digest d = {.hash = DIGEST_NONE};

	(void)state;
	assert_int_equal(learn(&d,
			       "WWW-Authenticate: Digest realm=\"r\", nonce=\"1\"\r\n"
			       "WWW-Authenticate: Digest realm=\"r\", nonce=\"2\", "
			       "algorithm=SHA-256, qop=\"auth\"\r\n",
			       "r", other),
			 0);
	assert_int_equal(d.hash, DIGEST_SHA256);
	assert_string_equal(d.nonce, "2");
	assert_false(d.proxy);
	assert_int_equal(learn(&d,
			       "Proxy-Authenticate: Digest realm=\"r\", nonce=\"2\", "
			       "algorithm=sha-256, qop=\"auth\"\r\n"
			       "Proxy-Authenticate: Digest realm=\"r\", nonce=\"1\"\r\n",
			       "r", other),
			 0);
	assert_int_equal(d.hash, DIGEST_SHA256);
	assert_true(d.proxy);
	assert_int_equal(d.count, 0);

	/* somebody else's, case and beginning count */
	assert_int_equal(learn(&d,
			       "WWW-Authenticate: Digest realm=\"R\", nonce=\"3\"\r\n",
			       "r", other),
			 EACCES);
	assert_string_equal(other, "R");
	assert_int_equal(learn(&d,
			       "WWW-Authenticate: Digest realm=\"rr\", nonce=\"3\"\r\n",
			       "r", other),
			 EACCES);
	assert_string_equal(d.nonce, "2"); /* nothing was taken over */
}

static void what_is_no_challenge(void **state)
{
	static const char *const cases[] = {
		"",
		"WWW-Authenticate: Basic realm=\"r\"\r\n",
		"WWW-Authenticate: Digest realm=\"r\"\r\n",
		"WWW-Authenticate: Digest realm=\"r\", nonce=\"\"\r\n",
		"WWW-Authenticate: Digest nonce=\"n\"\r\n",
		"WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=MD6\r\n",
		"WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"\r\n",
		"Proxy-Authenticate: Basic realm=\"r\"\r\n",
	};
	char other[DIGEST_WORD], line[DIGEST_LINE], text[1000], nonce[400];
	struct digest d = {.hash = DIGEST_NONE};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++)
		if (learn(&d, cases[i], "r", other) != ENOENT)
			fail_msg("%s", cases[i]);
	assert_int_equal(digest_print(line, &d, "u", "p", "INVITE", "sip:a"), ENOENT);
	/* too long to be kept whole */
	memset(nonce, 'n', sizeof(nonce));
	nonce[sizeof(nonce) - 1] = '\0';
	snprintf(text, sizeof(text),
		 "WWW-Authenticate: Digest realm=\"r\", nonce=\"%s\"\r\n", nonce);
	assert_int_equal(learn(&d, text, "r", other), ENOENT);
	/* quotes inside stay escaped: they end nothing in our own line */
	assert_int_equal(
		learn(&d, "WWW-Authenticate: Digest realm=\"r\", nonce=\"a\\\"b\"\r\n",
		      "r", other),
		0);
	assert_int_equal(digest_print(line, &d, "u", "p", "INVITE", "sip:a"), 0);
	assert_non_null(strstr(line, "nonce=\"a\\\"b\""));
	assert_null(strstr(line, "qop="));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rfcs_examples),
		cmocka_unit_test(which_challenge_is_answered),
		cmocka_unit_test(what_is_no_challenge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
