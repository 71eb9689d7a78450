/* idp/name.c - see name.h. Called by idp.c (what we sign) and judge.c (what is to be compared); the addresses
 * themselves are canonicalised by gateway/addr.c. RFC 8224 §8, RFC 3966 §3. */
#include "idp/name.h"

#include <strings.h>

/* Digits without what only helps the eye (RFC 3966 visual-separator). `plus`: it begins with '+', so it is E.164:
 * digits alone. False: no number. */
static bool number(struct name *out, const char *p, size_t n, bool *plusp)
{
	bool plus = n && *p == '+';
	size_t len = 0;

	for (size_t i = plus; i < n; i++) {
		char c = p[i];

		if (c == '-' || c == '.' || c == '(' || c == ')')
			continue;
		if (!(c >= '0' && c <= '9') && (plus || (c != '#' && c != '*')))
			return false;
		if (len == NAME_TN_MAX)
			return false;
		out->text[len++] = c;
	}
	if (!len)
		return false;
	out->text[len] = '\0';
	out->tn = true;
	if (plusp)
		*plusp = plus;
	return true;
}

/* "tel:+1-215-555-1212;ext=7": the number ends at the first parameter. */
static int tel_parse(struct name *out, const char *p, size_t n)
{
	const char *semi = memchr(p, ';', n);
	struct name name;

	memset(&name, 0, sizeof(name));
	for (size_t i = 0; i < n; i++)
		if (p[i] <= 0x20 || p[i] >= 0x7f)
			return EINVAL;
	if (!number(&name, p, semi ? (size_t)(semi - p) : n, NULL))
		return EINVAL;
	*out = name;
	return 0;
}

/* Is there a parameter user=phone? `p` passed addr_parse_uri(). */
static bool says_phone(const char *p, size_t n)
{
	static const char word[] = "user=phone";
	const char *end = memchr(p, '?', n), *at = memchr(p, '@', n);

	if (!end)
		end = p + n;
	for (const char *s = at; s && s < end;) {
		s = memchr(s, ';', (size_t)(end - s));
		if (!s)
			break;
		s++;
		if ((size_t)(end - s) >= sizeof(word) - 1 &&
		    !strncasecmp(s, word, sizeof(word) - 1) &&
		    (s + sizeof(word) - 1 == end || s[sizeof(word) - 1] == ';'))
			return true;
	}
	return false;
}

static void from_addr(struct name *out, const struct addr *a, bool secure, bool phone)
{
	struct name name;
	bool plus = false;

	memset(&name, 0, sizeof(name));
	if (number(&name, a->user, strlen(a->user), &plus) && (plus || phone)) {
		*out = name;
		return;
	}
	memset(&name, 0, sizeof(name));
	snprintf(name.text, sizeof(name.text), "%s:%s@%s", secure ? "sips" : "sip",
		 a->user, a->host);
	*out = name;
}

int name_parse(struct name *out, const char *uri, size_t n)
{
	struct addr a;
	int err;

	if (n > 4 && !strncasecmp(uri, "tel:", 4))
		return tel_parse(out, uri + 4, n - 4);
	err = addr_parse_uri(&a, uri, n);
	if (err)
		return err;
	from_addr(out, &a, !strncasecmp(uri, "sips:", 5), says_phone(uri, n));
	return 0;
}

void name_of(struct name *out, const struct addr *a)
{
	from_addr(out, a, false, false);
}

bool name_equal(const struct name *a, const struct name *b)
{
	return a->tn == b->tn && !strcmp(a->text, b->text);
}
