/* tests/unit/gateway/anchor_world.h - an anchor between two parties whose descriptions a test writes down: what one
 * says goes in, what the other gets comes out, and is read again by the same parser.
 *
 *   test ── w_offer(A, text) ──► sdp_anchor ──► w->out, for B        test ── w_answer(B, text) ──► w->out, for A */
#ifndef SLUSS_TESTS_ANCHOR_WORLD_H
#define SLUSS_TESTS_ANCHOR_WORLD_H

#include "gateway/sdp.h"
#include "gateway/sdp_anchor.h"

#include <setjmp.h>
#include <cmocka.h>

enum { A = 0, B = 1, W_TEXT = 65536 };

#define FP                                                                               \
	"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:" \
	"AA:BB:CC:DD:EE:FF"
#define FP2                                                                              \
	"FF:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:" \
	"AA:BB:CC:DD:EE:FF"
#define HEAD        "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
#define ICE_(ufrag) "a=ice-ufrag:" ufrag "\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
#define WEB_(ufrag, setup, fp)                                                           \
	"c=IN IP4 0.0.0.0\r\n" ICE_(ufrag) "a=fingerprint:sha-256 " fp                   \
					   "\r\na=setup:" setup "\r\na=rtcp-mux\r\n"
#define WEB         WEB_("peer", "actpass", FP)
#define WEB_ANSWERS WEB_("peer", "active", FP)
#define OPUS        "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n"
#define CHROME_AUDIO                                                                        \
	"m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\n" WEB                       \
	"a=mid:0\r\na=sendrecv\r\na=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n" OPUS  \
	"a=rtcp-fb:111 transport-cc\r\na=rtpmap:63 red/48000/2\r\na=rtpmap:9 G722/8000\r\n" \
	"a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\n"           \
	"a=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\n"
#define CHROME_VIDEO                                                                     \
	"m=video 9 UDP/TLS/RTP/SAVPF 96 97 103 104\r\n" WEB                              \
	"a=mid:1\r\na=sendrecv\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 goog-remb\r\n"   \
	"a=rtcp-fb:96 transport-cc\r\na=rtcp-fb:96 ccm fir\r\na=rtcp-fb:96 nack\r\n"     \
	"a=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"         \
	"a=rtpmap:103 H264/90000\r\na=fmtp:103 "                                         \
	"level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f\r\n"     \
	"a=rtpmap:104 H264/90000\r\na=fmtp:104 packetization-mode=0;profile-level-id=42001f\r\n"
#define DATA                                                                             \
	"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" WEB                       \
	"a=mid:2\r\na=sctp-port:5000\r\n"
#define CHROME HEAD "a=group:BUNDLE 0\r\n" CHROME_AUDIO
#define PHONE_(port, pts)                                                                \
	HEAD "c=IN IP4 192.0.2.7\r\nm=audio " port " RTP/AVP " pts "\r\n"
#define EVENT(pt) "a=rtpmap:" pt " telephone-event/8000\r\na=fmtp:" pt " 0-16\r\n"
#define PHONE                                                                            \
	PHONE_("4000", "8 0 101") "a=rtpmap:8 PCMA/8000\r\n" EVENT("101") "a=ptime:20\r\n"

struct world {
	struct sdp_anchor *a;
	enum leg_media speaksv[MEDIA_SIDES];
	struct media_local localv[MEDIA_SIDES];
	bool icev[MEDIA_SIDES], litev[MEDIA_SIDES];
	const char *why;
	char out[W_TEXT];
};

static void w_init(struct world *w, enum leg_media a, enum leg_media b)
{
	struct sdp_anchor_setup setup = {.speaksv = {a, b},
					 .first_ssrc = {1000, 2000},
					 .id = 0x1234,
					 .video = true};

	memset(w, 0, sizeof(*w));
	assert_int_equal(sdp_anchor_alloc(&w->a, &setup), 0);
	for (unsigned i = 0; i < MEDIA_SIDES; i++) {
		struct media_local *l = &w->localv[i];
		uint16_t port = (uint16_t)(20000 + 1000 * i);

		w->speaksv[i] = setup.speaksv[i];
		w->icev[i] = setup.speaksv[i] == LEG_WEBRTC;
		w->litev[i] = w->icev[i];
		snprintf(l->ufrag, sizeof(l->ufrag), "oursour%u", i);
		snprintf(l->pwd, sizeof(l->pwd), "ourpasswordourpassword1%u", i);
		l->fingerprint.n_bytes = 32;
		for (unsigned k = 0; k < 32; k++)
			l->fingerprint.v[k] = (uint8_t)k;
		sa_set_str(&l->addrv[0], "203.0.113.5", port);
		sa_set_str(&l->addrv[1], "2001:db8::5", port);
		l->n_addrs = 2;
		l->n_plain = 2;
		for (unsigned k = 0; k < 2; k++) {
			struct media_plain *p = &l->plainv[k];

			sa_set_str(&p->rtp, "203.0.113.5", (uint16_t)(port + 2 * k));
			sa_set_str(&p->rtcp, "203.0.113.5", (uint16_t)(port + 2 * k + 1));
			memset(p->sdes.key, 'k', sizeof(p->sdes.key));
			memset(p->sdes.salt, 's', sizeof(p->sdes.salt));
		}
	}
}

static void w_done(struct world *w)
{
	w->a = mem_deref(w->a);
}

static int w_read(struct world *w, struct sdp_desc **dp, const char *text)
{
	struct body *b;
	int err;

	assert_int_equal(body_alloc(&b, text, strlen(text)), 0);
	err = sdp_desc_read(dp, &w->why, b);
	mem_deref(b);
	return err;
}

/** What is printed for `to` is structurally sound, and reads as something that its dialect takes. */
static void w_print(struct world *w, unsigned to)
{
	const struct sdp_anchor_local local = {
		.media = &w->localv[to], .ice = w->icev[to], .lite = w->litev[to]};
	struct sdp_facts facts;
	struct sdp_desc *d;
	struct body *b;

	assert_int_equal(sdp_anchor_print(&b, w->a, to, &local), 0);
	assert_int_equal(sdp_check(&facts, &w->why, b->data, b->len, W_TEXT), 0);
	if (w->speaksv[to] == LEG_WEBRTC)
		assert_true(facts.webrtc);
	assert_int_equal(sdp_desc_read(&d, &w->why, b), 0);
	mem_deref(d);
	assert_true(b->len < sizeof(w->out));
	memcpy(w->out, b->data, b->len + 1);
	mem_deref(b);
}

static inline int w_offer(struct world *w, unsigned from, const char *text)
{
	struct sdp_desc *d = NULL;
	int err = text ? w_read(w, &d, text) : 0;

	if (!err)
		err = sdp_anchor_offer(w->a, from, d, &w->why);
	if (!err)
		w_print(w, !from);
	mem_deref(d);
	return err;
}

static inline int w_answers(struct world *w, unsigned from, const char *text, bool final)
{
	struct sdp_desc *d = NULL;
	int err = w_read(w, &d, text);

	if (!err)
		err = sdp_anchor_answer(w->a, from, d, &w->why);
	if (!err)
		w_print(w, !from);
	if (!err && final)
		sdp_anchor_commit(w->a);
	mem_deref(d);
	return err;
}

static inline int w_answer(struct world *w, unsigned from, const char *text)
{
	return w_answers(w, from, text, true);
}

static inline void has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("no %s in\n%s", line, text);
}

static inline void hasnt(const char *text, const char *line)
{
	if (strstr(text, line))
		fail_msg("%s in\n%s", line, text);
}

#endif
