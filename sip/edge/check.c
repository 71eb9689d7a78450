/* sip/edge/check.c - see check.h. Edge thread. Called by the inward direction. */
#include "sip/edge/check.h"

#include <ctype.h>
#include <strings.h>

#include "sip/edge/address.h"

/* Narrower than a token: Sofia's parser fails on methods with % and the like. RFC 3261
 * §21.5.2 */
static bool check_method(const struct pl *method)
{
	if (method->l > 64)
		return false;
	for (size_t i = 0; i < method->l; i++)
		if (!isalnum((unsigned char)method->p[i]) && !strchr("-._", method->p[i]))
			return false;
	return true;
}

static unsigned check_version(const struct pl *version)
{
	if (!pl_strcasecmp(version, "SIP/2.0"))
		return 0;
	if (version->l < 5 || strncasecmp(version->p, "SIP/", 4))
		return 400;
	for (size_t i = 4; i < version->l; i++)
		if (!isdigit((unsigned char)version->p[i]) && version->p[i] != '.')
			return 400;
	return 505;
}

/* RFC 3261 §20.22: 0 to 255. Sofia takes -1, and 2^32 + 70 for 70. */
static bool check_hops(const struct message *m)
{
	struct pl value;
	unsigned hops = 0;

	if (!m->n_of[HEADER_MAX_FORWARDS])
		return true;
	if (message_value(m, HEADER_MAX_FORWARDS, &value) || !value.l)
		return false;
	for (size_t i = 0; i < value.l; i++) {
		if (!isdigit((unsigned char)value.p[i]))
			return false;
		hops = hops * 10 + (unsigned)(value.p[i] - '0');
		if (hops > 255)
			return false;
	}
	return true;
}

/* The headers without which there is no transaction, and of which there is one each. */
static bool check_headers(const struct message *m, struct pl *method)
{
	static const enum header onev[] = {HEADER_FROM, HEADER_TO, HEADER_CALL_ID};
	uint32_t number;
	struct pl value;

	for (size_t i = 0; i < N_ELEMS(onev); i++)
		if (message_value(m, onev[i], &value) || !value.l ||
		    (onev[i] != HEADER_CALL_ID && !address_party_ok(&value)))
			return false;
	return check_hops(m) && !message_cseq(m, &number, method);
}

unsigned check_request(const struct message *m, struct via *top)
{
	struct pl method;
	unsigned status = check_version(&m->version);

	if (status)
		return status;
	if (!check_method(&m->method))
		return 501;
	if (m->faulty)
		return 400;
	status = address_request_uri_status(&m->uri);
	if (status)
		return status;
	if (!check_headers(m, &method) || pl_cmp(&method, &m->method) || via_top(top, m))
		return 400;
	return 0;
}

bool check_response(const struct message *m, struct via *top)
{
	struct pl method;

	return !m->faulty && !check_version(&m->version) && check_headers(m, &method) &&
	       !via_top(top, m) && via_count(m) == 1;
}
