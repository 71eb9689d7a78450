/* idp/openid_token.c - see openid_token.h. Called by openid.c on its thread. The signature itself is cjose's; which kinds of
 * signature count, by which key, is decided here, for a token's own word on that is its sender's. */
#include "idp/openid_token.h"

#include <cjose/cjose.h>

#include "gateway/addr.h"
#include "idp/openid_json.h"
#include "lib/secret.h"

enum { TOKEN_MAX = 32768, KID_MAX = 255 };

static const struct alg {
	const char *name;
	cjose_jwk_kty_t kty;
	size_t bits; /* of an elliptic curve; of RSA: the least */
} algs[] = {
	{"RS256", CJOSE_JWK_KTY_RSA, 2048}, {"RS384", CJOSE_JWK_KTY_RSA, 2048},
	{"RS512", CJOSE_JWK_KTY_RSA, 2048}, {"PS256", CJOSE_JWK_KTY_RSA, 2048},
	{"PS384", CJOSE_JWK_KTY_RSA, 2048}, {"PS512", CJOSE_JWK_KTY_RSA, 2048},
	{"ES256", CJOSE_JWK_KTY_EC, 256},   {"ES384", CJOSE_JWK_KTY_EC, 384},
	{"ES512", CJOSE_JWK_KTY_EC, 521},
};

struct openid_keys {
	size_t n;
	struct {
		char kid[KID_MAX + 1]; /* empty: it has none */
		char alg[16];          /* empty: any */
		cjose_jwk_t *jwk;
		size_t bits;
	} v[OPENID_KEYS_MAX];
};

/* ---- reading JSON ---- */

static bool has_word(const json_t *list, const char *word)
{
	const json_t *j;
	size_t i;

	json_array_foreach(list, i, j)
	{
		if (json_is_string(j) && !strcmp(json_string_value(j), word))
			return true;
	}
	return false;
}

/* cjose 0.6 ends the process by an assertion on what is no base64url: nothing of that kind gets there. */
static bool is_b64url(const char *p, size_t n)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789-_";

	return n && n % 4 != 1 && strspn(p, alphabet) >= n;
}

/* HEAD.PAYLOAD.SIGNATURE */
static bool is_compact(const char *token)
{
	size_t n;

	for (int i = 0; i < 3; i++, token += n + 1) {
		n = strcspn(token, ".");
		if (!is_b64url(token, n) || token[n] != (i < 2 ? '.' : '\0'))
			return false;
	}
	return true;
}

/* ---- configuration ---- */

static const char *meta_read(struct openid_meta *m, const json_t *o, const char *issuer)
{
	const json_t *methods =
		json_object_get(o, "token_endpoint_auth_methods_supported");
	const json_t *pkce = json_object_get(o, "code_challenge_methods_supported");
	char text[OPENID_URL_MAX + 1];

	if (!json_is_object(o))
		return "it is no JSON object";
	if (!take(text, sizeof(text), o, "issuer") || strcmp(text, issuer) != 0)
		return "it names another issuer";
	if (!take_url(m->authorization, o, "authorization_endpoint"))
		return "it has no usable authorization_endpoint";
	if (!take_url(m->token, o, "token_endpoint"))
		return "it has no usable token_endpoint";
	if (!take_url(m->keys, o, "jwks_uri"))
		return "it has no usable jwks_uri";
	if (!take_url(m->userinfo, o, "userinfo_endpoint"))
		m->userinfo[0] = '\0';
	if (pkce && !has_word(pkce, "S256"))
		return "it does not do PKCE by S256";
	m->post_secret = methods && !has_word(methods, "client_secret_basic") &&
			 has_word(methods, "client_secret_post");
	m->says_issuer = json_is_true(
		json_object_get(o, "authorization_response_iss_parameter_supported"));
	return NULL;
}

int openid_meta_parse(struct openid_meta *m, const char **whyp, const char *issuer,
		      const void *p, size_t n)
{
	json_t *o = json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL);

	memset(m, 0, sizeof(*m));
	*whyp = meta_read(m, o, issuer);
	json_decref(o);
	return *whyp ? EBADMSG : 0;
}

/* ---- keys ---- */

static void keys_destructor(void *arg)
{
	struct openid_keys *k = arg;

	for (size_t i = 0; i < k->n; i++)
		cjose_jwk_release(k->v[i].jwk);
}

static bool numbers_are_good(const json_t *key)
{
	static const char *const names[] = {"n", "e", "x", "y"};

	for (size_t i = 0; i < N_ELEMS(names); i++) {
		const json_t *j = json_object_get(key, names[i]);

		if (j && (!json_is_string(j) ||
			  !is_b64url(json_string_value(j), json_string_length(j))))
			return false;
	}
	return true;
}

