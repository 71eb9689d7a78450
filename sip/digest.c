/* sip/digest.c - see digest.h. Signalling thread. Called by trunk.c; calls OpenSSL by lib/secret.h and Sofia's MD5. */
#include "sip/digest.h"

#include <strings.h>

#include <sofia-sip/su_md5.h>

#include "lib/secret.h"

enum { HEX = 2 * SECRET_SHA256_BYTES + 1, CNONCE_HEX = 32 };

/* A parameter's value without its quotes. False: not there, or too long. */
static bool param(char out[DIGEST_WORD], const msg_auth_t *au, const char *name)
{
	const char *v = msg_params_find(au->au_params, name);
	size_t n = 0;

	out[0] = '\0';
	if (!v)
		return false;
	if (*v != '"') {
		n = strlen(v);
		if (n >= DIGEST_WORD)
			return false;
		memcpy(out, v, n + 1);
		return true;
	}
	for (v++; *v && *v != '"'; v++) {
		if (n + 3 > DIGEST_WORD)
			return false;
		if (*v == '\\' && v[1]) /* stays escaped: it goes back as it came */
			out[n++] = *v++;
		out[n++] = *v;
	}
	out[n] = '\0';
	return true;
}

static enum digest_hash hash_of(const char *name)
{
	if (!*name || !strcasecmp(name, "MD5"))
		return DIGEST_MD5;
	return strcasecmp(name, "SHA-256") ? DIGEST_NONE : DIGEST_SHA256;
}

/* "auth,auth-int" */
static bool has_auth(const char *qop)
{
	while (*qop) {
		size_t n;

		qop += strspn(qop, ", \t");
		n = strcspn(qop, ", \t");
		if (n == 4 && !strncasecmp(qop, "auth", 4))
			return true;
		qop += n;
	}
	return false;
}

/* One challenge. False: it is of no use. */
static bool challenge(struct digest *d, const msg_auth_t *au, const char *realm,
		      char *other)
{
	char algorithm[DIGEST_WORD], qop[DIGEST_WORD];
	struct digest got = {.hash = DIGEST_NONE};
	bool has_qop;

	if (!au->au_scheme || strcasecmp(au->au_scheme, "Digest") != 0 ||
	    !param(got.realm, au, "realm=") || !param(got.nonce, au, "nonce=") ||
	    !*got.nonce)
		return false;
	(void)param(got.opaque, au, "opaque=");
	(void)param(algorithm, au, "algorithm=");
	has_qop = param(qop, au, "qop=");
	got.hash = hash_of(algorithm);
	got.qop = has_qop && has_auth(qop);
	if (got.hash == DIGEST_NONE || (has_qop && !got.qop))
		return false;
	if (strcmp(got.realm, realm) != 0) {
		snprintf(other, DIGEST_WORD, "%s", got.realm);
		return false;
	}
	if (got.hash <= d->hash)
		return false;
	*d = got;
	return true;
}

int digest_learn(struct digest *d, const sip_t *s, const char *realm, char *other)
{
	bool proxy = s->sip_status->st_status == 407;
	const msg_auth_t *au =
		proxy ? s->sip_proxy_authenticate : s->sip_www_authenticate;
	struct digest best = {.hash = DIGEST_NONE};

	other[0] = '\0';
	for (; au; au = au->au_next)
		(void)challenge(&best, au, realm, other);
	if (best.hash == DIGEST_NONE)
		return *other ? EACCES : ENOENT;
	best.proxy = proxy;
	*d = best;
	return 0;
}

/* Of texts joined by colons; NULL ended. */
static int hash_hex(char hex[HEX], enum digest_hash hash, const char *const *v)
{
	char text[4 * DIGEST_WORD + 1024];
	size_t n = 0;
	int err = 0;

	for (size_t i = 0; v[i]; i++) {
		size_t len = strlen(v[i]);

		if (n + len + 1 > sizeof(text)) {
			err = EOVERFLOW;
			goto out;
		}
		if (i)
			text[n++] = ':';
		memcpy(text + n, v[i], len);
		n += len;
	}
	if (hash == DIGEST_SHA256) {
		err = secret_sha256_hex(hex, text, n);
	} else {
		su_md5_t md5[1];

		su_md5_init(md5);
		su_md5_update(md5, text, n);
		su_md5_hexdigest(md5, hex);
		su_md5_deinit(md5);
	}
out:
	secret_wipe(text, sizeof(text));
	return err;
}

int digest_print_with(char line[DIGEST_LINE], struct digest *d, const char *user,
		      const char *password, const char *method, const char *uri,
		      const char *cnonce)
{
	char a1[HEX], a2[HEX], response[HEX], nc[9];
	int n, err;

	if (d->hash == DIGEST_NONE)
		return ENOENT;
	snprintf(nc, sizeof(nc), "%08x", (unsigned)++d->count);
	err = hash_hex(a1, d->hash, (const char *[]){user, d->realm, password, NULL});
	err = err ? err : hash_hex(a2, d->hash, (const char *[]){method, uri, NULL});
	if (!err && d->qop)
		err = hash_hex(
			response, d->hash,
			(const char *[]){a1, d->nonce, nc, cnonce, "auth", a2, NULL});
	else if (!err)
		err = hash_hex(response, d->hash,
			       (const char *[]){a1, d->nonce, a2, NULL});
	secret_wipe(a1, sizeof(a1));
	if (err)
		return err;
	n = snprintf(
		line, DIGEST_LINE,
		"%s: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", "
		"response=\"%s\", algorithm=%s",
		d->proxy ? "Proxy-Authorization" : "Authorization", user, d->realm,
		d->nonce, uri, response, d->hash == DIGEST_SHA256 ? "SHA-256" : "MD5");
	if (n > 0 && n < DIGEST_LINE && d->qop)
		n += snprintf(line + n, (size_t)(DIGEST_LINE - n),
			      ", qop=auth, nc=%s, cnonce=\"%s\"", nc, cnonce);
	if (n > 0 && n < DIGEST_LINE && *d->opaque)
		n += snprintf(line + n, (size_t)(DIGEST_LINE - n), ", opaque=\"%s\"",
			      d->opaque);
	return n < 0 || n >= DIGEST_LINE ? EOVERFLOW : 0;
}

int digest_print(char line[DIGEST_LINE], struct digest *d, const char *user,
		 const char *password, const char *method, const char *uri)
{
	char cnonce[CNONCE_HEX + 1];

	secret_hex(cnonce, CNONCE_HEX);
	return digest_print_with(line, d, user, password, method, uri, cnonce);
}
