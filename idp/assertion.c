/* idp/assertion.c - see assertion.h. Called by idp.c (assertion_find) and assess.c. JSON is read by jansson; what is
 * signed is the text as it came, so nothing is written here. RFC 8827 §5, §7.4, §8.1; RFC 7515 §7.1; RFC 7519 §4.1. */
#include "idp/assertion.h"

#include <jansson.h>
#include <strings.h>

#include "idp/b64url.h"

/* ---- the attribute ---- */

bool assertion_find(struct pl *value, const char *sdp, size_t n)
{
	static const char name[] = "a=identity:";
	const char *end = sdp + n;

	for (const char *line = sdp; line < end;) {
		const char *lf = memchr(line, '\n', (size_t)(end - line));
		const char *stop = lf ? lf : end;
		size_t len = (size_t)(stop - line);

		if (len && stop[-1] == '\r')
			len--;
		if (len >= 2 && !memcmp(line, "m=", 2))
			return false;
		if (len >= sizeof(name) - 1 && !memcmp(line, name, sizeof(name) - 1)) {
			value->p = line + sizeof(name) - 1;
			value->l = len - (sizeof(name) - 1);
			return true;
		}
		line = lf ? lf + 1 : end;
	}
	return false;
}

/* RFC 4648 §4, padded, nothing else: by way of the other alphabet. */
static int base64_decode_strict(uint8_t *out, size_t size, size_t *np, const char *p,
				size_t n)
{
	char url[ASSERTION_VALUE_MAX];

	if (!n || n % 4 || n > sizeof(url))
		return EINVAL;
	n -= p[n - 1] == '=' ? 1 + (p[n - 2] == '=') : 0;
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '-' || p[i] == '_')
			return EINVAL;
		url[i] = p[i] == '+' ? '-' : p[i] == '/' ? '_' : p[i];
	}
	return b64url_decode(out, size, np, url, n);
}

static bool copy(char *dst, size_t size, const json_t *j)
{
	const char *s = json_string_value(j);
	size_t n = json_string_length(j);

	if (!s || !n || n >= size || strlen(s) != n)
		return false;
	memcpy(dst, s, n + 1);
	return true;
}

/* "alpha.example" or "alpha.example:8443": no user part, no address of digits, nothing behind it. */
static bool read_domain(struct assertion_line *l, const json_t *j)
{
	const char *s = json_string_value(j);
	size_t n = s ? strcspn(s, ":") : 0, digits;
	long port;

	if (!s || strlen(s) != json_string_length(j) || addr_host_parse(l->host, s, n))
		return false;
	if (!s[n]) {
		snprintf(l->domain, sizeof(l->domain), "%s", l->host);
		return true;
	}
	digits = strspn(s + n + 1, "0123456789");
	port = digits && digits < 6 && !s[n + 1 + digits] ? strtol(s + n + 1, NULL, 10)
							  : 0;
	if (port < 1 || port > 65535)
		return false;
	snprintf(l->domain, sizeof(l->domain), "%s:%ld", l->host, port);
	return true;
}

static const char *read_line(struct assertion_line *l, const json_t *j)
{
	const json_t *idp = json_object_get(j, "idp"),
		     *protocol = json_object_get(idp, "protocol");

	if (!read_domain(l, json_object_get(idp, "domain")))
		return "it names no identity provider";
	snprintf(l->protocol, sizeof(l->protocol), "default");
	if (protocol && (!copy(l->protocol, sizeof(l->protocol), protocol) ||
			 strpbrk(l->protocol, "/\\%")))
		return "its provider's protocol is not usable";
	if (!copy(l->token, sizeof(l->token), json_object_get(j, "assertion")))
		return "it has no assertion, or one that is too long";
	return NULL;
}

int assertion_open(struct assertion_line *l, const char **whyp, const char *value,
		   size_t n)
{
	const char *sp = memchr(value, ' ', n); /* extensions: none are known */
	uint8_t text[ASSERTION_VALUE_MAX];
	size_t len;
	json_t *j;

	*whyp = NULL;
	memset(l, 0, sizeof(*l));
	if (base64_decode_strict(text, sizeof(text), &len, value,
				 sp ? (size_t)(sp - value) : n)) {
		*whyp = "it is no base64, or too long";
		return EBADMSG;
	}
	j = json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES, NULL);
	*whyp = j ? read_line(l, j) : "it is no JSON";
	json_decref(j);
	return *whyp ? EBADMSG : 0;
}

/* ---- the token ---- */

static json_t *load(const char *p, size_t n)
{
	uint8_t text[ASSERTION_TOKEN_MAX];
	size_t len;

	if (b64url_decode(text, sizeof(text), &len, p, n))
		return NULL;
	return json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES, NULL);
}

