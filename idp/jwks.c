/* idp/jwks.c - see jwks.h. Called by assess.c, by way of the shelf that keeps the sets. RFC 7517 §4, §5; RFC 7518 §6.2. */
#include "idp/jwks.h"

#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/err.h>

#include "idp/b64url.h"

enum { COORDINATE = 32, POINT = 1 + 2 * COORDINATE };

struct jwks {
	size_t n;
	struct jwk {
		char kid[JWKS_KID_MAX + 1];
		struct es256 *key;
	} v[JWKS_KEYS_MAX];
};

static void destructor(void *arg)
{
	struct jwks *j = arg;

	for (size_t i = 0; i < j->n; i++)
		mem_deref(j->v[i].key);
}

static bool is(const json_t *key, const char *name, const char *value, bool may_lack)
{
	const json_t *j = json_object_get(key, name);
	const char *s = json_string_value(j);

	return j ? s && !strcmp(s, value) : may_lack;
}

static bool coordinate(uint8_t *out, const json_t *j)
{
	const char *s = json_string_value(j);
	size_t n;

	return s && !b64url_decode(out, COORDINATE, &n, s, json_string_length(j)) &&
	       n == COORDINATE;
}

/* OpenSSL refuses a point that is not on the curve. */
static EVP_PKEY *point_key(uint8_t point[POINT])
{
	char group[] = "prime256v1";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, POINT),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *pkey = NULL;

	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return pkey;
}

/* Errors: EBADMSG not usable: left out; ENOMEM. */
static int add(struct jwks *set, const json_t *key)
{
	struct jwk *k = &set->v[set->n];
	uint8_t point[POINT] = {0x04}; /* uncompressed */
	const json_t *kid = json_object_get(key, "kid");
	const char *name = json_string_value(kid);
	EVP_PKEY *pkey;
	int err;

	if (!is(key, "kty", "EC", false) || !is(key, "crv", "P-256", false) ||
	    !is(key, "use", "sig", true) || !is(key, "alg", "ES256", true) ||
	    json_object_get(key, "d") || !name || !*name ||
	    strlen(name) != json_string_length(kid) || strlen(name) > JWKS_KID_MAX ||
	    jwks_key(set, name) || !coordinate(point + 1, json_object_get(key, "x")) ||
	    !coordinate(point + 1 + COORDINATE, json_object_get(key, "y")))
		return EBADMSG;
	pkey = point_key(point);
	if (!pkey)
		return EBADMSG;
	err = es256_alloc(&k->key, pkey);
	EVP_PKEY_free(pkey);
	if (err)
		return err == ENOMEM ? ENOMEM : EBADMSG;
	snprintf(k->kid, sizeof(k->kid), "%s", name);
	set->n++;
	return 0;
}

int jwks_alloc(struct jwks **jp, const char **whyp, const void *p, size_t n)
{
	struct jwks *set = mem_zalloc(sizeof(*set), destructor);
	json_t *j = json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL);
	const json_t *list = json_object_get(j, "keys");
	int err = set ? 0 : ENOMEM;

	for (size_t i = 0; i < json_array_size(list) && i < JWKS_KEYS_MAX && !err; i++) {
		err = add(set, json_array_get(list, i));
		if (err == EBADMSG)
			err = 0;
	}
	if (!err && !set->n) {
		*whyp = json_is_array(list) ? "there is no usable key among its keys"
					    : "it is no set of keys";
		err = EBADMSG;
	}
	json_decref(j);
	if (err)
		mem_deref(set);
	else
		*jp = set;
	return err;
}

struct es256 *jwks_key(const struct jwks *j, const char *kid)
{
	for (size_t i = 0; i < j->n; i++)
		if (!strcmp(j->v[i].kid, kid))
			return j->v[i].key;
	return NULL;
}

size_t jwks_count(const struct jwks *j)
{
	return j->n;
}
