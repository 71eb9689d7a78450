/* test_idp_judge.c - a request and its Identity, judged against a clock of the test's own and a certificate made here:
 * the edges of time, replays, numbers and lists of numbers. No socket: the certificate lies on the shelf already. */
#include "idp/b64url.h"
#include "idp/judge.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <cmocka.h>
#include <unistd.h>

#define URL  "https://a.test/chain.pem"
#define FROM "sip:alice@a.test"
#define TO   "sip:bob@b.test"
static const char sdp_text[] = "v=0\r\na=fingerprint:sha-256 AB:CD\r\n";

static int64_t clock_s;

static int64_t now_s(void)
{
	return clock_s;
}

struct world {
	EVP_PKEY *key;
	struct authorities authorities;
	struct fetcher *fetcher;
	struct shelf *shelf;
	struct judge_court court;
	struct identity_verdict verdict;
	unsigned n_verdicts;
};

static void add(X509 *x, const char *oid, const char *value)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	uint8_t der[64];
	size_t n = 0;
	X509_EXTENSION *ext;

	for (; *value; value += 2)
		assert_int_equal(sscanf(value, "%2hhx", &der[n++]), 1);
	ASN1_OCTET_STRING_set(octets, der, (int)n);
	ext = X509_EXTENSION_create_by_OBJ(NULL, obj, 0, octets);
	X509_add_ext(x, ext, -1);
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(octets);
	ASN1_OBJECT_free(obj);
}

