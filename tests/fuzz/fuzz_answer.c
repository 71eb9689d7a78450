/* tests/fuzz/fuzz_answer.c - an offer that has passed the walk is answered by an endpoint of ours, and what is
 * printed passes the walk itself. */
#include "gateway/sdp.h"
#include "gateway/sdp_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct media_local local = {
		.ufrag = "oursours", .pwd = "ourpasswordourpassword12", .n_addrs = 1};
	const struct sdp_answerer who = {.local = &local, .first_ssrc = 1, .version = 1};
	struct body *offer = NULL, *answer = NULL;
	struct sdp_facts facts;
	struct sdp_offer o;
	const char *why;

	if (sdp_check(&facts, &why, (const char *)data, size, 65536) || !facts.webrtc)
		return 0;
	local.fingerprint.n_bytes = 32;
	sa_set_str(&local.addrv[0], "203.0.113.5", 3479);
	if (body_alloc(&offer, data, size))
		abort();
	if (!sdp_offer_read(&o, &why, offer)) {
		if (sdp_answer_print(&answer, &o, &who) ||
		    sdp_check(&facts, &why, answer->data, answer->len, 262144) ||
		    !facts.webrtc || facts.n_media != o.n_media)
			abort();
	}
	mem_deref(answer);
	mem_deref(offer);
	return 0;
}
