/* tests/unit/gateway/test_sdp_answer.c - an offer as browsers write it, and the answer of an endpoint of ours. */
#include "gateway/sdp.h"
#include "gateway/sdp_answer.h"

#include <setjmp.h>
#include <cmocka.h>

#define FP                                                                               \
	"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:" \
	"AA:BB:CC:DD:EE:FF"
#define TRANSPORT                                                                        \
	"c=IN IP4 0.0.0.0\r\na=ice-ufrag:peer\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n" \
	"a=fingerprint:sha-256 " FP "\r\na=setup:actpass\r\na=rtcp-mux\r\n"
#define HEAD "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
#define AUDIO                                                                            \
	"m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 13 126\r\n" TRANSPORT                    \
	"a=mid:0\r\na=sendrecv\r\na=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-"     \
	"level\r\na=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"                    \
	"a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n"                    \
	"a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\n"           \
	"a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:13 CN/8000\r\n"        \
	"a=rtpmap:126 telephone-event/8000\r\n"
#define VIDEO                                                                            \
	"m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n" TRANSPORT                                \
	"a=mid:1\r\na=sendonly\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 goog-remb\r\n"   \
	"a=rtcp-fb:96 transport-cc\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n"    \
	"a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
#define DATA                                                                             \
	"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" TRANSPORT                 \
	"a=mid:2\r\na=sctp-port:5000\r\n"

static struct media_local local_of_ours(void)
{
	struct media_local l = {.ufrag = "oursours", .pwd = "ourpasswordourpassword12"};

	l.fingerprint.n_bytes = 32;
	for (unsigned i = 0; i < 32; i++)
		l.fingerprint.v[i] = (uint8_t)i;
	sa_set_str(&l.addrv[0], "203.0.113.5", 3479);
	sa_set_str(&l.addrv[1], "2001:db8::5", 3479);
	l.n_addrs = 2;
	return l;
}

static struct body *body_of(const char *text)
{
	struct body *b;

	assert_int_equal(body_alloc(&b, text, strlen(text)), 0);
	return b;
}

static int answer_to(char *out, size_t size, const char *offer)
{
	const struct media_local local = local_of_ours();
	const struct sdp_answerer who = {
		.local = &local, .first_ssrc = 1000, .id = 0x1234, .version = 3};
	struct body *in = body_of(offer), *answer;
	struct sdp_facts facts;
	struct sdp_offer o;
	const char *why;
	int err = sdp_offer_read(&o, &why, in);

	if (!err) {
		assert_int_equal(sdp_answer_print(&answer, &o, &who), 0);
		/* what is printed parses again, as something that browsers take */
		assert_int_equal(
			sdp_check(&facts, &why, answer->data, answer->len, 65536), 0);
		assert_true(facts.webrtc);
		assert_true(answer->len < size);
		memcpy(out, answer->data, answer->len + 1);
		mem_deref(answer);
	}
	mem_deref(in);
	return err;
}

static void has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("no %s in\n%s", line, text);
}

static void hasnt(const char *text, const char *line)
{
	if (strstr(text, line))
		fail_msg("%s in\n%s", line, text);
}

