/* tests/fuzz/fuzz_relay.c - a description that has passed the walk is relayed: what is printed passes the walk, too,
 * relays again, and holds no candidate but ours. Relayed twice is relayed once, unless its author has written our address
 * into some line of his own: that line goes when our address is one of those to be hidden. */
#include "gateway/sdp.h"
#include "gateway/sdp_relay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char ours[] = "203.0.113.5";

static void again(const struct body *once, const struct media_local *local, bool names_us)
{
	struct body *twice = NULL;
	struct sdp_facts facts;
	struct sdp_relay r;
	const char *why;

	if (sdp_check(&facts, &why, once->data, once->len, 262144) || !facts.webrtc ||
	    sdp_relay_read(&r, &why, once) ||
	    sdp_relay_print(&twice, &r, local, true, 262144))
		abort();
	if (names_us ? twice->len > once->len
		     : twice->len != once->len ||
			       memcmp(twice->data, once->data, once->len) != 0)
		abort();
	for (const char *at = once->data; (at = strstr(at, "\na=candidate:")); at++)
		if (!strstr(at, " 203.0.113.5 3479 typ host\r\n"))
			abort();
	mem_deref(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct media_local local = {
		.ufrag = "oursours", .pwd = "ourpasswordourpassword12", .n_addrs = 1};
	struct body *in = NULL, *out = NULL;
	struct candidates *c = NULL;
	struct sdp_facts facts;
	struct sdp_relay r;
	const char *why;

	if (sdp_check(&facts, &why, (const char *)data, size, 65536) || !facts.webrtc)
		return 0;
	sa_set_str(&local.addrv[0], ours, 3479);
	if (body_alloc(&in, data, size))
		abort();
	if (!sdp_relay_read(&r, &why, in)) {
		if (sdp_relay_candidates(&c, &r) ||
		    sdp_relay_print(&out, &r, &local, true, 262144))
			abort();
		again(out, &local, strstr(in->data, ours) != NULL);
	}
	mem_deref(c);
	mem_deref(out);
	mem_deref(in);
	return 0;
}
