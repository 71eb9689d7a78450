/* tests/unit/gateway/test_sdp.c - what passes the validating walk, what does not, and what it finds out.
 *
 *   description from a browser or a peer ──► sdp_check ──► refused with a sentence, or facts */
#include "gateway/sdp.h"

#include <setjmp.h>
#include <cmocka.h>

#define HEAD "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
#define ICE  "a=ice-ufrag:F7gI\r\na=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\n"
#define HEX8 "6B:8B:F0:65:5F:78:E2:51"
#define FP   "a=fingerprint:sha-256 " HEX8 ":" HEX8 ":" HEX8 ":" HEX8 "\r\n"
#define M    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"

static int check(struct sdp_facts *facts, const char **why, const char *text)
{
	*why = NULL;
	return sdp_check(facts, why, text, strlen(text), 65536);
}

static void accepted(void **state)
{
	/* clang-format off */
	static const struct {
		const char *text;
		unsigned n_media;
		bool webrtc;
	} rows[] = {
		{HEAD M ICE FP, 1, true},
		{HEAD ICE FP M, 1, true}, /* for the whole session */
		{"v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nt=0 0\nm=audio 9 RTP/AVP 0\n", 1, false},
		{HEAD "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" ICE FP, 1, true},
		{HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8\r\n" ICE FP
		      "m=audio 49170/2 RTP/AVP 0\r\n",
		 2, false},
		{HEAD M ICE FP "m=video 0 RTP/AVP 31\r\n", 2, true}, /* refused media do not count */
		{HEAD "m=audio 0 UDP/TLS/RTP/SAVPF 111\r\n", 1, true},
		{HEAD M FP, 1, false},
		{HEAD M ICE, 1, false},
		{HEAD M "a=ice-ufrag:F7gI\r\n" FP, 1, false},
		{HEAD "m=audio 9 RTP/SAVPF 111\r\n" ICE FP, 1, false},
		{HEAD "m=audio 9 UDP/TLS/RTP/SAVP 111\r\n" ICE FP, 1, false},
		{HEAD M ICE "a=fingerprint:sha-1 " HEX8 ":" HEX8 ":AA:BB:CC:DD\r\n", 1, false},
		{HEAD FP M ICE "a=fingerprint:md5 " HEX8 ":" HEX8 "\r\n", 1, false},
		{HEAD M ICE "a=fingerprint:sha-256 " HEX8 ":" HEX8 "\r\n", 1, false},
		{HEAD M ICE "a=fingerprint:sha-256 " HEX8 ":" HEX8 ":" HEX8
			    ":6B:8B:F0:65:5F:78:E2:5G\r\n",
		 1, false},
		{HEAD M ICE "a=fingerprint:sha-256\r\n", 1, false},
		{HEAD M ICE "a=fingerprint:SHA-256 6b:8b:f0:65:5f:78:e2:51:" HEX8 ":" HEX8 ":" HEX8
			    "\r\n",
		 1, true},
		{HEAD M ICE "a=fingerprint:sha-1 AB:CD\r\n" FP, 1, true}, /* a strong one is enough */
		{HEAD M ICE "a=fingerprint:sha-512 " HEX8 ":" HEX8 ":" HEX8 ":" HEX8 ":" HEX8
			    ":" HEX8 ":" HEX8 ":" HEX8 "\r\n",
		 1, true},
		{HEAD M ICE "a=fingerprint:sha-384 " HEX8 ":" HEX8 ":" HEX8 ":" HEX8 ":" HEX8
			    ":" HEX8 "\r\n",
		 1, true},
		/* RFC 8843 §9: one transport for the bundle */
		{HEAD "a=group:BUNDLE 0 1\r\n" M "a=mid:0\r\n" ICE FP
		      "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n",
		 2, true},
		{HEAD "a=group:BUNDLE 0\r\n" M "a=mid:0\r\n" ICE FP
		      "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n",
		 2, false},
		{HEAD "a=group:LS 0 1\r\n" M "a=mid:0\r\n" ICE FP
		      "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n",
		 2, false},
		{HEAD "a=group:BUNDLE 0 1\r\n" M "a=mid:0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"
		      "a=mid:1\r\n",
		 2, false},
		{HEAD "a=group:BUNDLE 0 1\r\n" M "a=mid:0\r\n" ICE FP
		      "m=video 0 RTP/AVP 96\r\na=mid:1\r\na=bundle-only\r\n",
		 2, false},
		/* odd, and none of our business */
		{HEAD "i=x\r\nz=0 0\r\nb=AS:64\r\n" M ICE FP "a=rtpmap:300 x/0\r\na=fmtp:-1\r\n"
		      "a=ptime:4294967296\r\na=x-unknown\r\n",
		 1, true},
		{"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns= \r\nt=0 0\r\n" M ICE FP, 1, true},
		{"v=0\r\no=ärger 1 1 IN IP4 127.0.0.1\r\ns=\t\r\nt=0 0\r\n" M ICE FP, 1, true},
	};
	/* clang-format on */
	struct sdp_facts facts;
	const char *why;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		if (check(&facts, &why, rows[i].text))
			fail_msg("row %zu: %s", i, why);
		assert_int_equal(facts.n_media, rows[i].n_media);
		if (facts.webrtc != rows[i].webrtc)
			fail_msg("row %zu: webrtc=%d", i, facts.webrtc);
	}
}

