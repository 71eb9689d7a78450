/* tests/fuzz/fuzz_trickle.c - the bodies of INFOs with candidates (sip/trickle_frag.c), and what becomes of their
 * candidates in a description that has to be complete (gateway/sdp_ice.c). */
#include "gateway/sdp.h"
#include "sip/trickle_frag.h"

#define MUST(x)                                                                          \
	do {                                                                             \
		if (!(x))                                                                \
			abort();                                                         \
	} while (0)

static const char sdp_text[] =
	"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-options:trickle\r\n"
	"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=ice-ufrag:F7gI\r\n"
	"a=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\n"
	"m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP6 ::\r\na=mid:1\r\na=ice-ufrag:F7gI\r\n"
	"a=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was printed is read again, and says the same. */
static void round_trip(const struct body *sdp, const struct candidates *c)
{
	struct candidates *again = NULL;
	struct body *frag = NULL;
	struct trickle_frag f;
	const char *why;
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += !strcmp(c->v[i].mid, "0") || !strcmp(c->v[i].mid, "1");
	MUST(!trickle_frag_print(&frag, sdp, c));
	MUST(!trickle_frag_parse(&f, &why, frag->data, frag->len));
	MUST(f.n == n && f.end == c->end);
	MUST(!candidates_alloc(&again, "F7gI", 4));
	for (size_t i = 0; i < f.n; i++)
		MUST(!trickle_frag_candidate(again, &f, i));
	MUST(again->n == n);
	mem_deref(again);
	mem_deref(frag);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct body *sdp = NULL, *whole = NULL;
	struct candidates *c = NULL;
	struct sdp_facts facts;
	struct trickle_frag f;
	const char *why = NULL;

	if (trickle_frag_parse(&f, &why, (const char *)data, size)) {
		MUST(why);
		return 0;
	}
	MUST(f.n <= CANDIDATES_MAX && f.n_media <= SDP_ICE_MEDIA_MAX);
	MUST(!candidates_alloc(&c, "F7gI", 4));
	for (size_t i = 0; i < f.n; i++)
		MUST(!trickle_frag_candidate(c, &f, i));
	c->end = f.end;
	MUST(!body_alloc(&sdp, sdp_text, sizeof(sdp_text) - 1));
	round_trip(sdp, c);
	MUST(!sdp_ice_complete(&whole, sdp, c, SIZE_MAX));
	MUST(!sdp_check(&facts, &why, whole->data, whole->len, 1 << 20) &&
	     facts.n_media == 2);
	mem_deref(whole);
	mem_deref(sdp);
	mem_deref(c);
	return 0;
}
