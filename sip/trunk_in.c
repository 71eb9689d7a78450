/* sip/trunk_in.c - a call that comes from a trunk: who calls, and for whom it is. Changes nothing.
 *
 *   INVITE sip:030765@203.0.113.5          from the trunk's address, whatever its From says
 *   From: <sip:0044201234@provider.example>
 * is a call of +44201234@alpha.example (a number is shown as one of the site that is called) for the user to whom
 * +4930765 is given by site { numbers }. Thread: signalling. Called by leg_in.c.
 * RFC 3261 §8.2.2; RFC 3323 §4.2, RFC 3325 §5 (P-Asserted-Identity of trusted trunks alone); RFC 5806 (Diversion). */
#include "sip/trunk.h"

#include <strings.h>

enum { URI_BYTES = 512 };

/* The user part of a SIP or tel URI as a number or an account's name, separators of numbers left out (RFC 3966 §5.1.1).
 * False: neither. */
static bool user_read(char user[ADDR_USER_MAX + 1], const url_t *url)
{
	const char *p = url->url_type == url_tel ? url->url_host : url->url_user;
	char plain[ADDR_USER_MAX + 1];
	size_t n = 0;

	if (url->url_type == url_tel && !p)
		p = url->url_user;
	if (!p || (url->url_type != url_sip && url->url_type != url_sips &&
		   url->url_type != url_tel))
		return false;
	for (; *p && *p != ';'; p++) {
		if (strchr("-.()", *p) && number_is((char[]){p[1] ? p[1] : '0', '\0'}))
			continue;
		if (n == ADDR_USER_MAX)
			return false;
		plain[n++] = *p;
	}
	plain[n] = '\0';
	if (number_is(plain)) {
		snprintf(user, ADDR_USER_MAX + 1, "%s", plain);
		return true;
	}
	p = url->url_user;
	return url->url_type != url_tel && p &&
	       !addr_user_parse(user, p, strcspn(p, ";"));
}

/* ---- for whom ---- */

static const url_t *target_of(const struct trunk *t, const sip_t *s)
{
	const url_t *url = s->sip_request->rq_url;

	/* at our registration's contact: the number is in To */
	if (url->url_user && !strcmp(url->url_user, t->contact_user) && s->sip_to)
		return s->sip_to->a_url;
	return url;
}

static unsigned judge_target(struct refusal *r, const struct trunk *t, const sip_t *s,
			     struct addr *to)
{
	const struct config *config = t->sip->core->config;
	const url_t *url = target_of(t, s);
	char user[ADDR_USER_MAX + 1], number[NUMBER_MAX + 1];

	if (!user_read(user, url))
		return refusal_set(r, 404, "Not Found",
				   "The call names no number and no user.");
	if (number_is(user)) {
		number_normal(number, user, &t->config->plan);
		if (!config_number_find(config, to, number, NULL) ||
		    !config_number_find(config, to, user, NULL))
			return 0;
		/* +49 without its plus, as some trunks write it */
		snprintf(number, sizeof(number), "+%.*s", NUMBER_MAX - 1, user);
		if (!config_number_find(config, to, number, NULL))
			return 0;
		return refusal_set(r, 404, "Not Found",
				   "The number %s is given to nobody here.", user);
	}
	snprintf(to->user, sizeof(to->user), "%s", user);
	snprintf(to->host, sizeof(to->host), "%s", t->config->site);
	if (url->url_host && config_site_find(config, url->url_host))
		snprintf(to->host, sizeof(to->host), "%s",
			 config_site_find(config, url->url_host)->domain);
	return 0;
}

/* ---- who calls ---- */

static bool header_is(const sip_unknown_t *un, const char *name)
{
	return un->un_name && un->un_value && !strcasecmp(un->un_name, name);
}

/* The first address of P-Asserted-Identity that is one. */
static bool asserted(char user[ADDR_USER_MAX + 1], char *name, size_t size,
		     const sip_t *s)
{
	su_home_t home[1] = {SU_HOME_INIT(home)};
	bool found = false;

	su_home_init(home);
	for (const sip_unknown_t *un = s->sip_unknown; un && !found; un = un->un_next) {
		const sip_p_asserted_identity_t *id;

		if (!header_is(un, "P-Asserted-Identity"))
			continue;
		for (id = sip_p_asserted_identity_make(home, un->un_value); id && !found;
		     id = id->paid_next) {
			found = user_read(user, id->paid_url);
			if (found && id->paid_display)
				sip_text_read(name, size, id->paid_display);
		}
	}
	su_home_deinit(home);
	return found;
}

static bool is_private(const sip_t *s)
{
	const sip_privacy_t *p = s->sip_privacy;

	for (size_t i = 0; p && p->priv_values && p->priv_values[i]; i++)
		if (!strcasecmp(p->priv_values[i], "id") ||
		    !strcasecmp(p->priv_values[i], "user") ||
		    !strcasecmp(p->priv_values[i], "header"))
			return true;
	return false;
}

static void anonymous(struct party *from)
{
	snprintf(from->addr.user, sizeof(from->addr.user), "anonymous");
	snprintf(from->addr.host, sizeof(from->addr.host), "anonymous.invalid");
	from->name[0] = '\0';
}

