/* webrtc/session/field_candidates.c - the `candidates` of a message: an array of objects. Pure.
 *
 * Runs on the web thread; called by field.c; uses jansson. What passes is one line of printable ASCII each,
 * so that nothing can be smuggled into a SIP body behind it. RFC 8839 §5.1, RFC 8840 §4.4. */
#include "webrtc/session/field.h"

#include "gateway/addr.h"

static int read_text(const json_t *item, const char *key, const char **p, size_t *n,
		     struct field_fault *fault)
{
	const json_t *v = json_object_get(item, key);

	if (!json_is_string(v))
		return field_bad(fault, "each candidate needs `%s`, a string", key);
	*p = json_string_value(v);
	*n = json_string_length(v);
	return 0;
}

static int read_keys(const json_t *item, int *mline, struct field_fault *fault)
{
	const char *key;
	char name[40];
	json_t *v;

	*mline = -1;
	json_object_foreach((json_t *)item, key, v)
	{
		if (!strcmp(key, "mid") || !strcmp(key, "candidate"))
			continue;
		if (strcmp(key, "mline") != 0) {
			addr_name_clean(name, sizeof(name), key, strlen(key));
			return field_bad(fault, "`%s` is not a field of a candidate",
					 name);
		}
		if (!json_is_integer(v) || json_integer_value(v) < 0 ||
		    json_integer_value(v) > CANDIDATE_MLINE_MAX)
			return field_bad(fault, "`mline` must be an integer from 0 to %d",
					 CANDIDATE_MLINE_MAX);
		*mline = (int)json_integer_value(v);
	}
	return 0;
}

static int read_one(struct candidates *c, const json_t *item, struct field_fault *fault)
{
	const char *mid = "", *line = "";
	size_t n_mid = 0, n_line = 0;
	int mline, err;

	if (!json_is_object(item))
		return field_bad(fault, "a candidate is an object");
	err = read_keys(item, &mline, fault);
	if (!err)
		err = read_text(item, "mid", &mid, &n_mid, fault);
	if (!err)
		err = read_text(item, "candidate", &line, &n_line, fault);
	if (err)
		return err;
	if (!candidate_mid_ok(mid, n_mid))
		return field_bad(fault, "`mid` must be a token of 1 to %d characters",
				 CANDIDATE_MID_MAX);
	err = candidates_add(c, mid, n_mid, mline, line, n_line);
	return err == EBADMSG ? field_bad(fault,
					  "`candidate` must be one candidate line "
					  "(RFC 8839), %d bytes at most",
					  CANDIDATE_LINE_MAX)
			      : err;
}

int field_candidates_read(struct candidates **cp, const json_t *v, const char *name,
			  struct field_fault *fault)
{
	struct candidates *c = NULL;
	int err;

	if (!json_is_array(v))
		return field_bad(fault, "`%s` must be an array", name);
	if (json_array_size(v) > CANDIDATES_MAX) {
		field_bad(fault, "`%s` holds more than %d", name, CANDIDATES_MAX);
		fault->kind = FIELD_TOO_LONG;
		return EBADMSG;
	}
	err = candidates_alloc(&c, NULL, 0);
	for (size_t i = 0; !err && i < json_array_size(v); i++)
		err = read_one(c, json_array_get(v, i), fault);
	if (err)
		mem_deref(c);
	else
		*cp = c;
	return err;
}
