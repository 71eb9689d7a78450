/* idp/openid_work.c - signing in elsewhere, the half that faces the browser and the store: where it is sent, what it brings
 * back, whose account that is. The openid thread; called by openid.c. */
#include "idp/openid_own.h"

#include <jansson.h>

#include "idp/desk_own.h"

#include "lib/log.h"

#define PAGE_SIGN_IN "/idp/signin.html"
#define PAGE_OWN     "/idp/identity.html"

enum { LOCATION_MAX = 3600 };

const char *openid_callback_url(char *buf, const struct openid_turn *t)
{
	char path[CONFIG_OPENID_NAME_MAX + 32];

	snprintf(path, sizeof(path), "/idp/v1/oidc/%s/callback", t->flow.provider);
	return provider_url(buf, OPENID_URL_MAX + 1, t->r, path);
}

static struct provider_answer *send_to(const char *url)
{
	struct provider_answer *a = provider_answer_new(302);

	if (a)
		a->location = base_dup(url, strlen(url));
	if (a && !a->location)
		a = mem_deref(a);
	return a;
}

static struct provider_answer *fail_at(const struct provider_request *r, const char *to,
				       const char *error)
{
	const char *query = strchr(to, '?');
	char path[FLOW_TO_MAX + sizeof(PAGE_SIGN_IN) + 64], url[LOCATION_MAX + 1];

	/* what the page needs to go on stands in its own query */
	snprintf(path, sizeof(path), "%s%s%serror=%s", PAGE_SIGN_IN, query ? query : "?",
		 query && query[1] ? "&" : "", error);
	provider_url(url, sizeof(url), r, path);
	return send_to(url);
}

struct provider_answer *openid_fail(const struct openid_turn *t, const char *error)
{
	return fail_at(t->r, t->flow.to, error);
}

/* ---- the list ---- */

static bool session_user(const struct openid_desk *d, const struct provider_request *r,
			 char *user)
{
	return r->session[0] && !store_idp_session_find(d->store, r->site->domain,
							r->session, d->now_s, user);
}

/* What who is signed in may do with it. */
static void list_own(json_t *o, const struct openid_desk *d,
		     const struct provider_request *r, const struct openid_config *c,
		     const char *user)
{
	char proof[FLOW_DERIVED_LEN + 1];
	unsigned n = 0;

	if (!flow_link_proof(proof, d->key, r->site->domain, r->session, c->name))
		json_object_set_new(o, "link", json_string(proof));
	if (!store_idp_upstream_count(d->store, r->site->domain, c->issuer, user, &n))
		json_object_set_new(o, "linked", json_boolean(n));
}

struct provider_answer *openid_list(const struct openid_desk *d,
				    const struct provider_request *r)
{
	char user[ADDR_USER_MAX + 1];
	bool known = session_user(d, r, user);
	json_t *list = json_array(), *o;

	for (size_t i = 0; i < d->config->n_openid; i++) {
		const struct openid_config *c = &d->config->openidv[i];

		if (!config_openid_serves(c, r->site->domain))
			continue;
		o = json_pack("{s:s, s:s}", "name", c->name, "title", c->title);
		if (known)
			list_own(o, d, r, c, user);
		json_array_append_new(list, o);
	}
	return desk_say(200, list);
}

/* ---- the first half ---- */

static struct openid_provider *provider_find(const struct openid_desk *d,
					     const struct site_config *site,
					     const char *name)
{
	for (size_t i = 0; i < d->config->n_openid; i++) {
		struct openid_provider *p = &d->providerv[i];

		if (!strcmp(p->config->name, name) &&
		    config_openid_serves(p->config, site->domain))
			return p;
	}
	return NULL;
}

/* Picture and e-mail were the provider's word, which does not count any more. */
static int profile_forget(const struct openid_desk *d, const char *site, const char *user)
{
	struct store_profile p;
	int err = store_idp_profile(d->store, site, user, &p);

	if (err)
		return err;
	*p.picture = *p.email = '\0';
	p.email_verified = false;
	return store_idp_profile_set(d->store, site, user, &p);
}

struct provider_answer *openid_unlink(const struct openid_desk *d,
				      const struct provider_request *r)
{
	const struct openid_provider *p = provider_find(d, r->site, r->name);
	char user[ADDR_USER_MAX + 1];
	int err = ENOENT;

	if (!session_user(d, r, user))
		return desk_refuse(401, "sign-in", "Please sign in.");
	if (p)
		err = store_idp_upstream_end(d->store, r->site->domain, p->config->issuer,
					     user);
	if (err == ENOENT)
		return desk_refuse(404, "not-found",
				   "No account there is linked with yours.");
	if (!err)
		err = profile_forget(d, r->site->domain, user);
	return err ? desk_failed(err) : desk_say(200, json_object());
}

static struct provider_answer *read_start(const struct openid_desk *d,
					  struct openid_turn *t)
{
	const struct provider_request *r = t->r;
	const char *query = r->query ? r->query : "";
	char link[FLOW_DERIVED_LEN + 1], proof[FLOW_DERIVED_LEN + 1];

