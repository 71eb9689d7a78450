/* idp/desk_assert.c - assertions: may this page have one, what of the person does it say, and is one of ours good? The
 * provider's thread; called by desk_work.c. RFC 8827 §7.4 (contents), §9.4 (what a provider must look at), RFC 7519.
 *
 *   who asks ─ the contents name good keys ─ consent for the page ─ the rule for peer, page or anyone ─ name, profile ─ signed */
#include "idp/desk_own.h"

#include <strings.h>

#include "idp/b64url.h"
#include "idp/mky.h"
#include "lib/log.h"
#include "lib/secret.h"

enum {
	CONTENTS_MAX = 2048, /* bytes; the token is JSON and base64 of it */
	JTI_BYTES = 16,
	SLACK_S = 60, /* clocks differ */
};

/* How an assertion is going to be. */
struct statement {
	char user[ADDR_USER_MAX + 1];
	char sub[ADDR_TEXT_MAX + 1];
	char peer[ADDR_TEXT_MAX + 1]; /* empty: anybody */
	struct store_consent consent;
	struct store_rule rule;
};

/* ---- the contents ---- */

/* sha-256 or better; as long as its digest is (RFC 8122 §5). */
static bool key_is_good(const struct mky_key *key)
{
	static const struct {
		const char *alg;
		size_t hex;
	} algs[] = {{"sha-256", 64}, {"sha-384", 96}, {"sha-512", 128}};

	for (size_t i = 0; i < N_ELEMS(algs); i++)
		if (!strcmp(key->alg, algs[i].alg))
			return strlen(key->dig) == algs[i].hex;
	return false;
}

static bool add_key(struct mky *keys, const json_t *one)
{
	const char *alg = json_string_value(json_object_get(one, "algorithm"));
	const char *dig = json_string_value(json_object_get(one, "digest"));
	char line[MKY_ALG_MAX + 3 * MKY_DIG_MAX / 2 + 2];
	int n = alg && dig ? snprintf(line, sizeof(line), "%s %s", alg, dig) : -1;

	return n > 0 && (size_t)n < sizeof(line) && !mky_add_line(keys, line, (size_t)n);
}

/* {"fingerprint":[{"algorithm":"sha-256","digest":"4A:AD:…"}]}: opaque to us but for this, that it is about keys. What
 * else stands in it goes through. NULL: it is good; else what is wrong. */
static const char *contents_fault(const char *contents)
{
	json_t *o, *list;
	struct mky keys = {0};
	bool good;

	if (!contents || strlen(contents) > CONTENTS_MAX)
		return "`contents` is longer than 2048 bytes";
	o = json_loads(contents, JSON_REJECT_DUPLICATES, NULL);
	list = json_object_get(o, "fingerprint");
	good = json_array_size(list) > 0;
	for (size_t i = 0; i < json_array_size(list) && good; i++)
		good = add_key(&keys, json_array_get(list, i));
	json_decref(o);
	for (size_t i = 0; i < keys.n && good; i++)
		good = key_is_good(&keys.v[i]);
	if (!good || !mky_canonical(&keys))
		return "`contents` is no JSON with one fingerprint at least, of sha-256 "
		       "or better, spelled as in a description";
	return NULL;
}

/* ---- who asks, and for which page ---- */

static struct provider_answer *consent_missing(struct desk_case *c, const char *text)
{
	return desk_send_to(c, 403, "consent", text, c->r->origin);
}

static struct provider_answer *by_grant(struct desk_case *c, struct statement *s)
{
	int64_t until_s = c->now_s + (int64_t)c->config->limits.idp_grant_days * 86400;
	char origin[STORE_ORIGIN_MAX + 1];
	int err = store_idp_grant_find(c->store, c->site->domain, c->r->grant, c->now_s,
				       until_s, s->user, origin);

	if (err == ENOENT)
		return desk_send_to(c, 401, "sign-in", "Please sign in.", c->r->origin);
	if (err)
		return desk_failed(err);
	if (c->r->native || strcmp(origin, c->r->origin) != 0)
		return desk_refuse(403, "origin",
				   "This grant is for a frame on another page.");
	return NULL;
}

/* The page means one user of ours, and another one is signed in: the person before, at the same browser. */
static bool is_somebody_else(const struct desk_case *c, const struct statement *s)
{
	const char *hint = c->r->user;
	struct addr a;

	if (!hint || addr_parse(&a, hint, strlen(hint)) ||
	    strcmp(a.host, c->site->domain) != 0)
		return false;
	return strcmp(a.user, s->user) != 0;
}

static struct provider_answer *judge_page(struct desk_case *c, struct statement *s)
{
	struct provider_answer *no =
		c->r->grant[0] ? by_grant(c, s) : desk_session(c, s->user);
	int err;

