/* gateway/config_value.c - parsers of single configuration values. Pure; called by config_keys.c. */
#include "gateway/config_value.h"

#include <ctype.h>
#include <strings.h>

int config_bool_parse(bool *v, const char *text)
{
	static const char *const words[][2] = {
		{"false", "true"}, {"no", "yes"}, {"off", "on"}};

	for (size_t i = 0; i < N_ELEMS(words); i++) {
		for (int b = 0; b < 2; b++) {
			if (!strcasecmp(text, words[i][b])) {
				*v = b;
				return 0;
			}
		}
	}
	return EINVAL;
}

int config_uint_parse(uint32_t *v, const char *text)
{
	uint64_t sum = 0;

	if (!*text || strlen(text) > 10)
		return EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return EINVAL;
		sum = 10 * sum + (uint64_t)(*text - '0');
	}
	if (sum > UINT32_MAX)
		return EINVAL;
	*v = (uint32_t)sum;
	return 0;
}

static int port_parse(uint16_t *port, const char *text)
{
	uint32_t v;

	if (strlen(text) > 5 || config_uint_parse(&v, text) || v > UINT16_MAX)
		return EINVAL;
	*port = (uint16_t)v;
	return 0;
}

int config_sa_parse(struct sa *sa, const char *text, int port)
{
	const char *colon = strrchr(text, ':'), *end;
	bool bracket = *text == '[';
	char host[64];
	uint16_t p = 0;
	size_t n;

	text += bracket;
	end = bracket ? strchr(text, ']') : colon ? colon : text + strlen(text);
	if (!end || (n = (size_t)(end - text)) >= sizeof(host))
		return EINVAL;
	memcpy(host, text, n);
	host[n] = '\0';
	/* Colons outside of brackets could be the address's or the port's. */
	if (bracket != !!strchr(host, ':'))
		return EINVAL;
	end += bracket;
	if (*end == ':') {
		if (port_parse(&p, end + 1))
			return EINVAL;
	} else if (*end || port < 0) {
		return EINVAL;
	} else {
		p = (uint16_t)port;
	}
	return sa_set_str(sa, host, p) ? EINVAL : 0;
}

int config_sip_parse(struct listen_config *l, const char *text)
{
	static const char *const names[] = {
		[TRANSPORT_UDP] = "udp:",
		[TRANSPORT_TCP] = "tcp:",
		[TRANSPORT_TLS] = "tls:",
	};
	struct sa sa;

	for (size_t i = 0; i < N_ELEMS(names); i++) {
		if (strncmp(text, names[i], 4) != 0)
			continue;
		if (config_sa_parse(&sa, text + 4, -1))
			return EINVAL;
		l->sa = sa;
		l->transport = (enum transport)i;
		return 0;
	}
	return EINVAL;
}

int config_net_parse(struct net_config *net, const char *text)
{
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	char host[64];
	uint32_t bits;
	struct sa sa;

	if (n >= sizeof(host))
		return EINVAL;
	memcpy(host, text, n);
	host[n] = '\0';
	if (sa_set_str(&sa, host, 0))
		return EINVAL;
	bits = sa_af(&sa) == AF_INET ? 32 : 128;
	if (slash && (config_uint_parse(&bits, slash + 1) ||
		      bits > (sa_af(&sa) == AF_INET ? 32u : 128u)))
		return EINVAL;
	net->sa = sa;
	net->bits = bits;
	return 0;
}

/* The bytes of an address, an IPv4 one in IPv6 (RFC 4291 §2.5.5.2) as the IPv4 it is. Gives how many. */
static size_t address_bytes(uint8_t bytes[16], const struct sa *sa)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	if (sa_af(sa) == AF_INET) {
		memcpy(bytes, &sa->u.in.sin_addr, 4);
		return 4;
	}
	if (sa_af(sa) != AF_INET6)
		return 0;
	sa_in6(sa, bytes);
	if (memcmp(bytes, mapped, sizeof(mapped)) != 0)
		return 16;
	memmove(bytes, bytes + sizeof(mapped), 4);
	return 4;
}

bool config_net_has(const struct net_config *net, const struct sa *sa)
{
	uint8_t a[16], b[16], rest = (uint8_t)(0xff00 >> net->bits % 8);
	size_t n = address_bytes(a, &net->sa), whole = net->bits / 8;

	if (!n || n != address_bytes(b, sa) || whole > n || memcmp(a, b, whole) != 0)
		return false;
	return !rest || whole == n || !((a[whole] ^ b[whole]) & rest);
}