/* A header that does not call itself ours may be anybody's. */
static int read_header(struct assertion *a, const char **whyp, const json_t *j)
{
	const char *typ = json_string_value(json_object_get(j, "typ"));
	const char *alg = json_string_value(json_object_get(j, "alg"));

	if (!typ || strcmp(typ, "webrtc-id+jwt") != 0) {
		*whyp = "the assertion is of a form that is not known here";
		return ENOTSUP;
	}
	if (!alg || strcmp(alg, "ES256") != 0)
		*whyp = "ES256 is the only algorithm that is taken";
	else if (json_object_get(j, "crit"))
		*whyp = "it demands an extension that is not known here";
	else if (!copy(a->kid, sizeof(a->kid), json_object_get(j, "kid")))
		*whyp = "it names no key";
	return *whyp ? EBADMSG : 0;
}

static bool read_time(int64_t *t_s, const json_t *j)
{
	*t_s = json_integer_value(j);
	return json_is_integer(j) && *t_s > 0;
}

static bool read_key(struct mky *m, const json_t *j)
{
	const char *alg = json_string_value(json_object_get(j, "algorithm"));
	const char *digest = json_string_value(json_object_get(j, "digest"));
	char text[MKY_ALG_MAX + 2 + 3 * MKY_DIG_MAX / 2];
	int n = alg && digest ? snprintf(text, sizeof(text), "%s %s", alg, digest) : -1;

	return n > 0 && (size_t)n < sizeof(text) && !mky_add_line(m, text, (size_t)n);
}

/* {"fingerprint":[{"algorithm":"sha-256","digest":"4A:AD:…"}]}; other members may be there (RFC 8827 §7.4). */
static bool read_contents(struct mky *m, const json_t *j)
{
	const char *s = json_string_value(j);
	json_t *c = s ? json_loadb(s, json_string_length(j), JSON_REJECT_DUPLICATES, NULL)
		      : NULL;
	const json_t *list = json_object_get(c, "fingerprint");
	bool good = json_array_size(list) > 0;

	for (size_t i = 0; i < json_array_size(list) && good; i++)
		good = read_key(m, json_array_get(list, i));
	json_decref(c);
	return good;
}

static bool read_issuer(struct assertion *a, const json_t *j)
{
	static const char scheme[] = "https://";
	const char *s = json_string_value(j);
	size_t n = sizeof(scheme) - 1;

	return s && strlen(s) == json_string_length(j) && !strncmp(s, scheme, n) &&
	       !addr_host_parse(a->iss, s + n, strlen(s + n));
}

/* Everything in it is somebody's claim about themselves, for people to read: what is not usable is left out. */
static void read_profile(struct identity_person *p, const json_t *j)
{
	const json_t *name = json_object_get(j, "name"),
		     *picture = json_object_get(j, "picture"),
		     *email = json_object_get(j, "email");

	if (json_is_string(name))
		addr_name_clean(p->display, sizeof(p->display), json_string_value(name),
				json_string_length(name));
	if (!copy(p->picture, sizeof(p->picture), picture) ||
	    strncmp(p->picture, "https://", 8) != 0)
		p->picture[0] = '\0';
	if (!copy(p->email, sizeof(p->email), email) || !strchr(p->email, '@'))
		p->email[0] = '\0';
	p->email_verified =
		p->email[0] && json_is_true(json_object_get(j, "email_verified"));
}

static bool is_plain(const char *s)
{
	for (; *s; s++)
		if ((uint8_t)*s <= 0x20 || *s == 0x7f)
			return false;
	return true;
}

static const char *read_who(struct assertion *a, const json_t *j)
{
	struct identity_person *p = &a->said;
	const json_t *peer = json_object_get(j, "peer"), *ctx = json_object_get(j, "ctx");
	const char *s = json_string_value(ctx);

	if (!copy(p->name, sizeof(p->name), json_object_get(j, "sub")) ||
	    !is_plain(p->name))
		return "it names nobody";
	if (!copy(p->origin, sizeof(p->origin), json_object_get(j, "origin")) ||
	    !is_plain(p->origin))
		return "it does not say for which page it was made";
	if (ctx && (!s || (strcmp(s, "native") != 0 && strcmp(s, "frame") != 0)))
		return "it was made in a way that is not known here";
	p->ctx = !s ? NULL : *s == 'n' ? "native" : "frame";
	if (peer && (!copy(a->peer, sizeof(a->peer), peer) || !is_plain(a->peer)))
		return "whom it is for is not usable";
	return NULL;
}

