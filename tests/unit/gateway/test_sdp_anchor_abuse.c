/* tests/unit/gateway/test_sdp_anchor_abuse.c - cases 25 to 36 of the abuse list, at a description of a call whose media
 * are anchored: a clear sentence or bounded work, never a wrong exchange. */
#include "tests/unit/gateway/anchor_world.h"

#include <time.h>

#define KEY30       "QUFBQUFBQUFBQUFBQUFBQUJCQkJCQkJCQkJCQkJC"
#define SDES(lines) HEAD "c=IN IP4 192.0.2.7\r\nm=audio 4000 RTP/SAVP 0\r\n" lines

/** What the party of A says is refused, or passes. */
static int says(enum leg_media speaks, const char *text, char *why)
{
	struct world w;
	int err;

	w_init(&w, speaks, speaks == LEG_WEBRTC ? LEG_RTP : LEG_WEBRTC);
	err = w_offer(&w, A, text);
	if (why)
		snprintf(why, 200, "%s", err && w.why ? w.why : "");
	w_done(&w);
	return err;
}

static void abuse_025_no_description(void **state)
{
	static const char nul[] = HEAD "m=audio 4000 RTP/AVP 0\r\na=x\0y\r\n";
	struct sdp_desc *d;
	struct body *b;
	const char *why;

	assert_int_equal(says(LEG_RTP, "", NULL), EBADMSG);
	assert_int_equal(says(LEG_RTP, "m=audio 4000 RTP/AVP 0\r\n", NULL), EBADMSG);
	assert_int_equal(says(LEG_RTP, HEAD, NULL), EBADMSG);
	assert_int_equal(body_alloc(&b, nul, sizeof(nul) - 1), 0);
	assert_int_equal(sdp_desc_read(&d, &why, b), EBADMSG);
	mem_deref(b);
	/* lines that end in LF alone are read */
	assert_int_equal(says(LEG_RTP,
			      "v=0\no=- 1 2 IN IP4 192.0.2.7\ns=-\nc=IN IP4 192.0.2.7\n"
			      "t=0 0\nm=audio 4000 RTP/AVP 0\n",
			      NULL),
			 0);
}

/** `n` times the same line behind a head. */
static char *many(const char *head, const char *line, size_t n)
{
	size_t size = strlen(head) + n * strlen(line) + 1, at = strlen(head);
	char *text = mem_zalloc(size, NULL);

	memcpy(text, head, at);
	for (size_t i = 0; i < n; i++, at += strlen(line))
		memcpy(text + at, line, strlen(line));
	return text;
}

/** Of the processor, in microseconds: other programs do not count. */
static long worked_us(void)
{
	return (long)(clock() / (CLOCKS_PER_SEC / 1000000));
}

/** A sanitized build is allowed more. */
static long slow(void)
{
	const char *times = getenv("SLUSS_SLOW");

	return times ? strtol(times, NULL, 10) : 1;
}

static void abuse_026_many_and_long(void **state)
{
	char *a = many(PHONE, "m=audio 4000 RTP/AVP 0\r\n", 1000);
	char *b = many(PHONE, "a=rtpmap:0 PCMU/8000\r\n", 4000);
	char *c = many(PHONE "a=", "x", 64 * 1024);
	char why[200];
	long from;

	assert_int_equal(says(LEG_RTP, PHONE_("0", "0"), NULL), EBADMSG);
	assert_int_equal(says(LEG_RTP, PHONE_("65536", "0"), NULL), EBADMSG);
	assert_int_equal(says(LEG_RTP, PHONE_("4000", ""), NULL), EBADMSG);
	from = worked_us();
	assert_int_equal(says(LEG_RTP, a, NULL), EBADMSG);
	assert_int_equal(says(LEG_RTP, b, NULL), 0);
	says(LEG_RTP, c, why);
	assert_true(worked_us() - from < 20000 * 3 * slow());
	mem_deref(a);
	a = many(PHONE, "m=audio 4000 RTP/AVP 0\r\n", 16);
	assert_int_equal(says(LEG_RTP, a, why), EBADMSG);
	has(why, "more than 16 media lines");
	mem_deref(a);
	mem_deref(b);
	mem_deref(c);
}

