/* tests/unit/gateway/test_candidates.c - which candidates pass, how lists of them grow, and how they get
 * into a description for a peer that does not trickle.
 *
 *   "candidate:…" ──► candidates_add ──► candidates_join ──► sdp_ice_complete ──► a=candidate:… */
#include "gateway/sdp.h"
#include "gateway/sdp_ice.h"

#include <setjmp.h>
#include <cmocka.h>

#define HOST                                                                             \
	"candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host generation 0 ufrag F7gI"
#define SRFLX                                                                            \
	"candidate:2 1 udp 1686052607 198.51.100.1 50001 typ srflx raddr 192.0.2.1 rport 50000"
#define MDNS                                                                             \
	"candidate:3 1 UDP 2122252543 8a5e1b4c-57f2-4c5c-9d4a-000000000001.local 50002 typ host"
#define TCP "candidate:4 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active"
#define V6  "candidate:5 1 udp 2122262783 2001:db8::1 50003 typ host"

static void lines(void **state)
{
	/* clang-format off */
	static const char *const good[] = {HOST, SRFLX, MDNS, TCP, V6,
		"candidate:a+/9 256 udp 0 h 0 typ x"};
	static const char *const bad[] = {"", "candidate:", "candidate", "a=" HOST, "Candidate:1 1 udp 1 h 1 typ host",
		"candidate:1 0 udp 1 h 1 typ host", "candidate:1 257 udp 1 h 1 typ host",
		"candidate:1 1 udp 1 h 65536 typ host", "candidate:1 1 udp 4294967296 h 1 typ host",
		"candidate:1 1 udp 99999999999 h 1 typ host", "candidate:1 1 udp -1 h 1 typ host",
		"candidate:1 1 udp 1 h 1 host", "candidate:1 1 udp 1 h 1 typ", "candidate:1 1 udp 1 h 1 typ ",
		"candidate:1  1 udp 1 h 1 typ host", "candidate:1 1 udp 1 h 1 TYP host",
		"candidate: 1 udp 1 h 1 typ host", "candidate:1;2 1 udp 1 h 1 typ host",
		"candidate:1 1 u,dp 1 h 1 typ host", HOST "\r\na=ice-pwd:x", HOST "\n", HOST "\t", HOST " \xc3\xa4",
		"candidate:123456789012345678901234567890123 1 udp 1 h 1 typ host"};
	/* clang-format on */
	char line[CANDIDATE_LINE_MAX + 2];

	(void)state;
	for (size_t i = 0; i < N_ELEMS(good); i++)
		if (!candidate_line_ok(good[i], strlen(good[i])))
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < N_ELEMS(bad); i++)
		if (candidate_line_ok(bad[i], strlen(bad[i])))
			fail_msg("passed: %s", bad[i]);
	assert_false(candidate_line_ok(HOST "\0x", sizeof(HOST "\0x") - 1));
	snprintf(line, sizeof(line), "%-*s", CANDIDATE_LINE_MAX, HOST " x");
	memset(line + sizeof(HOST), 'x', CANDIDATE_LINE_MAX - sizeof(HOST));
	assert_true(candidate_line_ok(line, CANDIDATE_LINE_MAX));
	line[CANDIDATE_LINE_MAX] = 'x';
	assert_false(candidate_line_ok(line, CANDIDATE_LINE_MAX + 1));
}

static void mids_and_ufrags(void **state)
{
	struct candidates *c = NULL;
	char mid[CANDIDATE_MID_MAX + 2];

	(void)state;
	memset(mid, 'm', sizeof(mid));
	assert_true(candidate_mid_ok("0", 1));
	assert_true(candidate_mid_ok("audio-1_x", 9));
	assert_true(candidate_mid_ok(mid, CANDIDATE_MID_MAX));
	assert_false(candidate_mid_ok(mid, CANDIDATE_MID_MAX + 1));
	assert_false(candidate_mid_ok("", 0));
	assert_false(candidate_mid_ok("a b", 3));
	assert_false(candidate_mid_ok("a\r", 2));
	assert_false(candidate_mid_ok("a\0", 2));
	assert_int_equal(candidates_alloc(&c, "abc", 3), EBADMSG);
	assert_int_equal(candidates_alloc(&c, "ab\ncd", 5), EBADMSG);
	assert_null(c);
	assert_int_equal(candidates_alloc(&c, "abcd", 4), 0);
	assert_int_equal(candidates_add(c, "0", 1, -2, HOST, strlen(HOST)), EBADMSG);
	assert_int_equal(candidates_add(c, "0", 1, 64, HOST, strlen(HOST)), EBADMSG);
	assert_int_equal(candidates_add(c, "0", 1, 63, HOST, strlen(HOST)), 0);
	assert_int_equal(candidates_add(c, "0", 1, -1, HOST, strlen(HOST)), 0);
	assert_int_equal(c->n, 1);
	mem_deref(c);
}

