/* gateway/config_idp.c - what site { } says about identity: what calls are signed with, and the identity provider of the
 * site's users with its host. Rows of the table in config_keys.c; called from there and from config.c, before there are
 * threads.
 *
 * The provider is there by default, at idp.DOMAIN. A site that was fine without stays fine: where the certificate does
 * not cover that host, or the name is taken, the provider is off, and a warning says what would turn it on. */
#include <strings.h>
#include <sys/stat.h>

#include "gateway/config_keys.h"
#include "gateway/config_value.h"
#include "lib/cert.h"

/* "https://alpha.example/…/": in the site's own domain, which is where others look for it (RFC 8224 says nothing, we do). */
static int set_identity_url(struct spot *s)
{
	static const char scheme[] = "https://";
	const char *text = s->v->text, *host = text + sizeof(scheme) - 1;
	const struct site_config *site = s->base;
	size_t n = strlen(text), len, own = strlen(site->domain);

	if (strncmp(text, scheme, sizeof(scheme) - 1) != 0 || n > 400 ||
	    text[n - 1] != '/' || text[strcspn(text, " \"<>\\^`{|}?#@%")]) {
		spot_fault(s, s->v,
			   "write https://, a host, a path that ends in /; the name of a "
			   "chain is put behind it");
		return 0;
	}
	len = strcspn(host, ":/");
	if (len < own || strncasecmp(host + len - own, site->domain, own) != 0 ||
	    (len > own && host[len - own - 1] != '.')) {
		spot_fault(s, s->v,
			   "its host must be the site's domain or below it, for others "
			   "fetch from nowhere else");
		return 0;
	}
	return config_text_set((char **)((uint8_t *)s->base + s->row->offset), text);
}

static int set_idp_host(struct spot *s)
{
	struct site_config *site = s->base;

	if (addr_host_parse(site->idp_host, s->v->text, strlen(s->v->text)))
		spot_fault(s, s->v,
			   "write the host of the identity provider, "
			   "\"idp.alpha.example\"");
	return 0;
}

#define IN(field) offsetof(struct site_config, field)
const struct key_row config_idp_rows[] = {
	{"identity-certificate", config_set_path, IN(identity_certificate)},
	{"identity-key", config_set_path, IN(identity_key)},
	{"identity-url", set_identity_url, IN(identity_url)},
	{"identity-provider", config_set_bool, IN(idp)},
	{"idp-host", set_idp_host},
	{"idp-certificate", config_set_path, IN(idp_certificate)},
	{"idp-key", config_set_path, IN(idp_key)},
	{NULL},
};

void config_idp_default(struct site_config *site)
{
	char host[ADDR_HOST_MAX + 8];

	snprintf(host, sizeof(host), "idp.%s", site->domain);
	site->idp = true;
	if (!*site->domain || addr_host_parse(site->idp_host, host, strlen(host)))
		site->idp = false; /* an address, or too long: it takes an idp-host */
}

/* Both halves of a pair, or none. */
static void check_pair(struct config_build *b, size_t i, const char *certificate,
		       const char *key, const char *what)
{
	bool has_certificate = config_is_set(b, "site", i, certificate);
	bool has_key = config_is_set(b, "site", i, key);

	if (has_certificate != has_key)
		config_fault(
			b->report,
			config_line(b, "site", i, has_certificate ? certificate : key),
			"site \"%s\" has half of a pair %s; %s and %s go together",
			b->config->sitev[i].domain, what, certificate, key);
}

/* Whose name is that already? NULL: nobody's. */
static const char *taken(const struct config *c, size_t i)
{
	const char *host = c->sitev[i].idp_host;

	for (size_t k = 0; k < c->n_sites; k++) {
		const struct site_config *other = &c->sitev[k];

		if (!strcasecmp(other->domain, host))
			return other->domain;
		if (k != i && other->idp && !strcasecmp(other->idp_host, host))
			return other->domain;
	}
	return NULL;
}

static void check_host(struct config_build *b, size_t i)
{
	struct site_config *site = &b->config->sitev[i];
	bool said = config_is_set(b, "site", i, "idp-host");
	unsigned line = config_line(b, "site", i, said ? "idp-host" : NULL);
	const char *other = taken(b->config, i);

	if (other && said) {
		config_fault(b->report, line,
			     "the identity provider of \"%s\" needs a host of its own; "
			     "%s is %s already",
			     site->domain, site->idp_host, other);
	} else if (other) {
		config_warn(b->report, line,
			    "the identity provider of %s is off, since %s is %s already; "
			    "idp-host gives it another host",
			    site->domain, site->idp_host, other);
		site->idp = false;
	} else if (said && !site->certificate && !site->idp_certificate &&
		   !config_domain_is_local(site->idp_host)) {
		config_fault(b->report, line,
			     "the identity provider of \"%s\" at %s needs a certificate; "
			     "without one its host must end in .localhost",
			     site->domain, site->idp_host);
	}
}

void config_idp_check(struct config_build *b)
{
	struct config *c = b->config;

	for (size_t i = 0; i < c->n_sites; i++) {
		struct site_config *site = &c->sitev[i];

		check_pair(b, i, "identity-certificate", "identity-key", "to sign with");
		check_pair(b, i, "idp-certificate", "idp-key",
			   "for its identity provider");
		/* an address as domain has no host below it */
		if (!*site->idp_host)
			site->idp = false;
		if (*site->domain && site->idp)
			check_host(b, i);
	}
}

/* Its own pair is meant to cover the host: a fault. The site's may not: then there is no provider. */
static void check_covers(struct config_build *b, size_t i)
{
	struct site_config *site = &b->config->sitev[i];
	bool own = site->idp_certificate && site->idp_key;
	unsigned line =
		config_line(b, "site", i, own ? "idp-certificate" : "certificate");
	struct cert_store *cs = NULL;
	char *why = NULL;
	int err = cert_store_alloc(&cs);

	if (!err)
		err = cert_store_add(cs, &why, site->idp_host,
				     own ? site->idp_certificate : site->certificate,
				     own ? site->idp_key : site->key);
	if (err && own) {
		config_fault(b->report, line, "%s", why ? why : strerror(err));
	} else if (err) {
		config_warn(b->report, line,
			    "the identity provider of %s is off: %s; a pair by "
			    "idp-certificate and idp-key would do, too, and "
			    "identity-provider = false ends this warning",
			    site->domain, why ? why : strerror(err));
		site->idp = false;
	}
	mem_deref(why);
	mem_deref(cs);
}

void config_idp_check_outside(struct config_build *b)
{
	struct config *c = b->config;
	bool any = false, tls = false;
	struct stat st;

	for (size_t i = 0; i < c->n_http; i++)
		tls = tls || !c->httpv[i].plain;

	for (size_t i = 0; i < c->n_sites; i++) {
		struct site_config *site = &c->sitev[i];

		/* half a pair has been said */
		if (site->idp && tls &&
		    ((site->certificate && site->key) ||
		     (site->idp_certificate && site->idp_key)))
			check_covers(b, i);
		any = any || site->idp;
	}
	if (any && (stat(c->idp_root, &st) || !S_ISDIR(st.st_mode)))
		config_warn(b->report, config_line(b, "http", 0, "idp-root"),
			    "%s is no folder, so the identity provider has no pages; "
			    "idp-root names the one that holds proxy.js",
			    c->idp_root);
}

const struct site_config *config_idp_find(const struct config *c, const char *host)
{
	for (size_t i = 0; i < c->n_sites; i++) {
		if (c->sitev[i].idp && !strcasecmp(c->sitev[i].idp_host, host))
			return &c->sitev[i];
	}
	return NULL;
}
