/* tests/unit/gateway/test_call_replace.c - a call takes the place of an established one.
 *
 *   alice d-caller (A) ── old ──► bob d-one      alice d-new (A) ── new ──► bob d-one, and nobody else  */
#include "tests/fake/fake.h"

#include <setjmp.h>
#include <cmocka.h>

struct world {
	struct fake_core fc;
	struct fake_device *one, *two;
	struct call *old;
	struct fake_leg *a, *b;
};

static int setup(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	*state = &w;
	fake_core_open(&w.fc);
	w.one = fake_device_alloc("bob@alpha.example", "d-one");
	w.two = fake_device_alloc("bob@alpha.example", "d-two");
	assert_int_equal(registry_add(w.fc.core.registry, &w.one->d), 0);
	assert_int_equal(registry_add(w.fc.core.registry, &w.two->d), 0);
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	if (!w->a->over)
		fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_HANGUP);
	fake_loop_settle(w->fc.loop);
	mem_deref(w->a);
	fake_core_close(&w->fc);
	registry_remove(w->fc.core.registry, &w->one->d);
	registry_remove(w->fc.core.registry, &w->two->d);
	mem_deref(w->one);
	mem_deref(w->two);
	return 0;
}

/* alice and bob talk; he has it on d-one. */
static void talk(struct world *w)
{
	assert_int_equal(fake_core_call(&w->fc, &w->old, &w->a, "alice@alpha.example",
					"bob@alpha.example"),
			 0);
	fake_loop_settle(w->fc.loop);
	w->b = fake_device_leg(w->one);
	fake_leg_say(w->b, LEG_ACCEPTED);
	fake_leg_say_sdp(w->b, LEG_ANSWER, 2);
	assert_int_equal(call_state(w->old), CALL_ACTIVE);
	fake_leg_trace_clear(w->a);
	fake_leg_trace_clear(w->b);
}

/* The same without a call of its own: `from` NULL: by SIP. */
static int take(struct world *w, struct call **callp, struct fake_leg **legp,
		const char *from, const char *to, struct leg *replaces)
{
	struct addr dialled = fake_addr(to);
	struct party party = {.addr = fake_addr(from ? from : "eve@peer.example")};
	struct body *offer = fake_sdp(7);
	struct invite *invite = NULL;
	int err;

	*legp = fake_leg_alloc(LEG_IN, from ? "browser" : "sip",
			       from ? "d-new" : "peer.example");
	assert_int_equal(invite_alloc(&invite, &party, &dialled, offer, 70), 0);
	invite->replaces = mem_ref(replaces);
	err = call_alloc(callp, &w->fc.core, &(*legp)->leg, invite,
			 from ? &party.addr : NULL, from ? NULL : "peer.example");
	mem_deref(invite);
	mem_deref(offer);
	if (!err)
		fake_loop_settle(w->fc.loop);
	return err;
}

static void only_its_own_user_finds_it(void **state)
{
	struct world *w = *state;
	struct addr alice = fake_addr("alice@alpha.example"),
		    bob = fake_addr("bob@alpha.example"),
		    eve = fake_addr("eve@alpha.example");
	char id[32];

	talk(w);
	snprintf(id, sizeof(id), "%s", call_id(w->old));
	assert_ptr_equal(call_replace_find(&w->fc.core, id, &alice, "d-new"), &w->a->leg);
	assert_ptr_equal(call_replace_find(&w->fc.core, id, &bob, "d-two"), &w->b->leg);
	assert_null(call_replace_find(&w->fc.core, id, &eve, "d-new"));
	/* the device that has it does not take it from itself */
	assert_null(call_replace_find(&w->fc.core, id, &alice, "d-caller"));
	assert_null(call_replace_find(&w->fc.core, "0123456789abcdef", &alice, "d-new"));
	fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_HANGUP);
	assert_null(call_replace_find(&w->fc.core, id, &alice, "d-new"));
}

static void the_caller_moves(void **state)
{
	struct world *w = *state;
	struct call *call;
	struct fake_leg *a, *b;
	size_t n_two;

	talk(w);
	n_two = w->two->n_legs;
	assert_int_equal(take(w, &call, &a, "alice@alpha.example", "bob@alpha.example",
			      &w->a->leg),
			 0);
	b = fake_device_leg(w->one);
	assert_ptr_not_equal(b, w->b);
	assert_string_equal(b->trace, "invite");
	assert_ptr_equal(b->invite->replaced, &w->b->leg); /* in whose place it comes */
	assert_int_equal(w->two->n_legs, n_two);           /* rings nowhere else */
	assert_string_equal(w->a->trace, "");
	fake_leg_say(b, LEG_ACCEPTED);
	fake_leg_say_sdp(b, LEG_ANSWER, 8);
	assert_string_equal(a->trace, "accepted answer");
	assert_int_equal(call_state(w->old), CALL_ACTIVE); /* until the media are there */
	/* bob's device says that they are */
	fake_leg_say_cause(w->b, LEG_ENDED, CAUSE_ELSEWHERE);
	assert_string_equal(w->a->trace, "end(elsewhere)");
	fake_loop_settle(w->fc.loop);
	assert_null(b->invite->replaced); /* nothing of the old call is held any more */
	fake_loop_advance_ms(w->fc.loop, 60000);
	assert_int_equal(call_state(call), CALL_ACTIVE);
	fake_leg_say_cause(a, LEG_ENDED, CAUSE_HANGUP);
	mem_deref(a);
}

