/* gateway/config_openid.c - openid "NAME" { }: providers of OpenID Connect by which people may sign in at the identity
 * provider of their site (idp/openid.c). Rows of the table in config_keys.c; called from there and from config.c, before there
 * are threads. The order of the file is the order on the page. */
#include <strings.h>

#include "gateway/config_keys.h"
#include "gateway/config_value.h"
#include "lib/secret.h"

enum { SCOPES_MAX = 300, ISSUER_MAX = 400, CLIENT_ID_MAX = 255 };

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

/* OpenID Connect Discovery 1.0 §4.1: https, no query, no fragment; what is put behind it begins with a slash. */
static int set_issuer(struct spot *s)
{
	static const char scheme[] = "https://";
	struct openid_config *o = s->base;
	const char *t = s->v->text, *host = t + sizeof(scheme) - 1;
	char name[ADDR_HOST_MAX + 1];
	size_t n;

	if (strncmp(t, scheme, sizeof(scheme) - 1) != 0 || strlen(t) > ISSUER_MAX ||
	    t[strcspn(t, " \"<>\\^`{|}?#@")]) {
		spot_fault(s, s->v,
			   "write it as the provider does, \"https://accounts.example\": "
			   "https, no query");
		return 0;
	}
	n = strcspn(host, ":/");
	if (addr_host_parse(name, host, n)) {
		spot_fault(s, s->v, "there must be a host name behind https://");
		return 0;
	}
	return config_text_set(&o->issuer, t);
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
	char text[SCOPES_MAX + 1] = "openid";
	size_t n = strlen(text);

	for (size_t i = 0; i < s->n; i++) {
		const char *word = s->v[i].text;

		if (!is_scope(word)) {
			spot_fault(s, &s->v[i], "a scope is one word, \"email\"");
			continue;
		}
		if (!strcmp(word, "openid"))
			continue; /* is there already */
		if (n + 1 + strlen(word) > SCOPES_MAX) {
			spot_fault(s, &s->v[i], "these are too many scopes");
			return 0;
		}
		n += (size_t)snprintf(text + n, sizeof(text) - n, " %s", word);
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
		if (!err && !o->scopes)
			err = config_text_set(&o->scopes, "openid profile email");
	}
	return err;
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
