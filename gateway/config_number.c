/* gateway/config_number.c - what a site says of telephone numbers: how they are dialled, whose they are, which are for
 * emergencies; and what must fit together between sites and trunks. Rows of the table in config_keys.c; called from there
 * and from config.c, before there are threads. */
#include <strings.h>

#include "gateway/config_keys.h"
#include "gateway/config_value.h"

static bool is_digits(const char *t, size_t max)
{
	size_t n = strspn(t, "0123456789");

	return n && n <= max && !t[n];
}

static struct number_plan *plan_of(const struct spot *s)
{
	return (struct number_plan *)(void *)((uint8_t *)s->base + s->row->offset);
}

int config_set_country(struct spot *s)
{
	const char *t = s->v->text + (*s->v->text == '+');
	struct number_plan *p = plan_of(s);

	if (is_digits(t, sizeof(p->country) - 1) && *t != '0')
		snprintf(p->country, sizeof(p->country), "%s", t);
	else
		spot_fault(s, s->v, "write the country's code, \"49\"");
	return 0;
}

static int set_prefix(struct spot *s, char *at, const char *right)
{
	if (!*s->v->text || is_digits(s->v->text, NUMBER_PREFIX_MAX))
		snprintf(at, NUMBER_PREFIX_MAX + 1, "%s", s->v->text);
	else
		spot_fault(s, s->v, right);
	return 0;
}

int config_set_national(struct spot *s)
{
	return set_prefix(s, plan_of(s)->national,
			  "write what is dialled before an area code, \"0\"");
}

int config_set_international(struct spot *s)
{
	return set_prefix(s, plan_of(s)->international,
			  "write what is dialled before a country's code, \"00\"");
}

/* "NUMBER=WORD" */
static const char *halves(char number[NUMBER_MAX + 1], const char *text)
{
	const char *eq = strchr(text, '=');
	size_t n = eq ? (size_t)(eq - text) : strlen(text);

	if (!n || n > NUMBER_MAX)
		return NULL;
	memcpy(number, text, n);
	number[n] = '\0';
	return number_is(number) ? eq ? eq + 1 : "" : NULL;
}

static int set_numbers(struct spot *s)
{
	struct site_config *site = s->base;

	for (size_t i = 0; i < s->n; i++) {
		struct number_config one = {{0}, {0}};
		const char *user = halves(one.number, s->v[i].text);

		if (!user || addr_user_parse(one.user, user, strlen(user))) {
			spot_fault(s, &s->v[i],
				   "write whose number it is, \"+49301234567=alice\"");
			continue;
		}
		if (config_grow(&site->numberv, &site->n_numbers, sizeof(one)))
			return ENOMEM;
		site->numberv[site->n_numbers - 1] = one;
	}
	return 0;
}

static int set_emergency(struct spot *s)
{
	struct site_config *site = s->base;

	site->n_emergency = 0;
	for (size_t i = 0; i < s->n; i++) {
		struct emergency_config one = {{0}, {0}};
		const char *trunk = halves(one.number, s->v[i].text);

		if (!trunk || *one.number == '+' || strlen(trunk) > TRUNK_NAME_MAX) {
			spot_fault(s, &s->v[i],
				   "write the number and the trunk, \"112=provider\"; "
				   "without a trunk it is refused with an explanation");
			continue;
		}
		snprintf(one.trunk, sizeof(one.trunk), "%s", trunk);
		if (config_grow(&site->emergencyv, &site->n_emergency, sizeof(one)))
			return ENOMEM;
		site->emergencyv[site->n_emergency - 1] = one;
	}
	return 0;
}

#define IN(field) offsetof(struct site_config, field)
const struct key_row config_number_rows[] = {
	{"country", config_set_country, IN(plan)},
	{"national-prefix", config_set_national, IN(plan)},
	{"international-prefix", config_set_international, IN(plan)},
	{"numbers", set_numbers, 0, true},
	{"emergency", set_emergency, 0, true},
	{NULL},
};

