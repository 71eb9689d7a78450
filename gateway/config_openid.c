/* gateway/config_openid.c - openid "NAME" { }: providers by which people may sign in at the identity provider of their site
 * (idp/openid.c): of OpenID Connect, or of OAuth 2.0 alone, whose addresses then stand in the file. Rows of the table in config_keys.c; called from there and from config.c, before there
 * are threads. The order of the file is the order on the page. */
#include <strings.h>

#include "gateway/config_keys.h"
#include "gateway/config_value.h"
#include "lib/secret.h"

enum {
	SCOPES_MAX = 300,
	URL_MAX = 400,
	CLIENT_ID_MAX = 255,
	MEMBER_MAX = 64,
};

static bool is_name(const char *t)
{
	size_t n = strspn(t, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n && n <= CONFIG_OPENID_NAME_MAX && !t[n];
}

int config_openid_open(struct config_build *b, const struct config_section *sec,
		       void **basep)
{
	struct config *c = b->config;
	const char *t = sec->title ? sec->title : "";
	struct openid_config *o;

	if (config_grow(&c->openidv, &c->n_openid, sizeof(*c->openidv)))
		return ENOMEM;
	*basep = o = &c->openidv[c->n_openid - 1];
	if (is_name(t))
		snprintf(o->name, sizeof(o->name), "%s", t);
	else
		config_fault(b->report, sec->line,
			     "\"%.80s\" is no name for a provider; up to %d of a-z, 0-9 "
			     "and -, \"google\", would be right, since it stands in an "
			     "address",
			     t, CONFIG_OPENID_NAME_MAX);
	return 0;
}

static int set_title(struct spot *s)
{
	struct openid_config *o = s->base;
	char name[128];

	addr_name_clean(name, sizeof(name), s->v->text, strlen(s->v->text));
	if (!*name) {
		spot_fault(s, s->v, "write what people read on the button, \"Google\"");
		return 0;
	}
	return config_text_set(&o->title, name);
}

/* https://HOST[:PORT][/…]; `never` in none of it */
static int set_url(struct spot *s, char **urlp, const char *never, const char *right)
{
	static const char scheme[] = "https://";
	const char *t = s->v->text, *host = t + sizeof(scheme) - 1, *end;
	char name[ADDR_HOST_MAX + 1];
	size_t n;

	if (strncmp(t, scheme, sizeof(scheme) - 1) != 0 || strlen(t) > URL_MAX ||
	    t[strcspn(t, never)]) {
		spot_fault(s, s->v, right);
		return 0;
	}
	n = strcspn(host, ":/?");
	if (addr_host_parse(name, host, n)) {
		spot_fault(s, s->v, "there must be a host name behind https://");
		return 0;
	}
	end = host + n;
	if (*end == ':') {
		long port = strtol(end + 1, NULL, 10);

		n = strspn(end + 1, "0123456789");
		end += 1 + n;
		if (!n || n > 5 || port < 1 || port > 65535 ||
		    (*end && !strchr("/?", *end))) {
			spot_fault(s, s->v, "its port is none");
			return 0;
		}
	}
	return config_text_set(urlp, t);
}

/* OpenID Connect Discovery 1.0 §4.1: https, no query, no fragment; what is put behind it begins with a slash. */
static int set_issuer(struct spot *s)
{
	struct openid_config *o = s->base;

	return set_url(s, &o->issuer, " \"<>\\^`{|}?#@",
		       "write it as the provider does, \"https://accounts.example\": "
		       "https, no query");
}

static char **text_of(const struct spot *s)
{
	return (char **)(void *)((uint8_t *)s->base + s->row->offset);
}

/* RFC 6749 §3.1, §3.2: a query may stand there, a fragment may not. */
static int set_endpoint(struct spot *s)
{
	return set_url(s, text_of(s), " \"<>\\^`{|}#@",
		       "write what the service's documents say, "
		       "\"https://accounts.example/token\": https, no fragment");
}

static int set_member(struct spot *s)
{
	const char *t = s->v->text;
	size_t n = strlen(t);

	for (size_t i = 0; i < n; i++)
		if (t[i] <= ' ' || t[i] > '~')
			n = 0;
	if (!n || n > MEMBER_MAX) {
		spot_fault(
			s, s->v,
			"write the name of a member of the service's document, \"id\"");
		return 0;
	}
	return config_text_set(text_of(s), t);
}

static int set_client_auth(struct spot *s)
{
	struct openid_config *o = s->base;

	o->service.basic = !strcmp(s->v->text, "basic");
	if (!o->service.basic && strcmp(s->v->text, "post") != 0)
		spot_fault(s, s->v,
			   "write \"post\" (the secret goes into the form) or \"basic\" "
			   "(into the header)");
	return 0;
}

static int set_client_id(struct spot *s)
{
	struct openid_config *o = s->base;

	if (!*s->v->text || strlen(s->v->text) > CLIENT_ID_MAX) {
		spot_fault(s, s->v, "write the client_id that the provider has given");
		return 0;
	}
	return config_text_set(&o->client_id, s->v->text);
}

/* Never named in a fault. */
static int set_client_secret(struct spot *s)
{
	struct openid_config *o = s->base;
	char *secret;

	if (!*s->v->text) {
		config_fault(s->b->report, s->v->line,
			     "client-secret: it must not be empty; leave it out for a "
			     "provider that gives none");
		return 0;
	}
	secret = secret_dup(s->v->text, strlen(s->v->text));
	if (!secret)
		return ENOMEM;
	mem_deref(o->client_secret);
	o->client_secret = secret;
	return 0;
}

/* RFC 6749 §3.3: words of visible characters without " and \ */
static bool is_scope(const char *t)
{
	if (!*t)
		return false;
	for (; *t; t++)
		if (*t <= ' ' || *t > '~' || *t == '"' || *t == '\\')
			return false;
	return true;
}

static int set_scopes(struct spot *s)
{
	struct openid_config *o = s->base;
	char text[SCOPES_MAX + 1] = "";
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		const char *word = s->v[i].text;

		if (!is_scope(word)) {
			spot_fault(s, &s->v[i], "a scope is one word, \"email\"");
			continue;
		}
		if (n + 1 + strlen(word) > SCOPES_MAX) {
			spot_fault(s, &s->v[i], "these are too many scopes");
			return 0;
		}
		n += (size_t)snprintf(text + n, sizeof(text) - n, n ? " %s" : "%s", word);
	}
	return config_text_set(&o->scopes, text);
}