static void add(struct candidates *c, const char *mid, const char *line)
{
	assert_int_equal(candidates_add(c, mid, strlen(mid), -1, line, strlen(line)), 0);
}

static void joined(void **state)
{
	struct candidates *all = NULL, *more = NULL, *fresh = NULL, *copy = NULL;

	(void)state;
	assert_int_equal(candidates_alloc(&all, "F7gI", 4), 0);
	assert_int_equal(candidates_alloc(&more, "F7gI", 4), 0);
	add(more, "0", HOST);
	add(more, "1", HOST); /* another section: another candidate */
	assert_int_equal(candidates_join(all, &fresh, more, 100), 0);
	assert_int_equal(fresh->n, 2);
	fresh = mem_deref(fresh);
	assert_int_equal(candidates_join(all, &fresh, more, 100), 0);
	assert_null(fresh);
	add(more, "0", SRFLX);
	more->end = true;
	assert_int_equal(candidates_join(all, &fresh, more, 100), 0);
	assert_int_equal(fresh->n, 1);
	assert_string_equal(fresh->v[0].line, SRFLX);
	assert_string_equal(fresh->ufrag, "F7gI");
	assert_true(fresh->end && all->end);
	assert_int_equal(candidates_dup(&copy, all), 0);
	assert_int_equal(copy->n, 3);
	assert_true(copy->end);
	assert_ptr_not_equal(copy->v[0].line, all->v[0].line);
	mem_deref(fresh);
	add(more, "0", V6);
	assert_int_equal(candidates_join(all, &fresh, more, 3), ENOSPC);
	assert_null(fresh);
	mem_deref(copy);
	mem_deref(more);
	mem_deref(all);
}

/* ---- descriptions ---- */

#define HEX8 "6B:8B:F0:65:5F:78:E2:51"
#define FP   "a=fingerprint:sha-256 " HEX8 ":" HEX8 ":" HEX8 ":" HEX8 "\r\n"
#define HEAD "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
#define ICE                                                                              \
	"a=ice-ufrag:F7gI\r\na=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\na=ice-options:trickle\r\n" FP
#define AUDIO(port, c)                                                                   \
	"m=audio " port " UDP/TLS/RTP/SAVPF 111 0\r\nc=" c                               \
	"\r\na=rtcp:9 IN IP4 0.0.0.0\r\n" ICE "a=mid:0\r\n"
#define VIDEO "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n" ICE "a=mid:1\r\n"
#define END   "a=end-of-candidates\r\n"

static struct body *body(const char *text)
{
	struct body *b = NULL;

	assert_int_equal(body_alloc(&b, text, strlen(text)), 0);
	return b;
}

static void facts(void **state)
{
	static const char sdp[] = HEAD AUDIO("9", "IN IP4 0.0.0.0") VIDEO;
	struct sdp_ice ice;

	(void)state;
	sdp_ice_read(&ice, sdp, strlen(sdp));
	assert_int_equal(ice.n_media, 2);
	assert_true(ice.trickle && !ice.session_level && sdp_ice_open(&ice));
	assert_true(sdp_ice_has_ufrag(&ice, "F7gI", 4));
	assert_false(sdp_ice_has_ufrag(&ice, "F7gi", 4) ||
		     sdp_ice_has_ufrag(&ice, "", 0));
	assert_ptr_equal(sdp_ice_media_find(&ice, "1"), &ice.mediav[1]);
	assert_null(sdp_ice_media_find(&ice, "2"));
	assert_int_equal(sdp_ice_ufrag(&ice).n, 4);
	assert_memory_equal(sdp + ice.mediav[1].from, "m=video", 7);
	assert_int_equal(ice.mediav[1].to, strlen(sdp));
}

