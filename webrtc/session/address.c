/* webrtc/session/address.c - shortening client addresses: enough to tell networks apart, not people. Pure;
 * called by browser.c (what slussctl shows) and accept.c (logs). */
#include "webrtc/session/address.h"

const char *web_address_short(char *buf, const struct sa *sa)
{
	uint8_t in6[16];
	uint32_t v4;

	switch (sa_af(sa)) {
	case AF_INET:
		v4 = sa_in(sa);
		snprintf(buf, ADDRESS_SHORT_BYTES, "%u.%u.%u.x", v4 >> 24 & 0xff,
			 v4 >> 16 & 0xff, v4 >> 8 & 0xff);
		break;
	case AF_INET6:
		sa_in6(sa, in6);
		snprintf(buf, ADDRESS_SHORT_BYTES, "%x:%x:%x:x", in6[0] << 8 | in6[1],
			 in6[2] << 8 | in6[3], in6[4] << 8 | in6[5]);
		break;
	default:
		snprintf(buf, ADDRESS_SHORT_BYTES, "?");
		break;
	}
	return buf;
}
