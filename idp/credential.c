/* idp/credential.c - see credential.h. Called by shelf.c (which keeps them) and judge.c.
 * RFC 8226 §9 (TNAuthList), RFC 5922 §7 (names, in lib/cert.c), RFC 5280 §4.2.1, §6; RFC 5924 (purpose). */
#include "idp/credential.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/cert.h"
#include "lib/clock.h"

#define OID_TN_AUTH_LIST "1.3.6.1.5.5.7.1.26"
#define OID_SIP_DOMAIN   "1.3.6.1.5.5.7.3.20"

/* Constraints on what a PASSporT may claim (RFC 8226 §8, RFC 9118 §4): we do not evaluate them. */
static const char *const oid_constraints[] = {"1.3.6.1.5.5.7.1.27", "1.3.6.1.5.5.7.1.33"};

static void destructor(void *arg)
{
	struct credential *c = arg;

	mem_deref(c->key);
	X509_free(c->leaf);
}

/* ---- authorities ---- */

static int store_load(X509_STORE **sp, char **whyp, const char *file)
{
	X509_STORE *store = X509_STORE_new();
	char text[512];

	if (!store)
		return ENOMEM;
	if (X509_STORE_load_file(store, file) == 1) {
		*sp = store;
		return 0;
	}
	X509_STORE_free(store);
	ERR_clear_error();
	snprintf(text, sizeof(text),
		 "%s holds no authority that can be used; a PEM file of certificates "
		 "would be right",
		 file);
	*whyp = base_dup(text, strlen(text));
	return EINVAL;
}

void authorities_clear(struct authorities *a)
{
	X509_STORE_free(a->sites);
	X509_STORE_free(a->numbers);
	memset(a, 0, sizeof(*a));
}

int authorities_load(struct authorities *a, char **whyp, const char *sites,
		     const char *numbers)
{
	struct authorities fresh = {NULL, NULL};
	int err = store_load(&fresh.sites, whyp, sites);

	if (!err && numbers)
		err = store_load(&fresh.numbers, whyp, numbers);
	if (err) {
		authorities_clear(&fresh);
		return err;
	}
	authorities_clear(a);
	*a = fresh;
	return 0;
}

/* ---- reading ---- */

static bool chain_add(STACK_OF(X509) * chain, X509 *x)
{
	if (x && sk_X509_num(chain) < CREDENTIAL_CHAIN_MAX && sk_X509_push(chain, x) > 0)
		return true;
	X509_free(x);
	return false;
}

/* Blocks of a PEM text; whatever is not a certificate spoils it, above all a private key. */
static const char *read_pem(STACK_OF(X509) * chain, const void *p, size_t n)
{
	BIO *bio = BIO_new_mem_buf(p, (int)n);
	const char *why = NULL;

	while (bio && !why) {
		char *name = NULL, *header = NULL;
		const uint8_t *at;
		uint8_t *der = NULL;
		long len;

		if (PEM_read_bio(bio, &name, &header, &der, &len) != 1)
			break;
		at = der;
		if (strstr(name, "PRIVATE KEY"))
			why = "there is a private key in the file";
		else if (strcmp(name, PEM_STRING_X509) != 0)
			why = "there is something else than certificates in the file";
		else if (!chain_add(chain, d2i_X509(NULL, &at, len)))
			why = "its chain is malformed or too long";
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(der, (size_t)len);
	}
	BIO_free(bio);
	return why;
}

static const char *read_chain(STACK_OF(X509) * chain, const void *p, size_t n)
{
	static const char pem[] = "-----BEGIN ";
	const uint8_t *at = p;
	const char *why = NULL;

	if (n >= sizeof(pem) - 1 && memmem(p, n, pem, sizeof(pem) - 1))
		why = read_pem(chain, p, n);
	else if (!chain_add(chain, d2i_X509(NULL, &at, (long)n)) ||
		 at != (const uint8_t *)p + n)
		why = "it is neither PEM nor DER";
	if (!why && !sk_X509_num(chain))
		why = "there is no certificate in the file";
	ERR_clear_error();
	return why;
}

/* ---- judging ---- */

static bool has_extension(X509 *leaf, const char *oid, const uint8_t **derp, size_t *np)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
	int at = obj ? X509_get_ext_by_OBJ(leaf, obj, -1) : -1;
	X509_EXTENSION *ext = at >= 0 ? X509_get_ext(leaf, at) : NULL;
	ASN1_OCTET_STRING *data = ext ? X509_EXTENSION_get_data(ext) : NULL;

	ASN1_OBJECT_free(obj);
	if (data && derp) {
		*derp = ASN1_STRING_get0_data(data);
		*np = (size_t)ASN1_STRING_length(data);
	}
	return ext != NULL;
}