static const char *read_claims(struct assertion *a, const json_t *j)
{
	const json_t *profile = json_object_get(j, "profile");
	const char *why;

	if (!json_is_object(j))
		return "its claims are no JSON object";
	if (!read_issuer(a, json_object_get(j, "iss")))
		return "it names no issuer";
	why = read_who(a, j);
	if (why)
		return why;
	if (!read_time(&a->iat_s, json_object_get(j, "iat")) ||
	    !read_time(&a->nbf_s, json_object_get(j, "nbf")) ||
	    !read_time(&a->exp_s, json_object_get(j, "exp")))
		return "its times are no whole numbers";
	if (!json_string_length(json_object_get(j, "jti")))
		return "it has no name of its own (jti)";
	if (!read_contents(&a->keys, json_object_get(j, "contents")))
		return "its contents are not usable";
	if (json_is_object(profile))
		read_profile(&a->said, profile);
	return NULL;
}

int assertion_read(struct assertion *a, const char **whyp, const char *token)
{
	const char *dot = strchr(token, '.'), *dot2 = dot ? strchr(dot + 1, '.') : NULL;
	json_t *h = dot2 ? load(token, (size_t)(dot - token)) : NULL, *c;
	size_t n;
	int err;

	*whyp = NULL;
	memset(a, 0, sizeof(*a));
	err = read_header(a, whyp, h);
	json_decref(h);
	if (err)
		return err;
	a->n_signed = (size_t)(dot2 - token);
	if (b64url_decode(a->sig, sizeof(a->sig), &n, dot2 + 1, strlen(dot2 + 1)) ||
	    n != sizeof(a->sig)) {
		*whyp = "the signature is none of ES256";
		return EBADMSG;
	}
	c = load(dot + 1, (size_t)(dot2 - dot - 1));
	*whyp = read_claims(a, c);
	json_decref(c);
	return *whyp ? EBADMSG : 0;
}

/* ---- the verdict ---- */

static int PRINTF_LIKE(3, 4)
	wrong(char why[ASSERTION_WHY_BYTES], int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, ASSERTION_WHY_BYTES, fmt, ap);
	va_end(ap);
	return err;
}

static bool is_ascii(const char *s)
{
	for (; *s; s++)
		if ((uint8_t)*s >= 0x80)
			return false;
	return true;
}

/* "user@domain": one '@' alone, for one in the user part is written %40; the domain is the provider's. RFC 8827 §8.1
 * has it as U-labels, a provider's own domain has come as A-labels: those are not compared here. */
static int judge_name(const struct assertion *a, char why[ASSERTION_WHY_BYTES],
		      const struct assertion_line *l)
{
	const char *at = strchr(a->said.name, '@');

	if (strcasecmp(a->iss, l->host) != 0)
		return wrong(why, EBADMSG, "it was issued by %s, not by %s", a->iss,
			     l->host);
	if (!at || at == a->said.name || strchr(at + 1, '@'))
		return wrong(why, EBADMSG, "the name in it is none");
	if (!is_ascii(at + 1))
		return wrong(why, ENOTSUP,
			     "the name in it has a domain with letters beyond ASCII");
	if (strcasecmp(at + 1, l->host) != 0)
		return wrong(why, EBADMSG, "%s does not vouch for names of %s", l->host,
			     at + 1);
	return 0;
}

int assertion_judge(const struct assertion *a, char why[ASSERTION_WHY_BYTES],
		    const struct assertion_line *l, const struct mky *keys,
		    const char *callee, int64_t now_s, int64_t slack_s)
{
	int err = judge_name(a, why, l);

	if (err)
		return err;
	/* as differences of what was read as positive, so that nothing overflows */
	if (a->exp_s - a->iat_s > ASSERTION_LIFE_MAX_S || a->exp_s < a->iat_s)
		return wrong(why, EBADMSG, "it is valid for more than %d s",
			     ASSERTION_LIFE_MAX_S);
	if (now_s - a->exp_s > slack_s)
		return wrong(why, EBADMSG, "it has expired");
	if (a->nbf_s - now_s > slack_s || a->iat_s - now_s > slack_s)
		return wrong(why, EBADMSG, "it is not valid yet");
	if (*a->peer && strcasecmp(a->peer, callee) != 0)
		return wrong(why, EBADMSG, "it was made for somebody else");
	if (!keys->n)
		return wrong(why, EBADMSG, "the description has no media key");
	if (!mky_within(keys, &a->keys))
		return wrong(why, EBADMSG, "the media keys are not those in it");
	return 0;
}

bool assertion_signed(const struct assertion *a, const char *token, struct es256 *key)
{
	return !es256_verify(key, a->sig, token, a->n_signed);
}
