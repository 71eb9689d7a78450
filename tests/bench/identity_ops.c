/* tests/bench/identity_ops.c - what signing and verifying PASSporTs cost, beside the bare signature in OpenSSL: the
 * functions of the identity thread, on one thread, in turns with the bare ones.
 *
 *   identity_ops CERT KEY TRUST DOMAIN ROUNDS MS      one line of JSON: operations per CPU second, each round's
 * MS: CPU time that each kind gets in a round. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <time.h>

#include "idp/judge.h"
#include "idp/pen.h"
#include "lib/log.h"

static struct {
	struct config config;
	struct site_config site;
	struct pens *pens;
	struct pen_job job;
	char *chain, *header; /* what others fetch; what is verified */
	char date[IDENTITY_DATE_BYTES];
	char url[HEADER_URL_MAX + 1];
	struct judge_court court;
	struct authorities authorities;
	char from[300], to[300];
	unsigned n_good;
	/* the bare ones */
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *sign, *verify;
	uint8_t der[80];
	size_t der_len, text_len;
} b;

static const char sdp[] =
	"v=0\r\na=fingerprint:sha-256 "
	"4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:3E:4B:65:2E:7D:"
	"46:3F:54:42:CD:54:F1\r\n";

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "identity_ops: %s\n", what);
	exit(2);
}

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- what is measured ---- */

static void passport_sign(void)
{
	char *header = NULL;

	must(!pen_sign(&header, b.date, b.pens, &b.job, time(NULL)), "pen_sign");
	mem_deref(header);
}

static void judged(const struct identity_verdict *v, void *arg)
{
	(void)arg;
	must(!v->status, v->why);
	b.n_good++;
}

static void passport_verify(void)
{
	char *headerv[] = {b.header, NULL};
	struct identity_case ic = {
		.headerv = headerv,
		.from = b.from,
		.to = b.to,
		.sdp = sdp,
		.sdp_len = sizeof(sdp) - 1,
		.call_id = "one",
	};
	struct judge_case *c = NULL;
	unsigned before = b.n_good;

	must(!judge_case_alloc(&c, &ic), "judge_case_alloc");
	judge_begin(c, &b.court, judged, NULL);
	mem_deref(c);
	must(b.n_good == before + 1, "no verdict at once");
}

static void bare_sign(void)
{
	uint8_t hash[SHA256_DIGEST_LENGTH], der[sizeof(b.der)];
	size_t n = sizeof(der);

	SHA256((const uint8_t *)b.header, b.text_len, hash);
	must(EVP_PKEY_sign(b.sign, der, &n, hash, sizeof(hash)) == 1, "EVP_PKEY_sign");
}

static void bare_verify(void)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];

	SHA256((const uint8_t *)b.header, b.text_len, hash);
	must(EVP_PKEY_verify(b.verify, b.der, b.der_len, hash, sizeof(hash)) == 1,
	     "EVP_PKEY_verify");
}

/* Operations per second of CPU. */
static double rate(void (*op)(void), double seconds)
{
	enum { BATCH = 20 };
	double begun = cpu_s(), now;
	unsigned n = 0;

	do {
		for (int i = 0; i < BATCH; i++)
			op();
		n += BATCH;
		now = cpu_s();
	} while (now - begun < seconds);
	return n / (now - begun);
}

/* ---- set-up ---- */

static void on_chain(const char *site, const char *name, const char *text, void *arg)
{
	(void)site;
	(void)name;
	(void)arg;
	b.chain = base_dup(text, strlen(text));
}

static void names(const char *domain)
{
	struct addr from = {.user = "alice"}, to = {.user = "bob", .host = "beta.test"};

	snprintf(from.host, sizeof(from.host), "%s", domain);
	snprintf(b.job.site, sizeof(b.job.site), "%s", domain);
	name_of(&b.job.orig, &from);
	name_of(&b.job.dest, &to);
	must(!mky_read(&b.job.mky, sdp, sizeof(sdp) - 1), "mky_read");
	snprintf(b.from, sizeof(b.from), "sip:%s", AT(&from));
	snprintf(b.to, sizeof(b.to), "sip:%s", AT(&to));
}