/* If it says what it is for, this must be among it. DEVIATES: RFC 5924 would have id-kp-sipDomain; a site signs with
 * the certificate that it has for the web. */
static bool purpose_ok(X509 *leaf)
{
	uint32_t known = X509_get_extended_key_usage(leaf),
		 use = X509_get_key_usage(leaf);
	EXTENDED_KEY_USAGE *eku;
	bool ok = known == UINT32_MAX || (known & (XKU_ANYEKU | XKU_SSL_SERVER));

	if (use != UINT32_MAX && !(use & KU_DIGITAL_SIGNATURE))
		return false;
	eku = ok ? NULL : X509_get_ext_d2i(leaf, NID_ext_key_usage, NULL, NULL);
	for (int i = 0; i < sk_ASN1_OBJECT_num(eku) && !ok; i++) {
		char text[64];

		OBJ_obj2txt(text, sizeof(text), sk_ASN1_OBJECT_value(eku, i), 1);
		ok = !strcmp(text, OID_SIP_DOMAIN);
	}
	EXTENDED_KEY_USAGE_free(eku);
	return ok;
}

static bool trusted(X509_STORE *store, STACK_OF(X509) * chain, const char **whyp)
{
	X509_STORE_CTX *ctx = store ? X509_STORE_CTX_new() : NULL;
	bool ok = false;

	if (ctx && X509_STORE_CTX_init(ctx, store, sk_X509_value(chain, 0), chain) == 1) {
		X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);

		X509_VERIFY_PARAM_set_depth(param, CREDENTIAL_CHAIN_MAX);
		X509_VERIFY_PARAM_set_auth_level(
			param, 2); /* 112 bits: no SHA-1, no RSA below 2048 */
		ok = X509_verify_cert(ctx) == 1;
		if (!ok)
			*whyp = X509_verify_cert_error_string(
				X509_STORE_CTX_get_error(ctx));
	}
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

