/* test_cert.c - which certificates prove which SIP domains, and loading and reloading of pairs.
 * The certificates are made here with OpenSSL, a key each, self-signed: only names matter. */
#include "lib/base.h"
#include "lib/cert.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[] = "/tmp/test_cert.XXXXXX";

static int setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const files[] = {"a.pem", "a.key", "b.pem", "b.key"};
	char path[64];

	(void)state;
	for (size_t i = 0; i < N_ELEMS(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	return rmdir(dir);
}

static X509 *make(EVP_PKEY **keyp, const char *cn, const char *san)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)cn, -1, -1,
				   0);
	X509_set_issuer_name(x, name);
	X509_set_pubkey(x, key);
	if (san) {
		X509_EXTENSION *ext =
			X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);

		assert_non_null(ext);
		X509_add_ext(x, ext, -1);
		X509_EXTENSION_free(ext);
	}
	X509_sign(x, key, EVP_sha256());
	if (keyp)
		*keyp = key;
	else
		EVP_PKEY_free(key);
	return x;
}

static const char *file(const char *name)
{
	static char paths[4][64];
	static unsigned i;
	char *p = paths[i++ % 4];

	snprintf(p, sizeof(paths[0]), "%s/%s", dir, name);
	return p;
}

static void store(const char *chain, const char *key_name, X509 *x, EVP_PKEY *key)
{
	FILE *f = fopen(file("tmp"), "w");

	PEM_write_X509(f, x);
	fclose(f);
	rename(file("tmp"), file(chain));
	f = fopen(file("tmp"), "w");
	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
	rename(file("tmp"), file(key_name));
}

static void only_what_rfc_5922_says_proves_a_domain(void **state)
{
	static const struct {
		const char *cn, *san, *domain;
		bool covers;
	} cases[] = {
		{"x", "DNS:beta.example", "beta.example", true},
		{"x", "DNS:BETA.example", "Beta.Example", true},
		{"x", "DNS:a.example,DNS:beta.example", "beta.example", true},
		{"x", "URI:sip:beta.example", "beta.example", true},
		{"x", "URI:SIP:beta.example", "beta.example", true},
		{"x", "DNS:beta.example", "sub.beta.example", false},
		{"x", "DNS:beta.example", "eta.example", false},
		{"x", "DNS:*.example", "beta.example", false}, /* no wildcards in SIP */
		{"x", "DNS:*.beta.example", "beta.example", false},
		{"beta.example", NULL, "beta.example",
		 false}, /* a CN alone proves nothing here */
		{"beta.example", "DNS:other.example", "beta.example", false},
		{"x", "URI:sip:alice@beta.example", "beta.example", false},
		{"x", "URI:sips:beta.example", "beta.example", false},
		{"x", "URI:https://beta.example", "beta.example", false},
		{"x", "URI:sip:beta.example:5061", "beta.example", false},
		{"x", "email:sip@beta.example", "beta.example", false},
		{"x", "IP:192.0.2.1", "192.0.2.1", false},
		/* with a sip URI there, the DNS names do not count */
		{"x", "URI:sip:a.example,DNS:beta.example", "beta.example", false},
		{"x", "URI:https://a.example,DNS:beta.example", "beta.example", true},
		{"x", "DNS:beta.example.", "beta.example", false},
		{"x", "DNS:xn--bta-5qa.example", "xn--bta-5qa.example", true},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		X509 *x = make(NULL, cases[i].cn, cases[i].san);

		if (cert_covers(x, cases[i].domain) != cases[i].covers)
			fail_msg("CN=%s SAN=%s against %s", cases[i].cn,
				 cases[i].san ? cases[i].san : "-", cases[i].domain);
		X509_free(x);
	}
}

static void a_name_with_a_nul_inside_proves_nothing(void **state)
{
	X509 *x = make(NULL, "x", NULL);
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	GENERAL_NAME *gn = GENERAL_NAME_new();
	ASN1_IA5STRING *s = ASN1_IA5STRING_new();

	(void)state;
	ASN1_STRING_set(s, "beta.example\0.evil.example", 26);
	GENERAL_NAME_set0_value(gn, GEN_DNS, s);
	sk_GENERAL_NAME_push(names, gn);
	X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0);
	GENERAL_NAMES_free(names);
	assert_false(cert_covers(x, "beta.example"));
	X509_free(x);
}