	t->provider = provider_find(d, r->site, r->name ? r->name : "");
	if (!t->provider)
		return desk_refuse(404, "not-found", "There is no such provider here.");
	snprintf(t->flow.provider, sizeof(t->flow.provider), "%s",
		 t->provider->config->name);
	if (!flow_query(t->flow.to, sizeof(t->flow.to), query, "to"))
		snprintf(t->flow.to, sizeof(t->flow.to), "%s", PAGE_OWN);
	if (!flow_to_ok(t->flow.to))
		return desk_refuse(400, "bad-message",
				   "`to` is no address of a page of this provider");
	/* Only a page of ours can read the proof: nobody is linked by a link that he follows. */
	t->flow.link = r->session[0] && flow_query(link, sizeof(link), query, "link") &&
		       strlen(link) == FLOW_DERIVED_LEN &&
		       !flow_link_proof(proof, d->key, r->site->domain, r->session,
					t->flow.provider) &&
		       secret_equal(link, proof, FLOW_DERIVED_LEN);
	if (strlen(r->flow) == STORE_TOKEN_HEX)
		memcpy(t->cookie, r->flow, sizeof(t->cookie)); /* another tab's, too */
	else
		secret_hex(t->cookie, STORE_TOKEN_HEX);
	return NULL;
}

struct provider_answer *openid_send_there(const struct openid_desk *d,
					  struct openid_turn *t)
{
	const struct openid_provider *p = t->provider;
	char state[FLOW_STATE_MAX + 1], back[OPENID_URL_MAX + 1], url[LOCATION_MAX + 1];
	const char *at = p->meta.authorization;
	struct provider_answer *a = NULL;
	bool fits;

	if (flow_begin(&t->flow, state, d->key, t->r->site->domain, t->cookie, d->now_s))
		return openid_fail(t, "busy");
	snprintf(url, sizeof(url), "%s%sresponse_type=code", at,
		 strchr(at, '?') ? "&" : "?");
	openid_callback_url(back, t);
	fits = flow_query_add(url, sizeof(url), "client_id", p->config->client_id) &&
	       flow_query_add(url, sizeof(url), "redirect_uri", back) &&
	       flow_query_add(url, sizeof(url), "state", state) &&
	       flow_query_add(url, sizeof(url), "code_challenge", t->flow.challenge) &&
	       flow_query_add(url, sizeof(url), "code_challenge_method", "S256");
	if (*p->config->scopes)
		fits = fits &&
		       flow_query_add(url, sizeof(url), "scope", p->config->scopes);
	if (!p->config->service.token)
		fits = fits && flow_query_add(url, sizeof(url), "nonce", t->flow.nonce);
	if (fits)
		a = send_to(url);
	if (a)
		memcpy(a->flow, t->cookie, sizeof(a->flow));
	return a ? a : openid_fail(t, "provider");
}

/* ---- the second half ---- */

/* It went to one provider and comes back from another, or says so itself. */
static struct provider_answer *mixed_up(const struct openid_turn *t, const char *from)
{
	log_info(NULL, "openid.mixed_up", "provider=%s from=%s", t->flow.provider,
		 LQ(from));
	return openid_fail(t, "provider");
}

static struct provider_answer *read_back(const struct openid_desk *d,
					 struct openid_turn *t)
{
	const struct provider_request *r = t->r;
	const char *query = r->query ? r->query : "";
	char state[FLOW_STATE_MAX + 1] = "", text[2048], iss[OPENID_URL_MAX + 1];
	int err = EBADMSG;

	if (flow_query(state, sizeof(state), query, "state") &&
	    strlen(r->flow) == STORE_TOKEN_HEX)
		err = flow_resume(&t->flow, state, d->key, r->site->domain, r->flow,
				  d->now_s);
	if (err)
		return fail_at(r, err == ETIMEDOUT ? t->flow.to : "", "expired");
	t->provider = provider_find(d, r->site, t->flow.provider);
	if (!t->provider)
		return openid_fail(t, "expired");
	/* An answer of another provider than was asked is nobody's: RFC 9700 §4.4.2, RFC 9207 */
	if (!r->name || strcmp(r->name, t->flow.provider) != 0)
		return mixed_up(t, r->name ? r->name : "");
	t->says_issuer = flow_query(iss, sizeof(iss), query, "iss");
	if (t->says_issuer && strcmp(iss, t->provider->config->issuer) != 0)
		return mixed_up(t, iss);
	if (flow_query(text, sizeof(text), query, "error")) {
		const char *said = text;

		log_info(NULL, "openid.refused", "provider=%s error=%s", t->flow.provider,
			 LQ(said));
		return openid_fail(t, !strcmp(text, "access_denied") ? "denied"
								     : "provider");
	}
	if (!flow_query(text, sizeof(text), query, "code") || !*text)
		return openid_fail(t, "provider");
	t->code = secret_dup(text, strlen(text));
	secret_wipe(text, sizeof(text));
	return t->code ? NULL : openid_fail(t, "busy");
}

