/* test_idp_shelf.c - the shelf of certificates when a fetch cannot even begin. fetch_start() is here: no memory. */
#include "idp/shelf.h"

#include <setjmp.h>
#include <cmocka.h>

static unsigned n_started, n_told;

int fetch_start(struct fetcher *f, const char *url, fetch_h *h, void *arg)
{
	n_started++;
	return ENOMEM;
}

static void told(void *arg)
{
	n_told++;
}

/* What is said at once is not said once more by the handler: its case would be over, and gone, in the middle. */
static void said_once(void **state)
{
	struct shelf_config config = {.n_fetches = 4, .timeout_ms = 3000};
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

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(said_once)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
