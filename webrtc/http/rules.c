/* webrtc/http/rules.c - reading the request headers on which trust depends. Pure; called by request.c and
 * ws.c on the web thread. RFC 6454 (origin), RFC 6265 §4.2 (cookie), RFC 6750 §2.1 (bearer), RFC 6455 §4.2. */
#include "webrtc/http/rules.h"

#include <strings.h>

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_hex_lower(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f')))
			return false;
	return true;
}

int rules_length(uint64_t *v, const char *p, size_t n)
{
	uint64_t sum = 0;

	if (n < 1 || n > 10)
		return EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return EINVAL;
		sum = 10 * sum + (uint64_t)(p[i] - '0');
	}
	*v = sum;
	return 0;
}

int rules_host(char *host, unsigned *port, const char *p, size_t n)
{
	const char *colon = memchr(p, ':', n);
	size_t n_host = colon ? (size_t)(colon - p) : n;
	uint64_t number = 0;

	if (colon && (rules_length(&number, colon + 1, n - n_host - 1) || !number ||
		      number > 65535))
		return EINVAL;
	if (addr_host_parse(host, p, n_host))
		return EINVAL;
	*port = (unsigned)number;
	return 0;
}

const char *rules_origin(char *buf, bool tls, const char *host, unsigned port)
{
	const char *scheme = tls ? "https" : "http";

	if (!port || port == (tls ? 443 : 80))
		snprintf(buf, RULES_ORIGIN_MAX + 1, "%s://%s", scheme, host);
	else
		snprintf(buf, RULES_ORIGIN_MAX + 1, "%s://%s:%u", scheme, host, port);
	return buf;
}

bool rules_origin_allowed(const struct site_config *site, const char *own, const char *p,
			  size_t n)
{
	if (p && strlen(own) == n && !memcmp(own, p, n))
		return true;
	for (char *const *v = site->originv; v && *v; v++) {
		if (!p && !strcmp(*v, "none"))
			return true;
		if (p && strcmp(*v, "none") != 0 && strlen(*v) == n && !memcmp(*v, p, n))
			return true;
	}
	return false;
}

static bool token_copy(char *token, const char *p, size_t n)
{
	if (n != STORE_TOKEN_HEX || !is_hex_lower(p, n))
		return false;
	memcpy(token, p, n);
	token[n] = '\0';
	return true;
}

bool rules_cookie(char *token, const char *name, const char *p, size_t n)
{
	const char *end = p + n;
	size_t n_name = strlen(name);

	while (p < end) {
		const char *stop = memchr(p, ';', (size_t)(end - p));
		size_t len;

		if (!stop)
			stop = end;
		while (p < stop && (*p == ' ' || *p == '\t'))
			p++;
		len = (size_t)(stop - p);
		while (len && (p[len - 1] == ' ' || p[len - 1] == '\t'))
			len--;
		if (len > n_name && !memcmp(p, name, n_name) && p[n_name] == '=' &&
		    token_copy(token, p + n_name + 1, len - n_name - 1))
			return true;
		p = stop + 1;
	}
	return false;
}

bool rules_bearer(char *token, const char *p, size_t n)
{
	return n > 7 && !strncasecmp(p, "Bearer ", 7) && token_copy(token, p + 7, n - 7);
}

bool rules_list_has(const char *p, size_t n, const char *word, bool any_case)
{
	const char *end = p + n;
	size_t n_word = strlen(word);

	while (p < end) {
		const char *stop = memchr(p, ',', (size_t)(end - p));
		size_t len;

		if (!stop)
			stop = end;
		while (p < stop && (*p == ' ' || *p == '\t'))
			p++;
		len = (size_t)(stop - p);
		while (len && (p[len - 1] == ' ' || p[len - 1] == '\t'))
			len--;
		if (len == n_word &&
		    !(any_case ? strncasecmp(p, word, n_word) : memcmp(p, word, n_word)))
			return true;
		p = stop + 1;
	}
	return false;
}

bool rules_ws_key(const char *p, size_t n)
{
	if (n != 24 || p[22] != '=' || p[23] != '=')
		return false;
	for (size_t i = 0; i < 22; i++)
		if (!is_alnum(p[i]) && p[i] != '+' && p[i] != '/')
			return false;
	return true;
}

bool rules_path(const char *p, size_t n)
{
	if (!n || p[0] != '/')
		return false;
	for (size_t i = 1; i < n; i++) {
		bool first = p[i - 1] == '/';

		if (p[i] == '/' ? first
				: !is_alnum(p[i]) && p[i] != '_' && p[i] != '-' &&
					  p[i] != '.')
			return false;
		if (first && p[i] == '.')
			return false;
	}
	return true;
}
