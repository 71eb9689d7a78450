/* idp/seal.c - see seal.h. The provider's thread (desk.c); OpenSSL makes keys and keeps them as DER, which lies in the store
 * as hex. */
#include "idp/seal.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <strings.h>

#include "idp/b64url.h"
#include "idp/es256.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/secret.h"

enum { COORD = 32, DER_MAX = STORE_KEY_SECRET_MAX / 2 };

struct seal_key {
	struct store_idp_key row; /* its private half is wiped once `key` is made */
	struct es256 *key;
};

struct seal {
	struct le le;
	char *site;
	struct seal_key *keyv; /* the one in use first */
	size_t n_keys;
	uint8_t pairwise[COORD];
};

struct seals {
	struct list list;
	uint32_t keep_s;
};

static void keys_destructor(void *arg)
{
	struct seal *s = arg;

	for (size_t i = 0; i < s->n_keys; i++)
		mem_deref(s->keyv[i].key);
	s->n_keys = 0;
	s->keyv = mem_deref(s->keyv);
}

static void seal_destructor(void *arg)
{
	struct seal *s = arg;

	list_unlink(&s->le);
	keys_destructor(s);
	mem_deref(s->site);
	secret_wipe(s->pairwise, sizeof(s->pairwise));
}

static void seals_destructor(void *arg)
{
	struct seals *all = arg;

	list_flush(&all->list);
}

int seals_alloc(struct seals **sp, uint32_t keep_s)
{
	struct seals *all = mem_zalloc(sizeof(*all), seals_destructor);

	if (!all)
		return ENOMEM;
	all->keep_s = keep_s;
	*sp = all;
	return 0;
}

/* ---- keys ---- */

static void hex_of(char *out, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", p[i]);
}

