/* tests/unit/webrtc/schema.c - see schema.h. JSON Schema 2020-12, the part of it that is used. */
#include "tests/unit/webrtc/schema.h"

#include <regex.h>

json_t *schema_load(const char *path)
{
	const char *top = getenv("top_srcdir");
	char name[1024];
	json_error_t why;
	json_t *doc;

	snprintf(name, sizeof(name), "%s/%s", top ? top : ".", path);
	doc = json_load_file(name, JSON_REJECT_DUPLICATES, &why);
	if (!doc) {
		fprintf(stderr, "%s:%d: %s\n", name, why.line, why.text);
		abort();
	}
	return doc;
}

const json_t *schema_def(const json_t *doc, const char *name)
{
	const json_t *def = json_object_get(json_object_get(doc, "$defs"), name);

	if (!def) {
		fprintf(stderr, "there is no $defs/%s\n", name);
		abort();
	}
	return def;
}

static const json_t *resolve(const json_t *doc, const json_t *schema)
{
	const char *ref = json_string_value(json_object_get(schema, "$ref"));

	return ref ? resolve(doc, schema_def(doc, ref + strlen("#/$defs/"))) : schema;
}

static size_t characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static bool type_fits(const char *type, const json_t *v)
{
	if (!strcmp(type, "object"))
		return json_is_object(v);
	if (!strcmp(type, "array"))
		return json_is_array(v);
	if (!strcmp(type, "string"))
		return json_is_string(v);
	if (!strcmp(type, "integer"))
		return json_is_integer(v);
	if (!strcmp(type, "boolean"))
		return json_is_boolean(v);
	abort();
}

static bool pattern_fits(const char *pattern, const char *s)
{
	regex_t re;
	bool fits;

	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB))
		abort();
	fits = !regexec(&re, s, 0, NULL, 0);
	regfree(&re);
	return fits;
}

static bool one_of(const json_t *doc, const json_t *list, const json_t *v, char *why)
{
	size_t i, n = 0;
	const json_t *s;

	json_array_foreach((json_t *)list, i, s) n += schema_fits(doc, s, v, why);
	if (n != 1)
		snprintf(why, 200, "fits %zu of the choices", n);
	return n == 1;
}

static bool properties_fit(const json_t *doc, const json_t *schema, const json_t *v,
			   char *why)
{
	const json_t *props = json_object_get(schema, "properties"), *name;
	const char *key;
	json_t *value;
	size_t i;

	json_array_foreach(json_object_get(schema, "required"), i, name)
	{
		if (!json_object_get(v, json_string_value(name))) {
			snprintf(why, 200, "%s is missing", json_string_value(name));
			return false;
		}
	}
	json_object_foreach((json_t *)v, key, value)
	{
		const json_t *p = json_object_get(props, key);

		if (!p) {
			snprintf(why, 200, "%s is not known", key);
			return false;
		}
		if (!schema_fits(doc, p, value, why)) {
			char inner[160];

			snprintf(inner, sizeof(inner), "%s", why);
			snprintf(why, 200, "%s: %s", key, inner);
			return false;
		}
	}
	return true;
}

/* Whoever has one key has those others. */
static bool dependents_fit(const json_t *arg, const json_t *v)
{
	const json_t *name;
	const char *key;
	json_t *names;
	size_t i;

	json_object_foreach((json_t *)arg, key, names)
	{
		json_array_foreach(names, i, name)
		{
			if (json_object_get(v, key) &&
			    !json_object_get(v, json_string_value(name)))
				return false;
		}
	}
	return true;
}

