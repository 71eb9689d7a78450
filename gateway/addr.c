/* gateway/addr.c - strict parsing of addresses into their one canonical form.
 *
 * Pure; any thread. Called by every room that meets an address from outside; calls nothing of ours.
 * Nothing here is lenient on purpose: what two parsers could read in two ways is refused, since one
 * of the two would route and the other would judge.
 * RFC 3261 §19.1 and §25.1 (URI grammar), RFC 1123 §2.1 (host names), RFC 8224 §8.5 (canonical form). */
#include "gateway/addr.h"
#include <arpa/inet.h>

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_alpha(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static int hex_value(uint8_t c)
{
	if (is_digit(c))
		return c - '0';
	c = lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/** RFC 3261 "unreserved": for these, and no others, %HH means the character itself. */
static bool is_unreserved(uint8_t c)
{
	return is_alpha(c) || is_digit(c) || (c && strchr("-_.!~*'()", c));
}

/** One of `set`, unreserved, or the % of an escape (escapes were checked before). */
static bool all_in(const char *p, size_t n, const char *set)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)p[i];

		if (!is_unreserved(c) && c != '%' && !(c && strchr(set, c)))
			return false;
	}
	return true;
}

/** "ALICE" -> "alice"; with `escapes` "%61lice" too. False: empty, too long, outside the alphabet. */
static bool user_canon(char *user, const char *p, size_t n, bool escapes)
{
	char out[ADDR_USER_MAX + 1];
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)p[i];

		if (c == '%' && escapes && n - i > 2) {
			int hi = hex_value((uint8_t)p[i + 1]),
			    lo = hex_value((uint8_t)p[i + 2]);

			if (hi < 0 || lo < 0)
				return false;
			c = (uint8_t)(hi * 16 + lo);
			/* an escaped reserved character is another user: %2B is not '+' */
			if (!is_unreserved(c))
				return false;
			i += 2;
		}
		c = lower(c);
		if (!is_alpha(c) && !is_digit(c) && !(c && strchr("._+-", c)))
			return false;
		if (len == ADDR_USER_MAX)
			return false;
		out[len++] = (char)c;
	}
	if (!len || out[0] == '.' || out[len - 1] == '.')
		return false;
	memcpy(user, out, len);
	user[len] = '\0';
	return true;
}

/** A dotted quad that inet_pton takes, in `n` bytes: not a name of ours, but not malformed either. */
static bool is_ip4(const char *p, size_t n)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr in;

	if (n >= sizeof(text))
		return false;
	memcpy(text, p, n);
	text[n] = '\0';
	return !memchr(p, '\0', n) && inet_pton(AF_INET, text, &in) == 1;
}

static bool is_ip6(const char *p, size_t n)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr in;

	if (n >= sizeof(text))
		return false;
	memcpy(text, p, n);
	text[n] = '\0';
	return !memchr(p, '\0', n) && inet_pton(AF_INET6, text, &in) == 1;
}

/** LDH labels of 1 to 63, the last one starting with a letter (RFC 3261 toplabel): that keeps every
 *  notation of an IPv4 address out, 127.1 and 0x7f000001 too. One dot at the end, the root, is cut. */
static bool host_canon(char *host, const char *p, size_t n)
{
	size_t label = 0;

	if (n && p[n - 1] == '.')
		n--;
	if (!n || n > ADDR_HOST_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)p[i];
		bool last = i + 1 == n || p[i + 1] == '.';

		if (c == '.') {
			if (!label || last)
				return false;
			label = 0;
			continue;
		}
		if (!is_alpha(c) && !is_digit(c) && (c != '-' || !label || last))
			return false;
		if (++label > 63)
			return false;
	}
	if (!is_alpha((uint8_t)p[n - label]))
		return false;
	for (size_t i = 0; i < n; i++)
		host[i] = (char)lower((uint8_t)p[i]);
	host[n] = '\0';
	return true;
}

int addr_host_parse(char *host, const char *p, size_t n)
{
	return p && host_canon(host, p, n) ? 0 : EINVAL;
}

int addr_user_parse(char *user, const char *p, size_t n)
{
	return p && user_canon(user, p, n, false) ? 0 : EINVAL;
}

