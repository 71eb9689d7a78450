/* lib/reach.c - see reach.h: the table of special address blocks. Any thread.
 * Called by the edge's resolver and outward direction, and by the fetcher of certificates (idp/fetch.c). */
#include "lib/reach.h"

#include <netinet/in.h>

enum reach { REACH_NEVER, REACH_LOCAL };

struct reach_block {
	uint8_t addr[16];
	unsigned bits;
	enum reach reach;
};

static const struct reach_block reach_in4[] = {
	{{0}, 8, REACH_NEVER}, /* this network */
	{{10}, 8, REACH_LOCAL},
	{{100, 64}, 10, REACH_LOCAL}, /* carriers' own, RFC 6598 */
	{{127}, 8, REACH_LOCAL},
	{{169, 254}, 16, REACH_LOCAL},
	{{172, 16}, 12, REACH_LOCAL},
	{{192, 0, 0}, 24, REACH_NEVER},
	{{192, 168}, 16, REACH_LOCAL},
	{{224}, 4, REACH_NEVER}, /* multicast */
	{{240}, 4, REACH_NEVER}, /* reserved, broadcast */
};

static const struct reach_block reach_in6[] = {
	{{[15] = 0}, 128, REACH_NEVER},                /* :: */
	{{[15] = 1}, 128, REACH_LOCAL},                /* ::1 */
	{{0}, 96, REACH_NEVER},                        /* ::a.b.c.d */
	{{[10] = 0xff, [11] = 0xff}, 96, REACH_NEVER}, /* ::ffff:a.b.c.d */
	{{0x00, 0x64, 0xff, 0x9b}, 96, REACH_NEVER},   /* NAT64: an IPv4 address again */
	{{0x00, 0x64, 0xff, 0x9b, 0, 1}, 48, REACH_NEVER},
	{{0x01, 0x00}, 64, REACH_NEVER},       /* discard */
	{{0x20, 0x01, 0, 0}, 32, REACH_NEVER}, /* Teredo */
	{{0x20, 0x02}, 16, REACH_NEVER},       /* 6to4 */
	{{0xfc}, 7, REACH_LOCAL},
	{{0xfe, 0x80}, 10, REACH_LOCAL},
	{{0xfe, 0xc0}, 10, REACH_LOCAL},
	{{0xff}, 8, REACH_NEVER}, /* multicast */
};

static bool reach_in_block(const uint8_t *addr, const struct reach_block *b)
{
	unsigned bytes = b->bits / 8, rest = b->bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	return !memcmp(addr, b->addr, bytes) &&
	       (!rest || !((addr[bytes] ^ b->addr[bytes]) & mask));
}

bool reach_allowed(const struct sa *sa, bool loopback)
{
	const struct reach_block *v = reach_in4;
	size_t n = N_ELEMS(reach_in4);
	uint8_t addr[16] = {0};

	switch (sa_af(sa)) {
	case AF_INET: {
		uint32_t in = htonl(sa_in(sa));

		memcpy(addr, &in, sizeof(in));
		break;
	}
	case AF_INET6:
		sa_in6(sa, addr);
		v = reach_in6;
		n = N_ELEMS(reach_in6);
		break;
	default:
		return false;
	}
	for (size_t i = 0; i < n; i++)
		if (reach_in_block(addr, &v[i]))
			return v[i].reach == REACH_LOCAL && loopback;
	return true;
}