static void what_can_be_sent_back_is_answered(void **state)
{
	char a[4096];

	assert_int_equal(
		answer_to(a, sizeof(a), HEAD "a=group:BUNDLE 0 1 2\r\n" AUDIO VIDEO DATA),
		0);
	has(a, "a=ice-lite\r\n");
	has(a, "a=group:BUNDLE 0 1\r\n");
	has(a, "m=audio 3479 UDP/TLS/RTP/SAVPF 111 9 0\r\n");
	has(a, "a=rtpmap:111 opus/48000/2\r\n");
	has(a, "a=fmtp:111 minptime=10;useinbandfec=1\r\n");
	has(a, "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n");
	has(a, "a=ssrc:1000 cname:");
	has(a, "m=video 3479 UDP/TLS/RTP/SAVPF 96\r\n");
	has(a, "a=rtcp-fb:96 nack pli\r\n");
	has(a, "a=rtcp-fb:96 goog-remb\r\n");
	has(a, "a=recvonly\r\n");
	has(a, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n");
	has(a, "a=setup:passive\r\n");
	has(a, "a=ice-ufrag:oursours\r\n");
	has(a, "a=candidate:1 1 udp 2130706431 203.0.113.5 3479 typ host\r\n");
	has(a, "a=candidate:2 1 udp 2130706175 2001:db8::5 3479 typ host\r\n");
	has(a, "a=end-of-candidates\r\n");
	has(a, "a=fingerprint:sha-256 00:01:02:03");
	hasnt(a, "transport-cc");
	hasnt(a, "rtx");
	hasnt(a, "red/");
	hasnt(a, "audio-level");
	has(a,
	    "a=ssrc:1001"); /* named though it is sendonly: Chromium would lose the track */
}

static void what_is_not_bundled_is_refused(void **state)
{
	char a[4096];

	assert_int_equal(
		answer_to(a, sizeof(a), HEAD "a=group:BUNDLE 0 2\r\n" AUDIO VIDEO), 0);
	has(a, "m=audio 3479 ");
	has(a, "m=video 0 UDP/TLS/RTP/SAVPF 96 97\r\n");
	has(a, "a=group:BUNDLE 0\r\n");
}

static void the_first_section_may_be_one_that_is_refused(void **state)
{
	char a[4096];

	assert_int_equal(
		answer_to(a, sizeof(a), HEAD "a=group:BUNDLE 2 0\r\n" DATA AUDIO), 0);
	has(a, "m=application 0 ");
	has(a, "a=group:BUNDLE 0\r\n");
	has(a, "a=candidate:1 ");
}

static void nothing_to_send_back_is_no_answer(void **state)
{
	char a[4096];

	assert_int_equal(answer_to(a, sizeof(a), HEAD DATA), EBADMSG);
	assert_int_equal(answer_to(a, sizeof(a),
				   HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 13\r\n" TRANSPORT
					"a=rtpmap:13 CN/8000\r\n"),
			 EBADMSG);
	assert_int_equal(answer_to(a, sizeof(a),
				   HEAD "m=audio 0 UDP/TLS/RTP/SAVPF 0\r\n" TRANSPORT),
			 EBADMSG);
	/* two servers of DTLS */
	assert_int_equal(
		answer_to(a, sizeof(a),
			  HEAD
			  "a=setup:passive\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"
			  "a=ice-ufrag:peer\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
			  "a=rtcp-mux\r\na=fingerprint:sha-256 " FP "\r\n"),
		EBADMSG);
}

static void the_media_plane_is_told_the_same(void **state)
{
	struct body *in = body_of(HEAD "a=group:BUNDLE 0 1 2\r\n" AUDIO VIDEO DATA);
	struct media_remote remote;
	struct sdp_offer o;
	const char *why;

	assert_int_equal(sdp_offer_read(&o, &why, in), 0);
	sdp_offer_remote(&remote, &o, 1000);
	assert_int_equal(remote.n_streams, 2);
	assert_string_equal(remote.ufrag, "peer");
	assert_int_equal(remote.n_fingerprints, 1);
	assert_int_equal(remote.fingerprintv[0].n_bytes, 32);
	assert_int_equal(remote.fingerprintv[0].v[11], 0xbb);
	assert_string_equal(remote.streamv[0].mid, "0");
	assert_int_equal(remote.streamv[0].mid_ext, 4);
	assert_int_equal(remote.streamv[0].clock_rate, 48000);
	assert_true(remote.streamv[0].sends);
	assert_int_equal(remote.streamv[0].ptv[111 / 8], 1 << (111 % 8));
	assert_int_equal(remote.streamv[1].ssrc, 1001);
	assert_false(remote.streamv[1].sends);
	mem_deref(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_can_be_sent_back_is_answered),
		cmocka_unit_test(what_is_not_bundled_is_refused),
		cmocka_unit_test(the_first_section_may_be_one_that_is_refused),
		cmocka_unit_test(nothing_to_send_back_is_no_answer),
		cmocka_unit_test(the_media_plane_is_told_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