	if (no)
		return no;
	if (is_somebody_else(c, s))
		return desk_send_to(c, 401, "sign-in", "Somebody else is signed in.",
				    c->r->origin);
	err = store_idp_consent(c->store, c->site->domain, s->user, c->r->origin,
				&s->consent);
	if (err == ENOENT)
		return consent_missing(
			c, "You have not allowed that site to have your name.");
	if (err)
		return desk_failed(err);
	if (!c->r->native && !s->consent.frames)
		return consent_missing(c, "You have not allowed frames on that site.");
	return NULL;
}

/* ---- the rule ---- */

/* Is any of them for one person? Of the others one is for anyone, and those for pages are origins. */
static bool rules_know_people(const struct store_rule *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strchr(v[i].whom, '@'))
			return true;
	return false;
}

/* The one for the peer, else for the page, else for anyone; without any: the name, to anyone. EDESTADDRREQ: there are some
 * for single persons, and nobody has said whom it is for. */
static int rule_find(struct desk_case *c, struct statement *s)
{
	const char *const whom[] = {s->peer, c->r->origin, "anyone"};
	struct store_rule *v = NULL;
	bool found = false;
	size_t n = 0;
	int err = store_idp_rules(c->store, c->site->domain, s->user, &v, &n);

	if (!err && !*s->peer && rules_know_people(v, n))
		err = EDESTADDRREQ;
	s->rule =
		(struct store_rule){.whom = "anyone", .reveal = "full", .claims = "name"};
	for (size_t i = 0; i < N_ELEMS(whom) && !err && !found; i++) {
		for (size_t k = 0; k < n && !found && *whom[i]; k++) {
			found = !strcmp(v[k].whom, whom[i]);
			if (found)
				s->rule = v[k];
		}
	}
	mem_deref(v);
	return err;
}

/* A user's name has no '@' and no '%', so nothing is to be escaped (RFC 8827 §8.1). */
static int sub_write(struct desk_case *c, struct statement *s, const struct seal *seal)
{
	char name[SEAL_PSEUDONYM_LEN + 1];
	int err;

	if (!strcmp(s->rule.reveal, "full")) {
		snprintf(s->sub, sizeof(s->sub), "%s@%s", s->user, c->site->domain);
		return 0;
	}
	err = seal_pseudonym(name, seal, s->user,
			     *s->peer && !strcmp(s->rule.whom, s->peer) ? s->peer
									: c->r->origin);
	snprintf(s->sub, sizeof(s->sub), "%s@%s", name, c->site->domain);
	return err;
}

/* ---- the token ---- */

static bool may_say(const struct statement *s, const char *claim)
{
	return desk_claim(s->rule.claims, claim) && desk_claim(s->consent.claims, claim);
}

/* NULL: nothing is said. A name that somebody did not give is their user name, which a pseudonym is to hide. */
static json_t *profile_json(const struct statement *s, const struct store_profile *p)
{
	const char *name = *p->name                         ? p->name
			   : strcmp(s->rule.reveal, "full") ? ""
							    : s->user;
	json_t *o = json_object();

	if (*name && may_say(s, "name"))
		json_object_set_new(o, "name", json_string(name));
	if (*p->picture && may_say(s, "picture"))
		json_object_set_new(o, "picture", json_string(p->picture));
	if (*p->email && may_say(s, "email")) {
		json_object_set_new(o, "email", json_string(p->email));
		json_object_set_new(o, "email_verified", json_boolean(p->email_verified));
	}
	if (json_object_size(o))
		return o;
	json_decref(o);
	return NULL;
}

static json_t *claims_json(const struct desk_case *c, const struct statement *s,
			   const struct store_profile *profile)
{
	char iss[ADDR_HOST_MAX + 9], jti[B64URL_LEN(JTI_BYTES) + 1];
	uint8_t random[JTI_BYTES];
	json_t *o, *said;

	snprintf(iss, sizeof(iss), "https://%s", c->site->domain);
	secret_random(random, sizeof(random));
	jti[b64url_encode(jti, random, sizeof(random))] = '\0';
	o = json_pack(
		"{s:s, s:s, s:I, s:I, s:I, s:s, s:s, s:s, s:s}", "iss", iss, "sub",
		s->sub, "iat", (json_int_t)c->now_s, "nbf", (json_int_t)c->now_s, "exp",
		(json_int_t)c->now_s + (json_int_t)c->config->limits.idp_assertion_s,
		"jti", jti, "contents", c->r->contents, "origin", c->r->origin, "ctx",
		c->r->native ? "native" : "frame");
	if (o && *s->peer)
		json_object_set_new(o, "peer", json_string(s->peer));
	said = profile_json(s, profile);
	if (o && said)
		json_object_set_new(o, "profile", said);
	else
		json_decref(said);
	return o;
}