static int set_accounts(struct spot *s)
{
	struct openid_config *o = s->base;

	if (!strcmp(s->v->text, "link"))
		o->creates = false;
	else if (!strcmp(s->v->text, "create"))
		o->creates = true;
	else
		spot_fault(
			s, s->v,
			"write \"link\" (people link it to the account that they have) "
			"or \"create\" (whoever comes from there gets one)");
	return 0;
}

static int set_sites(struct spot *s)
{
	struct openid_config *o = s->base;
	char **v = config_strings_alloc(s->n), host[ADDR_HOST_MAX + 1];
	size_t n = 0;

	if (!v)
		return ENOMEM;
	for (size_t i = 0; i < s->n; i++) {
		if (addr_host_parse(host, s->v[i].text, strlen(s->v[i].text))) {
			spot_fault(s, &s->v[i], "write domains of sites in this file");
			continue;
		}
		v[n] = base_dup(host, strlen(host));
		if (!v[n++]) {
			mem_deref(v);
			return ENOMEM;
		}
	}
	mem_deref(o->sitev);
	o->sitev = v;
	return 0;
}

#define IN(field) offsetof(struct openid_config, field)
const struct key_row config_openid_rows[] = {
	{"title", set_title},
	{"issuer", set_issuer},
	{"client-id", set_client_id},
	{"client-secret", set_client_secret},
	{"scopes", set_scopes, 0, true},
	{"accounts", set_accounts},
	{"sites", set_sites, 0, true},
	{"trust", config_set_path, IN(trust)},
	{"authorization-endpoint", set_endpoint, IN(service.authorization)},
	{"token-endpoint", set_endpoint, IN(service.token)},
	{"userinfo-endpoint", set_endpoint, IN(service.userinfo)},
	{"client-auth", set_client_auth},
	{"claim-id", set_member, IN(service.id)},
	{"claim-user", set_member, IN(service.user)},
	{"claim-name", set_member, IN(service.name)},
	{"claim-picture", set_member, IN(service.picture)},
	{"claim-email", set_member, IN(service.email)},
	{"claim-email-verified", set_member, IN(service.email_verified)},
	{NULL},
};

static void check_sites(struct config_build *b, size_t i)
{
	const struct openid_config *o = &b->config->openidv[i];

	for (char **s = o->sitev; s && *s; s++)
		if (!config_site_find(b->config, *s))
			config_fault(b->report, config_line(b, "openid", i, "sites"),
				     "sites: there is no site \"%s\" in this file", *s);
}

/* Core §3.1.2.1: `openid` is one of them, and the first here. */
static int scopes_with_openid(struct openid_config *o)
{
	char text[SCOPES_MAX + sizeof("openid ")] = "openid", *save = NULL;
	size_t n = strlen(text);

	for (char *word = strtok_r(o->scopes, " ", &save); word;
	     word = strtok_r(NULL, " ", &save))
		if (strcmp(word, "openid") != 0)
			n += (size_t)snprintf(text + n, sizeof(text) - n, " %s", word);
	return config_text_set(&o->scopes, text);
}

static const char *const endpoints[] = {"authorization-endpoint", "token-endpoint",
					"userinfo-endpoint"};

/* Of OpenID Connect: what only a service of OAuth 2.0 alone has is in vain. */
static int connect_check(struct config_build *b, size_t i)
{
	static const char *const keys[] = {
		"client-auth", "claim-id",      "claim-user",          "claim-name",
		"claim-email", "claim-picture", "claim-email-verified"};
	struct openid_config *o = &b->config->openidv[i];
	int err = o->scopes ? 0 : config_text_set(&o->scopes, "profile email");

	for (size_t k = 0; k < N_ELEMS(keys); k++)
		if (config_is_set(b, "openid", i, keys[k]))
			config_fault(b->report, config_line(b, "openid", i, keys[k]),
				     "%s is for a service of OAuth 2.0 alone, which has "
				     "authorization-endpoint, token-endpoint and "
				     "userinfo-endpoint, too",
				     keys[k]);
	return err ? err : scopes_with_openid(o);
}