static void names_are_listed_as_far_as_they_fit(void **state)
{
	X509 *x = make(NULL, "x", "DNS:A.example,DNS:*.w.example,DNS:b.example");
	char buf[64], small[10];

	(void)state;
	assert_int_equal(cert_names(x, buf, sizeof(buf)), 2);
	assert_string_equal(buf, "a.example b.example");
	assert_int_equal(cert_names(x, small, sizeof(small)), 2);
	assert_string_equal(small, "");
	X509_free(x);
}

static void a_bad_pair_is_refused_in_one_clear_line(void **state)
{
	struct cert_store *cs;
	EVP_PKEY *ka, *kb;
	X509 *a = make(&ka, "x", "DNS:alpha.example"),
	     *b = make(&kb, "x", "DNS:beta.example");
	char *why = NULL;
	FILE *f;

	(void)state;
	store("a.pem", "a.key", a, ka);
	store("b.pem", "b.key", b, kb);
	assert_int_equal(cert_store_alloc(&cs), 0);

	assert_int_equal(
		cert_store_add(cs, &why, "alpha.example", file("b.pem"), file("b.key")),
		EINVAL);
	assert_non_null(
		strstr(why, "does not cover alpha.example (it is for: beta.example)"));
	why = mem_deref(why);
	assert_int_equal(
		cert_store_add(cs, &why, "alpha.example", file("a.pem"), file("b.key")),
		EINVAL);
	assert_non_null(strstr(why, "is not the key of the certificate"));
	why = mem_deref(why);
	assert_int_equal(
		cert_store_add(cs, &why, "alpha.example", file("none"), file("a.key")),
		ENOENT);
	assert_non_null(strstr(why, "cannot be read"));
	why = mem_deref(why);
	assert_int_equal(
		cert_store_add(cs, &why, "alpha.example", file("a.key"), file("a.key")),
		EINVAL);
	assert_non_null(strstr(why, "holds no certificate"));
	why = mem_deref(why);
	f = fopen(file("b.key"), "w");
	fputs("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", f);
	fclose(f);
	assert_int_equal(
		cert_store_add(cs, NULL, "alpha.example", file("a.pem"), file("b.key")),
		EINVAL);
	assert_int_equal(
		cert_store_add(cs, &why, "alpha.example", file("a.pem"), file("a.key")),
		0);
	assert_null(why);
	mem_deref(cs);
	X509_free(a);
	X509_free(b);
	EVP_PKEY_free(ka);
	EVP_PKEY_free(kb);
}

static void a_leaf_without_a_name_is_told_so(void **state)
{
	static const struct {
		const char *cn, *san, *has;
	} cases[] = {
		{"x", "DNS:*.Example", "(it is for: *.example; wildcards do not do)"},
		{"x", "email:a@b.example,DNS:*.b.example", "(it is for: *.b.example; "},
		{"alpha.example", NULL, "(it has a common name only)"},
		{"x", "IP:192.0.2.1", "(it is for: no name)"},
		{"x", "DNS:*", "(it is for: no name)"},
		{"x", "DNS:*.w.example,DNS:b.example", "(it is for: b.example)"},
	};
	struct cert_store *cs;

	(void)state;
	assert_int_equal(cert_store_alloc(&cs), 0);
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		char *why = NULL;
		EVP_PKEY *key;
		X509 *x = make(&key, cases[i].cn, cases[i].san);

		store("a.pem", "a.key", x, key);
		assert_int_equal(cert_store_add(cs, &why, "alpha.example", file("a.pem"),
						file("a.key")),
				 EINVAL);
		if (!strstr(why, cases[i].has))
			fail_msg("want %s, got %s", cases[i].has, why);
		mem_deref(why);
		X509_free(x);
		EVP_PKEY_free(key);
	}
	mem_deref(cs);
}

