/* idp/openid_json.h - reading what other providers answer: a text, an address. Own to openid_token.c and oauth.c. */
#ifndef SLUSS_IDP_OPENID_JSON_H
#define SLUSS_IDP_OPENID_JSON_H

#include <jansson.h>

#include "idp/fetch.h"
#include "idp/openid_token.h"

/** A text without NUL that fits; false: it is not there, or is none. */
static inline bool take(char *buf, size_t size, const json_t *o, const char *name)
{
	const json_t *j = json_object_get(o, name);
	size_t n = json_string_length(j);

	if (!json_is_string(j) || !n || n >= size || strlen(json_string_value(j)) != n)
		return false;
	memcpy(buf, json_string_value(j), n + 1);
	return true;
}

/** buf[OPENID_URL_MAX + 1]: https, or false. */
static inline bool take_url(char *buf, const json_t *o, const char *name)
{
	return take(buf, OPENID_URL_MAX + 1, o, name) && fetch_url_ok(buf, NULL);
}

#endif