static void abuse_027_maps_of_nonsense(void **state)
{
	struct world w;

	w_init(&w, LEG_RTP, LEG_WEBRTC);
	assert_int_equal(
		w_offer(&w, A,
			PHONE_("4000",
			       "0 96 97 98 99 300 0 -1") "a=rtpmap:300 opus/48000/2\r\na=rtpmap:-1 opus/48000/2\r\n"
							 "a=rtpmap:96 opus\r\na=rtpmap:97 opus/0/2\r\n"
							 "a=rtpmap:98 opus/48000/1000000000\r\n"
							 "a=rtpmap:99 PCMU/99999999999\r\na=fmtp:55 x=y\r\n"
							 "a=rtpmap:\r\na=fmtp:\r\na=rtcp-fb:\r\na=rtpmap:0\r\n"),
		EBADMSG); /* 0 is mapped to nothing, too */
	assert_int_equal(w_offer(&w, A,
				 PHONE_("4000", "0 96 0 300 -1") "b=AS:99999999999\r\n"
								 "a=rtpmap:96 opus\r\n"),
			 0);
	has(w.out, "m=audio 21000 UDP/TLS/RTP/SAVPF 0\r\n");
	has(w.out, "b=AS:10000000\r\n");
	assert_int_equal(w_offer(&w, A, PHONE "b=no colon\r\n"), EBADMSG);
	w_done(&w);
}

static void abuse_028_keys_of_nonsense(void **state)
{
	static const char *const malformed[] = {
		"a=crypto:\r\n",
		"a=crypto:1\r\n",
		"a=crypto:x AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "\r\n",
		"a=crypto:9999999999 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "\r\n",
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80\r\n",
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:\r\n",
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "QUJD\r\n",
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:QUFB\r\n",
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
		"inline:QUFBQUFBQUFBQUFBQUFBQUJCQkJCQkJCQkJCQkJ*\r\n",
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 other:" KEY30 "\r\n",
	};
	static const char *const unusable[] = {
		"",
		"a=crypto:1 F8_128_HMAC_SHA1_80 inline:" KEY30 "\r\n",
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "|2^20|1:4\r\n",
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30
		" UNENCRYPTED_SRTP\r\n",
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30
		" UNAUTHENTICATED_SRTP\r\n",
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30
		"|2^20|1:4;inline:" KEY30 "|2^20|2:4\r\n",
	};
	char why[200], text[1024];

	for (size_t i = 0; i < N_ELEMS(malformed); i++) {
		snprintf(text, sizeof(text), SDES("%s"), malformed[i]);
		assert_int_equal(says(LEG_SDES, text, why), EBADMSG);
		has(why, "a key for SRTP (a=crypto) is malformed");
	}
	for (size_t i = 0; i < N_ELEMS(unusable); i++) {
		snprintf(text, sizeof(text), SDES("%s"), unusable[i]);
		assert_int_equal(says(LEG_SDES, text, why), EBADMSG);
		has(why, "no key for SRTP (a=crypto) that could be used");
		hasnt(why, "QUFB");
	}
	assert_int_equal(says(LEG_SDES,
			      SDES("a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:" KEY30
				   "|2^31 WSH=64 -OTHER\r\n"),
			      NULL),
			 0);
}

static void abuse_029_fingerprints(void **state)
{
	char why[200];

	assert_int_equal(says(LEG_WEBRTC,
			      HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" ICE_(
				      "peer") "a=rtcp-mux\r\n",
			      why),
			 EBADMSG);
	has(why, "no fingerprint");
	assert_int_equal(
		says(LEG_WEBRTC,
		     HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" ICE_(
			     "peer") "a=rtcp-mux\r\na=fingerprint:sha-1 "
				     "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"
				     "00:11:22:33\r\n",
		     why),
		EBADMSG);
	has(why, "not sha-256 or better");
	assert_int_equal(
		says(LEG_WEBRTC,
		     HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" ICE_(
			     "peer") "a=rtcp-mux\r\na=fingerprint:sha-256 00:11\r\n",
		     NULL),
		EBADMSG);
	/* mixed case is the same */
	assert_int_equal(
		says(LEG_WEBRTC,
		     HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" ICE_(
			     "peer") "a=rtcp-mux\r\na=fingerprint:SHA-256 "
				     "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:"
				     "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n",
		     NULL),
		0);
}