static int nibble(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int hex_to(uint8_t *out, size_t size, size_t *np, const char *hex)
{
	size_t n = strlen(hex) / 2;

	if (strlen(hex) % 2 || n > size)
		return EBADMSG;
	for (size_t i = 0; i < n; i++) {
		int hi = nibble(hex[2 * i]), lo = nibble(hex[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return EBADMSG;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	*np = n;
	return 0;
}

static void b64_text(char *out, const void *p, size_t n)
{
	out[b64url_encode(out, p, n)] = '\0';
}

static int coordinate(char out[STORE_KID_MAX + 1], EVP_PKEY *pkey, const char *name)
{
	uint8_t raw[COORD];
	BIGNUM *bn = NULL;
	int err = EIO;

	if (EVP_PKEY_get_bn_param(pkey, name, &bn) == 1 &&
	    BN_bn2binpad(bn, raw, sizeof(raw)) == COORD) {
		b64_text(out, raw, sizeof(raw));
		err = 0;
	}
	BN_free(bn);
	return err;
}

/* RFC 7638 §3: the members that are required, in the order of their names, without blanks. */
static int thumbprint(struct store_idp_key *row)
{
	uint8_t sha[SECRET_SHA256_BYTES];
	char text[160];

	snprintf(text, sizeof(text),
		 "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", row->x,
		 row->y);
	if (secret_sha256(sha, text, strlen(text)))
		return EIO;
	b64_text(row->kid, sha, sizeof(sha));
	return 0;
}

static int key_make(struct store_idp_key *row)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	uint8_t *der = NULL;
	int n = pkey ? i2d_PrivateKey(pkey, &der) : -1, err = EIO;

	memset(row, 0, sizeof(*row));
	if (n > 0 && n <= DER_MAX) {
		hex_of(row->secret, der, (size_t)n);
		err = coordinate(row->x, pkey, OSSL_PKEY_PARAM_EC_PUB_X);
		err = err ? err : coordinate(row->y, pkey, OSSL_PKEY_PARAM_EC_PUB_Y);
		err = err ? err : thumbprint(row);
	}
	if (der)
		OPENSSL_clear_free(der, (size_t)n);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return err;
}

static int key_ready(struct seal_key *k)
{
	uint8_t der[DER_MAX];
	const uint8_t *p = der;
	EVP_PKEY *pkey = NULL;
	size_t n;
	int err = hex_to(der, sizeof(der), &n, k->row.secret);

	if (!err) {
		pkey = d2i_AutoPrivateKey(NULL, &p, (long)n);
		err = pkey ? es256_alloc(&k->key, pkey) : EIO;
	}
	EVP_PKEY_free(pkey);
	secret_wipe(der, sizeof(der));
	secret_wipe(k->row.secret, sizeof(k->row.secret));
	ERR_clear_error();
	return err;
}

static int keys_take(struct seal *s, struct store_idp_key *rowv, size_t n)
{
	struct seal_key *v = mem_zalloc(n * sizeof(*v), NULL);
	int err = v ? 0 : ENOMEM;

	for (size_t i = 0; i < n && !err; i++) {
		v[i].row = rowv[i];
		err = key_ready(&v[i]);
	}
	if (err) {
		for (size_t i = 0; v && i < n; i++)
			mem_deref(v[i].key);
		mem_deref(v);
		return err;
	}
	keys_destructor(s);
	s->keyv = v;
	s->n_keys = n;
	return 0;
}

static int keys_read(struct seal *s, struct store *store)
{
	struct store_idp_key *rowv = NULL, row;
	size_t n = 0;
	int err = store_idp_keys(store, s->site, &rowv, &n);

	if (!err && (!n || rowv[0].retired_s)) {
		err = key_make(&row);
		err = err ? err : store_idp_key_add(store, s->site, &row);
		if (!err)
			log_info(NULL, "idp.key", "site=%s kid=%s", s->site, row.kid);
		secret_wipe(&row, sizeof(row));
		rowv = mem_deref(rowv);
		err = err ? err : store_idp_keys(store, s->site, &rowv, &n);
	}
	if (!err)
		err = n && !rowv[0].retired_s ? keys_take(s, rowv, n) : EIO;
	if (rowv)
		secret_wipe(rowv, n * sizeof(*rowv));
	mem_deref(rowv);
	return err;
}

static int seal_make(struct seal **sp, struct seals *all, struct store *store,
		     const char *site)
{
	struct seal *s = mem_zalloc(sizeof(*s), seal_destructor);
	char fresh[STORE_TOKEN_HEX + 1], pairwise[STORE_TOKEN_HEX + 1];
	size_t n = 0;
	int err = s ? 0 : ENOMEM;

	if (!err) {
		s->site = base_dup(site, strlen(site));
		err = s->site ? 0 : ENOMEM;
	}
	if (!err) {
		secret_hex(fresh, STORE_TOKEN_HEX);
		err = store_idp_secret(store, site, fresh, pairwise);
		err = err ? err : hex_to(s->pairwise, sizeof(s->pairwise), &n, pairwise);
		if (!err && n != COORD)
			err = EIO;
		secret_wipe(fresh, sizeof(fresh));
		secret_wipe(pairwise, sizeof(pairwise));
	}
	err = err ? err : keys_read(s, store);
	if (err) {
		mem_deref(s);
		return err;
	}
	list_append(&all->list, &s->le, s);
	*sp = s;
	return 0;
}

/* Is one published for longer than it needs to be? */
static bool any_past(const struct seal *s, int64_t until_s)
{
	for (size_t i = 0; i < s->n_keys; i++)
		if (s->keyv[i].row.retired_s && s->keyv[i].row.retired_s <= until_s)
			return true;
	return false;
}

int seals_get(struct seal **sp, struct seals *all, struct store *store, const char *site)
{
	int64_t until_s = clock_wall_s() - (int64_t)all->keep_s;
	struct seal *s = NULL;
	int err = 0;

	for (struct le *le = all->list.head; le && !s; le = le->next) {
		struct seal *one = le->data;

		if (!strcasecmp(one->site, site))
			s = one;
	}
	if (!s)
		err = seal_make(&s, all, store, site);
	if (!err && any_past(s, until_s)) {
		err = store_idp_keys_sweep(store, site, until_s);
		err = err ? err : keys_read(s, store);
	}
	if (!err)
		*sp = s;
	return err;
}

int seals_rotate(struct seals *all, struct store *store, const char *site)
{
	struct store_idp_key row;
	struct seal *s = NULL;
	int err = seals_get(&s, all, store, site);

	err = err ? err : key_make(&row);
	if (err)
		return err;
	err = store_idp_key_add(store, site, &row);
	if (!err)
		log_info(NULL, "idp.key", "site=%s kid=%s before=%s", site, row.kid,
			 s->keyv[0].row.kid);
	secret_wipe(&row, sizeof(row));
	return err ? err : keys_read(s, store);
}

const char *seal_kid(const struct seal *s)
{
	return s->keyv[0].row.kid;
}

json_t *seal_keys(const struct seal *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n_keys; i++) {
		const struct store_idp_key *row = &s->keyv[i].row;

		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "kty",
					"EC", "crv", "P-256", "x", row->x, "y", row->y,
					"kid", row->kid, "use", "sig", "alg", "ES256"));
	}
	return json_pack("{s:o}", "keys", list);
}

/* ---- tokens ---- */

static int part_write(struct mbuf *mb, const void *p, size_t n)
{
	char *text = mem_alloc(B64URL_LEN(n) + 1, NULL);
	int err = text ? 0 : ENOMEM;

	if (!err)
		err = mbuf_write_mem(mb, (uint8_t *)text, b64url_encode(text, p, n));
	mem_deref(text);
	return err;
}