/* Self-signed, and trusted as it is: for a.test, and for the numbers of `list` (DER in hex). */
static X509 *make(EVP_PKEY *key, const char *list)
{
	X509 *x = X509_new();
	X509_EXTENSION *ext =
		X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:a.test");

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
				   (const uint8_t *)"test", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_add_ext(x, ext, -1);
	X509_EXTENSION_free(ext);
	if (list)
		add(x, "1.3.6.1.5.5.7.1.26", list);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

static void open_world(struct world *w, const char *list, bool for_numbers)
{
	struct fetch_config fetch = {.timeout_ms = 1000};
	struct shelf_config shelf = {
		.kind = &credential_kind, .n_fetches = 1, .timeout_ms = 1000};
	BIO *bio = BIO_new(BIO_s_mem());
	X509 *x;
	char *pem;
	long n;

	memset(w, 0, sizeof(*w));
	clock_s = time(NULL);
	w->key = EVP_EC_gen("P-256");
	x = make(w->key, list);
	w->authorities.sites = X509_STORE_new();
	w->authorities.numbers = for_numbers ? X509_STORE_new() : NULL;
	X509_STORE_add_cert(for_numbers ? w->authorities.numbers : w->authorities.sites,
			    x);
	PEM_write_bio_X509(bio, x);
	n = BIO_get_mem_data(bio, &pem);
	assert_int_equal(fetcher_alloc(&w->fetcher, &fetch), 0);
	shelf.fetcher = w->fetcher;
	shelf.arg = &w->authorities;
	assert_int_equal(shelf_alloc(&w->shelf, &shelf), 0);
	assert_int_equal(shelf_put(w->shelf, URL, "a.test", pem, (size_t)n, 0), 0);
	assert_int_equal(shelf_put(w->shelf, URL, "a.test", pem, (size_t)n, 0), EEXIST);
	w->court = (struct judge_court){
		.shelf = w->shelf, .fresh_s = 60, .numbers = for_numbers, .now_s = now_s};
	assert_int_equal(copies_alloc(&w->court.copies, 100, 120), 0);
	BIO_free(bio);
	X509_free(x);
}

static void close_world(struct world *w)
{
	mem_deref(w->court.copies);
	mem_deref(w->shelf);
	mem_deref(w->fetcher);
	authorities_clear(&w->authorities);
	EVP_PKEY_free(w->key);
}

/* A header signed by the world's key. */
static const char *sign(char *buf, size_t size, struct world *w, const char *ppt,
			const char *from, int64_t iat_s, const char *sdp, bool compact)
{
	char text[4096], sig64[100];
	uint8_t sig[ES256_BYTES];
	struct es256 *k = NULL;
	struct name orig, dest;
	struct mky mky;
	size_t n;

	assert_int_equal(name_parse(&orig, from, strlen(from)), 0);
	assert_int_equal(name_parse(&dest, TO, strlen(TO)), 0);
	assert_int_equal(mky_read(&mky, sdp, strlen(sdp)), 0);
	n = passport_print(text, sizeof(text), "ES256", ppt, URL, &orig, &dest, iat_s,
			   &mky);
	assert_int_equal(es256_alloc(&k, w->key), 0);
	assert_int_equal(es256_sign(k, sig, text, n), 0);
	mem_deref(k);
	sig64[b64url_encode(sig64, sig, sizeof(sig))] = '\0';
	snprintf(buf, size, "%.*s.%s;info=<" URL ">", compact ? 1 : (int)n,
		 compact ? "." : text, sig64);
	return buf;
}

static void judged(const struct identity_verdict *v, void *arg)
{
	struct world *w = arg;

	w->verdict = *v;
	w->n_verdicts++;
}

/* The case as far as it comes by itself. */
static struct judge_case *try(struct world *w, const char *from, int64_t date_s,
			      const char *call, char **headerv)
{
	struct identity_case ic = {
		.headerv = headerv,
		.from = from,
		.to = TO,
		.date_s = date_s,
		.sdp = sdp_text,
		.sdp_len = sizeof(sdp_text) - 1,
		.call_id = call,
	};
	struct judge_case *c = NULL;

	w->n_verdicts = 0;
	assert_int_equal(judge_case_alloc(&c, &ic), 0);
	judge_begin(c, &w->court, judged, w);
	return c;
}

static unsigned judge(struct world *w, const char *from, int64_t date_s, const char *call,
		      const char *header)
{
	char *headerv[] = {(char *)(uintptr_t)header, NULL};
	struct judge_case *c = try(w, from, date_s, call, headerv);

	assert_int_equal(w->n_verdicts, 1);
	mem_deref(c);
	return w->verdict.status;
}

static void both_edges_of_the_minute(void **state)
{
	static const struct {
		int off_s;
		unsigned status;
	} rows[] = {{0, 0},  {-59, 0},  {-60, 0},    {-61, 403}, {59, 0},
		    {60, 0}, {61, 403}, {-600, 403}, {600, 403}};
	char header[8192];
	struct world w;

	(void)state;
	open_world(&w, NULL, false);
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		int64_t t = clock_s + rows[i].off_s;

		sign(header, sizeof(header), &w, NULL, FROM, t, sdp_text, false);
		assert_int_equal(judge(&w, FROM, t, "c", header), rows[i].status);
		assert_int_equal(judge(&w, FROM, 0, "c", header), rows[i].status);
		/* a Date of its own does not count beside a whole token */
		assert_int_equal(judge(&w, FROM, clock_s - 500, "c", header),
				 rows[i].status);
		sign(header, sizeof(header), &w, NULL, FROM, t, sdp_text, true);
		assert_int_equal(judge(&w, FROM, t, "c", header), rows[i].status);
		assert_int_equal(judge(&w, FROM, 0, "c", header), 403);
	}
	/* fresh by a clock that is wrong by hours, but then the certificate was not valid */
	clock_s += 7200;
	sign(header, sizeof(header), &w, NULL, FROM, clock_s, sdp_text, false);
	assert_int_equal(judge(&w, FROM, clock_s, "c", header), 403);
	close_world(&w);
}