static void abuse_030_ice_credentials(void **state)
{
	assert_int_equal(
		says(LEG_WEBRTC,
		     HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" WEB_("abc", "actpass", FP),
		     NULL),
		EBADMSG);
	assert_int_equal(says(LEG_WEBRTC,
			      HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"
				   "a=ice-ufrag:peer\r\na=ice-pwd:short\r\na=rtcp-mux\r\n"
				   "a=fingerprint:sha-256 " FP "\r\n",
			      NULL),
			 EBADMSG);
	assert_int_equal(says(LEG_WEBRTC,
			      HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=rtcp-mux\r\n"
				   "a=fingerprint:sha-256 " FP "\r\n",
			      NULL),
			 EBADMSG);
}

static void abuse_032_bundles_that_do_not_hold(void **state)
{
	struct world w;
	char why[200];

	assert_int_equal(says(LEG_WEBRTC,
			      HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" ICE_(
				      "peer") "a=fingerprint:sha-256 " FP "\r\n",
			      why),
			 EBADMSG);
	has(why, "no a=rtcp-mux");
	assert_int_equal(
		says(LEG_WEBRTC,
		     HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" WEB_("peer", "passive", FP),
		     why),
		EBADMSG);
	has(why, "the server of DTLS, and so is this end");
	assert_int_equal(says(LEG_WEBRTC,
			      HEAD "a=group:BUNDLE 0\r\n" CHROME_AUDIO CHROME_AUDIO, why),
			 EBADMSG);
	has(why, "the same a=mid");
	/* a group that names nobody's mid; a section that is not of it */
	w_init(&w, LEG_WEBRTC, LEG_RTP);
	assert_int_equal(
		w_offer(&w, A, HEAD "a=group:BUNDLE 7 0\r\n" CHROME_AUDIO CHROME_VIDEO),
		0);
	hasnt(w.out, "m=video");
	assert_int_equal(w_answer(&w, B, PHONE), 0);
	has(w.out, "a=group:BUNDLE 0\r\n");
	has(w.out, "m=video 0 UDP/TLS/RTP/SAVPF 96\r\n");
	w_done(&w);
}

