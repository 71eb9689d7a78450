/* idp/passport.c - see passport.h. Called by worker.c (to sign), judge.c (to verify). JSON is written by hand, for it
 * must come out byte for byte as the other side writes it, and read by jansson. RFC 8225 §4 to §6, §9; RFC 8588. */
#include "idp/passport.h"

#include <jansson.h>

#include "idp/b64url.h"

/* ---- writing ---- */

struct out {
	char *p;
	size_t size, n;
	bool bad;
};

static void put(struct out *o, const char *text)
{
	size_t len = strlen(text);

	if (o->bad || o->size - o->n < len) {
		o->bad = true;
		return;
	}
	memcpy(o->p + o->n, text, len);
	o->n += len;
}

/* A string of which nothing needs escaping. */
static void put_string(struct out *o, const char *text)
{
	for (const char *c = text; *c; c++)
		if ((uint8_t)*c < 0x20 || (uint8_t)*c >= 0x7f || *c == '"' || *c == '\\')
			o->bad = true;
	put(o, "\"");
	put(o, text);
	put(o, "\"");
}

static void put_member(struct out *o, const char *name, const char *text)
{
	put_string(o, name);
	put(o, ":");
	put_string(o, text);
}

static void put_header(struct out *o, const char *alg, const char *ppt, const char *x5u)
{
	put(o, "{");
	put_member(o, "alg", alg);
	if (ppt && *ppt) {
		put(o, ",");
		put_member(o, "ppt", ppt);
	}
	put(o, ",");
	put_member(o, "typ", "passport");
	put(o, ",");
	put_member(o, "x5u", x5u);
	put(o, "}");
}

static void put_mky(struct out *o, const struct mky *mky)
{
	put(o, ",\"mky\":[");
	for (size_t i = 0; i < mky->n; i++) {
		put(o, i ? ",{" : "{");
		put_member(o, "alg", mky->v[i].alg);
		put(o, ",");
		put_member(o, "dig", mky->v[i].dig);
		put(o, "}");
	}
	put(o, "]");
}

static void put_payload(struct out *o, const struct name *orig, const struct name *dest,
			int64_t iat_s, const struct mky *mky)
{
	char iat[32];

	snprintf(iat, sizeof(iat), "]},\"iat\":%lld", (long long)iat_s);
	put(o, dest->tn ? "{\"dest\":{\"tn\":[" : "{\"dest\":{\"uri\":[");
	put_string(o, dest->text);
	put(o, iat);
	if (mky && mky->n)
		put_mky(o, mky);
	put(o, ",\"orig\":{");
	put_member(o, orig->tn ? "tn" : "uri", orig->text);
	put(o, "}}");
}

size_t passport_print(char *buf, size_t size, const char *alg, const char *ppt,
		      const char *x5u, const struct name *orig, const struct name *dest,
		      int64_t iat_s, const struct mky *mky)
{
	char json[PASSPORT_JSON_MAX];
	struct out header = {json, sizeof(json), 0, false}, payload;
	size_t n;

	put_header(&header, alg, ppt, x5u);
	payload = (struct out){json + header.n, sizeof(json) - header.n, 0, false};
	put_payload(&payload, orig, dest, iat_s, mky);
	if (header.bad || payload.bad ||
	    B64URL_LEN(header.n) + 1 + B64URL_LEN(payload.n) > size)
		return 0;
	n = b64url_encode(buf, header.p, header.n);
	buf[n++] = '.';
	return n + b64url_encode(buf + n, payload.p, payload.n);
}

/* ---- reading ---- */

static int load(json_t **jp, const struct pl *b64)
{
	uint8_t text[PASSPORT_JSON_MAX];
	size_t n;

	if (b64url_decode(text, sizeof(text), &n, b64->p, b64->l))
		return EBADMSG;
	*jp = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, NULL);
	return *jp ? 0 : EBADMSG;
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