static void is_it_open(void **state)
{
	/* clang-format off */
	static const struct {
		const char *text;
		bool open;
	} rows[] = {
		{HEAD AUDIO("9", "IN IP4 0.0.0.0"), true},
		{HEAD AUDIO("9", "IN IP4 0.0.0.0") END, false},
		{HEAD AUDIO("9", "IN IP4 0.0.0.0") END VIDEO, true},
		{HEAD AUDIO("9", "IN IP4 0.0.0.0") END "m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n", false},
		{HEAD END AUDIO("9", "IN IP4 0.0.0.0") VIDEO, false},
		{HEAD "a=ice-options:ice2 trickle\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n", true},
		{HEAD "a=ice-options:trickles\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n", false},
		{HEAD "a=ice-options:trickle\r\nm=audio 9 RTP/AVP 0\r\n", false}, /* no mid */
		{HEAD "m=audio 9 RTP/AVP 0\r\na=mid:0\r\n", false},
		{"", false},
		{"m", false},
	};
	/* clang-format on */
	struct sdp_ice ice;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		sdp_ice_read(&ice, rows[i].text, strlen(rows[i].text));
		if (sdp_ice_open(&ice) != rows[i].open)
			fail_msg("row %zu", i);
	}
}

static void completed(void **state)
{
	/* clang-format off */
	static const struct {
		const char *before, *linev[5], *midv[5], *after;
	} rows[] = {
		/* the likeliest becomes the default; the empty section is only closed */
		{HEAD AUDIO("9", "IN IP4 0.0.0.0") VIDEO, {HOST, SRFLX, TCP}, {"0", "0", "0"},
		 HEAD AUDIO("50001", "IN IP4 198.51.100.1") "a=" HOST "\r\na=" SRFLX "\r\na=" TCP "\r\n" END VIDEO END},
		{HEAD AUDIO("9", "IN IP4 0.0.0.0"), {V6}, {"0"},
		 HEAD AUDIO("50003", "IN IP6 2001:db8::1") "a=" V6 "\r\n" END},
		/* a name is nobody's address */
		{HEAD AUDIO("9", "IN IP4 0.0.0.0"), {MDNS}, {"0"},
		 HEAD AUDIO("9", "IN IP4 0.0.0.0") "a=" MDNS "\r\n" END},
		/* what is somewhere already stays there, and what is there already is not doubled */
		{HEAD AUDIO("50000", "IN IP4 192.0.2.1") "a=" HOST "\r\n", {HOST, SRFLX}, {"0", "0"},
		 HEAD AUDIO("50000", "IN IP4 192.0.2.1") "a=" HOST "\r\na=" SRFLX "\r\n" END},
		/* nothing was found; nobody has that section; it had ended */
		{HEAD AUDIO("9", "IN IP4 0.0.0.0"), {NULL}, {NULL}, HEAD AUDIO("9", "IN IP4 0.0.0.0") END},
		{HEAD AUDIO("9", "IN IP4 0.0.0.0"), {HOST}, {"x"}, HEAD AUDIO("9", "IN IP4 0.0.0.0") END},
		{HEAD AUDIO("9", "IN IP4 0.0.0.0") END, {NULL}, {NULL}, HEAD AUDIO("9", "IN IP4 0.0.0.0") END},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct body *before = body(rows[i].before), *after = NULL;
		struct candidates *c = NULL;
		struct sdp_facts f;
		const char *why;

		assert_int_equal(candidates_alloc(&c, "", 0), 0);
		for (size_t k = 0; k < 5 && rows[i].linev[k]; k++)
			add(c, rows[i].midv[k], rows[i].linev[k]);
		assert_int_equal(sdp_ice_complete(&after, before, c, 65536), 0);
		assert_string_equal(after->data, rows[i].after);
		assert_false(after->trickle);
		assert_int_equal(sdp_check(&f, &why, after->data, after->len, 65536), 0);
		mem_deref(after);
		assert_int_equal(sdp_ice_complete(&after, before, c, before->len / 2),
				 EOVERFLOW);
		mem_deref(c);
		mem_deref(before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),      cmocka_unit_test(mids_and_ufrags),
		cmocka_unit_test(joined),     cmocka_unit_test(facts),
		cmocka_unit_test(is_it_open), cmocka_unit_test(completed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
