/* tests/fuzz/fuzz_anchor.c - a description through an anchor, as an offer and as an answer, from either side and in
 * every dialect: what is printed passes the walk, and is read again as something that its own side would take.
 *
 *   byte 0: what the two sides speak, who says it, and whether it is the answer      the rest: the description */
#include "gateway/sdp.h"
#include "gateway/sdp_anchor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char offer_text[] =
	"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
	"m=audio 9 UDP/TLS/RTP/SAVPF 111 9 0 8 13 110 126\r\nc=IN IP4 0.0.0.0\r\n"
	"a=ice-ufrag:peer\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 "
	"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:"
	"AA:BB:CC:DD:EE:FF\r\na=setup:actpass\r\na=rtcp-mux\r\na=mid:0\r\n"
	"a=rtpmap:111 opus/48000/2\r\na=rtpmap:110 telephone-event/48000\r\n"
	"a=rtpmap:126 telephone-event/8000\r\nm=video 9 UDP/TLS/RTP/SAVPF 96 103\r\n"
	"a=mid:1\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:103 H264/90000\r\n"
	"a=fmtp:103 packetization-mode=1;profile-level-id=42001f\r\n";

static void local_init(struct media_local *l)
{
	memset(l, 0, sizeof(*l));
	snprintf(l->ufrag, sizeof(l->ufrag), "oursours");
	snprintf(l->pwd, sizeof(l->pwd), "ourpasswordourpassword12");
	l->fingerprint.n_bytes = 32;
	l->n_addrs = 2;
	sa_set_str(&l->addrv[0], "203.0.113.5", 3479);
	sa_set_str(&l->addrv[1], "2001:db8::5", 3479);
	l->n_plain = 2;
	for (unsigned i = 0; i < 2; i++) {
		sa_set_str(&l->plainv[i].rtp, "203.0.113.5", (uint16_t)(20000 + 2 * i));
		sa_set_str(&l->plainv[i].rtcp, "203.0.113.5", (uint16_t)(20001 + 2 * i));
	}
}

/** Prints for `to` and reads it as the party there would. */
static void print(struct sdp_anchor *a, const struct sdp_anchor_setup *setup, unsigned to)
{
	enum leg_media speaks = setup->speaksv[to];
	struct media_local media;
	const struct sdp_anchor_local local = {
		.media = &media, .ice = speaks == LEG_WEBRTC, .lite = true};
	/* a browser is not asked whether it takes a=setup:passive in an offer */
	enum leg_media reads = speaks == LEG_WEBRTC ? LEG_DTLS : speaks;
	struct sdp_anchor_setup back = {.speaksv = {reads, reads}, .video = true};
	struct sdp_anchor *reader;
	struct sdp_facts facts;
	struct sdp_desc *d;
	struct media_remote r;
	struct body *b;
	const char *why;

	local_init(&media);
	if (sdp_anchor_print(&b, a, to, &local) ||
	    sdp_check(&facts, &why, b->data, b->len, 1 << 20) ||
	    (speaks == LEG_WEBRTC && !facts.webrtc) || sdp_desc_read(&d, &why, b) ||
	    sdp_anchor_alloc(&reader, &back) || sdp_anchor_offer(reader, 0, d, &why))
		abort();
	sdp_anchor_remote(&r, a, to);
	mem_deref(reader);
	mem_deref(d);
	mem_deref(b);
}

/** As it comes to an anchor: what has not passed the walk does not (gateway/path.h, rule 2). */
static struct sdp_desc *desc_of(const void *p, size_t n)
{
	struct sdp_desc *d = NULL;
	struct sdp_facts facts;
	struct body *b;
	const char *why;

	if (sdp_check(&facts, &why, p, n, 65536))
		return NULL;
	if (body_alloc(&b, p, n))
		abort();
	if (sdp_desc_read(&d, &why, b))
		d = NULL;
	mem_deref(b);
	return d;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sdp_anchor_setup setup = {.first_ssrc = {1, 100}, .id = 7, .video = true};
	struct sdp_desc *d, *offer;
	struct sdp_anchor *a;
	bool answer;
	const char *why;

	if (size < 1 || size > 65536)
		return 0;
	answer = data[0] & 0x10;
	setup.speaksv[0] = answer ? LEG_WEBRTC : (enum leg_media)(data[0] & 3);
	setup.speaksv[1] = (enum leg_media)(data[0] >> 2 & 3);
	d = desc_of(data + 1, size - 1);
	if (!d)
		return 0;
	if (sdp_anchor_alloc(&a, &setup))
		abort();
	if (answer) {
		offer = desc_of(offer_text, sizeof(offer_text) - 1);
		if (!offer || sdp_anchor_offer(a, 0, offer, &why))
			abort();
		print(a, &setup, 1);
		if (!sdp_anchor_answer(a, 1, d, &why))
			print(a, &setup, 0);
		if (data[0] & 0x20)
			sdp_anchor_commit(a);
		mem_deref(offer);
		/* and what it offers next */
		if (!sdp_anchor_offer(a, 1, d, &why))
			print(a, &setup, 0);
	} else if (!sdp_anchor_offer(a, 0, d, &why)) {
		print(a, &setup, 1);
		if (!sdp_anchor_answer(a, 1, d, &why))
			print(a, &setup, 0);
		if (data[0] & 0x20)
			sdp_anchor_commit(a);
		if (!sdp_anchor_offer(a, 1, NULL, &why))
			print(a, &setup, 0);
	}
	mem_deref(a);
	mem_deref(d);
	return 0;
}
