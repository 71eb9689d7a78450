/* tests/unit/gateway/test_route.c - where a call may go.
 *
 *   route_find ──► registry: online? ──► fake accounts: exists? ──► the handler, from the loop */
#include "gateway/route.h"
#include "tests/fake/fake.h"

#include <setjmp.h>
#include <cmocka.h>

struct world {
	struct fake_core fc;
	struct fake_device *bob;
	struct peer_config peer;
	struct route *route;
	unsigned n_told;
	enum route_kind kind;
	const struct site *site;
	struct cause cause;
};

static int setup(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	*state = &w;
	fake_core_open(&w.fc);
	w.bob = fake_device_alloc("bob@beta.example", "d-bob");
	fake_account_add(w.fc.core.accounts, "bob@beta.example", NULL);
	strcpy(w.peer.domain, "bad.example");
	w.peer.block = true;
	w.fc.config.peerv = &w.peer;
	w.fc.config.n_peers = 1;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	registry_remove(w->fc.core.registry, &w->bob->d);
	mem_deref(w->bob);
	mem_deref(w->route);
	fake_core_close(&w->fc);
	return 0;
}

static void told(enum route_kind kind, const struct site *site, const struct cause *cause,
		 void *arg)
{
	struct world *w = arg;

	w->n_told++;
	w->kind = kind;
	w->site = site;
	if (cause)
		w->cause = *cause;
	else
		cause_set(&w->cause, CAUSE_NONE, NULL);
	w->route = mem_deref(w->route); /* as the call does */
}

static void ask(struct world *w, const char *to, bool from_local)
{
	struct addr a = fake_addr(to), me = fake_addr("me@beta.example");

	w->n_told = 0;
	assert_int_equal(
		route_find(&w->route, &w->fc.core, &a, from_local ? &me : NULL, told, w),
		0);
	assert_int_equal(w->n_told, 0); /* never from inside */
	fake_loop_settle(w->fc.loop);
	assert_int_equal(w->n_told, 1);
}

static void to_a_user_here(void **state)
{
	struct world *w = *state;

	for (int local = 0; local < 2; local++) {
		ask(w, "bob@beta.example", local);
		assert_int_equal(w->cause.reason, CAUSE_OFFLINE);
		assert_string_equal(w->cause.text,
				    "bob@beta.example is not online at the moment.");
		ask(w, "nobody@beta.example", local);
		assert_int_equal(w->cause.reason, CAUSE_NOT_FOUND);
		assert_string_equal(w->cause.text, "beta.example has no user nobody.");
	}
	registry_add(w->fc.core.registry, &w->bob->d);
	ask(w, "bob@beta.example", false);
	assert_int_equal(w->cause.reason, CAUSE_NONE);
	assert_int_equal(w->kind, ROUTE_LOCAL);
	assert_string_equal(w->site->domain, "beta.example");
	/* the same name at the other site is somebody else */
	ask(w, "bob@alpha.example", false);
	assert_int_equal(w->cause.reason, CAUSE_NOT_FOUND);
}

static void to_another_domain(void **state)
{
	struct world *w = *state;

	ask(w, "per@gamma.example", true);
	assert_int_equal(w->cause.reason, CAUSE_NONE);
	assert_int_equal(w->kind, ROUTE_FEDERATED);
	/* no open relay */
	ask(w, "per@gamma.example", false);
	assert_int_equal(w->cause.reason, CAUSE_FORBIDDEN);
	ask(w, "per@bad.example", true);
	assert_int_equal(w->cause.reason, CAUSE_FORBIDDEN);
	assert_non_null(strstr(w->cause.text, "bad.example"));
	w->fc.core.federation = NULL;
	ask(w, "per@gamma.example", true);
	assert_int_equal(w->cause.reason, CAUSE_NO_ROUTE);
}

static void when_the_store_fails(void **state)
{
	static const struct {
		int err;
		enum cause_reason reason;
	} rows[] = {{ENOSPC, CAUSE_LIMIT}, {EBUSY, CAUSE_LIMIT}, {EIO, CAUSE_INTERNAL}};
	struct world *w = *state;

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		fake_account_err(w->fc.core.accounts, rows[i].err);
		ask(w, "bob@beta.example", true);
		assert_int_equal(w->cause.reason, rows[i].reason);
	}
}

static void a_device_comes_while_the_store_is_asked(void **state)
{
	struct world *w = *state;
	struct addr bob = fake_addr("bob@beta.example"),
		    me = fake_addr("me@beta.example");

	fake_account_hold(w->fc.core.accounts, true);
	assert_int_equal(route_find(&w->route, &w->fc.core, &bob, &me, told, w), 0);
	fake_loop_settle(w->fc.loop);
	assert_int_equal(w->n_told, 0);
	registry_add(w->fc.core.registry, &w->bob->d);
	fake_account_hold(w->fc.core.accounts, false);
	fake_loop_settle(w->fc.loop);
	assert_int_equal(w->n_told, 1);
	assert_int_equal(w->cause.reason, CAUSE_NONE);
}

static void forgotten(void **state)
{
	struct world *w = *state;
	struct addr bob = fake_addr("bob@beta.example"),
		    per = fake_addr("per@gamma.example"),
		    me = fake_addr("me@beta.example");

	assert_int_equal(route_find(&w->route, &w->fc.core, &per, &me, told, w), 0);
	w->route = mem_deref(w->route);
	assert_int_equal(route_find(&w->route, &w->fc.core, &bob, &me, told, w), 0);
	w->route = mem_deref(w->route);
	fake_loop_settle(w->fc.loop);
	assert_int_equal(w->n_told, 0);
}

static void sites(void **state)
{
	struct core *core = &((struct world *)*state)->fc.core;

	assert_string_equal(core_site_find(core, "ALPHA.Example")->domain,
			    "alpha.example");
	assert_null(core_site_find(core, "alpha.example.evil.example"));
	assert_null(core_site_find(core, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(to_a_user_here, setup, teardown),
		cmocka_unit_test_setup_teardown(to_another_domain, setup, teardown),
		cmocka_unit_test_setup_teardown(when_the_store_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(a_device_comes_while_the_store_is_asked,
						setup, teardown),
		cmocka_unit_test_setup_teardown(forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(sites, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