int config_number_default(struct site_config *site)
{
	static const char *const numbers[] = {"112", "911"};

	snprintf(site->plan.national, sizeof(site->plan.national), "0");
	snprintf(site->plan.international, sizeof(site->plan.international), "00");
	for (size_t i = 0; i < N_ELEMS(numbers); i++) {
		if (config_grow(&site->emergencyv, &site->n_emergency,
				sizeof(*site->emergencyv)))
			return ENOMEM;
		snprintf(site->emergencyv[i].number, sizeof(site->emergencyv[i].number),
			 "%s", numbers[i]);
	}
	return 0;
}

void config_number_clear(struct config *c)
{
	for (size_t i = 0; i < c->n_sites; i++) {
		mem_deref(c->sitev[i].numberv);
		mem_deref(c->sitev[i].emergencyv);
	}
}

/* ---- what belongs together ---- */

static void check_transport(struct config_build *b, const struct trunk_config *t,
			    unsigned line)
{
	static const char *const names[] = {
		[TRANSPORT_UDP] = "udp",
		[TRANSPORT_TCP] = "tcp",
		[TRANSPORT_TLS] = "tls",
	};
	const struct config *c = b->config;

	for (size_t i = 0; i < c->n_sip; i++)
		if (c->sipv[i].transport == t->transport)
			return;
	config_fault(b->report, line,
		     "trunk \"%s\" is reached over %s, and sip listens on no such "
		     "address, where its own requests would come in; listen = "
		     "{\"%s:0.0.0.0:%u\"} in sip would be right",
		     t->name, names[t->transport], names[t->transport],
		     t->transport == TRANSPORT_TLS ? 5061u : 5060u);
}

static void check_names(struct config_build *b, const struct trunk_config *t)
{
	for (char **s = t->sitev; s && *s; s++)
		if (!config_site_find(b->config, *s))
			config_fault(b->report,
				     config_line(b, "trunk", t->index, "sites"),
				     "sites: there is no site \"%s\" in this file", *s);
	for (char **u = t->userv; u && *u; u++) {
		const char *at = strrchr(*u, '@');

		if (at && !config_site_find(b->config, at + 1))
			config_fault(
				b->report, config_line(b, "trunk", t->index, "users"),
				"users: \"%s\" is no user of a site in this file", *u);
	}
	if (*t->site && !config_site_find(b->config, t->site))
		config_fault(b->report, config_line(b, "trunk", t->index, "site"),
			     "site: there is no site \"%s\" in this file", t->site);
}

static void check_credentials(struct config_build *b, const struct trunk_config *t,
			      unsigned line)
{
	bool user = config_is_set(b, "trunk", t->index, "auth-user");
	bool password = config_is_set(b, "trunk", t->index, "password");

	if (user && !password)
		config_fault(b->report, config_line(b, "trunk", t->index, "auth-user"),
			     "trunk \"%s\" has an auth-user but no password; password = "
			     "\"…\" would be right",
			     t->name);
	if (!user && (password || t->registers))
		config_fault(b->report, line,
			     "trunk \"%s\" has %s but no auth-user; auth-user = \"…\" "
			     "would be right",
			     t->name, password ? "a password" : "register = true");
}

/* What was left out follows from the rest. */
static int fill(const struct config *c, struct trunk_config *t)
{
	const struct site_config *site;

	if (!*t->site && c->n_sites)
		snprintf(t->site, sizeof(t->site), "%s", c->sitev[0].domain);
	site = config_site_find(c, t->site);
	if (site && !*t->plan.country) {
		struct number_plan own = t->plan;

		t->plan = site->plan;
		if (*own.national)
			memcpy(t->plan.national, own.national, sizeof(own.national));
		if (*own.international)
			memcpy(t->plan.international, own.international,
			       sizeof(own.international));
	}
	if (!*t->from_domain && t->n_addresses && *t->addressv[0].host)
		snprintf(t->from_domain, sizeof(t->from_domain), "%s",
			 t->addressv[0].host);
	if (!*t->from_domain)
		snprintf(t->from_domain, sizeof(t->from_domain), "%s", t->site);
	if (!sa_isset(&t->seen, SA_ADDR) && t->n_addresses && !*t->addressv[0].host)
		sa_init(&t->seen, sa_af(&t->addressv[0].sa));
	if (!t->n_caller_ids) {
		t->caller_idv[0].kind = CALLER_ID_OWN;
		t->caller_idv[1].kind = CALLER_ID_NAME;
		t->n_caller_ids = 2;
	}
	return t->realm ? 0 : config_text_set(&t->realm, t->from_domain);
}