static int64_t time_s(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static const char *judge(struct credential *c, const struct authorities *a,
			 STACK_OF(X509) * chain)
{
	const char *why = "no authority is trusted for it";
	EVP_PKEY *pkey;

	c->from_s = time_s(X509_get0_notBefore(c->leaf));
	c->until_s = time_s(X509_get0_notAfter(c->leaf));
	if (!purpose_ok(c->leaf))
		return "it is meant for something else than signatures of a server";
	for (size_t i = 0; i < N_ELEMS(oid_constraints); i++)
		if (has_extension(c->leaf, oid_constraints[i], NULL, NULL))
			return "it limits what may be claimed, which is not evaluated here";
	pkey = X509_get0_pubkey(c->leaf);
	if (!pkey || es256_alloc(&c->key, pkey))
		return "its key is none of P-256";
	c->for_sites = trusted(a->sites, chain, &why);
	c->for_numbers = trusted(a->numbers, chain, &why);
	if (c->for_sites || c->for_numbers)
		return NULL;
	c->key = mem_deref(c->key);
	return why;
}

int credential_alloc(struct credential **cp, const struct authorities *a, const void *p,
		     size_t n)
{
	struct credential *c = mem_zalloc(sizeof(*c), destructor);
	STACK_OF(X509) *chain = sk_X509_new_null();
	const char *why;

	if (!c || !chain) {
		mem_deref(c);
		sk_X509_free(chain);
		return ENOMEM;
	}
	why = read_chain(chain, p, n);
	if (!why) {
		c->leaf = sk_X509_value(chain, 0);
		X509_up_ref(c->leaf);
		why = judge(c, a, chain);
	}
	snprintf(c->why, sizeof(c->why), "%s", why ? why : "");
	sk_X509_pop_free(chain, X509_free);
	*cp = c;
	return 0;
}

/* ---- numbers ---- */

struct der {
	const uint8_t *p, *end;
};

/* One element with one byte of tag and a definite length; its content. */
static bool der_take(struct der *d, uint8_t *tag, struct der *content)
{
	size_t len;

	if (d->end - d->p < 2)
		return false;
	*tag = d->p[0];
	len = d->p[1];
	d->p += 2;
	if (len & 0x80) {
		unsigned n = len & 0x7f;

		if (!n || n > 2 || d->end - d->p < (ptrdiff_t)n)
			return false;
		for (len = 0; n; n--)
			len = len << 8 | *d->p++;
	}
	if ((size_t)(d->end - d->p) < len)
		return false;
	*content = (struct der){d->p, d->p + len};
	d->p += len;
	return true;
}

enum { DER_INTEGER = 0x02, DER_IA5 = 0x16, DER_SEQUENCE = 0x30, DER_TAG = 0xa0 };

static bool der_is(const struct der *d, const char *text)
{
	size_t n = strlen(text);

	return (size_t)(d->end - d->p) == n && !memcmp(d->p, text, n);
}

static bool der_number(const struct der *d, uint64_t *v)
{
	*v = 0;
	if (d->p == d->end || d->end - d->p > NAME_TN_MAX)
		return false;
	for (const uint8_t *p = d->p; p < d->end; p++) {
		if (*p < '0' || *p > '9')
			return false;
		*v = *v * 10 + (*p - '0');
	}
	return true;
}

/* start, and how many from there; as many digits in all of them */
static bool range_has(struct der d, const char *tn)
{
	struct der seq, start, count,
		number = {(const uint8_t *)tn, (const uint8_t *)tn + strlen(tn)};
	uint64_t first, n = 0, v;
	uint8_t tag;

	if (!der_take(&d, &tag, &seq) || tag != DER_SEQUENCE ||
	    !der_take(&seq, &tag, &start) || tag != DER_IA5 ||
	    !der_take(&seq, &tag, &count) || tag != DER_INTEGER ||
	    count.end - count.p > 7 || count.p == count.end || (*count.p & 0x80))
		return false;
	for (const uint8_t *p = count.p; p < count.end; p++)
		n = n << 8 | *p;
	return der_number(&start, &first) && der_number(&number, &v) &&
	       start.end - start.p == number.end - number.p && v >= first &&
	       v - first < n;
}

bool credential_list_has(const uint8_t *der, size_t n, const char *tn)
{
	struct der all = {der, der + n}, list, entry, text;
	uint8_t tag;

	if (!der_take(&all, &tag, &list) || tag != DER_SEQUENCE || all.p != all.end)
		return false;
	while (list.p < list.end) {
		if (!der_take(&list, &tag, &entry))
			return false;
		switch (tag) {
		case DER_TAG: /* spc */
			if (der_take(&entry, &tag, &text) && tag == DER_IA5 &&
			    text.p < text.end)
				return true;
			break;
		case DER_TAG + 1:
			if (range_has(entry, tn))
				return true;
			break;
		case DER_TAG + 2:
			if (der_take(&entry, &tag, &text) && tag == DER_IA5 &&
			    der_is(&text, tn))
				return true;
			break;
		default:
			return false;
		}
	}
	return false;
}

bool credential_covers(const struct credential *c, char why[CREDENTIAL_WHY_BYTES],
		       const struct name *name)
{
	const char *domain = strchr(name->text, '@');
	const uint8_t *der;
	size_t n;

	if (!c->key)
		snprintf(why, CREDENTIAL_WHY_BYTES, "%s", c->why);
	else if (name->tn) {
		if (c->for_numbers &&
		    has_extension(c->leaf, OID_TN_AUTH_LIST, &der, &n) &&
		    credential_list_has(der, n, name->text))
			return true;
		snprintf(why, CREDENTIAL_WHY_BYTES, "it is for no such telephone number");
	} else {
		if (c->for_sites && domain && cert_covers(c->leaf, domain + 1))
			return true;
		snprintf(why, CREDENTIAL_WHY_BYTES, "it is not for the caller's domain");
	}
	return false;
}

/* One that vouches for nobody is looked at again soon, one that ends soon no later than then. */
static int shelf_make(void **thingp, char why[SHELF_WHY_BYTES], uint64_t *keep_s,
		      void *arg, const void *p, size_t n)
{
	struct credential *c = NULL;
	int64_t left_s;

	if (credential_alloc(&c, arg, p, n))
		return ENOMEM;
	left_s = c->until_s - clock_wall_s();
	if (!c->key)
		*keep_s = SHELF_FAILED_S;
	else if (left_s >= 0 && *keep_s > (uint64_t)left_s)
		*keep_s = (uint64_t)left_s;
	snprintf(why, SHELF_WHY_BYTES, "%s", c->why);
	*thingp = c;
	return 0;
}

const struct shelf_kind credential_kind = {
	.fetched_event = "idp.certificate.fetched",
	.failed_event = "idp.certificate.unreachable",
	.busy = "too many certificates are being fetched",
	.kept_s = 3600,
	.kept_max_s = 86400,
	.n_per_domain = 4,
	.make = shelf_make,
};
