/* gateway/number.c - see number.h. Called by config, route, the trunks. ITU-T E.164 §6; RFC 3966 §5.1.4. */
#include "gateway/number.h"

#define DIGITS "0123456789"

bool number_is(const char *text)
{
	const char *digits = text + (*text == '+');
	size_t n = strlen(text);

	return *digits && n <= NUMBER_MAX && !digits[strspn(digits, DIGITS)];
}

static bool begins(const char *text, const char *prefix)
{
	return *prefix && !strncmp(text, prefix, strlen(prefix));
}

void number_normal(char out[NUMBER_MAX + 1], const char *text,
		   const struct number_plan *plan)
{
	const char *intl = plan->international, *nat = plan->national;
	size_t n;

	if (*text != '+' && begins(text, intl) && text[strlen(intl)])
		n = (size_t)snprintf(out, NUMBER_MAX + 1, "+%s", text + strlen(intl));
	else if (*text != '+' && *plan->country && begins(text, nat) && text[strlen(nat)])
		n = (size_t)snprintf(out, NUMBER_MAX + 1, "+%s%s", plan->country,
				     text + strlen(nat));
	else
		n = (size_t)snprintf(out, NUMBER_MAX + 1, "%s", text);
	if (n > NUMBER_MAX) /* half a number is another one */
		snprintf(out, NUMBER_MAX + 1, "%s", text);
}

void number_write(char out[NUMBER_MAX + 1], const char *number, enum number_format format,
		  const struct number_plan *plan)
{
	const char *digits = number + 1, *intl = plan->international;
	size_t n = 0;

	if (*number != '+')
		format = NUMBER_E164;
	if (format == NUMBER_NATIONAL && begins(digits, plan->country))
		n = (size_t)snprintf(out, NUMBER_MAX + 1, "%s%s", plan->national,
				     digits + strlen(plan->country));
	else if (format == NUMBER_NATIONAL || format == NUMBER_INTERNATIONAL)
		n = (size_t)snprintf(out, NUMBER_MAX + 1, "%s%s", *intl ? intl : "00",
				     digits);
	else if (format == NUMBER_PLAIN)
		n = (size_t)snprintf(out, NUMBER_MAX + 1, "%s", digits);
	if (!n || n > NUMBER_MAX)
		snprintf(out, NUMBER_MAX + 1, "%s", number);
}

size_t number_prefix(char *const *prefixv, const char *number)
{
	size_t best = 0;

	for (char *const *p = prefixv; p && *p; p++)
		if (strlen(*p) > best && begins(number, *p))
			best = strlen(*p);
	return best;
}