static void the_callee_moves(void **state)
{
	struct world *w = *state;
	struct call *call;
	struct fake_leg *a;

	talk(w);
	/* alice's leg is no registered device here: it cannot be rung, and the old call does not notice */
	assert_int_equal(take(w, &call, &a, "bob@alpha.example", "alice@alpha.example",
			      &w->b->leg),
			 0);
	assert_string_equal(a->trace, "end(offline)");
	assert_string_equal(w->b->trace, "");
	assert_int_equal(call_state(w->old), CALL_ACTIVE);
	mem_deref(a);
}

static void nobody_ends_the_old_one_in_time(void **state)
{
	struct world *w = *state;
	struct call *call;
	struct fake_leg *a, *b;

	talk(w);
	take(w, &call, &a, "alice@alpha.example", "bob@alpha.example", &w->a->leg);
	b = fake_device_leg(w->one);
	fake_leg_say_sdp(b, LEG_ANSWER, 8);
	fake_loop_advance_ms(w->fc.loop, w->fc.config.limits.replace_s * 1000 - 1);
	assert_string_equal(w->a->trace, "");
	fake_loop_advance_ms(w->fc.loop, 2);
	assert_string_equal(w->a->trace, "end(elsewhere)");
	assert_string_equal(w->a->cause.text, CAUSE_TEXT_MOVED);
	assert_string_equal(w->b->trace, "end(elsewhere)");
	assert_int_equal(call_state(call), CALL_ACTIVE);
	fake_leg_say_cause(a, LEG_ENDED, CAUSE_HANGUP);
	mem_deref(a);
}

/* Refused, or its media found no way: the old call goes on as if nothing had been, and can move again. */
static void a_move_that_fails(void **state)
{
	struct world *w = *state;
	struct call *call;
	struct fake_leg *a, *b;

	talk(w);
	take(w, &call, &a, "alice@alpha.example", "bob@alpha.example", &w->a->leg);
	fake_leg_say_cause(fake_device_leg(w->one), LEG_ENDED, CAUSE_BUSY);
	assert_string_equal(a->trace, "end(busy)");
	mem_deref(a);
	fake_loop_settle(w->fc.loop);
	assert_int_equal(take(w, &call, &a, "alice@alpha.example", "bob@alpha.example",
			      &w->a->leg),
			 0);
	b = fake_device_leg(w->one);
	fake_leg_say_sdp(b, LEG_ANSWER, 8);
	fake_leg_say_cause(b, LEG_ENDED, CAUSE_MEDIA);
	assert_string_equal(a->trace, "answer end(media)");
	fake_loop_advance_ms(w->fc.loop, 60000);
	assert_string_equal(w->a->trace, "");
	assert_string_equal(w->b->trace, "");
	assert_int_equal(call_state(w->old), CALL_ACTIVE);
	mem_deref(a);
}

static void twice_at_once(void **state)
{
	struct world *w = *state;
	struct call *call, *late;
	struct fake_leg *a, *c;

	talk(w);
	assert_int_equal(take(w, &call, &a, "alice@alpha.example", "bob@alpha.example",
			      &w->a->leg),
			 0);
	assert_int_equal(take(w, &late, &c, "alice@alpha.example", "bob@alpha.example",
			      &w->a->leg),
			 EBUSY);
	mem_deref(c);
	/* bob moves at the same moment: the same place */
	assert_int_equal(take(w, &late, &c, "bob@alpha.example", "alice@alpha.example",
			      &w->b->leg),
			 EBUSY);
	mem_deref(c);
	fake_leg_say_cause(a, LEG_ENDED, CAUSE_CANCELLED);
	mem_deref(a);
	assert_string_equal(w->a->trace, "");
	assert_int_equal(call_state(w->old), CALL_ACTIVE);
}

static void only_what_is_established(void **state)
{
	struct world *w = *state;
	struct call *late;
	struct fake_leg *c;

	assert_int_equal(fake_core_call(&w->fc, &w->old, &w->a, "alice@alpha.example",
					"bob@alpha.example"),
			 0);
	fake_loop_settle(w->fc.loop);
	fake_leg_say(fake_device_leg(w->one), LEG_RINGING);
	assert_int_equal(take(w, &late, &c, "alice@alpha.example", "bob@alpha.example",
			      &w->a->leg),
			 ENOENT);
	mem_deref(c);
	fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_CANCELLED);
	assert_int_equal(take(w, &late, &c, "alice@alpha.example", "bob@alpha.example",
			      &w->a->leg),
			 ENOENT);
	mem_deref(c);
}

