/* gateway/trunk_choice.c - see trunk_choice.h. Called by route.c, and by call.c for emergency calls, which no limit holds up.
 * Nobody may use a trunk who is not named; callers from other sites have no account here and are never asked about. */
#include "gateway/trunk_choice.h"

#include <strings.h>

#include "gateway/spend.h"

bool trunk_emergency(const struct core *core, const struct site_config *site,
		     const char *user, const struct trunk_config **trunk,
		     struct cause *why)
{
	for (size_t i = 0; i < site->n_emergency; i++) {
		const struct emergency_config *e = &site->emergencyv[i];

		if (strcmp(e->number, user) != 0)
			continue;
		*trunk = core->trunks && *e->trunk
				 ? config_trunk_find(core->config, e->trunk)
				 : NULL;
		if (!*trunk)
			cause_set(
				why, CAUSE_NO_ROUTE,
				"%s cannot be called from here: this site has no line for "
				"emergency calls. Please take a telephone.",
				user);
		return true;
	}
	return false;
}

static bool in_list(char *const *v, const char *text)
{
	for (; v && *v; v++)
		if (!strcasecmp(*v, text))
			return true;
	return false;
}

static bool may_use(const struct trunk_config *t, const struct addr *account)
{
	return in_list(t->userv, AT(account)) || in_list(t->sitev, account->host);
}

static bool is_denied(const struct trunk_config *t, const char *number)
{
	size_t yes = t->allowv ? number_prefix(t->allowv, number) : 0,
	       no = number_prefix(t->denyv, number);

	return (t->allowv && !yes) || (no && no >= yes);
}

const struct trunk_config *trunk_choose(const struct core *core,
					const struct addr *account, const char *number,
					struct cause *why)
{
	const struct config *c = core->config;
	const struct trunk_config *found = NULL, *barred = NULL, *denied = NULL;
	size_t best = 0;

	for (size_t i = 0; core->trunks && i < c->n_trunks; i++) {
		const struct trunk_config *t = &c->trunkv[i];
		size_t n = number_prefix(t->numberv, number);

		if (!n)
			continue;
		if (!may_use(t, account)) {
			barred = t;
		} else if (is_denied(t, number)) {
			denied = t;
		} else if (n > best) {
			best = n;
			found = t;
		}
	}
	if (!found && denied)
		cause_set(why, CAUSE_FORBIDDEN, "You may not call the number %s.",
			  number);
	else if (!found && barred)
		cause_set(why, CAUSE_FORBIDDEN,
			  "You may not call telephone numbers from this site.");
	else if (!found)
		cause_set(why, CAUSE_NOT_FOUND,
			  "The number %s cannot be called from here.", number);
	else if (found->minutes_a_day && !spend_ready(core->spend))
		cause_set(why, CAUSE_LIMIT,
			  "Telephone calls are not possible at the moment; please try "
			  "again.");
	else if (found->minutes_a_day &&
		 spend_minutes(core->spend, account, found->name) >= found->minutes_a_day)
		cause_set(why, CAUSE_FORBIDDEN,
			  "Your %u minutes of telephone calls for today are used up.",
			  (unsigned)found->minutes_a_day);
	else
		return found;
	return NULL;
}