/* One that cannot be used is left out. */
static void keys_add(struct openid_keys *k, const json_t *o)
{
	char use[16], *text;
	cjose_jwk_t *jwk = NULL;
	cjose_err why;

	if (!json_is_object(o) || json_object_get(o, "d") || json_object_get(o, "k") ||
	    !numbers_are_good(o) ||
	    (take(use, sizeof(use), o, "use") && strcmp(use, "sig") != 0))
		return;
	text = json_dumps(o, JSON_COMPACT);
	if (text)
		jwk = cjose_jwk_import(text, strlen(text), &why);
	free(text);
	if (!jwk)
		return;
	k->v[k->n].jwk = jwk;
	k->v[k->n].bits = cjose_jwk_get_keysize(jwk, &why);
	if (!take(k->v[k->n].kid, sizeof(k->v[0].kid), o, "kid"))
		k->v[k->n].kid[0] = '\0';
	if (!take(k->v[k->n].alg, sizeof(k->v[0].alg), o, "alg"))
		k->v[k->n].alg[0] = '\0';
	k->n++;
}

int openid_keys_parse(struct openid_keys **kp, const char **whyp, const void *p, size_t n)
{
	struct openid_keys *k = mem_zalloc(sizeof(*k), keys_destructor);
	json_t *o = json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL);
	const json_t *list = json_object_get(o, "keys");
	int err = 0;

	for (size_t i = 0; k && i < json_array_size(list) && k->n < OPENID_KEYS_MAX; i++)
		keys_add(k, json_array_get(list, i));
	json_decref(o);
	if (!k) {
		err = ENOMEM;
	} else if (!k->n) {
		*whyp = "there is no usable key among its keys";
		err = EBADMSG;
	}
	if (err)
		mem_deref(k);
	else
		*kp = k;
	return err;
}

/* ---- the token ---- */

static const struct alg *alg_find(const char *name)
{
	for (size_t i = 0; name && i < N_ELEMS(algs); i++)
		if (!strcmp(algs[i].name, name))
			return &algs[i];
	return NULL;
}

static bool key_fits(const struct openid_keys *k, size_t i, const struct alg *alg)
{
	cjose_err why;

	if (cjose_jwk_get_kty(k->v[i].jwk, &why) != alg->kty ||
	    (k->v[i].alg[0] && strcmp(k->v[i].alg, alg->name) != 0))
		return false;
	return alg->kty == CJOSE_JWK_KTY_RSA ? k->v[i].bits >= alg->bits
					     : k->v[i].bits == alg->bits;
}

/* Without a kid there must be one key only that could be meant (Core §10.1). */
static int key_find(size_t *ip, const struct openid_keys *k, const struct alg *alg,
		    const char *kid)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n; i++) {
		if (!key_fits(k, i, alg) || (kid && strcmp(kid, k->v[i].kid) != 0))
			continue;
		*ip = i;
		n++;
	}
	return n == 1 ? 0 : ENOENT;
}

static bool is_for(const json_t *o, const char *client)
{
	const json_t *aud = json_object_get(o, "aud");
	char azp[256];

	if (json_is_string(aud))
		return !strcmp(json_string_value(aud), client);
	if (!has_word(aud, client))
		return false;
	return json_array_size(aud) == 1 ||
	       (take(azp, sizeof(azp), o, "azp") && !strcmp(azp, client));
}

static const char *claims_check(const json_t *o, const struct openid_expect *e)
{
	const json_t *exp = json_object_get(o, "exp"), *iat = json_object_get(o, "iat");
	char text[OPENID_URL_MAX + 1];

	if (!take(text, sizeof(text), o, "iss") || strcmp(text, e->issuer) != 0)
		return "the ID token is another issuer's";
	if (!is_for(o, e->client_id))
		return "the ID token is for somebody else";
	if (take(text, sizeof(text), o, "azp") && strcmp(text, e->client_id) != 0)
		return "the ID token is for somebody else";
	if (!json_is_number(exp) || !json_is_number(iat))
		return "the ID token says no time";
	if (json_number_value(exp) + OPENID_LEEWAY_S <= (double)e->now_s)
		return "the ID token is over";
	if (json_number_value(iat) > (double)(e->now_s + OPENID_LEEWAY_S))
		return "the ID token is from the future";
	if (!take(text, sizeof(text), o, "nonce") || strlen(text) != strlen(e->nonce) ||
	    !secret_equal(text, e->nonce, strlen(e->nonce)))
		return "the ID token answers another request";
	return NULL;
}

