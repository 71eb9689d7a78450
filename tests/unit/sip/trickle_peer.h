/* tests/unit/sip/trickle_peer.h - what the tests of candidates share: descriptions that trickle, INFO bodies, and the steps that
 * most of them begin with. sip_peer.h draws who talks to whom. */
#ifndef SLUSS_TESTS_UNIT_SIP_TRICKLE_PEER_H
#define SLUSS_TESTS_UNIT_SIP_TRICKLE_PEER_H

#include "tests/unit/sip/sip_peer.h"

#include "sip/peers.h"

#define FINGERPRINT                                                                       \
	"a=fingerprint:sha-256 6B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:" \
	"64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08\r\n"
#define SDP(version, ufrag)                                                                    \
	"v=0\r\no=- 4611731400430051336 " version                                              \
	" IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-options:trickle\r\n"                       \
	"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=ice-ufrag:" ufrag \
	"\r\na=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\n" FINGERPRINT "a=setup:actpass\r\n"
#define KNOWS   "Supported: timer, 100rel, trickle-ice\n"
#define CONTACT "Contact: <sip:bob@192.0.2.7:5061;transport=tls>\n"
#define INFO_HEAD                                                                        \
	"Info-Package: trickle-ice\nContent-Disposition: Info-Package\n"                 \
	"Content-Type: application/trickle-ice-sdpfrag\n"
#define CAND(n) "candidate:" n " 1 udp 2122260223 192.0.2.1 5000" n " typ host"
#define FRAG(ufrag, lines)                                                               \
	"m=audio 9 RTP/AVP 0\r\na=mid:0\r\na=ice-ufrag:" ufrag                           \
	"\r\na=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\n" lines
#define LINE(n) "a=" CAND(n) "\r\n"

/* With its candidates in it. */
#define HALF(ufrag, lines)                                                               \
	"v=0\r\no=- 4611731400430051336 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"          \
	"a=ice-options:trickle\r\nm=audio 50001 UDP/TLS/RTP/SAVPF 111\r\n"               \
	"c=IN IP4 192.0.2.1\r\na=mid:0\r\na=ice-ufrag:" ufrag                            \
	"\r\na=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\n" FINGERPRINT                           \
	"a=setup:actpass\r\n" lines "a=end-of-candidates\r\n"

static const char offer_a[] __attribute__((unused)) = SDP("1", "aaaa"),
			    answer_b[] __attribute__((unused)) = SDP("2", "bbbb");

static inline void knows(bool yes)
{
	peers_trickle_set(peer->sip->peers, PEER_DOMAIN, yes, peer->now_us);
}

/* The call's candidates: one with this number, or only the end. */
static inline void found(struct leg *leg, const char *ufrag, const char *line, bool end)
{
	struct candidates *c = NULL;

	assert_int_equal(candidates_alloc(&c, ufrag, strlen(ufrag)), 0);
	if (line)
		assert_int_equal(candidates_add(c, "0", 1, 0, line, strlen(line)), 0);
	c->end = end;
	leg->ops->candidates(leg, c);
	mem_deref(c);
}

static inline void provisional(const struct message *invite, const char *tag,
			       const char *extra)
{
	char headers[300];

	snprintf(headers, sizeof(headers), CONTACT "%s", extra);
	message_answer(invite, 180, "Ringing", tag, headers, NULL);
}

/* A reliable 180 of a peer that knows it; the PRACK is answered. */
static inline void reliable(const struct message *invite, const char *tag, unsigned rseq)
{
	char extra[200];
	struct message m;

	snprintf(extra, sizeof(extra), KNOWS "Require: 100rel\nRSeq: %u\n", rseq);
	provisional(invite, tag, extra);
	peer_expect(&m, "PRACK ");
	message_answer(&m, 200, "OK", NULL, "", NULL);
}

static inline void expect_info(struct message *m, const char *body)
{
	peer_expect(m, "INFO sip:bob@192.0.2.7:5061;transport=tls ");
	assert_string_equal(HEADER(m, "Info-Package"), "trickle-ice");
	assert_string_equal(HEADER(m, "Content-Disposition"), "Info-Package");
	assert_string_equal(HEADER(m, "Content-Type"), "application/trickle-ice-sdpfrag");
	assert_string_equal(message_body(m), body);
}

static inline void ok(const struct message *m)
{
	message_answer(m, 200, "OK", NULL, "", NULL);
	peer_settle();
}

static inline void accept_call(const struct message *invite, const char *tag)
{
	struct message m;

	message_answer(invite, 200, "OK", tag, CONTACT KNOWS, answer_b);
	peer_expect(&m, "ACK ");
}

/* ---- a caller here ---- */

/* A caller there. */
static inline struct leg *call_in(struct dialog *d, const char *headers, const char *sdp)
{
	dialog_init(d, "in-t@peer.example");
	dialog_send(d, "INVITE", d->cseq, "in1", PEER_DOMAIN, headers, sdp);
	peer_settle();
	return peer_call_last()->leg;
}

#endif
