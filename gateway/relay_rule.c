/* gateway/relay_rule.c - the words for it. Pure. */
#include "gateway/relay_rule.h"

#include "lib/base.h"

static const char *const names[RELAY_RULE_N] = {
	[RELAY_SITE] = "site",
	[RELAY_NEVER] = "never",
	[RELAY_STRANGERS] = "strangers",
	[RELAY_ALWAYS] = "always",
};

const char *relay_rule_name(enum relay_rule rule)
{
	return (unsigned)rule < RELAY_RULE_N ? names[rule] : "?";
}

int relay_rule_parse(enum relay_rule *rule, const char *name)
{
	for (unsigned i = 0; i < RELAY_RULE_N; i++)
		if (!strcmp(names[i], name)) {
			*rule = (enum relay_rule)i;
			return 0;
		}
	return EINVAL;
}