int config_ports_parse(uint16_t *first, uint16_t *last, const char *text)
{
	const char *dash = strchr(text, '-');
	uint16_t a, b;
	char buf[6];

	if (!dash || dash - text > 5)
		return EINVAL;
	memcpy(buf, text, (size_t)(dash - text));
	buf[dash - text] = '\0';
	if (port_parse(&a, buf) || port_parse(&b, dash + 1) || !a || a > b)
		return EINVAL;
	*first = a;
	*last = b;
	return 0;
}

/* A name or an IP address; the wire has it as it stands. */
static bool host_is_one(const char *p, size_t n, bool v6)
{
	char host[ADDR_HOST_MAX + 1];
	struct sa sa;

	if (!n || n >= sizeof(host))
		return false;
	memcpy(host, p, n);
	host[n] = '\0';
	if (v6 || !host[strspn(host, "0123456789.")])
		return !sa_set_str(&sa, host, 0) &&
		       sa_af(&sa) == (v6 ? AF_INET6 : AF_INET);
	return !addr_host_parse(host, p, n);
}

int config_ice_uri_parse(const char *text, bool relay)
{
	static const char *const schemes[2][2] = {{"stun:", "stuns:"},
						  {"turn:", "turns:"}};
	bool secure = !strncmp(text, schemes[relay][1], 6), v6;
	const char *host = text + (secure ? 6 : 5), *end, *query;
	uint16_t port;
	char digits[6];

	if (!secure && strncmp(text, schemes[relay][0], 5) != 0)
		return EINVAL;
	query = strchr(host, '?');
	if (query && (!relay || (strcmp(query, "?transport=udp") != 0 &&
				 strcmp(query, "?transport=tcp") != 0)))
		return EINVAL;
	query = query ? query : host + strlen(host);
	v6 = *host == '[';
	host += v6;
	end = host + strcspn(host, v6 ? "]" : ":?");
	if ((v6 && *end != ']') || !host_is_one(host, (size_t)(end - host), v6))
		return EINVAL;
	end += v6;
	if (end == query)
		return 0;
	if (*end != ':' || query - end - 1 > 5)
		return EINVAL;
	snprintf(digits, sizeof(digits), "%.*s", (int)(query - end - 1), end + 1);
	return port_parse(&port, digits) || !port ? EINVAL : 0;
}

bool config_domain_is_local(const char *domain)
{
	size_t n = strlen(domain);

	return !strcmp(domain, "localhost") ||
	       (n > 10 && !strcmp(domain + n - 10, ".localhost"));
}

int config_origin_parse(char *buf, size_t size, const char *text)
{
	bool tls = !strncasecmp(text, "https://", 8);
	size_t n = strlen(text), host_len;
	char name[ADDR_HOST_MAX + 1];
	const char *host, *colon;
	uint16_t port = 0;

	if (n >= size)
		return EINVAL;
	if (!strcmp(text, "none")) { /* programs, which send none */
		memcpy(buf, text, n + 1);
		return 0;
	}
	if (!tls && strncasecmp(text, "http://", 7) != 0)
		return EINVAL;
	host = text + (tls ? 8 : 7);
	colon = strchr(host, ':');
	host_len = colon ? (size_t)(colon - host) : strlen(host);
	if (addr_host_parse(name, host, host_len) ||
	    (colon && (port_parse(&port, colon + 1) || !port)))
		return EINVAL;
	/* A page that came without TLS can be anybody's. */
	if (!tls && !config_domain_is_local(name))
		return EINVAL;
	/* Browsers leave the scheme's own port out. */
	if (colon && port == (tls ? 443 : 80))
		n = (size_t)(colon - text);
	buf[n] = '\0';
	for (size_t i = 0; i < n; i++)
		buf[i] = (char)tolower((unsigned char)text[i]);
	return 0;
}

bool config_sa_is_loopback(const struct sa *sa)
{
	return sa_af(sa) == AF_INET ? sa_in(sa) >> 24 == 127 : sa_is_loopback(sa);
}

const char *config_sa_text(char *buf, const struct sa *sa)
{
	char host[48] = "?";

	sa_ntop(sa, host, sizeof(host));
	if (sa_af(sa) == AF_INET)
		snprintf(buf, 64, "%s:%u", host, sa_port(sa));
	else
		snprintf(buf, 64, "[%s]:%u", host, sa_port(sa));
	return buf;
}
