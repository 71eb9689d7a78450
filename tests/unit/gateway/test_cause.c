/* tests/unit/gateway/test_cause.c - the table of causes: names, statuses, words, rank.
 *
 *   SIP status + hostile phrase ──► cause ──► status and static phrase, words for a person */
#include "gateway/cause.h"

#include <setjmp.h>
#include <cmocka.h>

/** Printable: no control character, and it ends as a sentence does. */
static void assert_sentence(const char *text)
{
	size_t n = strlen(text);

	assert_true(n > 0 && n < CAUSE_TEXT_BYTES);
	for (size_t i = 0; i < n; i++)
		assert_true((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
}

static void every_reason_has_all(void **state)
{
	(void)state;
	for (unsigned i = CAUSE_NONE; i < CAUSE_N; i++) {
		enum cause_reason reason = (enum cause_reason)i, again = CAUSE_NONE;
		const char *phrase = NULL;
		struct cause c;
		unsigned status;

		assert_ptr_equal(cause_set(&c, reason, NULL), &c);
		assert_int_equal(c.reason, reason);
		assert_true(c.code >= 200 && c.code <= 699);
		assert_sentence(c.text);
		assert_int_equal(c.text[strlen(c.text) - 1], '.');
		status = cause_sip_status(&c, &phrase);
		assert_true(status >= 400 && status <= 699);
		assert_sentence(phrase);
		if (reason == CAUSE_NONE) {
			assert_int_equal(cause_reason_parse(&again, "none"), EINVAL);
			continue;
		}
		assert_int_equal(cause_reason_parse(&again, cause_reason_name(reason)),
				 0);
		assert_int_equal(again, reason);
	}
	assert_int_equal(cause_reason_parse(&(enum cause_reason){0}, "Busy"), EINVAL);
	assert_int_equal(cause_reason_parse(&(enum cause_reason){0}, ""), EINVAL);
	assert_int_equal(cause_reason_parse(&(enum cause_reason){0}, NULL), EINVAL);
	assert_string_equal(cause_reason_name((enum cause_reason)999), "none");
}

static void the_table_of_the_header(void **state)
{
	static const struct {
		enum cause_reason reason;
		const char *token;
		unsigned code, sip;
	} rows[] = {
		{CAUSE_HANGUP, "hangup", 200, 480},
		{CAUSE_CANCELLED, "cancelled", 487, 487},
		{CAUSE_ELSEWHERE, "elsewhere", 200, 480},
		{CAUSE_BUSY, "busy", 486, 486},
		{CAUSE_DECLINED, "declined", 603, 603},
		{CAUSE_NO_ANSWER, "no-answer", 480, 480},
		{CAUSE_OFFLINE, "offline", 480, 480},
		{CAUSE_NOT_FOUND, "not-found", 404, 404},
		{CAUSE_NO_ROUTE, "no-route", 404, 404},
		{CAUSE_UNREACHABLE, "unreachable", 503, 503},
		{CAUSE_TIMEOUT, "timeout", 408, 408},
		{CAUSE_FORBIDDEN, "forbidden", 403, 403},
		{CAUSE_MEDIA, "media", 488, 488},
		{CAUSE_GLARE, "glare", 491, 491},
		{CAUSE_LOOP, "loop", 482, 482},
		{CAUSE_BAD_REQUEST, "bad-request", 400, 400},
		{CAUSE_LIMIT, "limit", 503, 503},
		{CAUSE_LOST, "lost", 480, 480},
		{CAUSE_SHUTDOWN, "shutdown", 503, 503},
		{CAUSE_INTERNAL, "internal", 500, 500},
		{CAUSE_GONE, "gone", 410, 410},
		{CAUSE_REDIRECT, "redirect", 302, 480},
		{CAUSE_OTHER, "other", 500, 500},
	};
	struct cause c;

	(void)state;
	assert_int_equal(N_ELEMS(rows), CAUSE_N - 1);
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		cause_set(&c, rows[i].reason, NULL);
		assert_string_equal(cause_reason_name(rows[i].reason), rows[i].token);
		assert_int_equal(c.code, rows[i].code);
		assert_int_equal(cause_sip_status(&c, NULL), rows[i].sip);
	}
}

static void every_status_is_a_cause(void **state)
{
	const char *phrase;
	struct cause c;

	(void)state;
	for (unsigned status = 300; status <= 699; status++) {
		unsigned out;

		cause_from_sip(&c, status, NULL);
		assert_int_equal(c.code, status);
		assert_true(c.reason > CAUSE_NONE && c.reason < CAUSE_N);
		assert_sentence(c.text);
		assert_int_equal(cause_is_final(&c), status >= 600);
		out = cause_sip_status(&c, &phrase);
		assert_true(out >= 400 && out <= 699);
		assert_sentence(phrase);
		/* a challenge, or one that needs headers of its own, is never passed on */
		assert_true(out != 401 && out != 407 && out != 420 && out != 421 &&
			    out != 422);
	}
	/* what is no refusal at all counts as a fault of the peer */
	cause_from_sip(&c, 200, "OK");
	assert_int_equal(c.code, 500);
	assert_int_equal(cause_from_sip(&c, 0, NULL)->reason, CAUSE_OTHER);
	assert_int_equal(cause_from_sip(&c, 4294967295u, NULL)->code, 500);
}

static void known_statuses(void **state)
{
	static const struct {
		unsigned status;
		enum cause_reason reason;
		unsigned out;
	} rows[] = {
		{302, CAUSE_REDIRECT, 480},    {400, CAUSE_BAD_REQUEST, 400},
		{401, CAUSE_FORBIDDEN, 403},   {403, CAUSE_FORBIDDEN, 403},
		{404, CAUSE_NOT_FOUND, 404},   {407, CAUSE_FORBIDDEN, 403},
		{408, CAUSE_NO_ANSWER, 480},   {410, CAUSE_GONE, 410},
		{416, CAUSE_BAD_REQUEST, 400}, {420, CAUSE_BAD_REQUEST, 400},
		{428, CAUSE_FORBIDDEN, 428},   {438, CAUSE_FORBIDDEN, 438},
		{480, CAUSE_OFFLINE, 480},     {481, CAUSE_LOST, 480},
		{482, CAUSE_LOOP, 482},        {483, CAUSE_LOOP, 483},
		{484, CAUSE_NOT_FOUND, 404},   {486, CAUSE_BUSY, 486},
		{487, CAUSE_CANCELLED, 487},   {488, CAUSE_MEDIA, 488},
		{491, CAUSE_GLARE, 491},       {499, CAUSE_OTHER, 499},
		{500, CAUSE_OTHER, 500},       {503, CAUSE_UNREACHABLE, 503},
		{599, CAUSE_OTHER, 599},       {600, CAUSE_BUSY, 600},
		{603, CAUSE_DECLINED, 603},    {604, CAUSE_GONE, 604},
		{606, CAUSE_MEDIA, 606},       {607, CAUSE_DECLINED, 607},
		{608, CAUSE_DECLINED, 603},    {699, CAUSE_OTHER, 699},
	};
	struct cause c;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		cause_from_sip(&c, rows[i].status, "Whatever");
		assert_int_equal(c.reason, rows[i].reason);
		assert_int_equal(cause_sip_status(&c, NULL), rows[i].out);
	}
	/* our own "no answer" is told from "not online" on the other side */
	assert_int_equal(cause_from_sip(&c, 480, "No Answer")->reason, CAUSE_NO_ANSWER);
	assert_int_equal(cause_from_sip(&c, 480, "Not Online")->reason, CAUSE_OFFLINE);
}

