/* idp/oauth.c - see oauth.h. Called by openid.c on its thread. */
#include "idp/oauth.h"

#include <strings.h>

#include "gateway/addr.h"
#include "idp/openid_json.h"
#include "lib/secret.h"

enum { TYPE_MAX = 31, CODE_MAX = 80 };

/* RFC 6749 appendix A.12: it goes into a line of a header */
static bool is_token(const char *t)
{
	for (; *t > ' ' && *t <= '~'; t++)
		;
	return !*t;
}

static const char *token_refused(const json_t *o)
{
	const char *token = json_string_value(json_object_get(o, "access_token"));
	char type[TYPE_MAX + 1];

	if (!json_is_object(o))
		return "it is no JSON object";
	if (!token || !*token || !is_token(token))
		return "there is no usable access token in its answer";
	if (json_object_get(o, "token_type") &&
	    (!take(type, sizeof(type), o, "token_type") ||
	     strcasecmp(type, "bearer") != 0))
		return "its access token is no bearer token"; /* RFC 6749 §7.1 */
	return NULL;
}

int oauth_token_parse(char **access_tokenp, char *why, const void *p, size_t n)
{
	json_t *o = json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL);
	const char *token = json_string_value(json_object_get(o, "access_token"));
	const char *refused = token_refused(o);
	const json_t *error = json_object_get(o, "error");
	char code[CODE_MAX + 1];
	int err = EBADMSG;

	if (error && !json_is_null(error)) {
		if (!take(code, sizeof(code), o, "error"))
			*code = '\0';
		snprintf(why, OAUTH_WHY_MAX + 1, "it refuses the code: %s", code);
	} else if (refused) {
		snprintf(why, OAUTH_WHY_MAX + 1, "%s", refused);
	} else {
		*access_tokenp = secret_dup(token, strlen(token));
		snprintf(why, OAUTH_WHY_MAX + 1, "out of memory");
		err = *access_tokenp ? 0 : ENOMEM;
	}
	json_decref(o);
	return err;
}

/* 0 and what is below it are numbers of nobody, wherever people are counted. */
static bool take_id(char *buf, size_t size, const json_t *o, const char *name)
{
	const json_t *j = json_object_get(o, name);

	if (!json_is_integer(j))
		return take(buf, size, o, name);
	snprintf(buf, size, "%lld", (long long)json_integer_value(j));
	return json_integer_value(j) > 0;
}

int oauth_person_parse(struct openid_person *person, const char **whyp,
		       const struct openid_service *members, const void *p, size_t n)
{
	json_t *o = json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL);
	struct openid_person x = {0};
	char name[OPENID_NAME_MAX + 1];
	int err = 0;

	if (!json_is_object(o) || !take_id(x.sub, sizeof(x.sub), o, members->id)) {
		*whyp = json_is_object(o) ? "its document names nobody"
					  : "its document is no JSON object";
		err = EBADMSG;
	}
	if (take(name, sizeof(name), o, members->name))
		addr_name_clean(x.name, sizeof(x.name), name, strlen(name));
	(void)take(x.user, sizeof(x.user), o, members->user);
	if (!take_url(x.picture, o, members->picture))
		x.picture[0] = '\0';
	if (take(x.email, sizeof(x.email), o, members->email) && members->email_verified)
		x.email_verified =
			json_is_true(json_object_get(o, members->email_verified));
	if (!err)
		*person = x;
	json_decref(o);
	return err;
}
