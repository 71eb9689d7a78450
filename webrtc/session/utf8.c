/* webrtc/session/utf8.c - UTF-8 checked byte by byte, as RFC 3629 §4 writes it. Pure; the web thread asks
 * before it parses (close code 1007), the browser leg before it puts foreign text into JSON. */
#include "webrtc/session/utf8.h"

/* How many bytes follow this first one, and what the first of those may be. */
static bool utf8_head(uint8_t c, unsigned *n_tail, uint8_t *lo, uint8_t *hi)
{
	*lo = 0x80;
	*hi = 0xbf;
	if (c <= 0x7f) {
		*n_tail = 0;
	} else if (c >= 0xc2 && c <= 0xdf) {
		*n_tail = 1;
	} else if (c >= 0xe0 && c <= 0xef) {
		*n_tail = 2;
		if (c == 0xe0)
			*lo = 0xa0; /* shorter forms */
		if (c == 0xed)
			*hi = 0x9f; /* surrogates */
	} else if (c >= 0xf0 && c <= 0xf4) {
		*n_tail = 3;
		if (c == 0xf0)
			*lo = 0x90;
		if (c == 0xf4)
			*hi = 0x8f; /* over U+10FFFF */
	} else {
		return false;
	}
	return true;
}

bool utf8_valid(const char *p, size_t n)
{
	const uint8_t *s = (const uint8_t *)p, *end = s + n;

	while (s < end) {
		uint64_t eight;
		unsigned n_tail;
		uint8_t lo, hi;

		if (end - s >= 8) { /* nearly all of it is ASCII */
			memcpy(&eight, s, 8);
			if (!(eight & 0x8080808080808080u)) {
				s += 8;
				continue;
			}
		}
		if (!utf8_head(*s++, &n_tail, &lo, &hi) || (size_t)(end - s) < n_tail)
			return false;
		for (; n_tail; n_tail--, s++) {
			if (*s < lo || *s > hi)
				return false;
			lo = 0x80;
			hi = 0xbf;
		}
	}
	return true;
}

size_t utf8_count(const char *p, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += ((uint8_t)p[i] & 0xc0) != 0x80;
	return count;
}