static void a_copy_is_known_by_r_alone(void **state)
{
	char header[8192], mirrored[8192];
	uint8_t sig[ES256_BYTES];
	BIGNUM *order = NULL, *s = NULL;
	struct world w;
	const char *dot;
	size_t n;

	(void)state;
	open_world(&w, NULL, false);
	sign(header, sizeof(header), &w, NULL, FROM, clock_s, sdp_text, false);
	assert_int_equal(judge(&w, FROM, clock_s, "one", header), 0);
	assert_int_equal(judge(&w, FROM, clock_s, "one", header), 0);
	assert_int_equal(judge(&w, FROM, clock_s, "two", header), 438);
	/* (r, n - s) is a valid signature of the same text */
	dot = strchr(strchr(header, '.') + 1, '.') + 1;
	assert_int_equal(b64url_decode(sig, sizeof(sig), &n, dot, strcspn(dot, ";")), 0);
	BN_hex2bn(&order,
		  "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
	s = BN_bin2bn(sig + 32, 32, NULL);
	BN_sub(s, order, s);
	BN_bn2binpad(s, sig + 32, 32);
	BN_free(s);
	BN_free(order);
	n = (size_t)(dot - header);
	memcpy(mirrored, header, n);
	n += b64url_encode(mirrored + n, sig, sizeof(sig));
	snprintf(mirrored + n, sizeof(mirrored) - n, ";info=<" URL ">");
	assert_string_not_equal(header, mirrored);
	assert_int_equal(judge(&w, FROM, clock_s, "one", mirrored), 0);
	assert_int_equal(judge(&w, FROM, clock_s, "two", mirrored), 438);
	close_world(&w);
}

static void copies_are_forgotten_in_time(void **state)
{
	uint8_t r[3][COPIES_R_BYTES] = {{1}, {2}, {3}};
	struct copies *c = NULL;

	(void)state;
	assert_int_equal(copies_alloc(&c, 2, 10), 0);
	assert_int_equal(copies_see(c, r[0], "a", 0), 0);
	assert_int_equal(copies_see(c, r[0], "b", 9999999), EALREADY);
	assert_int_equal(copies_see(c, r[0], "b", 10000000), 0);
	/* a third one takes the place of the oldest */
	assert_int_equal(copies_see(c, r[1], "a", 10000001), 0);
	assert_int_equal(copies_see(c, r[2], "a", 10000002), 0);
	assert_int_equal(copies_see(c, r[2], "b", 10000003), EALREADY);
	mem_deref(c);
}

static void a_domain_vouches_for_no_number_and_the_other_way_round(void **state)
{
	char header[8192];
	struct world w;

	(void)state;
	/* one: 4930123 */
	open_world(&w,
		   "300BA2091607"
		   "34393330313233",
		   false);
	sign(header, sizeof(header), &w, NULL, "tel:+4930123", clock_s, sdp_text, false);
	assert_int_equal(judge(&w, "sip:+4930123@a.test", clock_s, "c", header), 437);
	close_world(&w);
	open_world(&w,
		   "300BA2091607"
		   "34393330313233",
		   true);
	sign(header, sizeof(header), &w, NULL, "tel:+4930123", clock_s, sdp_text, false);
	assert_int_equal(judge(&w, "sip:+4930123@a.test", clock_s, "c", header), 0);
	assert_true(w.verdict.number);
	sign(header, sizeof(header), &w, NULL, "tel:+4930124", clock_s, sdp_text, false);
	assert_int_equal(judge(&w, "sip:+4930124@a.test", clock_s, "c", header), 437);
	sign(header, sizeof(header), &w, NULL, FROM, clock_s, sdp_text, false);
	assert_int_equal(judge(&w, FROM, clock_s, "c", header), 437);
	close_world(&w);
}

/* RFC 8224 §6.2: the request is as good as its best header; when none is good, the answer is that of the one that came
 * furthest, wherever it stands. */
static void of_several_headers_the_best_counts(void **state)
{
	/* in the order of the rows */
	static const unsigned due[] = {428, 438, 436, 403, 438, 0};
	char v[N_ELEMS(due)][8192], *at;
	struct world w;

	(void)state;
	open_world(&w, NULL, false);
	for (size_t i = 0; i < N_ELEMS(due); i++) {
		bool stale = i == 3, other = i == 4;

		sign(v[i], sizeof(v[i]), &w, i ? NULL : "x-test",
		     i == 1 ? "sip:eve@a.test" : FROM, clock_s - (stale ? 100 : 0),
		     other ? "a=fingerprint:sha-256 AB:CE\r\n" : sdp_text, false);
	}
	strcat(v[0], ";ppt=x-test");
	at = strstr(v[2], "https://a.test/");
	assert_non_null(at);
	memcpy(at, "https://b.test/", 15);
	for (size_t i = 0; i < N_ELEMS(due); i++) {
		for (size_t k = 0; k < N_ELEMS(due); k++) {
			char *headerv[] = {v[i], v[k], NULL};
			struct judge_case *c = try(&w, FROM, clock_s, "c", headerv);

			assert_int_equal(w.n_verdicts, 1);
			assert_int_equal(w.verdict.status, due[i > k ? i : k]);
			mem_deref(c);
		}
	}
	close_world(&w);
}

/* Where a number's certificate lies is the caller's to say; how many are fetched for him goes by his domain. */
static void a_thousand_hosts_for_numbers_of_one_domain(void **state)
{
	struct judge_case *cases[20];
	unsigned n_refused = 0;
	char header[8192], other[8192], *at;
	struct world w;

	(void)state;
	open_world(&w, "300BA209160734393330313233", true);
	sign(header, sizeof(header), &w, NULL, "tel:+4930123", clock_s, sdp_text, false);
	at = strstr(header, "https://a.test/");
	assert_non_null(at);
	for (unsigned i = 0; i < N_ELEMS(cases); i++) {
		char *headerv[] = {other, NULL};

		snprintf(other, sizeof(other), "%.*shttps://h%u.test/chain.pem>",
			 (int)(at - header), header, i);
		cases[i] = try(&w, "sip:+4930123@a.test", clock_s, "c", headerv);
		if (w.n_verdicts) {
			assert_int_equal(w.verdict.status, 436);
			n_refused++;
		}
	}
	assert_int_equal(n_refused, N_ELEMS(cases) - credential_kind.n_per_domain);
	for (unsigned i = 0; i < N_ELEMS(cases); i++)
		mem_deref(cases[i]);
	close_world(&w);
}

static bool has(const char *hex, const char *tn)
{
	uint8_t der[256];
	size_t n = 0;

	for (; *hex; hex += 2)
		assert_int_equal(sscanf(hex, "%2hhx", &der[n++]), 1);
	return credential_list_has(der, n, tn);
}

static void lists_of_numbers(void **state)
{
	(void)state;
	/* RFC 8226 §9, explicit tags: spc "1234" */
	assert_true(has("3008A00616043132"
			"3334",
			"4930123"));
	/* range from 4930100, 25 of them: up to 4930124 */
	assert_true(has("3010A10E300C16073439333031303002"
			"0119",
			"4930100"));
	assert_true(has("3010A10E300C16073439333031303002"
			"0119",
			"4930124"));
	assert_false(has("3010A10E300C16073439333031303002"
			 "0119",
			 "4930125"));
	assert_false(has("3010A10E300C16073439333031303002"
			 "0119",
			 "4930099"));
	assert_false(has("3010A10E300C16073439333031303002"
			 "0119",
			 "04930100"));
	/* one after a range that does not hold it */
	assert_true(has("301BA10E300C1607343933303130300201"
			"19A209160734393330313939",
			"4930199"));
	/* negative count, cut, trailing bytes, an unknown tag, nothing */
	assert_false(has("3010A10E300C16073439333031303002"
			 "01FF",
			 "4930100"));
	assert_false(has("3010A10E300C160734393330313030", "4930100"));
	assert_false(has("3008A00616043132"
			 "333400",
			 "4930123"));
	assert_false(has("3003A30100", "4930123"));
	assert_false(has("3000", "4930123"));
	assert_false(has("", "4930123"));
	assert_false(has("3080", "4930123"));
}

static void addresses_that_may_be_asked(void **state)
{
	static const struct {
		const char *url;
		bool ok;
	} rows[] = {
		{"https://a.test", true},
		{"https://A.TEST/x?y", true},
		{"HTTPS://b.c.a.test:8443/x", true},
		{"https://a.test.:443/", true},
		{"http://a.test/", false},
		{"https://xa.test/", false},
		{"https://a.test.b.test/", false},
		{"https://b.test/a.test", false},
		{"https://u@a.test/", false},
		{"https://a.test@b.test/", false},
		{"https://b.test#a.test", false},
		{"https://b.test\\a.test", false},
		{"https://a.test:0/", false},
		{"https://a.test:65536/", false},
		{"https://a.test:/", false},
		{"https://a.test:x/", false},
		{"https:///x", false},
		{"https://", false},
		{"https://127.0.0.1/", false},
		{"https://[::1]/", false},
		{"https://2130706433/", false},
		{"cid:x", false},
		{"", false},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		assert_int_equal(fetch_url_ok(rows[i].url, "a.test"), rows[i].ok);
	assert_true(fetch_url_ok("https://any.example/x", NULL));
	assert_false(fetch_url_ok("https://10.0.0.1/x", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_edges_of_the_minute),
		cmocka_unit_test(a_copy_is_known_by_r_alone),
		cmocka_unit_test(copies_are_forgotten_in_time),
		cmocka_unit_test(a_domain_vouches_for_no_number_and_the_other_way_round),
		cmocka_unit_test(of_several_headers_the_best_counts),
		cmocka_unit_test(a_thousand_hosts_for_numbers_of_one_domain),
		cmocka_unit_test(lists_of_numbers),
		cmocka_unit_test(addresses_that_may_be_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