/* Both forms of PEM: PKCS #8, and what openssl wrote in former times. */
static void an_encrypted_key_is_told_so(void **state)
{
	struct cert_store *cs;
	EVP_PKEY *key;
	X509 *x = make(&key, "x", "DNS:alpha.example");

	(void)state;
	store("a.pem", "a.key", x, key);
	assert_int_equal(cert_store_alloc(&cs), 0);
	for (int old = 0; old < 2; old++) {
		BIO *bio = BIO_new_file(file("a.key"), "w");
		char *why = NULL;

		assert_int_equal(old ? PEM_write_bio_PrivateKey_traditional(
					       bio, key, EVP_aes_128_cbc(),
					       (const uint8_t *)"secret", 6, NULL, NULL)
				     : PEM_write_bio_PrivateKey(
					       bio, key, EVP_aes_128_cbc(),
					       (const uint8_t *)"secret", 6, NULL, NULL),
				 1);
		BIO_free(bio);
		assert_int_equal(cert_store_add(cs, &why, "alpha.example", file("a.pem"),
						file("a.key")),
				 EINVAL);
		if (!strstr(why, "a.key is encrypted; openssl pkey -in "))
			fail_msg("got %s", why);
		mem_deref(why);
	}
	mem_deref(cs);
	X509_free(x);
	EVP_PKEY_free(key);
}

static X509 *shown(struct cert_store *cs, SSL_CTX *ctx, const char *domain, bool or_first)
{
	SSL *ssl = SSL_new(ctx);
	X509 *x = NULL;

	if (!cert_store_use(cs, ssl, domain, or_first)) {
		x = SSL_get_certificate(ssl);
		X509_up_ref(x);
	}
	SSL_free(ssl);
	return x;
}

static void a_new_pair_is_taken_and_a_broken_one_is_not(void **state)
{
	struct cert_store *cs;
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	EVP_PKEY *k1, *k2;
	X509 *one = make(&k1, "one", "DNS:alpha.example"), *x;
	X509 *two = make(&k2, "two", "DNS:alpha.example");
	int64_t expiry_s;
	FILE *f;

	(void)state;
	store("a.pem", "a.key", one, k1);
	assert_int_equal(cert_store_alloc(&cs), 0);
	assert_int_equal(
		cert_store_add(cs, NULL, "alpha.example", file("a.pem"), file("a.key")),
		0);
	assert_int_equal(cert_store_poll(cs), 0);
	x = shown(cs, ctx, "ALPHA.example", false);
	assert_int_equal(X509_cmp(x, one), 0);
	X509_free(x);
	assert_null(shown(cs, ctx, "other.example", false));
	x = shown(cs, ctx, NULL, true);
	assert_int_equal(X509_cmp(x, one), 0);
	X509_free(x);

	store("a.pem", "a.key", two, k2);
	assert_int_equal(cert_store_poll(cs), 1);
	x = shown(cs, ctx, "alpha.example", false);
	assert_int_equal(X509_cmp(x, two), 0);
	X509_free(x);

	f = fopen(file("a.pem"), "w");
	fputs("half a certif", f);
	fclose(f);
	assert_int_equal(cert_store_poll(cs), 0);
	assert_int_equal(cert_store_poll(cs), 0);
	x = shown(cs, ctx, "alpha.example", false);
	assert_int_equal(X509_cmp(x, two), 0);
	X509_free(x);
	assert_int_equal(cert_store_expiry(cs, "alpha.example", &expiry_s), 0);
	assert_true(expiry_s > 1700000000);
	assert_int_equal(cert_store_expiry(cs, "b.example", &expiry_s), ENOENT);
	mem_deref(cs);
	SSL_CTX_free(ctx);
	X509_free(one);
	X509_free(two);
	EVP_PKEY_free(k1);
	EVP_PKEY_free(k2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_rfc_5922_says_proves_a_domain),
		cmocka_unit_test(a_name_with_a_nul_inside_proves_nothing),
		cmocka_unit_test(names_are_listed_as_far_as_they_fit),
		cmocka_unit_test(a_bad_pair_is_refused_in_one_clear_line),
		cmocka_unit_test(a_leaf_without_a_name_is_told_so),
		cmocka_unit_test(an_encrypted_key_is_told_so),
		cmocka_unit_test(a_new_pair_is_taken_and_a_broken_one_is_not),
	};

	return cmocka_run_group_tests_name("cert", tests, setup, teardown);
}