struct provider_answer *openid_read(const struct openid_desk *d, struct openid_turn *t)
{
	return t->r->op == PROVIDER_OPENID_START ? read_start(d, t) : read_back(d, t);
}

/* ---- whose account ---- */

static bool name_usable(char *user, const char *text, size_t n)
{
	return !addr_user_parse(user, text, n) && !provider_is_pseudonym(user);
}

/* The name that a new account would have. Errors: EINVAL there is none that we could use. */
static int new_name(char *user, const struct openid_person *p)
{
	const char *at = strchr(p->email, '@');

	if (*p->user && name_usable(user, p->user, strcspn(p->user, "@")))
		return 0;
	if (p->email_verified && at &&
	    name_usable(user, p->email, (size_t)(at - p->email)))
		return 0;
	return EINVAL;
}

/* Without a password: the person may choose one (desk_person.c). The account ends again when it cannot be linked. */
static int account_make(const struct openid_desk *d, const struct openid_turn *t,
			char *user)
{
	const struct site_config *site = t->r->site;
	int err = new_name(user, &t->person);

	if (!err && site->echo && !strcmp(user, site->echo))
		err = EEXIST;
	if (err)
		return err;
	err = store_user_add(d->store, site->domain, user, STORE_NO_PASSWORD);
	if (!err)
		log_info(NULL, "openid.account", "provider=%s site=%s", t->flow.provider,
			 site->domain);
	return err;
}

static int account_link(const struct openid_desk *d, const struct openid_turn *t,
			const char *user)
{
	return store_idp_upstream_add(d->store, t->r->site->domain,
				      t->provider->config->issuer, t->person.sub, user);
}

/* NULL: `user` is who it is; else why not. */
static const char *account_find(const struct openid_desk *d, const struct openid_turn *t,
				char *user)
{
	const char *site = t->r->site->domain;
	char linked[ADDR_USER_MAX + 1] = "";
	int err = store_idp_upstream(d->store, site, t->provider->config->issuer,
				     t->person.sub, linked);
	bool is_linked = !err;

	if (err && err != ENOENT)
		return "busy";
	if (t->flow.link) {
		err = session_user(d, t->r, user) ? 0 : ENOENT;
		if (!err && is_linked && strcmp(user, linked) != 0)
			return "other-account";
		err = err || is_linked ? err : account_link(d, t, user);
		return err == ENOENT ? "expired" : err ? "busy" : NULL;
	}
	if (is_linked) {
		memcpy(user, linked, sizeof(linked));
		return NULL;
	}
	if (!t->provider->config->creates)
		return "not-linked";
	err = account_make(d, t, user);
	if (err == EEXIST || err == EINVAL)
		return "name-taken";
	if (err)
		return "busy";
	err = account_link(d, t, user);
	if (err)
		(void)store_user_remove(d->store, site, user);
	return err ? "busy" : NULL;
}

/* Picture and e-mail are the provider's to say; a name that somebody has written himself stays. */
static void profile_take(const struct openid_desk *d, const struct openid_turn *t,
			 const char *user)
{
	const struct openid_person *from = &t->person;
	const char *site = t->r->site->domain;
	struct store_profile p;
	int err = store_idp_profile(d->store, site, user, &p);

	if (err)
		return;
	if (!*p.name)
		snprintf(p.name, sizeof(p.name), "%s", from->name);
	if (*from->picture)
		snprintf(p.picture, sizeof(p.picture), "%s", from->picture);
	if (*from->email) {
		snprintf(p.email, sizeof(p.email), "%s", from->email);
		p.email_verified = from->email_verified;
	}
	err = store_idp_profile_set(d->store, site, user, &p);
	if (err)
		log_warn(NULL, "openid.profile", "site=%s error=%s", site,
			 LQ(strerror(err)));
}

struct provider_answer *openid_come_back(const struct openid_desk *d,
					 struct openid_turn *t)
{
	const struct limits *l = &d->config->limits;
	char user[ADDR_USER_MAX + 1], session[STORE_TOKEN_HEX + 1], url[LOCATION_MAX + 1];
	const char *why = account_find(d, t, user);
	struct provider_answer *a;

	if (why) {
		log_info(NULL, "openid.no_account", "provider=%s site=%s why=%s",
			 t->flow.provider, t->r->site->domain, why);
		return openid_fail(t, why);
	}
	profile_take(d, t, user);
	secret_hex(session, STORE_TOKEN_HEX);
	if (store_idp_session_add(d->store, t->r->site->domain, user, NULL, session,
				  d->now_s + (int64_t)l->idp_session_days * 86400,
				  l->sessions_per_user))
		return openid_fail(t, "busy");
	provider_url(url, sizeof(url), t->r, t->flow.to);
	a = send_to(url);
	if (a)
		memcpy(a->session, session, sizeof(a->session));
	secret_wipe(session, sizeof(session));
	return a;
}
