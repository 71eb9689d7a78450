/* idp/b64url.c - see b64url.h. Called by passport.c. One text for each value: a second spelling of the same bytes
 * would be a second signature to whoever compares texts. RFC 4648 §3.5, §5. */
#include "idp/b64url.h"

static const char letters[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t b64url_encode(char *out, const void *p, size_t n)
{
	const uint8_t *in = p;
	char *o = out;
	size_t i = 0;

	for (; i + 2 < n; i += 3) {
		uint32_t v = (uint32_t)in[i] << 16 | (uint32_t)in[i + 1] << 8 | in[i + 2];

		*o++ = letters[v >> 18];
		*o++ = letters[v >> 12 & 63];
		*o++ = letters[v >> 6 & 63];
		*o++ = letters[v & 63];
	}
	if (i < n) {
		uint32_t v = (uint32_t)in[i] << 16 |
			     (i + 1 < n ? (uint32_t)in[i + 1] << 8 : 0);

		*o++ = letters[v >> 18];
		*o++ = letters[v >> 12 & 63];
		if (i + 1 < n)
			*o++ = letters[v >> 6 & 63];
	}
	return (size_t)(o - out);
}

static int value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

int b64url_decode(uint8_t *out, size_t size, size_t *np, const char *p, size_t n)
{
	size_t len = n / 4 * 3 + (n % 4 ? n % 4 - 1 : 0), o = 0;
	uint32_t v = 0;

	if (n % 4 == 1)
		return EINVAL;
	if (len > size)
		return EFBIG;
	for (size_t i = 0; i < n; i++) {
		int d = value(p[i]);

		if (d < 0)
			return EINVAL;
		v = v << 6 | (uint32_t)d;
		if (i % 4) /* 8 more bits are there: 12, 10 or 8 of them in v */
			out[o++] = (uint8_t)(v >> (6 - i % 4 * 2));
	}
	if ((n % 4 == 2 && (v & 15)) || (n % 4 == 3 && (v & 3)))
		return EINVAL;
	*np = len;
	return 0;
}