static void refused(void **state)
{
	/* clang-format off */
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"", "empty"},
		{"\r\n", "x=value"},
		{"hello", "no end"},
		{"hello\r\n", "x=value"},
		{"o=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n" M, "begin with v="},
		{"v=1\r\no=-\r\ns=-\r\nt=0 0\r\n" M, "version"},
		{"v=0 \r\no=-\r\ns=-\r\nt=0 0\r\n" M, "version"},
		{"v=0\r\ns=-\r\no=-\r\nt=0 0\r\n" M, "begin with v="},
		{HEAD "v=0\r\n" M, "version"},
		{HEAD "s=-\r\n" M, "twice"},
		{HEAD "o=-\r\n" M, "twice"},
		{"v=0\r\no=-\r\ns=-\r\n" M, "t="},
		{HEAD M "t=0 0\r\n", "after a media line"},
		{HEAD, "no media line"},
		{"v=0\r\n", "no media line"},
		{HEAD "m=\r\n", "cut short"},
		{HEAD "m=audio\r\n", "cut short"},
		{HEAD "m=audio 0\r\n", "cut short"},
		{HEAD "m=audio 9 RTP/AVP\r\n", "no format"},
		{HEAD "m=audio 9 RTP/AVP \r\n", "no format"},
		{HEAD "m=audio  9 RTP/AVP 0\r\n", "no port"},
		{HEAD "m=audio 65536 RTP/AVP 0\r\n", "no port"},
		{HEAD "m=audio -1 RTP/AVP 0\r\n", "no port"},
		{HEAD "m=audio 4294967305 RTP/AVP 0\r\n", "no port"},
		{HEAD "m=audio 99999999999 RTP/AVP 0\r\n", "no port"},
		{HEAD "m=audio /2 RTP/AVP 0\r\n", "no port"},
		{HEAD "b=AS\r\n" M, "bandwidth"},
		{HEAD "b=\r\n" M, "bandwidth"},
		{HEAD M "a=\r\n", "no name"},
		{HEAD M "a=:x\r\n", "no name"},
		{HEAD M "a=ice-ufrag:abc\r\n", "ice-ufrag"},
		{HEAD M "a=ice-ufrag:ab cd\r\n", "ice-ufrag"},
		{HEAD M "a=ice-ufrag\r\n", "ice-ufrag"},
		{HEAD M "a=ice-pwd:short\r\n", "ice-pwd"},
		{HEAD M "a=ice-pwd:aaaaaaaaaaaaaaaaaaaaa\r\n", "ice-pwd"},
		{HEAD M "a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa-\r\n", "ice-pwd"},
		{HEAD M "\r\n", "x=value"},
		{HEAD M "A=x\r\n", "x=value"},
		{HEAD M "a x\r\n", "x=value"},
		{HEAD M " a=x\r\n", "x=value"},
		{HEAD M "a=x\ry\r\n", "control"},
		{HEAD M "a=x\x01\r\n", "control"},
		{HEAD M "a=x\x7f\r\n", "control"},
		{HEAD M "a=last line", "no end"},
	};
	/* clang-format on */
	struct sdp_facts facts = {.n_media = 77};
	const char *why;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		if (check(&facts, &why, rows[i].text) != EBADMSG)
			fail_msg("row %zu was accepted", i);
		if (!strstr(why, rows[i].why))
			fail_msg("row %zu: \"%s\" instead of \"%s\"", i, why,
				 rows[i].why);
	}
	assert_int_equal(facts.n_media, 77); /* untouched */
	assert_int_equal(sdp_check(&facts, &why, HEAD "a=x\0y\r\n" M,
				   sizeof(HEAD "a=x\0y\r\n" M) - 1, 65536),
			 EBADMSG);
}

