/* idp/desk_work.c - what people do at their identity provider: who is signed in, whom they let have their name, how much of
 * it, codes and grants; keys. The provider's thread; called by desk.c, calls the store and seal.c. docs/idp.md describes
 * each request. */
#include "idp/desk_own.h"

#include "gateway/config_value.h"
#include "idp/b64url.h"
#include "lib/log.h"
#include "lib/secret.h"

enum {
	GRANTS_PER_ORIGIN = 16,
	CONSENTS_MAX = 256, /* of one person */
	VERIFIER_MIN = 43,  /* RFC 7636 §4.1, whose form it borrows */
	VERIFIER_MAX = 128,
};

/* ---- answers ---- */

struct provider_answer *desk_say(unsigned status, json_t *body)
{
	struct provider_answer *a = provider_answer_new(status);
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	if (a && text)
		a->json = base_dup(text, strlen(text));
	free(text);
	json_decref(body);
	if (a && !a->json)
		a = mem_deref(a);
	return a;
}

/* The fields of an answer that others read as well as the page. */
static struct provider_answer *with_error(struct provider_answer *a, const char *error,
					  const char *text)
{
	if (a) {
		a->error = error;
		snprintf(a->text, sizeof(a->text), "%s", text);
	}
	return a;
}

struct provider_answer *desk_refuse(unsigned status, const char *error, const char *text)
{
	return with_error(
		desk_say(status, json_pack("{s:s, s:s}", "error", error, "text", text)),
		error, text);
}

/* Of an origin; it has no other characters that a query could take for its own. */
static void escape(char *out, size_t size, const char *text)
{
	size_t n = 0;

	for (; *text && n + 4 < size; text++) {
		if (*text == ':' || *text == '/')
			n += (size_t)snprintf(out + n, size - n, "%%%02X", *text);
		else
			out[n++] = *text;
	}
	out[n] = '\0';
}

struct provider_answer *desk_send_to(const struct desk_case *c, unsigned status,
				     const char *error, const char *text,
				     const char *origin)
{
	char url[1400], page[1000], escaped[3 * STORE_ORIGIN_MAX + 1] = "";

	if (!desk_origin_is_one(origin))
		origin = NULL;
	else
		escape(escaped, sizeof(escaped), origin);
	snprintf(page, sizeof(page), "/idp/signin.html%s%s", origin ? "?origin=" : "",
		 escaped);
	provider_url(url, sizeof(url), c->r, page);
	return with_error(desk_say(status, json_pack("{s:s, s:s, s:s}", "error", error,
						     "text", text, "loginUrl", url)),
			  error, text);
}

struct provider_answer *desk_failed(int err)
{
	static struct log_gate gate;
	struct provider_answer *a;

	if (log_gate_open(&gate, 2))
		log_err(NULL, "idp.failed", "error=%s", LQ(strerror(err)));
	a = desk_refuse(503, "busy", "The site is busy. Please try again.");
	if (a)
		a->retry_s = 2;
	return a;
}

struct provider_answer *desk_done(void)
{
	return desk_say(200, json_object());
}

/* ---- who asks ---- */

struct provider_answer *desk_session(struct desk_case *c, char *user)
{
	int err = ENOENT;

	if (c->r->session[0])
		err = store_idp_session_find(c->store, c->site->domain, c->r->session,
					     c->now_s, user);
	if (!err)
		return NULL;
	if (err != ENOENT)
		return desk_failed(err);
	return desk_send_to(c, 401, "sign-in", "Please sign in.", c->r->origin);
}

bool desk_origin_is_one(const char *text)
{
	char canonical[STORE_ORIGIN_MAX + 1];

	return text && strlen(text) <= STORE_ORIGIN_MAX && strcmp(text, "none") != 0 &&
	       !config_origin_parse(canonical, sizeof(canonical), text) &&
	       !strcmp(canonical, text);
}

static struct provider_answer *bad(const char *text)
{
	return desk_refuse(400, "bad-message", text);
}

static struct provider_answer *bad_origin(void)
{
	return bad("`origin` is no web origin, such as https://shop.example");
}

