/* tests/unit/gateway/test_sdp_anchor.c - offers and answers between a browser and telephone systems, in every dialect:
 * what each side gets is a correct exchange of its own. */
#include "tests/unit/gateway/anchor_world.h"

/* ---- a browser calls ---- */

static void a_browser_calls_plain_rtp(void **state)
{
	struct media_remote ra, rb;
	struct world w;

	w_init(&w, LEG_WEBRTC, LEG_RTP);
	assert_int_equal(w_offer(&w, A, CHROME), 0);
	has(w.out, "o=- 2330 1 IN IP4 203.0.113.5\r\n");
	has(w.out,
	    "m=audio 21000 RTP/AVP 111 9 0 8 13 110 126\r\nc=IN IP4 203.0.113.5\r\n");
	has(w.out, "a=rtcp:21001\r\na=rtcp-mux\r\n");
	has(w.out,
	    "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n");
	has(w.out, "a=rtpmap:110 telephone-event/48000\r\n");
	hasnt(w.out, "red");
	hasnt(w.out, "a=mid");
	hasnt(w.out, "BUNDLE");
	hasnt(w.out, "ice-");
	hasnt(w.out, "fingerprint");
	hasnt(w.out, "transport-cc");
	hasnt(w.out, "ssrc");

	assert_int_equal(w_answer(&w, B, PHONE), 0);
	has(w.out, "a=ice-lite\r\na=group:BUNDLE 0\r\n");
	has(w.out, "m=audio 20000 UDP/TLS/RTP/SAVPF 8 0 126\r\n");
	has(w.out, "a=mid:0\r\na=sendrecv\r\na=ice-ufrag:oursour0\r\n");
	has(w.out, "a=candidate:2 1 udp 2130706175 2001:db8::5 20000 typ host\r\n");
	has(w.out, "a=setup:passive\r\na=rtcp-mux\r\n");
	has(w.out, "a=rtpmap:126 telephone-event/8000\r\na=fmtp:126 0-16\r\n");
	has(w.out, "a=ptime:20\r\n");
	has(w.out, "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n");
	has(w.out, "a=ssrc:1000 cname:0000000000001234\r\n");
	hasnt(w.out, "111");
	hasnt(w.out, "a=rtpmap:110");

	sdp_anchor_remote(&ra, w.a, A);
	sdp_anchor_remote(&rb, w.a, B);
	assert_int_equal(ra.n_streams, 1);
	assert_int_equal(rb.n_streams, 1);
	assert_string_equal(ra.ufrag, "peer");
	assert_int_equal(ra.n_fingerprints, 1);
	assert_int_equal(ra.streamv[0].mid_ext, 4);
	assert_string_equal(ra.streamv[0].mid, "0");
	assert_true(ra.streamv[0].feedback);
	assert_int_equal(ra.streamv[0].n_types, 3);
	assert_int_equal(rb.streamv[0].n_types, 3);
	assert_int_equal(ra.streamv[0].typev[0].pt, 8);
	assert_int_equal(ra.streamv[0].typev[2].pt, 126);
	assert_int_equal(rb.streamv[0].typev[2].pt, 101);
	assert_int_equal(rb.streamv[0].typev[2].codec, MEDIA_CODEC_EVENT);
	assert_int_equal(rb.streamv[0].typev[2].clock_rate, 8000);
	assert_int_equal(rb.streamv[0].ssrc, 2000);
	assert_int_equal(rb.n_plain, 1);
	assert_int_equal(sa_port(&rb.plainv[0].rtp), 4000);
	assert_false(rb.plainv[0].rtcp_mux);
	assert_int_equal(rb.n_fingerprints, 0);
	assert_true(ra.streamv[0].sends && rb.streamv[0].sends);
	w_done(&w);
}