static void check_trunk(struct config_build *b, const struct trunk_config *t)
{
	unsigned line = config_line(b, "trunk", t->index, NULL);

	if (!t->n_addresses && !config_is_set(b, "trunk", t->index, "address"))
		config_fault(b->report, line,
			     "trunk \"%s\" has no address; address = "
			     "\"udp:192.0.2.7:5060\" would be right",
			     t->name);
	if (t->n_addresses || t->has_proxy)
		check_transport(b, t, line);
	check_names(b, t);
	check_credentials(b, t, line);
	if (t->numberv && *t->numberv && !(t->userv && *t->userv) &&
	    !(t->sitev && *t->sitev))
		config_warn(b->report, line,
			    "nobody may call by trunk \"%s\"; sites = {\"%s\"} lets all "
			    "users of a site, users = {\"…\"} some",
			    t->name,
			    b->config->n_sites ? b->config->sitev[0].domain
					       : "alpha.example");
}

static void check_numbers(struct config_build *b, size_t i)
{
	const struct config *c = b->config;
	const struct site_config *site = &c->sitev[i];
	unsigned line = config_line(b, "site", i, "emergency");

	for (size_t k = 0; k < site->n_emergency; k++)
		if (*site->emergencyv[k].trunk &&
		    !config_trunk_find(c, site->emergencyv[k].trunk))
			config_fault(b->report, line,
				     "emergency: there is no trunk \"%s\" in this file",
				     site->emergencyv[k].trunk);
	for (size_t k = 0; k < site->n_numbers; k++) {
		struct addr whose;

		if (!config_number_find(c, &whose, site->numberv[k].number, NULL) &&
		    (strcmp(whose.user, site->numberv[k].user) != 0 ||
		     strcmp(whose.host, site->domain) != 0))
			config_fault(b->report, config_line(b, "site", i, "numbers"),
				     "numbers: %s is given to %s already",
				     site->numberv[k].number, AT(&whose));
	}
}

int config_trunk_check(struct config_build *b)
{
	struct config *c = b->config;
	int err = 0;

	for (size_t i = 0; i < c->n_trunks && !err; i++) {
		check_trunk(b, &c->trunkv[i]);
		err = fill(c, &c->trunkv[i]);
	}
	for (size_t i = 0; i < c->n_sites && !err; i++)
		check_numbers(b, i);
	return err;
}

/* ---- for all others ---- */

const struct trunk_config *config_trunk_find(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_trunks; i++)
		if (!strcmp(c->trunkv[i].name, name))
			return &c->trunkv[i];
	return NULL;
}

int config_number_find(const struct config *c, struct addr *user, const char *number,
		       const char *domain)
{
	for (size_t i = 0; i < c->n_sites; i++) {
		const struct site_config *site = &c->sitev[i];

		if (domain && strcasecmp(site->domain, domain) != 0)
			continue;
		for (size_t k = 0; k < site->n_numbers; k++) {
			char own[NUMBER_MAX + 1];

			number_normal(own, site->numberv[k].number, &site->plan);
			if (strcmp(own, number) != 0 &&
			    strcmp(site->numberv[k].number, number) != 0)
				continue;
			snprintf(user->user, sizeof(user->user), "%s",
				 site->numberv[k].user);
			snprintf(user->host, sizeof(user->host), "%s", site->domain);
			return 0;
		}
	}
	return ENOENT;
}

const char *config_number_of(const struct config *c, const struct addr *user)
{
	const struct site_config *site = config_site_find(c, user->host);

	for (size_t k = 0; site && k < site->n_numbers; k++)
		if (!strcmp(site->numberv[k].user, user->user))
			return site->numberv[k].number;
	return NULL;
}