static void person_add(struct openid_person *p, const json_t *o)
{
	char name[OPENID_NAME_MAX + 1];

	if (!p->name[0] && take(name, sizeof(name), o, "name"))
		addr_name_clean(p->name, sizeof(p->name), name, strlen(name));
	if (!p->user[0])
		(void)take(p->user, sizeof(p->user), o, "preferred_username");
	if (!p->picture[0] && !take_url(p->picture, o, "picture"))
		p->picture[0] = '\0';
	if (!p->email[0] && take(p->email, sizeof(p->email), o, "email"))
		p->email_verified = json_is_true(json_object_get(o, "email_verified"));
}

static const char *person_read(struct openid_person *person, const uint8_t *text,
			       size_t n, const struct openid_expect *e)
{
	json_t *o = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, NULL);
	const char *why = json_is_object(o) ? claims_check(o, e)
					    : "the ID token holds no JSON object";

	memset(person, 0, sizeof(*person));
	if (!why && !take(person->sub, sizeof(person->sub), o, "sub"))
		why = "the ID token names nobody";
	if (!why)
		person_add(person, o);
	json_decref(o);
	return why;
}

static bool has_critical(cjose_header_t *header)
{
	cjose_err why;
	char *raw = cjose_header_get_raw(header, "crit", &why);
	bool has = raw != NULL;

	free(raw);
	return has;
}

int openid_token_check(struct openid_person *person, const char **whyp,
		       const struct openid_keys *keys, const char *token,
		       const struct openid_expect *expect)
{
	size_t n_token = strlen(token), n = 0, i = 0;
	const char *kid = NULL;
	const struct alg *alg = NULL;
	cjose_header_t *header;
	cjose_jws_t *jws;
	cjose_err why;
	uint8_t *text = NULL;
	int err = EBADMSG;

	*whyp = "the ID token is no signed token";
	jws = n_token <= TOKEN_MAX && is_compact(token)
		      ? cjose_jws_import(token, n_token, &why)
		      : NULL;
	header = jws ? cjose_jws_get_protected(jws) : NULL;
	if (header) {
		alg = alg_find(cjose_header_get(header, CJOSE_HDR_ALG, &why));
		kid = cjose_header_get(header, CJOSE_HDR_KID, &why);
		*whyp = "the ID token is signed in a way that proves nothing";
		if (has_critical(header)) /* RFC 7515 §4.1.11: we know none */
			alg = NULL;
	}
	if (alg) {
		err = key_find(&i, keys, alg, kid);
		*whyp = "the ID token is signed with a key that the provider does not "
			"publish";
	}
	if (alg && !err) {
		err = EBADMSG;
		*whyp = "the signature of the ID token is wrong";
		if (cjose_jws_verify(jws, keys->v[i].jwk, &why) &&
		    cjose_jws_get_plaintext(jws, &text, &n, &why)) {
			*whyp = person_read(person, text, n, expect);
			err = *whyp ? EBADMSG : 0;
		}
	}
	if (jws)
		cjose_jws_release(jws);
	return err;
}

/* ---- the other answers ---- */

int openid_tokens_parse(char **id_tokenp, char **access_tokenp, const char **whyp,
			const void *p, size_t n)
{
	json_t *o = json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL);
	const char *id = json_string_value(json_object_get(o, "id_token"));
	const char *access = json_string_value(json_object_get(o, "access_token"));
	int err = 0;

	*id_tokenp = *access_tokenp = NULL;
	if (!id) {
		*whyp = "there is no ID token in its answer";
		err = EBADMSG;
	} else {
		*id_tokenp = base_dup(id, strlen(id));
		if (access)
			*access_tokenp = secret_dup(access, strlen(access));
		err = *id_tokenp && (!access || *access_tokenp) ? 0 : ENOMEM;
	}
	if (err == ENOMEM) {
		*id_tokenp = mem_deref(*id_tokenp);
		*access_tokenp = mem_deref(*access_tokenp);
	}
	json_decref(o);
	return err;
}

/* Core §5.3.2: `sub` must be the same, or it is not to be used. */
int openid_userinfo_add(struct openid_person *person, const void *p, size_t n)
{
	json_t *o = json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL);
	char sub[OPENID_SUB_MAX + 1];
	bool same = take(sub, sizeof(sub), o, "sub") && !strcmp(sub, person->sub);

	if (same)
		person_add(person, o);
	json_decref(o);
	return same ? 0 : EBADMSG;
}