static void what_we_send_is_what_they_read(void **state)
{
	static const enum cause_reason kept[] = {
		CAUSE_CANCELLED, CAUSE_BUSY,      CAUSE_DECLINED,    CAUSE_NO_ANSWER,
		CAUSE_OFFLINE,   CAUSE_NOT_FOUND, CAUSE_FORBIDDEN,   CAUSE_MEDIA,
		CAUSE_GLARE,     CAUSE_LOOP,      CAUSE_BAD_REQUEST, CAUSE_GONE,
	};
	const char *phrase;
	struct cause c, far;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(kept); i++) {
		unsigned status;

		cause_set(&c, kept[i], NULL);
		status = cause_sip_status(&c, &phrase);
		assert_int_equal(cause_from_sip(&far, status, phrase)->reason, kept[i]);
	}
}

static void hostile_phrases(void **state)
{
	char lots[5000];
	struct cause c;

	(void)state;
	cause_from_sip(&c, 503, "  Mein Büro ist zu  ");
	assert_string_equal(
		c.text, "The other site could not be reached. The other site says 503 "
			"\"Mein Büro ist zu\".");
	cause_from_sip(&c, 403, "x\"\r\nEvil: 1\x01\xe2\x80\xae\xff\"");
	assert_non_null(strstr(c.text, "says 403 \"x'Evil: 1'\"."));
	cause_from_sip(&c, 403, "\r\n\t  ");
	assert_string_equal(c.text, "This call is not allowed.");
	cause_from_sip(&c, 499, NULL);
	assert_string_equal(c.text, "The call failed. The other site says 499.");

	memset(lots, 'A', sizeof(lots) - 1);
	lots[sizeof(lots) - 1] = '\0';
	cause_from_sip(&c, 400, lots);
	assert_sentence(c.text);
	assert_true(strlen(c.text) < 160);
	for (size_t i = 0; i + 1 < sizeof(lots); i += 2)
		memcpy(lots + i, "\xc3\xa4", 2);
	lots[sizeof(lots) - 1] = '\0';
	cause_from_sip(&c, 500, lots);
	assert_non_null(strstr(c.text, "ää\"."));
	/* where we know better, their words are not shown */
	cause_from_sip(&c, 486, "Call 0900-1234 now");
	assert_string_equal(c.text, "The other side is busy.");
}