bool desk_claim(const char *claims, const char *word)
{
	size_t n = strlen(word);

	if (!strcmp(claims, "*"))
		return true;
	for (const char *at = claims; (at = strstr(at, word)); at += n)
		if ((at == claims || at[-1] == ' ') && (!at[n] || at[n] == ' '))
			return true;
	return false;
}

static json_t *claims_json(const char *claims)
{
	static const char *const words[] = {"name", "picture", "email"};
	json_t *list = json_array();

	for (size_t i = 0; i < N_ELEMS(words); i++)
		if (desk_claim(claims, words[i]))
			json_array_append_new(list, json_string(words[i]));
	return list;
}

/* ---- consents ---- */

static struct provider_answer *consents(struct desk_case *c)
{
	char user[ADDR_USER_MAX + 1];
	struct provider_answer *no = desk_session(c, user);
	struct store_consent *v = NULL;
	json_t *list;
	size_t n = 0;
	int err;

	if (no)
		return no;
	err = store_idp_consents(c->store, c->site->domain, user, &v, &n);
	if (err)
		return desk_failed(err);
	list = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *o = json_pack("{s:s, s:b, s:o, s:I, s:b}", "origin", v[i].origin,
				      "frames", (int)v[i].frames, "claims",
				      claims_json(v[i].claims), "since",
				      (json_int_t)v[i].since_s, "own", (int)v[i].own);

		if (v[i].used_s)
			json_object_set_new(o, "used", json_integer(v[i].used_s));
		json_array_append_new(list, o);
	}
	mem_deref(v);
	return desk_say(200, list);
}

static struct provider_answer *consent_set(struct desk_case *c)
{
	char user[ADDR_USER_MAX + 1];
	struct provider_answer *no = desk_session(c, user);
	struct store_consent consent = {.frames = c->r->frames}, *v = NULL, old;
	size_t n = 0;
	int err;

	if (no)
		return no;
	if (!desk_origin_is_one(c->r->origin))
		return bad_origin();
	snprintf(consent.origin, sizeof(consent.origin), "%s", c->r->origin);
	snprintf(consent.claims, sizeof(consent.claims), "%s",
		 c->r->has_claims ? c->r->claims : "*");
	err = store_idp_consent(c->store, c->site->domain, user, consent.origin, &old);
	if (err == ENOENT) {
		err = store_idp_consents(c->store, c->site->domain, user, &v, &n);
		mem_deref(v);
		if (!err && n >= CONSENTS_MAX)
			return desk_refuse(409, "limit",
					   "You allow too many sites. Please end some.");
	}
	err = err ? err
		  : store_idp_consent_set(c->store, c->site->domain, user, &consent);
	return err ? desk_failed(err) : desk_done();
}

static struct provider_answer *consent_end(struct desk_case *c)
{
	char user[ADDR_USER_MAX + 1];
	struct provider_answer *no = desk_session(c, user);
	int err;

	if (no)
		return no;
	if (!c->r->origin)
		return bad("`origin` is missing");
	err = store_idp_consent_end(c->store, c->site->domain, user, c->r->origin);
	if (err == ENOENT)
		return desk_refuse(404, "not-found", "You do not allow that site.");
	return err ? desk_failed(err) : desk_done();
}

/* ---- rules ---- */

static struct provider_answer *rules(struct desk_case *c)
{
	char user[ADDR_USER_MAX + 1];
	struct provider_answer *no = desk_session(c, user);
	struct store_rule *v = NULL;
	json_t *list;
	size_t n = 0;
	int err;

	if (no)
		return no;
	err = store_idp_rules(c->store, c->site->domain, user, &v, &n);
	if (err)
		return desk_failed(err);
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "for", v[i].whom,
						      "reveal", v[i].reveal, "claims",
						      claims_json(v[i].claims)));
	mem_deref(v);
	return desk_say(200, list);
}

static bool rule_whom_ok(struct store_rule *rule)
{
	struct addr a;

	if (!strcmp(rule->whom, "anyone") || desk_origin_is_one(rule->whom))
		return true;
	if (addr_parse(&a, rule->whom, strlen(rule->whom)))
		return false;
	addr_text(rule->whom, &a); /* the form in which peers are compared */
	return true;
}

