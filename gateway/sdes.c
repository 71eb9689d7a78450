/* gateway/sdes.c - the keys of an a=crypto line.
 *
 * Pure. Called by the descriptions of an anchored call. What this hands out are secrets: the caller wipes them.
 * RFC 4568 §6.1 (inline keys, lifetime, MKI), §6.3 (session parameters), §9.2 (grammar); RFC 7714 §14.1. */
#include "gateway/sdes.h"

#include "lib/secret.h"

enum {
	RAW_MAX = MEDIA_KEY_MAX + MEDIA_SALT_MAX,
	LIFETIME_BITS_MIN =
		16, /* 22 minutes at 50 packets a second; desk phones say 2^20: 5.8 hours */
};

static const struct suite {
	const char *name;
	uint16_t id;
	uint8_t n_key, n_salt;
} suites[] = {
	{"AEAD_AES_128_GCM", 7, 16, 12},
	{"AEAD_AES_256_GCM", 8, 32, 12},
	{"AES_CM_128_HMAC_SHA1_80", 1, 16, 14},
	{"AES_CM_128_HMAC_SHA1_32", 2, 16, 14},
};

struct text {
	const char *p;
	size_t n;
};

uint16_t sdes_suite(size_t i)
{
	return i < N_ELEMS(suites) ? suites[i].id : 0;
}

static bool is(struct text t, const char *s)
{
	return t.n == strlen(s) && !memcmp(t.p, s, t.n);
}

static bool begins(struct text t, const char *s)
{
	return t.n >= strlen(s) && !memcmp(t.p, s, strlen(s));
}

/** Up to `sep`, which is left out of both. */
static struct text cut(struct text *t, char sep)
{
	const char *at = t->n ? memchr(t->p, sep, t->n) : NULL;
	struct text w = {t->p, at ? (size_t)(at - t->p) : t->n};
	size_t n = w.n + (at ? 1 : 0);

	t->p += n;
	t->n -= n;
	return w;
}

static bool number(uint64_t *v, struct text t, size_t digits)
{
	*v = 0;
	if (!t.n || t.n > digits)
		return false;
	for (size_t i = 0; i < t.n; i++) {
		if (t.p[i] < '0' || t.p[i] > '9')
			return false;
		*v = *v * 10 + (uint64_t)(t.p[i] - '0');
	}
	return true;
}

/* ---- base64, strict (RFC 4648 §4) ---- */

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int sextet(char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

/** Exactly `n` bytes; padding as it must be, or left away. */
static bool decode(uint8_t *out, size_t n, struct text t)
{
	size_t chars = (8 * n + 5) / 6;
	uint32_t bits = 0, n_bits = 0;

	while (t.n > chars && t.p[t.n - 1] == '=')
		t.n--;
	if (t.n != chars)
		return false;
	for (size_t i = 0, k = 0; i < chars; i++) {
		int v = sextet(t.p[i]);

		if (v < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			out[k++] = (uint8_t)(bits >> n_bits);
		}
	}
	return !(bits & ((1u << n_bits) - 1));
}

static void encode(char *out, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16;

		v |= i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0;
		v |= i + 2 < n ? p[i + 2] : 0;
		*out++ = alphabet[v >> 18];
		*out++ = alphabet[v >> 12 & 63];
		*out++ = i + 1 < n ? alphabet[v >> 6 & 63] : '=';
		*out++ = i + 2 < n ? alphabet[v & 63] : '=';
	}
	*out = '\0';
}

/* ---- a line ---- */

/** "2^31" or a number: the packets that the key is good for. A call is not ended for it. */
static int lifetime_judge(struct text t)
{
	uint64_t v;

	if (begins(t, "2^")) {
		if (!number(&v, (struct text){t.p + 2, t.n - 2}, 2))
			return EBADMSG;
		return v < LIFETIME_BITS_MIN || v > 48 ? ENOTSUP : 0;
	}
	if (!number(&v, t, 15))
		return EBADMSG;
	return v >> LIFETIME_BITS_MIN ? 0 : ENOTSUP;
}

static int key_parse(struct media_sdes *keys, const struct suite *su, struct text t)
{
	struct text value, more;
	uint8_t raw[RAW_MAX];
	int err = 0;

	if (!begins(t, "inline:"))
		return EBADMSG;
	if (memchr(t.p, ';', t.n))
		return ENOTSUP; /* several keys need an MKI */
	t.p += strlen("inline:");
	t.n -= strlen("inline:");
	value = cut(&t, '|');
	if (!decode(raw, (size_t)su->n_key + su->n_salt, value))
		err = EBADMSG;
	while (t.n && !err) {
		more = cut(&t, '|');
		err = memchr(more.p, ':', more.n) ? ENOTSUP : lifetime_judge(more);
	}
	if (!err) {
		memset(keys, 0, sizeof(*keys));
		keys->suite = su->id;
		memcpy(keys->key, raw, su->n_key);
		memcpy(keys->salt, raw + su->n_key, su->n_salt);
	}
	secret_wipe(raw, sizeof(raw));
	return err;
}

/** RFC 4568 §6.3: what one does not have one must refuse, unless it is marked as not needed. */
static int params_judge(struct text t)
{
	while (t.n) {
		struct text w = cut(&t, ' ');

		if (w.n && *w.p != '-' && !begins(w, "WSH=") && !is(w, "KDR=0"))
			return ENOTSUP;
	}
	return 0;
}

int sdes_parse(struct media_sdes *keys, uint32_t *tagp, const char *p, size_t n)
{
	struct text t = {p, n}, tag, name, key;
	const struct suite *su = NULL;
	struct media_sdes found;
	uint64_t v;
	int err;

	tag = cut(&t, ' ');
	if (!number(&v, tag, 9) || !v)
		return EBADMSG;
	name = cut(&t, ' ');
	key = cut(&t, ' ');
	if (!name.n || !key.n)
		return EBADMSG;
	for (size_t i = 0; i < N_ELEMS(suites); i++)
		if (is(name, suites[i].name))
			su = &suites[i];
	if (!su)
		return ENOTSUP;
	err = params_judge(t);
	if (!err)
		err = key_parse(&found, su, key);
	if (err)
		return err;
	*keys = found;
	*tagp = (uint32_t)v;
	secret_wipe(&found, sizeof(found));
	return 0;
}

int sdes_print(char out[SDES_TEXT], uint32_t tag, const struct media_sdes *keys)
{
	uint8_t raw[RAW_MAX];
	char text[(RAW_MAX + 2) / 3 * 4 + 1];

	for (size_t i = 0; i < N_ELEMS(suites); i++) {
		const struct suite *su = &suites[i];

		if (su->id != keys->suite)
			continue;
		memcpy(raw, keys->key, su->n_key);
		memcpy(raw + su->n_key, keys->salt, su->n_salt);
		encode(text, raw, (size_t)su->n_key + su->n_salt);
		snprintf(out, SDES_TEXT, "%u %s inline:%s", tag, su->name, text);
		secret_wipe(raw, sizeof(raw));
		secret_wipe(text, sizeof(text));
		return 0;
	}
	return EINVAL;
}
