/* webrtc/media/ice_candidate.c - reading candidates with suspicion: a description from elsewhere says where this
 * machine is to send datagrams.
 *
 * Pure; any thread. Called by media.c. RFC 8839 §5.1 (the line), RFC 8445 §19.5 (attacks by candidates). */
#include "webrtc/media/ice_candidate.h"

enum { WORDS = 6, PORT_MIN = 1024, PORT_HTTPS = 443 };

static bool is_multicast(const struct sa *sa)
{
	uint8_t v6[16];

	if (sa_af(sa) == AF_INET)
		return sa_in(sa) >> 28 >= 0xe; /* and what is reserved, and broadcast */
	sa_in6(sa, v6);
	return v6[0] == 0xff;
}

/** 0.0.0.0/8; ::ffff:0:0/96 and the like: an IPv4 address in disguise. */
static bool is_odd(const struct sa *sa)
{
	static const uint8_t zeros[10];
	uint8_t v6[16];

	if (sa_af(sa) == AF_INET)
		return sa_in(sa) >> 24 == 0;
	sa_in6(sa, v6);
	return !memcmp(v6, zeros, sizeof(zeros)) && !sa_is_loopback(sa);
}

static bool may_be_checked(const struct sa *sa, bool loopback)
{
	uint16_t port = sa_port(sa);

	if ((port < PORT_MIN && port != PORT_HTTPS) || sa_is_any(sa) ||
	    sa_is_linklocal(sa) || is_multicast(sa) || is_odd(sa))
		return false;
	return loopback || !sa_is_loopback(sa);
}

/** "candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host": up to the port. */
bool ice_candidate_read(struct media_candidate *out, const char *line, bool loopback)
{
	struct pl wordv[WORDS];
	const char *at = line;
	char host[64];

	for (size_t i = 0; i < WORDS; i++) {
		size_t n = strcspn(at, " ");

		if (!n)
			return false;
		wordv[i] = (struct pl){at, n};
		at += n + (at[n] == ' ');
	}
	if (pl_strcmp(&wordv[1], "1") || pl_strcasecmp(&wordv[2], "udp") ||
	    wordv[4].l >= sizeof(host))
		return false;
	memcpy(host, wordv[4].p, wordv[4].l);
	host[wordv[4].l] = '\0';
	if (sa_set_str(&out->addr, host, (uint16_t)pl_u32(&wordv[5])))
		return false;
	out->priority = pl_u32(&wordv[3]);
	return may_be_checked(&out->addr, loopback);
}

void ice_candidates_read(struct media_candidates *out, const struct candidates *c,
			 bool loopback)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->ufrag, c->ufrag, sizeof(out->ufrag));
	for (size_t i = 0; i < c->n && out->n < MEDIA_CANDIDATES_MAX; i++) {
		struct media_candidate *k = &out->v[out->n];
		bool twice = false;

		if (!ice_candidate_read(k, c->v[i].line, loopback))
			continue;
		for (size_t j = 0; j < out->n; j++)
			twice |= sa_cmp(&out->v[j].addr, &k->addr, SA_ALL);
		out->n += !twice;
	}
}
