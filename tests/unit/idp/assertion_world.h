/* assertion_world.h - identity providers with keys made here, what they sign, and a site that judges it; its clock is the
 * test's own. fetch_start() is here, too: what a provider shows is what the test says. */
#ifndef SLUSS_TESTS_UNIT_IDP_ASSERTION_WORLD_H
#define SLUSS_TESTS_UNIT_IDP_ASSERTION_WORLD_H

#include "idp/assess.h"
#include "idp/b64url.h"
#include "idp/jwks.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <setjmp.h>
#include <cmocka.h>

#define A_DIGEST                                                                         \
	"4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:3E:4B:65:2E:7D:"    \
	"46:3F:54:42:CD:54:F1"
#define B_DIGEST                                                                         \
	"02:1A:CC:54:27:AB:EB:9C:53:3F:3E:4B:65:2E:7D:46:3F:54:42:CD:54:F1:7A:03:A2:"    \
	"7D:F9:B0:7F:46:19:B2"
#define ONE "a=fingerprint:sha-256 " A_DIGEST "\r\n"
#define TWO "a=fingerprint:sha-256 " B_DIGEST "\r\n"
#define PRINT(digest)                                                                    \
	"{\\\"algorithm\\\":\\\"sha-256\\\",\\\"digest\\\":\\\"" digest "\\\"}"
#define CONTENTS(list) "{\\\"fingerprint\\\":[" list "]}"

static int64_t clock_s = 1800000000;
static uint64_t clock_us_;

static int64_t now_s(void)
{
	return clock_s;
}

static uint64_t now_us(void)
{
	return clock_us_;
}

/* ---- what providers show ---- */

static struct {
	unsigned n;
	char url[400];
	fetch_h *h;
	void *arg;
} fetched;

int fetch_start(struct fetcher *f, const char *url, fetch_h *h, void *arg)
{
	(void)f;
	fetched.n++;
	snprintf(fetched.url, sizeof(fetched.url), "%s", url);
	fetched.h = h;
	fetched.arg = arg;
	return 0;
}

static void shows(const char *text)
{
	struct fetch_result r = {.p = text, .n = text ? strlen(text) : 0};

	if (!text) {
		r.err = EIO;
		snprintf(r.why, sizeof(r.why), "the server answered with 404");
	}
	fetched.h(&r, fetched.arg);
}

/* ---- a world ---- */

struct world {
	EVP_PKEY *key, *other;
	struct shelf *shelf;
	struct assess_court court;
	struct identity_person person;
	unsigned n_told;
};

/* What a case says and is in the description; NULL: what is right. */
struct fields {
	const char *domain, *protocol, *header, *iss, *sub, *times, *contents, *more,
		*keys;
	EVP_PKEY *key;
	bool broken; /* one bit of the signature is another */
};

static void open_world(struct world *w)
{
	struct shelf_config config = {
		.kind = &jwks_kind, .n_fetches = 4, .timeout_ms = 3000, .now_us = now_us};

	memset(w, 0, sizeof(*w));
	memset(&fetched, 0, sizeof(fetched));
	w->key = EVP_EC_gen("P-256");
	w->other = EVP_EC_gen("P-256");
	assert_int_equal(shelf_alloc(&w->shelf, &config), 0);
	w->court =
		(struct assess_court){.shelf = w->shelf, .slack_s = 60, .now_s = now_s};
}

static void close_world(struct world *w)
{
	assess_own_clear(&w->court);
	mem_deref(w->shelf);
	EVP_PKEY_free(w->key);
	EVP_PKEY_free(w->other);
}

/* {"keys":[…]} of one key; `more` is put into it. */
static const char *jwks(char *buf, size_t size, EVP_PKEY *key, const char *kid,
			const char *more)
{
	char x[50], y[50];
	uint8_t point[65];
	size_t n;

	assert_int_equal(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY,
							 point, sizeof(point), &n),
			 1);
	assert_int_equal(n, 65);
	x[b64url_encode(x, point + 1, 32)] = '\0';
	y[b64url_encode(y, point + 33, 32)] = '\0';
	snprintf(
		buf, size,
		"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"},"
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\",\"kid\":\"%s\"%s}]}",
		x, y, kid, more);
	return buf;
}

