/* sip/trunk_words.c - who calls whom, as a trunk is to read it. Pure.
 *
 *   alice@alpha.example calls +4930123 by trunk { from-domain = provider.example  number-format = plain }:
 *     INVITE sip:4930123@provider.example
 *     From: "Alice" <sip:49301234567@provider.example>      her own number, by caller-id = { own }
 *     To: <sip:4930123@provider.example>
 * Called by leg_out.c. Names and numbers are addresses by the strict parser, so they break no header.
 * RFC 3261 §8.1.1; RFC 3323 §4.1 (anonymity), RFC 3325 §9 (P-Asserted-Identity, trusted trunks alone). */
#include "sip/trunk.h"

void trunk_uri(char *buf, size_t size, const struct trunk *t, const char *user)
{
	snprintf(buf, size, "sip:%s@%s", user, t->config->from_domain);
}

void trunk_dialled(char out[ADDR_USER_MAX + 1], const struct trunk *t,
		   const struct addr *to)
{
	const struct trunk_config *c = t->config;
	char number[NUMBER_MAX + 1];

	if (!number_is(to->user)) {
		snprintf(out, ADDR_USER_MAX + 1, "%s", to->user);
		return;
	}
	number_write(number, to->user, c->format, &c->plan);
	snprintf(out, ADDR_USER_MAX + 1, "%s", number);
}

/* The first rule that can be had. False: the number is withheld. */
static bool shown(char user[ADDR_USER_MAX + 1], const struct trunk *t,
		  const struct addr *from)
{
	const struct trunk_config *c = t->config;
	const struct config *config = t->sip->core->config;
	const struct site_config *site = config_site_find(config, from->host);
	const char *own = config_number_of(config, from);
	struct addr a = *from;
	size_t i;

	for (i = 0; i < c->n_caller_ids; i++) {
		const struct caller_id *id = &c->caller_idv[i];

		if (id->kind == CALLER_ID_HIDDEN)
			return false;
		if (id->kind == CALLER_ID_OWN && !own)
			continue;
		if (id->kind == CALLER_ID_OWN)
			number_normal(a.user, own, site ? &site->plan : &c->plan);
		if (id->kind == CALLER_ID_NUMBER)
			number_normal(a.user, id->number, &c->plan);
		trunk_dialled(user, t, &a);
		return true;
	}
	return false;
}

int trunk_caller_print(struct trunk_caller *out, const struct trunk *t,
		       const struct party *from, const char *tag)
{
	const struct trunk_config *c = t->config;
	char user[ADDR_USER_MAX + 1], asserted[ADDR_USER_MAX + 1];
	struct addr a;
	bool open = shown(user, t, &from->addr);
	int n = 0;

	memset(out, 0, sizeof(*out));
	if (open) {
		snprintf(a.user, sizeof(a.user), "%s", user);
		snprintf(a.host, sizeof(a.host), "%s", c->from_domain);
		snprintf(asserted, sizeof(asserted), "%s", user);
	} else {
		snprintf(a.user, sizeof(a.user), "anonymous");
		snprintf(a.host, sizeof(a.host), "anonymous.invalid");
		/* whoever is trusted is told all the same, and keeps it */
		snprintf(asserted, sizeof(asserted), "%s",
			 c->auth_user && number_is(c->auth_user) ? c->auth_user
								 : from->addr.user);
	}
	if (c->trust_identity)
		n = snprintf(out->line, sizeof(out->line),
			     "P-Asserted-Identity: <sip:%s@%s>%s", asserted,
			     c->from_domain, open ? "" : "\nPrivacy: id");
	else if (!open)
		n = snprintf(out->line, sizeof(out->line), "Privacy: id");
	if (n < 0 || (size_t)n >= sizeof(out->line))
		return EOVERFLOW;
	return sip_name_addr_print(out->from, sizeof(out->from),
				   open ? from->name : "Anonymous", &a, tag);
}