/* One keyword; gives whether `v` keeps it. */
static bool keyword_fits(const json_t *doc, const json_t *schema, const char *key,
			 const json_t *arg, const json_t *v, char *why)
{
	const char *s = json_string_value(v);
	json_int_t n = json_integer_value(v), m = json_integer_value(arg);
	const json_t *item;
	size_t i;

	snprintf(why, 200, "breaks %s", key);
	if (key[0] == '$' || !strcmp(key, "title") || !strcmp(key, "description") ||
	    !strcmp(key, "required") || !strcmp(key, "additionalProperties"))
		return true;
	if (!strcmp(key, "type"))
		return type_fits(json_string_value(arg), v);
	if (!strcmp(key, "const"))
		return json_equal(arg, v);
	if (!strcmp(key, "enum")) {
		json_array_foreach((json_t *)arg, i,
				   item) if (json_equal(item, v)) return true;
		return false;
	}
	if (!strcmp(key, "oneOf"))
		return one_of(doc, arg, v, why);
	if (!strcmp(key, "properties"))
		return properties_fit(doc, schema, v, why);
	if (!strcmp(key, "dependentRequired"))
		return dependents_fit(arg, v);
	if (!strcmp(key, "items")) {
		json_array_foreach(
			(json_t *)v, i,
			item) if (!schema_fits(doc, arg, item, why)) return false;
		return true;
	}
	if (!strcmp(key, "maxItems"))
		return json_array_size(v) <= (size_t)m;
	if (!strcmp(key, "pattern"))
		return pattern_fits(json_string_value(arg), s);
	if (!strcmp(key, "minLength"))
		return characters(s) >= (size_t)m;
	if (!strcmp(key, "maxLength"))
		return characters(s) <= (size_t)m;
	if (!strcmp(key, "minimum"))
		return n >= m;
	if (!strcmp(key, "maximum"))
		return n <= m;
	fprintf(stderr, "schema.c does not know the keyword %s\n", key);
	abort();
}

bool schema_fits(const json_t *doc, const json_t *schema, const json_t *v, char *why)
{
	const json_t *s = resolve(doc, schema), *type = json_object_get(s, "type");
	const char *key;
	json_t *arg;

	if (type && !type_fits(json_string_value(type),
			       v)) { /* before what takes the type for granted */
		snprintf(why, 200, "must be of type %s", json_string_value(type));
		return false;
	}
	json_object_foreach((json_t *)s, key, arg) if (!keyword_fits(doc, s, key, arg, v,
								     why)) return false;
	return true;
}

static json_t *string_example(const json_t *s)
{
	json_int_t n = json_integer_value(json_object_get(s, "minLength"));
	const char *pattern = json_string_value(json_object_get(s, "pattern"));

	if (!pattern)
		return json_string(n > 3 ? "xxxxxx" : "x");
	if (!strcmp(pattern, "^d-[0-9a-f]{16}$"))
		return json_string("d-0123456789abcdef");
	if (strchr(pattern, '@'))
		return json_string("per@beta.example");
	if (strstr(pattern, "candidate:"))
		return json_string("candidate:1 1 udp 1 192.0.2.1 9 typ host");
	if (strstr(pattern, "A-D*#"))
		return json_string("12*#");
	return json_string(n > 2 ? "F7gI" : "c1");
}

json_t *schema_example(const json_t *doc, const json_t *schema, bool all)
{
	const json_t *s = resolve(doc, schema), *props = json_object_get(s, "properties"),
		     *first;
	const char *type = json_string_value(json_object_get(s, "type")), *key;
	json_t *v, *p;

	if ((v = json_object_get(s, "const")))
		return json_deep_copy(v);
	if ((first = json_array_get(json_object_get(s, "enum"), 0)))
		return json_deep_copy(first);
	if (!type)
		abort();
	if (!strcmp(type, "string"))
		return string_example(s);
	if (!strcmp(type, "integer"))
		return json_integer(json_integer_value(json_object_get(s, "minimum")));
	if (!strcmp(type, "boolean"))
		return json_true();
	if (!strcmp(type, "array"))
		return json_pack("[o]",
				 schema_example(doc, json_object_get(s, "items"), all));
	v = json_object();
	json_object_foreach((json_t *)props, key, p)
	{
		bool needed = false;
		const json_t *name;
		size_t i;

		json_array_foreach(json_object_get(s, "required"), i, name) needed |=
			!strcmp(json_string_value(name), key);
		if (all || needed)
			json_object_set_new(v, key, schema_example(doc, p, all));
	}
	return v;
}
