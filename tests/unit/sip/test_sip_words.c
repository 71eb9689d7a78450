/* test_sip_words.c - words in headers: nothing can be injected, what comes in is cleaned. Pure. */
#include "lib/base.h"

#include <setjmp.h>
#include <cmocka.h>

#include "sip/headers.h"
#include "sip/peers.h"

static su_home_t *home;

static int setup(void **state)
{
	(void)state;
	home = su_home_new(sizeof(*home));
	return home ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	su_home_unref(home);
	return 0;
}

static void reason_print(void **state)
{
	char buf[SIP_REASON_BYTES];
	struct cause c;

	(void)state;
	cause_set(&c, CAUSE_BUSY, "He said \"no\" \\ and\r\nVia: x left\x7f");
	sip_reason_print(buf, sizeof(buf), &c);
	assert_int_equal(
		strncmp(buf, "SIP;cause=486;text=\"He said \\\"no\\\" \\\\ and", 41), 0);
	assert_null(strpbrk(buf, "\r\n\x7f"));
	sip_reason_print(buf, sizeof(buf), cause_set(&c, CAUSE_ELSEWHERE, "whatever"));
	assert_string_equal(buf, "SIP;cause=200;text=\"Call completed elsewhere\"");
	cause_set(&c, CAUSE_OTHER, NULL);
	c.code = 0;
	c.text[0] = '\0';
	sip_reason_print(buf, sizeof(buf), &c);
	assert_string_equal(buf, "SIP;cause=500");
	/* as long as a text can be, all of it quotes: still one well-formed value */
	memset(c.text, '"', sizeof(c.text) - 1);
	c.text[sizeof(c.text) - 1] = '\0';
	sip_reason_print(buf, sizeof(buf), &c);
	assert_non_null(sip_reason_make(home, buf));
	assert_int_equal(buf[strlen(buf) - 1], '"');
}

/* What is printed is read again, by way of Sofia's parser. */
static void reason_round_trip(void **state)
{
	char buf[SIP_REASON_BYTES];
	struct cause c, r;

	(void)state;
	cause_set(&c, CAUSE_MEDIA, "Grüße, \"quoted\" and \\slashed\\; text=x");
	sip_reason_print(buf, sizeof(buf), &c);
	cause_from_sip(&r, 488, "Not Acceptable Here");
	sip_reason_read(&r, sip_reason_make(home, buf), 488);
	assert_int_equal(r.reason, CAUSE_MEDIA);
	assert_string_equal(r.text, c.text);
	cause_set(&r, CAUSE_HANGUP, NULL);
	sip_reason_read(&r, sip_reason_make(home, buf), 0);
	assert_int_equal(r.reason, CAUSE_MEDIA);
	assert_string_equal(r.text, c.text);
}

static void reason_read(void **state)
{
	struct cause c;
	char why[100];

	(void)state;
	cause_set(&c, CAUSE_CANCELLED, NULL);
	sip_reason_read(
		&c,
		sip_reason_make(home,
				"sip ; cause=200 ; text=\"Call completed elsewhere\""),
		0);
	assert_int_equal(c.reason, CAUSE_ELSEWHERE);
	cause_set(&c, CAUSE_HANGUP,
		  NULL); /* a BYE after a Replaces, and one after a talk */
	sip_reason_read(
		&c,
		sip_reason_make(home, "SIP;cause=200;text=\"Call completed elsewhere\""),
		0);
	assert_int_equal(c.reason, CAUSE_ELSEWHERE);
	assert_string_equal(c.text, CAUSE_TEXT_MOVED);
	cause_set(&c, CAUSE_HANGUP, NULL);
	sip_reason_read(&c, sip_reason_make(home, "SIP;cause=200;text=\"bye\""), 0);
	assert_int_equal(c.reason, CAUSE_HANGUP);
	cause_set(&c, CAUSE_HANGUP, NULL);
	sip_reason_read(&c, sip_reason_make(home, "Q.850;cause=16;text=\"x\""), 0);
	assert_int_equal(c.reason, CAUSE_HANGUP);
	sip_reason_read(&c, sip_reason_make(home, "Q.850;cause=17, SIP;cause=486"), 0);
	assert_int_equal(c.reason, CAUSE_BUSY);
	cause_set(&c, CAUSE_HANGUP, NULL);
	sip_reason_read(&c, sip_reason_make(home, "SIP;cause=480;text=\"he is gone\""),
			0); /* a BYE, not a refusal */
	assert_int_equal(c.reason, CAUSE_LOST);
	assert_string_equal(c.text, "he is gone");
	cause_from_sip(&c, 486, NULL);
	sip_reason_read(&c, sip_reason_make(home, "SIP;cause=603;text=\"other\""),
			486); /* about something else */
	assert_int_equal(c.reason, CAUSE_BUSY);
	assert_string_not_equal(c.text, "other");
	sip_reason_read(&c, sip_reason_make(home, "SIP;cause=99999999999"), 0);
	sip_reason_read(&c, sip_reason_make(home, "SIP;cause=-1;text=\"x\""), 0);
	sip_reason_read(&c, sip_reason_make(home, "SIP"), 0);
	sip_reason_read(&c, NULL, 0);
	assert_int_equal(c.reason, CAUSE_BUSY);
	assert_true(sip_reason_edge(
		why, sizeof(why),
		sip_reason_make(home, "X-EDGE;cause=1;text=\"it's down\"")));
	assert_string_equal(why, "it's down");
	assert_false(sip_reason_edge(why, sizeof(why),
				     sip_reason_make(home, "SIP;cause=503;text=\"a\"")));
}