/** Eight bytes are looked at at once: none of them may be overlooked. */
static void control_characters_anywhere(void **state)
{
	static const char text[] = HEAD "a=abcdefghijklmnopqrstuvwxyz\r\n" M;
	static const char bad[] = "\0\1\x08\x0b\x1f\x7f";
	struct sdp_facts facts;
	char copy[sizeof(text)];
	const char *why;

	(void)state;
	for (size_t at = strlen(HEAD) + 2; at < strlen(HEAD) + 28; at++)
		for (size_t i = 0; i + 1 < sizeof(bad); i++) {
			memcpy(copy, text, sizeof(text));
			copy[at] = bad[i];
			if (sdp_check(&facts, &why, copy, strlen(text), 65536) != EBADMSG)
				fail_msg("0x%02x at %zu", bad[i], at - strlen(HEAD));
		}
}

/** `head`, then `line` so many times. */
static char *repeat(const char *head, const char *line, size_t times)
{
	size_t h = strlen(head), l = strlen(line);
	char *s = malloc(h + l * times + 1);

	assert_non_null(s);
	memcpy(s, head, h + 1);
	for (size_t i = 0; i < times; i++)
		memcpy(s + h + i * l, line, l + 1);
	return s;
}

static int check_repeated(const char *head, const char *line, size_t times,
			  const char **why)
{
	char *s = repeat(head, line, times);
	struct sdp_facts facts;
	int err = sdp_check(&facts, why, s, strlen(s), 1 << 20);

	free(s);
	return err;
}

static void bounds(void **state)
{
	struct sdp_facts facts;
	const char *why;
	char *s;

	(void)state;
	assert_int_equal(check_repeated(HEAD, M, 64, &why), 0);
	assert_int_equal(check_repeated(HEAD, M, 65, &why), EBADMSG);
	assert_non_null(strstr(why, "64"));
	assert_int_equal(check_repeated(HEAD, M, 1000, &why), EBADMSG);
	assert_int_equal(check_repeated(HEAD M, "a=x\r\n", 4096 - 5, &why), 0);
	assert_int_equal(check_repeated(HEAD M, "a=x\r\n", 4096 - 4, &why), EBADMSG);
	assert_non_null(strstr(why, "4096"));

	s = repeat(HEAD M "a=", "x", 65536);
	strcpy(s + strlen(s) - 2, "\r\n"); /* one line of 64 KiB */
	assert_int_equal(sdp_check(&facts, &why, s, strlen(s), 1 << 20), 0);
	assert_int_equal(sdp_check(&facts, &why, s, strlen(s), strlen(s)), 0);
	assert_int_equal(sdp_check(&facts, &why, s, strlen(s), strlen(s) - 1), EFBIG);
	free(s);
	assert_int_equal(check_repeated(HEAD "a=group:BUNDLE", " 1", 512, &why), EBADMSG);
}

/** What browsers really send, from the fuzz corpus. */
static void from_browsers(void **state)
{
	static const struct {
		const char *name;
		unsigned n_media;
		bool webrtc;
	} rows[] = {{"chrome", 2, true},       {"firefox", 1, true},
		    {"data", 1, true},         {"lf", 1, true},
		    {"bundled_bare", 2, true}, {"bundle_only", 2, true},
		    {"rtp", 2, false},         {"sha1", 1, false}};
	const char *top = getenv("top_srcdir");
	char path[4096], text[8192];

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct sdp_facts facts;
		const char *why;
		size_t n;
		FILE *f;

		snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/sdp/%s",
			 top ? top : ".", rows[i].name);
		f = fopen(path, "rb");
		assert_non_null(f);
		n = fread(text, 1, sizeof(text), f);
		fclose(f);
		assert_int_equal(sdp_check(&facts, &why, text, n, 65536), 0);
		assert_int_equal(facts.n_media, rows[i].n_media);
		if (facts.webrtc != rows[i].webrtc)
			fail_msg("%s: webrtc=%d", rows[i].name, facts.webrtc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted),
		cmocka_unit_test(refused),
		cmocka_unit_test(control_characters_anywhere),
		cmocka_unit_test(bounds),
		cmocka_unit_test(from_browsers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