static bool has_scheme(const char *p, size_t n, const char *scheme)
{
	size_t len = strlen(scheme);

	if (n < len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (lower((uint8_t)p[i]) != (uint8_t)scheme[i])
			return false;
	return true;
}

int addr_parse(struct addr *a, const char *p, size_t n)
{
	const char *at;
	struct addr out;
	bool uri;

	if (!p)
		return EINVAL;
	uri = has_scheme(p, n, "sip:");
	if (uri) {
		p += 4;
		n -= 4;
	}
	at = n ? memchr(p, '@', n) : NULL;
	/* a second '@' is in neither alphabet */
	if (!at || !user_canon(out.user, p, (size_t)(at - p), uri) ||
	    !host_canon(out.host, at + 1, n - (size_t)(at + 1 - p)))
		return EINVAL;
	*a = out;
	return 0;
}

/** What no URI may hold, wherever it stands: spaces, controls, bytes over 0x7f, delimiters that RFC 3986
 *  excludes, broken escapes, and escapes of control characters (%00, %0d%0a). */
static bool uri_text_ok(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)p[i];

		if (c <= 0x20 || c >= 0x7f || strchr("\"<>\\^`{|}#", c))
			return false;
		if (c == '%') {
			int hi = n - i > 2 ? hex_value((uint8_t)p[i + 1]) : -1;
			int lo = n - i > 2 ? hex_value((uint8_t)p[i + 2]) : -1;
			int v = hi * 16 + lo;

			if (hi < 0 || lo < 0 || v < 0x20 || v == 0x7f)
				return false;
		}
	}
	return true;
}

/** "scheme:" of RFC 3986 §3.1; gives its length without the colon, 0 when there is none. */
static size_t scheme_len(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && (is_alpha((uint8_t)p[i]) ||
			 (i && (is_digit((uint8_t)p[i]) || strchr("+-.", p[i])))))
		i++;
	return i < n && p[i] == ':' ? i : 0;
}

/** *( ";" pname [ "=" pvalue ] ), nothing empty. */
static bool params_ok(const char *p, size_t n)
{
	while (n) {
		const char *end, *eq;
		size_t len;

		p++; /* the ';' */
		n--;
		end = n ? memchr(p, ';', n) : NULL;
		len = end ? (size_t)(end - p) : n;
		eq = len ? memchr(p, '=', len) : NULL;
		if (!len || eq == p || (eq && eq + 1 == p + len))
			return false;
		if (eq && memchr(eq + 1, '=', len - (size_t)(eq + 1 - p)))
			return false;
		if (!all_in(p, len, "[]/:&+$="))
			return false;
		p += len;
		n -= len;
	}
	return true;
}

/** ":" 1*DIGIT, 1 to 65535. */
static bool port_ok(const char *p, size_t n)
{
	unsigned port = 0;

	if (n < 2 || n > 6)
		return false;
	for (size_t i = 1; i < n; i++) {
		if (!is_digit((uint8_t)p[i]))
			return false;
		port = port * 10 + (unsigned)(p[i] - '0');
	}
	return port >= 1 && port <= 65535;
}

/** host [ ":" port ] *( ";" param ) [ "?" headers ]; the host canonical into `host`.
 *  Errors: EINVAL; EDOM: an IP address, the rest is well formed. */
static int hostpart_parse(char *host, const char *p, size_t n)
{
	size_t i = 0, len;
	int err = 0;

	if (n && p[0] == '[') {
		const char *end = memchr(p, ']', n);

		if (!end || !is_ip6(p + 1, (size_t)(end - p - 1)))
			return EINVAL;
		i = (size_t)(end + 1 - p);
		err = EDOM;
	} else {
		while (i < n && !strchr(":;?", p[i]))
			i++;
		if (!host_canon(host, p, i)) {
			len = i && p[i - 1] == '.' ? i - 1 : i;
			if (!is_ip4(p, len))
				return EINVAL;
			err = EDOM;
		}
	}
	p += i;
	n -= i;
	if (n && p[0] == ':') {
		for (len = 1; len < n && !strchr(";?", p[len]); len++)
			;
		if (!port_ok(p, len))
			return EINVAL;
		p += len;
		n -= len;
	}
	for (len = 0; len < n && p[len] != '?'; len++)
		;
	if (len && (p[0] != ';' || !params_ok(p, len)))
		return EINVAL;
	if (n > len && (n - len == 1 || !all_in(p + len + 1, n - len - 1, "[]/?:+$&=")))
		return EINVAL;
	return err;
}