static void text_read(void **state)
{
	char buf[32], small[5];

	(void)state;
	assert_string_equal(sip_text_read(buf, sizeof(buf), "\"Bob \\\"B\\\" \\\\\""),
			    "Bob \"B\" \\");
	assert_string_equal(sip_text_read(buf, sizeof(buf), "Bob B"), "Bob B");
	assert_string_equal(sip_text_read(buf, sizeof(buf), NULL), "");
	assert_string_equal(sip_text_read(buf, sizeof(buf), "\"\""), "");
	assert_string_equal(sip_text_read(buf, sizeof(buf), "\"no end\\"), "no end\\");
	assert_string_equal(sip_text_read(buf, sizeof(buf), "\"\xff\x01\xe2\x80\xaeok\""),
			    "ok");
	assert_string_equal(sip_text_read(small, sizeof(small), "\"äöü\""), "äö");
}

static void name_addr(void **state)
{
	struct addr a = {.user = "al", .host = "a.example"};
	char buf[200];

	(void)state;
	assert_int_equal(
		sip_name_addr_print(buf, sizeof(buf), "A\"<sip:evil@x>\r\nX: 1", &a, "t"),
		0);
	assert_string_equal(buf, "\"A\\\"<sip:evil@x>X: 1\" <sip:al@a.example>;tag=t");
	assert_int_equal(sip_name_addr_print(buf, sizeof(buf), "", &a, NULL), 0);
	assert_string_equal(buf, "<sip:al@a.example>");
	assert_int_equal(sip_name_addr_print(buf, 10, "x", &a, NULL), EOVERFLOW);
}

static unsigned n_seen;

static void seen(const char *domain, const char *state, unsigned n_conns,
		 unsigned n_calls, const char *last_error, void *arg)
{
	char *buf = arg;
	size_t n = strlen(buf);

	n_seen++;
	if (n < 400)
		snprintf(buf + n, 500 - n, "%s %s %u %u [%s];", domain, state, n_conns,
			 n_calls, last_error);
}

/* What is known of peer domains: bounded, and never less than what is in use. */
static void peers(void **state)
{
	struct peers *p = NULL;
	char buf[500] = "", domain[40];

	(void)state;
	assert_int_equal(peers_alloc(&p), 0);
	peers_call(p, "a.example", 1);
	peers_call(p, "A.Example", 1);
	peers_edge(p, "b.example", false, 0, "its certificate has expired");
	peers_edge(p, "c.example", true, 2, "");
	peers_call(p, "unknown.example", -1);
	assert_int_equal(peers_calls(p, "a.example"), 2);
	peers_each(p, seen, buf);
	assert_string_equal(
		buf,
		"a.example idle 0 2 [];b.example down 0 0 [its certificate has expired];c.example up 2 0 [];");
	peers_edge(p, "b.example", true, 1, NULL);
	peers_error(p, "a.example", "busy");
	buf[0] = '\0';
	peers_each(p, seen, buf);
	assert_string_equal(
		buf,
		"a.example down 0 2 [busy];b.example up 1 0 [];c.example up 2 0 [];");
	for (unsigned i = 0; i < 2 * PEERS_MAX; i++) {
		snprintf(domain, sizeof(domain), "d%u.example", i);
		peers_error(p, domain, "x");
	}
	n_seen = 0;
	peers_each(p, seen, buf);
	assert_int_equal(n_seen, PEERS_MAX);
	assert_int_equal(peers_calls(p, "a.example"), 2);
	mem_deref(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reason_print), cmocka_unit_test(reason_round_trip),
		cmocka_unit_test(reason_read),  cmocka_unit_test(text_read),
		cmocka_unit_test(name_addr),    cmocka_unit_test(peers),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