static void the_old_one_ends_while_it_rings(void **state)
{
	struct world *w = *state;
	struct call *call;
	struct fake_leg *a, *b;

	talk(w);
	take(w, &call, &a, "alice@alpha.example", "bob@alpha.example", &w->a->leg);
	fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_HANGUP);
	fake_loop_settle(w->fc.loop); /* the old call is freed */
	b = fake_device_leg(w->one);
	assert_string_equal(b->trace, "invite");
	fake_leg_say_sdp(b, LEG_ANSWER, 8);
	fake_leg_say_cause(b, LEG_ENDED, CAUSE_HANGUP);
	assert_string_equal(a->trace, "answer end(hangup)");
	mem_deref(a);
}

/* Whoever is asked to go on has hung up: the new call must not catch him again. */
static void hung_up_while_it_is_asked(void **state)
{
	struct world *w = *state;
	struct call *call;
	struct fake_leg *a, *b;

	talk(w);
	take(w, &call, &a, "alice@alpha.example", "bob@alpha.example", &w->a->leg);
	b = fake_device_leg(w->one);
	fake_leg_say(b, LEG_ACCEPTED);
	fake_leg_say_cause(w->b, LEG_ENDED, CAUSE_HANGUP);
	assert_string_equal(w->a->trace, "end(hangup)");
	assert_string_equal(a->trace, "accepted end(hangup)");
	assert_string_equal(b->trace, "invite end(hangup)");
	fake_loop_settle(w->fc.loop);
	assert_int_equal(w->fc.core.n_calls, 0);
	mem_deref(a);
}

static void by_sip_to_the_device_that_has_it(void **state)
{
	struct world *w = *state;
	struct call *call;
	struct fake_leg *a;

	assert_int_equal(
		fake_core_call(&w->fc, &w->old, &w->a, NULL, "bob@alpha.example"), 0);
	fake_loop_settle(w->fc.loop);
	w->b = fake_device_leg(w->two);
	fake_leg_say_sdp(w->b, LEG_ANSWER, 2);
	assert_int_equal(take(w, &call, &a, NULL, "bob@alpha.example", &w->a->leg), 0);
	assert_int_equal(w->one->n_legs, 1);
	assert_int_equal(w->two->n_legs, 2);
	fake_leg_say_sdp(fake_device_leg(w->two), LEG_ANSWER, 8);
	fake_leg_say_cause(w->b, LEG_ENDED, CAUSE_ELSEWHERE);
	assert_string_equal(w->a->trace, "answer end(elsewhere)");
	fake_leg_say_cause(a, LEG_ENDED, CAUSE_HANGUP);
	mem_deref(a);
}

static void by_sip_to_the_site_that_has_it(void **state)
{
	struct world *w = *state;
	struct fake_federation *f = &w->fc.federation;
	struct call *call;
	struct fake_leg *a;

	assert_int_equal(fake_core_call(&w->fc, &w->old, &w->a, "alice@alpha.example",
					"per@peer.example"),
			 0);
	fake_loop_settle(w->fc.loop);
	w->b = f->legv[0];
	fake_leg_say_sdp(w->b, LEG_ANSWER, 2);
	assert_int_equal(
		take(w, &call, &a, "alice@alpha.example", "per@peer.example", &w->a->leg),
		0);
	assert_int_equal(f->n_legs, 2);
	assert_string_equal(f->domain, "peer.example");
	assert_ptr_equal(f->legv[1]->invite->replaced, &w->b->leg);
	fake_leg_say_sdp(f->legv[1], LEG_ANSWER, 8);
	/* the far site says goodbye in the old dialog */
	fake_leg_say_cause(w->b, LEG_ENDED, CAUSE_ELSEWHERE);
	assert_string_equal(w->a->trace, "answer end(elsewhere)");
	fake_leg_say_cause(a, LEG_ENDED, CAUSE_HANGUP);
	mem_deref(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_its_own_user_finds_it, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_caller_moves, setup, teardown),
		cmocka_unit_test_setup_teardown(the_callee_moves, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_ends_the_old_one_in_time, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_move_that_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(twice_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(only_what_is_established, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_old_one_ends_while_it_rings, setup,
						teardown),
		cmocka_unit_test_setup_teardown(hung_up_while_it_is_asked, setup,
						teardown),
		cmocka_unit_test_setup_teardown(by_sip_to_the_device_that_has_it, setup,
						teardown),
		cmocka_unit_test_setup_teardown(by_sip_to_the_site_that_has_it, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