/* Nobody but the file says what its issuer is: it must not be able to say who somebody is elsewhere. */
static void issuer_check(struct config_build *b, size_t i)
{
	const struct config *c = b->config;
	const struct openid_config *o = &c->openidv[i];

	for (size_t k = 0; o->issuer && k < c->n_openid; k++)
		if (k != i && c->openidv[k].issuer &&
		    !strcmp(c->openidv[k].issuer, o->issuer)) {
			config_fault(b->report, config_line(b, "openid", i, "issuer"),
				     "issuer: openid \"%s\" has the same; accounts are "
				     "linked by it, so that of a service of OAuth 2.0 "
				     "alone must be its own",
				     c->openidv[k].name);
			return;
		}
}

static int service_check(struct config_build *b, size_t i)
{
	struct openid_config *o = &b->config->openidv[i];
	struct openid_service *s = &o->service;
	const struct {
		char **textp;
		const char *usual, *key;
	} members[] = {
		{&s->user, "login", "claim-user"},
		{&s->name, "name", "claim-name"},
		{&s->picture, "avatar_url", "claim-picture"},
		{&s->email, "email", "claim-email"},
	};
	int err = o->scopes ? 0 : config_text_set(&o->scopes, "");

	for (size_t k = 0; k < N_ELEMS(endpoints); k++)
		if (!config_is_set(b, "openid", i, endpoints[k]))
			config_fault(
				b->report, config_line(b, "openid", i, NULL),
				"openid \"%s\" has no %s; a service of OAuth 2.0 "
				"alone needs all three of authorization-endpoint, "
				"token-endpoint and userinfo-endpoint, a provider of "
				"OpenID Connect none",
				o->name, endpoints[k]);
	if (!err && !s->id)
		err = config_text_set(&s->id, "id");
	for (size_t k = 0; !err && k < N_ELEMS(members); k++) {
		if (!*members[k].textp)
			err = config_text_set(members[k].textp, members[k].usual);
		if (!err && !strcmp(*members[k].textp, s->id))
			config_fault(b->report, config_line(b, "openid", i, "claim-id"),
				     "claim-id: \"%s\" is %s, too, and what can change "
				     "may be somebody else's one day; write the member "
				     "that stays a person's for ever, \"id\"",
				     s->id, members[k].key);
	}
	issuer_check(b, i);
	return err;
}

static bool is_service(const struct config_build *b, size_t i)
{
	for (size_t k = 0; k < N_ELEMS(endpoints); k++)
		if (config_is_set(b, "openid", i, endpoints[k]))
			return true;
	return false;
}

int config_openid_check(struct config_build *b)
{
	struct config *c = b->config;
	int err = 0;

	for (size_t i = 0; i < c->n_openid && !err; i++) {
		struct openid_config *o = &c->openidv[i];
		unsigned line = config_line(b, "openid", i, NULL);

		if (!o->issuer && !config_is_set(b, "openid", i, "issuer"))
			config_fault(b->report, line,
				     "openid \"%s\" has no issuer; issuer = "
				     "\"https://accounts.example\" would be right",
				     o->name);
		if (!o->client_id && !config_is_set(b, "openid", i, "client-id"))
			config_fault(
				b->report, line,
				"openid \"%s\" has no client-id; the provider gives one "
				"to whoever registers this site there",
				o->name);
		check_sites(b, i);
		if (!o->title)
			err = config_text_set(&o->title, o->name);
		if (!err)
			err = is_service(b, i) ? service_check(b, i)
					       : connect_check(b, i);
	}
	return err;
}

static void service_clear(struct openid_service *s)
{
	mem_deref(s->authorization);
	mem_deref(s->token);
	mem_deref(s->userinfo);
	mem_deref(s->id);
	mem_deref(s->user);
	mem_deref(s->name);
	mem_deref(s->picture);
	mem_deref(s->email);
	mem_deref(s->email_verified);
}

void config_openid_clear(struct config *c)
{
	for (size_t i = 0; i < c->n_openid; i++) {
		mem_deref(c->openidv[i].title);
		mem_deref(c->openidv[i].issuer);
		mem_deref(c->openidv[i].client_id);
		mem_deref(c->openidv[i].client_secret);
		mem_deref(c->openidv[i].scopes);
		mem_deref(c->openidv[i].sitev);
		mem_deref(c->openidv[i].trust);
		service_clear(&c->openidv[i].service);
	}
	mem_deref(c->openidv);
}

bool config_openid_serves(const struct openid_config *o, const char *site)
{
	if (!o->sitev || !*o->sitev)
		return true;
	for (char **s = o->sitev; *s; s++)
		if (!strcasecmp(*s, site))
			return true;
	return false;
}
