/* tests/bench/media_bench.h - what the programs of ./dev bench media agree on: ports, keys, the line that tells a stream.
 *
 *   media_load ── A_PORT+2i ══ SRTP, or a browser ══► the thing under test ══ RTP ══► B_PORT+2i ── media_load
 *
 *   line: "I A-PORT B-PORT A-UFRAG A-PWD B-UFRAG B-PWD KEY"    of the thing; KEY: hex of its SDES key and salt; "-": none */
#ifndef SLUSS_TESTS_BENCH_MEDIA_BENCH_H
#define SLUSS_TESTS_BENCH_MEDIA_BENCH_H

#include "lib/base.h"

enum {
	A_PORT = 20000,
	B_PORT = 30000,
	STREAMS_MAX = 1000,
	PAYLOAD = 160,
	KEY_BYTES = 30, /* AES_CM_128_HMAC_SHA1_80: 16 and 14 */
};

/** The load's SDES key of stream `i`. */
static inline void bench_key(uint8_t key[KEY_BYTES], unsigned i)
{
	for (unsigned k = 0; k < KEY_BYTES; k++)
		key[k] = (uint8_t)(i * 31 + (i >> 8) + k * 7 + 1);
}

static inline void bench_sa(struct sa *sa, unsigned port)
{
	sa_set_str(sa, "127.0.0.1", (uint16_t)port);
}

static inline void bench_must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "media bench: %s (%s)\n", what, strerror(errno));
	exit(2);
}

#endif