static void open_ours(char **argv)
{
	struct shelf_config shelf = {.kind = &credential_kind,
				     .arg = &b.authorities,
				     .n_fetches = 1,
				     .timeout_ms = 1000};
	char *why = NULL;
	const char *info;

	snprintf(b.site.domain, sizeof(b.site.domain), "%s", argv[4]);
	b.site.certificate = argv[1];
	b.site.key = argv[2];
	b.config.sitev = &b.site;
	b.config.n_sites = 1;
	must(!pens_alloc(&b.pens, &why, &b.config), "pens_alloc");
	pens_listen(b.pens, on_chain, NULL);
	must(b.chain != NULL, "the certificate is not usable");
	names(argv[4]);
	must(!pen_sign(&b.header, b.date, b.pens, &b.job, time(NULL)), "pen_sign");
	info = strstr(b.header, ";info=<");
	snprintf(b.url, sizeof(b.url), "%.*s", (int)strcspn(info + 7, ">"), info + 7);
	must(!authorities_load(&b.authorities, &why, argv[3], NULL), "authorities_load");
	must(!shelf_alloc(&b.court.shelf, &shelf) &&
		     !shelf_put(b.court.shelf, b.url, argv[4], b.chain, strlen(b.chain),
				0) &&
		     !copies_alloc(&b.court.copies, 65536, 120),
	     "out of memory");
	b.court.fresh_s = 600;
}

static void open_bare(const char *key)
{
	FILE *f = fopen(key, "r");
	const char *dot = strrchr(b.header, '.');
	uint8_t hash[SHA256_DIGEST_LENGTH];

	must(f != NULL, key);
	b.pkey = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	dot = strchr(strchr(b.header, '.') + 1, '.');
	b.text_len = (size_t)(dot - b.header);
	b.sign = EVP_PKEY_CTX_new(b.pkey, NULL);
	b.verify = EVP_PKEY_CTX_new(b.pkey, NULL);
	must(EVP_PKEY_sign_init(b.sign) == 1 && EVP_PKEY_verify_init(b.verify) == 1,
	     "OpenSSL");
	SHA256((const uint8_t *)b.header, b.text_len, hash);
	b.der_len = sizeof(b.der);
	must(EVP_PKEY_sign(b.sign, b.der, &b.der_len, hash, sizeof(hash)) == 1,
	     "EVP_PKEY_sign");
}

int main(int argc, char **argv)
{
	static void (*const ops[])(void) = {passport_sign, bare_sign, passport_verify,
					    bare_verify};
	static const char *const names_of[] = {"sign", "bare_sign", "verify",
					       "bare_verify"};
	double v[N_ELEMS(ops)][100];
	int rounds;
	double seconds;

	must(argc == 7, "CERT KEY TRUST DOMAIN ROUNDS MS");
	log_level_set(LOG_ERR);
	rounds = (int)strtol(argv[5], NULL, 10);
	seconds = (double)strtol(argv[6], NULL, 10) / 1000;
	must(rounds > 0 && rounds <= 100 && seconds > 0, "rounds: 1 to 100");
	open_ours(argv);
	open_bare(argv[2]);
	for (size_t k = 0; k < N_ELEMS(ops); k++)
		rate(ops[k], seconds / 4); /* first use of everything */
	for (int i = 0; i < rounds; i++)
		for (size_t k = 0; k < N_ELEMS(ops); k++)
			v[k][i] = rate(ops[k], seconds);
	for (size_t k = 0; k < N_ELEMS(ops); k++) {
		printf("%s\"%s\":[", k ? "," : "{", names_of[k]);
		for (int i = 0; i < rounds; i++)
			printf("%s%.1f", i ? "," : "", v[k][i]);
		printf("]");
	}
	printf("}\n");
	return 0;
}
