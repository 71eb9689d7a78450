/* tests/unit/gateway/test_registry.c - devices by account and by id. */
#include "gateway/registry.h"
#include "tests/fake/fake.h"

#include <setjmp.h>
#include <cmocka.h>

struct world {
	struct registry *r;
	struct fake_device *d[4];
	char seen[128];
	struct fake_device *stop_at;
};

static int setup(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	*state = &w;
	w.d[0] = fake_device_alloc("bob@alpha.example", "d-0");
	w.d[1] = fake_device_alloc("bob@alpha.example", "d-1");
	w.d[2] = fake_device_alloc("bob@alpha.example", "d-2");
	w.d[3] = fake_device_alloc("bob@beta.example", "d-3");
	return registry_alloc(&w.r, 2);
}

static int teardown(void **state)
{
	struct world *w = *state;

	w->r = mem_deref(w->r); /* the devices left in it are let go */
	for (size_t i = 0; i < N_ELEMS(w->d); i++)
		mem_deref(w->d[i]);
	return 0;
}

static bool see(struct device *d, void *arg)
{
	struct world *w = arg;

	strcat(w->seen, d->id);
	strcat(w->seen, " ");
	return w->stop_at && d == &w->stop_at->d;
}

static bool take_out(struct device *d, void *arg)
{
	struct world *w = arg;

	see(d, w);
	registry_remove(w->r, d);
	return false;
}

static void add_and_find(void **state)
{
	struct world *w = *state;
	struct addr bob = fake_addr("bob@alpha.example"),
		    nobody = fake_addr("x@alpha.example");

	assert_int_equal(registry_count(w->r), 0);
	assert_int_equal(registry_add(w->r, &w->d[0]->d), 0);
	assert_int_equal(registry_add(w->r, &w->d[1]->d), 0);
	assert_int_equal(registry_add(w->r, &w->d[2]->d), ENOSPC); /* two a user */
	assert_false(w->d[2]->d.registered);
	assert_int_equal(registry_add(w->r, &w->d[3]->d), 0);
	assert_int_equal(registry_add(w->r, &w->d[3]->d), EALREADY);
	assert_int_equal(registry_count(w->r), 3);

	assert_ptr_equal(registry_device(w->r, "d-1"), &w->d[1]->d);
	assert_null(registry_device(w->r, "d-2"));
	assert_int_equal(registry_each(w->r, &bob, see, w), 2);
	assert_string_equal(w->seen, "d-0 d-1 "); /* oldest first, nobody else's */
	assert_int_equal(registry_each(w->r, &nobody, see, w), 0);
	assert_int_equal(registry_each(w->r, NULL, see, w), 3);

	registry_remove(w->r, &w->d[0]->d);
	registry_remove(w->r, &w->d[0]->d); /* twice is harmless */
	registry_remove(w->r, NULL);
	assert_int_equal(registry_count(w->r), 2);
	assert_int_equal(registry_add(w->r, &w->d[2]->d), 0);
	w->seen[0] = '\0';
	registry_each(w->r, &bob, see, w);
	assert_string_equal(w->seen, "d-1 d-2 ");
}

static void each_stops_and_removes(void **state)
{
	struct world *w = *state;
	struct addr bob = fake_addr("bob@alpha.example");

	registry_add(w->r, &w->d[0]->d);
	registry_add(w->r, &w->d[1]->d);
	w->stop_at = w->d[0];
	assert_int_equal(registry_each(w->r, &bob, see, w), 1);
	assert_string_equal(w->seen, "d-0 ");
	assert_int_equal(registry_each(w->r, &bob, take_out, w), 2);
	assert_int_equal(registry_count(w->r), 0);
}

static void end_some(void **state)
{
	struct world *w = *state;
	struct addr bob = fake_addr("bob@alpha.example");

	registry_add(w->r, &w->d[0]->d);
	registry_add(w->r, &w->d[1]->d);
	registry_add(w->r, &w->d[3]->d);
	/* a fake device's session has its id for a name */
	registry_end(w->r, &bob, "d-1", NULL, DEVICE_SIGNED_OUT);
	assert_int_equal(w->d[0]->n_bye, 0);
	assert_int_equal(w->d[1]->n_bye, 1);
	assert_int_equal(w->d[1]->bye, DEVICE_SIGNED_OUT);
	registry_end(w->r, &bob, NULL, "d-1", DEVICE_PASSWORD);
	assert_int_equal(w->d[0]->n_bye, 1);
	assert_int_equal(w->d[0]->bye, DEVICE_PASSWORD);
	assert_int_equal(w->d[1]->n_bye, 1);
	registry_end(w->r, &bob, NULL, NULL, DEVICE_REMOVED);
	assert_int_equal(w->d[0]->n_bye, 2);
	assert_int_equal(w->d[1]->n_bye, 2);
	assert_int_equal(w->d[3]->n_bye, 0);
	registry_end(w->r, NULL, NULL, NULL, DEVICE_SHUTDOWN);
	assert_int_equal(w->d[3]->n_bye, 1);
}

/* Where there is no place, one that has lost its connection goes: of the same sign-in, else the oldest. */
static void away_makes_place(void **state)
{
	struct world *w = *state;
	struct addr bob = fake_addr("bob@alpha.example");

	registry_add(w->r, &w->d[0]->d);
	registry_add(w->r, &w->d[1]->d);
	w->d[1]->d.away = true;
	assert_int_equal(registry_add(w->r, &w->d[2]->d), 0);
	assert_int_equal(w->d[0]->n_bye, 0);
	assert_int_equal(w->d[1]->n_bye, 1);
	assert_int_equal(w->d[1]->bye, DEVICE_TOO_MANY);
	assert_false(w->d[1]->d.registered);
	registry_each(w->r, &bob, see, w);
	assert_string_equal(w->seen, "d-0 d-2 ");
	assert_int_equal(registry_add(w->r, &w->d[1]->d), ENOSPC); /* both are there */

	w->d[0]->d.away = w->d[2]->d.away = true;
	snprintf(w->d[1]->d.session, sizeof(w->d[1]->d.session), "%s",
		 w->d[2]->d.session);
	assert_int_equal(registry_add(w->r, &w->d[1]->d), 0);
	assert_int_equal(w->d[0]->n_bye, 0);
	assert_int_equal(w->d[2]->n_bye, 1);
	assert_int_equal(registry_count(w->r), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(add_and_find, setup, teardown),
		cmocka_unit_test_setup_teardown(each_stops_and_removes, setup, teardown),
		cmocka_unit_test_setup_teardown(end_some, setup, teardown),
		cmocka_unit_test_setup_teardown(away_makes_place, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
