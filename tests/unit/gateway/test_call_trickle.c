/* tests/unit/gateway/test_call_trickle.c - candidates between the legs of a call.
 *
 *   alice (leg A) ──candidates──► call ──► bob's devices (legs B): kept for who rings later
 *                 ◄──────────────      ◄── the winner, once the call is established */
#include "tests/fake/fake.h"

#include <setjmp.h>
#include <cmocka.h>

struct world {
	struct fake_core fc;
	struct fake_device *bob, *bob2;
	struct call *call;
	struct fake_leg *a;
};

static int setup(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	*state = &w;
	fake_core_open(&w.fc);
	w.bob = fake_device_alloc("bob@alpha.example", "d-bob");
	w.bob2 = fake_device_alloc("bob@alpha.example", "d-bob2");
	registry_add(w.fc.core.registry, &w.bob->d);
	assert_int_equal(fake_core_call(&w.fc, &w.call, &w.a, "alice@alpha.example",
					"bob@alpha.example"),
			 0);
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_HANGUP);
	mem_deref(w->a);
	fake_core_close(&w->fc);
	registry_remove(w->fc.core.registry, &w->bob->d);
	registry_remove(w->fc.core.registry, &w->bob2->d);
	mem_deref(w->bob);
	mem_deref(w->bob2);
	return 0;
}

static void second_device_comes(struct world *w)
{
	registry_add(w->fc.core.registry, &w->bob2->d);
	call_device_online(&w->fc.core, &w->bob2->d);
}

/* Found before it is known who rings: one batch right after the invite. */
static void before_anybody_rings(void **state)
{
	struct world *w = *state;

	fake_leg_say_candidates(w->a, "F7gI", 1, 2, false);
	fake_leg_say_candidates(w->a, "F7gI", 3, 1, false);
	fake_loop_settle(w->fc.loop);
	assert_string_equal(fake_device_leg(w->bob)->trace, "invite candidates(3)");
	assert_string_equal(fake_device_leg(w->bob)->candidates->ufrag, "F7gI");
}

static void every_device_gets_the_same(void **state)
{
	struct world *w = *state;
	struct fake_leg *b, *b2;

	fake_loop_settle(w->fc.loop);
	b = fake_device_leg(w->bob);
	assert_string_equal(b->trace, "invite");
	fake_leg_say_candidates(w->a, "F7gI", 1, 2, false);
	fake_leg_say(b, LEG_RINGING);
	second_device_comes(w);
	b2 = fake_device_leg(w->bob2);
	assert_string_equal(b2->trace, "invite candidates(2)");
	fake_leg_say_candidates(w->a, "F7gI", 3, 1, true);
	assert_string_equal(b->trace, "invite candidates(2) candidates(1,end)");
	assert_string_equal(b2->trace, "invite candidates(2) candidates(1,end)");
	assert_ptr_equal(b->candidates, b2->candidates);
	/* told once each; what has ended stays so */
	fake_leg_say_candidates(w->a, "F7gI", 1, 3, true);
	assert_string_equal(b->trace, "invite candidates(2) candidates(1,end)");
}

static void the_callees_wait_for_the_answer(void **state)
{
	struct world *w = *state;
	struct fake_leg *b;

	fake_loop_settle(w->fc.loop);
	b = fake_device_leg(w->bob);
	fake_leg_say_candidates(b, "bobs", 1, 1, false);
	fake_leg_say(b, LEG_RINGING);
	fake_leg_say_candidates(b, "bobs", 1, 1, false);
	fake_leg_say(b, LEG_ACCEPTED);
	fake_leg_say_candidates(b, "bobs", 1, 1, false);
	assert_string_equal(w->a->trace, "ringing accepted");
	fake_leg_say_sdp(b, LEG_ANSWER, 2);
	fake_leg_say_candidates(b, "bobs", 1, 1, true);
	assert_string_equal(w->a->trace, "ringing accepted answer candidates(1,end)");
}

static void between_accept_and_answer(void **state)
{
	struct world *w = *state;
	struct fake_leg *b, *b2;

	second_device_comes(w);
	fake_loop_settle(w->fc.loop);
	b = fake_device_leg(w->bob);
	b2 = fake_device_leg(w->bob2);
	fake_leg_say(b, LEG_ACCEPTED);
	assert_string_equal(b2->trace, "invite end(elsewhere)");
	fake_leg_say_candidates(w->a, "F7gI", 1, 1, false); /* to the winner alone */
	assert_string_equal(b->trace, "invite candidates(1)");
	fake_leg_say_sdp(b, LEG_ANSWER, 2);
	fake_leg_say_candidates(w->a, "F7gI", 2, 1, true);
	assert_string_equal(b->trace, "invite candidates(1) candidates(1,end)");
}

static void in_the_call_both_ways(void **state)
{
	struct world *w = *state;
	struct fake_leg *b;

	fake_loop_settle(w->fc.loop);
	b = fake_device_leg(w->bob);
	fake_leg_say_sdp(b, LEG_ANSWER, 2);
	fake_leg_trace_clear(b);
	fake_leg_trace_clear(w->a);
	fake_leg_say_sdp(b, LEG_OFFER, 3); /* an ICE restart of his */
	fake_leg_say_candidates(b, "newB", 1, 1, false);
	fake_leg_say_sdp(w->a, LEG_ANSWER, 4);
	fake_leg_say_candidates(w->a, "newA", 1, 2, true);
	fake_leg_say_candidates(b, "newB", 2, 0, true);
	assert_string_equal(w->a->trace, "offer candidates(1) candidates(0,end)");
	assert_string_equal(b->trace, "answer candidates(2,end)");
	assert_string_equal(w->a->candidates->ufrag, "newB");
}

static void limited(void **state)
{
	struct world *w = *state;

	w->fc.config.limits.candidates = 10;
	for (unsigned i = 0; i < 8; i++)
		fake_leg_say_candidates(w->a, "F7gI", 1 + 4 * i, 4, false);
	fake_loop_settle(w->fc.loop);
	assert_string_equal(fake_device_leg(w->bob)->trace, "invite candidates(10)");
	fake_leg_say_candidates(w->a, "F7gI", 100, 1, true); /* the end still counts */
	assert_string_equal(fake_device_leg(w->bob)->trace,
			    "invite candidates(10) candidates(0,end)");
}

static void after_the_end(void **state)
{
	struct world *w = *state;
	struct fake_leg *b;

	fake_loop_settle(w->fc.loop);
	b = mem_ref(fake_device_leg(w->bob));
	fake_leg_say_candidates(w->a, "F7gI", 1, 1, false);
	fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_HANGUP);
	fake_leg_say_candidates(w->a, "F7gI", 2, 1, false);
	fake_leg_say_candidates(b, "bobs", 1, 1, false);
	fake_loop_settle(w->fc.loop);
	assert_string_equal(b->trace, "invite candidates(1) end(cancelled)");
	mem_deref(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(before_anybody_rings, setup, teardown),
		cmocka_unit_test_setup_teardown(every_device_gets_the_same, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_callees_wait_for_the_answer, setup,
						teardown),
		cmocka_unit_test_setup_teardown(between_accept_and_answer, setup,
						teardown),
		cmocka_unit_test_setup_teardown(in_the_call_both_ways, setup, teardown),
		cmocka_unit_test_setup_teardown(limited, setup, teardown),
		cmocka_unit_test_setup_teardown(after_the_end, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