static void abuse_033_less_protection_in_mid_call(void **state)
{
	struct media_remote r;
	struct world w;

	w_init(&w, LEG_WEBRTC, LEG_SDES);
	assert_int_equal(w_offer(&w, A, CHROME), 0);
	assert_int_equal(
		w_answer(&w, B,
			 SDES("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "\r\n")),
		0);
	/* SRTP becomes RTP */
	assert_int_equal(w_offer(&w, B, PHONE), EBADMSG);
	has(w.why, "RTP/SAVP");
	/* another certificate */
	assert_int_equal(w_offer(&w, A,
				 HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" WEB_(
					 "peer", "actpass", FP2) "a=mid:0\r\n"),
			 EBADMSG);
	has(w.why, "another one than before");
	/* nor in two steps, the old one and the new one first */
	assert_int_equal(
		w_offer(&w, A,
			HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" WEB_(
				"peer", "actpass", FP) "a=fingerprint:sha-256 " FP2
						       "\r\na=mid:0\r\n"),
		EBADMSG);
	has(w.why, "another one than before");
	/* the call goes on as before */
	sdp_anchor_remote(&r, w.a, B);
	assert_int_equal(r.n_streams, 1);
	assert_int_equal(r.plainv[0].sdes.suite, 1);
	w_done(&w);

	/* an answer does not lower it either; nor does it choose what was not offered */
	w_init(&w, LEG_WEBRTC, LEG_SDES);
	assert_int_equal(w_offer(&w, A, CHROME), 0);
	assert_int_equal(w_answer(&w, B, PHONE), EBADMSG);
	assert_int_equal(
		w_answer(&w, B,
			 SDES("a=crypto:1 AEAD_AES_128_GCM "
			      "inline:QUFBQUFBQUFBQUFBQUFBQUJCQkJCQkJCQkJCQg==\r\n")),
		EBADMSG);
	w_done(&w);
	/* SDES where DTLS is agreed; RTP with a key beside it is RTP */
	assert_int_equal(
		says(LEG_DTLS,
		     SDES("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "\r\n"),
		     NULL),
		EBADMSG);
	assert_int_equal(says(LEG_SDES,
			      PHONE "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30
				    "\r\n",
			      NULL),
			 EBADMSG);
}

static void abuse_034_answers_that_differ(void **state)
{
	struct world w;

	w_init(&w, LEG_WEBRTC, LEG_RTP);
	assert_int_equal(w_answer(&w, B, PHONE), EPROTO); /* to nothing */
	assert_int_equal(w_offer(&w, A, CHROME), 0);
	assert_int_equal(w_answer(&w, A, PHONE), EPROTO); /* its own */
	assert_int_equal(w_answers(&w, B, PHONE_("5000", "0"), false), 0);
	/* one that fits nothing leaves the one before */
	assert_int_equal(w_answer(&w, B, PHONE_("4000", "18")), EBADMSG);
	assert_int_equal(w_answer(&w, B, PHONE "m=audio 4002 RTP/AVP 0\r\n"), EBADMSG);
	has(w.why, "more media lines");
	assert_int_equal(w_answer(&w, B, PHONE_("4000", "8")), 0);
	has(w.out, "m=audio 20000 UDP/TLS/RTP/SAVPF 8\r\n");
	w_done(&w);
}

static void abuse_036_packet_times(void **state)
{
	static const struct {
		const char *said, *passed;
	} times[] = {
		{"a=ptime:0\r\n", NULL},
		{"a=ptime:1\r\n", "a=ptime:10\r\n"},
		{"a=ptime:65536\r\n", "a=ptime:120\r\n"},
		{"a=ptime:4294967296\r\n", "a=ptime:120\r\n"},
		{"a=ptime:-20\r\n", NULL},
		{"a=ptime:20ms\r\n", NULL},
		{"a=ptime:60\r\na=maxptime:20\r\n", "a=ptime:20\r\na=maxptime:20\r\n"},
		{"a=maxptime:0\r\n", NULL},
		{"a=maxptime:4294967296\r\n", "a=maxptime:120\r\n"},
	};
	char text[512];

	for (size_t i = 0; i < N_ELEMS(times); i++) {
		struct world w;

		w_init(&w, LEG_RTP, LEG_WEBRTC);
		snprintf(text, sizeof(text), PHONE_("4000", "0") "%s", times[i].said);
		assert_int_equal(w_offer(&w, A, text), 0);
		if (times[i].passed)
			has(w.out, times[i].passed);
		else
			hasnt(w.out, "ptime");
		w_done(&w);
	}
}

static void one_packet_never_becomes_many(void **state)
{
	char why[200];

	assert_int_equal(says(LEG_RTP,
			      HEAD "c=IN IP4 224.2.1.1/127\r\nm=audio 4000 RTP/AVP 0\r\n",
			      why),
			 EBADMSG);
	has(why, "multicast");
	assert_int_equal(
		says(LEG_RTP, HEAD "c=IN IP6 ff02::1\r\nm=audio 4000 RTP/AVP 0\r\n", why),
		EBADMSG);
	/* names are not looked up: it is heard from where it comes */
	assert_int_equal(says(LEG_RTP,
			      HEAD "c=IN IP4 phone.test\r\nm=audio 4000 RTP/AVP 0\r\n",
			      NULL),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(abuse_025_no_description),
		cmocka_unit_test(abuse_026_many_and_long),
		cmocka_unit_test(abuse_027_maps_of_nonsense),
		cmocka_unit_test(abuse_028_keys_of_nonsense),
		cmocka_unit_test(abuse_029_fingerprints),
		cmocka_unit_test(abuse_030_ice_credentials),
		cmocka_unit_test(abuse_032_bundles_that_do_not_hold),
		cmocka_unit_test(abuse_033_less_protection_in_mid_call),
		cmocka_unit_test(abuse_034_answers_that_differ),
		cmocka_unit_test(abuse_036_packet_times),
		cmocka_unit_test(one_packet_never_becomes_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