static void a_browser_calls_srtp_with_keys_in_the_description(void **state)
{
	struct media_remote r;
	struct world w;

	w_init(&w, LEG_WEBRTC, LEG_SDES);
	assert_int_equal(w_offer(&w, A, CHROME), 0);
	has(w.out, "m=audio 21000 RTP/SAVP 111 9 0 8");
	/* 16 bytes of key, 14 of salt */
	has(w.out, "a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
		   "inline:a2tra2tra2tra2tra2tra3Nzc3Nzc3Nzc3Nzc3Nz\r\n");
	assert_int_equal(
		w_answer(&w, B,
			 HEAD
			 "c=IN IP4 192.0.2.7\r\nm=audio 4000 RTP/SAVP 0 101\r\n"
			 "a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
			 "inline:QUFBQUFBQUFBQUFBQUFBQUJCQkJCQkJCQkJCQkJC|2^31\r\n" EVENT(
				 "101")),
		0);
	has(w.out, "m=audio 20000 UDP/TLS/RTP/SAVPF 0 126\r\n");
	hasnt(w.out, "crypto");
	sdp_anchor_remote(&r, w.a, B);
	assert_int_equal(r.plainv[0].sdes.suite, 1);
	assert_memory_equal(r.plainv[0].sdes.key, "AAAAAAAAAAAAAAAA", 16);
	assert_memory_equal(r.plainv[0].sdes.salt, "BBBBBBBBBBBBBB", 14);
	w_done(&w);
}

static void a_browser_calls_dtls_with_ice_and_without(void **state)
{
	struct media_remote r;
	struct world w;

	w_init(&w, LEG_WEBRTC, LEG_DTLS);
	w.icev[B] = true;
	assert_int_equal(w_offer(&w, A, CHROME), 0);
	has(w.out, "m=audio 21000 UDP/TLS/RTP/SAVPF 111 9 0");
	has(w.out, "a=ice-ufrag:oursour1\r\n");
	has(w.out, "a=setup:actpass\r\na=rtcp-mux\r\n");
	hasnt(w.out, "ice-lite");
	/* it answers as the server: we are the client */
	assert_int_equal(
		w_answer(&w, B,
			 HEAD "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 192.0.2.7\r\n"
			      "a=fingerprint:sha-256 " FP2 "\r\na=setup:passive\r\n"),
		0);
	sdp_anchor_remote(&r, w.a, B);
	assert_true(r.dtls_server);
	assert_string_equal(r.ufrag, "");
	assert_int_equal(sa_port(&r.plainv[0].rtp), 4000);
	w_done(&w);

	w_init(&w, LEG_DTLS, LEG_WEBRTC);
	assert_int_equal(
		w_offer(&w, A,
			HEAD "m=audio 4000 UDP/TLS/RTP/SAVP 0\r\nc=IN IP4 192.0.2.7\r\n"
			     "a=fingerprint:sha-256 " FP2 "\r\na=setup:passive\r\n"),
		0);
	has(w.out, "a=setup:actpass\r\n");
	assert_int_equal(w_answer(&w, B,
				  HEAD "a=group:BUNDLE 0\r\n"
				       "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" WEB_ANSWERS
				       "a=mid:0\r\n"),
			 0);
	has(w.out, "m=audio 20000 UDP/TLS/RTP/SAVP 0\r\n");
	has(w.out, "a=setup:active\r\na=rtcp:20001\r\n");
	hasnt(w.out, "ice-");
	w_done(&w);
}