static const char *read_header(struct passport *p, const json_t *j)
{
	const json_t *ppt = json_object_get(j, "ppt");

	if (!json_is_object(j))
		return "its header is no JSON object";
	if (json_object_get(j, "crit"))
		return "its header demands an extension that is not known here";
	if (!copy(p->alg, sizeof(p->alg), json_object_get(j, "alg")))
		return "its header names no algorithm";
	if (!copy(p->typ, sizeof(p->typ), json_object_get(j, "typ")))
		return "its header names no type";
	if (!copy(p->x5u, sizeof(p->x5u), json_object_get(j, "x5u")))
		return "its header names no certificate";
	if (ppt && !copy(p->ppt, sizeof(p->ppt), ppt))
		return "its extension has no usable name";
	return NULL;
}

static bool read_claim(struct passport_claim *c, bool tn, const json_t *j)
{
	c->tn = tn;
	return copy(c->text, sizeof(c->text), j);
}

/* Exactly one of tn and uri, one string. */
static bool read_orig(struct passport *p, const json_t *j)
{
	const json_t *tn = json_object_get(j, "tn"), *uri = json_object_get(j, "uri");

	return !tn != !uri && read_claim(&p->orig, tn != NULL, tn ? tn : uri);
}

static bool read_dests(struct passport *p, bool tn, const json_t *list)
{
	if (list && !json_is_array(list))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (p->n_dest == PASSPORT_DEST_MAX ||
		    !read_claim(&p->dest[p->n_dest++], tn, json_array_get(list, i)))
			return false;
	}
	return true;
}

static bool read_dest(struct passport *p, const json_t *j)
{
	return read_dests(p, true, json_object_get(j, "tn")) &&
	       read_dests(p, false, json_object_get(j, "uri")) && p->n_dest > 0;
}

static bool read_key(struct mky *m, const json_t *j)
{
	const json_t *alg = json_object_get(j, "alg"), *dig = json_object_get(j, "dig");

	return json_is_string(alg) && json_is_string(dig) &&
	       !mky_add(m, json_string_value(alg), json_string_length(alg),
			json_string_value(dig), json_string_length(dig));
}

static bool read_mky(struct passport *p, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!read_key(&p->mky, json_array_get(list, i)))
			return false;
	return p->mky.n > 0;
}

static const char *read_payload(struct passport *p, const json_t *j)
{
	const json_t *iat = json_object_get(j, "iat"), *mky = json_object_get(j, "mky");
	const json_t *attest = json_object_get(j, "attest"),
		     *origid = json_object_get(j, "origid");

	if (!json_is_object(j))
		return "its claims are no JSON object";
	if (!json_is_integer(iat))
		return "it has no time that is a whole number";
	p->iat_s = json_integer_value(iat);
	if (!read_orig(p, json_object_get(j, "orig")))
		return "its claim of who calls is not usable";
	if (!read_dest(p, json_object_get(j, "dest")))
		return "its claim of who is called is not usable";
	p->has_mky = mky != NULL;
	if (mky && !read_mky(p, mky))
		return "its media keys are not usable";
	if (json_string_length(attest) == 1)
		p->attest = json_string_value(attest)[0];
	if (origid && !copy(p->origid, sizeof(p->origid), origid))
		return "its origination identifier is not usable";
	return NULL;
}

int passport_parse(struct passport *p, const char **whyp, const struct pl *header,
		   const struct pl *payload)
{
	json_t *h = NULL, *c = NULL;

	memset(p, 0, sizeof(*p));
	if (load(&h, header) || load(&c, payload))
		*whyp = "it is no base64url of JSON";
	else
		*whyp = read_header(p, h);
	if (!*whyp)
		*whyp = read_payload(p, c);
	json_decref(h);
	json_decref(c);
	return *whyp ? EBADMSG : 0;
}

bool passport_claim_is(const struct passport_claim *c, const struct name *name)
{
	return c->tn == name->tn && !strcmp(c->text, name->text);
}