int seal_sign(char **tokenp, const struct seal *s, const json_t *claims)
{
	char *payload = json_dumps(claims, JSON_COMPACT), head[128];
	struct mbuf *mb = mbuf_alloc(2048);
	uint8_t sig[ES256_BYTES];
	int err = payload && mb ? 0 : ENOMEM;

	snprintf(head, sizeof(head), "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"%s\"}",
		 seal_kid(s), SEAL_TYPE);
	err = err ? err : part_write(mb, head, strlen(head));
	err = err ? err : mbuf_write_str(mb, ".");
	err = err ? err : part_write(mb, payload, strlen(payload));
	if (!err && mb->end + 1 + B64URL_LEN(sizeof(sig)) > SEAL_TOKEN_MAX)
		err = EMSGSIZE;
	err = err ? err : es256_sign(s->keyv[0].key, sig, mb->buf, mb->end);
	err = err ? err : mbuf_write_str(mb, ".");
	err = err ? err : part_write(mb, sig, sizeof(sig));
	if (!err) {
		*tokenp = base_dup(mb->buf, mb->end);
		err = *tokenp ? 0 : ENOMEM;
	}
	free(payload);
	mem_deref(mb);
	return err;
}

/* One part of a token as JSON. NULL: it is none. */
static json_t *part_read(const char *p, size_t n)
{
	uint8_t buf[SEAL_TOKEN_MAX];
	size_t len = 0;

	if (b64url_decode(buf, sizeof(buf), &len, p, n))
		return NULL;
	return json_loadb((const char *)buf, len, JSON_REJECT_DUPLICATES, NULL);
}

static struct es256 *key_named(const struct seal *s, const char *kid)
{
	for (size_t i = 0; kid && i < s->n_keys; i++)
		if (!strcmp(s->keyv[i].row.kid, kid))
			return s->keyv[i].key;
	return NULL;
}

static bool is_text(const json_t *obj, const char *name, const char *want)
{
	const char *is = json_string_value(json_object_get(obj, name));

	return is && !strcmp(is, want);
}

int seal_open(json_t **claims, const char **whyp, const struct seal *s, const char *token)
{
	const char *dot = strchr(token, '.'), *last = strrchr(token, '.');
	uint8_t sig[ES256_BYTES];
	struct es256 *key = NULL;
	json_t *head, *body = NULL;
	size_t n = 0;

	*whyp = "it is no assertion";
	if (!dot || dot == last || memchr(dot + 1, '.', (size_t)(last - dot - 1)) ||
	    strlen(token) > SEAL_TOKEN_MAX)
		return EBADMSG;
	head = part_read(token, (size_t)(dot - token));
	if (is_text(head, "alg", "ES256") && is_text(head, "typ", SEAL_TYPE)) {
		*whyp = "no key of that name is published here";
		key = key_named(s, json_string_value(json_object_get(head, "kid")));
	}
	json_decref(head);
	if (!key)
		return EBADMSG;
	*whyp = "the signature is not of the key that it names";
	if (b64url_decode(sig, sizeof(sig), &n, last + 1, strlen(last + 1)) ||
	    n != sizeof(sig) || es256_verify(key, sig, token, (size_t)(last - token)))
		return EBADMSG;
	body = part_read(dot + 1, (size_t)(last - dot - 1));
	if (!json_is_object(body)) {
		json_decref(body);
		return EBADMSG;
	}
	*claims = body;
	return 0;
}

/* ---- pseudonyms ---- */

/* RFC 4648 §6 in lower case; five bits each, as many as are asked for. */
static void base32(char *out, size_t chars, const uint8_t *p)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";

	for (size_t i = 0; i < chars; i++) {
		size_t bit = 5 * i;
		unsigned two = (unsigned)p[bit / 8] << 8 | p[bit / 8 + 1];

		out[i] = digits[two >> (11 - bit % 8) & 31];
	}
	out[chars] = '\0';
}

int seal_pseudonym(char *out, const struct seal *s, const char *user, const char *sector)
{
	uint8_t mac[SECRET_SHA256_BYTES];
	char text[ADDR_USER_MAX + 1 + STORE_WHOM_MAX + 1];
	size_t n = strlen(user), m = strlen(sector);

	if (n + 1 + m > sizeof(text))
		return EIO;
	memcpy(text, user, n + 1); /* with the NUL between */
	memcpy(text + n + 1, sector, m);
	if (secret_hmac_sha256(mac, s->pairwise, sizeof(s->pairwise), text, n + 1 + m))
		return EIO;
	base32(out, SEAL_PSEUDONYM_LEN, mac);
	return 0;
}
