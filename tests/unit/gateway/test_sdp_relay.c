/* tests/unit/gateway/test_sdp_relay.c - what the other side of a relayed call is given: pairs of tests/golden/relay/,
 * and descriptions that cannot be relayed. */
#include "gateway/sdp.h"
#include "gateway/sdp_relay.h"

#include <setjmp.h>
#include <cmocka.h>

#define FP                                                                               \
	"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:" \
	"AA:BB:CC:DD:EE:FF"
#define HEAD "v=0\r\no=- 1 2 IN IP4 192.0.2.7\r\ns=-\r\nt=0 0\r\n"
#define TRANSPORT                                                                          \
	"c=IN IP4 192.0.2.7\r\na=ice-ufrag:peer\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n" \
	"a=fingerprint:sha-256 " FP "\r\na=setup:actpass\r\n"
#define AUDIO(mid)                                                                       \
	"m=audio 4000 UDP/TLS/RTP/SAVPF 111\r\n" TRANSPORT "a=rtcp-mux\r\na=mid:" mid    \
	"\r\na=rtpmap:111 opus/48000/2\r\n"

enum { MAX = 65536 };

static struct media_local local_of_ours(void)
{
	struct media_local l = {.ufrag = "oursours", .pwd = "ourpasswordourpassword12"};

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

static struct body *golden(const char *name)
{
	const char *top = getenv("top_srcdir");
	char path[512], text[16384];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/tests/golden/relay/%s.sdp", top ? top : ".",
		 name);
	f = fopen(path, "rb");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	return body_of(text);
}

static struct body *relayed(const struct body *in, bool lite)
{
	const struct media_local local = local_of_ours();
	struct body *out = NULL;
	struct sdp_facts facts;
	struct sdp_relay r;
	const char *why = "";

	assert_int_equal(sdp_check(&facts, &why, in->data, in->len, MAX), 0);
	assert_int_equal(sdp_relay_read(&r, &why, in), 0);
	assert_int_equal(sdp_relay_print(&out, &r, &local, lite, MAX), 0);
	assert_int_equal(sdp_check(&facts, &why, out->data, out->len, MAX), 0);
	assert_true(facts.webrtc);
	return out;
}

static void pair(const char *name)
{
	static const char *const kinds[] = {"full", "lite"};
	char file[64];

	for (size_t lite = 0; lite < 2; lite++) {
		struct body *in, *want, *out;

		snprintf(file, sizeof(file), "%s.in", name);
		in = golden(file);
		snprintf(file, sizeof(file), "%s.%s", name, kinds[lite]);
		want = golden(file);
		out = relayed(in, lite != 0);
		assert_string_equal(out->data, want->data);
		mem_deref(in);
		mem_deref(want);
		mem_deref(out);
	}
}

static void what_chromium_offers(void **state)
{
	(void)state;
	pair("chromium-offer");
}

static void what_firefox_answers(void **state)
{
	(void)state;
	pair("firefox-answer");
}

/* Relayed at both sites: what the first gateway wrote the second one takes and writes anew. */
static void twice(void **state)
{
	struct body *in = golden("chromium-offer.full"), *out = relayed(in, true),
		    *want = golden("chromium-offer.lite");

	(void)state;
	assert_string_equal(out->data, want->data);
	mem_deref(in);
	mem_deref(out);
	mem_deref(want);
}

/* Wherever somebody has put it. */
static void no_address_is_left(void **state)
{
	struct body *in = body_of(
		"v=0\r\no=me@192.0.2.7 1 2 IN IP6 2001:DB8::77\r\ns=at 192.0.2.7\r\n"
		"i=call me at 192.0.2.7\r\nt=0 0\r\na=x-home:2001:db8::77\r\n"
		"a=tool:x\r\n" AUDIO(
			"0") "a=candidate:1 1 udp 1 198.51.100.1 9 typ srflx raddr "
			     "10.1.2.3 rport 9\r\na=remote-candidates:1 192.0.2.9 1\r\n"
			     "a=ssrc:1 cname:me@10.1.2.3\r\na=ssrc:1 msid:a b\r\n");
	struct body *out = relayed(in, true);
	static const char *const gone[] = {"192.0.2.", "198.51.100.1", "10.1.2.3",
					   "2001:DB8::77", "2001:db8::77"};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(gone); i++)
		assert_null(strstr(out->data, gone[i]));
	assert_non_null(strstr(out->data, "o=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\n"));
	assert_non_null(strstr(out->data, "a=tool:x\r\n"));
	assert_non_null(strstr(out->data, "a=ssrc:1 msid:a b\r\n"));
	assert_non_null(strstr(out->data, "a=fingerprint:sha-256 " FP "\r\n"));
	mem_deref(in);
	mem_deref(out);
}

