/* gateway/relay_rule.h - in which calls a user's address is not shown to the other side: their media are relayed.
 * Of a site (its configuration) and of an account (the store). The stricter one holds. */
#ifndef SLUSS_GATEWAY_RELAY_RULE_H
#define SLUSS_GATEWAY_RELAY_RULE_H

/** Stricter from row to row. */
enum relay_rule {
	RELAY_SITE, /**< of an account: as the site has it */
	RELAY_NEVER,
	RELAY_STRANGERS, /**< calls of people whom the callee has neither called nor accepted before */
	RELAY_ALWAYS,
	RELAY_RULE_N
};
/** "site", "never", "strangers", "always". */
const char *relay_rule_name(enum relay_rule rule);
/** Errors: EINVAL. */
int relay_rule_parse(enum relay_rule *rule, const char *name);
static inline enum relay_rule relay_rule_stricter(enum relay_rule a, enum relay_rule b)
{
	return a > b ? a : b;
}

#endif
