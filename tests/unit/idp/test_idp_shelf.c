/* test_idp_shelf.c - a shelf when a fetch cannot even begin, and what lies there while it is fetched anew. fetch_start() is
 * here: no memory, or the test says what comes. */
#include "idp/credential.h"

#include <setjmp.h>
#include <cmocka.h>

static unsigned n_started, n_told;
static int start_err = ENOMEM;
static fetch_h *coming;
static void *coming_arg;
static uint64_t clock_s;

int fetch_start(struct fetcher *f, const char *url, fetch_h *h, void *arg)
{
	n_started++;
	coming = h;
	coming_arg = arg;
	return start_err;
}

static uint64_t test_us(void)
{
	return clock_s * 1000000;
}

/* A thing is a copy of what came. */
static int copy(void **thingp, char why[SHELF_WHY_BYTES], uint64_t *keep_s, void *arg,
		const void *p, size_t n)
{
	char *text = mem_zalloc(n + 1, NULL);

	if (!text)
		return ENOMEM;
	memcpy(text, p, n);
	*thingp = text;
	return 0;
}

static const struct shelf_kind text_kind = {.fetched_event = "test.fetched",
					    .failed_event = "test.failed",
					    .busy = "too many",
					    .kept_s = 300,
					    .kept_max_s = 3600,
					    .n_per_domain = 2};

/* What was asked for last is there, or is not to be had. */
static void comes(const char *text)
{
	struct fetch_result r = {.err = text ? 0 : EIO, .p = text};

	r.n = text ? strlen(text) : 0;
	snprintf(r.why, sizeof(r.why), "%s", text ? "" : "it is away");
	coming(&r, coming_arg);
}

static void told(void *arg)
{
	n_told++;
}

/* What is said at once is not said once more by the handler: its case would be over, and gone, in the middle. */
static void said_once(void **state)
{
	struct shelf_config config = {
		.kind = &credential_kind, .n_fetches = 4, .timeout_ms = 3000};
	struct shelf_ask ask = {.h = told}, second = {.h = told};
	struct shelf *s = NULL;

	assert_int_equal(shelf_alloc(&s, &config), 0);
	assert_int_equal(
		shelf_get(s, &ask, "https://alpha.example/a.pem", "alpha.example"),
		SHELF_FAILED);
	assert_string_equal(ask.why, "out of memory");
	assert_int_equal(n_started, 1);
	assert_int_equal(n_told, 0);
	/* remembered */
	assert_int_equal(
		shelf_get(s, &second, "https://alpha.example/a.pem", "alpha.example"),
		SHELF_FAILED);
	assert_string_equal(second.why, "out of memory");
	assert_int_equal(n_started, 1);
	assert_int_equal(n_told, 0);
	assert_false(shelf_is_busy(s));
	shelf_forget(&ask);
	shelf_forget(&second);
	mem_deref(s);
}

#define URL "https://beta.example/jwks.json"

/* Gives what an asker has now. */
static const char *have(struct shelf *s, enum shelf_state wanted)
{
	static char text[32];
	struct shelf_ask ask = {.h = told};

	assert_int_equal(shelf_get(s, &ask, URL, "beta.example"), wanted);
	snprintf(text, sizeof(text), "%s", (const char *)ask.thing);
	shelf_forget(&ask);
	return text;
}