/* As the callee is shown it: a number is one of the site that is called. A name behind a trunk is nobody's of a site, and
 * must not look like one. */
static void shown(struct addr *out, const struct trunk *t, const char *user,
		  const struct addr *to)
{
	if (number_is(user)) {
		number_normal(out->user, user, &t->config->plan);
		snprintf(out->host, sizeof(out->host), "%s", to->host);
	} else {
		snprintf(out->user, sizeof(out->user), "%s", user);
		snprintf(out->host, sizeof(out->host), "%s.invalid", t->config->name);
	}
}

static bool hides(const sip_contact_t *by)
{
	const char *privacy = msg_params_find(by->m_params, "privacy=");

	return privacy &&
	       (!strcasecmp(privacy, "full") || !strcasecmp(privacy, "uri") ||
		!strcasecmp(privacy, "\"full\"") || !strcasecmp(privacy, "\"uri\""));
}

/* Whose call it was: the one who has diverted it last stands first, unless that is not to be known (RFC 5806 §4). Its
 * grammar is Contact's: addresses with parameters. */
static void judge_diversion(const struct trunk *t, const sip_t *s, const struct addr *to,
			    struct party *from)
{
	su_home_t home[1] = {SU_HOME_INIT(home)};
	char user[ADDR_USER_MAX + 1];

	su_home_init(home);
	for (const sip_unknown_t *un = s->sip_unknown; un; un = un->un_next) {
		const sip_contact_t *by;

		if (!header_is(un, "Diversion"))
			continue;
		by = sip_contact_make(home, un->un_value);
		if (by && !hides(by) && user_read(user, by->m_url))
			shown(&from->diverted, t, user, to);
		break;
	}
	su_home_deinit(home);
}

static void judge_caller(const struct trunk *t, const sip_t *s, const struct addr *to,
			 struct party *from)
{
	const sip_from_t *f = s->sip_from;
	char user[ADDR_USER_MAX + 1];
	bool known = false;

	if (t->config->trust_identity)
		known = asserted(user, from->name, sizeof(from->name), s);
	if (!known && f->a_url->url_user &&
	    strcasecmp(f->a_url->url_user, "anonymous") != 0)
		known = user_read(user, f->a_url);
	/* the callee is not to be told what its owner withholds, PAI or not */
	if (!known || is_private(s)) {
		anonymous(from);
		return;
	}
	shown(&from->addr, t, user, to);
	if (!*from->name)
		sip_text_read(from->name, sizeof(from->name), f->a_display);
}

unsigned trunk_judge(struct refusal *r, struct trunk *t, const sip_t *s,
		     struct party *from, struct addr *to)
{
	unsigned status;

	memset(r, 0, sizeof(*r));
	if (!s->sip_from)
		return refusal_set(r, 400, "Bad Request", "The INVITE has no From.");
	if (!s->sip_contact || s->sip_contact->m_url->url_type == url_any)
		return refusal_set(r, 400, "Bad Request", "The INVITE has no Contact.");
	if (t->n_calls >= t->config->calls) {
		refusal_set(r, 503, "Service Unavailable",
			    "There are too many calls on this trunk at the moment.");
		cause_set(&r->cause, CAUSE_LIMIT,
			  "There are too many calls on this trunk at the moment.");
		return r->status;
	}
	if (s->sip_replaces)
		return refusal_set(r, 403, "Forbidden",
				   "A trunk takes the place of nobody's call.");
	status = trust_body(r, s);
	status = status ? status : session_timer_check(r, s);
	status = status ? status : judge_target(r, t, s, to);
	if (status)
		return status;
	judge_caller(t, s, to, from);
	judge_diversion(t, s, to, from);
	return 0;
}

bool trunk_identity_due(const struct trunk *t, const sip_t *s)
{
	const struct core *core = t->sip->core;

	return core->identity && core->config->identity_number_trust &&
	       trust_has_identity(s);
}

static void number_uri(char *uri, size_t size, const struct trunk *t, const url_t *url)
{
	char user[ADDR_USER_MAX + 1], number[NUMBER_MAX + 1];

	if (!user_read(user, url) || !number_is(user))
		return;
	number_normal(number, user, &t->config->plan);
	snprintf(uri, size, "tel:%s", number);
}

void trunk_signed(char *from, char *to, size_t size, const struct trunk *t,
		  const sip_t *s)
{
	number_uri(from, size, t, s->sip_from->a_url);
	number_uri(to, size, t, s->sip_to->a_url);
}

void trunk_verdict(struct party *from, const struct trunk *t, const sip_t *s,
		   const struct addr *to, const struct identity_verdict *v)
{
	char user[ADDR_USER_MAX + 1];
	struct addr said = {0};

	from->judged_ms = v->took_ms;
	if (user_read(user, s->sip_from->a_url))
		shown(&said, t, user, to);
	if (v->status == 428 || strcmp(said.user, from->addr.user) != 0 ||
	    strcmp(said.host, from->addr.host) != 0)
		from->identity = PARTY_UNSIGNED;
	else
		from->identity = !v->status && v->number ? PARTY_SIGNED : PARTY_DOUBTED;
}