static struct provider_answer *sign(struct desk_case *c, struct statement *s)
{
	char domain[PROVIDER_DOMAIN_BYTES];
	struct store_profile profile;
	struct provider_answer *a;
	struct seal *seal = NULL;
	char *token = NULL;
	json_t *claims;
	int err = store_idp_profile(c->store, c->site->domain, s->user, &profile);

	err = err ? err : seals_get(&seal, c->seals, c->store, c->site->domain);
	err = err ? err : sub_write(c, s, seal);
	if (err)
		return desk_failed(err);
	claims = claims_json(c, s, &profile);
	err = claims ? seal_sign(&token, seal, claims) : ENOMEM;
	json_decref(claims);
	if (err == EMSGSIZE)
		return desk_refuse(400, "invalid",
				   "the assertion would be longer than 4096 bytes");
	if (err)
		return desk_failed(err);
	(void)store_idp_consent_used(c->store, c->site->domain, s->user, &s->consent,
				     c->now_s);
	provider_domain(domain, c->site, c->r->tls, c->r->port);
	a = desk_say(200, json_pack("{s:{s:s, s:s}, s:s}", "idp", "domain", domain,
				    "protocol", PROVIDER_PROTOCOL, "assertion", token));
	mem_deref(token);
	log_debug(NULL, "idp.assert", "site=%s ctx=%s reveal=%s", c->site->domain,
		  c->r->native ? "native" : "frame", s->rule.reveal);
	return a;
}

struct provider_answer *desk_assert(struct desk_case *c)
{
	const struct provider_request *r = c->r;
	struct statement s = {0};
	struct provider_answer *no;
	struct addr peer;
	const char *why;
	int err;

	if (!desk_origin_is_one(r->origin))
		return desk_refuse(
			400, "invalid",
			"`origin` is no web origin, such as https://shop.example");
	why = contents_fault(r->contents);
	if (why)
		return desk_refuse(400, "invalid", why);
	if (r->peer && *r->peer) { /* Firefox says "" for nobody in particular */
		if (addr_parse(&peer, r->peer, strlen(r->peer)))
			return desk_refuse(400, "invalid", "`peer` is no user@domain");
		addr_text(s.peer, &peer);
	}
	no = judge_page(c, &s);
	if (no)
		return no;
	err = rule_find(c, &s);
	if (err == EDESTADDRREQ)
		return desk_refuse(403, "peer",
				   "You have rules for single persons: who is it for?");
	if (err)
		return desk_failed(err);
	if (!strcmp(s.rule.reveal, "none"))
		return desk_refuse(403, "refused", "You do not let them have your name.");
	return sign(c, &s);
}

/* ---- is one of ours good? ---- */

static struct provider_answer *invalid(const char *text)
{
	return desk_refuse(400, "invalid", text);
}

static const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

/* What is wrong with it now, for that peer; NULL: nothing. */
static const char *claims_fault(const struct desk_case *c, const json_t *claims)
{
	json_int_t nbf = json_integer_value(json_object_get(claims, "nbf"));
	json_int_t exp = json_integer_value(json_object_get(claims, "exp"));
	const char *peer = text_of(claims, "peer");
	char iss[ADDR_HOST_MAX + 9];

	snprintf(iss, sizeof(iss), "https://%s", c->site->domain);
	if (strcmp(text_of(claims, "iss"), iss) != 0)
		return "it is another site's";
	if (c->now_s < nbf - SLACK_S)
		return "it is not good yet";
	if (c->now_s > exp + SLACK_S)
		return "its time is over";
	if (*peer && c->r->peer && *c->r->peer && strcasecmp(peer, c->r->peer) != 0)
		return "it is for somebody else";
	return NULL;
}

struct provider_answer *desk_check(struct desk_case *c)
{
	json_t *claims = NULL, *profile, *o;
	struct seal *seal = NULL;
	const char *why = NULL;
	int err = seals_get(&seal, c->seals, c->store, c->site->domain);

	if (err)
		return desk_failed(err);
	if (seal_open(&claims, &why, seal, c->r->assertion ? c->r->assertion : ""))
		return invalid(why);
	why = claims_fault(c, claims);
	if (why) {
		json_decref(claims);
		return invalid(why);
	}
	profile = json_object_get(claims, "profile");
	o = json_pack("{s:s, s:s, s:o, s:s, s:s}", "identity", text_of(claims, "sub"),
		      "contents", text_of(claims, "contents"), "profile",
		      profile ? json_incref(profile) : json_object(), "ctx",
		      text_of(claims, "ctx"), "origin", text_of(claims, "origin"));
	json_decref(claims);
	return desk_say(200, o);
}