int addr_parse_uri(struct addr *a, const char *p, size_t n)
{
	struct addr out;
	const char *at, *colon;
	size_t len, user_len;
	int err;

	if (!p || !uri_text_ok(p, n))
		return EINVAL;
	len = scheme_len(p, n);
	if (!len)
		return EINVAL;
	if (!has_scheme(p, n, "sip:") && !has_scheme(p, n, "sips:"))
		return EPROTONOSUPPORT;
	p += len + 1;
	n -= len + 1;

	at = n ? memchr(p, '@', n) : NULL;
	if (!at) {
		err = hostpart_parse(out.host, p, n);
		return err ? err : EDOM;
	}
	len = (size_t)(at - p);
	if (memchr(at + 1, '@', n - len - 1))
		return EINVAL;
	colon = memchr(p, ':', len);
	user_len = colon ? (size_t)(colon - p) : len;
	if (!user_len || !all_in(p, user_len, "&=+$,;?/"))
		return EINVAL;
	if (colon && !all_in(colon + 1, len - user_len - 1, "&=+$,"))
		return EINVAL;
	err = hostpart_parse(out.host, at + 1, n - len - 1);
	if (err)
		return err;
	if (!user_canon(out.user, p, user_len, true))
		return EDOM;
	*a = out;
	return 0;
}

const char *addr_text(char *buf, const struct addr *a)
{
	snprintf(buf, ADDR_TEXT_MAX + 1, "%s@%s", a->user, a->host);
	return buf;
}

const char *addr_short(char *buf, const struct addr *a)
{
	snprintf(buf, ADDR_TEXT_MAX + 4, "%.2s…@%s", a->user, a->host);
	return buf;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return !strcmp(a->user, b->user) && !strcmp(a->host, b->host);
}

/** One UTF-8 character (RFC 3629: shortest form, no surrogates); gives its bytes, 0 when it is none. */
static size_t utf8_take(uint32_t *cp, const uint8_t *p, size_t n)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len;

	if (p[0] < 0x80) {
		*cp = p[0];
		return 1;
	}
	len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || n < len)
		return 0;
	*cp = p[0] & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*cp = *cp << 6 | (p[i] & 0x3f);
	}
	if (*cp < least[len] || *cp > 0x10ffff || (*cp >= 0xd800 && *cp <= 0xdfff))
		return 0;
	return len;
}

/** Controls, line and paragraph separators, what turns the writing direction or is not seen, and
 *  code points that are no characters: with these one name can be made to look like another. */
static bool cp_shown(uint32_t cp)
{
	/* clang-format off */
	static const struct {
		uint32_t from, to;
	} hidden[] = {
		{0x0000, 0x001f},   {0x007f, 0x009f}, {0x061c, 0x061c}, {0x200b, 0x200b},
		{0x200e, 0x200f},   {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfdd0, 0xfdef},
		{0xfeff, 0xfeff},   {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0xe007f},
	};
	/* clang-format on */

	for (size_t i = 0; i < N_ELEMS(hidden); i++)
		if (cp >= hidden[i].from && cp <= hidden[i].to)
			return false;
	return (cp & 0xfffe) != 0xfffe;
}

const char *addr_name_clean(char *dst, size_t size, const char *p, size_t n)
{
	size_t len = 0;

	if (!size)
		return dst;
	for (size_t i = 0; p && i < n;) {
		uint32_t cp;
		size_t k = utf8_take(&cp, (const uint8_t *)p + i, n - i);

		if (!k) {
			i++;
			continue;
		}
		if (cp_shown(cp)) {
			if (len + k >= size)
				break;
			memcpy(dst + len, p + i, k);
			len += k;
		}
		i += k;
	}
	dst[len] = '\0';
	return dst;
}