static void video_goes_along(void **state)
{
	struct media_remote ra, rb;
	struct world w;

	w_init(&w, LEG_WEBRTC, LEG_RTP);
	assert_int_equal(
		w_offer(&w, A,
			HEAD "a=group:BUNDLE 0 1 2\r\n" CHROME_AUDIO CHROME_VIDEO DATA),
		0);
	has(w.out, "m=video 21002 RTP/AVP 96 103 104\r\n");
	has(w.out, "a=rtcp:21003\r\n");
	has(w.out, "a=rtcp-fb:96 nack pli\r\na=rtcp-fb:96 ccm fir\r\n");
	hasnt(w.out, "m=application");
	hasnt(w.out, "rtx");
	hasnt(w.out, "goog-remb");
	/* payload types of its own, another order, a mode that it has not */
	assert_int_equal(w_answer(&w, B,
				  PHONE "m=video 4002 RTP/AVP 99 98\r\nb=AS:512\r\n"
					"a=rtpmap:99 h264/90000\r\na=fmtp:99 "
					"profile-level-id=42E01f;packetization-mode=1\r\n"
					"a=rtpmap:98 VP8/90000\r\n"),
			 0);
	has(w.out, "a=group:BUNDLE 0 1\r\n");
	has(w.out, "m=video 20000 UDP/TLS/RTP/SAVPF 96\r\n");
	has(w.out, "b=AS:512\r\n");
	has(w.out, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n");
	has(w.out, "a=rtcp-fb:96 nack pli\r\n");
	sdp_anchor_remote(&ra, w.a, A);
	sdp_anchor_remote(&rb, w.a, B);
	assert_int_equal(ra.n_streams, 2);
	assert_int_equal(ra.streamv[1].typev[0].pt, 96);
	assert_int_equal(rb.streamv[1].typev[0].pt, 98);
	assert_int_equal(rb.streamv[1].plain, 1);
	assert_int_equal(rb.n_plain, 2);
	assert_int_equal(sa_port(&rb.plainv[1].rtp), 4002);
	assert_int_equal(rb.streamv[1].clock_rate, 90000);
	w_done(&w);
}

static void h264_is_matched_by_profile_and_mode(void **state)
{
	struct world w;

	w_init(&w, LEG_WEBRTC, LEG_RTP);
	assert_int_equal(
		w_offer(&w, A, HEAD "a=group:BUNDLE 0 1\r\n" CHROME_AUDIO CHROME_VIDEO),
		0);
	assert_int_equal(w_answer(&w, B,
				  PHONE
				  "m=video 4002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n"
				  "a=fmtp:97 profile-level-id=42000c\r\n"),
			 0);
	/* mode 0 is what is meant where nothing is said: the browser's 104 */
	has(w.out, "m=video 20000 UDP/TLS/RTP/SAVPF 104\r\n");
	has(w.out, "a=fmtp:104 profile-level-id=42000c\r\n");
	w_done(&w);
}

static void dtmf_fits_the_codec(void **state)
{
	struct media_remote ra, rb;
	struct world w;

	/* opus there, but events at 8000 only: the browser's 48000 is led to it */
	w_init(&w, LEG_WEBRTC, LEG_RTP);
	assert_int_equal(w_offer(&w, A, CHROME), 0);
	assert_int_equal(
		w_answer(&w, B,
			 PHONE_("4000",
				"107 101") "a=rtpmap:107 opus/48000/2\r\n" EVENT("101")),
		0);
	has(w.out, "m=audio 20000 UDP/TLS/RTP/SAVPF 111 110\r\n");
	sdp_anchor_remote(&ra, w.a, A);
	sdp_anchor_remote(&rb, w.a, B);
	assert_int_equal(ra.streamv[0].typev[1].clock_rate, 48000);
	assert_int_equal(rb.streamv[0].typev[1].clock_rate, 8000);
	assert_int_equal(rb.streamv[0].typev[1].pt, 101);
	assert_int_equal(rb.streamv[0].typev[0].pt, 107);
	w_done(&w);

	/* both rates, both codecs */
	w_init(&w, LEG_WEBRTC, LEG_RTP);
	assert_int_equal(w_offer(&w, A, CHROME), 0);
	assert_int_equal(
		w_answer(
			&w, B,
			PHONE_("4000",
			       "111 0 110 126 13") "a=rtpmap:111 opus/48000/2\r\na=rtpmap:110 "
						   "telephone-event/48000\r\n" EVENT(
							   "126")),
		0);
	has(w.out, "m=audio 20000 UDP/TLS/RTP/SAVPF 111 0 13 110 126\r\n");
	w_done(&w);

	/* a browser that has events at 8000 only, and opus there: better than none */
	w_init(&w, LEG_WEBRTC, LEG_RTP);
	assert_int_equal(w_offer(&w, A,
				 HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 109 101\r\n" WEB
				      "a=rtpmap:109 opus/48000/2\r\n" EVENT("101")),
			 0);
	assert_int_equal(
		w_answer(&w, B,
			 PHONE_("4000",
				"109 101") "a=rtpmap:109 opus/48000/2\r\n" EVENT("101")),
		0);
	has(w.out, "m=audio 20000 UDP/TLS/RTP/SAVPF 109 101\r\n");
	hasnt(w.out, "BUNDLE"); /* it offered none */
	w_done(&w);
}

static void comfort_noise_needs_a_codec_of_its_rate(void **state)
{
	struct world w;

	w_init(&w, LEG_WEBRTC, LEG_RTP);
	assert_int_equal(w_offer(&w, A, CHROME), 0);
	assert_int_equal(
		w_answer(&w, B, PHONE_("4000", "111 13") "a=rtpmap:111 opus/48000/2\r\n"),
		0);
	has(w.out, "m=audio 20000 UDP/TLS/RTP/SAVPF 111\r\n");
	w_done(&w);
}

/* ---- a telephone system calls ---- */

static void a_phone_calls_a_browser(void **state)
{
	struct media_remote ra, rb;
	struct world w;

	w_init(&w, LEG_RTP, LEG_WEBRTC);
	assert_int_equal(w_offer(&w, A,
				 PHONE_("4000", "8 0 18 96") EVENT(
					 "96") "a=rtpmap:18 G729/8000\r\na=ptime:20\r\n"
					       "a=maxptime:150\r\na=rtcp:4009\r\n"),
			 0);
	has(w.out, "o=- 2330 1 IN IP4 127.0.0.1\r\n");
	has(w.out, "a=ice-lite\r\na=group:BUNDLE 0\r\n");
	has(w.out, "m=audio 21000 UDP/TLS/RTP/SAVPF 8 0 96\r\n");
	has(w.out, "a=mid:0\r\na=sendrecv\r\n");
	has(w.out, "a=setup:actpass\r\na=rtcp-mux\r\n");
	has(w.out, "a=ptime:20\r\na=maxptime:120\r\n");
	has(w.out, "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n");
	has(w.out, "a=msid:sluss sluss-0\r\n");
	hasnt(w.out, "G729");
	assert_int_equal(
		w_answer(
			&w, B,
			HEAD
			"a=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 8 0 96\r\n" WEB_ANSWERS
			"a=mid:0\r\na=rtpmap:96 "
			"telephone-event/8000\r\na=sendrecv\r\n"
			"a=extmap:1 "
			"urn:ietf:params:rtp-hdrext:sdes:mid\r\n"),
		0);
	has(w.out, "m=audio 20000 RTP/AVP 8 0 96\r\n");
	has(w.out, "a=rtcp:20001\r\n");
	hasnt(w.out, "rtcp-mux"); /* it did not offer it */
	sdp_anchor_remote(&ra, w.a, A);
	sdp_anchor_remote(&rb, w.a, B);
	assert_int_equal(sa_port(&ra.plainv[0].rtcp), 4009);
	assert_int_equal(rb.streamv[0].mid_ext, 1);
	assert_int_equal(rb.streamv[0].ssrc, 2000);
	w_done(&w);
}

static void a_desk_phone_chooses_its_own_key(void **state)
{
	struct world w;

	w_init(&w, LEG_SDES, LEG_WEBRTC);
	assert_int_equal(
		w_offer(&w, A,
			HEAD "c=IN IP6 2001:db8::7\r\nm=audio 4000 RTP/SAVP 9 0 101\r\n"
			     "a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:unknown\r\n"
			     "a=crypto:2 AEAD_AES_128_GCM "
			     "inline:QUFBQUFBQUFBQUFBQUFBQUJCQkJCQkJCQkJCQg==\r\n"
			     "a=crypto:3 AES_CM_128_HMAC_SHA1_80 "
			     "inline:QUFBQUFBQUFBQUFBQUFBQUJCQkJCQkJCQkJCQkJC\r\n" EVENT(
				     "101")),
		0);
	hasnt(w.out, "crypto");
	assert_int_equal(w_answer(&w, B,
				  HEAD "a=group:BUNDLE 0\r\n"
				       "m=audio 9 UDP/TLS/RTP/SAVPF 9 101\r\n" WEB_ANSWERS
				       "a=mid:0\r\n" EVENT("101")),
			 0);
	has(w.out, "m=audio 20000 RTP/SAVP 9 101\r\nc=IN IP6 2001:db8::5\r\n");
	has(w.out,
	    "a=crypto:2 AEAD_AES_128_GCM inline:a2tra2tra2tra2tra2tra3Nzc3Nzc3Nzc3Nzcw==\r\n");
	w_done(&w);
}

static void a_late_offer_is_made_here(void **state)
{
	struct media_remote rb;
	struct world w;

	w_init(&w, LEG_RTP, LEG_WEBRTC);
	assert_int_equal(w_offer(&w, A, NULL), 0);
	has(w.out, "m=audio 21000 UDP/TLS/RTP/SAVPF 0 8 96\r\n");
	has(w.out, "a=fmtp:96 0-15\r\n");
	has(w.out, "a=setup:actpass\r\n");
	/* what the browser answers is the offer for the phone */
	assert_int_equal(
		w_offer(&w, B,
			HEAD
			"a=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0 8 96\r\n" WEB_ANSWERS
			"a=mid:0\r\n" EVENT("96")),
		0);
	has(w.out, "m=audio 20000 RTP/AVP 0 8 96\r\n");
	assert_int_equal(w_answer(&w, A, PHONE), 0);
	sdp_anchor_remote(&rb, w.a, B);
	assert_int_equal(rb.n_streams, 1);
	assert_int_equal(rb.streamv[0].typev[2].pt, 96);
	w_done(&w);

	/* it has to take what the browser sends */
	w_init(&w, LEG_RTP, LEG_WEBRTC);
	assert_int_equal(w_offer(&w, A, NULL), 0);
	assert_int_equal(w_offer(&w, B,
				 HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 0 8\r\n" WEB_ANSWERS
				      "a=mid:0\r\n"),
			 0);
	assert_int_equal(w_answer(&w, A, PHONE_("4000", "8")), EBADMSG);
	has(w.why, "has chosen");
	w_done(&w);
}

/* ---- what comes later ---- */

static void established(struct world *w)
{
	w_init(w, LEG_WEBRTC, LEG_RTP);
	assert_int_equal(w_offer(w, A, CHROME), 0);
	assert_int_equal(w_answer(w, B, PHONE), 0);
}

static void hold_and_resume_from_the_phone(void **state)
{
	struct media_remote ra, rb;
	struct world w;

	established(&w);
	assert_int_equal(w_offer(&w, B, PHONE "a=sendonly\r\n"), 0);
	has(w.out, "m=audio 20000 UDP/TLS/RTP/SAVPF 8 0 126\r\n");
	has(w.out, "a=mid:0\r\na=sendonly\r\n");
	has(w.out, "a=ice-ufrag:oursour0\r\n");
	hasnt(w.out, "bundle-only");
	assert_int_equal(w_answer(&w, A,
				  HEAD
				  "a=group:BUNDLE 0\r\n"
				  "m=audio 9 UDP/TLS/RTP/SAVPF 8 0 126\r\n" WEB_ANSWERS
				  "a=mid:0\r\na=recvonly\r\n" EVENT("126")),
			 0);
	has(w.out, "m=audio 21000 RTP/AVP 8 0 101\r\n");
	has(w.out, "a=recvonly\r\n");
	sdp_anchor_remote(&ra, w.a, A);
	sdp_anchor_remote(&rb, w.a, B);
	assert_true(ra.streamv[0].sends);
	assert_false(rb.streamv[0].sends);

	/* the old way: nothing is to be sent there */
	assert_int_equal(
		w_offer(&w, B, HEAD "c=IN IP4 0.0.0.0\r\nm=audio 4000 RTP/AVP 8\r\n"), 0);
	has(w.out, "a=sendonly\r\n");
	sdp_anchor_undo(w.a);
	/* refused: all is as before */
	sdp_anchor_remote(&rb, w.a, B);
	assert_true(sa_isset(&rb.plainv[0].rtp, SA_ALL));

	assert_int_equal(w_offer(&w, B, PHONE), 0);
	has(w.out, "a=mid:0\r\na=sendrecv\r\n");
	/* the answer has room for less than the offer: inactive stays inactive */
	assert_int_equal(w_answer(&w, A,
				  HEAD "a=group:BUNDLE 0\r\n"
				       "m=audio 9 UDP/TLS/RTP/SAVPF 8\r\n" WEB_ANSWERS
				       "a=mid:0\r\na=inactive\r\n"),
			 0);
	has(w.out, "a=inactive\r\n");
	sdp_anchor_remote(&rb, w.a, B);
	assert_false(rb.streamv[0].sends);
	w_done(&w);
}

static void an_answer_says_no_more_than_the_offer(void **state)
{
	struct media_remote rb;
	struct world w;

	w_init(&w, LEG_WEBRTC, LEG_RTP);
	assert_int_equal(w_offer(&w, A,
				 HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" WEB
				      "a=sendonly\r\n"),
			 0);
	has(w.out, "a=sendonly\r\n");
	assert_int_equal(w_answer(&w, B, PHONE_("4000", "0")), 0); /* sendrecv */
	has(w.out, "a=recvonly\r\n");
	has(w.out, "a=ssrc"); /* named though nothing of ours goes there: Chromium */
	sdp_anchor_remote(&rb, w.a, B);
	assert_true(rb.streamv[0].sends);
	w_done(&w);
}

static void video_is_added_and_taken_away(void **state)
{
	struct world w;

	established(&w);
	assert_int_equal(
		w_offer(&w, A, HEAD "a=group:BUNDLE 0 1\r\n" CHROME_AUDIO CHROME_VIDEO),
		0);
	/* the numbers of the first exchange: the phone's own 101 for events */
	has(w.out, "m=audio 21000 RTP/AVP 111 9 0 8 13 110 101\r\n");
	has(w.out, "m=video 21002 RTP/AVP 96 103 104\r\n");
	/* refused there, in our answer too */
	assert_int_equal(w_answer(&w, B, PHONE "m=video 0 RTP/AVP 96\r\n"), 0);
	has(w.out, "a=group:BUNDLE 0\r\n");
	has(w.out, "m=video 0 UDP/TLS/RTP/SAVPF 96\r\n");
	/* the phone offers again: its m= lines are two now, in its order */
	assert_int_equal(w_offer(&w, B, PHONE "m=video 0 RTP/AVP 96\r\n"), 0);
	has(w.out, "m=audio 20000 UDP/TLS/RTP/SAVPF 8 0 126\r\n");
	has(w.out, "m=video 0 UDP/TLS/RTP/SAVPF 96\r\n");
	assert_int_equal(
		w_answer(&w, A,
			 HEAD
			 "a=group:BUNDLE 0\r\n"
			 "m=audio 9 UDP/TLS/RTP/SAVPF 8 126\r\n" WEB_ANSWERS
			 "a=mid:0\r\n" EVENT(
				 "126") "m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n"),
		0);
	has(w.out, "m=video 0 RTP/AVP 96\r\n");
	/* one that has fewer is none (RFC 3264 §8) */
	assert_int_equal(w_offer(&w, B, PHONE), EBADMSG);
	has(w.why, "fewer media lines");
	w_done(&w);
}

static void video_of_the_phone_is_added_to_the_browsers_bundle(void **state)
{
	struct world w;

	established(&w);
	assert_int_equal(w_offer(&w, B,
				 PHONE
				 "m=video 4002 RTP/AVP 8\r\na=rtpmap:8 VP8/90000\r\n"),
			 0);
	has(w.out, "a=group:BUNDLE 0 1\r\n");
	/* 8 is PCMA's there: another number */
	has(w.out, "m=video 0 UDP/TLS/RTP/SAVPF 96\r\n");
	has(w.out, "a=mid:1\r\na=bundle-only\r\n");
	assert_int_equal(
		w_answer(
			&w, A,
			HEAD
			"a=group:BUNDLE 0 1\r\n"
			"m=audio 9 UDP/TLS/RTP/SAVPF 8 126\r\n" WEB_ANSWERS
			"a=mid:0\r\n" EVENT(
				"126") "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" WEB_ANSWERS
				       "a=mid:1\r\na=rtpmap:96 VP8/90000\r\na=recvonly\r\n"),
		0);
	has(w.out, "m=video 21002 RTP/AVP 8\r\n");
	has(w.out, "a=recvonly\r\n");
	w_done(&w);
}

static void ice_restarts_and_the_certificate_stays(void **state)
{
	struct media_remote r;
	struct world w;

	established(&w);
	assert_int_equal(
		w_offer(&w, A,
			HEAD "a=group:BUNDLE 0\r\n"
			     "m=audio 9 UDP/TLS/RTP/SAVPF 8 126\r\n" WEB_(
				     "other", "actpass", FP) "a=mid:0\r\n" EVENT("126")),
		0);
	assert_true(sdp_anchor_restarts(w.a, A));
	assert_false(sdp_anchor_restarts(w.a, B));
	assert_int_equal(w_answer(&w, B, PHONE), 0);
	sdp_anchor_remote(&r, w.a, A);
	assert_string_equal(r.ufrag, "other");
	assert_int_equal(w_offer(&w, A, CHROME), 0); /* and back */
	assert_true(sdp_anchor_restarts(w.a, A));
	w_done(&w);
}

static void early_media_may_be_another_answer(void **state)
{
	struct media_remote rb;
	struct world w;

	w_init(&w, LEG_WEBRTC, LEG_RTP);
	assert_int_equal(w_offer(&w, A, CHROME), 0);
	assert_int_equal(w_answers(&w, B, PHONE_("5000", "0"), false), 0);
	has(w.out, "m=audio 20000 UDP/TLS/RTP/SAVPF 0\r\n");
	sdp_anchor_remote(&rb, w.a, B);
	assert_int_equal(sa_port(&rb.plainv[0].rtp), 5000);
	/* the last one counts */
	assert_int_equal(w_answer(&w, B, PHONE), 0);
	has(w.out, "m=audio 20000 UDP/TLS/RTP/SAVPF 8 0 126\r\n");
	sdp_anchor_remote(&rb, w.a, B);
	assert_int_equal(sa_port(&rb.plainv[0].rtp), 4000);
	assert_int_equal(w_answer(&w, B, PHONE), EPROTO); /* nothing is open any more */
	w_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_browser_calls_plain_rtp),
		cmocka_unit_test(a_browser_calls_srtp_with_keys_in_the_description),
		cmocka_unit_test(a_browser_calls_dtls_with_ice_and_without),
		cmocka_unit_test(video_goes_along),
		cmocka_unit_test(h264_is_matched_by_profile_and_mode),
		cmocka_unit_test(dtmf_fits_the_codec),
		cmocka_unit_test(comfort_noise_needs_a_codec_of_its_rate),
		cmocka_unit_test(a_phone_calls_a_browser),
		cmocka_unit_test(a_desk_phone_chooses_its_own_key),
		cmocka_unit_test(a_late_offer_is_made_here),
		cmocka_unit_test(hold_and_resume_from_the_phone),
		cmocka_unit_test(an_answer_says_no_more_than_the_offer),
		cmocka_unit_test(video_is_added_and_taken_away),
		cmocka_unit_test(video_of_the_phone_is_added_to_the_browsers_bundle),
		cmocka_unit_test(ice_restarts_and_the_certificate_stays),
		cmocka_unit_test(early_media_may_be_another_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