static void what_cannot_be_relayed(void **state)
{
	static const struct {
		const char *sdp, *why;
	} v[] = {
		{HEAD AUDIO("0") AUDIO("1"), "its media are not in one BUNDLE group"},
		{HEAD "a=group:BUNDLE 0 1\r\n" AUDIO("0") AUDIO("2"),
		 "its media are not in one BUNDLE group"},
		{HEAD "m=audio 4000 UDP/TLS/RTP/SAVPF 111\r\n" TRANSPORT,
		 "it wants RTCP on a port of its own (no a=rtcp-mux)"},
		{HEAD "m=audio 4000 UDP/TLS/RTP/SAVPF 111\r\na=rtcp-mux\r\n",
		 "it has no ICE credentials or no fingerprint"},
	};
	struct sdp_relay r;
	const char *why;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(v); i++) {
		struct body *in = body_of(v[i].sdp);

		assert_int_equal(sdp_relay_read(&r, &why, in), EBADMSG);
		assert_string_equal(why, v[i].why);
		mem_deref(in);
	}
}

/* A camera that has been turned off, a first section that was refused: the transport is the next one's. */
static void the_first_section_that_is_on(void **state)
{
	static const char *const ports[] = {"0", "00", "0/2"};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(ports); i++) {
		char text[4096];
		struct body *in, *out;

		snprintf(text, sizeof(text),
			 HEAD "a=group:BUNDLE 1\r\n"
			      "m=audio %s UDP/TLS/RTP/SAVPF 111\r\n"
			      "c=IN IP4 0.0.0.0\r\na=mid:0\r\n" AUDIO("1"),
			 ports[i]);
		in = body_of(text);
		out = relayed(in, false);
		assert_non_null(strstr(out->data, "m=audio 0 UDP"));
		assert_true(strstr(out->data, "a=candidate:1 ") >
			    strstr(out->data, "a=mid:1"));
		mem_deref(in);
		mem_deref(out);
	}
}

static void candidates_of_the_transport(void **state)
{
	struct body *in = golden("chromium-offer.in");
	struct candidates *c;
	struct sdp_relay r;
	const char *why;

	(void)state;
	assert_int_equal(sdp_relay_read(&r, &why, in), 0);
	assert_int_equal(sdp_relay_candidates(&c, &r), 0);
	assert_string_equal(c->ufrag, "F7gI");
	assert_int_equal(c->n, 4);
	assert_string_equal(c->v[0].mid, "0");
	assert_false(c->end);
	mem_deref(c);
	mem_deref(in);
}

static void who_stays_the_same(void **state)
{
	struct body *in = body_of(HEAD AUDIO("0")), *other = golden("firefox-answer.in");
	struct media_fingerprint both[2];
	struct sdp_relay a, b;
	const char *why;

	(void)state;
	assert_int_equal(sdp_relay_read(&a, &why, in), 0);
	assert_int_equal(sdp_relay_read(&b, &why, other), 0);
	assert_true(media_fingerprints_within(a.fingerprintv, a.n_fingerprints,
					      a.fingerprintv, a.n_fingerprints));
	assert_false(media_fingerprints_within(b.fingerprintv, b.n_fingerprints,
					       a.fingerprintv, a.n_fingerprints));
	/* one may be left out; none may come in beside those that are known */
	both[0] = a.fingerprintv[0];
	both[1] = b.fingerprintv[0];
	assert_true(media_fingerprints_within(a.fingerprintv, 1, both, 2));
	assert_false(media_fingerprints_within(both, 2, a.fingerprintv, 1));
	assert_false(media_fingerprints_within(both, 0, both, 2));
	mem_deref(in);
	mem_deref(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_chromium_offers),
		cmocka_unit_test(what_firefox_answers),
		cmocka_unit_test(twice),
		cmocka_unit_test(no_address_is_left),
		cmocka_unit_test(what_cannot_be_relayed),
		cmocka_unit_test(the_first_section_that_is_on),
		cmocka_unit_test(candidates_of_the_transport),
		cmocka_unit_test(who_stays_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