static struct provider_answer *rules_set(struct desk_case *c)
{
	const struct provider_request *r = c->r;
	char user[ADDR_USER_MAX + 1];
	struct provider_answer *no = desk_session(c, user);
	int err;

	if (no)
		return no;
	for (size_t i = 0; i < r->n_rules; i++) {
		if (!rule_whom_ok(&r->rulev[i]))
			return bad("`for` of a rule is \"anyone\", a web origin or "
				   "user@domain");
		for (size_t k = 0; k < i; k++)
			if (!strcmp(r->rulev[k].whom, r->rulev[i].whom))
				return bad("two rules are for the same");
	}
	err = store_idp_rules_set(c->store, c->site->domain, user, r->rulev, r->n_rules);
	return err ? desk_failed(err) : desk_done();
}

/* ---- codes ---- */

static bool challenge_is_one(const char *text)
{
	uint8_t sha[SECRET_SHA256_BYTES];
	size_t n = 0;

	return text && strlen(text) == STORE_CHALLENGE_LEN &&
	       !b64url_decode(sha, sizeof(sha), &n, text, strlen(text)) &&
	       n == sizeof(sha);
}

static struct provider_answer *code_make(struct desk_case *c, const char *user)
{
	struct store_code code = {0};
	char text[STORE_TOKEN_HEX + 1];
	struct provider_answer *a;
	int err;

	if (!challenge_is_one(c->r->challenge))
		return bad("`challenge` is no SHA-256 in base64url");
	snprintf(code.user, sizeof(code.user), "%s", user);
	snprintf(code.origin, sizeof(code.origin), "%s", c->r->origin);
	snprintf(code.challenge, sizeof(code.challenge), "%s", c->r->challenge);
	secret_hex(text, STORE_TOKEN_HEX);
	err = store_idp_code_add(c->store, c->site->domain, &code, text,
				 c->now_s + c->config->limits.idp_code_s);
	if (err)
		return desk_failed(err);
	a = desk_say(200, json_pack("{s:s}", "code", text));
	if (a)
		memcpy(a->code, text, sizeof(a->code));
	secret_wipe(text, sizeof(text));
	return a;
}

static struct provider_answer *code(struct desk_case *c)
{
	char user[ADDR_USER_MAX + 1];
	struct provider_answer *no = desk_session(c, user);
	struct store_consent consent;
	int err;

	if (no)
		return no;
	if (!desk_origin_is_one(c->r->origin))
		return bad_origin();
	err = store_idp_consent(c->store, c->site->domain, user, c->r->origin, &consent);
	if (err == ENOENT || (!err && !consent.frames))
		return desk_send_to(c, 403, "consent",
				    "You have not allowed frames on that site.",
				    c->r->origin);
	return err ? desk_failed(err) : code_make(c, user);
}

/* The site's page has the account; to ask would be a question without a choice. */
static struct provider_answer *site_code(struct desk_case *c)
{
	int err = store_idp_consent_own(c->store, c->site->domain, c->r->user,
					c->r->origin);

	return err ? desk_failed(err) : code_make(c, c->r->user);
}

static bool proves(const char *challenge, const char *verifier)
{
	char text[STORE_CHALLENGE_LEN + 1] = "";
	uint8_t sha[SECRET_SHA256_BYTES];
	size_t n = verifier ? strlen(verifier) : 0;

	if (n < VERIFIER_MIN || n > VERIFIER_MAX || secret_sha256(sha, verifier, n))
		return false;
	text[b64url_encode(text, sha, sizeof(sha))] = '\0';
	return strlen(challenge) == STORE_CHALLENGE_LEN &&
	       secret_equal(text, challenge, STORE_CHALLENGE_LEN);
}