/* Whoever needs a newer one waits for it; all others have the one that is there, also when the newer one does not come. */
static void good_while_it_is_renewed(void **state)
{
	struct shelf_kind kind = text_kind;
	struct shelf_config config = {
		.kind = &kind, .n_fetches = 4, .timeout_ms = 3000, .now_us = test_us};
	struct shelf_ask ask = {.h = told}, second = {.h = told}, third = {.h = told};
	struct shelf *s = NULL;

	kind.make = copy;
	start_err = 0;
	n_started = n_told = 0;
	clock_s = 1000;
	assert_int_equal(shelf_alloc(&s, &config), 0);
	assert_int_equal(shelf_get(s, &ask, URL, "beta.example"), SHELF_COMES);
	comes("old");
	assert_string_equal(ask.thing, "old");
	assert_int_equal(shelf_renew(s, &ask, URL, "beta.example", 10), SHELF_HERE);
	assert_int_equal(n_started, 1);

	clock_s += 11;
	assert_int_equal(shelf_renew(s, &ask, URL, "beta.example", 10), SHELF_COMES);
	assert_int_equal(shelf_renew(s, &second, URL, "beta.example", 10), SHELF_COMES);
	assert_int_equal(n_started, 2);
	assert_string_equal(have(s, SHELF_HERE), "old");
	comes(NULL);
	assert_null(ask.thing);
	assert_string_equal(ask.why, "it is away");
	assert_null(second.thing);
	assert_string_equal(have(s, SHELF_HERE), "old");
	assert_false(shelf_is_busy(s));
	assert_int_equal(shelf_renew(s, &third, URL, "beta.example", 10), SHELF_HERE);
	assert_int_equal(n_started, 2); /* not again so soon */

	clock_s += 11;
	n_told = 0;
	assert_int_equal(shelf_renew(s, &third, URL, "beta.example", 10), SHELF_COMES);
	comes("new");
	assert_int_equal(n_told, 1);
	assert_string_equal(third.thing, "new");
	assert_string_equal(have(s, SHELF_HERE), "new");

	/* its time ends before the newer one is there: that is waited for, and not asked for twice */
	clock_s += 290;
	assert_int_equal(shelf_renew(s, &ask, URL, "beta.example", 10), SHELF_COMES);
	clock_s += 20;
	assert_int_equal(shelf_get(s, &second, URL, "beta.example"), SHELF_COMES);
	assert_int_equal(n_started, 4);
	comes("newest");
	assert_string_equal(ask.thing, "newest");
	assert_string_equal(second.thing, "newest");

	/* no memory: what is there stays */
	clock_s += 11;
	start_err = ENOMEM;
	shelf_forget(&ask);
	assert_int_equal(shelf_renew(s, &ask, URL, "beta.example", 10), SHELF_FAILED);
	assert_string_equal(have(s, SHELF_HERE), "newest");
	assert_false(shelf_is_busy(s));
	for (struct shelf_ask *v[] = {&ask, &second, &third}, **p = v; p < v + N_ELEMS(v);
	     p++)
		shelf_forget(*p);
	mem_deref(s);
}

/* A domain whose servers are slow has half of the places, and one more question than it may ask is refused; others go on. */
static void slow_ones_leave_room_for_others(void **state)
{
	struct shelf_kind kind = text_kind;
	struct shelf_config config = {
		.kind = &kind, .n_fetches = 4, .timeout_ms = 3000, .now_us = test_us};
	struct shelf_ask asks[7];
	struct shelf *s = NULL;
	fetch_h *first = NULL;
	void *first_arg = NULL;
	char url[64];

	kind.make = copy;
	kind.n_per_domain = 5;
	start_err = 0;
	n_started = n_told = 0;
	memset(asks, 0, sizeof(asks));
	assert_int_equal(shelf_alloc(&s, &config), 0);
	for (unsigned i = 0; i < N_ELEMS(asks); i++)
		asks[i].h = told;
	for (unsigned i = 0; i < 6; i++) {
		snprintf(url, sizeof(url), "https://slow%u.example/", i);
		assert_int_equal(shelf_get(s, &asks[i], url, "slow.example"),
				 i < 5 ? SHELF_COMES : SHELF_FAILED);
		if (!i) {
			first = coming;
			first_arg = coming_arg;
		}
	}
	assert_int_equal(n_started, 2);
	assert_string_equal(asks[5].why, "too many");
	/* behind all that wait, and before them */
	assert_int_equal(shelf_get(s, &asks[6], URL, "beta.example"), SHELF_COMES);
	assert_int_equal(n_started, 3);
	comes("here");
	assert_string_equal(asks[6].thing, "here");
	assert_int_equal(n_started, 3);
	first(&(struct fetch_result){.p = "one", .n = 3}, first_arg);
	assert_int_equal(n_started, 4); /* their next, in their own place */
	for (unsigned i = 0; i < N_ELEMS(asks); i++)
		shelf_forget(&asks[i]);
	mem_deref(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(said_once), cmocka_unit_test(good_while_it_is_renewed),
		cmocka_unit_test(slow_ones_leave_room_for_others)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