static void own_words(void **state)
{
	char lots[1000];
	struct cause c;

	(void)state;
	cause_set(&c, CAUSE_UNREACHABLE, "%s could not be reached: %s.", "beta.example",
		  "its certificate expired yesterday");
	assert_string_equal(c.text,
			    "beta.example could not be reached: its certificate expired "
			    "yesterday.");
	cause_set(&c, CAUSE_OTHER, "%s", "a\nb\x1b[31m");
	assert_string_equal(c.text, "ab[31m");
	memset(lots, 0, sizeof(lots));
	for (size_t i = 0; i + 3 < sizeof(lots); i += 3)
		memcpy(lots + i, "\xe2\x82\xac", 3);
	cause_set(&c, CAUSE_OTHER, "%s", lots);
	assert_int_equal(strlen(c.text), (CAUSE_TEXT_BYTES - 1) / 3 * 3);
}

/** Each is better to pass on than the next. */
static void rank(void **state)
{
	static const struct {
		enum cause_reason reason;
		unsigned code;
	} order[] = {
		{CAUSE_DECLINED, 603},  {CAUSE_BUSY, 486},    {CAUSE_MEDIA, 488},
		{CAUSE_FORBIDDEN, 403}, {CAUSE_GONE, 410},    {CAUSE_NOT_FOUND, 404},
		{CAUSE_OTHER, 499},     {CAUSE_OFFLINE, 480}, {CAUSE_NO_ANSWER, 480},
		{CAUSE_LOST, 480},      {CAUSE_OTHER, 500},   {CAUSE_UNREACHABLE, 503},
		{CAUSE_TIMEOUT, 408},
	};
	struct cause a, b;

	(void)state;
	for (size_t i = 0; i + 1 < N_ELEMS(order); i++) {
		cause_set(&a, order[i].reason, NULL)->code = order[i].code;
		cause_set(&b, order[i + 1].reason, NULL)->code = order[i + 1].code;
		if (cause_rank(&a) >= cause_rank(&b))
			fail_msg("%s does not come before %s",
				 cause_reason_name(a.reason),
				 cause_reason_name(b.reason));
	}
	/* every 6xx is as good as 603 */
	for (unsigned status = 600; status <= 699; status++)
		assert_int_equal(cause_rank(cause_from_sip(&a, status, NULL)), 0);
	assert_true(cause_rank(cause_from_sip(&a, 408, NULL)) >
		    cause_rank(cause_from_sip(&b, 503, NULL)));
	assert_true(cause_is_final(cause_set(&a, CAUSE_DECLINED, NULL)));
	assert_false(cause_is_final(cause_set(&a, CAUSE_BUSY, NULL)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_has_all),
		cmocka_unit_test(the_table_of_the_header),
		cmocka_unit_test(every_status_is_a_cause),
		cmocka_unit_test(known_statuses),
		cmocka_unit_test(what_we_send_is_what_they_read),
		cmocka_unit_test(hostile_phrases),
		cmocka_unit_test(own_words),
		cmocka_unit_test(rank),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