static size_t base64(char *out, const char *p, size_t n)
{
	size_t len = b64url_encode(out, p, n);

	for (size_t i = 0; i < len; i++)
		out[i] = out[i] == '-' ? '+' : out[i] == '_' ? '/' : out[i];
	while (len % 4)
		out[len++] = '=';
	out[len] = '\0';
	return len;
}

static void token(char *out, size_t size, struct world *w, const struct fields *f)
{
	char header[512], claims[3000], times[200], sig64[100];
	uint8_t sig[ES256_BYTES];
	struct es256 *k = NULL;
	size_t n;

	snprintf(
		header, sizeof(header), "%s",
		f->header
			? f->header
			: "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"webrtc-id+jwt\"}");
	snprintf(times, sizeof(times), "\"iat\":%lld,\"nbf\":%lld,\"exp\":%lld",
		 (long long)clock_s, (long long)clock_s, (long long)clock_s + 300);
	n = (size_t)snprintf(
		claims, sizeof(claims),
		"{\"iss\":\"%s\",\"sub\":\"%s\",%s,\"jti\":\"x\",\"contents\":\"%s\","
		"\"origin\":\"https://shop.example\"%s}",
		f->iss ? f->iss : "https://idp.example",
		f->sub ? f->sub : "ann@idp.example", f->times ? f->times : times,
		f->contents ? f->contents : CONTENTS(PRINT(A_DIGEST)),
		f->more ? f->more : ",\"ctx\":\"frame\"");
	assert_true(n < sizeof(claims) &&
		    B64URL_LEN(strlen(header)) + B64URL_LEN(n) + 90 < size);
	n = b64url_encode(out, header, strlen(header));
	out[n++] = '.';
	n += b64url_encode(out + n, claims, strlen(claims));
	assert_int_equal(es256_alloc(&k, f->key ? f->key : w->key), 0);
	assert_int_equal(es256_sign(k, sig, out, n), 0);
	mem_deref(k);
	sig[40] ^= f->broken;
	sig64[b64url_encode(sig64, sig, sizeof(sig))] = '\0';
	snprintf(out + n, size - n, ".%s", sig64);
}

static void judged(struct identity_person *p, void *arg)
{
	struct world *w = arg;

	w->person = *p;
	w->n_told++;
}

/* Begins to judge a description with that attribute. */
static struct assess_case *begin(struct world *w, const char *value, const char *keys)
{
	struct addr callee = {.user = "bob", .host = "beta.example"};
	char text[20000];
	struct body *sdp = NULL;
	struct identity_description d = {.callee = &callee, .site = "alpha.example"};
	struct assess_case *c = NULL;

	snprintf(text, sizeof(text), "v=0\r\n%sa=identity:%s\r\nm=audio 9 x 0\r\n", keys,
		 value);
	assert_int_equal(body_alloc(&sdp, text, strlen(text)), 0);
	d.sdp = sdp;
	w->n_told = 0;
	assert_int_equal(assess_case_alloc(&c, &d), 0);
	mem_deref(sdp);
	assess_begin(c, &w->court, judged, w);
	return c;
}

static struct assess_case *begin_fields(struct world *w, const struct fields *f)
{
	char text[8000], json[9000], value[12500];
	size_t n;

	token(text, sizeof(text), w, f);
	n = (size_t)snprintf(json, sizeof(json),
			     "{\"idp\":{\"domain\":\"%s\",\"protocol\":\"%s\"},"
			     "\"assertion\":\"%s\"}",
			     f->domain ? f->domain : "idp.example",
			     f->protocol ? f->protocol : "sluss", text);
	base64(value, json, n);
	return begin(w, value, f->keys ? f->keys : ONE);
}

/* With the keys lying there already. */
static enum identity_status judge(struct world *w, const struct fields *f)
{
	struct assess_case *c = begin_fields(w, f);

	assert_int_equal(w->n_told, 1);
	mem_deref(c);
	return w->person.status;
}

static void put_keys(struct world *w)
{
	char text[1000];

	jwks(text, sizeof(text), w->key, "k1", ",\"use\":\"sig\",\"alg\":\"ES256\"");
	assert_int_equal(assess_own(&w->court, "idp.example", text), 0);
}

#endif
