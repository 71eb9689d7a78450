/* webrtc/session/field.c - one reader for the fields of every JSON object that comes in, WebSocket message
 * or API body. Pure; runs on the web thread; called by parse.c and api_parse.c; uses jansson. */
#include "webrtc/session/field.h"
#include "gateway/addr.h"
#include "gateway/leg.h"
#include "lib/secret.h"
#include "webrtc/session/utf8.h"

/* The largest integer that JavaScript counts exactly. */
static const json_int_t SEQ_MAX = 9007199254740991;

size_t field_depth(const char *p, size_t n)
{
	size_t depth = 0, deepest = 0;
	bool in_string = false;

	for (size_t i = 0; i < n; i++) {
		char c = p[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
			continue;
		}
		if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > deepest)
				deepest = depth;
		} else if ((c == '}' || c == ']') && depth) {
			depth--;
		}
	}
	return deepest;
}

int field_bad(struct field_fault *fault, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(fault->text, sizeof(fault->text), fmt, ap);
	va_end(ap);
	fault->kind = FIELD_BAD;
	return EBADMSG;
}

static int read_call(char *dst, const char *s, size_t n, const struct field *f,
		     struct field_fault *fault)
{
	if (n < 1 || n > f->max)
		return field_bad(fault, "`%s` must be 1 to %u characters", f->name,
				 (unsigned)f->max);
	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		      (c >= '0' && c <= '9') || c == '_' || c == '-'))
			return field_bad(fault, "`%s` may have only A-Z a-z 0-9 _ and -",
					 f->name);
	}
	memcpy(dst, s, n);
	dst[n] = '\0';
	return 0;
}

static int read_sdp(struct body **bp, const char *s, size_t n, const struct field *f,
		    struct field_fault *fault, size_t sdp_bytes)
{
	if (!n)
		return field_bad(fault, "`%s` must not be empty", f->name);
	if (n > sdp_bytes) {
		field_bad(fault, "`%s` is longer than %zu bytes", f->name, sdp_bytes);
		fault->kind = FIELD_TOO_LONG;
		return EBADMSG;
	}
	return body_alloc(bp, s, n);
}

static int read_word(int *value, const char *s, const struct field *f,
		     struct field_fault *fault)
{
	char list[120] = "";

	for (const struct field_word *w = f->words; w->word; w++) {
		size_t at = strlen(list);

		if (!strcmp(s, w->word)) {
			*value = w->value;
			return 0;
		}
		snprintf(list + at, sizeof(list) - at, "%s\"%s\"", at ? ", " : "",
			 w->word);
	}
	return field_bad(fault, "`%s` must be one of %s", f->name, list);
}

static int read_string(void *at, const json_t *v, const struct field *f,
		       struct field_fault *fault, size_t sdp_bytes)
{
	const char *s = json_string_value(v);
	size_t n = json_string_length(v), count;
	char *copy;

	if (f->type == FIELD_CALL)
		return read_call(at, s, n, f, fault);
	if (f->type == FIELD_SDP)
		return read_sdp(at, s, n, f, fault, sdp_bytes);
	if (f->type == FIELD_WORD)
		return read_word(at, s, f, fault);
	count = f->type == FIELD_TEXT ? utf8_count(s, n) : n;
	if (count < 1 || count > f->max)
		return field_bad(fault, "`%s` must be 1 to %u %s", f->name,
				 (unsigned)f->max,
				 f->type == FIELD_TEXT ? "characters" : "bytes");
	copy = f->type == FIELD_TEXT ? base_dup(s, n) : secret_dup(s, n);
	if (f->type == FIELD_SECRET)
		secret_wipe((char *)s, n); /* the parser's copy */
	if (!copy)
		return ENOMEM;
	*(char **)at = copy;
	return 0;
}

int field_value(void *dst, const json_t *v, const struct field *f,
		struct field_fault *fault, size_t sdp_bytes)
{
	void *at = (char *)dst + f->offset;

	switch (f->type) {
	case FIELD_CALL:
	case FIELD_TEXT:
	case FIELD_SECRET:
	case FIELD_SDP:
	case FIELD_WORD:
		if (!json_is_string(v))
			return field_bad(fault, "`%s` must be a string", f->name);
		return read_string(at, v, f, fault, sdp_bytes);
	case FIELD_BOOL:
		if (!json_is_boolean(v))
			return field_bad(fault, "`%s` must be true or false", f->name);
		*(bool *)at = json_is_true(v);
		return 0;
	case FIELD_CANDIDATES:
		return field_candidates_read(at, v, f->name, fault);
	case FIELD_ONE:
		if (!json_is_integer(v) || json_integer_value(v) != (json_int_t)f->max)
			return field_bad(fault, "`%s` must be %u", f->name,
					 (unsigned)f->max);
		return 0;
	case FIELD_SEQ:
		if (!json_is_integer(v) || json_integer_value(v) < 0 ||
		    json_integer_value(v) > SEQ_MAX)
			return field_bad(fault,
					 "`%s` must be an integer from 0 to 2^53-1",
					 f->name);
		*(uint64_t *)at = (uint64_t)json_integer_value(v);
		return 0;
	}
	return EINVAL;
}

static const struct field *field_find(const struct field *fields, size_t n,
				      const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(fields[i].name, name))
			return &fields[i];
	return NULL;
}

static bool is_known(const char *const *known, const char *key)
{
	for (; *known; known++)
		if (!strcmp(*known, key))
			return true;
	return false;
}

int field_read(void *dst, struct field_fault *fault, const json_t *obj,
	       const struct field *fields, size_t n_fields, const char *const *known,
	       const char *what, size_t sdp_bytes)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)obj, key, v)
	{
		const struct field *f = field_find(fields, n_fields, key);
		char name[40];
		int err;

		if (is_known(known, key))
			continue;
		if (!f) {
			addr_name_clean(name, sizeof(name), key, strlen(key));
			return field_bad(fault, "`%s` is not a field of `%s`", name,
					 what);
		}
		err = field_value(dst, v, f, fault, sdp_bytes);
		if (err)
			return err;
	}
	for (size_t i = 0; i < n_fields; i++)
		if (fields[i].required && !json_object_get(obj, fields[i].name))
			return field_bad(fault, "`%s` is missing", fields[i].name);
	return 0;
}