static struct provider_answer *redeem_good(struct desk_case *c,
					   const struct store_code *code)
{
	const struct limits *l = &c->config->limits;
	char grant[STORE_TOKEN_HEX + 1],
		session[STORE_TOKEN_HEX + 1] = "", text[ADDR_TEXT_MAX + 1];
	struct provider_answer *a = NULL;
	int err;

	secret_hex(grant, STORE_TOKEN_HEX);
	err = store_idp_grant_add(c->store, c->site->domain, code->user, code->origin,
				  grant, c->now_s + (int64_t)l->idp_grant_days * 86400,
				  GRANTS_PER_ORIGIN);
	if (!err && code->own) {
		secret_hex(session, STORE_TOKEN_HEX);
		err = store_idp_session_add(
			c->store, c->site->domain, code->user, NULL, session,
			c->now_s + (int64_t)l->idp_session_days * 86400,
			l->sessions_per_user);
	}
	if (!err) {
		desk_address(text, c, code->user);
		a = desk_say(200, json_pack("{s:s, s:s}", "grant", grant, "user", text));
		if (a)
			memcpy(a->session, session, sizeof(a->session));
	}
	secret_wipe(grant, sizeof(grant));
	secret_wipe(session, sizeof(session));
	return err ? desk_failed(err) : a;
}

/* Whoever has the code alone has nothing, and has spent it. */
static struct provider_answer *redeem(struct desk_case *c)
{
	const struct provider_request *r = c->r;
	struct store_code code;
	int err = ENOENT;

	if (r->code && strlen(r->code) == STORE_TOKEN_HEX)
		err = store_idp_code_take(c->store, c->site->domain, r->code, c->now_s,
					  &code);
	if (err && err != ENOENT)
		return desk_failed(err);
	if (err || !r->origin || strcmp(code.origin, r->origin) != 0 ||
	    !proves(code.challenge, r->verifier))
		return desk_refuse(403, "code",
				   "This code is not good here, or not any more.");
	return redeem_good(c, &code);
}

/* ---- keys ---- */

static struct provider_answer *keys(struct desk_case *c)
{
	struct provider_answer *a;
	struct seal *seal;
	int err = seals_get(&seal, c->seals, c->store, c->site->domain);

	if (err)
		return desk_failed(err);
	a = desk_say(200, seal_keys(seal));
	if (a)
		a->shared = true;
	return a;
}

static struct provider_answer *rotate(struct desk_case *c)
{
	struct seal *seal;
	int err = seals_rotate(c->seals, c->store, c->site->domain);

	err = err ? err : seals_get(&seal, c->seals, c->store, c->site->domain);
	return err ? desk_failed(err)
		   : desk_say(200, json_pack("{s:s, s:s}", "site", c->site->domain, "kid",
					     seal_kid(seal)));
}

struct provider_answer *desk_work(struct desk_case *c)
{
	switch (c->r->op) {
	case PROVIDER_KEYS:
		return keys(c);
	case PROVIDER_ASSERT:
		return desk_assert(c);
	case PROVIDER_CHECK:
		return desk_check(c);
	case PROVIDER_WHO:
	case PROVIDER_SIGN_OUT:
	case PROVIDER_PROFILE_SET:
	case PROVIDER_PASSWORD_SET:
		return desk_person(c);
	case PROVIDER_CONSENTS:
		return consents(c);
	case PROVIDER_CONSENT_SET:
		return consent_set(c);
	case PROVIDER_CONSENT_END:
		return consent_end(c);
	case PROVIDER_RULES:
		return rules(c);
	case PROVIDER_RULES_SET:
		return rules_set(c);
	case PROVIDER_CODE:
		return code(c);
	case PROVIDER_REDEEM:
		return redeem(c);
	case PROVIDER_SITE_CODE:
		return site_code(c);
	case PROVIDER_ROTATE:
		return rotate(c);
	case PROVIDER_OPENID_LIST: /* where there are some, openid.c says it */
		return desk_say(200, json_array());
	case PROVIDER_SIGN_IN: /* provider.c's own */
	case PROVIDER_OPENID_START:
	case PROVIDER_OPENID_BACK:
	case PROVIDER_OPENID_END:
	case PROVIDER_OP_N:
		break;
	}
	return desk_refuse(404, "not-found", "There is nothing here.");
}
